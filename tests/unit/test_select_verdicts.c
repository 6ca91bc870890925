/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who could take over: every reason to be out but conflicts, and which of them is told. */
#include <string.h>

#include "select_fixture.h"

/* ---- who is out ---- */

static void test_one_that_fits(void **state)
{
    struct fixture *fixture = *state;

    add_failed(fixture);
    assert_verdict(fixture, add(fixture, "b", WEB), CANDIDATE_ELIGIBLE);
}

static void test_the_failed_and_the_ignored_are_no_candidates(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *failed = add_failed(fixture);
    struct machine *ignored = add(fixture, "ignored", WEB);

    ignored->roles = ROLE_IGNORED;
    assert_null(candidate_of(fixture, failed).machine);
    assert_null(candidate_of(fixture, ignored).machine);
}

static void test_only_standbys_are_started(void **state)
{
    struct fixture *fixture = *state;
    struct machine *machine;

    add_failed(fixture);
    machine = add(fixture, "b", WEB);
    machine->roles = ROLE_PROTECTED;
    assert_verdict(fixture, machine, CANDIDATE_NOT_STANDBY);
    machine->roles = 0;
    assert_verdict(fixture, machine, CANDIDATE_NOT_STANDBY);
}

static void test_unreachable(void **state)
{
    struct fixture *fixture = *state;
    struct machine *machine;

    add_failed(fixture);
    machine = add(fixture, "b", WEB);
    machine->is_reachable = false;
    assert_verdict(fixture, machine, CANDIDATE_UNREACHABLE);
}

static void test_who_does_not_stand_by(void **state)
{
    static const struct {
        enum machine_state state;
        enum machine_reason reason;
    } rows[] = {
        {MACHINE_UNKNOWN, REASON_UNKNOWN},
        {MACHINE_RUNNING, REASON_UNKNOWN},
        {MACHINE_STOPPING, REASON_UNKNOWN},
        {MACHINE_CRASHED, REASON_PANICKED},
        {MACHINE_SUSPENDED, REASON_UNKNOWN},
        {MACHINE_GONE, REASON_UNKNOWN},
        {MACHINE_PAUSED, REASON_IO_ERROR},
        {MACHINE_PAUSED, REASON_WATCHDOG},
        {MACHINE_PAUSED, REASON_BUSY},
        {MACHINE_PAUSED, REASON_PANICKED},
        {MACHINE_PAUSED, REASON_POSTCOPY_FAILED},
    };
    struct fixture *fixture = *state;
    struct machine *machine;

    add_failed(fixture);
    machine = add(fixture, "b", WEB);
    machine->roles = ROLE_STANDBY;
    for (size_t i = 0; i < ELEMENTS_OF(rows); i++) {
        machine->state = rows[i].state;
        machine->reason = rows[i].reason;
        assert_verdict(fixture, machine, CANDIDATE_NOT_STANDING_BY);
    }
}

/* One that crashed too, once its own recovery is over: until then that recovery claims it. */
static void test_who_is_off_stands_by(void **state)
{
    static const enum machine_reason reasons[] = {REASON_UNKNOWN, REASON_SHUTDOWN, REASON_DESTROYED,
                                                  REASON_SAVED,   REASON_SNAPSHOT, REASON_CRASHED};
    struct fixture *fixture = *state;
    struct machine *machine;

    add_failed(fixture);
    machine = add(fixture, "b", WEB);
    for (size_t i = 0; i < ELEMENTS_OF(reasons); i++) {
        machine->reason = reasons[i];
        assert_verdict(fixture, machine, CANDIDATE_ELIGIBLE);
    }
}

static void test_claimed_by_another_recovery(void **state)
{
    struct fixture *fixture = *state;
    struct machine *machine;

    add_failed(fixture);
    machine = add(fixture, "b", WEB);
    assert_int_equal(pool_claim(fixture->pool, machine, "mine"), 0);
    assert_verdict(fixture, machine, CANDIDATE_CLAIMED); /* explain asks for no recovery */
    fixture->request.recovery_id = "mine";
    assert_verdict(fixture, machine, CANDIDATE_ELIGIBLE);
    fixture->request.recovery_id = "another";
    assert_verdict(fixture, machine, CANDIDATE_CLAIMED);
}

