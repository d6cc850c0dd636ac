/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What consoles ask about certificates, keys, authorities and passwords of peers. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/sealed.h"
#include "config/proposal.h"

static struct span asked_slot(const struct asking *a)
{
	const char *line = a->request->line;

	return span_trim((struct span){(const uint8_t *)line, strnlen(line, CONSOLE_LINE_BYTES)});
}

static int64_t now_s(void)
{
	return clock_wall_ns(&clock_system) / 1000000000;
}

static enum console_status refuse_name(struct asking *a)
{
	return asking_say(a, CONSOLE_FAILED,
			  "give a slot's name: lower-case letters, digits and dashes, at most 23\n",
			  "格納名を書いてください (英小文字、数字、ハイフン。23文字まで)\n");
}

static enum console_status refuse_defect(struct asking *a, enum tls_defect defect)
{
	bool japanese = a->language == LANGUAGE_JA;

	(void)bytes_printf(&a->text,
			   japanese ? "読み込みませんでした: %s\n" : "nothing was loaded: %s\n",
			   tls_defect_text(defect, japanese)); /* short */
	return CONSOLE_FAILED;
}

static enum console_status refuse_password(struct asking *a)
{
	return asking_say(
		a, CONSOLE_FAILED,
		"nothing was loaded: a password has 1 to 128 printable ASCII "
		"characters\n",
		"読み込みませんでした: パスワードは印字可能なASCII文字1から128文字です\n");
}

/* Both persons where there are two: who approved it as user, who proposed it besides. */
static void record(struct asking *a, const struct slots_content *what,
		   const struct tls_summary *summary, const char *proposer)
{
	if (what->kind == KEYS_IS_PASSWORD)
		event_send(&a->c->process.events, EVENT_PASSWORD_LOADED,
			   EV_PERSON(USER, a->link->person, a->link->index),
			   EV_TEXT(PROPOSER, proposer), EV_TEXT(NAME, what->slot));
	else
		event_send(&a->c->process.events, EVENT_CERTIFICATE_LOADED,
			   EV_PERSON(USER, a->link->person, a->link->index),
			   EV_TEXT(PROPOSER, proposer), EV_TEXT(NAME, what->slot),
			   EV_TEXT(DETAIL, summary->subject), EV_SHA256(SHA256, summary->sha256));
}

enum console_status slots_put(struct asking *a, const struct slots_content *what,
			      const char *proposer)
{
	struct tls_summary summary = {0};

	if (keys_load(a->c->keys_dir, span_of(what->slot), what->kind, what->content) < 0)
		return asking_say(a, CONSOLE_FAILED, "it could not be written\n",
				  "書き込めませんでした\n");
	if (what->kind != KEYS_IS_PASSWORD)
		(void)tls_summarise(what->content, &summary); /* keys_check has read it */
	record(a, what, &summary, proposer);
	config_slots_look_soon(a->c);
	(void)bytes_printf(
		&a->text,
		a->language == LANGUAGE_JA ? "読み込みました: %s。次の接続から使われます\n"
					   : "loaded: %s; it is used from the next connection on\n",
		what->kind == KEYS_IS_PASSWORD ? what->slot : summary.subject); /* short */
	return CONSOLE_OK;
}

/* What was pasted or typed: into its slot, or as a proposal. */
static enum console_status take(struct asking *a, enum keys_kind kind, struct span content)
{
	struct slots_content what = {.kind = kind, .content = content};
	enum tls_defect defect = TLS_DEFECT_NONE;
	struct span slot = asked_slot(a);

	(void)snprintf(what.slot, sizeof(what.slot), "%.*s", (int)slot.size,
		       (const char *)slot.data); /* fits: keys_is_slot */
	if (keys_check(kind, &what.content, now_s(), &defect) < 0)
		return defect != TLS_DEFECT_NONE ? refuse_defect(a, defect) : refuse_password(a);
	return proposal_is_needed(a->c) ? proposal_load_make(a, &what) : slots_put(a, &what, "");
}

static enum console_status load(struct asking *a, enum keys_kind kind)
{
	enum console_status status = CONSOLE_FAILED;
	struct bytes content;

	if (!keys_is_slot(asked_slot(a)))
		return refuse_name(a);
	bytes_init(&content, TLS_PEM_BYTES_MAX);
	if (bytes_room(&content, TLS_PEM_BYTES_MAX) == NULL || sealed_read(&content, a->fd) != 0)
		status = refuse_defect(a, TLS_DEFECT_TOO_LONG);
	else
		status = take(a, kind, bytes_span(&content));
	tls_wipe(&content);
	return status;
}

enum console_status slots_load_certificate(struct asking *a)
{
	return load(a, KEYS_IS_CERTIFICATE);
}

enum console_status slots_load_authority(struct asking *a)
{
	return load(a, KEYS_IS_AUTHORITY);
}

enum console_status slots_load_password(struct asking *a)
{
	return load(a, KEYS_IS_PASSWORD);
}

enum console_status slots_list(struct asking *a)
{
	if (keys_list(a->c->keys_dir, now_s(), a->language == LANGUAGE_JA, &a->text) < 0)
		return asking_say(a, CONSOLE_FAILED, "the directory of keys cannot be read\n",
				  "鍵の保管場所を読み取れません\n");
	return CONSOLE_OK;
}

enum console_status slots_show(struct asking *a)
{
	if (!keys_is_slot(asked_slot(a)))
		return refuse_name(a);
	if (keys_show(a->c->keys_dir, asked_slot(a), &a->text) < 0)
		return asking_say(a, CONSOLE_FAILED, "there is no such certificate\n",
				  "その証明書はありません\n");
	return CONSOLE_OK;
}
