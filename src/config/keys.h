/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The slots of certificates, keys, authorities and passwords: a directory of their own (L4). */
#ifndef SEKISHO_CONFIG_KEYS_H
#define SEKISHO_CONFIG_KEYS_H

#include "base/event.h"
#include "policy/problem.h"
#include "policy/tree.h"
#include "tls/pem.h"

enum keys_kind { KEYS_IS_CERTIFICATE, KEYS_IS_AUTHORITY, KEYS_IS_PASSWORD };

/* A slot's name: as names of the configuration. */
bool keys_is_slot(struct span name);

/**
 * keys_read - what a slot holds
 * @dir: the directory, borrowed; -1: there is none
 * @pem: appended to; the caller wipes it (tls_wipe)
 * Return: 0; -ERR_NOT_FOUND; -ERR_TOO_LONG; -ERR_SYSTEM.
 */
int keys_read(int dir, struct span slot, enum keys_kind kind, struct bytes *pem);

/**
 * keys_check - may what an administrator has pasted or typed go into a slot
 * @content: cut to what would be written: of a password without the end of its line, of a
 * certificate without a claim to be made here
 * @now_s:   seconds since 1970
 * @defect:  set where a certificate or authority is refused
 * Return: 0; -ERR_SYNTAX: @defect, or no password (1..KEYS_PASSWORD_MAX printable ASCII
 * characters).
 */
int keys_check(enum keys_kind kind, struct span *content, int64_t now_s, enum tls_defect *defect);

/**
 * keys_load - put into a slot what keys_check has taken
 * Return: 0, and what was there before is gone for good; -ERR_SYSTEM, -ERR_NO_SPACE: it is as it
 * was.
 */
int keys_load(int dir, struct span slot, enum keys_kind kind, struct span content);

/* "certificate", "authority", "password". */
const char *keys_kind_name(enum keys_kind kind);

/* How far keys_provide goes. */
enum keys_aim {
	KEYS_LOOK,  /* it changes nothing */
	KEYS_FILL,  /* certificates are made for slots that are empty: before a commit */
	KEYS_RENEW, /* besides, what was made here is made anew where it must be, and defects are
		       recorded: behind a commit, and each day */
};

struct keys_task {
	int dir;                      /* borrowed; -1: there is none */
	const struct tree_node *root; /* of a configuration that compiles; borrowed */
	uint32_t number;              /* of that configuration, for records */
	int64_t now_s;                /* since 1970 */
	enum keys_aim aim;
	struct event_client *events; /* NULL with KEYS_LOOK: nobody is told */
};

/**
 * keys_provide - see to it that the slots which a configuration names can be used
 * @problems: an authority or password that is missing is an error; anything that will fail later,
 * and a certificate that is or will be made anew (ADR 321), a warning
 */
void keys_provide(const struct keys_task *task, struct problems *problems);

/* One line a slot: kind, name, subject, last day, fingerprint, defect; separated by tabs. Of a
 * password nothing but that it is there. */
int keys_list(int dir, int64_t now_s, bool japanese, struct bytes *out);

/* The certificates of a slot as PEM, without the key, for those who are to verify it. */
int keys_show(int dir, struct span slot, struct bytes *out);

#endif
