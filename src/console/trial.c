/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `test mail`: what would become of a mail that is pasted here; nothing is sent. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/sealed.h"
#include "base/utf8.h"
#include "console/console.h"
#include "wire/mail/verify.h"
#include "wire/mime/transfer.h"

#define ANSWER_MS    130000U /* a flattener lives no longer */
#define SEND_WAIT_MS 1000

void action_test_mail(struct console *c, const char *tail, unsigned number)
{
	action_load(c, tail, CONSOLE_KIND_COUNT_);
}

/* Mail has CRLF; a terminal gives line feeds. */
static int with_crlf(struct bytes *out, struct span text)
{
	int err = 0;

	for (size_t i = 0; i < text.size && err == 0; i++) {
		if (text.data[i] == '\n')
			err = bytes_append_u8(out, '\r');
		if (err == 0)
			err = bytes_append_u8(out, text.data[i]);
	}
	return err;
}

void trial_loaded(struct console *c)
{
	struct control_test_mail test = {0};
	struct bytes mail;
	int fd = -1, err;

	(void)snprintf(test.entry, sizeof(test.entry), "%.23s", c->load_slot);
	bytes_init(&mail, CONSOLE_OUTPUT_BYTES);
	err = with_crlf(&mail, bytes_span(&c->load));
	if (err == 0)
		err = sealed_make("mail", bytes_span(&mail), &fd);
	bytes_fini(&mail);
	if (err == 0) {
		err = channel_send_wait(&c->process.control, CONTROL_TEST_MAIL, &test, sizeof(test),
					&fd, 1, SEND_WAIT_MS);
		(void)close(fd); /* the supervisor has its own copy */
	}
	if (err == 0) {
		console_enter_state(c, STATE_TRIAL, ANSWER_MS);
		return;
	}
	screen_say(c, "the mail could not be handed over\n", "メールを渡せませんでした\n");
	console_prompt(c);
}

/* What the far side would do before it sends: NULL where it conforms, else why not. */
static const char *verify(struct span flat)
{
	struct mail_verify v;
	size_t at = 0;

	mail_verify_init(&v);
	mail_verify_allow(&v, true, true); /* nothing leaves from here */
	while (at < flat.size) {
		const uint8_t *lf = memchr(flat.data + at, '\n', flat.size - at);
		size_t end = lf != NULL ? (size_t)(lf - flat.data) : flat.size;

		if (mail_verify_line(&v, flat.data + at, end - at) < 0)
			return mail_verify_reason(&v);
		at = end + 1;
	}
	return mail_verify_end(&v) < 0 ? mail_verify_reason(&v) : NULL;
}

/* Nobody has verified a receipt: what does not belong on a terminal is shown as "?". */
static void put_receipt(struct bytes *out, struct span json)
{
	while (json.size > 0) {
		uint32_t c = 0;
		size_t size = utf8_decode(json, &c);
		bool shown = size > 0 && (c == '\n' || c >= 0x20) && !(c >= 0x7F && c < 0xA0) &&
			     !(c >= 0x2028 && c <= 0x202E) && !(c >= 0x2066 && c <= 0x2069);

		size = size > 0 ? size : 1;
		(void)bytes_append(out, shown ? (const char *)json.data : "?",
				   shown ? size : 1); /* shown as far as it goes */
		json = (struct span){json.data + size, json.size - size};
	}
}

/* The flattened mail as a reader sees it. Files, which its text names, are left out, and the text
 * before them is without its base64. */
static void put_flat(struct bytes *out, struct span flat)
{
	static const char begin[] =
		"\n" MAIL_PARTS_DELIMITER "\n" MAIL_PARTS_TEXT "\n" MAIL_PARTS_ENCODING "\n\n";
	static const char end[] = "\n" MAIL_PARTS_DELIMITER "\n";
	const uint8_t *text = memmem(flat.data, flat.size, begin, sizeof(begin) - 1), *behind;
	size_t head = text != NULL ? (size_t)(text + 1 - flat.data) : flat.size;

	(void)bytes_append(out, flat.data, head); /* shown as far as it goes, here and below */
	if (text == NULL)
		return;
	text += sizeof(begin) - 1;
	behind = memmem(text, flat.size - (size_t)(text - flat.data), end, sizeof(end) - 1);
	if (behind != NULL)
		(void)mime_decode(MIME_ENCODING_BASE64,
				  (struct span){text, (size_t)(behind - text)}, out, NULL);
}

static void show(struct console *c, const struct control_flattened *result, int *fds)
{
	struct bytes flat, receipt, out;
	const char *why = result->reason;

	bytes_init(&flat, CONSOLE_OUTPUT_BYTES);
	bytes_init(&receipt, CONSOLE_OUTPUT_BYTES);
	bytes_init(&out, 2 * CONSOLE_OUTPUT_BYTES);
	if (sealed_read(&flat, fds[0]) != 0 || sealed_read(&receipt, fds[1]) != 0)
		why = "the result cannot be read";
	else if (result->status == FLATTEN_DONE)
		why = verify(bytes_span(&flat));
	/* The output is shown as far as memory goes. */
	if (why == NULL)
		put_flat(&out, bytes_span(&flat));
	else
		put_receipt(&out, span_of(why));
	(void)bytes_append_text(&out, "\n");
	put_receipt(&out, bytes_span(&receipt));
	screen_show(c, bytes_span(&out));
	bytes_fini(&flat);
	bytes_fini(&receipt);
	bytes_fini(&out);
}

int trial_take_result(struct console *c, const struct control_flattened *body, int *fds,
		      size_t fd_count)
{
	struct control_flattened result = *body;

	result.reason[sizeof(result.reason) - 1] = '\0';
	if (c->state != STATE_TRIAL)
		return 0; /* Ctrl-C was pressed meanwhile */
	if (fd_count == 2) {
		show(c, &result, fds);
		return 0;
	}
	screen_printf(c, "%s\n", result.reason);
	console_prompt(c);
	return 0;
}
