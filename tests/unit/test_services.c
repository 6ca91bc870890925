/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a diversion says of its service while machines come, go and are given up. What comes out of the coordinator over
 * a whole story: tests/scenarios/service-*.scenario.
 */
#include "choose/plan.h"
#include "support.h"

#include <errno.h>
#include <string.h>

#include "world.h"

/* The diversion of the service of this machine; NULL: it serves itself. */
static const struct diversion *diversion_of(const struct world *world, unsigned original)
{
    for (size_t i = 0; i < coordinator_diversion_count(world->coordinator); i++) {
        const struct diversion *diversion = coordinator_diversion(world->coordinator, i);

        if (!diversion->is_over &&
            strcmp(diversion->service.original.uuid, machine_ref_of(world_machine(world, original)).uuid) == 0)
            return diversion;
    }
    return NULL;
}

static void expect_served(const struct world *world, unsigned original, const char *replacement, bool is_stopped)
{
    const struct diversion *diversion = diversion_of(world, original);

    assert_non_null(diversion);
    assert_string_equal(diversion->service.replacement_name, replacement);
    assert_int_equal(diversion->is_stopped, is_stopped);
}

/* "a" is served by "b", and cannot take its service back itself. Returns the number of "a". */
static unsigned divert(struct world *world)
{
    unsigned a = world_add_three(world);

    world->domains[a].role = "protected";
    world_tell(world, a, EVENT_CHANGED);
    world_drive(world);
    world_kill(world, a);
    world_pass(world, SETTLED);
    expect_served(world, a, "b", false);
    return a;
}

/* Of a service that its replacement serves when the daemon starts without its state. */
static void test_a_mark_begins_the_diversion_where_nothing_is_on_record(struct world *world)
{
    unsigned a = divert(world);

    world_pass(world, 10 * USEC_PER_SEC);
    world_stop_daemon(world);
    world_lose_store(world);
    world_start_daemon(world);
    world_connect_all(world);
    world_pass(world, SETTLED);
    expect_served(world, a, "b", false);
    assert_true(diversion_of(world, a)->is_by_mark);
    world_restart_daemon(world);
    world_connect_all(world);
    world_pass(world, SETTLED);
    assert_true(diversion_of(world, a)->is_by_mark);
}

/* The metadata of "b" is brought back as it was: the record says otherwise. */
static void test_a_mark_says_nothing_where_machines_are_on_record(struct world *world)
{
    unsigned a = divert(world);
    char mark[MARK_TEXT_SIZE];

    world_pass(world, 10 * USEC_PER_SEC);
    strcpy(mark, world->domains[a + 1].mark);
    assert_true(mark[0] != '\0');
    world_boot(world, a);
    world_shut_down(world, a + 1);
    world_pass(world, 60 * USEC_PER_SEC);
    assert_null(diversion_of(world, a));
    assert_string_equal(world->domains[a + 1].mark, "");
    world_shut_down(world, a);
    world_boot(world, a + 1);
    world_pass(world, SETTLED);
    strcpy(world->domains[a + 1].mark, mark);
    world_restart_daemon(world);
    world_connect_all(world);
    world_pass(world, 60 * USEC_PER_SEC);
    assert_null(diversion_of(world, a));
    assert_string_equal(world->domains[a + 1].mark, "");
}

static void test_machines_show_their_diversion(struct world *world)
{
    unsigned a = divert(world);
    const struct machine *original = world_machine(world, a), *replacement = world_machine(world, a + 1);

    assert_non_null(replacement->serves);
    assert_ptr_equal(replacement->serves, original->diverted);
    assert_null(original->serves);
    assert_null(replacement->diverted);
    assert_true(machine_is_protected(replacement));
    assert_ptr_equal(machine_need(replacement), &replacement->serves->need);
    world_boot(world, a);
    world_shut_down(world, a + 1);
    world_drive(world);
    assert_null(diversion_of(world, a));
    assert_null(world_machine(world, a)->diverted);
    assert_null(world_machine(world, a + 1)->serves);
    assert_null(world->diversions[a]);
}

