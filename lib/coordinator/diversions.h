/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All diversions, and what the pool's machines show of them. Knows nothing of how one begins or ends. */
#ifndef UNDERSTUDY_COORDINATOR_DIVERSIONS_H
#define UNDERSTUDY_COORDINATOR_DIVERSIONS_H

#include "pool/pool.h"
#include "workflow/diversion.h"

/* A plain value: begin with {0}, end with diversions_done. */
struct diversions {
    struct diversion **all;
    size_t count;
};

/* Takes the diversion. -ENOMEM: it is freed. */
int diversions_add(struct diversions *diversions, struct diversion *diversion) _must_check_;

/* The one that is not over; NULL: none. */
struct diversion *diversions_of(const struct diversions *diversions, const struct machine_ref *original);
struct diversion *diversions_served_by(const struct diversions *diversions, const struct machine_ref *replacement);

/*
 * The one at this place of `all` has its original on another host from now on. One of the old name, which is over, tells the
 * driver to drop the old document after the new one, which the caller marks as changed. -ENOMEM: all is as it was.
 */
int diversions_move_original(struct diversions *diversions, size_t place,
                             const struct machine_ref *original) _must_check_;

/* Sets what the pool's machines show of the diversions. After one came, changed or ended, or a machine came. */
void diversions_mark(const struct diversions *diversions, struct pool *pool, const struct machine_ref *ref);

/* One that has changed since it was last handed out, borrowed until the next call; NULL: none. */
const struct diversion *diversions_next_changed(struct diversions *diversions);

void diversions_done(struct diversions *diversions);

#endif
