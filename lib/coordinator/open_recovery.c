/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One recovery under way. */
#include "coordinator/open_recovery.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "base/text.h"
#include "choose/explain.h"
#include "coordinator/failures.h"
#include "coordinator/machines.h"
#include "coordinator/quarantine.h"
#include "coordinator/recovery_notices.h"
#include "coordinator/services.h"
#include "coordinator/standby/restore.h"
#include "coordinator/whereabouts.h"

/* What is asked for because news of it was lost, is known after so long. */
#define NEWS_LOST_US (60 * USEC_PER_SEC)

const struct policy *open_recovery_policy(const struct recoveries *recoveries, const struct open_recovery *open)
{
    return registry_policy_of(recoveries->registry, open->recovery, open->failed);
}

struct choice_request open_recovery_plain_request(const struct recoveries *recoveries, const struct open_recovery *open,
                                                  struct moment now)
{
    return registry_request_by(recoveries->registry, open->failed, open_recovery_policy(recoveries, open), now);
}

/* Services that are kept apart from this one find it where the candidate is. */
static void count_as_sibling(const struct recoveries *recoveries, const struct open_recovery *open,
                             const struct machine *candidate)
{
    struct pool *pool = recoveries->registry->pool;

    pool_edit(pool, candidate)->apart = (uint16_t)open_recovery_policy(recoveries, open)->config->policy.apart;
}

int open_recovery_claim(struct recoveries *recoveries, struct open_recovery *open, const struct machine *candidate)
{
    struct watch *watch = watch_of(recoveries->registry, candidate);
    int r;

    if (watch != NULL && watch_get_rare(watch) == NULL)
        return -ENOMEM;
    r = pool_claim(recoveries->registry->pool, candidate, open->recovery->id);
    if (r < 0)
        return r;
    pool_hold(recoveries->registry->pool, candidate);
    open->candidate = candidate;
    pool_edit(recoveries->registry->pool, candidate)->is_starting = true;
    count_as_sibling(recoveries, open, candidate);
    if (watch != NULL) {
        watch->rare->serves = open;
        watch->is_redefined = false;
        watch->rare->track.written_off_us = 0;
    }
    return 0;
}

/* To a candidate, or may. */
static bool action_commits(const struct action *action)
{
    return action->kind == ACTION_START || action->kind == ACTION_SHUTDOWN;
}

void open_recovery_set_action(struct recoveries *recoveries, struct open_recovery *open, const struct action *action)
{
    if (open->has_action) {
        DL_DELETE2(recoveries->asking, open, prev_asking, next_asking);
        recoveries->n_commitments -= action_commits(&open->action);
    }
    open->has_action = action != NULL;
    if (action == NULL)
        return;
    open->action = *action;
    open->is_unchecked = recoveries->has_unchecked = true;
    recoveries->n_commitments += action_commits(action);
    DL_APPEND2(recoveries->asking, open, prev_asking, next_asking);
}

void open_recovery_list_reading(struct recoveries *recoveries, struct open_recovery *open, bool was_due)
{
    if (open->reading.is_due && !was_due)
        DL_APPEND2(recoveries->reading, open, prev_reading, next_reading);
    else if (!open->reading.is_due && was_due)
        DL_DELETE2(recoveries->reading, open, prev_reading, next_reading);
}

/* No event tells of each change of a definition. */
static void read_candidate(struct recoveries *recoveries, struct open_recovery *open)
{
    bool was_due = open->reading.is_due;

    if (open->candidate == NULL)
        return;
    reading_begin(&open->reading);
    open_recovery_list_reading(recoveries, open, was_due);
}

static void forget_reading(struct recoveries *recoveries, struct open_recovery *open)
{
    bool was_due = open->reading.is_due;

    reading_drop(&open->reading);
    open_recovery_list_reading(recoveries, open, was_due);
}

