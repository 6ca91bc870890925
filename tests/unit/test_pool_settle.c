/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the pool derives from its machines when it settles: how each of them stands, where on the shelves, and what is told. */
#include <stdlib.h>
#include <string.h>

#include "choose_fixture.h"

/* ---- what is told ---- */

#define CHANGES (POOL_CHANGED_LEAVES + 1)

/* How often, by the number of the machine. */
struct told {
    unsigned counts[64][CHANGES];
};

static void observe(void *context, const struct machine *machine, enum pool_change change)
{
    struct told *told = context;

    assert_true(machine->number < ELEMENTS_OF(told->counts));
    told->counts[machine->number][change]++;
}

/* Settles at a time; *told is what was told meanwhile and since the last time. */
static void settle(struct fixture *fixture, int64_t now_us, struct told *ret_told)
{
    static struct told told;

    pool_observe(fixture->pool, observe, &told);
    assert_int_equal(pool_settle(fixture->pool, now_us), 0);
    *ret_told = told;
    told = (struct told){0};
}

static bool was_told(struct fixture *fixture, const struct machine *machine)
{
    struct told told;

    settle(fixture, 0, &told);
    return told.counts[machine->number][POOL_CHANGED_CANDIDATE] > 0;
}

static unsigned total(const struct told *told)
{
    unsigned sum = 0;

    for (size_t i = 0; i < ELEMENTS_OF(told->counts); i++)
        for (size_t change = 0; change < CHANGES; change++)
            sum += told->counts[i][change];
    return sum;
}

static void test_what_has_not_changed_is_not_told(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *a = add(fixture, "a", WEB);
    struct told told;

    settle(fixture, 0, &told);
    assert_int_equal(told.counts[a->number][POOL_CHANGED_CANDIDATE], 1);
    settle(fixture, 1, &told);
    assert_int_equal(total(&told), 0);
    redescribe(fixture, a, describe_again(a)); /* the same again */
    settle(fixture, 2, &told);
    assert_int_equal(told.counts[a->number][POOL_CHANGED], 1);
    assert_int_equal(total(&told), 1);
}

static void test_a_machine_that_becomes_a_candidate_or_ceases_to_be_one_is_told(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *a = add(fixture, "a", WEB), *b = add(fixture, "b", WEB);
    struct told told;

    settle(fixture, 0, &told);
    run_machine(fixture, a);
    settle(fixture, 0, &told);
    assert_int_equal(told.counts[a->number][POOL_CHANGED_CANDIDATE], 1);
    assert_int_equal(total(&told), 1);
    pool_edit(fixture->pool, a)->agent_connected = true;
    settle(fixture, 0, &told);
    assert_int_equal(told.counts[a->number][POOL_CHANGED], 1);
    assert_int_equal(total(&told), 1);
    assert_int_equal(pool_claim(fixture->pool, b, "recovery"), 0);
    assert_true(was_told(fixture, b));
    pool_release(fixture->pool, b, "recovery");
    assert_true(was_told(fixture, b));
    pool_edit(fixture->pool, b)->has_managed_save = true; /* warmer */
    assert_true(was_told(fixture, b));
    pool_edit(fixture->pool, b)->keeping = KEEPING_WARM;
    assert_true(was_told(fixture, b));
    pool_edit(fixture->pool, b)->roles = ROLE_IGNORED;
    assert_true(was_told(fixture, b));
    pool_edit(fixture->pool, b)->roles = ROLE_STANDBY;
    assert_true(was_told(fixture, b));
}

static void test_a_machine_that_changes_its_place_is_told(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *a = add(fixture, "a", WEB);
    struct domain_description *description;
    struct told told;

    settle(fixture, 0, &told);
    description = describe_again(a);
    free(description->name);
    description->name = strdup("z");
    redescribe(fixture, a, description);
    assert_true(was_told(fixture, a));
    description = describe_again(a);
    describe_feature(description, "language", "php");
    redescribe(fixture, a, description);
    assert_true(was_told(fixture, a));
    description = describe_again(a);
    assert_int_equal(domain_description_learn(description, "os", "debian-12"), 0);
    redescribe(fixture, a, description);
    assert_true(was_told(fixture, a));
    give_memory(fixture, a, 12345);
    assert_true(was_told(fixture, a));
    give_disk(fixture, a, "/images/a");
    assert_true(was_told(fixture, a));
    pool_edit(fixture->pool, a)->description->disks[0].capacity_bytes = 1 << 20;
    assert_int_equal(pool_refresh_environment(fixture->pool, a), 0);
    assert_true(was_told(fixture, a));
    assert_int_equal(pool_refresh_environment(fixture->pool, a), 0);
    assert_false(was_told(fixture, a));
}

