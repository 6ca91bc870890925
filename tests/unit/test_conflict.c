/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What may not be used twice at a time: writable disks, MAC addresses and devices of a host. */
#include <string.h>

#include "choose_fixture.h"

struct pair {
    const struct machine *failed, *candidate, *other;
};

/* A candidate, and another machine that is up on this hypervisor. */
static struct pair add_pair(struct fixture *fixture, const char *hypervisor)
{
    struct pair pair = {
        .failed = add_failed(fixture),
        .candidate = add(fixture, "b", WEB),
        .other = add_on(fixture, hypervisor, "other", "data/else"),
    };

    run_machine(fixture, pair.other);
    return pair;
}

static void assert_conflict(struct fixture *fixture, const struct pair *pair, enum exclusive_kind kind,
                            const char *name)
{
    struct candidate candidate;
    char address[USE_NAME_SIZE];

    assert_verdict(fixture, pair->candidate, CANDIDATE_IN_USE);
    candidate = candidate_of(fixture, pair->candidate);
    assert_int_equal(use_kind(&candidate.conflict), kind);
    assert_string_equal(use_name(&candidate.conflict, address), name);
    assert_ptr_equal(candidate.conflict_with, pair->other);
}

/* Both have it from now on. */
static void share_disk(struct fixture *fixture, const struct pair *pair, const char *source)
{
    give_disk(fixture, pair->candidate, source);
    give_disk(fixture, pair->other, source);
}

static void share_device(struct fixture *fixture, const struct pair *pair, const char *hostdev)
{
    give_device(fixture, pair->candidate, hostdev);
    give_device(fixture, pair->other, hostdev);
}

/* ---- disks ---- */

static void test_a_disk_in_use(void **state)
{
    struct fixture *fixture = *state;
    struct pair pair = add_pair(fixture, "local");

    give_disk(fixture, pair.candidate, "/images/own.qcow2");
    give_disk(fixture, pair.other, "/images/other.qcow2");
    assert_verdict(fixture, pair.candidate, CANDIDATE_ELIGIBLE);
    share_disk(fixture, &pair, "/images/shared.qcow2");
    assert_conflict(fixture, &pair, EXCLUSIVE_DISK, "/images/shared.qcow2");
}

static void test_a_disk_is_in_use_while_the_machine_is_active(void **state)
{
    static const struct {
        enum machine_state state;
        bool is_starting, has_come_up;
        enum candidate_verdict verdict;
    } rows[] = {
        {MACHINE_RUNNING, false, false, CANDIDATE_IN_USE},  {MACHINE_PAUSED, false, false, CANDIDATE_IN_USE},
        {MACHINE_CRASHED, false, false, CANDIDATE_IN_USE},  {MACHINE_SUSPENDED, false, false, CANDIDATE_IN_USE},
        {MACHINE_STOPPING, false, false, CANDIDATE_IN_USE}, {MACHINE_SHUT_OFF, false, false, CANDIDATE_ELIGIBLE},
        {MACHINE_SHUT_OFF, true, false, CANDIDATE_IN_USE},  {MACHINE_UNKNOWN, false, false, CANDIDATE_ELIGIBLE},
        {MACHINE_SHUT_OFF, false, true, CANDIDATE_IN_USE},  {MACHINE_GONE, false, false, CANDIDATE_ELIGIBLE},
    };
    struct fixture *fixture = *state;
    struct pair pair = add_pair(fixture, "local");

    share_disk(fixture, &pair, "/images/shared.qcow2");
    for (size_t i = 0; i < ELEMENTS_OF(rows); i++) {
        struct machine *edited = pool_edit(fixture->pool, pair.other);

        edited->state = rows[i].state;
        edited->is_starting = rows[i].is_starting;
        edited->has_come_up = rows[i].has_come_up;
        assert_verdict(fixture, pair.candidate, rows[i].verdict);
    }
}

