/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Several recoveries and who may be started for them: assignment as a set, concurrency, quarantine, and what may not be
 * used twice at a time.
 */
#include <errno.h>
#include <string.h>

#include "support.h"
#include "world.h"

static void assert_out(const struct recovery *recovery, const char *name, const char *why)
{
    const struct explained_candidate *candidate = world_explained(recovery, name);

    assert_false(candidate->eligible);
    assert_non_null(strstr(candidate->reason, why));
}

/* ---- as a set ---- */

/* "a" would be served best by "x", which is the only one that can serve "b". */
static void add_dilemma(struct world *world, unsigned *ret_a, unsigned *ret_b)
{
    *ret_a = world_add(world, "a", WEB, MACHINE_RUNNING);
    *ret_b = world_add(world, "b", "database/mysql webserver/nginx", MACHINE_RUNNING);
    world_add(world, "x", WEB, MACHINE_SHUT_OFF);
    world_add(world, "y", "language/nodejs webserver/nginx", MACHINE_SHUT_OFF);
    world_connect_all(world);
}

static void test_one_alone_gets_the_best(struct world *world)
{
    unsigned a, b;

    add_dilemma(world, &a, &b);
    world_kill(world, a);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->replacement_name, "x");
}

static void test_greed_does_not_strand_the_second(struct world *world)
{
    unsigned a, b;

    add_dilemma(world, &a, &b);
    world_kill(world, a);
    world_kill(world, b);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->replacement_name, "y");
    assert_string_equal(world_expect(world, b, RECOVERY_RECOVERED)->replacement_name, "x");
}

/* The second failure is told 40 ms after the first: still the same incident. */
static void test_failures_close_to_each_other_are_decided_together(struct world *world)
{
    unsigned a, b;

    add_dilemma(world, &a, &b);
    world->holds = 1u << ACTION_GET_STATE;
    world_kill(world, a);
    world_pass(world, 40 * USEC_PER_MSEC);
    world_kill(world, b);
    world_drive(world);
    world_answer(world, 0, false); /* a is dead; b is still being asked about */
    world_expect(world, a, RECOVERY_SELECTING);
    world_pass(world, 30 * USEC_PER_MSEC);
    world_expect(world, a, RECOVERY_SELECTING);
    world_release(world);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->replacement_name, "y");
    assert_string_equal(world_expect(world, b, RECOVERY_RECOVERED)->replacement_name, "x");
}

/*
 * Overlaps of 0.90 and 0.89 for "a", which fails first; "b", 20 ms later, has one candidate alone. Without the wait "a"
 * would take it for a hundredth of overlap.
 */
static void test_a_hundredth_of_overlap_strands_no_later_failure(struct world *world)
{
    static char data[] = "data", language[] = "language", database[] = "database", webserver[] = "webserver";
    static char *must_cover[] = {data};
    static struct config_weight weights[] = {
        {.kind = language, .millionths = 890000},
        {.kind = database, .millionths = 10000},
        {.kind = webserver, .millionths = 100000},
        {.kind = data, .millionths = 0},
    };
    unsigned a = world_add(world, "a", "language/c database/d webserver/w", MACHINE_RUNNING);
    unsigned b = world_add(world, "b", "language/c data/b", MACHINE_RUNNING);

    world->config.similarity.must_cover = (struct string_list){must_cover, 1};
    world->config.similarity.resource_weights = weights;
    world->config.similarity.n_resource_weights = ELEMENTS_OF(weights);
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    world_add(world, "x", "language/c database/d data/b", MACHINE_SHUT_OFF);
    world_add(world, "y", "language/c", MACHINE_SHUT_OFF);
    world_connect_all(world);
    world->holds = 1u << ACTION_GET_STATE;
    world_kill(world, a);
    world_pass(world, 20 * USEC_PER_MSEC);
    world_kill(world, b);
    world_drive(world);
    world_answer(world, 0, false);
    world_pass(world, 10 * USEC_PER_MSEC);
    world_release(world);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->replacement_name, "y");
    assert_string_equal(world_expect(world, b, RECOVERY_RECOVERED)->replacement_name, "x");
}

