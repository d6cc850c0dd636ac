/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virus scans: a process for each message, with one socket towards the scanner of the message's
 * entry; and a watch over the scanners, so that one that is down or lives on old signatures is
 * known before mail tells. Not one byte of a scanner is read here.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "supervisor/supervisor.h"

#define WATCH_FIRST_MS    3000U   /* from a policy to the first look at its scanners */
#define WATCH_MS          300000U /* between looks */
#define WATCH_SOON_MS     1000U   /* to the next look when a scan has failed */
#define TELLING_WINDOW_MS 60000U
#define TELLING_MAX       6U    /* events of a scanner that is down or back, in that time */
#define REPORTED_LIFE_MS  2000U /* of a scanner that has given its verdict */
#define TEST_EVERY_MS     86400000U
#define TEST_AGAIN_MS     WATCH_MS /* of one that did not find the test file */
#define FAILURES_MAX      2U       /* in a row; then a scanner cannot be tested */
#define UNFIT             "the scanner does not find the EICAR test file in a large message"
#define AWAITED           "the scanner could not be shown the EICAR test file yet"

/* ---- the state of scanners */

static struct scanner_state *find_state(struct supervisor *sup, const char *name)
{
	struct scanner_state *free_state = NULL;

	for (size_t i = 0; i < SNAPSHOT_SCANNERS_MAX; i++) {
		struct scanner_state *state = &sup->scanners[i];

		if (strcmp(state->name, name) == 0)
			return state;
		if (state->name[0] == '\0' && !free_state)
			free_state = state;
	}
	if (free_state)
		(void)snprintf(free_state->name, sizeof(free_state->name), "%s", name);
	return free_state;
}

static const struct snapshot_scanner *find_scanner(const struct supervisor *sup, const char *name)
{
	const struct snapshot *s = &sup->running.snapshot;

	for (uint32_t i = 0; i < s->scanner_count; i++) {
		if (strcmp(s->scanners[i].name, name) == 0)
			return &s->scanners[i];
	}
	return NULL;
}

/* How old the signatures are, in seconds. A scanner that does not say when they were made is judged
 * by how long it has called them by the same name. */
static int64_t signature_age_s(struct supervisor *sup, struct scanner_state *state,
			       const struct control_scanned *scanned)
{
	uint64_t now_ms = clock_mono_ms(sup->loop.clock);

	if (strcmp(state->version, scanned->version) != 0) {
		(void)snprintf(state->version, sizeof(state->version), "%s", scanned->version);
		state->version_ms = now_ms;
	}
	if (scanned->known)
		return clock_wall_ns(sup->loop.clock) / 1000000000 - scanned->signatures_s;
	return (int64_t)((now_ms - state->version_ms) / 1000U);
}

static void watch_age(struct supervisor *sup, struct scanner_state *state,
		      const struct snapshot_scanner *scanner, const struct control_scanned *scanned)
{
	int64_t age_s = signature_age_s(sup, state, scanned);
	bool stale = scanner->signature_age_s > 0 && age_s > (int64_t)scanner->signature_age_s;

	if (stale != state->stale)
		supervisor_event(sup, stale ? EVENT_SIGNATURES_OLD : EVENT_SIGNATURES_NEW,
				 EV_TEXT(NAME, state->name),
				 EV_NUMBER(AGE_S, age_s > 0 ? (uint64_t)age_s : 0),
				 EV_TEXT(VERSION, state->version));
	state->stale = stale;
}

/* A scanner that comes and goes is told of a few times a minute; then what it is by then. */
static bool may_tell(struct supervisor *sup, struct scanner_state *state)
{
	uint64_t now_ms = clock_mono_ms(sup->loop.clock);

	if (now_ms - state->window_ms > TELLING_WINDOW_MS) {
		state->window_ms = now_ms;
		state->told_count = 0;
	}
	return ++state->told_count <= TELLING_MAX;
}

static bool is_verdict(const struct control_scanned *scanned)
{
	return scanned->status == SCAN_CLEAN || scanned->status == SCAN_INFECTED;
}

