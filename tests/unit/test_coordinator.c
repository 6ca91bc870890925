/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All recoveries at once, in a make-believe world: the promises of DESIGN.md section 6, one by one.
 */
#include "coordinator/coordinator.h"

#include <errno.h>
#include <string.h>

#include "support.h"
#include "world.h"

#define WEB     "language/nodejs database/mysql webserver/nginx"
#define SETTLED (10 * USEC_PER_SEC)

static int set_up(void **state)
{
    static struct world world;

    world_begin(&world);
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    world_end(*state);
    return 0;
}

/* A machine that runs and two that could take over, "b" before "c". */
static unsigned add_three(struct world *world)
{
    unsigned first = world_add(world, "a", WEB, MACHINE_RUNNING);

    world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    world_add(world, "c", WEB, MACHINE_SHUT_OFF);
    world_connect_all(world);
    return first;
}

static const struct explained_candidate *explained(const struct explanation *explanation, const char *name)
{
    for (size_t i = 0; i < explanation->n_candidates; i++)
        if (strcmp(explanation->candidates[i].name, name) == 0)
            return &explanation->candidates[i];
    return NULL;
}

/* ---- courses ---- */

static void test_the_case_study_recovers(void **state)
{
    struct world *world = *state;
    unsigned vm_1 = world_add(world, "VM-001", WEB, MACHINE_RUNNING), vm_5;

    world_add(world, "VM-002", "language/nodejs database/postgresql webserver/apache", MACHINE_SHUT_OFF);
    world_add(world, "VM-003", "database/postgresql", MACHINE_SHUT_OFF);
    world_add(world, "VM-004", "webserver/nginx", MACHINE_SHUT_OFF);
    vm_5 = world_add(world, "VM-005", WEB " database/postgresql webserver/apache", MACHINE_SHUT_OFF);
    world_connect_all(world);
    assert_true(coordinator_is_ready(world->coordinator));
    assert_int_equal(world->told[NOTICE_HYPERVISOR_UP], 2);

    world_kill(world, vm_1);
    world_drive(world);
    assert_int_equal(world->domains[vm_5].state, MACHINE_RUNNING);
    world_expect(world, vm_1, RECOVERY_SETTLING);
    assert_int_equal(world->told[NOTICE_RECOVERED], 0);
    world_pass(world, SETTLED);

    const struct recovery *recovery = world_expect(world, vm_1, RECOVERY_RECOVERED);
    assert_string_equal(recovery->replacement_name, "VM-005");
    assert_int_equal(recovery->cause, CAUSE_PROCESS_DIED);
    assert_true(recovery->overlap > 0.6666 && recovery->overlap < 0.6667);
    assert_true(recovery->coverage == 1.0);
    assert_false(recovery->is_drill);
    assert_non_null(explained(recovery->explanation, "VM-004"));
    assert_string_equal(explanation_chosen(recovery->explanation)->name, "VM-005");
    assert_int_equal(world->asked[ACTION_START], 1);
    assert_int_equal(world->asked[ACTION_DESTROY], 0);
    assert_int_equal(world->told[NOTICE_FAILURE_DETECTED], 1);
    assert_int_equal(world->told[NOTICE_DECIDED], 1);
    assert_int_equal(world->told[NOTICE_RECOVERED], 1);
    assert_null(world_machine(world, vm_5)->claimed_by);
    assert_null(world_machine(world, vm_1)->claimed_by);
}

static void test_nobody_similar_is_told_with_reasons(void **state)
{
    struct world *world = *state;
    unsigned a = world_add(world, "a", "database/postgresql", MACHINE_RUNNING);

    world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    world_connect_all(world);
    world_kill(world, a);
    world_pass(world, SETTLED);
    assert_non_null(explained(world_expect(world, a, RECOVERY_EXHAUSTED)->explanation, "b")->reason);
    assert_int_equal(world->asked[ACTION_START], 0);
    assert_int_equal(world->told[NOTICE_EXHAUSTED], 1);
}

static void test_preserved_remains_are_ended_first(void **state)
{
    struct world *world = *state;
    unsigned a = add_three(world);

    world->domains[a].on_crash = ON_CRASH_PRESERVE;
    world_tell(world, a, EVENT_CHANGED);
    world_drive(world);
    world->domains[a].state = MACHINE_CRASHED;
    world->domains[a].reason = REASON_PANICKED;
    world_tell(world, a, EVENT_CRASHED_PANICKED);
    world_tell(world, a, EVENT_SUSPENDED_PAUSED);
    world->holds = 1u << ACTION_DESTROY;
    world_drive(world);
    assert_int_equal(world->asked[ACTION_START], 0);
    world_release(world);
    world_pass(world, SETTLED);
    assert_int_equal(world_expect(world, a, RECOVERY_RECOVERED)->cause, CAUSE_PANIC_PRESERVED);
    assert_int_equal(world->domains[a].destroys, 1);
}