/* A machine that is ignored, or that its hypervisor does not list for now, uses what it uses all the same. */
static void test_a_disk_is_in_use_by_a_machine_that_is_no_candidate(void **state)
{
    struct fixture *fixture = *state;
    struct pair pair = add_pair(fixture, "local");

    share_disk(fixture, &pair, "/images/shared.qcow2");
    pool_edit(fixture->pool, pair.other)->roles = ROLE_IGNORED;
    assert_verdict(fixture, pair.candidate, CANDIDATE_IN_USE);
    pool_edit(fixture->pool, pair.other)->is_reachable = false;
    assert_verdict(fixture, pair.candidate, CANDIDATE_IN_USE);
}

static void set_disk(struct fixture *fixture, const struct machine *machine, bool is_writable, bool is_shareable)
{
    struct domain_description *description = describe_again(machine);

    description->disks[0].writable = is_writable;
    description->disks[0].shareable = is_shareable;
    redescribe(fixture, machine, description);
}

/* A disk may be written to by one machine alone; what is only read, or meant to be shared, may have many users. */
static void test_disks_that_may_be_shared(void **state)
{
    struct fixture *fixture = *state;
    struct pair pair = add_pair(fixture, "local");

    share_disk(fixture, &pair, "/images/shared.qcow2");
    set_disk(fixture, pair.candidate, false, false);
    assert_verdict(fixture, pair.candidate, CANDIDATE_ELIGIBLE);
    set_disk(fixture, pair.candidate, true, false);
    assert_verdict(fixture, pair.candidate, CANDIDATE_IN_USE);
    set_disk(fixture, pair.other, false, false);
    assert_verdict(fixture, pair.candidate, CANDIDATE_ELIGIBLE);
    set_disk(fixture, pair.candidate, true, true);
    set_disk(fixture, pair.other, true, true);
    assert_verdict(fixture, pair.candidate, CANDIDATE_ELIGIBLE);
    set_disk(fixture, pair.candidate, true, false);
    set_disk(fixture, pair.other, true, false);
    assert_verdict(fixture, pair.candidate, CANDIDATE_IN_USE);
}

/* Through a symbolic link; the same link may lead elsewhere by now. */
static void test_a_disk_by_another_name(void **state)
{
    struct fixture *fixture = *state;
    struct pair pair = add_pair(fixture, "local");

    give_disk_known_as(fixture, pair.candidate, "/link.img", "/real.img", false);
    give_disk_known_as(fixture, pair.other, "/link.img", "/elsewhere.img", false);
    assert_verdict(fixture, pair.candidate, CANDIDATE_ELIGIBLE);
    give_disk(fixture, pair.other, "/real.img");
    assert_conflict(fixture, &pair, EXCLUSIVE_DISK, "/link.img");
}

static void test_a_volume_and_its_file(void **state)
{
    struct fixture *fixture = *state;
    struct pair pair = add_pair(fixture, "local");

    give_disk_known_as(fixture, pair.candidate, "fast/volume", "/fast/volume", false);
    give_disk(fixture, pair.other, "/fast/volume");
    assert_conflict(fixture, &pair, EXCLUSIVE_DISK, "fast/volume");
}

static void test_a_path_in_a_network_pool_is_the_same_on_all_hosts(void **state)
{
    struct fixture *fixture = *state;
    struct pair pair = add_pair(fixture, "other");

    give_disk_known_as(fixture, pair.candidate, "nas/vm", "/mnt/nas/vm", false);
    give_disk_known_as(fixture, pair.other, "share/vm", "/mnt/nas/vm", false);
    assert_verdict(fixture, pair.candidate, CANDIDATE_ELIGIBLE);
    give_disk_known_as(fixture, pair.candidate, "nas/vm", "/mnt/nas/vm", true);
    assert_verdict(fixture, pair.candidate, CANDIDATE_ELIGIBLE); /* there it is a file of that host */
    give_disk_known_as(fixture, pair.other, "share/vm", "/mnt/nas/vm", true);
    assert_conflict(fixture, &pair, EXCLUSIVE_DISK, "nas/vm");
}

