/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An ICAP server (RFC 3507): the message is shown as the body of an HTTP response or request.
 * It is always sent whole, without a preview: a verdict on the beginning of a message is none
 * (docs/adr/0652-a-scan-is-of-the-whole-message.md).
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "mail-scanner/scan.h"

#define HOST_BYTES  80
#define PLACE       "http://mail.invalid/message.eml" /* RFC 6761: nobody's */
#define HTTP_HOST   "Host: mail.invalid\r\n"
#define HTTP_BYTES  512
#define END_OF_BODY "0\r\n\r\n"

enum { STEP_BEGIN, STEP_MESSAGE, STEP_DONE };

static void name_host(const struct scan *s, char out[HOST_BYTES])
{
	char address[INET6_ADDRSTRLEN] = "";
	bool six = s->scanner->address.family == 6;

	/* The family and the size are right. */
	(void)inet_ntop(six ? AF_INET6 : AF_INET, s->scanner->address.addr, address,
			sizeof(address));
	(void)snprintf(out, HOST_BYTES, six ? "[%s]:%u" : "%s:%u", address, s->scanner->port);
}

/* Failures of writing are told by out->failed. */
static void put_respmod(struct scan *s, struct bytes *out, const char *host)
{
	static const char request[] = "GET " PLACE " HTTP/1.1\r\n" HTTP_HOST "\r\n";
	char response[HTTP_BYTES];
	int size = snprintf(response, sizeof(response),
			    "HTTP/1.1 200 OK\r\nContent-Type: message/rfc822\r\n"
			    "Content-Length: %zu\r\n\r\n",
			    s->message.size);

	(void)bytes_printf(out,
			   "RESPMOD icap://%s/%s ICAP/1.0\r\nHost: %s\r\nUser-Agent: Sekisho\r\n"
			   "Allow: 204\r\nEncapsulated: req-hdr=0, res-hdr=%zu, res-body=%zu"
			   "\r\n\r\n%s%s",
			   host, s->service, host, sizeof(request) - 1,
			   sizeof(request) - 1 + (size_t)size, request, response);
}

static void put_reqmod(struct scan *s, struct bytes *out, const char *host)
{
	char request[HTTP_BYTES];
	int size = snprintf(request, sizeof(request),
			    "POST " PLACE " HTTP/1.1\r\n" HTTP_HOST
			    "Content-Type: message/rfc822\r\nContent-Length: %zu\r\n\r\n",
			    s->message.size);

	(void)bytes_printf(out,
			   "REQMOD icap://%s/%s ICAP/1.0\r\nHost: %s\r\nUser-Agent: Sekisho\r\n"
			   "Allow: 204\r\nEncapsulated: req-hdr=0, req-body=%d\r\n\r\n%s",
			   host, s->service, host, size, request);
}

static void put_request(struct scan *s, struct bytes *out)
{
	char host[HOST_BYTES];

	name_host(s, host);
	if (s->scanner->method == SCANNER_RESPMOD)
		put_respmod(s, out, host);
	else
		put_reqmod(s, out, host);
}

static void put_chunk(struct scan *s, struct bytes *out)
{
	size_t left = s->message.size - s->message_at,
	       size = left < SCAN_CHUNK_BYTES ? left : SCAN_CHUNK_BYTES;

	(void)bytes_printf(out, "%zx\r\n", size); /* out->failed tells */
	(void)bytes_append(out, s->message.data + s->message_at, size);
	(void)bytes_append(out, "\r\n", 2);
	s->message_at += size;
}

static bool fill(struct scan *s, struct bytes *out)
{
	if (s->step == STEP_BEGIN) {
		put_request(s, out);
		s->step = STEP_MESSAGE;
	} else if (s->step == STEP_MESSAGE && s->message_at < s->message.size) {
		put_chunk(s, out);
	} else if (s->step == STEP_MESSAGE) {
		(void)bytes_append_text(out, END_OF_BODY); /* out->failed tells */
		s->step = STEP_DONE;
	} else {
		return false;
	}
	return true;
}

/* Does what came back say the same as what was sent? */
static void compare(struct scan *s, struct span body)
{
	if (s->differs || body.size == 0)
		return;
	s->differs = body.size > s->message.size - s->compared ||
		     memcmp(s->message.data + s->compared, body.data, body.size) != 0;
	s->compared += body.size;
}

/* 200 with the message as it was is clean, too: not every server knows 204. */
static bool is_unchanged(const struct scan *s)
{
	const struct icap_reply *r = &s->reply;
	bool same = r->has_body && !s->differs && s->compared == s->message.size;

	if (s->scanner->method == SCANNER_REQMOD)
		return same && r->is_request;
	return same && !r->is_request && r->http_status == 200;
}

static void judge(struct scan *s)
{
	const struct icap_reply *r = &s->reply;
	struct span name = span_of(r->threat_name[0] != '\0' ? r->threat_name : "unnamed");

	scan_copy_text(s->result.version, sizeof(s->result.version), span_of(r->tag));
	if (r->threat) {
		scan_copy_text(s->result.signature, sizeof(s->result.signature), name);
		scan_decide(s, SCAN_INFECTED, NULL);
	} else if (r->status == 204) {
		scan_decide(s, SCAN_CLEAN, NULL);
	} else if (r->status != 200 && r->status != 201) {
		scan_decide(s, SCAN_FAILED, "the scanner answers with an error");
	} else if (is_unchanged(s)) {
		scan_decide(s, SCAN_CLEAN, NULL);
	} else {
		scan_copy_text(s->result.signature, sizeof(s->result.signature),
			       span_of("blocked by the scanner"));
		scan_decide(s, SCAN_INFECTED, NULL);
	}
}

static void take(struct scan *s, struct span in)
{
	while (in.size > 0 && !s->decided) {
		struct span body;
		size_t size = icap_reply_push(&s->reply, in, &body);

		compare(s, body);
		in = (struct span){in.data + size, in.size - size};
		if (s->reply.phase == ICAP_DONE)
			judge(s);
		else if (s->reply.phase == ICAP_FAILED)
			scan_decide(s, SCAN_FAILED, "the scanner does not speak its protocol");
	}
}

const struct scan_protocol scan_with_icap = {fill, take};
