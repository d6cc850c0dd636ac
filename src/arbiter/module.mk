# SPDX-License-Identifier: GPL-2.0-or-later
modules += arbiter
arbiter-src := main.c judge.c lookup.c denials.c trial.c
arbiter-use := policy wire base
arbiter-lib :=
