/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of lib/detect/README.md, walked event by event to its verdict, and what happens when events
 * come twice, late, in another order or not at all.
 */
#include "detect/failure.h"

#include <string.h>

#include "support.h"

#define GRACE_US (10 * USEC_PER_SEC)

/* One machine as its hypervisor tells of it: keeps the known state as the coordinator would. */
struct fixture {
    struct config config;
    struct failure_track track;
    struct failure_panics panics;
    struct failure_context context;
    unsigned detected;
    enum failure_cause cause; /* of the last detection */
};

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){.config = default_config()};
    fixture.config.failure.io_error_grace_us = GRACE_US;
    fixture.config.failure.watchdog_grace_us = GRACE_US;
    fixture.context = (struct failure_context){
        .config = &fixture.config.failure,
        .panics = &fixture.panics,
        .on_crash = ON_CRASH_DESTROY,
        .known = MACHINE_RUNNING,
        .now = {.mono_us = 1000 * USEC_PER_SEC, .real_us = 1700000000 * USEC_PER_SEC},
    };
    *state = &fixture;
    return 0;
}

static void begin_anew(struct fixture *fixture)
{
    fixture->track = (struct failure_track){0};
    fixture->panics = (struct failure_panics){0};
}

static void pass(struct fixture *fixture, int64_t duration_us)
{
    fixture->context.now.mono_us += duration_us;
    fixture->context.now.real_us += duration_us;
}

static struct failure_verdict note(struct fixture *fixture, struct failure_verdict verdict)
{
    assert_non_null(verdict.why);
    if (verdict.kind == FAILURE_DETECTED) {
        assert_int_not_equal(verdict.cause, CAUSE_NONE);
        fixture->detected++;
        fixture->cause = verdict.cause;
    }
    return verdict;
}

static enum failure_kind tell(struct fixture *fixture, enum domain_event_kind event)
{
    struct failure_verdict verdict = note(fixture, failure_handle_event(&fixture->track, event, &fixture->context));

    domain_event_state(event, &fixture->context.known, &fixture->context.known_reason);
    return verdict.kind;
}

static enum failure_kind list(struct fixture *fixture, enum machine_state state, enum machine_reason reason)
{
    struct failure_verdict verdict =
        note(fixture, failure_handle_listing(&fixture->track, state, reason, &fixture->context));

    fixture->context.known = state;
    fixture->context.known_reason = reason;
    return verdict.kind;
}

static enum failure_kind tick(struct fixture *fixture)
{
    return note(fixture, failure_tick(&fixture->track, &fixture->context)).kind;
}

/* Every event in turn; afterwards exactly one failure of this cause was told. */
#define assert_failure(fixture, expected_cause, ...)                                                                   \
    do {                                                                                                               \
        const enum domain_event_kind events_[] = {__VA_ARGS__};                                                        \
        unsigned before_ = (fixture)->detected;                                                                        \
        for (size_t i_ = 0; i_ < ELEMENTS_OF(events_); i_++)                                                           \
            tell(fixture, events_[i_]);                                                                                \
        assert_int_equal((fixture)->detected, before_ + 1);                                                            \
        assert_int_equal((fixture)->cause, expected_cause);                                                            \
    } while (0)

/* Every event in turn; the last is a planned stop, and none a failure or the beginning of one. */
#define assert_planned(fixture, ...)                                                                                   \
    do {                                                                                                               \
        const enum domain_event_kind events_[] = {__VA_ARGS__};                                                        \
        unsigned before_ = (fixture)->detected;                                                                        \
        enum failure_kind last_ = FAILURE_NONE;                                                                        \
        for (size_t i_ = 0; i_ < ELEMENTS_OF(events_); i_++)                                                           \
            last_ = tell(fixture, events_[i_]);                                                                        \
        assert_int_equal(last_, FAILURE_PLANNED);                                                                      \
        assert_int_equal((fixture)->detected, before_);                                                                \
        assert_int_equal(failure_deadline(&(fixture)->track), USEC_INFINITY);                                          \
    } while (0)

static void boot(struct fixture *fixture)
{
    assert_int_equal(tell(fixture, EVENT_STARTED_BOOTED), FAILURE_NONE);
    assert_int_equal(tell(fixture, EVENT_RESUMED), FAILURE_NONE);
    assert_int_equal(fixture->context.known, MACHINE_RUNNING);
}

/* ---- the rows of the table ---- */

static void test_qemu_dies(void **state)
{
    assert_failure((struct fixture *)*state, CAUSE_PROCESS_DIED, EVENT_STOPPED_FAILED);
}

static void test_panic_with_destroy_is_one_failure(void **state)
{
    assert_failure((struct fixture *)*state, CAUSE_PANICKED, EVENT_CRASHED_PANICKED, EVENT_STOPPED_CRASHED);
}

static void test_panic_with_preserve(void **state)
{
    struct fixture *fixture = *state;

    fixture->context.on_crash = ON_CRASH_PRESERVE;
    assert_failure(fixture, CAUSE_PANIC_PRESERVED, EVENT_CRASHED_PANICKED);
    assert_int_equal(fixture->context.known, MACHINE_CRASHED);
}

/* What libvirt tells for one panic that it answers by a restart. */
static enum failure_kind panic_and_restart(struct fixture *fixture)
{
    enum failure_kind kind = tell(fixture, EVENT_CRASHED_PANICKED);

    pass(fixture, USEC_PER_SEC);
    tell(fixture, EVENT_REBOOT);
    tell(fixture, EVENT_RESUMED);
    return kind;
}

static void test_panic_with_restart_fails_when_it_loops(void **state)
{
    struct fixture *fixture = *state;

    fixture->context.on_crash = ON_CRASH_RESTART;
    assert_int_equal(panic_and_restart(fixture), FAILURE_NOTED);
    assert_int_equal(panic_and_restart(fixture), FAILURE_NOTED);
    assert_int_equal(fixture->detected, 0);
    assert_int_equal(tell(fixture, EVENT_CRASHED_PANICKED), FAILURE_DETECTED);
    assert_int_equal(fixture->cause, CAUSE_PANIC_LOOP);
}

static void test_panics_that_are_far_apart_are_no_loop(void **state)
{
    struct fixture *fixture = *state;

    fixture->context.on_crash = ON_CRASH_RESTART;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(panic_and_restart(fixture), FAILURE_NOTED);
        pass(fixture, fixture->config.failure.panic_window_us);
    }
    assert_int_equal(fixture->detected, 0);
}

static void test_a_loop_after_quiet_times_is_still_found(void **state)
{
    struct fixture *fixture = *state;

    fixture->context.on_crash = ON_CRASH_RESTART;
    panic_and_restart(fixture);
    pass(fixture, 2 * fixture->config.failure.panic_window_us);
    panic_and_restart(fixture);
    panic_and_restart(fixture);
    assert_int_equal(fixture->detected, 0);
    panic_and_restart(fixture);
    assert_int_equal(fixture->detected, 1);
    assert_int_equal(fixture->cause, CAUSE_PANIC_LOOP);
}

