# SPDX-License-Identifier: GPL-2.0-or-later
# Keeps configurations, compiles policies.
modules += config
config-src := main.c start.c commit.c edge.c requests.c committing.c proposal.c compliance.c slots.c store.c unconfirmed.c keys.c
config-use := tls policy base
