/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A set of small numbers as a bitmap: to be gone through often, where a list would need links in each member. */
#ifndef UNDERSTUDY_BASE_NUMBER_SET_H
#define UNDERSTUDY_BASE_NUMBER_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define NUMBER_NONE UINT32_MAX

/* A plain value: initialise with {0}, end with number_set_done. */
struct number_set {
    uint64_t *words;
    size_t room; /* every number in it is below */
    size_t count;
};

/* For all numbers below room. -ENOMEM leaves the set as it was. */
int number_set_reserve(struct number_set *set, size_t room) _must_check_;
/* The number is below the room; adding it twice is no error. */
void number_set_add(struct number_set *set, uint32_t number);
/* Of any number: one that is not in it is no error. */
void number_set_remove(struct number_set *set, uint32_t number);
bool number_set_has(const struct number_set *set, uint32_t number);
/* The first that is not below `from`; NUMBER_NONE: there is none. The set may change meanwhile. */
uint32_t number_set_next(const struct number_set *set, uint32_t from);
void number_set_done(struct number_set *set);

#endif
