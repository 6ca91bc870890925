/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Recoveries from the failure to the outcome, where the order of answers matters or several are under way. Single
 * stories stand in tests/scenarios.
 */
#include <errno.h>
#include <string.h>

#include "support.h"
#include "world.h"

/* ---- courses ---- */

static void test_preserved_remains_are_ended_first(struct world *world)
{
    unsigned a = world_add_three(world);

    world->domains[a].on_crash = ON_CRASH_PRESERVE;
    world_tell(world, a, EVENT_CHANGED);
    world_drive(world);
    world_happen(world, a, EVENT_CRASHED_PANICKED);
    world_tell(world, a, EVENT_SUSPENDED_PAUSED);
    world->holds = 1u << ACTION_DESTROY;
    world_drive(world);
    assert_int_equal(world->asked[ACTION_START], 0);
    world_release(world);
    world_pass(world, SETTLED);
    assert_int_equal(world_expect(world, a, RECOVERY_RECOVERED)->cause, CAUSE_PANIC_PRESERVED);
    assert_int_equal(world->domains[a].destroys, 1);
}

static void test_a_replacement_may_fail_and_be_replaced(struct world *world)
{
    unsigned a = world_add_three(world);
    const struct recovery *recovery = NULL;

    world_kill(world, a);
    world_pass(world, SETTLED);
    world_kill(world, a + 1); /* b, which took over */
    world_pass(world, SETTLED);
    world_expect(world, a, RECOVERY_RECOVERED);
    assert_int_equal(world_recoveries(world, a + 1, &recovery), 1);
    assert_int_equal(recovery->state, RECOVERY_RECOVERED);
}

/* ---- candidates that fail ---- */

static void test_a_candidate_that_dies_at_once_is_followed_by_the_next(struct world *world)
{
    unsigned a = world_add_three(world);

    world->domains[a + 1].dies_at_once = true;
    world_kill(world, a);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->replacement_name, "c");
    assert_int_equal(coordinator_recovery_count(world->coordinator), 1); /* b's death is a's business */
}

/* Its guest panics, it is ended and given up; only then libvirt tells that it stopped: no second failure. */
static void test_a_late_stop_of_a_candidate_that_was_given_up(struct world *world)
{
    unsigned a = world_add_three(world), b = a + 1;

    world_add(world, "d", WEB, MACHINE_SHUT_OFF);
    world_tell(world, a + 3, EVENT_DEFINED);
    world_kill(world, a);
    world_pass(world, USEC_PER_SEC);
    world_expect(world, a, RECOVERY_SETTLING);
    world->domains[b].state = MACHINE_SHUT_OFF;
    world->domains[b].reason = REASON_CRASHED;
    world->domains[b].started_for[0] = '\0';
    world_tell(world, b, EVENT_CRASHED_PANICKED);
    world_pass(world, USEC_PER_SEC);
    assert_string_equal(world_expect(world, a, RECOVERY_SETTLING)->replacement_name, "c");
    world_tell(world, b, EVENT_STOPPED_CRASHED);
    world_pass(world, SETTLED);
    world_expect(world, a, RECOVERY_RECOVERED);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 1);
    assert_int_equal(world->domains[a + 3].starts, 0);

    world_boot(world, b); /* and once it runs again, it is watched as before */
    world_drive(world);
    world_kill(world, b);
    world_pass(world, SETTLED);
    world_expect(world, b, RECOVERY_RECOVERED);
}

static void test_a_candidate_that_vanishes_before_it_is_chosen(struct world *world)
{
    unsigned a = world_add_three(world);

    world->holds = 1u << ACTION_GET_STATE;
    world_kill(world, a);
    world_drive(world);
    world_boot(world, a + 1); /* the operator needs b meanwhile */
    world_drive(world);
    world_release(world);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->replacement_name, "c");
    assert_int_equal(world->domains[a + 1].starts, 0);
}

static void test_a_candidate_that_the_operator_starts_first_is_left_alone(struct world *world)
{
    unsigned a = world_add_three(world);

    world->holds = 1u << ACTION_START;
    world_kill(world, a);
    world_drive(world);
    world_boot(world, a + 1);
    world_release(world);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->replacement_name, "c");
    assert_int_equal(world->domains[a + 1].destroys, 0);
    assert_int_equal(world->domains[a + 1].state, MACHINE_RUNNING);
}

/* ---- several at once ---- */

