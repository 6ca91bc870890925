/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which machines could take over: the order rule by rule, how much of it is told, and how many the others are. */
#include <string.h>

#include "choose/walk.h"
#include "choose_fixture.h"

#define GIB(n) (UINT64_C(n) * 1024 * 1024)

/* J 2/3 with the failed machine of add_failed, and 5/6. */
#define LESS_ALIKE "language/nodejs database/mysql webserver/nginx language/other"
#define ALIKE      "language/nodejs database/mysql"

/* ---- the order ---- */

static void test_the_case_study(void **state)
{
    struct fixture *fixture = *state;

    add_case_study(fixture);
    assert_eligible(fixture, LIST("VM-005", "VM-002"));
    assert_ineligible(fixture, LIST("VM-004", "VM-003"));
}

static void test_an_empty_pool_has_no_candidate(void **state)
{
    struct fixture *fixture = *state;
    struct candidate candidate;

    add_failed(fixture);
    _cleanup_(choice_done) struct choice choice = choose_now(fixture, EXTENT_ALL);
    assert_int_equal(choice.n_eligible + choice.n_ineligible + choice.n_unjudged, 0);
    for (enum candidate_verdict verdict = 0; verdict < CANDIDATE_VERDICTS; verdict++)
        assert_int_equal(choice.counts[verdict], 0);
    assert_int_equal(choose_begin(fixture->chooser, &fixture->request), 0);
    assert_int_equal(choose_next(fixture->chooser, &candidate), 0);
}

/* J 6/9 each: "covers" has all of it and more (C 1), "part" has only a part (C 4/6, made of the same weight). */
static void test_coverage_decides_between_equal_overlaps(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *failed;

    failed = add(fixture, "failed", "database/a database/b webserver/c webserver/d"); /* 6 */
    fixture->request.failed = failed;
    fixture->request.need = failed->spec;
    pause_machine(fixture, add(fixture, "a-part", "database/a database/b"));              /* 4/6 */
    add(fixture, "b-covers", "database/a database/b webserver/c webserver/d language/e"); /* 6/9 */
    assert_eligible(fixture, LIST("b-covers", "a-part"));
}

static void test_overlap_decides_before_all_that_follows(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *alike;

    add_failed(fixture);
    alike = add(fixture, "z-alike", ALIKE);
    spare_machine(fixture, alike);
    pause_machine(fixture, add_on(fixture, "other", "a-less", LESS_ALIKE));
    pool_set_free_memory(fixture->pool, "other", GIB(64));
    assert_eligible(fixture, LIST("z-alike", "a-less"));
}

/* S of "part" is 1 and its J 5/6; of "more" S is 2/3 and J too. */
static void test_ranked_by_similarity_surplus_decides(void **state)
{
    struct fixture *fixture = *state;

    add_failed(fixture);
    add(fixture, "a-twin", WEB);
    add(fixture, "b-half", "language/nodejs");
    add(fixture, "c-more", WEB " webserver/apache");
    assert_eligible(fixture, LIST("a-twin", "c-more", "b-half")); /* J 1, 6/7, 1/2 */
    fixture->config.similarity.rank_by = RANK_BY_SIMILARITY;
    assert_int_equal(pool_configure(fixture->pool, &fixture->config), 0);
    assert_eligible(fixture, LIST("a-twin", "b-half", "c-more")); /* S 1, 1, 6/7, and C 1, 1/2 */
}

static void test_warmth_decides_between_equals(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *paused, *warming;
    struct machine *edited;

    add_failed(fixture);
    add(fixture, "a-cold", WEB);
    pool_edit(fixture->pool, add(fixture, "b-saved", WEB))->has_managed_save = true;
    paused = add(fixture, "c-paused", WEB);
    pause_machine(fixture, paused);
    warming = add(fixture, "d-warming", WEB);
    edited = pool_edit(fixture->pool, warming);
    edited->state = MACHINE_RUNNING;
    edited->keeping = KEEPING_WARMING;
    assert_eligible(fixture, LIST("d-warming", "c-paused", "b-saved", "a-cold"));

    edited = pool_edit(fixture->pool, paused); /* what changes later changes the order */
    edited->state = MACHINE_SHUT_OFF;
    edited->reason = REASON_SHUTDOWN;
    assert_eligible(fixture, LIST("d-warming", "b-saved", "a-cold", "c-paused"));
}

