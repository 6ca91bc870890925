/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The plan: who would take whose place, who is shared by how many, and who is spared. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "choose/plan.h"
#include "support.h"

#define JS   "language/nodejs"
#define BOTH "language/nodejs language/php"

struct fixture {
    struct config config;
    struct feature_table *table;
    struct pool *pool;
    struct plan *plan;
    unsigned n;
    int64_t now_us;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    fixture->config = default_config();
    fixture->config.similarity = case_study_similarity();
    assert_int_equal(feature_table_new(&fixture->table), 0);
    assert_int_equal(pool_new(fixture->table, &fixture->pool), 0);
    assert_int_equal(plan_new(fixture->pool, &fixture->plan), 0);
    assert_int_equal(pool_configure(fixture->pool, &fixture->config), 0);
    assert_int_equal(plan_configure(fixture->plan, false), 0);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    plan_free(fixture->plan);
    pool_free(fixture->pool);
    feature_table_free(fixture->table);
    free(fixture);
    return 0;
}

/* ---- machines ---- */

static void use_disk(struct domain_description *description, const char *source)
{
    description->disks = reallocarray(description->disks, description->n_disks + 1, sizeof(*description->disks));
    assert_non_null(description->disks);
    description->disks[description->n_disks] = (struct disk){.writable = true};
    assert_int_equal(disk_set_texts(&description->disks[description->n_disks++], source, NULL, NULL, "vda"), 0);
}

static const struct machine *put(struct fixture *fixture, const char *host, struct domain_description *description,
                                 enum machine_state state)
{
    const struct machine *machine;

    assert_int_equal(pool_apply(fixture->pool, host, description, &machine), 0);
    pool_edit(fixture->pool, machine)->state = state;
    pool_edit(fixture->pool, machine)->is_reachable = true;
    return machine;
}

static struct domain_description *served(struct fixture *fixture, const char *name, const char *features)
{
    struct domain_description *description = describe(++fixture->n, name);

    describe_features(description, features);
    describe_role(description, "protected");
    return description;
}

static struct domain_description *standby(struct fixture *fixture, const char *name, const char *features)
{
    struct domain_description *description = served(fixture, name, features);

    describe_role(description, "standby");
    return description;
}

static const struct machine *add_served(struct fixture *fixture, const char *name, const char *features)
{
    return put(fixture, "local", served(fixture, name, features), MACHINE_RUNNING);
}

static const struct machine *add_standby(struct fixture *fixture, const char *name, const char *features)
{
    return put(fixture, "local", standby(fixture, name, features), MACHINE_SHUT_OFF);
}

/* Both use one disk. */
static void add_sharers(struct fixture *fixture, const struct machine **ret_served, const struct machine **ret_standby)
{
    struct domain_description *up = served(fixture, "a", JS), *off = standby(fixture, "shares", JS);

    use_disk(up, "/shared");
    use_disk(off, "/shared");
    *ret_served = put(fixture, "local", up, MACHINE_RUNNING);
    *ret_standby = put(fixture, "local", off, MACHINE_SHUT_OFF);
}

static struct machine *edit(struct fixture *fixture, const struct machine *machine)
{
    return pool_edit(fixture->pool, machine);
}

/* The same machine with other features, and without disks. */
static void describe_anew(struct fixture *fixture, const struct machine *machine, const char *name,
                          const char *features)
{
    struct domain_description *description = describe(0, name);

    memcpy(description->uuid, machine->description->uuid, sizeof(description->uuid));
    describe_features(description, features);
    description->roles = machine->description->roles;
    assert_int_equal(pool_apply(fixture->pool, machine->hypervisor, description, NULL), 0);
}

/* ---- what is expected ---- */

static void settle(struct fixture *fixture)
{
    assert_int_equal(plan_settle(fixture->plan, fixture->now_us, SIZE_MAX), 1);
}

/* NULL: there is none. */
static void expect_found(struct fixture *fixture, const struct machine *machine, const char *best, const char *second)
{
    struct plan_answer answer;

    assert_int_equal(plan_find(fixture->plan, machine, &answer), 0);
    assert_string_equal(answer.best.machine != NULL ? answer.best.machine->name : "none", best != NULL ? best : "none");
    assert_string_equal(answer.second.machine != NULL ? answer.second.machine->name : "none",
                        second != NULL ? second : "none");
}

