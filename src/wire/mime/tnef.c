/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TNEF: attributes, and the MAPI properties inside some of them. All numbers are little-endian. */
#include "wire/mime/tnef.h"

#include <string.h>

#include "base/err.h"

enum { SIGNATURE = 0x223E9F78 };

enum attribute {
	ATT_SUBJECT = 0x00018004,
	ATT_BODY = 0x0002800C,
	ATT_OEM_CODEPAGE = 0x00069007,
	ATT_MAPI_PROPS = 0x00069003,
	ATT_ATTACH_REND = 0x00069002,
	ATT_ATTACH_TITLE = 0x00018010,
	ATT_ATTACH_DATA = 0x0006800F,
	ATT_ATTACHMENT = 0x00069005,
};

enum property {
	PROP_SUBJECT = 0x0037,
	PROP_BODY = 0x1000,
	PROP_RTF = 0x1009,
	PROP_HTML = 0x1013,
	PROP_ATTACH_DATA = 0x3701,
	PROP_ATTACH_METHOD = 0x3705,
	PROP_ATTACH_NAME = 0x3704,
	PROP_ATTACH_LONG_NAME = 0x3707,
	PROP_INTERNET_CODE_PAGE = 0x3FDE,
	PROP_CODE_PAGE = 0x3FFD,
};

/* Of PROP_ATTACH_METHOD (MS-OXCMSG 2.2.2.9). */
enum { METHOD_EMBEDDED_MESSAGE = 5 };

enum property_type {
	TYPE_LONG = 0x03,
	TYPE_OBJECT = 0x0D,
	TYPE_STRING8 = 0x1E,
	TYPE_UNICODE = 0x1F,
	TYPE_BINARY = 0x102,
	TYPE_MANY = 0x1000,
};

static uint16_t le16(struct reader *r)
{
	uint16_t low = reader_u8(r);

	return (uint16_t)(low | reader_u8(r) << 8);
}

static uint32_t le32(struct reader *r)
{
	uint32_t low = le16(r);

	return low | (uint32_t)le16(r) << 16;
}

/* Bytes of a value of fixed size, with its padding; 0 for the types of variable size. */
static size_t fixed_size(uint16_t type)
{
	switch (type) {
	case 0x02:
	case 0x03:
	case 0x04:
	case 0x0A:
	case 0x0B:
		return 4;
	case 0x05:
	case 0x06:
	case 0x07:
	case 0x14:
	case 0x40:
		return 8;
	case 0x48:
		return 16;
	default:
		return 0;
	}
}

/* The name of a named property is not needed: pass over it. */
static void skip_name(struct reader *r)
{
	uint32_t kind, size;

	reader_skip(r, 16);
	kind = le32(r);
	size = kind == 0 ? 4 : le32(r);
	if (size > reader_left(r))
		r->failed = true;
	else
		reader_skip(r, kind == 0 ? size : (size + 3) / 4 * 4);
}

/* One value of variable size. */
static struct span variable_value(struct reader *r)
{
	uint32_t size = le32(r);
	struct span value;

	if (size > reader_left(r)) {
		r->failed = true;
		return span_of("");
	}
	value = reader_span(r, size);
	size = (4 - size % 4) % 4;
	reader_skip(r, size <= reader_left(r)
			       ? size
			       : reader_left(r)); /* the last padding may be missing */
	return value;
}

/* The value of a property: the last one where there are many. */
static struct span property_value(struct reader *r, uint16_t type)
{
	uint32_t count = type & TYPE_MANY ? le32(r) : 1;
	struct span value = span_of("");
	size_t size = fixed_size(type & ~TYPE_MANY);

	if (size > 0) {
		if (count > reader_left(r) / size)
			r->failed = true;
		else
			value = reader_span(r, count * size);
		return value;
	}
	if (!(type & TYPE_MANY))
		count = le32(r);
	for (uint32_t i = 0; i < count && !r->failed; i++)
		value = variable_value(r);
	return value;
}

/* A string without the zeros at its end. */
static struct tnef_text text_of(struct span value, bool utf16)
{
	size_t unit = utf16 ? 2 : 1;

	if (utf16)
		value.size -= value.size % 2;
	while (value.size >= unit && value.data[value.size - 1] == 0 &&
	       value.data[value.size - unit] == 0)
		value.size -= unit;
	return (struct tnef_text){value, utf16};
}

/* A value of TYPE_LONG. */
static uint32_t number_of(struct span value)
{
	struct reader r;

	reader_init(&r, value.data, value.size);
	return le32(&r);
}

