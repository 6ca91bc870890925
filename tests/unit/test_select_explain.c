/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who could take over, written down: every candidate with its numbers and the reason it won or lost. */
#include <string.h>

#include "select_fixture.h"

/* ---- written down ---- */

static struct explanation *explain(const struct fixture *fixture, const struct machine *chosen, size_t max_ineligible)
{
    _cleanup_(freep) struct selection *selection = select_all(fixture);
    struct explanation *explanation = NULL;

    assert_int_equal(select_explain(&fixture->request, selection, chosen, fixture->table, max_ineligible, &explanation),
                     0);
    return explanation;
}

static void assert_list(const struct string_list *actual, const struct string_list expected)
{
    assert_int_equal(actual->count, expected.count);
    for (size_t i = 0; i < expected.count; i++) {
        bool found = false;

        for (size_t n = 0; n < actual->count; n++)
            found = found || strcmp(actual->items[n], expected.items[i]) == 0;
        assert_true(found);
    }
}

static bool is_near(double actual, double expected)
{
    return actual > expected - 0.00005 && actual < expected + 0.00005;
}

static void test_an_explanation_tells_everything(void **state)
{
    struct fixture *fixture = *state;

    add_case_study(fixture);
    _cleanup_(explanation_freep) struct explanation *explanation = explain(fixture, NULL, 100);
    const struct explained_candidate *first = &explanation->candidates[0], *last = &explanation->candidates[2];

    assert_string_equal(explanation->failed, "VM-001");
    assert_string_equal(explanation->hypervisor, "local");
    assert_string_equal(explanation->uuid, fixture->request.failed->uuid);
    assert_string_equal(explanation->rank_by, "overlap");
    assert_true(is_near(explanation->threshold, 0.5) && is_near(explanation->min_coverage, 0.5));
    assert_int_equal(explanation->n_candidates, 4);
    assert_int_equal(explanation->n_eligible, 2);
    assert_int_equal(explanation->n_left_out, 0);

    assert_string_equal(first->name, "VM-005");
    assert_ptr_equal(explanation_chosen(explanation), first);
    assert_true(first->eligible);
    assert_true(is_near(first->similarity, 2.0 / 3) && is_near(first->coverage, 1) && is_near(first->overlap, 2.0 / 3));
    assert_true(is_near(first->resource_coverage, 1));
    assert_string_equal(first->warmth, "cold");
    assert_string_equal(first->state, machine_state_name(MACHINE_SHUT_OFF));
    assert_non_null(strstr(first->reason, "chosen"));
    assert_list(&first->missing, (struct string_list){0});
    assert_list(&first->surplus, LIST("database/postgresql", "webserver/apache"));

    assert_string_equal(last->name, "VM-004");
    assert_false(last->eligible);
    assert_list(&last->missing, LIST("language/nodejs", "database/mysql"));
    assert_list(&last->surplus, (struct string_list){0});
    assert_non_null(strstr(last->reason, "coverage"));
    assert_non_null(strstr(explanation->summary, "VM-001"));
    assert_non_null(strstr(explanation->summary, "VM-005"));
}

static void test_an_explanation_outlives_the_pool(void **state)
{
    struct fixture *fixture = *state;

    add_case_study(fixture);
    _cleanup_(explanation_freep) struct explanation *explanation = explain(fixture, NULL, 100);
    pool_free(fixture->pool);
    fixture->pool = NULL;
    assert_string_equal(explanation->candidates[0].name, "VM-005");
    assert_string_equal(explanation->candidates[0].surplus.items[0], "database/postgresql");
}

static void test_the_ineligible_beyond_the_limit_are_counted(void **state)
{
    struct fixture *fixture = *state;
    char name[16];

    add_case_study(fixture); /* 2 eligible, 2 not */
    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof(name), "x-%d", i);
        add(fixture, name, "database/oracle");
    }
    for (size_t limit = 0; limit <= 14; limit++) {
        _cleanup_(explanation_freep) struct explanation *explanation = explain(fixture, NULL, limit);
        size_t kept = limit < 12 ? limit : 12;

        assert_int_equal(explanation->n_candidates, 2 + kept);
        assert_int_equal(explanation->n_left_out, 12 - kept);
        assert_int_equal(explanation->n_eligible, 2);
    }
}

