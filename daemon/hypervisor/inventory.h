/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a hypervisor has: blocking questions for worker threads. Knows no thread, queue or deadline. */
#ifndef UNDERSTUDY_DAEMON_HYPERVISOR_INVENTORY_H
#define UNDERSTUDY_DAEMON_HYPERVISOR_INVENTORY_H

#include <stdint.h>

#include <libvirt/libvirt.h>

#include "base/cleanup.h"
#include "hypervisor/learn.h"
#include "protocol/action.h"

/* A domain that cannot be read, and why. */
struct fault {
    char uuid[UUID_TEXT_SIZE];
    char *text;
};

/* A plain value: initialise with {0}, end with faults_done. */
struct faults {
    struct fault *items;
    size_t count;
};

void faults_done(struct faults *faults);

/*
 * Every domain, and the host's free memory; at most n_calls are under way at a time. It is brief where there are brief_from
 * domains or more; SIZE_MAX: never. A domain that vanishes on the way is left out; one that cannot be read is among the unread,
 * with a fault. Else negative errno as translate_last_error, with libvirt's words in message: a listing that lacks a
 * domain for want of memory is none.
 */
int inventory_list(virConnectPtr connection, size_t n_calls, size_t brief_from, struct faults *faults,
                   struct inventory **ret, char *message, size_t size) _must_check_;

/*
 * One domain, and where asking is not NULL, what its guest agent tells. As inventory_list; -ENOENT: no such domain (any more),
 * -EIO: cannot be read, see faults.
 */
int inventory_inspect(virConnectPtr connection, const char *uuid, const struct learn_options *asking,
                      struct faults *faults, struct domain_report *ret, char *message, size_t size) _must_check_;

/* The memory that the host has to spare, in KiB, caches that can be dropped included; 0: not known. */
uint64_t inventory_free_memory(virConnectPtr connection);

#endif
