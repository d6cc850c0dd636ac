/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `evidence create` (C7): the state of the gateway, the running configuration and the newest files
 * of the log as one archive, whose manifest the device signs, in base64 on the terminal.
 * `tech-support` (C8): the same way what leaves the organization to have a defect found, so without
 * personal and secret values: each owner leaves them out where it answers.
 *
 * Each member is the answer to a question that a person could ask here; the log comes with its
 * anchors. The device's key is audit's: it signs the manifest's hash, and records that it did. What
 * the signature proves is that this archive existed at that time on this device (ADR 0806).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/sha256.h"
#include "console/console.h"
#include "wire/export/armour.h"
#include "wire/log/syslog.h"
#include "wire/export/tar.h"

#define ARCHIVE_BYTES_MAX (32U << 20)
#define PIECE_BYTES_MAX   (8U << 20) /* of one answer; and kept free for the log */
#define NS_PER_S          1000000000
#define SIGNATURE_BYTES   64
#define ROWS_MAX          10000 /* of one answer */

/* A question; its answer becomes a member. */
struct step {
	const char *member;
	enum query_kind kind; /* 0: the running configuration, of config */
	uint32_t columns;     /* only the first so many; 0: all */
	const char *argument; /* of the question; NULL: none, or made for it */
};

/* What is asked, in this order; the signature last. */
static const struct step evidence_steps[] = {
	{"configuration.conf", 0, 0, NULL},
	{"separation.txt", QUERY_SEPARATION, 0, NULL},
	{"zones.txt", QUERY_ZONES, 0, NULL},
	{"rules.txt", QUERY_RULES, 0, NULL},
	{"links.txt", QUERY_LINKS, 0, NULL},
	{"isolated.txt", QUERY_ISOLATED, 0, NULL},
	{"watch.txt", QUERY_WATCH, 0, NULL},
	{"emergencies.txt", QUERY_EMERGENCIES, 0, NULL},
	{"crossings.txt", QUERY_CROSSINGS, 0, NULL},
	{"permits.txt", QUERY_PERMITS, 0, NULL},
	{"flows.txt", QUERY_FLOWS, 0, NULL},
	{"mail-sessions.txt", QUERY_MAIL, 0, NULL},
	{"screen-sessions.txt", QUERY_SCREEN, 0, NULL},
	{"processes.txt", QUERY_PROCESSES, 0, NULL},
	{"alarms.txt", QUERY_ALARMS, 0, NULL},
	{"timeline-en.txt", QUERY_TIMELINE, 0, "en"},
	{"timeline-ja.txt", QUERY_TIMELINE, 0, "ja"},
	{"log", QUERY_LOG_FILES, 0, NULL}, /* a file for each of its files */
	{"signature", QUERY_SIGN, 0, NULL},
};

/* The first question is for administrators alone: nobody else collects half of it. */
static const struct step support_steps[] = {
	{"process-events.txt", QUERY_PROCESS_LOG, 0, NULL},
	{"configuration.txt", 0, 0, NULL},
	{"separation.txt", QUERY_SEPARATION, 0, NULL},
	{"zones.txt", QUERY_ZONES, 0, NULL},
	{"crossings.txt", QUERY_CROSSINGS, 0, NULL},
	{"permits.txt", QUERY_PERMITS, 10, NULL}, /* not the comment */
	{"processes.txt", QUERY_PROCESSES, 0, NULL},
	{"alarms.txt", QUERY_PUBLIC_ALARMS, 0, NULL},
	{"signature", QUERY_SIGN_SUPPORT, 0, NULL},
};

/* What is collected. */
static const struct bundle {
	const char *title;
	const struct step *steps;
	enum console_kind configuration; /* what config is asked, with the number */
	uint32_t number;
} evidence_bundle = {"EVIDENCE", evidence_steps, CONSOLE_SHOW, CONSOLE_SHOW_RUNNING},
  support_bundle = {"TECH-SUPPORT", support_steps, CONSOLE_SHOW_PUBLIC, 0};

