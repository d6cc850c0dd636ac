/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Permits taken apart into atoms. */
#include "policy/atoms.h"

#include <netinet/in.h>
#include <string.h>

/* One walk over all permits; @atom is filled from the outside in. */
struct walk {
	const struct snapshot *s;
	int (*each)(void *ctx, const struct policy_atom *atom);
	void *ctx;
	struct policy_atom atom;
};

bool policy_has_ports(uint8_t protocol)
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_DCCP,
					    IPPROTO_UDPLITE};

	return memchr(protocols, protocol, sizeof(protocols)) != NULL;
}

bool policy_is_icmp(uint8_t protocol)
{
	return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

uint8_t policy_source_bits(const struct snapshot *s, const struct policy_atom *atom)
{
	return atom->source == SNAPSHOT_NONE ? 0 : s->prefixes[atom->source].bits;
}

/* A range of ports as aligned blocks of a power of two: at most 30. */
static int walk_ports(struct walk *w, uint32_t low, uint32_t high)
{
	uint32_t at = low;
	int result = 0;

	while (at <= high && result == 0) {
		uint32_t size = at == 0 ? 0x10000 : at & -at;

		while (size > high + 1 - at)
			size /= 2;
		w->atom.port = (uint16_t)at;
		w->atom.port_bits = (uint8_t)(16 - __builtin_ctz(size));
		result = w->each(w->ctx, &w->atom);
		at += size;
	}
	return result;
}

static int walk_service(struct walk *w, const struct snapshot_service *service)
{
	bool typed = policy_is_icmp(service->protocol) && !service->icmp_type_any;

	w->atom.protocol = service->protocol;
	if (policy_has_ports(service->protocol))
		return walk_ports(w, service->low, service->high);
	w->atom.port = typed ? service->low : 0;
	w->atom.port_bits = typed ? 16 : 0;
	return w->each(w->ctx, &w->atom);
}

static int walk_services(struct walk *w)
{
	struct snapshot_range services = w->s->permits[w->atom.permit].services;
	int result = 0;

	for (uint32_t i = 0; i < services.count && result == 0; i++) {
		w->atom.service = services.first + i;
		result = walk_service(w, &w->s->services[services.first + i]);
	}
	return result;
}

static int walk_sources(struct walk *w)
{
	struct snapshot_range sources = w->s->permits[w->atom.permit].sources;
	int result = 0;

	w->atom.source = SNAPSHOT_NONE;
	if (sources.count == 0)
		return walk_services(w);
	for (uint32_t i = 0; i < sources.count && result == 0; i++) {
		w->atom.source = sources.first + i;
		if (w->s->prefixes[w->atom.source].family == w->atom.family)
			result = walk_services(w);
	}
	return result;
}

int policy_atoms(const struct snapshot *s, int (*each)(void *ctx, const struct policy_atom *atom),
		 void *ctx)
{
	struct walk w = {.s = s, .each = each, .ctx = ctx};
	int result = 0;

	for (uint32_t i = s->permit_count; i > 0; i--) {
		struct snapshot_range destinations = s->permits[i - 1].destinations;

		w.atom.permit = i - 1;
		for (uint32_t d = 0; d < destinations.count && result == 0; d++) {
			w.atom.destination = destinations.first + d;
			w.atom.family = s->prefixes[w.atom.destination].family;
			result = walk_sources(&w);
		}
	}
	return result;
}