static void test_warmth_decides_before_sparing(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *warm;

    add_failed(fixture);
    add_on(fixture, "other", "a-cold", WEB);
    warm = add(fixture, "b-saved", WEB);
    pool_edit(fixture->pool, warm)->has_managed_save = true;
    spare_machine(fixture, warm);
    assert_eligible(fixture, LIST("b-saved", "a-cold"));
}

static void test_the_only_candidate_of_another_machine_is_spared(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *spared;

    add_failed(fixture);
    spared = add(fixture, "a-spared", WEB);
    add(fixture, "b", WEB);
    add(fixture, "c", WEB);
    assert_eligible(fixture, LIST("a-spared", "b", "c"));
    spare_machine(fixture, spared);
    assert_eligible(fixture, LIST("b", "c", "a-spared"));
    assert_true(spared_remove(&fixture->spared, spared->number));
    assert_eligible(fixture, LIST("a-spared", "b", "c"));
    spare_machine(fixture, spared);
    fixture->request.spared = NULL;
    assert_eligible(fixture, LIST("a-spared", "b", "c"));
}

static void test_sparing_decides_before_the_host(void **state)
{
    struct fixture *fixture = *state;

    add_failed(fixture);
    spare_machine(fixture, add_on(fixture, "other", "a-spared", WEB));
    add(fixture, "b-same-host", WEB);
    assert_eligible(fixture, LIST("b-same-host", "a-spared"));
}

/* A cohort is gone through one by one: what stands behind a spared one must not wait for it. */
static void test_spared_ones_come_last_wherever_they_stand(void **state)
{
    struct fixture *fixture = *state;
    char name[8];

    add_failed(fixture);
    for (unsigned i = 0; i < 12; i++) {
        const struct machine *machine;

        snprintf(name, sizeof(name), "m-%02u", i);
        machine = add(fixture, name, WEB);
        if (i % 3 == 0)
            spare_machine(fixture, machine);
    }
    assert_eligible(
        fixture, LIST("m-01", "m-02", "m-04", "m-05", "m-07", "m-08", "m-10", "m-11", "m-00", "m-03", "m-06", "m-09"));
}

static void test_another_host_than_the_failed_ones_comes_first(void **state)
{
    struct fixture *fixture = *state;

    add_failed(fixture);
    add(fixture, "a-same-host", WEB);
    add_on(fixture, "other", "b-other-host", WEB);
    assert_eligible(fixture, LIST("b-other-host", "a-same-host"));
    fixture->request.host = NULL;
    assert_eligible(fixture, LIST("a-same-host", "b-other-host"));
}

static void test_the_host_decides_before_its_memory(void **state)
{
    struct fixture *fixture = *state;

    add_failed(fixture);
    add(fixture, "a-wide", WEB);
    add_on(fixture, "other", "b-narrow", WEB);
    pool_set_free_memory(fixture->pool, "local", GIB(500));
    pool_set_free_memory(fixture->pool, "other", GIB(2));
    assert_eligible(fixture, LIST("b-narrow", "a-wide"));
}

/* Two candidates on two hosts, and the failed machine on none of them: only memory and name are left. */
static void add_on_two_hosts(struct fixture *fixture)
{
    add_failed(fixture);
    fixture->request.host = NULL;
    add_on(fixture, "local", "a", WEB);
    add_on(fixture, "other", "b", WEB);
}

static void test_free_memory_decides_in_powers_of_two(void **state)
{
    static const struct {
        uint64_t local_kib, other_kib;
        bool a_is_first;
    } rows[] = {
        {GIB(17), GIB(30), true},
        {GIB(15), GIB(17), false},
        {GIB(17), GIB(15), true},
        {GIB(16), GIB(32), false},
        {GIB(16), GIB(32) - 1, true},
        {0, 1, false},
        {1, 0, true},
        {0, 0, true},
    };
    struct fixture *fixture = *state;

    add_on_two_hosts(fixture);
    for (size_t i = 0; i < ELEMENTS_OF(rows); i++) {
        pool_set_free_memory(fixture->pool, "local", rows[i].local_kib);
        pool_set_free_memory(fixture->pool, "other", rows[i].other_kib);
        if (rows[i].a_is_first)
            assert_eligible(fixture, LIST("a", "b"));
        else
            assert_eligible(fixture, LIST("b", "a"));
    }
}

