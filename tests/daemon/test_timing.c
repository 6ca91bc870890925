/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A timer that comes before it is due has what it is for wait again, and wakes the processor once more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "loop.h"
#include "service/clock.h"
#include "service/timing.h"

#define TIMERS 50

struct timer {
    struct event *event;
    int64_t due_us;
    int64_t early_us;
    bool has_come;
};

static void on_time(evutil_socket_t fd, short what, void *context)
{
    struct timer *timer = context;

    (void)fd;
    (void)what;
    timer->early_us = timer->due_us - clock_now().mono_us;
    timer->has_come = true;
}

/* Each waits some thousandths of a second and a part of one, which a clock that goes in steps does not know. */
static void no_timer_comes_before_it_is_due(void **state)
{
    struct event_base *base = timing_new_base();

    (void)state;
    assert_non_null(base);
    for (int i = 0; i < TIMERS; i++) {
        const struct timeval wait = {.tv_usec = 1000 + 37 * i};
        struct timer timer = {0};

        timer.event = evtimer_new(base, on_time, &timer);
        assert_non_null(timer.event);
        timer.due_us = clock_now().mono_us + wait.tv_usec;
        assert_int_equal(evtimer_add(timer.event, &wait), 0);
        assert_true(loop_until(base, &timer.has_come));
        assert_true(timer.early_us <= 0);
        event_free(timer.event);
    }
    event_base_free(base);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_timer_comes_before_it_is_due),
    };

    return cmocka_run_group_tests_name("timing", tests, NULL, NULL);
}
