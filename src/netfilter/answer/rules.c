/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `show rules`, and the same in evidence (C7): what the kernel filters by at this moment, read back
 * from it, whoever put it there. A zone's tables are read by several dumps, between which packets
 * are served and rules may change. The kernel counts its transactions: where there was one that is
 * not netfilter's own sign of life, the zone is read again. The same reading is held against the
 * policy from time to time, unasked.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "netfilter/netfilter.h"
#include "netfilter/nft/netlink.h"
#include "netfilter/nft/nft.h"
#include "netfilter/rules_compare.h"

#define KEPT_BYTES_MAX  (32U << 20) /* of one zone */
#define LINES_BYTES_MAX (1U << 20)  /* of one piece */
#define TRIES_MAX       5
#define REQUEST_BYTES   1024 /* with the names of a table and a set, 255 bytes each */
#define FILLED_MAX      128  /* elements of a set that packets fill: then no further message */
#define MESSAGE(kind)   ((uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | (kind)))

/* What is asked for, one after the other; then the elements of each set, and the first again. */
static const uint8_t dumps[] = {NFT_MSG_GETGEN, NFT_MSG_GETTABLE,     NFT_MSG_GETOBJ,
				NFT_MSG_GETSET, NFT_MSG_GETFLOWTABLE, NFT_MSG_GETCHAIN,
				NFT_MSG_GETRULE};

enum { STAGE_ELEMENTS = sizeof(dumps), STAGE_END };

/* Send one request. Return: 1 or -ERR_SYSTEM. */
static int ask(const struct listing *l, uint8_t message, const struct netlink_message *set)
{
	uint8_t storage[REQUEST_BYTES];
	struct netlink_buffer b;

	netlink_init_fixed(&b, storage, sizeof(storage));
	/* The count of transactions is one message and no dump: its end is an acknowledgement. */
	netlink_begin(&b, MESSAGE(message), message == NFT_MSG_GETGEN ? NLM_F_ACK : NLM_F_DUMP,
		      set != NULL ? set->family : NFPROTO_UNSPEC, 0);
	if (set != NULL) {
		struct span table = netlink_find(set->attributes, NFTA_SET_TABLE);
		struct span name = netlink_find(set->attributes, NFTA_SET_NAME);

		netlink_put(&b, NFTA_SET_ELEM_LIST_TABLE, table.data, table.size);
		netlink_put(&b, NFTA_SET_ELEM_LIST_SET, name.data, name.size);
	}
	netlink_end(&b);
	return !b.failed && netlink_post(l->zone->flows_fd, &b) == 0 ? 1 : -ERR_SYSTEM;
}

/* The elements of the next set. Return: 1; 0: there is none; or an error. */
static int ask_elements(struct listing *l)
{
	struct listing_rules *w = &l->work.rules;
	struct span rest = {l->kept.data + w->sets_at, l->kept.size - w->sets_at};
	struct netlink_message m;

	while (netlink_next(&rest, &m)) {
		w->sets_at = l->kept.size - rest.size;
		if (m.type != MESSAGE(NFT_MSG_NEWSET))
			continue;
		w->is_filled =
			(netlink_find_be32(m.attributes, NFTA_SET_FLAGS) & NFT_SET_EVAL) != 0;
		if (w->is_filled && l->kind->own)
			continue; /* not compared: outsiders do not make it long */
		w->elements = w->left_out = 0;
		return ask(l, NFT_MSG_GETSETELEM, &m);
	}
	return 0;
}

static void begin_reading(struct listing *l)
{
	struct listing_rules *w = &l->work.rules;

	w->lost_set = false;
	w->asked_changes = l->nf->rules_watch.changes;
	w->sets_at = 0;
	bytes_fini(&l->kept);
	bytes_fini(&l->lines);
	bytes_init(&l->kept, KEPT_BYTES_MAX);
	bytes_init(&l->lines, LINES_BYTES_MAX);
}

