/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFB's version line. */
#include "wire/rfb/version.h"

#include <string.h>

#include "base/err.h"

static int digit(uint8_t c)
{
	return c >= '0' && c <= '9' ? c - '0' : -1;
}

int rfb_version_parse(struct span text, unsigned *major, unsigned *minor)
{
	unsigned value[2] = {0, 0};

	if (text.size != RFB_VERSION_BYTES || memcmp(text.data, "RFB ", 4) != 0)
		return -ERR_SYNTAX;
	if (text.data[7] != '.' || text.data[11] != '\n')
		return -ERR_SYNTAX;
	for (unsigned i = 0; i < 6; i++) {
		int d = digit(text.data[4 + i + i / 3]);

		if (d < 0)
			return -ERR_SYNTAX;
		value[i / 3] = value[i / 3] * 10 + (unsigned)d;
	}
	*major = value[0];
	*minor = value[1];
	return 0;
}

void rfb_version_write(struct writer *w, unsigned minor)
{
	writer_printf(w, "RFB 003.%03u\n", minor);
}

unsigned rfb_version_common(unsigned minor)
{
	if (minor >= 8)
		return 8;
	return minor == 7 ? 7 : 3;
}
