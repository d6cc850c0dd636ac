/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values: numbers, words, names, sizes, times. Addresses are in value_net.c. */
#include "policy/value.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/utf8.h"

#define LABEL_BYTES_MAX 63  /* RFC 1035 2.3.4 */
#define LOCAL_BYTES_MAX 64  /* RFC 5321 4.5.3.1.1 */
#define HOST_BYTES_MAX  253 /* RFC 1123 2.1, without the last dot */
#define YEAR_LOW        2000U
#define YEAR_HIGH       2199U
#define DAY_MINUTES     1440U

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_lower(uint8_t c)
{
	return c >= 'a' && c <= 'z';
}

static uint8_t to_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static void copy_text(struct value *out, struct span typed)
{
	memcpy(out->text, typed.data, typed.size);
	out->text[typed.size] = '\0';
}

int value_parse_decimal(uint64_t *out, struct span typed)
{
	uint64_t v = 0;

	if (typed.size == 0 || (typed.size > 1 && typed.data[0] == '0'))
		return -ERR_SYNTAX;
	for (size_t i = 0; i < typed.size; i++) {
		if (!is_digit(typed.data[i]))
			return -ERR_SYNTAX;
		if (__builtin_mul_overflow(v, 10U, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(typed.data[i] - '0'), &v))
			return -ERR_RANGE;
	}
	*out = v;
	return 0;
}

/* Exactly @count digits, leading zeros allowed. */
static int parse_digits(uint64_t *out, const uint8_t *typed, size_t count)
{
	*out = 0;
	for (size_t i = 0; i < count; i++) {
		if (!is_digit(typed[i]))
			return -ERR_SYNTAX;
		*out = *out * 10 + (uint64_t)(typed[i] - '0');
	}
	return 0;
}

static int check_range(const struct value *v, const struct value_form *form)
{
	return v->number < form->low || v->number > form->high ? -ERR_RANGE : 0;
}

static int parse_text(struct value *out, const struct value_form *form, struct span typed)
{
	uint32_t c;
	struct span rest = typed;
	uint64_t count = 0;

	while (rest.size > 0) {
		size_t n = utf8_decode(rest, &c);

		if (n == 0 || c < 0x20 || (c >= 0x7f && c < 0xa0))
			return -ERR_SYNTAX;
		rest.data += n;
		rest.size -= n;
		count++;
	}
	if (count < form->low)
		return -ERR_RANGE;
	if (count > form->high || typed.size >= sizeof(out->text))
		return -ERR_TOO_LONG;
	copy_text(out, typed);
	return 0;
}

/* The next word of a list separated by blanks; empty at the end. */
static struct span next_word(const char **list)
{
	size_t size;
	struct span word;

	*list += strspn(*list, " ");
	size = strcspn(*list, " ");
	word = (struct span){(const uint8_t *)*list, size};
	*list += size;
	return word;
}

static int parse_word(struct value *out, const struct value_form *form, struct span typed)
{
	const char *list = form->words;
	struct span word;

	for (out->number = 0; (word = next_word(&list)).size > 0; out->number++) {
		if (span_equal(word, typed)) {
			copy_text(out, typed);
			return 0;
		}
	}
	return -ERR_SYNTAX;
}

static int parse_number(struct value *out, const struct value_form *form, struct span typed)
{
	int err = value_parse_decimal(&out->number, typed);

	if (err != 0)
		return err;
	copy_text(out, typed);
	return check_range(out, form);
}

static int parse_name(struct value *out, const struct value_form *form, struct span typed)
{
	if (typed.size == 0 || !is_lower(typed.data[0]))
		return -ERR_SYNTAX;
	for (size_t i = 0; i < typed.size; i++) {
		uint8_t c = typed.data[i];

		if (!is_lower(c) && !is_digit(c) && c != '-')
			return -ERR_SYNTAX;
	}
	if (typed.size >= SNAPSHOT_NAME_BYTES)
		return -ERR_TOO_LONG;
	copy_text(out, typed);
	return 0;
}

/* RFC 1123 2.1: labels of letters, digits and inner dashes; canonical in lower case. */
static int parse_host(struct value *out, const struct value_form *form, struct span typed)
{
	size_t label = 0;

	if (typed.size > HOST_BYTES_MAX)
		return -ERR_TOO_LONG;
	for (size_t i = 0; i < typed.size; i++) {
		uint8_t c = to_lower(typed.data[i]);
		bool edge = label == 0 || i + 1 == typed.size || typed.data[i + 1] == '.';

		out->text[i] = (char)c;
		if (c == '.') {
			if (label == 0 || i + 1 == typed.size)
				return -ERR_SYNTAX;
			label = 0;
			continue;
		}
		if ((!is_lower(c) && !is_digit(c) && (c != '-' || edge)) ||
		    ++label > LABEL_BYTES_MAX)
			return -ERR_SYNTAX;
	}
	out->text[typed.size] = '\0';
	return typed.size > 0 ? 0 : -ERR_SYNTAX;
}

