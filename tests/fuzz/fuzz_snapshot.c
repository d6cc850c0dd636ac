/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Snapshots that obey nothing, past the hash: what the check lets through is walked, row by row and
 * text by text, as a process of the datapath would.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "policy/calendar.h"
#include "policy/policy.h"
#include "policy/snapshot.h"

#define EDIT_BYTES 5

static volatile size_t sum;

static void touch(const void *data, size_t size)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < size; i++)
		sum += p[i];
}

static void walk_range(const struct snapshot_prefix *rows, struct snapshot_range range)
{
	touch(rows + range.first, range.count * sizeof(*rows));
}

static void walk_permits(const struct snapshot *s)
{
	for (uint32_t i = 0; i < s->permit_count; i++) {
		const struct snapshot_permit *p = &s->permits[i];

		walk_range(s->prefixes, p->sources);
		walk_range(s->prefixes, p->destinations);
		touch(s->services + p->services.first, p->services.count * sizeof(*s->services));
		touch(&s->zones[p->from], sizeof(s->zones[0]));
		touch(&s->zones[p->to], sizeof(s->zones[0]));
		touch(&s->crossings[p->crossing], sizeof(s->crossings[0]));
		if (p->schedule != SNAPSHOT_NONE)
			touch(&s->schedules[p->schedule], sizeof(s->schedules[0]));
		sum += strlen(snapshot_text_at(s, p->text_comment));
	}
}

static void walk_services(const struct snapshot *s)
{
	for (uint32_t i = 0; i < s->service_count; i++) {
		if (s->services[i].conform != SNAPSHOT_NONE)
			touch(&s->conforms[s->services[i].conform], sizeof(s->conforms[0]));
	}
	for (uint32_t i = 0; i < s->conform_count; i++) {
		struct snapshot_range names = s->conforms[i].names;

		for (uint32_t k = 0; k < names.count; k++)
			sum += strlen(snapshot_text_at(s, s->list_texts[names.first + k].at));
	}
}

/* Any schedule, any holidays, any last days: a moment lies in its own span. */
static void walk_times(const struct snapshot *s)
{
	static const int64_t moments[] = {-1, 0, 1772413200, 4102444800};

	for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
		struct calendar_span span = calendar_span_at(s, moments[i]);

		if (!calendar_span_holds(&span, moments[i]))
			abort();
	}
}

static void walk_texts(const struct snapshot *s, struct snapshot_range range)
{
	for (uint32_t i = 0; i < range.count; i++)
		sum += strlen(snapshot_text_at(s, s->list_texts[range.first + i].at));
}

static void walk_screens(const struct snapshot *s)
{
	for (uint32_t i = 0; i < s->screen_count; i++) {
		const struct snapshot_screen *c = &s->screens[i];

		touch(s->desktops + c->desktops.first, c->desktops.count * sizeof(*s->desktops));
		walk_texts(s, c->groups);
		sum += strlen(c->name) + strlen(c->tls_slot) + strlen(c->authority_slot);
		sum += strlen(c->access.authority_slot) + strlen(c->access.password_slot) +
		       strlen(snapshot_text_at(s, c->access.text_name)) +
		       strlen(snapshot_text_at(s, c->access.text_user));
		if (c->schedule != SNAPSHOT_NONE)
			sum += calendar_open(s, &s->schedules[c->schedule], 0);
	}
	for (uint32_t i = 0; i < s->screen_user_count; i++) {
		walk_texts(s, s->screen_users[i].groups);
		sum += strlen(s->screen_users[i].name);
	}
}

static void walk(const struct snapshot *s)
{
	for (uint32_t i = 0; i < s->zone_count; i++) {
		walk_range(s->prefixes, s->zones[i].addresses);
		walk_range(s->prefixes, s->zones[i].networks);
		if (s->zones[i].peer != SNAPSHOT_NONE)
			touch(&s->zones[s->zones[i].peer], sizeof(s->zones[0]));
		touch(s->routes + s->zones[i].routes.first,
		      s->zones[i].routes.count * sizeof(*s->routes));
		sum += strlen(s->zones[i].name) + strlen(s->zones[i].port) +
		       strlen(snapshot_text_at(s, s->zones[i].text_description));
	}
	for (uint32_t i = 0; i < s->station_count; i++) {
		walk_range(s->prefixes, s->stations[i].addresses);
		sum += strlen(snapshot_text_at(s, s->stations[i].text_comment));
	}
	for (uint32_t i = 0; i < s->bond_count; i++)
		touch(s->devices + s->bonds[i].members.first,
		      s->bonds[i].members.count * sizeof(*s->devices));
	walk_services(s);
	walk_times(s);
	for (uint32_t i = 0; i < s->crossing_count; i++)
		touch(s->permits + s->crossings[i].permits.first,
		      s->crossings[i].permits.count * sizeof(*s->permits));
	walk_permits(s);
	for (uint32_t i = 0; i < s->mail_count; i++) {
		walk_range(s->prefixes, s->mails[i].next_hops);
		for (uint32_t k = 0; k < s->mails[i].domains.count; k++)
			sum += strlen(snapshot_text_at(
				s, s->list_texts[s->mails[i].domains.first + k].at));
	}
	walk_screens(s);
	touch(s->syslogs, s->syslog_count * sizeof(*s->syslogs));
	touch(s->time_servers, s->time_server_count * sizeof(*s->time_servers));
	sum += strlen(snapshot_text_at(s, s->header->text_organization));
}

/* Overwrite bytes: four of an offset, lowest first, and one to put there, again and again. */
static void apply_edits(struct bytes *block, struct span edits)
{
	for (; edits.size >= EDIT_BYTES; edits.data += EDIT_BYTES, edits.size -= EDIT_BYTES) {
		uint32_t at = (uint32_t)edits.data[0] | (uint32_t)edits.data[1] << 8 |
			      (uint32_t)edits.data[2] << 16 | (uint32_t)edits.data[3] << 24;

		block->data[at % block->size] = edits.data[4];
	}
}

/* The compiled configuration that stands before the first NUL, with the edits behind it; false
 * where that is none. So seeds stay good when the snapshot's form changes. */
static bool compile(struct bytes *block, const uint8_t *data, size_t size)
{
	static struct problems problems;
	const uint8_t *end = size > 0 ? memchr(data, '\0', size) : NULL;

	if (end == NULL)
		return false;
	problems_init(&problems);
	if (policy_compile_text((struct span){data, (size_t)(end - data)}, block, &problems) != 0)
		return false;
	apply_edits(block, (struct span){end + 1, size - (size_t)(end + 1 - data)});
	return true;
}

static void view(const void *data, size_t size)
{
	struct snapshot s;
	/* A copy of this size alone, so that one byte too far is seen. */
	void *block = size > 0 ? aligned_alloc(8, (size + 7) & ~(size_t)7) : NULL;

	if (block == NULL)
		return;
	memcpy(block, data, size);
	if (snapshot_view_structure(&s, block, size) == 0)
		walk(&s);
	free(block);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes block;

	bytes_init(&block, SNAPSHOT_BYTES_MAX);
	if (compile(&block, data, size))
		view(block.data, block.size);
	else
		view(data, size);
	bytes_fini(&block);
	return 0;
}
