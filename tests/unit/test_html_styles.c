/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What style sheets write, what of them is not read, and where they and pages that move on stand.
 */
#include <time.h>

#include "html_fixture.h"

#include "base/err.h"

static void test_html_groups_of_selectors_match(void **state)
{
	static const struct {
		const char *css, *body;
		bool hides;
	} cases[] = {
		{"p:not(.x){display:none}", "<p>secret</p>", true},
		{"p:not(.x){display:none}", "<p class=x>secret</p>", false},
		{"p:not( .x , [title] ){display:none}", "<p title>secret</p>", false},
		{"p:not(.x.y){display:none}", "<p class=x>secret</p>", true},
		{":is(p,b).x{display:none}", "<p class=x>secret</p>", true},
		{":is(p,b).x{display:none}", "<p>secret</p>", false},
		{":is(i,b).x{display:none}", "<p class=x>secret</p>", false},
		{"div :where(p#i){display:none}", "<p id=i>secret</p>", true},
		{":where(#i){display:none} p{display:block}", "<p id=i>secret</p>", false},
		{":is(#i,q){display:none} p{display:block}", "<p id=i>secret</p>", true},
		{":not(div p){display:none}", "<p>secret</p>", false},
		{":is(){display:none} :not(,q){display:none} :is(p{display:none}", "<p>secret</p>",
		 false},
	};
	char html[512];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(html, sizeof(html), "a<style>%s</style><div>%s</div>b", cases[i].css,
			       cases[i].body);
		check_hides(html, cases[i].hides);
	}
}

/* What is written by style sheets is told, where it stands, within a bound for all documents. */
static void test_html_text_of_style_sheets_is_told(void **state)
{
	struct bytes html;

	check("<html><head><style>p::before{content:'a\\'b' \"c\\41 d\\3042\"}p:after{content:x "
	      "attr(id) "
	      "url(q) 'z'}</style></head><body><p id=y>m</p></body></html>",
	      "a'bcAdあmyz\n");
	check("<style>p::before{content:'!important'}p::after{content:normal}</style><p>m</p>",
	      "!importantm\n");
	check("<style>p::before{content:'x';color:#fff}p::after{content:'.';visibility:hidden}</"
	      "style>"
	      "<p>m</p>",
	      "m\n");
	assert_true(hidden.size > 0 && memchr(hidden.data, 'x', hidden.size) != NULL);
	assert_null(memchr(hidden.data, '.', hidden.size));
	check("<style>p::before:hover{content:'x'}p::before b{content:'y'}</style><p>m<b>n</b></p>",
	      "mn\n");
	bytes_init(&html, 1 << 20);
	assert_int_equal(bytes_printf(&html, "<style>b::before{content:'%0*d'}</style>",
				      HTML_CONTENT_BYTES - 2, 0),
			 0);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(bytes_append_text(&html, "<b></b>"), 0);
	assert_int_equal(bytes_append_u8(&html, '\0'), 0);
	render((const char *)html.data);
	assert_true(report.sheet_cut);
	assert_in_range(out.size, HTML_GENERATED_BYTES - 2 * HTML_CONTENT_BYTES,
			HTML_GENERATED_BYTES + 16);
	bytes_fini(&html);
}

/* What may hide and is not read is said, what waits for somebody or only colours is not. */
static void test_html_styles_that_are_not_read_are_said(void **state)
{
	static const struct {
		const char *html;
		bool unread;
	} cases[] = {
		{"<style>p:nth-last-child(1){display:none}</style><p>x</p>", true},
		{"<style>p:nth-last-child(1){opacity:0}</style><p>x</p>", true},
		{"<style>p:nth-last-child(1){color:red}</style><p>x</p>", false},
		{"<style>p:hover{display:none}p::-moz-x{display:none}</style><p>x</p>", false},
		{"<style>p::selection{display:none}p:-ms-input-placeholder{display:none}</"
		 "style><p>x</p>",
		 false},
		{"<style>.selection:only-child{display:none}</style><p class=selection>x</p>",
		 true},
		{"<style>@container (width>1px){p{display:none}}</style><p>x</p>", true},
		{"<style>@container (width>1px){p{color:red}}</style><p>x</p>", false},
		{"<style>p{display:VAR(--x)}</style><p>x</p>", true},
		{"<style>b{display:var(--x)}</style><p>x</p>", false},
		{"<style>p{display:var(--x)}p{display:block}</style><p>x</p>", false},
		{"<p style='font-size:var(--x)'>x</p>", true},
		{"<p style='background:var(--x)'>x</p>", false},
		{"<style>p::before{content:'a';display:var(--x)}</style><p>x</p>", true},
		{"<style>p::before{content:var(--x)}</style><p>x</p>", true},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		render(cases[i].html);
		assert_int_equal(report.style_unread, cases[i].unread);
	}
}

