/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The snapshot's check: pure, without heap or syscalls, so that it can be proved. There is one
 * legal place for each section (in order, 8-byte aligned, nothing between or behind), so a block
 * has exactly one reading.
 */
#include "policy/snapshot.h"

#include <stdbool.h>
#include <string.h>

#include "base/err.h"
#include "base/sha256.h"
#include "policy/prefix.h"

#define OFFSET_MAX_S   (14 * 3600)
#define TIME_LIMIT_S   (1U << 30) /* no timeout of a session is longer */
#define SNAPSHOT_ALIGN 8U
#define VLAN_MAX       4094U
#define ROWS_MAX       1000000U
#define CROSSINGS_MAX  (SNAPSHOT_ZONES_MAX * (SNAPSHOT_ZONES_MAX - 1) / 2)

/* Lower-case letters, digits, dashes and dots, terminated inside the field, nothing behind the NUL.
 */
static bool name_is_sound(const char *name, size_t field_bytes, bool device)
{
	size_t i = 0;

	for (; i < field_bytes && name[i] != '\0'; i++) {
		bool plain = (name[i] >= 'a' && name[i] <= 'z') ||
			     (name[i] >= '0' && name[i] <= '9') || name[i] == '-';
		bool extra = (name[i] >= 'A' && name[i] <= 'Z') || name[i] == '.' || name[i] == '_';

		if (!plain && !(device && extra))
			return false;
	}
	if (i == 0 || i == field_bytes || name[0] == '-' || name[0] == '.')
		return false;
	for (; i < field_bytes; i++) {
		if (name[i] != '\0')
			return false;
	}
	return true;
}

static bool prefix_is_sound(const struct snapshot_prefix *p)
{
	static const uint8_t zero[12];

	if (p->pad[0] != 0 || p->pad[1] != 0)
		return false;
	if (p->family == 4)
		return p->bits <= 32 && memcmp(p->addr + 4, zero, sizeof(zero)) == 0;
	return p->family == 6 && p->bits <= 128;
}

/* An address of its own: no network, and not "no address". */
static bool host_is_sound(const struct snapshot_prefix *p)
{
	return prefix_is_sound(p) && p->bits == (p->family == 4 ? 32 : 128);
}

static bool range_is_sound(struct snapshot_range r, uint32_t rows)
{
	return r.first <= rows && r.count <= rows - r.first;
}

static bool text_is_sound(const struct snapshot *s, uint32_t at)
{
	return at < s->text_bytes;
}

static bool period_is_sound(uint32_t period_s)
{
	return period_s == 1 || period_s == 60;
}

static bool guard_is_sound(const struct snapshot_guard *g)
{
	return g->source_rate > 0 && g->source_rate <= SNAPSHOT_LIMIT_MAX &&
	       period_is_sound(g->source_period_s) && g->source_connections <= SNAPSHOT_LIMIT_MAX &&
	       g->scan_ports <= UINT16_MAX && g->scan_hosts <= UINT16_MAX && g->window_s > 0 &&
	       g->window_s <= 3600 && g->denied_rate > 0 && g->denied_rate <= SNAPSHOT_LIMIT_MAX &&
	       period_is_sound(g->denied_period_s) && g->flood_rate > 0 &&
	       g->flood_rate <= SNAPSHOT_LIMIT_MAX && period_is_sound(g->flood_period_s) &&
	       g->zone_flood_rate > 0 && g->zone_flood_rate <= SNAPSHOT_LIMIT_MAX &&
	       period_is_sound(g->zone_flood_period_s) && g->isolate <= 1;
}

/* A VLAN has a parent, anything else has none. */
static bool port_is_sound(const struct snapshot_zone *z)
{
	static const char none[SNAPSHOT_DEVICE_BYTES];

	if (!name_is_sound(z->port, sizeof(z->port), true) || z->vlan > VLAN_MAX)
		return false;
	return z->vlan != 0 ? name_is_sound(z->parent, sizeof(z->parent), true)
			    : memcmp(z->parent, none, sizeof(none)) == 0;
}

/* Reads crossings before their own check: any values will do. */
static bool is_joined(const struct snapshot *s, uint32_t zone, uint32_t peer)
{
	for (uint32_t i = 0; i < s->crossing_count; i++) {
		const struct snapshot_crossing *c = &s->crossings[i];

		if ((c->flags & CROSSING_TRANSPARENT) != 0 &&
		    ((c->low == zone && c->high == peer) || (c->low == peer && c->high == zone)))
			return true;
	}
	return false;
}

