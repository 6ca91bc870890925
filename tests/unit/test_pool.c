/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pool: who is in it, by which name and role, what is known of them, and who has reserved whom. */
#include "pool/pool.h"

#include <errno.h>
#include <string.h>

#include "shipped_catalog.h"
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

static void configure(struct fixture *fixture)
{
    assert_int_equal(pool_configure(fixture->pool, &fixture->config), 0);
}

static const struct machine *apply(struct fixture *fixture, const char *hypervisor,
                                   struct domain_description *description)
{
    const struct machine *machine = NULL;

    assert_int_equal(pool_apply(fixture->pool, hypervisor, description, &machine), 0);
    assert_non_null(machine);
    return machine;
}

static const struct machine *add(struct fixture *fixture, const char *hypervisor, unsigned number, const char *name)
{
    return apply(fixture, hypervisor, describe(number, name));
}

static const struct machine *find(const struct fixture *fixture, const char *hypervisor, unsigned number)
{
    char uuid[UUID_TEXT_SIZE];

    uuid_from(number, uuid);
    return pool_find(fixture->pool, hypervisor, uuid);
}

static bool has(const struct fixture *fixture, const struct machine *machine, const char *kind, const char *value)
{
    uint32_t feature = UINT32_MAX;

    return feature_table_find(fixture->table, kind, value, &feature) == 0 &&
           id_set_contains(&machine->spec->features, feature);
}

/* ---- who there is ---- */

static void test_a_new_machine_is_what_its_description_says(void **state)
{
    struct fixture *fixture = *state;
    struct domain_description *description = describe(1, "VM-001");

    description->vcpus = 4;
    description->memory_kib = 2048;
    description->disks = calloc(3, sizeof(*description->disks));
    assert_non_null(description->disks);
    description->n_disks = 3;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(disk_set_texts(&description->disks[i], "/disk", NULL, NULL, NULL), 0);
        description->disks[i].capacity_bytes = 1000 * (i + 1);
        description->disks[i].writable = i != 2;
    }
    const struct machine *machine = apply(fixture, "local", description);

    assert_string_equal(machine->name, "VM-001");
    assert_string_equal(machine->hypervisor, "local");
    assert_int_equal(machine->state, MACHINE_UNKNOWN);
    assert_true(machine->is_present);
    assert_null(machine_rare(machine)->claimed_by);
    assert_int_equal(machine->description->n_disks, 3);
    assert_int_equal(machine->spec->environment[ENVIRONMENT_CPU], 4);
    assert_int_equal(machine->spec->environment[ENVIRONMENT_MEMORY], 2048);
    assert_int_equal(machine->spec->environment[ENVIRONMENT_DISK],
                     3000); /* the read-only one holds nothing of its own */
    assert_ptr_equal(find(fixture, "local", 1), machine);
    assert_null(find(fixture, "other", 1));
    assert_null(find(fixture, "local", 2));
    assert_int_equal(pool_count(fixture->pool), 1);
}

static void test_applying_again_updates_and_leaves_state_claim_and_sequence(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *machine = add(fixture, "local", 1, "old");
    struct machine *edited = pool_edit(fixture->pool, machine);

    edited->state = MACHINE_SHUT_OFF;
    edited->reason = REASON_SHUTDOWN;
    edited->event_sequence = 77;
    assert_int_equal(pool_claim(fixture->pool, machine, "recovery"), 0);
    struct domain_description *description = describe(1, "new");
    description->vcpus = 8;
    assert_ptr_equal(apply(fixture, "local", description), machine);
    assert_string_equal(machine->name, "new");
    assert_int_equal(machine->spec->environment[ENVIRONMENT_CPU], 8);
    assert_int_equal(machine->state, MACHINE_SHUT_OFF);
    assert_int_equal(machine->reason, REASON_SHUTDOWN);
    assert_int_equal(machine->event_sequence, 77);
    assert_string_equal(machine_rare(machine)->claimed_by, "recovery");
    assert_int_equal(pool_count(fixture->pool), 1);
}

/* Else what is defined anew after it had run would pass for what it ran with. */
static void test_an_equal_description_says_whether_it_is_that_of_a_running_machine(void **state)
{
    struct fixture *fixture = *state;

    for (int is_live = 1; is_live >= 0; is_live--) {
        struct domain_description *description = describe(1, "vm");

        description->is_live = is_live;
        assert_int_equal(apply(fixture, "local", description)->description->is_live, is_live);
    }
}

static struct domain_description *describe_disk(unsigned number, const char *source, uint64_t capacity_bytes)
{
    struct domain_description *description = describe(number, "a");

    description->disks = calloc(1, sizeof(*description->disks));
    assert_non_null(description->disks);
    description->n_disks = 1;
    assert_int_equal(disk_set_texts(&description->disks[0], source, NULL, NULL, NULL), 0);
    description->disks[0].capacity_bytes = capacity_bytes;
    description->disks[0].writable = true;
    return description;
}

/* A definition does not tell capacities: what was found out before must not be forgotten with every change. */
static void test_the_capacity_of_a_disk_that_stays_is_kept(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *machine = apply(fixture, "local", describe_disk(1, "/a", 1000));

    apply(fixture, "local", describe_disk(1, "/a", 0));
    assert_int_equal(machine->spec->environment[ENVIRONMENT_DISK], 1000);
    apply(fixture, "local", describe_disk(1, "/a", 2000));
    assert_int_equal(machine->spec->environment[ENVIRONMENT_DISK], 2000);
    apply(fixture, "local", describe_disk(1, "/b", 0));
    assert_int_equal(machine->spec->environment[ENVIRONMENT_DISK], 0);
}

