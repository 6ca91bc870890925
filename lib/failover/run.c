/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Recoveries under way: holds and claims what they need, has candidates chosen for them, and turns
 * their steps into actions and notices. Does not judge events.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "failover/coordinator_internal.h"

/* Of candidates that are out, so many are kept with a recovery: the ones that came closest. */
#define HISTORY_INELIGIBLE 100

/* UTC and a number: readable, sortable, and unique as long as the clock does not go back. */
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
    snprintf(id, RECOVERY_ID_SIZE, "%s-%u", text, ++coordinator->id_count);
}

static void watch_set_run(struct coordinator *coordinator, const struct machine *machine, struct run *recovers,
                          struct run *serves)
{
    struct machine_ref ref = machine_ref_of(machine);
    struct watch *watch = watch_find(coordinator, &ref);

    if (watch == NULL)
        return;
    watch->recovers = recovers;
    watch->serves = serves;
}

/* Claim and hold end; the machine may be gone afterwards, and its watch with it. */
static void give_back(struct coordinator *coordinator, struct machine *machine, const char *recovery_id)
{
    watch_set_run(coordinator, machine, NULL, NULL);
    pool_release(coordinator->pool, machine, recovery_id);
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

int run_open(struct coordinator *coordinator, struct watch *watch, struct machine *machine, enum failure_cause cause,
             const char *why, struct moment at)
{
    _cleanup_(recovery_freep) struct recovery *recovery = NULL;
    _cleanup_(freep) struct run *run = calloc(1, sizeof(*run));
    char id[RECOVERY_ID_SIZE];
    int r;

    if (run == NULL)
        return -ENOMEM;
    r = reserve_slots(coordinator);
    if (r < 0)
        return r;
    make_id(coordinator, at, id);
    r = recovery_new(id, machine, cause, at, &recovery);
    if (r < 0)
        return r;
    r = pool_claim(coordinator->pool, machine, recovery->id);
    if (r < 0)
        return r;
    pool_hold(coordinator->pool, machine);

    recovery->is_drill = at.mono_us <= watch->drill_until_us;
    watch->drill_until_us = 0;
    run->failed = machine;
    run->retry_us = USEC_INFINITY;
    run->recovery = steal_pointer(&recovery);
    watch->recovers = run;
    coordinator->records[coordinator->n_records++] = run->recovery;
    coordinator->runs[coordinator->n_runs++] = run;
    notices_add_run(coordinator, NOTICE_FAILURE_DETECTED, at, run, "%s failed: %s", machine->name, why);

    struct recovery_event begin = {.kind = RECOVERY_BEGIN, .now = at};
    run_handle(coordinator, steal_pointer(&run), &begin);
    return 0;
}

static void forget_old_records(struct coordinator *coordinator)
{
    size_t limit = coordinator->config->recovery.history_length;

    for (size_t i = 0; i < coordinator->n_records && coordinator->n_records > limit;) {
        if (!recovery_state_is_final(coordinator->records[i]->state)) {
            i++;
            continue;
        }
        recovery_free(coordinator->records[i]);
        coordinator->n_records--;
        memmove(&coordinator->records[i], &coordinator->records[i + 1],
                (coordinator->n_records - i) * sizeof(struct recovery *));
    }
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
    case RECOVERY_STARTING:
    case RECOVERY_RESOLVING:
    case RECOVERY_STOPPING:
    case RECOVERY_SETTLING:
    case RECOVERY_STATE_COUNT:
    default:
        break;
    }
}

static void release_candidate(struct coordinator *coordinator, struct run *run)
{
    if (run->candidate == NULL)
        return;
    give_back(coordinator, run->candidate, run->recovery->id);
    run->candidate = NULL;
}

/* Its claims stay until the sweep: whoever hands in the event may still be looking at its machines. */
static void end(struct coordinator *coordinator, struct run *run, struct moment now)
{
    announce_end(coordinator, run, now);
    run->wants_candidate = false;
    run->has_action = false;
    run->retry_us = USEC_INFINITY;
    run->failed->failed_unrecovered =
        run->recovery->state == RECOVERY_EXHAUSTED || run->recovery->state == RECOVERY_OBSERVED;
}

static void sweep(struct coordinator *coordinator)
{
    size_t kept = 0;

    for (size_t i = 0; i < coordinator->n_runs; i++) {
        struct run *run = coordinator->runs[i];

        if (!recovery_state_is_final(run->recovery->state)) {
            coordinator->runs[kept++] = run;
            continue;
        }
        release_candidate(coordinator, run);
        give_back(coordinator, run->failed, run->recovery->id);
        free(run);
    }
    coordinator->n_runs = kept;
    forget_old_records(coordinator);
}

