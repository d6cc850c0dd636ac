/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of flows. */
#include "tools/flow_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

#define LINE_ROOM (FLOW_LINE_BYTES_MAX + 2) /* one byte too many shows that it is too long */

/* The next line without its end. Return: 1; 0 at the end of the file; -ERR_TOO_LONG. */
static int next_line(FILE *file, char room[LINE_ROOM], size_t *size)
{
	int c;

	*size = 0;
	while ((c = getc_unlocked(file)) != EOF && c != '\n') {
		if (*size == FLOW_LINE_BYTES_MAX)
			return -ERR_TOO_LONG;
		room[(*size)++] = (char)c;
	}
	return c != EOF || *size > 0;
}

static int read_lines(FILE *file, const char *path, int32_t utc_offset_s,
		      int (*each)(void *ctx, struct flow_line *line), void *ctx)
{
	char room[LINE_ROOM];
	struct flow_line line;
	size_t size;
	int more, err = 0;

	for (unsigned long number = 1; (more = next_line(file, room, &size)) != 0; number++) {
		err = more < 0 ? more : flow_line_read(&line, (struct span){(uint8_t *)room, size});
		if (err == -ERR_NOT_FOUND)
			continue;
		if (err != 0) {
			fprintf(stderr, "%s:%lu: this is no flow: %s\n", path, number,
				err_name(err));
			return err;
		}
		if (line.local_time)
			line.at_s -= utc_offset_s;
		err = each(ctx, &line);
		if (err != 0)
			return err;
	}
	return 0;
}

int flow_file_read(const char *path, int32_t utc_offset_s,
		   int (*each)(void *ctx, struct flow_line *line), void *ctx)
{
	bool standard = strcmp(path, "-") == 0;
	FILE *file = standard ? stdin : fopen(path, "re");
	int err;

	if (file == NULL) {
		fprintf(stderr, "sekisho: cannot read %s: %s\n", path, strerror(errno));
		return -ERR_SYSTEM;
	}
	err = read_lines(file, path, utc_offset_s, each, ctx);
	if (err == 0 && ferror(file) != 0) {
		fprintf(stderr, "sekisho: cannot read %s\n", path);
		err = -ERR_SYSTEM;
	}
	if (!standard)
		(void)fclose(file); /* only read from */
	return err;
}
