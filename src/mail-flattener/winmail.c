/* SPDX-License-Identifier: GPL-2.0-or-later */
/* winmail.dat: Outlook's own envelope. Its text is shown, its attachments are listed. */
#include "mail-flattener/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "wire/tnef.h"

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
static struct span decode_text(struct flatten *f, const struct tnef *t, struct tnef_text text,
			       struct bytes *out)
{
	char label[32];
	struct charset_choice choice = charset_choose(
		text.utf16 ? span_of("utf-16le") : label_of(t->code_page, label), text.octets);
	int err;

	bytes_clear(out);
	err = charset_decode(choice.charset, text.octets, out, &f->charset);
	if (err == -ERR_TOO_LONG)
		f->count.limits++;
	else
		flatten_fail(f, err);
	out->failed = false;
	return bytes_span(out);
}

static void show_html(struct flatten *f, struct span html)
{
	struct html_policy policy = {f->policy->english, f->policy->defang};
	int err;

	bytes_clear(&f->rendered);
	err = html_to_text(html, &policy, &f->rendered, &f->hidden, &f->html);
	f->count.html_parts++;
	f->rendered.failed = f->hidden.failed = false;
	if (err != -ERR_TOO_LONG)
		flatten_fail(f, err);
	flatten_show(f, bytes_span(&f->rendered));
}

static void show_body(struct flatten *f, const struct tnef *t)
{
	struct bytes subject, clean;

	bytes_init(&subject, MIME_FIELD_BYTES_MAX);
	bytes_init(&clean, MIME_FIELD_BYTES_MAX);
	if (t->subject.octets.size > 0)
		flatten_say(f, NOTICE_H_SUBJECT,
			    flatten_clean(f, decode_text(f, t, t->subject, &subject),
					  FLATTEN_SUBJECT_BYTES, &clean),
			    NULL);
	bytes_fini(&subject);
	bytes_fini(&clean);
	if (t->body.octets.size > 0)
		flatten_show(f, decode_text(f, t, t->body, &f->text));
	else if (t->html.octets.size > 0)
		show_html(f, decode_text(f, t, t->html, &f->text));
	else if (t->rtf.size > 0)
		flatten_say(f, NOTICE_T_RTF, NULL, NULL);
}

static void list_attachments(struct flatten *f, const struct tnef *t, uint32_t number)
{
	size_t count = t->attachment_count < TNEF_ATTACHMENTS_MAX ? t->attachment_count
								  : TNEF_ATTACHMENTS_MAX;
	struct bytes name;

	bytes_init(&name, MIME_FIELD_BYTES_MAX);
	for (size_t i = 0; i < count; i++)
		attachment_list_octets(f, number, decode_text(f, t, t->attachments[i].name, &name),
				       "winmail.dat", t->attachments[i].data);
	bytes_fini(&name);
	if (count < t->attachment_count)
		f->count.limits++;
}

bool winmail_show(struct flatten *f, uint32_t number)
{
	struct span octets = flatten_decode(f, &f->tree.parts[number]);
	struct tnef *t = malloc(sizeof(*t));
	bool good = t != NULL && tnef_parse(octets, t) == 0;

	if (t == NULL)
		flatten_fail(f, -ERR_NO_MEMORY);
	if (good) {
		f->gap = true;
		flatten_say(f, NOTICE_T_TITLE, NULL, NULL);
		show_body(f, t);
		if (t->broken)
			flatten_say(f, NOTICE_T_BROKEN, NULL, NULL);
		list_attachments(f, t, number);
		f->shown = true;
	}
	free(t);
	return good;
}