static void test_an_io_error_is_recovered_after_its_grace(void **state)
{
    struct world *world = *state;
    unsigned a = add_three(world);

    world->domains[a].state = MACHINE_PAUSED;
    world->domains[a].reason = REASON_IO_ERROR;
    world_tell(world, a, EVENT_SUSPENDED_IO_ERROR);
    world_pass(world, world->config.failure.io_error_grace_us - 1);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
    assert_int_equal(world->told[NOTICE_FAILURE_PENDING], 1);
    world_pass(world, 1 + SETTLED);
    assert_int_equal(world_expect(world, a, RECOVERY_RECOVERED)->cause, CAUSE_IO_ERROR);
    assert_int_equal(world->domains[a].destroys, 1);
}

static void test_a_replacement_may_fail_and_be_replaced(void **state)
{
    struct world *world = *state;
    unsigned a = add_three(world);
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

static void test_a_candidate_that_does_not_start_is_followed_by_the_next(void **state)
{
    struct world *world = *state;
    unsigned a = add_three(world);

    world->domains[a + 1].start_error = -EIO;
    world_kill(world, a);
    world_pass(world, SETTLED);
    const struct recovery *recovery = world_expect(world, a, RECOVERY_RECOVERED);
    assert_string_equal(recovery->replacement_name, "c");
    assert_int_equal(recovery->n_attempts, 2);
    assert_int_equal(world->domains[a + 1].starts, 1);
    assert_int_equal(world->told[NOTICE_ATTEMPT_FAILED], 1);
    assert_null(world_machine(world, a + 1)->claimed_by);
}

static void test_a_candidate_that_dies_at_once_is_followed_by_the_next(void **state)
{
    struct world *world = *state;
    unsigned a = add_three(world);

    world->domains[a + 1].dies_at_once = true;
    world_kill(world, a);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->replacement_name, "c");
    assert_int_equal(coordinator_recovery_count(world->coordinator), 1); /* b's death is a's business */
}

static void test_a_candidate_that_dies_while_settling_is_followed_by_the_next(void **state)
{
    struct world *world = *state;
    unsigned a = add_three(world);

    world_kill(world, a);
    world_pass(world, world->config.recovery.settle_us - 1);
    world_kill(world, a + 1);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->replacement_name, "c");
    assert_int_equal(coordinator_recovery_count(world->coordinator), 1);
}

/* Its guest panics, it is ended and given up; only then libvirt tells that it stopped: no second failure. */
static void test_a_late_stop_of_a_candidate_that_was_given_up(void **state)
{
    struct world *world = *state;
    unsigned a = add_three(world), b = a + 1;

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

static void test_a_candidate_that_vanishes_before_it_is_chosen(void **state)
{
    struct world *world = *state;
    unsigned a = add_three(world);

    world->holds = 1u << ACTION_INQUIRE;
    world_kill(world, a);
    world_drive(world);
    world_boot(world, a + 1); /* somebody needs b meanwhile */
    world_drive(world);
    world_release(world);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->replacement_name, "c");
    assert_int_equal(world->domains[a + 1].starts, 0);
}

static void test_a_candidate_that_somebody_starts_first_is_left_alone(void **state)
{
    struct world *world = *state;
    unsigned a = add_three(world);

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

static void test_one_standby_for_two_crashes_is_started_once(void **state)
{
    struct world *world = *state;
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), b = world_add(world, "b", WEB, MACHINE_RUNNING);
    unsigned c = world_add(world, "c", WEB, MACHINE_SHUT_OFF);

    world_connect_all(world);
    world_kill(world, a);
    world_kill(world, b);
    world_pass(world, SETTLED);
    world_expect(world, a, RECOVERY_RECOVERED);
    world_expect(world, b, RECOVERY_EXHAUSTED);
    assert_int_equal(world->domains[c].starts, 1);
    assert_int_equal(world->asked[ACTION_START], 1);
}

static void test_two_that_crash_together_do_not_replace_each_other(void **state)
{
    struct world *world = *state;
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), b = world_add(world, "b", WEB, MACHINE_RUNNING);

    world_connect_all(world);
    world_kill(world, a);
    world_kill(world, b);
    world_pass(world, SETTLED);
    world_expect(world, a, RECOVERY_EXHAUSTED);
    world_expect(world, b, RECOVERY_EXHAUSTED);
    assert_int_equal(world->asked[ACTION_START], 0);
}

