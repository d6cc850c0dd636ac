/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading the newest files of the log, and signing a manifest. */
#include "audit/evidence.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "audit/store_files.h"

#define NS_PER_S 1000000000

/* Return: 0 or an error: the file cannot be read, or @out is full. */
static int print_file(const struct store *store, uint64_t segment, struct bytes *out)
{
	uint8_t buffer[STORE_LINE_MAX + 1];
	struct span line;
	uint64_t offset = 0;
	int fd = store_file_open(store->directory, segment, O_RDONLY), err = 0;

	if (fd < 0)
		return fd;
	while (err == 0 && store_read_line(fd, offset, buffer, &line) == 0) {
		err = bytes_append(out, line.data, line.size);
		if (err == 0)
			err = bytes_append_u8(out, '\n');
		offset += line.size + 1;
	}
	(void)close(fd); /* read only */
	return err;
}

const char *evidence_print_log(void *ctx, const struct control_query *query, struct bytes *out)
{
	const struct store *store = ctx;
	size_t count = store->segment_count;

	(void)query; /* it says nothing more */
	for (size_t i = count > EVIDENCE_LOG_FILES ? count - EVIDENCE_LOG_FILES : 0; i < count;
	     i++) {
		if (print_file(store, store->segments[i].first_sequence, out) < 0)
			return "the log cannot be read";
	}
	return NULL;
}

const char *evidence_sign(void *ctx, const struct control_query *query, struct bytes *out)
{
	struct anchors *a = ctx;
	uint8_t hash[SHA256_BYTES], signature[LOG_ANCHOR_SIGNATURE_BYTES];
	int64_t now_s = clock_wall_ns(a->store->form->clock) / NS_PER_S;
	bool support = query->kind == QUERY_SIGN_SUPPORT;
	const struct event_arg args[] = {EV_PERSON(USER, query->person, query->console),
					 EV_SHA256(SHA256, hash)};
	int err = 0;

	if (!a->key.usable)
		return "there is no device key";
	if (log_anchor_hex(span_of(query->argument), hash, sizeof(hash)) < 0)
		return "give a SHA-256 in 64 hexadecimal digits";
	a->event(a->ctx, support ? EVENT_SUPPORT_CREATED : EVENT_EVIDENCE_CREATED, args,
		 sizeof(args) / sizeof(args[0]));
	(void)bytes_printf(out, "sekisho %s\nmanifest %s\ntime %lld\n",
			   support ? "tech-support" : "evidence", query->argument,
			   (long long)now_s); /* @out remembers, here and below */
	device_key_sign_text(&a->key, bytes_span(out), signature);
	for (size_t i = 0; i < sizeof(signature); i++)
		err |= bytes_printf(out, "%02x", signature[i]);
	err |= bytes_append_u8(out, '\n');
	err |= device_key_pem(a->key.public, out);
	return err < 0 ? "there is no room for the signature" : NULL;
}
