/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What could be made from templates, by what a listing says: how many there are, their names, and how long their UUIDs last. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hypervisor/slots.h"

#define MADE       "1a2bcdef-0000-4000-8000-000000000001"
#define MADE_TOO   "1a2bcdef-0000-4000-8000-000000000002"
#define LISTED_MAX 16

/* The slots of one hypervisor, the domains that it has, and what was listed last. */
struct world {
    struct slots slots;
    struct inventory domains;
    struct inventory *listed;
};

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));

    assert_non_null(world);
    world->domains.reports = calloc(LISTED_MAX, sizeof(*world->domains.reports));
    assert_non_null(world->domains.reports);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    inventory_free(world->listed);
    inventory_empty(&world->domains);
    free(world->domains.reports);
    slots_done(&world->slots);
    free(world);
    return 0;
}

/* ---- templates ---- */

static struct template *read_template(const char *name, unsigned max, unsigned memory_mib)
{
    struct template *template = NULL;
    struct diags diags = {0};
    char xml[512];

    snprintf(xml, sizeof(xml),
             "<domain><memory unit='MiB'>%u</memory><metadata><u:machine xmlns:u='urn:understudy:domain:1.0'>"
             "<u:template max='%u'/></u:machine></metadata></domain>",
             memory_mib, max);
    assert_int_equal(template_parse(name, "file", xml, strlen(xml), &diags, &template), 0);
    diags_done(&diags);
    return template;
}

static void add_template(struct template_set *set, const char *name, unsigned max, unsigned memory_mib)
{
    struct template *template = read_template(name, max, memory_mib);

    assert_int_equal(template_set_add(set, template), 0);
    template_free(template);
}

/* In the place of those before. */
static void set_template(struct world *world, const char *name, unsigned max, unsigned memory_mib)
{
    struct template_set *set;

    assert_int_equal(template_set_new(&set), 0);
    add_template(set, name, max, memory_mib);
    slots_set_templates(&world->slots, set);
    template_set_free(set);
}

/* ---- domains ---- */

static struct domain_report *find_domain(struct world *world, const char *uuid)
{
    uint8_t bytes[UUID_SIZE];

    assert_true(uuid_parse(uuid, bytes));
    for (size_t i = 0; i < world->domains.n_reports; i++)
        if (uuid_equal(world->domains.reports[i].description->uuid, bytes))
            return &world->domains.reports[i];
    return NULL;
}

/* There is a domain with this UUID, made from this template (NULL: from none), and it is in this state. */
static void put_domain(struct world *world, const char *uuid, const char *template, enum machine_state state)
{
    struct domain_report *report = find_domain(world, uuid);
    struct domain_description *description;

    if (report == NULL) {
        description = calloc(1, sizeof(*description));
        assert_non_null(description);
        assert_true(uuid_parse(uuid, description->uuid));
        description->name = strdup("made");
        description->template = template != NULL ? strdup(template) : NULL;
        report = &world->domains.reports[world->domains.n_reports++];
        report->description = description;
    }
    report->state = state;
}

static void remove_domain(struct world *world, const char *uuid)
{
    struct domain_report *report = find_domain(world, uuid);

    assert_non_null(report);
    domain_description_free(report->description);
    *report = world->domains.reports[--world->domains.n_reports];
}

/* ---- listings ---- */

static void list(struct world *world)
{
    struct inventory *inventory = calloc(1, sizeof(*inventory));

    assert_non_null(inventory);
    inventory->reports = calloc(LISTED_MAX, sizeof(*inventory->reports));
    assert_non_null(inventory->reports);
    for (size_t i = 0; i < world->domains.n_reports; i++) {
        inventory->reports[i] = world->domains.reports[i];
        assert_int_equal(
            domain_description_copy(world->domains.reports[i].description, &inventory->reports[i].description), 0);
        inventory->n_reports++;
    }
    inventory_free(world->listed);
    world->listed = inventory;
    assert_int_equal(slots_list(&world->slots, inventory), 0);
}

/* NULL: no slot of this name was listed. */
static const struct domain_report *find_slot(const struct world *world, const char *name)
{
    for (size_t i = world->domains.n_reports; i < world->listed->n_reports; i++)
        if (strcmp(world->listed->reports[i].description->name, name) == 0)
            return &world->listed->reports[i];
    return NULL;
}

static size_t count_listed_slots(const struct world *world)
{
    return world->listed->n_reports - world->domains.n_reports;
}

