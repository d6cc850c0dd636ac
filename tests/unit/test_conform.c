/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flows under conformance in simulated time: deadlines, order, overlap, full tables (Z8, Z14). */
#include "unit.h"

#include <string.h>

#include "arbiter/conform.h"

enum { SYN = 2, ACK = 16 };

#define ISN 0xfffffff8U /* the numbers wrap within the first bytes */

static struct conform table;
static const struct snapshot_conform ssh = {.kind = CONFORM_SSH};
static const struct snapshot_conform tls = {.kind = CONFORM_TLS};
static const struct snapshot nothing;
static unsigned refused_count;

static int setup(void **state)
{
	conform_init(&table);
	refused_count = 0;
	return 0;
}

/* A client, by its address and port, that talks to one server. */
struct client {
	uint8_t host;
	uint16_t port;
	uint64_t now_ms;
	struct conform_finding finding;
	const struct snapshot_conform *rule;
};

static struct ip_headers headers_of(const struct client *c, uint8_t flags)
{
	struct ip_headers h = {.family = 4,
			       .protocol = IP_PROTOCOL_TCP,
			       .flags = IP_HAS_PORTS,
			       .tcp_flags = flags,
			       .source_port = c->port,
			       .destination_port = 22,
			       .source = {10, 1, 0, c->host},
			       .destination = {10, 2, 0, 1}};

	return h;
}

static enum conform_verdict send_packet(struct client *c, struct ip_headers *h, const char *text,
					bool reply, bool established)
{
	size_t size = text != NULL ? strlen(text) : 0;
	struct conform_packet packet = {
		.headers = h,
		.reply = reply,
		.established = established,
		.payload = {(const uint8_t *)text, size},
		.payload_bytes = size,
		.rule = {&nothing, c->rule != NULL ? c->rule : &ssh},
		.fingerprint = 1,
		.now_ms = c->now_ms,
	};

	return conform_judge(&table, &packet, &c->finding);
}

static enum conform_verdict syn(struct client *c)
{
	struct ip_headers h = headers_of(c, SYN);

	h.tcp_sequence = ISN;
	return send_packet(c, &h, NULL, false, false);
}

/* @at: from the start of the client's stream. */
static enum conform_verdict say(struct client *c, uint32_t at, const char *text)
{
	struct ip_headers h = headers_of(c, ACK);

	h.tcp_sequence = ISN + 1 + at;
	return send_packet(c, &h, text, false, true);
}

/* The server acknowledges @bytes of it. */
static enum conform_verdict acknowledge(struct client *c, uint32_t bytes)
{
	struct ip_headers h = headers_of(c, ACK);

	h.tcp_acknowledgement = ISN + 1 + bytes;
	return send_packet(c, &h, NULL, true, true);
}

/* The server takes the connection whose first sequence number was @isn. */
static enum conform_verdict answer(struct client *c, uint32_t isn)
{
	struct ip_headers h = headers_of(c, SYN | ACK);

	h.tcp_sequence = 0xfffffff0;
	h.tcp_acknowledgement = isn + 1;
	return send_packet(c, &h, NULL, true, true);
}

static void open_flow(struct client *c)
{
	assert_int_equal(syn(c), CONFORM_ONCE);
	assert_int_equal(answer(c, ISN), CONFORM_ONCE);
	assert_int_equal(say(c, 0, NULL), CONFORM_ONCE);
}

static void count_refused(void *ctx, const struct conform_flow *flow)
{
	refused_count++;
}

static void test_conform_flow_is_permitted_once_what_it_showed_has_arrived(void **state)
{
	struct client c = {.host = 5, .port = 1000};

	open_flow(&c);
	assert_int_equal(say(&c, 0, "SSH-2.0-"), CONFORM_ONCE);
	assert_int_equal(acknowledge(&c, 8), CONFORM_ONCE);
	assert_int_equal(say(&c, 8, "x\r\n"), CONFORM_ONCE);
	assert_int_equal(c.finding.state, CONFORM_SHOWN);
	assert_string_equal(c.finding.name, "x");
	assert_int_equal(acknowledge(&c, 10), CONFORM_ONCE);
	assert_int_equal(say(&c, 11, "more"), CONFORM_ONCE);
	assert_int_equal(acknowledge(&c, 11), CONFORM_PERMIT);
	assert_int_equal(say(&c, 15, "anything"), CONFORM_PERMIT);
}

/* A second SYN, below the first, moved the place that the stream is counted from: what the server
 * then takes for an old repetition would have been judged as the beginning. */
static void test_conform_answer_to_another_syn_is_denied(void **state)
{
	struct client c = {.host = 5, .port = 1000};
	struct ip_headers h = headers_of(&c, SYN);

	assert_int_equal(syn(&c), CONFORM_ONCE);
	h.tcp_sequence = ISN - 11;
	assert_int_equal(send_packet(&c, &h, NULL, false, false), CONFORM_ONCE);
	assert_int_equal(answer(&c, ISN), CONFORM_DENY);
	assert_int_equal(acknowledge(&c, 0), CONFORM_DENY);
}

