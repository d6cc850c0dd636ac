/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What consoles ask about certificates, keys, authorities and passwords of peers. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/sealed.h"
#include "config/asking.h"
#include "config/keys.h"

static struct span asked_slot(const struct asking *a)
{
	const char *line = a->request->line;

	return span_trim((struct span){(const uint8_t *)line, strnlen(line, CONSOLE_LINE_BYTES)});
}

static const char *slot_name(const struct asking *a, char out[SNAPSHOT_NAME_BYTES])
{
	struct span slot = asked_slot(a);

	(void)snprintf(out, SNAPSHOT_NAME_BYTES, "%.*s", (int)slot.size,
		       (const char *)slot.data); /* fits: keys_is_slot */
	return out;
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

static enum console_status put(struct asking *a, enum keys_kind kind, struct span pem)
{
	enum tls_defect defect = TLS_DEFECT_NONE;
	struct tls_summary summary;
	char name[SNAPSHOT_NAME_BYTES];
	int err = keys_load(a->c->keys_dir, asked_slot(a), kind, pem, now_s(), &defect);

	if (defect != TLS_DEFECT_NONE)
		return refuse_defect(a, defect);
	if (err < 0 || tls_summarise(pem, &summary) < 0)
		return asking_say(a, CONSOLE_FAILED, "it could not be written\n",
				  "書き込めませんでした\n");
	event_send(&a->c->process.events, EVENT_CERTIFICATE_LOADED,
		   EV_PERSON(USER, a->link->person, a->link->index),
		   EV_TEXT(NAME, slot_name(a, name)), EV_TEXT(DETAIL, summary.subject),
		   EV_SHA256(SHA256, summary.sha256));
	(void)bytes_printf(&a->text,
			   a->language == LANGUAGE_JA
				   ? "読み込みました: %s。次の接続から使われます\n"
				   : "loaded: %s; it is used from the next connection on\n",
			   summary.subject); /* short */
	return CONSOLE_OK;
}

static enum console_status load(struct asking *a, enum keys_kind kind)
{
	enum console_status status = CONSOLE_FAILED;
	struct bytes pem;

	if (!keys_is_slot(asked_slot(a)))
		return refuse_name(a);
	bytes_init(&pem, TLS_PEM_BYTES_MAX);
	if (bytes_room(&pem, TLS_PEM_BYTES_MAX) == NULL || sealed_read(&pem, a->fd) != 0)
		status = refuse_defect(a, TLS_DEFECT_TOO_LONG);
	else
		status = put(a, kind, bytes_span(&pem));
	tls_wipe(&pem);
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

static enum console_status put_password(struct asking *a, struct span typed)
{
	char name[SNAPSHOT_NAME_BYTES];
	int err = keys_load_password(a->c->keys_dir, asked_slot(a), typed);

	if (err == -ERR_SYNTAX)
		return asking_say(
			a, CONSOLE_FAILED,
			"nothing was loaded: a password has 1 to 128 printable ASCII "
			"characters\n",
			"読み込みませんでした: パスワードは印字可能なASCII文字1から128文字です\n");
	if (err < 0)
		return asking_say(a, CONSOLE_FAILED, "it could not be written\n",
				  "書き込めませんでした\n");
	event_send(&a->c->process.events, EVENT_PASSWORD_LOADED,
		   EV_PERSON(USER, a->link->person, a->link->index),
		   EV_TEXT(NAME, slot_name(a, name)));
	return asking_say(a, CONSOLE_OK, "loaded; it is used from the next connection on\n",
			  "読み込みました。次の接続から使われます\n");
}

enum console_status slots_load_password(struct asking *a)
{
	enum console_status status = CONSOLE_FAILED;
	struct bytes typed;

	if (!keys_is_slot(asked_slot(a)))
		return refuse_name(a);
	bytes_init(&typed, TLS_PEM_BYTES_MAX);
	if (bytes_room(&typed, TLS_PEM_BYTES_MAX) == NULL || sealed_read(&typed, a->fd) != 0)
		status = refuse_defect(a, TLS_DEFECT_TOO_LONG);
	else
		status = put_password(a, bytes_span(&typed));
	tls_wipe(&typed);
	return status;
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
