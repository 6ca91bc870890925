/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Preloaded: makes the kernel look like one before Linux 6.15, which does not tell how the process of a pidfd has ended. */
#include <errno.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* PIDFD_GET_INFO of <linux/pidfd.h>; its size, which is part of the number, has grown since. */
#define PIDFS_IOCTL_MAGIC 0xFF
#define GET_INFO          11

int ioctl(int fd, unsigned long request, ...)
{
    va_list rest;
    void *argument;

    va_start(rest, request);
    argument = va_arg(rest, void *);
    va_end(rest);
    if (_IOC_TYPE(request) == PIDFS_IOCTL_MAGIC && _IOC_NR(request) == GET_INFO) {
        errno = ENOTTY;
        return -1;
    }
    return (int)syscall(SYS_ioctl, fd, request, argument);
}
