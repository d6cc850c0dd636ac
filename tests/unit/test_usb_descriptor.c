/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is a memory stick and nothing else, by what a device says of itself. */
#include "unit.h"

#include <string.h>

#include "base/err.h"
#include "channel/usb.h"
#include "wire/usb_descriptor.h"

#define DEVICE      18, 1, 0x00, 2, 0, 0, 0, 64, 0xf4, 0x46, 1, 0, 0, 0, 1, 2, 3, 1
#define ENDPOINT    7, 5, 0x81, 2, 0, 2, 0
#define COMPANION   6, 0x30, 15, 0, 0, 0
#define STORAGE     9, 4, 0, 0, 2, 8, 6, 0x50, 0
#define ATTACHED    9, 4, 0, 1, 4, 8, 6, 0x62, 0
#define KEYBOARD    9, 4, 1, 0, 1, 3, 1, 1, 0
#define HID         9, 0x21, 0x11, 1, 0, 1, 0x22, 63, 0
#define ASSOCIATION 8, 0x0b, 0, 2, 8, 6, 0x50, 0

/* A configuration of so many interfaces; its length is set by check(). */
#define CONFIGURATION(interfaces) 9, 2, 0, 0, interfaces, 1, 0, 0x80, 50

enum { CONFIGURATION_AT = 18, LENGTH_AT = 20, INTERFACE_AT = 27 };

static int check(const uint8_t *bytes, size_t size)
{
	uint8_t copy[2 * USB_DESCRIPTOR_BYTES_MAX];

	memcpy(copy, bytes, size);
	copy[LENGTH_AT] = (uint8_t)(size - CONFIGURATION_AT);
	copy[LENGTH_AT + 1] = (uint8_t)((size - CONFIGURATION_AT) >> 8);
	return usb_is_storage((struct span){copy, size});
}

#define EXPECT(err, ...)                                                                           \
	do {                                                                                       \
		static const uint8_t said[] = {__VA_ARGS__};                                       \
		assert_int_equal(check(said, sizeof(said)), err);                                  \
	} while (0)

static const uint8_t plain[] = {DEVICE, CONFIGURATION(1), STORAGE, ENDPOINT, ENDPOINT};

static void test_usb_descriptor_memory_sticks_are_taken(void **state)
{
	assert_int_equal(check(plain, sizeof(plain)), 0);
	EXPECT(0, DEVICE, CONFIGURATION(1), STORAGE, ENDPOINT, COMPANION, ENDPOINT, COMPANION);
	EXPECT(0, DEVICE, CONFIGURATION(1), STORAGE, ENDPOINT, ENDPOINT, ATTACHED, ENDPOINT, 4,
	       0x24, 1, 0, ENDPOINT, 4, 0x24, 2, 0);
}

static void test_usb_descriptor_what_is_more_is_refused(void **state)
{
	EXPECT(-ERR_DENIED, DEVICE, CONFIGURATION(2), STORAGE, ENDPOINT, ENDPOINT, KEYBOARD, HID,
	       ENDPOINT);
	/* It says one and has two. */
	EXPECT(-ERR_DENIED, DEVICE, CONFIGURATION(1), STORAGE, ENDPOINT, ENDPOINT, KEYBOARD, HID,
	       ENDPOINT);
	EXPECT(-ERR_DENIED, DEVICE, CONFIGURATION(1), ASSOCIATION, STORAGE, ENDPOINT, ENDPOINT);
	EXPECT(-ERR_DENIED, DEVICE, CONFIGURATION(1), STORAGE, ENDPOINT, ENDPOINT, HID);
	/* Its first setting is the other protocol, which the kernel does not speak. */
	EXPECT(-ERR_DENIED, DEVICE, CONFIGURATION(1), 9, 4, 0, 0, 4, 8, 6, 0x62, 0, ENDPOINT);
	EXPECT(-ERR_DENIED, DEVICE, CONFIGURATION(1), ATTACHED, ENDPOINT);
	EXPECT(-ERR_DENIED, DEVICE, CONFIGURATION(1), ENDPOINT, ENDPOINT);
	EXPECT(-ERR_DENIED, DEVICE, CONFIGURATION(1));
}