/* A sign of life changes nothing but when the running generation's element of one set ends. What is
 * asked for may change behind the kernel's last answer, before that is read. */
static bool has_changed(const struct listing *l)
{
	const struct listing_rules *w = &l->work.rules;

	return w->lost_set || w->asked_changes != l->nf->rules_watch.changes ||
	       w->generation_after - w->generation != w->signs_after - w->signs;
}

static const char *state_of(const struct zone *zone)
{
	if (zone->still_open)
		return "NOT SHUT: the kernel refused the rules that shut it";
	if (zone->foreign)
		return "shut beside a table that another program owns";
	return zone->has_rules ? "has the rules of the running policy" : "shut";
}

/* Chain by chain and rule by rule, expression by expression; what differs goes into l->lines.
 * Return: 0 or an error. */
static int hold_against_policy(struct listing *l, struct rules_compared *compared)
{
	const struct ruleset r = zones_ruleset(l->nf, l->zone->index);
	struct nft_batch asked;
	int err;

	*compared = (struct rules_compared){0};
	nft_begin(&asked, RULESET_BATCH_BYTES);
	err = ruleset_write(&r, &asked);
	if (err == 0)
		err = rules_compare(bytes_span(&l->kept),
				    (struct span){asked.buffer.data, asked.buffer.size}, &l->lines,
				    compared);
	nft_fini(&asked);
	return err;
}

static void compare(struct listing *l)
{
	struct rules_compared compared;
	int err = hold_against_policy(l, &compared);

	if (err != 0)
		(void)bytes_printf(&l->lines, "# not compared with the policy: %s\n",
				   err_name(err)); /* there is room, here and below */
	else if (compared.differing > 0)
		(void)bytes_printf(&l->lines, "# NOT AS THE POLICY ASKS FOR, %u times\n",
				   compared.differing);
	else
		(void)bytes_printf(&l->lines,
				   "# as the policy asks for: %u rules in %u chains, %u elements "
				   "in %u sets\n",
				   compared.rules, compared.chains, compared.elements,
				   compared.sets);
}

/* The zone is read: from here on it is text. */
static void begin_printing(struct listing *l)
{
	struct listing_rules *w = &l->work.rules;
	const struct netfilter *nf = l->nf;

	nft_text_begin(&w->text, bytes_span(&l->kept));
	(void)bytes_printf(&l->lines,
			   "# zone %s: netfilter says: %s, epoch %" PRIu64
			   ", generation %u (0x%04x0000 in marks)\n",
			   l->zone->name, state_of(l->zone), nf->running.epoch, nf->generation,
			   nf->generation); /* there is room */
	if (has_changed(l))
		(void)bytes_printf(&l->lines,
				   "# NOT OF ONE MOMENT: changed while it was read, %u times, from "
				   "transaction %u to %u\n",
				   w->tries + 1, w->generation, w->generation_after);
	else
		(void)bytes_printf(&l->lines,
				   "# the kernel says: as of its transaction %u, and %u signs of "
				   "life of netfilter behind it\n",
				   w->generation, w->signs_after - w->signs);
	if (l->zone->has_rules && !has_changed(l))
		compare(l);
	w->printing = true;
	w->printed = false;
	w->sent = 0;
	w->stage = w->tries = 0; /* of the next zone */
}

/* The next dump. Return: 1; 0: the zone is read; or an error. */
static int read_on(struct listing *l)
{
	struct listing_rules *w = &l->work.rules;
	int asked;

	if (l->kept.failed)
		return -ERR_TOO_LONG;
	if (w->stage == STAGE_END && has_changed(l) && w->tries + 1 < TRIES_MAX) {
		w->tries++;
		w->stage = 0;
	}
	if (w->stage == 0) {
		begin_reading(l);
		w->signs = l->zone->signs;
	}
	if (w->stage < STAGE_ELEMENTS)
		return ask(l, dumps[w->stage++], NULL);
	if (w->stage == STAGE_ELEMENTS) {
		asked = ask_elements(l);
		if (asked != 0)
			return asked;
		w->stage = STAGE_END;
		w->signs_after = l->zone->signs; /* the kernel counts as it is asked */
		return ask(l, NFT_MSG_GETGEN, NULL);
	}
	return 0;
}

