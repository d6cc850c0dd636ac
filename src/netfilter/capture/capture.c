/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One capture: rules of its own, packets into a pcapng file in memory. */
#include "netfilter/capture/capture.h"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "netfilter/answer/answer.h"
#include "netfilter/netfilter.h"
#include "netfilter/nft/netlink.h"
#include "netfilter/capture/pcapng.h"

#define TABLE          "sekisho-capture"
#define TYPE(message)  ((uint16_t)(NFNL_SUBSYS_ULOG << 8 | (message)))
#define CONFIG_BYTES   256
#define DATAGRAM_BYTES (CAPTURE_SNAP_BYTES + 512)
#define ROUND_MAX      64
#define BATCH_BYTES    (1U << 20)

/* Before everything else that is ours, and behind it. */
enum { PRIORITY_FIRST = -460, PRIORITY_LAST = 400 };

/* Append a block; the file is full where it does not fit, and then nothing of it is. */
static bool put_block(struct capture *c, uint32_t type, const uint32_t *words, size_t count,
		      struct span data, struct span options)
{
	size_t padded = (data.size + 3) / 4 * 4;
	uint32_t total = (uint32_t)(12 + count * 4 + padded + options.size);
	uint8_t *at = c->file + c->size;

	if (total > c->size_max - c->size)
		return false;
	memset(at, 0, total);
	memcpy(at, &type, 4);
	memcpy(at + 4, &total, 4);
	memcpy(at + 8, words, count * 4);
	if (data.size > 0)
		memcpy(at + 8 + count * 4, data.data, data.size);
	if (options.size > 0)
		memcpy(at + 8 + count * 4 + padded, options.data, options.size);
	memcpy(at + total - 4, &total, 4);
	c->size += total;
	return true;
}

static void begin_file(struct capture *c)
{
	static const uint32_t section[] = {PCAPNG_BYTE_ORDER, 1, UINT32_MAX, UINT32_MAX};
	static const uint32_t interface[] = {PCAPNG_RAW_IP, CAPTURE_SNAP_BYTES};
	const struct span none = {NULL, 0};

	c->size = 0;
	(void)put_block(c, PCAPNG_SECTION, section, 4, none, none); /* there is room */
	(void)put_block(c, PCAPNG_INTERFACE, interface, 2, none, none);
}

static void finish(struct capture *c);

/* The kernel says by which hook a packet came: the one before all others, or the one behind. */
static uint32_t direction_of(const struct netlink_message *m)
{
	struct span header = netlink_find(m->attributes, NFULA_PACKET_HDR);
	struct nfulnl_msg_packet_hdr body;

	if (header.size < sizeof(body))
		return PCAPNG_INBOUND;
	memcpy(&body, header.data, sizeof(body));
	return body.hook == NF_INET_POST_ROUTING ? PCAPNG_OUTBOUND : PCAPNG_INBOUND;
}

static void take_packet(struct capture *c, const struct netlink_message *m, int64_t now_us)
{
	struct span payload = netlink_find(m->attributes, NFULA_PAYLOAD);

	if (m->type != TYPE(NFULNL_MSG_PACKET) || payload.size == 0)
		return;
	const uint32_t words[] = {0, (uint32_t)((uint64_t)now_us >> 32), (uint32_t)now_us,
				  (uint32_t)payload.size, (uint32_t)payload.size};
	const struct pcapng_flags flags = {
		.code = PCAPNG_FLAGS, .bytes = 4, .direction = direction_of(m)};
	const struct span options = {(const uint8_t *)&flags, sizeof(flags)};

	if (put_block(c, PCAPNG_PACKET, words, PCAPNG_PACKET_WORDS, payload, options))
		c->packets++;
	else
		c->left_out++;
}

