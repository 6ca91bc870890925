/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a libvirt connection URI says by itself. */
#include "model/uri.h"

#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

bool uri_is_valid(const char *uri)
{
    const char *colon = strchr(uri, ':');

    return colon != NULL && colon != uri && strchr(uri, ' ') == NULL;
}

bool uri_has_known_driver(const char *uri)
{
    /* https://libvirt.org/drivers.html, and older ones. */
    static const char *const drivers[] = {"qemu",         "test",     "xen",          "lxc",   "ch",  "bhyve",
                                          "vz",           "openvz",   "vbox",         "esx",   "gsx", "vpx",
                                          "vmwareplayer", "vmwarews", "vmwarefusion", "hyperv"};
    size_t length = strcspn(uri, "+:");

    for (size_t i = 0; i < ELEMENTS_OF(drivers); i++)
        if (strlen(drivers[i]) == length && strncasecmp(uri, drivers[i], length) == 0)
            return true;
    return false;
}

bool uri_is_local(const char *uri)
{
    const char *authority = strstr(uri, "://");

    return authority == NULL || authority[3] == '\0' || authority[3] == '/' || authority[3] == '?';
}

bool uri_is_system_qemu(const char *uri)
{
    static const char *const begins[] = {"qemu:///system", "qemu+unix:///system"};

    for (size_t i = 0; i < ELEMENTS_OF(begins); i++) {
        size_t length = strlen(begins[i]);

        if (strncmp(uri, begins[i], length) == 0 && (uri[length] == '\0' || uri[length] == '?'))
            return strstr(uri, "socket=") == NULL;
    }
    return false;
}
