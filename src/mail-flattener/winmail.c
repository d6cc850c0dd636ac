/* SPDX-License-Identifier: GPL-2.0-or-later */
/* winmail.dat: Outlook's own envelope. Its text is shown, its attachments are listed. */
#include "mail-flattener/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "wire/text/rtf.h"
#include "wire/mime/tnef.h"

enum { WINMAIL_MESSAGES_MAX = 10 }; /* that are shown; further ones are listed */

/* A text that is too long is cut, and counted; every other failure ends all. */
static void keep_within(struct flatten *f, int err, struct bytes *out)
{
	if (err == -ERR_TOO_LONG)
		f->count.limits++;
	else
		flatten_fail(f, err);
	out->failed = false;
}

/* The charset of a Windows code page. */
static struct span label_of(uint32_t code_page, char label[32])
{
	if (code_page == 932 || code_page == 0)
		return span_of(code_page == 932 ? "shift_jis" : "");
	if (code_page == 65001)
		return span_of("utf-8");
	(void)snprintf(label, 32, "cp%u", (unsigned)code_page);
	return span_of(label);
}

/* A text of the stream as UTF-8, in @out. */
static struct span decode_text(struct flatten *f, uint32_t code_page, struct tnef_text text,
			       struct bytes *out)
{
	char label[32];
	struct charset_choice choice = charset_choose(
		text.utf16 ? span_of("utf-16le") : label_of(code_page, label), text.octets);

	bytes_clear(out);
	keep_within(f, charset_decode(choice.charset, text.octets, out, &f->charset), out);
	if (out == &f->text) /* a body; names and subjects are short enough to judge by eye */
		text_state_charset(f, &choice);
	return bytes_span(out);
}

static void show_html(struct flatten *f, struct span html)
{
	struct html_policy policy = {f->policy->english, f->policy->defang};

	bytes_clear(&f->rendered);
	f->count.html_parts++;
	keep_within(f, html_to_text(html, &policy, &f->rendered, &f->hidden, &f->html),
		    &f->rendered);
	f->hidden.failed = false;
	flatten_show(f, bytes_span(&f->rendered));
}

/* RTF is shown as the text that is in it, or the HTML that it was made from. */
static void show_rtf(struct flatten *f, uint32_t code_page, struct span compressed)
{
	struct rtf_found found;
	struct bytes rtf;
	int err;

	bytes_init(&rtf, FLATTEN_PART_BYTES / 4);
	bytes_clear(&f->text);
	err = rtf_decompress(compressed, &rtf);
	if (err == -ERR_SYNTAX && rtf.size > 0)
		flatten_say(f, NOTICE_T_BROKEN, NULL, NULL);
	else if (err != -ERR_SYNTAX)
		keep_within(f, err, &rtf);
	err = rtf_to_text(bytes_span(&rtf), code_page, &f->text, &found, &f->charset);
	bytes_fini(&rtf);
	if (err == -ERR_SYNTAX) {
		flatten_say(f, NOTICE_T_RTF, NULL, NULL);
		return;
	}
	keep_within(f, err, &f->text);
	if (found.deep_groups > 0) {
		flatten_say(f, NOTICE_T_DEEP, number_of(found.deep_groups, false).text, NULL);
		f->count.limits++;
	}
	if (found.html)
		show_html(f, bytes_span(&f->text));
	else
		flatten_show(f, bytes_span(&f->text));
}

static void show_body(struct flatten *f, const struct tnef *t)
{
	struct bytes subject, clean;

	bytes_init(&subject, MIME_FIELD_BYTES_MAX);
	bytes_init(&clean, MIME_FIELD_BYTES_MAX);
	if (t->subject.octets.size > 0)
		flatten_say(f, NOTICE_H_SUBJECT,
			    flatten_clean(f, decode_text(f, t->code_page, t->subject, &subject),
					  FLATTEN_SUBJECT_BYTES, &clean),
			    NULL);
	bytes_fini(&subject);
	bytes_fini(&clean);
	if (span_trim(t->body.octets).size > 0)
		flatten_show(f, decode_text(f, t->code_page, t->body, &f->text));
	else if (t->html.octets.size > 0)
		show_html(f,
			  decode_text(f, t->html_code_page != 0 ? t->html_code_page : t->code_page,
				      t->html, &f->text));
	else if (t->rtf.size > 0)
		show_rtf(f, t->code_page, t->rtf);
}

/* Streams that are still to be shown: the part's own, and those of messages inside of it. */
struct queue {
	struct span streams[WINMAIL_MESSAGES_MAX];
	size_t count;
};

static void list_attachments(struct flatten *f, const struct tnef *t, uint32_t number,
			     struct queue *queue)
{
	size_t count = t->attachment_count < TNEF_ATTACHMENTS_MAX ? t->attachment_count
								  : TNEF_ATTACHMENTS_MAX;
	struct bytes name;

	bytes_init(&name, MIME_FIELD_BYTES_MAX);
	for (size_t i = 0; i < count; i++) {
		const struct tnef_attachment *a = &t->attachments[i];

		if (a->message && queue->count < WINMAIL_MESSAGES_MAX) {
			queue->streams[queue->count++] = a->data;
			continue;
		}
		f->count.limits += a->message;
		attachment_list_octets(f, number, decode_text(f, t->code_page, a->name, &name),
				       "winmail.dat", a->data);
	}
	bytes_fini(&name);
	if (count < t->attachment_count)
		f->count.limits++;
}

static void show_stream(struct flatten *f, const struct tnef *t, enum notice title)
{
	f->count.winmail++;
	f->gap = true;
	flatten_say(f, title, NULL, NULL);
	show_body(f, t);
	if (t->broken)
		flatten_say(f, NOTICE_T_BROKEN, NULL, NULL);
	f->shown = f->shown || t->subject.octets.size > 0;
}

bool winmail_show(struct flatten *f, uint32_t number)
{
	struct queue queue = {.streams = {flatten_decode(f, &f->tree.parts[number])}, .count = 1};
	struct tnef *t = malloc(sizeof(*t));
	bool good = t != NULL && tnef_parse(queue.streams[0], t) == 0;

	if (t == NULL)
		flatten_fail(f, -ERR_NO_MEMORY);
	for (size_t i = 0; good && i < queue.count; i++) {
		if (i == 0 || tnef_parse(queue.streams[i], t) == 0) {
			show_stream(f, t, i == 0 ? NOTICE_T_TITLE : NOTICE_T_NESTED);
			list_attachments(f, t, number, &queue);
		} else {
			attachment_list_octets(f, number, span_of(""), "winmail.dat",
					       queue.streams[i]);
		}
	}
	free(t);
	return good;
}
