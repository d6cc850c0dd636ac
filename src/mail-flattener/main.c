/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mail-flattener: one message, one process. It reads MIME of an unknown sender out of a sealed
 * memfd and writes the flattened message into a pipe towards the mail-sender, which verifies it;
 * besides these two it holds the running snapshot and the channel to the supervisor, to which it
 * reports once and ends. It has no socket, no file and no capability.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/process.h"
#include "channel/control.h"
#include "mail-flattener/policy.h"
#include "policy/snapshot.h"

#define RECEIPT_BYTES_MAX (8U << 20)
#define WRITE_WAIT_MS     60000 /* for the mail-sender to read on */
#define REPORT_WAIT_MS    5000

static struct {
	struct process process;
	struct snapshot snapshot;
	struct flatten_policy policy;
	struct mail_policy rules;
	struct control_start start;
	struct span message; /* mapped */
	int message_fd;
	int output_fd;
	int receipt_fd; /* memory; -1: nobody keeps the receipt */
} state = {.message_fd = -1, .output_fd = -1, .receipt_fd = -1};

static int take_give(void *ctx, const struct control_give *give, int fd)
{
	int *slot = give->kind == GIVE_MESSAGE   ? &state.message_fd
		    : give->kind == GIVE_OUTPUT  ? &state.output_fd
		    : give->kind == GIVE_RECEIPT ? &state.receipt_fd
						 : NULL;

	(void)ctx; /* all is in the state */
	if (slot == NULL || *slot >= 0)
		return -ERR_PEER;
	*slot = fd;
	return 0;
}

/* The message must be what nobody can change any more while it is read. */
static int map_message(void)
{
	static const int needed = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
	int seals = fcntl(state.message_fd, F_GET_SEALS);
	struct stat stat;
	void *data;

	if (seals < 0 || (seals & needed) != needed)
		return -ERR_INTEGRITY;
	if (fstat(state.message_fd, &stat) < 0)
		return -ERR_SYSTEM;
	if (stat.st_size == 0)
		return 0; /* refused later, with a reason */
	data = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE, state.message_fd, 0);
	if (data == MAP_FAILED)
		return -ERR_SYSTEM;
	state.message = (struct span){data, (size_t)stat.st_size};
	return 0;
}

static int begin(void)
{
	static const struct sandbox_profile profile = {.name = "mail-flattener"};
	int snapshot_fd = -1;
	int err = process_begin(&state.process, &profile, take_give, NULL, &state.start,
				&snapshot_fd);

	if (err < 0)
		return err;
	if (state.start.role != ROLE_MAIL_FLATTENER || snapshot_fd < 0 || state.message_fd < 0 ||
	    state.output_fd < 0)
		return -ERR_PEER;
	err = snapshot_load(&state.snapshot, snapshot_fd);
	(void)close(snapshot_fd); /* mapped, or of no use */
	if (err == 0)
		err = flatten_policy_read(&state.policy, &state.rules, &state.snapshot,
					  state.start.index);
	state.policy.received_s = clock_wall_ns(&clock_system) / 1000000000;
	if (state.start.envelope.from_bytes > sizeof(state.start.envelope.from))
		return -ERR_PEER;
	state.policy.envelope_from = (struct span){(const uint8_t *)state.start.envelope.from,
						   state.start.envelope.from_bytes};
	if (err == 0)
		err = map_message();
	return err < 0 ? err : process_ready(&state.process);
}

static int wait_writable(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
	struct timespec wait = {.tv_sec = WRITE_WAIT_MS / 1000};
	int count = ppoll(&poll_fd, 1, &wait, NULL);

	if (count < 0)
		return errno == EINTR ? 0 : -ERR_SYSTEM;
	return count == 0 ? -ERR_TIMEOUT : 0;
}

/* The pipe does not block, and the mail-sender reads as its next hop takes. */
static int write_all(int fd, struct span data)
{
	size_t at = 0;
	int err = 0;

	while (at < data.size && err == 0) {
		ssize_t n = write(fd, data.data + at, data.size - at);

		if (n > 0)
			at += (size_t)n;
		else if (n < 0 && errno == EAGAIN)
			err = wait_writable(fd);
		else if (n == 0 || errno != EINTR)
			err = -ERR_CLOSED;
	}
	return err;
}

/* Tell the log, and the supervisor, which tells the mail-sender; that one reports what was not
 * flattened. */
static int report(int err, const struct flatten_result *result, size_t output_bytes)
{
	struct control_flattened flattened = {
		.status = err == 0             ? FLATTEN_DONE
			  : err == -ERR_DENIED ? FLATTEN_REFUSED
					       : FLATTEN_FAILED,
		.dropped_count = result->dropped_count,
		.input_bytes = state.message.size,
		.output_bytes = output_bytes,
	};
	const char *reason = result->reason != NULL ? result->reason : err < 0 ? err_name(err) : "";

	memcpy(flattened.sha256_input, result->sha256_input, SHA256_BYTES);
	memcpy(flattened.sha256_output, result->sha256_output, SHA256_BYTES);
	memcpy(flattened.receipt, result->receipt, FLATTEN_ID_BYTES);
	(void)strncpy(flattened.reason, reason, sizeof(flattened.reason) - 1);
	flattened.refusal = result->refusal;
	if (err == 0)
		event_send(&state.process.events, EVENT_MAIL_FLATTENED,
			   EV_NUMBER(SESSION, state.start.session),
			   EV_TEXT(RECEIPT, flattened.receipt),
			   EV_NUMBER(BYTES, state.message.size),
			   EV_NUMBER(COUNT, result->dropped_count),
			   EV_NUMBER(PASSED, result->passed_count),
			   EV_SHA256(SHA256, result->sha256_input),
			   EV_SHA256(SHA256_RESULT, result->sha256_output));
	return channel_send_wait(&state.process.control, CONTROL_FLATTENED, &flattened,
				 sizeof(flattened), NULL, 0, REPORT_WAIT_MS);
}

static int serve(void)
{
	struct bytes out, receipt;
	struct flatten_result result;
	int err;

	bytes_init(&out, 0); /* flatten_message sets the limit */
	bytes_init(&receipt, RECEIPT_BYTES_MAX);
	err = flatten_message(state.message, &state.policy, &out, &receipt, &result);
	if (err == 0)
		err = write_all(state.output_fd, bytes_span(&out));
	if (state.receipt_fd >= 0 && write_all(state.receipt_fd, bytes_span(&receipt)) < 0 &&
	    err == 0)
		err = -ERR_SYSTEM;
	err = report(err, &result, out.size);
	bytes_fini(&out);
	bytes_fini(&receipt);
	return err;
}

int main(void)
{
	/* A mail-sender that has gone shows as EPIPE. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (begin() < 0)
		return 1;
	return serve() < 0 ? 1 : 0;
}
