/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Programs that run one after the other: the part that hooks and fence agents have in common. Each step is taken from
 * the event loop, on a clean stack, when the program before is gone; so no owner is called back from within a call of
 * its own. Knows neither hooks nor fencing.
 */
#ifndef UNDERSTUDY_HOOKS_SEQUENCE_H
#define UNDERSTUDY_HOOKS_SEQUENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "hooks/process.h"

struct event;
struct sequence;

struct sequence_type {
    /* No program runs: starts the next one with sequence_run, or ends the sequence with sequence_end. */
    void (*step)(struct sequence *sequence);
    void (*line)(struct sequence *sequence, const char *text);
    /* The program has ended; error and message as of struct process_callbacks. May call sequence_end. */
    void (*ended)(struct sequence *sequence, int error, const char *message);
    /* Releases the whole object, which ends with sequence_done. */
    void (*free)(struct sequence *sequence);
};

/* The head of a larger object. The rest belongs to sequence.c. */
struct sequence {
    const struct sequence_type *type;
    struct event_base *base;
    LIST_ENTRY(sequence) link;
    struct process *process; /* NULL: none runs */
    struct event *step;
    bool is_over; /* only a program that was killed has still to go */
};

LIST_HEAD(sequence_list, sequence);

/* Pairs with sequence_done. -ENOMEM. */
int sequence_init(struct sequence *sequence, struct event_base *base, const struct sequence_type *type) _must_check_;

/* Enters the list; the first step comes from the event loop. */
void sequence_begin(struct sequence *sequence, struct sequence_list *list);

/* From a step: as process_start. */
int sequence_run(struct sequence *sequence, const struct program *program, char *ret_message) _must_check_;

/* From `ended`: as process_exit_status. */
int sequence_exit_status(const struct sequence *sequence);

/* Freed at once, or when the program under way is gone. Not to be used after this. */
void sequence_end(struct sequence *sequence);

/* Releases what sequence_init made, and kills a program that still runs. Takes one that is all zero. */
void sequence_done(struct sequence *sequence);

size_t sequence_list_count(const struct sequence_list *list);

/* Frees every sequence of the list; no callback comes after this. */
void sequence_list_free(struct sequence_list *list);

#endif
