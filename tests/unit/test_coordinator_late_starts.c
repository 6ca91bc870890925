/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Starts whose answer was lost: they may take effect at any time afterwards, and two machines must not serve for one
 * failure, whatever died in between.
 */
#include <errno.h>
#include <string.h>

#include "support.h"
#include "world.h"

/* The start of "b" was cut off, "b" was found off and given up, and "c" serves for "a". */
static unsigned replaced_by_c(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING);

    world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    world_add(world, "c", WEB, MACHINE_SHUT_OFF);
    world_connect_all(world);
    world->holds = 1u << ACTION_START;
    world_kill(world, a);
    world_drive(world);
    world_answer_error(world, world_find_pending(world, ACTION_START), -ENOTCONN);
    world_disconnect(world, 0);
    world->holds = 0;
    world_connect(world, 0);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->replacement_name, "c");
    assert_int_equal(world_expect(world, a, RECOVERY_RECOVERED)->attempts[0].fate, START_UNANSWERED);
    return a;
}

static void assert_only_c(const struct world *world, unsigned a)
{
    assert_int_equal(world->domains[a + 1].state, MACHINE_SHUT_OFF);
    assert_int_equal(world->domains[a + 2].state, MACHINE_RUNNING);
    assert_int_equal(world_count_running(world), 1);
    assert_int_equal(world_expect(world, a, RECOVERY_RECOVERED)->attempts[0].fate, START_UNANSWERED);
}

static void assert_is_ended(struct world *world, unsigned machine)
{
    world_boot(world, machine);
    world_pass(world, SETTLED);
    assert_int_equal(world->domains[machine].state, MACHINE_SHUT_OFF);
}

/* What comes up is the operator's doing, so long after the starts that nobody has heard of since the daemon died. */
static void assert_goes_on(struct world *world, unsigned machine)
{
    world_pass(world, world->config.recovery.start_timeout_us + world->config.recovery.late_start_us);
    world_boot(world, machine);
    world_pass(world, SETTLED);
    assert_int_equal(world->domains[machine].state, MACHINE_RUNNING);
}

static void test_a_start_that_was_given_up_takes_effect(struct world *world)
{
    unsigned a = replaced_by_c(world);
    unsigned told = world->told[NOTICE_ATTEMPT_FAILED];

    world_boot(world, a + 1);
    world_pass(world, SETTLED);
    assert_only_c(world, a);
    assert_int_equal(world->told[NOTICE_ATTEMPT_FAILED], told + 1);
    assert_non_null(strstr(world->last_text[NOTICE_ATTEMPT_FAILED], "b came up after recovery"));

    assert_goes_on(world, a + 1);
}

/* An operator was faster than the start that was cut off: that one may still come. */
static void test_it_takes_effect_after_one_that_an_operator_started_was_ended(struct world *world)
{
    unsigned a = replaced_by_c(world);

    assert_is_ended(world, a + 1);
    assert_is_ended(world, a + 1);
    assert_only_c(world, a);
}

static void test_it_takes_effect_when_the_daemon_was_started_anew(struct world *world)
{
    unsigned a = replaced_by_c(world);

    world_restart_daemon(world);
    world_connect_all(world);
    world_pass(world, SETTLED);
    world_boot(world, a + 1);
    world_pass(world, SETTLED);
    assert_only_c(world, a);
}

static void test_it_takes_effect_while_the_daemon_is_away(struct world *world)
{
    unsigned a = replaced_by_c(world);

    world->domains[a + 1].state = MACHINE_RUNNING;
    world_restart_daemon(world);
    world_connect_all(world);
    world_pass(world, SETTLED);
    assert_only_c(world, a);
}

static void test_the_daemon_dies_before_it_has_ended_it(struct world *world)
{
    unsigned a = replaced_by_c(world);

    world->holds = 1u << ACTION_DESTROY;
    world_boot(world, a + 1);
    world_drive(world);
    assert_int_equal(world_expect(world, a, RECOVERY_RECOVERED)->attempts[0].fate, START_CAME_LATE);
    world_restart_daemon(world);
    world_connect_all(world);
    world_pass(world, SETTLED);
    assert_only_c(world, a);
}