struct evidence {
	const struct bundle *bundle;
	const struct step *step; /* of the bundle */
	int64_t time_s;
	struct bytes archive, manifest, piece; /* piece: the answer that comes in */
	bool refused;                          /* ... and it is an error */
	size_t reason_at;                      /* ... which begins here */
	struct bytes missing;                  /* a line for each member that is not whole: why */
};

void evidence_abandon(struct console *c)
{
	if (c->evidence == NULL)
		return;
	bytes_fini(&c->evidence->archive);
	bytes_fini(&c->evidence->manifest);
	bytes_fini(&c->evidence->piece);
	bytes_fini(&c->evidence->missing);
	free(c->evidence);
	c->evidence = NULL;
}

/* The prompt forgets it. */
static void give_up(struct console *c, const char *en, const char *ja)
{
	screen_say(c, en, ja);
	console_prompt(c);
}

/* ---- the archive; all of it remembers that it is full, and is looked at in the end */

static void add_file(struct evidence *e, const char *name, struct span data)
{
	if (tar_add(&e->archive, name, data, e->time_s) != 0)
		e->archive.failed = true;
}

/* A member, and its line in the manifest, as sha256sum -c reads it. */
static void add_member(struct evidence *e, const char *name, struct span data)
{
	uint8_t digest[SHA256_BYTES];
	char hex[SHA256_HEX_BYTES];

	add_file(e, name, data);
	sha256_of(data.data, data.size, digest);
	sha256_hex(digest, hex);
	(void)bytes_printf(&e->manifest, "%s  %s\n", hex, name);
}

/* The number of a record, of the form [sekisho@32473 seq="N" ...]; 0: not one. */
static uint64_t number_of(struct span line)
{
	static const char mark[] = " seq=\"";
	const uint8_t *at = memmem(line.data, line.size, mark, sizeof(mark) - 1);
	uint64_t number = 0;

	if (at == NULL)
		return 0;
	for (at += sizeof(mark) - 1; at < line.data + line.size && *at >= '0' && *at <= '9'; at++)
		number = number * 10 + (uint64_t)(*at - '0');
	return number;
}

static struct span next_line(struct span text)
{
	const uint8_t *lf = text.size > 0 ? memchr(text.data, '\n', text.size) : NULL;

	return (struct span){text.data, lf != NULL ? (size_t)(lf - text.data) + 1 : text.size};
}

/* Values may hold anything but a quote and a bracket that ends them, so the fields decide. */
static bool begins_file(struct span line)
{
	struct syslog_view view;

	while (line.size > 0 && line.data[line.size - 1] == '\n')
		line.size--;
	return syslog_parse(line, &view) == 0 && span_equal(view.process, span_of("audit")) &&
	       span_equal(view.message_id, span_of("log-segment"));
}

/* Each file of the log begins with a record log-segment and is named after its number. */
static void add_log(struct evidence *e, struct span text)
{
	struct span file = {text.data, 0};

	while (text.size > 0) {
		struct span line = next_line(text);
		char name[TAR_NAME_MAX];

		text = (struct span){text.data + line.size, text.size - line.size};
		if (begins_file(line))
			file.data = line.data;
		file.size = (size_t)(line.data + line.size - file.data);
		if (text.size > 0 && !begins_file(next_line(text)))
			continue;
		snprintf(name, sizeof(name), "log/%020" PRIu64 ".log", number_of(next_line(file)));
		add_member(e, name, file);
	}
}

