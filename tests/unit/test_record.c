/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is written down is read back as it was, and nothing that a damaged disk may hold does harm. The
 * records are made by hand and compared member by member.
 */
#include "support.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <string.h>

#include "report/record.h"

/* A member that its owner would free, in a struct that is never freed. */
#define TEXT(literal) ((char *)(literal))

#define FLIPS 4000

static const struct moment now = {.mono_us = 5000000, .real_us = INT64_C(1795359250000000)};

static struct recovery_attempt attempts[] = {
    {.candidate = {"local", "00000000-0000-4000-8000-000000000002"},
     .name = TEXT("VM-002"),
     .error = TEXT("no \"boot\"\ndevice"),
     .fate = START_UNANSWERED},
    {.candidate = {"far", "00000000-0000-4000-8000-000000000005"},
     .name = TEXT("far/VM-005"),
     .is_void = true,
     .is_vetoed = true,
     .hangs = true,
     .may_leave_parts = true},
};

static struct explained_candidate candidates[] = {
    {.hypervisor = TEXT("far"),
     .name = TEXT("가상머신"),
     .uuid = "00000000-0000-4000-8000-000000000005",
     .similarity = 2.0 / 3,
     .coverage = 1,
     .resource_coverage = 0.1 + 0.2,
     .overlap = 1.0 / 7,
     .eligible = true,
     .is_chosen = true,
     .warmth = "saved",
     .state = "shut off",
     .reason = TEXT("chosen")},
    {.hypervisor = TEXT("local"),
     .name = TEXT(""),
     .similarity = 0x1p-60,
     .warmth = "paused",
     .state = "crashed",
     .reason = TEXT("it is preserved remains")},
    {.hypervisor = TEXT("local"),
     .name = TEXT("unknown"),
     .is_incomparable = true,
     .warmth = "cold",
     .state = "shut off",
     .reason = TEXT("nothing can be compared")},
};

static struct explanation explanation = {
    .hypervisor = TEXT("local"),
    .failed = TEXT("VM-001"),
    .uuid = "00000000-0000-4000-8000-000000000001",
    .threshold = 0.7,
    .min_coverage = 1.0 / 3,
    .rank_by = "similarity",
    .candidates = candidates,
    .n_candidates = ELEMENTS_OF(candidates),
    .n_left_out = 7,
    .left_out = {[CANDIDATE_CLAIMED] = 1, [CANDIDATE_NOT_SIMILAR] = 4},
    .n_unjudged = 2,
    .summary = TEXT("far/VM-005 for VM-001"),
};

/* Every member that is kept differs from 0 and from its neighbours. */
static struct recovery full_recovery(void)
{
    static char *missing[] = {TEXT("database/mysql")};
    static char *surplus[] = {TEXT("database/postgresql"), TEXT("webserver/apache")};
    static char *weightless[] = {TEXT("zone/seoul")};

    candidates[0].missing = (struct string_list){.items = missing, .count = ELEMENTS_OF(missing)};
    candidates[0].surplus = (struct string_list){.items = surplus, .count = ELEMENTS_OF(surplus)};
    candidates[0].weightless = (struct string_list){.items = weightless, .count = ELEMENTS_OF(weightless)};
    return (struct recovery){
        .id = "20261122-145400-1",
        .state = RECOVERY_VERIFYING,
        .failed = {"local", "00000000-0000-4000-8000-000000000001"},
        .service = {"near", "00000000-0000-4000-8000-000000000009"},
        .failed_name = TEXT("VM-001"),
        .cause = CAUSE_PANIC_LOOP,
        .priority = -3,
        .is_drill = true,
        .is_rehearsal = true,
        .is_cleared = true,
        .ordered_by = "\u00fcber \"a\"",
        .relief = RELIEF_LAST,
        .to = {"far", "00000000-0000-4000-8000-000000000006"},
        .to_name = TEXT("VM-006"),
        .is_forced = true,
        .is_anyway = true,
        .is_returning = true,
        .relieved = {.mono_us = 8503, .real_us = INT64_C(1795359240007504)},
        .replacement = {"far", "00000000-0000-4000-8000-000000000005"},
        .replacement_name = TEXT("far/VM-005"),
        .similarity = 2.0 / 3,
        .coverage = 0.3,
        .overlap = 1.0 / 7,
        .warmth = WARMTH_PAUSED,
        .attempts = attempts,
        .n_attempts = ELEMENTS_OF(attempts),
        .restarts = 4,
        .is_unrecorded = true,
        .detected = {.mono_us = 1000, .real_us = INT64_C(1795359240000000)},
        .confirmed = {.mono_us = 3001, .real_us = INT64_C(1795359240002002)},
        .decided = {.mono_us = 3502, .real_us = INT64_C(1795359240002503)},
        .recorded = {.mono_us = 4503, .real_us = INT64_C(1795359240003504)},
        .started = {.mono_us = 9504, .real_us = INT64_C(1795359240008505)},
        .settled = {.mono_us = 10505, .real_us = INT64_C(1795359230009506)}, /* the clock was set back */
        .ended = {.mono_us = 11506, .real_us = INT64_C(1795359230010507)},
        .failed_at = {.mono_us = 407, .real_us = INT64_C(1795359239000408)},
        .down_since = {.mono_us = 506, .real_us = INT64_C(1795359239000507)},
        .explanation = &explanation,
        .detail = TEXT("it was \xe2\x80\xa6"),
        .level = VERIFY_TCP,
        .ports = {.listening = {.items = {22, 80, 65535}, .count = 3}, .reached = {.items = {80}, .count = 1}},
        .ports_unasked = TEXT("its guest does not tell"),
        .is_braked = true,
        .is_restarting = true,
        .service_name = TEXT("VM-000"),
        .question = {.action_id = 12, .waits_for_connection = true, .asked = 3, .deadline_us = 77},
        .is_changed = true,
        .ignored = 2,
    };
}

static struct recovery minimal_recovery(void)
{
    return (struct recovery){
        .id = "1",
        .failed = {"local", "00000000-0000-4000-8000-000000000001"},
        .service = {"local", "00000000-0000-4000-8000-000000000001"},
        .failed_name = TEXT("VM-001"),
        .service_name = TEXT("VM-001"),
        .failed_at = {.mono_us = 1000, .real_us = INT64_C(1795359240000000)},
        .detected = {.mono_us = 1000, .real_us = INT64_C(1795359240000000)},
    };
}

