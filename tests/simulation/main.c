/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* simulate: runs seeds, or one with its trace, or every course of a short scenario. */
#include <getopt.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "simulation.h"

static const char usage[] =
    "usage: simulate [--seeds N] [--from SEED]     runs N seeds (default 100), and tells what happened in them\n"
    "       simulate --seed SEED [--trace]         one of them, with everything that happens in it\n"
    "       simulate --exhaustive DEPTH [--part I/N] [--warm]\n"
    "                                              every course of a short scenario with up to DEPTH faults;\n"
    "                                              --warm: a standby is on its way to being warm then\n"
    "                                              --hosts: it dies with its host\n"
    "                                              --batches: inputs that come together are handed on together\n"
    "  --without FAULT   leaves a class of faults out; --list-faults names them\n"
    "  --overlook WORDS  a violation with these words is known, and does not count\n"
    "  --foretell        each seed: the loss of a host is foretold, and nothing but that happens\n"
    "  --violations N    stops after so many (default 5)\n"
    "  --no-shrink       prints a failing run as it is\n";

enum option_kind {
    OPTION_SEEDS,
    OPTION_FROM,
    OPTION_SEED,
    OPTION_TRACE,
    OPTION_EXHAUSTIVE,
    OPTION_PART,
    OPTION_WARM,
    OPTION_WITHOUT,
    OPTION_VIOLATIONS,
    OPTION_OVERLOOK,
    OPTION_LIST,
    OPTION_NO_SHRINK,
    OPTION_HOSTS,
    OPTION_BATCHES,
    OPTION_FORETELL,
    OPTION_HELP,
};

struct arguments {
    uint64_t n_seeds, from;
    uint64_t faults;
    bool is_traced, is_one, no_shrink, is_warm, has_hosts, has_batches, foretells;
    unsigned depth, part, parts;
    const char *overlooked[OVERLOOKED_MAX];
    size_t n_overlooked;
    unsigned long enough; /* violations, to stop */
};

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void add_up(struct simulation_result *total, const struct simulation_result *one)
{
    total->crashes += one->crashes;
    total->recoveries += one->recoveries;
    total->steps += one->steps;
    total->n_incidents += one->n_incidents;
    for (unsigned i = 0; i < FAULT_COUNT; i++)
        total->faults[i] += one->faults[i];
    for (unsigned i = 0; i < RECOVERY_STATE_COUNT; i++)
        total->outcomes[i] += one->outcomes[i];
    for (unsigned i = 0; i < WARMING_COUNT_COUNT; i++)
        total->warm[i] += one->warm[i];
}

static void tell_failure(struct simulation_options *options, struct simulation_result *result, bool no_shrink)
{
    printf("seed %" PRIu64 ": %s\n", options->seed, result->violation);
    if (!no_shrink)
        shrink(options, result);
    printf("%s", result->tail != NULL ? result->tail : "");
    printf("seed %" PRIu64 " failed: %s\n", options->seed, result->violation);
}

static void tell_totals(const struct simulation_result *total, uint64_t n, double took, unsigned long n_violated)
{
    printf("%" PRIu64 " seeds in %.1f s, %.0f seeds/s; %lu steps, %lu failures of machines, %lu recoveries\n", n, took,
           (double)n / took, total->steps, total->crashes, total->recoveries);
    printf("outcomes: ");
    for (unsigned i = RECOVERY_RECOVERED; i < RECOVERY_STATE_COUNT; i++)
        printf(" %s %lu", recovery_state_name((enum recovery_state)i), total->outcomes[i]);
    printf("\nfaults:   ");
    for (unsigned i = 0; i < FAULT_COUNT; i++)
        printf(" %s %lu", fault_names[i], total->faults[i]);
    printf("\nwarmth:    warmed %lu refreshed %lu failed %lu given-back %lu taken %lu of-these-running %lu\n",
           total->warm[WARMING_WARMED], total->warm[WARMING_REFRESHED], total->warm[WARMING_DID_NOT],
           total->warm[WARMING_GIVEN_BACK], total->warm[WARMING_TAKEN], total->warm[WARMING_TAKEN_RUNNING]);
    printf("violations: %lu\n", n_violated);
}

/* The same seed, twice, is the same course. */
static bool is_reproducible(const struct simulation_options *options, uint64_t hash)
{
    struct simulation_result again;

    simulation_run(options, &again);
    free(again.tail);
    if (again.hash == hash)
        return true;
    printf("seed %" PRIu64 " took another course when it was run again\n", options->seed);
    return false;
}

