/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each zone's namespace has, read back from the kernel and compared with the running policy:
 * a record for each zone and each pair of zones, which the monthly report is drawn from.
 */
#include "supervisor/zones/survey.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "channel/device.h"
#include "supervisor/zones/netns.h"
#include "supervisor/zones/rtnl_dump.h"
#include "supervisor/supervisor.h"

#define SURVEY_SOON_MS  2000U     /* carriers come and addresses are tried meanwhile */
#define SURVEY_EVERY_MS 86400000U /* a day */
#define LINKS_MAX       64        /* of a zone; more of them differ from every policy */
#define CARRIER         0x10000U  /* IFF_LOWER_UP, which net/if.h lacks */
#define SCOPE_LINK      " scope 253"
#define SYSCTL_BYTES    24

/* ---- what is found of one zone */

/* Of one namespace. */
struct devices {
	struct rtnl_link links[LINKS_MAX];
	size_t count, more; /* more: links beyond LINKS_MAX */
};

struct survey {
	struct supervisor *sup;
	struct zone *zone;
	struct devices own;
	/* Where the port is a VLAN: its trunk, and what is or ought to be in that bond. All else at
	 * home is of no concern, however many there are. */
	struct devices home;
	uint32_t trunk_index; /* 0: none */
	const struct rtnl_link *port;
	unsigned seen;        /* addresses of the policy that the port has */
	char found[300];      /* what is there */
	char difference[160]; /* what is not as the policy asks for; empty: nothing */
};

static void append(char *text, size_t size, const char *between, const char *format, va_list args)
{
	size_t used = strlen(text);

	if (used > 0 && used < size)
		used += (size_t)snprintf(text + used, size - used, "%s", between);
	if (used < size)
		(void)vsnprintf(text + used, size - used, format, args); /* cut where too long */
}

