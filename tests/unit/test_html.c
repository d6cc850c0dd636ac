/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HTML to text, by the tree and tag by tag; and the guard that chooses. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/html_render.h"
#include "wire/html_text.h"

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
	struct html_frame *frames = html_frames_new();
	struct html_render r;

	reset();
	assert_non_null(frames);
	html_render_init(&r, &policy, frames, &out, &hidden, &report);
	html_scan_walk(span_of(html), &r);
	html_render_end(&r);
	free(frames);
	return finish();
}

static void check(const char *html, const char *text)
{
	assert_string_equal(render(html), text);
	assert_string_equal(scan(html), text);
}

static void test_html_lines_and_paragraphs(void **state)
{
	check("<p>a</p><p>b<br>c</p><div>d</div><div>e</div>", "a\n\nb\nc\n\nd\ne\n");
	check("<h1>見出し</h1>日本\n語 <b>x</b>  y", "■ 見出し\n\n日本語 x y\n");
	check("<pre>  a\n b</pre>c", "  a\n b\nc\n");
	check("<blockquote>a<br>b</blockquote>c", "> a\n> b\n\nc\n");
	check("&lt;b&gt; &amp; &#12354;&#x3044;&nosuch;", "<b> & あい&nosuch;\n");
}

static void test_html_lists_and_tables(void **state)
{
	check("<ul><li>a</li><li>b<ol><li>c</li><li>d</li></ol></li></ul>",
	      "・a\n・b\n  1. c\n  2. d\n");
	check("<table border=1><tr><th>a</th><th>b</th></tr><tr><td></td><td>1</td></tr></table>",
	      "a | b\n| 1\n");
	check("<table><tr><td>a</td><td></td><td>b</td></tr></table>", "a | b\n");
}

static void test_html_links_show_where_they_go(void **state)
{
	check("<a href=\"https://x.jp/a\">text</a>", "text <https://x.jp/a>\n");
	check("<a href=\"https://x.jp/\">https://x.jp/</a>", "https://x.jp/\n");
	check("<a href=\"https://evil.jp/\">www.bank.jp</a>",
	      "www.bank.jp <https://evil.jp/>【注意: 表示と異なるリンク】\n");
	check("<a href=\"https://click.bank.jp/\">www.bank.jp</a>",
	      "www.bank.jp <https://click.bank.jp/>\n");
	check("<a href=\"java\nscript:x\">a</a>", "a[リンク削除: javascript]\n");
	check("<a href=\"mailto:a@b.jp\">a@b.jp</a>", "a@b.jp\n");
	check("<a href=\"https://x.jp/\"><img src=y></a>", "[画像] <https://x.jp/>\n");
}

static void test_html_hidden_text_is_told_apart(void **state)
{
	static const char *const styles[] = {"display:none",  "visibility: hidden",
					     "font-size:0px", "color:#FFF",
					     "opacity:0",     "text-indent:-9999px",
					     "mso-hide:all",  "height:0;overflow:hidden"};
	char html[256];

	for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]); i++) {
		(void)snprintf(html, sizeof(html), "a<span style=\"%s\">secret</span>b", styles[i]);
		assert_string_equal(render(html), "ab\n");
		assert_memory_equal(span_trim(bytes_span(&hidden)).data, "secret", 6);
	}
	assert_string_equal(
		render("<table><td bgcolor=#000><font color=white>shown</font></td></table>"),
		"shown\n");
	assert_string_equal(render("<p style=\"font-size:0.9em;opacity:0.5\">shown</p>"),
			    "shown\n");
}

static void test_html_style_sheets_hide_too(void **state)
{
	check("<style>/* a */ @media x { .b{display:none} } div.a, #c { display : none }</style>"
	      "<div class=\"x a\">h</div><p id=c>h</p><p class=b>shown</p>",
	      "shown\n");
	assert_int_equal(report.hidden_bytes, 2);
}

