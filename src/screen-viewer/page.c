/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page for browsers: a fixed list of files over HTTPS, and the upgrade that turns the
 * connection into a session. One request is answered at a time. Until the upgrade the connection
 * has no session, no desktop, and nothing of the policy but the names that the gateway answers to.
 */
#include <arpa/inet.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "screen-viewer/page_files.h"
#include "screen-viewer/viewer.h"
#include "wire/packet/http_head.h"

#define HTTPS_PORT 443

_Static_assert(PAGE_FILE_BYTES_MAX + PAGE_HEAD_MAX <= VIEWER_OUT_BYTES, "an answer fits");

/* On every answer. Only files of our own; nothing of them is kept, framed or told to others. */
static const char common_fields[] =
	"Strict-Transport-Security: max-age=31536000\r\n"
	"Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
	"img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
	"frame-ancestors 'none'\r\n"
	"X-Content-Type-Options: nosniff\r\n"
	"Referrer-Policy: no-referrer\r\n"
	"Cross-Origin-Opener-Policy: same-origin\r\n"
	"Cross-Origin-Resource-Policy: same-origin\r\n"
	"Cache-Control: no-store\r\n";

enum status {
	STATUS_OK,
	STATUS_BAD,
	STATUS_ORIGIN,
	STATUS_NOT_FOUND,
	STATUS_TIMEOUT,
	STATUS_BODY,
	STATUS_HOST,
	STATUS_VERSION,
	STATUS_TOO_LONG,
	STATUS_METHOD,
	STATUS_HTTP_VERSION,
};

static const struct {
	const char *line;
	const char *fault; /* for the event; NULL: nothing out of the ordinary */
} statuses[] = {
	[STATUS_OK] = {"200 OK", NULL},
	[STATUS_BAD] = {"400 Bad Request", "http-syntax"},
	[STATUS_ORIGIN] = {"403 Forbidden", "http-origin"},
	[STATUS_NOT_FOUND] = {"404 Not Found", NULL},
	[STATUS_TIMEOUT] = {"408 Request Timeout", "http-timeout"},
	[STATUS_BODY] = {"413 Content Too Large", "http-body"},
	[STATUS_HOST] = {"421 Misdirected Request", "http-host"},
	[STATUS_VERSION] = {"426 Upgrade Required", "http-websocket"},
	[STATUS_TOO_LONG] = {"431 Request Header Fields Too Large", "http-length"},
	[STATUS_METHOD] = {"405 Method Not Allowed", "http-method"},
	[STATUS_HTTP_VERSION] = {"505 HTTP Version Not Supported", "http-version"},
};

/* Return: 0 or -ERR_NO_MEMORY. */
static int copy_names(struct page_names *names, const struct snapshot *s,
		      const struct snapshot_screen *screen)
{
	struct snapshot_range addresses = s->zones[screen->from].addresses;
	struct snapshot_range hosts = screen->browser_names;

	bytes_init(&names->hosts, PAGE_NAMES_MAX);
	bytes_init(&names->addresses, PAGE_NAMES_MAX);
	names->port = screen->browser_port;
	(void)bytes_append(&names->addresses, s->prefixes + addresses.first,
			   addresses.count * sizeof(*s->prefixes));
	for (uint32_t i = 0; i < hosts.count; i++) {
		const char *name = snapshot_text_at(s, s->list_texts[hosts.first + i].at);

		(void)bytes_append(&names->hosts, name, strlen(name) + 1);
	}
	return names->hosts.failed || names->addresses.failed ? -ERR_NO_MEMORY : 0;
}

int page_load(struct viewer *v, int snapshot_fd)
{
	struct snapshot policy;
	int error = snapshot_load(&policy, snapshot_fd);

	if (error != 0)
		return error;
	error = v->start.index < policy.screen_count
			? copy_names(&v->browser.names, &policy, &policy.screens[v->start.index])
			: -ERR_NOT_FOUND;
	snapshot_unload(&policy);
	return error;
}

/* ---- answers ---- */

