/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets inside zones: made here, used by others. Nothing here reads from one. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "policy/sockets.h"
#include "supervisor/zones/netns.h"
#include "supervisor/outfit.h"
#include "supervisor/supervisor.h"

#define NETFILTER_QUEUE_BYTES (4 << 20)
#define LISTEN_BACKLOG        64

static int socket_in(struct supervisor *sup, const struct zone *zone, int domain, int type,
		     int protocol)
{
	int fd, saved;

	if (netns_enter(zone->netns_fd) < 0)
		return -ERR_SYSTEM;
	fd = socket(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
	saved = errno;
	netns_leave(sup->zones.home_fd);
	errno = saved;
	return fd < 0 ? -ERR_SYSTEM : fd;
}

static int close_failed(int fd)
{
	int saved = errno;

	(void)close(fd); /* never used */
	errno = saved;
	return -ERR_SYSTEM;
}

int sockets_netfilter(struct supervisor *sup, struct zone *zone)
{
	int fd = socket_in(sup, zone, AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER),
	    size = NETFILTER_QUEUE_BYTES;
	struct sockaddr_nl address = {.nl_family = AF_NETLINK};

	if (fd < 0)
		return fd;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0 ||
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return close_failed(fd);
	return fd;
}

int sockets_track(struct supervisor *sup, struct zone *zone)
{
	int fd;

	if (zone->track_fd < 0)
		zone->track_fd = sockets_netfilter(sup, zone);
	if (zone->track_fd < 0)
		return zone->track_fd;
	fd = fcntl(zone->track_fd, F_DUPFD_CLOEXEC, 0);
	return fd < 0 ? -ERR_SYSTEM : fd;
}

/* The file is of the namespace in which it is opened, whoever reads it later. */
static int open_queue_counts(struct supervisor *sup, const struct zone *zone)
{
	int fd, saved;

	if (netns_enter(zone->netns_fd) < 0)
		return -ERR_SYSTEM;
	fd = open("/proc/self/net/netfilter/nfnetlink_queue", O_RDONLY | O_CLOEXEC);
	saved = errno;
	netns_leave(sup->zones.home_fd);
	errno = saved;
	return fd < 0 ? -ERR_SYSTEM : fd;
}

int sockets_of_zone(struct supervisor *sup, struct zone *zone, uint32_t kind)
{
	if (kind == GIVE_QUEUE_COUNTS)
		return open_queue_counts(sup, zone);
	return kind == GIVE_TRACK ? sockets_track(sup, zone) : sockets_netfilter(sup, zone);
}

static socklen_t fill_address(struct sockaddr_storage *out, const struct snapshot_prefix *address,
			      uint16_t port)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

	memset(out, 0, sizeof(*out));
	if (address->family == 6) {
		memcpy(&in6.sin6_addr, address->addr, 16);
		memcpy(out, &in6, sizeof(in6));
		return sizeof(in6);
	}
	memcpy(&in.sin_addr, address->addr, 4);
	memcpy(out, &in, sizeof(in));
	return sizeof(in);
}

static int socket_domain(const struct snapshot_prefix *address)
{
	return address->family == 6 ? AF_INET6 : AF_INET;
}

/* A datagram socket that only takes what this peer sends. */
static int open_datagram(struct supervisor *sup, const char *zone_name,
			 const struct snapshot_prefix *peer, uint16_t port)
{
	struct zone *zone = zones_find(&sup->zones, zone_name);
	struct sockaddr_storage address;
	socklen_t size = fill_address(&address, peer, port);
	int fd;

	if (!zone)
		return -ERR_NOT_FOUND;
	fd = socket_in(sup, zone, socket_domain(peer), SOCK_DGRAM, 0);
	if (fd < 0)
		return fd;
	return connect(fd, (const struct sockaddr *)&address, size) < 0 ? close_failed(fd) : fd;
}

int sockets_time_server(struct supervisor *sup, const struct snapshot *snapshot, uint32_t index)
{
	const struct snapshot_time_server *server = &snapshot->time_servers[index];

	return open_datagram(sup, snapshot->zones[server->zone].name, &server->address,
			     POLICY_PORT_NTP);
}

int sockets_connect(struct supervisor *sup, const char *zone_name,
		    const struct snapshot_prefix *address, uint16_t port)
{
	struct zone *zone = zones_find(&sup->zones, zone_name);
	struct sockaddr_storage storage;
	socklen_t size = fill_address(&storage, address, port);
	int fd, on = 1;

	if (!zone) {
		errno = ENETUNREACH;
		return -ERR_SYSTEM;
	}
	fd = socket_in(sup, zone, socket_domain(address), SOCK_STREAM, 0);
	if (fd < 0)
		return fd;
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) < 0)
		return close_failed(fd);
	if (connect(fd, (const struct sockaddr *)&storage, size) < 0 && errno != EINPROGRESS)
		return close_failed(fd);
	return fd;
}

int sockets_syslog(struct supervisor *sup, const struct snapshot *snapshot, uint32_t index)
{
	const struct snapshot_syslog *syslog = &snapshot->syslogs[index];
	const char *zone = snapshot->zones[syslog->zone].name;

	if (syslog->transport == SNAPSHOT_TRANSPORT_UDP)
		return open_datagram(sup, zone, &syslog->server, syslog->port);
	return sockets_connect(sup, zone, &syslog->server, syslog->port);
}

static void on_connection(struct loop *loop, struct loop_fd *self, short revents)
{
	struct listener *listener = self->ctx;

	session_accept(listener->sup, listener);
}

/* Bound to one address and to the zone's port: what comes over a crossing finds nobody listening.
 */
