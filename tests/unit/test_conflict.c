/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What may not be used twice at a time: writable disks and MAC addresses. */
#include <string.h>

#include "select_fixture.h"

/* Gives the machine a writable disk. */
static struct disk *add_disk(struct machine *machine, const char *source)
{
    struct domain_description *description = machine->description;
    struct disk *disks = reallocarray(description->disks, description->n_disks + 1, sizeof(*disks));
    struct disk *disk;

    assert_non_null(disks);
    description->disks = disks;
    disk = &disks[description->n_disks++];
    *disk = (struct disk){.source = strdup(source), .target = strdup("vda"), .writable = true};
    assert_non_null(disk->source);
    assert_non_null(disk->target);
    return disk;
}

static void add_mac(struct machine *machine, const char *mac)
{
    struct domain_description *description = machine->description;
    char **macs = reallocarray(description->macs, description->n_macs + 1, sizeof(*macs));

    assert_non_null(macs);
    description->macs = macs;
    macs[description->n_macs] = strdup(mac);
    assert_non_null(macs[description->n_macs++]);
}

struct pair {
    struct machine *failed, *candidate, *other;
};

/* A candidate, and another machine that is up on this hypervisor. */
static struct pair add_pair(struct fixture *fixture, const char *hypervisor)
{
    struct pair pair = {
        .failed = add_failed(fixture),
        .candidate = add(fixture, "b", WEB),
        .other = add_on(fixture, hypervisor, "other", "data/else"),
    };

    pair.other->state = MACHINE_RUNNING;
    return pair;
}

static void assert_conflict(const struct fixture *fixture, const struct pair *pair, enum candidate_verdict verdict,
                            const char *name)
{
    struct candidate candidate = candidate_of(fixture, pair->candidate);

    assert_int_equal(candidate.verdict, verdict);
    assert_string_equal(candidate.conflict, name);
    assert_ptr_equal(candidate.conflict_with, pair->other);
}

static void test_a_disk_in_use(void **state)
{
    struct fixture *fixture = *state;
    struct pair pair = add_pair(fixture, "local");

    add_disk(pair.candidate, "/images/own.qcow2");
    add_disk(pair.other, "/images/other.qcow2");
    assert_verdict(fixture, pair.candidate, CANDIDATE_ELIGIBLE);
    add_disk(pair.candidate, "/images/shared.qcow2");
    add_disk(pair.other, "/images/shared.qcow2");
    assert_conflict(fixture, &pair, CANDIDATE_DISK_IN_USE, "/images/shared.qcow2");
}

static void test_a_disk_is_in_use_while_the_machine_is_active(void **state)
{
    static const struct {
        enum machine_state state;
        bool is_starting;
        enum candidate_verdict verdict;
    } rows[] = {
        {MACHINE_RUNNING, false, CANDIDATE_DISK_IN_USE},  {MACHINE_PAUSED, false, CANDIDATE_DISK_IN_USE},
        {MACHINE_CRASHED, false, CANDIDATE_DISK_IN_USE},  {MACHINE_SUSPENDED, false, CANDIDATE_DISK_IN_USE},
        {MACHINE_STOPPING, false, CANDIDATE_DISK_IN_USE}, {MACHINE_SHUT_OFF, false, CANDIDATE_ELIGIBLE},
        {MACHINE_SHUT_OFF, true, CANDIDATE_DISK_IN_USE},
    };
    struct fixture *fixture = *state;
    struct pair pair = add_pair(fixture, "local");

    add_disk(pair.candidate, "/images/shared.qcow2");
    add_disk(pair.other, "/images/shared.qcow2");
    for (size_t i = 0; i < ELEMENTS_OF(rows); i++) {
        pair.other->state = rows[i].state;
        pool_set_starting(fixture->pool, pair.other, rows[i].is_starting);
        assert_verdict(fixture, pair.candidate, rows[i].verdict);
    }
}

