/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading the local log forward, across its segments. */
#include <fcntl.h>
#include <unistd.h>

#include "audit/store_files.h"
#include "base/err.h"

void store_cursor_init(struct store_cursor *c)
{
	*c = (struct store_cursor){.fd = -1};
}

void store_cursor_fini(struct store_cursor *c)
{
	if (c->fd >= 0)
		(void)close(c->fd); /* read only */
	store_cursor_init(c);
}

/* The index of the segment that has (or will have) record @sequence; the oldest where it is before
 * all. */
static size_t find_segment(const struct store *s, uint64_t sequence)
{
	size_t i = s->segment_count - 1;

	while (i > 0 && s->segments[i].first_sequence > sequence)
		i--;
	return i;
}

static int open_segment(const struct store *s, struct store_cursor *c, uint64_t first_sequence)
{
	store_cursor_fini(c);
	c->fd = store_file_open(s->directory, first_sequence, O_RDONLY);
	if (c->fd < 0)
		return c->fd;
	c->segment = first_sequence;
	c->sequence = first_sequence;
	return 0;
}

uint64_t store_cursor_seek(const struct store *s, struct store_cursor *c, uint64_t sequence)
{
	uint8_t buffer[STORE_LINE_MAX + 1];
	uint64_t oldest = s->segments[0].first_sequence;
	uint64_t gone = sequence < oldest ? oldest - sequence : 0;
	struct span line;

	sequence += gone;
	if (open_segment(s, c, s->segments[find_segment(s, sequence)].first_sequence) < 0)
		return gone;
	while (c->sequence < sequence && store_cursor_peek(s, c, buffer, &line) == 0)
		store_cursor_take(c, line);
	return gone;
}

/* The end of the open segment: go on in the one behind it, if there is one. */
static int next_segment(const struct store *s, struct store_cursor *c)
{
	for (size_t i = 0; i < s->segment_count; i++) {
		if (s->segments[i].first_sequence > c->segment)
			return open_segment(s, c, s->segments[i].first_sequence);
	}
	return -ERR_AGAIN;
}

int store_cursor_peek(const struct store *s, struct store_cursor *c, uint8_t *buffer,
		      struct span *line)
{
	int err;

	if (c->fd < 0 || c->segment < s->segments[0].first_sequence)
		return -ERR_NOT_FOUND;
	err = store_read_line(c->fd, c->offset, buffer, line);
	while (err == -ERR_TRUNCATED) {
		err = next_segment(s, c);
		if (err < 0)
			return err;
		err = store_read_line(c->fd, c->offset, buffer, line);
	}
	return err;
}

void store_cursor_take(struct store_cursor *c, struct span line)
{
	struct syslog_view view;
	uint64_t sequence;

	c->offset += line.size + 1;
	/* The record's own number: in a log that goes on behind a broken part, counting lines would
	 * differ. */
	if (syslog_parse(line, &view) == 0 && syslog_param_number(&view, "seq", &sequence) == 0)
		c->sequence = sequence + 1;
	else
		c->sequence++;
}
