/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the desk tells persons. */
#include "accounts/desk.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define TEXT_BYTES 512

void words_begin(struct words *w, char *out, size_t size, enum language language)
{
	memset(out, 0, size);
	writer_init(&w->writer, out, size - 1);
	w->language = language;
}

void words_say(struct words *w, const char *en, const char *ja, ...)
{
	char text[TEXT_BYTES];
	va_list args;

	va_start(args, ja);
	(void)vsnprintf(text, sizeof(text), w->language == LANGUAGE_JA ? ja : en, args);
	va_end(args);
	writer_printf(&w->writer, "%s", text);
}

void words_time(struct words *w, int64_t time_s, int32_t utc_offset_s)
{
	time_t local = (time_t)(time_s + utc_offset_s);
	char text[32] = "-";
	struct tm tm;

	if (time_s > 0 && gmtime_r(&local, &tm) != NULL)
		(void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	writer_printf(&w->writer, "%s", text);
}

const char *words_role(enum account_role role, enum language language)
{
	static const char *const names[ACCOUNT_ROLE_COUNT_][2] = {
		[ACCOUNT_ROLE_NONE] = {"nobody", "なし"},
		[ACCOUNT_ADMINISTRATOR] = {"administrator", "管理者"},
		[ACCOUNT_OPERATOR] = {"operator", "運用者"},
		[ACCOUNT_AUDITOR] = {"auditor", "監査者"},
	};

	return names[role][language == LANGUAGE_JA];
}
