/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which machines could take over: every reason to be out but conflicts, and which of them is told. */
#include <string.h>

#include "choose_fixture.h"
#include "model/hold.h"

/* ---- what is out ---- */

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
    const struct machine *ignored = add(fixture, "ignored", WEB);

    pool_edit(fixture->pool, ignored)->roles = ROLE_IGNORED;
    assert_null(candidate_of(fixture, failed).machine);
    assert_null(candidate_of(fixture, ignored).machine);
}

static void test_only_standbys_are_started(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *machine;

    add_failed(fixture);
    machine = add(fixture, "b", WEB);
    pool_edit(fixture->pool, machine)->roles = ROLE_PROTECTED;
    assert_verdict(fixture, machine, CANDIDATE_NOT_STANDBY);
    pool_edit(fixture->pool, machine)->roles = 0;
    assert_verdict(fixture, machine, CANDIDATE_NOT_STANDBY);
}

static void test_unreachable(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *machine;

    add_failed(fixture);
    machine = add(fixture, "b", WEB);
    pool_edit(fixture->pool, machine)->is_reachable = false;
    assert_verdict(fixture, machine, CANDIDATE_UNREACHABLE);
}

static void test_what_does_not_stand_by(void **state)
{
    static const struct {
        enum machine_state state;
        enum machine_reason reason;
    } rows[] = {
        {MACHINE_UNKNOWN, REASON_UNKNOWN},   {MACHINE_RUNNING, REASON_UNKNOWN},
        {MACHINE_STOPPING, REASON_UNKNOWN},  {MACHINE_CRASHED, REASON_PANICKED},
        {MACHINE_SUSPENDED, REASON_UNKNOWN}, {MACHINE_GONE, REASON_UNKNOWN},
        {MACHINE_PAUSED, REASON_IO_ERROR},   {MACHINE_PAUSED, REASON_WATCHDOG},
        {MACHINE_PAUSED, REASON_BUSY},       {MACHINE_PAUSED, REASON_INCOMING},
        {MACHINE_PAUSED, REASON_PANICKED},   {MACHINE_PAUSED, REASON_POSTCOPY_FAILED},
    };
    struct fixture *fixture = *state;
    const struct machine *machine;

    add_failed(fixture);
    machine = add(fixture, "b", WEB);
    pool_edit(fixture->pool, machine)->roles = ROLE_STANDBY;
    for (size_t i = 0; i < ELEMENTS_OF(rows); i++) {
        pool_edit(fixture->pool, machine)->state = rows[i].state;
        pool_edit(fixture->pool, machine)->reason = rows[i].reason;
        assert_verdict(fixture, machine, CANDIDATE_NOT_STANDING_BY);
    }
    pool_edit(fixture->pool, machine)->state = MACHINE_SHUT_OFF; /* as news of before the start says */
    pool_edit(fixture->pool, machine)->has_come_up = true;
    assert_verdict(fixture, machine, CANDIDATE_NOT_STANDING_BY);
}

/* One that crashed too, once its own recovery is over: until then that recovery claims it. */
static void test_what_is_off_stands_by(void **state)
{
    static const enum machine_reason reasons[] = {REASON_UNKNOWN, REASON_SHUTDOWN, REASON_DESTROYED,
                                                  REASON_SAVED,   REASON_SNAPSHOT, REASON_CRASHED};
    struct fixture *fixture = *state;
    const struct machine *machine;

    add_failed(fixture);
    machine = add(fixture, "b", WEB);
    for (size_t i = 0; i < ELEMENTS_OF(reasons); i++) {
        pool_edit(fixture->pool, machine)->reason = reasons[i];
        assert_verdict(fixture, machine, CANDIDATE_ELIGIBLE);
    }
}

static void test_claimed_by_a_recovery(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *machine;

    add_failed(fixture);
    machine = add(fixture, "b", WEB);
    assert_int_equal(pool_claim(fixture->pool, machine, "recovery"), 0);
    assert_verdict(fixture, machine, CANDIDATE_CLAIMED);
    pool_release(fixture->pool, machine, "recovery");
    assert_verdict(fixture, machine, CANDIDATE_ELIGIBLE);
    pool_edit(fixture->pool, machine)->is_reserved = true;
    assert_verdict(fixture, machine, CANDIDATE_CLAIMED);
}

