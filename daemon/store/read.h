/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Recoveries that are to be read, or were: lists of them, which pass between the main thread and the one of the database. */
#ifndef UNDERSTUDY_DAEMON_STORE_READ_H
#define UNDERSTUDY_DAEMON_STORE_READ_H

#include <stddef.h>

#include "base/cleanup.h"
#include "store/fault.h"

struct stored;

struct read {
    struct read *next;
    char *before; /* as of load_before, and so is most */
    size_t most;
    struct stored *stored; /* NULL: it could not be read */
    struct fault fault;
};

void read_free(struct read *read);

/* Takes one, and gives it a place behind the others. */
void reads_append(struct read **list, struct read *read);
/* The caller's from then on; NULL: there is none. */
struct read *reads_take_first(struct read **list);
void reads_free(struct read **list);

#endif
