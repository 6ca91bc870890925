/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Time, chance and memory of the simulator: what happens when, the same dice for the same seed, the trace. */
#include <stdarg.h>
#include <string.h>

#include "simulation.h"

uint64_t random_next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

/* splitmix64's way to make neighbours strangers. */
uint64_t random_state(uint64_t base, unsigned n)
{
    uint64_t state = base + n * UINT64_C(0x9e3779b97f4a7c15);

    state = (state ^ state >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    state = (state ^ state >> 27) * UINT64_C(0x94d049bb133111eb);
    return (state ^ state >> 31) | 1;
}

uint64_t random_below(uint64_t *state, uint64_t limit)
{
    return (random_next(state) >> 16) % limit;
}

bool random_hits(uint64_t *state, unsigned percent)
{
    return random_below(state, 100) < percent;
}

int64_t random_between(uint64_t *state, int64_t low, int64_t high)
{
    return low + (int64_t)random_below(state, (uint64_t)(high - low + 1));
}

static void keep(struct simulation *simulation, const char *line)
{
    uint64_t hash = simulation->result->hash;

    for (const char *c = line; *c != '\0'; c++)
        hash = (hash ^ (unsigned char)*c) * UINT64_C(1099511628211);
    simulation->result->hash = hash;
    strcpy(simulation->tail[simulation->n_lines++ % TAIL_LINES], line);
    if (simulation->options->trace != NULL)
        fprintf(simulation->options->trace, "%s\n", line);
}

void say(struct simulation *simulation, const char *format, ...)
{
    char line[LINE_SIZE];
    va_list arguments;
    int length = snprintf(line, sizeof(line), "%11.6f  ", (double)simulation->now.mono_us / USEC_PER_SEC);

    va_start(arguments, format);
    vsnprintf(line + length, sizeof(line) - (size_t)length, format, arguments);
    va_end(arguments);
    keep(simulation, line);
}

static void keep_tail(struct simulation *simulation)
{
    size_t n = simulation->n_lines < TAIL_LINES ? simulation->n_lines : TAIL_LINES, size = 0;
    FILE *f = open_memstream(&simulation->result->tail, &size);

    if (f == NULL)
        return;
    for (size_t i = simulation->n_lines - n; i < simulation->n_lines; i++)
        fprintf(f, "%s\n", simulation->tail[i % TAIL_LINES]);
    fclose(f);
}

static bool is_overlooked(const struct simulation *simulation, const char *format)
{
    for (size_t i = 0; i < OVERLOOKED_MAX && simulation->options->overlooked[i] != NULL; i++)
        if (strstr(format, simulation->options->overlooked[i]) != NULL)
            return true;
    return false;
}

void violate(struct simulation *simulation, const char *format, ...)
{
    struct simulation_result *result = simulation->result;
    va_list arguments;

    if (result->is_violated || is_overlooked(simulation, format))
        return;
    result->is_violated = true;
    result->promise = format;
    va_start(arguments, format);
    vsnprintf(result->violation, sizeof(result->violation), format, arguments);
    va_end(arguments);
    say(simulation, "VIOLATED: %s", result->violation);
    keep_tail(simulation);
}

static bool is_before(const struct thing *a, const struct thing *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

void agenda_add(struct simulation *simulation, int64_t delay_us, struct thing thing)
{
    size_t i = simulation->n_things++;

    if (simulation->n_things > simulation->things_size) {
        simulation->things_size = simulation->things_size * 2 + 64;
        simulation->things = reallocarray(simulation->things, simulation->things_size, sizeof(thing));
        if (simulation->things == NULL)
            abort();
    }
    thing.at_us = simulation->now.mono_us + delay_us;
    thing.order = simulation->order++;
    for (; i > 0 && is_before(&thing, &simulation->things[(i - 1) / 2]); i = (i - 1) / 2)
        simulation->things[i] = simulation->things[(i - 1) / 2];
    simulation->things[i] = thing;
}

const struct thing *agenda_first(const struct simulation *simulation)
{
    return simulation->n_things > 0 ? &simulation->things[0] : NULL;
}

struct thing agenda_take(struct simulation *simulation)
{
    struct thing first = simulation->things[0], last = simulation->things[--simulation->n_things];
    size_t i = 0, n = simulation->n_things;

    for (size_t child = 1; child < n; child = 2 * i + 1) {
        if (child + 1 < n && is_before(&simulation->things[child + 1], &simulation->things[child]))
            child++;
        if (!is_before(&simulation->things[child], &last))
            break;
        simulation->things[i] = simulation->things[child];
        i = child;
    }
    simulation->things[i] = last;
    return first;
}

bool strikes(struct simulation *simulation, uint64_t *state, enum fault fault, unsigned percent)
{
    /* The dice are thrown in any case: a class that is off leaves the others their course. */
    bool hits = random_hits(state, percent);

    if (!hits || simulation->is_quiet || (simulation->options->faults & UINT64_C(1) << fault) == 0)
        return false;
    simulation->result->faults[fault]++;
    return true;
}

bool spot_is(struct simulation *simulation, enum spot_kind kind, unsigned place)
{
    for (size_t i = 0; i < simulation->options->n_spots; i++)
        if (simulation->options->spots[i].kind == kind && simulation->options->spots[i].place == place)
            return true;
    return false;
}
