/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that leave behind a clean scan, where the policy lets them: text is written anew as UTF-8
 * without a change of its words, documents and pictures of known kinds go octet by octet. What
 * would have to be changed, cut or guessed at does not go at all.
 */
#include "mail-flattener/outbound.h"
#include "mail-flattener/state.h"

#include <string.h>

#include "base/err.h"
#include "base/utf8.h"
#include "wire/mail/verify.h"

#define BASE64_LINE_BYTES 57 /* octets that give a line of 76, RFC 2045 6.8 */
/* Of all text files of a mail: text is decoded, folded and searched in memory, each time anew. */
#define TEXT_BYTES_MAX (4U << 20)

static const char byte_order_mark[] = "\xEF\xBB\xBF";

/* Kinds that may go as they are, by content, and how their names end; the first is given to others.
 */
static const struct {
	const char *kind;
	const char *extensions[2];
} kinds[] = {
	{"PDF", {".pdf"}},       {"PNG image", {".png"}},   {"JPEG image", {".jpg", ".jpeg"}},
	{"GIF image", {".gif"}}, {"TIFF image", {".tiff"}},
};

/* A file as it will be written. */
struct outgoing {
	const char *kind;
	const char *extension; /* for a name that does not end in one of its kind */
	bool opaque;
	struct span octets;
	struct bytes text;             /* the octets of one that is text */
	const struct charset *charset; /* that it was in; NULL: nothing to tell */
	struct bytes name;
};

static bool ends_with(struct span s, const char *end)
{
	size_t size = strlen(end);

	return s.size > size &&
	       span_equal_nocase((struct span){s.data + s.size - size, size}, span_of(end));
}

/* ---- the name */

/*
 * The cleaned name without what no file system takes. One whose end does not tell what the content
 * is gets an end that does.
 */
static void make_name(struct flatten *f, const struct described *d, struct outgoing *o)
{
	static const char reserved[] = "/\\:*?\"<>|";
	struct span from = span_of(d->name);
	size_t room = MAIL_FILE_NAME_MAX - strlen(o->extension);

	while (from.size > 0 && (from.data[0] == '.' || from.data[0] == ' '))
		from = (struct span){from.data + 1, from.size - 1};
	while (from.size > 0 && o->name.size < room) {
		uint32_t c;
		size_t size = utf8_decode(from, &c);
		bool kept = c >= 0x80 || strchr(reserved, (int)c) == NULL;

		if (size == 0 || o->name.size + size > room)
			break;
		flatten_fail(f, kept ? bytes_append(&o->name, from.data, size)
				     : bytes_append_u8(&o->name, '_'));
		from = (struct span){from.data + size, from.size - size};
	}
	if (o->name.size == 0)
		flatten_fail(f, bytes_printf(&o->name, "attachment-%u", f->count.passed + 1));
	if (!mail_parts_take_name(o->name.data, o->name.size, o->opaque) ||
	    (o->opaque && !ends_with(bytes_span(&o->name), o->extension)))
		flatten_fail(f, bytes_append_text(&o->name, o->extension));
	if (f->err < 0 || mail_parts_take_name(o->name.data, o->name.size, o->opaque))
		return;
	/* What was cut or replaced left a mark without the character that it belongs to. */
	bytes_clear(&o->name);
	flatten_fail(f,
		     bytes_printf(&o->name, "attachment-%u%s", f->count.passed + 1, o->extension));
}

/* ---- text */

/* Are these characters that a sanitised mail may hold, in lines ended by LF or CRLF? */
static bool is_sound(struct span utf8)
{
	struct mail_text text = {0};

	for (size_t i = 0; i < utf8.size; i++) {
		uint8_t c = utf8.data[i];
		bool crlf = c == '\r' && i + 1 < utf8.size && utf8.data[i + 1] == '\n';

		if (c == '\n' ? !mail_text_end(&text) : !crlf && !mail_text_octet(&text, c))
			return false;
	}
	return mail_text_end(&text);
}

static bool is_ascii(struct span s)
{
	for (size_t i = 0; i < s.size; i++) {
		if (s.data[i] >= 0x80)
			return false;
	}
	return true;
}

static struct span without_mark(struct span s)
{
	return span_starts_nocase(s, span_of(byte_order_mark))
		       ? (struct span){s.data + 3, s.size - 3}
		       : s;
}

static struct charset_choice choose_charset(struct flatten *f, const struct described *d)
{
	struct charset_report unused = {0};
	struct charset_choice choice;
	struct mime_field field;
	struct bytes label;