/* After its state or its candidate changed. */
static void count_start(struct recoveries *recoveries, struct open_recovery *open)
{
    bool is_start = open->candidate != NULL && recovery_state_is_coming_up(open->recovery->state);
    const char *starts_on = is_start ? open->candidate->hypervisor : NULL;
    struct host *host;

    if (starts_on == open->starts_on)
        return;
    host = open->starts_on != NULL ? host_find(recoveries->registry, open->starts_on) : NULL;
    if (host != NULL)
        host->n_starts--;
    host = starts_on != NULL ? host_find(recoveries->registry, starts_on) : NULL;
    if (host != NULL)
        host->n_starts++;
    open->starts_on = starts_on;
}

/* A machine that it started serves. */
static bool has_put_in_service(const struct recovery *recovery)
{
    return recovery->state == RECOVERY_RECOVERED || (recovery->state == RECOVERY_CALLED_OFF && recovery->is_restarting);
}

/* may_run: it was taken in the middle of a course that warmed it. */
static void release_candidate(struct recoveries *recoveries, struct open_recovery *open, bool may_run,
                              struct moment now)
{
    const struct machine *candidate = open->candidate;
    struct watch *watch;

    if (candidate == NULL)
        return;
    open->candidate = NULL;
    forget_reading(recoveries, open);
    count_start(recoveries, open);
    registry_tell(recoveries->registry, FACT_LEFTOVERS);
    watch = watch_of(recoveries->registry, candidate);
    if (watch != NULL) {
        watch->rare->serves = NULL;
        watch_tidy(watch);
        watch_tell(recoveries->registry, watch, QUEUE_MARKS, MACHINE_FACT_DUE);
        /* It may run by an earlier start that was given up, and only as its candidate was it wanted. */
        if (!has_put_in_service(open->recovery))
            watch_tell(recoveries->registry, watch, QUEUE_LATE_STARTS, MACHINE_FACT_CAME_UP);
    }
    pool_edit(recoveries->registry->pool, candidate)->is_starting = false;
    pool_edit(recoveries->registry->pool, candidate)->apart = 0;
    /* One that has recovered the service stays up, until there is news. */
    pool_edit(recoveries->registry->pool, candidate)->has_come_up &= has_put_in_service(open->recovery);
    /* The failed machine itself, being restarted, stays claimed. */
    if (candidate != open->failed)
        pool_release(recoveries->registry->pool, candidate, open->recovery->id);
    /* Vetoed, or not needed after all: as warm as before. */
    if (open->was_kept && !open->was_asked)
        standby_hand_back(recoveries->standby, candidate, may_run, now);
    machines_let_go(recoveries->registry, candidate);
}

/* A machine that it claimed is elsewhere by now. */
static void leave_behind(struct recoveries *recoveries, struct open_recovery *open)
{
    const struct machine *left = open->candidate;
    struct watch *watch;

    if (left == NULL)
        return;
    watch = watch_of(recoveries->registry, left);
    if (watch != NULL) {
        watch->rare->serves = NULL;
        watch_tidy(watch);
        watch_tell(recoveries->registry, watch, QUEUE_MARKS, MACHINE_FACT_DUE);
    }
    pool_edit(recoveries->registry->pool, left)->has_come_up = false;
    pool_edit(recoveries->registry->pool, left)->is_starting = false;
    pool_edit(recoveries->registry->pool, left)->apart = 0;
    if (left != open->failed)
        pool_release(recoveries->registry->pool, left, open->recovery->id);
    machines_let_go(recoveries->registry, left);
}

int open_recovery_move(struct recoveries *recoveries, struct open_recovery *open, const struct machine *candidate)
{
    struct watch *watch = watch_get_of(recoveries->registry, candidate);
    struct recovery *recovery = open->recovery;
    struct machine_ref before = recovery->replacement;
    bool was_asked = recovery->question.action_id != 0 && !recovery_state_is_relieving(recovery->state) &&
                     recovery->state != RECOVERY_STARTING;
    int r;

    if (watch == NULL || watch_get_rare(watch) == NULL)
        return -ENOMEM;
    r = pool_claim(recoveries->registry->pool, candidate, recovery->id);
    if (r < 0)
        return r;
    pool_hold(recoveries->registry->pool, candidate);
    forget_reading(recoveries, open);
    if (open->has_action && machine_ref_equal(&open->action.target, &before))
        open_recovery_set_action(recoveries, open, NULL);
    leave_behind(recoveries, open);
    open->candidate = candidate;
    count_as_sibling(recoveries, open, candidate);
    watch->rare->serves = open;
    recovery->replacement = machine_ref_of(candidate);
    recovery->attempts[recovery->n_attempts - 1].candidate = recovery->replacement;
    recovery->is_changed = true;
    if (was_asked) {
        recovery->question.action_id = 0;
        recovery->question.waits_for_connection = true;
    }
    count_start(recoveries, open);
    read_candidate(recoveries, open);
    return 0;
}