static int run_seeds(const struct arguments *arguments)
{
    struct simulation_result total = {0}, *one = calloc(1, sizeof(*one));
    double began = seconds();
    unsigned long n_violated = 0;

    if (one == NULL)
        return EXIT_FAILURE;
    for (uint64_t i = 0; i < arguments->n_seeds; i++) {
        struct simulation_options options = {
            .seed = arguments->from + i,
            .faults = arguments->faults,
            .foretells = arguments->foretells,
        };
        bool is_broken;

        memcpy(options.overlooked, arguments->overlooked, sizeof(options.overlooked));
        if (arguments->is_traced)
            options.trace = stdout;
        simulation_run(&options, one);
        add_up(&total, one);
        is_broken = one->is_violated;
        if (is_broken && !arguments->is_traced)
            tell_failure(&options, one, arguments->no_shrink);
        else if (!arguments->is_traced && i % 64 == 0 && !is_reproducible(&options, one->hash))
            is_broken = true;
        n_violated += is_broken;
        free(one->tail);
        if (n_violated >= arguments->enough)
            break;
    }
    free(one);
    tell_totals(&total, arguments->n_seeds, seconds() - began, n_violated);
    return n_violated > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int run_exhaustive(const struct arguments *arguments)
{
    struct simulation_options options = {
        .is_warm = arguments->is_warm,
        .has_short_hosts = arguments->has_hosts,
        .faults = arguments->has_batches ? UINT64_C(1) << FAULT_BATCH : 0,
        .trace = arguments->is_traced ? stdout : NULL,
    };

    memcpy(options.overlooked, arguments->overlooked, sizeof(options.overlooked));
    return exhaustive_run(&options, arguments->depth, arguments->part, arguments->parts) ? EXIT_SUCCESS : EXIT_FAILURE;
}

static bool take_without(struct arguments *arguments, const char *name)
{
    for (unsigned i = 0; i < FAULT_COUNT; i++)
        if (strcmp(fault_names[i], name) == 0) {
            arguments->faults &= ~(UINT64_C(1) << i);
            return true;
        }
    fprintf(stderr, "simulate: no class of faults is called %s\n", name);
    return false;
}

static void list_faults(void)
{
    for (unsigned i = 0; i < FAULT_COUNT; i++)
        printf("%s\n", fault_names[i]);
}

static bool take(struct arguments *arguments, int option, const char *value)
{
    switch (option) {
    case OPTION_SEEDS:
        arguments->n_seeds = strtoull(value, NULL, 10);
        return true;
    case OPTION_SEED:
        arguments->n_seeds = 1;
        arguments->from = strtoull(value, NULL, 10);
        return true;
    case OPTION_FROM:
        arguments->from = strtoull(value, NULL, 10);
        return true;
    case OPTION_TRACE:
        arguments->is_traced = true;
        return true;
    case OPTION_EXHAUSTIVE:
        arguments->depth = (unsigned)strtoul(value, NULL, 10);
        return true;
    case OPTION_PART:
        return sscanf(value, "%u/%u", &arguments->part, &arguments->parts) == 2 && arguments->part < arguments->parts;
    case OPTION_WARM:
        arguments->is_warm = true;
        return true;
    case OPTION_WITHOUT:
        return take_without(arguments, value);
    case OPTION_NO_SHRINK:
        arguments->no_shrink = true;
        return true;
    case OPTION_VIOLATIONS:
        arguments->enough = strtoul(value, NULL, 10);
        return true;
    case OPTION_OVERLOOK:
        if (arguments->n_overlooked >= OVERLOOKED_MAX)
            return false;
        arguments->overlooked[arguments->n_overlooked++] = value;
        return true;
    case OPTION_HOSTS:
        arguments->has_hosts = true;
        return true;
    case OPTION_BATCHES:
        arguments->has_batches = true;
        return true;
    case OPTION_FORETELL:
        arguments->foretells = true;
        return true;
    case OPTION_LIST:
    case OPTION_HELP:
    default:
        return false;
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"seeds", required_argument, NULL, OPTION_SEEDS},
        {"from", required_argument, NULL, OPTION_FROM},
        {"seed", required_argument, NULL, OPTION_SEED},
        {"trace", no_argument, NULL, OPTION_TRACE},
        {"exhaustive", required_argument, NULL, OPTION_EXHAUSTIVE},
        {"part", required_argument, NULL, OPTION_PART},
        {"warm", no_argument, NULL, OPTION_WARM},
        {"without", required_argument, NULL, OPTION_WITHOUT},
        {"violations", required_argument, NULL, OPTION_VIOLATIONS},
        {"overlook", required_argument, NULL, OPTION_OVERLOOK},
        {"list-faults", no_argument, NULL, OPTION_LIST},
        {"hosts", no_argument, NULL, OPTION_HOSTS},
        {"batches", no_argument, NULL, OPTION_BATCHES},
        {"foretell", no_argument, NULL, OPTION_FORETELL},
        {"no-shrink", no_argument, NULL, OPTION_NO_SHRINK},
        {"help", no_argument, NULL, OPTION_HELP},
        {0},
    };
    struct arguments arguments = {.n_seeds = 100, .from = 1, .faults = FAULTS_ALL, .parts = 1, .enough = 5};
    int given;

    while ((given = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (given == OPTION_LIST) {
            list_faults();
            return EXIT_SUCCESS;
        }
        if (!take(&arguments, given, optarg)) {
            fputs(usage, given == OPTION_HELP ? stdout : stderr);
            return given == OPTION_HELP ? EXIT_SUCCESS : 2;
        }
    }
    return arguments.depth > 0 ? run_exhaustive(&arguments) : run_seeds(&arguments);
}
