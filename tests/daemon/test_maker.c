/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Machines made from templates and removed again, on libvirt's test driver: two pools, base images, a machine that writes to
 * one of them. The driver writes no file, and takes no upload.
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

#include "hypervisor/maker.h"
#include "model/domain_xml.h"

#define UUID       "1a2bcdef-0000-4000-8000-000000000001"
#define UUID_OTHER "1a2bcdef-0000-4000-8000-000000000002"
#define OVERLAY    UUID "-vda.qcow2"
#define NAME       "web-1a2b"

#define VOLUME(name, rest)                                                                                             \
    "<volume type='file'><name>" name "</name><capacity>7654321</capacity><allocation>0</allocation>"                  \
    "<target><path>/images/" name "</path>" rest "</target></volume>"

static const char node_xml[] =
    "<node><domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'><name>writer</name>"
    "<uuid>11111111-0000-4000-8000-000000000001</uuid><memory unit='MiB'>64</memory><vcpu>1</vcpu>"
    "<os><type>hvm</type></os><devices>"
    "<disk type='file' device='disk'><source file='/images/busy.img'/><target dev='vda'/></disk>"
    "<disk type='volume' device='disk'><source pool='images' volume='busy-too.img'/><target dev='vdb'/></disk>"
    "<disk type='file' device='disk'><source file='/images/read.img'/><target dev='vdc'/><readonly/></disk>"
    "</devices><test:runstate>1</test:runstate></domain>"
    "<pool type='dir'><name>images</name><target><path>/images</path></target>" VOLUME(
        "base.img", "<format type='qcow2'/>") VOLUME("busy.img", "") VOLUME("busy-too.img", "")
        VOLUME("read.img", "") "</pool>"
                               "<pool type='dir'><name>fast</name><target><path>/fast</path></target></pool></node>";

static const char template_xml[] =
    "<domain type='test'><name>golden</name><memory "
    "unit='MiB'>64</memory><vcpu>1</vcpu><os><type>hvm</type></os><devices>"
    "<disk type='file' device='disk'><source file='/images/base.img'/><target dev='vda'/></disk></devices></domain>";

static const struct making making = {.uuid = UUID, .service = "web"};
static const struct string_list nothing;

struct world {
    virConnectPtr connection;
    struct template_disk disk;
    struct template template;
    struct action_result result;
    struct template_set *templates; /* that others use; NULL: none */
};

static void ignore(void *context, virErrorPtr error)
{
    (void)context;
    (void)error;
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    char file[] = "/tmp/understudy-maker-XXXXXX", uri[64];
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
    world->disk = (struct template_disk){.target = (char *)"vda", .path = (char *)"/images/base.img"};
    world->template = (struct template){.name = (char *)"small",
                                        .file = (char *)"templates.d/small.xml",
                                        .xml = (char *)template_xml,
                                        .disks = &world->disk,
                                        .n_disks = 1};
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    virConnectClose(world->connection);
    free(world);
    return 0;
}

/* ---- what the tests ask ---- */

static void make(struct world *world)
{
    world->result = (struct action_result){0};
    maker_make(world->connection, &world->template, &making, &nothing, INT64_MAX, &world->result);
}

static void unmake(struct world *world)
{
    world->result = (struct action_result){0};
    maker_unmake(world->connection, UUID, false, NULL, INT64_MAX, &world->result);
}

static void assert_done(const struct world *world)
{
    assert_string_equal(world->result.message, "");
    assert_int_equal(world->result.error, 0);
}

static void assert_refused(const struct world *world, int error, const char *sentence)
{
    assert_string_equal(world->result.message, sentence);
    assert_int_equal(world->result.error, error);
}

static virStorageVolPtr open_volume(const struct world *world, const char *pool_name, const char *name)
{
    virStoragePoolPtr pool = virStoragePoolLookupByName(world->connection, pool_name);
    virStorageVolPtr volume;

    assert_non_null(pool);
    volume = virStorageVolLookupByName(pool, name);
    virStoragePoolFree(pool);
    return volume;
}

