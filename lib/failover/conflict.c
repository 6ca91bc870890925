/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Everything that eligible candidates would use, in one hash; every machine that is up is held against it. */
#include "failover/conflict.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM            1
#define uthash_nonfatal_oom(element) ((element)->lost = true)
#include <uthash.h>

/* A disk or an address, and the candidates that would use it. */
struct use {
    struct candidate *candidate;
    struct use *next;
};

struct resource {
    UT_hash_handle hh;
    struct use *uses;
    bool lost;
    char key[];
};

/* "d HYPERVISOR SOURCE" for what lies on the host, "n  SOURCE" for network storage, "m  ADDRESS". */
static int make_key(char **ret, char kind, const char *hypervisor, const char *name)
{
    return asprintf(ret, "%c %s %s", kind, hypervisor, name) < 0 ? -ENOMEM : 0;
}

static int disk_key(char **ret, const struct machine *machine, const struct disk *disk)
{
    bool is_on_host = disk->source[0] == '/' || disk->pool != NULL;

    return make_key(ret, is_on_host ? 'd' : 'n', is_on_host ? machine->hypervisor : "", disk->source);
}

static bool is_exclusive(const struct disk *disk)
{
    return disk->writable && !disk->shareable;
}

static int add_use(struct resource **resources, const char *key, struct candidate *candidate)
{
    _cleanup_(freep) struct use *use = malloc(sizeof(*use));
    struct resource *resource;

    if (use == NULL)
        return -ENOMEM;
    HASH_FIND_STR(*resources, key, resource);
    if (resource == NULL) {
        size_t size = strlen(key) + 1;

        resource = calloc(1, sizeof(*resource) + size);
        if (resource == NULL)
            return -ENOMEM;
        memcpy(resource->key, key, size);
        HASH_ADD_STR(*resources, key, resource);
        if (resource->lost) {
            free(resource);
            return -ENOMEM;
        }
    }
    *use = (struct use){.candidate = candidate, .next = resource->uses};
    resource->uses = steal_pointer(&use);
    return 0;
}

static int add_candidate(struct resource **resources, struct candidate *candidate)
{
    const struct domain_description *description = candidate->machine->description;
    int r = 0;

    for (size_t i = 0; r == 0 && i < description->n_disks; i++) {
        _cleanup_(freep) char *key = NULL;

        if (!is_exclusive(&description->disks[i]))
            continue;
        r = disk_key(&key, candidate->machine, &description->disks[i]);
        if (r < 0)
            key = NULL;
        else
            r = add_use(resources, key, candidate);
    }
    for (size_t i = 0; r == 0 && i < description->n_macs; i++) {
        _cleanup_(freep) char *key = NULL;

        r = make_key(&key, 'm', "", description->macs[i]);
        if (r < 0)
            key = NULL;
        else
            r = add_use(resources, key, candidate);
    }
    return r;
}

static void accuse(struct resource *resources, const char *key, const struct machine *machine,
                   enum candidate_verdict verdict, const char *name)
{
    struct resource *resource;

    HASH_FIND_STR(resources, key, resource);
    for (struct use *use = resource != NULL ? resource->uses : NULL; use != NULL; use = use->next) {
        if (use->candidate->machine == machine || use->candidate->verdict != CANDIDATE_ELIGIBLE)
            continue;
        use->candidate->verdict = verdict;
        use->candidate->conflict = name;
        use->candidate->conflict_with = machine;
    }
}

static int hold_against(struct resource *resources, const struct machine *machine)
{
    const struct domain_description *description = machine->description;

    for (size_t i = 0; i < description->n_disks; i++) {
        _cleanup_(freep) char *key = NULL;

        if (!is_exclusive(&description->disks[i]))
            continue;
        if (disk_key(&key, machine, &description->disks[i]) < 0) {
            key = NULL;
            return -ENOMEM;
        }
        accuse(resources, key, machine, CANDIDATE_DISK_IN_USE, description->disks[i].source);
    }
    for (size_t i = 0; i < description->n_macs; i++) {
        _cleanup_(freep) char *key = NULL;

        if (make_key(&key, 'm', "", description->macs[i]) < 0) {
            key = NULL;
            return -ENOMEM;
        }
        accuse(resources, key, machine, CANDIDATE_MAC_IN_USE, description->macs[i]);
    }
    return 0;
}

static void resources_free(struct resource **resources)
{
    struct resource *resource, *next;

    HASH_ITER(hh, *resources, resource, next)
    {
        HASH_DEL(*resources, resource);
        while (resource->uses != NULL) {
            struct use *use = resource->uses;

            resource->uses = use->next;
            free(use);
        }
        free(resource);
    }
}

static int find(const struct pool *pool, const struct machine *failed, struct candidate *candidates, size_t n,
                bool kept_count)
{
    _cleanup_(resources_free) struct resource *resources = NULL;

    for (size_t i = 0; i < n; i++)
        if (candidates[i].verdict == CANDIDATE_ELIGIBLE && add_candidate(&resources, &candidates[i]) < 0)
            return -ENOMEM;
    if (resources == NULL)
        return 0;

    for (const struct machine *machine = pool_next(pool, NULL); machine != NULL; machine = pool_next(pool, machine)) {
        if (machine == failed || (!kept_count && machine->keeping != KEEPING_NONE) ||
            !(machine_state_is_active(machine->state) || machine->is_starting))
            continue;
        if (hold_against(resources, machine) < 0)
            return -ENOMEM;
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

static bool is_same_disk(const struct machine *a, const struct disk *of_a, const struct machine *b,
                         const struct disk *of_b)
{
    bool is_on_host = of_a->source[0] == '/' || of_a->pool != NULL;

    return is_exclusive(of_a) && is_exclusive(of_b) && strcmp(of_a->source, of_b->source) == 0 &&
           (!is_on_host || strcmp(a->hypervisor, b->hypervisor) == 0);
}

bool conflict_between(const struct machine *a, const struct machine *b)
{
    const struct domain_description *of_a = a->description, *of_b = b->description;

    for (size_t i = 0; i < of_a->n_disks; i++)
        for (size_t k = 0; k < of_b->n_disks; k++)
            if (is_same_disk(a, &of_a->disks[i], b, &of_b->disks[k]))
                return true;
    for (size_t i = 0; i < of_a->n_macs; i++)
        for (size_t k = 0; k < of_b->n_macs; k++)
            if (strcmp(of_a->macs[i], of_b->macs[k]) == 0)
                return true;
    return false;
}
