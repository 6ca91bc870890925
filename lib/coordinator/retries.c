/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Services that are down, tried again. */
#include "coordinator/retries.h"

#include "base/text.h"
#include "coordinator/opening.h"

/* They are looked at so often at most. */
#define LOOK_US USEC_PER_SEC

/* No later one is about the same service. */
static bool is_last(const struct records *records, size_t place)
{
    for (size_t i = place + 1; i < records->count; i++)
        if (machine_ref_equal(&records->all[i]->service, &records->all[place]->service))
            return false;
    return true;
}

/* It failed a recovery of any service, and has not rested since. How long it is in quarantine is another matter. */
static bool failed_recently(const struct retries *retries, const struct machine *candidate, struct moment now)
{
    const struct records *records = &retries->recoveries->registry->records;
    struct machine_ref ref = machine_ref_of(candidate);

    for (size_t i = records->count; i-- > 0;) {
        const struct recovery *recovery = records->all[i];

        if (!moment_has_come(recovery->ended) || now.mono_us - recovery->ended.mono_us >= RETRIES_REST_US ||
            retries->configured_us > recovery->ended.mono_us ||
            watch_was_mended_since(retries->recoveries->registry, &ref, recovery->ended))
            continue;
        for (size_t j = 0; j < recovery->n_attempts; j++)
            if (!recovery->attempts[j].is_void && machine_ref_equal(&recovery->attempts[j].candidate, &ref))
                return true;
    }
    return false;
}

/* The failed machine itself, which could not be started again then. */
static const struct machine *find_own_help(const struct registry *registry, const struct choice_request *request,
                                           const struct recovery *recovery, struct moment now)
{
    struct candidate original = choose_judge_original(request);
    struct machine_ref ref = machine_ref_of(request->failed);

    if (original.verdict != CANDIDATE_ELIGIBLE || pool_changed_us(request->failed) <= recovery->ended.mono_us ||
        brake_restarts_spent(registry, &ref, NULL, now) >= registry->config->recovery.restart_attempts)
        return NULL;
    return request->failed;
}

/* It could not take over when the recovery failed, or may not have been able to. */
static bool is_new_help(const struct retries *retries, const struct recovery *recovery, const struct machine *candidate)
{
    struct machine_ref ref = machine_ref_of(candidate);

    return recovery->is_refused || pool_changed_us(candidate) > recovery->ended.mono_us ||
           retries->configured_us > recovery->ended.mono_us ||
           watch_was_mended_since(retries->recoveries->registry, &ref, recovery->ended);
}

/* The first that could take over and could not when the recovery failed; NULL: none. */
static const struct machine *find_help(const struct retries *retries, const struct recovery *recovery,
                                       const struct machine *failed, struct moment now)
{
    const struct registry *registry = retries->recoveries->registry;
    const struct config_recovery *config = &registry_config_of(registry, failed)->recovery;
    struct choice_request request = registry_request(registry, failed, now);
    const struct machine *own =
        config->order != ORDER_REPLACEMENT ? find_own_help(registry, &request, recovery, now) : NULL;
    struct candidate candidate;
    int r;

    if (own != NULL || config->order == ORDER_ORIGINAL_ONLY)
        return own;
    request.rest_us = RETRIES_REST_US;
    r = choose_begin(registry->chooser, &request);
    while (r == 0 && (r = choose_next_eligible(registry->chooser, &candidate)) > 0) {
        if (is_new_help(retries, recovery, candidate.machine) && !failed_recently(retries, candidate.machine, now))
            return candidate.machine;
        r = 0;
    }
    return NULL;
}

/* What is left of the failed machine can be asked about, or is surely off. */
static bool can_be_confirmed(const struct registry *registry, const struct machine *failed)
{
    const struct host *host = host_find(registry, failed->hypervisor);

    return host != NULL && (host->is_listed || host->track.state == HOST_FENCED);
}

static bool is_down(const struct registry *registry, const struct machine *machine)
{
    const struct watch *watch = machine != NULL ? watch_of(registry, machine) : NULL;

    /* One that went down with its host may be started with it, or run elsewhere: that is not decided yet. */
    return watch != NULL && machine->failed_unrecovered && machine_is_protected(machine) && !watch_is_taken(watch) &&
           !machine->is_reserved && watch_rare(watch)->track.pending != CAUSE_HOST_LOST &&
           can_be_confirmed(registry, machine);
}

static void retry(struct retries *retries, const struct recovery *recovery, const struct machine *failed,
                  const struct machine *help, struct moment now)
{
    struct registry *registry = retries->recoveries->registry;
    struct watch *watch = watch_of(registry, failed);
    _cleanup_(freep) char *why = help == failed ? text_print("it can be started again itself by now")
                                                : text_print("%s can take its place by now", help->name);

    if (watch == NULL || why == NULL || opening_retry(retries->recoveries, watch, failed, recovery, why, now) < 0)
        outbox_tell(&registry->outbox, NOTICE_OUT_OF_MEMORY, now, failed, "no memory to try %s again", failed->name);
}

/* A refusal by the limit stays; another definition makes another machine of it. */
static bool is_at_limit(const struct registry *registry, const struct recovery *recovery)
{
    return recovery->is_refused && !watch_was_mended_since(registry, &recovery->failed, recovery->ended) &&
           !watch_was_mended_since(registry, &recovery->service, recovery->ended);
}

/* The first service that is down and has help. True: it is tried again, and there may be others. */
static bool retry_one(struct retries *retries, struct moment now, bool *ret_is_any_down)
{
    struct registry *registry = retries->recoveries->registry;
    const struct records *records = &registry->records;

    for (size_t i = records->count; i-- > 0;) {
        const struct recovery *recovery = records->all[i];
        const struct machine *failed, *help;

        if (recovery->state != RECOVERY_EXHAUSTED || recovery->is_held ||
            now.mono_us - recovery_down_since(recovery).mono_us > registry->config->recovery.retry_for_us ||
            !is_last(records, i))
            continue;
        failed = pool_find(registry->pool, recovery->failed.hypervisor, recovery->failed.uuid);
        if (!is_down(registry, failed) || is_at_limit(registry, recovery))
            continue;
        *ret_is_any_down = true;
        help = find_help(retries, recovery, failed, now);
        if (help == NULL)
            continue;
        retry(retries, recovery, failed, help, now);
        return true;
    }
    return false;
}

void retries_configure(struct retries *retries)
{
    retries->is_reconfigured = true;
}

bool retries_handle(void *self, struct moment now)
{
    struct retries *retries = self;
    struct registry *registry = retries->recoveries->registry;
    bool is_any_down = false, has_any = false;

    if (!registry_take(registry, FACT_HELP))
        return false;
    retries->due_us = USEC_INFINITY;
    if (retries->is_reconfigured)
        retries->configured_us = now.mono_us;
    retries->is_reconfigured = false;
    if (registry->config->recovery.retry_for_us == 0 || registry->config->mode != MODE_AUTOMATIC ||
        retries->recoveries->brake->is_on)
        return false;
    if (now.mono_us - retries->looked_us < LOOK_US) {
        retries->due_us = retries->looked_us + LOOK_US;
        return false;
    }
    retries->looked_us = now.mono_us;
    if (pool_settle(registry->pool, now.mono_us) < 0)
        return false;
    while (retry_one(retries, now, &is_any_down))
        has_any = true;
    /* A quarantine, and the rest that a stopped machine has, end without an input. */
    if (is_any_down)
        retries->due_us = now.mono_us + 30 * LOOK_US;
    return has_any;
}

int64_t retries_deadline(const void *self)
{
    const struct retries *retries = self;

    return retries->due_us;
}
