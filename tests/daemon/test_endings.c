/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libvirt's word on the end of a QEMU: it is waited for, and asked for where it does not come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hypervisor/endings.h"
#include "lock_holder.h"
#include "loop.h"

#define UUID        "11111111-2222-3333-4444-555555555555"
#define PATIENCE_US (500 * USEC_PER_MSEC)

struct fixture {
    struct event_base *base;
    struct workers *workers;
    struct endings *endings;
    char directory[sizeof("/tmp/endings-XXXXXX")];
    char path[64];
    unsigned events, notes;
    bool is_untold;
};

static void on_event(void *context, const struct domain_event *event)
{
    struct fixture *fixture = context;

    (void)event;
    fixture->events++;
}

static void on_noted(void *context, const char *uuid, const char *text)
{
    struct fixture *fixture = context;

    (void)text;
    assert_string_equal(uuid, UUID);
    fixture->notes++;
}

static void on_untold(void *context)
{
    struct fixture *fixture = context;

    fixture->is_untold = true;
}

static const struct endings_callbacks callbacks = {.event = on_event, .noted = on_noted, .untold = on_untold};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    strcpy(fixture->directory, "/tmp/endings-XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    snprintf(fixture->path, sizeof(fixture->path), "%s/web-1.pid", fixture->directory);
    fixture->base = loop_new();
    assert_int_equal(workers_new(fixture->base, &fixture->workers), 0);
    assert_int_equal(endings_new(fixture->base, fixture->workers, fixture->directory, PATIENCE_US, &callbacks, fixture,
                                 &fixture->endings),
                     0);
    endings_set_link(fixture->endings, 1);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    endings_free(fixture->endings);
    workers_free(fixture->workers, USEC_PER_SEC);
    event_base_free(fixture->base);
    unlink(fixture->path);
    rmdir(fixture->directory);
    free(fixture);
    return 0;
}

static void tell(struct fixture *fixture, enum domain_event_kind kind)
{
    const struct domain_event event = {.kind = kind, .uuid = UUID, .name = "web-1"};

    endings_see_event(fixture->endings, &event);
}

/* Of a SIGKILL without proof that it was not libvirt's. */
static void kill_watched(struct fixture *fixture)
{
    pid_t pid = begin_process(fixture->path);

    tell(fixture, EVENT_STARTED_BOOTED);
    stop(pid, SIGKILL);
}

static void turn_for(struct fixture *fixture, int64_t time_us)
{
    const struct timeval pause = {.tv_sec = time_us / USEC_PER_SEC, .tv_usec = time_us % USEC_PER_SEC};

    assert_int_equal(event_base_loopexit(fixture->base, &pause), 0);
    assert_true(event_base_dispatch(fixture->base) >= 0);
}

static void asks_where_libvirt_tells_nothing(void **state)
{
    struct fixture *fixture = *state;

    need_exit_information();
    kill_watched(fixture);
    assert_true(loop_until(fixture->base, &fixture->is_untold));
    assert_int_equal(fixture->notes, 1);
    fixture->is_untold = false;
    turn_for(fixture, PATIENCE_US + PATIENCE_US / 5);
    assert_false(fixture->is_untold); /* once */
}

static void asks_nothing_where_libvirt_tells_the_stop(void **state)
{
    struct fixture *fixture = *state;

    need_exit_information();
    kill_watched(fixture);
    turn_for(fixture, PATIENCE_US / 5);
    assert_int_equal(fixture->notes, 1);
    assert_false(fixture->is_untold);
    tell(fixture, EVENT_STOPPED_FAILED);
    turn_for(fixture, PATIENCE_US + PATIENCE_US / 5);
    assert_false(fixture->is_untold);
}

/* All is listed on the next connection. */
static void asks_nothing_without_a_connection(void **state)
{
    struct fixture *fixture = *state;

    need_exit_information();
    kill_watched(fixture);
    turn_for(fixture, PATIENCE_US / 5);
    endings_set_link(fixture->endings, 0);
    turn_for(fixture, PATIENCE_US + PATIENCE_US / 5);
    assert_false(fixture->is_untold);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(asks_where_libvirt_tells_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(asks_nothing_where_libvirt_tells_the_stop, set_up, tear_down),
        cmocka_unit_test_setup_teardown(asks_nothing_without_a_connection, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("endings", tests, NULL, NULL);
}
