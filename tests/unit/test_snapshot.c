/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The snapshot: what the compiler puts in, and that nothing else gets past the loader. */
#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "base/sealed.h"
#include "policy/policy.h"

static const char config[] =
	"system { organization \"試験市\"; host-name gate; syslog { zone lgwan; server 10.20.0.9 { "
	"port 5514; } } }\n"
	"zone mynumber { tier sensitive; port eth0; address 10.10.0.1/24; address fd00:10::1/64;\n"
	"  station 02:00:00:10:00:05 { address 10.10.0.5; } station 02:00:00:10:00:06; }\n"
	"zone lgwan { tier business; port eth1; address 10.20.0.1/24; hold 2s; }\n"
	"zone internet { tier outside; port eth2; address 203.0.113.1/28; route 0.0.0.0/0 via "
	"203.0.113.14; }\n"
	"service web { tcp 443; udp 443; } service ping { icmp echo-request; }\n"
	"schedule office { window mon-fri 08:30-17:15; }\n"
	"crossing mynumber lgwan {\n"
	"  permit 20 { from lgwan; destination 10.10.0.5; service web ping; log; }\n"
	"  permit 3 { source 10.10.0.5; destination 10.20.0.8; service web; schedule office; "
	"expires 2027-03-31; } }\n"
	"mail inbound { from internet; to lgwan; domain city.example.lg.jp; next-hop "
	"10.20.0.25:2525; next-hop "
	"10.20.0.24:2525; }\n"
	"screen browse { from lgwan; to internet; desktop 203.0.113.5; security none; idle-timeout "
	"90s; }\n";

struct compiled {
	struct bytes block;
	struct snapshot view;
};

static int setup(void **state)
{
	struct compiled *c = calloc(1, sizeof(*c));
	struct problems problems;

	problems_init(&problems);
	bytes_init(&c->block, SNAPSHOT_BYTES_MAX);
	assert_int_equal(policy_compile_text(span_of(config), &c->block, &problems), 0);
	assert_int_equal(snapshot_view(&c->view, c->block.data, c->block.size), 0);
	*state = c;
	return 0;
}

static int teardown(void **state)
{
	struct compiled *c = *state;

	bytes_fini(&c->block);
	free(c);
	return 0;
}

static const struct snapshot *view_of(void **state)
{
	return &((struct compiled *)*state)->view;
}

static void test_snapshot_holds_the_zones(void **state)
{
	const struct snapshot *s = view_of(state);

	assert_int_equal(s->zone_count, 3);
	assert_string_equal(s->zones[0].name, "internet");
	assert_string_equal(s->zones[1].name, "lgwan");
	assert_string_equal(s->zones[2].name, "mynumber");
	assert_string_equal(s->zones[2].port, "eth0");
	assert_int_equal(s->zones[2].tier, TIER_SENSITIVE);
	assert_int_equal(s->zones[2].hold_ms, 0);
	assert_int_equal(s->zones[1].hold_ms, 2000);
	assert_int_equal(s->zones[0].reject, 0);
	assert_int_equal(s->zones[1].reject, 1);
	assert_int_equal(s->zones[2].addresses.count, 2);
	assert_int_equal(s->prefixes[s->zones[2].addresses.first].bits, 24);
	assert_int_equal(s->zones[2].stations.count, 2);
	assert_int_equal(s->stations[s->zones[2].stations.first].addresses.count, 1);
	assert_int_equal(s->stations[s->zones[2].stations.first + 1].mac[5], 6);
	assert_int_equal(s->zones[0].routes.count, 1);
	assert_int_equal(s->routes[0].destination.bits, 0);
	assert_string_equal(snapshot_text_at(s, s->header->text_organization), "試験市");
	assert_int_equal(s->header->utc_offset_s, 32400);
}