static void test_a_quarantine_ends_at_its_time(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *a = add(fixture, "a", WEB), *b = add(fixture, "b", WEB);
    struct told told;

    assert_true(pool_deadline(fixture->pool) == INT64_MAX);
    pool_set_quarantine(fixture->pool, a, 2000, NULL);
    pool_set_quarantine(fixture->pool, b, 1000, NULL);
    settle(fixture, 0, &told);
    assert_true(pool_deadline(fixture->pool) == 1000);
    assert_int_equal(pool_standing_count(fixture->pool, STANDING_QUARANTINED), 2);
    settle(fixture, 999, &told);
    assert_int_equal(total(&told), 0);
    settle(fixture, 1000, &told);
    assert_int_equal(told.counts[b->number][POOL_CHANGED_CANDIDATE], 1);
    assert_int_equal(total(&told), 1);
    assert_true(pool_deadline(fixture->pool) == 2000);
    assert_int_equal(pool_standing(b), STANDING_BY);
    assert_int_equal(pool_standing(a), STANDING_QUARANTINED);
    pool_set_quarantine(fixture->pool, a, 0, NULL); /* an operator ends it */
    settle(fixture, 1001, &told);
    assert_true(pool_deadline(fixture->pool) == INT64_MAX);
    assert_int_equal(pool_standing(a), STANDING_BY);
}

static void test_a_quarantine_ends_with_its_machine(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *a = add(fixture, "a", WEB), *b = add(fixture, "b", WEB);
    struct told told;

    pool_set_quarantine(fixture->pool, a, 2000, NULL);
    pool_set_quarantine(fixture->pool, b, 3000, NULL);
    settle(fixture, 0, &told);
    pool_remove(fixture->pool, a);
    assert_true(pool_deadline(fixture->pool) == 3000);
    pool_remove(fixture->pool, b);
    assert_true(pool_deadline(fixture->pool) == INT64_MAX);
}

/* ---- what others use ---- */

static void test_a_sharer_is_told_when_its_disk_is_in_use_and_when_it_is_free(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *user = add(fixture, "user", WEB), *sharer = add(fixture, "sharer", WEB);
    const struct machine *stranger = add(fixture, "stranger", WEB);
    struct told told;
    uint32_t number;

    give_disk(fixture, user, "/images/shared");
    give_disk(fixture, sharer, "/images/own");
    give_disk(fixture, sharer, "/images/shared");
    give_disk(fixture, stranger, "/images/strange");
    settle(fixture, 0, &told);
    run_machine(fixture, user);
    settle(fixture, 0, &told);
    assert_int_equal(told.counts[sharer->number][POOL_CHANGED_CANDIDATE], 1);
    assert_int_equal(total(&told), 2);
    pool_edit(fixture->pool, user)->keeping = KEEPING_WARM; /* and may be given back now */
    assert_true(was_told(fixture, sharer));
    pool_edit(fixture->pool, user)->keeping = KEEPING_NONE;
    assert_true(was_told(fixture, sharer));
    pool_edit(fixture->pool, user)->agent_connected = true;
    assert_false(was_told(fixture, sharer));
    pool_edit(fixture->pool, user)->state = MACHINE_SHUT_OFF;
    assert_true(was_told(fixture, sharer));
    pool_edit(fixture->pool, user)->is_starting = true;
    assert_true(was_told(fixture, sharer));
    settle(fixture, 0, &told);
    assert_int_equal(total(&told), 0);
    number = user->number;
    pool_remove(fixture->pool, user);
    settle(fixture, 0, &told);
    assert_int_equal(told.counts[number][POOL_CHANGED_LEAVES], 1);
    assert_true(told.counts[sharer->number][POOL_CHANGED_CANDIDATE] > 0);
    assert_int_equal(told.counts[stranger->number][POOL_CHANGED_CANDIDATE], 0);
}

