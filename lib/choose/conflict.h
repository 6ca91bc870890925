/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What may not be used twice at a time: writable disks and MAC addresses. Finds the candidates that
 * would get in the way of a machine that is up. Knows no similarity.
 */
#ifndef UNDERSTUDY_CHOOSE_CONFLICT_H
#define UNDERSTUDY_CHOOSE_CONFLICT_H

#include <stddef.h>

#include "base/cleanup.h"
#include "choose/candidate.h"
#include "choose/usage.h"
#include "pool/pool.h"

/*
 * Sets verdict, conflict and conflict_with of every eligible candidate that shares a writable disk not
 * marked shareable, or a MAC address, with a machine that is up or being started. A path is compared
 * within one hypervisor, a network source and an address on all of them. The failed machine does not
 * count: it is off. -ENOMEM.
 */
int conflict_find(const struct pool *pool, const struct machine *failed, struct candidate *candidates,
                  size_t n) _must_check_;

/* As above, but what is only kept warm does not count: it can be given back. */
int conflict_find_but_kept(const struct pool *pool, const struct machine *failed, struct candidate *candidates,
                           size_t n) _must_check_;

/*
 * The other way round, for many looks at the same pool: enters what all machines that are up or being started use. For
 * as long as none of them changes. -ENOMEM.
 */
int conflict_collect(const struct pool *pool, struct usage *ret) _must_check_;

/* The candidate shares something with one of those that were collected, other than the failed machine and itself. */
bool conflict_exists(const struct usage *in_use, const struct machine *failed, const struct machine *candidate);

/* The two machines could not run at the same time. */
bool conflict_between(const struct machine *a, const struct machine *b);

#endif