/* The order must not flap while several machines are started; whether one more fits is another matter. */
static void test_what_is_on_its_way_up_takes_memory_and_does_not_change_the_order(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *starting;

    add_on_two_hosts(fixture);
    fixture->request.check_memory = true;
    starting = add_on(fixture, "other", "starting", "data/else");
    give_memory(fixture, starting, GIB(16));
    pool_set_free_memory(fixture->pool, "local", GIB(8));
    pool_set_free_memory(fixture->pool, "other", GIB(18));
    pool_edit(fixture->pool, starting)->is_starting = true;
    assert_eligible(fixture, LIST("b", "a")); /* 2 GiB left, and the first all the same */
    give_memory(fixture, starting, GIB(17) + 1);
    assert_eligible(fixture, LIST("a"));
}

static void test_memory_decides_before_names(void **state)
{
    struct fixture *fixture = *state;

    add_on_two_hosts(fixture);
    add_on(fixture, "other", "0-first", WEB);
    pool_set_free_memory(fixture->pool, "local", GIB(64));
    pool_set_free_memory(fixture->pool, "other", GIB(4));
    assert_eligible(fixture, LIST("a", "0-first", "b"));
}

static void test_names_decide_last_and_in_every_order_of_adding(void **state)
{
    static const char *const orders[][3] = {{"a", "b", "c"}, {"c", "b", "a"}, {"b", "c", "a"}};
    struct fixture *fixture = *state;

    add_failed(fixture);
    for (size_t i = 0; i < ELEMENTS_OF(orders); i++) {
        const struct machine *added[3];

        for (size_t n = 0; n < 3; n++)
            added[n] = add(fixture, orders[i][n], WEB);
        assert_eligible(fixture, LIST("a", "b", "c"));
        for (size_t n = 0; n < 3; n++)
            pool_remove(fixture->pool, added[n]);
    }
}

static void test_a_new_name_is_a_new_place(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *a;
    struct domain_description *description;

    add_failed(fixture);
    a = add(fixture, "a", WEB);
    add(fixture, "b", WEB);
    add(fixture, "c", WEB);
    assert_eligible(fixture, LIST("a", "b", "c"));
    description = describe_again(a);
    free(description->name);
    description->name = strdup("bb");
    redescribe(fixture, a, description);
    assert_eligible(fixture, LIST("b", "bb", "c"));
}

/* By hypervisor, and by UUID on one. */
static void test_twins_have_a_fixed_order(void **state)
{
    struct fixture *fixture = *state;

    add_failed(fixture);
    fixture->request.host = NULL;
    for (int other_first = 0; other_first < 2; other_first++) {
        const struct machine *one = add_on(fixture, other_first ? "other" : "local", "twin", WEB);
        const struct machine *two = add_on(fixture, other_first ? "local" : "other", "twin", WEB);
        const struct machine *three = add_on(fixture, "local", "twin", WEB);
        _cleanup_(choice_done) struct choice choice = choose_now(fixture, EXTENT_ALL);

        assert_int_equal(choice.n_eligible, 3);
        assert_ptr_equal(choice.eligible[0].machine, other_first ? two : one);
        assert_ptr_equal(choice.eligible[1].machine, three);
        assert_ptr_equal(choice.eligible[2].machine, other_first ? one : two);
        pool_remove(fixture->pool, one);
        pool_remove(fixture->pool, two);
        pool_remove(fixture->pool, three);
    }
}

/* ---- siblings ---- */

static bool is_host(const struct choice_request *request, const struct pool_host *host)
{
    return strcmp(pool_host_name(host), request->siblings) == 0;
}

static void keep_apart_from(struct fixture *fixture, const char *hypervisor)
{
    fixture->request.has_sibling = is_host;
    fixture->request.siblings = hypervisor;
}

static void test_hosts_with_a_sibling_come_last_whatever_the_likeness(void **state)
{
    struct fixture *fixture = *state;

    add_failed(fixture);
    add_on(fixture, "other", "a-twin", WEB);
    add_on(fixture, "other", "b-alike", ALIKE);
    spare_machine(fixture, add(fixture, "c-less", LESS_ALIKE));
    assert_eligible(fixture, LIST("a-twin", "b-alike", "c-less"));
    keep_apart_from(fixture, "other");
    assert_eligible(fixture, LIST("c-less", "a-twin", "b-alike"));
    keep_apart_from(fixture, "local");
    assert_eligible(fixture, LIST("a-twin", "b-alike", "c-less"));
    keep_apart_from(fixture, "nowhere");
    assert_eligible(fixture, LIST("a-twin", "b-alike", "c-less"));
}

