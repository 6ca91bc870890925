/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Release and the one sum of a description. Knows nothing of where descriptions come from. */
#include "model/description.h"

#include <stdlib.h>

void domain_description_free(struct domain_description *description)
{
    if (description == NULL)
        return;
    for (size_t i = 0; i < description->n_disks; i++) {
        free(description->disks[i].source);
        free(description->disks[i].pool);
        free(description->disks[i].volume);
        free(description->disks[i].target);
    }
    for (size_t i = 0; i < description->n_macs; i++)
        free(description->macs[i]);
    for (size_t i = 0; i < description->n_features; i++) {
        free(description->features[i].kind);
        free(description->features[i].value);
    }
    free(description->disks);
    free(description->macs);
    free(description->features);
    free(description->name);
    free(description->osinfo_id);
    free(description->role);
    free(description);
}

uint64_t domain_description_disk_bytes(const struct domain_description *description)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < description->n_disks; i++) {
        const struct disk *disk = &description->disks[i];

        if (disk->writable && __builtin_add_overflow(sum, disk->capacity_bytes, &sum))
            return UINT64_MAX;
    }
    return sum;
}