/* Three within ten minutes, whatever happened nine minutes before the first of them. */
static void test_the_panic_window_slides(void **state)
{
    struct fixture *fixture = *state;
    const int64_t minute_us = 60 * USEC_PER_SEC;

    fixture->context.on_crash = ON_CRASH_RESTART;
    panic_and_restart(fixture);
    pass(fixture, 9 * minute_us);
    panic_and_restart(fixture);
    pass(fixture, 2 * minute_us);
    panic_and_restart(fixture);
    assert_int_equal(fixture->detected, 0);
    pass(fixture, 2 * minute_us);
    panic_and_restart(fixture);
    assert_int_equal(fixture->detected, 1);
}

static void test_a_limit_of_one_makes_every_panic_a_failure(void **state)
{
    struct fixture *fixture = *state;

    fixture->config.failure.panic_limit = 1;
    fixture->context.on_crash = ON_CRASH_RESTART;
    assert_failure(fixture, CAUSE_PANIC_LOOP, EVENT_CRASHED_PANICKED);
}

static void test_kdump_is_noted(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(tell(fixture, EVENT_CRASHED_CRASHLOADED), FAILURE_NOTED);
    assert_int_equal(fixture->context.known, MACHINE_RUNNING);
}

static void test_guest_powers_off(void **state)
{
    assert_planned((struct fixture *)*state, EVENT_SHUTDOWN_GUEST, EVENT_STOPPED_SHUTDOWN);
}

static void test_host_kills_qemu(void **state)
{
    assert_failure((struct fixture *)*state, CAUSE_HOST_KILL, EVENT_SHUTDOWN_HOST, EVENT_STOPPED_SHUTDOWN);
}

static void test_host_shuts_down(void **state)
{
    struct fixture *fixture = *state;

    fixture->context.host_is_shutting_down = true;
    assert_planned(fixture, EVENT_SHUTDOWN_HOST, EVENT_STOPPED_SHUTDOWN);
}

/* The word that the host goes down may come between the signal and the end of QEMU. */
static void test_host_shuts_down_known_late(void **state)
{
    struct fixture *fixture = *state;

    tell(fixture, EVENT_SHUTDOWN_HOST);
    fixture->context.host_is_shutting_down = true;
    assert_planned(fixture, EVENT_STOPPED_SHUTDOWN);
}

static void test_host_kill_may_be_declared_planned(void **state)
{
    struct fixture *fixture = *state;

    fixture->config.failure.host_kill_is_failure = false;
    assert_planned(fixture, EVENT_SHUTDOWN_HOST, EVENT_STOPPED_SHUTDOWN);
}

static void test_operator_destroys(void **state)
{
    assert_planned((struct fixture *)*state, EVENT_SHUTDOWN_HOST, EVENT_STOPPED_DESTROYED);
}

static void test_destroyed_for_a_drill(void **state)
{
    struct fixture *fixture = *state;

    fixture->context.is_drilled = true;
    assert_failure(fixture, CAUSE_DRILL, EVENT_SHUTDOWN_HOST, EVENT_STOPPED_DESTROYED);
    assert_int_equal(tell(fixture, EVENT_STOPPED_DESTROYED), FAILURE_NONE);
    boot(fixture);
    /* What else may happen to it is what it is. */
    assert_planned(fixture, EVENT_SHUTDOWN_GUEST, EVENT_STOPPED_SHUTDOWN);
    boot(fixture);
    assert_planned(fixture, EVENT_STOPPED_SAVED);
    boot(fixture);
    assert_failure(fixture, CAUSE_PROCESS_DIED, EVENT_STOPPED_FAILED);
}

static void test_found_destroyed_for_a_drill(void **state)
{
    static const enum machine_state found[] = {MACHINE_SHUT_OFF, MACHINE_GONE};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ELEMENTS_OF(found); i++) {
        begin_anew(fixture);
        fixture->context.is_drilled = true;
        fixture->context.known = MACHINE_RUNNING;
        assert_int_equal(list(fixture, found[i], REASON_DESTROYED), FAILURE_DETECTED);
        assert_int_equal(fixture->cause, CAUSE_DRILL);
        assert_int_equal(list(fixture, found[i], REASON_DESTROYED), FAILURE_NONE);
    }
}

static void test_operator_shuts_down(void **state)
{
    struct fixture *fixture = *state;
    static const enum domain_event_kind shutdowns[] = {EVENT_SHUTDOWN_FINISHED, EVENT_SHUTDOWN_GUEST};

    for (size_t i = 0; i < ELEMENTS_OF(shutdowns); i++) {
        assert_planned(fixture, shutdowns[i], EVENT_STOPPED_SHUTDOWN);
        boot(fixture);
    }
    assert_planned(fixture, EVENT_STOPPED_SHUTDOWN);
}

static void test_save_migration_and_revert(void **state)
{
    static const enum domain_event_kind stops[] = {EVENT_STOPPED_SAVED, EVENT_STOPPED_MIGRATED,
                                                   EVENT_STOPPED_FROM_SNAPSHOT, EVENT_STOPPED_DESTROYED};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ELEMENTS_OF(stops); i++) {
        assert_planned(fixture, stops[i]);
        boot(fixture);
    }
}

static void test_operator_suspends(void **state)
{
    struct fixture *fixture = *state;

    assert_planned(fixture, EVENT_SUSPENDED_PAUSED);
    pass(fixture, 100 * GRACE_US);
    assert_int_equal(tick(fixture), FAILURE_NONE);
    assert_int_equal(tell(fixture, EVENT_RESUMED), FAILURE_NONE);
}

static void test_io_error_fails_after_its_grace(void **state)
{
    struct fixture *fixture = *state;
    int64_t begun_us = fixture->context.now.mono_us;

    assert_int_equal(tell(fixture, EVENT_SUSPENDED_IO_ERROR), FAILURE_PENDING);
    assert_int_equal(failure_deadline(&fixture->track), begun_us + GRACE_US);
    pass(fixture, GRACE_US - 1);
    assert_int_equal(tick(fixture), FAILURE_NONE);
    pass(fixture, 1);
    assert_int_equal(tick(fixture), FAILURE_DETECTED);
    assert_int_equal(fixture->cause, CAUSE_IO_ERROR);
    assert_int_equal(failure_deadline(&fixture->track), USEC_INFINITY);
    assert_int_equal(tick(fixture), FAILURE_NONE);
}

/* The time that it was paused is none of the next failure's. */
static void test_an_io_error_that_ended_in_time_is_forgotten(void **state)
{
    struct fixture *fixture = *state;

    tell(fixture, EVENT_SUSPENDED_IO_ERROR);
    assert_true(moment_has_come(fixture->track.pending_since));
    tell(fixture, EVENT_RESUMED);
    assert_false(moment_has_come(fixture->track.pending_since));
}

static void test_the_watchdog_leaves_it_paused(void **state)
{
    struct fixture *fixture = *state;

    tell(fixture, EVENT_WATCHDOG);
    assert_int_equal(tell(fixture, EVENT_SUSPENDED_WATCHDOG), FAILURE_PENDING);
    pass(fixture, GRACE_US);
    assert_int_equal(tick(fixture), FAILURE_DETECTED);
    assert_int_equal(fixture->cause, CAUSE_WATCHDOG);
}

