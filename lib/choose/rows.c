/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows, and the books that go with them: which machine is in which, which are to be chosen anew, and who is spared. */
#include "choose/rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

void rows_done(struct rows *rows)
{
    columns_free(rows->specs);
    spared_done(&rows->spared);
    free(rows->needs);
    free(rows->slots);
    *rows = (struct rows){0};
}

int rows_reserve(struct rows *rows, uint32_t number)
{
    size_t room = (size_t)number + number / 2 + 64;
    struct slot **slots;

    if (number < rows->room)
        return 0;
    slots = reallocarray(rows->slots, room, sizeof(struct slot *));
    if (slots == NULL)
        return -ENOMEM;
    memset(&slots[rows->room], 0, (room - rows->room) * sizeof(struct slot *));
    rows->slots = slots;
    rows->room = room;
    return 0;
}

struct slot *rows_slots(const struct rows *rows, const struct machine *machine)
{
    return rows->slots[machine->number];
}

/* ---- what is to be looked at ---- */

void rows_touch(struct rows *rows, struct need *need)
{
    if (need->is_touched)
        return;
    need->is_touched = true;
    DL_APPEND2(rows->touched, need, prev_touched, next_touched);
}

static void untouch(struct rows *rows, struct need *need)
{
    if (!need->is_touched)
        return;
    need->is_touched = false;
    DL_DELETE2(rows->touched, need, prev_touched, next_touched);
}

static void set_unknown(struct rows *rows, struct row *row, bool is_unknown)
{
    if (row->is_unknown == is_unknown)
        return;
    row->is_unknown = is_unknown;
    if (is_unknown)
        DL_APPEND2(rows->unknown, row, prev_unknown, next_unknown);
    else
        DL_DELETE2(rows->unknown, row, prev_unknown, next_unknown);
}

void rows_doubt_all(struct rows *rows)
{
    struct row *row;

    for (size_t i = 0; i < rows->need_room; i++)
        if (rows->needs[i] != NULL)
            for (row = rows->needs[i]->rows; row != NULL; row = row->next) {
                set_unknown(rows, row, true);
            }
}

/* ---- slots ---- */

static void set_slot(struct rows *rows, struct row *row, size_t at, const struct machine *machine)
{
    row->slots[at] = (struct slot){.machine = machine, .row = row};
    DL_APPEND(rows->slots[machine->number], &row->slots[at]);
}

static void clear_slot(struct rows *rows, struct row *row, size_t at)
{
    DL_DELETE(rows->slots[row->slots[at].machine->number], &row->slots[at]);
}

/* Slots lie in an array: those behind a place move. */
static void move_slot(struct rows *rows, struct row *row, size_t from, size_t to)
{
    clear_slot(rows, row, from);
    set_slot(rows, row, to, row->slots[from].machine);
}

static void remove_slot(struct rows *rows, struct row *row, size_t at)
{
    clear_slot(rows, row, at);
    for (size_t i = at + 1; i < row->n_slots; i++)
        move_slot(rows, row, i, i - 1);
    row->n_slots--;
    rows_touch(rows, row->need);
    if (row->n_slots < ROW_TOLD && row->has_more)
        set_unknown(rows, row, true);
}

void rows_insert(struct rows *rows, struct row *row, size_t at, const struct machine *machine)
{
    if (row->n_slots == ROW_SLOTS) {
        clear_slot(rows, row, --row->n_slots);
        row->has_more = true;
    }
    for (size_t i = row->n_slots++; i > at; i--)
        move_slot(rows, row, i - 1, i);
    set_slot(rows, row, at, machine);
    rows_touch(rows, row->need);
}

void rows_withdraw(struct rows *rows, const struct machine *machine)
{
    struct slot *slot;

    while ((slot = rows_slots(rows, machine)) != NULL)
        remove_slot(rows, slot->row, (size_t)(slot - slot->row->slots));
}

static void empty(struct rows *rows, struct row *row)
{
    while (row->n_slots > 0)
        clear_slot(rows, row, --row->n_slots);
}