static void configure_shared(struct fixture *fixture, const char *directory)
{
    string_list_done(&fixture->config.storage.shared);
    if (directory != NULL)
        assert_int_equal(string_list_add(&fixture->config.storage.shared, directory), 0);
    assert_int_equal(pool_configure(fixture->pool, &fixture->config), 0);
}

/* As a new configuration says, by the path that is written or by the one that it leads to; and as it does not say any more. */
static void test_a_path_below_a_shared_directory_is_the_same_on_all_hosts(void **state)
{
    struct fixture *fixture = *state;
    struct pair pair = add_pair(fixture, "other");

    share_disk(fixture, &pair, "/srv/shared/vm.qcow2");
    assert_verdict(fixture, pair.candidate, CANDIDATE_ELIGIBLE);
    configure_shared(fixture, "/srv/shared");
    assert_conflict(fixture, &pair, EXCLUSIVE_DISK, "/srv/shared/vm.qcow2");
    configure_shared(fixture, "/srv/share");
    assert_verdict(fixture, pair.candidate, CANDIDATE_ELIGIBLE);
    configure_shared(fixture, "/srv//");
    assert_conflict(fixture, &pair, EXCLUSIVE_DISK, "/srv/shared/vm.qcow2");
    configure_shared(fixture, NULL);
    assert_verdict(fixture, pair.candidate, CANDIDATE_ELIGIBLE);
    give_disk_known_as(fixture, pair.candidate, "/link.img", "/mnt/nas/vm", false);
    give_disk(fixture, pair.other, "/mnt/nas/vm");
    assert_verdict(fixture, pair.candidate, CANDIDATE_ELIGIBLE);
    configure_shared(fixture, "/mnt/nas");
    assert_conflict(fixture, &pair, EXCLUSIVE_DISK, "/link.img");
    configure_shared(fixture, NULL);
}

static void test_a_path_is_the_same_on_one_host_only(void **state)
{
    struct fixture *fixture = *state;
    struct pair pair = add_pair(fixture, "other");

    share_disk(fixture, &pair, "/images/vm.qcow2");
    assert_verdict(fixture, pair.candidate, CANDIDATE_ELIGIBLE);
    give_volume(fixture, pair.candidate, "default", "vm.qcow2");
    give_volume(fixture, pair.other, "default", "vm.qcow2");
    assert_verdict(fixture, pair.candidate, CANDIDATE_ELIGIBLE);
    share_disk(fixture, &pair, "nvme:0000:01:00.0/1"); /* written as a network source, and is in the host */
    assert_verdict(fixture, pair.candidate, CANDIDATE_ELIGIBLE);
    share_disk(fixture, &pair, "nbd:vm@/run/nbd.sock"); /* the socket is in the host, too */
    assert_verdict(fixture, pair.candidate, CANDIDATE_ELIGIBLE);
    share_disk(fixture, &pair, "rbd:machines/vm");
    assert_conflict(fixture, &pair, EXCLUSIVE_DISK, "rbd:machines/vm");
}

static void test_a_volume_in_use(void **state)
{
    struct fixture *fixture = *state;
    struct pair pair = add_pair(fixture, "local");

    give_volume(fixture, pair.candidate, "default", "vm.qcow2");
    give_volume(fixture, pair.other, "default", "vm.qcow2");
    assert_conflict(fixture, &pair, EXCLUSIVE_DISK, "default/vm.qcow2");
}

static void test_a_local_nvme_disk_in_use(void **state)
{
    struct fixture *fixture = *state;
    struct pair pair = add_pair(fixture, "local");

    share_disk(fixture, &pair, "nvme:0000:01:00.0/1");
    assert_conflict(fixture, &pair, EXCLUSIVE_DISK, "nvme:0000:01:00.0/1");
}

/* ---- addresses ---- */

