/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which documents are other than before, while machines of a make-believe world fail and take over. */
#include "report/changes.h"

#include <string.h>

#include "support.h"
#include "world.h"

/* When the last look was: real_us. */
static int64_t looked_us;

/* What is told since `before`, which becomes how things are now; the caller frees it. Events one a line. */
static char *changes_since(const struct world *world, char **before)
{
    struct plan *plan = coordinator_plan(world->coordinator, world->now);
    const struct problems none = {0};
    char *found = NULL, *changes, *copy;

    assert_int_equal(changes_find(world->coordinator, &none, plan, world->now, *before, looked_us, &found), 0);
    looked_us = world->now.real_us;
    changes = strstr(found, "\n\n");
    assert_non_null(changes);
    changes[1] = '\0';
    copy = strdup(changes + 2);
    assert_non_null(copy);
    free(*before);
    *before = found;
    return copy;
}

/* The events in their order, with the name where the document begins with one: "machine a, plan". */
static void check_events(const struct world *world, char **before, const char *expected)
{
    char *changes = changes_since(world, before), *rest = changes, *line, seen[1024] = "";

    while ((line = strsep(&rest, "\n")) != NULL && line[0] != '\0') {
        static const char name[] = "{\"name\":\"";
        const char *document = strchr(line, ' ') + 1;

        snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%s%.*s", seen[0] != '\0' ? ", " : "",
                 (int)(document - line - 1), line);
        if (strncmp(document, name, strlen(name)) == 0)
            snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), " %.*s",
                     (int)strcspn(document + strlen(name), "\""), document + strlen(name));
    }
    assert_string_equal(seen, expected);
    free(changes);
}

static void add_room(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING);

    world->domains[a].role = "protected";
    world->domains[world_add(world, "b", WEB, MACHINE_SHUT_OFF)].role = "standby";
    world->domains[world_add(world, "c", "language/cobol", MACHINE_SHUT_OFF)].role = "standby";
    world_connect_all(world);
}

static void test_at_first_and_where_nothing_happens_nothing_is_told(struct world *world)
{
    char *before = NULL;

    add_room(world);
    check_events(world, &before, "");
    check_events(world, &before, "");
    world_pass(world, USEC_PER_SEC);
    check_events(world, &before, "");
    free(before);
}

static void test_a_failure_and_its_recovery(struct world *world)
{
    char *before = NULL;

    add_room(world);
    check_events(world, &before, "");
    world_kill(world, 0);
    check_events(world, &before, "machine a, machine b, service a, recovery, plan");
    world_pass(world, SETTLED);
    check_events(world, &before, "machine a, machine b, service a, recovery");
    world_pass(world, USEC_PER_SEC);
    check_events(world, &before, "");
    free(before);
}

/* There was no look while it ended, nor for a long time after. */
static void test_an_end_long_ago_is_told_at_the_next_look(struct world *world)
{
    char *before = NULL, *changes;

    add_room(world);
    check_events(world, &before, "");
    world_kill(world, 0);
    free(changes_since(world, &before));
    world_pass(world, SETTLED);
    world_pass(world, 3600 * USEC_PER_SEC);
    changes = changes_since(world, &before);
    assert_non_null(strstr(changes, "\"outcome\":\"recovered\""));
    free(changes);
    check_events(world, &before, "");
    free(before);
}

static void test_a_hold_is_told_with_all_holds(struct world *world)
{
    static const struct machine_ref all = {0};
    char *before = NULL, *changes;

    add_room(world);
    check_events(world, &before, "");
    assert_int_equal(coordinator_hold(world->coordinator, HOLD_ALL, &all, "all", "disks", "alice", 0, world->now), 0);
    world_drive(world);
    changes = changes_since(world, &before);
    assert_non_null(strstr(changes, "holds {\"holds\":[{\"what\":\"all\","));
    assert_non_null(strstr(changes, "machine {\"name\":\"a\""));
    free(changes);
    free(before);
}

static void test_a_lost_host_is_told_with_all_hosts(struct world *world)
{
    char *before = NULL, *changes;

    add_room(world);
    check_events(world, &before, "");
    world_disconnect(world, 0);
    changes = changes_since(world, &before);
    assert_non_null(strstr(changes, "hypervisors {\"hypervisors\":[{\"name\":\"local\""));
    free(changes);
    free(before);
}

static void test_what_is_gone_is_told_by_its_identity(struct world *world)
{
    char *before = NULL, *earlier = NULL, *changes;

    add_room(world);
    check_events(world, &before, "");
    /* As if there had been one machine more, the first of all. */
    assert_true(asprintf(&earlier, "%.*s1 5 gone 00000000-0000-4000-8000-00000000dead\n%s",
                         (int)(strchr(before, '\n') + 1 - before), before, strchr(before, '\n') + 1) > 0);
    free(before);
    before = earlier;
    changes = changes_since(world, &before);
    assert_string_equal(changes,
                        "machine-gone {\"hypervisor\":\"gone\",\"uuid\":\"00000000-0000-4000-8000-00000000dead\"}\n");
    free(changes);
    free(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(test_at_first_and_where_nothing_happens_nothing_is_told),
        world_test(test_a_failure_and_its_recovery),
        world_test(test_an_end_long_ago_is_told_at_the_next_look),
        world_test(test_a_hold_is_told_with_all_holds),
        world_test(test_a_lost_host_is_told_with_all_hosts),
        world_test(test_what_is_gone_is_told_by_its_identity),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