static char *format(const struct recovery *recovery)
{
    char *text = NULL;

    assert_int_equal(record_format_recovery(recovery, &text), 0);
    return text;
}

static struct recovery *parse(const char *text)
{
    struct recovery *recovery = NULL;

    assert_int_equal(record_parse_recovery(text, now, &recovery), 0);
    return recovery;
}

static struct recovery *round_trip(const struct recovery *recovery)
{
    _cleanup_(freep) char *text = format(recovery);

    return parse(text);
}

/* Whatever the text is: nothing is written on failure, and what was understood can be written again. */
static int try_parse(const char *text)
{
    struct recovery *untouched = (struct recovery *)&now, *recovery = untouched;
    _cleanup_(freep) char *once = NULL;
    _cleanup_(freep) char *twice = NULL;
    int r = record_parse_recovery(text, now, &recovery);

    if (r < 0) {
        assert_int_equal(r, -EINVAL);
        assert_ptr_equal(recovery, untouched);
        return r;
    }
    once = format(recovery);
    recovery_free(recovery);
    recovery = parse(once);
    twice = format(recovery);
    recovery_free(recovery);
    assert_string_equal(once, twice);
    return 0;
}

static void assert_same_text(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        assert_ptr_equal(a, b);
    else
        assert_string_equal(a, b);
}

static void assert_same_ref(const struct machine_ref *a, const struct machine_ref *b)
{
    assert_true(machine_ref_equal(a, b));
}

static void assert_same_list(const struct string_list *a, const struct string_list *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++)
        assert_string_equal(a->items[i], b->items[i]);
}

static void assert_same_candidate(const struct explained_candidate *a, const struct explained_candidate *b)
{
    assert_string_equal(a->hypervisor, b->hypervisor);
    assert_string_equal(a->name, b->name);
    assert_string_equal(a->uuid, b->uuid);
    assert_true(a->similarity == b->similarity && a->coverage == b->coverage);
    assert_true(a->resource_coverage == b->resource_coverage && a->overlap == b->overlap);
    assert_int_equal(a->is_incomparable, b->is_incomparable);
    assert_int_equal(a->eligible, b->eligible);
    assert_int_equal(a->is_chosen, b->is_chosen);
    assert_string_equal(a->warmth, b->warmth);
    assert_string_equal(a->state, b->state);
    assert_string_equal(a->reason, b->reason);
    assert_same_list(&a->missing, &b->missing);
    assert_same_list(&a->surplus, &b->surplus);
    assert_same_list(&a->weightless, &b->weightless);
}

static void assert_same_explanation(const struct explanation *a, const struct explanation *b)
{
    if (a == NULL || b == NULL) {
        assert_ptr_equal(a, b);
        return;
    }
    assert_string_equal(a->hypervisor, b->hypervisor);
    assert_string_equal(a->failed, b->failed);
    assert_string_equal(a->uuid, b->uuid);
    assert_true(a->threshold == b->threshold && a->min_coverage == b->min_coverage);
    assert_string_equal(a->rank_by, b->rank_by);
    assert_int_equal(a->n_left_out, b->n_left_out);
    assert_memory_equal(a->left_out, b->left_out, sizeof(a->left_out));
    assert_int_equal(a->n_unjudged, b->n_unjudged);
    assert_string_equal(a->summary, b->summary);
    assert_int_equal(a->n_candidates, b->n_candidates);
    for (size_t i = 0; i < a->n_candidates; i++)
        assert_same_candidate(&a->candidates[i], &b->candidates[i]);
}

static void assert_same_attempts(const struct recovery *a, const struct recovery *b)
{
    assert_int_equal(a->n_attempts, b->n_attempts);
    for (size_t i = 0; i < a->n_attempts; i++) {
        assert_same_ref(&a->attempts[i].candidate, &b->attempts[i].candidate);
        assert_string_equal(a->attempts[i].name, b->attempts[i].name);
        assert_same_text(a->attempts[i].error, b->attempts[i].error);
        assert_int_equal(a->attempts[i].is_void, b->attempts[i].is_void);
        assert_int_equal(a->attempts[i].is_vetoed, b->attempts[i].is_vetoed);
        assert_int_equal(a->attempts[i].hangs, b->attempts[i].hangs);
        assert_int_equal(a->attempts[i].may_leave_parts, b->attempts[i].may_leave_parts);
        assert_int_equal(a->attempts[i].fate, b->attempts[i].fate);
    }
}

/* The same time of day, and as far from the detection. */
static void assert_same_moment(const struct recovery *a, struct moment of_a, const struct recovery *b,
                               struct moment of_b)
{
    assert_true(of_a.real_us == of_b.real_us);
    if (of_a.mono_us == 0 || of_b.mono_us == 0)
        assert_true(of_a.mono_us == of_b.mono_us);
    else
        assert_true(of_a.mono_us - a->detected.mono_us == of_b.mono_us - b->detected.mono_us);
}

static void assert_same_ports(const struct ports *a, const struct ports *b)
{
    assert_int_equal(a->count, b->count);
    assert_memory_equal(a->items, b->items, sizeof(a->items));
}

