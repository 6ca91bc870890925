/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A disk that is full, read-only, broken or silent: what is said of it, and that all is well when it is well again. */
#include "store_world.h"

#include <fcntl.h>
#include <glob.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "service/clock.h"
#include "store_disk.h"

#define SHORT_US (30 * USEC_PER_MSEC)

static int setup_disk(void **state)
{
    disk_set(0, 0, 0);
    disk.syncs = disk.syncs_in_hope = 0;
    return setup_world(state);
}

static int teardown_disk(void **state)
{
    disk_set(0, 0, 0);
    disk_hang(false, false);
    if (teardown_world(state) != 0)
        return -1;
    disk_wait_until_closed();
    return 0;
}

static void test_what_is_acknowledged_has_been_synced(void **state)
{
    struct world *world = *state;

    open_with(world, 10);
    for (uint64_t ticket = 1; ticket <= 20; ticket++) {
        unsigned before = disk_count(&disk.syncs);

        put_and_wait(world, ticket, true, "x");
        assert_written(world, ticket);
        assert_int_equal(disk_count(&disk.unsynced), 0);
        assert_true(disk_count(&disk.syncs) > before);
    }
}

static void test_a_crowd_of_writes_costs_few_syncs(void **state)
{
    struct world *world = *state;
    unsigned before;
    char uuid[32];

    open_with(world, 10);
    put_and_wait(world, 1, true, "x");
    before = disk_count(&disk.syncs);
    disk_hang(true, false);
    put(world, 2, true, "x");
    disk_wait_until_hanging();
    for (int i = 0; i < 500; i++) {
        snprintf(uuid, sizeof(uuid), "uuid-%d", i);
        store_put_machine(world->store, 0, 0, "local", uuid, "m");
    }
    put(world, 3, true, "x");
    disk_hang(false, false);
    wait_for_answer(world, 3);
    assert_written(world, 2);
    assert_written(world, 3);
    assert_int_equal(disk_count(&disk.syncs) - before, 2);
    reopen(world);
    assert_int_equal(world->stored->n_machines, 500);
}

/* Of each kind of failure: the ticket is told, the trouble is told, and later all is written in its latest form. */
static void fail_and_recover(struct world *world, int fail_write, int fail_sync, int error)
{
    open_with(world, 10);
    put_and_wait(world, 1, true, "before");
    assert_written(world, 1);
    disk_set(fail_write, fail_sync, 0);
    put_and_wait(world, 2, true, "first");
    assert_refused(world, 2, error);
    wait_for_trouble(world, true);
    assert_non_null(strstr(world->trouble, world->path));
    put_and_wait(world, 2, false, "last");
    assert_refused(world, 2, error);
    put_and_wait(world, 3, true, "x");
    assert_refused(world, 3, error);
    store_put_machine(world->store, 0, 0, "local", "uuid", "m");

    disk_set(0, 0, 0);
    wait_for_trouble(world, false);
    put_and_wait(world, 4, true, "after");
    assert_written(world, 4);
    reopen(world);
    assert_string_equal(world->remade, "");
    assert_int_equal(world->stored->n_recoveries, 4);
    assert_stored(world, 1, true, "before");
    assert_stored(world, 2, false, "last");
    assert_stored(world, 3, true, "x");
    assert_stored(world, 4, true, "after");
    assert_int_equal(world->stored->n_machines, 1);
    assert_int_equal(disk_count(&disk.syncs_in_hope), 0);
}

static void test_a_failed_sync_is_told_and_never_repeated_on_the_same_file(void **state)
{
    fail_and_recover(*state, 0, SQLITE_IOERR_FSYNC, -EIO);
}

static void test_a_failed_write_is_told_and_made_good(void **state)
{
    fail_and_recover(*state, SQLITE_IOERR_WRITE, 0, -EIO);
}

static void test_no_space_is_told_and_made_good(void **state)
{
    fail_and_recover(*state, SQLITE_FULL, 0, -ENOSPC);
}

static void test_a_disk_gone_read_only_is_told_and_made_good(void **state)
{
    fail_and_recover(*state, SQLITE_READONLY, 0, -EROFS);
}