/* Take what the kernel has copied so far, a round of it at most. */
static void take_waiting(struct capture *c)
{
	__attribute__((uninitialized)) uint8_t datagram[DATAGRAM_BYTES];
	struct netlink_message m;

	for (int i = 0; i < ROUND_MAX && c->packets < c->packets_max; i++) {
		ssize_t got = recv(c->watch.fd, datagram, sizeof(datagram), MSG_DONTWAIT);

		if (got <= 0)
			break;
		struct span rest = {datagram, (size_t)got};

		while (c->packets < c->packets_max && netlink_next(&rest, &m))
			take_packet(c, &m, netfilter_wall_us());
	}
}

static void capture_ready(struct loop *loop, struct loop_fd *self, short revents)
{
	struct capture *c = self->ctx;

	take_waiting(c);
	if (c->packets >= c->packets_max || c->left_out > 0)
		finish(c);
}

static int configure(int fd, uint8_t command)
{
	const struct nfulnl_msg_config_cmd body = {.command = command};
	const struct nfulnl_msg_config_mode mode = {.copy_range = htonl(CAPTURE_SNAP_BYTES),
						    .copy_mode = NFULNL_COPY_PACKET};
	uint8_t storage[CONFIG_BYTES];
	struct netlink_buffer b;

	netlink_init_fixed(&b, storage, sizeof(storage));
	netlink_begin(&b, TYPE(NFULNL_MSG_CONFIG), NLM_F_ACK, 0, CAPTURE_GROUP);
	netlink_put(&b, NFULA_CFG_CMD, &body, sizeof(body));
	if (command == NFULNL_CFG_CMD_BIND)
		netlink_put(&b, NFULA_CFG_MODE, &mode, sizeof(mode));
	netlink_end(&b);
	return netlink_transact(fd, &b, NULL, NULL);
}

/* What a rule begins and ends with. */
struct side {
	const char *chain, *port;
	enum nft_meta_keys device;
};

static void begin_rule(struct nft_batch *b, void *ctx)
{
	const struct side *side = ctx;

	nft_rule(b, side->chain);
	nft_match_interface(b, side->device, side->port, true);
}

static void end_rule(struct nft_batch *b, void *ctx)
{
	nft_log(b, CAPTURE_GROUP, CAPTURE_SNAP_BYTES);
	nft_verdict(b, NF_ACCEPT); /* in this chain: the others see it all the same */
	nft_rule_end(b);
}

static int load_rules(const struct zone *zone, const char *port, const struct capture_filter *f)
{
	struct side in = {"in", port, NFT_META_IIFNAME}, out = {"out", port, NFT_META_OIFNAME};
	struct nft_batch b;

	nft_begin(&b, BATCH_BYTES);
	nft_table_remove(&b, NFPROTO_INET, TABLE);
	nft_table(&b, NFPROTO_INET, TABLE);
	nft_base_chain(&b, in.chain, NF_INET_PRE_ROUTING, PRIORITY_FIRST, NF_ACCEPT);
	nft_base_chain(&b, out.chain, NF_INET_POST_ROUTING, PRIORITY_LAST, NF_ACCEPT);
	capture_filter_put(f, &b, begin_rule, end_rule, &in);
	capture_filter_put(f, &b, begin_rule, end_rule, &out);
	int err = nft_commit(&b, zone->netlink_fd);

	nft_fini(&b);
	return err;
}

static void remove_rules(const struct zone *zone)
{
	struct nft_batch b;

	nft_begin(&b, BATCH_BYTES);
	nft_table_remove(&b, NFPROTO_INET, TABLE);
	(void)nft_commit(&b, zone->netlink_fd); /* rules that nobody listens to only log nothing */
	nft_fini(&b);
}