static void test_a_sharer_is_told_when_what_it_shares_is_exchanged(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *user = add(fixture, "user", WEB), *sharer = add(fixture, "sharer", WEB);
    struct domain_description *plain = describe_again(user);
    struct told told;

    run_machine(fixture, user);
    give_address(fixture, sharer, "52:54:00:00:00:01");
    settle(fixture, 0, &told);
    give_address(fixture, user, "52:54:00:00:00:01");
    assert_true(was_told(fixture, sharer));
    redescribe(fixture, user, plain);
    assert_true(was_told(fixture, sharer));
}

/* A paused standby is up itself: it was taken for one that uses the disk and waits for nothing. */
static void test_a_paused_standby_is_told_when_its_disk_is_free(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *user = add(fixture, "user", WEB), *sharer = add(fixture, "sharer", WEB);
    struct told told;

    give_address(fixture, user, "52:54:00:00:00:01");
    give_address(fixture, sharer, "52:54:00:00:00:01");
    run_machine(fixture, user);
    pause_machine(fixture, sharer);
    settle(fixture, 0, &told);
    pool_edit(fixture->pool, user)->state = MACHINE_SHUT_OFF;
    assert_true(was_told(fixture, sharer));
}

/* ---- what hosts have ---- */

static void test_a_machine_that_fits_no_longer_or_again_is_told(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *small = add(fixture, "small", WEB), *large = add(fixture, "large", WEB);
    const struct machine *starting = add(fixture, "starting", WEB);
    const struct machine *elsewhere = add_on(fixture, "other", "elsewhere", WEB);
    struct told told;

    give_memory(fixture, small, 1000);
    give_memory(fixture, large, 9000);
    give_memory(fixture, starting, 2000);
    pool_set_free_memory(fixture->pool, "local", 12000);
    settle(fixture, 0, &told);
    pool_set_free_memory(fixture->pool, "local", 13000); /* the same power of two, and enough for each of them */
    settle(fixture, 0, &told);
    assert_int_equal(total(&told), 0);
    pool_set_free_memory(fixture->pool, "local", 8999);
    settle(fixture, 0, &told);
    assert_int_equal(told.counts[large->number][POOL_CHANGED_CANDIDATE], 1);
    assert_int_equal(told.counts[elsewhere->number][POOL_CHANGED_CANDIDATE], 0);
    pool_set_free_memory(fixture->pool, "local", 9000);
    assert_true(was_told(fixture, large));
    pool_set_free_memory(fixture->pool, "local", 10000);
    settle(fixture, 0, &told);
    pool_edit(fixture->pool, starting)->is_starting = true; /* 8000 to spare */
    settle(fixture, 0, &told);
    assert_int_equal(told.counts[large->number][POOL_CHANGED_CANDIDATE], 1);
    pool_set_free_memory(fixture->pool, "local", 0); /* not known */
    assert_true(was_told(fixture, large));
    pool_set_free_memory(fixture->pool, "local", UINT64_C(1) << 40);
    assert_true(was_told(fixture, large));
    pool_set_free_memory(fixture->pool, "local", UINT64_C(1) << 41); /* another place among equals */
    assert_true(was_told(fixture, large));
}

static void test_what_was_on_its_way_up_gives_back_when_it_is_freed(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *starting = add(fixture, "starting", WEB), *other = add(fixture, "other", WEB);
    struct told told;
    bool is_known;

    pool_set_free_memory(fixture->pool, "local", 1100 * 1024);
    pool_edit(fixture->pool, starting)->is_starting = true;
    settle(fixture, 0, &told);
    assert_int_equal(pool_host_spare_kib(pool_host_of(other), &is_known), 76 * 1024);
    assert_int_equal(pool_spare_memory(fixture->pool, "local", &is_known), 76 * 1024);
    pool_remove(fixture->pool, starting);
    assert_true(was_told(fixture, other));
    assert_int_equal(pool_host_spare_kib(pool_host_of(other), &is_known), 1100 * 1024);
}

static void test_what_is_on_its_way_up_and_described_anew_gives_back_what_it_took(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *starting = add(fixture, "starting", WEB), *other = add(fixture, "other", WEB);
    struct told told;
    bool is_known;

    give_memory(fixture, starting, 1000);
    pool_set_free_memory(fixture->pool, "local", 9000);
    pool_edit(fixture->pool, starting)->is_starting = true;
    settle(fixture, 0, &told);
    assert_int_equal(pool_host_spare_kib(pool_host_of(other), &is_known), 8000);
    give_memory(fixture, starting, 3000);
    settle(fixture, 0, &told);
    assert_int_equal(pool_host_spare_kib(pool_host_of(other), &is_known), 6000);
    pool_edit(fixture->pool, starting)->is_starting = false;
    settle(fixture, 0, &told);
    assert_int_equal(pool_host_spare_kib(pool_host_of(other), &is_known), 9000);
}

