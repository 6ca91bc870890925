/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Talks to a guest agent. Failing is normal here: many guests have no agent, or an old one. */
#include "hypervisor/learn.h"

#include <stdlib.h>
#include <unistd.h>

#include <libvirt/libvirt-qemu.h>
#include <libvirt/virterror.h>

#include "base/moment.h"
#include "discovery/interview.h"
#include "hypervisor/agent.h"
#include "service/clock.h"

/* Seconds that the agent has for each command. */
#define ANSWER_TIMEOUT 5
/* Between two looks at a program that runs in the guest. */
#define PAUSE_US (200 * 1000)

/* An error of the agent is an answer: it does not know the command, must not carry it out, or it failed. */
static bool has_answered(void)
{
    return virGetLastErrorCode() == VIR_ERR_INTERNAL_ERROR;
}

/* False: the agent is silent, or its time is over. */
static bool talk(virDomainPtr domain, struct interview *interview, int64_t until_us)
{
    const char *command;

    while (clock_now().mono_us < until_us)
        switch (interview_next(interview, &command)) {
        case INTERVIEW_SEND: {
            _cleanup_(freep) char *answer = virDomainQemuAgentCommand(domain, command, ANSWER_TIMEOUT, 0);

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

bool learn_from_agent(virDomainPtr domain, const struct learn_options *options, struct feature_texts *ret,
                      bool *ret_is_partial)
{
    _cleanup_(interview_freep) struct interview *interview = NULL;

    if (options->catalog == NULL || interview_new(options->catalog, options->software, &interview) < 0)
        return false;
    /* The last command may take as long as AGENT_EXTRA_US says, and the domain is described after it. */
    if (!talk(domain, interview, clock_now().mono_us + options->timeout_us - AGENT_EXTRA_US))
        return false;
    *ret_is_partial = !interview_is_complete(interview);
    if (guest_conclude(interview_guest(interview), ret) < 0) {
        feature_texts_done(ret);
        return false;
    }
    return true;
}
