/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The allow list of keysyms (X11 keysymdef.h gives the numbers): ordered ranges, searched by
 * halving. Hangul and Hangul_Hanja are how Linux names the keys that a Japanese keyboard's USB
 * descriptor calls LANG1 and LANG2: kana and eisu of Apple's, IME on and IME off of Windows'.
 */
#include "wire/rfb/keys.h"

#include <stddef.h>

enum { TAB = 0xff09, ISO_LEFT_TAB = 0xfe20, CASE_BIT = 0x20 };

static const struct {
	uint32_t low, high;
} allowed[] = {
	{0x0020, 0x007e}, /* ASCII */
	{0x00a0, 0x00ff}, /* Latin 1; a5 is the yen sign */
	{0x047e, 0x047e}, /* overline, on Japanese keyboards */
	{0x04a1, 0x04df}, /* kana */
	{0xfe03, 0xfe03}, /* ISO_Level3_Shift (AltGr) */
	{0xff08, 0xff0b}, /* BackSpace, Tab, Linefeed, Clear */
	{0xff0d, 0xff0d}, /* Return */
	{0xff13, 0xff15}, /* Pause, Scroll_Lock, Sys_Req */
	{0xff1b, 0xff1b}, /* Escape */
	{0xff21, 0xff31}, /* Kanji, Muhenkan, Henkan, Romaji, Hiragana_Katakana, Zenkaku_Hankaku,
			     Eisu_toggle, Hangul */
	{0xff34, 0xff34}, /* Hangul_Hanja */
	{0xff37, 0xff37}, /* Kanji_Bangou */
	{0xff3c, 0xff3e}, /* SingleCandidate, Zen_Koho, Mae_Koho */
	{0xff50, 0xff58}, /* Home, arrows, Prior, Next, End, Begin */
	{0xff60, 0xff63}, /* Select, Print, Execute, Insert */
	{0xff65, 0xff6b}, /* Undo, Redo, Menu, Find, Cancel, Help, Break */
	{0xff7e, 0xff7f}, /* Mode_switch, Num_Lock */
	{0xff80, 0xff80}, /* KP_Space */
	{0xff89, 0xff89}, /* KP_Tab */
	{0xff8d, 0xff8d}, /* KP_Enter */
	{0xff95, 0xff9f}, /* KP_Home .. KP_Delete */
	{0xffaa, 0xffb9}, /* KP_Multiply .. KP_9 */
	{0xffbd, 0xffbd}, /* KP_Equal */
	{0xffbe, 0xffd5}, /* F1 .. F24 */
	{0xffe1, 0xffec}, /* Shift .. Super_R */
	{0xffff, 0xffff}, /* Delete */
	{0x01000100, 0x0100024f}, /* Unicode: Latin Extended A and B */
	{0x01002010, 0x01002027}, /* dashes, quotation marks, dots */
	{0x01002030, 0x0100205e}, /* per mille, primes, reference mark */
	{0x010020a0, 0x010020bf}, /* currency signs */
	{0x01002100, 0x010022ff}, /* letterlike, number forms, arrows, mathematics */
	{0x01002460, 0x010024ff}, /* enclosed numbers */
	{0x01002500, 0x0100266f}, /* box drawing, shapes, symbols */
	{0x01003000, 0x010030ff}, /* CJK punctuation, hiragana, katakana */
	{0x010031f0, 0x010033ff}, /* small katakana, enclosed and squared CJK */
	{0x01003400, 0x01004dbf}, /* CJK extension A */
	{0x01004e00, 0x01009fff}, /* CJK ideographs */
	{0x0100f900, 0x0100faff}, /* CJK compatibility ideographs */
	{0x0100ff01, 0x0100ffef}, /* full-width and half-width forms */
};

uint32_t rfb_key_passed(uint32_t keysym)
{
	return keysym == ISO_LEFT_TAB ? TAB : keysym;
}

bool rfb_key_allowed(uint32_t keysym)
{
	size_t low = 0, high = sizeof(allowed) / sizeof(allowed[0]);

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (keysym > allowed[middle].high)
			low = middle + 1;
		else if (keysym < allowed[middle].low)
			high = middle;
		else
			return true;
	}
	return false;
}

static bool is_ascii_letter(uint32_t keysym)
{
	uint32_t small = keysym | CASE_BIT;

	return small >= 'a' && small <= 'z';
}

uint32_t rfb_key_other_name(uint32_t keysym)
{
	static const uint32_t names[][2] = {
		{0xffe9, 0xffe7}, /* Alt_L, Meta_L */
		{0xffea, 0xffe8}, /* Alt_R, Meta_R */
		{0xff30, 0xffe5}, /* Eisu_toggle, Caps_Lock */
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i][0] == keysym)
			return names[i][1];
		if (names[i][1] == keysym)
			return names[i][0];
	}
	return is_ascii_letter(keysym) ? keysym ^ CASE_BIT : 0;
}

bool rfb_key_modifies(uint32_t keysym)
{
	return keysym == 0xfe03 || keysym == 0xff7e || (keysym >= 0xffe1 && keysym <= 0xffec);
}
