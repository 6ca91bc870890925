/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fence agents as shell scripts: what they are told, what is believed of them, and what is never repeated. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/moment.h"
#include "hooks/fence.h"
#include "loop.h"

#define LINES_MAX 16

struct world {
    struct event_base *base;
    struct fencer *fencer;
    char directory[40];
    char command[64];
    struct config_fence config;
    char lines[LINES_MAX][2048];
    size_t n_lines;
    bool is_done;
    unsigned done;
    int error;
    char message[512];
};

static void on_line(void *context, const char *host, const char *text)
{
    struct world *world = context;

    assert_string_equal(host, "rack1");
    assert_true(world->n_lines < LINES_MAX);
    snprintf(world->lines[world->n_lines++], sizeof(world->lines[0]), "%s", text);
}

static void on_done(void *context, uint64_t run, int error, const char *message)
{
    struct world *world = context;

    assert_int_equal(run, 7);
    world->done++;
    world->error = error;
    snprintf(world->message, sizeof(world->message), "%s", message);
    world->is_done = true;
}

static int set_up(void **state)
{
    static const struct fencer_callbacks callbacks = {.line = on_line, .done = on_done};
    static struct world world;

    world = (struct world){
        .base = loop_new(),
        .config = {.is_confirmed = true, .timeout_us = 30 * USEC_PER_SEC, .retry_us = USEC_PER_SEC},
    };
    strcpy(world.directory, "/tmp/understudy-fence-XXXXXX");
    assert_non_null(mkdtemp(world.directory));
    snprintf(world.command, sizeof(world.command), "%s/agent", world.directory);
    world.config.command = world.command;
    assert_int_equal(fencer_new(world.base, &callbacks, &world, &world.fencer), 0);
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    static const char *const files[] = {"agent", "told", "told-status"};
    struct world *world = *state;

    fencer_free(world->fencer);
    event_base_free(world->base);
    for (size_t i = 0; i < ELEMENTS_OF(files); i++) {
        char path[80];

        snprintf(path, sizeof(path), "%s/%s", world->directory, files[i]);
        unlink(path);
    }
    return rmdir(world->directory);
}

/* The script has what it was told in $told, the directory in $dir and the action in $action. */
static void write_agent(const struct world *world, const char *script)
{
    FILE *f = fopen(world->command, "w");

    assert_non_null(f);
    fprintf(f, "#!/bin/sh\ndir=%s\ntold=$(cat)\naction=$(echo \"$told\" | sed -n s/^action=//p)\n%s\n",
            world->directory, script);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(world->command, 0755), 0);
}

static void fence_with(struct world *world, const struct config_options *own)
{
    world->is_done = false;
    assert_int_equal(fencer_run(world->fencer, 7, "rack1", &world->config, own), 0);
    assert_false(world->is_done); /* never from within the call */
    assert_true(loop_until(world->base, &world->is_done));
    loop_drain(world->base);
    assert_int_equal(world->done, 1);
}

static void fence(struct world *world)
{
    fence_with(world, &(struct config_options){0});
}

static void read_file(const struct world *world, const char *name, char *ret, size_t size)
{
    char path[80];
    FILE *f;
    size_t n;

    snprintf(path, sizeof(path), "%s/%s", world->directory, name);
    f = fopen(path, "r");
    assert_non_null(f);
    n = fread(ret, 1, size - 1, f);
    ret[n] = '\0';
    fclose(f);
}

static void test_what_the_agent_is_told(void **state)
{
    struct config_option common[] = {{(char *)"lanplus", (char *)"1"}, {(char *)"plug", (char *)"none"}};
    struct config_option own[] = {{(char *)"plug", (char *)"node1"}, {(char *)"passwd", (char *)"hush hush"}};
    static const char expected[] = "action=off\nlanplus=1\nplug=node1\npasswd=hush hush\n";
    struct world *world = *state;
    char told[512];

    world->config.options = (struct config_options){common, ELEMENTS_OF(common)};
    write_agent(world, "[ $# -eq 0 ] || exit 9\n"
                       "case $action in off) echo \"$told\" >$dir/told; env >>$dir/told; exit 0;;\n"
                       "status) echo \"$told\" >$dir/told-status; exit 2;; esac");
    fence_with(world, &(struct config_options){own, ELEMENTS_OF(own)});
    assert_int_equal(world->error, 0);
    assert_string_equal(world->message, "");
    read_file(world, "told", told, sizeof(told));
    assert_int_equal(strncmp(told, expected, strlen(expected)), 0);
    assert_null(strstr(told + strlen(expected), "hush")); /* not in the environment */
    read_file(world, "told-status", told, sizeof(told));
    assert_string_equal(told, "action=status\nlanplus=1\nplug=node1\npasswd=hush hush\n");
}

