/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A guest with programs and files, and an agent that allows some commands: what an interview is held with. It fails the
 * test where something is asked for that is not allowed.
 */
#ifndef UNDERSTUDY_TESTS_GUEST_AGENT_H
#define UNDERSTUDY_TESTS_GUEST_AGENT_H

#include "discovery/interview.h"
#include "support.h"

#define ALL_COMMANDS  " guest-exec guest-exec-status guest-file-open guest-file-read guest-file-close "
#define FILE_COMMANDS " guest-file-open guest-file-read guest-file-close "

/* A path, or all words of a program with blanks between, and what it holds or prints. */
struct thing {
    const char *name, *text;
    int exit_code;
};

struct mount {
    const char *mountpoint, *type;
};

struct agent {
    const char *commands; /* allowed ones, with blanks between and around */
    const char *osinfo, *frozen;
    const struct thing *things;  /* ends with a name that is NULL */
    const struct mount *mounts;  /* ends with a mountpoint that is NULL; NULL: none */
    size_t part;                 /* of a file at once; 0: as much as was asked for */
    const struct thing *current; /* the program or file that was opened last */
    size_t at;
    unsigned polls; /* until a program has ended */
    char log[4096]; /* what was asked for */
};

/* Up to the end of the interview. */
void agent_ask_all(struct agent *agent, struct interview *interview);

#define OFFERS_SIZE 4096

/* "kind/value kind/value" */
void list_offers(const struct guest *guest, char ret[static OFFERS_SIZE]);
void assert_offers(const struct guest *guest, const char *expected);

#endif