static void expect(struct fixture *fixture, const struct machine *machine, const char *best, const char *second)
{
    settle(fixture);
    expect_found(fixture, machine, best, second);
}

static void expect_unserved(struct fixture *fixture, const struct machine *machine)
{
    struct plan_answer answer;

    settle(fixture);
    assert_false(plan_is_served(fixture->plan, machine));
    assert_int_equal(plan_find(fixture->plan, machine, &answer), -ENOENT);
}

static void expect_count(struct fixture *fixture, const struct machine *machine, size_t count, const char *first_name)
{
    const struct machine *first;

    settle(fixture);
    assert_int_equal(plan_count_served_by(fixture->plan, machine, &first), count);
    assert_string_equal(first != NULL ? first->name : "none", first_name);
}

static void expect_spared(struct fixture *fixture, const struct machine *machine, bool is_spared)
{
    settle(fixture);
    assert_int_equal(spared_has(plan_spared(fixture->plan), machine->number), is_spared);
}

/* ---- the best and the second ---- */

static void test_the_most_alike_is_the_best(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *a = add_served(fixture, "a", BOTH);

    add_standby(fixture, "b-half", JS);
    add_standby(fixture, "c-same", BOTH);
    add_standby(fixture, "d-unlike", "database/mysql");
    expect(fixture, a, "c-same", "b-half");
    assert_int_equal(plan_rows(fixture->plan), 1);
}

static void test_what_is_better_comes_before_and_what_goes_is_followed(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *a = add_served(fixture, "a", JS), *standbys[8];

    for (unsigned i = 0; i < ELEMENTS_OF(standbys); i++) {
        char name[8];

        snprintf(name, sizeof(name), "s%u", (unsigned)ELEMENTS_OF(standbys) - 1 - i);
        standbys[i] = add_standby(fixture, name, JS);
        expect(fixture, a, name, i > 0 ? standbys[i - 1]->name : NULL);
    }
    for (unsigned i = ELEMENTS_OF(standbys); i-- > 0;) {
        expect(fixture, a, standbys[i]->name, i > 0 ? standbys[i - 1]->name : NULL);
        assert_int_equal(pool_claim(fixture->pool, standbys[i], "r1"), 0);
    }
    expect(fixture, a, NULL, NULL);
    pool_release(fixture->pool, standbys[0], "r1");
    expect(fixture, a, "s7", NULL);
}

static void test_what_could_not_be_started_is_not_planned(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *a = add_served(fixture, "a", JS);

    edit(fixture, add_standby(fixture, "running", JS))->state = MACHINE_RUNNING;
    pool_set_quarantine(fixture->pool, add_standby(fixture, "quarantined", JS), 1, NULL);
    edit(fixture, add_standby(fixture, "unreachable", JS))->is_reachable = false;
    edit(fixture, add_standby(fixture, "no-standby", JS))->roles = ROLE_PROTECTED;
    edit(fixture, add_standby(fixture, "failed", JS))->failed_unrecovered = true;
    edit(fixture, add_standby(fixture, "ending", JS))->keeping = KEEPING_ENDING;
    expect(fixture, a, NULL, NULL);
}

static void test_a_warm_one_is_better_than_a_cold_one(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *a = add_served(fixture, "a", JS), *warm;

    add_standby(fixture, "b-cold", JS);
    warm = add_standby(fixture, "c-warm", JS);
    expect(fixture, a, "b-cold", "c-warm");
    edit(fixture, warm)->has_managed_save = true;
    expect(fixture, a, "c-warm", "b-cold");
}

static void test_one_on_another_host_is_better(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *here = add_served(fixture, "here", JS);
    const struct machine *there = put(fixture, "other", served(fixture, "there", JS), MACHINE_RUNNING);

    put(fixture, "local", standby(fixture, "on-local", JS), MACHINE_SHUT_OFF);
    put(fixture, "other", standby(fixture, "on-other", JS), MACHINE_SHUT_OFF);
    expect(fixture, here, "on-other", "on-local");
    expect(fixture, there, "on-local", "on-other");
    assert_int_equal(plan_rows(fixture->plan), 2);
}

