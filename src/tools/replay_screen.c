/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sekisho replay-screen: a screen session's recording as pictures, held against the log (L1, A6).
 * The file is a stranger's: it is taken block by block by wire/rfb/recording.h, which trusts
 * nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "channel/screen.h"
#include "tools/log_walk.h"
#include "tools/png.h"
#include "tools/tools.h"
#include "wire/rfb/recording.h"

#define TIMES_MAX   1000     /* of --at */
#define SECONDS_MAX 31536000 /* of any time given */

enum { STATUS_WHOLE = 0, STATUS_NOT = 1, STATUS_USAGE = 2 };

/* The newest block that the log knows the hash of. */
struct binding {
	struct log_walk log;
	struct known {
		uint32_t session;
		uint64_t count;
		uint8_t hash[SHA256_BYTES];
	} *known;
	size_t known_count;
	uint32_t bound; /* blocks, from the first, that are as the log says */
};

struct screen_replay {
	const char *file, *directory, *log;
	uint64_t from_ms, to_ms, every_ms;
	uint64_t at_ms[TIMES_MAX]; /* ascending */
	size_t at_count, at_next;
	uint64_t next_ms; /* without a list of times: of the next picture */
	bool changed;     /* since the picture before */
	unsigned long pictures;
	struct frame frame;
	struct recording_reader reader;
	struct binding binding;
	FILE *list; /* of the pictures */
};

/* ---- pictures */

/* Local time of the gateway, to the millisecond. */
static void print_time(FILE *out, const struct recording_origin *o, uint64_t after_ms)
{
	int64_t ms = o->began_ms + (int64_t)o->utc_offset_s * 1000 + (int64_t)after_ms;
	time_t seconds = ms / 1000;
	char text[64] = "?";
	struct tm tm;

	if (gmtime_r(&seconds, &tm) != NULL)
		(void)strftime(text, sizeof(text), "%F %T", &tm); /* fits, or stays empty */
	fprintf(out, "%s.%03d", text, (int)(ms % 1000));
}

/* Return: 0, or an error that was told. */
static int write_picture(struct screen_replay *s, uint64_t at_ms)
{
	char name[48], path[4096];
	FILE *out;
	int err;

	snprintf(name, sizeof(name), "%06" PRIu64 ".%03u.png", at_ms / 1000,
		 (unsigned)(at_ms % 1000));
	if (snprintf(path, sizeof(path), "%s/%s", s->directory, name) >= (int)sizeof(path))
		return -ERR_TOO_LONG;
	out = fopen(path, "we");
	err = out != NULL ? png_write(out, &s->frame) : -ERR_SYSTEM;
	if (out != NULL && fclose(out) != 0)
		err = -ERR_SYSTEM;
	if (err < 0) {
		fprintf(stderr, "sekisho replay-screen: %s: %s\n", path,
			err == -ERR_SYSTEM ? strerror(errno) : err_name(err));
		return err;
	}
	fprintf(s->list, "%s ", name);
	print_time(s->list, &s->reader.origin, at_ms);
	fputc('\n', s->list);
	s->pictures++;
	return 0;
}

/* The pictures of a list whose times are before @until_ms. */
static int write_listed(struct screen_replay *s, uint64_t until_ms)
{
	int err = 0;

	while (err == 0 && s->at_next < s->at_count && s->at_ms[s->at_next] < until_ms)
		err = write_picture(s, s->at_ms[s->at_next++]);
	return err;
}

/* The picture that stood until @until_ms, if it is new and a step of the grid fell into its time;
 * however long it stood it is written once. */
static int write_step(struct screen_replay *s, uint64_t until_ms)
{
	uint64_t at_ms = s->next_ms;

	if (at_ms >= until_ms || at_ms > s->to_ms)
		return 0;
	s->next_ms += (until_ms - at_ms + s->every_ms - 1) / s->every_ms * s->every_ms;
	if (!s->changed)
		return 0;
	s->changed = false;
	return write_picture(s, at_ms);
}

static int write_before(struct screen_replay *s, uint64_t until_ms)
{
	if (s->frame.width == 0)
		return 0; /* nothing was shown yet */
	return s->at_count > 0 ? write_listed(s, until_ms) : write_step(s, until_ms);
}

/* At the end the last picture is written in any case. */
static int write_last(struct screen_replay *s)
{
	uint64_t last_ms = s->reader.chain.time_ms;
	int err = write_before(s, last_ms + 1);

	if (err == 0 && s->at_count == 0 && s->changed && s->frame.width != 0 &&
	    last_ms >= s->from_ms && last_ms <= s->to_ms)
		err = write_picture(s, last_ms);
	return err;
}

/* ---- the log */

static bool read_hash(struct span hex, uint8_t hash[SHA256_BYTES])
{
	static const char digits[] = "0123456789abcdef";

	if (hex.size != (size_t)2 * SHA256_BYTES)
		return false;
	memset(hash, 0, SHA256_BYTES);
	for (size_t i = 0; i < hex.size; i++) {
		const char *digit = hex.data[i] != 0 ? strchr(digits, hex.data[i]) : NULL;

		if (digit == NULL)
			return false;
		hash[i / 2] = (uint8_t)(hash[i / 2] << 4 | (digit - digits));
	}
	return true;
}

