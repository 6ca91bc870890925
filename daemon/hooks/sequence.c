/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One event for each sequence, activated when its program is gone. */
#include "hooks/sequence.h"

#include <errno.h>

#include <event2/event.h>

static void finish(struct sequence *sequence)
{
    LIST_REMOVE(sequence, link);
    sequence->type->free(sequence);
}

static void on_step(evutil_socket_t fd, short what, void *context)
{
    struct sequence *sequence = context;

    (void)fd;
    (void)what;
    process_free(sequence->process);
    sequence->process = NULL;
    if (sequence->is_over)
        finish(sequence);
    else
        sequence->type->step(sequence);
}

static void on_line(void *context, const char *text)
{
    struct sequence *sequence = context;

    sequence->type->line(sequence, text);
}

static void on_ended(void *context, int error, const char *message)
{
    struct sequence *sequence = context;

    sequence->type->ended(sequence, error, message);
}

static void on_gone(void *context)
{
    struct sequence *sequence = context;

    event_active(sequence->step, EV_TIMEOUT, 0);
}

int sequence_init(struct sequence *sequence, struct event_base *base, const struct sequence_type *type)
{
    *sequence = (struct sequence){.type = type, .base = base};
    sequence->step = evtimer_new(base, on_step, sequence);
    return sequence->step != NULL ? 0 : -ENOMEM;
}

void sequence_begin(struct sequence *sequence, struct sequence_list *list)
{
    LIST_INSERT_HEAD(list, sequence, link);
    event_active(sequence->step, EV_TIMEOUT, 0);
}

int sequence_run(struct sequence *sequence, const struct program *program, char *ret_message)
{
    static const struct process_callbacks callbacks = {.line = on_line, .ended = on_ended, .gone = on_gone};

    return process_start(sequence->base, program, &callbacks, sequence, ret_message, &sequence->process);
}

int sequence_exit_status(const struct sequence *sequence)
{
    return process_exit_status(sequence->process);
}

void sequence_end(struct sequence *sequence)
{
    sequence->is_over = true;
    if (sequence->process == NULL)
        finish(sequence);
}

void sequence_done(struct sequence *sequence)
{
    process_free(sequence->process);
    if (sequence->step != NULL)
        event_free(sequence->step);
}

size_t sequence_list_count(const struct sequence_list *list)
{
    const struct sequence *sequence;
    size_t count = 0;

    LIST_FOREACH(sequence, list, link)
    count++;
    return count;
}

void sequence_list_free(struct sequence_list *list)
{
    while (!LIST_EMPTY(list))
        finish(LIST_FIRST(list));
}