/*
 * A scan that failed says nothing of the scanner: the message may be too large for it, or take too
 * long, or its session has ended. It is a reason to ask.
 */
static void ask_soon(struct supervisor *sup)
{
	if (!sup->scanner_watch.soon)
		loop_arm(&sup->loop, &sup->scanner_watch.timer, WATCH_SOON_MS);
	sup->scanner_watch.soon = true;
}

/* Whether it has yet to be shown the test file: it may be one that passes unread what is large. */
static bool is_awaited(const struct scanner_state *state)
{
	return state->written.test_bytes > 0 && !state->proven && !state->unfit &&
	       state->failures < FAILURES_MAX;
}

/* Show it the test file at the next look, which is soon. */
static void test_soon(struct supervisor *sup, struct scanner_state *state)
{
	state->tested_ms = 0;
	ask_soon(sup);
}

/* ---- verdicts on messages */

static void tell(struct session *session, const struct control_scanned *scanned)
{
	if (session->scan.pending && session->far)
		child_send(session->far, CONTROL_SCANNED, scanned, sizeof(*scanned), NULL, 0);
	session->scan.pending = session->scan.held = false;
}

static void tell_failed(struct supervisor *sup, struct session *session, const char *reason)
{
	struct control_scanned scanned = {.message = session->scan.message, .status = SCAN_FAILED};

	(void)snprintf(scanned.reason, sizeof(scanned.reason), "%s", reason);
	tell(session, &scanned);
	ask_soon(sup);
}

/* Why a scanner's word passes nothing now, or NULL. */
static const char *distrust(const struct scanner_state *state)
{
	if (state && state->unfit)
		return UNFIT;
	return state && is_awaited(state) ? AWAITED : NULL;
}

/* Whether a verdict of this scanner waits for its test. */
static bool holds(const struct session *session, const struct scanner_state *state)
{
	return session->used && session->scan.held && strcmp(session->scan.name, state->name) == 0;
}

/* A scanner's test has ended, or cannot be made: tell those whose verdict waits for it. */
static void tell_held(struct supervisor *sup, const struct scanner_state *state)
{
	const char *why = distrust(state);

	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		struct session *session = &sup->sessions[i];

		if (holds(session, state) && why)
			tell_failed(sup, session, why);
		else if (holds(session, state))
			tell(session, &session->scan.verdict);
	}
}

/* ---- what is known of a scanner */

/* What a probe, or a scan that was made, says of the scanner itself. One that comes back may be
 * another than the one that found the test file, and is shown it at once. */
static void note_state(struct supervisor *sup, const char *name,
		       const struct control_scanned *scanned)
{
	const struct snapshot_scanner *scanner = find_scanner(sup, name);
	struct scanner_state *state = scanner ? find_state(sup, name) : NULL;
	bool down = !is_verdict(scanned);

	if (!state)
		return;
	if (down != state->down && may_tell(sup, state)) {
		state->down = down;
		if (down)
			supervisor_event(sup, EVENT_SCANNER_DOWN, EV_TEXT(NAME, name),
					 EV_TEXT(REASON, scanned->reason));
		else
			supervisor_event(sup, EVENT_SCANNER_BACK, EV_TEXT(NAME, name),
					 EV_TEXT(VERSION, scanned->version));
	}
	if (down) {
		state->proven = false;
		state->failures = 0;
		tell_held(sup, state);
	} else if (is_awaited(state) && !state->testing) {
		test_soon(sup, state);
	}
	if (!down && scanned->version[0] != '\0')
		watch_age(sup, state, scanner, scanned);
}

static bool is_waited_for(const struct supervisor *sup, const struct scanner_state *state)
{
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		if (holds(&sup->sessions[i], state))
			return true;
	}
	return false;
}

/* The test file could not be scanned, and that is no pass for a message either. One that works, by
 * a harmless probe or a verdict that waits, is shown it once more; then it cannot be tested. */
