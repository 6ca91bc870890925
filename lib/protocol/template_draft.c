/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/template_draft.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/template.h"

int template_draft_new(const char *machine, struct template_draft **ret)
{
    _cleanup_(template_draft_freep) struct template_draft *draft = calloc(1, sizeof(*draft));

    if (draft == NULL)
        return -ENOMEM;
    atomic_init(&draft->n_owners, 1);
    draft->max = TEMPLATE_MAX_DEFAULT;
    draft->machine = strdup(machine);
    if (draft->machine == NULL)
        return -ENOMEM;
    *ret = steal_pointer(&draft);
    return 0;
}

struct template_draft *template_draft_ref(struct template_draft *draft)
{
    atomic_fetch_add(&draft->n_owners, 1);
    return draft;
}

static void draft_disk_done(struct draft_disk *disk)
{
    free(disk->target);
    free(disk->base);
    free(disk->format);
}

void template_draft_free(struct template_draft *draft)
{
    if (draft == NULL || atomic_fetch_sub(&draft->n_owners, 1) > 1)
        return;
    for (size_t i = 0; i < draft->n_disks; i++)
        draft_disk_done(&draft->disks[i]);
    free(draft->disks);
    feature_texts_done(&draft->features);
    string_list_done(&draft->warnings);
    free(draft->name);
    free(draft->machine);
    free(draft->directory);
    free(draft->text);
    free(draft->hint);
    free(draft);
}

int template_draft_add_disk(struct template_draft *draft, const char *target, const char *base, bool is_given)
{
    struct draft_disk *disks = reallocarray(draft->disks, draft->n_disks + 1, sizeof(*disks));
    struct draft_disk disk = {.target = strdup(target), .base = strdup(base), .is_given = is_given};

    if (disks != NULL)
        draft->disks = disks;
    if (disks == NULL || disk.target == NULL || disk.base == NULL) {
        draft_disk_done(&disk);
        return -ENOMEM;
    }
    disks[draft->n_disks++] = disk;
    return 0;
}

struct draft_disk *template_draft_find_disk(const struct template_draft *draft, const char *target)
{
    for (size_t i = 0; i < draft->n_disks; i++)
        if (strcmp(draft->disks[i].target, target) == 0)
            return &draft->disks[i];
    return NULL;
}
