/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What of a template is read, what is refused and in which line, and the machine that it would be. */
#include "model/template.h"

#include <errno.h>
#include <string.h>

#include "model/machine.h"
#include "support.h"

#define UUID       "0b0e7c5c-9b3f-4c3e-8b35-6a6f1d9a0003"
#define OTHER_UUID "11111111-2222-4333-8444-555555555555"
#define OURS       "<metadata><u:machine xmlns:u='urn:understudy:domain:1.0' "
#define DISK       "<disk type='file'><source file='/base.qcow2'/><target dev='vda'/></disk>"

static const char q35[] =
    "<domain type='kvm'>\n"
    "  <name>golden</name><uuid>" OTHER_UUID "</uuid>\n"
    "  <memory unit='MiB'>512</memory><vcpu>2</vcpu>\n"
    "  <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type><loader readonly='yes' type='pflash'>/efi</loader></os>\n"
    "  " OURS "role='protected, standby' priority='4'>\n"
    "    <u:resource kind='webserver'>nginx</u:resource><u:template max='3' pool='fast' space='5GiB'/>\n"
    "    <u:mark domain='" OTHER_UUID "' warm='yes'/><u:made domain='" OTHER_UUID "' template='elder'/>\n"
    "  </u:machine></metadata>\n"
    "  <devices>\n"
    "    <disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/images/base.qcow2'/>\n"
    "      <backingStore type='file'><format type='raw'/><source "
    "file='/images/first.raw'/><backingStore/></backingStore>\n"
    "      <target dev='vda' bus='virtio'/></disk>\n"
    "    <disk type='volume' device='disk'><driver name='qemu' type='raw'/><source pool='default' volume='data.img'/>\n"
    "      <target dev='vdb' bus='virtio'/></disk>\n"
    "    <disk type='file' device='disk'><source file='/images/reference'/><target dev='vdc'/><readonly/></disk>\n"
    "    <disk type='network' device='disk'><source protocol='rbd' name='p/i'/><target dev='vdd'/><shareable/></disk>\n"
    "    <disk type='file' device='cdrom'><source file='/images/tools.iso'/><target dev='sda' bus='sata'/></disk>\n"
    "    <interface type='network'><mac address='52:54:00:12:34:56'/><source network='default'/></interface>\n"
    "  </devices>\n"
    "</domain>\n";

static struct template *parse_quietly(const char *xml)
{
    struct diags diags = {0};
    struct template *template = NULL;

    assert_int_equal(template_parse("web", "/t/web.xml", xml, strlen(xml), &diags, &template), 0);
    assert_int_equal(diags.count, 0);
    diags_done(&diags);
    return template;
}

static void all_of_a_template_is_read(void **state)
{
    struct diags diags = {0};
    struct template *template = NULL;

    (void)state;
    assert_int_equal(template_parse("web", "/t/web.xml", q35, strlen(q35), &diags, &template), 0);
    assert_int_equal(diags.count, 1); /* a template is not protected */
    assert_non_null(strstr(diags.items[0].message, "not protected"));
    assert_int_equal(diags.items[0].severity, DIAG_WARNING);
    assert_string_equal(template->name, "web");
    assert_string_equal(template->file, "/t/web.xml");
    assert_string_equal(template->storage_pool, "fast");
    assert_int_equal(template->max, 3);
    assert_int_equal(template->space_bytes, UINT64_C(5) << 30);
    assert_string_equal(template->xml, q35);
    assert_null(template->user_data);
    assert_int_equal(template->n_disks, 2);
    assert_string_equal(template->disks[0].target, "vda");
    assert_string_equal(template->disks[0].path, "/images/base.qcow2");
    assert_string_equal(template->disks[0].format, "qcow2");
    assert_null(template->disks[0].pool);
    assert_string_equal(template->disks[1].target, "vdb");
    assert_null(template->disks[1].path);
    assert_string_equal(template->disks[1].pool, "default");
    assert_string_equal(template->disks[1].volume, "data.img");
    assert_string_equal(template->disks[1].format, "raw");
    template_free(template);
    diags_done(&diags);
}

