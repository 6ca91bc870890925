/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is made from a template: names that nothing refuses, and XML that leaves every base image alone. */
#include "model/template.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/domain_xml.h"
#include "support.h"

#define UUID "1a2bcdef-0000-4000-8000-000000000001"

static const struct making plain = {.uuid = UUID, .service = "web"};
static const struct made_disk made[] = {{"fast", UUID "-vda.qcow2"}, {"fast", UUID "-vdb.qcow2"}};
static const struct made_disk seed = {"fast", UUID "-seed.iso"};

/* ---- names ---- */

static void assert_name(const char *service, const char *expected)
{
    struct making making = {.uuid = UUID};
    _cleanup_(freep) char *name = NULL;

    snprintf(making.service, sizeof(making.service), "%s", service);
    assert_int_equal(making_name(&making, &name), 0);
    assert_string_equal(name, expected);
}

static void a_name_is_a_host_name(void **state)
{
    (void)state;
    assert_name("VM-001", "VM-001-1a2b");
    assert_name("web.example.com", "web.example.com-1a2b");
    assert_name("../x", "x-1a2b");
    assert_name("a/../b", "a----b-1a2b");
    assert_name("web server\n", "web-server--1a2b");
    assert_name("db_1.", "db-1--1a2b");
    assert_name("웹 서버", "machine-1a2b");
    assert_name("café", "caf--1a2b");
    assert_name("\xff\xfe"
                "a",
                "a-1a2b");
    assert_name("--option", "option-1a2b");
    assert_name("...", "machine-1a2b");
    assert_name("", "machine-1a2b");
}

static void a_long_name_is_cut(void **state)
{
    char service[301], expected[64];

    (void)state;
    memset(service, 'a', sizeof(service) - 1);
    service[sizeof(service) - 1] = '\0';
    memset(expected, 'a', 58);
    strcpy(expected + 58, "-1a2b");
    assert_name(service, expected);
    /* A label that begins with "-" would follow the dot. */
    service[57] = '.';
    expected[57] = '-';
    assert_name(service, expected);
}

static void a_host_is_named_as_its_service(void **state)
{
    static const struct making odd = {.uuid = UUID, .service = "../web server"};
    _cleanup_(freep) char *name = NULL;

    (void)state;
    assert_int_equal(making_host_name(&odd, &name), 0);
    assert_string_equal(name, "web-server");
}

static void volumes_are_named_by_the_uuid(void **state)
{
    _cleanup_(freep) char *overlay = NULL;
    _cleanup_(freep) char *image = NULL;
    char *none = NULL;

    (void)state;
    assert_int_equal(making_volume_name(&plain, "vda", &overlay), 0);
    assert_string_equal(overlay, UUID "-vda.qcow2");
    assert_int_equal(making_seed_name(&plain, &image), 0);
    assert_string_equal(image, UUID "-seed.iso");
    assert_int_equal(making_volume_name(&plain, "../vda", &none), -EINVAL);
    assert_int_equal(making_volume_name(&plain, "", &none), -EINVAL);
    assert_null(none);
    assert_true(making_is_volume_of(overlay, UUID));
    assert_true(making_is_volume_of(image, UUID));
}

static void no_other_volume_is_of_the_machine(void **state)
{
    static const char *const others[] = {
        "",
        "base.qcow2",
        UUID,
        UUID "-",
        UUID "-.qcow2",
        UUID "-vda.raw",
        UUID "-vda.qcow2.backup",
        UUID "-seed.iso.old",
        UUID "-my-vda.qcow2",
        UUID "vda.qcow2",
        "1a2bcdef-0000-4000-8000-000000000002-vda.qcow2",
        "x" UUID "-vda.qcow2",
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(others); i++)
        assert_false(making_is_volume_of(others[i], UUID));
    assert_false(making_is_volume_of("-seed.iso", ""));
    assert_false(making_is_volume_of("1a2b-seed.iso", "1a2b"));
    assert_false(making_is_volume_of("anything", ""));
}

/* ---- domains ---- */

/* A template with writable disks vda and vdb, or the first of them. */
static char *make(const char *xml, size_t n_disks, const struct making *making, const struct made_disk *with_seed)
{
    struct template_disk disks[] = {{.target = (char *)"vda"}, {.target = (char *)"vdb"}};
    const struct template template = {.name = (char *)"small", .xml = (char *)xml, .disks = disks, .n_disks = n_disks};
    char *text = NULL;

    assert_int_equal(template_domain_xml(&template, making, made, with_seed, &text), 0);
    return text;
}