/* So few addresses that the kernel can be told each. */
static bool networks_are_sound(const struct snapshot *s, struct snapshot_range networks)
{
	uint64_t count = 0;

	if (!range_is_sound(networks, s->prefix_count) || networks.count > SNAPSHOT_NETWORKS_MAX)
		return false;
	for (uint32_t i = 0; i < networks.count; i++) {
		const struct snapshot_prefix *p = &s->prefixes[networks.first + i];

		if (!prefix_is_sound(p) || prefix_count(p) > SNAPSHOT_PROXIED_MAX)
			return false;
		count += prefix_count(p);
	}
	return count <= SNAPSHOT_PROXIED_MAX;
}

/* Both sides say so, have networks, and are joined by a crossing. */
static bool peer_is_sound(const struct snapshot *s, uint32_t i)
{
	const struct snapshot_zone *z = &s->zones[i];

	if (!networks_are_sound(s, z->networks))
		return false;
	if (z->peer == SNAPSHOT_NONE)
		return z->networks.count == 0;
	return z->peer < s->zone_count && z->peer != i && s->zones[z->peer].peer == i &&
	       is_joined(s, i, z->peer) && z->networks.count > 0 && z->addresses.count == 0;
}

static bool zone_is_sound(const struct snapshot *s, uint32_t i)
{
	const struct snapshot_zone *z = &s->zones[i];

	return name_is_sound(z->name, sizeof(z->name), false) && port_is_sound(z) &&
	       peer_is_sound(s, i) && guard_is_sound(&z->guard) &&
	       z->station_policy <= STATION_ENFORCE &&
	       (!z->guard.isolate || z->station_policy == STATION_ENFORCE) &&
	       z->tier >= TIER_SENSITIVE && z->tier <= TIER_OUTSIDE &&
	       range_is_sound(z->addresses, s->prefix_count) &&
	       range_is_sound(z->routes, s->route_count) &&
	       range_is_sound(z->stations, s->station_count) &&
	       text_is_sound(s, z->text_description) && z->hold_ms < TIME_LIMIT_S && z->reject <= 1;
}

static bool prefix_row_is_sound(const struct snapshot *s, uint32_t i)
{
	return prefix_is_sound(&s->prefixes[i]);
}

static bool route_is_sound(const struct snapshot *s, uint32_t i)
{
	const struct snapshot_route *r = &s->routes[i];

	return prefix_is_sound(&r->destination) && host_is_sound(&r->via) &&
	       r->destination.family == r->via.family;
}

static bool station_is_sound(const struct snapshot *s, uint32_t i)
{
	const struct snapshot_station *t = &s->stations[i];

	return t->pad[0] == 0 && t->pad[1] == 0 && (t->mac[0] & 1) == 0 &&
	       text_is_sound(s, t->text_comment) && range_is_sound(t->addresses, s->prefix_count);
}

/* Transparent zones are each other's peers, and no other crossing has one of them. */
static bool peers_are_sound(const struct snapshot *s, const struct snapshot_crossing *c)
{
	const struct snapshot_zone *low = &s->zones[c->low], *high = &s->zones[c->high];

	if ((c->flags & CROSSING_TRANSPARENT) != 0)
		return low->peer == c->high && high->peer == c->low;
	return low->peer == SNAPSHOT_NONE && high->peer == SNAPSHOT_NONE;
}

/* Crossings own the permits one after the other: each permit belongs to exactly one. */
static bool crossing_is_sound(const struct snapshot *s, uint32_t i)
{
	const struct snapshot_crossing *c = &s->crossings[i];
	uint32_t first = i == 0 ? 0 : c[-1].permits.first + c[-1].permits.count;
	bool last = i + 1 == s->crossing_count;

	return c->low < c->high && c->high < s->zone_count && peers_are_sound(s, c) &&
	       (c->flags & ~(uint32_t)(CROSSING_TRANSPARENT | CROSSING_OFFLOAD)) == 0 &&
	       c->queues > 0 && c->queues <= SNAPSHOT_QUEUES_MAX && c->permits.first == first &&
	       range_is_sound(c->permits, s->permit_count) &&
	       (!last || first + c->permits.count == s->permit_count);
}