static bool has_volume(const struct world *world, const char *pool, const char *name)
{
    virStorageVolPtr volume = open_volume(world, pool, name);

    if (volume != NULL)
        virStorageVolFree(volume);
    return volume != NULL;
}

static void assert_volume_has(const struct world *world, const char *pool, const char *name, const char *part)
{
    virStorageVolPtr volume = open_volume(world, pool, name);
    _cleanup_(freep) char *xml = volume != NULL ? virStorageVolGetXMLDesc(volume, 0) : NULL;

    if (xml == NULL || strstr(xml, part) == NULL)
        fail_msg("%s\nlacks\n%s", xml != NULL ? xml : name, part);
    virStorageVolFree(volume);
}

static void add_volume(const struct world *world, const char *pool_name, const char *name, unsigned allocation)
{
    virStoragePoolPtr pool = virStoragePoolLookupByName(world->connection, pool_name);
    virStorageVolPtr volume;
    char xml[512];

    snprintf(xml, sizeof(xml), "<volume><name>%s</name><capacity>%u</capacity><allocation>%u</allocation></volume>",
             name, allocation + 1, allocation);
    volume = virStorageVolCreateXML(pool, xml, 0);
    assert_non_null(volume);
    virStorageVolFree(volume);
    virStoragePoolFree(pool);
}

static virDomainPtr open_domain(const struct world *world, const char *uuid)
{
    return virDomainLookupByUUIDString(world->connection, uuid);
}

static bool has_domain(const struct world *world, const char *uuid)
{
    virDomainPtr domain = open_domain(world, uuid);

    if (domain != NULL)
        virDomainFree(domain);
    return domain != NULL;
}

static void define(const struct world *world, const char *name, const char *uuid, const char *devices)
{
    virDomainPtr domain;
    char xml[1024];

    snprintf(xml, sizeof(xml),
             "<domain type='test'><name>%s</name><uuid>%s</uuid><memory>65536</memory><vcpu>1</vcpu>"
             "<os><type>hvm</type></os><devices>%s</devices></domain>",
             name, uuid, devices);
    domain = virDomainDefineXML(world->connection, xml);
    assert_non_null(domain);
    virDomainFree(domain);
}

static void set_metadata(const struct world *world, const char *metadata)
{
    virDomainPtr domain = open_domain(world, UUID);

    assert_non_null(domain);
    assert_int_equal(virDomainSetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, metadata, UNDERSTUDY_METADATA_PREFIX,
                                          UNDERSTUDY_METADATA_URI, 0),
                     0);
    virDomainFree(domain);
}

/* ---- making ---- */

static void a_machine_is_defined_and_not_started(void **state)
{
    struct world *world = *state;
    virDomainPtr domain;

    make(world);
    assert_done(world);
    domain = open_domain(world, UUID);
    assert_non_null(domain);
    assert_string_equal(virDomainGetName(domain), NAME);
    assert_int_equal(virDomainIsActive(domain), 0);
    virDomainFree(domain);
}

static void its_disk_stands_on_the_base_image(void **state)
{
    struct world *world = *state;

    make(world);
    assert_done(world);
    assert_volume_has(world, "images", OVERLAY, "<capacity unit='bytes'>7654321</capacity>");
    assert_volume_has(world, "images", OVERLAY, "<path>/images/base.img</path>");
    assert_volume_has(world, "images", OVERLAY, "<format type='qcow2'/>");
}

static void overlays_are_made_in_the_pool_of_the_template(void **state)
{
    struct world *world = *state;

    world->template.storage_pool = (char *)"fast";
    make(world);
    assert_done(world);
    assert_true(has_volume(world, "fast", OVERLAY));
    assert_false(has_volume(world, "images", OVERLAY));
}

static void a_base_image_may_be_a_volume(void **state)
{
    struct world *world = *state;

    world->disk = (struct template_disk){
        .target = (char *)"vda", .pool = (char *)"images", .volume = (char *)"read.img", .format = (char *)"vmdk"};
    make(world);
    assert_done(world);
    assert_volume_has(world, "images", OVERLAY, "<path>/images/read.img</path>");
    assert_volume_has(world, "images", OVERLAY, "<format type='vmdk'/>");
}