static void test_apply_without_wanting_the_machine(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(pool_apply(fixture->pool, "local", describe(1, "a"), NULL), 0);
    assert_non_null(find(fixture, "local", 1));
}

/* ---- names ---- */

static int find_by_name(const struct fixture *fixture, const char *text, const struct machine *expected)
{
    const struct machine *found = NULL;
    int r = pool_find_by_name(fixture->pool, text, &found);

    assert_ptr_equal(found, r == 0 ? expected : NULL);
    return r;
}

static void test_unique_names(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *a = add(fixture, "local", 1, "a"), *b = add(fixture, "other", 2, "b");

    assert_int_equal(find_by_name(fixture, "a", a), 0);
    assert_int_equal(find_by_name(fixture, "b", b), 0);
    assert_int_equal(find_by_name(fixture, "local/a", a), 0);
    assert_int_equal(find_by_name(fixture, machine_ref_of(a).uuid, a), 0);
    assert_string_equal(pool_display_name(fixture->pool, a), "a");
    assert_int_equal(find_by_name(fixture, "other/a", NULL), -ENOENT);
    assert_int_equal(find_by_name(fixture, "nowhere/a", NULL), -ENOENT);
    assert_int_equal(find_by_name(fixture, "c", NULL), -ENOENT);
    assert_int_equal(find_by_name(fixture, "", NULL), -ENOENT);
    assert_int_equal(find_by_name(fixture, "/", NULL), -ENOENT);
    assert_int_equal(find_by_name(fixture, "00000000-0000-4000-8000-00000000000f", NULL), -ENOENT);
}

static void test_a_name_means_where_a_domain_runs_after_a_migration(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *left = add(fixture, "local", 1, "twin"), *there = add(fixture, "other", 1, "twin");

    pool_edit(fixture->pool, left)->state = MACHINE_SHUT_OFF;
    pool_edit(fixture->pool, left)->reason = REASON_MIGRATED;
    pool_edit(fixture->pool, there)->state = MACHINE_RUNNING;
    assert_int_equal(find_by_name(fixture, "twin", there), 0);
    assert_int_equal(find_by_name(fixture, machine_ref_of(there).uuid, there), 0);
    assert_int_equal(find_by_name(fixture, "local/twin", left), 0);

    /* It runs here, and is on its way there. */
    pool_edit(fixture->pool, left)->state = MACHINE_RUNNING;
    pool_edit(fixture->pool, left)->reason = REASON_UNKNOWN;
    pool_edit(fixture->pool, there)->state = MACHINE_PAUSED;
    pool_edit(fixture->pool, there)->reason = REASON_INCOMING;
    assert_int_equal(find_by_name(fixture, "twin", left), 0);
    assert_int_equal(find_by_name(fixture, machine_ref_of(left).uuid, left), 0);

    pool_edit(fixture->pool, there)->state = MACHINE_RUNNING;
    assert_int_equal(find_by_name(fixture, "twin", NULL), -ENOTUNIQ);
    assert_int_equal(find_by_name(fixture, machine_ref_of(there).uuid, NULL), -ENOTUNIQ);
    add(fixture, "third", 2, "twin"); /* which is another domain */
    pool_edit(fixture->pool, there)->state = MACHINE_SHUT_OFF;
    assert_int_equal(find_by_name(fixture, "twin", NULL), -ENOTUNIQ);
}

static void test_names_and_uuids_on_two_hypervisors_are_not_unique(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *here = add(fixture, "local", 1, "twin"), *there = add(fixture, "other", 1, "twin");

    assert_int_equal(find_by_name(fixture, "twin", NULL), -ENOTUNIQ);
    assert_int_equal(find_by_name(fixture, machine_ref_of(here).uuid, NULL), -ENOTUNIQ);
    assert_int_equal(find_by_name(fixture, "local/twin", here), 0);
    assert_int_equal(find_by_name(fixture, "other/twin", there), 0);
    assert_string_equal(pool_display_name(fixture->pool, here), "local/twin");
    assert_string_equal(pool_display_name(fixture->pool, there), "other/twin");

    pool_remove(fixture->pool, there);
    assert_int_equal(find_by_name(fixture, "twin", here), 0);
    assert_string_equal(pool_display_name(fixture->pool, here), "twin");
}

static void test_a_renamed_machine_is_found_by_its_new_name_only(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *machine = add(fixture, "local", 1, "before");

    add(fixture, "local", 1, "after");
    assert_int_equal(find_by_name(fixture, "after", machine), 0);
    assert_int_equal(find_by_name(fixture, "before", NULL), -ENOENT);
    assert_ptr_equal(find(fixture, "local", 1), machine);
}

static void test_two_machines_may_swap_names(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *one = add(fixture, "local", 1, "a"), *two = add(fixture, "local", 2, "b");

    add(fixture, "local", 1, "b");
    add(fixture, "local", 2, "a");
    assert_int_equal(find_by_name(fixture, "b", one), 0);
    assert_int_equal(find_by_name(fixture, "a", two), 0);
}

/* ---- roles ---- */

static void test_roles_by_pattern(void **state)
{
    static const struct {
        const char *hypervisor, *name;
        unsigned roles;
    } rows[] = {
        {"local", "web-1", ROLE_PROTECTED},
        {"other", "web-1", ROLE_PROTECTED},
        {"local", "spare-1", ROLE_STANDBY},
        {"local", "both", ROLE_PROTECTED | ROLE_STANDBY},
        {"local", "nobody", 0},
        {"other", "everything", ROLE_STANDBY},
        {"local", "web-lab", ROLE_IGNORED},
        {"other", "web-2", ROLE_PROTECTED},
        {"local", "web-2", ROLE_IGNORED},
    };
    struct fixture *fixture = *state;

    fixture->config.pool.protect = LIST("web-*", "both");
    fixture->config.pool.standby = LIST("spare-?", "both", "other/every*");
    fixture->config.pool.ignore = LIST("*-lab", "local/web-2");
    configure(fixture);
    for (unsigned i = 0; i < ELEMENTS_OF(rows); i++)
        assert_int_equal(add(fixture, rows[i].hypervisor, i + 1, rows[i].name)->roles, rows[i].roles);
}

