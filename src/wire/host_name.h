/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of hosts as people write them into texts: which words are such. */
#ifndef SEKISHO_WIRE_HOST_NAME_H
#define SEKISHO_WIRE_HOST_NAME_H

#include <stdbool.h>

#include "base/buf.h"

enum { HOST_NAME_MAX_BYTES = 253 }; /* RFC 1035 2.3.4, as text */

/**
 * host_name_is_plausible - could a reader take this for the name of a host?
 * @host: ASCII, any case, no port. It needs a dot, and a last label that is a top level domain in
 * use, or looks like a country's; or it is an IPv4 address. Ends of file names that are a country's
 * too (.py, .md) are none.
 */
bool host_name_is_plausible(struct span host);

/**
 * host_name_end - where the host ends that begins at @at of a text, behind a scheme or user info
 * What mail programs do not take into an address ends it; and Japanese words that follow a whole
 * name of ASCII without a gap are none of it.
 * Return: @at..@at + HOST_NAME_MAX_BYTES, at most the text's size.
 */
size_t host_name_end(struct span text, size_t at);

/* The next plausible name in a text, from *@at on, which is set behind it, that tells by itself
 * that it is one: by "www.", by a top or second level in common use, in lower case but in .jp and
 * .com. Those of mail addresses are left out. False at the end. */
bool host_name_next(struct span text, size_t *at, struct span *host);

/* The next name of those that host_name_next leaves out, from *@at on, which is set behind it: with
 * letters of other scripts right before its last dot (省庁.jp, with what stands before it without a
 * gap), or of ASCII as a word of its own under any top level domain. For texts of links, where
 * little else is written so. False at the end. */
bool host_name_next_rare(struct span text, size_t *at, struct span *host);

#endif
