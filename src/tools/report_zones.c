/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The zones and what crosses between them: drawn from what the kernel had by the newest records of
 * it, beside what the configuration asks for (ADR 810). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/report.h"

#define MARK "[!] " /* before what differs */

static const char *tier_name(uint32_t tier)
{
	static const char *const names[] = {[TIER_SENSITIVE] = "sensitive",
					    [TIER_BUSINESS] = "business",
					    [TIER_OUTSIDE] = "outside"};

	return names[tier];
}

static const char *zone_name(const struct report *r, uint32_t index)
{
	return r->policy->zones[index].name;
}

static bool differs(const struct month_read *read)
{
	return read != NULL && read->difference[0] != '\0';
}

/* The port's two words, "up, carrier", stand first in the record. */
static int state_size(const char *found)
{
	const char *first = strchr(found, ','), *second = first ? strchr(first + 1, ',') : NULL;

	return second != NULL ? (int)(second - found) : (int)strlen(found);
}

static void add_node(const struct report *r, const struct snapshot_zone *z)
{
	const struct month_read *read = month_read_find(r->month, z->name, NULL);
	const char *found =
		read != NULL ? read->found : report_words(r, "not read", "読出し記録なし");

	document_say(r->d, DOCUMENT_NODE, z->tier, "%s\n%s, %s\n%s%.*s\n%s", z->name,
		     tier_name(z->tier), z->port, differs(read) ? MARK : "", state_size(found),
		     found, snapshot_text_at(r->policy, z->text_description));
}

static uint32_t permits_of(const struct snapshot *s, uint32_t crossing)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < s->permit_count; i++)
		count += s->permits[i].crossing == crossing;
	return count;
}

/* The crossing of a pair in the configuration; SNAPSHOT_NONE. */
static uint32_t crossing_of(const struct snapshot *s, uint32_t a, uint32_t b)
{
	for (uint32_t i = 0; i < s->crossing_count; i++) {
		if ((s->crossings[i].low == a && s->crossings[i].high == b) ||
		    (s->crossings[i].low == b && s->crossings[i].high == a))
			return i;
	}
	return SNAPSHOT_NONE;
}

static bool is_joined(const struct month_read *read)
{
	return strcmp(read->found, "none") != 0 && strcmp(read->found, "unknown") != 0;
}

/* What the kernel had decides whether there is a line; the configuration, what stands beside it. */
static void add_path(const struct report *r, uint32_t a, uint32_t b)
{
	const struct month_read *read = month_read_find(r->month, zone_name(r, a), zone_name(r, b));
	uint32_t crossing = crossing_of(r->policy, a, b);
	enum document_link kind = DOCUMENT_LINK_PACKETS;
	char words[MONTH_NOTE_BYTES + 64] = "";

	if (crossing == SNAPSHOT_NONE && (read == NULL || !is_joined(read)))
		return;
	if (crossing != SNAPSHOT_NONE)
		snprintf(words, sizeof(words),
			 report_words(r, "packets: %u permits", "特定通信: 許可 %u 件"),
			 permits_of(r->policy, crossing));
	if (read == NULL)
		strncat(words, report_words(r, " (not read)", " (読出し記録なし)"), 40);
	else if (crossing == SNAPSHOT_NONE)
		snprintf(words, sizeof(words), MARK "%s: %s",
			 report_words(r, "NOT IN THE CONFIGURATION", "設定にない経路"),
			 read->found);
	else if (!is_joined(read))
		strncat(words,
			differs(read) ? report_words(r, " " MARK "NOT IN THE KERNEL",
						     " " MARK "実際にはない")
				      : report_words(r, " (shut)", " (閉鎖中)"),
			48);
	else if (differs(read))
		strncat(words, " " MARK, sizeof(MARK) + 1);
	if (crossing == SNAPSHOT_NONE)
		kind = DOCUMENT_LINK_FOREIGN;
	else if (read != NULL && !is_joined(read))
		kind = DOCUMENT_LINK_SHUT;
	document_say(r->d, DOCUMENT_LINK, DOCUMENT_LINK_OF(kind, a, b), "%s", words);
}

static void add_relays(const struct report *r)
{
	const struct snapshot *s = r->policy;

	for (uint32_t i = 0; i < s->mail_count; i++)
		document_say(r->d, DOCUMENT_LINK,
			     DOCUMENT_LINK_OF(DOCUMENT_LINK_MAIL, s->mails[i].from, s->mails[i].to),
			     report_words(r, "mail as text: %s", "メール無害化: %s"),
			     s->mails[i].name);
	for (uint32_t i = 0; i < s->screen_count; i++)
		document_say(r->d, DOCUMENT_LINK,
			     DOCUMENT_LINK_OF(DOCUMENT_LINK_SCREEN, s->screens[i].to,
					      s->screens[i].from),
			     report_words(r, "screen transfer: %s", "画面転送: %s"),
			     s->screens[i].name);
}

