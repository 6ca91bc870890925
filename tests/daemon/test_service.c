/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What systemd hands over and what the bus tells: a socket taken and served, and a bus that is not there. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
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
enum outcome { TOOK_IT, TOOK_NONE, REFUSED, TOOK_IT_WRONGLY };

static enum outcome take(const char *path)
{
    int fd = -2, r = listen_take(&fd);

    if (r < 0)
        return r == -ENOTSOCK && fd == -2 ? REFUSED : TOOK_IT_WRONGLY;
    if (fd < 0)
        return TOOK_NONE;
    if (fd != FIRST_PASSED_FD || (fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0 || (fcntl(fd, F_GETFL) & O_NONBLOCK) == 0 ||
        !listen_is_at(fd, path) || listen_is_at(fd, "/somewhere/else") || getenv("LISTEN_FDS") != NULL)
        return TOOK_IT_WRONGLY;
    /* A second one was passed too, and must be gone. */
    return fcntl(FIRST_PASSED_FD + 1, F_GETFD) < 0 && errno == EBADF ? TOOK_IT : TOOK_IT_WRONGLY;
}

/* Has a child take fd as systemd would pass it, and once more beside it; -1: nothing is passed. */
static enum outcome take_in_child(int fd, const char *path)
{
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        char self[32];

        if (fd >= 0) {
            snprintf(self, sizeof(self), "%d", getpid());
            setenv("LISTEN_PID", self, 1);
            setenv("LISTEN_FDS", "2", 1);
            fd = fcntl(fd, F_DUPFD, FIRST_PASSED_FD + 2);
            if (dup2(fd, FIRST_PASSED_FD) < 0 || dup2(fd, FIRST_PASSED_FD + 1) < 0)
                _exit(TOOK_IT_WRONGLY);
        }
        _exit((int)take(path));
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
    assert_int_equal(take_in_child(-1, path), TOOK_NONE);
    fd = bind_at(path, true);
    assert_int_equal(take_in_child(fd, path), TOOK_IT);
    close(fd);
    unlink(path);
    fd = bind_at(path, false);
    assert_int_equal(take_in_child(fd, path), REFUSED);
    close(fd);
    unlink(path);
    fd = open("/dev/null", O_RDONLY);
    assert_int_equal(take_in_child(fd, path), REFUSED);
    close(fd);
    rmdir(directory);
}

/* api.mode counts for nothing then, and the daemon says so where it differs. */
static void test_the_mode_of_a_socket_that_was_handed_over(void **state)
{
    char directory[] = "/tmp/understudy-test-XXXXXX";
    char path[64];
    uint32_t mode = 0;
    int fd;

    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/socket", directory);
    fd = bind_at(path, true);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(listen_get_mode(fd, &mode), 0);
    assert_int_equal(mode, 0640);
    unlink(path);
    assert_int_equal(listen_get_mode(fd, &mode), -ENOENT);
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
        cmocka_unit_test(test_the_mode_of_a_socket_that_was_handed_over),
        cmocka_unit_test(test_host_without_a_bus),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
