/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all proofs share. A harness includes the source that it proves (so that its static functions
 * are within reach, and a mutant can take its place), takes inputs from nondet_*(), which stand for
 * every value, narrows them with suppose() and claims with assert().
 */
#ifndef SEKISHO_TESTS_PROVE_H
#define SEKISHO_TESTS_PROVE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define suppose(condition) __CPROVER_assume(condition)

/*
 * A place that must be reachable, or else what is claimed behind it is claimed about nothing. Built
 * with -DWITNESS=n, the claim is that place n is never reached, and the proof must fail.
 */
#ifndef WITNESS
#define WITNESS 0
#endif
#define REACHED(n) assert(WITNESS != (n))

bool nondet_bool(void);
uint8_t nondet_u8(void);
uint16_t nondet_u16(void);
uint32_t nondet_u32(void);
uint64_t nondet_u64(void);
int nondet_int(void);
size_t nondet_size(void);

#endif
