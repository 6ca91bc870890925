/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each allocation that settling the plan makes fails in turn: the error comes back, and the next time all is right. */
#include <errno.h>

#include "allocation.h"
#include "plan_trial.h"

/* From the first allocation on, each as often as it takes: what has been done by then stays done. */
static unsigned settle_with_failures(struct trial *trial)
{
    unsigned failures = 0;

    for (long after = 0;; after++) {
        int r;

        allocation_fail_after(after);
        r = plan_settle(trial->plan, trial->now_us, SIZE_MAX);
        allocation_fail_after(-1);
        if (r == 1)
            return failures;
        assert_int_equal(r, -ENOMEM);
        failures++;
        assert_true(failures < 1000);
    }
}

static void find_with_failures(struct trial *trial)
{
    struct plan_answer answer;

    for (const struct machine *machine = pool_next(trial->pool, NULL); machine != NULL;
         machine = pool_next(trial->pool, machine)) {
        int r = -ENOMEM;

        for (long after = 0; r == -ENOMEM; after++) {
            allocation_fail_after(after);
            r = plan_find(trial->plan, machine, &answer);
            allocation_fail_after(-1);
        }
        assert_int_equal(r, plan_is_served(trial->plan, machine) ? 0 : -ENOENT);
    }
}

static void test_settling_that_fails_can_be_repeated(void **state)
{
    unsigned failures = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 120; seed++) {
        struct trial *trial = trial_new(seed);

        for (unsigned i = 0; i < 150; i++) {
            for (uint64_t n = 1 + random_below(&trial->seed, 4); n > 0; n--)
                trial_change(trial);
            failures += settle_with_failures(trial);
            trial_check(trial, 1);
        }
        trial_free(trial);
    }
    assert_true(failures > 10000);
}

/* Where what is known of machines has to grow, a change that could not be noted is made up for. */
static void test_each_allocation_of_a_first_settling(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        int r = -ENOMEM;

        for (long after = 0; r == -ENOMEM; after++) {
            struct trial *trial = trial_new(seed);

            allocation_fail_after(after);
            r = plan_settle(trial->plan, trial->now_us, SIZE_MAX);
            allocation_fail_after(-1);
            assert_true(r == 1 || r == -ENOMEM);
            trial_check(trial, plan_settle(trial->plan, trial->now_us, SIZE_MAX));
            trial_free(trial);
        }
    }
}

static void test_finding_that_fails_can_be_repeated(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct trial *trial = trial_new(seed);

        assert_true(plan_settle(trial->plan, trial->now_us, 0) >= 0);
        find_with_failures(trial);
        trial_check(trial, plan_settle(trial->plan, trial->now_us, 0));
        trial_check(trial, plan_settle(trial->plan, trial->now_us, SIZE_MAX));
        trial_free(trial);
    }
}

static void test_a_plan_that_cannot_be_made_leaves_nothing(void **state)
{
    struct trial *trial = trial_new(1);
    struct plan *plan = NULL;
    int r = -ENOMEM;

    (void)state;
    plan_free(trial->plan);
    for (long after = 0; r == -ENOMEM; after++) {
        allocation_fail_after(after);
        r = plan_new(trial->pool, &plan);
        allocation_fail_after(-1);
        assert_true(r == 0 || plan == NULL);
    }
    assert_int_equal(r, 0);
    allocation_fail_after(0);
    assert_int_equal(plan_configure(plan, false), -ENOMEM);
    allocation_fail_after(-1);
    assert_int_equal(plan_settle(plan, trial->now_us, SIZE_MAX), 0); /* there are no weights yet */
    assert_int_equal(plan_configure(plan, false), 0);
    trial->plan = plan;
    trial_free(trial);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settling_that_fails_can_be_repeated),
        cmocka_unit_test(test_each_allocation_of_a_first_settling),
        cmocka_unit_test(test_finding_that_fails_can_be_repeated),
        cmocka_unit_test(test_a_plan_that_cannot_be_made_leaves_nothing),
    };

    return cmocka_run_group_tests_name("plan out of memory", tests, NULL, NULL);
}
