/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One course of the world: trouble, then quiet, then the reckoning. */
#include <string.h>

#include "simulation.h"

#define BEGIN_US      (1000 * USEC_PER_SEC)
#define BEGIN_REAL_US (1795359240 * USEC_PER_SEC)
/* After the last incident: faults may go on so long, then no more. */
#define TROUBLE_ENDS_US (20 * USEC_PER_SEC)
#define STEPS_MAX       400000
#define SETTLED_US      (300 * USEC_PER_SEC) /* standbys are warm by then */

static char *all_machines[] = {(char *)"*"};

static struct config make_config(struct simulation *simulation, uint64_t *dice)
{
    static const enum recovery_order orders[] = {ORDER_REPLACEMENT, ORDER_REPLACEMENT, ORDER_REPLACEMENT,
                                                 ORDER_ORIGINAL,    ORDER_ORIGINAL,    ORDER_ORIGINAL_ONLY};
    static const uint32_t shares[] = {0, 0, 300000, 500000};
    static const uint32_t thresholds[] = {300000, 500000, 500000, 700000};

    /* In an initializer, draws have no order: each has a die of its own. */
    uint64_t base = random_next(dice);

    return (struct config){
        .file = (char *)"simulated",
        .state_dir = (char *)"",
        .api_socket = (char *)"",
        .hypervisors = simulation->hypervisors,
        .n_hypervisors = simulation->n_hosts,
        .pool = {.protect = {all_machines, 1}, .standby = {all_machines, 1}},
        .similarity = {.threshold = thresholds[random_below(DIE(base, 1), 4)],
                       .min_coverage = thresholds[random_below(DIE(base, 2), 4)],
                       .rank_by = random_hits(DIE(base, 3), 80) ? RANK_BY_OVERLAP : RANK_BY_SIMILARITY,
                       .environment_weights = {50000, 50000, 0},
                       .resource_weights = (struct config_weight *)feature_weights,
                       .n_resource_weights = n_feature_weights},
        .failure = {.io_error_grace_us = random_between(DIE(base, 4), 2, 10) * USEC_PER_SEC,
                    .watchdog_grace_us = random_between(DIE(base, 5), 2, 10) * USEC_PER_SEC,
                    .reboot_grace_us = random_between(DIE(base, 23), 0, 20) * USEC_PER_SEC,
                    .panic_limit = 3,
                    .panic_window_us = 60 * USEC_PER_SEC,
                    .host_kill_is_failure = true,
                    .heartbeat = {.is_enabled = random_hits(DIE(base, 6), 40),
                                  .interval_us = 10 * USEC_PER_SEC,
                                  .timeout_us = 2 * USEC_PER_SEC,
                                  .misses = 3}},
        .recovery = {.order = orders[random_below(DIE(base, 35), 6)],
                     .call_timeout_us = random_between(DIE(base, 7), 3, 10) * USEC_PER_SEC,
                     .start_timeout_us = random_between(DIE(base, 8), 5, 30) * USEC_PER_SEC,
                     .shutdown_timeout_us = random_between(DIE(base, 34), 5, 30) * USEC_PER_SEC,
                     .settle_us = random_between(DIE(base, 9), 1, 4) * USEC_PER_SEC,
                     .attempts = (unsigned)random_between(DIE(base, 10), 1, 4),
                     .limit = random_hits(DIE(base, 11), 50) ? 3 : 0,
                     .limit_window_us = 600 * USEC_PER_SEC,
                     .quarantine_us = random_hits(DIE(base, 12), 80) ? 120 * USEC_PER_SEC : 0,
                     .retry_for_us = random_hits(DIE(base, 33), 50) ? 900 * USEC_PER_SEC : 0,
                     .late_start_us = 300 * USEC_PER_SEC,
                     .concurrency = (unsigned)random_between(DIE(base, 13), 0, 3),
                     .check_memory = true,
                     .without_intent = random_hits(DIE(base, 14), 70),
                     .intent_timeout_us = 2 * USEC_PER_SEC,
                     .verify = {.level = VERIFY_AUTO,
                                .interval_us = USEC_PER_SEC,
                                .timeout_us = random_between(DIE(base, 15), 5, 20) * USEC_PER_SEC},
                     .brake = {.share = shares[random_below(DIE(base, 16), 4)],
                               .minimum = 3,
                               .window_us = 30 * USEC_PER_SEC},
                     .when_exhausted = random_hits(DIE(base, 17), 40) ? EXHAUSTED_RESTART : EXHAUSTED_ALERT,
                     .restart_attempts = 2,
                     .restart_backoff_us = 2 * USEC_PER_SEC,
                     .history_days = 400},
        .host_timeout_us = random_between(DIE(base, 18), 8, 30) * USEC_PER_SEC,
        .isolation_share = 500000,
        .when_both_run = (enum when_both_run)random_below(DIE(base, 19), 3),
        .fence = {.command = random_hits(DIE(base, 20), 85) ? (char *)"/fence" : NULL,
                  .timeout_us = 10 * USEC_PER_SEC,
                  .retry_us = random_between(DIE(base, 21), 2, 20) * USEC_PER_SEC},
        .discovery = {.resync_interval_us = random_between(DIE(base, 22), 20, 90) * USEC_PER_SEC,
                      .reconnect_max_us = 5 * USEC_PER_SEC},
        .hooks = {.directory = (char *)"", .timeout_us = 5 * USEC_PER_SEC},
    };
}