static void test_an_address_in_use_anywhere(void **state)
{
    struct fixture *fixture = *state;
    struct pair pair = add_pair(fixture, "other");

    give_address(fixture, pair.candidate, "52:54:00:00:00:01");
    give_address(fixture, pair.other, "52:54:00:00:00:02");
    assert_verdict(fixture, pair.candidate, CANDIDATE_ELIGIBLE);
    give_address(fixture, pair.other, "52:54:00:00:00:01");
    assert_conflict(fixture, &pair, EXCLUSIVE_ADDRESS, "52:54:00:00:00:01");
    pool_edit(fixture->pool, pair.other)->state = MACHINE_SHUT_OFF;
    assert_verdict(fixture, pair.candidate, CANDIDATE_ELIGIBLE);
}

static void test_an_address_and_a_disk_of_one_name_are_two_things(void **state)
{
    struct fixture *fixture = *state;
    struct pair pair = add_pair(fixture, "local");

    give_disk(fixture, pair.candidate, "52:54:00:00:00:01");
    give_address(fixture, pair.other, "52:54:00:00:00:01");
    give_device(fixture, pair.other, "52:54:00:00:00:01");
    assert_verdict(fixture, pair.candidate, CANDIDATE_ELIGIBLE);
    give_disk(fixture, pair.candidate, "/52:54:00:00:00:01"); /* of one host, as a device is */
    give_device(fixture, pair.other, "/52:54:00:00:00:01");
    assert_verdict(fixture, pair.candidate, CANDIDATE_ELIGIBLE);
}

/* ---- devices ---- */

static void test_a_device_of_the_host_in_use(void **state)
{
    static const char *const devices[] = {"pci 0000:65:00.0", "usb 046d:c52b", "scsi 0:0:1:2",
                                          "mdev c2177883-f1bb-47f0-914d-32a22e3a8804"};
    struct fixture *fixture = *state;
    struct pair pair = add_pair(fixture, "local");

    share_device(fixture, &pair, "scsi naa.5001405df3e54061");
    assert_conflict(fixture, &pair, EXCLUSIVE_DEVICE, "scsi naa.5001405df3e54061");
    for (size_t i = 0; i < ELEMENTS_OF(devices); i++) {
        struct domain_description *a = describe_again(pair.candidate), *b = describe_again(pair.other);

        free(a->hostdevs[0]);
        a->hostdevs[0] = strdup(devices[i]);
        redescribe(fixture, pair.candidate, a);
        assert_verdict(fixture, pair.candidate, CANDIDATE_ELIGIBLE);
        free(b->hostdevs[0]);
        b->hostdevs[0] = strdup(devices[i]);
        redescribe(fixture, pair.other, b);
        assert_conflict(fixture, &pair, EXCLUSIVE_DEVICE, devices[i]);
    }
}

static void test_a_device_is_in_one_host_and_an_iscsi_disk_on_all(void **state)
{
    struct fixture *fixture = *state;
    struct pair pair = add_pair(fixture, "other");

    share_device(fixture, &pair, "pci 0000:65:00.0");
    share_device(fixture, &pair, "scsi 0:0:1:2");
    assert_verdict(fixture, pair.candidate, CANDIDATE_ELIGIBLE);
    share_device(fixture, &pair, "scsi iscsi:iqn.2014-08.com.example:disk/1");
    assert_conflict(fixture, &pair, EXCLUSIVE_DEVICE, "scsi iscsi:iqn.2014-08.com.example:disk/1");
}

/* ---- what is in the way ---- */

/* The remains of the failed machine are ended before anything is started: what it used is free, and its disk may be the service's own. */
static void test_the_failed_machine_is_in_no_candidates_way(void **state)
{
    struct fixture *fixture = *state;
    struct pair pair = add_pair(fixture, "local");

    give_disk(fixture, pair.candidate, "/images/service.qcow2");
    give_disk(fixture, pair.failed, "/images/service.qcow2");
    give_address(fixture, pair.candidate, "52:54:00:00:00:01");
    give_address(fixture, pair.failed, "52:54:00:00:00:01");
    pool_edit(fixture->pool, pair.failed)->state = MACHINE_CRASHED;
    assert_verdict(fixture, pair.candidate, CANDIDATE_ELIGIBLE);
    fixture->request.failed = NULL;
    assert_verdict(fixture, pair.candidate, CANDIDATE_IN_USE);
}

