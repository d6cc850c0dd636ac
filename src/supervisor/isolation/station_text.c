/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stations as text. */
#include "supervisor/isolation/station_text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static bool read_mac(const char *text, uint8_t mac[6])
{
	unsigned b[6];
	char more;

	if (strlen(text) != 17 || sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%c", &b[0], &b[1], &b[2],
					 &b[3], &b[4], &b[5], &more) != 6)
		return false;
	for (unsigned i = 0; i < 6; i++)
		mac[i] = (uint8_t)b[i];
	return true;
}

bool station_read(struct station_shut *out, const char *text)
{
	*out = (struct station_shut){.size = 6};
	if (read_mac(text, out->bytes))
		return true;
	out->size = 4;
	if (inet_pton(AF_INET, text, out->bytes) == 1)
		return true;
	out->size = 16;
	return inet_pton(AF_INET6, text, out->bytes) == 1;
}

void station_print(char out[STATION_TEXT_BYTES], const struct station_shut *station)
{
	const uint8_t *m = station->bytes;

	if (station->size == 6)
		(void)snprintf(out, STATION_TEXT_BYTES, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1],
			       m[2], m[3], m[4], m[5]);
	else
		(void)inet_ntop(station->size == 4 ? AF_INET : AF_INET6, m, out,
				STATION_TEXT_BYTES); /* the family and the size are right */
}
