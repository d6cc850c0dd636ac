/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One function for each protocol that a service can ask for. */
#include "arbiter/conform_check.h"

#include <string.h>

#include "base/err.h"
#include "wire/packet/dns_query.h"
#include "wire/packet/http_request.h"
#include "wire/packet/rdp_request.h"
#include "wire/smtp/command.h"
#include "wire/packet/ssh_banner.h"
#include "wire/packet/tls_hello.h"

/* A greeting of a server, and an SSH server's key exchange, which may come before the client's. */
enum { SMTP_GREETING_BYTES_MAX = 8192, SSH_OPENING_BYTES_MAX = 16384 };

bool conform_name_matches(struct span pattern, struct span name)
{
	struct span below;

	if (pattern.size < 3 || pattern.data[0] != '*')
		return span_equal_nocase(pattern, name);
	below = (struct span){pattern.data + 1, pattern.size - 1}; /* with its dot */
	if (name.size <= below.size)
		return false;
	name.data += name.size - below.size;
	name.size = below.size;
	return span_equal_nocase(below, name);
}

static void refuse(struct conform_finding *out, enum judge_reason reason)
{
	out->state = CONFORM_REFUSED;
	out->reason = reason;
}

/* What a parser says about a stream that has not shown a whole first message. */
static void take_error(struct conform_finding *out, int err)
{
	switch (err) {
	case -ERR_TRUNCATED:
		out->state = CONFORM_PENDING;
		break;
	case -ERR_UNSUPPORTED:
		refuse(out, JUDGE_CONFORM_PROTOCOL);
		break;
	case -ERR_TOO_LONG:
		refuse(out, JUDGE_CONFORM_TOO_LONG);
		break;
	default:
		refuse(out, JUDGE_CONFORM_SYNTAX);
	}
}

/* A name against the rule's list; without a list any will do, even none. */
static void take_name(struct conform_finding *out, const struct conform_rule *rule,
		      struct span name)
{
	const struct snapshot *s = rule->snapshot;
	struct snapshot_range names = rule->row->names;

	out->name_bytes = name.size < CONFORM_NAME_BYTES_MAX ? name.size : CONFORM_NAME_BYTES_MAX;
	if (name.size > 0)
		memcpy(out->name, name.data, out->name_bytes);
	out->name[out->name_bytes] = '\0';
	out->state = CONFORM_SHOWN;
	if (names.count == 0)
		return;
	for (uint32_t i = 0; i < names.count && name.size > 0; i++) {
		const char *pattern = snapshot_text_at(s, s->list_texts[names.first + i].at);

		if (conform_name_matches(span_of(pattern), name))
			return;
	}
	refuse(out, JUDGE_CONFORM_NAME);
}

static void check_tls(struct conform_finding *out, const struct conform_rule *rule,
		      struct span stream, uint8_t *scratch)
{
	struct tls_hello hello;
	int err = tls_hello_read(&hello, stream.data, stream.size, scratch);

	if (err != 0) {
		take_error(out, err);
		return;
	}
	take_name(out, rule, hello.server_name);
	if (hello.has_encrypted_hello && !rule->row->ech_allowed)
		refuse(out, JUDGE_CONFORM_HIDDEN);
}

static void check_http(struct conform_finding *out, const struct conform_rule *rule,
		       struct span stream, uint8_t *scratch)
{
	struct http_request request;
	int err = http_request_read(&request, stream.data, stream.size);

	if (err == 0 && request.is_http2)
		err = -ERR_UNSUPPORTED; /* names no host before its own compressed headers */
	if (err != 0)
		take_error(out, err);
	else
		take_name(out, rule, request.host);
}

static void check_dns(struct conform_finding *out, const struct conform_rule *rule,
		      struct span stream, uint8_t *scratch)
{
	struct dns_query query;
	int err = dns_query_read_stream(&query, stream.data, stream.size);

	if (err != 0)
		take_error(out, err);
	else
		take_name(out, rule, (struct span){(const uint8_t *)query.name, query.name_bytes});
}

