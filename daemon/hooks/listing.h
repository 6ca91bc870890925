/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which files of a directory are hooks, and which programs may be run at all. */
#ifndef UNDERSTUDY_HOOKS_LISTING_H
#define UNDERSTUDY_HOOKS_LISTING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

/* A plain value: initialise with {0}, end with listing_done. Names in the order of strcmp. */
struct listing {
    char **names;
    size_t count;
};

/*
 * Reads the names in a directory, without those that are no hooks (editors' and package managers' leftovers,
 * samples). A directory that does not exist has none. Negative errno.
 */
int listing_read(const char *directory, struct listing *ret) _must_check_;

/* A listing of one name. -ENOMEM. */
int listing_of_one(const char *name, struct listing *ret) _must_check_;

void listing_done(struct listing *listing);

/*
 * Whether a program, or a directory of programs, can be trusted: 0 if it belongs to root or to the daemon's user, and
 * no other user may write it. Otherwise -EPERM, or the error of looking at it, with the reason in *ret_why.
 */
int listing_check_program(const char *path, const char **ret_why) _must_check_;
int listing_check_directory(const char *path, const char **ret_why) _must_check_;

/*
 * An executable file stands where only directories belong: it may be a veto that is meant. Any other file, and a
 * directory, is none of these.
 */
bool listing_is_stray_program(const char *path);

/*
 * A file in the directory of an event is meant to be a hook: it is executable, or it cannot be looked at, as the file that a
 * link leads to and that is missing. A file that is not executable, or a directory, is not.
 */
bool listing_is_meant(const char *path);

#endif
