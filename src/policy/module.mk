# SPDX-License-Identifier: GPL-2.0-or-later
modules += policy
policy-src := schema.c value.c value_net.c problem.c lex.c tree.c parse.c print.c prefix.c
policy-src += persons.c match.c edit.c complete.c clauses.c drills.c
policy-src += draft_tree.c draft_check.c draft_lower.c draft_ports.c draft_objects.c draft_services.c draft_login.c draft_presets.c draft_screens.c draft_syslog.c draft_zones.c draft_paths.c draft_advise.c draft_hidden.c compile.c snapshot.c snapshot_load.c
policy-use := base
policy-lib :=

# what both halves of a mail session ask (area: smtp)
policy-src += mail_policy.c

# what the arbiter and the rules of netfilter are both made from (area: packets)
policy-src += ranges.c proxied.c sockets.c atoms.c calendar.c screen_users.c
