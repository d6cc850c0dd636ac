/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the report rests on, and what the configuration is: zones, paths, permits, what is due. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/sha256.h"
#include "policy/drills.h"
#include "tools/report.h"

/* ---- the basis */

static void add_fact(const struct report *r, const char *en, const char *ja, const char *fact)
{
	report_row(r, 2, (const char *const[]){report_words(r, en, ja), fact});
}

static void add_log_facts(const struct report *r)
{
	const struct log_walk *log = r->log;
	char text[1024], key[SHA256_HEX_BYTES] = "";

	if (r->whole)
		snprintf(text, sizeof(text),
			 report_words(r, "whole: records %" PRIu64 " to %" PRIu64,
				      "完全: 記録 %" PRIu64 " から %" PRIu64 " まで"),
			 log->first, log_walk_last(log));
	else
		snprintf(text, sizeof(text),
			 report_words(r, "NOT WHOLE after record %" PRIu64 ": %s (%s:%lu)",
				      "不完全 (記録 %" PRIu64 " の後): %s (%s:%lu)"),
			 log_walk_last(log), log->why, log->file, log->line);
	add_fact(r, "Log: hash chain", "ログのハッシュ連鎖", text);
	if (log->anchors.count > 0)
		sha256_hex(log->anchors.last.key, key);
	snprintf(text, sizeof(text), "%lu%s%s%s", log->anchors.count, key[0] != '\0' ? ", " : "",
		 key,
		 log->anchors.expects_key ? report_words(r, " (the expected key)", " (指定の鍵)")
					  : "");
	add_fact(r, "Log: signed anchors, key", "ログの署名数、鍵", text);
	snprintf(text, sizeof(text), "%" PRIu64 " (%s - %s)", r->month->records, r->month->first,
		 r->month->last);
	add_fact(r, "Records of the month", "当月の記録数", text);
	add_fact(r, "Oldest record", "最古の記録", r->month->log_first);
	snprintf(text, sizeof(text), "%" PRIu64, r->month->lost);
	add_fact(r, "Events that could not be recorded", "記録できなかった事象の数", text);
}

/* Since when the configuration given is in force, as far as the log knows. */
static void add_commit_facts(const struct report *r)
{
	const struct month_commit *c = &r->month->running;
	const uint8_t *given = r->policy->header->sha256;
	char text[1024], hash[SHA256_HEX_BYTES];

	sha256_hex(given, hash);
	add_fact(r, "Configuration: SHA-256", "設定のSHA-256", hash);
	if (!r->month->has_commit)
		snprintf(text, sizeof(text), "%s",
			 report_words(r, "the log has no commit up to the month's end",
				      "当月末までの適用記録がログにない"));
	else if (memcmp(given, c->sha256, sizeof(c->sha256)) == 0)
		snprintf(text, sizeof(text),
			 report_words(r, "since %s: commit %" PRIu64 " by %s %s",
				      "%s から (適用番号 %" PRIu64 "、%s) %s"),
			 c->time, c->number, c->origin, c->comment);
	else
		snprintf(text, sizeof(text),
			 report_words(r,
				      "NOT IN FORCE at the month's end: another one was, since %s",
				      "当月末に適用中の設定ではない (%s から別の設定)"),
			 c->time);
	add_fact(r, "Configuration: in force", "設定の適用", text);
}

void report_basis(const struct report *r)
{
	const struct snapshot *s = r->policy;

	document_say(r->d, DOCUMENT_HEADING, 2, "%s",
		     report_words(r, "What this report rests on", "本書の根拠"));
	document_say(r->d, DOCUMENT_TABLE, 2, "%s", "");
	report_row(r, 2,
		   (const char *const[]){report_words(r, "item", "項目"),
					 report_words(r, "finding", "内容")});
	add_fact(r, "Owner", "団体名", snapshot_text_at(s, s->header->text_organization));
	add_fact(r, "Gateway", "装置", snapshot_text_at(s, s->header->text_host_name));
	add_fact(r, "Month", "対象月", r->month->name);
	add_commit_facts(r);
	add_log_facts(r);
	document_say(r->d, DOCUMENT_END, 0, "%s", "");
}

/* ---- permits and what is due */

