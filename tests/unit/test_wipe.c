/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Wiping by process 1 (L5, ADR 609): the order's ways, and what is left of a device, here a file.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/err.h"
#include "base/file.h"
#include "channel/machine.h"
#include "init/wipe.h"
#include "place.h"

#define DEVICE       "device"
#define DEVICE_BYTES ((3U << 20) + 512U) /* its last piece is not a whole one */
#define WORDS        "an order of many words reaches into the second sector of a device, "
#define REASON       "reason " WORDS WORDS WORDS WORDS WORDS WORDS WORDS "\n"
#define ORDER        "code 00112233445566778899aabbccddeeff\nsekisho zeroise\n" REASON

static bool no_random, reads_wrong, cut;

ssize_t __real_getrandom(void *out, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *out, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *out, size_t size, unsigned flags)
{
	errno = EIO;
	return no_random ? -1 : __real_getrandom(out, size, flags);
}

/* A device that has lost an octet of what it was given. */
ssize_t __real_pread(int fd, void *out, size_t size, off_t at);
ssize_t __wrap_pread(int fd, void *out, size_t size, off_t at);
ssize_t __wrap_pread(int fd, void *out, size_t size, off_t at)
{
	ssize_t n = __real_pread(fd, out, size, at);

	if (reads_wrong && n > 0 && at > (off_t)WIPE_MARK_BYTES)
		((uint8_t *)out)[n - 1] = 1;
	return n;
}

/* The power goes before the first sector is written. */
ssize_t __real_pwrite(int fd, const void *bytes, size_t size, off_t at);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t size, off_t at);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t size, off_t at)
{
	return cut && at == 0 ? 0 : __real_pwrite(fd, bytes, size, at);
}

struct fixture {
	struct place place;
	char device[64];
	struct bytes order;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	static uint8_t content[DEVICE_BYTES];
	int fd;