static void assert_same_recovery(const struct recovery *a, const struct recovery *b)
{
    assert_string_equal(a->id, b->id);
    assert_int_equal(a->state, b->state);
    assert_same_ref(&a->failed, &b->failed);
    assert_same_ref(&a->service, &b->service);
    assert_string_equal(a->failed_name, b->failed_name);
    assert_int_equal(a->cause, b->cause);
    assert_int_equal(a->priority, b->priority);
    assert_int_equal(a->is_drill, b->is_drill);
    assert_int_equal(a->is_rehearsal, b->is_rehearsal);
    assert_int_equal(a->is_cleared, b->is_cleared);
    assert_string_equal(a->ordered_by, b->ordered_by);
    assert_int_equal(a->relief, b->relief);
    assert_same_ref(&a->to, &b->to);
    assert_same_text(a->to_name, b->to_name);
    assert_int_equal(a->is_forced, b->is_forced);
    assert_int_equal(a->is_anyway, b->is_anyway);
    assert_int_equal(a->is_returning, b->is_returning);
    assert_same_moment(a, a->relieved, b, b->relieved);
    assert_same_ref(&a->replacement, &b->replacement);
    assert_same_text(a->replacement_name, b->replacement_name);
    assert_true(a->similarity == b->similarity && a->coverage == b->coverage && a->overlap == b->overlap);
    assert_int_equal(a->warmth, b->warmth);
    assert_same_attempts(a, b);
    assert_int_equal(a->restarts, b->restarts);
    assert_int_equal(a->is_unrecorded, b->is_unrecorded);
    assert_same_moment(a, a->detected, b, b->detected);
    assert_same_moment(a, a->confirmed, b, b->confirmed);
    assert_same_moment(a, a->decided, b, b->decided);
    assert_same_moment(a, a->recorded, b, b->recorded);
    assert_same_moment(a, a->started, b, b->started);
    assert_same_moment(a, a->settled, b, b->settled);
    assert_same_moment(a, a->ended, b, b->ended);
    assert_same_moment(a, a->failed_at, b, b->failed_at);
    assert_same_moment(a, a->down_since, b, b->down_since);
    assert_same_explanation(a->explanation, b->explanation);
    assert_same_text(a->detail, b->detail);
    assert_int_equal(a->level, b->level);
    assert_same_ports(&a->ports.listening, &b->ports.listening);
    assert_same_ports(&a->ports.reached, &b->ports.reached);
    assert_same_text(a->ports_unasked, b->ports_unasked);
    assert_int_equal(a->is_braked, b->is_braked);
    assert_int_equal(a->is_restarting, b->is_restarting);
    assert_string_equal(a->service_name, b->service_name);
}

static void assert_nothing_under_way(const struct recovery *recovery)
{
    assert_int_equal(recovery->question.action_id, 0);
    assert_false(recovery->question.waits_for_connection);
    assert_int_equal(recovery->question.asked, 0);
    assert_true(recovery->question.deadline_us == USEC_INFINITY);
    assert_false(recovery->is_changed);
    assert_int_equal(recovery->ignored, 0);
}

static void test_recovery_comes_back(void **state)
{
    struct recovery given[] = {full_recovery(), minimal_recovery()};

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(given); i++) {
        _cleanup_(recovery_freep) struct recovery *read = round_trip(&given[i]);

        assert_same_recovery(&given[i], read);
        assert_nothing_under_way(read);
    }
}

static void test_limits_come_back(void **state)
{
    struct recovery given = minimal_recovery();
    struct recovery *read;

    (void)state;
    given.priority = INT_MIN;
    given.restarts = UINT_MAX;
    memset(given.id, 'i', sizeof(given.id) - 1);
    memset(given.failed.hypervisor, 'h', sizeof(given.failed.hypervisor) - 1);
    read = round_trip(&given);
    assert_same_recovery(&given, read);
    recovery_free(read);
}

static void test_invalid_utf8_is_replaced(void **state)
{
    struct recovery given = minimal_recovery();
    struct recovery *read;

    (void)state;
    given.failed_name = TEXT("VM-\xff");
    read = round_trip(&given);
    assert_string_equal(read->failed_name, "VM-\xef\xbf\xbd");
    recovery_free(read);
}

static void test_every_word_comes_back(void **state)
{
    struct recovery given = full_recovery();

    (void)state;
    for (int i = 0; i < RECOVERY_STATE_COUNT + CAUSE_COUNT + VERIFY_LEVEL_COUNT; i++) {
        struct recovery *read;

        given.state = (enum recovery_state)(i % RECOVERY_STATE_COUNT);
        given.cause = (enum failure_cause)(i % CAUSE_COUNT);
        given.level = (enum verify_level)(i % VERIFY_LEVEL_COUNT);
        read = round_trip(&given);
        assert_int_equal(read->state, given.state);
        assert_int_equal(read->cause, given.cause);
        assert_int_equal(read->level, given.level);
        recovery_free(read);
    }
}

static void test_every_word_of_an_explanation_comes_back(void **state)
{
    struct recovery given = full_recovery();
    struct explained_candidate candidate = candidates[1];
    struct explanation small = explanation;

    (void)state;
    small.candidates = &candidate;
    small.n_candidates = 1;
    given.explanation = &small;
    for (int i = 0; i < MACHINE_STATE_COUNT; i++) {
        struct recovery *read;

        candidate.state = machine_state_name((enum machine_state)i);
        candidate.warmth = warmth_name((enum warmth)(i % WARMTH_COUNT));
        small.rank_by = i % 2 == 0 ? "overlap" : "similarity";
        read = round_trip(&given);
        /* The very strings: others would never be freed. */
        assert_ptr_equal(read->explanation->candidates[0].state, candidate.state);
        assert_ptr_equal(read->explanation->candidates[0].warmth, candidate.warmth);
        assert_string_equal(read->explanation->rank_by, small.rank_by);
        recovery_free(read);
    }
}

/*
 * The daemon was started anew, perhaps with the host: durations are as exact as they were. The clock was set back in the
 * course of the recovery.
 */
static void test_moments_move_to_the_clock_of_today(void **state)
{
    static const struct moment readings[] = {
        {.mono_us = 11000, .real_us = INT64_C(1795359230000001) + 10000},      /* the same boot */
        {.mono_us = 5000000, .real_us = INT64_C(1795359230000001) + 90000000}, /* booted since */
        {.mono_us = 5000000,
         .real_us = INT64_C(1795359230000001) - 123456789}, /* and the clock was set back once more */
    };
    static const int64_t detected_us[] = {1000, 5000000 - 90000000, 5000000 + 123456789};
    struct recovery given = full_recovery();
    _cleanup_(freep) char *text = format(&given);

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(readings); i++) {
        struct recovery *read = NULL;

        assert_int_equal(record_parse_recovery(text, readings[i], &read), 0);
        assert_true(read->detected.mono_us == detected_us[i]);
        assert_true(read->confirmed.mono_us == detected_us[i] + 2001);
        assert_true(read->ended.mono_us == detected_us[i] + 10506);
        assert_same_recovery(&given, read);
        recovery_free(read);
    }
}

