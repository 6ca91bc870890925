/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A recovery that wants a candidate, and who could serve it: sees to its ranking and picks from it. Decides nothing.
 */
#include <errno.h>
#include <stdlib.h>

#include "coordinator/assignment_internal.h"
#include "choose/conflict.h"

/* So many machines are looked at in one go. */
#define LOOKS_MAX 80000
/* It is not put off for longer than this, whatever changes meanwhile. */
#define PUT_OFF_US USEC_PER_SEC

bool assignment_is_put_off(struct assignment *assignment)
{
    struct coordinator *coordinator = assignment->coordinator;

    if (assignment->looks < LOOKS_MAX)
        return false;
    if (coordinator->put_off_us == 0)
        coordinator->put_off_us = assignment->now.mono_us;
    return assignment->now.mono_us - coordinator->put_off_us < PUT_OFF_US;
}

void assignment_forget_in_use(struct assignment *assignment)
{
    usage_done(&assignment->in_use);
    assignment->has_in_use = false;
}

int assignment_know_in_use(struct assignment *assignment)
{
    int r = assignment->has_in_use ? 0 : conflict_collect(assignment->coordinator->pool, &assignment->in_use);

    assignment->has_in_use = r == 0;
    if (r < 0)
        assignment_forget_in_use(assignment);
    return r;
}

void seeker_done(struct seeker *seeker)
{
    free(seeker->tried);
    free(seeker->best);
}

int seeker_init(const struct assignment *assignment, struct run *run, struct seeker *ret)
{
    const struct coordinator *coordinator = assignment->coordinator;
    const struct recovery *recovery = run->recovery;
    struct machine_ref *tried = calloc(recovery->n_attempts + 1, sizeof(*tried));

    if (tried == NULL)
        return -ENOMEM;
    *ret = (struct seeker){.run = run, .tried = tried};
    ret->request = (struct select_request){
        .pool = coordinator->pool,
        .rules = coordinator->rules,
        .failed = run->failed,
        .recovery_id = recovery->id,
        .tried = tried,
        .now_us = assignment->now.mono_us,
        .check_memory = coordinator->config->recovery.check_memory,
    };
    for (size_t i = 0; i < recovery->n_attempts; i++)
        if (!recovery->attempts[i].is_void)
            tried[ret->request.n_tried++] = recovery->attempts[i].candidate;
    return 0;
}

void run_drop_ranking(struct run *run)
{
    ranking_free(run->ranking);
    run->ranking = NULL;
}

int seeker_rank(struct assignment *assignment, const struct seeker *seeker)
{
    struct run *run = seeker->run;

    if (ranking_is_current(run->ranking, &seeker->request))
        return 0;
    run_drop_ranking(run);
    if (assignment_is_put_off(assignment))
        return -EAGAIN;
    assignment->looks += pool_count(assignment->coordinator->pool);
    return ranking_new(&seeker->request, &run->ranking);
}

int seeker_list(struct assignment *assignment, const struct seeker *seeker, size_t n, struct contender **ret,
                size_t *ret_count)
{
    struct contender *best = calloc(n + 1, sizeof(*best));

    if (best == NULL)
        return -ENOMEM;
    *ret_count = ranking_best(seeker->run->ranking, &seeker->request, &assignment->in_use, n, best);
    *ret = best;
    return 0;
}

void run_postpone(struct coordinator *coordinator, struct run *run, struct moment now)
{
    notices_add_run(coordinator, NOTICE_OUT_OF_MEMORY, now, run, "no memory to choose a replacement for %s",
                    run->recovery->failed_name);
    run->wants_candidate = false;
    run->is_postponed = true;
    run->retry_us = now.mono_us + RETRY_US;
}
