/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fields of the flattened message: each is generated from what the original's says, none is
 * copied. */
#include "mail-flattener/outbound.h"
#include "mail-flattener/state.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/utf8.h"
#include "wire/mail/verify.h"
#include "wire/mime/date.h"
#include "wire/mime/word.h"

enum {
	FOLD_COLUMN = 76,
	WORD_PAYLOAD = 45,
	WORD_FRAME = 12,
	QUOTED_MAX = 64,
	MANY_MAILBOXES = 20,
	SHORT_NAME_BYTES = 60,
	REPLY_TO_MAX = 10
};

/* The field being written. */
struct field_writer {
	struct bytes *out;
	size_t column;
	bool fresh; /* nothing of the value is written yet */
};

static int field_begin(struct field_writer *w, struct bytes *out, const char *name)
{
	*w = (struct field_writer){out, strlen(name) + 2, true};
	return bytes_printf(out, "%s: ", name);
}

/* Room for @size columns: on this line, behind a space, or on the next one. */
static int field_space(struct field_writer *w, size_t size)
{
	bool fold = !w->fresh && w->column + 1 + size > FOLD_COLUMN;
	int err = 0;

	if (fold) {
		err = bytes_append_text(w->out, "\n ");
		w->column = 1;
	} else if (!w->fresh) {
		err = bytes_append_u8(w->out, ' ');
		w->column++;
	}
	w->fresh = false;
	w->column += size;
	return err;
}

static int field_token(struct field_writer *w, const void *data, size_t size)
{
	int err = field_space(w, size);

	return err < 0 ? err : bytes_append(w->out, data, size);
}

int header_append_base64(struct bytes *out, struct span octets)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *s = octets.data;
	size_t size = octets.size;
	char quantum[4];
	int err = 0;

	for (size_t i = 0; i < size && err == 0; i += 3) {
		uint32_t bits = (uint32_t)s[i] << 16 |
				(i + 1 < size ? (uint32_t)s[i + 1] << 8 : 0) |
				(i + 2 < size ? s[i + 2] : 0U);

		for (unsigned k = 0; k < 4; k++)
			quantum[k] = i + k <= size ? digits[bits >> (18 - 6 * k) & 63] : '=';
		err = bytes_append(out, quantum, sizeof(quantum));
	}
	return err;
}

/*
 * How much of @s one word takes: whole characters, at most @room bytes, and parted only where both
 * sides stand for themselves (not inside an emoji sequence). Zero where nothing fits.
 */
static size_t word_take(struct span s, size_t room)
{
	enum mail_text_before before = MAIL_TEXT_OTHER;
	size_t at = 0, safe = 0;

	while (at < s.size) {
		struct span rest = {s.data + at, s.size - at};
		enum mail_text_before alone = MAIL_TEXT_OTHER;
		uint32_t c;
		size_t length = utf8_decode(rest, &c);

		if (at > 0 && before != MAIL_TEXT_JOINER && mail_text_step(&alone, c))
			safe = at;
		if (length == 0 || at + length > room)
			return safe;
		(void)mail_text_step(
			&before, c); /* cleaned text: every character fits behind the one before */
		at += length;
	}
	return at;
}

static int field_word(struct field_writer *w, struct span s)
{
	size_t size = WORD_FRAME + (s.size + 2) / 3 * 4;
	int err = field_space(w, size);

	if (err == 0)
		err = bytes_append_text(w->out, "=?UTF-8?B?");
	if (err == 0)
		err = header_append_base64(w->out, s);
	return err < 0 ? err : bytes_append_text(w->out, "?=");
}

/* Payload that a word may have on the rest of the current line. */
static size_t word_room(const struct field_writer *w)
{
	size_t used = w->column + (w->fresh ? 0 : 1) + WORD_FRAME;
	size_t room = used < FOLD_COLUMN ? (FOLD_COLUMN - used) / 4 * 3 : 0;

	return room < WORD_PAYLOAD ? room : WORD_PAYLOAD;
}

/* Where a sequence had to be parted, its joiners and selectors cannot begin a word: they go. */
static struct span without_attached(struct span s)
{
	enum mail_text_before alone = MAIL_TEXT_OTHER;
	uint32_t c;
	size_t length = utf8_decode(s, &c);

	while (length > 0 && !mail_text_step(&alone, c)) {
		alone = MAIL_TEXT_OTHER;
		s = (struct span){s.data + length, s.size - length};
		length = utf8_decode(s, &c);
	}
	return s;
}

