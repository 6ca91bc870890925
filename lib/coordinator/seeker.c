/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A recovery that wants a candidate, and the machines that could serve it. */
#include "coordinator/seeker.h"

#include <errno.h>
#include <stdlib.h>

#include "choose/conflict.h"

/* So many machines are looked at in one go. */
#define LOOKS_MAX 80000
/* A pass is not put off for longer than this, whatever changes meanwhile. */
#define PUT_OFF_US USEC_PER_SEC

bool pass_is_put_off(struct pass *pass)
{
    struct assignment *assignment = pass->assignment;

    if (pass->looks < LOOKS_MAX)
        return false;
    if (assignment->put_off_us == 0)
        assignment->put_off_us = pass->now.mono_us;
    return pass->now.mono_us - assignment->put_off_us < PUT_OFF_US;
}

void pass_forget_in_use(struct pass *pass)
{
    usage_done(&pass->in_use);
    pass->has_in_use = false;
}

int pass_know_in_use(struct pass *pass)
{
    int r = pass->has_in_use ? 0 : conflict_collect(pass->registry->pool, &pass->in_use);

    pass->has_in_use = r == 0;
    if (r < 0)
        pass_forget_in_use(pass);
    return r;
}

void seeker_done(struct seeker *seeker)
{
    free(seeker->tried);
    free(seeker->best);
}

int seeker_init(const struct pass *pass, struct open_recovery *open, struct seeker *ret)
{
    const struct registry *registry = pass->registry;
    const struct recovery *recovery = open->recovery;
    struct machine_ref *tried = calloc(recovery->n_attempts + 1, sizeof(*tried));

    if (tried == NULL)
        return -ENOMEM;
    *ret = (struct seeker){.open = open, .tried = tried};
    ret->request = (struct select_request){
        .pool = registry->pool,
        .rules = registry->rules,
        .failed = open->failed,
        .recovery_id = recovery->id,
        .tried = tried,
        .now_us = pass->now.mono_us,
        .check_memory = registry->config->recovery.check_memory,
    };
    for (size_t i = 0; i < recovery->n_attempts; i++)
        if (!recovery->attempts[i].is_void)
            tried[ret->request.n_tried++] = recovery->attempts[i].candidate;
    return 0;
}

void seeker_drop_ranking(const struct seeker *seeker)
{
    ranking_free(seeker->open->ranking);
    seeker->open->ranking = NULL;
}

int seeker_rank(struct pass *pass, const struct seeker *seeker)
{
    struct open_recovery *open = seeker->open;

    if (ranking_is_current(open->ranking, &seeker->request))
        return 0;
    seeker_drop_ranking(seeker);
    if (pass_is_put_off(pass))
        return -EAGAIN;
    pass->looks += pool_count(pass->registry->pool);
    return ranking_new(&seeker->request, &open->ranking);
}

int seeker_list(struct pass *pass, const struct seeker *seeker, size_t n, struct contender **ret, size_t *ret_count)
{
    struct contender *best = calloc(n + 1, sizeof(*best));

    if (best == NULL)
        return -ENOMEM;
    *ret_count = ranking_best(seeker->open->ranking, &seeker->request, &pass->in_use, n, best);
    *ret = best;
    return 0;
}

void pass_postpone(struct pass *pass, struct open_recovery *open)
{
    outbox_tell_recovery(&pass->registry->outbox, NOTICE_OUT_OF_MEMORY, pass->now, open->recovery,
                         "no memory to choose a replacement for %s", open->recovery->failed_name);
    open->wants_candidate = false;
    open->is_postponed = true;
    open->retry_us = pass->now.mono_us + RETRY_US;
}
