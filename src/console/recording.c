/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `save screen recording`: a part of a file that the supervisor has opened, in base64 on the
 * terminal. It is copied as bytes; nothing here looks into it.
 */
#include <errno.h>
#include <unistd.h>

#include "base/err.h"
#include "channel/query.h"
#include "console/console.h"
#include "console/recording.h"
#include "wire/export/armour.h"

void recording_drop(struct console *c)
{
	if (c->recording_fd >= 0)
		(void)close(c->recording_fd); /* only read */
	c->recording_fd = -1;
}

void recording_take(struct console *c, uint32_t query, int fd)
{
	recording_drop(c);
	if (c->state == STATE_ROWS && query == c->query)
		c->recording_fd = fd;
	else
		(void)close(fd); /* of a question that Ctrl-C took back */
}

/* Return: 0; -ERR_SYSTEM; an error of @part. */
static int read_part(struct bytes *part, int fd)
{
	uint8_t *room = bytes_room(part, RECORDING_PART_BYTES);
	ssize_t n = 1;

	if (room == NULL)
		return -ERR_NO_MEMORY;
	while (n > 0 && part->size < RECORDING_PART_BYTES) {
		n = read(fd, room + part->size, RECORDING_PART_BYTES - part->size);
		if (n > 0)
			part->size += (size_t)n;
		else if (n < 0 && errno == EINTR)
			n = 1;
	}
	return n < 0 ? -ERR_SYSTEM : 0;
}

void recording_show(struct console *c)
{
	struct bytes part, out;
	int err;

	bytes_init(&part, RECORDING_PART_BYTES);
	bytes_init(&out, CONSOLE_OUTPUT_BYTES);
	err = read_part(&part, c->recording_fd);
	recording_drop(c);
	if (err == 0)
		armour_put(&out, "RECORDING", bytes_span(&part));
	c->pipe.no_more = true;
	if (err == 0 && !out.failed) {
		screen_show(c, bytes_span(&out));
	} else {
		screen_say(c, "the recording cannot be read\n", "記録を読み出せません\n");
		console_prompt(c);
	}
	bytes_fini(&part);
	bytes_fini(&out);
}
