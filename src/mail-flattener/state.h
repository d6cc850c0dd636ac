/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the flattener share while they work on one message. */
#ifndef SEKISHO_MAIL_FLATTENER_STATE_H
#define SEKISHO_MAIL_FLATTENER_STATE_H

#include "mail-flattener/flatten.h"
#include "mail-flattener/notice.h"
#include "wire/charset/charset.h"
#include "wire/html/text.h"
#include "wire/mime/address.h"
#include "wire/mime/tree.h"
#include "wire/text/clean.h"

#define PREFIX_BYTES (2 * (MIME_DEPTH_MAX + 2))

/* What becomes of a part. */
enum fate {
	FATE_CONTAINER,  /* a multipart or a message: its parts have fates of their own */
	FATE_TEXT,       /* shown */
	FATE_OTHER_FORM, /* of a multipart/alternative: the same in another form */
	FATE_DROPPED,    /* listed as an attachment */
	FATE_PASSED,     /* goes on as a file */
};

struct counters {
	uint32_t html_parts;
	uint32_t attachments; /* removed */
	uint32_t passed;      /* files that go on */
	uint32_t nested;      /* messages flattened in place */
	uint32_t winmail;     /* TNEF streams opened */
	uint32_t guesses;     /* charsets that were guessed */
	uint32_t ambiguities;
	uint32_t limits;      /* times that a limit bit */
	uint32_t encrypted;   /* attachments that are encrypted */
	uint32_t programs;    /* attachments that would run, or say so by their names */
	uint32_t malformed;   /* octets that did not belong into their transfer encoding */
	uint32_t differing;   /* alternatives that say different things */
	uint32_t signatures;  /* not verified */
	uint32_t sealed;      /* encrypted texts that cannot be shown */
	uint32_t other_forms; /* parts left out because another says the same */
	uint32_t dated;       /* 1: without a date of its own, or with one that cannot be read */
	uint64_t aside_bytes; /* of multiparts: text beside their parts, which nobody is shown */
	uint32_t imitations;  /* lines of the message that look like the gateway's */
};

struct flatten {
	const struct flatten_policy *policy;
	struct span message;
	struct mime_tree tree;
	uint8_t *fates; /* enum fate of each part */
	struct bytes *out;
	struct bytes decoded;    /* a part without its transfer encoding */
	struct bytes text;       /* a part as UTF-8 */
	struct bytes rendered;   /* HTML as text */
	struct bytes marked;     /* a copy of what is written again */
	struct bytes hidden;     /* what CSS hid, of all parts */
	struct bytes list;       /* of attachments, as text */
	uint32_t listed;         /* attachments in it */
	struct bytes files;      /* the parts of those that go on, as they will stand in out */
	struct bytes files_list; /* of them, as text */
	struct bytes files_text; /* all that is text in them, to be searched for labels */
	struct bytes json_drops, json_charsets, json_passes;
	struct charset_report charset;
	struct text_report clean;
	struct html_report html;
	struct counters count;
	char prefix[PREFIX_BYTES + 1]; /* of each line, inside of nested messages */
	size_t prefix_size;
	char receipt[FLATTEN_ID_BYTES + 4];
	uint32_t differing_html; /* the part whose text form says something else; MIME_NONE */
	size_t body_begin;       /* where the body starts in out */
	size_t form_begin;       /* where the fields start that say of what form it is */
	bool files_stay;         /* all of them: the message may be read in another way */
	bool shown;              /* something of the message itself stands in the body */
	bool cut;                /* the output limit bit */
	bool gap;                /* an empty line is due before the next text */
	int err;                 /* the first failure */
};

/* say.c: a line of the gateway's own; @a and @b fill in its %s in order, cleaned already; NULL
 * where it has none. */
void flatten_say(struct flatten *f, enum notice notice, const char *a, const char *b);
/* The same into another text than the body, without the prefix of nested messages. */
void flatten_say_into(struct flatten *f, struct bytes *to, enum notice notice, const char *a,
		      const char *b);
/* A number as text, by thousands where @grouped. */
struct number {
	char text[32];
};
struct number number_of(uint64_t value, bool grouped);
/* Remember the first failure. */
void flatten_fail(struct flatten *f, int err);
/* Text of the message: cleaned, with the prefix of nested messages. */
void flatten_show(struct flatten *f, struct span utf8);
/* The gateway's own lines, made elsewhere: cleaned, nothing marked. */
void flatten_show_own(struct flatten *f, struct span utf8);
/* A value for a line of the gateway's own: decoded, cleaned, one line; NUL-terminated in @store,
 * which is cleared. */
const char *flatten_clean(struct flatten *f, struct span utf8, size_t limit_bytes,
			  struct bytes *store);
/* The part's octets without transfer encoding: a span into the message or into f->decoded. */
struct span flatten_decode(struct flatten *f, const struct mime_part *part);

/* header.c: the fields of the result; those that say of what form it is come last. */
void header_write(struct flatten *f);
void header_write_form(struct flatten *f, bool with_files);
/* Append the base64 of @octets, without line ends. */
int header_append_base64(struct bytes *out, struct span octets);
/* The value of a field decoded and cleaned, for lines in the body; "" where there is none. */
const char *header_text(struct flatten *f, struct span header, const char *name,
			struct bytes *store);

/* sender.c: warnings about the sender, at the top. */
void sender_check(struct flatten *f);

/* ambiguity.c: what can be read in two ways, said in the text: of a part's structure, and of the
 * message's header. */
