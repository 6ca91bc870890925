/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Decisions and recoveries as JSON. Reads no clock and changes nothing. */
#include "report/json.h"

#include "report/course.h"
#include "report/json_value.h"

static json_t *candidates_value(struct json_maker *maker, const struct explanation *explanation)
{
    json_t *array = json_array();

    for (size_t i = 0; explanation != NULL && i < explanation->n_candidates; i++)
        json_append(maker, array, json_candidate(maker, &explanation->candidates[i]));
    return array;
}

/* Why those that are not listed are out, as far as they were judged. */
static json_t *left_out_value(struct json_maker *maker, const struct explanation *explanation)
{
    json_t *object = json_object();

    for (enum candidate_verdict verdict = 0; explanation != NULL && verdict < CANDIDATE_VERDICTS; verdict++)
        if (explanation->left_out[verdict] > 0)
            json_put(maker, object, candidate_verdict_name(verdict), json_count(explanation->left_out[verdict]));
    if (explanation != NULL && explanation->n_unjudged > 0)
        json_put(maker, object, "not looked at", json_count(explanation->n_unjudged));
    return object;
}

int json_format_explanation(const struct explanation *explanation, char **ret)
{
    const struct explained_candidate *chosen = explanation_chosen(explanation);
    struct json_maker maker = {0};
    json_t *object = json_object();

    json_put(&maker, object, "failed", json_text(explanation->failed));
    json_put(&maker, object, "hypervisor", json_text(explanation->hypervisor));
    json_put(&maker, object, "uuid", json_text(explanation->uuid));
    json_put(&maker, object, "obstacle", json_text(explanation->obstacle));
    json_put(&maker, object, "threshold", json_number(explanation->threshold));
    json_put(&maker, object, "min_coverage", json_number(explanation->min_coverage));
    json_put(&maker, object, "policy", json_text(explanation->policy));
    json_put(&maker, object, "rank_by", json_text(explanation->rank_by));
    json_put(&maker, object, "chosen", json_text(chosen != NULL ? chosen->name : NULL));
    json_put(&maker, object, "verify", json_text(chosen != NULL ? verify_level_name(explanation->level) : NULL));
    json_put(&maker, object, "verify_ports", json_ports(&maker, &explanation->ports.listening));
    json_put(&maker, object, "verify_reached_ports", json_ports(&maker, &explanation->ports.reached));
    json_put(&maker, object, "summary", json_text(explanation->summary));
    json_put(&maker, object, "candidates", candidates_value(&maker, explanation));
    json_put(&maker, object, "left_out_by_reason", left_out_value(&maker, explanation));
    json_put(&maker, object, "left_out", json_count(explanation->n_left_out));
    return json_finish(&maker, object, ret);
}

static json_t *span_value(int64_t us)
{
    return us < 0 ? json_null() : json_number((double)us / (double)USEC_PER_MSEC);
}

/* How long each phase took, from detection on. */
static json_t *times_value(struct json_maker *maker, const struct recovery *recovery)
{
    bool has_ended = moment_has_come(recovery->ended) && recovery->ended.mono_us >= recovery->detected.mono_us;
    json_t *object = json_object();

    for (enum course_phase phase = COURSE_CONFIRM; phase < COURSE_PHASE_COUNT; phase++)
        json_put(maker, object, course_phase_name(phase), span_value(course_phase_us(recovery, phase)));
    json_put(maker, object, "total", span_value(has_ended ? recovery->ended.mono_us - recovery->detected.mono_us : -1));
    return object;
}

static void put_instants(struct json_maker *maker, json_t *object, const struct recovery *recovery)
{
    struct course course = course_of(recovery);

    json_put(maker, object, "failed_at", json_instant(recovery->failed_at));
    json_put(maker, object, "detected_at", json_instant(recovery->detected));
    json_put(maker, object, "confirmed_at", json_instant(recovery->confirmed));
    json_put(maker, object, "decided_at", json_instant(course.decided));
    json_put(maker, object, "recorded_at", json_instant(course.recorded));
    json_put(maker, object, "started_at", json_instant(course.started));
    json_put(maker, object, "settled_at", json_instant(course.settled));
    json_put(maker, object, "ended_at", json_instant(recovery->ended));
}

static json_t *attempts_value(struct json_maker *maker, const struct recovery *recovery)
{
    json_t *array = json_array();

    for (size_t i = 0; i < recovery->n_attempts; i++) {
        json_t *object = json_object();

        json_put(maker, object, "name", json_text(recovery->attempts[i].name));
        json_put(maker, object, "hypervisor", json_text(recovery->attempts[i].candidate.hypervisor));
        json_put(maker, object, "error", json_text(recovery->attempts[i].error));
        json_put(maker, object, "void", json_boolean(recovery->attempts[i].is_void || recovery->attempts[i].is_vetoed));
        json_append(maker, array, object);
    }
    return array;
}

