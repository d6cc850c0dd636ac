/* SPDX-License-Identifier: GPL-2.0-or-later */
/* WebSocket frames: the stream that comes out of them, and a table of what a client may not send.
 */
#include "unit.h"

#include <string.h>

#include "base/err.h"
#include "wire/web/websocket.h"

#define ZERO "\0\0\0\0" /* a mask that changes nothing */

static uint8_t stream[1024];
static struct writer out;

/* All of @bytes in pieces of @piece; the last event. */
static int feed(struct websocket *ws, const void *bytes, size_t size, size_t piece)
{
	int event = WEBSOCKET_MORE;
	size_t at = 0;

	websocket_init(ws);
	writer_init(&out, stream, sizeof(stream));
	for (size_t end = 0; end < size && event >= 0 && event != WEBSOCKET_CLOSED;) {
		struct reader r;

		end = size - end > piece ? end + piece : size;
		reader_init(&r, (const uint8_t *)bytes + at, end - at);
		event = websocket_next(ws, &r, &out);
		while (event == WEBSOCKET_PINGED && reader_left(&r) > 0)
			event = websocket_next(ws, &r, &out);
		at += r.at;
	}
	return event;
}

#define FEED(ws, text) feed(ws, text, sizeof(text) - 1, sizeof(text))

static void test_websocket_unmasks_however_it_is_cut(void **state)
{
	/* RFC 6455 5.7, as a binary message; then one in pieces with a ping between. */
	static const char text[] = "\x82\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"
				   "\x02\x82" ZERO "ab"
				   "\x89\x83" ZERO "png"
				   "\x80\x81\1\2\3\4b";
	struct websocket ws;

	for (size_t piece = 1; piece < sizeof(text); piece++) {
		assert_true(feed(&ws, text, sizeof(text) - 1, piece) >= 0);
		assert_int_equal(out.size, 8);
		assert_memory_equal(stream, "Helloabc", 8);
		assert_int_equal(ws.control_size, 3);
		assert_memory_equal(ws.control, "png", 3);
	}
}

static void test_websocket_waits_where_the_stream_is_full(void **state)
{
	static const char text[] = "\x82\x85" ZERO "abcde\x82\x81" ZERO "f";
	struct websocket ws;
	struct reader r;

	websocket_init(&ws);
	reader_init(&r, text, sizeof(text) - 1);
	writer_init(&out, stream, 3);
	assert_int_equal(websocket_next(&ws, &r, &out), WEBSOCKET_MORE);
	assert_int_equal(out.size, 3);
	writer_init(&out, stream + 3, 3);
	assert_int_equal(websocket_next(&ws, &r, &out), WEBSOCKET_MORE);
	assert_int_equal(reader_left(&r), 0);
	assert_memory_equal(stream, "abcdef", 6);
}

static void test_websocket_ends_with_a_close(void **state)
{
	struct websocket ws;

	assert_int_equal(FEED(&ws, "\x88\x82" ZERO "\3\xe8"), WEBSOCKET_CLOSED);
	assert_memory_equal(ws.control, "\3\xe8", 2);
	assert_int_equal(FEED(&ws, "\x88\x80" ZERO "\x82\x81" ZERO "x"), WEBSOCKET_CLOSED);
	assert_int_equal(out.size, 0);
}

