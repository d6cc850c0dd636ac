/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Searching the newest files of the log, and handing out rows at the channel's pace. */
#include "audit/answer.h"
#include "audit/follow.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "audit/store_files.h"
#include "base/err.h"
#include "base/utf8.h"
#include "channel/account.h"
#include "wire/log/syslog.h"

#define NS_PER_MS         1000000U
#define ROW_PAUSE_MS      5U
#define ROUND_ROWS        32U        /* then whoever reads them has the time of a pause */
#define ANSWER_TEXT_BYTES (4U << 20) /* of a receipt in lines */

void answer_init(struct answer *a, struct loop *loop, struct channel *control,
		 const struct store *store, const struct receipts *receipts)
{
	memset(a, 0, sizeof(*a));
	a->loop = loop;
	a->control = control;
	a->store = store;
	a->receipts = receipts;
	bytes_init(&a->text, ANSWER_TEXT_BYTES);
	a->timer.ctx = a;
}

/* ---- rows */

/* Append a cell, as much of it as fits, never half a character. */
static void put_cell(struct control_row *row, size_t *used, struct span text)
{
	size_t room = sizeof(row->text) - *used - 1, size = 0;

	if (row->cell_count == CONTROL_ROW_CELLS || *used + 1 > sizeof(row->text))
		return;
	while (size < text.size) {
		uint32_t c;
		size_t one = utf8_decode((struct span){text.data + size, text.size - size}, &c);

		if (one == 0 || size + one > room)
			break;
		size += one;
	}
	memcpy(row->text + *used, text.data, size);
	row->text[*used + size] = '\0';
	*used += size + 1;
	row->cell_count++;
}

static void put_heading(struct control_row *row)
{
	static const char *const titles[] = {"time",    "number", "severity",
					     "process", "event",  "fields"};
	size_t used = 0;

	row->flags = CONTROL_ROW_HEADING;
	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		put_cell(row, &used, span_of(titles[i]));
}

struct span answer_fields(const struct syslog_view *view)
{
	struct span mono, rest = {view->data.data, 0};

	if (syslog_param(view, "mono", &mono) < 0)
		return rest;
	rest.data = mono.data + mono.size + 1; /* behind the quote */
	rest.size = (size_t)(view->data.data + view->data.size - rest.data) - 1;
	return span_trim(rest);
}

int answer_row(struct control_row *row, struct span line)
{
	static const char *const severities[] = {"emergency", "alert",  "critical", "error",
						 "warning",   "notice", "info",     "debug"};
	struct syslog_view view;
	struct span number;
	size_t used = 0;

	if (syslog_parse(line, &view) < 0 || syslog_param(&view, "seq", &number) < 0)
		return -ERR_SYNTAX;
	put_cell(row, &used, view.time);
	put_cell(row, &used, number);
	put_cell(row, &used, span_of(severities[view.severity]));
	put_cell(row, &used, view.process);
	put_cell(row, &used, view.message_id);
	put_cell(row, &used, answer_fields(&view));
	return 0;
}

/* ---- searching */

static bool contains(struct span line, const char *text)
{
	size_t size = strlen(text);

	return size == 0 || memmem(line.data, line.size, text, size) != NULL;
}

/* How the names of the records begin that a kind of query is about; scanners and receipts belong to
 * mail. Those about processes are the supervisor's and audit's own words. */
static const struct {
	enum query_kind kind;
	const char *begins;
} subjects[] = {
	{QUERY_MAIL_LOG, "mail-"},        {QUERY_MAIL_LOG, "receipt-"},
	{QUERY_MAIL_LOG, "scanner-"},     {QUERY_MAIL_LOG, "signatures-"},
	{QUERY_PROCESS_LOG, "process-"},  {QUERY_PROCESS_LOG, "restart-storm"},
	{QUERY_PROCESS_LOG, "gateway-"},  {QUERY_PROCESS_LOG, "path-opened"},
	{QUERY_PROCESS_LOG, "watchdog-"},
};

static bool is_about(struct span line, uint32_t kind)
{
	struct syslog_view view;

	if (kind == QUERY_LOG)
		return true;
	if (syslog_parse(line, &view) < 0)
		return false;
	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
		size_t size = strlen(subjects[i].begins);

		if (subjects[i].kind == kind && view.message_id.size >= size &&
		    memcmp(view.message_id.data, subjects[i].begins, size) == 0)
			return true;
	}
	return false;
}

static bool is_wanted(const struct answer *a, struct span line)
{
	return contains(line, a->query.argument) && is_about(line, a->query.kind);
}

