/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Records as JSON, written and read side by side. The members are named as those of the structs; those
 * that a reader does not know are ignored. What is read may be damaged: nothing of it is believed
 * before it was looked at.
 */
#include "report/record.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "report/json_value.h"
#include "report/record_reader.h"

/* Goes up when an older reader would take a record for something else than it says. */
#define RECORD_FORMAT 1

/* Instants and distances beyond are damage; within, no sum of a few of them overflows. */
#define TIME_LIMIT_US (INT64_MAX / 8)

static const char *recovery_state_word(int value)
{
    return recovery_state_name((enum recovery_state)value);
}

static const char *cause_word(int value)
{
    return failure_cause_name((enum failure_cause)value);
}

static const char *level_word(int value)
{
    return verify_level_name((enum verify_level)value);
}

static const char *rank_by_word(int value)
{
    return rank_by_name((enum rank_by)value);
}

static const char *machine_state_word(int value)
{
    return machine_state_name((enum machine_state)value);
}

static const char *fate_word(int value)
{
    return start_fate_name((enum start_fate)value);
}

static const char *warmth_word(int value)
{
    return warmth_name((enum warmth)value);
}

static const char *relief_word(int value)
{
    return relief_name((enum relief)value);
}

static const struct record_vocabulary recovery_states = {recovery_state_word, RECOVERY_STATE_COUNT};
static const struct record_vocabulary causes = {cause_word, CAUSE_COUNT};
static const struct record_vocabulary levels = {level_word, VERIFY_LEVEL_COUNT};
static const struct record_vocabulary rankings = {rank_by_word, RANK_BY_COUNT};
static const struct record_vocabulary machine_states = {machine_state_word, MACHINE_STATE_COUNT};
static const struct record_vocabulary fates = {fate_word, START_FATE_COUNT};
static const struct record_vocabulary reliefs = {relief_word, RELIEF_COUNT};
static const struct record_vocabulary warmths = {warmth_word, WARMTH_COUNT};

static json_t *ref_value(struct json_maker *maker, const struct machine_ref *ref)
{
    json_t *object = json_object();

    json_put(maker, object, "hypervisor", json_text(ref->hypervisor));
    json_put(maker, object, "uuid", json_text(ref->uuid));
    return object;
}

static void read_ref(struct record_reader *reader, const json_t *object, const char *key, struct machine_ref *ref)
{
    const json_t *value = json_object_get(object, key);

    record_read_into(reader, value, "hypervisor", ref->hypervisor, sizeof(ref->hypervisor));
    record_read_into(reader, value, "uuid", ref->uuid, sizeof(ref->uuid));
}

/* The monotonic clock starts anew with each boot: only distances on it can be kept. */
static json_t *moment_value(struct json_maker *maker, struct moment moment, struct moment detected)
{
    json_t *object;

    if (!moment_has_come(moment))
        return json_null();
    object = json_object();
    json_put(maker, object, "real_us", json_integer(moment.real_us));
    json_put(maker, object, "after_us", json_integer(moment.mono_us - detected.mono_us));
    return object;
}

static struct moment read_moment(struct record_reader *reader, const json_t *object, const char *key,
                                 struct moment detected)
{
    const json_t *value = json_object_get(object, key);

    if (record_is_absent(object, key))
        return (struct moment){0};
    return (struct moment){
        .mono_us = detected.mono_us + record_read_integer(reader, value, "after_us", -TIME_LIMIT_US, TIME_LIMIT_US),
        .real_us = record_read_integer(reader, value, "real_us", -TIME_LIMIT_US, TIME_LIMIT_US),
    };
}

static void put_moments(struct json_maker *maker, json_t *object, const struct recovery *recovery)
{
    struct moment detected = recovery->detected;

    json_put(maker, object, "detected_us", json_integer(detected.real_us));
    json_put(maker, object, "confirmed", moment_value(maker, recovery->confirmed, detected));
    json_put(maker, object, "decided", moment_value(maker, recovery->decided, detected));
    json_put(maker, object, "recorded", moment_value(maker, recovery->recorded, detected));
    json_put(maker, object, "started", moment_value(maker, recovery->started, detected));
    json_put(maker, object, "settled", moment_value(maker, recovery->settled, detected));
    json_put(maker, object, "ended", moment_value(maker, recovery->ended, detected));
    json_put(maker, object, "failed_at", moment_value(maker, recovery->failed_at, detected));
    json_put(maker, object, "down_since", moment_value(maker, recovery->down_since, detected));
}