static void test_only_a_protected_machine_that_is_up_is_served(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *a = add_served(fixture, "a", JS), *b = add_standby(fixture, "b", JS);

    expect(fixture, a, "b", NULL);
    expect_unserved(fixture, b);
    edit(fixture, a)->state = MACHINE_SHUT_OFF;
    expect_unserved(fixture, a);
    edit(fixture, a)->state = MACHINE_SUSPENDED;
    expect(fixture, a, "b", NULL);
    assert_int_equal(pool_claim(fixture->pool, a, "r1"), 0);
    expect_unserved(fixture, a);
    pool_release(fixture->pool, a, "r1");
    edit(fixture, a)->roles = ROLE_STANDBY;
    expect_unserved(fixture, a);
    assert_int_equal(plan_rows(fixture->plan), 0);
}

static void test_a_machine_leaves(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *a = add_served(fixture, "a", JS), *b = add_standby(fixture, "b", JS);

    add_standby(fixture, "c", JS);
    expect(fixture, a, "b", "c");
    pool_remove(fixture->pool, b);
    expect(fixture, a, "c", NULL);
    pool_remove(fixture->pool, a);
    settle(fixture);
    assert_int_equal(plan_rows(fixture->plan), 0);
    a = add_served(fixture, "d", JS); /* with the number of one that left */
    expect(fixture, a, "c", NULL);
}

static void test_another_specification_has_other_candidates(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *a = add_served(fixture, "a", JS), *b = add_standby(fixture, "b", JS);

    add_standby(fixture, "sql", "database/mysql");
    expect(fixture, a, "b", NULL);
    describe_anew(fixture, a, "a", "database/mysql");
    expect(fixture, a, "sql", NULL);
    describe_anew(fixture, b, "b", "database/mysql");
    expect(fixture, a, "b", "sql");
}

static void test_names_order_and_change(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *a = add_served(fixture, "a", JS), *b = add_standby(fixture, "b", JS);

    add_standby(fixture, "c", JS);
    add_standby(fixture, "d", JS);
    expect(fixture, a, "b", "c");
    describe_anew(fixture, b, "e", JS);
    expect(fixture, a, "c", "d");
    describe_anew(fixture, b, "c1", JS);
    expect(fixture, a, "c", "c1");
}

/* The second was compared with the first where that no longer belonged. */
static void test_several_that_change_places_at_once(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *a = add_served(fixture, "a", JS), *standbys[4];

    for (unsigned i = 0; i < ELEMENTS_OF(standbys); i++)
        standbys[i] = add_standby(fixture, (const char *const[]){"s1", "s2", "s3", "s4"}[i], JS);
    expect(fixture, a, "s1", "s2");
    describe_anew(fixture, standbys[3], "s0", JS);
    describe_anew(fixture, standbys[2], "s0a", JS);
    describe_anew(fixture, standbys[0], "s9", JS);
    expect(fixture, a, "s0", "s0a");
    describe_anew(fixture, standbys[0], "s00", JS);
    describe_anew(fixture, standbys[1], "s000", JS);
    expect(fixture, a, "s0", "s00");
}

/* The one that went to the second place was put behind the one that was going to the first. */
static void test_one_that_changes_places_beside_another(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *a = add_served(fixture, "a", JS), *standbys[4];

    for (unsigned i = 0; i < ELEMENTS_OF(standbys); i++)
        standbys[i] = add_standby(fixture, (const char *const[]){"s1", "s2", "s3", "s4"}[i], JS);
    expect(fixture, a, "s1", "s2");
    describe_anew(fixture, standbys[2], "s0", JS);
    describe_anew(fixture, standbys[3], "s1a", JS);
    expect(fixture, a, "s0", "s1");
    assert_int_equal(pool_claim(fixture->pool, standbys[2], "r1"), 0);
    expect(fixture, a, "s1", "s1a");
}