/* Cleaned text of one line as encoded words. */
static int field_words(struct field_writer *w, struct span s)
{
	int err = 0;

	while (s.size > 0 && err == 0) {
		size_t room = word_room(w), take = room >= 12 ? word_take(s, room) : 0;
		uint32_t c;

		if (take == 0 && !w->fresh) {
			take = word_take(s, WORD_PAYLOAD);
			w->column = FOLD_COLUMN; /* begin a line */
		}
		if (take == 0) /* a sequence longer than a word */
			take = utf8_decode(s, &c);
		err = field_word(w, (struct span){s.data, take});
		s = without_attached((struct span){s.data + take, s.size - take});
	}
	return err;
}

static bool is_plain(struct span s)
{
	for (size_t i = 0; i < s.size; i++) {
		if (s.data[i] < 0x20 || s.data[i] > 0x7E)
			return false;
	}
	return memmem(s.data, s.size, "=?", 2) == NULL;
}

/* Cleaned text: as it is where it is ASCII and every token fits a line, else as encoded words. */
static int field_text(struct field_writer *w, struct span s)
{
	size_t longest = 0, run = 0;
	int err = 0;

	for (size_t i = 0; i < s.size; i++) {
		run = s.data[i] == ' ' ? 0 : run + 1;
		longest = run > longest ? run : longest;
	}
	if (!is_plain(s) || longest > FOLD_COLUMN - 20)
		return field_words(w, s);
	while (s.size > 0 && err == 0) {
		const uint8_t *space = memchr(s.data, ' ', s.size);
		size_t size = space != NULL ? (size_t)(space - s.data) : s.size;

		if (size > 0)
			err = field_token(w, s.data, size);
		size += space != NULL;
		s = (struct span){s.data + size, s.size - size};
	}
	return err;
}

/* A display name: a quoted string where it is short ASCII, else encoded words. */
static int field_phrase(struct field_writer *w, struct span name)
{
	char quoted[QUOTED_MAX + 3];
	size_t size = 0;

	if (!is_plain(name) || name.size > QUOTED_MAX)
		return field_words(w, name);
	quoted[size++] = '"';
	for (size_t i = 0; i < name.size; i++) {
		bool special = name.data[i] == '"' || name.data[i] == '\\';

		quoted[size++] = special ? '\'' : (char)name.data[i];
	}
	quoted[size++] = '"';
	return field_token(w, quoted, size);
}

const char *header_text(struct flatten *f, struct span header, const char *name,
			struct bytes *store)
{
	struct mime_field field;
	struct bytes raw, decoded;

	bytes_clear(store);
	if (!mime_field_find(header, name, &field)) {
		flatten_fail(f, bytes_append_u8(store, '\0'));
		return (const char *)store->data;
	}
	bytes_init(&raw, MIME_FIELD_BYTES_MAX);
	bytes_init(&decoded, MIME_FIELD_BYTES_MAX * 8);
	flatten_fail(f, mime_value_unfold(field.value, &raw));
	flatten_fail(f, mime_text_decode(bytes_span(&raw), &decoded, &f->charset));
	(void)flatten_clean(f, bytes_span(&decoded), FLATTEN_SUBJECT_BYTES, store);
	bytes_fini(&raw);
	bytes_fini(&decoded);
	return (const char *)store->data;
}

/* One mailbox, with a comma after it where another follows. */
static int put_mailbox(struct flatten *f, struct field_writer *w, struct span name,
		       const char *address, size_t name_limit, bool more)
{
	char angle[MIME_ADDRESS_BYTES_MAX + 8];
	struct bytes clean;
	int size = snprintf(angle, sizeof(angle), "<%s>%s", address, more ? "," : ""), err = 0;

	bytes_init(&clean, MIME_NAME_BYTES_MAX * 4);
	(void)flatten_clean(f, name, name_limit, &clean);
	if (clean.size > 1)
		err = field_phrase(w, (struct span){clean.data, clean.size - 1});
	bytes_fini(&clean);
	return err < 0 ? err : field_token(w, angle, (size_t)size);
}

/* The name of a mailbox, decoded; its own bytes where the address could not be read. */
static int mailbox_name(struct flatten *f, const struct mime_mailbox *mailbox, struct bytes *name)
{
	bytes_clear(name);
	return mime_mailbox_name(mailbox, name, &f->charset);
}

/* How many mailboxes of the list can be written, at most FLATTEN_MAILBOXES_MAX. */
static unsigned count_mailboxes(struct span list)
{
	char address[MIME_ADDRESS_BYTES_MAX + 3];
	struct mime_mailbox mailbox;
	unsigned count = 0;
	size_t at = 0;

	while (count < FLATTEN_MAILBOXES_MAX && mime_mailbox_next(list, &at, &mailbox))
		count += mime_mailbox_address(&mailbox, address) == 0;
	return count;
}

