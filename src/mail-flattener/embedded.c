/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stands in a text and is none: files in uuencode, yEnc or BinHex as old mailers put them
 * there, and PGP's armour. Files are listed as attachments; a line in their place says so. A block
 * without its end is text. */
#include "mail-flattener/state.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "wire/mime/transfer.h"

enum {
	BLOCKS_MAX = 100,   /* of a part: what comes after is shown as text */
	MODE_DIGITS_MAX = 4 /* of a file's mode */
};

enum block_kind {
	BLOCK_UU,
	BLOCK_BASE64,
	BLOCK_YENC,
	BLOCK_BINHEX,
	BLOCK_ENCRYPTED,
	BLOCK_SIGNED,
	BLOCK_SIGNATURE
};

/* How a block begins and ends. */
static const struct form {
	const char *begin, *end;
	bool whole_line;
} forms[] = {
	[BLOCK_UU] = {"begin ", "end", false},
	[BLOCK_BASE64] = {"begin-base64 ", "====", false},
	[BLOCK_YENC] = {"=ybegin ", "=yend", false},
	[BLOCK_BINHEX] = {"(This file must be converted with BinHex", NULL, false},
	[BLOCK_ENCRYPTED] = {"-----BEGIN PGP MESSAGE-----", "-----END PGP MESSAGE-----", true},
	[BLOCK_SIGNED] = {"-----BEGIN PGP SIGNED MESSAGE-----", "", true},
	[BLOCK_SIGNATURE] = {"-----BEGIN PGP SIGNATURE-----", "-----END PGP SIGNATURE-----", true},
};

struct block {
	enum block_kind kind;
	size_t begin, end;   /* in the text; the end is behind the last line */
	struct span first;   /* its first line, behind what it begins with */
	struct span content; /* the lines between the first and the last */
};

/* A text being looked through. */
struct search {
	struct span text;
	bool endless[sizeof(forms) / sizeof(forms[0])]; /* no block of this kind ends any more */
};

/* The line at *@at without its end; *@at is moved behind it. */
static struct span next_line(struct span text, size_t *at)
{
	const uint8_t *lf = memchr(text.data + *at, '\n', text.size - *at);
	size_t end = lf != NULL ? (size_t)(lf - text.data) : text.size, begin = *at;

	*at = lf != NULL ? end + 1 : end;
	if (end > begin && text.data[end - 1] == '\r')
		end--;
	return (struct span){text.data + begin, end - begin};
}

static bool starts(struct span s, const char *prefix)
{
	size_t size = strlen(prefix);

	return s.size >= size && memcmp(s.data, prefix, size) == 0;
}

/* "644 name" behind "begin ": the name, or nothing where it is other text. */
static struct span file_name(struct span first)
{
	size_t digits = 0;

	while (digits < first.size && first.data[digits] >= '0' && first.data[digits] <= '7')
		digits++;
	if (digits < 3 || digits > MODE_DIGITS_MAX || digits + 1 >= first.size ||
	    first.data[digits] != ' ')
		return span_of("");
	return span_trim((struct span){first.data + digits, first.size - digits});
}

/* Is the first line of the content as long as its first octet says? */
static bool is_uu_content(struct span content)
{
	size_t at = 0;
	struct span line = next_line(content, &at);
	size_t wanted = line.size > 0 ? (line.data[0] - 0x20U) & 0x3F : 0;

	return line.size > 0 && line.data[0] > 0x20 && line.data[0] <= 0x60 &&
	       line.size >= 1 + (wanted * 4 + 2) / 3 && line.size <= 2 + (wanted + 2) / 3 * 4;
}

/* The end of a block whose content begins at @at: the line that ends it, whole or (as yEnc's) with
 * more behind. */
static bool find_end(struct span text, size_t at, struct block *b)
{
	const char *end = forms[b->kind].end;
	size_t begin = at;

	while (at < text.size) {
		size_t line_begin = at;
		struct span line = next_line(text, &at);
		bool ends;

		if (end == NULL) /* BinHex: the second colon */
			ends = line_begin > begin && line.size > 1 &&
			       line.data[line.size - 1] == ':';
		else
			ends = starts(line, end) &&
			       (line.size == strlen(end) || b->kind == BLOCK_YENC);
		if (!ends)
			continue;
		b->content = (struct span){text.data + begin, line_begin - begin};
		b->end = at;
		return true;
	}
	return false;
}

/* Does @line begin a block of this kind? */
static bool begins(struct span line, const struct form *form)
{
	return starts(line, form->begin) && (!form->whole_line || line.size == strlen(form->begin));
}

