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
    assert_non_null(description->disks);
    assert_non_null(description->osinfo_id);
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
    assert_string_equal(packed->disks[1].pool, "fast");
    assert_null(packed->disks[0].pool);
    assert_null(packed->disks[1].target);
    assert_true(feature_texts_equal(&packed->learned, &other->learned));
    assert_int_equal(domain_description_pack(&packed), 0);
    assert_true(domain_description_equal(packed, other));
    domain_description_free(packed);
    domain_description_free(other);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packing_changes_nothing_that_is_said),
        cmocka_unit_test(test_a_bare_description_can_be_packed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
