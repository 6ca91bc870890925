/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libvirt's event loop as libvirt uses it: from any thread, and against itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hypervisor/eventloop.h"
#include "loop.h"

struct fixture {
    struct event_base *base;
    int pipe[2];
};

/* One source with what became of it. */
struct probe {
    int id;
    int calls;
    int events;
    int releases;
    int stop_after;      /* calls after which the condition holds; 0: never */
    bool removes_itself; /* in its callback */
    struct probe *removes;
    int releases_seen; /* inside the callback, after the removal */
    bool is_satisfied;
    bool is_released;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    if (fixture == NULL || pipe(fixture->pipe) != 0)
        return -1;
    fixture->base = loop_new();
    *state = fixture;
    return eventloop_init(fixture->base);
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    eventloop_done();
    event_base_free(fixture->base);
    close(fixture->pipe[0]);
    close(fixture->pipe[1]);
    free(fixture);
    return 0;
}

static void release(void *opaque)
{
    struct probe *probe = opaque;

    probe->releases++;
    probe->is_released = true;
}

static void note_call(struct probe *probe)
{
    probe->calls++;
    probe->is_satisfied = probe->stop_after > 0 && probe->calls >= probe->stop_after;
}

static void on_timeout(int timer, void *opaque)
{
    struct probe *probe = opaque;

    assert_int_equal(timer, probe->id);
    note_call(probe);
    if (probe->removes_itself) {
        assert_int_equal(eventloop_remove_timeout(timer), 0);
        probe->releases_seen = probe->releases;
    }
}

static void on_handle(int watch, int fd, int events, void *opaque)
{
    struct probe *probe = opaque;

    assert_int_equal(watch, probe->id);
    assert_true(fd >= 0);
    note_call(probe);
    probe->events |= events;
    if (probe->removes_itself)
        assert_int_equal(eventloop_remove_handle(watch), 0);
    if (probe->removes != NULL)
        assert_int_equal(eventloop_remove_handle(probe->removes->id), 0);
}

static void a_timeout_comes_again_until_it_is_switched_off(void **state)
{
    struct fixture *fixture = *state;
    struct probe zero = {.stop_after = 3}, other = {.stop_after = 1};

    zero.id = eventloop_add_timeout(0, on_timeout, &zero, release);
    assert_true(loop_until(fixture->base, &zero.is_satisfied));
    eventloop_update_timeout(zero.id, -1);
    zero.calls = 0;

    other.id = eventloop_add_timeout(-1, on_timeout, &other, release);
    assert_int_not_equal(other.id, zero.id);
    loop_drain(fixture->base);
    assert_int_equal(zero.calls, 0);
    assert_int_equal(other.calls, 0);
    eventloop_update_timeout(other.id, 1);
    assert_true(loop_until(fixture->base, &other.is_satisfied));
    assert_int_equal(zero.calls, 0);
    assert_int_equal(zero.releases, 0);

    assert_int_equal(eventloop_remove_timeout(zero.id), 0);
    assert_int_equal(eventloop_remove_timeout(other.id), 0);
    assert_true(loop_until(fixture->base, &zero.is_released));
    assert_true(other.is_released);
}

static void a_timeout_removes_itself(void **state)
{
    struct fixture *fixture = *state;
    struct probe probe = {.removes_itself = true};

    probe.id = eventloop_add_timeout(0, on_timeout, &probe, release);
    assert_true(loop_until(fixture->base, &probe.is_released));
    loop_drain(fixture->base);
    assert_int_equal(probe.calls, 1);
    assert_int_equal(probe.releases, 1);
    assert_int_equal(probe.releases_seen, 0); /* not under the feet of its callback */
    assert_int_equal(eventloop_remove_timeout(probe.id), -1);
}

