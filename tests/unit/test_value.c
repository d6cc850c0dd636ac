/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values of the configuration language: each form takes what it should, in one canonical text, and
 * nothing else. */
#include "unit.h"

#include <string.h>

#include "base/err.h"
#include "policy/schema.h"

static const struct value_form address = {.type = TYPE_ADDRESS},
			       interface = {.type = TYPE_INTERFACE}, prefix = {.type = TYPE_PREFIX},
			       mac = {.type = TYPE_MAC},
			       endpoint = {.type = TYPE_ENDPOINT, .low = 25},
			       name = {.type = TYPE_NAME}, host = {.type = TYPE_HOST},
			       device = {.type = TYPE_DEVICE}, date = {.type = TYPE_DATE},
			       days = {.type = TYPE_DAYS}, times = {.type = TYPE_TIMES},
			       ports = {.type = TYPE_PORTS, .low = 1, .high = 65535},
			       icmp = {.type = TYPE_ICMP,
				       .high = 255,
				       .words = "any echo-request:8"},
			       number = {.type = TYPE_NUMBER, .low = 1, .high = 65535},
			       word = {.type = TYPE_WORD, .words = "udp tcp"},
			       text = {.type = TYPE_TEXT, .low = 1, .high = 4},
			       size = {.type = TYPE_SIZE, .low = 1024, .high = 1 << 30},
			       duration = {.type = TYPE_DURATION, .low = 0, .high = 86400000};

static void expect(const struct value_form *form, const char *typed, int err, const char *canonical)
{
	struct value v;
	int got = value_parse(&v, form, span_of(typed));

	if (got != -err)
		fail_msg("'%s': %s, expected %s", typed, err_name(got), err_name(err));
	if (err == 0)
		assert_string_equal(v.text, canonical);
}

static void test_value_address_has_one_text(void **state)
{
	expect(&address, "10.0.0.1", 0, "10.0.0.1");
	expect(&address, "FD00:0:0:0:0:0:0:1", 0, "fd00::1");
	expect(&address, "10.0.0.01", ERR_SYNTAX, NULL);
	expect(&address, "10.0.0", ERR_SYNTAX, NULL);
	expect(&address, "10.0.0.1/24", ERR_SYNTAX, NULL);
	expect(&address, "", ERR_SYNTAX, NULL);
	for (size_t i = 0; i < 8; i++) {
		static const char *const special[] = {"0.0.0.0",   "127.0.0.1",
						      "224.0.0.1", "255.255.255.255",
						      "::",        "::1",
						      "ff02::1",   "::ffff:10.0.0.1"};

		expect(&address, special[i], ERR_RANGE, NULL);
	}
}

static void test_value_interface_is_a_hosts_address(void **state)
{
	expect(&interface, "10.0.0.1/24", 0, "10.0.0.1/24");
	expect(&interface, "10.0.0.1/31", 0, "10.0.0.1/31");
	expect(&interface, "2001:DB8::1/64", 0, "2001:db8::1/64");
	expect(&interface, "10.0.0.1", ERR_SYNTAX, NULL);
	expect(&interface, "10.0.0.0/24", ERR_RANGE, NULL);
	expect(&interface, "10.0.0.255/24", ERR_RANGE, NULL);
	expect(&interface, "10.0.0.1/33", ERR_RANGE, NULL);
	expect(&interface, "10.0.0.1/0", ERR_RANGE, NULL);
	expect(&interface, "10.0.0.1/024", ERR_SYNTAX, NULL);
	expect(&interface, "10.0.0.1/", ERR_SYNTAX, NULL);
}

static void test_value_prefix_has_no_host_bits(void **state)
{
	expect(&prefix, "0.0.0.0/0", 0, "0.0.0.0/0");
	expect(&prefix, "10.0.0.0/8", 0, "10.0.0.0/8");
	expect(&prefix, "10.1.2.3/32", 0, "10.1.2.3");
	expect(&prefix, "fd00::/8", 0, "fd00::/8");
	expect(&prefix, "10.0.0.1/24", ERR_RANGE, NULL);
	expect(&prefix, "10.0.0.0/-1", ERR_SYNTAX, NULL);
}

