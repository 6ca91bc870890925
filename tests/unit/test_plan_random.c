/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whatever changes, and in whatever order: what the plan keeps is what choosing anew would say. PLAN_SEEDS=10000 for more
 * than the suite has time for, PLAN_SEED=7 for that one alone.
 */
#include <stdlib.h>

#include "plan_trial.h"

#define CHANGES 1000 /* with one seed */
#define SEEDS   300

/* Most often all that is to do, else so little that the plan stays incomplete for a while. */
static size_t draw_comparisons(struct trial *trial)
{
    return random_below(&trial->seed, 3) == 0 ? random_below(&trial->seed, 2) * 600 : SIZE_MAX;
}

static void run(uint64_t seed, struct trial *met)
{
    struct trial *trial = trial_new(seed);

    for (unsigned i = 0; i < CHANGES;) {
        for (uint64_t n = 1 + random_below(&trial->seed, 4); n > 0; n--, i++)
            trial_change(trial);
        trial_check(trial, plan_settle(trial->plan, trial->now_us, draw_comparisons(trial)));
    }
    met->n_spared += trial->n_spared;
    met->n_kept_out += trial->n_kept_out;
    met->n_shared += trial->n_shared;
    met->n_incomplete += trial->n_incomplete;
    met->n_policies += trial->n_policies;
    met->n_apart += trial->n_apart;
    trial_free(trial);
}

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

static void test_the_plan_is_what_choosing_anew_says(void **state)
{
    uint64_t one = number_from("PLAN_SEED", 0), last = number_from("PLAN_SEEDS", SEEDS);
    struct trial met = {0};

    (void)state;
    for (uint64_t seed = one != 0 ? one : 1; seed <= (one != 0 ? one : last); seed++) {
        if (one != 0 || last > SEEDS)
            print_message("seed %llu\n", (unsigned long long)seed);
        run(seed, &met);
    }
    if (one != 0)
        return;
    print_message("spared %zu, kept out %zu, shared %zu, incomplete %zu\n", met.n_spared, met.n_kept_out, met.n_shared,
                  met.n_incomplete);
    assert_true(met.n_spared > 10000);
    assert_true(met.n_kept_out > 1000);
    assert_true(met.n_shared > 1000);
    assert_true(met.n_incomplete > 1000);
    assert_true(met.n_policies > 1000);
    assert_true(met.n_apart > 100);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_plan_is_what_choosing_anew_says)};

    return cmocka_run_group_tests_name("plan at random", tests, NULL, NULL);
}
