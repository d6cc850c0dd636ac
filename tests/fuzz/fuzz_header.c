/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Header values: encoded words (RFC 2047), parameters (RFC 2231), mailboxes and dates of any bytes
 * give UTF-8 and sound views. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "wire/mime/address.h"
#include "wire/mime/date.h"
#include "wire/mime/field.h"
#include "wire/mime/word.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_mailboxes(struct span list, struct bytes *out, struct charset_report *report)
{
	char address[MIME_ADDRESS_BYTES_MAX + 3];
	struct mime_mailbox mailbox;
	size_t at = 0;

	while (mime_mailbox_next(list, &at, &mailbox)) {
		bytes_clear(out);
		if (mime_mailbox_name(&mailbox, out, report) < 0 || !utf8_valid(bytes_span(out)))
			abort();
		if (mime_mailbox_address(&mailbox, address) == 0 && strchr(address, '@') == NULL)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"name", "filename", "charset", "boundary"};
	struct span in = {data, size};
	struct charset_report report = {0};
	struct mime_date date;
	struct bytes out;

	bytes_init(&out, 16U << 20);
	if (mime_text_decode(in, &out, &report) < 0 || !utf8_valid(bytes_span(&out)))
		abort();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		bytes_clear(&out);
		if (mime_value_param(in, names[i], &out, &report) == 0 &&
		    !utf8_valid(bytes_span(&out)))
			abort();
	}
	check_mailboxes(in, &out, &report);
	(void)mime_date_parse(in, &date);
	bytes_fini(&out);
	return 0;
}
