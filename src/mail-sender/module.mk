# SPDX-License-Identifier: GPL-2.0-or-later
modules += mail-sender
mail-sender-src := main.c sender.c dialogue.c hop.c message.c flat.c verdict.c
mail-sender-use := policy wire base