	bytes_init(&label, MIME_FIELD_BYTES_MAX);
	if (d->is_part && mime_field_find(f->tree.parts[d->part].header, "Content-Type", &field))
		(void)mime_value_param(field.value, "charset", &label,
				       &unused); /* absent: found by looking */
	choice = charset_choose(bytes_span(&label), d->octets);
	bytes_fini(&label);
	return choice;
}

/*
 * The text as UTF-8 where nothing of it is lost by that. It has a byte order mark where the
 * original has one, and where it was in another charset: by it the programs of an office know
 * UTF-8.
 */
static bool read_text(struct flatten *f, const struct described *d, struct outgoing *o)
{
	struct charset_choice choice = choose_charset(f, d);
	struct charset_report report = {0};
	bool is_utf8 = strcmp(charset_name(choice.charset), "UTF-8") == 0;
	bool marked = without_mark(d->octets).size < d->octets.size;
	struct bytes decoded;
	struct span text;
	bool good;

	bytes_init(&decoded, FLATTEN_PART_BYTES);
	good = charset_decode(choice.charset, d->octets, &decoded, &report) == 0 &&
	       report.undecodable_bytes == 0 && report.gaiji == 0;
	text = without_mark(bytes_span(&decoded));
	good = good && text.size > 0 && is_sound(text);
	if (good && !is_utf8 && !is_ascii(text)) {
		o->charset = choice.charset;
		marked = true;
	}
	if (good && marked)
		flatten_fail(f, bytes_append_text(&o->text, byte_order_mark));
	if (good)
		flatten_fail(f, bytes_append(&o->text, text.data, text.size));
	bytes_fini(&decoded);
	o->octets = bytes_span(&o->text);
	o->extension = ".txt";
	return good;
}

/* ---- may it go? */

static bool read_document(const struct flatten *f, const struct described *d, struct outgoing *o)
{
	for (size_t i = 0; outbound_passes_files(f) && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].kind, o->kind) != 0)
			continue;
		if (strcmp(o->kind, "PDF") == 0 && !kind_pdf_is_plain(d->octets))
			return false;
		o->opaque = true;
		o->octets = d->octets;
		o->extension = kinds[i].extensions[0];
		if (kinds[i].extensions[1] != NULL &&
		    ends_with(span_of(d->name), kinds[i].extensions[1]))
			o->extension = kinds[i].extensions[1];
		return true;
	}
	return false;
}

bool files_are_unambiguous(const struct flatten *f)
{
	return !f->files_stay && f->count.ambiguities == 0 && f->count.malformed == 0;
}

/* Did the scanner see the same octets as we? Where it saw text, it did not look for files in it. */
static bool is_certain(const struct flatten *f, const struct described *d, bool opaque)
{
	return d->is_part && files_are_unambiguous(f) &&
	       certain_part(&f->tree.parts[d->part], opaque);
}

static enum notice judge_text(struct flatten *f, const struct described *d, struct outgoing *o)
{
	if (d->octets.size > TEXT_BYTES_MAX || f->files_text.size > TEXT_BYTES_MAX - d->octets.size)
		return NOTICE_A_NOT_MORE;
	return read_text(f, d, o) ? NOTICE_COUNT_ : NOTICE_A_NOT_TEXT;
}

/* Why it may not go; NOTICE_COUNT_: it may, and @o says as what. */
static enum notice judge(struct flatten *f, const struct described *d, const struct kind *kind,
			 struct outgoing *o)
{
	bool text = strcmp(kind->name, "text") == 0;

	if (!d->looked_into || d->octets.size == 0)
		return NOTICE_A_NOT_WHOLE;
	if (!is_certain(f, d, !text))
		return NOTICE_A_NOT_SURE;
	if (kind->runs || kind->encrypted || d->turned || kind_name_runs(d->name) ||
	    kind_name_runs(d->other))
		return NOTICE_A_NOT_KIND;
	if (!text && !read_document(f, d, o))
		return NOTICE_A_NOT_KIND;
	if (f->count.passed >= MAIL_FILES_MAX)
		return NOTICE_A_NOT_MORE;
	return text ? judge_text(f, d, o) : NOTICE_COUNT_;
}

/* ---- writing */

static void put_content(struct flatten *f, struct bytes *to, struct span octets)
{
	while (octets.size > 0 && f->err == 0 && !to->failed) {
		size_t size = octets.size < BASE64_LINE_BYTES ? octets.size : BASE64_LINE_BYTES;

		(void)header_append_base64(to, (struct span){octets.data, size}); /* to->failed */
		(void)bytes_append_u8(to, '\n');
		octets = (struct span){octets.data + size, octets.size - size};
	}
}

