/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "template_trials.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answers.h"
#include "base/text.h"
#include "files/template_files.h"
#include "hypervisor/hypervisor.h"
#include "nodes.h"

struct trials;

/* A host with its templates, which are asked for one after the other. */
struct lane {
    struct trials *trials;
    char *hypervisor;
    struct template **all; /* borrowed from the templates */
    size_t count;
    struct template_trial *results; /* one for each of them; a part of those of the trials */
    size_t n_answered;
};

struct trials {
    template_trials_done done;
    void *token;
    const struct nodes *nodes;
    struct answers *answers;
    int64_t timeout_us;
    char *directory;
    struct templates *templates;
    struct diags findings;
    struct lane *lanes;
    size_t n_lanes;
    struct template_trial *results;
    size_t n_results;
    size_t n_open; /* lanes, and one while it begins */
};

static void trials_free(struct trials *trials)
{
    if (trials == NULL)
        return;
    for (size_t i = 0; i < trials->n_results; i++)
        free((char *)trials->results[i].answer);
    free(trials->results);
    for (size_t i = 0; i < trials->n_lanes; i++)
        free(trials->lanes[i].hypervisor);
    free(trials->lanes);
    templates_free(trials->templates);
    diags_done(&trials->findings);
    free(trials->directory);
    free(trials);
}
DEFINE_CLEANUP(struct trials, trials_free);

/* ---- what the files say ---- */

/* The fault names the file, or quotes the finding where that is about a file beside it. */
static bool is_of(const struct diag *diag, const struct template_fault *fault)
{
    size_t length = diag->file != NULL ? strlen(diag->file) : 0;

    return length > 0 && (strcmp(diag->file, fault->file) == 0 ||
                          (strncmp(fault->text, diag->file, length) == 0 && fault->text[length] == ':'));
}

static void mark_faults(struct diags *findings, const struct template_set *set)
{
    for (size_t i = 0; i < findings->count; i++)
        for (size_t j = 0; j < set->n_faults; j++)
            if (is_of(&findings->items[i], &set->faults[j]))
                findings->items[i].severity = DIAG_ERROR;
}

static int add_lane(struct trials *trials, const char *hypervisor)
{
    const struct template_set *set = templates_of(trials->templates, hypervisor);
    struct lane *lane = &trials->lanes[trials->n_lanes];

    *lane = (struct lane){.trials = trials, .hypervisor = strdup(hypervisor)};
    if (lane->hypervisor == NULL)
        return -ENOMEM;
    trials->n_lanes++;
    if (set == NULL)
        return 0;
    lane->all = set->all;
    lane->count = set->count;
    trials->n_results += set->count;
    return 0;
}

static int make_results(struct trials *trials)
{
    size_t n = 0;

    trials->results = calloc(trials->n_results + 1, sizeof(*trials->results));
    if (trials->results == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < trials->n_lanes; i++) {
        struct lane *lane = &trials->lanes[i];

        lane->results = &trials->results[n];
        for (size_t j = 0; j < lane->count; j++)
            trials->results[n++] = (struct template_trial){.name = lane->all[j]->name, .hypervisor = lane->hypervisor};
    }
    return 0;
}

static int prepare(struct trials *trials, const struct config *config)
{
    int r = text_format(&trials->directory, "%s", config->pool.templates);

    trials->timeout_us = config->recovery.call_timeout_us;
    trials->lanes = calloc(config->n_hypervisors + 1, sizeof(*trials->lanes));
    if (r == 0)
        r = trials->lanes != NULL ? templates_load(config, &trials->findings, &trials->templates) : -ENOMEM;
    if (r < 0)
        return r;
    mark_faults(&trials->findings, trials->templates->everywhere);
    for (size_t i = 0; r == 0 && i < config->n_hypervisors; i++)
        r = add_lane(trials, config->hypervisors[i].name);
    return r == 0 ? make_results(trials) : r;
}

/* ---- what the hosts say ---- */

static void close_lane(struct trials *trials)
{
    struct template_check check = {
        .directory = trials->directory,
        .findings = &trials->findings,
        .trials = trials->results,
        .n_trials = trials->n_results,
    };

    if (--trials->n_open > 0)
        return;
    for (size_t i = 0; i < trials->n_results; i++)
        if (trials->results[i].answer == NULL && !trials->results[i].is_good)
            trials->results[i].answer = strdup("out of memory");
    trials->done(trials->token, &check);
    trials_free(trials);
}

static void note(struct lane *lane, int error, const char *message)
{
    struct template_trial *result = &lane->results[lane->n_answered++];

    result->is_good = error == 0;
    result->answer = error < 0 ? strdup(message[0] != '\0' ? message : strerror(-error)) : NULL;
}

static void on_answer(void *context, int error, const char *message);

static int ask(struct lane *lane)
{
    const struct trials *trials = lane->trials;
    struct hypervisor *hypervisor = nodes_find(trials->nodes, lane->hypervisor);
    struct action action = {
        .kind = ACTION_DESCRIBE,
        .id = answers_new_number(trials->answers),
        .timeout_us = trials->timeout_us,
    };
    int r;

    if (hypervisor == NULL)
        return -ENOTCONN;
    snprintf(action.target.hypervisor, sizeof(action.target.hypervisor), "%s", lane->hypervisor);
    r = answers_expect(trials->answers, &action, on_answer, lane);
    if (r < 0)
        return r;
    r = hypervisor_try(hypervisor, &action, lane->all[lane->n_answered]);
    if (r < 0)
        answers_forget(trials->answers, action.id);
    return r;
}

/* Closes the lane where nothing is left to be asked. */
static void ask_next(struct lane *lane)
{
    while (lane->n_answered < lane->count) {
        int r = ask(lane);

        if (r == 0)
            return;
        note(lane, r, r == -ENOTCONN ? "the host is not watched" : "");
    }
    close_lane(lane->trials);
}

static bool is_silent(int error)
{
    return error == -ETIMEDOUT || error == -ENOTCONN || error == -ECANCELED;
}

/* An answer_taker. */
static void on_answer(void *context, int error, const char *message)
{
    struct lane *lane = context;

    note(lane, error, message);
    while (is_silent(error) && lane->n_answered < lane->count)
        note(lane, error, message);
    ask_next(lane);
}

int template_trials_begin(const struct nodes *nodes, struct answers *answers, const struct config *config,
                          template_trials_done done, void *token)
{
    _cleanup_(trials_freep) struct trials *trials = calloc(1, sizeof(*trials));
    struct trials *running;
    size_t n;
    int r = trials != NULL ? prepare(trials, config) : -ENOMEM;

    if (r != 0)
        return r;
    trials->done = done;
    trials->token = token;
    trials->nodes = nodes;
    trials->answers = answers;
    n = trials->n_lanes;
    trials->n_open = n + 1;
    running = steal_pointer(&trials);
    for (size_t i = 0; i < n; i++)
        ask_next(&running->lanes[i]);
    close_lane(running);
    return 0;
}
