/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an agent is asked in which order, by what it allows, and agents that lie, flood and go away. */
#include "discovery/interview.h"

#include <stdlib.h>
#include <string.h>

#include "guest_agent.h"
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

static struct interview *talk(struct agent *agent, enum software_mode mode)
{
    struct interview *interview = NULL;

    assert_int_equal(interview_new(catalog, mode, &interview), 0);
    agent_ask_all(agent, interview);
    return interview;
}

static struct interview *talk_of_ports(struct agent *agent, enum software_mode mode)
{
    struct interview *interview = NULL;

    assert_int_equal(interview_new_of_ports(mode, &interview), 0);
    agent_ask_all(agent, interview);
    return interview;
}

static void assert_learned(const struct interview *interview, const char *expected)
{
    assert_offers(interview_guest(interview), expected);
}

static const struct mount orders[] = {{"/srv/orders", "ext4"}, {NULL, NULL}};

#define SYSTEMCTL  "/usr/bin/systemctl show --property=Id,UnitFileState,ActiveState,ExecStart *"
#define UNIT_FILES "/usr/bin/systemctl list-unit-files --type=service --state=enabled --no-legend"
#define UNITS      "Id=nginx.service\nUnitFileState=enabled\n"
#define TCP        "0: 00000000:0050 00000000:0000 0A\n"
#define TCP6       "0: 00000000000000000000000000000000:01BB 0:0000 0A\n"
#define STATUS     "Package: nginx\nStatus: install ok installed\n\nPackage: nodejs\nStatus: install ok installed\n"
#define FSTAB      "LABEL=orders /srv/orders ext4 x 0 2\n"

static const struct thing debian[] = {
    {"/usr/bin/apt-mark showmanual", "nginx\nphp8.2-cli\n", 0},
    {SYSTEMCTL, UNITS, 0},
    {"/proc/net/tcp", TCP, 0},
    {"/var/lib/dpkg/status", STATUS, 0},
    {"/var/lib/apt/extended_states", "Package: nodejs\nAuto-Installed: 1\n", 0},
    {"/etc/fstab", FSTAB, 0},
    {NULL, NULL, 0},
};

static void test_by_programs_where_that_is_allowed(void **state)
{
    struct agent agent = {.commands = ALL_COMMANDS,
                          .mounts = orders,
                          .osinfo = "{\"id\": \"debian\", \"version-id\": \"12\"}",
                          .things = debian};
    _cleanup_(interview_freep) struct interview *interview = talk(&agent, SOFTWARE_AUTO);

    (void)state;
    assert_string_equal(agent.log, "exec /usr/bin/apt-mark showmanual\nexec " SYSTEMCTL "\nexec " UNIT_FILES
                                   "\nfile /proc/net/tcp\n"
                                   "file /proc/net/tcp6\nfile /etc/fstab\n");
    assert_learned(interview, "os/debian-12 os-family/debian language/php webserver/nginx data/orders port/80");
    assert_true(interview_was_possible(interview) && interview_is_complete(interview));
    assert_int_equal(interview_lack(interview), GUEST_LACKS_NOTHING);
}

static void test_by_files_where_programs_are_blocked(void **state)
{
    struct agent agent = {.commands = FILE_COMMANDS,
                          .mounts = orders,
                          .part = 10,
                          .osinfo = "{\"id\": \"debian\", \"version-id\": \"12\"}",
                          .things = debian};
    _cleanup_(interview_freep) struct interview *interview = talk(&agent, SOFTWARE_AUTO);

    (void)state;
    assert_string_equal(agent.log, "file /var/lib/dpkg/status\nfile /var/lib/apt/extended_states\nfile /proc/net/tcp\n"
                                   "file /proc/net/tcp6\nfile /etc/fstab\n");
    assert_learned(interview, "os/debian-12 os-family/debian webserver/nginx data/orders port/80");
    assert_int_equal(interview_lack(interview), GUEST_LACKS_EXEC);
}

static void test_what_is_left_where_files_are_blocked_too(void **state)
{
    struct agent agent = {
        .commands = " ", .mounts = orders, .osinfo = "{\"id\": \"rhel\", \"version-id\": \"9.3\"}", .things = debian};
    _cleanup_(interview_freep) struct interview *interview = talk(&agent, SOFTWARE_AUTO);

    (void)state;
    assert_string_equal(agent.log, "");
    assert_learned(interview, "os/rhel-9 os-family/redhat data/srv/orders");
    assert_int_equal(interview_lack(interview), GUEST_LACKS_EXEC);
}