/* Others that are not in the row are better. */
static void test_one_that_comes_last_is_not_taken_for_the_next(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *a = add_served(fixture, "a", JS), *standbys[6];

    for (unsigned i = 0; i < ELEMENTS_OF(standbys); i++)
        standbys[i] = add_standby(fixture, (const char *const[]){"s1", "s2", "s3", "s4", "s5", "s6"}[i], JS);
    expect(fixture, a, "s1", "s2");
    assert_int_equal(pool_claim(fixture->pool, standbys[0], "r1"), 0);
    assert_int_equal(pool_claim(fixture->pool, standbys[1], "r2"), 0);
    expect(fixture, a, "s3", "s4");
    add_standby(fixture, "z", JS);
    expect(fixture, a, "s3", "s4");
    assert_int_equal(pool_claim(fixture->pool, standbys[2], "r3"), 0);
    expect(fixture, a, "s4", "s5");
}

/* ---- time, memory and configuration ---- */

static void test_a_quarantine_ends(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *a = add_served(fixture, "a", JS), *b = add_standby(fixture, "b", JS);

    pool_set_quarantine(fixture->pool, b, 100, NULL);
    fixture->now_us = 99;
    expect(fixture, a, NULL, NULL);
    fixture->now_us = 100;
    expect(fixture, a, "b", NULL);
}

static void test_memory_comes_back(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *a = put(fixture, "other", served(fixture, "a", JS), MACHINE_RUNNING);
    const struct machine *starting = add_standby(fixture, "z", "database/mysql");

    assert_int_equal(plan_configure(fixture->plan, true), 0);
    add_standby(fixture, "b", JS);
    expect(fixture, a, "b", NULL); /* nothing is known of the host */
    pool_set_free_memory(fixture->pool, "local", 1024);
    expect(fixture, a, NULL, NULL);
    pool_set_free_memory(fixture->pool, "local", 1024 * 1024);
    expect(fixture, a, "b", NULL);
    edit(fixture, starting)->is_starting = true;
    expect(fixture, a, NULL, NULL);
    edit(fixture, starting)->is_starting = false;
    expect(fixture, a, "b", NULL);
}

static void test_memory_is_looked_at_where_it_is_configured(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *a = put(fixture, "other", served(fixture, "a", JS), MACHINE_RUNNING);

    add_standby(fixture, "b", JS);
    pool_set_free_memory(fixture->pool, "local", 1024);
    expect(fixture, a, "b", NULL);
    assert_int_equal(plan_configure(fixture->plan, true), 0);
    expect(fixture, a, NULL, NULL);
    assert_int_equal(plan_configure(fixture->plan, false), 0);
    expect(fixture, a, "b", NULL);
}

/* As a recovery finds it: the failed machine is off by then. */
static void test_memory_that_the_failed_machine_gives_back_counts(void **state)
{
    struct fixture *fixture = *state;
    struct domain_description *in_huge_pages = served(fixture, "in_huge_pages", JS), *other;
    const struct machine *a = add_served(fixture, "a", JS), *elsewhere, *first, *b, *little;

    in_huge_pages->has_hugepages = true; /* which are set apart: it gives nothing back */
    little = put(fixture, "local", in_huge_pages, MACHINE_RUNNING);
    elsewhere = put(fixture, "other", served(fixture, "elsewhere", JS), MACHINE_RUNNING);
    pool_set_free_memory(fixture->pool, "local", 1024);
    pool_set_free_memory(fixture->pool, "other", 1024);
    assert_int_equal(plan_configure(fixture->plan, true), 0);
    expect(fixture, a, NULL, NULL);
    b = add_standby(fixture, "b", JS);
    expect(fixture, a, "b", NULL);
    expect(fixture, little, NULL, NULL);
    expect(fixture, elsewhere, NULL, NULL);
    assert_int_equal(plan_count_served_by(fixture->plan, b, &first), 1);
    assert_true(spared_has(plan_spared(fixture->plan), b->number));
    other = served(fixture, "a", JS);
    memcpy(other->uuid, a->description->uuid, sizeof(other->uuid));
    other->has_hugepages = true;
    assert_int_equal(pool_apply(fixture->pool, "local", other, NULL), 0);
    expect(fixture, a, NULL, NULL);
    assert_false(spared_has(plan_spared(fixture->plan), b->number));
}