static void test_tried_already(void **state)
{
    struct fixture *fixture = *state;
    struct machine_ref tried[2] = {{.hypervisor = "other"}};
    struct machine *machine;

    add_failed(fixture);
    machine = add(fixture, "b", WEB);
    memcpy(tried[0].uuid, machine->uuid, sizeof(tried[0].uuid));
    fixture->request.tried = tried;
    fixture->request.n_tried = 1;
    assert_verdict(fixture, machine, CANDIDATE_ELIGIBLE); /* the same UUID elsewhere is another machine */
    tried[1] = machine_ref_of(machine);
    fixture->request.n_tried = 2;
    assert_verdict(fixture, machine, CANDIDATE_TRIED);
}

static void test_protected_and_paused_by_the_operator(void **state)
{
    struct fixture *fixture = *state;
    struct machine *machine;

    add_failed(fixture);
    machine = add(fixture, "b", WEB);
    machine->state = MACHINE_PAUSED;
    machine->reason = REASON_USER;
    assert_verdict(fixture, machine, CANDIDATE_UNDER_OPERATOR);
    machine->roles = ROLE_STANDBY;
    assert_verdict(fixture, machine, CANDIDATE_ELIGIBLE);
}

static void test_not_similar(void **state)
{
    struct fixture *fixture = *state;
    struct machine *machine;

    add_failed(fixture);
    machine = add(fixture, "b", "database/oracle");
    assert_verdict(fixture, machine, CANDIDATE_NOT_SIMILAR);
    assert_int_equal(candidate_of(fixture, machine).score.verdict, SIMILARITY_BELOW_COVERAGE);
}

static void test_the_first_reason_that_applies_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct machine_ref tried;
    struct machine *machine;

    add_failed(fixture);
    machine = add(fixture, "b", "database/oracle"); /* every reason at once, lifted one by one */
    tried = machine_ref_of(machine);
    fixture->request.tried = &tried;
    fixture->request.n_tried = 1;
    assert_int_equal(pool_claim(fixture->pool, machine, "another"), 0);
    machine->roles = ROLE_PROTECTED;
    machine->is_reachable = false;
    machine->state = MACHINE_RUNNING;
    machine->failed_unrecovered = true;

    assert_verdict(fixture, machine, CANDIDATE_NOT_STANDBY);
    machine->roles |= ROLE_STANDBY;
    assert_verdict(fixture, machine, CANDIDATE_UNREACHABLE);
    machine->is_reachable = true;
    assert_verdict(fixture, machine, CANDIDATE_NOT_STANDING_BY);
    machine->state = MACHINE_PAUSED;
    machine->reason = REASON_USER;
    assert_verdict(fixture, machine, CANDIDATE_FAILED_ITSELF);
    machine->failed_unrecovered = false;
    assert_verdict(fixture, machine, CANDIDATE_CLAIMED);
    pool_release(fixture->pool, machine, "another");
    assert_verdict(fixture, machine, CANDIDATE_TRIED);
    fixture->request.n_tried = 0;
    assert_verdict(fixture, machine, CANDIDATE_UNDER_OPERATOR);
    machine->state = MACHINE_SHUT_OFF;
    machine->reason = REASON_SHUTDOWN;
    assert_verdict(fixture, machine, CANDIDATE_NOT_SIMILAR);
}

static void test_in_quarantine(void **state)
{
    struct fixture *fixture = *state;
    struct machine *machine;

    add_failed(fixture);
    machine = add(fixture, "b", WEB);
    machine->quarantined_until_us = 5000;
    fixture->request.now_us = 4999;
    assert_verdict(fixture, machine, CANDIDATE_QUARANTINED);
    fixture->request.now_us = 5000;
    assert_verdict(fixture, machine, CANDIDATE_ELIGIBLE);
}

