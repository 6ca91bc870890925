/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The plan: who would take whose place, and what it costs to know. */
#include <string.h>

#include "choose/plan.h"
#include "support.h"

#define NODEJS "nodejs"

struct fixture {
    struct config config;
    struct feature_table *table;
    struct pool *pool;
    struct similarity_rules *rules;
    struct plan *plan;
    unsigned n;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    fixture->config = default_config();
    fixture->config.similarity = case_study_similarity();
    assert_int_equal(feature_table_new(&fixture->table), 0);
    assert_int_equal(pool_new(fixture->table, &fixture->pool), 0);
    assert_int_equal(pool_configure(fixture->pool, &fixture->config), 0);
    assert_int_equal(similarity_rules_new(&fixture->config.similarity, fixture->table, &fixture->rules), 0);
    assert_int_equal(plan_new(&fixture->plan), 0);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    plan_free(fixture->plan);
    similarity_rules_free(fixture->rules);
    pool_free(fixture->pool);
    feature_table_free(fixture->table);
    free(fixture);
    return 0;
}

/* languages: words separated by blanks. */
static struct machine *add(struct fixture *fixture, const char *name, const char *languages, enum machine_state state,
                           int priority)
{
    struct domain_description *description = describe(++fixture->n, name);
    char text[64], *rest = text, *word;
    struct machine *machine = NULL;

    snprintf(text, sizeof(text), "%s", languages);
    while ((word = strsep(&rest, " ")) != NULL)
        describe_feature(description, "language", word);
    description->has_priority = true;
    description->priority = priority;
    assert_int_equal(pool_apply(fixture->pool, "local", description, &machine), 0);
    machine->state = state;
    machine->is_reachable = true;
    return machine;
}

static int work(struct fixture *fixture, size_t pairs)
{
    struct plan_view view = {.pool = fixture->pool, .rules = fixture->rules};

    return plan_work(fixture->plan, &view, pairs);
}

static void plan_all(struct fixture *fixture)
{
    plan_begin(fixture->plan);
    assert_int_equal(work(fixture, SIZE_MAX), 1);
}

static const char *name_at(const struct fixture *fixture, size_t i)
{
    const struct plan_entry *entry = plan_at(fixture->plan, i);

    return pool_find(fixture->pool, "local", entry->candidate.uuid)->name;
}

static void each_gets_its_best_and_no_standby_is_planned_twice(void **state)
{
    struct fixture *fixture = *state;

    add(fixture, "a", "nodejs php", MACHINE_RUNNING, 0);
    add(fixture, "b", "nodejs php", MACHINE_RUNNING, 1);
    add(fixture, "same", "nodejs php", MACHINE_SHUT_OFF, 0);
    add(fixture, "half", "nodejs", MACHINE_SHUT_OFF, 0);
    plan_all(fixture);
    assert_int_equal(plan_count(fixture->plan), 2);
    assert_string_equal(name_at(fixture, 0), "same"); /* for b, which is more important */
    assert_int_equal(plan_at(fixture->plan, 0)->priority, 1);
    assert_int_equal(plan_at(fixture->plan, 0)->worth, MILLIONTHS);
    assert_string_equal(name_at(fixture, 1), "half");
}

static void among_equals_who_is_warm_already_is_best(void **state)
{
    struct fixture *fixture = *state;
    struct machine *warm;

    add(fixture, "a", NODEJS, MACHINE_RUNNING, 0);
    add(fixture, "b-1", NODEJS, MACHINE_SHUT_OFF, 0);
    warm = add(fixture, "b-2", NODEJS, MACHINE_PAUSED, 0);
    warm->reason = REASON_USER;
    warm->keeping = KEEPING_WARM;
    plan_all(fixture);
    assert_int_equal(plan_count(fixture->plan), 1);
    assert_string_equal(name_at(fixture, 0), "b-2");
    assert_true(warm->planned_for.uuid[0] != '\0');
}

/* Free memory of their hosts decides last, and not against one that is kept already. */
static void one_that_is_kept_stays_planned(void **state)
{
    struct fixture *fixture = *state;
    struct machine *kept;

    add(fixture, "a", NODEJS, MACHINE_RUNNING, 0);
    add(fixture, "b-1", NODEJS, MACHINE_SHUT_OFF, 0)->has_managed_save = true;
    kept = add(fixture, "b-2", NODEJS, MACHINE_SHUT_OFF, 0);
    kept->has_managed_save = true;
    kept->keeping = KEEPING_WARM;
    plan_all(fixture);
    assert_string_equal(name_at(fixture, 0), "b-2");
}

static void nothing_is_planned_that_could_not_be_started(void **state)
{
    struct fixture *fixture = *state;

    add(fixture, "a", NODEJS, MACHINE_RUNNING, 0);
    add(fixture, "running", NODEJS, MACHINE_RUNNING, 0)->roles = ROLE_STANDBY;
    add(fixture, "unlike", "cobol", MACHINE_SHUT_OFF, 0);
    add(fixture, "quarantined", NODEJS, MACHINE_SHUT_OFF, 0)->quarantined_until_us = 1;
    add(fixture, "unreachable", NODEJS, MACHINE_SHUT_OFF, 0)->is_reachable = false;
    add(fixture, "no-standby", NODEJS, MACHINE_SHUT_OFF, 0)->roles = ROLE_PROTECTED;
    add(fixture, "paused", NODEJS, MACHINE_PAUSED, 0)->reason = REASON_USER;
    plan_all(fixture);
    assert_int_equal(plan_count(fixture->plan), 0);
}

static void the_old_plan_stands_until_the_new_one_is_made(void **state)
{
    struct fixture *fixture = *state;
    unsigned steps = 0;

    for (unsigned i = 0; i < 20; i++) {
        char name[16];

        snprintf(name, sizeof(name), "p-%02u", i);
        add(fixture, name, NODEJS, MACHINE_RUNNING, 0);
        snprintf(name, sizeof(name), "s-%02u", i);
        add(fixture, name, NODEJS, MACHINE_SHUT_OFF, 0);
    }
    plan_begin(fixture->plan);
    while (work(fixture, 40) == 0) {
        assert_int_equal(plan_count(fixture->plan), 0);
        assert_true(++steps < 100);
    }
    assert_true(steps >= 9);                         /* twenty rows of twenty pairs, two rows at a time */
    assert_int_equal(plan_count(fixture->plan), 20); /* though all of them ranked the same few first */
    assert_true(plan_cost(fixture->plan) >= 400);
}

static void machines_may_go_between_two_steps(void **state)
{
    struct fixture *fixture = *state;
    struct machine *gone;

    gone = add(fixture, "a", NODEJS, MACHINE_RUNNING, 0);
    add(fixture, "b", NODEJS, MACHINE_RUNNING, 0);
    add(fixture, "s", NODEJS, MACHINE_SHUT_OFF, 0);
    plan_begin(fixture->plan);
    assert_int_equal(work(fixture, 0), 0);
    pool_remove(fixture->pool, gone);
    assert_int_equal(work(fixture, SIZE_MAX), 1);
    assert_true(plan_count(fixture->plan) <= 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(each_gets_its_best_and_no_standby_is_planned_twice),
        TEST(among_equals_who_is_warm_already_is_best),
        TEST(one_that_is_kept_stays_planned),
        TEST(nothing_is_planned_that_could_not_be_started),
        TEST(the_old_plan_stands_until_the_new_one_is_made),
        TEST(machines_may_go_between_two_steps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
