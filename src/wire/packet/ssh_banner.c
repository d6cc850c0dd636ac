/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An SSH client's identification line; pure. */
#include "wire/packet/ssh_banner.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"

static const char protocol[] = "SSH-2.0-";

enum { PROTOCOL_BYTES = sizeof(protocol) - 1 };

/* RFC 4253 4.2: the software's name is printable and has neither blanks nor hyphens; the latter
 * real clients do not keep to. */
static bool is_software_byte(uint8_t c)
{
	return c > ' ' && c < 0x7f;
}

static int check_text(struct span text, struct span *software)
{
	size_t at = 0;

	while (at < text.size && is_software_byte(text.data[at]))
		at++;
	*software = (struct span){text.data, at};
	if (at < text.size && text.data[at] != ' ')
		return -ERR_SYNTAX;
	for (; at < text.size; at++) {
		if (text.data[at] < ' ' || text.data[at] > '~')
			return -ERR_SYNTAX;
	}
	return 0;
}

int ssh_banner_read(struct span *software, const void *stream, size_t stream_bytes)
{
	const uint8_t *line = stream;
	size_t seen = stream_bytes < SSH_BANNER_BYTES_MAX ? stream_bytes : SSH_BANNER_BYTES_MAX;
	size_t compared = seen < PROTOCOL_BYTES ? seen : PROTOCOL_BYTES;
	const uint8_t *end;

	if (seen == 0)
		return -ERR_TRUNCATED;
	if (memcmp(line, protocol, compared) != 0)
		return -ERR_UNSUPPORTED;
	if (seen < PROTOCOL_BYTES)
		return -ERR_TRUNCATED;
	end = memchr(line, '\n', seen);
	size_t text_bytes = (end != NULL ? (size_t)(end - line) : seen) - PROTOCOL_BYTES;

	if (text_bytes > 0 && line[PROTOCOL_BYTES + text_bytes - 1] == '\r')
		text_bytes--;
	else if (end != NULL)
		return -ERR_SYNTAX;
	int err = check_text((struct span){line + PROTOCOL_BYTES, text_bytes}, software);

	if (err != 0)
		return err;
	if (end == NULL)
		return seen < SSH_BANNER_BYTES_MAX ? -ERR_TRUNCATED : -ERR_TOO_LONG;
	return software->size > 0 ? 0 : -ERR_SYNTAX;
}
