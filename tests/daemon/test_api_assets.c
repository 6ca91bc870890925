/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files of the dashboard, as a browser asks for them. */
#include "api_world.h"

static void test_the_page_and_its_files(void **state)
{
    struct world *world = world_new(0);

    (void)state;
    for (const char *const *path = (const char *const[]){"/", "/dashboard", "/dashboard/", NULL}; *path != NULL; path++)
        check(world, "GET", *path, "", 200, "Content-Type: text/html; charset=utf-8", "<!DOCTYPE html>", NULL);
    check(world, "GET", "/dashboard/app.js", "", 200, "Content-Type: text/javascript; charset=utf-8", NULL);
    check(world, "GET", "/dashboard/views/machine.js", "", 200, "Content-Type: text/javascript; charset=utf-8", NULL);
    check(world, "GET", "/dashboard/style.css", "", 200, "Content-Type: text/css; charset=utf-8", NULL);
    check(world, "GET", "/dashboard/icon.svg", "", 200, "Content-Type: image/svg+xml", NULL);
    world_free(world);
}

static void test_the_page_may_load_nothing_of_elsewhere(void **state)
{
    struct world *world = world_new(0);

    (void)state;
    check(world, "GET", "/", "", 200,
          "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; ",
          "frame-ancestors 'none'", "X-Content-Type-Options: nosniff", "Referrer-Policy: no-referrer",
          "Cross-Origin-Opener-Policy: same-origin", "Cross-Origin-Embedder-Policy: require-corp",
          "Cross-Origin-Resource-Policy: same-origin", NULL);
    world_free(world);
}

static void test_what_is_known_is_not_sent_again(void **state)
{
    struct world *world = world_new(0);
    struct client *client = request(world, "GET", "/dashboard/app.js", "");
    const char *tag = strstr(client_text(client), "ETag: ");
    struct client *again;

    (void)state;
    assert_true(client_has(client, "Cache-Control: no-cache"));
    assert_non_null(tag);
    again = client_new(world);
    client_send(again, "GET /dashboard/app.js HTTP/1.1\r\nHost: x\r\nConnection: close\r\nIf-None-Match: %.18s\r\n\r\n",
                tag + strlen("ETag: "));
    client_expect_close(again);
    assert_true(client_has(again, "HTTP/1.1 304 "));
    assert_false(client_has(again, "import"));
    client_free(again);
    again = client_new(world);
    client_send(again,
                "GET /dashboard/app.js HTTP/1.1\r\nHost: x\r\nConnection: close\r\nIf-None-Match: \"old\"\r\n\r\n");
    client_expect_close(again);
    assert_true(client_has(again, "HTTP/1.1 200 ") && client_has(again, "import"));
    client_free(again);
    client_free(client);
    world_free(world);
}

static void test_head(void **state)
{
    struct world *world = world_new(0);
    struct client *client = request(world, "HEAD", "/dashboard/app.js", "");

    (void)state;
    assert_true(client_has(client, "HTTP/1.1 200 ") && client_has(client, "ETag: "));
    assert_false(client_has(client, "import"));
    client_free(client);
    world_free(world);
}

static void test_what_is_refused(void **state)
{
    struct world *world = world_new(0);

    (void)state;
    check(world, "GET", "/dashboard/nothing.js", "", 404, "there is nothing at this path", NULL);
    check(world, "GET", "/dashboard/../api.h", "", 404, NULL);
    check(world, "GET", "/dashboard/embed.cmake", "", 404, NULL);
    check(world, "GET", "/dashboards", "", 404, NULL);
    check(world, "POST", "/", "", 405, "Allow: GET, HEAD", NULL);
    check(world, "DELETE", "/dashboard/app.js", "", 405, "Allow: GET, HEAD", NULL);
    world_free(world);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_page_and_its_files),
        cmocka_unit_test(test_the_page_may_load_nothing_of_elsewhere),
        cmocka_unit_test(test_what_is_known_is_not_sent_again),
        cmocka_unit_test(test_head),
        cmocka_unit_test(test_what_is_refused),
    };

    return cmocka_run_group_tests_name("api_assets", tests, NULL, NULL);
}