	no_random = reads_wrong = cut = false;
	place_open(&f->place);
	bytes_init(&f->order, WIPE_MARK_BYTES);
	(void)snprintf(f->device, sizeof(f->device), "%s/" DEVICE, f->place.path);
	memset(content, 'c', sizeof(content));
	fd = openat(f->place.dir, DEVICE, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(file_write_all(fd, (struct span){content, sizeof(content)}), 0);
	close(fd);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	bytes_fini(&f->order);
	place_close(&f->place);
	free(f);
	return 0;
}

static void give_order(struct fixture *f)
{
	assert_int_equal(file_replace(f->place.dir, MACHINE_WIPE_ORDER, MACHINE_WIPE_KIND,
				      span_of(ORDER)),
			 0);
	assert_int_equal(wipe_read_order(f->place.path, &f->order), 0);
}

/* How many octets of the device, from @at on, are not zero. */
static size_t left(struct fixture *f, size_t at)
{
	struct bytes content;
	size_t count = 0;

	bytes_init(&content, DEVICE_BYTES + 1);
	assert_int_equal(file_read(f->place.dir, DEVICE, &content), 0);
	assert_int_equal(content.size, DEVICE_BYTES);
	for (size_t i = at; i < content.size; i++)
		count += content.data[i] != 0;
	bytes_fini(&content);
	return count;
}

static void test_wipe_takes_an_order_as_it_was_written_only(void **state)
{
	struct fixture *f = *state;
	int fd;

	assert_false(wipe_is_ordered(f->place.path));
	give_order(f);
	assert_true(wipe_is_ordered(f->place.path));
	fd = openat(f->place.dir, MACHINE_WIPE_ORDER, O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
	bytes_clear(&f->order);
	assert_true(wipe_is_ordered(f->place.path)); /* there is one, and it is damaged */
	assert_true(wipe_read_order(f->place.path, &f->order) < 0);
}

/* L5: a disk that does not say whether it is to be wiped is not used as if it were not. */
static void test_wipe_is_ordered_where_nobody_can_tell(void **state)
{
	struct fixture *f = *state;
	char absent[80];

	(void)snprintf(absent, sizeof(absent), "%s/absent", f->place.path);
	assert_false(wipe_is_ordered(absent));   /* a new disk */
	assert_true(wipe_is_ordered(f->device)); /* ENOTDIR: the look fails */
	assert_true(wipe_read_order(f->device, &f->order) < 0);
}

static void test_wipe_mark_is_found_and_nothing_like_it(void **state)
{
	struct fixture *f = *state;
	struct bytes found;
	int fd;

	give_order(f);
	bytes_init(&found, WIPE_MARK_BYTES);
	assert_false(wipe_is_marked(f->device, &found));
	assert_int_equal(wipe_mark(f->device, bytes_span(&f->order)), 0);
	assert_true(wipe_is_marked(f->device, &found));
	assert_int_equal(found.size, f->order.size);
	assert_memory_equal(found.data, f->order.data, found.size);
	assert_int_equal(left(f, WIPE_MARK_BYTES), DEVICE_BYTES - WIPE_MARK_BYTES);
	fd = open(f->device, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "x", 1, (off_t)f->order.size - 2), 1);
	close(fd);
	bytes_clear(&found);
	assert_false(wipe_is_marked(f->device, &found));
	bytes_fini(&found);
}

static void test_wipe_overwrite_leaves_the_mark_and_zeros(void **state)
{
	struct fixture *f = *state;
	struct wipe_outcome outcome;

	give_order(f);
	assert_int_equal(wipe_mark(f->device, bytes_span(&f->order)), 0);
	assert_int_equal(wipe_overwrite(f->device, &outcome), 0);
	assert_int_equal(outcome.size_bytes, DEVICE_BYTES);
	assert_int_equal(outcome.failed_bytes, 0);
	assert_int_equal(left(f, WIPE_MARK_BYTES), 0);
	bytes_clear(&f->order);
	assert_true(wipe_is_marked(f->device, &f->order));
}

static void test_wipe_run_leaves_a_blank_device(void **state)
{
	struct fixture *f = *state;

	give_order(f);
	assert_int_equal(wipe_mark(f->device, bytes_span(&f->order)), 0);
	assert_int_equal(wipe_run(f->device, bytes_span(&f->order)), 0);
	assert_int_equal(left(f, 0), 0);
}

/* L5: the end is found again where the power went between the two sectors of the mark. */
static void test_wipe_unmark_that_is_cut_is_found_and_ended(void **state)
{
	static const char order[WIPE_MARK_BYTES - 1] = "# " MACHINE_WIPE_KIND " sha256=torn\n";
	struct span torn = {(const uint8_t *)order, sizeof(order)};
	struct fixture *f = *state;

	assert_false(wipe_is_over(f->device));
	assert_int_equal(wipe_mark(f->device, torn), 0);
	assert_false(wipe_is_over(f->device)); /* nothing is wiped yet */
	give_order(f);
	assert_int_equal(wipe_mark(f->device, bytes_span(&f->order)), 0);
	cut = true;
	assert_int_equal(wipe_run(f->device, bytes_span(&f->order)), -ERR_SYSTEM);
	cut = false;
	bytes_clear(&f->order);
	assert_false(wipe_is_marked(f->device, &f->order));
	assert_true(wipe_is_over(f->device));
	assert_int_equal(wipe_unmark(f->device), 0);
	assert_int_equal(left(f, 0), 0);
	assert_false(wipe_is_over(f->device)); /* blank */
}

/* The second half of the device takes nothing: no certificate, and the next start tries again. */
static void test_wipe_run_keeps_the_mark_of_what_cannot_be_written(void **state)
{
	struct fixture *f = *state;
	struct rlimit limit, half = {.rlim_cur = DEVICE_BYTES / 2, .rlim_max = RLIM_INFINITY};
	struct wipe_outcome outcome;

	give_order(f);
	assert_int_equal(wipe_mark(f->device, bytes_span(&f->order)), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	half.rlim_max = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &half), 0);
	assert_int_equal(wipe_overwrite(f->device, &outcome), 0);
	assert_int_equal(wipe_run(f->device, bytes_span(&f->order)), -ERR_SYSTEM);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_true(outcome.failed_bytes > DEVICE_BYTES / 3);
	bytes_clear(&f->order);
	assert_true(wipe_is_marked(f->device, &f->order));
}

/* L5: the certificate says that random octets were written, and that zeros were read back. */
static void test_wipe_certifies_no_pass_that_failed(void **state)
{
	bool *const failures[] = {&no_random, &reads_wrong};
	struct fixture *f = *state;

	give_order(f);
	assert_int_equal(wipe_mark(f->device, bytes_span(&f->order)), 0);
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		*failures[i] = true;
		assert_int_equal(wipe_run(f->device, bytes_span(&f->order)), -ERR_SYSTEM);
		*failures[i] = false;
		bytes_clear(&f->order);
		assert_true(wipe_is_marked(f->device, &f->order));
	}
	assert_int_equal(wipe_run(f->device, bytes_span(&f->order)), 0);
	assert_int_equal(left(f, 0), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_wipe_takes_an_order_as_it_was_written_only),
		TEST(test_wipe_is_ordered_where_nobody_can_tell),
		TEST(test_wipe_mark_is_found_and_nothing_like_it),
		TEST(test_wipe_overwrite_leaves_the_mark_and_zeros),
		TEST(test_wipe_run_leaves_a_blank_device),
		TEST(test_wipe_unmark_that_is_cut_is_found_and_ended),
		TEST(test_wipe_run_keeps_the_mark_of_what_cannot_be_written),
		TEST(test_wipe_certifies_no_pass_that_failed),
	};

	return cmocka_run_group_tests_name("wipe", tests, NULL, NULL);
}
