/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HTML to text, by the tree and tag by tag; and the guard that chooses. */
#include "html_fixture.h"

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
	check("<a href=\"https://evil.jp/\">ログイン bank.co.jp はこちら</a>",
	      "ログイン bank.co.jp はこちら <https://evil.jp/>【注意: 表示と異なるリンク】\n");
	check("<a href=\"https://evil.jp/\">今すぐbank.devへ</a>",
	      "今すぐbank.devへ <https://evil.jp/>【注意: 表示と異なるリンク】\n");
	check("<a href=\"https://evil.jp/\">192.0.2.1</a>",
	      "192.0.2.1 <https://evil.jp/>【注意: 表示と異なるリンク】\n");
	check("<a href=\"https://evil.jp/\">Node.js 1.2 main.py a@b.jp e.g. evil.jp</a>",
	      "Node.js 1.2 main.py a@b.jp e.g. evil.jp <https://evil.jp/>\n");
	check("<a href='https://x.jp/'>ASP.NET 第1.2.3.4節 photo.ai lib.so data.ps F.C.TOKYO</a>",
	      "ASP.NET 第1.2.3.4節 photo.ai lib.so data.ps F.C.TOKYO <https://x.jp/>\n");
	check("<a href='https://x.jp/'>https://x.jpをご覧ください</a>",
	      "https://x.jpをご覧ください <https://x.jp/>\n");
	check("<a href='https://x.jp/'>Amazon.co.jp</a> <a href='https://x.jp/'>www.bank.ai</a> "
	      "<a href='https://x.jp/'>my.bank.co.in</a>",
	      "Amazon.co.jp <https://x.jp/>【注意: 表示と異なるリンク】 "
	      "www.bank.ai <https://x.jp/>【注意: 表示と異なるリンク】 "
	      "my.bank.co.in <https://x.jp/>【注意: 表示と異なるリンク】\n");
	check("<a href='https:evil.jp/x'>www.bank.jp</a> <a href='http:/evil.jp/'>www.bank.jp</a> "
	      "<a href='https:\\evil.jp'>https://bank.jp</a>",
	      "www.bank.jp <https:evil.jp/x>【注意: 表示と異なるリンク】 "
	      "www.bank.jp <http:/evil.jp/>【注意: 表示と異なるリンク】 "
	      "https://bank.jp <https:\\evil.jp>【注意: 表示と異なるリンク】\n");
	check("<a href=\"https://www.bank.jp'@evil.jp/\">https://www.bank.jp</a>",
	      "https://www.bank.jp <https://www.bank.jp'@evil.jp/>【注意: 表示と異なるリンク】\n");
	check("<a href='https://evil.jp/'>https://evil.jp/ https://www.bank.jp</a>",
	      "https://evil.jp/ https://www.bank.jp <https://evil.jp/>"
	      "【注意: 表示と異なるリンク】\n");
	check("<a href='https://evil.jp/'>https://evil.jp/ www.bank.jp</a>",
	      "https://evil.jp/ www.bank.jp <https://evil.jp/>【注意: 表示と異なるリンク】\n");
	check("<a href='https://evil.jp/'>ｗｗｗ．ｂａｎｋ．ｊｐ</a>",
	      "ｗｗｗ．ｂａｎｋ．ｊｐ <https://evil.jp/>【注意: 表示と異なるリンク】\n");
	check("<a href='https://evil.jp/'>https://www.bank.jp@evil.jp/</a>",
	      "https://www.bank.jp@evil.jp/ <https://evil.jp/>【注意: 表示と異なるリンク】\n");
	check("<a href='https://evil.jp/'>login.abogado</a> <a href='https://evil.jp/'>省庁.jp</a>",
	      "login.abogado <https://evil.jp/>【注意: 表示と異なるリンク】 "
	      "省庁.jp <https://evil.jp/>【注意: 表示と異なるリンク】\n");
	check("<a href='https://x.jp/'>x.jp/省.jp a.zip 名.pdf 1.2.abc Login.abogado "
	      "a@b.abogado</a>",
	      "x.jp/省.jp a.zip 名.pdf 1.2.abc Login.abogado a@b.abogado <https://x.jp/>\n");
	check("<a href=\"java\nscript:x\">a</a>", "a[リンク削除: javascript]\n");
	check("<a href=\"mailto:a@b.jp\">a@b.jp</a>", "a@b.jp\n");
	check("<a href=\"https://x.jp/\"><img src=y></a>", "[画像] <https://x.jp/>\n");
}