static void test_the_wait_for_others_ends_after_50_ms(struct world *world)
{
    unsigned a, b;

    add_dilemma(world, &a, &b);
    world->holds = 1u << ACTION_GET_STATE;
    world_kill(world, a);
    world_kill(world, b);
    world_drive(world);
    world_answer(world, 0, false);
    world_pass(world, 50 * USEC_PER_MSEC - 1);
    assert_int_equal(world->asked[ACTION_START], 0);
    world_pass(world, 1);
    assert_int_equal(world->asked[ACTION_START], 1); /* b's hypervisor does not answer: a is not held up by that */
    assert_string_equal(world_expect(world, a, RECOVERY_SETTLING)->replacement_name, "x");
    world->holds = 0;
    world_release(world);
}

static void test_the_more_important_picks_first_and_alone_decides(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), b = world_add(world, "b", WEB, MACHINE_RUNNING);
    unsigned c = world_add(world, "c", WEB, MACHINE_RUNNING);

    world->domains[b].priority = 1;
    world->domains[c].priority = 5;
    world_add(world, "x", WEB, MACHINE_SHUT_OFF);
    world_add(world, "y", "language/nodejs database/mysql", MACHINE_SHUT_OFF);
    world_connect_all(world);
    world_kill(world, a);
    world_kill(world, b);
    world_kill(world, c);
    world_pass(world, SETTLED);
    /* The sum would be the same with any two of the three: the important two are served, and x goes by total overlap.
     */
    world_expect(world, a, RECOVERY_EXHAUSTED);
    world_expect(world, b, RECOVERY_RECOVERED);
    assert_string_equal(world_expect(world, c, RECOVERY_RECOVERED)->replacement_name, "x");
}

/* It would be wasted on b, and b gets it all the same. */
static void test_priority_comes_before_likeness(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING);
    unsigned b = world_add(world, "b", "database/mysql webserver/nginx", MACHINE_RUNNING);

    world->domains[b].priority = 1;
    world_add(world, "x", WEB, MACHINE_SHUT_OFF);
    world_connect_all(world);
    world_kill(world, a);
    world_kill(world, b);
    world_pass(world, SETTLED);
    world_expect(world, a, RECOVERY_EXHAUSTED);
    world_expect(world, b, RECOVERY_RECOVERED);
}

static void test_a_whole_host_of_failures(struct world *world)
{
    bool taken[WORLD_DOMAINS] = {false};

    world_add_many(world, 4, 8);
    world_connect_all(world);
    for (unsigned i = 0; i < 4; i++)
        world_kill(world, i);
    world_pass(world, SETTLED);
    for (unsigned i = 0; i < 4; i++) {
        const struct recovery *recovery = world_expect(world, i, RECOVERY_RECOVERED);
        unsigned long number = strtoul(recovery->replacement.uuid + 24, NULL, 16);

        assert_false(taken[number]);
        taken[number] = true;
    }
}

/* ---- concurrency ---- */

static void test_so_many_starts_under_way_on_one_hypervisor(struct world *world)
{
    world->config.recovery.concurrency = 2;
    world_add_many(world, 3, 6);
    world->domains[2].priority = 7;
    world_connect_all(world);
    world->holds = 1u << ACTION_START;
    for (unsigned i = 0; i < 3; i++)
        world_kill(world, i);
    world_pass(world, USEC_PER_SEC);
    assert_int_equal(world->asked[ACTION_START], 2);
    world_expect(world, 2, RECOVERY_STARTING); /* the important one is not the one that waits */
    world_answer(world, world_find_pending(world, ACTION_START), false);
    assert_int_equal(world->asked[ACTION_START], 3); /* one came up: room for the next */
    world_release(world);
    world_pass(world, SETTLED);
    for (unsigned i = 0; i < 3; i++)
        world_expect(world, i, RECOVERY_RECOVERED);
}

