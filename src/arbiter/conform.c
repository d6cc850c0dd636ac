/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of flows under conformance, and what becomes of each of their packets. */
#include "arbiter/conform.h"

#include <string.h>

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16, TCP_URG = 32 };

void conform_init(struct conform *c)
{
	memset(c->buckets, 0, sizeof(c->buckets));
	memset(c->flows, 0, sizeof(c->flows));
	for (uint32_t i = 0; i < CONFORM_FLOWS_MAX; i++)
		c->flows[i].next = i + 1 < CONFORM_FLOWS_MAX ? i + 2 : 0;
	c->free = 1;
	c->cursor = 0;
}

/* ---- the table */

/* FNV-1a over all bytes. */
static uint32_t *bucket_of(struct conform *c, const struct conform_key *key)
{
	const uint8_t *bytes = (const uint8_t *)key;
	uint64_t hash = 0xcbf29ce484222325U;

	for (size_t i = 0; i < sizeof(*key); i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3U;
	return &c->buckets[(hash ^ hash >> 32) % CONFORM_BUCKETS];
}

static struct conform_flow *find(struct conform *c, const struct conform_key *key)
{
	for (uint32_t i = *bucket_of(c, key); i != 0; i = c->flows[i - 1].next) {
		if (memcmp(&c->flows[i - 1].key, key, sizeof(*key)) == 0)
			return &c->flows[i - 1];
	}
	return NULL;
}

static struct conform_stream *stream_of(struct conform *c, const struct conform_flow *flow)
{
	return &c->streams[flow - c->flows];
}

static void release(struct conform *c, struct conform_flow *flow)
{
	uint32_t index = (uint32_t)(flow - c->flows) + 1;
	uint32_t *link = bucket_of(c, &flow->key);

	while (*link != index)
		link = &c->flows[*link - 1].next;
	*link = flow->next;
	flow->state = FLOW_FREE;
	flow->next = c->free;
	c->free = index;
}

static bool same_source(const struct conform_key *a, const struct conform_key *b)
{
	/* One sender can have a whole /64. */
	return a->family == b->family && a->zone == b->zone &&
	       memcmp(a->source, b->source, a->family == 4 ? 4 : 8) == 0;
}

static bool is_undecided(const struct conform_flow *flow)
{
	return flow->state == FLOW_HALF_OPEN || flow->state == FLOW_OPEN;
}

/* What the undecided flows of a flow's source are. */
struct crowd {
	uint32_t count;
	struct conform_flow *oldest; /* half open before open */
};

static bool goes_first(const struct conform_flow *a, const struct conform_flow *b)
{
	if (b == NULL || a->state != b->state)
		return b == NULL || a->state < b->state;
	return a->began_ms < b->began_ms;
}

static struct crowd crowd_of(struct conform *c, const struct conform_key *key)
{
	struct crowd crowd = {0, NULL};

	for (uint32_t i = 0; i < CONFORM_FLOWS_MAX; i++) {
		struct conform_flow *flow = &c->flows[i];

		if (!is_undecided(flow) || !same_source(&flow->key, key))
			continue;
		crowd.count++;
		if (goes_first(flow, crowd.oldest))
			crowd.oldest = flow;
	}
	return crowd;
}

/* Of a full table: the decided flow that has been quiet longest, else the oldest that is half open;
 * NULL: all are open. */
static struct conform_flow *quietest(struct conform *c)
{
	struct conform_flow *decided = NULL, *half_open = NULL;

	for (uint32_t i = 0; i < CONFORM_FLOWS_MAX; i++) {
		struct conform_flow *flow = &c->flows[i];

		if (!is_undecided(flow) && (decided == NULL || flow->seen_ms < decided->seen_ms))
			decided = flow;
		if (flow->state == FLOW_HALF_OPEN &&
		    (half_open == NULL || flow->began_ms < half_open->began_ms))
			half_open = flow;
	}
	return decided != NULL ? decided : half_open;
}

/* Of a full table of open flows: sampled, each time elsewhere, so that the cost has a bound. */
static struct conform_flow *of_largest_source(struct conform *c)
{
	enum { SAMPLES = 16, STRIDE = CONFORM_FLOWS_MAX / SAMPLES };
	struct crowd largest = {0, NULL};

	c->cursor = (c->cursor + 1) % STRIDE;
	for (uint32_t i = 0; i < SAMPLES; i++) {
		struct crowd crowd = crowd_of(c, &c->flows[c->cursor + i * STRIDE].key);

		if (crowd.count > largest.count)
			largest = crowd;
	}
	return largest.oldest;
}

/* Free a record where the table, or the share of one source, is full. */
static void make_room(struct conform *c, const struct conform_key *key)
{
	struct crowd crowd = crowd_of(c, key);

	if (crowd.count >= CONFORM_PER_SOURCE_MAX) {
		release(c, crowd.oldest);
	} else if (c->free == 0) {
		struct conform_flow *flow = quietest(c);

		release(c, flow != NULL ? flow : of_largest_source(c));
	}
}

static struct conform_key key_of(const struct conform_packet *p)
{
	const struct ip_headers *h = p->headers;
	struct conform_key key;

	memset(&key, 0, sizeof(key));
	memcpy(key.source, h->source, sizeof(key.source));
	memcpy(key.destination, h->destination, sizeof(key.destination));
	key.source_port = h->source_port;
	key.destination_port = h->destination_port;
	key.family = h->family;
	key.zone = (uint8_t)p->zone;
	return key;
}

static struct conform_flow *add(struct conform *c, const struct conform_key *key)
{
	uint32_t *bucket = bucket_of(c, key);

	make_room(c, key);
	uint32_t index = c->free;
	struct conform_flow *flow = &c->flows[index - 1];

	c->free = flow->next;
	*flow = (struct conform_flow){.key = *key, .next = *bucket};
	*bucket = index;
	memset(stream_of(c, flow)->have, 0, sizeof(stream_of(c, flow)->have));
	return flow;
}

/* ---- the initiator's stream */

static bool has_byte(const struct conform_stream *s, uint32_t at)
{
	return s->have[at / 8] >> (at % 8) & 1;
}

/*
 * Put a segment where it belongs. What stands there already must be the same: two copies that
 * differ would let the two ends of the road see different streams.
 */
static bool put_segment(struct conform_stream *s, uint32_t at, struct span data)
{
	for (size_t i = 0; i < data.size && at + i < CONFORM_STREAM_BYTES_MAX; i++) {
		uint32_t place = at + (uint32_t)i;

		if (has_byte(s, place) && s->data[place] != data.data[i])
			return false;
		s->data[place] = data.data[i];
		s->have[place / 8] |= (uint8_t)(1U << (place % 8));
	}
	return true;
}

static void find_contiguous(struct conform_flow *flow, const struct conform_stream *s)
{
	while (flow->contiguous < CONFORM_STREAM_BYTES_MAX && has_byte(s, flow->contiguous))
		flow->contiguous++;
}

/* ---- packets of a flow */

static enum conform_verdict refuse(struct conform_flow *flow, enum judge_reason reason,
				   struct conform_finding *finding)
{
	if (flow != NULL && flow->state != FLOW_REFUSED) {
		flow->state = FLOW_REFUSED;
		flow->reason = (uint8_t)reason;
	}
	finding->state = CONFORM_REFUSED;
	finding->reason = flow != NULL ? (enum judge_reason)flow->reason : reason;
	return CONFORM_DENY;
}

static enum conform_verdict examine(struct conform *c, struct conform_flow *flow,
				    const struct conform_packet *p, struct conform_finding *finding)
{
	struct span stream = {stream_of(c, flow)->data, flow->contiguous};

	conform_check_stream(finding, &p->rule, stream, c->scratch);
	if (finding->state == CONFORM_REFUSED)
		return refuse(flow, finding->reason, finding);
	if (finding->state == CONFORM_PENDING)
		return flow->contiguous == CONFORM_STREAM_BYTES_MAX
			       ? refuse(flow, JUDGE_CONFORM_TOO_LONG, finding)
			       : CONFORM_ONCE;
	flow->state = FLOW_SHOWN;
	flow->shown_bytes = flow->contiguous;
	flow->fingerprint = p->fingerprint;
	return CONFORM_ONCE;
}

/* A SYN, perhaps again. It carries no data: those would come before anybody has answered. */
static enum conform_verdict open_flow(struct conform *c, struct conform_flow *flow,
				      const struct conform_packet *p,
				      struct conform_finding *finding)
{
	uint32_t base = p->headers->tcp_sequence + 1;

	if (p->payload_bytes > 0)
		return refuse(flow, JUDGE_CONFORM_SYNTAX, finding);
	if (flow != NULL && flow->state == FLOW_HALF_OPEN && flow->base == base)
		return CONFORM_ONCE;
	if (flow != NULL)
		release(c, flow); /* its connection is over: the kernel calls this one new */
	struct conform_key key = key_of(p);

	flow = add(c, &key);
	flow->state = FLOW_HALF_OPEN;
	flow->base = base;
	flow->began_ms = flow->seen_ms = p->now_ms;
	return CONFORM_ONCE;
}

/* Data of the initiator. */
static enum conform_verdict take_payload(struct conform *c, struct conform_flow *flow,
					 const struct conform_packet *p,
					 struct conform_finding *finding)
{
	uint32_t at = p->headers->tcp_sequence - flow->base;
	uint32_t before = flow->contiguous;

	if (at > INT32_MAX)
		return refuse(flow, JUDGE_CONFORM_OVERLAP, finding); /* before the first byte */
	if (at >= CONFORM_STREAM_BYTES_MAX)
		return is_undecided(flow) ? refuse(flow, JUDGE_CONFORM_TOO_LONG, finding)
					  : CONFORM_ONCE;
	if (p->payload.size < p->payload_bytes && !p->whole)
		return CONFORM_WHOLE;
	if (!put_segment(stream_of(c, flow), at, p->payload))
		return refuse(flow, JUDGE_CONFORM_OVERLAP, finding);
	find_contiguous(flow, stream_of(c, flow));
	if (!is_undecided(flow))
		return CONFORM_ONCE;
	enum conform_verdict verdict =
		flow->contiguous > before ? examine(c, flow, p, finding) : CONFORM_ONCE;

	/* More than can be had of a packet, and still undecided: the rest has not been seen. */
	if (verdict == CONFORM_ONCE && is_undecided(flow) && p->payload.size < p->payload_bytes)
		return refuse(flow, JUDGE_CONFORM_TOO_LONG, finding);
	return verdict;
}

static enum conform_verdict from_initiator(struct conform *c, struct conform_flow *flow,
					   const struct conform_packet *p,
					   struct conform_finding *finding)
{
	uint8_t flags = p->headers->tcp_flags;

	if (flags & TCP_RST) {
		release(c, flow);
		return CONFORM_ONCE;
	}
	if (flow->state == FLOW_HALF_OPEN)
		flow->state = FLOW_OPEN;
	if (flow->state == FLOW_TAKEN)
		return CONFORM_PERMIT;
	if (flags & TCP_URG) /* a byte that the responder may take out of the stream */
		return refuse(flow, JUDGE_CONFORM_SYNTAX, finding);
	/* Nobody has answered the SYN by which this stream is counted. */
	if (p->payload_bytes > 0 && !flow->has_responder)
		return refuse(flow, JUDGE_CONFORM_UNKNOWN, finding);
	if (p->payload_bytes > 0)
		return take_payload(c, flow, p, finding);
	if (flags & TCP_FIN && flow->state == FLOW_OPEN && flow->contiguous > 0)
		return refuse(flow, JUDGE_CONFORM_SYNTAX, finding); /* ends in the middle */
	return CONFORM_ONCE;
}

/* How far into its stream a segment of the responder reaches. */
static bool responder_says_too_much(struct conform_flow *flow, const struct conform_packet *p)
{
	const struct ip_headers *h = p->headers;

	if (h->tcp_flags & TCP_SYN) {
		flow->responder_base = h->tcp_sequence + 1;
		flow->has_responder = true;
		return p->payload_bytes > 0;
	}
	if (p->payload_bytes == 0 || !is_undecided(flow))
		return false;
	uint32_t end = h->tcp_sequence - flow->responder_base + (uint32_t)p->payload_bytes;

	return !flow->has_responder || end > conform_responder_bytes_max(&p->rule);
}

static enum conform_verdict from_responder(struct conform *c, struct conform_flow *flow,
					   const struct conform_packet *p,
					   struct conform_finding *finding)
{
	const struct ip_headers *h = p->headers;

	if (h->tcp_flags & TCP_RST) {
		release(c, flow);
		return CONFORM_ONCE;
	}
	/* It answers another SYN than the one by which the stream is counted, or opens one itself.
	 */
	if (h->tcp_flags & TCP_SYN &&
	    (!(h->tcp_flags & TCP_ACK) || h->tcp_acknowledgement != flow->base))
		return refuse(flow, JUDGE_CONFORM_OVERLAP, finding);
	if (responder_says_too_much(flow, p))
		return refuse(flow, JUDGE_CONFORM_RESPONDER, finding);
	if (flow->state == FLOW_SHOWN && h->tcp_flags & TCP_ACK &&
	    h->tcp_acknowledgement - (flow->base + flow->shown_bytes) <= INT32_MAX)
		flow->state = FLOW_TAKEN;
	return flow->state == FLOW_TAKEN ? CONFORM_PERMIT : CONFORM_ONCE;
}

static enum conform_verdict judge_datagram(const struct conform_packet *p,
					   struct conform_finding *finding)
{
	if (p->payload.size < p->payload_bytes && !p->whole)
		return CONFORM_WHOLE;
	if (p->payload.size < p->payload_bytes)
		return refuse(NULL, JUDGE_CONFORM_TOO_LONG, finding);
	conform_check_datagram(finding, &p->rule, p->payload, p->reply);
	return finding->state == CONFORM_SHOWN ? CONFORM_ONCE : CONFORM_DENY;
}

enum conform_verdict conform_judge(struct conform *c, const struct conform_packet *packet,
				   struct conform_finding *finding)
{
	struct conform_key key = key_of(packet);
	struct conform_flow *flow = find(c, &key);

	*finding = (struct conform_finding){.state = CONFORM_PENDING};
	if (packet->headers->protocol != IP_PROTOCOL_TCP)
		return judge_datagram(packet, finding);
	if (!packet->established && !packet->reply)
		return open_flow(c, flow, packet, finding);
	if (flow == NULL)
		return refuse(NULL, JUDGE_CONFORM_UNKNOWN, finding);
	flow->seen_ms = packet->now_ms;
	if (flow->state == FLOW_REFUSED)
		return refuse(flow, JUDGE_CONFORM_PROTOCOL, finding);
	/* The policy has changed meanwhile: what was shown has to be good enough for it, too. */
	if (!is_undecided(flow) && flow->fingerprint != packet->fingerprint &&
	    examine(c, flow, packet, finding) == CONFORM_DENY)
		return CONFORM_DENY;
	return packet->reply ? from_responder(c, flow, packet, finding)
			     : from_initiator(c, flow, packet, finding);
}

/* ---- time */

static bool is_over(const struct conform_flow *flow, uint64_t now_ms)
{
	if (flow->state == FLOW_HALF_OPEN)
		return now_ms - flow->began_ms > CONFORM_HALF_OPEN_MS;
	return !is_undecided(flow) && now_ms - flow->seen_ms > CONFORM_LINGER_MS;
}

void conform_tick(struct conform *c, uint64_t now_ms,
		  void (*refused)(void *ctx, const struct conform_flow *flow), void *ctx)
{
	for (uint32_t i = 0; i < CONFORM_FLOWS_MAX; i++) {
		struct conform_flow *flow = &c->flows[i];

		if (flow->state == FLOW_FREE)
			continue;
		if (is_over(flow, now_ms)) {
			release(c, flow);
		} else if (flow->state == FLOW_OPEN &&
			   now_ms - flow->began_ms > CONFORM_DEADLINE_MS) {
			flow->state = FLOW_REFUSED;
			flow->reason = JUDGE_CONFORM_DEADLINE;
			flow->seen_ms = now_ms;
			refused(ctx, flow);
		}
	}
}