/* With the UUID that it was listed with. */
static struct slot *slot_of(const struct world *world, const char *name)
{
    const struct domain_report *report = find_slot(world, name);
    char uuid[UUID_TEXT_SIZE];
    struct slot *slot;

    assert_non_null(report);
    uuid_format(report->description->uuid, uuid);
    slot = slots_find(&world->slots, uuid);
    assert_non_null(slot);
    return slot;
}

static void remember_uuid(const struct world *world, const char *name, char ret[static UUID_TEXT_SIZE])
{
    memcpy(ret, slot_of(world, name)->uuid, UUID_TEXT_SIZE);
}

/* It is not listed, or under another UUID. */
static void assert_is_hidden(const struct world *world, const char *uuid)
{
    uint8_t bytes[UUID_SIZE];

    assert_true(uuid_parse(uuid, bytes));
    for (size_t i = world->domains.n_reports; i < world->listed->n_reports; i++)
        assert_false(uuid_equal(world->listed->reports[i].description->uuid, bytes));
}

/* ---- without domains ---- */

static void test_nothing_without_templates(void **state)
{
    struct world *world = *state;

    put_domain(world, MADE, "web", MACHINE_RUNNING);
    list(world);
    assert_int_equal(count_listed_slots(world), 0);
}

static void test_one_by_the_name_of_its_template(void **state)
{
    struct world *world = *state;
    const struct domain_report *report;

    set_template(world, "web", 1, 64);
    put_domain(world, MADE, NULL, MACHINE_RUNNING);
    list(world);
    assert_int_equal(count_listed_slots(world), 1);
    report = find_slot(world, "web");
    assert_non_null(report);
    assert_int_equal(report->state, MACHINE_TEMPLATE);
    assert_true(report->persistent);
    assert_string_equal(report->description->template, "web");
    /* Of version 4. */
    assert_int_equal(report->description->uuid[6] >> 4, 4);
    assert_int_equal(report->description->uuid[8] >> 6, 2);
}

static void test_as_many_as_may_run_numbered(void **state)
{
    struct world *world = *state;

    set_template(world, "web", 3, 64);
    list(world);
    assert_int_equal(count_listed_slots(world), 3);
    assert_string_not_equal(slot_of(world, "web")->uuid, slot_of(world, "web.2")->uuid);
    assert_string_not_equal(slot_of(world, "web.2")->uuid, slot_of(world, "web.3")->uuid);
    assert_string_not_equal(slot_of(world, "web")->uuid, slot_of(world, "web.3")->uuid);
}

static void test_several_templates_have_their_own(void **state)
{
    struct world *world = *state;
    struct template_set *set;

    assert_int_equal(template_set_new(&set), 0);
    add_template(set, "web", 2, 64);
    add_template(set, "mail", 1, 64);
    slots_set_templates(&world->slots, set);
    template_set_free(set);
    put_domain(world, MADE, "web", MACHINE_RUNNING);
    list(world);
    assert_int_equal(count_listed_slots(world), 2);
    assert_non_null(find_slot(world, "web"));
    assert_non_null(find_slot(world, "mail"));
}

static void test_uuids_stay_from_listing_to_listing(void **state)
{
    struct world *world = *state;
    char uuids[3][UUID_TEXT_SIZE];

    set_template(world, "web", 3, 64);
    list(world);
    remember_uuid(world, "web", uuids[0]);
    remember_uuid(world, "web.2", uuids[1]);
    remember_uuid(world, "web.3", uuids[2]);
    put_domain(world, MADE, NULL, MACHINE_RUNNING);
    list(world);
    assert_int_equal(count_listed_slots(world), 3);
    assert_string_equal(slot_of(world, "web")->uuid, uuids[0]);
    assert_string_equal(slot_of(world, "web.2")->uuid, uuids[1]);
    assert_string_equal(slot_of(world, "web.3")->uuid, uuids[2]);
}

/* ---- beside domains that were made ---- */

static void test_one_that_runs_takes_one_away(void **state)
{
    struct world *world = *state;

    set_template(world, "web", 3, 64);
    put_domain(world, MADE, "web", MACHINE_RUNNING);
    list(world);
    assert_int_equal(count_listed_slots(world), 2);
    put_domain(world, MADE_TOO, "web", MACHINE_PAUSED);
    list(world);
    assert_int_equal(count_listed_slots(world), 1);
}