/* It was paused and went on before it died; the news of that come last, when it is known to be off already. */
static void test_a_late_resumed_says_nothing_of_what_is_off(struct world *world)
{
    unsigned a = world_add_three(world);

    world_kill(world, a);
    world_drive(world);
    world_tell(world, a, EVENT_RESUMED);
    world_drive(world);
    world_pass(world, SETTLED);
    world_tell(world, a, EVENT_RESUMED);
    world_pass(world, SETTLED);
    world_expect(world, a, RECOVERY_RECOVERED);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 1);
    assert_int_equal(world->told[NOTICE_BOTH_RUN], 0);
}

/* Of its start that is all that is told. */
static void test_what_only_goes_on_runs(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_SHUT_OFF);

    world_connect_all(world);
    world->domains[a].state = MACHINE_RUNNING;
    world->domains[a].reason = REASON_UNKNOWN;
    world_tell(world, a, EVENT_RESUMED);
    world_drive(world);
    assert_int_equal(world_machine(world, a)->state, MACHINE_RUNNING);
    world_kill(world, a);
    world_pass(world, SETTLED);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 1);
}

static void test_answers_in_another_order(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), b = world_add(world, "b", WEB, MACHINE_RUNNING);

    world_add(world, "c", WEB, MACHINE_SHUT_OFF);
    world_add(world, "d", WEB, MACHINE_SHUT_OFF);
    world_connect_all(world);
    world->holds = ~0u;
    world_kill(world, a);
    world_kill(world, b);
    world_drive(world);
    while (world->n_pending > 0)
        world_answer(world, world->n_pending - 1, false); /* the youngest first */
    world->holds = 0;
    world_pass(world, SETTLED);
    world_expect(world, a, RECOVERY_RECOVERED);
    world_expect(world, b, RECOVERY_RECOVERED);
    assert_int_equal(world->asked[ACTION_START], 2);
}

static void test_the_more_important_gets_the_only_standby(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), b = world_add(world, "b", WEB, MACHINE_RUNNING);
    unsigned c = world_add(world, "c", WEB, MACHINE_SHUT_OFF);

    world->domains[b].priority = 10;
    world->domains[c].hypervisor = 1;
    world_connect_all(world);
    world_disconnect(world, 1);
    world_kill(world, a);
    world_kill(world, b);
    world_drive(world);
    world_expect(world, a, RECOVERY_SELECTING); /* c would fit, and may come back */
    world_expect(world, b, RECOVERY_SELECTING);
    world_connect(world, 1);
    world_pass(world, SETTLED);
    world_expect(world, b, RECOVERY_RECOVERED);
    world_expect(world, a, RECOVERY_EXHAUSTED);
}

static void test_waiting_for_an_unreachable_standby_ends(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING);

    world->domains[world_add(world, "c", WEB, MACHINE_SHUT_OFF)].hypervisor = 1;
    world_connect_all(world);
    world_disconnect(world, 1);
    world_kill(world, a);
    world_pass(world, 10 * world->config.recovery.start_timeout_us);
    world_expect(world, a, RECOVERY_EXHAUSTED);
}

/* ---- what is no failure ---- */

static void test_the_original_is_started_by_the_operator(struct world *world)
{
    unsigned a = world_add_three(world);

    world->holds = 1u << ACTION_GET_STATE;
    world_kill(world, a);
    world_drive(world);
    world_boot(world, a);
    world_release(world);
    world_pass(world, SETTLED);
    world_expect(world, a, RECOVERY_DISMISSED);
    assert_int_equal(world->told[NOTICE_DISMISSED], 1);
    assert_int_equal(world->asked[ACTION_START], 0);
    world_kill(world, a); /* and it is watched as before */
    world_pass(world, SETTLED);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 2);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        world_test(test_preserved_remains_are_ended_first),
        world_test(test_a_replacement_may_fail_and_be_replaced),
        world_test(test_a_candidate_that_dies_at_once_is_followed_by_the_next),
        world_test(test_a_late_stop_of_a_candidate_that_was_given_up),
        world_test(test_a_candidate_that_vanishes_before_it_is_chosen),
        world_test(test_a_candidate_that_the_operator_starts_first_is_left_alone),
        world_test(test_a_late_resumed_says_nothing_of_what_is_off),
        world_test(test_what_only_goes_on_runs),
        world_test(test_answers_in_another_order),
        world_test(test_the_more_important_gets_the_only_standby),
        world_test(test_waiting_for_an_unreachable_standby_ends),
        world_test(test_the_original_is_started_by_the_operator),
    };

    return cmocka_run_group_tests_name("coordinator", tests, NULL, NULL);
}
