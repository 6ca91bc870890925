/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A pool of machines by name, features and what they use, and the one that failed. */
#include "choose_fixture.h"

#include <stdlib.h>
#include <string.h>

int choose_set_up(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){.config = default_config()};
    fixture.config.similarity = case_study_similarity();
    *state = &fixture;
    if (feature_table_new(&fixture.table) < 0 || pool_new(fixture.table, &fixture.pool) < 0 ||
        pool_configure(fixture.pool, &fixture.config) < 0 || chooser_new(&fixture.chooser) < 0)
        return -1;
    fixture.request = (struct choice_request){.pool = fixture.pool, .spared = &fixture.spared};
    return 0;
}

int choose_tear_down(void **state)
{
    struct fixture *fixture = *state;

    chooser_free(fixture->chooser);
    pool_free(fixture->pool);
    spared_done(&fixture->spared);
    feature_table_free(fixture->table);
    return 0;
}

/* ---- machines ---- */

const struct machine *add_on(struct fixture *fixture, const char *hypervisor, const char *name, const char *features)
{
    struct domain_description *description = describe(++fixture->machines, name);
    const struct machine *machine = NULL;

    describe_features(description, features);
    assert_int_equal(pool_apply(fixture->pool, hypervisor, description, &machine), 0);
    struct machine *edited = pool_edit(fixture->pool, machine);
    edited->state = MACHINE_SHUT_OFF;
    edited->reason = REASON_SHUTDOWN;
    edited->is_reachable = true;
    edited->persistent = true;
    return machine;
}

const struct machine *add(struct fixture *fixture, const char *name, const char *features)
{
    return add_on(fixture, "local", name, features);
}

static void fail_machine(struct fixture *fixture, const struct machine *machine)
{
    pool_edit(fixture->pool, machine)->reason = REASON_CRASHED;
    fixture->request.failed = machine;
    fixture->request.need = machine->spec;
    fixture->request.host = pool_host_of(machine);
}

const struct machine *add_failed_with(struct fixture *fixture, const char *features)
{
    const struct machine *failed = add(fixture, "failed", features);

    fail_machine(fixture, failed);
    return failed;
}

const struct machine *add_failed(struct fixture *fixture)
{
    return add_failed_with(fixture, WEB);
}

void add_case_study(struct fixture *fixture)
{
    add(fixture, "VM-004", "webserver/nginx");
    add(fixture, "VM-002", "language/nodejs database/postgresql webserver/apache");
    add(fixture, "VM-005", "language/nodejs database/mysql database/postgresql webserver/nginx webserver/apache");
    add(fixture, "VM-003", "database/postgresql");
    fail_machine(fixture, add(fixture, "VM-001", WEB));
}

void pause_machine(struct fixture *fixture, const struct machine *machine)
{
    struct machine *edited = pool_edit(fixture->pool, machine);

    edited->roles = ROLE_STANDBY;
    edited->state = MACHINE_PAUSED;
    edited->reason = REASON_USER;
    edited->keeping = KEEPING_WARM;
}

void run_machine(struct fixture *fixture, const struct machine *machine)
{
    struct machine *edited = pool_edit(fixture->pool, machine);

    edited->state = MACHINE_RUNNING;
    edited->reason = REASON_UNKNOWN;
}

void spare_machine(struct fixture *fixture, const struct machine *machine)
{
    bool is_first;

    assert_int_equal(spared_add(&fixture->spared, machine->number, &is_first), 0);
}

/* ---- descriptions ---- */

static void *require(void *allocated)
{
    assert_non_null(allocated);
    return allocated;
}

static struct disk *describe_disk(struct domain_description *description)
{
    description->disks =
        require(reallocarray(description->disks, description->n_disks + 1, sizeof(*description->disks)));
    description->disks[description->n_disks] = (struct disk){.writable = true};
    return &description->disks[description->n_disks++];
}

struct domain_description *describe_again(const struct machine *machine)
{
    const struct domain_description *old = machine->description;
    struct domain_description *description = describe(0, old->name);
    struct feature_text feature;
    char mac[MAC_TEXT_SIZE];

    memcpy(description->uuid, old->uuid, sizeof(old->uuid));
    description->memory_kib = old->memory_kib;
    description->vcpus = old->vcpus;
    for (size_t place = 0; feature_texts_next(&old->features, &place, &feature);)
        describe_feature(description, feature.kind, feature.value);
    for (uint32_t i = 0; i < old->n_disks; i++) {
        const struct disk *from = &old->disks[i];

        assert_int_equal(disk_copy(from, describe_disk(description)), 0);
    }
    for (uint32_t i = 0; i < old->n_macs; i++) {
        mac_format(old->macs[i], mac);
        assert_int_equal(domain_description_add_mac(description, mac), 0);
    }
    for (size_t i = 0; i < old->n_hostdevs; i++)
        assert_int_equal(domain_description_add_hostdev(description, old->hostdevs[i]), 0);
    return description;
}