/* recovery.order is original-only. */
static void test_where_nothing_else_is_started_no_machine_is_planned(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *a = add_served(fixture, "a", JS);
    struct plan_answer answer;

    add_standby(fixture, "b", JS);
    expect(fixture, a, "b", NULL);
    fixture->config.recovery.order = ORDER_ORIGINAL_ONLY;
    assert_int_equal(pool_configure(fixture->pool, &fixture->config), 0);
    assert_int_equal(plan_configure(fixture->plan, false), 0);
    settle(fixture);
    assert_false(plan_is_served(fixture->plan, a));
    assert_int_equal(plan_find(fixture->plan, a, &answer), -ENOENT);
    assert_int_equal(plan_rows(fixture->plan), 0);
    fixture->config.recovery.order = ORDER_REPLACEMENT;
    assert_int_equal(pool_configure(fixture->pool, &fixture->config), 0);
    assert_int_equal(plan_configure(fixture->plan, false), 0);
    expect(fixture, a, "b", NULL);
}

/* While it runs it is counted on its host as well, and when it fails it is there no more. */
static void test_a_machine_is_not_kept_apart_from_itself(void **state)
{
    static const char *const all = "*";
    struct fixture *fixture = *state;
    struct config_service entry = {.match = {(char **)&all, 1}, .apart = true};
    const struct machine *a;

    give(&entry, "apart");
    fixture->config.services = &entry;
    fixture->config.n_services = 1;
    assert_int_equal(pool_configure(fixture->pool, &fixture->config), 0);
    assert_int_equal(plan_configure(fixture->plan, false), 0);
    a = add_served(fixture, "a", JS);
    add_standby(fixture, "b", JS);
    put(fixture, "other", standby(fixture, "c", JS), MACHINE_SHUT_OFF);
    expect(fixture, a, "c", "b"); /* another host, and b is as good */
    put(fixture, "other", served(fixture, "d", JS), MACHINE_RUNNING);
    expect(fixture, a, "b", "c");
    add_served(fixture, "e", JS);
    expect(fixture, a, "c", "b");
    fixture->config.n_services = 0;
    assert_int_equal(pool_configure(fixture->pool, &fixture->config), 0);
    assert_int_equal(plan_configure(fixture->plan, false), 0);
    expect(fixture, a, "c", "b");
}

static void test_among_equals_the_host_with_more_memory_is_better(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *a = add_served(fixture, "a", JS);

    put(fixture, "local", standby(fixture, "b", JS), MACHINE_SHUT_OFF);
    put(fixture, "other", standby(fixture, "c", JS), MACHINE_SHUT_OFF);
    put(fixture, "other", standby(fixture, "d", JS), MACHINE_SHUT_OFF);
    pool_set_free_memory(fixture->pool, "other", 4096);
    expect(fixture, a, "c", "d");
    pool_set_free_memory(fixture->pool, "local", 65536);
    expect(fixture, a, "c", "d"); /* its own host all the same */
}

static void test_other_weights_make_another_plan(void **state)
{
    struct fixture *fixture = *state;
    struct config other = fixture->config;
    struct config_weight weights[] = {{.kind = (char *)"database", .millionths = 300000}};
    const struct machine *a = add_served(fixture, "a", "language/nodejs database/mysql");

    add_standby(fixture, "js", JS);
    add_standby(fixture, "sql", "database/mysql");
    expect(fixture, a, "js", NULL); /* 0.3 of 0.5; the other is below the threshold */
    other.similarity.resource_weights = weights;
    other.similarity.n_resource_weights = 1;
    assert_int_equal(pool_configure(fixture->pool, &other), 0);
    assert_int_equal(plan_configure(fixture->plan, false), 0);
    expect(fixture, a, "sql", NULL);
    assert_int_equal(pool_configure(fixture->pool, &fixture->config), 0);
    assert_int_equal(plan_configure(fixture->plan, false), 0);
    expect(fixture, a, "js", NULL);
}

