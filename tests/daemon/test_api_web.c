/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is asked over TCP: read only, for a name of this host, from no page of another site. */
#include "api_world.h"

#include <limits.h>
#include <netinet/in.h>

#include "config/endpoint.h"

static const struct string_list no_names = {0};

/* A port of the loopback interface that nothing listens on. */
static struct sockaddr_in find_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    close(fd);
    return address;
}

/* The address that it listens on. */
static struct sockaddr_in listen_on_tcp(struct world *world, const struct string_list *names)
{
    struct sockaddr_in address = find_port();
    struct diags diags = {0};
    char endpoint[ENDPOINT_MAX];

    snprintf(endpoint, sizeof(endpoint), "127.0.0.1:%u", ntohs(address.sin_port));
    assert_int_equal(api_listen_tcp(world->api, endpoint, names, &diags), 0);
    assert_int_equal(diags.count, 0);
    diags_done(&diags);
    return address;
}

/* The whole answer to a request with these headers; the caller frees the client. */
static struct client *ask(struct world *world, const struct sockaddr_in *address, const char *first_line,
                          const char *headers)
{
    struct client *client = client_new_at(world, (const struct sockaddr *)address, sizeof(*address));

    client_send(client, "%s HTTP/1.1\r\nConnection: close\r\n%s\r\n", first_line, headers);
    client_expect_close(client);
    return client;
}

static void check_refused(struct world *world, const struct sockaddr_in *address, const char *headers,
                          const char *words)
{
    struct client *client = ask(world, address, "GET /v1/status", headers);

    if (!client_has(client, "HTTP/1.1 403 ") || !client_has(client, words))
        fail_msg("%s was answered: %s", headers, client_text(client));
    assert_false(client_has(client, "VM-00"));
    client_free(client);
}

static void check_served(struct world *world, const struct sockaddr_in *address, const char *headers)
{
    struct client *client = ask(world, address, "GET /v1/status", headers);

    if (!client_has(client, "HTTP/1.1 200 ") || !client_has(client, "X-Content-Type-Options: nosniff") ||
        !client_has(client, "Cross-Origin-Resource-Policy: same-origin"))
        fail_msg("%s was answered: %s", headers, client_text(client));
    client_free(client);
}

static void test_only_names_of_this_host_are_served(void **state)
{
    static const char *const own[] = {"localhost", "LocalHost:9000", "127.0.0.1:8420",
                                      "192.0.2.7", "[::1]:8420",     "[2001:db8::1]"};
    static const char *const others[] = {"attacker.example",
                                         "localhost.attacker.example",
                                         "attacker.example:8420",
                                         "127.0.0.1.attacker.example",
                                         "[::1",
                                         "[attacker.example]",
                                         "[]",
                                         "::1",
                                         ""};
    struct world *world = world_new(0);
    struct sockaddr_in address = listen_on_tcp(world, &no_names);
    char header[HOST_NAME_MAX + 64], name[HOST_NAME_MAX + 1] = "";

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(own); i++) {
        snprintf(header, sizeof(header), "Host: %s\r\n", own[i]);
        check_served(world, &address, header);
    }
    for (size_t i = 0; i < ELEMENTS_OF(others); i++) {
        snprintf(header, sizeof(header), "Host: %s\r\n", others[i]);
        check_refused(world, &address, header, "a host of another name");
    }
    check_refused(world, &address, "", "a host of another name");
    assert_int_equal(gethostname(name, sizeof(name) - 1), 0);
    snprintf(header, sizeof(header), "Host: %s:8420\r\n", name);
    check_served(world, &address, header);
    world_free(world);
}

static void test_names_of_the_configuration_are_served(void **state)
{
    char *patterns[] = {(char *)"kvm1.example.com", (char *)"*.lab.example.com"};
    const struct string_list names = {.items = patterns, .count = ELEMENTS_OF(patterns)};
    struct world *world = world_new(0);
    struct sockaddr_in address = listen_on_tcp(world, &names);

    (void)state;
    check_served(world, &address, "Host: KVM1.example.com:8420\r\n");
    check_served(world, &address, "Host: a.lab.example.com\r\n");
    check_refused(world, &address, "Host: kvm1.example.com.attacker.example\r\n", "a host of another name");
    world_free(world);
}