/* The log has grown long and cannot be brought into the file: what is in it is safe, but the operator must know. */
static void test_a_log_that_cannot_be_brought_in_is_trouble_without_loss(void **state)
{
    struct world *world = *state;
    static char document[5000000];

    memset(document, 'x', sizeof(document) - 1);
    open_with(world, 10);
    put_and_wait(world, 1, true, "small");
    disk_set(0, SQLITE_IOERR_FSYNC, SQLITE_OPEN_MAIN_DB);
    put_and_wait(world, 2, true, document);
    assert_written(world, 2);
    wait_for_trouble(world, true);
    disk_set(0, 0, 0);
    wait_for_trouble(world, false);
    assert_int_equal(disk_count(&disk.syncs_in_hope), 0);
    reopen(world);
    assert_stored(world, 1, true, "small");
    assert_stored(world, 2, true, document);
}

static void test_damage_found_while_writing_makes_a_new_database_with_the_open_recoveries(void **state)
{
    struct world *world = *state;
    char pattern[128];
    glob_t found;

    open_with(world, 10);
    put_and_wait(world, 1, true, "open");
    put_and_wait(world, 2, false, "finished");
    disk_set(SQLITE_CORRUPT, 0, SQLITE_OPEN_WAL);
    put_and_wait(world, 3, true, "x");
    assert_refused(world, 3, -EBADMSG);
    disk_set(0, 0, 0);
    wait_for_trouble(world, true);
    wait_for_trouble(world, false);
    snprintf(pattern, sizeof(pattern), "%s.damaged-[0-9]*-[0-9]*[0-9]", world->path);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    globfree(&found);
    assert_non_null(strstr(world->remade, world->path));
    reopen(world);
    assert_int_equal(world->stored->n_recoveries, 2);
    assert_stored(world, 1, true, "open");
    assert_stored(world, 3, true, "x");
}

/* The new database is damaged as well, most likely within the same second: the first one is not lost to it. */
static void test_a_database_that_was_set_aside_is_not_overwritten_by_the_next(void **state)
{
    struct world *world = *state;
    struct stat before, after;
    char pattern[128];
    glob_t found;

    open_with(world, 10);
    put_and_wait(world, 1, true, "open");
    assert_int_equal(stat(world->path, &before), 0);
    disk_set(SQLITE_CORRUPT, 0, SQLITE_OPEN_WAL);
    put_and_wait(world, 2, true, "x");
    disk_set(0, 0, 0);
    wait_for_trouble(world, true);
    wait_for_trouble(world, false);
    snprintf(pattern, sizeof(pattern), "%s.damaged-[0-9]*-[0-9]*[0-9]", world->path);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    assert_true(found.gl_pathc >= 2);
    assert_int_equal(stat(found.gl_pathv[0], &after), 0);
    assert_int_equal(after.st_ino, before.st_ino);
    globfree(&found);
}

static void test_a_silent_disk_is_told_in_time_and_only_once(void **state)
{
    struct world *world = *state;

    open_with(world, 10);
    put_and_wait(world, 1, true, "x");
    disk_hang(true, false);
    store_put_recovery(world->store, 2, SHORT_US, "r002", 2 * USEC_PER_SEC, true, "first");
    put(world, 4, true, "patient");
    wait_for_answer(world, 2);
    assert_refused(world, 2, -ETIMEDOUT);
    wait_for_trouble(world, true);
    assert_non_null(strstr(world->trouble, "has not answered"));
    store_put_recovery(world->store, 3, SHORT_US, "r002", 2 * USEC_PER_SEC, true, "second");
    wait_for_answer(world, 3);
    assert_refused(world, 3, -ETIMEDOUT);
    assert_int_equal(world->troubles, 1);
    assert_int_equal(world->answers[4].times, 0);

    disk_hang(false, false);
    wait_for_trouble(world, false);
    wait_for_answer(world, 4);
    assert_written(world, 4);
    put_and_wait(world, 5, true, "x");
    assert_int_equal(world->answers[2].times, 1);
    assert_int_equal(world->answers[3].times, 1);
    assert_int_equal(world->troubles, 2);
    reopen(world);
    assert_stored(world, 2, true, "second");
}

/* Nor does it wait for the disk for ever. */
static void test_what_is_asked_of_a_silent_disk_is_answered(void **state)
{
    struct world *world = *state;

    open_with(world, 10);
    put_and_wait(world, 1, false, "x");
    disk_hang(true, false);
    store_put_recovery(world->store, 2, SHORT_US, "r002", 2 * USEC_PER_SEC, true, "x");
    disk_wait_until_hanging();
    assert_int_equal(store_read(world->store, "r001", 0, world), 0); /* it is not known yet that it hangs */
    wait_for_trouble(world, true);
    assert_int_equal(store_read(world->store, "r001", 0, world), -ETIMEDOUT);
    assert_int_equal(world->reads, 0);
    assert_false(store_close(world->store, SHORT_US));
    world->store = NULL;
    assert_int_equal(world->reads, 1);
    assert_int_equal(world->read_error, -ECANCELED);
    disk_hang(false, false);
    disk_wait_until_closed();
}

