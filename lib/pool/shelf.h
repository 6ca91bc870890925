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

/* A heap by name: the machine at i comes before those at 2i+1 and 2i+2, so that the first few are found without sorting. */
struct cohort {
    const struct pool_host *host;
    enum warmth warmth : 8;
    uint8_t room_log2; /* a power of two */
    uint32_t count;
    const struct machine **machines;
    const struct machine *only; /* machines points here while there is room for one */
    struct cohort *next;        /* of the same specification */
};

/* A plain value: shelf_init, shelf_done. */
struct shelf {
    struct columns *columns;
    struct cohort **cohorts; /* by entry of the columns; the first of each */
    size_t room;
};

/* Where a machine stands; shelf NULL: nowhere. */
struct place {
    struct shelf *shelf;
    struct cohort *cohort;
    uint32_t entry, at;
};

/* Borrows the rules. -ENOMEM. */
int shelf_init(struct shelf *shelf, const struct similarity_rules *rules) _must_check_;
void shelf_done(struct shelf *shelf);

/* The machine stands nowhere. -ENOMEM changes nothing. */
int shelf_add(struct shelf *shelf, const struct machine *machine, const struct pool_host *host) _must_check_;
/* Does nothing for one that stands nowhere. Before its name changes. */
void shelf_remove(const struct machine *machine);
/* It stands where it belongs: same specification and warmth. */
bool shelf_is_right(const struct shelf *shelf, const struct machine *machine);

#endif