void rows_fill(struct rows *rows, struct row *row, const struct candidate *candidates, size_t n)
{
    empty(rows, row);
    row->has_more = n > ROW_SLOTS;
    for (; row->n_slots < n && row->n_slots < ROW_SLOTS; row->n_slots++)
        set_slot(rows, row, row->n_slots, candidates[row->n_slots].machine);
    set_unknown(rows, row, false);
    rows_touch(rows, row->need);
}

/* ---- who is spared ---- */

static void unspare(struct rows *rows, struct need *need)
{
    uint32_t number = need->spared;

    need->spared = NO_NUMBER;
    if (number != NO_NUMBER && spared_remove(&rows->spared, number))
        rows->turned(rows->context, number);
}

int rows_spare(struct rows *rows, struct need *need, const struct machine *only)
{
    uint32_t number = only != NULL ? only->number : NO_NUMBER;
    bool is_first = false;

    if (number != need->spared) {
        unspare(rows, need);
        if (only != NULL && spared_add(&rows->spared, number, &is_first) < 0)
            return -ENOMEM;
        need->spared = number;
        if (is_first)
            rows->turned(rows->context, number);
    }
    untouch(rows, need);
    return 0;
}

/* ---- needs and rows ---- */

static void need_free(struct rows *rows, struct need *need)
{
    unspare(rows, need);
    untouch(rows, need);
    rows->needs[need->entry] = NULL;
    rows->n_needs--;
    free(need);
}

static void row_free(struct rows *rows, struct row *row)
{
    struct need *need = row->need;

    empty(rows, row);
    set_unknown(rows, row, false);
    DL_DELETE(need->rows, row);
    rows->n_rows--;
    free(row);
    if (need->rows == NULL)
        need_free(rows, need);
}

static int get_need(struct rows *rows, uint32_t entry, struct need **ret)
{
    if (entry >= rows->need_room) {
        size_t room = (size_t)entry + entry / 2 + 16;
        struct need **needs = reallocarray(rows->needs, room, sizeof(struct need *));

        if (needs == NULL)
            return -ENOMEM;
        memset(&needs[rows->need_room], 0, (room - rows->need_room) * sizeof(struct need *));
        rows->needs = needs;
        rows->need_room = room;
    }
    *ret = rows->needs[entry];
    if (*ret != NULL)
        return 0;
    *ret = calloc(1, sizeof(**ret));
    if (*ret == NULL)
        return -ENOMEM;
    (*ret)->entry = entry;
    (*ret)->spared = NO_NUMBER;
    rows->needs[entry] = *ret;
    rows->n_needs++;
    return 0;
}

static int get_row(struct rows *rows, uint32_t entry, const struct pool_host *host, struct row **ret)
{
    struct need *need;
    struct row *row;
    int r = get_need(rows, entry, &need);

    if (r < 0)
        return r;
    for (row = need->rows; row != NULL; row = row->next) {
        if (row->host == host) {
            *ret = row;
            return 0;
        }
    }
    row = calloc(1, sizeof(*row));
    if (row == NULL) {
        if (need->rows == NULL)
            need_free(rows, need);
        return -ENOMEM;
    }
    row->need = need;
    row->host = host;
    DL_APPEND(need->rows, row);
    rows->n_rows++;
    set_unknown(rows, row, true);
    *ret = row;
    return 0;
}

/* ---- services ---- */

int rows_enter(struct rows *rows, struct service *service)
{
    uint32_t entry;
    int r = columns_add(rows->specs, machine_need(service->machine), &entry);

    if (r < 0)
        return r;
    r = get_row(rows, entry, pool_host_of(service->machine), &service->row);
    if (r < 0) {
        columns_remove(rows->specs, entry);
        return r;
    }
    DL_APPEND(service->row->services, service);
    service->row->n_services++;
    rows_touch(rows, service->row->need);
    return 0;
}

void rows_leave(struct rows *rows, struct service *service)
{
    struct row *row = service->row;

    DL_DELETE(row->services, service);
    rows_touch(rows, row->need);
    columns_remove(rows->specs, row->need->entry);
    if (--row->n_services == 0)
        row_free(rows, row);
}

bool rows_is_right(const struct rows *rows, const struct service *service)
{
    return columns_has(rows->specs, service->row->need->entry, machine_need(service->machine));
}
