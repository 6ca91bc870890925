/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libvirt says that a refresh has failed, and not that the pool is inactive for that. */
#include "hypervisor/pool_refresh.h"

#include <libvirt/virterror.h>

#include "hypervisor/refusal.h"

/* The words of libvirt about the refresh are in result. */
static int start_again(virStoragePoolPtr pool, const char *name, struct action_result *result)
{
    if (virStoragePoolCreate(pool, 0) == 0)
        return refusal_say(result, result->error, "%s; that stopped it, and understudyd has started it again",
                           result->message);
    return refusal_say(result, result->error,
                       "%s; that stopped it, and it could not be started again: virsh pool-start %s", result->message,
                       name);
}

int pool_refresh(virConnectPtr connection, virStoragePoolPtr pool, struct action_result *result)
{
    const char *name = virStoragePoolGetName(pool);
    struct action_result failure = {0};
    int is_active;

    if (virStoragePoolRefresh(pool, 0) == 0)
        return 0;
    refusal_quote(&failure, connection, "refreshing the storage pool %s", name);
    is_active = virStoragePoolIsActive(pool);
    if (is_active == 1)
        return 0;
    if (is_active == 0 || virGetLastErrorCode() == VIR_ERR_NO_STORAGE_POOL)
        start_again(pool, name, &failure);
    return refusal_say(result, failure.error, "%s", failure.message);
}
