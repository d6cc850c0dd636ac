# SPDX-License-Identifier: GPL-2.0-or-later
modules += mail-scanner
mail-scanner-src := main.c exchange.c sample.c with_clamd.c with_icap.c
mail-scanner-use := policy wire base
