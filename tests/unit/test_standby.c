/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Standbys that are kept warm, from the plan to the recovery that takes one. */
#include <errno.h>
#include <string.h>

#include "support.h"
#include "choose/plan.h"
#include "world.h"

#define LESS "language/nodejs database/mysql"
#define PHP  "language/php database/pg"

static unsigned a, best, less; /* a protected machine that runs, and two standbys */

static int set_up(void **state)
{
    struct world *world = world_of_test();

    world_set_up(state);
    world->config.standby = (struct config_standby){.warm = 1, .refresh_us = 0};
    world->config.recovery.check_memory = true;
    world->free_memory_kib[0] = 16 * 1024 * 1024;
    a = world_add(world, "a", WEB, MACHINE_RUNNING);
    best = world_add(world, "best", WEB, MACHINE_SHUT_OFF);
    less = world_add(world, "less", LESS, MACHINE_SHUT_OFF);
    return 0;
}

static void assert_kept(struct world *world, unsigned number, enum keeping keeping, enum machine_state state)
{
    const struct machine *machine = world_machine(world, number);

    assert_non_null(machine);
    assert_string_equal(keeping_name(machine->keeping), keeping_name(keeping));
    assert_string_equal(machine_state_name(world->domains[number].state), machine_state_name(state));
}

/* Long enough for a course. */
static void pass_a_minute(struct world *world)
{
    world_pass(world, 60 * USEC_PER_SEC);
}

static void connect_and_warm(struct world *world)
{
    world_connect_all(world);
    pass_a_minute(world);
}

static void nothing_is_warmed_unless_asked(struct world *world)
{
    world->config.standby.warm = 0;
    connect_and_warm(world);
    assert_int_equal(world->domains[best].starts + world->domains[less].starts, 0);
    assert_true(coordinator_deadline(world->coordinator) > world->now.mono_us + 100 * USEC_PER_SEC);
}

static void the_best_is_booted_verified_and_suspended(struct world *world)
{
    const struct machine *served;

    world->domains[best].has_agent = true;
    world->domains[best].resident_kib = 4096;
    connect_and_warm(world);
    assert_kept(world, best, KEEPING_WARM, MACHINE_PAUSED);
    assert_kept(world, less, KEEPING_NONE, MACHINE_SHUT_OFF);
    assert_int_equal(world->asked[ACTION_VERIFY], 1);
    assert_int_equal(world->told[NOTICE_WARMED], 1);
    assert_int_equal(machine_rare(world_machine(world, best))->resident_kib, 4096);
    assert_null(machine_rare(world_machine(world, best))->claimed_by);
    assert_int_equal(
        plan_count_served_by(coordinator_plan(world->coordinator, world->now), world_machine(world, best), &served), 1);
    assert_ptr_equal(served, world_machine(world, a));
    assert_int_equal(world->told[NOTICE_STOP_PLANNED], 0); /* the daemon's own suspend is not told */
}

static void a_recovery_resumes_it_and_the_next_best_is_warmed(struct world *world)
{
    const struct recovery *recovery;

    world->domains[a].role = "protected";
    world->domains[best].has_agent = true;
    connect_and_warm(world);
    world_kill(world, a);
    world_pass(world, 4 * USEC_PER_SEC);
    recovery = world_expect(world, a, RECOVERY_RECOVERED);
    assert_string_equal(recovery->replacement_name, "best");
    assert_string_equal(warmth_name(recovery->warmth), "paused");
    assert_int_equal(world->domains[best].clocks_set, 1);
    pass_a_minute(world);
    assert_kept(world, best, KEEPING_NONE, MACHINE_RUNNING);
    assert_kept(world, less, KEEPING_WARM, MACHINE_PAUSED); /* for best, which is protected as well */
}

/* a was replaced by best, and stands by for best since: that it is booted to be warm is not that both run. */
static void the_original_is_warmed_for_its_replacement(struct world *world)
{
    world->config.when_both_run = BOTH_RUN_STOP_ORIGINAL;
    world->domains[less].role = "protected";
    world_connect_all(world);
    world_kill(world, a);
    world_pass(world, 4 * USEC_PER_SEC);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->replacement_name, "best");
    pass_a_minute(world);
    assert_kept(world, a, KEEPING_WARM, MACHINE_PAUSED);
    assert_int_equal(world->told[NOTICE_BOTH_RUN], 0);
    world_happen(world, a, EVENT_RESUMED); /* the operator wants it to run after all */
    pass_a_minute(world);
    assert_int_equal(world->told[NOTICE_BOTH_RUN], 1);
    assert_int_equal(world->told[NOTICE_BOTH_RESOLVED], 1);
    assert_kept(world, a, KEEPING_WARM, MACHINE_PAUSED); /* once more */
}

