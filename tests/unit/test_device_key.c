/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device key (L1, L4): kept over restarts, never used when damaged; what it signs can be
 * checked, and nothing else. */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/device_key.h"
#include "base/err.h"
#include "place.h"

static struct place place;

static int setup(void **state)
{
	place_open(&place);
	return 0;
}

static int teardown(void **state)
{
	place_close(&place);
	return 0;
}

static struct log_anchor make_anchor(const struct device_key *key)
{
	struct log_anchor anchor = {.sequence = 4711, .time_s = 1775001600};

	memset(anchor.hash, 0xa5, sizeof(anchor.hash));
	device_key_sign(key, &anchor);
	return anchor;
}

static void test_device_key_is_made_once(void **state)
{
	struct device_key first, second;
	struct stat status;

	assert_int_equal(device_key_open(&first, place.dir), 0);
	assert_true(first.usable && first.is_new && !first.damaged);
	assert_int_equal(device_key_open(&second, place.dir), 0);
	assert_true(second.usable && !second.is_new);
	assert_memory_equal(first.public, second.public, sizeof(first.public));
	assert_int_equal(fstatat(place.dir, "device-key", &status, 0), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
}

static void test_device_key_that_is_damaged_is_replaced(void **state)
{
	struct device_key first, second;
	uint8_t last = 0;
	int fd;

	assert_int_equal(device_key_open(&first, place.dir), 0);
	fd = openat(place.dir, "device-key", O_RDWR | O_CLOEXEC);
	assert_true(lseek(fd, -1, SEEK_END) > 0);
	assert_int_equal(read(fd, &last, 1), 1);
	last ^= 1;
	assert_true(lseek(fd, -1, SEEK_END) > 0);
	assert_int_equal(write(fd, &last, 1), 1);
	close(fd);
	assert_int_equal(device_key_open(&second, place.dir), 0);
	assert_true(second.usable && second.is_new && second.damaged);
	assert_memory_not_equal(first.public, second.public, sizeof(first.public));
}

static void test_device_key_that_cannot_be_kept_is_not_used(void **state)
{
	static const uint8_t zero[LOG_ANCHOR_KEY_BYTES];
	int nowhere = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct device_key key;

	assert_true(device_key_open(&key, nowhere) < 0);
	assert_false(key.usable);
	assert_memory_equal(key.seed, zero, sizeof(zero));
	close(nowhere);
}

static void test_device_key_signs_every_part_of_an_anchor(void **state)
{
	struct device_key key;
	struct log_anchor anchor;

	assert_int_equal(device_key_open(&key, place.dir), 0);
	anchor = make_anchor(&key);
	assert_true(device_key_check(&anchor));
	anchor.sequence++;
	assert_false(device_key_check(&anchor));
	anchor = make_anchor(&key);
	anchor.time_s--;
	assert_false(device_key_check(&anchor));
	for (size_t i = 0; i < sizeof(anchor.hash); i++) {
		anchor = make_anchor(&key);
		anchor.hash[i] ^= 1;
		assert_false(device_key_check(&anchor));
	}
	for (size_t i = 0; i < sizeof(anchor.signature); i++) {
		anchor = make_anchor(&key);
		anchor.signature[i] ^= 1;
		assert_false(device_key_check(&anchor));
	}
}

static void test_device_key_pem_is_read_again_and_nothing_else_is(void **state)
{
	uint8_t public[LOG_ANCHOR_KEY_BYTES];
	struct device_key key;
	struct bytes pem;

	bytes_init(&pem, 1024);
	assert_int_equal(device_key_open(&key, place.dir), 0);
	assert_int_equal(device_key_pem(key.public, &pem), 0);
	assert_int_equal(device_key_read_pem(bytes_span(&pem), public), 0);
	assert_memory_equal(public, key.public, sizeof(public));
	for (size_t size = 0; size < 27 + 60; size++)
		assert_int_equal(device_key_read_pem((struct span){pem.data, size}, public),
				 -ERR_SYNTAX);
	pem.data[27 + 3] ^= 1; /* another algorithm */
	assert_int_equal(device_key_read_pem(bytes_span(&pem), public), -ERR_SYNTAX);
	bytes_fini(&pem);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_device_key_is_made_once),
		TEST(test_device_key_that_is_damaged_is_replaced),
		TEST(test_device_key_that_cannot_be_kept_is_not_used),
		TEST(test_device_key_signs_every_part_of_an_anchor),
		TEST(test_device_key_pem_is_read_again_and_nothing_else_is),
#undef TEST
	};

	return cmocka_run_group_tests_name("device_key", tests, NULL, NULL);
}
