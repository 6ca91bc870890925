/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is picked from a ranking is what a look at every machine finds, and a ranking that is old is known as such. */
#include <string.h>

#include "choose/conflict.h"
#include "choose/ranking.h"
#include "select_fixture.h"

#define POOLS        600
#define MACHINES_MAX 48
#define HOSTS        3

static const char *const hosts[HOSTS] = {"local", "other", "third"};

/* ---- random pools ---- */

static bool hits(uint64_t *seed, unsigned percent)
{
    return random_below(seed, 100) < percent;
}

static void add_things(struct machine *machine, uint64_t *seed)
{
    struct domain_description *description = machine->description;
    char *text = NULL;

    if (hits(seed, 60)) {
        const char *format = hits(seed, 70) ? "/images/%u" : "nbd:%u";

        description->disks = calloc(1, sizeof(*description->disks));
        assert_non_null(description->disks);
        assert_true(asprintf(&text, format, (unsigned)random_below(seed, 40)) > 0);
        description->disks[description->n_disks++] = (struct disk){
            .source = text, .target = strdup("vda"), .writable = hits(seed, 90), .shareable = hits(seed, 10)};
    }
    if (hits(seed, 60)) {
        description->macs = calloc(1, sizeof(*description->macs));
        assert_non_null(description->macs);
        assert_true(asprintf(&text, "52:54:00:00:00:%02x", (unsigned)random_below(seed, 40)) > 0);
        description->macs[description->n_macs++] = text;
    }
}

/* Most of them stand by, so that there are enough to be put in order. */
static void give_state(struct fixture *fixture, struct machine *machine, uint64_t *seed)
{
    static const unsigned roles[] = {ROLE_PROTECTED, ROLE_IGNORED, 0};

    if (hits(seed, 20)) {
        machine->state = (enum machine_state)random_below(seed, MACHINE_STATE_COUNT);
        machine->reason = hits(seed, 60) ? REASON_USER : REASON_IO_ERROR;
    }
    machine->roles = hits(seed, 80) ? ROLE_STANDBY : machine->roles;
    if (hits(seed, 5))
        machine->roles = roles[random_below(seed, ELEMENTS_OF(roles))];
    machine->has_managed_save = hits(seed, 30);
    machine->is_reachable = !hits(seed, 5);
    machine->is_reserved = hits(seed, 3);
    machine->is_starting = hits(seed, 5);
    machine->failed_unrecovered = hits(seed, 4);
    machine->keeping = hits(seed, 10) ? (enum keeping)random_below(seed, KEEPING_COUNT) : KEEPING_NONE;
    machine->quarantined_until_us = hits(seed, 6) ? (int64_t)random_below(seed, 2000) : 0;
    machine->description->memory_kib = (1 + random_below(seed, 4)) * 1024;
    if (hits(seed, 10))
        assert_int_equal(pool_claim(fixture->pool, machine, hits(seed, 50) ? "one" : "two"), 0);
    if (hits(seed, 3))
        pool_set_present(fixture->pool, machine, false);
}

static void add_random(struct fixture *fixture, uint64_t *seed)
{
    static const char *const languages[] = {"nodejs", "nodejs", "python"}, *const databases[] = {"mysql", "redis"};
    char name[16], features[128];
    struct machine *machine;

    snprintf(name, sizeof(name), "vm-%u", (unsigned)random_below(seed, 20)); /* some are twins */
    snprintf(features, sizeof(features), "language/%s database/%s webserver/nginx%s",
             languages[random_below(seed, ELEMENTS_OF(languages))],
             databases[random_below(seed, ELEMENTS_OF(databases))], hits(seed, 20) ? " webserver/apache" : "");
    machine = add_on(fixture, hosts[random_below(seed, HOSTS)], name, features);
    add_things(machine, seed);
    give_state(fixture, machine, seed);
}

