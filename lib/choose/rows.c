/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows, and the books that go with them: which machine is in which, which are to be chosen anew, and who is spared. */
#include "choose/rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void rows_done(struct rows *rows)
{
    columns_free(rows->specs);
    spared_done(&rows->spared);
    number_set_done(&rows->unknown);
    number_set_done(&rows->touched);
    free(rows->rows);
    free(rows->machines);
    free(rows->needs);
    *rows = ROWS_EMPTY;
}

/* Little of it is empty, as in base/interned. */
static size_t larger(size_t room)
{
    return room + room / 4 + 16;
}

int rows_reserve(struct rows *rows, uint32_t number)
{
    size_t room = larger(number);
    struct rows_machine *machines;

    if (number < rows->room)
        return 0;
    machines = reallocarray(rows->machines, room, sizeof(*machines));
    if (machines == NULL)
        return -ENOMEM;
    for (size_t i = rows->room; i < room; i++)
        machines[i] = (struct rows_machine){.row = NUMBER_NONE, .slots = NUMBER_NONE};
    rows->machines = machines;
    rows->room = room;
    return 0;
}

/* ---- to be read ---- */

uint32_t rows_row_of(const struct rows *rows, const struct machine *machine)
{
    return machine->number < rows->room ? rows->machines[machine->number].row : NUMBER_NONE;
}

uint32_t rows_slots(const struct rows *rows, const struct machine *machine)
{
    return machine->number < rows->room ? rows->machines[machine->number].slots : NUMBER_NONE;
}

static struct slot *slot_at(const struct rows *rows, uint32_t slot)
{
    return &rows->rows[slot / ROW_SLOTS].slots[slot % ROW_SLOTS];
}

const struct slot *rows_slot(const struct rows *rows, uint32_t slot)
{
    return slot_at(rows, slot);
}

bool rows_is_unknown(const struct rows *rows, uint32_t row)
{
    return number_set_has(&rows->unknown, row);
}

uint32_t rows_next_need(const struct rows *rows, uint32_t from)
{
    for (size_t need = from; need < rows->need_room; need++)
        if (rows->needs[need].rows != NUMBER_NONE)
            return (uint32_t)need;
    return NUMBER_NONE;
}

/* ---- what is to be looked at ---- */

void rows_touch_row_of(struct rows *rows, const struct machine *machine)
{
    uint32_t row = rows_row_of(rows, machine);

    if (row != NUMBER_NONE)
        number_set_add(&rows->touched, row);
}

static void touch(struct rows *rows, uint32_t row)
{
    number_set_add(&rows->touched, row);
}

void rows_doubt_where(struct rows *rows, bool (*is_meant)(const void *context, const struct row *row),
                      const void *context)
{
    for (uint32_t need = 0; (need = rows_next_need(rows, need)) != NUMBER_NONE; need++)
        for (uint32_t row = rows->needs[need].rows; row != NUMBER_NONE; row = rows->rows[row].next)
            if (is_meant(context, &rows->rows[row]))
                number_set_add(&rows->unknown, row);
}

static bool is_any(const void *context, const struct row *row)
{
    (void)context;
    (void)row;
    return true;
}

void rows_doubt_all(struct rows *rows)
{
    rows_doubt_where(rows, is_any, NULL);
}

/* ---- slots ---- */

static void set_slot(struct rows *rows, uint32_t row, size_t at, uint32_t machine)
{
    uint32_t number = row * ROW_SLOTS + (uint32_t)at, *first = &rows->machines[machine].slots;

    *slot_at(rows, number) = (struct slot){.machine = machine, .previous = NUMBER_NONE, .next = *first};
    if (*first != NUMBER_NONE)
        slot_at(rows, *first)->previous = number;
    *first = number;
}

static void clear_slot(struct rows *rows, uint32_t row, size_t at)
{
    const struct slot *slot = &rows->rows[row].slots[at];

    if (slot->next != NUMBER_NONE)
        slot_at(rows, slot->next)->previous = slot->previous;
    if (slot->previous != NUMBER_NONE)
        slot_at(rows, slot->previous)->next = slot->next;
    else
        rows->machines[slot->machine].slots = slot->next;
}

