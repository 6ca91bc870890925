/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Recoveries under way: holds and claims what they need, has candidates chosen for them, and turns
 * their steps into actions and notices. Does not judge events.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "coordinator/coordinator_internal.h"
#include "choose/ranking.h"

/* What is asked for because news of it was lost, is known after so long. */
#define NEWS_LOST_US (60 * USEC_PER_SEC)

/* UTC and a number: readable, sortable, and unique among what is remembered. */
static void make_id(struct coordinator *coordinator, struct moment now, char id[RECOVERY_ID_SIZE])
{
    time_t second = (time_t)(now.real_us / USEC_PER_SEC);
    char text[sizeof("YYYYYMMDD-HHMMSS")];
    struct tm utc;

    if (second != coordinator->id_second) {
        coordinator->id_second = second;
        coordinator->id_count = 0;
    }
    if (gmtime_r(&second, &utc) == NULL || strftime(text, sizeof(text), "%Y%m%d-%H%M%S", &utc) == 0)
        strcpy(text, "0");
    do
        snprintf(id, RECOVERY_ID_SIZE, "%s-%u", text, ++coordinator->id_count);
    while (coordinator_find_recovery(coordinator, id) != NULL);
}

static struct watch *watch_of(const struct coordinator *coordinator, const struct machine *machine)
{
    struct machine_ref ref = machine_ref_of(machine);

    return watch_find(coordinator, &ref);
}

/* The hold ends; the machine may be gone afterwards, and its watch with it. */
static void let_go(struct coordinator *coordinator, struct machine *machine)
{
    if (!machine->is_present)
        watch_forget(coordinator, machine);
    pool_let_go(coordinator->pool, machine);
}

static int reserve_slots(struct coordinator *coordinator)
{
    struct run **runs = reallocarray(coordinator->runs, coordinator->n_runs + 1, sizeof(*runs));

    if (runs == NULL)
        return -ENOMEM;
    coordinator->runs = runs;

    struct recovery **records = reallocarray(coordinator->records, coordinator->n_records + 1, sizeof(*records));
    if (records == NULL)
        return -ENOMEM;
    coordinator->records = records;
    return 0;
}

/* Claims, holds and enters into the books. Takes the recovery on success; it must be among the records. */
static int run_new(struct coordinator *coordinator, struct recovery *recovery, struct machine *failed, struct run **ret)
{
    struct watch *watch = watch_get(coordinator, failed->hypervisor, failed->uuid);
    _cleanup_(freep) struct run *run = calloc(1, sizeof(*run));
    int r;

    if (run == NULL || watch == NULL)
        return -ENOMEM;
    r = pool_claim(coordinator->pool, failed, recovery->id);
    if (r < 0)
        return r;
    pool_hold(coordinator->pool, failed);
    run->failed = failed;
    run->retry_us = USEC_INFINITY;
    run->recovery = recovery;
    watch->recovers = run;
    coordinator->runs[coordinator->n_runs++] = run;
    *ret = run;
    run = NULL;
    return 0;
}

/* The budget is used up: the failure is told, and nothing is done about it. */
static bool is_over_budget(struct coordinator *coordinator, struct run *run, struct moment at)
{
    const struct config_recovery *config = &coordinator->config->recovery;
    _cleanup_(freep) char *detail = NULL;
    struct recovery_event abandon = {.kind = RECOVERY_ABANDON, .now = at};

    /* The one that was just opened does not count against itself. */
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there is a run */
    if (config->limit == 0 || budget_spent(coordinator, &run->recovery->root, at) <= config->limit)
        return false;
    if (asprintf(&detail,
                 "it and its replacements were recovered %u times within %" PRId64 " s, which is recovery.limit",
                 config->limit, config->limit_window_us / USEC_PER_SEC) < 0)
        detail = NULL;
    abandon.detail = detail;
    run_handle(coordinator, run, &abandon);
    return true;
}

static bool is_fenced(const struct coordinator *coordinator, const char *hypervisor)
{
    const struct link *link = link_find(coordinator, hypervisor);

    return link != NULL && link->host.state == HOST_FENCED;
}

