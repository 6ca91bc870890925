/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All recoveries as records. */
#include "coordinator/records.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The greatest of the ids of this second: an earlier daemon made them, or this one before its clock was set back. */
static unsigned last_number(const struct records *records, const char *second)
{
    size_t length = strlen(second);
    unsigned long last = 0;

    for (size_t i = 0; i < records->count; i++) {
        const char *id = records->all[i]->id;
        bool is_of_it = strncmp(id, second, length) == 0 && id[length] == '-';
        unsigned long number = is_of_it ? strtoul(id + length + 1, NULL, 10) : 0;

        last = number > last ? number : last;
    }
    return (unsigned)last;
}

void records_make_id(struct records *records, struct moment now, char id[RECOVERY_ID_SIZE])
{
    time_t seconds = (time_t)(now.real_us / USEC_PER_SEC);
    char second[sizeof(records->id_second)];
    struct tm utc;

    if (gmtime_r(&seconds, &utc) == NULL || strftime(second, sizeof(second), "%Y%m%d-%H%M%S", &utc) == 0)
        strcpy(second, "0");
    if (strcmp(second, records->id_second) != 0) {
        strcpy(records->id_second, second);
        records->id_count = last_number(records, second);
    }
    snprintf(id, RECOVERY_ID_SIZE, "%s-%u", second, ++records->id_count);
}

int records_make_room(struct records *records)
{
    struct recovery **all = reallocarray(records->all, records->count + 1, sizeof(struct recovery *));

    if (all == NULL)
        return -ENOMEM;
    records->all = all;
    return 0;
}

void records_add(struct records *records, struct recovery *recovery)
{
    records->all[records->count++] = recovery;
}

int records_add_restored(struct records *records, struct recovery *recovery)
{
    struct recovery **restored = reallocarray(records->restored, records->n_restored + 1, sizeof(struct recovery *));

    if (restored != NULL)
        records->restored = restored;
    if (restored == NULL || records_make_room(records) < 0) {
        recovery_free(recovery);
        return -ENOMEM;
    }
    records_add(records, recovery);
    if (!recovery_state_is_final(recovery->state)) {
        recovery_resume(recovery);
        restored[records->n_restored++] = recovery;
    }
    return 0;
}

struct recovery *records_find(const struct records *records, const char *id)
{
    for (size_t i = 0; i < records->count; i++)
        if (strcmp(records->all[i]->id, id) == 0)
            return records->all[i];
    return NULL;
}

const struct recovery *records_next_changed(struct records *records)
{
    for (size_t i = records->count; i-- > 0;)
        if (records->all[i]->is_changed) {
            records->all[i]->is_changed = false;
            return records->all[i];
        }
    return NULL;
}

size_t records_count_open(const struct records *records)
{
    size_t count = 0;

    for (size_t i = 0; i < records->count; i++)
        count += !recovery_state_is_final(records->all[i]->state);
    return count - records->n_restored;
}

bool records_was_taken(const struct records *records, const struct machine_ref *ref, int64_t since_us)
{
    for (size_t i = 0; i < records->count; i++) {
        const struct recovery *recovery = records->all[i];

        if (recovery->state == RECOVERY_RECOVERED && machine_ref_equal(&recovery->replacement, ref) &&
            recovery->decided.real_us >= since_us)
            return true;
    }
    return false;
}

bool records_await_failed(const struct records *records, const struct machine_ref *ref)
{
    for (size_t i = 0; i < records->n_restored; i++)
        if (machine_ref_equal(&records->restored[i]->failed, ref))
            return true;
    return false;
}

bool records_await(const struct records *records, const struct machine_ref *ref)
{
    if (records_await_failed(records, ref))
        return true;
    for (size_t i = 0; i < records->n_restored; i++) {
        const struct recovery *recovery = records->restored[i];

        if (recovery->replacement_name != NULL && machine_ref_equal(&recovery->replacement, ref))
            return true;
    }
    return false;
}

bool records_concern(const struct records *records, const struct machine_ref *ref)
{
    if (records_await(records, ref))
        return true;
    for (size_t i = 0; i < records->n_restored; i++) {
        const struct recovery *recovery = records->restored[i];

        for (size_t n = 0; n < recovery->n_attempts; n++)
            if (machine_ref_equal(&recovery->attempts[n].candidate, ref))
                return true;
    }
    return false;
}

bool records_relieve(const struct records *records, const struct machine_ref *ref)
{
    for (size_t i = records->count; i-- > 0;)
        if (records->all[i]->relief != RELIEF_NONE && !recovery_state_is_final(records->all[i]->state) &&
            machine_ref_equal(&records->all[i]->failed, ref))
            return true;
    return false;
}

const struct recovery *records_take_asked_to_stop(struct records *records, const struct machine_ref *ref,
                                                  struct moment now)
{
    const struct recovery *found = NULL;

    for (size_t i = 0; i < records->count; i++) {
        struct recovery *recovery = records->all[i];

        if (recovery->state != RECOVERY_CALLED_OFF || !machine_ref_equal(&recovery->failed, ref) ||
            !moment_has_come(recovery->relieved))
            continue;
        recovery->relieved = (struct moment){0};
        recovery->is_changed = true;
        if (now.mono_us - recovery->ended.mono_us < LATE_STOP_US)
            found = recovery;
    }
    return found;
}

bool records_came_late(const struct records *records, const struct machine_ref *ref)
{
    for (size_t i = 0; i < records->count; i++)
        for (size_t n = 0; n < records->all[i]->n_attempts; n++)
            if (records->all[i]->attempts[n].fate == START_CAME_LATE &&
                machine_ref_equal(&records->all[i]->attempts[n].candidate, ref))
                return true;
    return false;
}

bool records_may_have_parts(const struct records *records, const struct machine_ref *ref)
{
    for (size_t i = 0; i < records->count; i++)
        for (size_t n = 0; n < records->all[i]->n_attempts; n++)
            if (records->all[i]->attempts[n].may_leave_parts &&
                machine_ref_equal(&records->all[i]->attempts[n].candidate, ref))
                return true;
    return false;
}

void records_leave_no_parts(struct records *records, const struct machine_ref *ref)
{
    for (size_t i = 0; i < records->count; i++)
        for (size_t n = 0; n < records->all[i]->n_attempts; n++) {
            struct recovery_attempt *attempt = &records->all[i]->attempts[n];

            if (!attempt->may_leave_parts || !machine_ref_equal(&attempt->candidate, ref))
                continue;
            attempt->may_leave_parts = false;
            records->all[i]->is_changed = true;
        }
}

void records_done(struct records *records)
{
    for (size_t i = 0; i < records->count; i++)
        recovery_free(records->all[i]);
    free(records->all);
    free(records->restored);
}
