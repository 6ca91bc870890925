/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What may be used once at a time, and its users. */
#include "pool/pool.h"

#include <string.h>

#include "support.h"

struct fixture {
    struct feature_table *table;
    struct config config;
    struct pool *pool;
};

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){.config = default_config()};
    *state = &fixture;
    if (feature_table_new(&fixture.table) < 0 || pool_new(fixture.table, &fixture.pool) < 0)
        return -1;
    return pool_configure(fixture.pool, &fixture.config);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    pool_free(fixture->pool);
    feature_table_free(fixture->table);
    return 0;
}

static struct domain_description *describe_disks(unsigned number, const char *first, const char *second)
{
    struct domain_description *description = describe(number, first);

    describe_image(description, first);
    describe_image(description, second);
    assert_int_equal(domain_description_add_mac(description, "52:54:00:00:00:01"), 0);
    assert_int_equal(domain_description_add_hostdev(description, "pci 0000:01:00.0"), 0);
    return description;
}

static const struct machine *apply(const struct fixture *fixture, struct domain_description *description)
{
    const struct machine *machine = NULL;

    assert_int_equal(pool_apply(fixture->pool, "local", description, &machine), 0);
    assert_int_equal(pool_settle(fixture->pool, 0), 0);
    return machine;
}

static void assert_uses(const struct fixture *fixture, const struct machine *machine, size_t place, const char *name,
                        size_t users)
{
    struct use use = {0};
    char address[USE_NAME_SIZE];
    size_t count = 1;

    for (size_t i = 0; i <= place; i++)
        assert_true(use_next(machine, &use));
    assert_string_equal(use_name(&use, address), name);
    for (struct use sharer = {0}; pool_sharer_next(fixture->pool, &use, USERS_OWNING, &sharer);) {
        assert_ptr_not_equal(sharer.machine, machine);
        count++;
    }
    assert_int_equal(count, users);
}

static void assert_all_shared(const struct fixture *fixture, const struct machine *machine, size_t users)
{
    assert_uses(fixture, machine, 0, "/disk", users);
    assert_uses(fixture, machine, 2, "52:54:00:00:00:01", users);
    assert_uses(fixture, machine, 3, "pci 0000:01:00.0", users);
}

static void test_what_is_shared_outlives_one_of_its_users(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *a = apply(fixture, describe_disks(1, "/disk", "/a"));
    const struct machine *b = apply(fixture, describe_disks(2, "/disk", "/b"));
    const struct machine *c = apply(fixture, describe_disks(3, "/disk", "/c"));

    assert_all_shared(fixture, a, 3);
    assert_all_shared(fixture, b, 3);
    pool_remove(fixture->pool, a);
    assert_all_shared(fixture, b, 2);
    assert_all_shared(fixture, c, 2);
    pool_remove(fixture->pool, c);
    assert_all_shared(fixture, b, 1);
}

static void test_what_is_shared_outlives_one_of_its_descriptions(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *a = apply(fixture, describe_disks(1, "/disk", "/a"));
    const struct machine *b = apply(fixture, describe_disks(2, "/disk", "/b"));

    apply(fixture, describe_disks(1, "/another", "/a"));
    assert_uses(fixture, b, 0, "/disk", 1);
    assert_uses(fixture, a, 0, "/another", 1);
    assert_uses(fixture, a, 2, "52:54:00:00:00:01", 2);
    apply(fixture, describe_disks(2, "/another", "/disk"));
    assert_uses(fixture, a, 0, "/another", 2);
    assert_uses(fixture, b, 1, "/disk", 1);
}

/* A listing brings the same description again and again. */
static void test_an_equal_description_moves_nothing(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *a = apply(fixture, describe_disks(1, "/disk", "/a"));
    const struct domain_description *description = a->description;
    struct domain_description *again = describe_disks(1, "/disk", "/a");

    again->agent_connected = true;
    again->disks[1].capacity_bytes = 1000;
    assert_int_equal(domain_description_learn(again, "os", "debian-13"), 0);
    apply(fixture, again);
    assert_ptr_equal(a->description, description);
    assert_uses(fixture, a, 0, "/disk", 1);
    assert_true(a->description->agent_connected);
    assert_true(a->description->has_learned);
    assert_int_equal(a->description->disks[1].capacity_bytes, 1000);
    assert_int_equal(a->spec->environment[ENVIRONMENT_DISK], 1000);
    assert_int_equal(a->spec->features.count, 1);
    apply(fixture, describe_disks(1, "/disk", "/a"));
    assert_false(a->description->agent_connected);
    assert_false(a->description->has_learned);
    assert_int_equal(a->description->disks[1].capacity_bytes, 1000); /* what is known is not forgotten */
    assert_int_equal(a->spec->features.count, 1);
}

/* Each of the two alone. */
static void test_what_becomes_known_with_an_equal_description_counts(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *a = apply(fixture, describe_disks(1, "/disk", "/a"));
    struct domain_description *again = describe_disks(1, "/disk", "/a");

    assert_int_equal(domain_description_learn(again, "os", "debian-13"), 0);
    apply(fixture, again);
    assert_int_equal(a->spec->features.count, 1);
    again = describe_disks(1, "/disk", "/a");
    again->disks[1].capacity_bytes = 1000;
    apply(fixture, again);
    assert_int_equal(a->spec->environment[ENVIRONMENT_DISK], 1000);
    assert_int_equal(a->spec->features.count, 1);
}

#define usage_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        usage_test(test_what_is_shared_outlives_one_of_its_users),
        usage_test(test_what_is_shared_outlives_one_of_its_descriptions),
        usage_test(test_an_equal_description_moves_nothing),
        usage_test(test_what_becomes_known_with_an_equal_description_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
