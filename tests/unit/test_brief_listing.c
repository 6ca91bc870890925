/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A first listing that leaves out the definitions of machines that are off: what was known of them serves, all are read right
 * afterwards, and none is started, or judged to have failed, that was not read.
 */
#include <string.h>

#include "support.h"
#include "world.h"

#define HOLDS_LISTINGS (1u << ACTION_LIST)

static int set_up_brief(void **state)
{
    int r = world_set_up(state);

    world_of_test()->lists_briefly = true;
    return r;
}

static bool awaited_may_be_brief(const struct world *world)
{
    return world->pending[world_find_pending(world, ACTION_LIST)].action.may_be_brief;
}

static void answer_listing(struct world *world)
{
    world_answer(world, world_find_pending(world, ACTION_LIST), false);
}

/* Connected, and its first listing is awaited. */
static void restart_and_connect(struct world *world)
{
    world_restart_daemon(world);
    world->holds = HOLDS_LISTINGS;
    world_connect(world, 1);
    answer_listing(world); /* it has nothing, and nothing of it is on record */
    world_connect(world, 0);
}

static void test_the_first_listing_of_all_reads_every_definition(struct world *world)
{
    world_add(world, "a", WEB, MACHINE_SHUT_OFF);
    world->holds = HOLDS_LISTINGS;
    world_connect(world, 0);
    assert_false(awaited_may_be_brief(world));
    answer_listing(world);
    assert_int_equal(world->n_pending, 0);
}

static void test_what_was_on_record_serves_until_it_is_read(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_SHUT_OFF);

    world_add(world, "b", WEB, MACHINE_RUNNING);
    world_connect_all(world);
    restart_and_connect(world);
    world->domains[a].priority = 7;
    assert_true(awaited_may_be_brief(world));
    answer_listing(world);
    assert_true(coordinator_is_ready(world->coordinator));
    assert_true(world_machine(world, a)->is_reachable);
    assert_int_equal(world_machine(world, a)->description->priority, 0);
    assert_false(awaited_may_be_brief(world)); /* at once, and in full */
    answer_listing(world);
    assert_int_equal(world_machine(world, a)->description->priority, 7);
    assert_int_equal(world->n_pending, 0);
}

/* libvirtd was restarted: what was known before it went serves as well. */
static void test_so_it_is_on_the_next_connection(struct world *world)
{
    world_add(world, "a", WEB, MACHINE_SHUT_OFF);
    world_connect_all(world);
    world->holds = HOLDS_LISTINGS;
    world_disconnect(world, 0);
    world_connect(world, 0);
    assert_true(awaited_may_be_brief(world));
    answer_listing(world);
    assert_true(coordinator_hypervisor(world->coordinator, 0).is_listed);
    assert_false(awaited_may_be_brief(world));
}

/* The host counts as listed when all is known of it. */
static void test_one_that_is_not_on_record_is_waited_for(struct world *world)
{
    unsigned b;

    world_add(world, "a", WEB, MACHINE_SHUT_OFF);
    world_connect_all(world);
    world_stop_daemon(world);
    b = world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    world_start_daemon(world);
    restart_and_connect(world);
    answer_listing(world);
    assert_false(coordinator_is_ready(world->coordinator));
    assert_int_equal(world->told[NOTICE_OUT_OF_MEMORY], 0);
    assert_false(awaited_may_be_brief(world));
    answer_listing(world);
    assert_true(coordinator_is_ready(world->coordinator));
    assert_non_null(world_machine(world, b));
}

/* It was undefined, and is kept for its recovery alone; now it is defined again, perhaps as another one. */
static void test_one_that_was_gone_is_waited_for(struct world *world)
{
    unsigned a = world_add_three(world);

    world->holds = 1u << ACTION_START;
    world_kill(world, a);
    world_pass(world, USEC_PER_SEC);
    world->domains[a].exists = false;
    world_tell(world, a, EVENT_UNDEFINED);
    world_drive(world);
    assert_false(world_machine(world, a)->is_present);
    world_disconnect(world, 0);
    world->domains[a].exists = true;
    world->holds |= HOLDS_LISTINGS;
    world_connect(world, 0);
    assert_true(awaited_may_be_brief(world));
    answer_listing(world);
    assert_false(coordinator_hypervisor(world->coordinator, 0).is_listed);
    answer_listing(world);
    assert_true(coordinator_hypervisor(world->coordinator, 0).is_listed);
    assert_true(world_machine(world, a)->is_present);
}

/* libvirtd may have shut one off without an event while it was starting. */
static void test_the_second_listing_follows_all_the_same(struct world *world)
{
    unsigned listings;

    world_add(world, "a", WEB, MACHINE_RUNNING);
    world_connect_all(world);
    world_pass(world, 20 * USEC_PER_SEC);
    world_restart_daemon(world);
    listings = world->asked[ACTION_LIST];
    world_connect(world, 0);
    assert_int_equal(world->asked[ACTION_LIST], listings + 2);
    world_pass(world, 20 * USEC_PER_SEC);
    assert_int_equal(world->asked[ACTION_LIST], listings + 3);
}

/* Its role was changed while no daemon ran, and the failure comes before its definition was read. */
static void test_a_candidate_is_read_before_it_is_started(struct world *world)
{
    unsigned a = world_add_three(world), b = a + 1, c = a + 2;

    world_connect_all(world);
    world_stop_daemon(world);
    world->domains[b].role = "ignored";
    world_start_daemon(world);
    world->holds = HOLDS_LISTINGS;
    world_connect_all(world);
    answer_listing(world);
    if (world->n_pending > 1)
        answer_listing(world);
    assert_true(coordinator_is_ready(world->coordinator));
    assert_int_equal(world_machine(world, b)->description->roles, 0);
    world_kill(world, a);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->replacement_name, "c");
    assert_int_equal(world->domains[b].starts, 0);
    assert_int_equal(world->domains[c].starts, 1);
}

/* Its role was changed before it failed, while no daemon ran: it is judged by what it is. */
static void test_what_ran_when_it_was_seen_last_is_read_before_it_is_judged(struct world *world)
{
    unsigned a = world_add_three(world);

    world_stop_daemon(world);
    world->domains[a].role = "ignored";
    world_kill_silently(world, a);
    world_start_daemon(world);
    world->holds = HOLDS_LISTINGS;
    world_connect(world, 0);
    assert_true(awaited_may_be_brief(world));
    answer_listing(world);
    assert_false(coordinator_hypervisor(world->coordinator, 0).is_listed);
    assert_int_equal(world->told[NOTICE_FAILURE_DETECTED], 0);
    answer_listing(world);
    assert_true(coordinator_hypervisor(world->coordinator, 0).is_listed);
    world->holds = 0;
    world_connect(world, 1);
    world_pass(world, 2 * SETTLED);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
    assert_int_equal(world_count_running(world), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        world_test_after(set_up_brief, test_the_first_listing_of_all_reads_every_definition),
        world_test_after(set_up_brief, test_what_was_on_record_serves_until_it_is_read),
        world_test_after(set_up_brief, test_so_it_is_on_the_next_connection),
        world_test_after(set_up_brief, test_one_that_is_not_on_record_is_waited_for),
        world_test_after(set_up_brief, test_one_that_was_gone_is_waited_for),
        world_test_after(set_up_brief, test_the_second_listing_follows_all_the_same),
        world_test_after(set_up_brief, test_a_candidate_is_read_before_it_is_started),
        world_test_after(set_up_brief, test_what_ran_when_it_was_seen_last_is_read_before_it_is_judged),
    };

    return cmocka_run_group_tests_name("brief_listing", tests, NULL, NULL);
}
