/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Has libvirt read a storage pool anew. A blocking call for worker threads. */
#ifndef UNDERSTUDY_DAEMON_HYPERVISOR_POOL_REFRESH_H
#define UNDERSTUDY_DAEMON_HYPERVISOR_POOL_REFRESH_H

#include <libvirt/libvirt.h>

#include "base/cleanup.h"
#include "protocol/action.h"

/*
 * The pool is active. Where libvirt cannot read it now, since something is being made in it, what it knows is good enough.
 * Where libvirt deactivates the pool because it cannot read it, it is started again, once, and that is an error; a transient
 * pool is gone then. So this is only done where a machine is made, or where the operator asks. Negative errno: result says why.
 */
int pool_refresh(virConnectPtr connection, virStoragePoolPtr pool, struct action_result *result) _must_check_;

#endif