/* Some of the machines were tried already. */
static void fill(struct fixture *fixture, struct machine_ref *tried, uint64_t *seed)
{
    size_t n = 4 + random_below(seed, MACHINES_MAX - 4);
    struct machine *failed;

    failed = add_failed(fixture);
    failed->state = hits(seed, 30) ? MACHINE_CRASHED : MACHINE_SHUT_OFF;
    add_things(failed, seed);
    for (size_t i = 0; i < n; i++)
        add_random(fixture, seed);
    fixture->request.recovery_id = hits(seed, 80) ? "one" : NULL;
    fixture->request.check_memory = hits(seed, 60);
    fixture->request.now_us = 1000;
    fixture->request.tried = tried;
    fixture->request.n_tried = 0;
    for (const struct machine *machine = pool_next(fixture->pool, NULL); machine != NULL;
         machine = pool_next(fixture->pool, machine))
        if (hits(seed, 5))
            tried[fixture->request.n_tried++] = machine_ref_of(machine);
    for (size_t i = 0; i < HOSTS; i++)
        pool_set_free_memory(fixture->pool, hosts[i], random_below(seed, 4) * 2048);
    pool_set_starting(fixture->pool, failed, false); /* adds up what the others need */
}

/* Claims keep machines that are not present any more. */
static void clear(struct fixture *fixture)
{
    struct machine *machine, *next;

    for (machine = pool_next(fixture->pool, NULL); machine != NULL; machine = next) {
        next = pool_next(fixture->pool, machine);
        pool_set_present(fixture->pool, machine, true);
        pool_release(fixture->pool, machine, "one");
        pool_release(fixture->pool, machine, "two");
        pool_remove(fixture->pool, machine);
    }
    assert_int_equal(pool_count(fixture->pool), 0);
}

/* ---- against a look at every machine ---- */

struct look {
    struct fixture *fixture;
    struct ranking *ranking;
    struct usage in_use;
    struct selection *selection;
};

static struct look look(struct fixture *fixture)
{
    struct look look = {.fixture = fixture, .selection = select_all(fixture)};

    assert_int_equal(ranking_new(&fixture->request, &look.ranking), 0);
    assert_int_equal(conflict_collect(fixture->pool, &look.in_use), 0);
    return look;
}

static void look_done(struct look *look)
{
    ranking_free(look->ranking);
    usage_done(&look->in_use);
    free(look->selection);
}

static void assert_best(const struct look *look, size_t n)
{
    const struct selection *selection = look->selection;
    size_t expected = selection->n_eligible < n ? selection->n_eligible : n;
    struct contender best[MACHINES_MAX + 1];

    assert_int_equal(ranking_best(look->ranking, &look->fixture->request, &look->in_use, n, best), expected);
    for (size_t i = 0; i < expected; i++) {
        const struct candidate *candidate = &selection->candidates[i];

        assert_ptr_equal(best[i].machine, candidate->machine);
        assert_int_equal(best[i].warmth, candidate->warmth);
        assert_int_equal(best[i].free_memory_kib, candidate->free_memory_kib);
        assert_int_equal(best[i].worth, similarity_worth(look->fixture->rules, &candidate->score));
        if (i > 0)
            assert_int_equal(best[i].rank > best[i - 1].rank,
                             similarity_compare(look->fixture->rules, &candidate[-1].score, &candidate->score) != 0);
    }
}

/* The first of the equals that is free, by the order of the selection. */
static const struct machine *expect_equal(const struct look *look, const struct candidate *matched,
                                          const struct machine *const *others, size_t n_others)
{
    const struct selection *selection = look->selection;

    for (size_t i = 0; i < selection->n_eligible; i++) {
        const struct candidate *candidate = &selection->candidates[i];
        bool is_free = true;

        for (size_t k = 0; k < n_others; k++)
            is_free = is_free && others[k] != candidate->machine;
        if (candidate == matched || (is_free && candidate->warmth == matched->warmth &&
                                     similarity_compare(look->fixture->rules, &candidate->score, &matched->score) == 0))
            return candidate->machine;
    }
    fail();
    return NULL;
}

static size_t assert_equals(const struct look *look, uint64_t *seed)
{
    const struct machine *others[MACHINES_MAX + 1];
    struct contender best[MACHINES_MAX + 1], chosen;
    size_t n = look->selection->n_eligible, n_others = 0, moved = 0;

    assert_int_equal(ranking_best(look->ranking, &look->fixture->request, &look->in_use, MACHINES_MAX, best), n);
    for (size_t i = 0; i < n; i++)
        if (hits(seed, 30))
            others[n_others++] = best[i].machine;
    for (size_t i = 0; i < n; i++) {
        const struct machine *expected = expect_equal(look, &look->selection->candidates[i], others, n_others);

        assert_true(ranking_choose_equal(look->ranking, &look->fixture->request, &look->in_use, &best[i], others,
                                         n_others, &chosen));
        assert_ptr_equal(chosen.machine, expected);
        moved += expected != best[i].machine;
    }
    return moved;
}

