/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is to be loaded into a slot, where two persons make a change (C1, ADR 322). It is kept with
 * the keys, since it may be one, is never shown, and is overwritten when it is over.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "config/proposal.h"

#define NAME       "proposed" /* in the directory of keys: not the name of any slot's file */
#define KIND       "sekisho-load"
#define SALT_BYTES 32
#define FILE_BYTES (TLS_PEM_BYTES_MAX + PROPOSAL_HEAD_BYTES)

struct load {
	struct proposal_head head; /* its hash is of the whole file, which has a salt */
	struct slots_content what; /* borrows from @file */
	struct bytes file;
};

/* ---- on the disk */

static int take_content(struct slots_content *what, struct span rest)
{
	char salt[2 * SALT_BYTES + 1];
	int64_t kind = 0;

	if (file_take_line(&rest, "salt", salt, sizeof(salt)) < 0 ||
	    file_take_number(&rest, "kind", &kind) < 0 || kind < KEYS_IS_CERTIFICATE ||
	    kind > KEYS_IS_PASSWORD ||
	    file_take_line(&rest, "slot", what->slot, sizeof(what->slot)) < 0)
		return -ERR_INTEGRITY;
	what->kind = (enum keys_kind)kind;
	what->content = rest;
	return keys_is_slot(span_of(what->slot)) ? 0 : -ERR_INTEGRITY;
}

static void end_load(struct load *load)
{
	tls_wipe(&load->file);
}

/* Return: 0, and the caller ends it; -ERR_NOT_FOUND: none is there; -ERR_RANGE: it is whole, but
 * not current any more, and only its content is gone from @load; any other: none that counts. */
static int read_load(const struct config *c, struct load *load)
{
	struct span content;
	int err = -ERR_NO_MEMORY;

	*load = (struct load){0};
	bytes_init(&load->file, FILE_BYTES);
	if (bytes_room(&load->file, FILE_BYTES) != NULL) /* no copy is left behind by growing */
		err = file_read(c->keys_dir, NAME, &load->file);
	if (err == 0)
		err = file_check(bytes_span(&load->file), KIND, &content);
	if (err == 0) {
		proposal_head_hash(content, load->head.hash);
		memcpy(load->head.whole, load->head.hash, sizeof(load->head.whole));
		err = proposal_head_take(&load->head, &content);
	}
	if (err == 0)
		err = take_content(&load->what, content);
	if (err == 0 && proposal_head_lapse(c, &load->head) != NULL)
		err = -ERR_RANGE;
	if (err < 0)
		end_load(load);
	return err;
}

/* As far as it goes: it is removed in any case. */
static void overwrite(int fd)
{
	static const uint8_t zeros[4096];
	const struct span block = {zeros, sizeof(zeros)};
	struct stat file;
	int err = fstat(fd, &file) < 0 ? -ERR_SYSTEM : 0;

	for (off_t at = 0; err == 0 && at < file.st_size; at += (off_t)sizeof(zeros))
		err = file_write_all(fd, block);
	(void)fsync(fd);
}

/* Overwritten as far as the medium does that, then removed. Return: 0, also where there is no such
 * file; -ERR_SYSTEM: it may be there still. */
static int wipe(const struct config *c, const char *name)
{
	int fd = openat(c->keys_dir, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd >= 0) {
		overwrite(fd);
		(void)close(fd);
	}
	return unlinkat(c->keys_dir, name, 0) < 0 || fsync(c->keys_dir) < 0 ? -ERR_SYSTEM : 0;
}

static int put_salt(struct bytes *file)
{
	uint8_t salt[SALT_BYTES];
	char hex[SHA256_HEX_BYTES];

	_Static_assert(SALT_BYTES == SHA256_BYTES, "sha256_hex prints a salt");
	if (tls_random(NULL, salt, sizeof(salt)) != 0)
		return -ERR_SYSTEM;
	sha256_hex(salt, hex);
	return bytes_printf(file, "salt %s\n", hex);
}

/* Sets the hash. */
static int write_load(const struct config *c, struct proposal_head *head,
		      const struct slots_content *what)
{
	struct bytes file;
	int err = -ERR_NO_MEMORY;

	bytes_init(&file, FILE_BYTES);
	if (bytes_room(&file, FILE_BYTES) != NULL)
		err = proposal_head_put(head, &file);
	if (err == 0)
		err = put_salt(&file);
	if (err == 0)
		err = bytes_printf(&file, "kind %d\nslot %s\n", what->kind, what->slot);
	if (err == 0)
		err = bytes_append(&file, what->content.data, what->content.size);
	if (err == 0)
		err = file_replace(c->keys_dir, NAME, KIND, bytes_span(&file));
	if (err == 0)
		proposal_head_hash(bytes_span(&file), head->hash);
	else
		(void)wipe(c, NAME); /* it may have its name all the same */
	tls_wipe(&file);
	return err;
}

/* ---- requests */

bool proposal_load_waits(const struct config *c)
{
	struct load load;

	if (read_load(c, &load) < 0)
		return false;
	end_load(&load);
	return true;
}