static void test_the_watchdog_takes_it_down(void **state)
{
    struct fixture *fixture = *state;

    assert_failure(fixture, CAUSE_WATCHDOG, EVENT_WATCHDOG_OFF, EVENT_SHUTDOWN_GUEST, EVENT_STOPPED_SHUTDOWN);
    boot(fixture);
    assert_failure(fixture, CAUSE_WATCHDOG, EVENT_WATCHDOG_OFF, EVENT_STOPPED_SHUTDOWN);
}

static void test_the_watchdog_resets_or_only_reports(void **state)
{
    struct fixture *fixture = *state;

    tell(fixture, EVENT_WATCHDOG);
    tell(fixture, EVENT_REBOOT);
    pass(fixture, GRACE_US);
    assert_int_equal(tick(fixture), FAILURE_NONE);
    assert_planned(fixture, EVENT_SHUTDOWN_GUEST, EVENT_STOPPED_SHUTDOWN);
}

/* ---- a guest that is reset ---- */

static void test_resets_are_no_failure(void **state)
{
    struct fixture *fixture = *state;

    for (int i = 0; i < 40; i++) {
        assert_int_equal(tell(fixture, EVENT_REBOOT), FAILURE_NONE);
        pass(fixture, USEC_PER_SEC);
    }
    assert_int_equal(fixture->detected, 0);
}

static void test_resets_repeat_as_often_as_panics_make_a_loop(void **state)
{
    struct fixture *fixture = *state;
    const struct config_failure *config = &fixture->config.failure;

    for (unsigned i = 0; i < config->panic_limit; i++) {
        assert_false(failure_resets_repeat(&fixture->panics, config, fixture->context.now));
        pass(fixture, 10 * USEC_PER_SEC);
        tell(fixture, EVENT_REBOOT);
    }
    assert_true(failure_resets_repeat(&fixture->panics, config, fixture->context.now));
    pass(fixture, config->panic_window_us + USEC_PER_SEC);
    assert_false(failure_resets_repeat(&fixture->panics, config, fixture->context.now));
    tell(fixture, EVENT_REBOOT);
    assert_false(failure_resets_repeat(&fixture->panics, config, fixture->context.now));
}

static void test_a_limit_makes_resets_a_failure(void **state)
{
    struct fixture *fixture = *state;

    fixture->config.failure.reboot_limit = 4;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(tell(fixture, EVENT_REBOOT), FAILURE_NONE);
        pass(fixture, 10 * USEC_PER_SEC);
    }
    assert_failure(fixture, CAUSE_RESET_LOOP, EVENT_REBOOT);
}

/* SeaBIOS resets the machine again while it boots. */
static void test_one_reset_that_the_firmware_repeats_counts_once(void **state)
{
    struct fixture *fixture = *state;

    fixture->config.failure.reboot_limit = 2;
    assert_int_equal(tell(fixture, EVENT_REBOOT), FAILURE_NONE);
    for (int i = 0; i < 2; i++) {
        pass(fixture, USEC_PER_SEC);
        assert_int_equal(tell(fixture, EVENT_REBOOT), FAILURE_NONE);
    }
    pass(fixture, 10 * USEC_PER_SEC);
    assert_int_equal(tell(fixture, EVENT_REBOOT), FAILURE_DETECTED);
}

static void test_a_guest_that_is_reset_every_second_is_not_taken_for_its_firmware(void **state)
{
    struct fixture *fixture = *state;
    int resets = 1;

    fixture->config.failure.reboot_limit = 3;
    while (tell(fixture, EVENT_REBOOT) == FAILURE_NONE && resets++ < 10)
        pass(fixture, USEC_PER_SEC);
    assert_int_equal(fixture->cause, CAUSE_RESET_LOOP);
    assert_int_equal(resets, 7);
}

static void test_resets_that_are_far_apart_are_below_the_limit(void **state)
{
    struct fixture *fixture = *state;

    fixture->config.failure.reboot_limit = 2;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(tell(fixture, EVENT_REBOOT), FAILURE_NONE);
        pass(fixture, fixture->config.failure.panic_window_us + 1);
    }
}

static void test_a_watchdog_that_resets_it_again_and_again_is_a_failure(void **state)
{
    struct fixture *fixture = *state;

    for (int i = 0; i < 2; i++) {
        tell(fixture, EVENT_WATCHDOG);
        assert_int_equal(tell(fixture, EVENT_REBOOT), FAILURE_NONE);
        pass(fixture, 60 * USEC_PER_SEC);
    }
    assert_int_equal(fixture->detected, 0);
    tell(fixture, EVENT_WATCHDOG);
    assert_int_equal(tell(fixture, EVENT_REBOOT), FAILURE_DETECTED);
    assert_int_equal(fixture->cause, CAUSE_RESET_LOOP);
}

/* It only reports, and the guest is rebooted for other reasons, once right after another. */
static void test_a_watchdog_that_fired_long_ago_resets_nothing(void **state)
{
    struct fixture *fixture = *state;

    for (int i = 0; i < 10; i++) {
        tell(fixture, EVENT_WATCHDOG);
        pass(fixture, 6 * USEC_PER_SEC);
        assert_int_equal(tell(fixture, EVENT_REBOOT), FAILURE_NONE);
        assert_int_equal(tell(fixture, EVENT_REBOOT), FAILURE_NONE);
    }
    assert_int_equal(fixture->detected, 0);
}

static void test_crashed_while_not_connected(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(list(fixture, MACHINE_SHUT_OFF, REASON_CRASHED), FAILURE_DETECTED);
    assert_int_equal(fixture->cause, CAUSE_FOUND_CRASHED);
}

/* ---- graces that end well, or otherwise ---- */

static void test_a_pending_failure_is_off_when_the_machine_goes_on_or_is_stopped(void **state)
{
    static const enum domain_event_kind endings[] = {EVENT_RESUMED, EVENT_STOPPED_DESTROYED, EVENT_STOPPED_SAVED,
                                                     EVENT_STOPPED_SHUTDOWN};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ELEMENTS_OF(endings); i++) {
        assert_int_equal(tell(fixture, EVENT_SUSPENDED_IO_ERROR), FAILURE_PENDING);
        tell(fixture, endings[i]);
        assert_int_equal(failure_deadline(&fixture->track), USEC_INFINITY);
        pass(fixture, 2 * GRACE_US);
        assert_int_equal(tick(fixture), FAILURE_NONE);
        assert_int_equal(fixture->detected, 0);
        boot(fixture);
    }
}

/* It crashed, was started again, and no event told of that. */
static void test_an_io_error_after_a_start_that_was_not_told_is_a_new_failure(void **state)
{
    struct fixture *fixture = *state;

    assert_failure(fixture, CAUSE_PROCESS_DIED, EVENT_STOPPED_FAILED);
    assert_int_equal(tell(fixture, EVENT_SUSPENDED_IO_ERROR), FAILURE_PENDING);
    pass(fixture, GRACE_US);
    assert_int_equal(tick(fixture), FAILURE_DETECTED);
    assert_int_equal(fixture->cause, CAUSE_IO_ERROR);
}