static void test_hosts_with_a_sibling_come_last_among_the_ineligible_too(void **state)
{
    struct fixture *fixture = *state;

    add_failed(fixture);
    keep_apart_from(fixture, "other");
    run_machine(fixture, add_on(fixture, "other", "a-runs", WEB));
    add_on(fixture, "other", "b-far", "webserver/nginx");
    run_machine(fixture, add(fixture, "c-runs", ALIKE));
    add(fixture, "d-far", "webserver/nginx");
    assert_ineligible(fixture, LIST("c-runs", "d-far", "a-runs", "b-far"));
}

/* The similar and the others of one set are gone through side by side, and one of them comes to the siblings first. */
static void test_with_siblings_no_machine_is_listed_twice(void **state)
{
    struct fixture *fixture = *state;
    char *must[] = {(char *)"webserver"};

    fixture->config.similarity.must_cover = (struct string_list){must, 1};
    assert_int_equal(pool_configure(fixture->pool, &fixture->config), 0);
    add_failed(fixture);
    keep_apart_from(fixture, "other");
    run_machine(fixture, add(fixture, "uncovered", "language/nodejs database/mysql")); /* J 5/6, and not similar */
    run_machine(fixture, add(fixture, "first", "language/nodejs webserver/nginx"));    /* J 4/6 */
    run_machine(fixture, add(fixture, "second", WEB " language/a language/b"));        /* J 6/12 */
    run_machine(fixture, add_on(fixture, "other", "sibling", WEB));
    assert_ineligible(fixture, LIST("uncovered", "first", "second", "sibling"));
}

/* ---- equals ---- */

static bool are_equal(struct fixture *fixture, const struct machine *a, const struct machine *b)
{
    struct candidate one, two;

    assert_int_equal(pool_settle(fixture->pool, 0), 0);
    one = choose_judge(&fixture->request, a);
    two = choose_judge(&fixture->request, b);
    assert_int_equal(walk_is_equal(&fixture->request, &one, &two), walk_is_equal(&fixture->request, &two, &one));
    return walk_is_equal(&fixture->request, &one, &two);
}

static void test_equals_differ_in_memory_and_name_alone(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *a, *b, *less;

    add_failed(fixture);
    a = add(fixture, "a", WEB);
    b = add_on(fixture, "other", "b", WEB);
    less = add(fixture, "less", LESS_ALIKE);
    pool_set_free_memory(fixture->pool, "other", GIB(64));
    assert_false(are_equal(fixture, a, b)); /* one is on the failed machine's host */
    fixture->request.host = NULL;
    assert_true(are_equal(fixture, a, b));
    assert_false(are_equal(fixture, a, less));
    pool_edit(fixture->pool, a)->has_managed_save = true;
    assert_false(are_equal(fixture, a, b));
    pool_edit(fixture->pool, b)->has_managed_save = true;
    spare_machine(fixture, b);
    assert_false(are_equal(fixture, a, b));
    spare_machine(fixture, a);
    assert_true(are_equal(fixture, a, b));
    keep_apart_from(fixture, "other");
    assert_false(are_equal(fixture, a, b));
}

/* ---- one by one ---- */

static void test_one_by_one_each_comes_with_its_verdict(void **state)
{
    struct fixture *fixture = *state;
    struct machine_ref tried;
    struct candidate candidate;

    add_failed(fixture);
    tried = machine_ref_of(add(fixture, "a-tried", WEB));
    add(fixture, "b", WEB);
    add(fixture, "c", ALIKE);
    add(fixture, "far", "webserver/nginx");
    run_machine(fixture, add(fixture, "runs", WEB));
    fixture->request.tried = &tried;
    fixture->request.n_tried = 1;
    assert_int_equal(pool_settle(fixture->pool, 0), 0);
    for (int again = 0; again < 2; again++) { /* from the beginning */
        assert_int_equal(choose_begin(fixture->chooser, &fixture->request), 0);
        assert_int_equal(choose_next(fixture->chooser, &candidate), 1);
        assert_string_equal(candidate.machine->name, "a-tried");
        assert_int_equal(candidate.verdict, CANDIDATE_TRIED);
        assert_int_equal(choose_next(fixture->chooser, &candidate), 1);
        assert_string_equal(candidate.machine->name, "b");
        assert_int_equal(candidate.verdict, CANDIDATE_ELIGIBLE);
    }
    assert_int_equal(choose_next(fixture->chooser, &candidate), 1);
    assert_string_equal(candidate.machine->name, "c");
    assert_int_equal(choose_next(fixture->chooser, &candidate), 0);
    assert_int_equal(choose_next(fixture->chooser, &candidate), 0);

    assert_int_equal(choose_begin(fixture->chooser, &fixture->request), 0);
    assert_int_equal(choose_next_eligible(fixture->chooser, &candidate), 1);
    assert_string_equal(candidate.machine->name, "b");
    assert_int_equal(choose_next_eligible(fixture->chooser, &candidate), 1);
    assert_string_equal(candidate.machine->name, "c");
    assert_int_equal(choose_next_eligible(fixture->chooser, &candidate), 0);
}

