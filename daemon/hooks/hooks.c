/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A run: the programs of a directory, or one program, and which of them is under way. */
#include "hooks/hooks.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "hooks/listing.h"
#include "hooks/output.h"
#include "hooks/process.h"
#include "hooks/sequence.h"

static const char *const fixed_environment[] = {PROCESS_PATH, PROCESS_LANG};

struct hooks {
    struct event_base *base;
    struct hooks_callbacks callbacks;
    void *context;
    struct sequence_list runs;
};

struct run {
    struct sequence sequence;
    struct hooks *hooks;
    uint64_t number;
    char *directory;   /* NULL: the one name in programs is a path */
    char *veto_parent; /* or NULL */
    char *event;
    char *json;
    char **environment; /* ends with NULL */
    int64_t timeout_us;
    bool is_listed; /* programs have been read */
    struct listing programs;
    size_t position; /* of the program under way, or the next one */
    char last_line[OUTPUT_LINE_BYTES + 1];
};

static void free_strings(char **strings)
{
    for (size_t i = 0; strings != NULL && strings[i] != NULL; i++)
        free(strings[i]);
    free(strings);
}

static void run_free(struct run *run)
{
    if (run == NULL)
        return;
    sequence_done(&run->sequence);
    listing_done(&run->programs);
    free_strings(run->environment);
    free(run->directory);
    free(run->veto_parent);
    free(run->event);
    free(run->json);
    free(run);
}
DEFINE_CLEANUP(struct run, run_free);

/* The run may be gone after this. */
static void answer(struct run *run, int error, const char *hook, const char *message)
{
    run->hooks->callbacks.done(run->hooks->context, run->number, error, hook, message);
    sequence_end(&run->sequence);
}

static const char *current(const struct run *run)
{
    return run->programs.names[run->position];
}

static void tell_passed_over(struct run *run, const char *hook, const char *why)
{
    run->hooks->callbacks.passed_over(run->hooks->context, run->number, run->event, hook, why);
}

static void on_line(struct sequence *sequence, const char *text)
{
    struct run *run = (struct run *)sequence;

    snprintf(run->last_line, sizeof(run->last_line), "%.*s", (int)text_fit(text, sizeof(run->last_line) - 1), text);
    run->hooks->callbacks.line(run->hooks->context, run->number, run->event, current(run), text);
}

static void on_ended(struct sequence *sequence, int error, const char *message)
{
    struct run *run = (struct run *)sequence;

    char words[PROCESS_MESSAGE_SIZE + OUTPUT_LINE_BYTES];

    snprintf(words, sizeof(words), "%s%s%s", message, run->last_line[0] != '\0' ? ": " : "", run->last_line);
    if (error < 0)
        answer(run, error, current(run), words);
    else
        run->position++;
}

static int start_program(struct run *run, const char *path, char *ret_message)
{
    const struct program program = {
        .path = path,
        .argument = run->event,
        .environment = run->environment,
        .input = run->json,
        .timeout_us = run->timeout_us,
    };

    run->last_line[0] = '\0';
    return sequence_run(&run->sequence, &program, ret_message);
}

/*
 * A file of a directory that must not be run is passed over, unless it may be a veto that is meant; for that, and for a
 * program that was asked for by its path, it is an error. 1: a program runs now; 0: it was passed over.
 */
static int start_or_pass_over(struct run *run, char *ret_message)
{
    _cleanup_(freep) char *path = NULL;
    const char *why;
    int r;

    if (asprintf(&path, "%s%s%s", run->directory == NULL ? "" : run->directory, run->directory == NULL ? "" : "/",
                 current(run)) < 0) {
        path = NULL;
        snprintf(ret_message, PROCESS_MESSAGE_SIZE, "cannot be run: %s", strerrordesc_np(ENOMEM));
        return -ENOMEM;
    }
    r = listing_check_program(path, &why);
    if (r == 0) {
        r = start_program(run, path, ret_message);
        return r < 0 ? r : 1;
    }
    snprintf(ret_message, PROCESS_MESSAGE_SIZE, "not run: %s", why);
    if (run->directory == NULL)
        return r;
    if (run->veto_parent != NULL && listing_is_meant(path))
        return -ENOEXEC;
    tell_passed_over(run, current(run), ret_message);
    run->position++;
    return 0;
}

/* 1: one was found, and is the only name of the run's programs; 0: none. */
static int find_stray_program(struct run *run)
{
    _cleanup_(listing_done) struct listing beside = {0};
    int r = run->veto_parent != NULL ? listing_read(run->veto_parent, &beside) : 0;

    for (size_t i = 0; r == 0 && i < beside.count; i++) {
        _cleanup_(freep) char *path = text_print("%s/%s", run->veto_parent, beside.names[i]);

        if (path == NULL)
            return -ENOMEM;
        if (!listing_is_stray_program(path))
            continue;
        r = listing_of_one(beside.names[i], &run->programs);
        return r < 0 ? r : 1;
    }
    return r;
}

/*
 * False: others may write it, and none of its programs is run. Negative errno: -ENOENT; it cannot be looked at; or -ENOEXEC: it
 * is not trusted, and a veto may be in it.
 */
static int is_trusted(struct run *run, const char *directory, char *ret_message)
{
    char text[PROCESS_MESSAGE_SIZE];
    const char *why;
    int r = listing_check_directory(directory, &why);

    /* Who may write the directory above can take this one away. */
    if (r >= 0 && run->veto_parent != NULL && listing_check_directory(run->veto_parent, &why) == -EPERM)
        r = -EPERM;
    if (r != -EPERM)
        return r < 0 ? r : 1;
    snprintf(text, sizeof(text), "none of its programs is run: %s", why);
    if (run->veto_parent != NULL) {
        memcpy(ret_message, text, sizeof(text));
        return -ENOEXEC;
    }
    tell_passed_over(run, directory, text);
    return 0;
}

