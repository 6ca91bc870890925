/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Non-blocking connects, and one poll for all of them. */
#include "hypervisor/reach.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/moment.h"
#include "service/clock.h"

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* The connects under way; an fd of -1 is one that is over. */
struct attempts {
    struct pollfd polls[REACH_MAX];
    size_t count;
    int error;      /* of the last one that failed; 0: none did */
    bool was_tried; /* of some address, it is the answer of the network or of the machine */
};

static void attempts_done(struct attempts *attempts)
{
    for (size_t i = 0; i < attempts->count; i++)
        if (attempts->polls[i].fd >= 0)
            close(attempts->polls[i].fd);
}

static bool parse(const char *text, unsigned port, union address *ret)
{
    *ret = (union address){0};
    if (inet_pton(AF_INET, text, &ret->v4.sin_addr) == 1) {
        ret->v4.sin_family = AF_INET;
        ret->v4.sin_port = htons((uint16_t)port);
        return true;
    }
    if (inet_pton(AF_INET6, text, &ret->v6.sin6_addr) == 1) {
        ret->v6.sin6_family = AF_INET6;
        ret->v6.sin6_port = htons((uint16_t)port);
        return true;
    }
    return false;
}

/*
 * From here, a loopback address would be this host and not the guest; a link-local one needs an interface that is not
 * known.
 */
static bool is_usable(const char *text)
{
    union address address;
    uint32_t v4;

    if (!parse(text, 0, &address))
        return false;
    if (address.any.sa_family == AF_INET6)
        return !IN6_IS_ADDR_LOOPBACK(&address.v6.sin6_addr) && !IN6_IS_ADDR_LINKLOCAL(&address.v6.sin6_addr);
    v4 = ntohl(address.v4.sin_addr.s_addr);
    return v4 >> 24 != 127 && v4 >> 16 != 0xa9fe;
}

void addresses_add(struct addresses *addresses, const char *text)
{
    if (addresses->count == REACH_MAX || strlen(text) >= REACH_TEXT_SIZE || !is_usable(text))
        return;
    for (size_t i = 0; i < addresses->count; i++)
        if (strcmp(addresses->items[i], text) == 0)
            return;
    strcpy(addresses->items[addresses->count++], text);
}

/* 0: accepted at once. -EINPROGRESS: *ret_fd is under way. */
static int begin(const char *text, unsigned port, int *ret_fd)
{
    union address address;
    int fd, r;

    if (!parse(text, port, &address))
        return -EINVAL;
    fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, &address.any, sizeof(address)) == 0)
        r = 0;
    else
        r = -errno;
    if (r == -EINPROGRESS)
        *ret_fd = fd;
    else
        close(fd);
    return r;
}

/* True: one has been accepted. Those that were refused are over. */
static bool look_at_results(struct attempts *attempts)
{
    for (size_t i = 0; i < attempts->count; i++) {
        struct pollfd *attempt = &attempts->polls[i];
        int error = 0;
        socklen_t size = sizeof(error);

        if (attempt->fd < 0 || attempt->revents == 0)
            continue;
        if (getsockopt(attempt->fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0)
            return true;
        attempts->error = error;
        close(attempt->fd);
        attempt->fd = -1;
    }
    return false;
}

static bool are_all_over(const struct attempts *attempts)
{
    for (size_t i = 0; i < attempts->count; i++)
        if (attempts->polls[i].fd >= 0)
            return false;
    return true;
}

/* False: no address accepted in time. */
static bool wait_for_one(struct attempts *attempts, int64_t timeout_us)
{
    int64_t until_us = clock_now().mono_us + timeout_us;

    while (!are_all_over(attempts)) {
        int64_t left_us = until_us - clock_now().mono_us;
        int n = left_us > 0 ? poll(attempts->polls, attempts->count, (int)(left_us / 1000) + 1) : 0;

        if (n == 0 || (n < 0 && errno != EINTR))
            return false;
        if (n > 0 && look_at_results(attempts))
            return true;
    }
    return false;
}

/* This host has no network that leads there, or no means: nothing is learned of the other side. */
static bool is_own_fault(int error)
{
    return error == -ENETUNREACH || error == -EAFNOSUPPORT || error == -EACCES || error == -EPERM || error == -EMFILE ||
           error == -ENFILE || error == -ENOBUFS || error == -ENOMEM;
}

int reach_any(const struct addresses *addresses, unsigned port, int64_t timeout_us, char *message, size_t size)
{
    _cleanup_(attempts_done) struct attempts attempts = {0};

    for (size_t i = 0; i < addresses->count; i++) {
        struct pollfd *attempt = &attempts.polls[attempts.count];
        int r = begin(addresses->items[i], port, &attempt->fd);

        if (r == 0)
            return 0;
        attempts.was_tried |= !is_own_fault(r);
        if (r != -EINPROGRESS) {
            attempts.error = -r;
            continue;
        }
        attempt->events = POLLOUT;
        attempts.count++;
    }
    if (wait_for_one(&attempts, timeout_us))
        return 0;
    if (!attempts.was_tried) {
        snprintf(message, size, "port %u cannot be tried from here: %s", port, strerror(attempts.error));
        return -ENETUNREACH;
    }
    snprintf(message, size, "nothing accepts connections on port %u of %s%s: %s", port,
             addresses->count > 0 ? addresses->items[0] : "no address", addresses->count > 1 ? " and others" : "",
             attempts.error != 0 && are_all_over(&attempts) ? strerror(attempts.error) : "no answer");
    return -EAGAIN;
}
