/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One recovery under way. */
#include "coordinator/open_recovery.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "base/text.h"
#include "choose/explain.h"
#include "coordinator/machines.h"
#include "coordinator/quarantine.h"
#include "coordinator/services.h"
#include "coordinator/standby/restore.h"

/* What is asked for because news of it was lost, is known after so long. */
#define NEWS_LOST_US (60 * USEC_PER_SEC)

static int make_room(struct recoveries *recoveries)
{
    struct open_recovery **open = reallocarray(recoveries->open, recoveries->n_open + 1, sizeof(*open));

    if (open == NULL)
        return -ENOMEM;
    recoveries->open = open;
    return records_make_room(&recoveries->registry->records);
}

/* Claims, holds and enters into the books. Takes the recovery on success; it must be among the records. */
static int open_recovery_new(struct recoveries *recoveries, struct recovery *recovery, const struct machine *failed,
                             struct open_recovery **ret)
{
    struct watch *watch = watch_get(recoveries->registry, failed->hypervisor, failed->uuid);
    _cleanup_(freep) struct open_recovery *open = calloc(1, sizeof(*open));
    int r;

    if (open == NULL || watch == NULL)
        return -ENOMEM;
    r = pool_claim(recoveries->registry->pool, failed, recovery->id);
    if (r < 0)
        return r;
    pool_hold(recoveries->registry->pool, failed);
    open->failed = failed;
    open->retry_us = USEC_INFINITY;
    open->recovery = recovery;
    watch->recovers = open;
    recoveries->open[recoveries->n_open++] = open;
    *ret = open;
    open = NULL;
    return 0;
}

/* The budget is used up: the failure is told, and nothing is done about it. */
static bool is_over_budget(struct recoveries *recoveries, struct open_recovery *open, struct moment at)
{
    const struct config_recovery *config = &recoveries->registry->config->recovery;
    _cleanup_(freep) char *detail = NULL;
    struct recovery_event abandon = {.kind = RECOVERY_ABANDON, .now = at};

    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there is one */
    if (config->limit == 0 || brake_budget_spent(recoveries->registry, &open->recovery->service, at) < config->limit)
        return false;
    detail = text_print("it and its replacements were recovered %u times within %" PRId64 " s, which is recovery.limit",
                        config->limit, config->limit_window_us / USEC_PER_SEC);
    abandon.detail = detail;
    open->recovery->is_refused = true;
    open_recovery_handle(recoveries, open, &abandon);
    return true;
}

/* Without a word. -ENOMEM. */
static int open_one(struct recoveries *recoveries, struct watch *watch, const struct machine *machine,
                    enum failure_cause cause, struct moment at, struct open_recovery **ret)
{
    _cleanup_(recovery_freep) struct recovery *recovery = NULL;
    struct registry *registry = recoveries->registry;
    char id[RECOVERY_ID_SIZE];
    int r = make_room(recoveries);

    if (r < 0)
        return r;
    records_make_id(&registry->records, at, id);
    r = recovery_new(id, machine, cause, at, &recovery);
    if (r >= 0)
        r = open_recovery_new(recoveries, recovery, machine, ret);
    if (r < 0)
        return r;
    recovery->is_drill = at.mono_us <= watch->drill_until_us;
    recovery->service = services_original_of(registry, machine);
    watch->drill_until_us = 0;
    records_add(&registry->records, steal_pointer(&recovery));
    return 0;
}

static void begin(struct recoveries *recoveries, struct open_recovery *open, struct moment at)
{
    if (is_over_budget(recoveries, open, at))
        return;
    open_recovery_handle(recoveries, open, &(struct recovery_event){.kind = RECOVERY_BEGIN, .now = at});
    registry_tell(recoveries->registry, FACT_FAILURES);
}

int open_recovery_begin(struct recoveries *recoveries, struct watch *watch, const struct machine *machine,
                        enum failure_cause cause, const char *why, struct moment at)
{
    struct open_recovery *open = NULL;
    int r = open_one(recoveries, watch, machine, cause, at, &open);

    if (r < 0)
        return r;
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there is one */
    outbox_tell_recovery(&recoveries->registry->outbox, NOTICE_FAILURE_DETECTED, at, open->recovery, "%s failed: %s",
                         machine->name, why);
    begin(recoveries, open, at);
    return 0;
}

