/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One capture: rules of its own, packets into a pcapng file in memory, the file into rows. */
#include "netfilter/capture.h"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "netfilter/answer.h"
#include "netfilter/netlink.h"

#define TABLE          "sekisho-capture"
#define TYPE(message)  ((uint16_t)(NFNL_SUBSYS_ULOG << 8 | (message)))
#define CONFIG_BYTES   256
#define DATAGRAM_BYTES (CAPTURE_SNAP_BYTES + 512)
#define ROUND_MAX      64
#define LINE_BYTES     57 /* of the file in one row: 76 letters */
#define BATCH_BYTES    (1U << 20)

/* Before everything else that is ours, and behind it. */
enum { PRIORITY_FIRST = -460, PRIORITY_LAST = 400 };

/* pcapng: blocks of 32-bit words in host order; linktype 101 is raw IP. */
enum {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_PACKET = 6,
	BYTE_ORDER_MAGIC = 0x1a2b3c4d,
	LINKTYPE_RAW = 101
};

/* Append words; the file is full where they do not fit, and then nothing is. */
static bool put_block(struct capture *c, uint32_t type, const uint32_t *words, size_t count,
		      struct span data)
{
	size_t padded = (data.size + 3) / 4 * 4;
	uint32_t total = (uint32_t)(12 + count * 4 + padded);
	uint8_t *at = c->file + c->size;

	if (total > sizeof(c->file) - c->size)
		return false;
	memset(at, 0, total);
	memcpy(at, &type, 4);
	memcpy(at + 4, &total, 4);
	memcpy(at + 8, words, count * 4);
	if (data.size > 0)
		memcpy(at + 8 + count * 4, data.data, data.size);
	memcpy(at + total - 4, &total, 4);
	c->size += total;
	return true;
}

static void begin_file(struct capture *c)
{
	static const uint32_t section[] = {BYTE_ORDER_MAGIC, 1, UINT32_MAX, UINT32_MAX};
	static const uint32_t interface[] = {LINKTYPE_RAW, CAPTURE_SNAP_BYTES};
	const struct span none = {NULL, 0};

	c->size = 0;
	(void)put_block(c, BLOCK_SECTION, section, 4, none); /* there is room */
	(void)put_block(c, BLOCK_INTERFACE, interface, 2, none);
}

static void finish(struct capture *c);

static void take_packet(struct capture *c, const struct netlink_message *m, int64_t now_us)
{
	struct span payload = netlink_find(m->attributes, NFULA_PAYLOAD);
	if (m->type != TYPE(NFULNL_MSG_PACKET) || payload.size == 0)
		return;
	const uint32_t words[] = {0, (uint32_t)((uint64_t)now_us >> 32), (uint32_t)now_us,
				  (uint32_t)payload.size, (uint32_t)payload.size};

	if (put_block(c, BLOCK_PACKET, words, 5, payload))
		c->packets++;
	else
		c->left_out++;
}

static void capture_ready(struct loop *loop, struct loop_fd *self, short revents)
{
	__attribute__((uninitialized)) uint8_t datagram[DATAGRAM_BYTES];
	struct capture *c = self->ctx;
	struct netlink_message m;

	for (int i = 0; i < ROUND_MAX && c->packets < c->packets_max; i++) {
		ssize_t got = recv(self->fd, datagram, sizeof(datagram), MSG_DONTWAIT);

		if (got <= 0)
			break;
		struct span rest = {datagram, (size_t)got};

		while (c->packets < c->packets_max && netlink_next(&rest, &m))
			take_packet(c, &m, netfilter_wall_us());
	}
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

/* RFC 4648 4. */
static size_t encode(char *out, struct span in)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t size = 0;

	for (size_t i = 0; i < in.size; i += 3) {
		size_t left = in.size - i;
		uint32_t group = (uint32_t)in.data[i] << 16 |
				 (left > 1 ? (uint32_t)in.data[i + 1] << 8 : 0) |
				 (left > 2 ? in.data[i + 2] : 0);

		for (unsigned k = 0; k < 4; k++)
			out[size++] = k <= left ? letters[group >> (18 - 6 * k) & 63] : '=';
	}
	out[size] = '\0';
	return size;
}

