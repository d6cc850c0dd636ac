/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What to do with a log that was not closed in order. A power cut leaves at most an end that is not
 * a record: it is cut off and set aside. Anything else that does not fit is not ours to mend: it
 * stays as evidence, and the log goes on in a new segment whose chain the auditor sees break.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "audit/store_files.h"
#include "base/err.h"
#include "base/file.h"

struct scan {
	struct log_chain chain; /* behind the last good record */
	uint64_t records;
	uint64_t good_bytes;
	uint64_t broken_next; /* 0, or the sequence number behind the last record that is there but
				 does not fit */
	uint8_t broken_hash[SHA256_BYTES];
	const char *why;
};

/* Behind the first bad line: whole records here mean that it is not a torn end. */
static int scan_rest(int fd, uint64_t offset, struct scan *scan)
{
	uint8_t buffer[STORE_LINE_MAX + 1];
	struct span line;
	int err;

	while ((err = store_read_line(fd, offset, buffer, &line)) == 0 ||
	       (err == -ERR_TRUNCATED && line.size > 0)) {
		struct syslog_view view;
		uint64_t sequence;

		if (err == 0 && log_chain_stated(line, scan->broken_hash) == 0 &&
		    syslog_parse(line, &view) == 0 &&
		    syslog_param_number(&view, "seq", &sequence) == 0 && sequence < UINT64_MAX &&
		    sequence >= scan->broken_next)
			scan->broken_next = sequence + 1;
		offset += line.size + (err == 0);
	}
	return err == -ERR_TRUNCATED ? 0 : err;
}

static int scan_segment(int fd, struct scan *scan)
{
	uint8_t buffer[STORE_LINE_MAX + 1];
	struct span line;
	int err;

	*scan = (struct scan){0};
	while ((err = store_read_line(fd, scan->good_bytes, buffer, &line)) == 0) {
		struct syslog_view view;

		if (scan->records == 0 && log_chain_adopt(&scan->chain, line) < 0)
			break;
		if (log_chain_check(&scan->chain, line, &view, &scan->why) < 0)
			break;
		scan->records++;
		scan->good_bytes += line.size + 1;
	}
	if (err == -ERR_SYSTEM)
		return err;
	return scan_rest(fd, scan->good_bytes, scan);
}

/* Copy the torn end to NUMBER.torn, bring it to the disk, then cut it off. */
static int set_aside(const struct store *s, int fd, uint64_t from, uint64_t size_bytes,
		     uint64_t sequence)
{
	uint64_t keep = size_bytes < STORE_TORN_MAX ? size_bytes : STORE_TORN_MAX;
	uint8_t buffer[4096];
	char name[STORE_NAME_BYTES];
	int err = 0, torn;

	store_file_name(name, sequence, "torn");
	torn = openat(s->directory, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		      0640);
	if (torn < 0)
		return -ERR_SYSTEM;
	for (uint64_t at = 0; err == 0 && at < keep;) {
		size_t most = keep - at < sizeof(buffer) ? (size_t)(keep - at) : sizeof(buffer);
		ssize_t got = pread(fd, buffer, most, (off_t)(from + at));

		if (got <= 0)
			break;
		err = file_write_all(torn, (struct span){buffer, (size_t)got});
		at += (uint64_t)got;
	}
	if (err == 0 && fsync(torn) < 0)
		err = -ERR_SYSTEM;
	(void)close(torn); /* synced above */
	if (err == -ERR_NO_SPACE)
		err = 0; /* a full disk must not keep the log from going on: the hash in the record
			    still tells */
	if (err == 0 && (ftruncate(fd, (off_t)from) < 0 || fsync(fd) < 0))
		err = -ERR_SYSTEM;
	return err;
}

/* A segment without one good record, such as one made right before the power went, is not a place
 * to go on from. */
static int drop_last(struct store *s)
{
	struct store_segment *last = &s->segments[s->segment_count - 1];
	char name[STORE_NAME_BYTES];

	store_file_name(name, last->first_sequence, "log");
	if (unlinkat(s->directory, name, 0) < 0)
		return -ERR_SYSTEM;
	s->segment_count--;
	return 0;
}

static void adopt_scan(struct store *s, const struct scan *scan, struct store_recovery *found)
{
	s->chain = scan->chain;
	found->records = scan->records;
	if (scan->broken_next == 0)
		return;
	found->broken = true;
	found->why = scan->why != NULL ? scan->why : "the segment does not begin as one";
	s->chain.next_sequence = scan->broken_next;
	memcpy(s->chain.hash, scan->broken_hash, sizeof(s->chain.hash));
}

/* Return: 1 the log goes on from here, 0 look at the segment before, -ERR_SYSTEM. */
static int recover_last(struct store *s, struct store_recovery *found)
{
	struct store_segment *last = &s->segments[s->segment_count - 1];
	int fd = store_file_open(s->directory, last->first_sequence, O_RDWR);
	struct scan scan;
	uint64_t torn;
	int err;

	if (fd < 0)
		return fd;
	err = scan_segment(fd, &scan);
	torn = last->size_bytes > scan.good_bytes && scan.broken_next == 0
		       ? last->size_bytes - scan.good_bytes
		       : 0;
	if (err == 0 && torn > 0) {
		err = set_aside(s, fd, scan.good_bytes, torn, last->first_sequence + scan.records);
		found->torn_bytes += torn;
		last->size_bytes = scan.good_bytes;
	}
	(void)close(fd); /* synced where it was changed */
	if (err < 0)
		return err;
	if (scan.records == 0 && scan.broken_next == 0)
		return drop_last(s);
	adopt_scan(s, &scan, found);
	return 1;
}

int store_recover(struct store *s, struct store_recovery *found)
{
	int done = 0;

	*found = (struct store_recovery){0};
	log_chain_init(&s->chain);
	while (s->segment_count > 0 && done == 0)
		done = recover_last(s, found);
	return done < 0 ? done : 0;
}
