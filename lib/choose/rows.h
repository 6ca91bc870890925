/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside lib/choose, for the plan: served machines in rows, and of each row the first few of its candidates. Keeps both
 * together while machines come and go; compares no two, and judges none. Machines, rows, slots and needs have numbers,
 * and refer to each other by them: there is a row for nearly each served machine.
 */
#ifndef UNDERSTUDY_CHOOSE_ROWS_H
#define UNDERSTUDY_CHOOSE_ROWS_H

#include "base/number_set.h"
#include "choose/candidate.h"
#include "similarity/columns.h"

/* So many of a row are kept: two are told, and the others spare it being chosen anew when one of these goes. */
#define ROW_SLOTS 4
#define ROW_TOLD  2

/* A candidate in a row; slot `at` of a row has the number row * ROW_SLOTS + at. */
struct slot {
    uint32_t machine;
    uint32_t previous, next; /* of the same machine; NUMBER_NONE: it is the first, the last */
};

/* Served machines that need the same under one policy, on one host, and give it back the same memory when they fail. */
struct row {
    const struct pool_host *host;
    uint64_t given_kib;
    uint32_t need;
    uint32_t next;                /* of the same need, or among the free ones; NUMBER_NONE: it is the last */
    uint32_t served;              /* the first of its machines */
    uint32_t spared;              /* by it, a machine, which may have left since; NUMBER_NONE: none */
    struct slot slots[ROW_SLOTS]; /* the best first */
    uint16_t policy;              /* its number */
    uint8_t n_slots;
    bool has_more; /* there may be others, and they are not as good */
};

/* What rows have of one machine. */
struct rows_machine {
    uint32_t row;            /* in which it is served; NUMBER_NONE: in none */
    uint32_t previous, next; /* of those that this row serves */
    uint32_t slots;          /* the first of those that have it; NUMBER_NONE: none */
};

/* A specification that served machines have. */
struct need {
    uint32_t rows; /* the first; NUMBER_NONE: there is no such need */
};

/* A plain value: initialise with ROWS_EMPTY, end with rows_done. */
struct rows {
    struct columns *specs; /* of needs, counted by served machines; NULL: there are no weights yet */
    struct row *rows;
    size_t row_room, row_end; /* every row is below the end */
    uint32_t free_row;
    struct rows_machine *machines;
    size_t room;
    struct need *needs; /* by entry of the specs */
    size_t need_room;
    struct number_set unknown; /* rows that are to be chosen anew */
    struct number_set touched; /* rows: whether they have one candidate is to be looked at */
    size_t n_needs, n_rows;
    struct spared spared;
    void (*turned)(void *context, uint32_t machine); /* told of one that is spared now, or no longer */
    void *context;
};

#define ROWS_EMPTY ((struct rows){.free_row = NUMBER_NONE})

void rows_done(struct rows *rows);

/* Machines of this number may be in rows. -ENOMEM. */
int rows_reserve(struct rows *rows, uint32_t number) _must_check_;

/* The row in which a machine is served; NUMBER_NONE: in none. */
uint32_t rows_row_of(const struct rows *rows, const struct machine *machine);
/* The first slot of a machine; NUMBER_NONE: it stands in no row. */
uint32_t rows_slots(const struct rows *rows, const struct machine *machine);
const struct slot *rows_slot(const struct rows *rows, uint32_t slot);
bool rows_is_unknown(const struct rows *rows, uint32_t row);
/* Needs by number: start with 0; NUMBER_NONE ends it. */
uint32_t rows_next_need(const struct rows *rows, uint32_t from);

/* The machine, whose number is reserved, is served from now on. -ENOMEM changes nothing. */
int rows_enter(struct rows *rows, const struct machine *machine) _must_check_;
/* It is served no longer, if it was. */
void rows_leave(struct rows *rows, const struct machine *machine);
/* It is in the row of what it needs, of its policy, and of what it gives back. */
bool rows_is_right(const struct rows *rows, const struct machine *machine);

/* Whether the row of this served machine has one candidate is to be looked at; nothing where it is not served. */
void rows_touch_row_of(struct rows *rows, const struct machine *machine);
/* All rows are to be chosen anew; or those of which `is_meant` says so. */
void rows_doubt_all(struct rows *rows);
void rows_doubt_where(struct rows *rows, bool (*is_meant)(const void *context, const struct row *row),
                      const void *context);

/* Puts a machine that is in no slot of the row before the one that is there; the last has to make place. */
void rows_insert(struct rows *rows, uint32_t row, size_t at, const struct machine *machine);
/* Takes a machine out of all rows; one that has too few left is to be chosen anew. */
void rows_withdraw(struct rows *rows, const struct machine *machine);
/* The row has been chosen: these, the best first, and as many as there are up to one more than it holds. */
void rows_fill(struct rows *rows, uint32_t row, const struct candidate *candidates, size_t n);

/* The row has this as its only candidate; NULL: none, or several. It is touched no longer. -ENOMEM: it is still. */
int rows_spare(struct rows *rows, uint32_t row, const struct machine *only) _must_check_;

#endif