static void a_base_image_that_is_missing_is_named(void **state)
{
    struct world *world = *state;

    world->disk.path = (char *)"/images/gone.img";
    make(world);
    assert_int_equal(world->result.error, -ENODEV);
    assert_non_null(strstr(world->result.message, "the base image /images/gone.img of disk vda is "));
    world->disk =
        (struct template_disk){.target = (char *)"vda", .pool = (char *)"images", .volume = (char *)"gone.img"};
    make(world);
    assert_refused(world, -ENODEV, "the base image of disk vda is missing: storage pool images has no volume gone.img");
}

static void a_pool_that_is_missing_is_named(void **state)
{
    struct world *world = *state;

    world->template.storage_pool = (char *)"slow";
    make(world);
    assert_refused(world, -ENODEV, "there is no storage pool slow, in which the template has its machines made");
    world->template.storage_pool = NULL;
    world->disk = (struct template_disk){.target = (char *)"vda", .pool = (char *)"old", .volume = (char *)"base.img"};
    make(world);
    assert_refused(world, -ENODEV, "there is no storage pool old, which has the base image of disk vda");
}

static void a_pool_that_is_not_active_is_named(void **state)
{
    struct world *world = *state;
    virStoragePoolPtr pool = virStoragePoolDefineXML(
        world->connection, "<pool type='dir'><name>old</name><target><path>/old</path></target></pool>", 0);

    assert_non_null(pool);
    virStoragePoolFree(pool);
    world->template.storage_pool = (char *)"old";
    make(world);
    assert_refused(
        world, -ENODEV,
        "the storage pool old, in which the template has its machines made, is not active; virsh pool-start old "
        "starts it");
}

static void assert_nothing_made(const struct world *world)
{
    assert_false(has_volume(world, "images", OVERLAY));
    assert_false(has_volume(world, "fast", OVERLAY));
    assert_false(has_domain(world, UUID));
}

/* Each storage pool of the test driver has 100 GiB. */
static void a_pool_with_too_little_space_is_refused(void **state)
{
    struct world *world = *state;

    world->template.space_bytes = (UINT64_C(100) << 30) + 1024;
    make(world);
    assert_refused(
        world, -ENOSPC,
        "the storage pool images has 100 GiB available, and template small needs space=\"104857601KiB\" for a "
        "machine");
    world->template.storage_pool = (char *)"fast";
    make(world);
    assert_int_equal(world->result.error, -ENOSPC);
    assert_non_null(strstr(world->result.message, "the storage pool fast has 100 GiB available"));
    assert_nothing_made(world);
    world->template.space_bytes = UINT64_C(100) << 30;
    make(world);
    assert_done(world);
}

/* The one overlay has room, and the other one has not. */
static void every_pool_needs_space(void **state)
{
    struct world *world = *state;
    struct template_disk disks[] = {
        {.target = (char *)"vda", .pool = (char *)"images", .volume = (char *)"read.img"},
        {.target = (char *)"vdb", .pool = (char *)"fast", .volume = (char *)"more.img"},
    };

    add_volume(world, "fast", "more.img", 1024);
    world->template.disks = disks;
    world->template.n_disks = 2;
    world->template.space_bytes = UINT64_C(100) << 30;
    make(world);
    assert_int_equal(world->result.error, -ENOSPC);
    assert_non_null(strstr(world->result.message, "the storage pool fast has 99 GiB available"));
    assert_nothing_made(world);
}

static void what_a_machine_writes_to_is_no_base_image(void **state)
{
    struct world *world = *state;

    world->disk.path = (char *)"/images/busy.img";
    make(world);
    assert_refused(world, -EBUSY, "writer runs and writes to /images/busy.img, the base image of disk vda");
    world->disk.path = (char *)"/images/busy-too.img";
    make(world);
    assert_refused(world, -EBUSY, "writer runs and writes to /images/busy-too.img, the base image of disk vda");
    assert_false(has_volume(world, "images", OVERLAY));
    assert_false(has_domain(world, UUID));
}