static void test_dying_within_the_grace_is_one_failure(void **state)
{
    struct fixture *fixture = *state;

    assert_failure(fixture, CAUSE_PROCESS_DIED, EVENT_SUSPENDED_IO_ERROR, EVENT_STOPPED_FAILED);
    pass(fixture, 2 * GRACE_US);
    assert_int_equal(tick(fixture), FAILURE_NONE);
}

/* Told twice: the grace counts from the first time, so that repeated errors cannot put it off for ever. */
static void test_a_repeated_io_error_does_not_put_the_end_off(void **state)
{
    struct fixture *fixture = *state;
    int64_t begun_us = fixture->context.now.mono_us;

    tell(fixture, EVENT_SUSPENDED_IO_ERROR);
    pass(fixture, GRACE_US / 2);
    tell(fixture, EVENT_SUSPENDED_IO_ERROR);
    assert_int_equal(failure_deadline(&fixture->track), begun_us + GRACE_US);
}

static void test_an_io_error_that_fails_again_after_a_resume_is_a_new_failure(void **state)
{
    struct fixture *fixture = *state;

    for (unsigned i = 1; i <= 2; i++) {
        assert_int_equal(tell(fixture, EVENT_SUSPENDED_IO_ERROR), FAILURE_PENDING);
        pass(fixture, GRACE_US);
        assert_int_equal(tick(fixture), FAILURE_DETECTED);
        assert_int_equal(fixture->detected, i);
        tell(fixture, EVENT_RESUMED);
    }
}

/* ---- twice, late, in another order ---- */

static void test_a_stop_is_reported_once(void **state)
{
    static const enum domain_event_kind courses[][2] = {
        {EVENT_STOPPED_FAILED, EVENT_STOPPED_FAILED},
        {EVENT_CRASHED_PANICKED, EVENT_STOPPED_CRASHED},
        {EVENT_SHUTDOWN_HOST, EVENT_STOPPED_SHUTDOWN},
        {EVENT_STOPPED_CRASHED, EVENT_STOPPED_CRASHED},
    };
    struct fixture *fixture = *state;

    for (unsigned i = 0; i < ELEMENTS_OF(courses); i++) {
        for (int again = 0; again < 2; again++)
            for (size_t n = 0; n < ELEMENTS_OF(courses[i]); n++)
                tell(fixture, courses[i][n]);
        list(fixture, MACHINE_SHUT_OFF, REASON_CRASHED);
        list(fixture, MACHINE_SHUT_OFF, REASON_CRASHED);
        assert_int_equal(fixture->detected, i + 1);
        boot(fixture);
    }
}

static void test_preserved_remains_are_reported_once(void **state)
{
    struct fixture *fixture = *state;

    fixture->context.on_crash = ON_CRASH_PRESERVE;
    tell(fixture, EVENT_CRASHED_PANICKED);
    tell(fixture, EVENT_CRASHED_PANICKED);
    list(fixture, MACHINE_CRASHED, REASON_PANICKED);
    tell(fixture, EVENT_STOPPED_DESTROYED); /* the remains were ended */
    assert_int_equal(fixture->detected, 1);
}

static void test_each_crash_after_a_start_is_a_new_failure(void **state)
{
    struct fixture *fixture = *state;

    for (unsigned i = 1; i <= 3; i++) {
        assert_failure(fixture, CAUSE_PROCESS_DIED, EVENT_STOPPED_FAILED);
        boot(fixture);
    }
    for (unsigned i = 1; i <= 3; i++) {
        assert_failure(fixture, CAUSE_PANICKED, EVENT_CRASHED_PANICKED, EVENT_STOPPED_CRASHED);
        boot(fixture);
    }
}

/* libvirt pauses a panicked guest while it makes up its mind, and may tell so before or after the panic. */
static void test_paused_before_or_after_the_panic(void **state)
{
    struct fixture *fixture = *state;

    assert_failure(fixture, CAUSE_PANICKED, EVENT_SUSPENDED_PAUSED, EVENT_CRASHED_PANICKED, EVENT_STOPPED_CRASHED);
    boot(fixture);
    assert_failure(fixture, CAUSE_PANICKED, EVENT_CRASHED_PANICKED, EVENT_SUSPENDED_PAUSED, EVENT_STOPPED_CRASHED);
    boot(fixture);
    fixture->context.on_crash = ON_CRASH_PRESERVE;
    assert_failure(fixture, CAUSE_PANIC_PRESERVED, EVENT_SUSPENDED_PAUSED, EVENT_CRASHED_PANICKED);
    boot(fixture);
    assert_failure(fixture, CAUSE_PANIC_PRESERVED, EVENT_CRASHED_PANICKED, EVENT_SUSPENDED_PAUSED);
}

static void test_a_panic_told_twice_is_one_panic_of_the_loop(void **state)
{
    struct fixture *fixture = *state;

    fixture->config.failure.panic_limit = 2;
    fixture->context.on_crash = ON_CRASH_RESTART;
    assert_int_equal(tell(fixture, EVENT_CRASHED_PANICKED), FAILURE_NOTED);
    panic_and_restart(fixture);
    assert_int_equal(fixture->detected, 0);
    panic_and_restart(fixture);
    assert_int_equal(fixture->detected, 1);
}

static void test_a_panic_that_was_survived_is_forgotten(void **state)
{
    struct fixture *fixture = *state;

    fixture->context.on_crash = ON_CRASH_RESTART;
    panic_and_restart(fixture);
    assert_planned(fixture, EVENT_SHUTDOWN_GUEST, EVENT_STOPPED_SHUTDOWN);
    boot(fixture);
    panic_and_restart(fixture);
    assert_failure(fixture, CAUSE_PROCESS_DIED, EVENT_STOPPED_FAILED);
}

static void test_a_shutdown_told_after_its_stop_says_nothing_about_the_next(void **state)
{
    struct fixture *fixture = *state;

    assert_planned(fixture, EVENT_STOPPED_DESTROYED);
    tell(fixture, EVENT_SHUTDOWN_HOST);
    boot(fixture);
    assert_planned(fixture, EVENT_STOPPED_SHUTDOWN);
}

static void test_a_guest_shutdown_does_not_excuse_a_later_death(void **state)
{
    struct fixture *fixture = *state;

    assert_planned(fixture, EVENT_SHUTDOWN_GUEST, EVENT_STOPPED_SHUTDOWN);
    boot(fixture);
    assert_failure(fixture, CAUSE_PROCESS_DIED, EVENT_STOPPED_FAILED);
}

static void test_the_signal_after_the_guest_began_to_shut_down_is_planned(void **state)
{
    assert_planned((struct fixture *)*state, EVENT_SHUTDOWN_GUEST, EVENT_SHUTDOWN_GUEST, EVENT_STOPPED_SHUTDOWN);
}

static void test_a_dump_with_crash(void **state)
{
    assert_failure((struct fixture *)*state, CAUSE_CRASHED, EVENT_STOPPED_CRASHED);
}