/* It was suspended there: no service missed it, and it is warm no more. */
static void a_standby_that_was_warm_on_a_lost_host_is_warm_no_more(struct world *world)
{
    world->domains[best].hypervisor = 1;
    world->free_memory_kib[1] = 16 * 1024 * 1024;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    connect_and_warm(world);
    assert_kept(world, best, KEEPING_WARM, MACHINE_PAUSED);
    world_disconnect(world, 1);
    world->domains[best].state = MACHINE_SHUT_OFF;
    world->domains[best].reason = REASON_UNKNOWN;
    assert_int_equal(coordinator_confirm_fenced(world->coordinator, world_machine(world, best)->hypervisor, world->now),
                     0);
    world_drive(world);
    world_connect(world, 1);
    world_pass(world, 20 * USEC_PER_SEC); /* what failed is not tried again at once */
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
    assert_int_equal(world->domains[best].starts, 1);
    world_pass(world, 1200 * USEC_PER_SEC);
    assert_kept(world, best, KEEPING_WARM, MACHINE_PAUSED); /* anew */
    assert_int_equal(world->domains[best].starts, 2);
}

/* The agent needs a moment after a resume; and the answer may come before the news that it runs. */
static void a_clock_that_cannot_be_set_at_once_is_set_later(struct world *world)
{
    world->domains[best].has_agent = true;
    connect_and_warm(world);
    world->domains[best].is_mute = true;
    world_kill(world, a);
    world_pass(world, 2 * USEC_PER_SEC);
    assert_true(world->asked[ACTION_SET_CLOCK] > 0);
    world->domains[best].is_mute = false;
    world_pass(world, 3 * USEC_PER_SEC);
    assert_int_equal(world->domains[best].clocks_set, 1);
    assert_int_equal(world->told[NOTICE_CLOCK_FAILED], 0);
    world_expect(world, a, RECOVERY_RECOVERED);
}

static void a_clock_that_cannot_be_set_is_told(struct world *world)
{
    world->config.recovery.verify.level = VERIFY_RUNNING;
    world->domains[best].has_agent = world->domains[best].is_mute = true;
    connect_and_warm(world);
    world_kill(world, a);
    world_pass(world, 30 * USEC_PER_SEC);
    world_expect(world, a, RECOVERY_RECOVERED);
    assert_int_equal(world->told[NOTICE_CLOCK_FAILED], 1);
}

static void saved_ones_are_restored(struct world *world)
{
    const struct recovery *recovery;

    world->config.standby.warmth = KEEP_SAVED;
    connect_and_warm(world);
    assert_kept(world, best, KEEPING_WARM, MACHINE_SHUT_OFF);
    assert_true(world->domains[best].has_saved);
    world_kill(world, a);
    world_pass(world, 4 * USEC_PER_SEC);
    recovery = world_expect(world, a, RECOVERY_RECOVERED);
    assert_string_equal(warmth_name(recovery->warmth), "saved");
}

/* Given back, it was off already: its end is no late news of that. */
static void a_saved_one_that_is_given_back_may_fail_at_once(struct world *world)
{
    world->config.standby.warmth = KEEP_SAVED;
    connect_and_warm(world);
    world->config.standby.warm = 0;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    for (unsigned i = 0; i < 600 && world->told[NOTICE_WARM_ENDED] == 0; i++)
        world_pass(world, USEC_PER_SEC / 10);
    assert_int_equal(world->told[NOTICE_WARM_ENDED], 1);
    world_boot(world, best);
    world_kill(world, best);
    world_pass(world, SETTLED);
    world_expect(world, best, RECOVERY_RECOVERED);
}

static void observing_warms_no_standby(struct world *world)
{
    world->config.mode = MODE_OBSERVE;
    connect_and_warm(world);
    assert_int_equal(world->domains[best].starts, 0);
}

/* It would run beside its own original, on the same disk. */
static void one_that_shares_a_disk_stays_cold_and_says_why(struct world *world)
{
    _cleanup_(explanation_freep) struct explanation *explanation = NULL;

    world->domains[a].disk = world->domains[best].disk = "/shared.img";
    connect_and_warm(world);
    assert_int_equal(world->domains[best].starts, 0);
    assert_non_null(machine_rare(world_machine(world, best))->not_warm);
    assert_non_null(strstr(machine_rare(world_machine(world, best))->not_warm, "/shared.img"));
    assert_int_equal(coordinator_explain(world->coordinator, world_machine(world, a), 9, world->now, &explanation), 0);
    assert_non_null(strstr(explanation->candidates[0].reason, "not kept warm: its disk /shared.img is in use by a"));
}

/* Both machines have the same best candidate: each is to have a warm standby of its own. */
static void two_machines_have_two_warm_standbys(struct world *world)
{
    world_add(world, "b", WEB, MACHINE_RUNNING);
    world->config.standby.warm = 2;
    connect_and_warm(world);
    pass_a_minute(world);
    assert_kept(world, best, KEEPING_WARM, MACHINE_PAUSED);
    assert_kept(world, less, KEEPING_WARM, MACHINE_PAUSED);
}

