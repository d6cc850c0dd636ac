/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules, hashes and temporary passwords. */
#include "accounts/password.h"

#include <crypt.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "accounts/guessable.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/utf8.h"

#define METHOD        "$y$"
#define SALT_BYTES    16
#define KINDS_NEEDED  3
#define NAME_SHORTEST 3
#define RUN_LONGEST   4 /* characters that follow each other, or are the same */
#define PIECE_LONGEST 6 /* of what is looked for over and over */

static const char *const defect_texts[PASSWORD_DEFECT_COUNT_][2] = {
	[PASSWORD_FINE] = {"", ""},
	[PASSWORD_TOO_SHORT] = {"it is too short", "短すぎます"},
	[PASSWORD_TOO_LONG] = {"it is too long", "長すぎます"},
	[PASSWORD_CONTROL] = {"it has a character that cannot be typed again",
			      "使用できない文字が含まれています"},
	[PASSWORD_TOO_SIMPLE] =
		{"use three of: small letters, capitals, digits, others; or 20 "
		 "characters and more",
		 "英小文字・英大文字・数字・記号のうち3種類以上、または20文字以上にしてください"},
	[PASSWORD_NAMES] = {"a name of a person, of this host or of its owner stands in it",
			    "利用者名・装置名・団体名が含まれています"},
	[PASSWORD_REPEATS] = {"it repeats itself, or has a run such as abcde or 12345",
			      "繰り返しや連続した文字 (abcde、12345 など) が含まれています"},
	[PASSWORD_GUESSABLE] =
		{"it is a common word or a name, with capitals, digits and signs around it; "
		 "take several words that do not belong together",
		 "よくある語や名称を大文字・数字・記号で飾っただけです。"
		 "無関係な複数の語を組み合わせてください"},
	[PASSWORD_USED] = {"it was used before", "以前に使用したパスワードです"},
};

const char *password_defect_text(enum password_defect defect, bool japanese)
{
	return defect_texts[defect][japanese];
}

/* Characters, or -1 where it is not UTF-8 or has a control character. */
static int count_characters(const char *password)
{
	struct span rest = span_of(password);
	int count = 0;

	while (rest.size > 0) {
		uint32_t code;
		size_t size = utf8_decode(rest, &code);

		if (size == 0 || code < 0x20 || (code >= 0x7f && code < 0xa0))
			return -1;
		rest.data += size;
		rest.size -= size;
		count++;
	}
	return count;
}

static unsigned count_kinds(const char *password)
{
	bool small = false, capital = false, digit = false, other = false;

	for (const char *at = password; *at != '\0'; at++) {
		unsigned char c = (unsigned char)*at;

		small |= islower(c) != 0;
		capital |= isupper(c) != 0;
		digit |= isdigit(c) != 0;
		other |= !isalnum(c);
	}
	return (unsigned)small + capital + digit + other;
}

static bool has_name(const char *password, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(names[i]);

		for (const char *at = password; length >= NAME_SHORTEST && *at != '\0'; at++) {
			if (strncasecmp(at, names[i], length) == 0)
				return true;
		}
	}
	return false;
}

/* More than RUN_LONGEST characters in which each is the one before, or its neighbour in the code.
 */
static bool has_run(const char *password)
{
	for (int step = -1; step <= 1; step++) {
		unsigned run = 1;

		for (const char *at = password; at[0] != '\0' && at[1] != '\0'; at++) {
			run = at[1] - at[0] == step ? run + 1 : 1;
			if (run > RUN_LONGEST)
				return true;
		}
	}
	return false;
}

/* Whether the whole is one short piece, three times or more. */
static bool is_repetition(const char *password)
{
	size_t length = strlen(password);

	for (size_t piece = 1; piece <= PIECE_LONGEST && 3 * piece <= length; piece++) {
		if (memcmp(password, password + piece, length - piece) == 0)
			return true;
	}
	return false;
}

enum password_defect password_judge(const char *password, unsigned length_min,
				    const char *const *names, size_t name_count)
{
	int characters = count_characters(password);

	if (characters < 0)
		return PASSWORD_CONTROL;
	if ((unsigned)characters < length_min || (unsigned)characters < PASSWORD_LENGTH_MIN)
		return PASSWORD_TOO_SHORT;
	if (strlen(password) > PASSWORD_LENGTH_MAX)
		return PASSWORD_TOO_LONG;
	if (characters < PASSWORD_PHRASE && count_kinds(password) < KINDS_NEEDED)
		return PASSWORD_TOO_SIMPLE;
	if (has_name(password, names, name_count))
		return PASSWORD_NAMES;
	if (has_run(password) || is_repetition(password))
		return PASSWORD_REPEATS;
	return guessable(password, names, name_count) ? PASSWORD_GUESSABLE : PASSWORD_FINE;
}

int password_setting(char setting[PASSWORD_SETTING_BYTES])
{
	char random[SALT_BYTES], made[CRYPT_GENSALT_OUTPUT_SIZE];

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random) ||
	    crypt_gensalt_rn(METHOD, 0, random, sizeof(random), made, sizeof(made)) == NULL ||
	    strlen(made) >= PASSWORD_SETTING_BYTES)
		return -ERR_SYSTEM;
	memcpy(setting, made, strlen(made) + 1);
	return 0;
}

int password_hash(const char *password, const char *setting, char hash[PASSWORD_HASH_BYTES])
{
	struct crypt_data data;
	const char *made;
	int err = -ERR_SYSTEM;

	memset(&data, 0, sizeof(data));
	made = crypt_rn(password, setting, &data, sizeof(data));
	if (made != NULL && made[0] != '*' && strlen(made) < PASSWORD_HASH_BYTES) {
		memcpy(hash, made, strlen(made) + 1);
		err = 0;
	}
	explicit_bzero(&data, sizeof(data));
	return err;
}

bool password_matches(const char *password, const char *hash)
{
	char again[PASSWORD_HASH_BYTES] = {0}, kept[PASSWORD_HASH_BYTES] = {0};
	unsigned char differs = 0;

	if (strlen(hash) >= sizeof(kept) || password_hash(password, hash, again) < 0)
		return false;
	memcpy(kept, hash, strlen(hash));
	for (size_t i = 0; i < sizeof(kept); i++)
		differs |= (unsigned char)(kept[i] ^ again[i]);
	return differs == 0;
}

int password_temporary(char out[PASSWORD_TEMPORARY_BYTES])
{
	static const char alphabet[32] = "abcdefghijkmnpqrstuvwxyz23456789";
	unsigned char random[PASSWORD_TEMPORARY_BYTES];

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -ERR_SYSTEM;
	for (size_t i = 0; i + 1 < PASSWORD_TEMPORARY_BYTES; i++)
		out[i] = (i + 1) % 5 == 0 ? '-' : alphabet[random[i] % sizeof(alphabet)];
	out[PASSWORD_TEMPORARY_BYTES - 1] = '\0';
	return 0;
}