static void test_value_endpoint_leaves_out_the_usual_port(void **state)
{
	expect(&endpoint, "10.0.0.1", 0, "10.0.0.1");
	expect(&endpoint, "10.0.0.1:25", 0, "10.0.0.1");
	expect(&endpoint, "10.0.0.1:26", 0, "10.0.0.1:26");
	expect(&endpoint, "fd00::1", 0, "fd00::1");
	expect(&endpoint, "[fd00::1]", 0, "fd00::1");
	expect(&endpoint, "[fd00::1]:26", 0, "[fd00::1]:26");
	expect(&endpoint, "10.0.0.1:0", ERR_RANGE, NULL);
	expect(&endpoint, "10.0.0.1:65536", ERR_RANGE, NULL);
	expect(&endpoint, "10.0.0.1:", ERR_SYNTAX, NULL);
	expect(&endpoint, "[fd00::1]:", ERR_SYNTAX, NULL);
	expect(&endpoint, "[fd00::1", ERR_SYNTAX, NULL);
	expect(&endpoint, "[10.0.0.1]:25", ERR_SYNTAX, NULL);
	expect(&endpoint, "[fd00::1]25", ERR_SYNTAX, NULL);
}

static void test_value_mac_is_a_stations(void **state)
{
	expect(&mac, "02:00:00:10:00:0F", 0, "02:00:00:10:00:0f");
	expect(&mac, "01:00:5e:00:00:01", ERR_RANGE, NULL);
	expect(&mac, "00:00:00:00:00:00", ERR_RANGE, NULL);
	expect(&mac, "02-00-00-10-00-0f", ERR_SYNTAX, NULL);
	expect(&mac, "02:00:00:10:00:0", ERR_SYNTAX, NULL);
}

static void test_value_names_keep_to_their_letters(void **state)
{
	expect(&name, "a", 0, "a");
	expect(&name, "lgwan-2", 0, "lgwan-2");
	expect(&name, "abcdefghijklmnopqrstuvw", 0, "abcdefghijklmnopqrstuvw");
	expect(&name, "abcdefghijklmnopqrstuvwx", ERR_TOO_LONG, NULL);
	expect(&name, "2a", ERR_SYNTAX, NULL);
	expect(&name, "A", ERR_SYNTAX, NULL);
	expect(&name, "三層", ERR_SYNTAX, NULL);
	expect(&host, "Gate.Example.LG.jp", 0, "gate.example.lg.jp");
	expect(&host, "a..b", ERR_SYNTAX, NULL);
	expect(&host, "-a.b", ERR_SYNTAX, NULL);
	expect(&host, "a-.b", ERR_SYNTAX, NULL);
	expect(&host, "a.b.", ERR_SYNTAX, NULL);
	expect(&device, "enp3s0.100", 0, "enp3s0.100");
	expect(&device, "../eth0", ERR_SYNTAX, NULL);
	expect(&device, "abcdefghijklmnop", ERR_TOO_LONG, NULL);
}

static void test_value_numbers_have_ranges(void **state)
{
	expect(&number, "65535", 0, "65535");
	expect(&number, "65536", ERR_RANGE, NULL);
	expect(&number, "0", ERR_RANGE, NULL);
	expect(&number, "01", ERR_SYNTAX, NULL);
	expect(&number, "+1", ERR_SYNTAX, NULL);
	expect(&number, "99999999999999999999999", ERR_RANGE, NULL);
	expect(&ports, "80", 0, "80");
	expect(&ports, "80-90", 0, "80-90");
	expect(&ports, "80-80", 0, "80");
	expect(&ports, "90-80", ERR_RANGE, NULL);
	expect(&ports, "80-65536", ERR_RANGE, NULL);
	expect(&ports, "80-", ERR_SYNTAX, NULL);
	expect(&icmp, "any", 0, "any");
	expect(&icmp, "8", 0, "echo-request");
	expect(&icmp, "13", 0, "13");
	expect(&icmp, "256", ERR_RANGE, NULL);
	expect(&word, "tcp", 0, "tcp");
	expect(&word, "tc", ERR_SYNTAX, NULL);
	expect(&word, "", ERR_SYNTAX, NULL);
}

