/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One request of a console while it is served. */
#ifndef SEKISHO_CONFIG_ASKING_H
#define SEKISHO_CONFIG_ASKING_H

#include "config/config.h"

struct asking {
	struct config *c;
	struct config_link *link;
	const struct console_request *request;
	enum language language;
	int fd;            /* what came with it, -1: nothing */
	struct bytes text; /* the answer's */
};

/* Put a text into the answer. Return: @status. */
enum console_status asking_say(struct asking *a, enum console_status status, const char *en,
			       const char *ja);

/* slots.c: certificates, keys and authorities. The request's line is the slot's name. */
enum console_status slots_load_certificate(struct asking *a);
enum console_status slots_load_authority(struct asking *a);
enum console_status slots_list(struct asking *a);
enum console_status slots_show(struct asking *a);

#endif
