/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which machines could take over, written down: every candidate with its numbers and the reason it won or lost. */
#include <string.h>

#include "choose_fixture.h"
#include "model/hold.h"

/* ---- written down ---- */

static struct explanation *explain(struct fixture *fixture, const struct machine *chosen, struct choice_extent extent,
                                   size_t n_listed)
{
    _cleanup_(choice_done) struct choice choice = choose_now(fixture, extent);
    struct explanation *explanation = NULL;

    assert_int_equal(explain_choice(&fixture->request, &choice, chosen, n_listed, fixture->table, &explanation), 0);
    return explanation;
}

static struct explanation *explain_all(struct fixture *fixture)
{
    return explain(fixture, NULL, EXTENT_ALL, SIZE_MAX);
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
    _cleanup_(explanation_freep) struct explanation *explanation = explain_all(fixture);
    const struct explained_candidate *first = &explanation->candidates[0], *last = &explanation->candidates[2];

    assert_string_equal(explanation->failed, "VM-001");
    assert_string_equal(explanation->hypervisor, "local");
    assert_string_equal(explanation->uuid, machine_ref_of(fixture->request.failed).uuid);
    assert_string_equal(explanation->rank_by, "overlap");
    assert_true(is_near(explanation->threshold, 0.5) && is_near(explanation->min_coverage, 0.5));
    assert_int_equal(explanation->n_candidates, 4);
    assert_int_equal(explanation->n_left_out, 0);
    assert_int_equal(explanation->n_unjudged, 0);

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
    assert_list(&last->missing, LIST("database/mysql", "language/nodejs"));
    assert_list(&last->surplus, (struct string_list){0});
    assert_non_null(strstr(last->reason, "coverage"));
    assert_non_null(strstr(explanation->summary, "VM-001"));
    assert_non_null(strstr(explanation->summary, "VM-005"));
}

/* It was listed among what lowers the score. */
static void test_what_weighs_nothing_is_listed_apart(void **state)
{
    struct fixture *fixture = *state;

    add_failed_with(fixture, "language/nodejs zone/seoul");
    add(fixture, "spare-1", "language/nodejs database/mysql zone/busan");
    _cleanup_(explanation_freep) struct explanation *explanation = explain_all(fixture);
    const struct explained_candidate *only = &explanation->candidates[0];
    assert_list(&only->missing, (struct string_list){0});
    assert_list(&only->surplus, LIST("database/mysql"));
    assert_list(&only->weightless, LIST("zone/busan", "zone/seoul"));
}

/* Each of many ports stood there, though no choice hangs on them. */
static void test_ports_that_weigh_nothing_are_not_listed(void **state)
{
    struct fixture *fixture = *state;

    add_failed_with(fixture, "language/nodejs port/80");
    add(fixture, "spare-1", "language/nodejs database/mysql port/443");
    _cleanup_(explanation_freep) struct explanation *explanation = explain_all(fixture);
    assert_list(&explanation->candidates[0].weightless, (struct string_list){0});
    assert_list(&explanation->candidates[0].surplus, LIST("database/mysql"));
}

static void assert_too_little(struct fixture *fixture, const char *reason, const char *remedy)
{
    _cleanup_(explanation_freep) struct explanation *explanation = explain_all(fixture);

    assert_false(explanation->candidates[0].eligible);
    assert_true(explanation->candidates[0].is_incomparable);
    assert_string_equal(explanation->candidates[0].reason, reason);
    assert_non_null(strstr(explanation->summary, remedy));
}

static void test_the_reason_says_that_only_the_os_is_known(void **state)
{
    struct fixture *fixture = *state;

    fixture->config.similarity = default_config().similarity;
    assert_int_equal(pool_configure(fixture->pool, &fixture->config), 0);
    add_failed_with(fixture, "os/debian-12");
    add(fixture, "spare-1", "os/debian-12");
    assert_too_little(fixture, "only the OS of failed is known, which is too little to compare by",
                      "; say what it offers: understudyctl tag, or below machines:");
}

static void test_the_reason_says_that_nothing_known_has_a_weight(void **state)
{
    struct fixture *fixture = *state;

    add_failed_with(fixture, "os/debian-12");
    add(fixture, "spare-1", "os/debian-12");
    assert_too_little(fixture, "nothing that is known of failed has a weight, so nothing can be compared",
                      "; give what it offers a weight (similarity.weights.resource)");
}

