/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Syslog: any bytes as a message, and any bytes as a value of one. What is written must be one line
 * of valid UTF-8 that parses to exactly one parameter, whatever the value was.
 */
#include <stdlib.h>

#include "base/utf8.h"
#include "wire/log/chain.h"
#include "wire/log/syslog.h"

static void parse_any(struct span line)
{
	struct log_chain chain;
	struct syslog_view view;
	struct span value;
	const char *why;

	log_chain_init(&chain);
	if (log_chain_check(&chain, line, &view, &why) == 0)
		abort(); /* would be a collision */
	(void)log_chain_adopt(&chain, line);
	if (syslog_parse(line, &view) == 0)
		(void)syslog_param(&view, "none", &value);
}

static void write_any(struct span value)
{
	static uint8_t bytes[64 * 1024];
	struct syslog_view view;
	struct span found;
	struct writer w;

	if (value.size > 4096)
		value.size = 4096;
	writer_init(&w, bytes, sizeof(bytes));
	syslog_put_header(&w, &(struct syslog_header){.facility = 16, .app = "sekisho"});
	syslog_put_element(&w, LOG_CHAIN_ELEMENT);
	syslog_put_param(&w, "value", value);
	syslog_end_element(&w);
	if (w.failed || !utf8_valid((struct span){bytes, w.size}))
		abort();
	if (syslog_parse((struct span){bytes, w.size}, &view) < 0 ||
	    syslog_param(&view, "value", &found) < 0)
		abort();
	if (found.size < value.size || found.size > value.size * SYSLOG_VALUE_GROWTH ||
	    view.text.size > 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	parse_any((struct span){data, size});
	write_any((struct span){data, size});
	return 0;
}