/* Or else the recovery of the more important machine would find its best candidate's disk in use. */
static void one_that_stands_in_the_way_of_a_better_one_stays_cold(struct world *world)
{
    unsigned b = world_add(world, "b", PHP, MACHINE_RUNNING);
    unsigned other = world_add(world, "other", PHP, MACHINE_SHUT_OFF);

    world->domains[b].priority = 1;
    world->config.standby.warm = 2;
    world->config.standby.memory_limit_bytes = INT64_C(1536) << 20;
    world->domains[best].memory_kib = 1024 * 1024;
    world->domains[other].memory_kib = 2 * 1024 * 1024; /* too large to be warm */
    world->domains[best].disk = world->domains[other].disk = "/shared.img";
    connect_and_warm(world);
    world_pass(world, 300 * USEC_PER_SEC);
    assert_int_equal(world->domains[best].starts, 0);
    assert_non_null(
        strstr(machine_rare(world_machine(world, best))->not_warm, "with other, which has a higher rank in the plan"));
    world_kill(world, b);
    world_pass(world, 10 * USEC_PER_SEC);
    assert_string_equal(world_expect(world, b, RECOVERY_RECOVERED)->replacement_name, "other");
}

/* While the note is being written, the operator starts a machine with the same disk. */
static void one_whose_disk_is_taken_at_the_last_moment_is_not_started(struct world *world)
{
    unsigned c = world_add(world, "c", PHP, MACHINE_SHUT_OFF);

    world->domains[c].role = "protected";
    world->domains[best].disk = world->domains[c].disk = "/shared.img";
    world->holds = 1u << ACTION_REMEMBER;
    world_connect_all(world);
    world_pass(world, 3 * USEC_PER_SEC);
    world_boot(world, c);
    world_answer(world, world_find_pending(world, ACTION_REMEMBER), false);
    world_pass(world, 3 * USEC_PER_SEC);
    assert_int_equal(world->domains[best].starts, 0);
    assert_non_null(strstr(world->last_text[NOTICE_WARM_FAILED], "/shared.img is in use by c"));
}

static void memory_limit_holds(struct world *world)
{
    unsigned b = world_add(world, "b", PHP, MACHINE_RUNNING);

    (void)b;
    world_add(world, "other", PHP, MACHINE_SHUT_OFF);
    world->domains[b].priority = 1;
    world->domains[best].memory_kib = 1024 * 1024;
    world->config.standby.warm = 2;
    world->config.standby.memory_limit_bytes = INT64_C(1536) * 1024 * 1024;
    connect_and_warm(world);
    assert_kept(world, 4, KEEPING_WARM, MACHINE_PAUSED); /* of the more important machine */
    assert_kept(world, best, KEEPING_NONE, MACHINE_SHUT_OFF);
    assert_string_equal(machine_rare(world_machine(world, best))->not_warm,
                        "standby.memory_limit leaves no room for it");
}

static void a_lower_limit_gives_memory_back(struct world *world)
{
    connect_and_warm(world);
    world->config.standby.memory_limit_bytes = 1024 * 1024;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    world_pass(world, USEC_PER_SEC);
    assert_kept(world, best, KEEPING_NONE, MACHINE_SHUT_OFF);
    assert_int_equal(world->told[NOTICE_WARM_ENDED], 1);
    assert_true(coordinator_recovery_count(world->coordinator) == 0);
}

static void one_whose_original_is_gone_is_given_back_after_a_while(struct world *world)
{
    connect_and_warm(world);
    world_happen(world, a, EVENT_STOPPED_SHUTDOWN);
    world_pass(world, 10 * USEC_PER_SEC);
    assert_kept(world, best, KEEPING_WARM, MACHINE_PAUSED);
    pass_a_minute(world);
    assert_kept(world, best, KEEPING_NONE, MACHINE_SHUT_OFF);
}

/* The claim goes over as a whole, while it runs. */
static void a_recovery_takes_over_one_that_is_being_verified(struct world *world)
{
    const struct recovery *recovery;

    world->domains[best].has_agent = true;
    world->domains[best].is_mute = true;
    world_connect_all(world);
    world_pass(world, 10 * USEC_PER_SEC);
    assert_kept(world, best, KEEPING_WARMING, MACHINE_RUNNING);
    world->domains[best].is_mute = false;
    world_kill(world, a);
    world_pass(world, 6 * USEC_PER_SEC);
    recovery = world_expect(world, a, RECOVERY_RECOVERED);
    assert_string_equal(recovery->replacement_name, "best");
    assert_string_equal(warmth_name(recovery->warmth), "running");
    pass_a_minute(world);
    assert_kept(world, best, KEEPING_NONE, MACHINE_RUNNING); /* it is not suspended any more */
}

/* While a call is under way, the recovery waits for its end. */
static void a_recovery_waits_for_a_suspend_under_way(struct world *world)
{
    const struct recovery *recovery;

    world->holds = 1u << ACTION_SUSPEND;
    connect_and_warm(world);
    assert_kept(world, best, KEEPING_WARMING, MACHINE_RUNNING);
    world_kill(world, a);
    world_pass(world, USEC_PER_SEC);
    assert_int_equal(world->domains[best].starts, 1);
    world_answer(world, world_find_pending(world, ACTION_SUSPEND), false);
    world->holds = 0;
    world_pass(world, 6 * USEC_PER_SEC);
    recovery = world_expect(world, a, RECOVERY_RECOVERED);
    assert_string_equal(recovery->replacement_name, "best");
    assert_kept(world, best, KEEPING_NONE, MACHINE_RUNNING);
}