static void stop(struct capture *c)
{
	struct zone *zone = c->zone;
	struct netfilter *nf = zone->nf;

	loop_disarm(&nf->loop, &c->end);
	loop_remove(&nf->loop, &c->watch);
	remove_rules(zone);
	take_waiting(c);                                     /* what came before the end */
	(void)configure(c->watch.fd, NFULNL_CFG_CMD_UNBIND); /* it listens to no rule any more */
	event_send(&nf->process.events, EVENT_CAPTURE_ENDED, EV_TEXT(ZONE, zone->name),
		   EV_PERSON(USER, c->query.person, c->query.console),
		   EV_NUMBER(PACKETS, c->packets), EV_NUMBER(BYTES, c->size),
		   EV_NUMBER(DROPPED, c->left_out));
	c->zone = NULL;
}

static void finish(struct capture *c)
{
	stop(c);
	capture_deliver(c);
}

static void on_end(struct loop *loop, struct loop_timer *self)
{
	finish(self->ctx);
}

/* ZONE [count N] [seconds N] [raw | file NAME] [filter] */
struct request {
	const char *zone;
	uint64_t packets, seconds;
	enum capture_form form;
	struct capture_filter filter;
};

/* One of the words before the filter, and its value. Return: words taken, 0 where the filter
 * begins, or -ERR_SYNTAX. */
static int read_option(struct request *r, const char *key, const char *value)
{
	bool is_raw = strcmp(key, "raw") == 0, is_stored = strcmp(key, "file") == 0;

	if ((is_raw || is_stored) && r->form != CAPTURE_SHOWN)
		return -ERR_SYNTAX; /* a capture has one form */
	if (is_raw) {
		r->form = CAPTURE_RAW;
		return 1;
	}
	if (is_stored) {
		r->form = CAPTURE_STORED; /* the name is the supervisor's */
		return value ? 2 : -ERR_SYNTAX;
	}
	if (strcmp(key, "count") == 0)
		return value && answer_number(value, CAPTURE_PACKETS_MAX, &r->packets)
			       ? 2
			       : -ERR_SYNTAX;
	if (strcmp(key, "seconds") == 0)
		return value && answer_number(value, CAPTURE_SECONDS_MAX, &r->seconds)
			       ? 2
			       : -ERR_SYNTAX;
	return 0;
}

static int read_request(struct request *r, const struct answer_words *w)
{
	const char *filter[ANSWER_WORDS_MAX];
	size_t at = 1, count = 0;
	int taken = 1;

	*r = (struct request){
		.zone = w->words[0], .packets = CAPTURE_PACKETS, .seconds = CAPTURE_SECONDS};
	for (; at < w->count && taken > 0; at += (size_t)(taken > 0 ? taken : 0))
		taken = read_option(r, w->words[at], at + 1 < w->count ? w->words[at + 1] : NULL);
	for (; at < w->count; at++)
		filter[count++] = w->words[at];
	if (taken < 0 || w->count == 0 || r->packets == 0 || r->seconds == 0)
		return -ERR_SYNTAX;
	return capture_filter_read(&r->filter, filter, count);
}

static uint32_t find_zone(const struct netfilter *nf, const char *name)
{
	for (uint32_t i = 0; i < nf->running.snapshot.zone_count; i++) {
		if (strcmp(nf->running.snapshot.zones[i].name, name) == 0)
			return i;
	}
	return SNAPSHOT_NONE;
}

static int start(struct netfilter *nf, uint32_t index, const struct request *r)
{
	struct capture *c = &nf->capture;
	struct zone *zone = nf->running.zones[index];
	int fd = zone->capture_fd;

	c->nf = nf;
	c->epoch = nf->running.epoch;
	c->zone_index = index;
	c->form = r->form;
	c->size_max = r->form == CAPTURE_RAW ? CAPTURE_RAW_BYTES : CAPTURE_FILE_BYTES;
	begin_file(c);
	c->packets = c->left_out = 0;
	c->packets_max = r->packets;
	if (configure(fd, NFULNL_CFG_CMD_BIND) != 0)
		return -ERR_SYSTEM;
	c->watch = (struct loop_fd){.fd = fd, .events = POLLIN, .ready = capture_ready, .ctx = c};
	c->end = (struct loop_timer){.fire = on_end, .ctx = c};
	if (loop_add(&nf->loop, &c->watch) != 0 ||
	    load_rules(zone, nf->running.snapshot.zones[index].port, &r->filter) != 0) {
		loop_remove(&nf->loop, &c->watch);
		(void)configure(fd, NFULNL_CFG_CMD_UNBIND); /* nothing was captured */
		return -ERR_SYSTEM;
	}
	c->zone = zone;
	loop_arm(&nf->loop, &c->end, r->seconds * 1000);
	return 0;
}

