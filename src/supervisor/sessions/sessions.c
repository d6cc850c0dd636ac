/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mail and screen sessions: limits before anything costly happens, two processes for each accepted
 * connection, and the pipeline of a message through a flattener of its own. Not one byte of the
 * connection is read here.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/sha256.h"
#include "base/sealed.h"
#include "supervisor/sessions/receipt.h"
#include "supervisor/supervisor.h"

#define ACCEPT_MOST      16     /* in one round, so that listeners do not starve the rest */
#define GRACE_MS         10000U /* for the half whose other half has ended */
#define CONNECTS_MAX     64U    /* sockets that one session may ask for */
#define MESSAGES_MAX     1000U  /* that one session may have flattened */
#define REPORTED_LIFE_MS 2000U  /* of a flattener that has said how its message ended */
#define MESSAGE_EXTRA_BYTES                                                                        \
	65536U /* a memfd may be larger than the limit by the trace header and line ends */

static enum role far_role(const struct session *session)
{
	return session->near_role == ROLE_MAIL_RECEIVER ? ROLE_MAIL_SENDER : ROLE_SCREEN_SOURCE;
}

static void close_kept(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd); /* given to nobody: nothing was written */
	*fd = -1;
}

static void read_peer(struct session *session, const struct sockaddr_storage *peer)
{
	if (peer->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)peer;

		session->peer_family = 6;
		session->peer_port = ntohs(in6->sin6_port);
		memcpy(session->peer_addr, &in6->sin6_addr, 16);
	} else {
		const struct sockaddr_in *in = (const struct sockaddr_in *)peer;

		session->peer_family = 4;
		session->peer_port = ntohs(in->sin_port);
		memcpy(session->peer_addr, &in->sin_addr, 4);
	}
}

static void mix_text(struct sha256 *h, const char *text)
{
	sha256_update(h, text, strlen(text) + 1);
}

static void mix_list(struct sha256 *h, const struct snapshot *s, struct snapshot_range list)
{
	for (uint32_t i = 0; i < list.count; i++)
		mix_text(h, snapshot_text_at(s, s->list_texts[list.first + i].at));
	mix_text(h, "");
}

/* What both halves hold from the policy of their start, beyond targets and scanner. */
static void digest_rules(uint8_t rules[SHA256_BYTES], const struct snapshot *s,
			 const struct snapshot_mail *mail)
{
	const uint32_t numbers[] = {mail->tls_required, mail->outbound, mail->null_sender,
				    mail->recipients_max, mail->attachments};
	struct sha256 h;

	sha256_init(&h);
	sha256_update(&h, numbers, sizeof(numbers));
	mix_text(&h, mail->tls_slot);
	mix_text(&h, mail->authority_slot);
	mix_text(&h, snapshot_text_at(s, mail->text_hop_name));
	mix_list(&h, s, mail->domains);
	mix_list(&h, s, mail->senders);
	sha256_final(&h, rules);
}

static void fill_mail(struct session *session, const struct snapshot *s,
		      const struct snapshot_mail *mail)
{
	(void)snprintf(session->to, sizeof(session->to), "%s", s->zones[mail->to].name);
	session->size_limit_bytes = mail->size_limit_bytes;
	scanning_fill(&session->scan, s, mail);
	digest_rules(session->rules, s, mail);
	session->target_port = mail->next_hop_port;
	for (uint32_t i = 0; i < mail->next_hops.count; i++) {
		if (session->target_count < sizeof(session->targets) / sizeof(session->targets[0]))
			session->targets[session->target_count++] =
				s->prefixes[mail->next_hops.first + i];
	}
}

/* What both halves hold from the policy of their start: how the desktop is reached, and whether the
 * session is recorded. */
static void digest_screen(uint8_t rules[SHA256_BYTES], const struct snapshot *s,
			  const struct snapshot_screen *screen)
{
	const struct snapshot_access *access = &screen->access;
	struct sha256 h;

	sha256_init(&h);
	sha256_update(&h, &screen->record.size_limit_bytes,
		      sizeof(screen->record.size_limit_bytes));
	sha256_update(&h, &screen->record.on_full, sizeof(screen->record.on_full));
	sha256_update(&h, &access->security, sizeof(access->security));
	mix_text(&h, access->authority_slot);
	mix_text(&h, access->password_slot);
	mix_text(&h, snapshot_text_at(s, access->text_name));
	mix_text(&h, snapshot_text_at(s, access->text_user));
	sha256_final(&h, rules);
}

