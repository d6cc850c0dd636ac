/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lowering: the checked tree's statements become rows of the snapshot's tables. */
#include "policy/draft.h"

#include <string.h>

#define TOKYO_OFFSET (9 * 3600) /* Japan has no summer time */

/* Row @i of a section once more at its end; d->no_memory tells of failure. */
static void copy_row(struct draft *d, enum snapshot_section section, uint32_t i, size_t row_bytes)
{
	void *row = draft_add(d, section, draft_origin(d, section, i));

	if (row != NULL)
		memcpy(row, draft_row(d, section, i), row_bytes);
}

/* What one source or destination statement stands for: its own row, or those of a group. */
static struct snapshot_range add_place(struct draft *d, const struct tree_node *node)
{
	struct snapshot_range range = {draft_count(d, SECTION_PREFIXES), 1};
	struct value place = draft_value(node, 0);
	struct snapshot_prefix *row;

	if (place.prefix.family == 0)
		return d->group_ranges[draft_group_node(d, place.text)->index];
	row = draft_add(d, SECTION_PREFIXES, node);
	if (row == NULL)
		return (struct snapshot_range){0, 0};
	*row = place.prefix;
	return range;
}

/* All of a permit's sources or destinations: shared where it is one group, copied side by side
 * where they are more. */
static struct snapshot_range add_places(struct draft *d, const struct tree_node *permit,
					enum schema_id row)
{
	const struct tree_node *n = tree_first(permit, row);
	struct snapshot_range range = {draft_count(d, SECTION_PREFIXES), 0};

	if (n != NULL && tree_next(n) == NULL)
		return add_place(d, n);
	for (; n != NULL && !d->no_memory; n = tree_next(n)) {
		struct snapshot_range one = add_place(d, n);

		for (uint32_t i = 0; one.first < range.first && i < one.count; i++)
			copy_row(d, SECTION_PREFIXES, one.first + i,
				 sizeof(struct snapshot_prefix));
		range.count += one.count;
	}
	return range;
}

/* The services of all that a permit names: shared where it is one, copied side by side where they
 * are more. */
static struct snapshot_range permit_services(struct draft *d, const struct tree_node *permit)
{
	const struct tree_node *n = tree_first(permit, ROW_PERMIT_SERVICE);
	struct snapshot_range range = {draft_count(d, SECTION_SERVICES), 0};

	if (n != NULL && tree_next(n) == NULL)
		return d->service_ranges[draft_entry(d, ROW_SERVICE, tree_value(n, 0))];
	for (; n != NULL && !d->no_memory; n = tree_next(n)) {
		struct snapshot_range one =
			d->service_ranges[draft_entry(d, ROW_SERVICE, tree_value(n, 0))];

		for (uint32_t i = 0; i < one.count; i++) {
			copy_row(d, SECTION_SERVICES, one.first + i,
				 sizeof(struct snapshot_service));
			range.count++;
		}
	}
	return range;
}

static void set_limit(struct snapshot_permit *p, const struct tree_node *limit)
{
	struct value rate;

	if (limit == NULL)
		return;
	p->connections = (uint32_t)draft_leaf_number(limit, ROW_LIMIT_CONNECTIONS);
	if (!draft_leaf(&rate, limit, ROW_LIMIT_RATE))
		return;
	p->rate = (uint32_t)rate.number;
	p->rate_period_s = (uint32_t)rate.high;
}

static void lower_permit(struct draft *d, const struct tree_node *node, uint32_t crossing,
			 uint32_t first, uint32_t second)
{
	const struct tree_node *from = tree_first(node, ROW_PERMIT_FROM);
	const struct tree_node *schedule = tree_first(node, ROW_PERMIT_SCHEDULE);
	struct snapshot_permit p = {.crossing = crossing, .from = first, .schedule = SNAPSHOT_NONE};
	struct snapshot_permit *row;

	p.number = (uint32_t)draft_value(node, 0).number;
	if (from != NULL)
		p.from = draft_entry(d, ROW_ZONE, tree_value(from, 0));
	p.to = p.from == first ? second : first;
	p.sources = add_places(d, node, ROW_PERMIT_SOURCE);
	p.destinations = add_places(d, node, ROW_PERMIT_DESTINATION);
	p.services = permit_services(d, node);
	p.flags = tree_first(node, ROW_PERMIT_LOG) != NULL ? PERMIT_LOG : 0;
	if (schedule != NULL)
		p.schedule = draft_entry(d, ROW_SCHEDULE, tree_value(schedule, 0));
	p.expires_s = draft_leaf_day_end(d, node, ROW_PERMIT_EXPIRES, INT64_MAX);
	p.text_comment = draft_add_leaf_text(d, node, ROW_PERMIT_COMMENT);
	set_limit(&p, tree_first(node, ROW_PERMIT_LIMIT));
	row = draft_add(d, SECTION_PERMITS, node);
	if (row != NULL)
		*row = p;
}

