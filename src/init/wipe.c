/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An order to wipe the data device, and the wiping. */
#include "init/wipe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "channel/machine.h"
#include "init/init.h"

#define PIECE_BYTES   (1U << 20) /* at once; what a look for a blank device reads is one */
#define PROGRESS_STEP 5U         /* per cent */
#define TIME_BYTES    32
#define SECTOR_BYTES  512U /* what a device writes whole or not at all */

/* What is done with each piece of the device. Return: whether it is so now. */
typedef bool piece_fn(int fd, uint8_t *piece, size_t size, off_t at);

/* ---- the order */

static void order_path(char path[PATH_MAX], const char *state)
{
	(void)snprintf(path, PATH_MAX, "%s/" MACHINE_WIPE_ORDER, state); /* ours is short */
}

bool wipe_is_ordered(const char *state)
{
	char path[PATH_MAX];

	order_path(path, state);
	return access(path, F_OK) == 0 || errno != ENOENT;
}

int wipe_read_order(const char *state, struct bytes *order)
{
	int directory = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;
	struct span content;

	if (directory < 0)
		return -ERR_SYSTEM;
	err = file_read(directory, MACHINE_WIPE_ORDER, order);
	(void)close(directory); /* only read */
	return err < 0 ? err : file_check(bytes_span(order), MACHINE_WIPE_KIND, &content);
}

/* Return: whether all of it was read or written. */
static bool move_piece(int fd, uint8_t *piece, size_t size, off_t at, bool writes)
{
	while (size > 0) {
		ssize_t n = writes ? pwrite(fd, piece, size, at) : pread(fd, piece, size, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		piece += n;
		at += n;
		size -= (size_t)n;
	}
	return true;
}

static bool write_piece(int fd, uint8_t *piece, size_t size, off_t at)
{
	return move_piece(fd, piece, size, at, true);
}

static bool read_piece(int fd, uint8_t *piece, size_t size, off_t at)
{
	return move_piece(fd, piece, size, at, false);
}

static int write_head(const char *device, uint8_t *head, size_t size, off_t at)
{
	int fd = open(device, O_WRONLY | O_CLOEXEC);
	bool written;

	if (fd < 0)
		return -ERR_SYSTEM;
	written = write_piece(fd, head, size, at) && fsync(fd) == 0;
	(void)close(fd); /* it is on the disk, or that is known */
	return written ? 0 : -ERR_SYSTEM;
}

int wipe_mark(const char *device, struct span order)
{
	uint8_t head[WIPE_MARK_BYTES] = {0};

	if (order.size >= sizeof(head))
		return -ERR_SYSTEM;
	memcpy(head, order.data, order.size);
	return write_head(device, head, sizeof(head), 0);
}

int wipe_unmark(const char *device)
{
	uint8_t zeros[WIPE_MARK_BYTES - SECTOR_BYTES] = {0};
	int err = write_head(device, zeros, sizeof(zeros), SECTOR_BYTES);

	/* its beginning last: that is known again (wipe_is_over) */
	return err < 0 ? err : write_head(device, zeros, SECTOR_BYTES, 0);
}

bool wipe_is_marked(const char *device, struct bytes *order)
{
	uint8_t head[WIPE_MARK_BYTES];
	int fd = open(device, O_RDONLY | O_CLOEXEC);
	struct span mark = {head, 0}, content;
	bool is_read;

	if (fd < 0)
		return false;
	is_read = read_piece(fd, head, sizeof(head), 0);
	(void)close(fd); /* only read */
	if (!is_read)
		return false;
	mark.size = strnlen((const char *)head, sizeof(head));
	return file_check(mark, MACHINE_WIPE_KIND, &content) == 0 &&
	       bytes_append(order, mark.data, mark.size) == 0;
}

/* ---- wiping */

static bool write_random(int fd, uint8_t *piece, size_t size, off_t at)
{
	size_t have = 0;

	while (have < size) {
		ssize_t n = getrandom(piece + have, size - have, 0);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0)
			have += (size_t)n;
	}
	return write_piece(fd, piece, size, at);
}

static bool write_zeros(int fd, uint8_t *piece, size_t size, off_t at)
{
	memset(piece, 0, size);
	return write_piece(fd, piece, size, at);
}

static bool is_zeros(int fd, uint8_t *piece, size_t size, off_t at)
{
	if (!read_piece(fd, piece, size, at))
		return false;
	for (size_t i = 0; i < size; i++)
		if (piece[i] != 0)
			return false;
	return true;
}

bool wipe_is_over(const char *device)
{
	static const char begin[] = "# " MACHINE_WIPE_KIND " ";
	int fd = open(device, O_RDONLY | O_CLOEXEC);
	uint8_t sector[SECTOR_BYTES];
	bool is_over;

	if (fd < 0)
		return false;
	is_over = read_piece(fd, sector, sizeof(sector), 0) &&
		  memcmp(sector, begin, sizeof(begin) - 1) == 0;
	for (off_t at = SECTOR_BYTES; is_over && at < (off_t)PIECE_BYTES; at += SECTOR_BYTES)
		is_over = is_zeros(fd, sector, sizeof(sector), at);
	(void)close(fd); /* only read */
	return is_over;
}

static void say_progress(const char *en, const char *ja, off_t done, off_t all, unsigned *said)
{
	unsigned percent = (unsigned)(done * 100 / all);

	if (percent < *said + PROGRESS_STEP && done < all)
		return;
	*said = percent;
	say("zeroise: %s / %s: %u %%", en, ja, percent);
}

