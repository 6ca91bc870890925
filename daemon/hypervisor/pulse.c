/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Counters of a guest whose agent is silent. The host counts network packets; QEMU counts disk requests, and tells them
 * on its monitor, which never answers while QEMU is stopped. So QEMU is asked only where it is seen to execute: its CPU
 * time, which the host knows, has grown.
 */
#include "hypervisor/pulse.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <time.h>

#include "base/moment.h"
#include "hypervisor/actions.h"
#include "hypervisor/agent.h"

/* The host counts CPU time in steps of 10 ms, and a busy host lets a busy guest wait. */
#define EXECUTING_LOOKS   5
#define EXECUTING_LOOK_US (200 * USEC_PER_MSEC)

/* The statistics of one domain. */
struct statistics {
    virDomainStatsRecordPtr *records;
};

static void statistics_done(struct statistics *statistics)
{
    if (statistics->records != NULL)
        virDomainStatsRecordListFree(statistics->records);
}

/* Never waits for the monitor where another call has it. */
static int get_statistics(virDomainPtr domain, unsigned which, struct statistics *ret)
{
    virDomainPtr domains[] = {domain, NULL};

    return virDomainListGetStats(domains, which, &ret->records, VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT) < 1 ? -EIO
                                                                                                              : 0;
}

/* The sum of all values whose name matches; false: there is none. */
static bool sum_up(const struct statistics *statistics, const char *pattern, uint64_t *sum)
{
    const virDomainStatsRecord *record = statistics->records[0];
    bool has_any = false;

    for (int i = 0; i < record->nparams; i++) {
        const virTypedParameter *value = &record->params[i];

        if (value->type != VIR_TYPED_PARAM_ULLONG || fnmatch(pattern, value->field, 0) != 0)
            continue;
        *sum += value->value.ul;
        has_any = true;
    }
    return has_any;
}

/* VIR_DOMAIN_STATS_CPU_TOTAL would ask the monitor, too. */
static bool get_cpu_time(virDomainPtr domain, uint64_t *ret_ns)
{
    virDomainInfo info;

    if (virDomainGetInfo(domain, &info) < 0)
        return false;
    *ret_ns = info.cpuTime;
    return true;
}

static bool is_executing(virDomainPtr domain)
{
    const struct timespec pause = {.tv_nsec = EXECUTING_LOOK_US * 1000};
    uint64_t before_ns, after_ns;

    if (!get_cpu_time(domain, &before_ns))
        return false;
    for (int i = 0; i < EXECUTING_LOOKS; i++) {
        nanosleep(&pause, NULL);
        if (!get_cpu_time(domain, &after_ns))
            return false;
        if (after_ns > before_ns)
            return true;
    }
    return false;
}

static bool count_packets(virDomainPtr domain, uint64_t *ret)
{
    _cleanup_(statistics_done) struct statistics statistics = {0};
    bool has_any = false;

    *ret = 0;
    if (get_statistics(domain, VIR_DOMAIN_STATS_INTERFACE, &statistics) < 0)
        return false;
    has_any |= sum_up(&statistics, "net.*.rx.pkts", ret);
    has_any |= sum_up(&statistics, "net.*.tx.pkts", ret);
    return has_any;
}

static bool count_requests(virDomainPtr domain, bool *ret_is_stopped, uint64_t *ret)
{
    _cleanup_(statistics_done) struct statistics statistics = {0};
    bool has_any = false;

    *ret = 0;
    *ret_is_stopped = !is_executing(domain);
    if (*ret_is_stopped || get_statistics(domain, VIR_DOMAIN_STATS_BLOCK, &statistics) < 0)
        return false;
    has_any |= sum_up(&statistics, "block.*.rd.reqs", ret);
    has_any |= sum_up(&statistics, "block.*.wr.reqs", ret);
    return has_any;
}

static void probe(virDomainPtr domain, int64_t timeout_us, struct action_result *result)
{
    struct probe *probe = &result->probe;
    int r = agent_ping(domain, timeout_us, result->message, sizeof(result->message));

    if (r < 0 && r != -EAGAIN) {
        result->error = r;
        return;
    }
    result->message[0] = '\0';
    probe->agent_answered = r == 0;
    if (probe->agent_answered)
        return;
    probe->has_counters = count_packets(domain, &probe->network_packets);
    probe->lacks_disks = !count_requests(domain, &probe->is_stopped, &probe->disk_requests);
    probe->has_counters = probe->has_counters || !probe->lacks_disks;
}

void pulse_take(virConnectPtr connection, const struct action *action, struct action_result *result)
{
    virDomainPtr domain = action_look_up(connection, action->target.uuid, result);

    if (domain == NULL)
        return;
    if (result->state == MACHINE_RUNNING) {
        probe(domain, action->timeout_us, result);
    } else {
        result->error = -EIO;
        snprintf(result->message, sizeof(result->message), "the machine is %s", machine_state_name(result->state));
    }
    virDomainFree(domain);
}
