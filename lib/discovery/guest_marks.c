/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names are looked up here alone, so that a guest cannot have more of them looked up than any guest has. */
#include "discovery/guest_marks.h"

#include <string.h>

/* Longer names are none that a catalog has. */
#define LOOKED_UP_MAX 100
/* No guest has so many packages and services together. */
#define NAMES_MAX 30000

const struct catalog_feature *guest_find(struct guest *guest, enum catalog_name_kind kind, const char *name)
{
    if (name[0] == '\0' || strlen(name) > LOOKED_UP_MAX || guest->n_names >= NAMES_MAX)
        return NULL;
    guest->n_names++;
    return catalog_find(guest->catalog, kind, guest->family, name);
}

uint8_t *guest_marks(const struct guest *guest, const struct catalog_feature *feature)
{
    return &guest->marks[catalog_index(guest->catalog, feature)];
}

void guest_note(struct guest *guest, enum catalog_name_kind kind, const char *name, enum guest_mark mark)
{
    const struct catalog_feature *feature = guest_find(guest, kind, name);

    if (feature != NULL)
        *guest_marks(guest, feature) |= (uint8_t)mark;
}
