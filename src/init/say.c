/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The console, and the small files that say what board this is. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "init/init.h"

void say(const char *format, ...)
{
	char line[256];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	(void)dprintf(STDOUT_FILENO, "%s\n", line); /* there is nobody else to tell */
}

int read_word(const char *name, char *word, size_t word_bytes)
{
	char path[64];
	FILE *file;
	bool whole;

	(void)snprintf(path, sizeof(path), CONFIG_DIRECTORY "/%s", name);
	file = fopen(path, "re");
	if (!file)
		return -ERR_SYSTEM;
	whole = fgets(word, (int)word_bytes, file) && strchr(word, '\n');
	(void)fclose(file); /* only read */
	if (!whole)
		return -ERR_TOO_LONG;
	word[strcspn(word, " \t\n")] = '\0';
	return 0;
}
