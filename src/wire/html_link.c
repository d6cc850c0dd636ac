/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Links: the target beside the text, a warning where the text names another host, nothing for what
 * would run. */
#include <stdio.h>
#include <string.h>

#include "wire/html_render.h"
#include "wire/punycode.h"

enum { SHOWN_MAX = 512, HOST_MAX = 256, SCHEME_MAX = 16 };

/* A target taken apart; host and scheme in lower case. */
struct target {
	char url[HTML_URL_SHOWN + 8];
	size_t size;
	char scheme[SCHEME_MAX];
	char host[HOST_MAX];
	bool cut;      /* longer than HTML_URL_SHOWN */
	bool has_user; /* "user@" before the host: a favourite of impostors */
};

static const char *say(const struct html_render *r, const char *japanese, const char *english)
{
	return r->policy->english ? english : japanese;
}

static char lower(uint8_t c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

/* Browsers drop line ends and tabs inside of targets, and so must who judges them. Spaces are shown
 * encoded. */
static void target_copy(struct target *t, struct span href)
{
	for (size_t i = 0; i < href.size; i++) {
		uint8_t c = href.data[i];

		if (t->size >= HTML_URL_SHOWN) {
			t->cut = true;
			break;
		}
		if (c == '\n' || c == '\r' || c == '\t')
			continue;
		if (c == ' ' || c == '<' || c == '>')
			t->size += (size_t)snprintf(t->url + t->size, 4, "%%%02X", c);
		else
			t->url[t->size++] = (char)c;
	}
	/* Do not end inside a character. */
	while (t->cut && t->size > 0 && (t->url[t->size - 1] & 0xC0) == 0x80)
		t->size--;
	if (t->cut && t->size > 0 && (t->url[t->size - 1] & 0x80))
		t->size--;
	t->url[t->size] = '\0';
}

static void target_scheme(struct target *t)
{
	size_t n = strcspn(t->url, ":/?#");

	if (t->url[n] != ':' || n >= SCHEME_MAX)
		return;
	for (size_t i = 0; i < n; i++)
		t->scheme[i] = lower((uint8_t)t->url[i]);
	t->scheme[n] = '\0';
}

/* The host of "//user@host:port/": browsers take backslashes for slashes. */
static void host_of(const char *authority, char host[HOST_MAX], bool *has_user)
{
	size_t end = strcspn(authority, "/\\?#<> \"'"), begin = 0, n = 0;

	for (size_t i = 0; i < end; i++) {
		if (authority[i] == '@')
			begin = i + 1;
	}
	*has_user = begin > 0;
	for (size_t i = begin; i < end && authority[i] != ':' && n + 1 < HOST_MAX; i++)
		host[n++] = lower((uint8_t)authority[i]);
	while (n > 0 && host[n - 1] == '.')
		n--;
	host[n] = '\0';
}

static void target_init(struct target *t, struct span href)
{
	const char *authority;

	*t = (struct target){0};
	target_copy(t, span_trim(href));
	target_scheme(t);
	authority = t->url + (t->scheme[0] != '\0' ? strlen(t->scheme) + 1 : 0);
	if (strspn(authority, "/\\") >= 2)
		host_of(authority + strspn(authority, "/\\"), t->host, &t->has_user);
}

static bool one_of(const char *word, const char *const *list)
{
	for (; *list != NULL; list++) {
		if (strcmp(word, *list) == 0)
			return true;
	}
	return false;
}

/* Does the name end like a domain that people write without "http"? */
static bool has_known_top(const char *host)
{
	static const char *const tops[] = {"com",  "net",  "org", "jp",  "info",   "biz", "gov",
					   "edu",  "io",   "cn",  "kr",  "tw",     "uk",  "de",
					   "fr",   "us",   "eu",  "me",  "co",     "tv",  "ru",
					   "shop", "site", "xyz", "top", "online", NULL};
	const char *dot = strrchr(host, '.');

	return dot != NULL && one_of(dot + 1, tops);
}

/* The host that a link's text names, or "". */
static void shown_host(const char *shown, char host[HOST_MAX])
{
	const char *at = strstr(shown, "://");
	size_t skip;
	bool has_user;

	host[0] = '\0';
	if (at != NULL) {
		host_of(at + 3, host, &has_user);
		return;
	}
	at = strcasestr(shown, "www.");
	skip = strspn(shown, " \t\n");
	if (at == NULL && strpbrk(shown + skip, " \n@") == NULL)
		at = shown + skip; /* one word: perhaps a bare host name */
	if (at == NULL)
		return;
	host_of(at, host, &has_user);
	if (strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789.-") != strlen(host) ||
	    !has_known_top(host))
		host[0] = '\0';
}

static const char *without_www(const char *host)
{
	return strncmp(host, "www.", 4) == 0 ? host + 4 : host;
}

static bool is_below(const char *host, const char *domain)
{
	size_t h = strlen(host), d = strlen(domain);

	return h > d && d > 0 && strchr(domain, '.') != NULL && host[h - d - 1] == '.' &&
	       strcmp(host + h - d, domain) == 0;
}

static bool same_site(const char *a, const char *b)
{
	a = without_www(a);
	b = without_www(b);
	return strcmp(a, b) == 0 || is_below(a, b) || is_below(b, a);
}

/* Is the text the target itself, give or take its scheme and the last slash? */
static bool says_the_same(const char *shown, const struct target *t)
{
	const char *url = t->url, *bare = strstr(t->url, "://");
	size_t size = strlen(shown), length;

	for (int i = 0; i < 2; i++) {
		length = strlen(url);
		if (length > 0 && url[length - 1] == '/' && size + 1 == length)
			length--;
		if (length == size && strncmp(url, shown, size) == 0)
			return true;
		if (bare == NULL)
			return false;
		url = bare + 3;
	}
	return false;
}

static void put_target(struct html_render *r, const struct target *t)
{
	bool web = strcmp(t->scheme, "http") == 0 || strcmp(t->scheme, "https") == 0;
	size_t skip = 0;

	r->space = false;
	html_render_mark(r, " <");
	if (r->policy->defang && web) {
		html_render_mark(r, t->scheme[4] == 's' ? "hxxps" : "hxxp");
		skip = strlen(t->scheme);
	}
	html_render_raw(r, (struct span){(const uint8_t *)t->url + skip, t->size - skip});
	html_render_mark(r, t->cut ? "…>" : ">");
	r->report->links++;
}

/* mailto: and tel: are shown as what they stand for, unless the text says it already. */
static void put_plain(struct html_render *r, const struct target *t, const char *shown)
{
	const char *value = t->url + strlen(t->scheme) + 1;
	size_t size = strcspn(value, "?");
	struct span address = {(const uint8_t *)value, size};

	r->report->links++;
	if (size == 0 || memmem(shown, strlen(shown), value, size) != NULL)
		return;
	r->space = false;
	html_render_mark(r, " <");
	html_render_raw(r, address);
	html_render_mark(r, ">");
}

/* A host that is not plain ASCII, beside its other spelling: letters of other scripts look like
 * ours. */
static void put_other_spelling(struct html_render *r, const struct target *t)
{
	bool encoded = strncmp(t->host, "xn--", 4) == 0 || strstr(t->host, ".xn--") != NULL;
	struct span host = span_of(t->host);
	struct bytes other;
	bool plain = true;
	int err;

	for (size_t i = 0; i < host.size; i++)
		plain = plain && host.data[i] < 0x80;
	if (plain && !encoded)
		return;
	bytes_init(&other, 4 * HOST_MAX);
	err = encoded ? punycode_host_to_text(host, &other) : punycode_text_to_host(host, &other);
	html_render_mark(r,
			 say(r, "【注意: 国際化ドメイン名", "[Warning: internationalised domain"));
	if (err == 0) {
		html_render_mark(r, ": ");
		html_render_raw(r, bytes_span(&other));
	}
	html_render_mark(r, say(r, "】", "]"));
	bytes_fini(&other);
}

static void put_web(struct html_render *r, const struct target *t, const char *shown)
{
	char named[HOST_MAX];

	shown_host(shown, named);
	if (!says_the_same(shown, t) || r->policy->defang)
		put_target(r, t);
	else
		r->report->links++;
	if (t->has_user || (named[0] != '\0' && t->host[0] != '\0' && !same_site(named, t->host))) {
		r->report->misleading_links++;
		html_render_mark(r, say(r, "【注意: 表示と異なるリンク】",
					"[Warning: the link goes elsewhere than it says]"));
	}
	put_other_spelling(r, t);
}

void html_link_close(struct html_render *r, struct span href, struct span shown)
{
	static const char *const dropped[] = {"javascript", "data",  "vbscript", "file",
					      "blob",       "about", "ms-word",  "search-ms",
					      "ms-excel",   NULL};
	static const char *const plain[] = {"mailto", "tel", "sms", "line", NULL};
	char text[SHOWN_MAX];
	struct target t;

	/* The text lies in the output, which moves as it grows. */
	shown = span_trim(shown);
	if (shown.size >= sizeof(text))
		shown.size = sizeof(text) - 1;
	if (shown.size > 0)
		memcpy(text, shown.data, shown.size);
	text[shown.size] = '\0';
	target_init(&t, href);
	if (one_of(t.scheme, dropped)) {
		r->report->dropped_links++;
		html_render_mark(r, say(r, "[リンク削除: ", "[link removed: "));
		html_render_mark(r, t.scheme);
		html_render_mark(r, "]");
	} else if (one_of(t.scheme, plain)) {
		put_plain(r, &t, text);
	} else if (t.size > 0 && t.url[0] != '#' && strcmp(t.scheme, "cid") != 0) {
		put_web(r, &t, text);
	}
}