static void test_a_mode_leaves_ways_out(void **state)
{
    struct agent agent = {
        .commands = ALL_COMMANDS, .mounts = orders, .osinfo = "{\"id\": \"debian\"}", .things = debian};
    _cleanup_(interview_freep) struct interview *files = talk(&agent, SOFTWARE_FILES);
    _cleanup_(interview_freep) struct interview *exec_only = NULL, *off = NULL;

    (void)state;
    assert_null(strstr(agent.log, "exec "));
    assert_int_equal(interview_lack(files), GUEST_LACKS_NOTHING);
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
    static const struct thing things[] = {{"/var/lib/dpkg/status", STATUS, 0}, {NULL, NULL, 0}};
    struct agent agent = {.commands = ALL_COMMANDS,
                          .mounts = orders,
                          .osinfo = "{\"id\": \"ubuntu\", \"version-id\": \"22.04\"}",
                          .things = things};
    _cleanup_(interview_freep) struct interview *interview = talk(&agent, SOFTWARE_AUTO);

    (void)state;
    assert_learned(interview, "os/ubuntu-22.04 os-family/debian language/nodejs webserver/nginx data/srv/orders");
    assert_null(strstr(agent.log, "exec /bin/cat /var/lib"));
}

#define CAT_TCP  "/bin/cat /proc/net/tcp"
#define CAT_TCP6 "/bin/cat /proc/net/tcp6"

/* A verification: nothing but the sockets is asked for. */
static void test_ports_alone_by_files_and_by_a_program(void **state)
{
    static const struct thing things[] = {
        {"/proc/net/tcp", TCP, 0}, {CAT_TCP, TCP, 0}, {CAT_TCP6, TCP6, 0}, {NULL, NULL, 0}};
    struct agent agent = {.commands = ALL_COMMANDS, .mounts = orders, .things = things};
    _cleanup_(interview_freep) struct interview *files = talk_of_ports(&agent, SOFTWARE_AUTO), *program = NULL;

    (void)state;
    assert_string_equal(agent.log, "file /proc/net/tcp\nfile /proc/net/tcp6\n");
    assert_true(interview_was_possible(files) && guest_listens(interview_guest(files), 80));
    assert_false(guest_listens(interview_guest(files), 443));
    assert_null(interview_lack_of_ports(files));
    agent.log[0] = '\0';
    agent.commands = " guest-exec guest-exec-status ";
    program = talk_of_ports(&agent, SOFTWARE_AUTO);
    assert_string_equal(agent.log, "exec " CAT_TCP "\nexec " CAT_TCP6 "\n");
    assert_true(guest_listens(interview_guest(program), 80) && guest_listens(interview_guest(program), 443));
}

/* There is no tcp6, so that the program fails: all that it said was thrown away. */
static void test_ports_of_a_guest_without_ipv6(void **state)
{
    static const struct thing things[] = {{CAT_TCP, TCP, 0}, {CAT_TCP6, "", 1}, {NULL, NULL, 0}};
    struct agent agent = {.commands = " guest-exec guest-exec-status ", .things = things};
    _cleanup_(interview_freep) struct interview *interview = talk_of_ports(&agent, SOFTWARE_AUTO);

    (void)state;
    assert_string_equal(agent.log, "exec " CAT_TCP "\nexec " CAT_TCP6 "\n");
    assert_true(guest_listens(interview_guest(interview), 80));
}

static void test_ports_that_cannot_be_asked_for(void **state)
{
    static const struct thing nothing[] = {{NULL, NULL, 0}};
    struct agent agent = {.commands = " guest-exec guest-file-open ", .things = nothing};
    _cleanup_(interview_freep) struct interview *blocked = talk_of_ports(&agent, SOFTWARE_AUTO);
    _cleanup_(interview_freep) struct interview *off = NULL, *failed = NULL;

    (void)state;
    assert_string_equal(agent.log, "");
    assert_true(interview_was_possible(blocked));
    assert_string_equal(interview_lack_of_ports(blocked), "its guest agent must neither read files nor run programs");
    agent.commands = ALL_COMMANDS;
    off = talk_of_ports(&agent, SOFTWARE_OFF);
    assert_string_equal(agent.log, "");
    assert_string_equal(interview_lack_of_ports(off), "discovery.software is off");
    failed = talk_of_ports(&agent, SOFTWARE_AUTO);
    assert_string_equal(interview_lack_of_ports(failed), "its guest does not tell");
}