/* Is there a block at @at, the beginning of a line? */
static bool block_at(struct search *s, size_t at, struct block *b)
{
	size_t behind = at, kind = 0;
	struct span line, rest;

	/* Most lines begin with something else. */
	if (at == s->text.size || strchr("b=-(", s->text.data[at]) == NULL || s->text.data[at] == 0)
		return false;
	line = next_line(s->text, &behind);
	rest = (struct span){s->text.data + behind, s->text.size - behind};
	while (kind < sizeof(forms) / sizeof(forms[0]) && !begins(line, &forms[kind]))
		kind++;
	if (kind == sizeof(forms) / sizeof(forms[0]) || s->endless[kind])
		return false;
	*b = (struct block){.kind = (enum block_kind)kind, .begin = at};
	b->first = (struct span){line.data + strlen(forms[kind].begin),
				 line.size - strlen(forms[kind].begin)};
	if ((b->kind <= BLOCK_BASE64 && file_name(b->first).size == 0) ||
	    (b->kind == BLOCK_UU && !is_uu_content(rest)))
		return false;
	s->endless[kind] = !find_end(s->text, behind, b);
	return !s->endless[kind];
}

/* The next block from @at on, which is the beginning of a line. */
static bool next_block(struct search *s, size_t at, struct block *b)
{
	while (at < s->text.size) {
		const uint8_t *lf;

		if (block_at(s, at, b))
			return true;
		lf = memchr(s->text.data + at, '\n', s->text.size - at);
		at = lf != NULL ? (size_t)(lf - s->text.data) + 1 : s->text.size;
	}
	return false;
}

/* A value of yEnc's first line, "name=" being the last and running to the line's end. */
static struct span yenc_value(struct span first, const char *key)
{
	const uint8_t *found = memmem(first.data, first.size, key, strlen(key));
	size_t begin = found != NULL ? (size_t)(found - first.data) + strlen(key) : first.size,
	       end = begin;

	while (end < first.size && (first.data[end] != ' ' || key[0] == 'n'))
		end++;
	return span_trim((struct span){first.data + begin, end - begin});
}

static uint64_t yenc_size(struct span first)
{
	struct span digits = yenc_value(first, "size=");
	uint64_t size = 0;

	for (size_t i = 0;
	     i < digits.size && i < 15 && digits.data[i] >= '0' && digits.data[i] <= '9'; i++)
		size = size * 10 + (uint64_t)(digits.data[i] - '0');
	return size;
}

static void say_file(struct flatten *f, struct span name)
{
	struct bytes clean;

	bytes_init(&clean, MIME_FIELD_BYTES_MAX);
	flatten_say(f, NOTICE_E_FILE,
		    name.size > 0 ? flatten_clean(f, name, FLATTEN_NAME_BYTES, &clean)
				  : notice_text(NOTICE_A_NO_NAME, f->policy->english),
		    NULL);
	bytes_fini(&clean);
}

/* A file that is decoded, to be listed with its hash. */
static void take_file(struct flatten *f, uint32_t number, struct span text, const struct block *b)
{
	struct mime_decode_report report = {0};
	struct span name = file_name(b->first);
	struct bytes octets;
	int err;

	bytes_init(&octets, FLATTEN_PART_BYTES);
	err = b->kind == BLOCK_UU
		      ? mime_decode(MIME_ENCODING_UU,
				    (struct span){text.data + b->begin, b->end - b->begin}, &octets,
				    &report)
		      : mime_decode(MIME_ENCODING_BASE64, b->content, &octets, &report);
	flatten_fail(f, err);
	f->count.malformed += (uint32_t)report.malformed;
	say_file(f, name);
	attachment_list_octets(f, number, name, b->kind == BLOCK_UU ? "uuencode" : "begin-base64",
			       bytes_span(&octets));
	bytes_fini(&octets);
}

static void take_block(struct flatten *f, uint32_t number, struct span text, const struct block *b)
{
	switch (b->kind) {
	case BLOCK_UU:
	case BLOCK_BASE64:
		take_file(f, number, text, b);
		break;
	case BLOCK_YENC:
		say_file(f, yenc_value(b->first, "name="));
		attachment_list_unread(f, number, yenc_value(b->first, "name="), "yEnc",
				       yenc_size(b->first));
		break;
	case BLOCK_BINHEX:
		say_file(f, span_of(""));
		attachment_list_unread(f, number, span_of(""), "BinHex", b->content.size);
		break;
	case BLOCK_ENCRYPTED:
		f->count.sealed++;
		flatten_say(f, NOTICE_S_ENCRYPTED, NULL, NULL);
		break;
	case BLOCK_SIGNED:
		f->count.signatures++;
		flatten_say(f, NOTICE_S_SIGNED, NULL, NULL);
		break;
	default:
		break; /* a signature: said where it begins */
	}
	f->shown = true;
}

void embedded_show(struct flatten *f, uint32_t number, struct span text)
{
	struct search search = {.text = text};
	struct block b;
	size_t at = 0;

	for (unsigned count = 0; count < BLOCKS_MAX && next_block(&search, at, &b); count++) {
		flatten_show(f, (struct span){text.data + at, b.begin - at});
		take_block(f, number, text, &b);
		at = b.end;
	}
	flatten_show(f, (struct span){text.data + at, text.size - at});
}