static void a_handle_follows_its_file_and_its_mask(void **state)
{
    struct fixture *fixture = *state;
    struct probe reader = {.stop_after = 1}, writer = {.stop_after = 1};
    char byte;

    reader.id = eventloop_add_handle(fixture->pipe[0], VIR_EVENT_HANDLE_READABLE, on_handle, &reader, release);
    writer.id = eventloop_add_handle(fixture->pipe[1], 0, on_handle, &writer, release);
    loop_drain(fixture->base);
    assert_int_equal(reader.calls + writer.calls, 0);

    eventloop_update_handle(writer.id, VIR_EVENT_HANDLE_WRITABLE);
    assert_true(loop_until(fixture->base, &writer.is_satisfied));
    assert_int_equal(writer.events, VIR_EVENT_HANDLE_WRITABLE);
    eventloop_update_handle(writer.id, 0);

    assert_int_equal(write(fixture->pipe[1], "x", 1), 1);
    assert_true(loop_until(fixture->base, &reader.is_satisfied));
    assert_int_equal(reader.events, VIR_EVENT_HANDLE_READABLE);
    eventloop_update_handle(reader.id, 0);
    reader.calls = writer.calls = 0;
    loop_drain(fixture->base);
    assert_int_equal(reader.calls + writer.calls, 0);

    assert_int_equal(read(fixture->pipe[0], &byte, 1), 1);
    assert_int_equal(eventloop_remove_handle(reader.id), 0);
    assert_int_equal(eventloop_remove_handle(reader.id), -1);
    assert_int_equal(eventloop_remove_handle(writer.id), 0);
    assert_true(loop_until(fixture->base, &reader.is_released));
    assert_int_equal(reader.releases, 1);
    assert_int_equal(writer.releases, 1);
}

/* libvirt changes it twice in each call: the main thread would wake up for nothing. */
static void a_change_of_a_handle_wakes_no_loop(void **state)
{
    struct fixture *fixture = *state;
    struct probe reader = {0};

    reader.id = eventloop_add_handle(fixture->pipe[0], VIR_EVENT_HANDLE_READABLE, on_handle, &reader, release);
    loop_drain(fixture->base);
    eventloop_update_handle(reader.id, 0);
    eventloop_update_handle(reader.id, VIR_EVENT_HANDLE_READABLE);
    assert_int_equal(event_base_get_num_events(fixture->base, EVENT_BASE_COUNT_ACTIVE), 0);
    assert_int_equal(eventloop_remove_handle(reader.id), 0);
    assert_true(loop_until(fixture->base, &reader.is_released));
}

