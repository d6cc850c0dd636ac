# SPDX-License-Identifier: GPL-2.0-or-later
# SPDX-License-Identifier: GPL-2.0-or-later
# Takes events, writes the log, sends it to syslog servers.
modules += audit
audit-src := main.c alarms.c alarms_keep.c anchor.c answer.c certificate.c destinations.c device_key.c evidence.c follow.c links.c receipts.c receipt_text.c record.c replayed.c retention.c sender.c sender_link.c sender_tell.c \
	store.c store_cursor.c store_files.c store_recover.c store_walk.c seen.c timeline.c
audit-use := tls policy wire base
audit-lib := -lhogweed -lnettle -lgmp
