/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values that are addresses: strict forms in, the one canonical text out (RFC 5952 for IPv6). */
#include "policy/value.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

static unsigned family_bits(uint8_t family)
{
	return family == 4 ? 32 : 128;
}

static unsigned bit_at(const struct snapshot_prefix *p, unsigned i)
{
	return p->addr[i / 8] >> (7 - i % 8) & 1;
}

/* Whether all bits from @from on are @bit. */
static bool rest_is(const struct snapshot_prefix *p, unsigned from, unsigned bit)
{
	for (unsigned i = from; i < family_bits(p->family); i++) {
		if (bit_at(p, i) != bit)
			return false;
	}
	return true;
}

/* ::ffff:0:0/96 names an IPv4 host in IPv6's form; one host must have one name (RFC 4038 4.2). */
static bool is_mapped(const struct snapshot_prefix *p)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return p->family == 6 && memcmp(p->addr, mapped, sizeof(mapped)) == 0;
}

/* RFC 1122 3.2.1.3 and RFC 4291 2.4: what can never be one host's address. */
static bool is_unicast(const struct snapshot_prefix *p)
{
	if (rest_is(p, 0, 0))
		return false;
	if (p->family == 4)
		return p->addr[0] != 0 && p->addr[0] != 127 && p->addr[0] < 224;
	return p->addr[0] != 0xff && memcmp(p->addr, &in6addr_loopback, sizeof(p->addr)) != 0;
}

static int parse_numeric(struct snapshot_prefix *out, struct span typed)
{
	char text[INET6_ADDRSTRLEN];

	*out = (struct snapshot_prefix){0};
	if (typed.size == 0 || typed.size >= sizeof(text) ||
	    memchr(typed.data, '\0', typed.size) != NULL)
		return -ERR_SYNTAX;
	memcpy(text, typed.data, typed.size);
	text[typed.size] = '\0';
	if (inet_pton(AF_INET, text, out->addr) == 1)
		out->family = 4;
	else if (inet_pton(AF_INET6, text, out->addr) == 1)
		out->family = 6;
	else
		return -ERR_SYNTAX;
	out->bits = (uint8_t)family_bits(out->family);
	return is_mapped(out) ? -ERR_RANGE : 0;
}

static void print_numeric(char text[INET6_ADDRSTRLEN], const struct snapshot_prefix *p)
{
	text[0] = '\0';
	(void)inet_ntop(p->family == 4 ? AF_INET : AF_INET6, p->addr, text,
			INET6_ADDRSTRLEN); /* room for every address */
}

/* address/bits; without the slash all bits. */
static int parse_with_bits(struct snapshot_prefix *out, struct span typed, bool *has_bits)
{
	const uint8_t *slash = typed.size > 0 ? memchr(typed.data, '/', typed.size) : NULL;
	struct span address = typed;
	uint64_t bits;
	int err;

	*has_bits = slash != NULL;
	if (slash != NULL)
		address.size = (size_t)(slash - typed.data);
	err = parse_numeric(out, address);
	if (err != 0 || slash == NULL)
		return err;
	err = value_parse_decimal(&bits, (struct span){slash + 1, typed.size - address.size - 1});
	if (err != 0)
		return err;
	if (bits > family_bits(out->family))
		return -ERR_RANGE;
	out->bits = (uint8_t)bits;
	return 0;
}

int value_parse_address(struct value *out, const struct value_form *form, struct span typed)
{
	int err = parse_numeric(&out->prefix, typed);

	if (err != 0)
		return err;
	print_numeric(out->text, &out->prefix);
	return is_unicast(&out->prefix) ? 0 : -ERR_RANGE;
}

int value_parse_interface(struct value *out, const struct value_form *form, struct span typed)
{
	char address[INET6_ADDRSTRLEN];
	struct snapshot_prefix *p = &out->prefix;
	bool has_bits;
	int err = parse_with_bits(p, typed, &has_bits);

	if (err != 0)
		return err;
	print_numeric(address, p);
	snprintf(out->text, sizeof(out->text), "%s/%u", address, p->bits);
	if (!has_bits)
		return -ERR_SYNTAX;
	if (!is_unicast(p) || p->bits == 0)
		return -ERR_RANGE;
	/* The network's own address and the broadcast address belong to no host (RFC 3021: but
	 * /31). */
	if (p->bits + 1U < family_bits(p->family) &&
	    (rest_is(p, p->bits, 0) || (p->family == 4 && rest_is(p, p->bits, 1))))
		return -ERR_RANGE;
	return 0;
}