/* Those who lack memory come in the same order, and none is missing whose host and need no other one stands for. */
static size_t assert_lacking(const struct look *look)
{
    const struct selection *selection = look->selection;
    struct contender lacking[MACHINES_MAX + 1];
    size_t n = ranking_lacking_memory(look->ranking, &look->fixture->request, lacking), next = 0, seen = 0;

    for (size_t i = selection->n_eligible; i < selection->n_candidates; i++) {
        const struct candidate *candidate = &selection->candidates[i];
        bool is_stood_for = false;

        if (candidate->verdict != CANDIDATE_NO_MEMORY)
            continue;
        seen++;
        if (next < n && lacking[next].machine == candidate->machine) {
            next++;
            continue;
        }
        for (size_t k = 0; k < next; k++)
            is_stood_for |= strcmp(lacking[k].machine->hypervisor, candidate->machine->hypervisor) == 0 &&
                            lacking[k].machine->description->memory_kib == candidate->machine->description->memory_kib;
        assert_true(is_stood_for);
    }
    assert_int_equal(next, n);
    return seen;
}

/* Of those who are out, so many as are asked for are in order. */
static void assert_others(const struct look *look, size_t n)
{
    _cleanup_(freep) struct selection *selection = NULL;

    assert_int_equal(select_eligible(&look->fixture->request, &selection), 0);
    select_order_others(&look->fixture->request, selection, n);
    assert_int_equal(selection->n_candidates, look->selection->n_candidates);
    assert_int_equal(selection->n_eligible, look->selection->n_eligible);
    for (size_t i = 0; i < selection->n_candidates && i < selection->n_eligible + n; i++)
        assert_ptr_equal(selection->candidates[i].machine, look->selection->candidates[i].machine);
}

static void test_the_best_are_those_that_a_look_at_all_finds(void **state)
{
    struct fixture *fixture = *state;
    size_t eligible = 0, conflicts = 0, moved = 0, lacking = 0;

    for (uint64_t i = 1; i <= POOLS; i++) {
        uint64_t seed = i * 7919;
        struct machine_ref tried[MACHINES_MAX + 1];
        struct look one;

        fill(fixture, tried, &seed);
        one = look(fixture);
        for (size_t n = 0; n <= 12; n++)
            assert_best(&one, n);
        assert_best(&one, MACHINES_MAX);
        assert_others(&one, random_below(&seed, 20));
        assert_others(&one, MACHINES_MAX);
        moved += assert_equals(&one, &seed);
        lacking += assert_lacking(&one);
        eligible += one.selection->n_eligible;
        for (size_t k = 0; k < one.selection->n_candidates; k++)
            conflicts += one.selection->candidates[k].conflict != NULL;
        look_done(&one);
        clear(fixture);
    }
    /* There was something to be found. */
    assert_true(eligible > POOLS * 3);
    assert_true(conflicts > POOLS / 2);
    assert_true(moved > POOLS / 10);
    assert_true(lacking > POOLS / 2);
}

/* The ranking is older than all that does not belong to it. */
static void test_it_stays_good_whatever_happens_to_machines(void **state)
{
    struct fixture *fixture = *state;

    for (uint64_t i = 1; i <= POOLS / 4; i++) {
        uint64_t seed = i * 104729;
        struct machine_ref tried[MACHINES_MAX + 1];
        struct look one;

        fill(fixture, tried, &seed);
        one = look(fixture);
        for (struct machine *machine = pool_next(fixture->pool, NULL); machine != NULL;
             machine = pool_next(fixture->pool, machine)) {
            machine->state = (enum machine_state)random_below(&seed, MACHINE_STATE_COUNT);
            machine->quarantined_until_us = hits(&seed, 10) ? 5000 : 0;
            machine->has_managed_save = hits(&seed, 50);
        }
        pool_set_free_memory(fixture->pool, "local", random_below(&seed, 4) * 2048);
        assert_true(ranking_is_current(one.ranking, &fixture->request));
        free(one.selection);
        one.selection = select_all(fixture);
        usage_done(&one.in_use);
        assert_int_equal(conflict_collect(fixture->pool, &one.in_use), 0);
        assert_best(&one, 1 + random_below(&seed, 12));
        look_done(&one);
        clear(fixture);
    }
}