/* Nothing but its end is new. */
static void test_that_it_is_over_is_written_down(struct world *world)
{
    unsigned a = divert(world);

    world_boot(world, a);
    world_pass(world, USEC_PER_SEC);
    assert_non_null(world->diversions[a]);
    world_kill(world, a + 1);
    world_pass(world, USEC_PER_SEC);
    assert_null(diversion_of(world, a));
    assert_null(world->diversions[a]);
}

static void test_an_original_that_takes_its_service_back_serves_it(struct world *world)
{
    unsigned a = divert(world);

    world->domains[a].role = "standby,protected";
    world->domains[a + 2].role = "ignored";
    world_tell(world, a, EVENT_CHANGED);
    world_tell(world, a + 2, EVENT_CHANGED);
    world_pass(world, USEC_PER_SEC);
    world_kill(world, a + 1);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, a + 1, RECOVERY_RECOVERED)->replacement_name, "a");
    assert_null(diversion_of(world, a));
    assert_null(world_machine(world, a)->serves);
    assert_null(world_machine(world, a + 1)->serves);
}

static void test_a_planned_stop_is_remembered_until_it_runs_again(struct world *world)
{
    unsigned a = divert(world);

    world_shut_down(world, a + 1);
    world_drive(world);
    expect_served(world, a, "b", true);
    world_restart_daemon(world);
    world_connect_all(world);
    expect_served(world, a, "b", true);
    world_boot(world, a + 1);
    world_drive(world);
    expect_served(world, a, "b", false);
}

/* The remains of a replacement that panicked are destroyed: this is no stop on purpose. */
static void test_what_a_recovery_destroys_is_not_stopped_on_purpose(struct world *world)
{
    unsigned a = divert(world);

    world->domains[a + 1].on_crash = ON_CRASH_PRESERVE;
    world->domains[a + 2].role = "ignored";
    world_tell(world, a + 1, EVENT_CHANGED);
    world_tell(world, a + 2, EVENT_CHANGED);
    world_pass(world, USEC_PER_SEC);
    world_happen(world, a + 1, EVENT_CRASHED_PANICKED);
    world_pass(world, SETTLED);
    assert_int_equal(world->domains[a + 1].destroys, 1);
    world_expect(world, a + 1, RECOVERY_EXHAUSTED);
    expect_served(world, a, "b", false);
}

/* It was stopped on purpose, was tried for another service in vain, and is as stopped as before. */
static void test_a_stopped_replacement_that_is_no_use_elsewhere_stays_stopped(struct world *world)
{
    unsigned a = divert(world), d;

    world_shut_down(world, a + 1);
    world->domains[a + 2].role = "ignored";
    world_tell(world, a + 2, EVENT_CHANGED);
    d = world_add_on(world, LOCAL, "d", MACHINE_RUNNING);
    world->domains[d].role = "protected";
    world_tell(world, d, EVENT_DEFINED);
    world_pass(world, USEC_PER_SEC);
    world->domains[a + 1].dies_at_once = true;
    world_kill(world, d);
    world_pass(world, SETTLED);
    assert_int_equal(world->domains[a + 1].starts, 2);
    world_expect(world, d, RECOVERY_EXHAUSTED);
    expect_served(world, a, "b", true);
}

/* Seen off, a former replacement may be used for something else, and does not run twice then. */
static void test_a_former_replacement_that_was_seen_off_is_forgotten(struct world *world)
{
    unsigned a = divert(world);

    world_kill(world, a + 1);
    world_pass(world, SETTLED);
    expect_served(world, a, "c", false);
    assert_int_equal(diversion_of(world, a)->n_former, 0);
    world_boot(world, a + 1);
    world_pass(world, SETTLED);
    assert_int_equal(world->told[NOTICE_BOTH_RUN], 0);
}