/* A candidate that stands by paused has its own disk open. */
static void test_a_machine_is_not_in_its_own_way(void **state)
{
    struct fixture *fixture = *state;
    struct pair pair = add_pair(fixture, "local");

    give_disk(fixture, pair.candidate, "/images/b.qcow2");
    give_disk(fixture, pair.candidate, "/images/b.qcow2"); /* by two names */
    pause_machine(fixture, pair.candidate);
    assert_verdict(fixture, pair.candidate, CANDIDATE_ELIGIBLE);
}

static void test_several_candidates_with_one_disk(void **state)
{
    struct fixture *fixture = *state;
    struct pair pair = add_pair(fixture, "local");
    const struct machine *second = add(fixture, "c", WEB);

    give_disk(fixture, pair.candidate, "/images/shared.qcow2");
    give_disk(fixture, second, "/images/shared.qcow2");
    assert_verdict(fixture, pair.candidate, CANDIDATE_ELIGIBLE); /* neither is up */
    assert_verdict(fixture, second, CANDIDATE_ELIGIBLE);
    give_disk(fixture, pair.other, "/images/shared.qcow2");
    assert_verdict(fixture, pair.candidate, CANDIDATE_IN_USE);
    assert_verdict(fixture, second, CANDIDATE_IN_USE);
    pool_remove(fixture->pool, pair.other);
    assert_verdict(fixture, pair.candidate, CANDIDATE_ELIGIBLE);
}

/* The service goes before the standby that is kept warm for another one. */
static void test_what_is_only_kept_warm_may_be_given_back(void **state)
{
    struct fixture *fixture = *state;
    struct pair pair = add_pair(fixture, "local");

    share_disk(fixture, &pair, "/images/shared.qcow2");
    fixture->request.kept_may_be_given_back = true;
    for (enum keeping keeping = KEEPING_NONE; keeping < KEEPING_COUNT; keeping++) {
        pool_edit(fixture->pool, pair.other)->keeping = keeping;
        assert_verdict(fixture, pair.candidate, keeping == KEEPING_NONE ? CANDIDATE_IN_USE : CANDIDATE_ELIGIBLE);
    }
    fixture->request.kept_may_be_given_back = false;
    assert_verdict(fixture, pair.candidate, CANDIDATE_IN_USE);
}

/* Behind what may be given back stands one that may not. */
static void test_all_users_are_looked_at(void **state)
{
    struct fixture *fixture = *state;
    struct pair pair = add_pair(fixture, "local");
    const struct machine *kept[2];

    share_disk(fixture, &pair, "/images/shared.qcow2");
    for (size_t i = 0; i < 2; i++) {
        kept[i] = add(fixture, "kept", "data/else");
        give_disk(fixture, kept[i], "/images/shared.qcow2");
        run_machine(fixture, kept[i]);
        pool_edit(fixture->pool, kept[i])->keeping = KEEPING_WARM;
    }
    give_disk(fixture, pair.failed, "/images/shared.qcow2");
    pool_edit(fixture->pool, pair.failed)->state = MACHINE_CRASHED;
    fixture->request.kept_may_be_given_back = true;
    assert_conflict(fixture, &pair, EXCLUSIVE_DISK, "/images/shared.qcow2");
}