static void test_machines_of_a_hypervisor_that_goes(void **state)
{
    struct fixture *fixture = *state;
    struct config other = fixture->config;
    const struct machine *a = add_served(fixture, "a", JS);

    put(fixture, "other", standby(fixture, "b", JS), MACHINE_SHUT_OFF);
    put(fixture, "other", served(fixture, "c", BOTH), MACHINE_RUNNING);
    expect(fixture, a, "b", NULL);
    assert_int_equal(plan_rows(fixture->plan), 2);
    other.n_hypervisors = 1;
    assert_int_equal(pool_configure(fixture->pool, &other), 0);
    assert_int_equal(plan_configure(fixture->plan, false), 0);
    expect(fixture, a, NULL, NULL);
    assert_int_equal(plan_rows(fixture->plan), 1);
}

static void test_without_comparisons_what_is_asked_for_is_known_all_the_same(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *a = add_served(fixture, "a", JS), *both = add_served(fixture, "both", BOTH);

    add_standby(fixture, "b", JS);
    assert_int_equal(plan_settle(fixture->plan, 0, 0), 0);
    expect_found(fixture, a, "b", NULL);
    assert_int_equal(plan_settle(fixture->plan, 0, 0), 0);
    assert_int_equal(plan_settle(fixture->plan, 0, 1), 1); /* the other one */
    expect_found(fixture, both, "b", NULL);
}

/* ---- shared by how many ---- */

static void test_shared_and_the_most_important_first(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *a = add_served(fixture, "a", JS), *b = add_standby(fixture, "s", JS), *c;

    expect_count(fixture, b, 1, "a");
    c = add_served(fixture, "c", BOTH);
    expect_count(fixture, b, 2, "a");
    edit(fixture, c)->priority = 1;
    expect_count(fixture, b, 2, "c");
    edit(fixture, a)->state = MACHINE_SHUT_OFF;
    expect_count(fixture, b, 1, "c");
    expect_count(fixture, add_standby(fixture, "0-better", BOTH), 1, "c");
    expect_count(fixture, b, 0, "none");
    expect_count(fixture, c, 0, "none");
}

/* ---- kept out by the served machine itself ---- */

static void test_kept_out_by_its_own_disk_it_is_its_candidate_and_no_one_elses(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *a, *b, *other = add_served(fixture, "other", JS);

    add_sharers(fixture, &a, &b);
    expect(fixture, a, "shares", NULL);
    expect(fixture, other, NULL, NULL);
    expect_count(fixture, b, 1, "a");
    expect_spared(fixture, b, false);
    edit(fixture, a)->state = MACHINE_SHUT_OFF;
    expect(fixture, other, "shares", NULL);
    expect_spared(fixture, b, true);
}

static void test_kept_out_and_another_in_order(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *a, *b;

    add_sharers(fixture, &a, &b);
    add_standby(fixture, "r", JS);
    expect(fixture, a, "r", "shares");
    add_standby(fixture, "z", JS);
    expect(fixture, a, "r", "shares");
    add_standby(fixture, "q", JS);
    expect(fixture, a, "q", "r");
    edit(fixture, b)->has_managed_save = true;
    expect(fixture, a, "shares", "q");
    expect_count(fixture, b, 1, "a");
}

static void test_kept_out_by_two_it_is_no_ones_candidate(void **state)
{
    struct fixture *fixture = *state;
    struct domain_description *second = served(fixture, "second", JS);
    const struct machine *a, *b, *other;

    add_sharers(fixture, &a, &b);
    use_disk(second, "/shared");
    other = put(fixture, "local", second, MACHINE_RUNNING);
    expect(fixture, a, NULL, NULL);
    expect(fixture, other, NULL, NULL);
    expect_count(fixture, b, 0, "none");
    pool_remove(fixture->pool, other);
    expect(fixture, a, "shares", NULL);
}