int run_open(struct coordinator *coordinator, struct watch *watch, struct machine *machine, enum failure_cause cause,
             const char *why, struct moment at)
{
    _cleanup_(recovery_freep) struct recovery *recovery = NULL;
    struct recovery_event begin = {.kind = RECOVERY_BEGIN, .now = at};
    struct run *run = NULL;
    char id[RECOVERY_ID_SIZE];
    int r = reserve_slots(coordinator);

    if (r < 0)
        return r;
    make_id(coordinator, at, id);
    r = recovery_new(id, machine, cause, at, &recovery);
    if (r == 0)
        r = run_new(coordinator, recovery, machine, &run);
    if (r < 0)
        return r;
    recovery->is_drill = at.mono_us <= watch->drill_until_us;
    recovery->root = budget_root(coordinator, machine, at);
    watch->drill_until_us = 0;
    coordinator->records[coordinator->n_records++] = steal_pointer(&recovery);
    notices_add_run(coordinator, NOTICE_FAILURE_DETECTED, at, run, "%s failed: %s", machine->name, why);

    if (!is_over_budget(coordinator, run, at)) {
        run_handle(coordinator, run, &begin);
        coordinator->has_failures = true;
    }
    return 0;
}

static void serve(struct coordinator *coordinator, struct run *run, struct machine *candidate)
{
    struct watch *watch = watch_of(coordinator, candidate);

    pool_hold(coordinator->pool, candidate);
    run->candidate = candidate;
    pool_set_starting(coordinator->pool, candidate, true);
    if (watch != NULL) {
        watch->serves = run;
        watch->track.written_off_us = 0;
    }
}

int run_adopt(struct coordinator *coordinator, struct recovery *recovery, struct machine *failed,
              struct machine *candidate, struct moment now)
{
    struct recovery_event back = {.kind = RECOVERY_RECONNECTED, .now = now};
    struct run *run = NULL;
    int r = reserve_slots(coordinator);

    if (r == 0)
        r = run_new(coordinator, recovery, failed, &run);
    if (r < 0)
        return r;
    watch_resume_recovery(watch_of(coordinator, failed), failed);
    if (candidate != NULL && (candidate == failed || pool_claim(coordinator->pool, candidate, recovery->id) == 0))
        serve(coordinator, run, candidate);
    /* What was fenced in the meantime gives no answer; that it is off is known. */
    if (recovery->replacement_name != NULL && is_fenced(coordinator, recovery->replacement.hypervisor))
        back.kind = RECOVERY_CANDIDATE_FENCED;
    run_handle(coordinator, run, &back);
    return 0;
}

/* Written down, and too old to count for the budget or the brake. */
static bool is_dispensable(const struct coordinator *coordinator, const struct recovery *recovery, struct moment now)
{
    const struct config_recovery *config = &coordinator->config->recovery;
    int64_t age_us = now.mono_us - recovery->detected.mono_us;

    return recovery_state_is_final(recovery->state) && !recovery->is_changed &&
           (config->limit == 0 || age_us > config->limit_window_us) && age_us > config->brake.window_us &&
           !late_is_possible(coordinator, recovery, now);
}

static void forget_old_records(struct coordinator *coordinator, struct moment now)
{
    size_t limit = coordinator->config->recovery.history_length, kept = 0, excess;

    if (coordinator->n_records <= limit)
        return;
    excess = coordinator->n_records - limit;
    for (size_t i = 0; i < coordinator->n_records; i++) {
        struct recovery *recovery = coordinator->records[i];

        if (excess > 0 && is_dispensable(coordinator, recovery, now)) {
            recovery_free(recovery);
            excess--;
        } else {
            coordinator->records[kept++] = recovery;
        }
    }
    coordinator->n_records = kept;
}

