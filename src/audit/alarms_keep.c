/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Alarms on disk: "NAME SINCE LAST COUNT ABOUT" a line, and "died 0 TIME 0 PROCESS" for each death
 * that still counts. */
#include "audit/alarms.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"

#define FILE_NAME      "alarms"
#define FILE_KIND      "sekisho-alarms"
#define FILE_BYTES_MAX (64U << 10)
#define NAME_BYTES     32
#define DIED           "died" /* no alarm has this name */
#define LINE_FORMAT    "%s %lld %lld %u %s\n"
#define LINE_SCAN      "%31s %lld %lld %u %63s"

static void print_deaths(const struct alarms *a, struct bytes *out)
{
	for (uint32_t role = 0; role < ROLE_COUNT_; role++) {
		for (size_t i = 0; i < ALARM_DEATHS; i++) {
			if (a->deaths_s[role][i] != 0)
				(void)bytes_printf(out, LINE_FORMAT, DIED, 0LL,
						   (long long)a->deaths_s[role][i], 0U,
						   event_source_name(role));
		}
	}
}

int alarms_keep(struct alarms *a, int directory)
{
	struct bytes out;
	int err;

	if (!a->changed)
		return 0;
	bytes_init(&out, FILE_BYTES_MAX);
	for (size_t i = 0; i < a->count; i++) {
		const struct alarm *alarm = &a->standing[i];

		(void)bytes_printf(&out, LINE_FORMAT, alarm_name(alarm->kind),
				   (long long)alarm->since_s, (long long)alarm->last_s,
				   alarm->count, alarm->about);
	}
	print_deaths(a, &out); /* all errors are in out.failed */
	err = out.failed ? -ERR_NO_MEMORY
			 : file_replace(directory, FILE_NAME, FILE_KIND, bytes_span(&out));
	a->changed = err < 0;
	bytes_fini(&out);
	return err;
}

static void load_death(struct alarms *a, const char *process, int64_t time_s)
{
	for (uint32_t role = 0; role < ROLE_COUNT_; role++) {
		int64_t *deaths_s = a->deaths_s[role];

		if (strcmp(event_source_name(role), process) != 0)
			continue;
		memmove(deaths_s, deaths_s + 1, (ALARM_DEATHS - 1) * sizeof(*deaths_s));
		deaths_s[ALARM_DEATHS - 1] = time_s;
	}
}

static void load_line(struct alarms *a, const char *line)
{
	char name[NAME_BYTES];
	struct alarm alarm = {0};
	long long since_s, last_s;

	if (sscanf(line, LINE_SCAN, name, &since_s, &last_s, &alarm.count, alarm.about) != 5)
		return;
	alarm.since_s = since_s;
	alarm.last_s = last_s;
	if (strcmp(name, DIED) == 0) {
		load_death(a, alarm.about, last_s);
		return;
	}
	for (; alarm_name(alarm.kind) != NULL; alarm.kind++) {
		if (strcmp(alarm_name(alarm.kind), name) == 0 && a->count < ALARMS_MAX) {
			a->standing[a->count++] = alarm;
			return;
		}
	}
}

int alarms_load(struct alarms *a, int directory)
{
	struct bytes file;
	struct span content;
	int err;

	bytes_init(&file, FILE_BYTES_MAX);
	err = file_read(directory, FILE_NAME, &file);
	if (err == 0)
		err = bytes_append_u8(&file, '\0');
	if (err == 0)
		err = file_check((struct span){file.data, file.size - 1}, FILE_KIND, &content);
	for (const char *line = err == 0 ? (const char *)content.data : ""; *line != '\0';) {
		const char *end = strchr(line, '\n');

		load_line(a, line);
		line = end != NULL ? end + 1 : "";
	}
	bytes_fini(&file);
	return err == -ERR_NOT_FOUND ? 0 : err;
}
