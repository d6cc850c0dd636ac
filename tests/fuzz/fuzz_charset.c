/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every charset decoder on any bytes: the output is UTF-8, at most five bytes for one (and some),
 * the choice never fails. */
#include <stdlib.h>

#include "base/utf8.h"
#include "wire/charset/charset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const labels[] = {"utf-8",        "iso-2022-jp", "shift_jis",   "euc-jp",
				     "utf-16le",     "utf-16be",    "utf-7",       "gb18030",
				     "big5",         "euc-kr",      "koi8-r",      "iso-8859-1",
				     "windows-1251", "windows-874", "iso-8859-8",  "",
				     "us-ascii",     "iso-2022-kr", "iso-2022-cn", "hz-gb-2312",
				     "nonsense"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct charset_report report = {0};
	struct charset_choice choice;
	struct bytes out;
	struct span in;

	if (size < 1)
		return 0;
	in = (struct span){data + 1, size - 1};
	choice =
		charset_choose(span_of(labels[data[0] % (sizeof(labels) / sizeof(labels[0]))]), in);
	bytes_init(&out, 64U << 20);
	if (choice.charset == NULL || charset_decode(choice.charset, in, &out, &report) < 0)
		abort();
	if (!utf8_valid(bytes_span(&out)) || out.size > 5 * in.size + 5)
		abort();
	bytes_fini(&out);
	return 0;
}