static void test_one_that_was_matched_and_is_out_has_no_equal(void **state)
{
    struct fixture *fixture = *state;
    struct contender best[2], chosen;
    struct look one;

    add_failed(fixture);
    add(fixture, "a", WEB);
    add(fixture, "b", WEB);
    one = look(fixture);
    assert_int_equal(ranking_best(one.ranking, &fixture->request, &one.in_use, 2, best), 2);
    assert_true(ranking_choose_equal(one.ranking, &fixture->request, &one.in_use, &best[1], NULL, 0, &chosen));
    assert_string_equal(chosen.machine->name, "a");
    best[1].machine->state = MACHINE_RUNNING;
    assert_false(ranking_choose_equal(one.ranking, &fixture->request, &one.in_use, &best[1], NULL, 0, &chosen));
    look_done(&one);
}

static void test_an_empty_pool_has_an_empty_ranking(void **state)
{
    struct fixture *fixture = *state;
    struct contender best[1];
    struct look one;

    add_failed(fixture);
    one = look(fixture);
    assert_int_equal(ranking_count(one.ranking), 0);
    assert_int_equal(ranking_best(one.ranking, &fixture->request, &one.in_use, 1, best), 0);
    assert_int_equal(ranking_lacking_memory(one.ranking, &fixture->request, best), 0);
    look_done(&one);
}

/* ---- when it is old ---- */

/* As the one with this number was described first, with features "kind/value kind/value". */
static struct domain_description *describe_web(unsigned number, const char *name)
{
    struct domain_description *description = describe(number, name);

    describe_feature(description, "language", "nodejs");
    describe_feature(description, "database", "mysql");
    describe_feature(description, "webserver", "nginx");
    return description;
}

/* Whether it was still current; a new one takes its place. */
static bool was_current(struct fixture *fixture, struct ranking **ranking)
{
    bool is_current = ranking_is_current(*ranking, &fixture->request);

    ranking_free(*ranking);
    assert_int_equal(ranking_new(&fixture->request, ranking), 0);
    assert_true(ranking_is_current(*ranking, &fixture->request));
    return is_current;
}

static void test_it_is_old_when_the_pool_is_another_one(void **state)
{
    struct fixture *fixture = *state;
    _cleanup_(ranking_freep) struct ranking *ranking = NULL;
    struct domain_description *description;
    struct machine *a;

    add_failed(fixture);
    a = add(fixture, "a", WEB); /* number 2 */
    assert_false(ranking_is_current(ranking, &fixture->request));
    assert_int_equal(ranking_new(&fixture->request, &ranking), 0);
    assert_true(was_current(fixture, &ranking));

    add(fixture, "b", WEB);
    assert_false(was_current(fixture, &ranking));
    assert_int_equal(ranking_count(ranking), 2);
    pool_set_present(fixture->pool, a, false);
    assert_false(was_current(fixture, &ranking));
    assert_int_equal(ranking_count(ranking), 1);
    pool_set_present(fixture->pool, a, true);
    assert_false(was_current(fixture, &ranking));
    assert_int_equal(ranking_count(ranking), 2);

    description = describe_web(2, "a");
    description->memory_kib *= 2;
    assert_int_equal(pool_apply(fixture->pool, "local", description, NULL), 0);
    assert_false(was_current(fixture, &ranking));
    assert_int_equal(pool_apply(fixture->pool, "local", describe(2, "a"), NULL), 0); /* no features any more */
    assert_false(was_current(fixture, &ranking));
    assert_int_equal(ranking_count(ranking), 1);
    assert_int_equal(pool_apply(fixture->pool, "local", describe_web(2, "z"), NULL), 0);
    assert_false(was_current(fixture, &ranking));
    assert_int_equal(pool_apply(fixture->pool, "local", describe_web(2, "y"), NULL), 0); /* a name only */
    assert_false(was_current(fixture, &ranking));
    description = describe_web(2, "y");
    describe_role(description, "protected");
    assert_int_equal(pool_apply(fixture->pool, "local", description, NULL), 0);
    assert_false(was_current(fixture, &ranking));
    assert_int_equal(ranking_count(ranking), 1);

    pool_remove(fixture->pool, a);
    assert_false(was_current(fixture, &ranking));
}

