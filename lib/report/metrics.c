/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One writer function for each metric, listed in a table. Knows no server and keeps no state. */
#include "report/metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

#define ROLES_COUNT 16 /* every combination of the bits of enum machine_role */

static const struct outcome {
    enum notice_kind notice;
    enum recovery_state state;
} outcomes[METRICS_OUTCOME_COUNT] = {
    [METRICS_RECOVERED] = {NOTICE_RECOVERED, RECOVERY_RECOVERED},
    [METRICS_EXHAUSTED] = {NOTICE_EXHAUSTED, RECOVERY_EXHAUSTED},
    [METRICS_DISMISSED] = {NOTICE_DISMISSED, RECOVERY_DISMISSED},
    [METRICS_OBSERVED] = {NOTICE_OBSERVED, RECOVERY_OBSERVED},
    [METRICS_CALLED_OFF] = {NOTICE_CALLED_OFF, RECOVERY_CALLED_OFF},
    [METRICS_HELD] = {NOTICE_FAILED_WHILE_HELD, RECOVERY_HELD},
};

void metrics_count(struct metrics_counters *counters, const struct notice *notice)
{
    counters->notices[notice->kind]++;
    for (size_t i = 0; i < METRICS_OUTCOME_COUNT; i++)
        if (outcomes[i].notice == notice->kind)
            counters->recoveries[i][notice->cause]++;
    /* How long the service was down is not how long a failover took. */
    if (notice->kind == NOTICE_RECOVERED && notice->duration_us >= 0 && notice->cause != CAUSE_FAILOVER &&
        notice->cause != CAUSE_FAILBACK) {
        counters->timed++;
        counters->duration_sum_us += notice->duration_us;
        counters->last_duration_us = notice->duration_us;
    }
}

/* What the writers read, and where they write. */
struct page {
    FILE *out;
    const struct status *status;
    const struct pool *pool;
    const struct metrics_counters *counters;
};

static double seconds(int64_t us)
{
    return (double)us / (double)USEC_PER_SEC;
}

/* A label's value between its quotes: backslash, quote and newline are escaped, invalid UTF-8 is replaced. */
static void write_label(FILE *out, const char *value)
{
    while (*value != '\0') {
        uint32_t character;
        size_t length = utf8_decode(value, &character);

        if (*value == '\n')
            fputs("\\n", out);
        else if (*value == '\\' || *value == '"')
            fprintf(out, "\\%c", *value);
        else if (character == UTF8_REPLACEMENT)
            fputs("\xef\xbf\xbd", out);
        else
            fwrite(value, 1, length, out);
        value += length;
    }
}

static void write_info(const struct page *page, const char *name)
{
    fprintf(page->out, "%s{version=\"", name);
    write_label(page->out, page->status->version);
    fputs("\",mode=\"", page->out);
    write_label(page->out, page->status->mode);
    fputs("\"} 1\n", page->out);
}

static void write_ready(const struct page *page, const char *name)
{
    fprintf(page->out, "%s %d\n", name, page->status->is_ready);
}

static void write_braked(const struct page *page, const char *name)
{
    fprintf(page->out, "%s %d\n", name, page->status->is_braked);
}

static void write_holds(const struct page *page, const char *name)
{
    size_t counts[HOLD_SCOPE_COUNT] = {0};

    for (size_t i = 0; page->status->coordinator != NULL && i < coordinator_hold_count(page->status->coordinator);
         i++) {
        const struct hold *hold = coordinator_hold_at(page->status->coordinator, i);

        counts[hold->scope] += !hold->is_over;
    }
    for (enum hold_scope scope = 0; scope < HOLD_SCOPE_COUNT; scope++)
        fprintf(page->out, "%s{scope=\"%s\"} %zu\n", name, hold_scope_name(scope), counts[scope]);
}

static void write_problems(const struct page *page, const char *name)
{
    size_t counts[PROBLEM_COUNT] = {0};

    for (size_t i = 0; page->status->problems != NULL && i < page->status->problems->count; i++)
        counts[page->status->problems->all[i].kind]++;
    for (int kind = 0; kind < PROBLEM_COUNT; kind++)
        fprintf(page->out, "%s{kind=\"%s\",severity=\"%u\"} %zu\n", name, problem_kind_name((enum problem_kind)kind),
                problem_severity((enum problem_kind)kind), counts[kind]);
}

static void write_uptime(const struct page *page, const char *name)
{
    fprintf(page->out, "%s %.3f\n", name, seconds(page->status->uptime_us));
}

