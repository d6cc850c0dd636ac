/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Leading the kernel from one layout to the next. */
#include "supervisor/zones/zones.h"

#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "channel/device.h"
#include "supervisor/zones/netns.h"
#include "supervisor/zones/private.h"

int zones_fail(struct zones *zs, int err, const struct rtnl *r, const char *format, ...)
{
	int saved = errno;
	va_list args;
	size_t used;

	va_start(args, format);
	(void)vsnprintf(zs->reason, sizeof(zs->reason), format, args);
	va_end(args);
	used = strlen(zs->reason);
	(void)snprintf(zs->reason + used, sizeof(zs->reason) - used, ": %s%s%s",
		       err == -ERR_SYSTEM ? strerror(saved) : err_name(err),
		       r && r->reason[0] ? ": " : "", r ? r->reason : "");
	errno = saved;
	return err;
}

struct zone *zones_find(struct zones *zs, const char *name)
{
	for (size_t i = 0; i < sizeof(zs->zones) / sizeof(zs->zones[0]); i++) {
		if (zs->zones[i].used && strcmp(zs->zones[i].name, name) == 0)
			return &zs->zones[i];
	}
	return NULL;
}

struct crossing *zones_crossing(struct zones *zs, const char *a, const char *b)
{
	for (size_t i = 0; i < sizeof(zs->crossings) / sizeof(zs->crossings[0]); i++) {
		struct crossing *c = &zs->crossings[i];

		if (!c->used)
			continue;
		if ((strcmp(c->low->name, a) == 0 && strcmp(c->high->name, b) == 0) ||
		    (strcmp(c->low->name, b) == 0 && strcmp(c->high->name, a) == 0))
			return c;
	}
	return NULL;
}

/* What an earlier instance left: everything that is neither loopback nor ours goes home. */
struct returning {
	struct rtnl *rtnl;
	int home_fd;
};

static int return_device(const struct rtnl_link *link, void *ctx)
{
	struct returning *returning = ctx;
	bool ours =
		strcmp(link->name, DEVICE_VOID) == 0 ||
		(strcmp(link->kind, "veth") == 0 &&
		 strncmp(link->name, DEVICE_CROSSING_PREFIX, strlen(DEVICE_CROSSING_PREFIX)) == 0);

	if (ours || (link->flags & IFF_LOOPBACK))
		return 0;
	/*
	 * A socket of its own: this one is in the middle of a dump. What cannot go home stays to be
	 * seen.
	 */
	(void)rtnl_link_move(returning->rtnl, link->index, returning->home_fd);
	return 0;
}

static int clear_leftover(const char *name, void *ctx)
{
	struct zones *zs = ctx;
	struct rtnl walking = {0}, moving = {0};
	int fd = netns_open(name), err;

	if (fd < 0)
		return netns_unname(name); /* a name without a namespace */
	err = netns_enter(fd);
	if (err == 0) {
		err = rtnl_open(&walking);
		if (err == 0)
			err = rtnl_open(&moving);
		netns_leave(zs->home_fd);
	}
	if (err == 0)
		err = rtnl_link_each(&walking, return_device,
				     &(struct returning){.rtnl = &moving, .home_fd = zs->home_fd});
	rtnl_close(&walking);
	rtnl_close(&moving);
	(void)close(fd);
	(void)netns_unname(name); /* a plain file that `ip netns` left is not mounted on */
	return err == -ERR_SYSTEM && errno == EINVAL ? 0 : err;
}

int zones_init(struct zones *zs, const char *prefix, int isolation_fd, zones_told_fn *told,
	       void *ctx)
{
	char pattern[96];
	int err;

	*zs = (struct zones){
		.prefix = prefix,
		.isolation_fd = isolation_fd,
		.told = told,
		.told_ctx = ctx,
		.home_fd = netns_current(),
	};
	if (zs->home_fd < 0)
		return zones_fail(zs, zs->home_fd, NULL, "own network namespace");
	err = rtnl_open(&zs->home);
	if (err < 0)
		return zones_fail(zs, err, &zs->home, "routing netlink");
	(void)snprintf(pattern, sizeof(pattern), "%szone-", prefix);
	err = netns_each(pattern, clear_leftover, zs);
	return err < 0 ? zones_fail(zs, err, NULL,
				    "what an earlier instance left in " NETNS_DIRECTORY)
		       : 0;
}

static const struct layout_zone *wanted_zone(const struct layout *layout, const char *name)
{
	for (size_t i = 0; i < layout->zone_count; i++) {
		if (strcmp(layout->zones[i].name, name) == 0)
			return &layout->zones[i];
	}
	return NULL;
}

static int make_zone(struct zones *zs, const struct layout_zone *want)
{
	for (size_t i = 0; i < sizeof(zs->zones) / sizeof(zs->zones[0]); i++) {
		if (!zs->zones[i].used)
			return zone_make(zs, &zs->zones[i], want->name);
	}
	return zones_fail(zs, -ERR_NO_SPACE, NULL, "zone %s", want->name);
}

static bool port_is_held(struct zones *zs, const char *port)
{
	for (size_t i = 0; i < sizeof(zs->zones) / sizeof(zs->zones[0]); i++) {
		if (zs->zones[i].used && strcmp(zs->zones[i].port, port) == 0)
			return true;
	}
	return false;
}

/* A crossing exists only while the layout has it and nothing shuts it. */
static bool crossing_is_open(const struct zones *zs, const struct zone *low,
			     const struct zone *high)
{
	return !zs->shut && low && high && !low->isolated && !high->isolated;
}

