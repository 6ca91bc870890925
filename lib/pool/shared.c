/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compares paths with directories. Knows no file system. */
#include "pool/shared.h"

#include <string.h>

static bool is_below(const char *path, const char *directory)
{
    size_t length = strlen(directory);

    while (length > 0 && directory[length - 1] == '/')
        length--;
    return strncmp(path, directory, length) == 0 && path[length] == '/';
}

bool shared_covers(const struct string_list *directories, const struct disk *disk)
{
    for (size_t i = 0; i < directories->count; i++)
        if (is_below(disk_identity(disk), directories->items[i]) || is_below(disk->source, directories->items[i]))
            return true;
    return false;
}

bool shared_is_otherwise(const struct string_list *directories, const struct domain_description *description)
{
    for (uint32_t i = 0; i < description->n_disks; i++)
        if (description->disks[i].is_declared != shared_covers(directories, &description->disks[i]))
            return true;
    return false;
}

void shared_declare(const struct string_list *directories, struct domain_description *description)
{
    for (uint32_t i = 0; i < description->n_disks; i++)
        description->disks[i].is_declared = shared_covers(directories, &description->disks[i]);
}
