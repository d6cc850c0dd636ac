/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dates: a reader of tokens, and the calendar arithmetic of Howard Hinnant's days_from_civil in our
 * own words. */
#include "wire/mime/date.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
				   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char weekdays[7][4] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};

/* Obsolete zones with a meaning (RFC 5322 4.3), and the one that Japan writes. */
static const struct {
	const char *name;
	int hours;
} zones[] = {
	{"UT", 0},   {"GMT", 0},  {"UTC", 0},  {"Z", 0},    {"EST", -5}, {"EDT", -4}, {"CST", -6},
	{"CDT", -5}, {"MST", -7}, {"MDT", -6}, {"PST", -8}, {"PDT", -7}, {"JST", 9},
};

int64_t mime_date_days(int64_t year, unsigned month, unsigned day)
{
	/* Years that begin in March have their leap day at the end; 400 of them are 146097 days. */
	int64_t shifted = year - (month <= 2), era = (shifted >= 0 ? shifted : shifted - 399) / 400;
	int64_t of_era = shifted - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void mime_date_civil(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
	int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097,
		of_era = z - era * 146097;
	int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * y + y / 4 - y / 100), m = (5 * of_year + 2) / 153;

	*day = (unsigned)(of_year - (153 * m + 2) / 5 + 1);
	*month = (unsigned)(m < 10 ? m + 3 : m - 9);
	*year = y + era * 400 + (*month <= 2);
}

/* Tokens are runs of letters, digits, colons and signs; comments and commas part them. */
static struct span next_token(struct reader *r)
{
	unsigned depth = 0;
	size_t begin;

	for (int c; (c = reader_peek(r)) >= 0; reader_skip(r, 1)) {
		if (c == '(')
			depth++;
		else if (c == ')' && depth > 0)
			depth--;
		else if (depth == 0 && c > ' ' && c != ',')
			break;
	}
	begin = r->at;
	for (int c; (c = reader_peek(r)) > ' ' && c != ',' && c != '(';)
		reader_skip(r, 1);
	return (struct span){r->data + begin, r->at - begin};
}

/* A number of @low to @high digits that is the whole of @s; -1 otherwise. */
static int64_t number_of(struct span s, size_t low, size_t high)
{
	int64_t value = 0;

	if (s.size < low || s.size > high)
		return -1;
	for (size_t i = 0; i < s.size; i++) {
		if (s.data[i] < '0' || s.data[i] > '9')
			return -1;
		value = value * 10 + s.data[i] - '0';
	}
	return value;
}

static int month_of(struct span s)
{
	for (int i = 0; i < 12; i++) {
		if (s.size >= 3 && span_starts_nocase(s, span_of(months[i])))
			return i + 1;
	}
	return 0;
}

/* "09:00" or "9:00:00" to seconds of the day; -1 where it is none. A leap second counts as the one
 * before. */
static int64_t time_of(struct span s)
{
	int64_t parts[3] = {0};
	size_t begin = 0, n = 0;

	for (size_t i = 0; i <= s.size; i++) {
		if (i < s.size && s.data[i] != ':' && s.data[i] != '.')
			continue;
		if (n == 3)
			return -1;
		parts[n] = number_of((struct span){s.data + begin, i - begin}, 1, 2);
		if (parts[n++] < 0)
			return -1;
		begin = i + 1;
	}
	if (n < 2 || parts[0] > 23 || parts[1] > 59 || parts[2] > 60)
		return -1;
	return parts[0] * 3600 + parts[1] * 60 + (parts[2] > 59 ? 59 : parts[2]);
}

static int32_t zone_of(struct span s)
{
	int64_t value;

	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		if (span_equal_nocase(s, span_of(zones[i].name)))
			return zones[i].hours * 60;
	}
	if (s.size != 5 || (s.data[0] != '+' && s.data[0] != '-'))
		return 0; /* RFC 5322 4.3: unknown zones mean -0000 */
	value = number_of((struct span){s.data + 1, 4}, 4, 4);
	if (value < 0 || value / 100 > 23 || value % 100 > 59)
		return 0;
	value = value / 100 * 60 + value % 100;
	return (int32_t)(s.data[0] == '-' ? -value : value);
}

static int64_t year_of(struct span s)
{
	int64_t year = number_of(s, 2, 4);

	if (year < 0)
		return -1;
	if (s.size == 2)
		return year < 50 ? year + 2000 : year + 1900;
	return s.size == 3 ? year + 1900 : year;
}

int mime_date_parse(struct span value, struct mime_date *out)
{
	struct reader r;
	struct span token;
	int64_t day, year, time;
	unsigned month;

	reader_init(&r, value.data, value.size);
	token = next_token(&r);
	if (token.size > 0 && (token.data[0] < '0' || token.data[0] > '9'))
		token = next_token(&r);
	day = number_of(token, 1, 2);
	month = (unsigned)month_of(next_token(&r));
	year = year_of(next_token(&r));
	time = time_of(next_token(&r));
	if (day < 0 || month == 0 || year < 0 || time < 0)
		return -ERR_SYNTAX;
	if (day < 1 || day > 31 || year < 1900)
		return -ERR_RANGE;
	out->offset_minutes = zone_of(next_token(&r));
	out->seconds = mime_date_days(year, month, (unsigned)day) * 86400 + time -
		       out->offset_minutes * 60;
	return 0;
}

void mime_date_write(const struct mime_date *date, char out[MIME_DATE_BYTES])
{
	int64_t local = date->seconds + (int64_t)date->offset_minutes * 60, year;
	int64_t days = (local >= 0 ? local : local - 86399) / 86400, rest = local - days * 86400;
	int offset = date->offset_minutes < 0 ? -date->offset_minutes : date->offset_minutes;
	unsigned month, day;

	mime_date_civil(days, &year, &month, &day);
	(void)snprintf(out, MIME_DATE_BYTES, "%s, %02u %s %04u %02u:%02u:%02u %c%02u%02u",
		       weekdays[((days % 7) + 7) % 7], day % 100, months[(month - 1) % 12],
		       (unsigned)year % 10000, (unsigned)(rest / 3600 % 100),
		       (unsigned)(rest / 60 % 60), (unsigned)(rest % 60),
		       date->offset_minutes < 0 ? '-' : '+', (unsigned)(offset / 60 % 100),
		       (unsigned)(offset % 60));
}
