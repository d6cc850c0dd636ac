/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sealing and checking the records of the audit log. */
#include "wire/log/chain.h"

#include <stdbool.h>
#include <string.h>

#include "base/err.h"

static const char seal_mark[] = " sha256=";
#define SEAL_MARK_BYTES (sizeof(seal_mark) - 1)

void log_chain_init(struct log_chain *chain)
{
	*chain = (struct log_chain){.next_sequence = 1};
}

static void hash_record(const struct log_chain *chain, struct span record,
			uint8_t digest[SHA256_BYTES])
{
	struct sha256 s;

	sha256_init(&s);
	sha256_update(&s, chain->hash, sizeof(chain->hash));
	sha256_update(&s, record.data, record.size);
	sha256_final(&s, digest);
}

int log_chain_seal(struct log_chain *chain, struct writer *line)
{
	uint8_t digest[SHA256_BYTES];

	if (line->failed || line->capacity - line->size < LOG_CHAIN_SEAL_BYTES)
		return -ERR_NO_SPACE;
	hash_record(chain, (struct span){line->data, line->size}, digest);
	writer_text(line, seal_mark);
	for (size_t i = 0; i < sizeof(digest); i++) {
		static const char digits[] = "0123456789abcdef";

		writer_u8(line, (uint8_t)digits[digest[i] >> 4]);
		writer_u8(line, (uint8_t)digits[digest[i] & 15]);
	}
	memcpy(chain->hash, digest, sizeof(digest));
	chain->next_sequence++;
	return 0;
}

/* Lower case only: a record has one form. */
static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int read_hash(struct span hex, uint8_t hash[SHA256_BYTES])
{
	if (hex.size != 2 * SHA256_BYTES)
		return -ERR_SYNTAX;
	for (size_t i = 0; i < SHA256_BYTES; i++) {
		int high = hex_digit(hex.data[2 * i]), low = hex_digit(hex.data[2 * i + 1]);

		if (high < 0 || low < 0)
			return -ERR_SYNTAX;
		hash[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

int log_chain_stated(struct span line, uint8_t hash[SHA256_BYTES])
{
	size_t at;

	if (line.size < LOG_CHAIN_SEAL_BYTES)
		return -ERR_SYNTAX;
	at = line.size - LOG_CHAIN_SEAL_BYTES;
	if (memcmp(line.data + at, seal_mark, SEAL_MARK_BYTES) != 0)
		return -ERR_SYNTAX;
	at += SEAL_MARK_BYTES;
	return read_hash((struct span){line.data + at, line.size - at}, hash);
}

static int fail(const char **why, const char *what, int err)
{
	*why = what;
	return -err;
}

int log_chain_check(struct log_chain *chain, struct span line, struct syslog_view *view,
		    const char **why)
{
	uint8_t stated[SHA256_BYTES], digest[SHA256_BYTES];
	uint64_t sequence;

	if (log_chain_stated(line, stated) < 0)
		return fail(why, "no record: it has no hash at its end", ERR_SYNTAX);
	if (syslog_parse(line, view) < 0)
		return fail(why, "no record: it is not a message of RFC 5424", ERR_SYNTAX);
	if (syslog_param_number(view, "seq", &sequence) < 0)
		return fail(why, "no record: it has no sequence number", ERR_SYNTAX);
	if (sequence != chain->next_sequence)
		return fail(why,
			    "another sequence number was due: records are missing, added or out of "
			    "order",
			    ERR_INTEGRITY);
	hash_record(chain, (struct span){line.data, line.size - LOG_CHAIN_SEAL_BYTES}, digest);
	if (memcmp(digest, stated, sizeof(digest)) != 0)
		return fail(why, "the hash is wrong: this record or the one before was altered",
			    ERR_INTEGRITY);
	memcpy(chain->hash, digest, sizeof(digest));
	chain->next_sequence++;
	return 0;
}

int log_chain_adopt(struct log_chain *chain, struct span line)
{
	struct syslog_view view;
	struct log_chain adopted;
	struct span prev;

	if (syslog_parse(line, &view) < 0 || !span_equal(view.message_id, span_of("log-segment")) ||
	    syslog_param_number(&view, "seq", &adopted.next_sequence) < 0 ||
	    syslog_param(&view, "prev", &prev) < 0 || read_hash(prev, adopted.hash) < 0)
		return -ERR_SYNTAX;
	*chain = adopted;
	return 0;
}
