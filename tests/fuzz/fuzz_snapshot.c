/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Snapshots that obey nothing, past the hash: what the check lets through is walked, row by row and
 * text by text, as a process of the datapath would.
 */
#include <stdlib.h>
#include <string.h>

#include "policy/snapshot.h"

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

static void walk(const struct snapshot *s)
{
	for (uint32_t i = 0; i < s->zone_count; i++) {
		walk_range(s->prefixes, s->zones[i].addresses);
		touch(s->routes + s->zones[i].routes.first,
		      s->zones[i].routes.count * sizeof(*s->routes));
		sum += strlen(s->zones[i].name) + strlen(s->zones[i].port) +
		       strlen(snapshot_text_at(s, s->zones[i].text_description));
	}
	for (uint32_t i = 0; i < s->station_count; i++)
		walk_range(s->prefixes, s->stations[i].addresses);
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
	touch(s->screens, s->screen_count * sizeof(*s->screens));
	touch(s->syslogs, s->syslog_count * sizeof(*s->syslogs));
	sum += strlen(snapshot_text_at(s, s->header->text_organization));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct snapshot s;
	void *block = size > 0 ? aligned_alloc(8, (size + 7) & ~(size_t)7) : NULL;

	if (block == NULL)
		return 0;
	memcpy(block, data, size);
	if (snapshot_view_structure(&s, block, size) == 0)
		walk(&s);
	free(block);
	return 0;
}
