/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* While a host is being fenced no agent is tested: it is asked enough. */
#include "coordinator/fence_tests.h"

#include <string.h>

#include "config/fence.h"

#define DAY_US (86400 * USEC_PER_SEC)
/* Where an agent has failed, so that it is soon known that it answers again. */
#define AGAIN_US (3600 * USEC_PER_SEC)

static bool is_under_way(const struct registry *registry)
{
    for (size_t i = 0; i < registry->n_hosts; i++)
        if (registry->hosts[i].fence_test_id != 0)
            return true;
    return false;
}

/* Its agents may be the same, and serve one client at a time. */
static bool is_any_fenced(const struct registry *registry)
{
    for (size_t i = 0; i < registry->n_hosts; i++)
        if (registry->hosts[i].track.state == HOST_FENCING)
            return true;
    return false;
}

/* The daemon's own host is never fenced, and another connection to a host is not needed for it. */
static bool can_be_tested(const struct registry *registry, const struct host *host)
{
    const struct config_fence *fence = &registry->config->fence;

    return fence->is_confirmed && fence_agent_count(fence) > 0 && !host->is_local && host->same_as[0] == '\0';
}

void fence_tests_tick(void *self, struct moment now)
{
    struct registry *registry = self;

    for (size_t i = 0; i < registry->n_hosts; i++) {
        struct host *host = &registry->hosts[i];

        if (host->fence_test_at_us > now.mono_us || !can_be_tested(registry, host))
            continue;
        host->fence_test_at_us = USEC_INFINITY;
        host->wants_fence_test = true;
    }
}

int64_t fence_tests_deadline(const void *self)
{
    const struct registry *registry = self;
    int64_t deadline_us = USEC_INFINITY;

    for (size_t i = 0; i < registry->n_hosts; i++)
        if (can_be_tested(registry, &registry->hosts[i]))
            deadline_us = earlier_us(deadline_us, registry->hosts[i].fence_test_at_us);
    return deadline_us;
}

bool fence_tests_next(void *self, struct action *ret)
{
    struct registry *registry = self;

    if (is_under_way(registry) || is_any_fenced(registry))
        return false;
    for (size_t i = 0; i < registry->n_hosts; i++) {
        struct host *host = &registry->hosts[i];
        struct machine_ref ref = {0};

        if (!host->wants_fence_test)
            continue;
        host->wants_fence_test = false;
        memcpy(ref.hypervisor, host->name, sizeof(ref.hypervisor));
        *ret = registry_new_action(registry, PART_FENCE_TESTS, ACTION_TEST_FENCING, &ref,
                                   fence_time_us(&registry->config->fence));
        host->fence_test_id = ret->id;
        return true;
    }
    return false;
}

static bool has_failing(const struct host *host)
{
    for (size_t i = 0; i < host->fence_tests.count; i++)
        if (!host->fence_tests.all[i].has_succeeded)
            return true;
    return false;
}

void fence_tests_answer(void *self, const struct action *action, const struct action_result *result, struct moment now)
{
    struct host *host = host_find(self, action->target.hypervisor);

    if (host == NULL || host->fence_test_id != action->id)
        return;
    host->fence_test_id = 0;
    host->fence_test_at_us = now.mono_us + (has_failing(host) || result->error < 0 ? AGAIN_US : DAY_US);
}

void fence_tests_configure(struct registry *registry)
{
    for (size_t i = 0; i < registry->n_hosts; i++) {
        fence_log_keep_agents(&registry->hosts[i].fence_tests, &registry->config->fence);
        registry->hosts[i].fence_test_at_us = 0;
    }
}

/* Another plug, or a status that is the exit status of an error: as it is, the host would be taken for fenced. */
static void contradict(const struct host *host, struct fence_report *report)
{
    if (!report->has_succeeded || strcmp(report->answer, "off") != 0 || !host->is_listed)
        return;
    report->has_succeeded = false;
    strcpy(report->answer, "off, and the host answers: another plug is meant, or the agent was called wrongly");
}

void fence_tests_take(struct registry *registry, struct host *host, const struct fence_report *report,
                      struct moment now)
{
    struct fence_report kept = *report;
    int r;

    if (report->call == FENCE_CALL_STATUS) {
        contradict(host, &kept);
        r = fence_log_put(&host->fence_tests, &kept);
    } else {
        kept.attempt = host->track.tries > 0 ? host->track.tries : 1;
        r = fence_log_add(&host->fence_log, &kept);
        host->is_fence_log_changed = true;
    }
    if (r < 0)
        outbox_tell(&registry->outbox, NOTICE_OUT_OF_MEMORY, now, NULL, "no memory to keep what %s said of %s",
                    report->agent, host->name);
}
