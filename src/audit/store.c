/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Appending to the local log: seal, write, turn to a new segment, let the oldest go. */
#include "audit/store.h"

#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "audit/store_files.h"
#include "base/err.h"
#include "base/file.h"

#define LIMIT_LEAST     (4ULL << 20)
#define LIMIT_MOST      (1ULL << 30)
#define NS_PER_S        1000000000
#define URGENT_SEVERITY 5 /* notice and worse are on the disk before anything else happens */

static const char own_name[] = "audit";

static struct store_segment *newest(struct store *s)
{
	return &s->segments[s->segment_count - 1];
}

/* Seal and write one line into the newest segment; whole or not at all. */
static int write_line(struct store *s, const char *process, const struct event_record *event)
{
	uint8_t bytes[STORE_LINE_MAX + 1];
	struct log_chain chain = s->chain;
	struct writer w;
	int err;

	writer_init(&w, bytes, STORE_LINE_MAX);
	err = record_write(&w, s->form, process, chain.next_sequence, event);
	if (err == 0 && log_chain_seal(&chain, &w) < 0)
		err = -ERR_TOO_LONG; /* not the disk's fault: nothing must make room for it */
	if (err < 0)
		return err;
	bytes[w.size] = '\n';
	err = file_write_all(s->fd, (struct span){bytes, w.size + 1});
	if (err < 0) {
		/* Nothing may follow half a line: where it cannot be taken back, the log goes on in
		 * a new segment. */
		s->spoilt = ftruncate(s->fd, (off_t)newest(s)->size_bytes) < 0;
		return err;
	}
	s->chain = chain;
	newest(s)->size_bytes += w.size + 1;
	s->total_bytes += w.size + 1;
	s->dirty = true;
	s->urgent = s->urgent || event_severity(event->id) <= URGENT_SEVERITY;
	return 0;
}

#define write_own(s, event_id, ...)                                                                \
	write_own_args((s), (event_id), (const struct event_arg[]){__VA_ARGS__},                   \
		       sizeof((const struct event_arg[]){__VA_ARGS__}) / sizeof(struct event_arg))

static int write_own_args(struct store *s, enum event_id id, const struct event_arg *args,
			  size_t count)
{
	struct event_record event;

	(void)event_build(&event, id, args, count); /* our own arguments fit */
	return write_line(s, own_name, &event);
}

/* Say that the oldest segment goes, bring that to the disk, then let it go. */
static int remove_oldest(struct store *s)
{
	uint64_t first = s->segments[0].first_sequence, last = s->segments[1].first_sequence - 1;
	char name[STORE_NAME_BYTES];
	int err = write_own(s, EVENT_LOG_RETENTION, EV_NUMBER(FIRST, first), EV_NUMBER(LAST, last));

	if (err == 0)
		err = store_sync(s);
	if (err < 0)
		return err;
	store_file_name(name, first, "log");
	if (unlinkat(s->directory, name, 0) < 0)
		return -ERR_SYSTEM;
	s->removed += last - first + 1;
	s->total_bytes -= s->segments[0].size_bytes;
	s->segment_count--;
	memmove(&s->segments[0], &s->segments[1], s->segment_count * sizeof(s->segments[0]));
	return 0;
}

static int keep_limit(struct store *s)
{
	int err = 0;

	while (err == 0 && s->segment_count > 1 &&
	       (s->total_bytes > s->limit_bytes || s->segment_count == STORE_SEGMENTS_MAX))
		err = remove_oldest(s);
	return err;
}

/* Undo a segment that could not get its first record. */
static void forget_newest(struct store *s)
{
	char name[STORE_NAME_BYTES];

	store_file_name(name, newest(s)->first_sequence, "log");
	(void)unlinkat(s->directory, name,
		       0); /* what stays is an empty segment: the next start drops it */
	(void)close(s->fd);
	s->segment_count--;
}

