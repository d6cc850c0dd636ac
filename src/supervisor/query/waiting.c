/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which question a candidate answers. */
#include "supervisor/query/waiting.h"

bool replay_candidate_is_of(const struct replay_candidate *candidate,
			    const struct control_query *question, pid_t asker)
{
	return candidate->fd >= 0 && candidate->console == question->console &&
	       candidate->request == question->limit && candidate->owner == asker;
}
