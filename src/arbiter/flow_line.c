/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flows as lines of text: pairs written by hand, or records of the log (RFC 5424). */
#include "arbiter/flow_line.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "policy/atoms.h"
#include "policy/value.h"
#include "wire/mime/date.h"

#define RECORD_TOKENS 6 /* of a record before its structured data: the last is the event */

enum { ICMP_ECHO = 8, ICMPV6_ECHO = 128, HOP_LIMIT = 64, TCP_SYN = 2 };

/* What the pairs said, before it is put together. */
struct pairs {
	bool from, source, destination, protocol, port, type;
	bool recorded;   /* by a gateway, not written by hand */
	bool by_traffic; /* denied for what it carried or how much of it there was */
	uint8_t destination_family;
	uint64_t icmp_type;
};

static bool read_number(struct span text, uint64_t high, uint64_t *out)
{
	return value_parse_decimal(out, text) == 0 && *out <= high;
}

/* What a packet had is what its record has: ::ffff:10.0.0.1 too, which nobody may write by hand. */
static bool read_recorded_address(struct span text, uint8_t *family, uint8_t address[16])
{
	char copy[INET6_ADDRSTRLEN];

	if (text.size >= sizeof(copy))
		return false;
	memcpy(copy, text.data, text.size);
	copy[text.size] = '\0';
	*family = memchr(copy, ':', text.size) != NULL ? 6 : 4;
	return inet_pton(*family == 4 ? AF_INET : AF_INET6, copy, address) == 1;
}

static bool read_address(struct span text, uint8_t *family, uint8_t address[16])
{
	static const struct value_form form = {.type = TYPE_PREFIX};
	struct value v;

	if (value_parse(&v, &form, text) != 0 || v.prefix.bits != (v.prefix.family == 4 ? 32 : 128))
		return false;
	*family = v.prefix.family;
	memcpy(address, v.prefix.addr, sizeof(v.prefix.addr));
	return true;
}

static bool read_protocol(struct span text, uint8_t *protocol)
{
	static const struct {
		const char *name;
		uint8_t number;
	} names[] = {{"tcp", IP_PROTOCOL_TCP},
		     {"udp", IP_PROTOCOL_UDP},
		     {"icmp", IP_PROTOCOL_ICMP},
		     {"icmpv6", IP_PROTOCOL_ICMPV6}};
	uint64_t number;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (span_equal(text, span_of(names[i].name))) {
			*protocol = names[i].number;
			return true;
		}
	}
	if (!read_number(text, UINT8_MAX, &number))
		return false;
	*protocol = (uint8_t)number;
	return true;
}

/* timegm would look for a time zone's file, which the arbiter may not. */
static int64_t seconds_of(const struct tm *tm)
{
	int64_t days = mime_date_days(tm->tm_year + 1900LL, (unsigned)tm->tm_mon + 1,
				      (unsigned)tm->tm_mday);

	return ((days * 24 + tm->tm_hour) * 60 + tm->tm_min) * 60 + tm->tm_sec;
}

/* YYYY-MM-DDTHH:MM[:SS[.fraction]][Z|+HH:MM|-HH:MM]; without the last it is local time. */
static bool read_time(struct flow_line *out, struct span text)
{
	char copy[64], sign;
	unsigned hours, minutes;
	struct tm tm = {0};
	char *at;

	snprintf(copy, sizeof(copy), "%.*s", (int)text.size, (const char *)text.data);
	at = strptime(copy, "%Y-%m-%dT%H:%M", &tm);
	if (at == NULL)
		return false;
	if (*at == ':')
		at = strptime(at, ":%S", &tm);
	if (at != NULL)
		snprintf(out->at, sizeof(out->at), "%.*s", (int)(at - copy), copy);
	if (at != NULL && *at == '.')
		at += 1 + strspn(at + 1, "0123456789");
	if (at == NULL)
		return false;
	out->has_time = true;
	out->at_s = seconds_of(&tm);
	out->local_time = *at == '\0';
	if (out->local_time || strcmp(at, "Z") == 0)
		return true;
	if (strlen(at) != 6 || sscanf(at, "%c%2u:%2u", &sign, &hours, &minutes) != 3 ||
	    (sign != '+' && sign != '-'))
		return false;
	out->at_s -= (sign == '+' ? 1 : -1) * (int64_t)(hours * 60 + minutes) * 60;
	return true;
}

