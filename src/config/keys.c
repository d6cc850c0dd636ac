/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slots on disk: a file each, replaced whole. A key is written where it stays and nowhere else, and
 * wiped from memory behind every use.
 */
#include "config/keys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "channel/keys.h"
#include "config/slot_names.h"
#include "policy/snapshot.h"

#define SOON_S             (30 * 86400) /* an end that is near enough to be spoken of */
#define VNC_PASSWORD_BYTES 8            /* of a password count with vnc-auth (RFC 6143 7.2.2) */
#define PEM_BEGIN          "-----BEGIN CERTIFICATE-----"
#define PEM_END            "-----END CERTIFICATE-----"
/* Begins a certificate's file where it was made here: readers of PEM pass over it (RFC 7468 2). */
#define MADE_MARK "made by the gateway\n"

static const char *const suffixes[] = {
	[KEYS_IS_CERTIFICATE] = KEYS_CERTIFICATE,
	[KEYS_IS_AUTHORITY] = KEYS_AUTHORITY,
	[KEYS_IS_PASSWORD] = KEYS_PASSWORD,
};
static const char *const kind_names[] = {
	[KEYS_IS_CERTIFICATE] = "certificate",
	[KEYS_IS_AUTHORITY] = "authority",
	[KEYS_IS_PASSWORD] = "password",
};

bool keys_is_slot(struct span name)
{
	for (size_t i = 0; i < name.size; i++) {
		uint8_t c = name.data[i];

		bool digit_or_dash = (c >= '0' && c <= '9') || c == '-';

		if (!(c >= 'a' && c <= 'z') && !(digit_or_dash && i > 0))
			return false;
	}
	return name.size > 0 && name.size < SNAPSHOT_NAME_BYTES;
}

static void file_name(char out[KEYS_FILE_BYTES], struct span slot, enum keys_kind kind)
{
	(void)snprintf(out, KEYS_FILE_BYTES, "%.*s%s", (int)slot.size, (const char *)slot.data,
		       suffixes[kind]); /* fits: keys_is_slot */
}

int keys_read(int dir, struct span slot, enum keys_kind kind, struct bytes *pem)
{
	char name[KEYS_FILE_BYTES];
	int fd = -1;
	int err = 0;

	if (!keys_is_slot(slot))
		return -ERR_NOT_FOUND;
	file_name(name, slot, kind);
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == EBADF ? -ERR_NOT_FOUND : -ERR_SYSTEM;
	err = bytes_room(pem, TLS_PEM_BYTES_MAX) != NULL ? tls_pem_read(fd, pem) : -ERR_NO_MEMORY;
	(void)close(fd); /* was only read */
	return err;
}

static enum tls_defect check(enum keys_kind kind, struct span pem, int64_t now_s)
{
	return kind == KEYS_IS_CERTIFICATE ? tls_identity_check(pem, now_s)
					   : tls_authorities_check(pem, now_s);
}

/* Nobody else loses what was loaded: only what was made here is made anew. */
static bool is_made(struct span pem)
{
	return pem.size >= strlen(MADE_MARK) && memcmp(pem.data, MADE_MARK, strlen(MADE_MARK)) == 0;
}

static bool is_password(struct span text)
{
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] < ' ' || text.data[i] > '~')
			return false;
	}
	return text.size > 0 && text.size <= KEYS_PASSWORD_MAX;
}

static struct span without_line_end(struct span typed)
{
	while (typed.size > 0 &&
	       (typed.data[typed.size - 1] == '\n' || typed.data[typed.size - 1] == '\r'))
		typed.size--;
	return typed;
}

int keys_check(enum keys_kind kind, struct span *content, int64_t now_s, enum tls_defect *defect)
{
	*defect = TLS_DEFECT_NONE;
	if (kind == KEYS_IS_PASSWORD) {
		*content = without_line_end(*content);
		return is_password(*content) ? 0 : -ERR_SYNTAX;
	}
	while (is_made(*content))
		*content = (struct span){content->data + strlen(MADE_MARK),
					 content->size - strlen(MADE_MARK)};
	*defect = check(kind, *content, now_s);
	return *defect == TLS_DEFECT_NONE ? 0 : -ERR_SYNTAX;
}