static void check_ssh(struct conform_finding *out, const struct conform_rule *rule,
		      struct span stream, uint8_t *scratch)
{
	struct span software;
	int err = ssh_banner_read(&software, stream.data, stream.size);

	if (err != 0)
		take_error(out, err);
	else
		take_name(out, rule, software);
}

/* RFC 5321 3.2, 4.1.1.1: the client opens with EHLO or HELO and its name. */
static void check_smtp(struct conform_finding *out, const struct conform_rule *rule,
		       struct span stream, uint8_t *scratch)
{
	static const char *const openings[] = {"EHLO ", "HELO "};
	const size_t verb_bytes = 5;
	struct span begin = {stream.data, stream.size < verb_bytes ? stream.size : verb_bytes};
	struct smtp_line parsed;
	struct span line;
	size_t taken;

	if (!span_starts_nocase(span_of(openings[0]), begin) &&
	    !span_starts_nocase(span_of(openings[1]), begin)) {
		refuse(out, JUDGE_CONFORM_PROTOCOL);
		return;
	}
	int err = smtp_line_next(stream, SMTP_LINE_MAX, &line, &taken);

	if (err == 0)
		err = smtp_line_parse(line, &parsed);
	if (err == 0 && parsed.argument.size == 0)
		err = -ERR_SYNTAX;
	if (err != 0)
		take_error(out, err);
	else
		take_name(out, rule, parsed.argument);
}

static void check_rdp(struct conform_finding *out, const struct conform_rule *rule,
		      struct span stream, uint8_t *scratch)
{
	struct rdp_request request;
	int err = rdp_request_read(&request, stream.data, stream.size);

	if (err != 0)
		take_error(out, err);
	else
		take_name(out, rule, request.cookie);
}

static const struct {
	const char *name;
	void (*check)(struct conform_finding *out, const struct conform_rule *rule,
		      struct span stream, uint8_t *scratch);
	uint32_t responder_bytes_max;
} kinds[] = {
	[CONFORM_TLS] = {"tls", check_tls, 0},
	[CONFORM_HTTP] = {"http", check_http, 0},
	[CONFORM_DNS] = {"dns", check_dns, 0},
	[CONFORM_SSH] = {"ssh", check_ssh, SSH_OPENING_BYTES_MAX},
	[CONFORM_SMTP] = {"smtp", check_smtp, SMTP_GREETING_BYTES_MAX},
	[CONFORM_RDP] = {"rdp", check_rdp, 0},
};

static bool is_known(uint32_t kind)
{
	return kind < sizeof(kinds) / sizeof(kinds[0]);
}

const char *conform_kind_name(uint32_t kind)
{
	return is_known(kind) ? kinds[kind].name : "unknown";
}

uint32_t conform_responder_bytes_max(const struct conform_rule *rule)
{
	return is_known(rule->row->kind) ? kinds[rule->row->kind].responder_bytes_max : 0;
}

void conform_check_stream(struct conform_finding *out, const struct conform_rule *rule,
			  struct span stream, uint8_t *scratch)
{
	*out = (struct conform_finding){.state = CONFORM_REFUSED, .reason = JUDGE_CONFORM_PROTOCOL};
	if (is_known(rule->row->kind))
		kinds[rule->row->kind].check(out, rule, stream, scratch);
}

void conform_check_datagram(struct conform_finding *out, const struct conform_rule *rule,
			    struct span payload, bool reply)
{
	struct dns_query query;
	int err;

	*out = (struct conform_finding){.state = CONFORM_REFUSED, .reason = JUDGE_CONFORM_PROTOCOL};
	if (rule->row->kind != CONFORM_DNS)
		return; /* the others are protocols of TCP */
	err = reply ? dns_answer_read(&query, payload.data, payload.size)
		    : dns_query_read(&query, payload.data, payload.size);
	if (err != 0) {
		take_error(out, err == -ERR_TRUNCATED ? -ERR_SYNTAX : err);
		return;
	}
	if (reply) /* to a question that was looked at when it was asked */
		out->state = CONFORM_SHOWN;
	else
		take_name(out, rule, (struct span){(const uint8_t *)query.name, query.name_bytes});
}
