/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DATA: the message goes into a memfd, is sealed there and handed to a flattener. Nothing of it is
 * kept here. */
#include "mail-receiver/receiver.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "channel/control.h"

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* How far past the limit a message is read to its end, so that its sender can be told; then the
 * line is cut. */
#define DRAIN_BYTES (1U << 20)

static const enum answer fault_answers[SMTP_DATA_FAULT_COUNT_] = {
	[SMTP_DATA_BARE_CR] = ANSWER_BARE_LINE_END,
	[SMTP_DATA_BARE_LF] = ANSWER_BARE_LINE_END,
	[SMTP_DATA_NUL] = ANSWER_BARE_LINE_END,
	[SMTP_DATA_TOO_BIG] = ANSWER_TOO_BIG,
};

int receiver_open_message(struct receiver *r)
{
	receiver_drop_message(r);
	smtp_data_init(&r->data, r->policy->entry->size_limit_bytes);
	r->message_failed = false;
	r->message_fd = memfd_create("message", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return r->message_fd < 0 ? -ERR_SYSTEM : 0;
}

void receiver_drop_message(struct receiver *r)
{
	if (r->message_fd >= 0)
		(void)close(r->message_fd); /* memory: nothing to be written back */
	r->message_fd = -1;
	loop_disarm(r->loop, &r->retry);
}

static void write_message(struct receiver *r, struct span text)
{
	size_t done = 0;

	while (done < text.size && !r->message_failed) {
		ssize_t n = write(r->message_fd, text.data + done, text.size - done);

		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR)
			r->message_failed = true;
	}
}

/*
 * The message goes to the supervisor. All receivers are one user, and the kernel lets only so many
 * descriptors of a user be under way: when many messages end at the same moment, some wait a
 * little.
 */
void receiver_hand_over(struct receiver *r)
{
	struct control_flatten flatten = {.message = ((uint64_t)r->session << 32) |
						     r->transaction.number,
					  .size_bytes = r->data.size_bytes,
					  .envelope = r->transaction.envelope};
	int err = channel_send(r->control, CONTROL_FLATTEN, &flatten, sizeof(flatten),
			       &r->message_fd, 1);

	if (err == -ERR_AGAIN) {
		loop_arm(r->loop, &r->retry, RECEIVER_RETRY_MS);
		return;
	}
	receiver_drop_message(r);
	if (err < 0)
		receiver_close(r, ANSWER_TRY_LATER);
}

/* The message is sealed, so that the flattener reads what was counted here whatever becomes of us.
 */
static void submit(struct receiver *r)
{
	struct mail_message link = {
		.transaction = r->transaction.number,
		.recipient_count = r->transaction.recipient_count,
		.message = ((uint64_t)r->session << 32) | r->transaction.number,
	};

	if (fcntl(r->message_fd, F_ADD_SEALS, SEALS) < 0) {
		receiver_close(r, ANSWER_TRY_LATER);
		return;
	}
	if (!receiver_tell(r, MAIL_LINK_MESSAGE, &link, sizeof(link)))
		return;
	receiver_set_phase(r, PHASE_DELIVER);
	receiver_hand_over(r);
}

static void refuse_message(struct receiver *r, enum answer answer)
{
	bool smuggled = answer == ANSWER_BARE_LINE_END;

	r->counts.refused++;
	r->counts.mails++;
	receiver_report(r, smuggled ? EVENT_MAIL_LINE_END : EVENT_MAIL_TOO_BIG, answer);
	if (smuggled) {
		receiver_close(r,
			       answer); /* what this peer holds for a line end is not what we do */
		return;
	}
	receiver_reset(r);
	receiver_refuse(r, answer);
}

static void finish(struct receiver *r)
{
	if (r->data.fault != SMTP_DATA_CLEAN) {
		refuse_message(r, fault_answers[r->data.fault]);
	} else if (r->message_failed) {
		r->counts.deferred++;
		receiver_reset(r);
		receiver_reply(r, answer_row(ANSWER_NO_SPACE));
	} else {
		submit(r);
	}
}

/* Even if every other octet was a stuffed dot, this is more than the limit: there is no end in
 * sight. */
static void cut_off(struct receiver *r)
{
	r->counts.refused++;
	receiver_report(r, EVENT_MAIL_TOO_BIG, ANSWER_TOO_BIG);
	receiver_close(r, ANSWER_TOO_BIG);
}

size_t receiver_take_data(struct receiver *r, struct span in)
{
	size_t plain_bytes = 0;
	size_t taken = smtp_data_push(&r->data, in, r->plain, &plain_bytes);

	r->counts.bytes += taken;
	write_message(r, (struct span){r->plain, plain_bytes});
	if (r->data.ended)
		finish(r);
	else if (r->data.read_bytes > 2 * r->data.limit_bytes + DRAIN_BYTES)
		cut_off(r);
	return taken;
}