static bool permit_place_is_sound(const struct snapshot *s, uint32_t i)
{
	const struct snapshot_permit *p = &s->permits[i];
	const struct snapshot_crossing *c;

	if (p->crossing >= s->crossing_count)
		return false;
	c = &s->crossings[p->crossing];
	if (i < c->permits.first || i - c->permits.first >= c->permits.count)
		return false;
	if (i > c->permits.first && p[-1].number >= p->number)
		return false;
	return (p->from == c->low && p->to == c->high) || (p->from == c->high && p->to == c->low);
}

static bool limit_is_sound(const struct snapshot_permit *p)
{
	if (p->rate > SNAPSHOT_LIMIT_MAX || p->connections > SNAPSHOT_LIMIT_MAX)
		return false;
	return p->rate > 0 ? period_is_sound(p->rate_period_s) : p->rate_period_s == 0;
}

static bool permit_is_sound(const struct snapshot *s, uint32_t i)
{
	const struct snapshot_permit *p = &s->permits[i];

	return permit_place_is_sound(s, i) && range_is_sound(p->sources, s->prefix_count) &&
	       range_is_sound(p->destinations, s->prefix_count) && p->destinations.count > 0 &&
	       range_is_sound(p->services, s->service_count) && p->services.count > 0 &&
	       (p->flags & ~(uint32_t)PERMIT_LOG) == 0 &&
	       (p->schedule == SNAPSHOT_NONE || p->schedule < s->schedule_count) &&
	       text_is_sound(s, p->text_comment) && limit_is_sound(p);
}

static bool service_is_sound(const struct snapshot *s, uint32_t i)
{
	const struct snapshot_service *v = &s->services[i];
	bool icmp = v->protocol == 1 || v->protocol == 58;

	return v->pad == 0 &&
	       (v->conform == SNAPSHOT_NONE ||
		(v->conform < s->conform_count && (v->protocol == 6 || v->protocol == 17))) &&
	       v->icmp_type_any <= (icmp ? 1 : 0) && v->low <= v->high && (!icmp || v->high <= 255);
}

static bool schedule_is_sound(const struct snapshot *s, uint32_t i)
{
	const struct snapshot_schedule *c = &s->schedules[i];

	return name_is_sound(c->name, sizeof(c->name), false) && c->utc_offset_s >= -OFFSET_MAX_S &&
	       c->utc_offset_s <= OFFSET_MAX_S && c->holidays <= HOLIDAYS_ONLY;
}

/* They ascend, so that a search by halving finds them. */
static bool holiday_is_sound(const struct snapshot *s, uint32_t i)
{
	return i == 0 || s->holidays[i - 1].day < s->holidays[i].day;
}

static bool bond_is_sound(const struct snapshot *s, uint32_t i)
{
	const struct snapshot_bond *b = &s->bonds[i];

	return name_is_sound(b->name, sizeof(b->name), true) && b->mode <= BOND_802_3AD &&
	       range_is_sound(b->members, s->device_count) && b->members.count > 0 &&
	       b->members.count <= SNAPSHOT_MEMBERS_MAX;
}

static bool device_is_sound(const struct snapshot *s, uint32_t i)
{
	return name_is_sound(s->devices[i].name, sizeof(s->devices[i].name), true);
}

static bool conform_is_sound(const struct snapshot *s, uint32_t i)
{
	const struct snapshot_conform *c = &s->conforms[i];

	return c->kind <= CONFORM_RDP && c->ech_allowed <= (c->kind == CONFORM_TLS ? 1 : 0) &&
	       range_is_sound(c->names, s->list_text_count) &&
	       (c->names.count == 0 || c->kind <= CONFORM_DNS);
}

/* The two ends of a relay: different zones that exist. */
static bool ends_are_sound(const struct snapshot *s, uint32_t from, uint32_t to)
{
	return from < s->zone_count && to < s->zone_count && from != to;
}

/* In order of preference, each an address of its own. */
static bool next_hops_are_sound(const struct snapshot *s, struct snapshot_range hops)
{
	if (!range_is_sound(hops, s->prefix_count) || hops.count == 0 ||
	    hops.count > SNAPSHOT_NEXT_HOPS_MAX)
		return false;
	for (uint32_t i = 0; i < hops.count; i++) {
		if (!host_is_sound(&s->prefixes[hops.first + i]))
			return false;
	}
	return true;
}