/* A suspend that was given up may still come: the machine serves no recovery before. */
static void a_suspend_that_hangs_keeps_the_machine_from_recoveries(struct world *world)
{
    const struct recovery *recovery;
    struct action action, question;
    struct action_result result = {.error = 0};

    world->holds = 1u << ACTION_SUSPEND;
    connect_and_warm(world);
    action = world->pending[world_find_pending(world, ACTION_SUSPEND)].action;
    world_answer_error(world, world_find_pending(world, ACTION_SUSPEND), -ETIMEDOUT);
    assert_kept(world, best, KEEPING_ENDING, MACHINE_RUNNING);
    world_pass(world, world->config.discovery.resync_interval_us); /* that it is listed says nothing of the call */
    assert_kept(world, best, KEEPING_ENDING, MACHINE_RUNNING);
    /* Nor does the late answer to a question. */
    question = action;
    question.kind = ACTION_GET_STATE;
    coordinator_handle_late_result(world->coordinator, &question, &result, world->now);
    world_drive(world);
    assert_int_equal(world->asked[ACTION_DESTROY], 0);
    world_kill(world, a);
    world_pass(world, 6 * USEC_PER_SEC);
    recovery = world_expect(world, a, RECOVERY_RECOVERED);
    assert_string_equal(recovery->replacement_name, "less");
    result.id = action.id;
    coordinator_handle_late_result(world->coordinator, &action, &result, world->now);
    world_pass(world, 3 * USEC_PER_SEC);
    assert_kept(world, best, KEEPING_NONE, MACHINE_SHUT_OFF);
    assert_int_equal(world->told[NOTICE_WARM_FAILED], 1);
}

/* What a hook does not want is no worse for it: it stays warm, and does not run for nothing. */
static void one_that_a_recovery_does_not_start_stays_warm(struct world *world)
{
    world->domains[best].hook_error = -ECANCELED;
    connect_and_warm(world);
    world_kill(world, a);
    world_pass(world, 10 * USEC_PER_SEC);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->replacement_name, "less");
    assert_kept(world, best, KEEPING_WARM, MACHINE_PAUSED);
}

static void nor_one_that_ran_when_it_was_taken(struct world *world)
{
    world->domains[best].hook_error = -ECANCELED;
    world->domains[best].has_agent = world->domains[best].is_mute = true;
    world_connect_all(world);
    world_pass(world, 10 * USEC_PER_SEC);
    assert_kept(world, best, KEEPING_WARMING, MACHINE_RUNNING);
    world->domains[best].is_mute = false;
    world_kill(world, a);
    world_pass(world, 20 * USEC_PER_SEC);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->replacement_name, "less");
    assert_kept(world, best, KEEPING_WARM, MACHINE_PAUSED);
}

/* Its answer is lost with the connection, it is found off, and it takes effect long after. */
static void a_start_that_comes_late_is_ended(struct world *world)
{
    world->holds = 1u << ACTION_START;
    world_connect_all(world);
    world_pass(world, 5 * USEC_PER_SEC);
    world_answer_error(world, world_find_pending(world, ACTION_START), -ENOTCONN);
    world->holds = 0;
    world_disconnect(world, 0);
    world_connect(world, 0);
    world_pass(world, 20 * USEC_PER_SEC);
    assert_kept(world, best, KEEPING_ENDING, MACHINE_SHUT_OFF);
    world_boot(world, best);
    world_pass(world, 3 * USEC_PER_SEC);
    assert_kept(world, best, KEEPING_ENDING, MACHINE_SHUT_OFF);
    assert_int_equal(world->domains[best].destroys, 1);
    world_pass(world, world->config.recovery.late_start_us + 120 * USEC_PER_SEC);
    assert_kept(world, best, KEEPING_WARM, MACHINE_PAUSED);
}

/* What it has opened is another machine's, so that a hold does not protect it; once it is off, an operator may start it. */
static void one_that_is_off_is_not_destroyed_again_while_it_is_held(struct world *world)
{
    world->domains[a].disk = "/srv/a";
    world->domains[best].opens = "/srv/a";
    world->holds = 1u << ACTION_DESTROY;
    connect_and_warm(world);
    assert_int_equal(
        coordinator_hold(world->coordinator, HOLD_ALL, &(struct machine_ref){0}, "all", NULL, NULL, 0, world->now), 0);
    world_answer_error(world, world_find_pending(world, ACTION_DESTROY), -EAGAIN);
    world->holds = 0;
    world_happen(world, best, EVENT_STOPPED_DESTROYED);
    pass_a_minute(world);
    assert_int_equal(world->domains[best].destroys, 0);
}

