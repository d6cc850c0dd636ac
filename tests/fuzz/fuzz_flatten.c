/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any message: what the flattener writes is accepted by the verifier, and the receipt is there
 * (M8); what leaves bears no label (M5). */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "mail-flattener/flatten.h"
#include "wire/mail/verify.h"
#include "wire/mime/tree.h"
#include "wire/text/fold.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool conforms(struct span flat, const struct mail_policy *leaving)
{
	struct mail_verify v;
	size_t at = 0;

	mail_verify_init(&v);
	if (leaving != NULL)
		mail_verify_allow(&v, mail_policy_passes_text(leaving),
				  mail_policy_passes_files(leaving));
	while (at < flat.size) {
		const uint8_t *lf = memchr(flat.data + at, '\n', flat.size - at);

		if (lf == NULL ||
		    mail_verify_line(&v, flat.data + at, (size_t)(lf - flat.data) - at) < 0)
			return false;
		at = (size_t)(lf - flat.data) + 1;
	}
	return mail_verify_end(&v) == 0;
}

/* The rules for mail that leaves: three senders' domains at 1, the label behind them. */
static const char texts[] = "\0example.jp\0example.com\0example.org\0機密性2";
static const struct snapshot_text lists[] = {{1}, {12}, {24}, {36}};
static const struct snapshot_mail entries[] = {
	{.outbound = 1,
	 .forwarded = FORWARDED_PASS,
	 .senders = {0, 3},
	 .labels = {3, 1},
	 .attachments = ATTACHMENTS_PASS_TEXT},
	{.outbound = 1,
	 .forwarded = FORWARDED_PASS,
	 .senders = {0, 3},
	 .attachments = ATTACHMENTS_PASS_FILES},
};
static const struct snapshot snapshot = {
	.mails = entries, .mail_count = 2, .text = texts, .list_texts = lists};

static bool bears_label(struct span flat)
{
	struct bytes text, label;
	bool found;

	bytes_init(&text, 2 * flat.size + 16);
	bytes_init(&label, 64);
	if (text_fold(flat, &text) < 0 || text_fold(span_of(texts + lists[3].at), &label) < 0)
		abort();
	text_fold_drop_layout(&text);
	found = memmem(text.data, text.size, label.data, label.size) != NULL;
	bytes_fini(&text);
	bytes_fini(&label);
	return found;
}

/* The words of the text and of the files that are text, which leave in base64. */
static bool part_bears_label(const struct mime_part *part)
{
	struct bytes decoded;
	bool found;

	if (part->kind != MIME_LEAF || strcmp(part->type, "text/plain") != 0)
		return false;
	bytes_init(&decoded, part->body.size + 16);
	if (mime_decode((enum mime_encoding)part->encoding, part->body, &decoded, NULL) < 0)
		abort();
	found = bears_label(bytes_span(&decoded));
	bytes_fini(&decoded);
	return found;
}

static bool any_bears_label(struct span flat)
{
	struct mime_tree tree;
	bool found = bears_label(flat);

	if (mime_tree_parse(&tree, flat, 0) < 0)
		abort();
	for (size_t i = 0; i < tree.count && !found; i++)
		found = part_bears_label(&tree.parts[i]);
	mime_tree_fini(&tree);
	return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mail_policy leaving;
	struct flatten_policy policy = {
		.host_name = "gw.example.jp", .english = size & 1, .defang = size & 2};
	struct flatten_result result;
	struct bytes out, receipt;
	int err;

	if (mail_policy_open(&leaving, &snapshot, size & 8 ? 1 : 0) < 0)
		abort();
	policy.mail = size & 4 ? &leaving : NULL;
	bytes_init(&out, 0);
	bytes_init(&receipt, 64U << 20);
	err = flatten_message((struct span){data, size}, &policy, &out, &receipt, &result);
	if (err == 0 && (!conforms(bytes_span(&out), policy.mail) || receipt.size == 0))
		abort();
	if (err == 0 && policy.mail != NULL && leaving.entry->labels.count > 0 &&
	    any_bears_label(bytes_span(&out)))
		abort();
	if (err < 0 && (err != -ERR_DENIED || result.reason == NULL))
		abort();
	bytes_fini(&out);
	bytes_fini(&receipt);
	return 0;
}
