/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domain XML as libvirt really writes it, as it may be written, and as it should not be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "model/domain_xml.h"
#include "model/machine.h"

static char *read_fixture(const char *name)
{
    _cleanup_(freep) char *path = NULL;
    _cleanup_(fclosep) FILE *file = NULL;
    char *text = NULL;
    size_t size = 0;

    assert_true(asprintf(&path, "%s/tests/unit/data/xml/%s", SOURCE_DIR, name) > 0);
    file = fopen(path, "r");
    assert_non_null(file);
    assert_true(getdelim(&text, &size, '\0', file) > 0);
    return text;
}

static struct domain_description *parse_fixture(const char *name, struct diags *diags)
{
    _cleanup_(freep) char *xml = read_fixture(name);
    struct domain_description *description = NULL;

    assert_int_equal(domain_xml_parse(xml, strlen(xml), name, diags, &description), 0);
    return description;
}

/* A minimal domain with `inner` inside; expects it to be read. */
static struct domain_description *parse_with(const char *inner, struct diags *diags)
{
    _cleanup_(freep) char *xml = NULL;
    struct domain_description *description = NULL;

    assert_true(asprintf(&xml, "<domain><name>n</name><uuid>0b0e7c5c-9b3f-4c3e-8b35-6a6f1d9a0003</uuid>%s</domain>",
                         inner) > 0);
    assert_int_equal(domain_xml_parse(xml, strlen(xml), "n", diags, &description), 0);
    return description;
}

static size_t count_features(const struct domain_description *description)
{
    struct feature_text feature;
    size_t place = 0, n = 0;

    while (feature_texts_next(&description->features, &place, &feature))
        n++;
    return n;
}

static struct feature_text feature_at(const struct domain_description *description, size_t number)
{
    struct feature_text feature = {0};
    size_t place = 0;

    for (size_t i = 0; i <= number; i++)
        assert_true(feature_texts_next(&description->features, &place, &feature));
    return feature;
}

static void assert_mac(const struct domain_description *description, size_t number, const char *expected)
{
    char text[MAC_TEXT_SIZE];

    assert_true(number < description->n_macs);
    mac_format(description->macs[number], text);
    assert_string_equal(text, expected);
}

static void assert_uuid(const struct domain_description *description, const char *expected)
{
    char text[UUID_TEXT_SIZE];

    uuid_format(description->uuid, text);
    assert_string_equal(text, expected);
}

static void reads_the_test_driver(void **state)
{
    _cleanup_(diags_done) struct diags diags = {0};
    _cleanup_(domain_description_freep) struct domain_description *d = parse_fixture("test-driver.xml", &diags);

    (void)state;
    assert_int_equal(diags.count, 0);
    assert_string_equal(d->name, "test");
    assert_uuid(d, "6695eb01-f6a4-8304-79aa-97f2502e193f");
    assert_int_equal(d->vcpus, 2);
    assert_int_equal(d->memory_kib, 8388608);
    assert_int_equal(d->on_crash, ON_CRASH_DESTROY);
    assert_int_equal(d->n_disks, 1);
    assert_string_equal(d->disks[0].source, "/guest/diskimage1");
    assert_int_equal(d->n_macs, 1);
    assert_false(d->has_metadata);
    assert_null(d->osinfo_id);
    assert_true(d->is_live);
}

static void reads_a_running_qemu(void **state)
{
    _cleanup_(diags_done) struct diags diags = {0};
    _cleanup_(domain_description_freep) struct domain_description *d = parse_fixture("qemu-live.xml", &diags);

    (void)state;
    assert_int_equal(diags.count, 0);
    assert_string_equal(d->name, "shop-db-1");
    assert_uuid(d, "6f1d3c1e-96a0-4bce-9d77-51b7d3c0a001");
    assert_int_equal(d->vcpus, 2);
    assert_int_equal(d->memory_kib, 96 * 1024);
    assert_int_equal(d->on_crash, ON_CRASH_RESTART);
    assert_true(d->has_agent_channel);
    assert_false(d->agent_connected);
    assert_true(d->is_live);
    assert_true(d->has_panic_device);
    assert_string_equal(d->osinfo_id, "http://ubuntu.com/ubuntu/20.04");

    assert_int_equal(d->n_macs, 2);
    assert_mac(d, 0, "52:54:00:ab:cd:ef");
    assert_int_equal(d->n_disks, 3);
    assert_string_equal(d->disks[0].source, "/var/lib/libvirt/images/shop-db-1.img");
    assert_string_equal(disk_target(&d->disks[0]), "vda");
    assert_true(d->disks[0].writable);
    assert_false(d->disks[0].shareable);
    assert_true(d->disks[1].shareable);
    assert_string_equal(d->disks[2].source, "/srv/iso/tools.iso");
    assert_false(d->disks[2].writable);

    assert_true(d->has_metadata);
    assert_int_equal(d->roles, ROLE_PROTECTED | ROLE_STANDBY);
    assert_true(d->has_priority);
    assert_int_equal(d->priority, -5);
    assert_int_equal(count_features(d), 3);
    assert_string_equal(feature_at(d, 0).kind, "language");
    assert_string_equal(feature_at(d, 0).value, "nodejs");
    assert_string_equal(feature_at(d, 2).kind, "webserver");
    assert_null(feature_at(d, 2).value);
}

