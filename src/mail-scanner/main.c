/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mail-scanner: one message shown to the virus scanner of its mail entry, one process. It holds the
 * sealed message, one socket to the scanner that the supervisor opened, the running snapshot and
 * the channel to the supervisor, to which it says one verdict and ends. What the scanner answers is
 * read by nobody else. Without a session it sees how the scanner is, by a harmless message of the
 * gateway's own, or by one that holds the test file.
 */
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "base/process.h"
#include "base/sealed.h"
#include "mail-scanner/scan.h"

#define REPORT_WAIT_MS 5000

static struct {
	struct process process;
	struct snapshot snapshot;
	struct control_start start;
	struct scan scan;
	int message_fd;
	int socket_fd;
} state = {.message_fd = -1, .socket_fd = -1};

static int take_give(void *ctx, const struct control_give *give, int fd)
{
	int *slot = give->kind == GIVE_MESSAGE ? &state.message_fd : &state.socket_fd;

	(void)ctx; /* all is in the state */
	if ((give->kind != GIVE_MESSAGE && give->kind != GIVE_SCANNER) || *slot >= 0)
		return -ERR_PEER;
	*slot = fd;
	return 0;
}

/* The message must be what nobody can change any more: the flattener reads the same. */
static int map_message(void)
{
	uint64_t size_bytes = 0;
	void *data;
	int err;

	if (state.scan.probe && state.start.test_bytes > 0)
		return scan_sample_test((size_t)state.start.test_bytes, &state.scan.message);
	if (state.scan.probe) {
		state.scan.message = scan_sample_harmless();
		return 0;
	}
	err = sealed_check(state.message_fd, &size_bytes);
	if (err < 0 || size_bytes == 0)
		return err;
	data = mmap(NULL, (size_t)size_bytes, PROT_READ, MAP_PRIVATE, state.message_fd, 0);
	if (data == MAP_FAILED)
		return -ERR_SYSTEM;
	state.scan.message = (struct span){data, (size_t)size_bytes};
	return 0;
}

/* The session's entry names the scanner; a probe is told the scanner itself. */
static int find_scanner(void)
{
	const struct snapshot *s = &state.snapshot;
	uint32_t index = state.start.index;

	state.scan.probe = state.start.session == 0;
	state.scan.tests = state.scan.probe && state.start.test_bytes > 0;
	if (!state.scan.probe && index >= s->mail_count)
		return -ERR_RANGE;
	if (!state.scan.probe)
		index = s->mails[index].scanner;
	if (index >= s->scanner_count || state.scan.probe != (state.message_fd < 0))
		return -ERR_RANGE;
	state.scan.scanner = &s->scanners[index];
	state.scan.service = snapshot_text_at(s, s->scanners[index].text_service);
	state.scan.utc_offset_s = s->header->utc_offset_s;
	return 0;
}

static int begin(void)
{
	static const struct sandbox_profile profile = {.name = "mail-scanner"};
	int snapshot_fd = -1;
	int err = process_begin(&state.process, &profile, take_give, NULL, &state.start,
				&snapshot_fd);

	if (err < 0)
		return err;
	if (state.start.role != ROLE_MAIL_SCANNER || snapshot_fd < 0 || state.socket_fd < 0)
		return -ERR_PEER;
	err = snapshot_load(&state.snapshot, snapshot_fd);
	(void)close(snapshot_fd); /* mapped, or of no use */
	if (err == 0)
		err = find_scanner();
	if (err == 0)
		err = map_message();
	return err < 0 ? err : process_ready(&state.process);
}

int main(void)
{
	struct scan *s = &state.scan;

	/* A scanner that has gone shows as EPIPE. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (begin() < 0)
		return 1;
	icap_reply_init(&s->reply);
	scan_exchange(s, s->scanner->kind == SCANNER_ICAP ? &scan_with_icap : &scan_with_clamd,
		      state.socket_fd, &clock_system);
	return channel_send_wait(&state.process.control, CONTROL_SCANNED, &s->result,
				 sizeof(s->result), NULL, 0, REPORT_WAIT_MS) < 0;
}
