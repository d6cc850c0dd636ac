/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sekisho open-export: the configuration that a gateway exported under a passphrase (C6). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/err.h"
#include "tools/config_file.h"
#include "tools/tools.h"
#include "wire/export/export.h"

enum { STATUS_OPENED = 0, STATUS_NOT = 1, STATUS_USAGE = 2 };

#define TEXT_BYTES_MAX   (16U << 20)
#define PHRASE_BYTES_MAX 256

/* The first line of @from, without its end. Return: whether there is one, and all of it fits. */
static bool read_line(char *phrase, size_t size, FILE *from)
{
	if (fgets(phrase, (int)size, from) == NULL || strlen(phrase) == size - 1)
		return false;
	phrase[strcspn(phrase, "\r\n")] = '\0';
	return true;
}

static bool read_file(char *phrase, size_t size, const char *path)
{
	FILE *file = fopen(path, "re");
	bool ok = file != NULL && read_line(phrase, size, file);

	if (file != NULL)
		(void)fclose(file); /* was only read */
	return ok;
}

/* From the terminal, without echo. */
static bool read_terminal(char *phrase, size_t size)
{
	FILE *terminal = fopen("/dev/tty", "r+e");
	struct termios saved, silent;
	bool ok;

	if (terminal == NULL)
		return false;
	ok = tcgetattr(fileno(terminal), &saved) == 0;
	silent = saved;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	ok = ok && tcsetattr(fileno(terminal), TCSAFLUSH, &silent) == 0;
	if (ok) {
		fprintf(terminal, "passphrase: ");
		(void)fflush(terminal); /* only a prompt */
		ok = read_line(phrase, size, terminal);
		(void)tcsetattr(fileno(terminal), TCSAFLUSH, &saved); /* as it was, if it can be */
		fprintf(terminal, "\n");
	}
	(void)fclose(terminal); /* nothing was kept in it */
	return ok;
}

static int unlock(struct bytes *text, struct span armoured, const char *phrase)
{
	struct export_key key;
	int err = export_key_begin_of(&key, phrase, armoured);

	if (err < 0)
		return err;
	(void)export_key_derive(&key, EXPORT_ROUNDS_MAX); /* no export has more */
	err = export_unlock(text, armoured, &key);
	export_key_wipe(&key);
	return err;
}

static int open_export(const char *path, const char *phrase)
{
	struct bytes armoured, text;
	int status = STATUS_NOT, err;

	bytes_init(&armoured, TEXT_BYTES_MAX);
	bytes_init(&text, TEXT_BYTES_MAX);
	if (config_file_read(&armoured, path) == 0) {
		err = unlock(&text, bytes_span(&armoured), phrase);
		if (err < 0)
			fprintf(stderr, "sekisho open-export: %s\n",
				err == -ERR_INTEGRITY ? "the passphrase is another one, or the "
							"export is not whole"
						      : err_name(err));
		else if (fwrite(text.data, 1, text.size, stdout) == text.size &&
			 fflush(stdout) == 0)
			status = STATUS_OPENED;
		else
			perror("sekisho open-export");
	}
	bytes_fini(&armoured);
	bytes_fini(&text);
	return status;
}

int tool_open_export(int argc, char **argv)
{
	bool from_file = argc == 4 && strcmp(argv[1], "--passphrase") == 0;
	char phrase[PHRASE_BYTES_MAX];
	int status;

	if (argc != 2 && !from_file)
		return tool_usage("open-export");
	if (!(from_file ? read_file(phrase, sizeof(phrase), argv[2])
			: read_terminal(phrase, sizeof(phrase)))) {
		fprintf(stderr, "sekisho open-export: the passphrase cannot be read, or has more "
				"than 254 bytes\n");
		return STATUS_USAGE;
	}
	status = open_export(argv[argc - 1], phrase);
	explicit_bzero(phrase, sizeof(phrase));
	return status;
}