int open_recovery_retry(struct recoveries *recoveries, struct watch *watch, const struct machine *machine,
                        const struct recovery *earlier, const char *why, struct moment at)
{
    struct moment down_since = recovery_down_since(earlier);
    struct open_recovery *open = NULL;
    int r = open_one(recoveries, watch, machine, earlier->cause, at, &open); /* the earlier one may be forgotten now */

    if (r < 0)
        return r;
    open->recovery->down_since = down_since; /* NOLINT(clang-analyzer-core.NullDereference): there is one */
    outbox_tell_recovery(&recoveries->registry->outbox, NOTICE_EVENT_NOTED, at, open->recovery,
                         "%s is still down, and is tried again: %s", open->recovery->service_name, why);
    begin(recoveries, open, at);
    return 0;
}

static void serve(struct recoveries *recoveries, struct open_recovery *open, const struct machine *candidate)
{
    struct watch *watch = watch_of(recoveries->registry, candidate);

    pool_hold(recoveries->registry->pool, candidate);
    open->candidate = candidate; /* NOLINT(clang-analyzer-core.NullDereference): never NULL */
    pool_edit(recoveries->registry->pool, candidate)->is_starting = true;
    if (watch != NULL) {
        watch->serves = open;
        watch->track.written_off_us = 0;
    }
}

int open_recovery_adopt(struct recoveries *recoveries, struct recovery *recovery, const struct machine *failed,
                        const struct machine *candidate, struct moment now)
{
    struct recovery_event back = {.kind = RECOVERY_RECONNECTED, .now = now};
    struct open_recovery *open = NULL;
    int r = make_room(recoveries);

    if (r >= 0)
        r = open_recovery_new(recoveries, recovery, failed, &open);
    if (r < 0)
        return r;
    machines_resume_recovery(watch_of(recoveries->registry, failed), failed);
    if (candidate != NULL &&
        (candidate == failed || pool_claim(recoveries->registry->pool, candidate, recovery->id) == 0))
        serve(recoveries, open, candidate);
    /* What was fenced in the meantime gives no answer; that it is off is known. */
    if (recovery->replacement_name != NULL && host_is_fenced(recoveries->registry, recovery->replacement.hypervisor))
        back.kind = RECOVERY_CANDIDATE_FENCED;
    open_recovery_handle(recoveries, open, &back);
    return 0;
}