static void write_reload(const struct page *page, const char *name)
{
    fprintf(page->out, "%s %d\n", name, page->status->reload_error == NULL);
}

static void write_hypervisor_up(const struct page *page, const char *name)
{
    for (size_t i = 0; i < page->status->n_hypervisors; i++) {
        fprintf(page->out, "%s{hypervisor=\"", name);
        write_label(page->out, page->status->hypervisors[i].name);
        fprintf(page->out, "\"} %d\n", page->status->hypervisors[i].is_connected);
    }
}

static void write_host_state(const struct page *page, const char *name)
{
    for (size_t i = 0; i < page->status->n_hypervisors; i++)
        for (int state = 0; state < HOST_STATE_COUNT && page->status->hypervisors[i].host != NULL; state++) {
            fprintf(page->out, "%s{hypervisor=\"", name);
            write_label(page->out, page->status->hypervisors[i].name);
            fprintf(page->out, "\",state=\"%s\"} %d\n", host_state_name((enum host_state)state),
                    page->status->hypervisors[i].host->state == (enum host_state)state);
        }
}

static void write_fence_attempts(const struct page *page, const char *name)
{
    for (size_t i = 0; i < page->status->n_hypervisors; i++) {
        if (page->status->hypervisors[i].host == NULL)
            continue;
        fprintf(page->out, "%s{hypervisor=\"", name);
        write_label(page->out, page->status->hypervisors[i].name);
        fprintf(page->out, "\"} %u\n", page->status->hypervisors[i].host->tries);
    }
}

static void write_free_memory(const struct page *page, const char *name)
{
    for (size_t i = 0; i < page->status->n_hypervisors; i++) {
        const struct hypervisor_status *hypervisor = &page->status->hypervisors[i];

        if (hypervisor->free_memory_kib == 0)
            continue;
        fprintf(page->out, "%s{hypervisor=\"", name);
        write_label(page->out, hypervisor->name);
        fprintf(page->out, "\"} %" PRIu64 "\n", hypervisor->free_memory_kib * 1024);
    }
}

static void count_machines(const struct page *page, const char *hypervisor,
                           uint64_t counts[MACHINE_STATE_COUNT][ROLES_COUNT])
{
    for (const struct machine *machine = NULL; (machine = pool_next(page->pool, machine)) != NULL;)
        if (strcmp(machine->hypervisor, hypervisor) == 0)
            counts[machine->state][machine->roles % ROLES_COUNT]++;
}

/* Combinations that no machine has now are left out: there are too many of them to write zeros. */
static void write_machines(const struct page *page, const char *name)
{
    for (size_t i = 0; i < page->status->n_hypervisors; i++) {
        uint64_t counts[MACHINE_STATE_COUNT][ROLES_COUNT] = {0};

        count_machines(page, page->status->hypervisors[i].name, counts);
        for (int state = 0; state < MACHINE_STATE_COUNT; state++) {
            for (unsigned roles = 0; roles < ROLES_COUNT; roles++) {
                if (counts[state][roles] == 0)
                    continue;
                fprintf(page->out, "%s{hypervisor=\"", name);
                write_label(page->out, page->status->hypervisors[i].name);
                fprintf(page->out, "\",state=\"%s\",role=\"%s\"} %" PRIu64 "\n",
                        machine_state_name((enum machine_state)state), machine_roles_name(roles), counts[state][roles]);
            }
        }
    }
}

static void write_services(const struct page *page, const char *name)
{
    for (int state = 0; state < SERVICE_STATE_COUNT; state++)
        fprintf(page->out, "%s{state=\"%s\"} %zu\n", name, service_state_name((enum service_state)state),
                page->status->services.by_state[state]);
}

static void write_diverted(const struct page *page, const char *name)
{
    fprintf(page->out, "%s %zu\n", name, page->status->services.diverted);
}

static void write_warm(const struct page *page, const char *name)
{
    fprintf(page->out, "%s{keeping=\"warm\"} %zu\n", name, page->status->machines.warm);
    fprintf(page->out, "%s{keeping=\"warming\"} %zu\n", name, page->status->machines.warming);
}

static void write_warm_memory(const struct page *page, const char *name)
{
    fprintf(page->out, "%s %" PRIu64 "\n", name, page->status->machines.resident_kib * 1024);
}

static void write_under_way(const struct page *page, const char *name)
{
    fprintf(page->out, "%s %zu\n", name, status_under_way(page->status));
}

