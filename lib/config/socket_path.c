/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config/socket_path.h"

#include <string.h>

#include "base/text.h"

char *socket_path_read_only(const char *path)
{
    static const char suffix[] = ".sock";
    size_t length = strlen(path);
    size_t stem = length >= strlen(suffix) && strcmp(path + length - strlen(suffix), suffix) == 0
                      ? length - strlen(suffix)
                      : length;

    return text_print("%.*s" SOCKET_READ_ONLY_MARK "%s", (int)stem, path, path + stem);
}
