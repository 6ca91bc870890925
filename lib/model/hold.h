/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A hold: an operator's order that nothing is done, for everything, for a host or for a machine. What it covers is watched
 * and not acted on. Data only; coordinator/holds says when one begins and ends.
 */
#ifndef UNDERSTUDY_MODEL_HOLD_H
#define UNDERSTUDY_MODEL_HOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/moment.h"
#include "model/machine.h"

/* The wider comes first. */
enum hold_scope {
    HOLD_ALL,
    HOLD_HOST,
    HOLD_MACHINE,
    HOLD_SCOPE_COUNT,
};

/* "all", "host", "machine". */
const char *hold_scope_name(enum hold_scope scope);
/* -EINVAL: no such scope. */
int hold_scope_parse(const char *name, enum hold_scope *ret) _must_check_;

struct hold {
    enum hold_scope scope;
    struct machine_ref target; /* HOLD_HOST: without a UUID; HOLD_ALL: empty */
    char *name;                /* of the machine when it was held; else of the host, or "all" */
    char *reason;              /* NULL: none was given */
    char by[OPERATOR_NAME_SIZE];
    int64_t since_us;   /* real_us */
    int64_t time_us;    /* how long it lasts; 0: until it is released */
    bool is_evacuating; /* of a host: it takes no starts, and its services are failed over; then the hold begins */
    struct machine_ref *tried; /* by that, by this daemon */
    size_t n_tried;
    bool is_overdue; /* its time is over; it stays, because a host that it covers cannot be reached */
    bool is_changed; /* since it was last handed out to be written down */
    bool is_over;    /* and nothing is left but to write that down */
};

/* Copies all; target is that of struct hold. reason may be NULL, and so may by. -ENOMEM. */
int hold_new(enum hold_scope scope, const struct machine_ref *target, const char *name, const char *reason,
             const char *by, int64_t time_us, struct moment now, struct hold **ret) _must_check_;
void hold_free(struct hold *hold);
DEFINE_CLEANUP(struct hold, hold_free);

/* The machine was tried. -ENOMEM. */
int hold_add_tried(struct hold *hold, const struct machine_ref *machine) _must_check_;
bool hold_has_tried(const struct hold *hold, const struct machine_ref *machine);

/* When it ends: real_us; 0: when it is released. */
int64_t hold_until_us(const struct hold *hold);
/* Of its scope, whether it has begun or is evacuating. */
bool hold_covers(const struct hold *hold, const struct machine_ref *machine);
/* "it is held", "its host is held" or "everything is held", of a machine that it covers; with ": REASON" if it has one. NULL: no memory. */
char *hold_explain(const struct hold *hold);

#endif
