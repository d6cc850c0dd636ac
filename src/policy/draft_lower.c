/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lowering: the checked tree's statements become rows of the snapshot's tables. */
#include "policy/draft.h"

#include <stdlib.h>
#include <string.h>

#define DAY_SECONDS  86400
#define DAY_MINUTES  1440U
#define TOKYO_OFFSET (9 * 3600) /* Japan has no summer time */

/* The statement's value, or its default; false where there is neither. */
static bool leaf_value(struct value *out, const struct tree_node *parent, enum schema_id row)
{
	const struct tree_node *node = tree_first(parent, row);
	const char *text = node != NULL ? tree_value(node, 0) : schema_row(row)->fallback;

	/* What the tree holds, and what the schema gives as default, parses: a unit test goes
	 * through all defaults. */
	return text != NULL && value_parse(out, &schema_row(row)->args[0], span_of(text)) == 0;
}

static uint64_t leaf_number(const struct tree_node *parent, enum schema_id row)
{
	struct value v;

	return leaf_value(&v, parent, row) ? v.number : 0;
}

static struct value node_value(const struct tree_node *node, unsigned arg)
{
	struct value v;

	(void)value_parse(&v, &schema_row(node->row)->args[arg],
			  span_of(tree_value(node, arg))); /* canonical text parses */
	return v;
}

/* The index of the entry that a leaf, or argument @arg of a node, names. */
static uint32_t entry_index(const struct draft *d, enum schema_id row, const char *name)
{
	struct tree_values key = {1, (uint32_t)strlen(name) + 1, name};
	const struct tree_node *entry = tree_find(d->tree, d->tree->root, row, &key);

	return entry != NULL ? entry->index : SNAPSHOT_NONE;
}

static uint32_t leaf_zone(const struct draft *d, const struct tree_node *parent, enum schema_id row)
{
	const struct tree_node *node = tree_first(parent, row);

	return node != NULL ? entry_index(d, ROW_ZONE, tree_value(node, 0)) : SNAPSHOT_NONE;
}

/* Names fit their fields: their form says so. */
static void copy_name(char *field, size_t field_bytes, const char *name)
{
	memcpy(field, name, strnlen(name, field_bytes - 1)); /* the row was zeroed */
}

/* Offset 0 is the empty text. */
static uint32_t add_text(struct draft *d, const char *text)
{
	size_t at = d->text.size;

	if (text == NULL || text[0] == '\0')
		return 0;
	if (bytes_append(&d->text, text, strlen(text) + 1) != 0)
		d->no_memory = true;
	return d->no_memory ? 0 : (uint32_t)at;
}

static uint32_t add_leaf_text(struct draft *d, const struct tree_node *parent, enum schema_id row)
{
	struct value v;

	return leaf_value(&v, parent, row) ? add_text(d, v.text) : 0;
}

/* One prefix row for each statement @row below @parent. */
static struct snapshot_range add_prefixes(struct draft *d, const struct tree_node *parent,
					  enum schema_id row)
{
	struct snapshot_range range = {draft_count(d, SECTION_PREFIXES), 0};

	for (const struct tree_node *n = tree_first(parent, row); n != NULL; n = tree_next(n)) {
		struct snapshot_prefix *p = draft_add(d, SECTION_PREFIXES, n);

		if (p == NULL)
			break;
		*p = node_value(n, 0).prefix;
		range.count++;
	}
	return range;
}

static struct snapshot_range add_routes(struct draft *d, const struct tree_node *zone)
{
	struct snapshot_range range = {draft_count(d, SECTION_ROUTES), 0};

	for (const struct tree_node *n = tree_first(zone, ROW_ZONE_ROUTE); n != NULL;
	     n = tree_next(n)) {
		struct snapshot_route *r = draft_add(d, SECTION_ROUTES, n);

		if (r == NULL)
			break;
		r->destination = node_value(n, 0).prefix;
		r->via = node_value(n, 1).prefix;
		range.count++;
	}
	return range;
}

static struct snapshot_range add_stations(struct draft *d, const struct tree_node *zone)
{
	struct snapshot_range range = {draft_count(d, SECTION_STATIONS), 0};