static void note_no_test(struct supervisor *sup, struct scanner_state *state, const char *reason)
{
	if (++state->failures == FAILURES_MAX)
		supervisor_event(sup, EVENT_SCANNER_NOT_TESTED, EV_TEXT(NAME, state->name),
				 EV_NUMBER(BYTES, state->written.test_bytes),
				 EV_TEXT(REASON, reason));
	if (is_awaited(state) && is_waited_for(sup, state))
		test_soon(sup, state);
	else
		tell_held(sup, state);
	ask_soon(sup);
}

/* The test file was shown: what is not found in it is passed by nobody's word. */
static void note_test(struct supervisor *sup, struct scanner_state *state,
		      const struct control_scanned *scanned)
{
	struct control_scanned unfit = {.status = SCAN_FAILED, .reason = UNFIT};

	state->testing = false;
	state->proven = scanned->status == SCAN_INFECTED;
	state->unfit = scanned->status == SCAN_CLEAN || (state->unfit && !state->proven);
	if (state->proven) {
		state->failures = 0;
		supervisor_event(sup, EVENT_SCANNER_TESTED, EV_TEXT(NAME, state->name),
				 EV_NUMBER(BYTES, state->written.test_bytes),
				 EV_TEXT(SIGNATURE, scanned->signature));
		note_state(sup, state->name, scanned);
	} else if (state->unfit) {
		note_state(sup, state->name, &unfit);
	} else {
		note_no_test(sup, state, scanned->reason);
		return;
	}
	tell_held(sup, state);
}

/* ---- the scan of a message */

void scanning_fill(struct scan *scan, const struct snapshot *s, const struct snapshot_mail *mail)
{
	const char *name = mail->scanner < s->scanner_count ? s->scanners[mail->scanner].name : "";

	(void)snprintf(scan->name, sizeof(scan->name), "%s", name);
}

int scanning_connect(struct supervisor *sup, uint32_t index)
{
	const struct snapshot *s = &sup->running.snapshot;
	const struct snapshot_scanner *scanner;

	if (index >= s->scanner_count)
		return -ERR_NOT_FOUND;
	scanner = &s->scanners[index];
	return sockets_connect(sup, s->zones[scanner->zone].name, &scanner->address, scanner->port);
}

void scanning_release(struct session *session)
{
	if (session->scan.message_fd >= 0)
		(void)close(session->scan.message_fd); /* given to nobody */
	if (session->scan.socket_fd >= 0)
		(void)close(session->scan.socket_fd); /* likewise */
	session->scan.message_fd = session->scan.socket_fd = -1;
}

/* Return: NULL, or why there is no scan. */
static const char *launch(struct supervisor *sup, struct session *session, int message_fd)
{
	const struct snapshot *s = &sup->running.snapshot;
	struct scan *scan = &session->scan;

	scan->socket_fd = scanning_connect(sup, s->mails[session->index].scanner);
	if (scan->socket_fd < 0)
		return "no connection to the scanner can be opened";
	scan->message_fd = fcntl(message_fd, F_DUPFD_CLOEXEC, 0);
	if (scan->message_fd < 0)
		return "no descriptor for the scan";
	scan->child = child_add(sup, ROLE_MAIL_SCANNER, session->index, session, -1, false);
	if (!scan->child)
		return "no process for the scan";
	if (child_launch(scan->child) < 0) {
		scan->child->state = CHILD_FREE;
		scan->child = NULL;
		return "no process for the scan";
	}
	return NULL;
}

/* Of a message that was refused before its scan was over: nobody waits for the verdict. */
void scanning_abandon(struct session *session)
{
	struct child *child = session->scan.child;

	session->scan.pending = session->scan.held = false;
	session->scan.child = NULL;
	if (!child)
		return;
	child->session = NULL;
	child->told = true;
	child_kill(child, NULL);
}

void scanning_start(struct session *session, int message_fd)
{
	struct supervisor *sup = session->far->sup;
	const struct scanner_state *state;
	const char *why;

	if (session->scan.name[0] == '\0')
		return;
	session->scan.pending = true;
	session->scan.message = session->message;
	state = find_state(sup, session->scan.name);
	why = state && state->unfit ? UNFIT : launch(sup, session, message_fd);
	scanning_release(session);
	if (why)
		tell_failed(sup, session, why);
}