/* Only what a browser takes for a style element is one. */
static void test_html_sheets_are_not_those_in_texts(void **state)
{
	check("<textarea><style>p{display:none}</style></textarea><p>x</p>",
	      "<style>p{display:none}</style>\n\nx\n");
	check("<p title='<style>p{display:none}</style>'>x</p>", "x\n");
	check("<p title = \"a>b<style>p{display:none}\">x</p>", "x\n");
	check("<title><style>p{display:none}</style></title><p>x</p>", "x\n");
	check("<style title='>'>p{display:none}</style><p>x</p>y", "y\n");
	check("<p title=x'><style>p{display:none}</style><p>x</p>y", "y\n");
}

/* Where a page goes by itself is told, as any target is. */
static void test_html_pages_that_move_on_say_where(void **state)
{
	check("<meta http-equiv=refresh content='0;url=https://x.jp/a'>t",
	      "[自動移動: <https://x.jp/a>]\nt\n");
	check("<meta http-equiv=REFRESH content=\" 1.5 , URL = 'https://x.jp/a'b\">t",
	      "[自動移動: <https://x.jp/a>]\nt\n");
	check("<meta http-equiv=refresh content='0;https://x.jp/'>t",
	      "[自動移動: <https://x.jp/>]\nt\n");
	check("<meta http-equiv=refresh content='0;url=data:x'>t", "[リンク削除: data]\nt\n");
	check("<meta http-equiv=refresh content=5>t", "t\n");
	check("<meta http-equiv=x content='0;url=https://x.jp/a'>t", "t\n");
}

/* What elements that are open still hold of the document is gone when the output fails. */
static void test_html_output_that_ends_within_elements(void **state)
{
	static const struct html_policy policy = {0};
	struct bytes html;

	bytes_init(&html, 1 << 20);
	assert_int_equal(
		bytes_append_text(&html, "<style>b::after{content:attr(id)}</style><b id='x&amp;y'>"
					 "<a href='https://x.jp/&amp;1'><table><td><u></td><td>"),
		0);
	for (int i = 0; i < 2000; i++)
		assert_int_equal(bytes_append_text(&html, "<i>x</i>"), 0);
	reset();
	bytes_fini(&out);
	bytes_init(&out, 500);
	assert_int_equal(html_to_text(bytes_span(&html), &policy, &out, &hidden, &report),
			 -ERR_TOO_LONG);
	bytes_fini(&html);
}

/* Strings that nothing ends are looked through once, not again from each quote in them. */
static void test_html_strings_without_end_take_no_time(void **state)
{
	static const struct html_policy policy = {0};
	static const char *const ends[][2] = {{"<p style='", "'>x</p>"},
					      {"<style>p{a:", "}</style>x"}};
	clock_t begin = clock();

	for (size_t i = 0; i < 2; i++) {
		struct bytes html;

		bytes_init(&html, 1 << 22);
		assert_int_equal(bytes_append_text(&html, ends[i][0]), 0);
		for (size_t n = i == 0 ? 1000000 : 60000; n > 0; n--)
			assert_int_equal(bytes_append_text(&html, "\\\""), 0);
		assert_int_equal(bytes_append_text(&html, ends[i][1]), 0);
		reset();
		assert_int_equal(html_to_text(bytes_span(&html), &policy, &out, &hidden, &report),
				 0);
		assert_string_equal(finish(), "x\n");
		bytes_fini(&html);
	}
	assert_true(clock() - begin < 5 * CLOCKS_PER_SEC); /* of the processor */
}

/* What sheets write of attributes: each by its name, and all of it counted. */
static void test_html_attributes_that_sheets_write(void **state)
{
	static const struct html_policy policy = {0};
	struct bytes html;

	check("<style>p::before{content:attr(a) '-attr(c)-' attr( b )}</style><p a=1 b=2 c=3>m</p>",
	      "1-attr(c)-2m\n");
	assert_false(report.sheet_cut);
	check("<style>b::after{content:attr(a)attr(a)attr(a)attr(a)attr(a)}</style><b a=x>m</b>",
	      "mxxxx\n");
	assert_true(report.sheet_cut);
	bytes_init(&html, 1 << 20);
	assert_int_equal(
		bytes_printf(&html,
			     "<style>b::after{content:attr(a)attr(a)}</style><b a='%0*d'>m</b>",
			     HTML_GENERATED_BYTES * 2 / 3, 0),
		0);
	reset();
	assert_int_equal(html_to_text(bytes_span(&html), &policy, &out, &hidden, &report), 0);
	assert_string_equal(finish(), "m\n");
	assert_true(report.sheet_cut);
	bytes_fini(&html);
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
		cmocka_unit_test(test_html_groups_of_selectors_match),
		cmocka_unit_test(test_html_text_of_style_sheets_is_told),
		cmocka_unit_test(test_html_styles_that_are_not_read_are_said),
		cmocka_unit_test(test_html_sheets_are_not_those_in_texts),
		cmocka_unit_test(test_html_pages_that_move_on_say_where),
		cmocka_unit_test(test_html_output_that_ends_within_elements),
		cmocka_unit_test(test_html_strings_without_end_take_no_time),
		cmocka_unit_test(test_html_attributes_that_sheets_write),
	};

	return cmocka_run_group_tests(tests, NULL, clean_up);
}