static void fill_screen(struct session *session, const struct snapshot *s,
			const struct snapshot_screen *screen)
{
	digest_screen(session->rules, s, screen);
	(void)snprintf(session->to, sizeof(session->to), "%s", s->zones[screen->to].name);
}

static uint32_t find_entry(const struct snapshot *s, enum role near_role, const char *name)
{
	for (uint32_t i = 0; near_role == ROLE_MAIL_RECEIVER && i < s->mail_count; i++) {
		if (strcmp(s->mails[i].name, name) == 0)
			return i;
	}
	for (uint32_t i = 0; near_role == ROLE_SCREEN_VIEWER && i < s->screen_count; i++) {
		if (strcmp(s->screens[i].name, name) == 0)
			return i;
	}
	return SNAPSHOT_NONE;
}

/*
 * What @s says of the session's entry now, wherever it stands there. Return: false where @s has no
 * such entry for the zone that the connection came from.
 */
static bool fill_entry(struct session *session, const struct snapshot *s)
{
	uint32_t index = find_entry(s, session->near_role, session->entry), from;
	bool is_mail = session->near_role == ROLE_MAIL_RECEIVER;

	if (index == SNAPSHOT_NONE)
		return false;
	session->index = index;
	session->target_count = 0;
	if (is_mail)
		fill_mail(session, s, &s->mails[index]);
	else
		fill_screen(session, s, &s->screens[index]);
	from = is_mail ? s->mails[index].from : s->screens[index].from;
	return strcmp(s->zones[from].name, session->from) == 0;
}

static struct session *new_session(struct supervisor *sup)
{
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		if (!sup->sessions[i].used)
			return &sup->sessions[i];
	}
	return NULL;
}

static void release(struct session *session)
{
	close_kept(&session->near_link_fd);
	close_kept(&session->far_link_fd);
	close_kept(&session->pixels_fds[SHARED_WRITE]);
	close_kept(&session->pixels_fds[SHARED_READ]);
	close_kept(&session->peer_fd);
	close_kept(&session->message_fd);
	close_kept(&session->output_fd);
	close_kept(&session->receipt_fd);
	scanning_release(session);
	admission_release(session);
	if (session->admission.sup) {
		recordings_release(session, session->admission.sup);
		shadows_release(session, session->admission.sup);
	}
	session->used = false;
}

static int launch_half(struct supervisor *sup, struct session *session, enum role role,
		       struct child **half)
{
	*half = reserve_take(sup, role, session);
	if (*half)
		return 0;
	*half = child_add(sup, role, session->index, session, -1, false);
	if (!*half)
		return -ERR_NO_SPACE;
	if (child_launch(*half) < 0) {
		(*half)->state = CHILD_FREE;
		*half = NULL;
		return -ERR_SYSTEM;
	}
	return 0;
}

int session_launch_far(struct session *session, struct supervisor *sup)
{
	return launch_half(sup, session, far_role(session), &session->far);
}

/* Return: false where a screen's session lacks the memory that its halves share. */
static bool make_pixels(struct session *session)
{
	session->pixels_fds[SHARED_WRITE] = session->pixels_fds[SHARED_READ] = -1;
	return session->near_role != ROLE_SCREEN_VIEWER ||
	       shared_make("screen", sizeof(struct screen_pixels), session->pixels_fds) == 0;
}

/* @fd is taken. */
static void start_session(struct supervisor *sup, struct listener *listener,
			  const struct session *peer, int fd)
{
	struct session *session = new_session(sup);
	int link[2];

	if (!session || channel_pair(link) < 0) {
		session_refuse(listener, peer, fd, "sessions of the gateway");
		return;
	}
	*session = *peer;
	session->used = true;
	if (++sup->session_last_id == 0)
		++sup->session_last_id; /* 0 stands for "no session" */
	session->id = sup->session_last_id;
	session->started_ms = clock_mono_ms(sup->loop.clock);
	session->peer_fd = fd;
	session->near_link_fd = link[0];
	session->far_link_fd = link[1];
	session->message_fd = session->output_fd = -1;
	session->scan.message_fd = session->scan.socket_fd = -1;
	session->receipt_fd = -1;
	session->shadow.pixels_fd = -1;
	if (!make_pixels(session) || shadows_begin(session, sup) != 0 ||
	    !admission_begin(session, sup) ||
	    (!session->browser && session_launch_far(session, sup) < 0) ||
	    launch_half(sup, session, session->near_role, &session->near) < 0) {
		supervisor_event(sup, EVENT_SESSION_REFUSED, EV_TEXT(NAME, session->entry),
				 EV_TEXT(REASON, "its processes cannot be started"));
		session_end(session, NULL);
	}
}

