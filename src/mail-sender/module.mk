# SPDX-License-Identifier: GPL-2.0-or-later
modules += mail-sender
mail-sender-src := main.c sender.c dialogue.c hop.c secure.c message.c flat.c verdict.c
mail-sender-use := tls policy wire base
