/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What went wrong with the database: a number for the program, words for a person. */
#ifndef UNDERSTUDY_DAEMON_STORE_FAULT_H
#define UNDERSTUDY_DAEMON_STORE_FAULT_H

#include <stdbool.h>

#include "base/cleanup.h"

#define FAULT_WORDS_SIZE 512

struct sqlite3;

/* A plain value, of fixed size so that reporting a fault cannot fail. */
struct fault {
    int error;       /* negative errno; 0: no fault */
    bool is_damaged; /* the file does not hold a sound database */
    bool is_missing; /* the open file no longer has its name */
    char words[FAULT_WORDS_SIZE];
};

/* Fills *ret_fault with what sqlite3 said while `doing` ("write", "open") to the file. Returns its error. */
int fault_of_sqlite(struct fault *ret_fault, struct sqlite3 *db, int code, const char *doing, const char *path);

/* Fills *ret_fault with an error that is not sqlite3's. Returns the error. */
int fault_set(struct fault *ret_fault, int error, const char *format, ...) _printf_(3, 4);

#endif
