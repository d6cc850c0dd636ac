/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HTML rendered in the ways there are, and held against a text. */
#ifndef SEKISHO_TESTS_UNIT_HTML_FIXTURE_H
#define SEKISHO_TESTS_UNIT_HTML_FIXTURE_H

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/html/render.h"
#include "wire/html/text.h"

static struct bytes out, hidden;
static struct html_report report;

static void reset(void)
{
	bytes_fini(&out);
	bytes_fini(&hidden);
	bytes_init(&out, 1 << 22);
	bytes_init(&hidden, HTML_HIDDEN_BYTES + 8);
	report = (struct html_report){0};
}

static const char *finish(void)
{
	assert_int_equal(bytes_append_u8(&out, '\0'), 0);
	return (const char *)out.data;
}

static const char *render(const char *html)
{
	static const struct html_policy policy = {0};

	reset();
	assert_int_equal(html_to_text(span_of(html), &policy, &out, &hidden, &report), 0);
	return finish();
}

static const char *scan(const char *html)
{
	static const struct html_policy policy = {0};
	struct html_room *room = html_room_new();
	struct html_render r;

	reset();
	assert_non_null(room);
	html_render_init(&r, &policy, room, span_of(html), &out, &hidden, &report);
	html_scan_walk(span_of(html), &r);
	html_render_end(&r);
	free(room);
	return finish();
}

static void check(const char *html, const char *text)
{
	assert_string_equal(render(html), text);
	assert_string_equal(scan(html), text);
}

/* "secret" is told apart, and "ab" stays; or all of it stays. */
static void check_hides(const char *html, bool hides)
{
	const char *text = render(html);
	bool told = hidden.size > 0 && memmem(hidden.data, hidden.size, "secret", 6) != NULL;

	if ((strstr(text, "secret") == NULL) != hides)
		fail_msg("%s: %s", html, text);
	if (told != hides)
		fail_msg("%s: hidden is %.*s", html, (int)hidden.size, (const char *)hidden.data);
	if (strstr(text, "a") == NULL || strstr(text, "b") == NULL)
		fail_msg("%s: %s", html, text);
}

#endif
