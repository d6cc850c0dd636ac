/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counts of permits: kept over lives of the process, whole after every kind of torn write (Z10). */
#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "netfilter/flows/hits.h"
#include "policy_fixture.h"

static const char policy_text[] = "system { organization \"t\"; host-name t; }\n"
				  "zone a { tier sensitive; port eth0; address 10.1.0.1/24; }\n"
				  "zone b { tier business; port eth1; address 10.2.0.1/24; }\n"
				  "service s { tcp 80; }\nservice u { tcp 81; }\n"
				  "crossing a b { permit 10 { destination 10.2.0.5; service s; }\n"
				  "permit 20 { destination 10.2.0.5; service u; } }\n";

static struct hits_table table;
static int file_fd;

static int setup(void **state)
{
	file_fd = memfd_create("hits", 0);
	assert_true(file_fd >= 0);
	assert_int_equal(ftruncate(file_fd, COUNTERS_BYTES), 0);
	assert_int_equal(hits_open(&table, file_fd), 0);
	return 0;
}

/* Another life of the process. */
static void reopen(void)
{
	assert_int_equal(munmap(table.records, COUNTERS_BYTES), 0);
	assert_int_equal(hits_open(&table, file_fd), 0);
}

static int teardown(void **state)
{
	(void)munmap(table.records, COUNTERS_BYTES);
	(void)close(file_fd);
	return 0;
}

static void test_hits_outlive_the_process(void **state)
{
	struct policy_fixture policy;

	policy_fixture_init(&policy, policy_text);
	uint32_t ten = hits_slot(&table, &policy.snapshot, &policy.snapshot.permits[0], 100);
	uint32_t twenty = hits_slot(&table, &policy.snapshot, &policy.snapshot.permits[1], 100);

	assert_int_not_equal(ten, twenty);
	hits_add(&table, ten, 7, 700, 200);
	hits_add(&table, ten, 1, 50, 300);
	reopen();
	assert_int_equal(hits_slot(&table, &policy.snapshot, &policy.snapshot.permits[0], 400),
			 ten);
	struct hits h = hits_read(&table, ten);

	assert_int_equal(h.flows, 2);
	assert_int_equal(h.packets, 8);
	assert_int_equal(h.bytes, 750);
	assert_int_equal(h.first_s, 100);
	assert_int_equal(h.last_s, 300);
	assert_int_equal(hits_read(&table, twenty).flows, 0);
	policy_fixture_fini(&policy);
}

static void test_hits_of_a_changed_permit_begin_anew(void **state)
{
	struct policy_fixture before, after;
	char *text = strdup(policy_text);

	assert_non_null(text);
	memcpy(strstr(text, "10.2.0.5"), "10.2.0.6", 8);
	policy_fixture_init(&before, policy_text);
	policy_fixture_init(&after, text);
	uint32_t old = hits_slot(&table, &before.snapshot, &before.snapshot.permits[0], 100);

	assert_int_not_equal(hits_slot(&table, &after.snapshot, &after.snapshot.permits[0], 100),
			     old);
	assert_int_equal(hits_slot(&table, &after.snapshot, &after.snapshot.permits[1], 100),
			 hits_slot(&table, &before.snapshot, &before.snapshot.permits[1], 100));
	policy_fixture_fini(&before);
	policy_fixture_fini(&after);
	free(text);
}

/* Whatever byte of the newest copy is wrong, the one before it counts. */
static void test_hits_torn_copy_falls_back_to_the_one_before(void **state)
{
	struct policy_fixture policy;

	policy_fixture_init(&policy, policy_text);
	uint32_t slot = hits_slot(&table, &policy.snapshot, &policy.snapshot.permits[0], 100);

	hits_add(&table, slot, 5, 500, 200);
	hits_add(&table, slot, 5, 500, 300);
	struct hits_record whole = table.records[slot];
	unsigned newest = whole.copies[1].sequence > whole.copies[0].sequence;

	for (size_t i = 0; i < sizeof(whole.copies[0]); i++) {
		((uint8_t *)&table.records[slot].copies[newest])[i] ^= 0x40;
		reopen();
		assert_int_equal(hits_read(&table, slot).flows, 1);
		assert_int_equal(hits_read(&table, slot).packets, 5);
		table.records[slot] = whole;
	}
	assert_int_equal(hits_read(&table, slot).flows, 2);
	policy_fixture_fini(&policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_hits_outlive_the_process, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hits_of_a_changed_permit_begin_anew, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_hits_torn_copy_falls_back_to_the_one_before,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
