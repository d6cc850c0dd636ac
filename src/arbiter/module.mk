# SPDX-License-Identifier: GPL-2.0-or-later
modules += arbiter
arbiter-src := main.c judge.c lookup.c lookup_build.c denials.c trial.c decide.c conform.c conform_check.c heritage.c
arbiter-src += detect.c awaited.c row.c show.c
arbiter-src += flow_line.c outcome.c replay.c rehearsal.c watched.c
arbiter-use := policy wire base
arbiter-lib :=
