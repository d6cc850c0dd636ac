/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The form of anchors, without their cryptography. */
#include "wire/log/anchor.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"

size_t log_anchor_text(const struct log_anchor *anchor, char text[LOG_ANCHOR_TEXT_BYTES])
{
	char hex[SHA256_HEX_BYTES];

	sha256_hex(anchor->hash, hex);
	return (size_t)snprintf(text, LOG_ANCHOR_TEXT_BYTES,
				"sekisho log anchor\nrecord %llu\nsha256 %s\ntime %llu\n",
				(unsigned long long)anchor->sequence, hex,
				(unsigned long long)anchor->time_s);
}

static int digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int log_anchor_hex(struct span digits, uint8_t *out, size_t size)
{
	if (digits.size != 2 * size)
		return -ERR_SYNTAX;
	for (size_t i = 0; i < size; i++) {
		int high = digit(digits.data[2 * i]), low = digit(digits.data[2 * i + 1]);

		if (high < 0 || low < 0)
			return -ERR_SYNTAX;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

static int hex_param(const struct syslog_view *view, const char *name, uint8_t *out, size_t size)
{
	struct span digits;
	int err = syslog_param(view, name, &digits);

	return err < 0 ? -ERR_SYNTAX : log_anchor_hex(digits, out, size);
}

int log_anchor_parse(const struct syslog_view *view, struct log_anchor *anchor)
{
	memset(anchor, 0, sizeof(*anchor));
	if (syslog_param_number(view, "record", &anchor->sequence) < 0 ||
	    syslog_param_number(view, "time-s", &anchor->time_s) < 0 ||
	    hex_param(view, "sha256", anchor->hash, sizeof(anchor->hash)) < 0 ||
	    hex_param(view, "key", anchor->key, sizeof(anchor->key)) < 0)
		return -ERR_SYNTAX;
	return hex_param(view, "signature", anchor->signature, sizeof(anchor->signature));
}
