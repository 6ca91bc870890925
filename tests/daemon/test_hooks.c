/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hooks as an administrator writes them: shell scripts in a directory, well-behaved and mad ones. Every
 * script is a real process; the tests wait for what it says or for its end.
 */
#include "hooks_world.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <time.h>

static const struct hook_variable no_variables[] = {{0}};

static void run_with(struct world *world, const struct hook_variable *variables, const char *json, int64_t timeout_us)
{
    assert_int_equal(hooks_run(world->hooks, 7, world->directory, NULL, "pre-start", variables, json, timeout_us), 0);
    wait_done(world, world->done_count + 1);
}

static void run(struct world *world)
{
    run_with(world, no_variables, "{}", PATIENT_US);
}

static void wait_for_line(struct world *world, const char *beginning)
{
    world->awaited = beginning;
    world->is_heard = false;
    assert_true(loop_until(world->base, &world->is_heard));
}

/* The number after "pid " in the line that a hook printed with this prefix. */
static pid_t pid_told(const struct world *world, const char *prefix)
{
    for (size_t i = 0; i < world->line_count; i++)
        if (strncmp(world->lines[i], prefix, strlen(prefix)) == 0)
            return (pid_t)atoi(world->lines[i] + strlen(prefix));
    fail_msg("nothing printed \"%s\"", prefix);
    return -1;
}

static void assert_dies(pid_t pid)
{
    int fd = pidfd_open(pid, 0);
    struct pollfd end = {.fd = fd, .events = POLLIN};

    if (fd < 0) {
        assert_int_equal(errno, ESRCH);
        return;
    }
    assert_int_equal(poll(&end, 1, 20000), 1);
    close(fd);
}

static void test_in_the_order_of_their_names(void **state)
{
    struct world *world = *state;

    write_hook(world, "b", "echo second; echo $#");
    write_hook(world, "B", "echo \"first, for $1\"");
    write_hook(world, "c10", "echo third");
    write_hook(world, "c9", "echo fourth; echo to stderr >&2; printf 'no newline'");
    run(world);
    assert_done(world, 0, "", "");
    assert_lines(world, "pre-start B: first, for pre-start", "pre-start b: second", "pre-start b: 1",
                 "pre-start c10: third", "pre-start c9: fourth", "pre-start c9: to stderr", "pre-start c9: no newline");
}

static void test_the_first_failure_ends_the_run(void **state)
{
    struct world *world = *state;

    write_hook(world, "10-fine", "exit 0");
    write_hook(world, "20-veto", "echo not this one; exit 3");
    write_hook(world, "30-never", "echo never");
    run(world);
    assert_done(world, -ECANCELED, "20-veto", "exit status 3: not this one");
    assert_lines(world, "pre-start 20-veto: not this one");
    write_hook(world, "10-fine", "echo fine; exit 0"); /* those words are not the next one's */
    write_hook(world, "20-veto", "exit 3");
    run(world);
    assert_done(world, -ECANCELED, "20-veto", "exit status 3");
    loop_drain(world->base);
    assert_int_equal(world->done_count, 2);
}

static void test_a_signal_is_a_failure(void **state)
{
    struct world *world = *state;

    write_hook(world, "10-falls", "kill -SEGV $$");
    run(world);
    assert_done(world, -ECANCELED, "10-falls", "ended by SIGSEGV");
}

static void test_no_directory_no_hooks(void **state)
{
    struct world *world = *state;

    assert_int_equal(hooks_run(world->hooks, 7, in(world, "none"), NULL, "pre-start", no_variables, NULL, PATIENT_US),
                     0);
    assert_int_equal(world->done_count, 0); /* from the loop, not from within the call */
    wait_done(world, 1);
    assert_done(world, 0, "", "");
    run(world); /* an empty one */
    assert_done(world, 0, "", "");
    assert_int_equal(world->line_count, 0);
}