/* It may be written to by one alone; what is only read, or meant to be shared, may have many users. */
static void test_disks_that_may_be_shared(void **state)
{
    struct fixture *fixture = *state;
    struct pair pair = add_pair(fixture, "local");
    struct disk *own = add_disk(pair.candidate, "/images/shared.qcow2");
    struct disk *others = add_disk(pair.other, "/images/shared.qcow2");

    own->writable = others->writable = false;
    assert_verdict(fixture, pair.candidate, CANDIDATE_ELIGIBLE);
    own->writable = others->writable = true;
    own->shareable = others->shareable = true;
    assert_verdict(fixture, pair.candidate, CANDIDATE_ELIGIBLE);
    own->shareable = others->shareable = false;
    assert_verdict(fixture, pair.candidate, CANDIDATE_DISK_IN_USE);
}

static void test_a_path_is_the_same_on_one_host_only(void **state)
{
    struct fixture *fixture = *state;
    struct pair pair = add_pair(fixture, "other");
    struct disk *disk;

    add_disk(pair.candidate, "/images/vm.qcow2");
    add_disk(pair.other, "/images/vm.qcow2");
    assert_verdict(fixture, pair.candidate, CANDIDATE_ELIGIBLE);
    disk = add_disk(pair.candidate, "default/vm.qcow2");
    disk->pool = strdup("default");
    disk = add_disk(pair.other, "default/vm.qcow2");
    disk->pool = strdup("default");
    assert_verdict(fixture, pair.candidate, CANDIDATE_ELIGIBLE);
    add_disk(pair.candidate, "rbd:machines/vm");
    add_disk(pair.other, "rbd:machines/vm");
    assert_conflict(fixture, &pair, CANDIDATE_DISK_IN_USE, "rbd:machines/vm");
}

static void test_a_volume_in_use(void **state)
{
    struct fixture *fixture = *state;
    struct pair pair = add_pair(fixture, "local");

    add_disk(pair.candidate, "default/vm.qcow2")->pool = strdup("default");
    add_disk(pair.other, "default/vm.qcow2")->pool = strdup("default");
    assert_conflict(fixture, &pair, CANDIDATE_DISK_IN_USE, "default/vm.qcow2");
}

static void test_an_address_in_use_anywhere(void **state)
{
    struct fixture *fixture = *state;
    struct pair pair = add_pair(fixture, "other");

    add_mac(pair.candidate, "52:54:00:00:00:01");
    add_mac(pair.other, "52:54:00:00:00:02");
    assert_verdict(fixture, pair.candidate, CANDIDATE_ELIGIBLE);
    add_mac(pair.other, "52:54:00:00:00:01");
    assert_conflict(fixture, &pair, CANDIDATE_MAC_IN_USE, "52:54:00:00:00:01");
    pair.other->state = MACHINE_SHUT_OFF;
    assert_verdict(fixture, pair.candidate, CANDIDATE_ELIGIBLE);
}

/* Its remains are ended before anything is started: what it used is free, and its disk may be the service's own. */
static void test_the_failed_machine_is_in_no_candidates_way(void **state)
{
    struct fixture *fixture = *state;
    struct pair pair = add_pair(fixture, "local");

    add_disk(pair.candidate, "/images/service.qcow2");
    add_disk(pair.failed, "/images/service.qcow2");
    add_mac(pair.candidate, "52:54:00:00:00:01");
    add_mac(pair.failed, "52:54:00:00:00:01");
    pair.failed->state = MACHINE_CRASHED;
    assert_verdict(fixture, pair.candidate, CANDIDATE_ELIGIBLE);
}

/* A candidate that stands by paused has its own disk open. */
static void test_a_machine_is_not_in_its_own_way(void **state)
{
    struct fixture *fixture = *state;
    struct pair pair = add_pair(fixture, "local");

    add_disk(pair.candidate, "/images/b.qcow2");
    pair.candidate->roles = ROLE_STANDBY;
    pair.candidate->state = MACHINE_PAUSED;
    pair.candidate->reason = REASON_USER;
    assert_verdict(fixture, pair.candidate, CANDIDATE_ELIGIBLE);
}

static void test_several_candidates_with_one_disk(void **state)
{
    struct fixture *fixture = *state;
    struct pair pair = add_pair(fixture, "local");
    struct machine *second = add(fixture, "c", WEB);

    add_disk(pair.candidate, "/images/shared.qcow2");
    add_disk(second, "/images/shared.qcow2");
    assert_verdict(fixture, pair.candidate, CANDIDATE_ELIGIBLE); /* neither is up */
    assert_verdict(fixture, second, CANDIDATE_ELIGIBLE);
    add_disk(pair.other, "/images/shared.qcow2");
    assert_verdict(fixture, pair.candidate, CANDIDATE_DISK_IN_USE);
    assert_verdict(fixture, second, CANDIDATE_DISK_IN_USE);
}