static void test_a_service_is_protected_by_its_stored_name(void **state)
{
    struct fixture *fixture = *state;
    struct domain_description *description = describe(1, "spare-1");

    description->has_metadata = true;
    description->service = strdup("web-1");
    assert_non_null(description->service);
    fixture->config.pool.protect = LIST("local/web-*");
    fixture->config.pool.standby = LIST("web-*");
    configure(fixture);
    assert_int_equal(apply(fixture, "local", description)->roles, ROLE_PROTECTED);
    fixture->config.pool.ignore = LIST("web-*");
    configure(fixture);
    assert_int_equal(find(fixture, "local", 1)->roles, ROLE_PROTECTED);
}

static void test_the_role_a_domain_carries_beats_patterns(void **state)
{
    static const struct {
        const char *role;
        unsigned roles;
    } rows[] = {
        {"protected", ROLE_PROTECTED},
        {"standby", ROLE_STANDBY},
        {"protected,standby", ROLE_PROTECTED | ROLE_STANDBY},
        {"ignored", ROLE_IGNORED},
        {"unreadable", ROLE_UNREADABLE}, /* not what the patterns say instead */
    };
    struct fixture *fixture = *state;

    fixture->config.pool.protect = LIST("a*");
    fixture->config.pool.standby = LIST("b*");
    configure(fixture);
    for (unsigned i = 0; i < ELEMENTS_OF(rows); i++)
        for (unsigned n = 0; n < 3; n++) {
            struct domain_description *description = describe(10 * i + n, n == 0 ? "a" : n == 1 ? "b" : "c");

            describe_role(description, rows[i].role);
            assert_int_equal(apply(fixture, "local", description)->roles, rows[i].roles);
        }
}

static void test_ignore_beats_everything(void **state)
{
    struct fixture *fixture = *state;
    struct domain_description *description = describe(1, "lab-1");

    fixture->config.pool.ignore = LIST("lab-*");
    configure(fixture);
    describe_role(description, "protected,standby");
    assert_int_equal(apply(fixture, "local", description)->roles, ROLE_IGNORED);
}

static void test_priority_comes_with_the_domain(void **state)
{
    struct fixture *fixture = *state;
    struct domain_description *description = describe(1, "a");

    description->has_metadata = description->has_priority = true;
    description->priority = 7;
    assert_int_equal(apply(fixture, "local", description)->priority, 7);
    assert_int_equal(add(fixture, "local", 1, "a")->priority, 0);
}

static void test_a_new_configuration_gives_new_roles(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *machine = add(fixture, "local", 1, "a");

    assert_int_equal(machine->roles, ROLE_PROTECTED | ROLE_STANDBY);
    fixture->config.pool.ignore = LIST("a");
    configure(fixture);
    assert_int_equal(find(fixture, "local", 1)->roles, ROLE_IGNORED);
    fixture->config.pool = (struct config_pool){.standby = LIST("*")};
    configure(fixture);
    assert_int_equal(find(fixture, "local", 1)->roles, ROLE_STANDBY);
}

static void test_a_renamed_machine_gets_the_roles_of_its_new_name(void **state)
{
    struct fixture *fixture = *state;

    fixture->config.pool = (struct config_pool){.protect = LIST("web"), .standby = LIST("spare")};
    configure(fixture);
    assert_int_equal(add(fixture, "local", 1, "web")->roles, ROLE_PROTECTED);
    assert_int_equal(add(fixture, "local", 1, "spare")->roles, ROLE_STANDBY);
}

/* ---- facts ---- */

static struct config_machine facts_vm_1[] = {
    {.name = (char *)"VM-001",
     .facts = (struct config_fact[]){{(char *)"language", (char *)"nodejs"}, {(char *)"webserver", NULL}},
     .n_facts = 2},
};

static void give_facts(struct fixture *fixture, struct config_machine *machines, size_t n)
{
    fixture->config.machines = machines;
    fixture->config.n_machines = n;
    configure(fixture);
}

static void test_for_each_kind_configuration_beats_metadata_beats_agent_beats_osinfo(void **state)
{
    struct fixture *fixture = *state;
    struct domain_description *description = describe(1, "VM-001");

    give_facts(fixture, facts_vm_1, 1);
    describe_feature(description, "language", "php");
    describe_feature(description, "webserver", "nginx");
    describe_feature(description, "database", "mysql");
    const struct machine *machine = apply(fixture, "local", description);

    assert_true(has(fixture, machine, "language", "nodejs"));
    assert_false(has(fixture, machine, "language", "php"));
    assert_false(has(fixture, machine, "webserver", "nginx")); /* the configuration says: none */
    assert_true(has(fixture, machine, "database", "mysql"));
    assert_int_equal(machine->spec->features.count, 2);
}

static unsigned count_of_kind(const struct fixture *fixture, const struct machine *machine, const char *kind)
{
    unsigned count = 0;

    for (size_t i = 0; i < machine->spec->features.count; i++) {
        uint32_t feature = machine->spec->features.ids[i];

        count += strcmp(feature_kind_name(fixture->table, feature_kind(fixture->table, feature)), kind) == 0;
    }
    return count;
}

static struct domain_description *describe_ubuntu(unsigned number, const char *name)
{
    struct domain_description *description = describe(number, name);

    description->osinfo_id = strdup("http://ubuntu.com/ubuntu/20.04");
    assert_non_null(description->osinfo_id);
    return description;
}