static void test_what_has_not_come_stays_so(void **state)
{
    struct recovery given = minimal_recovery();
    struct recovery *read;

    (void)state;
    given.started = (struct moment){.mono_us = 1000, .real_us = given.detected.real_us}; /* 0 after the detection */
    read = round_trip(&given);
    assert_true(read->confirmed.mono_us == 0 && read->confirmed.real_us == 0);
    assert_true(read->ended.mono_us == 0 && read->ended.real_us == 0);
    assert_true(read->started.mono_us == read->detected.mono_us);
    assert_true(read->started.real_us == given.started.real_us);
    recovery_free(read);
}

static void test_truncated(void **state)
{
    struct recovery given = full_recovery();
    _cleanup_(freep) char *text = format(&given);

    (void)state;
    for (size_t length = strlen(text); length-- > 0;) {
        /* Of its own size, so that a byte read beyond the end is noticed. */
        _cleanup_(freep) char *part = strndup(text, length);

        assert_non_null(part);
        assert_int_equal(try_parse(part), -EINVAL);
    }
}

static void test_flipped(void **state)
{
    struct recovery given = full_recovery();
    _cleanup_(freep) char *text = format(&given);
    size_t length = strlen(text);
    uint64_t seed = 20261122;
    unsigned refused = 0;

    (void)state;
    for (unsigned i = 0; i < FLIPS; i++) {
        _cleanup_(freep) char *damaged = strdup(text);

        assert_non_null(damaged);
        for (uint64_t n = random_below(&seed, 3) + 1; n > 0; n--)
            damaged[random_below(&seed, length)] ^= (char)(1u << random_below(&seed, 8));
        if (try_parse(damaged) < 0)
            refused++;
    }
    /* Most bits matter; some only change a letter of a name. */
    assert_in_range(refused, FLIPS / 2, FLIPS - 1);
}

/* Sets one member of the document to everything that it may not be; it is as before afterwards. */
static void damage_member(json_t *document, json_t *object, const char *key)
{
    static const char *const wrong[] = {
        "null", "true", "-1", "9223372036854775807", "-9223372036854775808", "1e300", "\"\"", "\"no such word\"",
        "[]",   "[[]]", "{}", "[null, {}]",
    };
    json_t *whole = json_incref(json_object_get(object, key));

    for (size_t i = 0; i < ELEMENTS_OF(wrong); i++) {
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(json_object_set_new(object, key, json_loads(wrong[i], JSON_DECODE_ANY, NULL)), 0);
        text = json_dumps(document, 0);
        assert_non_null(text);
        try_parse(text);
    }
    assert_int_equal(json_object_set_new(object, key, whole), 0);
}

static void damage_below(json_t *document, json_t *value)
{
    const char *key;
    json_t *member;
    void *next;
    size_t i;

    json_array_foreach(value, i, member) damage_below(document, member);
    json_object_foreach_safe(value, next, key, member)
    {
        damage_below(document, member);
        damage_member(document, value, key);
    }
}

static void test_members_of_another_type(void **state)
{
    struct recovery given = full_recovery();
    _cleanup_(freep) char *text = format(&given);
    json_t *document = json_loads(text, 0, NULL);

    (void)state;
    damage_below(document, document);
    json_decref(document);
}

static bool may_be_missing(const char *key)
{
    static const char *const optional[] = {"confirmed",
                                           "decided",
                                           "recorded",
                                           "started",
                                           "settled",
                                           "ended",
                                           "failed_at",
                                           "down_since",
                                           "replacement_name",
                                           "error",
                                           "explanation",
                                           "detail",
                                           "fate",
                                           "replacement_warmth",
                                           "n_unjudged",
                                           "left_out_by_reason",
                                           "weightless",
                                           "relief",
                                           "relieved",
                                           "claimed",
                                           "not similar enough",
                                           "is_vetoed",
                                           "hangs",
                                           "may_leave_parts",
                                           "ports",
                                           "ports_unasked",
                                           "policy",
                                           "reached_ports",
                                           "ordered_by",
                                           "is_rehearsal",
                                           "is_cleared"};

    for (size_t i = 0; i < ELEMENTS_OF(optional); i++)
        if (strcmp(optional[i], key) == 0)
            return true;
    return false;
}

/* Walks over a copy of the object: what is put back stands at its end, and would be met again. */
static void take_away_below(json_t *document, json_t *value)
{
    json_t *whole = json_copy(value);
    const char *key;
    json_t *member;
    size_t i;

    json_array_foreach(value, i, member) take_away_below(document, member);
    json_object_foreach(whole, key, member)
    {
        _cleanup_(freep) char *text = NULL;

        take_away_below(document, member);
        assert_int_equal(json_object_del(value, key), 0);
        text = json_dumps(document, 0);
        assert_int_equal(try_parse(text), may_be_missing(key) ? 0 : -EINVAL);
        assert_int_equal(json_object_set(value, key, member), 0);
    }
    json_decref(whole);
}

static void test_missing_members(void **state)
{
    struct recovery given = full_recovery();
    _cleanup_(freep) char *text = format(&given);
    json_t *document = json_loads(text, 0, NULL);

    (void)state;
    take_away_below(document, document);
    json_decref(document);
}

/* The text of a full recovery with one member of it set. */
static char *text_with(const char *key, const char *value)
{
    struct recovery given = full_recovery();
    _cleanup_(freep) char *text = format(&given);
    json_t *document = json_loads(text, 0, NULL);
    char *changed;

    assert_int_equal(json_object_set_new(document, key, json_loads(value, JSON_DECODE_ANY, NULL)), 0);
    changed = json_dumps(document, 0);
    assert_non_null(changed);
    json_decref(document);
    return changed;
}

