/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes every pixel of an X server's root window, so many times a second: two pictures take
 * turns, each with flat areas, lines of text-like runs, a gradient and a patch of noise, and
 * differing in every pixel. Speaks the X11 protocol itself (X Window System Protocol, release 7.7):
 * the build has no X library.
 *
 * usage: x11_flicker DISPLAY-NUMBER FRAMES-PER-SECOND
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
	BAND_ROWS = 32,
	PICTURES = 16, /* a frame is seldom sampled twice in a row */
	COPY_AREA = 62,
	CREATE_GC = 55,
	CREATE_PIXMAP = 53,
	PUT_IMAGE = 72,
	GET_INPUT_FOCUS = 43
};

struct x11 {
	int fd;
	uint32_t next_id, root;
	uint16_t width, height;
	uint8_t depth;
};

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(2);
}

static void put(const struct x11 *x, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;

	while (size > 0) {
		ssize_t n = write(x->fd, at, size);

		if (n <= 0)
			die("write to the X server");
		at += n;
		size -= (size_t)n;
	}
}

static void get(const struct x11 *x, void *bytes, size_t size)
{
	uint8_t *at = bytes;

	while (size > 0) {
		ssize_t n = read(x->fd, at, size);

		if (n <= 0)
			die("read from the X server");
		at += n;
		size -= (size_t)n;
	}
}

static uint16_t u16(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

static uint32_t u32(const uint8_t *at)
{
	return u16(at) | (uint32_t)u16(at + 2) << 16;
}

/* Little-endian 32-bit words, the shape of most requests. */
static void put_words(const struct x11 *x, const uint32_t *words, size_t count)
{
	put(x, words, count * 4);
}

static uint32_t request(uint8_t opcode, uint8_t detail, uint32_t words)
{
	return opcode | (uint32_t)detail << 8 | words << 16;
}

static uint32_t pair(uint32_t low, uint32_t high)
{
	return low | high << 16;
}

static void open_display(struct x11 *x, const char *number)
{
	static const uint8_t hello[12] = {'l', 0, 11};
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	uint8_t head[8], *body, *screen;
	size_t size;

	(void)snprintf(to.sun_path, sizeof(to.sun_path), "/tmp/.X11-unix/X%s", number);
	x->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (x->fd < 0 || connect(x->fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		die(to.sun_path);
	put(x, hello, sizeof(hello));
	get(x, head, sizeof(head));
	size = u16(head + 6) * 4U;
	body = malloc(size);
	if (head[0] != 1 || body == NULL)
		die("X setup");
	get(x, body, size);
	screen = body + 32 + (u16(body + 16) + 3U) / 4 * 4 + body[21] * 8U;
	if (screen + 40 > body + size)
		die("X setup reply");
	x->next_id = u32(body + 4);
	x->root = u32(screen);
	x->width = u16(screen + 20);
	x->height = u16(screen + 22);
	x->depth = screen[38];
	free(body);
}

static uint32_t noise(void)
{
	static uint32_t seed = 1;

	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

/* A desktop of sorts: title bar, window of text lines, gradient, a patch of noise (a sixteenth of
 * the screen). */
static uint32_t picture(const struct x11 *x, unsigned px, unsigned py, unsigned which)
{
	uint32_t shift = which * 0x010101;

	if (py < 32)
		return 0x204060 + shift;
	if (px < x->width / 4U && py > x->height * 3U / 4)
		return ((noise() & 0x7f7f7f) << 1 | (which & 1) * 0x010101) & 0xffffff;
	if (px > x->width / 2U && py > x->height / 2U)
		return (px * 255 / x->width << 16 | py * 255 / x->height << 8 | which * 8);
	if (py % 16 < 11 && px % 640 > 40 && (px * 7 + py / 16 * 13) % 11 < 4 && (px ^ py) % 3)
		return 0x101010 + shift;
	return 0xe0e0e0 + shift;
}

static uint32_t make_picture(struct x11 *x, uint32_t gc, unsigned which)
{
	uint32_t id = x->next_id++, *band = malloc(x->width * BAND_ROWS * 4U);
	uint32_t create[] = {request(CREATE_PIXMAP, x->depth, 4), id, x->root,
			     pair(x->width, x->height)};

	if (band == NULL)
		die("memory");
	put_words(x, create, 4);
	for (unsigned y = 0; y < x->height; y += BAND_ROWS) {
		unsigned rows = x->height - y < BAND_ROWS ? x->height - y : BAND_ROWS;
		uint32_t words = 6 + x->width * rows;
		uint32_t head[] = {request(PUT_IMAGE, 2, words), id,         gc,
				   pair(x->width, rows),         pair(0, y), x->depth << 8};

		for (unsigned i = 0; i < x->width * rows; i++)
			band[i] = picture(x, i % x->width, y + i / x->width, which);
		put_words(x, head, 6);
		put_words(x, band, x->width * rows);
	}
	free(band);
	return id;
}

/* Ask something that is answered, so that the server's queue never grows. */
static void wait_done(const struct x11 *x)
{
	uint32_t ask = request(GET_INPUT_FOCUS, 0, 1);
	uint8_t answer[32];

	put_words(x, &ask, 1);
	do
		get(x, answer, sizeof(answer));
	while (answer[0] != 1);
}

int main(int argc, char **argv)
{
	struct x11 x = {0};
	struct timespec next;
	uint32_t gc, pictures[PICTURES];
	long period_ns;

	if (argc != 3 || strtol(argv[2], NULL, 10) <= 0) {
		fputs("usage: x11_flicker DISPLAY-NUMBER FRAMES-PER-SECOND\n", stderr);
		return 2;
	}
	period_ns = 1000000000L / strtol(argv[2], NULL, 10);
	open_display(&x, argv[1]);
	gc = x.next_id++;
	put_words(&x, (uint32_t[]){request(CREATE_GC, 0, 4), gc, x.root, 0}, 4);
	for (unsigned i = 0; i < PICTURES; i++)
		pictures[i] = make_picture(&x, gc, i);
	(void)clock_gettime(CLOCK_MONOTONIC, &next);
	for (unsigned frame = 0;; frame++) {
		put_words(&x,
			  (uint32_t[]){request(COPY_AREA, 0, 7), pictures[frame % PICTURES], x.root,
				       gc, 0, 0, pair(x.width, x.height)},
			  7);
		wait_done(&x);
		next.tv_nsec += period_ns;
		if (next.tv_nsec >= 1000000000L) {
			next.tv_nsec -= 1000000000L;
			next.tv_sec++;
		}
		(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
}
