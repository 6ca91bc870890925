/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who could take over: the order and its tie-breaks, every reason to be out, and what is written down. */
#include "failover/select.h"

#include <string.h>

#include "support.h"

struct fixture {
    struct feature_table *table;
    struct config config;
    struct similarity_rules *rules;
    struct pool *pool;
    struct select_request request;
    unsigned machines;
};

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){.config = default_config()};
    fixture.config.similarity = case_study_similarity();
    *state = &fixture;
    if (feature_table_new(&fixture.table) < 0 || pool_new(fixture.table, &fixture.pool) < 0 ||
        pool_configure(fixture.pool, &fixture.config) < 0 ||
        similarity_rules_new(&fixture.config.similarity, fixture.table, &fixture.rules) < 0)
        return -1;
    fixture.request = (struct select_request){.pool = fixture.pool, .rules = fixture.rules};
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    pool_free(fixture->pool);
    similarity_rules_free(fixture->rules);
    feature_table_free(fixture->table);
    return 0;
}

/* A machine that stands by, cold, with "kind/value kind/value". */
static struct machine *add_on(struct fixture *fixture, const char *hypervisor, const char *name, const char *features)
{
    struct domain_description *description = describe(++fixture->machines, name);
    char text[256], *rest = text, *word;
    struct machine *machine = NULL;

    assert_true(strlen(features) < sizeof(text));
    strcpy(text, features);
    while ((word = strsep(&rest, " ")) != NULL) {
        char *kind = strsep(&word, "/");

        describe_feature(description, kind, word);
    }
    assert_int_equal(pool_apply(fixture->pool, hypervisor, description, &machine), 0);
    machine->state = MACHINE_SHUT_OFF;
    machine->reason = REASON_SHUTDOWN;
    machine->is_reachable = true;
    machine->persistent = true;
    return machine;
}

static struct machine *add(struct fixture *fixture, const char *name, const char *features)
{
    return add_on(fixture, "local", name, features);
}

#define WEB "language/nodejs database/mysql webserver/nginx"

static struct machine *add_failed(struct fixture *fixture)
{
    struct machine *failed = add(fixture, "failed", WEB);

    failed->reason = REASON_CRASHED;
    fixture->request.failed = failed;
    return failed;
}

static struct selection *choose(const struct fixture *fixture)
{
    struct selection *selection = NULL;

    assert_int_equal(select_candidates(&fixture->request, &selection), 0);
    return selection;
}

static void assert_order(const struct fixture *fixture, const struct string_list names)
{
    _cleanup_(freep) struct selection *selection = choose(fixture);

    assert_int_equal(selection->n_candidates, names.count);
    for (size_t i = 0; i < names.count; i++)
        assert_string_equal(selection->candidates[i].machine->name, names.items[i]);
}

static struct candidate candidate_of(const struct fixture *fixture, const struct machine *machine)
{
    _cleanup_(freep) struct selection *selection = choose(fixture);

    for (size_t i = 0; i < selection->n_candidates; i++)
        if (selection->candidates[i].machine == machine)
            return selection->candidates[i];
    return (struct candidate){.machine = NULL};
}

static void assert_verdict(const struct fixture *fixture, const struct machine *machine, enum candidate_verdict verdict)
{
    struct candidate candidate = candidate_of(fixture, machine);

    assert_ptr_equal(candidate.machine, machine);
    assert_int_equal(candidate.verdict, verdict);
}

/* ---- the order ---- */

static void add_case_study(struct fixture *fixture)
{
    add(fixture, "VM-004", "webserver/nginx");
    add(fixture, "VM-002", "language/nodejs database/postgresql webserver/apache");
    add(fixture, "VM-005", "language/nodejs database/mysql database/postgresql webserver/nginx webserver/apache");
    add(fixture, "VM-003", "database/postgresql");
    fixture->request.failed = add(fixture, "VM-001", WEB);
}

static void test_the_case_study(void **state)
{
    struct fixture *fixture = *state;

    add_case_study(fixture);
    _cleanup_(freep) struct selection *selection = choose(fixture);
    assert_int_equal(selection->n_eligible, 2);
    assert_order(fixture, LIST("VM-005", "VM-002", "VM-004", "VM-003"));
}

