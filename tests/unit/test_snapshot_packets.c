/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The snapshot's packet tables: that each statement of the language arrives in its field, and that
 * the loader takes no value outside of what the header promises (Z2, Z7, Z8, Z14). */
#include "unit.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "policy_fixture.h"

/* Zones by name: a 0, b 1, l 2, r 3. */
static const char config[] =
	"holiday 2026-11-23 2026-11-03;\n"
	"zone a { tier sensitive; port bond0.7; address 10.1.0.1/24;\n"
	"  station 02:00:00:00:00:01 { address 10.1.0.5; comment \"x\"; }\n"
	"  guard { source-rate 90/m; source-connections 0; scan-ports 5; scan-hosts 6;\n"
	"    window 1500ms; denied-rate 7/s; flood-rate 8/m; zone-flood-rate 9/s; isolate-station; "
	"} }\n"
	"zone b { tier business; port eth2.x; address 10.2.0.1/24; station-policy report; }\n"
	"zone l { tier business; port eth3; network 10.9.0.0/24; }\n"
	"zone r { tier business; port eth4; network 10.9.0.0/25; }\n"
	"bond bond0 { port eth1; port eth0; mode 802.3ad; }\n"
	"service web { tcp 443; conform tls { server-name a.example b.example; ech allow; } }\n"
	"schedule s { holidays only; window sun 23:00-01:00; }\n"
	"crossing a b { offload; queues 3; permit 1 { destination 10.2.0.8; service web;\n"
	"  schedule s; limit { rate 5/m; connections 9; } } }\n"
	"crossing r l { transparent; permit 2 { destination 10.9.0.128/31; service web; } }\n";

enum { A, B, L, R };

static struct policy_fixture fixture;

static int setup(void **state)
{
	policy_fixture_init(&fixture, config);
	return 0;
}

static int teardown(void **state)
{
	policy_fixture_fini(&fixture);
	return 0;
}

static void test_snapshot_zones_hold_ports_guards_and_peers(void **state)
{
	const struct snapshot_zone *z = fixture.snapshot.zones;
	const struct snapshot_guard *g = &z[A].guard, *fallback = &z[B].guard;

	assert_string_equal(z[A].port, "bond0.7");
	assert_string_equal(z[A].parent, "bond0");
	assert_int_equal(z[A].vlan, 7);
	assert_int_equal(z[A].station_policy, STATION_ENFORCE); /* it lists one */
	assert_int_equal(z[B].station_policy, STATION_REPORT);
	assert_int_equal(z[L].station_policy, STATION_OFF);
	assert_string_equal(z[B].port, "eth2.x"); /* no VLAN */
	assert_string_equal(z[B].parent, "");
	assert_int_equal(z[B].vlan, 0);
	assert_int_equal(z[A].peer, SNAPSHOT_NONE);
	assert_int_equal(z[L].peer, R);
	assert_int_equal(z[R].peer, L);
	assert_int_equal(z[L].networks.count, 1);
	assert_true(g->source_rate == 90 && g->source_period_s == 60);
	assert_int_equal(g->source_connections, 0);
	assert_true(g->scan_ports == 5 && g->scan_hosts == 6 && g->window_s == 2);
	assert_true(g->denied_rate == 7 && g->denied_period_s == 1 && g->isolate == 1);
	assert_true(g->flood_rate == 8 && g->flood_period_s == 60);
	assert_true(g->zone_flood_rate == 9 && g->zone_flood_period_s == 1);
	assert_true(fallback->flood_rate == 1000 && fallback->zone_flood_rate == 10000);
	assert_true(fallback->source_rate > 0 && fallback->source_connections > 0);
	assert_int_equal(fallback->isolate, 0);
}