static void test_html_hosts_of_other_scripts_have_both_spellings(void **state)
{
	check("<a href=\"https://xn--wgv71a119e.jp/\">a</a>",
	      "a <https://xn--wgv71a119e.jp/>【注意: 国際化ドメイン名: 日本語.jp】\n");
	check("<a href=\"https://日本語.jp/\">a</a>",
	      "a <https://日本語.jp/>【注意: 国際化ドメイン名: xn--wgv71a119e.jp】\n");
}

static void test_html_ruby_images_and_active_content(void **state)
{
	check("<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp></ruby>", "漢(かん)\n");
	check("<img alt=\"図\">", "[画像: 図]\n");
	check("a<script>alert('<p>')</script><style>p{}</style>b", "ab\n");
	assert_int_equal(report.active, 1);
}

static void test_html_guard_keeps_bombs_from_the_tree(void **state)
{
	struct bytes html;

	bytes_init(&html, 1 << 22);
	for (int i = 0; i < HTML_DEPTH_MAX + 10; i++)
		assert_int_equal(bytes_append_text(&html, "<div>"), 0);
	assert_false(html_scan_guard(bytes_span(&html)));
	bytes_clear(&html);
	assert_int_equal(bytes_append_text(&html, "<a"), 0);
	for (int i = 0; i < HTML_ATTRS_MAX + 10; i++)
		assert_int_equal(bytes_append_text(&html, " a=\">\""), 0);
	assert_false(html_scan_guard(bytes_span(&html)));
	assert_true(html_scan_guard(span_of("<p>a<p>b<div><a href=x>y</a></div>")));
	bytes_fini(&html);
}

/* Read @html in one way. Return: its text, or NULL where this way gives up. */
static const char *read_by(int (*walk)(struct span in, struct html_render *r), const char *html)
{
	static const struct html_policy policy = {0};
	struct html_frame *frames = html_frames_new();
	struct html_render r;
	int err;

	reset();
	assert_non_null(frames);
	html_render_init(&r, &policy, frames, &out, &hidden, &report);
	err = walk(span_of(html), &r);
	if (err == 0)
		html_render_end(&r);
	free(frames);
	return err == 0 ? finish() : NULL;
}

static void test_html_nested_tags_say_the_same_as_the_tree(void **state)
{
	static const char *const documents[] = {
		"<!DOCTYPE "
		"html>\r\n<html>\n<head><title>a<b></title><style>.x{display:none}</style>"
		"</head>\n<body bgcolor=#000><p class=x>h</p><p>t</p></body>\n</html>\n",
		"<meta charset=utf-8><link rel=x> text &amp; more<br>x",
		"<b><i>x</i> y</b><font color='#fff'>white</font>",
		"<table border=1><caption>c</caption><col><tr><th>a</th></tr>\n<tbody><tr><td>"
		"<table><tr><td>b</td></tr></table></td></tr></tbody></table>",
		"<ul><li>a<ol>\n<li>b</li></ol></li></ul><dl><dt>t</dt><dd>d</dd></dl>",
		"<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp></ruby><hr><pre>a\r\n b</pre>",
		"<p>a<!-- <p> --->b<![endif]>c</p><script>if (a<b) x('</p>')</script>",
		"<a href='https://a.jp/?a=1&b=2&amp;copy=3' title=\"x\r\ny\">a&nbsp;b</a>",
		"<form action=/x><input value='&#12354;' disabled></form><o:p></o:p>",
		"<div hidden>\n<table><tr><td>x</td></tr></table></div>",
		"",
		" \n",
	};

	for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
		const char *text = read_by(html_nest_walk, documents[i]);
		struct html_report nested = report;
		char *kept;

		assert_non_null(text);
		kept = strdup(text);
		assert_non_null(kept);
		assert_string_equal(kept, read_by(html_tree_walk, documents[i]));
		assert_memory_equal(&nested, &report, sizeof(report));
		free(kept);
	}
}