/* Return: NULL, or why not. @file_fd becomes -1 when it is the capture's. */
static const char *begin(struct netfilter *nf, const struct control_query *query, int *file_fd)
{
	struct capture *c = &nf->capture;
	struct answer_words words;
	struct request request;

	if (answer_split(&words, query->argument) != 0 || read_request(&request, &words) != 0)
		return "allowed: ZONE [count 1-1000] [seconds 1-60] [raw|file NAME] [[not] host "
		       "ADDRESS|net PREFIX|port NUMBER|proto NAME [and|or] ...]";
	uint32_t index = find_zone(nf, request.zone);

	if (index == SNAPSHOT_NONE)
		return "no zone has this name; see show zones";
	if (c->zone != NULL || c->sending)
		return "another capture runs";
	if (request.form == CAPTURE_STORED && *file_fd < 0)
		return "the file cannot be made";
	c->query = *query;
	event_send(&nf->process.events, EVENT_CAPTURE_STARTED, EV_TEXT(ZONE, request.zone),
		   EV_PERSON(USER, query->person, query->console),
		   EV_NUMBER(COUNT, request.packets), EV_TEXT(DETAIL, query->argument));
	if (start(nf, index, &request) != 0)
		return "the kernel refuses the capture";
	if (request.form == CAPTURE_STORED) {
		c->file_fd = *file_fd;
		*file_fd = -1;
	}
	return NULL;
}

void capture_begin(struct netfilter *nf, struct answer *a)
{
	int file_fd = nf->capture.given_fd;
	const char *why;

	nf->capture.given_fd = -1;
	why = begin(nf, a->query, &file_fd);
	if (file_fd >= 0)
		(void)close(file_fd); /* nothing was written */
	if (why != NULL)
		answer_refuse(a, why);
}

void capture_print(struct netfilter *nf, struct answer *a)
{
	struct capture *c = &nf->capture;
	int fd = c->given_fd;
	ssize_t got = -1;

	c->given_fd = -1;
	if (fd >= 0 && c->zone == NULL && !c->sending)
		got = read(fd, c->file, sizeof(c->file));
	if (fd >= 0)
		(void)close(fd); /* read */
	if (got <= 0) {
		answer_refuse(a, got == 0 ? "the file is empty"
					  : "the file cannot be read now; another capture may run");
		return;
	}
	c->nf = nf;
	c->query = *a->query;
	c->form = CAPTURE_RAW;
	c->size = (size_t)got;
	capture_deliver(c);
}

void capture_end_zone(struct netfilter *nf, const struct zone *zone)
{
	if (nf->capture.zone == zone)
		finish(&nf->capture);
}

/* Whatever is being taken or sent goes no further. */
static void give_up(struct capture *c, const char *why)
{
	if (c->zone != NULL)
		stop(c);
	capture_refuse(c, why);
}

void capture_end_policy(struct netfilter *nf)
{
	struct capture *c = &nf->capture;

	if (c->form == CAPTURE_SHOWN && (c->zone != NULL || c->sending))
		give_up(c, "the policy has changed: begin anew");
}

void capture_withdraw(struct capture *c, uint32_t number)
{
	if (number != c->query.number || (c->zone == NULL && !c->sending))
		return;
	if (c->form == CAPTURE_STORED)
		finish(c);
	else
		give_up(c, "nobody waits for it");
}
