/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A commit for a while (C2): what it replaced comes back by itself unless the person confirms it.
 * What waits is on the disk before the commit is, so that a power cut changes nothing about it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "config/config.h"

#define NAME       "unconfirmed"
#define KIND       "sekisho-unconfirmed"
#define FILE_BYTES 256
#define FORMAT     "number %" SCNu32 "\nback %" SCNu32 "\nsince %" SCNd64 "\nminutes %" SCNu32 "\n"
#define AGAIN_MS   5000U /* after a return that was refused, or had to wait */

static int64_t now_s(const struct config *c)
{
	return clock_wall_ns(c->loop.clock) / 1000000000;
}

static int write_file(int dir, const struct config_unconfirmed *u)
{
	char text[FILE_BYTES];
	int size = snprintf(text, sizeof(text),
			    "number %" PRIu32 "\nback %" PRIu32 "\nsince %" PRId64
			    "\nminutes %" PRIu32 "\n",
			    u->number, u->back, u->since_s, u->minutes);

	return file_replace(dir, NAME, KIND, (struct span){(const uint8_t *)text, (size_t)size});
}

static int read_file(int dir, struct config_unconfirmed *u)
{
	char text[FILE_BYTES + 1] = "";
	struct bytes file;
	struct span content;
	int err;

	bytes_init(&file, FILE_BYTES);
	err = file_read(dir, NAME, &file);
	if (err == 0)
		err = file_check(bytes_span(&file), KIND, &content);
	if (err == 0)
		memcpy(text, content.data, content.size);
	bytes_fini(&file);
	if (err == 0 &&
	    (sscanf(text, FORMAT, &u->number, &u->back, &u->since_s, &u->minutes) != 4 ||
	     u->minutes == 0 || u->minutes > CONFIG_CONFIRM_MINUTES_MAX))
		err = -ERR_INTEGRITY;
	return err;
}

/* Return: 0 or -ERR_SYSTEM: a restart may still find what waited. */
static int drop_file(const struct config *c)
{
	if (c->state_dir < 0)
		return 0;
	if (unlinkat(c->state_dir, NAME, 0) < 0 && errno != ENOENT)
		return -ERR_SYSTEM;
	return fsync(c->state_dir) < 0 ? -ERR_SYSTEM : 0;
}

/* Where what waits is older than the newest, its file means nothing any more. */
static void forget(struct config *c)
{
	loop_disarm(&c->loop, &c->unconfirmed_timer);
	c->unconfirmed = (struct config_unconfirmed){0};
	(void)drop_file(c); /* for tidiness */
}

static void arm(struct config *c, int64_t rest_s)
{
	uint64_t rest_ms = rest_s > 0 ? (uint64_t)rest_s * 1000U : 0;

	c->unconfirmed_due_ms = clock_mono_ms(c->loop.clock) + rest_ms;
	loop_arm(&c->loop, &c->unconfirmed_timer, rest_ms);
}

static void on_time_over(struct loop *loop, struct loop_timer *self)
{
	struct config *c = self->ctx;

	if (c->unconfirmed.number == 0)
		return;
	loop_arm(loop, self, AGAIN_MS); /* unless it is accepted before */
	if (c->commit.active)
		return;
	config_commit_fini(&c->commit);
	if (config_load_return(c, c->unconfirmed.back) < 0 || config_commit_send(c) != 0) {
		fprintf(stderr, "config: the configuration before cannot be committed\n");
		config_commit_fini(&c->commit);
	}
}

void config_unconfirmed_init(struct config *c)
{
	c->unconfirmed_timer = (struct loop_timer){.fire = on_time_over, .ctx = c};
}

int config_unconfirmed_note(struct config *c, uint32_t number, uint32_t minutes)
{
	const struct config_unconfirmed note = {
		.number = number,
		.back = c->unconfirmed.number != 0 ? c->unconfirmed.back : c->running_entry.number,
		.since_s = now_s(c),
		.minutes = minutes,
	};
	int err = c->state_dir >= 0 ? write_file(c->state_dir, &note) : -ERR_NOT_FOUND;

	if (err == 0)
		c->unconfirmed_note = note;
	return err;
}

void config_unconfirmed_settle(struct config *c, bool accepted)
{
	if (accepted) {
		c->unconfirmed = c->unconfirmed_note;
		arm(c, (int64_t)c->unconfirmed.minutes * 60);
		event_send(&c->process.events, EVENT_COMMIT_UNCONFIRMED,
			   EV_NUMBER(COMMIT, c->unconfirmed.number),
			   EV_NUMBER(MINUTES, c->unconfirmed.minutes));
	} else if (c->unconfirmed.number == 0) {
		forget(c);
	} else if (write_file(c->state_dir, &c->unconfirmed) < 0) {
		fprintf(stderr, "config: %s cannot be written\n", NAME);
	}
	c->unconfirmed_note = (struct config_unconfirmed){0};
}

int config_unconfirmed_confirm(struct config *c, const char *person)
{
	int err = c->unconfirmed.number != 0 ? drop_file(c) : 0;

	if (err < 0 || c->unconfirmed.number == 0)
		return err;
	event_send(&c->process.events, EVENT_COMMIT_CONFIRMED,
		   EV_NUMBER(COMMIT, c->unconfirmed.number), EV_TEXT(USER, person));
	forget(c);
	return 0;
}

void config_unconfirmed_returned(struct config *c, bool saved)
{
	if (saved) {
		forget(c);
		return;
	}
	/* The file stays, so that a restart brings the same one back. */
	loop_disarm(&c->loop, &c->unconfirmed_timer);
	c->unconfirmed = (struct config_unconfirmed){0};
}

int64_t config_unconfirmed_rest_s(const struct config *c)
{
	uint64_t now_ms = clock_mono_ms(c->loop.clock);

	return c->unconfirmed_due_ms > now_ms ? (int64_t)((c->unconfirmed_due_ms - now_ms) / 1000)
					      : 0;
}

/*
 * The wall clock is asked, since no other goes on while the power is off. One that stands before
 * the commit or behind its end cannot tell that time is left.
 */
static bool has_time_left(const struct config *c, const struct config_unconfirmed *u)
{
	int64_t spent_s = now_s(c) - u->since_s;

	return spent_s >= 0 && spent_s < (int64_t)u->minutes * 60;
}

bool config_unconfirmed_load(struct config *c, uint32_t newest)
{
	struct config_unconfirmed u = {0};
	int err = c->state_dir >= 0 ? read_file(c->state_dir, &u) : -ERR_NOT_FOUND;

	if (err == -ERR_NOT_FOUND)
		return false;
	if (err < 0)
		event_send(&c->process.events, EVENT_CONFIG_DAMAGED, EV_TEXT(NAME, NAME),
			   EV_TEXT(ERROR, err_name(err)));
	if (err < 0 || newest <= u.back || newest > u.number) {
		forget(c); /* it was never saved, or confirmed by one behind it */
		return false;
	}
	c->unconfirmed = u;
	if (!has_time_left(c, &u))
		return true;
	arm(c, u.since_s + (int64_t)u.minutes * 60 - now_s(c));
	return false;
}