static void release_failed(struct recoveries *recoveries, struct open_recovery *open)
{
    struct watch *watch = watch_of(recoveries->registry, open->failed);

    if (watch != NULL) {
        watch->rare->recovers = NULL;
        watch_tidy(watch);
        watch_tell(recoveries->registry, watch, QUEUE_MARKS, MACHINE_FACT_DUE);
    }
    pool_release(recoveries->registry->pool, open->failed, open->recovery->id);
    machines_let_go(recoveries->registry, open->failed);
}

int open_recovery_move_failed(struct recoveries *recoveries, struct open_recovery *open, const struct machine *failed)
{
    struct watch *watch = watch_get_of(recoveries->registry, failed);
    struct recovery *recovery = open->recovery;
    int r;

    if (watch == NULL || watch_get_rare(watch) == NULL)
        return -ENOMEM;
    r = pool_claim(recoveries->registry->pool, failed, recovery->id);
    if (r < 0)
        return r;
    pool_hold(recoveries->registry->pool, failed);
    if (recovery_state_asks_of_failed(recovery->state)) {
        open_recovery_set_action(recoveries, open, NULL);
        recovery->question.action_id = 0;
        recovery->question.waits_for_connection = true;
    }
    release_failed(recoveries, open);
    open->failed = failed;
    watch->rare->recovers = open;
    recovery->failed = machine_ref_of(failed);
    recovery->is_changed = true;
    return 0;
}

/* The candidate was seen to run. Where the news of that was lost, it must not be taken for one that stands by. */
static void make_sure_it_runs(struct recoveries *recoveries, struct open_recovery *open, struct moment now)
{
    struct watch *watch = open->candidate != NULL ? watch_of(recoveries->registry, open->candidate) : NULL;

    if (watch == NULL || open->candidate->state == MACHINE_RUNNING)
        return;
    standby_put_off(watch, now.mono_us + NEWS_LOST_US);
    machines_describe(recoveries->registry, watch);
}

/* As it was asked. It may also run elsewhere: that is found out before anything is started in its place. */
static bool has_obeyed(const struct registry *registry, const struct machine *machine)
{
    return machine->state == MACHINE_SHUT_OFF &&
           (machine->reason == REASON_SHUTDOWN ||
            (machine->reason == REASON_UNKNOWN && whereabouts_are_asked(registry, machine)));
}

/* It was called off since the machine serves, which was asked to shut down, and did meanwhile. */
static void fail_if_off(struct recoveries *recoveries, const struct open_recovery *open, struct moment now)
{
    struct watch *watch = watch_of(recoveries->registry, open->failed);

    if (open->recovery->state == RECOVERY_CALLED_OFF && moment_has_come(open->recovery->relieved) && watch != NULL &&
        has_obeyed(recoveries->registry, open->failed)) {
        failures_defer(recoveries->registry, watch, open->recovery->cause, now.mono_us + RETRY_US);
        open->recovery->relieved = (struct moment){0}; /* it has stopped, and a later stop is another one */
    }
}

/* A service that is still down was tried again, and stays so for the reason that was told. */
static bool ends_as_before(const struct records *records, const struct open_recovery *open)
{
    const struct recovery *recovery = open->recovery;

    if (recovery->state != RECOVERY_EXHAUSTED || !open->is_retry)
        return false;
    for (size_t i = records->count; i-- > 0;) {
        const struct recovery *former = records->all[i];

        if (former != recovery && machine_ref_equal(&former->service, &recovery->service))
            return former->state == RECOVERY_EXHAUSTED && text_equal_but_for_numbers(former->detail, recovery->detail);
    }
    return false;
}

