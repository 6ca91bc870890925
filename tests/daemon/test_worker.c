/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls that end, calls that hang, and calls that come back after everybody has given them up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <semaphore.h>
#include <time.h>

#include "base/moment.h"
#include "hypervisor/worker.h"
#include "loop.h"

#define LONG_US  (60 * USEC_PER_SEC)
#define SHORT_US (20 * USEC_PER_MSEC)

struct fixture {
    struct event_base *base;
    struct workers *workers;
};

/* What became of one call; outlives its job. hangs: until `go` is posted. */
struct call {
    bool hangs;
    bool can_wait;
    sem_t go;
    sem_t freed;
    int reports[JOB_REPORT_COUNT];
    int error;
    size_t n_calls; /* that it may make at once */
    bool is_done, is_overdue, came_back, never_ran;
    bool may_block; /* on the thread that runs it */
};

struct call_job {
    struct job job;
    struct call *call;
};

static void run(struct job *job)
{
    struct call *call = ((struct call_job *)job)->call;

    call->may_block = job_is_running_here();
    call->n_calls = job->n_calls;
    if (call->hangs)
        while (sem_wait(&call->go) != 0)
            ;
    job->can_wait = call->can_wait;
}

static void report(struct job *job, enum job_report what)
{
    struct call *call = ((struct call_job *)job)->call;

    call->reports[what]++;
    call->error = job->error;
    call->is_done |= what == JOB_DONE;
    call->is_overdue |= what == JOB_OVERDUE;
    call->came_back |= what == JOB_CAME_BACK;
    call->never_ran |= what == JOB_NEVER_RAN;
}

static void release(struct job *job)
{
    sem_post(&((struct call_job *)job)->call->freed);
    free(job);
}

static const struct job_type types[JOB_CLASS_COUNT] = {
    [JOB_SPARE] = {.class = JOB_SPARE, .run = run, .report = report, .free = release},
    [JOB_PROBE] = {.class = JOB_PROBE, .run = run, .report = report, .free = release},
    [JOB_NORMAL] = {.class = JOB_NORMAL, .run = run, .report = report, .free = release},
    [JOB_URGENT] = {.class = JOB_URGENT, .run = run, .report = report, .free = release},
    [JOB_ASIDE] = {.class = JOB_ASIDE, .run = run, .report = report, .free = release},
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    if (fixture == NULL)
        return -1;
    fixture->base = loop_new();
    *state = fixture;
    return workers_new(fixture->base, &fixture->workers);
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    workers_free(fixture->workers, 20 * USEC_PER_SEC);
    event_base_free(fixture->base);
    free(fixture);
    return 0;
}

/* A call that could make most_calls at once. */
static void submit_wide(struct fixture *fixture, struct call *call, enum job_class class, int64_t timeout_us,
                        bool hangs, size_t most_calls)
{
    struct call_job *job = calloc(1, sizeof(*job));

    assert_non_null(job);
    *call = (struct call){.hangs = hangs};
    sem_init(&call->go, 0, 0);
    sem_init(&call->freed, 0, 0);
    job->job.type = &types[class];
    job->job.most_calls = most_calls;
    job->call = call;
    assert_int_equal(workers_submit(fixture->workers, &job->job, timeout_us), 0);
}

static void submit(struct fixture *fixture, struct call *call, enum job_class class, int64_t timeout_us, bool hangs)
{
    submit_wide(fixture, call, class, timeout_us, hangs, 0);
}

static void let_go(struct call *calls, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sem_post(&calls[i].go);
}

static bool is_freed_in_time(struct call *call)
{
    struct timespec limit;

    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += 20;
    return sem_timedwait(&call->freed, &limit) == 0;
}

static void only_the_thread_of_a_call_may_block(void **state)
{
    struct fixture *fixture = *state;
    struct call call;

    submit(fixture, &call, JOB_NORMAL, LONG_US, false);
    assert_true(loop_until(fixture->base, &call.is_done));
    assert_true(call.may_block);
    assert_false(job_is_running_here());
}

static void a_call_is_done(void **state)
{
    struct fixture *fixture = *state;
    struct call call;

    submit(fixture, &call, JOB_URGENT, LONG_US, false);
    assert_int_equal(call.reports[JOB_DONE], 0); /* never from inside submit */
    assert_true(loop_until(fixture->base, &call.is_done));
    assert_int_equal(call.reports[JOB_DONE], 1);
    assert_true(is_freed_in_time(&call));
    assert_false(workers_are_late(fixture->workers));
}