/* Nothing of it may be held by the pool of a daemon that has forgotten the machine. */
static void test_machines_that_are_undefined_and_come_back_show_it_again(struct world *world)
{
    unsigned a = divert(world);

    world->domains[a].exists = false;
    world_tell(world, a, EVENT_UNDEFINED);
    world_pass(world, SETTLED);
    world->domains[a].exists = true;
    world_tell(world, a, EVENT_DEFINED);
    world_pass(world, SETTLED);
    assert_non_null(world_machine(world, a)->diverted);
    assert_ptr_equal(world_machine(world, a)->diverted, world_machine(world, a + 1)->serves);
}

/* ---- the plan ---- */

static const char *planned(struct world *world, unsigned served)
{
    struct plan *plan = coordinator_plan(world->coordinator, world->now);
    struct plan_answer answer;

    assert_non_null(plan);
    assert_int_equal(plan_find(plan, world_machine(world, served), &answer), 0);
    return answer.best.machine != NULL ? answer.best.machine->name : "none";
}

/* "like-a" and "like-b" are what their names say; "b" serves "a". */
static void test_the_plan_looks_at_the_need_of_the_service(struct world *world)
{
    unsigned a = world_add(world, "a", "language/nodejs", MACHINE_RUNNING),
             b = world_add(world, "b", "language/nodejs database/mysql webserver/nginx", MACHINE_SHUT_OFF),
             like_a = world_add(world, "like-a", "language/nodejs", MACHINE_RUNNING);

    world_add(world, "like-b", "language/nodejs database/mysql webserver/nginx", MACHINE_SHUT_OFF);
    world->config.similarity.threshold = 0;
    world->config.similarity.min_coverage = 0;
    world->domains[a].role = "protected";
    world->domains[like_a].role = "standby";
    world_connect_all(world);
    world_kill(world, a);
    world_pass(world, SETTLED);
    expect_served(world, a, "b", false);
    world_shut_down(world, like_a);
    world_pass(world, USEC_PER_SEC);
    assert_string_equal(planned(world, b), "like-a");
}

/* It is a candidate for that one service, and for no other. */
static void test_the_plan_has_the_original_as_a_candidate_for_its_service(struct world *world)
{
    unsigned a = divert(world), d = world_add_on(world, LOCAL, "d", MACHINE_RUNNING);

    world->domains[a].role = "standby,protected";
    world->domains[a + 2].role = "ignored";
    world_tell(world, a, EVENT_CHANGED);
    world_tell(world, a + 2, EVENT_CHANGED);
    world_tell(world, d, EVENT_DEFINED);
    world_pass(world, USEC_PER_SEC);
    assert_string_equal(planned(world, a + 1), "a");
    assert_string_equal(planned(world, d), "none");
    world->domains[a].role = "protected";
    world_tell(world, a, EVENT_CHANGED);
    world_pass(world, USEC_PER_SEC);
    assert_string_equal(planned(world, a + 1), "none");
}

/* What the plan knew of it before its service was diverted is old. */
static void test_an_original_is_no_candidate_of_the_plan_once_it_is_diverted(struct world *world)
{
    unsigned a = world_add_three(world), d = world_add_on(world, LOCAL, "d", MACHINE_RUNNING);

    world_tell(world, d, EVENT_DEFINED);
    world_pass(world, USEC_PER_SEC);
    assert_string_equal(planned(world, d), "b");
    world_kill(world, a);
    world_pass(world, SETTLED);
    assert_string_equal(planned(world, d), "c");
    world->domains[a + 2].role = "ignored";
    world_tell(world, a + 2, EVENT_CHANGED);
    world_pass(world, USEC_PER_SEC);
    assert_string_equal(planned(world, d), "none");
}

/* ---- the brake ---- */

/* "a" runs, and "b" to "e" only stand by. */
static unsigned add_chain(struct world *world, unsigned n_running)
{
    world_add_many(world, n_running, n_running + 4);
    for (unsigned i = 0; i < world->n_domains; i++)
        world->domains[i].role = i < n_running ? "protected" : "standby";
    world_connect_all(world);
    return n_running;
}

