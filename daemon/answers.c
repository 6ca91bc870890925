/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A list: a few answers are open at a time. */
#include "answers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/text.h"
#include "coordinator/coordinator.h"
#include "hypervisor/kinds.h"
#include "service/clock.h"

/* The coordinator counts its actions from 1. */
#define OWN_NUMBERS (UINT64_C(1) << 63)

struct pending {
    LIST_ENTRY(pending) link;
    struct action action;
    answer_taker taker; /* NULL: the coordinator */
    void *context;
};

struct answers {
    struct coordinator *coordinator;
    uint64_t last_number;
    LIST_HEAD(, pending) pending;
};

int answers_new(struct coordinator *coordinator, struct answers **ret)
{
    struct answers *answers = calloc(1, sizeof(*answers));

    if (answers == NULL)
        return -ENOMEM;
    answers->coordinator = coordinator;
    answers->last_number = OWN_NUMBERS;
    LIST_INIT(&answers->pending);
    *ret = answers;
    return 0;
}

void answers_free(struct answers *answers)
{
    struct pending *pending;

    if (answers == NULL)
        return;
    while ((pending = LIST_FIRST(&answers->pending)) != NULL) {
        LIST_REMOVE(pending, link);
        free(pending);
    }
    free(answers);
}

uint64_t answers_new_number(struct answers *answers)
{
    return ++answers->last_number;
}

int answers_expect(struct answers *answers, const struct action *action, answer_taker taker, void *context)
{
    struct pending *pending = malloc(sizeof(*pending));

    if (pending == NULL)
        return -ENOMEM;
    *pending = (struct pending){.action = *action, .taker = taker, .context = context};
    LIST_INSERT_HEAD(&answers->pending, pending, link);
    return 0;
}

static struct pending *find(const struct answers *answers, uint64_t number)
{
    struct pending *pending = LIST_FIRST(&answers->pending);

    while (pending != NULL && pending->action.id != number)
        pending = LIST_NEXT(pending, link);
    return pending;
}

const struct action *answers_find(const struct answers *answers, uint64_t number)
{
    const struct pending *pending = find(answers, number);

    return pending != NULL ? &pending->action : NULL;
}

static void tell_coordinator(struct answers *answers, const struct action *action, int error, const char *message)
{
    struct action_result result = {.id = action->id, .error = error};

    snprintf(result.message, sizeof(result.message), "%.*s", (int)text_fit(message, sizeof(result.message) - 1),
             message);
    coordinator_handle_result(answers->coordinator, action, &result, clock_now());
}

size_t answers_count(const struct answers *answers)
{
    const struct pending *pending;
    size_t count = 0;

    LIST_FOREACH(pending, &answers->pending, link)
    count++;
    return count;
}

bool answers_give(struct answers *answers, uint64_t number, int error, const char *message)
{
    _cleanup_(freep) struct pending *pending = find(answers, number);
    const char *words = message != NULL ? message : "";

    if (pending == NULL)
        return false;
    LIST_REMOVE(pending, link);
    if (pending->taker != NULL)
        pending->taker(pending->context, error, words);
    else
        tell_coordinator(answers, &pending->action, error, words);
    return true;
}

void answers_forget(struct answers *answers, uint64_t number)
{
    struct pending *pending = find(answers, number);

    if (pending == NULL)
        return;
    LIST_REMOVE(pending, link);
    free(pending);
}

static bool is_asked(const struct action *action, const char *hypervisor)
{
    return kind_performer(action) == PERFORMER_HYPERVISOR && strcmp(action->target.hypervisor, hypervisor) == 0;
}

/* of: the hypervisor that answers; NULL: any of them. */
static struct pending *find_taker(const struct answers *answers, const char *of)
{
    struct pending *pending = LIST_FIRST(&answers->pending);

    while (pending != NULL && (pending->taker == NULL || (of != NULL && !is_asked(&pending->action, of))))
        pending = LIST_NEXT(pending, link);
    return pending;
}

/* A taker may ask again, so each is looked for from the beginning. */
void answers_disconnect(struct answers *answers, const char *hypervisor, const char *why)
{
    const struct pending *pending;

    while ((pending = find_taker(answers, hypervisor)) != NULL)
        answers_give(answers, pending->action.id, -ENOTCONN, why);
}

void answers_cancel(struct answers *answers, const char *why)
{
    const struct pending *pending;

    while ((pending = find_taker(answers, NULL)) != NULL)
        answers_give(answers, pending->action.id, -ECANCELED, why);
}