static void test_pages_of_other_sites_read_nothing(void **state)
{
    static const char *const own[] = {
        "Origin: http://localhost:8420\r\n",
        "Origin: https://localhost:8420\r\n",
        "Sec-Fetch-Site: same-origin\r\n",
        "Sec-Fetch-Site: none\r\n",
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n",
    };
    static const char *const others[] = {
        "Origin: http://attacker.example\r\n",
        "Origin: http://localhost:8421\r\n",
        "Origin: http://localhost\r\n",
        "Origin: null\r\n",
        "Origin: \r\n",
        "Origin: file://\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n",
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image\r\n",
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\n",
    };
    struct world *world = world_new(0);
    struct sockaddr_in address = listen_on_tcp(world, &no_names);
    char headers[256];

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(own); i++) {
        snprintf(headers, sizeof(headers), "Host: localhost:8420\r\n%s", own[i]);
        check_served(world, &address, headers);
    }
    for (size_t i = 0; i < ELEMENTS_OF(others); i++) {
        snprintf(headers, sizeof(headers), "Host: localhost:8420\r\n%s", others[i]);
        check_refused(world, &address, headers, "a page of another site");
    }
    world_free(world);
}

static void test_nothing_can_be_done_over_tcp(void **state)
{
    static const char *const lines[] = {
        "POST /v1/reload",  "POST /v1/holds",     "POST /v1/machines/VM-002/drill",
        "POST /v1/check",   "PUT /v1/status",     "DELETE /v1/holds",
        "PATCH /v1/status", "OPTIONS /v1/status",
    };
    struct world *world = world_new(0);
    struct sockaddr_in address = listen_on_tcp(world, &no_names);

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(lines); i++) {
        struct client *client = ask(world, &address, lines[i], "Host: localhost\r\nContent-Length: 0\r\n");

        if (!client_has(client, "HTTP/1.1 405 ") || !client_has(client, "nothing can be done over TCP"))
            fail_msg("%s was answered: %s", lines[i], client_text(client));
        client_free(client);
    }
    assert_null(world->drill_done);
    world_free(world);
}

static void test_events_are_followed_over_tcp(void **state)
{
    struct world *world = world_new(0);
    struct sockaddr_in address = listen_on_tcp(world, &no_names);
    struct client *follower = client_new_at(world, (struct sockaddr *)&address, sizeof(address));

    (void)state;
    client_send(follower, "GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    client_expect(follower, ": following");
    crash(world);
    client_expect(follower, "event: recovered\n");
    client_free(follower);
    world_free(world);
}

static void test_a_port_that_is_taken_is_told(void **state)
{
    struct world *world = world_new(0);
    struct sockaddr_in address = find_port();
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char endpoint[ENDPOINT_MAX];
    struct diags diags = {0};

    (void)state;
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 1), 0);
    snprintf(endpoint, sizeof(endpoint), "127.0.0.1:%u", ntohs(address.sin_port));
    assert_int_equal(api_listen_tcp(world->api, endpoint, &no_names, &diags), -EADDRINUSE);
    assert_int_equal(diags.count, 1);
    assert_non_null(strstr(diags.items[0].message, "another program listens there"));
    diags_done(&diags);
    close(fd);
    check(world, "GET", "/v1/status", "", 200, NULL);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_names_of_this_host_are_served),
        cmocka_unit_test(test_names_of_the_configuration_are_served),
        cmocka_unit_test(test_pages_of_other_sites_read_nothing),
        cmocka_unit_test(test_nothing_can_be_done_over_tcp),
        cmocka_unit_test(test_events_are_followed_over_tcp),
        cmocka_unit_test(test_a_port_that_is_taken_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
