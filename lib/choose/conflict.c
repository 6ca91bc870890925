/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Everything that eligible candidates would use, in one table; every machine that is up is held against it. Or the
 * other way round, where many failed machines look at the same pool.
 */
#include "choose/conflict.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void mark_users(const struct usage *wanted, struct candidate *candidates, const struct exclusive *exclusive,
                       const struct machine *machine)
{
    for (const struct exclusive_use *use = usage_next(wanted, exclusive, NULL); use != NULL;
         use = usage_next(wanted, exclusive, use)) {
        struct candidate *candidate = &candidates[use->number];

        if (candidate->machine == machine || candidate->verdict != CANDIDATE_ELIGIBLE)
            continue;
        candidate->verdict = exclusive->is_address ? CANDIDATE_MAC_IN_USE : CANDIDATE_DISK_IN_USE;
        candidate->conflict = exclusive->name;
        candidate->conflict_with = machine;
    }
}

/* The machine uses its disks and addresses, or is about to. */
static bool is_up(const struct machine *machine)
{
    return machine_state_is_active(machine->state) || machine->is_starting;
}

static int find(const struct pool *pool, const struct machine *failed, struct candidate *candidates, size_t n,
                bool kept_count)
{
    _cleanup_(usage_done) struct usage wanted = {0};

    for (size_t i = 0; i < n; i++)
        if (candidates[i].verdict == CANDIDATE_ELIGIBLE && usage_add(&wanted, candidates[i].machine, i) < 0)
            return -ENOMEM;
    if (wanted.n_uses == 0)
        return 0;

    for (const struct machine *machine = pool_next(pool, NULL); machine != NULL; machine = pool_next(pool, machine)) {
        struct exclusive exclusive;
        size_t place = 0;

        if (machine == failed || (!kept_count && machine->keeping != KEEPING_NONE) || !is_up(machine))
            continue;
        while (exclusive_next(machine, &place, &exclusive))
            mark_users(&wanted, candidates, &exclusive, machine);
    }
    return 0;
}

int conflict_find(const struct pool *pool, const struct machine *failed, struct candidate *candidates, size_t n)
{
    return find(pool, failed, candidates, n, true);
}

int conflict_find_but_kept(const struct pool *pool, const struct machine *failed, struct candidate *candidates,
                           size_t n)
{
    return find(pool, failed, candidates, n, false);
}

int conflict_collect(const struct pool *pool, struct usage *ret)
{
    for (const struct machine *machine = pool_next(pool, NULL); machine != NULL; machine = pool_next(pool, machine))
        if (is_up(machine) && usage_add(ret, machine, 0) < 0)
            return -ENOMEM;
    return 0;
}

bool conflict_exists(const struct usage *in_use, const struct machine *failed, const struct machine *candidate)
{
    struct exclusive exclusive;
    size_t place = 0;

    while (exclusive_next(candidate, &place, &exclusive))
        for (const struct exclusive_use *use = usage_next(in_use, &exclusive, NULL); use != NULL;
             use = usage_next(in_use, &exclusive, use))
            if (use->machine != failed && use->machine != candidate)
                return true;
    return false;
}

bool conflict_between(const struct machine *a, const struct machine *b)
{
    struct exclusive of_a, of_b;

    for (size_t i = 0; exclusive_next(a, &i, &of_a);)
        for (size_t k = 0; exclusive_next(b, &k, &of_b);)
            if (exclusive_equal(&of_a, &of_b))
                return true;
    return false;
}
