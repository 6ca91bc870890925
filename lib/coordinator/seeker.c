/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A recovery that wants a candidate, and what there is to choose from. */
#include "coordinator/seeker.h"

#include "coordinator/open_recovery.h"
#include "coordinator/retries.h"

#include <errno.h>
#include <stdlib.h>

/* Once there are enough eligible ones, so many in all are looked at, to be counted. */
#define LOOKS 40

void pass_postpone(struct pass *pass, struct open_recovery *open)
{
    outbox_tell_recovery(&pass->registry->outbox, NOTICE_OUT_OF_MEMORY, pass->now, open->recovery,
                         "no memory to choose a replacement for %s", open->recovery->failed_name);
    open->wants_candidate = false;
    open->is_postponed = true;
    open->retry_us = pass->now.mono_us + RETRY_US;
}

static int list_tried(struct seeker *seeker)
{
    const struct recovery *recovery = seeker->open->recovery;

    seeker->tried = calloc(recovery->n_attempts + 1, sizeof(*seeker->tried));
    if (seeker->tried == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < recovery->n_attempts; i++)
        if (!recovery->attempts[i].is_void)
            seeker->tried[seeker->request.n_tried++] = recovery->attempts[i].candidate;
    seeker->request.tried = seeker->tried;
    return 0;
}

int seeker_init(struct seeker *seeker, struct pass *pass, struct open_recovery *open, size_t n)
{
    struct registry *registry = pass->registry;
    struct choice_extent extent = {
        .eligible = n > SEEKER_LISTED ? n : SEEKER_LISTED,
        .ineligible = SEEKER_LISTED,
        .looks = LOOKS,
    };
    int r;

    *seeker = (struct seeker){.open = open, .request = open_recovery_plain_request(pass->recoveries, open, pass->now)};
    if (moment_has_come(open->recovery->down_since))
        seeker->request.rest_us = RETRIES_REST_US;
    r = list_tried(seeker);
    if (r == 0)
        r = choose(registry->chooser, &seeker->request, extent, &seeker->choice);
    if (r < 0)
        seeker_done(seeker);
    return r;
}

void seeker_done(struct seeker *seeker)
{
    free(seeker->tried);
    choice_done(&seeker->choice);
}