static void write_head(struct writer *w, const char *status)
{
	char date[40];
	time_t now = (time_t)(clock_wall_ns(&clock_system) / 1000000000);
	struct tm tm;

	writer_printf(w, "HTTP/1.1 %s\r\n%s", status, common_fields);
	if (gmtime_r(&now, &tm) != NULL &&
	    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm) > 0)
		writer_printf(w, "Date: %s\r\n", date);
}

static void write_end(struct viewer *v, struct writer *w)
{
	if (v->browser.closing)
		writer_text(w, "Connection: close\r\n");
	writer_text(w, "\r\n");
}

/* Anything but a file: the status is its own text, and the connection ends. */
static void answer_status(struct viewer *v, enum status status)
{
	struct writer w = update_writer(v);
	const char *line = statuses[status].line;

	if (statuses[status].fault)
		event_send(&v->process.events, EVENT_SCREEN_PAGE_REFUSED,
			   EV_NUMBER(SESSION, v->session.id), EV_TEXT(NAME, v->session.name),
			   EV_TEXT(REASON, statuses[status].fault));
	v->browser.closing = true;
	write_head(&w, line);
	if (status == STATUS_METHOD)
		writer_text(&w, "Allow: GET, HEAD\r\n");
	if (status == STATUS_VERSION)
		writer_text(&w, "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
	writer_printf(&w, "Content-Type: text/plain\r\nContent-Length: %zu\r\n", strlen(line));
	write_end(v, &w);
	writer_text(&w, line);
	update_written(v, &w);
}

static void answer_file(struct viewer *v, const struct page_file *file, bool with_content)
{
	struct writer w = update_writer(v);

	write_head(&w, statuses[STATUS_OK].line);
	writer_printf(&w, "Content-Type: %s\r\nContent-Length: %zu\r\n", file->type, file->size);
	write_end(v, &w);
	if (with_content)
		writer_bytes(&w, file->data, file->size);
	update_written(v, &w);
}

/* ---- names ---- */

static bool is_own_address(const struct page_names *names, struct span host)
{
	bool is_6 = host.size > 2 && host.data[0] == '[';
	char text[INET6_ADDRSTRLEN];
	uint8_t address[16];
	struct snapshot_prefix own;

	if (is_6)
		host = (struct span){host.data + 1, host.size - 2};
	if (host.size >= sizeof(text))
		return false;
	memcpy(text, host.data, host.size);
	text[host.size] = '\0';
	if (inet_pton(is_6 ? AF_INET6 : AF_INET, text, address) != 1)
		return false;
	for (size_t at = 0; at < names->addresses.size; at += sizeof(own)) {
		memcpy(&own, names->addresses.data + at, sizeof(own));
		if (own.family == (is_6 ? 6 : 4) && memcmp(own.addr, address, is_6 ? 16 : 4) == 0)
			return true;
	}
	return false;
}

static bool is_own_name(const struct page_names *names, struct span host)
{
	for (size_t at = 0; at < names->hosts.size;) {
		struct span own = span_of((const char *)names->hosts.data + at);

		if (span_equal_nocase(host, own))
			return true;
		at += own.size + 1;
	}
	return false;
}

/* A page of somebody else whose name was made to lead here must get nothing of us. */
static bool is_for_us(const struct page_names *names, const struct web_request *request)
{
	uint32_t port = request->port == HTTP_PORT_NONE ? HTTPS_PORT : request->port;

	return port == names->port &&
	       (is_own_address(names, request->host) || is_own_name(names, request->host));
}

/* ---- requests ---- */

static void upgrade(struct viewer *v, const struct web_request *request)
{
	struct viewer_browser *b = &v->browser;
	char accept[WEB_ACCEPT_TEXT_MAX];
	struct writer w;

	web_accept(request->key, accept);
	writer_init(&w, b->head, sizeof(b->head));
	write_head(&w, "101 Switching Protocols");
	writer_printf(&w,
		      "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n"
		      "Sec-WebSocket-Protocol: binary\r\n\r\n",
		      accept);
	if (w.failed) {
		viewer_end(v, SCREEN_END_INTERNAL, "viewer-buffer", 0);
		return;
	}
	b->head_end = w.size;
	b->upgraded = true;
	websocket_init(&b->frames);
	v->session.began_ms = clock_mono_ms(v->loop.clock);
	v->phase = VIEWER_HANDSHAKE;
	loop_arm(&v->loop, &v->handshake_timer, SESSION_HANDSHAKE_MS);
	client_greet(v);
	secure_tell(v);
}

/* What a browser waits for before it sends frames: nothing may stand behind the request yet. */
static enum status judge_upgrade(const struct viewer *v, const struct web_request *request)
{
	if (!request->wants_websocket || request->is_head || request->key.size == 0 ||
	    !request->offers_binary || v->in_at < v->in_end)
		return STATUS_BAD;
	if (request->version != 13)
		return STATUS_VERSION;
	return web_request_same_origin(request) ? STATUS_OK : STATUS_ORIGIN;
}

static void answer_session(struct viewer *v, const struct web_request *request)
{
	enum status status = judge_upgrade(v, request);

	if (status == STATUS_OK)
		upgrade(v, request);
	else
		answer_status(v, status);
}

static void answer(struct viewer *v, const struct web_request *request)
{
	struct viewer_browser *b = &v->browser;

	b->closing = request->wants_close || ++b->requests >= PAGE_REQUESTS_MAX;
	loop_arm(&v->loop, &v->handshake_timer, PAGE_REQUEST_MS);
	if (!is_for_us(&b->names, request)) {
		answer_status(v, STATUS_HOST);
		return;
	}
	if (span_equal(request->path, span_of("/session"))) {
		answer_session(v, request);
		return;
	}
	for (size_t i = 0; i < page_file_count; i++) {
		if (!span_equal(request->path, span_of(page_files[i].path)))
			continue;
		answer_file(v, &page_files[i], !request->is_head);
		return;
	}
	answer_status(v, STATUS_NOT_FOUND);
}

static enum status status_of(int error)
{
	switch (error) {
	case -ERR_TOO_LONG:
		return STATUS_TOO_LONG;
	case -ERR_UNSUPPORTED:
		return STATUS_METHOD;
	case -ERR_DENIED:
		return STATUS_BODY;
	case -ERR_RANGE:
		return STATUS_HTTP_VERSION;
	default:
		return STATUS_BAD;
	}
}

/* Return: false where no whole request is there. */
static bool serve_one(struct viewer *v)
{
	struct web_request request;
	struct reader r;
	int error;

	reader_init(&r, v->in + v->in_at, v->in_end - v->in_at);
	error = web_request_read(&request, &r);
	v->in_at += r.at;
	if (error == 0)
		answer(v, &request);
	else if (error != -ERR_TRUNCATED)
		answer_status(v, status_of(error));
	return error == 0;
}

/* The last answer is out. What still comes is read and dropped: a connection that is closed over
 * unread octets is reset, and the browser might lose the answer. */
static void linger(struct viewer *v)
{
	if (!v->browser.lingering) {
		v->browser.lingering = true;
		stream_end(&v->stream);
		loop_arm(&v->loop, &v->handshake_timer, PAGE_LINGER_MS);
	}
	v->in_at = v->in_end;
}

void page_serve(struct viewer *v)
{
	bool whole = true;

	while (whole && v->phase == VIEWER_PAGE && v->session.end == SCREEN_END_NONE_ &&
	       !v->browser.closing && v->out_at == v->out_end)
		whole = serve_one(v);
	if (v->browser.closing && v->out_at == v->out_end)
		linger(v);
}

/* Where a request was begun; otherwise the connection was merely kept for a next one. */
void page_timeout(struct viewer *v)
{
	if (v->in_at < v->in_end && v->out_at == v->out_end && !v->browser.closing)
		answer_status(v, STATUS_TIMEOUT);
}
