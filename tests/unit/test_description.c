/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A description in one allocation says what it said before. */
#include "model/description.h"

#include <string.h>

#include "support.h"

static struct domain_description *describe_all(void)
{
    struct domain_description *description = describe(7, "web");

    description->disks = calloc(2, sizeof(*description->disks));
    description->osinfo_id = strdup("http://debian.org/debian/13");
    description->service = strdup("shop");
    assert_non_null(description->disks);
    assert_non_null(description->osinfo_id);
    assert_non_null(description->service);
    description->n_disks = 2;
    description->disks[0].writable = true;
    description->disks[1].shareable = true;
    description->disks[1].capacity_bytes = 4096;
    assert_int_equal(disk_set_texts(&description->disks[0], "/web.qcow2", NULL, NULL, "vda"), 0);
    assert_int_equal(disk_set_texts(&description->disks[1], "fast/data", "fast", "data", NULL), 0);
    assert_int_equal(domain_description_add_mac(description, "52:54:00:00:00:01"), 0);
    assert_int_equal(domain_description_add_mac(description, "52:54:00:00:00:02"), 0);
    assert_int_equal(domain_description_add_hostdev(description, "pci 0000:01:00.0"), 0);
    assert_int_equal(domain_description_add_hostdev(description, "usb 0x1234:0x5678"), 0);
    assert_int_equal(domain_description_learn(description, "os", "debian-13"), 0);
    describe_feature(description, "database", "mysql");
    describe_role(description, "standby");
    return description;
}

static void test_packing_changes_nothing_that_is_said(void **state)
{
    struct domain_description *packed = describe_all(), *other = describe_all();

    (void)state;
    assert_int_equal(domain_description_pack(&packed), 0);
    assert_true(domain_description_equal(packed, other));
    assert_int_equal(packed->disks[1].capacity_bytes, 4096);
    assert_string_equal(disk_pool(&packed->disks[1]), "fast");
    assert_null(disk_pool(&packed->disks[0]));
    assert_null(disk_target(&packed->disks[1]));
    assert_true(feature_texts_equal(&packed->learned, &other->learned));
    assert_string_equal(packed->service, "shop");
    other->service[0] = 'x';
    assert_false(domain_description_equal(packed, other));
    other->service[0] = 's';
    assert_int_equal(domain_description_pack(&packed), 0);
    assert_true(domain_description_equal(packed, other));
    domain_description_free(packed);
    domain_description_free(other);
}

static void test_the_template_that_a_machine_was_made_from(void **state)
{
    struct domain_description *machine = describe_all(), *made = describe_all(), *template = describe_all(),
                              *copy = NULL;

    (void)state;
    made->template = strdup("golden");
    template->template = strdup("golden");
    assert_false(domain_description_equal(machine, made));
    assert_true(domain_description_equal(made, template));
    assert_true(domain_description_starts_alike(machine, made));
    assert_true(domain_description_starts_alike(made, template));
    assert_int_equal(domain_description_pack(&template), 0);
    assert_int_equal(domain_description_copy(template, &copy), 0);
    domain_description_free(template);
    assert_string_equal(copy->template, "golden");
    assert_true(domain_description_equal(made, copy));
    made->template[0] = 'x';
    assert_false(domain_description_equal(made, copy));
    domain_description_free(copy);
    domain_description_free(made);
    domain_description_free(machine);
}

/* It comes and goes while the template stays as it is. */
static void test_what_is_in_the_way_of_making_a_machine(void **state)
{
    struct domain_description *template = describe_all(), *in_the_way = describe_all(), *copy = NULL;

    (void)state;
    in_the_way->obstacle = strdup("the storage pool images is not active");
    assert_false(domain_description_equal(template, in_the_way));
    assert_true(domain_description_starts_alike(template, in_the_way));
    assert_int_equal(domain_description_pack(&in_the_way), 0);
    assert_int_equal(domain_description_copy(in_the_way, &copy), 0);
    domain_description_free(in_the_way);
    assert_string_equal(copy->obstacle, "the storage pool images is not active");
    domain_description_free(copy);
    domain_description_free(template);
}