/* Return: NULL where the connection may be served, or why not. */
static const char *judge_peer(struct supervisor *sup, const struct listener *listener,
			      struct session *peer)
{
	const char *over;

	peer->near_role = listener->near_role;
	(void)snprintf(peer->entry, sizeof(peer->entry), "%s", listener->entry);
	(void)snprintf(peer->from, sizeof(peer->from), "%s", listener->zone);
	/* While a policy is applied, listeners are still those of the one before. */
	if (!fill_entry(peer, &sup->running.snapshot))
		return "the policy no longer has its entry";
	peer->browser = peer->near_role == ROLE_SCREEN_VIEWER &&
			listener->port != sup->running.snapshot.screens[peer->index].listen_port;
	if (peer->browser &&
	    listener->port != sup->running.snapshot.screens[peer->index].browser_port)
		return "the policy no longer has its port";
	over = session_over_rate(sup, peer, RATE_CONNECTS);
	if (over != NULL)
		return over;
	if (listener->near_role == ROLE_SCREEN_VIEWER &&
	    admission_closed(&sup->running.snapshot, peer->index))
		return admission_closed(&sup->running.snapshot, peer->index);
	return session_over_limit(sup, peer);
}

void session_accept(struct supervisor *sup, struct listener *listener)
{
	for (int i = 0; i < ACCEPT_MOST && listener->used; i++) {
		struct sockaddr_storage storage;
		socklen_t size = sizeof(storage);
		struct session peer = {0};
		int fd = accept4(listener->watch.fd, (struct sockaddr *)&storage, &size,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);
		const char *why;

		if (fd < 0)
			return; /* nobody waits, or the peer has gone again, or memory is short: the
				   next round tries */
		read_peer(&peer, &storage);
		why = judge_peer(sup, listener, &peer);
		if (why)
			session_refuse(listener, &peer, fd, why);
		else
			start_session(sup, listener, &peer, fd);
	}
}

static bool session_is_empty(const struct session *session)
{
	return !session->near && !session->far && !session->flattener && !session->scan.child;
}

static void kill_half(struct child *half, const char *why)
{
	if (half)
		child_kill(half, why);
}

void session_end(struct session *session, const char *why)
{
	kill_half(session->near, why);
	kill_half(session->far, why);
	kill_half(session->flattener, why);
	kill_half(session->scan.child, why);
	if (session_is_empty(session))
		release(session);
}

static void on_grace_over(struct loop *loop, struct loop_timer *self)
{
	session_end(self->ctx, "outlived its session");
}

/* The sender learns how its message ended from us, so that it can tell a crash from an end. */
static void tell_flattened(struct session *session, const struct control_flattened *flattened)
{
	if (session->far)
		child_send(session->far, CONTROL_FLATTENED, flattened, sizeof(*flattened), NULL, 0);
	session->message = 0;
}

static void tell_failed(struct session *session, const char *reason)
{
	struct control_flattened flattened = {.message = session->message,
					      .status = FLATTEN_FAILED};

	(void)snprintf(flattened.reason, sizeof(flattened.reason), "%s", reason);
	tell_flattened(session, &flattened);
}

static void tell_over_rate(struct session *session, const char *reason)
{
	struct control_flattened flattened = {.message = session->message,
					      .status = FLATTEN_OVER_RATE};

	(void)snprintf(flattened.reason, sizeof(flattened.reason), "%s", reason);
	tell_flattened(session, &flattened);
}

/* Whether one of its two halves is missing; a shadow has one alone. */
static bool is_torn(const struct session *session)
{
	return !session->near || (!session->far && session->shadow.watched == 0);
}

