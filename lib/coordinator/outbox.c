/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The queue of notices between the coordinator and its driver. Decides nothing. */
#include "coordinator/outbox.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

uint64_t outbox_new_id(struct outbox *outbox, enum part owner)
{
    return ++outbox->last * PART_COUNT + owner;
}

enum part outbox_owner_of(uint64_t action_id)
{
    return (enum part)(action_id % PART_COUNT);
}

/* Room for one more notice; NULL without memory. */
static struct notice *append(struct outbox *outbox)
{
    struct notice *notices;

    if (outbox->first == outbox->end) {
        outbox->first = 0;
        outbox->end = 0;
    }
    notices = reallocarray(outbox->notices, outbox->end + 1, sizeof(*notices));
    if (notices == NULL)
        return NULL;
    outbox->notices = notices;
    return &notices[outbox->end];
}

/* Takes the notice. */
static void push(struct outbox *outbox, struct notice *notice, const char *format, va_list arguments)
{
    struct notice *slot = NULL;

    notice->text = text_vprint(format, arguments);
    if (notice->text != NULL)
        slot = append(outbox);
    if (slot == NULL) {
        notice_done(notice);
        return;
    }
    *slot = *notice;
    outbox->end++;
}

static struct notice notice_about(const struct outbox *outbox, enum notice_kind kind, struct moment at,
                                  const struct machine *machine)
{
    struct notice notice = {.kind = kind, .at = at, .duration_us = -1};

    if (machine != NULL) {
        notice.machine = machine_ref_of(machine);
        notice.machine_name = text_copy(pool_display_name(outbox->pool, machine));
    }
    return notice;
}

void outbox_tell(struct outbox *outbox, enum notice_kind kind, struct moment at, const struct machine *machine,
                 const char *format, ...)
{
    struct notice notice = notice_about(outbox, kind, at, machine);
    va_list arguments;

    va_start(arguments, format);
    push(outbox, &notice, format, arguments);
    va_end(arguments);
}

void outbox_tell_later(struct outbox *outbox, enum notice_kind kind, struct moment at, const struct machine *machine,
                       const char *recovery_id, const char *format, ...)
{
    struct notice notice = notice_about(outbox, kind, at, machine);
    va_list arguments;

    strncpy(notice.recovery_id, recovery_id, sizeof(notice.recovery_id) - 1);
    va_start(arguments, format);
    push(outbox, &notice, format, arguments);
    va_end(arguments);
}

void outbox_tell_host(struct outbox *outbox, enum notice_kind kind, struct moment at, const char *hypervisor,
                      const char *format, ...)
{
    struct notice notice = {.kind = kind, .at = at, .duration_us = -1};
    va_list arguments;

    strncpy(notice.machine.hypervisor, hypervisor, sizeof(notice.machine.hypervisor) - 1);
    va_start(arguments, format);
    push(outbox, &notice, format, arguments);
    va_end(arguments);
}

void outbox_tell_recovery(struct outbox *outbox, enum notice_kind kind, struct moment at,
                          const struct recovery *recovery, const char *format, ...)
{
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
    push(outbox, &notice, format, arguments);
    va_end(arguments);
}

bool outbox_next_notice(struct outbox *outbox, struct notice *ret)
{
    if (outbox->first == outbox->end)
        return false;
    *ret = outbox->notices[outbox->first++];
    return true;
}

void outbox_done(struct outbox *outbox)
{
    struct notice notice;

    while (outbox_next_notice(outbox, &notice))
        notice_done(&notice);
    free(outbox->notices);
}