/* The process that wrote a record, "screen-viewer/SESSION", as audit names it whatever it sent. */
static bool read_session(struct span process, uint32_t *session)
{
	static const char name[] = "screen-viewer/";
	const size_t size = sizeof(name) - 1;
	uint64_t number = 0;

	if (process.size <= size || memcmp(process.data, name, size) != 0)
		return false;
	for (size_t i = size; i < process.size && number <= UINT32_MAX; i++) {
		if (process.data[i] < '0' || process.data[i] > '9')
			return false;
		number = number * 10 + (uint64_t)(process.data[i] - '0');
	}
	*session = (uint32_t)number;
	return number <= UINT32_MAX;
}

/* A record of the log: one of those that a screen-viewer sends of its recording? */
static void on_record(void *ctx, uint64_t sequence, const struct syslog_view *view)
{
	struct binding *b = ctx;
	struct known known, *more;
	struct span hex;

	if (!read_session(view->process, &known.session) ||
	    (!span_equal(view->message_id, span_of("screen-recording-mark")) &&
	     !span_equal(view->message_id, span_of("screen-recording-ended"))) ||
	    syslog_param_number(view, "count", &known.count) != 0 ||
	    syslog_param(view, "sha256", &hex) != 0 || !read_hash(hex, known.hash))
		return;
	more = reallocarray(b->known, b->known_count + 1, sizeof(known));
	if (more == NULL)
		return; /* fewer blocks are found to be as the log says: the safe side */
	b->known = more;
	b->known[b->known_count++] = known;
}

/* A block has been taken: does the log know it? */
static void bind_block(struct binding *b, const struct recording_reader *r)
{
	const struct recording_chain *chain = &r->chain;

	for (size_t i = 0; i < b->known_count; i++) {
		if (b->known[i].session == r->origin.session &&
		    b->known[i].count == chain->number &&
		    memcmp(b->known[i].hash, chain->hash, SHA256_BYTES) == 0)
			b->bound = chain->number;
	}
}

/* Return: 0, or an error that was told. */
static int read_log(struct screen_replay *s)
{
	struct binding *b = &s->binding;
	int err;

	if (s->log == NULL)
		return 0;
	b->log.part = true;
	b->log.seen = on_record;
	b->log.ctx = b;
	err = log_walk_directory(&b->log, s->log);
	if (err == -ERR_INTEGRITY)
		printf("the log is not whole: %s:%lu: %s\n", b->log.file, b->log.line, b->log.why);
	return err;
}

/* ---- the file */

/* Return: 0 at the end of the session, -ERR_TRUNCATED where the file ends before it; an error, with
 * the reader's fault or told. */
static int replay(struct screen_replay *s, struct reader *in)
{
	struct recording_block block;
	int err = 0;

	while (err == 0 && !s->reader.chain.ended) {
		err = recording_peek(&s->reader, in, &block);
		if (err == 0)
			err = write_before(s, block.time_ms);
		if (err == 0)
			err = recording_take(&s->reader, in);
		if (err != 0)
			break;
		s->changed |= block.kind == RECORDING_SIZE || block.kind == RECORDING_TILES;
		bind_block(&s->binding, &s->reader);
	}
	if (err == 0 && reader_left(in) > 0) {
		s->reader.fault = "more behind the end";
		err = -ERR_SYNTAX;
	}
	if (err == 0 || err == -ERR_TRUNCATED) {
		int last = write_last(s);

		err = last != 0 ? last : err;
	}
	return err;
}

static void print_origin(const struct screen_replay *s)
{
	const struct recording_origin *o = &s->reader.origin;

	printf("screen %s, user %s, gateway %s, session %u, ", o->screen,
	       o->user[0] != '\0' ? o->user : "-", o->gateway, o->session);
	print_time(stdout, o, 0);
	printf(" to ");
	print_time(stdout, o, s->reader.chain.time_ms);
	printf("\n");
}

/* Return: the exit status. */
static int report(const struct screen_replay *s, int err)
{
	const struct recording_chain *chain = &s->reader.chain;
	char hex[SHA256_HEX_BYTES];
	bool bound = s->log == NULL || (chain->number > 0 && s->binding.bound == chain->number);

	sha256_hex(chain->hash, hex);
	if (chain->number > 0)
		print_origin(s);
	if (err == 0)
		printf("whole: %u blocks, the last is %s; ended: %s\n", chain->number, hex,
		       screen_end_name(s->reader.reason));
	else if (err == -ERR_TRUNCATED)
		printf("cut off: behind %u whole blocks, the last is %s\n", chain->number, hex);
	else if (s->reader.fault != NULL)
		printf("damaged: block %u: %s\n", chain->number, s->reader.fault);
	if (s->log != NULL)
		printf("log: the first %u of %u blocks are as the log has them\n", s->binding.bound,
		       chain->number);
	printf("%lu pictures\n", s->pictures);
	return err == 0 && bound ? STATUS_WHOLE : STATUS_NOT;
}