/* By the clock as it was at the latest moment: what it was set by in the course of the recovery does not count. */
static struct moment read_detected(struct record_reader *reader, const json_t *object, struct moment now)
{
    static const char *const later[] = {"confirmed", "decided", "recorded", "started", "settled", "ended"};
    struct moment detected = {
        .real_us = record_read_integer(reader, object, "detected_us", -TIME_LIMIT_US, TIME_LIMIT_US),
    };
    struct moment last = detected; /* as far from the detection */

    for (size_t i = 0; i < ELEMENTS_OF(later); i++) {
        struct moment moment = read_moment(reader, object, later[i], detected);

        if (moment.mono_us > last.mono_us)
            last = moment;
    }
    detected.mono_us = now.mono_us - (now.real_us - last.real_us) - last.mono_us;
    return detected;
}

static void read_moments(struct record_reader *reader, const json_t *object, struct moment now,
                         struct recovery *recovery)
{
    struct moment detected = read_detected(reader, object, now);

    recovery->detected = detected;
    recovery->confirmed = read_moment(reader, object, "confirmed", detected);
    recovery->decided = read_moment(reader, object, "decided", detected);
    recovery->recorded = read_moment(reader, object, "recorded", detected);
    recovery->started = read_moment(reader, object, "started", detected);
    recovery->settled = read_moment(reader, object, "settled", detected);
    recovery->ended = read_moment(reader, object, "ended", detected);
    recovery->failed_at =
        record_is_absent(object, "failed_at") ? detected : read_moment(reader, object, "failed_at", detected);
    recovery->down_since = read_moment(reader, object, "down_since", detected);
}

static json_t *attempts_value(struct json_maker *maker, const struct recovery *recovery)
{
    json_t *array = json_array();

    for (size_t i = 0; i < recovery->n_attempts; i++) {
        const struct recovery_attempt *attempt = &recovery->attempts[i];
        json_t *object = json_object();

        json_put(maker, object, "candidate", ref_value(maker, &attempt->candidate));
        json_put(maker, object, "name", json_text(attempt->name));
        json_put(maker, object, "error", json_text(attempt->error));
        json_put(maker, object, "is_void", json_boolean(attempt->is_void));
        json_put(maker, object, "is_vetoed", json_boolean(attempt->is_vetoed));
        json_put(maker, object, "hangs", json_boolean(attempt->hangs));
        json_put(maker, object, "may_leave_parts", json_boolean(attempt->may_leave_parts));
        json_put(maker, object, "fate", json_string(start_fate_name(attempt->fate)));
        json_put(maker, object, "decided", moment_value(maker, attempt->decided, recovery->detected));
        json_append(maker, array, object);
    }
    return array;
}

static void read_attempts(struct record_reader *reader, const json_t *object, struct recovery *recovery)
{
    const json_t *array =
        record_read_array(reader, object, "attempts", sizeof(*recovery->attempts), &recovery->attempts);

    for (size_t i = 0; i < json_array_size(array) && reader->error == 0; i++) {
        const json_t *value = json_array_get(array, i);
        struct recovery_attempt *attempt = &recovery->attempts[recovery->n_attempts++];

        read_ref(reader, value, "candidate", &attempt->candidate);
        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there are elements */
        attempt->name = record_read_text(reader, value, "name");
        attempt->error = record_read_text_or_null(reader, value, "error");
        attempt->is_void = record_read_bool(reader, value, "is_void");
        attempt->hangs = !record_is_absent(value, "hangs") && record_read_bool(reader, value, "hangs");
        attempt->may_leave_parts =
            !record_is_absent(value, "may_leave_parts") && record_read_bool(reader, value, "may_leave_parts");
        attempt->is_vetoed = !record_is_absent(value, "is_vetoed") && record_read_bool(reader, value, "is_vetoed");
        /* Records of earlier versions lack both. */
        if (!record_is_absent(value, "fate"))
            attempt->fate = (enum start_fate)record_read_word(reader, value, "fate", &fates);
        attempt->decided = record_is_absent(value, "decided")
                               ? recovery->decided
                               : read_moment(reader, value, "decided", recovery->detected);
    }
}