static void test_an_agent_that_fails(void **state)
{
    struct world *world = *state;

    write_agent(world, "echo 'the switch is gone'; exit 1");
    fence(world);
    assert_int_equal(world->error, -ECANCELED);
    assert_non_null(strstr(world->message, "exit status 1: the switch is gone"));
}

/* As the agents of the fence-agents package do, on standard error. */
static void test_an_agent_that_advises(void **state)
{
    struct world *world = *state;

    write_agent(world, "echo 'ERROR: Ipmitool not found' >&2; echo \"ERROR: Please use '-h' for usage\" >&2; exit 1");
    fence(world);
    assert_int_equal(world->error, -ECANCELED);
    assert_non_null(strstr(world->message, "exit status 1: ERROR: Ipmitool not found"));
    assert_int_equal(world->n_lines, 2);
}

static void test_an_agent_that_lies(void **state)
{
    struct world *world = *state;

    write_agent(world, "exit 0");
    fence(world);
    assert_int_equal(world->error, -EIO);
    assert_non_null(strstr(world->message, "still on"));
}

static void test_an_agent_that_does_not_know_the_status(void **state)
{
    struct world *world = *state;

    write_agent(world, "[ $action = off ] || exit 1");
    fence(world);
    assert_int_equal(world->error, -ECANCELED);
    assert_non_null(strstr(world->message, "cannot say"));
}

static void test_without_confirmation_its_word_is_enough(void **state)
{
    struct world *world = *state;

    world->config.is_confirmed = false;
    write_agent(world, "[ $action = off ]");
    fence(world);
    assert_int_equal(world->error, 0);
}

static void test_a_reboot_is_not_confirmed(void **state)
{
    struct world *world = *state;

    world->config.action = FENCE_REBOOT;
    write_agent(world, "[ $action = reboot ]");
    fence(world);
    assert_int_equal(world->error, 0);
}

static void test_an_agent_that_hangs(void **state)
{
    struct world *world = *state;

    world->config.timeout_us = USEC_PER_SEC / 2;
    write_agent(world, "exec sleep 100");
    fence(world);
    assert_int_equal(world->error, -ETIMEDOUT);
}

static void test_an_agent_that_is_not_there_or_not_to_be_trusted(void **state)
{
    struct world *world = *state;

    fence(world);
    assert_int_equal(world->error, -ENOENT);
    world->done = 0;
    write_agent(world, "exit 0");
    assert_int_equal(chmod(world->command, 0777), 0);
    fence(world);
    assert_int_equal(world->error, -EPERM);
    assert_non_null(strstr(world->message, "writable by other users"));
}

static void test_secrets_are_not_repeated(void **state)
{
    struct config_option own[] = {{(char *)"password", (char *)"s3cr3t"}, {(char *)"snmp_priv_passwd", (char *)"x"}};
    struct world *world = *state;

    write_agent(world, "echo \"$told\"; echo 'login with s3cr3t and s3cr3t failed' >&2; exit 1");
    fence_with(world, &(struct config_options){own, ELEMENTS_OF(own)});
    assert_true(world->n_lines >= 4);
    for (size_t i = 0; i < world->n_lines; i++)
        assert_null(strstr(world->lines[i], "s3cr3t"));
    assert_string_equal(world->lines[1], "password=***");
    assert_null(strstr(world->message, "s3cr3t"));
    assert_non_null(strstr(world->message, "login with *** and *** failed"));
}

/* Runs an agent that prints what the script says and fails. */
static void hear(struct world *world, const char *password, const char *other, const char *script)
{
    struct config_option own[] = {{(char *)"password", (char *)password}, {(char *)"api_token", (char *)other}};
    char whole[512];

    world->n_lines = world->done = 0;
    snprintf(whole, sizeof(whole), "%s\nexit 1", script);
    write_agent(world, whole);
    fence_with(world, &(struct config_options){own, ELEMENTS_OF(own)});
    assert_int_equal(world->error, -ECANCELED);
}