/* ---- the end: what audit signed, and the terminal */

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_signature(struct span hex, uint8_t out[SIGNATURE_BYTES])
{
	if (hex.size < 2 * SIGNATURE_BYTES)
		return false;
	for (size_t i = 0; i < SIGNATURE_BYTES; i++) {
		int high = hex_digit(hex.data[2 * i]), low = hex_digit(hex.data[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* Audit's answer: three lines that are signed, the signature's digits, the key as PEM. */
static bool add_signature(struct evidence *e, struct span answer)
{
	struct span statement = {answer.data, 0}, line = {answer.data, 0};
	uint8_t signature[SIGNATURE_BYTES];

	for (unsigned i = 0; i < 3; i++) {
		line = next_line(answer);
		statement.size += line.size;
		answer = (struct span){answer.data + line.size, answer.size - line.size};
	}
	line = next_line(answer);
	if (!read_signature(line, signature))
		return false;
	add_file(e, "manifest.sha256", bytes_span(&e->manifest));
	add_file(e, "statement.txt", statement);
	add_file(e, "signature.bin", (struct span){signature, sizeof(signature)});
	add_file(e, "device-key.pem",
		 (struct span){answer.data + line.size, answer.size - line.size});
	if (tar_end(&e->archive) != 0)
		return false;
	return !e->archive.failed && !e->manifest.failed;
}

static void show_archive(struct console *c)
{
	const char *title = c->evidence->bundle->title;
	struct bytes out;

	bytes_init(&out, CONSOLE_OUTPUT_BYTES);
	if (c->evidence->missing.size > 0) {
		(void)bytes_append_text(&out, c->language == LANGUAGE_JA
						      ? "完全には取得できなかった資料:\n"
						      : "these members are not whole:\n");
		(void)bytes_append(&out, c->evidence->missing.data, c->evidence->missing.size);
	}
	armour_put(&out, title, bytes_span(&c->evidence->archive));
	evidence_abandon(c);
	c->pipe.no_more = true;
	if (out.failed)
		give_up(c, "out of memory\n", "メモリが足りません\n");
	else
		screen_show(c, bytes_span(&out));
	bytes_fini(&out);
}

/* ---- one question after the other */

static void ask_next(struct console *c);

static bool is_signature(enum query_kind kind)
{
	return kind == QUERY_SIGN || kind == QUERY_SIGN_SUPPORT;
}

/* Nobody who may not make the archive gets it. All else can be missing, and is told to be: whoever
 * prevents one answer must not prevent the evidence. */
static bool is_needed(const struct evidence *e)
{
	return is_signature(e->step->kind) || e->step->kind == QUERY_PROCESS_LOG;
}

/* @text: what came of the answer; its end says why there is no more. */
static void note_missing(struct evidence *e, struct span text)
{
	struct span reason = {text.data + e->reason_at, text.size - e->reason_at};

	reason = span_trim(reason);
	(void)bytes_printf(&e->missing, "%s: %.*s\n", e->step->member, (int)reason.size,
			   (const char *)reason.data); /* there is room */
}

/* In place of an answer for which the archive has no room. */
static void cut_piece(struct evidence *e)
{
	bytes_clear(&e->piece);
	e->piece.limit = PIECE_BYTES_MAX;
	(void)bytes_append_text(&e->piece, "an answer is too long\n"); /* there is room */
	e->refused = true;
	e->reason_at = 0;
}

/* So many bytes the next answer may have: the log has its place, whatever comes before it. */
static size_t room_for_piece(const struct evidence *e)
{
	size_t taken = e->archive.size + PIECE_BYTES_MAX;
	size_t left = taken < ARCHIVE_BYTES_MAX ? ARCHIVE_BYTES_MAX - taken : 0;

	if (is_signature(e->step->kind) || e->step->kind == QUERY_LOG_FILES ||
	    left > PIECE_BYTES_MAX)
		return PIECE_BYTES_MAX;
	return left;
}

static void take_piece(struct console *c, struct span text)
{
	struct evidence *e = c->evidence;
	enum query_kind kind = e->step->kind;

	if (e->refused && is_needed(e)) {
		screen_printf(c, "%s: %.*s", e->step->member, (int)text.size,
			      (const char *)text.data);
		console_prompt(c);
		return;
	}
	if (is_signature(kind)) {
		if (add_signature(e, text))
			show_archive(c);
		else
			give_up(c, "the archive could not be signed\n", "署名できませんでした\n");
		return;
	}
	if (e->refused)
		note_missing(e, text);
	if (kind == QUERY_LOG_FILES && !e->refused)
		add_log(e, text);
	else
		add_member(e, e->step->member, text);
	e->step++;
	ask_next(c);
}

static void on_configuration(struct console *c, enum console_status status, struct span text)
{
	struct evidence *e = c->evidence;

	if (e == NULL)
		return;
	e->refused = status != CONSOLE_OK;
	take_piece(c, text);
}

static void ask_next(struct console *c)
{
	struct evidence *e = c->evidence;
	enum query_kind kind = e->step->kind;
	uint8_t digest[SHA256_BYTES];
	char argument[SHA256_HEX_BYTES] = "";

	bytes_clear(&e->piece);
	e->piece.limit = room_for_piece(e);
	e->refused = false;
	e->reason_at = 0;
	if (kind == 0) {
		console_ask(c, e->bundle->configuration, e->bundle->number, NULL, -1,
			    on_configuration);
		return;
	}
	if (is_signature(kind)) {
		add_member(e, "missing.txt", bytes_span(&e->missing));
		sha256_of(e->manifest.data, e->manifest.size, digest);
		sha256_hex(digest, argument);
	} else if (kind == QUERY_ALARMS || kind == QUERY_PUBLIC_ALARMS) {
		snprintf(argument, sizeof(argument), "%s",
			 c->language == LANGUAGE_JA ? "ja" : "en");
	} else if (e->step->argument != NULL) {
		snprintf(argument, sizeof(argument), "%s", e->step->argument);
	}
	console_query(c, kind, argument, ROWS_MAX);
}

void evidence_take_row(struct console *c, const struct control_row *row)
{
	struct evidence *e = c->evidence;
	uint32_t columns = e->step->columns;
	const char *cell = row->text;
	bool is_last;

	if ((row->flags & CONTROL_ROW_ERROR) != 0) {
		e->refused = true;
		e->reason_at = e->piece.size;
	}
	for (uint32_t i = 0; i < row->cell_count && (columns == 0 || i < columns); i++) {
		(void)bytes_printf(&e->piece, "%s%s", i > 0 ? "\t" : "", cell);
		cell += strlen(cell) + 1;
	}
	if (row->cell_count > 0 && (row->flags & CONTROL_ROW_CONTINUES) == 0)
		(void)bytes_append_u8(&e->piece, '\n');
	is_last = (row->flags & CONTROL_ROW_LAST) != 0;
	if (e->piece.failed) {
		if (!is_last)
			console_withdraw(c);
		cut_piece(e);
		is_last = true;
	}
	if (is_last)
		take_piece(c, bytes_span(&e->piece));
	else
		console_await_row(c);
}

static void begin(struct console *c, const struct bundle *bundle)
{
	struct evidence *e = calloc(1, sizeof(*e));
	struct bytes version;

	if (e == NULL) {
		screen_say(c, "out of memory\n", "メモリが足りません\n");
		console_prompt(c);
		return;
	}
	c->evidence = e;
	e->bundle = bundle;
	e->step = bundle->steps;
	e->time_s = clock_wall_ns(&clock_system) / NS_PER_S;
	bytes_init(&e->archive, ARCHIVE_BYTES_MAX);
	bytes_init(&e->manifest, PIECE_BYTES_MAX);
	bytes_init(&e->piece, PIECE_BYTES_MAX);
	bytes_init(&e->missing, PIECE_BYTES_MAX);
	bytes_init(&version, PIECE_BYTES_MAX);
	(void)bytes_printf(&version, "Sekisho %s\n", SEKISHO_VERSION); /* short */
	add_member(e, "version.txt", bytes_span(&version));
	bytes_fini(&version);
	ask_next(c);
}

void action_evidence(struct console *c, const char *tail, unsigned number)
{
	begin(c, &evidence_bundle);
}

void action_support(struct console *c, const char *tail, unsigned number)
{
	begin(c, &support_bundle);
}
