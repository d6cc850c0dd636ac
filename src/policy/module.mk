modules += policy
policy-src := schema.c value.c value_net.c problem.c lex.c tree.c parse.c print.c prefix.c
policy-src += draft_check.c draft_lower.c draft_zones.c draft_paths.c compile.c snapshot.c snapshot_load.c
policy-use := base
policy-lib :=

# what both halves of a mail session ask (area: smtp)
policy-src += mail_policy.c