static void test_failed_itself_and_not_recovered(void **state)
{
    struct fixture *fixture = *state;
    struct machine *machine;

    add_failed(fixture);
    machine = add(fixture, "b", WEB);
    machine->failed_unrecovered = true;
    assert_verdict(fixture, machine, CANDIDATE_FAILED_ITSELF);
}

/* ---- memory ---- */

static void test_a_host_without_the_memory(void **state)
{
    struct fixture *fixture = *state;
    struct machine *machine;

    add_failed(fixture);
    machine = add(fixture, "b", WEB);
    fixture->request.check_memory = true;
    assert_verdict(fixture, machine, CANDIDATE_ELIGIBLE); /* not known */
    pool_set_free_memory(fixture->pool, "local", machine->description->memory_kib - 1);
    assert_verdict(fixture, machine, CANDIDATE_NO_MEMORY);
    machine->has_managed_save = true; /* restored, it needs as much */
    assert_verdict(fixture, machine, CANDIDATE_NO_MEMORY);
    pool_set_free_memory(fixture->pool, "local", machine->description->memory_kib);
    assert_verdict(fixture, machine, CANDIDATE_ELIGIBLE);
    pool_set_free_memory(fixture->pool, "local", 1);
    fixture->request.check_memory = false;
    assert_verdict(fixture, machine, CANDIDATE_ELIGIBLE);
}

static void test_a_paused_machine_has_its_memory(void **state)
{
    struct fixture *fixture = *state;
    struct machine *machine;

    add_failed(fixture);
    machine = add(fixture, "b", WEB);
    machine->roles = ROLE_STANDBY;
    machine->state = MACHINE_PAUSED;
    machine->reason = REASON_USER;
    fixture->request.check_memory = true;
    pool_set_free_memory(fixture->pool, "local", 1);
    assert_verdict(fixture, machine, CANDIDATE_ELIGIBLE);
}

static void test_what_is_on_its_way_up_counts(void **state)
{
    struct fixture *fixture = *state;
    struct machine *machine, *starting;

    add_failed(fixture);
    machine = add(fixture, "b", WEB);
    starting = add(fixture, "c", "data/else");
    fixture->request.check_memory = true;
    pool_set_free_memory(fixture->pool, "local", 2 * machine->description->memory_kib - 1);
    assert_verdict(fixture, machine, CANDIDATE_ELIGIBLE);
    pool_set_starting(fixture->pool, starting, true);
    assert_verdict(fixture, machine, CANDIDATE_NO_MEMORY);
    pool_set_free_memory(fixture->pool, "local", 1); /* less than that: nothing is left, and that is known */
    assert_verdict(fixture, machine, CANDIDATE_NO_MEMORY);
    pool_set_starting(fixture->pool, starting, false);
    pool_set_free_memory(fixture->pool, "local", machine->description->memory_kib);
    assert_verdict(fixture, machine, CANDIDATE_ELIGIBLE);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        select_test(test_one_that_fits),
        select_test(test_the_failed_and_the_ignored_are_no_candidates),
        select_test(test_only_standbys_are_started),
        select_test(test_unreachable),
        select_test(test_who_does_not_stand_by),
        select_test(test_who_is_off_stands_by),
        select_test(test_claimed_by_another_recovery),
        select_test(test_tried_already),
        select_test(test_protected_and_paused_by_the_operator),
        select_test(test_not_similar),
        select_test(test_the_first_reason_that_applies_is_told),
        select_test(test_in_quarantine),
        select_test(test_failed_itself_and_not_recovered),
        select_test(test_a_host_without_the_memory),
        select_test(test_a_paused_machine_has_its_memory),
        select_test(test_what_is_on_its_way_up_counts),
    };

    return cmocka_run_group_tests_name("select_verdicts", tests, NULL, NULL);
}
