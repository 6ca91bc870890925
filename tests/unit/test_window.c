/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Times of the week, as they are written, and by the clock on the wall. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/moment.h"
#include "config/window.h"

#define MINUTE (60 * USEC_PER_SEC)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

/* 2026-11-22 00:00 UTC, a Sunday. */
#define SUNDAY (INT64_C(1795305600) * USEC_PER_SEC)
/* In this zone the clock is put forward on 2027-03-28 at 02:00 local time, and back on 2027-10-31 at 03:00. */
#define FORWARD (INT64_C(1806195600) * USEC_PER_SEC) /* 01:00 UTC */
#define BACK    (INT64_C(1824944400) * USEC_PER_SEC) /* 01:00 UTC */

static struct wall_time in_berlin(int64_t real_us)
{
    return wall_clock_utc(real_us + (real_us >= FORWARD && real_us < BACK ? 2 : 1) * HOUR);
}

static struct wall_time in_seoul(int64_t real_us)
{
    return wall_clock_utc(real_us + 9 * HOUR);
}

static struct window read(const char *text)
{
    struct window window;

    assert_true(window_parse(text, &window));
    return window;
}

static void test_what_is_a_window(void **state)
{
    static const struct {
        const char *text;
        unsigned days;
        int begins_min, ends_min;
    } windows[] = {
        {"Sun 03:00-05:00", 0x01, 180, 300},       {"sat 00:00-24:00", 0x40, 0, 1440},
        {"Mon-Fri 22:30-04:00", 0x3e, 1350, 1680}, {"Sat-Mon 01:00-02:00", 0x43, 60, 120},
        {"daily 23:59-00:00", 0x7f, 1439, 1440},   {"Tue-Tue 03:00-02:59", 0x04, 180, 1619},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(windows); i++) {
        struct window window = read(windows[i].text);

        assert_int_equal(window.days, windows[i].days);
        assert_int_equal(window.begins_min, windows[i].begins_min);
        assert_int_equal(window.ends_min, windows[i].ends_min);
    }
}

static void test_what_is_none(void **state)
{
    static const char *const texts[] = {
        "",
        "Sun",
        "Sun ",
        "03:00-05:00",
        "Sunday 03:00-05:00",
        "Sun- 03:00-05:00",
        "Sun-Son 03:00-05:00",
        "Sun 3:00-5:00",
        "Sun 03:00",
        "Sun 03:00-",
        "Sun 03:00-05:60",
        "Sun 24:00-05:00",
        "Sun 03:00-24:01",
        "Sun 03:00-03:00",
        "Sun 03:00-05:00 ",
        "Sun 03:00-05:00, Mon 03:00-05:00",
        "Sun  03:00-05:00",
        "Sun 003:00-05:00",
        "weekly 03:00-05:00",
    };
    struct window window;

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(texts); i++)
        assert_false(window_parse(texts[i], &window));
}

static void test_its_minutes(void **state)
{
    const struct window over_midnight = read("Sat 22:00-02:00"), plain = read("Sun 03:00-05:00");

    (void)state;
    assert_false(window_contains(&plain, wall_clock_utc(SUNDAY + 3 * HOUR - 1)));
    assert_true(window_contains(&plain, wall_clock_utc(SUNDAY + 3 * HOUR)));
    assert_true(window_contains(&plain, wall_clock_utc(SUNDAY + 5 * HOUR - 1)));
    assert_false(window_contains(&plain, wall_clock_utc(SUNDAY + 5 * HOUR)));
    assert_false(window_contains(&plain, wall_clock_utc(SUNDAY + DAY + 4 * HOUR)));

    assert_false(window_contains(&over_midnight, wall_clock_utc(SUNDAY - DAY + HOUR))); /* Saturday, of Friday's */
    assert_true(window_contains(&over_midnight, wall_clock_utc(SUNDAY - 2 * HOUR)));
    assert_true(window_contains(&over_midnight, wall_clock_utc(SUNDAY + 2 * HOUR - 1)));
    assert_false(window_contains(&over_midnight, wall_clock_utc(SUNDAY + 2 * HOUR)));
    assert_false(window_contains(&over_midnight, wall_clock_utc(SUNDAY + 22 * HOUR)));
}

