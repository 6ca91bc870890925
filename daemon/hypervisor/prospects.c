/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A list by the names of templates. */
#include "hypervisor/prospects.h"

#include <stdlib.h>
#include <string.h>

void prospects_done(struct prospects *prospects)
{
    for (size_t i = 0; i < prospects->count; i++) {
        free(prospects->all[i].template);
        free(prospects->all[i].obstacle);
        string_list_done(&prospects->all[i].pools);
    }
    free(prospects->all);
    pool_spaces_done(&prospects->spaces);
    *prospects = (struct prospects){0};
}

struct prospect *prospects_add(struct prospects *prospects, const char *template)
{
    struct prospect *all = reallocarray(prospects->all, prospects->count + 1, sizeof(*all));
    char *name;

    if (all == NULL)
        return NULL;
    prospects->all = all;
    name = strdup(template);
    if (name == NULL)
        return NULL;
    all[prospects->count] = (struct prospect){.template = name};
    return &all[prospects->count++];
}

const struct prospect *prospects_find(const struct prospects *prospects, const char *template)
{
    for (size_t i = 0; i < prospects->count; i++)
        if (strcmp(prospects->all[i].template, template) == 0)
            return &prospects->all[i];
    return NULL;
}

static struct prospect *find_known(struct prospects *prospects, const char *template)
{
    for (size_t i = 0; i < prospects->count; i++)
        if (!prospects->all[i].is_unknown && strcmp(prospects->all[i].template, template) == 0)
            return &prospects->all[i];
    return NULL;
}

/* A pool that is none of those whose space is known has enough. */
static void keep_spaces(struct pool_spaces *spaces, const struct pool_spaces *before, const struct string_list *pools)
{
    for (size_t i = 0; i < pools->count; i++) {
        const struct pool_space *space = pool_spaces_find(before, pools->items[i]);

        if (space != NULL && pool_spaces_find(spaces, space->name) == NULL)
            (void)!pool_spaces_add(spaces, space->name, space->available_bytes);
    }
}

static void keep(struct prospects *prospects, struct prospect *prospect, struct prospects *before)
{
    struct prospect *old = find_known(before, prospect->template);

    if (old == NULL)
        return;
    prospect->is_unknown = false;
    prospect->obstacle = steal_pointer(&old->obstacle);
    prospect->pools = old->pools;
    old->pools = (struct string_list){0};
    keep_spaces(&prospects->spaces, &before->spaces, &prospect->pools);
}

void prospects_keep(struct prospects *prospects, struct prospects *before)
{
    for (size_t i = 0; i < prospects->count; i++)
        if (prospects->all[i].is_unknown)
            keep(prospects, &prospects->all[i], before);
}
