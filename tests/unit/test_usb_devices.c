/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of USB is plugged in, from a tree as sysfs has it. */
#include "unit.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/err.h"
#include "supervisor/usb/devices.h"

static char place[] = "/tmp/sekisho-usb-XXXXXX";

/* Every directory on the way to a file is made; @content NULL: @path is a directory. */
static void make(const char *path, const char *content)
{
	char full[256];
	int fd;

	snprintf(full, sizeof(full), "%s/%s", place, path);
	for (char *slash = full + strlen(place) + 1; (slash = strchr(slash, '/')) != NULL;
	     slash++) {
		*slash = '\0';
		(void)mkdir(full, 0755);
		*slash = '/';
	}
	if (content == NULL) {
		assert_int_equal(mkdir(full, 0755), 0);
		return;
	}
	fd = open(full, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	close(fd);
}

static void make_device(const char *name, const char *vendor, const char *product,
			const char *class)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/idVendor", name);
	make(path, vendor);
	snprintf(path, sizeof(path), "%s/idProduct", name);
	make(path, product);
	snprintf(path, sizeof(path), "%s/bDeviceClass", name);
	make(path, class);
}

static int setup(void **state)
{
	memcpy(place + sizeof(place) - 7, "XXXXXX", 6);
	return mkdtemp(place) == NULL;
}

static int remove_one(const char *path, const struct stat *stat, int kind, struct FTW *where)
{
	return remove(path);
}

static int teardown(void **state)
{
	return nftw(place, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void test_usb_devices_only_what_is_in_a_port_is_listed(void **state)
{
	struct usb_device devices[4];

	make_device("usb1", "1d6b\n", "0002\n", "09\n");
	make_device("12-3", "46f4\n", "0001\n", "00\n");
	make_device("1-1.2", "46f4\n", "0002\n", "00\n");
	make_device("1-1:1.0", "46f4\n", "0003\n", "00\n");
	make_device("1-4", "46F4\n", "0004\n", "00\n");    /* not as the kernel prints it */
	make_device("1-5", "46f4\n", "\033[2J\n", "00\n"); /* the same */
	assert_int_equal(usb_devices_list(place, devices, 4), 1);
	assert_string_equal(devices[0].name, "12-3");
	assert_string_equal(devices[0].vendor, "46f4");
	assert_string_equal(devices[0].product, "0001");
	assert_string_equal(devices[0].class, "00");
	assert_int_equal(usb_devices_list("/nonexistent", devices, 4), -ERR_SYSTEM);
}

static void test_usb_devices_no_more_than_there_is_room_for(void **state)
{
	struct usb_device devices[2];

	make_device("1-1", "46f4\n", "0001\n", "00\n");
	make_device("1-2", "46f4\n", "0001\n", "00\n");
	make_device("1-3", "46f4\n", "0001\n", "00\n");
	assert_int_equal(usb_devices_list(place, devices, 2), 2);
}

static void test_usb_devices_hubs_and_their_state(void **state)
{
	char hubs[4][USB_HUB_NAME_BYTES];

	make("usb1/authorized", "1\n");
	make("usb2/authorized", "0\n");
	make("usb3/authorized", "?\n");
	make("usbx/authorized", "1\n");
	make_device("1-1", "46f4\n", "0001\n", "00\n");
	assert_int_equal(usb_devices_hubs(place, hubs, 4), 3);
	assert_int_equal(usb_devices_state(place, "usb1"), 1);
	assert_int_equal(usb_devices_state(place, "usb2"), 0);
	assert_int_equal(usb_devices_state(place, "usb3"), -ERR_SYSTEM);
	assert_int_equal(usb_devices_state(place, "usb4"), -ERR_SYSTEM);
}

#define UNIT  "1-1/1-1:1.0/host11/target11:0:0/11:0:0:0/"
#define BLOCK UNIT "block/sdb/"

static void test_usb_devices_disk_is_found_when_it_has_a_medium(void **state)
{
	struct spawn_disk disk = {.path = ""};

	assert_int_equal(usb_devices_disk(place, "1-1", &disk), -ERR_NOT_FOUND);
	make("1-1/ep_00", NULL);
	assert_int_equal(usb_devices_disk(place, "1-1", &disk), -ERR_NOT_FOUND);
	make(UNIT "type", "0\n");
	assert_int_equal(usb_devices_disk(place, "1-1", &disk), -ERR_NOT_FOUND);
	make(BLOCK "size", "0\n");
	make(BLOCK "dev", "8:16\n");
	assert_int_equal(usb_devices_disk(place, "1-1", &disk), -ERR_NOT_FOUND);
	make(BLOCK "size", "131072\n");
	assert_int_equal(usb_devices_disk(place, "1-1", &disk), 0);
	assert_string_equal(disk.path, "/dev/sdb");
	assert_true(disk.number == makedev(8, 16));
	make(BLOCK "dev", "8\n");
	assert_int_equal(usb_devices_disk(place, "1-1", &disk), -ERR_NOT_FOUND);
}

static void test_usb_devices_more_than_one_disk_is_refused(void **state)
{
	struct spawn_disk disk = {.path = ""};

	make(BLOCK "size", "131072\n");
	make(BLOCK "dev", "8:16\n");
	make("1-1/1-1:1.0/host11/target11:0:0/11:0:0:1/block/sdc/size", "1\n");
	assert_int_equal(usb_devices_disk(place, "1-1", &disk), -ERR_UNSUPPORTED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_usb_devices_only_what_is_in_a_port_is_listed),
		TEST(test_usb_devices_no_more_than_there_is_room_for),
		TEST(test_usb_devices_hubs_and_their_state),
		TEST(test_usb_devices_disk_is_found_when_it_has_a_medium),
		TEST(test_usb_devices_more_than_one_disk_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
