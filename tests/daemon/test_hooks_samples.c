/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hooks that are shipped as samples, run as hooks, with fake programs where they would touch the world. */
#include "hooks_world.h"

/* Each with the directory in which it is shipped. What those send that notify is tested in tests/e2e/test_notifications.py. */
static const struct {
    const char *name, *directory;
} samples[] = {
    {"10-floating-ip", "recovered"},      {"20-veto", "pre-start"},     {"50-webhook", "exhausted"},
    {"50-mail", "problem-begun"},         {"50-ntfy", "problem-begun"}, {"50-chat", "problem-begun"},
    {"50-alertmanager", "problem-begun"},
};

static const char *directory_of(const char *name)
{
    size_t i = 0;

    while (strcmp(samples[i].name, name) != 0)
        i++;
    return samples[i].directory;
}

/* Copies a sample that is shipped, with lines of its head (by their beginning) filled in. */
static void install_sample(struct world *world, const char *name, const char *const (*settings)[2], size_t count)
{
    char path[PATH_MAX], line[512], text[8192] = "";
    size_t filled = 0;
    FILE *sample;

    snprintf(path, sizeof(path), SOURCE_DIR "/conf/hooks.d/%s/%s.sample", directory_of(name), name);
    sample = fopen(path, "re");
    assert_non_null(sample);
    while (fgets(line, sizeof(line), sample) != NULL) {
        for (size_t i = 0; i < count; i++)
            if (strncmp(line, settings[i][0], strlen(settings[i][0])) == 0) {
                snprintf(line, sizeof(line), "%s%s\n", settings[i][0], settings[i][1]);
                filled++;
            }
        assert_true(strlen(text) + strlen(line) < sizeof(text));
        strcat(text, line);
    }
    fclose(sample);
    assert_int_equal(filled, count);
    write_file(world, name, text, 0755);
}

static const struct hook_variable a_recovery[] = {
    {"FAILED", "VM-001", false}, {"REPLACEMENT", "VM-005", false}, {"REPLACEMENT_HYPERVISOR", "local", false}, {0}};

static void run_event(struct world *world, const char *event, const char *json)
{
    assert_int_equal(hooks_run(world->hooks, 7, world->directory, NULL, event, a_recovery, json, PATIENT_US), 0);
    wait_done(world, world->done_count + 1);
}

static void test_samples_as_shipped_do_nothing(void **state)
{
    static const char *const events[] = {"pre-start", "post-start", "recovered", "exhausted"};
    struct world *world = *state;

    for (size_t i = 0; i < ELEMENTS_OF(samples); i++) {
        char command[PATH_MAX];

        snprintf(command, sizeof(command), "cp -p '" SOURCE_DIR "/conf/hooks.d/%s/%s.sample' '%s/%s'",
                 samples[i].directory, samples[i].name, world->directory, samples[i].name);
        assert_int_equal(system(command), 0);
        assert_int_equal(chown(in(world, samples[i].name), geteuid(), getegid()), 0);
        assert_int_equal(chmod(in(world, samples[i].name), 0755), 0);
    }
    for (size_t i = 0; i < ELEMENTS_OF(events); i++) {
        run_event(world, events[i], "{}");
        assert_done(world, 0, "", "");
    }
    assert_int_equal(world->line_count, 0);
}

static void test_the_floating_address_moves(void **state)
{
    struct world *world = *state;
    char *fake = strdup(in(world, "fake.disabled"));
    const char *const settings[][2] = {{"ADDRESS=", "192.0.2.10/24"},
                                       {"INTERFACE=", "br0"},
                                       {"MACHINES=", "'VM-00?'"},
                                       {"IP=", fake},
                                       {"ARPING=", fake}};

    write_hook(world, "fake.disabled", "echo \"$*\"");
    install_sample(world, "10-floating-ip", settings, ELEMENTS_OF(settings));
    run_event(world, "pre-start", "{}");
    run_event(world, "recovered", "{}");
    assert_done(world, 0, "", "");
    assert_lines(world, "recovered 10-floating-ip: address replace 192.0.2.10/24 dev br0",
                 "recovered 10-floating-ip: -q -U -c 3 -I br0 192.0.2.10",
                 "recovered 10-floating-ip: 192.0.2.10/24 moved from VM-001 to VM-005");
    free(fake);
}