/* The one file of these tests that is there, in a pool of its own. */
static void a_base_image_is_recognised_behind_a_link(void **state)
{
    struct world *world = *state;
    char directory[] = "/tmp/understudy-maker-XXXXXX", path[64], link[64], xml[512];
    virStoragePoolPtr pool;
    virDomainPtr domain;

    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/base.img", directory);
    snprintf(link, sizeof(link), "%s/link.img", directory);
    fclose(fopen(path, "w"));
    assert_int_equal(symlink(path, link), 0);
    snprintf(xml, sizeof(xml), "<pool type='dir'><name>own</name><target><path>%s</path></target></pool>", directory);
    pool = virStoragePoolCreateXML(world->connection, xml, 0);
    assert_non_null(pool);
    virStoragePoolFree(pool);
    add_volume(world, "own", "base.img", 1);

    world->disk.path = link;
    make(world);
    assert_done(world);
    unmake(world);
    assert_done(world);
    snprintf(xml, sizeof(xml), "<disk type='file'><source file='%s'/><target dev='vda'/></disk>", link);
    define(world, "by-link", UUID_OTHER, xml);
    domain = open_domain(world, UUID_OTHER);
    assert_int_equal(virDomainCreate(domain), 0);
    virDomainFree(domain);
    make(world);
    assert_int_equal(world->result.error, -EBUSY);
    assert_int_equal(strncmp(world->result.message, "by-link runs and writes to ", 27), 0);
    unlink(link);
    unlink(path);
    rmdir(directory);
}

static void what_a_machine_reads_is_one(void **state)
{
    struct world *world = *state;

    world->disk.path = (char *)"/images/read.img";
    make(world);
    assert_done(world);
}

static void a_domain_of_that_name_is_never_touched(void **state)
{
    struct world *world = *state;

    define(world, NAME, UUID_OTHER, "");
    make(world);
    assert_refused(world, -EEXIST, "there is a domain web-1a2b already");
    assert_false(has_volume(world, "images", OVERLAY));
    assert_true(has_domain(world, UUID_OTHER));
}

static void a_domain_with_that_uuid_is_never_touched(void **state)
{
    struct world *world = *state;

    define(world, "other", UUID, "");
    make(world);
    assert_refused(world, -EEXIST, "there is a domain " UUID " already");
    assert_false(has_volume(world, "images", OVERLAY));
}

static void a_volume_of_that_name_is_never_touched(void **state)
{
    struct world *world = *state;

    add_volume(world, "images", OVERLAY, 77);
    make(world);
    assert_refused(world, -EEXIST, "there is a volume " OVERLAY " in storage pool images already");
    assert_volume_has(world, "images", OVERLAY, "<capacity unit='bytes'>78</capacity>");
    assert_false(has_domain(world, UUID));
}

static void what_libvirt_refuses_is_told_in_its_words(void **state)
{
    struct world *world = *state;

    world->template.xml = (char *)"<domain type='test'><devices><disk type='file' device='disk'>"
                                  "<source file='/images/base.img'/><target dev='vda'/></disk></devices></domain>";
    make(world);
    assert_int_equal(world->result.error, -EIO);
    assert_int_equal(strncmp(world->result.message, "defining the domain web-1a2b: ", 30), 0);
    assert_true(strlen(world->result.message) > 40);
    assert_null(strstr(world->result.message, "no error"));
    /* The overlay is left, and removed by its UUID. */
    assert_true(has_volume(world, "images", OVERLAY));
    unmake(world);
    assert_done(world);
    assert_false(has_volume(world, "images", OVERLAY));
}

static void a_template_that_leaves_a_disk_on_its_base_makes_nothing(void **state)
{
    struct world *world = *state;

    world->disk.target = (char *)"vdb";
    make(world);
    assert_refused(world, -EINVAL, "no domain can be made from the XML of template small (templates.d/small.xml)");
    assert_false(has_volume(world, "images", UUID "-vdb.qcow2"));
}