static void assert_has(const char *xml, const char *part)
{
    if (strstr(xml, part) == NULL)
        fail_msg("%s\nlacks\n%s", xml, part);
}

static void assert_lacks(const char *xml, const char *part)
{
    if (strstr(xml, part) != NULL)
        fail_msg("%s\nhas\n%s", xml, part);
}

static struct domain_description *describe_made(const char *xml)
{
    struct domain_description *description = NULL;
    struct diags diags = {0};

    assert_int_equal(domain_xml_parse(xml, strlen(xml), "made", &diags, &description), 0);
    diags_done(&diags);
    return description;
}

/* As virsh dumpxml prints a running machine. */
static const char i440fx_xml[] =
    "<?xml version='1.0'?>\n<domain type='kvm' id='7'>\n  <name>golden</name>\n"
    "  <uuid>99999999-0000-4000-8000-000000000001</uuid>\n  <genid>99999999-0000-4000-8000-000000000009</genid>\n"
    "  <sysinfo type='smbios'><system><entry name='vendor'>us</entry>"
    "<entry name='uuid'>99999999-0000-4000-8000-000000000001</entry></system></sysinfo>\n"
    "  <metadata><o:os xmlns:o='urn:other'>x</o:os>\n"
    "    <understudy:machine xmlns:understudy='urn:understudy:domain:1.0' role='standby' priority='3'>\n"
    "      <understudy:resource kind='webserver'>nginx</understudy:resource><understudy:template max='2'/>\n"
    "      <understudy:made domain='99999999-0000-4000-8000-000000000001' template='old'/>\n"
    "      <understudy:mark domain='99999999-0000-4000-8000-000000000001' warm='yes'/>\n"
    "    </understudy:machine></metadata>\n"
    "  <memory unit='MiB'>512</memory><vcpu>2</vcpu>\n"
    "  <os><type arch='x86_64' machine='pc-i440fx-7.2'>hvm</type><boot dev='hd'/></os>\n"
    "  <devices><emulator>/usr/bin/qemu-system-x86_64</emulator>\n"
    "    <disk type='file' device='disk'><driver name='qemu' type='raw' cache='none'/>"
    "<source file='/images/golden.img' index='1'/><backingStore/><target dev='vda' bus='virtio'/></disk>\n"
    "    <disk type='file' device='cdrom'><source file='/images/tools.iso'/><target dev='hda' "
    "bus='ide'/><readonly/></disk>\n"
    "    <disk type='file' device='disk'><source file='/images/licences.img'/><target dev='vdc' "
    "bus='virtio'/><readonly/>"
    "</disk>\n"
    "    <disk type='block' device='disk'><source dev='/dev/shared'/><target dev='vdd' "
    "bus='virtio'/><shareable/></disk>\n"
    "    <interface type='network'><mac address='52:54:00:00:00:01'/><source network='default'/></interface>\n"
    "    <interface type='bridge'><mac address='52:54:00:00:00:02'/><source bridge='br0'/></interface>\n"
    "  </devices>\n"
    "  <seclabel type='dynamic' model='apparmor' "
    "relabel='yes'><label>libvirt-9</label><imagelabel>libvirt-9</imagelabel>"
    "</seclabel>\n"
    "</domain>\n";

static void a_machine_has_nothing_of_its_own_from_the_template(void **state)
{
    _cleanup_(freep) char *xml = make(i440fx_xml, 1, &plain, NULL);

    (void)state;
    assert_has(xml, "<domain type=\"kvm\">");
    assert_has(xml, "<name>web-1a2b</name>");
    assert_has(xml, "<uuid>" UUID "</uuid>");
    assert_has(xml, "<genid/>");
    assert_has(xml, "<system><entry name=\"vendor\">us</entry></system>");
    assert_lacks(xml, "golden");
    assert_lacks(xml, "99999999");
    assert_lacks(xml, "<mac");
    assert_has(xml, "<interface type=\"bridge\"><source bridge=\"br0\"/></interface>");
    assert_has(xml, "<seclabel type=\"dynamic\" model=\"apparmor\" relabel=\"yes\"/>");
}

static void a_port_of_open_vswitch_has_an_id_of_its_own(void **state)
{
    _cleanup_(freep) char *xml = make(
        "<domain><devices><interface type='bridge'><virtualport type='openvswitch'><parameters interfaceid='1'/>"
        "</virtualport></interface><interface type='bridge'><virtualport type='midonet'><parameters interfaceid='2'/>"
        "</virtualport></interface></devices></domain>",
        0, &plain, NULL);

    (void)state;
    assert_has(xml, "<virtualport type=\"openvswitch\"><parameters/></virtualport>");
    assert_has(xml, "<virtualport type=\"midonet\"><parameters interfaceid=\"2\"/></virtualport>");
}