static void test_an_explanation_outlives_the_pool(void **state)
{
    struct fixture *fixture = *state;

    add_case_study(fixture);
    _cleanup_(explanation_freep) struct explanation *explanation = explain_all(fixture);
    pool_free(fixture->pool);
    fixture->pool = NULL;
    assert_string_equal(explanation->candidates[0].name, "VM-005");
    assert_string_equal(explanation->candidates[0].surplus.items[0], "database/postgresql");
}

static void test_candidates_beyond_the_limit_are_counted_by_verdict(void **state)
{
    struct fixture *fixture = *state;
    char name[16];

    add_case_study(fixture); /* 2 eligible, 2 not similar */
    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof(name), "x-%d", i);
        run_machine(fixture, add(fixture, name, "database/oracle")); /* farther than those */
    }
    for (size_t limit = 0; limit <= 14; limit++) {
        struct choice_extent extent = {limit, limit, SIZE_MAX};
        _cleanup_(explanation_freep) struct explanation *explanation = explain(fixture, NULL, extent, limit);
        size_t eligible = limit < 2 ? limit : 2, kept = limit < 12 ? limit : 12, similar = limit < 2 ? limit : 2;

        assert_int_equal(explanation->n_candidates, eligible + kept);
        assert_int_equal(explanation->n_left_out, 14 - eligible - kept);
        assert_int_equal(explanation->left_out[CANDIDATE_ELIGIBLE], 2 - eligible);
        assert_int_equal(explanation->left_out[CANDIDATE_NOT_SIMILAR], 2 - similar);
        assert_int_equal(explanation->left_out[CANDIDATE_NOT_STANDING_BY], 10 - (kept - similar));
        assert_int_equal(explanation->n_unjudged, 0);
    }
}

static void test_what_was_not_looked_at_is_counted_and_not_promised(void **state)
{
    struct fixture *fixture = *state;

    add_case_study(fixture);
    _cleanup_(explanation_freep) struct explanation *explanation =
        explain(fixture, NULL, (struct choice_extent){1, 1, 0}, 1);
    assert_int_equal(explanation->n_candidates, 2);
    assert_int_equal(explanation->n_unjudged, 1);
    assert_int_equal(explanation->n_left_out, 2);
    assert_int_equal(explanation->left_out[CANDIDATE_ELIGIBLE], 0);
    assert_int_equal(explanation->left_out[CANDIDATE_NOT_SIMILAR], 1);
    assert_string_equal(explanation->candidates[0].reason, "chosen: the best of at least 1 eligible");
}

/* With a limit of 0 it was said that there is no other machine. */
static void test_a_summary_without_a_list(void **state)
{
    static const struct choice_extent none = {0, 0, SIZE_MAX};
    struct fixture *fixture = *state;
    const struct machine *machine;

    add_failed(fixture);
    machine = add(fixture, "b", WEB);
    _cleanup_(explanation_freep) struct explanation *eligible = explain(fixture, NULL, none, 0);
    assert_string_equal(eligible->summary, "1 could take the place of failed; none was started");
    run_machine(fixture, machine);
    _cleanup_(explanation_freep) struct explanation *ineligible = explain(fixture, NULL, none, 0);
    assert_string_equal(ineligible->summary, "none of 1 can take the place of failed");
    pool_remove(fixture->pool, machine);
    _cleanup_(explanation_freep) struct explanation *alone = explain(fixture, NULL, none, 0);
    assert_string_equal(alone->summary, "no candidate for failed: no other machine takes part");
}

/* Also when it stands behind those that are listed. */
static void test_the_one_taken_is_listed(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *third;

    add_failed(fixture);
    add(fixture, "a", WEB);
    add(fixture, "b", WEB);
    third = add(fixture, "c", WEB);
    add(fixture, "d", WEB);
    _cleanup_(explanation_freep) struct explanation *explanation = explain(fixture, third, EXTENT_ALL, 1);
    assert_int_equal(explanation->n_candidates, 2);
    assert_string_equal(explanation->candidates[0].reason, "the best of 4 eligible");
    assert_string_equal(explanation_chosen(explanation)->name, "c");
    assert_string_equal(explanation_chosen(explanation)->reason,
                        "chosen: place 3 of 4; as similar as the one before, but later by name");
    assert_int_equal(explanation->left_out[CANDIDATE_ELIGIBLE], 2);
}