int keys_load(int dir, struct span slot, enum keys_kind kind, struct span content)
{
	char name[KEYS_FILE_BYTES];

	file_name(name, slot, kind);
	return file_replace(dir, name, NULL, content);
}

const char *keys_kind_name(enum keys_kind kind)
{
	return kind_names[kind];
}

/* ---- what a configuration names ---- */

struct provider {
	const struct keys_task *task;
	struct problems *problems;
};

static void tell(const struct provider *p, const struct tree_node *leaf, enum keys_kind kind,
		 enum problem_id problem, const char *why)
{
	const char *slot = tree_value(leaf, 0);

	problems_add(p->problems, leaf->at, problem, leaf->row, 0, slot, why);
	if (p->task->aim == KEYS_RENEW)
		event_send(p->task->events, EVENT_CERTIFICATE_DEFECT, EV_TEXT(NAME, slot),
			   EV_TEXT(DETAIL, kind_names[kind]), EV_TEXT(REASON, why));
}

/* A certificate that is made here: for whom, in place of what, and why. */
struct making {
	const struct slot_names *names;
	struct span old;   /* the file that it replaces; empty: there is none */
	const char *cause; /* of that */
	bool keep_key;
};

/* Append the file. A key that cannot be read is not kept. */
static int compose(const struct provider *p, const struct making *making, struct bytes *file)
{
	struct tls_wish wish = {making->names->host_name, &making->names->names, p->task->now_s,
				making->keep_key ? making->old : (struct span){0}};
	int err = bytes_append_text(file, MADE_MARK);

	if (err == 0)
		err = tls_identity_make(&wish, file);
	return err;
}

static void record_made(const struct provider *p, const char *slot, const struct making *making,
			struct span file)
{
	struct tls_summary made;
	struct bytes names;

	bytes_init(&names, TLS_PEM_BYTES_MAX);
	if (tls_summarise(file, &made) < 0 || tls_names_print(&making->names->names, &names) < 0 ||
	    bytes_append_u8(&names, '\0') < 0)
		event_send(p->task->events, EVENT_CERTIFICATE_MADE, EV_TEXT(NAME, slot));
	else if (making->cause == NULL)
		event_send(p->task->events, EVENT_CERTIFICATE_MADE, EV_TEXT(NAME, slot),
			   EV_TEXT(DETAIL, (const char *)names.data),
			   EV_SHA256(SHA256, made.sha256));
	else
		event_send(p->task->events, EVENT_CERTIFICATE_RENEWED, EV_TEXT(NAME, slot),
			   EV_TEXT(REASON, making->cause), EV_NUMBER(COMMIT, p->task->number),
			   EV_SHA256(SHA256, made.sha256),
			   EV_TEXT(DETAIL, (const char *)names.data));
	bytes_fini(&names);
}

static void make_certificate(const struct provider *p, const struct tree_node *leaf,
			     const struct making *making)
{
	const char *slot = tree_value(leaf, 0);
	struct bytes file;
	int err = 0;

	bytes_init(&file, TLS_PEM_BYTES_MAX);
	err = compose(p, making, &file);
	if (err == 0)
		err = keys_load(p->task->dir, span_of(slot), KEYS_IS_CERTIFICATE,
				bytes_span(&file));
	if (err < 0)
		tell(p, leaf, KEYS_IS_CERTIFICATE, PROBLEM_SLOT_UNUSABLE, "it cannot be written");
	else
		record_made(p, slot, making, bytes_span(&file));
	tls_wipe(&file);
}

/* Why it cannot stay, whatever names it is for; NULL: it can. */
static const char *why_not_kept(struct span file, int64_t now_s)
{
	struct tls_summary old;

	if (tls_identity_check(file, now_s) != TLS_DEFECT_NONE || tls_summarise(file, &old) < 0)
		return "it cannot be used";
	if (old.until_s - now_s < SOON_S)
		return "it ends";
	return old.from_s > now_s ? "it was made while the clock was ahead" : NULL;
}