/* What its guest has written is somebody's: only an operator removes it. */
static void tell_kept(struct registry *registry, const struct machine *relieved, struct moment now)
{
    if (relieved->description->template != NULL)
        outbox_tell(&registry->outbox, NOTICE_CHANGED, now, relieved,
                    "%s was made from the template %s, and is kept, off, with what it has written; how it is removed: "
                    "understudy-templates(7)",
                    pool_display_name(registry->pool, relieved), relieved->description->template);
}

/* The claims of the recovery stay until it is closed. */
static void end(struct recoveries *recoveries, struct open_recovery *open, struct moment now)
{
    if (!ends_as_before(&recoveries->registry->records, open))
        recovery_notices_tell_end(&recoveries->registry->outbox, open->recovery, now);
    if (has_put_in_service(open->recovery))
        make_sure_it_runs(recoveries, open, now);
    open->wants_candidate = open->wants_original = false;
    open_recovery_set_action(recoveries, open, NULL);
    recoveries->has_ended = true;
    open->retry_us = USEC_INFINITY;
    if (open->recovery->state == RECOVERY_RECOVERED && open->recovery->relief != RELIEF_NONE)
        tell_kept(recoveries->registry, open->failed, now);
    if (open->recovery->state == RECOVERY_RECOVERED && open->candidate != NULL) {
        if (!open->recovery->is_restarting)
            services_divert(recoveries->registry, open->recovery, open->failed, open->candidate, now);
        quarantine_end(recoveries->registry, open->candidate);
    }
    /* An operator may have started it while the recovery was busy with a candidate. */
    pool_edit(recoveries->registry->pool, open->failed)->failed_unrecovered =
        open->failed->state != MACHINE_RUNNING &&
        (open->recovery->state == RECOVERY_EXHAUSTED || open->recovery->state == RECOVERY_HELD ||
         (open->recovery->state == RECOVERY_OBSERVED && open->recovery->relief == RELIEF_NONE));
    machines_end_recovery(recoveries->registry, watch_of(recoveries->registry, open->failed), open->failed,
                          open->recovery->state == RECOVERY_DISMISSED ||
                              (open->recovery->state == RECOVERY_CALLED_OFF &&
                               host_find(recoveries->registry, open->failed->hypervisor) != NULL));
    fail_if_off(recoveries, open, now);
}

void open_recovery_free(struct open_recovery *open)
{
    free(open);
}

void open_recovery_close(struct recoveries *recoveries, struct open_recovery *open, struct moment now)
{
    release_candidate(recoveries, open, open->recovery->takes_over, now);
    release_failed(recoveries, open);
    open_recovery_free(open);
    registry_tell(recoveries->registry, FACT_POOL_CHANGED);
    registry_tell(recoveries->registry, FACT_SERVING_CHANGED);
}

/* What else would be made from the same template would come up no better. */
static void quarantine_template(struct registry *registry, const struct machine *candidate, const char *why,
                                struct moment now)
{
    for (const struct machine *other = NULL; (other = pool_next(registry->pool, other)) != NULL;)
        if (other != candidate && machine_is_from_template_of(other, candidate))
            quarantine_begin(registry, other, 0, why, now);
}

/* The candidate came up badly, or may still come up: it is not tried again soon. */
static void quarantine(struct recoveries *recoveries, const struct open_recovery *open, struct moment now)
{
    const struct recovery *recovery = open->recovery;
    const struct recovery_attempt *attempt = &recovery->attempts[recovery->n_attempts - 1];
    bool may_come_up = attempt->fate == START_UNANSWERED;

    if (open->candidate == NULL)
        return;
    quarantine_begin(recoveries->registry, open->candidate,
                     may_come_up ? recoveries->registry->config->recovery.late_start_us : 0, attempt->error, now);
    quarantine_template(recoveries->registry, open->candidate, attempt->error, now);
}

