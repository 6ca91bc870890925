/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Real processes that hold the lock on a PID file, as QEMUs of libvirt do, and how each of them ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/moment.h"
#include "hypervisor/processes.h"
#include "lock_holder.h"
#include "loop.h"

#define UUID     "11111111-2222-3333-4444-555555555555"
#define QUIET_MS 100
#define ASKED_US 1234567

struct fixture {
    struct event_base *base;
    struct processes *processes;
    char directory[sizeof("/tmp/processes-XXXXXX")];
    char path[64];
    bool has_ended;
    unsigned ends;
    int status;
    int64_t free_us;
};

static void on_ended(void *context, const struct process_end *end)
{
    struct fixture *fixture = context;

    assert_string_equal(end->uuid, UUID);
    assert_string_equal(end->name, "web-1");
    fixture->has_ended = true;
    fixture->ends++;
    fixture->status = end->status;
    fixture->free_us = end->free_us;
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    strcpy(fixture->directory, "/tmp/processes-XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    snprintf(fixture->path, sizeof(fixture->path), "%s/web-1.pid", fixture->directory);
    fixture->base = event_base_new();
    assert_non_null(fixture->base);
    assert_int_equal(processes_new(fixture->base, fixture->directory, on_ended, fixture, &fixture->processes), 0);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    processes_free(fixture->processes);
    event_base_free(fixture->base);
    unlink(fixture->path);
    rmdir(fixture->directory);
    free(fixture);
    return 0;
}

static void turn_for(struct fixture *fixture, int ms)
{
    const struct timeval pause = {.tv_usec = ms * 1000};

    assert_int_equal(event_base_loopexit(fixture->base, &pause), 0);
    assert_true(event_base_dispatch(fixture->base) >= 0);
}

static pid_t watch(struct fixture *fixture)
{
    pid_t pid = begin_process(fixture->path);

    processes_watch(fixture->processes, UUID, "web-1");
    assert_int_equal(processes_count(fixture->processes), 1);
    return pid;
}

static void tells_of_a_signal(void **state)
{
    static const int numbers[] = {SIGKILL, SIGSEGV, SIGABRT};
    struct fixture *fixture = *state;

    need_exit_information();
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        pid_t pid = watch(fixture);

        fixture->has_ended = false;
        stop(pid, numbers[i]);
        loop_until(fixture->base, &fixture->has_ended);
        assert_true(WIFSIGNALED(fixture->status));
        assert_int_equal(WTERMSIG(fixture->status), numbers[i]);
        assert_int_equal(processes_count(fixture->processes), 0);
    }
    turn_for(fixture, QUIET_MS);
    assert_int_equal(fixture->ends, 3);
}

static void tells_of_an_exit(void **state)
{
    struct fixture *fixture = *state;
    pid_t pid;

    need_exit_information();
    pid = watch(fixture);
    stop(pid, SIGUSR1);
    loop_until(fixture->base, &fixture->has_ended);
    assert_true(WIFEXITED(fixture->status));
    assert_int_equal(WEXITSTATUS(fixture->status), 0);
    assert_int_equal(fixture->free_us, 0);
}

/* How it ended is known when it was reaped; until then nothing is told, and nothing spins. */
static void waits_for_the_reaper(void **state)
{
    struct fixture *fixture = *state;
    siginfo_t info;
    clock_t before;
    pid_t pid;

    need_exit_information();
    pid = watch(fixture);
    kill(pid, SIGKILL);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    before = clock();
    turn_for(fixture, 2 * QUIET_MS);
    assert_int_equal(fixture->ends, 0);
    assert_true(clock() - before < CLOCKS_PER_SEC / 20);
    reap(pid);
    loop_until(fixture->base, &fixture->has_ended);
    assert_int_equal(WTERMSIG(fixture->status), SIGKILL);
}