/* Of a candidate's disks, addresses and devices the first that is in use is told. */
static void test_a_conflict_is_the_last_reason(void **state)
{
    struct fixture *fixture = *state;
    struct pair pair = add_pair(fixture, "local");

    share_disk(fixture, &pair, "/images/shared.qcow2");
    pool_set_quarantine(fixture->pool, pair.candidate, 1, NULL);
    assert_verdict(fixture, pair.candidate, CANDIDATE_QUARANTINED);
    pool_set_quarantine(fixture->pool, pair.candidate, 0, NULL);
    give_address(fixture, pair.candidate, "52:54:00:00:00:01");
    give_address(fixture, pair.other, "52:54:00:00:00:01");
    share_device(fixture, &pair, "pci 0000:65:00.0");
    assert_conflict(fixture, &pair, EXCLUSIVE_DISK, "/images/shared.qcow2");
}

/* Each of the many has a disk of its own and an address that only two of them have. */
static void test_the_one_in_the_way_is_found_among_many(void **state)
{
    enum { MANY = 300 };
    struct fixture *fixture = *state;
    const struct machine *others[MANY], *candidate;
    char disk[24], mac[24];

    add_failed(fixture);
    candidate = add(fixture, "candidate", WEB);
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(disk, sizeof(disk), "/images/%u", i);
        snprintf(mac, sizeof(mac), "52:54:00:00:00:%02x", i / 2);
        others[i] = add(fixture, "other", "data/else");
        run_machine(fixture, others[i]);
        give_disk(fixture, others[i], disk);
        give_address(fixture, others[i], mac);
    }
    for (unsigned i = 0; i < MANY; i += 7) {
        struct domain_description *plain = describe_again(candidate);
        struct candidate found;

        snprintf(disk, sizeof(disk), "/images/%u", i);
        snprintf(mac, sizeof(mac), "52:54:00:00:00:%02x", i / 2);
        give_disk(fixture, candidate, disk);
        assert_verdict(fixture, candidate, CANDIDATE_IN_USE);
        assert_ptr_equal(candidate_of(fixture, candidate).conflict_with, others[i]);
        redescribe(fixture, candidate, plain);
        plain = describe_again(candidate);
        assert_verdict(fixture, candidate, CANDIDATE_ELIGIBLE);
        give_address(fixture, candidate, mac);
        found = candidate_of(fixture, candidate);
        assert_int_equal(found.verdict, CANDIDATE_IN_USE);
        assert_int_equal(use_kind(&found.conflict), EXCLUSIVE_ADDRESS);
        assert_true(found.conflict_with == others[i / 2 * 2] || found.conflict_with == others[i / 2 * 2 + 1]);
        redescribe(fixture, candidate, plain);
        assert_verdict(fixture, candidate, CANDIDATE_ELIGIBLE);
    }
}

/* ---- two machines ---- */

static bool could_both_run(struct fixture *fixture, const struct machine *a, const struct machine *b)
{
    assert_int_equal(pool_settle(fixture->pool, 0), 0);
    assert_int_equal(choose_conflict_between(a, b), choose_conflict_between(b, a));
    return !choose_conflict_between(a, b);
}

/* Whether they are up or not. */
static void assert_below(struct fixture *fixture, const struct machine *candidate, const struct machine *overlay)
{
    struct candidate found;

    assert_verdict(fixture, candidate, CANDIDATE_IN_USE);
    found = candidate_of(fixture, candidate);
    assert_true(found.is_below);
    assert_ptr_equal(found.conflict_with, overlay);
}

/* app1 runs on an overlay of base.img, and is killed; a template whose disk is base.img was started. */
static void test_an_image_below_a_disk_of_the_failed_machine(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *failed = add_failed(fixture), *template = add(fixture, "template", WEB);

    give_disk(fixture, failed, "/images/app1.qcow2");
    give_backing(fixture, failed, "/images/base.img");
    give_disk(fixture, template, "/images/base.img");
    assert_below(fixture, template, failed);
}

