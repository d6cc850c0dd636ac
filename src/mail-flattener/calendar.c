/* SPDX-License-Identifier: GPL-2.0-or-later */
/* text/calendar (RFC 5545): what a person needs of an invitation, with times in Japan's. */
#include "mail-flattener/state.h"

#include <stdio.h>
#include <string.h>

#include "wire/mime/date.h"

enum {
	ATTENDEES_SHOWN = 20,
	EVENTS_SHOWN = 50,
	JST_MINUTES = 9 * 60,
	DAY_MINUTES = 24 * 60,
	ZONES_MAX = 16,
	DATE_TEXT = 80
};

/* One content line, unfolded. */
struct content_line {
	struct span name;
	struct span params;
	struct span value;
};

/* RFC 5545 3.1: a line goes on behind a line end and one space or tab. */
static struct bytes unfold(struct flatten *f, struct span text)
{
	struct bytes out;

	bytes_init(&out, text.size + 1);
	for (size_t at = 0; at < text.size;) {
		const uint8_t *lf = memchr(text.data + at, '\n', text.size - at);
		size_t end = lf != NULL ? (size_t)(lf - text.data) : text.size, size = end - at;
		bool folded = end + 1 < text.size &&
			      (text.data[end + 1] == ' ' || text.data[end + 1] == '\t');

		if (size > 0 && text.data[end - 1] == '\r')
			size--;
		flatten_fail(f, bytes_append(&out, text.data + at, size));
		if (!folded)
			flatten_fail(f, bytes_append_u8(&out, '\n'));
		at = end + (folded ? 2 : 1);
	}
	return out;
}

static bool read_line(struct span text, size_t *at, struct content_line *line)
{
	const uint8_t *lf;
	size_t end, name = *at, value;

	if (*at >= text.size)
		return false;
	lf = memchr(text.data + *at, '\n', text.size - *at);
	end = lf != NULL ? (size_t)(lf - text.data) : text.size;
	while (name < end && text.data[name] != ':' && text.data[name] != ';')
		name++;
	value = name;
	for (bool quoted = false; value < end && (quoted || text.data[value] != ':'); value++)
		quoted = quoted != (text.data[value] == '"');
	line->name = (struct span){text.data + *at, name - *at};
	line->params = (struct span){text.data + name, value - name};
	value += value < end;
	line->value = (struct span){text.data + value, end - value};
	*at = end + 1;
	return true;
}

/* TEXT values (RFC 5545 3.3.11) with their escapes undone. */
static void put_text(struct flatten *f, struct span value, struct bytes *out)
{
	bytes_clear(out);
	for (size_t i = 0; i < value.size; i++) {
		uint8_t c = value.data[i];

		if (c == '\\' && i + 1 < value.size) {
			c = value.data[++i];
			c = c == 'n' || c == 'N' ? '\n' : c;
		}
		flatten_fail(f, bytes_append_u8(out, c));
	}
}

static unsigned digits(struct span s, size_t at, size_t count)
{
	unsigned value = 0;

	for (size_t i = at; i < at + count; i++)
		value = i < s.size && s.data[i] >= '0' && s.data[i] <= '9'
				? value * 10 + (s.data[i] - '0')
				: 99999;
	return value;
}

static bool is(struct span s, const char *name)
{
	return span_equal_nocase(s, span_of(name));
}

/* A time zone that the calendar defines. */
struct zone {
	struct span id;
	int minutes; /* east of UTC, in standard time */
	bool shifts; /* it has summer time: when, is not reckoned */
	bool known;
};

struct zones {
	struct zone zones[ZONES_MAX];
	size_t count;
};

/* "+0900" */
static bool read_offset(struct span s, int *minutes)
{
	unsigned hour, minute;

	s = span_trim(s);
	hour = digits(s, 1, 2);
	minute = digits(s, 3, 2);
	if (s.size < 5 || hour > 23 || minute > 59)
		return false;
	*minutes = (int)(hour * 60 + minute) * (s.data[0] == '-' ? -1 : 1);
	return true;
}

/* All zones of the calendar. */
static void read_zones(struct span text, struct zones *zones)
{
	struct zone *zone = NULL;
	struct content_line line;
	size_t at = 0;

	zones->count = 0;
	while (read_line(text, &at, &line)) {
		if (is(line.name, "BEGIN") && is(line.value, "VTIMEZONE"))
			zone = zones->count < ZONES_MAX ? &zones->zones[zones->count++] : NULL;
		else if (is(line.name, "END") && is(line.value, "VTIMEZONE"))
			zone = NULL;
		if (zone == NULL)
			continue;
		if (is(line.name, "BEGIN") && is(line.value, "VTIMEZONE"))
			*zone = (struct zone){.id = span_of("")};
		else if (is(line.name, "TZID"))
			zone->id = span_trim(line.value);
		else if (is(line.name, "BEGIN") && is(line.value, "DAYLIGHT"))
			zone->shifts = true;
		else if (is(line.name, "TZOFFSETTO"))
			zone->known = read_offset(line.value, &zone->minutes);
	}
}