static void test_unacceptable_values(void **state)
{
    static const struct {
        const char *key;
        const char *value;
        int result;
    } cases[] = {
        {"format", "1", 0},
        {"format", "0", -EINVAL},
        {"format", "2", -EINVAL},
        {"format", "1.0", -EINVAL},
        {"id", "\"\"", -EINVAL},
        {"id", "\"0123456789012345678901234567890\"", 0},
        {"id", "\"01234567890123456789012345678901\"", -EINVAL},
        {"failed", "{\"hypervisor\": \"local\", \"uuid\": \"00000000-0000-4000-8000-0000000000011\"}", -EINVAL},
        {"state", "\"verifying\"", 0},
        {"state", "\"Verifying\"", -EINVAL},
        {"state", "\"\"", -EINVAL},
        {"cause", "\"guest-hung\"", 0},
        {"cause", "\"bad luck\"", -EINVAL},
        {"level", "\"ping\"", -EINVAL},
        {"ports", "[443, 80]", 0},
        {"ports", "[0]", -EINVAL},
        {"ports", "[65536]", -EINVAL},
        {"ports", "[\"80\"]", -EINVAL},
        {"ports", "80", -EINVAL},
        {"priority", "2147483647", 0},
        {"priority", "2147483648", -EINVAL},
        {"restarts", "-1", -EINVAL},
        {"restarts", "4294967296", -EINVAL},
        {"detected_us", "9223372036854775807", -EINVAL},
        {"detected_us", "-9223372036854775808", -EINVAL},
        {"ended", "{\"real_us\": 1, \"after_us\": 9223372036854775807}", -EINVAL},
        {"ended", "{\"real_us\": 1}", -EINVAL},
        {"ended", "{}", -EINVAL},
        {"an addition", "{\"of\": \"a later version\"}", 0},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        _cleanup_(freep) char *text = text_with(cases[i].key, cases[i].value);

        if (try_parse(text) != cases[i].result)
            fail_msg("%s: %s", cases[i].key, cases[i].value);
    }
}

/* What a document that cannot be read leaves as it is. */
static const struct machine_memory untouched = {
    .state = MACHINE_GONE,
    .reason = REASON_SNAPSHOT,
    .failed_unrecovered = true,
    .went_down_with_host = true,
    .keeping = KEEPING_WARM,
    .kept_since_us = 1,
};

static void test_no_records(void **state)
{
    static const char *const texts[] = {"",   " ",  "null",           "1",    "\"\"",
                                        "[]", "{}", "{\"format\":1}", "\xff", "{\"a\":1,\"a\":1}"};

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(texts); i++) {
        struct machine_memory memory = untouched;

        assert_int_equal(try_parse(texts[i]), -EINVAL);
        assert_int_equal(record_parse_machine(texts[i], &memory), -EINVAL);
        assert_int_equal(memory.state, MACHINE_GONE);
        assert_int_equal(memory.reason, REASON_SNAPSHOT);
        assert_true(memory.failed_unrecovered);
    }
}

static void test_machine_comes_back(void **state)
{
    const struct string_list nothing = {0};

    (void)state;
    for (int i = 0; i < MACHINE_STATE_COUNT; i++)
        for (int k = 0; k < REASON_COUNT; k++) {
            _cleanup_(freep) char *text = NULL;
            struct machine_memory in = {
                .state = (enum machine_state)i,
                .reason = (enum machine_reason)k,
                .failed_unrecovered = (i + k) % 2 == 0,
                .failure_is_known = (i + k) % 3 == 0,
                .went_down_with_host = i % 2 == 0,
                .keeping = KEEPING_NONE,
                .has_own_image = i % 3 == 0,
                .drill = {.by = "alice",
                          .announced_us = k % 2 == 0 ? i + 1 : 0,
                          .is_rehearsal = k % 8 == 0,
                          .is_destroy = k % 4 == 0},
                .autostart_is_off = k % 3 == 0,
                .stopped_us = k % 5 == 0 ? k + 1 : 0,
                .asked_off_us = k % 7 == 0 ? k + 2 : 0,
                .has_unread_mark = i % 4 == 0,
                .is_warm_by_mark = k % 7 == 0,
                .learned_us = k % 2 == 0 ? k + 1 : 0,
                .lack = (enum guest_lack)(k % GUEST_LACK_COUNT),
            };
            struct machine_memory out;

            assert_int_equal(record_format_machine(&in, &nothing, &text), 0);
            assert_int_equal(record_parse_machine(text, &out), 0);
            assert_int_equal(out.state, i);
            assert_int_equal(out.reason, k);
            assert_int_equal(out.failed_unrecovered, in.failed_unrecovered);
            assert_int_equal(out.failure_is_known, in.failure_is_known);
            assert_int_equal(out.went_down_with_host, in.went_down_with_host);
            assert_int_equal(out.drill.announced_us, in.drill.announced_us);
            assert_int_equal(out.drill.is_destroy, in.drill.is_destroy);
            assert_int_equal(out.drill.is_rehearsal, in.drill.is_rehearsal);
            assert_string_equal(out.drill.by, in.drill.announced_us != 0 ? "alice" : "");
            assert_int_equal(out.autostart_is_off, in.autostart_is_off);
            assert_int_equal(out.has_own_image, in.has_own_image);
            assert_int_equal(out.stopped_us, in.stopped_us);
            assert_int_equal(out.asked_off_us, in.asked_off_us);
            assert_int_equal(out.has_unread_mark, in.has_unread_mark);
            assert_int_equal(out.is_warm_by_mark, in.is_warm_by_mark);
            assert_int_equal(out.learned_us, in.learned_us);
            assert_int_equal(out.lack, in.lack);
        }
}

static void test_keeping_comes_back(void **state)
{
    static const char *const damaged[] = {
        "{\"state\":\"paused\",\"reason\":\"user\",\"keeping\":\"hot\",\"kept_since_us\":1}",
        "{\"state\":\"paused\",\"reason\":\"user\",\"keeping\":\"warm\"}",
        "{\"state\":\"paused\",\"reason\":\"user\",\"keeping\":\"warm\",\"kept_since_us\":1,\"warm_proof\":\"hope\"}",
    };
    struct machine_memory read = {.keeping = KEEPING_COUNT};

    (void)state;
    for (int i = 0; i < KEEPING_COUNT * PROOF_COUNT; i++) {
        const struct machine_memory memory = {.state = MACHINE_PAUSED,
                                              .reason = REASON_USER,
                                              .keeping = (enum keeping)(i % KEEPING_COUNT),
                                              .kept_since_us = INT64_C(1795359240000000),
                                              .warm_proof = (enum warm_proof)(i / KEEPING_COUNT)};
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(record_format_machine(&memory, &(struct string_list){0}, &text), 0);
        assert_int_equal(record_parse_machine(text, &read), 0);
        assert_int_equal(read.keeping, memory.keeping);
        assert_true(read.kept_since_us == (memory.keeping == KEEPING_NONE ? 0 : memory.kept_since_us));
        assert_int_equal(read.warm_proof, memory.keeping == KEEPING_NONE ? PROOF_NONE : memory.warm_proof);
    }
    /* As an earlier version wrote it. */
    assert_int_equal(record_parse_machine(
                         "{\"state\":\"paused\",\"reason\":\"user\",\"keeping\":\"warm\",\"kept_since_us\":1}", &read),
                     0);
    assert_int_equal(read.warm_proof, PROOF_NONE);
    for (size_t i = 0; i < ELEMENTS_OF(damaged); i++)
        assert_int_equal(record_parse_machine(damaged[i], &read), -EINVAL);
}