static void announce_attempt_failed(struct coordinator *coordinator, const struct run *run, struct moment now)
{
    const struct recovery_attempt *attempt = &run->recovery->attempts[run->recovery->n_attempts - 1];

    notices_add_run(coordinator, NOTICE_ATTEMPT_FAILED, now, run, "%s did not take the place of %s: %s", attempt->name,
                    run->recovery->failed_name, attempt->error != NULL ? attempt->error : "it did not come up");
}

void run_handle(struct coordinator *coordinator, struct run *run, const struct recovery_event *event)
{
    struct recovery_step step = {0};

    if (recovery_handle(run->recovery, event, coordinator->config, &step) < 0) {
        run->retry_us = event->now.mono_us + RETRY_US;
        return;
    }
    if (step.has_action) {
        run->has_action = true;
        run->action = step.action;
        run->action.id = ++coordinator->last_action;
        run->action.as_of = coordinator->events;
        run->recovery->action_id = run->action.id;
    }
    if (step.releases_candidate) {
        announce_attempt_failed(coordinator, run, event->now);
        release_candidate(coordinator, run);
    }
    if (step.wants_candidate)
        run->wants_candidate = true;
    if (step.ended)
        end(coordinator, run, event->now);
}

struct run *run_find(const struct coordinator *coordinator, uint64_t action_id)
{
    for (size_t i = 0; i < coordinator->n_runs; i++)
        if (coordinator->runs[i]->recovery->action_id == action_id)
            return coordinator->runs[i];
    return NULL;
}

/* The more important first, then the one that waits longer. */
static struct run *next_to_assign(const struct coordinator *coordinator)
{
    struct run *best = NULL;

    for (size_t i = 0; i < coordinator->n_runs; i++) {
        struct run *run = coordinator->runs[i];

        if (!run->wants_candidate)
            continue;
        if (best == NULL || run->recovery->priority > best->recovery->priority ||
            (run->recovery->priority == best->recovery->priority &&
             run->recovery->detected.mono_us < best->recovery->detected.mono_us))
            best = run;
    }
    return best;
}

/* Somebody would fit but cannot be reached just now: worth waiting for, within the time a start may take. */
static bool is_worth_waiting(const struct coordinator *coordinator, const struct run *run,
                             const struct selection *selection, struct moment now)
{
    if (now.mono_us - run->recovery->confirmed.mono_us >= coordinator->config->recovery.start_timeout_us)
        return false;
    for (size_t i = 0; i < selection->n_candidates; i++)
        if (selection->candidates[i].verdict == CANDIDATE_UNREACHABLE &&
            selection->candidates[i].score.verdict == SIMILARITY_ELIGIBLE)
            return true;
    return false;
}

static void write_down(struct coordinator *coordinator, struct run *run, const struct select_request *request,
                       const struct selection *selection, const struct machine *chosen)
{
    struct explanation *explanation = NULL;

    /* Without memory the decision stands all the same, unexplained. */
    if (select_explain(request, selection, chosen, coordinator->features, HISTORY_INELIGIBLE, &explanation) < 0)
        return;
    explanation_free(run->recovery->explanation);
    run->recovery->explanation = explanation;
}

static int take(struct coordinator *coordinator, struct run *run, const struct candidate *candidate, struct moment now)
{
    struct recovery *recovery = run->recovery;
    struct recovery_event event = {.kind = RECOVERY_CHOSEN, .now = now, .candidate = candidate->machine};
    int r = pool_claim(coordinator->pool, candidate->machine, recovery->id);

    if (r < 0)
        return r;
    pool_hold(coordinator->pool, candidate->machine);
    run->candidate = candidate->machine;
    watch_set_run(coordinator, candidate->machine, NULL, run);
    recovery->similarity = ratio_to_double(&candidate->score.similarity);
    recovery->coverage = ratio_to_double(&candidate->score.coverage);
    recovery->overlap = ratio_to_double(&candidate->score.overlap);
    notices_add_run(coordinator, NOTICE_DECIDED, now, run, "%s",
                    recovery->explanation != NULL ? recovery->explanation->summary : candidate->machine->name);
    run_handle(coordinator, run, &event);
    return 0;
}

