/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a connection URI says by itself. */
#include "model/uri.h"

#include "support.h"

static void test_which_uris_are_local(void **state)
{
    static const char *const local[] = {"qemu:///system", "test:///default", "test+unix:///default",
                                        "qemu:///session?x=1", "qemu://"};
    static const char *const remote[] = {"qemu+tls://a/system", "qemu+ssh://root@b/system", "qemu+tcp://[::1]:1/system",
                                         "qemu://c/system"};

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(local); i++)
        assert_true(uri_is_local(local[i]));
    for (size_t i = 0; i < ELEMENTS_OF(remote); i++)
        assert_false(uri_is_local(remote[i]));
}

static void test_a_uri_has_a_scheme_and_no_space(void **state)
{
    (void)state;
    assert_true(uri_is_valid("qemu:///system"));
    assert_true(uri_is_valid("test:/a"));
    assert_false(uri_is_valid(""));
    assert_false(uri_is_valid("qemu"));
    assert_false(uri_is_valid(":///system"));
    assert_false(uri_is_valid("qemu:///sys tem"));
}

static void test_a_mistyped_driver(void **state)
{
    (void)state;
    assert_true(uri_has_known_driver("qemu:///system"));
    assert_true(uri_has_known_driver("qemu+ssh://root@node/system"));
    assert_true(uri_has_known_driver("test:///default"));
    assert_false(uri_has_known_driver("quemu:///system"));
    assert_false(uri_has_known_driver("qem:///system"));
    assert_false(uri_has_known_driver("ssh://node/system"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_which_uris_are_local),
        cmocka_unit_test(test_a_uri_has_a_scheme_and_no_space),
        cmocka_unit_test(test_a_mistyped_driver),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