static void test_snapshot_holds_the_permits_by_number(void **state)
{
	const struct snapshot *s = view_of(state);
	const struct snapshot_permit *p = s->permits;

	assert_int_equal(s->crossing_count, 1);
	assert_int_equal(s->crossings[0].low, 1);
	assert_int_equal(s->crossings[0].high, 2);
	assert_int_equal(s->permit_count, 2);
	assert_int_equal(p[0].number, 3);
	assert_int_equal(p[0].from, 2);
	assert_int_equal(p[0].to, 1);
	assert_int_equal(p[0].services.count, 2);
	assert_int_equal(p[0].flags, 0);
	assert_int_equal(p[0].schedule, 0);
	assert_int_equal(p[0].expires_s, 1806505200); /* date -d '2027-04-01 00:00 +0900' +%s */
	assert_int_equal(p[1].number, 20);
	assert_int_equal(p[1].from, 1);
	assert_int_equal(p[1].sources.count, 0);
	assert_int_equal(p[1].services.count, 3);
	assert_int_equal(p[1].flags, PERMIT_LOG);
	assert_int_equal(p[1].schedule, SNAPSHOT_NONE);
	assert_true(p[1].expires_s == INT64_MAX);
}

static bool minute_is_set(const struct snapshot_schedule *c, unsigned day, unsigned hour,
			  unsigned minute)
{
	unsigned bit = day * 1440 + hour * 60 + minute;

	return (c->minutes[bit / 8] >> (bit % 8) & 1) != 0;
}

static void test_snapshot_schedule_begins_and_ends_to_the_minute(void **state)
{
	const struct snapshot_schedule *c = &view_of(state)->schedules[0];

	assert_false(minute_is_set(c, 0, 8, 29));
	assert_true(minute_is_set(c, 0, 8, 30));
	assert_true(minute_is_set(c, 4, 17, 14));
	assert_false(minute_is_set(c, 4, 17, 15));
	assert_false(minute_is_set(c, 5, 12, 0));
}

static void test_snapshot_holds_the_relays(void **state)
{
	const struct snapshot *s = view_of(state);
	const struct snapshot_mail *m = s->mails;

	assert_int_equal(m->listen_port, 25);
	assert_int_equal(m->next_hop_port, 2525);
	assert_int_equal(m->next_hops.count, 2);
	assert_int_equal(s->prefixes[m->next_hops.first].addr[3], 25); /* as written, not sorted */
	assert_int_equal(m->size_limit_bytes, 5242880);
	assert_string_equal(snapshot_text_at(s, m->text_host_name), "gate");
	assert_string_equal(snapshot_text_at(s, s->list_texts[m->domains.first].at),
			    "city.example.lg.jp");
	assert_int_equal(s->screens[0].desktops.count, 1);
	assert_int_equal(s->desktops[s->screens[0].desktops.first].port, 5900);
	assert_int_equal(s->screens[0].idle_timeout_s, 90);
	assert_int_equal(s->syslogs[0].port, 5514);
}

static void test_snapshot_same_text_gives_same_bytes(void **state)
{
	struct compiled *c = *state;
	struct problems problems;
	struct bytes again;

	problems_init(&problems);
	bytes_init(&again, SNAPSHOT_BYTES_MAX);
	assert_int_equal(policy_compile_text(span_of(config), &again, &problems), 0);
	assert_true(span_equal(bytes_span(&again), bytes_span(&c->block)));
	bytes_fini(&again);
}

/* A copy of exactly @size bytes, so that ASan sees every read behind it. */
static uint8_t *copy_of(const struct compiled *c, size_t size)
{
	uint8_t *copy = aligned_alloc(8, (size + 7) & ~(size_t)7);

	assert_non_null(copy);
	memcpy(copy, c->block.data, size);
	return copy;
}

static void test_snapshot_refuses_every_truncation(void **state)
{
	struct compiled *c = *state;
	struct snapshot view;

	for (size_t size = 0; size < c->block.size; size++) {
		uint8_t *copy = malloc(size + 1);

		memcpy(copy, c->block.data, size);
		assert_int_not_equal(snapshot_view(&view, copy, size), 0);
		assert_null(view.header);
		free(copy);
	}
}