/* The test driver takes no upload. */
static void a_seed_that_cannot_be_written_leaves_no_machine(void **state)
{
    struct world *world = *state;

    world->template.user_data = (char *)"#cloud-config\n";
    make(world);
    assert_int_equal(world->result.error, -EIO);
    assert_non_null(strstr(world->result.message, "writing the seed into the volume " UUID "-seed.iso: "));
    assert_true(has_volume(world, "images", UUID "-seed.iso"));
    assert_false(has_domain(world, UUID));
    unmake(world);
    assert_done(world);
    assert_false(has_volume(world, "images", UUID "-seed.iso"));
}

static void a_seed_without_a_place_is_refused(void **state)
{
    struct world *world = *state;

    world->template.n_disks = 0;
    world->template.meta_data = (char *)"";
    make(world);
    assert_refused(world, -EINVAL, "the template names no storage pool for its seed, and has no disk");
}

/* ---- unmaking ---- */

static void all_that_was_made_is_removed(void **state)
{
    struct world *world = *state;

    make(world);
    assert_done(world);
    add_volume(world, "fast", UUID_OTHER "-vda.qcow2", 1);
    unmake(world);
    assert_done(world);
    assert_false(has_domain(world, UUID));
    assert_false(has_volume(world, "images", OVERLAY));
    assert_true(has_volume(world, "images", "base.img"));
    assert_true(has_volume(world, "fast", UUID_OTHER "-vda.qcow2"));
    unmake(world);
    assert_done(world);
}

static void what_understudy_did_not_make_stays(void **state)
{
    struct world *world = *state;

    define(world, NAME, UUID, "");
    add_volume(world, "images", OVERLAY, 1);
    unmake(world);
    assert_refused(world, -EBUSY, NAME " stays: its metadata does not say that it was made from a template");
    assert_true(has_domain(world, UUID));
    assert_true(has_volume(world, "images", OVERLAY));
}

static void a_copy_of_what_was_made_stays(void **state)
{
    struct world *world = *state;
    virDomainPtr domain;

    define(world, "copy", UUID, "");
    domain = open_domain(world, UUID);
    assert_int_equal(virDomainSetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT,
                                          "<machine role='ignored'><made domain='" UUID_OTHER
                                          "' template='small'/></machine>",
                                          UNDERSTUDY_METADATA_PREFIX, UNDERSTUDY_METADATA_URI, 0),
                     0);
    virDomainFree(domain);
    unmake(world);
    assert_refused(world, -EBUSY, "copy stays: its metadata does not say that it was made from a template");
}

static void what_runs_or_has_run_stays(void **state)
{
    struct world *world = *state;
    virDomainPtr domain;

    make(world);
    assert_done(world);
    domain = open_domain(world, UUID);
    assert_int_equal(virDomainCreate(domain), 0);
    unmake(world);
    assert_refused(world, -EAGAIN, NAME " stays: it is not shut off");
    assert_int_equal(virDomainDestroy(domain), 0);
    unmake(world);
    assert_refused(world, -EBUSY, NAME " stays: it has run");
    virDomainFree(domain);
    assert_true(has_domain(world, UUID));
    assert_true(has_volume(world, "images", OVERLAY));
}

static void what_holds_data_stays(void **state)
{
    struct world *world = *state;

    make(world);
    assert_done(world);
    add_volume(world, "fast", UUID "-vdb.qcow2", 5u << 20);
    unmake(world);
    assert_refused(world, -EBUSY, "the volume " UUID "-vdb.qcow2 stays: it holds 5 MiB, so its machine has run");
    assert_true(has_domain(world, UUID));
    assert_true(has_volume(world, "images", OVERLAY));
}

static void what_another_domain_uses_stays(void **state)
{
    struct world *world = *state;

    make(world);
    assert_done(world);
    define(world, "user", UUID_OTHER,
           "<disk type='file' device='disk'><source file='/images/" OVERLAY "'/><target dev='vda'/></disk>");
    unmake(world);
    assert_refused(world, -EBUSY, "the volume " OVERLAY " stays: user uses it");
    assert_true(has_domain(world, UUID));
    assert_true(has_volume(world, "images", OVERLAY));
    define(world, "user", UUID_OTHER,
           "<disk type='volume' device='disk'><source pool='images' volume='" OVERLAY "'/><target dev='vda'/></disk>");
    unmake(world);
    assert_refused(world, -EBUSY, "the volume " OVERLAY " stays: user uses it");
}