static void test_a_quarantine_comes_back(void **state)
{
    static const char *const damaged[] = {
        "{\"state\":\"shut off\",\"reason\":\"user\",\"quarantine\":{\"begun_us\":1,\"time_us\":0,\"times\":1}}",
        "{\"state\":\"shut off\",\"reason\":\"user\",\"quarantine\":{\"begun_us\":1,\"time_us\":1,\"times\":0}}",
        "{\"state\":\"shut off\",\"reason\":\"user\",\"quarantine\":{\"begun_us\":1,\"time_us\":1}}",
        "{\"state\":\"shut off\",\"reason\":\"user\",\"quarantine\":7}",
        "{\"state\":\"shut off\",\"reason\":\"user\",\"quarantine\":{\"begun_us\":1,\"time_us\":1,\"times\":1,"
        "\"why\":7}}",
    };
    const struct machine_memory memory = {
        .state = MACHINE_SHUT_OFF,
        .quarantine = {.begun_us = INT64_C(1795359240000000), .time_us = 1200, .times = 2, .why = "no such device"},
    };
    struct machine_memory read = {0};
    _cleanup_(freep) char *text = NULL;

    (void)state;
    assert_int_equal(record_format_machine(&memory, &(struct string_list){0}, &text), 0);
    assert_int_equal(record_parse_machine(text, &read), 0);
    assert_true(read.quarantine.begun_us == memory.quarantine.begun_us);
    assert_true(read.quarantine.time_us == 1200);
    assert_int_equal(read.quarantine.times, 2);
    assert_string_equal(read.quarantine.why, "no such device");
    for (size_t i = 0; i < ELEMENTS_OF(damaged); i++)
        assert_int_equal(record_parse_machine(damaged[i], &read), -EINVAL);
}

static void test_machine_documents(void **state)
{
    static const struct {
        const char *text;
        int result;
    } cases[] = {
        {"{\"state\":\"running\",\"reason\":\"unknown\"}", 0},
        {"{\"reason\":\"unknown\",\"more\":[1],\"state\":\"running\"}", 0},
        {"{\"state\":\"running\"}", -EINVAL},
        {"{\"reason\":\"unknown\"}", -EINVAL},
        {"{\"state\":\"flying\",\"reason\":\"unknown\"}", -EINVAL},
        {"{\"state\":\"running\",\"reason\":null}", -EINVAL},
        {"{\"state\":1,\"reason\":\"unknown\"}", -EINVAL},
        {"{\"state\":\"running\",\"reason\":\"unknown\",\"failed_unrecovered\":1}", -EINVAL},
        {"{\"state\":\"running\",\"reason\":\"unknown\",\"went_down_with_host\":1}", -EINVAL},
        {"{\"state\":\"running\",\"reason\":\"unknown\"", -EINVAL},
    };
    const struct machine_memory running = {.state = MACHINE_RUNNING};
    const struct string_list nothing = {0};
    _cleanup_(freep) char *text = NULL;

    (void)state;
    assert_int_equal(record_format_machine(&running, &nothing, &text), 0);
    assert_string_equal(text, cases[0].text);
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        struct machine_memory memory = untouched;

        assert_int_equal(record_parse_machine(cases[i].text, &memory), cases[i].result);
        assert_int_equal(memory.state, cases[i].result == 0 ? MACHINE_RUNNING : MACHINE_GONE);
        assert_int_equal(memory.reason, cases[i].result == 0 ? REASON_UNKNOWN : REASON_SNAPSHOT);
        assert_int_equal(memory.failed_unrecovered, cases[i].result != 0);
    }
}

static struct domain_description full_description(void)
{
    static struct disk disks[] = {
        {.source = (char *)"/a.img\0vda\0\0\0/real/a.img", .writable = true, .capacity_bytes = 7},
        {.source = (char *)"pool/v\0\0pool\0v\0", .shareable = true},
    };
    static uint8_t macs[][MAC_SIZE] = {{0x52, 0x54, 0, 0, 0, 1}, {0x52, 0x54, 0, 0xab, 0, 2}};
    static char *hostdevs[] = {(char *)"pci 0000:65:00.0", (char *)"usb 046d:c52b"};
    static char features[] = "database\0mysql\0os\0\0"; /* no value of os */

    return (struct domain_description){
        .uuid = {1, 2},
        .name = TEXT("VM-001"),
        .vcpus = 3,
        .memory_kib = 1 << 20,
        .on_crash = ON_CRASH_PRESERVE,
        .has_agent_channel = true,
        .has_panic_device = true,
        .disks = disks,
        .n_disks = ELEMENTS_OF(disks),
        .macs = macs,
        .n_macs = ELEMENTS_OF(macs),
        .hostdevs = hostdevs,
        .n_hostdevs = ELEMENTS_OF(hostdevs),
        .osinfo_id = TEXT("http://debian.org/debian/12"),
        .has_metadata = true,
        .roles = ROLE_PROTECTED,
        .has_priority = true,
        .priority = -3,
        .service = TEXT("shop"),
        .features = {features},
    };
}

/* With the UUID of that description, which is not in the text. NULL: it cannot be read. */
static struct domain_description *parse_described(const char *text, const struct domain_description *description)
{
    _cleanup_(string_list_done) struct string_list learned = {0};
    struct domain_description *read = NULL;
    struct machine_memory memory;
    char uuid[UUID_TEXT_SIZE];

    uuid_format(description->uuid, uuid);
    assert_int_equal(record_parse_described_machine(text, uuid, &memory, &learned, &read), 0);
    return read;
}

