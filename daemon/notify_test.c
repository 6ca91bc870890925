/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The hooks of a test have a directory of their own, as those of any event: a hook that moves an address is not run
 * because its author did not look at the event.
 */
#include "notify_test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answers.h"
#include "base/text.h"
#include "hooks/hooks.h"
#include "hooks/listing.h"
#include "programs.h"
#include "report/json.h"
#include "service/clock.h"
#include "settings.h"

#define TEXT "this is a test: nothing has happened, and nothing needs to be done"

struct notify_test;

/* What the answer of one hook is taken for. */
struct tested {
    struct notify_test *test;
    size_t index;
    int64_t begun_us;
    char *path;
    char *answer; /* NULL: none has come, or there was no memory for it */
};

struct notify_test {
    notify_test_done done;
    void *token;
    struct listing names;
    struct tested *tested; /* one for each name */
    struct hook_test *results;
    size_t n_open;
};

static void notify_test_free(struct notify_test *test)
{
    if (test == NULL)
        return;
    for (size_t i = 0; test->tested != NULL && i < test->names.count; i++) {
        free(test->tested[i].path);
        free(test->tested[i].answer);
    }
    listing_done(&test->names);
    free(test->tested);
    free(test->results);
    free(test);
}
DEFINE_CLEANUP(struct notify_test, notify_test_free);

/* Which hook it was about is known. */
static const char *without_path(const struct tested *tested, const char *message)
{
    _cleanup_(freep) char *begin = tested->path != NULL ? text_print("hook %s: ", tested->path) : NULL;
    bool has_path = begin != NULL && strncmp(message, begin, strlen(begin)) == 0;

    return has_path ? message + strlen(begin) : message;
}

/* An answer_taker. The last one ends the test. */
static void on_answer(void *context, int error, const char *message)
{
    struct tested *tested = context;
    struct notify_test *test = tested->test;

    tested->answer = strdup(error < 0 ? without_path(tested, message) : "");
    test->results[tested->index] = (struct hook_test){
        .hook = test->names.names[tested->index],
        .answer = tested->answer != NULL ? tested->answer : "out of memory",
        .took_us = clock_now().mono_us - tested->begun_us,
        .has_succeeded = error == 0,
    };
    if (--test->n_open > 0)
        return;
    test->done(test->token, test->results, test->names.count);
    notify_test_free(test);
}

/* Of all names, the one that is wanted alone. -ENOENT, -ENOMEM. */
static int keep_one(struct listing *names, const char *wanted)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->names[i], wanted) != 0)
            continue;
        listing_done(names);
        *names = (struct listing){0};
        return listing_of_one(wanted, names);
    }
    return -ENOENT;
}

static int list(const char *directory, const char *name, struct listing *ret, const char **ret_message)
{
    const char *why = NULL;
    int r = listing_check_directory(directory, &why);

    if (r == -EPERM) {
        *ret_message =
            "others than root and the user of understudyd may write the directory \"test\" of hooks.directory, "
            "so that none of its programs is run";
        return -EBUSY;
    }
    if (r == 0)
        r = listing_read(directory, ret);
    if (r < 0 && r != -ENOENT)
        return r;
    if (ret->count == 0) {
        *ret_message =
            "no hook is to be tested: make a link to each that is, in the directory \"test\" of hooks.directory";
        return -EBUSY;
    }
    r = name != NULL ? keep_one(ret, name) : 0;
    if (r == -ENOENT)
        *ret_message = "no hook of this name is in the directory \"test\" of hooks.directory";
    return r;
}

static int run(struct notify_test *test, size_t i, struct hooks *hooks, struct answers *answers,
               const struct config_hooks *config, const char *json)
{
    static const struct hook_variable variables[] = {
        {"EVENT", PROGRAMS_TEST_EVENT, false}, {"TEXT", TEXT, false}, {NULL, NULL, false}};
    struct action action = {.id = answers_new_number(answers), .kind = ACTION_HOOK, .hook = HOOK_COUNT};
    struct tested *tested = &test->tested[i];
    int r;

    tested->path = text_print("%s/" PROGRAMS_TEST_EVENT "/%s", config->directory, test->names.names[i]);
    r = tested->path != NULL ? answers_expect(answers, &action, on_answer, tested) : -ENOMEM;
    if (r < 0)
        return r;
    r = hooks_run_program(hooks, action.id, tested->path, PROGRAMS_TEST_EVENT, variables, json, config->timeout_us);
    if (r < 0)
        answers_forget(answers, action.id);
    return r;
}

int notify_test_begin(struct hooks *hooks, struct answers *answers, const struct settings *settings, const char *name,
                      notify_test_done done, void *token, const char **ret_message)
{
    const struct config_hooks *config = &settings->config->hooks;
    _cleanup_(notify_test_freep) struct notify_test *test = calloc(1, sizeof(*test));
    _cleanup_(freep) char *directory = text_print("%s/" PROGRAMS_TEST_EVENT, config->directory);
    _cleanup_(freep) char *json = NULL;
    struct notify_test *running;
    size_t n;
    int r = test != NULL && directory != NULL ? list(directory, name, &test->names, ret_message) : -ENOMEM;

    if (r == 0)
        r = json_format_hook_test_notice(clock_now(), TEXT, &json);
    if (r < 0) {
        json = NULL;
        return r;
    }
    n = test->names.count;
    test->done = done;
    test->token = token;
    test->n_open = n;
    test->tested = calloc(n, sizeof(*test->tested));
    test->results = calloc(n, sizeof(*test->results));
    if (test->tested == NULL || test->results == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        test->tested[i] = (struct tested){.test = test, .index = i, .begun_us = clock_now().mono_us};
    running = steal_pointer(&test);
    for (size_t i = 0; i < n; i++) { /* the last answer frees it, and comes no earlier than from the last turn */
        r = run(running, i, hooks, answers, config, json);
        if (r < 0)
            on_answer(&running->tested[i], r, "could not be run: out of memory");
    }
    return 0;
}