static bool outbound_is_sound(const struct snapshot *s, const struct snapshot_mail *m)
{
	return (m->scanner == SNAPSHOT_NONE || m->scanner < s->scanner_count) && m->outbound <= 1 &&
	       m->forwarded <= FORWARDED_PASS && m->attachments <= ATTACHMENTS_PASS_FILES &&
	       (m->attachments < ATTACHMENTS_PASS_TEXT || m->scanner != SNAPSHOT_NONE) &&
	       (m->attachments < ATTACHMENTS_PASS_FILES || m->labels.count == 0) &&
	       m->null_sender <= 1 && m->pad_outbound == 0 &&
	       range_is_sound(m->senders, s->list_text_count) &&
	       range_is_sound(m->labels, s->list_text_count);
}

/* The path of an ICAP service, which goes into a request as it is (RFC 3507 4.2). */
static bool service_path_is_sound(const char *text)
{
	for (; *text != '\0'; text++) {
		bool plain = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
			     (*text >= '0' && *text <= '9');

		if (!plain && *text != '-' && *text != '.' && *text != '_' && *text != '/')
			return false;
	}
	return true;
}

static bool scanner_is_sound(const struct snapshot *s, uint32_t i)
{
	const struct snapshot_scanner *c = &s->scanners[i];

	return name_is_sound(c->name, sizeof(c->name), false) && c->zone < s->zone_count &&
	       c->kind <= SCANNER_ICAP && host_is_sound(&c->address) && c->port != 0 &&
	       c->pad[0] == 0 && c->pad[1] == 0 && c->pad[2] == 0 && c->method <= SCANNER_REQMOD &&
	       text_is_sound(s, c->text_service) &&
	       service_path_is_sound(snapshot_text_at(s, c->text_service)) && c->timeout_ms > 0 &&
	       c->timeout_ms < TIME_LIMIT_S && c->size_limit_bytes > 0 &&
	       c->size_limit_bytes <= UINT32_MAX && c->test_bytes <= c->size_limit_bytes;
}

/* A name, or none. */
static bool slot_is_sound(const char slot[SNAPSHOT_NAME_BYTES])
{
	static const char none[SNAPSHOT_NAME_BYTES];

	return name_is_sound(slot, SNAPSHOT_NAME_BYTES, false) ||
	       memcmp(slot, none, sizeof(none)) == 0;
}

static bool mail_tls_is_sound(const struct snapshot *s, const struct snapshot_mail *m)
{
	return slot_is_sound(m->tls_slot) && slot_is_sound(m->authority_slot) &&
	       text_is_sound(s, m->text_hop_name) && m->tls_required <= 1 &&
	       (m->tls_required == 0 || m->tls_slot[0] != '\0');
}

static bool mail_is_sound(const struct snapshot *s, uint32_t i)
{
	const struct snapshot_mail *m = &s->mails[i];

	return name_is_sound(m->name, sizeof(m->name), false) &&
	       ends_are_sound(s, m->from, m->to) && m->listen_port != 0 && m->next_hop_port != 0 &&
	       range_is_sound(m->domains, s->list_text_count) &&
	       next_hops_are_sound(s, m->next_hops) && m->size_limit_bytes > 0 &&
	       m->size_limit_bytes <= UINT32_MAX && m->sessions_max > 0 &&
	       m->sessions_per_source > 0 && m->recipients_max > 0 && m->language <= 1 &&
	       text_is_sound(s, m->text_host_name) &&
	       (m->options & ~(uint32_t)SNAPSHOT_MAIL_OPTIONS) == 0 && outbound_is_sound(s, m) &&
	       mail_tls_is_sound(s, m);
}

/* With TLS a certificate of ours; where nothing else tells who looks, one of the viewer's too. */
static bool screen_tls_is_sound(const struct snapshot_screen *c)
{
	return slot_is_sound(c->tls_slot) && slot_is_sound(c->authority_slot) &&
	       (c->security == SCREEN_SECURITY_NONE) == (c->tls_slot[0] == '\0') &&
	       (c->security != SCREEN_SECURITY_X509_NONE || c->authority_slot[0] != '\0');
}

