/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text of a template, from machines as virsh dumpxml --inactive prints them. */
#include "model/template_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/template.h"
#include "support.h"

static const char web_xml[] =
    "<domain type='kvm' id='7'>\n  <name>web-1</name>\n  <uuid>99999999-0000-4000-8000-000000000001</uuid>\n"
    "  <title>Web &amp; more</title>\n  <metadata>\n    <o:os xmlns:o='urn:other'>x</o:os>\n"
    "    <understudy:machine xmlns:understudy='urn:understudy:domain:1.0' role='protected' priority='3' "
    "service='shop'>\n"
    "      <understudy:resource kind='webserver'>apache</understudy:resource>\n"
    "      <understudy:made domain='99999999-0000-4000-8000-000000000001' template='old' service='shop'/>\n"
    "      <understudy:mark domain='99999999-0000-4000-8000-000000000001' warm='yes'/>\n"
    "    </understudy:machine>\n  </metadata>\n"
    "  <memory unit='MiB'>512</memory>\n  <vcpu>2</vcpu>\n"
    "  <os>\n    <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>\n"
    "    <nvram template='/firmware/VARS.fd'>/nvram/web-1_VARS.fd</nvram>\n  </os>\n"
    "  <devices>\n"
    "    <disk type='file' device='disk'>\n      <driver name='qemu' type='qcow2' cache='none'/>\n"
    "      <source file='/images/web-1.qcow2' startupPolicy='optional'/>\n      <backingStore/>\n"
    "      <target dev='vda' bus='virtio'/>\n    </disk>\n"
    "    <disk type='block' device='disk'>\n      <source dev='/dev/vg/web-1'/>\n"
    "      <target dev='vdb' bus='virtio'/>\n    </disk>\n"
    "    <disk type='network' device='disk'>\n      <driver name='qemu' type='raw'/>\n      <auth username='u'/>\n"
    "      <source protocol='rbd' name='pool/image'>\n        <host name='ceph'/>\n      </source>\n"
    "      <target dev='vdc' bus='virtio'/>\n    </disk>\n"
    "    <disk type='file' device='cdrom'>\n      <source file='/images/tools.iso'/>\n"
    "      <target dev='sda' bus='sata'/>\n      <readonly/>\n    </disk>\n"
    "    <interface type='network'>\n      <mac address='52:54:00:00:00:01'/>\n      <source network='default'/>\n"
    "    </interface>\n  </devices>\n</domain>\n";

static const struct template_base bases[] = {
    {"vda", "/images/base.qcow2", "qcow2"}, {"vdb", "/images/a & b.img", "raw"}, {"vdc", "/images/c.qcow2", "qcow2"}};

/* With the first n of the base images. */
static char *write_text(const char *xml, size_t n)
{
    struct feature_texts features = {0};
    struct template_terms terms = {.max = 2, .features = &features, .bases = bases, .n_bases = n};
    char *text = NULL;

    assert_int_equal(feature_texts_add(&features, "webserver", "nginx"), 0);
    assert_int_equal(feature_texts_add(&features, "data", "a<b"), 0);
    assert_int_equal(feature_texts_add(&features, "database", NULL), 0);
    assert_int_equal(template_text_write(xml, &terms, &text), 0);
    feature_texts_done(&features);
    return text;
}

static void assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("%s\nlacks\n%s", text, part);
}

static void assert_lacks(const char *text, const char *part)
{
    if (strstr(text, part) != NULL)
        fail_msg("%s\nhas\n%s", text, part);
}

static void nothing_of_the_machine_itself_is_in_it(void **state)
{
    static const char *const own[] = {
        "<name>",   "<uuid>",           "99999999",         "<mac",   "web-1",   "role=", "priority=",
        "service=", "<understudy:made", "<understudy:mark", "apache", "id=\"7\""};
    _cleanup_(freep) char *text = write_text(web_xml, 3);

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(own); i++)
        assert_lacks(text, own[i]);
    assert_has(text, "<nvram template=\"/firmware/VARS.fd\"/>");
}

static void what_others_wrote_stays(void **state)
{
    _cleanup_(freep) char *text = write_text(web_xml, 3);

    (void)state;
    assert_has(text, "<o:os xmlns:o=\"urn:other\">x</o:os>");
    assert_has(text, "<title>Web &amp; more</title>");
    assert_has(text, "<source file=\"/images/tools.iso\"/>");
}

