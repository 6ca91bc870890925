/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Disks and addresses, and who uses them. */
#include <string.h>

#include "choose/usage.h"
#include "support.h"

#define MANY 300

/* A machine with these disks and one address. */
struct user {
    struct machine machine;
    struct domain_description description;
    struct disk disks[3];
    char *macs[1];
    char source[32];
};

static struct user make_user(const char *hypervisor, const char *mac)
{
    return (struct user){.machine = {.hypervisor = (char *)hypervisor},
                         .disks = {{.source = (char *)"/shared", .writable = true, .shareable = true},
                                   {.source = (char *)"/read-only"},
                                   {.source = (char *)"/own", .writable = true}},
                         .macs = {(char *)mac}};
}

/* Where it stays. */
static const struct machine *settle(struct user *user)
{
    user->description =
        (struct domain_description){.disks = user->disks, .n_disks = 3, .macs = user->macs, .n_macs = 1};
    user->machine.description = &user->description;
    return &user->machine;
}

static void test_what_a_machine_uses(void **state)
{
    struct user user = make_user("local", "52:54:00:00:00:01");
    const struct machine *machine = settle(&user);
    struct thing thing;
    size_t place = 0;

    (void)state;
    assert_true(thing_next(machine, &place, &thing));
    assert_false(thing.is_address);
    assert_string_equal(thing.name, "/own");
    assert_string_equal(thing.hypervisor, "local");
    assert_true(thing_next(machine, &place, &thing));
    assert_true(thing.is_address);
    assert_string_equal(thing.name, "52:54:00:00:00:01");
    assert_string_equal(thing.hypervisor, "");
    assert_false(thing_next(machine, &place, &thing));
    assert_false(thing_next(machine, &place, &thing));
}

static void test_an_address_and_a_disk_of_one_name_are_two_things(void **state)
{
    struct user user = make_user("", "/own");
    const struct machine *machine = settle(&user);
    struct thing disk, address;
    size_t place = 0;

    (void)state;
    assert_true(thing_next(machine, &place, &disk));
    assert_true(thing_next(machine, &place, &address));
    assert_true(thing_equal(&disk, &disk));
    assert_false(thing_equal(&disk, &address));
}

/* Everyone has a disk of its own, and all have one address. */
static void test_everybody_is_found_among_many(void **state)
{
    _cleanup_(usage_done) struct usage usage = {0};
    struct user *users = calloc(MANY, sizeof(*users));
    struct thing disk, address;

    (void)state;
    assert_non_null(users);
    for (size_t i = 0; i < MANY; i++) {
        users[i] = make_user("local", "52:54:00:00:00:01");
        snprintf(users[i].source, sizeof(users[i].source), "/images/%zu", i);
        users[i].disks[2].source = users[i].source;
        assert_int_equal(usage_add(&usage, settle(&users[i]), i), 0);
    }
    for (size_t i = 0; i < MANY; i++) {
        const struct use *use;
        size_t place = 0, n = 0;

        assert_true(thing_next(&users[i].machine, &place, &disk));
        assert_true(thing_next(&users[i].machine, &place, &address));
        use = usage_next(&usage, &disk, NULL);
        assert_non_null(use);
        assert_ptr_equal(use->machine, &users[i].machine);
        assert_int_equal(use->number, i);
        assert_null(usage_next(&usage, &disk, use));
        for (use = usage_next(&usage, &address, NULL); use != NULL; use = usage_next(&usage, &address, use))
            n++;
        assert_int_equal(n, MANY);
    }
    free(users);
}

static void test_an_empty_table_has_nobody(void **state)
{
    struct usage usage = {0};
    struct user user = make_user("local", "52:54:00:00:00:01");
    struct thing thing;
    size_t place = 0;

    (void)state;
    assert_true(thing_next(settle(&user), &place, &thing));
    assert_null(usage_next(&usage, &thing, NULL));
    usage_done(&usage);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_machine_uses),
        cmocka_unit_test(test_an_address_and_a_disk_of_one_name_are_two_things),
        cmocka_unit_test(test_everybody_is_found_among_many),
        cmocka_unit_test(test_an_empty_table_has_nobody),
    };

    return cmocka_run_group_tests_name("usage", tests, NULL, NULL);
}