static void test_a_watchdog_long_ago_does_not_taint_a_planned_stop(void **state)
{
    struct fixture *fixture = *state;

    tell(fixture, EVENT_WATCHDOG_OFF);
    pass(fixture, 3600 * USEC_PER_SEC);
    assert_planned(fixture, EVENT_SHUTDOWN_GUEST, EVENT_STOPPED_SHUTDOWN);
}

static void test_a_watchdog_of_the_machine_before_its_restart_is_forgotten(void **state)
{
    struct fixture *fixture = *state;

    assert_failure(fixture, CAUSE_WATCHDOG, EVENT_WATCHDOG_OFF, EVENT_STOPPED_SHUTDOWN);
    boot(fixture);
    assert_planned(fixture, EVENT_SHUTDOWN_GUEST, EVENT_STOPPED_SHUTDOWN);
}

static void test_what_says_nothing_of_the_state_is_nothing(void **state)
{
    static const enum domain_event_kind silent[] = {EVENT_DEFINED, EVENT_UNDEFINED, EVENT_CHANGED,
                                                    EVENT_AGENT_CONNECTED, EVENT_AGENT_DISCONNECTED};
    struct fixture *fixture = *state;

    tell(fixture, EVENT_CRASHED_PANICKED);
    for (size_t i = 0; i < ELEMENTS_OF(silent); i++) {
        enum machine_state machine_state = MACHINE_STATE_COUNT;
        enum machine_reason reason = REASON_COUNT;

        assert_int_equal(tell(fixture, silent[i]), FAILURE_NONE);
        assert_false(domain_event_state(silent[i], &machine_state, &reason));
        assert_int_equal(machine_state, MACHINE_STATE_COUNT);
        assert_int_equal(reason, REASON_COUNT);
    }
    tell(fixture, EVENT_STOPPED_CRASHED);
    assert_int_equal(fixture->detected, 1);
    assert_int_equal(fixture->cause, CAUSE_PANICKED);
}

/* ---- found by listing ---- */

static void test_listings_of_a_machine_that_ran(void **state)
{
    static const struct {
        enum machine_state state;
        enum machine_reason reason;
        enum failure_kind kind;
    } rows[] = {
        {MACHINE_RUNNING, REASON_UNKNOWN, FAILURE_NONE},      {MACHINE_SUSPENDED, REASON_UNKNOWN, FAILURE_NONE},
        {MACHINE_STOPPING, REASON_UNKNOWN, FAILURE_NONE},     {MACHINE_SHUT_OFF, REASON_CRASHED, FAILURE_DETECTED},
        {MACHINE_SHUT_OFF, REASON_DAEMON, FAILURE_DETECTED}, /* it ran, and libvirt no longer finds it */
        {MACHINE_SHUT_OFF, REASON_SHUTDOWN, FAILURE_PLANNED}, {MACHINE_SHUT_OFF, REASON_DESTROYED, FAILURE_PLANNED},
        {MACHINE_SHUT_OFF, REASON_SAVED, FAILURE_PLANNED},    {MACHINE_SHUT_OFF, REASON_MIGRATED, FAILURE_PLANNED},
        {MACHINE_SHUT_OFF, REASON_SNAPSHOT, FAILURE_PLANNED}, {MACHINE_CRASHED, REASON_PANICKED, FAILURE_DETECTED},
        {MACHINE_PAUSED, REASON_IO_ERROR, FAILURE_PENDING},   {MACHINE_PAUSED, REASON_WATCHDOG, FAILURE_PENDING},
    };
    static const enum machine_state before[] = {MACHINE_RUNNING, MACHINE_STOPPING, MACHINE_SUSPENDED};
    struct fixture *fixture = *state;

    for (size_t k = 0; k < ELEMENTS_OF(before); k++)
        for (size_t i = 0; i < ELEMENTS_OF(rows); i++) {
            begin_anew(fixture);
            fixture->context.known = before[k];
            fixture->context.known_reason = REASON_UNKNOWN;
            assert_int_equal(list(fixture, rows[i].state, rows[i].reason), rows[i].kind);
            if (rows[i].state == MACHINE_SHUT_OFF) /* the same again is no news */
                assert_int_equal(list(fixture, rows[i].state, rows[i].reason), FAILURE_NONE);
        }
}

static void test_found_suspended_is_planned(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(list(fixture, MACHINE_PAUSED, REASON_USER), FAILURE_PLANNED);
    assert_int_equal(list(fixture, MACHINE_PAUSED, REASON_USER), FAILURE_NONE);
}

static void test_a_machine_that_crashed_while_paused_is_found(void **state)
{
    struct fixture *fixture = *state;

    fixture->context.known = MACHINE_PAUSED;
    fixture->context.known_reason = REASON_USER;
    assert_int_equal(list(fixture, MACHINE_SHUT_OFF, REASON_CRASHED), FAILURE_DETECTED);
}

static void test_a_crash_that_was_known_is_no_news(void **state)
{
    struct fixture *fixture = *state;

    fixture->context.known = MACHINE_SHUT_OFF;
    fixture->context.known_reason = REASON_CRASHED;
    assert_int_equal(list(fixture, MACHINE_SHUT_OFF, REASON_CRASHED), FAILURE_NONE);
    fixture->context.known = MACHINE_CRASHED;
    fixture->context.known_reason = REASON_PANICKED;
    assert_int_equal(list(fixture, MACHINE_CRASHED, REASON_PANICKED), FAILURE_NONE);
}

/* It crashed, was started and crashed again while understudyd was not connected: off as before, for another reason. */
static void test_a_stopped_machine_that_crashed_since_is_found(void **state)
{
    struct fixture *fixture = *state;

    fixture->context.known = MACHINE_SHUT_OFF;
    fixture->context.known_reason = REASON_SHUTDOWN;
    assert_int_equal(list(fixture, MACHINE_SHUT_OFF, REASON_CRASHED), FAILURE_DETECTED);
}

static void test_an_io_error_found_by_listing_fails_after_its_grace(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(list(fixture, MACHINE_PAUSED, REASON_IO_ERROR), FAILURE_PENDING);
    pass(fixture, GRACE_US / 2);
    list(fixture, MACHINE_PAUSED, REASON_IO_ERROR); /* listed again meanwhile */
    pass(fixture, GRACE_US / 2);
    assert_int_equal(tick(fixture), FAILURE_DETECTED);
    assert_int_equal(fixture->cause, CAUSE_IO_ERROR);
}

static void test_a_listing_ends_a_grace(void **state)
{
    struct fixture *fixture = *state;

    tell(fixture, EVENT_SUSPENDED_IO_ERROR);
    list(fixture, MACHINE_RUNNING, REASON_UNKNOWN);
    pass(fixture, GRACE_US);
    assert_int_equal(tick(fixture), FAILURE_NONE);
}

static void test_found_by_listing_and_told_late_is_one_failure(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(list(fixture, MACHINE_SHUT_OFF, REASON_CRASHED), FAILURE_DETECTED);
    tell(fixture, EVENT_STOPPED_FAILED);
    assert_int_equal(fixture->detected, 1);
}