static void take_message_property(struct tnef *t, uint16_t id, uint16_t type, struct span value)
{
	struct tnef_text text = text_of(value, type == TYPE_UNICODE);
	bool is_text = type == TYPE_STRING8 || type == TYPE_UNICODE;

	if (id == PROP_SUBJECT && is_text)
		t->subject = text;
	else if (id == PROP_BODY && is_text)
		t->body = text;
	else if (id == PROP_HTML && (is_text || type == TYPE_BINARY))
		t->html = text;
	else if (id == PROP_RTF && type == TYPE_BINARY)
		t->rtf = value;
	else if (id == PROP_INTERNET_CODE_PAGE && type == TYPE_LONG)
		t->html_code_page = number_of(value);
	else if (id == PROP_CODE_PAGE && type == TYPE_LONG)
		t->code_page = number_of(value);
}

static void take_attachment_property(struct tnef_attachment *a, uint16_t id, uint16_t type,
				     struct span value)
{
	struct tnef_text text = text_of(value, type == TYPE_UNICODE);
	bool is_text = type == TYPE_STRING8 || type == TYPE_UNICODE;

	if (id == PROP_ATTACH_LONG_NAME && is_text)
		a->name = text;
	else if (id == PROP_ATTACH_NAME && is_text && a->name.octets.size == 0)
		a->name = text;
	else if (id == PROP_ATTACH_DATA && type == TYPE_OBJECT && value.size > 16)
		a->data = (struct span){value.data + 16,
					value.size - 16}; /* behind the interface's id */
	else if (id == PROP_ATTACH_DATA && type == TYPE_BINARY)
		a->data = value;
	else if (id == PROP_ATTACH_METHOD && type == TYPE_LONG)
		a->message = number_of(value) == METHOD_EMBEDDED_MESSAGE;
}

/* The properties of the message, or of @attachment. */
static void read_properties(struct tnef *t, struct tnef_attachment *attachment, struct span octets)
{
	struct reader r;
	uint32_t count;

	reader_init(&r, octets.data, octets.size);
	count = le32(&r);
	for (uint32_t i = 0; i < count && i < TNEF_PROPERTIES_MAX && !r.failed; i++) {
		uint16_t type = le16(&r), id = le16(&r);
		struct span value;

		if (id & 0x8000)
			skip_name(&r);
		value = property_value(&r, type);
		if (r.failed)
			break;
		if (attachment != NULL)
			take_attachment_property(attachment, id, type, value);
		else
			take_message_property(t, id, type, value);
	}
	t->broken = t->broken || r.failed;
}

/* The attachment that attributes now speak of; NULL before the first, and past the limit. */
static struct tnef_attachment *current(struct tnef *t)
{
	if (t->attachment_count == 0 || t->attachment_count > TNEF_ATTACHMENTS_MAX)
		return NULL;
	return &t->attachments[t->attachment_count - 1];
}

static void take_attachment(struct tnef *t, uint32_t id, struct span data)
{
	struct tnef_attachment *a;

	if (id == ATT_ATTACH_REND && ++t->attachment_count <= TNEF_ATTACHMENTS_MAX)
		*current(t) = (struct tnef_attachment){{span_of(""), false}, span_of(""), false};
	a = current(t);
	if (a == NULL)
		return;
	if (id == ATT_ATTACH_TITLE && a->name.octets.size == 0)
		a->name = text_of(data, false);
	else if (id == ATT_ATTACH_DATA)
		a->data = data;
	else if (id == ATT_ATTACHMENT)
		read_properties(t, a, data);
}

static void take_attribute(struct tnef *t, uint32_t id, struct span data)
{
	struct reader r;

	switch (id) {
	case ATT_SUBJECT:
		if (t->subject.octets.size == 0)
			t->subject = text_of(data, false);
		break;
	case ATT_BODY:
		if (t->body.octets.size == 0)
			t->body = text_of(data, false);
		break;
	case ATT_OEM_CODEPAGE:
		reader_init(&r, data.data, data.size);
		t->code_page = le32(&r);
		break;
	case ATT_MAPI_PROPS:
		read_properties(t, NULL, data);
		break;
	default:
		take_attachment(t, id, data);
		break;
	}
}

int tnef_parse(struct span octets, struct tnef *out)
{
	struct reader r;

	memset(out, 0, sizeof(*out));
	out->subject.octets = out->body.octets = out->html.octets = out->rtf = span_of("");
	reader_init(&r, octets.data, octets.size);
	if (le32(&r) != SIGNATURE)
		return -ERR_SYNTAX;
	(void)le16(&r); /* a key that nobody uses */
	while (reader_left(&r) >= 9) {
		uint32_t id, size;

		(void)reader_u8(&r); /* level: the attribute tells it as well */
		id = le32(&r);
		size = le32(&r);
		if (size > reader_left(&r)) {
			out->broken = true;
			break;
		}
		take_attribute(out, id, reader_span(&r, size));
		(void)le16(&r); /* the checksum says nothing about who made it */
	}
	return 0;
}