static void test_snapshot_holds_bonds_conformance_limits_and_holidays(void **state)
{
	const struct snapshot *s = &fixture.snapshot;
	const struct snapshot_service *web = &s->services[s->permits[0].services.first];
	const struct snapshot_conform *c = &s->conforms[web->conform];

	assert_string_equal(s->bonds[0].name, "bond0");
	assert_int_equal(s->bonds[0].mode, BOND_802_3AD);
	assert_int_equal(s->bonds[0].members.count, 2);
	assert_string_equal(s->devices[s->bonds[0].members.first].name, "eth0");
	assert_true(c->kind == CONFORM_TLS && c->ech_allowed == 1 && c->names.count == 2);
	assert_string_equal(snapshot_text_at(s, s->list_texts[c->names.first + 1].at), "b.example");
	assert_int_equal(s->crossings[0].flags, CROSSING_OFFLOAD);
	assert_int_equal(s->crossings[0].queues, 3);
	assert_int_equal(s->crossings[1].flags, CROSSING_TRANSPARENT);
	assert_int_equal(s->crossings[1].queues, 1);
	assert_true(s->permits[0].rate == 5 && s->permits[0].rate_period_s == 60);
	assert_int_equal(s->permits[0].connections, 9);
	assert_true(s->permits[1].rate == 0 && s->permits[1].rate_period_s == 0);
	assert_int_equal(s->holiday_count, 2);
	assert_int_equal(s->holidays[1].day - s->holidays[0].day, 20);
	assert_int_equal(s->schedules[0].holidays, HOLIDAYS_ONLY);
	assert_int_equal(s->schedules[0].over[0], 0xff); /* Monday's first hour is Sunday's */
	assert_int_equal(s->schedules[0].over[60 / 8], 0x0f);
}

/* One field of one row, and a value that it must not have. */
struct damage {
	enum snapshot_section section;
	uint32_t row, row_bytes;
	size_t offset;
	uint32_t value;
};

#define DAMAGE(section, row, type, field, value)                                                   \
	{section, row, sizeof(struct type), offsetof(struct type, field), value}

