/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Templates written from machines and looked at, on libvirt's test driver: a pool, base images, and machines that run and
 * that do not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "hypervisor/drafter.h"

#define UUID_WEB "11111111-0000-4000-8000-000000000001"
#define UUID_OFF "11111111-0000-4000-8000-000000000002"

#define VOLUME(name, rest)                                                                                             \
    "<volume type='file'><name>" name "</name><capacity>7654321</capacity><allocation>0</allocation>"                  \
    "<target><path>/images/" name "</path><format type='qcow2'/></target>" rest "</volume>"
#define BELOW(path) "<backingStore><path>" path "</path><format type='raw'/></backingStore>"
#define DISK(source, target)                                                                                           \
    "<disk type='file' device='disk'><source file='" source "'/><target dev='" target "'/></disk>"
#define DOMAIN(name, uuid, devices, state)                                                                             \
    "<domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'><name>" name "</name><uuid>" uuid     \
    "</uuid><memory unit='MiB'>64</memory><vcpu>1</vcpu><os><type>hvm</type></os><devices>" devices                    \
    "</devices><test:runstate>" state "</test:runstate></domain>"

static const char node_xml[] = "<node>" DOMAIN("web", UUID_WEB, DISK("/images/web.qcow2", "vda"), "1")
    DOMAIN("off", UUID_OFF, DISK("/images/alone.qcow2", "vda") DISK("/images/web.qcow2", "vdb"),
           "5") "<network><name>default</name><bridge name='virbr0'/><forward/><ip address='192.0.2.1' "
                "netmask='255.255.255.0'/></network>"
                "<pool type='dir'><name>images</name><target><path>/images</path></target>" VOLUME("base.img", "")
                    VOLUME("web.qcow2", BELOW("/images/base.img")) VOLUME("alone.qcow2", "")
                        VOLUME("far.qcow2", BELOW("rbd:pool/image")) "</pool></node>";

struct world {
    virConnectPtr connection;
    struct template_draft *draft;
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
    char file[] = "/tmp/understudy-drafter-XXXXXX", uri[64];
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
    assert_int_equal(template_draft_new("web", &world->draft), 0);
    world->draft->name = strdup("web-base");
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    virConnectClose(world->connection);
    template_draft_free(world->draft);
    free(world);
    return 0;
}

/* ---- writing ---- */

static void give(struct world *world, const char *target, const char *path)
{
    assert_int_equal(template_draft_add_disk(world->draft, target, path, true), 0);
}

static void assert_written(struct world *world, const char *uuid)
{
    drafter_write(world->connection, uuid, world->draft, &world->result);
    assert_string_equal(world->result.message, "");
    assert_int_equal(world->result.error, 0);
    assert_non_null(world->draft->text);
}

static void assert_refused(struct world *world, const char *uuid, int error, const char *sentence)
{
    drafter_write(world->connection, uuid, world->draft, &world->result);
    assert_string_equal(world->result.message, sentence);
    assert_int_equal(world->result.error, error);
}

static void assert_warning(const struct world *world, size_t i, const char *sentence)
{
    assert_true(i < world->draft->warnings.count);
    assert_string_equal(world->draft->warnings.items[i], sentence);
}

static void the_image_below_a_disk_is_its_base(void **state)
{
    struct world *world = *state;

    assert_written(world, UUID_WEB);
    assert_int_equal(world->draft->n_disks, 1);
    assert_string_equal(world->draft->disks[0].base, "/images/base.img");
    assert_false(world->draft->disks[0].is_given);
    /* As the disk says, and not as the image looks. */
    assert_non_null(strstr(world->draft->text, "<driver type=\"raw\" name=\"qemu\"/>"));
    assert_int_equal(world->draft->warnings.count, 1);
    assert_warning(world, 0,
                   "disk vda: what web wrote since its disk was made on /images/base.img is not in the template");
}

static void a_base_that_is_given_comes_first(void **state)
{
    struct world *world = *state;

    give(world, "vda", "/images/alone.qcow2");
    assert_written(world, UUID_WEB);
    assert_int_equal(world->draft->n_disks, 1);
    assert_non_null(strstr(world->draft->text, "<source file=\"/images/alone.qcow2\"/>"));
    assert_int_equal(world->draft->warnings.count, 1);
    assert_warning(world, 0,
                   "/images/alone.qcow2 is a disk of off, which must not be started any more: it would write to what "
                   "machines made from the template stand on");
}

static void a_disk_without_a_base_is_refused_with_what_to_do(void **state)
{
    struct world *world = *state;

    assert_refused(world, UUID_OFF, -EBUSY,
                   "disk vda of web has no base image: /images/alone.qcow2 stands on no other image");
    assert_string_equal(
        world->draft->hint,
        "shut web down, copy its disk, and start it again: qemu-img convert -O qcow2 "
        "/images/alone.qcow2 /images/web-base-vda.qcow2; virsh pool-refresh images; then name the copy: "
        "--base vda=/images/web-base-vda.qcow2");
}

