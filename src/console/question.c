/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "console/question.h"

#include "console/console.h"

void question_key(struct console *c, uint8_t byte, void (*take)(struct console *),
		  void (*give_up)(struct console *))
{
	switch (line_feed(&c->line, byte)) {
	case LINE_SUBMIT:
		line_leave(&c->line);
		take(c);
		break;
	case LINE_INTERRUPT:
	case LINE_END:
		line_leave(&c->line);
		give_up(c);
		break;
	case LINE_REPORT:
		screen_report(c);
		break;
	case LINE_HELP:
	case LINE_COMPLETE:
	case LINE_NONE:
		break;
	}
}