static json_t *candidate_value(struct json_maker *maker, const struct explained_candidate *candidate)
{
    json_t *object = json_candidate(maker, candidate);

    json_put(maker, object, "is_chosen", json_boolean(candidate->is_chosen));
    return object;
}

/* 0 where nothing could be compared. */
static double read_score(struct record_reader *reader, const json_t *object, const char *name,
                         bool *ret_is_incomparable)
{
    *ret_is_incomparable = json_is_null(json_object_get(object, name));
    return *ret_is_incomparable ? 0 : record_read_number(reader, object, name);
}

static void read_candidate(struct record_reader *reader, const json_t *object, struct explained_candidate *candidate)
{
    candidate->hypervisor = record_read_text(reader, object, "hypervisor");
    candidate->name = record_read_text(reader, object, "name");
    record_read_into(reader, object, "uuid", candidate->uuid, sizeof(candidate->uuid));
    candidate->similarity = read_score(reader, object, "similarity", &candidate->is_incomparable);
    candidate->coverage = read_score(reader, object, "coverage", &candidate->is_incomparable);
    candidate->resource_coverage = read_score(reader, object, "resource_coverage", &candidate->is_incomparable);
    candidate->overlap = read_score(reader, object, "overlap", &candidate->is_incomparable);
    candidate->eligible = record_read_bool(reader, object, "eligible");
    candidate->is_chosen = record_read_bool(reader, object, "is_chosen");
    candidate->warmth = warmth_word(record_read_word(reader, object, "warmth", &warmths));
    candidate->state = machine_state_word(record_read_word(reader, object, "state", &machine_states));
    candidate->reason = record_read_text(reader, object, "reason");
    record_read_strings(reader, object, "missing", &candidate->missing);
    record_read_strings(reader, object, "surplus", &candidate->surplus);
    if (json_object_get(object, "weightless") != NULL) /* a record from before has none */
        record_read_strings(reader, object, "weightless", &candidate->weightless);
}

/* Those that are not 0, by their words. */
static json_t *left_out_value(struct json_maker *maker, const struct explanation *explanation)
{
    json_t *object = json_object();

    for (enum candidate_verdict verdict = 0; verdict < CANDIDATE_VERDICTS; verdict++)
        if (explanation->left_out[verdict] > 0)
            json_put(maker, object, candidate_verdict_name(verdict), json_count(explanation->left_out[verdict]));
    return object;
}

/* A record from before there were counts has none. */
static void read_left_out(struct record_reader *reader, const json_t *object, struct explanation *explanation)
{
    const json_t *counts = json_object_get(object, "left_out_by_reason");

    if (json_object_get(object, "n_unjudged") != NULL)
        explanation->n_unjudged = (size_t)record_read_integer(reader, object, "n_unjudged", 0, UINT32_MAX);
    if (counts == NULL)
        return;
    for (enum candidate_verdict verdict = 0; verdict < CANDIDATE_VERDICTS; verdict++)
        if (json_object_get(counts, candidate_verdict_name(verdict)) != NULL)
            explanation->left_out[verdict] =
                (size_t)record_read_integer(reader, counts, candidate_verdict_name(verdict), 0, UINT32_MAX);
}

