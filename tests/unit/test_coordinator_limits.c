/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What holds recoveries back so that they can be left alone: the budget of one service over a chain of replacements,
 * and the brake for many failures at once. And what is done when no candidate is left.
 */
#include <errno.h>
#include <string.h>

#include "support.h"
#include "world.h"

static void add_many(struct world *world, unsigned n_running, unsigned n)
{
    world_add_many(world, n_running, n);
    world_connect_all(world);
}

static const struct recovery *last_recovery(const struct world *world)
{
    size_t count = coordinator_recovery_count(world->coordinator);

    assert_true(count > 0);
    return coordinator_recovery(world->coordinator, count - 1);
}

static unsigned number_of_replacement(const struct recovery *recovery)
{
    assert_string_equal(recovery_state_name(recovery->state), "recovered");
    return (unsigned)strtoul(recovery->replacement.uuid + 24, NULL, 16);
}

/* ---- the budget ---- */

/* Each replacement runs for ten minutes, and dies of what killed the one before it. Returns who runs in the end. */
static unsigned kill_along_the_chain(struct world *world, unsigned first, unsigned times)
{
    unsigned running = first;

    for (unsigned i = 0; i < times; i++) {
        world_kill(world, running);
        world_pass(world, 600 * USEC_PER_SEC);
        running = number_of_replacement(last_recovery(world));
        assert_int_equal(world->domains[running].state, MACHINE_RUNNING);
    }
    return running;
}

static void test_a_service_that_kills_its_machines_does_not_go_through_the_pool(struct world *world)
{
    unsigned last;

    world->config.recovery.limit = 3;
    add_many(world, 1, 8);
    last = kill_along_the_chain(world, 0, 3);
    world_kill(world, last);
    world_pass(world, SETTLED);
    assert_int_equal(last_recovery(world)->state, RECOVERY_EXHAUSTED);
    assert_non_null(strstr(last_recovery(world)->detail, "recovery.limit"));
    assert_int_equal(world->asked[ACTION_START], 3);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 4);
    assert_int_equal(world->told[NOTICE_EXHAUSTED], 1);
}

/* NULL: nothing is against it. */
static void expect_obstacle(struct world *world, unsigned number, const char *words)
{
    _cleanup_(explanation_freep) struct explanation *explanation = NULL;

    assert_int_equal(
        coordinator_explain(world->coordinator, world_machine(world, number), 10, world->now, &explanation), 0);
    assert_true((explanation->obstacle == NULL) == (words == NULL));
    if (words != NULL)
        assert_non_null(strstr(explanation->obstacle, words));
}

static void test_explain_does_not_promise_what_the_limit_refuses(struct world *world)
{
    unsigned last;

    world->config.recovery.limit = 2;
    add_many(world, 1, 8);
    last = kill_along_the_chain(world, 0, 1);
    expect_obstacle(world, last, NULL);
    expect_obstacle(world, 0, "serves in its place");
    last = kill_along_the_chain(world, last, 1);
    expect_obstacle(world, last, "recovery.limit");
    world_pass(world, world->config.recovery.limit_window_us);
    expect_obstacle(world, last, NULL);
}

static void test_another_machine_has_a_budget_of_its_own(struct world *world)
{
    world->config.recovery.limit = 2;
    add_many(world, 2, 8);
    kill_along_the_chain(world, 0, 2);
    world_kill(world, 1);
    world_pass(world, SETTLED);
    assert_int_equal(last_recovery(world)->state, RECOVERY_RECOVERED);
}

static void test_recoveries_in_which_nothing_was_started_do_not_count(struct world *world)
{
    const struct recovery *recovery = NULL;

    world->config.recovery.limit = 2;
    add_many(world, 1, 1);
    for (unsigned i = 0; i < 3; i++) {
        world_kill(world, 0); /* no candidate is there */
        world_pass(world, SETTLED);
        world_boot(world, 0); /* and the operator starts it again */
        world_pass(world, 30 * USEC_PER_SEC);
    }
    world_add(world, "late", WEB, MACHINE_SHUT_OFF);
    world_tell(world, world->n_domains - 1, EVENT_DEFINED);
    world_drive(world);
    world_kill(world, 0);
    world_pass(world, SETTLED);
    assert_int_equal(world_recoveries(world, 0, &recovery), 4);
    assert_int_equal(recovery->state, RECOVERY_RECOVERED);
}