static void test_snapshot_refuses_every_flipped_byte(void **state)
{
	struct compiled *c = *state;
	uint8_t *copy = copy_of(c, c->block.size);
	struct snapshot view;

	for (size_t i = 0; i < c->block.size; i++) {
		copy[i] ^= 0xff;
		assert_int_not_equal(snapshot_view(&view, copy, c->block.size), 0);
		copy[i] ^= 0xff;
	}
	assert_int_equal(snapshot_view(&view, copy, c->block.size), 0);
	free(copy);
}

/* Without the hash to help: every 32-bit word of the header set to values that lead astray. */
static void test_snapshot_structure_refuses_every_corrupt_header_word(void **state)
{
	static const uint32_t astray[] = {0, 1, 7, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff};
	struct compiled *c = *state;
	uint8_t *copy = copy_of(c, c->block.size);
	const size_t hash_at = offsetof(struct snapshot_header, sha256);
	struct snapshot view;

	for (size_t at = 0; at < sizeof(struct snapshot_header); at += 4) {
		uint32_t before, word;

		memcpy(&before, copy + at, 4);
		if (at >= hash_at && at < hash_at + 32)
			continue;
		for (size_t i = 0; i < sizeof(astray) / sizeof(astray[0]); i++) {
			word = astray[i];
			if (word == before)
				continue;
			memcpy(copy + at, &word, 4);
			/* A text offset, a time zone or a limit may be another valid one; a layout
			 * never. */
			if (snapshot_view_structure(&view, copy, c->block.size) == 0)
				assert_true(at >= hash_at + 32 &&
					    at < offsetof(struct snapshot_header, sections));
		}
		memcpy(copy + at, &before, 4);
	}
	free(copy);
}

/* Every 32-bit word behind the header: never a read outside (ASan), and views only over what was
 * checked. */
static void test_snapshot_structure_stays_inside_whatever_the_rows_say(void **state)
{
	static const uint32_t astray[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff};
	struct compiled *c = *state;
	uint8_t *copy = copy_of(c, c->block.size);
	struct snapshot view;
	size_t refused = 0;

	for (size_t at = sizeof(struct snapshot_header); at + 4 <= c->block.size; at += 4) {
		uint32_t before;

		memcpy(&before, copy + at, 4);
		for (size_t i = 0; i < sizeof(astray) / sizeof(astray[0]); i++) {
			memcpy(copy + at, &astray[i], 4);
			refused += snapshot_view_structure(&view, copy, c->block.size) != 0;
		}
		memcpy(copy + at, &before, 4);
	}
	assert_true(refused > 500);
	free(copy);
}

/* A copy that may be written to, with its tables. */
struct writable {
	uint8_t *block;
	struct snapshot_zone *zones;
	struct snapshot_permit *permits;
	struct snapshot_mail *mails;
};

static void *table_in(uint8_t *copy, const struct snapshot *s, enum snapshot_section section)
{
	return copy + s->header->sections[section].offset;
}

static void spoil_tier_low(struct writable *w)
{
	w->zones[0].tier = 0;
}

static void spoil_tier_high(struct writable *w)
{
	w->zones[0].tier = 4;
}

static void spoil_port(struct writable *w)
{
	memcpy(w->zones[0].port, "a/b", 4);
}

static void spoil_name_end(struct writable *w)
{
	memset(w->zones[0].name, 'a', sizeof(w->zones[0].name));
}

static void spoil_range_count(struct writable *w)
{
	w->zones[0].addresses.count = UINT32_MAX;
}

static void spoil_range_first(struct writable *w)
{
	w->zones[0].addresses.first = UINT32_MAX;
}

static void spoil_text(struct writable *w)
{
	w->zones[0].text_description = UINT32_MAX;
}

static void spoil_permit_ends(struct writable *w)
{
	w->permits[0].from = w->permits[0].to;
}

static void spoil_permit_zone(struct writable *w)
{
	w->permits[0].from = 0;
}

