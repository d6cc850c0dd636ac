/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sekisho verify-mail: does the standard input conform to the sanitised-mail grammar? The verifier
 * alone: by itself it takes text, told so also files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/tools.h"
#include "wire/mail/verify.h"

enum { STATUS_CONFORMS = 0, STATUS_DOES_NOT = 1, STATUS_USAGE = 2 };

int tool_verify_mail(int argc, char **argv)
{
	struct mail_verify v;
	char *line = NULL;
	size_t capacity = 0;
	bool texts = argc == 2 && strcmp(argv[1], "--texts") == 0;
	bool files = argc == 2 && strcmp(argv[1], "--files") == 0;
	ssize_t size;

	if (argc != 1 && !texts && !files)
		return tool_usage("verify-mail");
	mail_verify_init(&v);
	mail_verify_allow(&v, texts, files);
	while ((size = getline(&line, &capacity, stdin)) > 0) {
		if (line[size - 1] == '\n')
			size--;
		if (size > 0 && line[size - 1] == '\r')
			size--;
		if (mail_verify_line(&v, (const uint8_t *)line, (size_t)size) < 0)
			break;
	}
	free(line);
	if (ferror(stdin)) {
		fprintf(stderr, "sekisho verify-mail: cannot read\n");
		return STATUS_USAGE;
	}
	if (mail_verify_end(&v) == 0)
		return STATUS_CONFORMS;
	printf("line %llu: %s\n", (unsigned long long)v.line, mail_verify_reason(&v));
	return STATUS_DOES_NOT;
}
