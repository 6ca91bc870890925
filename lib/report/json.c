/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Status, decisions, recoveries and notices as JSON. Reads no clock and changes nothing. */
#include "report/json.h"

#include <errno.h>
#include <string.h>

#include "report/json_value.h"

static json_t *hypervisor_value(struct json_maker *maker, const struct hypervisor_status *hypervisor)
{
    json_t *object = json_object();

    json_put(maker, object, "name", json_text(hypervisor->name));
    json_put(maker, object, "uri", json_text(hypervisor->uri));
    json_put(maker, object, "connected", json_boolean(hypervisor->is_connected));
    json_put(maker, object, "listed", json_boolean(hypervisor->is_listed));
    json_put(maker, object, "machines", json_count(hypervisor->machines));
    json_put(maker, object, "free_memory_kib", json_count(hypervisor->free_memory_kib));
    json_put(maker, object, "trouble", json_text(hypervisor->trouble));
    return object;
}

static json_t *machine_counts_value(struct json_maker *maker, const struct machine_counts *counts)
{
    json_t *object = json_object();

    json_put(maker, object, "total", json_count(counts->total));
    json_put(maker, object, "running", json_count(counts->running));
    json_put(maker, object, "standing_by", json_count(counts->standing_by));
    json_put(maker, object, "protected", json_count(counts->protected));
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

int json_format_status(const struct status *status, char **ret)
{
    struct json_maker maker = {0};
    json_t *object = json_object();
    json_t *hypervisors = json_array();

    for (size_t i = 0; i < status->n_hypervisors; i++)
        json_append(&maker, hypervisors, hypervisor_value(&maker, &status->hypervisors[i]));
    json_put(&maker, object, "version", json_text(status->version));
    json_put(&maker, object, "mode", json_text(status->mode));
    json_put(&maker, object, "ready", json_boolean(status->is_ready));
    json_put(&maker, object, "uptime_s", json_number((double)status->uptime_us / (double)USEC_PER_SEC));
    json_put(&maker, object, "config_file", json_text(status->config_file));
    json_put(&maker, object, "reload_error", json_text(status->reload_error));
    json_put(&maker, object, "hypervisors", hypervisors);
    json_put(&maker, object, "machines", machine_counts_value(&maker, &status->machines));
    json_put(&maker, object, "recoveries", recovery_counts_value(&maker, status));
    return json_finish(&maker, object, ret);
}

static json_t *candidate_value(struct json_maker *maker, const struct explained_candidate *candidate)
{
    json_t *object = json_object();

    json_put(maker, object, "name", json_text(candidate->name));
    json_put(maker, object, "hypervisor", json_text(candidate->hypervisor));
    json_put(maker, object, "uuid", json_text(candidate->uuid));
    json_put(maker, object, "similarity", json_number(candidate->similarity));
    json_put(maker, object, "coverage", json_number(candidate->coverage));
    json_put(maker, object, "resource_coverage", json_number(candidate->resource_coverage));
    json_put(maker, object, "overlap", json_number(candidate->overlap));
    json_put(maker, object, "eligible", json_boolean(candidate->eligible));
    json_put(maker, object, "reason", json_text(candidate->reason));
    json_put(maker, object, "warmth", json_text(candidate->warmth));
    json_put(maker, object, "state", json_text(candidate->state));
    json_put(maker, object, "missing", json_strings(maker, &candidate->missing));
    json_put(maker, object, "surplus", json_strings(maker, &candidate->surplus));
    return object;
}

static json_t *candidates_value(struct json_maker *maker, const struct explanation *explanation)
{
    json_t *array = json_array();

    for (size_t i = 0; explanation != NULL && i < explanation->n_candidates; i++)
        json_append(maker, array, candidate_value(maker, &explanation->candidates[i]));
    return array;
}

int json_format_explanation(const struct explanation *explanation, char **ret)
{
    const struct explained_candidate *chosen = explanation_chosen(explanation);
    struct json_maker maker = {0};
    json_t *object = json_object();

    json_put(&maker, object, "failed", json_text(explanation->failed));
    json_put(&maker, object, "hypervisor", json_text(explanation->hypervisor));
    json_put(&maker, object, "uuid", json_text(explanation->uuid));
    json_put(&maker, object, "threshold", json_number(explanation->threshold));
    json_put(&maker, object, "min_coverage", json_number(explanation->min_coverage));
    json_put(&maker, object, "rank_by", json_text(explanation->rank_by));
    json_put(&maker, object, "chosen", json_text(chosen != NULL ? chosen->name : NULL));
    json_put(&maker, object, "summary", json_text(explanation->summary));
    json_put(&maker, object, "candidates", candidates_value(&maker, explanation));
    json_put(&maker, object, "left_out", json_count(explanation->n_left_out));
    return json_finish(&maker, object, ret);
}

static json_t *span_value(struct moment from, struct moment to)
{
    if (!moment_has_come(from) || !moment_has_come(to))
        return json_null();
    return json_integer(to.mono_us - from.mono_us);
}

/* How long each part of the way took; the last part ends with the recovery. */
static json_t *times_value(struct json_maker *maker, const struct recovery *recovery)
{
    json_t *object = json_object();

    json_put(maker, object, "confirm", span_value(recovery->detected, recovery->confirmed));
    json_put(maker, object, "decide", span_value(recovery->confirmed, recovery->decided));
    json_put(maker, object, "start", span_value(recovery->decided, recovery->started));
    json_put(maker, object, "settle", span_value(recovery->started, recovery->ended));
    return object;
}

static json_t *attempts_value(struct json_maker *maker, const struct recovery *recovery)
{
    json_t *array = json_array();

    for (size_t i = 0; i < recovery->n_attempts; i++) {
        json_t *object = json_object();

        json_put(maker, object, "name", json_text(recovery->attempts[i].name));
        json_put(maker, object, "hypervisor", json_text(recovery->attempts[i].candidate.hypervisor));
        json_put(maker, object, "error", json_text(recovery->attempts[i].error));
        json_append(maker, array, object);
    }
    return array;
}

static void put_replacement(struct json_maker *maker, json_t *object, const struct recovery *recovery)
{
    bool has_one = recovery->replacement_name != NULL;

    json_put(maker, object, "replacement", json_text(recovery->replacement_name));
    json_put(maker, object, "replacement_hypervisor", json_text(has_one ? recovery->replacement.hypervisor : NULL));
    json_put(maker, object, "similarity", has_one ? json_number(recovery->similarity) : json_null());
    json_put(maker, object, "coverage", has_one ? json_number(recovery->coverage) : json_null());
    json_put(maker, object, "overlap", has_one ? json_number(recovery->overlap) : json_null());
}

static json_t *recovery_value(struct json_maker *maker, const struct recovery *recovery, struct moment now)
{
    double duration_ms = (double)recovery_duration_us(recovery, now) / (double)USEC_PER_MSEC;
    const struct explanation *explanation = recovery->explanation;
    json_t *object = json_object();

    json_put(maker, object, "id", json_text(recovery->id));
    json_put(maker, object, "failed", json_text(recovery->failed_name));
    json_put(maker, object, "hypervisor", json_text(recovery->failed.hypervisor));
    json_put(maker, object, "uuid", json_text(recovery->failed.uuid));
    json_put(maker, object, "cause", json_text(failure_cause_name(recovery->cause)));
    json_put(maker, object, "cause_text", json_text(failure_cause_sentence(recovery->cause)));
    json_put(maker, object, "priority", json_integer(recovery->priority));
    json_put(maker, object, "is_drill", json_boolean(recovery->is_drill));
    json_put(maker, object, "outcome", json_text(recovery_state_name(recovery->state)));
    json_put(maker, object, "under_way", json_boolean(!recovery_state_is_final(recovery->state)));
    put_replacement(maker, object, recovery);
    json_put(maker, object, "detected_at", json_instant(recovery->detected));
    json_put(maker, object, "confirmed_at", json_instant(recovery->confirmed));
    json_put(maker, object, "decided_at", json_instant(recovery->decided));
    json_put(maker, object, "started_at", json_instant(recovery->started));
    json_put(maker, object, "ended_at", json_instant(recovery->ended));
    json_put(maker, object, "duration_ms", json_number(duration_ms));
    json_put(maker, object, "times_us", times_value(maker, recovery));
    json_put(maker, object, "attempts", attempts_value(maker, recovery));
    json_put(maker, object, "candidates", candidates_value(maker, explanation));
    json_put(maker, object, "left_out", json_count(explanation != NULL ? explanation->n_left_out : 0));
    json_put(maker, object, "detail", json_text(recovery->detail));
    return object;
}

int json_format_recoveries(const struct recovery *const *recoveries, size_t n, struct moment now, char **ret)
{
    struct json_maker maker = {0};
    json_t *array = json_array();

    for (size_t i = 0; i < n; i++)
        json_append(&maker, array, recovery_value(&maker, recoveries[i], now));
    return json_finish(&maker, array, ret);
}

int json_format_recovery(const struct recovery *recovery, struct moment now, char **ret)
{
    struct json_maker maker = {0};
    json_t *object = recovery_value(&maker, recovery, now);

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

int json_format_drill(const char *machine, const char *message, char **ret)
{
    struct json_maker maker = {0};
    json_t *object = json_object();

    json_put(&maker, object, "machine", json_text(machine));
    json_put(&maker, object, "message", json_text(non_empty(message)));
    return json_finish(&maker, object, ret);
}

int json_parse_drill(const char *text, size_t length, bool *ret_confirmed, const char **ret_problem)
{
    json_t *document, *confirmed;
    const char *problem = NULL;
    bool value = false;

    if (length > 0) {
        document = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
        confirmed = json_object_get(document, "confirmed");
        if (!json_is_object(document))
            problem = "the body is no JSON object";
        else if (confirmed != NULL && !json_is_boolean(confirmed))
            problem = "\"confirmed\" is neither true nor false";
        value = json_is_true(confirmed);
        json_decref(document);
    }
    if (problem != NULL) {
        *ret_problem = problem;
        return -EINVAL;
    }
    *ret_confirmed = value;
    return 0;
}