static void test_concurrency_is_counted_for_each_hypervisor(struct world *world)
{
    world->config.recovery.concurrency = 1;
    world_add_many(world, 2, 4);
    world->domains[3].hypervisor = 1;
    world_connect_all(world);
    world->holds = 1u << ACTION_START;
    world_kill(world, 0);
    world_kill(world, 1);
    world_pass(world, USEC_PER_SEC);
    assert_int_equal(world->asked[ACTION_START], 2);
    world_release(world);
}

/* ---- quarantine ---- */

static void test_a_candidate_that_did_not_come_up_is_in_quarantine(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), b = world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    const struct recovery *recovery = NULL;

    world->config.recovery.quarantine_us = 600 * USEC_PER_SEC;
    world->domains[b].start_error = -EIO;
    world_connect_all(world);
    world_kill(world, a);
    world_pass(world, SETTLED);
    world_expect(world, a, RECOVERY_EXHAUSTED);
    world->domains[b].start_error = 0; /* the operator has repaired it, and no event tells of that */

    world_boot(world, a);
    world_drive(world);
    world_kill(world, a);
    world_pass(world, SETTLED);
    assert_int_equal(world_recoveries(world, a, &recovery), 2);
    assert_int_equal(recovery->state, RECOVERY_EXHAUSTED);
    assert_out(recovery, "b", "quarantine");
    assert_int_equal(world->domains[b].starts, 1);

    world_boot(world, a);
    world_pass(world, 600 * USEC_PER_SEC);
    world_kill(world, a);
    world_pass(world, SETTLED);
    assert_int_equal(world_recoveries(world, a, &recovery), 3);
    assert_int_equal(recovery->state, RECOVERY_RECOVERED);
}

static void test_a_candidate_that_was_not_to_blame_is_not_in_quarantine(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), b = world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    const struct recovery *recovery = NULL;

    world->config.recovery.quarantine_us = 600 * USEC_PER_SEC;
    world->domains[b].hook_error = -ECANCELED;
    world_connect_all(world);
    world_kill(world, a);
    world_pass(world, SETTLED);
    world_expect(world, a, RECOVERY_EXHAUSTED);
    world->domains[b].hook_error = 0;
    world_boot(world, a);
    world_drive(world);
    world_kill(world, a);
    world_pass(world, SETTLED);
    assert_int_equal(world_recoveries(world, a, &recovery), 2);
    assert_int_equal(recovery->state, RECOVERY_RECOVERED);
}

/* ---- what cannot be used twice ---- */

static void test_a_disk_in_use_is_no_candidates(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), b = world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    unsigned other = world_add(world, "other", "data/else", MACHINE_RUNNING);

    world->domains[b].disk = world->domains[other].disk = "/images/shared.qcow2";
    world_connect_all(world);
    world_kill(world, a);
    world_pass(world, SETTLED);
    assert_out(world_expect(world, a, RECOVERY_EXHAUSTED), "b", "its disk /images/shared.qcow2 is in use by other");
    assert_int_equal(world->domains[b].starts, 0);
}

static void test_the_failed_machines_own_disk_and_address_do_not_count(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), b = world_add(world, "b", WEB, MACHINE_SHUT_OFF);

    world->domains[a].disk = world->domains[b].disk = "/images/service.qcow2";
    world->domains[a].mac = world->domains[b].mac = "52:54:00:00:00:01";
    world_connect_all(world);
    world_kill(world, a);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->replacement_name, "b");
}

static void test_an_address_in_use_anywhere_is_no_candidates(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), b = world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    unsigned other = world_add(world, "other", "data/else", MACHINE_RUNNING);

    world->domains[other].hypervisor = 1;
    world->domains[b].mac = world->domains[other].mac = "52:54:00:00:00:01";
    world_connect_all(world);
    world_kill(world, a);
    world_pass(world, SETTLED);
    assert_out(world_expect(world, a, RECOVERY_EXHAUSTED), "b", "its address 52:54:00:00:00:01 is in use by other");
}