/* Each way of logging in has what it needs, and nothing that it has no use for. */
static bool access_is_sound(const struct snapshot *s, const struct snapshot_access *a)
{
	return a->security < DESKTOP_SECURITY_COUNT_ && a->pad == 0 &&
	       slot_is_sound(a->authority_slot) && slot_is_sound(a->password_slot) &&
	       text_is_sound(s, a->text_name) && text_is_sound(s, a->text_user) &&
	       snapshot_access_has_tls(a) == (a->authority_slot[0] != '\0') &&
	       snapshot_access_has_password(a) == (a->password_slot[0] != '\0');
}

/* Of a screen whose sessions are recorded one finds room, and is kept for a while. */
static bool record_is_sound(const struct snapshot_record *r)
{
	static const struct snapshot_record none;

	if (r->size_limit_bytes == 0)
		return memcmp(r, &none, sizeof(none)) == 0;
	return r->size_limit_bytes <= r->total_limit_bytes && r->total_limit_bytes <= INT64_MAX &&
	       r->keep_s > 0 && r->on_full < SNAPSHOT_ON_FULL_COUNT_;
}

/* Only where persons log in there is somebody to be told, and a way in for an auditor. */
static bool shadow_is_sound(const struct snapshot *s, const struct snapshot_screen *c)
{
	static const struct snapshot_shadow none;

	if (c->shadow.limit_s == 0)
		return memcmp(&c->shadow, &none, sizeof(none)) == 0;
	return c->security == SCREEN_SECURITY_X509_PLAIN && c->shadow.limit_s < TIME_LIMIT_S &&
	       c->shadow.notice < SNAPSHOT_NOTICE_COUNT_ &&
	       range_is_sound(c->shadow.groups, s->list_text_count);
}

static bool screen_is_sound(const struct snapshot *s, uint32_t i)
{
	const struct snapshot_screen *c = &s->screens[i];

	return name_is_sound(c->name, sizeof(c->name), false) &&
	       ends_are_sound(s, c->from, c->to) && c->listen_port != 0 &&
	       c->security < SCREEN_SECURITY_COUNT_ && c->sessions_max > 0 &&
	       c->sessions_per_source > 0 && c->sessions_per_user > 0 &&
	       c->idle_timeout_s < TIME_LIMIT_S && c->session_limit_s < TIME_LIMIT_S &&
	       c->frame_rate_max > 0 && c->encodings < SNAPSHOT_ENCODINGS_COUNT_ &&
	       c->watermark < SNAPSHOT_WATERMARK_COUNT_ &&
	       (c->schedule == SNAPSHOT_NONE || c->schedule < s->schedule_count) &&
	       c->desktops.count > 0 && c->desktops.count <= SNAPSHOT_DESKTOPS_MAX &&
	       range_is_sound(c->desktops, s->desktop_count) &&
	       range_is_sound(c->groups, s->list_text_count) &&
	       range_is_sound(c->browser_names, s->list_text_count) &&
	       (c->browser_port == 0 || c->security == SCREEN_SECURITY_X509_PLAIN) &&
	       (c->groups.count > 0) == (c->security == SCREEN_SECURITY_X509_PLAIN) &&
	       screen_tls_is_sound(c) && access_is_sound(s, &c->access) &&
	       record_is_sound(&c->record) && shadow_is_sound(s, c);
}

static bool desktop_is_sound(const struct snapshot *s, uint32_t i)
{
	const struct snapshot_desktop *c = &s->desktops[i];

	return host_is_sound(&c->address) && c->port != 0 && c->pad == 0;
}

static bool screen_user_is_sound(const struct snapshot *s, uint32_t i)
{
	static const struct snapshot_desktop any;
	const struct snapshot_screen_user *u = &s->screen_users[i];

	return name_is_sound(u->name, sizeof(u->name), false) &&
	       range_is_sound(u->groups, s->list_text_count) && u->suspended <= 1 && u->pad == 0 &&
	       u->expires_s > 0 &&
	       (memcmp(&u->desktop, &any, sizeof(any)) == 0 ||
		(host_is_sound(&u->desktop.address) && u->desktop.port != 0 &&
		 u->desktop.pad == 0));
}

static bool group_limit_is_sound(const struct snapshot *s, uint32_t i)
{
	const struct snapshot_group_limit *l = &s->group_limits[i];

	return name_is_sound(l->group, sizeof(l->group), false) && l->sessions_max > 0 &&
	       l->pad == 0;
}

