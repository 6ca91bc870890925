/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The catalog of the program, with the files of an administrator over it. */
#ifndef UNDERSTUDY_DAEMON_CATALOG_FILES_H
#define UNDERSTUDY_DAEMON_CATALOG_FILES_H

#include "discovery/catalog.h"

#define CATALOG_DIRECTORY_DEFAULT UNDERSTUDY_SYSCONFDIR "/understudy/catalog.d"

/*
 * Reads the files that end in .yaml, in the order of their names. A directory that is not there adds nothing. -EINVAL: a
 * file is wrong, else as text_file_read; diags say what. -ENOMEM.
 */
int catalog_files_load(const char *directory, struct diags *diags, struct catalog **ret) _must_check_;

#endif
