/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which disks other hosts have as well, as storage.shared says. */
#ifndef UNDERSTUDY_POOL_SHARED_H
#define UNDERSTUDY_POOL_SHARED_H

#include <stdbool.h>

#include "config/config.h"
#include "model/description.h"

/* The disk is a file below one of these directories, by its source or by what it is recognised by. */
bool shared_covers(const struct string_list *directories, const struct disk *disk);

/* What the disks of the description say of it is not what these directories say. */
bool shared_is_otherwise(const struct string_list *directories, const struct domain_description *description);
/* Sets is_declared of all disks. */
void shared_declare(const struct string_list *directories, struct domain_description *description);

#endif
