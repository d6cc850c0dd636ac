/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every unit test includes first: cmocka wants these headers in this order. */
#ifndef SEKISHO_TESTS_UNIT_H
#define SEKISHO_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
