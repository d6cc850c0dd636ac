/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recurrence rules (RFC 5545 3.3.10) in words: how often, on which days, until when. Parts that are
 * not known here stand behind it as they are. */
#include "mail-flattener/state.h"

#include <string.h>

struct rule {
	struct span freq, interval, count, until, days, dates, months;
	struct span others[8]; /* parts with their names */
	size_t other_count;
};

static bool is(struct span s, const char *word)
{
	return span_equal_nocase(s, span_of(word));
}

static void take_part(struct rule *rule, struct span part)
{
	const uint8_t *equals = part.size > 0 ? memchr(part.data, '=', part.size) : NULL;
	struct span name = {part.data, equals != NULL ? (size_t)(equals - part.data) : part.size};
	struct span value = {part.data + name.size, part.size - name.size};
	const struct {
		const char *name;
		struct span *value;
	} parts[] = {
		{"FREQ", &rule->freq},      {"INTERVAL", &rule->interval},
		{"COUNT", &rule->count},    {"UNTIL", &rule->until},
		{"BYDAY", &rule->days},     {"BYMONTHDAY", &rule->dates},
		{"BYMONTH", &rule->months},
	};

	if (equals != NULL)
		value = (struct span){value.data + 1, value.size - 1};
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (is(name, parts[i].name)) {
			*parts[i].value = value;
			return;
		}
	}
	/* The week's first day changes no day that is named. */
	if (part.size > 0 && !is(name, "WKST") && rule->other_count < 8)
		rule->others[rule->other_count++] = part;
}

/* The piece of @s from *@at up to @separator; *@at is moved behind it. */
static struct span next_piece(struct span s, size_t *at, char separator)
{
	const uint8_t *end = memchr(s.data + *at, separator, s.size - *at);
	size_t size = end != NULL ? (size_t)(end - s.data) - *at : s.size - *at, begin = *at;

	*at += size + 1;
	return (struct span){s.data + begin, size};
}

static void put(struct flatten *f, struct bytes *out, struct span s)
{
	flatten_fail(f, bytes_append(out, s.data, s.size < 60 ? s.size : 60));
}

static void put_text(struct flatten *f, struct bytes *out, const char *ja, const char *en)
{
	flatten_fail(f, bytes_append_text(out, f->policy->english ? en : ja));
}

static void put_frequency(struct flatten *f, const struct rule *rule, struct bytes *out)
{
	static const struct {
		const char *freq, *each_ja, *each_en, *unit_ja, *unit_en;
	} units[] = {
		{"DAILY", "毎日", "every day", "日ごと", "days"},
		{"WEEKLY", "毎週", "every week", "週ごと", "weeks"},
		{"MONTHLY", "毎月", "every month", "か月ごと", "months"},
		{"YEARLY", "毎年", "every year", "年ごと", "years"},
		{"HOURLY", "毎時", "every hour", "時間ごと", "hours"},
	};
	bool each = rule->interval.size == 0 || is(rule->interval, "1");

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (!is(rule->freq, units[i].freq))
			continue;
		if (each) {
			put_text(f, out, units[i].each_ja, units[i].each_en);
			return;
		}
		put_text(f, out, "", "every ");
		put(f, out, rule->interval);
		put_text(f, out, units[i].unit_ja, " ");
		put_text(f, out, "", units[i].unit_en);
		return;
	}
	put(f, out, rule->freq);
}

/* "2TU" is the second Tuesday, "-1FR" the last Friday. */
static void put_day(struct flatten *f, struct span day, struct bytes *out)
{
	static const struct {
		const char *word, *ja, *en;
	} days[] = {
		{"SU", "日", "Sun"}, {"MO", "月", "Mon"}, {"TU", "火", "Tue"}, {"WE", "水", "Wed"},
		{"TH", "木", "Thu"}, {"FR", "金", "Fri"}, {"SA", "土", "Sat"},
	};
	size_t number = day.size > 2 ? day.size - 2 : 0;
	struct span word = {day.data + number, day.size - number}, ordinal = {day.data, number};

	if (is(ordinal, "-1")) {
		put_text(f, out, "最終", "last ");
	} else if (number > 0) {
		put_text(f, out, "第", "");
		put(f, out, ordinal);
		put_text(f, out, "", ". ");
	}
	for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
		if (is(word, days[i].word)) {
			put_text(f, out, days[i].ja, days[i].en);
			return;
		}
	}
	put(f, out, word);
}

static void put_days(struct flatten *f, const struct rule *rule, struct bytes *out)
{
	if (rule->months.size > 0) {
		put_text(f, out, " ", ", month ");
		put(f, out, rule->months);
		put_text(f, out, "月", "");
	}
	if (rule->dates.size > 0) {
		put_text(f, out, " ", ", day ");
		put(f, out, rule->dates);
		put_text(f, out, "日", "");
	}
	if (rule->days.size == 0)
		return;
	put_text(f, out, " (", " (");
	for (size_t at = 0; at < rule->days.size && at < 120;) {
		if (at > 0)
			put_text(f, out, "・", ", ");
		put_day(f, next_piece(rule->days, &at, ','), out);
	}
	put_text(f, out, ")", ")");
}

static void put_end(struct flatten *f, const struct rule *rule, struct bytes *out)
{
	if (rule->count.size > 0) {
		put_text(f, out, "、全", ", ");
		put(f, out, rule->count);
		put_text(f, out, "回", " times");
	}
	if (rule->until.size >= 8) {
		const char *day = (const char *)rule->until.data;

		put_text(f, out, "、", ", until ");
		flatten_fail(f, bytes_printf(out, "%.4s-%.2s-%.2s", day, day + 4, day + 6));
		put_text(f, out, "まで", "");
	}
	for (size_t i = 0; i < rule->other_count; i++) {
		flatten_fail(f, bytes_append_text(out, i == 0 ? " [" : "; "));
		put(f, out, rule->others[i]);
	}
	if (rule->other_count > 0)
		flatten_fail(f, bytes_append_u8(out, ']'));
}

void calendar_rule_write(struct flatten *f, struct span text, struct bytes *out)
{
	struct rule rule = {.other_count = 0};

	rule.freq = rule.interval = rule.count = rule.until = rule.days = rule.dates = rule.months =
		span_of("");
	for (size_t at = 0; at < text.size;)
		take_part(&rule, next_piece(text, &at, ';'));
	put_frequency(f, &rule, out);
	put_days(f, &rule, out);
	put_end(f, &rule, out);
}
