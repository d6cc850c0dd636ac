/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of what crosses between zones: packets, mail, screens; and of where records are sent. */
#include "policy/draft.h"

#include <stdio.h>
#include <string.h>

#include "policy/prefix.h"
#include "policy/ranges.h"

enum { FAMILY_4 = 1, FAMILY_6 = 2, FAMILY_BOTH = 3 };

static const struct snapshot_zone *zone_at(const struct draft *d, uint32_t i)
{
	return draft_row(d, SECTION_ZONES, i);
}

static const struct snapshot_prefix *prefix_at(const struct draft *d, uint32_t i)
{
	return draft_row(d, SECTION_PREFIXES, i);
}

static bool overlaps_networks(const struct draft *d, const struct snapshot_zone *z,
			      const struct snapshot_prefix *p)
{
	struct snapshot_range own = draft_link_networks(z);

	for (uint32_t i = 0; i < own.count; i++) {
		if (prefix_overlaps(prefix_at(d, own.first + i), p))
			return true;
	}
	return false;
}

/* A route whose prefix is shorter than @bits does not count. */
static bool is_behind_route(const struct draft *d, const struct snapshot_zone *z,
			    const struct snapshot_prefix *p, uint8_t bits)
{
	for (uint32_t i = 0; i < z->routes.count; i++) {
		const struct snapshot_route *r = draft_row(d, SECTION_ROUTES, z->routes.first + i);

		if (r->destination.bits >= bits && prefix_covers(&r->destination, p))
			return true;
	}
	return false;
}

/* In a network of the zone, or behind one of its routes and in no other zone's network. */
static bool is_in_zone(const struct draft *d, uint32_t zone, const struct snapshot_prefix *p)
{
	if (draft_is_on_link(d, zone, p))
		return true;
	for (uint32_t i = 0; i < draft_count(d, SECTION_ZONES); i++) {
		if (i != zone && overlaps_networks(d, zone_at(d, i), p))
			return false;
	}
	return is_behind_route(d, zone_at(d, zone), p, 0);
}

/* Where it is only by the default route of a zone outside, and from there nothing is taken that has
 * such an address (range_map_owners). */
static bool is_bogon(const struct draft *d, uint32_t zone, const struct snapshot_prefix *p)
{
	const struct snapshot_zone *z = zone_at(d, zone);
	const struct snapshot_prefix *bogon = prefix_bogon(p);

	return z->tier == TIER_OUTSIDE && bogon != NULL && !draft_is_on_link(d, zone, p) &&
	       !is_behind_route(d, z, p, bogon->bits);
}

static bool is_gateway(const struct draft *d, uint32_t zone, const struct snapshot_prefix *p)
{
	struct snapshot_range own = zone_at(d, zone)->addresses;

	if (p->bits != (p->family == 4 ? 32 : 128))
		return false;
	for (uint32_t i = 0; i < own.count; i++) {
		if (prefix_same_address(prefix_at(d, own.first + i), p))
			return true;
	}
	return false;
}

/* A host or network that must lie in @zone and must not be the gateway itself. @name: as it is
 * written. */
static void check_member(struct draft *d, uint32_t zone, const struct snapshot_prefix *p,
			 const struct tree_node *origin, const char *name)
{
	const char *zone_name = zone_at(d, zone)->name;

	if (!is_in_zone(d, zone, p))
		draft_refuse(d, origin, PROBLEM_NOT_IN_ZONE, name, zone_name);
	else if (is_bogon(d, zone, p))
		draft_refuse(d, origin, PROBLEM_BOGON, name, zone_name);
	else if (is_gateway(d, zone, p))
		draft_refuse(d, origin, PROBLEM_OWN_ADDRESS, name, zone_name);
}

static void check_place(struct draft *d, uint32_t zone, const struct snapshot_prefix *p,
			const struct tree_node *origin)
{
	check_member(d, zone, p, origin, tree_value(origin, 0));
}

static void check_places(struct draft *d, uint32_t zone, struct snapshot_range range)
{
	for (uint32_t i = range.first; i < range.first + range.count; i++)
		check_place(d, zone, prefix_at(d, i), draft_origin(d, SECTION_PREFIXES, i));
}

/* One source or destination of a permit; the members of a group are told with the group's place of
 * use. */
