/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Status, notices, and the small answers as JSON. Reads no clock and changes nothing. */
#include "report/json.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "report/json_value.h"

static json_t *hypervisor_value(struct json_maker *maker, const struct hypervisor_status *hypervisor)
{
    json_t *object = json_object();

    json_put(maker, object, "name", json_text(hypervisor->name));
    json_put(maker, object, "uri", json_text(hypervisor->uri));
    json_put(maker, object, "connected", json_boolean(hypervisor->is_connected));
    json_put(maker, object, "listed", json_boolean(hypervisor->is_listed));
    json_put(maker, object, "machines", json_count(hypervisor->machines));
    json_put(maker, object, "free_memory_bytes", json_count(hypervisor->free_memory_kib * BYTES_PER_KIB));
    json_put(maker, object, "trouble", json_text(hypervisor->trouble));
    json_put(maker, object, "local", json_boolean(hypervisor->is_local));
    json_put(maker, object, "same_as", json_text(hypervisor->same_as));
    json_put_host(maker, object, hypervisor->host);
    return object;
}

static json_t *machine_counts_value(struct json_maker *maker, const struct machine_counts *counts)
{
    json_t *object = json_object();

    json_put(maker, object, "total", json_count(counts->total));
    json_put(maker, object, "running", json_count(counts->running));
    json_put(maker, object, "standby", json_count(counts->standby));
    json_put(maker, object, "standing_by", json_count(counts->standing_by));
    json_put(maker, object, "protected", json_count(counts->protected));
    json_put(maker, object, "warm", json_count(counts->warm));
    json_put(maker, object, "warming", json_count(counts->warming));
    json_put(maker, object, "warm_resident_bytes", json_count(counts->resident_kib * BYTES_PER_KIB));
    return object;
}

static json_t *service_counts_value(struct json_maker *maker, const struct service_counts *counts)
{
    json_t *object = json_object();

    for (int state = 0; state < SERVICE_STATE_COUNT; state++)
        json_put(maker, object, service_state_name((enum service_state)state), json_count(counts->by_state[state]));
    json_put(maker, object, "diverted", json_count(counts->diverted));
    json_put(maker, object, "without_next", json_count(counts->without_next));
    return object;
}

static json_t *recovery_counts_value(struct json_maker *maker, const struct status *status)
{
    json_t *object = json_object();

    json_put(maker, object, "under_way", json_count(status_under_way(status)));
    for (int i = 0; i < RECOVERY_STATE_COUNT; i++) {
        enum recovery_state state = (enum recovery_state)i;

        if (recovery_state_is_final(state))
            json_put(maker, object, recovery_state_name(state), json_count(status->recoveries[i]));
    }
    return object;
}

static json_t *problem_value(struct json_maker *maker, const struct problem *problem)
{
    json_t *object = json_object();

    json_put(maker, object, "kind", json_text(problem_kind_name(problem->kind)));
    json_put(maker, object, "severity", json_integer(problem_severity(problem->kind)));
    json_put(maker, object, "subject", json_text(problem->subject[0] != '\0' ? problem->subject : NULL));
    json_put(maker, object, "since", json_instant(problem->since));
    json_put(maker, object, "text", json_text(problem->text));
    json_put(maker, object, "remedy", json_text(problem->remedy));
    return object;
}

json_t *json_problems(struct json_maker *maker, const struct problems *problems)
{
    json_t *array = json_array();

    for (size_t i = 0; problems != NULL && i < problems->count; i++)
        json_append(maker, array, problem_value(maker, &problems->all[i]));
    return array;
}

int json_format_problem(const struct problem *problem, char **ret)
{
    struct json_maker maker = {0};

    return json_finish(&maker, problem_value(&maker, problem), ret);
}

int json_format_problems(const struct problems *problems, char **ret)
{
    struct json_maker maker = {0};

    return json_finish(&maker, json_list(&maker, "problems", json_problems(&maker, problems)), ret);
}

static int add_sentence(const json_t *problem, struct string_list *ret)
{
    const char *text = json_string_value(json_object_get(problem, "text"));
    const char *remedy = json_string_value(json_object_get(problem, "remedy"));
    _cleanup_(freep) char *sentence = text != NULL && remedy != NULL ? text_print("%s; %s", text, remedy) : NULL;

    if (text == NULL || remedy == NULL)
        return -EINVAL;
    return sentence != NULL ? string_list_add(ret, sentence) : -ENOMEM;
}

int json_parse_problems(const char *text, size_t length, struct string_list *ret)
{
    json_t *document = json_loadb(text, length, 0, NULL);
    const json_t *problems = json_object_get(document, "problems");
    int r = json_is_array(problems) ? 0 : -EINVAL;

    for (size_t i = 0; r == 0 && i < json_array_size(problems); i++)
        r = add_sentence(json_array_get(problems, i), ret);
    json_decref(document);
    return r;
}

json_t *json_hypervisors(struct json_maker *maker, const struct coordinator *coordinator)
{
    json_t *array = json_array();

    for (size_t i = 0; i < coordinator_hypervisor_count(coordinator); i++) {
        struct hypervisor_status hypervisor = coordinator_hypervisor(coordinator, i);

        json_append(maker, array, hypervisor_value(maker, &hypervisor));
    }
    return array;
}