static void reads_every_kind_of_storage(void **state)
{
    static const struct {
        const char *source;
        const char *target;
        bool writable;
    } expected[] = {
        {"/dev/vg0/root", "vda", true},
        {"/srv/base.qcow2", "vda", false},
        {"fast/data.qcow2", "vdb", true},
        {"rbd:libvirt-pool/image", "vdc", true},
        {"nbd:export@nbd.example.org:10809", "vdd", true},
        {"nbd:@/run/nbd.sock", "vde", true},
        {"/srv/fat", "vdf", false},
        {"nvme:0000:01:00.0/2", "vdg", true},
        {"/srv/floppy.img", "fda", true},
        {"/dev/sr0", "hdc", false},
    };
    _cleanup_(diags_done) struct diags diags = {0};
    _cleanup_(domain_description_freep) struct domain_description *d = parse_fixture("storage.xml", &diags);

    (void)state;
    assert_int_equal(diags.count, 0);
    assert_false(d->is_live);
    assert_int_equal(d->n_disks, ELEMENTS_OF(expected));
    for (size_t i = 0; i < ELEMENTS_OF(expected); i++) {
        assert_string_equal(d->disks[i].source, expected[i].source);
        assert_string_equal(disk_target(&d->disks[i]), expected[i].target);
        assert_int_equal(d->disks[i].writable, expected[i].writable);
    }
    assert_string_equal(disk_pool(&d->disks[2]), "fast");
    assert_string_equal(disk_volume(&d->disks[2]), "data.qcow2");
    assert_null(disk_pool(&d->disks[0]));
    assert_int_equal(d->vcpus, 8);
    assert_int_equal(d->memory_kib, 1953125); /* 2 * 1000^3 bytes */
}

static void leaves_out_what_is_odd_and_says_so(void **state)
{
    static const struct {
        unsigned line;
        const char *text;
    } expected[] = {
        {11, "memory is not an amount"},        {12, "vcpu is not"},          {13, "unknown on_crash: explode"},
        {15, "disk without a source: vda"},     {5, "role is not made of"},   {5, "priority is not a number: high"},
        {6, "resource without a kind: nodejs"}, {8, "unknown element: disk"},
    };
    _cleanup_(diags_done) struct diags diags = {0};
    _cleanup_(domain_description_freep) struct domain_description *d = parse_fixture("odd.xml", &diags);

    (void)state;
    assert_false(diags_have_errors(&diags));
    assert_int_equal(diags.count, ELEMENTS_OF(expected));
    for (size_t i = 0; i < ELEMENTS_OF(expected); i++) {
        assert_int_equal(diags.items[i].line, expected[i].line);
        assert_non_null(strstr(diags.items[i].message, expected[i].text));
        assert_string_equal(diags.items[i].file, "odd.xml");
    }
    assert_int_equal(d->roles, ROLE_UNREADABLE);
    assert_false(d->has_priority);
    assert_int_equal(count_features(d), 1);
    assert_string_equal(feature_at(d, 0).value, "postgresql");
    assert_int_equal(d->on_crash, ON_CRASH_DESTROY);
    assert_int_equal(d->memory_kib, 0);
}

static void knows_every_unit_of_memory(void **state)
{
    static const struct {
        const char *xml;
        uint64_t kib;
    } cases[] = {
        {"<memory>8</memory>", 8},
        {"<memory unit='KiB'>8</memory>", 8},
        {"<memory unit='k'>8</memory>", 8},
        {"<memory unit='b'>1025</memory>", 2},
        {"<memory unit='bytes'>2048</memory>", 2},
        {"<memory unit='KB'>1024</memory>", 1000},
        {"<memory unit='MB'>1024</memory>", 1000000},
        {"<memory unit='M'>3</memory>", 3072},
        {"<memory unit='MiB'> 3 </memory>", 3072},
        {"<memory unit='G'>1</memory>", 1048576},
        {"<memory unit='TiB'>1</memory>", UINT64_C(1) << 30},
        {"<memory unit='PiB'>1</memory>", UINT64_C(1) << 40},
        {"<memory unit='EiB'>1</memory>", UINT64_C(1) << 50},
        {"<memory unit='MiB'>4</memory><currentMemory unit='MiB'>2</currentMemory>", 4096},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        _cleanup_(diags_done) struct diags diags = {0};
        _cleanup_(domain_description_freep) struct domain_description *d = parse_with(cases[i].xml, &diags);

        assert_int_equal(diags.count, 0);
        assert_int_equal(d->memory_kib, cases[i].kib);
    }
}

static void warns_of_memory_that_is_none(void **state)
{
    static const char *const cases[] = {
        "<memory unit='EiB'>16</memory>", /* one byte more than 64 bits hold */
        "<memory>18446744073709551616</memory>", "<memory>-1</memory>",        "<memory>1.5</memory>", "<memory/>",
        "<memory unit='Kib/s'>1</memory>",       "<memory unit=''>x</memory>",
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        _cleanup_(diags_done) struct diags diags = {0};
        _cleanup_(domain_description_freep) struct domain_description *d = parse_with(cases[i], &diags);

        assert_int_equal(diags.count, 1);
        assert_int_equal(d->memory_kib, 0);
    }
}

static void maps_every_on_crash(void **state)
{
    static const struct {
        const char *xml;
        enum on_crash expected;
    } cases[] = {
        {"", ON_CRASH_DESTROY},
        {"<on_crash/>", ON_CRASH_DESTROY},
        {"<on_crash>destroy</on_crash>", ON_CRASH_DESTROY},
        {"<on_crash>restart</on_crash>", ON_CRASH_RESTART},
        {"<on_crash>preserve</on_crash>", ON_CRASH_PRESERVE},
        {"<on_crash>rename-restart</on_crash>", ON_CRASH_RESTART},
        {"<on_crash>coredump-destroy</on_crash>", ON_CRASH_DESTROY},
        {"<on_crash>coredump-restart</on_crash>", ON_CRASH_RESTART},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        _cleanup_(diags_done) struct diags diags = {0};
        _cleanup_(domain_description_freep) struct domain_description *d = parse_with(cases[i].xml, &diags);

        assert_int_equal(diags.count, 0);
        assert_int_equal(d->on_crash, cases[i].expected);
    }
}

