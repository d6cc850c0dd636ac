/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A viewer's connection: socket, TLS, the handshake by the gateway's own caller. */
#include "rfb_viewer.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "tls/pem.h"
#include "wire/rfb/client.h"
#include "wire/rfb/handshake.h"

void viewer_die(const char *what)
{
	perror(what);
	exit(2);
}

uint64_t viewer_now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static void wait_for(struct rfb_viewer *v, bool reading)
{
	struct pollfd poll_fd = {.fd = v->stream.fd,
				 .events = stream_events(&v->stream, reading, !reading)};

	if (poll(&poll_fd, 1, -1) < 0)
		viewer_die("poll");
}

static void fill(struct rfb_viewer *v)
{
	ssize_t n;

	memmove(v->buffer, v->buffer + v->at, v->end - v->at);
	v->end -= v->at;
	v->at = 0;
	if (v->end == sizeof(v->buffer))
		viewer_die("a unit larger than the buffer");
	for (;;) {
		n = stream_read(&v->stream, v->buffer + v->end, sizeof(v->buffer) - v->end);
		if (n != -ERR_AGAIN)
			break;
		wait_for(v, true);
	}
	if (n <= 0)
		viewer_die("the server has gone");
	v->end += (size_t)n;
	v->bytes += (uint64_t)n;
}

struct reader viewer_take(struct rfb_viewer *v, size_t count)
{
	struct reader r;

	while (v->end - v->at < count)
		fill(v);
	reader_init(&r, v->buffer + v->at, count);
	v->at += count;
	return r;
}

void viewer_skip(struct rfb_viewer *v, uint64_t count)
{
	while (count > 0) {
		size_t there = v->end - v->at < count ? v->end - v->at : (size_t)count;

		v->at += there;
		count -= there;
		if (count > 0)
			fill(v);
	}
}

void viewer_put(struct rfb_viewer *v, const struct writer *w)
{
	for (size_t at = 0; at < w->size;) {
		ssize_t n = stream_write(&v->stream, w->data + at, w->size - at);

		if (n > 0)
			at += (size_t)n;
		else if (n == -ERR_AGAIN)
			wait_for(v, false);
		else
			viewer_die("write");
	}
}

void viewer_request(struct rfb_viewer *v, bool incremental)
{
	struct rfb_rect all = {0, 0, v->width, v->height};
	uint8_t bytes[16];
	struct writer w;

	writer_init(&w, bytes, sizeof(bytes));
	rfb_client_request(&w, &all, incremental);
	viewer_put(v, &w);
}

static int open_connection(const char *ipv4, const char *port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)strtoul(port, NULL, 10))};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (inet_pton(AF_INET, ipv4, &to.sin_addr) != 1 || fd < 0 ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0 ||
	    fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
		viewer_die("connect");
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on,
			 sizeof(on)); /* a slower measurement without */
	return fd;
}

static void begin_tls(struct rfb_viewer *v, const char *host, const char *authority)
{
	struct tls_settings settings = {.side = TLS_CLIENT, .peer_name = host};
	int fd = open(authority, O_RDONLY | O_CLOEXEC), error;
	enum tls_fault fault;
	struct bytes pem;

	bytes_init(&pem, TLS_PEM_BYTES_MAX);
	if (fd < 0 || tls_pem_read(fd, &pem) != 0)
		viewer_die(authority);
	(void)close(fd);
	settings.authorities = bytes_span(&pem);
	if (stream_prepare_tls(&v->stream, &settings, &fault) != 0)
		viewer_die(tls_fault_text(fault));
	bytes_fini(&pem);
	for (;;) {
		error = stream_handshake(&v->stream);
		if (error != -ERR_AGAIN)
			break;
		wait_for(v, true);
	}
	if (error != 0)
		viewer_die(tls_fault_text(tls_fault(v->stream.tls)));
}

/* Return: what the caller wants next. */
static int shake(struct rfb_viewer *v, struct rfb_caller *caller)
{
	uint8_t bytes[RFB_HANDSHAKE_WRITE_MAX];
	struct reader r;
	struct writer w;
	int event;

	writer_init(&w, bytes, sizeof(bytes));
	reader_init(&r, v->buffer + v->at, v->end - v->at);
	event = rfb_caller_next(caller, &r, &w);
	v->at += r.at;
	viewer_put(v, &w);
	if (event == RFB_HANDSHAKE_TLS)
		(void)rfb_caller_secured(caller, &r); /* whose server lies measures nothing */
	if (event == RFB_HANDSHAKE_LOGIN) {
		writer_init(&w, bytes, sizeof(bytes));
		rfb_caller_login(caller, span_of("bench"), span_of("bench"), &w);
		viewer_put(v, &w);
	}
	if (event == RFB_HANDSHAKE_MORE)
		fill(v);
	if (event < 0)
		viewer_die(caller->fault);
	return event;
}

void viewer_connect(struct rfb_viewer *v, const char *ipv4, const char *port, const char *security,
		    const char *authority, int32_t encoding)
{
	bool is_plain = strcmp(security, "x509-plain") == 0,
	     is_vencrypt = is_plain || strcmp(security, "x509-none") == 0;
	struct rfb_caller caller;
	uint8_t bytes[64];
	struct writer w;
	int event;

	stream_init(&v->stream, open_connection(ipv4, port));
	if (strcmp(security, "tls") == 0)
		begin_tls(v, ipv4, authority);
	rfb_caller_init(&caller, is_vencrypt ? RFB_SECURITY_VENCRYPT : RFB_SECURITY_NONE,
			is_plain      ? RFB_SUBTYPE_X509_PLAIN
			: is_vencrypt ? RFB_SUBTYPE_X509_NONE
				      : RFB_SUBTYPE_NONE);
	do {
		event = shake(v, &caller);
		if (event == RFB_HANDSHAKE_TLS)
			begin_tls(v, ipv4, authority);
	} while (event != RFB_HANDSHAKE_DONE);
	v->width = caller.width;
	v->height = caller.height;
	writer_init(&w, bytes, sizeof(bytes));
	rfb_client_set_format(&w, &rfb_format_gateway);
	rfb_client_set_encodings(&w, &encoding, 1);
	viewer_put(v, &w);
}
