/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How much room storage pools have for machines that are to be made, and who takes it. Plain numbers: knows neither libvirt
 * nor threads.
 */
#ifndef UNDERSTUDY_DAEMON_HYPERVISOR_POOL_SPACE_H
#define UNDERSTUDY_DAEMON_HYPERVISOR_POOL_SPACE_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "config/config.h"
#include "model/template.h"

struct pool_space {
    char *name;
    uint64_t available_bytes;
    uint64_t taken_bytes; /* for machines that could be made */
};

/* A plain value: initialise with {0}, end with pool_spaces_done. */
struct pool_spaces {
    struct pool_space *all;
    size_t count;
};

void pool_spaces_done(struct pool_spaces *spaces);

/* The pool with this name is none of them yet. -ENOMEM. */
int pool_spaces_add(struct pool_spaces *spaces, const char *name, uint64_t available_bytes) _must_check_;
/* NULL: it is none of them. */
struct pool_space *pool_spaces_find(const struct pool_spaces *spaces, const char *name);

/* Nothing is taken any more. */
void pool_spaces_give_back(struct pool_spaces *spaces);
/*
 * Takes what one machine of the template needs in each of these pools. Where one has too little nothing is taken, and
 * *ret_obstacle says so; NULL: it is taken. A pool that is none of them has enough. -ENOMEM.
 */
int pool_spaces_take(struct pool_spaces *spaces, const struct string_list *pools, const struct template *template,
                     char **ret_obstacle) _must_check_;

#endif
