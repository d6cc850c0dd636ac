/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sekisho report: the monthly report on each clause of the security policies, from a configuration
 * and a log that is verified on the way (L6). */
#include "tools/report.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "policy/parse.h"
#include "policy/policy.h"
#include "tools/config_file.h"
#include "tools/tools.h"

#define REPORT_BYTES_MAX (128U << 20)

enum { STATUS_OK = 0, STATUS_NOT_WHOLE = 1, STATUS_USAGE = 2 };

struct options {
	const char *config, *log, *month, *language, *format, *unused, *key;
};

static bool is_one_of(const char *given, const char *first, const char *second)
{
	return given == NULL || strcmp(given, first) == 0 || strcmp(given, second) == 0;
}

static bool read_options(struct options *o, int argc, char **argv)
{
	static const struct option known[] = {
		{"config", required_argument, NULL, 'c'},
		{"log", required_argument, NULL, 'l'},
		{"month", required_argument, NULL, 'm'},
		{"language", required_argument, NULL, 'a'},
		{"format", required_argument, NULL, 'f'},
		{"unused", required_argument, NULL, 'u'},
		{"key", required_argument, NULL, 'k'},
		{NULL, 0, NULL, 0},
	};
	const char **const values[] = {
		['c'] = &o->config, ['l'] = &o->log,    ['m'] = &o->month, ['a'] = &o->language,
		['f'] = &o->format, ['u'] = &o->unused, ['k'] = &o->key};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == '?')
			return false;
		*values[option] = optarg;
	}
	return optind == argc && o->config != NULL && o->log != NULL && o->month != NULL &&
	       is_one_of(o->language, "ja", "en") && is_one_of(o->format, "text", "html");
}

/* ---- what it is made from */

struct sources {
	struct tree tree;
	struct bytes text, block;
	struct snapshot policy;
	struct month month;
	struct log_walk log;
};

static int read_config(struct sources *s, const char *path)
{
	static struct problems problems;
	int err = config_file_read(&s->text, path);

	problems_init(&problems);
	if (err == 0)
		err = parse_text(&s->tree, bytes_span(&s->text), PARSE_WHOLE, &problems);
	if (err == 0)
		err = policy_compile(&s->tree, &s->block, &problems);
	if (err == 0)
		err = snapshot_view(&s->policy, s->block.data, s->block.size);
	if (problems.error_count > 0)
		config_file_complain(&problems, path);
	return err;
}

static bool read_choices(struct sources *s, struct report *r, const struct options *o)
{
	if (month_init(&s->month, o->month) < 0) {
		fprintf(stderr, "sekisho: %s: not a month, such as 2026-11\n", o->month);
		return false;
	}
	if (o->unused != NULL && value_parse_decimal(&r->unused_days, span_of(o->unused)) < 0) {
		fprintf(stderr, "sekisho: %s: not a number of days\n", o->unused);
		return false;
	}
	if (o->key != NULL && log_anchors_expect(&s->log.anchors, o->key) < 0) {
		fprintf(stderr, "sekisho: %s: no public key\n", o->key);
		return false;
	}
	return true;
}

static void build(const struct report *r)
{
	document_say(r->d, DOCUMENT_TITLE, 0, "%s %s %s",
		     snapshot_text_at(r->policy, r->policy->header->text_organization),
		     r->month->name,
		     report_words(r, "Compliance report of the segmentation gateway",
				  "ネットワーク分離装置 遵守状況報告書"));
	report_basis(r);
	report_summary(r);
	report_state(r);
	report_course(r);
	report_clauses(r);
}

static int write_out(const struct document *d, bool html)
{
	struct bytes out;
	int err;

	bytes_init(&out, REPORT_BYTES_MAX);
	err = html ? document_write_html(d, &out) : document_write_text(d, &out);
	if (err == 0 && (fwrite(out.data, 1, out.size, stdout) != out.size || fflush(stdout) != 0))
		err = -ERR_SYSTEM;
	bytes_fini(&out);
	return err;
}

/* Return: the exit status. */
static int make(struct sources *s, const struct options *o)
{
	struct document d;
	struct report r = {.tree = &s->tree,
			   .policy = &s->policy,
			   .month = &s->month,
			   .log = &s->log,
			   .unused_days = REPORT_UNUSED_DAYS,
			   .d = &d};
	enum language language = config_file_language();
	int err;

	if (!read_choices(s, &r, o) || read_config(s, o->config) != 0)
		return STATUS_USAGE;
	s->log.seen = month_see;
	s->log.ctx = &s->month;
	err = log_walk_directory(&s->log, o->log);
	if (err == -ERR_NOT_FOUND)
		return STATUS_USAGE;
	r.whole = err == 0;
	if (o->language != NULL)
		language = strcmp(o->language, "ja") == 0 ? LANGUAGE_JA : LANGUAGE_EN;
	document_init(&d, language);
	build(&r);
	err = write_out(&d, o->format != NULL && strcmp(o->format, "html") == 0);
	document_fini(&d);
	if (err < 0) {
		fprintf(stderr, "sekisho: the report cannot be written: %s\n", err_name(err));
		return STATUS_USAGE;
	}
	return r.whole ? STATUS_OK : STATUS_NOT_WHOLE;
}

int tool_report(int argc, char **argv)
{
	struct options options = {0};
	struct sources *s;
	int status;

	if (!read_options(&options, argc, argv))
		return tool_usage("report");
	s = calloc(1, sizeof(*s));
	if (s == NULL || tree_init(&s->tree) < 0) {
		free(s);
		fprintf(stderr, "sekisho: out of memory\n");
		return STATUS_USAGE;
	}
	bytes_init(&s->text, 2 * PARSE_TEXT_BYTES_MAX);
	bytes_init(&s->block, SNAPSHOT_BYTES_MAX);
	status = make(s, &options);
	bytes_fini(&s->block);
	bytes_fini(&s->text);
	tree_fini(&s->tree);
	free(s);
	return status;
}

void report_row(const struct report *r, size_t count, const char *const texts[])
{
	for (size_t i = 0; i < count; i++)
		document_add(r->d, DOCUMENT_CELL, 0, span_of(texts[i]));
}
