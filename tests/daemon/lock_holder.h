/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A process that holds the lock on a PID file, as a QEMU of libvirt does. */
#ifndef UNDERSTUDY_TESTS_LOCK_HOLDER_H
#define UNDERSTUDY_TESTS_LOCK_HOLDER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

/* Exit information is told since Linux 6.15. */
static inline void need_exit_information(void)
{
    struct utsname system;
    long major, minor;
    char *end;

    assert_int_equal(uname(&system), 0);
    major = strtol(system.release, &end, 10);
    minor = *end == '.' ? strtol(end + 1, &end, 10) : 0;
    if (major < 6 || (major == 6 && minor < 15))
        skip();
}

/* Returns when the process holds the lock; it lives until it is killed, or told to exit by SIGUSR1. */
static inline pid_t begin_process(const char *path)
{
    int ready[2];
    char byte;
    pid_t pid;

    assert_int_equal(pipe(ready), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
        int fd = open(path, O_RDWR | O_CREAT, 0644);
        sigset_t set;
        int number;

        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        sigprocmask(SIG_BLOCK, &set, NULL);
        signal(SIGSEGV, SIG_DFL); /* a sanitizer would make an exit of it */
        signal(SIGABRT, SIG_DFL);
        alarm(60);
        if (fd < 0 || fcntl(fd, F_SETLK, &lock) < 0 || write(fd, "1\n", 2) != 2 || write(ready[1], "", 1) != 1)
            _exit(99);
        sigwait(&set, &number);
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return pid;
}

static inline void reap(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
}

static inline void stop(pid_t pid, int number)
{
    assert_int_equal(kill(pid, number), 0);
    reap(pid);
}

#endif