/* The last @want matches of one segment go into @ring, a circle. Return: how many matches there
 * were. */
static size_t search_segment(const struct answer *a, uint64_t segment, uint64_t *ring, size_t want)
{
	uint8_t buffer[STORE_LINE_MAX + 1];
	uint64_t offset = 0;
	struct span line;
	size_t matches = 0;
	int fd = store_file_open(a->store->directory, segment, O_RDONLY);

	if (fd < 0)
		return 0;
	while (store_read_line(fd, offset, buffer, &line) == 0) {
		if (is_wanted(a, line))
			ring[matches++ % want] = offset;
		offset += line.size + 1;
	}
	(void)close(fd); /* read only */
	return matches;
}

/* Fill places from the back, newest segment first. */
static void search(struct answer *a, size_t want)
{
	uint64_t ring[ANSWER_ROWS_MAX];
	size_t free_places = want, segments = a->store->segment_count, looked = 0;

	while (free_places > 0 && segments > 0 && looked < ANSWER_SEGMENTS_MAX) {
		uint64_t segment = a->store->segments[--segments].first_sequence;
		size_t room = free_places, matches = search_segment(a, segment, ring, room);
		size_t kept = matches < room ? matches : room;

		for (size_t i = 0; i < kept; i++)
			a->places[--free_places] =
				(struct answer_place){segment, ring[(matches - 1 - i) % room]};
		looked++;
	}
	a->next = free_places;
	a->count = want;
}

/* ---- handing out */

static int send_row(struct answer *a, struct control_row *row)
{
	row->number = a->query.number;
	row->console = a->query.console;
	return channel_send(a->control, CONTROL_ROW, row, sizeof(*row), NULL, 0);
}

/* A record that is gone meanwhile is left out. */
static int send_place(struct answer *a, const struct answer_place *place)
{
	uint8_t buffer[STORE_LINE_MAX + 1];
	struct control_row row = {0};
	struct span line;
	int fd = store_file_open(a->store->directory, place->segment, O_RDONLY);
	int err = fd < 0 ? fd : store_read_line(fd, place->offset, buffer, &line);

	if (fd >= 0)
		(void)close(fd); /* read only */
	if (err < 0 || answer_row(&row, line) < 0)
		return 0;
	return send_row(a, &row);
}

/* The next line of a text, or as much of it as fits, as a row of one cell. */
static int send_line(struct answer *a)
{
	const uint8_t *from = a->text.data + a->text_at;
	const uint8_t *lf = memchr(from, '\n', a->text.size - a->text_at);
	size_t size = lf != NULL ? (size_t)(lf - from) : a->text.size - a->text_at, used = 0;
	size_t sent;
	struct control_row row = {0};
	int err;

	put_cell(&row, &used, (struct span){from, size});
	sent = strlen(row.text);
	if (sent > 0 && sent < size)
		row.flags = CONTROL_ROW_CONTINUES;
	err = send_row(a, &row);
	if (err == 0)
		a->text_at += row.flags != 0 ? sent : size + (lf != NULL);
	return err;
}

/* Where the next question goes on, and how many records were left out. */
static void put_end(const struct answer *a, struct control_row *row)
{
	char text[48];
	size_t used = 0;

	(void)snprintf(text, sizeof(text), FOLLOW_PLACE_FORM, (unsigned long long)a->end.segment,
		       (unsigned long long)a->end.offset); /* it fits */
	put_cell(row, &used, span_of(text));
	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)a->left_out); /* the same */
	put_cell(row, &used, span_of(text));
}

static int send_next(struct answer *a)
{
	struct control_row row = {0};
	int err;

	if (a->text_at < a->text.size)
		return send_line(a);
	if (!a->heading_sent) {
		put_heading(&row);
		err = send_row(a, &row);
		a->heading_sent = err == 0;
		return err;
	}
	if (a->next < a->count) {
		err = send_place(a, &a->places[a->next]);
		a->next += err == 0;
		return err;
	}
	row.flags = CONTROL_ROW_LAST;
	if (a->query.kind == QUERY_FOLLOW)
		put_end(a, &row);
	err = send_row(a, &row);
	a->busy = err != 0;
	return err;
}

static void hand_out(struct loop *loop, struct loop_timer *timer)
{
	struct answer *a = timer->ctx;
	int err = 0;

	for (unsigned rows = 0; a->busy && err == 0 && rows < ROUND_ROWS; rows++)
		err = send_next(a);
	if (err == -ERR_AGAIN || (err == 0 && a->busy))
		loop_arm(loop, timer, ROW_PAUSE_MS);
	else
		a->busy = false; /* sent, or nobody is there any more */
}

