/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each role is given before START, and the channels between processes. A channel is made new
 * whenever one of its ends starts; the other end is given its half at once and drops the one that
 * it had.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "channel/account.h"
#include "channel/keys.h"
#include "supervisor/supervisor.h"

const uint32_t outfit_zone_kinds[] = {GIVE_NETLINK,      GIVE_QUEUE,   GIVE_WHOLE,
				      GIVE_TRACK,        GIVE_CAPTURE, GIVE_ALTERED,
				      GIVE_QUEUE_COUNTS, GIVE_FLOWS,   GIVE_SEVER};
const size_t outfit_zone_kind_count = sizeof(outfit_zone_kinds) / sizeof(outfit_zone_kinds[0]);

/* Give @fd, which is closed here then. */
static void give_taken(struct child *child, uint32_t kind, uint32_t index, int fd)
{
	if (fd < 0) {
		child_kill(child, "a descriptor for it could not be made");
		return;
	}
	child_give(child, &(struct control_give){.kind = kind, .index = index}, fd);
	(void)close(fd); /* the child has its own copy */
}

/* Make a channel and give each process its end. */
static void give_pair(struct child *a, const struct control_give *to_a, struct child *b,
		      const struct control_give *to_b)
{
	int fds[2];

	if (!child_is_alive(a) || !child_is_alive(b))
		return; /* made when the other one starts */
	if (channel_pair(fds) < 0) {
		child_kill(a, "a channel for it could not be made");
		return;
	}
	child_give(a, to_a, fds[0]);
	child_give(b, to_b, fds[1]);
	(void)close(fds[0]); /* each end has its own copy */
	(void)close(fds[1]);
}

static void link_pair(struct child *a, struct child *b)
{
	if (a && b)
		give_pair(a,
			  &(struct control_give){
				  .kind = GIVE_LINK, .role = b->role, .index = b->index},
			  b,
			  &(struct control_give){
				  .kind = GIVE_LINK, .role = a->role, .index = a->index});
}

void outfit_link_config(struct child *console)
{
	struct child *config = child_find(console->sup, ROLE_CONFIG, 0);
	struct control_give to_config = {.kind = GIVE_LINK,
					 .role = ROLE_CONSOLE,
					 .index = console->index,
					 .person_role = console->person_role};
	struct control_give to_console = {.kind = GIVE_LINK, .role = ROLE_CONFIG};

	memcpy(to_config.person, console->person, sizeof(to_config.person));
	memcpy(to_config.hands, console->hands, sizeof(to_config.hands));
	give_pair(config, &to_config, console, &to_console);
}

static void link_accounts(struct child *console)
{
	struct child *accounts = child_find(console->sup, ROLE_ACCOUNTS, 0);
	struct control_give to_accounts = {.kind = GIVE_LINK,
					   .role = ROLE_CONSOLE,
					   .index = console->index,
					   .pid = (uint32_t)console->pid,
					   .terminal = console->is_tty};
	struct control_give to_console = {.kind = GIVE_LINK, .role = ROLE_ACCOUNTS};

	if (accounts && accounts->state == CHILD_READY)
		give_pair(accounts, &to_accounts, console, &to_console);
}

static struct control_give events_give(const struct child *source)
{
	return (struct control_give){
		.kind = GIVE_LINK,
		.role = source->role,
		.index = source->index,
		.session = source->session ? source->session->id : 0,
		.pid = (uint32_t)source->pid,
	};
}

void outfit_share_events(struct child *child)
{
	struct child *audit = child_find(child->sup, ROLE_AUDIT, 0);
	struct control_give give = events_give(child);

	if (child->role != ROLE_AUDIT && child_is_alive(audit))
		child_give(audit, &give, child->events_fd);
}

