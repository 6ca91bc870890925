/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside lib/choose, for the plan: served machines in rows, and of each row the first few of its candidates. Keeps both
 * together while machines come and go; compares no two, and judges none.
 */
#ifndef UNDERSTUDY_CHOOSE_ROWS_H
#define UNDERSTUDY_CHOOSE_ROWS_H

#include "choose/candidate.h"
#include "similarity/columns.h"

/* So many of a row are kept: two are told, and the others spare it being chosen anew when one of these goes. */
#define ROW_SLOTS 4
#define ROW_TOLD  2

#define NO_NUMBER UINT32_MAX

struct row;

/* A candidate in a row. */
struct slot {
    const struct machine *machine;
    struct row *row;
    struct slot *prev, *next; /* of the same machine */
};

/* A served machine. */
struct service {
    const struct machine *machine;
    struct row *row;
    struct service *prev, *next; /* of the same row */
};

/* Served machines that need the same, on one host. */
struct row {
    struct need *need;
    const struct pool_host *host;
    struct service *services;
    size_t n_services;
    struct slot slots[ROW_SLOTS]; /* the best first */
    size_t n_slots;
    bool has_more; /* there may be others, and they are not as good */
    bool is_unknown;
    struct row *prev, *next;                 /* of the same need */
    struct row *prev_unknown, *next_unknown; /* to be chosen anew */
};

/* A specification that served machines have. */
struct need {
    uint32_t entry; /* of the columns */
    struct row *rows;
    uint32_t spared; /* by it, a machine by its number, which may have left since; NO_NUMBER: none */
    bool is_touched; /* whether it has one candidate is to be looked at */
    struct need *prev_touched, *next_touched;
};

/* A plain value: initialise with {0}, end with rows_done. */
struct rows {
    struct columns *specs; /* of needs, counted by served machines; NULL: there are no weights yet */
    struct slot **slots;   /* by the number of a machine: its places */
    size_t room;
    struct need **needs; /* by entry of the specs */
    size_t need_room;
    struct need *touched;
    struct row *unknown;
    size_t n_needs, n_rows;
    struct spared spared;
    void (*turned)(void *context, uint32_t machine); /* told of one that is spared now, or no longer */
    void *context;
};

/* When no machine is served any more. */
void rows_done(struct rows *rows);

/* Machines of this number may be in slots. -ENOMEM. */
int rows_reserve(struct rows *rows, uint32_t number) _must_check_;
/* Of a number that is reserved: the first of its places; NULL: it stands in no row. */
struct slot *rows_slots(const struct rows *rows, const struct machine *machine);

/* The machine of the service is served from now on. -ENOMEM changes nothing. */
int rows_enter(struct rows *rows, struct service *service) _must_check_;
/* The machine may have been freed. */
void rows_leave(struct rows *rows, struct service *service);
/* It is in the row of what its machine needs. */
bool rows_is_right(const struct rows *rows, const struct service *service);

/* Whether it has one candidate is to be looked at. */
void rows_touch(struct rows *rows, struct need *need);
/* All rows are to be chosen anew. */
void rows_doubt_all(struct rows *rows);

/* Puts a machine that is in no slot of the row before the one that is there; the last has to make place. */
void rows_insert(struct rows *rows, struct row *row, size_t at, const struct machine *machine);
/* Takes a machine out of all rows; one that has too few left is to be chosen anew. */
void rows_withdraw(struct rows *rows, const struct machine *machine);
/* The row has been chosen: these, the best first, and as many as there are up to one more than it holds. */
void rows_fill(struct rows *rows, struct row *row, const struct candidate *candidates, size_t n);

/* The need has this as its only candidate; NULL: none, or several. It is touched no longer. -ENOMEM: it is still. */
int rows_spare(struct rows *rows, struct need *need, const struct machine *only) _must_check_;

#endif
