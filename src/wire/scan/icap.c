/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an ICAP server answers: a push parser, one line or one run of octets at a time. */
#include "wire/scan/icap.h"

#include <string.h>

#include "base/err.h"

#define CHUNK_DIGITS_MAX 8 /* hex digits of a chunk's size: 4 GiB are more than any message */

void icap_reply_init(struct icap_reply *r)
{
	*r = (struct icap_reply){.phase = ICAP_STATUS};
}

static void fail(struct icap_reply *r)
{
	r->phase = ICAP_FAILED;
}

/* Copy what is printable ASCII; the rest becomes "?". */
static void copy_printable(char *out, size_t capacity, struct span s)
{
	size_t size = s.size < capacity - 1 ? s.size : capacity - 1;

	for (size_t i = 0; i < size; i++)
		out[i] = s.data[i] > 0x20 && s.data[i] < 0x7F ? (char)s.data[i] : '?';
	out[size] = '\0';
}

/* Three digits at @at; 0 where there are none. */
static unsigned read_code(struct span s, size_t at)
{
	unsigned code = 0;

	if (s.size < at + 3 || (s.size > at + 3 && s.data[at + 3] != ' '))
		return 0;
	for (size_t i = at; i < at + 3; i++) {
		if (s.data[i] < '0' || s.data[i] > '9')
			return 0;
		code = code * 10 + (unsigned)(s.data[i] - '0');
	}
	return code;
}

static void on_status(struct icap_reply *r, struct span line)
{
	static const char version[] = "ICAP/1.0 ";

	if (line.size >= sizeof(version) - 1 &&
	    memcmp(line.data, version, sizeof(version) - 1) == 0)
		r->status = read_code(line, sizeof(version) - 1);
	r->phase = r->status >= 100 ? ICAP_HEADER : ICAP_FAILED;
}

/* ---- the reply's own header */

/* What may stand inside, in Encapsulated's words; from @BODIES_FIRST on they end the list. */
static const char *const insides[] = {"req-hdr",  "res-hdr",   "req-body",
				      "res-body", "null-body", "opt-body"};
enum { REQUEST_HEADER = 0, BODIES_FIRST = 2, NULL_BODY = 4, INSIDE_KINDS = 6 };

/* "res-hdr=0". Return: the kind, or INSIDE_KINDS where it is none. */
static unsigned read_inside(struct span item, uint64_t *offset)
{
	const uint8_t *equals = item.size > 0 ? memchr(item.data, '=', item.size) : NULL;
	size_t name_size = equals != NULL ? (size_t)(equals - item.data) : 0;
	unsigned kind = 0;

	*offset = 0;
	if (name_size + 1 >= item.size)
		return INSIDE_KINDS;
	while (kind < INSIDE_KINDS &&
	       !span_equal((struct span){item.data, name_size}, span_of(insides[kind])))
		kind++;
	for (size_t i = name_size + 1; i < item.size; i++) {
		if (item.data[i] < '0' || item.data[i] > '9' || *offset > ICAP_INSIDE_MAX)
			return INSIDE_KINDS;
		*offset = *offset * 10 + (uint64_t)(item.data[i] - '0');
	}
	return *offset <= ICAP_INSIDE_MAX ? kind : INSIDE_KINDS;
}

/* RFC 3507 4.4.1: "res-hdr=0, res-body=137"; the last names the body and where it begins. */
static void on_encapsulated(struct icap_reply *r, struct span value)
{
	unsigned kind = 0, count = 0;
	uint64_t before = 0;

	if (r->encapsulated)
		fail(r);
	r->encapsulated = true;
	while (value.size > 0) {
		const uint8_t *comma = memchr(value.data, ',', value.size);
		size_t size = comma != NULL ? (size_t)(comma - value.data) : value.size;
		bool ended = count++ > 0 && kind >= BODIES_FIRST;

		kind = read_inside(span_trim((struct span){value.data, size}), &r->inside_bytes);
		if (ended || kind == INSIDE_KINDS || r->inside_bytes < before ||
		    (count == 1 && r->inside_bytes != 0)) {
			fail(r);
			return;
		}
		r->is_request = r->is_request || kind == REQUEST_HEADER;
		before = r->inside_bytes;
		size += comma != NULL;
		value = (struct span){value.data + size, value.size - size};
	}
	r->has_body = kind != NULL_BODY;
	if (count == 0 || kind < BODIES_FIRST)
		fail(r);
}

