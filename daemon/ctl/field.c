/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading answers. Prints nothing. */
#include "ctl/field.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/message.h"
#include "model/ports.h"

const char *field_text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

const char *field_word(const json_t *object, const char *name)
{
    const char *text = field_text(object, name);

    return text != NULL ? text : "-";
}

bool field_is(const json_t *object, const char *name, const char *text)
{
    const char *value = field_text(object, name);

    return value != NULL && strcmp(value, text) == 0;
}

bool field_has_text(const json_t *array, const char *text)
{
    bool found = false;

    for (size_t i = 0; i < json_array_size(array) && !found; i++) {
        const char *item = json_string_value(json_array_get(array, i));

        found = item != NULL && strcmp(item, text) == 0;
    }
    return found;
}

bool field_has(const json_t *object, const char *name, const char *text)
{
    return field_has_text(json_object_get(object, name), text);
}

bool field_true(const json_t *object, const char *name)
{
    return json_is_true(json_object_get(object, name));
}

double field_number(const json_t *object, const char *name)
{
    return json_number_value(json_object_get(object, name));
}

int64_t field_integer(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

bool field_is_null(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    return value == NULL || json_is_null(value);
}

bool field_is_port(const char *feature)
{
    return strncmp(feature, PORTS_KIND "/", strlen(PORTS_KIND "/")) == 0 ||
           strncmp(feature, PORTS_REACHED_KIND "/", strlen(PORTS_REACHED_KIND "/")) == 0;
}

/* Of what a machine offers: ports, and the family of a system, which its name tells. */
static bool is_left_out(const char *feature)
{
    return field_is_port(feature) || strncmp(feature, "os-family/", strlen("os-family/")) == 0;
}

static char *join(const json_t *array, const char *separator, bool values_only)
{
    size_t size = 0, n = 0;
    char *text = NULL;
    FILE *out = open_memstream(&text, &size);

    if (out == NULL)
        die_of_memory();
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *value = json_array_get(array, i);
        const char *item = json_string_value(value);
        const char *slash = values_only && item != NULL ? strchr(item, '/') : NULL;

        if (values_only && item != NULL && is_left_out(item))
            continue;
        if (item != NULL)
            fprintf(out, "%s%s", n++ > 0 ? separator : "", slash != NULL ? slash + 1 : item);
        else if (json_is_integer(value))
            fprintf(out, "%s%" JSON_INTEGER_FORMAT, n++ > 0 ? separator : "", json_integer_value(value));
    }
    if (fclose(out) != 0)
        die_of_memory();
    return text;
}

char *field_joined(const json_t *object, const char *name, const char *separator)
{
    return join(json_object_get(object, name), separator, false);
}

char *field_values(const json_t *object, const char *name)
{
    return join(json_object_get(object, name), ", ", true);
}

char *field_ratio(const json_t *object, const char *name)
{
    return field_is_null(object, name) ? format_text("-") : format_text("%.4f", field_number(object, name));
}

char *field_duration(const json_t *object, const char *name)
{
    return field_is_null(object, name) ? format_text("-") : format_duration(field_number(object, name));
}

char *field_instant(const json_t *object, const char *name)
{
    const char *text = field_text(object, name);

    /* 2026-11-22T14:54:00.000000Z */
    if (text == NULL || strlen(text) < strlen("2026-11-22T14:54:00.000"))
        return format_text("-");
    return format_text("%.10s %.12s UTC", text, text + strlen("2026-11-22T"));
}

int64_t field_real_us(const json_t *object, const char *name)
{
    struct tm parts = {0};
    const char *text = field_text(object, name);
    const char *fraction = text != NULL ? strptime(text, "%Y-%m-%dT%H:%M:%S.", &parts) : NULL;

    return fraction != NULL ? (int64_t)timegm(&parts) * 1000000 + strtol(fraction, NULL, 10) : 0;
}

char *field_age(const json_t *object, const char *name)
{
    int64_t age_s = (int64_t)time(NULL) - field_real_us(object, name) / 1000000;
    _cleanup_(freep) char *age = format_duration((double)age_s * 1000);

    if (field_is_null(object, name))
        return format_text("never");
    return age_s < 60 ? format_text("%" PRId64 " s ago", age_s > 0 ? age_s : 0) : format_text("%s ago", age);
}

