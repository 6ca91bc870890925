/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The queue of notices between the coordinator and its driver. Decides nothing. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "coordinator/coordinator_internal.h"

/* Room for one more notice; NULL without memory. */
static struct notice *append(struct coordinator *coordinator)
{
    struct notice *notices;

    if (coordinator->first_notice == coordinator->n_notices) {
        coordinator->first_notice = 0;
        coordinator->n_notices = 0;
    }
    notices = reallocarray(coordinator->notices, coordinator->n_notices + 1, sizeof(*notices));
    if (notices == NULL)
        return NULL;
    coordinator->notices = notices;
    return &notices[coordinator->n_notices];
}

static void push(struct coordinator *coordinator, struct notice *notice, const char *format, va_list arguments)
{
    struct notice *slot;

    if (vasprintf(&notice->text, format, arguments) < 0) {
        notice->text = NULL;
        notice_done(notice);
        return;
    }
    slot = append(coordinator);
    if (slot == NULL) {
        notice_done(notice);
        return;
    }
    *slot = *notice;
    coordinator->n_notices++;
}

void notices_add(struct coordinator *coordinator, enum notice_kind kind, struct moment at,
                 const struct machine *machine, const char *format, ...)
{
    struct notice notice = {.kind = kind, .at = at, .duration_us = -1};
    va_list arguments;

    if (machine != NULL) {
        notice.machine = machine_ref_of(machine);
        notice.machine_name = text_copy(pool_display_name(coordinator->pool, machine));
    }
    va_start(arguments, format);
    push(coordinator, &notice, format, arguments);
    va_end(arguments);
}

void notices_add_host(struct coordinator *coordinator, enum notice_kind kind, struct moment at, const char *hypervisor,
                      const char *format, va_list arguments)
{
    struct notice notice = {.kind = kind, .at = at, .duration_us = -1};

    strncpy(notice.machine.hypervisor, hypervisor, sizeof(notice.machine.hypervisor) - 1);
    push(coordinator, &notice, format, arguments);
}

void notices_add_run(struct coordinator *coordinator, enum notice_kind kind, struct moment at, const struct run *run,
                     const char *format, ...)
{
    const struct recovery *recovery = run->recovery;
    struct notice notice = {
        .kind = kind,
        .at = at,
        .machine = recovery->failed,
        .machine_name = text_copy(recovery->failed_name),
        .cause = recovery->cause,
        .replacement = text_copy(recovery->replacement_name),
        .similarity = recovery->similarity,
        .coverage = recovery->coverage,
        .overlap = recovery->overlap,
        .warmth = recovery->replacement_name != NULL ? warmth_name(recovery->warmth) : NULL,
        .duration_us = recovery_duration_us(recovery, at),
    };
    va_list arguments;

    memcpy(notice.recovery_id, recovery->id, sizeof(notice.recovery_id));
    va_start(arguments, format);
    push(coordinator, &notice, format, arguments);
    va_end(arguments);
}

bool coordinator_next_notice(struct coordinator *coordinator, struct notice *ret)
{
    if (coordinator->first_notice == coordinator->n_notices)
        return false;
    *ret = coordinator->notices[coordinator->first_notice++];
    return true;
}
