/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names that a certificate of a slot has to be for, by the configuration. */
#ifndef SEKISHO_CONFIG_SLOT_NAMES_H
#define SEKISHO_CONFIG_SLOT_NAMES_H

#include "policy/tree.h"
#include "tls/names.h"

struct slot_names {
	const char *host_name;  /* of the first that names the slot; borrowed from the tree */
	const char *first_zone; /* where it is shown; NULL: it is shown by a client only */
	bool several_zones;
	struct tls_names names;
};

/**
 * slot_names_of - who is reached where the slot's certificate is shown
 * @root: of a configuration that compiles; borrowed
 * @slot: that at least one mail, screen or syslog statement of it names
 * @out: set: the host name of each, the names that browsers may use, and the gateway's addresses
 * in the zone in which each listens
 */
void slot_names_of(const struct tree_node *root, const char *slot, struct slot_names *out);

#endif
