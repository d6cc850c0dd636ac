/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One zone: its namespace, its settings, its port, its addresses and routes. */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "channel/device.h"
#include "supervisor/isolation/isolation.h"
#include "supervisor/zones/netns.h"
#include "supervisor/zones/private.h"

#define METRIC_LINK     5U /* what the own hosts stand in is never reached otherwise */
#define METRIC_CROSSING 10U
#define METRIC_PORT     20U
#define METRIC_VOID     4000000000U /* only where nothing else fits */

struct setting {
	const char *name, *value;
	bool optional; /* not on every kernel */
};

/* Before anything is in the namespace: the port and the crossings begin with `default`. */
static const struct setting closed_settings[] = {
	{"net/ipv4/ip_forward", "0", false},
	{"net/ipv6/conf/all/forwarding", "0", false},
	{"net/ipv6/conf/default/forwarding", "0", false},
	{"net/ipv6/conf/all/accept_ra", "0", false},
	{"net/ipv6/conf/default/accept_ra", "0", false},
	{"net/ipv6/conf/all/autoconf", "0", false},
	{"net/ipv6/conf/default/autoconf", "0", false},
	{"net/ipv6/conf/all/accept_dad", "0", false},
	{"net/ipv6/conf/default/accept_dad", "0", false},
	{"net/ipv6/conf/default/dad_transmits", "0", false},
	{"net/ipv6/conf/default/addr_gen_mode", "1", false}, /* no link-local address by itself */
	{"net/ipv6/conf/default/router_solicitations", "0", false},
	{"net/ipv6/conf/default/use_tempaddr", "0", true},
	{"net/ipv4/icmp_echo_ignore_broadcasts", "1", false},
	{"net/ipv4/icmp_ignore_bogus_error_responses", "1", false},
	{"net/ipv4/tcp_syncookies", "1", true},
	/* Else sendto() connects: a process whose connection was reset could call another peer. */
	{"net/ipv4/tcp_fastopen", "0", false},
	{"net/ipv4/ip_nonlocal_bind", "0", false},
	/* A flow begins with a SYN or not at all. */
	{"net/netfilter/nf_conntrack_tcp_loose", "0", true},
	{"net/netfilter/nf_conntrack_tcp_be_liberal", "0", true},
	/* A flow that was closed or reset holds its place under a limit so long (ADR 413). */
	{"net/netfilter/nf_conntrack_tcp_timeout_time_wait", "3", true},
	{"net/netfilter/nf_conntrack_tcp_timeout_close", "3", true},
	{"net/netfilter/nf_conntrack_helper", "0", true},
	/* For records and counts of flows. */
	{"net/netfilter/nf_conntrack_acct", "1", true},
	{"net/netfilter/nf_conntrack_timestamp", "1", true},
};

