/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Machines that are the only candidate of a service, by their numbers: among equals, they are chosen last. */
#ifndef UNDERSTUDY_CHOOSE_SPARED_H
#define UNDERSTUDY_CHOOSE_SPARED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

/* A plain value: initialise with {0}, end with spared_done. */
struct spared {
    uint32_t *counts; /* of the services, by the number of the machine */
    size_t room;
};

/* One more. *ret_is_first: it was not spared before. -ENOMEM. */
int spared_add(struct spared *spared, uint32_t machine, bool *ret_is_first) _must_check_;
/* One fewer. True: it is not spared any more. */
bool spared_remove(struct spared *spared, uint32_t machine);
/* spared may be NULL. */
bool spared_has(const struct spared *spared, uint32_t machine);
void spared_done(struct spared *spared);

#endif