/* Slots lie in an array: those behind a place move. */
static void move_slot(struct rows *rows, uint32_t row, size_t from, size_t to)
{
    uint32_t machine = rows->rows[row].slots[from].machine;

    clear_slot(rows, row, from);
    set_slot(rows, row, to, machine);
}

static void remove_slot(struct rows *rows, uint32_t number, size_t at)
{
    struct row *row = &rows->rows[number];

    clear_slot(rows, number, at);
    for (size_t i = at + 1; i < row->n_slots; i++)
        move_slot(rows, number, i, i - 1);
    row->n_slots--;
    touch(rows, number);
    if (row->n_slots < ROW_TOLD && row->has_more)
        number_set_add(&rows->unknown, number);
}

void rows_insert(struct rows *rows, uint32_t number, size_t at, const struct machine *machine)
{
    struct row *row = &rows->rows[number];

    if (row->n_slots == ROW_SLOTS) {
        clear_slot(rows, number, --row->n_slots);
        row->has_more = true;
    }
    for (size_t i = row->n_slots++; i > at; i--)
        move_slot(rows, number, i - 1, i);
    set_slot(rows, number, at, machine->number);
    touch(rows, number);
}

void rows_withdraw(struct rows *rows, const struct machine *machine)
{
    uint32_t slot;

    while ((slot = rows_slots(rows, machine)) != NUMBER_NONE)
        remove_slot(rows, slot / ROW_SLOTS, slot % ROW_SLOTS);
}

static void empty(struct rows *rows, uint32_t number)
{
    struct row *row = &rows->rows[number];

    while (row->n_slots > 0)
        clear_slot(rows, number, --row->n_slots);
}

void rows_fill(struct rows *rows, uint32_t number, const struct candidate *candidates, size_t n)
{
    struct row *row = &rows->rows[number];

    empty(rows, number);
    row->has_more = n > ROW_SLOTS;
    for (; row->n_slots < n && row->n_slots < ROW_SLOTS; row->n_slots++)
        set_slot(rows, number, row->n_slots, candidates[row->n_slots].machine->number);
    number_set_remove(&rows->unknown, number);
    touch(rows, number);
}

/* ---- who is spared ---- */

static void unspare(struct rows *rows, uint32_t row)
{
    uint32_t machine = rows->rows[row].spared;

    rows->rows[row].spared = NUMBER_NONE;
    if (machine != NUMBER_NONE && spared_remove(&rows->spared, machine))
        rows->turned(rows->context, machine);
}

int rows_spare(struct rows *rows, uint32_t row, const struct machine *only)
{
    uint32_t machine = only != NULL ? only->number : NUMBER_NONE;
    bool is_first = false;

    if (machine != rows->rows[row].spared) {
        unspare(rows, row);
        if (only != NULL && spared_add(&rows->spared, machine, &is_first) < 0)
            return -ENOMEM;
        rows->rows[row].spared = machine;
        if (is_first)
            rows->turned(rows->context, machine);
    }
    number_set_remove(&rows->touched, row);
    return 0;
}

/* ---- needs and rows ---- */

static int reserve_need(struct rows *rows, uint32_t need)
{
    size_t room = larger(need);
    struct need *needs;

    if (need < rows->need_room)
        return 0;
    needs = reallocarray(rows->needs, room, sizeof(*needs));
    if (needs == NULL)
        return -ENOMEM;
    for (size_t i = rows->need_room; i < room; i++)
        needs[i] = (struct need){NUMBER_NONE};
    rows->needs = needs;
    rows->need_room = room;
    return 0;
}

static int reserve_row(struct rows *rows)
{
    size_t room = larger(rows->row_room);
    struct row *items;

    if (rows->free_row != NUMBER_NONE || rows->row_end < rows->row_room)
        return 0;
    if (number_set_reserve(&rows->unknown, room) < 0 || number_set_reserve(&rows->touched, room) < 0)
        return -ENOMEM;
    items = reallocarray(rows->rows, room, sizeof(*items));
    if (items == NULL)
        return -ENOMEM;
    rows->rows = items;
    rows->row_room = room;
    return 0;
}

