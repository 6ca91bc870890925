/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Failing is normal here: many guests have no agent, or an old one. */
#include "hypervisor/learn.h"

#include <stdlib.h>

#include "base/moment.h"
#include "discovery/interview.h"
#include "hypervisor/agent.h"
#include "service/clock.h"

/* Seconds that the agent has for each command. */
#define ANSWER_TIMEOUT 5

bool learn_from_agent(virDomainPtr domain, const struct learn_options *options, struct learned *ret)
{
    _cleanup_(interview_freep) struct interview *interview = NULL;

    if (options->catalog == NULL || interview_new(options->catalog, options->software, &interview) < 0)
        return false;
    /* The last command may take as long as AGENT_EXTRA_US says, and the domain is described after it. */
    if (!agent_talk(domain, interview, ANSWER_TIMEOUT, clock_now().mono_us + options->timeout_us - AGENT_EXTRA_US))
        return false;
    if (guest_conclude(interview_guest(interview), &ret->features) < 0) {
        learned_done(ret);
        return false;
    }
    ret->is_partial = !interview_is_complete(interview);
    ret->lack = interview_lack(interview);
    return true;
}