static void test_value_quantities_take_their_largest_unit(void **state)
{
	expect(&size, "5MB", 0, "5MB");
	expect(&size, "5120KB", 0, "5MB");
	expect(&size, "1025", 0, "1025");
	expect(&size, "5mb", 0, "5MB");
	expect(&size, "1023", ERR_RANGE, NULL);
	expect(&size, "5TB", ERR_SYNTAX, NULL);
	expect(&size, "MB", ERR_SYNTAX, NULL);
	expect(&size, "17179869184GB", ERR_RANGE, NULL);
	expect(&duration, "900s", 0, "15m");
	expect(&duration, "90s", 0, "90s");
	expect(&duration, "500ms", 0, "500ms");
	expect(&duration, "0m", 0, "0s");
	expect(&duration, "2d", ERR_RANGE, NULL);
	expect(&duration, "15", ERR_SYNTAX, NULL);
}

static void test_value_times_are_of_the_calendar(void **state)
{
	struct value v;

	expect(&date, "2028-02-29", 0, "2028-02-29");
	expect(&date, "2027-02-29", ERR_RANGE, NULL);
	expect(&date, "2027-13-01", ERR_RANGE, NULL);
	expect(&date, "2027-3-31", ERR_SYNTAX, NULL);
	assert_int_equal(value_parse(&v, &date, span_of("2027-03-31")), 0);
	assert_int_equal(v.number, 20908); /* date -d 2027-03-31 +%s divided by 86400 */
	expect(&days, "mon-sun", 0, "daily");
	expect(&days, "sat", 0, "sat");
	expect(&days, "sat-sat", 0, "sat");
	expect(&days, "sat-mon", ERR_RANGE, NULL);
	expect(&days, "someday", ERR_SYNTAX, NULL);
	expect(&times, "08:30-17:15", 0, "08:30-17:15");
	expect(&times, "00:00-24:00", 0, "00:00-24:00");
	expect(&times, "17:15-08:30", 0, "17:15-08:30"); /* into the next day */
	expect(&times, "22:00-00:00", 0, "22:00-00:00");
	expect(&times, "08:30-08:30", ERR_RANGE, NULL);
	expect(&times, "24:00-05:00", ERR_RANGE, NULL);
	expect(&times, "08:30-24:01", ERR_RANGE, NULL);
	expect(&times, "8:30-17:15", ERR_SYNTAX, NULL);
}

static void test_value_past_midnight_ends_after_the_day(void **state)
{
	struct value v;

	assert_int_equal(value_parse(&v, &times, span_of("22:00-05:00")), 0);
	assert_int_equal(v.number, 22 * 60);
	assert_int_equal(v.high, 29 * 60);
	assert_int_equal(value_parse(&v, &times, span_of("22:00-00:00")), 0);
	assert_int_equal(v.high, 24 * 60);
}

static void test_value_places_are_addresses_or_names(void **state)
{
	const struct value_form place = {.type = TYPE_PLACE};
	struct value v;

	expect(&place, "10.0.0.0/8", 0, "10.0.0.0/8");
	expect(&place, "FD00::1", 0, "fd00::1");
	expect(&place, "servers", 0, "servers");
	expect(&place, "10.0.0.1/8", ERR_RANGE, NULL);
	expect(&place, "servers/24", ERR_SYNTAX, NULL);
	expect(&place, "fd00:x", ERR_SYNTAX, NULL);
	expect(&place, "Servers", ERR_SYNTAX, NULL);
	expect(&place, "a-name-longer-than-a-name-may-be", ERR_TOO_LONG, NULL);
	assert_int_equal(value_parse(&v, &place, span_of("servers")), 0);
	assert_int_equal(v.prefix.family, 0);
}

static void test_value_patterns_are_names_or_what_is_below_one(void **state)
{
	const struct value_form pattern = {.type = TYPE_PATTERN};

	expect(&pattern, "WWW.Example.lg.jp", 0, "www.example.lg.jp");
	expect(&pattern, "*.Example.lg.jp", 0, "*.example.lg.jp");
	expect(&pattern, "*.jp", ERR_SYNTAX, NULL); /* a whole top-level domain */
	expect(&pattern, "*", ERR_SYNTAX, NULL);
	expect(&pattern, "*.", ERR_SYNTAX, NULL);
	expect(&pattern, "www.*.lg.jp", ERR_SYNTAX, NULL);
	expect(&pattern, "w*.lg.jp", ERR_SYNTAX, NULL);
}