void session_child_died(struct child *child)
{
	struct session *session = child->session;
	struct supervisor *sup = child->sup;

	if (child == session->flattener) {
		session->flattener = NULL;
		if (session->message)
			tell_failed(session, "the flattening process died");
	} else if (child == session->scan.child) {
		scanning_child_died(session);
	} else if (child == session->near) {
		session->near = NULL;
	} else if (child == session->far) {
		session->far = NULL;
	}
	child->session = NULL;
	if (session->near_role == ROLE_SCREEN_VIEWER && is_torn(session))
		shadows_end_of(session, sup);
	if (session_is_empty(session)) {
		loop_disarm(&sup->loop, &session->grace);
		release(session);
	} else if (is_torn(session) && !loop_armed(&session->grace)) {
		session->grace = (struct loop_timer){.fire = on_grace_over, .ctx = session};
		loop_arm(&sup->loop, &session->grace, GRACE_MS);
	}
}

/*
 * Whether @s has the session's entry as it was when the session began, so that it may go on; its
 * place in @s is noted.
 */
static bool still_stands(struct session *session, const struct snapshot *s)
{
	struct session now = {.near_role = session->near_role};

	memcpy(now.entry, session->entry, sizeof(now.entry));
	memcpy(now.from, session->from, sizeof(now.from));
	if (!fill_entry(&now, s) || strcmp(now.to, session->to) != 0 ||
	    memcmp(now.rules, session->rules, sizeof(now.rules)) != 0)
		return false;
	if (session->near_role == ROLE_SCREEN_VIEWER) {
		session->index = now.index;
		return !session->browser || s->screens[now.index].browser_port != 0;
	}
	if (now.target_port != session->target_port || now.target_count != session->target_count ||
	    memcmp(now.targets, session->targets, sizeof(now.targets)) != 0 ||
	    strcmp(now.scan.name, session->scan.name) != 0)
		return false;
	session->index = now.index;
	session->size_limit_bytes = now.size_limit_bytes;
	return true;
}

bool session_keep(struct supervisor *sup, struct session *session)
{
	const struct snapshot *s = &sup->running.snapshot;
	bool stands = still_stands(session, s);

	if (session->near_role == ROLE_SCREEN_VIEWER) {
		enum screen_end why = stands ? admission_judge(session, s) : SCREEN_END_POLICY;

		if (why != SCREEN_END_NONE_)
			admission_end(session, why);
		return why == SCREEN_END_NONE_;
	}
	if (!stands)
		session_end(session, "the policy no longer has its entry");
	return stands;
}

void session_refit_all(struct supervisor *sup)
{
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		if (sup->sessions[i].used)
			(void)session_keep(sup, &sup->sessions[i]);
	}
}

static void tell_cut(struct supervisor *sup, const struct session *session,
		     struct event_arg isolated)
{
	const bool v6 = session->peer_family == 6;
	const struct event_arg peer = {FIELD_SOURCE, v6 ? EVENT_KIND_IPV6 : EVENT_KIND_IPV4, 0,
				       session->peer_addr, v6 ? 16 : 4};

	supervisor_event(sup, EVENT_SESSION_CUT, isolated, EV_TEXT(DETAIL, session->entry),
			 EV_TEXT(FROM_ZONE, session->from), EV_TEXT(TO_ZONE, session->to), peer,
			 EV_NUMBER(SOURCE_PORT, session->peer_port),
			 EV_NUMBER(SESSION, session->id));
}

/* @isolated: the zone or the station that it is cut with */
static void end_isolated(struct supervisor *sup, struct session *session, struct event_arg isolated)
{
	tell_cut(sup, session, isolated);
	if (session->near_role == ROLE_SCREEN_VIEWER)
		admission_end(session, SCREEN_END_ISOLATED);
	else
		session_end(session, "its zone or station is isolated");
}

void session_end_zone(struct supervisor *sup, const char *zone)
{
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		struct session *session = &sup->sessions[i];

		if (session->used &&
		    (strcmp(session->from, zone) == 0 || strcmp(session->to, zone) == 0))
			end_isolated(sup, session, EV_TEXT(ZONE, zone));
	}
}

void session_end_all(struct supervisor *sup)
{
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		struct session *session = &sup->sessions[i];

		if (session->used)
			end_isolated(sup, session, EV_TEXT(ZONE, session->from));
	}
}

static bool has_address(const struct control_sever_station *station, uint8_t family,
			const uint8_t address[16])
{
	const size_t size = family == 6 ? 16 : 4;

	for (uint32_t i = 0; i < station->count; i++) {
		if (station->addresses[i].size == size &&
		    memcmp(station->addresses[i].bytes, address, size) == 0)
			return true;
	}
	return false;
}

static bool is_joined_to(const struct session *session, const struct control_sever_station *station)
{
	const struct snapshot_prefix *target = &session->targets[session->connected];

	return has_address(station, session->peer_family, session->peer_addr) ||
	       (session->connect_count > 0 && has_address(station, target->family, target->addr));
}