static void test_libosinfo_tells_the_os_unless_a_better_source_does(void **state)
{
    struct fixture *fixture = *state;
    struct domain_description *tagged = describe_ubuntu(2, "b");
    const struct machine *machine = apply(fixture, "local", describe_ubuntu(1, "a"));

    assert_true(has(fixture, machine, "os", "ubuntu-20.04")); /* as the configuration would write it */
    assert_int_equal(count_of_kind(fixture, machine, "os"), 1);
    describe_feature(tagged, "os", "debian-12");
    machine = apply(fixture, "local", tagged);
    assert_true(has(fixture, machine, "os", "debian-12"));
    assert_int_equal(count_of_kind(fixture, machine, "os"), 1);
}

/* Its texts are released once they are knowledge; a reload, or a description without them, takes nothing away. */
static void test_what_the_agent_told_outlives_its_texts(void **state)
{
    struct fixture *fixture = *state;
    struct domain_description *description = describe(1, "a");
    const struct machine *machine;

    assert_int_equal(domain_description_learn(description, "os", "debian-12"), 0);
    machine = apply(fixture, "local", description);
    assert_true(machine->description->has_learned);
    assert_true(feature_texts_are_none(&machine->description->learned));
    assert_int_equal(machine->spec->features.count, 1);
    configure(fixture);
    assert_int_equal(machine->spec->features.count, 1);
    apply(fixture, "local", describe(1, "a"));
    assert_int_equal(machine->spec->features.count, 1);

    description = describe(1, "a");
    assert_int_equal(domain_description_learn(description, "os", "debian-13"), 0);
    apply(fixture, "local", description);
    assert_int_equal(machine->spec->features.count, 1);
    assert_string_equal(feature_name(fixture->table, machine->spec->features.ids[0]), "os/debian-13");
}

static void test_what_the_agent_told_stays_and_ranks_third(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *machine = apply(fixture, "local", describe_ubuntu(1, "a"));
    char *told[] = {(char *)"os/ubuntu-22.04", (char *)"database/mysql"};

    assert_int_equal(pool_remember_learned(fixture->pool, machine, &(struct string_list){told, ELEMENTS_OF(told)}), 0);
    struct domain_description *description = describe_ubuntu(1, "a");
    describe_feature(description, "database", "oracle");
    machine = apply(fixture, "local", description);
    assert_true(has(fixture, machine, "os", "ubuntu-22.04"));
    assert_false(has(fixture, machine, "os", "ubuntu-20.04"));
    assert_true(has(fixture, machine, "database", "oracle"));
    assert_false(has(fixture, machine, "database", "mysql"));
}

static void test_metadata_that_is_gone_is_forgotten(void **state)
{
    struct fixture *fixture = *state;
    struct domain_description *description = describe(1, "a");

    describe_feature(description, "database", "mysql");
    describe_role(description, "standby");
    apply(fixture, "local", description);
    const struct machine *machine = add(fixture, "local", 1, "a");
    assert_int_equal(machine->spec->features.count, 0);
    assert_int_equal(machine->roles, ROLE_PROTECTED | ROLE_STANDBY);
}

/* "MySQL 8.0", "mysql-server" and "mysql" are one value, whoever says them, and a system brings its family. */
static void test_spellings_meet_the_catalog(void **state)
{
    struct config_machine declared[] = {{.name = (char *)"a",
                                         .facts = (struct config_fact[]){{(char *)"database", (char *)"MySQL 8.0"}},
                                         .n_facts = 1}};
    struct fixture *fixture = *state;
    _cleanup_(catalog_freep) struct catalog *catalog = shipped_catalog();
    struct domain_description *by_metadata = describe(2, "b"), *own = describe(4, "d");

    pool_set_catalog(fixture->pool, catalog);
    give_facts(fixture, declared, 1);
    describe_feature(by_metadata, "database", "mysql-server");
    describe_feature(by_metadata, "os", "Rocky Linux 9.3");
    describe_feature(own, "os", "ubuntu 20.04");
    describe_feature(own, "os-family", "mine");
    assert_true(has(fixture, add(fixture, "local", 1, "a"), "database", "mysql"));
    assert_true(has(fixture, apply(fixture, "local", by_metadata), "database", "mysql"));
    assert_true(has(fixture, find(fixture, "local", 2), "os", "rocky-9"));
    assert_true(has(fixture, find(fixture, "local", 2), "os-family", "redhat"));
    assert_true(has(fixture, apply(fixture, "local", describe_ubuntu(3, "c")), "os-family", "debian"));
    assert_true(has(fixture, find(fixture, "local", 3), "os", "ubuntu-20.04"));
    assert_true(has(fixture, apply(fixture, "local", own), "os-family", "mine"));
    assert_false(has(fixture, find(fixture, "local", 4), "os-family", "debian"));

    pool_set_catalog(fixture->pool, NULL);
    configure(fixture);
    assert_true(has(fixture, find(fixture, "local", 1), "database", "mysql 8.0"));
    assert_false(has(fixture, find(fixture, "local", 3), "os-family", "debian"));
}

/* A weight of one value is found by any spelling as well. */
static void test_a_weight_meets_the_catalog(void **state)
{
    static struct config_weight weights[] = {
        {.kind = (char *)"database", .value = (char *)"PostgreSQL 15", .millionths = 300000},
        {.kind = (char *)"database", .millionths = 100000},
    };
    struct fixture *fixture = *state;
    _cleanup_(catalog_freep) struct catalog *catalog = shipped_catalog();
    uint32_t feature;

    fixture->config.similarity.resource_weights = weights;
    fixture->config.similarity.n_resource_weights = ELEMENTS_OF(weights);
    pool_set_catalog(fixture->pool, catalog);
    configure(fixture);
    assert_int_equal(feature_table_intern(fixture->table, "database", "postgresql", &feature), 0);
    assert_int_equal(similarity_weight(pool_rules(fixture->pool), feature), 300000);
}