/* An earlier reason stands: what is not similar need not be told of a disk. */
static void test_a_conflict_is_the_last_reason(void **state)
{
    struct fixture *fixture = *state;
    struct pair pair = add_pair(fixture, "local");

    add_disk(pair.candidate, "/images/shared.qcow2");
    add_disk(pair.other, "/images/shared.qcow2");
    pair.candidate->quarantined_until_us = 1;
    assert_verdict(fixture, pair.candidate, CANDIDATE_QUARANTINED);
    pair.candidate->quarantined_until_us = 0;
    assert_verdict(fixture, pair.candidate, CANDIDATE_DISK_IN_USE);
    add_mac(pair.candidate, "52:54:00:00:00:01");
    add_mac(pair.other, "52:54:00:00:00:01");
    assert_verdict(fixture, pair.candidate, CANDIDATE_DISK_IN_USE);
}

static void test_an_address_and_a_disk_of_one_name_are_two_things(void **state)
{
    struct fixture *fixture = *state;
    struct pair pair = add_pair(fixture, "local");

    add_disk(pair.candidate, "52:54:00:00:00:01");
    add_mac(pair.other, "52:54:00:00:00:01");
    assert_verdict(fixture, pair.candidate, CANDIDATE_ELIGIBLE);
}

/* Each of the many has a disk of its own and an address that only two of them have. */
static void test_the_one_in_the_way_is_found_among_many(void **state)
{
    enum { MANY = 300 };
    struct fixture *fixture = *state;
    struct machine *others[MANY], *candidate;
    char disks[MANY][24], macs[MANY][24];

    add_failed(fixture);
    candidate = add(fixture, "candidate", WEB);
    add_disk(candidate, "");
    add_mac(candidate, "");
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(disks[i], sizeof(disks[i]), "/images/%u", i);
        snprintf(macs[i], sizeof(macs[i]), "52:54:00:00:00:%02x", i / 2);
        others[i] = add(fixture, "other", "data/else");
        others[i]->state = MACHINE_RUNNING;
        add_disk(others[i], disks[i]);
        add_mac(others[i], macs[i]);
    }
    for (unsigned i = 0; i < MANY; i += 7) {
        struct disk *disk = &candidate->description->disks[0];
        char **mac = &candidate->description->macs[0];
        struct candidate found;

        free(disk->source);
        disk->source = strdup(disks[i]);
        found = candidate_of(fixture, candidate);
        assert_int_equal(found.verdict, CANDIDATE_DISK_IN_USE);
        assert_ptr_equal(found.conflict_with, others[i]);
        free(disk->source);
        disk->source = strdup("/images/own");
        free(*mac);
        *mac = strdup(macs[i]);
        found = candidate_of(fixture, candidate);
        assert_int_equal(found.verdict, CANDIDATE_MAC_IN_USE);
        assert_true(found.conflict_with == others[i / 2 * 2] || found.conflict_with == others[i / 2 * 2 + 1]);
        free(*mac);
        *mac = strdup("52:54:00:00:01:00");
        assert_verdict(fixture, candidate, CANDIDATE_ELIGIBLE);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        select_test(test_a_disk_in_use),
        select_test(test_a_disk_is_in_use_while_the_machine_is_active),
        select_test(test_disks_that_may_be_shared),
        select_test(test_a_path_is_the_same_on_one_host_only),
        select_test(test_a_volume_in_use),
        select_test(test_an_address_in_use_anywhere),
        select_test(test_the_failed_machine_is_in_no_candidates_way),
        select_test(test_a_machine_is_not_in_its_own_way),
        select_test(test_several_candidates_with_one_disk),
        select_test(test_a_conflict_is_the_last_reason),
        select_test(test_an_address_and_a_disk_of_one_name_are_two_things),
        select_test(test_the_one_in_the_way_is_found_among_many),
    };

    return cmocka_run_group_tests_name("conflict", tests, NULL, NULL);
}