void session_end_station(struct supervisor *sup, const struct control_sever_station *station)
{
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		struct session *session = &sup->sessions[i];

		if (session->used && is_joined_to(session, station))
			end_isolated(sup, session, EV_TEXT(NAME, station->name));
	}
}

int session_handle_connect(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct child *child = ctx;
	struct session *session = child->session;
	const struct control_connect *request = message->body;
	struct control_connected body = {.target = request->target};
	int fd;

	if (!session || request->target >= session->target_count ||
	    session->connect_count >= CONNECTS_MAX)
		return -ERR_PEER;
	if (!session_keep(child->sup, session))
		return 0;
	session->connected = request->target;
	/* A screen's source asks for its desktop once, when the viewer's handshake is done. */
	if (session->connect_count++ == 0 && child->role == ROLE_SCREEN_SOURCE &&
	    !recordings_give(session, child->sup))
		return 0;
	fd = sockets_connect(child->sup, session->to, &session->targets[request->target],
			     session->target_port);
	body.error = fd < 0 ? errno : 0;
	child_send(child, CONTROL_CONNECTED, &body, sizeof(body), &fd, fd < 0 ? 0 : 1);
	if (fd >= 0)
		(void)close(fd); /* the child has its own copy */
	return 0;
}

/* A message that nobody can change any more, of the size that was said. */
static bool is_sealed_message(const struct session *session, const struct control_flatten *request,
			      int fd)
{
	uint64_t size_bytes;

	return sealed_check(fd, &size_bytes) == 0 && size_bytes == request->size_bytes &&
	       request->size_bytes <= session->size_limit_bytes + MESSAGE_EXTRA_BYTES;
}

int session_handle_flatten(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct child *child = ctx;
	struct session *session = child->session;
	const struct control_flatten *request = message->body;
	const char *over;
	int pipe_fds[2];

	if (!session || session->flattener || session->message || request->message == 0 ||
	    session->message_count >= MESSAGES_MAX ||
	    request->envelope.from_bytes > sizeof(request->envelope.from) ||
	    !is_sealed_message(session, request, message->fds[0]))
		return -ERR_PEER;
	if (!session->far)
		return 0; /* the sender has died: the receiver sees that on its link */
	if (!session_keep(child->sup, session))
		return 0;
	session->message = request->message;
	session->envelope = request->envelope;
	session->message_count++;
	over = session_over_rate(child->sup, session, RATE_MAILS);
	if (over != NULL) {
		tell_over_rate(session, over);
		return 0;
	}
	if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) < 0) {
		tell_failed(session, "no pipe for the message");
		return 0;
	}
	session->message_fd = message->fds[0];
	message->fds[0] = -1;
	session->output_fd = pipe_fds[1];
	close_kept(&session->receipt_fd); /* of a flattener that died before it spoke */
	session->receipt_fd = receipt_open();
	child_send(session->far, CONTROL_MESSAGE, request, sizeof(*request), &pipe_fds[0], 1);
	(void)close(pipe_fds[0]); /* the sender has its own copy */
	scanning_abandon(session);
	scanning_start(session, session->message_fd);
	if (launch_half(child->sup, session, ROLE_MAIL_FLATTENER, &session->flattener) < 0)
		tell_failed(session, "no process for the message");
	close_kept(&session->message_fd);
	close_kept(&session->output_fd);
	return 0;
}

int session_handle_flattened(struct channel *ch, void *ctx, const struct channel_message *message)
{
	struct child *child = ctx;
	struct session *session = child->session;
	struct control_flattened flattened = *(const struct control_flattened *)message->body;

	if (!session)
		return trial_handle_flattened(child, &flattened);
	if (!session->message)
		return -ERR_PEER;
	flattened.message = session->message; /* the flattener is not told which one it has */
	flattened.receipt[sizeof(flattened.receipt) - 1] = '\0';
	flattened.reason[sizeof(flattened.reason) - 1] = '\0';
	tell_flattened(session, &flattened);
	receipt_hand_over(child->sup, &session->receipt_fd, session->id);
	/* Its work is done: the session may bring its next message before this process has ended,
	 * which it has to soon.
	 */
	loop_arm(&child->sup->loop, &child->life, REPORTED_LIFE_MS);
	session_child_died(child);
	return 0;
}
