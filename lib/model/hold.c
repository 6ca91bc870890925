/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One hold as data. */
#include "model/hold.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* clang-format off */
static const struct {
    const char *name, *sentence;
} scopes[HOLD_SCOPE_COUNT] = {
    [HOLD_ALL]     = {"all",     "everything is held"},
    [HOLD_HOST]    = {"host",    "its host is held"},
    [HOLD_MACHINE] = {"machine", "it is held"},
};
/* clang-format on */

const char *hold_scope_name(enum hold_scope scope)
{
    return scopes[scope].name;
}

int hold_scope_parse(const char *name, enum hold_scope *ret)
{
    for (enum hold_scope scope = 0; scope < HOLD_SCOPE_COUNT; scope++)
        if (strcmp(scopes[scope].name, name) == 0) {
            *ret = scope;
            return 0;
        }
    return -EINVAL;
}

int hold_new(enum hold_scope scope, const struct machine_ref *target, const char *name, const char *reason,
             const char *by, int64_t time_us, struct moment now, struct hold **ret)
{
    _cleanup_(hold_freep) struct hold *hold = calloc(1, sizeof(*hold));

    if (hold == NULL)
        return -ENOMEM;
    hold->scope = scope;
    hold->target = *target;
    hold->name = strdup(name);
    hold->reason = text_copy(reason);
    snprintf(hold->by, sizeof(hold->by), "%s", by != NULL ? by : "");
    hold->since_us = now.real_us;
    hold->time_us = time_us;
    hold->is_changed = true;
    if (hold->name == NULL || (reason != NULL && hold->reason == NULL))
        return -ENOMEM;
    *ret = steal_pointer(&hold);
    return 0;
}

void hold_free(struct hold *hold)
{
    if (hold == NULL)
        return;
    free(hold->name);
    free(hold->reason);
    free(hold->tried);
    free(hold);
}

int hold_add_tried(struct hold *hold, const struct machine_ref *machine)
{
    struct machine_ref *tried = reallocarray(hold->tried, hold->n_tried + 1, sizeof(*tried));

    if (tried == NULL)
        return -ENOMEM;
    hold->tried = tried;
    tried[hold->n_tried++] = *machine;
    return 0;
}

bool hold_has_tried(const struct hold *hold, const struct machine_ref *machine)
{
    for (size_t i = 0; i < hold->n_tried; i++)
        if (machine_ref_equal(&hold->tried[i], machine))
            return true;
    return false;
}

int64_t hold_until_us(const struct hold *hold)
{
    return hold->time_us > 0 && !hold->is_evacuating ? hold->since_us + hold->time_us : 0;
}

bool hold_covers(const struct hold *hold, const struct machine_ref *machine)
{
    switch (hold->scope) {
    case HOLD_ALL:
        return true;
    case HOLD_HOST:
        return strcmp(hold->target.hypervisor, machine->hypervisor) == 0;
    case HOLD_MACHINE:
        return machine_ref_equal(&hold->target, machine);
    case HOLD_SCOPE_COUNT:
    default:
        return false;
    }
}

char *hold_explain(const struct hold *hold)
{
    return text_print("%s%s%s", scopes[hold->scope].sentence, hold->reason != NULL ? ": " : "",
                      hold->reason != NULL ? hold->reason : "");
}
