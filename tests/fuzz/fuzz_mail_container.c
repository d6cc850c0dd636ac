/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Containers inside of mails: TNEF and CMS of any bytes give views that lie inside, or an error;
 * RTF of any bytes, packed or not, ends within its limits. */
#include <stdlib.h>

#include "wire/text/rtf.h"
#include "wire/mime/smime.h"
#include "wire/mime/tnef.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void touch(struct span s)
{
	volatile uint8_t sum = 0;

	for (size_t i = 0; i < s.size; i++)
		sum ^= s.data[i];
}

static void read_rtf(struct span in)
{
	struct charset_report report = {0};
	struct rtf_found found;
	struct bytes rtf, text;

	bytes_init(&rtf, 1U << 20);
	bytes_init(&text, 1U << 20);
	(void)rtf_to_text(in, 932, &text, &found, &report); /* whatever it says, it ends */
	if (rtf_decompress(in, &rtf) == 0)
		(void)rtf_to_text(bytes_span(&rtf), 0, &text, &found, &report);
	touch(bytes_span(&text));
	bytes_fini(&rtf);
	bytes_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tnef tnef;
	struct bytes out;

	bytes_init(&out, 1U << 20);
	(void)smime_unwrap((struct span){data, size}, &out); /* whatever it says, it ends */
	if (tnef_parse((struct span){data, size}, &tnef) == 0) {
		touch(tnef.subject.octets);
		touch(tnef.body.octets);
		touch(tnef.html.octets);
		touch(tnef.rtf);
		for (size_t i = 0; i < tnef.attachment_count && i < TNEF_ATTACHMENTS_MAX; i++) {
			touch(tnef.attachments[i].name.octets);
			touch(tnef.attachments[i].data);
		}
	}
	bytes_fini(&out);
	read_rtf((struct span){data, size});
	return 0;
}