/* Put where hooks were before each event had its directory, or by mistake: it may be a veto. */
static void test_a_hook_in_the_wrong_place_blocks_while_it_is_executable(void **state)
{
    struct world *world = *state;
    char *events = strdup(in(world, "pre-start")), *parent = strdup(world->directory);

    assert_int_equal(mkdir(events, 0755), 0);
    write_hook(world, "pre-start/20-hook", "echo run");
    write_hook(world, "10-stray", "echo never");
    write_hook(world, "05-old.disabled", "echo never");
    for (unsigned round = 0; round < 2; round++) {
        const char *veto_parent = round == 0 ? parent : NULL; /* where nothing can be vetoed, the others are run */

        assert_int_equal(hooks_run(world->hooks, 7, events, veto_parent, "pre-start", no_variables, "", PATIENT_US), 0);
        wait_done(world, world->done_count + 1);
        assert_done(world, round == 0 ? -ENOEXEC : 0, round == 0 ? "10-stray" : "",
                    round == 0 ? "not run: it stands beside the directories of the events" : "");
        assert_int_equal(world->line_count, round);
    }
    assert_int_equal(chmod(in(world, "10-stray"), 0644), 0);
    assert_int_equal(hooks_run(world->hooks, 7, events, parent, "pre-start", no_variables, "", PATIENT_US), 0);
    wait_done(world, world->done_count + 1);
    assert_done(world, 0, "", "");
    assert_lines(world, "pre-start 20-hook: run", "pre-start 20-hook: run");
    free(events);
    free(parent);
}

static void test_a_file_is_no_directory(void **state)
{
    struct world *world = *state;

    write_file(world, "file", "", 0644);
    assert_int_equal(hooks_run(world->hooks, 7, in(world, "file"), NULL, "pre-start", no_variables, NULL, PATIENT_US),
                     0);
    wait_done(world, 1);
    assert_done(world, -ENOTDIR, in(world, "file"), "cannot be read: Not a directory");
}

static void test_what_is_not_run(void **state)
{
    static const char *const silent[] = {".hidden",   "a~",       "a.dpkg-old", "a.dpkg-dist",
                                         "a.rpmsave", "a.rpmnew", "a.sample",   "a.disabled"};
    struct world *world = *state;

    for (size_t i = 0; i < ELEMENTS_OF(silent); i++)
        write_hook(world, silent[i], "echo never");
    write_hook(world, "10-group", "echo never");
    assert_int_equal(chmod(in(world, "10-group"), 0775), 0);
    write_hook(world, "20-others", "echo never");
    assert_int_equal(chmod(in(world, "20-others"), 0757), 0);
    write_file(world, "30-plain", "#!/bin/sh\necho never\n", 0644);
    assert_int_equal(mkdir(in(world, "40-directory"), 0755), 0);
    assert_int_equal(symlink("nowhere", in(world, "50-dangling")), 0);
    write_hook(world, "60-last", "echo run");
    run(world);
    assert_done(world, 0, "", "");
    assert_lines(world, "pre-start 10-group: (passed over) not run: writable by other users",
                 "pre-start 20-others: (passed over) not run: writable by other users",
                 "pre-start 30-plain: (passed over) not run: not executable",
                 "pre-start 40-directory: (passed over) not run: not a regular file",
                 "pre-start 50-dangling: (passed over) not run: No such file or directory", "pre-start 60-last: run");
}

static void run_vetoes(struct world *world, int error, const char *hook, const char *message)
{
    assert_int_equal(
        hooks_run(world->hooks, 7, in(world, "pre-start"), world->directory, "pre-start", no_variables, "", PATIENT_US),
        0);
    wait_done(world, world->done_count + 1);
    assert_done(world, error, hook, message);
}

