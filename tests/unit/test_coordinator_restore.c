/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon is ended and started anew, at any moment of a recovery: what was on disk goes on or is closed, never
 * repeated, and what happened meanwhile is found once.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"
#include "world.h"

static void restart_and_settle(struct world *world)
{
    world_restart_daemon(world);
    world_connect_all(world);
    world_pass(world, 2 * SETTLED);
}

/* Everything that has ended is on disk as it ended, and no machine is claimed any more. */
static void assert_closed(const struct world *world)
{
    for (size_t i = 0; i < coordinator_recovery_count(world->coordinator); i++) {
        const struct recovery *recovery = coordinator_recovery(world->coordinator, i);
        const struct recovery *written = world_read_recovery(world, recovery->id);

        assert_true(recovery_state_is_final(recovery->state));
        assert_non_null(written);
        assert_string_equal(recovery_state_name(written->state), recovery_state_name(recovery->state));
    }
    for (const struct machine *machine = pool_next(coordinator_pool(world->coordinator), NULL); machine != NULL;
         machine = pool_next(coordinator_pool(world->coordinator), machine)) {
        assert_null(machine_rare(machine)->claimed_by);
        assert_false(machine->is_starting);
        assert_true(machine->is_present);
    }
}

/* ---- machines ---- */

static void test_a_machine_that_was_down_before_is_not_found_crashed(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_SHUT_OFF);

    world->domains[a].reason = REASON_CRASHED;
    world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    world_connect_all(world);
    restart_and_settle(world);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
}

static void test_a_transient_machine_that_is_gone_is_told_of(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), noted;

    world->domains[a].is_transient = true;
    world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    world_connect_all(world);
    noted = world->told[NOTICE_EVENT_NOTED];
    world_kill_silently(world, a);
    restart_and_settle(world);
    assert_int_equal(world->told[NOTICE_EVENT_NOTED], noted + 1);
    assert_int_equal(world->remembered[a].memory.state, MACHINE_GONE);
    restart_and_settle(world);
    assert_int_equal(world->told[NOTICE_EVENT_NOTED], noted + 1); /* once */
}

static void test_the_state_of_machines_is_handed_out_when_it_changes(struct world *world)
{
    unsigned a = world_add_three(world);

    assert_int_equal(world->remembered[a].memory.state, MACHINE_RUNNING);
    assert_int_equal(world->remembered[a + 1].memory.state, MACHINE_SHUT_OFF);
    world_kill(world, a);
    world_pass(world, SETTLED);
    assert_int_equal(world->remembered[a].memory.state, MACHINE_SHUT_OFF);
    assert_int_equal(world->remembered[a].memory.reason, REASON_CRASHED);
    assert_int_equal(world->remembered[a + 1].memory.state, MACHINE_RUNNING);
}

/* ---- recoveries, cut off anywhere ---- */

enum meanwhile {
    NOTHING_HAPPENS,
    CANDIDATE_CAME_UP,
    CANDIDATE_VANISHED,
    ORIGINAL_CAME_BACK,
    MEANWHILE_COUNT,
};

static void let_happen(struct world *world, unsigned a, enum meanwhile meanwhile)
{
    struct world_domain *candidate = &world->domains[a + 1];

    switch (meanwhile) {
    case CANDIDATE_CAME_UP:
        candidate->state = MACHINE_RUNNING;
        candidate->reason = REASON_UNKNOWN;
        break;
    case CANDIDATE_VANISHED:
        candidate->exists = false;
        candidate->started_for[0] = '\0';
        break;
    case ORIGINAL_CAME_BACK:
        world->domains[a].state = MACHINE_RUNNING;
        world->domains[a].reason = REASON_UNKNOWN;
        break;
    case NOTHING_HAPPENS:
    case MEANWHILE_COUNT:
    default:
        break;
    }
}