static void test_booting_by_hand_in_between_resets_nothing(struct world *world)
{
    const struct recovery *recovery = NULL;

    world->config.recovery.limit = 2;
    add_many(world, 1, 3);
    for (unsigned i = 0; i < 3; i++) {
        world_kill(world, 0);
        world_pass(world, SETTLED);
        for (unsigned n = 1; n < world->n_domains; n++)
            if (world->domains[n].state == MACHINE_RUNNING)
                world_shut_down(world, n);
        world_boot(world, 0); /* the operator fails back */
        world_pass(world, 30 * USEC_PER_SEC);
    }
    assert_int_equal(world_recoveries(world, 0, &recovery), 3);
    assert_non_null(strstr(recovery->detail, "recovery.limit"));
}

static void test_the_budget_is_free_again_after_the_window(struct world *world)
{
    unsigned last;

    world->config.recovery.limit = 2;
    add_many(world, 1, 8);
    last = kill_along_the_chain(world, 0, 2);
    world_pass(world, world->config.recovery.limit_window_us);
    world_kill(world, last);
    world_pass(world, SETTLED);
    assert_int_equal(last_recovery(world)->state, RECOVERY_RECOVERED);
}

static void test_false_alarms_cost_nothing(struct world *world)
{
    world->config.recovery.limit = 1;
    add_many(world, 1, 3);
    for (unsigned i = 0; i < 3; i++) {
        world_tell(world, 0, EVENT_STOPPED_FAILED); /* and yet it runs */
        world_pass(world, SETTLED);
        assert_int_equal(last_recovery(world)->state, RECOVERY_DISMISSED);
        world_boot(world, 0);
        world_pass(world, SETTLED);
    }
    world_kill(world, 0);
    world_pass(world, SETTLED);
    assert_int_equal(last_recovery(world)->state, RECOVERY_RECOVERED);
}

static void test_without_a_limit_there_is_none(struct world *world)
{
    add_many(world, 1, 8);
    kill_along_the_chain(world, 0, 7);
}

/* What is kept to be shown is one thing, what is counted another. */
static void test_a_short_history_does_not_lift_the_limit(struct world *world)
{
    unsigned last;

    world->config.recovery.limit = 3;
    world->config.recovery.history_days = 0; /* what ended is history at once */
    add_many(world, 1, 8);
    last = kill_along_the_chain(world, 0, 3);
    world_kill(world, last);
    world_pass(world, SETTLED);
    assert_int_equal(last_recovery(world)->state, RECOVERY_EXHAUSTED);
}

/* A replacement that boots and dies: the attempts of one recovery, then exhausted, with the reasons. */
static void test_replacements_that_boot_and_die_do_not_loop(struct world *world)
{
    for (unsigned i = 0; i < 8; i++)
        world->domains[i].dies_at_once = false;
    add_many(world, 1, 8);
    for (unsigned i = 1; i < 8; i++)
        world->domains[i].dies_at_once = true;
    world_kill(world, 0);
    world_pass(world, 3600 * USEC_PER_SEC);

    const struct recovery *recovery = world_expect(world, 0, RECOVERY_EXHAUSTED);
    assert_int_equal(world->asked[ACTION_START], world->config.recovery.attempts);
    assert_int_equal(recovery->n_attempts, world->config.recovery.attempts);
    for (size_t i = 0; i < recovery->n_attempts; i++)
        assert_non_null(recovery->attempts[i].error);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 1);
}

/* ---- the brake ---- */

static void kill_many(struct world *world, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        world_kill(world, i);
    world_drive(world);
}

static void test_mass_failure_waits_until_the_brake_is_released(struct world *world)
{
    world_set_brake(world, 3, MILLIONTHS / 2);
    add_many(world, 4, 10);
    kill_many(world, 3);
    world_pass(world, 600 * USEC_PER_SEC);
    assert_true(coordinator_is_braked(world->coordinator));
    assert_int_equal(world->told[NOTICE_BRAKE_ON], 1);
    assert_int_equal(world->asked[ACTION_START] + world->asked[ACTION_DESTROY], 0);

    world_kill(world, 3); /* one more: seen and recorded */
    world_pass(world, SETTLED);
    world_expect(world, 3, RECOVERY_SELECTING);
    assert_int_equal(world->asked[ACTION_START], 0);
    assert_int_equal(world->told[NOTICE_BRAKE_ON], 1);

    expect_obstacle(world, 3, "release brake");
    assert_true(coordinator_release_brake(world->coordinator, world->now));
    assert_false(coordinator_release_brake(world->coordinator, world->now));
    expect_obstacle(world, 3, NULL);
    world_pass(world, SETTLED);
    assert_int_equal(world->told[NOTICE_BRAKE_OFF], 1);
    for (unsigned i = 0; i < 4; i++)
        world_expect(world, i, RECOVERY_RECOVERED);
}