/* As after a snapshot. */
static void what_stands_below_the_disk_of_another_domain_stays(void **state)
{
    struct world *world = *state;

    make(world);
    assert_done(world);
    define(world, "user", UUID_OTHER,
           "<disk type='file'><driver name='qemu' type='qcow2'/><source file='/top.qcow2'/><backingStore type='file'>"
           "<format type='qcow2'/><source file='/images/" OVERLAY "'/></backingStore><target dev='vda'/></disk>");
    unmake(world);
    assert_refused(world, -EBUSY, "the volume " OVERLAY " stays: user uses it");
}

static void volumes_that_cannot_be_looked_at_keep_their_machine(void **state)
{
    struct world *world = *state;
    virStoragePoolPtr pool;

    make(world);
    assert_done(world);
    pool = virStoragePoolLookupByName(world->connection, "images");
    assert_int_equal(virStoragePoolDestroy(pool), 0);
    virStoragePoolFree(pool);
    unmake(world);
    assert_refused(world, -EAGAIN,
                   NAME " stays: its storage pool images is not active, and what its volumes hold cannot be known");
    assert_true(has_domain(world, UUID));
}

/* The daemon has given the call up: what it does now might be taken for the work of another one. */
static void nothing_is_made_or_removed_after_the_deadline(void **state)
{
    struct world *world = *state;

    maker_make(world->connection, &world->template, &making, &nothing, 0, &world->result);
    assert_refused(world, -ETIMEDOUT, "it took too long");
    assert_false(has_volume(world, "images", OVERLAY));
    assert_false(has_domain(world, UUID));
    make(world);
    assert_done(world);
    maker_unmake(world->connection, UUID, false, NULL, 0, &world->result);
    assert_refused(world, -ETIMEDOUT, "it took too long");
    assert_true(has_volume(world, "images", OVERLAY));
    assert_true(has_domain(world, UUID));
}

/* ---- standbys ---- */

static const struct making standby = {.uuid = UUID, .service = "web", .is_standby = true};

static void make_standby(struct world *world)
{
    world->result = (struct action_result){0};
    maker_make(world->connection, &world->template, &standby, &nothing, INT64_MAX, &world->result);
}

static void assert_metadata_has(const struct world *world, const char *part)
{
    virDomainPtr domain = open_domain(world, UUID);
    _cleanup_(freep) char *metadata = NULL;

    assert_non_null(domain);
    metadata = virDomainGetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, UNDERSTUDY_METADATA_URI, 0);
    virDomainFree(domain);
    if (metadata == NULL || strstr(metadata, part) == NULL)
        fail_msg("%s\nlacks\n%s", metadata != NULL ? metadata : "no metadata", part);
}

static void a_standby_is_made_to_stand_by(void **state)
{
    struct world *world = *state;

    make_standby(world);
    assert_done(world);
    assert_metadata_has(world, "role=\"standby\"");
    assert_metadata_has(world, "service=\"web\" advance=\"yes\"/>");
    assert_true(has_volume(world, "images", OVERLAY));
}

/* Its volume is not there yet, and it is known of all the same. */
static void a_standby_that_was_not_made_to_the_end_is_noted_and_removed(void **state)
{
    struct world *world = *state;

    world->template.user_data = (char *)"#cloud-config\n";
    make_standby(world); /* this driver uploads nothing */
    assert_true(world->result.error < 0);
    assert_metadata_has(world, "unfinished=\"yes\"");
    assert_metadata_has(world, "role=\"ignored\"");
    unmake(world);
    assert_done(world);
    assert_false(has_domain(world, UUID));
    assert_false(has_volume(world, "images", OVERLAY));
}

static void a_standby_without_any_volume_yet_is_removed(void **state)
{
    struct world *world = *state;

    define(world, NAME, UUID, "");
    set_metadata(world,
                 "<machine role='ignored'><made domain='" UUID "' template='small' unfinished='yes'/></machine>");
    unmake(world);
    assert_done(world);
    assert_false(has_domain(world, UUID));
}

