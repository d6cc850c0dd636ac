/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a capture has taken leaves: to the arbiter to be shown, to the console in base64, or to the
 * disk. Rows go a few at a time: nobody on their way is kept from other work. */
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "netfilter/answer/answer.h"
#include "netfilter/capture/capture.h"
#include "netfilter/netfilter.h"
#include "netfilter/capture/pcapng.h"

#define PACE_MS     20
#define ROWS_A_PACE 16
#define LINE_BYTES  57    /* of the file in one row: 76 letters */
#define STUCK_MS    10000 /* without a row that the arbiter takes */

static const char no_arbiter[] = "the arbiter, which reads packets, is away: add raw";

/* RFC 4648 4. */
static size_t encode(char *out, struct span in)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t size = 0;

	for (size_t i = 0; i < in.size; i += 3) {
		size_t left = in.size - i;
		uint32_t group = (uint32_t)in.data[i] << 16 |
				 (left > 1 ? (uint32_t)in.data[i + 1] << 8 : 0) |
				 (left > 2 ? in.data[i + 2] : 0);

		for (unsigned k = 0; k < 4; k++)
			out[size++] = k <= left ? letters[group >> (18 - 6 * k) & 63] : '=';
	}
	out[size] = '\0';
	return size;
}

static struct answer answer_of(const struct capture *c)
{
	struct answer a = {.nf = c->nf, .query = &c->query};

	answer_begin(&a);
	return a;
}

static void end_answer(struct capture *c)
{
	struct answer a = answer_of(c);

	c->sending = false;
	answer_send(&a, CONTROL_ROW_LAST);
}

void capture_refuse(struct capture *c, const char *why)
{
	struct answer a = answer_of(c);

	if (c->sending)
		loop_disarm(&c->nf->loop, &c->pace);
	c->sending = false;
	answer_refuse(&a, why);
}

/* Return: whether there is more. */
static bool print_line(struct capture *c)
{
	struct answer a = answer_of(c);
	char line[LINE_BYTES * 4 / 3 + 8];
	size_t left = c->size - c->at, size = left < LINE_BYTES ? left : LINE_BYTES;

	if (left == 0)
		return false;
	(void)encode(line, (struct span){c->file + c->at, size});
	answer_cell(&a, "%s", line);
	answer_send(&a, 0);
	c->at += size;
	return true;
}

static int show(struct capture *c, struct packet_show *shown)
{
	shown->epoch = c->epoch;
	shown->number = c->query.number;
	shown->console = c->query.console;
	shown->zone = c->zone_index;
	return channel_send(&c->nf->link, PACKET_SHOW, shown, sizeof(*shown), NULL, 0);
}

static uint32_t word_at(const struct capture *c, size_t at)
{
	uint32_t word;

	memcpy(&word, c->file + at, sizeof(word));
	return word;
}

/* Hand the next packet over to be shown. The blocks are our own. Return: whether there is more;
 * what finds no room on the link is tried again. */
static bool show_block(struct capture *c)
{
	struct packet_show shown = {0};

	if (c->at == c->size)
		return false;
	uint32_t type = word_at(c, c->at), total = word_at(c, c->at + 4);

	if (type == PCAPNG_PACKET) {
		size_t words = c->at + 8, data = words + 4 * PCAPNG_PACKET_WORDS;
		size_t flags = c->at + total - 4 - sizeof(struct pcapng_flags);

		shown.time_us =
			(int64_t)((uint64_t)word_at(c, words + 4) << 32 | word_at(c, words + 8));
		shown.captured_bytes = word_at(c, words + 12);
		if (word_at(c, flags + offsetof(struct pcapng_flags, direction)) == PCAPNG_OUTBOUND)
			shown.flags = PACKET_SHOW_OUT;
		memcpy(shown.data, c->file + data,
		       shown.captured_bytes < sizeof(shown.data) ? shown.captured_bytes
								 : sizeof(shown.data));
		if (show(c, &shown) != 0)
			return true;
		c->taken_ms = netfilter_now_ms();
	}
	c->at += total;
	return true;
}

static bool is_stuck(const struct capture *c)
{
	return c->form == CAPTURE_SHOWN &&
	       (c->nf->link.fd < 0 || netfilter_now_ms() - c->taken_ms > STUCK_MS);
}

static void send_more(struct loop *loop, struct loop_timer *self)
{
	struct capture *c = self->ctx;
	struct packet_show last = {.flags = PACKET_SHOW_LAST};
	bool more = true;

	if (is_stuck(c)) {
		capture_refuse(c, no_arbiter);
		return;
	}
	for (int i = 0; i < ROWS_A_PACE && more; i++)
		more = c->form == CAPTURE_RAW ? print_line(c) : show_block(c);
	if (more) {
		loop_arm(loop, self, PACE_MS);
		return;
	}
	if (c->form == CAPTURE_RAW)
		end_answer(c);
	else
		(void)show(c, &last); /* without it the console stops waiting by itself */
	c->sending = false;
}

static void begin_sending(struct capture *c)
{
	c->at = 0;
	c->taken_ms = netfilter_now_ms();
	c->sending = true;
	c->pace = (struct loop_timer){.fire = send_more, .ctx = c};
	loop_arm(&c->nf->loop, &c->pace, PACE_MS);
}

static void store(struct capture *c)
{
	struct answer a = answer_of(c);
	ssize_t written = write(c->file_fd, c->file, c->size);

	(void)close(c->file_fd); /* what was not written is told of below */
	c->file_fd = -1;
	if (written != (ssize_t)c->size) {
		answer_refuse(&a, "the disk is full: the file is not whole");
		return;
	}
	answer_cell(&a, "%llu packets, %zu bytes", (unsigned long long)c->packets, c->size);
	answer_send(&a, CONTROL_ROW_LAST);
}

void capture_deliver(struct capture *c)
{
	struct packet_show first = {.flags = PACKET_SHOW_FIRST};
	struct answer a = answer_of(c);

	if (c->form == CAPTURE_STORED)
		store(c);
	else if (c->form == CAPTURE_RAW || show(c, &first) == 0)
		begin_sending(c);
	else
		answer_refuse(&a, no_arbiter);
}
