/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SMTP command lines: strict line ends, verbs, paths and the parameters of MAIL. */
#include "wire/smtp/command.h"

#include "base/err.h"
#include "base/utf8.h"

#define SIZE_DIGITS_MAX 20 /* RFC 1870 3 */

static const struct {
	const char *name;
	enum smtp_verb verb;
} verbs[] = {
	{"EHLO", SMTP_EHLO}, {"HELO", SMTP_HELO}, {"MAIL", SMTP_MAIL}, {"RCPT", SMTP_RCPT},
	{"DATA", SMTP_DATA}, {"RSET", SMTP_RSET}, {"NOOP", SMTP_NOOP}, {"VRFY", SMTP_VRFY},
	{"EXPN", SMTP_EXPN}, {"HELP", SMTP_HELP}, {"QUIT", SMTP_QUIT}, {"STARTTLS", SMTP_STARTTLS},
	{"AUTH", SMTP_AUTH}, {"BDAT", SMTP_BDAT},
};

static struct span part(struct span s, size_t from, size_t to)
{
	return (struct span){s.data + from, to - from};
}

static bool is_alnum(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

int smtp_line_next(struct span in, size_t line_bytes, struct span *line, size_t *taken)
{
	for (size_t i = 0; i < in.size; i++) {
		uint8_t c = in.data[i];

		if (c == '\0' || c == '\n')
			return -ERR_SYNTAX;
		if (c == '\r') {
			if (i + 1 == in.size)
				return -ERR_TRUNCATED;
			if (in.data[i + 1] != '\n')
				return -ERR_SYNTAX;
			*line = part(in, 0, i);
			*taken = i + 2;
			return 0;
		}
		if (i >= line_bytes)
			return -ERR_TOO_LONG;
	}
	return -ERR_TRUNCATED;
}

static enum smtp_verb find_verb(struct span word)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (span_equal_nocase(word, span_of(verbs[i].name)))
			return verbs[i].verb;
	}
	return SMTP_UNKNOWN;
}

int smtp_line_parse(struct span line, struct smtp_line *out)
{
	size_t end = 0;
	size_t limit = SMTP_LINE_MAX;

	for (size_t i = 0; i < line.size; i++) {
		if (line.data[i] < ' ' || line.data[i] == 0x7f)
			return -ERR_SYNTAX;
	}
	while (end < line.size && line.data[end] != ' ')
		end++;
	if (end == 0)
		return -ERR_SYNTAX;
	out->verb = find_verb(part(line, 0, end));
	out->argument = span_trim(part(line, end, line.size));
	if (out->verb == SMTP_MAIL)
		limit += SMTP_MAIL_EXTRA;
	return line.size > limit ? -ERR_TOO_LONG : 0;
}

/* How many octets at @at belong to one character that @allowed accepts, or to UTF-8 where that may
 * be; 0: none. */
static size_t one_of(struct span s, size_t at, bool utf8, bool (*allowed)(uint8_t))
{
	uint32_t character = 0;

	if (at >= s.size)
		return 0;
	if (s.data[at] < 0x80)
		return allowed(s.data[at]) ? 1 : 0;
	return utf8 ? utf8_decode(part(s, at, s.size), &character) : 0;
}

static bool label_char(uint8_t c)
{
	return is_alnum(c) || c == '-' || c == '_';
}

/* "[192.0.2.1]" or "[IPv6:2001:db8::1]"; the address itself is not judged: no recipient domain is a
 * literal. */
static int check_literal(struct span domain)
{
	struct span in = part(domain, 1, domain.size - 1);
	struct span six = span_of("IPv6:");
	bool is_six = span_starts_nocase(in, six);

	if (is_six)
		in = part(in, six.size, in.size);
	if (in.size == 0 || in.size > 45)
		return -ERR_SYNTAX;
	for (size_t i = 0; i < in.size; i++) {
		uint8_t c = in.data[i];
		bool hex = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':';

		if (!(c >= '0' && c <= '9') && c != '.' && !(is_six && hex))
			return -ERR_SYNTAX;
	}
	return 0;
}