/* What HTML5 reads by its rules of repair is none of this reader's. */
static void test_html_tags_that_do_not_nest_are_left_to_the_tree(void **state)
{
	static const char *const documents[] = {
		"<b><i>x</b></i>",
		"<p>a<p>b",
		"<p><div>a</div></p>",
		"<table>x<tr></tr></table>",
		"<table><td>a</td></table>",
		"<a href=x>a<a href=y>b</a></a>",
		"a &copy b",
		"a &nosuch;",
		"<div>",
		"</div>",
		"<div/>",
		"<ul><p><li>a</li></p></ul>",
		"<li>a</li>",
		"a < b",
		"<p a=b\"c>x</p>",
		"<!-->a",
		"<!-- a --!> b",
		"<svg></svg>",
		"<body></body>x",
		"<select><option>a</option></select>",
		"a\x01"
		"b",
		"a\rb",
		"&#128;",
		"<p",
		"<script><!-- <script></script>",
		"<h1><h2>a</h2></h1>",
		"<body><html>",
		"<textarea>\na</textarea>",
		"<pre>\na</pre>",
		"\xEF\xBB\xBF"
		"a",
		"<a\"b>",
	};

	for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
		if (read_by(html_nest_walk, documents[i]) != NULL)
			fail_msg("%s", documents[i]);
	}
}

/* The output moves while a link that shows nothing gets its stand-in; sanitisers watch. */
static void test_html_blank_links_survive_that_the_output_grows(void **state)
{
	static const struct html_policy policy = {0};
	char html[4096];

	for (int length = 0; length < 2000; length++) {
		memset(html, 'x', (size_t)length);
		(void)snprintf(html + length, sizeof(html) - (size_t)length,
			       "<pre><a href=http://a.jp/>  </a>");
		reset();
		assert_int_equal(html_to_text(span_of(html), &policy, &out, &hidden, &report), 0);
		assert_int_equal(report.links, 1);
	}
}

static void check_words(const char *html, const char *words)
{
	reset();
	assert_int_equal(html_words(span_of(html), &out), 0);
	assert_string_equal(finish(), words);
}

static void test_html_words_are_the_text_alone(void **state)
{
	check_words("<p>社<b>外</b><!-- <i> -->&#31192;", "社外秘");
	check_words("<td title='a>b'>機密性</td><td\nx=1>2", "機密性2");
	check_words("<a href=\"https://a.jp/\">社外</a >秘<br/>x</", "社外秘x");
	check_words("<ruby>漢<rp>(</rp><RT>かん</RT><rp>)</rp>字<rt>じ</ruby>は", "漢字は");
	check_words("1 < 2 &amp; 3<4 &nosuch; <", "1 < 2 & 3<4 &nosuch; <");
	check_words("", "");
	check_words("<!-- never closed <p>x", "");
}

static void test_html_words_are_not_swallowed_by_a_reading_without_end(void **state)
{
	char html[256] = "a<rt>", words[256] = "a";

	memset(html + 5, 'x', 100);
	memset(words + 1, 'x', 100);
	check_words(html, words);
}

static int clean_up(void **state)
{
	bytes_fini(&out);
	bytes_fini(&hidden);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_html_lines_and_paragraphs),
		cmocka_unit_test(test_html_lists_and_tables),
		cmocka_unit_test(test_html_links_show_where_they_go),
		cmocka_unit_test(test_html_hidden_text_is_told_apart),
		cmocka_unit_test(test_html_style_sheets_hide_too),
		cmocka_unit_test(test_html_hosts_of_other_scripts_have_both_spellings),
		cmocka_unit_test(test_html_ruby_images_and_active_content),
		cmocka_unit_test(test_html_guard_keeps_bombs_from_the_tree),
		cmocka_unit_test(test_html_nested_tags_say_the_same_as_the_tree),
		cmocka_unit_test(test_html_tags_that_do_not_nest_are_left_to_the_tree),
		cmocka_unit_test(test_html_blank_links_survive_that_the_output_grows),
		cmocka_unit_test(test_html_words_are_the_text_alone),
		cmocka_unit_test(test_html_words_are_not_swallowed_by_a_reading_without_end),
	};

	return cmocka_run_group_tests(tests, NULL, clean_up);
}