/* A thread that was left behind has the directory until it ends, as a process would. */
static void wait_until_let_go(const struct world *world)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char path[256];
    int fd;

    snprintf(path, sizeof(path), "%s/understudy.lock", world->directory);
    fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_OFD_SETLKW, &whole), 0);
    close(fd);
}

static void test_closing_leaves_a_silent_disk_behind(void **state)
{
    struct world *world = *state;
    int64_t began_us;

    open_with(world, 10);
    put_and_wait(world, 1, true, "x");
    disk_hang(true, false);
    put(world, 2, true, "x");
    disk_wait_until_hanging();
    began_us = clock_now().mono_us;
    assert_false(store_close(world->store, SHORT_US));
    world->store = NULL;
    assert_true(clock_now().mono_us - began_us >= SHORT_US);
    assert_true(clock_now().mono_us - began_us < LONG_US / 2);
    assert_int_equal(world->answers[2].times, 0);

    disk_hang(false, false);
    disk_wait_until_closed();
    wait_until_let_go(world);
    reopen(world);
    assert_stored(world, 1, true, "x");
}

static void test_a_disk_silent_at_the_start_does_not_hold_the_daemon(void **state)
{
    struct world *world = *state;

    disk_hang(false, true);
    world->timing.slow_us = SHORT_US;
    world->timing.open_us = 3 * SHORT_US;
    assert_int_equal(store_open_timed(world->base, world->directory, (struct retention){.latest = 10}, &world->timing,
                                      &world_callbacks, world, &world->store),
                     0);
    assert_int_equal(world->opened, 0);
    wait_for_trouble(world, true);
    assert_non_null(strstr(world->trouble, "has not answered"));
    assert_non_null(strstr(world->trouble, "no machine is watched"));
    assert_int_equal(world->opened, 0);
    while (world->opened == 0)
        turn(world);
    assert_int_equal(world->open_error, -ETIMEDOUT);
    assert_null(world->stored);
    put(world, 1, true, "x");
    disk_hang(false, false);
    wait_for_trouble(world, false);
    wait_for_answer(world, 1);
    assert_written(world, 1);
    assert_int_equal(world->opened, 1);
}

/* The event loop turns meanwhile: it is told as soon as it is read. */
static void test_a_disk_slow_at_the_start_is_trouble_until_it_is_read(void **state)
{
    struct world *world = *state;

    open_with(world, 10);
    put_and_wait(world, 1, true, "x");
    shut(world);
    disk_hang(false, true);
    world->timing.slow_us = SHORT_US;
    assert_int_equal(store_open_timed(world->base, world->directory, (struct retention){.latest = 10}, &world->timing,
                                      &world_callbacks, world, &world->store),
                     0);
    wait_for_trouble(world, true);
    disk_hang(false, false);
    wait_for_trouble(world, false);
    assert_int_equal(world->opened, 1);
    assert_int_equal(world->open_error, 0);
    assert_stored(world, 1, true, "x");
}

/* From here on a file system of our own, in a mount namespace of our own. */

static bool may_mount;

static int try_mounting(void **state)
{
    (void)state;
    disk_install();
    may_mount = unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
    return 0;
}

/* skip() leaves the test, so this stands in the test itself. */
static void mount_or_skip(struct world *world)
{
    if (!may_mount || mount("understudy", world->directory, "tmpfs", 0, "size=512k") < 0) {
        print_message("skipped: a file system may not be mounted here (needs root)\n");
        skip();
    }
}

static int teardown_mount(void **state)
{
    struct world *world = *state;

    shut(world);
    umount2(world->directory, MNT_DETACH);
    return teardown_disk(state);
}

static void fill_disk(const struct world *world)
{
    static const char zeros[4096];
    char path[128];
    int fd;

    snprintf(path, sizeof(path), "%s/ballast", world->directory);
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    while (write(fd, zeros, sizeof(zeros)) > 0)
        ;
    assert_int_equal(errno, ENOSPC);
    close(fd);
}

static void empty_disk(const struct world *world)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/ballast", world->directory);
    assert_int_equal(unlink(path), 0);
}

static void remount(const struct world *world, unsigned long flags)
{
    assert_int_equal(mount(NULL, world->directory, NULL, MS_REMOUNT | flags, NULL), 0);
}

