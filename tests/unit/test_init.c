/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What process 1 decides before it touches anything: whose disk it is, which slot a port is in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "init/init.h"

#define SUPERBLOCK 1024U

/* The head of a disk that the appliance has formatted, after a power cut. */
static void fill_ours(uint8_t head[DISK_HEAD_BYTES])
{
	memset(head, 0, DISK_HEAD_BYTES);
	memcpy(head + SUPERBLOCK + 0x38, "\x53\xef", 2);
	head[SUPERBLOCK + 0x3a] = 0x01; /* valid */
	head[SUPERBLOCK + 0x5c] = 0x3c; /* has_journal and others */
	head[SUPERBLOCK + 0x60] = 0x04; /* the journal waits to be replayed */
	memcpy(head + SUPERBLOCK + 0x78, DATA_LABEL, sizeof(DATA_LABEL));
}

static void test_disk_judge_zeros_are_blank(void **state)
{
	uint8_t head[DISK_HEAD_BYTES] = {0};

	assert_int_equal(disk_judge(head), DISK_BLANK);
	head[0] = 1;
	assert_int_equal(disk_judge(head), DISK_CHECK);
	head[0] = 0;
	head[DISK_HEAD_BYTES - 1] = 1;
	assert_int_equal(disk_judge(head), DISK_CHECK);
}

static void test_disk_judge_our_file_system_needs_no_check_after_a_power_cut(void **state)
{
	uint8_t head[DISK_HEAD_BYTES];

	fill_ours(head);
	assert_int_equal(disk_judge(head), DISK_SOUND);
}

static void test_disk_judge_an_error_on_record_is_checked(void **state)
{
	uint8_t head[DISK_HEAD_BYTES];

	fill_ours(head);
	head[SUPERBLOCK + 0x3a] = 0x03; /* valid, with errors */
	assert_int_equal(disk_judge(head), DISK_CHECK);
	fill_ours(head);
	head[SUPERBLOCK + 0x194] = 1; /* one error counted */
	assert_int_equal(disk_judge(head), DISK_CHECK);
	fill_ours(head);
	head[SUPERBLOCK + 0x5c] = 0x38; /* no journal: nothing that could be replayed */
	assert_int_equal(disk_judge(head), DISK_CHECK);
}

static void test_disk_judge_another_label_is_foreign(void **state)
{
	uint8_t head[DISK_HEAD_BYTES];

	fill_ours(head);
	memset(head + SUPERBLOCK + 0x78, 0, 16);
	assert_int_equal(disk_judge(head), DISK_FOREIGN);
	memcpy(head + SUPERBLOCK + 0x78, "sekisho-data-old", 16);
	assert_int_equal(disk_judge(head), DISK_FOREIGN);
}

static void test_settings_split_takes_names_and_values(void **state)
{
	char line[] = " kernel.printk = 3 4 1 3\n", tight[] = "net.ipv4.ip_forward=0";
	char *name, *value;

	assert_int_equal(settings_split(line, &name, &value), 0);
	assert_string_equal(name, "kernel/printk");
	assert_string_equal(value, "3 4 1 3");
	assert_int_equal(settings_split(tight, &name, &value), 0);
	assert_string_equal(name, "net/ipv4/ip_forward");
	assert_string_equal(value, "0");
}

static void test_settings_split_refuses_what_is_no_setting(void **state)
{
	static const struct {
		const char *line;
		int err;
	} cases[] = {
		{"", -ERR_NOT_FOUND},
		{"  \n", -ERR_NOT_FOUND},
		{"# kernel.panic = 5", -ERR_NOT_FOUND},
		{"kernel.panic", -ERR_SYNTAX},
		{"kernel.panic =", -ERR_SYNTAX},
		{"= 5", -ERR_SYNTAX},
		{"kernel..panic = 5", -ERR_SYNTAX},
		{"../../etc/passwd = 5", -ERR_SYNTAX},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char line[64], *name, *value;

		(void)snprintf(line, sizeof(line), "%s", cases[i].line);
		assert_int_equal(settings_split(line, &name, &value), cases[i].err);
	}
}

static void test_ports_name_of_finds_the_slot_in_the_path(void **state)
{
	static const char table[] = "# PCI slot, name\n0000:00:10.0 eth0\n\n0000:00:11.0 eth1\n";
	char name[PORT_NAME_BYTES];

	ports_name_of(table, "../../devices/pci0000:00/0000:00:11.0/virtio4/net/eth0", name);
	assert_string_equal(name, "eth1");
	ports_name_of(table, "../../devices/pci0000:00/0000:00:10.0/virtio3/net/eth0", name);
	assert_string_equal(name, "eth0");
	ports_name_of(table, "../../devices/pci0000:00/0000:00:12.0/virtio5/net/eth2", name);
	assert_string_equal(name, "");
	ports_name_of(table, "../../devices/pci0000:00/10000:00:10.0/net/eth2", name);
	assert_string_equal(name, "");
	ports_name_of("", "../../devices/pci0000:00/0000:00:10.0/net/eth0", name);
	assert_string_equal(name, "");
}

/* ADR 318: a start behind our own restart is none by hand, once; what cannot be told is none. */
static void test_start_is_by_hand_unless_a_mark_was_left(void **state)
{
	char path[] = "/tmp/sekisho-unit-XXXXXX", below[48];
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	(void)snprintf(below, sizeof(below), "%s/mark", path);
	assert_false(start_was_by_hand(below)); /* not a directory: nothing is known */
	close(fd);
	assert_false(start_was_by_hand(path));
	assert_true(start_was_by_hand(path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_disk_judge_zeros_are_blank),
		cmocka_unit_test(test_disk_judge_our_file_system_needs_no_check_after_a_power_cut),
		cmocka_unit_test(test_disk_judge_an_error_on_record_is_checked),
		cmocka_unit_test(test_disk_judge_another_label_is_foreign),
		cmocka_unit_test(test_settings_split_takes_names_and_values),
		cmocka_unit_test(test_settings_split_refuses_what_is_no_setting),
		cmocka_unit_test(test_ports_name_of_finds_the_slot_in_the_path),
		cmocka_unit_test(test_start_is_by_hand_unless_a_mark_was_left),
	};

	return cmocka_run_group_tests_name("init", tests, NULL, NULL);
}
