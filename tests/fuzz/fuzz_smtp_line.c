/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz target: command lines as the receiver reads them, down to paths and parameters. */
#include <stdlib.h>

#include "wire/smtp/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* A path that was accepted holds nothing that could end a line, a command or a bracket, and parses
 * again. */
static void check_path(const struct smtp_path *path, bool utf8)
{
	struct smtp_path again = {0};

	for (size_t i = 0; i < path->text.size; i++)
		must(path->text.data[i] >= ' ' && path->text.data[i] != 0x7f);
	must(path->text.size <= SMTP_PATH_MAX && path->local.size <= SMTP_LOCAL_MAX);
	must(path->domain.size <= SMTP_DOMAIN_MAX);
	must(smtp_path_parse(path->text, utf8, &again) == 0);
	must(span_equal(again.domain, path->domain));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = {data, size};
	struct span line = {0};
	size_t taken = 0;

	while (smtp_line_next(in, SMTP_LINE_MAX + SMTP_MAIL_EXTRA, &line, &taken) == 0) {
		struct smtp_line command = {0};
		struct smtp_mail mail = {0};
		struct smtp_path path = {0};

		if (smtp_line_parse(line, &command) == 0) {
			if (smtp_mail_parse(command.argument, &mail) == 0)
				check_path(&mail.path, mail.utf8);
			if (smtp_rcpt_parse(command.argument, true, &path) == 0)
				check_path(&path, true);
			(void)smtp_domain_check(command.argument, false,
						NULL); /* only that it is safe */
			(void)smtp_path_reroutes(&path);
		}
		in = (struct span){in.data + taken, in.size - taken};
	}
	return 0;
}