static int make_crossings(struct zones *zs, const struct layout *layout)
{
	int err = 0;

	for (size_t i = 0; i < layout->crossing_count && err == 0; i++) {
		struct zone *low = zones_find(zs, layout->crossings[i].low);
		struct zone *high = zones_find(zs, layout->crossings[i].high);
		struct crossing *slot = zs->crossings;

		if (!crossing_is_open(zs, low, high) || zones_crossing(zs, low->name, high->name))
			continue;
		while (slot->used) /* twice as many slots as a layout can ask for */
			slot++;
		err = crossing_make(zs, slot, low, high);
	}
	return err;
}

int zones_prepare(struct zones *zs, const struct layout *layout)
{
	int err = 0;

	for (size_t i = 0; i < layout->zone_count && err == 0; i++) {
		const struct layout_zone *want = &layout->zones[i];
		struct zone *zone = zones_find(zs, want->name);

		if (zone)
			continue; /* its changes come with zones_converge, when the rules are there
				   */
		err = make_zone(zs, want);
		zone = zones_find(zs, want->name);
		/* A port that another zone gives up comes over later. */
		if (err == 0 && zone && !port_is_held(zs, want->port)) {
			err = zone_take_port(zs, zone, want);
			if (err == 0)
				err = zone_set_addresses(zs, zone, &want->addresses);
		}
	}
	return err < 0 ? err : make_crossings(zs, layout);
}

static bool crossing_is_wanted(struct zones *zs, const struct layout *layout,
			       const struct crossing *crossing)
{
	for (size_t i = 0; i < layout->crossing_count; i++) {
		if (strcmp(layout->crossings[i].low, crossing->low->name) == 0 &&
		    strcmp(layout->crossings[i].high, crossing->high->name) == 0)
			return crossing_is_open(zs, crossing->low, crossing->high);
		if (strcmp(layout->crossings[i].low, crossing->high->name) == 0 &&
		    strcmp(layout->crossings[i].high, crossing->low->name) == 0)
			return crossing_is_open(zs, crossing->low, crossing->high);
	}
	return false;
}

/* Goes on past a failure, so that as little as possible stays; the first error is returned. */
static int remove_stale(struct zones *zs, const struct layout *layout)
{
	int first = 0, err;

	for (size_t i = 0; i < sizeof(zs->crossings) / sizeof(zs->crossings[0]); i++) {
		struct crossing *crossing = &zs->crossings[i];

		if (!crossing->used ||
		    (crossing_is_wanted(zs, layout, crossing) && crossing_is_there(crossing)))
			continue;
		err = crossing_remove(zs, crossing);
		first = first < 0 ? first : err;
	}
	for (size_t i = 0; i < sizeof(zs->zones) / sizeof(zs->zones[0]); i++) {
		struct zone *zone = &zs->zones[i];
		const struct layout_zone *want =
			zone->used ? wanted_zone(layout, zone->name) : NULL;

		if (!zone->used)
			continue;
		err = 0;
		if (!want)
			zone_remove(zs, zone);
		else if (strcmp(want->port, zone->port) != 0 ||
			 memcmp(&want->base, &zone->base, sizeof(want->base)) != 0)
			err = zone_return_port(zs, zone);
		first = first < 0 ? first : err;
	}
	return first;
}

/* Ports, addresses, links of every zone; then crossings; then routes, which need all of those. */
static int build(struct zones *zs, const struct layout *layout)
{
	int err = 0;

	for (size_t i = 0; i < layout->zone_count && err == 0; i++) {
		const struct layout_zone *want = &layout->zones[i];
		struct zone *zone = zones_find(zs, want->name);

		/* One that was made only now would have no rules. */
		if (!zone)
			return zones_fail(zs, -ERR_NOT_FOUND, NULL, "zone %s", want->name);
		if (!zone->port[0])
			err = zone_take_port(zs, zone, want);
		if (err == 0)
			err = zone_set_families(zs, zone, want);
		if (err == 0)
			err = zone_set_addresses(zs, zone, &want->addresses);
		if (err == 0)
			err = zone_set_links(zs, zone);
	}
	if (err == 0)
		err = make_crossings(zs, layout);
	for (size_t i = 0; i < sizeof(zs->crossings) / sizeof(zs->crossings[0]) && err == 0; i++) {
		if (zs->crossings[i].used)
			err = crossing_set_up(zs, &zs->crossings[i]);
	}
	for (size_t i = 0; i < layout->zone_count && err == 0; i++)
		err = zone_set_routes(zs, zones_find(zs, layout->zones[i].name),
				      &layout->zones[i].routes);
	return err;
}

int zones_converge(struct zones *zs, const struct layout *layout)
{
	int err = remove_stale(zs, layout);

	if (err == 0)
		err = build(zs, layout);
	for (size_t i = 0; i < layout->zone_count && err == 0; i++)
		err = zone_set_forwarding(zs, zones_find(zs, layout->zones[i].name));
	for (size_t i = 0; i < layout->zone_count && err == 0; i++)
		err = zone_set_proxied(zs, zones_find(zs, layout->zones[i].name),
				       &layout->zones[i]);
	return err;
}

void zones_fini(struct zones *zs)
{
	static const struct layout nothing;

	(void)remove_stale(
		zs, &nothing); /* each failure is in zs->reason; the rest is removed all the same */
	rtnl_close(&zs->home);
	if (zs->home_fd >= 0)
		(void)close(zs->home_fd);
	zs->home_fd = -1;
}
