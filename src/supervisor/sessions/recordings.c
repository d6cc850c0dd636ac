/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of screen sessions' recordings. */
#include "supervisor/sessions/recordings.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "supervisor/query/query.h"

#define DIRECTORY "recordings"

_Static_assert(RECORDINGS_SCREENS_MAX >= LISTENERS_MAX, "each recorded screen listens");

static int64_t now_s(void)
{
	return clock_wall_ns(&clock_system) / 1000000000;
}

static const struct snapshot_screen *screen_of(const struct supervisor *sup, const char *file)
{
	const struct snapshot *s = &sup->running.snapshot;
	size_t size = strcspn(file, ".");

	for (uint32_t i = 0; sup->running.fd >= 0 && i < s->screen_count; i++) {
		if (strlen(s->screens[i].name) == size &&
		    strncmp(s->screens[i].name, file, size) == 0)
			return &s->screens[i];
	}
	return NULL;
}

/* Call @each for every file until it returns false. Return: 0 or -ERR_SYSTEM. */
static int each_file(struct supervisor *sup,
		     bool (*each)(void *ctx, const char *name, const struct stat *stat), void *ctx)
{
	int fd = openat(sup->recordings.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	struct stat stat;
	bool more = true;

	if (!dir) {
		if (fd >= 0)
			(void)close(fd); /* nothing was read */
		return -ERR_SYSTEM;
	}
	while (more && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] != '.' &&
		    fstatat(sup->recordings.fd, entry->d_name, &stat, AT_SYMLINK_NOFOLLOW) == 0)
			more = each(ctx, entry->d_name, &stat);
	}
	(void)closedir(dir);
	return 0;
}

static const struct session *session_of(const struct supervisor *sup, ino_t inode)
{
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		const struct session *session = &sup->sessions[i];

		if (session->used && session->recording.limit_bytes != 0 &&
		    session->recording.inode == inode)
			return session;
	}
	return NULL;
}

/* ---- age */

/* Return: for how long the file was to be kept when it began; 0: its name does not say. */
static uint32_t noted_keep_s(const char *name)
{
	const char *last = strrchr(name, '.');
	char *end;
	unsigned long keep_s = last ? strtoul(last + 1, &end, 10) : 0;

	return last && strcmp(end, "s") == 0 && keep_s <= UINT32_MAX ? (uint32_t)keep_s : 0;
}

/* The longer of what the policy said when the file began and what it says now. */
static uint32_t keep_s_of(const struct supervisor *sup, const char *name)
{
	const struct snapshot_screen *screen = screen_of(sup, name);
	uint32_t noted_s = noted_keep_s(name);

	if (screen && snapshot_is_recorded(screen) && screen->record.keep_s > noted_s)
		return screen->record.keep_s;
	return noted_s != 0 ? noted_s : RECORDINGS_KEEP_S;
}

/* Before the first policy nobody knows how long a file is to be kept; before its servers have
 * confirmed the clock, how old it is. */
static bool knows_age(const struct supervisor *sup)
{
	return sup->running.fd >= 0 && (sup->time.servers.count == 0 || sup->time.settled);
}

/* Return: whether the file's time was over and it has gone. */
static bool remove_old(struct supervisor *sup, const char *name, const struct stat *stat)
{
	if (!knows_age(sup) || stat->st_mtime + keep_s_of(sup, name) >= now_s() ||
	    session_of(sup, stat->st_ino) || unlinkat(sup->recordings.fd, name, 0) < 0)
		return false;
	supervisor_event(sup, EVENT_SCREEN_RECORDING_REMOVED, EV_TEXT(NAME, name),
			 EV_NUMBER(BYTES, stat->st_size));
	return true;
}

/* ---- room */

/* What all files take. */
struct tally {
	struct supervisor *sup;
	struct {
		uint64_t taken_bytes;
		uint64_t bound_bytes;      /* a file that grows counts as its limit */
	} screens[RECORDINGS_SCREENS_MAX]; /* by their place in the policy */
	uint64_t growth_bytes;             /* that all files may still come to */
	uint32_t files;
};

static uint64_t at_least(uint64_t bytes, uint64_t least)
{
	return bytes > least ? bytes : least;
}

static bool add_file(void *ctx, const char *name, const struct stat *stat)
{
	struct tally *t = ctx;
	const struct snapshot_screen *screen = screen_of(t->sup, name);
	const struct session *session = session_of(t->sup, stat->st_ino);
	uint64_t bytes = at_least((uint64_t)stat->st_size, RECORDINGS_FILE_BYTES);
	uint64_t bound = session ? at_least(session->recording.limit_bytes, bytes) : bytes;
	size_t place = screen ? (size_t)(screen - t->sup->running.snapshot.screens)
			      : RECORDINGS_SCREENS_MAX;

	if (remove_old(t->sup, name, stat))
		return true;
	t->files++;
	t->growth_bytes += bound - bytes;
	if (place < RECORDINGS_SCREENS_MAX) {
		t->screens[place].taken_bytes += bytes;
		t->screens[place].bound_bytes += bound;
	}
	return true;
}