/* Each byte by which a keyboard, a hub or a second configuration would differ. */
static void test_usb_descriptor_every_byte_that_says_what_it_is_counts(void **state)
{
	static const size_t at[] = {4,
				    17,
				    CONFIGURATION_AT + 4,
				    INTERFACE_AT + 2,
				    INTERFACE_AT + 3,
				    INTERFACE_AT + 5,
				    INTERFACE_AT + 6,
				    INTERFACE_AT + 7};

	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		for (unsigned value = 0; value < 256; value++) {
			uint8_t bytes[sizeof(plain)];
			bool same;

			memcpy(bytes, plain, sizeof(plain));
			bytes[at[i]] = (uint8_t)value;
			same = value == plain[at[i]] || (at[i] == 4 && value == 8);
			assert_int_equal(check(bytes, sizeof(bytes)), same ? 0 : -ERR_DENIED);
		}
	}
}

static void test_usb_descriptor_lengths_must_fit(void **state)
{
	uint8_t bytes[2 * USB_DESCRIPTOR_BYTES_MAX] = {0};

	for (size_t size = 0; size < sizeof(plain); size++)
		assert_true(usb_is_storage((struct span){plain, size}) < 0);
	memcpy(bytes, plain, sizeof(plain));
	assert_int_equal(usb_is_storage((struct span){bytes, sizeof(plain)}), -ERR_SYNTAX);
	assert_int_equal(usb_is_storage((struct span){bytes, USB_DESCRIPTOR_BYTES_MAX + 1}),
			 -ERR_TOO_LONG);
	for (unsigned length = 0; length < 256; length++) {
		memcpy(bytes, plain, sizeof(plain));
		bytes[INTERFACE_AT + 9] = (uint8_t)length; /* of the first endpoint */
		assert_int_equal(check(bytes, sizeof(plain)) == 0, length == 7 || length == 14);
	}
	EXPECT(-ERR_SYNTAX, DEVICE, CONFIGURATION(1), STORAGE, ENDPOINT, 2);
}

static void test_usb_descriptor_names_of_files(void **state)
{
	static const char *const sound[] = {"a", "Running-Configuration_2026.conf", "0.b"};
	static const char *const others[] = {"",    ".",    "..",  "a..b", "../a",
					     "a/b", "a\\b", "a:b", "-a",   "_a",
					     ".a",  "a.",   "a b", "a*",   "\xe3\x81\x82"};
	char name[USB_NAME_BYTES] = {0};

	for (size_t i = 0; i < sizeof(sound) / sizeof(sound[0]); i++) {
		strncpy(name, sound[i], sizeof(name));
		assert_true(usb_name_is_sound(name));
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		strncpy(name, others[i], sizeof(name));
		assert_false(usb_name_is_sound(name));
	}
	memset(name, 'a', sizeof(name));
	assert_false(usb_name_is_sound(name)); /* it has no end */
	name[USB_NAME_BYTES - 1] = '\0';
	assert_true(usb_name_is_sound(name));
}

static void test_usb_descriptor_another_device_is_another_one(void **state)
{
	static const uint8_t device[] = {DEVICE};
	const struct span said = {device, sizeof(device)};

	assert_true(usb_has_ids(said, 0x46f4, 0x0001));
	assert_false(usb_has_ids(said, 0xf446, 0x0001));
	assert_false(usb_has_ids(said, 0x46f4, 0x0100));
	assert_false(usb_has_ids((struct span){device, sizeof(device) - 1}, 0x46f4, 0x0001));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_usb_descriptor_memory_sticks_are_taken),
		cmocka_unit_test(test_usb_descriptor_what_is_more_is_refused),
		cmocka_unit_test(test_usb_descriptor_every_byte_that_says_what_it_is_counts),
		cmocka_unit_test(test_usb_descriptor_lengths_must_fit),
		cmocka_unit_test(test_usb_descriptor_another_device_is_another_one),
		cmocka_unit_test(test_usb_descriptor_names_of_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
