/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading records; private to them. */
#ifndef UNDERSTUDY_REPORT_RECORD_READER_H
#define UNDERSTUDY_REPORT_RECORD_READER_H

#include "config/config.h"
#include "report/json_value.h"

/* The words for the values of an enum, from 0 on. All are static. */
struct record_vocabulary {
    const char *(*word)(int value);
    int count;
};

/* A document being read. The first thing wrong with it stands; whatever is read after that means nothing. */
struct record_reader {
    int error;
};

void record_refuse(struct record_reader *reader, int error);
bool record_is_absent(const json_t *object, const char *key);
bool record_read_bool(struct record_reader *reader, const json_t *object, const char *key);
int64_t record_read_integer(struct record_reader *reader, const json_t *object, const char *key, int64_t min,
                            int64_t max);
double record_read_number(struct record_reader *reader, const json_t *object, const char *key);
int record_read_word(struct record_reader *reader, const json_t *object, const char *key,
                     const struct record_vocabulary *vocabulary);
char *record_read_text(struct record_reader *reader, const json_t *object, const char *key);
char *record_read_text_or_null(struct record_reader *reader, const json_t *object, const char *key);
void record_read_into(struct record_reader *reader, const json_t *object, const char *key, char *buffer, size_t size);
const json_t *record_read_array(struct record_reader *reader, const json_t *object, const char *key,
                                size_t element_size, void *ret_items);
void record_read_strings(struct record_reader *reader, const json_t *object, const char *key, struct string_list *list);
int record_finish(const struct json_maker *maker, json_t *document, char **ret);
int record_load(const char *text, json_t **ret);

#endif