/* It is one whatever the file says: the number of one that has ended may be that of another process by now. */
static void file_without_a_lock_is_of_no_process(void **state)
{
    struct fixture *fixture = *state;
    FILE *file = fopen(fixture->path, "w");

    assert_non_null(file);
    fprintf(file, "%d\n", (int)getpid());
    fclose(file);
    processes_watch(fixture->processes, UUID, "web-1");
    assert_int_equal(processes_count(fixture->processes), 0);
    processes_watch(fixture->processes, UUID, "missing");
    processes_watch(fixture->processes, UUID, "../web-1");
    assert_int_equal(processes_count(fixture->processes), 0);
}

static void lock_of_a_process_that_has_ended_is_gone(void **state)
{
    struct fixture *fixture = *state;

    stop(begin_process(fixture->path), SIGKILL);
    processes_watch(fixture->processes, UUID, "web-1");
    assert_int_equal(processes_count(fixture->processes), 0);
}

/* Then it cannot be known which of the two came first. */
static void shutdown_told_after_the_end_leaves_it_to_libvirt(void **state)
{
    struct fixture *fixture = *state;
    pid_t pid = watch(fixture);

    processes_see_shutdown(fixture->processes, UUID);
    assert_int_equal(processes_count(fixture->processes), 1);
    stop(pid, SIGKILL);
    processes_see_shutdown(fixture->processes, UUID);
    assert_int_equal(processes_count(fixture->processes), 0);
    turn_for(fixture, QUIET_MS);
    assert_int_equal(fixture->ends, 0);
}

static void an_answer_counts_while_it_lives(void **state)
{
    struct fixture *fixture = *state;
    pid_t pid;

    need_exit_information();
    pid = watch(fixture);
    processes_see_free(fixture->processes, ASKED_US);
    stop(pid, SIGKILL);
    processes_see_free(fixture->processes, ASKED_US + 1);
    loop_until(fixture->base, &fixture->has_ended);
    assert_int_equal(fixture->free_us, ASKED_US);
}

/* A SIGKILL that libvirt sent then may take effect at any time after. */
static void an_answer_that_was_overdue_once_leaves_doubt(void **state)
{
    struct fixture *fixture = *state;
    pid_t pid;

    need_exit_information();
    pid = watch(fixture);
    processes_see_free(fixture->processes, ASKED_US);
    processes_doubt(fixture->processes);
    processes_see_free(fixture->processes, ASKED_US + 1);
    stop(pid, SIGKILL);
    loop_until(fixture->base, &fixture->has_ended);
    assert_int_equal(fixture->free_us, 0);
}

/* What else needs descriptors goes before. */
static void half_of_the_descriptors_are_for_others(void **state)
{
    struct fixture *fixture = *state;
    struct rlimit before, limit;
    pid_t pid;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    limit = before;
    limit.rlim_cur = 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    processes_free(fixture->processes);
    assert_int_equal(processes_new(fixture->base, fixture->directory, on_ended, fixture, &fixture->processes), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    pid = begin_process(fixture->path);
    processes_watch(fixture->processes, UUID, "web-1");
    assert_int_equal(processes_count(fixture->processes), 0);
    stop(pid, SIGKILL);
}

static void what_is_forgotten_is_not_told(void **state)
{
    struct fixture *fixture = *state;
    pid_t pid = watch(fixture);

    processes_watch(fixture->processes, UUID, "web-1");
    assert_int_equal(processes_count(fixture->processes), 1);
    processes_forget(fixture->processes, UUID);
    processes_forget(fixture->processes, UUID);
    assert_int_equal(processes_count(fixture->processes), 0);
    processes_watch(fixture->processes, UUID, "web-1");
    processes_forget_all(fixture->processes);
    stop(pid, SIGKILL);
    turn_for(fixture, QUIET_MS);
    assert_int_equal(fixture->ends, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tells_of_a_signal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tells_of_an_exit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(waits_for_the_reaper, set_up, tear_down),
        cmocka_unit_test_setup_teardown(file_without_a_lock_is_of_no_process, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lock_of_a_process_that_has_ended_is_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(shutdown_told_after_the_end_leaves_it_to_libvirt, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_answer_counts_while_it_lives, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_answer_that_was_overdue_once_leaves_doubt, set_up, tear_down),
        cmocka_unit_test_setup_teardown(half_of_the_descriptors_are_for_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_forgotten_is_not_told, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("processes", tests, NULL, NULL);
}
