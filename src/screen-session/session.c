/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Settings, drops and the end of one half of a screen session. */
#include "screen-session/session.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"

static const char *const drop_names[] = {
#define X(id, name) name,
	SESSION_DROPS(X)
#undef X
};

uint64_t session_frame_period_ms(uint32_t rate)
{
	if (rate == 0)
		rate = SESSION_FRAME_RATE_DEFAULT;
	if (rate > SESSION_FRAME_RATE_MAX)
		rate = SESSION_FRAME_RATE_MAX;
	return (1000 + rate - 1) / rate;
}

static int copy_text(char *field, size_t field_bytes, const char *text)
{
	size_t size = strlen(text);

	if (size >= field_bytes)
		return -ERR_TOO_LONG;
	memcpy(field, text, size + 1);
	return 0;
}

static int take_access(struct session *s, const struct snapshot *snapshot,
		       const struct snapshot_access *access)
{
	int err = copy_text(s->desktop_name, sizeof(s->desktop_name),
			    snapshot_text_at(snapshot, access->text_name));

	s->desktop_security = (enum desktop_security)access->security;
	if (err == 0)
		err = copy_text(s->desktop_user, sizeof(s->desktop_user),
				snapshot_text_at(snapshot, access->text_user));
	return err;
}

static int take_settings(struct session *s, const struct control_start *start,
			 const struct snapshot *snapshot)
{
	const struct snapshot_screen *screen;

	if (start->index >= snapshot->screen_count || start->zone >= snapshot->zone_count)
		return -ERR_NOT_FOUND;
	screen = &snapshot->screens[start->index];
	memcpy(s->name, screen->name, sizeof(s->name));
	memcpy(s->zone, snapshot->zones[start->zone].name, sizeof(s->zone));
	s->name[sizeof(s->name) - 1] = s->zone[sizeof(s->zone) - 1] = '\0';
	s->encodings = (enum snapshot_encodings)screen->encodings;
	s->watermark = (enum snapshot_watermark)screen->watermark;
	s->utc_offset_s = snapshot->header->utc_offset_s;
	(void)snprintf(s->gateway, sizeof(s->gateway), "%s",
		       snapshot_text_at(snapshot, snapshot->header->text_host_name));
	s->frame_period_ms = session_frame_period_ms(screen->frame_rate_max);
	s->bandwidth_kbit_s = screen->bandwidth_kbit_s;
	s->record_bytes_max = screen->record.size_limit_bytes;
	s->on_full = (enum snapshot_on_full)screen->record.on_full;
	s->watchable = snapshot_is_watchable(screen);
	s->notice_live = s->watchable && screen->shadow.notice == SNAPSHOT_NOTICE_LIVE;
	s->security = screen->security;
	s->client_certificates = screen->authority_slot[0] != '\0';
	s->idle_ms = screen->idle_timeout_s * UINT64_C(1000);
	s->limit_ms = screen->session_limit_s * UINT64_C(1000);
	return take_access(s, snapshot, &screen->access);
}

int session_load(struct session *s, struct process *process, const char *side,
		 const struct control_start *start, int snapshot_fd)
{
	struct snapshot snapshot;
	int error;

	*s = (struct session){
		.process = process,
		.side = side,
		.id = start->session,
		.began_ms = clock_mono_ms(&clock_system),
	};
	if (snapshot_fd < 0)
		return -ERR_NOT_FOUND;
	error = snapshot_load(&snapshot, snapshot_fd);
	(void)close(snapshot_fd); /* read-only: nothing to lose */
	if (error != 0)
		return error;
	error = take_settings(s, start, &snapshot);
	snapshot_unload(&snapshot);
	return error;
}

/*
 * In large pages where the kernel has them: each row of a tile lies on a page of its own, and a
 * look-up for every 256 bytes was a tenth of a session's processor time. A mapping, because the
 * kernel aligns those; aligning the program instead would cost bits of its random address.
 */
int session_frame(struct frame *f)
{
	size_t capacity_px = (size_t)RFB_WIDTH_MAX * RFB_HEIGHT_MAX;
	void *memory = mmap(NULL, capacity_px * sizeof(*f->pixels), PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return -ERR_SYSTEM;
	(void)madvise(memory, capacity_px * sizeof(*f->pixels),
		      MADV_HUGEPAGE); /* slower without, but right */
	frame_init(f, memory, capacity_px);
	return 0;
}

static void tell_drop(struct session *s, enum session_drop what, uint64_t count, uint64_t bytes)
{
	event_send(&s->process->events, EVENT_SCREEN_DROPPED, EV_NUMBER(SESSION, s->id),
		   EV_TEXT(NAME, s->name), EV_TEXT(PEER, s->side),
		   EV_TEXT(DETAIL, drop_names[what]), EV_NUMBER(COUNT, count),
		   EV_NUMBER(BYTES, bytes));
}

void session_drop(struct session *s, enum session_drop what, uint64_t bytes)
{
	s->drops[what].count++;
	s->drops[what].bytes += bytes;
	if (s->drops[what].count == 1)
		tell_drop(s, what, 1, bytes);
}

void session_tell_tls(struct session *s, const char *version, const char *suite,
		      const uint8_t certificate[32])
{
	struct event_client *events = &s->process->events;

	if (certificate != NULL)
		event_send(events, EVENT_SCREEN_TLS, EV_NUMBER(SESSION, s->id),
			   EV_TEXT(PEER, s->side), EV_TEXT(VERSION, version), EV_TEXT(SUITE, suite),
			   EV_SHA256(SHA256, certificate));
	else
		event_send(events, EVENT_SCREEN_TLS, EV_NUMBER(SESSION, s->id),
			   EV_TEXT(PEER, s->side), EV_TEXT(VERSION, version),
			   EV_TEXT(SUITE, suite));
}

void session_tell_no_tls(struct session *s, const char *reason)
{
	event_send(&s->process->events, EVENT_SCREEN_TLS_FAILED, EV_NUMBER(SESSION, s->id),
		   EV_TEXT(NAME, s->name), EV_TEXT(PEER, s->side), EV_TEXT(REASON, reason));
}

void session_end(struct session *s, enum screen_end why, const char *detail, int32_t code)
{
	if (s->end != SCREEN_END_NONE_)
		return;
	s->end = why;
	s->detail = detail;
	s->code = code;
}

void session_widen(int link_fd)
{
	int bytes = SESSION_LINK_BYTES_LAST;

	/* Where it fails, the other half may have to tell of one that died. */
	(void)setsockopt(link_fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

void session_close(struct session *s, uint64_t bytes, uint64_t keys, uint64_t updates)
{
	for (unsigned i = 0; i < SESSION_DROP_COUNT_; i++)
		if (s->drops[i].count > 1)
			tell_drop(s, (enum session_drop)i, s->drops[i].count, s->drops[i].bytes);
	event_send(&s->process->events, EVENT_SCREEN_ENDED, EV_NUMBER(SESSION, s->id),
		   EV_TEXT(NAME, s->name), EV_TEXT(ZONE, s->zone), EV_TEXT(PEER, s->side),
		   EV_TEXT(REASON, screen_end_name(s->end)),
		   EV_TEXT(DETAIL, s->detail ? s->detail : ""), EV_NUMBER(CODE, (uint32_t)s->code),
		   EV_NUMBER(DURATION_MS, session_age_ms(s)), EV_NUMBER(BYTES, bytes),
		   EV_NUMBER(KEYS, keys), EV_NUMBER(UPDATES, updates), EV_TEXT(USER, s->user));
}

uint64_t session_age_ms(const struct session *s)
{
	return clock_mono_ms(&clock_system) - s->began_ms;
}