static void test_half_of_them_is_not_more_than_half(struct world *world)
{
    world_set_brake(world, 3, MILLIONTHS / 2);
    add_many(world, 6, 10);
    kill_many(world, 3);
    world_pass(world, SETTLED);
    assert_false(coordinator_is_braked(world->coordinator));
    assert_int_equal(world->told[NOTICE_RECOVERED], 3);
}

static void test_few_failures_never_brake(struct world *world)
{
    world_set_brake(world, 3, MILLIONTHS / 2);
    add_many(world, 2, 10);
    kill_many(world, 2); /* all there are, but less than the minimum */
    world_pass(world, SETTLED);
    assert_false(coordinator_is_braked(world->coordinator));
    assert_int_equal(world->told[NOTICE_RECOVERED], 2);
}

static void test_failures_far_from_each_other_do_not_brake(struct world *world)
{
    world_set_brake(world, 3, MILLIONTHS / 2);
    add_many(world, 4, 10);
    for (unsigned i = 0; i < 4; i++) {
        world_kill(world, i);
        world_pass(world, 31 * USEC_PER_SEC);
    }
    assert_false(coordinator_is_braked(world->coordinator));
    assert_int_equal(world->told[NOTICE_RECOVERED], 4);
}

/* A machine that loops is the limit's business: it is one machine, however often it fails. */
static void test_one_machine_that_fails_often_does_not_brake(struct world *world)
{
    world_set_brake(world, 3, MILLIONTHS / 2);
    add_many(world, 2, 2); /* no standby, and the operator starts it again and again */
    for (unsigned i = 0; i < 4; i++) {
        world_kill(world, 0);
        world_pass(world, USEC_PER_SEC);
        world_boot(world, 0);
        world_pass(world, USEC_PER_SEC);
    }
    assert_int_equal(world->told[NOTICE_EXHAUSTED], 4);
    assert_false(coordinator_is_braked(world->coordinator));
}

static void test_rehearsals_do_not_brake(struct world *world)
{
    world_set_brake(world, 3, MILLIONTHS / 2);
    add_many(world, 4, 10);
    for (unsigned i = 0; i < 4; i++)
        world_order_drill(world, i);
    kill_many(world, 4);
    world_pass(world, SETTLED);
    assert_false(coordinator_is_braked(world->coordinator));
    assert_int_equal(world->told[NOTICE_RECOVERED], 4);
}

static void test_without_a_share_there_is_no_brake(struct world *world)
{
    add_many(world, 5, 10);
    kill_many(world, 5);
    world_pass(world, SETTLED);
    assert_int_equal(world->told[NOTICE_RECOVERED], 5);
}

static void test_the_brake_works_again_after_a_release(struct world *world)
{
    world_set_brake(world, 3, MILLIONTHS / 2);
    add_many(world, 4, 10);
    kill_many(world, 4);
    world_pass(world, SETTLED);
    assert_true(coordinator_release_brake(world->coordinator, world->now));
    world_pass(world, SETTLED);
    assert_false(coordinator_is_braked(world->coordinator));
    for (unsigned i = 4; i < 8; i++)
        assert_int_equal(world->domains[i].state, MACHINE_RUNNING);
    for (unsigned i = 4; i < 8; i++)
        world_kill(world, i);
    world_pass(world, SETTLED);
    assert_true(coordinator_is_braked(world->coordinator));
    assert_int_equal(world->told[NOTICE_BRAKE_ON], 2);
    assert_int_equal(world->asked[ACTION_START], 4);
}

/* The operator who released it has seen those: they do not count again. */
static void test_one_more_failure_after_a_release_does_not_brake(struct world *world)
{
    world_set_brake(world, 3, MILLIONTHS / 2);
    add_many(world, 5, 10);
    kill_many(world, 3);
    world_pass(world, USEC_PER_SEC);
    assert_true(coordinator_release_brake(world->coordinator, world->now));
    world_pass(world, SETTLED);
    world_kill(world, 3);
    world_pass(world, SETTLED);
    assert_false(coordinator_is_braked(world->coordinator));
    world_expect(world, 3, RECOVERY_RECOVERED);
}