static void assert_heard(struct world *world, const char *password, const char *other, const char *said,
                         const char *expected)
{
    char script[256];

    snprintf(script, sizeof(script), "printf '%%s\\n' '%s'", said);
    hear(world, password, other, script);
    assert_int_equal(world->n_lines, 1);
    assert_string_equal(world->lines[0], expected);
}

static void test_secrets_of_stars(void **state)
{
    assert_heard(*state, "*", "zzz", "a*b", "a*b");
    assert_heard(*state, "**", "zzz", "a**b***", "a**b***");
    assert_heard(*state, "***", "*", "a***b****", "a***b***");
    assert_heard(*state, "x*", "*x", "ax*xb", "a***b");
}

static void test_secrets_within_secrets(void **state)
{
    assert_heard(*state, "admin", "admin123", "as admin123 or admin", "as *** or ***");
    assert_heard(*state, "admin123", "admin", "as admin123 or admin", "as *** or ***");
    assert_heard(*state, "abcdef", "efghij", "<abcdefghij>", "<***>");
    assert_heard(*state, "aba", "zzz", "<ababa>", "<***>");
    assert_heard(*state, "p\xc2\x85q", "zzz", "<p\xc2\x85q>", "<***>"); /* escaped where it is printed */
}

/* A secret wherever the limit of a line may break it; 3 bytes of it are more than may be told. */
static void test_secrets_that_are_cut(void **state)
{
    static const char *const secrets[] = {"S3cr3t-w0rd", "\xc3\x9f\xc3\xa4\xc3\xb6\xc3\xbc"};
    struct world *world = *state;

    for (size_t s = 0; s < ELEMENTS_OF(secrets); s++)
        for (unsigned before = 1012; before <= 1025; before++) {
            char script[256];

            snprintf(script, sizeof(script), "printf '%%0%ud%s and more\\n' 0", before, secrets[s]);
            hear(world, secrets[s], "zzz", script);
            assert_true(world->n_lines == 2 || strlen(secrets[s]) + before + 9 <= 1024);
            for (size_t i = 0; i < world->n_lines; i++) {
                const char *line = world->lines[i];

                assert_int_equal(strspn(line + strspn(line, "0"), "* andmore"), strlen(line + strspn(line, "0")));
            }
        }
}

/* Escaped bytes make a line longer than what is told of it. */
static void test_secrets_where_a_telling_is_cut(void **state)
{
    struct world *world = *state;

    hear(world, "S3cr3t-w0rd", "zzz", "printf '%0620d' 0; printf '\\001%.0s' $(seq 100); printf S3cr3t-w0rd");
    assert_int_equal(world->n_lines, 1);
    assert_null(strstr(world->lines[0], "S"));
}

static void test_secrets_that_end_early(void **state)
{
    struct world *world = *state;

    hear(world, "S3cr3t-w0rd", "zzz", "printf 'login with S3cr3t-w'");
    assert_string_equal(world->lines[0], "login with ***");
    hear(world, "p\xc3\xa4sse\xc3\xa4", "zzz", "printf 'login with p\\303\\244sse\\303'");
    assert_string_equal(world->lines[0], "login with ***");
}

static void test_the_end_while_an_agent_runs(void **state)
{
    struct world *world = *state;

    write_agent(world, "exec sleep 100");
    assert_int_equal(fencer_run(world->fencer, 7, "rack1", &world->config, &(struct config_options){0}), 0);
    loop_drain(world->base);
    assert_int_equal(world->done, 0);
}

#define fence_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        fence_test(test_what_the_agent_is_told),
        fence_test(test_an_agent_that_fails),
        fence_test(test_an_agent_that_advises),
        fence_test(test_an_agent_that_lies),
        fence_test(test_an_agent_that_does_not_know_the_status),
        fence_test(test_without_confirmation_its_word_is_enough),
        fence_test(test_a_reboot_is_not_confirmed),
        fence_test(test_an_agent_that_hangs),
        fence_test(test_an_agent_that_is_not_there_or_not_to_be_trusted),
        fence_test(test_secrets_are_not_repeated),
        fence_test(test_secrets_of_stars),
        fence_test(test_secrets_within_secrets),
        fence_test(test_secrets_that_are_cut),
        fence_test(test_secrets_where_a_telling_is_cut),
        fence_test(test_secrets_that_end_early),
        fence_test(test_the_end_while_an_agent_runs),
    };

    return cmocka_run_group_tests_name("fence", tests, NULL, NULL);
}
