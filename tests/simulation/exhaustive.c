/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every course of one short scenario (one runs and dies, alone or with its host, and two stand by, there or on
 * hosts of their own) with up to three faults: each
 * kind at each place where it can happen. A fault at a place that the course never comes to changes
 * nothing: that course was run already, and is left out.
 */
#include <stdio.h>
#include <string.h>

#include "simulation.h"

enum place_kind {
    PLACE_CALL,
    PLACE_EVENT,
    PLACE_WRITE,
    PLACE_FENCING,
};

static const struct {
    const char *name;
    enum place_kind of;
} kinds[SPOT_COUNT] = {
    [SPOT_CALL_FAILS] = {"call fails", PLACE_CALL},
    [SPOT_CALL_HANGS] = {"call succeeds late", PLACE_CALL},
    [SPOT_CALL_HANGS_FAILS] = {"call fails late", PLACE_CALL},
    [SPOT_CALL_LIES] = {"call acts and errs", PLACE_CALL},
    [SPOT_EVENT_LOST] = {"event lost", PLACE_EVENT},
    [SPOT_EVENT_TWICE] = {"event twice", PLACE_EVENT},
    [SPOT_EVENT_LATE] = {"event late", PLACE_EVENT},
    [SPOT_WRITE_FAILS] = {"write fails", PLACE_WRITE},
    [SPOT_CRASH_BEFORE_WRITE] = {"daemon dies before write", PLACE_WRITE},
    [SPOT_CRASH_AFTER_WRITE] = {"daemon dies after write", PLACE_WRITE},
    [SPOT_CRASH_AT_CALL] = {"daemon dies at call", PLACE_CALL},
    [SPOT_DISCONNECT_AT_CALL] = {"disconnected at call", PLACE_CALL},
    [SPOT_FENCE_FAILS] = {"fencing fails", PLACE_FENCING},
    [SPOT_FENCE_LATE] = {"fencing succeeds late", PLACE_FENCING},
    [SPOT_FENCE_LIES] = {"fencing lies", PLACE_FENCING},
    [SPOT_CRASH_AT_FENCE] = {"daemon dies at fencing", PLACE_FENCING},
};

/* Of each kind of fault; a course of three faults that has more of them is cut off there. */
#define PLACES_MAX 14
#define SPOTS_MAX  (SPOT_COUNT * PLACES_MAX)

struct search {
    struct spot spots[SPOTS_MAX];
    size_t n_spots;
    unsigned long runs, recoveries;
    unsigned long outcomes[RECOVERY_STATE_COUNT];
    unsigned part, parts;
    bool *seen;
    bool is_violated;
};

static void tell(const struct simulation_options *options, const struct simulation_result *result)
{
    printf("%s", result->tail != NULL ? result->tail : "");
    printf("violated with:");
    for (size_t i = 0; i < options->n_spots; i++)
        printf(" %s #%u%s", kinds[options->spots[i].kind].name, options->spots[i].place,
               i + 1 < options->n_spots ? "," : "");
    printf(": %s\n", result->violation);
}

/* ret_places: how many calls, events and writes this course had. */
static void run(struct search *search, const struct simulation_options *options, unsigned ret_places[PLACES])
{
    struct simulation_result *result = calloc(1, sizeof(*result));

    if (result == NULL)
        abort();
    simulation_run(options, result);
    memcpy(ret_places, result->places, sizeof(result->places));
    search->runs++;
    search->recoveries += result->recoveries;
    for (unsigned i = 0; i < RECOVERY_STATE_COUNT; i++)
        search->outcomes[i] += result->outcomes[i];
    if (result->is_violated && !search->is_violated)
        tell(options, result);
    search->is_violated |= result->is_violated;
    free(result->tail);
    free(result);
}

/* The same faults in another order are the same course. */
static bool is_seen(struct search *search, const size_t chosen[3])
{
    size_t a = chosen[0], b = chosen[1], c = chosen[2], place;
    size_t least = a < b ? (a < c ? a : c) : (b < c ? b : c);
    size_t most = a > b ? (a > c ? a : c) : (b > c ? b : c);
    bool was_seen;

    place = (least * (SPOTS_MAX + 1) + (a + b + c - least - most)) * (SPOTS_MAX + 1) + most;
    was_seen = search->seen[place];
    search->seen[place] = true;
    return was_seen;
}

/* The parts share the courses with as many faults as there may be, in whatever order these are chosen. */
static bool is_of_this_part(const struct search *search, const size_t chosen[3])
{
    return (chosen[0] + chosen[1] + chosen[2]) % search->parts == search->part;
}

/* chosen: the faults of this course by number from 1 on, 0 for none; n of them. */
static void descend(struct search *search, struct simulation_options *options, size_t chosen[3], unsigned depth)
{
    unsigned places[PLACES];

    run(search, options, places);
    for (size_t i = 0; depth > 0 && i < search->n_spots && !search->is_violated; i++) {
        if (search->spots[i].place >= places[kinds[search->spots[i].kind].of])
            continue;
        chosen[options->n_spots] = i + 1;
        if ((depth > 1 || is_of_this_part(search, chosen)) && !is_seen(search, chosen)) {
            options->spots[options->n_spots++] = search->spots[i];
            descend(search, options, chosen, depth - 1);
            options->n_spots--;
        }
        chosen[options->n_spots] = 0;
    }
}

bool exhaustive_run(const struct simulation_options *common, unsigned depth, unsigned part, unsigned parts)
{
    struct simulation_options options = *common;
    struct search search = {.part = part, .parts = parts};
    size_t chosen[3] = {0};

    options.seed = 1;
    options.faults = UINT64_C(1) << (common->has_short_hosts ? FAULT_POWER_LOSS : FAULT_CRASH);
    options.faults |= common->faults & UINT64_C(1) << FAULT_BATCH;
    options.is_short = true;
    search.seen = calloc((SPOTS_MAX + 1) * (SPOTS_MAX + 1) * (SPOTS_MAX + 1), sizeof(*search.seen));
    if (search.seen == NULL || depth > ELEMENTS_OF(chosen))
        abort();
    for (unsigned kind = 0; kind < SPOT_COUNT; kind++)
        for (unsigned place = 0; place < PLACES_MAX; place++)
            search.spots[search.n_spots++] = (struct spot){(enum spot_kind)kind, place};
    descend(&search, &options, chosen, depth);
    free(search.seen);
    printf("up to %u faults at once: %lu courses, %lu recoveries:", depth, search.runs, search.recoveries);
    for (unsigned i = RECOVERY_RECOVERED; i < RECOVERY_STATE_COUNT; i++)
        printf(" %s %lu", recovery_state_name((enum recovery_state)i), search.outcomes[i]);
    printf("\n%s\n", search.is_violated ? "violated" : "violations: 0");
    return !search.is_violated;
}