/* A recovery takes over what is on its way to being warm; what is being stopped, none takes. */
static void test_what_is_being_warmed_may_be_taken(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *machine;
    struct machine *edited;

    add_failed(fixture);
    machine = add(fixture, "b", WEB);
    assert_int_equal(pool_claim(fixture->pool, machine, "warming"), 0);
    edited = pool_edit(fixture->pool, machine);
    edited->keeping = KEEPING_WARMING;
    edited->state = MACHINE_RUNNING;
    edited->has_come_up = true;
    assert_verdict(fixture, machine, CANDIDATE_ELIGIBLE);
    edited = pool_edit(fixture->pool, machine);
    edited->keeping = KEEPING_ENDING;
    edited->has_come_up = false;
    edited->state = MACHINE_PAUSED;
    edited->reason = REASON_USER;
    assert_verdict(fixture, machine, CANDIDATE_CLAIMED);
    pool_release(fixture->pool, machine, "warming");
    assert_verdict(fixture, machine, CANDIDATE_CLAIMED);
}

static void test_tried_already(void **state)
{
    struct fixture *fixture = *state;
    struct machine_ref tried[2] = {{.hypervisor = "other"}};
    const struct machine *machine;

    add_failed(fixture);
    machine = add(fixture, "b", WEB);
    uuid_format(machine->description->uuid, tried[0].uuid);
    fixture->request.tried = tried;
    fixture->request.n_tried = 1;
    assert_verdict(fixture, machine, CANDIDATE_ELIGIBLE); /* the same UUID elsewhere is another machine */
    tried[1] = machine_ref_of(machine);
    fixture->request.n_tried = 2;
    assert_verdict(fixture, machine, CANDIDATE_TRIED);
    add_on(fixture, "local", "same-name", WEB);
    assert_eligible(fixture, LIST("same-name"));
}

static void test_saved_by_others(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *machine;

    add_failed(fixture);
    machine = add(fixture, "b", WEB);
    pool_edit(fixture->pool, machine)->has_managed_save = true;
    assert_verdict(fixture, machine, CANDIDATE_ELIGIBLE); /* by the daemon, and given back since */
    pool_edit(fixture->pool, machine)->has_foreign_image = true;
    assert_verdict(fixture, machine, CANDIDATE_UNDER_OPERATOR);
}

/* As "virsh start --paused --autodestroy" of a backup tool leaves it. */
static void test_paused_by_others(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *machine;

    add_failed(fixture);
    machine = add(fixture, "b", WEB);
    pool_edit(fixture->pool, machine)->state = MACHINE_PAUSED;
    pool_edit(fixture->pool, machine)->reason = REASON_USER;
    assert_verdict(fixture, machine, CANDIDATE_UNDER_OPERATOR);
    pool_edit(fixture->pool, machine)->keeping = KEEPING_WARM; /* by the daemon */
    assert_verdict(fixture, machine, CANDIDATE_ELIGIBLE);
    pool_edit(fixture->pool, machine)->keeping = KEEPING_NONE;
    pool_edit(fixture->pool, machine)->roles = ROLE_STANDBY;
    assert_verdict(fixture, machine, CANDIDATE_UNDER_OPERATOR);
}

static void test_not_similar(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *machine;

    add_failed(fixture);
    machine = add(fixture, "b", "database/oracle");
    assert_verdict(fixture, machine, CANDIDATE_NOT_SIMILAR);
    assert_int_equal(candidate_of(fixture, machine).score.verdict, SIMILARITY_BELOW_COVERAGE);
}

