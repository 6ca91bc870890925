/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where services run that are to be kept apart. Those of one entry of `services` with `apart` are a group, whose number is
 * that of the entry; counted is each machine that serves one, or is being started for that.
 */
#ifndef UNDERSTUDY_POOL_SIBLINGS_H
#define UNDERSTUDY_POOL_SIBLINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

/* A plain value; {0}: no group. */
struct siblings {
    uint32_t *counts; /* by host, and there by group */
    size_t n_groups;  /* numbers are below it */
    size_t n_hosts;
    uint64_t changes; /* how often a host came to have one or two of a group, or has so few now */
};

/* For so many groups and hosts; what was counted stays, but where the groups are others. -ENOMEM changes nothing. */
int siblings_reserve(struct siblings *siblings, size_t n_groups, size_t n_hosts) _must_check_;
void siblings_done(struct siblings *siblings);

void siblings_count(struct siblings *siblings, uint16_t group, size_t host, int change);
uint32_t siblings_on(const struct siblings *siblings, uint16_t group, size_t host);

#endif
