/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Building and walking the part tree. Parts are opened in the order of their numbers, so no stack
 * is needed. */
#include "wire/mime/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "wire/mime/smime.h"

enum { DECODED_MAX = 32 }; /* nested encoded messages that are looked into */

/* Where children are being added. */
struct opening {
	struct mime_tree *tree;
	uint32_t part;
	uint32_t last_child;
};

static bool starts(const char *type, const char *prefix)
{
	return strncmp(type, prefix, strlen(prefix)) == 0;
}

static enum mime_kind kind_of(const char *type)
{
	if (starts(type, "multipart/"))
		return MIME_MULTIPART;
	if (strcmp(type, "message/rfc822") == 0 || strcmp(type, "message/global") == 0 ||
	    strcmp(type, "message/news") == 0)
		return MIME_MESSAGE;
	if (strcmp(type, "application/pkcs7-mime") == 0 ||
	    strcmp(type, "application/x-pkcs7-mime") == 0)
		return MIME_SIGNED;
	return MIME_LEAF;
}

/* Type, encoding and oddities out of the header. */
static void part_describe(struct mime_part *part, const char *default_type)
{
	struct mime_field field;

	part->kind = MIME_LEAF;
	if (mime_field_find(part->header, "Content-Type", &field))
		mime_value_type(field.value, part->type);
	if (part->type[0] == '\0' || strchr(part->type, '/') == NULL)
		(void)snprintf(part->type, sizeof(part->type), "%s",
			       part->type[0] == '\0' ? default_type : "text/plain");
	part->kind = (uint8_t)kind_of(part->type);
	if (mime_field_count(part->header, "Content-Type") > 1 ||
	    mime_value_param_count(field.value, "boundary") > 1)
		part->flags |= MIME_TWO_TYPES;
	if (mime_field_count(part->header, "Content-Transfer-Encoding") > 1)
		part->flags |= MIME_TWO_ENCODINGS;
	(void)mime_field_find(part->header, "Content-Transfer-Encoding", &field);
	part->encoding = (uint8_t)mime_encoding_of(field.value);
	if (part->encoding == MIME_ENCODING_UNKNOWN)
		part->flags |= MIME_BAD_ENCODING;
}

/* Add a part. Return: its number, or MIME_NONE without memory. */
static uint32_t part_add(struct mime_tree *tree, struct span whole, uint32_t parent,
			 const char *default_type)
{
	struct mime_part *part;
	bool junk;

	if (tree->count == tree->capacity) {
		size_t capacity = tree->capacity > 0 ? tree->capacity * 2 : 8;
		struct mime_part *grown = realloc(tree->parts, capacity * sizeof(*grown));

		if (grown == NULL)
			return MIME_NONE;
		tree->parts = grown;
		tree->capacity = capacity;
	}
	part = &tree->parts[tree->count];
	*part = (struct mime_part){
		.parent = parent, .first_child = MIME_NONE, .next_sibling = MIME_NONE};
	part->depth = parent == MIME_NONE ? 0 : (uint16_t)(tree->parts[parent].depth + 1);
	mime_header_split(whole, &part->header, &part->body, &junk);
	part->flags = junk ? MIME_HEADER_JUNK : 0;
	part_describe(part, default_type);
	return (uint32_t)tree->count++;
}

static int child_add(struct opening *o, struct span whole)
{
	bool digest = strcmp(o->tree->parts[o->part].type, "multipart/digest") == 0;
	uint32_t child =
		part_add(o->tree, whole, o->part, digest ? "message/rfc822" : "text/plain");

	if (child == MIME_NONE)
		return -ERR_NO_MEMORY;
	if (o->last_child == MIME_NONE)
		o->tree->parts[o->part].first_child = child;
	else
		o->tree->parts[o->last_child].next_sibling = child;
	o->last_child = child;
	return 0;
}

enum delimiter { DELIMITER_NONE, DELIMITER_NEAR, DELIMITER_OPEN, DELIMITER_CLOSE };

/* What the line [at, end) is to the boundary. */
static enum delimiter delimiter_kind(struct span body, size_t at, size_t end, struct span boundary)
{
	enum delimiter kind = DELIMITER_OPEN;
	size_t i = at + 2 + boundary.size;

