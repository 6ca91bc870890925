/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The image that a disk of a template stands on: which volume of libvirt's it is. It is looked at, and never changed. */
#ifndef UNDERSTUDY_DAEMON_HYPERVISOR_BASE_IMAGE_H
#define UNDERSTUDY_DAEMON_HYPERVISOR_BASE_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include <libvirt/libvirt.h>

#include "base/cleanup.h"
#include "model/template.h"
#include "protocol/action.h"

/* A plain value: initialise with {0}, end with base_image_done. */
struct base_image {
    virStoragePoolPtr pool;
    virStorageVolPtr volume;
    char *path;
    char *format; /* as QEMU calls it; never NULL once it is found */
    uint64_t capacity_bytes;
};

void base_image_done(struct base_image *image);

/*
 * The pool with this name, which is active; purpose: what it is wanted for, in words. NULL: result says why, as for
 * base_image_find.
 */
virStoragePoolPtr base_image_open_pool(virConnectPtr connection, const char *name, const char *purpose,
                                       struct action_result *result) _must_check_;

/* How images are looked for. */
struct base_image_search {
    bool is_local;    /* paths of the hypervisor are paths of the daemon */
    bool may_refresh; /* the storage pool of one that is not found: see pool_refresh */
};

/*
 * Negative errno: result says why. -ENODEV: it is seen that a storage pool is not there or not active, or that the image is
 * missing or empty; with all others libvirt has not said whether the image is there.
 */
int base_image_find(virConnectPtr connection, const struct base_image_search *search, const struct template_disk *disk,
                    struct base_image *ret, struct action_result *result) _must_check_;

#endif
