/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading the tables of flows a piece at a time, and ending those that orders are about. */
#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "netfilter/netfilter.h"
#include "netfilter/nft/netlink.h"

static void answer(const struct sever *s, uint32_t number, bool whole)
{
	const struct control_severed body = {.number = number, .whole = whole};

	/* Where it does not get through, who waits for it gives up: the zone stays shut. */
	if (number != 0)
		(void)channel_send(&s->nf->process.control, CONTROL_SEVERED, &body, sizeof(body),
				   NULL, 0);
}

static void end_collected(struct sever *s)
{
	if (flows_end(s->zone->queue.fd, s->flows, s->count) != 0)
		s->failed = true;
	s->count = 0;
}

static void take_flow(struct sever *s, const struct flow *flow)
{
	bool is_wanted = false;

	for (uint32_t i = 0; i < s->walked; i++) {
		if (sever_concerns(s, &s->orders[i], flow)) {
			sever_note_flow(s, &s->orders[i], flow);
			is_wanted = true;
		}
	}
	if (!is_wanted)
		return;
	s->flows[s->count++] = *flow;
	if (s->count == PACKET_BATCH_MAX)
		end_collected(s);
}

/* ---- one zone */

static void end_reading(struct sever *s)
{
	loop_remove(&s->nf->loop, &s->watch);
	s->zone = NULL;
	loop_arm(&s->nf->loop, &s->gap, 0);
}

/* Return: false: that was the last message of the table. */
static bool take_message(struct sever *s, const struct netlink_message *m)
{
	struct flow flow;

	if (m->type == NLMSG_DONE)
		return false;
	if (m->type == NLMSG_ERROR) {
		s->failed = true;
		return false;
	}
	if (flow_of_message(&flow, m))
		take_flow(s, &flow);
	return true;
}

static void take_piece(struct loop *loop, struct loop_fd *self, short revents)
{
	struct sever *s = self->ctx;
	ssize_t got = recv(self->fd, s->piece, sizeof(s->piece), MSG_DONTWAIT);
	struct span rest = {s->piece, got > 0 ? (size_t)got : 0};
	struct netlink_message m;
	bool goes_on = true;

	if (got < 0 && errno != EAGAIN && errno != EINTR)
		s->failed = true; /* what the kernel still has is read all the same */
	while (goes_on && netlink_next(&rest, &m))
		goes_on = take_message(s, &m);
	end_collected(s);
	if (!goes_on)
		end_reading(s);
}

static void begin_reading(struct sever *s, struct zone *zone)
{
	s->zone = zone;
	s->watch = (struct loop_fd){
		.fd = zone->sever_fd, .events = POLLIN, .ready = take_piece, .ctx = s};
	if (loop_add(&s->nf->loop, &s->watch) != 0 || flows_begin(zone->sever_fd) != 0) {
		s->failed = true;
		end_reading(s);
	}
}

/* ---- all zones, for all orders that are there when it begins */

static void begin(struct sever *s)
{
	s->walked = s->order_count;
	s->zones_begun = 0;
	s->failed = false;
	loop_arm(&s->nf->loop, &s->gap, 0);
}

static void finish(struct sever *s)
{
	for (uint32_t i = 0; i < s->walked; i++) {
		sever_note_all(s, &s->orders[i]);
		answer(s, s->orders[i].number, !s->failed);
	}
	s->order_count -= s->walked;
	memmove(s->orders, s->orders + s->walked, s->order_count * sizeof(s->orders[0]));
	s->walked = 0;
	if (s->order_count > 0)
		begin(s);
}

static void go_on(struct loop *loop, struct loop_timer *self)
{
	struct sever *s = self->ctx;
	const struct policy *p = &s->nf->running;

	if (s->zones_begun < p->snapshot.zone_count)
		begin_reading(s, p->zones[s->zones_begun++]);
	else
		finish(s);
}

void sever_init(struct sever *s, struct netfilter *nf)
{
	s->nf = nf;
	s->gap = (struct loop_timer){.fire = go_on, .ctx = s};
}

/* Return: NULL: there is no room. */
static struct sever_order *add_order(struct sever *s)
{
	struct sever_order *order = &s->orders[s->order_count];

	if (s->order_count == SEVER_ORDERS_MAX)
		return NULL;
	*order = (struct sever_order){0};
	s->order_count++;
	if (s->walked == 0)
		begin(s);
	return order;
}

void sever_zone(struct sever *s, const char *name, uint32_t number)
{
	struct sever_order *order = add_order(s);

	if (order == NULL) {
		answer(s, number, false);
		return;
	}
	order->number = number;
	snprintf(order->zone, sizeof(order->zone), "%s", name);
}

void sever_station(struct sever *s, const struct control_sever_station *station)
{
	struct sever_order *order = add_order(s);

	if (order == NULL)
		return; /* it is given again when the station is restored */
	order->station = *station;
	sever_sort_addresses(&order->station);
}

void sever_begin_anew(struct sever *s)
{
	s->zones_begun = 0;
}

void sever_end_zone(struct sever *s, const struct zone *zone)
{
	if (s->zone == zone)
		end_reading(s);
}
