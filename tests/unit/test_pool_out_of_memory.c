/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An allocation fails while the pool settles: the error comes back, and called again it settles as if nothing had been. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "allocation.h"
#include "choose_fixture.h"
#include "choose_reference.h"

static int tear_down(void **state)
{
    allocation_fail_after(-1);
    return choose_tear_down(state);
}

/* With memory. Every machine stands where it belongs, and what is in use is known. */
static void assert_settled(struct fixture *fixture)
{
    _cleanup_(choice_done) struct choice choice = {0};
    _cleanup_(reference_done) struct reference reference =
        reference_choose(&fixture->request, &fixture->config.similarity, fixture->table);

    assert_int_equal(choose(fixture->chooser, &fixture->request, EXTENT_ALL, &choice), 0);
    assert_int_equal(choice.n_eligible + choice.n_ineligible, reference.n_candidates);
    for (size_t i = 0, eligible = 0, ineligible = 0; i < reference.n_candidates; i++) {
        bool is_eligible = reference.candidates[i].verdict == CANDIDATE_ELIGIBLE;
        const struct candidate *candidate =
            is_eligible ? &choice.eligible[eligible++] : &choice.ineligible[ineligible++];

        assert_ptr_equal(candidate->machine, reference.candidates[i].machine);
        assert_int_equal(candidate->verdict, reference.candidates[i].verdict);
    }
}

/* Any but the failed one. */
static const struct machine *draw_machine(const struct fixture *fixture, uint64_t *seed)
{
    const struct machine *machine = fixture->request.failed;

    for (uint64_t n = 1 + random_below(seed, pool_count(fixture->pool) - 1); n > 0; n--)
        machine = pool_next(fixture->pool, machine);
    return machine;
}

/* Some of what makes the pool allocate: an entry, a cohort, a larger cohort, a disk, an address. */
static void change(struct fixture *fixture, uint64_t *seed)
{
    char name[16], features[64], disk[16];
    const struct machine *machine;

    snprintf(name, sizeof(name), "m%u", (unsigned)random_below(seed, 100));
    snprintf(features, sizeof(features), "language/v%u database/mysql webserver/v%u", (unsigned)random_below(seed, 3),
             (unsigned)random_below(seed, 200));
    snprintf(disk, sizeof(disk), "/images/%u", (unsigned)random_below(seed, 50));
    if (pool_count(fixture->pool) > 40) {
        give_disk(fixture, draw_machine(fixture, seed), disk);
        pool_remove(fixture->pool, draw_machine(fixture, seed));
    }
    machine = add_on(fixture, random_below(seed, 3) == 0 ? "other" : "local", name, features);
    give_disk(fixture, machine, disk);
    give_address(fixture, machine, random_below(seed, 2) == 0 ? "52:54:00:00:00:01" : "52:54:00:00:00:02");
    pool_edit(fixture->pool, machine)->has_managed_save = random_below(seed, 2) == 0;
    if (random_below(seed, 4) == 0)
        run_machine(fixture, machine);
}

static void test_settling_that_fails_can_be_repeated(void **state)
{
    struct fixture *fixture = *state;
    uint64_t seed = 3;
    unsigned failures = 0;

    fixture->config.similarity.threshold = fixture->config.similarity.min_coverage = 0;
    assert_int_equal(pool_configure(fixture->pool, &fixture->config), 0);
    add_failed(fixture);
    for (unsigned i = 0; i < 1500; i++) {
        int r;

        for (uint64_t n = 1 + random_below(&seed, 3); n > 0; n--)
            change(fixture, &seed);
        allocation_fail_after((long)random_below(&seed, 16));
        r = pool_settle(fixture->pool, 0);
        allocation_fail_after(-1);
        assert_true(r == 0 || r == -ENOMEM);
        failures += r < 0;
        if (r < 0 && random_below(&seed, 2) == 0)
            change(fixture, &seed);
        if (r < 0)
            assert_int_equal(pool_settle(fixture->pool, 0), 0);
        assert_settled(fixture);
    }
    assert_true(failures > 500);
}

/* Each allocation fails in turn, until there is none left to fail. */
static void test_settling_that_fails_again_and_again_settles_in_the_end(void **state)
{
    struct fixture *fixture = *state;
    uint64_t seed = 5;
    long after = 0;
    int r;

    fixture->config.similarity.threshold = fixture->config.similarity.min_coverage = 0;
    assert_int_equal(pool_configure(fixture->pool, &fixture->config), 0);
    add_failed(fixture);
    for (unsigned i = 0; i < 40; i++)
        change(fixture, &seed);
    do {
        allocation_fail_after(after++);
        r = pool_settle(fixture->pool, 0);
        allocation_fail_after(-1);
    } while (r == -ENOMEM);
    assert_int_equal(r, 0);
    assert_true(after > 5);
    assert_settled(fixture);
}

/* One allocation of the first settling fails, each in turn, until there is none left to fail. */
static void test_each_allocation_of_the_first_settling_may_fail(void **state)
{
    long after = 0;
    int r;

    do {
        struct fixture *fixture = *state;
        uint64_t seed = 5;

        fixture->config.similarity.threshold = fixture->config.similarity.min_coverage = 0;
        assert_int_equal(pool_configure(fixture->pool, &fixture->config), 0);
        add_failed(fixture);
        for (unsigned i = 0; i < 40; i++)
            change(fixture, &seed);
        allocation_fail_after(after++);
        r = pool_settle(fixture->pool, 0);
        allocation_fail_after(-1);
        if (r < 0)
            assert_int_equal(pool_settle(fixture->pool, 0), 0);
        assert_settled(fixture);
        choose_tear_down(state);
        choose_set_up(state);
    } while (r == -ENOMEM);
    assert_int_equal(r, 0);
    assert_true(after > 20);
}

#define memory_test(f) cmocka_unit_test_setup_teardown(f, choose_set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        memory_test(test_settling_that_fails_can_be_repeated),
        memory_test(test_each_allocation_of_the_first_settling_may_fail),
        memory_test(test_settling_that_fails_again_and_again_settles_in_the_end),
    };

    return cmocka_run_group_tests_name("pool out of memory", tests, NULL, NULL);
}
