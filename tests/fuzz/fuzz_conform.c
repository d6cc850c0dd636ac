/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets of a few flows in any order, with any bytes: the table stays whole, a refused flow stays
 * refused, and a flow is permitted only after bytes of its own that conform.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "arbiter/conform.h"
#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct conform table;
static const struct snapshot policy;

/* What must be true of one flow, by its port. */
static struct {
	bool shown, refused;
} known[4];

static void judge_one(struct reader *r, uint64_t now_ms)
{
	uint8_t control = reader_u8(r), flags = reader_u8(r);
	const struct snapshot_conform row = {.kind = control >> 2 & 7};
	struct ip_headers h = {.family = 4,
			       .protocol = IP_PROTOCOL_TCP,
			       .flags = IP_HAS_PORTS,
			       .tcp_flags = flags & 0x3f,
			       .source_port = control & 3};
	struct conform_packet packet = {.headers = &h,
					.reply = flags & 0x40,
					.established = flags & 0x80,
					.whole = control & 0x20,
					.rule = {&policy, &row},
					.fingerprint = 1 + row.kind,
					.now_ms = now_ms};
	struct conform_finding finding;
	size_t bytes = reader_u8(r);

	h.tcp_sequence = reader_be16(r);
	h.tcp_acknowledgement = reader_be16(r);
	packet.payload = reader_span(r, bytes < reader_left(r) ? bytes : reader_left(r));
	packet.payload_bytes = packet.payload.size + (control & 0x40 ? 100 : 0);
	enum conform_verdict verdict = conform_judge(&table, &packet, &finding);
	unsigned flow = control & 3;

	if (!packet.established && !packet.reply && verdict == CONFORM_ONCE)
		known[flow].shown = known[flow].refused = false; /* begun anew */
	if (finding.state == CONFORM_SHOWN)
		known[flow].shown = true;
	if (verdict == CONFORM_PERMIT && (!known[flow].shown || known[flow].refused))
		abort();
	if (known[flow].refused && verdict != CONFORM_DENY && packet.established)
		abort();
	if (verdict == CONFORM_DENY && packet.established)
		known[flow].refused = true;
	if (finding.name_bytes > CONFORM_NAME_BYTES_MAX)
		abort();
}

static void forget(void *ctx, const struct conform_flow *flow)
{
	if (flow->reason != JUDGE_CONFORM_DEADLINE)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r;
	uint64_t now_ms = 0;

	conform_init(&table);
	memset(known, 0, sizeof(known));
	reader_init(&r, data, size);
	while (reader_left(&r) >= 7) {
		judge_one(&r, now_ms);
		now_ms += 50;
	}
	conform_tick(&table, now_ms + CONFORM_DEADLINE_MS + 1, forget, NULL);
	return 0;
}