void open_recovery_set_action(struct recoveries *recoveries, struct open_recovery *open, const struct action *action)
{
    if (open->has_action)
        DL_DELETE2(recoveries->asking, open, prev_asking, next_asking);
    open->has_action = action != NULL;
    if (action == NULL)
        return;
    open->action = *action;
    open->is_unchecked = true;
    DL_APPEND2(recoveries->asking, open, prev_asking, next_asking);
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

static void announce_end(struct recoveries *recoveries, const struct open_recovery *open, struct moment now)
{
    const struct recovery *recovery = open->recovery;
    const char *detail = recovery->detail != NULL ? recovery->detail : "";

    switch (recovery->state) {
    case RECOVERY_RECOVERED:
        outbox_tell_recovery(&recoveries->registry->outbox, NOTICE_RECOVERED, now, open->recovery,
                             "%s is recovered: %s", recovery->failed_name, detail);
        break;
    case RECOVERY_EXHAUSTED:
        outbox_tell_recovery(&recoveries->registry->outbox, NOTICE_EXHAUSTED, now, open->recovery,
                             "%s is not recovered: %s", recovery->failed_name, detail);
        break;
    case RECOVERY_DISMISSED:
        outbox_tell_recovery(&recoveries->registry->outbox, NOTICE_DISMISSED, now, open->recovery,
                             "%s needs no recovery: %s", recovery->failed_name, detail);
        break;
    case RECOVERY_OBSERVED:
        outbox_tell_recovery(&recoveries->registry->outbox, NOTICE_OBSERVED, now, open->recovery,
                             "%s would be replaced by %s; %s", recovery->failed_name, recovery->replacement_name,
                             detail);
        break;
    case RECOVERY_DETECTED:
    case RECOVERY_CONFIRMING:
    case RECOVERY_DESTROYING:
    case RECOVERY_SELECTING:
    case RECOVERY_RECORDING:
    case RECOVERY_PREPARING:
    case RECOVERY_STARTING:
    case RECOVERY_RESOLVING:
    case RECOVERY_STOPPING:
    case RECOVERY_SETTLING:
    case RECOVERY_VERIFYING:
    case RECOVERY_WAITING:
    case RECOVERY_STATE_COUNT:
    default:
        break;
    }
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
    count_start(recoveries, open);
    watch = watch_of(recoveries->registry, candidate);
    if (watch != NULL)
        watch->serves = NULL;
    pool_edit(recoveries->registry->pool, candidate)->is_starting = false;
    /* One that has recovered the service stays up, until there is news. */
    pool_edit(recoveries->registry->pool, candidate)->has_come_up &= open->recovery->state == RECOVERY_RECOVERED;
    /* The failed machine itself, being restarted, stays claimed. */
    if (candidate != open->failed)
        pool_release(recoveries->registry->pool, candidate, open->recovery->id);
    /* Vetoed, or not needed after all: as warm as before. */
    if (open->was_kept && !open->was_asked)
        standby_hand_back(recoveries->standby, candidate, may_run, now);
    machines_let_go(recoveries->registry, candidate);
}

static void release_failed(struct recoveries *recoveries, struct open_recovery *open)
{
    struct watch *watch = watch_of(recoveries->registry, open->failed);

    if (watch != NULL)
        watch->recovers = NULL;
    pool_release(recoveries->registry->pool, open->failed, open->recovery->id);
    machines_let_go(recoveries->registry, open->failed);
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

/* The claims of the recovery stay until it is closed. */
static void end(struct recoveries *recoveries, struct open_recovery *open, struct moment now)
{
    announce_end(recoveries, open, now);
    if (open->recovery->state == RECOVERY_RECOVERED)
        make_sure_it_runs(recoveries, open, now);
    open->wants_candidate = false;
    open_recovery_set_action(recoveries, open, NULL);
    recoveries->has_ended = true;
    open->retry_us = USEC_INFINITY;
    if (open->recovery->state == RECOVERY_RECOVERED && open->candidate != NULL) {
        if (!open->recovery->is_restarting)
            services_divert(recoveries->registry, open->recovery, open->failed, open->candidate, now);
        quarantine_end(recoveries->registry, open->candidate);
    }
    /* An operator may have started it while the recovery was busy with a candidate. */
    pool_edit(recoveries->registry->pool, open->failed)->failed_unrecovered =
        open->failed->state != MACHINE_RUNNING &&
        (open->recovery->state == RECOVERY_EXHAUSTED || open->recovery->state == RECOVERY_OBSERVED);
    machines_end_recovery(recoveries->registry, watch_of(recoveries->registry, open->failed), open->failed,
                          open->recovery->state == RECOVERY_DISMISSED);
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

static void announce_attempt_failed(struct recoveries *recoveries, const struct open_recovery *open, struct moment now)
{
    const struct recovery_attempt *attempt = &open->recovery->attempts[open->recovery->n_attempts - 1];

    outbox_tell_recovery(&recoveries->registry->outbox, NOTICE_ATTEMPT_FAILED, now, open->recovery,
                         "%s could not replace %s: %s", attempt->name, open->recovery->failed_name,
                         attempt->error != NULL ? attempt->error : "it did not come up");
}

/* The candidate came up badly, or may still come up: it is not tried again soon. */
static void quarantine(struct recoveries *recoveries, const struct open_recovery *open, struct moment now)
{
    const struct recovery *recovery = open->recovery;
    bool may_come_up = recovery->attempts[recovery->n_attempts - 1].fate == START_LOOSE;

    if (open->candidate != NULL)
        quarantine_begin(recoveries->registry, open->candidate,
                         may_come_up ? recoveries->registry->config->recovery.late_start_us : 0, now);
}

/* The machine is off; late news of its stop is no failure. If it is not off, its description will tell. */
static void write_off(struct recoveries *recoveries, const struct machine *machine, struct moment now)
{
    struct watch *watch = machine != NULL ? watch_of(recoveries->registry, machine) : NULL;

    if (watch != NULL)
        machines_write_off(recoveries->registry, watch, machine, now);
}

static void announce_decision(struct recoveries *recoveries, const struct open_recovery *open, struct moment now)
{
    const struct recovery *recovery = open->recovery;

    if (recovery->is_restarting)
        outbox_tell_recovery(&recoveries->registry->outbox, NOTICE_DECIDED, now, open->recovery,
                             "%s itself is started again, attempt %u", recovery->failed_name, recovery->restarts);
    else
        outbox_tell_recovery(&recoveries->registry->outbox, NOTICE_DECIDED, now, open->recovery, "%s",
                             recovery->explanation != NULL ? recovery->explanation->summary
                                                           : recovery->replacement_name);
}

/* A guest that was suspended or saved has slept since. */
static void wake_guest(struct recoveries *recoveries, const struct open_recovery *open, struct moment now)
{
    if (open->candidate != NULL && open->recovery->warmth != WARMTH_COLD)
        guest_clock_want(recoveries->guest_clock, open->candidate, now);
}

static void carry_out(struct recoveries *recoveries, struct open_recovery *open, const struct recovery_step *step,
                      struct moment now)
{
    /* News of how it stopped was lost. Known as it was before, the next listing would take its end for another failure. */
    if (step->found_off && open->failed != NULL && machine_state_is_active(open->failed->state))
        write_off(recoveries, open->failed, now);
    if (step->has_decided)
        announce_decision(recoveries, open, now);
    if (step->has_action) {
        open_recovery_set_action(recoveries, open, &step->action);
        open->action.id = outbox_new_id(&recoveries->registry->outbox, PART_RECOVERIES);
        open->action.as_of = recoveries->registry->events;
        open->recovery->question.action_id = open->action.id;
    } else if (step->wants_candidate) {
        open_recovery_set_action(recoveries, open, NULL);
    }
    if (step->intent_failed)
        outbox_tell_recovery(&recoveries->registry->outbox, NOTICE_INTENT_FAILED, now, open->recovery,
                             "the intent to start %s for %s could not be written; it is started without",
                             open->recovery->replacement_name, open->recovery->failed_name);
    if (step->has_started) {
        machines_come_up(recoveries->registry, open->candidate);
        wake_guest(recoveries, open, now);
        outbox_tell_recovery(&recoveries->registry->outbox, NOTICE_STARTED, now, open->recovery,
                             "%s runs for %s; not verified yet", open->recovery->replacement_name,
                             open->recovery->failed_name);
    }
    if (step->releases_candidate) {
        if (!step->is_withdrawn)
            announce_attempt_failed(recoveries, open, now);
        if (step->quarantines)
            quarantine(recoveries, open, now);
        if (step->was_stopped)
            write_off(recoveries, open->candidate, now);
        release_candidate(recoveries, open, open->recovery->takes_over, now);
    }
    if (step->wants_candidate)
        open->wants_candidate = true;
    if (open->recovery->state != RECOVERY_SELECTING) {
        open->wants_candidate = false;
        open->is_postponed = false;
    }
    if (step->ended)
        end(recoveries, open, now);
}

static int restart(struct recoveries *recoveries, struct open_recovery *open, struct moment now);

static bool is_asking_the_dead(const struct recoveries *recoveries, const struct open_recovery *open)
{
    const struct host *host = host_find(recoveries->registry, open->failed->hypervisor);

    return (open->recovery->state == RECOVERY_CONFIRMING || open->recovery->state == RECOVERY_DESTROYING) &&
           host != NULL && !host->track.is_connected && host->track.state == HOST_FENCED && !host->track.was_seen;
}

static int handle(struct recoveries *recoveries, struct open_recovery *open, const struct recovery_event *event)
{
    struct recovery_step step = {0};
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there is one */
    int r = recovery_handle(open->recovery, event, recoveries->registry->config, &step);

    if (r < 0)
        return r;
    carry_out(recoveries, open, &step, event->now);
    count_start(recoveries, open);
    if (step.wants_original && restart(recoveries, open, event->now) < 0)
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
    };
    bool was_kept = standby_yield(recoveries->standby, candidate, now);
    int r = pool_claim(recoveries->registry->pool, candidate, open->recovery->id);

    if (r < 0)
        return r;
    serve(recoveries, open, candidate);
    open->was_kept = was_kept;
    open->was_asked = false;
    r = handle(recoveries, open, &event);
    if (r < 0)
        release_candidate(recoveries, open, event.takes_over, now);
    return r;
}

/* The failed machine itself, which is claimed already, unless what it needs is in use by now. -ENOMEM. */
static int restart(struct recoveries *recoveries, struct open_recovery *open, struct moment now)
{
    struct registry *registry = recoveries->registry;
    struct recovery_event none = {.kind = RECOVERY_NO_CANDIDATE, .now = now};
    struct choice_request request;
    struct candidate original;
    _cleanup_(freep) char *why = NULL, *detail = NULL;
    int r;

    if (host_is_fenced(registry, open->failed->hypervisor)) {
        none.detail = "no machine could take its place, and its host is lost";
        open_recovery_handle(recoveries, open, &none);
        return 0;
    }
    r = pool_settle(registry->pool, now.mono_us);
    if (r < 0)
        return r;
    request = registry_request(registry, open->failed, now);
    original = choose_judge_original(&request);
    if (original.verdict == CANDIDATE_ELIGIBLE)
        return open_recovery_take(recoveries, open, open->failed, now);
    r = explain_ineligible(&request, &original, &why);
    if (r == 0)
        r = text_format(&detail, "no machine could take its place, and it cannot be started again itself: %s", why);
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
}
