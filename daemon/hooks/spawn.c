/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * posix_spawn and its arguments. The daemon has threads, so no code of the daemon runs between fork and exec. Knows no
 * event loop.
 */
#include "hooks/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"

static void closep(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static int steal_fd(int *fd)
{
    int taken = *fd;

    *fd = -1;
    return taken;
}

/* A file in memory, not a pipe: the daemon need not feed it, and a program that does not read it does no harm. */
static int open_input(const char *text, int *ret)
{
    _cleanup_(closep) int fd = memfd_create("understudy-hook-input", MFD_CLOEXEC);
    size_t left = strlen(text);

    if (fd < 0)
        return -errno;
    while (left > 0) {
        ssize_t n = write(fd, text, left);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        text += n;
        left -= (size_t)n;
    }
    if (lseek(fd, 0, SEEK_SET) < 0)
        return -errno;
    *ret = steal_fd(&fd);
    return 0;
}

/* The end that the program writes to blocks, as programs expect; the daemon's end does not. */
static int open_output(int *ret_read, int *ret_write)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0) {
        int r = -errno;

        close(ends[0]);
        close(ends[1]);
        return r;
    }
    *ret_read = ends[0];
    *ret_write = ends[1];
    return 0;
}

static int set_actions(posix_spawn_file_actions_t *actions, int input, int output)
{
    int r = posix_spawn_file_actions_adddup2(actions, input, STDIN_FILENO);

    if (r == 0)
        r = posix_spawn_file_actions_adddup2(actions, output, STDOUT_FILENO);
    if (r == 0)
        r = posix_spawn_file_actions_adddup2(actions, output, STDERR_FILENO);
    if (r == 0)
        r = posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
    if (r == 0)
        r = posix_spawn_file_actions_addchdir_np(actions, "/");
    return r;
}

static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    int r;

    sigemptyset(&none);
    sigfillset(&all);
    r = posix_spawnattr_setsigmask(attributes, &none);
    if (r == 0)
        r = posix_spawnattr_setsigdefault(attributes, &all);
    if (r == 0)
        r = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    return r;
}

static int start(const struct program *program, int input, int output, pid_t *ret)
{
    char *const arguments[] = {(char *)program->path, (char *)program->argument, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int r;

    r = posix_spawn_file_actions_init(&actions);
    if (r != 0)
        return -r;
    r = posix_spawnattr_init(&attributes);
    if (r == 0) {
        r = set_actions(&actions, input, output);
        if (r == 0)
            r = set_attributes(&attributes);
        if (r == 0)
            r = posix_spawn(ret, program->path, &actions, &attributes, arguments, program->environment);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return -r;
}

/* The first line of a script without its end, or "". */
static void read_first_line(const char *path, char *ret, size_t size)
{
    _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = fd < 0 ? 0 : read(fd, ret, size - 1);

    ret[n < 0 ? 0 : n] = '\0';
    ret[strcspn(ret, "\n")] = '\0';
}

static bool is_about_a_file(int error)
{
    return error == -ENOENT || error == -EACCES || error == -ENOEXEC;
}

/* What stands behind "#!" in a script; "" for anything else. */
static void read_interpreter(const char *path, char *ret, size_t size)
{
    char line[256];

    read_first_line(path, line, sizeof(line));
    snprintf(ret, size, "%s", strncmp(line, "#!", 2) == 0 ? line + 2 + strspn(line + 2, " \t") : "");
}

/* The kernel has one number for a program and for its interpreter; a person needs to know which one is meant. */
static void explain(const char *path, int error, char *ret_message)
{
    char name[128], interpreter[256];

    read_interpreter(path, name, sizeof(name));
    if (name[0] != '\0' && is_about_a_file(error)) {
        text_make_printable(name, strlen(name), interpreter, sizeof(interpreter));
        snprintf(ret_message, PROCESS_MESSAGE_SIZE, "cannot be run: %s (its interpreter is \"%s\")",
                 strerrordesc_np(-error), interpreter);
    } else if (error == -ENOEXEC) {
        snprintf(ret_message, PROCESS_MESSAGE_SIZE, "cannot be run: neither a binary nor a script that begins with #!");
    } else {
        snprintf(ret_message, PROCESS_MESSAGE_SIZE, "cannot be run: %s", strerrordesc_np(-error));
    }
}

int spawn_check(const char *path, char *ret_message)
{
    char interpreter[256];
    int r = access(path, X_OK) < 0 ? -errno : 0;

    read_interpreter(path, interpreter, sizeof(interpreter));
    interpreter[strcspn(interpreter, " \t")] = '\0'; /* without its arguments */
    if (r == 0 && interpreter[0] != '\0' && access(interpreter, X_OK) < 0)
        r = -errno;
    if (r < 0)
        explain(path, r, ret_message);
    return r;
}

static int fail(int error, const char *what, char *ret_message)
{
    snprintf(ret_message, PROCESS_MESSAGE_SIZE, "cannot be run: %s: %s", what, strerrordesc_np(-error));
    return error;
}

int spawn_program(const struct program *program, char *ret_message, pid_t *ret_pid, int *ret_pidfd, int *ret_output)
{
    _cleanup_(closep) int input = -1;
    _cleanup_(closep) int read_end = -1;
    _cleanup_(closep) int write_end = -1;
    pid_t pid = 0;
    int r, pidfd;

    r = open_input(program->input, &input);
    if (r < 0)
        return fail(r, "standard input", ret_message);
    r = open_output(&read_end, &write_end);
    if (r < 0)
        return fail(r, "pipe", ret_message);
    r = start(program, input, write_end, &pid);
    if (r < 0) {
        explain(program->path, r, ret_message);
        return r;
    }
    pidfd = pidfd_open(pid, 0);
    if (pidfd < 0) {
        r = -errno;
        kill(-pid, SIGKILL);
        waitpid(pid, NULL, 0);
        return fail(r, "pidfd", ret_message);
    }
    *ret_pid = pid;
    *ret_pidfd = pidfd;
    *ret_output = steal_fd(&read_end);
    return 0;
}
