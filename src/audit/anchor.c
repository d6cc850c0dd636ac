/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writing anchors. */
#include "audit/anchor.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"

#define NS_PER_S 1000000000

#define tell(a, id, ...)                                                                           \
	(a)->event((a)->ctx, (id), (const struct event_arg[]){__VA_ARGS__},                        \
		   sizeof((const struct event_arg[]){__VA_ARGS__}) / sizeof(struct event_arg))

static void print_hex(const uint8_t *bytes, size_t size, char *text)
{
	for (size_t i = 0; i < size; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

void anchors_write(struct anchors *a)
{
	const struct store *store = a->store;
	char signature[2 * LOG_ANCHOR_SIGNATURE_BYTES + 1];
	int64_t wall_ns = clock_wall_ns(store->form->clock);

	if (!a->key.usable)
		return;
	a->last = (struct log_anchor){
		.sequence = store->chain.next_sequence - 1,
		.time_s = wall_ns > 0 ? (uint64_t)(wall_ns / NS_PER_S) : 0,
	};
	memcpy(a->last.hash, store->chain.hash, sizeof(a->last.hash));
	device_key_sign(&a->key, &a->last);
	print_hex(a->last.signature, sizeof(a->last.signature), signature);
	tell(a, EVENT_LOG_ANCHOR, EV_NUMBER(RECORD, a->last.sequence),
	     EV_SHA256(SHA256, a->last.hash), EV_NUMBER(TIME_S, a->last.time_s),
	     EV_SHA256(KEY, a->last.key), EV_TEXT(SIGNATURE, signature));
}

static void on_day(struct loop *loop, struct loop_timer *timer)
{
	anchors_write(timer->ctx);
	loop_arm(loop, timer, ANCHOR_EVERY_MS);
}

void anchors_start(struct anchors *a, struct loop *loop, const struct store *store, int directory)
{
	int err = directory < 0 ? -ERR_NOT_FOUND : device_key_open(&a->key, directory);

	a->store = store;
	a->timer = (struct loop_timer){.fire = on_day, .ctx = a};
	if (err < 0) {
		tell(a, EVENT_DEVICE_KEY_MISSING, EV_TEXT(REASON, err_name(err)));
		return;
	}
	if (a->key.is_new)
		tell(a, EVENT_DEVICE_KEY_MADE, EV_SHA256(KEY, a->key.public),
		     EV_TEXT(REASON,
			     a->key.damaged ? "the one before was damaged" : "first start"));
	anchors_write(a);
	loop_arm(loop, &a->timer, ANCHOR_EVERY_MS);
}

void anchors_fini(struct anchors *a)
{
	device_key_fini(&a->key);
}

int anchors_print(const struct anchors *a, struct bytes *out)
{
	int err;

	if (!a->key.usable)
		return bytes_append_text(out, "device key: none; the log is not anchored\n");
	err = bytes_append_text(out, "device key:\n");
	if (err == 0)
		err = device_key_pem(a->key.public, out);
	if (err == 0)
		err = bytes_printf(out, "newest anchor of the log: record %llu\n",
				   (unsigned long long)a->last.sequence);
	return err;
}