	if (end - at < 2 + boundary.size ||
	    memcmp(body.data + at + 2, boundary.data, boundary.size) != 0)
		return DELIMITER_NONE;
	if (end - i >= 2 && body.data[i] == '-' && body.data[i + 1] == '-') {
		kind = DELIMITER_CLOSE;
		i += 2;
	}
	for (; i < end; i++) {
		if (body.data[i] != ' ' && body.data[i] != '\t' && body.data[i] != '\r')
			return DELIMITER_NEAR;
	}
	return kind;
}

/* The next line from @at on that begins with two hyphens; body.size at the end. */
static size_t next_candidate(struct span body, size_t at)
{
	while (at < body.size) {
		const uint8_t *lf;

		if (body.size - at >= 2 && body.data[at] == '-' && body.data[at + 1] == '-')
			return at;
		lf = memmem(body.data + at, body.size - at, "\n--", 3);
		if (lf == NULL)
			return body.size;
		at = (size_t)(lf - body.data) + 1;
	}
	return body.size;
}

/* A piece between two delimiters, without the line end that belongs to the second one. */
static struct span piece(struct span body, size_t begin, size_t end)
{
	if (end > begin && body.data[end - 1] == '\n')
		end--;
	if (end > begin && body.data[end - 1] == '\r')
		end--;
	return (struct span){body.data + begin, end - begin};
}

/* Text beside the parts that says nothing: Outlook and Thunderbird write this sentence. */
static bool is_usual_aside(struct span s)
{
	s = span_trim(s);
	return s.size == 0 ||
	       span_equal(s, span_of("This is a multi-part message in MIME format."));
}

/* Part the body at its delimiters. Return: 0 or -ERR_NO_MEMORY. */
static int multipart_divide(struct opening *o, struct span body, struct span boundary)
{
	size_t at = 0, begin = SIZE_MAX;
	uint64_t aside = 0;
	uint32_t flags = 0;
	bool words = false;

	while ((at = next_candidate(body, at)) < body.size) {
		const uint8_t *lf = memchr(body.data + at, '\n', body.size - at);
		size_t end = lf != NULL ? (size_t)(lf - body.data) : body.size;
		enum delimiter kind = delimiter_kind(body, at, end, boundary);

		flags |= kind == DELIMITER_NEAR ? MIME_NEAR_BOUNDARY : 0;
		if (kind < DELIMITER_OPEN) {
			at = end + 1;
			continue;
		}
		if (begin == SIZE_MAX) {
			aside += at;
			words = !is_usual_aside((struct span){body.data, at});
		} else if (child_add(o, piece(body, begin, at)) < 0) {
			return -ERR_NO_MEMORY;
		}
		begin = end < body.size ? end + 1 : body.size;
		at = begin;
		if (kind == DELIMITER_CLOSE) {
			aside += body.size - begin;
			words = words || !is_usual_aside((struct span){body.data + begin,
								       body.size - begin});
			goto done;
		}
		if (o->tree->count >= MIME_PARTS_MAX) {
			flags |= MIME_LIMIT_PARTS;
			goto done;
		}
	}
	if (begin == SIZE_MAX) {
		flags |= MIME_NO_BOUNDARY;
	} else {
		flags |= MIME_UNCLOSED;
		if (begin < body.size && child_add(o, piece(body, begin, body.size)) < 0)
			return -ERR_NO_MEMORY;
	}
done:
	o->tree->parts[o->part].flags |= flags;
	o->tree->parts[o->part].aside_bytes = aside;
	o->tree->parts[o->part].aside_words = words;
	return 0;
}

/* The boundary parameter in the caller's storage. Return: false where there is none that can be
 * used. */
static bool boundary_of(const struct mime_part *part, struct bytes *boundary)
{
	struct charset_report unused = {0};
	struct mime_field field;

	return mime_field_find(part->header, "Content-Type", &field) &&
	       mime_value_param(field.value, "boundary", boundary, &unused) == 0 &&
	       boundary->size > 0;
}

static int multipart_open(struct opening *o, struct span body)
{
	struct bytes boundary;
	int err = 0;

	bytes_init(&boundary, MIME_FIELD_BYTES_MAX);
	if (boundary_of(&o->tree->parts[o->part], &boundary) && boundary.size <= MIME_BOUNDARY_MAX)
		err = multipart_divide(o, body, bytes_span(&boundary));
	else
		o->tree->parts[o->part].flags |= MIME_NO_BOUNDARY;
	bytes_fini(&boundary);
	if (o->tree->parts[o->part].first_child == MIME_NONE)
		o->tree->parts[o->part].kind = MIME_LEAF;
	return err;
}

