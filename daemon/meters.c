/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A timer shows by its lateness how long other inputs of the event loop have to wait. */
#include "meters.h"

#include <errno.h>
#include <event2/event.h>

#include "answers.h"
#include "api/api.h"
#include "board.h"
#include "coordinator/coordinator.h"
#include "nodes.h"
#include "persistence.h"
#include "programs.h"
#include "service/clock.h"
#include "service/timing.h"
#include "settings.h"

/* Seldom: an idle daemon is to let its host sleep. */
#define TICK_US (10 * USEC_PER_SEC)

static void arm(struct meters *meters)
{
    meters->due_us = timing_wait_for_tick(meters->tick, TICK_US);
}

static void on_tick(evutil_socket_t fd, short what, void *context)
{
    struct meters *meters = context;
    struct moment now = clock_now();

    (void)fd;
    (void)what;
    histogram_add(&meters->counters.loop_lag, now.mono_us - meters->due_us);
    if (coordinator_plan_so_far(meters->coordinator, now) != NULL)
        meters->planned_us = now.mono_us;
    event_active(meters->pump, 0, 0);
    arm(meters);
}

int meters_open(struct meters *meters, struct event_base *base)
{
    meters->planned_us = meters->started.mono_us;
    meters->tick = evtimer_new(base, on_tick, meters);
    if (meters->tick == NULL)
        return -ENOMEM;
    arm(meters);
    return 0;
}

void meters_count(struct meters *meters, const struct notice *notice)
{
    metrics_count(&meters->counters, notice, coordinator_find_recovery(meters->coordinator, notice->recovery_id));
}

static struct metrics_daemon describe(const struct meters *meters, struct moment now)
{
    return (struct metrics_daemon){
        .queues = {[METRICS_ANSWERS] = answers_count(meters->answers),
                   [METRICS_CALLS] = nodes_call_count(meters->nodes),
                   [METRICS_PROGRAMS] = programs_count(meters->programs),
                   [METRICS_ROWS] = persistence_count(meters->persistence)},
        .followers = api_follower_count(meters->api),
        .store_writes = meters->persistence->trouble == NULL,
        .store_errors = meters->persistence->n_failed,
        .plan_age_us = coordinator_plan_so_far(meters->coordinator, now) != NULL ? 0 : now.mono_us - meters->planned_us,
    };
}

int meters_collect_status(const struct meters *meters, struct plan *plan, struct status *ret)
{
    int r = status_collect(meters->coordinator, plan, ret);

    if (r < 0)
        return r;
    ret->version = UNDERSTUDY_VERSION;
    ret->mode = settings_mode(meters->settings);
    ret->config_file = meters->settings->config->file;
    ret->reload_error = meters->settings->reload_error;
    ret->uptime_us = clock_now().mono_us - meters->started.mono_us;
    ret->problems = &meters->board->problems;
    return 0;
}

int meters_format(const struct meters *meters, enum metrics_form form, char **ret)
{
    struct metrics_daemon daemon = describe(meters, clock_now());
    struct status status = {0};
    int r = meters_collect_status(meters, NULL, &status);

    if (r == 0)
        r = metrics_format(form, &status, coordinator_pool(meters->coordinator), &meters->counters, &daemon, ret);
    status_done(&status);
    return r;
}

void meters_done(struct meters *meters)
{
    if (meters->tick != NULL)
        event_free(meters->tick);
    meters->tick = NULL;
}
