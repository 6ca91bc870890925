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

#define LINES_MAX   16
#define REPORTS_MAX 16

struct world {
    struct event_base *base;
    struct fencer *fencer;
    char directory[40];
    char command[64];
    struct config_fence config;
    char lines[LINES_MAX][2048];
    size_t n_lines;
    struct fence_report reports[REPORTS_MAX];
    size_t n_reports;
    bool is_done;
    unsigned done;
    int error;
    char message[512];
};

static void on_line(void *context, const char *host, const char *agent, const char *text)
{
    struct world *world = context;

    assert_string_equal(host, "rack1");
    assert_string_not_equal(agent, "");
    assert_true(world->n_lines < LINES_MAX);
    snprintf(world->lines[world->n_lines++], sizeof(world->lines[0]), "%s", text);
}

static void on_report(void *context, const char *host, const struct fence_report *report)
{
    struct world *world = context;

    assert_string_equal(host, "rack1");
    assert_true(world->n_reports < REPORTS_MAX);
    world->reports[world->n_reports++] = *report;
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
    static const struct fencer_callbacks callbacks = {.line = on_line, .report = on_report, .done = on_done};
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
    static const char *const files[] = {"agent", "told", "told-status", "asked"};
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

/* is_test: the agent of this name, or with NULL each one, is asked for the status. */
static void run(struct world *world, const struct config_hypervisor *host, bool is_test, const char *agent)
{
    world->is_done = false;
    world->done = 0;
    world->n_reports = 0;
    if (is_test)
        assert_int_equal(fencer_test(world->fencer, 7, host, &world->config, agent), 0);
    else
        assert_int_equal(fencer_run(world->fencer, 7, host, &world->config), 0);
    assert_false(world->is_done); /* never from within the call */
    assert_true(loop_until(world->base, &world->is_done));
    loop_drain(world->base);
    assert_int_equal(world->done, 1);
}

static void fence_with(struct world *world, const struct config_options *own)
{
    const struct config_hypervisor host = {.name = (char *)"rack1", .fence = *own};

    run(world, &host, false, NULL);
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

    write_agent(world, "[ $action = off ] || exit 1\n"
                       "echo 'ERROR: Ipmitool not found' >&2; echo \"ERROR: Please use '-h' for usage\" >&2; exit 1");
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

    write_agent(world, "[ $action = off ] || { echo 'no such action' >&2; exit 1; }");
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

/* What the agents were asked, a line each: "ACTION NAME", or where no option says the name, "ACTION ". */
#define ASKED "name=$(echo \"$told\" | sed -n s/^name=//p)\necho \"$action $name\" >>$dir/asked\n"

static void assert_asked(const struct world *world, const char *expected)
{
    char path[80], asked[512];

    read_file(world, "asked", asked, sizeof(asked));
    assert_string_equal(asked, expected);
    snprintf(path, sizeof(path), "%s/asked", world->directory);
    assert_int_equal(unlink(path), 0);
}

static void test_a_reboot_is_off_and_then_on(void **state)
{
    struct world *world = *state;

    world->config.action = FENCE_REBOOT;
    write_agent(world, ASKED "[ $action != status ] || exit 2");
    fence(world);
    assert_int_equal(world->error, 0);
    assert_asked(world, "off \nstatus \non \n");
    assert_int_equal(world->n_reports, 2);
    assert_int_equal(world->reports[0].call, FENCE_CALL_OFF);
    assert_int_equal(world->reports[1].call, FENCE_CALL_ON);
    assert_true(world->reports[1].has_succeeded);
    assert_string_equal(world->reports[1].answer, "on");

    /* That it stays off is told, and what it ran may be started elsewhere. */
    write_agent(world, ASKED "case $action in status) exit 2;; on) exit 1;; esac");
    fence(world);
    assert_int_equal(world->error, 0);
    assert_false(world->reports[1].has_succeeded);
}

/* An agent that says "already off" with an error: what counts is the status. */
static void test_a_host_that_is_off_already(void **state)
{
    struct world *world = *state;

    write_agent(world, ASKED "[ $action = off ] || exit 2\necho 'already off'\nexit 1");
    fence(world);
    assert_int_equal(world->error, 0);
    assert_string_equal(world->message, "");
    assert_asked(world, "off \nstatus \n");
    assert_int_equal(world->n_reports, 1);
    assert_true(world->reports[0].has_succeeded);
    assert_non_null(strstr(world->reports[0].answer, "off, as its status says"));
    assert_non_null(strstr(world->reports[0].answer, "already off"));
}

/* Exit status 2 is that of an agent without its arguments, and of a shell that cannot read it: to status as to off. */
static void test_an_agent_that_is_called_wrongly_has_fenced_nothing(void **state)
{
    struct world *world = *state;

    write_agent(world, ASKED "echo 'no plug is given'\nexit 2");
    fence(world);
    assert_true(world->error < 0);
    assert_non_null(strstr(world->message, "no plug is given"));
    assert_asked(world, "off \n");
    assert_int_equal(world->n_reports, 1);
    assert_false(world->reports[0].has_succeeded);
}

static void test_an_agent_that_hangs_and_has_switched_it_off(void **state)
{
    struct world *world = *state;

    world->config.timeout_us = USEC_PER_SEC / 2;
    write_agent(world, "[ $action != status ] || exit 2\nexec sleep 100");
    fence(world);
    assert_int_equal(world->error, 0);
    assert_true(world->reports[0].has_succeeded);
    assert_true(world->reports[0].took_us >= USEC_PER_SEC / 2);
}

static struct config_option name_options[] = {
    {(char *)"name", (char *)"ipmi"}, {(char *)"name", (char *)"pdu-a"}, {(char *)"name", (char *)"pdu-b"}};

/* Three agents on two levels, which are one script that is told its name. */
static void set_levels(struct world *world, struct config_fence_agent agents[3])
{
    static struct config_fence_turn turns[] = {{0, (char *)"ipmi"}, {1, (char *)"pdu-a"}, {1, (char *)"pdu-b"}};

    for (size_t i = 0; i < 3; i++)
        agents[i] = (struct config_fence_agent){turns[i].agent, world->command, {&name_options[i], 1}};
    world->config.command = NULL;
    world->config.agents = agents;
    world->config.n_agents = 3;
    world->config.turns = turns;
    world->config.n_turns = 3;
}

/* All of a level must succeed; the next level is tried when one fails, hangs or lies. */
static void test_levels(void **state)
{
    static const char *const faults[] = {"exit 1", "exec sleep 100", "exit 0"};
    struct config_fence_agent agents[3];
    struct world *world = *state;
    char script[512];

    set_levels(world, agents);
    world->config.timeout_us = USEC_PER_SEC / 2;
    for (size_t i = 0; i < ELEMENTS_OF(faults); i++) {
        snprintf(script, sizeof(script), ASKED "if [ $name = ipmi ]; then %s; fi\n[ $action != status ] || exit 2",
                 faults[i]);
        write_agent(world, script);
        fence(world);
        assert_int_equal(world->error, 0);
        assert_asked(world, "off ipmi\nstatus ipmi\noff pdu-a\nstatus pdu-a\noff pdu-b\nstatus pdu-b\n");
        assert_int_equal(world->n_reports, 3);
        assert_false(world->reports[0].has_succeeded);
        assert_int_equal(world->reports[0].level, 1);
        assert_string_equal(world->reports[2].agent, "pdu-b");
        assert_int_equal(world->reports[2].level, 2);
        assert_true(world->reports[2].has_succeeded);
    }
    /* The first level is enough. */
    write_agent(world, ASKED "[ $action != status ] || exit 2");
    fence(world);
    assert_int_equal(world->error, 0);
    assert_asked(world, "off ipmi\nstatus ipmi\n");
    /* One of two switches is not. */
    write_agent(world, ASKED "[ $name = pdu-a ] || { echo \"no $name\"; exit 1; }\n[ $action != status ] || exit 2");
    fence(world);
    assert_int_equal(world->error, -ECANCELED);
    assert_non_null(strstr(world->message, "ipmi: exit status 1: no ipmi; pdu-b: exit status 1: no pdu-b"));
    assert_asked(world, "off ipmi\nstatus ipmi\noff pdu-a\nstatus pdu-a\noff pdu-b\nstatus pdu-b\n");
}

static void test_a_reboot_by_levels(void **state)
{
    struct config_fence_agent agents[3];
    struct world *world = *state;

    set_levels(world, agents);
    world->config.action = FENCE_REBOOT;
    write_agent(world, ASKED "[ $name != ipmi ] || exit 1\n[ $action != status ] || exit 2");
    fence(world);
    assert_int_equal(world->error, 0);
    assert_asked(world,
                 "off ipmi\nstatus ipmi\noff pdu-a\nstatus pdu-a\noff pdu-b\nstatus pdu-b\non pdu-a\non pdu-b\n");
}

static void test_a_level_whose_agent_cannot_be_run(void **state)
{
    struct config_fence_agent agents[3];
    struct world *world = *state;

    set_levels(world, agents);
    agents[0].command = (char *)"/nonexistent/agent";
    write_agent(world, ASKED "[ $action != status ] || exit 2");
    fence(world);
    assert_int_equal(world->error, 0);
    assert_asked(world, "off pdu-a\nstatus pdu-a\noff pdu-b\nstatus pdu-b\n");
    assert_non_null(strstr(world->reports[0].answer, "/nonexistent/agent is not run"));
}

/* What an agent says is bounded, and was cut within a character of the reports. */
static void test_an_answer_is_cut_between_characters(void **state)
{
    struct config_fence_agent agents[3];
    struct world *world = *state;

    for (unsigned shift = 0; shift < 3; shift++) {
        char script[256];

        set_levels(world, agents);
        snprintf(script, sizeof(script),
                 ASKED "printf '%.*s'; for i in $(seq 300); do printf '\352\260\200'; done; exit 1", (int)shift, "xx");
        write_agent(world, script);
        fence(world);
        for (size_t i = 0; i < world->n_reports; i++) {
            const char *answer = world->reports[i].answer;
            size_t length = strlen(answer);

            assert_true(length > 200);
            assert_memory_equal(answer + length - 3, "\352\260\200", 3);
        }
        world->n_reports = 0;
    }
}

/* A test asks each agent for the status, and nothing else. */
static void test_a_test_asks_for_the_status_only(void **state)
{
    const struct config_hypervisor host = {.name = (char *)"rack1"};
    struct config_fence_agent agents[3];
    struct world *world = *state;

    set_levels(world, agents);
    world->config.timeout_us = USEC_PER_SEC / 2;
    write_agent(world, ASKED "case $name in ipmi) exit 2;; pdu-a) exit 0;; *) exec sleep 100;; esac");
    run(world, &host, true, NULL);
    assert_int_equal(world->error, 0);
    assert_asked(world, "status ipmi\nstatus pdu-a\nstatus pdu-b\n");
    assert_int_equal(world->n_reports, 3);
    assert_string_equal(world->reports[0].answer, "off");
    assert_string_equal(world->reports[1].answer, "on");
    assert_false(world->reports[2].has_succeeded);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(world->reports[i].call, FENCE_CALL_STATUS);
    run(world, &host, true, "pdu-a");
    assert_asked(world, "status pdu-a\n");
    assert_int_equal(fencer_test(world->fencer, 7, &host, &world->config, "pdu-c"), -ENOENT);
    agents[1].command = (char *)"/nonexistent/agent";
    run(world, &host, true, "pdu-a");
    assert_false(world->reports[0].has_succeeded);
}

static void test_options_of_agents_and_hosts(void **state)
{
    struct config_option common[] = {
        {(char *)"a", (char *)"1"}, {(char *)"b", (char *)"1"}, {(char *)"c", (char *)"1"}};
    struct config_option of_agent[] = {
        {(char *)"b", (char *)"2"}, {(char *)"c", (char *)"2"}, {(char *)"d", (char *)"2"}};
    struct config_option of_host[] = {{(char *)"c", (char *)"3"}, {(char *)"d", (char *)"3"}};
    struct config_option of_both[] = {{(char *)"d", (char *)"4"}};
    struct config_fence_agent agents[3],
        host_agents[] = {{(char *)"pdu-a", NULL, {NULL, 0}}, {(char *)"ipmi", NULL, {of_both, ELEMENTS_OF(of_both)}}};
    const struct config_hypervisor host = {
        .name = (char *)"rack1",
        .fence = {of_host, ELEMENTS_OF(of_host)},
        .fence_agents = host_agents,
        .n_fence_agents = ELEMENTS_OF(host_agents),
    };
    struct world *world = *state;
    char told[256];

    set_levels(world, agents);
    world->config.options = (struct config_options){common, ELEMENTS_OF(common)};
    agents[0].options = (struct config_options){of_agent, ELEMENTS_OF(of_agent)};
    write_agent(world, "echo \"$told\" >$dir/told");
    run(world, &host, true, "ipmi");
    read_file(world, "told", told, sizeof(told));
    assert_string_equal(told, "action=status\na=1\nb=2\nc=3\nd=4\n");
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
    snprintf(whole, sizeof(whole), "[ $action = off ] || exit 1\n%s\nexit 1", script);
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
    assert_int_equal(
        fencer_run(world->fencer, 7, &(const struct config_hypervisor){.name = (char *)"rack1"}, &world->config), 0);
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
        fence_test(test_a_reboot_is_off_and_then_on),
        fence_test(test_a_host_that_is_off_already),
        fence_test(test_an_agent_that_is_called_wrongly_has_fenced_nothing),
        fence_test(test_an_agent_that_hangs_and_has_switched_it_off),
        fence_test(test_levels),
        fence_test(test_a_reboot_by_levels),
        fence_test(test_a_level_whose_agent_cannot_be_run),
        fence_test(test_an_answer_is_cut_between_characters),
        fence_test(test_a_test_asks_for_the_status_only),
        fence_test(test_options_of_agents_and_hosts),
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
