/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The schema as people read it: expectations in messages, the sample file, the reference. */
#include "config/schema.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/units.h"

#define WIDTH   98
#define RESTART "A change takes effect after a restart of the daemon."

static void format_amount(const struct schema_key *key, int64_t amount, char buffer[static UNIT_TEXT_SIZE])
{
    if (key->type == SCHEMA_DURATION)
        duration_format(amount, buffer);
    else if (key->type == SCHEMA_SIZE)
        size_format(amount, buffer);
    else if (key->type == SCHEMA_INTEGER)
        snprintf(buffer, UNIT_TEXT_SIZE, "%" PRId64, amount);
    else
        decimal_format(amount, buffer);
}

/* "automatic or observe"; "a, b or c". */
static void format_choices(const struct schema_key *key, char buffer[static SCHEMA_EXPECTATION_SIZE])
{
    size_t at = 0;

    buffer[0] = '\0';
    for (size_t i = 0; key->choices[i] != NULL && at < SCHEMA_EXPECTATION_SIZE; i++) {
        const char *joint = i == 0 ? "" : key->choices[i + 1] == NULL ? " or " : ", ";

        at += (size_t)snprintf(buffer + at, SCHEMA_EXPECTATION_SIZE - at, "%s%s", joint, key->choices[i]);
    }
}

void schema_expectation(const struct schema_key *key, char buffer[static SCHEMA_EXPECTATION_SIZE])
{
    /* What stands before a range, or all there is to say. */
    static const struct {
        const char *words;
        bool has_range, has_length;
    } types[SCHEMA_TYPE_COUNT] = {
        [SCHEMA_SECTION] = {.words = "a map of keys"},
        [SCHEMA_BOOL] = {.words = "true or false"},
        [SCHEMA_INTEGER] = {.words = "a whole number", .has_range = true},
        [SCHEMA_DECIMAL] = {.words = "a number", .has_range = true},
        [SCHEMA_DURATION] = {.words = "a duration", .has_range = true},
        [SCHEMA_SIZE] = {.words = "a size", .has_range = true},
        [SCHEMA_NAME] = {.words = "a name of letters, digits, '-', '_' and '.'", .has_length = true},
        [SCHEMA_URI] = {.words = "a connection URI such as qemu:///system"},
        [SCHEMA_PATH] = {.words = "an absolute path", .has_length = true},
        [SCHEMA_NAME_OR_NONE] = {.words = "a name of letters, digits, '-', '_' and '.', or none", .has_length = true},
        [SCHEMA_PATH_OR_NONE] = {.words = "an absolute path or none", .has_length = true},
        [SCHEMA_ENDPOINT_OR_NONE] = {.words = "an address and a port such as 127.0.0.1:8420 or [::1]:8420, or none"},
        [SCHEMA_WINDOW] = {.words = "times of the week such as \"Sun 03:00-05:00\", \"Mon-Fri 22:00-04:00\" or \"daily "
                                    "02:00-04:00\""},
        [SCHEMA_PATTERNS] = {.words = "a list of patterns such as [\"web-*\"]"},
        [SCHEMA_DIRECTORIES] = {.words = "a list of absolute paths such as [\"/srv/shared\"]"},
        [SCHEMA_KINDS] = {.words = "a list of kinds such as [os, memory]"},
        [SCHEMA_HYPERVISORS] = {.words = "a list of hypervisors such as [{name: local, uri: \"qemu:///system\"}]"},
        [SCHEMA_ENVIRONMENT_WEIGHTS] = {.words = "a map of cpu, memory and disk to a weight each", .has_range = true},
        [SCHEMA_RESOURCE_WEIGHTS] = {.words = "a map of kinds or kind/value to a weight each", .has_range = true},
        [SCHEMA_SERVICES] = {.words = "a list of services such as [{match: [\"db-*\"], priority: 10}]"},
        [SCHEMA_VARIABLES] = {.words = "a map of environment variables such as {VIP: 192.0.2.10}"},
        [SCHEMA_OPTIONS] = {.words = "a map of names to values such as {plug: node1}"},
        [SCHEMA_AGENTS] = {.words = "a map of names to command and options such as {ipmi: {command: "
                                    "/usr/sbin/fence_ipmilan}}"},
        [SCHEMA_HOST_AGENTS] = {.words = "a map of agents to options such as {pdu-a: {plug: 3}}"},
        [SCHEMA_LEVELS] = {.words = "a list of lists of agents such as [[ipmi], [pdu-a, pdu-b]]"},
        [SCHEMA_MACHINES] = {.words = "a map of machine names to facts such as {VM-001: {database: mysql}}"},
    };
    char min[UNIT_TEXT_SIZE], max[UNIT_TEXT_SIZE];
    const char *words = types[key->type].words;

    format_amount(key, key->min, min);
    format_amount(key, key->max, max);
    if (key->type == SCHEMA_CHOICE)
        format_choices(key, buffer);
    else if (types[key->type].has_range)
        snprintf(buffer, SCHEMA_EXPECTATION_SIZE, "%s%s%s from %s to %s", words, key->unit != NULL ? " of " : "",
                 key->unit != NULL ? key->unit : "", min, max);
    else if (types[key->type].has_length)
        snprintf(buffer, SCHEMA_EXPECTATION_SIZE, "%s, at most %" PRId64 " bytes", words, key->max);
    else
        snprintf(buffer, SCHEMA_EXPECTATION_SIZE, "%s", words);
}