static void a_writable_disk_is_its_overlay(void **state)
{
    _cleanup_(freep) char *xml = make(i440fx_xml, 1, &plain, NULL);

    (void)state;
    assert_has(xml, "<disk type=\"volume\" device=\"disk\"><driver name=\"qemu\" type=\"qcow2\" cache=\"none\"/>"
                    "<target dev=\"vda\" bus=\"virtio\"/><source pool=\"fast\" volume=\"" UUID "-vda.qcow2\"/></disk>");
    assert_lacks(xml, "backingStore");
}

static void other_disks_stay(void **state)
{
    _cleanup_(freep) char *xml = make(i440fx_xml, 1, &plain, NULL);

    (void)state;
    assert_has(xml, "<disk type=\"file\" device=\"cdrom\"><source file=\"/images/tools.iso\"/>");
    assert_has(xml, "<disk type=\"file\" device=\"disk\"><source file=\"/images/licences.img\"/>");
    assert_has(xml, "<disk type=\"block\" device=\"disk\"><source dev=\"/dev/shared\"/>");
}

static void the_metadata_says_what_it_was_made_from(void **state)
{
    _cleanup_(freep) char *xml = make(i440fx_xml, 1, &plain, NULL);

    (void)state;
    assert_has(xml, "role=\"ignored\" priority=\"3\">");
    assert_has(xml, "<understudy:resource kind=\"webserver\">nginx</understudy:resource>");
    assert_has(xml, "<understudy:made domain=\"" UUID "\" template=\"small\" service=\"web\"/>");
    assert_has(xml, "<o:os xmlns:o=\"urn:other\">x</o:os>");
    assert_lacks(xml, "understudy:template");
    assert_lacks(xml, "template=\"old\"");
    assert_lacks(xml, "understudy:mark");
}

/* Two disks by other means, and UEFI with variables of its own. */
static const char q35_xml[] =
    "<domain type='qemu'><name>golden</name>"
    "<os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type>"
    "<loader readonly='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE_4M.fd</loader>"
    "<nvram template='/usr/share/OVMF/OVMF_VARS_4M.fd'>/var/lib/libvirt/qemu/nvram/golden_VARS.fd</nvram></os>"
    "<devices>"
    "<disk type='volume'><source pool='images' volume='golden.qcow2'/><target dev='vdb' bus='virtio'/>"
    "<backingStore type='file'><format type='raw'/><source file='/images/deep.img'/></backingStore></disk>"
    "<disk type='block' device='disk'><driver name='qemu' type='raw' io='native'/><source dev='/dev/vg/golden'/>"
    "<target dev='vda' bus='virtio'/></disk>"
    "<disk type='file' device='disk'><source file='/x.iso'/><target dev='sda' bus='sata'/><readonly/></disk>"
    "</devices></domain>";

static void disks_are_matched_by_target(void **state)
{
    _cleanup_(freep) char *xml = make(q35_xml, 2, &plain, NULL);

    (void)state;
    assert_has(xml, "<disk type=\"volume\"><target dev=\"vdb\" bus=\"virtio\"/><driver type=\"qcow2\" name=\"qemu\"/>"
                    "<source pool=\"fast\" volume=\"" UUID "-vdb.qcow2\"/></disk>");
    assert_has(xml, "<disk type=\"volume\" device=\"disk\"><driver name=\"qemu\" type=\"qcow2\" io=\"native\"/>"
                    "<target dev=\"vda\" bus=\"virtio\"/><source pool=\"fast\" volume=\"" UUID "-vda.qcow2\"/></disk>");
    assert_lacks(xml, "golden");
    assert_lacks(xml, "deep.img");
}

static void libvirt_makes_the_variables_of_uefi(void **state)
{
    _cleanup_(freep) char *xml = make(q35_xml, 2, &plain, NULL);
    _cleanup_(freep) char *by_source =
        make("<domain><os><nvram type='file' template='/vars.fd'><source file='/own.fd'/></nvram></os></domain>", 0,
             &plain, NULL);

    (void)state;
    assert_has(xml, "<nvram template=\"/usr/share/OVMF/OVMF_VARS_4M.fd\"/>");
    assert_has(xml, ">/usr/share/OVMF/OVMF_CODE_4M.fd</loader>");
    assert_has(by_source, "<nvram template=\"/vars.fd\"/>");
}