/* ---- policies ---- */

static void test_a_replacement_has_the_policy_of_the_service(void **state)
{
    static const char *const db = "local/db-*", *const spares = "spare-*";
    struct fixture *fixture = *state;
    struct config_service entries[] = {
        {.match = {(char **)&db, 1}, .order = ORDER_ORIGINAL},
        {.match = {(char **)&spares, 1}, .order = ORDER_ORIGINAL_ONLY},
    };
    struct diverted_service service = {.original = {.hypervisor = "local"}, .name = (char *)"db-1"};
    const struct machine *spare;

    give(&entries[0], "order");
    give(&entries[1], "order");
    fixture->config.services = entries;
    fixture->config.n_services = ELEMENTS_OF(entries);
    configure(fixture);
    spare = add(fixture, "other", 1, "spare-1");
    assert_int_equal(pool_settle(fixture->pool, 0), 0);
    assert_int_equal(pool_policy(fixture->pool, spare)->config->recovery.order, ORDER_ORIGINAL_ONLY);
    pool_edit(fixture->pool, spare)->serves = &service;
    assert_int_equal(pool_settle(fixture->pool, 0), 0);
    assert_int_equal(pool_policy(fixture->pool, spare)->config->recovery.order, ORDER_ORIGINAL);
    configure(fixture); /* and with the next configuration, too */
    assert_int_equal(pool_policy(fixture->pool, spare)->config->recovery.order, ORDER_ORIGINAL);
    pool_edit(fixture->pool, spare)->serves = NULL;
    fixture->config.n_services = 0;
    configure(fixture);
    assert_int_equal(pool_policy(fixture->pool, spare)->config->recovery.order, ORDER_REPLACEMENT);
    assert_ptr_equal(pool_policy(fixture->pool, spare)->config, &fixture->config);
}

/* Its guest is another one, and what the old one told is not true of it. */
static void test_what_the_agent_told_goes_with_its_disk(void **state)
{
    struct fixture *fixture = *state;
    struct domain_description *description = describe(1, "a");
    const struct machine *machine;

    describe_image(description, "/old.img");
    assert_int_equal(domain_description_learn(description, "database", "mysql"), 0);
    machine = apply(fixture, "local", description);
    pool_set_learned(fixture->pool, machine, 5, GUEST_LACKS_EXEC);

    description = describe(1, "a");
    describe_image(description, "/old.img");
    describe_image(description, "/more.img");
    machine = apply(fixture, "local", description);
    assert_true(has(fixture, machine, "database", "mysql"));
    assert_int_equal(machine_rare(machine)->learned_us, 5);

    description = describe(1, "a");
    describe_image(description, "/new.img");
    machine = apply(fixture, "local", description);
    assert_false(has(fixture, machine, "database", "mysql"));
    assert_int_equal(machine_rare(machine)->learned_us, 0);
    assert_int_equal(machine_rare(machine)->lack, GUEST_LACKS_NOTHING);
}

static void test_facts_may_be_meant_for_one_hypervisor(void **state)
{
    struct config_machine only_other[] = {{.name = (char *)"other/VM-001",
                                           .facts = (struct config_fact[]){{(char *)"os", (char *)"debian-12"}},
                                           .n_facts = 1}};
    struct fixture *fixture = *state;

    give_facts(fixture, only_other, 1);
    assert_false(has(fixture, add(fixture, "local", 1, "VM-001"), "os", "debian-12"));
    assert_true(has(fixture, add(fixture, "other", 2, "VM-001"), "os", "debian-12"));
}

/* They were merged. Kind by kind, what is said of one hypervisor's machine counts, in whatever order they stand. */
static void test_facts_of_one_hypervisor_come_before_those_of_the_name(void **state)
{
    struct config_machine specific = {
        .name = (char *)"local/VM-001",
        .facts = (struct config_fact[]){{(char *)"os", (char *)"debian-12"}, {(char *)"webserver", NULL}},
        .n_facts = 2};
    struct config_machine general = {.name = (char *)"VM-001",
                                     .facts = (struct config_fact[]){{(char *)"OS", (char *)"debian-11"},
                                                                     {(char *)"webserver", (char *)"nginx"},
                                                                     {(char *)"database", (char *)"mysql"},
                                                                     {(char *)"language", NULL}},
                                     .n_facts = 4};
    struct config_machine orders[][2] = {{specific, general}, {general, specific}};
    struct fixture *fixture = *state;

    for (unsigned i = 0; i < ELEMENTS_OF(orders); i++) {
        struct domain_description *description = describe(1, "VM-001");
        const struct machine *machine;

        give_facts(fixture, orders[i], 2);
        describe_features(description, "language/nodejs");
        machine = apply(fixture, "local", description);
        assert_true(has(fixture, machine, "os", "debian-12"));
        assert_false(has(fixture, machine, "os", "debian-11"));
        assert_false(has(fixture, machine, "webserver", "nginx"));
        assert_true(has(fixture, machine, "database", "mysql"));
        assert_false(has(fixture, machine, "language", "nodejs")); /* "none" is a word as well */
        machine = add(fixture, "other", 2, "VM-001");
        assert_true(has(fixture, machine, "os", "debian-11"));
        assert_true(has(fixture, machine, "webserver", "nginx"));
    }
}

static void test_facts_come_and_go_with_the_configuration(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *machine = add(fixture, "local", 1, "VM-001");

    assert_false(has(fixture, machine, "language", "nodejs"));
    give_facts(fixture, facts_vm_1, 1);
    machine = find(fixture, "local", 1);
    assert_true(has(fixture, machine, "language", "nodejs"));
    give_facts(fixture, NULL, 0);
    assert_false(has(fixture, find(fixture, "local", 1), "language", "nodejs"));
}