static void test_the_one_taken_is_the_one_chosen(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *second;

    add_failed(fixture);
    add(fixture, "b-first", WEB);
    second = add(fixture, "c-second", WEB);
    _cleanup_(explanation_freep) struct explanation *explanation = explain(fixture, second, EXTENT_ALL, SIZE_MAX);
    assert_string_equal(explanation_chosen(explanation)->name, "c-second");
    assert_non_null(strstr(explanation->summary, "c-second"));
    assert_null(strstr(explanation->summary, "b-first"));
    assert_null(strstr(explanation->candidates[0].reason, "chosen"));
}

static void test_that_no_candidate_is_eligible_is_explained_too(void **state)
{
    struct fixture *fixture = *state;

    add_failed(fixture);
    _cleanup_(explanation_freep) struct explanation *alone = explain_all(fixture);
    assert_null(explanation_chosen(alone));
    assert_non_null(strstr(alone->summary, "failed"));
    add(fixture, "far", "database/oracle");
    _cleanup_(explanation_freep) struct explanation *explanation = explain_all(fixture);
    assert_null(explanation_chosen(explanation));
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

static bool is_other(const struct choice_request *request, const struct pool_host *host)
{
    (void)request;
    return strcmp(pool_host_name(host), "third") == 0;
}

/* Each of them loses to the one before by the next rule. */
static void test_every_rule_of_the_order_has_words_of_its_own(void **state)
{
    struct config_hypervisor hypervisors[] = {
        {.name = (char *)"local"}, {.name = (char *)"other"}, {.name = (char *)"third"}, {.name = (char *)"small"}};
    struct fixture *fixture = *state;

    fixture->config.hypervisors = hypervisors;
    fixture->config.n_hypervisors = ELEMENTS_OF(hypervisors);
    assert_int_equal(pool_configure(fixture->pool, &fixture->config), 0);
    fixture->request.has_sibling = is_other;
    add_failed(fixture);
    pool_set_free_memory(fixture->pool, "other", 4096);
    pool_set_free_memory(fixture->pool, "small", 1024);
    pool_edit(fixture->pool, add_on(fixture, "other", "a", WEB))->has_managed_save = true;
    add_on(fixture, "other", "b", WEB);
    add_on(fixture, "other", "c", WEB);
    add_on(fixture, "small", "d", WEB);
    add(fixture, "e", WEB);
    spare_machine(fixture, add(fixture, "f", WEB));
    add(fixture, "g", "language/nodejs database/mysql");
    add_on(fixture, "third", "h", WEB);

    _cleanup_(explanation_freep) struct explanation *explanation = explain_all(fixture);
    assert_int_equal(explanation->n_candidates, 8);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(explanation->candidates[i].name[0], 'a' + (char)i);
    assert_string_equal(reason_of(explanation, "a"), "chosen: the best of 8 eligible");
    assert_string_equal(reason_of(explanation, "b"),
                        "eligible: place 2 of 8; as similar as the one before, but less warm");
    assert_string_equal(reason_of(explanation, "c"),
                        "eligible: place 3 of 8; as similar as the one before, but later by name");
    assert_string_equal(reason_of(explanation, "d"),
                        "eligible: place 4 of 8; as similar as the one before, but less free memory on its host");
    assert_string_equal(reason_of(explanation, "e"),
                        "eligible: place 5 of 8; as similar as the one before, but on the host of the failed machine");
    assert_string_equal(
        reason_of(explanation, "f"),
        "eligible: place 6 of 8; as similar as the one before, but the only candidate of another machine");
    assert_string_equal(reason_of(explanation, "g"), "eligible: place 7 of 8");
    assert_string_equal(reason_of(explanation, "h"),
                        "eligible: place 8 of 8; on the host of a machine that it is to be kept apart from");
}

static void test_why_it_is_not_warm_is_told(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *machine;

    add_failed(fixture);
    machine = add(fixture, "b", WEB);
    pool_set_not_warm(fixture->pool, machine, "its host has no memory to spare");
    _cleanup_(explanation_freep) struct explanation *explanation = explain_all(fixture);
    assert_string_equal(reason_of(explanation, "b"),
                        "chosen: the only one eligible; not kept warm: its host has no memory to spare");
}

/* Promise 6: the reason it lost. */
static void test_every_verdict_has_words_of_its_own(void **state)
{
    struct fixture *fixture = *state;
    struct machine_ref tried;
    const struct machine *machine, *user;

    add_failed(fixture);
    add(fixture, "eligible", WEB);
    pool_edit(fixture->pool, add(fixture, "not-standby", WEB))->roles = ROLE_PROTECTED;
    pool_edit(fixture->pool, add(fixture, "unreachable", WEB))->is_reachable = false;
    user = add(fixture, "running", WEB);
    run_machine(fixture, user);
    pool_edit(fixture->pool, add(fixture, "came-up", WEB))->has_come_up = true;
    machine = add(fixture, "paused", WEB);
    pool_edit(fixture->pool, machine)->state = MACHINE_PAUSED;
    pool_edit(fixture->pool, machine)->reason = REASON_IO_ERROR;
    machine = add(fixture, "claimed", WEB);
    assert_int_equal(pool_claim(fixture->pool, machine, "20261122-145400-1"), 0);
    pool_edit(fixture->pool, add(fixture, "reserved", WEB))->is_reserved = true;
    pool_edit(fixture->pool, add(fixture, "ending", WEB))->keeping = KEEPING_ENDING;
    tried = machine_ref_of(add(fixture, "tried", WEB));
    fixture->request.tried = &tried;
    fixture->request.n_tried = 1;
    machine = add(fixture, "under-operator", WEB);
    pool_edit(fixture->pool, machine)->state = MACHINE_PAUSED;
    pool_edit(fixture->pool, machine)->reason = REASON_USER;
    add(fixture, "surplus", WEB " language/a language/b language/c");
    add(fixture, "lacking", "webserver/nginx");
    pool_edit(fixture->pool, add(fixture, "failed-itself", WEB))->failed_unrecovered = true;
    give_obstacle(fixture, add(fixture, "template", WEB), "the storage pool images is not active");
    pool_set_quarantine(fixture->pool, add(fixture, "quarantined", WEB), 61 * USEC_PER_SEC, NULL);
    fixture->request.now_us = USEC_PER_SEC / 2;
    fixture->request.check_memory = true;
    pool_set_free_memory(fixture->pool, "local", 1536 * 1024);
    give_memory(fixture, add(fixture, "large", WEB), 2048 * 1024);
    machine = add(fixture, "shares-a-disk", WEB);
    give_disk(fixture, machine, "/images/a");
    give_disk(fixture, user, "/images/a");
    machine = add(fixture, "shares-an-address", WEB);
    give_address(fixture, machine, "52:54:00:00:00:01");
    give_address(fixture, user, "52:54:00:00:00:01");
    machine = add(fixture, "shares-a-device", WEB);
    give_device(fixture, machine, "pci 0000:65:00.0");
    give_device(fixture, user, "pci 0000:65:00.0");

    _cleanup_(explanation_freep) struct explanation *explanation = explain_all(fixture);
    assert_int_equal(explanation->n_candidates, 20);
    for (size_t i = 0; i < explanation->n_candidates; i++)
        for (size_t n = 0; n < i; n++)
            assert_string_not_equal(explanation->candidates[i].reason, explanation->candidates[n].reason);
    assert_string_equal(reason_of(explanation, "claimed"), "claimed by recovery 20261122-145400-1");
    assert_string_equal(reason_of(explanation, "template"),
                        "cannot be made now: the storage pool images is not active");
    assert_non_null(strstr(reason_of(explanation, "quarantined"), "for 61 s more"));
    assert_string_equal(reason_of(explanation, "large"), "needs 2048 MiB, and local has 1536 MiB to spare");
    assert_string_equal(reason_of(explanation, "not-standby"), "its role is protected, not standby");
    assert_string_equal(reason_of(explanation, "unreachable"), "its hypervisor local is not connected");
    assert_string_equal(reason_of(explanation, "came-up"), "started, not standing by");
    assert_string_equal(reason_of(explanation, "running"), "running, not standing by");
    assert_string_equal(reason_of(explanation, "paused"), "paused (I/O error), not standing by");
    assert_string_equal(reason_of(explanation, "shares-a-disk"), "its disk /images/a is in use by running");
    assert_string_equal(reason_of(explanation, "shares-an-address"),
                        "its address 52:54:00:00:00:01 is in use by running");
    assert_string_equal(reason_of(explanation, "shares-a-device"),
                        "its host device pci 0000:65:00.0 is in use by running");
}

static void test_what_holds_a_candidate_is_told(void **state)
{
    static char reason[] = "new disks";
    struct fixture *fixture = *state;
    const struct machine *machine;
    struct {
        struct hold hold;
        const char *text;
    } rows[] = {
        {{.scope = HOLD_MACHINE}, "it is held"},
        {{.scope = HOLD_MACHINE, .reason = reason}, "it is held: new disks"},
        {{.scope = HOLD_HOST, .reason = reason}, "its host is held: new disks"},
        {{.scope = HOLD_ALL, .reason = reason}, "everything is held: new disks"},
    };

    add_failed(fixture);
    machine = add(fixture, "b", WEB);
    for (size_t i = 0; i < ELEMENTS_OF(rows); i++) {
        _cleanup_(freep) char *text = NULL;
        struct candidate candidate;

        pool_edit(fixture->pool, machine)->hold = &rows[i].hold;
        candidate = candidate_of(fixture, machine);
        assert_int_equal(explain_ineligible(&fixture->request, &candidate, &text), 0);
        assert_string_equal(text, rows[i].text);
    }
}

static const char *reason_with(struct fixture *fixture, const struct machine *machine, char **text)
{
    struct candidate candidate;

    assert_int_equal(pool_configure(fixture->pool, &fixture->config), 0);
    candidate = candidate_of(fixture, machine);
    free(*text);
    *text = NULL;
    assert_int_equal(candidate.verdict, CANDIDATE_NOT_SIMILAR);
    assert_int_equal(explain_ineligible(&fixture->request, &candidate, text), 0);
    return *text;
}

static void test_that_nothing_is_known_is_told(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *failed = add(fixture, "failed", "");

    fixture->request.failed = failed;
    fixture->request.need = failed->spec;
    add(fixture, "b", WEB);
    _cleanup_(explanation_freep) struct explanation *explanation = explain_all(fixture);
    assert_string_equal(reason_of(explanation, "b"), "it is not known what failed offers, so nothing can be compared");
    assert_non_null(strstr(explanation->summary, "; say what it offers: understudyctl tag, or below machines:"));
}

static void test_the_limit_that_is_missed_is_told(void **state)
{
    char *must[] = {(char *)"database"};
    struct fixture *fixture = *state;
    struct config_similarity *similarity = &fixture->config.similarity;
    _cleanup_(freep) char *text = NULL;
    const struct machine *machine;

    add_failed(fixture);
    machine = add(fixture, "b", "language/nodejs webserver/nginx webserver/apache");
    similarity->threshold = 900000;
    assert_string_equal(reason_with(fixture, machine, &text), "similarity 0.8571 is below the threshold 0.9");
    similarity->threshold = 0;
    similarity->min_coverage = 750000;
    assert_string_equal(reason_with(fixture, machine, &text), "coverage 0.6667 is below 0.75");
    similarity->environment_weights[ENVIRONMENT_CPU] = 1000000;
    assert_string_equal(reason_with(fixture, machine, &text), "coverage of resources alone 0.6667 is below 0.75");
    similarity->min_coverage = 0;
    similarity->must_cover = (struct string_list){must, 1};
    assert_string_equal(reason_with(fixture, machine, &text),
                        "does not cover database completely, which must_cover demands");
}

static void test_ambiguous_names_carry_their_hypervisor(void **state)
{
    struct fixture *fixture = *state;

    add_failed(fixture);
    add_on(fixture, "local", "twin", WEB);
    add_on(fixture, "other", "twin", WEB);
    _cleanup_(explanation_freep) struct explanation *explanation = explain_all(fixture);
    assert_string_not_equal(explanation->candidates[0].name, explanation->candidates[1].name);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        choose_test(test_an_explanation_tells_everything),
        choose_test(test_what_weighs_nothing_is_listed_apart),
        choose_test(test_ports_that_weigh_nothing_are_not_listed),
        choose_test(test_the_reason_says_that_only_the_os_is_known),
        choose_test(test_the_reason_says_that_nothing_known_has_a_weight),
        choose_test(test_an_explanation_outlives_the_pool),
        choose_test(test_candidates_beyond_the_limit_are_counted_by_verdict),
        choose_test(test_what_was_not_looked_at_is_counted_and_not_promised),
        choose_test(test_a_summary_without_a_list),
        choose_test(test_the_one_taken_is_listed),
        choose_test(test_the_one_taken_is_the_one_chosen),
        choose_test(test_that_no_candidate_is_eligible_is_explained_too),
        choose_test(test_every_rule_of_the_order_has_words_of_its_own),
        choose_test(test_why_it_is_not_warm_is_told),
        choose_test(test_every_verdict_has_words_of_its_own),
        choose_test(test_what_holds_a_candidate_is_told),
        choose_test(test_that_nothing_is_known_is_told),
        choose_test(test_the_limit_that_is_missed_is_told),
        choose_test(test_ambiguous_names_carry_their_hypervisor),
    };

    return cmocka_run_group_tests_name("choose explain", tests, NULL, NULL);
}