/* ---- counting ---- */

static void test_machines_are_counted_by_how_they_stand(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *a = add(fixture, "a", WEB), *b = add(fixture, "b", WEB);
    struct told told;
    uint32_t number;

    settle(fixture, 0, &told);
    assert_int_equal(pool_standing_count(fixture->pool, STANDING_BY), 2);
    assert_true(pool_is_standing_by(a));
    run_machine(fixture, a);
    assert_int_equal(pool_standing_count(fixture->pool, STANDING_BY), 2); /* as of the last settling */
    assert_int_equal(pool_standing(a), STANDING_BY);
    settle(fixture, 0, &told);
    assert_int_equal(pool_standing_count(fixture->pool, STANDING_BY), 1);
    assert_int_equal(pool_standing_count(fixture->pool, STANDING_ELSEWISE), 1);
    assert_int_equal(pool_standing(a), STANDING_ELSEWISE);
    assert_false(pool_is_standing_by(a));
    pool_edit(fixture->pool, a)->roles = ROLE_IGNORED;
    pool_hold(fixture->pool, b);
    pool_remove(fixture->pool, b);
    settle(fixture, 0, &told);
    for (enum standing standing = 0; standing < STANDING_COUNT; standing++)
        assert_int_equal(pool_standing_count(fixture->pool, standing), 0);
    assert_int_equal(pool_standing(b), STANDING_COUNT);
    assert_int_equal(columns_count(pool_columns(fixture->pool, POOL_STANDING_BY)), 0);
    assert_int_equal(columns_count(pool_columns(fixture->pool, POOL_OTHERS)), 0);
    number = b->number;
    pool_let_go(fixture->pool, b);
    settle(fixture, 0, &told);
    assert_int_equal(told.counts[number][POOL_CHANGED_LEAVES], 1);
}

/* ---- the shelves ---- */

/* Each machine of a set, once, in a cohort that is its own; returns how many. */
static size_t assert_shelf(const struct fixture *fixture, enum pool_set set, bool *seen)
{
    const struct columns *columns = pool_columns(fixture->pool, set);
    size_t n = 0;

    for (uint32_t entry = 0; entry < columns_end(columns); entry++) {
        size_t n_entry = 0;

        if (columns_machines(columns, entry) == 0)
            continue;
        for (const struct cohort *c = pool_cohorts(fixture->pool, set, entry); c != NULL; c = c->next) {
            struct spec spec = columns_spec(columns, entry);

            assert_true(c->count > 0);
            for (const struct cohort *other = c->next; other != NULL; other = other->next)
                assert_true(cohort_host(other) != cohort_host(c) || other->warmth != c->warmth);
            for (uint32_t at = 0; at < c->count; at++) {
                const struct machine *machine = cohort_at(c, at), *before = cohort_at(c, at == 0 ? 0 : at - 1);
                int order = strcmp(before->name, machine->name);

                assert_ptr_equal(pool_host_of(machine), cohort_host(c));
                assert_int_equal(machine_warmth(machine), c->warmth);
                assert_true(id_set_equal(&machine->spec->features, &spec.features));
                assert_memory_equal(machine->spec->environment, spec.environment, sizeof(spec.environment));
                assert_true(order < 0 || (order == 0 && memcmp(before->description->uuid, machine->description->uuid,
                                                               UUID_SIZE) <= 0));
                assert_false(seen[machine->number]);
                seen[machine->number] = true;
                assert_int_equal(pool_standing(machine) == STANDING_BY, set == POOL_STANDING_BY);
                n_entry++;
            }
        }
        assert_int_equal(columns_machines(columns, entry), n_entry);
        n += n_entry;
    }
    return n;
}