static void test_one_service_that_fails_twice_does_not_brake(struct world *world)
{
    unsigned first;

    world_set_brake(world, 2, 100000);
    first = add_chain(world, 2);
    world_kill(world, 0);
    world_pass(world, SETTLED);
    world_kill(world, first);
    world_pass(world, SETTLED);
    world_expect(world, first, RECOVERY_RECOVERED);
    assert_int_equal(world->told[NOTICE_BRAKE_ON], 0);
}

/* Two of four: not more than half. The replacements of the other two count as what they serve. */
static void test_machines_that_serve_are_protected_machines_for_the_brake(struct world *world)
{
    unsigned first;

    world->config.recovery.brake.window_us = 60 * USEC_PER_SEC;
    world_set_brake(world, 2, 500000);
    first = add_chain(world, 4);
    for (unsigned i = 0; i < 2; i++) {
        world_kill(world, i);
        world_pass(world, 100 * USEC_PER_SEC);
    }
    assert_int_equal(world->domains[first].state, MACHINE_RUNNING);
    assert_int_equal(world->domains[first + 1].state, MACHINE_RUNNING);
    world_kill(world, 2);
    world_kill(world, 3);
    world_pass(world, SETTLED);
    assert_int_equal(world->told[NOTICE_BRAKE_ON], 0);
}

/* ---- old news ---- */

/* Its start was given up and ended, and only then its hypervisor tells that it had come up. */
static void test_late_news_of_an_original_that_was_ended_says_nothing(struct world *world)
{
    unsigned a = divert(world);
    const struct recovery *recovery;

    world->config.recovery.when_exhausted = EXHAUSTED_RESTART;
    world->config.recovery.restart_backoff_us = 300 * USEC_PER_SEC;
    world->domains[a].role = "standby,protected";
    world->domains[a].start_us = world->config.recovery.start_timeout_us + 30 * USEC_PER_SEC;
    world->domains[a].is_unheard = true;
    world->domains[a + 2].role = "ignored";
    world_tell(world, a, EVENT_CHANGED);
    world_tell(world, a + 2, EVENT_CHANGED);
    world_pass(world, USEC_PER_SEC);
    world_kill(world, a + 1);
    world_pass(world, world->domains[a].start_us + USEC_PER_SEC / 2);
    assert_int_equal(world->domains[a].starts, 1);
    assert_int_equal(world->domains[a].state, MACHINE_SHUT_OFF);
    world_tell(world, a, EVENT_STARTED_BOOTED);
    world_pass(world, USEC_PER_SEC);
    assert_int_equal(world_recoveries(world, a + 1, &recovery), 1);
    assert_string_equal(recovery_state_name(recovery->state), "waiting");
}

/* Gives the order about the service of "a", and lets it be carried out. */
static void keep(struct world *world, unsigned a)
{
    struct order order = {.kind = ORDER_KEEP, .machine = machine_ref_of(world_machine(world, a + 1))};
    _cleanup_(order_answer_done) struct order_answer answer = {0};

    assert_int_equal(coordinator_order(world->coordinator, &order, world->now, &answer), 0);
    assert_string_equal(answer.recovery_id, world_expect(world, a, RECOVERY_RECOVERED)->id);
    world_pass(world, USEC_PER_SEC);
}

static void test_a_machine_that_is_kept_is_an_original(struct world *world)
{
    unsigned a = divert(world);
    const struct machine *b;
    const struct recovery *recovery = NULL;

    world->domains[a + 1].priority = 3;
    world->domains[a].priority = 8; /* of the service, as it was when it was diverted, is 0 */
    keep(world, a);
    b = world_machine(world, a + 1);
    assert_null(diversion_of(world, a));
    assert_null(world->diversions[a]);
    assert_null(b->serves);
    assert_true(machine_is_protected(b));
    assert_ptr_equal(machine_need(b), b->spec);
    assert_int_equal(machine_priority(b), 0);
    assert_string_equal(machine_service_name(b), "a");
    assert_false(machine_is_protected(world_machine(world, a)));
    world_restart_daemon(world);
    world_connect_all(world);
    world_pass(world, USEC_PER_SEC);
    world_kill(world, a + 1);
    world_pass(world, SETTLED);
    assert_int_equal(world_recoveries(world, a + 1, &recovery), 1);
    assert_string_equal(recovery->service_name, "a");
    assert_string_equal(recovery->service.uuid, machine_ref_of(world_machine(world, a + 1)).uuid);
    expect_served(world, a + 1, "c", false);
}