/* Larger than what is left of the log's last page. */
static const char *large_document(void)
{
    static char document[40000];

    memset(document, 'x', sizeof(document) - 1);
    return document;
}

static void test_a_full_disk_is_told_and_made_good_when_there_is_space(void **state)
{
    struct world *world = *state;

    mount_or_skip(world);
    open_with(world, 10);
    put_and_wait(world, 1, true, "before");
    fill_disk(world);
    put_and_wait(world, 2, true, large_document());
    assert_refused(world, 2, -ENOSPC);
    assert_non_null(strstr(world->answers[2].message, "No space left on device"));
    wait_for_trouble(world, true);
    empty_disk(world);
    wait_for_trouble(world, false);
    reopen(world);
    assert_stored(world, 1, true, "before");
    assert_stored(world, 2, true, large_document());
}

/* The daemon starts again on a full disk: open recoveries must be known then of all times. */
static void test_a_full_disk_at_the_start_is_still_read(void **state)
{
    struct world *world = *state;

    mount_or_skip(world);
    open_with(world, 10);
    put_and_wait(world, 1, true, "open");
    shut(world);
    fill_disk(world);
    reopen(world);
    assert_stored(world, 1, true, "open");
    assert_string_equal(world->remade, "");
    wait_for_trouble(world, true);
    put_and_wait(world, 2, true, "x");
    assert_int_not_equal(world->answers[2].error, 0);
    empty_disk(world);
    wait_for_trouble(world, false);
    reopen(world);
    assert_int_equal(world->stored->n_recoveries, 2);
}

static void test_a_read_only_disk_is_read_and_written_when_it_can_be(void **state)
{
    struct world *world = *state;

    mount_or_skip(world);
    open_with(world, 10);
    put_and_wait(world, 1, true, "open");
    shut(world);
    remount(world, MS_RDONLY);
    reopen(world);
    assert_stored(world, 1, true, "open");
    wait_for_trouble(world, true);
    put_and_wait(world, 1, false, "finished");
    assert_int_not_equal(world->answers[1].error, 0);
    assert_non_null(strstr(world->answers[1].message, world->path));
    remount(world, 0);
    wait_for_trouble(world, false);
    reopen(world);
    assert_stored(world, 1, false, "finished");
}

static void test_a_read_only_disk_without_a_database_is_trouble(void **state)
{
    struct world *world = *state;

    mount_or_skip(world);
    remount(world, MS_RDONLY);
    open_with(world, 10);
    assert_int_equal(world->stored->n_recoveries, 0);
    put_and_wait(world, 1, true, "x");
    assert_refused(world, 1, -EROFS);
    assert_int_not_equal(world->trouble[0], '\0');
}

#define WITH_DISK(test)  cmocka_unit_test_setup_teardown(test, setup_disk, teardown_disk)
#define WITH_MOUNT(test) cmocka_unit_test_setup_teardown(test, setup_disk, teardown_mount)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DISK(test_what_is_acknowledged_has_been_synced),
        WITH_DISK(test_a_crowd_of_writes_costs_few_syncs),
        WITH_DISK(test_a_failed_sync_is_told_and_never_repeated_on_the_same_file),
        WITH_DISK(test_a_failed_write_is_told_and_made_good),
        WITH_DISK(test_no_space_is_told_and_made_good),
        WITH_DISK(test_a_disk_gone_read_only_is_told_and_made_good),
        WITH_DISK(test_a_log_that_cannot_be_brought_in_is_trouble_without_loss),
        WITH_DISK(test_damage_found_while_writing_makes_a_new_database_with_the_open_recoveries),
        WITH_DISK(test_a_database_that_was_set_aside_is_not_overwritten_by_the_next),
        WITH_DISK(test_a_silent_disk_is_told_in_time_and_only_once),
        WITH_DISK(test_what_is_asked_of_a_silent_disk_is_answered),
        WITH_DISK(test_closing_leaves_a_silent_disk_behind),
        WITH_DISK(test_a_disk_silent_at_the_start_does_not_hold_the_daemon),
        WITH_DISK(test_a_disk_slow_at_the_start_is_trouble_until_it_is_read),
        WITH_MOUNT(test_a_full_disk_is_told_and_made_good_when_there_is_space),
        WITH_MOUNT(test_a_full_disk_at_the_start_is_still_read),
        WITH_MOUNT(test_a_read_only_disk_is_read_and_written_when_it_can_be),
        WITH_MOUNT(test_a_read_only_disk_without_a_database_is_trouble),
    };

    return cmocka_run_group_tests_name("store on a bad disk", tests, try_mounting, NULL);
}
