/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A look costs as much as there are machines, so that it is not taken after each event: once a second, and so rarely that
 * it takes no more than a hundredth of the time.
 */
#include "board.h"

#include "base/text.h"
#include "coordinator/coordinator.h"
#include "nodes.h"
#include "persistence.h"
#include "programs.h"
#include "service/clock.h"
#include "settings.h"
#include "textfile.h"

#define PAUSE_US    INT64_C(1000000)
#define SHARE       100
#define PATIENCE_US INT64_C(10000000)
#define PROVE_US    INT64_C(60000000)
/* So many are told one by one. */
#define TOLD_AT_ONCE 20

void board_done(struct board *board)
{
    free(board->listen_error);
    diags_done(&board->programs);
    problems_done(&board->problems);
}

static void tell(const struct board *board, enum notice_kind kind, const struct problem *problem, struct moment now,
                 char *text)
{
    struct notice notice = {.kind = kind, .at = now, .duration_us = -1, .text = text};

    if (text != NULL)
        board->tell(board->context, &notice, problem);
}

static char *describe(enum notice_kind kind, const struct problem *problem)
{
    bool has_begun = kind == NOTICE_PROBLEM_BEGUN;

    return text_print("%s%s: %s%s%s", has_begun ? "" : "over: ", problem_kind_name(problem->kind), problem->text,
                      has_begun ? ". " : "", has_begun ? problem->remedy : "");
}

/* Those that are in the second list alone; the severe come first. */
static void tell_difference(const struct board *board, const struct problems *before, const struct problems *now,
                            enum notice_kind kind, struct moment at)
{
    size_t n = 0;

    for (size_t i = 0; i < now->count; i++)
        if (problems_find(before, &now->all[i]) == NULL && n++ < TOLD_AT_ONCE)
            tell(board, kind, &now->all[i], at, describe(kind, &now->all[i]));
    if (n > TOLD_AT_ONCE)
        tell(board, kind, NULL, at,
             text_print("%s%zu more: understudyctl problems",
                        kind == NOTICE_PROBLEM_BEGUN ? "" : "over: ", n - TOLD_AT_ONCE));
}

/* What no event tells of is looked at this often, whatever happens. */
static int64_t prove_every_us(const struct board *board)
{
    int64_t resync_us = board->settings->config->discovery.resync_interval_us;

    return resync_us < PROVE_US ? resync_us : PROVE_US;
}

static void look_at_programs(struct board *board)
{
    diags_done(&board->programs);
    board->programs = (struct diags){0};
    programs_check(board->settings->config, &board->programs);
}

static void prove(struct board *board, struct moment now)
{
    if (board->proved_for == board->settings->config && now.mono_us < board->prove_us)
        return;
    board->proved_for = board->settings->config;
    board->prove_us = moment_next_tick_us(now.mono_us, prove_every_us(board));
    look_at_programs(board);
    persistence_prove(board->persistence);
}

static void look(struct board *board, struct plan *plan, struct moment now)
{
    const struct problems_outside outside = {
        .store_trouble = board->persistence->trouble,
        .store_is_unread = board->persistence->is_unread,
        .textfile_trouble = board->textfile->trouble,
        .reload_error = board->settings->reload_error,
        .listen_error = board->listen_error,
        .config_file = board->settings->config->file,
        .config = board->settings->config,
        .programs = &board->programs,
        .templates = nodes_templates(board->nodes),
    };
    struct problems fresh = {0}, old = board->problems;
    int64_t pause_us;

    if (problems_collect(board->coordinator, plan, &outside, now, &fresh) < 0)
        return;
    problems_inherit(&fresh, &old);
    board->problems = fresh;
    tell_difference(board, &fresh, &old, NOTICE_PROBLEM_ENDED, now);
    tell_difference(board, &old, &fresh, NOTICE_PROBLEM_BEGUN, now);
    problems_done(&old);
    pause_us = (clock_now().mono_us - now.mono_us) * SHARE;
    board->looked_us = now.mono_us;
    board->due_us = now.mono_us + (pause_us > PAUSE_US ? pause_us : PAUSE_US);
}

/* While much changes, the plan takes its time, and recoveries come first. */
void board_look(struct board *board)
{
    struct moment now = clock_now();
    struct plan *plan;

    prove(board, now);
    board->is_waiting = now.mono_us < board->due_us;
    if (board->is_waiting)
        return;
    plan = coordinator_plan_so_far(board->coordinator, now);
    board->lacks_plan = plan == NULL;
    if (plan == NULL && now.mono_us - board->looked_us < PATIENCE_US) {
        board->due_us = now.mono_us + PAUSE_US;
        board->is_waiting = true;
        return;
    }
    look(board, plan != NULL ? plan : coordinator_plan(board->coordinator, now), now);
}

int64_t board_deadline(const struct board *board)
{
    return board->is_waiting && board->due_us < board->prove_us ? board->due_us : board->prove_us;
}

void board_look_now(struct board *board)
{
    struct moment now = clock_now();

    look_at_programs(board);
    look(board, coordinator_plan(board->coordinator, now), now);
}