/* Nothing is judged as the beginning of a stream that nobody has answered. */
static void test_conform_data_before_an_answer_is_denied(void **state)
{
	struct client c = {.host = 5, .port = 1000};

	assert_int_equal(syn(&c), CONFORM_ONCE);
	assert_int_equal(say(&c, 0, "SSH-2.0-x\r\n"), CONFORM_DENY);
}

static void test_conform_segments_backwards_are_put_together(void **state)
{
	struct client c = {.host = 5, .port = 1000};

	open_flow(&c);
	assert_int_equal(say(&c, 8, "x\r\n"), CONFORM_ONCE);
	assert_int_equal(c.finding.state, CONFORM_PENDING);
	assert_int_equal(say(&c, 4, "2.0-"), CONFORM_ONCE);
	assert_int_equal(say(&c, 0, "SSH-2.0"), CONFORM_ONCE);
	assert_int_equal(c.finding.state, CONFORM_SHOWN);
}

static void test_conform_other_bytes_in_the_same_place_are_denied(void **state)
{
	struct client c = {.host = 5, .port = 1000};

	open_flow(&c);
	assert_int_equal(say(&c, 0, "SSH-2.0-x\r\n"), CONFORM_ONCE);
	assert_int_equal(say(&c, 0, "SSH-2.0-x\r\n"), CONFORM_ONCE);
	assert_int_equal(say(&c, 8, "y"), CONFORM_DENY);
	assert_int_equal(c.finding.reason, JUDGE_CONFORM_OVERLAP);
	assert_int_equal(acknowledge(&c, 11), CONFORM_DENY);
	assert_int_equal(say(&c, 0, "SSH-2.0-x\r\n"), CONFORM_DENY);
}

static void test_conform_before_the_first_byte_and_without_a_record_is_denied(void **state)
{
	struct client c = {.host = 5, .port = 1000}, unknown = {.host = 6, .port = 1000};

	open_flow(&c);
	assert_int_equal(say(&c, (uint32_t)-5, "abc"), CONFORM_DENY);
	assert_int_equal(say(&unknown, 0, "SSH-2.0-x\r\n"), CONFORM_DENY);
	assert_int_equal(unknown.finding.reason, JUDGE_CONFORM_UNKNOWN);
	assert_int_equal(acknowledge(&unknown, 0), CONFORM_DENY);
}

static void test_conform_undecided_at_the_deadline_is_denied(void **state)
{
	struct client c = {.host = 5, .port = 1000};

	open_flow(&c);
	assert_int_equal(say(&c, 0, "SSH-"), CONFORM_ONCE);
	conform_tick(&table, CONFORM_DEADLINE_MS, count_refused, NULL);
	assert_int_equal(refused_count, 0);
	conform_tick(&table, CONFORM_DEADLINE_MS + 1, count_refused, NULL);
	assert_int_equal(refused_count, 1);
	c.now_ms = CONFORM_DEADLINE_MS + 1;
	assert_int_equal(say(&c, 4, "2.0-x\r\n"), CONFORM_DENY);
	assert_int_equal(c.finding.reason, JUDGE_CONFORM_DEADLINE);
	/* Forgotten later, and then without a record. */
	conform_tick(&table, c.now_ms + CONFORM_LINGER_MS + 1, count_refused, NULL);
	assert_int_equal(say(&c, 4, "2.0-x\r\n"), CONFORM_DENY);
	assert_int_equal(c.finding.reason, JUDGE_CONFORM_UNKNOWN);
	assert_int_equal(refused_count, 1);
}

static void test_conform_half_open_flow_is_forgotten_quietly(void **state)
{
	struct client c = {.host = 5, .port = 1000};

	assert_int_equal(syn(&c), CONFORM_ONCE);
	conform_tick(&table, CONFORM_HALF_OPEN_MS + 1, count_refused, NULL);
	assert_int_equal(refused_count, 0);
	assert_int_equal(say(&c, 0, NULL), CONFORM_DENY);
}

static void test_conform_flood_of_one_source_costs_only_its_own(void **state)
{
	struct client quiet = {.host = 5, .port = 1000}, first = {.host = 9, .port = 1};

	open_flow(&quiet);
	open_flow(&first);
	for (uint16_t port = 2; port < 3 * CONFORM_PER_SOURCE_MAX; port++) {
		struct client c = {.host = 9, .port = port, .now_ms = port};

		open_flow(&c);
	}
	assert_int_equal(say(&first, 0, "SSH-2.0-x\r\n"), CONFORM_DENY);
	assert_int_equal(say(&quiet, 0, "SSH-2.0-x\r\n"), CONFORM_ONCE);
	assert_int_equal(acknowledge(&quiet, 11), CONFORM_PERMIT);
}

/* The same with flows that are open: the sources that have most make room for the one with least.
 */