/* Two that stand by share a disk: the first that is started takes it from the other. */
static void test_a_machine_being_started_uses_its_disk_already(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), b = world_add(world, "b", WEB, MACHINE_RUNNING);
    unsigned x = world_add(world, "x", WEB, MACHINE_SHUT_OFF), y = world_add(world, "y", WEB, MACHINE_SHUT_OFF);

    world->domains[x].disk = world->domains[y].disk = "/images/standby.qcow2";
    world_connect_all(world);
    world->holds = 1u << ACTION_START;
    world_kill(world, a);
    world_pass(world, USEC_PER_SEC);
    world_expect(world, a, RECOVERY_STARTING);
    world_kill(world, b);
    world_pass(world, USEC_PER_SEC);
    assert_out(world_expect(world, b, RECOVERY_EXHAUSTED), "y", "is in use by x");
    world_release(world);
}

/* The answer to its start is faster than the news of it, which may be lost. */
static void test_a_machine_that_was_started_uses_its_disk_before_that_is_told(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), b = world_add(world, "b", WEB, MACHINE_RUNNING);
    unsigned c = world_add(world, "c", WEB, MACHINE_RUNNING);
    unsigned x = world_add(world, "x", WEB, MACHINE_SHUT_OFF), y = world_add(world, "y", WEB, MACHINE_SHUT_OFF);

    world->domains[x].disk = world->domains[y].disk = "/images/standby.qcow2";
    world->domains[a].role = world->domains[b].role = "protected";
    world->domains[x].is_unheard = true;
    world_connect_all(world);
    world_pass(world, 10 * USEC_PER_SEC); /* no listing is due soon */
    world_kill(world, a);
    world_pass(world, USEC_PER_SEC / 2);
    world_expect(world, a, RECOVERY_SETTLING);
    world_kill(world, b);
    world_pass(world, USEC_PER_SEC / 2);
    assert_out(world_expect(world, b, RECOVERY_EXHAUSTED), "y", "is in use by x");

    /* And when the recovery is over, until it is described. */
    world->holds = 1u << ACTION_DESCRIBE;
    world_pass(world, SETTLED);
    world_expect(world, a, RECOVERY_RECOVERED);
    world_kill(world, c);
    world_pass(world, USEC_PER_SEC / 2);
    assert_out(world_expect(world, c, RECOVERY_EXHAUSTED), "y", "is in use by x");
    world_release(world);
    assert_int_equal(world->domains[y].starts, 0);

    world_happen(world, x, EVENT_STOPPED_DESTROYED);
    world_boot(world, b);
    world_kill(world, b);
    world_pass(world, SETTLED);
    assert_int_equal(world->domains[y].starts + world->domains[x].starts, 2);
}

static void test_two_that_share_a_disk_are_not_started_in_one_round(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), b = world_add(world, "b", WEB, MACHINE_RUNNING);
    unsigned x = world_add(world, "x", WEB, MACHINE_SHUT_OFF), y = world_add(world, "y", WEB, MACHINE_SHUT_OFF);

    world->domains[x].disk = world->domains[y].disk = "/images/standby.qcow2";
    world_connect_all(world);
    world_kill(world, a);
    world_kill(world, b);
    world_pass(world, SETTLED);
    assert_int_equal(world->domains[x].starts + world->domains[y].starts, 1);
    assert_int_equal(world->told[NOTICE_RECOVERED], 1);
    assert_int_equal(world->told[NOTICE_EXHAUSTED], 1);
}

/* ---- memory ---- */

static void test_a_host_without_the_memory(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), b = world_add(world, "b", WEB, MACHINE_SHUT_OFF);

    world->config.recovery.check_memory = true;
    world->domains[b].hypervisor = 1;
    world->free_memory_kib[1] = GIB_KIB - 1;
    world_connect_all(world);
    world_kill(world, a);
    world_pass(world, SETTLED);
    assert_out(world_expect(world, a, RECOVERY_EXHAUSTED), "b", "needs 1024 MiB, and other has 1023 MiB to spare");
}

