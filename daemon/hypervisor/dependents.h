/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What would be broken if volumes were deleted, and is in no definition of a domain. Blocking calls for worker threads. */
#ifndef UNDERSTUDY_DAEMON_HYPERVISOR_DEPENDENTS_H
#define UNDERSTUDY_DAEMON_HYPERVISOR_DEPENDENTS_H

#include <stdbool.h>
#include <stddef.h>

#include <libvirt/libvirt.h>

#include "base/cleanup.h"
#include "model/template_set.h"
#include "protocol/action.h"

/*
 * Another volume of an active storage pool has one of these as its backing file (the XML of a domain that is off does not say
 * so), or a template has it as a base image: -EBUSY, and result says which. Their pools are read anew before: what an operator
 * made beside libvirt is in them. is_local: paths of the hypervisor are paths of the daemon. templates may be NULL. Else as
 * pool_refresh, and -ENOMEM.
 */
int dependents_look_for(virConnectPtr connection, bool is_local, const virStorageVolPtr *volumes, size_t n_volumes,
                        const struct template_set *templates, struct action_result *result) _must_check_;

#endif