/* ---- how much is told ---- */

static void assert_listed(struct fixture *fixture, struct choice_extent extent, const struct string_list eligible,
                          const struct string_list ineligible, size_t n_unjudged)
{
    _cleanup_(choice_done) struct choice choice = choose_now(fixture, extent);

    assert_int_equal(choice.n_eligible, eligible.count);
    for (size_t i = 0; i < eligible.count; i++)
        assert_string_equal(choice.eligible[i].machine->name, eligible.items[i]);
    assert_int_equal(choice.n_ineligible, ineligible.count);
    for (size_t i = 0; i < ineligible.count; i++)
        assert_string_equal(choice.ineligible[i].machine->name, ineligible.items[i]);
    assert_int_equal(choice.n_unjudged, n_unjudged);
}

/* Five similar enough in the order a-tried, b, c, d-tried, e; and by their likeness runs 1, lacks 5/6, far 1/6. */
static void add_some_of_each(struct fixture *fixture, struct machine_ref tried[2])
{
    add_failed(fixture);
    tried[0] = machine_ref_of(add(fixture, "a-tried", WEB));
    add(fixture, "b", WEB);
    add(fixture, "c", ALIKE);
    tried[1] = machine_ref_of(add(fixture, "d-tried", ALIKE));
    add(fixture, "e", LESS_ALIKE);
    run_machine(fixture, add(fixture, "runs", WEB));
    pool_edit(fixture->pool, add(fixture, "lacks", ALIKE))->is_reachable = false;
    add(fixture, "far", "webserver/nginx");
    fixture->request.tried = tried;
    fixture->request.n_tried = 2;
}

static void test_the_best_eligible_are_listed(void **state)
{
    static const struct string_list none = {0};
    struct machine_ref tried[2];
    struct fixture *fixture = *state;

    add_some_of_each(fixture, tried);
    assert_listed(fixture, (struct choice_extent){0, 0, 0}, none, none, 5);
    assert_listed(fixture, (struct choice_extent){1, 0, 0}, LIST("b"), none, 3);
    assert_listed(fixture, (struct choice_extent){2, 0, 0}, LIST("b", "c"), none, 2);
    assert_listed(fixture, (struct choice_extent){3, 0, 0}, LIST("b", "c", "e"), none, 0);
    assert_listed(fixture, (struct choice_extent){9, 0, 0}, LIST("b", "c", "e"), none, 0);
    assert_listed(fixture, (struct choice_extent){1, 0, 4}, LIST("b"), none, 1);
    assert_listed(fixture, (struct choice_extent){0, 0, SIZE_MAX}, none, none, 0);
}

static void test_the_nearest_ineligible_are_listed_wherever_they_come_from(void **state)
{
    static const struct string_list none = {0};
    struct machine_ref tried[2];
    struct fixture *fixture = *state;

    add_some_of_each(fixture, tried);
    assert_listed(fixture, (struct choice_extent){9, 1, 0}, LIST("b", "c", "e"), LIST("a-tried"), 0);
    assert_listed(fixture, (struct choice_extent){9, 4, 0}, LIST("b", "c", "e"),
                  LIST("a-tried", "runs", "d-tried", "lacks"), 0);
    assert_listed(fixture, (struct choice_extent){9, 9, 0}, LIST("b", "c", "e"),
                  LIST("a-tried", "runs", "d-tried", "lacks", "far"), 0);
    /* What was not looked at is not known to be ineligible. */
    assert_listed(fixture, (struct choice_extent){1, 9, 0}, LIST("b"), LIST("a-tried", "runs", "lacks", "far"), 3);
    assert_listed(fixture, (struct choice_extent){0, 2, 0}, none, LIST("runs", "lacks"), 5);
}