/* The daemon died over the first start of "b", and the second has this error: both may take effect, one by one. */
static unsigned started_twice(struct world *world, int error)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), b = world_add(world, "b", WEB, MACHINE_SHUT_OFF);

    world_connect_all(world);
    world->holds = 1u << ACTION_START;
    world_kill(world, a);
    world_drive(world);
    world_restart_daemon(world);
    world->holds = 1u << ACTION_START;
    world_connect_all(world);
    world_pass(world, SETTLED);
    world_answer_error(world, world_find_pending(world, ACTION_START), error);
    world->holds = 0;
    if (error == -ENOTCONN) {
        world_disconnect(world, 0);
        world_connect(world, 0);
    }
    world_pass(world, SETTLED);
    assert_int_equal(world_expect(world, a, RECOVERY_EXHAUSTED)->n_attempts, 2);
    return b;
}

/* The call that starts it for the latest recovery, which had timed out. */
static void answer_late(struct world *world, unsigned machine, int error)
{
    const size_t last = coordinator_recovery_count(world->coordinator) - 1;
    struct action start = {.kind = ACTION_START, .target = machine_ref_of(world_machine(world, machine))};
    struct action_result result = {.error = error};

    strcpy(start.recovery_id, coordinator_recovery(world->coordinator, last)->id);
    coordinator_handle_late_result(world->coordinator, &start, &result, world->now);
    world_drive(world);
}

static void test_two_starts_of_one_machine_take_effect(struct world *world)
{
    unsigned b = started_twice(world, -ENOTCONN), told = world->told[NOTICE_ATTEMPT_FAILED];

    assert_is_ended(world, b);
    assert_int_equal(world->told[NOTICE_ATTEMPT_FAILED], told + 1); /* it came up once, by one of them */
    assert_is_ended(world, b);
    assert_goes_on(world, b);
}

/* What is ended as if it had taken effect was started by other hands; it takes effect later, with the next daemon. */
static void test_a_start_that_hangs_is_still_to_come_when_other_hands_were_faster(struct world *world)
{
    unsigned b = started_twice(world, -ETIMEDOUT);

    assert_is_ended(world, b);
    assert_is_ended(world, b);
    world_restart_daemon(world);
    world_connect_all(world);
    assert_is_ended(world, b);
}

static void test_a_start_that_hung_is_over_when_it_is_answered(struct world *world)
{
    unsigned b = started_twice(world, -ETIMEDOUT);

    assert_is_ended(world, b);
    assert_is_ended(world, b);
    answer_late(world, b, -EIO);
    assert_goes_on(world, b);
}

/* Other hands were faster, and what the daemon that died had asked for takes effect afterwards. */
static void test_a_start_that_the_daemon_died_over_is_still_to_come_when_other_hands_were_faster(struct world *world)
{
    unsigned b = started_twice(world, -EIO);

    assert_is_ended(world, b);
    assert_is_ended(world, b);
    assert_goes_on(world, b);
}

/* Told after the end was answered, as an event that was on its way. */
static void test_news_of_the_one_start_does_not_stand_for_the_other(struct world *world)
{
    unsigned b = started_twice(world, -ENOTCONN);

    world_boot(world, b);
    world_drive(world);
    assert_int_equal(world->domains[b].state, MACHINE_SHUT_OFF);
    world_tell(world, b, EVENT_STARTED_BOOTED);
    world_pass(world, SETTLED);
    assert_is_ended(world, b);
}