static int begin_segment(struct store *s)
{
	uint8_t prev[SHA256_BYTES];
	int fd = store_file_open(s->directory, s->chain.next_sequence,
				 O_WRONLY | O_APPEND | O_CREAT | O_EXCL);
	int err, before = s->fd;

	if (fd < 0)
		return -ERR_SYSTEM;
	memcpy(prev, s->chain.hash, sizeof(prev));
	s->segments[s->segment_count++] =
		(struct store_segment){.first_sequence = s->chain.next_sequence,
				       .begun_s = clock_wall_ns(s->form->clock) / NS_PER_S};
	s->fd = fd;
	err = write_own(s, EVENT_LOG_SEGMENT, EV_SHA256(PREVIOUS, prev));
	if (err == 0 && fsync(s->directory) < 0)
		err = -ERR_SYSTEM;
	if (err < 0) {
		forget_newest(s);
		s->fd = before;
		return err;
	}
	s->spoilt = false;
	if (before >= 0)
		(void)close(before); /* synced by turn_segment */
	return 0;
}

static int turn_segment(struct store *s)
{
	int err = store_sync(s);

	if (err == 0)
		err = begin_segment(s);
	return err < 0 ? err : keep_limit(s);
}

static int append_once(struct store *s, const char *process, const struct event_record *event)
{
	int err = 0;

	if (s->spoilt || newest(s)->size_bytes + STORE_LINE_MAX > s->segment_bytes)
		err = turn_segment(s);
	if (err == 0 && s->unwritten > 0) {
		err = write_own(s, EVENT_LOG_UNWRITTEN, EV_NUMBER(COUNT, s->unwritten));
		if (err == 0)
			s->unwritten = 0;
	}
	return err < 0 ? err : write_line(s, process, event);
}

int store_append(struct store *s, const char *process, const struct event_record *event)
{
	int err = append_once(s, process, event);

	/* A full disk: the oldest records give way to the newest, as long as there are any. */
	while (err == -ERR_NO_SPACE && s->segment_count > 1 && remove_oldest(s) == 0)
		err = append_once(s, process, event);
	if (err < 0) {
		s->unwritten++;
		s->unwritten_total++;
	}
	return err;
}

int store_sync(struct store *s)
{
	if (!s->dirty)
		return 0;
	if (fdatasync(s->fd) < 0)
		return -ERR_SYSTEM;
	s->dirty = false;
	s->urgent = false;
	s->durable = s->chain.next_sequence;
	return 0;
}

static uint64_t half_of_disk(int directory)
{
	struct statvfs status;
	uint64_t half;

	if (fstatvfs(directory, &status) < 0)
		return LIMIT_LEAST;
	half = (uint64_t)status.f_blocks * status.f_frsize / 2;
	return half < LIMIT_LEAST ? LIMIT_LEAST : half > LIMIT_MOST ? LIMIT_MOST : half;
}

/* Go on in the newest segment where its chain is whole, otherwise in a new one. */
static int open_newest(struct store *s, const struct store_recovery *found)
{
	if (s->segment_count == 0 || found->broken)
		return begin_segment(s);
	s->fd = store_file_open(s->directory, newest(s)->first_sequence, O_WRONLY | O_APPEND);
	return s->fd < 0 ? s->fd : 0;
}

int store_open(struct store *s, int directory, const struct record_form *form, uint64_t limit_bytes,
	       uint64_t segment_bytes, struct store_recovery *found)
{
	int err;

	memset(s, 0, sizeof(*s));
	s->directory = directory;
	s->fd = -1;
	s->form = form;
	s->limit_bytes = limit_bytes > 0 ? limit_bytes : half_of_disk(directory);
	s->segment_bytes = segment_bytes > 0 ? segment_bytes : STORE_SEGMENT_BYTES;
	err = store_files_list(directory, s->segments, STORE_SEGMENTS_MAX - 1, &s->segment_count);
	if (err == 0)
		err = store_recover(s, found);
	for (size_t i = 0; i < s->segment_count; i++) {
		s->total_bytes += s->segments[i].size_bytes;
		s->segments[i].begun_s = store_file_begun_s(directory, &s->segments[i]);
	}
	if (err == 0)
		err = open_newest(s, found);
	s->dirty = true; /* what a process that was killed had written may not be on the disk yet */
	return err < 0 ? err : store_sync(s);
}

void store_close(struct store *s)
{
	if (s->fd < 0)
		return;
	(void)store_sync(s); /* nobody is left to tell */
	(void)close(s->fd);
	s->fd = -1;
}
