/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counters and offenders of a zone's rules. */
#include "netfilter/watch.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>

#include "netfilter/nft/netlink.h"

#define REQUEST_BYTES 256
#define TYPE(message) ((uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | (message)))

/* The reading of one zone. */
struct look {
	struct watch *watch;
	struct event_client *events;
	const char *zone;
	uint64_t now_ms;
	enum event_id event; /* of the offenders that are being read */
	uint8_t family;      /* of the table that is being read */
};

static void begin_request(struct netlink_buffer *b, uint8_t *storage, uint16_t message,
			  uint8_t family)
{
	netlink_init_fixed(b, storage, REQUEST_BYTES);
	netlink_begin(b, TYPE(message), NLM_F_DUMP, family, 0);
}

static int counter_index(struct span name)
{
	for (int i = 0; i < RULESET_COUNTER_COUNT; i++) {
		size_t size = strlen(ruleset_counters[i]) + 1;

		if (name.size == size && memcmp(name.data, ruleset_counters[i], size) == 0)
			return i;
	}
	return -1;
}

static void take_counter(void *ctx, const struct netlink_message *m)
{
	const struct look *look = ctx;
	struct watch *w = look->watch;
	int i = counter_index(netlink_find(m->attributes, NFTA_OBJ_NAME));
	uint64_t packets =
		netlink_find_be64(netlink_find(m->attributes, NFTA_OBJ_DATA), NFTA_COUNTER_PACKETS);

	if (m->type != TYPE(NFT_MSG_NEWOBJ) || i < 0)
		return;
	uint64_t *last = look->family == NFPROTO_INET ? &w->last[i] : &w->last_arp;

	uint64_t more = packets < *last ? packets : packets - *last;

	w->pending[i] += more;
	if (i < COUNTER_DENIED && i != COUNTER_MULTICAST && i != COUNTER_OUTPUT)
		w->unjudged += more;
	*last = packets;
}

static int read_counters(struct look *look, int netlink_fd, uint8_t family)
{
	uint8_t storage[REQUEST_BYTES];
	struct netlink_buffer b;

	look->family = family;
	begin_request(&b, storage, NFT_MSG_GETOBJ, family);
	netlink_put_text(&b, NFTA_OBJ_TABLE, RULESET_TABLE);
	netlink_put_be32(&b, NFTA_OBJ_TYPE, NFT_OBJECT_COUNTER);
	netlink_end(&b);
	return netlink_transact(netlink_fd, &b, take_counter, look);
}

/* Where an offender is remembered, or the slot of the one that was told of longest ago. */
static struct watch_offender *offender_slot(struct watch *w, struct span key, enum event_id event)
{
	struct watch_offender *oldest = &w->offenders[0];

	for (size_t i = 0; i < WATCH_OFFENDERS; i++) {
		struct watch_offender *o = &w->offenders[i];

		if (o->event == event && o->size == key.size &&
		    memcmp(o->bytes, key.data, key.size) == 0)
			return o;
		if (o->told_ms < oldest->told_ms)
			oldest = o;
	}
	return oldest;
}

static void tell_offender(void *ctx, struct span key, uint64_t expires_ms)
{
	struct look *look = ctx;
	struct watch_offender *o = offender_slot(look->watch, key, look->event);
	bool known = o->event == look->event && o->size == key.size &&
		     memcmp(o->bytes, key.data, key.size) == 0;
	uint64_t lost = look->events->lost;

	if (known && look->now_ms - o->told_ms < WATCH_OFFENDERS_MS)
		return;
	if (key.size == 6)
		event_send(look->events, look->event, EV_TEXT(ZONE, look->zone),
			   EV_MAC(MAC, key.data));
	else if (key.size == 4)
		event_send(look->events, look->event, EV_TEXT(ZONE, look->zone),
			   EV_IPV4(SOURCE, key.data));
	else
		event_send(look->events, look->event, EV_TEXT(ZONE, look->zone),
			   EV_IPV6(SOURCE, key.data));
	if (look->events->lost > lost)
		return; /* it is still in the kernel's set at the next look */
	memcpy(o->bytes, key.data, key.size);
	o->size = (uint8_t)key.size;
	o->event = look->event;
	o->told_ms = look->now_ms;
}

/* Elements of a set on their way to whoever asked. */
struct reading {
	watch_element *take;
	void *ctx;
};

static void take_elements(void *ctx, const struct netlink_message *m)
{
	const struct reading *reading = ctx;
	struct span list = netlink_find(m->attributes, NFTA_SET_ELEM_LIST_ELEMENTS);
	struct netlink_attribute element;

	if (m->type != TYPE(NFT_MSG_NEWSETELEM))
		return;
	while (netlink_next_attribute(&list, &element)) {
		struct span key = netlink_find(netlink_find(element.value, NFTA_SET_ELEM_KEY),
					       NFTA_DATA_VALUE);

		if (key.size == 4 || key.size == 6 || key.size == 16)
			reading->take(reading->ctx, key,
				      netlink_find_be64(element.value, NFTA_SET_ELEM_EXPIRATION));
	}
}

