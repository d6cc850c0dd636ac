/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Leaves that are shown: decode, read in the right charset, undo the flow or render the HTML. */
#include "mail-flattener/state.h"

#include <string.h>

#include "base/err.h"
#include "wire/text/enriched.h"
#include "wire/text/flow.h"

enum { BINARY_LOOK_BYTES = 65536, BINARY_LEAST_BYTES = 256 };

/* The charset that HTML declares in itself, where the part does not say; looked for in its first
 * bytes. */
static struct span meta_charset(struct span html)
{
	struct span head = {html.data, html.size < 2048 ? html.size : 2048};
	const uint8_t *at = head.size > 0 ? memmem(head.data, head.size, "charset=", 8) : NULL;
	size_t begin, end;

	if (at == NULL)
		return span_of("");
	begin = (size_t)(at - head.data) + 8;
	if (begin < head.size && (head.data[begin] == '"' || head.data[begin] == '\''))
		begin++;
	for (end = begin; end < head.size && strchr("\"'> ;/", head.data[end]) == NULL;)
		end++;
	return (struct span){head.data + begin, end - begin};
}

void text_state_charset(struct flatten *f, const struct charset_choice *choice)
{
	if (!choice->guessed)
		return;
	f->count.guesses++;
	flatten_say(f, NOTICE_CHARSET_GUESSED, charset_name(choice->charset), NULL);
}

/* A part in UTF-8, and in what it was before. */
struct decoded {
	struct span text;
	struct charset_choice choice;
};

/* Into f->text, or as it stands where it is UTF-8 already and @direct is wanted (then malformed
 * bytes may be in it). */
static struct decoded decode_part(struct flatten *f, uint32_t number, bool record, bool direct)
{
	const struct mime_part *part = &f->tree.parts[number];
	struct charset_report report = {0};
	struct span octets = flatten_decode(f, part), label;
	struct charset_choice choice;
	struct mime_field field;
	struct bytes store;
	int err;

	bytes_init(&store, MIME_FIELD_BYTES_MAX);
	if (mime_field_find(part->header, "Content-Type", &field))
		(void)mime_value_param(field.value, "charset", &store,
				       &report); /* absent: found by looking */
	label = bytes_span(&store);
	if (label.size == 0 && strcmp(part->type, "text/html") == 0)
		label = meta_charset(octets);
	choice = charset_choose(label, octets);
	bytes_clear(&f->text);
	report = (struct charset_report){0};
	direct = direct && strcmp(charset_name(choice.charset), "UTF-8") == 0;
	err = direct ? 0 : charset_decode(choice.charset, octets, &f->text, &report);
	if (err == -ERR_TOO_LONG) {
		f->text.failed = false;
		f->count.limits++;
	} else {
		flatten_fail(f, err);
	}
	if (record) {
		receipt_charset(f, number, label, &choice, &report);
		f->charset.undecodable_bytes += report.undecodable_bytes;
		f->charset.gaiji += report.gaiji;
	}
	bytes_fini(&store);
	return (struct decoded){direct ? octets : bytes_span(&f->text), choice};
}

struct span text_of_part(struct flatten *f, uint32_t number)
{
	return decode_part(f, number, false, false).text;
}

/*
 * Is any of eight bytes below 0x20? Those from 0x80 on are left out by ~v; a borrow shows only
 * above a byte that was found.
 */
static inline bool has_control(const uint8_t *s)
{
	uint64_t v;

	memcpy(&v, s, sizeof(v));
	return ((v - UINT64_C(0x2020202020202020)) & ~v & UINT64_C(0x8080808080808080)) != 0;
}

bool text_is_binary(struct flatten *f, uint32_t number)
{
	struct span octets = flatten_decode(f, &f->tree.parts[number]);
	size_t size = octets.size < BINARY_LOOK_BYTES ? octets.size : BINARY_LOOK_BYTES, odd = 0,
	       zeros = 0;

	for (size_t at = 0; at < size;) {
		uint8_t b = octets.data[at];

		if (size - at >= 8 && !has_control(octets.data + at)) {
			at += 8;
			continue;
		}
		zeros += b == 0;
		odd += b < 0x20 && b != '\t' && b != '\n' && b != '\r' && b != '\f' && b != 0x1B &&
		       b != 0x0E && b != 0x0F;
		at++;
	}
	/* In UTF-16 every other byte of Latin text is zero, and hardly any other control character
	 * comes. */
	return size >= BINARY_LEAST_BYTES && odd * 10 > size && odd - zeros > zeros / 10;
}

/* Is a parameter of Content-Type this word? */
static bool param_is(const struct mime_part *part, const char *name, const char *word)
{
	struct charset_report unused = {0};
	struct mime_field field;
	struct bytes value;
	bool same;

	if (!mime_field_find(part->header, "Content-Type", &field))
		return false;
	bytes_init(&value, 1024);
	same = mime_value_param(field.value, name, &value, &unused) == 0 &&
	       span_equal_nocase(bytes_span(&value), span_of(word));
	bytes_fini(&value);
	return same;
}

void text_show_plain(struct flatten *f, uint32_t number)
{
	const struct mime_part *part = &f->tree.parts[number];
	struct decoded decoded = decode_part(f, number, true, true);
	struct span text = decoded.text;

	f->gap = true;
	if (span_trim(text).size > 0)
		text_state_charset(f, &decoded.choice);
	if (param_is(part, "format", "flowed")) {
		bytes_clear(&f->rendered);
		if (text_unflow(text, param_is(part, "delsp", "yes"), &f->rendered) == 0)
			text = bytes_span(&f->rendered);
		else
			f->rendered.failed = false; /* as it stands, then */
	} else if (strcmp(part->type, "text/enriched") == 0 ||
		   strcmp(part->type, "text/richtext") == 0) {
		bytes_clear(&f->rendered);
		flatten_fail(f, text_unenrich(text, &f->rendered));
		text = bytes_span(&f->rendered);
	}
	embedded_show(f, number, text);
}

void text_show_html(struct flatten *f, uint32_t number)
{
	struct decoded decoded = decode_part(f, number, true, false);
	struct html_policy policy = {f->policy->english, f->policy->defang};
	struct html_report report = f->html;
	int err;

	f->count.html_parts++;
	bytes_clear(&f->rendered);
	f->html.by_tags = false;
	err = html_to_text(decoded.text, &policy, &f->rendered, &f->hidden, &f->html);
	if (err == -ERR_TOO_LONG) {
		f->rendered.failed = f->hidden.failed = false;
		f->count.limits++;
	} else {
		flatten_fail(f, err);
	}
	f->gap = true;
	if (number == f->differing_html)
		flatten_say(f, NOTICE_HTML_VERSION, NULL, NULL);
	if (span_trim(bytes_span(&f->rendered)).size > 0)
		text_state_charset(f, &decoded.choice);
	if (f->html.by_tags)
		flatten_say(f, NOTICE_BY_TAGS, NULL, NULL);
	if (f->html.sheet_cut && !report.sheet_cut)
		flatten_say(f, NOTICE_STYLES_CUT, NULL, NULL);
	if (f->html.style_unread && !report.style_unread)
		flatten_say(f, NOTICE_STYLES_UNREAD, NULL, NULL);
	f->html.by_tags = f->html.by_tags || report.by_tags;
	flatten_show(f, bytes_span(&f->rendered));
}