static void define(const struct world *world, const char *uuid, const char *disk)
{
    virDomainPtr domain;
    char xml[1024];

    snprintf(
        xml, sizeof(xml),
        "<domain type='test'><name>new</name><uuid>%s</uuid><memory>65536</memory><vcpu>1</vcpu><os><type>hvm</type>"
        "</os><devices>%s</devices></domain>",
        uuid, disk);
    domain = virDomainDefineXML(world->connection, xml);
    assert_non_null(domain);
    virDomainFree(domain);
}

static void add_volume(const struct world *world, const char *name)
{
    virStoragePoolPtr pool = virStoragePoolLookupByName(world->connection, "images");
    virStorageVolPtr volume;
    char xml[256];

    snprintf(xml, sizeof(xml), "<volume><name>%s</name><capacity>2</capacity></volume>", name);
    assert_non_null(pool);
    volume = virStorageVolCreateXML(pool, xml, 0);
    assert_non_null(volume);
    virStorageVolFree(volume);
    virStoragePoolFree(pool);
}

/* The commands of the hint. */
static void assert_hint(struct world *world, const char *uuid, const char *commands)
{
    free(world->draft->hint);
    world->draft->hint = NULL;
    world->result = (struct action_result){0};
    drafter_write(world->connection, uuid, world->draft, &world->result);
    assert_int_equal(world->result.error, -EBUSY);
    assert_non_null(world->draft->hint);
    assert_string_equal(strstr(world->draft->hint, "qemu-img"), commands);
}

/* qemu-img would write over what machines may stand on. */
static void a_copy_takes_the_place_of_no_image(void **state)
{
    struct world *world = *state;

    add_volume(world, "web-base-vda.qcow2");
    assert_hint(world, UUID_OFF,
                "qemu-img convert -O qcow2 /images/alone.qcow2 /images/web-base-vda-base.qcow2; virsh "
                "pool-refresh images; then name the copy: --base vda=/images/web-base-vda-base.qcow2");
    add_volume(world, "web-base-vda-base.qcow2");
    assert_hint(world, UUID_OFF,
                "qemu-img convert -O qcow2 /images/alone.qcow2 /images/web-base-vda-base-2.qcow2; virsh "
                "pool-refresh images; then name the copy: --base vda=/images/web-base-vda-base-2.qcow2");
    add_volume(world, "web-base-vda-base-2.qcow2");
    assert_hint(world, UUID_OFF,
                "qemu-img convert -O qcow2 /images/alone.qcow2 /images/web-base-vda-base-3.qcow2; virsh "
                "pool-refresh images; then name the copy: --base vda=/images/web-base-vda-base-3.qcow2");
}

/* libvirt need not know it, where the daemon sees it. */
static void a_copy_takes_the_place_of_no_file(void **state)
{
    static const char uuid[] = "11111111-0000-4000-8000-000000000003";
    struct world *world = *state;
    char directory[] = "/tmp/understudy-drafter-XXXXXX", path[64], disk[256], commands[512];

    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/web-base.qcow2", directory);
    fclose(fopen(path, "w"));
    snprintf(disk, sizeof(disk), "<disk type='file'><source file='%s/a.img'/><target dev='vda'/></disk>", directory);
    snprintf(commands, sizeof(commands),
             "qemu-img convert -O qcow2 %s/a.img %s/web-base-base.qcow2; virsh pool-refresh POOL; then name the copy: "
             "--base vda=%s/web-base-base.qcow2",
             directory, directory, directory);
    define(world, uuid, disk);
    assert_hint(world, uuid, commands);
    unlink(path);
    rmdir(directory);
}

static void what_a_hint_names_is_quoted(void **state)
{
    static const char uuid[] = "11111111-0000-4000-8000-000000000003";
    struct world *world = *state;

    define(world, uuid, DISK("/my images/it&apos;s.img", "vda"));
    assert_hint(world, uuid,
                "qemu-img convert -O qcow2 '/my images/it'\\''s.img' '/my images/web-base.qcow2'; virsh "
                "pool-refresh POOL; then name the copy: --base vda='/my images/web-base.qcow2'");
}

static void what_a_machine_writes_to_is_no_base(void **state)
{
    struct world *world = *state;

    give(world, "vda", "/images/web.qcow2");
    assert_refused(world, UUID_WEB, -EBUSY, "web runs and writes to /images/web.qcow2, the base image of disk vda");
}

static void a_base_that_is_missing_is_named(void **state)
{
    struct world *world = *state;

    give(world, "vda", "/images/none.img");
    assert_refused(world, UUID_WEB, -ENODEV,
                   "the base image /images/none.img of disk vda is in no active storage pool; a pool for its directory "
                   "makes it known to libvirt");
}