/* Each is the other's peer. A zone that has another crossing, too, is refused later. */
static void join_zones(struct draft *d, uint32_t first, uint32_t second)
{
	((struct snapshot_zone *)draft_row(d, SECTION_ZONES, first))->peer = second;
	((struct snapshot_zone *)draft_row(d, SECTION_ZONES, second))->peer = first;
}

static void lower_crossing(struct draft *d, struct tree_node *node)
{
	uint32_t first = draft_entry(d, ROW_ZONE, tree_value(node, 0));
	uint32_t second = draft_entry(d, ROW_ZONE, tree_value(node, 1));
	struct snapshot_range permits = {draft_count(d, SECTION_PERMITS), 0};
	struct snapshot_crossing *c;

	node->index = draft_count(d, SECTION_CROSSINGS);
	for (const struct tree_node *n = tree_first(node, ROW_PERMIT); n != NULL; n = tree_next(n))
		lower_permit(d, n, node->index, first, second);
	permits.count = draft_count(d, SECTION_PERMITS) - permits.first;
	c = draft_add(d, SECTION_CROSSINGS, node);
	if (c == NULL)
		return;
	c->low = first < second ? first : second;
	c->high = first < second ? second : first;
	c->permits = permits;
	c->queues = (uint32_t)draft_leaf_number(node, ROW_CROSSING_QUEUES);
	c->flags = tree_first(node, ROW_CROSSING_OFFLOAD) != NULL ? CROSSING_OFFLOAD : 0;
	if (tree_first(node, ROW_CROSSING_TRANSPARENT) == NULL)
		return;
	c->flags |= CROSSING_TRANSPARENT;
	join_zones(d, first, second);
}

static void lower_scanner(struct draft *d, struct tree_node *node)
{
	struct snapshot_scanner *s;
	struct value endpoint = {0};

	node->index = draft_count(d, SECTION_SCANNERS);
	s = draft_add(d, SECTION_SCANNERS, node);
	if (s == NULL)
		return;
	draft_copy_name(s->name, sizeof(s->name), tree_value(node, 0));
	s->zone = draft_leaf_zone(d, node, ROW_SCANNER_ZONE);
	s->kind = tree_first(node, ROW_SCANNER_ICAP) != NULL ? SCANNER_ICAP : SCANNER_CLAMD;
	if (draft_leaf(&endpoint, node,
		       s->kind == SCANNER_ICAP ? ROW_SCANNER_ICAP : ROW_SCANNER_CLAMD)) {
		s->address = endpoint.prefix;
		s->port = endpoint.port;
	}
	s->method = (uint32_t)draft_leaf_number(node, ROW_SCANNER_METHOD);
	s->text_service = draft_add_leaf_text(d, node, ROW_SCANNER_SERVICE);
	s->timeout_ms = (uint32_t)draft_leaf_number(node, ROW_SCANNER_TIMEOUT);
	s->signature_age_s = (uint32_t)(draft_leaf_number(node, ROW_SCANNER_AGE) / 1000);
	s->size_limit_bytes = draft_leaf_number(node, ROW_SCANNER_SIZE_LIMIT);
}

static void lower_outbound(struct draft *d, struct snapshot_mail *m, const struct tree_node *node)
{
	m->outbound = 1;
	m->forwarded = (uint32_t)draft_leaf_number(node, ROW_OUTBOUND_FORWARDED);
	m->attachments = (uint32_t)draft_leaf_number(node, ROW_OUTBOUND_ATTACHMENTS);
	m->null_sender = tree_first(node, ROW_OUTBOUND_NULL_SENDER) != NULL;
	m->senders = draft_add_list(d, node, ROW_OUTBOUND_SENDER);
	m->labels = draft_add_list(d, node, ROW_OUTBOUND_LABEL);
}

