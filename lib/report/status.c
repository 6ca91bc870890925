/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Counting what the coordinator knows. Knows no format. */
#include "report/status.h"

#include <errno.h>
#include <stdlib.h>

struct machine_counts status_count_machines(const struct pool *pool)
{
    struct machine_counts counts = {0};

    for (const struct machine *machine = NULL; (machine = pool_next(pool, machine)) != NULL;) {
        enum machine_state state = machine->state;

        counts.total++;
        if (state == MACHINE_RUNNING || state == MACHINE_SUSPENDED)
            counts.running++;
        counts.standby += (machine->roles & ROLE_STANDBY) != 0;
        if ((machine->roles & ROLE_STANDBY) != 0 && (machine_state_is_startable(state) || state == MACHINE_PAUSED))
            counts.standing_by++;
        if ((machine->roles & ROLE_PROTECTED) != 0)
            counts.protected ++;
        counts.warm += machine->keeping == KEEPING_WARM;
        counts.warming += machine->keeping == KEEPING_WARMING || machine->keeping == KEEPING_ENDING;
        counts.resident_kib += machine_rare(machine)->resident_kib;
    }
    return counts;
}

static int count_services(const struct coordinator *coordinator, struct plan *plan, struct service_counts *ret)
{
    _cleanup_(service_list_done) struct service_list services = {0};
    int r = service_list_collect(coordinator, &services);

    if (r < 0)
        return r;
    *ret = service_list_count(&services, plan);
    return 0;
}

int status_collect(const struct coordinator *coordinator, struct plan *plan, struct status *ret)
{
    size_t n = coordinator_hypervisor_count(coordinator);
    struct status status = {
        .coordinator = coordinator,
        .is_ready = coordinator_is_ready(coordinator),
        .is_braked = coordinator_is_braked(coordinator),
        .machines = status_count_machines(coordinator_pool(coordinator)),
        .n_hypervisors = n,
    };
    int r = count_services(coordinator, plan, &status.services);

    if (r < 0)
        return r;
    status.hypervisors = calloc(n > 0 ? n : 1, sizeof(*status.hypervisors));
    if (status.hypervisors == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        status.hypervisors[i] = coordinator_hypervisor(coordinator, i);
    for (size_t i = 0; i < coordinator_recovery_count(coordinator); i++)
        status.recoveries[coordinator_recovery(coordinator, i)->state]++;
    *ret = status;
    return 0;
}

void status_done(struct status *status)
{
    free(status->hypervisors);
    *status = (struct status){0};
}

size_t status_under_way(const struct status *status)
{
    size_t n = 0;

    for (int state = 0; state < RECOVERY_STATE_COUNT; state++)
        if (!recovery_state_is_final((enum recovery_state)state))
            n += status->recoveries[state];
    return n;
}
