/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Syslog servers: their rows, and what TLS needs and nothing else may have. */
#include "policy/draft.h"

#include "policy/schema.h"

#define TLS_PORT 6514 /* RFC 5425 section 4.1 */

static void copy_slot(char field[SNAPSHOT_NAME_BYTES], const struct tree_node *server,
		      enum schema_id row)
{
	const struct tree_node *slot = tree_first(server, row);

	if (slot != NULL)
		draft_copy_name(field, SNAPSHOT_NAME_BYTES, tree_value(slot, 0));
}

static void lower_tls(struct draft *d, struct snapshot_syslog *l, const struct tree_node *server)
{
	if (tree_first(server, ROW_SYSLOG_PORT) == NULL)
		l->port = TLS_PORT;
	copy_slot(l->authority_slot, server, ROW_SYSLOG_CA);
	copy_slot(l->certificate_slot, server, ROW_SYSLOG_CERTIFICATE);
	l->text_name = draft_add_leaf_text(d, server, ROW_SYSLOG_NAME);
	if (l->text_name == 0)
		l->text_name = draft_add_text(d, tree_value(server, 0));
}

void draft_lower_syslog(struct draft *d, const struct tree_node *syslog)
{
	for (const struct tree_node *n = tree_first(syslog, ROW_SYSLOG_SERVER); n != NULL;
	     n = tree_next(n)) {
		struct snapshot_syslog *l = draft_add(d, SECTION_SYSLOGS, n);

		if (l == NULL)
			return;
		l->zone = draft_leaf_zone(d, syslog, ROW_SYSLOG_ZONE);
		l->transport = (uint32_t)draft_leaf_number(n, ROW_SYSLOG_TRANSPORT);
		l->server = draft_value(n, 0).prefix;
		l->port = (uint16_t)draft_leaf_number(n, ROW_SYSLOG_PORT);
		if (l->transport == SNAPSHOT_TRANSPORT_TLS)
			lower_tls(d, l, n);
	}
}

/* Words that would be without effect make a reader believe in a protection that is not there. */
void draft_check_syslog_security(struct draft *d, uint32_t i)
{
	static const enum schema_id tls_only[] = {ROW_SYSLOG_CA, ROW_SYSLOG_NAME,
						  ROW_SYSLOG_CERTIFICATE};
	const struct snapshot_syslog *l = draft_row(d, SECTION_SYSLOGS, i);
	const struct tree_node *origin = draft_origin(d, SECTION_SYSLOGS, i);
	const char *address = tree_value(origin, 0);

	if (l->transport == SNAPSHOT_TRANSPORT_TLS) {
		if (l->authority_slot[0] == '\0')
			draft_refuse(d, origin, PROBLEM_SYSLOG_UNVERIFIED, address, NULL);
		return;
	}
	for (size_t k = 0; k < sizeof(tls_only) / sizeof(tls_only[0]); k++) {
		const struct tree_node *n = tree_first(origin, tls_only[k]);

		if (n != NULL)
			draft_refuse(d, n, PROBLEM_SYSLOG_NOT_TLS, schema_row(n->row)->name,
				     address);
	}
}