static void test_html_targets_are_absolute_where_the_document_says_of_what(void **state)
{
	check("<base href=https://x.jp/a/b?q><base href=https://y.jp/><a href=c>t</a>",
	      "t <https://x.jp/a/c>\n");
	check("<base href=https://x.jp/a/b><a href=/c>t</a>", "t <https://x.jp/c>\n");
	check("<base href=https://x.jp><a href=c>t</a>", "t <https://x.jp/c>\n");
	check("<base href=https://x.jp/a/b><a href=?c>t</a>", "t <https://x.jp/a/b?c>\n");
	check("<base href=https://x.jp/a/b><a href=//y.jp/c>t</a>", "t <https://y.jp/c>\n");
	check("<base href=https://x.jp/a/b><a href=http://z.jp/>t</a>", "t <http://z.jp/>\n");
	check("<base href=https://x.jp/a/b?q#f><a href=#c>t</a>", "t <https://x.jp/a/b?q#c>\n");
	check("<base href=https://x.jp/a/b><a href=https:c>t</a>", "t <https://x.jp/a/c>\n");
	check("<base href=https://x.jp/a/b><a href=http:y.jp>t</a>", "t <http:y.jp>\n");
	check("<base href=https:x.jp/a/b><a href=/c>t</a>", "t <https:x.jp/c>\n");
	check("<a href=#c>t</a>", "t\n");
	check("<a href=''>t</a><base href=''><a href=''>t</a>", "tt\n");
	check("<base href=https://x.jp/a/b?q#f><a href=''>t</a><a>u</a><area><area href>",
	      "t <https://x.jp/a/b?q>u <https://x.jp/a/b?q>\n");
	check("<base href=https://evil.jp/><a href=/x>www.bank.jp</a>",
	      "www.bank.jp <https://evil.jp/x>【注意: 表示と異なるリンク】\n");
}

static void test_html_targets_that_start_programs_are_dropped(void **state)
{
	static const char *const schemes[] = {
		"ms-msdt",    "intent",         "vscode",
		"search-ms",  "file",           "data",
		"vbscript",   "shell",          "ms-settings-and-a-long-tail",
		"JavaScript", "\x01javascript", "x.y+z-1"};
	char html[128];

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		(void)snprintf(html, sizeof(html), "<a href='%s:secret'>t</a>", schemes[i]);
		if (strstr(render(html), "secret") != NULL ||
		    strstr(render(html), "t[リンク削除: ") == NULL)
			fail_msg("%s: %s", html, render(html));
		assert_int_equal(report.dropped_links, 1);
	}
	check("<a href='\\\\host\\share'>t</a>", "t[リンク削除: \\\\]\n");
	check("<form action='ms-x:y'></form>", "[リンク削除: ms-x]\n");
	check("<a href=tel:0312345678>t</a>", "t <0312345678>\n");
	check("<a href=ftp://x.jp/>t</a>", "t <ftp://x.jp/>\n");
	check("<a href=#x>t</a><a href=cid:x>u</a>", "tu\n");
}

