/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the making and the asking of a lookup share. */
#ifndef SEKISHO_ARBITER_LOOKUP_BUILD_H
#define SEKISHO_ARBITER_LOOKUP_BUILD_H

#include <stdint.h>

#include "policy/snapshot.h"

/* The key of a group. */
uint32_t lookup_key(uint32_t from, uint32_t to, uint8_t family, uint8_t protocol);

/* The values on the port axis for which a service holds: ports, an ICMP type, or all. */
void lookup_port_range(const struct snapshot_service *service, uint32_t *low, uint32_t *high);

#endif