static void test_the_one_taken_is_the_one_chosen(void **state)
{
    struct fixture *fixture = *state;
    struct machine *second;

    add_failed(fixture);
    add(fixture, "b-first", WEB);
    second = add(fixture, "c-second", WEB);
    _cleanup_(explanation_freep) struct explanation *explanation = explain(fixture, second, 100);
    assert_string_equal(explanation_chosen(explanation)->name, "c-second");
    assert_non_null(strstr(explanation->summary, "c-second"));
    assert_null(strstr(explanation->summary, "b-first"));
    assert_null(strstr(explanation->candidates[0].reason, "chosen"));
}

static void test_that_no_candidate_is_eligible_is_explained_too(void **state)
{
    struct fixture *fixture = *state;

    add_failed(fixture);
    _cleanup_(explanation_freep) struct explanation *alone = explain(fixture, NULL, 100);
    assert_null(explanation_chosen(alone));
    assert_non_null(strstr(alone->summary, "failed"));
    add(fixture, "far", "database/oracle");
    _cleanup_(explanation_freep) struct explanation *explanation = explain(fixture, NULL, 100);
    assert_null(explanation_chosen(explanation));
    assert_int_equal(explanation->n_eligible, 0);
    assert_non_null(strstr(explanation->summary, "far"));
}

static const char *reason_of(const struct explanation *explanation, const char *name)
{
    for (size_t i = 0; i < explanation->n_candidates; i++)
        if (strcmp(explanation->candidates[i].name, name) == 0)
            return explanation->candidates[i].reason;
    fail();
    return "";
}

/* Promise 6: the reason it lost. */
static void test_every_verdict_has_words_of_its_own(void **state)
{
    struct fixture *fixture = *state;
    struct machine_ref tried;
    struct machine *machine;

    add_failed(fixture);
    add(fixture, "eligible", WEB);
    add(fixture, "not-standby", WEB)->roles = ROLE_PROTECTED;
    add(fixture, "unreachable", WEB)->is_reachable = false;
    add(fixture, "running", WEB)->state = MACHINE_RUNNING;
    machine = add(fixture, "claimed", WEB);
    assert_int_equal(pool_claim(fixture->pool, machine, "20261122-145400-1"), 0);
    tried = machine_ref_of(add(fixture, "tried", WEB));
    fixture->request.tried = &tried;
    fixture->request.n_tried = 1;
    machine = add(fixture, "under-operator", WEB);
    machine->state = MACHINE_PAUSED;
    machine->reason = REASON_USER;
    add(fixture, "surplus", WEB " language/a language/b language/c");
    add(fixture, "lacking", "webserver/nginx");
    add(fixture, "failed-itself", WEB)->failed_unrecovered = true;
    add(fixture, "quarantined", WEB)->quarantined_until_us = 61 * USEC_PER_SEC;
    fixture->request.now_us = USEC_PER_SEC / 2;
    fixture->request.check_memory = true;
    pool_set_free_memory(fixture->pool, "local", 1536 * 1024);
    add(fixture, "large", WEB)->description->memory_kib = 2048 * 1024;

    _cleanup_(explanation_freep) struct explanation *explanation = explain(fixture, NULL, 100);
    assert_int_equal(explanation->n_candidates, 12);
    for (size_t i = 0; i < explanation->n_candidates; i++)
        for (size_t n = 0; n < i; n++)
            assert_string_not_equal(explanation->candidates[i].reason, explanation->candidates[n].reason);
    assert_non_null(strstr(reason_of(explanation, "claimed"), "20261122-145400-1"));
    assert_non_null(strstr(reason_of(explanation, "quarantined"), "for 61 s more"));
    assert_string_equal(reason_of(explanation, "large"), "needs 2048 MiB, and local has 1536 MiB to spare");
}

static void test_ambiguous_names_carry_their_hypervisor(void **state)
{
    struct fixture *fixture = *state;

    add_failed(fixture);
    add_on(fixture, "local", "twin", WEB);
    add_on(fixture, "other", "twin", WEB);
    _cleanup_(explanation_freep) struct explanation *explanation = explain(fixture, NULL, 100);
    assert_string_not_equal(explanation->candidates[0].name, explanation->candidates[1].name);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        select_test(test_an_explanation_tells_everything),
        select_test(test_an_explanation_outlives_the_pool),
        select_test(test_the_ineligible_beyond_the_limit_are_counted),
        select_test(test_the_one_taken_is_the_one_chosen),
        select_test(test_that_no_candidate_is_eligible_is_explained_too),
        select_test(test_every_verdict_has_words_of_its_own),
        select_test(test_ambiguous_names_carry_their_hypervisor),
    };

    return cmocka_run_group_tests_name("select_explain", tests, NULL, NULL);
}