/* The mailboxes of @list as a field. Nothing is written where none can be. */
static void put_mailboxes(struct flatten *f, const char *field_name, struct span list,
			  unsigned most)
{
	unsigned count = count_mailboxes(list), done = 0;
	char address[MIME_ADDRESS_BYTES_MAX + 3];
	struct mime_mailbox mailbox;
	struct field_writer w;
	struct bytes name;
	size_t at = 0, limit;

	/* Many recipients get short names, so that the header keeps within the verifier's number of
	 * lines. */
	count = count < most ? count : most;
	limit = count > MANY_MAILBOXES ? SHORT_NAME_BYTES : FLATTEN_NAME_BYTES;
	if (count == 0)
		return;
	bytes_init(&name, MIME_NAME_BYTES_MAX * 8);
	flatten_fail(f, field_begin(&w, f->out, field_name));
	while (done < count && mime_mailbox_next(list, &at, &mailbox)) {
		if (mime_mailbox_address(&mailbox, address) < 0)
			continue;
		flatten_fail(f, mailbox_name(f, &mailbox, &name));
		done++;
		flatten_fail(f,
			     put_mailbox(f, &w, bytes_span(&name), address, limit, done < count));
	}
	flatten_fail(f, bytes_append_u8(f->out, '\n'));
	bytes_fini(&name);
}

/* The unfolded value of a field of the message, in @store; empty where there is none. */
static struct span field_value(struct flatten *f, const char *name, struct bytes *store)
{
	struct mime_field field;

	bytes_clear(store);
	if (mime_field_find(f->tree.parts[0].header, name, &field))
		flatten_fail(f, mime_value_unfold(field.value, store));
	return bytes_span(store);
}

/* From must be there: a sender without a usable address keeps the name, or what stood in the
 * address's place. */
static void put_from(struct flatten *f, struct bytes *store)
{
	struct span list = field_value(f, "From", store);
	struct mime_mailbox mailbox = {span_of(""), span_of("")};
	struct field_writer w;
	struct bytes name;
	size_t at = 0;

	if (count_mailboxes(list) > 0) {
		put_mailboxes(f, "From", list, 1);
		return;
	}
	bytes_init(&name, MIME_NAME_BYTES_MAX * 8);
	if (mime_mailbox_next(list, &at, &mailbox))
		flatten_fail(f, mailbox_name(f, &mailbox, &name));
	if (name.size == 0)
		flatten_fail(f, mime_text_decode(mailbox.address, &name, &f->charset));
	if (span_trim(bytes_span(&name)).size == 0)
		flatten_fail(f, bytes_append_text(&name, notice_text(NOTICE_UNKNOWN_SENDER,
								     f->policy->english)));
	flatten_fail(f, field_begin(&w, f->out, "From"));
	flatten_fail(f, put_mailbox(f, &w, bytes_span(&name), "unknown@sender.invalid",
				    FLATTEN_NAME_BYTES, false));
	flatten_fail(f, bytes_append_u8(f->out, '\n'));
	bytes_fini(&name);
}

/* RFC 5322 3.6.1 wants a date: without one that can be read it is that of receipt, and the last
 * block says so. */
static void put_date(struct flatten *f, struct bytes *store)
{
	struct mime_date date;
	char text[MIME_DATE_BYTES];

	if (mime_date_parse(field_value(f, "Date", store), &date) < 0) {
		date = (struct mime_date){f->policy->received_s, f->policy->offset_minutes};
		f->count.dated = 1;
	}
	mime_date_write(&date, text);
	flatten_fail(f, bytes_printf(f->out, "Date: %s\n", text));
}

static void put_subject(struct flatten *f, struct bytes *store)
{
	const char *subject = header_text(f, f->tree.parts[0].header, "Subject", store);
	struct field_writer w;

	if (subject[0] == '\0')
		subject = notice_text(NOTICE_NO_SUBJECT, f->policy->english);
	flatten_fail(f, field_begin(&w, f->out, "Subject"));
	flatten_fail(f, field_text(&w, span_of(subject)));
	flatten_fail(f, bytes_append_u8(f->out, '\n'));
}

static bool is_id_octet(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~.@:[]", c) != NULL);
}

/* The next message id of @s from *@at on that may be written, with its brackets; empty at the end.
 */
static struct span next_id(struct span s, size_t *at)
{
	while (*at < s.size) {
		const uint8_t *open = memchr(s.data + *at, '<', s.size - *at);
		size_t begin, end;

		if (open == NULL)
			break;
		begin = (size_t)(open - s.data);
		for (end = begin + 1; end < s.size && is_id_octet(s.data[end]); end++)
			;
		*at = end > begin + 1 ? end : begin + 1;
		if (end < s.size && s.data[end] == '>' && end > begin + 1 && end - begin < 250 &&
		    memmem(open, end - begin, "=?", 2) == NULL)
			return (struct span){open, end + 1 - begin};
	}
	*at = s.size;
	return span_of("");
}