/* Its scanner, which has to find the test file in a message of the largest size. */
static void lower_mail_scanner(struct draft *d, struct snapshot_mail *m,
			       const struct tree_node *node)
{
	const struct tree_node *leaf = tree_first(node, ROW_MAIL_SCANNER);
	struct snapshot_scanner *s;

	m->scanner =
		leaf != NULL ? draft_entry(d, ROW_SCANNER, tree_value(leaf, 0)) : SNAPSHOT_NONE;
	if (m->scanner == SNAPSHOT_NONE)
		return;
	s = draft_row(d, SECTION_SCANNERS, m->scanner);
	if (draft_leaf_number(draft_origin(d, SECTION_SCANNERS, m->scanner),
			      ROW_SCANNER_TEST_FILE) == 0)
		return;
	if (s->test_bytes < m->size_limit_bytes)
		s->test_bytes = m->size_limit_bytes < s->size_limit_bytes ? m->size_limit_bytes
									  : s->size_limit_bytes;
}

static void lower_mail_tls(struct draft *d, struct snapshot_mail *m, const struct tree_node *node)
{
	const struct tree_node *near = tree_first(node, ROW_MAIL_TLS);
	const struct tree_node *far = tree_first(node, ROW_MAIL_HOP_TLS);

	if (near != NULL) {
		draft_copy_name(m->tls_slot, sizeof(m->tls_slot),
				tree_value(tree_first(near, ROW_MAIL_TLS_CERTIFICATE), 0));
		m->tls_required = tree_first(near, ROW_MAIL_TLS_REQUIRED) != NULL;
	}
	if (far != NULL) {
		draft_copy_name(m->authority_slot, sizeof(m->authority_slot),
				tree_value(tree_first(far, ROW_MAIL_HOP_AUTHORITY), 0));
		m->text_hop_name = draft_add_leaf_text(d, far, ROW_MAIL_HOP_NAME);
	}
}

static void lower_mail(struct draft *d, const struct tree_node *node)
{
	struct snapshot_mail *m = draft_add(d, SECTION_MAILS, node);
	const struct tree_node *hop = tree_first(node, ROW_MAIL_NEXT_HOP);
	const struct tree_node *outbound = tree_first(node, ROW_MAIL_OUTBOUND);

	if (m == NULL)
		return;
	draft_copy_name(m->name, sizeof(m->name), tree_value(node, 0));
	m->from = draft_leaf_zone(d, node, ROW_MAIL_FROM);
	m->to = draft_leaf_zone(d, node, ROW_MAIL_TO);
	m->listen_port = (uint16_t)draft_leaf_number(node, ROW_MAIL_LISTEN);
	m->next_hop_port = draft_value(hop, 0).port;
	m->domains = draft_add_list(d, node, ROW_MAIL_DOMAIN);
	m->next_hops = draft_add_prefixes(d, node, ROW_MAIL_NEXT_HOP);
	m->size_limit_bytes = draft_leaf_number(node, ROW_MAIL_SIZE_LIMIT);
	m->sessions_max = (uint32_t)draft_leaf_number(node, ROW_MAIL_SESSIONS);
	m->sessions_per_source = (uint32_t)draft_leaf_number(node, ROW_MAIL_SOURCE_SESSIONS);
	m->recipients_max = (uint32_t)draft_leaf_number(node, ROW_MAIL_RECIPIENTS);
	m->language = (uint32_t)draft_leaf_number(node, ROW_MAIL_LANGUAGE);
	if (draft_leaf_number(node, ROW_MAIL_LINKS) != 0)
		m->options |= SNAPSHOT_MAIL_DEFANG;
	if (draft_leaf_number(node, ROW_MAIL_AMBIGUOUS) != 0)
		m->options |= SNAPSHOT_MAIL_REFUSE_AMBIGUOUS;
	m->connects_per_minute = (uint32_t)draft_leaf_number(node, ROW_MAIL_SOURCE_CONNECTS);
	m->mails_per_minute = (uint32_t)draft_leaf_number(node, ROW_MAIL_SOURCE_MAILS);
	m->total_connects_per_minute = (uint32_t)draft_leaf_number(node, ROW_MAIL_TOTAL_CONNECTS);
	m->total_mails_per_minute = (uint32_t)draft_leaf_number(node, ROW_MAIL_TOTAL_MAILS);
	lower_mail_tls(d, m, node);
	m->text_host_name = draft_add_leaf_text(d, node, ROW_MAIL_HOST_NAME);
	if (m->text_host_name == 0)
		m->text_host_name = d->text_host_name;
	lower_mail_scanner(d, m, node);
	if (outbound != NULL)
		lower_outbound(d, m, outbound);
}