static char *format_described(const struct domain_description *description)
{
    const struct machine_memory memory = {.state = MACHINE_RUNNING};
    const struct string_list learned = {0};
    char *text = NULL;

    assert_int_equal(record_format_described_machine(&memory, &learned, description, &text), 0);
    return text;
}

static void test_description_comes_back(void **state)
{
    struct domain_description full = full_description(), bare = {.name = TEXT("bare")};
    struct domain_description unreadable = {.name = TEXT("unreadable"), .roles = ROLE_UNREADABLE};
    const struct domain_description *given[] = {&full, &bare, &unreadable};

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(given); i++) {
        _cleanup_(freep) char *text = format_described(given[i]);
        _cleanup_(domain_description_freep) struct domain_description *read = parse_described(text, given[i]);

        assert_non_null(read);
        assert_true(domain_description_equal(given[i], read));
        assert_int_equal(domain_description_disk_bytes(read), domain_description_disk_bytes(given[i]));
    }
}

/* Each member matters, and a damaged one is refused, not believed. */
static void test_description_without_one_of_its_members(void **state)
{
    static const char *const optional[] = {"osinfo_id", "role", "service", "hostdevs"};
    struct domain_description full = full_description();
    _cleanup_(freep) char *text = format_described(&full);
    json_t *document = json_loads(text, 0, NULL);
    json_t *object = json_object_get(document, "description"), *whole = json_deep_copy(object), *member;
    const char *key;

    (void)state;
    json_object_foreach(whole, key, member)
    {
        _cleanup_(domain_description_freep) struct domain_description *read = NULL;
        _cleanup_(freep) char *damaged = NULL;
        bool may_miss = false;

        for (size_t i = 0; i < ELEMENTS_OF(optional); i++)
            may_miss |= strcmp(key, optional[i]) == 0;
        assert_int_equal(json_object_del(object, key), 0);
        damaged = json_dumps(document, 0);
        read = parse_described(damaged, &full);
        assert_int_equal(read != NULL, may_miss);
        if (may_miss)
            assert_false(domain_description_equal(&full, read));
        assert_int_equal(json_object_set(object, key, member), 0);
    }
    json_decref(whole);
    json_decref(document);
}

static void test_description_with_a_damaged_member(void **state)
{
    static const struct {
        const char *key, *value;
    } cases[] = {
        {"role", "\"captain\""},
        {"role", "7"},
        {"macs", "[\"52:54:00:00:00\"]"},
        {"macs", "[7]"},
        {"hostdevs", "[null]"},
        {"hostdevs", "{}"},
        {"features", "{}"},
        {"features", "[{\"value\":\"mysql\"}]"},
        {"disks", "[{}]"},
        {"disks", "[{\"target\":\"vda\",\"writable\":true,\"shareable\":true,\"capacity_bytes\":1}]"},
    };
    struct domain_description full = full_description();
    _cleanup_(freep) char *text = format_described(&full);

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        json_t *document = json_loads(text, 0, NULL);
        json_t *value = json_loads(cases[i].value, JSON_DECODE_ANY, NULL);
        _cleanup_(freep) char *damaged = NULL;

        assert_non_null(value);
        assert_int_equal(json_object_set_new(json_object_get(document, "description"), cases[i].key, value), 0);
        damaged = json_dumps(document, 0);
        assert_null(parse_described(damaged, &full));
        json_decref(document);
    }
}

/* Word for word what the daemon wrote before descriptions had services, host devices and addresses of six bytes. */
static void test_description_of_an_earlier_daemon(void **state)
{
    static const char text[] =
        "{\"state\":\"running\",\"reason\":\"unknown\",\"description\":{\"name\":\"VM-001\",\"vcpus\":3,"
        "\"memory_kib\":1048576,\"on_crash\":\"preserve\",\"has_agent_channel\":true,\"has_panic_device\":true,"
        "\"disks\":[{\"source\":\"/a.img\",\"pool\":null,\"volume\":null,\"target\":\"vda\",\"writable\":true,"
        "\"shareable\":false,\"capacity_bytes\":7},{\"source\":\"pool/v\",\"pool\":\"pool\",\"volume\":\"v\","
        "\"target\":null,\"writable\":false,\"shareable\":true,\"capacity_bytes\":0}],"
        "\"macs\":[\"52:54:00:00:00:01\",\"52:54:00:ab:00:02\"],\"osinfo_id\":\"http://debian.org/debian/12\","
        "\"has_metadata\":true,\"role\":\"protected\",\"has_priority\":true,\"priority\":-3,"
        "\"features\":[{\"kind\":\"database\",\"value\":\"mysql\"},{\"kind\":\"os\",\"value\":null}]}}";
    struct domain_description full = full_description();
    struct disk disks[] = {full.disks[0], full.disks[1]};
    _cleanup_(domain_description_freep) struct domain_description *read = parse_described(text, &full);

    (void)state;
    assert_non_null(read);
    disks[0].source = (char *)"/a.img\0vda\0\0\0";
    full.disks = disks;
    full.n_hostdevs = 0;
    full.service = NULL;
    assert_true(domain_description_equal(&full, read));
}

static void test_a_machine_without_description(void **state)
{
    const struct machine_memory memory = {.state = MACHINE_RUNNING};
    _cleanup_(string_list_done) struct string_list learned = {0};
    _cleanup_(freep) char *text = NULL;
    struct domain_description *read = NULL;
    struct machine_memory remembered;

    (void)state;
    assert_int_equal(record_format_machine(&memory, &(struct string_list){0}, &text), 0);
    assert_int_equal(record_parse_described_machine(text, "1", &remembered, &learned, &read), 0);
    assert_null(read);
    assert_int_equal(remembered.state, MACHINE_RUNNING);
    assert_int_equal(record_parse_described_machine("{", "1", &remembered, &learned, &read), -EINVAL);
}

/* The machine is known by the rest of its document. */
static void test_what_was_learned_comes_back_unless_it_is_damaged(void **state)
{
    static const char *const texts[] = {
        "{\"state\":\"running\",\"reason\":\"unknown\",\"learned\":[\"os/debian-12\",\"database/mysql\"]}",
        "{\"state\":\"running\",\"reason\":\"unknown\",\"learned\":[\"os/debian-12\",7]}",
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(texts); i++) {
        _cleanup_(string_list_done) struct string_list learned = {0};
        struct domain_description *read = NULL;
        struct machine_memory memory;

        assert_int_equal(record_parse_described_machine(texts[i], "1", &memory, &learned, &read), 0);
        assert_int_equal(memory.state, MACHINE_RUNNING);
        assert_int_equal(learned.count, i == 0 ? 2 : 0);
    }
}