static void make_configs(struct simulation *simulation)
{
    simulation->configs[0] = make_config(simulation, &simulation->random_world);
    simulation->configs[1] = make_config(simulation, &simulation->random_world);
    for (unsigned i = 0; i < CONFIGS; i++)
        warm_configure(simulation, &simulation->configs[i]);
    for (unsigned i = 0; i < CONFIGS; i++)
        templates_configure(simulation, &simulation->configs[i], random_state(simulation->options->seed, 800 + i));
    for (unsigned i = 0; i < CONFIGS; i++)
        policies_configure(simulation, &simulation->configs[i], random_state(simulation->options->seed, 700 + i));
    simulation->config = &simulation->configs[0];
    simulation->configs[1].when_both_run = simulation->configs[0].when_both_run;
    if (!simulation->options->is_short)
        return;
    simulation->config->host_timeout_us = 5 * USEC_PER_SEC;
    simulation->config->fence.command = (char *)"/fence";
    simulation->config->fence.retry_us = 2 * USEC_PER_SEC;
    simulation->config->when_both_run = BOTH_RUN_STOP_REPLACEMENT;
    simulation->config->similarity.threshold = simulation->config->similarity.min_coverage = 500000;
    simulation->config->recovery.call_timeout_us = 3 * USEC_PER_SEC;
    simulation->config->recovery.start_timeout_us = 5 * USEC_PER_SEC;
    simulation->config->recovery.settle_us = USEC_PER_SEC;
    simulation->config->recovery.attempts = 4;
    simulation->config->recovery.limit = 3;
    simulation->config->recovery.quarantine_us = 0;
    simulation->config->recovery.without_intent = true;
    simulation->config->recovery.brake.share = 0;
    simulation->config->recovery.when_exhausted = EXHAUSTED_ALERT;
    simulation->config->failure.heartbeat.is_enabled = false;
    simulation->config->discovery.resync_interval_us = 20 * USEC_PER_SEC;
}

static void advance_to(struct simulation *simulation, int64_t mono_us)
{
    if (mono_us <= simulation->now.mono_us)
        return;
    simulation->now.real_us += mono_us - simulation->now.mono_us;
    simulation->now.mono_us = mono_us;
}

/* One thing happens, or a tick, or a pump that is due, of equals in this order. False: nothing does before end_us. */
static bool step(struct simulation *simulation, int64_t end_us)
{
    const struct thing *first = agenda_first(simulation);
    int64_t thing_us = first != NULL ? first->at_us : USEC_INFINITY;
    int64_t tick_us = simulation->timer_us, pump_us = simulation->pump_us;
    int64_t input_us = tick_us < thing_us ? tick_us : thing_us;
    struct thing thing;

    if ((pump_us < input_us ? pump_us : input_us) > end_us) {
        advance_to(simulation, end_us);
        return false;
    }
    simulation->result->steps++;
    if (pump_us < input_us) {
        advance_to(simulation, pump_us);
        shell_pump_now(simulation);
    } else if (tick_us < thing_us) {
        advance_to(simulation, tick_us);
        shell_tick(simulation);
    } else {
        thing = agenda_take(simulation);
        advance_to(simulation, thing.at_us);
        thing.happen(simulation, &thing);
    }
    if (simulation->crash_is_due)
        shell_crash(simulation, 300 * USEC_PER_MSEC);
    return true;
}

static void run_until(struct simulation *simulation, int64_t end_us)
{
    unsigned long steps = 0;

    while (!simulation->result->is_violated && step(simulation, end_us))
        if (++steps > STEPS_MAX)
            violate(simulation, "it never comes to rest");
}

