/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Through all users of what one machine uses. */
#include "choose/kept_out.h"

#include "choose/choose.h"

static const struct machine *next_sharer(const struct choice_request *request, struct kept_out *search)
{
    if (search->other != NULL)
        search->other = search->other->next;
    while (search->other == NULL) {
        const struct exclusive *exclusive;

        if (!search->is_up)
            search->own = pool_use_next(request->failed, search->own);
        if (search->own == NULL)
            return NULL;
        exclusive = usage_of(pool_usage(request->pool), search->own);
        search->is_up = !search->is_up;
        search->other = search->is_up ? exclusive->up : exclusive->off;
    }
    return search->other->machine;
}

struct candidate kept_out_next(const struct choice_request *request, struct kept_out *search)
{
    const struct machine *machine;

    while ((machine = next_sharer(request, search)) != NULL)
        if (machine != request->failed && pool_is_standing_by(machine)) {
            struct candidate candidate = choose_judge(request, machine);

            if (candidate.verdict == CANDIDATE_ELIGIBLE)
                return candidate;
        }
    return (struct candidate){.machine = NULL};
}