static struct domain_description *describe_disk(const char *source, const char *below)
{
    struct domain_description *description = describe(7, "web");

    description->disks = calloc(2, sizeof(*description->disks));
    assert_non_null(description->disks);
    description->n_disks = below != NULL ? 2 : 1;
    description->disks[0].writable = true;
    description->disks[0].has_chain = below != NULL;
    assert_int_equal(disk_set_texts(&description->disks[0], source, NULL, NULL, "vda"), 0);
    if (below == NULL)
        return description;
    description->disks[1].is_backing = true;
    assert_int_equal(disk_set_texts(&description->disks[1], below, NULL, NULL, "vda"), 0);
    return description;
}

/* A machine that is off does not tell what stands below its disks; when it ran, it did. */
static void test_what_stands_below_a_disk_is_remembered(void **state)
{
    struct domain_description *ran = describe_disk("/app.qcow2", "/base.img"), *off = describe_disk("/app.qcow2", NULL);

    (void)state;
    assert_false(domain_description_equal(ran, off));
    assert_int_equal(domain_description_inherit_chains(off, ran), 0);
    assert_true(domain_description_equal(ran, off));
    assert_string_equal(off->disks[1].source, "/base.img");
    assert_int_equal(domain_description_inherit_chains(off, ran), 0); /* once */
    assert_int_equal(off->n_disks, 2);
    domain_description_free(ran);
    domain_description_free(off);
}

/* As far down as libvirt knows the images: what was known to the end is not added to that. */
static void test_a_chain_that_is_known_in_part_is_not_doubled(void **state)
{
    struct domain_description *ran = describe_disk("/app.qcow2", "/base.img"), *off = describe_disk("/app.qcow2", NULL);
    struct disk image = {.source = NULL};

    (void)state;
    assert_int_equal(disk_set_texts(&image, "/base.img", NULL, NULL, NULL), 0);
    assert_int_equal(disk_set_identity(&image, "/real.img"), 0);
    assert_int_equal(domain_description_set_chain(off, 0, &image, 1), 0);
    assert_int_equal(domain_description_inherit_chains(off, ran), 0);
    assert_int_equal(off->n_disks, 2);
    assert_true(off->disks[1].is_backing);
    assert_string_equal(disk_identity(&off->disks[1]), "/real.img");
    assert_false(off->disks[0].has_chain);
    disk_done(&image);
    domain_description_free(ran);
    domain_description_free(off);
}

static void test_an_identity_is_packed_and_compared(void **state)
{
    struct domain_description *known = describe_disk("/link.img", NULL), *other = describe_disk("/link.img", NULL);

    (void)state;
    assert_string_equal(disk_identity(&known->disks[0]), "/link.img");
    assert_int_equal(disk_set_identity(&known->disks[0], "/real.img"), 0);
    assert_int_equal(domain_description_pack(&known), 0);
    assert_string_equal(disk_identity(&known->disks[0]), "/real.img");
    assert_string_equal(disk_target(&known->disks[0]), "vda");
    assert_false(domain_description_equal(known, other));
    assert_int_equal(disk_set_identity(&other->disks[0], "/real.img"), 0);
    assert_true(domain_description_equal(known, other));
    other->disks[0].is_networked = true;
    assert_false(domain_description_equal(known, other));
    domain_description_free(known);
    domain_description_free(other);
}

static void test_another_disk_has_other_images_below_it(void **state)
{
    struct domain_description *ran = describe_disk("/app.qcow2", "/base.img"), *off = describe_disk("/new.qcow2", NULL);

    (void)state;
    assert_int_equal(domain_description_inherit_chains(off, ran), 0);
    assert_int_equal(off->n_disks, 1);
    assert_false(off->disks[0].has_chain);
    domain_description_free(ran);
    domain_description_free(off);
}

static void test_a_bare_description_can_be_packed(void **state)
{
    struct domain_description *packed = describe(1, "a"), *other = describe(1, "a");

    (void)state;
    assert_int_equal(domain_description_pack(&packed), 0);
    assert_true(domain_description_equal(packed, other));
    assert_null(packed->osinfo_id);
    domain_description_free(packed);
    domain_description_free(other);
}

