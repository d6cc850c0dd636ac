# SPDX-License-Identifier: GPL-2.0-or-later
modules += tools
tools-src := main.c
tools-src += check.c schema.c config_file.c trace.c replay.c verdict.c flow_file.c
tools-src += verify_log.c log_walk.c log_anchors.c log_copy.c log_choose.c import_log.c events.c alarms.c
tools-src += report.c report_month.c report_state.c report_zones.c report_clauses.c report_course.c document.c document_text.c document_html.c
tools-src += flatten.c verify_mail.c open_export.c
tools-src += replay_screen.c png.c
tools-bin := sekisho
tools-use := mail-flattener arbiter audit policy wire base
tools-lib := -lgumbo -lnettle -lz
