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
    diversion->is_changed = true;
    return 0;
}
