/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The frame of a sanitised mail with files, line by line, and the names of the files. */
#include "wire/mail/parts.h"

enum { CONTENT_LINE = 76 };

/* Is the line, or what is left of it, exactly this? */
static bool is_line(const uint8_t *line, size_t size, const char *want)
{
	size_t i = 0;

	while (i < size && want[i] != '\0' && line[i] == (uint8_t)want[i])
		i++;
	return i == size && want[i] == '\0';
}

bool mail_parts_is_plain(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '_' || c == '-';
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

/* Does the name end in this extension, and is it not all of it? */
static bool has_extension(const uint8_t *name, size_t size, const char *extension)
{
	size_t length = 0;

	while (extension[length] != '\0')
		length++;
	if (size <= length)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (lower(name[size - length + i]) != (uint8_t)extension[i])
			return false;
	}
	return true;
}

/* By these a desktop knows what opens a file: with none of them does it run. */
static bool is_extension_known(const uint8_t *name, size_t size, bool opaque)
{
	static const char *const texts[] = {".txt", ".csv", ".tsv", ".log", ".md"};
	static const char *const files[] = {".pdf", ".png", ".jpg", ".jpeg", ".gif", ".tiff"};
	const char *const *list = opaque ? files : texts;
	size_t count = opaque ? sizeof(files) / sizeof(files[0]) : sizeof(texts) / sizeof(texts[0]);

	for (size_t i = 0; i < count; i++) {
		if (has_extension(name, size, list[i]))
			return true;
	}
	return false;
}

/* What no file system takes in a name, or takes for a path. */
static bool is_reserved(uint8_t c)
{
	const char *reserved = "\t/\\:*?\"<>|";

	for (; *reserved != '\0'; reserved++) {
		if (c == (uint8_t)*reserved)
			return true;
	}
	return false;
}

bool mail_parts_take_name(const uint8_t *name, size_t size_bytes, bool opaque)
{
	struct mail_text text = {0};

	if (size_bytes == 0 || size_bytes > MAIL_FILE_NAME_MAX || name[0] == '.' || name[0] == ' ')
		return false;
	for (size_t i = 0; i < size_bytes; i++) {
		if (is_reserved(name[i]) || !mail_text_octet(&text, name[i]))
			return false;
	}
	return mail_text_end(&text) && is_extension_known(name, size_bytes, opaque);
}

/* The value of an upper-case hexadecimal digit, or -1. */
static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* RFC 8187 3.2.1: the value of a name, in its one spelling. */
static bool is_name(const uint8_t *value, size_t size, bool opaque)
{
	uint8_t name[MAIL_FILE_NAME_MAX] = {0};
	size_t length = 0;

	for (size_t i = 0; i < size; i++) {
		uint8_t c = value[i];

		if (length == sizeof(name))
			return false;
		if (!mail_parts_is_plain(c)) {
			int high = size - i > 2 ? hex_value(value[i + 1]) : -1;
			int low = size - i > 2 ? hex_value(value[i + 2]) : -1;

			if (c != '%' || high < 0 || low < 0)
				return false;
			c = (uint8_t)(high << 4 | low);
			if (mail_parts_is_plain(c))
				return false;
			i += 2;
		}
		name[length++] = c;
	}
	return mail_parts_take_name(name, length, opaque);
}

static const char *take_fixed(struct mail_parts *p, const uint8_t *line, size_t size,
			      const char *want, enum mail_parts_state next)
{
	if (!is_line(line, size, want))
		return "a line between parts that the gateway does not write";
	p->state = (uint8_t)next;
	return NULL;
}

/* The first part is the text; it has no name. */
static const char *take_type(struct mail_parts *p, const uint8_t *line, size_t size)
{
	bool opaque = is_line(line, size, MAIL_PARTS_FILE);

	if (!opaque && !is_line(line, size, MAIL_PARTS_TEXT))
		return "a part of a type that the gateway does not write";
	if (opaque && (!p->files || p->count == 0))
		return "a file that is not text where none may stand";
	if (p->count > MAIL_FILES_MAX)
		return "too many files";
	p->opaque = opaque;
	p->filled = false;
	p->last_line = false;
	p->state = p->count == 0 ? MAIL_PARTS_AT_ENCODING : MAIL_PARTS_AT_NAME;
	p->count++;
	return NULL;
}

static const char *take_name(struct mail_parts *p, const uint8_t *line, size_t size)
{
	size_t begin = sizeof(MAIL_PARTS_NAME) - 1;

	if (size < begin || !is_line(line, begin, MAIL_PARTS_NAME) ||
	    !is_name(line + begin, size - begin, p->opaque))
		return "a name of a file that the gateway does not write";
	p->state = MAIL_PARTS_AT_ENCODING;
	return NULL;
}

static const char *take_content(struct mail_parts *p, const uint8_t *line, size_t size,
				bool *content)
{
	if (p->filled && is_line(line, size, MAIL_PARTS_DELIMITER)) {
		p->state = MAIL_PARTS_AT_TYPE;
		return NULL;
	}
	if (p->filled && p->count > 1 && is_line(line, size, MAIL_PARTS_CLOSE)) {
		p->state = MAIL_PARTS_AT_END;
		return NULL;
	}
	if (size == 0 || size > CONTENT_LINE || p->last_line)
		return "a line of a part that is too short or too long";
	p->filled = true;
	p->last_line = size < CONTENT_LINE;
	*content = true;
	return NULL;
}

const char *mail_parts_line(struct mail_parts *p, const uint8_t *line, size_t size_bytes,
			    bool *content)
{
	*content = false;
	switch (p->state) {
	case MAIL_PARTS_AT_FIRST:
		return take_fixed(p, line, size_bytes, MAIL_PARTS_DELIMITER, MAIL_PARTS_AT_TYPE);
	case MAIL_PARTS_AT_TYPE:
		return take_type(p, line, size_bytes);
	case MAIL_PARTS_AT_NAME:
		return take_name(p, line, size_bytes);
	case MAIL_PARTS_AT_ENCODING:
		return take_fixed(p, line, size_bytes, MAIL_PARTS_ENCODING, MAIL_PARTS_AT_EMPTY);
	case MAIL_PARTS_AT_EMPTY:
		return take_fixed(p, line, size_bytes, "", MAIL_PARTS_AT_CONTENT);
	case MAIL_PARTS_AT_CONTENT:
		return take_content(p, line, size_bytes, content);
	default:
		return "a line behind the last part";
	}
}