int json_format_hypervisors(const struct coordinator *coordinator, char **ret)
{
    struct json_maker maker = {0};

    return json_finish(&maker, json_list(&maker, "hypervisors", json_hypervisors(&maker, coordinator)), ret);
}

int json_format_status(const struct status *status, char **ret)
{
    struct json_maker maker = {0};
    json_t *object = json_object(), *hypervisors = json_array();

    for (size_t i = 0; i < status->n_hypervisors; i++)
        json_append(&maker, hypervisors, hypervisor_value(&maker, &status->hypervisors[i]));
    json_put(&maker, object, "version", json_text(status->version));
    json_put(&maker, object, "mode", json_text(status->mode));
    json_put(&maker, object, "ready", json_boolean(status->is_ready));
    json_put(&maker, object, "braked", json_boolean(status->is_braked));
    json_put(&maker, object, "problems", json_problems(&maker, status->problems));
    json_put(&maker, object, "holds", json_holds(&maker, status->coordinator));
    json_put(&maker, object, "uptime_ms", json_number((double)status->uptime_us / (double)USEC_PER_MSEC));
    json_put(&maker, object, "config_file", json_text(status->config_file));
    json_put(&maker, object, "reload_error", json_text(status->reload_error));
    json_put(&maker, object, "hypervisors", hypervisors);
    json_put(&maker, object, "machines", machine_counts_value(&maker, &status->machines));
    json_put(&maker, object, "services", service_counts_value(&maker, &status->services));
    json_put(&maker, object, "recoveries", recovery_counts_value(&maker, status));
    return json_finish(&maker, object, ret);
}

static const char *non_empty(const char *text)
{
    return text != NULL && text[0] != '\0' ? text : NULL;
}

int json_format_notice(const struct notice *notice, char **ret)
{
    bool has_cause = notice->cause != CAUSE_NONE;
    bool has_replacement = notice->replacement != NULL;
    bool has_duration = notice->duration_us >= 0;
    struct json_maker maker = {0};
    json_t *object = json_object();

    json_put(&maker, object, "kind", json_text(notice_kind_name(notice->kind)));
    json_put(&maker, object, "at", json_instant(notice->at));
    json_put(&maker, object, "machine", json_text(notice->machine_name));
    json_put(&maker, object, "hypervisor", json_text(non_empty(notice->machine.hypervisor)));
    json_put(&maker, object, "uuid", json_text(non_empty(notice->machine.uuid)));
    json_put(&maker, object, "recovery", json_text(non_empty(notice->recovery_id)));
    json_put(&maker, object, "cause", json_text(has_cause ? failure_cause_name(notice->cause) : NULL));
    json_put(&maker, object, "replacement", json_text(notice->replacement));
    json_put(&maker, object, "warmth", json_text(notice->warmth));
    json_put(&maker, object, "similarity", has_replacement ? json_number(notice->similarity) : json_null());
    json_put(&maker, object, "coverage", has_replacement ? json_number(notice->coverage) : json_null());
    json_put(&maker, object, "overlap", has_replacement ? json_number(notice->overlap) : json_null());
    json_put(&maker, object, "duration_ms",
             has_duration ? json_number((double)notice->duration_us / (double)USEC_PER_MSEC) : json_null());
    json_put(&maker, object, "text", json_text(notice->text));
    return json_finish(&maker, object, ret);
}

int json_format_error(const char *error, const char *hint, char **ret)
{
    struct json_maker maker = {0};
    json_t *object = json_object();

    json_put(&maker, object, "error", json_text(error));
    if (hint != NULL)
        json_put(&maker, object, "hint", json_text(hint));
    return json_finish(&maker, object, ret);
}

int json_format_done(const char *machine, const char *message, char **ret)
{
    struct json_maker maker = {0};
    json_t *object = json_object();

    json_put(&maker, object, "machine", json_text(machine));
    json_put(&maker, object, "message", json_text(non_empty(message)));
    return json_finish(&maker, object, ret);
}

int json_format_released(bool was_there, char **ret)
{
    struct json_maker maker = {0};
    json_t *object = json_object();

    json_put(&maker, object, "released", json_boolean(was_there));
    return json_finish(&maker, object, ret);
}

int json_format_reload(const char *needs_restart, char **ret)
{
    struct json_maker maker = {0};
    json_t *object = json_object();

    json_put(&maker, object, "reloaded", json_true());
    json_put(&maker, object, "needs_restart", json_text(needs_restart));
    return json_finish(&maker, object, ret);
}

static const char *take_confirmation(void *context, const char *name, const json_t *value)
{
    if (strcmp(name, "confirmed") != 0)
        return "is unknown; the body has \"confirmed\"";
    if (!json_is_boolean(value))
        return "is neither true nor false";
    *(bool *)context = json_is_true(value);
    return NULL;
}

int json_parse_confirmation(const char *text, size_t length, bool *ret_confirmed, char **ret_problem)
{
    bool value = false;
    int r = length > 0 ? json_read_members(text, length, take_confirmation, &value, ret_problem) : 0;

    if (r == 0)
        *ret_confirmed = value;
    return r;
}