/*
 * What was made here is made anew when it is for other names, when it ends, or when it cannot be
 * used. With other names it keeps its key: whoever has pinned that notices nothing (ADR 321).
 * Return: whether it must be; then @making is complete.
 */
static bool must_renew(struct making *making, int64_t now_s)
{
	struct tls_names names;

	making->cause = why_not_kept(making->old, now_s);
	if (making->cause != NULL)
		return true;
	if (tls_names_of(making->old, &names) == 0 &&
	    tls_names_equal(&names, &making->names->names))
		return false;
	making->cause = "names have changed";
	making->keep_key = true;
	return true;
}

static void judge_password(const struct provider *p, const struct tree_node *leaf,
			   struct span password, size_t counted_bytes)
{
	if (!is_password(password))
		tell(p, leaf, KEYS_IS_PASSWORD, PROBLEM_SLOT_UNUSABLE, "it is no password");
	else if (password.size > counted_bytes)
		problems_add(p->problems, leaf->at, PROBLEM_SLOT_UNUSABLE, leaf->row, 0,
			     tree_value(leaf, 0),
			     "only its first 8 characters count with vnc-auth");
}

/* Something is there: can it be used, and for how long still. */
static void judge(const struct provider *p, const struct tree_node *leaf, enum keys_kind kind,
		  struct span pem)
{
	enum tls_defect defect = check(kind, pem, p->task->now_s);
	struct tls_summary summary;

	if (defect != TLS_DEFECT_NONE)
		tell(p, leaf, kind, PROBLEM_SLOT_UNUSABLE, tls_defect_text(defect, false));
	else if (tls_summarise(pem, &summary) == 0 && summary.until_s - p->task->now_s < SOON_S)
		tell(p, leaf, kind, PROBLEM_SLOT_UNUSABLE, "it expires within 30 days");
}

/* @pem: what the slot holds; empty: nothing. */
static void provide_made(const struct provider *p, const struct tree_node *leaf, struct span pem)
{
	const char *slot = tree_value(leaf, 0);
	struct slot_names names;
	struct making making = {.names = &names, .old = pem};

	slot_names_of(p->task->root, slot, &names);
	if (names.several_zones)
		problems_add(p->problems, leaf->at, PROBLEM_SLOT_OF_ZONES, leaf->row, 0, slot,
			     NULL);
	if (names.names.more)
		problems_add(p->problems, leaf->at, PROBLEM_SLOT_NAMES, leaf->row, 0, slot, NULL);
	names.names.more = false; /* it is for those that there is room for */
	if (pem.size == 0) {
		if (p->task->aim != KEYS_LOOK)
			make_certificate(p, leaf, &making);
		return;
	}
	if (!must_renew(&making, p->task->now_s))
		return;
	problems_add(p->problems, leaf->at, PROBLEM_SLOT_ANEW, leaf->row, 0, slot, making.cause);
	if (p->task->aim == KEYS_RENEW)
		make_certificate(p, leaf, &making);
}

static void provide(const struct provider *p, const struct tree_node *leaf, enum keys_kind kind)
{
	struct bytes pem;
	int err = 0;

	bytes_init(&pem, TLS_PEM_BYTES_MAX);
	err = keys_read(p->task->dir, span_of(tree_value(leaf, 0)), kind, &pem);
	if (err < 0 && err != -ERR_NOT_FOUND)
		tell(p, leaf, kind, PROBLEM_SLOT_UNUSABLE, "it cannot be read");
	else if (kind == KEYS_IS_CERTIFICATE && (err < 0 || is_made(bytes_span(&pem))))
		provide_made(p, leaf, bytes_span(&pem));
	else if (err < 0)
		tell(p, leaf, kind, PROBLEM_NO_AUTHORITY, "it is empty");
	else
		judge(p, leaf, kind, bytes_span(&pem));
	tls_wipe(&pem);
}