/* The machine is off; late news of its stop is no failure. If it is not off, its description will tell. */
static void write_off(struct recoveries *recoveries, const struct machine *machine, struct moment now)
{
    struct watch *watch = machine != NULL ? watch_of(recoveries->registry, machine) : NULL;

    if (watch != NULL)
        machines_write_off(recoveries->registry, watch, machine, now);
}

/* A guest that was suspended or saved has slept since. */
static void wake_guest(struct recoveries *recoveries, const struct open_recovery *open, struct moment now)
{
    if (open->candidate != NULL && open->recovery->warmth > WARMTH_COLD)
        guest_clock_want(recoveries->guest_clock, open->candidate, now);
}

/* For whom a template is to be made into a machine. */
static void name_service(const struct open_recovery *open, struct action *action)
{
    if (action->kind == ACTION_START && open->candidate != NULL && open->candidate->state == MACHINE_TEMPLATE)
        snprintf(action->metadata.service, sizeof(action->metadata.service), "%.*s",
                 (int)text_fit(open->recovery->service_name, sizeof(action->metadata.service) - 1),
                 open->recovery->service_name);
}

static void carry_out(struct recoveries *recoveries, struct open_recovery *open, const struct recovery_step *step,
                      struct moment now)
{
    /* News of how it stopped was lost. Known as it was before, the next listing would take its end for another failure. */
    if (step->found_off && open->failed != NULL && machine_state_is_active(open->failed->state))
        write_off(recoveries, open->failed, now);
    if (step->has_decided)
        recovery_notices_tell_decision(&recoveries->registry->outbox, open->recovery, now);
    if (step->has_action) {
        open_recovery_set_action(recoveries, open, &step->action);
        name_service(open, &open->action);
        open->action.id = outbox_new_id(&recoveries->registry->outbox, PART_RECOVERIES);
        open->action.as_of = recoveries->registry->events;
        open->recovery->question.action_id = open->action.id;
        /* Where a machine was stopped for it since then, once more. */
        if (step->action.kind == ACTION_RECORD ||
            (open->recovery->state == RECOVERY_PREPARING && open->recovery->relief == RELIEF_FIRST))
            read_candidate(recoveries, open);
    } else if (step->wants_candidate || step->wants_original || step->releases_candidate) {
        open_recovery_set_action(recoveries, open, NULL);
    }
    if (step->intent_failed)
        recovery_notices_tell_no_intent(&recoveries->registry->outbox, open->recovery, now);
    if (step->has_started) {
        records_leave_no_parts(&recoveries->registry->records, &open->recovery->replacement);
        machines_come_up(recoveries->registry, open->candidate);
        read_candidate(recoveries, open);
        wake_guest(recoveries, open, now);
        recovery_notices_tell_start(&recoveries->registry->outbox, open->recovery, now);
    }
    if (step->releases_candidate) {
        if (!step->is_withdrawn)
            recovery_notices_tell_attempt(&recoveries->registry->outbox, open->recovery, now);
        if (step->quarantines)
            quarantine(recoveries, open, now);
        if (step->was_stopped)
            write_off(recoveries, open->candidate, now);
        release_candidate(recoveries, open, open->recovery->takes_over, now);
    }
    if (step->wants_candidate || step->wants_original) {
        open->wants_candidate = step->wants_candidate;
        open->wants_original = step->wants_original;
    }
    if (open->recovery->state != RECOVERY_SELECTING && open->recovery->state != RECOVERY_WAITING)
        open->wants_original = false;
    if (open->recovery->state != RECOVERY_SELECTING) {
        open->wants_candidate = false;
        open->is_postponed = false;
    }
    if (step->ended)
        end(recoveries, open, now);
}

static bool is_asking_the_dead(const struct recoveries *recoveries, const struct open_recovery *open)
{
    const struct host *host = host_find(recoveries->registry, open->failed->hypervisor);

    return recovery_state_asks_of_failed(open->recovery->state) && host != NULL && !host->track.is_connected &&
           host->track.state == HOST_FENCED && !host->track.was_seen;
}

