/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks the agent, and tells an agent that is silent from a hypervisor that is. */
#include "hypervisor/agent.h"

#include <errno.h>
#include <stdlib.h>

#include <libvirt/libvirt-qemu.h>
#include <libvirt/virterror.h>

#include "base/moment.h"
#include "hypervisor/translate.h"

int agent_ping(virDomainPtr domain, int64_t timeout_us, char *message, size_t size)
{
    int seconds = timeout_us < 2 * USEC_PER_SEC ? 1 : (int)(timeout_us / USEC_PER_SEC);
    _cleanup_(freep) char *reply = virDomainQemuAgentCommand(domain, "{\"execute\":\"guest-ping\"}", seconds, 0);
    int code, r;

    if (reply != NULL)
        return 0;
    code = virGetLastErrorCode();
    r = translate_last_error(virDomainGetConnect(domain), message, size);
    return r == -EIO && code == VIR_ERR_AGENT_UNRESPONSIVE ? -EAGAIN : r;
}