/* RFC 5321 4.1.2: the local part as a dot-string, told apart by case; the domain as parse_host. */
static int parse_sender(struct value *out, const struct value_form *form, struct span typed)
{
	static const char atext[] = "!#$%&'*+-/=?^_`{|}~.";
	const uint8_t *at = typed.size > 0 ? memchr(typed.data, '@', typed.size) : NULL;
	size_t local = at != NULL ? (size_t)(at - typed.data) : 0;
	struct span domain;
	int err;

	if (at == NULL)
		return parse_host(out, form, typed);
	if (local == 0 || typed.data[0] == '.' || typed.data[local - 1] == '.')
		return -ERR_SYNTAX;
	if (local > LOCAL_BYTES_MAX)
		return -ERR_TOO_LONG;
	for (size_t i = 0; i < local; i++) {
		uint8_t c = typed.data[i];

		if (!is_lower(to_lower(c)) && !is_digit(c) &&
		    memchr(atext, c, sizeof(atext) - 1) == NULL)
			return -ERR_SYNTAX;
	}
	domain = (struct span){at + 1, typed.size - local - 1};
	err = parse_host(out, form, domain);
	memmove(out->text + local + 1, out->text, strlen(out->text) + 1);
	memcpy(out->text, typed.data, local + 1);
	return err;
}

static int parse_device(struct value *out, const struct value_form *form, struct span typed)
{
	for (size_t i = 0; i < typed.size; i++) {
		uint8_t c = typed.data[i];
		bool alphanumeric = is_lower(to_lower(c)) || is_digit(c);

		if (!alphanumeric && (i == 0 || (c != '.' && c != '_' && c != '-')))
			return -ERR_SYNTAX;
	}
	if (typed.size == 0)
		return -ERR_SYNTAX;
	if (typed.size >= sizeof(((struct snapshot_zone *)NULL)->port))
		return -ERR_TOO_LONG;
	copy_text(out, typed);
	return 0;
}

/* Cut @typed at the first @separator; false where there is none. */
static bool cut_at(struct span typed, uint8_t separator, struct span *left, struct span *right)
{
	const uint8_t *at = typed.size > 0 ? memchr(typed.data, separator, typed.size) : NULL;

	if (at == NULL)
		return false;
	left->data = typed.data;
	left->size = (size_t)(at - typed.data);
	right->data = at + 1;
	right->size = typed.size - left->size - 1;
	return true;
}

static int parse_ports(struct value *out, const struct value_form *form, struct span typed)
{
	struct span low = typed, high = typed;
	int err;

	(void)cut_at(typed, '-', &low, &high); /* no dash: both are the one port */
	err = value_parse_decimal(&out->number, low);
	if (err == 0)
		err = value_parse_decimal(&out->high, high);
	if (err != 0)
		return err;
	if (out->number == out->high)
		copy_text(out, low);
	else
		copy_text(out, typed);
	return out->number > out->high || out->high > form->high ? -ERR_RANGE
								 : check_range(out, form);
}

/* The number behind "name:" in @form->words, or a decimal; canonical is the name where there is
 * one. */
static int parse_icmp(struct value *out, const struct value_form *form, struct span typed)
{
	const char *list = form->words;
	struct span word, name, number;
	int err = value_parse_decimal(&out->number, typed);

	if (span_equal(typed, span_of("any"))) {
		out->any = true;
		out->number = 0;
		copy_text(out, typed);
		return 0;
	}
	if (err == 0)
		copy_text(out, typed);
	while ((word = next_word(&list)).size > 0) {
		if (!cut_at(word, ':', &name, &number) ||
		    (!span_equal(name, typed) && !span_equal(number, typed)))
			continue;
		copy_text(out, name);
		err = value_parse_decimal(&out->number, number);
	}
	return err != 0 ? err : check_range(out, form);
}

struct unit {
	const char *name;
	uint64_t factor;
};

/* From small to large: canonical text takes the largest that divides without rest. */
static const struct unit size_units[] = {
	{"", 1}, {"KB", 1U << 10}, {"MB", 1U << 20}, {"GB", 1U << 30}};