/* What is on its way when the brake comes on stops before the start: the intent is written, the hooks run. */
static void test_what_was_decided_already_waits_too(struct world *world)
{
    static const enum action_kind steps[] = {ACTION_RECORD, ACTION_HOOK};

    for (size_t i = 0; i < ELEMENTS_OF(steps); i++) {
        world_end(world);
        world_begin(world);
        world_set_brake(world, 3, MILLIONTHS / 2);
        add_many(world, 4, 10);
        world->holds = 1u << steps[i];
        world_kill(world, 0);
        world_pass(world, USEC_PER_SEC);
        world_kill(world, 1);
        world_kill(world, 2);
        world_drive(world);
        assert_true(coordinator_is_braked(world->coordinator));
        world_release(world);
        world_pass(world, SETTLED);
        assert_int_equal(world->asked[ACTION_START], 0);
        coordinator_release_brake(world->coordinator, world->now);
        world_pass(world, SETTLED);
        for (unsigned n = 0; n < 3; n++)
            world_expect(world, n, RECOVERY_RECOVERED);
    }
}

/* One waits for the others to be confirmed when the brake comes on: nothing is due until the operator acts. */
static void test_the_brake_comes_on_while_failures_are_gathered(struct world *world)
{
    world_set_brake(world, 3, MILLIONTHS / 2);
    add_many(world, 4, 10);
    world->holds = 1u << ACTION_GET_STATE;
    world_kill(world, 0);
    world_kill(world, 1);
    world_drive(world);
    world_answer(world, 0, false);
    world_expect(world, 0, RECOVERY_SELECTING);
    world_kill(world, 2);
    world_drive(world);
    assert_true(coordinator_is_braked(world->coordinator));
    world_pass(world, USEC_PER_SEC);
    assert_true(coordinator_deadline(world->coordinator) > world->now.mono_us);
    world_release(world);
    coordinator_release_brake(world->coordinator, world->now);
    world_pass(world, SETTLED);
    for (unsigned i = 0; i < 3; i++)
        world_expect(world, i, RECOVERY_RECOVERED);
}

static void test_the_brake_stays_on_across_a_restart_of_the_daemon(struct world *world)
{
    world_set_brake(world, 3, MILLIONTHS / 2);
    add_many(world, 4, 10);
    kill_many(world, 3);
    world_pass(world, SETTLED);
    assert_true(coordinator_is_braked(world->coordinator));
    world_restart_daemon(world);
    assert_true(coordinator_is_braked(world->coordinator)); /* before anything is connected */
    world_connect_all(world);
    world_pass(world, 600 * USEC_PER_SEC);
    assert_true(coordinator_is_braked(world->coordinator));
    assert_int_equal(world->asked[ACTION_START], 0);
    assert_true(coordinator_release_brake(world->coordinator, world->now));
    world_pass(world, SETTLED);
    for (unsigned i = 0; i < 3; i++)
        world_expect(world, i, RECOVERY_RECOVERED);
    world_restart_daemon(world);
    assert_false(coordinator_is_braked(world->coordinator));
}

static void test_restarts_are_held_too(struct world *world)
{
    world_set_brake(world, 3, MILLIONTHS / 2);
    world->config.recovery.when_exhausted = EXHAUSTED_RESTART;
    add_many(world, 4, 4); /* no standby */
    world_kill(world, 0);
    world_pass(world, 5 * USEC_PER_SEC);
    world_expect(world, 0, RECOVERY_WAITING);
    world_kill(world, 1);
    world_kill(world, 2);
    world_drive(world);
    assert_true(coordinator_is_braked(world->coordinator));
    world_pass(world, 600 * USEC_PER_SEC);
    assert_int_equal(world->asked[ACTION_START], 0);
    coordinator_release_brake(world->coordinator, world->now);
    world_pass(world, 60 * USEC_PER_SEC);
    for (unsigned n = 0; n < 3; n++)
        world_expect(world, n, RECOVERY_RECOVERED);
}

static void test_a_machine_that_comes_back_while_held_is_dismissed(struct world *world)
{
    world_set_brake(world, 3, MILLIONTHS / 2);
    add_many(world, 4, 10);
    kill_many(world, 4);
    world_pass(world, SETTLED);
    for (unsigned i = 0; i < 4; i++)
        world_boot(world, i); /* the storage is back, and the operator starts them */
    world_drive(world);
    for (unsigned i = 0; i < 4; i++)
        world_expect(world, i, RECOVERY_DISMISSED);
    coordinator_release_brake(world->coordinator, world->now);
    world_pass(world, SETTLED);
    assert_int_equal(world->asked[ACTION_START], 0);
}

