/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Instants as people and programs read them: RFC 3339, in UTC, with microseconds. */
#ifndef UNDERSTUDY_REPORT_TIME_H
#define UNDERSTUDY_REPORT_TIME_H

#include <stdint.h>

#include "base/cleanup.h"

#define TIME_TEXT_SIZE 28 /* "2026-11-22T14:54:00.000000Z" and its NUL */

/* real_us: microseconds since the epoch; what lies outside the years 0 to 9999 becomes the nearest instant inside. */
void time_format(int64_t real_us, char ret[TIME_TEXT_SIZE]);

/*
 * "2026-11-22", "2026-11-22 14:54", "2026-11-22T14:54:00", "2026-11-22T14:54:00.000000Z": UTC, whether a Z is there or not.
 * -EINVAL: not such a text, or no day of the calendar.
 */
int time_parse(const char *text, int64_t *ret_real_us) _must_check_;

#endif
