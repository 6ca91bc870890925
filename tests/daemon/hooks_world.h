/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A directory of hooks that a test writes, and an ear for what they say and how they end. */
#ifndef UNDERSTUDY_TESTS_DAEMON_HOOKS_WORLD_H
#define UNDERSTUDY_TESTS_DAEMON_HOOKS_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/moment.h"
#include "hooks/hooks.h"
#include "loop.h"

#define LINES_MAX  1100
#define DONE_MAX   8
#define PATIENT_US (60 * USEC_PER_SEC)

struct done {
    uint64_t run;
    int error;
    char *hook;
    char *message;
};

/* What the hooks were heard to say, and how they ended. */
struct world {
    struct event_base *base;
    struct hooks *hooks;
    char directory[32];

    char *lines[LINES_MAX]; /* "event hook: text" */
    size_t line_count;
    const char *awaited; /* the beginning of a text, without event and hook */
    bool is_heard;
    const char *next_directory; /* run once more when done */
    struct done done[DONE_MAX];
    size_t done_count;
    size_t done_awaited;
    bool is_done;
};

static inline void on_line(void *context, uint64_t run, const char *event, const char *hook, const char *text)
{
    struct world *world = context;
    bool is_first = strcmp(event, "a") == 0, is_second = strcmp(event, "b") == 0;

    /* As the tests number them. */
    assert_int_equal(run, is_first ? 1 : is_second ? 2 : strcmp(event, "next") == 0 ? 8 : 7);
    assert_true(world->line_count < LINES_MAX);
    assert_true(asprintf(&world->lines[world->line_count++], "%s %s: %s", event, hook, text) > 0);
    if (world->awaited != NULL && strncmp(text, world->awaited, strlen(world->awaited)) == 0)
        world->is_heard = true;
}

/* As a line, but marked, so that a hook cannot say it. */
static inline void on_passed_over(void *context, uint64_t run, const char *event, const char *hook, const char *why)
{
    char text[512];

    snprintf(text, sizeof(text), "(passed over) %s", why);
    on_line(context, run, event, hook, text);
}

static inline void on_done(void *context, uint64_t run, int error, const char *hook, const char *message)
{
    static const struct hook_variable none[] = {{0}};
    struct world *world = context;

    assert_true(world->done_count < DONE_MAX);
    world->done[world->done_count++] =
        (struct done){.run = run, .error = error, .hook = strdup(hook), .message = strdup(message)};
    world->is_done = world->done_count == world->done_awaited;
    if (world->next_directory != NULL)
        assert_int_equal(hooks_run(world->hooks, run + 1, world->next_directory, NULL, "next", none, NULL, PATIENT_US),
                         0);
    world->next_directory = NULL;
}

static inline int set_up(void **state)
{
    static const struct hooks_callbacks callbacks = {.line = on_line, .passed_over = on_passed_over, .done = on_done};
    static struct world world;

    world = (struct world){.base = loop_new()};
    strcpy(world.directory, "/tmp/understudy-hooks-XXXXXX");
    assert_non_null(mkdtemp(world.directory));
    assert_int_equal(hooks_new(world.base, &callbacks, &world, &world.hooks), 0);
    *state = &world;
    return 0;
}

/* Whatever a test did: no child is left, dead or alive. */
static inline int tear_down(void **state)
{
    struct world *world = *state;
    char command[64];

    hooks_free(world->hooks);
    event_base_free(world->base);
    for (size_t i = 0; i < world->line_count; i++)
        free(world->lines[i]);
    for (size_t i = 0; i < world->done_count; i++) {
        free(world->done[i].hook);
        free(world->done[i].message);
    }
    snprintf(command, sizeof(command), "rm -r %s", world->directory);
    assert_int_equal(system(command), 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    return 0;
}

static inline const char *in(struct world *world, const char *name)
{
    static char paths[4][PATH_MAX];
    static unsigned next;
    char *path = paths[next++ % ELEMENTS_OF(paths)];

    snprintf(path, PATH_MAX, "%s/%s", world->directory, name);
    return path;
}

static inline void write_file(struct world *world, const char *name, const char *text, mode_t mode)
{
    FILE *file = fopen(in(world, name), "we");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(in(world, name), mode), 0);
}

static inline void write_hook(struct world *world, const char *name, const char *script)
{
    char text[2048];

    assert_true((size_t)snprintf(text, sizeof(text), "#!/bin/sh\n%s\n", script) < sizeof(text));
    write_file(world, name, text, 0755);
}

static inline void wait_done(struct world *world, size_t count)
{
    world->done_awaited = count;
    world->is_done = world->done_count >= count;
    assert_true(loop_until(world->base, &world->is_done));
    assert_int_equal(world->done_count, count);
}

static inline void assert_done(const struct world *world, int error, const char *hook, const char *message)
{
    const struct done *last = &world->done[world->done_count - 1];

    assert_string_equal(last->message, message);
    assert_string_equal(last->hook, hook);
    assert_int_equal(last->error, error);
    assert_int_equal(last->run, 7);
}

/* The lines heard are these and no others. */
#define assert_lines(world, ...)                                                                                       \
    check_lines(world, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static inline void check_lines(const struct world *world, const char *const *expected, size_t count)
{
    for (size_t i = 0; i < count && i < world->line_count; i++)
        assert_string_equal(world->lines[i], expected[i]);
    assert_int_equal(world->line_count, count);
}

#endif