/* What is embedded is not fetched, but what stands in its place is told. */
static void test_html_text_in_what_is_embedded_is_told(void **state)
{
	check("<svg><text>a</text><text>b</text><style>x{}</style></svg>", "a\nb\n");
	check("<canvas>a</canvas><audio src=/s.mp3>b</audio>", "a\n[埋め込み: </s.mp3>]\nb\n");
	check("<video><source src=https://x.jp/v>c</video>", "[埋め込み: <https://x.jp/v>]\nc\n");
	check("<object data=https://x.jp/o><p>d</p></object>",
	      "[埋め込み: <https://x.jp/o>]\n\nd\n");
	check("<iframe src=https://x.jp/i></iframe>", "[埋め込み: <https://x.jp/i>]\n");
	check("<iframe srcdoc='<p>e</p>'></iframe>", "e\n");
	check("<embed src=data:x>", "[リンク削除: data]\n");
	render("a<template>secret</template>b");
	assert_memory_equal(span_trim(bytes_span(&hidden)).data, "secret", 6);
	assert_string_equal(render("<iframe><p>f</p></iframe>"), "f\n");
	assert_string_equal(render("<frameset><noframes><p>g</p></noframes></frameset>"), "g\n");
	assert_int_equal(report.active, 1);
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

static void test_html_declarations_that_hide(void **state)
{
	static const char *const styles[] = {
		"color:#fefefe",
		"color:#eee",
		"color:rgba(0,0,0,0)",
		"color:rgb(0 0 0 / 5%)",
		"color:#12345600",
		"color:hsl(0, 0%, 99%)",
		"color:WhiteSmoke",
		"background:#00f;color:blue",
		"background:url(x) #00f;color:blue",
		"-webkit-text-fill-color:white",
		"opacity:.05",
		"opacity: 1%",
		"filter:opacity(0)",
		"font-size:0.1px",
		"font-size:1px",
		"font-size:.01em",
		"font:0/0 a",
		"font:italic 700 1px/2 serif",
		"font-size:1e-3px",
		"position:absolute;left:-9999px",
		"position:fixed;left:9999px",
		"position:absolute;top:-100em",
		"position:absolute;left:calc(-9999px)",
		"position:relative;inset:-9999px 0 0 0",
		"margin:-9999px",
		"margin:0 0 0 -9999px",
		"margin-left:-200vw",
		"text-indent:-9999px",
		"visibility:collapse",
		"clip:rect(0,0,0,0);position:absolute",
		"clip:rect(1px 1px 1px 1px)",
		"clip-path:inset(50%)",
		"clip-path:circle(0)",
		"clip-path:polygon(0 0, 0 0, 0 0)",
		"max-height:0",
		"max-height:0;overflow:hidden",
		"width:0;overflow:hidden",
		"height:1px;overflow-y:hidden",
		"transform:scale(0)",
		"transform:rotate(3deg) scaleX(0.0)",
		"transform:translate(-9999px)",
		"transform:rotateY(90deg)",
		"scale:0",
		"translate:-9999px",
		"transform:translate(-200%)",
		"position:absolute;left:-100%",
		"margin-left:-999%",
		"content-visibility:hidden",
		"display:none!important;display:block",
		"dis\\70lay:none",
		"display:/**/none",
		"mso-hide:all",
		";;x;display:none",
		"background:url('a;b');display:none",
	};
	char html[512];

	for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]); i++) {
		(void)snprintf(html, sizeof(html), "a<span style=\"%s\">secret</span>b", styles[i]);
		check_hides(html, true);
	}
}

static void test_html_declarations_that_do_not_hide(void **state)
{
	static const char *const styles[] = {
		"color:#999",
		"color:yellow",
		"color:inherit",
		"color:var(--x)",
		"color:#fff;background:#333",
		"color:#fff;background:url(x)",
		"background:linear-gradient(red,blue);background-clip:text;color:transparent",
		"opacity:.5",
		"font-size:0.9em",
		"font-size:80%",
		"font:700 12px/1 serif",
		"left:-9999px",
		"position:relative;left:-20px",
		"margin:-1px",
		"text-indent:-1em",
		"height:0",
		"height:0.9em;overflow:hidden",
		"transform:scale(1.1)",
		"clip-path:inset(1px)",
		"display:none;display:block",
		"max-width:100%",
		"x-display:none",
		"position:absolute;left:50%;transform:translateX(-50%)",
		"position:absolute;top:50%;left:50%;transform:translate(-50%,-50%)",
		"position:absolute;left:50%;transform:translate3d(-50%,0,0)",
		"position:absolute;left:100%;transform:translateX(-100%)",
		"position:absolute;left:50%;translate:-50% 0",
		"position:absolute;left:-50%",
		"position:absolute;left:50%;margin-left:-50%",
		"margin-left:-100%",
	};
	char html[512];

	for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]); i++) {
		(void)snprintf(html, sizeof(html), "a<span style=\"%s\">secret</span>b", styles[i]);
		check_hides(html, false);
	}
}

