/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What one disk is: how large, which image whatever way its source is written, and what stands below it. Blocking
 * questions for worker threads; a question about an image on dead storage may hang.
 */
#ifndef UNDERSTUDY_DAEMON_HYPERVISOR_STORAGE_H
#define UNDERSTUDY_DAEMON_HYPERVISOR_STORAGE_H

#include <stdbool.h>
#include <stdint.h>

#include <libvirt/libvirt.h>

#include "base/cleanup.h"
#include "model/description.h"

/* A plain value: initialise with {0}, end with disk_facts_done. What is not known is 0, NULL or false. */
struct disk_facts {
    uint64_t capacity_bytes; /* as its guest sees it */
    char *identity;          /* see disk_identity; NULL: the source says it */
    bool is_networked;       /* as in struct disk */
    bool is_missing;         /* likewise */
    bool has_chain;          /* all images below it are known */
    struct disk *images;     /* below it, the nearest first */
    uint32_t n_images;
};

void disk_facts_done(struct disk_facts *facts);

/*
 * Asks libvirt, and the file system where the hypervisor is on the daemon's own host (is_local). disk: source, pool,
 * volume and target are used, and capacity is asked for if it is writable. The domain need not run.
 */
void storage_look_up(virConnectPtr connection, bool is_local, const char *uuid, const struct disk *disk,
                     struct disk_facts *ret);

#endif
