/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who could take over: the order and its tie-breaks. */
#include <string.h>

#include "select_fixture.h"

/* ---- the order ---- */

static void test_the_case_study(void **state)
{
    struct fixture *fixture = *state;

    add_case_study(fixture);
    _cleanup_(freep) struct selection *selection = select_all(fixture);
    assert_int_equal(selection->n_eligible, 2);
    assert_order(fixture, LIST("VM-005", "VM-002", "VM-004", "VM-003"));
}

static void test_an_empty_pool_has_no_candidate(void **state)
{
    struct fixture *fixture = *state;

    add_failed(fixture);
    _cleanup_(freep) struct selection *selection = select_all(fixture);
    assert_int_equal(selection->n_candidates, 0);
    assert_int_equal(selection->n_eligible, 0);
}

/* J 6/9 each: "covers" has all of it and more (C 1), "part" has only a part (C 4/6, made of the same weight). */
static void test_coverage_decides_between_equal_overlaps(void **state)
{
    struct fixture *fixture = *state;

    fixture->request.failed = add(fixture, "failed", "database/a database/b webserver/c webserver/d"); /* 6 */
    add(fixture, "a-part", "database/a database/b");                                                   /* 4/6 */
    add(fixture, "b-covers", "database/a database/b webserver/c webserver/d language/e");              /* 6/9 */
    assert_order(fixture, LIST("b-covers", "a-part"));
}

static void test_warmth_decides_between_equals(void **state)
{
    struct fixture *fixture = *state;
    struct machine *machine;

    add_failed(fixture);
    add(fixture, "a-cold", WEB);
    add(fixture, "b-saved", WEB)->has_managed_save = true;
    machine = add(fixture, "c-paused", WEB);
    machine->state = MACHINE_PAUSED;
    machine->reason = REASON_USER;
    machine->roles = ROLE_STANDBY;
    assert_order(fixture, LIST("c-paused", "b-saved", "a-cold"));
    assert_int_equal(candidate_of(fixture, machine).warmth, WARMTH_PAUSED);
}

static void test_similarity_decides_before_warmth(void **state)
{
    struct fixture *fixture = *state;

    add_failed(fixture);
    add(fixture, "a-warm", "language/nodejs database/mysql")->has_managed_save = true;
    add(fixture, "b-alike", WEB);
    assert_order(fixture, LIST("b-alike", "a-warm"));
}

static void test_free_memory_decides_between_equally_warm(void **state)
{
    struct fixture *fixture = *state;

    add_failed(fixture);
    add_on(fixture, "local", "a-narrow", WEB);
    add_on(fixture, "other", "b-wide", WEB);
    pool_set_free_memory(fixture->pool, "local", 1000);
    pool_set_free_memory(fixture->pool, "other", 2000);
    assert_order(fixture, LIST("b-wide", "a-narrow"));
    pool_set_free_memory(fixture->pool, "other", 0); /* not known */
    assert_order(fixture, LIST("a-narrow", "b-wide"));
}

static void test_warmth_decides_before_free_memory(void **state)
{
    struct fixture *fixture = *state;

    add_failed(fixture);
    add_on(fixture, "local", "a-cold", WEB);
    add_on(fixture, "other", "b-saved", WEB)->has_managed_save = true;
    pool_set_free_memory(fixture->pool, "local", 1000000);
    pool_set_free_memory(fixture->pool, "other", 1);
    assert_order(fixture, LIST("b-saved", "a-cold"));
}

static void test_names_decide_last_and_in_every_order_of_adding(void **state)
{
    static const char *const orders[][3] = {{"a", "b", "c"}, {"c", "b", "a"}, {"b", "c", "a"}};
    struct fixture *fixture = *state;

    add_failed(fixture);
    for (size_t i = 0; i < ELEMENTS_OF(orders); i++) {
        struct machine *added[3];

        for (size_t n = 0; n < 3; n++)
            added[n] = add(fixture, orders[i][n], WEB);
        assert_order(fixture, LIST("a", "b", "c"));
        for (size_t n = 0; n < 3; n++)
            pool_remove(fixture->pool, added[n]);
    }
}

static void test_twins_on_two_hypervisors_have_a_fixed_order(void **state)
{
    struct fixture *fixture = *state;

    add_failed(fixture);
    for (int other_first = 0; other_first < 2; other_first++) {
        struct machine *one = add_on(fixture, other_first ? "other" : "local", "twin", WEB);
        struct machine *two = add_on(fixture, other_first ? "local" : "other", "twin", WEB);
        _cleanup_(freep) struct selection *selection = select_all(fixture);

        assert_string_equal(selection->candidates[0].machine->hypervisor, "local");
        pool_remove(fixture->pool, one);
        pool_remove(fixture->pool, two);
    }
}

static void test_the_eligible_come_first(void **state)
{
    struct fixture *fixture = *state;

    add_failed(fixture);
    add(fixture, "a-better", WEB)->is_reachable = false;
    add(fixture, "b-good", "language/nodejs database/mysql");
    assert_order(fixture, LIST("b-good", "a-better"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        select_test(test_the_case_study),
        select_test(test_an_empty_pool_has_no_candidate),
        select_test(test_coverage_decides_between_equal_overlaps),
        select_test(test_warmth_decides_between_equals),
        select_test(test_similarity_decides_before_warmth),
        select_test(test_free_memory_decides_between_equally_warm),
        select_test(test_warmth_decides_before_free_memory),
        select_test(test_names_decide_last_and_in_every_order_of_adding),
        select_test(test_twins_on_two_hypervisors_have_a_fixed_order),
        select_test(test_the_eligible_come_first),
    };

    return cmocka_run_group_tests_name("select", tests, NULL, NULL);
}
