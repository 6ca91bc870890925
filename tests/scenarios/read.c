/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads a scenario file into lines with their times. Knows the sections, not what their lines mean. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "scenario.h"

static const char *scenario_file;
static unsigned current_line;

void scenario_fail(unsigned line, const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "%s:%u: ", scenario_file, line != 0 ? line : current_line);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(2);
}

unsigned scenario_line(void)
{
    return current_line;
}

static void *require(void *allocated)
{
    if (allocated == NULL)
        scenario_fail(0, "out of memory");
    return allocated;
}

void transcript_add(struct transcript *transcript, unsigned line, int64_t at_us, bool is_output, const char *text)
{
    if (transcript->n_entries == SCENARIO_ENTRIES)
        scenario_fail(line, "more than %d lines", SCENARIO_ENTRIES);
    transcript->entries[transcript->n_entries++] =
        (struct entry){.line = line, .at_us = at_us, .is_output = is_output, .text = require(strdup(text))};
}

void transcript_done(struct transcript *transcript)
{
    for (size_t i = 0; i < transcript->n_entries; i++)
        free(transcript->entries[i].text);
    transcript->n_entries = 0;
}

struct words words_split(unsigned line, const char *text)
{
    struct words words = {.line = line, .buffer = require(strdup(text))};
    char *rest = words.buffer, *word;

    current_line = line;
    while ((word = strsep(&rest, " ")) != NULL) {
        if (*word == '\0')
            continue;
        if (words.count == SCENARIO_WORDS)
            scenario_fail(line, "more than %d words", SCENARIO_WORDS);
        words.word[words.count++] = word;
    }
    return words;
}

void words_done(struct words *words)
{
    free(words->buffer);
    *words = (struct words){0};
}

/* Single blanks between words, none around them. */
static void tidy(char *text)
{
    char *to = text;

    for (const char *from = text; *from != '\0'; from++)
        if (!isspace((unsigned char)*from))
            *to++ = *from;
        else if (to > text && to[-1] != ' ')
            *to++ = ' ';
    while (to > text && to[-1] == ' ')
        to--;
    *to = '\0';
}

enum section { SECTION_NONE, SECTION_CONFIG, SECTION_MACHINES, SECTION_COURSE, SECTION_END, SECTION_COUNT };

static const char *const section_names[SECTION_COUNT] = {
    [SECTION_NONE] = "",         [SECTION_CONFIG] = "config", [SECTION_MACHINES] = "machines",
    [SECTION_COURSE] = "course", [SECTION_END] = "end",
};

static enum section section_of(unsigned line, const char *text)
{
    for (enum section i = SECTION_CONFIG; i < SECTION_COUNT; i++)
        if (strcmp(text, section_names[i]) == 0)
            return i;
    scenario_fail(line, "no section of that name: %s (config, machines, course and end are)", text);
}

/* "TIME what", "TIME > what" or, at the time of the line before, "> what". */
static void read_course(struct transcript *course, unsigned line, char *text)
{
    int64_t at_us = course->n_entries > 0 ? course->entries[course->n_entries - 1].at_us : 0, before_us = at_us;
    bool is_output;

    if (*text != '>') {
        char *time = strsep(&text, " ");

        if (duration_parse(time, &at_us) < 0)
            scenario_fail(line, "a time such as 5s or 500ms is expected first, not %s", time);
        if (text == NULL)
            scenario_fail(line, "nothing stands behind the time");
        if (at_us < before_us)
            scenario_fail(line, "the line before is later than this one");
    }
    is_output = *text == '>';
    if (is_output)
        text++;
    transcript_add(course, line, at_us, is_output, *text == ' ' ? text + 1 : text);
}

static void read_line(struct scenario *scenario, enum section *section, unsigned line, const char *text)
{
    char *tidied = require(strdup(text));
    unsigned indent = (unsigned)strspn(text, " ");

    tidy(tidied);
    if (*tidied == '\0' || *tidied == '#')
        ;
    else if (indent == 0)
        *section = section_of(line, tidied);
    else if (*section == SECTION_CONFIG && scenario->config_indent == 0)
        scenario->config_indent = indent;
    else if (*section == SECTION_MACHINES)
        transcript_add(&scenario->machines, line, 0, false, tidied);
    else if (*section == SECTION_COURSE)
        read_course(&scenario->course, line, tidied);
    else if (*section == SECTION_END)
        transcript_add(&scenario->course, line, AT_END, true, tidied);
    else if (*section == SECTION_NONE)
        scenario_fail(line, "this stands in no section");
    free(tidied);
}

void scenario_read(const char *file, struct scenario *ret)
{
    FILE *stream = fopen(file, "r");
    enum section section = SECTION_NONE;
    char *text = NULL;
    size_t size = 0, length = 0;
    ssize_t n;

    *ret = (struct scenario){0};
    scenario_file = file;
    if (stream == NULL)
        scenario_fail(0, "%s", strerror(errno));
    for (unsigned line = 1; (n = getline(&text, &size, stream)) >= 0; line++) {
        bool is_config;

        current_line = line;
        read_line(ret, &section, line, text);
        is_config = section == SECTION_CONFIG && *text == ' ';
        ret->yaml = require(realloc(ret->yaml, length + (size_t)n + 2));
        length += (size_t)snprintf(ret->yaml + length, (size_t)n + 2, "%s", is_config ? text : "\n");
    }
    free(text);
    fclose(stream);
    if (ret->machines.n_entries == 0 || ret->course.n_entries == 0)
        scenario_fail(current_line, "a scenario has at least one machine, and a course");
}

void scenario_done(struct scenario *scenario)
{
    free(scenario->yaml);
    transcript_done(&scenario->machines);
    transcript_done(&scenario->course);
}