static void check_permit_place(struct draft *d, uint32_t zone, const struct tree_node *node)
{
	struct value place = draft_value(node, 0);
	struct snapshot_range members;

	if (place.prefix.family != 0) {
		check_place(d, zone, &place.prefix, node);
		return;
	}
	members = d->group_ranges[draft_group_node(d, place.text)->index];
	for (uint32_t i = members.first; i < members.first + members.count; i++) {
		const char *member = tree_value(draft_origin(d, SECTION_PREFIXES, i), 0);

		check_member(d, zone, prefix_at(d, i), node, member);
	}
}

static void check_permit_places(struct draft *d, uint32_t zone, const struct tree_node *permit,
				enum schema_id row)
{
	for (const struct tree_node *n = tree_first(permit, row); n != NULL; n = tree_next(n))
		check_permit_place(d, zone, n);
}

/* A group of stations proves nothing about a sender whose hardware address nobody checks. */
static void check_station_sources(struct draft *d, uint32_t zone, const struct tree_node *permit)
{
	for (const struct tree_node *n = tree_first(permit, ROW_PERMIT_SOURCE); n != NULL;
	     n = tree_next(n)) {
		if (draft_entry_node(d, ROW_STATION_GROUP, tree_value(n, 0)) != NULL &&
		    zone_at(d, zone)->station_policy != STATION_ENFORCE)
			draft_refuse(d, n, PROBLEM_STATIONS_UNCHECKED, tree_value(n, 0),
				     zone_at(d, zone)->name);
	}
}

static unsigned families_of(const struct draft *d, struct snapshot_range range)
{
	unsigned families = 0;

	for (uint32_t i = 0; i < range.count; i++)
		families |= prefix_at(d, range.first + i)->family == 4 ? FAMILY_4 : FAMILY_6;
	return families;
}

static unsigned service_families(const struct draft *d, struct snapshot_range range)
{
	unsigned families = 0;

	for (uint32_t i = 0; i < range.count; i++) {
		const struct snapshot_service *s = draft_row(d, SECTION_SERVICES, range.first + i);

		families |= s->protocol == 1    ? FAMILY_4
			    : s->protocol == 58 ? FAMILY_6
						: FAMILY_BOTH;
	}
	return families;
}

/* A permit that no packet could ever match is a slip of its author. */
static void check_families(struct draft *d, const struct snapshot_permit *p,
			   const struct tree_node *origin)
{
	const struct snapshot_zone *from = zone_at(d, p->from);
	struct snapshot_range sources =
		p->sources.count > 0 ? p->sources : draft_link_networks(from);
	unsigned common = families_of(d, sources) & families_of(d, p->destinations) &
			  service_families(d, p->services);
	char path[TREE_PATH_BYTES];

	tree_path(path, origin);
	if (common == 0)
		draft_refuse(d, origin, PROBLEM_NO_COMMON_FAMILY, path, NULL);
}

static void check_permit(struct draft *d, uint32_t i)
{
	const struct snapshot_permit *p = draft_row(d, SECTION_PERMITS, i);
	const struct snapshot_crossing *c = draft_row(d, SECTION_CROSSINGS, p->crossing);
	const struct tree_node *origin = draft_origin(d, SECTION_PERMITS, i);
	char path[TREE_PATH_BYTES];

	if (p->from != c->low && p->from != c->high) {
		tree_path(path, origin->parent);
		draft_refuse(d, tree_first(origin, ROW_PERMIT_FROM), PROBLEM_NOT_OF_CROSSING,
			     zone_at(d, p->from)->name, path);
		return;
	}
	check_permit_places(d, p->from, origin, ROW_PERMIT_SOURCE);
	check_permit_places(d, p->to, origin, ROW_PERMIT_DESTINATION);
	check_station_sources(d, p->from, origin);
	check_families(d, p, origin);
	draft_check_overlap(d, i);
}

static void check_tiers(struct draft *d, const struct snapshot_crossing *c,
			const struct tree_node *origin)
{
	const struct snapshot_zone *inner = zone_at(d, c->low), *outer = zone_at(d, c->high);

	if (inner->tier > outer->tier) {
		inner = zone_at(d, c->high);
		outer = zone_at(d, c->low);
	}
	if (outer->tier != TIER_OUTSIDE || inner->tier == TIER_OUTSIDE)
		return;
	draft_find(d, origin, inner->tier == TIER_SENSITIVE ? RULE_Z1 : RULE_Z3, inner->name,
		   outer->name);
}