static void a_call_that_hangs_is_told_once_and_again_when_it_comes_back(void **state)
{
    struct fixture *fixture = *state;
    struct call hung, other;

    submit(fixture, &hung, JOB_URGENT, SHORT_US, true);
    assert_true(loop_until(fixture->base, &hung.is_overdue));
    assert_true(workers_are_late(fixture->workers));
    assert_false(workers_are_blocked(fixture->workers));

    submit(fixture, &other, JOB_URGENT, LONG_US, false);
    assert_true(loop_until(fixture->base, &other.is_done));

    let_go(&hung, 1);
    assert_true(loop_until(fixture->base, &hung.came_back));
    assert_int_equal(hung.reports[JOB_OVERDUE], 1);
    assert_int_equal(hung.reports[JOB_CAME_BACK], 1);
    assert_int_equal(hung.reports[JOB_DONE], 0);
    assert_false(workers_are_late(fixture->workers));
    assert_true(is_freed_in_time(&hung));
}

static void four_that_hang_hold_up_the_fifth_until_they_are_forsaken(void **state)
{
    struct fixture *fixture = *state;
    struct call hung[WORKERS_MAX], fifth, sixth;

    for (size_t i = 0; i < WORKERS_MAX; i++)
        submit(fixture, &hung[i], JOB_URGENT, SHORT_US, true);
    for (size_t i = 0; i < WORKERS_MAX; i++)
        assert_true(loop_until(fixture->base, &hung[i].is_overdue));
    assert_true(workers_are_blocked(fixture->workers));

    submit(fixture, &fifth, JOB_URGENT, SHORT_US, false);
    assert_true(loop_until(fixture->base, &fifth.never_ran));
    assert_int_equal(fifth.error, -ETIMEDOUT);

    submit(fixture, &fifth, JOB_URGENT, LONG_US, false);
    workers_abandon(fixture->workers, -ENOTCONN);
    assert_int_equal(workers_abandoned(fixture->workers), WORKERS_MAX);
    assert_false(workers_are_late(fixture->workers));
    assert_true(loop_until(fixture->base, &fifth.never_ran));
    assert_int_equal(fifth.error, -ENOTCONN);

    submit(fixture, &sixth, JOB_URGENT, LONG_US, false);
    assert_true(loop_until(fixture->base, &sixth.is_done));

    let_go(hung, WORKERS_MAX);
    for (size_t i = 0; i < WORKERS_MAX; i++)
        assert_true(loop_until(fixture->base, &hung[i].came_back));
    assert_int_equal(workers_abandoned(fixture->workers), 0);
}

static void lesser_calls_leave_places_for_urgent_ones(void **state)
{
    struct fixture *fixture = *state;
    struct call spare[2], normal[WORKERS_MAX], urgent, aside;

    for (size_t i = 0; i < ELEMENTS_OF(spare); i++)
        submit(fixture, &spare[i], JOB_SPARE, LONG_US, true);
    for (size_t i = 0; i < ELEMENTS_OF(normal); i++)
        submit(fixture, &normal[i], JOB_NORMAL, LONG_US, true);
    submit(fixture, &urgent, JOB_URGENT, LONG_US, false);
    assert_true(loop_until(fixture->base, &urgent.is_done));
    submit(fixture, &aside, JOB_ASIDE, LONG_US, false);
    assert_true(loop_until(fixture->base, &aside.is_done));

    /* The second spare one runs only now that the first one is done. */
    let_go(&spare[0], 1);
    assert_true(loop_until(fixture->base, &spare[0].is_done));
    let_go(normal, ELEMENTS_OF(normal));
    for (size_t i = 0; i < ELEMENTS_OF(normal); i++)
        assert_true(loop_until(fixture->base, &normal[i].is_done));
    assert_false(spare[1].is_done);
    let_go(&spare[1], 1);
    assert_true(loop_until(fixture->base, &spare[1].is_done));
}

/* Each call that it makes has a place of those of its class. */
static void a_job_that_makes_two_calls_takes_two_places(void **state)
{
    struct fixture *fixture = *state;
    struct call wide, normal, waits, urgent;

    submit_wide(fixture, &wide, JOB_NORMAL, LONG_US, true, 2);
    submit(fixture, &normal, JOB_NORMAL, LONG_US, true);
    submit(fixture, &waits, JOB_NORMAL, LONG_US, false);
    submit(fixture, &urgent, JOB_URGENT, LONG_US, false);
    assert_true(loop_until(fixture->base, &urgent.is_done));
    assert_false(waits.is_done);
    assert_int_equal(workers_count(fixture->workers), 3);
    let_go(&wide, 1);
    assert_true(loop_until(fixture->base, &wide.is_done));
    assert_int_equal(wide.n_calls, 2);
    assert_true(loop_until(fixture->base, &waits.is_done));
    let_go(&normal, 1);
    assert_true(loop_until(fixture->base, &normal.is_done));
    assert_int_equal(workers_count(fixture->workers), 0);
}

