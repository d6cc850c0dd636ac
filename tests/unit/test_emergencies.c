/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What somebody else acknowledges afterwards (C1, Z11): kept over restarts, never by who did it. */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "place.h"
#include "policy/persons.h"
#include "supervisor/isolation/emergencies.h"

#define NOW_S 1790000000

static struct place place;
static struct emergencies list;

static int setup(void **state)
{
	place_open(&place);
	assert_int_equal(emergencies_load(&list, place.dir), 0);
	*state = &place;
	return 0;
}

/* place_close removes what stands in the directory itself. */
static int teardown(void **state)
{
	for (uint32_t number = 1; number <= 2 * EMERGENCIES_MAX; number++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "%u", number);
		(void)unlinkat(list.dir, name, 0); /* where there is one */
	}
	close(list.dir);
	place_close(&place);
	return 0;
}

static void restart(void)
{
	close(list.dir);
	memset(&list, 0xa5, sizeof(list));
	assert_int_equal(emergencies_load(&list, place.dir), 0);
}

static uint32_t begin(const char *user, const char *hands)
{
	struct emergency one = {.time_s = NOW_S, .what = "zone internet", .why = "標的型メール"};

	(void)snprintf(one.who[0].name, sizeof(one.who[0].name), "%s", user);
	(void)snprintf(one.who[0].hands, sizeof(one.who[0].hands), "%s", hands);
	assert_int_equal(emergencies_open(&list, &one), 0);
	return one.number;
}

static int acknowledge(uint32_t number, const char *user, const char *hands)
{
	struct emergency_person closer = {0};

	(void)snprintf(closer.name, sizeof(closer.name), "%s", user);
	(void)snprintf(closer.hands, sizeof(closer.hands), "%s", hands);
	return emergencies_close(&list, number, &closer, "seen", NOW_S + 60);
}

static void test_persons_are_told_apart_by_names_and_hands(void **state)
{
	assert_false(persons_may_be_one("yamada", "", "tanaka", ""));
	assert_true(persons_may_be_one("yamada", "", "yamada", ""));
	assert_true(persons_may_be_one("yamada", "tanaka", "tanaka", ""));
	assert_true(persons_may_be_one("yamada", "", "tanaka", "sato yamada"));
	assert_true(persons_may_be_one("yamada", "sato", "tanaka", "suzuki sato"));
	assert_false(persons_may_be_one("yamada", "sato", "tanaka", "suzuki"));
	assert_false(persons_may_be_one("yamada", "sat", "tanaka", "sato"));
	assert_true(persons_may_be_one("yamada", "*", "tanaka", ""));
	assert_true(persons_may_be_one("yamada", "", "tanaka", "*"));
	assert_true(persons_may_be_one("", "", "tanaka", ""));
}

static void test_emergencies_are_not_acknowledged_by_who_did_it(void **state)
{
	uint32_t number = begin("yamada", "");

	assert_int_equal(acknowledge(number, "yamada", ""), -ERR_DENIED);
	assert_int_equal(acknowledge(number, "tanaka", "yamada"), -ERR_DENIED);
	assert_int_equal(acknowledge(number, "", ""), -ERR_DENIED);
	assert_int_equal(acknowledge(number + 1, "tanaka", ""), -ERR_NOT_FOUND);
	assert_int_equal(emergencies_find(&list, number)->closed_s, 0);
	assert_int_equal(acknowledge(number, "tanaka", ""), 0);
	assert_int_equal(acknowledge(number, "sato", ""), -ERR_NOT_FOUND);
}

static void test_emergencies_of_two_take_a_third(void **state)
{
	struct emergency one = {.what = "change: configuration 3",
				.who = {{.name = "yamada"}, {.name = "tanaka"}}};

	assert_int_equal(emergencies_open(&list, &one), 0);
	assert_int_equal(acknowledge(one.number, "yamada", ""), -ERR_DENIED);
	assert_int_equal(acknowledge(one.number, "tanaka", ""), -ERR_DENIED);
	assert_int_equal(acknowledge(one.number, "sato", "tanaka"), -ERR_DENIED);
	assert_int_equal(acknowledge(one.number, "sato", ""), 0);
}

static void test_emergencies_outlast_a_restart(void **state)
{
	uint32_t first = begin("yamada", "sato suzuki"), second = begin("tanaka", "");
	const struct emergency *one;

	assert_int_equal(acknowledge(second, "yamada", "sato"), 0);
	restart();
	assert_int_equal(list.count, 2);
	one = emergencies_find(&list, first);
	assert_string_equal(one->what, "zone internet");
	assert_string_equal(one->why, "標的型メール");
	assert_string_equal(one->who[0].hands, "sato suzuki");
	assert_int_equal(one->time_s, NOW_S);
	assert_int_equal(one->closed_s, 0);
	one = emergencies_find(&list, second);
	assert_string_equal(one->closer.name, "yamada");
	assert_string_equal(one->comment, "seen");
	assert_int_equal(one->closed_s, NOW_S + 60);
	assert_int_equal(acknowledge(first, "suzuki", ""), -ERR_DENIED);
	assert_int_equal(begin("yamada", ""), second + 1);
}