/* It is protected as well: taken for running, it would be found crashed by the next listing. */
static void test_late_news_of_a_candidate_that_crashed_is_not_believed(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), b = world_add(world, "b", WEB, MACHINE_SHUT_OFF);

    world->domains[b].role = "protected,standby";
    world->domains[b].dies_at_once = true;
    world->domains[b].is_unheard = true;
    world_connect_all(world);
    world_kill(world, a);
    world_drive(world);
    world_expect(world, a, RECOVERY_EXHAUSTED);
    world->holds = 1u << ACTION_DESCRIBE;
    world_tell(world, b, EVENT_STARTED_BOOTED);
    world_drive(world);
    world_tell(world, b, EVENT_RESUMED); /* this is newer than the question */
    world_release(world);
    world_pass(world, world->config.discovery.resync_interval_us + SETTLED);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 1);
    assert_int_equal(world_machine(world, b)->state, MACHINE_SHUT_OFF);
}

/* It comes up by its first start while it is the candidate again, which it then is no more. */
static void test_what_comes_up_as_a_candidate_that_is_withdrawn_is_ended(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), b = world_add(world, "b", WEB, MACHINE_SHUT_OFF);

    world_add(world, "c", WEB, MACHINE_SHUT_OFF);
    world_connect_all(world);
    world->holds = 1u << ACTION_START;
    world_kill(world, a);
    world_drive(world);
    world_restart_daemon(world);
    world->holds = 1u << ACTION_RECORD;
    world_connect_all(world);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, a, RECOVERY_RECORDING)->replacement_name, "b");
    world_disconnect(world, 0);
    world->domains[b].state = MACHINE_RUNNING;
    world->holds |= 1u << ACTION_LIST;
    world_connect(world, 0);
    world_drive(world);
    world_answer(world, world_find_pending(world, ACTION_RECORD), true);
    world_drive(world);
    world_release(world);
    world_pass(world, SETTLED);
    world_expect(world, a, RECOVERY_RECOVERED);
    assert_int_equal(world->domains[b].destroys, 2);
    assert_int_equal(world_count_running(world), 1);
}

static void test_it_cannot_be_ended_at_once(struct world *world)
{
    unsigned a = replaced_by_c(world);

    world->holds = 1u << ACTION_DESTROY;
    world_boot(world, a + 1);
    world_drive(world);
    world_answer_error(world, world_find_pending(world, ACTION_DESTROY), -EIO);
    assert_int_equal(world->domains[a + 1].state, MACHINE_RUNNING);
    world->holds = 0;
    world_pass(world, SETTLED);
    assert_only_c(world, a);
}

/* Its start is older than the question, so that it does not speak against the answer. */
static void test_an_end_that_is_answered_before_it_is_told_is_asked_for_once(struct world *world)
{
    unsigned a = replaced_by_c(world);
    unsigned asked = world->asked[ACTION_DESTROY];

    world->answers_first = true;
    world_boot(world, a + 1);
    world_pass(world, SETTLED);
    assert_only_c(world, a);
    assert_int_equal(world->asked[ACTION_DESTROY], asked + 1);
}

static void test_after_a_while_it_is_the_operators_doing(struct world *world)
{
    unsigned a = replaced_by_c(world);

    unsigned destroys = world->domains[a + 1].destroys;

    world_pass(world, world->config.recovery.start_timeout_us + world->config.recovery.late_start_us);
    world_boot(world, a + 1);
    world_pass(world, SETTLED);
    assert_int_equal(world->domains[a + 1].state, MACHINE_RUNNING);
    assert_int_equal(world->domains[a + 1].destroys, destroys);
}

/* It may come up by itself: who would choose it might be told that it runs already. */
static void test_it_is_no_candidate_meanwhile(struct world *world)
{
    unsigned a = replaced_by_c(world);

    world_kill(world, a + 2);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, a + 2, RECOVERY_RECOVERED)->replacement_name, "a");
    assert_int_equal(world_count_running(world), 1);
}

static void test_the_failed_machine_itself_is_welcome_whenever_it_comes(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING);

    world->config.recovery.when_exhausted = EXHAUSTED_RESTART;
    world->config.recovery.restart_attempts = 1;
    world_connect_all(world);
    world->holds = 1u << ACTION_START;
    world_kill(world, a);
    world_pass(world, 60 * USEC_PER_SEC);
    world_answer_error(world, world_find_pending(world, ACTION_START), -ETIMEDOUT);
    world->holds = 0;
    world_pass(world, SETTLED);
    world_expect(world, a, RECOVERY_EXHAUSTED);
    world_boot(world, a);
    world_pass(world, SETTLED);
    assert_int_equal(world->domains[a].state, MACHINE_RUNNING);
}