/* The answer was not given when the daemon died; whether the start had its effect is in `meanwhile`. */
static void cut_off_at(struct world *world, enum action_kind kind, bool loses_writes, enum meanwhile meanwhile)
{
    const struct recovery *recovery = NULL;
    unsigned a = world_add_three(world);

    world->domains[a + 1].has_agent = true;
    world_tell(world, a + 1, EVENT_CHANGED);
    world_drive(world);
    world->loses_writes = loses_writes;
    world->holds = 1u << kind;
    world_kill(world, a);
    world_pass(world, 5 * USEC_PER_SEC);
    world_find_pending(world, kind);
    let_happen(world, a, meanwhile);
    world->loses_writes = false;
    restart_and_settle(world);

    assert_closed(world);
    assert_int_equal(world_recoveries(world, a, &recovery), 1); /* the same one, or found by the listing: never both */
    if (meanwhile == ORIGINAL_CAME_BACK && kind == ACTION_GET_STATE)
        assert_int_equal(recovery->state, RECOVERY_DISMISSED);
    else if (meanwhile != ORIGINAL_CAME_BACK && meanwhile != CANDIDATE_CAME_UP)
        assert_int_equal(recovery->state, RECOVERY_RECOVERED);
    if (meanwhile == NOTHING_HAPPENS || meanwhile == CANDIDATE_VANISHED)
        assert_int_equal(world_count_running(world), 1);
    if (meanwhile == CANDIDATE_CAME_UP && kind == ACTION_START) {
        assert_string_equal(recovery->replacement_name, "b"); /* ours: it goes on with it */
        assert_int_equal(world_count_running(world), 1);
        assert_int_equal(world->domains[a + 1].starts, 1);
    }
}

static void test_cut_off_anywhere_and_started_anew(struct world *world)
{
    static const enum action_kind kinds[] = {ACTION_GET_STATE, ACTION_RECORD, ACTION_HOOK, ACTION_START, ACTION_VERIFY};

    for (size_t i = 0; i < ELEMENTS_OF(kinds); i++)
        for (int meanwhile = 0; meanwhile < MEANWHILE_COUNT; meanwhile++)
            for (int loses_writes = 0; loses_writes < 2; loses_writes++) {
                if (kinds[i] == ACTION_RECORD && loses_writes && meanwhile == ORIGINAL_CAME_BACK)
                    continue; /* nothing at all is known of a failure, and the machine runs */
                if (kinds[i] == ACTION_GET_STATE && loses_writes && meanwhile == ORIGINAL_CAME_BACK)
                    continue;
                world_end(world);
                world_begin(world);
                cut_off_at(world, kinds[i], loses_writes, (enum meanwhile)meanwhile);
            }
}

static void test_cut_off_again_and_again(struct world *world)
{
    const struct recovery *recovery = NULL;
    unsigned a = world_add_three(world);

    for (int i = 0; i < 10; i++) {
        world->holds = 1u << ACTION_START;
        if (i == 0)
            world_kill(world, a);
        world_pass(world, USEC_PER_SEC);
        world_find_pending(world, ACTION_START);
        world_restart_daemon(world);
        world->holds = 1u << ACTION_START;
        world_connect_all(world);
    }
    assert_int_equal(world_recoveries(world, a, &recovery), 1);
    assert_int_equal(recovery_attempt_count(recovery), 1); /* the interrupted ones are not the candidate's fault */
    world_release(world);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->replacement_name, "b");
    assert_closed(world);
}

static void test_a_recovery_goes_on_only_when_its_hypervisors_are_listed(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING);

    world->domains[world_add(world, "b", WEB, MACHINE_SHUT_OFF)].hypervisor = 1;
    world_add(world, "c", WEB, MACHINE_SHUT_OFF);
    world->domains[2].role = "protected"; /* no candidate */
    world_connect_all(world);
    world->holds = 1u << ACTION_START;
    world_kill(world, a);
    world_pass(world, USEC_PER_SEC);
    world->domains[1].state = MACHINE_RUNNING; /* it came up, and the daemon died before it knew */
    world_restart_daemon(world);
    world_connect(world, 0);
    world_pass(world, 60 * USEC_PER_SEC);
    assert_int_equal(world->asked[ACTION_START], 1);
    assert_int_equal(world->told[NOTICE_RESUMED], 0);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 1);
    world_connect(world, 1);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->replacement_name, "b");
    assert_int_equal(world->asked[ACTION_START], 1);
    assert_int_equal(world->told[NOTICE_RESUMED], 1);
}

