/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* In the order in which a failure meets them: protection, the service, a hold, the limit, the mode, the brake. */
#include "coordinator/obstacle.h"

#include <errno.h>
#include <inttypes.h>

#include "base/text.h"
#include "coordinator/services.h"
#include "model/hold.h"

static int describe_limit(const struct registry *registry, const struct machine *machine, struct moment now, char **ret)
{
    const struct config_recovery *config = &registry_config_of(registry, machine)->recovery;
    struct machine_ref original = services_original_of(registry, machine), ref = machine_ref_of(machine);
    unsigned restarts = brake_restarts_spent(registry, &ref, NULL, now);

    if (config->order == ORDER_ORIGINAL_ONLY && restarts >= config->restart_attempts)
        return text_format(ret,
                           "it was itself started again %u times within %" PRId64
                           " s, which is recovery.restart_attempts, and recovery.order is original-only",
                           restarts, config->limit_window_us / USEC_PER_SEC);
    if (config->limit == 0 || brake_budget_spent(registry, &original, NULL, now) < config->limit ||
        (config->order != ORDER_REPLACEMENT && restarts < config->restart_attempts)) {
        *ret = NULL;
        return 0;
    }
    return text_format(ret,
                       "its service was recovered %u times within %" PRId64
                       " s, which is recovery.limit; once it is down: understudyctl recover %s --ignore-limit",
                       config->limit, config->limit_window_us / USEC_PER_SEC,
                       machine->serves != NULL ? machine->serves->name : machine->name);
}

int obstacle_describe(const struct brake *brake, const struct machine *machine, struct moment now, char **ret)
{
    const struct registry *registry = brake->registry;
    int r;

    if (machine->diverted != NULL)
        return text_format(ret, "%s serves in its place", machine->diverted->replacement_name);
    if (!machine_is_protected(machine))
        return text_format(ret, "it is not protected: name it in pool.protect, or give it the role protected");
    if (machine->hold != NULL) {
        _cleanup_(freep) char *why = hold_explain(machine->hold);

        return why != NULL ? text_format(ret, "%s; understudyctl release %s", why, machine->hold->name) : -ENOMEM;
    }
    r = describe_limit(registry, machine, now, ret);
    if (r < 0 || *ret != NULL)
        return r;
    if (registry->config->mode != MODE_AUTOMATIC)
        return text_format(ret,
                           "mode is observe: decisions are told, and not carried out until mode: automatic is set and "
                           "reloaded");
    if (brake->is_on)
        return text_format(ret, "the brake is on: understudyctl release brake");
    *ret = NULL;
    return 0;
}
