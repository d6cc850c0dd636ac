/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checking anchors. */
#include "tools/log_anchors.h"

#include <stdio.h>
#include <string.h>

#include "audit/device_key.h"
#include "base/err.h"

#define PEM_BYTES_MAX 4096

int log_anchors_expect(struct log_anchors *a, const char *name)
{
	uint8_t pem[PEM_BYTES_MAX];
	FILE *file;
	size_t size;

	a->expects_key = true;
	if (log_anchor_hex(span_of(name), a->key, sizeof(a->key)) == 0)
		return 0;
	file = fopen(name, "re");
	if (file == NULL)
		return -ERR_SYNTAX;
	size = fread(pem, 1, sizeof(pem), file);
	(void)fclose(file); /* read only */
	return device_key_read_pem((struct span){pem, size}, a->key);
}

static int bad(const char **why, const char *what)
{
	*why = what;
	return -ERR_INTEGRITY;
}

/* Seconds of the parameter mono, "S.US". */
static bool mono_of(const struct syslog_view *view, uint64_t *mono_s)
{
	struct span text;
	uint64_t value = 0;

	if (syslog_param(view, "mono", &text) < 0)
		return false;
	for (size_t i = 0; i < text.size && text.data[i] >= '0' && text.data[i] <= '9'; i++) {
		if (__builtin_mul_overflow(value, 10U, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(text.data[i] - '0'), &value))
			return false;
	}
	*mono_s = value;
	return true;
}

/* A clock that goes back is another start of the machine: its anchor is due a day from there on. */
static int check_time(struct log_anchors *a, const struct syslog_view *view, const char **why)
{
	uint64_t mono_s;

	if (!mono_of(view, &mono_s))
		return bad(why, "the record has no monotonic time");
	if (!a->timed || mono_s < a->mono_s)
		a->since_s = mono_s;
	a->timed = true;
	a->mono_s = mono_s;
	if (a->expects_key && mono_s - a->since_s > LOG_ANCHORS_GAP_S)
		return bad(why, "for more than a day before this record the log was not anchored");
	return 0;
}

static int check_anchor(struct log_anchors *a, const struct syslog_view *view, const char **why)
{
	struct log_anchor anchor;

	if (log_anchor_parse(view, &anchor) < 0)
		return bad(why, "the anchor has not the form of one");
	if (anchor.sequence > a->newest || a->newest - anchor.sequence >= LOG_ANCHORS_BACK ||
	    anchor.sequence < a->oldest)
		return bad(why, "the anchor does not cover the records before it");
	if (memcmp(a->hashes[anchor.sequence % LOG_ANCHORS_BACK], anchor.hash,
		   sizeof(anchor.hash)) != 0)
		return bad(why, "the anchor is of another log: records before it were altered");
	if (a->expects_key && memcmp(anchor.key, a->key, sizeof(a->key)) != 0)
		return bad(why, "the anchor is by another key than the expected one");
	if (!device_key_check(&anchor))
		return bad(why, "the anchor's signature is wrong");
	a->last = anchor;
	a->count++;
	a->since_s = a->mono_s;
	return 0;
}

int log_anchors_check(struct log_anchors *a, const struct log_chain *chain,
		      const struct syslog_view *view, const char **why)
{
	uint64_t sequence = chain->next_sequence - 1;
	int err = check_time(a, view, why);

	if (a->oldest == 0)
		a->oldest = sequence;
	if (err == 0 && span_equal(view->message_id, span_of(LOG_ANCHOR_EVENT)) &&
	    span_equal(view->process, span_of("audit")))
		err = check_anchor(a, view, why);
	memcpy(a->hashes[sequence % LOG_ANCHORS_BACK], chain->hash, sizeof(chain->hash));
	a->newest = sequence;
	return err;
}

int log_anchors_check_end(const struct log_anchors *a, const char **why)
{
	if (a->expects_key && a->count == 0)
		return bad(why, "no record is covered by an anchor of the expected key");
	return 0;
}
