/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading HTML tag by tag, without a tree: for documents that would exhaust a tree builder; and the
 * guard that knows them. */
#include <string.h>

#include "wire/html/entity.h"
#include "wire/html/render.h"

enum {
	NAME_MAX_BYTES = 16,
	TEXT_ROUND = 4096,
	ATTRS_KEPT = 32,
	DEPTH_BUCKETS = 64,
	READING_BYTES = 64
};

/* A tag as it stands. */
struct tag {
	char name[NAME_MAX_BYTES]; /* lower case; longer names are cut: none of ours is */
	size_t name_size;
	bool closes;
	struct html_attr attrs[ATTRS_KEPT];
	size_t attr_count; /* of those kept */
	size_t attr_total;
};

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f';
}

static bool is_letter(uint8_t c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* One attribute at @at (not a space, not ">"). Return: behind it. */
static size_t tag_attr(struct span in, size_t at, struct tag *tag)
{
	size_t begin = at, equals;
	struct html_attr attr = {{in.data + at, 0}, span_of("")};
	uint8_t quote;

	at++; /* whatever it is, it is taken: a lone "=" or "/" too */
	while (at < in.size && !is_space(in.data[at]) && in.data[at] != '=' && in.data[at] != '>' &&
	       in.data[at] != '/')
		at++;
	attr.name.size = at - begin;
	for (equals = at; equals < in.size && is_space(in.data[equals]);)
		equals++;
	if (equals < in.size && in.data[equals] == '=') {
		at = equals;
		at++;
		while (at < in.size && is_space(in.data[at]))
			at++;
		quote = at < in.size ? in.data[at] : 0;
		if (quote == '"' || quote == '\'') {
			const uint8_t *end = memchr(in.data + at + 1, quote, in.size - at - 1);

			begin = at + 1;
			at = end != NULL ? (size_t)(end - in.data) : in.size;
			attr.value = (struct span){in.data + begin, at - begin};
			at += end != NULL;
		} else {
			begin = at;
			while (at < in.size && !is_space(in.data[at]) && in.data[at] != '>')
				at++;
			attr.value = (struct span){in.data + begin, at - begin};
		}
	}
	if (tag->attr_count < ATTRS_KEPT)
		tag->attrs[tag->attr_count++] = attr;
	tag->attr_total++;
	return at;
}

/* The tag whose "<" is at @at; a letter or "/" and a letter follow. Return: behind its ">". */
static size_t tag_read(struct span in, size_t at, struct tag *tag, size_t attrs_max)
{
	tag->closes = in.data[at + 1] == '/';
	tag->name_size = tag->attr_count = tag->attr_total = 0;
	at += tag->closes ? 2 : 1;
	for (; at < in.size && !is_space(in.data[at]) && in.data[at] != '>' && in.data[at] != '/';
	     at++) {
		uint8_t c = in.data[at];

		if (tag->name_size < NAME_MAX_BYTES)
			tag->name[tag->name_size++] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
	}
	while (at < in.size && in.data[at] != '>') {
		if (is_space(in.data[at]) || in.data[at] == '/')
			at++;
		else
			at = tag_attr(in, at, tag);
		if (tag->attr_total > attrs_max)
			break;
	}
	return at < in.size && in.data[at] == '>' ? at + 1 : at;
}

static bool begins_tag(struct span in, size_t at)
{
	if (at + 1 >= in.size)
		return false;
	if (in.data[at + 1] == '/')
		return at + 2 < in.size && is_letter(in.data[at + 2]);
	return is_letter(in.data[at + 1]);
}

/* Elements that HTML closes by itself: leaving them open does not deepen the tree. */
static bool nests(const struct tag *tag)
{
	static const char *const flat[] = {"p",    "li",    "br",     "img", "hr",  "meta",
					   "link", "input", "option", "col", "wbr", "base",
					   "area", "param", "dt",     "dd",  NULL};

	for (const char *const *f = flat; *f != NULL; f++) {
		if (strlen(*f) == tag->name_size && memcmp(*f, tag->name, tag->name_size) == 0)
			return false;
	}
	return true;
}

static unsigned bucket_of(const struct tag *tag)
{
	unsigned hash = 0;

	for (size_t i = 0; i < tag->name_size; i++)
		hash = hash * 31 + (uint8_t)tag->name[i];
	return hash % DEPTH_BUCKETS;
}

bool html_scan_guard(struct span in)
{
	uint32_t open[DEPTH_BUCKETS] = {0}, depth = 0, tags = 0;
	size_t budget = 4 * in.size + 65536, at = 0;

	if (in.size > HTML_TREE_BYTES)
		return false;
	/* Every "<" is looked at, also inside of tags and comments: a parser may see its tags where
	 * we would not. */
	while (at < in.size) {
		const uint8_t *lt = memchr(in.data + at, '<', in.size - at);
		size_t walked;
		struct tag tag;

		if (lt == NULL)
			return true;
		at = (size_t)(lt - in.data);
		if (!begins_tag(in, at)) {
			at++;
			continue;
		}
		walked = tag_read(in, at, &tag, HTML_ATTRS_MAX) - at;
		at++;
		if (tag.attr_total > HTML_ATTRS_MAX || walked > budget || ++tags > HTML_TAGS_MAX)
			return false;
		budget -= walked;
		if (tag.closes && open[bucket_of(&tag)] > 0) {
			open[bucket_of(&tag)]--;
			depth--;
		} else if (!tag.closes && nests(&tag)) {
			open[bucket_of(&tag)]++;
			if (++depth > HTML_DEPTH_MAX)
				return false;
		}
	}
	return true;
}

/* Where raw text (script, style, title, ...) ends: at its closing tag, or with the document. */
static size_t raw_end(struct span in, size_t at, const struct tag *tag)
{
	while (at < in.size) {
		const uint8_t *lt = memchr(in.data + at, '<', in.size - at);

		if (lt == NULL)
			return in.size;
		at = (size_t)(lt - in.data);
		if (in.size - at > tag->name_size + 2 && in.data[at + 1] == '/' &&
		    span_equal_nocase((struct span){in.data + at + 2, tag->name_size},
				      (struct span){(const uint8_t *)tag->name, tag->name_size}))
			return at;
		at++;
	}
	return in.size;
}

static void scan_close(struct html_render *r, const struct html_element *element, bool nearby)
{
	size_t distance;

	if (!html_render_has_open(r, element->tag, element->name, nearby, &distance))
		return;
	while (distance-- > 0)
		html_render_close(r);
}

/* Has the element a text in it and no tags, up to its own closing one? */
static bool is_text_only(const struct html_element *element)
{
	static const char *const names[] = {"textarea", "title",   "xmp",
					    "iframe",   "noembed", "noframes"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (span_equal_nocase(element->name, span_of(names[i])))
			return true;
	}
	return false;
}

/* Text with its character references decoded. */
static void scan_text(struct span text, struct html_render *r)
{
	uint8_t round[TEXT_ROUND];
	size_t used = 0;

	for (size_t at = 0; at < text.size;) {
		if (used + 8 > sizeof(round)) {
			html_render_text(r, (struct span){round, used});
			used = 0;
		}
		if (text.data[at] == '&')
			at += html_entity_decode((struct span){text.data + at, text.size - at},
						 round, &used);
		else
			round[used++] = text.data[at++];
	}
	html_render_text(r, (struct span){round, used});
}

/* Take one tag. Return: behind it, and behind the raw text that it begins. */
static size_t scan_tag(struct span in, size_t at, struct html_render *r)
{
	struct html_element element = {0};
	struct tag tag;

	at = tag_read(in, at, &tag, SIZE_MAX);
	element.name = (struct span){(const uint8_t *)tag.name, tag.name_size};
	element.tag = html_tag_of(element.name, &element.is_void);
	if (tag.closes) {
		scan_close(r, &element, false);
		return at;
	}
	element.attrs = tag.attrs;
	element.attr_count = tag.attr_count;
	/* Items and paragraphs end where the next one begins, as everybody writes them. */
	if (element.tag == HTML_LI || element.tag == HTML_PARA)
		scan_close(r, &element, true);
	if (element.tag == HTML_SCRIPT || element.tag == HTML_STYLE) {
		size_t end = raw_end(in, at, &tag);

		r->report->active += element.tag == HTML_SCRIPT;
		return end;
	}
	if (element.tag != HTML_OTHER || element.attr_count > 0 || html_render_has_rules(r))
		html_render_open(r, &element);
	if (is_text_only(&element)) {
		size_t end = raw_end(in, at, &tag);

		scan_text((struct span){in.data + at, end - at}, r);
		return end;
	}
	return at;
}

/* Behind a comment, a document type or the like, that begins at @at with "<!", "<?" or "</". */
static size_t scan_markup(struct span in, size_t at)
{
	const uint8_t *end;

	if (in.size - at >= 4 && memcmp(in.data + at, "<!--", 4) == 0) {
		end = memmem(in.data + at + 2, in.size - at - 2, "-->", 3);
		return end != NULL ? (size_t)(end - in.data) + 3 : in.size;
	}
	end = memchr(in.data + at, '>', in.size - at);
	return end != NULL ? (size_t)(end - in.data) + 1 : in.size;
}

void html_scan_walk(struct span in, struct html_render *r)
{
	size_t at = 0, text = 0;

	r->report->by_tags = true;
	while (at < in.size && r->err == 0) {
		const uint8_t *lt = memchr(in.data + at, '<', in.size - at);
		bool markup;

		if (lt == NULL)
			break;
		at = (size_t)(lt - in.data);
		markup = at + 1 < in.size && (in.data[at + 1] == '!' || in.data[at + 1] == '?' ||
					      in.data[at + 1] == '/');
		if (!begins_tag(in, at) && !markup) {
			at++;
			continue;
		}
		scan_text((struct span){in.data + text, at - text}, r);
		at = begins_tag(in, at) ? scan_tag(in, at, r) : scan_markup(in, at);
		text = at;
	}
	if (text < in.size)
		scan_text((struct span){in.data + text, in.size - text}, r);
}

/* A reading above or beside the text (ruby) and its brackets: no part of the words. */
static bool is_reading(const struct tag *tag)
{
	return tag->name_size == 2 && tag->name[0] == 'r' &&
	       (tag->name[1] == 't' || tag->name[1] == 'p');
}

/* The text from @at on up to the next tag, appended to @out. Return: behind it. */
static size_t words_text(struct span in, size_t at, struct bytes *out, int *err)
{
	uint8_t round[TEXT_ROUND];
	size_t used = 0, begin = at;

	while (at < in.size && used + 8 <= sizeof(round) && (in.data[at] != '<' || at == begin)) {
		if (in.data[at] == '&')
			at += html_entity_decode((struct span){in.data + at, in.size - at}, round,
						 &used);
		else
			round[used++] = in.data[at++];
	}
	*err = bytes_append(out, round, used);
	return at;
}

int html_words(struct span in, struct bytes *out)
{
	size_t at = 0, reading = 0; /* octets that a reading may still have */
	int err = 0;

	while (at < in.size && err == 0) {
		bool opens = in.data[at] == '<', markup = opens && at + 1 < in.size &&
							  memchr("!?/", in.data[at + 1], 3) != NULL;
		size_t before = out->size;
		struct tag tag;

		if (opens && begins_tag(in, at)) {
			at = tag_read(in, at, &tag, SIZE_MAX);
			reading = is_reading(&tag) && !tag.closes ? READING_BYTES : 0;
			continue;
		}
		if (markup) {
			at = scan_markup(in, at);
			continue;
		}
		at = words_text(in, at, out, &err);
		if (out->size - before <= reading) {
			reading -= out->size - before;
			out->size = before;
		}
	}
	return err;
}