static void test_memory_is_not_checked_unless_asked_for(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING);

    world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    world->free_memory_kib[0] = 1;
    world_connect_all(world);
    world_kill(world, a);
    world_pass(world, SETTLED);
    world_expect(world, a, RECOVERY_RECOVERED);
}

static void test_memory_that_is_not_known_excludes_no_candidate(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING);

    world->config.recovery.check_memory = true;
    world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    world->free_memory_kib[0] = 0;
    world_connect_all(world);
    world_kill(world, a);
    world_pass(world, SETTLED);
    world_expect(world, a, RECOVERY_RECOVERED);
}

/* Booted and suspended, it has its memory already. */
static void test_a_paused_machine_needs_no_memory(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), b = world_add(world, "b", WEB, MACHINE_SHUT_OFF);

    world->config.recovery.check_memory = true;
    world->config.standby.warm = 1;
    world->free_memory_kib[0] = 4 * GIB_KIB;
    world->domains[b].role = "standby";
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    world_connect_all(world);
    world_pass(world, SETTLED);
    assert_int_equal(world_machine(world, b)->state, MACHINE_PAUSED);
    world->free_memory_kib[0] = 1;
    world_pass(world, world->config.discovery.resync_interval_us);
    world_kill(world, a);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->replacement_name, "b");
}

/* The host has the memory of one; in one round or one after the other, one is started. */
static void test_the_last_memory_is_given_once(struct world *world)
{
    for (int64_t between_us = 0; between_us <= 2 * USEC_PER_SEC; between_us += USEC_PER_SEC) {
        unsigned a, b;

        world_end(world);
        world_begin(world);
        world->config.recovery.check_memory = true;
        a = world_add(world, "a", WEB, MACHINE_RUNNING);
        b = world_add(world, "b", WEB, MACHINE_RUNNING);
        world->domains[world_add(world, "x", WEB, MACHINE_SHUT_OFF)].hypervisor = 1;
        world->domains[world_add(world, "y", WEB, MACHINE_SHUT_OFF)].hypervisor = 1;
        world->free_memory_kib[1] = GIB_KIB + GIB_KIB / 2;
        world_connect_all(world);
        world_kill(world, a);
        if (between_us > 0)
            world_pass(world, between_us);
        world_kill(world, b);
        world_pass(world, SETTLED);
        assert_int_equal(world->asked[ACTION_START], 1);
        world_expect(world, b, RECOVERY_EXHAUSTED);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        world_test(test_one_alone_gets_the_best),
        world_test(test_greed_does_not_strand_the_second),
        world_test(test_failures_close_to_each_other_are_decided_together),
        world_test(test_a_hundredth_of_overlap_strands_no_later_failure),
        world_test(test_the_wait_for_others_ends_after_50_ms),
        world_test(test_the_more_important_picks_first_and_alone_decides),
        world_test(test_priority_comes_before_likeness),
        world_test(test_a_whole_host_of_failures),
        world_test(test_so_many_starts_under_way_on_one_hypervisor),
        world_test(test_concurrency_is_counted_for_each_hypervisor),
        world_test(test_a_candidate_that_did_not_come_up_is_in_quarantine),
        world_test(test_a_candidate_that_was_not_to_blame_is_not_in_quarantine),
        world_test(test_a_disk_in_use_is_no_candidates),
        world_test(test_the_failed_machines_own_disk_and_address_do_not_count),
        world_test(test_an_address_in_use_anywhere_is_no_candidates),
        world_test(test_a_machine_being_started_uses_its_disk_already),
        world_test(test_a_machine_that_was_started_uses_its_disk_before_that_is_told),
        world_test(test_two_that_share_a_disk_are_not_started_in_one_round),
        world_test(test_a_host_without_the_memory),
        world_test(test_memory_is_not_checked_unless_asked_for),
        world_test(test_memory_that_is_not_known_excludes_no_candidate),
        world_test(test_a_paused_machine_needs_no_memory),
        world_test(test_the_last_memory_is_given_once),
    };

    return cmocka_run_group_tests_name("coordinator_set", tests, NULL, NULL);
}
