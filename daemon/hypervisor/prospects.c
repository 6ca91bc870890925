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