static void test_one_of_another_template_takes_none_away(void **state)
{
    struct world *world = *state;

    set_template(world, "web", 1, 64);
    put_domain(world, MADE, "mail", MACHINE_RUNNING);
    list(world);
    assert_int_equal(count_listed_slots(world), 1);
}

static void test_more_than_may_run_leave_none(void **state)
{
    struct world *world = *state;

    set_template(world, "web", 1, 64);
    put_domain(world, MADE, "web", MACHINE_RUNNING);
    put_domain(world, MADE_TOO, "web", MACHINE_RUNNING);
    list(world);
    assert_int_equal(count_listed_slots(world), 0);
}

static void test_one_that_is_off_takes_none_away(void **state)
{
    struct world *world = *state;

    set_template(world, "web", 1, 64);
    put_domain(world, MADE, "web", MACHINE_RUNNING);
    list(world);
    assert_int_equal(count_listed_slots(world), 0);
    put_domain(world, MADE, "web", MACHINE_SHUT_OFF);
    list(world);
    assert_int_equal(count_listed_slots(world), 1);
    assert_is_hidden(world, MADE);
}

/* It may be started at any time. */
static void test_one_that_stands_by_takes_one_away(void **state)
{
    struct world *world = *state;

    set_template(world, "web", 2, 64);
    put_domain(world, MADE, "web", MACHINE_SHUT_OFF);
    find_domain(world, MADE)->description->roles = ROLE_STANDBY;
    list(world);
    assert_int_equal(count_listed_slots(world), 1);
    put_domain(world, MADE_TOO, "web", MACHINE_SHUT_OFF);
    find_domain(world, MADE_TOO)->description->is_unfinished = true;
    list(world);
    assert_int_equal(count_listed_slots(world), 0);
}

static void test_a_slot_ends_when_its_domain_runs_and_the_next_one_is_another(void **state)
{
    struct world *world = *state;
    char uuid[UUID_TEXT_SIZE];

    set_template(world, "web", 1, 64);
    list(world);
    remember_uuid(world, "web", uuid);
    put_domain(world, uuid, "web", MACHINE_RUNNING);
    list(world);
    assert_int_equal(count_listed_slots(world), 0);
    assert_null(slots_find(&world->slots, uuid));
    remove_domain(world, uuid);
    list(world);
    assert_string_not_equal(slot_of(world, "web")->uuid, uuid);
}

static void test_numbers_of_those_that_run_are_free_again(void **state)
{
    struct world *world = *state;
    char first[UUID_TEXT_SIZE], third[UUID_TEXT_SIZE];

    set_template(world, "web", 3, 64);
    list(world);
    remember_uuid(world, "web", first);
    remember_uuid(world, "web.3", third);
    put_domain(world, first, "web", MACHINE_RUNNING);
    list(world);
    assert_int_equal(count_listed_slots(world), 2);
    assert_null(find_slot(world, "web"));
    put_domain(world, first, "web", MACHINE_SHUT_OFF);
    list(world);
    assert_int_equal(count_listed_slots(world), 3);
    assert_non_null(find_slot(world, "web"));
    assert_string_equal(slot_of(world, "web.3")->uuid, third);
}

static void test_what_was_made_is_known(void **state)
{
    struct world *world = *state;

    set_template(world, "web", 1, 64);
    put_domain(world, MADE, "web", MACHINE_SHUT_OFF);
    put_domain(world, MADE_TOO, NULL, MACHINE_RUNNING);
    list(world);
    assert_true(slots_have_made(&world->slots, MADE));
    assert_false(slots_have_made(&world->slots, MADE_TOO));
    assert_false(slots_have_made(&world->slots, slot_of(world, "web")->uuid));
    remove_domain(world, MADE);
    list(world);
    assert_false(slots_have_made(&world->slots, MADE));
}

/* ---- while one is made, and when that fails ---- */

static void test_one_that_is_being_made_counts(void **state)
{
    struct world *world = *state;
    char uuid[UUID_TEXT_SIZE];

    set_template(world, "web", 1, 64);
    list(world);
    remember_uuid(world, "web", uuid);
    slot_of(world, "web")->is_being_made = true;
    list(world);
    assert_int_equal(count_listed_slots(world), 1);
    /* Defined, and not started yet: the domain stands for it, and no other one takes its place. */
    put_domain(world, uuid, "web", MACHINE_SHUT_OFF);
    list(world);
    assert_int_equal(count_listed_slots(world), 0);
    assert_non_null(slots_find(&world->slots, uuid));
    put_domain(world, uuid, "web", MACHINE_RUNNING);
    list(world);
    assert_int_equal(count_listed_slots(world), 0);
    slots_find(&world->slots, uuid)->is_being_made = false;
    list(world);
    assert_int_equal(count_listed_slots(world), 0);
    assert_null(slots_find(&world->slots, uuid));
}