/* Under TLS there is something to verify the server with, and a name to verify; else neither. */
static bool syslog_tls_is_sound(const struct snapshot *s, const struct snapshot_syslog *l)
{
	bool secure = l->transport == SNAPSHOT_TRANSPORT_TLS;

	return slot_is_sound(l->authority_slot) && slot_is_sound(l->certificate_slot) &&
	       text_is_sound(s, l->text_name) && secure == (l->authority_slot[0] != '\0') &&
	       secure == (snapshot_text_at(s, l->text_name)[0] != '\0') &&
	       (secure || l->certificate_slot[0] == '\0');
}

static bool syslog_is_sound(const struct snapshot *s, uint32_t i)
{
	const struct snapshot_syslog *l = &s->syslogs[i];

	return l->zone < s->zone_count && l->transport < SNAPSHOT_TRANSPORT_COUNT_ &&
	       host_is_sound(&l->server) && l->port != 0 && l->pad[0] == 0 && l->pad[1] == 0 &&
	       l->pad[2] == 0 && l->pad_name == 0 && syslog_tls_is_sound(s, l);
}

static bool time_server_is_sound(const struct snapshot *s, uint32_t i)
{
	const struct snapshot_time_server *t = &s->time_servers[i];

	return t->zone < s->zone_count && t->lost_after_s > 0 && t->lost_after_s < TIME_LIMIT_S &&
	       host_is_sound(&t->address) && t->pad == 0;
}

static bool login_is_sound(const struct snapshot *s, uint32_t i)
{
	const struct snapshot_login *l = &s->logins[i];

	return l->length_min > 0 && l->attempts > 0 && l->lock_s > 0 && l->idle_s > 0 &&
	       l->session_s > 0 && l->age_s < TIME_LIMIT_S &&
	       l->administrator_age_s < TIME_LIMIT_S && l->lock_s < TIME_LIMIT_S &&
	       l->idle_s < TIME_LIMIT_S && l->session_s < TIME_LIMIT_S && l->two_person <= 1 &&
	       l->totp_required <= 1 && l->pad == 0 &&
	       (l->change_window == SNAPSHOT_NONE || l->change_window < s->schedule_count);
}

static bool person_is_sound(const struct snapshot *s, uint32_t i)
{
	const struct snapshot_person *p = &s->persons[i];

	return name_is_sound(p->name, sizeof(p->name), false) && p->role < SNAPSHOT_ROLE_COUNT_ &&
	       p->suspended <= 1 && p->expires_s > 0 && p->administrator_until_s >= 0;
}

/* Offset 0 is the empty text; every text ends; no control characters. */
static bool texts_are_sound(const struct snapshot *s)
{
	if (s->text_bytes == 0 || s->text[0] != '\0' || s->text[s->text_bytes - 1] != '\0')
		return false;
	for (uint32_t i = 0; i < s->text_bytes; i++) {
		unsigned char c = (unsigned char)s->text[i];

		if ((c < 0x20 && c != 0) || c == 0x7f)
			return false;
	}
	return true;
}

static bool list_text_is_sound(const struct snapshot *s, uint32_t i)
{
	return text_is_sound(s, s->list_texts[i].at);
}

#define FORM(row, most, check) {sizeof(struct row), (most), (check)}