/* Until its recovery goes on, a machine of it is for no other recovery, though no claim says so yet. */
static void test_machines_of_a_recovery_that_waits_are_not_taken(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), d;

    world->domains[world_add(world, "b", WEB, MACHINE_SHUT_OFF)].hypervisor = 1;
    d = world_add(world, "d", WEB, MACHINE_RUNNING);
    world_connect_all(world);
    world->holds = 1u << ACTION_START;
    world_kill(world, a);
    world_pass(world, USEC_PER_SEC);
    world_find_pending(world, ACTION_START);
    world_restart_daemon(world);
    world_connect(world, 0);
    world_kill(world, d);
    world_pass(world, SETTLED);
    assert_int_equal(world->domains[a].starts, 0);
    world_connect(world, 1);
    world_pass(world, 2 * SETTLED);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->replacement_name, "b");
    assert_int_equal(world->domains[a].starts, 0);
    world_expect(world, d, RECOVERY_EXHAUSTED);
    assert_closed(world);
}

/* Undefined while the daemon was down. */
static unsigned lose_failed_machine(struct world *world)
{
    unsigned a = world_add_three(world);

    world->holds = 1u << ACTION_GET_STATE;
    world_kill(world, a);
    world_drive(world);
    world->domains[a].exists = false;
    return a;
}

static void test_the_failed_machine_is_gone_when_its_recovery_goes_on(struct world *world)
{
    unsigned a = lose_failed_machine(world);

    restart_and_settle(world);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->replacement_name, "b"); /* as it was last known */
    assert_null(world_machine(world, a));
    assert_closed(world);
}

static void test_the_failed_machine_is_gone_and_its_description_was_not_written(struct world *world)
{
    unsigned a = lose_failed_machine(world);

    world_stop_daemon(world);
    free(world->remembered[a].document);
    world->remembered[a].document = NULL;
    world_start_daemon(world);
    world_connect_all(world);
    world_pass(world, 2 * SETTLED);
    world_expect(world, a, RECOVERY_EXHAUSTED); /* nothing is known of what it offered, so nothing can be compared */
    assert_null(world_machine(world, a));
    assert_closed(world);
}

static void test_what_a_machine_was_that_is_gone_is_kept_while_it_is_recovered(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING);
    struct machine_ref ref;

    world->domains[a].is_transient = true;
    world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    world_connect_all(world);
    ref = machine_ref_of(world_machine(world, a));
    world->holds = 1u << ACTION_START;
    world_kill(world, a);
    world_pass(world, USEC_PER_SEC);
    world->holds = 0;
    assert_false(pool_find(coordinator_pool(world->coordinator), ref.hypervisor, ref.uuid)->is_present);
    assert_int_equal(coordinator_memory(world->coordinator, &ref).state, MACHINE_SHUT_OFF);
    world_answer(world, world_find_pending(world, ACTION_START), false);
    world_pass(world, SETTLED);
    world_expect(world, a, RECOVERY_RECOVERED);
    assert_int_equal(world->remembered[a].memory.state, MACHINE_GONE);
}

static void test_the_hypervisor_is_no_longer_configured(struct world *world)
{
    for (unsigned away = 0; away < 2; away++) { /* the failed machine's, then the candidate's */
        const struct recovery *recovery = NULL;
        unsigned a;

        world_end(world);
        world_begin(world);
        a = world_add(world, "a", WEB, MACHINE_RUNNING);
        world_add(world, "b", WEB, MACHINE_SHUT_OFF);
        world->domains[away].hypervisor = 1;
        world_connect_all(world);
        world->holds = 1u << ACTION_START;
        world_kill(world, a);
        world_pass(world, USEC_PER_SEC);
        world_find_pending(world, ACTION_START);
        world->config.n_hypervisors = 1;
        world_restart_daemon(world);
        world_connect(world, 0);
        world_pass(world, 600 * USEC_PER_SEC);
        assert_int_equal(world_recoveries(world, a, &recovery), 1);
        assert_int_equal(recovery->state, RECOVERY_EXHAUSTED);
        assert_closed(world);
    }
}

