/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Preloaded into a daemon under test: it is killed right before or after a call to libvirt, as by kill -9. DIE_AT is
 * "virDomainDefineXML before", with any of the functions here, or "virDomainDefineXML before 2" for its second call.
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libvirt/libvirt.h>

static void die_if_told(const char *function, const char *when)
{
    static atomic_int calls;
    const char *told = getenv("DIE_AT");
    char wanted_function[64], wanted_when[16];
    int wanted_call = 1;

    if (told == NULL || sscanf(told, "%63s %15s %d", wanted_function, wanted_when, &wanted_call) < 2 ||
        strcmp(wanted_function, function) != 0 || strcmp(wanted_when, when) != 0)
        return;
    if (atomic_fetch_add(&calls, 1) + 1 == wanted_call)
        kill(getpid(), SIGKILL);
}

#define PRELOAD(type, function, parameters, arguments)                                                                 \
    type function parameters                                                                                           \
    {                                                                                                                  \
        type(*call) parameters = (type(*) parameters)dlsym(RTLD_NEXT, #function);                                      \
        type result;                                                                                                   \
                                                                                                                       \
        die_if_told(#function, "before");                                                                              \
        result = call arguments;                                                                                       \
        die_if_told(#function, "after");                                                                               \
        return result;                                                                                                 \
    }

PRELOAD(virStorageVolPtr, virStorageVolCreateXML, (virStoragePoolPtr pool, const char *xml, unsigned int flags),
        (pool, xml, flags))
PRELOAD(int, virStorageVolUpload,
        (virStorageVolPtr volume, virStreamPtr stream, unsigned long long offset, unsigned long long length,
         unsigned int flags),
        (volume, stream, offset, length, flags))
PRELOAD(virDomainPtr, virDomainDefineXML, (virConnectPtr connection, const char *xml), (connection, xml))
PRELOAD(int, virDomainCreate, (virDomainPtr domain), (domain))