/* It is up, too, and was looked for only among those that are off. */
static void test_a_paused_one_is_kept_out_by_the_address_that_it_shares(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *a, *b, *other = add_served(fixture, "other", JS);

    add_sharers(fixture, &a, &b);
    edit(fixture, b)->state = MACHINE_PAUSED;
    edit(fixture, b)->reason = REASON_USER;
    edit(fixture, b)->keeping = KEEPING_WARM;
    expect(fixture, a, "shares", NULL);
    expect(fixture, other, NULL, NULL);
    edit(fixture, a)->state = MACHINE_SHUT_OFF;
    expect(fixture, other, "shares", NULL);
    edit(fixture, a)->state = MACHINE_RUNNING;
    expect(fixture, other, NULL, NULL);
}

static void test_one_that_shares_several_things_counts_once(void **state)
{
    struct fixture *fixture = *state;
    struct domain_description *up = served(fixture, "a", JS), *off = standby(fixture, "shares", JS);
    const struct machine *machine;

    for (unsigned i = 0; i < 3; i++) {
        use_disk(up, (const char *const[]){"/0", "/1", "/2"}[i]);
        use_disk(off, (const char *const[]){"/0", "/1", "/2"}[i]);
    }
    machine = put(fixture, "local", up, MACHINE_RUNNING);
    expect_count(fixture, put(fixture, "local", off, MACHINE_SHUT_OFF), 1, "a");
    expect(fixture, machine, "shares", NULL);
}

/* ---- spared ---- */

static void test_the_only_candidate_is_spared(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *js = add_served(fixture, "js", JS), *sql = add_served(fixture, "sql", "database/mysql");
    const struct machine *both = add_standby(fixture, "b", "language/nodejs database/mysql");

    expect_spared(fixture, both, true);
    expect(fixture, sql, NULL, NULL); /* 0.2 of the 0.5 that it offers */
    assert_int_equal(pool_claim(fixture->pool, both, "r1"), 0);
    expect_spared(fixture, both, false);
    pool_release(fixture->pool, both, "r1");
    expect_spared(fixture, both, true);
    edit(fixture, js)->state = MACHINE_SHUT_OFF;
    expect_spared(fixture, both, false);
    edit(fixture, js)->state = MACHINE_RUNNING;
    expect_spared(fixture, both, true);
    add_standby(fixture, "c", JS);
    expect_spared(fixture, both, false);
}

static void test_a_spared_one_comes_last_among_equals(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *a = add_served(fixture, "a", JS), *needs_it = add_served(fixture, "n", "language/php");
    const struct machine *b = add_standby(fixture, "b", BOTH), *c = add_standby(fixture, "c", BOTH);

    expect(fixture, a, "b", "c");
    describe_anew(fixture, c, "c", "language/nodejs language/perl");
    expect_spared(fixture, b, true);
    expect(fixture, a, "c", "b");
    expect(fixture, needs_it, "b", NULL);
    edit(fixture, needs_it)->state = MACHINE_SHUT_OFF;
    expect(fixture, a, "b", "c");
}

static void test_not_spared_with_one_that_is_kept_out(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *a, *b, *c = add_standby(fixture, "c", JS);

    add_sharers(fixture, &a, &b);
    expect_spared(fixture, c, false);
    edit(fixture, b)->is_reachable = false;
    expect_spared(fixture, c, true);
    edit(fixture, b)->is_reachable = true;
    expect_spared(fixture, c, false);
    pool_remove(fixture->pool, b);
    expect_spared(fixture, c, true);
}

/* Its other users were looked for by the disks that it had no longer. */
static void test_spared_when_the_one_kept_out_is_so_no_longer(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *a, *b, *c = add_standby(fixture, "c", JS);

    add_sharers(fixture, &a, &b);
    expect_spared(fixture, c, false);
    describe_anew(fixture, b, "shares", "database/mysql");
    expect_spared(fixture, c, true);
}

/* Neither shares anything any more, so that neither was looked at for the sake of the other. */
static void test_spared_when_the_disk_is_given_up_and_the_one_kept_out_is_claimed(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *a, *b, *c = add_standby(fixture, "c", JS);

    add_sharers(fixture, &a, &b);
    expect_spared(fixture, c, false);
    describe_anew(fixture, a, "a", JS);
    assert_int_equal(pool_claim(fixture->pool, b, "r1"), 0);
    expect_spared(fixture, c, true);
}