static void test_an_empty_pool_has_no_candidate(void **state)
{
    struct fixture *fixture = *state;

    add_failed(fixture);
    _cleanup_(freep) struct selection *selection = choose(fixture);
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
        _cleanup_(freep) struct selection *selection = choose(fixture);

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

/* ---- who is out ---- */

static void test_one_that_fits(void **state)
{
    struct fixture *fixture = *state;

    add_failed(fixture);
    assert_verdict(fixture, add(fixture, "b", WEB), CANDIDATE_ELIGIBLE);
}

static void test_the_failed_and_the_ignored_are_no_candidates(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *failed = add_failed(fixture);
    struct machine *ignored = add(fixture, "ignored", WEB);

    ignored->roles = ROLE_IGNORED;
    assert_null(candidate_of(fixture, failed).machine);
    assert_null(candidate_of(fixture, ignored).machine);
}

static void test_only_standbys_are_started(void **state)
{
    struct fixture *fixture = *state;
    struct machine *machine;

    add_failed(fixture);
    machine = add(fixture, "b", WEB);
    machine->roles = ROLE_PROTECTED;
    assert_verdict(fixture, machine, CANDIDATE_NOT_STANDBY);
    machine->roles = 0;
    assert_verdict(fixture, machine, CANDIDATE_NOT_STANDBY);
}

static void test_unreachable(void **state)
{
    struct fixture *fixture = *state;
    struct machine *machine;

    add_failed(fixture);
    machine = add(fixture, "b", WEB);
    machine->is_reachable = false;
    assert_verdict(fixture, machine, CANDIDATE_UNREACHABLE);
}

static void test_who_does_not_stand_by(void **state)
{
    static const struct {
        enum machine_state state;
        enum machine_reason reason;
    } rows[] = {
        {MACHINE_UNKNOWN, REASON_UNKNOWN},
        {MACHINE_RUNNING, REASON_UNKNOWN},
        {MACHINE_STOPPING, REASON_UNKNOWN},
        {MACHINE_CRASHED, REASON_PANICKED},
        {MACHINE_SUSPENDED, REASON_UNKNOWN},
        {MACHINE_GONE, REASON_UNKNOWN},
        {MACHINE_PAUSED, REASON_IO_ERROR},
        {MACHINE_PAUSED, REASON_WATCHDOG},
        {MACHINE_PAUSED, REASON_BUSY},
        {MACHINE_PAUSED, REASON_PANICKED},
        {MACHINE_PAUSED, REASON_POSTCOPY_FAILED},
    };
    struct fixture *fixture = *state;
    struct machine *machine;

    add_failed(fixture);
    machine = add(fixture, "b", WEB);
    machine->roles = ROLE_STANDBY;
    for (size_t i = 0; i < ELEMENTS_OF(rows); i++) {
        machine->state = rows[i].state;
        machine->reason = rows[i].reason;
        assert_verdict(fixture, machine, CANDIDATE_NOT_STANDING_BY);
    }
}

/* One that crashed too, once its own recovery is over: until then that recovery claims it. */
static void test_who_is_off_stands_by(void **state)
{
    static const enum machine_reason reasons[] = {REASON_UNKNOWN, REASON_SHUTDOWN, REASON_DESTROYED,
                                                  REASON_SAVED,   REASON_SNAPSHOT, REASON_CRASHED};
    struct fixture *fixture = *state;
    struct machine *machine;

    add_failed(fixture);
    machine = add(fixture, "b", WEB);
    for (size_t i = 0; i < ELEMENTS_OF(reasons); i++) {
        machine->reason = reasons[i];
        assert_verdict(fixture, machine, CANDIDATE_ELIGIBLE);
    }
}

static void test_claimed_by_another_recovery(void **state)
{
    struct fixture *fixture = *state;
    struct machine *machine;

    add_failed(fixture);
    machine = add(fixture, "b", WEB);
    assert_int_equal(pool_claim(fixture->pool, machine, "mine"), 0);
    assert_verdict(fixture, machine, CANDIDATE_CLAIMED); /* explain asks for nobody */
    fixture->request.recovery_id = "mine";
    assert_verdict(fixture, machine, CANDIDATE_ELIGIBLE);
    fixture->request.recovery_id = "another";
    assert_verdict(fixture, machine, CANDIDATE_CLAIMED);
}

static void test_tried_already(void **state)
{
    struct fixture *fixture = *state;
    struct machine_ref tried[2] = {{.hypervisor = "other"}};
    struct machine *machine;

    add_failed(fixture);
    machine = add(fixture, "b", WEB);
    memcpy(tried[0].uuid, machine->uuid, sizeof(tried[0].uuid));
    fixture->request.tried = tried;
    fixture->request.n_tried = 1;
    assert_verdict(fixture, machine, CANDIDATE_ELIGIBLE); /* the same UUID elsewhere is another machine */
    tried[1] = machine_ref_of(machine);
    fixture->request.n_tried = 2;
    assert_verdict(fixture, machine, CANDIDATE_TRIED);
}

static void test_protected_and_paused_by_somebody(void **state)
{
    struct fixture *fixture = *state;
    struct machine *machine;

    add_failed(fixture);
    machine = add(fixture, "b", WEB);
    machine->state = MACHINE_PAUSED;
    machine->reason = REASON_USER;
    assert_verdict(fixture, machine, CANDIDATE_UNDER_OPERATOR);
    machine->roles = ROLE_STANDBY;
    assert_verdict(fixture, machine, CANDIDATE_ELIGIBLE);
}

static void test_not_similar(void **state)
{
    struct fixture *fixture = *state;
    struct machine *machine;

    add_failed(fixture);
    machine = add(fixture, "b", "database/oracle");
    assert_verdict(fixture, machine, CANDIDATE_NOT_SIMILAR);
    assert_int_equal(candidate_of(fixture, machine).score.verdict, SIMILARITY_BELOW_COVERAGE);
}

static void test_the_first_reason_that_applies_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct machine_ref tried;
    struct machine *machine;

    add_failed(fixture);
    machine = add(fixture, "b", "database/oracle"); /* every reason at once, lifted one by one */
    tried = machine_ref_of(machine);
    fixture->request.tried = &tried;
    fixture->request.n_tried = 1;
    assert_int_equal(pool_claim(fixture->pool, machine, "another"), 0);
    machine->roles = ROLE_PROTECTED;
    machine->is_reachable = false;
    machine->state = MACHINE_RUNNING;

    assert_verdict(fixture, machine, CANDIDATE_NOT_STANDBY);
    machine->roles |= ROLE_STANDBY;
    assert_verdict(fixture, machine, CANDIDATE_UNREACHABLE);
    machine->is_reachable = true;
    assert_verdict(fixture, machine, CANDIDATE_NOT_STANDING_BY);
    machine->state = MACHINE_PAUSED;
    machine->reason = REASON_USER;
    assert_verdict(fixture, machine, CANDIDATE_CLAIMED);
    pool_release(fixture->pool, machine, "another");
    assert_verdict(fixture, machine, CANDIDATE_TRIED);
    fixture->request.n_tried = 0;
    assert_verdict(fixture, machine, CANDIDATE_UNDER_OPERATOR);
    machine->state = MACHINE_SHUT_OFF;
    machine->reason = REASON_SHUTDOWN;
    assert_verdict(fixture, machine, CANDIDATE_NOT_SIMILAR);
}

