# SPDX-License-Identifier: GPL-2.0-or-later
# One terminal: line editor, commands, tables.
modules += console
console-src := main.c ending.c login.c first.c line.c layout.c screen.c asking.c commands.c matching.c reference.c actions.c trial.c usb.c evidence.c export.c recording.c recovery.c question.c sure.c follow.c wording.c
console-use := policy wire base
console-cflags = -DSEKISHO_VERSION='"$(version)"'
