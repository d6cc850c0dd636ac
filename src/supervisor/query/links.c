/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `show links`, and the same in evidence (C7): the devices, addresses, routes, rules and
 * neighbours of each zone's namespace and of the one where ports are that no zone has, and the
 * sysctls that separation rests on: all as the kernel says at that moment.
 */
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "supervisor/zones/netns.h"
#include "supervisor/query/query.h"
#include "supervisor/zones/rtnl_dump.h"

#define HEADING(answer, ...)                                                                       \
	answer_heading((answer), (const char *const[]){__VA_ARGS__},                               \
		       sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

#define ROWS_MAX     2000     /* the console's channel has room for them */
#define LINKS_MAX    64       /* of a namespace: whose names and sysctls are shown */
#define CARRIER      0x10000U /* IFF_LOWER_UP, which net/if.h lacks */
#define HOME_NAME    "(no zone)"
#define SYSCTL_BYTES 24

/* Of one namespace. */
struct links {
	struct answer *answer;
	const char *zone;
	const char *kind; /* of the entries that come */
	unsigned left;    /* rows that may still be sent */
	unsigned omitted; /* that were not */
	unsigned unnamed; /* devices beyond LINKS_MAX */
	size_t count;
	struct {
		uint32_t index;
		char name[RTNL_NAME_BYTES];
	} names[LINKS_MAX];
};

/*
 * The kernel lets a device have any name without slashes, colons and blanks: what a terminal would
 * obey is shown as its number, and a backslash too, so that no name looks like another.
 */
static void cell(struct answer *answer, const char *text)
{
	char shown[4 * RTNL_DUMP_TEXT_BYTES];
	struct writer w;

	writer_init(&w, shown, sizeof(shown));
	for (; *text != '\0'; text++) {
		if (*text >= ' ' && *text <= '~' && *text != '\\')
			writer_u8(&w, (uint8_t)*text);
		else
			writer_printf(&w, "\\x%02x", (uint8_t)*text);
	}
	answer_cell(answer, "%.*s", (int)w.size, shown);
}

static void show(struct links *l, const char *kind, const char *device, const char *text)
{
	if (l->left == 0) {
		l->omitted++;
		return;
	}
	l->left--;
	answer_cell(l->answer, "%s", l->zone);
	answer_cell(l->answer, "%s", kind);
	cell(l->answer, device);
	cell(l->answer, text);
	answer_send(l->answer, 0);
}

static int note_name(const struct rtnl_link *link, void *ctx)
{
	struct links *l = ctx;

	if (l->count == LINKS_MAX) {
		l->unnamed++;
		return 0;
	}
	l->names[l->count].index = link->index;
	memcpy(l->names[l->count].name, link->name, sizeof(link->name));
	l->count++;
	return 0;
}

static int take_link(const struct rtnl_link *link, void *ctx)
{
	const uint8_t *m = link->mac;
	struct links *l = ctx;
	char text[RTNL_DUMP_TEXT_BYTES], peer[64] = "";

	if (link->peer_index != 0 && link->peer_netns >= 0)
		(void)snprintf(peer, sizeof(peer), ", other end: device %u of namespace %d",
			       link->peer_index, link->peer_netns);
	else if (link->peer_index != 0)
		(void)snprintf(peer, sizeof(peer), ", on device %u", link->peer_index);
	(void)snprintf(text, sizeof(text), "%s, %s, mtu %u, %02x:%02x:%02x:%02x:%02x:%02x%s%s%s%s",
		       link->flags & IFF_UP ? "up" : "down",
		       link->flags & CARRIER ? "carrier" : "no carrier", link->mtu, m[0], m[1],
		       m[2], m[3], m[4], m[5], link->kind[0] != '\0' ? ", " : "", link->kind,
		       link->flags & IFF_PROMISC ? ", promiscuous" : "", peer);
	show(l, "link", link->name, text);
	return note_name(link, l);
}

static void take_entry(const struct rtnl_entry *entry, void *ctx)
{
	struct links *l = ctx;
	char number[24] = "";
	const char *device = number;

	if (entry->index != 0)
		(void)snprintf(number, sizeof(number), "device %u", entry->index);
	for (size_t i = 0; i < l->count; i++) {
		if (l->names[i].index == entry->index)
			device = l->names[i].name;
	}
	show(l, l->kind, device, entry->text);
}

/* With %s: of each device too, beside what holds for all and for new ones. */
static const char *const sysctls[] = {
	"net/ipv4/ip_forward",
	"net/ipv6/conf/all/forwarding",
	"net/ipv4/ip_nonlocal_bind",
	"net/ipv4/conf/%s/rp_filter",
	"net/ipv4/conf/%s/accept_source_route",
	"net/ipv6/conf/%s/accept_source_route",
	"net/ipv4/conf/%s/accept_redirects",
	"net/ipv6/conf/%s/accept_redirects",
	"net/ipv6/conf/%s/accept_ra",
	"net/ipv4/conf/%s/proxy_arp",
	"net/ipv4/conf/%s/arp_ignore",
	"net/ipv4/conf/%s/route_localnet",
	"net/netfilter/nf_conntrack_tcp_loose",
	"net/netfilter/nf_conntrack_helper",
	"net/bridge/bridge-nf-call-iptables",
};

static void show_sysctl(struct links *l, const char *form, const char *device)
{
	const char *place = strstr(form, "%s");
	char name[96], value[SYSCTL_BYTES];
	int err;

	if (place == NULL)
		(void)snprintf(name, sizeof(name), "%s", form);
	else
		(void)snprintf(name, sizeof(name), "%.*s%s%s", (int)(place - form), form, device,
			       place + 2);
	err = netns_sysctl_read(name, value, sizeof(value));
	show(l, "sysctl", name,
	     err == 0                ? value
	     : err == -ERR_NOT_FOUND ? "not in this kernel"
				     : "cannot be read");
}

/* Inside the namespace. */
static void show_sysctls(struct links *l)
{
	char text[64];

	for (size_t i = 0; i < sizeof(sysctls) / sizeof(sysctls[0]); i++) {
		show_sysctl(l, sysctls[i], "all");
		if (strstr(sysctls[i], "%s") == NULL)
			continue;
		show_sysctl(l, sysctls[i], "default");
		for (size_t j = 0; j < l->count; j++)
			show_sysctl(l, sysctls[i], l->names[j].name);
	}
	if (l->unnamed == 0)
		return;
	(void)snprintf(text, sizeof(text), "those of %u more devices are not shown", l->unnamed);
	show(l, "sysctl", "", text);
}

typedef int dump_fn(struct rtnl *r, rtnl_entry_fn *each, void *ctx);

static void show_list(struct links *l, struct rtnl *rtnl, const char *kind, dump_fn *dump)
{
	l->kind = kind;
	if (dump(rtnl, take_entry, l) < 0)
		show(l, kind, "", "the kernel does not say");
}

/* How many rows of this kind had no room. */
static void tell_omitted(const struct links *l, const char *kind)
{
	if (l->omitted == 0)
		return;
	answer_cell(l->answer, "%s", l->zone);
	answer_cell(l->answer, "%s", kind);
	answer_cell(l->answer, "%s", "");
	answer_cell(l->answer, "%u more are not shown", l->omitted);
	answer_send(l->answer, 0);
}

/* A namespace, and where the supervisor is at home. */
struct place {
	const char *name;
	struct rtnl *rtnl;
	int netns_fd, home_fd;
};

/* What only the gateway, or somebody on it, can have made. Return: the rows that are left. */
static unsigned show_made(struct answer *answer, const struct place *place, unsigned left)
{
	struct links l = {.answer = answer, .zone = place->name, .left = left};

	if (rtnl_link_each(place->rtnl, take_link, &l) < 0)
		show(&l, "link", "", "the kernel does not say");
	if (netns_enter(place->netns_fd) == 0) {
		show_sysctls(&l);
		netns_leave(place->home_fd);
	} else {
		show(&l, "sysctl", "", "the kernel does not say");
	}
	show_list(&l, place->rtnl, "address", rtnl_dump_addresses);
	show_list(&l, place->rtnl, "route", rtnl_dump_routes);
	show_list(&l, place->rtnl, "rule", rtnl_dump_rules);
	tell_omitted(&l, "all");
	return l.left;
}

/*
 * What stations can have as many of as they like, and before it the addresses of stations beyond a
 * transparent crossing, of which there may be thousands. Return: the rows of @share that are
 * left.
 */
static unsigned show_met(struct answer *answer, const struct place *place, unsigned share)
{
	struct links l = {.answer = answer, .zone = place->name, .left = share};

	if (rtnl_link_each(place->rtnl, note_name, &l) < 0)
		l.count = 0; /* numbers instead of names */
	show_list(&l, place->rtnl, "neighbour", rtnl_dump_proxies);
	show_list(&l, place->rtnl, "neighbour", rtnl_dump_neighbours);
	tell_omitted(&l, "neighbour");
	return l.left;
}

void answer_links(struct supervisor *sup, struct answer *answer)
{
	struct place places[SNAPSHOT_ZONES_MAX + 1];
	unsigned left = ROWS_MAX, count = 0;

	HEADING(answer, "zone", "kind", "device", "state");
	for (uint32_t i = 0; i < sup->running.snapshot.zone_count; i++) {
		struct zone *zone = zones_find(&sup->zones, sup->running.snapshot.zones[i].name);

		if (zone != NULL)
			places[count++] = (struct place){zone->name, &zone->rtnl, zone->netns_fd,
							 sup->zones.home_fd};
	}
	places[count++] =
		(struct place){HOME_NAME, &sup->zones.home, sup->zones.home_fd, sup->zones.home_fd};
	for (unsigned i = 0; i < count; i++)
		left = show_made(answer, &places[i], left);
	/* Each namespace has its share, so that no zone's stations hide those of another. */
	for (unsigned i = 0; i < count; i++) {
		unsigned share = left / (count - i);

		left -= share - show_met(answer, &places[i], share);
	}
	answer_send(answer, CONTROL_ROW_LAST);
}