static void provide_password(const struct provider *p, const struct tree_node *leaf,
			     size_t counted_bytes)
{
	struct bytes password;
	int err = 0;

	bytes_init(&password, TLS_PEM_BYTES_MAX);
	err = keys_read(p->task->dir, span_of(tree_value(leaf, 0)), KEYS_IS_PASSWORD, &password);
	if (err == 0)
		judge_password(p, leaf, bytes_span(&password), counted_bytes);
	else if (err == -ERR_NOT_FOUND)
		tell(p, leaf, KEYS_IS_PASSWORD, PROBLEM_NO_PASSWORD, "it is empty");
	else
		tell(p, leaf, KEYS_IS_PASSWORD, PROBLEM_SLOT_UNUSABLE, "it cannot be read");
	tls_wipe(&password);
}

static void provide_mails(const struct provider *p, const struct tree_node *root)
{
	for (const struct tree_node *mail = tree_first(root, ROW_MAIL); mail != NULL;
	     mail = tree_next(mail)) {
		const struct tree_node *near = tree_first(mail, ROW_MAIL_TLS);
		const struct tree_node *far = tree_first(mail, ROW_MAIL_HOP_TLS);

		if (near != NULL)
			provide(p, tree_first(near, ROW_MAIL_TLS_CERTIFICATE), KEYS_IS_CERTIFICATE);
		if (far != NULL)
			provide(p, tree_first(far, ROW_MAIL_HOP_AUTHORITY), KEYS_IS_AUTHORITY);
	}
}

static void provide_access(const struct provider *p, const struct tree_node *access)
{
	const struct tree_node *authority = tree_first(access, ROW_SCREEN_ACCESS_AUTHORITY);
	const struct tree_node *password = tree_first(access, ROW_SCREEN_ACCESS_PASSWORD);
	const char *type = tree_value(tree_first(access, ROW_SCREEN_ACCESS_TYPE), 0);

	if (authority != NULL)
		provide(p, authority, KEYS_IS_AUTHORITY);
	if (password != NULL)
		provide_password(p, password,
				 strcmp(type, "vnc-auth") == 0 ? VNC_PASSWORD_BYTES
							       : KEYS_PASSWORD_MAX);
}

static void provide_screens(const struct provider *p, const struct tree_node *root)
{
	for (const struct tree_node *screen = tree_first(root, ROW_SCREEN); screen != NULL;
	     screen = tree_next(screen)) {
		const struct tree_node *tls = tree_first(screen, ROW_SCREEN_TLS);
		const struct tree_node *access = tree_first(screen, ROW_SCREEN_ACCESS);

		if (access != NULL)
			provide_access(p, access);
		if (tls == NULL)
			continue;
		provide(p, tree_first(tls, ROW_SCREEN_TLS_CERTIFICATE), KEYS_IS_CERTIFICATE);
		if (tree_first(tls, ROW_SCREEN_TLS_AUTHORITY) != NULL)
			provide(p, tree_first(tls, ROW_SCREEN_TLS_AUTHORITY), KEYS_IS_AUTHORITY);
	}
}

/* What a server is verified with, and what it is shown. */
static void provide_syslogs(const struct provider *p, const struct tree_node *root)
{
	const struct tree_node *system = tree_first(root, ROW_SYSTEM);
	const struct tree_node *syslog = system != NULL ? tree_first(system, ROW_SYSLOG) : NULL;
	const struct tree_node *server =
		syslog != NULL ? tree_first(syslog, ROW_SYSLOG_SERVER) : NULL;

	for (; server != NULL; server = tree_next(server)) {
		if (tree_first(server, ROW_SYSLOG_CA) != NULL)
			provide(p, tree_first(server, ROW_SYSLOG_CA), KEYS_IS_AUTHORITY);
		if (tree_first(server, ROW_SYSLOG_CERTIFICATE) != NULL)
			provide(p, tree_first(server, ROW_SYSLOG_CERTIFICATE), KEYS_IS_CERTIFICATE);
	}
}

