/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pictures as PNG files (W3C PNG, 2nd edition): 8 bits a colour, no transparency, deflate by zlib.
 */
#ifndef SEKISHO_TOOLS_PNG_H
#define SEKISHO_TOOLS_PNG_H

#include <stdio.h>

#include "wire/rfb/frame.h"

/**
 * png_write - write the picture that a frame shows
 * @out: borrowed; not closed
 * @frame: with a size
 * Return: 0; -ERR_NO_MEMORY; -ERR_SYSTEM where @out does not take it.
 */
int png_write(FILE *out, const struct frame *frame);

#endif
