/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The calendar, and no clock. */
#include "report/time.h"

#include <stdio.h>
#include <time.h>

#include "base/moment.h"

#define FIRST_SECOND INT64_C(-62167219200) /* 0000-01-01T00:00:00Z */
#define LAST_SECOND  INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

void time_format(int64_t real_us, char ret[TIME_TEXT_SIZE])
{
    int64_t seconds = real_us / USEC_PER_SEC;
    int64_t micros = real_us % USEC_PER_SEC;
    char date[sizeof("2026-11-22T14:54:00")];
    struct tm calendar;
    time_t when;

    if (micros < 0) {
        micros += USEC_PER_SEC;
        seconds--;
    }
    if (seconds < FIRST_SECOND)
        seconds = FIRST_SECOND;
    if (seconds > LAST_SECOND)
        seconds = LAST_SECOND;

    when = seconds;
    gmtime_r(&when, &calendar);
    /* %4Y, because glibc does not pad %Y. */
    strftime(date, sizeof(date), "%4Y-%m-%dT%H:%M:%S", &calendar);
    snprintf(ret, TIME_TEXT_SIZE, "%s.%06uZ", date, (unsigned)(micros % USEC_PER_SEC));
}