static const struct damage damages[] = {
	DAMAGE(SECTION_ZONES, A, snapshot_zone, vlan, 4095),
	DAMAGE(SECTION_ZONES, A, snapshot_zone, vlan, 0), /* but it has a parent */
	DAMAGE(SECTION_ZONES, B, snapshot_zone, vlan, 5), /* and this one has none */
	DAMAGE(SECTION_ZONES, A, snapshot_zone, station_policy, 3),
	DAMAGE(SECTION_ZONES, A, snapshot_zone, peer, B),
	DAMAGE(SECTION_ZONES, L, snapshot_zone, peer, SNAPSHOT_NONE),
	DAMAGE(SECTION_ZONES, L, snapshot_zone, peer, L),
	DAMAGE(SECTION_ZONES, L, snapshot_zone, peer, 4),
	DAMAGE(SECTION_ZONES, L, snapshot_zone, networks.count, 0),
	DAMAGE(SECTION_ZONES, L, snapshot_zone, networks.count, 1000),
	DAMAGE(SECTION_ZONES, A, snapshot_zone, networks.count, 1),
	DAMAGE(SECTION_ZONES, A, snapshot_zone, guard.source_rate, 0),
	DAMAGE(SECTION_ZONES, A, snapshot_zone, guard.source_rate, SNAPSHOT_LIMIT_MAX + 1),
	DAMAGE(SECTION_ZONES, A, snapshot_zone, guard.source_period_s, 2),
	DAMAGE(SECTION_ZONES, A, snapshot_zone, guard.window_s, 0),
	DAMAGE(SECTION_ZONES, A, snapshot_zone, guard.denied_rate, 0),
	DAMAGE(SECTION_ZONES, A, snapshot_zone, guard.flood_rate, 0),
	DAMAGE(SECTION_ZONES, A, snapshot_zone, guard.flood_rate, SNAPSHOT_LIMIT_MAX + 1),
	DAMAGE(SECTION_ZONES, A, snapshot_zone, guard.flood_period_s, 0),
	DAMAGE(SECTION_ZONES, A, snapshot_zone, guard.zone_flood_rate, 0),
	DAMAGE(SECTION_ZONES, A, snapshot_zone, guard.zone_flood_period_s, 3),
	DAMAGE(SECTION_ZONES, A, snapshot_zone, guard.isolate, 2),
	DAMAGE(SECTION_ZONES, B, snapshot_zone, guard.isolate, 1), /* reports, enforces nothing */
	DAMAGE(SECTION_STATIONS, 0, snapshot_station, text_comment, 1 << 20),
	DAMAGE(SECTION_CROSSINGS, 0, snapshot_crossing, flags, 4),
	DAMAGE(SECTION_CROSSINGS, 0, snapshot_crossing, flags, CROSSING_TRANSPARENT),
	DAMAGE(SECTION_CROSSINGS, 1, snapshot_crossing, flags, 0),
	DAMAGE(SECTION_CROSSINGS, 0, snapshot_crossing, queues, 0),
	DAMAGE(SECTION_CROSSINGS, 0, snapshot_crossing, queues, SNAPSHOT_QUEUES_MAX + 1),
	DAMAGE(SECTION_PERMITS, 0, snapshot_permit, rate, SNAPSHOT_LIMIT_MAX + 1),
	DAMAGE(SECTION_PERMITS, 0, snapshot_permit, rate_period_s, 0),
	DAMAGE(SECTION_PERMITS, 1, snapshot_permit, rate_period_s, 1),
	DAMAGE(SECTION_PERMITS, 0, snapshot_permit, connections, SNAPSHOT_LIMIT_MAX + 1),
	DAMAGE(SECTION_SERVICES, 0, snapshot_service, conform, 1),
	DAMAGE(SECTION_SCHEDULES, 0, snapshot_schedule, holidays, 3),
	DAMAGE(SECTION_BONDS, 0, snapshot_bond, mode, 2),
	DAMAGE(SECTION_BONDS, 0, snapshot_bond, members.count, 0),
	DAMAGE(SECTION_BONDS, 0, snapshot_bond, members.count, 3),
	DAMAGE(SECTION_DEVICES, 0, snapshot_device, name, 0x2f2f2f2f),
	DAMAGE(SECTION_CONFORMS, 0, snapshot_conform, kind, CONFORM_RDP + 1),
	DAMAGE(SECTION_CONFORMS, 0, snapshot_conform, kind, CONFORM_HTTP), /* ech is set */
	DAMAGE(SECTION_CONFORMS, 0, snapshot_conform, names.count, 1000),
	DAMAGE(SECTION_HOLIDAYS, 0, snapshot_holiday, day, 100000), /* no longer ascending */
};

static void test_snapshot_refuses_values_that_the_header_does_not_promise(void **state)
{
	size_t size = fixture.block.size;
	uint8_t *copy = aligned_alloc(8, (size + 7) & ~(size_t)7);
	const struct snapshot_header *h = fixture.snapshot.header;
	struct snapshot view;

	assert_non_null(copy);
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		const struct damage *d = &damages[i];

		assert_true(d->row < h->sections[d->section].count);
		memcpy(copy, fixture.block.data, size);
		assert_int_equal(snapshot_view_structure(&view, copy, size), 0);
		memcpy(copy + h->sections[d->section].offset + d->row * d->row_bytes + d->offset,
		       &d->value, sizeof(d->value));
		if (snapshot_view_structure(&view, copy, size) != -ERR_RANGE)
			fail_msg("damage %zu of section %d was taken", i, d->section);
	}
	free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_snapshot_zones_hold_ports_guards_and_peers),
		cmocka_unit_test(test_snapshot_holds_bonds_conformance_limits_and_holidays),
		cmocka_unit_test(test_snapshot_refuses_values_that_the_header_does_not_promise),
	};

	return cmocka_run_group_tests_name("snapshot_packets", tests, setup, teardown);
}
