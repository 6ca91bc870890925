/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A look costs as much as there are machines, so that it is not taken after each event: once a second, and so rarely that
 * it takes no more than a hundredth of the time.
 */
#include "board.h"

#include <string.h>

#include "base/text.h"
#include "coordinator/coordinator.h"
#include "persistence.h"
#include "service/clock.h"
#include "settings.h"

#define PAUSE_US INT64_C(1000000)
#define SHARE    100

void board_done(struct board *board)
{
    problems_done(&board->problems);
}

static void tell(const struct board *board, enum notice_kind kind, const struct problem *problem, struct moment now)
{
    bool has_begun = kind == NOTICE_PROBLEM_BEGUN;
    struct notice notice = {
        .kind = kind,
        .at = now,
        .duration_us = -1,
        .text = text_print("%s%s: %s%s%s", has_begun ? "" : "over: ", problem_kind_name(problem->kind), problem->text,
                           has_begun ? ". " : "", has_begun ? problem->remedy : ""),
    };

    if (notice.text != NULL)
        board->tell(board->context, &notice);
}

static void tell_difference(const struct board *board, const struct problems *before, const struct problems *now,
                            enum notice_kind kind, struct moment at)
{
    for (size_t i = 0; i < now->count; i++)
        if (problems_find(before, &now->all[i]) == NULL)
            tell(board, kind, &now->all[i], at);
}

static void look(struct board *board, struct moment now)
{
    const struct problems_outside outside = {
        .store_trouble = board->persistence->trouble,
        .reload_error = board->settings->reload_error,
        .config_file = board->settings->config->file,
    };
    struct problems fresh = {0}, old = board->problems;
    int64_t pause_us;

    if (problems_collect(board->coordinator, coordinator_plan(board->coordinator, now), &outside, now, &fresh) < 0)
        return;
    problems_inherit(&fresh, &old);
    board->problems = fresh;
    tell_difference(board, &fresh, &old, NOTICE_PROBLEM_ENDED, now);
    tell_difference(board, &old, &fresh, NOTICE_PROBLEM_BEGUN, now);
    problems_done(&old);
    pause_us = (clock_now().mono_us - now.mono_us) * SHARE;
    board->due_us = now.mono_us + (pause_us > PAUSE_US ? pause_us : PAUSE_US);
}

void board_look(struct board *board)
{
    struct moment now = clock_now();

    board->is_waiting = now.mono_us < board->due_us;
    if (!board->is_waiting)
        look(board, now);
}

int64_t board_deadline(const struct board *board)
{
    return board->is_waiting ? board->due_us : USEC_INFINITY;
}

const struct problems *board_problems(struct board *board)
{
    look(board, clock_now());
    return &board->problems;
}