static void test_a_panic_whose_end_was_lost_is_one_failure(void **state)
{
    struct fixture *fixture = *state;

    tell(fixture, EVENT_CRASHED_PANICKED);
    list(fixture, MACHINE_SHUT_OFF, REASON_CRASHED);
    if (failure_deadline(&fixture->track) != USEC_INFINITY) {
        fixture->context.now.mono_us = failure_deadline(&fixture->track);
        tick(fixture);
    }
    assert_int_equal(fixture->detected, 1);
    assert_int_equal(fixture->cause, CAUSE_PANICKED);
}

/* The connection broke between the signal and the end: the table says failure, whatever tells the end. */
static void test_a_host_kill_whose_end_was_lost_is_found(void **state)
{
    struct fixture *fixture = *state;

    tell(fixture, EVENT_SHUTDOWN_HOST);
    assert_int_equal(list(fixture, MACHINE_SHUT_OFF, REASON_SHUTDOWN), FAILURE_DETECTED);
    assert_int_equal(fixture->cause, CAUSE_HOST_KILL);
}

static void test_a_host_that_was_booted_anew(void **state)
{
    struct fixture *fixture = *state;

    fixture->config.failure.reboot_grace_us = GRACE_US;
    fixture->context.host_has_rebooted = true;
    assert_int_equal(list(fixture, MACHINE_SHUT_OFF, REASON_UNKNOWN), FAILURE_PENDING);
    fixture->context.host_has_rebooted = false;
    assert_int_equal(list(fixture, MACHINE_SHUT_OFF, REASON_UNKNOWN), FAILURE_NONE);
    pass(fixture, GRACE_US - 1);
    assert_int_equal(tick(fixture), FAILURE_NONE);
    pass(fixture, 1);
    assert_int_equal(tick(fixture), FAILURE_DETECTED);
    assert_int_equal(fixture->cause, CAUSE_HOST_LOST);
}

static void test_started_again_after_its_host_was_booted_anew(void **state)
{
    struct fixture *fixture = *state;

    fixture->context.host_has_rebooted = true;
    list(fixture, MACHINE_SHUT_OFF, REASON_UNKNOWN);
    boot(fixture);
    assert_true(failure_deadline(&fixture->track) == USEC_INFINITY);
}

/* What libvirt can explain is read as ever, and what was suspended on purpose did not serve. */
static void test_stops_that_are_no_loss_of_a_host_that_was_booted_anew(void **state)
{
    struct fixture *fixture = *state;

    fixture->context.host_has_rebooted = true;
    assert_int_equal(list(fixture, MACHINE_SHUT_OFF, REASON_SAVED), FAILURE_PLANNED);
    boot(fixture);
    fixture->context.known = MACHINE_PAUSED;
    fixture->context.known_reason = REASON_USER;
    assert_int_equal(list(fixture, MACHINE_SHUT_OFF, REASON_UNKNOWN), FAILURE_NOTED);
}

/* ---- nothing crashes ---- */

static void assert_sound(const struct failure_track *track, struct failure_verdict verdict)
{
    assert_in_range(verdict.kind, FAILURE_NONE, FAILURE_DETECTED);
    assert_in_range(verdict.cause, CAUSE_NONE, CAUSE_COUNT - 1);
    assert_non_null(verdict.why);
    if (verdict.kind == FAILURE_DETECTED || verdict.kind == FAILURE_PENDING)
        assert_int_not_equal(verdict.cause, CAUSE_NONE);
    if (verdict.kind == FAILURE_PENDING)
        assert_true(failure_deadline(track) < USEC_INFINITY);
    if (verdict.kind == FAILURE_DETECTED)
        assert_int_equal(failure_deadline(track), USEC_INFINITY);
}

static void test_every_event_in_every_state(void **state)
{
    struct fixture *fixture = *state;
    struct failure_context *context = &fixture->context;

    for (int on_crash = ON_CRASH_DESTROY; on_crash < ON_CRASH_COUNT; on_crash++)
        for (int known = 0; known < MACHINE_STATE_COUNT; known++)
            for (int first = 0; first < EVENT_COUNT; first++)
                for (int second = 0; second < EVENT_COUNT; second++) {
                    unsigned detected = 0;

                    begin_anew(fixture);
                    context->on_crash = (enum on_crash)on_crash;
                    context->known = (enum machine_state)known;
                    context->known_reason = REASON_UNKNOWN;
                    for (int twice = 0; twice < 2; twice++) {
                        enum domain_event_kind event = (enum domain_event_kind)(twice ? second : first);
                        struct failure_verdict verdict = failure_handle_event(&fixture->track, event, context);

                        assert_sound(&fixture->track, verdict);
                        detected += verdict.kind == FAILURE_DETECTED;
                        domain_event_state(event, &context->known, &context->known_reason);
                    }
                    if (first == second)
                        assert_true(detected <= 1);
                }
}

static void test_every_listing_in_every_state(void **state)
{
    struct fixture *fixture = *state;

    for (int known = 0; known < MACHINE_STATE_COUNT; known++)
        for (int known_reason = 0; known_reason < REASON_COUNT; known_reason++)
            for (int listed = 0; listed < MACHINE_STATE_COUNT; listed++)
                for (int reason = 0; reason < REASON_COUNT; reason++) {
                    struct failure_context context = fixture->context;
                    struct failure_track track = {0};

                    context.known = (enum machine_state)known;
                    context.known_reason = (enum machine_reason)known_reason;
                    struct failure_verdict verdict = failure_handle_listing(&track, (enum machine_state)listed,
                                                                            (enum machine_reason)reason, &context);
                    assert_sound(&track, verdict);
                    if (listed == MACHINE_RUNNING)
                        assert_int_not_equal(verdict.kind, FAILURE_DETECTED);
                    context.known = (enum machine_state)listed;
                    context.known_reason = (enum machine_reason)reason;
                    verdict = failure_handle_listing(&track, (enum machine_state)listed, (enum machine_reason)reason,
                                                     &context);
                    assert_int_not_equal(verdict.kind, FAILURE_DETECTED);
                }
}

static void test_every_cause_has_words(void **state)
{
    (void)state;
    for (int cause = CAUSE_NONE + 1; cause < CAUSE_COUNT; cause++) {
        assert_true(strlen(failure_cause_name((enum failure_cause)cause)) > 0);
        assert_true(strlen(failure_cause_sentence((enum failure_cause)cause)) > 0);
        for (int other = CAUSE_NONE + 1; other < cause; other++)
            assert_string_not_equal(failure_cause_name((enum failure_cause)cause),
                                    failure_cause_name((enum failure_cause)other));
    }
    assert_string_equal(failure_cause_name(CAUSE_PROCESS_DIED), "process-died");
}

static void test_every_event_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int event = 0; event < EVENT_COUNT; event++)
        for (int other = 0; other < event; other++)
            assert_string_not_equal(domain_event_name((enum domain_event_kind)event),
                                    domain_event_name((enum domain_event_kind)other));
    assert_string_equal(domain_event_name(EVENT_STOPPED_CRASHED), "stopped/crashed");
}

#define failure_test(f) cmocka_unit_test_setup(f, set_up)

