/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dotted names whose last label is a top level domain. */
#include "wire/host_name.h"

#include <stdlib.h>
#include <string.h>

/* Generic ones in common use (IANA root zone); those of two letters are countries'. */
static const char *const tops[] = {
	"academy",   "agency",   "app",        "art",     "asia",      "auction",    "bank",
	"best",      "bid",      "biz",        "blog",    "buzz",      "cafe",       "cam",
	"camp",      "capital",  "cards",      "care",    "casa",      "cash",       "casino",
	"cat",       "center",   "chat",       "city",    "click",     "clinic",     "cloud",
	"club",      "codes",    "coffee",     "com",     "company",   "consulting", "cool",
	"coop",      "credit",   "cyou",       "date",    "day",       "deals",      "delivery",
	"dental",    "design",   "dev",        "digital", "direct",    "domains",    "download",
	"earth",     "edu",      "education",  "email",   "energy",    "events",     "exchange",
	"expert",    "express",  "family",     "fan",     "farm",      "fashion",    "finance",
	"financial", "fit",      "fun",        "fund",    "games",     "gift",       "global",
	"gold",      "gov",      "group",      "guide",   "guru",      "health",     "help",
	"homes",     "host",     "house",      "icu",     "inc",       "info",       "ink",
	"int",       "jetzt",    "jobs",       "kim",     "kyoto",     "land",       "law",
	"legal",     "life",     "link",       "live",    "loan",      "lol",        "love",
	"ltd",       "mail",     "management", "market",  "marketing", "media",      "men",
	"mil",       "mobi",     "moe",        "money",   "monster",   "museum",     "nagoya",
	"name",      "net",      "network",    "news",    "ngo",       "ninja",      "okinawa",
	"one",       "onl",      "online",     "org",     "osaka",     "page",       "party",
	"pay",       "photos",   "pink",       "plus",    "post",      "press",      "pro",
	"quest",     "racing",   "rent",       "report",  "rest",      "review",     "reviews",
	"rip",       "rocks",    "run",        "sale",    "sbs",       "school",     "science",
	"security",  "services", "shop",       "site",    "ski",       "social",     "software",
	"solutions", "space",    "stock",      "store",   "stream",    "studio",     "style",
	"support",   "systems",  "tax",        "team",    "tech",      "tel",        "tips",
	"today",     "tokyo",    "tools",      "top",     "town",      "trade",      "training",
	"travel",    "tube",     "university", "uno",     "vin",       "vip",        "wang",
	"watch",     "webcam",   "website",    "wiki",    "win",       "work",       "works",
	"world",     "wtf",      "xin",        "xyz",     "yoga",      "yokohama",   "zone",
};

/* All of more than two letters, in the order of strcmp. */
static const char *const all_tops[] = {
#define TOP(name) name,
#include "wire/host_tops.def"
#undef TOP
};

/* Of two letters, and the end of many a file's name. */
static const char *const endings[] = {"cs", "db", "gz", "hs", "js", "kt", "md", "py", "sh", "vb"};

static bool is_letter(uint8_t c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_host_octet(uint8_t c)
{
	return is_letter(c) || is_digit(c) || c == '-' || c == '.';
}

static bool is_one_of(struct span word, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (span_equal_nocase(word, span_of(list[i])))
			return true;
	}
	return false;
}

static bool is_top(struct span label)
{
	if (span_starts_nocase(label, span_of("xn--")))
		return true;
	for (size_t i = 0; i < label.size; i++) {
		if (!is_letter(label.data[i]))
			return false;
	}
	if (label.size == 2)
		return !is_one_of(label, endings, sizeof(endings) / sizeof(endings[0]));
	return is_one_of(label, tops, sizeof(tops) / sizeof(tops[0]));
}

/* Four numbers of at most three digits. */
static bool is_ipv4(struct span host)
{
	size_t dots = 0, digits = 0;

	for (size_t i = 0; i < host.size; i++) {
		if (host.data[i] == '.') {
			if (digits == 0)
				return false;
			dots++;
			digits = 0;
		} else if (!is_digit(host.data[i]) || ++digits > 3) {
			return false;
		}
	}
	return dots == 3 && digits > 0;
}

