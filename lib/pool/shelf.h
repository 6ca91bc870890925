/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Machines by specification: columns of all specifications, and of each the machines in cohorts, one for each host and
 * warmth. What orders machines of one specification is the same for a whole cohort, but the name.
 */
#ifndef UNDERSTUDY_POOL_SHELF_H
#define UNDERSTUDY_POOL_SHELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "model/machine.h"
#include "similarity/columns.h"

struct pool_host;

/* The machines that may be compared with a failed one, which is all but the ignored and those that are not present. */
enum pool_set {
    POOL_STANDING_BY, /* machine_standing says so */
    POOL_OTHERS,
    POOL_SET_COUNT,
};

/* In the order of their names. It is on one host, so it is some thousands at most, and that one comes or goes moves few. */
struct cohort {
    union {
        const struct machine **machines;
        const struct machine *only; /* while there is room for one */
    };
    struct cohort *next; /* of the same specification */
    uint32_t count;      /* not 0 */
    enum warmth warmth : 8;
    enum pool_set set : 8;
    uint8_t room_log2; /* a power of two */
};

static inline const struct machine *cohort_at(const struct cohort *cohort, uint32_t at)
{
    return cohort->room_log2 > 0 ? cohort->machines[at] : cohort->only;
}
/* What is read soon comes into the cache: the machine at this place, and what the one before it refers to. */
void cohort_fetch(const struct cohort *cohort, uint32_t at);
/* That all of its machines are on. */
const struct pool_host *cohort_host(const struct cohort *cohort);

/* A plain value: shelf_init, shelf_done. All machines of a set. */
struct shelf {
    enum pool_set set;
    struct columns *columns;
    struct cohort **cohorts; /* by entry of the columns; the first of each */
    size_t room;
};

/* Where a machine stands; cohort NULL: nowhere. */
struct place {
    struct cohort *cohort;
    uint32_t entry;
};

/* Borrows the rules. -ENOMEM. */
int shelf_init(struct shelf *shelf, enum pool_set set, const struct similarity_rules *rules) _must_check_;
void shelf_done(struct shelf *shelf);

/* The machine stands nowhere. -ENOMEM changes nothing. */
int shelf_add(struct shelf *shelf, const struct machine *machine) _must_check_;
/* From the shelf of its set; does nothing for one that stands nowhere. Before its name changes. */
void shelf_remove(struct shelf shelves[static POOL_SET_COUNT], const struct machine *machine);
/* It stands where it belongs: same specification and warmth. shelf NULL: on none. */
bool shelf_is_right(const struct shelf *shelf, const struct machine *machine);

#endif