static void one_that_does_not_come_up_is_tried_later_and_less_often(struct world *world)
{
    world->domains[best].start_error = -EIO;
    connect_and_warm(world);
    assert_true(world->domains[best].starts >= 1 && world->domains[best].starts <= 2);
    assert_true(world->told[NOTICE_WARM_FAILED] >= 1);
    assert_non_null(strstr(world->last_text[NOTICE_WARM_FAILED], "its start failed: refused"));
    world_pass(world, 600 * USEC_PER_SEC);
    assert_true(world->domains[best].starts < 8);
}

static void one_that_dies_while_it_is_verified_opens_no_recovery(struct world *world)
{
    world->domains[best].has_agent = world->domains[best].is_mute = true;
    world_connect_all(world);
    world_pass(world, 10 * USEC_PER_SEC);
    world_kill(world, best);
    world_pass(world, 3 * USEC_PER_SEC);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
    assert_int_equal(world->told[NOTICE_WARM_FAILED], 1);
    assert_kept(world, best, KEEPING_NONE, MACHINE_SHUT_OFF);
}

static void one_that_dies_while_it_stands_is_warmed_again(struct world *world)
{
    connect_and_warm(world);
    world_kill(world, best);
    world_pass(world, 3 * USEC_PER_SEC);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
    world_pass(world, 120 * USEC_PER_SEC);
    assert_kept(world, best, KEEPING_WARM, MACHINE_PAUSED);
}

/* Nothing was warmed for five minutes, and no reason was shown. */
static void switched_off_and_on_again_is_warmed_at_once(struct world *world)
{
    connect_and_warm(world);
    world->config.standby.warm = 0;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    pass_a_minute(world);
    assert_kept(world, best, KEEPING_NONE, MACHINE_SHUT_OFF);
    world->config.standby.warm = 1;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    world_pass(world, 10 * USEC_PER_SEC);
    assert_kept(world, best, KEEPING_WARM, MACHINE_PAUSED);
}

static void one_that_waits_to_be_tried_again_says_why(struct world *world)
{
    world->domains[best].start_error = -EIO;
    world_connect_all(world);
    world_pass(world, 3 * USEC_PER_SEC);
    assert_int_equal(world->told[NOTICE_WARM_FAILED], 1);
    assert_non_null(machine_rare(world_machine(world, best))->not_warm);
    assert_non_null(strstr(machine_rare(world_machine(world, best))->not_warm, "could not be warmed lately"));
    world->domains[best].start_error = 0;
    world_pass(world, 120 * USEC_PER_SEC);
    assert_kept(world, best, KEEPING_WARM, MACHINE_PAUSED);
    assert_null(machine_rare(world_machine(world, best))->not_warm);
}

static void one_that_the_operator_resumes_is_left_alone(struct world *world)
{
    connect_and_warm(world);
    world_happen(world, best, EVENT_RESUMED);
    world_pass(world, USEC_PER_SEC);
    assert_kept(world, best, KEEPING_NONE, MACHINE_RUNNING);
    pass_a_minute(world);
    assert_kept(world, best, KEEPING_NONE, MACHINE_RUNNING);
}

static void what_the_operator_suspended_is_not_taken(struct world *world)
{
    world->domains[best].state = MACHINE_PAUSED;
    world->domains[best].reason = REASON_USER;
    connect_and_warm(world);
    assert_kept(world, best, KEEPING_NONE, MACHINE_PAUSED);
    assert_int_equal(world->domains[best].starts, 0);
}

static void it_is_refreshed(struct world *world)
{
    world->config.standby.refresh_us = 300 * USEC_PER_SEC;
    world->domains[best].has_agent = true;
    connect_and_warm(world);
    assert_int_equal(world->domains[best].starts, 1);
    world_pass(world, 400 * USEC_PER_SEC);
    assert_int_equal(world->domains[best].starts, 2);
    assert_int_equal(world->told[NOTICE_REFRESHED], 1);
    assert_int_equal(world->domains[best].clocks_set, 1);
    assert_kept(world, best, KEEPING_WARM, MACHINE_PAUSED);
}

static void another_form_takes_effect_on_reload(struct world *world)
{
    connect_and_warm(world);
    world->config.standby.warmth = KEEP_SAVED;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    pass_a_minute(world);
    assert_kept(world, best, KEEPING_WARM, MACHINE_SHUT_OFF);
    assert_true(world->domains[best].has_saved);
}

static void it_is_remembered_across_a_restart(struct world *world)
{
    const struct recovery *recovery;

    world->domains[best].has_agent = true;
    connect_and_warm(world);
    assert_int_equal(world_machine(world, best)->warm_proof, PROOF_AGENT);
    world_restart_daemon(world);
    connect_and_warm(world);
    assert_kept(world, best, KEEPING_WARM, MACHINE_PAUSED);
    assert_int_equal(world->domains[best].starts, 1);
    assert_int_equal(world_machine(world, best)->warm_proof, PROOF_AGENT);
    world_kill(world, a);
    world_pass(world, 6 * USEC_PER_SEC);
    recovery = world_expect(world, a, RECOVERY_RECOVERED);
    assert_string_equal(recovery->replacement_name, "best");
    assert_string_equal(warmth_name(recovery->warmth), "paused");
}