void keys_provide(const struct keys_task *task, struct problems *problems)
{
	struct provider p = {task, problems};

	provide_mails(&p, task->root);
	provide_screens(&p, task->root);
	provide_syslogs(&p, task->root);
}

/* ---- showing ---- */

/* "mail.certificate.pem" -> "mail" and its kind; false for any other file. */
static bool split_name(const char *name, struct span *slot, enum keys_kind *kind)
{
	size_t size = strlen(name);

	for (size_t k = 0; k < sizeof(suffixes) / sizeof(suffixes[0]); k++) {
		size_t tail = strlen(suffixes[k]);

		if (size <= tail || strcmp(name + size - tail, suffixes[k]) != 0)
			continue;
		*slot = (struct span){(const uint8_t *)name, size - tail};
		*kind = (enum keys_kind)k;
		return keys_is_slot(*slot);
	}
	return false;
}

/* A password has nothing that could be shown. */
static int list_password(struct span slot, struct bytes *out)
{
	return bytes_printf(out, "%s\t%.*s\t-\t-\t-\t-\n", kind_names[KEYS_IS_PASSWORD],
			    (int)slot.size, (const char *)slot.data);
}

static int list_slot(int dir, struct span slot, enum keys_kind kind, int64_t now_s, bool japanese,
		     struct bytes *out)
{
	struct tls_summary s = {0};
	struct bytes pem;
	char day[16] = "-";
	time_t until = 0;
	struct tm tm;
	int err = 0;

	bytes_init(&pem, TLS_PEM_BYTES_MAX);
	if (keys_read(dir, slot, kind, &pem) == 0)
		(void)tls_summarise(bytes_span(&pem), &s); /* the defect says it */
	until = (time_t)s.until_s;
	if (s.count > 0 && gmtime_r(&until, &tm) != NULL)
		(void)strftime(day, sizeof(day), "%Y-%m-%d", &tm); /* or stays "-" */
	err = bytes_printf(out, "%s\t%.*s\t%s\t%s\t", kind_names[kind], (int)slot.size,
			   (const char *)slot.data, s.subject[0] != '\0' ? s.subject : "-", day);
	for (size_t i = 0; err == 0 && i < sizeof(s.sha256); i++)
		err = bytes_printf(out, "%02x", s.sha256[i]);
	if (err == 0)
		err = bytes_printf(out, "\t%s\n",
				   tls_defect_text(check(kind, bytes_span(&pem), now_s), japanese));
	tls_wipe(&pem);
	return err;
}

int keys_list(int dir, int64_t now_s, bool japanese, struct bytes *out)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *listing = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *item = NULL;
	int err = 0;

	if (listing == NULL) {
		if (fd >= 0)
			(void)close(fd); /* was only read */
		return -ERR_SYSTEM;
	}
	while (err == 0 && (item = readdir(listing)) != NULL) {
		struct span slot = {0};
		enum keys_kind kind = KEYS_IS_CERTIFICATE;

		if (!split_name(item->d_name, &slot, &kind))
			continue;
		if (kind == KEYS_IS_PASSWORD)
			err = list_password(slot, out);
		else
			err = list_slot(dir, slot, kind, now_s, japanese, out);
	}
	(void)closedir(listing); /* was only read */
	return err;
}

int keys_show(int dir, struct span slot, struct bytes *out)
{
	struct bytes pem;
	const char *at = NULL;
	int err = 0;

	bytes_init(&pem, TLS_PEM_BYTES_MAX + 1);
	err = keys_read(dir, slot, KEYS_IS_CERTIFICATE, &pem);
	if (err == 0)
		err = bytes_append_u8(&pem, '\0');
	at = err == 0 ? strstr((const char *)pem.data, PEM_BEGIN) : NULL;
	while (err == 0 && at != NULL) {
		const char *end = strstr(at, PEM_END);

		if (end == NULL)
			break;
		err = bytes_append(out, at, (size_t)(end - at) + strlen(PEM_END));
		if (err == 0)
			err = bytes_append_u8(out, '\n');
		at = strstr(end, PEM_BEGIN);
	}
	tls_wipe(&pem);
	return err;
}