static void its_networks_are_known(void **state)
{
    struct template *template =
        parse_quietly("<domain><memory>9</memory><devices>"
                      "<interface type='network'><source network='default'/></interface>"
                      "<interface type='bridge'><source bridge='br0' network='none'/></interface>"
                      "<interface type='network'><source network='back'/></interface>"
                      "<interface type='network'><source network='default'/></interface></devices></domain>");

    (void)state;
    assert_int_equal(template->n_networks, 2);
    assert_string_equal(template->networks[0], "default");
    assert_string_equal(template->networks[1], "back");
    template_free(template);
}

static void little_is_needed(void **state)
{
    static const char i440fx[] = "<domain><memory>1</memory><os><type machine='pc-i440fx-7.2'>hvm</type></os><devices>"
                                 "<disk type='file' device='cdrom'><target dev='hdc' bus='ide'/></disk>"
                                 "<disk type='file' device='floppy'><target dev='fda'/></disk>"
                                 "<disk type='file'><source file='/base'/><target dev='hda' bus='ide'/></disk>"
                                 "</devices></domain>";
    struct template *template = parse_quietly(i440fx);

    (void)state;
    assert_int_equal(template->max, TEMPLATE_MAX_DEFAULT);
    assert_int_equal(template->space_bytes, TEMPLATE_SPACE_DEFAULT);
    assert_null(template->storage_pool);
    assert_int_equal(template->n_disks, 1);
    assert_string_equal(template->disks[0].target, "hda");
    assert_null(template->disks[0].format);
    template_free(template);
}

static void a_template_needs_no_writable_disk(void **state)
{
    struct template *template =
        parse_quietly("<domain><memory>1</memory><devices><disk type='network'><source protocol='nbd'/><target "
                      "dev='vda'/><readonly/></disk></devices></domain>");
    struct domain_description *description = NULL;

    (void)state;
    assert_int_equal(template->n_disks, 0);
    assert_int_equal(template_describe(template, UUID, 1, &description), 0);
    assert_int_equal(description->n_disks, 1);
    assert_false(description->disks[0].writable);
    domain_description_free(description);
    template_free(template);
}

static void assert_refused(const char *xml, unsigned line, const char *words)
{
    struct diags diags = {0};
    struct template *template = NULL;
    const struct diag *last;

    assert_int_equal(template_parse("web", "/t/web.xml", xml, strlen(xml), &diags, &template), -EINVAL);
    assert_null(template);
    assert_true(diags.count > 0);
    last = &diags.items[diags.count - 1];
    if (strstr(last->message, words) == NULL)
        fail_msg("\"%s\" is not in: %s", words, last->message);
    assert_int_equal(last->severity, DIAG_ERROR);
    assert_string_equal(last->file, "/t/web.xml");
    assert_int_equal(last->line, line);
    diags_done(&diags);
}

