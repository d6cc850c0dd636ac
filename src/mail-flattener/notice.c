/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of the gateway's own words. */
#include "mail-flattener/notice.h"

#include <stddef.h>

static const char *const texts[NOTICE_COUNT_][2] = {
#define NOTICE(id, ja, en) [NOTICE_##id] = {ja, en},
#include "mail-flattener/notice.def"
#undef NOTICE
};

const char *notice_text(enum notice notice, bool english)
{
	return texts[notice][english ? 1 : 0];
}
