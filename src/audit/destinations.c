/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the policy's list of syslog servers to running senders. */
#include "audit/destinations.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

static void forget_given(struct destinations *d)
{
	for (uint32_t i = 0; i < DESTINATIONS_MAX; i++) {
		if (d->given[i] >= 0)
			(void)close(d->given[i]); /* never used */
		d->given[i] = -1;
	}
}

static void on_event(void *ctx, enum event_id id, const struct event_arg *args, size_t count)
{
	struct destinations *d = ctx;

	d->owner.event(d->owner.ctx, id, args, count);
}

static void on_connect(void *ctx, const char *name)
{
	struct destinations *d = ctx;

	for (uint32_t i = 0; i < d->running.count; i++) {
		if (strcmp(d->running.servers[i].name, name) == 0) {
			d->owner.connect(d->owner.ctx, i);
			return;
		}
	}
}

static struct sender_report report_of(struct destinations *d)
{
	return (struct sender_report){.event = on_event, .connect = on_connect, .ctx = d};
}

void destinations_init(struct destinations *d, struct loop *loop, const struct store *store,
		       struct destinations_owner owner)
{
	memset(d, 0, sizeof(*d));
	d->loop = loop;
	d->store = store;
	d->owner = owner;
	for (uint32_t i = 0; i < DESTINATIONS_MAX; i++)
		d->given[i] = -1;
}

/* The name identifies the server over restarts: it is the name of the file that keeps the place
 * reached. */
static void name_server(char name[SENDER_NAME_BYTES], const struct snapshot_syslog *server)
{
	char address[INET6_ADDRSTRLEN] = "";

	(void)inet_ntop(
		server->server.family == 6 ? AF_INET6 : AF_INET, server->server.addr, address,
		sizeof(address)); /* both families are known and the buffer is large enough */
	(void)snprintf(name, SENDER_NAME_BYTES, "%s-%u", address, server->port);
}

static void note_server(struct destination *out, const struct snapshot *snapshot, uint32_t index)
{
	const struct snapshot_syslog *server = &snapshot->syslogs[index];

	memset(out, 0, sizeof(*out));
	name_server(out->name, server);
	memcpy(out->zone, snapshot->zones[server->zone].name, sizeof(out->zone));
	out->transport = server->transport;
	(void)snprintf(out->peer, sizeof(out->peer), "%s",
		       snapshot_text_at(snapshot, server->text_name));
	memcpy(out->authority_slot, server->authority_slot, sizeof(out->authority_slot));
	memcpy(out->certificate_slot, server->certificate_slot, sizeof(out->certificate_slot));
}

int destinations_prepare(struct destinations *d, const struct snapshot *snapshot)
{
	if (snapshot->syslog_count > DESTINATIONS_MAX)
		return -ERR_NO_SPACE;
	for (uint32_t i = 0; i < snapshot->syslog_count; i++)
		note_server(&d->next.servers[i], snapshot, i);
	d->next.count = snapshot->syslog_count;
	d->utc_offset_s = snapshot->header->utc_offset_s;
	(void)snprintf(d->host, sizeof(d->host), "%s",
		       snapshot_text_at(snapshot, snapshot->header->text_host_name));
	return 0;
}

static struct sender *find_sender(struct destinations *d, const char *name)
{
	for (uint32_t i = 0; i < DESTINATIONS_MAX; i++) {
		if (d->senders[i].state != SENDER_CLOSED && strcmp(d->senders[i].name, name) == 0)
			return &d->senders[i];
	}
	return NULL;
}

static const struct destination *find_server(const struct destinations_list *list, const char *name)
{
	for (uint32_t i = 0; i < list->count; i++) {
		if (strcmp(list->servers[i].name, name) == 0)
			return &list->servers[i];
	}
	return NULL;
}