/* A transparent zone has one other side. */
static void check_alone(struct draft *d, uint32_t i)
{
	const struct snapshot_crossing *c = draft_row(d, SECTION_CROSSINGS, i);

	for (uint32_t k = 0; k < draft_count(d, SECTION_CROSSINGS); k++) {
		const struct snapshot_crossing *other = draft_row(d, SECTION_CROSSINGS, k);
		bool low = other->low == c->low || other->high == c->low;
		bool high = other->low == c->high || other->high == c->high;

		if (k != i && (low || high))
			draft_refuse(d, draft_origin(d, SECTION_CROSSINGS, i),
				     PROBLEM_TRANSPARENT_ALONE,
				     zone_at(d, low ? c->low : c->high)->name, NULL);
	}
}

/* The gateway has no address in a transparent zone to listen on or to speak from. */
static void check_reachable(struct draft *d, uint32_t zone, const struct tree_node *origin)
{
	char path[TREE_PATH_BYTES];

	tree_path(path, origin);
	if (zone_at(d, zone)->peer != SNAPSHOT_NONE)
		draft_refuse(d, origin, PROBLEM_TRANSPARENT_PATH, path, zone_at(d, zone)->name);
}

/* Return: whether its permits can be looked at. */
static bool check_crossing(struct draft *d, uint32_t i)
{
	const struct snapshot_crossing *c = draft_row(d, SECTION_CROSSINGS, i);
	const struct tree_node *origin = draft_origin(d, SECTION_CROSSINGS, i);

	if (c->low == c->high) {
		draft_refuse(d, origin, PROBLEM_SAME_ZONE, "crossing", zone_at(d, c->low)->name);
		return false;
	}
	for (uint32_t k = 0; k < i; k++) {
		const struct snapshot_crossing *other = draft_row(d, SECTION_CROSSINGS, k);

		if (other->low == c->low && other->high == c->high)
			draft_refuse(d, origin, PROBLEM_CROSSING_TWICE, zone_at(d, c->low)->name,
				     zone_at(d, c->high)->name);
	}
	if ((c->flags & CROSSING_TRANSPARENT) != 0)
		check_alone(d, i);
	check_tiers(d, c, origin);
	for (uint32_t k = 0; k < c->permits.count; k++)
		check_permit(d, c->permits.first + k);
	return true;
}

struct listener {
	uint32_t zone;
	uint16_t port;
	const struct tree_node *origin;
};

static struct listener mail_listener(const struct draft *d, uint32_t i)
{
	const struct snapshot_mail *m = draft_row(d, SECTION_MAILS, i);

	return (struct listener){m->from, m->listen_port, draft_origin(d, SECTION_MAILS, i)};
}

static struct listener screen_listener(const struct draft *d, uint32_t i)
{
	const struct snapshot_screen *s = draft_row(d, SECTION_SCREENS, i);

	return (struct listener){s->from, s->listen_port, draft_origin(d, SECTION_SCREENS, i)};
}

/* Without one, a port that nobody else can have either. */
static struct listener browser_listener(const struct draft *d, uint32_t i)
{
	const struct snapshot_screen *s = draft_row(d, SECTION_SCREENS, i);
	uint32_t zone = s->browser_port != 0 ? s->from : SNAPSHOT_NONE;

	return (struct listener){zone, s->browser_port, draft_origin(d, SECTION_SCREENS, i)};
}

static uint32_t count_listeners(const struct draft *d)
{
	return draft_count(d, SECTION_MAILS) + 2 * draft_count(d, SECTION_SCREENS);
}

/* Listeners in one row: mail entries first, then screens, then screens in browsers. */
static struct listener listener_at(const struct draft *d, uint32_t i)
{
	uint32_t mails = draft_count(d, SECTION_MAILS);
	uint32_t screens = draft_count(d, SECTION_SCREENS);

	if (i < mails)
		return mail_listener(d, i);
	return i < mails + screens ? screen_listener(d, i - mails)
				   : browser_listener(d, i - mails - screens);
}

