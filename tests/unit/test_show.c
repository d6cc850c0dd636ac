/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Captured packets as rows: what is read, and what is not. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "arbiter/show.h"
#include "base/err.h"
#include "policy_fixture.h"

static const char policy_text[] =
	"system { organization \"t\"; host-name t; time-zone Asia/Tokyo; }\n"
	"zone a { tier business; port e0; address 10.0.0.1/24; }\n"
	"zone b { tier business; port e1; address 10.1.0.1/24; }\n"
	"service web { tcp 80; }\n"
	"crossing a b { permit 7 { source 10.0.0.0/24; destination 10.1.0.8; service web; } }\n";

/* 10.0.0.5:50000 to 10.1.0.8:80, SYN. */
static const uint8_t syn[40] = {0x45, 0, 0,  40, 0,    0, 0x40, 0,    64, 6,  0, 0, 10, 0,
				0,    5, 10, 1,  0,    8, 0xc3, 0x50, 0,  80, 0, 0, 0,  1,
				0,    0, 0,  0,  0x50, 2, 0x20, 0,    0,  0,  0, 0};

static struct fixture {
	struct policy_fixture policy;
	struct judge_policy judge;
} fixture;

static int setup(void **state)
{
	policy_fixture_init(&fixture.policy, policy_text);
	return judge_init(&fixture.judge, &fixture.policy.snapshot);
}

static int teardown(void **state)
{
	judge_fini(&fixture.judge);
	policy_fixture_fini(&fixture.policy);
	return 0;
}

static void expect_row(const struct packet_show *shown, const char *expected)
{
	char text[1024] = "";
	size_t used = 0;
	struct row row;
	const char *cell;

	row_begin(&row, 1, 0);
	show_fill(&row, &fixture.judge, shown);
	cell = row.body.text;
	for (uint32_t i = 0; i < row.body.cell_count; i++) {
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s|", cell);
		cell += strlen(cell) + 1;
	}
	assert_string_equal(text, expected);
}

/* 2026-03-02 10:00:00.5 in Japan. */
static struct packet_show shown_in(const uint8_t *packet, uint32_t bytes)
{
	struct packet_show shown = {.time_us = 1772413200500000, .captured_bytes = bytes};

	memcpy(shown.data, packet, bytes);
	return shown;
}

static void test_show_says_who_to_whom_and_by_which_permit(void **state)
{
	struct packet_show shown = shown_in(syn, sizeof(syn));

	expect_row(&shown, "10:00:00.500000|in|tcp|10.0.0.5:50000|10.1.0.8:80|syn|40|permit 7|");
	shown.zone = 1;
	shown.flags = PACKET_SHOW_OUT;
	expect_row(&shown, "10:00:00.500000|out|tcp|10.0.0.5:50000|10.1.0.8:80|syn|40|permit 7|");
}

static void test_show_knows_answers_and_what_nobody_permits(void **state)
{
	struct packet_show shown = shown_in(syn, sizeof(syn));
	uint8_t swap[4];

	memcpy(swap, shown.data + 12, 4);
	memcpy(shown.data + 12, shown.data + 16, 4);
	memcpy(shown.data + 16, swap, 4);
	memcpy(swap, shown.data + 20, 2);
	memcpy(shown.data + 20, shown.data + 22, 2);
	memcpy(shown.data + 22, swap, 2);
	shown.data[33] = 0x12;
	shown.flags = PACKET_SHOW_OUT;
	expect_row(&shown, "10:00:00.500000|out|tcp|10.1.0.8:80|10.0.0.5:50000|syn ack|40|"
			   "answer, permit 7|");
	shown = shown_in(syn, sizeof(syn));
	shown.data[23] = 81;
	expect_row(&shown, "10:00:00.500000|in|tcp|10.0.0.5:50000|10.1.0.8:81|syn|40|"
			   "deny no-permit|");
	shown.data[19] = 1; /* the gateway's own address there */
	expect_row(&shown, "10:00:00.500000|in|tcp|10.0.0.5:50000|10.1.0.1:81|syn|40|gateway|");
}

static void test_show_reads_nothing_of_what_cannot_be_read(void **state)
{
	struct packet_show shown = shown_in(syn, sizeof(syn));

	shown.data[0] = 0x95;
	expect_row(&shown, "10:00:00.500000|in|?|?|?|?|40|deny malformed|");
	shown = shown_in(syn, 30);
	expect_row(&shown, "10:00:00.500000|in|?|?|?|?|30|deny malformed|");
}

/* Captured before a commit that took the zone, or two commits ago. */
static void test_show_knows_nothing_without_the_policy_of_the_capture(void **state)
{
	struct packet_show shown = shown_in(syn, sizeof(syn));
	struct row row;

	shown.zone = 2;
	expect_row(&shown, "?|in|?|?|?|?|40|?|");
	shown.zone = 0;
	row_begin(&row, 1, 0);
	show_fill(&row, NULL, &shown);
	assert_int_equal(row.body.cell_count, 8);
	assert_string_equal(row.body.text, "?");
}

/* It is an answer, never a fault of the link: that would close it. */
static void test_show_answers_for_a_zone_that_is_gone(void **state)
{
	struct packet_show shown = shown_in(syn, sizeof(syn));
	struct channel control = {.fd = -1};

	shown.zone = 2;
	assert_int_equal(show_packet(&control, &fixture.judge, &shown), 0);
	shown.time_us = -1;
	assert_int_equal(show_packet(&control, &fixture.judge, &shown), -ERR_PEER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_show_says_who_to_whom_and_by_which_permit),
		cmocka_unit_test(test_show_knows_answers_and_what_nobody_permits),
		cmocka_unit_test(test_show_reads_nothing_of_what_cannot_be_read),
		cmocka_unit_test(test_show_knows_nothing_without_the_policy_of_the_capture),
		cmocka_unit_test(test_show_answers_for_a_zone_that_is_gone),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
