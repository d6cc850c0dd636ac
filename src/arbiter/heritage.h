/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What flows that run already have shown under policies before. A flow of such a policy carries its
 * mark; it goes on under a permit that asks for conformance only if the permit of its mark asked
 * for the very same.
 */
#ifndef SEKISHO_ARBITER_HERITAGE_H
#define SEKISHO_ARBITER_HERITAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/snapshot.h"
#include "wire/packet/ip.h"

#define HERITAGE_POLICIES    8 /* remembered; of older ones nothing is believed */
#define HERITAGE_GENERATIONS 64

/* A service of a policy before, and what it asked: 0 where nothing. */
struct heritage_service {
	uint8_t protocol;
	uint16_t low, high; /* destination ports */
	uint64_t fingerprint;
};

struct heritage_policy {
	uint64_t epoch; /* 0: none */
	uint32_t permit_count, service_count;
	struct snapshot_range *permits; /* of each its services */
	struct heritage_service *services;
};

struct heritage {
	struct heritage_policy policies[HERITAGE_POLICIES];
	unsigned next_policy;
	struct {
		uint16_t generation; /* 0: none */
		uint64_t epoch;
	} generations[HERITAGE_GENERATIONS];
	unsigned next_generation;
};

/* A number for what a row asks, the same in every policy that asks it; never 0. */
uint64_t heritage_fingerprint(const struct snapshot *s, const struct snapshot_conform *row);

/**
 * heritage_add_policy - remember a policy that is about to be judged by
 * Return: 0 or -ERR_NO_MEMORY: then its flows have to begin anew after the next change.
 */
int heritage_add_policy(struct heritage *h, const struct snapshot *s, uint64_t epoch);

/* Marks of @generation are of the policy @epoch. Cheap where that is known already. */
void heritage_add_generation(struct heritage *h, uint16_t generation, uint64_t epoch);

/**
 * heritage_holds - whether a flow's mark says that it has shown what a rule asks
 * @mark:    of an earlier verdict; 0: none
 * @headers: in the initiator's direction
 */
bool heritage_holds(const struct heritage *h, uint32_t mark, const struct ip_headers *headers,
		    uint64_t fingerprint);

#endif