static const struct unit time_units[] = {
	{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};

static int parse_quantity(struct value *out, const struct value_form *form, struct span typed,
			  const struct unit *units, size_t unit_count)
{
	size_t digits = 0, best = 0, given = 0;
	struct span unit;
	int err;

	while (digits < typed.size && is_digit(typed.data[digits]))
		digits++;
	unit = (struct span){typed.data + digits, typed.size - digits};
	while (given < unit_count && !span_equal_nocase(span_of(units[given].name), unit))
		given++;
	if (given == unit_count)
		return -ERR_SYNTAX;
	err = value_parse_decimal(&out->number, (struct span){typed.data, digits});
	if (err != 0)
		return err;
	if (__builtin_mul_overflow(out->number, units[given].factor, &out->number))
		return -ERR_RANGE;
	for (size_t i = 0; i < unit_count; i++) {
		if (out->number % units[i].factor == 0 && (out->number > 0 || i <= 1))
			best = i;
	}
	snprintf(out->text, sizeof(out->text), "%llu%s",
		 (unsigned long long)(out->number / units[best].factor), units[best].name);
	return check_range(out, form);
}

static int parse_size(struct value *out, const struct value_form *form, struct span typed)
{
	return parse_quantity(out, form, typed, size_units,
			      sizeof(size_units) / sizeof(size_units[0]));
}

static int parse_duration(struct value *out, const struct value_form *form, struct span typed)
{
	return parse_quantity(out, form, typed, time_units,
			      sizeof(time_units) / sizeof(time_units[0]));
}

static bool is_leap(uint64_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days from 1970-01-01 to the first of January of @year (1970 or later). */
static uint64_t days_before_year(uint64_t year)
{
	uint64_t y = year - 1;

	return (year - 1970) * 365 + (y / 4 - y / 100 + y / 400) -
	       (1969 / 4 - 1969 / 100 + 1969 / 400);
}

static int parse_date(struct value *out, const struct value_form *form, struct span typed)
{
	static const uint8_t month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	uint64_t year, month, day;

	if (typed.size != 10 || typed.data[4] != '-' || typed.data[7] != '-' ||
	    parse_digits(&year, typed.data, 4) != 0 ||
	    parse_digits(&month, typed.data + 5, 2) != 0 ||
	    parse_digits(&day, typed.data + 8, 2) != 0)
		return -ERR_SYNTAX;
	if (year < YEAR_LOW || year > YEAR_HIGH || month < 1 || month > 12 || day < 1 ||
	    day > month_days[month - 1] + (month == 2 && is_leap(year) ? 1U : 0U))
		return -ERR_RANGE;
	out->number = days_before_year(year) + day - 1;
	for (uint64_t m = 1; m < month; m++)
		out->number += month_days[m - 1] + (m == 2 && is_leap(year) ? 1U : 0U);
	copy_text(out, typed);
	return 0;
}

static int parse_days(struct value *out, const struct value_form *form, struct span typed)
{
	static const struct value_form day = {TYPE_WORD, .words = "mon tue wed thu fri sat sun"};
	struct span low = typed, high = typed;
	struct value first = {0}, last = {0};

	if (span_equal(typed, span_of("daily"))) {
		out->high = 6;
		copy_text(out, typed);
		return 0;
	}
	(void)cut_at(typed, '-', &low, &high); /* no dash: both are the one day */
	if (parse_word(&first, &day, low) != 0 || parse_word(&last, &day, high) != 0)
		return -ERR_SYNTAX;
	out->number = first.number;
	out->high = last.number;
	if (first.number > last.number)
		return -ERR_RANGE;
	copy_text(out, first.number == last.number ? low : typed);
	if (first.number == 0 && last.number == 6)
		copy_text(out, span_of("daily"));
	return 0;
}

/* HH:MM, up to 24:00. */
static int parse_time_of_day(uint64_t *minutes, const uint8_t *typed)
{
	uint64_t hour, minute;

	if (typed[2] != ':' || parse_digits(&hour, typed, 2) != 0 ||
	    parse_digits(&minute, typed + 3, 2) != 0)
		return -ERR_SYNTAX;
	*minutes = hour * 60 + minute;
	return minute > 59 || *minutes > DAY_MINUTES ? -ERR_RANGE : 0;
}

static int parse_times(struct value *out, const struct value_form *form, struct span typed)
{
	int err;

	if (typed.size != 11 || typed.data[5] != '-')
		return -ERR_SYNTAX;
	err = parse_time_of_day(&out->number, typed.data);
	if (err == 0)
		err = parse_time_of_day(&out->high, typed.data + 6);
	if (err != 0)
		return err;
	copy_text(out, typed);
	if (out->number == out->high || out->number == DAY_MINUTES)
		return -ERR_RANGE;
	if (out->high < out->number)
		out->high += DAY_MINUTES;
	return 0;
}

/* An address or network begins with a digit or holds a colon, which no name does. */
static int parse_place(struct value *out, const struct value_form *form, struct span typed)
{
	int err = value_parse_prefix(out, form, typed);

	if (err != -ERR_SYNTAX || typed.size == 0 || !is_lower(typed.data[0]) ||
	    memchr(typed.data, ':', typed.size) != NULL)
		return err;
	*out = (struct value){0};
	return parse_name(out, form, typed);
}

/* "*." stands for one label or more; two labels at least must follow, or it would mean a whole
 * top-level domain. */
static int parse_pattern(struct value *out, const struct value_form *form, struct span typed)
{
	bool wild = typed.size > 2 && memcmp(typed.data, "*.", 2) == 0;
	struct span host = typed;
	char rest[VALUE_TEXT_BYTES];
	int err;

	if (!wild)
		return parse_host(out, form, typed);
	host.data += 2;
	host.size -= 2;
	if (memchr(host.data, '.', host.size) == NULL)
		return -ERR_SYNTAX;
	err = parse_host(out, form, host);
	if (err != 0)
		return err;
	memcpy(rest, out->text, host.size + 1);
	snprintf(out->text, sizeof(out->text), "*.%.*s", HOST_BYTES_MAX, rest);
	return 0;
}

static int parse_rate(struct value *out, const struct value_form *form, struct span typed)
{
	struct span count, unit;
	int err;

	if (!cut_at(typed, '/', &count, &unit))
		return -ERR_SYNTAX;
	if (span_equal(unit, span_of("s")))
		out->high = 1;
	else if (span_equal(unit, span_of("m")))
		out->high = 60;
	else
		return -ERR_SYNTAX;
	err = value_parse_decimal(&out->number, count);
	if (err != 0)
		return err;
	copy_text(out, typed);
	return check_range(out, form);
}

struct type {
	int (*parse)(struct value *out, const struct value_form *form, struct span typed);
	const char *allowed[2]; /* by enum language; NULL: made from the form */
};

static const struct type types[TYPE_COUNT_] = {
	[TYPE_TEXT] = {parse_text, {NULL, NULL}},
	[TYPE_WORD] = {parse_word, {NULL, NULL}},
	[TYPE_NUMBER] = {parse_number, {NULL, NULL}},
	[TYPE_NAME] = {parse_name,
		       {"a name of a-z, 0-9 and -, beginning with a letter, at most 23 characters",
			"英小文字で始まる名前 (a-z, 0-9, -、23文字以内)"}},
	[TYPE_ZONE] = {parse_name, {"the name of a zone", "ゾーン名"}},
	[TYPE_SERVICE] = {parse_name, {"the name of a service", "サービス名"}},
	[TYPE_SCHEDULE] = {parse_name, {"the name of a schedule", "時間帯 (schedule) の名前"}},
	[TYPE_SCANNER] = {parse_name, {"the name of a scanner", "検査サーバ (scanner) の名前"}},
	[TYPE_SENDER] = {parse_sender,
			 {"a domain or a mail address such as taro@city.example.lg.jp",
			  "ドメインまたはメールアドレス (例 taro@city.example.lg.jp)"}},
	[TYPE_HOST] = {parse_host,
		       {"a host name such as gate.example.lg.jp",
			"ホスト名 (例 gate.example.lg.jp)"}},
	[TYPE_DOMAIN] = {parse_host,
			 {"a domain such as city.example.lg.jp",
			  "ドメイン名 (例 city.example.lg.jp)"}},
	[TYPE_DEVICE] = {parse_device,
			 {"a network port such as eth0, at most 15 characters",
			  "ポート名 (例 eth0、15文字以内)"}},
	[TYPE_ADDRESS] = {value_parse_address,
			  {"an IPv4 or IPv6 unicast address",
			   "IPv4またはIPv6アドレス (ユニキャスト)"}},
	[TYPE_INTERFACE] = {value_parse_interface,
			    {"a host's address with prefix length such as 10.10.0.1/24",
			     "プレフィックス長付きアドレス (例 10.10.0.1/24)"}},
	[TYPE_PREFIX] = {value_parse_prefix,
			 {"an address or a network without host bits such as 10.10.0.0/24",
			  "アドレスまたはネットワーク (例 10.10.0.0/24、ホスト部は0)"}},
	[TYPE_ENDPOINT] = {value_parse_endpoint,
			   {"address, address:port or [IPv6]:port",
			    "アドレス、アドレス:ポート、[IPv6]:ポート"}},
	[TYPE_MAC] = {value_parse_mac,
		      {"a station's MAC address such as 02:00:00:10:00:05",
		       "MACアドレス (例 02:00:00:10:00:05)"}},
	[TYPE_PORTS] = {parse_ports,
			{"a port 1-65535 or a range such as 8000-8080",
			 "ポート1-65535または範囲 (例 8000-8080)"}},
	[TYPE_ICMP] = {parse_icmp,
		       {"any, echo-request or a type 0-255", "any、echo-requestまたは種別0-255"}},
	[TYPE_SIZE] = {parse_size, {NULL, NULL}},
	[TYPE_DURATION] = {parse_duration, {NULL, NULL}},
	[TYPE_DATE] = {parse_date, {"a date such as 2027-03-31", "日付 (例 2027-03-31)"}},
	[TYPE_DAYS] = {parse_days,
		       {"daily, a day such as mon, or days such as mon-fri",
			"daily、曜日 (例 mon)、範囲 (例 mon-fri)"}},
	[TYPE_TIMES] = {parse_times,
			{"hours such as 08:30-17:15, up to 24:00, or 22:00-05:00 into the next day",
			 "時刻の範囲 (例 08:30-17:15、24:00まで。22:00-05:00は翌日まで)"}},
	[TYPE_PLACE] = {parse_place,
			{"an address, a network without host bits such as 10.10.0.0/24, or the "
			 "name of an address-group or station-group",
			 "アドレス、ネットワーク (例 10.10.0.0/24)、address-groupまたは"
			 "station-groupの名前"}},
	[TYPE_PATTERN] =
		{parse_pattern,
		 {"a host name such as www.example.lg.jp, or *.example.lg.jp for all below",
		  "ホスト名 (例 www.example.lg.jp)、その下すべては *.example.lg.jp"}},
	[TYPE_RATE] = {parse_rate, {NULL, NULL}},
};

int value_parse(struct value *out, const struct value_form *form, struct span typed)
{
	*out = (struct value){0};
	if (form->type != TYPE_TEXT && typed.size > VALUE_WORD_BYTES)
		return -ERR_TOO_LONG;
	return types[form->type].parse(out, form, typed);
}

/* @number in the largest unit that divides it. */
static void describe_quantity(struct writer *w, uint64_t number, const struct value_form *form)
{
	struct value_form wide = *form;
	struct value v;
	char typed[32];

	wide.low = 0;
	wide.high = UINT64_MAX;
	snprintf(typed, sizeof(typed), "%llu%s", (unsigned long long)number,
		 form->type == TYPE_DURATION ? "ms" : "");
	if (value_parse(&v, &wide, span_of(typed)) == 0)
		writer_text(w, v.text);
}

static void describe_bounds(struct writer *w, const struct value_form *form, int language)
{
	const char *to = language == 0 ? " to " : "から";

	if (form->type == TYPE_NUMBER || form->type == TYPE_RATE) {
		writer_printf(w, "%llu%s%llu", (unsigned long long)form->low, to,
			      (unsigned long long)form->high);
		if (form->type == TYPE_RATE)
			writer_text(w, language == 0 ? " with /s or /m" : " に /s または /m");
		return;
	}
	describe_quantity(w, form->low, form);
	writer_text(w, to);
	describe_quantity(w, form->high, form);
	if (form->type == TYPE_DURATION)
		writer_text(w,
			    language == 0 ? " (units ms, s, m, h, d)" : " (単位 ms, s, m, h, d)");
	else
		writer_text(w, language == 0 ? " (units KB, MB, GB)" : " (単位 KB, MB, GB)");
}

void value_describe(struct writer *w, const struct value_form *form, int language)
{
	const char *allowed = types[form->type].allowed[language];
	const char *list = form->words;
	struct span word;

	if (allowed != NULL) {
		writer_text(w, allowed);
	} else if (form->type == TYPE_TEXT) {
		writer_printf(
			w,
			language == 0
				? "text of %llu to %llu characters, in \"quotes\" if it has blanks"
				: "%lluから%llu文字の文字列 (空白を含むときは\"引用符\"で囲む)",
			(unsigned long long)form->low, (unsigned long long)form->high);
	} else if (form->type == TYPE_WORD) {
		for (bool first = true; (word = next_word(&list)).size > 0; first = false) {
			writer_text(w, first ? "" : ", ");
			writer_span(w, word);
		}
	} else {
		describe_bounds(w, form, language);
	}
}
