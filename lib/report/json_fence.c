/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What fence agents were asked, as JSON. */
#include <stdlib.h>
#include <string.h>

#include "report/json.h"
#include "report/json_value.h"

static void put_report(struct json_maker *maker, json_t *object, const struct fence_report *report)
{
    json_put(maker, object, "agent", json_text(report->agent));
    json_put(maker, object, "at", json_instant(report->at));
    json_put(maker, object, "took_ms", json_number((double)report->took_us / 1000));
    json_put(maker, object, "succeeded", json_boolean(report->has_succeeded));
    json_put(maker, object, "answer", json_text(report->answer));
}

/* One that is being put in order. */
struct entry {
    const char *host;
    const struct fence_report *report;
};

static int compare(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;

    if (a->report->at.real_us != b->report->at.real_us)
        return a->report->at.real_us > b->report->at.real_us ? -1 : 1;
    return a->report > b->report ? -1 : a->report < b->report;
}

static json_t *entry_value(struct json_maker *maker, const struct entry *entry)
{
    json_t *object = json_object();

    json_put(maker, object, "host", json_text(entry->host));
    json_put(maker, object, "attempt", json_count(entry->report->attempt));
    json_put(maker, object, "level", json_count(entry->report->level));
    json_put(maker, object, "action", json_text(fence_call_name(entry->report->call)));
    put_report(maker, object, entry->report);
    return object;
}

int json_format_fencing(const struct coordinator *coordinator, const char *host, char **ret)
{
    struct json_maker maker = {0};
    size_t n_hosts = coordinator_hypervisor_count(coordinator), n = 0;
    struct entry *entries = calloc(n_hosts * FENCE_LOG_MAX + 1, sizeof(*entries));
    json_t *array = json_array();

    for (size_t i = 0; entries != NULL && i < n_hosts; i++) {
        struct hypervisor_status status = coordinator_hypervisor(coordinator, i);

        for (size_t j = 0; (host == NULL || strcmp(host, status.name) == 0) && j < status.fence_log->count; j++)
            entries[n++] = (struct entry){status.name, &status.fence_log->all[j]};
    }
    if (n > 0)
        qsort(entries, n, sizeof(*entries), compare);
    for (size_t i = 0; i < n; i++)
        json_append(&maker, array, entry_value(&maker, &entries[i]));
    maker.lost |= entries == NULL;
    free(entries);
    return json_finish(&maker, json_list(&maker, "fencing", array), ret);
}

int json_format_fence_tests(const struct coordinator *coordinator, const char *host, const char *agent, char **ret)
{
    struct json_maker maker = {0};
    json_t *object = json_object(), *array = json_array();

    for (size_t i = 0; i < coordinator_hypervisor_count(coordinator); i++) {
        struct hypervisor_status status = coordinator_hypervisor(coordinator, i);

        for (size_t j = 0; strcmp(status.name, host) == 0 && j < status.fence_tests->count; j++) {
            const struct fence_report *report = &status.fence_tests->all[j];
            json_t *tested;

            if (agent != NULL && strcmp(agent, report->agent) != 0)
                continue;
            tested = json_object();
            put_report(&maker, tested, report);
            json_append(&maker, array, tested);
        }
    }
    json_put(&maker, object, "host", json_text(host));
    json_put(&maker, object, "agents", array);
    return json_finish(&maker, object, ret);
}

/* What the body of a test says. */
static const char *take_agent(void *context, const char *name, const json_t *value)
{
    char **agent = context;

    if (strcmp(name, "agent") != 0)
        return "is unknown; a test has \"agent\"";
    if (!json_is_string(value))
        return "is no text";
    free(*agent);
    *agent = strdup(json_string_value(value));
    return *agent != NULL ? NULL : json_out_of_memory;
}

int json_parse_fence_test(const char *text, size_t length, char **ret_agent, char **ret_problem)
{
    return length > 0 ? json_read_members(text, length, take_agent, ret_agent, ret_problem) : 0;
}
