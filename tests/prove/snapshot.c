/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The loader of compiled policies, for blocks that anybody may have written.
 *
 * prove_layout: for every header, whatever its counts: sections that are accepted follow each other
 * inside the block, aligned, without a gap that could hide something. No bound.
 * The others: for tables of ROWS rows with any content, checking a row looks at nothing outside the
 * tables, and a row that is accepted names only rows that exist. Rows look at each other by index
 * only, so more of them show nothing new.
 */
#include "prove.h"

#include "policy/snapshot.h"

/* The same code at any value. */
#undef SNAPSHOT_NEXT_HOPS_MAX
#define SNAPSHOT_NEXT_HOPS_MAX 2

#include "policy/prefix.c"
#include "policy/snapshot.c"

#define ROWS       2
#define TEXT_BYTES 4
#define NAME_BYTES 16

void prove_layout(void)
{
	struct snapshot_header h;
	uint64_t size = 0, free_from = sizeof(h);

	__CPROVER_havoc_object(&h);
	if (!layout_is_sound(&h, &size))
		return;
	REACHED(1);
	for (unsigned i = 0; i < SECTION_COUNT_; i++) {
		uint64_t rows = h.sections[i].count;

		assert(h.sections[i].offset >= free_from && h.sections[i].offset - free_from < 8);
		assert(h.sections[i].offset % 8 == 0 && rows <= section_forms[i].rows_max);
		free_from = h.sections[i].offset + rows * section_forms[i].row_bytes;
	}
	assert(free_from <= size && size - free_from < 8 && size <= SNAPSHOT_BYTES_MAX);
}

void prove_range(void)
{
	struct snapshot_range r = {nondet_u32(), nondet_u32()};
	uint32_t rows = nondet_u32();

	assert(range_is_sound(r, rows) == ((uint64_t)r.first + r.count <= rows));
	REACHED(1);
}

/* Names are proved by themselves; here it counts that what is read as one can be. */
bool some_name(const char *name, size_t field_bytes, bool device)
{
	(void)device;
	assert(__CPROVER_r_ok(name, field_bytes));
	return nondet_bool();
}

/* Exactly ROWS rows of each: the row behind the last is outside. */
static struct {
	struct snapshot_zone zones[ROWS];
	struct snapshot_prefix prefixes[ROWS];
	struct snapshot_crossing crossings[ROWS];
	struct snapshot_permit permits[ROWS];
	char text[TEXT_BYTES];
} tables;

static struct snapshot any_tables(void)
{
	struct snapshot s = {.zones = tables.zones,
			     .prefixes = tables.prefixes,
			     .crossings = tables.crossings,
			     .permits = tables.permits,
			     .text = tables.text,
			     .zone_count = ROWS,
			     .prefix_count = ROWS,
			     .crossing_count = ROWS,
			     .permit_count = ROWS,
			     .text_bytes = TEXT_BYTES};

	__CPROVER_havoc_object(&tables);
	/* Of these, rows are only counted; each is looked at by itself. */
	s.route_count = nondet_u32();
	s.station_count = nondet_u32();
	s.service_count = nondet_u32();
	s.schedule_count = nondet_u32();
	s.list_text_count = nondet_u32();
	s.conform_count = nondet_u32();
	s.device_count = nondet_u32();
	s.scanner_count = nondet_u32();
	s.desktop_count = nondet_u32();
	suppose(texts_are_sound(&s));
	return s;
}

void prove_name(void)
{
	char name[NAME_BYTES];
	bool device = nondet_bool(), rest = false, good = true;

	__CPROVER_havoc_object(name);
	for (size_t i = 0; i < NAME_BYTES; i++) {
		char c = name[i];
		bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
		bool more = (c >= 'A' && c <= 'Z') || c == '.' || c == '_';

		rest = rest || c == '\0';
		good = good && (rest ? c == '\0' : word || (device && more));
	}
	good = good && rest && name[0] != '\0' && name[0] != '-' && name[0] != '.';
	assert(name_is_sound(name, NAME_BYTES, device) == good);
	if (good)
		REACHED(1);
}

static bool inside(struct snapshot_range r, uint32_t rows)
{
	return (uint64_t)r.first + r.count <= rows;
}

#define ROW(s, i, count) suppose((i) < (s).count)