static int open_listener(struct supervisor *sup, const struct zone *zone,
			 const struct snapshot_prefix *address, uint16_t port)
{
	struct sockaddr_storage storage;
	socklen_t size = fill_address(&storage, address, port);
	int fd = socket_in(sup, zone, socket_domain(address), SOCK_STREAM, 0), on = 1;

	if (fd < 0)
		return fd;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, zone->port, (socklen_t)strlen(zone->port)) <
		    0 ||
	    (address->family == 6 &&
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0) ||
	    bind(fd, (const struct sockaddr *)&storage, size) < 0 || listen(fd, LISTEN_BACKLOG) < 0)
		return close_failed(fd);
	return fd;
}

struct wanted {
	enum role near_role;
	const char *entry;
	uint32_t from;
	uint16_t port;
};

static struct listener *find_listener(struct supervisor *sup, const struct wanted *want,
				      const struct zone *zone,
				      const struct snapshot_prefix *address)
{
	for (size_t i = 0; i < LISTENERS_MAX; i++) {
		struct listener *l = &sup->listeners[i];

		if (l->used && l->near_role == want->near_role && l->port == want->port &&
		    strcmp(l->entry, want->entry) == 0 && strcmp(l->zone, zone->name) == 0 &&
		    strcmp(l->device, zone->port) == 0 &&
		    memcmp(&l->address, address, sizeof(*address)) == 0)
			return l;
	}
	return NULL;
}

static struct listener *free_listener(struct supervisor *sup)
{
	for (size_t i = 0; i < LISTENERS_MAX; i++) {
		if (!sup->listeners[i].used)
			return &sup->listeners[i];
	}
	return NULL;
}

static void close_listener(struct supervisor *sup, struct listener *listener)
{
	session_refusals_end(listener);
	loop_remove(&sup->loop, &listener->watch);
	(void)close(listener->watch.fd); /* a listening socket holds no data */
	listener->used = false;
}

static int add_listener(struct supervisor *sup, const struct zone *zone, const struct wanted *want,
			const struct snapshot_prefix *address)
{
	struct listener *listener = free_listener(sup);
	int fd;

	if (!listener)
		return -ERR_NO_SPACE;
	fd = open_listener(sup, zone, address, want->port);
	if (fd < 0)
		return fd;
	*listener = (struct listener){.used = true,
				      .keep = true,
				      .sup = sup,
				      .near_role = want->near_role,
				      .address = *address,
				      .port = want->port};
	(void)snprintf(listener->entry, sizeof(listener->entry), "%s", want->entry);
	(void)snprintf(listener->zone, sizeof(listener->zone), "%s", zone->name);
	(void)snprintf(listener->device, sizeof(listener->device), "%s", zone->port);
	listener->watch = (struct loop_fd){
		.fd = fd, .events = POLLIN, .ready = on_connection, .ctx = listener};
	if (loop_add(&sup->loop, &listener->watch) < 0) {
		close_listener(sup, listener);
		return -ERR_NO_SPACE;
	}
	return 0;
}

/*
 * On every address that the zone gives the gateway. First what stands is kept; then, with @open,
 * the rest is opened.
 */
static int want_listeners(struct supervisor *sup, const struct snapshot *s,
			  const struct wanted *want, bool open)
{
	const struct snapshot_zone *from = &s->zones[want->from];
	const struct zone *zone = zones_find(&sup->zones, from->name);
	int err = 0;

	for (uint32_t i = 0; zone && i < from->addresses.count && err == 0; i++) {
		const struct snapshot_prefix *address = &s->prefixes[from->addresses.first + i];
		struct listener *listener = find_listener(sup, want, zone, address);

		if (listener)
			listener->keep = true;
		else if (open)
			err = add_listener(sup, zone, want, address);
	}
	if (err < 0)
		(void)snprintf(sup->zones.reason, sizeof(sup->zones.reason),
			       "%s: listening on port %u in zone %s: %s", want->entry, want->port,
			       from->name, err == -ERR_SYSTEM ? strerror(errno) : err_name(err));
	return err;
}

static int want_all(struct supervisor *sup, const struct snapshot *s, bool open)
{
	int err = 0;

	for (uint32_t i = 0; i < s->mail_count && err == 0; i++) {
		const struct wanted want = {ROLE_MAIL_RECEIVER, s->mails[i].name, s->mails[i].from,
					    s->mails[i].listen_port};

		err = want_listeners(sup, s, &want, open);
	}
	for (uint32_t i = 0; i < s->screen_count && err == 0; i++) {
		const struct snapshot_screen *c = &s->screens[i];
		const struct wanted want = {ROLE_SCREEN_VIEWER, c->name, c->from, c->listen_port};
		const struct wanted browser = {ROLE_SCREEN_VIEWER, c->name, c->from,
					       c->browser_port};

		err = want_listeners(sup, s, &want, open);
		if (c->browser_port != 0 && err == 0)
			err = want_listeners(sup, s, &browser, open);
	}
	return err;
}

int sockets_listen(struct supervisor *sup, const struct snapshot *snapshot)
{
	if (sup->zones.shut & ZONES_SHUT_PORTS) {
		sockets_close_all(sup);
		return 0; /* when it is over they come */
	}
	for (size_t i = 0; i < LISTENERS_MAX; i++)
		sup->listeners[i].keep = false;
	(void)want_all(sup, snapshot, false); /* only marks: cannot fail */
	for (size_t i = 0; i < LISTENERS_MAX; i++) {
		if (sup->listeners[i].used && !sup->listeners[i].keep)
			close_listener(sup, &sup->listeners[i]);
	}
	return want_all(sup, snapshot, true);
}

void sockets_close_all(struct supervisor *sup)
{
	for (size_t i = 0; i < LISTENERS_MAX; i++) {
		if (sup->listeners[i].used)
			close_listener(sup, &sup->listeners[i]);
	}
}
