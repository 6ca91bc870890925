/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arithmetic with minutes of the week. */
#include "config/window.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/moment.h"

#define DAYS       7
#define DAY_MIN    (24 * 60)
#define MINUTE_US  (60 * USEC_PER_SEC)
#define LOOKS_DAYS (DAYS + 1)
/* 1970-01-01. */
#define EPOCH_WEEKDAY 4

static const char *const day_names[DAYS] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

/* Takes the name of a day off *text; -1: none stands there. */
static int take_day(const char **text)
{
    for (int day = 0; day < DAYS; day++)
        if (strncasecmp(*text, day_names[day], strlen(day_names[day])) == 0) {
            *text += strlen(day_names[day]);
            return day;
        }
    return -1;
}

static bool take(const char **text, const char *word)
{
    size_t length = strlen(word);

    if (strncmp(*text, word, length) != 0)
        return false;
    *text += length;
    return true;
}

/* As bits; 0: something else stands there. */
static unsigned take_days(const char **text)
{
    unsigned days = 0;
    int day, last;

    if (take(text, "daily"))
        return (1u << DAYS) - 1;
    last = day = take_day(text);
    if (day < 0 || (take(text, "-") && (last = take_day(text)) < 0))
        return 0;
    for (; day != last; day = (day + 1) % DAYS)
        days |= 1u << day;
    return days | 1u << last;
}

/* Two digits; -1: something else stands there. */
static int take_number(const char **text)
{
    const char *digits = *text;

    if (strspn(digits, "0123456789") != 2)
        return -1;
    *text += 2;
    return (digits[0] - '0') * 10 + digits[1] - '0';
}

/* "HH:MM" in minutes; -1: something else stands there. */
static int take_time(const char **text)
{
    int hours = take_number(text), minutes = take(text, ":") ? take_number(text) : -1;
    int time = hours * 60 + minutes;

    return hours < 0 || minutes < 0 || minutes > 59 || time > DAY_MIN ? -1 : time;
}

bool window_parse(const char *text, struct window *ret)
{
    struct window window = {.days = take_days(&text)};

    if (window.days == 0 || !take(&text, " "))
        return false;
    window.begins_min = take_time(&text);
    if (window.begins_min < 0 || window.begins_min == DAY_MIN || !take(&text, "-"))
        return false;
    window.ends_min = take_time(&text);
    if (window.ends_min < 0 || window.ends_min == window.begins_min || text[0] != '\0')
        return false;
    if (window.ends_min < window.begins_min)
        window.ends_min += DAY_MIN;
    *ret = window;
    return true;
}

struct wall_time wall_clock_utc(int64_t real_us)
{
    int64_t minutes = real_us / MINUTE_US;

    return (struct wall_time){
        .weekday = (int)((minutes / DAY_MIN + EPOCH_WEEKDAY) % DAYS),
        .minute = (int)(minutes % DAY_MIN),
    };
}

bool window_contains(const struct window *window, struct wall_time time)
{
    int yesterday = (time.weekday + DAYS - 1) % DAYS;
    bool is_today = (window->days & 1u << time.weekday) != 0;
    bool is_since_yesterday = (window->days & 1u << yesterday) != 0;

    return (is_today && time.minute >= window->begins_min && time.minute < window->ends_min) ||
           (is_since_yesterday && time.minute + DAY_MIN < window->ends_min);
}

/* So many microseconds of it belong to it from then on, but no more than this length. */
static int64_t covered_us(const struct window *window, wall_clock *clock, int64_t real_us, int64_t length_us)
{
    int64_t covered = 0;

    while (covered < length_us && window_contains(window, clock(real_us + covered)))
        covered += MINUTE_US - (real_us + covered) % MINUTE_US;
    return covered;
}

bool window_covers(const struct window *window, wall_clock *clock, int64_t real_us, int64_t length_us)
{
    return covered_us(window, clock, real_us, length_us) >= length_us && window_contains(window, clock(real_us));
}

int64_t window_next_us(const struct window *window, wall_clock *clock, int64_t real_us, int64_t length_us)
{
    int64_t at_us = real_us;

    while (at_us < real_us + LOOKS_DAYS * DAY_MIN * MINUTE_US) {
        int64_t covered = covered_us(window, clock, at_us, length_us);

        if (covered >= length_us && window_contains(window, clock(at_us)))
            return at_us;
        /* What does not suffice from here on suffices from no minute of it. */
        at_us += covered > 0 ? covered : MINUTE_US - at_us % MINUTE_US;
    }
    return -1;
}