/* Return: 0 with @in set, to be unmapped; or -ERR_SYSTEM. */
static int map_file(const char *path, struct reader *in)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat stat;
	void *memory = MAP_FAILED;

	reader_init(in, "", 0);
	if (fd < 0 || fstat(fd, &stat) < 0)
		goto cleanup;
	if (stat.st_size == 0) {
		(void)close(fd); /* nothing was read */
		return 0;
	}
	memory = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (memory != MAP_FAILED)
		reader_init(in, memory, (size_t)stat.st_size);
cleanup:
	if (memory == MAP_FAILED)
		fprintf(stderr, "sekisho replay-screen: %s: %s\n", path, strerror(errno));
	if (fd >= 0)
		(void)close(fd); /* only read; the mapping stays */
	return memory == MAP_FAILED ? -ERR_SYSTEM : 0;
}

static FILE *open_list(const char *directory)
{
	char path[4096];
	FILE *list = NULL;

	if (mkdir(directory, 0700) < 0 && errno != EEXIST) {
		fprintf(stderr, "sekisho replay-screen: %s: %s\n", directory, strerror(errno));
		return NULL;
	}
	if (snprintf(path, sizeof(path), "%s/pictures.txt", directory) < (int)sizeof(path))
		list = fopen(path, "we");
	if (list == NULL)
		fprintf(stderr, "sekisho replay-screen: %s: %s\n", path, strerror(errno));
	return list;
}

static int run(struct screen_replay *s)
{
	size_t capacity_px = (size_t)RFB_WIDTH_MAX * RFB_HEIGHT_MAX;
	uint32_t *pixels = calloc(capacity_px, sizeof(*pixels));
	int status = STATUS_USAGE;
	struct reader in;

	if (pixels == NULL || map_file(s->file, &in) < 0)
		goto cleanup;
	frame_init(&s->frame, pixels, capacity_px);
	recording_reader_init(&s->reader, &s->frame);
	s->list = read_log(s) == 0 ? open_list(s->directory) : NULL;
	if (s->list != NULL)
		status = report(s, replay(s, &in));
	if (s->list != NULL && fclose(s->list) != 0)
		status = STATUS_NOT;
	if (in.size > 0)
		(void)munmap((void *)(uintptr_t)in.data, in.size); /* its own mapping */
cleanup:
	free(s->binding.known);
	free(pixels);
	return status;
}

/* ---- options */

/* Seconds, with at most three decimals; *end behind them. */
static bool read_seconds(const char *text, uint64_t *ms, const char **end)
{
	uint64_t seconds = 0, scale = 100;

	if (*text < '0' || *text > '9')
		return false;
	for (; *text >= '0' && *text <= '9' && seconds <= SECONDS_MAX; text++)
		seconds = seconds * 10 + (uint64_t)(*text - '0');
	*ms = seconds * 1000;
	if (*text == '.') {
		for (text++; *text >= '0' && *text <= '9' && scale > 0; text++, scale /= 10)
			*ms += (uint64_t)(*text - '0') * scale;
	}
	*end = text;
	return seconds <= SECONDS_MAX;
}

static bool read_time(const char *text, uint64_t *ms)
{
	const char *end;

	return read_seconds(text, ms, &end) && *end == '\0';
}

/* Times with commas between them, ascending. */
static bool read_list(struct screen_replay *s, const char *text)
{
	uint64_t before_ms = 0;

	for (;;) {
		uint64_t *ms = &s->at_ms[s->at_count];

		if (s->at_count == TIMES_MAX || !read_seconds(text, ms, &text) || *ms < before_ms)
			return false;
		before_ms = *ms;
		s->at_count++;
		if (*text == '\0')
			return true;
		if (*text++ != ',')
			return false;
	}
}

static bool read_options(struct screen_replay *s, int argc, char **argv)
{
	static const struct option options[] = {
		{"from", required_argument, NULL, 'f'},  {"to", required_argument, NULL, 't'},
		{"every", required_argument, NULL, 'e'}, {"at", required_argument, NULL, 'a'},
		{"log", required_argument, NULL, 'l'},   {NULL, 0, NULL, 0}};
	bool fine = true;
	int option;

	while (fine && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'f')
			fine = read_time(optarg, &s->from_ms);
		else if (option == 't')
			fine = read_time(optarg, &s->to_ms);
		else if (option == 'e')
			fine = read_time(optarg, &s->every_ms) && s->every_ms > 0;
		else if (option == 'a')
			fine = s->at_count == 0 && read_list(s, optarg);
		else if (option == 'l')
			s->log = optarg;
		else
			fine = false;
	}
	if (!fine || argc - optind != 2)
		return false;
	s->file = argv[optind];
	s->directory = argv[optind + 1];
	s->next_ms = s->from_ms;
	return true;
}

int tool_replay_screen(int argc, char **argv)
{
	static struct screen_replay s = {.to_ms = UINT64_MAX, .every_ms = 1000};

	if (!read_options(&s, argc, argv))
		return tool_usage("replay-screen");
	return run(&s);
}