static void a_course_that_a_restart_cut_off_goes_on(struct world *world)
{
    world->domains[best].has_agent = world->domains[best].is_mute = true;
    world_connect_all(world);
    world_pass(world, 10 * USEC_PER_SEC);
    assert_kept(world, best, KEEPING_WARMING, MACHINE_RUNNING);
    world->domains[best].is_mute = false;
    world_restart_daemon(world);
    connect_and_warm(world);
    assert_kept(world, best, KEEPING_WARM, MACHINE_PAUSED);
    assert_int_equal(world->domains[best].starts, 1);
}

/* It was warm when the daemon ended, and runs now: not by our doing. */
static void one_that_was_resumed_while_the_daemon_was_away_is_left_alone(struct world *world)
{
    connect_and_warm(world);
    world->domains[best].state = MACHINE_RUNNING;
    world_restart_daemon(world);
    connect_and_warm(world);
    assert_kept(world, best, KEEPING_NONE, MACHINE_RUNNING);
}

static void one_that_serves_is_not_taken_for_ours_after_a_restart(struct world *world)
{
    connect_and_warm(world);
    world_kill(world, a);
    world_pass(world, 6 * USEC_PER_SEC);
    world_restart_daemon(world);
    connect_and_warm(world);
    assert_kept(world, best, KEEPING_NONE, MACHINE_RUNNING);
}

static void without_a_disk_to_write_on_nothing_is_warmed(struct world *world)
{
    world->record_error = -ENOSPC;
    connect_and_warm(world);
    assert_int_equal(world->domains[best].starts, 0);
    assert_true(world->told[NOTICE_WARM_FAILED] > 0);
}

/* The host is full of what stands warm: it makes room for a cold start. */
static void memory_is_given_back_to_a_recovery(struct world *world)
{
    const struct recovery *recovery;
    unsigned b = world_add(world, "b", PHP, MACHINE_RUNNING);
    unsigned other = world_add(world, "other", PHP, MACHINE_SHUT_OFF);

    world->domains[a].priority = 1;
    world->domains[best].memory_kib = 1024 * 1024;
    world->domains[other].memory_kib = 1024 * 1024;
    world->free_memory_kib[0] = 1536 * 1024;
    world->config.standby.memory_limit_bytes = INT64_C(1) << 30;
    connect_and_warm(world);
    assert_kept(world, best, KEEPING_WARM, MACHINE_PAUSED);
    assert_int_equal(coordinator_hypervisor(world->coordinator, 0).free_memory_kib, 512 * 1024);
    world_kill(world, b);
    world_pass(world, 10 * USEC_PER_SEC);
    recovery = world_expect(world, b, RECOVERY_RECOVERED);
    assert_string_equal(recovery->replacement_name, "other");
    assert_string_equal(warmth_name(recovery->warmth), "cold");
    assert_kept(world, best, KEEPING_NONE, MACHINE_SHUT_OFF);
    assert_int_equal(world->domains[best].destroys, 1);
}

/* It would take over from "a", whose memory comes back then; to be warm beside it, it has no room. */
static void one_that_has_room_only_once_the_other_is_off_is_not_warmed(struct world *world)
{
    world->domains[a].memory_kib = world->domains[best].memory_kib = 2 * 1024 * 1024;
    world->free_memory_kib[0] = 1024 * 1024;
    world->domains[less].role = "standby";
    world->domains[less].hypervisor = 1;
    world->free_memory_kib[1] = 16 * 1024 * 1024;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    connect_and_warm(world);
    assert_kept(world, best, KEEPING_NONE, MACHINE_SHUT_OFF);
    assert_kept(world, less, KEEPING_WARM, MACHINE_PAUSED);
}

static void nothing_is_warmed_where_the_failed_machine_alone_is_started(struct world *world)
{
    world->config.recovery.order = ORDER_ORIGINAL_ONLY;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    connect_and_warm(world);
    assert_int_equal(world->domains[best].starts + world->domains[less].starts, 0);
    world->config.recovery.order = ORDER_ORIGINAL;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    pass_a_minute(world);
    assert_kept(world, best, KEEPING_WARM, MACHINE_PAUSED);
}

static void start_without_state(struct world *world)
{
    world_stop_daemon(world);
    world_lose_store(world);
    world_start_daemon(world);
    connect_and_warm(world);
}

/* Its metadata says that the daemon suspended it. */
static void one_that_is_warm_is_still_warm_when_the_state_is_lost(struct world *world)
{
    connect_and_warm(world);
    assert_string_equal(world->domains[best].mark, "warm");
    start_without_state(world);
    assert_kept(world, best, KEEPING_WARM, MACHINE_PAUSED);
    assert_int_equal(world->domains[best].destroys, 0);
    world_kill(world, a);
    world_pass(world, 4 * USEC_PER_SEC);
    assert_string_equal(warmth_name(world_expect(world, a, RECOVERY_RECOVERED)->warmth), "paused");
    pass_a_minute(world);
    assert_int_not_equal(strcmp(world->domains[best].mark, "warm"), 0); /* it serves */
}