	for (const struct tree_node *n = tree_first(zone, ROW_ZONE_STATION); n != NULL;
	     n = tree_next(n)) {
		struct snapshot_range addresses = add_prefixes(d, n, ROW_STATION_ADDRESS);
		struct snapshot_station *s = draft_add(d, SECTION_STATIONS, n);
		struct value mac = node_value(n, 0);

		if (s == NULL)
			break;
		memcpy(s->mac, mac.mac, sizeof(s->mac));
		s->addresses = addresses;
		range.count++;
	}
	return range;
}

/* Sensitive and business stations learn at once that they are refused; the outside learns nothing.
 */
static uint32_t denied_answer(const struct tree_node *zone, uint32_t tier)
{
	struct value v;

	return leaf_value(&v, zone, ROW_ZONE_DENIED) ? (uint32_t)v.number : tier != TIER_OUTSIDE;
}

static void lower_zone(struct draft *d, struct tree_node *node)
{
	struct snapshot_zone *z;
	struct value port;

	node->index = draft_count(d, SECTION_ZONES);
	z = draft_add(d, SECTION_ZONES, node);
	if (z == NULL)
		return;
	copy_name(z->name, sizeof(z->name), tree_value(node, 0));
	if (leaf_value(&port, node, ROW_ZONE_PORT))
		copy_name(z->port, sizeof(z->port), port.text);
	z->tier = (uint32_t)leaf_number(node, ROW_ZONE_TIER) + TIER_SENSITIVE;
	z->hold_ms = (uint32_t)leaf_number(node, ROW_ZONE_HOLD);
	z->reject = denied_answer(node, z->tier);
	z->addresses = add_prefixes(d, node, ROW_ZONE_ADDRESS);
	z->routes = add_routes(d, node);
	z->stations = add_stations(d, node);
	z->text_description = add_leaf_text(d, node, ROW_ZONE_DESCRIPTION);
}

/* The service row of one tcp, udp, icmp, icmp6 or protocol statement. */
static void fill_service(struct snapshot_service *s, const struct tree_node *node)
{
	static const struct {
		enum schema_id row;
		uint8_t protocol;
	} named[] = {{ROW_SERVICE_TCP, 6},
		     {ROW_SERVICE_UDP, 17},
		     {ROW_SERVICE_ICMP, 1},
		     {ROW_SERVICE_ICMP6, 58}};
	struct value v = node_value(node, 0);

	*s = (struct snapshot_service){.protocol = (uint8_t)v.number, .high = UINT16_MAX};
	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
		if (named[i].row != node->row)
			continue;
		s->protocol = named[i].protocol;
		s->low = (uint16_t)v.number;
		s->high = (uint16_t)(v.high != 0 ? v.high : v.number);
		s->icmp_type_any = v.any;
	}
}

static struct snapshot_range add_services(struct draft *d, const struct tree_node *service)
{
	struct snapshot_range range = {draft_count(d, SECTION_SERVICES), 0};

	for (const struct tree_node *n = service->first; n != NULL; n = n->next) {
		struct snapshot_service *s = draft_add(d, SECTION_SERVICES, n);

		if (s == NULL)
			break;
		fill_service(s, n);
		range.count++;
	}
	return range;
}

static void lower_services(struct draft *d)
{
	uint32_t count = 0;

	for (struct tree_node *n = tree_first(d->tree->root, ROW_SERVICE); n != NULL;
	     n = tree_next(n))
		n->index = count++;
	d->service_ranges = calloc(count + 1U, sizeof(*d->service_ranges));
	if (d->service_ranges == NULL) {
		d->no_memory = true;
		return;
	}
	for (const struct tree_node *n = tree_first(d->tree->root, ROW_SERVICE); n != NULL;
	     n = tree_next(n))
		d->service_ranges[n->index] = add_services(d, n);
}

static void set_minutes(struct snapshot_schedule *s, const struct tree_node *window)
{
	struct value days = node_value(window, 0), times = node_value(window, 1);

	for (uint64_t day = days.number; day <= days.high; day++) {
		for (uint64_t minute = times.number; minute < times.high; minute++) {
			uint64_t bit = day * DAY_MINUTES + minute;

			s->minutes[bit / 8] |= (uint8_t)(1U << (bit % 8));
		}
	}
}