/* The hypervisor says that it runs, and then that it stopped; the first answer comes last. */
static void test_news_overtakes_the_answer(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING);

    world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    world_connect_all(world);
    world->holds = 1u << ACTION_GET_STATE;
    world_kill(world, a);
    world_boot(world, a);
    world_drive(world);
    world_kill(world, a);
    world_drive(world);
    while (world->n_pending > 0)
        world_answer(world, 0, true); /* as it was when it was asked */
    world->holds = 0;
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->replacement_name, "b");
}

/* It is told dismissed because it runs, although no event told of its coming back: it may fail again. */
static void test_a_dismissed_machine_fails_again(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING);
    const struct recovery *second = NULL;

    world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    world_connect_all(world);
    world_pass(world, 10 * USEC_PER_SEC); /* no listing is due soon */
    world_happen(world, a, EVENT_SUSPENDED_IO_ERROR);
    world_drive(world);
    world->domains[a].state = MACHINE_RUNNING; /* and no event tells of it */
    world_pass(world, world->config.failure.io_error_grace_us + SETTLED);
    world_expect(world, a, RECOVERY_DISMISSED);
    world_kill(world, a);
    world_pass(world, SETTLED);
    assert_int_equal(world_recoveries(world, a, &second), 2);
    assert_int_equal(second->state, RECOVERY_RECOVERED);
}

/* A failure that was left alone is told once, also by the next daemon. */
static void test_a_failure_that_was_left_alone_is_told_once(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING);

    world->config.mode = MODE_OBSERVE;
    world_connect_all(world);
    world_happen(world, a, EVENT_SUSPENDED_IO_ERROR);
    world_pass(world, world->config.failure.io_error_grace_us + SETTLED);
    world_expect(world, a, RECOVERY_EXHAUSTED);
    world_restart_daemon(world);
    world_connect_all(world);
    world_pass(world, world->config.failure.io_error_grace_us + SETTLED);
    assert_int_equal(world->domains[a].state, MACHINE_PAUSED);
    world_expect(world, a, RECOVERY_EXHAUSTED); /* the same one */
    assert_true(world_machine(world, a)->failed_unrecovered);
}

/* The operator starts the failed machine while its candidate does not come up: none is needed. It may fail again. */
static void test_a_machine_that_is_started_while_its_recovery_fails(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), b = world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    const struct recovery *second = NULL;

    world_connect_all(world);
    world->domains[b].dies_at_once = true;
    world->holds = 1u << ACTION_START;
    world_kill(world, a);
    world_drive(world);
    world_boot(world, a);
    world_drive(world);
    world_release(world);
    world_pass(world, SETTLED);
    world_expect(world, a, RECOVERY_DISMISSED);
    world_restart_daemon(world);
    world_connect_all(world);
    world_kill(world, a);
    world_pass(world, SETTLED);
    assert_int_equal(world_recoveries(world, a, &second), 2);
}

/* To end what an operator had started there was tried in vain, and is tried again later: the start itself cannot wait. */
static void test_a_start_that_comes_while_an_end_waits_to_be_tried_again(struct world *world)
{
    unsigned a = replaced_by_c(world), b = a + 1;
    struct action start = {.kind = ACTION_START, .target = machine_ref_of(world_machine(world, b))};
    struct action_result done = {.error = 0};

    strcpy(start.recovery_id, world_expect(world, a, RECOVERY_RECOVERED)->id);
    world->holds = 1u << ACTION_DESTROY;
    world_boot(world, b);
    world_drive(world);
    world_answer_error(world, world_find_pending(world, ACTION_DESTROY), -EIO);
    world->holds = 0;
    coordinator_handle_late_result(world->coordinator, &start, &done, world->now);
    world_drive(world);
    assert_int_equal(world->domains[b].state, MACHINE_SHUT_OFF);
}

