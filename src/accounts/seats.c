/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who sits at which console, as a list for the persons at all of them. */
#include "accounts/desk_private.h"

struct phrase {
	const char *text[2]; /* by enum language */
};

static bool has_person(const struct seat *seat)
{
	return seat->state == SEAT_STALE || seat->state == SEAT_ENROL || seat->state == SEAT_OPEN;
}

static const char *who_sits(const struct seat *seat, enum language language)
{
	static const struct phrase nobody[] = {
		[SEAT_CLOSED] = {{"(login)", "(ログイン前)"}},
		[SEAT_SETUP] = {{"(first administrator)", "(初期設定)"}},
		[SEAT_RECOVERY] = {{"(recovery)", "(復旧)"}},
		[SEAT_OPEN] = {{"(anybody)", "(特定なし)"}},
	};

	if (has_person(seat) && seat->name[0] != '\0')
		return seat->name;
	return nobody[seat->state].text[language];
}

static const char *what_is_awaited(const struct seat *seat, enum language language)
{
	static const struct phrase stale = {{", must choose a password", "、パスワード変更待ち"}};
	static const struct phrase enrol = {{", must show a second factor", "、第2要素の登録待ち"}};

	if (seat->state == SEAT_STALE)
		return stale.text[language];
	return seat->state == SEAT_ENROL ? enrol.text[language] : "";
}

static void describe_seat(const struct desk *d, uint32_t console, struct words *w)
{
	static const struct phrase lines[] = {{{"local socket", "ローカルソケット"}},
					      {{"serial line", "シリアル回線"}}};
	const struct seat *seat = &d->seats[console];
	uint64_t now_ms = clock_mono_ms(d->clock);

	words_say(w, "%u  %-23s  %-13s  ", "%u  %-23s  %-13s  ", console,
		  who_sits(seat, w->language),
		  has_person(seat) ? words_role(seat->role, LANGUAGE_EN) : "-");
	words_time(w, desk_now_s(d) - (int64_t)((now_ms - seat->since_ms) / 1000), d->utc_offset_s);
	words_say(w, "  %s%s", "  %s%s", lines[seat->terminal].text[w->language],
		  what_is_awaited(seat, w->language));
	if (has_person(seat))
		words_say(w, ", idle %u min", "、無操作 %u 分",
			  (unsigned)((now_ms - seat->active_ms) / 60000));
}

void desk_show_seats(const struct desk *d, uint32_t asker, struct account_answer *answer)
{
	struct words w;

	words_begin(&w, answer->text, sizeof(answer->text), d->seats[asker].language);
	for (uint32_t i = 0; i < DESK_SEATS; i++) {
		if (d->seats[i].state == SEAT_EMPTY)
			continue;
		describe_seat(d, i, &w);
		words_say(&w, "%s\n", "%s\n",
			  i != asker                  ? ""
			  : w.language == LANGUAGE_JA ? " (この端末)"
						      : " (here)");
	}
}