/* Nothing is ended on the word of its metadata alone, also by the daemon after that. */
static void one_that_is_warm_by_its_mark_alone_is_not_ended(struct world *world)
{
    connect_and_warm(world);
    start_without_state(world);
    world_restart_daemon(world);
    connect_and_warm(world);
    assert_kept(world, best, KEEPING_WARM, MACHINE_PAUSED);
    world->config.standby.warm = 0;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    pass_a_minute(world);
    assert_kept(world, best, KEEPING_NONE, MACHINE_PAUSED);
    assert_int_equal(world->domains[best].destroys, 0);
    assert_string_equal(world->domains[best].mark, "");
}

/* By then the daemon has started it itself. */
static void one_that_was_warm_by_its_mark_is_ended_once_it_was_refreshed(struct world *world)
{
    connect_and_warm(world);
    start_without_state(world);
    world->config.standby.refresh_us = 60 * USEC_PER_SEC;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    world_pass(world, 180 * USEC_PER_SEC);
    assert_true(world->told[NOTICE_REFRESHED] > 0);
    world->config.standby.warm = 0;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    pass_a_minute(world);
    assert_kept(world, best, KEEPING_NONE, MACHINE_SHUT_OFF);
}

/* What an operator suspended is not warm for it. */
static void a_mark_of_one_that_is_up_by_now_is_removed(struct world *world)
{
    connect_and_warm(world);
    world_stop_daemon(world);
    world->domains[best].state = MACHINE_RUNNING;
    world_lose_store(world);
    world_start_daemon(world);
    connect_and_warm(world);
    assert_kept(world, best, KEEPING_NONE, MACHINE_RUNNING);
    assert_int_equal(world->domains[best].destroys, 0);
    assert_string_equal(world->domains[best].mark, "");
}

/* It was not even started for that: what befalls it right afterwards is no end of ours. */
static void one_that_could_not_be_written_down_may_fail_at_once(struct world *world)
{
    const struct recovery *last;

    world->record_error = -ENOSPC;
    world_connect_all(world);
    while (world->told[NOTICE_WARM_FAILED] == 0)
        world_pass(world, USEC_PER_SEC / 10);
    assert_int_equal(world->domains[best].starts, 0);
    world->record_error = 0;
    world_boot(world, best);
    world_kill(world, best);
    world_pass(world, 60 * USEC_PER_SEC);
    assert_int_equal(world_recoveries(world, best, &last), 1);
}

/* For the service, "a" counts, whichever machine serves it. */
static void the_most_important_service_is_prepared_for_first(struct world *world)
{
    unsigned p = world_add(world, "p", PHP, MACHINE_RUNNING);

    world_add(world, "other", PHP, MACHINE_SHUT_OFF);
    world->domains[a].role = "protected";
    world->domains[a].priority = 10;
    world->domains[p].priority = 5;
    world->config.standby.warm = 0;
    world_connect_all(world);
    world_kill(world, a);
    world_pass(world, 4 * USEC_PER_SEC);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->replacement_name, "best");
    world->config.standby.warm = 1;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    pass_a_minute(world);
    assert_kept(world, less, KEEPING_WARM, MACHINE_PAUSED);
}

static void nothing_is_begun_beside_a_recovery(struct world *world)
{
    world->domains[less].start_error = 0;
    world->holds = 1u << ACTION_GET_STATE;
    world_connect_all(world);
    world_kill(world, a);
    world_pass(world, 30 * USEC_PER_SEC);
    assert_int_equal(world->domains[best].starts + world->domains[less].starts, 0);
}

static void the_brake_holds_the_keeper(struct world *world)
{
    world_set_brake(world, 1, 1);
    world_add(world, "b", PHP, MACHINE_RUNNING);
    world_connect_all(world);
    world_kill(world, 3);
    pass_a_minute(world);
    assert_true(coordinator_is_braked(world->coordinator));
    assert_int_equal(world->domains[best].starts, 0);
}

/*
 * A recovery of an earlier daemon, which had tried it in vain, goes on only now that its host is listed, together with a second
 * failure there. It is protected, and serves nothing: two of three have failed, and not two of four.
 */
static void the_brake_does_not_count_what_an_earlier_daemon_kept_warm(struct world *world)
{
    unsigned b;

    world_set_brake(world, 2, MILLIONTHS / 2);
    world->domains[a].role = "protected";
    world->domains[best].role = "protected,standby";
    world->domains[best].hypervisor = 1;
    world->free_memory_kib[1] = 16 * 1024 * 1024;
    world->domains[best].hook_error = -ECANCELED;
    world->domains[less].role = "standby";
    world->domains[less].hypervisor = 1;
    b = world_add_on(world, 1, "b", MACHINE_RUNNING);
    world->domains[b].role = "protected";
    world->domains[world_add(world, "c", LESS, MACHINE_RUNNING)].role = "protected";
    connect_and_warm(world);
    assert_kept(world, best, KEEPING_WARM, MACHINE_PAUSED);
    world->holds = 1u << ACTION_START;
    world_kill(world, a);
    world_pass(world, USEC_PER_SEC);
    assert_int_equal(world->told[NOTICE_VETOED], 1);
    assert_int_equal(world->asked[ACTION_START], 2); /* to warm the best, and the other one now */
    world_kill_silently(world, b);
    world_restart_daemon(world);
    world_connect(world, 0);
    assert_false(coordinator_is_braked(world->coordinator));
    world_connect(world, 1);
    assert_true(coordinator_is_braked(world->coordinator));
}