void outfit_drop_events(struct child *child)
{
	struct supervisor *sup = child->sup;
	struct child *audit = child_find(sup, ROLE_AUDIT, 0);
	size_t max = sizeof(sup->orphans) / sizeof(sup->orphans[0]);

	if (child->events_fd < 0)
		return;
	if ((child == audit || !child_is_alive(audit)) && !sup->stopping && sup->orphan_count < max)
		sup->orphans[sup->orphan_count++] =
			(struct orphan){events_give(child), child->events_fd};
	else
		(void)close(child->events_fd); /* audit reads its own copy to the end */
	child->events_fd = -1;
}

static void outfit_audit(struct child *audit)
{
	struct supervisor *sup = audit->sup;
	struct control_give own = {
		.kind = GIVE_LINK, .role = ROLE_SUPERVISOR, .pid = (uint32_t)getpid()};

	child_give(audit, &(struct control_give){.kind = GIVE_STATE}, sup->audit_fd);
	child_give(audit, &(struct control_give){.kind = GIVE_STATE, .index = GIVE_STATE_KEYS},
		   sup->device_fd);
	child_give(audit, &own, sup->events_read_fd);
	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		struct control_give give = events_give(&sup->children[i]);

		if (sup->children[i].state != CHILD_FREE &&
		    sup->children[i].state != CHILD_RESERVE && sup->children[i].events_fd >= 0)
			child_give(audit, &give, sup->children[i].events_fd);
	}
	for (size_t i = 0; i < sup->orphan_count; i++) {
		child_give(audit, &sup->orphans[i].give, sup->orphans[i].fd);
		(void)close(sup->orphans[i].fd); /* audit reads its own copy to the end */
	}
	sup->orphan_count = 0;
	if (sup->running.fd >= 0)
		log_senders_give(sup, audit);
}

static void outfit_config(struct child *config)
{
	struct supervisor *sup = config->sup;

	int file_fd = sup->options.config_path
			      ? open(sup->options.config_path, O_RDONLY | O_CLOEXEC)
			      : -1;

	child_give(config, &(struct control_give){.kind = GIVE_STATE}, sup->config_fd);
	child_give(config, &(struct control_give){.kind = GIVE_STATE, .index = GIVE_STATE_KEYS},
		   sup->keys_fd);
	if (file_fd >= 0) /* needed only once; without any configuration config denies everything */
		give_taken(config, GIVE_CONFIG, 0, file_fd);
	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		if (sup->children[i].role == ROLE_CONSOLE &&
		    sup->children[i].person_role != ACCOUNT_ROLE_NONE)
			outfit_link_config(&sup->children[i]);
	}
}

/* Sockets of the zones of the running policy. */
static void give_zones(struct child *netfilter)
{
	struct supervisor *sup = netfilter->sup;

	for (uint32_t i = 0; sup->running.fd >= 0 && i < sup->running.snapshot.zone_count; i++) {
		struct zone *zone = zones_find(&sup->zones, sup->running.snapshot.zones[i].name);

		if (!zone)
			continue; /* the policy is just being taken back */
		for (size_t k = 0; k < outfit_zone_kind_count; k++) {
			if (outfit_is_for(netfilter, outfit_zone_kinds[k]))
				give_taken(netfilter, outfit_zone_kinds[k], i,
					   sockets_of_zone(sup, zone, outfit_zone_kinds[k]));
		}
	}
}

bool outfit_is_for(const struct child *netfilter, uint32_t kind)
{
	return netfilter->index == 0 || kind == GIVE_QUEUE || kind == GIVE_WHOLE;
}

/* One that serves a share has neither rules nor counts. */
static void outfit_netfilter_share(struct child *netfilter)
{
	give_zones(netfilter);
	link_pair(netfilter, child_find(netfilter->sup, ROLE_NETFILTER, 0));
	link_pair(netfilter, child_find(netfilter->sup, ROLE_ARBITER, netfilter->index));
}