static void lower_schedule(struct draft *d, struct tree_node *node)
{
	struct snapshot_schedule *s;

	node->index = draft_count(d, SECTION_SCHEDULES);
	s = draft_add(d, SECTION_SCHEDULES, node);
	if (s == NULL)
		return;
	copy_name(s->name, sizeof(s->name), tree_value(node, 0));
	s->utc_offset_s = d->utc_offset_s;
	for (const struct tree_node *n = tree_first(node, ROW_SCHEDULE_WINDOW); n != NULL;
	     n = tree_next(n))
		set_minutes(s, n);
}

/* The services of all that a permit names: shared where it is one, copied side by side where they
 * are more. */
static struct snapshot_range permit_services(struct draft *d, const struct tree_node *permit)
{
	const struct tree_node *n = tree_first(permit, ROW_PERMIT_SERVICE);
	struct snapshot_range range = {draft_count(d, SECTION_SERVICES), 0};

	if (n != NULL && tree_next(n) == NULL)
		return d->service_ranges[entry_index(d, ROW_SERVICE, tree_value(n, 0))];
	for (; n != NULL && !d->no_memory; n = tree_next(n)) {
		struct snapshot_range one =
			d->service_ranges[entry_index(d, ROW_SERVICE, tree_value(n, 0))];

		for (uint32_t i = 0; i < one.count; i++) {
			const struct tree_node *origin =
				draft_origin(d, SECTION_SERVICES, one.first + i);
			struct snapshot_service *s = draft_add(d, SECTION_SERVICES, origin);

			if (s == NULL)
				break;
			fill_service(s, origin);
			range.count++;
		}
	}
	return range;
}

/* The first second at which the permit holds no more: the day is its last, in local time. */
static int64_t permit_expiry(const struct draft *d, const struct tree_node *permit)
{
	struct value date;

	if (!leaf_value(&date, permit, ROW_PERMIT_EXPIRES))
		return INT64_MAX;
	return ((int64_t)date.number + 1) * DAY_SECONDS - d->utc_offset_s;
}

static void lower_permit(struct draft *d, const struct tree_node *node, uint32_t crossing,
			 uint32_t first, uint32_t second)
{
	const struct tree_node *from = tree_first(node, ROW_PERMIT_FROM);
	const struct tree_node *schedule = tree_first(node, ROW_PERMIT_SCHEDULE);
	struct snapshot_permit p = {.crossing = crossing, .from = first, .schedule = SNAPSHOT_NONE};
	struct snapshot_permit *row;

	p.number = (uint32_t)node_value(node, 0).number;
	if (from != NULL)
		p.from = entry_index(d, ROW_ZONE, tree_value(from, 0));
	p.to = p.from == first ? second : first;
	p.sources = add_prefixes(d, node, ROW_PERMIT_SOURCE);
	p.destinations = add_prefixes(d, node, ROW_PERMIT_DESTINATION);
	p.services = permit_services(d, node);
	p.flags = tree_first(node, ROW_PERMIT_LOG) != NULL ? PERMIT_LOG : 0;
	if (schedule != NULL)
		p.schedule = entry_index(d, ROW_SCHEDULE, tree_value(schedule, 0));
	p.expires_s = permit_expiry(d, node);
	p.text_comment = add_leaf_text(d, node, ROW_PERMIT_COMMENT);
	row = draft_add(d, SECTION_PERMITS, node);
	if (row != NULL)
		*row = p;
}

static void lower_crossing(struct draft *d, struct tree_node *node)
{
	uint32_t first = entry_index(d, ROW_ZONE, tree_value(node, 0));
	uint32_t second = entry_index(d, ROW_ZONE, tree_value(node, 1));
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
}

/* The texts of all statements @row below @parent. */
static struct snapshot_range add_list(struct draft *d, const struct tree_node *parent,
				      enum schema_id row)
{
	struct snapshot_range range = {draft_count(d, SECTION_LIST_TEXTS), 0};

	for (const struct tree_node *n = tree_first(parent, row); n != NULL; n = tree_next(n)) {
		struct snapshot_text *t = draft_add(d, SECTION_LIST_TEXTS, n);

		if (t == NULL)
			break;
		t->at = add_text(d, tree_value(n, 0));
		range.count++;
	}
	return range;
}