static void test_facts_follow_the_name(void **state)
{
    struct fixture *fixture = *state;

    give_facts(fixture, facts_vm_1, 1);
    assert_true(has(fixture, add(fixture, "local", 1, "VM-001"), "language", "nodejs"));
    assert_false(has(fixture, add(fixture, "local", 1, "VM-009"), "language", "nodejs"));
}

/* ---- claims, holds, removal ---- */

static void test_a_claim_is_exclusive(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *machine = add(fixture, "local", 1, "a");

    assert_int_equal(pool_claim(fixture->pool, machine, "first"), 0);
    assert_int_equal(pool_claim(fixture->pool, machine, "first"), 0);
    assert_int_equal(pool_claim(fixture->pool, machine, "second"), -EBUSY);
    assert_string_equal(machine_rare(machine)->claimed_by, "first");
    pool_release(fixture->pool, machine, "second");
    assert_string_equal(machine_rare(machine)->claimed_by, "first");
    pool_release(fixture->pool, machine, "first");
    assert_null(machine_rare(machine)->claimed_by);
    pool_release(fixture->pool, machine, "first");
    assert_int_equal(pool_claim(fixture->pool, machine, "second"), 0);
}

static void test_what_few_machines_have_takes_no_memory_when_it_is_over(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *machine = add(fixture, "local", 1, "a");

    assert_null(machine->rare);
    assert_int_equal(pool_claim(fixture->pool, machine, "recovery"), 0);
    pool_set_not_warm(fixture->pool, machine, "no memory");
    pool_set_quarantine(fixture->pool, machine, 1000, "it did not come up");
    pool_set_resident(fixture->pool, machine, 4096);
    assert_non_null(machine->rare);
    pool_release(fixture->pool, machine, "recovery");
    pool_set_not_warm(fixture->pool, machine, NULL);
    pool_set_resident(fixture->pool, machine, 0);
    assert_string_equal(machine_rare(machine)->quarantine_why, "it did not come up");
    pool_set_quarantine(fixture->pool, machine, 0, NULL);
    assert_null(machine->rare);
    pool_set_resident(fixture->pool, machine, 4096);
    assert_int_equal(machine_rare(machine)->resident_kib, 4096);
    pool_set_resident(fixture->pool, machine, 0);
    assert_null(machine->rare);
}

static void test_a_quarantine_and_a_stop_take_no_memory_when_they_are_over(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *machine = add(fixture, "local", 1, "VM-001");

    assert_null(machine->rare);
    pool_set_quarantine(fixture->pool, machine, 2000, "its disk is gone");
    pool_set_stopped(fixture->pool, machine, 1000);
    assert_int_equal(machine_rare(machine)->quarantined_until_us, 2000);
    assert_int_equal(machine_rare(machine)->stopped_us, 1000);
    pool_set_quarantine(fixture->pool, machine, 0, NULL);
    assert_int_equal(machine_rare(machine)->stopped_us, 1000);
    pool_set_stopped(fixture->pool, machine, 0);
    assert_null(machine->rare);
}

static void test_a_claim_keeps_its_own_copy_of_the_id(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *machine = add(fixture, "local", 1, "a");
    char id[] = "first";

    assert_int_equal(pool_claim(fixture->pool, machine, id), 0);
    id[0] = 'X';
    assert_int_equal(pool_claim(fixture->pool, machine, "first"), 0);
}

static void test_machines_are_counted_by_their_hypervisor(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *machine = add(fixture, "local", 1, "a");

    add(fixture, "local", 2, "b");
    add(fixture, "other", 1, "a");
    assert_int_equal(pool_count_on(fixture->pool, "local"), 2);
    assert_int_equal(pool_count_on(fixture->pool, "other"), 1);
    assert_int_equal(pool_count_on(fixture->pool, "none"), 0);
    pool_remove(fixture->pool, machine);
    assert_int_equal(pool_count_on(fixture->pool, "local"), 1);
}

static void test_a_removed_machine_is_gone(void **state)
{
    struct fixture *fixture = *state;

    pool_remove(fixture->pool, add(fixture, "local", 1, "a"));
    assert_null(find(fixture, "local", 1));
    assert_int_equal(find_by_name(fixture, "a", NULL), -ENOENT);
    assert_int_equal(pool_count(fixture->pool), 0);
    assert_null(pool_next(fixture->pool, NULL));
}

static void test_a_claimed_machine_survives_its_domain_until_released(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *machine = add(fixture, "local", 1, "a");

    assert_int_equal(pool_claim(fixture->pool, machine, "recovery"), 0);
    pool_remove(fixture->pool, machine);
    assert_ptr_equal(find(fixture, "local", 1), machine);
    assert_false(machine->is_present);
    pool_release(fixture->pool, machine, "recovery");
    assert_null(find(fixture, "local", 1));
}

static void test_a_held_machine_survives_its_domain_until_every_hold_is_let_go(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *machine = add(fixture, "local", 1, "a");

    pool_hold(fixture->pool, machine);
    pool_hold(fixture->pool, machine);
    pool_remove(fixture->pool, machine);
    assert_false(machine->is_present);
    pool_let_go(fixture->pool, machine);
    assert_ptr_equal(find(fixture, "local", 1), machine);
    pool_let_go(fixture->pool, machine);
    assert_null(find(fixture, "local", 1));
}

static void test_letting_go_of_a_present_machine_keeps_it(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *machine = add(fixture, "local", 1, "a");

    pool_hold(fixture->pool, machine);
    pool_let_go(fixture->pool, machine);
    assert_ptr_equal(find(fixture, "local", 1), machine);
    assert_true(machine->is_present);
}