static void announce_end(struct coordinator *coordinator, const struct run *run, struct moment now)
{
    const struct recovery *recovery = run->recovery;
    const char *detail = recovery->detail != NULL ? recovery->detail : "";

    switch (recovery->state) {
    case RECOVERY_RECOVERED:
        notices_add_run(coordinator, NOTICE_RECOVERED, now, run, "%s is recovered: %s", recovery->failed_name, detail);
        break;
    case RECOVERY_EXHAUSTED:
        notices_add_run(coordinator, NOTICE_EXHAUSTED, now, run, "%s is not recovered: %s", recovery->failed_name,
                        detail);
        break;
    case RECOVERY_DISMISSED:
        notices_add_run(coordinator, NOTICE_DISMISSED, now, run, "%s needs no recovery: %s", recovery->failed_name,
                        detail);
        break;
    case RECOVERY_OBSERVED:
        notices_add_run(coordinator, NOTICE_OBSERVED, now, run, "%s would be replaced by %s; %s", recovery->failed_name,
                        recovery->replacement_name, detail);
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

static void release_candidate(struct coordinator *coordinator, struct run *run, struct moment now)
{
    struct machine *candidate = run->candidate;
    struct watch *watch;

    if (candidate == NULL)
        return;
    run->candidate = NULL;
    watch = watch_of(coordinator, candidate);
    if (watch != NULL)
        watch->serves = NULL;
    pool_set_starting(coordinator->pool, candidate, false);
    /* The failed machine itself, being restarted, stays claimed. */
    if (candidate != run->failed)
        pool_release(coordinator->pool, candidate, run->recovery->id);
    /* Vetoed, or not needed after all: as warm as before. */
    if (run->was_kept && !run->was_asked)
        keeper_hand_back(coordinator, candidate, run->takes_over, now);
    let_go(coordinator, candidate);
}

static void release_failed(struct coordinator *coordinator, struct run *run)
{
    struct watch *watch = watch_of(coordinator, run->failed);

    if (watch != NULL)
        watch->recovers = NULL;
    pool_release(coordinator->pool, run->failed, run->recovery->id);
    let_go(coordinator, run->failed);
}

/* It was seen to run. Where the news of that was lost, nobody must take it for one that stands by. */
static void make_sure_it_runs(struct coordinator *coordinator, struct run *run, struct moment now)
{
    struct watch *watch = run->candidate != NULL ? watch_of(coordinator, run->candidate) : NULL;

    if (watch == NULL || run->candidate->state == MACHINE_RUNNING)
        return;
    watch->warm_after_us = now.mono_us + NEWS_LOST_US;
    watch_inspect(coordinator, watch);
}

/* Its claims stay until the sweep: whoever hands in the event may still be looking at its machines. */
static void end(struct coordinator *coordinator, struct run *run, struct moment now)
{
    announce_end(coordinator, run, now);
    if (run->recovery->state == RECOVERY_RECOVERED)
        make_sure_it_runs(coordinator, run, now);
    run->wants_candidate = false;
    run->has_action = false;
    run->retry_us = USEC_INFINITY;
    run->recovery->stands_in = run->recovery->state == RECOVERY_RECOVERED && !run->recovery->is_restarting;
    coordinator->is_both_due |= run->recovery->stands_in;
    /* Somebody may have started it while the recovery was busy with a candidate. */
    run->failed->failed_unrecovered =
        run->failed->state != MACHINE_RUNNING &&
        (run->recovery->state == RECOVERY_EXHAUSTED || run->recovery->state == RECOVERY_OBSERVED);
    watch_end_recovery(coordinator, watch_of(coordinator, run->failed), run->failed,
                       run->recovery->state == RECOVERY_DISMISSED);
}

static void run_free(struct run *run)
{
    ranking_free(run->ranking);
    free(run);
}

void runs_sweep(struct coordinator *coordinator, struct moment now)
{
    size_t kept = 0;

    for (size_t i = 0; i < coordinator->n_runs; i++) {
        struct run *run = coordinator->runs[i];

        if (!recovery_state_is_final(run->recovery->state)) {
            coordinator->runs[kept++] = run;
            continue;
        }
        release_candidate(coordinator, run, now);
        release_failed(coordinator, run);
        run_free(run);
        keeper_touch(coordinator, now);
    }
    coordinator->n_runs = kept;
    forget_old_records(coordinator, now);
}

static void announce_attempt_failed(struct coordinator *coordinator, const struct run *run, struct moment now)
{
    const struct recovery_attempt *attempt = &run->recovery->attempts[run->recovery->n_attempts - 1];

    notices_add_run(coordinator, NOTICE_ATTEMPT_FAILED, now, run, "%s did not take the place of %s: %s", attempt->name,
                    run->recovery->failed_name, attempt->error != NULL ? attempt->error : "it did not come up");
}

/* It came up badly, or may still come up: not again so soon. */
static void quarantine(struct coordinator *coordinator, const struct run *run, struct moment now)
{
    const struct config_recovery *config = &coordinator->config->recovery;
    const struct recovery *recovery = run->recovery;
    int64_t time_us = config->quarantine_us;

    if (recovery->attempts[recovery->n_attempts - 1].fate == START_LOOSE && config->late_start_us > time_us)
        time_us = config->late_start_us;
    if (run->candidate != NULL && time_us > 0)
        run->candidate->quarantined_until_us = now.mono_us + time_us;
}

/* It is off: what is still told of its stop, late, is no failure of its own. If it is not, that is soon known. */
static void write_off(struct coordinator *coordinator, struct machine *machine, struct moment now)
{
    struct watch *watch = machine != NULL ? watch_of(coordinator, machine) : NULL;

    if (watch != NULL)
        watch_write_off(coordinator, watch, machine, now);
}

void run_count_memory(struct coordinator *coordinator, struct machine *machine)
{
    uint64_t free_kib, needed_kib;

    if (machine == NULL)
        return;
    pool_set_starting(coordinator->pool, machine, false);
    free_kib = pool_free_memory(coordinator->pool, machine->hypervisor);
    needed_kib = machine->description->memory_kib;
    if (free_kib > 0)
        pool_set_free_memory(coordinator->pool, machine->hypervisor, free_kib > needed_kib ? free_kib - needed_kib : 1);
}

static void announce_decision(struct coordinator *coordinator, const struct run *run, struct moment now)
{
    const struct recovery *recovery = run->recovery;

    if (recovery->is_restarting)
        notices_add_run(coordinator, NOTICE_DECIDED, now, run, "%s itself is started again, attempt %u",
                        recovery->failed_name, recovery->restarts);
    else
        notices_add_run(coordinator, NOTICE_DECIDED, now, run, "%s",
                        recovery->explanation != NULL ? recovery->explanation->summary : recovery->replacement_name);
}

/* One that was laid down has slept since. */
static void wake_guest(struct coordinator *coordinator, const struct run *run, struct moment now)
{
    if (run->candidate != NULL && run->recovery->warmth != WARMTH_COLD)
        guest_clock_want(coordinator, run->candidate, now);
}

static void carry_out(struct coordinator *coordinator, struct run *run, const struct recovery_step *step,
                      struct moment now)
{
    if (step->has_decided)
        announce_decision(coordinator, run, now);
    if (step->has_action) {
        run->has_action = true;
        run->action = step->action;
        run->action.id = ++coordinator->last_action;
        run->action.as_of = coordinator->events;
        run->recovery->action_id = run->action.id;
    } else if (step->wants_candidate) {
        run->has_action = false;
    }
    if (step->intent_failed)
        notices_add_run(coordinator, NOTICE_INTENT_FAILED, now, run,
                        "the intent to start %s for %s could not be written; it is started all the same",
                        run->recovery->replacement_name, run->recovery->failed_name);
    if (step->has_started) {
        run_count_memory(coordinator, run->candidate);
        wake_guest(coordinator, run, now);
        notices_add_run(coordinator, NOTICE_STARTED, now, run, "%s runs for %s; it is not verified yet",
                        run->recovery->replacement_name, run->recovery->failed_name);
    }
    if (step->releases_candidate) {
        if (!step->is_withdrawn)
            announce_attempt_failed(coordinator, run, now);
        if (step->quarantines)
            quarantine(coordinator, run, now);
        if (step->was_stopped)
            write_off(coordinator, run->candidate, now);
        release_candidate(coordinator, run, now);
    }
    if (step->wants_candidate)
        run->wants_candidate = true;
    if (run->recovery->state != RECOVERY_SELECTING) {
        run->wants_candidate = false;
        run->is_postponed = false;
    }
    coordinator->has_loose |= late_is_possible(coordinator, run->recovery, now);
    if (step->ended)
        end(coordinator, run, now);
}

static int restart(struct coordinator *coordinator, struct run *run, struct moment now);

static bool is_asking_the_dead(const struct coordinator *coordinator, const struct run *run)
{
    const struct link *link = link_find(coordinator, run->failed->hypervisor);

    return (run->recovery->state == RECOVERY_CONFIRMING || run->recovery->state == RECOVERY_DESTROYING) &&
           link != NULL && !link->is_connected && link->host.state == HOST_FENCED && !link->host.was_seen;
}

static int handle(struct coordinator *coordinator, struct run *run, const struct recovery_event *event)
{
    struct recovery_step step = {0};
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there is a run */
    int r = recovery_handle(run->recovery, event, coordinator->config, &step);

    if (r < 0)
        return r;
    carry_out(coordinator, run, &step, event->now);
    if (step.wants_original && restart(coordinator, run, event->now) < 0)
        run->retry_us = event->now.mono_us + RETRY_US;
    /* That its host is off is the answer. */
    if (is_asking_the_dead(coordinator, run))
        return handle(coordinator, run, &(struct recovery_event){.kind = RECOVERY_ORIGINAL_FENCED, .now = event->now});
    return 0;
}

int run_take(struct coordinator *coordinator, struct run *run, struct machine *candidate, struct moment now)
{
    struct recovery_event event = {
        .kind = RECOVERY_CHOSEN,
        .now = now,
        .candidate = candidate,
        .warmth = machine_warmth(candidate),
        .takes_over = candidate->keeping == KEEPING_WARMING,
    };
    bool was_kept = keeper_yield(coordinator, candidate, now);
    int r = pool_claim(coordinator->pool, candidate, run->recovery->id);

    if (r < 0)
        return r;
    serve(coordinator, run, candidate);
    run->was_kept = was_kept;
    run->takes_over = event.takes_over;
    run->was_asked = false;
    r = handle(coordinator, run, &event);
    if (r < 0)
        release_candidate(coordinator, run, now);
    return r;
}

/* The failed machine itself, which is claimed already, unless somebody uses by now what it needs. -ENOMEM. */
static int restart(struct coordinator *coordinator, struct run *run, struct moment now)
{
    struct select_request request = {
        .pool = coordinator->pool,
        .rules = coordinator->rules,
        .failed = run->failed,
        .now_us = now.mono_us,
        .check_memory = coordinator->config->recovery.check_memory,
    };
    struct recovery_event nobody = {.kind = RECOVERY_NOBODY, .now = now};
    _cleanup_(freep) struct selection *selection = NULL;
    _cleanup_(freep) char *why = NULL, *detail = NULL;
    int r = select_original(&request, &selection);

    if (r < 0)
        return r;
    if (is_fenced(coordinator, run->failed->hypervisor)) {
        nobody.detail = "nobody could take its place, and its host is lost";
        run_handle(coordinator, run, &nobody);
        return 0;
    }
    if (selection->n_eligible > 0)
        return run_take(coordinator, run, run->failed, now);
    r = select_reason(&request, selection, 0, &why);
    if (r == 0 && asprintf(&detail, "nobody could take its place, and it cannot be started again itself: %s", why) < 0)
        r = -ENOMEM;
    if (r < 0) {
        detail = NULL;
        return r;
    }
    nobody.detail = detail;
    run_handle(coordinator, run, &nobody);
    return 0;
}

void run_handle(struct coordinator *coordinator, struct run *run, const struct recovery_event *event)
{
    if (handle(coordinator, run, event) < 0)
        run->retry_us = event->now.mono_us + RETRY_US;
}

void runs_free_all(struct coordinator *coordinator)
{
    for (size_t i = 0; i < coordinator->n_runs; i++)
        run_free(coordinator->runs[i]);
    free(coordinator->runs);
    for (size_t i = 0; i < coordinator->n_records; i++)
        recovery_free(coordinator->records[i]);
    free(coordinator->records);
}
