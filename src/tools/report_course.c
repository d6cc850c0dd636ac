/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What happened in the month: by day, by person, and one by one what somebody has to look at. */
#include <inttypes.h>

#include "tools/report.h"

/* ---- by day */

static uint64_t sum_of(const struct month *m, enum month_line line)
{
	uint64_t sum = 0;

	for (unsigned day = 0; day < month_day_count(m); day++)
		sum += m->days[day][line];
	return sum;
}

static void add_charts(const struct report *r)
{
	static const char *const titles[MONTH_LINE_COUNT_][2] = {
		[MONTH_DENIED] = {"Denied communication", "拒否した通信"},
		[MONTH_MAILS] = {"Mails delivered as text", "無害化して配送したメール"},
		[MONTH_MAILS_REFUSED] = {"Mails refused", "拒否したメール"},
		[MONTH_SCREENS] = {"Screen sessions", "画面転送セッション"},
		[MONTH_LOGINS] = {"Logins at consoles", "コンソールのログイン"},
		[MONTH_LOGINS_REFUSED] = {"Logins refused", "拒否したログイン"},
	};

	document_say(r->d, DOCUMENT_HEADING, 2, "%s",
		     report_words(r, "Counts by day", "日別の件数"));
	for (enum month_line line = 0; line < MONTH_LINE_COUNT_; line++) {
		uint64_t sum = sum_of(r->month, line);

		if (sum == 0) {
			document_say(r->d, DOCUMENT_TEXT, 0, "%s: 0", titles[line][r->d->language]);
			continue;
		}
		document_say(r->d, DOCUMENT_CHART, 0, "%s: %" PRIu64, titles[line][r->d->language],
			     sum);
		for (unsigned day = 0; day < month_day_count(r->month); day++)
			document_say(r->d, DOCUMENT_BAR, r->month->days[day][line], "%02u",
				     day + 1);
		document_say(r->d, DOCUMENT_END, 0, "%s", "");
	}
}

/* ---- by person */

static void add_person(const struct report *r, const char *name, const struct month_person *p)
{
	document_say(r->d, DOCUMENT_CELL, 0, "%s", name);
	document_say(r->d, DOCUMENT_CELL, 0, "%" PRIu64, p->logins);
	document_say(r->d, DOCUMENT_CELL, 0, "%" PRIu64, p->screens);
	document_say(r->d, DOCUMENT_CELL, 0, "%" PRIu64, p->refused);
}

static void add_people(const struct report *r)
{
	const struct month *m = r->month;

	document_say(r->d, DOCUMENT_HEADING, 2, "%s",
		     report_words(r, "Logins by person", "利用者別のログイン"));
	document_say(r->d, DOCUMENT_TABLE, 4, "%s", "");
	report_row(r, 4,
		   (const char *const[]){report_words(r, "person", "利用者"),
					 report_words(r, "consoles", "コンソール"),
					 report_words(r, "screens", "画面転送"),
					 report_words(r, "refused", "拒否")});
	for (size_t i = 0; i < m->person_count; i++)
		add_person(r, m->people[i].name, &m->people[i]);
	if (m->person_count == MONTH_PEOPLE_MAX)
		add_person(r, report_words(r, "(others together)", "(その他合計)"), &m->others);
	document_say(r->d, DOCUMENT_END, 0, "%s", "");
}

/* ---- alarms */

/* The events that raise an alarm, and those so severe that each is one. */
static bool is_alarm(enum event_id id)
{
	static const bool raises[EVENT_COUNT_] = {
#define ALARM(...)
#define RAISE(alarm, event) [EVENT_##event] = true,
#define CLEAR(alarm, event)
#include "audit/alarms.def"
	};
	const unsigned critical = 2;

	return raises[id] || event_severity(id) <= critical;
}

static void add_alarms(const struct report *r)
{
	document_say(r->d, DOCUMENT_HEADING, 2, "%s",
		     report_words(r, "Events that raised alarms", "警報となった事象"));
	document_say(r->d, DOCUMENT_TABLE, 5, "%s", "");
	report_row(r, 5,
		   (const char *const[]){
			   report_words(r, "event", "事象"), report_words(r, "meaning", "意味"),
			   report_words(r, "records", "記録数"), report_words(r, "first", "最初"),
			   report_words(r, "last", "最後")});
	for (enum event_id id = EVENT_NONE_ + 1; id < EVENT_COUNT_; id++) {
		const struct month_event *e = &r->month->events[id];

		if (!is_alarm(id) || e->records == 0)
			continue;
		report_row(r, 2,
			   (const char *const[]){event_name(id),
						 report_words(r, event_meaning_en(id),
							      event_meaning_ja(id))});
		document_say(r->d, DOCUMENT_CELL, 0, "%" PRIu64, e->records);
		report_row(r, 2, (const char *const[]){e->first, e->last});
	}
	document_say(r->d, DOCUMENT_END, 0, "%s", "");
}

/* ---- one by one */

static void add_notes(const struct report *r, const char *title, const struct month_notes *notes)
{
	document_say(r->d, DOCUMENT_HEADING, 2, "%s", title);
	if (notes->count == 0) {
		document_say(r->d, DOCUMENT_TEXT, 0, "%s", report_words(r, "None.", "なし。"));
		return;
	}
	document_say(r->d, DOCUMENT_TABLE, 3, "%s", "");
	report_row(r, 3,
		   (const char *const[]){report_words(r, "time", "日時"),
					 report_words(r, "event", "事象"),
					 report_words(r, "what", "内容")});
	for (size_t i = 0; i < notes->count; i++)
		report_row(r, 3,
			   (const char *const[]){notes->notes[i].time, notes->notes[i].event,
						 notes->notes[i].fields});
	document_say(r->d, DOCUMENT_END, 0, "%s", "");
	if (notes->more > 0)
		document_say(r->d, DOCUMENT_TEXT, 0,
			     report_words(r, "And %" PRIu64 " more, which the log has.",
					  "他 %" PRIu64 " 件(ログを参照)。"),
			     notes->more);
}

void report_course(const struct report *r)
{
	const struct month_notes *notes = r->month->notes;

	add_charts(r);
	add_people(r);
	add_alarms(r);
	add_notes(r,
		  report_words(r, "Changes: who, what, why (C1)", "設定変更: 誰が、何を、なぜ(C1)"),
		  &notes[MONTH_CHANGES]);
	add_notes(r, report_words(r, "Isolations and incidents (Z11, Z12)", "隔離・事案(Z11、Z12)"),
		  &notes[MONTH_INCIDENTS]);
	add_notes(r, report_words(r, "Starts, stops, deaths of processes", "起動・停止・異常終了"),
		  &notes[MONTH_RESTARTS]);
	add_notes(r,
		  report_words(r, "The log itself: gaps and faults (L1)", "ログの欠落・異常(L1)"),
		  &notes[MONTH_RECORDS]);
}