static void test_a_held_machine_that_is_defined_again_is_present_again(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *machine = add(fixture, "local", 1, "a");

    pool_hold(fixture->pool, machine);
    pool_remove(fixture->pool, machine);
    assert_ptr_equal(add(fixture, "local", 1, "a"), machine);
    assert_true(machine->is_present);
    pool_let_go(fixture->pool, machine);
    assert_ptr_equal(find(fixture, "local", 1), machine);
}

static void test_claim_and_hold_together_need_both_to_end(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *machine = add(fixture, "local", 1, "a");

    pool_hold(fixture->pool, machine);
    assert_int_equal(pool_claim(fixture->pool, machine, "recovery"), 0);
    pool_remove(fixture->pool, machine);
    pool_let_go(fixture->pool, machine);
    assert_ptr_equal(find(fixture, "local", 1), machine);
    pool_release(fixture->pool, machine, "recovery");
    assert_null(find(fixture, "local", 1));
}

static void test_machines_of_a_hypervisor_that_is_no_longer_configured_go(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *held;

    add(fixture, "local", 1, "stays");
    add(fixture, "other", 2, "goes");
    held = add(fixture, "other", 3, "held");
    pool_hold(fixture->pool, held);
    fixture->config.n_hypervisors = 1;
    configure(fixture);
    assert_non_null(find(fixture, "local", 1));
    assert_null(find(fixture, "other", 2));
    assert_ptr_equal(find(fixture, "other", 3), held);
    assert_false(held->is_present);
    pool_let_go(fixture->pool, held);
    assert_null(find(fixture, "other", 3));
}

/* ---- the whole ---- */

static void test_free_memory_of_hosts(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(pool_free_memory(fixture->pool, "local"), 0);
    pool_set_free_memory(fixture->pool, "local", 123456);
    pool_set_free_memory(fixture->pool, "other", 5);
    pool_set_free_memory(fixture->pool, "local", 654321);
    assert_int_equal(pool_free_memory(fixture->pool, "local"), 654321);
    assert_int_equal(pool_free_memory(fixture->pool, "other"), 5);
    assert_int_equal(pool_free_memory(fixture->pool, "nowhere"), 0);
}

static void test_the_machine_last_returned_may_be_removed(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *machine;
    unsigned kept = 0;

    for (unsigned i = 0; i < 100; i++)
        add(fixture, i % 3 == 0 ? "other" : "local", i, "same name");
    for (machine = pool_next(fixture->pool, NULL); machine != NULL;) {
        const struct machine *next = pool_next(fixture->pool, machine);

        if (strcmp(machine->hypervisor, "other") == 0)
            pool_remove(fixture->pool, machine);
        machine = next;
    }
    for (machine = pool_next(fixture->pool, NULL); machine != NULL; machine = pool_next(fixture->pool, machine))
        kept++;
    assert_int_equal(kept, 66);
    assert_int_equal(pool_count(fixture->pool), 66);
}

#define MANY 10000

static void test_ten_thousand_machines(void **state)
{
    static bool seen[MANY];
    struct fixture *fixture = *state;
    const struct machine *machine;
    char name[32];

    memset(seen, 0, sizeof(seen));
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(name, sizeof(name), "vm-%u", i);
        machine = add(fixture, i % 2 == 0 ? "local" : "other", i, name);
        pool_edit(fixture->pool, machine)->priority = (int)i;
    }
    assert_int_equal(pool_count(fixture->pool), MANY);
    for (const struct machine *m = pool_next(fixture->pool, NULL); m != NULL; m = pool_next(fixture->pool, m)) {
        assert_false(seen[m->priority]);
        seen[m->priority] = true;
    }
    for (unsigned i = 0; i < MANY; i++) {
        machine = find(fixture, i % 2 == 0 ? "local" : "other", i);
        assert_true(seen[i]);
        snprintf(name, sizeof(name), "vm-%u", i);
        assert_non_null(machine);
        if (i % 100 == 0)
            assert_int_equal(find_by_name(fixture, name, machine), 0);
        if (i % 4 == 0)
            pool_remove(fixture->pool, machine);
    }
    assert_int_equal(pool_count(fixture->pool), MANY - MANY / 4);
}

static uint32_t keep_number(struct fixture *fixture, const char *hypervisor, unsigned number)
{
    char uuid[UUID_TEXT_SIZE];

    uuid_from(number, uuid);
    return pool_keep_number(fixture->pool, hypervisor, uuid);
}

static void test_a_number_that_is_kept_stays_with_its_machine_whether_that_is_known_or_not(void **state)
{
    struct fixture *fixture = *state;
    uint32_t number = keep_number(fixture, "local", 1);
    const struct machine *machine;

    assert_int_equal(number, keep_number(fixture, "local", 1));
    assert_int_not_equal(number, add(fixture, "local", 2, "VM-002")->number);
    assert_int_not_equal(number, add(fixture, "other", 1, "VM-001")->number);
    machine = add(fixture, "local", 1, "VM-001");
    assert_int_equal(machine->number, number);
    assert_ptr_equal(pool_at(fixture->pool, number), machine);
    pool_remove(fixture->pool, machine);
    assert_null(pool_at(fixture->pool, number));
    assert_int_not_equal(number, add(fixture, "local", 3, "VM-003")->number);
    assert_int_equal(number, add(fixture, "local", 1, "VM-001")->number);
    pool_remove(fixture->pool, find(fixture, "local", 1));
    pool_drop_number(fixture->pool, number);
    assert_int_equal(number, add(fixture, "local", 4, "VM-004")->number);
}

