/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A viewer without a screen: asks for updates as fast as they come and counts them, as the other
 * end of a measurement.
 *
 * usage: rfb_load IPV4 PORT ENCODING SECONDS [SECURITY AUTHORITY-FILE]
 *	(ENCODING 0 Raw, 5 Hextile, 16 ZRLE; SECURITY as for viewer_connect)
 * Prints one line: updates, pixels and bytes of the time, and the width and height of the screen.
 */
#include <stdio.h>
#include <stdlib.h>

#include "rfb_viewer.h"
#include "wire/rfb/rfb.h"

static uint64_t pixels, updates;

static void skip_hextile(struct rfb_viewer *v, const struct rfb_rect *rect)
{
	for (unsigned y = 0; y < rect->h; y += 16) {
		for (unsigned x = 0; x < rect->w; x += 16) {
			unsigned w = rect->w - x < 16 ? rect->w - x : 16,
				 h = rect->h - y < 16 ? rect->h - y : 16;
			struct reader r = viewer_take(v, 1);
			uint8_t flags = reader_u8(&r);

			if (flags & 1) {
				viewer_skip(v, w * h * 4);
				continue;
			}
			viewer_skip(v, (flags & 2 ? 4 : 0) + (flags & 4 ? 4 : 0));
			if (flags & 8) {
				r = viewer_take(v, 1);
				viewer_skip(v, reader_u8(&r) * (flags & 16 ? 6U : 2U));
			}
		}
	}
}

static void skip_rect(struct rfb_viewer *v)
{
	struct reader r = viewer_take(v, 12);
	struct rfb_rect rect;

	rect.x = reader_be16(&r);
	rect.y = reader_be16(&r);
	rect.w = reader_be16(&r);
	rect.h = reader_be16(&r);
	pixels += (uint64_t)rect.w * rect.h;
	switch ((int32_t)reader_be32(&r)) {
	case RFB_RAW:
		viewer_skip(v, (uint64_t)rect.w * rect.h * 4);
		break;
	case RFB_HEXTILE:
		skip_hextile(v, &rect);
		break;
	case RFB_ZRLE:
		r = viewer_take(v, 4);
		viewer_skip(v, reader_be32(&r));
		break;
	default:
		fputs("an encoding that was not asked for\n", stderr);
		exit(2);
	}
}

static void update(struct rfb_viewer *v)
{
	struct reader r = viewer_take(v, 4);

	if (reader_u8(&r) != RFB_UPDATE) {
		fputs("a message that was not expected\n", stderr);
		exit(2);
	}
	reader_skip(&r, 1);
	/* The next request goes out before this update is read, as real viewers do. */
	viewer_request(v, true);
	for (unsigned count = reader_be16(&r); count > 0; count--)
		skip_rect(v);
	updates++;
}

int main(int argc, char **argv)
{
	static struct rfb_viewer v;
	uint64_t begin_ns, limit_ns, taken_ns;

	if (argc != 5 && argc != 7) {
		fputs("usage: rfb_load IPV4 PORT ENCODING SECONDS [SECURITY AUTHORITY-FILE]\n",
		      stderr);
		return 2;
	}
	limit_ns = (uint64_t)(strtod(argv[4], NULL) * 1e9);
	viewer_connect(&v, argv[1], argv[2], argc > 5 ? argv[5] : "none", argc > 5 ? argv[6] : NULL,
		       (int32_t)strtol(argv[3], NULL, 10));
	viewer_request(&v, false);
	update(&v); /* the first picture is not part of the measurement */
	v.bytes = pixels = updates = 0;
	begin_ns = viewer_now_ns();
	do {
		update(&v);
		taken_ns = viewer_now_ns() - begin_ns;
	} while (taken_ns < limit_ns);
	printf("seconds=%.3f updates=%llu pixels=%llu bytes=%llu width=%u height=%u\n",
	       (double)taken_ns / 1e9, (unsigned long long)updates, (unsigned long long)pixels,
	       (unsigned long long)v.bytes, v.width, v.height);
	return 0;
}