static void test_the_failed_machine_is_not_started_into_a_used_disk(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), other;

    other = world_add(world, "other", "database/oracle", MACHINE_SHUT_OFF);
    world->domains[a].disk = world->domains[other].disk = "/shared.img";
    world->config.recovery.when_exhausted = EXHAUSTED_RESTART;
    world_connect_all(world);
    world_kill(world, a);
    world_drive(world);
    world_boot(world, other);
    world_pass(world, 120 * USEC_PER_SEC);
    world_expect(world, a, RECOVERY_EXHAUSTED);
    assert_non_null(strstr(world_expect(world, a, RECOVERY_EXHAUSTED)->detail, "/shared.img is in use by other"));
    assert_int_equal(world->domains[a].starts, 0);
}

/* The hypervisor took the end first and the start, which was long overdue, after it. */
static void test_a_start_that_overtakes_its_own_end_is_ended_all_the_same(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), b = world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    struct action start;
    struct action_result done = {0};

    world_add(world, "c", WEB, MACHINE_SHUT_OFF);
    world_connect_all(world);
    world->holds = 1u << ACTION_START | 1u << ACTION_DESTROY;
    world_kill(world, a);
    world_pass(world, USEC_PER_SEC);
    start = world->pending[world_find_pending(world, ACTION_START)].action;
    world_answer_error(world, world_find_pending(world, ACTION_START), -ETIMEDOUT);
    strcpy(world->domains[b].started_for, start.recovery_id);
    world_boot(world, b);
    done.id = start.id;
    coordinator_handle_late_result(world->coordinator, &start, &done, world->now);
    world_drive(world);
    world_answer_error(world, world_find_pending(world, ACTION_DESTROY), 0);
    world_release(world);
    world_pass(world, 2 * SETTLED);
    assert_int_equal(world->domains[b].state, MACHINE_SHUT_OFF);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->replacement_name, "c");
}

/* Its end found it off, and was answered after its start, which it was faster than; that it came up is told last. */
static void test_a_start_that_is_answered_while_it_is_being_ended_is_ended_all_the_same(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), b = world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    struct action start;
    struct action_result done = {0};

    world_connect_all(world);
    world->holds = 1u << ACTION_START | 1u << ACTION_DESTROY;
    world_kill(world, a);
    world_pass(world, USEC_PER_SEC);
    start = world->pending[world_find_pending(world, ACTION_START)].action;
    world_answer_error(world, world_find_pending(world, ACTION_START), -ETIMEDOUT);
    world_drive(world);
    done.id = start.id;
    coordinator_handle_late_result(world->coordinator, &start, &done, world->now);
    world_answer_error(world, world_find_pending(world, ACTION_DESTROY), 0);
    strcpy(world->domains[b].started_for, start.recovery_id);
    world->holds = 0;
    world_boot(world, b);
    world_release(world);
    world_pass(world, 2 * SETTLED);
    assert_int_equal(world->domains[b].state, MACHINE_SHUT_OFF);
    world_expect(world, a, RECOVERY_EXHAUSTED);
}

/* Half up when its start was given up, it is to be ended; its end waits for the operator, and it comes up meanwhile. */
static void test_a_start_that_takes_effect_while_its_end_is_held_back_is_not_ended(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), b = world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    struct machine_ref failed;

    world_connect_all(world);
    world->holds = 1u << ACTION_START;
    world_kill(world, a);
    world_pass(world, USEC_PER_SEC);
    failed = world_expect(world, a, RECOVERY_STARTING)->failed;
    assert_int_equal(coordinator_hold(world->coordinator, HOLD_MACHINE, &failed, "a", "looked at", NULL, 0, world->now),
                     0);
    world->domains[b].state = MACHINE_PAUSED;
    world_answer_error(world, world_find_pending(world, ACTION_START), -ETIMEDOUT);
    world_pass(world, USEC_PER_SEC);
    world_expect(world, a, RECOVERY_STOPPING);
    world_boot(world, b);
    world_pass(world, 2 * SETTLED);
    assert_int_equal(world->domains[b].state, MACHINE_RUNNING);
    assert_int_equal(coordinator_release(world->coordinator, HOLD_MACHINE, &failed, world->now), 0);
    world_pass(world, 2 * SETTLED);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->replacement_name, "b");
}