/* One label from @at; its end goes to *@end. */
static int check_label(struct span domain, size_t at, bool utf8, size_t *end)
{
	size_t to = at;
	size_t step = 0;

	while ((step = one_of(domain, to, utf8, label_char)) > 0)
		to += step;
	if (to == at || domain.data[at] == '-' || domain.data[to - 1] == '-')
		return -ERR_SYNTAX;
	if (to - at > SMTP_LABEL_MAX)
		return -ERR_TOO_LONG;
	*end = to;
	return 0;
}

int smtp_domain_check(struct span domain, bool utf8, bool *literal)
{
	size_t at = 0;

	if (literal != NULL)
		*literal = false;
	if (domain.size == 0)
		return -ERR_SYNTAX;
	if (domain.size > SMTP_DOMAIN_MAX)
		return -ERR_TOO_LONG;
	if (domain.size > 2 && domain.data[0] == '[' && domain.data[domain.size - 1] == ']') {
		if (literal != NULL)
			*literal = true;
		return check_literal(domain);
	}
	for (;;) {
		int err = check_label(domain, at, utf8, &at);

		if (err < 0 || at == domain.size)
			return err;
		if (domain.data[at++] != '.')
			return -ERR_SYNTAX;
	}
}

/* RFC 5321 4.1.2 atext. */
static bool atom_char(uint8_t c)
{
	static const char more[] = "!#$%&'*+-/=?^_`{|}~";

	for (size_t i = 0; i < sizeof(more) - 1; i++) {
		if (c == (uint8_t)more[i])
			return true;
	}
	return is_alnum(c);
}

static bool quoted_char(uint8_t c)
{
	return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}

/* A Dot-string at the start of @text; *@end: behind it. */
static int parse_dot_string(struct span text, bool utf8, size_t *end)
{
	size_t at = 0;

	for (;;) {
		size_t from = at;
		size_t step = 0;

		while ((step = one_of(text, at, utf8, atom_char)) > 0)
			at += step;
		if (at == from)
			return -ERR_SYNTAX;
		if (at == text.size || text.data[at] != '.')
			break;
		at++;
	}
	*end = at;
	return 0;
}

/* A Quoted-string at the start of @text; *@end: behind the closing quote. */
static int parse_quoted(struct span text, bool utf8, size_t *end)
{
	size_t at = 1;

	while (at < text.size && text.data[at] != '"') {
		size_t step = 0;

		if (text.data[at] == '\\') {
			at++;
			step = at < text.size && text.data[at] >= ' ' && text.data[at] < 0x7f ? 1
											      : 0;
		} else {
			step = one_of(text, at, utf8, quoted_char);
		}
		if (step == 0)
			return -ERR_SYNTAX;
		at += step;
	}
	if (at >= text.size)
		return -ERR_SYNTAX;
	*end = at + 1;
	return 0;
}

int smtp_path_parse(struct span text, bool utf8, struct smtp_path *out)
{
	size_t end = 0;
	int err = 0;

	*out = (struct smtp_path){.text = text};
	if (text.size == 0)
		return 0;
	if (text.size > SMTP_PATH_MAX)
		return -ERR_TOO_LONG;
	out->quoted = text.data[0] == '"';
	err = out->quoted ? parse_quoted(text, utf8, &end) : parse_dot_string(text, utf8, &end);
	if (err < 0)
		return err;
	if (end > SMTP_LOCAL_MAX)
		return -ERR_TOO_LONG;
	out->local = part(text, 0, end);
	if (end == text.size) /* RFC 5321 4.1.1.3: the only address without a domain */
		return span_equal_nocase(text, span_of("postmaster")) ? 0 : -ERR_SYNTAX;
	if (text.data[end] != '@')
		return -ERR_SYNTAX;
	out->domain = part(text, end + 1, text.size);
	return smtp_domain_check(out->domain, utf8, &out->literal);
}

/* Where the path that opens at 0 with '<' closes, quotes heeded; 0: nowhere. */
static size_t find_bracket(struct span s)
{
	bool in_quotes = false;

	for (size_t i = 1; i < s.size; i++) {
		if (in_quotes && s.data[i] == '\\')
			i++;
		else if (s.data[i] == '"')
			in_quotes = !in_quotes;
		else if (s.data[i] == '>' && !in_quotes)
			return i;
	}
	return 0;
}

/* "FROM:<path> rest": the text of the path and what follows. A space behind the colon is common,
 * and harmless. */