static int request(struct listing *l)
{
	int more = read_on(l);

	if (more == 0)
		begin_printing(l);
	return more;
}

static void keep(struct listing *l, struct span message)
{
	static const uint8_t padding[3];

	/* kept remembers that it is full */
	(void)(bytes_append(&l->kept, message.data, message.size) |
	       bytes_append(&l->kept, padding, -message.size & 3U));
}

static uint32_t count_elements(const struct netlink_message *m)
{
	struct span list = netlink_find(m->attributes, NFTA_SET_ELEM_LIST_ELEMENTS);
	struct netlink_attribute a;
	uint32_t count = 0;

	while (netlink_next_attribute(&list, &a))
		count++;
	return count;
}

/* Where the first message would be that is not kept, one of our own says how many elements all of
 * them had: its last attribute is the number. */
static void leave_out(struct listing *l, const struct netlink_message *m, uint32_t count)
{
	struct listing_rules *w = &l->work.rules;
	bool is_first = w->left_out == 0;
	uint8_t storage[REQUEST_BYTES];
	struct netlink_buffer b;

	w->left_out += count;
	netlink_init_fixed(&b, storage, sizeof(storage));
	netlink_begin(&b, MESSAGE(NFT_MSG_NEWSETELEM), 0, m->family, 0);
	for (uint16_t name = NFTA_SET_ELEM_LIST_TABLE; name <= NFTA_SET_ELEM_LIST_SET; name++) {
		struct span value = netlink_find(m->attributes, name);

		netlink_put(&b, name, value.data, value.size);
	}
	netlink_put_be32(&b, NFT_TEXT_LEFT_OUT, w->left_out);
	netlink_end(&b);
	if (!is_first && !l->kept.failed)
		l->kept.size -= b.size; /* of the message before, which is as long */
	keep(l, (struct span){b.data, b.size});
}

/* Packets, so outsiders, decide how many elements such a set has. */
static void take_elements(struct listing *l, const struct netlink_message *m)
{
	struct listing_rules *w = &l->work.rules;
	uint32_t count = count_elements(m);

	if (w->is_filled && w->elements >= FILLED_MAX) {
		leave_out(l, m, count);
		return;
	}
	w->elements += count;
	keep(l, m->whole);
}

static void take_message(struct listing *l, const struct netlink_message *m)
{
	struct listing_rules *w = &l->work.rules;

	if (m->error == -ENOENT)
		w->lost_set = true;
	if (m->type == MESSAGE(NFT_MSG_NEWGEN))
		*(w->stage == STAGE_END ? &w->generation_after : &w->generation) =
			netlink_find_be32(m->attributes, NFTA_GEN_ID);
	else if (m->type == MESSAGE(NFT_MSG_NEWSETELEM))
		take_elements(l, m);
	else if (m->type >= NLMSG_MIN_TYPE)
		keep(l, m->whole);
}

/* The next line, as much of it as a row takes. */
static void send_line(struct listing *l)
{
	struct listing_rules *w = &l->work.rules;
	const char *line = (const char *)l->lines.data + w->sent;
	const char *end = memchr(line, '\n', l->lines.size - w->sent);
	size_t size = end != NULL ? (size_t)(end - line) : l->lines.size - w->sent;
	bool whole = size < sizeof(l->answer.row.text);

	if (!whole)
		size = sizeof(l->answer.row.text) - 1;
	answer_cell(&l->answer, "%.*s", (int)size, line);
	w->sent += size + (whole ? 1 : 0);
	listing_send(l, whole ? 0 : CONTROL_ROW_CONTINUES);
}

