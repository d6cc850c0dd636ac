/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waiting for a record to leave, and the certificate of a wipe. */
#include "audit/certificate.h"

#include <string.h>

#include "base/err.h"
#include "channel/control.h"

#define LOOK_MS 100U

static void print_hex(struct writer *out, const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		writer_printf(out, "%02x", bytes[i]);
	writer_u8(out, '\n');
}

int certificate_print(const struct certificate *c, const char *text, unsigned reached,
		      char out[ZEROISE_CERTIFICATE_BYTES])
{
	uint8_t signature[LOG_ANCHOR_SIGNATURE_BYTES];
	struct writer w;

	writer_init(&w, out, ZEROISE_CERTIFICATE_BYTES - 1);
	writer_printf(&w, "sekisho zeroise\nhost %.63s\n%s", c->form->host, text);
	writer_printf(&w, "syslog-servers-sent-to %u of %u\ndevice-key ", reached,
		      c->destinations->running.count);
	if (c->key->usable) {
		print_hex(&w, c->key->public, sizeof(c->key->public));
		device_key_sign_text(c->key, (struct span){w.data, w.size}, signature);
		writer_text(&w, "signature ");
		print_hex(&w, signature, sizeof(signature));
	} else {
		writer_text(&w, "none\n");
	}
	out[w.size] = '\0';
	return w.failed ? -ERR_TOO_LONG : 0;
}

static void answer(struct certificate *c, unsigned reached)
{
	struct control_certified body = {.number = c->order.number};

	/* What the supervisor does not get it gives up by itself; the sizes of both texts fit. */
	if (certificate_print(c, c->order.text, reached, body.text) == 0)
		(void)channel_send(c->control, CONTROL_CERTIFIED, &body, sizeof(body), NULL, 0);
	c->order.number = 0;
}

static void look(struct loop *loop, struct loop_timer *self)
{
	struct certificate *c = self->ctx;
	unsigned reached = destinations_reached(c->destinations, c->sequence);

	if (reached < c->destinations->running.count && clock_mono_ms(loop->clock) < c->until_ms)
		loop_arm(loop, self, LOOK_MS);
	else
		answer(c, reached);
}

void certificate_begin(struct certificate *c, const struct control_certify *order)
{
	c->order = *order;
	c->order.text[sizeof(c->order.text) - 1] = '\0';
	c->sequence = c->store->chain.next_sequence;
	c->until_ms = clock_mono_ms(c->loop->clock) + ZEROISE_SEND_MS;
	c->timer.fire = look;
	c->timer.ctx = c;
	look(c->loop, &c->timer);
}
