/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of the house's error numbers. */
#include "base/err.h"

static const char *const names[ERR_COUNT_] = {
	[ERR_NONE] = "none",           [ERR_SYNTAX] = "syntax",
	[ERR_TOO_LONG] = "too-long",   [ERR_TRUNCATED] = "truncated",
	[ERR_RANGE] = "range",         [ERR_UNSUPPORTED] = "unsupported",
	[ERR_NOT_FOUND] = "not-found", [ERR_EXISTS] = "exists",
	[ERR_STATE] = "state",         [ERR_DENIED] = "denied",
	[ERR_INTEGRITY] = "integrity", [ERR_NO_SPACE] = "no-space",
	[ERR_NO_MEMORY] = "no-memory", [ERR_TIMEOUT] = "timeout",
	[ERR_CLOSED] = "closed",       [ERR_AGAIN] = "again",
	[ERR_PEER] = "peer",           [ERR_SYSTEM] = "system",
};

const char *err_name(int err)
{
	unsigned number = err < 0 ? 0U - (unsigned)err : (unsigned)err;

	return number < ERR_COUNT_ ? names[number] : "unknown";
}
