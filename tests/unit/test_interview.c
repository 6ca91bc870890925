/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an agent is asked in which order, by what it allows, and agents that lie, flood and go away. */
#include "discovery/interview.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "shipped_catalog.h"

static struct catalog *catalog;

static int set_up(void **state)
{
    (void)state;
    catalog = shipped_catalog();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    catalog_free(catalog);
    return 0;
}

/* A path, or all words of a program with blanks between, and what it holds or prints. */
struct thing {
    const char *name, *text;
};

/* A guest with programs and files, and an agent that allows some commands. */
struct agent {
    const char *commands; /* allowed ones, with blanks between and around */
    const char *osinfo, *frozen;
    const struct thing *things;
    const char *current; /* the text of the program or file that was opened last */
    size_t at;
    unsigned polls; /* until a program has ended */
    char log[4096]; /* what was asked for */
};

static char *encode(const char *text, size_t length)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *result = calloc(1, (length + 2) / 3 * 4 + 1);

    assert_non_null(result);
    for (size_t i = 0; i < length; i += 3) {
        uint32_t word = 0;

        for (size_t k = 0; k < 3; k++)
            word = word << 8 | (i + k < length ? (unsigned char)text[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            result[i / 3 * 4 + k] = i + k > length ? '=' : digits[word >> (18 - 6 * k) & 63];
    }
    return result;
}

static const char *find(const struct agent *agent, const char *name)
{
    for (size_t i = 0; agent->things[i].name != NULL; i++)
        if (strcmp(agent->things[i].name, name) == 0)
            return agent->things[i].text;
    return NULL;
}

static json_t *info(const struct agent *agent)
{
    static const char *const names[] = {"guest-exec", "guest-exec-status", "guest-file-open", "guest-file-read",
                                        "guest-file-close"};
    json_t *commands = json_array();

    for (size_t i = 0; i < ELEMENTS_OF(names); i++) {
        char name[40];

        snprintf(name, sizeof(name), " %s ", names[i]);
        json_array_append_new(
            commands, json_pack("{s:s, s:b}", "name", names[i], "enabled", strstr(agent->commands, name) != NULL));
    }
    return json_pack("{s:s, s:o}", "version", "7.2", "supported_commands", commands);
}

static json_t *exec(struct agent *agent, const json_t *arguments)
{
    char words[512];
    size_t length = (size_t)snprintf(words, sizeof(words), "%s", json_string_value(json_object_get(arguments, "path")));
    const json_t *list = json_object_get(arguments, "arg");

    assert_true(json_is_true(json_object_get(arguments, "capture-output")));
    for (size_t i = 0; i < json_array_size(list); i++)
        length +=
            (size_t)snprintf(words + length, sizeof(words) - length, " %s", json_string_value(json_array_get(list, i)));
    agent->current = find(agent, words);
    agent->polls = 2;
    snprintf(agent->log + strlen(agent->log), sizeof(agent->log) - strlen(agent->log), "exec %s\n", words);
    return agent->current != NULL ? json_pack("{s:i}", "pid", 77) : NULL;
}

static json_t *status(struct agent *agent)
{
    _cleanup_(freep) char *text = encode(agent->current, strlen(agent->current));

    if (agent->polls-- > 0)
        return json_pack("{s:b}", "exited", 0);
    return json_pack("{s:b, s:i, s:s}", "exited", 1, "exitcode", 0, "out-data", text);
}

static json_t *open_file(struct agent *agent, const json_t *arguments)
{
    const char *path = json_string_value(json_object_get(arguments, "path"));

    agent->current = find(agent, path);
    agent->at = 0;
    snprintf(agent->log + strlen(agent->log), sizeof(agent->log) - strlen(agent->log), "file %s\n", path);
    return agent->current != NULL ? json_integer(1000) : NULL;
}

/* In small parts, whatever was asked for. */
static json_t *read_file(struct agent *agent)
{
    size_t left = strlen(agent->current + agent->at), length = left < 10 ? left : 10;
    _cleanup_(freep) char *text = encode(agent->current + agent->at, length);

    agent->at += length;
    return json_pack("{s:i, s:s, s:b}", "count", (int)length, "buf-b64", text, "eof", length == left);
}

static json_t *answer(struct agent *agent, const char *name, const json_t *arguments)
{
    char allowed[40];

    snprintf(allowed, sizeof(allowed), " %s ", name);
    if (strcmp(name, "guest-info") == 0)
        return info(agent);
    if (strcmp(name, "guest-fsfreeze-status") == 0)
        return json_string(agent->frozen != NULL ? agent->frozen : "thawed");
    if (strcmp(name, "guest-get-osinfo") == 0)
        return agent->osinfo != NULL ? json_loads(agent->osinfo, 0, NULL) : NULL;
    if (strcmp(name, "guest-get-fsinfo") == 0)
        return json_pack("[{s:s, s:s, s:s}]", "name", "vdb", "mountpoint", "/srv/orders", "type", "ext4");
    assert_non_null(strstr(agent->commands, allowed)); /* what is not allowed is not asked for */
    if (strcmp(name, "guest-exec") == 0)
        return exec(agent, arguments);
    if (strcmp(name, "guest-exec-status") == 0)
        return status(agent);
    if (strcmp(name, "guest-file-open") == 0)
        return open_file(agent, arguments);
    if (strcmp(name, "guest-file-read") == 0)
        return read_file(agent);
    assert_string_equal(name, "guest-file-close");
    return json_object();
}

static void reply(struct agent *agent, struct interview *interview, const char *command)
{
    json_t *asked = json_loads(command, 0, NULL), *value;
    _cleanup_(freep) char *text = NULL;

    assert_non_null(asked);
    value = answer(agent, json_string_value(json_object_get(asked, "execute")), json_object_get(asked, "arguments"));
    json_decref(asked);
    if (value != NULL) {
        json_t *object = json_pack("{s:o}", "return", value);

        text = json_dumps(object, 0);
        json_decref(object);
    }
    interview_answer(interview, text);
}

static void ask_all(struct agent *agent, struct interview *interview)
{
    const char *command;

    for (;;)
        switch (interview_next(interview, &command)) {
        case INTERVIEW_SEND:
            reply(agent, interview, command);
            break;
        case INTERVIEW_WAIT:
            break;
        case INTERVIEW_END:
            return;
        }
}

static struct interview *talk(struct agent *agent, enum software_mode mode)
{
    struct interview *interview = NULL;

    assert_int_equal(interview_new(catalog, mode, &interview), 0);
    ask_all(agent, interview);
    return interview;
}

static struct interview *talk_of_ports(struct agent *agent, enum software_mode mode)
{
    struct interview *interview = NULL;

    assert_int_equal(interview_new_of_ports(mode, &interview), 0);
    ask_all(agent, interview);
    return interview;
}

static void assert_learned(const struct interview *interview, const char *expected)
{
    _cleanup_(feature_texts_done) struct feature_texts features = {0};
    struct feature_text feature;
    char found[4096] = "";
    size_t length = 0;

    assert_int_equal(guest_conclude(interview_guest(interview), &features), 0);
    for (size_t place = 0; feature_texts_next(&features, &place, &feature);)
        length += (size_t)snprintf(found + length, sizeof(found) - length, "%s%s/%s", length > 0 ? " " : "",
                                   feature.kind, feature.value != NULL ? feature.value : "none");
    assert_string_equal(found, expected);
}

#define ALL   " guest-exec guest-exec-status guest-file-open guest-file-read guest-file-close "
#define FILES " guest-file-open guest-file-read guest-file-close "

#define SYSTEMCTL "/usr/bin/systemctl show --property=Id,UnitFileState,ActiveState,ExecStart *"
#define UNITS     "Id=nginx.service\nUnitFileState=enabled\n"
#define TCP       "0: 00000000:0050 00000000:0000 0A\n"
#define STATUS    "Package: nginx\nStatus: install ok installed\n\nPackage: nodejs\nStatus: install ok installed\n"
#define FSTAB     "LABEL=orders /srv/orders ext4 x 0 2\n"

static const struct thing debian[] = {
    {"/usr/bin/apt-mark showmanual", "nginx\nphp8.2-cli\n"},
    {SYSTEMCTL, UNITS},
    {"/proc/net/tcp", TCP},
    {"/var/lib/dpkg/status", STATUS},
    {"/var/lib/apt/extended_states", "Package: nodejs\nAuto-Installed: 1\n"},
    {"/etc/fstab", FSTAB},
    {NULL, NULL},
};

static void test_by_programs_where_that_is_allowed(void **state)
{
    struct agent agent = {.commands = ALL, .osinfo = "{\"id\": \"debian\", \"version-id\": \"12\"}", .things = debian};
    _cleanup_(interview_freep) struct interview *interview = talk(&agent, SOFTWARE_AUTO);

    (void)state;
    assert_string_equal(agent.log, "exec /usr/bin/apt-mark showmanual\nexec " SYSTEMCTL "\nfile /proc/net/tcp\n"
                                   "file /proc/net/tcp6\nfile /etc/fstab\n");
    assert_learned(interview, "os/debian-12 os-family/debian language/php webserver/nginx data/orders port/80");
    assert_true(interview_was_possible(interview) && interview_is_complete(interview));
    assert_null(interview_lack(interview));
}

static void test_by_files_where_programs_are_blocked(void **state)
{
    struct agent agent = {
        .commands = FILES, .osinfo = "{\"id\": \"debian\", \"version-id\": \"12\"}", .things = debian};
    _cleanup_(interview_freep) struct interview *interview = talk(&agent, SOFTWARE_AUTO);

    (void)state;
    assert_string_equal(agent.log, "file /var/lib/dpkg/status\nfile /var/lib/apt/extended_states\nfile /proc/net/tcp\n"
                                   "file /proc/net/tcp6\nfile /etc/fstab\n");
    assert_learned(interview, "os/debian-12 os-family/debian webserver/nginx data/orders port/80");
    assert_non_null(strstr(interview_lack(interview), "guest-exec"));
}

static void test_what_is_left_where_files_are_blocked_too(void **state)
{
    struct agent agent = {.commands = " ", .osinfo = "{\"id\": \"rhel\", \"version-id\": \"9.3\"}", .things = debian};
    _cleanup_(interview_freep) struct interview *interview = talk(&agent, SOFTWARE_AUTO);

    (void)state;
    assert_string_equal(agent.log, "");
    assert_learned(interview, "os/rhel-9 os-family/redhat data/srv/orders");
    assert_non_null(interview_lack(interview));
}

static void test_a_mode_leaves_ways_out(void **state)
{
    struct agent agent = {.commands = ALL, .osinfo = "{\"id\": \"debian\"}", .things = debian};
    _cleanup_(interview_freep) struct interview *files = talk(&agent, SOFTWARE_FILES);
    _cleanup_(interview_freep) struct interview *exec_only = NULL, *off = NULL;

    (void)state;
    assert_null(strstr(agent.log, "exec "));
    assert_null(interview_lack(files));
    agent.log[0] = '\0';
    exec_only = talk(&agent, SOFTWARE_EXEC);
    assert_null(strstr(agent.log, "file "));
    assert_learned(exec_only, "os/debian os-family/debian language/php webserver/nginx data/srv/orders");
    agent.log[0] = '\0';
    off = talk(&agent, SOFTWARE_OFF);
    assert_string_equal(agent.log, "");
    assert_learned(off, "os/debian os-family/debian data/srv/orders");
}

static void test_a_way_that_fails_is_followed_by_the_next(void **state)
{
    static const struct thing things[] = {{"/var/lib/dpkg/status", STATUS}, {NULL, NULL}};
    struct agent agent = {
        .commands = ALL, .osinfo = "{\"id\": \"ubuntu\", \"version-id\": \"22.04\"}", .things = things};
    _cleanup_(interview_freep) struct interview *interview = talk(&agent, SOFTWARE_AUTO);

    (void)state;
    assert_learned(interview, "os/ubuntu-22.04 os-family/debian language/nodejs webserver/nginx data/srv/orders");
    assert_null(strstr(agent.log, "exec /bin/cat /var/lib"));
}

#define CAT_BOTH "/bin/cat /proc/net/tcp /proc/net/tcp6"
#define CAT_OLD  "/bin/cat /proc/net/tcp"

/* A verification: nothing but the sockets is asked for. */
static void test_ports_alone_by_files_and_by_a_program(void **state)
{
    static const struct thing things[] = {{"/proc/net/tcp", TCP}, {CAT_BOTH, TCP}, {NULL, NULL}};
    struct agent agent = {.commands = ALL, .things = things};
    _cleanup_(interview_freep) struct interview *files = talk_of_ports(&agent, SOFTWARE_AUTO), *program = NULL;

    (void)state;
    assert_string_equal(agent.log, "file /proc/net/tcp\nfile /proc/net/tcp6\n");
    assert_true(interview_was_possible(files) && guest_listens(interview_guest(files), 80));
    assert_false(guest_listens(interview_guest(files), 443));
    assert_null(interview_lack_of_ports(files));
    agent.log[0] = '\0';
    agent.commands = " guest-exec guest-exec-status ";
    program = talk_of_ports(&agent, SOFTWARE_AUTO);
    assert_string_equal(agent.log, "exec " CAT_BOTH "\n");
    assert_true(guest_listens(interview_guest(program), 80));
}

/* There is no tcp6, so that the program fails: all that it said was thrown away. */
static void test_ports_of_a_guest_without_ipv6(void **state)
{
    static const struct thing things[] = {{CAT_OLD, TCP}, {NULL, NULL}};
    struct agent agent = {.commands = " guest-exec guest-exec-status ", .things = things};
    _cleanup_(interview_freep) struct interview *interview = talk_of_ports(&agent, SOFTWARE_AUTO);

    (void)state;
    assert_string_equal(agent.log, "exec " CAT_BOTH "\nexec " CAT_OLD "\n");
    assert_true(guest_listens(interview_guest(interview), 80));
}

static void test_ports_that_cannot_be_asked_for(void **state)
{
    static const struct thing nothing[] = {{NULL, NULL}};
    struct agent agent = {.commands = " guest-exec guest-file-open ", .things = nothing};
    _cleanup_(interview_freep) struct interview *blocked = talk_of_ports(&agent, SOFTWARE_AUTO);
    _cleanup_(interview_freep) struct interview *off = NULL, *failed = NULL;

    (void)state;
    assert_string_equal(agent.log, "");
    assert_true(interview_was_possible(blocked));
    assert_string_equal(interview_lack_of_ports(blocked), "its guest agent must neither read files nor run programs");
    agent.commands = ALL;
    off = talk_of_ports(&agent, SOFTWARE_OFF);
    assert_string_equal(agent.log, "");
    assert_string_equal(interview_lack_of_ports(off), "discovery.software is off");
    failed = talk_of_ports(&agent, SOFTWARE_AUTO);
    assert_string_equal(interview_lack_of_ports(failed), "its guest does not tell");
}

/* Sockets that could not be read erase no ports that were known before. */
static void test_ports_are_a_part_of_a_complete_answer(void **state)
{
    static const struct thing things[] = {
        {"/usr/bin/apt-mark showmanual", "nginx\n"}, {SYSTEMCTL, UNITS}, {"/etc/fstab", FSTAB}, {NULL, NULL}};
    struct agent agent = {.commands = ALL, .osinfo = "{\"id\": \"debian\"}", .things = things};
    _cleanup_(interview_freep) struct interview *interview = talk(&agent, SOFTWARE_AUTO);

    (void)state;
    assert_learned(interview, "os/debian os-family/debian webserver/nginx data/orders");
    assert_false(interview_is_complete(interview));
}

static void test_file_systems_that_are_frozen(void **state)
{
    struct agent agent = {.commands = ALL, .frozen = "frozen", .things = debian};
    _cleanup_(interview_freep) struct interview *interview = talk(&agent, SOFTWARE_AUTO);

    (void)state;
    assert_string_equal(agent.log, "");
    assert_false(interview_was_possible(interview));
}

/* The same answer to everything, for ever. */
static void test_agents_that_lie_and_never_end(void **state)
{
    static const char *const answers[] = {
        NULL,
        "",
        "{",
        "[]",
        "null",
        "{\"error\": {\"class\": \"GenericError\"}}",
        "{\"return\": null}",
        "{\"return\": {}}",
        "{\"return\": []}",
        "{\"return\": 7}",
        "{\"return\": \"thawed\"}",
        "{\"return\": {\"supported_commands\": [7, {}, {\"name\": 7}, {\"name\": \"guest-exec\", \"enabled\": true}, "
        "{\"name\": \"guest-exec-status\", \"enabled\": true}, {\"name\": \"guest-file-open\", \"enabled\": true}, "
        "{\"name\": \"guest-file-read\", \"enabled\": true}, {\"name\": \"guest-file-close\", \"enabled\": true}], "
        "\"id\": \"debian\", \"version-id\": 12, \"pid\": 1, \"exited\": false, \"buf-b64\": \"QUFB\", \"eof\": "
        "false}}",
        "{\"return\": {\"supported_commands\": [{\"name\": \"guest-exec\", \"enabled\": true}, "
        "{\"name\": \"guest-exec-status\", \"enabled\": true}], \"id\": \"debian\", \"pid\": -1, \"exited\": true, "
        "\"exitcode\": 0, \"out-data\": \"%%%=\"}}",
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(answers); i++) {
        _cleanup_(interview_freep) struct interview *interview = NULL;
        const char *command;
        unsigned steps = 0;
        enum interview_step step;

        assert_int_equal(interview_new(catalog, SOFTWARE_AUTO, &interview), 0);
        while ((step = interview_next(interview, &command)) != INTERVIEW_END) {
            if (step == INTERVIEW_SEND)
                interview_answer(interview, answers[i]);
            assert_true(++steps <= 2 * INTERVIEW_COMMANDS_MAX);
        }
        assert_false(guest_listens(interview_guest(interview), 80));
        assert_false(interview_is_complete(interview));
        /* It went on for ever. */
        assert_true(steps < INTERVIEW_COMMANDS_MAX || !interview_was_possible(interview));
    }
}

static void test_a_text_without_end_is_given_up(void **state)
{
    _cleanup_(interview_freep) struct interview *interview = NULL;
    size_t length = 1 << 20;
    char *answer_text = malloc(length + 100);
    const char *command;
    enum interview_step step;
    unsigned reads = 0;

    (void)state;
    assert_non_null(answer_text);
    strcpy(answer_text, "{\"return\": {\"eof\": false, \"buf-b64\": \"");
    memset(answer_text + strlen(answer_text), 'A', length);
    strcpy(answer_text + strlen("{\"return\": {\"eof\": false, \"buf-b64\": \"") + length, "\"}}");
    assert_int_equal(interview_new(catalog, SOFTWARE_FILES, &interview), 0);
    while ((step = interview_next(interview, &command)) != INTERVIEW_END) {
        if (step == INTERVIEW_WAIT)
            continue;
        if (strstr(command, "guest-info") != NULL)
            interview_answer(interview, "{\"return\": {\"supported_commands\": [{\"name\": \"guest-file-open\", "
                                        "\"enabled\": true}, {\"name\": \"guest-file-read\", \"enabled\": true}, "
                                        "{\"name\": \"guest-file-close\", \"enabled\": true}]}}");
        else if (strstr(command, "guest-get-osinfo") != NULL)
            interview_answer(interview, "{\"return\": {\"id\": \"debian\"}}");
        else if (strstr(command, "guest-file-open") != NULL)
            interview_answer(interview, "{\"return\": 1}");
        else if (strstr(command, "guest-file-read") != NULL && ++reads < 1000)
            interview_answer(interview, answer_text);
        else
            interview_answer(interview, NULL);
    }
    free(answer_text);
    assert_true(reads < 50);
    assert_false(interview_guest(interview)->knows_packages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_by_programs_where_that_is_allowed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_by_files_where_programs_are_blocked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_left_where_files_are_blocked_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_mode_leaves_ways_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_way_that_fails_is_followed_by_the_next, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ports_alone_by_files_and_by_a_program, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ports_of_a_guest_without_ipv6, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ports_that_cannot_be_asked_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ports_are_a_part_of_a_complete_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_file_systems_that_are_frozen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_agents_that_lie_and_never_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_text_without_end_is_given_up, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
