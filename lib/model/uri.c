/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a libvirt connection URI says by itself. */
#include "model/uri.h"

#include <string.h>

bool uri_is_valid(const char *uri)
{
    const char *colon = strchr(uri, ':');

    return colon != NULL && colon != uri && strchr(uri, ' ') == NULL;
}

bool uri_is_local(const char *uri)
{
    const char *authority = strstr(uri, "://");

    return authority == NULL || authority[3] == '\0' || authority[3] == '/' || authority[3] == '?';
}