static void outfit_netfilter(struct child *netfilter)
{
	struct supervisor *sup = netfilter->sup;

	if (netfilter->index != 0) {
		outfit_netfilter_share(netfilter);
		return;
	}
	if (stations_give(sup, netfilter) < 0) {
		child_kill(netfilter, "the list of isolated stations could not be given");
		return;
	}
	if (sup->counters_fd >= 0)
		child_give(netfilter, &(struct control_give){.kind = GIVE_COUNTERS},
			   sup->counters_fd);
	give_zones(netfilter);
	link_pair(netfilter, child_find(sup, ROLE_ARBITER, 0));
	for (uint32_t share = 1; share < SNAPSHOT_QUEUES_MAX; share++)
		link_pair(netfilter, child_find(sup, ROLE_NETFILTER, share));
}

static void outfit_arbiter(struct child *arbiter)
{
	if (watch_give(arbiter->sup, arbiter) < 0) {
		child_kill(arbiter, "the watch list could not be given");
		return;
	}
	link_pair(arbiter, child_find(arbiter->sup, ROLE_NETFILTER, arbiter->index));
}

static void outfit_console(struct child *console)
{
	child_give(console,
		   &(struct control_give){.kind = GIVE_TTY,
					  .index = console->index,
					  .recovery = recovery_offers(console->sup, console),
					  .failed = console->failed},
		   console->tty_fd);
	console->person_role = ACCOUNT_ROLE_NONE;
	asking_init(&console->asking);
	console->waiting = (struct person_wait){0};
	console->person[0] = '\0';
	link_accounts(console);
}

static void outfit_accounts(struct child *accounts)
{
	struct supervisor *sup = accounts->sup;

	child_give(accounts, &(struct control_give){.kind = GIVE_STATE}, sup->accounts_fd);
}

/* Its desk must stand before the first console is let in. */
void outfit_accounts_ready(struct child *accounts)
{
	for (uint32_t i = 0; i < CONSOLES_MAX; i++) {
		struct child *console = child_find(accounts->sup, ROLE_CONSOLE, i);

		if (child_is_alive(console))
			link_accounts(console);
	}
}