/* What the log and the configuration say about the use of a permit. */
static void say_use(const struct report *r, const struct snapshot_permit *permit,
		    const struct month_permit *seen, char *out, size_t size)
{
	if (!(permit->flags & PERMIT_LOG))
		snprintf(out, size, "%s",
			 report_words(r, "not recorded (no log)", "記録対象外 (logなし)"));
	else if (seen == NULL)
		snprintf(out, size, "%s",
			 report_words(r, "NEVER in this log", "ログに実績なし (未使用)"));
	else if (month_days_since(r->month, seen->last) >= r->unused_days)
		snprintf(out, size,
			 report_words(r, "NOT for %" PRIu64 " days", "%" PRIu64 " 日間未使用"),
			 month_days_since(r->month, seen->last));
	else
		snprintf(out, size, "%s", report_words(r, "used", "使用中"));
}

/* The configuration's time zone decides when a day ends. */
static void add_last_day(const struct report *r, const struct snapshot_permit *permit)
{
	time_t last = (time_t)(permit->expires_s - 1 + r->policy->header->utc_offset_s);
	char day[16];
	struct tm tm;

	if (permit->expires_s == INT64_MAX || gmtime_r(&last, &tm) == NULL ||
	    strftime(day, sizeof(day), "%Y-%m-%d", &tm) == 0)
		snprintf(day, sizeof(day), "-");
	document_add(r->d, DOCUMENT_CELL, 0, span_of(day));
}

static void add_permit(const struct report *r, const struct snapshot_permit *permit)
{
	const struct snapshot *s = r->policy;
	const struct month_permit *seen;
	char name[96], use[128];

	snprintf(name, sizeof(name), "%s %s %u", s->zones[permit->from].name,
		 s->zones[permit->to].name, permit->number);
	seen = month_permit_find(r->month, name);
	say_use(r, permit, seen, use, sizeof(use));
	report_row(r, 4,
		   (const char *const[]){name, snapshot_text_at(s, permit->text_comment), use,
					 seen != NULL ? seen->last : "-"});
	document_say(r->d, DOCUMENT_CELL, 0, "%" PRIu64, seen != NULL ? seen->flows : 0);
	add_last_day(r, permit);
}

static void add_permits(const struct report *r)
{
	document_say(r->d, DOCUMENT_HEADING, 2, "%s",
		     report_words(r, "Permits and their use", "許可規則と使用実績"));
	document_say(r->d, DOCUMENT_TEXT, 0,
		     report_words(r,
				  "A permit without use for %" PRIu64
				  " days before the month's last record is named (Z10).",
				  "当月の最終記録まで %" PRIu64
				  " 日以上使用のない許可規則を示す(Z10)。"),
		     r->unused_days);
	document_say(r->d, DOCUMENT_TABLE, 6, "%s", "");
	report_row(r, 6,
		   (const char *const[]){report_words(r, "permit", "許可規則"),
					 report_words(r, "comment", "理由"),
					 report_words(r, "use", "使用"),
					 report_words(r, "last", "最終使用"),
					 report_words(r, "flows in the month", "当月の通信数"),
					 report_words(r, "last day", "期限")});
	for (uint32_t i = 0; i < r->policy->permit_count; i++)
		add_permit(r, &r->policy->permits[i]);
	document_say(r->d, DOCUMENT_END, 0, "%s", "");
}

/* What the policies ask for at intervals, and when the log saw it last. */
static void add_drills(const struct report *r)
{
	const struct month *m = r->month;
	const char *changed = m->has_commit ? m->running.time : "";

	document_say(r->d, DOCUMENT_HEADING, 2, "%s",
		     report_words(r, "Drills and work that is due", "定期作業・訓練"));
	document_say(r->d, DOCUMENT_TABLE, 5, "%s", "");
	report_row(r, 5,
		   (const char *const[]){report_words(r, "work", "作業"),
					 report_words(r, "clause", "条項"),
					 report_words(r, "how often", "頻度"),
					 report_words(r, "last by the log", "最終(ログ)"),
					 report_words(r, "state", "状況")});
	for (size_t i = 0; i < drill_count; i++) {
		const struct drill *d = &drills[i];
		const char *last = m->last_ever[d->event];

		report_row(r, 5,
			   (const char *const[]){
				   d->work[r->d->language], d->clause, d->often[r->d->language],
				   last[0] != '\0' ? last : "-",
				   drill_state_name(drill_judge(d, last, changed, m->last),
						    r->d->language)});
	}
	document_say(r->d, DOCUMENT_END, 0, "%s", "");
}

void report_state(const struct report *r)
{
	report_zones(r);
	add_permits(r);
	add_drills(r);
}