static void what_is_wrong_is_told_with_its_line(void **state)
{
    static const struct {
        const char *inner, *words;
    } cases[] = {
        {"<disk type='file'><source file='/b'/></disk>", "no target"},
        {"<disk type='file'><source file='/b'/><target/></disk>", "no target"},
        {"<disk type='file'><source file='/b'/><target dev='../../x'/></disk>", "../../x"},
        {"<disk type='file'><source file='/b'/><target dev='vdabcdefghijklmnop'/></disk>", "not the name of a device"},
        {DISK DISK, "two writable disks have the target vda"},
        {"<disk type='file'><target dev='vda'/></disk>", "disk vda has no base image"},
        {"<disk type='file'><source/><target dev='vda'/></disk>", "disk vda has no base image"},
        {"<disk type='file'><source file='base'/><target dev='vda'/></disk>", "does not begin with /: base"},
        {"<disk type='volume'><source pool='p'/><target dev='vda'/></disk>", "disk vda has no base image"},
        {"<disk type='volume'><source volume='v'/><target dev='vda'/></disk>", "disk vda has no base image"},
        {"<disk type='network'><source protocol='rbd' name='p/i'/><target dev='vda'/></disk>", "is of type network;"},
        {"<disk type='block'><source dev='/dev/sdx'/><target dev='vda'/></disk>", "is of type block;"},
        {"<disk type='nvme'><source/><target dev='vda'/></disk>", "is of type nvme;"},
        {"<disk><source file='/b'/><target dev='vda'/></disk>", "is of type none;"},
        {"<disk type='file'><source file='/b'><encryption format='luks'/></source><target dev='vda'/></disk>",
         "vda is encrypted"},
        {"<disk type='file'><encryption format='qcow'/><source file='/b'/><target dev='vda'/></disk>", "is encrypted"},
        {"<disk type='file'><source file='/b'><slices/></source><target dev='vda'/></disk>", "is a part of its image"},
        {"<disk type='file' device='floppy'><source file='/b'/><target dev='fda'/></disk>",
         "a floppy that can be written"},
        {"<disk type='block' device='lun'><source dev='/dev/sdx'/><target dev='sda'/></disk>",
         "a lun that can be written"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        _cleanup_(freep) char *xml = NULL;

        assert_true(asprintf(&xml, "<domain>\n<memory>1</memory>\n<devices>\n\n%s</devices></domain>", cases[i].inner) >
                    0);
        assert_refused(xml, 5, cases[i].words);
    }
}

static void the_terms_of_a_template_are_checked(void **state)
{
    static const struct {
        const char *terms, *words;
    } cases[] = {
        {"<u:template max='0'/>", "max is not a number from 1 to 64: 0"},
        {"<u:template max='65'/>", "max is not a number from 1 to 64: 65"},
        {"<u:template max='-1'/>", "max is not a number from 1 to 64: -1"},
        {"<u:template max='2x'/>", "max is not a number from 1 to 64: 2x"},
        {"<u:template max='99999999999999999999999'/>", "max is not a number"},
        {"<u:template space='5'/>", "space is not a size such as 5GiB: 5"},
        {"<u:template space='5 GiB'/>", "space is not a size such as 5GiB: 5 GiB"},
        {"<u:template space='-1GiB'/>", "space is not a size such as 5GiB: -1GiB"},
        {"<u:template space='99999999999TiB'/>", "space is not a size such as 5GiB: 99999999999TiB"},
        {"<u:template maximum='2'/>", "unknown attribute of <understudy:template>: maximum"},
        {"<u:template/><u:template/>", "a second <understudy:template>"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        _cleanup_(freep) char *xml = NULL;

        assert_true(asprintf(&xml, "<domain>\n<memory>1</memory>" OURS ">\n%s</u:machine></metadata></domain>",
                             cases[i].terms) > 0);
        assert_refused(xml, 3, cases[i].words);
    }
}

static void what_is_no_domain_is_refused(void **state)
{
    static const char wide[] = "<\0d\0o\0m\0a\0i\0n\0/\0>\0";
    struct diags diags = {0};
    struct template *template = NULL;

    (void)state;
    assert_refused("no XML", 1, "not well-formed XML");
    assert_refused("<domain>\n<memory>1</memory>\n</other>", 3, "not well-formed XML");
    assert_refused("\n<network/>", 2, "not a libvirt domain document");
    assert_refused("<!DOCTYPE domain [<!ENTITY a 'b'>]>\n<domain><memory>1</memory></domain>", 2,
                   "not a libvirt domain document");
    assert_refused("\n<domain/>", 2, "no memory");
    assert_refused("<domain><memory>much</memory></domain>", 1, "no memory");
    assert_int_equal(template_parse("web", "f", wide, sizeof(wide) - 1, &diags, &template), -EINVAL);
    assert_string_equal(diags.items[0].message, "is not UTF-8");
    diags_done(&diags);
}

/* XML of this many times the inner text, in a list that the caller frees. */
static char *repeat(const char *begin, const char *inner, size_t count, const char *end)
{
    char *text = malloc(strlen(begin) + count * strlen(inner) + strlen(end) + 1), *at;

    assert_non_null(text);
    at = stpcpy(text, begin);
    while (count-- > 0)
        at = stpcpy(at, inner);
    strcpy(at, end);
    return text;
}

static void hostile_documents_cost_little(void **state)
{
    _cleanup_(freep) char *deep = repeat("<domain><memory>1</memory>", "<x>", 100000, "");
    _cleanup_(freep) char *attributes = repeat("<domain ", "a='1' ", 10000, "/>");
    _cleanup_(freep) char *disks = repeat("<domain><memory>1</memory><devices>", DISK, 3, "</devices></domain>");
    _cleanup_(freep) char *many = NULL;
    char *at;

    (void)state;
    assert_refused(deep, 1, "not well-formed XML");
    assert_refused(attributes, 0, "too many attributes");
    assert_refused(disks, 1, "two writable disks have the target vda");
    many = repeat("<domain><memory>1</memory><devices>",
                  "<disk type='file'><source file='/b'/><target dev='d00'/></disk>", 80, "</devices></domain>");
    at = many;
    for (unsigned i = 0; i < 80; i++) {
        at = strstr(at, "'d") + 2;
        at[0] = (char)('0' + i / 10);
        at[1] = (char)('0' + i % 10);
    }
    assert_refused(many, 1, "more than 64 writable disks");
}

static void a_broken_role_is_told_and_makes_no_error(void **state)
{
    static const char xml[] = "<domain><memory>1</memory>" OURS "role='standbye'/></metadata></domain>";
    struct diags diags = {0};
    struct template *template = NULL;
    struct domain_description *description = NULL;

    (void)state;
    assert_int_equal(template_parse("web", "f", xml, strlen(xml), &diags, &template), 0);
    assert_int_equal(diags.count, 1);
    assert_int_equal(diags.items[0].severity, DIAG_WARNING);
    assert_int_equal(template_describe(template, UUID, 1, &description), 0);
    assert_int_equal(description->roles, ROLE_UNREADABLE);
    domain_description_free(description);
    template_free(template);
    diags_done(&diags);
}

static void assert_disk(const struct disk *disk, const char *source, const char *target, bool writable, bool is_backing)
{
    assert_string_equal(disk->source, source);
    assert_string_equal(disk_target(disk), target);
    assert_int_equal(disk->writable, writable);
    assert_int_equal(disk->is_backing, is_backing);
}

static void a_template_is_described_as_the_machine_that_it_would_be(void **state)
{
    struct diags diags = {0};
    struct template *template = NULL;
    struct domain_description *d = NULL;
    struct feature_text feature;
    char uuid[UUID_TEXT_SIZE];
    size_t place = 0;

    (void)state;
    assert_int_equal(template_parse("web", "/t/web.xml", q35, strlen(q35), &diags, &template), 0);
    assert_int_equal(template_describe(template, UUID, 1, &d), 0);
    uuid_format(d->uuid, uuid);
    assert_string_equal(uuid, UUID);
    assert_string_equal(d->name, "web");
    assert_string_equal(d->template, "web");
    assert_null(d->mark); /* it speaks of another domain */
    assert_int_equal(d->roles, ROLE_STANDBY);
    assert_true(d->has_metadata);
    assert_int_equal(d->priority, 4);
    assert_int_equal(d->memory_kib, 512 * 1024);
    assert_int_equal(d->vcpus, 2);
    assert_int_equal(d->n_macs, 0);
    assert_true(feature_texts_next(&d->features, &place, &feature));
    assert_string_equal(feature.value, "nginx");
    assert_int_equal(d->n_disks, 8);
    assert_disk(&d->disks[0], UUID "-vda.qcow2", "vda", true, false);
    assert_disk(&d->disks[1], "/images/base.qcow2", "vda", false, true);
    assert_disk(&d->disks[2], "/images/first.raw", "vda", false, true);
    assert_true(d->disks[0].has_chain);
    assert_disk(&d->disks[3], UUID "-vdb.qcow2", "vdb", true, false);
    assert_disk(&d->disks[4], "default/data.img", "vdb", false, true);
    assert_false(d->disks[3].has_chain); /* who knows what is below it */
    assert_null(disk_pool(&d->disks[3]));
    assert_string_equal(disk_pool(&d->disks[4]), "default");
    assert_disk(&d->disks[5], "/images/reference", "vdc", false, false);
    assert_disk(&d->disks[6], "rbd:p/i", "vdd", true, false);
    assert_true(d->disks[6].shareable);
    assert_disk(&d->disks[7], "/images/tools.iso", "sda", false, false);
    assert_int_equal(domain_description_pack(&d), 0);
    assert_string_equal(d->template, "web");
    domain_description_free(d);
    template_free(template);
    diags_done(&diags);
}

static void machines_of_one_template_share_only_what_is_read(void **state)
{
    struct template *template = parse_quietly("<domain><memory>1</memory><devices>" DISK "</devices></domain>");
    struct domain_description *first = NULL, *second = NULL;

    (void)state;
    assert_int_equal(template_describe(template, UUID, 1, &first), 0);
    assert_int_equal(template_describe(template, OTHER_UUID, 2, &second), 0);
    assert_string_equal(second->name, "web.2");
    assert_string_equal(second->template, "web");
    assert_string_equal(second->disks[0].source, OTHER_UUID "-vda.qcow2");
    assert_string_equal(first->disks[1].source, second->disks[1].source);
    domain_description_free(second);
    domain_description_free(first);
    template_free(template);
}

static void a_role_of_its_own_stays(void **state)
{
    static const struct {
        const char *role;
        unsigned roles;
    } cases[] = {{"role='ignored'", ROLE_IGNORED},
                 {"role='standby'", ROLE_STANDBY},
                 {"", ROLE_STANDBY},
                 {"priority='1'", ROLE_STANDBY}};

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        _cleanup_(freep) char *xml = NULL;
        struct domain_description *description = NULL;
        struct template *template;

        assert_true(asprintf(&xml, "<domain><memory>1</memory>" OURS "%s/></metadata></domain>", cases[i].role) > 0);
        template = parse_quietly(xml);
        assert_int_equal(template_describe(template, UUID, 1, &description), 0);
        assert_int_equal(description->roles, cases[i].roles);
        domain_description_free(description);
        template_free(template);
    }
}

static void a_template_lives_as_long_as_one_owner(void **state)
{
    struct template *template = parse_quietly("<domain><memory>1</memory></domain>");

    (void)state;
    assert_ptr_equal(template_ref(template), template);
    template_free(template);
    assert_string_equal(template->name, "web");
    template_free(template);
    assert_null(template_ref(NULL));
    template_free(NULL);
}

static void names_of_templates_are_checked(void **state)
{
    static const char longest[] = "a234567890123456789012345678901234567890123456789012345678901234";

    (void)state;
    assert_true(template_name_is_valid("web"));
    assert_true(template_name_is_valid("Web-1.2_b"));
    assert_true(template_name_is_valid("1"));
    assert_int_equal(strlen(longest), TEMPLATE_NAME_MAX);
    assert_true(template_name_is_valid(longest));
    assert_false(template_name_is_valid("aa234567890123456789012345678901234567890123456789012345678901234"));
    assert_false(template_name_is_valid(""));
    assert_false(template_name_is_valid(".web"));
    assert_false(template_name_is_valid("-web"));
    assert_false(template_name_is_valid("a b"));
    assert_false(template_name_is_valid("a/b"));
    assert_false(template_name_is_valid("w\xc3\xa4"
                                        "b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_a_template_is_read),
        cmocka_unit_test(its_networks_are_known),
        cmocka_unit_test(little_is_needed),
        cmocka_unit_test(a_template_needs_no_writable_disk),
        cmocka_unit_test(what_is_wrong_is_told_with_its_line),
        cmocka_unit_test(the_terms_of_a_template_are_checked),
        cmocka_unit_test(what_is_no_domain_is_refused),
        cmocka_unit_test(hostile_documents_cost_little),
        cmocka_unit_test(a_broken_role_is_told_and_makes_no_error),
        cmocka_unit_test(a_template_is_described_as_the_machine_that_it_would_be),
        cmocka_unit_test(machines_of_one_template_share_only_what_is_read),
        cmocka_unit_test(a_role_of_its_own_stays),
        cmocka_unit_test(a_template_lives_as_long_as_one_owner),
        cmocka_unit_test(names_of_templates_are_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
