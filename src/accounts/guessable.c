/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Seeing through decorations: both the password and the words are folded to one form. */
#include "accounts/guessable.h"

#include <ctype.h>
#include <string.h>

#include "accounts/password.h"

/* What people of this trade begin with when a password is asked for; three letters and fewer are in
 * too many others. */
static const char *const roots[] = {
	"password",   "passwd",   "passwort", "pasuwado", "passcode", "passw",   "secret",
	"himitsu",    "welcome",  "letmein",  "login",    "logon",    "admin",   "administrator",
	"kanri",      "kanrisha", "root",     "user",     "guest",    "master",  "manager",
	"operator",   "auditor",  "system",   "server",   "network",  "gateway", "firewall",
	"router",     "switch",   "console",  "security", "default",  "change",  "changeme",
	"initial",    "temp",     "test",     "sample",   "qwerty",   "qwertz",  "asdf",
	"zxcv",       "qazwsx",   "iloveyou", "spring",   "summer",   "autumn",  "winter",
	"haru",       "natsu",    "fuyu",     "sakura",   "japan",    "nippon",  "nihon",
	"tokyo",      "osaka",    "kyoto",    "heisei",   "reiwa",    "showa",   "yakusho",
	"shiyakusho", "yakuba",   "kencho",   "jichitai", "joho",     "jouhou",  "shicho",
	"sekisho",    "sekisyo",
};

/* As a letter that it is read for; the letter l and what looks like it as i. */
static char fold(char c)
{
	static const char from[] = "@4831!|l05$7+9", to[] = "aabeiiiiossttg";
	const char *at;

	c = (char)tolower((unsigned char)c);
	at = c != '\0' ? strchr(from, c) : NULL;
	return at != NULL ? to[at - from] : c;
}

static bool begins(const char *text, const char *word, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\0' || fold(text[i]) != fold(word[i]))
			return false;
	}
	return true;
}

/* Mark every place where a word stands. */
static void cover(const char *password, const char *word, size_t size, bool *covered)
{
	for (size_t at = 0; password[at] != '\0'; at++) {
		if (begins(password + at, word, size))
			memset(covered + at, true, size);
	}
}

static bool is_part(char c)
{
	return isalnum((unsigned char)c) || ((unsigned char)c & 0x80) != 0;
}

static bool is_ascii(char c)
{
	return ((unsigned char)c & 0x80) == 0;
}

static bool is_further_octet(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* A name whole, and its parts: of "Shunan City" both words, of "sekisho-1" the first. */
static void cover_name(const char *password, const char *name, bool *covered)
{
	while (*name != '\0') {
		size_t size = 0, width = 0;

		for (; name[size] != '\0' && is_part(name[size]); size++)
			width += is_further_octet(name[size]) ? 0 : is_ascii(name[size]) ? 1 : 2;
		if (width >= GUESSABLE_ROOT_SHORTEST)
			cover(password, name, size, covered);
		name += size > 0 ? size : 1;
	}
}

/* Neither in a word nor a digit, a sign or a further octet of a character. */
static bool is_letter(char c)
{
	return isalpha((unsigned char)c) || ((unsigned char)c & 0xc0) == 0xc0;
}

bool guessable(const char *password, const char *const *names, size_t name_count)
{
	bool covered[PASSWORD_LENGTH_MAX] = {false};
	size_t size = strlen(password), letters = 0;
	bool some = false;

	if (size > sizeof(covered))
		return false; /* refused for its length */
	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
		cover(password, roots[i], strlen(roots[i]), covered);
	for (size_t i = 0; i < name_count; i++)
		cover_name(password, names[i], covered);
	for (size_t i = 0; i < size; i++) {
		some |= covered[i];
		letters += !covered[i] && is_letter(password[i]);
	}
	return some && letters < GUESSABLE_LETTERS_LEAST;
}