/* Each byte of a file flipped: the emergency is as it was, or an open one that anybody looks at. */
static void test_emergencies_damaged_stay_open(void **state)
{
	uint32_t number = begin("yamada", "");
	uint8_t file[1024];
	int fd;
	ssize_t size;

	assert_int_equal(acknowledge(number, "tanaka", ""), 0);
	fd = openat(list.dir, "1", O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	size = read(fd, file, sizeof(file));
	assert_true(size > 100 && size < (ssize_t)sizeof(file));
	for (ssize_t i = 0; i < size; i++) {
		uint8_t flipped = file[i] ^ 0x20;

		assert_int_equal(pwrite(fd, &flipped, 1, i), 1);
		restart();
		assert_int_equal(list.count, 1);
		assert_int_equal(list.list[0].closed_s, 0);
		assert_string_equal(list.list[0].what, "a record that is damaged");
		assert_int_equal(pwrite(fd, &file[i], 1, i), 1);
	}
	restart();
	assert_int_equal(list.list[0].closed_s, NOW_S + 60);
	close(fd);
}

static void test_emergencies_full_list_gives_up_acknowledged_ones_only(void **state)
{
	struct emergency one = {.what = "zone internet", .who = {{.name = "yamada"}}};

	for (size_t i = 0; i < EMERGENCIES_MAX; i++)
		(void)begin("yamada", "");
	assert_int_equal(emergencies_open(&list, &one), -ERR_NO_SPACE);
	assert_int_equal(one.number, 0);
	assert_int_equal(acknowledge(7, "tanaka", ""), 0);
	assert_int_equal(emergencies_open(&list, &one), 0);
	assert_int_equal(one.number, EMERGENCIES_MAX + 1);
	assert_null(emergencies_find(&list, 7));
	assert_int_equal(emergencies_open(&list, &one), -ERR_NO_SPACE);
	restart();
	assert_int_equal(list.count, EMERGENCIES_MAX);
	assert_int_equal(list.list[EMERGENCIES_MAX - 1].number, EMERGENCIES_MAX + 1);
}

/* Where the disk takes nothing: what began is listed while this runs, what is open stays so. */
static void test_emergencies_without_a_disk_are_not_lost_or_acknowledged(void **state)
{
	struct emergency one = {.what = "zone internet", .who = {{.name = "yamada"}}};
	uint32_t kept = begin("yamada", "");
	int dir = list.dir;

	list.dir = -1;
	assert_int_equal(emergencies_open(&list, &one), -ERR_SYSTEM);
	assert_non_null(emergencies_find(&list, one.number));
	assert_int_equal(acknowledge(kept, "tanaka", ""), -ERR_SYSTEM);
	assert_int_equal(emergencies_find(&list, kept)->closed_s, 0);
	list.dir = dir;
	assert_int_equal(acknowledge(kept, "tanaka", ""), 0);
	assert_int_equal(acknowledge(one.number, "tanaka", ""), 0);
}

/* A change that cannot be saved is refused: nothing of it stays, and its number is free again. */
static void test_emergencies_withdrawn_leave_nothing(void **state)
{
	struct emergency one = {.what = "change: configuration 3", .who = {{.name = "yamada"}}};
	uint32_t kept = begin("tanaka", "");

	assert_int_equal(emergencies_open(&list, &one), 0);
	emergencies_withdraw(&list);
	assert_null(emergencies_find(&list, one.number));
	assert_non_null(emergencies_find(&list, kept));
	restart();
	assert_int_equal(list.count, 1);
	assert_int_equal(begin("yamada", ""), one.number);
}

static void test_emergencies_open_ones_are_known_by_person_and_text(void **state)
{
	struct emergency_person person = {.name = "yamada", .hands = "sato"};
	uint32_t number = begin("yamada", "sato");

	assert_true(emergencies_has_open(&list, &person, "zone internet"));
	assert_false(emergencies_has_open(&list, &person, "zone lgwan"));
	(void)snprintf(person.hands, sizeof(person.hands), "suzuki");
	assert_false(emergencies_has_open(&list, &person, "zone internet"));
	(void)snprintf(person.hands, sizeof(person.hands), "sato");
	(void)snprintf(person.name, sizeof(person.name), "tanaka");
	assert_false(emergencies_has_open(&list, &person, "zone internet"));
	(void)snprintf(person.name, sizeof(person.name), "yamada");
	assert_int_equal(acknowledge(number, "tanaka", ""), 0);
	assert_false(emergencies_has_open(&list, &person, "zone internet"));
}

/* What stands where the directory should: the list is empty, and nothing is saved by mistake. */
static void test_emergencies_that_cannot_be_opened_stop_nothing(void **state)
{
	struct emergency one = {.what = "zone internet", .who = {{.name = "yamada"}}};
	struct emergencies blocked;
	int fd = openat(list.dir, "emergencies", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(emergencies_load(&blocked, list.dir), -ERR_SYSTEM);
	assert_int_equal(blocked.dir, -1);
	assert_int_equal(blocked.count, 0);
	assert_int_equal(emergencies_open(&blocked, &one), -ERR_SYSTEM);
	assert_non_null(emergencies_find(&blocked, one.number));
	assert_int_equal(unlinkat(list.dir, "emergencies", 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_persons_are_told_apart_by_names_and_hands),
		cmocka_unit_test_setup_teardown(test_emergencies_are_not_acknowledged_by_who_did_it,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_emergencies_of_two_take_a_third, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_emergencies_outlast_a_restart, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_emergencies_damaged_stay_open, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			test_emergencies_without_a_disk_are_not_lost_or_acknowledged, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_emergencies_full_list_gives_up_acknowledged_ones_only, setup,
			teardown),
		cmocka_unit_test_setup_teardown(test_emergencies_withdrawn_leave_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			test_emergencies_open_ones_are_known_by_person_and_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_emergencies_that_cannot_be_opened_stop_nothing,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
