/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Links: the target beside the text, a warning where the text names another host, nothing for what
 * would run. */
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "wire/host_name.h"
#include "wire/html/render.h"
#include "wire/punycode.h"

enum { SHOWN_MAX = 2048, HOST_MAX = 256, SCHEME_MAX = 16 };

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

/* RFC 3986 3.1. One that is too long for any that is known is cut. */
static void target_scheme(struct target *t)
{
	size_t n =
		strspn(t->url, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-");
	bool begins = (t->url[0] | 0x20) >= 'a' && (t->url[0] | 0x20) <= 'z';

	if (t->url[n] != ':' || !begins)
		return;
	for (size_t i = 0; i < n && i + 1 < SCHEME_MAX; i++)
		t->scheme[i] = lower((uint8_t)t->url[i]);
}

/* The host of "user@host:port/": browsers take backslashes for slashes, and nothing else for the
 * end. */
static void host_of(const char *authority, char host[HOST_MAX], bool *has_user)
{
	size_t end = strcspn(authority, "/\\?#"), begin = 0, n = 0;

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

/* Schemes whose targets have a host however many slashes stand before it (WHATWG URL, "special").
 */
static bool has_always_host(const char *scheme)
{
	return strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0 ||
	       strcmp(scheme, "ftp") == 0;
}

/* Behind the scheme and its colon. */
static const char *behind_scheme(const struct target *t)
{
	return t->scheme[0] != '\0' ? strchr(t->url, ':') + 1 : t->url;
}

static void target_init(struct target *t, struct span href)
{
	const char *authority;
	size_t slashes;

	/* Browsers leave out what is blank or a control character in front; of the latter a parser
	 * has made replacement characters. */
	href = span_trim(href);
	while (href.size > 0 &&
	       (href.data[0] <= ' ' || span_starts_nocase(href, span_of("\uFFFD")))) {
		size_t size = href.data[0] <= ' ' ? 1 : 3;

		href = (struct span){href.data + size, href.size - size};
	}
	*t = (struct target){0};
	target_copy(t, href);
	target_scheme(t);
	authority = behind_scheme(t);
	slashes = strspn(authority, "/\\");
	if (slashes >= 2 || has_always_host(t->scheme))
		host_of(authority + slashes, t->host, &t->has_user);
}

static bool one_of(const char *word, const char *const *list)
{
	for (; *list != NULL; list++) {
		if (strcmp(word, *list) == 0)
			return true;
	}
	return false;
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
		r->report->defanged_links++;
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
	r->report->spelled_links++;
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

/* What the renderer says of an image at @text: its octets, or 0. */
static size_t image_mark(struct span text)
{
	const uint8_t *end;

	if (!span_starts_nocase(text, span_of("[画像: ")) &&
	    !span_starts_nocase(text, span_of("[image: ")))
		return 0;
	end = memchr(text.data, ']', text.size);
	return end != NULL ? (size_t)(end - text.data) + 1 : 0;
}

static bool takes_no_room(uint32_t c)
{
	return (c >= 0x200B && c <= 0x200D) || c == 0x2060 || c == 0xFEFF || c == 0xAD;
}

/* What a reader takes the text of a link for: narrow, without what takes no room, and without what
 * the renderer says of images. */
static struct span fold_shown(const char *shown, uint8_t folded[SHOWN_MAX])
{
	struct span text = span_of(shown);
	size_t used = 0, size, image;
	uint32_t c;

	for (; text.size > 0; text = (struct span){text.data + size, text.size - size}) {
		image = image_mark(text);
		size = image > 0 ? image : utf8_decode(text, &c);
		if (size == 0)
			size = 1;
		else if (image > 0)
			folded[used++] = ' ';
		else if (utf8_narrow(c) != c)
			folded[used++] = (uint8_t)utf8_narrow(c);
		else if (!takes_no_room(c))
			used += (size_t)((uint8_t *)mempcpy(folded + used, text.data, size) -
					 (folded + used));
	}
	return (struct span){folded, used};
}

static bool is_another(struct span named, const struct target *t)
{
	char host[HOST_MAX];

	for (size_t i = 0; i < named.size; i++)
		host[i] = lower(named.data[i]);
	host[named.size] = '\0';
	return named.size > 0 && !same_site(host, t->host);
}

static bool is_hiragana(const uint8_t *s)
{
	return s[0] == 0xE3 && (s[1] == 0x81 || (s[1] == 0x82 && s[2] < 0xA0));
}

/* Is @named, with a word before it or none, the name @host or one below it? Between words of
 * Japanese there is no gap, but kana end where another script begins: "今すぐ省庁.jp". */
static bool says_host(struct span named, const char *host)
{
	size_t size = strlen(host);
	const uint8_t *begin;

	if (size == 0 || size > named.size)
		return is_below(host, (const char *)named.data);
	begin = named.data + named.size - size;
	if (memcmp(begin, host, size) != 0)
		return is_below(host, (const char *)named.data);
	return size == named.size || begin[-1] == '.' ||
	       (named.size >= size + 3 && is_hiragana(begin - 3) && !is_hiragana(begin));
}

/* A name in another script is compared with what the target's host is in letters. */
static bool is_another_script(struct span named, const struct target *t)
{
	char name[HOST_MAX];
	struct bytes host;
	bool same;

	for (size_t i = 0; i < named.size; i++)
		name[i] = lower(named.data[i]);
	name[named.size] = '\0';
	bytes_init(&host, 4 * HOST_MAX);
	if (punycode_host_to_text(span_of(without_www(t->host)), &host) < 0) {
		bytes_clear(&host);
		(void)bytes_append_text(&host, t->host); /* too long: no name is the same */
	}
	same = bytes_append_u8(&host, '\0') == 0 &&
	       says_host(span_of(without_www(name)), (const char *)host.data);
	bytes_fini(&host);
	return !same;
}

/* The same for names that stand without a scheme. */
static bool has_another(struct span text, const struct target *t)
{
	struct span named;

	for (size_t at = 0; host_name_next(text, &at, &named);) {
		if (is_another(named, t))
			return true;
	}
	for (size_t at = 0; host_name_next_rare(text, &at, &named);) {
		if (is_another_script(named, t))
			return true;
	}
	return false;
}

/* Does the text of a link name a host that is not the target's? */
static bool names_another(const char *shown, const struct target *t)
{
	uint8_t folded[SHOWN_MAX];
	struct span text = fold_shown(shown, folded);

	while (t->host[0] != '\0' && text.size > 0) {
		const uint8_t *url = memmem(text.data, text.size, "://", 3);
		size_t begin = url != NULL ? (size_t)(url - text.data) : text.size, end;

		if (has_another((struct span){text.data, begin}, t))
			return true;
		if (url == NULL)
			break;
		begin += 3;
		end = host_name_end(text, begin);
		if (is_another((struct span){text.data + begin, end - begin}, t))
			return true;
		while (end < text.size && text.data[end] > ' ' && text.data[end] < 0x80)
			end++;
		text = (struct span){text.data + end, text.size - end};
	}
	return false;
}

static void put_web(struct html_render *r, const struct target *t, const char *shown)
{
	if (!says_the_same(shown, t) || r->policy->defang)
		put_target(r, t);
	else
		r->report->links++;
	if (t->has_user || names_another(shown, t)) {
		r->report->misleading_links++;
		html_render_mark(r, say(r, "【注意: 表示と異なるリンク】",
					"[Warning: the link goes elsewhere than it says]"));
	}
	put_other_spelling(r, t);
}

/* How much of an absolute target a relative one, which begins so, is put behind (RFC 3986 5.2). */
static size_t base_size(const struct target *base, const char *relative)
{
	const char *path = behind_scheme(base), *end;

	if (strspn(relative, "/\\") >= 2)
		return (size_t)(path - base->url);
	path += strspn(path, "/\\");
	path += strcspn(path, "/\\?#");
	if (relative[0] == '/' || relative[0] == '\\')
		return (size_t)(path - base->url);
	end = path + strcspn(path, relative[0] == '#' || relative[0] == '\0' ? "#" : "?#");
	if (relative[0] == '?' || relative[0] == '#' || relative[0] == '\0')
		return (size_t)(end - base->url);
	while (end > path && end[-1] != '/' && end[-1] != '\\')
		end--;
	return (size_t)(end - base->url);
}

/* The target of @href in this document. */
static void target_of(const struct html_render *r, struct span href, struct target *t)
{
	char whole[2 * sizeof(t->url)];
	struct target base;
	const char *relative;
	size_t size;
	int written;

	target_init(t, href);
	if (r->base.size == 0) /* with one, "" is the page itself: the base */
		return;
	target_init(&base, r->base);
	if (base.host[0] == '\0' || !has_always_host(base.scheme))
		return;
	/* With the base's own scheme and no slashes, it is relative all the same. */
	relative = behind_scheme(t);
	if (relative != t->url &&
	    (strcmp(t->scheme, base.scheme) != 0 || strspn(relative, "/\\") >= 2))
		return;
	size = base_size(&base, relative);
	written = snprintf(whole, sizeof(whole), "%.*s%s%s", (int)size, base.url,
			   size == base.size && strcspn(relative, "/\\?#") > 0 &&
					   base.url[size - 1] != '/'
				   ? "/"
				   : "",
			   relative);
	if (written > 0 && (size_t)written < sizeof(whole))
		target_init(t, span_of(whole));
}

/* Schemes of targets that are written; whatever else there is starts a program of some kind. */
static const char *const web_schemes[] = {"", "http", "https", "ftp", NULL};
static const char *const plain_schemes[] = {"mailto", "tel", "sms", "fax", "line", NULL};

/* A share of files is reached by two backslashes, with no scheme. */
static bool is_dropped(const struct target *t)
{
	return strncmp(t->url, "\\\\", 2) == 0 ||
	       (!one_of(t->scheme, web_schemes) && !one_of(t->scheme, plain_schemes));
}

static void put_dropped(struct html_render *r, const struct target *t)
{
	r->report->dropped_links++;
	html_render_mark(r, say(r, "[リンク削除: ", "[link removed: "));
	html_render_mark(r, t->scheme[0] != '\0' ? t->scheme : "\\\\");
	html_render_mark(r, "]");
}

/* A place inside of the message: of no use to the reader. */
static bool is_inside(const struct target *t)
{
	return t->size == 0 || t->url[0] == '#' || strcmp(t->scheme, "cid") == 0 ||
	       strcmp(t->scheme, "mid") == 0;
}

void html_link_note(struct html_render *r, struct span href, const char *label)
{
	struct target t;

	if (href.size == 0)
		return;
	target_of(r, href, &t);
	if (is_inside(&t))
		return;
	if (is_dropped(&t)) {
		put_dropped(r, &t);
		return;
	}
	html_render_mark(r, "[");
	html_render_mark(r, label);
	html_render_mark(r, ":");
	put_target(r, &t);
	put_other_spelling(r, &t);
	html_render_mark(r, "]");
}

void html_link_close(struct html_render *r, struct span href, struct span shown)
{
	char text[SHOWN_MAX];
	struct target t;

	/* The text lies in the output, which moves as it grows. */
	shown = span_trim(shown);
	if (shown.size >= sizeof(text))
		shown.size = sizeof(text) - 1;
	if (shown.size > 0)
		memcpy(text, shown.data, shown.size);
	text[shown.size] = '\0';
	target_of(r, href, &t);
	if (is_inside(&t))
		return;
	if (is_dropped(&t))
		put_dropped(r, &t);
	else if (one_of(t.scheme, plain_schemes))
		put_plain(r, &t, text);
	else
		put_web(r, &t, text);
}
