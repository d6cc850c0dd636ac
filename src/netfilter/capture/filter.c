/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words of a capture's filter, and the rules that they become. */
#include "netfilter/capture/filter.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* Where the addresses of a packet are. */
static const struct {
	uint8_t nfproto, family, bytes, source_at, destination_at;
} families[] = {{NFPROTO_IPV4, 4, 4, 12, 16}, {NFPROTO_IPV6, 6, 16, 8, 24}};

static bool read_number(const char *word, unsigned long most, uint16_t *out)
{
	char *end;
	unsigned long number;

	if (word[0] < '0' || word[0] > '9')
		return false;
	number = strtoul(word, &end, 10);
	*out = (uint16_t)number;
	return *end == '\0' && number <= most;
}

static bool read_place(struct capture_primitive *p, const char *word, bool is_net)
{
	char text[64];
	const char *slash = strchr(word, '/');
	size_t size = slash != NULL ? (size_t)(slash - word) : strlen(word);
	uint16_t bits;

	if (size >= sizeof(text) || (slash != NULL) != is_net)
		return false;
	memcpy(text, word, size);
	text[size] = '\0';
	p->family = strchr(text, ':') != NULL ? 6 : 4;
	if (inet_pton(p->family == 4 ? AF_INET : AF_INET6, text, p->address) != 1)
		return false;
	bits = p->family == 4 ? 32 : 128;
	if (is_net && !read_number(slash + 1, bits, &bits))
		return false;
	p->bits = (uint8_t)bits;
	return true;
}

static bool read_protocol(struct capture_primitive *p, const char *word)
{
	static const struct {
		const char *name;
		uint16_t number;
	} names[] = {{"tcp", IPPROTO_TCP},
		     {"udp", IPPROTO_UDP},
		     {"icmp", IPPROTO_ICMP},
		     {"icmp6", IPPROTO_ICMPV6}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		p->number = names[i].number;
		if (strcmp(word, names[i].name) == 0)
			return true;
	}
	return read_number(word, UINT8_MAX, &p->number);
}

static bool read_primitive(struct capture_primitive *p, const char *key, const char *value)
{
	if (strcmp(key, "host") == 0 || strcmp(key, "net") == 0) {
		p->kind = CAPTURE_HOST;
		return read_place(p, value, key[0] == 'n');
	}
	if (strcmp(key, "port") == 0) {
		p->kind = CAPTURE_PORT;
		return read_number(value, UINT16_MAX, &p->number);
	}
	p->kind = CAPTURE_PROTO;
	return strcmp(key, "proto") == 0 && read_protocol(p, value);
}

/* One primitive and the words before it. Return: words taken, or an error. */
static int read_next(struct capture_filter *f, const char *const *words, size_t count)
{
	struct capture_term *term = &f->terms[f->count - 1];
	struct capture_primitive p = {0};
	size_t at = 0;

	if (term->count > 0 && strcmp(words[at], "or") == 0) {
		if (f->count == CAPTURE_TERMS_MAX)
			return -ERR_TOO_LONG;
		term = &f->terms[f->count++];
		at++;
	} else if (term->count > 0 && strcmp(words[at], "and") == 0) {
		at++;
	}
	if (at < count && strcmp(words[at], "not") == 0) {
		p.negated = true;
		at++;
	}
	if (at + 1 >= count || !read_primitive(&p, words[at], words[at + 1]))
		return -ERR_SYNTAX;
	if (term->count == CAPTURE_PRIMITIVES_MAX)
		return -ERR_TOO_LONG;
	term->primitives[term->count++] = p;
	return (int)at + 2;
}

int capture_filter_read(struct capture_filter *out, const char *const *words, size_t count)
{
	memset(out, 0, sizeof(*out));
	out->count = count > 0;
	for (size_t at = 0; at < count;) {
		int taken = read_next(out, words + at, count - at);

		if (taken < 0)
			return taken;
		at += (size_t)taken;
	}
	return 0;
}