static void a_disk_that_is_not_there_is_named(void **state)
{
    struct world *world = *state;

    give(world, "vdz", "/images/base.img");
    assert_refused(world, UUID_WEB, -EINVAL,
                   "web has no disk vdz to which it writes: virsh domblklist web lists its disks");
}

static void a_machine_that_is_not_there(void **state)
{
    struct world *world = *state;

    drafter_write(world->connection, "11111111-0000-4000-8000-000000000009", world->draft, &world->result);
    assert_int_equal(world->result.error, -ENOENT);
}

static void what_is_below_may_be_no_file(void **state)
{
    static const char uuid[] = "11111111-0000-4000-8000-000000000003";
    struct world *world = *state;

    define(world, uuid, DISK("/images/far.qcow2", "vda"));
    assert_refused(world, uuid, -EBUSY,
                   "disk vda of web stands on rbd:pool/image, which is no file; name a base image: --base vda=PATH");
}

/* What its guest wrote may look like an image of another format. */
static void the_format_of_its_own_image_is_as_the_machine_says(void **state)
{
    static const char uuid[] = "11111111-0000-4000-8000-000000000003";
    struct world *world = *state;

    define(world, uuid,
           "<disk type='volume' device='disk'><driver name='qemu' type='raw'/>"
           "<source pool='images' volume='alone.qcow2'/><target dev='vda'/></disk>");
    give(world, "vda", "/images/alone.qcow2");
    assert_written(world, uuid);
    assert_non_null(strstr(world->draft->text, "type=\"raw\""));
}

/* Of a disk that is no file, too, a template can be made where its base image is named. */
static void a_block_device_needs_a_base(void **state)
{
    static const char uuid[] = "11111111-0000-4000-8000-000000000003";
    struct world *world = *state;

    define(world, uuid, "<disk type='block' device='disk'><source dev='/dev/vg/a'/><target dev='vda'/></disk>");
    drafter_write(world->connection, uuid, world->draft, &world->result);
    assert_int_equal(world->result.error, -EINVAL);
    assert_non_null(strstr(world->result.message, "web cannot be a template: disk vda is of type block"));
    world->result = (struct action_result){0};
    give(world, "vda", "/images/base.img");
    assert_written(world, uuid);
    assert_null(strstr(world->draft->text, "/dev/vg/a"));
}

/* ---- looking ---- */

static char *network = (char *)"default";

static struct template template_on(struct template_disk *disk)
{
    return (struct template){.name = (char *)"small",
                             .file = (char *)"small.xml",
                             .xml = (char *)"<domain/>",
                             .disks = disk,
                             .n_disks = 1,
                             .networks = &network,
                             .n_networks = 1};
}

static void assert_trial(struct world *world, const char *path, const char *sentence)
{
    struct template_disk disk = {.target = (char *)"vda", .path = (char *)path};
    struct template template = template_on(&disk);

    world->result = (struct action_result){0};
    drafter_try(world->connection, &template, &world->result);
    assert_string_equal(world->result.message, sentence);
    assert_int_equal(world->result.error == 0, sentence[0] == '\0');
}

static void a_template_is_looked_at_as_if_a_machine_were_made(void **state)
{
    struct world *world = *state;

    assert_trial(world, "/images/base.img", "");
    assert_int_equal(virConnectNumOfDefinedDomains(world->connection), 1);
    assert_trial(world, "/images/web.qcow2", "web runs and writes to /images/web.qcow2, the base image of disk vda");
}

static void its_networks_have_to_be_active(void **state)
{
    struct world *world = *state;
    virNetworkPtr found = virNetworkLookupByName(world->connection, "default");

    assert_non_null(found);
    assert_int_equal(virNetworkDestroy(found), 0);
    virNetworkFree(found);
    assert_trial(world, "/images/base.img", "the network default is not active; virsh net-start default starts it");
    network = (char *)"none";
    assert_trial(world, "/images/base.img", "there is no network none");
    network = (char *)"default";
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_image_below_a_disk_is_its_base),
        TEST(a_base_that_is_given_comes_first),
        TEST(a_disk_without_a_base_is_refused_with_what_to_do),
        TEST(a_copy_takes_the_place_of_no_image),
        TEST(a_copy_takes_the_place_of_no_file),
        TEST(what_a_hint_names_is_quoted),
        TEST(what_a_machine_writes_to_is_no_base),
        TEST(a_base_that_is_missing_is_named),
        TEST(a_disk_that_is_not_there_is_named),
        TEST(a_machine_that_is_not_there),
        TEST(what_is_below_may_be_no_file),
        TEST(the_format_of_its_own_image_is_as_the_machine_says),
        TEST(a_block_device_needs_a_base),
        TEST(a_template_is_looked_at_as_if_a_machine_were_made),
        TEST(its_networks_have_to_be_active),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