static void refuse(struct answer *a, const struct control_query *query, const char *why)
{
	struct control_row row = {.number = query->number,
				  .console = query->console,
				  .flags = CONTROL_ROW_LAST | CONTROL_ROW_ERROR};
	size_t used = 0;

	put_cell(&row, &used, span_of(why));
	(void)channel_send(a->control, CONTROL_ROW, &row, sizeof(row), NULL,
			   0); /* the console's own timeout serves */
}

/* Return: NULL, or why there is nothing to show. */
static const char *print_receipt(void *ctx, const struct control_query *query, struct bytes *out)
{
	const struct answer *a = ctx;
	bool names = query->person_role == ACCOUNT_AUDITOR; /* A6 */
	struct bytes json;
	int err;

	bytes_init(&json, 2 * RECEIPT_BYTES_MAX);
	err = receipts_find(a->receipts, query->argument, &json);
	if (err == 0)
		err = receipt_text(bytes_span(&json), names, out);
	bytes_fini(&json);
	if (err == -ERR_SYNTAX)
		return "give a receipt's id: 6 to 20 of the digits 0-9, a-f";
	if (err == -ERR_NOT_FOUND)
		return "no such receipt is kept";
	return err < 0 ? "the receipt cannot be read" : NULL;
}

/* Whether another question may be begun; who asked is told otherwise. */
static bool take(struct answer *a, const struct control_query *query)
{
	if (a->busy) {
		refuse(a, query, "another console is reading the log; try again");
		return false;
	}
	bytes_clear(&a->text);
	a->text_at = 0;
	a->next = a->count = 0;
	a->query = *query;
	a->query.argument[sizeof(a->query.argument) - 1] = '\0';
	return true;
}

static void print_text(struct answer *a, answer_print_fn *print, void *ctx)
{
	const char *why = print(ctx, &a->query, &a->text);

	if (why != NULL) {
		bytes_clear(&a->text);
		a->busy = false;
		refuse(a, &a->query, why);
		return;
	}
	a->heading_sent = true; /* lines need none */
	a->busy = true;
	a->timer.fire = hand_out;
	hand_out(a->loop, &a->timer);
}

void answer_text(struct answer *a, const struct control_query *query, answer_print_fn *print,
		 void *ctx)
{
	if (take(a, query))
		print_text(a, print, ctx);
}

/* ---- what reads much of the log: a fifth of the time at most */

/* When the last one has been rested for. */
static void begin_rested(struct answer *a,
			 void (*begin)(struct loop *loop, struct loop_timer *timer))
{
	uint64_t now_ns = clock_mono_ns(a->loop->clock);

	a->busy = true;
	a->timer.fire = begin;
	if (now_ns < a->rested_ns)
		loop_arm(a->loop, &a->timer, 1 + (a->rested_ns - now_ns) / NS_PER_MS);
	else
		begin(a->loop, &a->timer);
}

static void rest_since(struct answer *a, uint64_t began_ns)
{
	uint64_t ended_ns = clock_mono_ns(a->loop->clock);

	a->rested_ns = ended_ns + ANSWER_REST * (ended_ns - began_ns);
}

static void begin_text(struct loop *loop, struct loop_timer *timer)
{
	struct answer *a = timer->ctx;
	uint64_t began_ns = clock_mono_ns(loop->clock);

	print_text(a, a->print, a->print_ctx);
	rest_since(a, began_ns);
}

void answer_log_text(struct answer *a, const struct control_query *query, answer_print_fn *print,
		     void *ctx)
{
	if (!take(a, query))
		return;
	a->print = print;
	a->print_ctx = ctx;
	begin_rested(a, begin_text);
}

static void begin_search(struct loop *loop, struct loop_timer *timer)
{
	struct answer *a = timer->ctx;
	size_t want = a->query.limit > 0 ? a->query.limit : ANSWER_ROWS_DEFAULT;
	uint64_t began_ns = clock_mono_ns(loop->clock);

	if (a->query.kind == QUERY_FOLLOW)
		follow_search(a);
	else
		search(a, want < ANSWER_ROWS_MAX ? want : ANSWER_ROWS_MAX);
	rest_since(a, began_ns);
	timer->fire = hand_out;
	hand_out(loop, timer);
}

void answer_query(struct answer *a, const struct control_query *query)
{
	if (query->kind == QUERY_RECEIPT) {
		answer_text(a, query, print_receipt, a);
		return;
	}
	if (!take(a, query))
		return;
	a->heading_sent = query->kind == QUERY_FOLLOW; /* what goes on has none */
	begin_rested(a, begin_search);
}
