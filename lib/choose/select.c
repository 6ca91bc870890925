/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which machines could take over, in which order. Reads the pool; claims, starts and remembers nothing. */
#include "choose/select.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "choose/conflict.h"

static bool was_tried(const struct select_request *request, const struct machine *machine)
{
    for (size_t i = 0; i < request->n_tried; i++)
        if (strcmp(request->tried[i].uuid, machine->uuid) == 0 &&
            strcmp(request->tried[i].hypervisor, machine->hypervisor) == 0)
            return true;
    return false;
}

static bool stands_by(const struct machine *machine)
{
    if (machine->keeping == KEEPING_WARMING)
        return true;
    if (machine->has_come_up)
        return false;
    if (machine->state == MACHINE_SHUT_OFF)
        return true;
    return machine->state == MACHINE_PAUSED && machine->reason == REASON_USER;
}

static bool is_claimed_by_another(const struct select_request *request, const struct machine *machine)
{
    if (machine->is_reserved || machine->keeping == KEEPING_ENDING)
        return true;
    if (machine->keeping == KEEPING_WARMING)
        return false;
    return machine->claimed_by != NULL &&
           (request->recovery_id == NULL || strcmp(machine->claimed_by, request->recovery_id) != 0);
}

/* An operator paused it, not the daemon. */
static bool is_under_operator(const struct machine *machine)
{
    return machine->state == MACHINE_PAUSED && machine->keeping == KEEPING_NONE &&
           (machine->roles & ROLE_PROTECTED) != 0;
}

/* One that is booted already, or is just being, has its memory. */
static bool lacks_memory(const struct select_request *request, const struct candidate *candidate)
{
    bool has_it = candidate->warmth >= WARMTH_PAUSED || candidate->machine->keeping == KEEPING_WARMING;

    return request->check_memory && !has_it && candidate->knows_memory &&
           candidate->free_memory_kib < candidate->machine->description->memory_kib;
}

enum candidate_verdict select_judge(const struct select_request *request, const struct candidate *candidate)
{
    const struct machine *machine = candidate->machine;

    if ((machine->roles & ROLE_STANDBY) == 0)
        return CANDIDATE_NOT_STANDBY;
    if (!machine->is_reachable)
        return CANDIDATE_UNREACHABLE;
    if (!stands_by(machine))
        return CANDIDATE_NOT_STANDING_BY;
    if (machine->failed_unrecovered)
        return CANDIDATE_FAILED_ITSELF;
    if (is_claimed_by_another(request, machine))
        return CANDIDATE_CLAIMED;
    if (was_tried(request, machine))
        return CANDIDATE_TRIED;
    if (is_under_operator(machine))
        return CANDIDATE_UNDER_OPERATOR;
    if (candidate->score.verdict != SIMILARITY_ELIGIBLE)
        return CANDIDATE_NOT_SIMILAR;
    if (machine->quarantined_until_us > request->now_us)
        return CANDIDATE_QUARANTINED;
    if (lacks_memory(request, candidate))
        return CANDIDATE_NO_MEMORY;
    return CANDIDATE_ELIGIBLE;
}

int select_compare(const struct similarity_rules *rules, const struct candidate *a, const struct candidate *b)
{
    int order = similarity_compare(rules, &a->score, &b->score);

    if (order != 0)
        return order;
    if (a->warmth != b->warmth)
        return a->warmth > b->warmth ? -1 : 1;
    if (a->free_memory_kib != b->free_memory_kib)
        return a->free_memory_kib > b->free_memory_kib ? -1 : 1;
    order = strcmp(a->machine->name, b->machine->name);
    if (order == 0)
        order = strcmp(a->machine->hypervisor, b->machine->hypervisor);
    return order != 0 ? order : strcmp(a->machine->uuid, b->machine->uuid);
}

static int compare_for_sort(const void *left, const void *right, void *rules)
{
    return select_compare(rules, left, right);
}

static void sort(const struct select_request *request, struct candidate *candidates, size_t n)
{
    if (n > 0)
        qsort_r(candidates, n, sizeof(*candidates), compare_for_sort, (void *)request->rules);
}

static bool is_candidate(const struct select_request *request, const struct machine *machine)
{
    return machine != request->failed && machine->is_present && (machine->roles & ROLE_IGNORED) == 0;
}