static void spoil_permit_crossing(struct writable *w)
{
	w->permits[0].crossing = 1;
}

static void spoil_permit_number(struct writable *w)
{
	w->permits[0].number = w->permits[1].number;
}

static void spoil_permit_destinations(struct writable *w)
{
	w->permits[0].destinations.count = 0;
}

static void spoil_permit_services(struct writable *w)
{
	w->permits[0].services.count = 0;
}

static void spoil_permit_flags(struct writable *w)
{
	w->permits[0].flags = 2;
}

static void spoil_permit_schedule(struct writable *w)
{
	w->permits[0].schedule = 1;
}

static void spoil_mail_ends(struct writable *w)
{
	w->mails[0].to = w->mails[0].from;
}

static void spoil_mail_hops(struct writable *w)
{
	w->mails[0].next_hops.count = 0;
}

static void spoil_mail_limit(struct writable *w)
{
	w->mails[0].size_limit_bytes = 0;
}

static void test_snapshot_refuses_what_no_policy_means(void **state)
{
	static void (*const spoil[])(struct writable *) = {
		spoil_tier_low,
		spoil_tier_high,
		spoil_port,
		spoil_name_end,
		spoil_range_count,
		spoil_range_first,
		spoil_text,
		spoil_permit_ends,
		spoil_permit_zone,
		spoil_permit_crossing,
		spoil_permit_number,
		spoil_permit_destinations,
		spoil_permit_services,
		spoil_permit_flags,
		spoil_permit_schedule,
		spoil_mail_ends,
		spoil_mail_hops,
		spoil_mail_limit,
	};
	struct compiled *c = *state;
	struct snapshot view;

	for (size_t i = 0; i < sizeof(spoil) / sizeof(spoil[0]); i++) {
		struct writable w = {.block = copy_of(c, c->block.size)};

		w.zones = table_in(w.block, &c->view, SECTION_ZONES);
		w.permits = table_in(w.block, &c->view, SECTION_PERMITS);
		w.mails = table_in(w.block, &c->view, SECTION_MAILS);
		spoil[i](&w);
		assert_int_equal(snapshot_view_structure(&view, w.block, c->block.size),
				 -ERR_RANGE);
		free(w.block);
	}
}

static void test_snapshot_load_wants_seals(void **state)
{
	struct compiled *c = *state;
	struct snapshot view;
	int open_fd = memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING), sealed_fd;

	assert_int_equal(write(open_fd, c->block.data, c->block.size), c->block.size);
	assert_int_equal(snapshot_load(&view, open_fd), -ERR_INTEGRITY);
	assert_int_equal(fcntl(open_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
	assert_int_equal(snapshot_load(&view, open_fd), -ERR_INTEGRITY);
	assert_int_equal(sealed_make("sealed", bytes_span(&c->block), &sealed_fd), 0);
	assert_int_equal(snapshot_load(&view, sealed_fd), 0);
	assert_int_equal(view.zone_count, 3);
	snapshot_unload(&view);
	close(open_fd);
	close(sealed_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_snapshot_holds_the_zones),
		cmocka_unit_test(test_snapshot_holds_the_permits_by_number),
		cmocka_unit_test(test_snapshot_schedule_begins_and_ends_to_the_minute),
		cmocka_unit_test(test_snapshot_holds_the_relays),
		cmocka_unit_test(test_snapshot_same_text_gives_same_bytes),
		cmocka_unit_test(test_snapshot_refuses_every_truncation),
		cmocka_unit_test(test_snapshot_refuses_every_flipped_byte),
		cmocka_unit_test(test_snapshot_structure_refuses_every_corrupt_header_word),
		cmocka_unit_test(test_snapshot_structure_stays_inside_whatever_the_rows_say),
		cmocka_unit_test(test_snapshot_refuses_what_no_policy_means),
		cmocka_unit_test(test_snapshot_load_wants_seals),
	};

	return cmocka_run_group_tests_name("snapshot", tests, setup, teardown);
}