/* Defined anew between the listing and the question: it is in no pool, and runs. */
static void test_the_candidate_appears_after_the_listing(struct world *world)
{
    unsigned a = world_add_three(world);

    world->holds = 1u << ACTION_START;
    world_kill(world, a);
    world_pass(world, USEC_PER_SEC);
    world->domains[a + 1].exists = false;
    world_restart_daemon(world);
    world->holds = 1u << ACTION_GET_STATE;
    world_connect_all(world);
    world->domains[a + 1].exists = true;
    world->domains[a + 1].state = MACHINE_RUNNING;
    world_release(world);
    world_tell(world, a + 1, EVENT_STARTED_BOOTED);
    world_pass(world, 2 * SETTLED);
    world_expect(world, a, RECOVERY_RECOVERED);
    assert_int_equal(world_count_running(world), 1);
    assert_closed(world);
}

static void test_the_pause_before_a_restart_is_cut_off(struct world *world)
{
    unsigned a;

    world->config.recovery.when_exhausted = EXHAUSTED_RESTART;
    a = world_add(world, "a", WEB, MACHINE_RUNNING);
    world_connect_all(world);
    world_kill(world, a);
    world_pass(world, USEC_PER_SEC);
    world_expect(world, a, RECOVERY_WAITING);
    restart_and_settle(world);
    world_expect(world, a, RECOVERY_RECOVERED);
    assert_int_equal(world->domains[a].starts, 1);
    assert_closed(world);
}

static void test_the_budget_is_remembered(struct world *world)
{
    const struct recovery *recovery = NULL;

    world->config.recovery.limit = 1;
    world_add_three(world);
    world_kill(world, 0);
    world_pass(world, SETTLED);
    restart_and_settle(world);
    world_kill(world, 1); /* the replacement, on the budget of a */
    world_pass(world, SETTLED);
    assert_int_equal(world_recoveries(world, 1, &recovery), 1);
    assert_int_equal(recovery->state, RECOVERY_EXHAUSTED);
    assert_non_null(strstr(recovery->detail, "recovery.limit"));
}

/* Its end never reached the disk; then its machine failed again, and that recovery is on disk as well. */
static void test_two_open_recoveries_of_one_machine(struct world *world)
{
    for (unsigned second = 0; second < 2; second++) { /* a again, or b that had taken its place */
        const struct recovery *recovery = NULL;
        unsigned a;

        world_end(world);
        world_begin(world);
        a = world_add_three(world);
        world->loses_writes = true;
        world_kill(world, a);
        world_pass(world, SETTLED);
        world_expect(world, a, RECOVERY_RECOVERED); /* on disk: an intent */
        if (second == 0) {
            world_shut_down(world, a + 1);
            world_boot(world, a);
            world_pass(world, SETTLED);
        }
        world->holds = 1u << ACTION_START;
        world_kill(world, a + second);
        world_pass(world, USEC_PER_SEC);
        world_find_pending(world, ACTION_START);
        world->loses_writes = false;
        restart_and_settle(world);
        assert_closed(world);
        assert_int_equal(world_recoveries(world, a + second, &recovery), second == 0 ? 2 : 1);
        assert_int_equal(recovery->state, RECOVERY_RECOVERED);
        assert_string_equal(recovery->replacement_name, second == 0 ? "b" : "a");
    }
}

/* ---- what is handed out ---- */