/* What an element hides, those in it may show again, but for what takes all of it away. */
static void test_html_styles_are_inherited(void **state)
{
	check_hides("a<div style='font-size:0'><p style='font-size:14px'>secret</p></div>b", false);
	check_hides("a<div style='visibility:hidden'><p style='visibility:visible'>secret</p></div>"
		    "b",
		    false);
	check_hides("a<div style='display:none'><p style='display:block'>secret</p></div>b", true);
	check_hides("a<div style='opacity:.3'><p style='opacity:.3'>secret</p></div>b", true);
	check_hides("a<div style='font-size:4px'><p style='font-size:.5em'>secret</p></div>b",
		    true);
	check_hides("a<font color=white>secret</font>b", true);
	check_hides("<td>a<font color=ffffff>secret</font>b</td>", true);
	check_hides("a<table bgcolor=#123456><tr><td><font color='#133557'>secret</font></td></tr>"
		    "</table>b",
		    true);
	check_hides("<body text=white bgcolor=black>a secret b</body>", false);
	check_hides("a<div hidden>secret</div>b", true);
	check_hides("a<img style='display:none' alt=secret>b", true);
	check_hides("a<div style='color:#fff'><a href=https://x.jp/>secret</a></div>b", false);
	check_hides("a<a href=https://x.jp/ style='color:#fff'>secret</a>b", true);
	assert_non_null(memmem(hidden.data, hidden.size, "<https://x.jp/>", 15));
	/* An image of a link is seen where text would not be. */
	assert_string_equal(render("<td style='font-size:0'><a href=https://x.jp/><img src=y></a>"),
			    "[画像] <https://x.jp/>\n");
}