static void test_an_image_below_a_disk_of_a_machine_that_is_off(void **state)
{
    struct fixture *fixture = *state;
    struct pair pair = add_pair(fixture, "local");

    pool_edit(fixture->pool, pair.other)->state = MACHINE_SHUT_OFF;
    give_disk(fixture, pair.candidate, "/images/base.img");
    assert_verdict(fixture, pair.candidate, CANDIDATE_ELIGIBLE);
    give_backing(fixture, pair.other, "/images/base.img");
    assert_below(fixture, pair.candidate, pair.other);
}

/* A machine in maintenance writes to what stands below the disk of the candidate. */
static void test_an_image_below_a_disk_of_the_candidate_is_written_to(void **state)
{
    struct fixture *fixture = *state;
    struct pair pair = add_pair(fixture, "local");

    give_disk(fixture, pair.candidate, "/images/app2.qcow2");
    give_backing(fixture, pair.candidate, "/images/base.img");
    give_disk(fixture, pair.other, "/images/base.img");
    assert_conflict(fixture, &pair, EXCLUSIVE_DISK, "/images/base.img");
    assert_false(candidate_of(fixture, pair.candidate).is_below);
    pool_edit(fixture->pool, pair.other)->state = MACHINE_SHUT_OFF;
    assert_verdict(fixture, pair.candidate, CANDIDATE_ELIGIBLE);
}

static void test_many_may_have_one_image_below_their_disks(void **state)
{
    struct fixture *fixture = *state;
    struct pair pair = add_pair(fixture, "local");

    give_disk(fixture, pair.candidate, "/images/app2.qcow2");
    give_backing(fixture, pair.candidate, "/images/base.img");
    give_disk(fixture, pair.other, "/images/app1.qcow2");
    give_backing(fixture, pair.other, "/images/base.img");
    assert_verdict(fixture, pair.candidate, CANDIDATE_ELIGIBLE);
    assert_false(choose_conflict_between(pair.candidate, pair.other));
}

/* The same machine on two hosts, as a migration leaves it: where one is up, the other is no candidate. */
static void test_the_same_machine_is_up_on_another_host(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *candidate, *twin;
    struct candidate found;

    add_failed(fixture);
    candidate = add(fixture, "web", WEB);
    fixture->machines--;
    twin = add_on(fixture, "other", "web", "data/else");
    assert_true(uuid_equal(candidate->description->uuid, twin->description->uuid));
    assert_verdict(fixture, candidate, CANDIDATE_ELIGIBLE);
    run_machine(fixture, twin);
    assert_verdict(fixture, candidate, CANDIDATE_IN_USE);
    found = candidate_of(fixture, candidate);
    assert_int_equal(use_kind(&found.conflict), EXCLUSIVE_IDENTITY);
    assert_ptr_equal(found.conflict_with, twin);
}

/* What is started, and migrated by an operator before it is known what it has opened, is not ended for having that. */
static void test_a_machine_that_runs_is_not_in_the_way_where_it_is_being_migrated_to(void **state)
{
    struct fixture *fixture = *state;
    struct choice_request request = {.pool = fixture->pool};
    struct candidate candidate;
    const struct machine *twin;
    struct machine *edited;

    candidate = (struct candidate){.machine = add(fixture, "web", WEB)};
    fixture->machines--;
    twin = add_on(fixture, "other", "web", WEB);
    edited = pool_edit(fixture->pool, twin);
    edited->state = MACHINE_PAUSED;
    edited->reason = REASON_INCOMING;
    assert_int_equal(pool_settle(fixture->pool, 0), 0);
    assert_true(choose_find_conflict(&request, &candidate)); /* off here, it runs on yet another host */
    run_machine(fixture, candidate.machine);
    assert_int_equal(pool_settle(fixture->pool, 0), 0);
    assert_false(choose_find_conflict(&request, &candidate));
    run_machine(fixture, twin);
    assert_int_equal(pool_settle(fixture->pool, 0), 0);
    assert_true(choose_find_conflict(&request, &candidate));
}