static void test_the_first_reason_that_applies_is_told(void **state)
{
    static const struct hold hold = {.scope = HOLD_HOST};
    struct fixture *fixture = *state;
    struct machine_ref tried;
    const struct machine *machine, *other;

    add_failed(fixture);
    machine = add(fixture, "b", "database/oracle"); /* every reason at once, lifted one by one */
    other = add(fixture, "other", "data/else");
    give_disk(fixture, machine, "/images/shared");
    give_obstacle(fixture, machine, "the storage pool images is not active");
    give_disk(fixture, other, "/images/shared");
    run_machine(fixture, other);
    fixture->request.check_memory = true;
    pool_set_free_memory(fixture->pool, "local", 1);
    tried = machine_ref_of(machine);
    fixture->request.tried = &tried;
    fixture->request.n_tried = 1;
    assert_int_equal(pool_claim(fixture->pool, machine, "another"), 0);
    struct machine *edited = pool_edit(fixture->pool, machine);
    edited->roles = ROLE_PROTECTED;
    edited->hold = &hold;
    edited->is_reachable = false;
    edited->state = MACHINE_RUNNING;
    edited->failed_unrecovered = true;
    pool_set_quarantine(fixture->pool, edited, 1, NULL);

    assert_verdict(fixture, machine, CANDIDATE_NOT_STANDBY);
    pool_edit(fixture->pool, machine)->roles |= ROLE_STANDBY;
    assert_verdict(fixture, machine, CANDIDATE_HELD);
    pool_edit(fixture->pool, machine)->hold = NULL;
    assert_verdict(fixture, machine, CANDIDATE_UNREACHABLE);
    pool_edit(fixture->pool, machine)->is_reachable = true;
    assert_verdict(fixture, machine, CANDIDATE_NOT_STANDING_BY);
    pool_edit(fixture->pool, machine)->state = MACHINE_PAUSED;
    pool_edit(fixture->pool, machine)->reason = REASON_USER;
    assert_verdict(fixture, machine, CANDIDATE_FAILED_ITSELF);
    pool_edit(fixture->pool, machine)->failed_unrecovered = false;
    assert_verdict(fixture, machine, CANDIDATE_CLAIMED);
    pool_release(fixture->pool, machine, "another");
    assert_verdict(fixture, machine, CANDIDATE_UNDER_OPERATOR);
    pool_edit(fixture->pool, machine)->state = MACHINE_SHUT_OFF;
    assert_verdict(fixture, machine, CANDIDATE_NOT_MAKEABLE);
    give_obstacle(fixture, machine, NULL);
    assert_verdict(fixture, machine, CANDIDATE_QUARANTINED);
    pool_set_quarantine(fixture->pool, machine, 0, NULL);
    assert_verdict(fixture, machine, CANDIDATE_NOT_SIMILAR);
    fixture->request.need = machine->spec;
    assert_verdict(fixture, machine, CANDIDATE_TRIED);
    fixture->request.n_tried = 0;
    assert_verdict(fixture, machine, CANDIDATE_NO_MEMORY);
    fixture->request.check_memory = false;
    assert_verdict(fixture, machine, CANDIDATE_IN_USE);
    run_machine(fixture, machine);
    assert_verdict(fixture, machine, CANDIDATE_NOT_STANDING_BY);
}

/* An operator may not have it either. */
static void test_a_template_of_which_nothing_can_be_made(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *template;

    add_failed(fixture);
    template = add(fixture, "b", WEB);
    pool_edit(fixture->pool, template)->state = MACHINE_TEMPLATE;
    assert_verdict(fixture, template, CANDIDATE_ELIGIBLE);
    give_obstacle(fixture, template, "the storage pool images is not active");
    assert_verdict(fixture, template, CANDIDATE_NOT_MAKEABLE);
    assert_false(pool_is_standing_by(template));
    assert_int_equal(choose_judge_named(&fixture->request, template).verdict, CANDIDATE_NOT_MAKEABLE);
    give_obstacle(fixture, template, NULL);
    assert_verdict(fixture, template, CANDIDATE_ELIGIBLE);
}

static void test_in_quarantine(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *machine;

    add_failed(fixture);
    machine = add(fixture, "b", WEB);
    pool_set_quarantine(fixture->pool, machine, 5000, NULL);
    fixture->request.now_us = 4999;
    assert_verdict(fixture, machine, CANDIDATE_QUARANTINED);
    fixture->request.now_us = 5000;
    assert_verdict(fixture, machine, CANDIDATE_ELIGIBLE); /* without any news of the machine */
    pool_set_quarantine(fixture->pool, machine, 7000, NULL);
    assert_verdict(fixture, machine, CANDIDATE_QUARANTINED);
    pool_set_quarantine(fixture->pool, machine, 8000, NULL);
    fixture->request.now_us = 7000;
    assert_verdict(fixture, machine, CANDIDATE_QUARANTINED);
    fixture->request.now_us = 8000;
    assert_verdict(fixture, machine, CANDIDATE_ELIGIBLE);
}

static void test_failed_itself_and_not_recovered(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *machine;

    add_failed(fixture);
    machine = add(fixture, "b", WEB);
    pool_edit(fixture->pool, machine)->failed_unrecovered = true;
    assert_verdict(fixture, machine, CANDIDATE_FAILED_ITSELF);
}

/* ---- memory ---- */

