/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sekisho flatten: one message from the standard input, flattened as the gateway would, verified,
 * to the standard output. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/err.h"
#include "mail-flattener/policy.h"
#include "tools/config_file.h"
#include "tools/tools.h"
#include "wire/mail/verify.h"
#include "wire/mime/date.h"
#include "wire/mime/field.h"

enum { STATUS_FLATTENED = 0, STATUS_USAGE = 2, STATUS_REFUSED = 3 };

#define INPUT_BYTES_MAX      (64U << 20) /* of a message */
#define WORKING_BYTES        (64U << 20) /* of memory, beyond the message */
#define READ_BYTES           65536
#define SECONDS_PER_MEBIBYTE 1

struct flatten_options {
	const char *receipt; /* file; NULL: none is written */
	const char *date;
	const char
		*config; /* file with the mail entry that says how to flatten; NULL: the defaults */
	const char *mail; /* name of that entry; NULL: the first */
	const char *language;
	const char *host_name;
	struct flatten_policy policy;
	struct snapshot snapshot;
	struct mail_policy rules;
	struct bytes block; /* of the snapshot */
};

static int read_all(int fd, struct bytes *in)
{
	for (;;) {
		uint8_t *room = bytes_room(in, READ_BYTES);
		ssize_t n = room != NULL ? read(fd, room, READ_BYTES) : -1;

		if (room == NULL)
			return -ERR_TOO_LONG;
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -ERR_SYSTEM : 0;
		in->size += (size_t)n;
	}
}

static int write_all(FILE *to, const struct bytes *data)
{
	return fwrite(data->data, 1, data->size, to) == data->size && fflush(to) == 0 ? 0
										      : -ERR_SYSTEM;
}

/* The limits of the sandboxed process: memory beyond the message, and processor time by its size.
 */
static void limit_self(size_t message_bytes)
{
	struct rlimit memory = {0}, cpu = {0};
	size_t used = message_bytes * 2 +
		      (16U << 20); /* the program itself, and the message as it was read */

#ifndef SANITIZED
	memory.rlim_cur = memory.rlim_max = used + WORKING_BYTES;
	(void)setrlimit(RLIMIT_AS, &memory); /* without it the limits of the parsers still hold */
#endif
	cpu.rlim_cur = cpu.rlim_max = 2 + (message_bytes >> 20) * SECONDS_PER_MEBIBYTE;
	(void)setrlimit(RLIMIT_CPU, &cpu);
	(void)used;
	(void)memory;
}

/* The date of reception: as given, else the message's own, else the epoch: the same input gives the
 * same output. */
static int choose_date(struct flatten_options *o, struct span message)
{
	struct span header, body;
	struct mime_field field;
	struct mime_date date = {0, 0};
	bool junk;

	mime_header_split(message, &header, &body, &junk);
	if (o->date != NULL && mime_date_parse(span_of(o->date), &date) < 0)
		return -ERR_SYNTAX;
	if (o->date == NULL && mime_field_find(header, "Date", &field) &&
	    mime_date_parse(field.value, &date) < 0)
		date = (struct mime_date){0, 0};
	o->policy.received_s = date.seconds;
	o->policy.offset_minutes = date.offset_minutes;
	return 0;
}

/* What the far side of the gateway does with the text before it sends it on. */
static const char *verify(const struct flatten_policy *policy, struct span flat)
{
	struct mail_verify v;
	size_t at = 0;

	mail_verify_init(&v);
	if (policy->mail != NULL)
		mail_verify_allow(&v, mail_policy_passes_text(policy->mail),
				  mail_policy_passes_files(policy->mail));
	while (at < flat.size) {
		const uint8_t *lf = memchr(flat.data + at, '\n', flat.size - at);
		size_t end = lf != NULL ? (size_t)(lf - flat.data) : flat.size;

		if (mail_verify_line(&v, flat.data + at, end - at) < 0)
			return mail_verify_reason(&v);
		at = end + 1;
	}
	return mail_verify_end(&v) < 0 ? mail_verify_reason(&v) : NULL;
}

static bool is_host_name(const char *name)
{
	return name[0] != '\0' && strlen(name) <= 255 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") ==
		       strlen(name);
}

