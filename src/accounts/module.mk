# SPDX-License-Identifier: GPL-2.0-or-later
# Who may sit at the consoles: passwords, sessions, locks.
modules += accounts
accounts-src := main.c account.c desk.c doors.c factor.c first.c guessable.c keep.c password.c person.c recovery.c seats.c serve.c staff.c totp.c words.c
accounts-use := policy wire base
accounts-lib := -lcrypt
