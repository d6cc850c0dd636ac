/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a clamd says: strict, so that only the one text that says so counts as clean. */
#include "wire/scan/clamd.h"

#include <string.h>

#include "base/err.h"

#define DAY_SECONDS  86400
#define YEAR_LOW     1990U
#define YEAR_HIGH    2199U
#define NUMBER_MAX   99U
#define CTIME_BYTES  24 /* "Mon Sep 16 08:30:00 2024" */
#define STREAM_BEGIN "stream: "

static bool begins(struct span s, const char *text)
{
	size_t size = strlen(text);

	return s.size >= size && memcmp(s.data, text, size) == 0;
}

static bool ends(struct span s, const char *text)
{
	size_t size = strlen(text);

	return s.size >= size && memcmp(s.data + s.size - size, text, size) == 0;
}

static struct span behind(struct span s, size_t size)
{
	return (struct span){s.data + size, s.size - size};
}

/* Up to two digits, right-aligned with a blank as ctime(3) writes them. */
static bool read_two(const uint8_t *at, unsigned low, unsigned high, unsigned *out)
{
	bool digit = at[0] >= '0' && at[0] <= '9';

	if ((!digit && at[0] != ' ') || at[1] < '0' || at[1] > '9')
		return false;
	*out = (digit ? (unsigned)(at[0] - '0') * 10U : 0) + (unsigned)(at[1] - '0');
	return *out >= low && *out <= high;
}

static bool read_month(const uint8_t *at, unsigned *month)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (*month = 0; *month < 12; ++*month) {
		if (memcmp(at, names + (size_t)*month * 3, 3) == 0)
			return true;
	}
	return false;
}

/* Days from 1970-01-01 to the first of January of @year. */
static int64_t days_before_year(unsigned year)
{
	unsigned y = year - 1;

	return (int64_t)(year - 1970) * 365 + (y / 4 - y / 100 + y / 400) -
	       (1969 / 4 - 1969 / 100 + 1969 / 400);
}

/* ctime(3) without its line end. Return: whether it is one. */
static bool read_time(struct span s, int64_t *out)
{
	static const uint16_t before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	unsigned month, day, hour, minute, second, century, rest, year;
	int64_t days;

	if (s.size != CTIME_BYTES || s.data[3] != ' ' || s.data[7] != ' ' || s.data[10] != ' ' ||
	    s.data[13] != ':' || s.data[16] != ':' || s.data[19] != ' ' ||
	    !read_month(s.data + 4, &month) || !read_two(s.data + 8, 1, 31, &day) ||
	    !read_two(s.data + 11, 0, 23, &hour) || !read_two(s.data + 14, 0, 59, &minute) ||
	    !read_two(s.data + 17, 0, 60, &second) || !read_two(s.data + 20, 19, 21, &century) ||
	    !read_two(s.data + 22, 0, 99, &rest))
		return false;
	year = century * 100 + rest;
	if (year < YEAR_LOW || year > YEAR_HIGH)
		return false;
	days = days_before_year(year) + before[month] + day - 1;
	days += month > 1 && ((year % 4 == 0 && year % 100 != 0) || year % 400 == 0);
	*out = days * DAY_SECONDS + hour * 3600 + minute * 60 + second;
	return true;
}

/* "ClamAV 1.4.3/27400/Mon Sep 16 08:30:00 2024"; without signatures of its makers, the first part
 * alone. */
static void parse_version(struct span s, struct clamd_reply *out)
{
	const uint8_t *slash = memrchr(s.data, '/', s.size);

	out->kind = CLAMD_VERSION;
	out->text = s;
	if (slash == NULL)
		return;
	out->has_time = read_time(behind(s, (size_t)(slash + 1 - s.data)), &out->local_time_s);
}

static void parse_stream(struct span s, struct clamd_reply *out)
{
	if (span_equal(s, span_of("OK"))) {
		out->kind = CLAMD_CLEAN;
	} else if (ends(s, " FOUND") && s.size > strlen(" FOUND")) {
		out->kind = CLAMD_FOUND;
		out->text = (struct span){s.data, s.size - strlen(" FOUND")};
	}
}

int clamd_reply_parse(struct span line, struct clamd_reply *out)
{
	size_t digits = 0;

	*out = (struct clamd_reply){.kind = CLAMD_ERROR};
	if (line.size > CLAMD_REPLY_MAX)
		return -ERR_TOO_LONG;
	while (digits < line.size && line.data[digits] >= '0' && line.data[digits] <= '9' &&
	       out->number <= NUMBER_MAX)
		out->number = out->number * 10 + (uint32_t)(line.data[digits++] - '0');
	if (digits == 0 || out->number == 0 || out->number > NUMBER_MAX ||
	    !begins(behind(line, digits), ": "))
		return -ERR_SYNTAX;
	line = behind(line, digits + 2);
	out->text = line;
	if (begins(line, "ClamAV "))
		parse_version(line, out);
	else if (begins(line, STREAM_BEGIN))
		parse_stream(behind(line, strlen(STREAM_BEGIN)), out);
	else if (begins(line, "INSTREAM size limit exceeded"))
		out->kind = CLAMD_TOO_BIG;
	return 0;
}