/* Sockets that could not be read erase no ports that were known before. */
static void test_ports_are_a_part_of_a_complete_answer(void **state)
{
    static const struct thing things[] = {{"/usr/bin/apt-mark showmanual", "nginx\n", 0},
                                          {SYSTEMCTL, UNITS, 0},
                                          {"/etc/fstab", FSTAB, 0},
                                          {NULL, NULL, 0}};
    struct agent agent = {
        .commands = ALL_COMMANDS, .mounts = orders, .osinfo = "{\"id\": \"debian\"}", .things = things};
    _cleanup_(interview_freep) struct interview *interview = talk(&agent, SOFTWARE_AUTO);

    (void)state;
    assert_learned(interview, "os/debian os-family/debian webserver/nginx data/orders");
    assert_false(interview_is_complete(interview));
}

#define CENTOS_7 "{\"id\": \"centos\", \"version-id\": \"7\"}"
#define LEAP     "{\"id\": \"opensuse-leap\", \"version-id\": \"15.6\"}"
#define RPM      "/usr/bin/rpm -qa --qf %{NAME}\n"
#define ALONG    "/bin/cat /var/lib/zypp/AutoInstalled"

static void test_yum_is_asked_where_there_is_no_dnf(void **state)
{
    static const struct thing things[] = {{"/usr/bin/grep -rlx --include=reason user /var/lib/yum/yumdb",
                                           "/var/lib/yum/yumdb/n/0a-nodejs-16.20.2-1.el7-x86_64/reason\n", 0},
                                          {SYSTEMCTL, UNITS, 0},
                                          {"/proc/net/tcp", TCP, 0},
                                          {NULL, NULL, 0}};
    struct agent agent = {.commands = ALL_COMMANDS, .osinfo = CENTOS_7, .things = things};
    _cleanup_(interview_freep) struct interview *interview = talk(&agent, SOFTWARE_AUTO);

    (void)state;
    assert_learned(interview, "os/centos-7 os-family/redhat language/nodejs webserver/nginx port/80");
    assert_true(interview_is_complete(interview));
}

static void test_what_zypper_installed_along_is_asked_for_after_rpm(void **state)
{
    static const struct thing things[] = {{RPM, "nodejs20\nphp8\n", 0},
                                          {ALONG, "php8\n", 0},
                                          {SYSTEMCTL, UNITS, 0},
                                          {"/proc/net/tcp", TCP, 0},
                                          {NULL, NULL, 0}};
    struct agent agent = {.commands = ALL_COMMANDS, .osinfo = LEAP, .things = things};
    _cleanup_(interview_freep) struct interview *interview = talk(&agent, SOFTWARE_AUTO);

    (void)state;
    assert_learned(interview, "os/opensuse-leap-15.6 os-family/suse language/nodejs webserver/nginx port/80");
    assert_true(interview_is_complete(interview));
}

/* Its second program fails, as cat does where there is no such file: what the first one said is enough. */
static void test_a_second_program_that_fails(void **state)
{
    static const struct thing things[] = {{RPM, "nodejs20\n", 0}, {ALONG, "nodejs20\n", 1}, {CAT_TCP, TCP, 0},
                                          {CAT_TCP6, "", 1},      {SYSTEMCTL, UNITS, 0},    {NULL, NULL, 0}};
    struct agent agent = {.commands = ALL_COMMANDS, .osinfo = LEAP, .things = things};
    _cleanup_(interview_freep) struct interview *interview = talk(&agent, SOFTWARE_EXEC);

    (void)state;
    assert_learned(interview, "os/opensuse-leap-15.6 os-family/suse language/nodejs webserver/nginx port/80");
}

static void test_a_guest_that_still_starts_has_told_half(void **state)
{
    static const struct thing things[] = {{"/usr/bin/apt-mark showmanual", "nginx\n", 0},
                                          {SYSTEMCTL, UNITS "\nId=multi-user.target\nActiveState=inactive\n", 0},
                                          {"/proc/net/tcp", TCP, 0},
                                          {NULL, NULL, 0}};
    struct agent agent = {.commands = ALL_COMMANDS, .osinfo = "{\"id\": \"debian\"}", .things = things};
    _cleanup_(interview_freep) struct interview *interview = talk(&agent, SOFTWARE_AUTO);

    (void)state;
    assert_true(interview_was_possible(interview));
    assert_false(interview_is_complete(interview));
}

static void test_file_systems_that_are_frozen(void **state)
{
    struct agent agent = {.commands = ALL_COMMANDS, .mounts = orders, .frozen = "frozen", .things = debian};
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
        cmocka_unit_test_setup_teardown(test_yum_is_asked_where_there_is_no_dnf, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_zypper_installed_along_is_asked_for_after_rpm, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_second_program_that_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_guest_that_still_starts_has_told_half, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_file_systems_that_are_frozen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_agents_that_lie_and_never_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_text_without_end_is_given_up, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