/* What a key that is left out is. NULL: nothing to be shown. */
static const char *default_of(const struct schema_key *key)
{
    return key->default_from != NULL ? schema_find(key->default_from)->default_text : key->default_text;
}

/* Levels below the top, an element's keys included. */
static int depth_of(const struct schema_key *key)
{
    int depth = 0;

    for (const char *at = key->path; *at != '\0'; at++)
        depth += *at == '.';
    return depth;
}

static bool is_element_key(const struct schema_key *key)
{
    return strstr(key->path, "[]") != NULL;
}

/* It stands in the sample behind a '#': the list need not be given, nor may the key be. */
static bool is_left_out(const struct schema_key *key)
{
    char list[32];
    const char *end = strstr(key->path, "[]");
    int length = end != NULL ? (int)(end - key->path) : (int)strlen(key->path);

    snprintf(list, sizeof(list), "%.*s", length, key->path);
    return !schema_find(list)->is_required || !key->is_required;
}

/* Words as a comment, broken between them. */
static void write_comment(FILE *f, int indent, const char *text)
{
    int column = 0;

    while (*text != '\0') {
        int length = (int)strcspn(text, " ");

        if (column > 0 && column + 1 + length > WIDTH) {
            fputc('\n', f);
            column = 0;
        }
        if (column == 0)
            column = fprintf(f, "%*s#", indent, "");
        column += fprintf(f, " %.*s", length, text);
        text += length;
        text += strspn(text, " ");
    }
    fputc('\n', f);
}

/* The value of a key, commented out by a '#' with nothing behind it, or what the file sets. */
static void write_value(FILE *f, int indent, const struct schema_key *key)
{
    if (key->shipped != NULL) {
        write_comment(f, indent, key->shipped_text);
        fprintf(f, "%*s%s: %s\n", indent, "", schema_name(key), key->shipped);
        return;
    }
    if (key->example == NULL) {
        fprintf(f, "%*s#%s: %s\n", indent, "", schema_name(key), default_of(key));
        return;
    }
    fprintf(f, "%*s#%s:\n", indent, "", schema_name(key));
    for (const char *line = key->example; *line != '\0';) {
        int length = (int)strcspn(line, "\n");

        fprintf(f, "%*s#  %.*s\n", indent, "", length, line);
        line += length;
        line += *line == '\n';
    }
}