/* ---- when its time is over ---- */

static void remove_with_data(struct world *world)
{
    world->result = (struct action_result){0};
    maker_unmake(world->connection, UUID, true, world->templates, INT64_MAX, &world->result);
}

/* It has run, and holds what its guest wrote. */
static void make_and_use(struct world *world)
{
    virDomainPtr domain;

    make(world);
    assert_done(world);
    domain = open_domain(world, UUID);
    assert_int_equal(virDomainCreate(domain), 0);
    assert_int_equal(virDomainDestroy(domain), 0);
    virDomainFree(domain);
    add_volume(world, "fast", UUID "-vdb.qcow2", 5u << 20);
}

static void what_has_run_is_removed_with_its_disks(void **state)
{
    struct world *world = *state;

    make_and_use(world);
    add_volume(world, "fast", UUID_OTHER "-vda.qcow2", 1);
    remove_with_data(world);
    assert_done(world);
    assert_false(has_domain(world, UUID));
    assert_false(has_volume(world, "images", OVERLAY));
    assert_false(has_volume(world, "fast", UUID "-vdb.qcow2"));
    assert_true(has_volume(world, "fast", UUID_OTHER "-vda.qcow2"));
    assert_true(has_volume(world, "images", "base.img"));
}

static void what_runs_is_not_removed_with_its_disks(void **state)
{
    struct world *world = *state;
    virDomainPtr domain;

    make_and_use(world);
    domain = open_domain(world, UUID);
    assert_int_equal(virDomainCreate(domain), 0);
    remove_with_data(world);
    assert_refused(world, -EAGAIN, NAME " stays: it is not shut off");
    assert_int_equal(virDomainDestroy(domain), 0);
    virDomainFree(domain);
}

/* An operator gave it a role, or it serves, and the daemon has not heard of that yet. */
static void what_is_used_by_its_metadata_is_not_removed_with_its_disks(void **state)
{
    static const char *const used[] = {
        "<machine role='standby'><made domain='" UUID "' template='small'/></machine>",
        "<machine role='protected'><made domain='" UUID "' template='small'/></machine>",
        "<machine><made domain='" UUID "' template='small'/></machine>",
        "<machine role='ignored'><made domain='" UUID "' template='small'/><mark domain='" UUID
        "' recovery='1' hypervisor='local' original='2' service='web'/></machine>",
    };
    struct world *world = *state;

    make_and_use(world);
    for (size_t i = 0; i < ELEMENTS_OF(used); i++) {
        set_metadata(world, used[i]);
        remove_with_data(world);
        assert_refused(world, -EBUSY, NAME " stays: by its metadata it is used");
        assert_true(has_volume(world, "images", OVERLAY));
    }
}

static void what_understudy_did_not_make_is_not_removed_with_its_disks(void **state)
{
    struct world *world = *state;

    define(world, NAME, UUID, "");
    add_volume(world, "images", OVERLAY, 1);
    remove_with_data(world);
    assert_refused(world, -EBUSY, NAME " stays: its metadata does not say that it was made from a template");
}

/* A linked clone, or a snapshot: the XML of a domain that is off does not say what is below its disk. */
static void what_another_image_stands_on_is_not_removed_with_its_disks(void **state)
{
    struct world *world = *state;
    virStoragePoolPtr pool = virStoragePoolLookupByName(world->connection, "fast");
    virStorageVolPtr clone;

    make_and_use(world);
    clone = virStorageVolCreateXML(pool,
                                   "<volume><name>clone.qcow2</name><capacity>1</capacity><allocation>0</allocation>"
                                   "<backingStore><path>/images/" OVERLAY "</path></backingStore></volume>",
                                   0);
    assert_non_null(clone);
    virStorageVolFree(clone);
    virStoragePoolFree(pool);
    remove_with_data(world);
    assert_refused(world, -EBUSY, "the volume " OVERLAY " stays: clone.qcow2 has it as its backing file");
    assert_true(has_domain(world, UUID));
    assert_true(has_volume(world, "images", OVERLAY));
}

