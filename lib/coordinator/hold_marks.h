/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All holds, and what the pool's machines show of them. Knows nothing of how one begins or ends. */
#ifndef UNDERSTUDY_COORDINATOR_HOLD_MARKS_H
#define UNDERSTUDY_COORDINATOR_HOLD_MARKS_H

#include "model/hold.h"
#include "pool/pool.h"

/* A plain value: begin with {0}, end with hold_marks_done. Owns the holds. */
struct hold_marks {
    struct hold **all;
    size_t count;
};

/* Takes the hold. -ENOMEM: it is freed. */
int hold_marks_add(struct hold_marks *marks, struct hold *hold) _must_check_;
/* The one on exactly this that is not over; NULL: there is none. */
struct hold *hold_marks_find(const struct hold_marks *marks, enum hold_scope scope, const struct machine_ref *target);
/* The nearest that covers a machine, or a host (a reference without a UUID); NULL: none does. */
const struct hold *hold_marks_cover(const struct hold_marks *marks, const struct machine_ref *ref);

/* The host of a machine, or a host, is being evacuated. */
bool hold_marks_close(const struct hold_marks *marks, const struct machine_ref *ref);

/* Sets what one machine shows, or all of them. After a hold came, changed or ended, or a machine came. */
void hold_marks_show(const struct hold_marks *marks, struct pool *pool, const struct machine *machine);
void hold_marks_show_all(const struct hold_marks *marks, struct pool *pool);

/* One that has changed since it was last handed out, borrowed until the next call; NULL: none. */
const struct hold *hold_marks_next_changed(struct hold_marks *marks);

void hold_marks_done(struct hold_marks *marks);

#endif
