/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All diversions. */
#include "coordinator/diversions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int diversions_add(struct diversions *diversions, struct diversion *diversion)
{
    struct diversion **all = reallocarray(diversions->all, diversions->count + 1, sizeof(struct diversion *));

    if (all == NULL) {
        diversion_free(diversion);
        return -ENOMEM;
    }
    diversions->all = all;
    all[diversions->count++] = diversion;
    return 0;
}

struct diversion *diversions_of(const struct diversions *diversions, const struct machine_ref *original)
{
    for (size_t i = 0; i < diversions->count; i++)
        if (!diversions->all[i]->is_over && machine_ref_equal(&diversions->all[i]->service.original, original))
            return diversions->all[i];
    return NULL;
}

struct diversion *diversions_served_by(const struct diversions *diversions, const struct machine_ref *replacement)
{
    for (size_t i = 0; i < diversions->count; i++)
        if (!diversions->all[i]->is_over && machine_ref_equal(&diversions->all[i]->service.replacement, replacement))
            return diversions->all[i];
    return NULL;
}

/* Its document goes. */
static void drop(struct diversion *diversion)
{
    diversion->is_over = diversion->is_changed = true;
}

int diversions_move_original(struct diversions *diversions, size_t place, const struct machine_ref *original)
{
    struct diversion *old = diversions->all[place], *moved;
    int r;

    /* The daemon died when the old document was still there. */
    if (diversions_of(diversions, original) != NULL) {
        drop(old);
        return 0;
    }
    moved = calloc(1, sizeof(*moved));
    if (moved == NULL)
        return -ENOMEM;
    r = diversions_add(diversions, moved);
    if (r < 0)
        return r;
    *moved = *old;
    *old = (struct diversion){.service = {.original = moved->service.original}};
    drop(old);
    moved->service.original = *original;
    moved->autostart_is_off = false;
    diversions->all[diversions->count - 1] = old;
    diversions->all[place] = moved;
    return 0;
}

void diversions_mark(const struct diversions *diversions, struct pool *pool, const struct machine_ref *ref)
{
    const struct machine *machine = pool_find(pool, ref->hypervisor, ref->uuid);
    const struct diversion *served = diversions_served_by(diversions, ref), *own = diversions_of(diversions, ref);
    struct machine *edited;

    if (machine == NULL)
        return;
    edited = pool_edit(pool, machine);
    edited->serves = served != NULL ? &served->service : NULL;
    edited->diverted = own != NULL ? &own->service : NULL;
}

const struct diversion *diversions_next_changed(struct diversions *diversions)
{
    size_t kept = 0;

    /* Those that are over and were handed out before are done with. */
    for (size_t i = 0; i < diversions->count; i++) {
        if (diversions->all[i]->is_over && !diversions->all[i]->is_changed)
            diversion_free(diversions->all[i]);
        else
            diversions->all[kept++] = diversions->all[i];
    }
    diversions->count = kept;
    for (size_t i = 0; i < kept; i++)
        if (diversions->all[i]->is_changed) {
            diversions->all[i]->is_changed = false;
            return diversions->all[i];
        }
    return NULL;
}

void diversions_done(struct diversions *diversions)
{
    for (size_t i = 0; i < diversions->count; i++)
        diversion_free(diversions->all[i]);
    free(diversions->all);
}