static void test_not_spared_where_the_served_machine_takes_to_the_disk_of_another(void **state)
{
    struct fixture *fixture = *state;
    struct domain_description *description = describe(0, "a");
    const struct machine *a, *b, *c = add_standby(fixture, "c", JS);

    add_sharers(fixture, &a, &b);
    describe_anew(fixture, a, "a", JS);
    expect_spared(fixture, c, false); /* two that are free */
    memcpy(description->uuid, a->description->uuid, sizeof(description->uuid));
    describe_features(description, JS);
    describe_role(description, "protected");
    use_disk(description, "/shared");
    assert_int_equal(pool_apply(fixture->pool, "local", description, NULL), 0);
    expect_spared(fixture, c, false); /* one, and one that is kept out */
    edit(fixture, b)->is_reachable = false;
    expect_spared(fixture, c, true);
}

/* It was looked at after it had been freed. */
static void test_a_spared_one_leaves(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *a = add_served(fixture, "a", JS), *b = add_standby(fixture, "b", JS);
    uint32_t number = b->number;

    expect_spared(fixture, b, true);
    pool_remove(fixture->pool, b);
    expect(fixture, a, NULL, NULL);
    assert_false(spared_has(plan_spared(fixture->plan), number));
    b = add_standby(fixture, "c", JS);
    assert_int_equal(b->number, number);
    expect_spared(fixture, b, true);
    pool_remove(fixture->pool, b);
    b = add_standby(fixture, "d", "database/mysql");
    expect_spared(fixture, b, false);
}

#define plan_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        plan_test(test_the_most_alike_is_the_best),
        plan_test(test_what_is_better_comes_before_and_what_goes_is_followed),
        plan_test(test_what_could_not_be_started_is_not_planned),
        plan_test(test_a_warm_one_is_better_than_a_cold_one),
        plan_test(test_one_on_another_host_is_better),
        plan_test(test_only_a_protected_machine_that_is_up_is_served),
        plan_test(test_a_machine_leaves),
        plan_test(test_another_specification_has_other_candidates),
        plan_test(test_names_order_and_change),
        plan_test(test_several_that_change_places_at_once),
        plan_test(test_one_that_changes_places_beside_another),
        plan_test(test_one_that_comes_last_is_not_taken_for_the_next),
        plan_test(test_a_quarantine_ends),
        plan_test(test_memory_comes_back),
        plan_test(test_memory_is_looked_at_where_it_is_configured),
        plan_test(test_a_machine_is_not_kept_apart_from_itself),
        plan_test(test_among_equals_the_host_with_more_memory_is_better),
        plan_test(test_other_weights_make_another_plan),
        plan_test(test_machines_of_a_hypervisor_that_goes),
        plan_test(test_without_comparisons_what_is_asked_for_is_known_all_the_same),
        plan_test(test_shared_and_the_most_important_first),
        plan_test(test_kept_out_by_its_own_disk_it_is_its_candidate_and_no_one_elses),
        plan_test(test_kept_out_and_another_in_order),
        plan_test(test_kept_out_by_two_it_is_no_ones_candidate),
        plan_test(test_a_paused_one_is_kept_out_by_the_address_that_it_shares),
        plan_test(test_one_that_shares_several_things_counts_once),
        plan_test(test_memory_that_the_failed_machine_gives_back_counts),
        plan_test(test_where_nothing_else_is_started_no_machine_is_planned),
        plan_test(test_the_only_candidate_is_spared),
        plan_test(test_a_spared_one_comes_last_among_equals),
        plan_test(test_not_spared_with_one_that_is_kept_out),
        plan_test(test_spared_when_the_one_kept_out_is_so_no_longer),
        plan_test(test_spared_when_the_disk_is_given_up_and_the_one_kept_out_is_claimed),
        plan_test(test_not_spared_where_the_served_machine_takes_to_the_disk_of_another),
        plan_test(test_a_spared_one_leaves),
    };

    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