/* ---- ends of QEMU that the kernel tells before libvirt ---- */

/* Every event in turn, and nothing is made of the last. */
#define assert_awaits(fixture, ...)                                                                                    \
    do {                                                                                                               \
        const enum domain_event_kind events_[] = {__VA_ARGS__};                                                        \
        unsigned before_ = (fixture)->detected;                                                                        \
        enum failure_kind last_ = FAILURE_NONE;                                                                        \
        for (size_t i_ = 0; i_ < ELEMENTS_OF(events_); i_++)                                                           \
            last_ = tell(fixture, events_[i_]);                                                                        \
        assert_int_equal(last_, FAILURE_NONE);                                                                         \
        assert_int_equal((fixture)->detected, before_);                                                                \
    } while (0)

static void test_killed_past_libvirt_is_a_failure_at_once(void **state)
{
    assert_failure((struct fixture *)*state, CAUSE_PROCESS_DIED, EVENT_ENDED_KILLED);
}

static void test_killed_after_it_began_to_shut_down_waits_for_libvirt(void **state)
{
    struct fixture *fixture = *state;

    assert_awaits(fixture, EVENT_SHUTDOWN_GUEST, EVENT_ENDED_KILLED);
    assert_planned(fixture, EVENT_STOPPED_SHUTDOWN);
    begin_anew(fixture);
    fixture->context.known = MACHINE_RUNNING;
    assert_awaits(fixture, EVENT_SHUTDOWN_HOST, EVENT_ENDED_KILLED);
    assert_failure(fixture, CAUSE_HOST_KILL, EVENT_STOPPED_FAILED);
}

/* A migration pauses the machine that it takes away, and so does a save. */
static void test_killed_while_it_is_paused_waits_for_libvirt(void **state)
{
    struct fixture *fixture = *state;

    assert_awaits(fixture, EVENT_SUSPENDED_MIGRATED, EVENT_ENDED_KILLED);
    assert_planned(fixture, EVENT_STOPPED_MIGRATED);
    begin_anew(fixture);
    fixture->context.known = MACHINE_RUNNING;
    tell(fixture, EVENT_SUSPENDED_PAUSED);
    assert_awaits(fixture, EVENT_ENDED_KILLED);
    assert_planned(fixture, EVENT_STOPPED_SAVED);
}

static void test_killed_in_the_middle_of_a_migration_waits_for_libvirt(void **state)
{
    struct fixture *fixture = *state;

    assert_awaits(fixture, EVENT_STARTED_MIGRATED, EVENT_ENDED_KILLED, EVENT_SHUTDOWN_HOST, EVENT_ENDED_EXITED);
    begin_anew(fixture);
    fixture->context.known = MACHINE_RUNNING;
    fixture->track.may_be_incoming = true;
    assert_awaits(fixture, EVENT_ENDED_KILLED, EVENT_ENDED_EXITED);
}

static void test_an_end_of_what_is_off_is_nothing(void **state)
{
    struct fixture *fixture = *state;

    fixture->context.known = MACHINE_SHUT_OFF;
    assert_awaits(fixture, EVENT_ENDED_KILLED);
    fixture->context.known = MACHINE_GONE;
    assert_awaits(fixture, EVENT_ENDED_EXITED);
}

static void test_an_end_while_the_host_shuts_down_waits_for_libvirt(void **state)
{
    struct fixture *fixture = *state;

    fixture->context.host_is_shutting_down = true;
    assert_awaits(fixture, EVENT_ENDED_KILLED);
    assert_awaits(fixture, EVENT_SHUTDOWN_HOST, EVENT_ENDED_EXITED);
    assert_planned(fixture, EVENT_STOPPED_SHUTDOWN);
}

static void test_an_end_of_what_is_drilled_waits_for_libvirt(void **state)
{
    struct fixture *fixture = *state;

    fixture->context.is_drilled = true;
    assert_awaits(fixture, EVENT_ENDED_KILLED);
    assert_failure(fixture, CAUSE_DRILL, EVENT_STOPPED_DESTROYED);
}

static void test_panicked_and_ended_is_a_failure_at_once(void **state)
{
    struct fixture *fixture = *state;

    assert_failure(fixture, CAUSE_PANICKED, EVENT_CRASHED_PANICKED, EVENT_ENDED_EXITED);
    begin_anew(fixture);
    fixture->context.known = MACHINE_RUNNING;
    assert_failure(fixture, CAUSE_PANICKED, EVENT_CRASHED_PANICKED, EVENT_SUSPENDED_PAUSED, EVENT_ENDED_KILLED);
}

static void test_an_end_of_what_is_restarted_or_preserved_waits_for_libvirt(void **state)
{
    struct fixture *fixture = *state;

    fixture->context.on_crash = ON_CRASH_RESTART;
    tell(fixture, EVENT_CRASHED_PANICKED);
    assert_awaits(fixture, EVENT_ENDED_EXITED);
}

static void test_terminated_past_libvirt_is_a_failure_at_once(void **state)
{
    assert_failure((struct fixture *)*state, CAUSE_HOST_KILL, EVENT_SHUTDOWN_HOST, EVENT_ENDED_EXITED);
}

static void test_terminated_past_libvirt_and_called_planned(void **state)
{
    struct fixture *fixture = *state;

    fixture->config.failure.host_kill_is_failure = false;
    assert_awaits(fixture, EVENT_SHUTDOWN_HOST, EVENT_ENDED_EXITED);
    assert_planned(fixture, EVENT_STOPPED_SHUTDOWN);
}

static void test_terminated_past_libvirt_while_it_is_held(void **state)
{
    struct fixture *fixture = *state;

    fixture->context.is_held = true;
    assert_awaits(fixture, EVENT_SHUTDOWN_HOST, EVENT_ENDED_EXITED);
    assert_planned(fixture, EVENT_STOPPED_SHUTDOWN);
}

/* libvirt tells of the shutdown only when it has seen the end that it wanted. */
static void test_ended_by_libvirt_itself(void **state)
{
    struct fixture *fixture = *state;

    assert_awaits(fixture, EVENT_ENDED_EXITED);
    assert_planned(fixture, EVENT_SHUTDOWN_HOST, EVENT_STOPPED_DESTROYED);
    begin_anew(fixture);
    fixture->context.known = MACHINE_RUNNING;
    assert_awaits(fixture, EVENT_SHUTDOWN_GUEST, EVENT_ENDED_EXITED);
    assert_planned(fixture, EVENT_STOPPED_SHUTDOWN);
}

/* libvirt's monitor broke off before it could tell of the shutdown. */
static void test_exited_and_libvirt_saw_no_shutdown(void **state)
{
    struct fixture *fixture = *state;

    assert_awaits(fixture, EVENT_ENDED_EXITED);
    assert_failure(fixture, CAUSE_HOST_KILL, EVENT_STOPPED_FAILED);
    begin_anew(fixture);
    fixture->context.known = MACHINE_RUNNING;
    assert_awaits(fixture, EVENT_ENDED_EXITED);
    boot(fixture);
    assert_failure(fixture, CAUSE_PROCESS_DIED, EVENT_STOPPED_FAILED);
    boot(fixture);
    assert_awaits(fixture, EVENT_ENDED_EXITED);
    list(fixture, MACHINE_RUNNING, REASON_UNKNOWN); /* the connection was lost, and it was started anew */
    assert_failure(fixture, CAUSE_PROCESS_DIED, EVENT_STOPPED_FAILED);
}