/* For `all` and `default`; again after forwarding was switched on, which resets some of them. */
static const struct setting strict_settings[] = {
	{"net/ipv4/conf/%s/rp_filter", "1", false},
	{"net/ipv4/conf/%s/accept_redirects", "0", false},
	{"net/ipv4/conf/%s/secure_redirects", "0", false},
	{"net/ipv4/conf/%s/send_redirects", "0", false},
	{"net/ipv4/conf/%s/accept_source_route", "0", false},
	{"net/ipv4/conf/%s/bootp_relay", "0", false},
	{"net/ipv4/conf/%s/proxy_arp", "0", false},
	/* Answer only for an address of the device, and only to its own network. */
	{"net/ipv4/conf/%s/arp_ignore", "2", false},
	{"net/ipv4/conf/%s/arp_announce", "2", false},
	{"net/ipv4/conf/%s/arp_filter", "1", false},
	{"net/ipv4/conf/%s/route_localnet", "0", false},
	{"net/ipv6/conf/%s/accept_redirects", "0", false},
	{"net/ipv6/conf/%s/keep_addr_on_down", "1", false}, /* as IPv4 does: isolation ends */
	{"net/ipv6/conf/%s/accept_source_route", "-1", false},
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static int write_settings(struct zones *zs, struct zone *zone, const struct setting *list,
			  size_t count, const char *device)
{
	char name[96];

	for (size_t i = 0; i < count; i++) {
		const char *place = strstr(list[i].name, "%s");
		int err;

		if (place)
			(void)snprintf(name, sizeof(name), "%.*s%s%s", (int)(place - list[i].name),
				       list[i].name, device, place + 2);
		else
			(void)snprintf(name, sizeof(name), "%s", list[i].name);
		err = netns_sysctl(name, list[i].value);
		if (err < 0 && !(err == -ERR_NOT_FOUND && list[i].optional))
			return zones_fail(zs, err, NULL, "zone %s: setting %s", zone->name, name);
	}
	return 0;
}

static int write_strict_settings(struct zones *zs, struct zone *zone)
{
	int err = write_settings(zs, zone, strict_settings, COUNT_OF(strict_settings), "all");

	if (err == 0)
		err = write_settings(zs, zone, strict_settings, COUNT_OF(strict_settings),
				     "default");
	if (err == 0 && zone->port[0])
		err = write_settings(zs, zone, strict_settings, COUNT_OF(strict_settings),
				     zone->port);
	return err;
}

/* Inside the new namespace. */
static int furnish(struct zones *zs, struct zone *zone)
{
	struct rtnl_link link;
	int err = write_settings(zs, zone, closed_settings, COUNT_OF(closed_settings), NULL);

	if (err == 0)
		err = write_strict_settings(zs, zone);
	if (err < 0)
		return err;
	err = rtnl_open(&zone->rtnl);
	if (err == 0)
		err = connections_open(&zone->connections);
	if (err == 0)
		err = rtnl_bridge_add(&zone->rtnl, DEVICE_VOID);
	if (err == 0)
		err = rtnl_link_find(&zone->rtnl, DEVICE_VOID, &link);
	if (err < 0)
		return zones_fail(zs, err, &zone->rtnl, "zone %s: device %s", zone->name,
				  DEVICE_VOID);
	zone->void_index = link.index;
	/* By loopback the kernel tells our own sockets that a next hop cannot be reached; the rules
	 * let nothing else in by it. */
	err = rtnl_link_find(&zone->rtnl, "lo", &link);
	if (err == 0)
		err = rtnl_link_set_up(&zone->rtnl, link.index, true);
	return err < 0 ? zones_fail(zs, err, &zone->rtnl, "zone %s: device lo", zone->name) : 0;
}

int zone_make(struct zones *zs, struct zone *zone, const char *name)
{
	char netns_name[96];
	int fd, err;

	*zone = (struct zone){.netns_fd = -1,
			      .track_fd = -1,
			      .isolated = isolation_holds(zs->isolation_fd, name)};
	(void)snprintf(zone->name, sizeof(zone->name), "%s", name);
	(void)snprintf(netns_name, sizeof(netns_name), "%szone-%s", zs->prefix, name);
	fd = netns_make(netns_name);
	if (fd < 0)
		return zones_fail(zs, fd, NULL, "zone %s: namespace %s", name, netns_name);
	zone->netns_fd = fd;
	zone->used = true;
	err = netns_enter(fd);
	if (err == 0) {
		err = furnish(zs, zone);
		netns_leave(zs->home_fd);
	}
	if (err < 0) {
		zone_remove(zs, zone);
		return err;
	}
	if (zs->told)
		zs->told(zs->told_ctx, ZONES_ZONE_MADE, name, NULL);
	return 0;
}

void zone_remove(struct zones *zs, struct zone *zone)
{
	char netns_name[96];

	(void)zone_return_port(
		zs, zone); /* what cannot be returned dies with the namespace; zs->reason says so */
	(void)snprintf(netns_name, sizeof(netns_name), "%szone-%s", zs->prefix, zone->name);
	rtnl_close(&zone->rtnl);
	connections_close(&zone->connections);
	(void)netns_unname(netns_name); /* a name taken away by hand is what was wanted */
	(void)close(zone->netns_fd);
	if (zone->track_fd >= 0)
		(void)close(zone->track_fd);
	zone->track_fd = -1;
	free(zone->addresses.rows);
	free(zone->proxied.rows);
	free(zone->routes.rows);
	zone->addresses = (struct layout_addresses){0};
	zone->proxied = (struct layout_addresses){0};
	zone->routes = (struct layout_routes){0};
	zone->used = false;
	if (zs->told)
		zs->told(zs->told_ctx, ZONES_ZONE_REMOVED, zone->name, NULL);
}

static bool has_ipv6(const struct layout_addresses *sorted)
{
	return sorted->count > 0 && sorted->rows[sorted->count - 1].family == 6;
}

static bool wants_ipv6(const struct layout_zone *want)
{
	return has_ipv6(&want->addresses) || has_ipv6(&want->proxied);
}

/*
 * Link-local addresses only in a zone that speaks IPv6 at all. The kernel makes one when it is let,
 * but leaves it when it no longer is: that takes IPv6 off the port for a moment.
 */
static int set_address_mode(struct zones *zs, struct zone *zone, bool ipv6)
{
	static const struct setting with[] = {{"net/ipv6/conf/%s/addr_gen_mode", "0", false}};
	static const struct setting without[] = {
		{"net/ipv6/conf/%s/addr_gen_mode", "1", false},
		{"net/ipv6/conf/%s/disable_ipv6", "1", false},
		{"net/ipv6/conf/%s/disable_ipv6", "0", false},
	};
	int err = netns_enter(zone->netns_fd);

	if (err < 0)
		return zones_fail(zs, err, NULL, "zone %s: namespace", zone->name);
	err = ipv6 ? write_settings(zs, zone, with, COUNT_OF(with), zone->port)
		   : write_settings(zs, zone, without, COUNT_OF(without), zone->port);
	netns_leave(zs->home_fd);
	if (err == 0)
		zone->ipv6 = ipv6;
	return err;
}

int zone_set_families(struct zones *zs, struct zone *zone, const struct layout_zone *want)
{
	return wants_ipv6(want) == zone->ipv6 ? 0 : set_address_mode(zs, zone, wants_ipv6(want));
}

int zone_take_port(struct zones *zs, struct zone *zone, const struct layout_zone *want)
{
	struct rtnl_link link;
	int err = port_take(zs, zone, want);

	if (err < 0)
		return err;
	(void)snprintf(zone->port, sizeof(zone->port), "%s", want->port);
	zone->base = want->base;
	zone->port_up = false;
	zone->addresses.count = 0;
	zone->proxied.count = 0;
	zone_forget_routes(zone, NULL);
	err = rtnl_link_find(&zone->rtnl, want->port, &link);
	if (err < 0)
		return zones_fail(zs, err, &zone->rtnl, "zone %s: port %s", zone->name, want->port);
	zone->port_index = link.index;
	return set_address_mode(zs, zone, wants_ipv6(want));
}

int zone_return_port(struct zones *zs, struct zone *zone)
{
	int err;

	if (!zone->port[0])
		return 0;
	err = port_return(zs, zone);
	if (err < 0)
		return err;
	zone->port[0] = '\0';
	zone->port_up = false;
	zone->addresses.count = 0;
	zone->proxied.count = 0;
	zone_forget_routes(zone, NULL);
	return 0;
}

typedef int set_address_fn(struct zones *zs, struct zone *zone, bool add,
			   const struct snapshot_prefix *address);

static int set_address(struct zones *zs, struct zone *zone, bool add,
		       const struct snapshot_prefix *address)
{
	int err = rtnl_address_set(&zone->rtnl, add, zone->port_index, address);

	if (err < 0 && !add && (errno == EADDRNOTAVAIL || errno == ENODEV))
		return 0; /* already gone */
	return err < 0 ? zones_fail(zs, err, &zone->rtnl, "zone %s: address on %s", zone->name,
				    zone->port)
		       : 0;
}

static bool holds_address(const struct layout_addresses *list,
			  const struct snapshot_prefix *address)
{
	return list->count && bsearch(address, list->rows, list->count, sizeof(*address),
				      layout_compare_addresses);
}

/* Room for @count rows: what is installed is noted as it is done, so none may be wanting then. */
static int reserve_addresses(struct layout_addresses *have, size_t count)
{
	struct snapshot_prefix *rows;

	if (count <= have->capacity)
		return 0;
	rows = reallocarray(have->rows, count, sizeof(*rows));
	if (!rows)
		return -ERR_NO_MEMORY;
	have->rows = rows;
	have->capacity = count;
	return 0;
}

static int remove_addresses(struct zones *zs, struct zone *zone, struct layout_addresses *have,
			    const struct layout_addresses *want, set_address_fn *set)
{
	size_t kept = 0;
	int err = 0;

	for (size_t i = 0; i < have->count; i++) {
		bool keep = err < 0 || holds_address(want, &have->rows[i]);

		if (!keep) {
			err = set(zs, zone, false, &have->rows[i]);
			keep = err < 0;
		}
		if (keep)
			have->rows[kept++] = have->rows[i];
	}
	have->count = kept;
	return err;
}

/* All that @have holds is wanted, so it is the first rows of @want and, of its own, the rest. */
static int add_addresses(struct zones *zs, struct zone *zone, struct layout_addresses *have,
			 const struct layout_addresses *want, set_address_fn *set)
{
	size_t done = 0, passed = 0; /* rows of @want, and those of them that were there */
	int err = 0;

	for (; done < want->count; done++) {
		if (passed < have->count &&
		    layout_compare_addresses(&have->rows[passed], &want->rows[done]) == 0) {
			passed++;
			continue;
		}
		err = set(zs, zone, true, &want->rows[done]);
		if (err < 0)
			break;
	}
	if (done == 0)
		return err;
	memmove(have->rows + done, have->rows + passed,
		(have->count - passed) * sizeof(*have->rows));
	memcpy(have->rows, want->rows, done * sizeof(*want->rows));
	have->count += done - passed;
	return err;
}

/*
 * Lead what is installed in the zone to what is wanted, one address after the other. @have tells
 * what is installed, also when it ends early, so that a later attempt starts from the truth.
 */
static int lead_addresses(struct zones *zs, struct zone *zone, struct layout_addresses *have,
			  const struct layout_addresses *want, set_address_fn *set)
{
	int err = reserve_addresses(have, want->count);

	if (err < 0)
		return zones_fail(zs, err, NULL, "zone %s: addresses", zone->name);
	err = remove_addresses(zs, zone, have, want, set);
	return err < 0 ? err : add_addresses(zs, zone, have, want, set);
}

int zone_set_addresses(struct zones *zs, struct zone *zone, const struct layout_addresses *want)
{
	return lead_addresses(zs, zone, &zone->addresses, want, set_address);
}

int zone_set_links(struct zones *zs, struct zone *zone)
{
	bool up = !zone->isolated && !(zs->shut & ZONES_SHUT_PORTS);
	int err = rtnl_link_set_up(&zone->rtnl, zone->void_index, true);

	if (err < 0)
		return zones_fail(zs, err, &zone->rtnl, "zone %s: device %s", zone->name,
				  DEVICE_VOID);
	if (zone->port_up == up)
		return 0;
	err = rtnl_link_set_up(&zone->rtnl, zone->port_index, up);
	if (err < 0)
		return zones_fail(zs, err, &zone->rtnl, "zone %s: port %s", zone->name, zone->port);
	zone->port_up = up;
	/* The kernel dropped both when the link went down. */
	zone->proxied.count = 0;
	zone_forget_routes(zone, NULL);
	return 0;
}

void zone_forget_routes(struct zone *zone, const char *peer)
{
	struct layout_routes *routes = &zone->routes;
	size_t kept = 0;

	for (size_t i = 0; i < routes->count; i++) {
		const struct layout_route *row = &routes->rows[i];
		bool gone = peer ? row->target == TARGET_CROSSING && strcmp(row->peer, peer) == 0
				 : row->target == TARGET_PORT || row->target == TARGET_LINK;

		if (!gone)
			routes->rows[kept++] = *row;
	}
	routes->count = kept;
}

/* False where the route has no device now: its crossing is shut, or its port is down. */
static bool resolve_route(struct zones *zs, const struct zone *zone, const struct layout_route *row,
			  struct rtnl_route *route)
{
	const struct crossing *crossing;

	*route = (struct rtnl_route){.destination = row->destination, .via = row->via};
	switch (row->target) {
	case TARGET_LINK:
		route->index = zone->port_index;
		route->metric = METRIC_LINK;
		return zone->port_up;
	case TARGET_PORT:
		route->index = zone->port_index;
		route->metric = METRIC_PORT;
		return zone->port_up;
	case TARGET_CROSSING:
		crossing = zones_crossing(zs, zone->name, row->peer);
		if (!crossing)
			return false;
		route->index = crossing_device(crossing, zone);
		route->via = crossing_gateway(crossing, zone, row->destination.family);
		route->metric = METRIC_CROSSING;
		route->onlink = true;
		return true;
	default:
		route->index = zone->void_index;
		route->metric = METRIC_VOID;
		return true;
	}
}

static int remove_route(struct zones *zs, struct zone *zone, const struct layout_route *row)
{
	struct rtnl_route route;

	if (!resolve_route(zs, zone, row, &route) ||
	    rtnl_route_set(&zone->rtnl, false, &route) == 0)
		return 0;
	if (errno == ESRCH || errno == ENODEV)
		return 0; /* already gone */
	return zones_fail(zs, -ERR_SYSTEM, &zone->rtnl, "zone %s: removing a route", zone->name);
}

/* Return: 1 installed, 0 left out, or an error. */
static int install_route(struct zones *zs, struct zone *zone, const struct layout_route *row)
{
	struct rtnl_route route;

	if (!resolve_route(zs, zone, row, &route))
		return 0;
	if (rtnl_route_set(&zone->rtnl, true, &route) < 0)
		return zones_fail(zs, -ERR_SYSTEM, &zone->rtnl, "zone %s: route", zone->name);
	return 1;
}

/*
 * One walk over both sorted lists. @now collects what is installed, also when it ends early, so
 * that a later attempt starts from the truth.
 */
static int merge_routes(struct zones *zs, struct zone *zone, const struct layout_routes *want,
			struct layout_routes *now)
{
	const struct layout_routes *have = &zone->routes;
	size_t h = 0, w = 0;
	int err = 0;

	/* First remove: a replaced route may stand in the way of its successor. */
	for (; h < have->count; h++) {
		while (w < want->count && layout_compare_routes(&want->rows[w], &have->rows[h]) < 0)
			w++;
		if (w < want->count && layout_compare_routes(&want->rows[w], &have->rows[h]) == 0)
			continue;
		err = err < 0 ? err : remove_route(zs, zone, &have->rows[h]);
	}
	for (h = 0, w = 0; w < want->count; w++) {
		while (h < have->count && layout_compare_routes(&have->rows[h], &want->rows[w]) < 0)
			h++;
		if (h < have->count && layout_compare_routes(&have->rows[h], &want->rows[w]) == 0) {
			now->rows[now->count++] = want->rows[w];
			continue;
		}
		if (err < 0)
			continue;
		err = install_route(zs, zone, &want->rows[w]);
		if (err > 0)
			now->rows[now->count++] = want->rows[w];
	}
	return err < 0 ? err : 0;
}

int zone_set_routes(struct zones *zs, struct zone *zone, const struct layout_routes *want)
{
	struct layout_routes now = {0};
	int err;

	if (want->count) {
		now.rows = calloc(want->count, sizeof(*now.rows));
		if (!now.rows)
			return zones_fail(zs, -ERR_NO_MEMORY, NULL, "zone %s: routes", zone->name);
		now.capacity = want->count;
	}
	err = merge_routes(zs, zone, want, &now);
	free(zone->routes.rows);
	zone->routes = now;
	return err;
}

const char *const zone_forwarding_switches[ZONE_FORWARDING_COUNT] = {
	"net/ipv4/ip_forward",
	"net/ipv6/conf/all/forwarding",
};

int zone_set_forwarding(struct zones *zs, struct zone *zone)
{
	int err;

	if (zone->forwarding)
		return 0;
	err = netns_enter(zone->netns_fd);
	if (err < 0)
		return zones_fail(zs, err, NULL, "zone %s: namespace", zone->name);
	for (size_t i = 0; err == 0 && i < ZONE_FORWARDING_COUNT; i++) {
		struct setting open_setting = {zone_forwarding_switches[i], "1", false};

		err = write_settings(zs, zone, &open_setting, 1, NULL);
	}
	if (err == 0)
		err = write_strict_settings(zs, zone);
	netns_leave(zs->home_fd);
	zone->forwarding = err == 0;
	return err;
}

static int set_proxied(struct zones *zs, struct zone *zone, bool add,
		       const struct snapshot_prefix *address)
{
	int err = rtnl_proxy_set(&zone->rtnl, add, zone->port_index, address);

	if (err < 0 && !add && (errno == ENOENT || errno == ENODEV))
		return 0; /* already gone */
	return err < 0 ? zones_fail(zs, err, &zone->rtnl, "zone %s: answering for others on %s",
				    zone->name, zone->port)
		       : 0;
}

/* A host of the port itself answers for none but itself, so there is nobody to wait for. */
static int write_proxy_settings(struct zones *zs, struct zone *zone)
{
	static const struct setting proxy_settings[] = {
		{"net/ipv4/neigh/%s/proxy_delay", "0", false},
		{"net/ipv6/neigh/%s/proxy_delay", "0", false},
		{"net/ipv6/conf/%s/proxy_ndp", "1", false},
		/* Asked by unicast, too: the kernel looks here before it forwards. */
		{"net/ipv6/conf/all/proxy_ndp", "1", false},
	};
	int err = netns_enter(zone->netns_fd);

	if (err < 0)
		return zones_fail(zs, err, NULL, "zone %s: namespace", zone->name);
	err = write_settings(zs, zone, proxy_settings, COUNT_OF(proxy_settings), zone->port);
	netns_leave(zs->home_fd);
	return err;
}

int zone_set_proxied(struct zones *zs, struct zone *zone, const struct layout_zone *want)
{
	int err = 0;

	if (!zone->port_up)
		return 0; /* the kernel forgets what it is told of a port that is down */
	if (want->proxied.count > 0 && zone->proxied.count == 0)
		err = write_proxy_settings(zs, zone);
	return err < 0 ? err
		       : lead_addresses(zs, zone, &zone->proxied, &want->proxied, set_proxied);
}