static void a_job_that_could_make_two_calls_does_with_one_place(void **state)
{
    struct fixture *fixture = *state;
    struct call normal[2], wide;

    for (size_t i = 0; i < ELEMENTS_OF(normal); i++)
        submit(fixture, &normal[i], JOB_NORMAL, LONG_US, true);
    submit_wide(fixture, &wide, JOB_NORMAL, LONG_US, false, 2);
    assert_true(loop_until(fixture->base, &wide.is_done));
    assert_int_equal(wide.n_calls, 1);
    let_go(normal, ELEMENTS_OF(normal));
    for (size_t i = 0; i < ELEMENTS_OF(normal); i++)
        assert_true(loop_until(fixture->base, &normal[i].is_done));
}

/* Both of its calls may hang. */
static void a_job_of_two_calls_that_hangs_holds_both_places(void **state)
{
    struct fixture *fixture = *state;
    struct call wide, normal, urgent;

    submit_wide(fixture, &wide, JOB_NORMAL, SHORT_US, true, 2);
    submit(fixture, &normal, JOB_NORMAL, SHORT_US, true);
    submit(fixture, &urgent, JOB_URGENT, SHORT_US, true);
    assert_true(loop_until(fixture->base, &wide.is_overdue));
    assert_true(loop_until(fixture->base, &normal.is_overdue));
    assert_true(loop_until(fixture->base, &urgent.is_overdue));
    assert_true(workers_are_blocked(fixture->workers));
    let_go(&wide, 1);
    assert_true(loop_until(fixture->base, &wide.came_back));
    assert_false(workers_are_blocked(fixture->workers));
    let_go(&normal, 1);
    let_go(&urgent, 1);
    assert_true(loop_until(fixture->base, &normal.came_back));
    assert_true(loop_until(fixture->base, &urgent.came_back));
    assert_false(workers_are_late(fixture->workers));
}

/* Many guests hang at once: their probes wait for one another, and nothing waits for them. */
static void probes_that_last_are_two_at_a_time_and_none_is_lost(void **state)
{
    struct fixture *fixture = *state;
    struct call probes[8], normal, urgent[2];

    for (size_t i = 0; i < ELEMENTS_OF(probes); i++)
        submit(fixture, &probes[i], JOB_PROBE, SHORT_US, true);
    for (size_t i = 0; i < 2; i++)
        assert_true(loop_until(fixture->base, &probes[i].is_overdue));
    assert_false(workers_are_late(fixture->workers));
    assert_false(workers_are_blocked(fixture->workers));
    for (size_t i = 0; i < ELEMENTS_OF(urgent); i++)
        submit(fixture, &urgent[i], JOB_URGENT, LONG_US, true);
    let_go(urgent, ELEMENTS_OF(urgent));
    for (size_t i = 0; i < ELEMENTS_OF(urgent); i++)
        assert_true(loop_until(fixture->base, &urgent[i].is_done));
    submit(fixture, &normal, JOB_NORMAL, LONG_US, false);
    assert_true(loop_until(fixture->base, &normal.is_done));

    /* The others waited longer than their own time, which begins only when they have a place. */
    let_go(probes, ELEMENTS_OF(probes));
    for (size_t i = 0; i < ELEMENTS_OF(probes); i++) {
        assert_true(loop_until(fixture->base, i < 2 ? &probes[i].came_back : &probes[i].is_done));
        assert_false(probes[i].never_ran);
    }
}

static void a_refused_call_is_told_from_the_loop(void **state)
{
    struct fixture *fixture = *state;
    struct call call = {0};
    struct call_job *job = calloc(1, sizeof(*job));

    assert_non_null(job);
    job->job.type = &types[JOB_URGENT];
    job->call = &call;
    sem_init(&call.freed, 0, 0);
    workers_refuse(fixture->workers, &job->job, -ENOTCONN);
    assert_false(call.never_ran);
    assert_true(loop_until(fixture->base, &call.never_ran));
    assert_int_equal(call.error, -ENOTCONN);
    assert_true(is_freed_in_time(&call));
}

static size_t count_threads(void)
{
    DIR *threads = opendir("/proc/self/task");
    size_t n = 0;

    assert_non_null(threads);
    while (readdir(threads) != NULL)
        n++;
    closedir(threads);
    return n;
}

/* With the report that can wait, and no thread left that could tell of it. */
static void end_a_call_that_can_wait(struct fixture *fixture, struct call *call, int64_t timeout_us)
{
    size_t before = count_threads();

    submit(fixture, call, JOB_ASIDE, timeout_us, true);
    call->can_wait = true;
    let_go(call, 1);
    while (count_threads() > before)
        sched_yield();
}