static void check_listener(struct draft *d, uint32_t i)
{
	struct listener own = listener_at(d, i);
	char path[TREE_PATH_BYTES], port[8];

	snprintf(port, sizeof(port), "%u", own.port);
	for (uint32_t k = 0; k < i; k++) {
		struct listener other = listener_at(d, k);

		if (own.zone == SNAPSHOT_NONE || other.zone != own.zone || other.port != own.port)
			continue;
		tree_path(path, other.origin);
		draft_refuse(d, own.origin, PROBLEM_SAME_LISTENER, port, path);
		return;
	}
}

static bool check_ends(struct draft *d, uint32_t from, uint32_t to, const struct tree_node *origin)
{
	char path[TREE_PATH_BYTES];

	if (from != to)
		return true;
	tree_path(path, origin);
	draft_refuse(d, origin, PROBLEM_SAME_ZONE, path, zone_at(d, from)->name);
	return false;
}

static void check_scanner(struct draft *d, uint32_t i)
{
	const struct snapshot_scanner *s = draft_row(d, SECTION_SCANNERS, i);
	const struct tree_node *origin = draft_origin(d, SECTION_SCANNERS, i);
	const struct tree_node *clamd = tree_first(origin, ROW_SCANNER_CLAMD);
	const struct tree_node *icap = tree_first(origin, ROW_SCANNER_ICAP);
	const struct tree_node *service = tree_first(origin, ROW_SCANNER_SERVICE);
	const char *path = service != NULL ? tree_value(service, 0) : "";

	if ((clamd == NULL) == (icap == NULL)) {
		draft_refuse(d, origin, PROBLEM_SCANNER_KIND, s->name, NULL);
		return;
	}
	check_place(d, s->zone, &s->address, icap != NULL ? icap : clamd);
	if (path[strspn(path,
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/")] !=
	    '\0')
		draft_refuse(d, service, PROBLEM_SCANNER_SERVICE, path, NULL);
}

/* What the blocks of scanning and leaving mean together. */
static void check_mail_rules(struct draft *d, const struct snapshot_mail *m,
			     const struct tree_node *origin)
{
	const struct snapshot_scanner *s =
		m->scanner != SNAPSHOT_NONE ? draft_row(d, SECTION_SCANNERS, m->scanner) : NULL;
	char path[TREE_PATH_BYTES];

	tree_path(path, origin);
	if (!m->outbound && m->domains.count == 0)
		problems_add(d->problems, origin->at, PROBLEM_INCOMPLETE, ROW_MAIL_DOMAIN, 0, path,
			     schema_row(ROW_MAIL_DOMAIN)->name);
	if (!m->outbound && zone_at(d, m->from)->tier == TIER_BUSINESS &&
	    zone_at(d, m->to)->tier == TIER_OUTSIDE)
		draft_find(d, origin, RULE_MAIL_OUTBOUND, path, zone_at(d, m->to)->name);
	if (s != NULL && s->size_limit_bytes < m->size_limit_bytes)
		draft_refuse(d, origin, PROBLEM_SCANNER_SMALL, path, s->name);
}

/* What may leave is scanned, and searched for labels as far as there are any. */
static void check_passing(struct draft *d, const struct snapshot_mail *m,
			  const struct tree_node *origin)
{
	const struct tree_node *outbound = tree_first(origin, ROW_MAIL_OUTBOUND);
	char path[TREE_PATH_BYTES];

	tree_path(path, origin);
	if (m->attachments >= ATTACHMENTS_PASS_TEXT && m->scanner == SNAPSHOT_NONE)
		draft_refuse(d, outbound, PROBLEM_PASS_UNSCANNED, path, NULL);
	if (m->attachments == ATTACHMENTS_PASS_FILES && m->labels.count > 0)
		draft_refuse(d, outbound, PROBLEM_PASS_LABELLED, path, NULL);
}

static void check_mail(struct draft *d, uint32_t i)
{
	const struct snapshot_mail *m = draft_row(d, SECTION_MAILS, i);
	const struct tree_node *origin = draft_origin(d, SECTION_MAILS, i);
	const struct tree_node *hop = tree_first(origin, ROW_MAIL_NEXT_HOP);
	struct value v;

	if (!check_ends(d, m->from, m->to, origin))
		return;
	check_reachable(d, m->from, origin);
	check_reachable(d, m->to, origin);
	if (zone_at(d, m->from)->tier == TIER_SENSITIVE)
		draft_refuse(d, origin, PROBLEM_MAIL_DIRECTION, zone_at(d, m->from)->name, NULL);
	check_mail_rules(d, m, origin);
	check_passing(d, m, origin);
	check_places(d, m->to, m->next_hops);
	for (; hop != NULL; hop = tree_next(hop)) {
		if (value_parse(&v, &schema_row(hop->row)->args[0], span_of(tree_value(hop, 0))) ==
			    0 &&
		    v.port != m->next_hop_port)
			draft_refuse(d, hop, PROBLEM_NEXT_HOP_PORTS, tree_value(hop, 0), NULL);
	}
}

static void check_screen(struct draft *d, uint32_t i)
{
	const struct snapshot_screen *s = draft_row(d, SECTION_SCREENS, i);
	const struct tree_node *origin = draft_origin(d, SECTION_SCREENS, i);

	if (!check_ends(d, s->from, s->to, origin))
		return;
	check_reachable(d, s->from, origin);
	check_reachable(d, s->to, origin);
	if (zone_at(d, s->from)->tier == TIER_OUTSIDE)
		draft_refuse(d, origin, PROBLEM_SCREEN_DIRECTION, zone_at(d, s->from)->name, NULL);
	for (uint32_t k = s->desktops.first; k < s->desktops.first + s->desktops.count; k++) {
		const struct snapshot_desktop *desktop = draft_row(d, SECTION_DESKTOPS, k);

		check_place(d, s->to, &desktop->address, draft_origin(d, SECTION_DESKTOPS, k));
	}
	draft_check_screen_pair(d, i);
	draft_check_screen_security(d, i);
}

static void check_time_servers(struct draft *d)
{
	const struct snapshot_time_server *t;
	const struct tree_node *origin;

	if (draft_count(d, SECTION_TIME_SERVERS) == 0)
		return;
	t = draft_row(d, SECTION_TIME_SERVERS, 0); /* all stand in one zone */
	origin = draft_origin(d, SECTION_TIME_SERVERS, 0);
	check_reachable(d, t->zone, origin);
	if (zone_at(d, t->zone)->tier == TIER_OUTSIDE)
		draft_find(d, origin, RULE_TIME_OUTSIDE, zone_at(d, t->zone)->name, NULL);
	for (uint32_t i = 0; i < draft_count(d, SECTION_TIME_SERVERS); i++) {
		t = draft_row(d, SECTION_TIME_SERVERS, i);
		check_place(d, t->zone, &t->address, draft_origin(d, SECTION_TIME_SERVERS, i));
	}
}

void draft_check_paths(struct draft *d)
{
	for (uint32_t i = 0; i < draft_count(d, SECTION_CROSSINGS); i++) {
		if (!check_crossing(d, i))
			return;
	}
	for (uint32_t i = 0; i < draft_count(d, SECTION_SCANNERS); i++)
		check_scanner(d, i);
	for (uint32_t i = 0; i < draft_count(d, SECTION_MAILS); i++)
		check_mail(d, i);
	for (uint32_t i = 0; i < draft_count(d, SECTION_SCREENS); i++)
		check_screen(d, i);
	for (uint32_t i = 0; i < draft_count(d, SECTION_SCREEN_USERS); i++)
		draft_check_screen_user(d, i);
	for (uint32_t i = 0; i < draft_count(d, SECTION_GROUP_LIMITS); i++)
		draft_check_group_limit(d, i);
	for (uint32_t i = 0; i < count_listeners(d); i++)
		check_listener(d, i);
	for (uint32_t i = 0; i < draft_count(d, SECTION_SYSLOGS); i++) {
		const struct snapshot_syslog *l = draft_row(d, SECTION_SYSLOGS, i);

		check_reachable(d, l->zone, draft_origin(d, SECTION_SYSLOGS, i));
		check_place(d, l->zone, &l->server, draft_origin(d, SECTION_SYSLOGS, i));
		draft_check_syslog_security(d, i);
	}
	check_time_servers(d);
}
