/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sockets that the configuration makes the gateway itself open, by zone. */
#include "policy/sockets.h"

#include <netinet/in.h>
#include <stdbool.h>

int policy_listeners(const struct snapshot *s, uint32_t zone,
		     int (*each)(void *ctx, const struct policy_listener *listener), void *ctx)
{
	int result = 0;

	for (uint32_t i = 0; i < s->mail_count && result == 0; i++) {
		const struct snapshot_mail *m = &s->mails[i];
		const struct policy_listener l = {IPPROTO_TCP, m->listen_port, "mail", m->name};

		if (m->from == zone)
			result = each(ctx, &l);
	}
	for (uint32_t i = 0; i < s->screen_count && result == 0; i++) {
		const struct snapshot_screen *v = &s->screens[i];
		const struct policy_listener l = {IPPROTO_TCP, v->listen_port, "screen", v->name};
		const struct policy_listener b = {IPPROTO_TCP, v->browser_port, "screen", v->name};

		if (v->from == zone)
			result = each(ctx, &l);
		if (v->from == zone && v->browser_port != 0 && result == 0)
			result = each(ctx, &b);
	}
	return result;
}

static int mail_peers(const struct snapshot *s, const struct snapshot_mail *m,
		      int (*each)(void *ctx, const struct policy_peer *peer), void *ctx)
{
	int result = 0;

	for (uint32_t i = 0; i < m->next_hops.count && result == 0; i++) {
		const struct policy_peer p = {IPPROTO_TCP, m->next_hop_port,
					      s->prefixes[m->next_hops.first + i], "mail"};

		result = each(ctx, &p);
	}
	return result;
}

static int screen_peers(const struct snapshot *s, const struct snapshot_screen *v,
			int (*each)(void *ctx, const struct policy_peer *peer), void *ctx)
{
	int result = 0;

	for (uint32_t i = 0; i < v->desktops.count && result == 0; i++) {
		const struct snapshot_desktop *desktop = &s->desktops[v->desktops.first + i];
		const struct policy_peer p = {IPPROTO_TCP, desktop->port, desktop->address,
					      "screen"};

		result = each(ctx, &p);
	}
	return result;
}

int policy_peers(const struct snapshot *s, uint32_t zone,
		 int (*each)(void *ctx, const struct policy_peer *peer), void *ctx)
{
	int result = 0;

	for (uint32_t i = 0; i < s->mail_count && result == 0; i++) {
		if (s->mails[i].to == zone)
			result = mail_peers(s, &s->mails[i], each, ctx);
	}
	for (uint32_t i = 0; i < s->screen_count && result == 0; i++) {
		if (s->screens[i].to == zone)
			result = screen_peers(s, &s->screens[i], each, ctx);
	}
	for (uint32_t i = 0; i < s->scanner_count && result == 0; i++) {
		const struct snapshot_scanner *c = &s->scanners[i];
		const struct policy_peer p = {IPPROTO_TCP, c->port, c->address, "scanner"};

		if (c->zone == zone)
			result = each(ctx, &p);
	}
	for (uint32_t i = 0; i < s->time_server_count && result == 0; i++) {
		const struct snapshot_time_server *t = &s->time_servers[i];
		const struct policy_peer p = {IPPROTO_UDP, POLICY_PORT_NTP, t->address, "ntp"};

		if (t->zone == zone)
			result = each(ctx, &p);
	}
	for (uint32_t i = 0; i < s->syslog_count && result == 0; i++) {
		const struct snapshot_syslog *l = &s->syslogs[i];
		const bool is_udp = l->transport == SNAPSHOT_TRANSPORT_UDP;
		const struct policy_peer p = {is_udp ? IPPROTO_UDP : IPPROTO_TCP, l->port,
					      l->server, "syslog"};

		if (l->zone == zone)
			result = each(ctx, &p);
	}
	return result;
}