static void test_every_end_is_handed_out_however_short_the_history(struct world *world)
{
    char ids[4][RECOVERY_ID_SIZE];

    world->config.recovery.history_days = 0;
    world->config.recovery.brake.window_us = 0;
    world_add_many(world, 4, 4);
    world_connect_all(world);
    world->holds = 1u << ACTION_GET_STATE;
    for (unsigned i = 0; i < 4; i++)
        world_kill(world, i);
    world_drive(world);
    for (unsigned i = 0; i < 4; i++)
        memcpy(ids[i], coordinator_recovery(world->coordinator, i)->id, sizeof(ids[i]));
    world_pass(world, USEC_PER_SEC);
    world_release(world);
    world_pass(world, SETTLED); /* all of them end at once: there is no standby */
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(world_read_recovery(world, ids[i])->state, RECOVERY_EXHAUSTED);
}

static void test_what_is_written_is_handed_out_once(struct world *world)
{
    unsigned a = world_add_three(world);
    struct machine_ref ref;
    struct machine_memory memory;

    assert_null(coordinator_next_changed_recovery(world->coordinator));
    assert_false(coordinator_next_changed_machine(world->coordinator, &ref, &memory));
    world_kill(world, a);
    assert_non_null(coordinator_next_changed_recovery(world->coordinator));
    assert_null(coordinator_next_changed_recovery(world->coordinator));
    world_pass(world, SETTLED);
    assert_null(coordinator_next_changed_recovery(world->coordinator));
    assert_false(coordinator_next_changed_machine(world->coordinator, &ref, &memory));
    world_pass(world, 3 * world->config.discovery.resync_interval_us); /* a listing without news */
    assert_false(coordinator_next_changed_machine(world->coordinator, &ref, &memory));
}

static void test_ids_stay_distinct_within_one_second(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), b = world_add(world, "b", WEB, MACHINE_RUNNING);
    const struct recovery *of_a = NULL, *of_b = NULL;

    world_connect_all(world);
    world_kill(world, a);
    world_drive(world);
    world_restart_daemon(world);
    world_connect_all(world);
    world_kill(world, b);
    world_drive(world);
    assert_int_equal(world_recoveries(world, a, &of_a), 1);
    assert_int_equal(world_recoveries(world, b, &of_b), 1);
    assert_string_not_equal(of_a->id, of_b->id);
}

/* What b did a week ago does not make today's late start welcome. */
static void test_an_old_success_does_not_keep_a_late_start_alive(struct world *world)
{
    unsigned a = world_add_three(world), b = a + 1;
    const struct recovery *recovery = NULL;
    struct action_result success = {0};
    struct action late;

    world_kill(world, a);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->replacement_name, "b");
    world->domains[b].state = MACHINE_SHUT_OFF;
    world->domains[b].reason = REASON_DESTROYED;
    world->domains[b].started_for[0] = '\0';
    world_tell(world, b, EVENT_STOPPED_DESTROYED);
    world_boot(world, a);
    world_pass(world, SETTLED);

    world->holds = 1u << ACTION_START;
    world_kill(world, a);
    world_drive(world);
    late = world->pending[world_find_pending(world, ACTION_START)].action;
    world_answer_error(world, world_find_pending(world, ACTION_START), -ETIMEDOUT);
    world_release(world);
    world_pass(world, SETTLED);
    assert_int_equal(world_recoveries(world, a, &recovery), 2);
    assert_string_equal(recovery->replacement_name, "c");
    world->domains[b].state = MACHINE_RUNNING;
    success.id = late.id;
    coordinator_handle_late_result(world->coordinator, &late, &success, world->now);
    world_drive(world);
    assert_int_equal(world->domains[b].state, MACHINE_SHUT_OFF);
    assert_int_equal(world_count_running(world), 1);
}

