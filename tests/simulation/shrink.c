/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Less of a failing run, as long as it fails: classes of faults first, then incidents one by one. */
#include <string.h>

#include "simulation.h"

static bool still_fails(const struct simulation_options *options, struct simulation_result *result)
{
    struct simulation_result tried;

    simulation_run(options, &tried);
    if (!tried.is_violated || tried.promise != result->promise) {
        free(tried.tail);
        return false;
    }
    free(result->tail);
    *result = tried;
    return true;
}

void shrink(struct simulation_options *options, struct simulation_result *result)
{
    size_t n = result->n_incidents;

    for (unsigned i = 0; i < FAULT_COUNT; i++) {
        uint64_t bit = UINT64_C(1) << i;

        options->faults &= ~bit;
        if (!still_fails(options, result))
            options->faults |= bit;
    }
    /* Large pieces first. */
    for (size_t size = n; size > 0; size /= 2)
        for (size_t at = 0; at < n; at += size) {
            bool before[PLAN_MAX];

            memcpy(before, options->dropped, sizeof(before));
            for (size_t i = at; i < at + size && i < n; i++)
                options->dropped[i] = true;
            if (memcmp(before, options->dropped, sizeof(before)) != 0 && !still_fails(options, result))
                memcpy(options->dropped, before, sizeof(before));
        }
}
