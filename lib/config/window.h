/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Times of the week, as the configuration writes them: "Sun 03:00-05:00". They are by the clock on the wall, which is not
 * known here: the caller says how to read it.
 */
#ifndef UNDERSTUDY_CONFIG_WINDOW_H
#define UNDERSTUDY_CONFIG_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#define WINDOW_TEXT_MAX 64 /* bytes of its text */

/* A plain value. */
struct window {
    unsigned days;  /* on which it begins, as bits: 1 << 0 is Sunday */
    int begins_min; /* minutes after midnight */
    int ends_min;   /* after begins_min; above 24 h: on the day after */
};

/*
 * "DAYS HH:MM-HH:MM". DAYS: "Sun", "Mon-Fri", or "daily". The end may be 24:00; one that is not after the begin is on the day
 * after. False: it is something else.
 */
bool window_parse(const char *text, struct window *ret);

/* What the clock on the wall shows. */
struct wall_time {
    int weekday; /* 0: Sunday */
    int minute;  /* after midnight */
};

/* From microseconds since the epoch. */
typedef struct wall_time wall_clock(int64_t real_us);

struct wall_time wall_clock_utc(int64_t real_us);

bool window_contains(const struct window *window, struct wall_time time);

/*
 * All of this time belongs to it, whatever the clocks are set to meanwhile: it is looked at each minute. So a day on which
 * they are set needs no care.
 */
bool window_covers(const struct window *window, wall_clock *clock, int64_t real_us, int64_t length_us);

/* When it next covers that length: now, or the first minute from now on within eight days; -1: it does not. */
int64_t window_next_us(const struct window *window, wall_clock *clock, int64_t real_us, int64_t length_us);

#endif