static void what_a_template_names_as_a_base_image_is_not_removed_with_its_disks(void **state)
{
    struct world *world = *state;
    struct template_disk disk = {.target = (char *)"vda", .path = (char *)"/images/" OVERLAY};
    struct template other = {.name = (char *)"other", .disks = &disk, .n_disks = 1};
    struct template *all[] = {&other};
    struct template_set set = {.all = all, .count = 1};

    make_and_use(world);
    world->templates = &set;
    remove_with_data(world);
    assert_refused(world, -EBUSY, "its disk stays: it is the base image of disk vda of the template other");
    assert_true(has_volume(world, "images", OVERLAY));
}

/* After an external snapshot it writes to another file, which stands on the one that was made. */
static void a_machine_with_another_disk_is_not_removed(void **state)
{
    struct world *world = *state;

    define(world, NAME, UUID,
           "<disk type='file' device='disk'><source file='/images/snapshot.qcow2'/><target dev='vda'/></disk>");
    set_metadata(world, "<machine role='ignored'><made domain='" UUID "' template='small'/></machine>");
    add_volume(world, "images", OVERLAY, 5u << 20);
    remove_with_data(world);
    assert_refused(world, -EBUSY, NAME " stays: its disk snapshot.qcow2 was not made for it");
    assert_true(has_volume(world, "images", OVERLAY));
}

/* Who undefined it without them wants them. */
static void disks_without_their_domain_stay(void **state)
{
    struct world *world = *state;

    add_volume(world, "images", OVERLAY, 5u << 20);
    remove_with_data(world);
    assert_refused(world, -EBUSY, "there is no such domain any more, and what is left of its disks stays");
    assert_true(has_volume(world, "images", OVERLAY));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_machine_is_defined_and_not_started),
        TEST(its_disk_stands_on_the_base_image),
        TEST(overlays_are_made_in_the_pool_of_the_template),
        TEST(a_base_image_may_be_a_volume),
        TEST(a_base_image_that_is_missing_is_named),
        TEST(a_pool_that_is_missing_is_named),
        TEST(a_pool_that_is_not_active_is_named),
        TEST(a_pool_with_too_little_space_is_refused),
        TEST(every_pool_needs_space),
        TEST(what_a_machine_writes_to_is_no_base_image),
        TEST(a_base_image_is_recognised_behind_a_link),
        TEST(what_a_machine_reads_is_one),
        TEST(a_domain_of_that_name_is_never_touched),
        TEST(a_domain_with_that_uuid_is_never_touched),
        TEST(a_volume_of_that_name_is_never_touched),
        TEST(what_libvirt_refuses_is_told_in_its_words),
        TEST(a_template_that_leaves_a_disk_on_its_base_makes_nothing),
        TEST(a_seed_that_cannot_be_written_leaves_no_machine),
        TEST(a_seed_without_a_place_is_refused),
        TEST(all_that_was_made_is_removed),
        TEST(what_understudy_did_not_make_stays),
        TEST(a_copy_of_what_was_made_stays),
        TEST(what_runs_or_has_run_stays),
        TEST(what_holds_data_stays),
        TEST(what_another_domain_uses_stays),
        TEST(what_stands_below_the_disk_of_another_domain_stays),
        TEST(volumes_that_cannot_be_looked_at_keep_their_machine),
        TEST(nothing_is_made_or_removed_after_the_deadline),
        TEST(a_standby_is_made_to_stand_by),
        TEST(a_standby_that_was_not_made_to_the_end_is_noted_and_removed),
        TEST(a_standby_without_any_volume_yet_is_removed),
        TEST(what_has_run_is_removed_with_its_disks),
        TEST(what_runs_is_not_removed_with_its_disks),
        TEST(what_is_used_by_its_metadata_is_not_removed_with_its_disks),
        TEST(what_understudy_did_not_make_is_not_removed_with_its_disks),
        TEST(disks_without_their_domain_stay),
        TEST(what_another_image_stands_on_is_not_removed_with_its_disks),
        TEST(what_a_template_names_as_a_base_image_is_not_removed_with_its_disks),
        TEST(a_machine_with_another_disk_is_not_removed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