/* ---- written down ---- */

static struct explanation *explain(const struct fixture *fixture, const struct machine *chosen, size_t max_ineligible)
{
    _cleanup_(freep) struct selection *selection = choose(fixture);
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

static void test_nobody_is_explained_too(void **state)
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

    _cleanup_(explanation_freep) struct explanation *explanation = explain(fixture, NULL, 100);
    assert_int_equal(explanation->n_candidates, 9);
    for (size_t i = 0; i < explanation->n_candidates; i++)
        for (size_t n = 0; n < i; n++)
            assert_string_not_equal(explanation->candidates[i].reason, explanation->candidates[n].reason);
    for (size_t i = 0; i < explanation->n_candidates; i++)
        if (strcmp(explanation->candidates[i].name, "claimed") == 0)
            assert_non_null(strstr(explanation->candidates[i].reason, "20261122-145400-1"));
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

#define select_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

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
        select_test(test_one_that_fits),
        select_test(test_the_failed_and_the_ignored_are_no_candidates),
        select_test(test_only_standbys_are_started),
        select_test(test_unreachable),
        select_test(test_who_does_not_stand_by),
        select_test(test_who_is_off_stands_by),
        select_test(test_claimed_by_another_recovery),
        select_test(test_tried_already),
        select_test(test_protected_and_paused_by_somebody),
        select_test(test_not_similar),
        select_test(test_the_first_reason_that_applies_is_told),
        select_test(test_an_explanation_tells_everything),
        select_test(test_an_explanation_outlives_the_pool),
        select_test(test_the_ineligible_beyond_the_limit_are_counted),
        select_test(test_the_one_taken_is_the_one_chosen),
        select_test(test_nobody_is_explained_too),
        select_test(test_every_verdict_has_words_of_its_own),
        select_test(test_ambiguous_names_carry_their_hypervisor),
    };

    return cmocka_run_group_tests_name("select", tests, NULL, NULL);
}