/* Crossings come before permits: a permit's check relies on them. */
static const struct {
	uint32_t row_bytes;
	uint32_t rows_max;
	bool (*row_is_sound)(const struct snapshot *s, uint32_t i);
} section_forms[SECTION_COUNT_] = {
	[SECTION_ZONES] = FORM(snapshot_zone, SNAPSHOT_ZONES_MAX, zone_is_sound),
	[SECTION_PREFIXES] = FORM(snapshot_prefix, ROWS_MAX, prefix_row_is_sound),
	[SECTION_ROUTES] = FORM(snapshot_route, ROWS_MAX, route_is_sound),
	[SECTION_STATIONS] = FORM(snapshot_station, SNAPSHOT_STATIONS_MAX, station_is_sound),
	[SECTION_CROSSINGS] = FORM(snapshot_crossing, CROSSINGS_MAX, crossing_is_sound),
	[SECTION_PERMITS] = FORM(snapshot_permit, SNAPSHOT_PERMITS_MAX, permit_is_sound),
	[SECTION_SERVICES] = FORM(snapshot_service, ROWS_MAX, service_is_sound),
	[SECTION_SCHEDULES] = FORM(snapshot_schedule, ROWS_MAX, schedule_is_sound),
	[SECTION_MAILS] = FORM(snapshot_mail, ROWS_MAX, mail_is_sound),
	[SECTION_SCREENS] = FORM(snapshot_screen, ROWS_MAX, screen_is_sound),
	[SECTION_SYSLOGS] = FORM(snapshot_syslog, ROWS_MAX, syslog_is_sound),
	[SECTION_BONDS] = FORM(snapshot_bond, SNAPSHOT_BONDS_MAX, bond_is_sound),
	[SECTION_DEVICES] =
		FORM(snapshot_device, SNAPSHOT_BONDS_MAX *SNAPSHOT_MEMBERS_MAX, device_is_sound),
	[SECTION_CONFORMS] = FORM(snapshot_conform, SNAPSHOT_CONFORMS_MAX, conform_is_sound),
	[SECTION_HOLIDAYS] = FORM(snapshot_holiday, SNAPSHOT_HOLIDAYS_MAX, holiday_is_sound),
	[SECTION_LIST_TEXTS] = FORM(snapshot_text, ROWS_MAX, list_text_is_sound),
	[SECTION_LOGINS] = FORM(snapshot_login, 1, login_is_sound),
	[SECTION_PERSONS] = FORM(snapshot_person, SNAPSHOT_PERSONS_MAX, person_is_sound),
	[SECTION_SCANNERS] = FORM(snapshot_scanner, SNAPSHOT_SCANNERS_MAX, scanner_is_sound),
	[SECTION_DESKTOPS] = FORM(snapshot_desktop, ROWS_MAX, desktop_is_sound),
	[SECTION_SCREEN_USERS] =
		FORM(snapshot_screen_user, SNAPSHOT_SCREEN_USERS_MAX, screen_user_is_sound),
	[SECTION_GROUP_LIMITS] =
		FORM(snapshot_group_limit, SNAPSHOT_GROUP_LIMITS_MAX, group_limit_is_sound),
	[SECTION_TIME_SERVERS] = FORM(snapshot_time_server, SNAPSHOT_NTP_MAX, time_server_is_sound),
	[SECTION_TEXT] = {1, SNAPSHOT_BYTES_MAX, NULL},
};

static bool rows_are_sound(const struct snapshot *s)
{
	for (unsigned section = 0; section < SECTION_TEXT; section++) {
		for (uint32_t i = 0; i < s->header->sections[section].count; i++) {
			if (!section_forms[section].row_is_sound(s, i))
				return false;
		}
	}
	return s->crossing_count > 0 || s->permit_count == 0;
}

/* Where each section must begin, from the counts alone; *@size_bytes becomes the whole block's
 * size. */
static bool layout_is_sound(const struct snapshot_header *h, uint64_t *size_bytes)
{
	uint64_t at = sizeof(*h);

	for (unsigned i = 0; i < SECTION_COUNT_; i++) {
		if (h->sections[i].count > section_forms[i].rows_max || h->sections[i].offset != at)
			return false;
		at += (uint64_t)h->sections[i].count * section_forms[i].row_bytes;
		at = (at + SNAPSHOT_ALIGN - 1) & ~(uint64_t)(SNAPSHOT_ALIGN - 1);
		if (at > SNAPSHOT_BYTES_MAX)
			return false;
	}
	*size_bytes = at;
	return true;
}

#define VIEW_SECTION(out, block, section, field, count_field)                                      \
	do {                                                                                       \
		(out)->field = (const void *)((block) + (out)->header->sections[section].offset);  \
		(out)->count_field = (out)->header->sections[section].count;                       \
	} while (0)