/* "Type=0; Resolution=2; Threat=Eicar-Test;", the header that most servers give. */
static void on_infection(struct icap_reply *r, struct span value)
{
	static const char key[] = "Threat=";
	const uint8_t *at =
		value.size > 0 ? memmem(value.data, value.size, key, sizeof(key) - 1) : NULL;
	struct span name = value;

	r->threat = true;
	if (at != NULL) {
		const uint8_t *end;

		name.data = at + sizeof(key) - 1;
		name.size = value.size - (size_t)(name.data - value.data);
		end = memchr(name.data, ';', name.size);
		if (end != NULL)
			name.size = (size_t)(end - name.data);
	}
	copy_printable(r->threat_name, sizeof(r->threat_name), span_trim(name));
}

static void on_violations(struct icap_reply *r, struct span value)
{
	if (!span_equal(value, span_of("0")) && !r->threat) {
		r->threat = true;
		copy_printable(r->threat_name, sizeof(r->threat_name), span_of("violations"));
	}
}

static void on_virus_id(struct icap_reply *r, struct span value)
{
	if (span_equal_nocase(value, span_of("no threats")) || r->threat)
		return;
	r->threat = true;
	copy_printable(r->threat_name, sizeof(r->threat_name), value);
}

static void on_tag(struct icap_reply *r, struct span value)
{
	if (value.size >= 2 && value.data[0] == '"' && value.data[value.size - 1] == '"')
		value = (struct span){value.data + 1, value.size - 2};
	copy_printable(r->tag, sizeof(r->tag), value);
}

static const struct {
	const char *name;
	void (*take)(struct icap_reply *r, struct span value);
} headers[] = {
	{"Encapsulated", on_encapsulated},   {"ISTag", on_tag},
	{"X-Infection-Found", on_infection}, {"X-Violations-Found", on_violations},
	{"X-Virus-ID", on_virus_id},         {"X-Virus-Name", on_virus_id},
	{"X-Blocked", on_violations},
};

/* Behind the header: what comes next follows from the status and Encapsulated. */
static void begin_inside(struct icap_reply *r)
{
	bool plain = r->status == 100 || r->status == 204;

	if (!r->encapsulated)
		r->has_body = false;
	if (plain || !r->encapsulated || (r->inside_bytes == 0 && !r->has_body))
		r->phase = ICAP_DONE;
	else
		r->phase = r->inside_bytes > 0 ? ICAP_INSIDE : ICAP_CHUNK_SIZE;
}

/* More of the field before (RFC 9112 5.2), in which nothing is looked for: c-icap lists in four
 * lines each what it found. */
static void on_folded(struct icap_reply *r)
{
	if (!r->folds || ++r->header_count > ICAP_HEADERS_MAX)
		fail(r);
}

static void on_header(struct icap_reply *r, struct span line)
{
	const uint8_t *colon = line.size > 0 ? memchr(line.data, ':', line.size) : NULL;
	struct span name, value;

	if (line.size == 0) {
		begin_inside(r);
		return;
	}
	if (line.data[0] == ' ' || line.data[0] == '\t') {
		on_folded(r);
		return;
	}
	if (colon == NULL || colon == line.data || ++r->header_count > ICAP_HEADERS_MAX) {
		fail(r);
		return;
	}
	name = (struct span){line.data, (size_t)(colon - line.data)};
	value = span_trim((struct span){colon + 1, line.size - name.size - 1});
	r->folds = !span_equal_nocase(name, span_of("Encapsulated"));
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		if (span_equal_nocase(name, span_of(headers[i].name)))
			headers[i].take(r, value);
	}
}

/* ---- what stands inside */