static void sees_whether_the_agent_is_connected(void **state)
{
    _cleanup_(diags_done) struct diags diags = {0};
    _cleanup_(domain_description_freep) struct domain_description *d =
        parse_with("<devices><channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0' "
                   "state='connected'/></channel>"
                   "<channel type='spicevmc'><target type='virtio' name='com.redhat.spice.0' "
                   "state='disconnected'/></channel></devices>",
                   &diags);

    (void)state;
    assert_true(d->has_agent_channel);
    assert_true(d->agent_connected);
}

static void metadata_of_other_programs_is_not_ours(void **state)
{
    _cleanup_(diags_done) struct diags diags = {0};
    _cleanup_(domain_description_freep) struct domain_description *d =
        parse_with("<metadata><machine role='protected' xmlns='urn:other'><resource kind='os'>x</resource></machine>"
                   "<machine role='protected'/></metadata>",
                   &diags);

    (void)state;
    assert_false(d->has_metadata);
    assert_int_equal(count_features(d), 0);
}

/* What was dropped without a word is told, once for each machine and in its own words. */
static void what_is_not_understood_of_the_metadata_is_kept_in_words(void **state)
{
    static const struct {
        const char *attributes, *children;
        const char *faults; /* NULL: none */
        unsigned roles;
        size_t n_features;
    } cases[] = {
        {"role='standby'", "<u:resource kind='os'>debian-12</u:resource>", NULL, ROLE_STANDBY, 1},
        {"role='protcted'", "", "role is not made of protected and standby, or ignored: protcted", ROLE_UNREADABLE, 0},
        {"role='ignored, standby'", "", "role is not made of", ROLE_UNREADABLE, 0},
        {"roles='standby'", "", "unknown attribute: roles", ROLE_UNREADABLE, 0},
        {"role='standby' owner='me'", "", "unknown attribute: owner", ROLE_STANDBY, 0},
        {"owner='me'", "", "unknown attribute: owner", 0, 0},
        {"priority='high'", "", "priority is not a number: high", 0, 0},
        {"", "<u:resource>nodejs</u:resource>", "resource without a kind: nodejs", 0, 0},
        {"", "<u:resource kind='Data Base'>mysql</u:resource>",
         "its kind has other characters than letters, digits, - and _: Data Base", 0, 0},
        {"", "<u:resource kind='database' value='mysql'/>",
         "its value must stand between its tags; unknown attribute: value", 0, 0},
        {"", "<u:resource kind='database' version='8'>mysql</u:resource>",
         "resource with an unknown attribute: version", 0, 1},
        {"", "<resource kind='os'>debian-12</resource>", "element of another namespace: resource", 0, 0},
        {"", "<u:resorce kind='os'>debian-12</u:resorce>", "unknown element: resorce", 0, 0},
        {"role='x'", "<u:resource>y</u:resource>", "ignored: x; resource without a kind: y", ROLE_UNREADABLE, 0},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        _cleanup_(diags_done) struct diags diags = {0};
        _cleanup_(domain_description_freep) struct domain_description *d = NULL;
        char text[512];

        snprintf(text, sizeof(text),
                 "<metadata><u:machine xmlns:u='" UNDERSTUDY_METADATA_URI "' %s>%s</u:machine></metadata>",
                 cases[i].attributes, cases[i].children);
        d = parse_with(text, &diags);
        assert_int_equal(d->metadata_faults != NULL, cases[i].faults != NULL);
        assert_int_equal(diags.count > 0, cases[i].faults != NULL);
        assert_true(cases[i].faults == NULL || strstr(d->metadata_faults, cases[i].faults) != NULL);
        assert_int_equal(d->roles, cases[i].roles);
        assert_int_equal(count_features(d), cases[i].n_features);
    }
}