/* It was ended as a candidate that did not come up, an operator starts it at once, and its process dies a moment later. */
static void test_a_candidate_that_was_ended_and_is_started_by_an_operator_fails(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), b = world_add(world, "b", WEB, MACHINE_SHUT_OFF);

    world->domains[b].role = "protected,standby";
    world_connect_all(world);
    world->holds = 1u << ACTION_START;
    world_kill(world, a);
    world_drive(world);
    world_answer_error(world, world_find_pending(world, ACTION_START), -EIO);
    world->holds = 0;
    world_drive(world);
    world_expect(world, a, RECOVERY_EXHAUSTED);
    world_boot(world, b);
    world_pass(world, USEC_PER_SEC / 5);
    world_kill(world, b);
    world_pass(world, USEC_PER_SEC / 5);
    assert_int_equal(world->told[NOTICE_FAILURE_DETECTED], 2);
}

/* Nothing could take its place; a standby as well, it is none while it stands as failed. The daemon is started anew. */
static unsigned fail_and_restart(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), b = world_add(world, "b", WEB, MACHINE_RUNNING);

    world->domains[a].role = "standby,protected";
    world->domains[b].role = "protected";
    world_connect_all(world);
    world_kill(world, a);
    world_pass(world, SETTLED);
    world_expect(world, a, RECOVERY_EXHAUSTED);
    assert_true(world_machine(world, a)->failed_unrecovered);
    world_restart_daemon(world);
    return a;
}

static void connect_and_settle(struct world *world)
{
    world_connect_all(world);
    world_pass(world, SETTLED);
}

/* While the daemon was not running, it was started by hand and shut down: it is not the one that failed any more. */
static void test_a_failed_machine_that_ran_and_was_stopped_meanwhile_stands_by(struct world *world)
{
    unsigned a = fail_and_restart(world);

    world->domains[a].reason = REASON_SHUTDOWN;
    connect_and_settle(world);
    assert_false(world_machine(world, a)->failed_unrecovered);
}

/* libvirtd was restarted as well, and does not know any more why it is off: that says nothing else. */
static void test_a_failed_machine_of_which_libvirtd_has_forgotten_why_it_is_off_is_still_failed(struct world *world)
{
    unsigned a = fail_and_restart(world);

    world->domains[a].reason = REASON_UNKNOWN;
    connect_and_settle(world);
    assert_true(world_machine(world, a)->failed_unrecovered);
    world_expect(world, a, RECOVERY_EXHAUSTED);
}

/* In two recoveries, the one after the other: each may take effect, and one of them does not stand for both. */
static void test_two_starts_that_were_cut_off_take_effect(struct world *world)
{
    unsigned a = replaced_by_c(world), b = a + 1;

    world->domains[a].role = "protected";
    world_tell(world, a, EVENT_CHANGED);
    world_tell(world, b, EVENT_DEFINED); /* which ends its quarantine */
    world_drive(world);
    world->holds = 1u << ACTION_START;
    world_kill(world, a + 2);
    world_drive(world);
    world_answer_error(world, world_find_pending(world, ACTION_START), -ENOTCONN);
    world_disconnect(world, 0);
    world->holds = 0;
    world_connect(world, 0);
    world_pass(world, SETTLED);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(world->domains[b].state, MACHINE_SHUT_OFF);
        world_boot(world, b);
        world_pass(world, SETTLED);
    }
    assert_int_equal(world->domains[b].state, MACHINE_SHUT_OFF);
}