static void on_inside(struct icap_reply *r, struct span line)
{
	if (!r->inside_begun && line.size > 9 && memcmp(line.data, "HTTP/1.", 7) == 0)
		r->http_status = read_code(line, 9);
	r->inside_begun = true;
}

/* Behind a line of the encapsulated headers, whose end must not lie beyond theirs. */
static void count_inside(struct icap_reply *r, size_t taken)
{
	if (r->phase != ICAP_INSIDE)
		return;
	r->inside_bytes -= taken;
	if (r->inside_bytes == 0)
		r->phase = r->has_body ? ICAP_CHUNK_SIZE : ICAP_DONE;
}

static void on_chunk_size(struct icap_reply *r, struct span line)
{
	uint64_t size = 0;
	size_t at = 0;

	for (; at < line.size && at < CHUNK_DIGITS_MAX; at++) {
		uint8_t c = line.data[at];
		unsigned digit;

		if (c >= '0' && c <= '9')
			digit = c - '0';
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			digit = (c | 0x20) - 'a' + 10U;
		else
			break;
		size = size << 4 | digit;
	}
	/* RFC 9112 7.1.1: extensions behind a semicolon are passed over. */
	if (at == 0 || (at < line.size && line.data[at] != ';' && line.data[at] != ' ')) {
		fail(r);
		return;
	}
	r->chunk_bytes = size;
	r->phase = size > 0 ? ICAP_CHUNK : ICAP_TRAILER;
}

static void on_chunk_end(struct icap_reply *r, struct span line)
{
	r->phase = line.size == 0 ? ICAP_CHUNK_SIZE : ICAP_FAILED;
}

static void on_trailer(struct icap_reply *r, struct span line)
{
	if (line.size == 0)
		r->phase = ICAP_DONE;
	else if (++r->header_count > ICAP_HEADERS_MAX)
		fail(r);
}

/* ---- octets */

static void (*const on_line[ICAP_FAILED + 1])(struct icap_reply *r, struct span line) = {
	[ICAP_STATUS] = on_status,       [ICAP_HEADER] = on_header,
	[ICAP_INSIDE] = on_inside,       [ICAP_CHUNK_SIZE] = on_chunk_size,
	[ICAP_CHUNK_END] = on_chunk_end, [ICAP_TRAILER] = on_trailer,
};

/* How far @in may be read for the line: not behind the encapsulated headers. */
static size_t line_room(const struct icap_reply *r, size_t size)
{
	uint64_t left = r->inside_bytes - r->line_bytes;

	return r->phase == ICAP_INSIDE && size > left ? (size_t)left : size;
}

/* Collect a line up to its CRLF. Return: octets taken. */
static size_t take_line(struct icap_reply *r, struct span in)
{
	size_t room = line_room(r, in.size), size = room, line_bytes;
	const uint8_t *lf = memchr(in.data, '\n', room);

	if (lf != NULL)
		size = (size_t)(lf - in.data) + 1;
	if (size == 0 || size > ICAP_LINE_MAX - r->line_bytes) {
		fail(r);
		return 0;
	}
	memcpy(r->line + r->line_bytes, in.data, size);
	r->line_bytes += size;
	if (lf == NULL)
		return size;
	line_bytes = r->line_bytes;
	r->line_bytes = 0;
	if (line_bytes < 2 || r->line[line_bytes - 2] != '\r') {
		fail(r);
		return size;
	}
	on_line[r->phase](r, (struct span){r->line, line_bytes - 2});
	count_inside(r, r->phase == ICAP_INSIDE && r->inside_begun ? line_bytes : 0);
	return size;
}

size_t icap_reply_push(struct icap_reply *r, struct span in, struct span *body)
{
	size_t size;

	*body = (struct span){in.data, 0};
	if (r->phase >= ICAP_DONE || in.size == 0)
		return 0;
	if (r->phase != ICAP_CHUNK)
		return take_line(r, in);
	size = in.size < r->chunk_bytes ? in.size : (size_t)r->chunk_bytes;
	*body = (struct span){in.data, size};
	r->chunk_bytes -= size;
	if (r->chunk_bytes == 0)
		r->phase = ICAP_CHUNK_END;
	return size;
}