static void test_host_comes_back(void **state)
{
    const struct host_track given = {
        .state = HOST_FENCED,
        .missing = {.mono_us = 100, .real_us = now.real_us - 5000},
        .fenced = {.mono_us = 200, .real_us = now.real_us - 4000},
    };
    const char *const damaged[] = {"", "{}", "{\"host\":\"gone\"}", "{\"host\":\"fenced\",\"fenced_us\":\"x\"}"};
    _cleanup_(freep) char *text = NULL;
    struct moment missing, fenced;
    enum host_state host_state;

    (void)state;
    assert_int_equal(record_format_host(&given, &text), 0);
    assert_int_equal(record_parse_host(text, now, &host_state, &missing, &fenced), 0);
    assert_int_equal(host_state, HOST_FENCED);
    assert_int_equal(missing.real_us, given.missing.real_us);
    assert_int_equal(missing.mono_us, now.mono_us - 5000);
    assert_int_equal(fenced.mono_us, now.mono_us - 4000);
    for (size_t i = 0; i < ELEMENTS_OF(damaged); i++)
        assert_int_equal(record_parse_host(damaged[i], now, &host_state, &missing, &fenced), -EINVAL);
}

static void test_a_fence_log_comes_back(void **state)
{
    const struct fence_report given[] = {
        {{100, 0}, 5, 3, 1, "ipmi", FENCE_CALL_OFF, false, "exit status 1: \"no\""},
        {{200, 0}, 7, 3, 2, "pdu-a", FENCE_CALL_ON, true, "on"},
    };
    const char *const damaged[] = {"", "{}", "{\"fencing\":1}", "{\"fencing\":[{}]}"};
    struct fence_log log = {0}, read = {0};
    _cleanup_(freep) char *text = NULL;

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(given); i++)
        assert_int_equal(fence_log_add(&log, &given[i]), 0);
    log.all[0].at.real_us = now.real_us - 5000;
    log.all[1].at.real_us = now.real_us - 4000;
    assert_int_equal(record_format_fence_log(&log, &text), 0);
    assert_int_equal(record_parse_fence_log(text, now, &read), 0);
    assert_int_equal(read.count, ELEMENTS_OF(given));
    for (size_t i = 0; i < ELEMENTS_OF(given); i++) {
        assert_int_equal(read.all[i].at.real_us, log.all[i].at.real_us);
        assert_int_equal(read.all[i].at.mono_us, now.mono_us - (now.real_us - log.all[i].at.real_us));
        assert_int_equal(read.all[i].took_us, given[i].took_us);
        assert_int_equal(read.all[i].attempt, given[i].attempt);
        assert_int_equal(read.all[i].level, given[i].level);
        assert_string_equal(read.all[i].agent, given[i].agent);
        assert_int_equal(read.all[i].call, given[i].call);
        assert_int_equal(read.all[i].has_succeeded, given[i].has_succeeded);
        assert_string_equal(read.all[i].answer, given[i].answer);
    }
    fence_log_done(&log);
    fence_log_done(&read);
    for (size_t i = 0; i < ELEMENTS_OF(damaged); i++)
        assert_int_equal(record_parse_fence_log(damaged[i], now, &read), -EINVAL);
}

/* How many more allocations jansson gets. */
static unsigned allocations_left;

static void *scarce_malloc(size_t size)
{
    if (allocations_left == 0)
        return NULL;
    allocations_left--;
    return malloc(size);
}

static void test_out_of_memory(void **state)
{
    struct recovery given = full_recovery();
    _cleanup_(freep) char *text = format(&given);
    struct recovery *read = NULL;
    int formatted = -ENOMEM, parsed = -ENOMEM;

    (void)state;
    json_set_alloc_funcs(scarce_malloc, free);
    for (unsigned n = 0; formatted == -ENOMEM; n++) {
        char *again = NULL;

        allocations_left = n;
        formatted = record_format_recovery(&given, &again);
        free(again);
    }
    /* Within a string jansson takes a lack of memory for a fault of the text. */
    for (unsigned n = 0; parsed == -ENOMEM || parsed == -EINVAL; n++) {
        allocations_left = n;
        parsed = n < 100000 ? record_parse_recovery(text, now, &read) : -ETIME;
    }
    json_set_alloc_funcs(malloc, free);
    assert_int_equal(formatted, 0);
    assert_int_equal(parsed, 0);
    assert_same_recovery(&given, read);
    recovery_free(read);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recovery_comes_back),
        cmocka_unit_test(test_limits_come_back),
        cmocka_unit_test(test_invalid_utf8_is_replaced),
        cmocka_unit_test(test_every_word_comes_back),
        cmocka_unit_test(test_every_word_of_an_explanation_comes_back),
        cmocka_unit_test(test_moments_move_to_the_clock_of_today),
        cmocka_unit_test(test_what_has_not_come_stays_so),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_flipped),
        cmocka_unit_test(test_members_of_another_type),
        cmocka_unit_test(test_missing_members),
        cmocka_unit_test(test_unacceptable_values),
        cmocka_unit_test(test_no_records),
        cmocka_unit_test(test_machine_comes_back),
        cmocka_unit_test(test_keeping_comes_back),
        cmocka_unit_test(test_a_quarantine_comes_back),
        cmocka_unit_test(test_machine_documents),
        cmocka_unit_test(test_description_comes_back),
        cmocka_unit_test(test_description_without_one_of_its_members),
        cmocka_unit_test(test_description_with_a_damaged_member),
        cmocka_unit_test(test_description_of_an_earlier_daemon),
        cmocka_unit_test(test_a_machine_without_description),
        cmocka_unit_test(test_what_was_learned_comes_back_unless_it_is_damaged),
        cmocka_unit_test(test_host_comes_back),
        cmocka_unit_test(test_a_fence_log_comes_back),
        cmocka_unit_test(test_out_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