/* One option with its argument. Return: how many words were taken, 0 for an error. */
static int parse_option(struct flatten_options *o, int left, char **argv)
{
	if (strcmp(argv[0], "--defang") == 0) {
		o->policy.defang = true;
		return 1;
	}
	if (strcmp(argv[0], "--refuse-ambiguous") == 0) {
		o->policy.refuse_ambiguous = true;
		return 1;
	}
	if (left < 2)
		return 0;
	if (strcmp(argv[0], "--language") == 0 &&
	    (strcmp(argv[1], "ja") == 0 || strcmp(argv[1], "en") == 0))
		o->language = argv[1];
	else if (strcmp(argv[0], "--policy") == 0)
		o->config = argv[1];
	else if (strcmp(argv[0], "--mail") == 0)
		o->mail = argv[1];
	else if (strcmp(argv[0], "--from") == 0)
		o->policy.envelope_from = span_of(argv[1]);
	else if (strcmp(argv[0], "--receipt") == 0)
		o->receipt = argv[1];
	else if (strcmp(argv[0], "--date") == 0)
		o->date = argv[1];
	else if (strcmp(argv[0], "--host") == 0 && is_host_name(argv[1]))
		o->host_name = argv[1];
	else
		return 0;
	return 2;
}

/* The entry that --mail names, or the first. */
static uint32_t find_entry(const struct flatten_options *o)
{
	uint32_t i = 0;

	while (o->mail != NULL && i < o->snapshot.mail_count &&
	       strcmp(o->snapshot.mails[i].name, o->mail) != 0)
		i++;
	return i;
}

/* The configuration first, then what the command line says otherwise. */
static int read_policy(struct flatten_options *o)
{
	o->policy.host_name = "sekisho";
	if (o->config != NULL) {
		if (config_file_compile(&o->snapshot, &o->block, o->config) < 0)
			return -ERR_SYNTAX;
		if (flatten_policy_read(&o->policy, &o->rules, &o->snapshot, find_entry(o)) < 0) {
			fprintf(stderr, "sekisho flatten: %s: there is no mail entry%s\n",
				o->config, o->mail != NULL ? " of that name" : "");
			return -ERR_NOT_FOUND;
		}
	}
	if (o->language != NULL)
		o->policy.english = o->language[0] == 'e';
	if (o->host_name != NULL)
		o->policy.host_name = o->host_name;
	return 0;
}

static int save_receipt(const char *path, const struct bytes *receipt)
{
	FILE *file = path != NULL ? fopen(path, "we") : NULL;
	int err;

	if (path == NULL)
		return 0;
	if (file == NULL)
		return -ERR_SYSTEM;
	err = write_all(file, receipt);
	return fclose(file) == 0 ? err : -ERR_SYSTEM;
}

static int refuse(const char *reason)
{
	fprintf(stderr, "sekisho flatten: refused: %s\n", reason);
	return STATUS_REFUSED;
}

static int flatten(struct flatten_options *o, struct span message)
{
	struct bytes out, receipt;
	struct flatten_result result;
	const char *reason;
	int err, status = STATUS_FLATTENED;

	bytes_init(&out, 0);
	bytes_init(&receipt, INPUT_BYTES_MAX);
	limit_self(message.size);
	err = flatten_message(message, &o->policy, &out, &receipt, &result);
	reason = err < 0 && result.reason == NULL ? err_name(err) : result.reason;
	if (err == 0)
		reason = verify(&o->policy, bytes_span(&out));
	if (save_receipt(o->receipt, &receipt) < 0) {
		fprintf(stderr, "sekisho flatten: %s: %s\n", o->receipt, strerror(errno));
		status = STATUS_USAGE;
	} else if (reason != NULL) {
		status = refuse(reason);
	} else if (write_all(stdout, &out) < 0) {
		fprintf(stderr, "sekisho flatten: cannot write: %s\n", strerror(errno));
		status = STATUS_USAGE;
	}
	bytes_fini(&out);
	bytes_fini(&receipt);
	return status;
}

int tool_flatten(int argc, char **argv)
{
	struct flatten_options o = {0};
	struct bytes in;
	int err, status = STATUS_USAGE;

	for (int i = 1; i < argc;) {
		int taken = parse_option(&o, argc - i, argv + i);

		if (taken == 0)
			return tool_usage("flatten");
		i += taken;
	}
	bytes_init(&in, INPUT_BYTES_MAX);
	bytes_init(&o.block, SNAPSHOT_BYTES_MAX);
	if (read_policy(&o) < 0)
		goto cleanup;
	err = read_all(STDIN_FILENO, &in);
	if (err == -ERR_TOO_LONG)
		status = refuse("the message is larger than 64 MiB");
	else if (err < 0 || choose_date(&o, bytes_span(&in)) < 0)
		status = tool_usage("flatten");
	else
		status = flatten(&o, bytes_span(&in));
cleanup:
	bytes_fini(&in);
	bytes_fini(&o.block);
	return status;
}