static json_t *explanation_value(struct json_maker *maker, const struct explanation *explanation)
{
    json_t *object, *candidates;

    if (explanation == NULL)
        return json_null();
    object = json_object();
    candidates = json_array();
    for (size_t i = 0; i < explanation->n_candidates; i++)
        json_append(maker, candidates, candidate_value(maker, &explanation->candidates[i]));
    json_put(maker, object, "hypervisor", json_text(explanation->hypervisor));
    json_put(maker, object, "failed", json_text(explanation->failed));
    json_put(maker, object, "uuid", json_text(explanation->uuid));
    json_put(maker, object, "threshold", json_number(explanation->threshold));
    json_put(maker, object, "min_coverage", json_number(explanation->min_coverage));
    json_put(maker, object, "policy", json_text(explanation->policy));
    json_put(maker, object, "rank_by", json_text(explanation->rank_by));
    json_put(maker, object, "candidates", candidates);
    json_put(maker, object, "left_out_by_reason", left_out_value(maker, explanation));
    json_put(maker, object, "n_unjudged", json_count(explanation->n_unjudged));
    json_put(maker, object, "n_left_out", json_count(explanation->n_left_out));
    json_put(maker, object, "summary", json_text(explanation->summary));
    return object;
}

static struct explanation *read_explanation(struct record_reader *reader, const json_t *object)
{
    struct explanation *explanation = calloc(1, sizeof(*explanation));
    const json_t *candidates;

    if (explanation == NULL) {
        record_refuse(reader, -ENOMEM);
        return NULL;
    }
    candidates =
        record_read_array(reader, object, "candidates", sizeof(*explanation->candidates), &explanation->candidates);
    for (size_t i = 0; i < json_array_size(candidates) && reader->error == 0; i++)
        read_candidate(reader, json_array_get(candidates, i), &explanation->candidates[explanation->n_candidates++]);
    explanation->hypervisor = record_read_text(reader, object, "hypervisor");
    explanation->failed = record_read_text(reader, object, "failed");
    record_read_into(reader, object, "uuid", explanation->uuid, sizeof(explanation->uuid));
    explanation->threshold = record_read_number(reader, object, "threshold");
    explanation->min_coverage = record_read_number(reader, object, "min_coverage");
    explanation->policy = record_read_text_or_null(reader, object, "policy");
    explanation->rank_by = rank_by_word(record_read_word(reader, object, "rank_by", &rankings));
    read_left_out(reader, object, explanation);
    explanation->n_left_out = (size_t)record_read_integer(reader, object, "n_left_out", 0, UINT32_MAX);
    explanation->summary = record_read_text(reader, object, "summary");
    return explanation;
}

/* null where none was ordered. */
static json_t *relief_value(struct json_maker *maker, const struct recovery *recovery)
{
    json_t *object;

    if (recovery->relief == RELIEF_NONE)
        return json_null();
    object = json_object();
    json_put(maker, object, "when", json_text(relief_name(recovery->relief)));
    json_put(maker, object, "to", ref_value(maker, &recovery->to));
    json_put(maker, object, "to_name", json_text(recovery->to_name));
    json_put(maker, object, "is_forced", json_boolean(recovery->is_forced));
    json_put(maker, object, "is_anyway", json_boolean(recovery->is_anyway));
    json_put(maker, object, "is_returning", json_boolean(recovery->is_returning));
    json_put(maker, object, "is_off", json_boolean(recovery->was_seen_dead));
    json_put(maker, object, "relieved", moment_value(maker, recovery->relieved, recovery->detected));
    return object;
}

/* Records of earlier versions have none. */
static void read_relief(struct record_reader *reader, const json_t *object, struct recovery *recovery)
{
    const json_t *relief = json_object_get(object, "relief");

    if (relief == NULL || json_is_null(relief))
        return;
    recovery->relief = (enum relief)record_read_word(reader, relief, "when", &reliefs);
    read_ref(reader, relief, "to", &recovery->to);
    recovery->to_name = record_read_text(reader, relief, "to_name");
    recovery->is_forced = record_read_bool(reader, relief, "is_forced");
    recovery->is_anyway = record_read_bool(reader, relief, "is_anyway");
    recovery->is_returning = record_read_bool(reader, relief, "is_returning");
    recovery->was_seen_dead = record_read_bool(reader, relief, "is_off");
    recovery->relieved = read_moment(reader, relief, "relieved", recovery->detected);
}

