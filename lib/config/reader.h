/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What every part of reading a configuration shares: where it is, how it complains, and that it goes on
 * afterwards, so that all errors come in one pass. Knows no keys.
 */
#ifndef UNDERSTUDY_CONFIG_READER_H
#define UNDERSTUDY_CONFIG_READER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "config/yaml.h"
#include "model/feature.h"

/* Errors after which no further ones are told. */
#define READER_ERRORS_MAX 100

/* One reading. Functions that get a reader report to it and return nothing; look at the end what came of it. */
struct reader {
    const char *file; /* borrowed; may be NULL */
    struct diags *diags;
    struct feature_table *features; /* knows which kinds and values there can be */
    size_t n_errors;
    bool is_out_of_memory;
};

int reader_init(struct reader *reader, const char *file, struct diags *diags) _must_check_;
void reader_done(struct reader *reader);

/* 0, -EINVAL if errors were reported, or -ENOMEM. */
int reader_result(const struct reader *reader) _must_check_;

/*
 * The way from the top of the file to a value, for messages: a key, or with name NULL an element's index. What stands
 * at a secret place is not shown; places of names that are the file's own are not made below it.
 */
struct place {
    const struct place *parent; /* NULL: the top */
    const char *name;
    size_t index;
    bool is_secret;
};

#define PLACE_TEXT_SIZE 512

/* "hypervisors[0].uri"; "" for the top, which is NULL. */
void place_format(const struct place *place, char buffer[static PLACE_TEXT_SIZE]);

#define QUOTED_SIZE 80

/*
 * The name of a pair in quotes, shortened where it is long; "" where it does not look like a name but like a whole
 * pair that is written badly, such as password=xyz.
 */
const char *quote_name(const char *text, char buffer[static QUOTED_SIZE]);

/* True if the text holds a control character. */
bool has_control_character(const char *text);

/* Reports "PLACE: message" at the node; at the top the message alone. */
void reader_error(struct reader *reader, const struct place *place, const struct node *node, const char *format, ...)
    _printf_(4, 5);
void reader_warn(struct reader *reader, const struct place *place, const struct node *node, const char *format, ...)
    _printf_(4, 5);

/*
 * Reports "PLACE: found …, expected …". A text is not shown at a secret place, nor one of several lines: the pair that
 * stands below was taken for a part of it.
 */
void reader_mismatch(struct reader *reader, const struct place *place, const struct node *node, const char *expected);

/* Reports each key of a map that was there before. */
void reader_check_duplicates(struct reader *reader, const struct place *place, const struct node *map);

#endif