/* It may be the veto that keeps two machines from one disk. One that is not executable is switched off, as for run-parts. */
static void test_a_veto_that_is_meant_and_cannot_be_run_blocks(void **state)
{
    struct world *world = *state;
    char *directory = strdup(in(world, "pre-start"));

    assert_int_equal(mkdir(directory, 0755), 0);
    write_hook(world, "pre-start/20-hook", "echo run");
    assert_int_equal(chmod(in(world, "pre-start/20-hook"), 0775), 0);
    run_vetoes(world, -ENOEXEC, "20-hook", "not run: writable by other users");
    assert_int_equal(chmod(in(world, "pre-start/20-hook"), 0755), 0);
    assert_int_equal(symlink("nowhere", in(world, "pre-start/10-dangling")), 0);
    run_vetoes(world, -ENOEXEC, "10-dangling", "not run: No such file or directory");
    assert_int_equal(unlink(in(world, "pre-start/10-dangling")), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(in(world, "pre-start/20-hook"), 65534, 65534), 0);
        run_vetoes(world, -ENOEXEC, "20-hook", "not run: belongs to another user");
        assert_int_equal(chown(in(world, "pre-start/20-hook"), 0, 0), 0);
    }
    assert_int_equal(chmod(directory, 0777), 0);
    run_vetoes(world, -ENOEXEC, directory, "none of its programs is run: writable by other users");
    assert_int_equal(chmod(directory, 0755), 0);
    assert_int_equal(world->line_count, 0);
    write_file(world, "pre-start/10-plain", "#!/bin/sh\necho never\n", 0644);
    assert_int_equal(mkdir(in(world, "pre-start/11-directory"), 0755), 0);
    run_vetoes(world, 0, "", "");
    assert_lines(world, "pre-start 10-plain: (passed over) not run: not executable",
                 "pre-start 11-directory: (passed over) not run: not a regular file", "pre-start 20-hook: run");
    free(directory);
}

static void test_a_strangers_file_is_not_run(void **state)
{
    struct world *world = *state;

    if (geteuid() != 0)
        skip();
    write_hook(world, "10-stranger", "echo never");
    assert_int_equal(chown(in(world, "10-stranger"), 65534, 65534), 0);
    run(world);
    assert_done(world, 0, "", "");
    assert_lines(world, "pre-start 10-stranger: (passed over) not run: belongs to another user");
}

static void test_a_directory_that_others_write_is_not_trusted(void **state)
{
    struct world *world = *state;

    write_hook(world, "10-hook", "echo never");
    assert_int_equal(chmod(world->directory, 0777), 0);
    run(world);
    assert_done(world, 0, "", "");
    assert_int_equal(world->line_count, 1);
    assert_non_null(strstr(world->lines[0], "(passed over) none of its programs is run: writable by other users"));
    assert_non_null(strstr(world->lines[0], world->directory));
}

static void test_broken_programs_say_what_is_broken(void **state)
{
    static const struct {
        const char *text;
        int error;
        const char *message;
    } broken[] = {
        {"#! /nowhere/sh -e\n", -ENOENT,
         "cannot be run: No such file or directory (its interpreter is \"/nowhere/sh -e\")"},
        {"#!/bin/sh\r\n", -ENOENT, "cannot be run: No such file or directory (its interpreter is \"/bin/sh\\x0d\")"},
        {"#!/etc/passwd\n", -EACCES, "cannot be run: Permission denied (its interpreter is \"/etc/passwd\")"},
        {"echo no interpreter\n", -ENOEXEC, "cannot be run: neither a binary nor a script that begins with #!"},
        {"", -ENOEXEC, "cannot be run: neither a binary nor a script that begins with #!"},
    };
    struct world *world = *state;

    for (size_t i = 0; i < ELEMENTS_OF(broken); i++) {
        write_file(world, "10-broken", broken[i].text, 0755);
        run(world);
        assert_done(world, broken[i].error, "10-broken", broken[i].message);
    }
}

static void run_program(struct world *world, const char *path)
{
    assert_int_equal(hooks_run_program(world->hooks, 7, path, "fence", no_variables, "", PATIENT_US), 0);
    wait_done(world, world->done_count + 1);
}

