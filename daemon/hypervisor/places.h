/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where the volumes go that are made for a machine from a template: on which base images, in which storage pools, and
 * whether there is room. Blocking questions for worker threads. All is looked at, and nothing is changed but what libvirt
 * knows of a pool, where that may be.
 */
#ifndef UNDERSTUDY_DAEMON_HYPERVISOR_PLACES_H
#define UNDERSTUDY_DAEMON_HYPERVISOR_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libvirt/libvirt.h>

#include "base/cleanup.h"
#include "hypervisor/base_image.h"
#include "hypervisor/pool_space.h"
#include "model/template.h"
#include "protocol/action.h"

/* Of one volume. */
struct place {
    struct base_image base; /* of an overlay; {0}: it is a seed */
    virStoragePoolPtr pool; /* where it is made */
    const char *pool_name;  /* borrowed from it */
    char *name;             /* of the volume; set by who makes it */
};

/* One for each disk of the template, and one for the seed where it has one. Initialise with {0}, end with places_done. */
struct places {
    struct place *all;
    size_t count;
};

void places_done(struct places *places);

/*
 * The storage pools are active, and the base images are there and not empty. Negative errno: result says
 * why. -ENODEV: as for base_image_find; -EINVAL: the template has no place for its seed.
 */
int places_find(virConnectPtr connection, const struct base_image_search *search, const struct template *template,
                struct places *ret, struct action_result *result) _must_check_;
/* This error of places_find says what the places lack; with another one libvirt has not said it. */
bool places_are_lacking(int error);
/* The names of the storage pools, each once. -ENOMEM. */
int places_list_pools(const struct places *places, struct string_list *ret) _must_check_;
/*
 * Refreshes each pool that by what libvirt knows has little more than needed_bytes available, or of which that is not known.
 * See pool_refresh. Negative errno: result says why.
 */
int places_refresh(const struct places *places, virConnectPtr connection, uint64_t needed_bytes,
                   struct action_result *result) _must_check_;
/* Adds what these pools have available, as libvirt knows; those that are known stay as they are. Negative errno: as above. */
int places_measure(const struct places *places, virConnectPtr connection, struct pool_spaces *spaces,
                   struct action_result *result) _must_check_;

#endif
