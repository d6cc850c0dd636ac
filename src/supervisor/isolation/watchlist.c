/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The watch list and its file. */
#include "supervisor/isolation/watchlist.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "supervisor/isolation/station_text.h"

#define NAME           "watched"
#define KIND           "sekisho-watched"
#define FILE_BYTES_MAX 65536

/* ---- the file */

static void print_one(struct bytes *out, const struct watch *one)
{
	(void)bytes_printf(out,
			   "number %" PRIu64 "\n%s %s\nwhy %s\nsince %" PRId64 "\nuntil %" PRId64
			   "\nby %s\n",
			   one->watched.number, one->watched.station.size == 0 ? "zone" : "station",
			   one->watched.name, one->watched.why, one->since_s, one->watched.until_s,
			   one->by); /* errors are in failed */
}

static int save(const struct watchlist *w)
{
	struct bytes out;
	int err;

	bytes_init(&out, FILE_BYTES_MAX);
	(void)bytes_printf(&out, "last %" PRIu64 "\n", w->last); /* errors are in failed */
	for (size_t i = 0; i < w->count; i++)
		print_one(&out, &w->list[i]);
	err = out.failed ? -ERR_NO_MEMORY : file_replace(w->dir, NAME, KIND, bytes_span(&out));
	bytes_fini(&out);
	return err;
}

/* A number, or a time, that is not below 0. */
static int take_count(struct span *rest, const char *key, int64_t *out)
{
	int err = file_take_number(rest, key, out);

	return err == 0 && *out < 0 ? -ERR_INTEGRITY : err;
}

static int take_name(struct span *rest, struct watched *out)
{
	if (file_take_line(rest, "zone", out->name, sizeof(out->name)) == 0)
		return 0;
	if (file_take_line(rest, "station", out->name, sizeof(out->name)) < 0)
		return -ERR_INTEGRITY;
	return station_read(&out->station, out->name) ? 0 : -ERR_INTEGRITY;
}

static int take_one(struct span *rest, struct watch *out)
{
	int64_t number = 0;
	int err = take_count(rest, "number", &number);

	*out = (struct watch){.watched.number = (uint64_t)number};
	if (err == 0)
		err = take_name(rest, &out->watched);
	if (err == 0)
		err = file_take_line(rest, "why", out->watched.why, sizeof(out->watched.why));
	if (err == 0)
		err = take_count(rest, "since", &out->since_s);
	if (err == 0)
		err = take_count(rest, "until", &out->watched.until_s);
	return err == 0 ? file_take_line(rest, "by", out->by, sizeof(out->by)) : err;
}

static int parse(struct watchlist *w, struct span rest)
{
	int64_t last;
	int err = take_count(&rest, "last", &last);

	w->last = err == 0 ? (uint64_t)last : 0;
	while (err == 0 && rest.size > 0 && w->count < WATCHED_MAX) {
		err = take_one(&rest, &w->list[w->count]);
		w->count += err == 0;
	}
	return err;
}

int watchlist_load(struct watchlist *w, int state_fd)
{
	struct bytes file;
	struct span content;
	int err;

	w->dir = state_fd;
	w->count = 0;
	w->last = 0;
	bytes_init(&file, FILE_BYTES_MAX);
	err = file_read(w->dir, NAME, &file);
	if (err == 0)
		err = file_check(bytes_span(&file), KIND, &content);
	if (err == 0)
		err = parse(w, content);
	bytes_fini(&file);
	if (err == -ERR_NOT_FOUND)
		return 0;
	if (err < 0)
		w->count = 0;
	return err;
}

/* ---- the list */

static struct watch drop(struct watchlist *w, size_t at)
{
	struct watch out = w->list[at];

	w->count--;
	memmove(&w->list[at], &w->list[at + 1], (w->count - at) * sizeof(w->list[0]));
	return out;
}

/* One of this name and kind; the count: there is none. */
static size_t find_name(const struct watchlist *w, const struct watched *wanted)
{
	size_t at = 0;

	while (at < w->count && (w->list[at].watched.station.size != wanted->station.size ||
				 strcmp(w->list[at].watched.name, wanted->name) != 0))
		at++;
	return at;
}

static size_t find_first_over(const struct watchlist *w)
{
	size_t first = 0;

	for (size_t i = 1; i < w->count; i++) {
		if (w->list[i].watched.until_s < w->list[first].watched.until_s)
			first = i;
	}
	return first;
}

int watchlist_add(struct watchlist *w, struct watch *new, struct watch *out)
{
	size_t at = find_name(w, &new->watched);

	*out = (struct watch){0};
	if (at < w->count)
		*out = drop(w, at);
	else if (w->count == WATCHED_MAX)
		*out = drop(w, find_first_over(w));
	new->watched.number = ++w->last;
	w->list[w->count++] = *new;
	return save(w);
}

int watchlist_end(struct watchlist *w, uint64_t number, struct watch *out)
{
	for (size_t i = 0; i < w->count; i++) {
		if (w->list[i].watched.number != number)
			continue;
		*out = drop(w, i);
		return save(w);
	}
	return -ERR_NOT_FOUND;
}

uint64_t watchlist_over(const struct watchlist *w, int64_t now_s)
{
	for (size_t i = 0; i < w->count; i++) {
		if (w->list[i].watched.until_s <= now_s)
			return w->list[i].watched.number;
	}
	return 0;
}