/* Memory for what a part holds in another form. Return: NULL past the limits. */
static struct bytes *store_new(struct mime_tree *tree)
{
	struct bytes *store;

	if (tree->decoded == NULL)
		tree->decoded = calloc(DECODED_MAX, sizeof(*tree->decoded));
	if (tree->decoded == NULL || tree->decoded_count == DECODED_MAX)
		return NULL;
	store = &tree->decoded[tree->decoded_count++];
	bytes_init(store, tree->decoded_limit);
	return store;
}

/* What a store took counts against the limit of all of them. */
static void store_count(struct mime_tree *tree, const struct bytes *store)
{
	size_t taken = store->capacity;

	tree->decoded_limit -= taken < tree->decoded_limit ? taken : tree->decoded_limit;
}

/* The body without its transfer encoding, which RFC 2045 6.4 forbids for messages and multiparts,
 * and some use. */
static int open_body(struct mime_tree *tree, struct mime_part *part, struct span *body)
{
	struct bytes *store;
	int err;

	*body = part->body;
	if (part->encoding == MIME_ENCODING_NONE || part->encoding == MIME_ENCODING_UNKNOWN)
		return 0;
	if (part->kind != MIME_SIGNED)
		part->flags |= MIME_ENCODED_NESTED;
	store = store_new(tree);
	if (store == NULL)
		return -ERR_TOO_LONG;
	err = mime_decode((enum mime_encoding)part->encoding, part->body, store, NULL);
	if (err == 0)
		*body = bytes_span(store);
	store_count(tree, store);
	return err;
}

/* The entity inside of an opaque signature. */
static int signed_open(struct opening *o, struct span cms)
{
	struct bytes *store = store_new(o->tree);
	int err = store != NULL ? smime_unwrap(cms, store) : -ERR_TOO_LONG;

	if (err < 0) {
		o->tree->parts[o->part].kind = MIME_LEAF;
		o->tree->parts[o->part].flags |= MIME_SEALED;
		return err == -ERR_NO_MEMORY ? err : 0;
	}
	store_count(o->tree, store);
	return child_add(o, bytes_span(store));
}

static int part_open(struct mime_tree *tree, uint32_t number)
{
	struct opening o = {tree, number, MIME_NONE};
	struct mime_part *part = &tree->parts[number];
	struct span body;

	if (part->kind == MIME_LEAF)
		return 0;
	if (part->depth >= MIME_DEPTH_MAX || tree->count >= MIME_PARTS_MAX) {
		part->flags |= part->depth >= MIME_DEPTH_MAX ? MIME_LIMIT_DEPTH : MIME_LIMIT_PARTS;
		part->kind = MIME_LEAF;
		return 0;
	}
	if (open_body(tree, part, &body) < 0) {
		part->flags |= MIME_LIMIT_PARTS;
		part->kind = MIME_LEAF;
		return 0;
	}
	switch (part->kind) {
	case MIME_MULTIPART:
		return multipart_open(&o, body);
	case MIME_SIGNED:
		return signed_open(&o, body);
	default:
		return child_add(&o, body);
	}
}

int mime_tree_parse(struct mime_tree *tree, struct span message, size_t decoded_limit_bytes)
{
	*tree = (struct mime_tree){.decoded_limit = decoded_limit_bytes};
	if (part_add(tree, message, MIME_NONE, "text/plain") == MIME_NONE)
		return -ERR_NO_MEMORY;
	for (uint32_t i = 0; i < tree->count; i++) {
		int err = part_open(tree, i);

		if (err < 0) {
			mime_tree_fini(tree);
			return err;
		}
	}
	return 0;
}

void mime_tree_fini(struct mime_tree *tree)
{
	for (size_t i = 0; i < tree->decoded_count; i++)
		bytes_fini(&tree->decoded[i]);
	free(tree->decoded);
	free(tree->parts);
	*tree = (struct mime_tree){0};
}

uint32_t mime_tree_next(const struct mime_tree *tree, uint32_t at, bool descend,
			void (*leave)(void *ctx, uint32_t part), void *ctx)
{
	if (descend && tree->parts[at].first_child != MIME_NONE)
		return tree->parts[at].first_child;
	while (at != MIME_NONE) {
		if (leave != NULL)
			leave(ctx, at);
		if (tree->parts[at].next_sibling != MIME_NONE)
			return tree->parts[at].next_sibling;
		at = tree->parts[at].parent;
	}
	return MIME_NONE;
}
