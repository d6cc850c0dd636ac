/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stations as text: a hardware address, or an address. */
#ifndef SEKISHO_SUPERVISOR_ISOLATION_STATION_TEXT_H
#define SEKISHO_SUPERVISOR_ISOLATION_STATION_TEXT_H

#include <stdbool.h>

#include "channel/stations.h"

/* Return: whether @text is one; unless so @out is of no use. */
bool station_read(struct station_shut *out, const char *text);

/* One way to write it, so that it has one name. */
void station_print(char out[STATION_TEXT_BYTES], const struct station_shut *station);

#endif