static void put_name(struct bytes *to, struct span name)
{
	(void)bytes_append_text(to, MAIL_PARTS_NAME); /* what fails here is in to->failed */
	for (size_t i = 0; i < name.size; i++) {
		if (mail_parts_is_plain(name.data[i]))
			(void)bytes_append_u8(to, name.data[i]);
		else
			(void)bytes_printf(to, "%%%02X", name.data[i]);
	}
	(void)bytes_append_u8(to, '\n');
}

static void put_head(struct bytes *to, bool opaque, struct span name)
{
	(void)bytes_printf(to, "%s\n%s\n", MAIL_PARTS_DELIMITER,
			   opaque ? MAIL_PARTS_FILE : MAIL_PARTS_TEXT); /* to->failed */
	if (name.size > 0)
		put_name(to, name);
	(void)bytes_append_text(to, MAIL_PARTS_ENCODING "\n\n");
}

/* The part behind the others; false where there is no room left for it. */
static bool put_part(struct flatten *f, const struct outgoing *o)
{
	size_t before = f->files.size, words = f->files_text.size;

	put_head(&f->files, o->opaque, bytes_span(&o->name));
	put_content(f, &f->files, o->octets);
	if (!o->opaque) {
		(void)bytes_append(&f->files_text, o->octets.data, o->octets.size);
		(void)bytes_append_u8(&f->files_text, '\n');
	}
	if (!f->files.failed && !f->files_text.failed)
		return true;
	f->files.failed = f->files_text.failed = false;
	f->files.size = before;
	f->files_text.size = words;
	return false;
}

static void list(struct flatten *f, const struct described *d, const struct outgoing *o)
{
	uint8_t digest[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];

	f->count.passed++;
	sha256_of(o->octets.data, o->octets.size, digest);
	attachment_hex(digest, hex);
	flatten_say_into(f, &f->files_list, NOTICE_A_NAME, number_of(f->count.passed, false).text,
			 (const char *)o->name.data);
	if (strcmp(d->name, (const char *)o->name.data) != 0 && d->name[0] != '\0')
		flatten_say_into(f, &f->files_list, NOTICE_F_NAME_WAS, d->name, NULL);
	flatten_say_into(f, &f->files_list, NOTICE_A_KIND, o->kind, NULL);
	if (o->charset != NULL)
		flatten_say_into(f, &f->files_list, NOTICE_F_CHARSET, charset_name(o->charset),
				 NULL);
	flatten_say_into(f, &f->files_list, NOTICE_A_SIZE, number_of(o->octets.size, true).text,
			 NULL);
	flatten_say_into(f, &f->files_list, NOTICE_A_HASH, hex, NULL);
	receipt_pass(f, d, o->kind, (const char *)o->name.data, o->octets, digest);
	if (d->is_part)
		f->fates[d->part] = FATE_PASSED;
}

bool files_take(struct flatten *f, const struct described *d, const struct kind *kind,
		enum notice *why)
{
	struct outgoing o = {.kind = kind->name};

	if (!outbound_passes_text(f))
		return false;
	bytes_init(&o.text, FLATTEN_PART_BYTES + 8);
	bytes_init(&o.name, MAIL_FILE_NAME_MAX + 1);
	*why = judge(f, d, kind, &o);
	if (*why == NOTICE_COUNT_) {
		make_name(f, d, &o);
		if (f->err == 0 && !put_part(f, &o))
			*why = NOTICE_A_NOT_MORE;
		flatten_fail(f, bytes_append_u8(&o.name, '\0'));
	}
	if (*why == NOTICE_COUNT_ && f->err == 0)
		list(f, d, &o);
	bytes_fini(&o.text);
	bytes_fini(&o.name);
	return *why == NOTICE_COUNT_;
}

void files_assemble(struct flatten *f)
{
	struct bytes text;

	bytes_init(&text, f->out->size);
	flatten_fail(f, bytes_append(&text, f->out->data + f->body_begin,
				     f->out->size - f->body_begin));
	f->out->size = f->form_begin;
	f->out->limit += f->out->limit / 2 + f->files.size + FLATTEN_TRAILER_BYTES;
	header_write_form(f, true);
	put_head(f->out, false, span_of(""));
	put_content(f, f->out, bytes_span(&text));
	flatten_fail(f, bytes_append(f->out, f->files.data, f->files.size));
	flatten_fail(f, bytes_append_text(f->out, MAIL_PARTS_CLOSE "\n"));
	bytes_fini(&text);
}
