/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 5424 messages, both ways. */
#include "wire/log/syslog.h"

#include <stdbool.h>
#include <string.h>

#include "base/err.h"
#include "base/utf8.h"
#include "wire/mime/date.h"

#define DAY_S 86400

static const char byte_order_mark[] = "\xef\xbb\xbf";

/* ---- writing */

struct civil {
	int64_t year;
	unsigned month, day, hour, minute, second;
};

/* Days since 1970-01-01 to a date of the Gregorian calendar: years run from March, so that the leap
 * day is the last. */
static struct civil civil_from_seconds(int64_t seconds)
{
	int64_t days = seconds / DAY_S, rest = seconds % DAY_S;
	int64_t era, year;
	unsigned day_of_era, year_of_era, day_of_year, month;
	struct civil c;

	if (rest < 0) {
		rest += DAY_S;
		days--;
	}
	days += 719468; /* from 0000-03-01 */
	era = (days >= 0 ? days : days - 146096) / 146097;
	day_of_era = (unsigned)(days - era * 146097);
	year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	month = (5 * day_of_year + 2) / 153;
	year = (int64_t)year_of_era + era * 400;
	c.day = day_of_year - (153 * month + 2) / 5 + 1;
	c.month = month < 10 ? month + 3 : month - 9;
	c.year = year + (c.month <= 2);
	c.hour = (unsigned)(rest / 3600);
	c.minute = (unsigned)(rest / 60 % 60);
	c.second = (unsigned)(rest % 60);
	return c;
}

/* RFC 5424 6.2.3 with microseconds, the most that it allows. A year that RFC 3339 cannot write is
 * NILVALUE. */
static void put_time(struct writer *w, int64_t wall_ns, int32_t offset_s)
{
	int64_t seconds = wall_ns / 1000000000, rest_ns = wall_ns % 1000000000;
	unsigned offset_minutes = (unsigned)(offset_s < 0 ? -offset_s : offset_s) / 60 % (24 * 60);
	struct civil c;

	if (rest_ns < 0) {
		rest_ns += 1000000000;
		seconds--;
	}
	c = civil_from_seconds(seconds + (offset_s < 0 ? -1 : 1) * (int64_t)offset_minutes * 60);
	if (c.year < 0 || c.year > 9999) {
		writer_text(w, "-");
		return;
	}
	writer_printf(w, "%04u-%02u-%02uT%02u:%02u:%02u.%06u", (unsigned)c.year, c.month, c.day,
		      c.hour, c.minute, c.second, (unsigned)(rest_ns / 1000));
	if (offset_minutes == 0)
		writer_text(w, "Z");
	else
		writer_printf(w, "%c%02u:%02u", offset_s < 0 ? '-' : '+', offset_minutes / 60,
			      offset_minutes % 60);
}

/* Two or four digits at @at. Return: -1 where there are none. */
static int digits_at(struct span text, size_t at, size_t count)
{
	int number = 0;

	if (text.size < at + count)
		return -1;
	for (size_t i = at; i < at + count; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return -1;
		number = number * 10 + (text.data[i] - '0');
	}
	return number;
}

