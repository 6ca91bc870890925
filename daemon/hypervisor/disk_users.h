/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which domains use an image, by their XML. Blocking questions for worker threads. */
#ifndef UNDERSTUDY_DAEMON_HYPERVISOR_DISK_USERS_H
#define UNDERSTUDY_DAEMON_HYPERVISOR_DISK_USERS_H

#include <stdbool.h>
#include <stddef.h>

#include <libvirt/libvirt.h>

#include "base/cleanup.h"
#include "model/description.h"
#include "protocol/action.h"

/* Domains as libvirt describes them. A plain value: initialise with {0}, end with disk_users_done. */
struct disk_users {
    struct domain_description **domains;
    size_t count;
    bool is_local; /* paths of the hypervisor are paths of the daemon */
};

void disk_users_done(struct disk_users *users);

/*
 * All domains that run, as they run, or with with_definitions all domains, and those that run as they are defined as
 * well. A domain that vanishes meanwhile uses nothing. Negative errno: result says why.
 */
int disk_users_read(virConnectPtr connection, bool is_local, bool with_definitions, struct disk_users *ret,
                    struct action_result *result) _must_check_;

/* Also where symbolic links lead, if paths are those of the daemon. */
bool image_path_is_same(bool is_local, const char *a, const char *b);

/* An image: where it is, and where it is a volume in which pool. */
struct image_place {
    const char *path, *pool, *volume;
    bool is_unique; /* no other volume has that name, whatever its pool */
};

/* The first domain that writes to the image. NULL: none. */
const struct domain_description *disk_users_find_writer(const struct disk_users *users,
                                                        const struct image_place *image);
/* The first domain that uses it in any way, without that with this UUID. NULL: none. */
const struct domain_description *disk_users_find_other(const struct disk_users *users, const struct image_place *image,
                                                       const char *uuid);

#endif