/* Return: the octets for which it failed. */
static uint64_t pass(int fd, off_t end, piece_fn *each, const char *en, const char *ja)
{
	static uint8_t piece[PIECE_BYTES];
	uint64_t failed_bytes = 0;
	unsigned said = 0;
	off_t at = WIPE_MARK_BYTES;

	while (at < end) {
		/* up to the next whole piece of the device, so that blocks are written whole */
		size_t size = PIECE_BYTES - (size_t)at % PIECE_BYTES;

		if ((off_t)size > end - at)
			size = (size_t)(end - at);
		if (!each(fd, piece, size, at))
			failed_bytes += size;
		at += (off_t)size;
		say_progress(en, ja, at, end, &said);
	}
	return failed_bytes;
}

/* Return: whether the octets behind the first piece need not be kept by the device any more. */
static bool discard(int fd, off_t end)
{
	uint64_t range[2] = {PIECE_BYTES,
			     end > (off_t)PIECE_BYTES ? (uint64_t)end - PIECE_BYTES : 0};

	return range[1] > 0 &&
	       (ioctl(fd, BLKSECDISCARD, range) == 0 || ioctl(fd, BLKDISCARD, range) == 0);
}

/* The worst pass counts: the certificate says that all of them were done to all of the device. */
static void count_failed(struct wipe_outcome *outcome, uint64_t failed_bytes)
{
	if (failed_bytes > outcome->failed_bytes)
		outcome->failed_bytes = failed_bytes;
}

static void overwrite(int fd, off_t end, struct wipe_outcome *outcome)
{
	off_t first_end = end < (off_t)PIECE_BYTES ? end : (off_t)PIECE_BYTES;
	bool lost = false;

	count_failed(outcome, pass(fd, end, write_random, "random octets", "乱数"));
	lost |= fsync(fd) < 0;
	count_failed(outcome, pass(fd, end, write_zeros, "zeros", "零"));
	lost |= fsync(fd) < 0;
	lost |= posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) != 0; /* from the device, not memory */
	count_failed(outcome, pass(fd, end, is_zeros, "read back", "照合"));
	outcome->discarded = discard(fd, end);
	lost |= pass(fd, first_end, write_zeros, "head", "先頭") > 0 || fsync(fd) < 0;
	if (lost && outcome->failed_bytes == 0)
		outcome->failed_bytes = outcome->size_bytes; /* nobody knows which */
}

int wipe_overwrite(const char *device, struct wipe_outcome *outcome)
{
	int fd = open(device, O_RDWR | O_EXCL | O_CLOEXEC);
	off_t end = fd >= 0 ? lseek(fd, 0, SEEK_END) : -1;

	*outcome = (struct wipe_outcome){0};
	if (end > (off_t)WIPE_MARK_BYTES) {
		outcome->size_bytes = (uint64_t)end;
		overwrite(fd, end, outcome);
	}
	if (fd >= 0)
		(void)close(fd); /* fsync has told */
	return end > (off_t)WIPE_MARK_BYTES ? 0 : -ERR_SYSTEM;
}

/* ---- the whole */

static void say_lines(struct span text)
{
	while (text.size > 0) {
		const uint8_t *end = memchr(text.data, '\n', text.size);
		size_t size = end ? (size_t)(end - text.data) : text.size;

		say("%.*s", (int)size, (const char *)text.data);
		text.data += size + (end ? 1 : 0);
		text.size -= size + (end ? 1 : 0);
	}
}

static void say_outcome(const char *device, const char *code, const struct wipe_outcome *outcome)
{
	char when[TIME_BYTES] = "";
	time_t now = time(NULL);
	struct tm parts;

	if (gmtime_r(&now, &parts))
		(void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &parts); /* it fits */
	say("wiped %s", when);
	say("device %s", device);
	say("bytes %llu", (unsigned long long)outcome->size_bytes);
	say("method " MACHINE_WIPE_METHOD "%s",
	    outcome->discarded ? ", then discarded" : ", no discard by the device");
	say("completion-code %s", code);
}

int wipe_run(const char *device, struct span order)
{
	struct span certificate;
	struct wipe_outcome outcome;
	char code[MACHINE_WIPE_CODE_BYTES];

	if (file_check(order, MACHINE_WIPE_KIND, &certificate) < 0 ||
	    file_take_line(&certificate, "code", code, sizeof(code)) < 0)
		return -ERR_SYSTEM;
	say("zeroise: %s is wiped / %s を消去します", device, device);
	if (wipe_overwrite(device, &outcome) < 0 || outcome.failed_bytes > 0) {
		say("zeroise: NOT WIPED: %llu of %llu bytes could not be written and read back; "
		    "destroy the device",
		    (unsigned long long)outcome.failed_bytes,
		    (unsigned long long)outcome.size_bytes);
		say("zeroise: 消去できませんでした。記憶装置を物理的に破壊してください");
		return -ERR_SYSTEM;
	}
	say("---- certificate of the wipe / 消去証明書 ----");
	say_lines(certificate);
	say_outcome(device, code, &outcome);
	say("---- end / 終わり ----");
	if (wipe_unmark(device) == 0)
		return 0;
	say("zeroise: the order itself is still on the device: the next start goes on / "
	    "消去命令が残っています。次の起動時に続けます");
	return -ERR_SYSTEM;
}