/* What becomes known of a machine later makes no other machine of it: else its quarantine would end by that. */
static void test_what_is_known_later_is_no_other_definition(void **state)
{
    _cleanup_(domain_description_freep) struct domain_description *a = describe_all(), *b = describe_all();
    struct disk *disks;

    (void)state;
    assert_true(domain_description_starts_alike(a, b));
    assert_int_equal(disk_set_identity(&b->disks[0], "/srv/web.qcow2"), 0);
    b->disks[0].capacity_bytes = 4096;
    b->disks[0].has_chain = true;
    b->roles ^= ROLE_STANDBY;
    b->priority++;
    disks = reallocarray(b->disks, 3, sizeof(*disks));
    assert_non_null(disks);
    b->disks = disks;
    disks[2] = (struct disk){.is_backing = true};
    assert_int_equal(disk_set_texts(&disks[2], "/base.qcow2", NULL, NULL, NULL), 0);
    b->n_disks = 3;
    assert_true(domain_description_starts_alike(a, b));
    assert_false(domain_description_equal(a, b));

    disks[2].is_backing = false; /* one more disk */
    assert_false(domain_description_starts_alike(a, b));
    assert_false(domain_description_starts_alike(b, a));
    disks[2].is_backing = true;
    assert_int_equal(disk_set_texts(&disks[1], "fast/data", "fast", "other", NULL), 0);
    assert_false(domain_description_starts_alike(a, b));
    assert_int_equal(disk_set_texts(&disks[1], "fast/data", "fast", "data", NULL), 0);
    b->memory_kib++;
    assert_false(domain_description_starts_alike(a, b));
    b->memory_kib--;
    describe_feature(b, "language", "perl");
    assert_false(domain_description_starts_alike(a, b));
}

static void test_whether_a_machine_has_its_disks_still(void **state)
{
    static const struct {
        bool was_live;
        const char *top, *below;
        bool is_live;
        const char *new_top, *new_below;
        bool keeps;
    } cases[] = {
        {false, "/a", NULL, false, "/a", NULL, true},         {false, "/a", NULL, false, "/b", NULL, false},
        {false, "/a", NULL, true, "/b", NULL, false},         {true, "/a", NULL, false, "/b", NULL, false},
        {true, "/a", NULL, true, "/b", NULL, true},      /* copied under its guest */
        {false, "/a", NULL, false, "/snap", "/a", true}, /* a snapshot was taken */
        {false, "/snap", "/a", false, "/a", NULL, true}, /* and merged */
        {false, "/snap", "/a", false, "/other", "/x", false},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        struct domain_description *earlier = describe_disk(cases[i].top, cases[i].below);
        struct domain_description *later = describe_disk(cases[i].new_top, cases[i].new_below);

        earlier->is_live = cases[i].was_live;
        later->is_live = cases[i].is_live;
        assert_int_equal(domain_description_keeps_disks(earlier, later), cases[i].keeps);
        describe_image(later, "/more");
        assert_int_equal(domain_description_keeps_disks(earlier, later), cases[i].keeps);
        domain_description_free(earlier);
        domain_description_free(later);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packing_changes_nothing_that_is_said),
        cmocka_unit_test(test_the_template_that_a_machine_was_made_from),
        cmocka_unit_test(test_what_is_in_the_way_of_making_a_machine),
        cmocka_unit_test(test_what_is_known_later_is_no_other_definition),
        cmocka_unit_test(test_what_stands_below_a_disk_is_remembered),
        cmocka_unit_test(test_another_disk_has_other_images_below_it),
        cmocka_unit_test(test_a_chain_that_is_known_in_part_is_not_doubled),
        cmocka_unit_test(test_an_identity_is_packed_and_compared),
        cmocka_unit_test(test_a_bare_description_can_be_packed),
        cmocka_unit_test(test_whether_a_machine_has_its_disks_still),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
