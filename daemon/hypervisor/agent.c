/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks the agent, and tells an agent that is silent from a hypervisor that is. */
#include "hypervisor/agent.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <libvirt/libvirt-qemu.h>
#include <libvirt/virterror.h>

#include "base/moment.h"
#include "hypervisor/translate.h"
#include "service/clock.h"

/* Between two looks at a program that runs in the guest. */
#define PAUSE_US (200 * 1000)

int agent_ping(virDomainPtr domain, int64_t timeout_us, char *message, size_t size)
{
    virConnectPtr connection = virDomainGetConnect(domain);
    int seconds = timeout_us < 2 * USEC_PER_SEC ? 1 : (int)(timeout_us / USEC_PER_SEC);
    _cleanup_(freep) char *reply = virDomainQemuAgentCommand(domain, "{\"execute\":\"guest-ping\"}", seconds, 0);
    int code, r;

    if (reply != NULL)
        return 0;
    code = virGetLastErrorCode();
    r = translate_last_error(connection, message, size);
    return r == -EIO && code == VIR_ERR_AGENT_UNRESPONSIVE ? -EAGAIN : r;
}

/* An error of the agent is an answer: it does not know the command, must not carry it out, or it failed. */
static bool has_answered(void)
{
    return virGetLastErrorCode() == VIR_ERR_INTERNAL_ERROR;
}

bool agent_talk(virDomainPtr domain, struct interview *interview, int timeout_s, int64_t until_us)
{
    const char *command;

    while (clock_now().mono_us < until_us)
        switch (interview_next(interview, &command)) {
        case INTERVIEW_SEND: {
            _cleanup_(freep) char *answer = virDomainQemuAgentCommand(domain, command, timeout_s, 0);

            if (answer == NULL && !has_answered())
                return false;
            interview_answer(interview, answer);
            break;
        }
        case INTERVIEW_WAIT:
            usleep(PAUSE_US);
            break;
        case INTERVIEW_END:
            return interview_was_possible(interview);
        }
    return false;
}
