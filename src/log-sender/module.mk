# SPDX-License-Identifier: GPL-2.0-or-later
# Holds one connection to one syslog server.
modules += log-sender
log-sender-src := main.c transport.c datagrams.c streams.c secure.c
log-sender-use := tls policy wire base