/* QEMU exits by itself then. */
static void test_exited_by_its_watchdog(void **state)
{
    struct fixture *fixture = *state;

    fixture->config.failure.host_kill_is_failure = false;
    tell(fixture, EVENT_WATCHDOG_OFF);
    assert_awaits(fixture, EVENT_ENDED_EXITED);
    assert_failure(fixture, CAUSE_WATCHDOG, EVENT_STOPPED_FAILED);
}

/* A shutdown that takes long may be overtaken by what libvirt is asked for. */
static void test_exited_long_after_the_shutdown_waits_for_libvirt(void **state)
{
    struct fixture *fixture = *state;

    tell(fixture, EVENT_SHUTDOWN_HOST);
    pass(fixture, 2 * USEC_PER_SEC);
    assert_awaits(fixture, EVENT_ENDED_EXITED);
    assert_planned(fixture, EVENT_STOPPED_DESTROYED);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        failure_test(test_qemu_dies),
        failure_test(test_panic_with_destroy_is_one_failure),
        failure_test(test_panic_with_preserve),
        failure_test(test_panic_with_restart_fails_when_it_loops),
        failure_test(test_panics_that_are_far_apart_are_no_loop),
        failure_test(test_a_loop_after_quiet_times_is_still_found),
        failure_test(test_the_panic_window_slides),
        failure_test(test_a_limit_of_one_makes_every_panic_a_failure),
        failure_test(test_kdump_is_noted),
        failure_test(test_guest_powers_off),
        failure_test(test_host_kills_qemu),
        failure_test(test_host_shuts_down),
        failure_test(test_host_shuts_down_known_late),
        failure_test(test_host_kill_may_be_declared_planned),
        failure_test(test_operator_destroys),
        failure_test(test_destroyed_for_a_drill),
        failure_test(test_found_destroyed_for_a_drill),
        failure_test(test_operator_shuts_down),
        failure_test(test_save_migration_and_revert),
        failure_test(test_operator_suspends),
        failure_test(test_io_error_fails_after_its_grace),
        failure_test(test_an_io_error_that_ended_in_time_is_forgotten),
        failure_test(test_the_watchdog_leaves_it_paused),
        failure_test(test_the_watchdog_takes_it_down),
        failure_test(test_the_watchdog_resets_or_only_reports),
        failure_test(test_resets_are_no_failure),
        failure_test(test_resets_repeat_as_often_as_panics_make_a_loop),
        failure_test(test_a_limit_makes_resets_a_failure),
        failure_test(test_one_reset_that_the_firmware_repeats_counts_once),
        failure_test(test_a_guest_that_is_reset_every_second_is_not_taken_for_its_firmware),
        failure_test(test_resets_that_are_far_apart_are_below_the_limit),
        failure_test(test_a_watchdog_that_resets_it_again_and_again_is_a_failure),
        failure_test(test_a_watchdog_that_fired_long_ago_resets_nothing),
        failure_test(test_crashed_while_not_connected),
        failure_test(test_a_pending_failure_is_off_when_the_machine_goes_on_or_is_stopped),
        failure_test(test_an_io_error_after_a_start_that_was_not_told_is_a_new_failure),
        failure_test(test_dying_within_the_grace_is_one_failure),
        failure_test(test_a_repeated_io_error_does_not_put_the_end_off),
        failure_test(test_an_io_error_that_fails_again_after_a_resume_is_a_new_failure),
        failure_test(test_a_stop_is_reported_once),
        failure_test(test_preserved_remains_are_reported_once),
        failure_test(test_each_crash_after_a_start_is_a_new_failure),
        failure_test(test_paused_before_or_after_the_panic),
        failure_test(test_a_panic_told_twice_is_one_panic_of_the_loop),
        failure_test(test_a_panic_that_was_survived_is_forgotten),
        failure_test(test_a_shutdown_told_after_its_stop_says_nothing_about_the_next),
        failure_test(test_a_guest_shutdown_does_not_excuse_a_later_death),
        failure_test(test_the_signal_after_the_guest_began_to_shut_down_is_planned),
        failure_test(test_a_dump_with_crash),
        failure_test(test_a_watchdog_long_ago_does_not_taint_a_planned_stop),
        failure_test(test_a_watchdog_of_the_machine_before_its_restart_is_forgotten),
        failure_test(test_what_says_nothing_of_the_state_is_nothing),
        failure_test(test_listings_of_a_machine_that_ran),
        failure_test(test_found_suspended_is_planned),
        failure_test(test_a_machine_that_crashed_while_paused_is_found),
        failure_test(test_a_crash_that_was_known_is_no_news),
        failure_test(test_a_stopped_machine_that_crashed_since_is_found),
        failure_test(test_an_io_error_found_by_listing_fails_after_its_grace),
        failure_test(test_a_listing_ends_a_grace),
        failure_test(test_found_by_listing_and_told_late_is_one_failure),
        failure_test(test_a_panic_whose_end_was_lost_is_one_failure),
        failure_test(test_a_host_kill_whose_end_was_lost_is_found),
        failure_test(test_a_host_that_was_booted_anew),
        failure_test(test_started_again_after_its_host_was_booted_anew),
        failure_test(test_stops_that_are_no_loss_of_a_host_that_was_booted_anew),
        failure_test(test_killed_past_libvirt_is_a_failure_at_once),
        failure_test(test_killed_after_it_began_to_shut_down_waits_for_libvirt),
        failure_test(test_killed_while_it_is_paused_waits_for_libvirt),
        failure_test(test_killed_in_the_middle_of_a_migration_waits_for_libvirt),
        failure_test(test_an_end_of_what_is_off_is_nothing),
        failure_test(test_an_end_while_the_host_shuts_down_waits_for_libvirt),
        failure_test(test_an_end_of_what_is_drilled_waits_for_libvirt),
        failure_test(test_panicked_and_ended_is_a_failure_at_once),
        failure_test(test_an_end_of_what_is_restarted_or_preserved_waits_for_libvirt),
        failure_test(test_terminated_past_libvirt_is_a_failure_at_once),
        failure_test(test_terminated_past_libvirt_and_called_planned),
        failure_test(test_terminated_past_libvirt_while_it_is_held),
        failure_test(test_ended_by_libvirt_itself),
        failure_test(test_exited_and_libvirt_saw_no_shutdown),
        failure_test(test_exited_by_its_watchdog),
        failure_test(test_exited_long_after_the_shutdown_waits_for_libvirt),
        failure_test(test_every_event_in_every_state),
        failure_test(test_every_listing_in_every_state),
        failure_test(test_every_cause_has_words),
        failure_test(test_every_event_has_a_name_of_its_own),
    };

    return cmocka_run_group_tests_name("failure", tests, NULL, NULL);
}
