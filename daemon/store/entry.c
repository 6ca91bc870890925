/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A hash by key; uthash keeps the order in which entries came. */
#include "store/entry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry *entry_new(const char *hypervisor, const char *id, const char *document, int64_t detected_us, bool is_open)
{
    _cleanup_(entry_freep) struct entry *entry = calloc(1, sizeof(*entry));

    if (entry == NULL)
        return NULL;
    entry->detected_us = detected_us;
    entry->is_open = is_open;
    if (asprintf(&entry->key, "%s\n%s", hypervisor != NULL ? hypervisor : "", id) < 0) {
        entry->key = NULL;
        return NULL;
    }
    entry->id = strdup(id);
    if (entry->id == NULL)
        return NULL;
    if (hypervisor != NULL && (entry->hypervisor = strdup(hypervisor)) == NULL)
        return NULL;
    if (document != NULL && (entry->document = strdup(document)) == NULL)
        return NULL;
    return steal_pointer(&entry);
}

void entry_free(struct entry *entry)
{
    if (entry == NULL)
        return;
    free(entry->key);
    free(entry->hypervisor);
    free(entry->id);
    free(entry->document);
    free(entry);
}

static struct entry *find(struct entry *entries, const struct entry *like)
{
    struct entry *found;

    HASH_FIND_STR(entries, like->key, found);
    return found;
}

int entries_put(struct entry **entries, struct entry *entry)
{
    entries_forget(entries, entry);
    entry->is_lost = false;
    HASH_ADD_KEYPTR(hh, *entries, entry->key, strlen(entry->key), entry);
    return entry->is_lost ? -ENOMEM : 0;
}

void entries_forget(struct entry **entries, const struct entry *other)
{
    struct entry *found = find(*entries, other);

    if (found == NULL)
        return;
    HASH_DEL(*entries, found);
    entry_free(found);
}

void entries_merge(struct entry **newer, struct entry **older)
{
    struct entry *entry, *next;

    if (*newer == NULL) {
        *newer = steal_pointer(older);
        return;
    }
    HASH_ITER(hh, *older, entry, next)
    {
        HASH_DEL(*older, entry);
        if (find(*newer, entry) != NULL || entries_put(newer, entry) < 0)
            entry_free(entry);
    }
}

void entries_free(struct entry **entries)
{
    struct entry *entry, *next;

    HASH_ITER(hh, *entries, entry, next)
    {
        HASH_DEL(*entries, entry);
        entry_free(entry);
    }
}