static void write_recoveries(const struct page *page, const char *name)
{
    for (size_t i = 0; i < METRICS_OUTCOME_COUNT; i++)
        for (int cause = CAUSE_NONE + 1; cause < CAUSE_COUNT; cause++)
            fprintf(page->out, "%s{outcome=\"%s\",cause=\"%s\"} %" PRIu64 "\n", name,
                    recovery_state_name(outcomes[i].state), failure_cause_name((enum failure_cause)cause),
                    page->counters->recoveries[i][cause]);
}

static void write_duration(const struct page *page, const char *name)
{
    fprintf(page->out, "%s_sum %.6f\n", name, seconds(page->counters->duration_sum_us));
    fprintf(page->out, "%s_count %" PRIu64 "\n", name, page->counters->timed);
}

static void write_last_duration(const struct page *page, const char *name)
{
    if (page->counters->timed > 0)
        fprintf(page->out, "%s %.6f\n", name, seconds(page->counters->last_duration_us));
}

static void write_notices(const struct page *page, const char *name)
{
    for (int kind = 0; kind < NOTICE_COUNT; kind++)
        fprintf(page->out, "%s{kind=\"%s\"} %" PRIu64 "\n", name, notice_kind_name((enum notice_kind)kind),
                page->counters->notices[kind]);
}

static const struct metric {
    const char *name;
    const char *type;
    const char *help;
    void (*write)(const struct page *page, const char *name);
} metrics[] = {
    {"understudy_info", "gauge", "Version and mode of the running daemon.", write_info},
    {"understudy_ready", "gauge", "Whether every hypervisor has been listed since the start.", write_ready},
    {"understudy_braked", "gauge", "Whether the brake is on: nothing is started until it is released.", write_braked},
    {"understudy_problems", "gauge", "What is wrong now, by kind; severity 2 is the worse.", write_problems},
    {"understudy_holds", "gauge", "Holds: by what they are on.", write_holds},
    {"understudy_uptime_seconds", "gauge", "Time since the daemon started.", write_uptime},
    {"understudy_config_reload_good", "gauge", "Whether the last reload of the configuration succeeded.", write_reload},
    {"understudy_hypervisor_up", "gauge", "Whether the hypervisor is connected.", write_hypervisor_up},
    {"understudy_host_state", "gauge", "What is known of the host: 1 for the state it is in.", write_host_state},
    {"understudy_host_fence_attempts", "gauge", "Attempts to fence the host since it was lost.", write_fence_attempts},
    {"understudy_hypervisor_free_memory_bytes", "gauge", "Free memory of the hypervisor's host.", write_free_memory},
    {"understudy_machines", "gauge", "Machines by hypervisor, state and role.", write_machines},
    {"understudy_services", "gauge", "Protected services by state.", write_services},
    {"understudy_services_diverted", "gauge", "Services that a replacement serves.", write_diverted},
    {"understudy_warm_standbys", "gauge", "Standbys that are kept warm, and that are on their way.", write_warm},
    {"understudy_warm_memory_bytes", "gauge", "Host memory that warm standbys take.", write_warm_memory},
    {"understudy_recoveries_under_way", "gauge", "Recoveries that have not ended.", write_under_way},
    {"understudy_recoveries_total", "counter", "Recoveries ended, by outcome and cause.", write_recoveries},
    {"understudy_recovery_duration_seconds", "summary", "Detection to verified replacement.", write_duration},
    {"understudy_last_recovery_duration_seconds", "gauge", "Duration of the latest recovery.", write_last_duration},
    {"understudy_notices_total", "counter", "Notices by kind.", write_notices},
};

int metrics_format(const struct status *status, const struct pool *pool, const struct metrics_counters *counters,
                   char **ret)
{
    _cleanup_(freep) char *text = NULL;
    size_t size = 0;
    struct page page = {.out = open_memstream(&text, &size), .status = status, .pool = pool, .counters = counters};
    bool lost;

    if (page.out == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < ELEMENTS_OF(metrics); i++) {
        fprintf(page.out, "# HELP %s %s\n# TYPE %s %s\n", metrics[i].name, metrics[i].help, metrics[i].name,
                metrics[i].type);
        metrics[i].write(&page, metrics[i].name);
    }
    lost = ferror(page.out) != 0;
    if (fclose(page.out) != 0 || lost)
        return -ENOMEM;
    *ret = steal_pointer(&text);
    return 0;
}
