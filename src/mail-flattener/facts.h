/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a reader acts upon in a text: numbers of accounts and telephones, hosts, mail addresses,
 * amounts. Two texts are compared by them however each writes them: width, dashes, brackets and
 * blanks inside of a number make no difference, and dates are compared by their parts.
 */
#ifndef SEKISHO_MAIL_FLATTENER_FACTS_H
#define SEKISHO_MAIL_FLATTENER_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum { FACT_BITS = 1 << 15 }; /* of each set of hashes */

/* Said: what the text states as such. Seen: whatever in it may be the same, also the hosts of
 * targets behind links and digits with other text in between. */
enum fact_set {
	FACT_NUMBER_SAID, /* seven digits in a row, of a number of as many or more */
	FACT_NUMBER_SEEN,
	FACT_HOST_SAID,
	FACT_HOST_SEEN,
	FACT_ADDRESS_SAID,
	FACT_ADDRESS_SEEN,
	FACT_SHORT, /* three to six digits: amounts; years are left out */
	FACT_SETS
};

struct facts {
	uint64_t bits[FACT_SETS][FACT_BITS / 64];
	uint32_t stream; /* the last seven digits of all, as a number */
	unsigned digits; /* of them, up to 7 */
};

/* Take @text (UTF-8, borrowed) into @facts, which were zeroed. Linear in its size. */
void facts_add(struct facts *facts, struct span text);

/* Does each of the two say something of a kind that the other does not have at all? Of short
 * numbers it must be more than two of three. Where only one says more, it is what forms of a text
 * do. */
bool facts_differ(const struct facts *a, const struct facts *b);

#endif