static void an_element_is_made_where_there_is_none(void **state)
{
    _cleanup_(domain_description_freep) struct domain_description *description = NULL;
    _cleanup_(freep) char *xml = make(q35_xml, 2, &plain, NULL);

    (void)state;
    assert_has(xml, "<uuid>" UUID "</uuid>");
    assert_has(xml, "<metadata><understudy:machine xmlns:understudy=\"urn:understudy:domain:1.0\" role=\"ignored\">"
                    "<understudy:made domain=\"" UUID
                    "\" template=\"small\" service=\"web\"/></understudy:machine></metadata>");
    description = describe_made(xml);
    assert_int_equal(description->roles, ROLE_IGNORED);
    assert_null(description->mark);
}

/* It is found by a listing, whatever is on record. */
static void a_standby_is_unfinished_until_its_volumes_are_there(void **state)
{
    static const struct making begun = {.uuid = UUID, .service = "web", .is_standby = true, .is_unfinished = true};
    static const struct making done = {.uuid = UUID, .service = "web", .is_standby = true};
    _cleanup_(freep) char *unfinished = make(q35_xml, 2, &begun, NULL);
    _cleanup_(freep) char *finished = make(q35_xml, 2, &done, NULL);
    _cleanup_(domain_description_freep) struct domain_description *first = describe_made(unfinished);
    _cleanup_(domain_description_freep) struct domain_description *last = describe_made(finished);

    (void)state;
    assert_int_equal(first->roles, ROLE_IGNORED);
    assert_true(first->is_unfinished);
    assert_int_equal(last->roles, ROLE_STANDBY);
    assert_false(last->is_unfinished);
    assert_string_equal(last->template, "small");
}

/* What is looked at before anything is removed. */
static void a_note_says_what_may_be_removed(void **state)
{
    struct made_note note = making_read_note(
        "<machine role='ignored'><made domain='" UUID "' template='small' unfinished='yes'/></machine>", UUID);

    (void)state;
    assert_true(note.is_made && note.is_unfinished && note.is_ignored && !note.is_marked);
    note = making_read_note(
        "<machine role='standby'><made domain='" UUID "'/><mark domain='" UUID "' warm='yes'/></machine>", UUID);
    assert_true(note.is_made && !note.is_unfinished && !note.is_ignored && note.is_marked);
    note = making_read_note(
        "<machine role='ignored'><made domain='other' unfinished='yes'/><mark domain='other'/></machine>", UUID);
    assert_true(!note.is_made && !note.is_unfinished && note.is_ignored && !note.is_marked);
}

/* Declared far above, and by another prefix. */
static void what_was_made_is_known_by_its_own_uuid_alone(void **state)
{
    (void)state;
    assert_true(
        making_read_note("<machine role='ignored'><made domain='" UUID "' template='small'/></machine>", UUID).is_made);
    assert_false(making_read_note("<machine><made domain='" UUID "' template='small'/></machine>",
                                  "1a2bcdef-0000-4000-8000-000000000002")
                     .is_made);
    assert_false(making_read_note("<machine><mark domain='" UUID "'/></machine>", UUID).is_made);
    assert_false(making_read_note("<machine><made/></machine>", UUID).is_made);
    assert_false(making_read_note("<machine>", UUID).is_made);
}

static void a_foreign_prefix_is_kept(void **state)
{
    _cleanup_(domain_description_freep) struct domain_description *description = NULL;
    _cleanup_(freep) char *xml = NULL;

    (void)state;
    xml = make("<domain xmlns:u='urn:understudy:domain:1.0'><metadata><u:machine role='standby'>"
               "<u:resource kind='os'>a &amp; b</u:resource><u:template pool='fast'/></u:machine></metadata></domain>",
               0, &plain, NULL);
    assert_has(xml, "<u:resource kind=\"os\">a &amp; b</u:resource>");
    assert_has(xml, "<u:made domain=\"" UUID "\" template=\"small\" service=\"web\"/>");
    assert_lacks(xml, "u:template");
    description = describe_made(xml);
    assert_int_equal(description->roles, ROLE_IGNORED);
}