static void test_value_rates_count_a_second_or_a_minute(void **state)
{
	const struct value_form rate = {.type = TYPE_RATE, .low = 1, .high = 1000};
	struct value v;

	expect(&rate, "1000/s", 0, "1000/s");
	expect(&rate, "1001/s", ERR_RANGE, NULL);
	expect(&rate, "0/s", ERR_RANGE, NULL);
	expect(&rate, "10", ERR_SYNTAX, NULL);
	expect(&rate, "10/h", ERR_SYNTAX, NULL);
	expect(&rate, "/s", ERR_SYNTAX, NULL);
	assert_int_equal(value_parse(&v, &rate, span_of("90/m")), 0);
	assert_int_equal(v.number, 90);
	assert_int_equal(v.high, 60);
}

static void test_value_text_counts_characters(void **state)
{
	expect(&text, "関所装置", 0, "関所装置");
	expect(&text, "関所装置x", ERR_TOO_LONG, NULL);
	expect(&text, "", ERR_RANGE, NULL);
	expect(&text, "a\nb", ERR_SYNTAX, NULL);
	expect(&text, "\xff", ERR_SYNTAX, NULL);
}

/* Canonical text parses to itself; every default of the schema is a value of its form. */
static void test_value_defaults_of_the_schema_are_valid(void **state)
{
	struct value v, again;

	for (enum schema_id id = ROW_ROOT + 1; id < ROW_COUNT_; id++) {
		const struct schema_row *row = schema_row(id);

		if (row->fallback == NULL)
			continue;
		assert_int_equal(value_parse(&v, &row->args[0], span_of(row->fallback)), 0);
		assert_string_equal(v.text, row->fallback);
		assert_int_equal(value_parse(&again, &row->args[0], span_of(v.text)), 0);
		assert_memory_equal(&v, &again, sizeof(v));
	}
}

/* Every form can say what it allows, in both languages. */
static void test_value_describes_every_argument_of_the_schema(void **state)
{
	char out[512];
	struct writer w;

	for (enum schema_id id = ROW_ROOT + 1; id < ROW_COUNT_; id++) {
		assert_true(schema_row(id)->help[0][0] != '\0' &&
			    schema_row(id)->help[1][0] != '\0');
		assert_true(schema_row(id)->requirement[0] != '\0');
		for (unsigned arg = 0; arg < schema_arg_count(id); arg++) {
			for (int language = 0; language < 2; language++) {
				writer_init(&w, out, sizeof(out));
				value_describe(&w, &schema_row(id)->args[arg], language);
				assert_true(w.size > 2 && !w.failed);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_value_address_has_one_text),
		cmocka_unit_test(test_value_interface_is_a_hosts_address),
		cmocka_unit_test(test_value_prefix_has_no_host_bits),
		cmocka_unit_test(test_value_endpoint_leaves_out_the_usual_port),
		cmocka_unit_test(test_value_mac_is_a_stations),
		cmocka_unit_test(test_value_names_keep_to_their_letters),
		cmocka_unit_test(test_value_numbers_have_ranges),
		cmocka_unit_test(test_value_quantities_take_their_largest_unit),
		cmocka_unit_test(test_value_times_are_of_the_calendar),
		cmocka_unit_test(test_value_past_midnight_ends_after_the_day),
		cmocka_unit_test(test_value_places_are_addresses_or_names),
		cmocka_unit_test(test_value_patterns_are_names_or_what_is_below_one),
		cmocka_unit_test(test_value_rates_count_a_second_or_a_minute),
		cmocka_unit_test(test_value_text_counts_characters),
		cmocka_unit_test(test_value_defaults_of_the_schema_are_valid),
		cmocka_unit_test(test_value_describes_every_argument_of_the_schema),
	};

	return cmocka_run_group_tests_name("value", tests, NULL, NULL);
}
