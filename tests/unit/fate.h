/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What came of a service, foretold or in truth: plain, so that it goes through a pipe from a copy of the process. */
#ifndef UNDERSTUDY_TESTS_FATE_H
#define UNDERSTUDY_TESTS_FATE_H

#include "workflow/recovery.h"

struct fate {
    struct machine_ref service, replacement;
    enum recovery_state state;
    bool was_dealt_with;
};

/* recovery: by which the service was dealt with; NULL: by none. */
static inline struct fate fate_of(const struct recovery *recovery, const struct machine_ref *service)
{
    struct fate fate = {.service = *service, .was_dealt_with = recovery != NULL};

    if (recovery == NULL)
        return fate;
    fate.state = recovery->state;
    if (recovery->state == RECOVERY_RECOVERED)
        fate.replacement = recovery->replacement;
    return fate;
}

#endif