static void two_watch_one_descriptor(void **state)
{
    struct fixture *fixture = *state;
    struct probe a = {.stop_after = 1}, b = {.stop_after = 1};
    int sockets[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    a.id = eventloop_add_handle(sockets[0], VIR_EVENT_HANDLE_READABLE, on_handle, &a, release);
    b.id = eventloop_add_handle(sockets[0], 0, on_handle, &b, release);
    assert_int_equal(write(sockets[1], "x", 1), 1);
    assert_true(loop_until(fixture->base, &a.is_satisfied));
    assert_int_equal(b.calls, 0);

    eventloop_update_handle(b.id, VIR_EVENT_HANDLE_READABLE);
    eventloop_update_handle(a.id, 0);
    a.calls = 0;
    assert_true(loop_until(fixture->base, &b.is_satisfied));
    eventloop_update_handle(a.id, VIR_EVENT_HANDLE_READABLE);
    eventloop_update_handle(b.id, 0);
    assert_int_equal(a.calls, 0);
    a.is_satisfied = false;
    assert_true(loop_until(fixture->base, &a.is_satisfied));

    eventloop_update_handle(b.id, VIR_EVENT_HANDLE_READABLE);
    assert_int_equal(eventloop_remove_handle(a.id), 0);
    assert_true(loop_until(fixture->base, &a.is_released));
    b.is_satisfied = false;
    assert_true(loop_until(fixture->base, &b.is_satisfied));
    assert_int_equal(eventloop_remove_handle(b.id), 0);
    assert_true(loop_until(fixture->base, &b.is_released));
    close(sockets[0]);
    close(sockets[1]);
}

/* The peer is gone: who waits for it only to write, or to hang up, hears of it as well. */
static void the_end_of_a_peer_is_told_as_what_is_wanted(void **state)
{
    static const int wanted[] = {VIR_EVENT_HANDLE_READABLE, VIR_EVENT_HANDLE_WRITABLE, VIR_EVENT_HANDLE_HANGUP};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ELEMENTS_OF(wanted); i++) {
        struct probe probe = {.stop_after = 1};
        int sockets[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
        close(sockets[1]);
        probe.id = eventloop_add_handle(sockets[0], wanted[i], on_handle, &probe, release);
        assert_true(loop_until(fixture->base, &probe.is_satisfied));
        assert_int_equal(probe.events, wanted[i]);
        assert_int_equal(eventloop_remove_handle(probe.id), 0);
        assert_true(loop_until(fixture->base, &probe.is_released));
        close(sockets[0]);
    }
}

static void what_is_removed_by_another_callback_is_not_called(void **state)
{
    struct fixture *fixture = *state;
    struct probe a = {.stop_after = 1}, b = {.stop_after = 1};
    int second = dup(fixture->pipe[0]);

    /* Both are ready in the same round; the first removes the other one and itself. */
    assert_int_equal(write(fixture->pipe[1], "x", 1), 1);
    a.removes = &b;
    b.removes = &a;
    a.removes_itself = b.removes_itself = true;
    a.id = eventloop_add_handle(fixture->pipe[0], VIR_EVENT_HANDLE_READABLE, on_handle, &a, release);
    b.id = eventloop_add_handle(second, VIR_EVENT_HANDLE_READABLE, on_handle, &b, release);
    assert_true(loop_until(fixture->base, &a.is_released));
    loop_drain(fixture->base);
    assert_int_equal(a.calls + b.calls, 1);
    assert_int_equal(a.releases, 1);
    assert_int_equal(b.releases, 1);
    close(second);
}

static void *work_on_it_from_a_thread(void *arg)
{
    struct fixture *fixture = arg;

    for (int i = 0; i < 500; i++) {
        struct probe *probe = calloc(1, sizeof(*probe));
        int timer = eventloop_add_timeout(-1, NULL, probe, free);
        int watch = eventloop_add_handle(fixture->pipe[0], 0, NULL, NULL, NULL);

        if (timer < 0 || watch < 0)
            abort();
        eventloop_update_timeout(timer, 100000);
        eventloop_update_handle(watch, VIR_EVENT_HANDLE_READABLE);
        eventloop_update_handle(watch, 0);
        eventloop_remove_timeout(timer);
        eventloop_remove_handle(watch);
    }
    return NULL;
}

/* The loop sleeps while other threads change everything: each change must wake it, and none may be lost. */
static void other_threads_may_change_it_any_time(void **state)
{
    struct fixture *fixture = *state;
    struct probe last = {.stop_after = 1};
    pthread_t threads[3];

    for (size_t i = 0; i < ELEMENTS_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work_on_it_from_a_thread, fixture), 0);
    last.id = eventloop_add_timeout(20, on_timeout, &last, release);
    assert_true(loop_until(fixture->base, &last.is_satisfied));
    for (size_t i = 0; i < ELEMENTS_OF(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    loop_drain(fixture->base);
    assert_int_equal(eventloop_remove_timeout(last.id), 0);
    loop_drain(fixture->base);
    assert_int_equal(last.releases, 1);
}

static void *remove_from_a_thread(void *arg)
{
    struct probe *probe = arg;

    eventloop_remove_timeout(probe->id);
    return NULL;
}

static void a_removal_from_a_thread_wakes_the_sleeping_loop(void **state)
{
    struct fixture *fixture = *state;
    struct probe probe = {0};
    pthread_t thread;

    probe.id = eventloop_add_timeout(1000000, on_timeout, &probe, release);
    loop_drain(fixture->base);
    assert_int_equal(pthread_create(&thread, NULL, remove_from_a_thread, &probe), 0);
    assert_true(loop_until(fixture->base, &probe.is_released));
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(probe.calls, 0);
}

struct replacement {
    struct probe *old;
    struct probe *new;
    int fd;
    int source;
};

/* As libvirt does when it reconnects: stop watching, close, and the next socket gets the same number. */
static void *replace_the_descriptor(void *arg)
{
    struct replacement *replacement = arg;

    eventloop_remove_handle(replacement->old->id);
    close(replacement->fd);
    if (dup2(replacement->source, replacement->fd) < 0)
        abort();
    replacement->new->id =
        eventloop_add_handle(replacement->fd, VIR_EVENT_HANDLE_READABLE, on_handle, replacement->new, release);
    return NULL;
}

static void a_descriptor_that_is_used_again_at_once_is_heard(void **state)
{
    struct fixture *fixture = *state;
    struct probe old = {0}, new = {.stop_after = 1};
    struct replacement replacement = {.old = &old, .new = &new, .fd = dup(fixture->pipe[0])};
    pthread_t thread;
    int second[2];

    assert_int_equal(pipe(second), 0);
    replacement.source = second[0];
    old.id = eventloop_add_handle(replacement.fd, VIR_EVENT_HANDLE_READABLE, on_handle, &old, release);
    loop_drain(fixture->base);
    assert_int_equal(pthread_create(&thread, NULL, replace_the_descriptor, &replacement), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(write(second[1], "x", 1), 1);
    assert_true(loop_until(fixture->base, &new.is_satisfied));
    assert_int_equal(old.calls, 0);
    assert_int_equal(eventloop_remove_handle(new.id), 0);
    assert_true(loop_until(fixture->base, &new.is_released));
    close(replacement.fd);
    close(second[0]);
    close(second[1]);
}

static void *add_from_elsewhere(void *arg)
{
    struct probe *probe = arg;

    probe->id = eventloop_add_handle(probe->calls, VIR_EVENT_HANDLE_READABLE, on_handle, probe, release);
    return NULL;
}

static void a_thread_that_refuses_handles_refuses_its_own_alone(void **state)
{
    struct fixture *fixture = *state;
    struct probe probe = {0}, other = {.calls = fixture->pipe[0]};
    pthread_t thread;

    eventloop_refuse_handles(true);
    assert_int_equal(eventloop_add_handle(fixture->pipe[0], VIR_EVENT_HANDLE_READABLE, on_handle, &probe, release), -1);
    assert_int_equal(pthread_create(&thread, NULL, add_from_elsewhere, &other), 0);
    pthread_join(thread, NULL);
    assert_true(other.id > 0);
    eventloop_refuse_handles(false);
    probe.id = eventloop_add_handle(fixture->pipe[0], VIR_EVENT_HANDLE_READABLE, on_handle, &probe, release);
    assert_true(probe.id > 0);
    assert_int_equal(eventloop_remove_handle(probe.id), 0);
    assert_int_equal(eventloop_remove_handle(other.id), 0);
    assert_true(loop_until(fixture->base, &other.is_released));
}

static void after_its_end_nothing_has_an_effect(void **state)
{
    struct fixture *fixture = *state;
    struct probe removed = {0}, kept = {0};

    removed.id = eventloop_add_timeout(0, on_timeout, &removed, release);
    kept.id = eventloop_add_timeout(0, on_timeout, &kept, release);
    assert_int_equal(eventloop_remove_timeout(removed.id), 0);
    eventloop_done();
    assert_int_equal(removed.releases, 1);
    eventloop_update_timeout(kept.id, 5);
    assert_int_equal(eventloop_add_timeout(0, on_timeout, &kept, release), -1);
    loop_drain(fixture->base);
    assert_int_equal(kept.calls, 0);

    assert_int_equal(eventloop_remove_timeout(kept.id), 0);
    assert_int_equal(eventloop_init(fixture->base), 0);
    eventloop_done();
    assert_int_equal(kept.releases, 1);
    assert_int_equal(eventloop_init(fixture->base), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_timeout_comes_again_until_it_is_switched_off, setup, teardown),
        cmocka_unit_test_setup_teardown(a_timeout_removes_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(a_handle_follows_its_file_and_its_mask, setup, teardown),
        cmocka_unit_test_setup_teardown(a_change_of_a_handle_wakes_no_loop, setup, teardown),
        cmocka_unit_test_setup_teardown(two_watch_one_descriptor, setup, teardown),
        cmocka_unit_test_setup_teardown(the_end_of_a_peer_is_told_as_what_is_wanted, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_removed_by_another_callback_is_not_called, setup, teardown),
        cmocka_unit_test_setup_teardown(other_threads_may_change_it_any_time, setup, teardown),
        cmocka_unit_test_setup_teardown(a_removal_from_a_thread_wakes_the_sleeping_loop, setup, teardown),
        cmocka_unit_test_setup_teardown(a_descriptor_that_is_used_again_at_once_is_heard, setup, teardown),
        cmocka_unit_test_setup_teardown(a_thread_that_refuses_handles_refuses_its_own_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(after_its_end_nothing_has_an_effect, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