static bool read_mac(struct flow_line *out, struct span text)
{
	static const struct value_form form = {.type = TYPE_MAC};
	struct value v;

	if (value_parse(&v, &form, text) != 0)
		return false;
	memcpy(out->mac, v.mac, sizeof(out->mac));
	out->has_mac = true;
	return true;
}

static bool take_from(struct flow_line *out, struct pairs *p, struct span text)
{
	static const struct value_form form = {.type = TYPE_ZONE};
	struct value v;

	p->from = value_parse(&v, &form, text) == 0;
	if (p->from)
		memcpy(out->from, v.text, strlen(v.text) + 1);
	return p->from;
}

static bool take_source(struct flow_line *out, struct pairs *p, struct span text)
{
	p->source = (p->recorded ? read_recorded_address : read_address)(text, &out->headers.family,
									 out->headers.source);
	return p->source;
}

static bool take_destination(struct flow_line *out, struct pairs *p, struct span text)
{
	p->destination = (p->recorded ? read_recorded_address : read_address)(
		text, &p->destination_family, out->headers.destination);
	return p->destination;
}

static bool take_protocol(struct flow_line *out, struct pairs *p, struct span text)
{
	p->protocol = read_protocol(text, &out->headers.protocol);
	return p->protocol;
}

static bool take_source_port(struct flow_line *out, struct pairs *p, struct span text)
{
	uint64_t number;

	if (!read_number(text, UINT16_MAX, &number))
		return false;
	out->headers.source_port = (uint16_t)number;
	return true;
}

static bool take_port(struct flow_line *out, struct pairs *p, struct span text)
{
	uint64_t number;

	p->port = read_number(text, UINT16_MAX, &number);
	if (p->port)
		out->headers.destination_port = (uint16_t)number;
	return p->port;
}

static bool take_type(struct flow_line *out, struct pairs *p, struct span text)
{
	p->type = read_number(text, UINT8_MAX, &p->icmp_type);
	return p->type;
}

static bool take_mac(struct flow_line *out, struct pairs *p, struct span text)
{
	return read_mac(out, text);
}

static bool take_time(struct flow_line *out, struct pairs *p, struct span text)
{
	return read_time(out, text);
}

static bool take_permit(struct flow_line *out, struct pairs *p, struct span text)
{
	uint64_t number;

	if (!read_number(text, FLOW_LINE_PERMIT_MAX, &number))
		return false;
	out->permit = (uint32_t)number;
	return true;
}

/* Whether a reason is one that headers and time cannot give. */
static bool take_reason(struct flow_line *out, struct pairs *p, struct span text)
{
	static const char *const beginnings[] = {"conform-", "limit-"};

	for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
		size_t size = strlen(beginnings[i]);

		p->by_traffic |= text.size >= size && memcmp(text.data, beginnings[i], size) == 0;
	}
	return true;
}

static bool take_pair(struct flow_line *out, struct pairs *p, struct span name, struct span value)
{
	static const struct {
		const char *name;
		bool (*take)(struct flow_line *out, struct pairs *p, struct span text);
	} takers[] = {
		{"from", take_from},     {"src", take_source},        {"dst", take_destination},
		{"dport", take_port},    {"sport", take_source_port}, {"proto", take_protocol},
		{"mac", take_mac},       {"icmp-type", take_type},    {"at", take_time},
		{"permit", take_permit}, {"reason", take_reason},
	};

	for (size_t i = 0; i < sizeof(takers) / sizeof(takers[0]); i++) {
		if (span_equal(name, span_of(takers[i].name)))
			return value.size <= FLOW_LINE_VALUE_MAX && takers[i].take(out, p, value);
	}
	return true;
}

static void advance(struct span *rest, size_t bytes)
{
	rest->data += bytes;
	rest->size -= bytes;
}

/* Bytes up to the first of @stops, or all. */
static size_t length_to(struct span rest, const char *stops)
{
	size_t n = 0;

	while (n < rest.size && strchr(stops, rest.data[n]) == NULL)
		n++;
	return n;
}

/* A value in quotes; what is escaped in it means nothing to us, and is left as it is. */
static bool cut_quoted(struct span *rest, struct span *value)
{
	size_t n = 1;

	while (n < rest->size && rest->data[n] != '"')
		n += rest->data[n] == '\\' ? 2 : 1;
	if (n >= rest->size)
		return false;
	*value = (struct span){rest->data + 1, n - 1};
	advance(rest, n + 1);
	return true;
}