static void send_file(struct answer *a, const struct capture *c)
{
	char line[LINE_BYTES * 4 / 3 + 8];

	for (size_t at = 0; at < c->size; at += LINE_BYTES) {
		size_t left = c->size - at;

		(void)encode(line,
			     (struct span){c->file + at, left < LINE_BYTES ? left : LINE_BYTES});
		answer_cell(a, "%s", line);
		answer_send(a, 0);
	}
	answer_send(a, CONTROL_ROW_LAST);
}

static void finish(struct capture *c)
{
	struct zone *zone = c->zone;
	struct netfilter *nf = zone->nf;
	struct answer a = {.nf = nf, .query = &c->query};

	loop_disarm(&nf->loop, &c->end);
	loop_remove(&nf->loop, &c->watch);
	remove_rules(zone);
	(void)configure(c->watch.fd, NFULNL_CFG_CMD_UNBIND); /* it listens to no rule any more */
	event_send(&nf->process.events, EVENT_CAPTURE_ENDED, EV_TEXT(ZONE, zone->name),
		   EV_NUMBER(CONSOLE, c->query.console), EV_NUMBER(PACKETS, c->packets),
		   EV_NUMBER(BYTES, c->size), EV_NUMBER(DROPPED, c->left_out));
	c->zone = NULL;
	answer_begin(&a);
	send_file(&a, c);
}

static void on_end(struct loop *loop, struct loop_timer *self)
{
	finish(self->ctx);
}

/* ZONE [count N] [seconds N] [filter] */
struct request {
	const char *zone;
	uint64_t packets, seconds;
	struct capture_filter filter;
};

static int read_request(struct request *r, const struct answer_words *w)
{
	const char *filter[ANSWER_WORDS_MAX];
	size_t at = 1, count = 0;

	*r = (struct request){
		.zone = w->words[0], .packets = CAPTURE_PACKETS, .seconds = CAPTURE_SECONDS};
	for (; at + 1 < w->count; at += 2) {
		const char *key = w->words[at], *value = w->words[at + 1];

		if (strcmp(key, "count") == 0) {
			if (!answer_number(value, CAPTURE_PACKETS_MAX, &r->packets))
				return -ERR_SYNTAX;
		} else if (strcmp(key, "seconds") == 0) {
			if (!answer_number(value, CAPTURE_SECONDS_MAX, &r->seconds))
				return -ERR_SYNTAX;
		} else {
			break;
		}
	}
	for (; at < w->count; at++)
		filter[count++] = w->words[at];
	if (w->count == 0 || r->packets == 0 || r->seconds == 0)
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

void capture_begin(struct netfilter *nf, struct answer *a)
{
	struct answer_words words;
	struct request request;

	if (answer_split(&words, a->query->argument) != 0 || read_request(&request, &words) != 0) {
		answer_refuse(a, "allowed: ZONE [count 1-1000] [seconds 1-60] [[not] host ADDRESS|"
				 "net PREFIX|port NUMBER|proto NAME [and|or] ...]");
		return;
	}
	uint32_t index = find_zone(nf, request.zone);

	if (index == SNAPSHOT_NONE || nf->capture.zone != NULL) {
		answer_refuse(a, index == SNAPSHOT_NONE ? "no zone has this name; see show zones"
							: "another capture runs");
		return;
	}
	nf->capture.query = *a->query;
	event_send(&nf->process.events, EVENT_CAPTURE_STARTED, EV_TEXT(ZONE, request.zone),
		   EV_NUMBER(CONSOLE, a->query->console), EV_NUMBER(COUNT, request.packets),
		   EV_TEXT(DETAIL, a->query->argument));
	if (start(nf, index, &request) != 0)
		answer_refuse(a, "the kernel refuses the capture");
}

void capture_end_zone(struct netfilter *nf, const struct zone *zone)
{
	if (nf->capture.zone == zone)
		finish(&nf->capture);
}