void redescribe(struct fixture *fixture, const struct machine *machine, struct domain_description *description)
{
    unsigned roles = machine->roles;
    bool is_present = machine->is_present;
    struct machine *edited;

    assert_int_equal(pool_apply(fixture->pool, machine->hypervisor, description, NULL), 0);
    edited = pool_edit(fixture->pool, machine);
    edited->roles = (uint8_t)roles;
    edited->is_present = is_present;
}

void give_disk(struct fixture *fixture, const struct machine *machine, const char *source)
{
    struct domain_description *description = describe_again(machine);

    assert_int_equal(disk_set_texts(describe_disk(description), source, NULL, NULL, "vda"), 0);
    redescribe(fixture, machine, description);
}

void give_disk_known_as(struct fixture *fixture, const struct machine *machine, const char *source,
                        const char *identity, bool is_networked)
{
    struct domain_description *description = describe_again(machine);
    struct disk *disk = describe_disk(description);

    assert_int_equal(disk_set_texts(disk, source, NULL, NULL, "vda"), 0);
    assert_int_equal(disk_set_identity(disk, identity), 0);
    disk->is_networked = is_networked;
    redescribe(fixture, machine, description);
}

void give_backing(struct fixture *fixture, const struct machine *machine, const char *source)
{
    struct domain_description *description = describe_again(machine);
    struct disk *image = describe_disk(description);

    image->writable = false;
    image->is_backing = true;
    assert_int_equal(disk_set_texts(image, source, NULL, NULL, "vda"), 0);
    redescribe(fixture, machine, description);
}

void give_volume(struct fixture *fixture, const struct machine *machine, const char *pool, const char *volume)
{
    struct domain_description *description = describe_again(machine);
    char source[64];

    snprintf(source, sizeof(source), "%s/%s", pool, volume);
    assert_int_equal(disk_set_texts(describe_disk(description), source, pool, volume, "vda"), 0);
    redescribe(fixture, machine, description);
}

void give_address(struct fixture *fixture, const struct machine *machine, const char *mac)
{
    struct domain_description *description = describe_again(machine);

    assert_int_equal(domain_description_add_mac(description, mac), 0);
    redescribe(fixture, machine, description);
}

void give_device(struct fixture *fixture, const struct machine *machine, const char *hostdev)
{
    struct domain_description *description = describe_again(machine);

    assert_int_equal(domain_description_add_hostdev(description, hostdev), 0);
    redescribe(fixture, machine, description);
}

void give_obstacle(struct fixture *fixture, const struct machine *machine, const char *obstacle)
{
    struct domain_description *description = describe_again(machine);

    description->obstacle = obstacle != NULL ? strdup(obstacle) : NULL;
    redescribe(fixture, machine, description);
}

void give_memory(struct fixture *fixture, const struct machine *machine, uint64_t kib)
{
    struct domain_description *description = describe_again(machine);

    description->memory_kib = kib;
    redescribe(fixture, machine, description);
}

/* ---- choices ---- */

struct choice choose_now(struct fixture *fixture, struct choice_extent extent)
{
    struct choice choice = {0};

    assert_int_equal(pool_settle(fixture->pool, fixture->request.now_us), 0);
    assert_int_equal(choose(fixture->chooser, &fixture->request, extent, &choice), 0);
    return choice;
}

static void assert_names(const struct candidate *candidates, size_t n, const struct string_list names)
{
    for (size_t i = 0; i < n && i < names.count; i++)
        assert_string_equal(candidates[i].machine->name, names.items[i]);
    assert_int_equal(n, names.count);
}

void assert_eligible(struct fixture *fixture, const struct string_list names)
{
    _cleanup_(choice_done) struct choice choice = choose_now(fixture, EXTENT_ALL);

    assert_names(choice.eligible, choice.n_eligible, names);
}

void assert_ineligible(struct fixture *fixture, const struct string_list names)
{
    _cleanup_(choice_done) struct choice choice = choose_now(fixture, EXTENT_ALL);

    assert_names(choice.ineligible, choice.n_ineligible, names);
}

struct candidate candidate_of(struct fixture *fixture, const struct machine *machine)
{
    _cleanup_(choice_done) struct choice choice = choose_now(fixture, EXTENT_ALL);

    for (size_t i = 0; i < choice.n_eligible; i++)
        if (choice.eligible[i].machine == machine)
            return choice.eligible[i];
    for (size_t i = 0; i < choice.n_ineligible; i++)
        if (choice.ineligible[i].machine == machine)
            return choice.ineligible[i];
    return (struct candidate){.machine = NULL};
}

void assert_verdict(struct fixture *fixture, const struct machine *machine, enum candidate_verdict verdict)
{
    struct candidate listed = candidate_of(fixture, machine), judged = choose_judge(&fixture->request, machine);

    assert_ptr_equal(listed.machine, machine);
    assert_int_equal(listed.verdict, verdict);
    assert_int_equal(judged.verdict, verdict);
    assert_ptr_equal(judged.conflict.machine, listed.conflict.machine);
    assert_int_equal(judged.conflict.place, listed.conflict.place);
    assert_ptr_equal(judged.conflict_with, listed.conflict_with);
}