static void a_value_that_is_too_long_is_told_in_part(void **state)
{
    _cleanup_(diags_done) struct diags diags = {0};
    _cleanup_(domain_description_freep) struct domain_description *d = NULL;
    char value[FEATURE_VALUE_MAX + 73], text[512];

    (void)state;
    memset(value, 'v', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    snprintf(text, sizeof(text),
             "<metadata><u:machine xmlns:u='" UNDERSTUDY_METADATA_URI "'><u:resource kind='os'>%s</u:resource>"
             "</u:machine></metadata>",
             value);
    d = parse_with(text, &diags);
    assert_non_null(strstr(d->metadata_faults, "its value is longer than 128 bytes: vvvv"));
    assert_non_null(strstr(d->metadata_faults, "v…"));
    assert_true(strlen(d->metadata_faults) < sizeof(value));
    assert_int_equal(count_features(d), 0);
}

static void of_very_many_faults_the_others_are_counted(void **state)
{
    _cleanup_(diags_done) struct diags diags = {0};
    _cleanup_(domain_description_freep) struct domain_description *d = NULL;
    char text[1024] = "<metadata><u:machine xmlns:u='" UNDERSTUDY_METADATA_URI "'>";

    (void)state;
    for (unsigned i = 0; i < 20; i++)
        strcat(text, "<u:resource>x</u:resource>");
    strcat(text, "</u:machine></metadata>");
    d = parse_with(text, &diags);
    assert_non_null(strstr(d->metadata_faults, "; 12 more"));
}

/* Its role is not read, and no other is taken for it. */
static void our_element_in_another_namespace_is_told(void **state)
{
    static const struct {
        const char *metadata;
        bool is_ours;
        unsigned roles;
    } cases[] = {
        {"<understudy:machine xmlns:understudy='urn:understudy:domain:2.0' role='standby'/>", true, ROLE_UNREADABLE},
        {"<understudy:machine xmlns:understudy='http://example.com/ns' priority='1'/>", true, 0},
        {"<u:machine xmlns:u='http://example.com/Understudy' role='standby'/>", true, ROLE_UNREADABLE},
        {"<u:machine xmlns:u='http://example.com/ns' role='standby'/>", false, 0},
        {"<u:machine xmlns:u='" UNDERSTUDY_METADATA_URI "' role='ignored'/>"
         "<understudy:machine xmlns:understudy='urn:understudy:domain' role='standby'/>",
         true, ROLE_IGNORED},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        _cleanup_(diags_done) struct diags diags = {0};
        _cleanup_(domain_description_freep) struct domain_description *d = NULL;
        char text[512];

        snprintf(text, sizeof(text), "<metadata>%s</metadata>", cases[i].metadata);
        d = parse_with(text, &diags);
        assert_int_equal(d->metadata_faults != NULL, cases[i].is_ours);
        assert_true(!cases[i].is_ours ||
                    strstr(d->metadata_faults, "which is not urn:understudy:domain:1.0: ") != NULL);
        assert_int_equal(d->roles, cases[i].roles);
    }
}

/* Any prefix means the same namespace: libvirt writes the one that virDomainSetMetadata was given. */
static void the_prefix_does_not_matter(void **state)
{
    _cleanup_(diags_done) struct diags diags = {0};
    _cleanup_(domain_description_freep) struct domain_description *d =
        parse_with("<metadata><u:machine xmlns:u='" UNDERSTUDY_METADATA_URI "' role='ignored' service='web &amp; shop'>"
                   "<u:resource kind='os'>a &amp; b</u:resource></u:machine></metadata>",
                   &diags);

    (void)state;
    assert_int_equal(diags.count, 0);
    assert_int_equal(d->roles, ROLE_IGNORED);
    assert_string_equal(feature_at(d, 0).value, "a & b");
    assert_string_equal(d->service, "web & shop");
}

static void refuses_what_is_no_domain(void **state)
{
#define IDENTITY "<name>n</name><uuid>0b0e7c5c-9b3f-4c3e-8b35-6a6f1d9a0003</uuid>"
    static const char *const cases[] = {
        "",
        "not XML",
        "<domain>" IDENTITY,
        "<network>" IDENTITY "</network>",
        "<domain/>",
        "<domain><name>n</name></domain>",
        "<domain><uuid>0b0e7c5c-9b3f-4c3e-8b35-6a6f1d9a0003</uuid></domain>",
        "<domain><name> </name><uuid>0b0e7c5c-9b3f-4c3e-8b35-6a6f1d9a0003</uuid></domain>",
        "<domain><name>n</name><uuid>0b0e7c5c-9b3f-4c3e-8b35-6a6f1d9a000</uuid></domain>",
        "<domain><name>n</name><uuid>0b0e7c5c-9b3f-4c3e-8b35-6a6f1d9a000g</uuid></domain>",
        "<!DOCTYPE domain [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><domain>" IDENTITY "&e;</domain>",
        "<!DOCTYPE domain [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>"
        "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>]><domain>" IDENTITY "<title>&c;</title></domain>",
        "<domain>" IDENTITY "&undeclared;</domain>",
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        _cleanup_(diags_done) struct diags diags = {0};
        struct domain_description *description = NULL;

        assert_int_equal(domain_xml_parse(cases[i], strlen(cases[i]), "x", &diags, &description), -EINVAL);
        assert_null(description);
        assert_true(diags_have_errors(&diags));
    }
}

/* What the reader says of a domain with `times` of a piece between the rest; "": nothing. */
static void check_shape(const char *before, const char *piece, size_t times, const char *after, const char *expected)
{
    _cleanup_(diags_done) struct diags diags = {0};
    struct domain_description *description = NULL;
    _cleanup_(freep) char *xml = NULL;
    size_t length;
    FILE *file = open_memstream(&xml, &length);
    int r;

    assert_non_null(file);
    fprintf(file, "<domain>" IDENTITY "%s", before);
    for (size_t i = 0; i < times; i++)
        fprintf(file, piece, i);
    fprintf(file, "%s</domain>", after);
    assert_int_equal(fclose(file), 0);
    r = domain_xml_parse(xml, length, "x", &diags, &description);
    domain_description_free(description);
    if (expected[0] == '\0') {
        assert_int_equal(r, 0);
        assert_int_equal(diags.count, 0);
        return;
    }
    assert_int_equal(r, -EINVAL);
    assert_int_equal(diags.count, 1);
    assert_non_null(strstr(diags.items[0].message, expected));
}

/* An element with 60,000 attributes took 19 s. */
static void refuses_absurd_shapes_before_they_are_read(void **state)
{
    static const struct {
        const char *before, *piece;
        size_t times;
        const char *after, *expected;
    } cases[] = {
        {"<metadata><e", " a%zu='1'", 60000, "/></metadata>", "too many attributes"},
        {"<metadata><e", " a%zu = \">\"", 257, "/></metadata>", "too many attributes"},
        {"<metadata><e", " a%zu='1'", 256, "/></metadata>", ""},
        {"<metadata>", "<e%zu a='1' b='2'/>", 2000, "</metadata>", ""},
        {"<metadata>", "<e xmlns:n%zu='u'>", 250, "", "not well-formed"},
        {"<metadata>", "<e xmlns:n%zu\n=\n'u'/>", 257, "</metadata>", "too many namespaces"},
        {"<metadata>", "<e xmlns='%zu'/>", 256, "</metadata>", ""},
        {"<metadata><e", " xmlns:n%zu='u'", 60000, "/></metadata>", "too many"},
        {"<!-- '", " a%zu='1' xmlns='u' <a ", 300, "' -->", ""},
        {"<title><![CDATA[ \"", " <a%zu='1' xmlns='u' ", 300, "]]></title>", ""},
        {"<?instruction '", " <a%zu='1' xmlns='u' ", 300, "?>", ""},
        {"<title>it's", " a%zu='1' xmlns='u'", 300, "</title>", ""},
        {"<metadata><e a='", " <a%zu=1 xmlns=", 300, "'/></metadata>", "not well-formed"},
        {"<metadata><e a='", " b%zu=1 xmlns=", 300, "'/></metadata>", ""},
        {"<!-- not closed", " a%zu='1'", 300, "", "not well-formed"},
        {"<metadata a='not closed", " a%zu=1", 300, "", "not well-formed"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++)
        check_shape(cases[i].before, cases[i].piece, cases[i].times, cases[i].after, cases[i].expected);
}

static void adds_up_the_writable_disks(void **state)
{
    struct disk disks[] = {
        {.writable = true, .capacity_bytes = 10},
        {.writable = false, .capacity_bytes = 100},
        {.writable = true, .capacity_bytes = 0},
        {.writable = true, .capacity_bytes = 5},
    };
    struct domain_description description = {.disks = disks, .n_disks = ELEMENTS_OF(disks)};

    (void)state;
    assert_int_equal(domain_description_disk_bytes(&description), 15);
    disks[2].capacity_bytes = UINT64_MAX;
    assert_true(domain_description_disk_bytes(&description) == UINT64_MAX);
    domain_description_free(NULL);
}

/* A list of devices, their names separated by bars, of what stands in <devices>. */
struct device_case {
    const char *xml;
    const char *expected;
};

static void assert_hostdevs(const struct device_case *device)
{
    _cleanup_(freep) char *xml = NULL;
    _cleanup_(freep) char *expected = strdup(device->expected);
    _cleanup_(diags_done) struct diags diags = {0};
    char *rest = expected;
    size_t i = 0;

    assert_true(asprintf(&xml, "<devices>%s</devices>", device->xml) > 0);
    _cleanup_(domain_description_freep) struct domain_description *d = parse_with(xml, &diags);
    assert_int_equal(diags.count, 0);
    while (rest != NULL && *rest != '\0') {
        assert_true(i < d->n_hostdevs);
        assert_string_equal(d->hostdevs[i++], strsep(&rest, "|"));
    }
    assert_int_equal(d->n_hostdevs, i);
}

#define HOSTDEV(type, inner) "<hostdev mode='subsystem' type='" type "'>" inner "</hostdev>"
#define SOURCE(inner)        "<source>" inner "</source>"
#define PCI(address)         HOSTDEV("pci", SOURCE("<address " address "/>"))
#define USB(inner)           HOSTDEV("usb", SOURCE(inner))
#define SCSI(inner)          HOSTDEV("scsi", SOURCE("<adapter name='scsi_host2'/>" inner))

static void names_every_kind_of_host_device(void **state)
{
    static const struct device_case cases[] = {
        {"", ""},
        {PCI("domain='0x0000' bus='0x65' slot='0x00' function='0x0'"), "pci 0000:65:00.0"},
        {HOSTDEV("pci",
                 "<driver name='vfio'/>" SOURCE(
                     "<address bus='0x06' slot='0x12' function='0x5'/>") "<address type='pci' domain='0x0000' "
                                                                         "bus='0x07' slot='0x00' function='0x0'/>"),
         "pci 0000:06:12.5"},
        {USB("<vendor id='0x046d'/><product id='0xc52b'/>"), "usb 046d:c52b"},
        {USB("<address bus='1' device='4'/>"), "usb bus 1 device 4"},
        {USB("<vendor id='0x46D'/><product id='0xc52b'/><address bus='1' device='4'/>"),
         "usb 046d:c52b|usb bus 1 device 4"},
        {HOSTDEV("mdev", SOURCE("<address uuid='C2177883-f1bb-47f0-914d-32a22e3a8804'/>")),
         "mdev c2177883-f1bb-47f0-914d-32a22e3a8804"},
        {SCSI("<address bus='0' target='1' unit='3'/>"), "scsi 2:0:1:3"},
        {HOSTDEV("scsi", "<source protocol='iscsi' name='iqn.2014-08.com.example:disk/1'><host name='h'/></source>"),
         "scsi iscsi:iqn.2014-08.com.example:disk/1"},
        {HOSTDEV("scsi_host", "<source protocol='vhost' wwpn='naa.5001405df3e54061'/>"), "scsi naa.5001405df3e54061"},
        {"<interface type='hostdev'><mac address='52:54:00:6d:90:02'/><source>"
         "<address type='pci' domain='0x0000' bus='0x00' slot='0x07' function='0x0'/></source></interface>",
         "pci 0000:00:07.0"},
        {"<interface type='hostdev'><source><address type='usb' bus='1' device='7'/></source></interface>",
         "usb bus 1 device 7"},
        {"<disk type='nvme'><source type='pci' namespace='2'>"
         "<address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/></source><target dev='vda'/></disk>",
         "pci 0000:01:00.0"},
        {PCI("bus='1'") USB("<address bus='1' device='4'/>") PCI("bus='2'"),
         "pci 0000:01:00.0|usb bus 1 device 4|pci 0000:02:00.0"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++)
        assert_hostdevs(&cases[i]);
}

/* One device has one name, whichever of the spellings that libvirt accepts it is written in. */
static void reads_the_numbers_of_host_devices_as_libvirt_does(void **state)
{
    static const struct device_case cases[] = {
        {PCI("domain='0' bus='101' slot='0' function='0'"), "pci 0000:65:00.0"},
        {PCI("bus='010' slot=' 1 ' function='+1'"), "pci 0000:08:01.1"},
        {PCI("bus='0X0A' slot='0x1F' function='7'"), "pci 0000:0a:1f.7"},
        {PCI("domain='0x10000' bus='0xff'"), "pci 10000:ff:00.0"},
        {"<hostdev type='pci' managed='no'>" SOURCE("<address slot='3'/>") "</hostdev>", "pci 0000:00:03.0"},
        {USB("<vendor id='1133'/><product id='0xC52B'/>"), "usb 046d:c52b"},
        {USB("<address bus='001' device='010'/>"), "usb bus 1 device 8"},
        {SCSI("<address bus='0x1' target='010' unit='2'/>"), "scsi 2:1:8:2"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++)
        assert_hostdevs(&cases[i]);
}

static void leaves_out_host_devices_that_it_cannot_name(void **state)
{
    static const char *const cases[] = {
        PCI(""),
        PCI("bus='0x100'"),
        PCI("bus='-1'"),
        PCI("bus='18446744073709551617'"),
        PCI("bus='6g'"),
        PCI("bus='1' slot='0x20'"),
        PCI("bus='1' function='8'"),
        PCI("domain='0x100000000' bus='1'"),
        PCI("domain='0x0000' bus='0x00' slot='0x00' function='0x1'"),
        HOSTDEV("pci", ""),
        HOSTDEV("pci", SOURCE("")),
        HOSTDEV("pci", "<address bus='1'/>"), /* where the guest sees it */
        HOSTDEV("usb", SOURCE("<vendor id='0x046d'/>")),
        HOSTDEV("usb", SOURCE("<product id='0x046d'/>")),
        USB("<vendor id='0x1046d'/><product id='0xc52b'/>"),
        USB("<vendor id='046d'/><product id='0xc52b'/>"), /* octal */
        USB("<address bus='1'/>"),
        USB("<address bus='0' device='0'/>"),
        HOSTDEV("mdev", SOURCE("<address uuid='c2177883'/>")),
        HOSTDEV("mdev", SOURCE("<address/>")),
        SCSI(""),
        SCSI("<address bus='x'/>"),
        HOSTDEV("scsi", SOURCE("<adapter name='scsi_host'/><address bus='0' target='1' unit='3'/>")),
        HOSTDEV("scsi", SOURCE("<adapter name='other1'/><address bus='0' target='1' unit='3'/>")),
        HOSTDEV("scsi", "<source protocol='iscsi'/>"),
        HOSTDEV("scsi", "<shareable/>" SOURCE("<adapter name='scsi_host2'/><address bus='0' target='1' unit='3'/>")),
        HOSTDEV("scsi_host", "<source protocol='vhost'/>"),
        HOSTDEV("submarine", SOURCE("<address bus='1'/>")),
        "<hostdev/>",
        "<hostdev mode='subsystem'>" SOURCE("<address bus='1'/>") "</hostdev>",
        "<hostdev mode='capabilities' type='storage'><source><block>/dev/sdf1</block></source></hostdev>",
        "<hostdev mode='capabilities' type='pci'>" SOURCE("<address bus='1'/>") "</hostdev>",
        "<interface type='hostdev'/>",
        "<interface type='hostdev'><source><address bus='1'/></source></interface>",
        "<interface type='bridge'><source><address type='pci' bus='1'/></source></interface>",
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++)
        assert_hostdevs(&(struct device_case){cases[i], ""});
}

#define OWN   "0b0e7c5c-9b3f-4c3e-8b35-6a6f1d9a0003"
#define OTHER "0b0e7c5c-9b3f-4c3e-8b35-6a6f1d9a0004"
#define MARKED(attributes)                                                                                             \
    "<metadata><u:machine xmlns:u='" UNDERSTUDY_METADATA_URI "'><u:mark " attributes "/></u:machine></metadata>"

/* A clone has another UUID: that its original serves says nothing of it. */
static void a_clones_copy_of_a_mark_is_void(void **state)
{
    static const struct {
        const char *xml, *mark;
    } cases[] = {
        {MARKED("domain='" OWN "' warm='yes'"), "warm"},
        {MARKED("domain='" OWN "' recovery='r-1' hypervisor='h' original='" OTHER "' service='a b'"),
         "r-1 h " OTHER " a b"},
        {MARKED("domain='" OTHER "' warm='yes'"), NULL},
        {MARKED("domain='" OTHER "' recovery='r-1' hypervisor='h' original='" OWN "' service='a'"), NULL},
        {MARKED("warm='yes'"), NULL},
        {MARKED("domain='" OWN "' recovery='r-1' hypervisor='h' service='a'"), NULL},
        {MARKED("domain='" OWN "' recovery='r 1' hypervisor='h' original='" OTHER "' service='a'"), NULL},
        {MARKED("domain='" OWN "' warm='perhaps'"), NULL},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        _cleanup_(diags_done) struct diags diags = {0};
        _cleanup_(domain_description_freep) struct domain_description *d = parse_with(cases[i].xml, &diags);

        assert_int_equal(diags.count, 0);
        assert_false(d->has_metadata); /* of an administrator */
        if (cases[i].mark == NULL)
            assert_null(d->mark);
        else
            assert_string_equal(d->mark, cases[i].mark);
    }
}

#define WITH(children)                                                                                                 \
    "<metadata><u:machine xmlns:u='" UNDERSTUDY_METADATA_URI "' role='ignored'>" children "</u:machine></metadata>"

static void a_clone_of_a_made_machine_was_not_made(void **state)
{
    static const struct {
        const char *xml, *template;
    } cases[] = {
        {WITH("<u:made domain='" OWN "' template='web'/>"), "web"},
        {WITH("<u:made domain='" OWN "' template='web'/><u:made domain='" OWN "' template='other'/>"), "web"},
        {WITH("<u:made domain='" OTHER "' template='other'/><u:made domain='" OWN "' template='web'/>"), "web"},
        {WITH("<u:made domain='" OTHER "' template='web'/>"), NULL},
        {WITH("<u:made template='web'/>"), NULL},
        {WITH("<u:made domain='" OWN "'/>"), NULL},
        {WITH("<u:template max='2' pool='fast'/>"), NULL}, /* of the template that it was a copy of */
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        _cleanup_(diags_done) struct diags diags = {0};
        _cleanup_(domain_description_freep) struct domain_description *d = parse_with(cases[i].xml, &diags);

        assert_int_equal(diags.count, 0);
        assert_null(d->metadata_faults);
        assert_int_equal(d->roles, ROLE_IGNORED);
        if (cases[i].template == NULL)
            assert_null(d->template);
        else
            assert_string_equal(d->template, cases[i].template);
    }
}

static void a_document_is_read_as_the_definition_of_another_domain(void **state)
{
    static const char xml[] =
        "<domain><uuid>no uuid</uuid><vcpu>3</vcpu>" WITH("<u:made domain='" OWN "' template='web'/>") "</domain>";
    static const struct domain_identity own = {.name = "n.2", .uuid = OWN}, other = {.name = "n", .uuid = OTHER},
                                        none = {.name = "n", .uuid = "no uuid"};
    _cleanup_(diags_done) struct diags diags = {0};
    struct domain_description *d = NULL;
    char uuid[UUID_TEXT_SIZE];

    (void)state;
    assert_int_equal(domain_xml_parse_as(xml, sizeof(xml) - 1, "x", &own, &diags, &d), 0);
    uuid_format(d->uuid, uuid);
    assert_string_equal(uuid, OWN);
    assert_string_equal(d->name, "n.2");
    assert_string_equal(d->template, "web");
    assert_int_equal(d->vcpus, 3);
    domain_description_free(d);
    assert_int_equal(domain_xml_parse_as(xml, sizeof(xml) - 1, "x", &other, &diags, &d), 0);
    assert_null(d->template);
    domain_description_free(d);
    assert_int_equal(diags.count, 0);
    assert_int_equal(domain_xml_parse_as(xml, sizeof(xml) - 1, "x", &none, &diags, &d), -EINVAL);
    assert_int_equal(domain_xml_parse(xml, sizeof(xml) - 1, "x", &diags, &d), -EINVAL);
    assert_int_equal(diags.count, 2);
}

/* All its numbers were taken for hexadecimal ones, whatever they were written in. */
static void an_nvme_address_in_decimal_was_another_disk(void **state)
{
    _cleanup_(diags_done) struct diags diags = {0};
    _cleanup_(domain_description_freep) struct domain_description *d =
        parse_with("<devices><disk type='nvme'><source type='pci' namespace='1'>"
                   "<address domain='0' bus='10' slot='0' function='0'/></source><target dev='vda'/></disk></devices>",
                   &diags);

    (void)state;
    assert_int_equal(d->n_disks, 1);
    assert_string_equal(d->disks[0].source, "nvme:0000:0a:00.0/1");
}

static void reads_addresses_as_libvirt_does(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"52:54:00:ab:cd:ef", "52:54:00:ab:cd:ef"},
        {"52:54:0:AB:Cd:1", "52:54:00:ab:cd:01"},
        {" ff:ff:ff:ff:ff:ff ", "ff:ff:ff:ff:ff:ff"},
        {"5254006d9002", NULL},
        {"52:54:00:ab:cd", NULL},
        {"52:54:00:ab:cd:ef:01", NULL},
        {"52:54:00:ab:cd:", NULL},
        {"52:54:00::cd:ef", NULL},
        {"52:54:00:ab:cd:123", NULL},
        {"52:54:00:ab:cd:0x1", NULL},
        {"52:54:00:ab:cd:-1", NULL},
        {"52-54-00-ab-cd-ef", NULL},
        {"", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        _cleanup_(freep) char *xml = NULL;
        _cleanup_(diags_done) struct diags diags = {0};

        assert_true(asprintf(&xml, "<devices><interface><mac address='%s'/></interface></devices>", cases[i].text) > 0);
        _cleanup_(domain_description_freep) struct domain_description *d = parse_with(xml, &diags);
        assert_int_equal(d->n_macs, cases[i].expected != NULL);
        if (cases[i].expected != NULL)
            assert_mac(d, 0, cases[i].expected);
    }
}

static void is_another_one_with_another_host_device(void **state)
{
    static const char *const cases[] = {"", PCI("bus='1'"), PCI("bus='2'"), PCI("bus='1'") PCI("bus='2'")};

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++)
        for (size_t k = 0; k < ELEMENTS_OF(cases); k++) {
            _cleanup_(diags_done) struct diags diags = {0};
            _cleanup_(freep) char *left = NULL;
            _cleanup_(freep) char *right = NULL;

            assert_true(asprintf(&left, "<devices>%s</devices>", cases[i]) > 0);
            assert_true(asprintf(&right, "<devices>%s</devices>", cases[k]) > 0);
            _cleanup_(domain_description_freep) struct domain_description *a = parse_with(left, &diags);
            _cleanup_(domain_description_freep) struct domain_description *b = parse_with(right, &diags);
            assert_int_equal(domain_description_equal(a, b), i == k);
        }
}

static void reads_whether_its_memory_is_in_huge_pages(void **state)
{
    _cleanup_(diags_done) struct diags diags = {0};
    _cleanup_(domain_description_freep) struct domain_description *d =
        parse_with("<memoryBacking><hugepages/></memoryBacking>", &diags);
    _cleanup_(domain_description_freep) struct domain_description *other =
        parse_with("<memoryBacking><locked/></memoryBacking>", &diags);

    (void)state;
    assert_true(d->has_hugepages);
    assert_false(other->has_hugepages);
    assert_false(domain_description_equal(d, other));
    assert_int_equal(domain_description_host_memory_kib(d), 0);
    assert_int_equal(domain_description_host_memory_kib(other), other->memory_kib);
}

/* The same image in other words: default ports, upper case, other hosts of a cluster, the unit of a target. */
static void spells_a_network_source_in_one_way(void **state)
{
    static const struct {
        const char *xml, *source;
    } rows[] = {
        {"<source protocol='nbd' name='a'><host name='Store'/></source>", "nbd:a@store:10809"},
        {"<source protocol='nbd' name='a'><host name='store' port='10809'/></source>", "nbd:a@store:10809"},
        {"<source protocol='nbd' name='a'><host name='store' port='10810'/></source>", "nbd:a@store:10810"},
        {"<source protocol='nbd' name='a'><host transport='unix' socket='/run/s'/></source>", "nbd:a@/run/s"},
        {"<source protocol='rbd' name='p/i'><host name='a'/><host name='b' port='6789'/></source>", "rbd:p/i"},
        {"<source protocol='rbd' name='p/i'><host name='b'/><host name='a'/></source>", "rbd:p/i"},
        {"<source protocol='iscsi' name='iqn.2026-11.org:t'><host name='a' port='3260'/></source>",
         "iscsi:iqn.2026-11.org:t/0"},
        {"<source protocol='iscsi' name='iqn.2026-11.org:t/0'><host name='b'/></source>", "iscsi:iqn.2026-11.org:t/0"},
        {"<source protocol='iscsi' name='iqn.2026-11.org:t/1'><host name='a'/></source>", "iscsi:iqn.2026-11.org:t/1"},
        {"<source protocol='https' name='i' query='k=1'><host name='www' port='443'/></source>", "https:i?k=1@www:443"},
        {"<source protocol='https' name='i' query='k=1'><host name='www'/></source>", "https:i?k=1@www:443"},
        {"<source protocol='nfs' name='/e/i'><host name='nas'/></source>", "nfs:/e/i@nas:2049"},
        {"<source protocol='ssh' name='i'><host name='s'/></source>", "ssh:i@s:22"},
        {"<source protocol='other' name='i'><host name='s'/></source>", "other:i@s"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(rows); i++) {
        _cleanup_(diags_done) struct diags diags = {0};
        _cleanup_(freep) char *xml = NULL;

        assert_true(asprintf(&xml, "<devices><disk type='network' device='disk'>%s<target dev='vda'/></disk></devices>",
                             rows[i].xml) > 0);
        _cleanup_(domain_description_freep) struct domain_description *d = parse_with(xml, &diags);
        assert_int_equal(d->n_disks, 1);
        assert_string_equal(d->disks[0].source, rows[i].source);
    }
}

/* As a running machine tells it; a machine that is off mostly says nothing of it. */
static void reads_what_stands_below_a_disk(void **state)
{
    static const char xml[] =
        "<devices><disk type='file' device='disk'><source file='/app.qcow2' index='1'/>"
        "<backingStore type='file' index='3'><format type='qcow2'/><source file='/middle.qcow2'/>"
        "<backingStore type='network'><source protocol='nbd' name='base'><host name='store'/></source>"
        "<backingStore/></backingStore></backingStore><target dev='vda'/></disk>"
        "<disk type='file' device='disk'><source file='/raw.img'/><backingStore/><target dev='vdb'/></disk>"
        "<disk type='file' device='disk'><source file='/off.img'/><target dev='vdc'/></disk></devices>";
    static const struct {
        const char *source;
        bool writable, is_backing, has_chain;
    } expected[] = {
        {"/app.qcow2", true, false, true},
        {"/middle.qcow2", false, true, false},
        {"nbd:base@store:10809", false, true, false},
        {"/raw.img", true, false, true},
        {"/off.img", true, false, false},
    };
    _cleanup_(diags_done) struct diags diags = {0};
    _cleanup_(domain_description_freep) struct domain_description *d = parse_with(xml, &diags);

    (void)state;
    assert_int_equal(diags.count, 0);
    assert_int_equal(d->n_disks, ELEMENTS_OF(expected));
    for (size_t i = 0; i < ELEMENTS_OF(expected); i++) {
        assert_string_equal(d->disks[i].source, expected[i].source);
        assert_int_equal(d->disks[i].writable, expected[i].writable);
        assert_int_equal(d->disks[i].is_backing, expected[i].is_backing);
        assert_int_equal(d->disks[i].has_chain, expected[i].has_chain);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_stands_below_a_disk),
        cmocka_unit_test(spells_a_network_source_in_one_way),
        cmocka_unit_test(reads_whether_its_memory_is_in_huge_pages),
        cmocka_unit_test(reads_the_test_driver),
        cmocka_unit_test(reads_a_running_qemu),
        cmocka_unit_test(reads_every_kind_of_storage),
        cmocka_unit_test(leaves_out_what_is_odd_and_says_so),
        cmocka_unit_test(knows_every_unit_of_memory),
        cmocka_unit_test(warns_of_memory_that_is_none),
        cmocka_unit_test(maps_every_on_crash),
        cmocka_unit_test(sees_whether_the_agent_is_connected),
        cmocka_unit_test(metadata_of_other_programs_is_not_ours),
        cmocka_unit_test(the_prefix_does_not_matter),
        cmocka_unit_test(refuses_what_is_no_domain),
        cmocka_unit_test(refuses_absurd_shapes_before_they_are_read),
        cmocka_unit_test(adds_up_the_writable_disks),
        cmocka_unit_test(names_every_kind_of_host_device),
        cmocka_unit_test(reads_the_numbers_of_host_devices_as_libvirt_does),
        cmocka_unit_test(leaves_out_host_devices_that_it_cannot_name),
        cmocka_unit_test(an_nvme_address_in_decimal_was_another_disk),
        cmocka_unit_test(reads_addresses_as_libvirt_does),
        cmocka_unit_test(is_another_one_with_another_host_device),
        cmocka_unit_test(a_clones_copy_of_a_mark_is_void),
        cmocka_unit_test(a_clone_of_a_made_machine_was_not_made),
        cmocka_unit_test(a_document_is_read_as_the_definition_of_another_domain),
        cmocka_unit_test(what_is_not_understood_of_the_metadata_is_kept_in_words),
        cmocka_unit_test(a_value_that_is_too_long_is_told_in_part),
        cmocka_unit_test(of_very_many_faults_the_others_are_counted),
        cmocka_unit_test(our_element_in_another_namespace_is_told),
    };

    domain_xml_prepare();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
