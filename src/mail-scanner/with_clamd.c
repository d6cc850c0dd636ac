/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A clamd (clamd(8)): one session with two commands, VERSION and INSTREAM. */
#include <string.h>

#include "mail-scanner/scan.h"

enum { STEP_BEGIN, STEP_MESSAGE, STEP_DONE };
enum { NUMBER_VERSION = 1, NUMBER_STREAM = 2 }; /* of the commands in the session */

static void put_chunk(struct bytes *out, struct span chunk)
{
	uint8_t size[4] = {(uint8_t)(chunk.size >> 24), (uint8_t)(chunk.size >> 16),
			   (uint8_t)(chunk.size >> 8), (uint8_t)chunk.size};

	(void)bytes_append(out, size, sizeof(size)); /* failures are told by out->failed */
	(void)bytes_append(out, chunk.data, chunk.size);
}

static bool fill(struct scan *s, struct bytes *out)
{
	static const char begin[] = "zIDSESSION\0zVERSION", stream[] = "zINSTREAM", end[] = "zEND";
	size_t left = s->message.size - s->message_at;

	if (s->step == STEP_BEGIN) {
		(void)bytes_append(out, begin, sizeof(begin)); /* with its NUL; out->failed tells */
		(void)bytes_append(out, stream, sizeof(stream));
		s->step = STEP_MESSAGE;
	} else if (s->step == STEP_MESSAGE && left > 0) {
		struct span chunk = {s->message.data + s->message_at,
				     left < SCAN_CHUNK_BYTES ? left : SCAN_CHUNK_BYTES};

		put_chunk(out, chunk);
		s->message_at += chunk.size;
	} else if (s->step == STEP_MESSAGE) {
		put_chunk(out, (struct span){(const uint8_t *)end, 0});
		(void)bytes_append(out, end, sizeof(end));
		s->step = STEP_DONE;
	} else {
		return false;
	}
	return true;
}

/* Replies come in any order (clamd(8), IDSESSION). A probe is there for both. */
static void take_version(struct scan *s, const struct clamd_reply *reply)
{
	s->versioned = true;
	if (reply->kind == CLAMD_VERSION) {
		scan_copy_text(s->result.version, sizeof(s->result.version), reply->text);
		s->result.known = reply->has_time;
		s->result.signatures_s =
			reply->has_time ? reply->local_time_s - s->utc_offset_s : 0;
	}
	if (s->probe_clean)
		scan_decide(s, SCAN_CLEAN, NULL);
}

static void take_stream(struct scan *s, const struct clamd_reply *reply)
{
	switch (reply->kind) {
	case CLAMD_CLEAN:
		s->probe_clean = s->probe && !s->versioned;
		if (!s->probe_clean)
			scan_decide(s, SCAN_CLEAN, NULL);
		break;
	case CLAMD_FOUND:
		scan_copy_text(s->result.signature, sizeof(s->result.signature), reply->text);
		scan_decide(s, SCAN_INFECTED, NULL);
		break;
	case CLAMD_TOO_BIG:
		scan_decide(s, SCAN_FAILED, "the scanner refuses the message for its size");
		break;
	default:
		scan_decide(s, SCAN_FAILED, "the scanner reports an error");
		break;
	}
}

static void take_line(struct scan *s)
{
	struct clamd_reply reply;

	if (clamd_reply_parse((struct span){s->line, s->line_bytes}, &reply) < 0)
		scan_decide(s, SCAN_FAILED, "the scanner does not speak its protocol");
	else if (reply.number == NUMBER_VERSION)
		take_version(s, &reply);
	else if (reply.number == NUMBER_STREAM)
		take_stream(s, &reply);
	else
		scan_decide(s, SCAN_FAILED, "the scanner answers what was not asked");
	s->line_bytes = 0;
}

static void take(struct scan *s, struct span in)
{
	for (size_t i = 0; i < in.size && !s->decided; i++) {
		if (in.data[i] == '\0')
			take_line(s);
		else if (s->line_bytes < sizeof(s->line))
			s->line[s->line_bytes++] = in.data[i];
		else
			scan_decide(s, SCAN_FAILED, "the scanner does not speak its protocol");
	}
}

const struct scan_protocol scan_with_clamd = {fill, take};