/* What holds without a system block too: its defaults. */
static void lower_system(struct draft *d)
{
	static const struct tree_node empty;
	const struct tree_node *system = tree_first(d->tree->root, ROW_SYSTEM);
	const struct tree_node *from = system != NULL ? system : &empty;

	d->text_organization = draft_add_leaf_text(d, from, ROW_ORGANIZATION);
	d->text_host_name = draft_add_leaf_text(d, from, ROW_HOST_NAME);
	d->utc_offset_s = draft_leaf_number(from, ROW_TIME_ZONE) == 0 ? TOKYO_OFFSET : 0;
	d->connections_max = (uint32_t)draft_leaf_number(from, ROW_CONNECTIONS);
	d->watch_s = draft_leaf_seconds(from, ROW_WATCH);
	d->retention_s = draft_leaf_seconds(from, ROW_RETENTION);
	d->recovery_off = draft_leaf_number(from, ROW_RECOVERY) != 0;
	d->language = (uint32_t)draft_leaf_number(from, ROW_LANGUAGE);
	d->usb = (uint32_t)draft_leaf_number(from, ROW_USB);
}

static void lower_entry(struct draft *d, struct tree_node *node)
{
	if (node->row == ROW_CROSSING)
		lower_crossing(d, node);
	else if (node->row == ROW_MAIL)
		lower_mail(d, node);
	else if (node->row == ROW_SCREEN)
		draft_lower_screen(d, node);
	else if (node->row == ROW_SCREEN_USER)
		draft_lower_screen_user(d, node);
	else if (node->row == ROW_GROUP_LIMIT)
		draft_lower_group_limit(d, node);
}

static void lower_time_servers(struct draft *d)
{
	const struct tree_node *system = tree_first(d->tree->root, ROW_SYSTEM);
	const struct tree_node *ntp = system != NULL ? tree_first(system, ROW_NTP) : NULL;

	if (ntp == NULL)
		return;
	for (const struct tree_node *n = tree_first(ntp, ROW_NTP_SERVER); n != NULL;
	     n = tree_next(n)) {
		struct snapshot_time_server *t = draft_add(d, SECTION_TIME_SERVERS, n);

		if (t == NULL)
			return;
		t->zone = draft_leaf_zone(d, ntp, ROW_NTP_ZONE);
		t->lost_after_s = draft_leaf_seconds(ntp, ROW_NTP_LOST_AFTER);
		t->address = draft_value(n, 0).prefix;
	}
}

/* Zones, services, schedules and scanners first: the others refer to their indices. */
void draft_lower(struct draft *d)
{
	const struct tree_node *root = d->tree->root;
	const struct tree_node *system = tree_first(root, ROW_SYSTEM);
	const struct tree_node *syslog = system != NULL ? tree_first(system, ROW_SYSLOG) : NULL;

	lower_system(d);
	draft_lower_ports(d);
	draft_lower_objects(d);
	for (struct tree_node *n = tree_first(root, ROW_SCANNER); n != NULL; n = tree_next(n))
		lower_scanner(d, n);
	for (struct tree_node *n = root->first; n != NULL && !d->no_memory; n = n->next)
		lower_entry(d, n);
	if (syslog != NULL && !d->no_memory)
		draft_lower_syslog(d, syslog);
	if (!d->no_memory)
		lower_time_servers(d);
	if (!d->no_memory)
		draft_lower_login(d);
}