static void test_time_zones(void **state)
{
    const struct window window = read("Sun 03:00-05:00");

    (void)state;
    assert_true(window_contains(&window, in_seoul(SUNDAY - 6 * HOUR)));
    assert_false(window_contains(&window, in_seoul(SUNDAY + 3 * HOUR)));
    assert_true(window_contains(&window, in_berlin(SUNDAY + 2 * HOUR)));
    assert_false(window_contains(&window, in_berlin(SUNDAY + 4 * HOUR)));
}

static void test_it_has_to_be_long_enough(void **state)
{
    const struct window window = read("Sun 03:00-05:00"), around = read("daily 23:00-01:00");

    (void)state;
    assert_true(window_covers(&window, wall_clock_utc, SUNDAY + 3 * HOUR, 2 * HOUR));
    assert_false(window_covers(&window, wall_clock_utc, SUNDAY + 3 * HOUR, 2 * HOUR + 1));
    assert_false(window_covers(&window, wall_clock_utc, SUNDAY + 3 * HOUR - 1, HOUR));
    assert_true(window_covers(&window, wall_clock_utc, SUNDAY + 4 * HOUR + 1, HOUR - 1));
    assert_false(window_covers(&window, wall_clock_utc, SUNDAY + 4 * HOUR + 1, HOUR));
    assert_true(window_covers(&around, wall_clock_utc, SUNDAY - HOUR / 2, HOUR));
    assert_false(window_covers(&around, wall_clock_utc, SUNDAY + HOUR / 2, HOUR));
}

/* The hour from 02:00 to 03:00 is not there, or there twice. */
static void test_clocks_that_are_set_meanwhile(void **state)
{
    const struct window window = read("Sun 01:00-04:00");

    (void)state;
    assert_true(window_covers(&window, in_berlin, FORWARD - HOUR, 2 * HOUR));
    assert_false(window_covers(&window, in_berlin, FORWARD - HOUR, 2 * HOUR + MINUTE));
    assert_true(window_covers(&window, in_berlin, BACK - 2 * HOUR, 4 * HOUR));
    assert_false(window_covers(&window, in_berlin, BACK - 2 * HOUR, 4 * HOUR + MINUTE));
}

static void test_when_it_is_next(void **state)
{
    const struct window window = read("Sun 03:00-05:00"), lost = read("Sun 02:10-02:50");

    (void)state;
    assert_int_equal(window_next_us(&window, wall_clock_utc, SUNDAY + 2, HOUR), SUNDAY + 3 * HOUR);
    assert_int_equal(window_next_us(&window, wall_clock_utc, SUNDAY + 4 * HOUR, HOUR), SUNDAY + 4 * HOUR);
    assert_int_equal(window_next_us(&window, wall_clock_utc, SUNDAY + 4 * HOUR + 1, HOUR), SUNDAY + 7 * DAY + 3 * HOUR);
    assert_int_equal(window_next_us(&window, wall_clock_utc, SUNDAY, 2 * HOUR + MINUTE), -1);
    assert_int_equal(window_next_us(&window, in_seoul, SUNDAY, HOUR), SUNDAY + 6 * DAY + 18 * HOUR);
    /* On that Sunday there is no such time. */
    assert_int_equal(window_next_us(&lost, in_berlin, FORWARD - DAY, MINUTE), FORWARD + 7 * DAY - 50 * MINUTE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_a_window),
        cmocka_unit_test(test_what_is_none),
        cmocka_unit_test(test_its_minutes),
        cmocka_unit_test(test_time_zones),
        cmocka_unit_test(test_it_has_to_be_long_enough),
        cmocka_unit_test(test_clocks_that_are_set_meanwhile),
        cmocka_unit_test(test_when_it_is_next),
    };

    return cmocka_run_group_tests_name("window", tests, NULL, NULL);
}