/* The zone that a date names, without its quotes; empty where it names none. */
static struct span zone_name(const struct content_line *line)
{
	const uint8_t *zone = memmem(line->params.data, line->params.size, "TZID=", 5);
	size_t left = zone != NULL ? line->params.size - (size_t)(zone + 5 - line->params.data) : 0;
	struct span name = {zone != NULL ? zone + 5 : (const uint8_t *)"", 0};

	while (name.size < left && name.data[name.size] != ';')
		name.size++;
	if (name.size >= 2 && name.data[0] == '"')
		name = (struct span){name.data + 1, name.size - 2};
	return name;
}

/* Zones without summer time that calendars name and do not define: those of IANA and of Windows. */
static const struct {
	const char *name;
	int minutes;
} known_zones[] = {
	{"UTC", 0},
	{"GMT", 0},
	{"Etc/UTC", 0},
	{"Etc/GMT", 0},
	{"Coordinated Universal Time", 0},
	{"Japan", JST_MINUTES},
	{"JST", JST_MINUTES},
	{"Asia/Seoul", 540},
	{"Korea Standard Time", 540},
	{"Asia/Shanghai", 480},
	{"Asia/Chongqing", 480},
	{"Asia/Hong_Kong", 480},
	{"Asia/Macau", 480},
	{"China Standard Time", 480},
	{"Asia/Taipei", 480},
	{"Taipei Standard Time", 480},
	{"Asia/Singapore", 480},
	{"Asia/Kuala_Lumpur", 480},
	{"Singapore Standard Time", 480},
	{"Asia/Manila", 480},
	{"Australia/Perth", 480},
	{"W. Australia Standard Time", 480},
	{"Asia/Bangkok", 420},
	{"Asia/Jakarta", 420},
	{"Asia/Ho_Chi_Minh", 420},
	{"SE Asia Standard Time", 420},
	{"Asia/Kolkata", 330},
	{"Asia/Calcutta", 330},
	{"India Standard Time", 330},
	{"Asia/Dubai", 240},
	{"Arabian Standard Time", 240},
	{"Australia/Brisbane", 600},
	{"E. Australia Standard Time", 600},
	{"Pacific/Honolulu", -600},
	{"Hawaiian Standard Time", -600},
};

static bool is_known_zone(struct span name, int *minutes)
{
	for (size_t i = 0; i < sizeof(known_zones) / sizeof(known_zones[0]); i++) {
		if (is(name, known_zones[i].name)) {
			*minutes = known_zones[i].minutes;
			return true;
		}
	}
	return false;
}

/* How far the date's clock is from UTC. Return: false where that is not known. */
static bool offset_of(const struct content_line *line, const struct zones *zones, bool utc,
		      int *minutes)
{
	struct span name = zone_name(line);

	*minutes = utc ? 0 : JST_MINUTES;
	if (utc || (name.size > 0 && (memmem(name.data, name.size, "Tokyo", 5) != NULL ||
				      memmem(name.data, name.size, "東京", 6) != NULL)))
		return true;
	for (size_t i = 0; name.size > 0 && i < zones->count; i++) {
		const struct zone *zone = &zones->zones[i];

		if (span_equal_nocase(zone->id, name) && zone->known && !zone->shifts) {
			*minutes = zone->minutes;
			return true;
		}
	}
	return is_known_zone(name, minutes);
}

/* "20261122T090000Z": in Japan's time; local times with the name of their zone; whole days as they
 * are. */
static void write_date(const struct content_line *line, const struct zones *zones, bool english,
		       char out[DATE_TEXT])
{
	static const char *const names[2][7] = {
		{"木", "金", "土", "日", "月", "火", "水"},
		{"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"},
	};
	struct span v = span_trim(line->value);
	unsigned year = digits(v, 0, 4), month = digits(v, 4, 2), day = digits(v, 6, 2);
	unsigned hour = digits(v, 9, 2), minute = digits(v, 11, 2);
	bool utc = v.size == 16 && v.data[15] == 'Z', timed = v.size >= 13 && v.data[8] == 'T';
	int64_t days, year_of;
	bool known;
	int at, offset, minutes;

	if (v.size < 8 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31 ||
	    (timed && (hour > 23 || minute > 59))) {
		(void)snprintf(out, DATE_TEXT, "%.*s", (int)(v.size < 40 ? v.size : 40),
			       (const char *)v.data);
		return;
	}
	known = offset_of(line, zones, utc, &offset);
	minutes = timed ? (int)(hour * 60 + minute) + (known ? JST_MINUTES - offset : 0) : 0;
	days = mime_date_days(year, month, day) + (minutes + DAY_MINUTES) / DAY_MINUTES - 1;
	minutes = (minutes + DAY_MINUTES) % DAY_MINUTES;
	mime_date_civil(days, &year_of, &month, &day);
	at = snprintf(out, DATE_TEXT, "%u-%02u-%02u (%s)", (unsigned)year_of, month, day,
		      names[english][((days % 7) + 7) % 7]);
	if (timed)
		(void)snprintf(out + at, DATE_TEXT - (size_t)at, " %02d:%02d%s", minutes / 60,
			       minutes % 60, known ? " JST" : "");
}