void prove_zone(void)
{
	struct snapshot s = any_tables();
	uint32_t i = nondet_u32();

	ROW(s, i, zone_count);
	if (!zone_is_sound(&s, i))
		return;
	const struct snapshot_zone *z = &s.zones[i];

	REACHED(1);
	assert(inside(z->addresses, s.prefix_count) && inside(z->routes, s.route_count));
	assert(inside(z->stations, s.station_count) && inside(z->networks, s.prefix_count));
	assert(z->text_description < s.text_bytes);
	assert(z->peer == SNAPSHOT_NONE || (z->peer < s.zone_count && s.zones[z->peer].peer == i));
	assert(z->vlan < 4095 &&
	       (z->vlan != 0 || z->parent[nondet_u8() % sizeof(z->parent)] == '\0'));
	assert(z->tier >= 1 && z->tier <= 3 && z->reject <= 1);
}

/* A crossing behind one that was accepted, as rows_are_sound goes through them. */
void prove_crossing(void)
{
	struct snapshot s = any_tables();
	uint32_t i = nondet_u32();

	ROW(s, i, crossing_count);
	suppose(i == 0 || (s.crossings[i - 1].permits.first <= s.permit_count &&
			   s.crossings[i - 1].permits.count <=
				   s.permit_count - s.crossings[i - 1].permits.first));
	if (!crossing_is_sound(&s, i))
		return;
	const struct snapshot_crossing *c = &s.crossings[i];

	REACHED(1);
	assert(c->low < c->high && c->high < s.zone_count && inside(c->permits, s.permit_count));
	assert(c->permits.first ==
	       (i == 0 ? 0 : c[-1].permits.first + (uint64_t)c[-1].permits.count));
	assert(i + 1 < s.crossing_count || c->permits.first + c->permits.count == s.permit_count);
	assert(c->queues >= 1 && c->queues <= SNAPSHOT_QUEUES_MAX);
}

void prove_permit(void)
{
	struct snapshot s = any_tables();
	uint32_t i = nondet_u32(), c = nondet_u32();

	ROW(s, i, permit_count);
	ROW(s, c, crossing_count);
	/* Crossings come before permits: all of them were accepted. */
	for (uint32_t k = 0; k < ROWS; k++)
		suppose(inside(s.crossings[k].permits, s.permit_count) &&
			s.crossings[k].low < s.crossings[k].high);
	if (!permit_is_sound(&s, i))
		return;
	const struct snapshot_permit *p = &s.permits[i];

	REACHED(1);
	assert(p->crossing < s.crossing_count && p->from != p->to);
	assert(inside(p->sources, s.prefix_count) && inside(p->destinations, s.prefix_count));
	assert(inside(p->services, s.service_count));
	assert(p->destinations.count > 0 && p->services.count > 0);
	assert(p->schedule == SNAPSHOT_NONE || p->schedule < s.schedule_count);
	assert(p->text_comment < s.text_bytes && (p->flags & ~1U) == 0);
	/* It belongs to the crossing it names: between the same zones, and in its run. */
	if (p->crossing == c) {
		const struct snapshot_crossing *own = &s.crossings[c];

		assert((p->from == own->low && p->to == own->high) ||
		       (p->to == own->low && p->from == own->high));
		assert(i >= own->permits.first && i < own->permits.first + own->permits.count);
		assert(i == own->permits.first || s.permits[i - 1].number < p->number);
	}
}

void prove_prefix(void)
{
	struct snapshot s = any_tables();
	uint32_t i = nondet_u32(), k = nondet_u32();

	ROW(s, i, prefix_count);
	suppose(k < 16);
	if (!prefix_row_is_sound(&s, i))
		return;
	const struct snapshot_prefix *p = &s.prefixes[i];

	REACHED(1);
	assert((p->family == 4 && p->bits <= 32) || (p->family == 6 && p->bits <= 128));
	assert(p->family == 6 || k < 4 || p->addr[k] == 0);
}