static json_t *recovery_value(struct json_maker *maker, const struct recovery *recovery)
{
    json_t *object = json_object();

    json_put(maker, object, "format", json_integer(RECORD_FORMAT));
    json_put(maker, object, "id", json_text(recovery->id));
    json_put(maker, object, "state", json_text(recovery_state_name(recovery->state)));
    json_put(maker, object, "failed", ref_value(maker, &recovery->failed));
    json_put(maker, object, "service", ref_value(maker, &recovery->service));
    json_put(maker, object, "service_name", json_text(recovery->service_name));
    json_put(maker, object, "failed_name", json_text(recovery->failed_name));
    json_put(maker, object, "cause", json_text(failure_cause_name(recovery->cause)));
    json_put(maker, object, "priority", json_integer(recovery->priority));
    json_put(maker, object, "is_drill", json_boolean(recovery->is_drill));
    json_put(maker, object, "ordered_by", json_text(recovery->ordered_by));
    json_put(maker, object, "is_rehearsal", json_boolean(recovery->is_rehearsal));
    json_put(maker, object, "is_cleared", json_boolean(recovery->is_cleared));
    json_put(maker, object, "relief", relief_value(maker, recovery));
    json_put(maker, object, "replacement", ref_value(maker, &recovery->replacement));
    json_put(maker, object, "replacement_name", json_text(recovery->replacement_name));
    json_put(maker, object, "similarity", json_number(recovery->similarity));
    json_put(maker, object, "coverage", json_number(recovery->coverage));
    json_put(maker, object, "overlap", json_number(recovery->overlap));
    json_put(maker, object, "replacement_warmth", json_text(warmth_name(recovery->warmth)));
    json_put(maker, object, "attempts", attempts_value(maker, recovery));
    json_put(maker, object, "restarts", json_integer(recovery->restarts));
    json_put(maker, object, "restarts_before", json_integer(recovery->restarts_before));
    json_put(maker, object, "is_beyond_limit", json_boolean(recovery->is_beyond_limit));
    json_put(maker, object, "is_unrecorded", json_boolean(recovery->is_unrecorded));
    put_moments(maker, object, recovery);
    json_put(maker, object, "explanation", explanation_value(maker, recovery->explanation));
    json_put(maker, object, "detail", json_text(recovery->detail));
    json_put(maker, object, "level", json_text(verify_level_name(recovery->level)));
    json_put(maker, object, "ports", json_ports(maker, &recovery->ports.listening));
    json_put(maker, object, "reached_ports", json_ports(maker, &recovery->ports.reached));
    json_put(maker, object, "ports_unasked", json_text(recovery->ports_unasked));
    json_put(maker, object, "is_held", json_boolean(recovery->is_held));
    json_put(maker, object, "is_braked", json_boolean(recovery->is_braked));
    json_put(maker, object, "is_refused", json_boolean(recovery->is_refused));
    json_put(maker, object, "is_restarting", json_boolean(recovery->is_restarting));
    return object;
}

/* Records of earlier versions have none. */
static void read_ports(struct record_reader *reader, const json_t *object, const char *key, struct ports *ports)
{
    const json_t *array = json_object_get(object, key);

    if (!record_is_absent(object, key) && !json_is_array(array))
        record_refuse(reader, -EINVAL);
    for (size_t i = 0; i < json_array_size(array); i++) {
        json_int_t port = json_integer_value(json_array_get(array, i));

        if (port < 0 || !ports_add(ports, (unsigned long)port))
            record_refuse(reader, -EINVAL);
    }
}

/* Records from before the warmth was kept have it in the words of the decision. */
static enum warmth warmth_explained(const struct explanation *explanation)
{
    const struct explained_candidate *chosen = explanation != NULL ? explanation_chosen(explanation) : NULL;

    for (int i = 0; chosen != NULL && i < WARMTH_COUNT; i++)
        if (chosen->warmth == warmth_word(i))
            return (enum warmth)i;
    return WARMTH_COLD;
}

