/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which commands the agent of a guest is sent, one short command after the other, and what is read from the answers. It
 * sends nothing itself: the caller sends each command, hands its answer back, and waits where it is told to.
 *
 * Only fixed commands are sent; nothing that the guest said becomes part of one but the numbers of its own processes and
 * files. A hostile agent can use at most INTERVIEW_COMMANDS_MAX commands and INTERVIEW_TEXT_MAX bytes.
 */
#ifndef UNDERSTUDY_DISCOVERY_INTERVIEW_H
#define UNDERSTUDY_DISCOVERY_INTERVIEW_H

#include "config/config.h"
#include "discovery/guest.h"
#include "model/description.h"

#define INTERVIEW_COMMANDS_MAX 600
#define INTERVIEW_TEXT_MAX     ((size_t)8 << 20)

enum interview_step {
    INTERVIEW_SEND, /* *ret_command, and hand its answer to interview_answer */
    INTERVIEW_WAIT, /* a moment, then ask for the next step */
    INTERVIEW_END,  /* all was asked that can be */
};

struct interview;

/* The catalog is borrowed. -ENOMEM. */
int interview_new(const struct catalog *catalog, enum software_mode mode, struct interview **ret) _must_check_;
/* Of nothing but the ports on which it listens. -ENOMEM. */
int interview_new_of_ports(enum software_mode mode, struct interview **ret) _must_check_;
void interview_free(struct interview *interview);
DEFINE_CLEANUP(struct interview, interview_free);

/* The command is borrowed until the next step. */
enum interview_step interview_next(struct interview *interview, const char **ret_command);

/* The answer to the command that was sent, as the agent gave it; NULL: there was none, or an error. */
void interview_answer(struct interview *interview, const char *answer);

/* What was learned so far. */
const struct guest *interview_guest(const struct interview *interview);

/* False: it did not answer, or its file systems are frozen, as by a backup: it is asked later. */
bool interview_was_possible(const struct interview *interview);

/* False: it still starts, or a way to learn of its system, packages, services or ports is allowed, and failed. */
bool interview_is_complete(const struct interview *interview);

/* Why not all could be learned. */
enum guest_lack interview_lack(const struct interview *interview);
/* For the administrator of the guest; NULL: nothing is missing. */
const char *interview_lack_sentence(enum guest_lack lack);
/* Why its ports could not be learned, as the clause of a sentence; NULL: they were. */
const char *interview_lack_of_ports(const struct interview *interview);

#endif