bool host_name_is_plausible(struct span host)
{
	const uint8_t *dot = host.size > 0 ? memrchr(host.data, '.', host.size) : NULL;
	size_t before = dot != NULL ? (size_t)(dot - host.data) : 0;

	if (dot == NULL || before == 0 || host.size > HOST_NAME_MAX_BYTES || host.data[0] == '.' ||
	    memmem(host.data, host.size, "..", 2) != NULL)
		return false;
	return is_ipv4(host) || is_top((struct span){dot + 1, host.size - before - 1});
}

/* Where what mail programs take into the name of a host ends. */
static size_t octets_end(struct span text, size_t at)
{
	size_t end = at;

	while (end < text.size && end - at < HOST_NAME_MAX_BYTES && text.data[end] > ' ' &&
	       memchr("/\\?#<>:\"'()[]@,;|", text.data[end], 17) == NULL &&
	       !(text.data[end] == 0xE3 && text.size - end >= 3 && text.data[end + 1] == 0x80 &&
		 text.data[end + 2] < 0x97)) /* U+3000 to U+3016: blanks and brackets */
		end++;
	return end;
}

size_t host_name_end(struct span text, size_t at)
{
	size_t end = octets_end(text, at), ascii;

	for (ascii = at; ascii < end && text.data[ascii] < 0x80;)
		ascii++;
	if (ascii < end && memchr(text.data + ascii, '.', end - ascii) == NULL &&
	    host_name_is_plausible((struct span){text.data + at, ascii - at}))
		return ascii;
	return end;
}

/* Of two letters, whose names people write into texts as such; the others' are taken for the ends
 * of words and files (photo.ai, lib.so) where nothing else tells of a host. */
static const char *const countries[] = {
	"au", "be", "br", "ca", "cc", "ch", "cn", "co", "de", "es", "eu", "fr", "gl", "hk", "io",
	"jp", "kr", "ly", "me", "mx", "nl", "nz", "ru", "se", "sg", "tv", "tw", "ua", "uk", "us",
};

/* What stands before a country's letters in the name of a host. */
static const char *const seconds[] = {
	"ac", "ad", "co", "com", "ed", "edu", "go", "gov", "gr", "lg", "ne", "net", "or", "org",
};

static bool has_capital(struct span text)
{
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] >= 'A' && text.data[i] <= 'Z')
			return true;
	}
	return false;
}

/* Does this plausible name tell by itself that it is one? Brands are written with capitals in
 * .com and .jp (Amazon.co.jp); elsewhere such a word is a product or an initial (ASP.NET). */
static bool tells_of_host(struct span host)
{
	const uint8_t *dot = memrchr(host.data, '.', host.size), *before;
	struct span top = {dot + 1, (size_t)(host.data + host.size - dot) - 1}, second;

	if (span_starts_nocase(host, span_of("www.")))
		return true;
	if (is_ipv4(host)) { /* numbers of one digit each are a section's */
		for (size_t i = 1; i < host.size; i++) {
			if (host.data[i] != '.' && host.data[i - 1] != '.')
				return true;
		}
		return false;
	}
	before = memrchr(host.data, '.', (size_t)(dot - host.data));
	before = before != NULL ? before + 1 : host.data;
	second = (struct span){before, (size_t)(dot - before)};
	if (has_capital(host) && !span_equal_nocase(top, span_of("jp")) &&
	    !span_equal_nocase(top, span_of("com")))
		return false;
	return top.size != 2 ||
	       is_one_of(top, countries, sizeof(countries) / sizeof(countries[0])) ||
	       (before > host.data &&
		is_one_of(second, seconds, sizeof(seconds) / sizeof(seconds[0])));
}

