/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Counts by host and group. */
#include "pool/siblings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void siblings_done(struct siblings *siblings)
{
    free(siblings->counts);
    *siblings = (struct siblings){0};
}

int siblings_reserve(struct siblings *siblings, size_t n_groups, size_t n_hosts)
{
    struct siblings larger = {.n_groups = n_groups, .n_hosts = n_hosts, .changes = siblings->changes + 1};
    bool is_same = n_groups == siblings->n_groups;

    if (is_same && n_hosts <= siblings->n_hosts)
        return 0;
    larger.counts = calloc(n_groups * n_hosts + 1, sizeof(*larger.counts));
    if (larger.counts == NULL)
        return -ENOMEM;
    if (is_same && siblings->counts != NULL)
        memcpy(larger.counts, siblings->counts, n_groups * siblings->n_hosts * sizeof(*larger.counts));
    siblings_done(siblings);
    *siblings = larger;
    return 0;
}

void siblings_count(struct siblings *siblings, uint16_t group, size_t host, int change)
{
    uint32_t *count = &siblings->counts[host * siblings->n_groups + group], before = *count;

    *count += (uint32_t)change;
    siblings->changes += before <= 1 || *count <= 1;
}

uint32_t siblings_on(const struct siblings *siblings, uint16_t group, size_t host)
{
    if (group >= siblings->n_groups || host >= siblings->n_hosts)
        return 0;
    return siblings->counts[host * siblings->n_groups + group];
}
