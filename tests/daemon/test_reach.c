/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ports that accept and ports that do not, on loopback addresses of this machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/moment.h"
#include "hypervisor/reach.h"

/* Listens on 127.0.0.1 at a free port. accepts false: bound only, so that connecting is refused. */
static int open_port(bool accepts, unsigned *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    if (accepts)
        assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static int reach(const char *first, const char *second, unsigned port, char message[256])
{
    struct addresses addresses = {.count = second != NULL ? 2 : 1};

    strcpy(addresses.items[0], first);
    if (second != NULL)
        strcpy(addresses.items[1], second);
    return reach_any(&addresses, port, 20 * USEC_PER_SEC, message, 256);
}

static void one_that_accepts_is_enough(void **state)
{
    char message[256] = "";
    unsigned port;
    int fd = open_port(true, &port);

    (void)state;
    assert_int_equal(reach("127.0.0.1", NULL, port, message), 0);
    assert_int_equal(reach("127.0.0.2", "127.0.0.1", port, message), 0); /* nothing listens at the first one */
    close(fd);
}

static void nothing_accepts(void **state)
{
    char message[256] = "";
    unsigned port;
    int fd = open_port(false, &port);

    (void)state;
    assert_int_equal(reach("127.0.0.1", "127.0.0.2", port, message), -EAGAIN);
    assert_non_null(strstr(message, "127.0.0.1 and others"));
    assert_non_null(strstr(message, strerror(ECONNREFUSED)));
    close(fd);
}

/* A queue of connections that are not accepted is full after the first few; the next ones get no answer. */
static void time_is_limited(void **state)
{
    struct addresses addresses = {.items = {"127.0.0.1"}, .count = 1};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int clients[4];
    char message[256] = "";
    unsigned port;
    int fd = open_port(true, &port);

    (void)state;
    assert_int_equal(listen(fd, 0), 0);
    address.sin_port = htons((uint16_t)port);
    for (size_t i = 0; i < ELEMENTS_OF(clients); i++) {
        clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        assert_true(clients[i] >= 0);
        (void)connect(clients[i], (struct sockaddr *)&address, sizeof(address));
    }
    assert_int_equal(reach_any(&addresses, port, 50 * USEC_PER_MSEC, message, sizeof(message)), -EAGAIN);
    assert_non_null(strstr(message, "127.0.0.1: no answer"));
    for (size_t i = 0; i < ELEMENTS_OF(clients); i++)
        close(clients[i]);
    close(fd);
}

/* A daemon whose network was taken away found no replacement that it could reach, and had each of them destroyed. */
static void what_cannot_be_tried_from_here_says_nothing_of_the_other_side(void **state)
{
    char message[256] = "";
    unsigned port;
    int fd = open_port(false, &port);

    (void)state;
    /* Nothing is connected to a multicast address. */
    assert_int_equal(reach("224.0.0.1", NULL, 80, message), -ENETUNREACH);
    assert_string_equal(message, "port 80 cannot be tried from here: Network is unreachable");
    assert_int_equal(reach("127.0.0.1", "224.0.0.1", port, message), -EAGAIN);
    assert_int_equal(reach("224.0.0.1", "127.0.0.1", port, message), -EAGAIN);
    close(fd);
}

static void addresses_that_lead_nowhere_are_left_out(void **state)
{
    static const char *const useless[] = {"127.0.0.1", "127.1.2.3", "169.254.1.1", "::1", "fe80::1", "no address", ""};
    struct addresses addresses = {0};
    char text[REACH_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(useless); i++)
        addresses_add(&addresses, useless[i]);
    assert_int_equal(addresses.count, 0);
    addresses_add(&addresses, "192.0.2.1");
    addresses_add(&addresses, "2001:db8::1");
    addresses_add(&addresses, "192.0.2.1");
    assert_int_equal(addresses.count, 2);
    for (unsigned i = 0; i < 2 * REACH_MAX; i++) {
        snprintf(text, sizeof(text), "192.0.3.%u", i);
        addresses_add(&addresses, text);
    }
    assert_int_equal(addresses.count, REACH_MAX);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_accepts_is_enough),
        cmocka_unit_test(nothing_accepts),
        cmocka_unit_test(time_is_limited),
        cmocka_unit_test(what_cannot_be_tried_from_here_says_nothing_of_the_other_side),
        cmocka_unit_test(addresses_that_lead_nowhere_are_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
