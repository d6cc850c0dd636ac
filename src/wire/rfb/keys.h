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

/**
 * rfb_key_passed - what a desktop is told in the place of a viewer's keysym
 * @keysym: any 32-bit number
 * Return: Tab for ISO_Left_Tab, which is what X calls Tab while Shift is held: some viewers press
 * the one and release the other, and desktops that are no X servers know Tab alone. @keysym itself
 * for all others; rfb_key_allowed is asked about what this returns.
 */
uint32_t rfb_key_passed(uint32_t keysym);

/**
 * rfb_key_other_name - the second of two names of one key, where every keyboard has them on one
 * @keysym: any 32-bit number
 * Return: the other case of an ASCII letter; Alt for Meta and the other way round, each on its
 * side; Caps_Lock for Eisu_toggle and the other way round (they are one key of a Japanese
 * keyboard); 0 for all others.
 */
uint32_t rfb_key_other_name(uint32_t keysym);

/**
 * rfb_key_modifies - whether a keysym on the allow list is a modifier
 * @keysym: any 32-bit number
 * Return: true for Shift .. Super_R, ISO_Level3_Shift and Mode_switch, which change the names of
 * other keys and keep their own.
 */
bool rfb_key_modifies(uint32_t keysym);

#endif