static void test_a_recovery_counts_for_the_service_that_is_kept(struct world *world)
{
    unsigned a = divert(world);

    keep(world, a);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->service.uuid,
                        machine_ref_of(world_machine(world, a + 1)).uuid);
    assert_string_equal(world_read_recovery(world, world_expect(world, a, RECOVERY_RECOVERED)->id)->service.uuid,
                        machine_ref_of(world_machine(world, a + 1)).uuid);
}

/* It is refused, and nothing has begun. */
static void expect_not_kept(struct world *world, unsigned a, const char *why)
{
    struct order order = {.kind = ORDER_KEEP, .machine = machine_ref_of(world_machine(world, a))};
    _cleanup_(order_answer_done) struct order_answer answer = {0};

    assert_int_equal(coordinator_order(world->coordinator, &order, world->now, &answer), -EBUSY);
    assert_non_null(strstr(answer.words, why));
    assert_int_equal(answer.recovery_id[0], 0);
    world_pass(world, USEC_PER_SEC);
    for (unsigned i = 0; i < world->n_domains; i++)
        assert_string_equal(world->domains[i].service, "");
}

/* Its role comes from its metadata, and a pattern would take that away. */
static void test_a_machine_that_is_to_be_ignored_is_not_kept(struct world *world)
{
    unsigned a = divert(world);
    struct config config = world->config;
    char *names[] = {world_machine(world, a + 1)->description->name};

    config.pool.ignore = (struct string_list){names, 1};
    assert_int_equal(coordinator_configure(world->coordinator, &config), 0);
    expect_not_kept(world, a, "pool.ignore names b");
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
}

/* The machine is found by its definition to be another one by now: that other hands did. */
static void test_what_other_hands_wrote_is_not_kept(struct world *world)
{
    unsigned a = divert(world);

    world->holds = 1u << ACTION_READ;
    keep(world, a);
    strcpy(world->domains[a + 1].service, "other");
    world_tell(world, a + 1, EVENT_CHANGED);
    world_release(world);
    world_pass(world, USEC_PER_SEC);
    assert_int_equal(world->told[NOTICE_KEPT], 0);
    assert_int_equal(world->told[NOTICE_NOT_KEPT], 1);
    expect_served(world, a, "b", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(test_a_mark_begins_the_diversion_where_nothing_is_on_record),
        world_test(test_a_mark_says_nothing_where_machines_are_on_record),
        world_test(test_machines_show_their_diversion),
        world_test(test_that_it_is_over_is_written_down),
        world_test(test_an_original_that_takes_its_service_back_serves_it),
        world_test(test_a_planned_stop_is_remembered_until_it_runs_again),
        world_test(test_what_a_recovery_destroys_is_not_stopped_on_purpose),
        world_test(test_a_stopped_replacement_that_is_no_use_elsewhere_stays_stopped),
        world_test(test_a_former_replacement_that_was_seen_off_is_forgotten),
        world_test(test_machines_that_are_undefined_and_come_back_show_it_again),
        world_test(test_the_plan_looks_at_the_need_of_the_service),
        world_test(test_the_plan_has_the_original_as_a_candidate_for_its_service),
        world_test(test_an_original_is_no_candidate_of_the_plan_once_it_is_diverted),
        world_test(test_one_service_that_fails_twice_does_not_brake),
        world_test(test_machines_that_serve_are_protected_machines_for_the_brake),
        world_test(test_late_news_of_an_original_that_was_ended_says_nothing),
        world_test(test_a_machine_that_is_kept_is_an_original),
        world_test(test_a_recovery_counts_for_the_service_that_is_kept),
        world_test(test_what_other_hands_wrote_is_not_kept),
        world_test(test_a_machine_that_is_to_be_ignored_is_not_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