static bool go_on(struct listing *l)
{
	struct listing_rules *w = &l->work.rules;

	if (!w->printing)
		return false;
	if (w->sent < l->lines.size) {
		send_line(l);
		return true;
	}
	bytes_clear(&l->lines);
	w->sent = 0;
	if (w->printed) {
		w->printing = false;
		return false;
	}
	w->printed = !nft_text_next(&w->text, &l->lines);
	if (l->lines.failed)
		listing_refuse(l, "a rule is too long to be shown");
	return true;
}

/* The one zone that is asked about. Return: false: there is none of that name. */
static bool choose_zone(struct listing *l, const char *name)
{
	const struct snapshot *s = &l->nf->running.snapshot;

	for (uint32_t i = 0; i < s->zone_count; i++) {
		if (strcmp(name, s->zones[i].name) == 0) {
			memcpy(l->only_zone, s->zones[i].name, sizeof(l->only_zone));
			return true;
		}
	}
	return false;
}

/* [ZONE] */
static void begin(struct listing *l)
{
	struct answer_words words;

	if (answer_split(&words, l->answer.query->argument) != 0 || words.count > 1)
		listing_refuse(l, "allowed: [ZONE]");
	else if (words.count == 1 && !choose_zone(l, words.words[0]))
		listing_refuse(l, "there is no such zone");
}

static void close_rules(struct listing *l)
{
	listing_send(l, CONTROL_ROW_LAST);
}

const struct listing_kind answer_rules = {.begin = begin,
					  .request = request,
					  .take_message = take_message,
					  .go_on = go_on,
					  .close = close_rules};

/* ---- the same reading, unasked (ADR 814) */

/* The first line of what differs, without what every such line begins with. */
static const char *first_difference(struct listing *l)
{
	static const char beginning[] = "# NOT AS THE POLICY ASKS FOR: ";
	char *line = (char *)l->lines.data;
	char *end = memchr(line, '\n', l->lines.size);

	if (end == NULL || l->lines.size < sizeof(beginning))
		return "";
	*end = '\0';
	return strncmp(line, beginning, sizeof(beginning) - 1) == 0 ? line + sizeof(beginning) - 1
								    : line;
}

/* The zone is read. Return: 1: it is read once more, since what differs counts only if it does so
 * twice: a change of our own can fall between the kernel's last answer and this; 0; or an error. */
static int judge(struct listing *l)
{
	struct listing_rules *w = &l->work.rules;
	struct rules_compared compared;
	bool changed = has_changed(l), differed = w->differed;
	int err;

	w->stage = w->tries = 0; /* of the next reading */
	w->differed = false;
	if (!l->zone->has_rules)
		return 0; /* shut: other records say why */
	if (changed) {
		rules_watch_missed(l->zone, "changed while it was read");
		return 0;
	}
	err = hold_against_policy(l, &compared);
	if (err != 0) {
		rules_watch_missed(l->zone, err_name(err));
	} else if (compared.differing == 0) {
		rules_watch_same(l->zone, &compared);
	} else if (!differed) {
		w->differed = true;
		return read_on(l);
	} else {
		rules_watch_differs(l->zone, &compared, first_difference(l));
	}
	return 0;
}

static int request_unasked(struct listing *l)
{
	int more = read_on(l);

	return more != 0 ? more : judge(l);
}

static void begin_unasked(struct listing *l)
{
	l->nf->rules_watch.missed = l->nf->rules_watch.differs = false;
}

static void close_unasked(struct listing *l)
{
	rules_watch_end(l->nf);
	listing_send(l, CONTROL_ROW_LAST);
}

const struct listing_kind answer_rules_watch = {.begin = begin_unasked,
						.request = request_unasked,
						.take_message = take_message,
						.close = close_unasked,
						.own = true};