void scanning_child_died(struct session *session)
{
	struct supervisor *sup = session->scan.child->sup;

	session->scan.child = NULL;
	if (session->scan.pending && !session->scan.held)
		tell_failed(sup, session, "the scanning process died");
}

/* ---- watching */

/* The test file is shown once a day, sooner to one that has not found it. */
static bool is_test_due(struct supervisor *sup, const struct scanner_state *state)
{
	uint64_t age_ms = clock_mono_ms(sup->loop.clock) - state->tested_ms;

	return state->written.test_bytes > 0 &&
	       (state->tested_ms == 0 || age_ms >= (state->proven ? TEST_EVERY_MS : TEST_AGAIN_MS));
}

static void probe(struct supervisor *sup, uint32_t index)
{
	struct scanner_state *state = find_state(sup, sup->running.snapshot.scanners[index].name);
	bool tests = state && is_test_due(sup, state);
	struct child *child;

	if (child_find(sup, ROLE_MAIL_SCANNER, index))
		return; /* the last look is not over */
	if (state && state->unfit && !tests)
		return; /* that it passes what is harmless says nothing */
	if (state)
		state->testing = tests; /* as the process is told when it begins */
	child = child_add(sup, ROLE_MAIL_SCANNER, index, NULL, -1, false);
	if (child && child_launch(child) < 0) {
		child->state = CHILD_FREE;
		child = NULL;
	}
	if (tests && child) {
		state->tested_ms = clock_mono_ms(sup->loop.clock);
	} else if (tests) {
		state->testing = false; /* it was shown nothing */
		tell_held(sup, state);
	}
}

static void on_watch(struct loop *loop, struct loop_timer *timer)
{
	struct supervisor *sup = timer->ctx;

	sup->scanner_watch.soon = false;
	for (uint32_t i = 0; i < sup->running.snapshot.scanner_count && !sup->stopping; i++)
		probe(sup, i);
	loop_arm(loop, timer, WATCH_MS);
}

static bool is_probe(const struct child *child)
{
	return child->state != CHILD_FREE && child->role == ROLE_MAIL_SCANNER && !child->session &&
	       !child->told;
}

/* What it would tell is not asked any more. */
static void end_probe(struct child *child)
{
	child->told = true;
	child_kill(child, NULL);
}

/* Probes of the policy before: their numbers may be other scanners' now. */
static void end_probes(struct supervisor *sup)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		if (is_probe(&sup->children[i]))
			end_probe(&sup->children[i]);
	}
}

/* Of a scanner whose verdict has come: a harmless probe of it may hang from before it worked, and
 * its test waits for that. */
static void end_harmless_probe(struct supervisor *sup, const struct scanner_state *state)
{
	const struct snapshot *s = &sup->running.snapshot;

	for (size_t i = 0; i < CHILDREN_MAX && !state->testing; i++) {
		struct child *child = &sup->children[i];

		if (is_probe(child) && child->index < s->scanner_count &&
		    strcmp(s->scanners[child->index].name, state->name) == 0)
			end_probe(child);
	}
}

/* Note how a scanner is written. Return: whether that has changed. */
static bool write_scanner(struct scanner_state *state, const struct snapshot *s,
			  const struct snapshot_scanner *scanner)
{
	struct snapshot_scanner written = *scanner;
	const char *service = snapshot_text_at(s, scanner->text_service);

	written.text_service = 0; /* where a text lies is another matter */
	if (memcmp(&state->written, &written, sizeof(written)) == 0 &&
	    strcmp(state->service, service) == 0)
		return false;
	state->written = written;
	(void)snprintf(state->service, sizeof(state->service), "%s", service);
	return true;
}

