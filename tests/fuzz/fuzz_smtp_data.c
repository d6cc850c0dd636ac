/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzz target: DATA. The first byte says how it is cut; the end must be where the definition has
 * it. */
#include <stdlib.h>
#include <string.h>

#include "wire/smtp/data.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* Octets up to and with the end of data, by searching; 0: it does not end. */
static size_t find_end(const uint8_t *data, size_t size)
{
	const uint8_t *at = NULL;

	if (size >= 3 && memcmp(data, ".\r\n", 3) == 0)
		return 3;
	at = memmem(data, size, "\r\n.\r\n", 5);
	return at == NULL ? 0 : (size_t)(at - data) + 5;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct smtp_data d = {0};
	struct bytes out = {0};
	size_t at = 0;
	size_t step = 0;
	size_t end = 0;

	if (size == 0)
		return 0;
	step = data[0] == 0 ? size : data[0];
	data++;
	size--;
	end = find_end(data, size);
	smtp_data_init(&d, 4096);
	bytes_init(&out, 1U << 20);
	while (at < size && !d.ended) {
		struct span in = {data + at, size - at < step ? size - at : step};
		uint8_t *room = malloc(SMTP_DATA_OUT_BYTES(in.size));
		size_t room_bytes = 0;

		at += smtp_data_push(&d, in, room, &room_bytes);
		must(bytes_append(&out, room, room_bytes) == 0);
		free(room);
	}
	must(d.ended == (end != 0));
	must(!d.ended || at == end);
	must(out.size == d.size_bytes && out.size <= 4096);
	for (size_t i = 0; i < out.size; i++)
		must(out.data[i] != '\0' &&
		     (out.data[i] != '\n' || (i > 0 && out.data[i - 1] == '\r')));
	bytes_fini(&out);
	return 0;
}
