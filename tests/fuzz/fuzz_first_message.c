/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as the first message of DNS, HTTP, SSH and RDP: a fixed answer, names only of the bytes
 * that a name may have, and what is refused stays refused whatever comes after it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "wire/packet/dns_query.h"
#include "wire/packet/http_head.h"
#include "wire/packet/http_request.h"
#include "wire/packet/rdp_request.h"
#include "wire/packet/ssh_banner.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(struct span name, size_t most)
{
	if (name.size > most)
		abort();
	for (size_t i = 0; i < name.size; i++) {
		if (name.data[i] <= ' ' || name.data[i] >= 0x7f)
			abort();
	}
}

static int read_dns(const uint8_t *stream, size_t size)
{
	struct dns_query query;
	int err = dns_query_read_stream(&query, stream, size);

	if (err == 0)
		check_name((struct span){(const uint8_t *)query.name, query.name_bytes},
			   DNS_NAME_BYTES_MAX);
	(void)dns_query_read(&query, stream, size);
	(void)dns_answer_read(&query, stream, size);
	return err;
}

static int read_http(const uint8_t *stream, size_t size)
{
	struct http_request request;
	int err = http_request_read(&request, stream, size);

	if (err == 0) {
		check_name(request.host, HTTP_HOST_BYTES_MAX);
		check_name(request.target, HTTP_HEAD_BYTES_MAX);
		check_name(request.method, HTTP_METHOD_BYTES_MAX);
	}
	return err;
}

static int read_ssh(const uint8_t *stream, size_t size)
{
	struct span software;
	int err = ssh_banner_read(&software, stream, size);

	if (err == 0)
		check_name(software, SSH_BANNER_BYTES_MAX);
	return err;
}

static int read_rdp(const uint8_t *stream, size_t size)
{
	struct rdp_request request;
	int err = rdp_request_read(&request, stream, size);

	if (err == 0 && request.cookie.size > RDP_REQUEST_BYTES_MAX)
		abort();
	return err;
}

static int (*const readers[])(const uint8_t *stream, size_t size) = {read_dns, read_http, read_ssh,
								     read_rdp};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *stream = malloc(size + 64), *exact = malloc(size == 0 ? 1 : size);

	if (stream == NULL || exact == NULL)
		goto cleanup;
	memcpy(exact, data, size);
	memcpy(stream, data, size);
	memset(stream + size, '\n', 64);
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
		int err = readers[i](exact, size);

		if (err != 0 && err != -ERR_TRUNCATED && readers[i](stream, size + 64) == 0)
			abort();
		if (err == 0 && readers[i](stream, size + 64) != 0)
			abort();
	}
cleanup:
	free(stream);
	free(exact);
	return 0;
}
