/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * When a storage pool is refreshed, and what comes of that, on libvirt's test driver. It never refuses that, and does not
 * look for pools by their directories: functions with the names of libvirt's are here that do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "hypervisor/places.h"

#define GIB (UINT64_C(1) << 30)

/* Each storage pool of the test driver has 100 GiB. */
static const char node_xml[] =
    "<node><pool type='dir'><name>images</name><target><path>/images</path></target>"
    "<volume type='file'><name>base.img</name><capacity>7654321</capacity><allocation>0</allocation>"
    "<target><path>/images/base.img</path></target></volume></pool>"
    "<pool type='dir'><name>fast</name><target><path>/fast</path></target></pool></node>";

enum refresh {
    REFRESH_WORKS,
    REFRESH_FINDS,  /* new.img */
    REFRESH_IS_NOT, /* now */
    REFRESH_BREAKS, /* the pool */
};

static enum refresh refresh;
static unsigned n_refreshes;
static bool lookup_fails;

int virStoragePoolRefresh(virStoragePoolPtr pool, unsigned flags)
{
    static const char xml[] = "<volume><name>new.img</name><capacity>2</capacity></volume>";
    int (*real)(virStoragePoolPtr, unsigned);
    virStorageVolPtr volume;

    *(void **)&real = dlsym(RTLD_NEXT, __func__);
    n_refreshes++;
    if (refresh == REFRESH_IS_NOT)
        return -1;
    if (refresh == REFRESH_BREAKS)
        assert_int_equal(virStoragePoolDestroy(pool), 0);
    volume = refresh == REFRESH_FINDS ? virStorageVolCreateXML(pool, xml, 0) : NULL;
    if (volume != NULL)
        virStorageVolFree(volume);
    return real(pool, flags);
}

virStoragePoolPtr virStoragePoolLookupByTargetPath(virConnectPtr connection, const char *path)
{
    return virStoragePoolLookupByName(connection, path + 1);
}

/* The error is another one than that there is none. */
virStorageVolPtr virStorageVolLookupByPath(virConnectPtr connection, const char *path)
{
    virStorageVolPtr (*real)(virConnectPtr, const char *);

    *(void **)&real = dlsym(RTLD_NEXT, __func__);
    return real(connection, lookup_fails ? NULL : path);
}

struct world {
    virConnectPtr connection;
    struct template_disk disks[2];
    struct template template;
    struct places places;
    struct action_result result;
};

static void ignore(void *context, virErrorPtr error)
{
    (void)context;
    (void)error;
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    char file[] = "/tmp/understudy-places-XXXXXX", uri[64];
    int fd = mkstemp(file);

    assert_non_null(world);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, node_xml, strlen(node_xml)), (int)strlen(node_xml));
    close(fd);
    virSetErrorFunc(NULL, ignore);
    snprintf(uri, sizeof(uri), "test://%s", file);
    world->connection = virConnectOpen(uri);
    unlink(file);
    assert_non_null(world->connection);
    for (size_t i = 0; i < 2; i++)
        world->disks[i] = (struct template_disk){.target = (char *)"vda", .path = (char *)"/images/base.img"};
    world->template = (struct template){.name = (char *)"small", .disks = world->disks, .n_disks = 2};
    refresh = REFRESH_WORKS;
    n_refreshes = 0;
    lookup_fails = false;
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    places_done(&world->places);
    virConnectClose(world->connection);
    free(world);
    return 0;
}

static int find(struct world *world, bool may_refresh)
{
    const struct base_image_search search = {.may_refresh = may_refresh};

    places_done(&world->places);
    world->result = (struct action_result){0};
    return places_find(world->connection, &search, &world->template, &world->places, &world->result);
}

static int refresh_for(struct world *world, uint64_t needed_bytes)
{
    n_refreshes = 0;
    world->result = (struct action_result){0};
    return places_refresh(&world->places, world->connection, needed_bytes, &world->result);
}

static bool is_active(const struct world *world, const char *name)
{
    virStoragePoolPtr pool = virStoragePoolLookupByName(world->connection, name);
    bool is = pool != NULL && virStoragePoolIsActive(pool) == 1;

    if (pool != NULL)
        virStoragePoolFree(pool);
    return is;
}

/* As two disks name it: by its path, and in its pool. */
static const struct template_disk new_disks[] = {
    {.target = (char *)"vdb", .path = (char *)"/images/new.img"},
    {.target = (char *)"vdb", .pool = (char *)"images", .volume = (char *)"new.img"},
};

static void a_look_at_a_missing_image_refreshes_no_pool(void **state)
{
    struct world *world = *state;

    refresh = REFRESH_BREAKS;
    for (size_t i = 0; i < ELEMENTS_OF(new_disks); i++) {
        world->disks[1] = new_disks[i];
        assert_int_equal(find(world, false), -ENODEV);
        assert_non_null(strstr(world->result.message, "is missing"));
    }
    assert_int_equal(n_refreshes, 0);
    assert_true(is_active(world, "images"));
}