static void test_html_selectors_match(void **state)
{
	static const struct {
		const char *css, *body;
		bool hides;
	} cases[] = {
		{"p{display:none}", "<p>secret</p>", true},
		{"P{display:none}", "<p>secret</p>", true},
		{".x.y{display:none}", "<p class='y z x'>secret</p>", true},
		{".x.y{display:none}", "<p class='y z'>secret</p>", false},
		{"#i.x{display:none}", "<p id=i class=x>secret</p>", true},
		{"p#i.x{display:none}", "<div id=i class=x>secret</div>", false},
		{".o .i{display:none}", "<div class=o><p><b class=i>secret</b></p></div>", true},
		{".o .i{display:none}", "<p class=o></p><b class=i>secret</b>", false},
		{".o>.i{display:none}", "<div class=o><p class=i>secret</p></div>", true},
		{".o > .i{display:none}", "<div class=o><p><b class=i>secret</b></p></div>", false},
		{".m .o > .i{display:none}",
		 "<div class=m><div class=o><div class=o></div><p class=i>secret</p></div></div>",
		 true},
		{"i + b{display:none}", "<p><i>x</i><b>secret</b></p>", true},
		{"i + b{display:none}", "<p><i>x</i><u>x</u><b>secret</b></p>", false},
		{"i ~ b{display:none}", "<p><i>x</i><u>x</u><b>secret</b></p>", true},
		{"br + b{display:none}", "<p>x<br><b>secret</b></p>", true},
		{"[title]{display:none}", "<p title=x>secret</p>", true},
		{"[title=\"k v\"]{display:none}", "<p title='k v'>secret</p>", true},
		{"[title~=v],x{display:none}", "<p title='k v'>secret</p>", true},
		{"[title^=k]{display:none}", "<p title='k v'>secret</p>", true},
		{"[title$=v]{display:none}", "<p title='k v'>secret</p>", true},
		{"[title*=v]{display:none}", "<p title='k'>secret</p>", false},
		{"[lang|=ja]{display:none}", "<p lang=ja-JP>secret</p>", true},
		{"td:first-child{display:none}",
		 "<table><tbody><tr><td>secret</td><td>x</td></tr></tbody></table>", true},
		{"p:nth-child(2){display:none}", "<p>x</p><p>secret</p>", true},
		{"p:hover{display:none}", "<p>secret</p>", false},
		{"p::before,q{display:none}", "<p>secret</p>", false},
		{"@media (device-width:1024px){p{display:none}}", "<p>secret</p>", true},
		{"@media (device-width:375px){p{display:none}}", "<p>secret</p>", false},
		{".y{color:#fff}", "<p class=y>secret</p>", true},
		{".y{color:#fff}", "<p class=y style='color:red'>secret</p>", false},
		{".y{color:#fff!important}", "<p class=y style='color:red'>secret</p>", true},
		/* The cascade: specificity, then order. */
		{"#i{display:block} p{display:none}", "<p id=i>secret</p>", false},
		{".x{display:block} .x{display:none}", "<p class=x>secret</p>", true},
		{"p{display:none!important} #i{display:block}", "<p id=i>secret</p>", true},
		{"[hidden]{display:block}", "<p hidden>secret</p>", false},
		/* At-rules, comments, escapes. */
		{"@media screen{p{display:none}}", "<p>secret</p>", true},
		{"@media print{p{display:none}} b{color:red}", "<p>secret</p>", false},
		{"@media print{x{}} p{display:none}", "<p>secret</p>", true},
		{"@media only screen and (max-width:600px){p{display:none}}", "<p>secret</p>",
		 false},
		{"@media (min-width: 600px) and (color){p{display:none}}", "<p>secret</p>", true},
		{"@media not print{p{display:none}}", "<p>secret</p>", true},
		{"@media print, screen{p{display:none}}", "<p>secret</p>", true},
		{"@supports (color:red){p{display:none}}", "<p>secret</p>", true},
		{"@import 'x'; p{display:none}", "<p>secret</p>", true},
		{"@font-face{font-family:x} p{display:none}", "<p>secret</p>", true},
		{"/* { */ p/**/{display:none}", "<p>secret</p>", true},
		{"<!-- p{display:none} -->", "<p>secret</p>", true},
		{"q{content:'}'} p{display:none}", "<p>secret</p>", true},
		{".\\78{display:none}", "<p class=x>secret</p>", true},
	};
	char html[512];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(html, sizeof(html),
			       "<html><head><style>%s</style></head><body>a<div>%s</div>b</body>"
			       "</html>",
			       cases[i].css, cases[i].body);
		check_hides(html, cases[i].hides);
		/* Behind what it hides, and in a document that only a tree makes whole. */
		(void)snprintf(html, sizeof(html), "a<div>%s</div>b<style type=text/css>%s</style>",
			       cases[i].body, cases[i].css);
		check_hides(html, cases[i].hides);
	}
	check_hides("<!--[if mso]><style>p{display:none}</style><![endif]-->a<p>secret</p>b",
		    false);
	check_hides("<style media=print>p{display:none}</style>a<p>secret</p>b", false);
}

/* Past a limit the sheet no longer hides, and the report says so. */
static void test_html_sheets_beyond_a_limit_are_cut(void **state)
{
	struct bytes html;

	bytes_init(&html, 1 << 22);
	assert_int_equal(bytes_append_text(&html, "a<style>"), 0);
	for (int i = 0; i < HTML_SHEET_COMPOUNDS; i++)
		assert_int_equal(bytes_append_text(&html, ".x{color:red}"), 0);
	assert_int_equal(bytes_append_text(&html, "p{display:none}</style><p>secret</p>b"), 0);
	assert_int_equal(bytes_append_u8(&html, '\0'), 0);
	check_hides((const char *)html.data, false);
	assert_true(report.sheet_cut);
	render("<style>p{display:none}</style><p>x</p>");
	assert_false(report.sheet_cut);
	bytes_fini(&html);
}

static void test_html_cells_sizes_paths_and_shadows_that_do_not_hide(void **state)
{
	check_hides(
		"<table><tr><td style='max-width:0;overflow:hidden;width:100%'>a secret b</td></tr>"
		"</table>",
		false);
	check_hides("<table><tr><th style='width:1px;overflow:hidden'>a secret b</th></tr></table>",
		    false);
	check_hides("a<table><tr><td style='display:block;max-height:0;overflow:hidden'>secret</td>"
		    "</tr></table>b",
		    true);
	check_hides("a<div style='font-size:0'><font size=3>secret</font></div>b", false);
	check_hides("a<div style='font-size:0'><font size=+1>secret</font></div>b", false);
	check_hides("a<div style='font-size:0'><font color=red>secret</font></div>b", true);
	check_hides("a<p style=\"clip-path:path('M 0 0 L 1 1')\">secret</p>b", false);
	check_hides("a<p style='clip-path:url(#0)'>secret</p>b", false);
	check_hides("a<p style='color:transparent;text-shadow:0 0 0 #000'>secret</p>b", false);
	check_hides("a<p style='color:transparent;text-shadow:none'>secret</p>b", true);
}

