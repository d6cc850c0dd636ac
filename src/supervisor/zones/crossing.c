/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A crossing: one veth pair between two zones, there only while the configuration has it.
 *
 *   zone low                                   zone high
 *   x-HIGH  02:..:00  ==================  02:..:01  x-LOW
 *           routes via 169.254.0.2, fe80::2         routes via 169.254.0.1, fe80::1
 *
 * Neither end has an address or answers ARP or ND. Each end knows one permanent neighbour of each
 * family, and every route over the crossing goes through it: nothing on either side can claim to
 * be the other. IPv4 has a neighbour of its own because the kernel's flow table does not know the
 * next hop of another family: it would send such packets to a hardware address that is nobody's.
 */
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "channel/device.h"
#include "supervisor/zones/private.h"

/* RFC 3927; RFC 4291 2.5.6. */
static struct snapshot_prefix link_local(uint8_t family, uint8_t last)
{
	if (family == 4)
		return (struct snapshot_prefix){
			.family = 4, .bits = 32, .addr = {169, 254, 0, last}};
	return (struct snapshot_prefix){
		.family = 6, .bits = 128, .addr = {0xfe, 0x80, [15] = last}};
}

uint32_t crossing_device(const struct crossing *crossing, const struct zone *zone)
{
	return zone == crossing->low ? crossing->low_index : crossing->high_index;
}

struct snapshot_prefix crossing_gateway(const struct crossing *crossing, const struct zone *zone,
					uint8_t family)
{
	return link_local(family, zone == crossing->low ? 2 : 1);
}

static int find_device(struct zones *zs, struct zone *zone, const char *name, uint32_t *index)
{
	struct rtnl_link link;
	int err = rtnl_link_find(&zone->rtnl, name, &link);

	if (err < 0)
		return zones_fail(zs, err, &zone->rtnl, "zone %s: crossing device %s", zone->name,
				  name);
	*index = link.index;
	return 0;
}

int crossing_make(struct zones *zs, struct crossing *crossing, struct zone *low, struct zone *high)
{
	char low_name[DEVICE_NAME_BYTES], high_name[DEVICE_NAME_BYTES];
	size_t slot = (size_t)(crossing - zs->crossings);
	int err;

	*crossing = (struct crossing){
		.low = low,
		.high = high,
		.low_mac = {0x02, 0x53, 0x4b, 0, (uint8_t)slot, 0},
		.high_mac = {0x02, 0x53, 0x4b, 0, (uint8_t)slot, 1},
	};
	device_crossing_name(low_name, high->name);
	device_crossing_name(high_name, low->name);
	err = rtnl_veth_add(&low->rtnl, low_name, crossing->low_mac, high_name, crossing->high_mac,
			    high->netns_fd);
	if (err < 0)
		return zones_fail(zs, err, &low->rtnl, "crossing %s %s", low->name, high->name);
	crossing->used = true;
	err = find_device(zs, low, low_name, &crossing->low_index);
	if (err == 0)
		err = find_device(zs, high, high_name, &crossing->high_index);
	if (err < 0) {
		(void)crossing_remove(zs, crossing); /* the first error is the one to report */
		return err;
	}
	if (zs->told)
		zs->told(zs->told_ctx, ZONES_CROSSING_MADE, low->name, high->name);
	return 0;
}

/* One end: its link up, and the other end as its only neighbours. */
static int set_up_end(struct zones *zs, struct crossing *crossing, struct zone *zone,
		      const uint8_t other_mac[6])
{
	uint32_t index = crossing_device(crossing, zone);
	int err = rtnl_link_set_up(&zone->rtnl, index, true);

	for (uint8_t family = 4; family <= 6 && err == 0; family += 2) {
		struct snapshot_prefix other = crossing_gateway(crossing, zone, family);

		err = rtnl_neighbour_add(&zone->rtnl, index, &other, other_mac);
	}
	return err == 0 ? 0
			: zones_fail(zs, err, &zone->rtnl, "crossing %s %s", crossing->low->name,
				     crossing->high->name);
}

int crossing_set_up(struct zones *zs, struct crossing *crossing)
{
	int err;

	if (crossing->up)
		return 0;
	err = set_up_end(zs, crossing, crossing->low, crossing->high_mac);
	if (err == 0)
		err = set_up_end(zs, crossing, crossing->high, crossing->low_mac);
	crossing->up = err == 0;
	return err;
}

bool crossing_is_there(struct crossing *crossing)
{
	char name[DEVICE_NAME_BYTES];
	struct rtnl_link link;

	device_crossing_name(name, crossing->high->name);
	return rtnl_link_find(&crossing->low->rtnl, name, &link) == 0 &&
	       link.index == crossing->low_index;
}

/* One end takes the other with it, and the kernel drops the routes over both. */
int crossing_remove(struct zones *zs, struct crossing *crossing)
{
	struct zone *low = crossing->low, *high = crossing->high;
	char name[DEVICE_NAME_BYTES];
	struct rtnl_link link;
	int err;

	device_crossing_name(name, high->name);
	err = rtnl_link_find(&low->rtnl, name, &link);
	if (err == 0)
		err = rtnl_link_delete(&low->rtnl, link.index);
	if (err < 0 && err != -ERR_NOT_FOUND) /* already gone by hand: what was wanted */
		return zones_fail(zs, err, &low->rtnl, "removing crossing %s %s", low->name,
				  high->name);
	zone_forget_routes(low, high->name);
	zone_forget_routes(high, low->name);
	crossing->used = false;
	if (zs->told)
		zs->told(zs->told_ctx, ZONES_CROSSING_REMOVED, low->name, high->name);
	return 0;
}
