/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Amounts as people write them: whole numbers, decimals in millionths, durations in microseconds,
 * sizes in bytes, permission bits in octal. Exact: nothing here passes through floating point. Knows no keys.
 *
 * Every parse function takes the whole text, without blanks. -EINVAL: not written as expected.
 * -ERANGE: does not fit the result.
 */
#ifndef UNDERSTUDY_BASE_UNITS_H
#define UNDERSTUDY_BASE_UNITS_H

#include <stdint.h>

#include "base/cleanup.h"

#define UNIT_TEXT_SIZE 32 /* holds any formatted amount and its NUL */

/* "0", "12", "-3"; no leading zeros, which some read as octal. */
int integer_parse(const char *text, int64_t *ret) _must_check_;

/* "0", "0.5", "-1.25": 0.3 is 300000. -EDOM: more than six decimals. */
int decimal_parse(const char *text, int64_t *ret_millionths) _must_check_;

/* "500ms", "5s", "2m", "1h", "1d": a whole number and its unit. */
int duration_parse(const char *text, int64_t *ret_us) _must_check_;

/* "0", "512KiB", "2GiB": a whole number and its unit, in bytes; nothing needs no unit. */
int size_parse(const char *text, int64_t *ret_bytes) _must_check_;

/* The shortest text that parses to the same amount; a duration loses what is below a millisecond. */
void decimal_format(int64_t millionths, char buffer[static UNIT_TEXT_SIZE]);
void duration_format(int64_t us, char buffer[static UNIT_TEXT_SIZE]);
void size_format(int64_t bytes, char buffer[static UNIT_TEXT_SIZE]);

#endif