static void tell(struct survey *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void differ(struct survey *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void tell(struct survey *s, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	append(s->found, sizeof(s->found), ", ", format, args);
	va_end(args);
}

static void differ(struct survey *s, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	append(s->difference, sizeof(s->difference), "; ", format, args);
	va_end(args);
}

/* ---- devices */

static int keep_link(const struct rtnl_link *link, void *ctx)
{
	struct devices *d = ctx;

	if (d->count == LINKS_MAX)
		d->more++;
	else
		d->links[d->count++] = *link;
	return 0;
}

static const struct rtnl_link *find_link(const struct devices *d, const char *name)
{
	for (size_t i = 0; i < d->count; i++) {
		if (strcmp(d->links[i].name, name) == 0)
			return &d->links[i];
	}
	return NULL;
}

static bool is_member(const struct layout_base *base, const char *name)
{
	for (uint32_t i = 0; i < base->member_count; i++) {
		if (strcmp(base->members[i], name) == 0)
			return true;
	}
	return false;
}

static int keep_home_link(const struct rtnl_link *link, void *ctx)
{
	struct survey *s = ctx;

	if (link->index != s->trunk_index && link->master_index != s->trunk_index &&
	    !is_member(&s->zone->base, link->name))
		return 0;
	return keep_link(link, &s->home);
}

static int read_home(struct survey *s)
{
	struct rtnl *home = &s->sup->zones.home;
	struct rtnl_link trunk;
	int err = rtnl_link_find(home, s->zone->base.parent, &trunk);

	if (err == -ERR_NOT_FOUND)
		return 0; /* its absence is told where it is missed */
	if (err < 0)
		return err;
	s->trunk_index = trunk.index;
	return rtnl_link_each(home, keep_home_link, s);
}

static bool is_crossing(const struct survey *s, const char *name)
{
	const struct zones *zs = &s->sup->zones;
	char end[DEVICE_NAME_BYTES];

	for (size_t i = 0; i < sizeof(zs->crossings) / sizeof(zs->crossings[0]); i++) {
		const struct crossing *c = &zs->crossings[i];

		if (!c->used || (c->low != s->zone && c->high != s->zone))
			continue;
		device_crossing_name(end, c->low == s->zone ? c->high->name : c->low->name);
		if (strcmp(end, name) == 0)
			return true;
	}
	return false;
}

/* Devices that are down lead nowhere: some kernels put tunnels that nobody uses into every
 * namespace. */
static void look_for_strangers(struct survey *s)
{
	const struct layout_base *base = &s->zone->base;

	for (size_t i = 0; i < s->own.count; i++) {
		const struct rtnl_link *link = &s->own.links[i];

		if ((link->flags & IFF_UP) == 0 || (link->flags & IFF_LOOPBACK) != 0 ||
		    strcmp(link->name, DEVICE_VOID) == 0 || link == s->port ||
		    (base->vlan == 0 && is_member(base, link->name)) || is_crossing(s, link->name))
			continue;
		differ(s, "device %s is up and no policy asks for it", link->name);
	}
	if (s->own.more + s->home.more > 0)
		differ(s, "%zu more devices than are looked at", s->own.more + s->home.more);
}

static void look_at_vlan(struct survey *s)
{
	const struct layout_base *base = &s->zone->base;
	const struct rtnl_link *parent;

	if (base->vlan == 0)
		return;
	parent = find_link(&s->home, base->parent);
	tell(s, "VLAN %u of %s", s->port->vlan, parent != NULL ? parent->name : "?");
	if (s->port->vlan != base->vlan || parent == NULL || s->port->peer_index != parent->index)
		differ(s, "the port is not VLAN %u of %s", base->vlan, base->parent);
}

static void look_at_bond(struct survey *s)
{
	const struct layout_base *base = &s->zone->base;
	const char *name = base->parent[0] != '\0' ? base->parent : s->zone->port;
	const struct devices *where = base->parent[0] != '\0' ? &s->home : &s->own;
	const struct rtnl_link *bond = find_link(where, name);

	if (base->member_count == 0)
		return;
	if (bond == NULL || strcmp(bond->kind, "bond") != 0) {
		differ(s, "%s is no bond", name);
		return;
	}
	for (size_t i = 0; i < where->count; i++) {
		const struct rtnl_link *link = &where->links[i];
		bool is = link->master_index == bond->index;

		if (is)
			tell(s, "bond member %s %s", link->name,
			     link->flags & CARRIER ? "carrier" : "no carrier");
		if (is != is_member(base, link->name))
			differ(s, "%s is %s the bond", link->name, is ? "in" : "not in");
	}
	for (uint32_t i = 0; i < base->member_count; i++) {
		if (find_link(where, base->members[i]) == NULL)
			differ(s, "bond member %s is missing", base->members[i]);
	}
}

static void look_at_port(struct survey *s)
{
	const uint8_t *m;
	bool up, shut = s->zone->isolated || (s->sup->zones.shut & ZONES_SHUT_PORTS);

	s->port = find_link(&s->own, s->zone->port);
	if (s->port == NULL) {
		differ(s, "the port is missing");
		return;
	}
	m = s->port->mac;
	up = (s->port->flags & IFF_UP) != 0;
	tell(s, "%s, %s, %02x:%02x:%02x:%02x:%02x:%02x", up ? "up" : "down",
	     s->port->flags & CARRIER ? "carrier" : "no carrier", m[0], m[1], m[2], m[3], m[4],
	     m[5]);
	if (up == shut)
		differ(s, "the port is %s", up ? "up, and the zone is shut" : "down");
	look_at_vlan(s);
	look_at_bond(s);
}

/* ---- addresses and forwarding */

static void prefix_text(const struct snapshot_prefix *prefix, char *out, size_t size)
{
	char address[INET6_ADDRSTRLEN] = "?";

	(void)inet_ntop(prefix->family == 6 ? AF_INET6 : AF_INET, prefix->addr, address,
			sizeof(address)); /* the loader has checked the family */
	(void)snprintf(out, size, "%s/%u", address, prefix->bits);
}

static bool is_asked_for(const struct survey *s, const char *text, size_t size)
{
	const struct layout_addresses *asked = &s->zone->addresses;
	char wanted[INET6_ADDRSTRLEN + 8];

	for (size_t i = 0; i < asked->count; i++) {
		prefix_text(&asked->rows[i], wanted, sizeof(wanted));
		if (strlen(wanted) == size && strncmp(wanted, text, size) == 0)
			return true;
	}
	return false;
}

static void take_address(const struct rtnl_entry *entry, void *ctx)
{
	struct survey *s = ctx;
	const char *scope = strstr(entry->text, " scope ");
	size_t size = scope != NULL ? (size_t)(scope - entry->text) : strlen(entry->text);

	if (s->port == NULL || entry->index != s->port->index)
		return;
	tell(s, "%.*s", (int)size, entry->text);
	if (is_asked_for(s, entry->text, size))
		s->seen++;
	else if (!s->zone->ipv6 || scope == NULL || strcmp(scope, SCOPE_LINK) != 0)
		differ(s, "address %.*s", (int)size, entry->text);
}

/* IPv6 addresses go with the link and come back with it. */
static unsigned count_lasting(const struct survey *s)
{
	const struct layout_addresses *asked = &s->zone->addresses;
	bool up = s->port != NULL && (s->port->flags & IFF_UP) != 0;
	unsigned count = 0;

	for (size_t i = 0; i < asked->count; i++)
		count += up || asked->rows[i].family == 4;
	return count;
}

static void look_at_addresses(struct survey *s)
{
	if (rtnl_dump_addresses(&s->zone->rtnl, take_address, s) < 0)
		differ(s, "the kernel does not say its addresses");
	else if (s->seen < count_lasting(s))
		differ(s, "%u addresses of %zu", s->seen, s->zone->addresses.count);
}

static void look_at_forwarding(struct survey *s)
{
	const char *wanted = s->zone->forwarding ? "1" : "0";

	for (size_t i = 0; i < ZONE_FORWARDING_COUNT; i++) {
		const char *name = zone_forwarding_switches[i];
		char value[SYSCTL_BYTES] = "";
		int err = netns_enter(s->zone->netns_fd);

		if (err == 0) {
			err = netns_sysctl_read(name, value, sizeof(value));
			netns_leave(s->sup->zones.home_fd);
		}
		if (err < 0 || strcmp(value, wanted) != 0)
			differ(s, "%s is %s", name, err < 0 ? "unknown" : value);
	}
}

/* ---- the records */

static void read_zone(struct supervisor *sup, struct zone *zone)
{
	struct survey s = {.sup = sup, .zone = zone};

	if (rtnl_link_each(&zone->rtnl, keep_link, &s.own) < 0 ||
	    (zone->base.vlan != 0 && read_home(&s) < 0))
		differ(&s, "the kernel does not say its devices");
	look_at_port(&s);
	look_for_strangers(&s);
	look_at_addresses(&s);
	look_at_forwarding(&s);
	if (zone->isolated)
		tell(&s, "isolated");
	if (sup->zones.shut & ZONES_SHUT_RECOVERY)
		tell(&s, "shut for a recovery");
	if (sup->zones.shut & ZONES_SHUT_ZEROISE)
		tell(&s, "shut to be wiped");
	supervisor_event(sup, s.difference[0] != '\0' ? EVENT_ZONE_DIFFERS : EVENT_ZONE_READ,
			 EV_TEXT(ZONE, zone->name), EV_TEXT(PORT, zone->port),
			 EV_TEXT(DETAIL, s.found), EV_TEXT(REASON, s.difference),
			 EV_NUMBER(EPOCH, sup->running.epoch));
}

/* ---- pairs of zones */

/* Devices of one zone whose other end is in another. */
struct joining {
	int32_t other_id; /* the other zone's namespace, as this one numbers it; -1: no number */
	struct rtnl_link links[SURVEY_JOINING_MAX];
	size_t count, more; /* more: beyond SURVEY_JOINING_MAX */
};

static int keep_joining(const struct rtnl_link *link, void *ctx)
{
	struct joining *j = ctx;

	if (j->other_id < 0 || link->peer_netns != j->other_id)
		return 0;
	if (j->count == SURVEY_JOINING_MAX)
		j->more++;
	else
		j->links[j->count++] = *link;
	return 0;
}

static int find_joining(struct zone *zone, const struct zone *other, struct joining *out)
{
	int err;

	*out = (struct joining){.other_id = -1};
	err = rtnl_netns_id(&zone->rtnl, other->netns_fd, &out->other_id);
	return err < 0 ? err : rtnl_link_each(&zone->rtnl, keep_joining, out);
}

/* The other end of a veth pair; NULL: it is not among them. */
static const struct rtnl_link *find_other_end(const struct joining *j, const struct rtnl_link *link)
{
	for (size_t i = 0; i < j->count; i++) {
		if (j->links[i].index == link->peer_index && j->links[i].peer_index == link->index)
			return &j->links[i];
	}
	return NULL;
}

/* Both ends are there, of the kind and by the names that the supervisor gives them. */
static bool is_whole_crossing(const struct rtnl_link *end, const struct rtnl_link *other_end,
			      const struct zone *zone, const struct zone *other)
{
	char name[DEVICE_NAME_BYTES], other_name[DEVICE_NAME_BYTES];

	if (other_end == NULL || strcmp(end->kind, "veth") != 0)
		return false;
	device_crossing_name(name, other->name);
	device_crossing_name(other_name, zone->name);
	return strcmp(end->name, name) == 0 && strcmp(other_end->name, other_name) == 0;
}

static void add_name(struct survey_pair *pair, const char *name)
{
	size_t used = strlen(pair->names);

	(void)snprintf(pair->names + used, sizeof(pair->names) - used, "%s%s", used ? " " : "",
		       name);
}

static bool is_configured(const struct snapshot *s, const char *a, const char *b)
{
	for (uint32_t i = 0; i < s->crossing_count; i++) {
		const char *low = s->zones[s->crossings[i].low].name,
			   *high = s->zones[s->crossings[i].high].name;

		if ((strcmp(low, a) == 0 && strcmp(high, b) == 0) ||
		    (strcmp(low, b) == 0 && strcmp(high, a) == 0))
			return true;
	}
	return false;
}

struct survey_pair survey_pair_read(struct supervisor *sup, struct zone *a, struct zone *b)
{
	struct survey_pair pair = {
		.configured = is_configured(&sup->running.snapshot, a->name, b->name),
		.shut = a->isolated || b->isolated || sup->zones.shut != 0,
	};
	bool wanted = pair.configured && !pair.shut;
	struct joining of_a, of_b;
	size_t crossings = 0, strangers;

	if (find_joining(a, b, &of_a) < 0 || find_joining(b, a, &of_b) < 0)
		return pair;
	strangers = of_a.more + of_b.more;
	for (size_t i = 0; i < of_a.count; i++) {
		const struct rtnl_link *end = &of_a.links[i];
		bool is = wanted && crossings == 0 &&
			  is_whole_crossing(end, find_other_end(&of_b, end), a, b);

		add_name(&pair, end->name);
		crossings += is;
		strangers += !is;
	}
	for (size_t i = 0; i < of_b.count; i++) {
		if (find_other_end(&of_a, &of_b.links[i]) != NULL)
			continue; /* judged with that one */
		add_name(&pair, of_b.links[i].name);
		strangers++;
	}
	pair.path = strangers > 0              ? SURVEY_PATH_STRANGER
		    : wanted && crossings == 0 ? SURVEY_PATH_MISSING
		    : wanted                   ? SURVEY_PATH_CROSSING
					       : SURVEY_PATH_NONE;
	return pair;
}

static void read_path(struct supervisor *sup, struct zone *a, struct zone *b)
{
	static const char *const differences[] = {
		[SURVEY_PATH_UNKNOWN] = "the kernel does not say",
		[SURVEY_PATH_NONE] = "",
		[SURVEY_PATH_CROSSING] = "",
		[SURVEY_PATH_MISSING] = "the crossing is missing",
		[SURVEY_PATH_STRANGER] = "joined by a device that no policy asks for",
	};
	struct survey_pair pair = survey_pair_read(sup, a, b);
	const char *difference = differences[pair.path];

	supervisor_event(sup, difference[0] != '\0' ? EVENT_PATH_DIFFERS : EVENT_PATH_READ,
			 EV_TEXT(FROM_ZONE, a->name), EV_TEXT(TO_ZONE, b->name),
			 EV_TEXT(DETAIL, pair.path == SURVEY_PATH_UNKNOWN ? "unknown"
					 : pair.names[0] != '\0'          ? pair.names
									  : "none"),
			 EV_TEXT(REASON, difference),
			 EV_TEXT(NAME, !pair.configured ? "none"
				       : pair.shut      ? "shut"
							: "open"));
}

static void look(struct loop *loop, struct loop_timer *self)
{
	struct supervisor *sup = self->ctx;
	const struct snapshot *s = &sup->running.snapshot;

	if (sup->stopping)
		return;
	sup->survey_due = sup->survey_again || sup->commit.state != COMMIT_IDLE;
	sup->survey_again = false;
	loop_arm(loop, self, sup->survey_due ? SURVEY_SOON_MS : SURVEY_EVERY_MS);
	if (sup->running.fd < 0 || sup->commit.state != COMMIT_IDLE)
		return;
	for (uint32_t i = 0; i < s->zone_count; i++) {
		struct zone *zone = zones_find(&sup->zones, s->zones[i].name);

		if (zone == NULL)
			continue;
		read_zone(sup, zone);
		for (uint32_t j = i + 1; j < s->zone_count; j++) {
			struct zone *other = zones_find(&sup->zones, s->zones[j].name);

			if (other != NULL)
				read_path(sup, zone, other);
		}
	}
}

void survey_soon(struct supervisor *sup)
{
	if (sup->survey_due) {
		sup->survey_again = true; /* changes without end must not put the look off */
		return;
	}
	sup->survey_due = true;
	sup->survey_timer.fire = look;
	sup->survey_timer.ctx = sup;
	loop_arm(&sup->loop, &sup->survey_timer, SURVEY_SOON_MS);
}