static bool is_at_rest(const struct simulation *simulation)
{
    if (simulation->coordinator == NULL)
        return false;
    for (size_t i = 0; i < coordinator_recovery_count(simulation->coordinator); i++)
        if (!recovery_state_is_final(coordinator_recovery(simulation->coordinator, i)->state))
            return false;
    for (unsigned i = 0; i < simulation->n_hosts; i++)
        if (!simulation->hosts[i].is_connected)
            return false;
    for (unsigned i = 0; i < simulation->n_domains; i++)
        if (simulation->domains[i].told_us > simulation->now.mono_us) /* news of it is on its way */
            return false;
    return warm_is_at_rest(simulation) && templates_are_at_rest(simulation) && simulation->pump_us == USEC_INFINITY &&
           simulation->calls == NULL && simulation->disk.waiting == NULL && simulation->disk.batch == NULL;
}

/* Connections are up, faults off, time passes: everything heals now, or never. */
static void come_to_rest(struct simulation *simulation)
{
    int64_t resync_us = simulation->configs[0].discovery.resync_interval_us;
    int64_t end_us;

    if (simulation->configs[1].discovery.resync_interval_us > resync_us)
        resync_us = simulation->configs[1].discovery.resync_interval_us;
    say(simulation, "world    is quiet from now on");
    simulation->is_quiet = true;
    if (simulation->coordinator != NULL)
        holds_release_all(simulation);
    disk_trouble(simulation, false, false);
    for (unsigned i = 0; i < simulation->n_hosts; i++)
        power_mend(simulation, i);
    for (unsigned i = 0; i < simulation->n_domains; i++)
        simulation->domains[i].temper = TEMPER_GOOD;
    /* Nothing is refreshed any more, but what failed is tried again. */
    for (unsigned i = 0; i < CONFIGS; i++)
        simulation->configs[i].standby.refresh_us = 0;
    end_us = simulation->now.mono_us + 1200 * USEC_PER_SEC;
    for (int calm = 0; calm < 3 && simulation->now.mono_us < end_us && !simulation->result->is_violated; calm++) {
        run_until(simulation, simulation->now.mono_us + resync_us + 15 * USEC_PER_SEC);
        if (simulation->coordinator == NULL)
            continue;
        shell_release(simulation);
        holds_release_all(simulation);
        for (unsigned i = 0; i < simulation->n_hosts; i++)
            if (!simulation->hosts[i].is_connected)
                shell_connect_later(simulation, i, 0);
        if (!is_at_rest(simulation))
            calm = 0;
    }
}

static void run_all(struct simulation *simulation)
{
    struct simulation_result *result = simulation->result;

    make_configs(simulation);
    if (simulation->options->foretells) {
        simulation->is_quiet = true;
        for (unsigned i = 0; i < simulation->n_domains; i++)
            simulation->domains[i].temper = TEMPER_GOOD;
    }
    shell_start(simulation);
    if (simulation->options->foretells) {
        run_until(simulation, BEGIN_US + SETTLED_US);
        foretell_run(simulation, run_until);
        return;
    }
    incidents_plan(simulation);
    run_until(simulation, BEGIN_US + result->plan[result->n_incidents - 1].at_us + TROUBLE_ENDS_US);
    if (!result->is_violated)
        come_to_rest(simulation);
    if (!result->is_violated && simulation->coordinator != NULL)
        promises_end(simulation);
}

void simulation_run(const struct simulation_options *options, struct simulation_result *result)
{
    struct simulation *simulation = calloc(1, sizeof(*simulation));
    uint64_t seed = options->seed * UINT64_C(0x9e3779b97f4a7c15) | 1;

    if (simulation == NULL)
        abort();
    *result = (struct simulation_result){.hash = UINT64_C(14695981039346656037)};
    *simulation = (struct simulation){
        .options = options,
        .result = result,
        .now = {.mono_us = BEGIN_US, .real_us = BEGIN_REAL_US},
        .random_world = seed,
        .released_us = INT64_MIN,
        .pump_us = USEC_INFINITY,
        .timer_us = USEC_INFINITY,
        .random_warm = seed ^ UINT64_C(0x5851f42d4c957f2d),
        .random_batches = seed ^ UINT64_C(0x14057b7ef767814f),
    };
    simulation->is_batching = (options->faults & UINT64_C(1) << FAULT_BATCH) != 0 &&
                              (random_hits(&simulation->random_batches, 50) || options->is_short);
    simulation->random_calls = random_next(&simulation->random_world) | 1;
    simulation->random_events = random_next(&simulation->random_world) | 1;
    simulation->random_plan = random_next(&simulation->random_world) | 1;
    world_make(simulation);
    run_all(simulation);

    memcpy(result->places, simulation->places, sizeof(result->places));
    coordinator_free(simulation->coordinator);
    calls_free(simulation);
    disk_free(simulation);
    free(simulation->things);
    free(simulation);
}
