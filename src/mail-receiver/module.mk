# SPDX-License-Identifier: GPL-2.0-or-later
modules += mail-receiver
mail-receiver-src := main.c session.c commands.c message.c secure.c answers.c
mail-receiver-use := tls policy wire base