/* After reserve_row. */
static uint32_t take_row(struct rows *rows)
{
    uint32_t number = rows->free_row;

    if (number == NUMBER_NONE)
        return (uint32_t)rows->row_end++;
    rows->free_row = rows->rows[number].next;
    return number;
}

/* Takes it out of its need, which goes with its last row. */
static void row_free(struct rows *rows, uint32_t number)
{
    struct row *row = &rows->rows[number];
    uint32_t need = row->need, *at = &rows->needs[need].rows;

    empty(rows, number);
    unspare(rows, number);
    number_set_remove(&rows->unknown, number);
    number_set_remove(&rows->touched, number);
    while (*at != number)
        at = &rows->rows[*at].next;
    *at = row->next;
    row->next = rows->free_row;
    rows->free_row = number;
    rows->n_rows--;
    rows->n_needs -= rows->needs[need].rows == NUMBER_NONE;
}

/* When it fails, to its host. */
static uint64_t given_kib(const struct machine *machine)
{
    return domain_description_host_memory_kib(machine->description);
}

/* After reserve_need and reserve_row. */
static uint32_t get_row(struct rows *rows, uint32_t need, uint16_t policy, const struct pool_host *host, uint64_t given)
{
    uint32_t first = rows->needs[need].rows, number;

    for (number = first; number != NUMBER_NONE; number = rows->rows[number].next)
        if (rows->rows[number].host == host && rows->rows[number].given_kib == given &&
            rows->rows[number].policy == policy)
            return number;
    number = take_row(rows);
    rows->rows[number] = (struct row){
        .host = host,
        .given_kib = given,
        .need = need,
        .policy = policy,
        .next = first,
        .served = NUMBER_NONE,
        .spared = NUMBER_NONE,
    };
    rows->needs[need].rows = number;
    rows->n_needs += first == NUMBER_NONE;
    rows->n_rows++;
    number_set_add(&rows->unknown, number);
    return number;
}

/* ---- served machines ---- */

static void link_served(struct rows *rows, uint32_t row, uint32_t machine)
{
    uint32_t *first = &rows->rows[row].served, next = *first;

    rows->machines[machine].row = row;
    rows->machines[machine].previous = NUMBER_NONE;
    rows->machines[machine].next = next;
    if (next != NUMBER_NONE)
        rows->machines[next].previous = machine;
    *first = machine;
}

static void unlink_served(struct rows *rows, uint32_t row, uint32_t machine)
{
    const struct rows_machine *links = &rows->machines[machine];

    if (links->next != NUMBER_NONE)
        rows->machines[links->next].previous = links->previous;
    if (links->previous != NUMBER_NONE)
        rows->machines[links->previous].next = links->next;
    else
        rows->rows[row].served = links->next;
    rows->machines[machine].row = NUMBER_NONE;
}

int rows_enter(struct rows *rows, const struct machine *machine)
{
    uint32_t need, row;

    if (reserve_row(rows) < 0 || columns_add(rows->specs, machine_need(machine), &need) < 0)
        return -ENOMEM;
    if (reserve_need(rows, need) < 0) {
        columns_remove(rows->specs, need);
        return -ENOMEM;
    }
    row = get_row(rows, need, pool_policy_number(machine), pool_host_of(machine), given_kib(machine));
    link_served(rows, row, machine->number);
    touch(rows, row);
    return 0;
}

void rows_leave(struct rows *rows, const struct machine *machine)
{
    uint32_t row = rows_row_of(rows, machine);

    if (row == NUMBER_NONE)
        return;
    unlink_served(rows, row, machine->number);
    touch(rows, row);
    columns_remove(rows->specs, rows->rows[row].need);
    if (rows->rows[row].served == NUMBER_NONE)
        row_free(rows, row);
}

bool rows_is_right(const struct rows *rows, const struct machine *machine)
{
    uint32_t row = rows_row_of(rows, machine);

    return row != NUMBER_NONE && rows->rows[row].given_kib == given_kib(machine) &&
           rows->rows[row].policy == pool_policy_number(machine) &&
           columns_has(rows->specs, rows->rows[row].need, machine_need(machine));
}
