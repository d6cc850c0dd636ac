# SPDX-License-Identifier: GPL-2.0-or-later
# The flattener library (also behind `sekisho flatten`) and the sandboxed process.
modules += mail-flattener
mail-flattener-src := flatten.c say.c links.c notice.c header.c sender.c text.c alternative.c facts.c attachment.c files.c certain.c kind.c zip.c receipt.c calendar.c report.c winmail.c policy.c imitation.c ambiguity.c embedded.c archive.c words.c calendar_rule.c outbound.c \
	main.c
mail-flattener-cflags = -DSEKISHO_VERSION='"$(version)"'
mail-flattener-use := policy wire base
mail-flattener-lib := -lgumbo -lnettle