static void assert_shelves(const struct fixture *fixture)
{
    bool seen[256] = {false};
    size_t n, n_candidates = 0, counts[STANDING_COUNT] = {0};

    assert_true(pool_number_end(fixture->pool) <= ELEMENTS_OF(seen));
    n = assert_shelf(fixture, POOL_STANDING_BY, seen) + assert_shelf(fixture, POOL_OTHERS, seen);
    for (const struct machine *machine = pool_next(fixture->pool, NULL); machine != NULL;
         machine = pool_next(fixture->pool, machine)) {
        bool is_candidate = machine->is_present && (machine->roles & ROLE_IGNORED) == 0;

        assert_int_equal(seen[machine->number], is_candidate);
        n_candidates += is_candidate;
        if (is_candidate)
            counts[machine_standing(machine, 0)]++;
    }
    assert_int_equal(n, n_candidates);
    for (enum standing standing = 0; standing < STANDING_COUNT; standing++)
        assert_int_equal(pool_standing_count(fixture->pool, standing), counts[standing]);
}

static void change(struct fixture *fixture, const struct machine *machine, uint64_t *seed)
{
    static const uint8_t roles[] = {ROLE_STANDBY, ROLE_STANDBY, ROLE_STANDBY | ROLE_PROTECTED, ROLE_IGNORED};
    struct domain_description *description;

    switch (random_below(seed, 8)) {
    case 0:
        pool_remove(fixture->pool, machine);
        return;
    case 1:
        run_machine(fixture, machine);
        return;
    case 2:
        pool_edit(fixture->pool, machine)->state = MACHINE_SHUT_OFF;
        return;
    case 3:
        pool_edit(fixture->pool, machine)->has_managed_save = random_below(seed, 2) == 0;
        return;
    case 4:
        pool_edit(fixture->pool, machine)->roles = roles[random_below(seed, ELEMENTS_OF(roles))];
        return;
    case 5:
        give_memory(fixture, machine, 1 + random_below(seed, 2));
        return;
    default:
        description = describe_again(machine);
        free(description->name);
        assert_true(asprintf(&description->name, "m%u", (unsigned)random_below(seed, 30)) > 0);
        redescribe(fixture, machine, description);
        return;
    }
}

static void test_cohorts_are_in_the_order_of_names_after_random_changes(void **state)
{
    struct fixture *fixture = *state;
    uint64_t seed = 11;
    char name[8];

    for (unsigned i = 0; i < 6000; i++) {
        if (pool_count(fixture->pool) < 100) {
            snprintf(name, sizeof(name), "m%u", (unsigned)random_below(&seed, 30));
            add_on(fixture, random_below(&seed, 4) == 0 ? "other" : "local", name,
                   random_below(&seed, 4) == 0 ? "data/else" : WEB);
        } else {
            const struct machine *machine = NULL;

            for (uint64_t n = 1 + random_below(&seed, 100); n > 0; n--)
                machine = pool_next(fixture->pool, machine);
            change(fixture, machine, &seed);
        }
        if (random_below(&seed, 3) != 0)
            continue;
        assert_int_equal(pool_settle(fixture->pool, 0), 0);
        assert_shelves(fixture);
    }
    assert_int_equal(pool_configure(fixture->pool, &fixture->config), 0); /* which gives new roles */
    assert_int_equal(pool_settle(fixture->pool, 0), 0);
    assert_shelves(fixture);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        choose_test(test_what_has_not_changed_is_not_told),
        choose_test(test_a_machine_that_becomes_a_candidate_or_ceases_to_be_one_is_told),
        choose_test(test_a_machine_that_changes_its_place_is_told),
        choose_test(test_a_quarantine_ends_at_its_time),
        choose_test(test_a_quarantine_ends_with_its_machine),
        choose_test(test_a_sharer_is_told_when_its_disk_is_in_use_and_when_it_is_free),
        choose_test(test_a_sharer_is_told_when_what_it_shares_is_exchanged),
        choose_test(test_a_paused_standby_is_told_when_its_disk_is_free),
        choose_test(test_a_machine_that_fits_no_longer_or_again_is_told),
        choose_test(test_what_was_on_its_way_up_gives_back_when_it_is_freed),
        choose_test(test_what_is_on_its_way_up_and_described_anew_gives_back_what_it_took),
        choose_test(test_machines_are_counted_by_how_they_stand),
        choose_test(test_cohorts_are_in_the_order_of_names_after_random_changes),
    };

    return cmocka_run_group_tests_name("pool settles", tests, NULL, NULL);
}