static void test_websocket_refuses_what_a_client_may_not_send(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
		enum websocket_code code;
		const char *fault;
	} rows[] = {
#define ROW(bytes, code, fault) {bytes, sizeof(bytes) - 1, WEBSOCKET_CODE_##code, fault}
		ROW("\x82\x01x", PROTOCOL, "websocket-unmasked"),
		ROW("\x82\x7e\xff\xff", PROTOCOL, "websocket-unmasked"),
		ROW("\xc2\x81" ZERO "x", PROTOCOL, "websocket-reserved-bits"),
		ROW("\xa2\x81" ZERO "x", PROTOCOL, "websocket-reserved-bits"),
		ROW("\x92\x81" ZERO "x", PROTOCOL, "websocket-reserved-bits"),
		ROW("\x81\x81" ZERO "x", KIND, "websocket-text"),
		ROW("\x83\x81" ZERO "x", PROTOCOL, "websocket-opcode"),
		ROW("\x8b\x80" ZERO, PROTOCOL, "websocket-opcode"),
		ROW("\x8f\x80" ZERO, PROTOCOL, "websocket-opcode"),
		ROW("\x09\x80" ZERO, PROTOCOL, "websocket-control-fragmented"),
		ROW("\x89\xfe\0\x7e" ZERO, PROTOCOL, "websocket-control-length"),
		ROW("\x88\x81" ZERO "x", PROTOCOL, "websocket-close-length"),
		ROW("\x80\x81" ZERO "x", PROTOCOL, "websocket-continuation"),
		ROW("\x02\x81" ZERO "x\x82\x81" ZERO "x", PROTOCOL, "websocket-continuation"),
		ROW("\x82\xfe\0\x7d", PROTOCOL, "websocket-length-form"),
		ROW("\x82\xff\0\0\0\0\0\0\xff\xff", PROTOCOL, "websocket-length-form"),
		ROW("\x82\xff\x80\0\0\0\0\0\0\0", PROTOCOL, "websocket-length-form"),
		ROW("\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff", PROTOCOL, "websocket-length-form"),
		ROW("\x82\xff\0\0\0\0\0\1\0\1" ZERO, TOO_BIG, "websocket-length"),
		ROW("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff" ZERO, TOO_BIG, "websocket-length"),
#undef ROW
	};
	struct websocket ws;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(feed(&ws, rows[i].bytes, rows[i].size, rows[i].size), -ERR_PEER);
		assert_string_equal(ws.fault, rows[i].fault);
		assert_int_equal(ws.code, rows[i].code);
		assert_int_equal(feed(&ws, rows[i].bytes, rows[i].size, 1), -ERR_PEER);
		assert_string_equal(ws.fault, rows[i].fault);
	}
}

/* A message in very many pieces, or too large in sum. */
static void test_websocket_bounds_a_message(void **state)
{
	static const uint8_t empty[] = {0x00, 0x80, 0, 0, 0, 0};
	struct websocket ws;
	struct reader r;
	unsigned count = 1;

	assert_int_equal(FEED(&ws, "\x02\x80" ZERO), WEBSOCKET_MORE);
	do {
		reader_init(&r, empty, sizeof(empty));
		count++;
	} while (websocket_next(&ws, &r, &out) == WEBSOCKET_MORE);
	assert_int_equal(count, WEBSOCKET_FRAMES_MAX + 1);
	assert_int_equal(ws.code, WEBSOCKET_CODE_TOO_BIG);
}

static void test_websocket_heads_have_the_shortest_length(void **state)
{
	uint8_t head[2 + WEBSOCKET_CONTROL_MAX];
	struct writer w;

	writer_init(&w, head, sizeof(head));
	websocket_head(&w, WEBSOCKET_BINARY, 125);
	websocket_head(&w, WEBSOCKET_BINARY, 126);
	websocket_head(&w, WEBSOCKET_BINARY, 65535);
	websocket_head(&w, WEBSOCKET_PONG, 65536);
	assert_int_equal(w.size, 2 + 4 + 4 + WEBSOCKET_HEAD_MAX);
	assert_memory_equal(head, "\x82\x7d\x82\x7e\0\x7e\x82\x7e\xff\xff\x8a\x7f\0\0\0\0\0\1\0\0",
			    w.size);
	writer_init(&w, head, sizeof(head));
	websocket_close(&w, 1000, "cleared");
	assert_int_equal(w.size, 11);
	assert_memory_equal(head,
			    "\x88\x09\3\xe8"
			    "cleared",
			    w.size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_websocket_unmasks_however_it_is_cut),
		cmocka_unit_test(test_websocket_waits_where_the_stream_is_full),
		cmocka_unit_test(test_websocket_ends_with_a_close),
		cmocka_unit_test(test_websocket_refuses_what_a_client_may_not_send),
		cmocka_unit_test(test_websocket_bounds_a_message),
		cmocka_unit_test(test_websocket_heads_have_the_shortest_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