/* ---- rules */

static void put_address(struct nft_batch *b, const struct capture_primitive *p, bool source,
			enum nft_cmp_ops op)
{
	unsigned index = p->family == 6;
	uint8_t mask[16], wanted[16];

	for (unsigned i = 0; i < sizeof(mask); i++) {
		unsigned keep = p->bits > i * 8 ? p->bits - i * 8 : 0;

		mask[i] = keep >= 8 ? 0xff : (uint8_t)(0xff00U >> keep);
		wanted[i] = p->address[i] & mask[i];
	}
	nft_payload(b, NFT_PAYLOAD_NETWORK_HEADER,
		    source ? families[index].source_at : families[index].destination_at,
		    families[index].bytes, REG(0));
	nft_mask(b, REG(0), mask, families[index].bytes);
	nft_compare(b, op, REG(0), wanted, families[index].bytes);
}

static void put_port(struct nft_batch *b, const struct capture_primitive *p, bool source,
		     enum nft_cmp_ops op)
{
	const uint16_t port_be16 = htons(p->number);

	nft_payload(b, NFT_PAYLOAD_TRANSPORT_HEADER, source ? 0 : 2, 2, REG(0));
	nft_compare(b, op, REG(0), &port_be16, sizeof(port_be16));
}

/*
 * One of the two ways in which a primitive can be true; the ways exclude each other, so that a
 * packet matches one rule. Return: false where there is no second way.
 */
static bool put_way(struct nft_batch *b, const struct capture_primitive *p, bool second)
{
	const uint8_t nfproto = families[p->family == 6].nfproto, number = (uint8_t)p->number;
	void (*put)(struct nft_batch *, const struct capture_primitive *, bool, enum nft_cmp_ops) =
		p->kind == CAPTURE_HOST ? put_address : put_port;

	if (p->kind == CAPTURE_PROTO) {
		nft_meta(b, NFT_META_L4PROTO, REG(0));
		nft_compare(b, p->negated ? NFT_CMP_NEQ : NFT_CMP_EQ, REG(0), &number, 1);
		return !second;
	}
	if (p->kind == CAPTURE_HOST && p->negated && second) { /* the other family */
		nft_meta(b, NFT_META_NFPROTO, REG(0));
		nft_compare(b, NFT_CMP_NEQ, REG(0), &nfproto, 1);
		return true;
	}
	if (p->kind == CAPTURE_HOST)
		nft_match_family(b, nfproto);
	if (p->negated) {
		put(b, p, true, NFT_CMP_NEQ);
		put(b, p, false, NFT_CMP_NEQ);
		return !second;
	}
	put(b, p, !second, NFT_CMP_EQ);
	if (second)
		put(b, p, true, NFT_CMP_NEQ);
	return true;
}

/* Whether every primitive has the way that its bit asks for. */
static bool has_ways(const struct capture_term *term, unsigned ways)
{
	for (size_t i = 0; i < term->count; i++) {
		const struct capture_primitive *p = &term->primitives[i];
		bool single = p->kind == CAPTURE_PROTO || (p->kind == CAPTURE_PORT && p->negated);

		if ((ways >> i & 1) && single)
			return false;
	}
	return true;
}

void capture_filter_put(const struct capture_filter *filter, struct nft_batch *b,
			void (*begin)(struct nft_batch *b, void *ctx),
			void (*end)(struct nft_batch *b, void *ctx), void *ctx)
{
	static const struct capture_term everything;
	size_t count = filter->count > 0 ? filter->count : 1;

	for (size_t i = 0; i < count; i++) {
		const struct capture_term *term =
			filter->count > 0 ? &filter->terms[i] : &everything;

		for (unsigned ways = 0; ways < 1U << term->count; ways++) {
			if (!has_ways(term, ways))
				continue;
			begin(b, ctx);
			for (size_t p = 0; p < term->count; p++)
				(void)put_way(b, &term->primitives[p], ways >> p & 1);
			end(b, ctx);
		}
	}
}
