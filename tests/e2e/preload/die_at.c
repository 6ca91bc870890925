/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Preloaded into a daemon under test: it is killed right before or after a call to libvirt, as by kill -9. DIE_AT is
 * "virDomainDefineXML before", with any of the functions here.
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libvirt/libvirt.h>

static void die_if_told(const char *function, const char *when)
{
    const char *told = getenv("DIE_AT");
    size_t length = strlen(function);

    if (told != NULL && strncmp(told, function, length) == 0 && told[length] == ' ' &&
        strcmp(told + length + 1, when) == 0)
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