static void show_date(struct flatten *f, enum notice notice, const struct content_line *line,
		      const struct zones *zones, struct bytes *clean)
{
	struct span zone = zone_name(line);
	char text[DATE_TEXT + 64];

	write_date(line, zones, f->policy->english, text);
	if (zone.size > 0 && strstr(text, "JST") == NULL) {
		size_t at = strlen(text);

		(void)snprintf(text + at, sizeof(text) - at, " (%.*s)",
			       (int)(zone.size < 40 ? zone.size : 40), (const char *)zone.data);
	}
	flatten_say(f, notice, flatten_clean(f, span_of(text), DATE_TEXT + 64, clean), NULL);
}

/* Whether a person will come, as the parameters say. */
static struct span participation(struct span params)
{
	const uint8_t *found = memmem(params.data, params.size, "PARTSTAT=", 9);
	size_t left = found != NULL ? params.size - (size_t)(found + 9 - params.data) : 0;
	struct span state = {found != NULL ? found + 9 : params.data, 0};

	while (state.size < left && state.data[state.size] != ';')
		state.size++;
	return state;
}

/* People: the name that stands in CN, or the address behind mailto:. */
static void show_person(struct flatten *f, enum notice notice, const struct content_line *line,
			struct bytes *clean)
{
	const uint8_t *cn = memmem(line->params.data, line->params.size, "CN=", 3);
	struct span value = line->value, name = span_of("");
	const char *state;
	struct bytes text;

	if (span_starts_nocase(value, span_of("mailto:")))
		value = (struct span){value.data + 7, value.size - 7};
	if (cn != NULL) {
		size_t left = line->params.size - (size_t)(cn + 3 - line->params.data), size = 0;
		bool quoted = left > 0 && cn[3] == '"';

		name = (struct span){cn + 3 + quoted, left - quoted};
		while (size < name.size && name.data[size] != (quoted ? '"' : ';'))
			size++;
		name.size = size;
	}
	bytes_init(&text, MIME_FIELD_BYTES_MAX);
	flatten_fail(f, bytes_append(&text, name.data, name.size < 200 ? name.size : 200));
	flatten_fail(f, bytes_printf(&text, " <%.*s>", (int)(value.size < 320 ? value.size : 320),
				     (const char *)value.data));
	state = words_state(f, participation(line->params));
	if (state != NULL)
		flatten_fail(f, bytes_printf(&text, " (%s)", state));
	flatten_say(f, notice, flatten_clean(f, bytes_span(&text), FLATTEN_SUBJECT_BYTES, clean),
		    NULL);
	bytes_fini(&text);
}

/* "P1DT2H30M" (RFC 5545 3.3.6) in words; as it stands where it is none. */
static void show_duration(struct flatten *f, struct span value, struct bytes *clean)
{
	static const struct {
		char letter;
		const char *japanese, *english;
	} parts[] = {{'W', "週間", " w"},
		     {'D', "日", " d"},
		     {'H', "時間", " h"},
		     {'M', "分", " min"},
		     {'S', "秒", " s"}};
	struct span v = span_trim(value);
	char text[DATE_TEXT] = "";
	size_t at = v.size > 0 && (v.data[0] == '+' || v.data[0] == '-') ? 1 : 0, used = 0,
	       next = 0;

	for (at++; at < v.size; at++) {
		unsigned number = 0;
		size_t begin = at;

		if (v.data[at] == 'T')
			continue;
		for (; at < v.size && v.data[at] >= '0' && v.data[at] <= '9'; at++)
			number = number < 100000 ? number * 10 + (v.data[at] - '0') : number;
		while (next < sizeof(parts) / sizeof(parts[0]) && at < v.size &&
		       parts[next].letter != (char)v.data[at])
			next++;
		if (begin == at || at == v.size || next == sizeof(parts) / sizeof(parts[0])) {
			used = 0;
			break;
		}
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%u%s",
					 f->policy->english && used > 0 ? " " : "", number,
					 f->policy->english ? parts[next].english
							    : parts[next].japanese);
		next++;
	}
	flatten_say(f, NOTICE_C_DURATION,
		    flatten_clean(f, used > 0 ? span_of(text) : v, DATE_TEXT, clean), NULL);
}