/* Return: the row of the screen, a free one for ""; NULL: there is none. */
static char *filling_row(struct recordings *r, const char *screen)
{
	for (size_t i = 0; i < RECORDINGS_SCREENS_MAX; i++) {
		if (strcmp(r->filling[i], screen) == 0)
			return r->filling[i];
	}
	return NULL;
}

static void tell_filling(struct supervisor *sup, const struct snapshot_screen *screen,
			 uint64_t bytes)
{
	uint64_t percent = bytes / (screen->record.total_limit_bytes / 100 + 1);
	char *row = filling_row(&sup->recordings, screen->name);
	bool fills = percent >= (row ? RECORDINGS_EASE_PERCENT : RECORDINGS_FULL_PERCENT);

	if (fills == (row != NULL))
		return;
	supervisor_event(sup,
			 fills ? EVENT_SCREEN_RECORDINGS_FILLING : EVENT_SCREEN_RECORDINGS_EASED,
			 EV_TEXT(NAME, screen->name), EV_NUMBER(BYTES, bytes),
			 EV_NUMBER(LIMIT, screen->record.total_limit_bytes));
	if (!fills)
		row[0] = '\0';
	else if ((row = filling_row(&sup->recordings, "")) != NULL)
		(void)snprintf(row, SNAPSHOT_NAME_BYTES, "%s", screen->name);
}

/* Screens that the policy no longer records have no limit to reach. */
static void forget_filling(struct supervisor *sup)
{
	for (size_t i = 0; i < RECORDINGS_SCREENS_MAX; i++) {
		char *row = sup->recordings.filling[i];
		const struct snapshot_screen *screen = screen_of(sup, row);

		if (row[0] == '\0' || (screen && snapshot_is_recorded(screen)))
			continue;
		supervisor_event(sup, EVENT_SCREEN_RECORDINGS_EASED, EV_TEXT(NAME, row));
		row[0] = '\0';
	}
}

/* Look at every file: remove what is old, add up the rest, tell of screens that run out of room.
 * Return: 0 or -ERR_SYSTEM. */
static int look(struct supervisor *sup, struct tally *tally)
{
	const struct snapshot *s = &sup->running.snapshot;

	*tally = (struct tally){.sup = sup};
	if (each_file(sup, add_file, tally) < 0)
		return -ERR_SYSTEM;
	forget_filling(sup);
	for (uint32_t i = 0; i < s->screen_count && i < RECORDINGS_SCREENS_MAX; i++) {
		if (snapshot_is_recorded(&s->screens[i]))
			tell_filling(sup, &s->screens[i], tally->screens[i].taken_bytes);
	}
	return 0;
}

/* Whether the disk keeps its share for the log and all else, when every recording has grown as far
 * as it may. */
static bool disk_holds(const struct supervisor *sup, uint64_t bytes)
{
	struct statvfs disk;
	uint64_t block, kept;

	if (fstatvfs(sup->recordings.fd, &disk) < 0)
		return false;
	block = disk.f_frsize;
	kept = disk.f_blocks / RECORDINGS_FREE_SHARE * block;
	return disk.f_bavail * block >= kept + bytes;
}

/* Return: NULL, or why there is no room for one more recording. */
static const char *find_room(struct supervisor *sup, uint32_t screen)
{
	const struct snapshot_record *record = &sup->running.snapshot.screens[screen].record;
	struct tally tally;

	if (screen >= RECORDINGS_SCREENS_MAX || look(sup, &tally) < 0)
		return "the directory of recordings cannot be read";
	if (tally.screens[screen].bound_bytes + record->size_limit_bytes >
	    record->total_limit_bytes)
		return "total-limit is reached";
	if (tally.files >= RECORDINGS_FILES_MAX)
		return "there are as many recordings as there may be";
	if (!disk_holds(sup, tally.growth_bytes + record->size_limit_bytes))
		return "the disk has no room";
	return NULL;
}

static void on_sweep(struct loop *loop, struct loop_timer *self)
{
	struct supervisor *sup = self->ctx;
	struct tally tally;

	if (sup->running.fd >= 0)
		(void)look(sup, &tally); /* what stays is looked at again */
	loop_arm(loop, self, RECORDINGS_SWEEP_MS);
}

