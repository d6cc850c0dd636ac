/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses of pages that stand in a text as such, which mail programs make links of: defanged
 * where the policy says so; both spellings where a host is not plain ASCII. */
#include "mail-flattener/state.h"

#include <string.h>

#include "base/err.h"
#include "wire/host_name.h"
#include "wire/html/text.h"
#include "wire/punycode.h"

enum { WEIGHT = 16 }; /* no marked text is longer than its original by more */

/* Octets of "http" or "https" right before @colon, or 0. */
static size_t scheme_before(struct span text, size_t begin, size_t colon)
{
	for (size_t size = 4; size <= 5; size++) {
		struct span word = {text.data + colon - size, size};

		if (colon >= begin + size &&
		    span_equal_nocase(word, span_of(size == 4 ? "http" : "https")))
			return size;
	}
	return 0;
}

static bool has_other_spelling(struct span host, bool *encoded)
{
	*encoded = span_starts_nocase(host, span_of("xn--")) ||
		   (host.size > 5 && memmem(host.data, host.size, ".xn--", 5) != NULL);
	for (size_t i = 0; i < host.size; i++) {
		if (host.data[i] >= 0x80)
			return true;
	}
	return *encoded;
}

/* Where the whole address ends whose host does so at @at. */
static size_t url_end(struct span text, size_t at)
{
	while (at < text.size && text.data[at] > ' ' && text.data[at] < 0x80 &&
	       memchr("<>\"", text.data[at], 3) == NULL)
		at++;
	return at;
}

/* Behind the user info ("user@") of the authority at @at, or @at where there is none. Only what
 * browsers and mail programs take for its end ends an authority. */
static size_t host_begin(struct span text, size_t at)
{
	size_t begin = at;

	for (size_t end = at;
	     end < text.size && end - at < HTML_URL_SHOWN && text.data[end] > ' ' &&
	     memchr("/\\?#<>\"", text.data[end], 7) == NULL &&
	     !(text.data[end] == 0xE3 && text.size - end >= 3 && text.data[end + 1] == 0x80 &&
	       text.data[end + 2] < 0x97);
	     end++) {
		if (text.data[end] == '@')
			begin = end + 1;
	}
	return begin;
}

/* Behind the '>' of an address in brackets that begins at @begin, or @end where it is in none. */
static size_t bracket_end(struct span text, size_t begin, size_t end)
{
	size_t most = begin + HTML_URL_SHOWN + 16, at = end;

	if (begin == 0 || text.data[begin - 1] != '<')
		return end;
	while (at < text.size && at < most && text.data[at] > ' ' && text.data[at] != '>')
		at++;
	return at < text.size && text.data[at] == '>' ? at + 1 : end;
}

/* Is the mark there already, by the renderer of HTML? Both may be, this one first. */
static bool is_marked_user(struct span rest)
{
	return span_starts_nocase(rest, span_of("【注意: 表示と異なるリンク】")) ||
	       span_starts_nocase(rest, span_of("[Warning: the link goes elsewhere"));
}

static bool is_marked_spelling(struct span rest)
{
	const uint8_t *end;

	if (is_marked_user(rest)) {
		end = rest.data[0] == '[' ? memchr(rest.data, ']', rest.size)
					  : memmem(rest.data, rest.size, "】", 3);
		if (end != NULL)
			end += rest.data[0] == '[' ? 1 : 3;
		if (end != NULL)
			rest = (struct span){end, (size_t)(rest.data + rest.size - end)};
	}
	return span_starts_nocase(rest, span_of("【注意: 国際化")) ||
	       span_starts_nocase(rest, span_of("[Warning: international"));
}

/* The mark behind an address at @end. */
static int put_spelling(struct flatten *f, struct span host, bool encoded, struct bytes *out)
{
	struct bytes other;
	int err;

	f->html.spelled_links++;
	bytes_init(&other, 4 * HOST_NAME_MAX_BYTES);
	err = encoded ? punycode_host_to_text(host, &other) : punycode_text_to_host(host, &other);
	if (err == -ERR_NO_MEMORY)
		flatten_fail(f, err);
	else if (err < 0)
		bytes_clear(&other); /* it cannot be spelled: the mark alone */
	err = bytes_append_u8(&other, '\0');
	if (err == 0)
		flatten_say_into(f, out, NOTICE_L_SPELLING, (const char *)other.data, NULL);
	if (err == 0 && out->size > 0)
		out->size--; /* the line end */
	bytes_fini(&other);
	return err;
}

static int put_user(struct flatten *f, struct bytes *out)
{
	f->html.misleading_links++;
	return bytes_append_text(out, notice_text(NOTICE_L_ELSEWHERE, f->policy->english));
}

/* One address whose "://" is at @colon. Return: up to where the text is written. */
static size_t take_url(struct flatten *f, struct span text, size_t at, size_t colon,
		       struct bytes *out)
{
	size_t scheme = scheme_before(text, at, colon), host_at, end, stop;
	bool encoded, user, spelling;
	struct span host, rest;

	if (scheme == 0)
		return at;
	host_at = host_begin(text, colon + 3);
	stop = host_name_end(text, host_at);
	host = (struct span){text.data + host_at, stop - host_at};
	end = bracket_end(text, colon - scheme, url_end(text, stop));
	if (f->policy->defang) {
		flatten_fail(f, bytes_append(out, text.data + at, colon - scheme - at));
		flatten_fail(f, bytes_append_text(out, scheme == 5 ? "hxxps" : "hxxp"));
		f->html.defanged_links++;
		at = colon;
	}
	rest = (struct span){text.data + end, text.size - end};
	user = host_at > colon + 3 && !is_marked_user(rest);
	spelling = has_other_spelling(host, &encoded) && !is_marked_spelling(rest);
	if (!user && !spelling)
		return at;
	flatten_fail(f, bytes_append(out, text.data + at, end - at));
	if (user)
		flatten_fail(f, put_user(f, out));
	if (spelling)
		flatten_fail(f, put_spelling(f, host, encoded, out));
	return end;
}

/* The next "://" from @at on, or NULL. Found by its colon, which Japanese text hardly holds: memmem
 * takes several times as long. */
static const uint8_t *next_address(struct span text, size_t at)
{
	const uint8_t *end = text.data + text.size, *colon = text.data + at;

	while (end - colon >= 3 &&
	       (colon = memchr(colon, ':', (size_t)(end - colon) - 2)) != NULL) {
		if (colon[1] == '/' && colon[2] == '/')
			return colon;
		colon++;
	}
	return NULL;
}

struct span links_mark(struct flatten *f, struct span text, struct bytes *out)
{
	size_t at = 0, from = 0;

	bytes_init(out, text.size * WEIGHT + MIME_FIELD_BYTES_MAX);
	while (f->err == 0 && from < text.size) {
		const uint8_t *found = next_address(text, from);
		size_t colon;

		if (found == NULL)
			break;
		colon = (size_t)(found - text.data);
		at = take_url(f, text, at, colon, out);
		from = colon + 3 > at ? colon + 3 : at;
	}
	if (at == 0)
		return text;
	flatten_fail(f, bytes_append(out, text.data + at, text.size - at));
	return bytes_span(out);
}