/* It has its number still: both would have one name. */
static void test_the_number_of_one_that_is_being_made_is_no_others(void **state)
{
    struct world *world = *state;
    char uuid[UUID_TEXT_SIZE];

    set_template(world, "web", 2, 64);
    list(world);
    remember_uuid(world, "web", uuid);
    slot_of(world, "web")->is_being_made = true;
    put_domain(world, uuid, "web", MACHINE_SHUT_OFF);
    list(world);
    assert_int_equal(count_listed_slots(world), 1);
    assert_non_null(find_slot(world, "web.2"));
}

static void test_one_that_failed_is_hidden_until_its_domain_is_gone(void **state)
{
    struct world *world = *state;
    char uuid[UUID_TEXT_SIZE];
    struct slot *slot;

    set_template(world, "web", 1, 64);
    list(world);
    remember_uuid(world, "web", uuid);
    put_domain(world, uuid, "web", MACHINE_SHUT_OFF);
    slot = slots_find(&world->slots, uuid);
    assert_non_null(slot);
    slot->has_failed = true;
    for (unsigned i = 0; i < 2; i++) {
        list(world);
        assert_int_equal(count_listed_slots(world), 0);
    }
    remove_domain(world, uuid);
    list(world);
    assert_int_equal(count_listed_slots(world), 1);
    assert_string_equal(slot_of(world, "web")->uuid, uuid);
    assert_false(slot_of(world, "web")->has_failed);
}

/* Its start has failed, and it runs all the same: somebody started it. It is a machine then, and no slot. */
static void test_one_that_failed_and_runs_is_no_slot(void **state)
{
    struct world *world = *state;
    char uuid[UUID_TEXT_SIZE];

    set_template(world, "web", 1, 64);
    list(world);
    remember_uuid(world, "web", uuid);
    slot_of(world, "web")->has_failed = true;
    put_domain(world, uuid, "web", MACHINE_RUNNING);
    list(world);
    assert_null(slots_find(&world->slots, uuid));
    put_domain(world, uuid, "web", MACHINE_SHUT_OFF);
    list(world);
    assert_int_equal(count_listed_slots(world), 1);
    assert_is_hidden(world, uuid);
}

/* ---- reloads ---- */

static void test_a_template_that_vanishes_takes_its_slots_along(void **state)
{
    struct world *world = *state;

    set_template(world, "web", 3, 64);
    list(world);
    set_template(world, "mail", 1, 64);
    list(world);
    assert_int_equal(count_listed_slots(world), 1);
    assert_non_null(find_slot(world, "mail"));
    slots_set_templates(&world->slots, NULL);
    list(world);
    assert_int_equal(count_listed_slots(world), 0);
    assert_int_equal(world->slots.count, 0);
}

static void test_what_is_being_made_outlives_its_template(void **state)
{
    struct world *world = *state;
    char uuid[UUID_TEXT_SIZE];

    set_template(world, "web", 1, 64);
    list(world);
    remember_uuid(world, "web", uuid);
    slot_of(world, "web")->is_being_made = true;
    slots_set_templates(&world->slots, NULL);
    list(world);
    assert_non_null(slots_find(&world->slots, uuid));
    slots_find(&world->slots, uuid)->is_being_made = false;
    list(world);
    assert_null(slots_find(&world->slots, uuid));
}

static void test_a_template_that_changes_keeps_the_uuids(void **state)
{
    struct world *world = *state;
    char uuid[UUID_TEXT_SIZE];

    set_template(world, "web", 1, 64);
    list(world);
    assert_int_equal(find_slot(world, "web")->description->memory_kib, 64 * 1024);
    remember_uuid(world, "web", uuid);
    set_template(world, "web", 1, 128);
    list(world);
    assert_int_equal(count_listed_slots(world), 1);
    assert_string_equal(slot_of(world, "web")->uuid, uuid);
    assert_int_equal(find_slot(world, "web")->description->memory_kib, 128 * 1024);
}