/* What was said of a scanner is not said of one that is written otherwise. */
static void follow_policy(struct supervisor *sup)
{
	const struct snapshot *s = &sup->running.snapshot;

	for (size_t i = 0; i < SNAPSHOT_SCANNERS_MAX; i++) {
		if (!find_scanner(sup, sup->scanners[i].name))
			sup->scanners[i] = (struct scanner_state){0};
	}
	for (uint32_t i = 0; i < s->scanner_count; i++) {
		struct scanner_state *state = find_state(sup, s->scanners[i].name);

		if (!state)
			continue;
		if (state->testing)
			state->tested_ms = 0; /* its probe was ended before it had told */
		state->testing = false;
		if (!write_scanner(state, s, &s->scanners[i]))
			continue;
		state->unfit = state->proven = false;
		state->failures = 0;
		state->tested_ms = 0;
	}
}

void scanning_begin(struct supervisor *sup)
{
	end_probes(sup);
	follow_policy(sup);
	loop_disarm(&sup->loop, &sup->scanner_watch.timer);
	sup->scanner_watch.timer = (struct loop_timer){.fire = on_watch, .ctx = sup};
	sup->scanner_watch.soon = false;
	if (sup->running.snapshot.scanner_count > 0)
		loop_arm(&sup->loop, &sup->scanner_watch.timer, WATCH_FIRST_MS);
}

uint64_t scanning_test_bytes(const struct child *probe)
{
	const struct snapshot *s = &probe->sup->running.snapshot;
	const struct scanner_state *state =
		probe->index < s->scanner_count
			? find_state(probe->sup, s->scanners[probe->index].name)
			: NULL;

	return state && state->testing ? state->written.test_bytes : 0;
}

/* What a probe has brought. */
static void note_probe(struct child *probe, const struct control_scanned *scanned)
{
	const struct snapshot *s = &probe->sup->running.snapshot;
	struct scanner_state *state;

	if (probe->told || probe->index >= s->scanner_count)
		return;
	probe->told = true;
	state = find_state(probe->sup, s->scanners[probe->index].name);
	if (state && state->testing)
		note_test(probe->sup, state, scanned);
	else
		note_state(probe->sup, s->scanners[probe->index].name, scanned);
}

void scanning_probe_died(struct child *child)
{
	note_probe(child, &(struct control_scanned){.status = SCAN_FAILED,
						    .reason = "the scanning process died"});
}

/* ---- what scanners' processes say */

/* The verdict on a message: what is clean by a scanner's word alone waits for its test. */
static void judge(struct supervisor *sup, struct session *session,
		  const struct scanner_state *state, const struct control_scanned *scanned)
{
	if (scanned->status != SCAN_CLEAN || !distrust(state)) {
		tell(session, scanned);
	} else if (state->unfit) {
		tell_failed(sup, session, UNFIT);
	} else {
		session->scan.verdict = *scanned;
		session->scan.held = true;
		end_harmless_probe(sup, state);
	}
}

int scanning_handle_scanned(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct child *child = ctx;
	struct supervisor *sup = child->sup;
	struct session *session = child->session;
	struct control_scanned scanned = *(const struct control_scanned *)message->body;
	const struct scanner_state *state;

	scanned.reason[sizeof(scanned.reason) - 1] = '\0';
	scanned.signature[sizeof(scanned.signature) - 1] = '\0';
	scanned.version[sizeof(scanned.version) - 1] = '\0';
	if (!session) {
		note_probe(child, &scanned);
		return 0;
	}
	child->told = true;
	if (child != session->scan.child || !session->scan.pending)
		return -ERR_PEER;
	scanned.message = session->scan.message;
	state = find_state(sup, session->scan.name); /* as it has turned out since the scan began */
	judge(sup, session, state, &scanned);
	if (is_verdict(&scanned) && !(state && state->unfit))
		note_state(sup, session->scan.name, &scanned);
	else
		ask_soon(sup);
	/* Its work is done: the session may bring its next message before this process has ended.
	 */
	loop_arm(&sup->loop, &child->life, REPORTED_LIFE_MS);
	session_child_died(child);
	return 0;
}