/* The properties of an event that are shown, and how. */
static void show_property(struct flatten *f, const struct content_line *line,
			  const struct zones *zones, unsigned *attendees, struct bytes *clean)
{
	static const struct dated {
		const char *name;
		enum notice notice;
	} dates[] = {
		{"DTSTART", NOTICE_C_START}, {"DTEND", NOTICE_C_END},
		{"DUE", NOTICE_C_END},       {"RECURRENCE-ID", NOTICE_C_OCCURRENCE},
		{"EXDATE", NOTICE_C_EXCEPT},
	};
	const struct dated *date = NULL;
	static const struct {
		const char *name;
		enum notice notice;
	} texts[] = {
		{"SUMMARY", NOTICE_C_SUMMARY},
		{"LOCATION", NOTICE_C_LOCATION},
	};
	struct bytes text;

	for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++)
		date = is(line->name, dates[i].name) ? &dates[i] : date;
	bytes_init(&text, line->value.size + 1024);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (!is(line->name, texts[i].name))
			continue;
		put_text(f, line->value, &text);
		flatten_say(f, texts[i].notice,
			    flatten_clean(f, bytes_span(&text), FLATTEN_SUBJECT_BYTES, clean),
			    NULL);
	}
	if (date != NULL) {
		show_date(f, date->notice, line, zones, clean);
	} else if (is(line->name, "DURATION")) {
		show_duration(f, line->value, clean);
	} else if (is(line->name, "RRULE")) {
		bytes_clear(&text);
		calendar_rule_write(f, line->value, &text);
		flatten_say(f, NOTICE_C_RECURS,
			    flatten_clean(f, bytes_span(&text), FLATTEN_SUBJECT_BYTES, clean),
			    NULL);
	} else if (is(line->name, "STATUS")) {
		const char *word = words_state(f, line->value);

		flatten_say(f, NOTICE_C_STATUS,
			    word != NULL ? word : flatten_clean(f, line->value, 40, clean), NULL);
	} else if (is(line->name, "ORGANIZER")) {
		show_person(f, NOTICE_C_ORGANIZER, line, clean);
	} else if (is(line->name, "ATTENDEE") && (*attendees)++ < ATTENDEES_SHOWN) {
		show_person(f, NOTICE_C_ATTENDEE, line, clean);
	} else if (is(line->name, "DESCRIPTION") && line->value.size > 0) {
		put_text(f, line->value, &text);
		flatten_say(f, NOTICE_C_DESCRIPTION, NULL, NULL);
		flatten_show(f, bytes_span(&text));
	}
	bytes_fini(&text);
}

/* The method stands anywhere before the events. */
static void show_method(struct flatten *f, struct span text, struct bytes *clean)
{
	struct span method = span_of("PUBLISH");
	struct content_line line;
	const char *word;
	size_t at = 0;

	while (read_line(text, &at, &line)) {
		if (is(line.name, "METHOD")) {
			method = line.value;
			break;
		}
	}
	word = words_method(f, method);
	flatten_say(f, NOTICE_C_TITLE, word != NULL ? word : flatten_clean(f, method, 40, clean),
		    NULL);
}

void calendar_show(struct flatten *f, uint32_t number)
{
	struct bytes unfolded = unfold(f, text_of_part(f, number)), clean;
	unsigned attendees = 0, events = 0, inside = 0;
	struct content_line line;
	struct zones zones;
	size_t at = 0;

	bytes_init(&clean, MIME_FIELD_BYTES_MAX);
	read_zones(bytes_span(&unfolded), &zones);
	f->gap = true;
	show_method(f, bytes_span(&unfolded), &clean);
	while (read_line(bytes_span(&unfolded), &at, &line)) {
		bool begins = is(line.name, "BEGIN"), ends = is(line.name, "END");

		if (begins && (is(line.value, "VEVENT") || is(line.value, "VTODO")) &&
		    inside == 0) {
			inside = 1;
			attendees = 0;
			f->gap = events++ > 0;
		} else if (begins && inside > 0) {
			inside++; /* an alarm, whose summary is not the event's */
		} else if (ends && inside > 0) {
			inside--;
		} else if (inside == 1 && events <= EVENTS_SHOWN) {
			show_property(f, &line, &zones, &attendees, &clean);
		}
	}
	f->shown = true;
	bytes_fini(&unfolded);
	bytes_fini(&clean);
}