static void test_the_floating_address_moves_elsewhere(void **state)
{
    struct world *world = *state;
    char *fake = strdup(in(world, "fake.disabled"));
    const char *const settings[][2] = {
        {"ADDRESS=", "192.0.2.10/24"}, {"REMOTE=", "\"root@$UNDERSTUDY_REPLACEMENT\""}, {"SSH=", fake}};
    const char *const others[][2] = {{"ADDRESS=", "192.0.2.10/24"}, {"MACHINES=", "'web-*'"}, {"IP=", "/nowhere"}};

    write_hook(world, "fake.disabled", "for a; do :; done; echo \"$6: $a\"; exit 255");
    install_sample(world, "10-floating-ip", others, ELEMENTS_OF(others));
    run_event(world, "recovered", "{}");
    assert_done(world, 0, "", "");
    install_sample(world, "10-floating-ip", settings, ELEMENTS_OF(settings));
    run_event(world, "recovered", "{}");
    assert_done(world, -ECANCELED, "10-floating-ip",
                "exit status 255: root@VM-005: ip address replace 192.0.2.10/24 dev eth0");
    assert_lines(world, "recovered 10-floating-ip: root@VM-005: ip address replace 192.0.2.10/24 dev eth0");
    free(fake);
}

static void test_the_web_service_is_told(void **state)
{
    struct world *world = *state;
    char *fake = strdup(in(world, "fake.disabled"));
    const char *const settings[][2] = {{"URL=", "http://alerts.example.org/x"}, {"CONFIG=", "/c"}, {"CURL=", fake}};

    write_hook(world, "fake.disabled", "printf '%s|' \"$@\"; echo; cat; exit 22");
    install_sample(world, "50-webhook", settings, ELEMENTS_OF(settings));
    run_event(world, "pre-start", "{}");
    assert_done(world, 0, "", "");
    run_event(world, "exhausted", "{\"id\": 1}");
    assert_done(world, -ECANCELED, "50-webhook", "exit status 22: {\"id\": 1}");
    assert_lines(world,
                 "exhausted 50-webhook: --silent|--show-error|--fail|--output|/dev/null|--connect-timeout|3|"
                 "--max-time|8|--header|Content-Type: application/json|--header|X-Understudy-Event: exhausted|"
                 "--data-binary|@-|--config|/c|--url|http://alerts.example.org/x|",
                 "exhausted 50-webhook: {\"id\": 1}");
    free(fake);
}

static void test_a_machine_in_the_list_is_vetoed(void **state)
{
    static const struct {
        const char *list;
        int error;
    } lists[] = {{"VM-004\nVM-005\n", -ECANCELED},
                 {"local/VM-005\n", -ECANCELED},
                 {"VM-0050\nVM-00.\nfar/VM-005\n", 0},
                 {"", 0}};
    struct world *world = *state;
    char *list = strdup(in(world, "list.disabled"));
    const char *const settings[][2] = {{"VETO_FILE=", list}};

    install_sample(world, "20-veto", settings, ELEMENTS_OF(settings));
    for (size_t i = 0; i < ELEMENTS_OF(lists); i++) {
        write_file(world, "list.disabled", lists[i].list, 0644);
        run_event(world, "recovered", "{}");
        assert_done(world, 0, "", "");
        run_event(world, "pre-start", "{}");
        assert_int_equal(world->done[world->done_count - 1].error, lists[i].error);
    }
    free(list);
}

static void test_a_list_that_cannot_be_read_vetoes(void **state)
{
    struct world *world = *state;
    const char *const settings[][2] = {{"VETO_FILE=", "/proc"}};

    install_sample(world, "20-veto", settings, ELEMENTS_OF(settings));
    run_event(world, "pre-start", "{}");
    assert_done(world, -ECANCELED, "20-veto", "exit status 1: vetoed VM-005: cannot read /proc, which may name it");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_samples_as_shipped_do_nothing),        TEST(test_the_floating_address_moves),
        TEST(test_the_floating_address_moves_elsewhere), TEST(test_the_web_service_is_told),
        TEST(test_a_machine_in_the_list_is_vetoed),      TEST(test_a_list_that_cannot_be_read_vetoes),
    };

    return cmocka_run_group_tests_name("hook samples", tests, NULL, NULL);
}
