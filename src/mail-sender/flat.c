/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The flattened message: verified as it arrives, written out when it is whole. */
#include "mail-sender/flat.h"

#include <string.h>

#include "base/err.h"
#include "wire/smtp/data.h"

#define BASE64_LINE_BYTES 57 /* octets that give a line of 76, RFC 2045 6.8 */

void flat_init(struct flat *f, size_t limit_bytes)
{
	*f = (struct flat){0};
	bytes_init(&f->text, limit_bytes);
	mail_verify_init(&f->verify);
	sha256_init(&f->hash);
}

void flat_fini(struct flat *f)
{
	bytes_fini(&f->text);
}

static int fail(struct flat *f, const char *why)
{
	if (f->fault == NULL)
		f->fault = why != NULL ? why : "not conforming";
	return -ERR_INTEGRITY;
}

static int verify_lines(struct flat *f)
{
	for (;;) {
		const uint8_t *from = f->text.data + f->line_at;
		const uint8_t *lf = memchr(from, '\n', f->text.size - f->line_at);

		if (lf == NULL)
			break;
		if (mail_verify_line(&f->verify, from, (size_t)(lf - from)) < 0)
			return fail(f, mail_verify_reason(&f->verify));
		f->line_at += (size_t)(lf - from) + 1;
	}
	if (f->text.size - f->line_at > MAIL_LINE_MAX)
		return fail(f, "line too long");
	return 0;
}

int flat_push(struct flat *f, struct span in)
{
	if (f->fault != NULL)
		return -ERR_INTEGRITY;
	if (in.size == 0)
		return 0;
	if (bytes_append(&f->text, in.data, in.size) < 0)
		return fail(f, "longer than any message may become");
	sha256_update(&f->hash, in.data, in.size);
	return verify_lines(f);
}

int flat_finish(struct flat *f, uint64_t size_bytes, const uint8_t sha256[SHA256_BYTES])
{
	uint8_t digest[SHA256_BYTES];

	if (f->fault != NULL)
		return -ERR_INTEGRITY;
	sha256_final(&f->hash, digest);
	if (f->text.size != size_bytes)
		return fail(f, "not as long as the flattener says");
	if (memcmp(digest, sha256, sizeof(digest)) != 0)
		return fail(f, "not the bytes that the flattener says");
	if (f->line_at != f->text.size)
		return fail(f, "the last line has no end");
	if (mail_verify_end(&f->verify) < 0)
		return fail(f, mail_verify_reason(&f->verify));
	return 0;
}

void flat_wire_init(struct flat_wire *w, const struct flat *flat, bool to_base64)
{
	*w = (struct flat_wire){.flat = flat, .to_base64 = to_base64};
}

/* The next line as it stands; the encoding's own header line changes with the encoding. */
static int put_line(struct flat_wire *w, struct bytes *out)
{
	const struct bytes *text = &w->flat->text;
	const uint8_t *from = text->data + w->at;
	const uint8_t *lf = memchr(from, '\n', text->size - w->at);
	struct span line = {from, lf == NULL ? text->size - w->at : (size_t)(lf - from)};

	w->at += line.size + (lf != NULL);
	if (!w->in_body && line.size == 0)
		w->in_body = true;
	if (!w->in_body && w->to_base64 &&
	    span_equal_nocase(line, span_of("Content-Transfer-Encoding: 8bit"))) {
		w->encoding = true;
		line = span_of("Content-Transfer-Encoding: base64");
	}
	return smtp_data_put_line(out, line);
}

/* The body in its canonical form, one octet at a time. */
static uint8_t canonical_octet(struct flat_wire *w)
{
	uint8_t c = w->flat->text.data[w->at];

	if (c == '\n' && !w->lf_due) {
		w->lf_due = true;
		return '\r';
	}
	w->lf_due = false;
	w->at++;
	return c;
}

/* One line of base64 (RFC 4648 4). */
static int put_base64_line(struct flat_wire *w, struct bytes *out)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t raw[BASE64_LINE_BYTES + 2] = {0};
	uint8_t line[(BASE64_LINE_BYTES + 2) / 3 * 4];
	size_t raw_bytes = 0;
	size_t line_bytes = 0;

	while (raw_bytes < BASE64_LINE_BYTES && w->at < w->flat->text.size)
		raw[raw_bytes++] = canonical_octet(w);
	for (size_t i = 0; i < raw_bytes; i += 3) {
		uint32_t bits = (uint32_t)raw[i] << 16 | (uint32_t)raw[i + 1] << 8 | raw[i + 2];

		line[line_bytes++] = (uint8_t)digits[bits >> 18];
		line[line_bytes++] = (uint8_t)digits[bits >> 12 & 63];
		line[line_bytes++] = i + 1 < raw_bytes ? (uint8_t)digits[bits >> 6 & 63] : '=';
		line[line_bytes++] = i + 2 < raw_bytes ? (uint8_t)digits[bits & 63] : '=';
	}
	return smtp_data_put_line(out, (struct span){line, line_bytes});
}

int flat_wire_next(struct flat_wire *w, struct bytes *out, size_t enough_bytes)
{
	while (!w->ended && out->size < enough_bytes) {
		int err = 0;

		if (w->at == w->flat->text.size) {
			err = bytes_append(out, ".\r\n", 3);
			w->ended = true;
		} else if (w->in_body && w->encoding) {
			err = put_base64_line(w, out);
		} else {
			err = put_line(w, out);
		}
		if (err < 0)
			return err;
	}
	return w->ended ? 1 : 0;
}
