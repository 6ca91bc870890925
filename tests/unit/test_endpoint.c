/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Addresses and ports, and which of them other hosts can reach. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "config/endpoint.h"

static void only_an_address_with_a_port_is_one(void **state)
{
    static const char *const bad[] = {
        "",
        ":",
        "8420",
        ":8420",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:0",
        "127.0.0.1:65536",
        "127.0.0.1:73956",
        "127.0.0.1:123456",
        "127.0.0.1:-1",
        "127.0.0.1:+1",
        "127.0.0.1: 1",
        "127.0.0.1:1 ",
        "127.1:80",
        "localhost:80",
        "::1:8420",
        "[::1:8420",
        "[:8420",
        "[]:8420",
        "[::1]8420",
        "[127.0.0.1]:80",
        "[fe80::1%lo]:80",
        "*:80",
        "[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd]:80",
    };
    struct endpoint endpoint;

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(bad); i++)
        if (endpoint_parse(bad[i], &endpoint))
            fail_msg("%s was taken for an endpoint", bad[i]);
}

static void loopback_is_what_no_other_host_reaches(void **state)
{
    static const struct {
        const char *text;
        bool is_loopback;
        bool is_v6;
        unsigned port;
    } cases[] = {
        {"127.0.0.1:8420", true, false, 8420},
        {"127.255.0.9:65535", true, false, 65535},
        {"[::1]:1", true, true, 1},
        {"0.0.0.0:8420", false, false, 8420},
        {"192.0.2.1:80", false, false, 80},
        {"126.0.0.1:80", false, false, 80},
        {"[::]:8420", false, true, 8420},
        {"[2001:db8::1]:8420", false, true, 8420},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        struct endpoint endpoint;

        assert_true(endpoint_parse(cases[i].text, &endpoint));
        assert_int_equal(endpoint_is_loopback(&endpoint), cases[i].is_loopback);
        assert_int_equal(endpoint.is_v6, cases[i].is_v6);
        assert_int_equal(endpoint.port, cases[i].port);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_an_address_with_a_port_is_one),
        cmocka_unit_test(loopback_is_what_no_other_host_reaches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