/* Nobody has approved it: who had proposed what, and why it does not count any more. */
static void record_dropped(struct config *c, const struct load *load, int err)
{
	bool whole = err == -ERR_RANGE;
	const char *why = whole ? proposal_head_lapse(c, &load->head) : "it is damaged";

	event_send(&c->process.events, EVENT_LOAD_DROPPED, EV_TEXT(REASON, why),
		   EV_TEXT(PROPOSER, whole ? load->head.author : ""),
		   EV_TEXT(NAME, whole ? load->what.slot : ""),
		   EV_TEXT(DETAIL, whole ? keys_kind_name(load->what.kind) : ""),
		   EV_TEXT(HASH, whole ? load->head.hash : ""));
}

void proposal_load_tidy(struct config *c)
{
	struct load load;
	int err = c->keys_dir >= 0 ? read_load(c, &load) : -ERR_NOT_FOUND;

	(void)wipe(c, FILE_STAGED); /* nothing is being written now: a crash has left it */
	if (err == 0) {
		end_load(&load);
	} else if (err != -ERR_NOT_FOUND && err != -ERR_NO_MEMORY) {
		record_dropped(c, &load, err);
		(void)wipe(c, NAME); /* or a minute later */
	}
}

enum console_status proposal_load_make(struct asking *a, const struct slots_content *what)
{
	struct proposal_head head;

	if (a->link->person[0] == '\0')
		return asking_say(a, CONSOLE_REFUSED, "log in first\n",
				  "先にログインしてください\n");
	if (a->c->commit.active || a->c->commit.first)
		return asking_busy(a); /* it would be on top of what will not run any more */
	proposal_load_tidy(a->c);      /* an old one is wiped, not only replaced */
	if (proposal_waits(a->c) || proposal_load_waits(a->c))
		return asking_say(a, CONSOLE_FAILED, "a proposal waits: show pending\n",
				  "提案が保留中です。show pending で確認してください\n");
	proposal_head_begin(a, &head);
	if (write_load(a->c, &head, what) < 0)
		return asking_say(a, CONSOLE_FAILED, "the proposal cannot be saved\n",
				  "提案を保存できません\n");
	event_send(&a->c->process.events, EVENT_LOAD_PROPOSED,
		   EV_PERSON(USER, head.author, a->link->index), EV_TEXT(NAME, what->slot),
		   EV_TEXT(DETAIL, keys_kind_name(what->kind)), EV_TEXT(HASH, head.hash));
	(void)bytes_printf(
		&a->text,
		a->language == LANGUAGE_JA
			? "提案しました。別の管理者が show pending で確認し、approve %.*s "
			  "で承認すると読み込まれます\n"
			: "proposed: another administrator looks at `show pending`, then "
			  "`approve %.*s` loads it\n",
		PROPOSAL_HASH_LEAST, head.hash); /* short */
	return CONSOLE_OK;
}

bool proposal_load_show(struct asking *a)
{
	bool japanese = a->language == LANGUAGE_JA;
	struct load load;

	if (read_load(a->c, &load) < 0)
		return false;
	(void)bytes_printf(
		&a->text,
		japanese ? "%s の提案: load %s %s\nSHA-256 %s\n残り %lld時間。approve %.*s で承認\n"
			 : "proposed by %s: load %s %s\nSHA-256 %s\n%lld hours are left; `approve "
			   "%.*s` loads it\n",
		load.head.author, keys_kind_name(load.what.kind), load.what.slot, load.head.hash,
		proposal_head_rest_h(a->c, &load.head), PROPOSAL_HASH_LEAST, load.head.hash);
	/* Of a password there is nothing that could be shown. */
	if (load.what.kind == KEYS_IS_PASSWORD ||
	    tls_describe(load.what.content, japanese, &a->text) == 0)
		proposal_head_shown(a, &load.head);
	end_load(&load);
	return true;
}

/* It is recorded before it takes effect; it may have ended while it waited. */
static enum console_status put(struct asking *a, struct load *load)
{
	enum tls_defect defect = TLS_DEFECT_NONE;

	if (keys_check(load->what.kind, &load->what.content,
		       clock_wall_ns(a->c->loop.clock) / 1000000000, &defect) == 0) {
		proposal_head_approved(a, &load->head);
		return slots_put(a, &load->what, load->head.author);
	}
	(void)bytes_printf(&a->text, "%s\n",
			   tls_defect_text(defect, a->language == LANGUAGE_JA)); /* short */
	return CONSOLE_FAILED;
}

static enum console_status forget(struct asking *a)
{
	if (wipe(a->c, NAME) == 0)
		return CONSOLE_OK;
	return asking_say(a, CONSOLE_FAILED, "the proposal cannot be removed: it waits still\n",
			  "提案を消去できません。まだ保留中です\n");
}

enum console_status proposal_load_approve(struct asking *a)
{
	enum console_status status;
	struct load load;

	if (read_load(a->c, &load) < 0)
		return proposal_head_none(a);
	status = proposal_head_judge(a, &load.head);
	if (status == CONSOLE_OK)
		status = put(a, &load);
	if (status == CONSOLE_OK)
		status = forget(a);
	end_load(&load);
	return status;
}

enum console_status proposal_load_withdraw(struct asking *a)
{
	enum console_status status;
	struct load load;

	if (read_load(a->c, &load) < 0)
		return proposal_head_none(a);
	status = forget(a);
	if (status == CONSOLE_OK)
		status = proposal_head_withdrawn(a, &load.head);
	end_load(&load);
	return status;
}
