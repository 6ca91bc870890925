/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the answer of virDomainGetGuestInfo. Failing is normal here: many guests have no agent, or an old one. */
#include "hypervisor/learn.h"

#include <stdio.h>

#include "model/feature.h"

/* Seconds. An inspection waits for this, so it is short. */
#define ANSWER_TIMEOUT 2

void learn_from_agent(virDomainPtr domain, struct domain_description *description)
{
    virTypedParameterPtr parameters = NULL;
    const char *id = NULL, *version = NULL;
    char os[FEATURE_VALUE_MAX + 1];
    int n = 0, length;

    if (virDomainAgentSetResponseTimeout(domain, ANSWER_TIMEOUT, 0) < 0 ||
        virDomainGetGuestInfo(domain, VIR_DOMAIN_GUEST_INFO_OS, &parameters, &n, 0) < 0)
        return;
    if (virTypedParamsGetString(parameters, n, "os.id", &id) > 0) {
        if (virTypedParamsGetString(parameters, n, "os.version-id", &version) > 0)
            length = snprintf(os, sizeof(os), "%s-%s", id, version);
        else
            length = snprintf(os, sizeof(os), "%s", id);
        /* Out of memory: it is learned at the next listing. */
        if (length > 0 && (size_t)length < sizeof(os) && domain_description_learn(description, "os", os) < 0)
            description->has_learned = false;
    }
    virTypedParamsFree(parameters, n);
}