static void the_seed_is_a_cdrom_on_a_bus_of_the_machine(void **state)
{
    _cleanup_(freep) char *ide = make(i440fx_xml, 1, &plain, &seed);
    _cleanup_(freep) char *sata = make(q35_xml, 2, &plain, &seed);
    _cleanup_(freep) char *scsi =
        make("<domain><os><type arch='aarch64' machine='virt'>hvm</type></os></domain>", 0, &plain, &seed);
    _cleanup_(freep) char *unknown = make("<domain/>", 0, &plain, &seed);

    (void)state;
    assert_has(ide, "<disk device=\"cdrom\" type=\"volume\"><driver type=\"raw\" name=\"qemu\"/><source pool=\"fast\" "
                    "volume=\"" UUID "-seed.iso\"/><target dev=\"hdb\" bus=\"ide\"/><readonly/></disk>");
    assert_has(sata, "<target dev=\"sdb\" bus=\"sata\"/><readonly/>");
    assert_has(scsi, "<target dev=\"sda\" bus=\"scsi\"/><readonly/>");
    assert_has(unknown, "<target dev=\"hda\" bus=\"ide\"/><readonly/>");
}

#define CDROM(target) "<disk type='file' device='cdrom'><target dev='" target "' bus='ide'/></disk>"

static void the_seed_goes_to_sata_where_ide_is_full(void **state)
{
    _cleanup_(freep) char *xml =
        make("<domain><devices>" CDROM("hda") CDROM("hdb") CDROM("hdc") CDROM("hdd") "</devices></domain>", 0, &plain,
             &seed);

    (void)state;
    assert_has(xml, "<target dev=\"sda\" bus=\"sata\"/><readonly/>");
}

#define WITH_DISK(inside) "<domain><devices><disk type='file'>" inside "</disk></devices></domain>"

static void no_disk_stays_on_its_base_image(void **state)
{
    static const char *const documents[] = {
        WITH_DISK("<source file='/base'/><target dev='vdz'/>"),
        WITH_DISK("<source file='/base'/>"),
        "<disk/>",
        "<domain>",
        "",
        "<!DOCTYPE domain [<!ENTITY x 'y'>]><domain/>",
    };
    struct template_disk disks[] = {{.target = (char *)"vda"}};
    char *text = NULL;

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(documents); i++) {
        const struct template template = {
            .name = (char *)"small", .xml = (char *)documents[i], .disks = disks, .n_disks = 1};

        assert_int_equal(template_domain_xml(&template, &plain, made, NULL, &text), -EINVAL);
        assert_null(text);
    }
}

/* ---- volumes ---- */

static void an_overlay_stands_on_its_base(void **state)
{
    _cleanup_(freep) char *xml = NULL;
    _cleanup_(freep) char *unknown = NULL;

    (void)state;
    assert_int_equal(template_volume_xml("a.qcow2", UINT64_C(21474836480), "/images/b & <c>.img", "raw", &xml), 0);
    assert_string_equal(xml, "<volume><name>a.qcow2</name><capacity>21474836480</capacity><allocation>0</allocation>"
                             "<target><format type=\"qcow2\"/><compat>1.1</compat></target>"
                             "<backingStore><path>/images/b &amp; &lt;c&gt;.img</path><format type=\"raw\"/>"
                             "</backingStore></volume>");
    assert_int_equal(template_volume_xml("a", 1, "/b", NULL, &unknown), 0);
    assert_has(unknown, "<backingStore><path>/b</path></backingStore>");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_a_host_name),
        cmocka_unit_test(a_long_name_is_cut),
        cmocka_unit_test(a_host_is_named_as_its_service),
        cmocka_unit_test(volumes_are_named_by_the_uuid),
        cmocka_unit_test(no_other_volume_is_of_the_machine),
        cmocka_unit_test(a_machine_has_nothing_of_its_own_from_the_template),
        cmocka_unit_test(a_port_of_open_vswitch_has_an_id_of_its_own),
        cmocka_unit_test(a_writable_disk_is_its_overlay),
        cmocka_unit_test(other_disks_stay),
        cmocka_unit_test(the_metadata_says_what_it_was_made_from),
        cmocka_unit_test(disks_are_matched_by_target),
        cmocka_unit_test(libvirt_makes_the_variables_of_uefi),
        cmocka_unit_test(an_element_is_made_where_there_is_none),
        cmocka_unit_test(a_standby_is_unfinished_until_its_volumes_are_there),
        cmocka_unit_test(a_note_says_what_may_be_removed),
        cmocka_unit_test(what_was_made_is_known_by_its_own_uuid_alone),
        cmocka_unit_test(a_foreign_prefix_is_kept),
        cmocka_unit_test(the_seed_is_a_cdrom_on_a_bus_of_the_machine),
        cmocka_unit_test(the_seed_goes_to_sata_where_ide_is_full),
        cmocka_unit_test(no_disk_stays_on_its_base_image),
        cmocka_unit_test(an_overlay_stands_on_its_base),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