int outfit_open_slot(const struct supervisor *sup, const char *slot, const char *what)
{
	char name[KEYS_FILE_BYTES];

	if (slot[0] == '\0')
		return -1;
	(void)snprintf(name, sizeof(name), "%s%s", slot, what);
	return openat(sup->keys_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

/*
 * What a session's process needs for TLS, as a file of its own slot and no other. A slot
 * that is empty gives nothing: the process knows that it lacks it, and refuses.
 */
static void give_slot(struct child *child, uint32_t kind, const char *slot, const char *what)
{
	int fd = outfit_open_slot(child->sup, slot, what);

	if (fd >= 0)
		give_taken(child, kind, 0, fd);
}

static void give_keys(struct child *child)
{
	const struct snapshot *s = &child->sup->running.snapshot;
	uint32_t index = child->session->index;

	if (child->role == ROLE_MAIL_RECEIVER && index < s->mail_count)
		give_slot(child, GIVE_CERTIFICATE, s->mails[index].tls_slot, KEYS_CERTIFICATE);
	else if (child->role == ROLE_MAIL_SENDER && index < s->mail_count)
		give_slot(child, GIVE_AUTHORITY, s->mails[index].authority_slot, KEYS_AUTHORITY);
	if (child->role == ROLE_SCREEN_VIEWER && index < s->screen_count) {
		give_slot(child, GIVE_CERTIFICATE, s->screens[index].tls_slot, KEYS_CERTIFICATE);
		give_slot(child, GIVE_AUTHORITY, s->screens[index].authority_slot, KEYS_AUTHORITY);
	} else if (child->role == ROLE_SCREEN_SOURCE && index < s->screen_count) {
		const struct snapshot_access *access = &s->screens[index].access;

		give_slot(child, GIVE_AUTHORITY, access->authority_slot, KEYS_AUTHORITY);
		give_slot(child, GIVE_PASSWORD, access->password_slot, KEYS_PASSWORD);
	}
}

/* Give a descriptor that the session kept for this process; it is the process's then. */
static void give_kept(struct child *child, const struct control_give *give, int *fd)
{
	if (*fd < 0)
		return;
	child_give(child, give, *fd);
	(void)close(*fd); /* the child has its own copy */
	*fd = -1;
}

/* Each half of a screen's session gets its own way to their memory. */
static void give_pixels(struct child *child)
{
	struct session *session = child->session;
	struct control_give give = {.kind = GIVE_PIXELS, .session = session->id};
	enum shared_way way = child->role == ROLE_SCREEN_SOURCE ? SHARED_WRITE : SHARED_READ;

	give_kept(child, &give, &session->pixels_fds[way]);
}

static void outfit_session(struct child *child)
{
	struct session *session = child->session;
	struct control_give give = {.index = session->index, .session = session->id};

	give_keys(child);
	if (child->role == ROLE_SCREEN_SOURCE || child->role == ROLE_SCREEN_VIEWER)
		give_pixels(child);
	if (child->role == session->near_role) {
		give.kind = session->browser ? GIVE_BROWSER : GIVE_PEER;
		give_kept(child, &give, &session->peer_fd);
		give.kind = GIVE_LINK;
		give.role = session->near_role == ROLE_MAIL_RECEIVER ? ROLE_MAIL_SENDER
								     : ROLE_SCREEN_SOURCE;
		give_kept(child, &give, &session->near_link_fd);
	} else if (child->role == ROLE_MAIL_FLATTENER) {
		give.kind = GIVE_MESSAGE;
		give_kept(child, &give, &session->message_fd);
		give.kind = GIVE_OUTPUT;
		give_kept(child, &give, &session->output_fd);
		give.kind = GIVE_RECEIPT;
		if (session->receipt_fd >= 0) /* ours, too: it goes on to audit */
			child_give(child, &give, session->receipt_fd);
	} else if (child->role == ROLE_MAIL_SCANNER) {
		give.kind = GIVE_MESSAGE;
		give_kept(child, &give, &session->scan.message_fd);
		give.kind = GIVE_SCANNER;
		give_kept(child, &give, &session->scan.socket_fd);
	} else {
		give.kind = GIVE_LINK;
		give.role = session->near_role;
		give_kept(child, &give, &session->far_link_fd);
	}
}

static void outfit_flattener(struct child *child)
{
	if (child->session)
		outfit_session(child);
	else
		trial_outfit(child);
}

/* A probe has no session: its socket is opened here. */
static void outfit_scanner(struct child *child)
{
	if (child->session)
		outfit_session(child);
	else
		give_taken(child, GIVE_SCANNER, child->index,
			   scanning_connect(child->sup, child->index));
}

void outfit_give(struct child *child)
{
	static void (*const outfits[ROLE_COUNT_])(struct child *) = {
		[ROLE_AUDIT] = outfit_audit,
		[ROLE_CONFIG] = outfit_config,
		[ROLE_NETFILTER] = outfit_netfilter,
		[ROLE_ARBITER] = outfit_arbiter,
		[ROLE_ACCOUNTS] = outfit_accounts,
		[ROLE_CONSOLE] = outfit_console,
		[ROLE_MAIL_RECEIVER] = outfit_session,
		[ROLE_MAIL_FLATTENER] = outfit_flattener,
		[ROLE_MAIL_SENDER] = outfit_session,
		[ROLE_MAIL_SCANNER] = outfit_scanner,
		[ROLE_TIME_SOURCE] = time_outfit,
		[ROLE_SCREEN_SOURCE] = outfit_session,
		[ROLE_SCREEN_VIEWER] = outfit_session,
		[ROLE_STICK] = usb_outfit,
		[ROLE_LOG_SENDER] = log_senders_outfit,
	};

	if (outfits[child->role])
		outfits[child->role](child);
}
