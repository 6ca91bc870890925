/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "config/socket_path.h"

static void the_mark_stands_before_the_suffix(void **state)
{
    static const struct {
        const char *path, *read_only;
    } expected[] = {
        {"/run/understudy/api.sock", "/run/understudy/api-ro.sock"},
        {"/run/understudy/api", "/run/understudy/api-ro"},
        {"/run/a.sock/control", "/run/a.sock/control-ro"},
        {"/run/a.socket", "/run/a.socket-ro"},
        {"/.sock", "/-ro.sock"},
        {"api", "api-ro"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(expected); i++) {
        _cleanup_(freep) char *path = socket_path_read_only(expected[i].path);

        assert_string_equal(path, expected[i].read_only);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_mark_stands_before_the_suffix),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
