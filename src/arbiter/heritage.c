/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What marks of earlier policies stand for. */
#include "arbiter/heritage.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "channel/packet.h"

/* FNV-1a, continued. */
static uint64_t hash_more(uint64_t hash, const void *data, size_t bytes)
{
	const uint8_t *at = data;

	for (size_t i = 0; i < bytes; i++)
		hash = (hash ^ at[i]) * 0x100000001b3U;
	return hash;
}

uint64_t heritage_fingerprint(const struct snapshot *s, const struct snapshot_conform *row)
{
	uint64_t hash = hash_more(0xcbf29ce484222325U, &row->kind, sizeof(row->kind));

	hash = hash_more(hash, &row->ech_allowed, sizeof(row->ech_allowed));
	for (uint32_t i = 0; i < row->names.count; i++) {
		const char *name = snapshot_text_at(s, s->list_texts[row->names.first + i].at);

		hash = hash_more(hash, name, strlen(name) + 1);
	}
	return hash == 0 ? 1 : hash;
}

static void forget_policy(struct heritage_policy *policy)
{
	free(policy->permits);
	free(policy->services);
	*policy = (struct heritage_policy){0};
}

static void fill_policy(struct heritage_policy *policy, const struct snapshot *s)
{
	for (uint32_t i = 0; i < s->permit_count; i++)
		policy->permits[i] = s->permits[i].services;
	for (uint32_t i = 0; i < s->service_count; i++) {
		const struct snapshot_service *service = &s->services[i];

		policy->services[i] = (struct heritage_service){
			.protocol = service->protocol, .low = service->low, .high = service->high};
		if (service->conform != SNAPSHOT_NONE)
			policy->services[i].fingerprint =
				heritage_fingerprint(s, &s->conforms[service->conform]);
	}
}

int heritage_add_policy(struct heritage *h, const struct snapshot *s, uint64_t epoch)
{
	struct heritage_policy *policy = &h->policies[h->next_policy];

	forget_policy(policy);
	policy->permits = calloc(s->permit_count + 1, sizeof(policy->permits[0]));
	policy->services = calloc(s->service_count + 1, sizeof(policy->services[0]));
	if (policy->permits == NULL || policy->services == NULL) {
		forget_policy(policy);
		return -ERR_NO_MEMORY;
	}
	h->next_policy = (h->next_policy + 1) % HERITAGE_POLICIES;
	policy->epoch = epoch;
	policy->permit_count = s->permit_count;
	policy->service_count = s->service_count;
	fill_policy(policy, s);
	return 0;
}

void heritage_add_generation(struct heritage *h, uint16_t generation, uint64_t epoch)
{
	for (unsigned i = 0; i < HERITAGE_GENERATIONS; i++) {
		if (h->generations[i].generation == generation) {
			h->generations[i].epoch = epoch; /* its number is used anew */
			return;
		}
	}
	h->generations[h->next_generation].generation = generation;
	h->generations[h->next_generation].epoch = epoch;
	h->next_generation = (h->next_generation + 1) % HERITAGE_GENERATIONS;
}

static const struct heritage_policy *policy_of(const struct heritage *h, uint16_t generation)
{
	for (unsigned i = 0; i < HERITAGE_GENERATIONS; i++) {
		if (h->generations[i].generation != generation)
			continue;
		for (unsigned j = 0; j < HERITAGE_POLICIES; j++) {
			if (h->policies[j].epoch == h->generations[i].epoch)
				return &h->policies[j];
		}
	}
	return NULL;
}

bool heritage_holds(const struct heritage *h, uint32_t mark, const struct ip_headers *headers,
		    uint64_t fingerprint)
{
	uint32_t permit = mark & PACKET_MARK_PERMIT;
	const struct heritage_policy *policy = policy_of(h, (uint16_t)(mark >> 16));

	if (mark >> 16 == 0 || permit == 0 || policy == NULL || permit > policy->permit_count)
		return false;
	struct snapshot_range services = policy->permits[permit - 1];

	for (uint32_t i = 0; i < services.count; i++) {
		const struct heritage_service *service = &policy->services[services.first + i];

		if (service->fingerprint == fingerprint && service->protocol == headers->protocol &&
		    headers->destination_port >= service->low &&
		    headers->destination_port <= service->high)
			return true;
	}
	return false;
}