int recordings_open(struct supervisor *sup)
{
	struct recordings *r = &sup->recordings;

	if (mkdirat(sup->state_fd, DIRECTORY, 0700) < 0 && errno != EEXIST)
		return -ERR_SYSTEM;
	r->fd = openat(sup->state_fd, DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (r->fd < 0)
		return -ERR_SYSTEM;
	r->sweep = (struct loop_timer){.fire = on_sweep, .ctx = sup};
	loop_arm(&sup->loop, &r->sweep, RECORDINGS_SWEEP_MS);
	return 0;
}

/* ---- a session's file */

static void tell_failed(struct supervisor *sup)
{
	struct recordings_failures *f = &sup->recordings.failures;

	supervisor_event(sup, EVENT_SCREEN_RECORDING_FAILED, EV_NUMBER(SESSION, f->session),
			 EV_TEXT(NAME, f->entry), EV_TEXT(USER, f->user), EV_TEXT(REASON, f->why),
			 EV_NUMBER(COUNT, f->untold));
	f->untold = 0;
}

static void on_tell_due(struct loop *loop, struct loop_timer *self)
{
	struct supervisor *sup = self->ctx;

	if (sup->recordings.failures.untold == 0)
		return; /* the next one is told at once again */
	tell_failed(sup);
	loop_arm(loop, self, RECORDINGS_TELL_MS);
}

/* As refused connections (limits.c): the first is told at once, those that follow within
 * RECORDINGS_TELL_MS are one record, with the newest session. */
static void count_failed(struct supervisor *sup, const struct session *session, const char *why)
{
	struct recordings_failures *f = &sup->recordings.failures;

	f->untold++;
	f->session = session->id;
	f->why = why;
	(void)snprintf(f->entry, sizeof(f->entry), "%s", session->entry);
	(void)snprintf(f->user, sizeof(f->user), "%s", admission_user(session));
	if (loop_armed(&f->timer))
		return;
	tell_failed(sup);
	f->timer = (struct loop_timer){.fire = on_tell_due, .ctx = sup};
	loop_arm(&sup->loop, &f->timer, RECORDINGS_TELL_MS);
}

static void name_file(char name[RECORDINGS_NAME_BYTES], const struct session *session,
		      uint32_t keep_s)
{
	time_t seconds = now_s();
	struct tm utc;
	char when[sizeof("20260101-000000")] = "";

	if (gmtime_r(&seconds, &utc) != NULL)
		(void)strftime(when, sizeof(when), "%Y%m%d-%H%M%S",
			       &utc); /* fits up to the year 9999 */
	(void)snprintf(name, RECORDINGS_NAME_BYTES, "%s.%s.%u.%us", session->entry, when,
		       session->id, keep_s);
}

uint64_t recordings_limit_bytes(const struct child *child)
{
	const struct snapshot *s = &child->sup->running.snapshot;

	if (child->role != ROLE_SCREEN_VIEWER)
		return 0;
	return s->screens[child->session->index].record.size_limit_bytes;
}

/*
 * New, and only to append to. The viewer, which may write nothing else, was started with its limit.
 * Return: a descriptor or -ERR_SYSTEM.
 */
static int make_file(struct supervisor *sup, struct session *session, const char *name,
		     uint64_t limit_bytes)
{
	int fd = openat(sup->recordings.fd, name,
			O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat stat;

	if (fd < 0)
		return -ERR_SYSTEM;
	if (fstat(fd, &stat) < 0) {
		(void)close(fd);                             /* nothing was written */
		(void)unlinkat(sup->recordings.fd, name, 0); /* an empty file does no harm */
		return -ERR_SYSTEM;
	}
	session->recording =
		(struct session_recording){.limit_bytes = limit_bytes, .inode = stat.st_ino};
	(void)snprintf(session->recording.name, sizeof(session->recording.name), "%s", name);
	return fd;
}

/* Return: NULL, or why the session cannot be recorded. */
static const char *give_file(struct session *session, struct supervisor *sup)
{
	const struct snapshot_record *record =
		&sup->running.snapshot.screens[session->index].record;
	const char *why = find_room(sup, session->index);
	char name[RECORDINGS_NAME_BYTES];
	int fd;

	if (why)
		return why;
	name_file(name, session, record->keep_s);
	fd = make_file(sup, session, name, recordings_limit_bytes(session->near));
	if (fd < 0)
		return "the disk refuses the file";
	supervisor_event(sup, EVENT_SCREEN_RECORDING, EV_NUMBER(SESSION, session->id),
			 EV_TEXT(NAME, session->entry), EV_TEXT(USER, admission_user(session)),
			 EV_TEXT(DETAIL, name));
	child_give(session->near, &(struct control_give){.kind = GIVE_RECORDING}, fd);
	(void)close(fd); /* the viewer has its own copy */
	return NULL;
}

bool recordings_give(struct session *session, struct supervisor *sup)
{
	const struct snapshot_screen *screen = &sup->running.snapshot.screens[session->index];
	const char *why;

	if (!snapshot_is_recorded(screen) || !child_is_alive(session->near))
		return true; /* without its viewer the session ends anyway */
	why = give_file(session, sup);
	if (!why)
		return true;
	count_failed(sup, session, why);
	if (screen->record.on_full == SNAPSHOT_ON_FULL_GO_ON)
		return true;
	admission_end(session, SCREEN_END_RECORDING);
	return false;
}

void recordings_release(struct session *session, struct supervisor *sup)
{
	struct session_recording *file = &session->recording;
	struct stat stat;

	if (file->limit_bytes != 0 &&
	    fstatat(sup->recordings.fd, file->name, &stat, AT_SYMLINK_NOFOLLOW) == 0 &&
	    stat.st_ino == file->inode && stat.st_size == 0)
		(void)unlinkat(sup->recordings.fd, file->name, 0); /* or it goes when it is old */
	*file = (struct session_recording){0};
}

/* ---- on the console */

struct listing {
	struct supervisor *sup;
	struct answer *answer;
};

static bool show_file(void *ctx, const char *name, const struct stat *stat)
{
	struct listing *l = ctx;

	answer_cell(l->answer, "%s", name);
	answer_cell(l->answer, "%lld", (long long)stat->st_size);
	answer_cell(l->answer, "%lld",
		    ((long long)stat->st_size + RECORDING_PART_BYTES - 1) / RECORDING_PART_BYTES);
	answer_cell(l->answer, "%s", session_of(l->sup, stat->st_ino) ? "running" : "ended");
	answer_send(l->answer, 0);
	return true;
}

void answer_recordings(struct supervisor *sup, struct answer *answer)
{
	static const char *const headings[] = {"name", "bytes", "parts", "state"};
	struct listing listing = {sup, answer};

	answer_heading(answer, headings, sizeof(headings) / sizeof(headings[0]));
	if (each_file(sup, show_file, &listing) < 0)
		answer_error(answer, "the state directory cannot be read");
	else
		answer_send(answer, CONTROL_ROW_LAST);
}

/* Only characters that a file of ours has in its name. */
static bool is_name(const char *name)
{
	return name[0] != '.' && name[0] != '\0' &&
	       name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.")] == '\0';
}

/*
 * Go to the beginning of part @rest, a number; empty: the first. Return: how many parts there are;
 * 0 where there is no such part.
 */
static unsigned seek_part(int fd, const char *rest, unsigned *part)
{
	char *end;
	unsigned long wanted = *rest == '\0' ? 1 : strtoul(rest, &end, 10);
	struct stat stat;
	unsigned long count;

	if ((*rest != '\0' && (*end != '\0' || end == rest)) || fstat(fd, &stat) < 0)
		return 0;
	count = ((unsigned long)stat.st_size + RECORDING_PART_BYTES - 1) / RECORDING_PART_BYTES;
	*part = (unsigned)wanted;
	if (wanted < 1 || wanted > count ||
	    lseek(fd, (off_t)(wanted - 1) * RECORDING_PART_BYTES, SEEK_SET) < 0)
		return 0;
	return (unsigned)count;
}

void answer_save_recording(struct supervisor *sup, struct answer *answer)
{
	char name[CONTROL_ARGUMENT_BYTES];
	const char *rest = answer_name(answer, name);
	unsigned part = 0, count;
	int fd = -1;

	if (is_name(name))
		fd = openat(sup->recordings.fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	count = fd < 0 ? 0 : seek_part(fd, rest, &part);
	if (count == 0) {
		if (fd >= 0)
			(void)close(fd); /* nothing was read */
		answer_error(answer, "there is no such part of a recording of this name; see show "
				     "screen recordings");
		return;
	}
	supervisor_event(sup, EVENT_SCREEN_RECORDING_FETCHED,
			 EV_PERSON(USER, answer->query->person, answer->query->console),
			 EV_TEXT(NAME, name), EV_NUMBER(FIRST, part), EV_NUMBER(COUNT, count));
	child_give(answer->console,
		   &(struct control_give){.kind = GIVE_RECORDING, .index = answer->query->number},
		   fd);
	(void)close(fd); /* the console has its own copy */
	answer_cell(answer, "%s", name);
	answer_send(answer, CONTROL_ROW_LAST);
}