static int handle(struct recoveries *recoveries, struct open_recovery *open, const struct recovery_event *event)
{
    struct recovery_step step = {0};
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there is one */
    int r = recovery_handle(open->recovery, event, open_recovery_policy(recoveries, open)->config, &step);

    if (r < 0)
        return r;
    carry_out(recoveries, open, &step, event->now);
    count_start(recoveries, open);
    if (step.wants_named && open_recovery_take_named(recoveries, open, event->now) < 0)
        open->retry_us = event->now.mono_us + RETRY_US;
    /* The host is off, and that is the answer. */
    if (is_asking_the_dead(recoveries, open))
        return handle(recoveries, open, &(struct recovery_event){.kind = RECOVERY_ORIGINAL_FENCED, .now = event->now});
    return 0;
}

int open_recovery_take(struct recoveries *recoveries, struct open_recovery *open, const struct machine *candidate,
                       struct moment now)
{
    struct recovery_event event = {
        .kind = RECOVERY_CHOSEN,
        .now = now,
        .candidate = candidate,
        .warmth = machine_warmth(candidate),
        .takes_over = candidate->keeping == KEEPING_WARMING,
        .ports = services_ports_of(recoveries->registry, open->failed, candidate,
                                   open_recovery_policy(recoveries, open)->config),
    };
    bool was_kept = standby_yield(recoveries->standby, candidate, now);
    int r = open_recovery_claim(recoveries, open, candidate);

    if (r < 0)
        return r;
    open->was_kept = was_kept;
    open->was_asked = false;
    r = handle(recoveries, open, &event);
    if (r < 0)
        release_candidate(recoveries, open, event.takes_over, now);
    return r;
}

int open_recovery_restart(struct recoveries *recoveries, struct open_recovery *open, struct moment now)
{
    struct registry *registry = recoveries->registry;
    const struct host *host = host_find(registry, open->failed->hypervisor);
    struct recovery_event none = {.kind = RECOVERY_NO_ORIGINAL, .now = now};
    struct choice_request request;
    struct candidate original;
    _cleanup_(freep) char *why = NULL, *detail = NULL;
    int r;

    if (host_is_fenced(registry, open->failed->hypervisor)) {
        none.detail = "its host is lost";
        open_recovery_handle(recoveries, open, &none);
        return 0;
    }
    if (host != NULL && !host->is_listed) {
        none.detail = "its hypervisor is not connected";
        open_recovery_handle(recoveries, open, &none);
        return 0;
    }
    r = pool_settle(registry->pool, now.mono_us);
    if (r < 0)
        return r;
    request = open_recovery_plain_request(recoveries, open, now);
    original = choose_judge_original(&request);
    if (original.verdict == CANDIDATE_ELIGIBLE) {
        r = open_recovery_take(recoveries, open, open->failed, now);
        open->wants_original &= r < 0;
        return r;
    }
    r = explain_ineligible(&request, &original, &why);
    if (r == 0)
        r = text_format(&detail, "it cannot be started again itself: %s", why);
    if (r < 0)
        return r;
    none.detail = detail;
    open_recovery_handle(recoveries, open, &none);
    return 0;
}

void open_recovery_name_replacement(struct open_recovery *open)
{
    const struct machine *candidate = open->candidate;

    if (candidate != NULL && candidate->description->template != NULL &&
        !text_equal(candidate->name, open->recovery->replacement_name))
        recovery_name_replacement(open->recovery, candidate->name);
}

struct choice_request open_recovery_request(const struct recoveries *recoveries, const struct open_recovery *open,
                                            struct moment now)
{
    struct choice_request request = open_recovery_plain_request(recoveries, open, now);
    bool still_serves = !open->recovery->was_seen_dead;

    if (open->recovery->relief == RELIEF_FIRST && still_serves)
        request.given_kib = domain_description_host_memory_kib(open->failed->description);
    request.failed_stays_up = open->recovery->relief == RELIEF_LAST && still_serves;
    return request;
}

