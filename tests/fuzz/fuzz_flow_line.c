/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a line that tells of a flow: no read outside them; what is read is whole. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "arbiter/flow_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct flow_line line;
	/* A copy of exactly this size, so that one byte too far is seen. */
	uint8_t *copy = malloc(size == 0 ? 1 : size);

	if (copy == NULL)
		return 0;
	memcpy(copy, data, size);
	if (flow_line_read(&line, (struct span){copy, size}) == 0) {
		if (line.headers.family != 4 && line.headers.family != 6)
			abort();
		if (line.from[0] == '\0' || memchr(line.from, '\0', sizeof(line.from)) == NULL)
			abort();
		if (line.permit > FLOW_LINE_PERMIT_MAX)
			abort();
	}
	free(copy);
	return 0;
}