static void a_report_that_can_wait_wakes_nothing_and_comes_when_it_is_collected(void **state)
{
    struct fixture *fixture = *state;
    struct call call;

    end_a_call_that_can_wait(fixture, &call, LONG_US);
    loop_drain(fixture->base);
    assert_int_equal(call.reports[JOB_DONE], 0);
    workers_collect(fixture->workers);
    assert_int_equal(call.reports[JOB_DONE], 0); /* never from inside of it */
    loop_drain(fixture->base);
    assert_int_equal(call.reports[JOB_DONE], 1);
}

static void a_report_that_can_wait_comes_when_its_time_is_up(void **state)
{
    struct fixture *fixture = *state;
    struct call call;

    end_a_call_that_can_wait(fixture, &call, SHORT_US);
    assert_true(loop_until(fixture->base, &call.is_done));
    assert_int_equal(call.reports[JOB_OVERDUE], 0);
}

static void a_report_that_can_wait_comes_with_others(void **state)
{
    struct fixture *fixture = *state;
    struct call call, other;

    end_a_call_that_can_wait(fixture, &call, LONG_US);
    submit(fixture, &other, JOB_NORMAL, LONG_US, false);
    assert_true(loop_until(fixture->base, &other.is_done));
    assert_true(call.is_done);
}

static void the_end_does_not_wait_for_calls_that_hang(void **state)
{
    struct fixture *fixture = *state;
    struct call hung[WORKERS_MAX], waiting;

    for (size_t i = 0; i < WORKERS_MAX; i++)
        submit(fixture, &hung[i], JOB_URGENT, i == 0 ? SHORT_US : LONG_US, true);
    submit(fixture, &waiting, JOB_URGENT, LONG_US, false);
    assert_true(loop_until(fixture->base, &hung[0].is_overdue));

    workers_free(fixture->workers, SHORT_US);
    assert_true(is_freed_in_time(&waiting));
    assert_false(waiting.is_done || waiting.never_ran);
    let_go(hung, WORKERS_MAX);
    for (size_t i = 0; i < WORKERS_MAX; i++) {
        assert_true(is_freed_in_time(&hung[i]));
        assert_false(hung[i].is_done || hung[i].came_back);
    }
    assert_int_equal(workers_new(fixture->base, &fixture->workers), 0);
}

static void the_end_waits_for_calls_that_end(void **state)
{
    struct fixture *fixture = *state;
    struct call calls[WORKERS_MAX];

    for (size_t i = 0; i < WORKERS_MAX; i++)
        submit(fixture, &calls[i], JOB_URGENT, LONG_US, true);
    let_go(calls, WORKERS_MAX);
    workers_free(fixture->workers, LONG_US);
    for (size_t i = 0; i < WORKERS_MAX; i++) {
        assert_int_equal(sem_trywait(&calls[i].freed), 0);
        assert_false(calls[i].is_done);
    }
    assert_int_equal(workers_new(fixture->base, &fixture->workers), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_the_thread_of_a_call_may_block, setup, teardown),
        cmocka_unit_test_setup_teardown(a_call_is_done, setup, teardown),
        cmocka_unit_test_setup_teardown(a_call_that_hangs_is_told_once_and_again_when_it_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(four_that_hang_hold_up_the_fifth_until_they_are_forsaken, setup, teardown),
        cmocka_unit_test_setup_teardown(lesser_calls_leave_places_for_urgent_ones, setup, teardown),
        cmocka_unit_test_setup_teardown(a_job_that_makes_two_calls_takes_two_places, setup, teardown),
        cmocka_unit_test_setup_teardown(a_job_that_could_make_two_calls_does_with_one_place, setup, teardown),
        cmocka_unit_test_setup_teardown(a_job_of_two_calls_that_hangs_holds_both_places, setup, teardown),
        cmocka_unit_test_setup_teardown(probes_that_last_are_two_at_a_time_and_none_is_lost, setup, teardown),
        cmocka_unit_test_setup_teardown(a_refused_call_is_told_from_the_loop, setup, teardown),
        cmocka_unit_test_setup_teardown(a_report_that_can_wait_wakes_nothing_and_comes_when_it_is_collected, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_report_that_can_wait_comes_when_its_time_is_up, setup, teardown),
        cmocka_unit_test_setup_teardown(a_report_that_can_wait_comes_with_others, setup, teardown),
        cmocka_unit_test_setup_teardown(the_end_does_not_wait_for_calls_that_hang, setup, teardown),
        cmocka_unit_test_setup_teardown(the_end_waits_for_calls_that_end, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