static void test_a_number_that_is_kept_is_no_machine(void **state)
{
    struct fixture *fixture = *state;
    uint32_t number = keep_number(fixture, "local", 1);
    const struct machine *machine = add(fixture, "other", 1, "VM-001"), *found;
    struct machine_ref ref = pool_ref(fixture->pool, number);
    struct use own = {0}, twin = {0};

    assert_string_equal(ref.hypervisor, "local");
    assert_string_equal(ref.uuid, machine_ref_of(machine).uuid);
    assert_int_equal(pool_settle(fixture->pool, 0), 0);
    assert_int_equal(pool_count(fixture->pool), 1);
    assert_null(find(fixture, "local", 1));
    assert_null(pool_find_twin(fixture->pool, "local", machine));
    assert_ptr_equal(pool_next(fixture->pool, NULL), machine);
    assert_null(pool_next(fixture->pool, machine));
    assert_int_equal(pool_find_by_name(fixture->pool, ref.uuid, &found), 0);
    assert_ptr_equal(found, machine);
    assert_true(use_next(machine, &own));
    assert_false(pool_sharer_next(fixture->pool, &own, USERS_OWNING, &twin));
    add(fixture, "local", 1, "VM-001");
    assert_int_equal(pool_settle(fixture->pool, 0), 0);
    assert_true(pool_sharer_next(fixture->pool, &own, USERS_OWNING, &twin));
    pool_remove(fixture->pool, twin.machine);
    twin = (struct use){0};
    assert_false(pool_sharer_next(fixture->pool, &own, USERS_OWNING, &twin));
}

static void test_many_numbers_may_be_kept_before_the_first_machine_comes(void **state)
{
    struct fixture *fixture = *state;
    uint32_t number = NUMBER_NONE;

    for (unsigned i = 0; i < 1000; i++)
        number = keep_number(fixture, "local", i);
    assert_int_equal(add(fixture, "local", 999, "VM-999")->number, number);
    assert_int_equal(find_by_name(fixture, "VM-999", find(fixture, "local", 999)), 0);
}

static void test_what_has_no_uuid_has_no_number(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(pool_keep_number(fixture->pool, "local", "VM-001"), NUMBER_NONE);
    assert_int_equal(pool_number_of(fixture->pool, "local", "VM-001"), NUMBER_NONE);
}

#define pool_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        pool_test(test_a_new_machine_is_what_its_description_says),
        pool_test(test_applying_again_updates_and_leaves_state_claim_and_sequence),
        pool_test(test_an_equal_description_says_whether_it_is_that_of_a_running_machine),
        pool_test(test_the_capacity_of_a_disk_that_stays_is_kept),
        pool_test(test_apply_without_wanting_the_machine),
        pool_test(test_unique_names),
        pool_test(test_a_name_means_where_a_domain_runs_after_a_migration),
        pool_test(test_names_and_uuids_on_two_hypervisors_are_not_unique),
        pool_test(test_a_renamed_machine_is_found_by_its_new_name_only),
        pool_test(test_two_machines_may_swap_names),
        pool_test(test_roles_by_pattern),
        pool_test(test_a_service_is_protected_by_its_stored_name),
        pool_test(test_the_role_a_domain_carries_beats_patterns),
        pool_test(test_ignore_beats_everything),
        pool_test(test_priority_comes_with_the_domain),
        pool_test(test_a_new_configuration_gives_new_roles),
        pool_test(test_a_renamed_machine_gets_the_roles_of_its_new_name),
        pool_test(test_for_each_kind_configuration_beats_metadata_beats_agent_beats_osinfo),
        pool_test(test_libosinfo_tells_the_os_unless_a_better_source_does),
        pool_test(test_what_the_agent_told_outlives_its_texts),
        pool_test(test_what_the_agent_told_stays_and_ranks_third),
        pool_test(test_metadata_that_is_gone_is_forgotten),
        pool_test(test_spellings_meet_the_catalog),
        pool_test(test_a_weight_meets_the_catalog),
        pool_test(test_a_replacement_has_the_policy_of_the_service),
        pool_test(test_what_the_agent_told_goes_with_its_disk),
        pool_test(test_facts_may_be_meant_for_one_hypervisor),
        pool_test(test_facts_of_one_hypervisor_come_before_those_of_the_name),
        pool_test(test_facts_come_and_go_with_the_configuration),
        pool_test(test_facts_follow_the_name),
        pool_test(test_a_claim_is_exclusive),
        pool_test(test_what_few_machines_have_takes_no_memory_when_it_is_over),
        pool_test(test_a_quarantine_and_a_stop_take_no_memory_when_they_are_over),
        pool_test(test_a_claim_keeps_its_own_copy_of_the_id),
        pool_test(test_machines_are_counted_by_their_hypervisor),
        pool_test(test_a_removed_machine_is_gone),
        pool_test(test_a_claimed_machine_survives_its_domain_until_released),
        pool_test(test_a_held_machine_survives_its_domain_until_every_hold_is_let_go),
        pool_test(test_letting_go_of_a_present_machine_keeps_it),
        pool_test(test_a_held_machine_that_is_defined_again_is_present_again),
        pool_test(test_claim_and_hold_together_need_both_to_end),
        pool_test(test_machines_of_a_hypervisor_that_is_no_longer_configured_go),
        pool_test(test_free_memory_of_hosts),
        pool_test(test_the_machine_last_returned_may_be_removed),
        pool_test(test_ten_thousand_machines),
        pool_test(test_a_number_that_is_kept_stays_with_its_machine_whether_that_is_known_or_not),
        pool_test(test_a_number_that_is_kept_is_no_machine),
        pool_test(test_many_numbers_may_be_kept_before_the_first_machine_comes),
        pool_test(test_what_has_no_uuid_has_no_number),
    };

    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