int watch_each(int netlink_fd, uint8_t family, const char *set, watch_element *take, void *ctx)
{
	struct reading reading = {take, ctx};
	uint8_t storage[REQUEST_BYTES];
	struct netlink_buffer b;

	begin_request(&b, storage, NFT_MSG_GETSETELEM, family);
	netlink_put_text(&b, NFTA_SET_ELEM_LIST_TABLE, RULESET_TABLE);
	netlink_put_text(&b, NFTA_SET_ELEM_LIST_SET, set);
	netlink_end(&b);
	return netlink_transact(netlink_fd, &b, take_elements, &reading);
}

static void tell_counter(struct look *look, int i)
{
	struct watch *w = look->watch;
	uint64_t lost = look->events->lost;

	uint64_t pause_ms = i == COUNTER_MULTICAST ? WATCH_MULTICAST_MS : WATCH_SUMMARY_MS;

	if (w->pending[i] == 0 || (w->told_ms[i] != 0 && look->now_ms - w->told_ms[i] < pause_ms))
		return;
	event_send(look->events, EVENT_PACKETS_DROPPED, EV_TEXT(ZONE, look->zone),
		   EV_TEXT(REASON, ruleset_counters[i]), EV_NUMBER(COUNT, w->pending[i]));
	if (look->events->lost > lost) {
		look->events->lost = lost;
		return;
	}
	w->pending[i] = 0;
	w->told_ms[i] = look->now_ms;
}

static void tell_losses(struct look *look, uint64_t count, const char *reason)
{
	if (count > 0)
		event_send(look->events, EVENT_QUEUE_OVERRUN, EV_TEXT(ZONE, look->zone),
			   EV_NUMBER(COUNT, count), EV_TEXT(REASON, reason));
}

/* Packets that never came to us. */
static void look_for_losses(struct look *look, int queue_counts_fd)
{
	struct watch *w = look->watch;
	uint64_t lost = look->events->lost;
	const struct queue_losses *now = &w->losses;

	if (queue_losses_read(&w->losses, queue_counts_fd) != 0)
		return; /* the next look tries again */
	if (w->losses_told_ms != 0 && look->now_ms - w->losses_told_ms < WATCH_SUMMARY_MS)
		return;
	if (now->full == w->full_told && now->unread == w->unread_told)
		return;
	tell_losses(look, now->full - w->full_told, "queue full");
	tell_losses(look, now->unread - w->unread_told, "no room towards netfilter");
	if (look->events->lost > lost)
		return; /* said again at the next look */
	w->full_told = now->full;
	w->unread_told = now->unread;
	w->losses_told_ms = look->now_ms;
}

/* Where offenders are remembered, and what is said of them. */
static const struct {
	uint8_t family;
	enum event_id event;
	const char *set;
} offenders[] = {
	{NFPROTO_INET, EVENT_SOURCE_SPOOFED, RULESET_SPOOFERS4},
	{NFPROTO_INET, EVENT_SOURCE_SPOOFED, RULESET_SPOOFERS6},
	{NFPROTO_INET, EVENT_STATION_UNKNOWN, RULESET_STRANGERS},
	{NFPROTO_INET, EVENT_SOURCE_LIMITED, RULESET_LIMITED4},
	{NFPROTO_INET, EVENT_SOURCE_LIMITED, RULESET_LIMITED6},
	{NFPROTO_INET, EVENT_ADDRESS_CLAIMED, RULESET_CLAIMANTS},
	{NFPROTO_ARP, EVENT_ADDRESS_CLAIMED, RULESET_CLAIMANTS},
};

void watch_look(struct watch *w, struct event_client *events, const char *zone, int netlink_fd,
		int queue_counts_fd, uint64_t now_ms)
{
	struct look look = {.watch = w, .events = events, .zone = zone, .now_ms = now_ms};

	if (read_counters(&look, netlink_fd, NFPROTO_INET) != 0)
		return;
	(void)read_counters(&look, netlink_fd, NFPROTO_ARP); /* the next look tries again */
	for (size_t i = 0; i < sizeof(offenders) / sizeof(offenders[0]); i++) {
		look.event = offenders[i].event;
		/* A failure here loses a name, not a count, and the next look tries again. */
		(void)watch_each(netlink_fd, offenders[i].family, offenders[i].set, tell_offender,
				 &look);
	}
	/* What the arbiter denies it reports itself. */
	for (int i = 0; i < COUNTER_DENIED; i++)
		tell_counter(&look, i);
	look_for_losses(&look, queue_counts_fd);
}

void watch_restart(struct watch *w)
{
	memset(w->last, 0, sizeof(w->last));
	w->last_arp = 0;
}