static int split_path(struct span argument, const char *keyword, struct span *path,
		      struct span *rest)
{
	struct span key = span_of(keyword);
	struct span s = {0};
	size_t close = 0;

	if (!span_starts_nocase(argument, key))
		return -ERR_SYNTAX;
	s = span_trim(part(argument, key.size, argument.size));
	if (s.size < 2 || s.data[0] != '<')
		return -ERR_SYNTAX;
	close = find_bracket(s);
	if (close == 0)
		return -ERR_SYNTAX;
	if (close + 1 < s.size && s.data[close + 1] != ' ')
		return -ERR_SYNTAX;
	*path = part(s, 1, close);
	*rest = span_trim(part(s, close + 1, s.size));
	return 0;
}

static int parse_size(struct span value, struct smtp_mail *out)
{
	uint64_t n = 0;

	if (value.size == 0 || value.size > SIZE_DIGITS_MAX || out->has_size)
		return -ERR_RANGE;
	for (size_t i = 0; i < value.size; i++) {
		if (value.data[i] < '0' || value.data[i] > '9')
			return -ERR_RANGE;
		if (__builtin_mul_overflow(n, 10U, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(value.data[i] - '0'), &n))
			n = UINT64_MAX; /* larger than any limit, which is all that matters */
	}
	out->has_size = true;
	out->size_bytes = n;
	return 0;
}

static int parse_body(struct span value, struct smtp_mail *out)
{
	if (span_equal_nocase(value, span_of("7BIT")))
		out->body = SMTP_BODY_7BIT;
	else if (span_equal_nocase(value, span_of("8BITMIME")))
		out->body = SMTP_BODY_8BITMIME;
	else
		return -ERR_RANGE;
	return 0;
}

static int parse_utf8(struct span value, struct smtp_mail *out)
{
	if (value.size != 0 || out->utf8)
		return -ERR_RANGE;
	out->utf8 = true;
	return 0;
}

static const struct {
	const char *name;
	int (*parse)(struct span value, struct smtp_mail *out);
} mail_parameters[] = {{"SIZE", parse_size}, {"BODY", parse_body}, {"SMTPUTF8", parse_utf8}};

static int parse_parameter(struct span word, struct smtp_mail *out)
{
	size_t equals = 0;
	struct span value = {0};

	while (equals < word.size && word.data[equals] != '=')
		equals++;
	if (equals < word.size)
		value = part(word, equals + 1, word.size);
	for (size_t i = 0; i < sizeof(mail_parameters) / sizeof(mail_parameters[0]); i++) {
		if (span_equal_nocase(part(word, 0, equals), span_of(mail_parameters[i].name)))
			return mail_parameters[i].parse(value, out);
	}
	return -ERR_UNSUPPORTED;
}

int smtp_mail_parse(struct span argument, struct smtp_mail *out)
{
	struct span path = {0};
	struct span rest = {0};
	unsigned count = 0;
	int err = split_path(argument, "FROM:", &path, &rest);

	*out = (struct smtp_mail){0};
	while (err == 0 && rest.size > 0) {
		size_t end = 0;

		while (end < rest.size && rest.data[end] != ' ')
			end++;
		if (++count > SMTP_PARAMS_MAX)
			return -ERR_UNSUPPORTED;
		err = parse_parameter(part(rest, 0, end), out);
		rest = span_trim(part(rest, end, rest.size));
	}
	return err < 0 ? err : smtp_path_parse(path, out->utf8, &out->path);
}

int smtp_rcpt_parse(struct span argument, bool utf8, struct smtp_path *out)
{
	struct span path = {0};
	struct span rest = {0};
	int err = split_path(argument, "TO:", &path, &rest);

	if (err < 0)
		return err;
	err = smtp_path_parse(path, utf8, out);
	if (err < 0)
		return err;
	if (path.size == 0)
		return -ERR_SYNTAX;
	return rest.size > 0 ? -ERR_UNSUPPORTED : 0;
}

bool smtp_path_reroutes(const struct smtp_path *path)
{
	for (size_t i = 0; i < path->local.size; i++) {
		uint8_t c = path->local.data[i];

		if (c == '%' || c == '!' || c == '@')
			return true;
	}
	return false;
}
