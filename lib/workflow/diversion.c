/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One diversion as data. */
#include "workflow/diversion.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int diversion_new(const struct machine_ref *original, const char *name, const struct spec *need, int priority,
                  struct diversion **ret)
{
    _cleanup_(diversion_freep) struct diversion *diversion = calloc(1, sizeof(*diversion));

    if (diversion == NULL)
        return -ENOMEM;
    diversion->service.original = *original;
    diversion->service.name = strdup(name);
    diversion->service.priority = priority;
    diversion->service.is_protected = true;
    memcpy(diversion->service.need.environment, need->environment, sizeof(need->environment));
    if (diversion->service.name == NULL || id_set_copy(&diversion->service.need.features, &need->features) < 0)
        return -ENOMEM;
    *ret = steal_pointer(&diversion);
    return 0;
}

void diversion_free(struct diversion *diversion)
{
    if (diversion == NULL)
        return;
    free(diversion->service.name);
    spec_done(&diversion->service.need);
    free(diversion->service.replacement_name);
    free(diversion->former);
    free(diversion);
}

/* 1: it is new. -ENOMEM. */
static int rename_to(char **name, const char *now)
{
    char *copy;

    if (strcmp(*name, now) == 0)
        return 0;
    copy = strdup(now);
    if (copy == NULL)
        return -ENOMEM;
    free(*name);
    *name = copy;
    return 1;
}

static int learn_need(struct spec *need, const struct spec *now)
{
    if (memcmp(need->environment, now->environment, sizeof(need->environment)) == 0 &&
        id_set_equal(&need->features, &now->features))
        return 0;
    if (id_set_copy(&need->features, &now->features) < 0)
        return -ENOMEM;
    memcpy(need->environment, now->environment, sizeof(need->environment));
    return 1;
}

int diversion_learn(struct diversion *diversion, const char *name, const struct spec *need, int priority,
                    bool is_protected)
{
    struct diverted_service *service = &diversion->service;
    bool is_new = service->is_protected != is_protected;
    int is_renamed = 0, is_other = 0;

    service->is_protected = is_protected;
    if (is_protected) {
        is_renamed = rename_to(&service->name, name);
        is_other = learn_need(&service->need, need);
        is_new |= is_renamed > 0 || is_other > 0 || service->priority != priority;
        service->priority = priority;
    }
    diversion->is_changed |= is_new;
    return is_renamed < 0 ? is_renamed : is_other < 0 ? is_other : is_new;
}

int diversion_rename_replacement(struct diversion *diversion, const char *name)
{
    int r = rename_to(&diversion->service.replacement_name, name);

    diversion->is_changed |= r > 0;
    return r;
}

/* The last of them leaves its place to the one that goes. */
static void forget_former(struct diversion *diversion, const struct machine_ref *ref)
{
    for (size_t i = diversion->n_former; i-- > 0;)
        if (machine_ref_equal(&diversion->former[i], ref))
            diversion->former[i] = diversion->former[--diversion->n_former];
}

int diversion_set_replacement(struct diversion *diversion, const struct machine_ref *replacement, const char *name,
                              const char *recovery_id, struct moment now)
{
    char *replacement_name = strdup(name);
    struct machine_ref *former = reallocarray(diversion->former, diversion->n_former + 1, sizeof(*diversion->former));

    if (former != NULL)
        diversion->former = former;
    if (former == NULL || replacement_name == NULL) {
        free(replacement_name);
        return -ENOMEM;
    }
    if (diversion->service.replacement_name != NULL && !machine_ref_equal(&diversion->service.replacement, replacement))
        former[diversion->n_former++] = diversion->service.replacement;
    forget_former(diversion, replacement);
    free(diversion->service.replacement_name);
    diversion->service.replacement_name = replacement_name;
    diversion->service.replacement = *replacement;
    strncpy(diversion->recovery_id, recovery_id, sizeof(diversion->recovery_id) - 1);
    diversion->since = now;
    diversion->is_stopped = false;
    diversion->runs_twice = (struct machine_ref){0}; /* beside the new one, it is news */
    diversion->is_changed = true;
    return 0;
}