/* What is under way was begun with the old one. */
static void test_what_is_being_made_keeps_its_template(void **state)
{
    struct world *world = *state;

    set_template(world, "web", 1, 64);
    list(world);
    slot_of(world, "web")->is_being_made = true;
    set_template(world, "web", 1, 128);
    list(world);
    assert_int_equal(find_slot(world, "web")->description->memory_kib, 64 * 1024);
}

static void test_more_or_fewer_may_run(void **state)
{
    struct world *world = *state;

    set_template(world, "web", 1, 64);
    list(world);
    set_template(world, "web", 3, 64);
    list(world);
    assert_int_equal(count_listed_slots(world), 3);
    set_template(world, "web", 2, 64);
    list(world);
    assert_int_equal(count_listed_slots(world), 2);
}

/* Whichever of them it is. */
static void test_one_that_is_being_made_counts_where_fewer_may_run(void **state)
{
    struct world *world = *state;
    static const char *const names[] = {"web", "web.2", "web.3"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char uuid[UUID_TEXT_SIZE];

        set_template(world, "web", 3, 64);
        list(world);
        remember_uuid(world, names[i], uuid);
        slot_of(world, names[i])->is_being_made = true;
        set_template(world, "web", 1, 64);
        list(world);
        assert_int_equal(count_listed_slots(world), 1);
        assert_string_equal(slot_of(world, names[i])->uuid, uuid);
        slot_of(world, names[i])->is_being_made = false;
    }
}

/* ---- what is in their way ---- */

#define GIB (UINT64_C(1) << 30)

/* Two templates, each of which needs 1 GiB in the storage pool images, which has so much. */
static bool find_space(struct world *world, uint64_t available_bytes)
{
    struct prospects prospects = {0};
    static const char *const names[] = {"web", "mail"};

    for (size_t i = 0; i < 2; i++) {
        struct prospect *prospect = prospects_add(&prospects, names[i]);

        assert_non_null(prospect);
        assert_int_equal(string_list_add(&prospect->pools, "images"), 0);
    }
    assert_int_equal(pool_spaces_add(&prospects.spaces, "images", available_bytes), 0);
    return slots_set_prospects(&world->slots, &prospects);
}

/* NULL: nothing is in its way. */
static void assert_obstacle(const struct world *world, const char *name, const char *obstacle)
{
    const struct domain_report *report = find_slot(world, name);

    assert_non_null(report);
    if (obstacle == NULL)
        assert_null(report->description->obstacle);
    else
        assert_string_equal(report->description->obstacle, obstacle);
}

static void set_both_templates(struct world *world)
{
    struct template_set *set;

    assert_int_equal(template_set_new(&set), 0);
    add_template(set, "mail", 2, 64);
    add_template(set, "web", 1, 64);
    slots_set_templates(&world->slots, set);
    template_set_free(set);
}

static void test_what_is_in_the_way_of_a_template_is_in_that_of_all_its_slots(void **state)
{
    struct world *world = *state;
    struct prospects prospects = {0};
    struct prospect *prospect = prospects_add(&prospects, "mail");

    assert_non_null(prospect);
    prospect->obstacle = strdup("the storage pool images is not active");
    set_both_templates(world);
    list(world);
    assert_obstacle(world, "mail", NULL);
    assert_true(slots_set_prospects(&world->slots, &prospects));
    list(world);
    assert_obstacle(world, "mail", "the storage pool images is not active");
    assert_obstacle(world, "mail.2", "the storage pool images is not active");
    assert_obstacle(world, "web", NULL);
    assert_true(find_space(world, 3 * GIB));
    list(world);
    assert_obstacle(world, "mail", NULL);
    assert_false(find_space(world, 4 * GIB)); /* which is no news */
}

/* A question that libvirt did not answer: "web", of which something else was known. */
static bool learn_nothing(struct world *world)
{
    struct prospects prospects = {0};
    struct prospect *prospect = prospects_add(&prospects, "web");

    assert_non_null(prospect);
    prospect->is_unknown = true;
    return slots_set_prospects(&world->slots, &prospects);
}