static void test_answers_in_another_order(void **state)
{
    struct world *world = *state;
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

static void test_the_more_important_gets_the_only_standby(void **state)
{
    struct world *world = *state;
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

static void test_waiting_for_an_unreachable_standby_ends(void **state)
{
    struct world *world = *state;
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING);

    world->domains[world_add(world, "c", WEB, MACHINE_SHUT_OFF)].hypervisor = 1;
    world_connect_all(world);
    world_disconnect(world, 1);
    world_kill(world, a);
    world_pass(world, 10 * world->config.recovery.start_timeout_us);
    world_expect(world, a, RECOVERY_EXHAUSTED);
}

/* ---- what is no failure, or nobody's ---- */

static void test_planned_stops_start_nothing(void **state)
{
    static const struct {
        enum domain_event_kind events[2];
        enum machine_reason reason;
    } rows[] = {
        {{EVENT_SHUTDOWN_GUEST, EVENT_STOPPED_SHUTDOWN}, REASON_SHUTDOWN},
        {{EVENT_SHUTDOWN_HOST, EVENT_STOPPED_DESTROYED}, REASON_DESTROYED},
        {{EVENT_CHANGED, EVENT_STOPPED_SAVED}, REASON_SAVED},
        {{EVENT_CHANGED, EVENT_STOPPED_MIGRATED}, REASON_MIGRATED},
        {{EVENT_CHANGED, EVENT_STOPPED_FROM_SNAPSHOT}, REASON_SNAPSHOT},
    };
    struct world *world = *state;
    unsigned a = add_three(world);

    for (unsigned i = 0; i < ELEMENTS_OF(rows); i++) {
        world_tell(world, a, rows[i].events[0]);
        world->domains[a].state = MACHINE_SHUT_OFF;
        world->domains[a].reason = rows[i].reason;
        world_tell(world, a, rows[i].events[1]);
        world_pass(world, SETTLED);
        assert_int_equal(world->told[NOTICE_STOP_PLANNED], i + 1);
        world_boot(world, a);
        world_pass(world, SETTLED);
    }
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
    assert_int_equal(world->asked[ACTION_START], 0);
}

static void test_a_host_that_shuts_down_is_no_failure(void **state)
{
    struct world *world = *state;
    unsigned a = add_three(world);

    for (int shutting_down = 1; shutting_down >= 0; shutting_down--) {
        coordinator_set_host_shutdown(world->coordinator, shutting_down != 0);
        world->domains[a].state = MACHINE_SHUT_OFF;
        world->domains[a].reason = REASON_SHUTDOWN;
        world_tell(world, a, EVENT_SHUTDOWN_HOST);
        world_tell(world, a, EVENT_STOPPED_SHUTDOWN);
        world_pass(world, SETTLED);
        assert_int_equal(coordinator_recovery_count(world->coordinator), !shutting_down);
        if (shutting_down)
            world_boot(world, a);
    }
    assert_int_equal(world_expect(world, a, RECOVERY_RECOVERED)->cause, CAUSE_HOST_KILL);
}

static void test_an_observer_decides_and_does_nothing(void **state)
{
    struct world *world = *state;
    unsigned a;

    world->config.mode = MODE_OBSERVE;
    a = add_three(world);
    world_kill(world, a);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, a, RECOVERY_OBSERVED)->replacement_name, "b");
    assert_int_equal(world->told[NOTICE_OBSERVED], 1);
    assert_int_equal(world->asked[ACTION_START] + world->asked[ACTION_DESTROY], 0);
    assert_null(world_machine(world, a + 1)->claimed_by);
}

static void test_an_unprotected_machine_is_told_of_and_not_recovered(void **state)
{
    struct world *world = *state;
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING);

    world->domains[a].role = "standby";
    world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    world_connect_all(world);
    world_kill(world, a);
    world_pass(world, SETTLED);
    assert_int_equal(world->told[NOTICE_FAILURE_UNPROTECTED], 1);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
}

static void test_the_original_is_started_by_somebody_else(void **state)
{
    struct world *world = *state;
    unsigned a = add_three(world);

    world->holds = 1u << ACTION_INQUIRE;
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

#define coordinator_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        coordinator_test(test_the_case_study_recovers),
        coordinator_test(test_nobody_similar_is_told_with_reasons),
        coordinator_test(test_preserved_remains_are_ended_first),
        coordinator_test(test_an_io_error_is_recovered_after_its_grace),
        coordinator_test(test_a_replacement_may_fail_and_be_replaced),
        coordinator_test(test_a_candidate_that_does_not_start_is_followed_by_the_next),
        coordinator_test(test_a_candidate_that_dies_at_once_is_followed_by_the_next),
        coordinator_test(test_a_candidate_that_dies_while_settling_is_followed_by_the_next),
        coordinator_test(test_a_late_stop_of_a_candidate_that_was_given_up),
        coordinator_test(test_a_candidate_that_vanishes_before_it_is_chosen),
        coordinator_test(test_a_candidate_that_somebody_starts_first_is_left_alone),
        coordinator_test(test_one_standby_for_two_crashes_is_started_once),
        coordinator_test(test_two_that_crash_together_do_not_replace_each_other),
        coordinator_test(test_answers_in_another_order),
        coordinator_test(test_the_more_important_gets_the_only_standby),
        coordinator_test(test_waiting_for_an_unreachable_standby_ends),
        coordinator_test(test_planned_stops_start_nothing),
        coordinator_test(test_a_host_that_shuts_down_is_no_failure),
        coordinator_test(test_an_observer_decides_and_does_nothing),
        coordinator_test(test_an_unprotected_machine_is_told_of_and_not_recovered),
        coordinator_test(test_the_original_is_started_by_somebody_else),
    };

    return cmocka_run_group_tests_name("coordinator", tests, NULL, NULL);
}
