/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Preloaded into a daemon under test: the kernel is one that does not tell how the process of a pidfd has ended, as those
 * before Linux 6.13 are.
 */
#include <errno.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PIDFD_IOCTLS 0xFF

int ioctl(int fd, unsigned long request, ...)
{
    va_list arguments;
    void *argument;

    if (_IOC_TYPE(request) == PIDFD_IOCTLS) {
        errno = ENOTTY;
        return -1;
    }
    va_start(arguments, request);
    argument = va_arg(arguments, void *);
    va_end(arguments);
    return (int)syscall(SYS_ioctl, fd, request, argument);
}