/* name=value or name="value" up to the line's end, or to ']' of structured data. */
static int read_pairs(struct flow_line *out, struct pairs *p, struct span rest, bool structured)
{
	const char *stops = structured ? " ]" : " \t";

	for (;;) {
		struct span name, value;

		while (rest.size > 0 && (rest.data[0] == ' ' || rest.data[0] == '\t'))
			advance(&rest, 1);
		if (rest.size == 0)
			return structured ? -ERR_SYNTAX : 0;
		if (structured && rest.data[0] == ']')
			return 0;
		name = (struct span){rest.data, length_to(rest, "= \t]")};
		advance(&rest, name.size);
		if (rest.size < 2 || rest.data[0] != '=')
			return -ERR_SYNTAX;
		advance(&rest, 1);
		if (rest.data[0] != '"') {
			value = (struct span){rest.data, length_to(rest, stops)};
			advance(&rest, value.size);
		} else if (!cut_quoted(&rest, &value)) {
			return -ERR_SYNTAX;
		}
		if (!take_pair(out, p, name, value))
			return -ERR_SYNTAX;
	}
}

static int put_together(struct flow_line *out, const struct pairs *p)
{
	struct ip_headers *h = &out->headers;

	if (!p->from || !p->source || !p->destination || !p->protocol)
		return -ERR_NOT_FOUND;
	if (h->family != p->destination_family)
		return -ERR_SYNTAX;
	h->hop_limit = HOP_LIMIT;
	h->tcp_flags = h->protocol == IP_PROTOCOL_TCP ? TCP_SYN : 0;
	if (policy_has_ports(h->protocol)) {
		h->flags = IP_HAS_PORTS;
		return p->port ? 0 : -ERR_NOT_FOUND;
	}
	if (policy_is_icmp(h->protocol)) {
		h->flags = IP_HAS_ICMP;
		h->icmp_type = h->protocol == IP_PROTOCOL_ICMP ? ICMP_ECHO : ICMPV6_ECHO;
		if (p->port && h->destination_port != 0) /* records of denials tell it there */
			h->icmp_type = (uint8_t)h->destination_port;
		if (p->type)
			h->icmp_type = (uint8_t)p->icmp_type;
	}
	return 0;
}

/* What the name of a record tells of the flow; false: nothing that counts. */
static bool read_event(struct flow_line *out, struct span event)
{
	if (span_equal(event, span_of("flow-permitted")))
		out->outcome = FLOW_PERMITTED;
	else if (span_equal(event, span_of("flow-denied")))
		out->outcome = FLOW_DENIED;
	return out->outcome != FLOW_UNTOLD;
}

/* RFC 5424 6: PRI and version, time, host, application, process, event, structured data. */
static int read_record(struct flow_line *out, struct span rest)
{
	struct span tokens[RECORD_TOKENS];
	struct pairs p = {.recorded = true};
	int err;

	for (size_t i = 0; i < RECORD_TOKENS; i++) {
		tokens[i] = (struct span){rest.data, length_to(rest, " ")};
		if (tokens[i].size == rest.size)
			return -ERR_SYNTAX;
		advance(&rest, tokens[i].size + 1);
	}
	if (!read_event(out, tokens[RECORD_TOKENS - 1]))
		return -ERR_NOT_FOUND;
	if (rest.size == 0 || rest.data[0] != '[' || !read_time(out, tokens[1]))
		return -ERR_SYNTAX;
	advance(&rest, length_to(rest, " ]"));
	err = read_pairs(out, &p, rest, true);
	if (err == 0 && p.by_traffic)
		return -ERR_NOT_FOUND;
	return err != 0 ? err : put_together(out, &p);
}

int flow_line_read(struct flow_line *out, struct span line)
{
	struct pairs p = {0};
	int err;

	*out = (struct flow_line){0};
	if (line.size > FLOW_LINE_BYTES_MAX)
		return -ERR_TOO_LONG;
	if (line.size > 0 && memchr(line.data, '\0', line.size) != NULL)
		return -ERR_SYNTAX;
	while (line.size > 0 && (line.data[0] == ' ' || line.data[0] == '\t'))
		advance(&line, 1);
	if (line.size == 0 || line.data[0] == '#')
		return -ERR_NOT_FOUND;
	if (line.data[0] == '<')
		return read_record(out, line);
	err = read_pairs(out, &p, line, false);
	if (err == 0)
		err = put_together(out, &p);
	if (out->permit != 0)
		out->outcome = FLOW_PERMITTED;
	return err == -ERR_NOT_FOUND ? -ERR_SYNTAX : err; /* who writes one by hand writes it all */
}
