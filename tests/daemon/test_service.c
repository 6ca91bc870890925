/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What systemd hands over and what the bus tells: a socket taken and served, and a bus that is not there. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "loop.h"
#include "service/host.h"
#include "service/listen.h"

#define FIRST_PASSED_FD 3 /* SD_LISTEN_FDS_START */

/* What a child saw, as its exit status: cmocka's assertions belong to the parent. */
enum outcome { TOOK_BOTH, TOOK_ONE, TOOK_READ_ONLY, TOOK_NONE, NO_SOCKET, NO_SUCH_NAME, TOOK_IT_WRONGLY };

static bool is_taken(int fd, const char *path)
{
    return (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0 && (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0 && listen_is_at(fd, path) &&
           !listen_is_at(fd, "/somewhere/else");
}

static bool is_closed(int fd)
{
    return fcntl(fd, F_GETFD) < 0 && errno == EBADF;
}

/* n: how many were passed. */
static enum outcome take(const char *path, size_t n)
{
    struct listening taken = {.fd = -2, .read_only_fd = -2};
    int r = listen_take(&taken);

    for (int fd = FIRST_PASSED_FD; fd < FIRST_PASSED_FD + (int)n; fd++)
        if (r == 0 && (fd == taken.fd || fd == taken.read_only_fd) ? !is_taken(fd, path) : !is_closed(fd))
            return TOOK_IT_WRONGLY;
    if (r < 0 && (taken.fd != -2 || taken.read_only_fd != -2))
        return TOOK_IT_WRONGLY;
    if (r < 0)
        return r == -ENOTSOCK ? NO_SOCKET : r == -EINVAL ? NO_SUCH_NAME : TOOK_IT_WRONGLY;
    if (getenv("LISTEN_FDS") != NULL || (taken.fd >= 0 && taken.fd == taken.read_only_fd))
        return TOOK_IT_WRONGLY;
    if (taken.fd < 0)
        return taken.read_only_fd < 0 ? TOOK_NONE : TOOK_READ_ONLY;
    return taken.read_only_fd < 0 ? TOOK_ONE : TOOK_BOTH;
}

/* Has a child take fd as systemd would pass it, once for each of these names; NULL: nothing is passed. */
static enum outcome take_in_child(int fd, const char *path, const char *names)
{
    size_t n = names != NULL ? 1 : 0;
    int status;
    pid_t pid = fork();

    for (const char *at = names; at != NULL && (at = strchr(at, ':')) != NULL; at++)
        n++;
    assert_true(pid >= 0);
    if (pid == 0) {
        char text[32];

        if (names != NULL) {
            snprintf(text, sizeof(text), "%d", getpid());
            setenv("LISTEN_PID", text, 1);
            snprintf(text, sizeof(text), "%zu", n);
            setenv("LISTEN_FDS", text, 1);
            setenv("LISTEN_FDNAMES", names, 1);
            fd = fcntl(fd, F_DUPFD, FIRST_PASSED_FD + (int)n);
            for (size_t i = 0; i < n; i++)
                if (dup2(fd, FIRST_PASSED_FD + (int)i) < 0)
                    _exit(TOOK_IT_WRONGLY);
        }
        _exit((int)take(path, n));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return (enum outcome)WEXITSTATUS(status);
}

static int bind_at(const char *path, bool listens)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    strcpy(address.sun_path, path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    if (listens)
        assert_int_equal(listen(fd, 1), 0);
    return fd;
}

static void test_listen(void **state)
{
    char directory[] = "/tmp/understudy-test-XXXXXX";
    char path[64];
    int fd;

    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/socket", directory);
    assert_int_equal(take_in_child(-1, path, NULL), TOOK_NONE);
    fd = bind_at(path, true);
    assert_int_equal(take_in_child(fd, path, "api"), TOOK_ONE);
    assert_int_equal(take_in_child(fd, path, "api-ro"), TOOK_READ_ONLY);
    assert_int_equal(take_in_child(fd, path, "api:api-ro"), TOOK_BOTH);
    assert_int_equal(take_in_child(fd, path, "api-ro:api:api"), TOOK_BOTH);
    /* What its clients may do is not guessed. */
    assert_int_equal(take_in_child(fd, path, "unknown"), NO_SUCH_NAME);
    assert_int_equal(take_in_child(fd, path, "api:understudyd-ro.socket"), NO_SUCH_NAME);
    close(fd);
    unlink(path);
    fd = bind_at(path, false);
    assert_int_equal(take_in_child(fd, path, "api:api-ro"), NO_SOCKET);
    close(fd);
    unlink(path);
    fd = open("/dev/null", O_RDONLY);
    assert_int_equal(take_in_child(fd, path, "api-ro"), NO_SOCKET);
    close(fd);
    rmdir(directory);
}

static void on_shutdown(void *context, bool is_shutting_down)
{
    (void)is_shutting_down;
    *(bool *)context = true;
}

/* A bus that answers nothing, and none at all: neither may hold up the loop, or tell anything. */
static void test_host_without_a_bus(void **state)
{
    static const bool listens[] = {true, false};
    char directory[] = "/tmp/understudy-test-XXXXXX";
    char address[128], path[64];

    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/bus", directory);
    snprintf(address, sizeof(address), "unix:path=%s", path);
    setenv("DBUS_SYSTEM_BUS_ADDRESS", address, 1);
    for (size_t i = 0; i < ELEMENTS_OF(listens); i++) {
        struct event_base *base = loop_new();
        int fd = listens[i] ? bind_at(path, true) : -1;
        struct host *host = NULL;
        bool was_told = false;

        assert_int_equal(host_new(base, on_shutdown, &was_told, &host), 0);
        loop_drain(base);
        assert_false(was_told);
        host_free(host);
        event_base_free(base);
        if (fd >= 0)
            close(fd);
        unlink(path);
    }
    rmdir(directory);
    host_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_listen),
        cmocka_unit_test(test_host_without_a_bus),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