static void lower_scanner(struct draft *d, struct tree_node *node)
{
	struct snapshot_scanner *s;
	struct value endpoint = {0};

	node->index = draft_count(d, SECTION_SCANNERS);
	s = draft_add(d, SECTION_SCANNERS, node);
	if (s == NULL)
		return;
	copy_name(s->name, sizeof(s->name), tree_value(node, 0));
	s->zone = leaf_zone(d, node, ROW_SCANNER_ZONE);
	s->kind = tree_first(node, ROW_SCANNER_ICAP) != NULL ? SCANNER_ICAP : SCANNER_CLAMD;
	if (leaf_value(&endpoint, node,
		       s->kind == SCANNER_ICAP ? ROW_SCANNER_ICAP : ROW_SCANNER_CLAMD)) {
		s->address = endpoint.prefix;
		s->port = endpoint.port;
	}
	s->method = (uint32_t)leaf_number(node, ROW_SCANNER_METHOD);
	s->text_service = add_leaf_text(d, node, ROW_SCANNER_SERVICE);
	s->timeout_ms = (uint32_t)leaf_number(node, ROW_SCANNER_TIMEOUT);
	s->signature_age_s = (uint32_t)(leaf_number(node, ROW_SCANNER_AGE) / 1000);
	s->size_limit_bytes = leaf_number(node, ROW_SCANNER_SIZE_LIMIT);
}

static void lower_outbound(struct draft *d, struct snapshot_mail *m, const struct tree_node *node)
{
	m->outbound = 1;
	m->forwarded = (uint32_t)leaf_number(node, ROW_OUTBOUND_FORWARDED);
	m->attachments = (uint32_t)leaf_number(node, ROW_OUTBOUND_ATTACHMENTS);
	m->null_sender = tree_first(node, ROW_OUTBOUND_NULL_SENDER) != NULL;
	m->senders = add_list(d, node, ROW_OUTBOUND_SENDER);
	m->labels = add_list(d, node, ROW_OUTBOUND_LABEL);
}

static void lower_mail(struct draft *d, const struct tree_node *node)
{
	struct snapshot_mail *m = draft_add(d, SECTION_MAILS, node);
	const struct tree_node *hop = tree_first(node, ROW_MAIL_NEXT_HOP);
	const struct tree_node *scanner = tree_first(node, ROW_MAIL_SCANNER);
	const struct tree_node *outbound = tree_first(node, ROW_MAIL_OUTBOUND);

	if (m == NULL)
		return;
	copy_name(m->name, sizeof(m->name), tree_value(node, 0));
	m->from = leaf_zone(d, node, ROW_MAIL_FROM);
	m->to = leaf_zone(d, node, ROW_MAIL_TO);
	m->listen_port = (uint16_t)leaf_number(node, ROW_MAIL_LISTEN);
	m->next_hop_port = node_value(hop, 0).port;
	m->domains = add_list(d, node, ROW_MAIL_DOMAIN);
	m->next_hops = add_prefixes(d, node, ROW_MAIL_NEXT_HOP);
	m->size_limit_bytes = leaf_number(node, ROW_MAIL_SIZE_LIMIT);
	m->sessions_max = (uint32_t)leaf_number(node, ROW_MAIL_SESSIONS);
	m->sessions_per_source = (uint32_t)leaf_number(node, ROW_MAIL_SOURCE_SESSIONS);
	m->recipients_max = (uint32_t)leaf_number(node, ROW_MAIL_RECIPIENTS);
	m->language = (uint32_t)leaf_number(node, ROW_MAIL_LANGUAGE);
	if (leaf_number(node, ROW_MAIL_LINKS) != 0)
		m->options |= SNAPSHOT_MAIL_DEFANG;
	if (leaf_number(node, ROW_MAIL_AMBIGUOUS) != 0)
		m->options |= SNAPSHOT_MAIL_REFUSE_AMBIGUOUS;
	m->text_host_name = add_leaf_text(d, node, ROW_MAIL_HOST_NAME);
	if (m->text_host_name == 0)
		m->text_host_name = d->text_host_name;
	m->scanner = scanner != NULL ? entry_index(d, ROW_SCANNER, tree_value(scanner, 0))
				     : SNAPSHOT_NONE;
	if (outbound != NULL)
		lower_outbound(d, m, outbound);
}