static void only_what_is_seen_is_lacking(void **state)
{
    struct world *world = *state;

    lookup_fails = true;
    assert_int_equal(find(world, true), -EIO);
    assert_non_null(strstr(world->result.message, "looking for the base image /images/base.img"));
    assert_false(places_are_lacking(world->result.error));
    assert_int_equal(n_refreshes, 0);
    lookup_fails = false;
    world->disks[1] = new_disks[0];
    assert_true(places_are_lacking(find(world, false)));
    world->disks[1] = new_disks[1];
    assert_true(places_are_lacking(find(world, false)));
    world->disks[1] = world->disks[0];
    world->template.storage_pool = (char *)"none";
    assert_true(places_are_lacking(find(world, false)));
}

static void the_pool_of_a_missing_image_is_refreshed_once(void **state)
{
    struct world *world = *state;

    for (size_t i = 0; i < ELEMENTS_OF(new_disks); i++) {
        n_refreshes = 0;
        world->disks[1] = new_disks[i];
        assert_int_equal(find(world, true), -ENODEV);
        assert_non_null(strstr(world->result.message, "is missing"));
        assert_int_equal(n_refreshes, 1);
    }
}

static void an_image_may_be_found_by_a_refresh(void **state)
{
    struct world *world = *state;

    refresh = REFRESH_FINDS;
    world->disks[1] = new_disks[0];
    assert_int_equal(find(world, true), 0);
    assert_int_equal(world->result.error, 0);
    assert_string_equal(world->result.message, "");
    assert_string_equal(world->places.all[1].base.path, "/images/new.img");
    world->disks[1] = new_disks[1];
    assert_int_equal(find(world, true), 0);
    assert_int_equal(n_refreshes, 1);
}

static void a_volume_may_be_found_by_a_refresh(void **state)
{
    struct world *world = *state;

    refresh = REFRESH_FINDS;
    world->disks[1] = new_disks[1];
    assert_int_equal(find(world, true), 0);
    assert_int_equal(world->result.error, 0);
    assert_string_equal(world->result.message, "");
}

static void a_pool_with_ample_space_is_not_refreshed(void **state)
{
    struct world *world = *state;

    assert_int_equal(find(world, true), 0);
    assert_int_equal(refresh_for(world, 25 * GIB), 0);
    assert_int_equal(n_refreshes, 0);
}

static void each_pool_is_refreshed_once(void **state)
{
    struct world *world = *state;

    assert_int_equal(find(world, true), 0);
    assert_int_equal(world->places.count, 2);
    assert_int_equal(refresh_for(world, 25 * GIB + 1), 0);
    assert_int_equal(n_refreshes, 1);
}

static void a_pool_that_is_stopped_by_its_refresh_is_started_again(void **state)
{
    struct world *world = *state;

    assert_int_equal(find(world, true), 0);
    refresh = REFRESH_BREAKS;
    assert_int_equal(refresh_for(world, 26 * GIB), -EIO);
    assert_int_equal(n_refreshes, 1);
    assert_int_equal(strncmp(world->result.message, "refreshing the storage pool images: ", 36), 0);
    assert_non_null(strstr(world->result.message, "; that stopped it, and understudyd has started it again"));
    assert_true(is_active(world, "images"));
    world->disks[1] = new_disks[0];
    assert_int_equal(find(world, true), -EIO);
    assert_non_null(strstr(world->result.message, "refreshing the storage pool images: "));
    assert_true(is_active(world, "images"));
}

static void a_transient_pool_that_is_stopped_is_named(void **state)
{
    struct world *world = *state;
    virStoragePoolPtr pool = virStoragePoolCreateXML(
        world->connection, "<pool type='dir'><name>own</name><target><path>/own</path></target></pool>", 0);

    assert_non_null(pool);
    virStoragePoolFree(pool);
    world->template.storage_pool = (char *)"own";
    assert_int_equal(find(world, true), 0);
    refresh = REFRESH_BREAKS;
    assert_int_equal(refresh_for(world, 26 * GIB), -EIO);
    assert_int_equal(strncmp(world->result.message, "refreshing the storage pool own: ", 33), 0);
    assert_non_null(strstr(world->result.message, "could not be started again: virsh pool-start own"));
}

/* Something is being made in it. */
static void a_pool_that_cannot_be_refreshed_now_is_good_enough(void **state)
{
    struct world *world = *state;

    assert_int_equal(find(world, true), 0);
    refresh = REFRESH_IS_NOT;
    assert_int_equal(refresh_for(world, 26 * GIB), 0);
    assert_int_equal(n_refreshes, 1);
    assert_string_equal(world->result.message, "");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_look_at_a_missing_image_refreshes_no_pool),
        TEST(only_what_is_seen_is_lacking),
        TEST(the_pool_of_a_missing_image_is_refreshed_once),
        TEST(an_image_may_be_found_by_a_refresh),
        TEST(a_volume_may_be_found_by_a_refresh),
        TEST(a_pool_with_ample_space_is_not_refreshed),
        TEST(each_pool_is_refreshed_once),
        TEST(a_pool_that_is_stopped_by_its_refresh_is_started_again),
        TEST(a_transient_pool_that_is_stopped_is_named),
        TEST(a_pool_that_cannot_be_refreshed_now_is_good_enough),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