static void add_picture(const struct report *r)
{
	document_say(r->d, DOCUMENT_PICTURE, 0, "%s", report_words(r, "Zones", "ゾーン構成図"));
	for (uint32_t i = 0; i < r->policy->zone_count; i++)
		add_node(r, &r->policy->zones[i]);
	for (uint32_t i = 0; i < r->policy->zone_count; i++) {
		for (uint32_t j = i + 1; j < r->policy->zone_count; j++)
			add_path(r, i, j);
	}
	add_relays(r);
	document_say(r->d, DOCUMENT_END, 0, "%s", "");
}

/* ---- the records themselves */

static void add_read(const struct report *r, const struct month_read *read)
{
	document_say(r->d, DOCUMENT_CELL, 0, "%s%s%s", read->zone,
		     read->other[0] != '\0' ? " - " : "", read->other);
	document_say(r->d, DOCUMENT_CELL, 0, "%s", read->found);
	document_say(r->d, DOCUMENT_CELL, 0, "%s%s", differs(read) ? MARK : "",
		     differs(read) ? read->difference : report_words(r, "none", "なし"));
	document_say(r->d, DOCUMENT_CELL, 0, "%s", read->time);
	document_say(r->d, DOCUMENT_CELL, 0, "%" PRIu64, read->times);
	document_say(r->d, DOCUMENT_CELL, 0, "%" PRIu64, read->differed);
}

static void add_unread(const struct report *r, const char *zone, const char *other)
{
	document_say(r->d, DOCUMENT_CELL, 0, "%s%s%s", zone, other != NULL ? " - " : "",
		     other != NULL ? other : "");
	document_say(r->d, DOCUMENT_CELL, 0, MARK "%s",
		     report_words(r, "no record: the log does not know", "記録なし: 確認できない"));
	for (unsigned i = 0; i < 2; i++)
		document_say(r->d, DOCUMENT_CELL, 0, "%s", "-");
	for (unsigned i = 0; i < 2; i++)
		document_say(r->d, DOCUMENT_CELL, 0, "%s", "0");
}

static void add_row(const struct report *r, const char *zone, const char *other)
{
	const struct month_read *read = month_read_find(r->month, zone, other);

	if (read != NULL)
		add_read(r, read);
	else
		add_unread(r, zone, other);
}

static void add_reads(const struct report *r)
{
	uint32_t count = r->policy->zone_count;

	document_say(r->d, DOCUMENT_TABLE, 6, "%s", "");
	report_row(r, 6,
		   (const char *const[]){report_words(r, "zone or pair", "ゾーン又は組"),
					 report_words(r, "in the kernel", "カーネルの状態"),
					 report_words(r, "differs from the policy", "設定との相違"),
					 report_words(r, "read at", "読出し日時"),
					 report_words(r, "times in the month", "当月の回数"),
					 report_words(r, "of them differing", "うち相違")});
	for (uint32_t i = 0; i < count; i++)
		add_row(r, zone_name(r, i), NULL);
	for (uint32_t i = 0; i < count; i++) {
		for (uint32_t j = i + 1; j < count; j++)
			add_row(r, zone_name(r, i), zone_name(r, j));
	}
	document_say(r->d, DOCUMENT_END, 0, "%s", "");
	if (r->month->reads_untold > 0)
		document_say(r->d, DOCUMENT_TEXT, 0,
			     report_words(r, "%" PRIu64 " further records are not in it.",
					  "ほかに記録 %" PRIu64 " 件は含まない。"),
			     r->month->reads_untold);
}

void report_zones(const struct report *r)
{
	document_say(r->d, DOCUMENT_HEADING, 2, "%s",
		     report_words(r, "Zones and what crosses between them",
				  "ゾーンとゾーン間の経路"));
	document_say(
		r->d, DOCUMENT_TEXT, 0, "%s",
		report_words(
			r,
			"Drawn from the newest state that the gateway has read back from its "
			"kernel. Between zones without a line there is no path. " MARK
			"marks what is not as the configuration given asks for.",
			"装置がカーネルから読み出した最新の状態から作図した。線のないゾーン間に経"
			"路はない。" MARK "は設定と一致しないことを示す。"));
	add_picture(r);
	add_reads(r);
}