static void test_a_host_without_the_memory(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *machine;

    add_failed(fixture);
    machine = add(fixture, "b", WEB);
    fixture->request.check_memory = true;
    assert_verdict(fixture, machine, CANDIDATE_ELIGIBLE); /* not known */
    pool_set_free_memory(fixture->pool, "local", machine->description->memory_kib - 1);
    assert_verdict(fixture, machine, CANDIDATE_NO_MEMORY);
    pool_edit(fixture->pool, machine)->has_managed_save = true; /* restored, it needs as much */
    assert_verdict(fixture, machine, CANDIDATE_NO_MEMORY);
    pool_set_free_memory(fixture->pool, "local", machine->description->memory_kib);
    assert_verdict(fixture, machine, CANDIDATE_ELIGIBLE);
    pool_set_free_memory(fixture->pool, "local", 1);
    fixture->request.check_memory = false;
    assert_verdict(fixture, machine, CANDIDATE_ELIGIBLE);
}

/* It is up, and is off before the candidate is started. */
static void test_memory_that_its_host_gets_back_counts_there(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *here, *elsewhere;

    fixture->request.host = pool_host_of(add_failed(fixture));
    here = add(fixture, "b", WEB);
    elsewhere = add_on(fixture, "other", "c", WEB);
    fixture->request.check_memory = true;
    pool_set_free_memory(fixture->pool, "local", 1);
    pool_set_free_memory(fixture->pool, elsewhere->hypervisor, 1);
    fixture->request.given_kib = here->description->memory_kib - 2;
    assert_verdict(fixture, here, CANDIDATE_NO_MEMORY);
    fixture->request.given_kib++;
    assert_verdict(fixture, here, CANDIDATE_ELIGIBLE);
    assert_verdict(fixture, elsewhere, CANDIDATE_NO_MEMORY);
}

/* The free memory of its host says nothing of the huge pages that are set apart. */
static void test_a_machine_in_huge_pages_takes_no_free_memory(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *machine, *starting;
    struct domain_description *description;

    add_failed(fixture);
    machine = add(fixture, "b", WEB);
    starting = add(fixture, "c", WEB);
    fixture->request.check_memory = true;
    pool_set_free_memory(fixture->pool, "local", 1);
    assert_verdict(fixture, machine, CANDIDATE_NO_MEMORY);
    description = describe_again(machine);
    description->has_hugepages = true;
    redescribe(fixture, machine, description);
    assert_verdict(fixture, machine, CANDIDATE_ELIGIBLE);
    pool_set_free_memory(fixture->pool, "local", starting->description->memory_kib);
    pool_edit(fixture->pool, machine)->is_starting = true;
    assert_verdict(fixture, starting, CANDIDATE_ELIGIBLE);
}

static void test_a_machine_that_is_booted_has_its_memory(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *machine;

    add_failed(fixture);
    machine = add(fixture, "b", WEB);
    pause_machine(fixture, machine);
    fixture->request.check_memory = true;
    pool_set_free_memory(fixture->pool, "local", 1);
    assert_verdict(fixture, machine, CANDIDATE_ELIGIBLE);
    pool_edit(fixture->pool, machine)->state = MACHINE_SHUT_OFF;
    assert_verdict(fixture, machine, CANDIDATE_NO_MEMORY);
    pool_edit(fixture->pool, machine)->keeping = KEEPING_WARMING; /* its start is under way */
    assert_verdict(fixture, machine, CANDIDATE_ELIGIBLE);
}

static void test_what_is_on_its_way_up_counts(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *machine, *starting;
    bool is_known;

    add_failed(fixture);
    machine = add(fixture, "b", WEB);
    starting = add(fixture, "c", "data/else");
    fixture->request.check_memory = true;
    pool_set_free_memory(fixture->pool, "local", 2 * machine->description->memory_kib - 1);
    assert_verdict(fixture, machine, CANDIDATE_ELIGIBLE);
    pool_edit(fixture->pool, starting)->is_starting = true;
    assert_verdict(fixture, machine, CANDIDATE_NO_MEMORY);
    pool_edit(fixture->pool, starting)->state = MACHINE_RUNNING; /* the listing counts it from here on */
    assert_verdict(fixture, machine, CANDIDATE_ELIGIBLE);
    pool_edit(fixture->pool, starting)->state = MACHINE_SHUT_OFF;
    pool_set_free_memory(fixture->pool, "local", 1); /* less than that: nothing is left, and that is known */
    assert_verdict(fixture, machine, CANDIDATE_NO_MEMORY);
    assert_int_equal(pool_host_spare_kib(pool_host_of(machine), &is_known), 0);
    assert_true(is_known);
    pool_edit(fixture->pool, starting)->is_starting = false;
    pool_set_free_memory(fixture->pool, "local", machine->description->memory_kib);
    assert_verdict(fixture, machine, CANDIDATE_ELIGIBLE);
}