/* "Z" or "+09:00", all of @text. Return: 0 or -ERR_SYNTAX. */
static int parse_offset(struct span text, int64_t *offset_s)
{
	int hours = digits_at(text, 1, 2), minutes = digits_at(text, 4, 2);

	*offset_s = 0;
	if (text.size == 1 && text.data[0] == 'Z')
		return 0;
	if (text.size != 6 || (text.data[0] != '+' && text.data[0] != '-') || text.data[3] != ':' ||
	    hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
		return -ERR_SYNTAX;
	*offset_s = (text.data[0] == '-' ? -60 : 60) * (60 * (int64_t)hours + minutes);
	return 0;
}

int syslog_time_s(struct span time, int64_t *out_s)
{
	static const char form[] = "0000-00-00T00:00:00";
	static const struct {
		size_t at, digits;
		int low, high;
	} parts[] = {{0, 4, 0, 9999}, {5, 2, 1, 12},  {8, 2, 1, 31},
		     {11, 2, 0, 23},  {14, 2, 0, 59}, {17, 2, 0, 59}};
	size_t at = sizeof(form) - 1;
	int64_t offset_s;
	int v[6];

	for (unsigned i = 0; i < 6; i++) {
		v[i] = digits_at(time, parts[i].at, parts[i].digits);
		if (v[i] < parts[i].low || v[i] > parts[i].high)
			return -ERR_SYNTAX;
	}
	if (time.data[4] != '-' || time.data[7] != '-' || time.data[10] != 'T' ||
	    time.data[13] != ':' || time.data[16] != ':')
		return -ERR_SYNTAX;
	if (at < time.size && time.data[at] == '.')
		at++;
	while (at > sizeof(form) - 1 && digits_at(time, at, 1) >= 0)
		at++;
	if (parse_offset((struct span){time.data + at, time.size - at}, &offset_s) < 0)
		return -ERR_SYNTAX;
	*out_s = mime_date_days(v[0], (unsigned)v[1], (unsigned)v[2]) * 86400 + v[3] * 3600 +
		 v[4] * 60 + v[5] - offset_s;
	return 0;
}

static void put_header_field(struct writer *w, const char *text, size_t most)
{
	writer_text(w, " ");
	if (text == NULL || text[0] == '\0') {
		writer_text(w, "-");
		return;
	}
	for (size_t i = 0; i < most && text[i] != '\0'; i++)
		writer_u8(w, text[i] > ' ' && text[i] < 0x7f ? (uint8_t)text[i] : (uint8_t)'_');
}

void syslog_put_header(struct writer *w, const struct syslog_header *header)
{
	writer_printf(w, "<%u>1 ", header->facility % 24 * 8 + header->severity % 8);
	put_time(w, header->wall_ns, header->utc_offset_s);
	put_header_field(w, header->host, SYSLOG_HOST_MAX);
	put_header_field(w, header->app, SYSLOG_APP_MAX);
	put_header_field(w, header->process, SYSLOG_PROCESS_MAX);
	put_header_field(w, header->message_id, SYSLOG_MESSAGE_ID_MAX);
	writer_text(w, " ");
}

void syslog_put_element(struct writer *w, const char *id)
{
	writer_printf(w, "[%s", id);
}

void syslog_end_element(struct writer *w)
{
	writer_text(w, "]");
}

struct character_range {
	uint32_t first, last;
};

/* What must not reach a terminal or a viewer as it is: it would be obeyed, or would hide or reorder
 * other text. */
static bool is_unsafe(uint32_t c)
{
	static const struct character_range unsafe[] = {
		{0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},       {0x61c, 0x61c},
		{0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},   {0xfe00, 0xfe0f},
		{0xfeff, 0xfeff}, {0xfff0, 0xfffb}, {0xe0000, 0xe0fff},
	};

	for (size_t i = 0; i < sizeof(unsafe) / sizeof(unsafe[0]); i++) {
		if (c >= unsafe[i].first && c <= unsafe[i].last)
			return true;
	}
	return (c & 0xfffe) == 0xfffe; /* never a character */
}

static void put_hex(struct writer *w, const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		writer_printf(w, "\\\\x%02x", bytes[i]);
}

void syslog_put_param(struct writer *w, const char *name, struct span value)
{
	writer_printf(w, " %s=\"", name);
	while (value.size > 0) {
		uint32_t c = 0;
		size_t size = utf8_decode(value, &c);

		if (size == 0 || is_unsafe(c) || c == '\\') {
			size = size == 0 ? 1 : size;
			put_hex(w, value.data, size);
		} else {
			if (c == '"' || c == ']')
				writer_u8(w, '\\');
			writer_bytes(w, value.data, size);
		}
		value.data += size;
		value.size -= size;
	}
	writer_u8(w, '"');
}

void syslog_put_param_number(struct writer *w, const char *name, uint64_t value)
{
	writer_printf(w, " %s=\"%llu\"", name, (unsigned long long)value);
}

static bool is_ascii(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((uint8_t)*text >= 0x80)
			return false;
	}
	return true;
}

void syslog_put_text(struct writer *w, const char *text)
{
	if (text[0] == '\0')
		return;
	writer_text(w, " ");
	if (!is_ascii(text))
		writer_text(w, byte_order_mark);
	writer_text(w, text);
}

/* ---- reading */

/* The bytes up to @stop, which is taken too. Return: 0 or -ERR_SYNTAX (empty, longer than @most, no
 * @stop). */
static int take_until(struct reader *r, uint8_t stop, size_t most, struct span *out)
{
	size_t size = 0;

	while (size < reader_left(r) && r->data[r->at + size] != stop)
		size++;
	if (size == 0 || size > most || size == reader_left(r))
		return -ERR_SYNTAX;
	*out = reader_span(r, size);
	reader_skip(r, 1);
	return 0;
}

static int parse_priority(struct reader *r, struct syslog_view *out)
{
	struct span digits;
	unsigned value = 0;

	if (reader_u8(r) != '<' || take_until(r, '>', 3, &digits) < 0)
		return -ERR_SYNTAX;
	for (size_t i = 0; i < digits.size; i++) {
		if (digits.data[i] < '0' || digits.data[i] > '9')
			return -ERR_SYNTAX;
		value = value * 10 + digits.data[i] - '0';
	}
	if (value > 191 || (digits.size > 1 && digits.data[0] == '0'))
		return -ERR_SYNTAX;
	out->facility = value / 8;
	out->severity = value % 8;
	return reader_u8(r) == '1' && reader_u8(r) == ' ' ? 0 : -ERR_SYNTAX;
}

