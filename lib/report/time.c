/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The calendar, and no clock. */
#include "report/time.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
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

/* So many digits, and no blank or sign. */
static int take_digits(const char **at, unsigned count, int *ret)
{
    int number = 0;

    for (unsigned i = 0; i < count; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return -EINVAL;
        number = number * 10 + (**at - '0');
    }
    *ret = number;
    return 0;
}

static int take_character(const char **at, const char *any)
{
    if (**at == '\0' || strchr(any, **at) == NULL)
        return -EINVAL;
    (*at)++;
    return 0;
}

/* ":54", ":54:00", ":54:00.000000", and what is not written is 0. */
static int take_fraction_of_day(const char **at, struct tm *calendar, int64_t *ret_us)
{
    int64_t unit_us = USEC_PER_SEC;
    int digit;

    if (take_digits(at, 2, &calendar->tm_hour) < 0 || take_character(at, ":") < 0 ||
        take_digits(at, 2, &calendar->tm_min) < 0)
        return -EINVAL;
    if (take_character(at, ":") < 0)
        return 0;
    if (take_digits(at, 2, &calendar->tm_sec) < 0)
        return -EINVAL;
    if (take_character(at, ".") < 0)
        return 0;
    while (take_digits(at, 1, &digit) == 0) {
        unit_us /= 10;
        *ret_us += digit * unit_us;
    }
    return 0;
}

int time_parse(const char *text, int64_t *ret_real_us)
{
    struct tm calendar = {0}, asked;
    const char *at = text;
    int64_t us = 0;
    time_t seconds;

    if (take_digits(&at, 4, &calendar.tm_year) < 0 || take_character(&at, "-") < 0 ||
        take_digits(&at, 2, &calendar.tm_mon) < 0 || take_character(&at, "-") < 0 ||
        take_digits(&at, 2, &calendar.tm_mday) < 0)
        return -EINVAL;
    if (take_character(&at, "T ") == 0 && take_fraction_of_day(&at, &calendar, &us) < 0)
        return -EINVAL;
    if (*at == 'Z')
        at++;
    calendar.tm_year -= 1900;
    calendar.tm_mon--;
    asked = calendar;
    seconds = timegm(&calendar);
    /* The 31st of April would be the 1st of May. */
    if (*at != '\0' || calendar.tm_mon != asked.tm_mon || calendar.tm_mday != asked.tm_mday ||
        calendar.tm_hour != asked.tm_hour || calendar.tm_min != asked.tm_min || calendar.tm_sec != asked.tm_sec)
        return -EINVAL;
    *ret_real_us = seconds * USEC_PER_SEC + us;
    return 0;
}
