/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signs of life, and the lack of them. */
#include "detect/hang.h"

#include "support.h"

#define MISSES 3

static const struct probe alive = {.agent_answered = true, .has_counters = true};

static struct probe silent(uint64_t disk_requests, uint64_t network_packets)
{
    return (struct probe){.has_counters = true, .disk_requests = disk_requests, .network_packets = network_packets};
}

static bool judge(struct hang_track *track, struct probe probe)
{
    return hang_judge(track, &probe, MISSES);
}

static void test_a_guest_hangs_after_so_many_silent_answers_in_a_row(void **state)
{
    struct hang_track track = {0};

    (void)state;
    assert_false(judge(&track, silent(7, 7)));
    assert_false(judge(&track, silent(7, 7)));
    assert_true(judge(&track, silent(7, 7)));
}

static void test_that_it_hangs_on_is_no_news(void **state)
{
    struct hang_track track = {0};
    unsigned told = 0;

    (void)state;
    for (int i = 0; i < 20; i++)
        told += judge(&track, silent(7, 7));
    assert_int_equal(told, 1);
    assert_false(judge(&track, alive));
    for (int i = 0; i < 20; i++)
        told += judge(&track, silent(7, 7));
    assert_int_equal(told, 2);
}

static void test_a_busy_guest_is_alive(void **state)
{
    struct hang_track track = {0};

    (void)state;
    for (uint64_t i = 0; i < 20; i++) {
        assert_false(judge(&track, silent(i, 0)));
        assert_false(judge(&track, silent(20, i)));
    }
}

static void test_an_answer_of_the_agent_ends_the_count(void **state)
{
    struct hang_track track = {0};

    (void)state;
    for (int i = 0; i < 10; i++) {
        assert_false(judge(&track, silent(7, 7)));
        assert_false(judge(&track, silent(7, 7)));
        assert_false(judge(&track, alive));
    }
}

static void test_a_guest_of_which_nothing_can_be_counted_never_hangs(void **state)
{
    struct hang_track track = {0};

    (void)state;
    for (int i = 0; i < 20; i++)
        assert_false(judge(&track, (struct probe){0}));
    assert_int_equal(track.misses, 0);
}

/* The witness was away for a while: what it said before and says afterwards counts. */
static void test_what_cannot_be_counted_for_once_is_no_miss_and_no_life(void **state)
{
    struct hang_track track = {0};

    (void)state;
    assert_false(judge(&track, silent(7, 7)));
    assert_false(judge(&track, (struct probe){0}));
    assert_false(judge(&track, silent(7, 7)));
    assert_false(judge(&track, (struct probe){0}));
    assert_true(judge(&track, silent(7, 7)));
}

static void test_a_guest_that_executes_again_is_alive(void **state)
{
    struct hang_track track = {0};
    struct probe stopped = {.has_counters = true, .lacks_disks = true};

    (void)state;
    assert_false(judge(&track, stopped));
    assert_false(judge(&track, stopped));
    assert_false(judge(&track, silent(0, 0)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_guest_hangs_after_so_many_silent_answers_in_a_row),
        cmocka_unit_test(test_that_it_hangs_on_is_no_news),
        cmocka_unit_test(test_a_busy_guest_is_alive),
        cmocka_unit_test(test_an_answer_of_the_agent_ends_the_count),
        cmocka_unit_test(test_a_guest_of_which_nothing_can_be_counted_never_hangs),
        cmocka_unit_test(test_what_cannot_be_counted_for_once_is_no_miss_and_no_life),
        cmocka_unit_test(test_a_guest_that_executes_again_is_alive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
