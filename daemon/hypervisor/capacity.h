/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How large disks are, which images, and what stands below them (storage.h): asked once for each source, one question at
 * a time and after everything else, because a question about an image on dead storage may hang. Lives on the main thread.
 */
#ifndef UNDERSTUDY_DAEMON_HYPERVISOR_CAPACITY_H
#define UNDERSTUDY_DAEMON_HYPERVISOR_CAPACITY_H

#include <stdint.h>

#include "base/cleanup.h"
#include "hypervisor/worker.h"
#include "model/machine.h"

struct capacity;

struct capacity_callbacks {
    void (*found)(void *context, const struct machine_ref *machine, const char *source, uint64_t capacity_bytes);
    /* All questions were answered, and more is known of what disks are than was filled in: list again. */
    void (*recognised)(void *context);
    void (*overdue)(void *context, const char *call, int64_t for_us);
};

/* Borrows workers. is_local: the hypervisor is on the daemon's own host. */
int capacity_new(struct workers *workers, bool is_local, const struct capacity_callbacks *callbacks, void *context,
                 struct capacity **ret) _must_check_;

/*
 * Fills in what is known of the disks: sizes of the writable ones, identities, and the images below them where the domain
 * does not tell. Notes the others (and those asked long ago) as questions. Out of memory leaves disks unasked, or as the
 * domain tells them, until the next time.
 */
void capacity_fill(struct capacity *capacity, const char *hypervisor, struct domain_description *description);

/* Begins to ask, on the connection of this number (see connection_link). */
void capacity_ask(struct capacity *capacity, unsigned long link, int64_t timeout_us);

/* Forgets the questions that have not been asked: the connection is gone. */
void capacity_drop_questions(struct capacity *capacity);

/* After workers_free. Takes NULL. */
void capacity_free(struct capacity *capacity);

#endif