static void it_says_what_the_machine_offers_and_how_many(void **state)
{
    _cleanup_(freep) char *text = write_text(web_xml, 3);
    _cleanup_(freep) char *bare = write_text("<domain type='kvm'><memory>9</memory></domain>", 0);
    static const char element[] = "<understudy:machine xmlns:understudy=\"urn:understudy:domain:1.0\">\n"
                                  "      <understudy:template max=\"2\"/>\n"
                                  "      <understudy:resource kind=\"webserver\">nginx</understudy:resource>\n"
                                  "      <understudy:resource kind=\"data\">a&lt;b</understudy:resource>\n"
                                  "      <understudy:resource kind=\"database\"/>\n"
                                  "    </understudy:machine>\n";

    (void)state;
    assert_has(text, element);
    assert_has(bare, element); /* a machine without metadata */
}

static void each_disk_is_its_base_image(void **state)
{
    _cleanup_(freep) char *text = write_text(web_xml, 3);

    (void)state;
    assert_has(text, "<disk type=\"file\" device=\"disk\">\n"
                     "      <driver name=\"qemu\" type=\"qcow2\" cache=\"none\"/>\n"
                     "      <source file=\"/images/base.qcow2\"/>\n"
                     "      <target dev=\"vda\" bus=\"virtio\"/>\n    </disk>");
    assert_has(text, "<disk type=\"file\" device=\"disk\">\n"
                     "      <source file=\"/images/a &amp; b.img\"/>\n"
                     "      <target dev=\"vdb\" bus=\"virtio\"/>\n"
                     "      <driver type=\"raw\" name=\"qemu\"/>\n    </disk>");
    assert_has(text, "<source file=\"/images/c.qcow2\"/>\n      <target dev=\"vdc\" bus=\"virtio\"/>");
    assert_lacks(text, "<auth");
    assert_lacks(text, "ceph");
}

/* A machine that was made from a template, with the seed of cloud-init and a CD that all have. */
static void the_seed_of_a_machine_that_was_made_is_not_in_it(void **state)
{
    static const char xml[] =
        "<domain><uuid>99999999-0000-4000-8000-000000000001</uuid><memory>9</memory><devices>"
        "<disk type='volume' device='cdrom'><source pool='p' volume='99999999-0000-4000-8000-000000000001-seed.iso'/>"
        "<target dev='sda'/><readonly/></disk>"
        "<disk type='volume' device='cdrom'><source pool='p' volume='tools.iso'/><target dev='sdb'/><readonly/></disk>"
        "</devices></domain>";
    _cleanup_(freep) char *text = write_text(xml, 0);

    (void)state;
    assert_lacks(text, "seed.iso");
    assert_lacks(text, "sda");
    assert_has(text, "volume=\"tools.iso\"");
}

static void a_disk_without_one_stays(void **state)
{
    _cleanup_(freep) char *text = write_text(web_xml, 1);

    (void)state;
    assert_has(text, "<source dev=\"/dev/vg/web-1\"/>");
    assert_has(text, "protocol=\"rbd\"");
}

static void what_is_written_is_a_template(void **state)
{
    _cleanup_(freep) char *text = write_text(web_xml, 3);
    struct template *template = NULL;
    struct diags diags = {0};

    (void)state;
    assert_int_equal(template_parse("web", "web.xml", text, strlen(text), &diags, &template), 0);
    assert_int_equal(diags.count, 0);
    assert_int_equal(template->max, 2);
    assert_int_equal(template->n_disks, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(template->disks[i].target, bases[i].target);
        assert_string_equal(template->disks[i].path, bases[i].path);
        assert_string_equal(template->disks[i].format, bases[i].format);
    }
    template_free(template);
}

static void what_is_no_domain_is_refused(void **state)
{
    static const char *const none[] = {"", "<pool/>", "<domain>", "<!DOCTYPE d [<!ENTITY a 'b'>]><domain/>"};
    struct feature_texts features = {0};
    struct template_terms terms = {.max = 1, .features = &features};
    char *text = NULL;

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(none); i++)
        assert_int_equal(template_text_write(none[i], &terms, &text), -EINVAL);
    assert_null(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_of_the_machine_itself_is_in_it),
        cmocka_unit_test(what_others_wrote_stays),
        cmocka_unit_test(it_says_what_the_machine_offers_and_how_many),
        cmocka_unit_test(each_disk_is_its_base_image),
        cmocka_unit_test(the_seed_of_a_machine_that_was_made_is_not_in_it),
        cmocka_unit_test(a_disk_without_one_stays),
        cmocka_unit_test(what_is_written_is_a_template),
        cmocka_unit_test(what_is_no_domain_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
