/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A directory of files that add to the catalog. */
#include "files/catalog_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "files/text_file.h"

static int add_file(struct catalog *catalog, const char *directory, const char *name, struct diags *diags)
{
    _cleanup_(freep) char *path = text_print("%s/%s", directory, name), *text = NULL;
    size_t length = 0;
    int r = path != NULL ? text_file_read(path, diags, &text, &length) : -ENOMEM;

    return r < 0 ? r : catalog_read(catalog, text, length, path, diags);
}

static int is_catalog(const struct dirent *entry)
{
    const char *end = strrchr(entry->d_name, '.');

    return entry->d_name[0] != '.' && end != NULL && strcmp(end, ".yaml") == 0;
}

static int add_directory(struct catalog *catalog, const char *directory, struct diags *diags)
{
    struct dirent **entries = NULL;
    int n = scandir(directory, &entries, is_catalog, alphasort), r = n < 0 ? -errno : 0;

    if (r == -ENOENT)
        return 0;
    if (r < 0 && r != -ENOMEM)
        diags_add(diags, DIAG_ERROR, directory, 0, 0, "cannot be read: %s", strerror(-r));
    for (int i = 0; i < n; i++) {
        if (r == 0)
            r = add_file(catalog, directory, entries[i]->d_name, diags);
        free(entries[i]);
    }
    free(entries);
    return r;
}

int catalog_files_load(const char *directory, struct diags *diags, struct catalog **ret)
{
    _cleanup_(catalog_freep) struct catalog *catalog = NULL;
    int r = catalog_new(&catalog);

    if (r == 0)
        r = catalog_read(catalog, (const char *)catalog_builtin, catalog_builtin_length, "catalog.yaml", diags);
    if (r == 0)
        r = add_directory(catalog, directory, diags);
    if (r < 0)
        return r;
    *ret = steal_pointer(&catalog);
    return 0;
}