static void read_recovery(struct record_reader *reader, const json_t *object, struct moment now,
                          struct recovery *recovery)
{
    record_read_integer(reader, object, "format", RECORD_FORMAT, RECORD_FORMAT);
    record_read_into(reader, object, "id", recovery->id, sizeof(recovery->id));
    if (recovery->id[0] == '\0')
        record_refuse(reader, -EINVAL); /* an action with no id belongs to no recovery */
    recovery->state = (enum recovery_state)record_read_word(reader, object, "state", &recovery_states);
    read_ref(reader, object, "failed", &recovery->failed);
    read_ref(reader, object, "service", &recovery->service);
    recovery->service_name = record_read_text(reader, object, "service_name");
    recovery->failed_name = record_read_text(reader, object, "failed_name");
    recovery->cause = (enum failure_cause)record_read_word(reader, object, "cause", &causes);
    recovery->priority = (int)record_read_integer(reader, object, "priority", INT_MIN, INT_MAX);
    recovery->is_drill = record_read_bool(reader, object, "is_drill");
    if (!record_is_absent(object, "ordered_by"))
        record_read_into(reader, object, "ordered_by", recovery->ordered_by, sizeof(recovery->ordered_by));
    if (!record_is_absent(object, "is_rehearsal"))
        recovery->is_rehearsal = record_read_bool(reader, object, "is_rehearsal");
    if (!record_is_absent(object, "is_cleared"))
        recovery->is_cleared = record_read_bool(reader, object, "is_cleared");
    read_ref(reader, object, "replacement", &recovery->replacement);
    recovery->replacement_name = record_read_text_or_null(reader, object, "replacement_name");
    recovery->similarity = record_read_number(reader, object, "similarity");
    recovery->coverage = record_read_number(reader, object, "coverage");
    recovery->overlap = record_read_number(reader, object, "overlap");
    recovery->restarts = (unsigned)record_read_integer(reader, object, "restarts", 0, UINT_MAX);
    recovery->restarts_before = (unsigned)record_read_integer(reader, object, "restarts_before", 0, UINT_MAX);
    recovery->is_beyond_limit = record_read_bool(reader, object, "is_beyond_limit");
    recovery->is_unrecorded = record_read_bool(reader, object, "is_unrecorded");
    read_moments(reader, object, now, recovery);
    read_relief(reader, object, recovery);
    read_attempts(reader, object, recovery);
    if (!record_is_absent(object, "explanation"))
        recovery->explanation = read_explanation(reader, json_object_get(object, "explanation"));
    if (!record_is_absent(object, "replacement_warmth"))
        recovery->warmth = (enum warmth)record_read_word(reader, object, "replacement_warmth", &warmths);
    else
        recovery->warmth = warmth_explained(recovery->explanation);
    recovery->detail = record_read_text_or_null(reader, object, "detail");
    recovery->level = (enum verify_level)record_read_word(reader, object, "level", &levels);
    read_ports(reader, object, "ports", &recovery->ports.listening);
    read_ports(reader, object, "reached_ports", &recovery->ports.reached);
    if (!record_is_absent(object, "ports_unasked"))
        recovery->ports_unasked = record_read_text(reader, object, "ports_unasked");
    recovery->is_held = record_read_bool(reader, object, "is_held");
    recovery->is_braked = record_read_bool(reader, object, "is_braked");
    recovery->is_refused = record_read_bool(reader, object, "is_refused");
    recovery->is_restarting = record_read_bool(reader, object, "is_restarting");
    recovery->question.deadline_us = USEC_INFINITY;
}

int record_format_recovery(const struct recovery *recovery, char **ret)
{
    struct json_maker maker = {0};
    json_t *object = recovery_value(&maker, recovery);

    return record_finish(&maker, object, ret);
}

int record_parse_recovery(const char *text, struct moment now, struct recovery **ret)
{
    _cleanup_(recovery_freep) struct recovery *recovery = calloc(1, sizeof(*recovery));
    struct record_reader reader = {0};
    json_t *document = NULL;
    int r;

    if (recovery == NULL)
        return -ENOMEM;
    r = record_load(text, &document);
    if (r < 0)
        return r;
    read_recovery(&reader, document, now, recovery);
    json_decref(document);
    if (reader.error < 0)
        return reader.error;
    *ret = steal_pointer(&recovery);
    return 0;
}
