# SPDX-License-Identifier: GPL-2.0-or-later
modules += mail-receiver
mail-receiver-src := main.c session.c commands.c message.c answers.c
mail-receiver-use := policy wire base
