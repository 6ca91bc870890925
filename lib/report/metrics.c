/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One writer function for each metric, listed in a table. Knows no server and keeps no state. */
#include "report/metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

#define ROLES_COUNT 16 /* every combination of the bits of enum machine_role */

/* What the writers read, and where they write. */
struct page {
    FILE *out;
    const struct status *status;
    const struct pool *pool;
    const struct metrics_counters *counters;
    const struct metrics_daemon *daemon;
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
    fputs("\"} 1\n", page->out);
}

static void write_observing(const struct page *page, const char *name)
{
    fprintf(page->out, "%s %d\n", name, strcmp(page->status->mode, "observe") == 0);
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

static size_t count_problems(const struct page *page, enum problem_kind kind)
{
    size_t n = 0;

    for (size_t i = 0; page->status->problems != NULL && i < page->status->problems->count; i++)
        n += page->status->problems->all[i].kind == kind;
    return n;
}

static void write_problems(const struct page *page, const char *name)
{
    for (enum problem_kind kind = 0; kind < PROBLEM_COUNT; kind++)
        fprintf(page->out, "%s{kind=\"%s\",severity=\"%u\"} %zu\n", name, problem_kind_name(kind),
                problem_severity(kind), count_problems(page, kind));
}

static void write_unprotected(const struct page *page, const char *name)
{
    fprintf(page->out, "%s %zu\n", name, count_problems(page, PROBLEM_SERVICE_UNPROTECTED));
}

static void write_quarantined(const struct page *page, const char *name)
{
    fprintf(page->out, "%s %zu\n", name, count_problems(page, PROBLEM_QUARANTINE));
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
    for (enum metrics_outcome outcome = 0; outcome < METRICS_OUTCOME_COUNT; outcome++)
        for (int cause = CAUSE_NONE + 1; cause < CAUSE_COUNT; cause++)
            fprintf(page->out, "%s{outcome=\"%s\",cause=\"%s\"} %" PRIu64 "\n", name, metrics_outcome_name(outcome),
                    failure_cause_name((enum failure_cause)cause), page->counters->recoveries[outcome][cause]);
}

/* label: as "phase=\"start\"", or "". Bounds are written as OpenMetrics wants them, so that both forms are one series. */
static void write_histogram(const struct page *page, const char *name, const char *label,
                            const struct histogram *histogram)
{
    const char *comma = label[0] != '\0' ? "," : "", *open = label[0] != '\0' ? "{" : "",
               *close = label[0] != '\0' ? "}" : "";
    uint64_t total = 0;

    for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++) {
        double bound = seconds(histogram_bound_us(i));

        total += histogram->counts[i];
        fprintf(page->out, "%s_bucket{%s%sle=\"%g%s\"} %" PRIu64 "\n", name, label, comma, bound,
                histogram_bound_us(i) % USEC_PER_SEC == 0 ? ".0" : "", total);
    }
    fprintf(page->out, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", name, label, comma, histogram_total(histogram));
    fprintf(page->out, "%s_sum%s%s%s %.6f\n", name, open, label, close, seconds(histogram->sum_us));
    fprintf(page->out, "%s_count%s%s%s %" PRIu64 "\n", name, open, label, close, histogram_total(histogram));
}

static void write_duration(const struct page *page, const char *name)
{
    write_histogram(page, name, "", &page->counters->durations);
}

static void write_phases(const struct page *page, const char *name)
{
    for (enum course_phase phase = 0; phase < COURSE_PHASE_COUNT; phase++) {
        char label[32];

        snprintf(label, sizeof(label), "phase=\"%s\"", course_phase_name(phase));
        write_histogram(page, name, label, &page->counters->phases[phase]);
    }
}

static void write_outages(const struct page *page, const char *name)
{
    for (enum metrics_reason reason = 0; reason < METRICS_REASON_COUNT; reason++) {
        char label[32];

        snprintf(label, sizeof(label), "reason=\"%s\"", metrics_reason_name(reason));
        write_histogram(page, name, label, &page->counters->outages[reason]);
    }
}

static void write_last_duration(const struct page *page, const char *name)
{
    if (histogram_total(&page->counters->durations) > 0)
        fprintf(page->out, "%s %.6f\n", name, seconds(page->counters->last_duration_us));
}

static void write_fencing(const struct page *page, const char *name)
{
    fprintf(page->out, "%s{outcome=\"fenced\"} %" PRIu64 "\n", name, page->counters->notices[NOTICE_HOST_FENCED]);
    fprintf(page->out, "%s{outcome=\"failed\"} %" PRIu64 "\n", name, page->counters->notices[NOTICE_FENCE_FAILED]);
}

static void write_plan_age(const struct page *page, const char *name)
{
    fprintf(page->out, "%s %.6f\n", name, seconds(page->daemon->plan_age_us));
}

static void write_loop_lag(const struct page *page, const char *name)
{
    write_histogram(page, name, "", &page->counters->loop_lag);
}

static void write_queues(const struct page *page, const char *name)
{
    static const char *const queues[METRICS_QUEUE_COUNT] = {[METRICS_ANSWERS] = "answers",
                                                            [METRICS_CALLS] = "hypervisor-calls",
                                                            [METRICS_PROGRAMS] = "programs",
                                                            [METRICS_ROWS] = "store-rows"};

    for (enum metrics_queue queue = 0; queue < METRICS_QUEUE_COUNT; queue++)
        fprintf(page->out, "%s{queue=\"%s\"} %zu\n", name, queues[queue], page->daemon->queues[queue]);
}

static void write_followers(const struct page *page, const char *name)
{
    fprintf(page->out, "%s %zu\n", name, page->daemon->followers);
}

static void write_store_writes(const struct page *page, const char *name)
{
    fprintf(page->out, "%s %d\n", name, page->daemon->store_writes);
}

static void write_store_errors(const struct page *page, const char *name)
{
    fprintf(page->out, "%s %" PRIu64 "\n", name, page->daemon->store_errors);
}

static void write_overruns(const struct page *page, const char *name)
{
    unsigned long overruns = page->status->coordinator != NULL ? coordinator_overruns(page->status->coordinator) : 0;

    fprintf(page->out, "%s %lu\n", name, overruns);
}

static void write_notices(const struct page *page, const char *name)
{
    for (int kind = 0; kind < NOTICE_COUNT; kind++)
        fprintf(page->out, "%s{kind=\"%s\"} %" PRIu64 "\n", name, notice_kind_name((enum notice_kind)kind),
                page->counters->notices[kind]);
}

enum metric_type {
    METRIC_GAUGE,
    METRIC_COUNTER,
    METRIC_HISTOGRAM,
    METRIC_INFO,
    METRIC_TYPE_COUNT,
};

/* OpenMetrics names a family without the suffix that its samples have; the older form has no type for an info. */
static const struct {
    const char *suffix;
    const char *type[METRICS_FORM_COUNT];
} types[METRIC_TYPE_COUNT] = {
    [METRIC_GAUGE] = {"", {"gauge", "gauge"}},
    [METRIC_COUNTER] = {"_total", {"counter", "counter"}},
    [METRIC_HISTOGRAM] = {"", {"histogram", "histogram"}},
    [METRIC_INFO] = {"_info", {"gauge", "info"}},
};

/* A counter's name ends in _total, that of an info in _info, and both have their unit before that. */
static const struct metric {
    const char *name;
    enum metric_type type;
    const char *unit; /* NULL: none */
    const char *help;
    void (*write)(const struct page *page, const char *name);
} metrics[] = {
    {"understudy_build_info", METRIC_INFO, NULL, "Version of the running daemon.", write_info},
    {"understudy_observing", METRIC_GAUGE, NULL, "Whether mode is observe: nothing is started.", write_observing},
    {"understudy_ready", METRIC_GAUGE, NULL, "Whether every hypervisor has been listed since the start.", write_ready},
    {"understudy_uptime_seconds", METRIC_GAUGE, "seconds", "Time since the daemon started.", write_uptime},
    {"understudy_config_reload_good", METRIC_GAUGE, NULL, "Whether the last reload of the configuration succeeded.",
     write_reload},
    {"understudy_braked", METRIC_GAUGE, NULL, "Whether the brake is on: nothing is started until it is released.",
     write_braked},
    {"understudy_problems", METRIC_GAUGE, NULL, "What is wrong now, by kind; severity 2 is the worse.", write_problems},
    {"understudy_holds", METRIC_GAUGE, NULL, "Holds: by what they are on.", write_holds},
    {"understudy_hypervisor_up", METRIC_GAUGE, NULL, "Whether the hypervisor is connected.", write_hypervisor_up},
    {"understudy_hypervisor_free_memory_bytes", METRIC_GAUGE, "bytes", "Free memory of the host of the hypervisor.",
     write_free_memory},
    {"understudy_host_state", METRIC_GAUGE, NULL, "What is known of the host: 1 for the state it is in.",
     write_host_state},
    {"understudy_host_fence_attempts", METRIC_GAUGE, NULL, "Attempts to fence the host since it was lost.",
     write_fence_attempts},
    {"understudy_fencings_total", METRIC_COUNTER, NULL, "Hosts that were fenced, and attempts to that failed.",
     write_fencing},
    {"understudy_machines", METRIC_GAUGE, NULL, "Machines by hypervisor, state and role.", write_machines},
    {"understudy_machines_quarantined", METRIC_GAUGE, NULL,
     "Standbys that did not come up, and are not started for a while.", write_quarantined},
    {"understudy_services", METRIC_GAUGE, NULL, "Protected services by state.", write_services},
    {"understudy_services_diverted", METRIC_GAUGE, NULL, "Services that a replacement serves.", write_diverted},
    {"understudy_services_unprotected", METRIC_GAUGE, NULL, "Services that are up, and nothing would take over.",
     write_unprotected},
    {"understudy_plan_age_seconds", METRIC_GAUGE, "seconds",
     "Time since it was known last of every service what would take over; 0: it is known.", write_plan_age},
    {"understudy_warm_standbys", METRIC_GAUGE, NULL, "Standbys that are kept warm, and that are on their way.",
     write_warm},
    {"understudy_warm_memory_bytes", METRIC_GAUGE, "bytes", "Host memory that warm standbys take.", write_warm_memory},
    {"understudy_recoveries_under_way", METRIC_GAUGE, NULL, "Recoveries that have not ended.", write_under_way},
    {"understudy_recoveries_total", METRIC_COUNTER, NULL, "Recoveries ended, by outcome and cause.", write_recoveries},
    {"understudy_recovery_duration_seconds", METRIC_HISTOGRAM, "seconds",
     "Detection to verified replacement, without orders.", write_duration},
    {"understudy_recovery_phase_seconds", METRIC_HISTOGRAM, "seconds", "The same recoveries by phase.", write_phases},
    {"understudy_outage_seconds", METRIC_HISTOGRAM, "seconds",
     "How long services were down that are up again, by what took them down.", write_outages},
    {"understudy_last_recovery_duration_seconds", METRIC_GAUGE, "seconds", "Duration of the latest recovery.",
     write_last_duration},
    {"understudy_notices_total", METRIC_COUNTER, NULL, "Notices by kind.", write_notices},
    {"understudy_store_up", METRIC_GAUGE, NULL, "Whether what happens can be written down.", write_store_writes},
    {"understudy_store_errors_total", METRIC_COUNTER, NULL, "Writes that failed, or were not answered in time.",
     write_store_errors},
    {"understudy_queue_length", METRIC_GAUGE, NULL, "What was begun and has not ended, or waits to be begun.",
     write_queues},
    {"understudy_event_stream_followers", METRIC_GAUGE, NULL, "Clients that follow the event stream.", write_followers},
    {"understudy_event_loop_lag_seconds", METRIC_HISTOGRAM, "seconds",
     "How late the event loop was for a timer of every ten seconds.", write_loop_lag},
    {"understudy_overruns_total", METRIC_COUNTER, NULL, "Inputs that led to no end, which is a fault of understudyd.",
     write_overruns},
};

const char *metrics_content_type(enum metrics_form form)
{
    return form == METRICS_OPENMETRICS ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                       : "text/plain; version=0.0.4; charset=utf-8";
}

static void write_metric(const struct page *page, enum metrics_form form, const struct metric *metric)
{
    const char *name = metric->name;
    int length = (int)strlen(name);

    if (form == METRICS_OPENMETRICS)
        length -= (int)strlen(types[metric->type].suffix);
    fprintf(page->out, "# HELP %.*s %s\n# TYPE %.*s %s\n", length, name, metric->help, length, name,
            types[metric->type].type[form]);
    if (form == METRICS_OPENMETRICS && metric->unit != NULL)
        fprintf(page->out, "# UNIT %.*s %s\n", length, name, metric->unit);
    metric->write(page, name);
}

int metrics_format(enum metrics_form form, const struct status *status, const struct pool *pool,
                   const struct metrics_counters *counters, const struct metrics_daemon *daemon, char **ret)
{
    _cleanup_(freep) char *text = NULL;
    size_t size = 0;
    struct page page = {
        .out = open_memstream(&text, &size), .status = status, .pool = pool, .counters = counters, .daemon = daemon};
    bool lost;

    if (page.out == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < ELEMENTS_OF(metrics); i++)
        write_metric(&page, form, &metrics[i]);
    if (form == METRICS_OPENMETRICS)
        fputs("# EOF\n", page.out);
    lost = ferror(page.out) != 0;
    if (fclose(page.out) != 0 || lost)
        return -ENOMEM;
    *ret = steal_pointer(&text);
    return 0;
}