/* That it arrived is told before that it left. */
static void test_a_machine_that_runs_is_not_in_the_way_where_it_was_migrated_to(void **state)
{
    struct fixture *fixture = *state;
    struct choice_request request = {.pool = fixture->pool};
    struct candidate candidate;
    const struct machine *twin;

    candidate = (struct candidate){.machine = add(fixture, "web", WEB)};
    fixture->machines--;
    twin = add_on(fixture, "other", "web", WEB);
    run_machine(fixture, candidate.machine);
    run_machine(fixture, twin);
    pool_edit(fixture->pool, twin)->event_sequence = 2;
    assert_int_equal(pool_settle(fixture->pool, 0), 0);
    assert_false(choose_find_conflict(&request, &candidate));
    pool_edit(fixture->pool, candidate.machine)->event_sequence = 3; /* heard of since: both run */
    assert_int_equal(pool_settle(fixture->pool, 0), 0);
    assert_true(choose_find_conflict(&request, &candidate));
}

static void test_two_machines_that_could_not_both_run(void **state)
{
    struct fixture *fixture = *state;
    const struct machine *a = add(fixture, "a", WEB), *b = add(fixture, "b", WEB),
                         *c = add_on(fixture, "other", "c", WEB);

    give_disk(fixture, a, "/images/a");
    give_disk(fixture, b, "/images/b");
    give_disk(fixture, b, "/images/shared");
    give_disk(fixture, c, "/images/a");
    assert_true(could_both_run(fixture, a, b));
    assert_true(could_both_run(fixture, a, c));
    give_address(fixture, a, "52:54:00:00:00:01");
    give_address(fixture, c, "52:54:00:00:00:01");
    assert_true(could_both_run(fixture, a, b));
    assert_false(could_both_run(fixture, a, c));
    give_disk(fixture, a, "/images/shared");
    assert_false(could_both_run(fixture, a, b));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        choose_test(test_a_disk_in_use),
        choose_test(test_a_disk_is_in_use_while_the_machine_is_active),
        choose_test(test_a_disk_is_in_use_by_a_machine_that_is_no_candidate),
        choose_test(test_disks_that_may_be_shared),
        choose_test(test_a_path_is_the_same_on_one_host_only),
        choose_test(test_a_disk_by_another_name),
        choose_test(test_a_path_below_a_shared_directory_is_the_same_on_all_hosts),
        choose_test(test_a_volume_and_its_file),
        choose_test(test_a_path_in_a_network_pool_is_the_same_on_all_hosts),
        choose_test(test_a_volume_in_use),
        choose_test(test_a_local_nvme_disk_in_use),
        choose_test(test_an_address_in_use_anywhere),
        choose_test(test_an_address_and_a_disk_of_one_name_are_two_things),
        choose_test(test_a_device_of_the_host_in_use),
        choose_test(test_a_device_is_in_one_host_and_an_iscsi_disk_on_all),
        choose_test(test_the_failed_machine_is_in_no_candidates_way),
        choose_test(test_a_machine_is_not_in_its_own_way),
        choose_test(test_several_candidates_with_one_disk),
        choose_test(test_what_is_only_kept_warm_may_be_given_back),
        choose_test(test_all_users_are_looked_at),
        choose_test(test_a_conflict_is_the_last_reason),
        choose_test(test_the_one_in_the_way_is_found_among_many),
        choose_test(test_an_image_below_a_disk_of_the_failed_machine),
        choose_test(test_an_image_below_a_disk_of_a_machine_that_is_off),
        choose_test(test_an_image_below_a_disk_of_the_candidate_is_written_to),
        choose_test(test_many_may_have_one_image_below_their_disks),
        choose_test(test_the_same_machine_is_up_on_another_host),
        choose_test(test_a_machine_that_runs_is_not_in_the_way_where_it_is_being_migrated_to),
        choose_test(test_a_machine_that_runs_is_not_in_the_way_where_it_was_migrated_to),
        choose_test(test_two_machines_that_could_not_both_run),
    };

    return cmocka_run_group_tests_name("conflict", tests, NULL, NULL);
}
