/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looks at files, opens none. Knows nothing of how programs run. */
#include "hooks/listing.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const no_hooks[] = {".*", "*~", "*.dpkg-*", "*.rpm*", "*.sample", "*.disabled"};

static int is_hook(const struct dirent *entry)
{
    for (size_t i = 0; i < ELEMENTS_OF(no_hooks); i++)
        if (fnmatch(no_hooks[i], entry->d_name, 0) == 0)
            return 0;
    return 1;
}

/* Not alphasort, whose order depends on the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int append_name(struct listing *listing, const char *name)
{
    char **names = reallocarray(listing->names, listing->count + 1, sizeof(*names));

    if (names == NULL)
        return -ENOMEM;
    listing->names = names;
    names[listing->count] = strdup(name);
    if (names[listing->count] == NULL)
        return -ENOMEM;
    listing->count++;
    return 0;
}

int listing_read(const char *directory, struct listing *ret)
{
    _cleanup_(listing_done) struct listing listing = {0};
    struct dirent **entries = NULL;
    int count = scandir(directory, &entries, is_hook, by_name);
    int r = 0;

    if (count < 0 && errno != ENOENT)
        return -errno;
    for (int i = 0; i < count; i++) {
        if (r == 0)
            r = append_name(&listing, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    if (r < 0)
        return r;
    *ret = listing;
    listing = (struct listing){0};
    return 0;
}

int listing_of_one(const char *name, struct listing *ret)
{
    _cleanup_(listing_done) struct listing listing = {0};
    int r = append_name(&listing, name);

    if (r < 0)
        return r;
    *ret = listing;
    listing = (struct listing){0};
    return 0;
}

void listing_done(struct listing *listing)
{
    for (size_t i = 0; i < listing->count; i++)
        free(listing->names[i]);
    free(listing->names);
    *listing = (struct listing){0};
}

/* The reason not to trust a file with the daemon's rights, or NULL. */
static const char *why_distrusted(const struct stat *file)
{
    if (file->st_uid != 0 && file->st_uid != geteuid())
        return "belongs to another user";
    if (file->st_mode & (S_IWGRP | S_IWOTH))
        return "writable by other users";
    return NULL;
}

static const char *why_not_run(const struct stat *file)
{
    if (!S_ISREG(file->st_mode))
        return "not a regular file";
    if (!(file->st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)))
        return "not executable";
    return why_distrusted(file);
}

static int check(const char *path, const char *(*why)(const struct stat *), const char **ret_why)
{
    struct stat file;
    const char *reason;

    if (stat(path, &file) < 0) {
        *ret_why = strerrordesc_np(errno);
        return -errno;
    }
    reason = why(&file);
    if (reason == NULL)
        return 0;
    *ret_why = reason;
    return -EPERM;
}

int listing_check_program(const char *path, const char **ret_why)
{
    return check(path, why_not_run, ret_why);
}

int listing_check_directory(const char *path, const char **ret_why)
{
    return check(path, why_distrusted, ret_why);
}

static bool is_executable(const struct stat *file)
{
    return S_ISREG(file->st_mode) && (file->st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0;
}

bool listing_is_stray_program(const char *path)
{
    struct stat file;

    return stat(path, &file) == 0 && is_executable(&file);
}

bool listing_is_meant(const char *path)
{
    struct stat file;

    return stat(path, &file) < 0 || is_executable(&file);
}
