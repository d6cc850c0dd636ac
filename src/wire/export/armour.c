/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Base64 between BEGIN and END: RFC 4648 4, RFC 7468 2. */
#include "wire/export/armour.h"

#include <nettle/base64.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

#define LINE_BYTES 57 /* octets that give 76 characters, RFC 2045 6.8 */
#define MARK_BYTES (ARMOUR_TITLE_MAX + 32)

void armour_put(struct bytes *out, const char *title, struct span data)
{
	(void)bytes_printf(out, "-----BEGIN SEKISHO %s-----\n", title); /* errors are in failed */
	for (size_t at = 0; at < data.size; at += LINE_BYTES) {
		size_t size = data.size - at < LINE_BYTES ? data.size - at : LINE_BYTES;
		char line[BASE64_ENCODE_RAW_LENGTH(LINE_BYTES)];

		base64_encode_raw(line, size, data.data + at);
		(void)bytes_append(out, line, BASE64_ENCODE_RAW_LENGTH(size)); /* the same */
		(void)bytes_append_u8(out, '\n');                              /* the same */
	}
	(void)bytes_printf(out, "-----END SEKISHO %s-----\n", title); /* the same */
}

/* What stands behind @mark. Return: false where it is not in @text. */
static bool find_behind(struct span text, const char *mark, struct span *behind)
{
	const uint8_t *at = text.size > 0 ? memmem(text.data, text.size, mark, strlen(mark)) : NULL;

	if (at == NULL)
		return false;
	behind->data = at + strlen(mark);
	behind->size = (size_t)(text.data + text.size - behind->data);
	return true;
}

static int decode(struct bytes *out, struct span body)
{
	struct base64_decode_ctx ctx;
	int err = 0;

	base64_decode_init(&ctx);
	while (err == 0 && body.size > 0) {
		size_t size = body.size < LINE_BYTES ? body.size : LINE_BYTES;
		size_t octets = BASE64_DECODE_LENGTH(LINE_BYTES);
		uint8_t piece[BASE64_DECODE_LENGTH(LINE_BYTES)];

		if (!base64_decode_update(&ctx, &octets, piece, size, (const char *)body.data))
			return -ERR_SYNTAX;
		err = bytes_append(out, piece, octets);
		body.data += size;
		body.size -= size;
	}
	return err == 0 && !base64_decode_final(&ctx) ? -ERR_SYNTAX : err;
}

int armour_take(struct bytes *out, const char *title, struct span text)
{
	char begin[MARK_BYTES], end[MARK_BYTES];
	struct span body, rest;

	(void)snprintf(begin, sizeof(begin), "-----BEGIN SEKISHO %s-----", title);
	(void)snprintf(end, sizeof(end), "-----END SEKISHO %s-----", title);
	if (!find_behind(text, begin, &body) || !find_behind(body, end, &rest))
		return -ERR_NOT_FOUND;
	body.size = (size_t)(rest.data - body.data) - strlen(end);
	return decode(out, body);
}