/* White on what may be dark: where the background is not understood, colour alone hides nothing. */
static void test_html_colours_on_unknown_backgrounds_do_not_hide(void **state)
{
	static const char *const sheets[] = {
		"tr:nth-child(odd) td{background:#036}",
		"tr:last-child{background:#036}",
		":is(.a,.b){background:#036}",
		"td:not(:hover){background-color:#036}",
		"td::before{background:#036}",
		"@container (width>1px){td{background:#036}}",
		"@media (width>=600px){td{BACKGROUND:#036}}",
		"@media not (foo){td{background:#036}}",
		"@supports not (color:red){td{background:#036}}",
		"table{& td{background:#036}}",
	};
	static const char *const certain[] = {
		"",
		"td:hover{background:#036}",
		"a:focus{background:#036}",
		"@media print{td{background:#036}}",
		"@media (prefers-color-scheme:dark){td{background:#036}}",
		"@media screen and (max-width:600px){td{background:#036}}",
		"tr:last-child{font-size:12px}",
		"@container (width>1px){td{width:1px}}",
	};
	static const char *const styles[] = {
		"background:var(--x)",        "background-color:color-mix(in srgb,red,blue)",
		"background:lab(20% 0 0)",    "background:currentColor",
		"background:Highlight",       "background:image-set('a.png' 1x)",
		"background:url(x)",          "background-image:cross-fade(red,blue)",
		"position:absolute;top:10px",
	};
	char html[512];

	for (size_t i = 0; i < sizeof(sheets) / sizeof(sheets[0]); i++) {
		(void)snprintf(html, sizeof(html),
			       "a<style>%s td{color:#fff}</style><table class=a><tr><td>secret</td>"
			       "</tr></table>b",
			       sheets[i]);
		check_hides(html, false);
	}
	for (size_t i = 0; i < sizeof(certain) / sizeof(certain[0]); i++) {
		(void)snprintf(html, sizeof(html),
			       "a<style>%s td{color:#fff}</style><table class=a><tr><td>secret</td>"
			       "</tr></table>b",
			       certain[i]);
		check_hides(html, true);
	}
	for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]); i++) {
		(void)snprintf(html, sizeof(html), "a<p style=\"color:#fff;%s\">secret</p>b",
			       styles[i]);
		check_hides(html, false);
	}
	check_hides("a<p style='color:#fff;background:#fff none no-repeat 0 0'>secret</p>b", true);
	check_hides("a<div style='color:#fff;background:#036'><p "
		    "style='background:#fff;color:var(--x)'>"
		    "secret</p></div>b",
		    false);
}

/* Hidden text is told apart up to a limit, in whole characters; then it stays where it stands. */
static void test_html_hidden_text_beyond_the_limit_is_shown(void **state)
{
	const size_t characters = HTML_HIDDEN_BYTES / 3 + 200;
	struct bytes html;
	size_t shown = 0;

	bytes_init(&html, 1 << 20);
	for (int shift = 0; shift < 4; shift++) {
		bytes_clear(&html);
		assert_int_equal(bytes_append_text(&html, "<div style='display:none'><p>"), 0);
		assert_int_equal(bytes_append_text(&html, "yyy" + 3 - shift), 0);
		for (size_t i = 0; i < characters; i++)
			assert_int_equal(bytes_append_text(&html, "あ"), 0);
		assert_int_equal(bytes_append_text(&html, "</p><p>z<a href=https://x.jp/>e</a>"),
				 0);
		assert_int_equal(bytes_append_u8(&html, '\0'), 0);
		render((const char *)html.data);
		assert_in_range(hidden.size, HTML_HIDDEN_BYTES - 3, HTML_HIDDEN_BYTES);
		for (size_t i = 0; i + 3 <= hidden.size; i++)
			shown += memcmp(hidden.data + i, "あ", 3) == 0;
		for (size_t i = 0; i + 3 <= out.size; i++)
			shown += memcmp(out.data + i, "あ", 3) == 0;
		assert_int_equal(shown, characters);
		assert_memory_equal(hidden.data + hidden.size - 3, "あ", 3);
		assert_memory_equal(out.data, "あ", 3);
		assert_non_null(strstr((const char *)out.data, "e <https://x.jp/>"));
		shown = 0;
	}
	bytes_fini(&html);
}

