/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The least that can be done: waits on a pidfd for the end of one QEMU, whatever it may mean, and starts or resumes one domain.
 *
 * usage: bench_bare_client PIDFILE DOMAIN
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <libvirt/libvirt.h>

int main(int argc, char **argv)
{
    FILE *file = argc == 3 ? fopen(argv[1], "r") : NULL;
    virConnectPtr connection = virConnectOpen("qemu:///system");
    virDomainPtr domain = connection != NULL && argc == 3 ? virDomainLookupByName(connection, argv[2]) : NULL;
    struct pollfd wait = {.events = POLLIN};
    int pid;

    if (file == NULL || domain == NULL || fscanf(file, "%d", &pid) != 1)
        return EXIT_FAILURE;
    wait.fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (wait.fd < 0)
        return EXIT_FAILURE;
    puts("ready");
    fflush(stdout);
    while (poll(&wait, 1, -1) != 1)
        ;
    return (virDomainIsActive(domain) == 1 ? virDomainResume(domain) : virDomainCreate(domain)) == 0 ? EXIT_SUCCESS
                                                                                                     : EXIT_FAILURE;
}