static void test_conform_table_full_of_open_flows_spares_small_sources(void **state)
{
	struct client quiet = {.host = 250, .port = 1000};

	open_flow(&quiet);
	for (unsigned i = 0; i < 3 * CONFORM_FLOWS_MAX; i++) {
		struct client c = {.host = (uint8_t)(i % 20), .port = (uint16_t)(i / 20 + 1)};

		c.now_ms = i;
		open_flow(&c);
	}
	assert_int_equal(say(&quiet, 0, "SSH-2.0-x\r\n"), CONFORM_ONCE);
}

/* Many sources fill the table: half-open flows go first, and a new flow always finds room. */
static void test_conform_full_table_takes_new_flows(void **state)
{
	struct client quiet = {.host = 250, .port = 1000};

	open_flow(&quiet);
	for (unsigned i = 0; i < 4 * CONFORM_FLOWS_MAX; i++) {
		struct client c = {.host = (uint8_t)(i % 200), .port = (uint16_t)(i / 200 + 1)};

		c.now_ms = i;
		assert_int_equal(syn(&c), CONFORM_ONCE);
	}
	struct client late = {.host = 251, .port = 7, .now_ms = 100000};

	open_flow(&late);
	assert_int_equal(say(&late, 0, "SSH-2.0-x\r\n"), CONFORM_ONCE);
	assert_int_equal(acknowledge(&late, 11), CONFORM_PERMIT);
	assert_int_equal(say(&quiet, 0, "SSH-2.0-x\r\n"), CONFORM_ONCE);
}

static void test_conform_new_policy_looks_again_at_what_was_shown(void **state)
{
	struct client c = {.host = 5, .port = 1000};

	open_flow(&c);
	assert_int_equal(say(&c, 0, "SSH-2.0-x\r\n"), CONFORM_ONCE);
	assert_int_equal(acknowledge(&c, 11), CONFORM_PERMIT);
	struct ip_headers h = headers_of(&c, ACK);
	struct conform_packet packet = {
		.headers = &h, .established = true, .rule = {&nothing, &tls}, .fingerprint = 2};

	assert_int_equal(conform_judge(&table, &packet, &c.finding), CONFORM_DENY);
	assert_int_equal(c.finding.reason, JUDGE_CONFORM_PROTOCOL);
}

static void test_conform_packet_that_is_cut_is_asked_for_whole(void **state)
{
	struct client c = {.host = 5, .port = 1000};

	open_flow(&c);
	struct ip_headers h = headers_of(&c, ACK);
	struct conform_packet packet = {.headers = &h,
					.established = true,
					.payload = {(const uint8_t *)"SSH-", 4},
					.payload_bytes = 11,
					.rule = {&nothing, &ssh}};

	h.tcp_sequence = ISN + 1;
	assert_int_equal(conform_judge(&table, &packet, &c.finding), CONFORM_WHOLE);
	packet.whole = true; /* and still cut: nobody can see the rest */
	assert_int_equal(conform_judge(&table, &packet, &c.finding), CONFORM_DENY);
	assert_int_equal(c.finding.reason, JUDGE_CONFORM_TOO_LONG);
}

static void test_conform_names_match_by_pattern(void **state)
{
	static const struct {
		const char *pattern, *name;
		bool matches;
	} rows[] = {
		{"a.jp", "a.jp", true},     {"a.jp", "A.JP", true},       {"a.jp", "b.a.jp", false},
		{"*.a.jp", "b.a.jp", true}, {"*.a.jp", "c.b.A.jp", true}, {"*.a.jp", "a.jp", false},
		{"*.a.jp", ".a.jp", false}, {"*.a.jp", "ba.jp", false},   {"*.a.jp", "", false},
		{"a.jp", "", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(conform_name_matches(span_of(rows[i].pattern),
						      span_of(rows[i].name)),
				 rows[i].matches);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			test_conform_flow_is_permitted_once_what_it_showed_has_arrived, setup),
		cmocka_unit_test_setup(test_conform_segments_backwards_are_put_together, setup),
		cmocka_unit_test_setup(test_conform_answer_to_another_syn_is_denied, setup),
		cmocka_unit_test_setup(test_conform_data_before_an_answer_is_denied, setup),
		cmocka_unit_test_setup(test_conform_other_bytes_in_the_same_place_are_denied,
				       setup),
		cmocka_unit_test_setup(
			test_conform_before_the_first_byte_and_without_a_record_is_denied, setup),
		cmocka_unit_test_setup(test_conform_undecided_at_the_deadline_is_denied, setup),
		cmocka_unit_test_setup(test_conform_half_open_flow_is_forgotten_quietly, setup),
		cmocka_unit_test_setup(test_conform_flood_of_one_source_costs_only_its_own, setup),
		cmocka_unit_test_setup(test_conform_table_full_of_open_flows_spares_small_sources,
				       setup),
		cmocka_unit_test_setup(test_conform_full_table_takes_new_flows, setup),
		cmocka_unit_test_setup(test_conform_new_policy_looks_again_at_what_was_shown,
				       setup),
		cmocka_unit_test_setup(test_conform_packet_that_is_cut_is_asked_for_whole, setup),
		cmocka_unit_test(test_conform_names_match_by_pattern),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