bool host_name_next(struct span text, size_t *at, struct span *host)
{
	while (*at < text.size) {
		size_t begin = *at, end;
		bool address = begin > 0 && text.data[begin - 1] == '@';

		if (!is_host_octet(text.data[begin])) {
			(*at)++;
			continue;
		}
		while (*at < text.size && is_host_octet(text.data[*at]))
			(*at)++;
		address = address || (*at < text.size && text.data[*at] == '@');
		for (end = *at;
		     end > begin && (text.data[end - 1] == '.' || text.data[end - 1] == '-');)
			end--;
		*host = (struct span){text.data + begin, end - begin};
		if (!address && host_name_is_plausible(*host) && tells_of_host(*host))
			return true;
	}
	return false;
}

static int compare_top(const void *key, const void *item)
{
	return strcmp(key, *(const char *const *)item);
}

/* Is @label, of whatever script, a top level domain? Of two letters only those that people write.
 */
static bool is_any_top(struct span label)
{
	char word[32];

	if (label.size == 2)
		return is_one_of(label, countries, sizeof(countries) / sizeof(countries[0]));
	if (label.size == 0 || label.size >= sizeof(word))
		return false;
	for (size_t i = 0; i < label.size; i++)
		word[i] = (char)(is_letter(label.data[i]) ? label.data[i] | 0x20 : label.data[i]);
	word[label.size] = '\0';
	return bsearch(word, all_tops, sizeof(all_tops) / sizeof(all_tops[0]), sizeof(all_tops[0]),
		       compare_top) != NULL;
}

/* Does a name in letters of other scripts end at the dot @dot of @word and the label behind it? An
 * ASCII label ends where other letters follow. Sets @size to that of the name. */
static bool is_other_script(struct span word, size_t dot, size_t *size)
{
	struct span label = {word.data + dot + 1, 0};

	if (dot == 0 || word.data[dot - 1] < 0x80)
		return false;
	while (dot + 1 + label.size < word.size && is_letter(label.data[label.size]))
		label.size++;
	if (label.size == 0)
		label.size = word.size - dot - 1;
	*size = dot + 1 + label.size;
	return is_any_top(label) && (*size == word.size || word.data[*size] >= 0x80);
}

/* Is all of @word a name in lower-case ASCII? */
static bool is_own_word(struct span word)
{
	const uint8_t *dot = word.size > 0 ? memrchr(word.data, '.', word.size) : NULL;
	size_t before = dot != NULL ? (size_t)(dot - word.data) : 0;
	bool letters = false;

	for (size_t i = 0; i < word.size; i++) {
		if (!is_host_octet(word.data[i]) || (word.data[i] >= 'A' && word.data[i] <= 'Z'))
			return false;
		letters = letters || (i < before && is_letter(word.data[i]));
	}
	return letters && word.data[0] != '.' && memmem(word.data, word.size, "..", 2) == NULL &&
	       is_any_top((struct span){dot + 1, word.size - before - 1});
}

/* The name in one word, if any. */
static bool rare_name(struct span word, struct span *host)
{
	size_t size;

	while (word.size > 0 &&
	       (word.data[word.size - 1] == '.' || word.data[word.size - 1] == '-'))
		word.size--;
	*host = word;
	if (is_own_word(word))
		return true;
	for (size_t dot = word.size; dot-- > 0;) {
		if (word.data[dot] == '.' && is_other_script(word, dot, &size)) {
			host->size = size;
			return true;
		}
	}
	return false;
}

bool host_name_next_rare(struct span text, size_t *at, struct span *host)
{
	while (*at < text.size) {
		size_t begin = *at, end = octets_end(text, begin);
		bool address = (begin > 0 && text.data[begin - 1] == '@') ||
			       (end < text.size && text.data[end] == '@');

		*at = end;
		/* What follows a name without a blank is a path. */
		if (end < text.size && memchr("/\\?#:", text.data[end], 5) != NULL && end > begin) {
			while (*at < text.size && text.data[*at] > ' ')
				(*at)++;
		} else if (end < text.size) {
			(*at)++;
		}
		if (end > begin && !address &&
		    rare_name((struct span){text.data + begin, end - begin}, host))
			return true;
	}
	return false;
}
