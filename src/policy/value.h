/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The values of the configuration language: one form a type, parsed to binary and to the one
 * canonical text. */
#ifndef SEKISHO_POLICY_VALUE_H
#define SEKISHO_POLICY_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "policy/snapshot.h"

#define VALUE_TEXT_BYTES 512 /* of a canonical text, with NUL */
#define VALUE_WORD_BYTES 300 /* of what is typed for any type but TYPE_TEXT */

enum value_type {
	TYPE_NONE,
	TYPE_TEXT,   /* free text of @low to @high characters, quoted when printed */
	TYPE_WORD,   /* one of @words; number is its place there */
	TYPE_NUMBER, /* @low to @high */
	TYPE_NAME,   /* a new name */
	TYPE_ZONE,   /* a name that a zone, service or schedule has; existence is checked later */
	TYPE_SERVICE,
	TYPE_SCHEDULE,
	TYPE_HOST,      /* host name, RFC 1123 */
	TYPE_DOMAIN,    /* the same, as part of a mail address */
	TYPE_DEVICE,    /* network device */
	TYPE_ADDRESS,   /* one IPv4 or IPv6 unicast address */
	TYPE_INTERFACE, /* address with prefix length, host bits kept */
	TYPE_PREFIX,    /* network; an address stands for itself */
	TYPE_ENDPOINT,  /* address[:port], [IPv6]:port; @low is the port that may be left out */
	TYPE_MAC,
	TYPE_PORTS,    /* port or port-port: number to high */
	TYPE_ICMP,     /* type number or one of @words ("name:number"); "any" sets @any */
	TYPE_SIZE,     /* bytes, with KB, MB or GB; @low to @high */
	TYPE_DURATION, /* milliseconds in number; ms, s, m, h, d; @low to @high */
	TYPE_DATE,     /* days since 1970-01-01 */
	TYPE_DAYS,     /* Monday 0 to Sunday 6: number to high */
	TYPE_SCANNER,  /* a name that a scanner has */
	TYPE_SENDER,  /* a domain, or a mail address: local part as written, domain in lower case */
	TYPE_TIMES,   /* minutes of the day: number up to, but without, high, which is past 1440
			 where it lies on the next day */
	TYPE_PLACE,   /* as TYPE_PREFIX, or the name of a group: then prefix.family is 0 */
	TYPE_PATTERN, /* host name, or "*." and one: every name below it */
	TYPE_RATE,    /* count/s or count/m: number, and the period in seconds in high */
	TYPE_COUNT_
};

struct value_form {
	enum value_type type;
	const char *label; /* shown as <label> */
	uint64_t low, high;
	const char *words;   /* separated by blanks */
	const char *keyword; /* the word that comes before, NULL: none */
};

struct value {
	uint64_t number, high;
	struct snapshot_prefix prefix; /* addresses; bits 32 or 128 for one address */
	uint16_t port;
	uint8_t mac[6];
	bool any;
	char text[VALUE_TEXT_BYTES]; /* canonical, without quotes */
};

/**
 * value_parse - read one word by its form
 * @typed: borrowed, UTF-8, any length; quotes already taken off
 * @out:   all fields set, those that do not apply to 0
 * Return: 0; -ERR_SYNTAX where it is not of this form; -ERR_RANGE where it is, but is not allowed;
 * -ERR_TOO_LONG.
 */
int value_parse(struct value *out, const struct value_form *form, struct span typed);

/**
 * value_describe - what a form allows, as one phrase
 * @language: enum language of schema.h
 */
void value_describe(struct writer *w, const struct value_form *form, int language);

/* value_net.c: the parsers of addresses; arguments and results as value_parse. */
int value_parse_address(struct value *out, const struct value_form *form, struct span typed);
int value_parse_interface(struct value *out, const struct value_form *form, struct span typed);
int value_parse_prefix(struct value *out, const struct value_form *form, struct span typed);
int value_parse_endpoint(struct value *out, const struct value_form *form, struct span typed);
int value_parse_mac(struct value *out, const struct value_form *form, struct span typed);

/* Decimal digits only, no sign, no leading zero but "0" itself. Return: 0, -ERR_SYNTAX or
 * -ERR_RANGE. */
int value_parse_decimal(uint64_t *out, struct span typed);

#endif
