# SPDX-License-Identifier: GPL-2.0-or-later
"""The proofs: which function of which harness, how far each loop is unwound, and what must not survive it."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Proof:
    harness: str            # tests/prove/HARNESS.c
    function: str           # its entry
    bound: str              # what "every input" means, in words
    unwind: int             # one more than the most turns that a loop takes; --unwinding-assertions holds it to that
    quick: bool = False     # seconds: part of `make check`
    slow: bool = False      # minutes: begun first
    by_name: bool = False   # longer than a proof may take on a busy machine: only where NAMES asks for it
    witnesses: int = 0      # places REACHED(1..n) of the harness
    unwindset: tuple = ()   # (loop, turns) for loops that take more than the rest
    defines: tuple = ()
    flags: tuple = ()
    replace: tuple = ()     # FUNCTION:STAND-IN, where another proof covers FUNCTION
    mutants: tuple = ()     # (file below src, text, another text): must be found

    @property
    def name(self):
        return f"{self.harness}/{self.function.removeprefix('prove_')}"


PROOFS = [
    # the packet header reader
    Proof("ip", "prove_option", "any option at any place of an area of 0 to 48 bytes", 4, quick=True, witnesses=1,
          mutants=(("wire/packet/ip.c", "reader_skip(r, length - 2U);", "reader_skip(r, length - 1U);"),
                   ("wire/packet/ip.c", "OPTION_SSRR = 137", "OPTION_SSRR = 136"))),
    Proof("ip", "prove_extension", "any extension header at any place of 0 to 48 bytes, any packet length", 4, quick=True, witnesses=1,
          mutants=(("wire/packet/ip.c", "reader_be16(r) & 0xfff8", "reader_be16(r) & 0x7ff8"),
                   ("wire/packet/ip.c", "reader_u8(r) * 8U + 6U", "reader_u8(r) * 8U + 5U"))),
    Proof("ip", "prove_ipv4", "0 to 72 bytes captured of any packet, 0 to 4 bytes of options", 9, slow=True, witnesses=1,
          mutants=(("wire/packet/ip.c", "IPV4_FRAGMENT_OFFSET = 0x1fff", "IPV4_FRAGMENT_OFFSET = 0x0fff"),
                   ("wire/packet/ip.c", "total_bytes > in->packet_bytes", "total_bytes > in->packet_bytes + 1"))),
    Proof("ip", "prove_ipv6", "0 to 72 bytes captured of any packet, limits of 2 headers and 8 bytes", 9, slow=True, witnesses=1,
          mutants=(("wire/packet/ip.c", "payload_bytes > in->packet_bytes - IPV6_HEADER_BYTES", "payload_bytes > in->packet_bytes"),
                   ("wire/packet/ip.c", "count == IP_EXTENSIONS_MAX ||", ""))),
    Proof("ip", "prove_other_versions", "0 to 64 bytes captured, any lengths claimed", 9, witnesses=1,
          mutants=(("wire/packet/ip.c", "else if (out->family == 6)", "else"),)),
    Proof("ip", "prove_swap", "any headers", 80, quick=True, witnesses=1,
          mutants=(("wire/packet/ip.c", "{IP_PROTOCOL_ICMPV6, 128, 129}", "{IP_PROTOCOL_ICMPV6, 128, 130}"),
                   ("wire/packet/ip.c", "h->destination_port = port;", "h->destination_port = h->source_port;"))),

    # the end of DATA
    Proof("smtp_data", "prove_begin", "no bound (begin of the induction)", 6, quick=True, witnesses=1,
          mutants=(("wire/smtp/data.c", ".state = AT_START,", ".state = AT_TEXT,"),)),
    Proof("smtp_data", "prove_step", "no bound (induction over the octets)", 6, quick=True, witnesses=2,
          mutants=(("wire/smtp/data.c", "[IS_LF] = {AT_TEXT, BARE_LF},\n\t\t    [IS_DOT] = {AT_TEXT, PUT},",
                    "[IS_LF] = {AT_START, BARE_LF},\n\t\t    [IS_DOT] = {AT_TEXT, PUT},"),
                   ("wire/smtp/data.c", "[IS_CR] = {AT_CR, BARE_CR},\n\t\t       [IS_LF] = {AT_END, END},",
                    "[IS_CR] = {AT_DOT_CR, BARE_CR},\n\t\t       [IS_LF] = {AT_END, END},"),
                   ("wire/smtp/data.c", "size > d->limit_bytes - d->size_bytes", "size > d->limit_bytes - d->size_bytes + 1"))),
    Proof("smtp_data", "prove_segments", "segments of 0 to 3 octets in any state, cut at any place", 5, slow=True, by_name=True, witnesses=2,
          mutants=(("wire/smtp/data.c", "d->state == AT_TEXT ? text_run", "d->state != AT_CR ? text_run"),)),

    # the records of a screen session
    Proof("screen", "prove_record", "no bound", 2, quick=True, witnesses=2,
          mutants=(("channel/screen.h", "r->y / SCREEN_TILE_PX == (bottom - 1) / SCREEN_TILE_PX", "true"),
                   ("channel/screen.h", "right <= width && bottom <= height", "right <= width"),
                   ("channel/screen.h", "if (r->w > SCREEN_CURSOR_PX || r->h > SCREEN_CURSOR_PX)", "if (r->w > SCREEN_CURSOR_PX)"))),
    Proof("screen", "prove_count", "no bound: messages of every length", 2, quick=True, witnesses=1,
          mutants=(("channel/screen.h", "message_bytes % sizeof(struct screen_record) != 0 ||\n\t    ", ""),
                   ("channel/screen.h", "message_bytes > SCREEN_BATCH * sizeof", "message_bytes > (SCREEN_BATCH + 1) * sizeof"))),
    Proof("screen", "prove_input", "no bound", 2, quick=True, witnesses=1,
          mutants=(("channel/screen.h", "running && i->flags <= 1 && key_allowed(i->value)", "running && i->flags <= 1"),
                   ("channel/screen.h", "return running;", "return true;"))),

    # the mail verifier: characters
    Proof("mail_text", "prove_step", "no bound: every code point behind every other", 32, quick=True, witnesses=2,
          mutants=(("wire/mail/text.c", "{0x2060, 0x206F, RANGE_BAD}", "{0x2060, 0x2064, RANGE_BAD}"),
                   ("wire/mail/text.c", "c - 0x40 < 0x7F - 0x40", "c - 0x40 < 0x80 - 0x40"),
                   ("wire/mail/text.c", "return last == MAIL_TEXT_HAN;", "return last != MAIL_TEXT_OTHER;"))),
    Proof("mail_text", "prove_utf8_sound", "no bound: every octet sequence between two characters", 6, quick=True, witnesses=1,
          replace=("mail_text_step:some_step",),
          mutants=(("wire/mail/text.c", "t->c < t->low", "t->c < t->low - 1"),
                   ("wire/mail/text.c", "(b & 0xC0) != 0x80", "(b & 0x80) == 0"))),
    Proof("mail_text", "prove_utf8_complete", "no bound: every code point", 6, quick=True, witnesses=1,
          replace=("mail_text_step:some_step",),
          mutants=(("wire/mail/text.c", "b >= 0xF0 ? 0x10000", "b >= 0xF0 ? 0x20000"),)),
    Proof("mail_text", "prove_common", "no bound: any 3 octets, behind any character", 9, witnesses=3,
          mutants=(("wire/mail/text.c", "BIT(0x2028) - BIT(0x2010)", "BIT(0x202B) - BIT(0x2010)"),
                   ("wire/mail/text.c", "ROW(BRACKETS, ALL, KANA, ALL, ALL, NONE, ALL)", "ROW(BRACKETS, ALL, KANA, ALL, ALL, ALL, ALL)"),
                   ("wire/mail/text.c", "(w & 0xF0C0C0) == 0xE08080", "(w & 0xF0C000) == 0xE08000"),
                   ("wire/mail/text.c", "s[0] == 0xC3 &&", "s[0] >= 0xC2 && s[0] <= 0xC3 &&"))),
    Proof("mail_text", "prove_window", "no bound (induction over the windows): any 18 octets", 20, witnesses=3,
          replace=("_mm_movemask_epi8:some_signs",),
          mutants=(("wire/mail/text.c", "all(0x85)", "all(0x84)"),
                   ("wire/mail/text.c", "all(0x7F - 0xE9)", "all(0x7E - 0xE9)"),
                   ("wire/mail/text.c", "all(0x20)", "all(0x1F)"),
                   ("wire/mail/text.c", "_mm_cmplt_epi8(third, all(0xC0))", "_mm_cmplt_epi8(third, all(0xC1))"),
                   ("wire/mail/text.c", "begin << 1 | begin << 2", "begin << 1"),
                   ("wire/mail/text.c", "r->carry = window >> FIRST_OCTETS;", "r->carry = window >> LENGTH_MOST;"),
                   ("wire/mail/text.c", "length >= FIRST_OCTETS", "length > FIRST_OCTETS"),
                   ("wire/mail/text.c", "sixteen(s + 2)", "sixteen(s + 3)"))),
    Proof("mail_text", "prove_run", "texts of 0 to 37 octets, any characters in them", 21, witnesses=2,
          replace=("common_step:some_step_of_run",),
          mutants=(("wire/mail/text.c", "while (size - r.at >= AHEAD", "while (size - r.at >= AHEAD - 1"),
                   ("wire/mail/text.c", "while (size - r.at >= AHEAD", "while (size - r.at > AHEAD"),
                   ("wire/mail/text.c", "return r.at + (size_t)__builtin_ctz(~r.carry);", "return r.at;"))),
    Proof("mail_text", "prove_rest", "texts of 0 to 37 octets", 2, witnesses=2,
          replace=("common_run:some_run",),
          mutants=(("wire/mail/text.c", "left == 0 || left >= AHEAD", "left == 0 || left >= FIRST_OCTETS"),
                   ("wire/mail/text.c", "uint8_t rest[2 * AHEAD] = {0}", "uint8_t rest[AHEAD + 1] = {0}"),
                   ("wire/mail/text.c", "memcpy(rest, s + at, left);", "memcpy(rest, s + at, left - 1);"))),
    Proof("mail_text", "prove_base64", "no bound: every quantum", 6, quick=True, witnesses=1,
          mutants=(("wire/mail/verify.c", "digits == 2 && (bits & 0xFFFF) != 0", "digits == 2 && (bits & 0xFF) != 0"),)),

    # the mail verifier: fields
    Proof("mail_fields", "prove_order", "no bound: every line behind every set of fields (the first 32 octets decide)", 33, witnesses=1,
          slow=True, replace=("field_complete:any_complete",),
          mutants=(("wire/mail/verify.c", "v->slots >> fields[row - 1].slot != 0", "v->slots >> fields[row - 1].slot > 1"),
                   ("wire/mail/verify.c", '{"Cc: ", "", FIELD_MAILBOXES, 6, false}', '{"Cc: ", "", FIELD_MAILBOXES, 5, false}'),
                   ("wire/mail/verify.c", "v->count = 0;\n\treturn at;", "return at;"))),
    Proof("mail_fields", "prove_end", "no bound: every state", 22, witnesses=1, quick=True, replace=("field_complete:any_complete",),
          mutants=(("wire/mail/verify.c", '{"Subject: ", "", FIELD_TEXT, 7, true}', '{"Subject: ", "", FIELD_TEXT, 7, false}'),
                   ("wire/mail/verify.c", "v->multipart != v->seven_bit", "v->multipart && !v->seven_bit"),
                   ("wire/mail/verify.c", "v->multipart && !v->parts.texts && !v->parts.files", "v->multipart && !v->parts.texts"))),
    Proof("mail_fields", "prove_ids", "no bound (induction over the octets)", 24, witnesses=1, quick=True,
          mutants=(("wire/mail/verify.c", "v->part == IDS_INSIDE && c == '>' && v->count > 0", "v->part == IDS_INSIDE && c == '>'"),
                   ("wire/mail/verify.c", "++v->count <= ID_MAX", "v->count++ <= ID_MAX"),
                   ("wire/mail/verify.c", "c == ' ' && many", "c == ' '"))),
    Proof("mail_fields", "prove_mailbox_lengths", "no bound (induction over the symbols)", 24, witnesses=1, quick=True,
          mutants=(("wire/mail/verify.c", "is_local(c) && ++v->count <= LOCAL_MAX ? MAILBOX_LOCAL : -1",
                    "is_local(c) && ++v->count <= DOMAIN_MAX ? MAILBOX_LOCAL : -1"),
                   ("wire/mail/verify.c", "if (next != v->part)\n\t\tv->count = 0;", ""))),
    Proof("mail_fields", "prove_date", "no bound: values of 0 to 32 octets, longer ones cannot match", 33, witnesses=1, slow=True,
          mutants=(("wire/mail/verify.c", "return c == '+' || c == '-';", "return c == '+';"),
                   ("wire/mail/verify.c", "return want != '\\0' && c == want;", "return c == want;"))),
    Proof("mail_fields", "prove_received", "values of 0 to 76 octets: names of hosts of 0 to 3", 78, witnesses=1, slow=True,
          mutants=(("wire/mail/verify.c", '" with Sekisho id " RECEIPT_ID', '" with Sekisho id " HEX RECEIPT_ID'),)),
    Proof("mail_fields", "prove_receipt_id", "no bound: values of 0 to 21 octets, longer ones cannot match", 22, witnesses=1,
          mutants=(("wire/mail/verify.c", "return is_digit(c) || (c >= 'a' && c <= 'f');", "return is_digit(c) || is_lower(c);"),)),
    Proof("mail_fields", "prove_host", "names of 0 to 4 octets", 24, witnesses=1,
          mutants=(("wire/mail/verify.c", "if (repeats && v->count > 0 && !pattern_takes(want, c)) {",
                    "if (repeats && !pattern_takes(want, c)) {"),)),
    Proof("mail_fields", "prove_host_length", "no bound (induction over the octets)", 24, witnesses=1, quick=True,
          mutants=(("wire/mail/verify.c", "++v->count > DOMAIN_MAX", "v->count++ > DOMAIN_MAX"),)),
    Proof("mail_fields", "prove_word", "lines of 0 to 80 octets behind it, any payload", 82, witnesses=1,
          replace=("word_payload:any_payload",),
          mutants=(("wire/mail/verify.c", "end + 2 > MAIL_WORD_MAX", "end > MAIL_WORD_MAX"),
                   ("wire/mail/verify.c", "end + 2 < size && s[end + 2] != ' '", "false"))),
    Proof("mail_fields", "prove_folding", "lines of 1 to 6 octets in any state", 7, quick=True, witnesses=2,
          replace=("field_begin:some_begin", "field_content:some_value"),
          mutants=(("wire/mail/verify.c", "v->row == 0 || line[1] == ' '", "line[1] == ' '"),
                   ("wire/mail/verify.c", "v->row == 0 || line[1] == ' '", "v->row == 0"),
                   ("wire/mail/verify.c", "line[size - 1] == ' '", "line[size - 1] == '\\t'"),
                   ("wire/mail/verify.c", "++v->header_lines > MAIL_HEADER_LINES_MAX", "v->header_lines++ > MAIL_HEADER_LINES_MAX"))),

    # the mail verifier: mailboxes
    Proof("mail_mailbox", "prove_octets", "no bound", 24, witnesses=1, quick=True,
          mutants=(("wire/mail/verify.c", "*+-/=?^_`{|}~.", "*+-/=?^_`{|}~.@"),)),
    Proof("mail_mailbox", "prove_mailbox", "values of 0 to 10 symbols, any sets of octets in local part and domain", 12, witnesses=1, slow=True,
          replace=("is_local:some_local", "is_host:some_host"),
          mutants=(("wire/mail/verify.c", "if (c == '@' && v->count > 0)", "if (c == '@')"),
                   ("wire/mail/verify.c", "return c != '\\\\' && c != SYMBOL_WORD ? MAILBOX_QUOTED : -1;", "return c != SYMBOL_WORD ? MAILBOX_QUOTED : -1;"),
                   ("wire/mail/verify.c", "&& part == MAILBOX_START ? MAILBOX_QUOTED : -1;", "? MAILBOX_QUOTED : -1;"),
                   ("wire/mail/verify.c", "if (c == ']' && v->count > 0)", "if (c == ']')"))),
    Proof("mail_mailbox", "prove_list", "no bound: any two symbols behind a mailbox", 24, witnesses=1, quick=True,
          mutants=(("wire/mail/verify.c", "return c == ',' && many ? MAILBOX_COMMA : -1;", "return c == ',' ? MAILBOX_COMMA : -1;"),)),

    # the mail verifier: parts
    Proof("mail_parts", "prove_line", "no bound: every line behind every other (the first 77 octets decide)", 79, quick=True, witnesses=4,
          replace=("is_name:some_name",),
          mutants=(("wire/mail/parts.c", "p->count > MAIL_FILES_MAX", "p->count > MAIL_FILES_MAX + 1"),
                   ("wire/mail/parts.c", "!p->files || p->count == 0", "!p->files"),
                   ("wire/mail/parts.c", "size > CONTENT_LINE || p->last_line", "size > CONTENT_LINE"),
                   ("wire/mail/parts.c", "p->filled && p->count > 1 && is_line", "p->filled && is_line"),
                   ("wire/mail/parts.c", "p->filled = false;", ""))),

    # the channel tables
    Proof("channel", "prove_serve", "any message, 0 to 5 descriptors, any table of 2 rules, any state (limits of 3 descriptors, 16 bytes)", 6,
          quick=True, witnesses=2,
          mutants=(("base/channel.c", "if (msg->msg_flags & MSG_CTRUNC)", "if (msg->msg_flags & MSG_OOB)"),
                   ("base/channel.c", "(void)close(fd); /* more than may ever come */", ";"),
                   ("base/channel.c", "if (state > 31 || !(rule->states & (1U << state)))", "if (!rule->states)"),
                   ("base/channel.c", "frame->header.fd_count != frame->fd_count", "frame->header.fd_count < frame->fd_count"))),
    Proof("channel", "prove_receive", "any message, 0 to 5 descriptors (limits of 3 descriptors, 16 bytes)", 6, quick=True, witnesses=1,
          mutants=(("base/channel.c", "frame.header.type != type || ", ""),
                   ("base/channel.c", "frame.fd_count > fd_capacity", "false"))),

    # the loader of compiled policies
    Proof("snapshot", "prove_layout", "no bound: every header", 25, witnesses=1,
          mutants=(("policy/snapshot.c", "h->sections[i].offset != at", "h->sections[i].offset > at"),
                   ("policy/snapshot.c", "h->sections[i].count > section_forms[i].rows_max || ", ""))),
    Proof("snapshot", "prove_range", "no bound", 2, quick=True, witnesses=1,
          mutants=(("policy/snapshot.c", "r.first <= rows && r.count <= rows - r.first", "r.first + r.count <= rows"),)),
    Proof("snapshot", "prove_name", "names in a field of 16 bytes", 18, quick=True, witnesses=1,
          mutants=(("policy/snapshot.c", "if (name[i] != '\\0')\n\t\t\treturn false;", ";"),)),
    Proof("snapshot", "prove_zone", "tables of 2 rows, any content", 18, replace=("name_is_sound:some_name",), witnesses=1,
          mutants=(("policy/snapshot.c", "z->peer < s->zone_count && z->peer != i", "z->peer != i"),
                   ("policy/snapshot.c", "range_is_sound(z->stations, s->station_count)", "true"))),
    Proof("snapshot", "prove_crossing", "tables of 2 rows, any content", 8, witnesses=1,
          mutants=(("policy/snapshot.c", "c->high < s->zone_count && peers_are_sound", "peers_are_sound"),
                   ("policy/snapshot.c", "c->permits.first == first", "c->permits.first >= first"))),
    Proof("snapshot", "prove_permit", "tables of 2 rows, any content", 8, witnesses=1,
          mutants=(("policy/snapshot.c", "if (p->crossing >= s->crossing_count)", "if (p->crossing > s->crossing_count)"),
                   ("policy/snapshot.c", "p[-1].number >= p->number", "p[-1].number > p->number"))),
    Proof("snapshot", "prove_prefix", "any prefix", 18, quick=True, witnesses=1,
          mutants=(("policy/snapshot.c", "p->family == 6 && p->bits <= 128", "p->bits <= 128"),)),
    Proof("snapshot", "prove_mail", "tables of 2 rows, any content, 2 next hops", 26, replace=("name_is_sound:some_name",), witnesses=1,
          mutants=(("policy/snapshot.c", "from < s->zone_count && to < s->zone_count", "from < s->zone_count"),
                   ("policy/snapshot.c", "m->attachments <= ATTACHMENTS_PASS_FILES &&", ""),
                   ("policy/snapshot.c", "m->attachments < ATTACHMENTS_PASS_TEXT || m->scanner", "m->attachments < ATTACHMENTS_PASS_FILES || m->scanner"))),
    Proof("snapshot", "prove_others", "tables of 2 rows, any content, 4 bytes of text", 26, replace=("name_is_sound:some_name",), witnesses=3,
          mutants=(("policy/snapshot.c", "l->zone < s->zone_count && ", ""),
                   ("policy/snapshot.c", "secure == (l->authority_slot[0] != '\\0') &&", ""),
                   ("policy/snapshot.c", "text_is_sound(s, c->text_service) &&", ""))),
]