static void test_all_candidates_are_counted_by_verdict(void **state)
{
    struct fixture *fixture = *state;
    struct machine_ref tried[2];
    const struct machine *machine;

    add_some_of_each(fixture, tried);
    add(fixture, "farther", "database/oracle");
    pool_edit(fixture->pool, add(fixture, "no-standby", WEB))->roles = ROLE_PROTECTED;
    pool_edit(fixture->pool, add(fixture, "ignored", WEB))->roles = ROLE_IGNORED;
    pool_set_present(fixture->pool, add(fixture, "gone", WEB), false);
    pool_edit(fixture->pool, add(fixture, "failed-itself", "data/else"))->failed_unrecovered = true;
    pool_edit(fixture->pool, add(fixture, "reserved", WEB))->is_reserved = true;
    machine = add(fixture, "operators", WEB);
    pause_machine(fixture, machine);
    pool_edit(fixture->pool, machine)->keeping = KEEPING_NONE;
    pool_set_quarantine(fixture->pool, add(fixture, "quarantined", "data/else"), 1, NULL);
    for (size_t limit = 0; limit < 20; limit++) {
        static const size_t expected[CANDIDATE_VERDICTS] = {
            [CANDIDATE_ELIGIBLE] = 3,        [CANDIDATE_NOT_STANDBY] = 1,   [CANDIDATE_UNREACHABLE] = 1,
            [CANDIDATE_NOT_STANDING_BY] = 1, [CANDIDATE_FAILED_ITSELF] = 1, [CANDIDATE_CLAIMED] = 1,
            [CANDIDATE_UNDER_OPERATOR] = 1,  [CANDIDATE_QUARANTINED] = 1,   [CANDIDATE_NOT_SIMILAR] = 2,
            [CANDIDATE_TRIED] = 2,
        };
        _cleanup_(choice_done) struct choice choice =
            choose_now(fixture, (struct choice_extent){limit, limit, SIZE_MAX});

        for (enum candidate_verdict verdict = 0; verdict < CANDIDATE_VERDICTS; verdict++)
            assert_int_equal(choice.counts[verdict], expected[verdict]);
        assert_int_equal(choice.n_unjudged, 0);
    }
}

/* ---- the failed machine ---- */

static void assert_counts(struct fixture *fixture, size_t n_eligible, size_t n_not_similar, size_t n_not_standing_by)
{
    _cleanup_(choice_done) struct choice choice = choose_now(fixture, EXTENT_ALL);
    _cleanup_(choice_done) struct choice least = choose_now(fixture, (struct choice_extent){0});

    assert_int_equal(choice.n_unjudged, 0);
    assert_int_equal(choice.n_eligible, n_eligible);
    assert_int_equal(choice.counts[CANDIDATE_ELIGIBLE], n_eligible);
    assert_int_equal(choice.counts[CANDIDATE_NOT_SIMILAR], n_not_similar);
    assert_int_equal(choice.counts[CANDIDATE_NOT_STANDING_BY], n_not_standing_by);
    assert_int_equal(choice.n_ineligible, n_not_similar + n_not_standing_by);
    assert_int_equal(least.n_unjudged, n_eligible);
}

static void test_a_failed_machine_that_stands_by_is_not_counted(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *failed = add_failed(fixture);

    assert_counts(fixture, 0, 0, 0);
    add(fixture, "b", WEB);
    add(fixture, "far", "database/oracle");
    assert_counts(fixture, 1, 1, 0);
    run_machine(fixture, failed);
    assert_counts(fixture, 1, 1, 0);
    pool_edit(fixture->pool, failed)->roles = ROLE_IGNORED;
    assert_counts(fixture, 1, 1, 0);
}

/* As when a replacement fails: what is needed is what the original is. */
static void test_a_failed_replacement_that_is_not_similar_is_not_counted(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *original = add_failed(fixture);

    fixture->request.failed = add(fixture, "replacement", "database/oracle");
    fixture->request.need = original->spec;
    add(fixture, "far", "database/oracle");
    run_machine(fixture, add(fixture, "runs", WEB));
    assert_counts(fixture, 1, 1, 1); /* the original is a candidate like others */
    run_machine(fixture, fixture->request.failed);
    assert_counts(fixture, 1, 1, 1);
}

