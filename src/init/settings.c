/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernel settings from a file in the form of sysctl.conf(5). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "init/init.h"

#define LINE_BYTES 256
#define BLANKS     " \t"

static char *trim(char *text)
{
	size_t length;

	text += strspn(text, BLANKS);
	length = strlen(text);
	while (length && strchr(BLANKS "\n", text[length - 1]))
		text[--length] = '\0';
	return text;
}

int settings_split(char *line, char **name, char **value)
{
	char *equals;

	line = trim(line);
	if (!*line || *line == '#')
		return -ERR_NOT_FOUND;
	equals = strchr(line, '=');
	if (!equals)
		return -ERR_SYNTAX;
	*equals = '\0';
	*name = trim(line);
	*value = trim(equals + 1);
	if (!**name || !**value || strstr(*name, "..") || strchr(*name, '/'))
		return -ERR_SYNTAX;
	for (char *dot = *name; (dot = strchr(dot, '.')); dot++)
		*dot = '/';
	return 0;
}

static int write_setting(const char *name, const char *value)
{
	char path[LINE_BYTES + 16];
	size_t length = strlen(value);
	ssize_t done;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/sys/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -ERR_SYSTEM;
	done = write(fd, value, length);
	(void)close(fd); /* the write has said it all */
	return done == (ssize_t)length ? 0 : -ERR_SYSTEM;
}

void settings_apply(const char *path)
{
	char line[LINE_BYTES], *name, *value;
	FILE *file = fopen(path, "re");

	if (!file) {
		say("settings: %s: %s", path, strerror(errno));
		return;
	}
	while (fgets(line, sizeof(line), file)) {
		int err = settings_split(line, &name, &value);

		if (err == -ERR_SYNTAX)
			say("settings: %s: cannot read a line", path);
		else if (err == 0 && write_setting(name, value) < 0)
			say("settings: %s: %s", name, strerror(errno));
	}
	(void)fclose(file); /* only read */
}
