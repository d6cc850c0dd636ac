/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events from a process that was taken over: any bytes as a record. What passes the check must
 * become one line of valid UTF-8 that is a record of the log and fits the log's limit.
 */
#include <stdlib.h>
#include <string.h>

#include "audit/record.h"
#include "base/utf8.h"
#include "wire/log/chain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t line[LOG_CHAIN_LINE_MAX];
	struct clock_simulated time = {.mono_ns = 1, .wall_ns = 1};
	const struct clock clock = clock_simulate(&time);
	const struct record_form form = {.clock = &clock, .host = "h"};
	struct event_record event = {0};
	struct log_chain chain, again;
	struct syslog_view view;
	struct writer w;
	const char *why;

	memcpy(&event, data, size < sizeof(event) ? size : sizeof(event));
	if (record_check(&event) < 0)
		return 0;
	log_chain_init(&chain);
	again = chain;
	writer_init(&w, line, sizeof(line));
	if (record_write(&w, &form, "arbiter", 1, &event) < 0 || log_chain_seal(&chain, &w) < 0)
		abort(); /* every record has to fit */
	if (!utf8_valid((struct span){line, w.size}))
		abort();
	if (log_chain_check(&again, (struct span){line, w.size}, &view, &why) < 0)
		abort();
	return 0;
}
