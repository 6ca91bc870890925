/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Recoveries that wait for others. Looked at before each choice: nothing of it is kept but what was told. */
#include "coordinator/precedence.h"

#include "config/pattern.h"
#include "coordinator/open_recovery.h"

/* A service that was down for so long when another one failed, was not what that one needed. */
#define TOGETHER_US (10 * USEC_PER_SEC)

/* When the service went down, as far as its recoveries say. */
static int64_t down_us(const struct recovery *recovery)
{
    return moment_has_come(recovery->down_since) ? recovery->down_since.mono_us : recovery->detected.mono_us;
}

/* It goes on, and began with a failure: an operator's order is waited for by none, and waits for none. */
static bool takes_part(const struct recovery *recovery)
{
    return !recovery_state_is_final(recovery->state) && recovery->to_name == NULL;
}

/* 0: by none. */
static unsigned waits_by(const struct registry *registry, const struct recovery *recovery)
{
    const struct policy *policy =
        pool_find_policy(registry->pool, recovery->service.hypervisor, recovery->service_name);

    return policy != NULL ? policy->config->policy.after_entry : 0;
}

/* Nothing is done about it before an operator has seen to its host. */
static bool is_stuck(const struct registry *registry, const struct recovery *recovery)
{
    const struct host *host = host_find(registry, recovery->failed.hypervisor);

    return host != NULL && (host->track.state == HOST_UNFENCED || host->track.state == HOST_ISOLATED);
}

/* policy: of the one that waits. */
static bool is_before(const struct registry *registry, const struct recovery *first, const struct recovery *recovery,
                      const struct config_policy *policy)
{
    return first != recovery && takes_part(first) && !is_stuck(registry, first) &&
           down_us(first) + TOGETHER_US > down_us(recovery) &&
           patterns_match(&policy->after, first->service.hypervisor, first->service_name) &&
           waits_by(registry, first) != policy->after_entry;
}

/* Also one that is not taken up again yet, since its hypervisor has not been heard of. */
static const struct recovery *find_first(const struct registry *registry, const struct recovery *recovery,
                                         const struct config_policy *policy)
{
    if (policy->after.count == 0 || !takes_part(recovery))
        return NULL;
    for (size_t i = 0; i < registry->records.count; i++)
        if (is_before(registry, registry->records.all[i], recovery, policy))
            return registry->records.all[i];
    return NULL;
}

bool precedence_look(struct recoveries *recoveries, struct moment now)
{
    struct registry *registry = recoveries->registry;
    bool is_any_free = false;

    for (size_t i = 0; i < recoveries->n_open; i++) {
        struct open_recovery *open = recoveries->open[i];
        const struct config_policy *policy = &open_recovery_policy(recoveries, open)->config->policy;
        bool is_waiting = open->wants_candidate || open->wants_original;
        const struct recovery *first = is_waiting ? find_first(registry, open->recovery, policy) : NULL;

        if (first != NULL && !open->is_behind)
            outbox_tell_recovery(&registry->outbox, NOTICE_WAITS, now, open->recovery,
                                 "%s waits until %s runs again or its recovery has ended (after, services[%u])",
                                 open->recovery->service_name, first->service_name, policy->after_entry - 1);
        if (open->is_behind && first == NULL) {
            open->free_us = now.mono_us;
            is_any_free = true;
        }
        open->is_behind = first != NULL;
    }
    return is_any_free;
}
