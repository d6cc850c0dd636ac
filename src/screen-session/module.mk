# SPDX-License-Identifier: GPL-2.0-or-later
# What both halves of a screen session share: its settings, its end, what it dropped. No program of its own.
modules += screen-session
screen-session-src := session.c
screen-session-use := policy wire base
screen-session-lib :=