/* Negative errno, with a message. */
static int list_programs(struct run *run, char *ret_message)
{
    int r = find_stray_program(run);

    if (r > 0) {
        snprintf(ret_message, PROCESS_MESSAGE_SIZE, "not run: it stands beside the directories of the events");
        return -ENOEXEC;
    }
    if (r == 0)
        r = is_trusted(run, run->directory, ret_message);
    if (r > 0)
        r = listing_read(run->directory, &run->programs);
    if (r < 0 && r != -ENOENT && r != -ENOEXEC)
        snprintf(ret_message, PROCESS_MESSAGE_SIZE, "cannot be read: %s", strerrordesc_np(-r));
    return r == -ENOENT ? 0 : r;
}

/* Runs the first program that is to be run, or says that there is none. Negative errno, with a message. */
static int run_next(struct run *run, char *ret_message)
{
    while (run->position < run->programs.count) {
        int r = start_or_pass_over(run, ret_message);

        if (r != 0)
            return r;
    }
    answer(run, 0, "", "");
    return 0;
}

static void on_step(struct sequence *sequence)
{
    struct run *run = (struct run *)sequence;
    char message[PROCESS_MESSAGE_SIZE];
    int r;

    if (!run->is_listed) {
        run->is_listed = true;
        r = list_programs(run, message);
        if (r < 0) {
            answer(run, r, run->programs.count > 0 ? current(run) : run->directory, message);
            return;
        }
    }
    r = run_next(run, message);
    if (r < 0)
        answer(run, r, current(run), message);
}

static void free_sequence(struct sequence *sequence)
{
    run_free((struct run *)sequence);
}

static const struct sequence_type run_type = {
    .step = on_step,
    .line = on_line,
    .ended = on_ended,
    .free = free_sequence,
};

static int make_environment(const struct hook_variable *variables, char ***ret)
{
    const size_t fixed = ELEMENTS_OF(fixed_environment);
    size_t count = 0;
    char **strings;

    while (variables[count].name != NULL)
        count++;
    strings = calloc(fixed + count + 1, sizeof(*strings));
    if (strings == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < fixed + count; i++) {
        const struct hook_variable *variable = i < fixed ? NULL : &variables[i - fixed];
        int r = variable == NULL ? asprintf(&strings[i], "%s", fixed_environment[i])
                                 : asprintf(&strings[i], "%s%s=%s", variable->is_own ? "" : "UNDERSTUDY_",
                                            variable->name, variable->value == NULL ? "" : variable->value);

        if (r < 0) {
            strings[i] = NULL;
            free_strings(strings);
            return -ENOMEM;
        }
    }
    *ret = strings;
    return 0;
}

/* A run that knows everything but its programs, and has not begun. */
static int run_new(struct hooks *hooks, uint64_t number, const char *event, const struct hook_variable *variables,
                   const char *json, int64_t timeout_us, struct run **ret)
{
    _cleanup_(run_freep) struct run *run = calloc(1, sizeof(*run));

    if (run == NULL)
        return -ENOMEM;
    run->hooks = hooks;
    run->number = number;
    run->timeout_us = timeout_us;
    run->event = strdup(event);
    run->json = strdup(json == NULL ? "" : json);
    if (run->event == NULL || run->json == NULL || make_environment(variables, &run->environment) < 0 ||
        sequence_init(&run->sequence, hooks->base, &run_type) < 0)
        return -ENOMEM;
    *ret = steal_pointer(&run);
    return 0;
}

static void run_begin(struct run *run)
{
    sequence_begin(&run->sequence, &run->hooks->runs);
}

int hooks_new(struct event_base *base, const struct hooks_callbacks *callbacks, void *context, struct hooks **ret)
{
    struct hooks *hooks = calloc(1, sizeof(*hooks));

    if (hooks == NULL)
        return -ENOMEM;
    hooks->base = base;
    hooks->callbacks = *callbacks;
    hooks->context = context;
    LIST_INIT(&hooks->runs);
    *ret = hooks;
    return 0;
}

int hooks_run(struct hooks *hooks, uint64_t number, const char *directory, const char *veto_parent, const char *event,
              const struct hook_variable *variables, const char *json, int64_t timeout_us)
{
    _cleanup_(run_freep) struct run *run = NULL;
    int r = run_new(hooks, number, event, variables, json, timeout_us, &run);

    if (r < 0)
        return r;
    run->directory = strdup(directory);
    run->veto_parent = text_copy(veto_parent);
    if (run->directory == NULL || (veto_parent != NULL && run->veto_parent == NULL))
        return -ENOMEM;
    run_begin(steal_pointer(&run));
    return 0;
}

int hooks_run_program(struct hooks *hooks, uint64_t number, const char *path, const char *event,
                      const struct hook_variable *variables, const char *json, int64_t timeout_us)
{
    _cleanup_(run_freep) struct run *run = NULL;
    int r = run_new(hooks, number, event, variables, json, timeout_us, &run);

    if (r < 0)
        return r;
    r = listing_of_one(path, &run->programs);
    if (r < 0)
        return r;
    run->is_listed = true;
    run_begin(steal_pointer(&run));
    return 0;
}

size_t hooks_count(const struct hooks *hooks)
{
    return sequence_list_count(&hooks->runs);
}

void hooks_free(struct hooks *hooks)
{
    if (hooks == NULL)
        return;
    sequence_list_free(&hooks->runs);
    free(hooks);
}
