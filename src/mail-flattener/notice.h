/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The gateway's own words in a flattened mail, in Japanese and English. */
#ifndef SEKISHO_MAIL_FLATTENER_NOTICE_H
#define SEKISHO_MAIL_FLATTENER_NOTICE_H

#include <stdbool.h>

enum notice {
#define NOTICE(id, ja, en) NOTICE_##id,
#include "mail-flattener/notice.def"
#undef NOTICE
	NOTICE_COUNT_
};

/* Fixed text; its %s are for flatten_say to fill in. */
const char *notice_text(enum notice notice, bool english);

#endif
