/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes on a serial line: base64 between a line BEGIN and a line END, as RFC 7468 has it, so that
 * what a terminal program recorded can be cut out and pasted again.
 */
#ifndef SEKISHO_WIRE_EXPORT_ARMOUR_H
#define SEKISHO_WIRE_EXPORT_ARMOUR_H

#include "base/buf.h"

#define ARMOUR_TITLE_MAX 40

/**
 * armour_put - append "-----BEGIN SEKISHO TITLE-----", @data in lines of 76, "-----END ...-----"
 * Errors are in @out->failed.
 */
void armour_put(struct bytes *out, const char *title, struct span data);

/**
 * armour_take - the bytes of the first block of this title in @text
 * @text:  whatever stands before and behind the block is passed over
 * @title: 1..ARMOUR_TITLE_MAX bytes
 * Return: 0; -ERR_NOT_FOUND: no such block, or it does not end; -ERR_SYNTAX: not base64; an error
 * of @out.
 */
int armour_take(struct bytes *out, const char *title, struct span text);

#endif