static void test_a_program_by_its_path(void **state)
{
    struct world *world = *state;
    char *path = strdup(in(world, "fence-agent"));

    run_program(world, path);
    assert_done(world, -ENOENT, path, "not run: No such file or directory");
    write_hook(world, "fence-agent", "echo \"$0 $1\"; exit 1");
    assert_int_equal(chmod(path, 0777), 0);
    run_program(world, path);
    assert_done(world, -EPERM, path, "not run: writable by other users");
    assert_int_equal(chmod(path, 0700), 0);
    run_program(world, path);
    assert_int_equal(world->done[world->done_count - 1].error, -ECANCELED);
    assert_non_null(strstr(world->done[world->done_count - 1].message, "exit status 1: "));
    assert_int_equal(world->line_count, 1);
    assert_non_null(strstr(world->lines[0], "fence-agent fence"));
    write_hook(world, "fence-agent", "exit 0");
    run_program(world, path);
    assert_done(world, 0, "", "");
    free(path);
}

static char *make_document(size_t length)
{
    char *document = malloc(length + 1);

    assert_non_null(document);
    for (size_t i = 0; i < length; i++)
        document[i] = (char)('a' + i % 23);
    document[length] = '\0';
    return document;
}

static void test_the_document_comes_whole(void **state)
{
    const size_t length = 1 << 20;
    struct world *world = *state;
    char *document = make_document(length), *copy = make_document(length);
    char *path = strdup(in(world, "copy.disabled"));
    const struct hook_variable variables[] = {{"COPY", path, false}, {0}};
    FILE *file;

    write_hook(world, "10-copies", "cat >\"$UNDERSTUDY_COPY\"");
    write_hook(world, "20-has-one-of-its-own", "cat | cmp - \"$UNDERSTUDY_COPY\" || exit 1");
    run_with(world, variables, document, PATIENT_US);
    assert_done(world, 0, "", "");
    file = fopen(path, "re");
    assert_non_null(file);
    memset(copy, 0, length);
    assert_int_equal(fread(copy, 1, length, file), length);
    assert_int_equal(fgetc(file), EOF);
    assert_int_equal(memcmp(copy, document, length), 0);
    fclose(file);
    free(path);
    free(copy);
    free(document);
}

/* As in a program that does not ignore SIGPIPE. */
static void test_a_hook_that_does_not_read_it(void **state)
{
    struct world *world = *state;
    char *document = make_document(1 << 20);

    write_hook(world, "10-closes", "exec <&-; echo closed");
    write_hook(world, "20-leaves", "exit 0");
    run_with(world, no_variables, document, PATIENT_US);
    assert_done(world, 0, "", "");
    assert_lines(world, "pre-start 10-closes: closed");
    free(document);
}

static void test_the_environment_is_what_was_promised(void **state)
{
    static const struct hook_variable variables[] = {{"EVENT", "pre-start", false},
                                                     {"FAILED", "a b=c;$(exit)", false},
                                                     {"CAUSE", NULL, false},
                                                     {"VIP", "192.0.2.10", true},
                                                     {0}};
    struct world *world = *state;

    assert_int_equal(setenv("SECRET_OF_THE_DAEMON", "1", 1), 0);
    write_hook(world, "10-env", "tr '\\0' '\\n' </proc/$$/environ");
    run_with(world, variables, NULL, PATIENT_US);
    assert_done(world, 0, "", "");
    assert_lines(world, "pre-start 10-env: PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                 "pre-start 10-env: LANG=C.UTF-8", "pre-start 10-env: UNDERSTUDY_EVENT=pre-start",
                 "pre-start 10-env: UNDERSTUDY_FAILED=a b=c;$(exit)",
                 "pre-start 10-env: UNDERSTUDY_CAUSE=", "pre-start 10-env: VIP=192.0.2.10");
}