static void test_what_is_known_stays_while_libvirt_does_not_answer(void **state)
{
    static const char too_little[] =
        "the storage pool images has 512 MiB available, and template web needs space=\"1GiB\" for a machine";
    struct world *world = *state;
    struct prospects prospects = {0};
    struct prospect *prospect;

    set_both_templates(world);
    list(world);
    assert_false(learn_nothing(world)); /* nothing was known */
    find_space(world, GIB / 2);
    assert_true(learn_nothing(world)); /* mail was not looked at */
    list(world);
    assert_obstacle(world, "web", too_little);
    assert_obstacle(world, "mail", NULL);
    assert_false(learn_nothing(world));
    list(world);
    assert_obstacle(world, "web", too_little);
    prospect = prospects_add(&prospects, "web");
    assert_non_null(prospect);
    prospect->obstacle = strdup("the base image is missing");
    slots_set_prospects(&world->slots, &prospects);
    assert_false(learn_nothing(world));
    list(world);
    assert_obstacle(world, "web", "the base image is missing");
    find_space(world, 4 * GIB);
    assert_false(learn_nothing(world));
    list(world);
    assert_obstacle(world, "web", NULL);
}

static void test_space_is_for_one_after_the_other(void **state)
{
    struct world *world = *state;

    set_both_templates(world);
    list(world);
    find_space(world, 2 * GIB + GIB / 2);
    list(world);
    assert_obstacle(world, "mail", NULL);
    assert_obstacle(world, "web", NULL);
    assert_obstacle(
        world, "mail.2",
        "the storage pool images has 2560 MiB available, of which 2048 MiB is for machines that come before, "
        "and template mail needs space=\"1GiB\" for a machine");
    find_space(world, GIB - 1);
    list(world);
    assert_obstacle(
        world, "mail",
        "the storage pool images has 1023 MiB available, and template mail needs space=\"1GiB\" for a machine");
    assert_non_null(find_slot(world, "web")->description->obstacle);
}

/* What becomes of the space while it is being made is not known: it is not given to another one. */
static void test_what_is_being_made_has_its_space_first(void **state)
{
    struct world *world = *state;

    set_both_templates(world);
    list(world);
    find_space(world, GIB);
    list(world);
    assert_obstacle(world, "mail", NULL);
    slot_of(world, "mail.2")->is_being_made = true;
    list(world);
    assert_obstacle(world, "mail.2", NULL);
    assert_non_null(find_slot(world, "mail")->description->obstacle);
    find_space(world, 0);
    list(world);
    assert_obstacle(world, "mail.2", NULL);
}

/* A slot that comes later is told as well; so is one whose template was read anew. */
static void test_what_was_found_holds_until_it_is_looked_at_again(void **state)
{
    struct world *world = *state;

    find_space(world, 0);
    set_both_templates(world);
    list(world);
    assert_non_null(find_slot(world, "mail")->description->obstacle);
    set_both_templates(world);
    list(world);
    assert_non_null(find_slot(world, "mail")->description->obstacle);
}

#define slots_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        slots_test(test_nothing_without_templates),
        slots_test(test_what_is_in_the_way_of_a_template_is_in_that_of_all_its_slots),
        slots_test(test_what_is_known_stays_while_libvirt_does_not_answer),
        slots_test(test_space_is_for_one_after_the_other),
        slots_test(test_what_is_being_made_has_its_space_first),
        slots_test(test_what_was_found_holds_until_it_is_looked_at_again),
        slots_test(test_one_by_the_name_of_its_template),
        slots_test(test_as_many_as_may_run_numbered),
        slots_test(test_several_templates_have_their_own),
        slots_test(test_uuids_stay_from_listing_to_listing),
        slots_test(test_one_that_runs_takes_one_away),
        slots_test(test_one_of_another_template_takes_none_away),
        slots_test(test_more_than_may_run_leave_none),
        slots_test(test_one_that_is_off_takes_none_away),
        slots_test(test_one_that_stands_by_takes_one_away),
        slots_test(test_a_slot_ends_when_its_domain_runs_and_the_next_one_is_another),
        slots_test(test_numbers_of_those_that_run_are_free_again),
        slots_test(test_what_was_made_is_known),
        slots_test(test_one_that_is_being_made_counts),
        slots_test(test_the_number_of_one_that_is_being_made_is_no_others),
        slots_test(test_one_that_failed_is_hidden_until_its_domain_is_gone),
        slots_test(test_one_that_failed_and_runs_is_no_slot),
        slots_test(test_a_template_that_vanishes_takes_its_slots_along),
        slots_test(test_what_is_being_made_outlives_its_template),
        slots_test(test_a_template_that_changes_keeps_the_uuids),
        slots_test(test_what_is_being_made_keeps_its_template),
        slots_test(test_more_or_fewer_may_run),
        slots_test(test_one_that_is_being_made_counts_where_fewer_may_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