static int assign(struct coordinator *coordinator, struct run *run, struct moment now)
{
    _cleanup_(freep) struct machine_ref *tried = calloc(run->recovery->n_attempts + 1, sizeof(*tried));
    _cleanup_(freep) struct selection *selection = NULL;
    struct select_request request = {
        .pool = coordinator->pool,
        .rules = coordinator->rules,
        .failed = run->failed,
        .recovery_id = run->recovery->id,
        .tried = tried,
        .n_tried = run->recovery->n_attempts,
    };
    int r;

    if (tried == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < run->recovery->n_attempts; i++)
        tried[i] = run->recovery->attempts[i].candidate;
    r = select_candidates(&request, &selection);
    if (r < 0)
        return r;

    run->wants_candidate = false;
    run->is_postponed = false;
    if (selection->n_eligible > 0) {
        write_down(coordinator, run, &request, selection, selection->candidates[0].machine);
        return take(coordinator, run, &selection->candidates[0], now);
    }
    if (is_worth_waiting(coordinator, run, selection, now)) {
        run->is_postponed = true;
        run->retry_us = run->recovery->confirmed.mono_us + coordinator->config->recovery.start_timeout_us;
        return 0;
    }
    write_down(coordinator, run, &request, selection, NULL);

    struct recovery_event nobody = {
        .kind = RECOVERY_NOBODY,
        .now = now,
        .detail = run->recovery->explanation != NULL ? run->recovery->explanation->summary : "nobody is eligible",
    };
    run_handle(coordinator, run, &nobody);
    return 0;
}

void runs_assign(struct coordinator *coordinator, struct moment now)
{
    struct run *run;

    sweep(coordinator);
    while ((run = next_to_assign(coordinator)) != NULL) {
        if (assign(coordinator, run, now) == 0) {
            sweep(coordinator);
            continue;
        }
        notices_add_run(coordinator, NOTICE_OUT_OF_MEMORY, now, run, "no memory to choose a replacement for %s",
                        run->recovery->failed_name);
        run->wants_candidate = false;
        run->is_postponed = true;
        run->retry_us = now.mono_us + RETRY_US;
    }
}

void runs_resume(struct coordinator *coordinator, const char *hypervisor, struct moment now)
{
    struct recovery_event event = {.kind = RECOVERY_RECONNECTED, .now = now};

    for (size_t i = coordinator->n_runs; i-- > 0;) {
        struct run *run = coordinator->runs[i];
        const char *awaited = recovery_waits_for(run->recovery);

        if (run->is_postponed)
            run->wants_candidate = true;
        if (awaited != NULL && strcmp(awaited, hypervisor) == 0)
            run_handle(coordinator, run, &event);
    }
}

void runs_tick(struct coordinator *coordinator, struct moment now)
{
    struct recovery_event event = {.kind = RECOVERY_TICK, .now = now};

    for (size_t i = coordinator->n_runs; i-- > 0;) {
        struct run *run = coordinator->runs[i];

        if (run->retry_us <= now.mono_us) {
            run->retry_us = USEC_INFINITY;
            run->wants_candidate = run->recovery->state == RECOVERY_SELECTING;
        }
        if (run->recovery->deadline_us <= now.mono_us)
            run_handle(coordinator, run, &event);
    }
}

int64_t runs_deadline(const struct coordinator *coordinator)
{
    int64_t deadline_us = USEC_INFINITY;

    for (size_t i = 0; i < coordinator->n_runs; i++) {
        const struct run *run = coordinator->runs[i];

        if (run->retry_us < deadline_us)
            deadline_us = run->retry_us;
        if (run->recovery->deadline_us < deadline_us)
            deadline_us = run->recovery->deadline_us;
    }
    return deadline_us;
}

static bool is_configured(const struct config *config, const char *hypervisor)
{
    for (size_t i = 0; i < config->n_hypervisors; i++)
        if (strcmp(config->hypervisors[i].name, hypervisor) == 0)
            return true;
    return false;
}

void runs_abandon_unconfigured(struct coordinator *coordinator, const struct config *config, struct moment now)
{
    struct recovery_event event = {
        .kind = RECOVERY_ABANDON,
        .now = now,
        .detail = "its hypervisor is no longer configured",
    };

    for (size_t i = coordinator->n_runs; i-- > 0;) {
        struct run *run = coordinator->runs[i];

        if (!is_configured(config, run->failed->hypervisor) ||
            (run->candidate != NULL && !is_configured(config, run->candidate->hypervisor)))
            run_handle(coordinator, run, &event);
    }
}

void runs_free_all(struct coordinator *coordinator)
{
    for (size_t i = 0; i < coordinator->n_runs; i++)
        free(coordinator->runs[i]);
    free(coordinator->runs);
    for (size_t i = 0; i < coordinator->n_records; i++)
        recovery_free(coordinator->records[i]);
    free(coordinator->records);
}
