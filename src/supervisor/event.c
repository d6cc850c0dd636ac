/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The supervisor's events: to audit as a record, to stderr as text. */
#include "supervisor/supervisor.h"

void supervisor_emit(struct supervisor *sup, enum event_id id, const struct event_arg *args, size_t arg_count)
{
	event_emit(&sup->events, id, args, arg_count);
	event_emit(&sup->log, id, args, arg_count);
}