static void test_with_no_machine_that_failed_all_are_candidates(void **state)
{
    struct fixture *fixture = *state;

    add_failed(fixture);
    fixture->request.failed = NULL;
    add(fixture, "b", WEB);
    assert_counts(fixture, 2, 0, 0);
    assert_eligible(fixture, LIST("b", "failed"));
}

static void test_where_nothing_is_known_no_candidate_is_similar(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *failed = add(fixture, "failed", "");

    fixture->request.failed = failed;
    fixture->request.need = failed->spec;
    add(fixture, "b", WEB);
    add(fixture, "c", "");
    assert_counts(fixture, 0, 2, 0);
}

/* ---- out of reach ---- */

static bool is_given_up(const void *context, const char *hypervisor)
{
    return context != NULL && strcmp(hypervisor, context) == 0;
}

static int is_out_of_reach(struct fixture *fixture, const char *given_up)
{
    assert_int_equal(pool_settle(fixture->pool, 0), 0);
    return choose_is_out_of_reach(fixture->chooser, &fixture->request, is_given_up, given_up);
}

static void test_a_similar_machine_may_be_out_of_reach(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *similar, *failed = add_failed(fixture);

    pool_edit(fixture->pool, add_on(fixture, "other", "far", "database/oracle"))->is_reachable = false;
    pool_edit(fixture->pool, failed)->is_reachable = false;
    run_machine(fixture, add_on(fixture, "other", "runs", WEB));
    assert_int_equal(is_out_of_reach(fixture, NULL), 0);
    similar = add_on(fixture, "other", "similar", WEB);
    assert_int_equal(is_out_of_reach(fixture, NULL), 0);
    pool_edit(fixture->pool, similar)->is_reachable = false;
    assert_int_equal(is_out_of_reach(fixture, NULL), 1);
    assert_int_equal(is_out_of_reach(fixture, "local"), 1);
    assert_int_equal(is_out_of_reach(fixture, "other"), 0);
    pool_edit(fixture->pool, similar)->roles = ROLE_PROTECTED;
    assert_int_equal(is_out_of_reach(fixture, NULL), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        choose_test(test_the_case_study),
        choose_test(test_an_empty_pool_has_no_candidate),
        choose_test(test_coverage_decides_between_equal_overlaps),
        choose_test(test_overlap_decides_before_all_that_follows),
        choose_test(test_ranked_by_similarity_surplus_decides),
        choose_test(test_warmth_decides_between_equals),
        choose_test(test_warmth_decides_before_sparing),
        choose_test(test_the_only_candidate_of_another_machine_is_spared),
        choose_test(test_sparing_decides_before_the_host),
        choose_test(test_spared_ones_come_last_wherever_they_stand),
        choose_test(test_another_host_than_the_failed_ones_comes_first),
        choose_test(test_the_host_decides_before_its_memory),
        choose_test(test_free_memory_decides_in_powers_of_two),
        choose_test(test_what_is_on_its_way_up_takes_memory_and_does_not_change_the_order),
        choose_test(test_memory_decides_before_names),
        choose_test(test_names_decide_last_and_in_every_order_of_adding),
        choose_test(test_a_new_name_is_a_new_place),
        choose_test(test_twins_have_a_fixed_order),
        choose_test(test_hosts_with_a_sibling_come_last_whatever_the_likeness),
        choose_test(test_hosts_with_a_sibling_come_last_among_the_ineligible_too),
        choose_test(test_with_siblings_no_machine_is_listed_twice),
        choose_test(test_equals_differ_in_memory_and_name_alone),
        choose_test(test_one_by_one_each_comes_with_its_verdict),
        choose_test(test_the_best_eligible_are_listed),
        choose_test(test_the_nearest_ineligible_are_listed_wherever_they_come_from),
        choose_test(test_all_candidates_are_counted_by_verdict),
        choose_test(test_a_failed_machine_that_stands_by_is_not_counted),
        choose_test(test_a_failed_replacement_that_is_not_similar_is_not_counted),
        choose_test(test_with_no_machine_that_failed_all_are_candidates),
        choose_test(test_where_nothing_is_known_no_candidate_is_similar),
        choose_test(test_a_similar_machine_may_be_out_of_reach),
    };

    return cmocka_run_group_tests_name("choose", tests, NULL, NULL);
}