static void test_it_is_old_with_another_configuration_or_failed_machine(void **state)
{
    struct fixture *fixture = *state;
    _cleanup_(ranking_freep) struct ranking *ranking = NULL;
    _cleanup_(similarity_rules_freep) struct similarity_rules *rules = NULL;
    struct select_request other = fixture->request;

    add_failed(fixture);
    other.failed = add(fixture, "a", WEB);
    assert_int_equal(ranking_new(&fixture->request, &ranking), 0);
    assert_false(ranking_is_current(ranking, &other));
    assert_int_equal(pool_configure(fixture->pool, &fixture->config), 0);
    assert_false(was_current(fixture, &ranking));

    assert_int_equal(similarity_rules_new(&fixture->config.similarity, fixture->table, &rules), 0);
    other = fixture->request;
    other.rules = rules;
    assert_false(ranking_is_current(ranking, &other));
}

static void test_it_is_old_when_a_held_machine_is_freed(void **state)
{
    struct fixture *fixture = *state;
    _cleanup_(ranking_freep) struct ranking *ranking = NULL;
    struct machine *a;

    add_failed(fixture);
    a = add(fixture, "a", WEB);
    pool_hold(fixture->pool, a);
    pool_remove(fixture->pool, a);
    assert_int_equal(ranking_new(&fixture->request, &ranking), 0);
    pool_let_go(fixture->pool, a);
    assert_false(ranking_is_current(ranking, &fixture->request));
}

static void test_it_is_old_when_a_disk_became_known(void **state)
{
    struct fixture *fixture = *state;
    _cleanup_(ranking_freep) struct ranking *ranking = NULL;
    struct domain_description *description = describe_web(9, "a");
    struct machine *a = NULL;

    add_failed(fixture);
    description->disks = calloc(1, sizeof(*description->disks));
    assert_non_null(description->disks);
    description->disks[description->n_disks++] =
        (struct disk){.source = strdup("/a"), .target = strdup("vda"), .writable = true};
    assert_int_equal(pool_apply(fixture->pool, "local", description, &a), 0);
    assert_int_equal(ranking_new(&fixture->request, &ranking), 0);
    a->description->disks[0].capacity_bytes = 1 << 20;
    pool_refresh_environment(fixture->pool, a);
    assert_false(was_current(fixture, &ranking));
    pool_refresh_environment(fixture->pool, a);
    assert_true(was_current(fixture, &ranking));
}

/* As after every start: it is described again, and nothing is new. */
static void test_it_stays_good_when_the_same_is_told_again(void **state)
{
    struct fixture *fixture = *state;
    _cleanup_(ranking_freep) struct ranking *ranking = NULL;
    struct machine *a;

    add_failed(fixture);
    a = add(fixture, "a", WEB);
    assert_int_equal(ranking_new(&fixture->request, &ranking), 0);
    assert_int_equal(pool_apply(fixture->pool, "local", describe_web(2, "a"), NULL), 0);
    assert_int_equal(pool_claim(fixture->pool, a, "one"), 0);
    pool_set_starting(fixture->pool, a, true);
    a->state = MACHINE_RUNNING;
    pool_release(fixture->pool, a, "one");
    assert_true(ranking_is_current(ranking, &fixture->request));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        select_test(test_the_best_are_those_that_a_look_at_all_finds),
        select_test(test_it_stays_good_whatever_happens_to_machines),
        select_test(test_one_that_was_matched_and_is_out_has_no_equal),
        select_test(test_an_empty_pool_has_an_empty_ranking),
        select_test(test_it_is_old_when_the_pool_is_another_one),
        select_test(test_it_is_old_with_another_configuration_or_failed_machine),
        select_test(test_it_is_old_when_a_held_machine_is_freed),
        select_test(test_it_is_old_when_a_disk_became_known),
        select_test(test_it_stays_good_when_the_same_is_told_again),
    };

    return cmocka_run_group_tests_name("ranking", tests, NULL, NULL);
}