char *format_bytes(uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double amount = (double)bytes;
    size_t unit = 0;

    if (bytes == 0)
        return format_text("-");
    while (amount >= 1024 && unit + 1 < ELEMENTS_OF(units)) {
        amount /= 1024;
        unit++;
    }
    return format_text("%.*f %s", amount < 10 && (double)(uint64_t)amount != amount ? 1 : 0, amount, units[unit]);
}

char *format_duration(double ms)
{
    int64_t seconds = (int64_t)(ms / 1000);

    if (ms < 1)
        return format_text("%.0f us", ms * 1000);
    if (ms < 1000)
        return format_text("%.0f ms", ms);
    if (seconds < 60)
        return format_text("%.2f s", ms / 1000);
    if (seconds < 3600)
        return format_text("%" PRId64 " min %" PRId64 " s", seconds / 60, seconds % 60);
    if (seconds < 86400)
        return format_text("%" PRId64 " h %" PRId64 " min", seconds / 3600, seconds % 3600 / 60);
    return format_text("%" PRId64 " d %" PRId64 " h", seconds / 86400, seconds % 86400 / 3600);
}

struct styled_word {
    const char *word;
    enum style style;
};

static enum style look_up(const struct styled_word *words, size_t n, const char *word)
{
    for (size_t i = 0; word != NULL && i < n; i++)
        if (strcmp(words[i].word, word) == 0)
            return words[i].style;
    return STYLE_PLAIN;
}

enum style style_of_state(const char *state)
{
    static const struct styled_word words[] = {
        {"running", STYLE_GOOD},   {"crashed", STYLE_BAD},    {"unknown", STYLE_NOTABLE},
        {"paused", STYLE_NOTABLE}, {"shut off", STYLE_FAINT}, {"template", STYLE_FAINT},
    };

    return look_up(words, ELEMENTS_OF(words), state);
}

enum style style_of_service(const char *state)
{
    static const struct styled_word words[] = {
        {"up", STYLE_GOOD},       {"recovering", STYLE_NOTABLE}, {"down", STYLE_ALARM},
        {"stopped", STYLE_FAINT}, {"held", STYLE_NOTABLE},       {"unknown", STYLE_NOTABLE},
    };

    return look_up(words, ELEMENTS_OF(words), state);
}

enum style style_of_outcome(const char *outcome)
{
    static const struct styled_word words[] = {
        {"recovered", STYLE_GOOD},
        {"exhausted", STYLE_BAD},
        {"observed", STYLE_NOTABLE},
        {"failed-while-held", STYLE_BAD},
        {"hold-begun", STYLE_NOTABLE},
        {"hold-ended", STYLE_NOTABLE},
        {"hold-overdue", STYLE_ALARM},
        {"called-off", STYLE_NOTABLE},
        {"failure-detected", STYLE_BAD},
        {"failure-unprotected", STYLE_NOTABLE},
        {"failure-pending", STYLE_NOTABLE},
        {"vetoed", STYLE_NOTABLE},
        {"attempt-failed", STYLE_BAD},
        {"hypervisor-down", STYLE_BAD},
        {"hypervisor-up", STYLE_GOOD},
        {"call-overdue", STYLE_NOTABLE},
        {"machine-fault", STYLE_NOTABLE},
        {"out-of-memory", STYLE_BAD},
        {"decided", STYLE_STRONG},
        {"started", STYLE_STRONG},
        {"intent-failed", STYLE_ALARM},
        {"brake-on", STYLE_ALARM},
        {"brake-off", STYLE_NOTABLE},
        {"resumed", STYLE_NOTABLE},
        {"clock-jumped", STYLE_NOTABLE},
        {"waits", STYLE_NOTABLE},
        {"store-failed", STYLE_ALARM},
        {"store-works", STYLE_GOOD},
        {"kept", STYLE_GOOD},
        {"not-kept", STYLE_BAD},
        {"problem", STYLE_NOTABLE},
        {"under-way", STYLE_NOTABLE},
        {"state", STYLE_STRONG},
    };

    return look_up(words, ELEMENTS_OF(words), outcome);
}
