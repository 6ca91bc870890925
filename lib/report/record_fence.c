/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What fence agents did to a host as JSON, written and read side by side. */
#include <errno.h>

#include "report/record.h"
#include "report/record_reader.h"

/* Beyond is damage. */
#define TIME_LIMIT_US (INT64_MAX / 8)
#define COUNT_LIMIT   1000000000

static const char *call_word(int value)
{
    return fence_call_name((enum fence_call)value);
}

static const struct record_vocabulary calls = {call_word, FENCE_CALL_COUNT};

int record_format_fence_log(const struct fence_log *log, char **ret)
{
    struct json_maker maker = {0};
    json_t *object = json_object(), *array = json_array();

    for (size_t i = 0; i < log->count; i++) {
        const struct fence_report *report = &log->all[i];
        json_t *entry = json_object();

        json_put(&maker, entry, "at_us", json_integer(report->at.real_us));
        json_put(&maker, entry, "took_us", json_integer(report->took_us));
        json_put(&maker, entry, "attempt", json_integer(report->attempt));
        json_put(&maker, entry, "level", json_integer(report->level));
        json_put(&maker, entry, "agent", json_text(report->agent));
        json_put(&maker, entry, "call", json_text(fence_call_name(report->call)));
        json_put(&maker, entry, "succeeded", json_boolean(report->has_succeeded));
        json_put(&maker, entry, "answer", json_text(report->answer));
        json_append(&maker, array, entry);
    }
    json_put(&maker, object, "fencing", array);
    return record_finish(&maker, object, ret);
}

static void read_report(struct record_reader *reader, const json_t *entry, struct moment now,
                        struct fence_report *report)
{
    int64_t real_us = record_read_integer(reader, entry, "at_us", -TIME_LIMIT_US, TIME_LIMIT_US);

    report->at = (struct moment){.mono_us = now.mono_us - (now.real_us - real_us), .real_us = real_us};
    report->took_us = record_read_integer(reader, entry, "took_us", 0, TIME_LIMIT_US);
    report->attempt = (unsigned)record_read_integer(reader, entry, "attempt", 0, COUNT_LIMIT);
    report->level = (unsigned)record_read_integer(reader, entry, "level", 0, COUNT_LIMIT);
    record_read_into(reader, entry, "agent", report->agent, sizeof(report->agent));
    report->call = (enum fence_call)record_read_word(reader, entry, "call", &calls);
    report->has_succeeded = record_read_bool(reader, entry, "succeeded");
    record_read_into(reader, entry, "answer", report->answer, sizeof(report->answer));
}

int record_parse_fence_log(const char *text, struct moment now, struct fence_log *ret)
{
    struct record_reader reader = {0};
    struct fence_log log = {0};
    json_t *document = NULL;
    const json_t *array;
    int r = record_load(text, &document);

    if (r < 0)
        return r;
    array = json_object_get(document, "fencing");
    if (!json_is_array(array))
        record_refuse(&reader, -EINVAL);
    for (size_t i = 0; reader.error == 0 && i < json_array_size(array); i++) {
        struct fence_report report = {0};

        read_report(&reader, json_array_get(array, i), now, &report);
        if (reader.error == 0 && fence_log_add(&log, &report) < 0)
            record_refuse(&reader, -ENOMEM);
    }
    json_decref(document);
    if (reader.error < 0) {
        fence_log_done(&log);
        return reader.error;
    }
    *ret = log;
    return 0;
}
