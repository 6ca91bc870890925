/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A whole file, or why not. */
#include "files/text_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_MAX_BYTES ((size_t)4 << 20)

static void tell_unreadable(struct diags *diags, const char *path, int error)
{
    diags_add(diags, DIAG_ERROR, path, 0, 0, "cannot be read: %s%s", strerror(-error),
              error == -EACCES ? "; the user understudy must be able to read it: chown root:understudy, and chmod 0640"
                               : "");
}

int text_file_read(const char *path, struct diags *diags, char **ret, size_t *ret_length)
{
    _cleanup_(fclosep) FILE *file = fopen(path, "re");
    _cleanup_(freep) char *text = NULL;
    size_t length;

    if (file == NULL) {
        int r = -errno;

        tell_unreadable(diags, path, r);
        return r;
    }
    text = malloc(SIZE_MAX_BYTES + 1);
    if (text == NULL)
        return -ENOMEM;
    errno = 0;
    length = fread(text, 1, SIZE_MAX_BYTES + 1, file);
    if (ferror(file)) {
        int r = errno != 0 ? -errno : -EIO;

        tell_unreadable(diags, path, r);
        return r;
    }
    if (length > SIZE_MAX_BYTES) {
        diags_add(diags, DIAG_ERROR, path, 0, 0, "is larger than 4 MiB, which is too much");
        return -EFBIG;
    }
    *ret = steal_pointer(&text);
    *ret_length = length;
    return 0;
}