uint64_t select_free_memory(const struct pool *pool, const char *hypervisor, bool *ret_is_known)
{
    uint64_t free_kib = pool_free_memory(pool, hypervisor), starting_kib = pool_starting_memory(pool, hypervisor);

    *ret_is_known = free_kib != 0;
    return free_kib > starting_kib ? free_kib - starting_kib : 0;
}

static struct candidate new_candidate(const struct select_request *request, struct machine *machine)
{
    struct candidate candidate = {.machine = machine, .warmth = machine_warmth(machine)};

    candidate.free_memory_kib = select_free_memory(request->pool, machine->hypervisor, &candidate.knows_memory);
    return candidate;
}

/* The eligible to the front. */
static size_t part(struct candidate *candidates, size_t n)
{
    size_t n_eligible = 0;

    for (size_t i = 0; i < n; i++) {
        struct candidate candidate = candidates[i];

        if (candidate.verdict != CANDIDATE_ELIGIBLE)
            continue;
        candidates[i] = candidates[n_eligible];
        candidates[n_eligible++] = candidate;
    }
    return n_eligible;
}

int select_eligible(const struct select_request *request, struct selection **ret)
{
    size_t size = sizeof(struct selection) + pool_count(request->pool) * sizeof(struct candidate);
    _cleanup_(freep) struct selection *selection = malloc(size);
    int r;

    if (selection == NULL)
        return -ENOMEM;
    selection->n_candidates = 0;
    for (struct machine *machine = pool_next(request->pool, NULL); machine != NULL;
         machine = pool_next(request->pool, machine)) {
        struct candidate *candidate = &selection->candidates[selection->n_candidates];

        if (!is_candidate(request, machine))
            continue;
        *candidate = new_candidate(request, machine);
        candidate->score = similarity_score(request->rules, &request->failed->spec, &machine->spec);
        candidate->verdict = select_judge(request, candidate);
        selection->n_candidates++;
    }
    r = conflict_find(request->pool, request->failed, selection->candidates, selection->n_candidates);
    if (r < 0)
        return r;
    selection->n_eligible = part(selection->candidates, selection->n_candidates);
    sort(request, selection->candidates, selection->n_eligible);
    *ret = steal_pointer(&selection);
    return 0;
}

/* Few are wanted of many, and most are worse than the last of the few: one look each. */
void select_order_others(const struct select_request *request, struct selection *selection, size_t n)
{
    struct candidate *others = &selection->candidates[selection->n_eligible];
    size_t count = selection->n_candidates - selection->n_eligible;

    if (n > count)
        n = count;
    sort(request, others, n);
    for (size_t i = n; n > 0 && i < count; i++) {
        struct candidate candidate = others[i];
        size_t at = n;

        while (at > 0 && select_compare(request->rules, &candidate, &others[at - 1]) < 0)
            at--;
        if (at == n)
            continue;
        others[i] = others[n - 1];
        memmove(&others[at + 1], &others[at], (n - 1 - at) * sizeof(*others));
        others[at] = candidate;
    }
}

int select_candidates(const struct select_request *request, struct selection **ret)
{
    int r = select_eligible(request, ret);

    if (r == 0)
        select_order_others(request, *ret, SIZE_MAX);
    return r;
}

int select_original(const struct select_request *request, struct selection **ret)
{
    _cleanup_(freep) struct selection *selection = calloc(1, sizeof(*selection) + sizeof(struct candidate));
    struct machine *failed;
    int r;

    if (selection == NULL)
        return -ENOMEM;
    failed = pool_find(request->pool, request->failed->hypervisor, request->failed->uuid);
    selection->n_candidates = 1;
    selection->candidates[0] = new_candidate(request, failed);
    if (!failed->is_present)
        selection->candidates[0].verdict = CANDIDATE_NOT_STANDING_BY; /* its domain is gone */
    else if (lacks_memory(request, &selection->candidates[0]))
        selection->candidates[0].verdict = CANDIDATE_NO_MEMORY;
    r = conflict_find(request->pool, request->failed, selection->candidates, 1);
    if (r < 0)
        return r;
    selection->n_eligible = selection->candidates[0].verdict == CANDIDATE_ELIGIBLE;
    *ret = steal_pointer(&selection);
    return 0;
}