static void write_sample_key(FILE *f, const struct schema_key *key, bool is_first_of_element)
{
    int indent = 2 * depth_of(key) + (is_element_key(key) ? 2 : 0);
    char expected[SCHEMA_EXPECTATION_SIZE];

    write_comment(f, indent, key->text);
    if (key->type == SCHEMA_HYPERVISORS || key->type == SCHEMA_SERVICES || key->type == SCHEMA_SECTION) {
        bool is_commented = key->type != SCHEMA_HYPERVISORS && (key->type == SCHEMA_SERVICES || is_element_key(key));

        fprintf(f, "%*s%s%s:\n", indent, "", is_commented ? "#" : "", schema_name(key));
        return;
    }
    if (is_element_key(key)) {
        fprintf(f, "%*s%s%s%s: %s\n", indent - (is_first_of_element ? 2 : 0), "", is_left_out(key) ? "#" : "",
                is_first_of_element ? "- " : "", schema_name(key), key->example);
        return;
    }
    if (key->type != SCHEMA_MACHINES) {
        schema_expectation(key, expected);
        fprintf(f, "%*s# Value: %s.%s%s%s\n", indent, "", expected,
                key->default_from != NULL ? " Default: the value of " : "",
                key->default_from != NULL ? schema_name(schema_find(key->default_from)) : "",
                key->default_from != NULL ? "." : "");
        if (key->needs_restart)
            write_comment(f, indent, RESTART);
    }
    write_value(f, indent, key);
}

int config_write_sample(FILE *f)
{
    static const char head[] =
        "# The configuration of understudyd. Only the hypervisors must be given, and pool says which machines take\n"
        "# part. Every other key stands here with its default (host, fence, agents, levels, machines and services: an\n"
        "# example), behind a '#' and nothing between: take the '#' away to change the value.\n"
        "#\n"
        "# Durations are written 500ms, 5s, 2m, 1h or 1d, sizes 512MiB or 2GiB, other numbers with at most\n"
        "# six decimals.\n"
        "#\n"
        "# understudyd --check           shows every error in this file, with its line\n"
        "# systemctl reload understudyd  loads this file; if it has an error, the old configuration stays\n"
        "# understudyctl list            shows which machines are protected, and which stand by for them\n"
        "# understudyctl explain NAME    shows which machine would take over from NAME now, and why\n"
        "#\n"
        "# The same reference is in understudy.yaml(5).\n";

    fputs(head, f);
    for (size_t i = 0; i < schema_count(); i++) {
        const struct schema_key *key = schema_at(i);
        bool is_first_of_element = is_element_key(key) && i > 0 && !is_element_key(schema_at(i - 1));
        bool follows_section = i > 0 && depth_of(key) > depth_of(schema_at(i - 1));

        if (!is_element_key(key) && !follows_section)
            fputc('\n', f);
        write_sample_key(f, key, is_first_of_element);
    }
    return fflush(f) != 0 || ferror(f) ? -EIO : 0;
}

/* Text that scdoc must not take for markup. */
static void write_escaped(FILE *f, const char *text)
{
    for (; *text != '\0'; text++) {
        if (strchr("*_\\<#|[]`~", *text) != NULL)
            fputc('\\', f);
        fputc(*text, f);
    }
}

static void write_reference_key(FILE *f, const struct schema_key *key)
{
    char expected[SCHEMA_EXPECTATION_SIZE];

    fputc('*', f);
    write_escaped(f, key->path);
    fputs("*\n\t", f);
    write_escaped(f, key->text);
    if (key->type != SCHEMA_SECTION) {
        schema_expectation(key, expected);
        fputs("\n\n\tValue: ", f);
        write_escaped(f, expected);
        fputc('.', f);
        if (key->is_required) {
            fputs(" Must be given.", f);
        } else if (key->default_from != NULL) {
            fputs(" Default: the value of ", f);
            write_escaped(f, key->default_from);
            fputc('.', f);
        } else if (key->default_text != NULL) {
            fputs(" Default: ", f);
            write_escaped(f, key->default_text);
            fputc('.', f);
        }
        if (key->needs_restart)
            fputs(" " RESTART, f);
    }
    fputs("\n\n", f);
}

int schema_write_reference(FILE *f)
{
    for (size_t i = 0; i < schema_count(); i++)
        write_reference_key(f, schema_at(i));
    return fflush(f) != 0 || ferror(f) ? -EIO : 0;
}