static void lower_screen(struct draft *d, const struct tree_node *node)
{
	struct snapshot_screen *s = draft_add(d, SECTION_SCREENS, node);
	struct value desktop;

	if (s == NULL)
		return;
	copy_name(s->name, sizeof(s->name), tree_value(node, 0));
	s->from = leaf_zone(d, node, ROW_SCREEN_FROM);
	s->to = leaf_zone(d, node, ROW_SCREEN_TO);
	s->listen_port = (uint16_t)leaf_number(node, ROW_SCREEN_LISTEN);
	if (leaf_value(&desktop, node, ROW_SCREEN_DESKTOP)) {
		s->desktop = desktop.prefix;
		s->desktop_port = desktop.port;
	}
	s->security = (uint32_t)leaf_number(node, ROW_SCREEN_SECURITY);
	s->sessions_max = (uint32_t)leaf_number(node, ROW_SCREEN_SESSIONS);
	s->idle_timeout_s = (uint32_t)((leaf_number(node, ROW_SCREEN_IDLE_TIMEOUT) + 999) / 1000);
	s->session_limit_s = (uint32_t)((leaf_number(node, ROW_SCREEN_SESSION_LIMIT) + 999) / 1000);
	s->frame_rate_max = (uint32_t)leaf_number(node, ROW_SCREEN_FRAME_RATE);
}

static void lower_syslog(struct draft *d, const struct tree_node *syslog)
{
	for (const struct tree_node *n = tree_first(syslog, ROW_SYSLOG_SERVER); n != NULL;
	     n = tree_next(n)) {
		struct snapshot_syslog *l = draft_add(d, SECTION_SYSLOGS, n);

		if (l == NULL)
			return;
		l->zone = leaf_zone(d, syslog, ROW_SYSLOG_ZONE);
		l->transport = (uint32_t)leaf_number(n, ROW_SYSLOG_TRANSPORT);
		l->server = node_value(n, 0).prefix;
		l->port = (uint16_t)leaf_number(n, ROW_SYSLOG_PORT);
	}
}

/* What holds without a system block too: its defaults. */
static void lower_system(struct draft *d)
{
	static const struct tree_node empty;
	const struct tree_node *system = tree_first(d->tree->root, ROW_SYSTEM);
	const struct tree_node *from = system != NULL ? system : &empty;

	d->text_organization = add_leaf_text(d, from, ROW_ORGANIZATION);
	d->text_host_name = add_leaf_text(d, from, ROW_HOST_NAME);
	d->utc_offset_s = leaf_number(from, ROW_TIME_ZONE) == 0 ? TOKYO_OFFSET : 0;
}

static void lower_entry(struct draft *d, struct tree_node *node)
{
	if (node->row == ROW_CROSSING)
		lower_crossing(d, node);
	else if (node->row == ROW_MAIL)
		lower_mail(d, node);
	else if (node->row == ROW_SCREEN)
		lower_screen(d, node);
}

/* Zones, services, schedules and scanners first: the others refer to their indices. */
void draft_lower(struct draft *d)
{
	const struct tree_node *root = d->tree->root;
	const struct tree_node *system = tree_first(root, ROW_SYSTEM);
	const struct tree_node *syslog = system != NULL ? tree_first(system, ROW_SYSLOG) : NULL;

	lower_system(d);
	for (struct tree_node *n = tree_first(root, ROW_ZONE); n != NULL; n = tree_next(n))
		lower_zone(d, n);
	lower_services(d);
	for (struct tree_node *n = tree_first(root, ROW_SCHEDULE); n != NULL; n = tree_next(n))
		lower_schedule(d, n);
	for (struct tree_node *n = tree_first(root, ROW_SCANNER); n != NULL; n = tree_next(n))
		lower_scanner(d, n);
	for (struct tree_node *n = root->first; n != NULL && !d->no_memory; n = n->next)
		lower_entry(d, n);
	if (syslog != NULL && !d->no_memory)
		lower_syslog(d, syslog);
}