/* In a session of its own, in /, with every signal at its default (but 32 and 33, which are the C library's own). */
static void test_nothing_else_is_inherited(void **state)
{
    struct world *world = *state;
    int leaked[] = {open("/dev/null", O_RDONLY), open("/dev/null", O_RDONLY), dup2(STDERR_FILENO, 200)};
    sigset_t usr1;

    for (size_t i = 0; i < ELEMENTS_OF(leaked); i++)
        assert_true(leaked[i] > STDERR_FILENO);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    assert_int_equal(sigprocmask(SIG_BLOCK, &usr1, NULL), 0);
    assert_true(signal(SIGPIPE, SIG_IGN) != SIG_ERR);

    write_hook(world, "10-fds", "ls /proc/self/fd"); /* 3 is the directory that ls reads */
    write_hook(world, "20-place", "readlink /proc/$$/cwd; cut -d' ' -f5,6 /proc/$$/stat | sed s/$$/own/g");
    write_hook(world, "30-signals",
               "grep -E '^Sig(Blk|Ign)' /proc/self/status | "
               "sed 's/\\t//; s/0000000180000000/0000000000000000/'");
    run(world);

    assert_true(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    assert_int_equal(sigprocmask(SIG_UNBLOCK, &usr1, NULL), 0);
    for (size_t i = 0; i < ELEMENTS_OF(leaked); i++)
        close(leaked[i]);
    assert_done(world, 0, "", "");
    assert_lines(world, "pre-start 10-fds: 0", "pre-start 10-fds: 1", "pre-start 10-fds: 2", "pre-start 10-fds: 3",
                 "pre-start 20-place: /", "pre-start 20-place: own own",
                 "pre-start 30-signals: SigBlk:0000000000000000", "pre-start 30-signals: SigIgn:0000000000000000");
}

static size_t count_open_files(void)
{
    size_t count = 0;

    for (int fd = 0; fd < 256; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            count++;
    return count;
}

static void test_we_keep_nothing_open(void **state)
{
    struct world *world = *state;
    size_t before;

    write_hook(world, "10-hook", "echo hello");
    write_file(world, "20-broken", "#!/nowhere\n", 0755);
    run(world);
    loop_drain(world->base);
    before = count_open_files();
    run(world);
    loop_drain(world->base);
    assert_int_equal(count_open_files(), before);
}

static int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * USEC_PER_SEC + now.tv_nsec / 1000;
}

static void test_the_time_limit_asks_first(void **state)
{
    struct world *world = *state;

    write_hook(world, "10-slow", "trap 'echo asked; exit 0' TERM; while :; do sleep 60 & wait; done");
    write_hook(world, "20-never", "echo never");
    run_with(world, no_variables, NULL, USEC_PER_SEC);
    assert_done(world, -ETIMEDOUT, "10-slow", "killed: it had not ended after 1 s: asked");
    assert_lines(world, "pre-start 10-slow: asked");
}

static void test_the_time_limit_kills_who_does_not_listen(void **state)
{
    struct world *world = *state;
    int64_t begin_us = now_us();

    write_hook(world, "10-deaf", "trap 'echo asked' TERM; echo \"pid $$\"; while :; do sleep 60 & wait; done");
    run_with(world, no_variables, NULL, USEC_PER_SEC);
    assert_true(now_us() - begin_us >= 2900 * USEC_PER_MSEC);
    assert_done(world, -ETIMEDOUT, "10-deaf", "killed: it had not ended after 1 s: asked");
    assert_int_equal(world->line_count, 2);
    assert_string_equal(world->lines[1], "pre-start 10-deaf: asked");
    assert_dies(pid_told(world, "pre-start 10-deaf: pid "));
}

/* The hook itself goes when it is asked; a child of it is deaf. */
static void test_the_time_limit_is_for_the_whole_group(void **state)
{
    struct world *world = *state;

    write_hook(world, "10-parent", "(trap '' TERM; exec sleep 60) & echo \"pid $!\"; wait");
    run_with(world, no_variables, NULL, USEC_PER_SEC);
    assert_int_equal(world->done[0].error, -ETIMEDOUT);
    assert_string_equal(world->done[0].hook, "10-parent");
    assert_dies(pid_told(world, "pre-start 10-parent: pid "));
}

static void test_what_stays_in_the_background_holds_nothing_up(void **state)
{
    struct world *world = *state;
    pid_t child;

    write_hook(world, "10-leaves-one", "sleep 60 & echo \"pid $!\"");
    write_hook(world, "20-next", "echo next");
    run(world);
    assert_done(world, 0, "", "");
    child = pid_told(world, "pre-start 10-leaves-one: pid ");
    assert_int_equal(kill(child, 0), 0); /* it is the administrator's */
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_string_equal(world->lines[1], "pre-start 20-next: next");
}

static void test_a_flood_from_the_background(void **state)
{
    struct world *world = *state;

    write_hook(world, "10-leaves-one", "echo flooding; (exec yes) & echo \"pid $!\" >&2; exit 0");
    run(world);
    assert_done(world, 0, "", "");
    assert_true(world->line_count <= 1001);
    for (size_t i = 0; i < world->line_count; i++)
        if (strstr(world->lines[i], ": pid ") != NULL)
            assert_dies((pid_t)atoi(strstr(world->lines[i], ": pid ") + 6));
}

static void test_too_many_bytes(void **state)
{
    struct world *world = *state;

    write_hook(world, "10-mad", "head -c 3000000 /dev/zero | tr '\\0' x; echo end >&2");
    run(world);
    assert_done(world, 0, "", "");
    assert_int_equal(world->line_count, 65);
    for (size_t i = 0; i < 64; i++)
        assert_int_equal(strlen(world->lines[i]), strlen("pre-start 10-mad: ") + 1024);
    assert_string_equal(world->lines[64],
                        "pre-start 10-mad: (prints more than 64 KiB or 1000 lines: the rest is thrown away)");
}

static void test_too_many_lines(void **state)
{
    struct world *world = *state;

    write_hook(world, "10-mad", "yes | head -n 1000000");
    write_hook(world, "20-starts-anew", "yes | head -n 1");
    run(world);
    assert_done(world, 0, "", "");
    assert_int_equal(world->line_count, 1002);
    assert_string_equal(world->lines[999], "pre-start 10-mad: y");
    assert_string_equal(world->lines[1000],
                        "pre-start 10-mad: (prints more than 64 KiB or 1000 lines: the rest is thrown away)");
    assert_string_equal(world->lines[1001], "pre-start 20-starts-anew: y");
}

static void test_just_as_much_as_is_allowed(void **state)
{
    struct world *world = *state;

    write_hook(world, "10-talkative", "yes | head -n 1000");
    run(world);
    assert_int_equal(world->line_count, 1000);
    assert_string_equal(world->lines[999], "pre-start 10-talkative: y");
}

static void test_lines_are_made_printable(void **state)
{
    struct world *world = *state;

    write_hook(world, "10-odd", "printf 'a\\033[31mb\\tc\\377 \\303\\274 \\302\\233x\\r\\n\\nn\\000l\\177\\n\\303'");
    run(world);
    assert_lines(world, "pre-start 10-odd: a\\x1b[31mb\\x09c\\xff \xc3\xbc \\xc2\\x9bx\\x0d",
                 "pre-start 10-odd: n\\x00l\\x7f", "pre-start 10-odd: \\xc3");
}

static void test_a_long_line_is_broken_between_characters(void **state)
{
    struct world *world = *state;
    size_t total = 0;

    write_hook(world, "10-long", "printf x; for i in $(seq 500); do printf '\352\260\200'; done");
    run(world);
    assert_int_equal(world->line_count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_null(strchr(world->lines[i], '\\'));
        total += strlen(strchr(world->lines[i], ':') + 2);
    }
    assert_int_equal(total, 1 + 3 * 500);
}

/* Each of them waits for the other one: one after the other they would never end. */
static void test_two_runs_at_once(void **state)
{
    struct world *world = *state;
    char *fifo = strdup(in(world, "fifo")), *reader, *writer;
    const struct hook_variable variables[] = {{"FIFO", fifo, false}, {0}};

    assert_int_equal(mkfifo(fifo, 0600), 0);
    write_hook(world, "reader", "cat \"$UNDERSTUDY_FIFO\"");
    write_hook(world, "writer", "echo met >\"$UNDERSTUDY_FIFO\"");
    reader = strdup(in(world, "reader"));
    writer = strdup(in(world, "writer"));
    assert_int_equal(hooks_run_program(world->hooks, 1, reader, "a", variables, "", PATIENT_US), 0);
    assert_int_equal(hooks_run_program(world->hooks, 2, writer, "b", variables, "", PATIENT_US), 0);
    wait_done(world, 2);
    assert_int_equal(world->done[0].error, 0);
    assert_int_equal(world->done[1].error, 0);
    assert_int_equal(world->done[0].run + world->done[1].run, 3);
    assert_int_equal(world->line_count, 1);
    assert_non_null(strstr(world->lines[0], "reader: met"));
    free(fifo);
    free(reader);
    free(writer);
}

static void test_a_run_begun_from_done(void **state)
{
    struct world *world = *state;

    write_hook(world, "10-hook", "echo hello; exit 1");
    world->next_directory = world->directory;
    run(world);
    assert_done(world, -ECANCELED, "10-hook", "exit status 1: hello");
    wait_done(world, 2);
    assert_int_equal(world->done[1].run, 8);
    assert_lines(world, "pre-start 10-hook: hello", "next 10-hook: hello");
}

static void test_other_peoples_children_are_left_alone(void **state)
{
    struct world *world = *state;
    pid_t child = fork();
    int status;

    if (child == 0)
        _exit(9);
    assert_true(child > 0);
    write_hook(world, "10-hook", "exit 0");
    run(world);
    loop_drain(world->base);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WEXITSTATUS(status), 9);
}