int value_parse_prefix(struct value *out, const struct value_form *form, struct span typed)
{
	char address[INET6_ADDRSTRLEN];
	struct snapshot_prefix *p = &out->prefix;
	bool has_bits;
	int err = parse_with_bits(p, typed, &has_bits);

	if (err != 0)
		return err;
	print_numeric(address, p);
	if (p->bits == family_bits(p->family))
		snprintf(out->text, sizeof(out->text), "%s", address);
	else
		snprintf(out->text, sizeof(out->text), "%s/%u", address, p->bits);
	return rest_is(p, p->bits, 0) ? 0 : -ERR_RANGE;
}

/* Split "[v6]:port", "[v6]", "v4:port", "v4" or "v6" into its two parts; an empty port: none was
 * given. */
static int split_endpoint(struct span typed, struct span *address, struct span *port)
{
	const uint8_t *bracket = typed.size > 0 ? memchr(typed.data, ']', typed.size) : NULL;
	const uint8_t *colon = typed.size > 0 ? memchr(typed.data, ':', typed.size) : NULL;
	const uint8_t *end = typed.data + typed.size;

	*address = typed;
	*port = (struct span){NULL, 0};
	if (typed.size > 0 && typed.data[0] == '[') {
		if (bracket == NULL || (bracket + 1 < end && bracket[1] != ':') ||
		    bracket + 2 == end)
			return -ERR_SYNTAX;
		*address = (struct span){typed.data + 1, (size_t)(bracket - typed.data) - 1};
		if (bracket + 1 < end)
			*port = (struct span){bracket + 2, (size_t)(end - bracket) - 2};
		return 0;
	}
	if (colon == NULL || memchr(colon + 1, ':', (size_t)(end - colon) - 1) != NULL)
		return 0;
	if (colon + 1 == end)
		return -ERR_SYNTAX;
	address->size = (size_t)(colon - typed.data);
	*port = (struct span){colon + 1, (size_t)(end - colon) - 1};
	return 0;
}

int value_parse_endpoint(struct value *out, const struct value_form *form, struct span typed)
{
	struct span address, port;
	char text[INET6_ADDRSTRLEN];
	uint64_t number = form->low;
	int err = split_endpoint(typed, &address, &port);

	if (err == 0)
		err = parse_numeric(&out->prefix, address);
	if (err == 0 && address.data != typed.data && out->prefix.family == 4)
		err = -ERR_SYNTAX; /* brackets are for IPv6 */
	if (err == 0 && port.size > 0)
		err = value_parse_decimal(&number, port);
	if (err != 0)
		return err;
	if (number == 0 || number > UINT16_MAX || !is_unicast(&out->prefix))
		return -ERR_RANGE;
	out->port = (uint16_t)number;
	print_numeric(text, &out->prefix);
	if (number == form->low)
		snprintf(out->text, sizeof(out->text), "%s", text);
	else
		snprintf(out->text, sizeof(out->text),
			 out->prefix.family == 4 ? "%s:%u" : "[%s]:%u", text, out->port);
	return 0;
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int value_parse_mac(struct value *out, const struct value_form *form, struct span typed)
{
	uint8_t any = 0;

	if (typed.size != 17)
		return -ERR_SYNTAX;
	for (size_t i = 0; i < 6; i++) {
		const uint8_t *p = typed.data + 3 * i;
		int high = hex_digit(p[0]), low = hex_digit(p[1]);

		if (high < 0 || low < 0 || (i < 5 && p[2] != ':'))
			return -ERR_SYNTAX;
		out->mac[i] = (uint8_t)(high << 4 | low);
		any |= out->mac[i];
	}
	snprintf(out->text, sizeof(out->text), "%02x:%02x:%02x:%02x:%02x:%02x", out->mac[0],
		 out->mac[1], out->mac[2], out->mac[3], out->mac[4], out->mac[5]);
	/* The group bit: multicast is no station's address (IEEE 802 8.2). */
	return (out->mac[0] & 1) != 0 || any == 0 ? -ERR_RANGE : 0;
}