/* ---- when no candidate is left ---- */

static void test_the_failed_machine_is_started_again(struct world *world)
{
    world->config.recovery.when_exhausted = EXHAUSTED_RESTART;
    add_many(world, 1, 1);
    world_kill(world, 0);
    world_pass(world, world->config.recovery.restart_backoff_us - 1);
    assert_int_equal(world->asked[ACTION_START], 0);
    world_pass(world, SETTLED);
    world_expect(world, 0, RECOVERY_RECOVERED);
    assert_int_equal(world->domains[0].starts, 1);
    assert_null(machine_rare(world_machine(world, 0))->claimed_by);
    assert_false(world_machine(world, 0)->is_starting);
    world_kill(world, 0); /* and it is watched as before */
    world_pass(world, 2 * SETTLED);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 2);
}

static void test_restarts_are_used_up(struct world *world)
{
    world->config.recovery.when_exhausted = EXHAUSTED_RESTART;
    add_many(world, 1, 1);
    world->domains[0].dies_at_once = true;
    world_kill(world, 0);
    world_pass(world, 600 * USEC_PER_SEC);
    world_expect(world, 0, RECOVERY_EXHAUSTED);
    assert_int_equal(world->domains[0].starts, world->config.recovery.restart_attempts);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 1);
}

static void test_the_operator_starts_it_during_the_pause(struct world *world)
{
    world->config.recovery.when_exhausted = EXHAUSTED_RESTART;
    add_many(world, 1, 1);
    world_kill(world, 0);
    world_pass(world, USEC_PER_SEC);
    world_expect(world, 0, RECOVERY_WAITING);
    world_boot(world, 0);
    world_pass(world, 600 * USEC_PER_SEC);
    world_expect(world, 0, RECOVERY_DISMISSED);
    assert_int_equal(world->asked[ACTION_START], 0);
}

static void test_the_operator_starts_it_while_the_daemon_does(struct world *world)
{
    world->config.recovery.when_exhausted = EXHAUSTED_RESTART;
    add_many(world, 1, 1);
    world->holds = 1u << ACTION_START;
    world_kill(world, 0);
    world_pass(world, 2 * SETTLED);
    world_boot(world, 0);
    world_release(world);
    world_pass(world, 600 * USEC_PER_SEC);
    world_expect(world, 0, RECOVERY_DISMISSED);
    assert_int_equal(world->domains[0].starts, 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        world_test(test_a_service_that_kills_its_machines_does_not_go_through_the_pool),
        world_test(test_explain_does_not_promise_what_the_limit_refuses),
        world_test(test_another_machine_has_a_budget_of_its_own),
        world_test(test_recoveries_in_which_nothing_was_started_do_not_count),
        world_test(test_booting_by_hand_in_between_resets_nothing),
        world_test(test_the_budget_is_free_again_after_the_window),
        world_test(test_false_alarms_cost_nothing),
        world_test(test_without_a_limit_there_is_none),
        world_test(test_a_short_history_does_not_lift_the_limit),
        world_test(test_replacements_that_boot_and_die_do_not_loop),
        world_test(test_mass_failure_waits_until_the_brake_is_released),
        world_test(test_half_of_them_is_not_more_than_half),
        world_test(test_few_failures_never_brake),
        world_test(test_failures_far_from_each_other_do_not_brake),
        world_test(test_one_machine_that_fails_often_does_not_brake),
        world_test(test_rehearsals_do_not_brake),
        world_test(test_without_a_share_there_is_no_brake),
        world_test(test_the_brake_works_again_after_a_release),
        world_test(test_one_more_failure_after_a_release_does_not_brake),
        world_test(test_what_was_decided_already_waits_too),
        world_test(test_the_brake_comes_on_while_failures_are_gathered),
        world_test(test_the_brake_stays_on_across_a_restart_of_the_daemon),
        world_test(test_restarts_are_held_too),
        world_test(test_a_machine_that_comes_back_while_held_is_dismissed),
        world_test(test_the_failed_machine_is_started_again),
        world_test(test_restarts_are_used_up),
        world_test(test_the_operator_starts_it_during_the_pause),
        world_test(test_the_operator_starts_it_while_the_daemon_does),
    };

    return cmocka_run_group_tests_name("coordinator_limits", tests, NULL, NULL);
}