/* The documents of a mail share what may be spent on their sheets: who takes the report on from one
 * to the next hands down what is left. */
static void test_html_steps_are_those_of_all_documents(void **state)
{
	static const struct html_policy policy = {0};
	struct span html = span_of("<style>p{display:none}</style><p>secret</p>");

	reset();
	assert_int_equal(html_to_text(html, &policy, &out, &hidden, &report), 0);
	assert_in_range(report.style_steps, 1, 100);
	assert_int_equal(out.size, 0);
	for (int i = 0; i < 2; i++) {
		report.style_steps = HTML_SHEET_STEPS - 1;
		assert_int_equal(html_to_text(html, &policy, &out, &hidden, &report), 0);
		assert_true(report.sheet_cut);
		assert_in_range(report.style_steps, HTML_SHEET_STEPS - 1, HTML_SHEET_STEPS);
	}
	assert_string_equal(finish(), "secret\n\nsecret\n");
}

/* What is longer than any value that says something says nothing, wherever it stands. */
static void test_html_values_beyond_a_limit_hide_nothing(void **state)
{
	static const char *const forms[][2] = {
		{"a<style>p{", "}</style><p>secret</p>b"},
		{"a<p style='", "'>secret</p>b"},
	};
	static const char *const values[] = {"clip-path:circle(0", "transform:scale(0"};
	char html[1024];

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]) * 2; i++) {
		(void)snprintf(html, sizeof(html), "%s%s%*s%s", forms[i / 2][0], values[i % 2], 100,
			       ")", forms[i / 2][1]);
		check_hides(html, true);
		assert_false(report.sheet_cut);
		(void)snprintf(html, sizeof(html), "%s%s%*s%s", forms[i / 2][0], values[i % 2], 300,
			       ")", forms[i / 2][1]);
		check_hides(html, false);
		assert_true(report.sheet_cut);
	}
	/* A picture in the mail itself is long, and nothing is lost of it. */
	(void)snprintf(html, sizeof(html),
		       "a<p style='color:#fff;background:url(data:%0300d)'>secret</p>b", 0);
	check_hides(html, false);
	assert_false(report.sheet_cut);
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
	struct html_room *room = html_room_new();
	struct html_render r;
	int err;

	reset();
	assert_non_null(room);
	html_render_init(&r, &policy, room, span_of(html), &out, &hidden, &report);
	err = walk(span_of(html), &r);
	if (err == 0)
		html_render_end(&r);
	free(room);
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
		cmocka_unit_test(test_html_targets_are_absolute_where_the_document_says_of_what),
		cmocka_unit_test(test_html_targets_that_start_programs_are_dropped),
		cmocka_unit_test(test_html_text_in_what_is_embedded_is_told),
		cmocka_unit_test(test_html_hidden_text_is_told_apart),
		cmocka_unit_test(test_html_declarations_that_hide),
		cmocka_unit_test(test_html_declarations_that_do_not_hide),
		cmocka_unit_test(test_html_styles_are_inherited),
		cmocka_unit_test(test_html_selectors_match),
		cmocka_unit_test(test_html_sheets_beyond_a_limit_are_cut),
		cmocka_unit_test(test_html_cells_sizes_paths_and_shadows_that_do_not_hide),
		cmocka_unit_test(test_html_colours_on_unknown_backgrounds_do_not_hide),
		cmocka_unit_test(test_html_hidden_text_beyond_the_limit_is_shown),
		cmocka_unit_test(test_html_steps_are_those_of_all_documents),
		cmocka_unit_test(test_html_values_beyond_a_limit_hide_nothing),
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