static void put_replacement(struct json_maker *maker, json_t *object, const struct recovery *recovery)
{
    bool has_one = recovery->replacement_name != NULL;

    json_put(maker, object, "replacement", json_text(recovery->replacement_name));
    json_put(maker, object, "replacement_hypervisor", json_text(has_one ? recovery->replacement.hypervisor : NULL));
    json_put(maker, object, "warmth", json_text(has_one ? warmth_name(recovery->warmth) : NULL));
    json_put(maker, object, "similarity", has_one ? json_number(recovery->similarity) : json_null());
    json_put(maker, object, "coverage", has_one ? json_number(recovery->coverage) : json_null());
    json_put(maker, object, "overlap", has_one ? json_number(recovery->overlap) : json_null());
}

/* The service that it served as a replacement; null: its own. */
static json_t *service_value(struct json_maker *maker, const struct recovery *recovery)
{
    json_t *object;

    if (machine_ref_equal(&recovery->service, &recovery->failed))
        return json_null();
    object = json_object();
    json_put(maker, object, "name", json_text(recovery->service_name));
    json_put(maker, object, "hypervisor", json_text(recovery->service.hypervisor));
    json_put(maker, object, "uuid", json_text(recovery->service.uuid));
    return object;
}

json_t *json_recovery(struct json_maker *maker, const struct recovery *recovery, struct moment now)
{
    double duration_ms = (double)recovery_duration_us(recovery, now) / (double)USEC_PER_MSEC;
    const struct explanation *explanation = recovery->explanation;
    int64_t outage_us = recovery_outage_us(recovery, now);
    bool is_decided = moment_has_come(recovery->decided);
    json_t *object = json_object();

    json_put(maker, object, "id", json_text(recovery->id));
    json_put(maker, object, "failed", json_text(recovery->failed_name));
    json_put(maker, object, "hypervisor", json_text(recovery->failed.hypervisor));
    json_put(maker, object, "uuid", json_text(recovery->failed.uuid));
    json_put(maker, object, "cause", json_text(failure_cause_name(recovery->cause)));
    json_put(maker, object, "cause_text", json_text(failure_cause_sentence(recovery->cause)));
    json_put(maker, object, "service", service_value(maker, recovery));
    json_put(maker, object, "priority", json_integer(recovery->priority));
    json_put(maker, object, "is_drill", json_boolean(recovery->is_drill));
    json_put(maker, object, "is_rehearsal", json_boolean(recovery->is_rehearsal));
    json_put(maker, object, "ordered_by", json_text(recovery->ordered_by[0] != '\0' ? recovery->ordered_by : NULL));
    json_put(maker, object, "outcome", json_text(recovery_state_name(recovery->state)));
    json_put(maker, object, "under_way", json_boolean(!recovery_state_is_final(recovery->state)));
    put_replacement(maker, object, recovery);
    put_instants(maker, object, recovery);
    json_put(maker, object, "duration_ms", json_number(duration_ms));
    json_put(maker, object, "outage_ms", outage_us < 0 ? json_null() : json_number((double)outage_us / USEC_PER_MSEC));
    json_put(maker, object, "times_ms", times_value(maker, recovery));
    json_put(maker, object, "verify", json_text(is_decided ? verify_level_name(recovery->level) : NULL));
    json_put(maker, object, "verify_ports", json_ports(maker, &recovery->ports.listening));
    json_put(maker, object, "verify_reached_ports", json_ports(maker, &recovery->ports.reached));
    json_put(maker, object, "ports_unasked", json_text(recovery->ports_unasked));
    json_put(maker, object, "unrecorded", json_boolean(recovery->is_unrecorded));
    json_put(maker, object, "restarts", json_integer(recovery->restarts));
    json_put(maker, object, "attempts", attempts_value(maker, recovery));
    json_put(maker, object, "candidates", candidates_value(maker, explanation));
    json_put(maker, object, "left_out_by_reason", left_out_value(maker, explanation));
    json_put(maker, object, "left_out", json_count(explanation != NULL ? explanation->n_left_out : 0));
    json_put(maker, object, "detail", json_text(recovery->detail));
    return object;
}

int json_format_recovery(const struct recovery *recovery, struct moment now, char **ret)
{
    struct json_maker maker = {0};
    json_t *object = json_recovery(&maker, recovery, now);

    return json_finish(&maker, object, ret);
}
