/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of a generation's proofs where a share may still give some (ADR 414). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "netfilter/flows/flows.h"
#include "netfilter/netfilter.h"

enum { GENERATION = 41 };

static struct netfilter nf;
static bool turned;
static int end_error;        /* of ending proofs */
static uint16_t ended;       /* the generation whose proofs were ended */
static unsigned shut;        /* times that a zone was shut */
static bool checked_offload; /* a check was of rules with a flow table */

uint64_t netfilter_now_ms(void)
{
	return 1000;
}

int64_t netfilter_wall_s(void)
{
	return 0;
}

int64_t netfilter_wall_us(void)
{
	return 0;
}

/* The kernel, and other processes. */
int __wrap_flows_forget(int netlink_fd, uint16_t generation);
int __wrap_flows_forget(int netlink_fd, uint16_t generation)
{
	return 0;
}

int __wrap_ruleset_load(struct ruleset *r, int netlink_fd);
int __wrap_ruleset_load(struct ruleset *r, int netlink_fd)
{
	if (r->check)
		checked_offload = r->offload;
	return 0;
}

/* A policy of the one zone. */
int __wrap_snapshot_load(struct snapshot *out, int fd);
int __wrap_snapshot_load(struct snapshot *out, int fd)
{
	*out = nf.running.snapshot;
	return 0;
}

int __wrap_ruleset_end_flows(int netlink_fd, uint16_t generation);
int __wrap_ruleset_end_flows(int netlink_fd, uint16_t generation)
{
	return 0;
}

int __wrap_ruleset_end_proofs(int netlink_fd, uint16_t generation);
int __wrap_ruleset_end_proofs(int netlink_fd, uint16_t generation)
{
	ended = generation;
	return end_error;
}

int __wrap_zone_clear(struct zone *zone);
int __wrap_zone_clear(struct zone *zone)
{
	return 0;
}

int __wrap_zone_shut(struct zone *zone);
int __wrap_zone_shut(struct zone *zone)
{
	shut++;
	return 0;
}

bool __wrap_shares_turn(struct netfilter *process);
bool __wrap_shares_turn(struct netfilter *process)
{
	return turned;
}

void __wrap_ahead_judge(struct netfilter *process, uint16_t before);
void __wrap_ahead_judge(struct netfilter *process, uint16_t before)
{
}

/* One zone with rules of GENERATION. */
static int begin(void **state)
{
	static const struct snapshot_header header;
	static struct snapshot_zone row = {.name = "a"};

	nf = (struct netfilter){.generation = GENERATION, .link = {.fd = -1}};
	memset(nf.given, 0xff, sizeof(nf.given)); /* -1: none */
	event_client_init(&nf.process.events, -1);
	loop_init(&nf.loop, &clock_system, nf.polls, nf.fds, NETFILTER_FDS);
	listing_init(&nf.listing, &nf);
	rules_watch_init(&nf);
	track_begin(&nf.track);
	shares_init(&nf);
	nf.running.epoch = 5;
	nf.running.queues = 2;
	nf.running.snapshot.header = &header;
	nf.running.snapshot.zones = &row;
	nf.running.snapshot.zone_count = 1;
	nf.running.zones[0] = &nf.zones[0];
	nf.zones[0] =
		(struct zone){.nf = &nf, .used = true, .name = "a", .has_rules = true, .queues = 2};
	ended = 0;
	shut = 0;
	return 0;
}

static void test_zones_proofs_end_with_the_change_where_a_share_has_not_turned(void **state)
{
	turned = false;
	end_error = 0;
	zones_renew(&nf);
	assert_int_equal(nf.generation, GENERATION + 1);
	assert_int_equal(ended, GENERATION);
	assert_int_equal(shut, 0);
}

static void test_zones_proofs_that_do_not_end_shut_the_zone(void **state)
{
	turned = false;
	end_error = -ERR_SYSTEM;
	zones_renew(&nf);
	assert_int_equal(ended, GENERATION);
	assert_int_equal(shut, 1);
}

/* Nobody gives any: they end two beats later, and a failure is of no account. */
static void test_zones_proofs_that_nobody_gives_shut_nothing(void **state)
{
	turned = true;
	end_error = -ERR_SYSTEM;
	zones_renew(&nf);
	assert_int_equal(ended, 0);
	for (unsigned i = 0; i < NETFILTER_BEATS_ENDING; i++)
		zones_beat(&nf);
	assert_int_equal(ended, GENERATION);
	assert_int_equal(shut, 0);
}

/* A check of the next policy is no load: what is in force is without a flow table all the same. */
static void test_zones_check_leaves_what_is_in_force(void **state)
{
	char reason[120];

	nf.can_offload = true;
	nf.zones[0].no_offload = true;
	assert_int_equal(zones_prepare(&nf, -1, 6, reason, sizeof(reason)), 0);
	assert_true(checked_offload);
	zones_abort(&nf);
	assert_true(nf.zones[0].no_offload);
	assert_false(zones_ruleset(&nf, 0).offload);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			test_zones_proofs_end_with_the_change_where_a_share_has_not_turned, begin),
		cmocka_unit_test_setup(test_zones_proofs_that_do_not_end_shut_the_zone, begin),
		cmocka_unit_test_setup(test_zones_proofs_that_nobody_gives_shut_nothing, begin),
		cmocka_unit_test_setup(test_zones_check_leaves_what_is_in_force, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
