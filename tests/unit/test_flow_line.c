/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flows as lines of text: what is read from pairs and from records, and what is refused. */
#include "unit.h"

#include <string.h>

#include "arbiter/flow_line.h"
#include "base/err.h"

#define HAND "from=lgwan src=10.20.0.8 dst=10.10.0.5 "
#define RECORD(time, event, pairs)                                                                 \
	"<134>1 " time " gate sekisho arbiter " event " [sekisho@32473 " pairs "] Text. ]関所"
#define TCP "from=\"lgwan\" src=\"10.20.0.8\" dst=\"10.10.0.5\" proto=\"6\" dport=\"443\""

static struct flow_line read_good(const char *text)
{
	struct flow_line line;
	int err = flow_line_read(&line, span_of(text));

	if (err != 0)
		fail_msg("%s: %s", text, err_name(err));
	return line;
}

static void expect_error(const char *text, int expected)
{
	struct flow_line line;
	int err = flow_line_read(&line, span_of(text));

	if (err != -expected)
		fail_msg("%s: %s", text, err == 0 ? "read" : err_name(err));
}

static void test_flow_line_pairs_become_headers(void **state)
{
	static const uint8_t source[4] = {10, 20, 0, 8}, mac[6] = {2, 0, 0, 0, 0, 9};
	struct flow_line l = read_good(" dport=443\tproto=tcp sport=\"4444\" " HAND
				       "mac=02:00:00:00:00:09 unknown=\"a \\\" b\" permit=7");

	assert_string_equal(l.from, "lgwan");
	assert_int_equal(l.headers.family, 4);
	assert_memory_equal(l.headers.source, source, 4);
	assert_int_equal(l.headers.protocol, 6);
	assert_int_equal(l.headers.tcp_flags, 2);
	assert_int_equal(l.headers.flags, IP_HAS_PORTS);
	assert_int_equal(l.headers.source_port, 4444);
	assert_int_equal(l.headers.destination_port, 443);
	assert_true(l.has_mac);
	assert_memory_equal(l.mac, mac, 6);
	assert_false(l.has_time);
	assert_int_equal(l.outcome, FLOW_PERMITTED);
	assert_int_equal(l.permit, 7);
	assert_int_equal(read_good(HAND "proto=tcp dport=1").outcome, FLOW_UNTOLD);
}

static void test_flow_line_icmp_is_an_echo_request_unless_told(void **state)
{
	assert_int_equal(read_good(HAND "proto=icmp").headers.icmp_type, 8);
	assert_int_equal(read_good(HAND "proto=1 dport=0").headers.icmp_type, 8);
	assert_int_equal(read_good(HAND "proto=1 dport=13").headers.icmp_type, 13);
	assert_int_equal(read_good(HAND "proto=icmp icmp-type=0").headers.icmp_type, 0);
	assert_int_equal(read_good("from=a src=fd00::1 dst=fd01::1 proto=icmpv6").headers.icmp_type,
			 128);
	assert_int_equal(read_good(HAND "proto=47").headers.flags, 0);
}

static void test_flow_line_times_have_offsets_or_are_local(void **state)
{
	struct flow_line l = read_good(HAND "proto=47 at=1970-01-02T00:00");

	assert_true(l.has_time && l.local_time);
	assert_int_equal(l.at_s, 86400);
	l = read_good(HAND "proto=47 at=1970-01-02T00:00:30.5Z");
	assert_false(l.local_time);
	assert_int_equal(l.at_s, 86430);
	l = read_good(HAND "proto=47 at=1970-01-02T09:30:00+09:30");
	assert_int_equal(l.at_s, 86400);
	l = read_good(HAND "proto=47 at=1970-01-01T23:00:00-01:00");
	assert_int_equal(l.at_s, 86400);
}

static void test_flow_line_records_tell_their_outcome_and_time(void **state)
{
	struct flow_line l = read_good(RECORD("1970-01-02T09:00:00.000001+09:00", "flow-permitted",
					      "seq=\"4\" " TCP " permit=\"30\""));

	assert_int_equal(l.outcome, FLOW_PERMITTED);
	assert_int_equal(l.permit, 30);
	assert_int_equal(l.at_s, 86400);
	assert_false(l.local_time);
	l = read_good(RECORD("1970-01-02T09:00:00+09:00", "flow-denied", TCP " reason=\"]\""));
	assert_int_equal(l.outcome, FLOW_DENIED);
}

static void test_flow_line_passes_over_what_tells_of_no_flow(void **state)
{
	expect_error("", ERR_NOT_FOUND);
	expect_error("  # from=a", ERR_NOT_FOUND);
	expect_error(RECORD("1970-01-02T09:00:00Z", "heartbeat", TCP), ERR_NOT_FOUND);
	expect_error(RECORD("1970-01-02T09:00:00Z", "flow-ended", TCP), ERR_NOT_FOUND);
	expect_error(RECORD("1970-01-02T09:00:00Z", "flow-not-conforming", TCP), ERR_NOT_FOUND);
	expect_error(RECORD("1970-01-02T09:00:00Z", "flow-denied", TCP " reason=\"conform-name\""),
		     ERR_NOT_FOUND);
	expect_error(RECORD("1970-01-02T09:00:00Z", "flow-denied", "from=\"a\""), ERR_NOT_FOUND);
}

static void test_flow_line_refuses_what_is_not_whole(void **state)
{
	static const char nul[] = "from=a\0src=10.0.0.1";
	static char longest[FLOW_LINE_BYTES_MAX + 2];
	struct flow_line line;

	expect_error(HAND "proto=tcp", ERR_SYNTAX); /* no port */
	expect_error("src=10.0.0.1 dst=10.0.0.2 proto=47", ERR_SYNTAX);
	expect_error("from=a src=10.0.0.1 dst=fd00::1 proto=47", ERR_SYNTAX);
	expect_error("from=a src=10.0.0.0/24 dst=10.0.0.2 proto=47", ERR_SYNTAX);
	expect_error(HAND "proto=256", ERR_SYNTAX);
	expect_error(HAND "proto=tcp dport=65536", ERR_SYNTAX);
	expect_error(HAND "proto=tcp dport=", ERR_SYNTAX);
	expect_error(HAND "proto=tcp dport=\"1", ERR_SYNTAX);
	expect_error(HAND "proto=47 at=1970-01-02", ERR_SYNTAX);
	expect_error(HAND "proto=47 at=1970-01-02T00:00+9", ERR_SYNTAX);
	expect_error("tcp 443", ERR_SYNTAX);
	expect_error("<134>1 1970-01-02T09:00:00Z gate", ERR_SYNTAX);
	expect_error("<134>1 1970-01-02T09:00:00Z g s a flow-denied [x " TCP, ERR_SYNTAX);
	expect_error(RECORD("yesterday", "flow-denied", TCP), ERR_SYNTAX);
	assert_int_equal(flow_line_read(&line, (struct span){(const uint8_t *)nul, sizeof(nul)}),
			 -ERR_SYNTAX);
	memset(longest, 'a', sizeof(longest) - 1);
	expect_error(longest, ERR_TOO_LONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flow_line_pairs_become_headers),
		cmocka_unit_test(test_flow_line_icmp_is_an_echo_request_unless_told),
		cmocka_unit_test(test_flow_line_times_have_offsets_or_are_local),
		cmocka_unit_test(test_flow_line_records_tell_their_outcome_and_time),
		cmocka_unit_test(test_flow_line_passes_over_what_tells_of_no_flow),
		cmocka_unit_test(test_flow_line_refuses_what_is_not_whole),
	};

	return cmocka_run_group_tests_name("flow_line", tests, NULL, NULL);
}
