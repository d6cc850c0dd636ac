/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a browser's request: the same verdict however much has come by then, views inside of
 * what was read, no path but those of plain letters, nothing taken without a whole head.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "wire/web/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct span view, const uint8_t *data, size_t size)
{
	if (view.size > 0 && (view.data < data || view.data + view.size > data + size))
		abort();
}

static void check(const struct web_request *request, const uint8_t *data, size_t size)
{
	char accept[WEB_ACCEPT_TEXT_MAX];

	check_inside(request->path, data, size);
	check_inside(request->authority, data, size);
	check_inside(request->host, data, size);
	check_inside(request->origin, data, size);
	check_inside(request->key, data, size);
	if (request->path.size == 0 || request->path.size > WEB_PATH_BYTES_MAX ||
	    memchr(request->path.data, '%', request->path.size) ||
	    memchr(request->path.data, '?', request->path.size) || request->host.size == 0)
		abort();
	(void)web_request_same_origin(request); /* no fault is what is asked for */
	web_accept(request->key, accept);
	if (strlen(accept) != WEB_ACCEPT_TEXT_MAX - 1)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct web_request request;
	struct reader whole, part;
	int verdict;

	reader_init(&whole, data, size);
	verdict = web_request_read(&request, &whole);
	if (verdict == 0)
		check(&request, data, whole.at);
	else if (whole.at != 0 || (verdict == -ERR_TRUNCATED && size >= WEB_HEAD_BYTES_MAX))
		abort();
	for (size_t end = 0; end < size && end < WEB_HEAD_BYTES_MAX; end += 1 + end / 8) {
		int early;

		reader_init(&part, data, end);
		early = web_request_read(&request, &part);
		if (early != -ERR_TRUNCATED && early != verdict)
			abort();
	}
	return 0;
}