static void put_ids(struct flatten *f, const char *name, struct bytes *store)
{
	struct span list = field_value(f, name, store), id;
	struct field_writer w;
	unsigned count = 0, skip;
	size_t at = 0;

	while ((id = next_id(list, &at)).size > 0)
		count += outbound_keeps_id(f, id, false);
	if (count == 0)
		return;
	skip = count > FLATTEN_REFERENCES_MAX ? count - FLATTEN_REFERENCES_MAX : 0;
	flatten_fail(f, field_begin(&w, f->out, name));
	for (at = 0; (id = next_id(list, &at)).size > 0;) {
		if (!outbound_keeps_id(f, id, false))
			continue;
		if (skip > 0)
			skip--;
		else
			flatten_fail(f, field_token(&w, id.data, id.size));
	}
	flatten_fail(f, bytes_append_u8(f->out, '\n'));
}

static void put_message_id(struct flatten *f, struct bytes *store)
{
	size_t at = 0;
	struct span id = next_id(field_value(f, "Message-ID", store), &at);

	if (id.size > 0 && outbound_keeps_id(f, id, true))
		flatten_fail(f, bytes_printf(f->out, "Message-ID: %.*s\n", (int)id.size,
					     (const char *)id.data));
	else
		flatten_fail(f, bytes_printf(f->out, "Message-ID: <%s.sekisho@%s>\n", f->receipt,
					     f->policy->host_name));
}

static void put_auto_submitted(struct flatten *f, struct bytes *store)
{
	static const char *const known[] = {"auto-generated", "auto-replied", "auto-notified",
					    NULL};
	struct span value = field_value(f, "Auto-Submitted", store);
	char token[MIME_TYPE_BYTES];

	mime_value_type(value, token);
	for (const char *const *k = known; *k != NULL; k++) {
		if (strcmp(token, *k) == 0)
			flatten_fail(f, bytes_printf(f->out, "Auto-Submitted: %s\n", *k));
	}
}

static bool is_list_octet(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_';
}

static void put_list_id(struct flatten *f, struct bytes *store)
{
	struct span value = field_value(f, "List-Id", store);
	const uint8_t *open = value.size > 0 ? memrchr(value.data, '<', value.size) : NULL;
	size_t size = 0, left = open != NULL ? value.size - (size_t)(open - value.data) - 1 : 0;

	while (size < left && size < 200 && is_list_octet(open[1 + size]))
		size++;
	if (size > 0 && size < left && open[1 + size] == '>')
		flatten_fail(f, bytes_printf(f->out, "List-Id: <%.*s>\n", (int)size,
					     (const char *)open + 1));
}

static void put_to(struct flatten *f, struct bytes *store)
{
	struct span list = field_value(f, "To", store);

	if (count_mailboxes(list) > 0)
		put_mailboxes(f, "To", list, FLATTEN_MAILBOXES_MAX);
	else
		flatten_fail(f, bytes_append_text(f->out, "To: undisclosed-recipients:;\n"));
}

void header_write_form(struct flatten *f, bool with_files)
{
	flatten_fail(f, bytes_printf(f->out,
				     "MIME-Version: 1.0\nContent-Type: %s\n"
				     "Content-Transfer-Encoding: %s\nSekisho-Receipt: %s\n\n",
				     with_files ? MAIL_PARTS_TYPE : "text/plain; charset=utf-8",
				     with_files ? "7bit" : "8bit", f->receipt));
}

void header_write(struct flatten *f)
{
	struct mime_date received = {f->policy->received_s, f->policy->offset_minutes};
	char date[MIME_DATE_BYTES];
	struct bytes store;

	bytes_init(&store, MIME_FIELD_BYTES_MAX * 8);
	mime_date_write(&received, date);
	flatten_fail(f, bytes_printf(f->out, "Received: by %s with Sekisho id %s; %s\n",
				     f->policy->host_name, f->receipt, date));
	put_date(f, &store);
	put_from(f, &store);
	if (!outbound_is(f)) /* M7: the author in From is who was checked */
		put_mailboxes(f, "Sender", field_value(f, "Sender", &store), 1);
	put_mailboxes(f, "Reply-To", field_value(f, "Reply-To", &store), REPLY_TO_MAX);
	put_to(f, &store);
	put_mailboxes(f, "Cc", field_value(f, "Cc", &store), FLATTEN_MAILBOXES_MAX);
	put_subject(f, &store);
	put_message_id(f, &store);
	put_ids(f, "In-Reply-To", &store);
	put_ids(f, "References", &store);
	put_auto_submitted(f, &store);
	if (!outbound_is(f)) /* it names a host of the inside */
		put_list_id(f, &store);
	bytes_fini(&store);
	f->form_begin = f->out->size;
	header_write_form(f, false);
}