static void view_sections(struct snapshot *out, const uint8_t *block)
{
	VIEW_SECTION(out, block, SECTION_ZONES, zones, zone_count);
	VIEW_SECTION(out, block, SECTION_PREFIXES, prefixes, prefix_count);
	VIEW_SECTION(out, block, SECTION_ROUTES, routes, route_count);
	VIEW_SECTION(out, block, SECTION_STATIONS, stations, station_count);
	VIEW_SECTION(out, block, SECTION_CROSSINGS, crossings, crossing_count);
	VIEW_SECTION(out, block, SECTION_PERMITS, permits, permit_count);
	VIEW_SECTION(out, block, SECTION_SERVICES, services, service_count);
	VIEW_SECTION(out, block, SECTION_SCHEDULES, schedules, schedule_count);
	VIEW_SECTION(out, block, SECTION_MAILS, mails, mail_count);
	VIEW_SECTION(out, block, SECTION_SCREENS, screens, screen_count);
	VIEW_SECTION(out, block, SECTION_SYSLOGS, syslogs, syslog_count);
	VIEW_SECTION(out, block, SECTION_BONDS, bonds, bond_count);
	VIEW_SECTION(out, block, SECTION_DEVICES, devices, device_count);
	VIEW_SECTION(out, block, SECTION_CONFORMS, conforms, conform_count);
	VIEW_SECTION(out, block, SECTION_HOLIDAYS, holidays, holiday_count);
	VIEW_SECTION(out, block, SECTION_LIST_TEXTS, list_texts, list_text_count);
	VIEW_SECTION(out, block, SECTION_SCANNERS, scanners, scanner_count);
	VIEW_SECTION(out, block, SECTION_LOGINS, logins, login_count);
	VIEW_SECTION(out, block, SECTION_PERSONS, persons, person_count);
	VIEW_SECTION(out, block, SECTION_DESKTOPS, desktops, desktop_count);
	VIEW_SECTION(out, block, SECTION_SCREEN_USERS, screen_users, screen_user_count);
	VIEW_SECTION(out, block, SECTION_GROUP_LIMITS, group_limits, group_limit_count);
	VIEW_SECTION(out, block, SECTION_TIME_SERVERS, time_servers, time_server_count);
	VIEW_SECTION(out, block, SECTION_TEXT, text, text_bytes);
}

static bool retention_is_sound(uint32_t retention_s)
{
	return retention_s == 0 ||
	       (retention_s >= SNAPSHOT_RETENTION_S_MIN && retention_s <= SNAPSHOT_RETENTION_S_MAX);
}

int snapshot_view_structure(struct snapshot *out, const void *block, size_t size_bytes)
{
	const struct snapshot_header *h = block;
	uint64_t expected_bytes;

	*out = (struct snapshot){0};
	if (size_bytes < sizeof(*h) || size_bytes > SNAPSHOT_BYTES_MAX ||
	    (uintptr_t)block % SNAPSHOT_ALIGN != 0)
		return -ERR_INTEGRITY;
	if (h->magic != SNAPSHOT_MAGIC || h->version != SNAPSHOT_VERSION ||
	    h->header_bytes != sizeof(*h) || h->size_bytes != size_bytes)
		return -ERR_INTEGRITY;
	if (!layout_is_sound(h, &expected_bytes) || expected_bytes != size_bytes)
		return -ERR_RANGE;
	out->header = h;
	view_sections(out, block);
	if (!texts_are_sound(out) || !text_is_sound(out, h->text_organization) ||
	    !text_is_sound(out, h->text_host_name) || h->utc_offset_s < -OFFSET_MAX_S ||
	    h->utc_offset_s > OFFSET_MAX_S || h->connections_max > SNAPSHOT_CONNECTIONS_MAX ||
	    h->watch_s < SNAPSHOT_WATCH_S_MIN || h->watch_s > SNAPSHOT_WATCH_S_MAX ||
	    h->recovery_off > 1 || h->language > 1 || h->usb > 1 ||
	    !retention_is_sound(h->retention_s) || h->reserved != 0 || !rows_are_sound(out)) {
		*out = (struct snapshot){0};
		return -ERR_RANGE;
	}
	return 0;
}

void snapshot_digest(uint8_t digest[SHA256_BYTES], const void *block, size_t size_bytes)
{
	struct snapshot_header h;
	struct sha256 sum;

	memcpy(&h, block, sizeof(h));
	memset(h.sha256, 0, sizeof(h.sha256));
	sha256_init(&sum);
	sha256_update(&sum, &h, sizeof(h));
	sha256_update(&sum, (const uint8_t *)block + sizeof(h), size_bytes - sizeof(h));
	sha256_final(&sum, digest);
}

int snapshot_view(struct snapshot *out, const void *block, size_t size_bytes)
{
	uint8_t digest[SHA256_BYTES];
	int err = snapshot_view_structure(out, block, size_bytes);

	if (err != 0)
		return err;
	snapshot_digest(digest, block, size_bytes);
	if (memcmp(digest, out->header->sha256, sizeof(digest)) != 0) {
		*out = (struct snapshot){0};
		return -ERR_INTEGRITY;
	}
	return 0;
}