static int parse_header_fields(struct reader *r, struct syslog_view *out)
{
	const struct {
		struct span *view;
		size_t most;
	} fields[] = {
		{&out->time, 32},
		{&out->host, SYSLOG_HOST_MAX},
		{&out->app, SYSLOG_APP_MAX},
		{&out->process, SYSLOG_PROCESS_MAX},
		{&out->message_id, SYSLOG_MESSAGE_ID_MAX},
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (take_until(r, ' ', fields[i].most, fields[i].view) < 0)
			return -ERR_SYNTAX;
	}
	return 0;
}

/* A quoted value from behind its opening quote to behind the closing one. */
static int take_value(struct reader *r, struct span *value)
{
	size_t start = r->at;

	while (reader_left(r) > 0) {
		uint8_t c = reader_u8(r);

		if (c == '\\') {
			reader_skip(r, 1);
		} else if (c == '"') {
			*value = (struct span){r->data + start, r->at - start - 1};
			return r->failed ? -ERR_SYNTAX : 0;
		} else if (c == ']') {
			return -ERR_SYNTAX;
		}
	}
	return -ERR_SYNTAX;
}

/* One ` name="value"`. Return: 1 taken, 0 the element ends here (bracket taken), -ERR_SYNTAX. */
static int take_param(struct reader *r, struct span *name, struct span *value)
{
	uint8_t next = reader_u8(r);

	if (next == ']' && !r->failed)
		return 0;
	if (next != ' ' || take_until(r, '=', SYSLOG_NAME_MAX, name) < 0 || reader_u8(r) != '"')
		return -ERR_SYNTAX;
	return take_value(r, value) < 0 ? -ERR_SYNTAX : 1;
}

/* The name of an element, from behind its opening bracket. */
static int skip_element_name(struct reader *r)
{
	size_t size = 0;

	while (reader_peek(r) > ' ' && reader_peek(r) != ']' && reader_peek(r) != '"' &&
	       reader_peek(r) != '=') {
		reader_skip(r, 1);
		size++;
	}
	return size > 0 && size <= SYSLOG_NAME_MAX ? 0 : -ERR_SYNTAX;
}

static int skip_element(struct reader *r)
{
	struct span name, value;
	int got = 1;

	if (reader_u8(r) != '[' || skip_element_name(r) < 0)
		return -ERR_SYNTAX;
	while (got > 0)
		got = take_param(r, &name, &value);
	return got;
}

static int parse_data(struct reader *r, struct syslog_view *out)
{
	size_t start = r->at;

	if (reader_peek(r) == '-') {
		reader_skip(r, 1);
	} else {
		do {
			if (skip_element(r) < 0)
				return -ERR_SYNTAX;
		} while (reader_peek(r) == '[');
	}
	out->data = (struct span){r->data + start, r->at - start};
	return 0;
}

static int parse_text(struct reader *r, struct syslog_view *out)
{
	out->text = (struct span){r->data + r->at, 0};
	if (reader_left(r) == 0)
		return 0;
	if (reader_u8(r) != ' ')
		return -ERR_SYNTAX;
	out->text = reader_span(r, reader_left(r));
	if (out->text.size >= 3 && memcmp(out->text.data, byte_order_mark, 3) == 0) {
		out->text.data += 3;
		out->text.size -= 3;
	}
	return 0;
}

int syslog_parse(struct span line, struct syslog_view *out)
{
	struct reader r;

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < line.size; i++) {
		if (line.data[i] < ' ' || line.data[i] == 0x7f)
			return -ERR_SYNTAX;
	}
	reader_init(&r, line.data, line.size);
	if (parse_priority(&r, out) < 0 || parse_header_fields(&r, out) < 0 ||
	    parse_data(&r, out) < 0 || parse_text(&r, out) < 0)
		return -ERR_SYNTAX;
	return 0;
}

int syslog_param(const struct syslog_view *view, const char *name, struct span *value)
{
	struct span wanted = span_of(name), found;
	struct reader r;

	reader_init(&r, view->data.data, view->data.size);
	while (reader_peek(&r) == '[') {
		reader_skip(&r, 1);
		if (skip_element_name(&r) < 0)
			break;
		while (take_param(&r, &found, value) > 0) {
			if (span_equal(found, wanted))
				return 0;
		}
	}
	return -ERR_NOT_FOUND;
}

int syslog_param_number(const struct syslog_view *view, const char *name, uint64_t *value)
{
	struct span text;
	uint64_t number = 0;

	if (syslog_param(view, name, &text) < 0)
		return -ERR_NOT_FOUND;
	if (text.size == 0)
		return -ERR_SYNTAX;
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return -ERR_SYNTAX;
		if (__builtin_mul_overflow(number, 10U, &number) ||
		    __builtin_add_overflow(number, (uint64_t)(text.data[i] - '0'), &number))
			return -ERR_RANGE;
	}
	*value = number;
	return 0;
}
