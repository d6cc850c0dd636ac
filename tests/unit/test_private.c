/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What leaves for support (C8): the table of statements marks whatever may be private, so that a
 * new one cannot be forgotten, and the printer shows none of it.
 */
#include "unit.h"

#include <string.h>

#include "policy/parse.h"
#include "policy/print.h"

#define CANARY    "kanari"
#define OUT_BYTES (1U << 20)

/* Every private statement, with a canary in each; what may be seen stands beside them. */
static const char *const configuration =
	"system { organization \"kanari-shi\"; host-name seen-host; }\n"
	"zone seen { description \"kanari 1\"; tier business; port eth1; address 10.0.0.1/24;\n"
	"  station 02:00:00:00:00:05 { comment \"kanari 2\"; } }\n"
	"zone other { tier outside; port eth2; address 10.0.1.1/24; }\n"
	"address-group servers { address 10.0.0.8; comment \"kanari 3\"; }\n"
	"station-group desks { zone seen; station 02:00:00:00:00:05; comment \"kanari 4\"; }\n"
	"service web { tcp 443; }\n"
	"crossing seen other { permit 10 { destination 10.0.1.8; service web;\n"
	"  comment \"kanari 5 { } ; \\\" \"; } }\n"
	"scanner virus { zone seen; icap 10.0.0.9; service \"kanari\"; }\n"
	"mail outward { from seen; to other; next-hop 10.0.1.9;\n"
	"  outbound { sender kanari@city.example.jp; label \"kanari 6\"; } }\n"
	"screen-user kanari-hanako { group staff; description \"kanari 7\"; desktop 10.9.9.9; }\n"
	"screen desk { from seen; to other; desktop 10.0.1.7; security none;\n"
	"  desktop-security { type vnc-auth; user \"kanari 9\"; password kanari-10; } }\n"
	"login { user kanari-taro { role administrator; description \"kanari 8\"; } }\n";

static bool is_marked(enum schema_id id)
{
	return (schema_row(id)->flags & SCHEMA_PRIVATE) != 0;
}

/* Types whose values say nothing of a person and keep no secret. A new type is private until it is
 * named here. */
static bool is_public_type(enum value_type type)
{
	static const enum value_type types[] = {
		TYPE_WORD,     TYPE_NUMBER,    TYPE_NAME,     TYPE_ZONE,     TYPE_SERVICE,
		TYPE_SCHEDULE, TYPE_HOST,      TYPE_DOMAIN,   TYPE_DEVICE,   TYPE_ADDRESS,
		TYPE_PREFIX,   TYPE_INTERFACE, TYPE_MAC,      TYPE_ENDPOINT, TYPE_PORTS,
		TYPE_ICMP,     TYPE_SIZE,      TYPE_DURATION, TYPE_DATE,     TYPE_DAYS,
		TYPE_SCANNER,  TYPE_TIMES,     TYPE_PLACE,    TYPE_PATTERN,  TYPE_RATE,
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (types[i] == type)
			return true;
	}
	return false;
}

/* By what it is called, or because it stands for a person: an entry of the accounts (A7). */
static bool sounds_private(const struct schema_row *row)
{
	static const char *const words[] = {"password", "secret",      "key",
					    "hash",     "community",   "token",
					    "comment",  "description", "contact"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strstr(row->name, words[i]) != NULL)
			return true;
	}
	return row->kind == SCHEMA_ENTRY && strstr(row->requirement, "A7") != NULL;
}

static void test_private_statements_are_marked_in_the_table(void **state)
{
	unsigned marked = 0;

	for (enum schema_id id = ROW_ROOT + 1; id < ROW_COUNT_; id++) {
		const struct schema_row *row = schema_row(id);
		bool private = sounds_private(row);

		for (unsigned i = 0; i < schema_arg_count(id); i++)
		private |= !is_public_type(row->args[i].type);
		if (private && !is_marked(id))
			fail_msg("%s may be private and is not marked", row->name);
		marked += is_marked(id);
	}
	assert_true(marked > 0);
}

static void read_configuration(struct tree *tree)
{
	struct problems problems;

	problems_init(&problems);
	assert_int_equal(tree_init(tree), 0);
	assert_int_equal(parse_text(tree, span_of(configuration), PARSE_WHOLE, &problems), 0);
}

/* A statement that is marked and not in the configuration above would not be looked at. */
static void test_private_canaries_stand_in_every_marked_statement(void **state)
{
	bool met[ROW_COUNT_] = {false};
	struct tree tree;

	read_configuration(&tree);
	for (const struct tree_node *n = tree.root; (n = tree_walk(tree.root, n)) != NULL;)
		met[n->row] = true;
	for (enum schema_id id = ROW_ROOT + 1; id < ROW_COUNT_; id++) {
		if (is_marked(id) && !met[id])
			fail_msg("%s has no canary", schema_row(id)->name);
	}
	tree_fini(&tree);
}

static unsigned count_of(const struct bytes *text, const char *word)
{
	unsigned count = 0;

	for (const char *at = (const char *)text->data; (at = strstr(at, word)) != NULL; at++)
		count++;
	return count;
}

static void test_private_values_are_not_printed_for_support(void **state)
{
	struct bytes whole, public;
	struct tree tree;

	read_configuration(&tree);
	bytes_init(&whole, OUT_BYTES);
	bytes_init(&public, OUT_BYTES);
	assert_int_equal(print_tree(&whole, tree.root), 0);
	assert_int_equal(print_public(&public, tree.root), 0);
	assert_int_equal(bytes_append_u8(&whole, 0), 0);
	assert_int_equal(bytes_append_u8(&public, 0), 0);
	assert_true(count_of(&whole, CANARY) >= 13 && count_of(&whole, PRINT_REMOVED) == 0);
	assert_int_equal(count_of(&public, CANARY), 0);
	assert_int_equal(count_of(&public, "10.9.9.9"), 0);
	assert_int_equal(count_of(&public, PRINT_REMOVED), 16);
	assert_int_equal(count_of(&public, "\n"), count_of(&whole, "\n"));
	assert_int_equal(count_of(&public, "host-name seen-host;"), 1);
	assert_int_equal(count_of(&public, "    user (removed) {\n        role administrator;"), 1);
	bytes_fini(&whole);
	bytes_fini(&public);
	tree_fini(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_private_statements_are_marked_in_the_table),
		cmocka_unit_test(test_private_canaries_stand_in_every_marked_statement),
		cmocka_unit_test(test_private_values_are_not_printed_for_support),
	};

	return cmocka_run_group_tests_name("private", tests, NULL, NULL);
}