/* What is no longer there, or is to be reached in another way. */
static void close_unwanted(struct destinations *d, const struct destinations_list *before)
{
	for (uint32_t i = 0; i < DESTINATIONS_MAX; i++) {
		struct sender *sender = &d->senders[i];
		const struct destination *was = find_server(before, sender->name);
		const struct destination *is = find_server(&d->running, sender->name);

		if (sender->state == SENDER_CLOSED)
			continue;
		if (is == NULL)
			sender_leave(sender);
		else if (was == NULL || memcmp(was, is, sizeof(*is)) != 0)
			sender_close(sender);
	}
}

static struct sender *free_sender(struct destinations *d)
{
	for (uint32_t i = 0; i < DESTINATIONS_MAX; i++) {
		if (d->senders[i].state == SENDER_CLOSED)
			return &d->senders[i];
	}
	return NULL; /* cannot be: as many slots as names */
}

static void open_datagrams(struct destinations *d, uint32_t index, int fd)
{
	const char *name = d->running.servers[index].name;
	struct sender *sender = find_sender(d, name);
	bool known = sender != NULL && sender->state == SENDER_FLOWING;

	if (sender != NULL)
		sender_close(sender);
	else
		sender = free_sender(d);
	if (sender == NULL ||
	    sender_open(sender, d->loop, d->store, report_of(d), name, fd, known) < 0)
		fprintf(stderr, "audit: no room to watch a link to a log-sender\n");
}

/* One that has its sender already goes on with it. */
static void open_stream(struct destinations *d, uint32_t index)
{
	const struct destination *server = &d->running.servers[index];
	const char *peer = server->transport == SNAPSHOT_TRANSPORT_TLS ? server->peer : NULL;

	if (find_sender(d, server->name) == NULL)
		sender_open_stream(free_sender(d), d->loop, d->store, report_of(d), server->name,
				   peer);
}

static bool is_stream(const struct destinations *d, uint32_t index)
{
	return d->running.servers[index].transport != SNAPSHOT_TRANSPORT_UDP;
}

int destinations_give(struct destinations *d, uint32_t index, int fd)
{
	if (index >= DESTINATIONS_MAX)
		return -ERR_RANGE;
	if (index < d->running.count && !is_stream(d, index)) {
		open_datagrams(d, index, fd);
		return 0;
	}
	if (d->given[index] >= 0)
		(void)close(d->given[index]); /* replaced before it was used */
	d->given[index] = fd;
	return 0;
}

void destinations_apply(struct destinations *d, struct record_form *form)
{
	const struct destinations_list before = d->running;

	form->utc_offset_s = d->utc_offset_s;
	if (d->host[0] != '\0')
		memcpy(form->host, d->host, sizeof(form->host));
	d->running = d->next;
	close_unwanted(d, &before);
	for (uint32_t i = 0; i < d->running.count; i++) {
		int fd = d->given[i];

		d->given[i] = -1;
		if (is_stream(d, i))
			open_stream(d, i);
		else if (fd >= 0 || find_sender(d, d->running.servers[i].name) == NULL)
			open_datagrams(d, i, fd);
		if (is_stream(d, i) && fd >= 0)
			(void)close(fd); /* never used */
	}
	forget_given(d);
}

void destinations_connected(struct destinations *d, uint32_t index, int fd, int error)
{
	struct sender *sender =
		index < d->running.count ? find_sender(d, d->running.servers[index].name) : NULL;

	if (sender != NULL)
		sender_connected(sender, fd, error);
	else if (fd >= 0)
		(void)close(fd); /* its server is no longer in the policy */
}

unsigned destinations_reached(const struct destinations *d, uint64_t sequence)
{
	unsigned reached = 0;

	for (uint32_t i = 0; i < DESTINATIONS_MAX; i++) {
		const struct sender *s = &d->senders[i];

		reached += s->state == SENDER_FLOWING && s->link.reached >= sequence;
	}
	return reached;
}

void destinations_kick(struct destinations *d)
{
	for (uint32_t i = 0; i < DESTINATIONS_MAX; i++)
		sender_kick(&d->senders[i]);
}

void destinations_fini(struct destinations *d)
{
	forget_given(d);
	for (uint32_t i = 0; i < DESTINATIONS_MAX; i++)
		sender_close(&d->senders[i]);
}