static void the_brake_holds_a_start_that_was_about_to_be_made(struct world *world)
{
    world_set_brake(world, 1, 1);
    world_add(world, "b", PHP, MACHINE_RUNNING);
    world->holds = 1u << ACTION_REMEMBER;
    world_connect_all(world);
    world_pass(world, 3 * USEC_PER_SEC);
    world_kill(world, 3);
    world_pass(world, USEC_PER_SEC);
    assert_true(coordinator_is_braked(world->coordinator));
    world_answer(world, world_find_pending(world, ACTION_REMEMBER), false);
    world_pass(world, 30 * USEC_PER_SEC);
    assert_int_equal(world->domains[best].starts, 0);
    world->holds = 0;
    coordinator_release_brake(world->coordinator, world->now);
    pass_a_minute(world);
    assert_kept(world, best, KEEPING_WARM, MACHINE_PAUSED);
}

int main(void)
{
#define TEST(name) world_test_after(set_up, name)
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_warmed_unless_asked),
        TEST(the_best_is_booted_verified_and_suspended),
        TEST(a_recovery_resumes_it_and_the_next_best_is_warmed),
        TEST(the_original_is_warmed_for_its_replacement),
        TEST(a_standby_that_was_warm_on_a_lost_host_is_warm_no_more),
        TEST(a_clock_that_cannot_be_set_at_once_is_set_later),
        TEST(a_clock_that_cannot_be_set_is_told),
        TEST(saved_ones_are_restored),
        TEST(a_saved_one_that_is_given_back_may_fail_at_once),
        TEST(observing_warms_no_standby),
        TEST(one_that_shares_a_disk_stays_cold_and_says_why),
        TEST(two_machines_have_two_warm_standbys),
        TEST(one_that_stands_in_the_way_of_a_better_one_stays_cold),
        TEST(one_whose_disk_is_taken_at_the_last_moment_is_not_started),
        TEST(memory_limit_holds),
        TEST(one_that_is_warm_is_still_warm_when_the_state_is_lost),
        TEST(one_that_is_warm_by_its_mark_alone_is_not_ended),
        TEST(one_that_was_warm_by_its_mark_is_ended_once_it_was_refreshed),
        TEST(a_mark_of_one_that_is_up_by_now_is_removed),
        TEST(one_that_has_room_only_once_the_other_is_off_is_not_warmed),
        TEST(nothing_is_warmed_where_the_failed_machine_alone_is_started),
        TEST(a_lower_limit_gives_memory_back),
        TEST(one_whose_original_is_gone_is_given_back_after_a_while),
        TEST(a_recovery_takes_over_one_that_is_being_verified),
        TEST(a_recovery_waits_for_a_suspend_under_way),
        TEST(a_suspend_that_hangs_keeps_the_machine_from_recoveries),
        TEST(one_that_a_recovery_does_not_start_stays_warm),
        TEST(nor_one_that_ran_when_it_was_taken),
        TEST(a_start_that_comes_late_is_ended),
        TEST(one_that_is_off_is_not_destroyed_again_while_it_is_held),
        TEST(one_that_does_not_come_up_is_tried_later_and_less_often),
        TEST(one_that_dies_while_it_is_verified_opens_no_recovery),
        TEST(one_that_dies_while_it_stands_is_warmed_again),
        TEST(switched_off_and_on_again_is_warmed_at_once),
        TEST(one_that_waits_to_be_tried_again_says_why),
        TEST(one_that_the_operator_resumes_is_left_alone),
        TEST(what_the_operator_suspended_is_not_taken),
        TEST(it_is_refreshed),
        TEST(another_form_takes_effect_on_reload),
        TEST(it_is_remembered_across_a_restart),
        TEST(a_course_that_a_restart_cut_off_goes_on),
        TEST(one_that_was_resumed_while_the_daemon_was_away_is_left_alone),
        TEST(one_that_serves_is_not_taken_for_ours_after_a_restart),
        TEST(without_a_disk_to_write_on_nothing_is_warmed),
        TEST(memory_is_given_back_to_a_recovery),
        TEST(one_that_could_not_be_written_down_may_fail_at_once),
        TEST(the_most_important_service_is_prepared_for_first),
        TEST(nothing_is_begun_beside_a_recovery),
        TEST(the_brake_holds_the_keeper),
        TEST(the_brake_does_not_count_what_an_earlier_daemon_kept_warm),
        TEST(the_brake_holds_a_start_that_was_about_to_be_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
