/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside of guest: what was seen of the features of the catalog. */
#ifndef UNDERSTUDY_DISCOVERY_GUEST_MARKS_H
#define UNDERSTUDY_DISCOVERY_GUEST_MARKS_H

#include "discovery/guest.h"

/* What was seen of a feature. */
enum guest_mark {
    MARK_PACKAGE = 1 << 0, /* installed on purpose */
    MARK_SERVICE = 1 << 1, /* enabled, or runs */
    MARK_COMMAND = 1 << 2, /* an enabled service runs it */
    MARK_USED = 1 << 3,    /* it comes with one that is offered */
    MARK_EMPTY = 1 << 4,   /* one of its services stands for instances only, and serves nothing itself */
};

/* What a name means on this guest; NULL: nothing, or the guest has told more names than any guest has. */
const struct catalog_feature *guest_find(struct guest *guest, enum catalog_name_kind kind, const char *name);

/* The marks of a feature, to be read and added to. */
uint8_t *guest_marks(const struct guest *guest, const struct catalog_feature *feature);

/* Marks what a name means. */
void guest_note(struct guest *guest, enum catalog_name_kind kind, const char *name, enum guest_mark mark);

#endif
