/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/moment.h"

static void test_a_tick_comes_after_now_and_by_a_period_at_most(void **state)
{
    static const int64_t moments_us[] = {0, 1, 9999999, 10000000, 10000001, 123456789012};
    const int64_t period_us = 10 * USEC_PER_SEC;

    (void)state;
    for (size_t i = 0; i < sizeof(moments_us) / sizeof(moments_us[0]); i++) {
        int64_t tick_us = moment_next_tick_us(moments_us[i], period_us);

        assert_true(tick_us > moments_us[i]);
        assert_true(tick_us - moments_us[i] <= period_us);
        assert_int_equal(moment_next_tick_us(tick_us, period_us), tick_us + period_us);
    }
}

static void test_ticks_of_several_periods_come_together(void **state)
{
    int64_t often_us = 3456789, seldom_us = moment_next_tick_us(often_us, 30 * USEC_PER_SEC);

    (void)state;
    while (often_us < seldom_us)
        often_us = moment_next_tick_us(often_us, 10 * USEC_PER_SEC);
    assert_int_equal(often_us, seldom_us);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_tick_comes_after_now_and_by_a_period_at_most),
        cmocka_unit_test(test_ticks_of_several_periods_come_together),
    };

    return cmocka_run_group_tests_name("moment", tests, NULL, NULL);
}
