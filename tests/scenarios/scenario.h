/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A scenario file, the world that it sets up, and the transcript of what came out. README.md describes
 * the format. Names internals of lib/ in play.c alone.
 */
#ifndef UNDERSTUDY_TESTS_SCENARIOS_SCENARIO_H
#define UNDERSTUDY_TESTS_SCENARIOS_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCENARIO_ENTRIES 512
#define SCENARIO_WORDS   24

/* Where the course has ended, for what is true then. */
#define AT_END INT64_MAX

/* One line: something that happens, or something that comes out. */
struct entry {
    unsigned line; /* 0: it came out of the coordinator */
    int64_t at_us; /* since the course began */
    bool is_output;
    char *text; /* single blanks between its words */
};

struct transcript {
    struct entry entries[SCENARIO_ENTRIES];
    size_t n_entries;
};

/* The words of one line. */
struct words {
    unsigned line;
    char *word[SCENARIO_WORDS];
    size_t count;
    char *buffer;
};

struct scenario {
    char *yaml;                 /* as long as the file: its config section, on its own lines */
    unsigned config_indent;     /* of that section */
    struct transcript machines; /* the lines of that section */
    struct transcript course;   /* what happens, and what must come out, the end included */
};

/* Ends the program with "FILE:LINE: message". line 0: the line that is being played. */
void scenario_fail(unsigned line, const char *format, ...) __attribute__((format(printf, 2, 3), noreturn));

/* The line that was looked at last. */
unsigned scenario_line(void);

void scenario_read(const char *file, struct scenario *ret);
void scenario_done(struct scenario *scenario);

void transcript_add(struct transcript *transcript, unsigned line, int64_t at_us, bool is_output, const char *text);
void transcript_done(struct transcript *transcript);

struct words words_split(unsigned line, const char *text);
void words_done(struct words *words);

/* Plays the course through the coordinator; *ret: the same lines of what happens, and what did come out. */
void scenario_play(const struct scenario *scenario, struct transcript *ret);

/* True: they are equal. Else prints both as one, what is missing behind "-" and what came unexpected behind "+". */
bool transcript_compare(const struct transcript *expected, const struct transcript *actual);

#endif
