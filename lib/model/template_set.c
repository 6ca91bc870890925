/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Puts templates together. There are few, so they are searched from the first to the last. */
#include "model/template_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int template_set_new(struct template_set **ret)
{
    struct template_set *set = calloc(1, sizeof(*set));

    if (set == NULL)
        return -ENOMEM;
    atomic_init(&set->n_owners, 1);
    *ret = set;
    return 0;
}

struct template_set *template_set_ref(struct template_set *set)
{
    if (set != NULL)
        atomic_fetch_add(&set->n_owners, 1);
    return set;
}

void template_set_free(struct template_set *set)
{
    if (set == NULL || atomic_fetch_sub(&set->n_owners, 1) > 1)
        return;
    for (size_t i = 0; i < set->count; i++)
        template_free(set->all[i]);
    for (size_t i = 0; i < set->n_faults; i++) {
        free(set->faults[i].file);
        free(set->faults[i].text);
    }
    free(set->all);
    free(set->faults);
    free(set);
}

/* set->count: there is none. */
static size_t find(const struct template_set *set, const char *name)
{
    size_t i = 0;

    while (i < set->count && strcmp(set->all[i]->name, name) != 0)
        i++;
    return i;
}

struct template *template_set_find(const struct template_set *set, const char *name)
{
    size_t place = find(set, name);

    return place < set->count ? set->all[place] : NULL;
}

int template_set_add(struct template_set *set, struct template *template)
{
    size_t place = find(set, template->name);
    struct template **all;

    if (place < set->count) {
        template_ref(template);
        template_free(set->all[place]);
        set->all[place] = template;
        return 0;
    }
    all = reallocarray(set->all, set->count + 1, sizeof(struct template *));
    if (all == NULL)
        return -ENOMEM;
    set->all = all;
    all[set->count++] = template_ref(template);
    return 0;
}

static bool has_fault(const struct template_set *set, const char *file)
{
    for (size_t i = 0; i < set->n_faults; i++)
        if (strcmp(set->faults[i].file, file) == 0)
            return true;
    return false;
}

int template_set_add_fault(struct template_set *set, const char *file, const char *text)
{
    struct template_fault *faults;
    _cleanup_(freep) char *file_copy = NULL;
    _cleanup_(freep) char *text_copy = NULL;

    if (has_fault(set, file))
        return 0;
    faults = reallocarray(set->faults, set->n_faults + 1, sizeof(*faults));
    if (faults == NULL)
        return -ENOMEM;
    set->faults = faults;
    file_copy = strdup(file);
    text_copy = strdup(text);
    if (file_copy == NULL || text_copy == NULL)
        return -ENOMEM;
    faults[set->n_faults++] =
        (struct template_fault){.file = steal_pointer(&file_copy), .text = steal_pointer(&text_copy)};
    return 0;
}

int template_set_add_all(struct template_set *set, const struct template_set *other)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < other->count; i++)
        r = template_set_add(set, other->all[i]);
    for (size_t i = 0; r == 0 && i < other->n_faults; i++)
        r = template_set_add_fault(set, other->faults[i].file, other->faults[i].text);
    return r;
}