void prove_mail(void)
{
	struct snapshot s = any_tables();
	struct snapshot_mail m;

	__CPROVER_havoc_object(&m);
	s.mails = &m;
	if (!mail_is_sound(&s, 0))
		return;
	REACHED(1);
	assert(m.from < s.zone_count && m.to < s.zone_count);
	assert(m.from != m.to && inside(m.domains, s.list_text_count));
	assert(inside(m.next_hops, s.prefix_count) && m.next_hops.count > 0);
	assert(inside(m.senders, s.list_text_count) && inside(m.labels, s.list_text_count));
	assert(m.text_host_name < s.text_bytes);
	assert(m.scanner == SNAPSHOT_NONE || m.scanner < s.scanner_count);
	assert(m.attachments <= ATTACHMENTS_PASS_FILES);
	if (m.attachments >= ATTACHMENTS_PASS_TEXT)
		assert(m.scanner < s.scanner_count);
	if (m.attachments == ATTACHMENTS_PASS_FILES)
		assert(m.labels.count == 0);
}

/* The rest: rows that only name others. */
void prove_others(void)
{
	struct snapshot s = any_tables();
	struct snapshot_station station;
	struct snapshot_service service;
	struct snapshot_bond bond;
	struct snapshot_conform conform;
	struct snapshot_scanner scanner;
	struct snapshot_screen screen;
	struct snapshot_syslog syslog;
	struct snapshot_desktop desktop;
	struct snapshot_screen_user user;
	struct snapshot_group_limit limit;
	struct snapshot_time_server time_server;

	__CPROVER_havoc_object(&station);
	__CPROVER_havoc_object(&service);
	__CPROVER_havoc_object(&bond);
	__CPROVER_havoc_object(&conform);
	__CPROVER_havoc_object(&scanner);
	__CPROVER_havoc_object(&screen);
	__CPROVER_havoc_object(&syslog);
	__CPROVER_havoc_object(&desktop);
	__CPROVER_havoc_object(&user);
	__CPROVER_havoc_object(&limit);
	__CPROVER_havoc_object(&time_server);
	s.stations = &station;
	s.services = &service;
	s.bonds = &bond;
	s.conforms = &conform;
	s.scanners = &scanner;
	s.screens = &screen;
	s.syslogs = &syslog;
	s.desktops = &desktop;
	s.screen_users = &user;
	s.group_limits = &limit;
	s.time_servers = &time_server;
	if (station_is_sound(&s, 0))
		assert(inside(station.addresses, s.prefix_count) &&
		       station.text_comment < s.text_bytes);
	if (service_is_sound(&s, 0))
		assert(service.low <= service.high &&
		       (service.conform == SNAPSHOT_NONE || service.conform < s.conform_count));
	if (bond_is_sound(&s, 0))
		assert(inside(bond.members, s.device_count));
	if (conform_is_sound(&s, 0))
		assert(inside(conform.names, s.list_text_count));
	if (scanner_is_sound(&s, 0)) {
		REACHED(1);
		assert(scanner.zone < s.zone_count && scanner.text_service < s.text_bytes);
	}
	if (screen_is_sound(&s, 0)) {
		REACHED(2);
		assert(screen.from < s.zone_count && screen.to < s.zone_count);
		assert(inside(screen.desktops, s.desktop_count) && screen.desktops.count > 0);
		assert(inside(screen.groups, s.list_text_count));
		assert(screen.schedule == SNAPSHOT_NONE || screen.schedule < s.schedule_count);
		assert((screen.security == SCREEN_SECURITY_NONE) == (screen.tls_slot[0] == '\0'));
		assert(screen.access.text_name < s.text_bytes &&
		       screen.access.text_user < s.text_bytes);
		assert(screen.access.security < DESKTOP_SECURITY_X509_NONE ||
		       screen.access.authority_slot[0] != '\0');
	}
	if (desktop_is_sound(&s, 0))
		assert(desktop.port != 0 && desktop.address.family != 0);
	if (screen_user_is_sound(&s, 0))
		assert(inside(user.groups, s.list_text_count));
	if (group_limit_is_sound(&s, 0))
		assert(limit.sessions_max > 0 && limit.pad == 0);
	if (time_server_is_sound(&s, 0))
		assert(time_server.zone < s.zone_count && time_server.address.family != 0);
	if (syslog_is_sound(&s, 0)) {
		REACHED(3);
		assert(syslog.zone < s.zone_count && syslog.text_name < s.text_bytes);
		assert((syslog.transport == SNAPSHOT_TRANSPORT_TLS) ==
		       (syslog.authority_slot[0] != '\0'));
	}
}