struct candidate open_recovery_judge_named(const struct choice_request *request, const struct machine *to,
                                           bool is_anyway)
{
    return is_anyway ? choose_judge_named(request, to) : choose_judge(request, to);
}

/* What the choice was, where there was one to make. Without memory the decision stands all the same, unexplained. */
static void explain_named(const struct recoveries *recoveries, struct open_recovery *open,
                          const struct choice_request *request, const struct machine *chosen)
{
    static const struct choice_extent extent = {.eligible = 20, .ineligible = 20, .looks = 20};
    const struct registry *registry = recoveries->registry;
    _cleanup_(choice_done) struct choice choice = {0};
    struct explanation *explanation = NULL;

    if (choose(registry->chooser, request, extent, &choice) < 0 ||
        explain_choice(request, &choice, chosen, extent.eligible, registry->features, &explanation) < 0)
        return;
    explanation_free(open->recovery->explanation);
    open->recovery->explanation = explanation;
}

/* The machine that an operator named, or that was the best one at the order. -ENOMEM. */
int open_recovery_take_named(struct recoveries *recoveries, struct open_recovery *open, struct moment now)
{
    struct registry *registry = recoveries->registry;
    struct recovery *recovery = open->recovery;
    const struct machine *to = pool_find(registry->pool, recovery->to.hypervisor, recovery->to.uuid);
    struct recovery_event none = {.kind = RECOVERY_NO_CANDIDATE, .now = now};
    struct choice_request request;
    struct candidate candidate;
    _cleanup_(freep) char *why = NULL, *detail = NULL;
    int r = pool_settle(registry->pool, now.mono_us);

    if (r < 0)
        return r;
    request = open_recovery_request(recoveries, open, now);
    if (to != NULL) {
        candidate = open_recovery_judge_named(&request, to, recovery->is_anyway);
        if (candidate.verdict == CANDIDATE_ELIGIBLE && (!host_can_start_one(recoveries->registry, to->hypervisor) ||
                                                        !standby_can_yield(recoveries->standby, to))) {
            open->retry_us = now.mono_us + RETRY_US;
            return 0;
        }
        if (candidate.verdict == CANDIDATE_ELIGIBLE) {
            recovery->similarity = fraction_to_double(score_similarity(&candidate.score));
            recovery->coverage = fraction_to_double(score_coverage(&candidate.score));
            recovery->overlap = fraction_to_double(score_overlap(&candidate.score));
            if (!recovery->is_anyway)
                explain_named(recoveries, open, &request, to);
            return open_recovery_take(recoveries, open, to, now);
        }
        r = explain_ineligible(&request, &candidate, &why);
    }
    if (r == 0)
        r = text_format(&detail, "%s cannot take over: %s", recovery->to_name, why != NULL ? why : "it is gone");
    if (r < 0)
        return r;
    none.detail = detail;
    open_recovery_handle(recoveries, open, &none);
    return 0;
}

void open_recovery_handle(struct recoveries *recoveries, struct open_recovery *open, const struct recovery_event *event)
{
    if (handle(recoveries, open, event) < 0)
        open->retry_us = event->now.mono_us + RETRY_US;
    open_recovery_heed_hold(recoveries, open, event->now);
}

void open_recovery_heed_hold(struct recoveries *recoveries, struct open_recovery *open, struct moment now)
{
    const struct recovery *recovery = open->recovery;
    const struct hold *hold = open->failed->hold;
    struct recovery_event event = {.kind = RECOVERY_HOLD, .now = now};
    _cleanup_(freep) char *detail = NULL;

    /* Where only the candidate is held, the recovery goes on with others, as long as that one need not be stopped. */
    if (hold == NULL && open->candidate != NULL && recovery->state == RECOVERY_STOPPING)
        hold = open->candidate->hold;
    if (hold == NULL || recovery->is_held || recovery_state_is_final(recovery->state))
        return;
    detail = hold_explain(hold);
    event.detail = detail != NULL ? detail : "it is held";
    (void)!handle(recoveries, open, &event); /* only a choice needs memory */
}