static void test_what_was_on_its_way_up_and_is_gone_does_not_count(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *machine, *starting;

    add_failed(fixture);
    machine = add(fixture, "b", WEB);
    starting = add(fixture, "c", "data/else");
    fixture->request.check_memory = true;
    pool_set_free_memory(fixture->pool, "local", machine->description->memory_kib);
    pool_edit(fixture->pool, starting)->is_starting = true;
    assert_verdict(fixture, machine, CANDIDATE_NO_MEMORY);
    pool_remove(fixture->pool, starting);
    assert_verdict(fixture, machine, CANDIDATE_ELIGIBLE);
}

/* A larger machine that takes over needs what it is described with, whatever failed. */
static void test_memory_is_what_the_candidate_needs(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *machine;

    add_failed(fixture);
    machine = add(fixture, "b", WEB);
    fixture->request.check_memory = true;
    pool_set_free_memory(fixture->pool, "local", machine->description->memory_kib);
    give_memory(fixture, machine, machine->description->memory_kib + 1);
    assert_verdict(fixture, machine, CANDIDATE_NO_MEMORY);
}

/* ---- the failed machine itself ---- */

static enum candidate_verdict judge_original(struct fixture *fixture)
{
    assert_int_equal(pool_settle(fixture->pool, 0), 0);
    return choose_judge_original(&fixture->request).verdict;
}

static void test_of_the_failed_machine_only_what_it_would_use_counts(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *failed = add_failed(fixture), *other = add(fixture, "other", "data/else");
    struct machine *edited = pool_edit(fixture->pool, failed);

    edited->roles = ROLE_PROTECTED;
    edited->failed_unrecovered = true;
    pool_set_quarantine(fixture->pool, edited, 1, NULL);
    assert_int_equal(pool_claim(fixture->pool, failed, "recovery"), 0);
    assert_int_equal(judge_original(fixture), CANDIDATE_ELIGIBLE);

    give_disk(fixture, failed, "/images/service");
    give_disk(fixture, other, "/images/service");
    assert_int_equal(judge_original(fixture), CANDIDATE_ELIGIBLE);
    run_machine(fixture, other);
    assert_int_equal(judge_original(fixture), CANDIDATE_IN_USE);
    assert_ptr_equal(choose_judge_original(&fixture->request).conflict_with, other);
    fixture->request.check_memory = true;
    pool_set_free_memory(fixture->pool, "local", 1);
    assert_int_equal(judge_original(fixture), CANDIDATE_NO_MEMORY);
    pool_set_present(fixture->pool, failed, false);
    assert_int_equal(judge_original(fixture), CANDIDATE_NOT_STANDING_BY);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        choose_test(test_one_that_fits),
        choose_test(test_the_failed_and_the_ignored_are_no_candidates),
        choose_test(test_only_standbys_are_started),
        choose_test(test_unreachable),
        choose_test(test_what_does_not_stand_by),
        choose_test(test_what_is_off_stands_by),
        choose_test(test_claimed_by_a_recovery),
        choose_test(test_what_is_being_warmed_may_be_taken),
        choose_test(test_tried_already),
        choose_test(test_paused_by_others),
        choose_test(test_saved_by_others),
        choose_test(test_not_similar),
        choose_test(test_the_first_reason_that_applies_is_told),
        choose_test(test_a_template_of_which_nothing_can_be_made),
        choose_test(test_in_quarantine),
        choose_test(test_failed_itself_and_not_recovered),
        choose_test(test_a_host_without_the_memory),
        choose_test(test_a_machine_that_is_booted_has_its_memory),
        choose_test(test_memory_that_its_host_gets_back_counts_there),
        choose_test(test_a_machine_in_huge_pages_takes_no_free_memory),
        choose_test(test_what_is_on_its_way_up_counts),
        choose_test(test_what_was_on_its_way_up_and_is_gone_does_not_count),
        choose_test(test_memory_is_what_the_candidate_needs),
        choose_test(test_of_the_failed_machine_only_what_it_would_use_counts),
    };

    return cmocka_run_group_tests_name("choose verdicts", tests, NULL, NULL);
}
