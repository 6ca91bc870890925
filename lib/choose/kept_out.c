/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Through all users of what one machine uses, and then to the original. */
#include "choose/kept_out.h"

#include "choose/choose.h"

static bool next_use(const struct choice_request *request, struct kept_out *search)
{
    search->users = USERS_OWNING;
    return use_next(request->failed, &search->own);
}

/* Those that have the same for themselves, and then those that have it below a disk. */
static const struct machine *next_sharer(const struct choice_request *request, struct kept_out *search)
{
    if (search->own.machine == NULL && !next_use(request, search))
        return NULL;
    while (!pool_sharer_next(request->pool, &search->own, search->users, &search->other))
        if (search->users == USERS_OWNING && !use_is_backing(&search->own))
            search->users = USERS_BACKING;
        else if (!next_use(request, search))
            return NULL;
    return search->other.machine;
}

/* Once. */
static struct candidate take_original(const struct choice_request *request, struct kept_out *search)
{
    const struct diverted_service *service = request->failed->serves;
    const struct machine *original = NULL;
    struct candidate candidate = {.machine = NULL};

    if (service != NULL && !search->is_at_original)
        original = pool_find(request->pool, service->original.hypervisor, service->original.uuid);
    search->is_at_original = true;
    if (original != NULL && pool_is_standing_by(original))
        candidate = choose_judge(request, original);
    if (candidate.verdict != CANDIDATE_ELIGIBLE)
        candidate.machine = NULL;
    return candidate;
}

struct candidate kept_out_next(const struct choice_request *request, struct kept_out *search)
{
    const struct machine *machine;

    while (!search->is_at_original && (machine = next_sharer(request, search)) != NULL)
        if (machine != request->failed && pool_is_standing_by(machine)) {
            struct candidate candidate = choose_judge(request, machine);

            if (candidate.verdict == CANDIDATE_ELIGIBLE)
                return candidate;
        }
    return take_original(request, search);
}