static void test_freeing_kills_what_runs(void **state)
{
    struct world *world = *state;

    write_hook(world, "10-hangs",
               "trap '' TERM; sleep 60 & echo \"child $!\"; echo \"pid $$\"; echo ready; wait; echo never");
    assert_int_equal(hooks_run(world->hooks, 1, world->directory, NULL, "a", no_variables, "", PATIENT_US), 0);
    wait_for_line(world, "ready");
    assert_int_equal(hooks_run(world->hooks, 2, world->directory, NULL, "b", no_variables, "", PATIENT_US), 0);
    hooks_free(world->hooks);
    world->hooks = NULL;
    assert_dies(pid_told(world, "a 10-hangs: pid "));
    assert_dies(pid_told(world, "a 10-hangs: child "));
    loop_drain(world->base);
    assert_int_equal(world->done_count, 0);
    assert_int_equal(world->line_count, 3);
    hooks_free(NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_in_the_order_of_their_names),
        TEST(test_the_first_failure_ends_the_run),
        TEST(test_a_signal_is_a_failure),
        TEST(test_no_directory_no_hooks),
        TEST(test_a_hook_in_the_wrong_place_blocks_while_it_is_executable),
        TEST(test_a_file_is_no_directory),
        TEST(test_what_is_not_run),
        TEST(test_a_veto_that_is_meant_and_cannot_be_run_blocks),
        TEST(test_a_strangers_file_is_not_run),
        TEST(test_a_directory_that_others_write_is_not_trusted),
        TEST(test_broken_programs_say_what_is_broken),
        TEST(test_a_program_by_its_path),
        TEST(test_the_document_comes_whole),
        TEST(test_a_hook_that_does_not_read_it),
        TEST(test_the_environment_is_what_was_promised),
        TEST(test_nothing_else_is_inherited),
        TEST(test_we_keep_nothing_open),
        TEST(test_the_time_limit_asks_first),
        TEST(test_the_time_limit_kills_who_does_not_listen),
        TEST(test_the_time_limit_is_for_the_whole_group),
        TEST(test_what_stays_in_the_background_holds_nothing_up),
        TEST(test_a_flood_from_the_background),
        TEST(test_too_many_bytes),
        TEST(test_too_many_lines),
        TEST(test_just_as_much_as_is_allowed),
        TEST(test_lines_are_made_printable),
        TEST(test_a_long_line_is_broken_between_characters),
        TEST(test_two_runs_at_once),
        TEST(test_a_run_begun_from_done),
        TEST(test_other_peoples_children_are_left_alone),
        TEST(test_freeing_kills_what_runs),
    };

    return cmocka_run_group_tests_name("hooks", tests, NULL, NULL);
}