void ambiguity_state(struct flatten *f, const struct mime_part *part);
void ambiguity_state_header(struct flatten *f);
/* The reason to refuse an ambiguous message; NULL where it is not. */
const char *ambiguity_refusal(const struct flatten *f);
/* The words of the receipt for a part's @flags, one a call; *@at is 0 at first. NULL at the end. */
const char *ambiguity_code(uint32_t flags, size_t *at);

/* text.c: leaves that are shown. */
void text_show_plain(struct flatten *f, uint32_t number);
void text_show_html(struct flatten *f, uint32_t number);
/* The part as UTF-8, in f->text. */
struct span text_of_part(struct flatten *f, uint32_t number);

/* Say that the charset was guessed, where it was. */
void text_state_charset(struct flatten *f, const struct charset_choice *choice);

/* Does a part that claims to be text hold something else altogether? Then it is an attachment. */
bool text_is_binary(struct flatten *f, uint32_t number);

/* alternative.c: choose among the children of a multipart/alternative by setting their fates. */
void alternative_choose(struct flatten *f, uint32_t number);

/* attachment.c: list a part as dropped. */
void attachment_list(struct flatten *f, uint32_t number);
/* Does the part bear the name of a file? */
bool attachment_is_named(struct flatten *f, const struct mime_part *part);
void attachment_hex(const uint8_t *digest, char out[2 * SHA256_BYTES + 1]);
/* List octets that have no part of their own (from inside winmail.dat). @name: UTF-8. */
void attachment_list_octets(struct flatten *f, uint32_t number, struct span name,
			    const char *declared, struct span octets);
/* List a file in an encoding that is not read; @bytes: its size as it says itself. */
void attachment_list_unread(struct flatten *f, uint32_t number, struct span name,
			    const char *declared, uint64_t bytes);

/* A file of the message. */
struct described {
	uint32_t part;
	bool is_part;         /* it is that part, rather than inside of it */
	const char *name;     /* cleaned */
	const char *other;    /* a second name that differs, cleaned; "" where there is none */
	const char *declared; /* type, cleaned */
	struct span octets;
	bool looked_into; /* octets are all of it */
	uint64_t size;
	bool turned;        /* its name has marks that turn the direction of text */
	enum notice unread; /* why they are not looked into */
};

struct kind;

/*
 * files.c: files that go on, where the policy lets them. files_take writes @d as a part and
 * returns true, or says in *@why what speaks against it (NOTICE_COUNT_: nothing is said, since
 * none may). files_assemble makes @f->out the message of text and files, once all is judged.
 */
bool files_take(struct flatten *f, const struct described *d, const struct kind *kind,
		enum notice *why);
void files_assemble(struct flatten *f);
/* Has the flattening met anything that can be read in two ways? */
bool files_are_unambiguous(const struct flatten *f);

/*
 * certain.c: has the message one reading only? certain_part: has the transfer encoding of a file?
 * @opaque: each octet of it counts, as in a document.
 */
bool certain_message(const struct flatten *f);
bool certain_part(const struct mime_part *part, bool opaque);

/* links.c: @text with the addresses of pages in it marked; itself, or in @out, which is initialised
 * and to be freed. */
struct span links_mark(struct flatten *f, struct span text, struct bytes *out);

/* embedded.c: text with files and PGP's armour in it. */
void embedded_show(struct flatten *f, uint32_t number, struct span text);

/* words.c: the reader's word for one of a standard; NULL where it is not known. */
const char *words_method(const struct flatten *f, struct span method);
const char *words_state(const struct flatten *f, struct span state);
const char *words_action(const struct flatten *f, struct span action);
const char *words_status(const struct flatten *f, struct span status);
const char *words_disposition(const struct flatten *f, struct span disposition);

/* calendar_rule.c: a recurrence rule in words, appended to @out; not cleaned yet. */
void calendar_rule_write(struct flatten *f, struct span rule, struct bytes *out);

/* calendar.c, report.c: leaves that are told in words. */
void calendar_show(struct flatten *f, uint32_t number);
void report_show_status(struct flatten *f, uint32_t number);
void report_show_header(struct flatten *f, uint32_t number);
/* winmail.c: false where the part is not what its name says. */
bool winmail_show(struct flatten *f, uint32_t number);

/* imitation.c: put a mark before each line of the body from @begin on that looks like the gateway's
 * own. */
int imitation_mark(struct flatten *f, size_t begin);

/* What a file is by its content. */
struct kind {
	const char *name; /* "" where nothing is known */
	bool runs;        /* a program, or it has one in it that runs where it is opened */
	bool encrypted;
};

/* kind.c */
struct kind kind_of(struct span octets);
/* Are there no marks of scripts, files, actions or encryption in the PDF, and no place to hide any
 * that is easily seen? A search for known marks, not a proof. */
bool kind_pdf_is_plain(struct span octets);
/* Does a file of this name run where it is opened? */
bool kind_name_runs(const char *name);

/* archive.c: do the headers of the archive say that its files, or their names, are encrypted? */
bool archive_rar4_is_locked(struct span octets);
bool archive_rar5_is_locked(struct span octets);
bool archive_7z_is_locked(struct span octets);

/* zip.c: describe the archive's entries in f->list; whether any is encrypted. */
bool zip_list(struct flatten *f, struct span octets);

/* receipt.c */
void receipt_drop(struct flatten *f, uint32_t part, const char *name, const char *declared,
		  const char *kind, uint64_t bytes, const uint8_t *sha256, bool encrypted);
void receipt_pass(struct flatten *f, const struct described *d, const char *kind,
		  const char *written_name, struct span written, const uint8_t *sha256);
void receipt_charset(struct flatten *f, uint32_t part, struct span label,
		     const struct charset_choice *choice, const struct charset_report *report);
int receipt_write(struct flatten *f, const struct flatten_result *result, struct bytes *receipt);

#endif
