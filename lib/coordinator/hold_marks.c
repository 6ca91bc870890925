/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All holds. */
#include "coordinator/hold_marks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int hold_marks_add(struct hold_marks *marks, struct hold *hold)
{
    struct hold **all = reallocarray(marks->all, marks->count + 1, sizeof(struct hold *));

    if (all == NULL) {
        hold_free(hold);
        return -ENOMEM;
    }
    marks->all = all;
    all[marks->count++] = hold;
    return 0;
}

struct hold *hold_marks_find(const struct hold_marks *marks, enum hold_scope scope, const struct machine_ref *target)
{
    for (size_t i = 0; i < marks->count; i++)
        if (!marks->all[i]->is_over && marks->all[i]->scope == scope &&
            machine_ref_equal(&marks->all[i]->target, target))
            return marks->all[i];
    return NULL;
}

const struct hold *hold_marks_cover(const struct hold_marks *marks, const struct machine_ref *ref)
{
    const struct hold *nearest = NULL;

    for (size_t i = 0; i < marks->count; i++) {
        const struct hold *hold = marks->all[i];

        if (!hold->is_over && !hold->is_evacuating && hold_covers(hold, ref) &&
            (nearest == NULL || hold->scope > nearest->scope))
            nearest = hold;
    }
    return nearest;
}

bool hold_marks_close(const struct hold_marks *marks, const struct machine_ref *ref)
{
    for (size_t i = 0; i < marks->count; i++)
        if (!marks->all[i]->is_over && marks->all[i]->is_evacuating && hold_covers(marks->all[i], ref))
            return true;
    return false;
}

void hold_marks_show(const struct hold_marks *marks, struct pool *pool, const struct machine *machine)
{
    struct machine_ref ref = machine_ref_of(machine);
    const struct hold *hold = marks->count > 0 ? hold_marks_cover(marks, &ref) : NULL;
    bool is_closed = marks->count > 0 && hold_marks_close(marks, &ref);

    if (machine->hold != hold)
        pool_edit(pool, machine)->hold = hold;
    if (machine->is_closed != is_closed)
        pool_edit(pool, machine)->is_closed = is_closed;
}

void hold_marks_show_all(const struct hold_marks *marks, struct pool *pool)
{
    for (const struct machine *machine = NULL; (machine = pool_next(pool, machine)) != NULL;)
        hold_marks_show(marks, pool, machine);
}

const struct hold *hold_marks_next_changed(struct hold_marks *marks)
{
    size_t kept = 0;

    /* Those that are over and were handed out before are done with. */
    for (size_t i = 0; i < marks->count; i++) {
        if (marks->all[i]->is_over && !marks->all[i]->is_changed)
            hold_free(marks->all[i]);
        else
            marks->all[kept++] = marks->all[i];
    }
    marks->count = kept;
    for (size_t i = 0; i < kept; i++)
        if (marks->all[i]->is_changed) {
            marks->all[i]->is_changed = false;
            return marks->all[i];
        }
    return NULL;
}

void hold_marks_done(struct hold_marks *marks)
{
    for (size_t i = 0; i < marks->count; i++)
        hold_free(marks->all[i]);
    free(marks->all);
}