/* It is found paused when its recovery is under way already: no grace period runs beside that. */
static void test_a_pause_that_is_being_recovered_does_not_fail_once_more(struct world *world)
{
    unsigned a = world_add_three(world);
    const struct recovery *last;

    world->domains[a].state = MACHINE_PAUSED;
    world->domains[a].reason = REASON_IO_ERROR;
    world->holds = 1u << ACTION_DESTROY;
    world_tell(world, a, EVENT_SUSPENDED_IO_ERROR);
    world_pass(world, world->config.failure.io_error_grace_us + USEC_PER_SEC);
    assert_int_equal(world->asked[ACTION_DESTROY], 1);
    assert_false(world->remembered[a].memory.failure_is_known); /* should the recovery be lost, it is found again */
    world_restart_daemon(world);
    world->holds = 1u << ACTION_DESTROY;
    world_connect_all(world);
    assert_int_equal(world->asked[ACTION_DESTROY], 2);
    world_kill_silently(world, a); /* and what libvirt tells of that is lost */
    world->holds = 0;
    world_answer(world, world_find_pending(world, ACTION_DESTROY), false);
    world_pass(world, world->config.failure.io_error_grace_us + 2 * SETTLED);
    assert_int_equal(world_recoveries(world, a, &last), 1);
    assert_int_equal(last->state, RECOVERY_RECOVERED);
}

/* And where its recovery ends without an answer, the machine still paused, that was told. */
static void test_a_pause_whose_recovery_was_resumed_and_given_up_is_told_once(struct world *world)
{
    unsigned a = world_add_three(world);

    world->domains[a].state = MACHINE_PAUSED;
    world->domains[a].reason = REASON_IO_ERROR;
    world->holds = 1u << ACTION_DESTROY;
    world_tell(world, a, EVENT_SUSPENDED_IO_ERROR);
    world_pass(world, world->config.failure.io_error_grace_us + USEC_PER_SEC);
    world_restart_daemon(world);
    world->holds = 1u << ACTION_DESTROY;
    world_connect_all(world);
    do {
        world_answer_error(world, world_find_pending(world, ACTION_DESTROY), -EIO);
        world_pass(world, 5 * USEC_PER_SEC);
    } while (world->n_pending > 0);
    world_expect(world, a, RECOVERY_EXHAUSTED);
    assert_true(world->remembered[a].memory.failure_is_known);
    world_tell(world, a, EVENT_SUSPENDED_IO_ERROR); /* libvirt tells it again */
    world_pass(world, 2 * world->config.failure.io_error_grace_us + SETTLED);
    world_expect(world, a, RECOVERY_EXHAUSTED); /* and no other one */
}

static int set_up_brief(void **state)
{
    int r = world_set_up(state);

    world_of_test()->lists_briefly = true;
    return r;
}

/* Where all definitions are read before the host counts as listed, and where that is done afterwards. */
#define restore_test(f) world_test(f), world_test_after(set_up_brief, f)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        restore_test(test_a_machine_that_was_down_before_is_not_found_crashed),
        restore_test(test_a_transient_machine_that_is_gone_is_told_of),
        restore_test(test_the_state_of_machines_is_handed_out_when_it_changes),
        restore_test(test_cut_off_anywhere_and_started_anew),
        restore_test(test_cut_off_again_and_again),
        restore_test(test_a_recovery_goes_on_only_when_its_hypervisors_are_listed),
        restore_test(test_machines_of_a_recovery_that_waits_are_not_taken),
        restore_test(test_the_failed_machine_is_gone_when_its_recovery_goes_on),
        restore_test(test_the_failed_machine_is_gone_and_its_description_was_not_written),
        restore_test(test_what_a_machine_was_that_is_gone_is_kept_while_it_is_recovered),
        restore_test(test_the_hypervisor_is_no_longer_configured),
        restore_test(test_the_candidate_appears_after_the_listing),
        restore_test(test_the_pause_before_a_restart_is_cut_off),
        restore_test(test_the_budget_is_remembered),
        restore_test(test_two_open_recoveries_of_one_machine),
        restore_test(test_every_end_is_handed_out_however_short_the_history),
        restore_test(test_what_is_written_is_handed_out_once),
        restore_test(test_ids_stay_distinct_within_one_second),
        restore_test(test_a_pause_that_is_being_recovered_does_not_fail_once_more),
        restore_test(test_a_pause_whose_recovery_was_resumed_and_given_up_is_told_once),
        restore_test(test_an_old_success_does_not_keep_a_late_start_alive),
    };

    return cmocka_run_group_tests_name("coordinator_restore", tests, NULL, NULL);
}
