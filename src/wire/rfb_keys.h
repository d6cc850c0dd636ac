/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keys that a viewer may press on a desktop, as X keysyms. */
#ifndef SEKISHO_WIRE_RFB_KEYS_H
#define SEKISHO_WIRE_RFB_KEYS_H

#include <stdbool.h>
#include <stdint.h>

/**
 * rfb_key_allowed - whether a keysym is on the allow list
 * @keysym: any 32-bit number as it came in a KeyEvent
 * Return: true for Latin 1, Japanese characters, function, control, keypad and modifier keys, and
 * the keys of a Japanese keyboard; false for all others: multimedia, power and vendor keys, virtual
 * terminals, and free numbers, each of which would carry 32 bits of anything.
 */
bool rfb_key_allowed(uint32_t keysym);

#endif
