/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What volumes and pools tell of an image. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/storage_xml.h"
#include "support.h"

static void assert_backing(const char *xml, int error, const char *path)
{
    _cleanup_(freep) char *found = NULL;

    assert_int_equal(volume_xml_backing(xml, strlen(xml), &found), error);
    if (path == NULL)
        assert_null(found);
    else
        assert_string_equal(found, path);
}

static void reads_what_stands_below_a_volume(void **state)
{
    (void)state;
    assert_backing("<volume type='file'><name>a</name><target><path>/a</path></target>"
                   "<backingStore><path>/b&amp;c.img</path><format type='raw'/></backingStore></volume>",
                   0, "/b&c.img");
    assert_backing("<volume><target><path>/a</path></target></volume>", 0, NULL);
    assert_backing("<volume><backingStore/></volume>", 0, NULL);
    assert_backing("<pool type='dir'/>", -EINVAL, NULL);
    assert_backing("<volume>", -EINVAL, NULL);
    assert_backing("", -EINVAL, NULL);
}

static void assert_format(const char *xml, int error, const char *format)
{
    _cleanup_(freep) char *found = NULL;

    assert_int_equal(volume_xml_format(xml, strlen(xml), &found), error);
    if (format == NULL)
        assert_null(found);
    else
        assert_string_equal(found, format);
}

static void reads_the_format_of_a_volume(void **state)
{
    (void)state;
    assert_format("<volume><backingStore><format type='raw'/></backingStore><target><path>/a</path>"
                  "<format type='qcow2'/></target></volume>",
                  0, "qcow2");
    assert_format("<volume><target><path>/a</path></target></volume>", 0, NULL);
    assert_format("<pool/>", -EINVAL, NULL);
}

static void reads_the_format_below_a_volume(void **state)
{
    static const char xml[] = "<volume><target><format type='qcow2'/></target><backingStore><path>/a</path>"
                              "<format type='raw'/></backingStore></volume>";
    static const char alone[] = "<volume><target><format type='qcow2'/></target></volume>";
    _cleanup_(freep) char *found = NULL;
    char *none = NULL;

    (void)state;
    assert_int_equal(volume_xml_backing_format(xml, strlen(xml), &found), 0);
    assert_string_equal(found, "raw");
    assert_int_equal(volume_xml_backing_format(alone, strlen(alone), &none), 0);
    assert_null(none);
    assert_int_equal(volume_xml_backing_format("<pool/>", strlen("<pool/>"), &none), -EINVAL);
}

static void assert_type(const char *xml, int error, const char *type)
{
    _cleanup_(freep) char *found = NULL;

    assert_int_equal(pool_xml_type(xml, strlen(xml), &found), error);
    if (type == NULL)
        assert_null(found);
    else
        assert_string_equal(found, type);
}

static void knows_the_pools_on_the_network(void **state)
{
    (void)state;
    assert_type("<pool type='netfs'><name>nas</name></pool>", 0, "netfs");
    assert_type("<pool/>", -EINVAL, NULL);
    assert_type("<volume type='file'/>", -EINVAL, NULL);
    assert_true(pool_type_is_network("netfs"));
    assert_true(pool_type_is_network("rbd"));
    assert_true(pool_type_is_network("iscsi"));
    assert_false(pool_type_is_network("dir"));
    assert_false(pool_type_is_network("logical"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_stands_below_a_volume),
        cmocka_unit_test(reads_the_format_of_a_volume),
        cmocka_unit_test(reads_the_format_below_a_volume),
        cmocka_unit_test(knows_the_pools_on_the_network),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