/* Its late answer says that it failed, while another recovery has "b" in hand; that one lets it go, since it runs. */
static void test_it_takes_effect_while_another_recovery_has_the_machine_in_hand(struct world *world)
{
    static const struct action_result failed = {.error = -EIO, .message = "it did not start"};
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), d;
    struct action start;
    size_t place;

    world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    world_add(world, "c", WEB, MACHINE_SHUT_OFF);
    d = world_add(world, "d", WEB, MACHINE_RUNNING);
    world_connect_all(world);
    world->holds = 1u << ACTION_START;
    world_kill(world, a);
    world_drive(world);
    place = world_find_pending(world, ACTION_START);
    start = world->pending[place].action;
    world->holds = 0;
    world_answer_error(world, place, -ETIMEDOUT);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->replacement_name, "c");

    world_tell(world, a + 1, EVENT_DEFINED); /* which ends its quarantine */
    world_drive(world);
    world->holds = 1u << ACTION_RECORD;
    world_kill(world, d);
    world_drive(world);
    world_find_pending(world, ACTION_RECORD);
    world_boot(world, a + 1);
    coordinator_handle_late_result(world->coordinator, &start, &failed, world->now);
    world_drive(world);
    world_release(world);
    world_pass(world, SETTLED);
    assert_int_equal(world->domains[a + 1].state, MACHINE_SHUT_OFF);
    assert_int_equal(world_expect(world, a, RECOVERY_RECOVERED)->attempts[0].fate, START_SETTLED);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        world_test(test_a_start_that_was_given_up_takes_effect),
        world_test(test_it_takes_effect_when_the_daemon_was_started_anew),
        world_test(test_it_takes_effect_after_one_that_an_operator_started_was_ended),
        world_test(test_it_takes_effect_while_another_recovery_has_the_machine_in_hand),
        world_test(test_two_starts_that_were_cut_off_take_effect),
        world_test(test_it_takes_effect_while_the_daemon_is_away),
        world_test(test_the_daemon_dies_before_it_has_ended_it),
        world_test(test_two_starts_of_one_machine_take_effect),
        world_test(test_a_start_that_hangs_is_still_to_come_when_other_hands_were_faster),
        world_test(test_a_start_that_hung_is_over_when_it_is_answered),
        world_test(test_a_start_that_the_daemon_died_over_is_still_to_come_when_other_hands_were_faster),
        world_test(test_news_of_the_one_start_does_not_stand_for_the_other),
        world_test(test_what_comes_up_as_a_candidate_that_is_withdrawn_is_ended),
        world_test(test_late_news_of_a_candidate_that_crashed_is_not_believed),
        world_test(test_it_cannot_be_ended_at_once),
        world_test(test_an_end_that_is_answered_before_it_is_told_is_asked_for_once),
        world_test(test_after_a_while_it_is_the_operators_doing),
        world_test(test_it_is_no_candidate_meanwhile),
        world_test(test_the_failed_machine_itself_is_welcome_whenever_it_comes),
        world_test(test_news_overtakes_the_answer),
        world_test(test_a_dismissed_machine_fails_again),
        world_test(test_a_failure_that_was_left_alone_is_told_once),
        world_test(test_a_machine_that_is_started_while_its_recovery_fails),
        world_test(test_a_start_that_overtakes_its_own_end_is_ended_all_the_same),
        world_test(test_a_start_that_is_answered_while_it_is_being_ended_is_ended_all_the_same),
        world_test(test_a_start_that_takes_effect_while_its_end_is_held_back_is_not_ended),
        world_test(test_a_candidate_that_was_ended_and_is_started_by_an_operator_fails),
        world_test(test_a_start_that_comes_while_an_end_waits_to_be_tried_again),
        world_test(test_the_failed_machine_is_not_started_into_a_used_disk),
        world_test(test_a_failed_machine_that_ran_and_was_stopped_meanwhile_stands_by),
        world_test(test_a_failed_machine_of_which_libvirtd_has_forgotten_why_it_is_off_is_still_failed),
    };

    return cmocka_run_group_tests_name("coordinator_late_starts", tests, NULL, NULL);
}
