/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Members of the daemon's answers, and numbers as people read them. A missing member reads as nothing. */
#ifndef UNDERSTUDY_DAEMON_CTL_FIELD_H
#define UNDERSTUDY_DAEMON_CTL_FIELD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "ctl/print.h"

/* Borrowed from the document. NULL where the member is null, missing or no string. */
const char *field_text(const json_t *object, const char *name);
/* As field_text, with "-" for NULL. */
const char *field_word(const json_t *object, const char *name);
bool field_is(const json_t *object, const char *name, const char *text);
/* The member is an array that has this text. */
bool field_has(const json_t *object, const char *name, const char *text);
/* As field_has, of the array itself. */
bool field_has_text(const json_t *array, const char *text);
bool field_true(const json_t *object, const char *name);
/* 0 where the member is no number. */
double field_number(const json_t *object, const char *name);
int64_t field_integer(const json_t *object, const char *name);
bool field_is_null(const json_t *object, const char *name);
/* Microseconds since the epoch; 0 where the member is no instant. */
int64_t field_real_us(const json_t *object, const char *name);

/* "port/80" or "reached-port/80". */
bool field_is_port(const char *feature);

/* Each of these returns a text for people that the caller frees. */
/* Of an array of texts or integers. */
char *field_joined(const json_t *object, const char *name, const char *separator) _must_check_;
/* The values of an array of "kind/value" but for ports and the families of systems, joined by ", ". */
char *field_values(const json_t *object, const char *name) _must_check_;
char *field_ratio(const json_t *object, const char *name) _must_check_;    /* "0.6667", or "-" */
char *field_duration(const json_t *object, const char *name) _must_check_; /* of milliseconds: "1.234 s" */
char *field_instant(const json_t *object, const char *name) _must_check_;  /* "2026-11-22 14:54:00.000 UTC", or "-" */
char *field_age(const json_t *object, const char *name) _must_check_;      /* "3 h 4 min ago", or "never" */

/* "512 MiB"; "-" for 0. Caller frees. */
char *format_bytes(uint64_t bytes) _must_check_;
/* "1.234 s", "2 min 3 s", "3 h 4 min", "5 d 6 h". Caller frees. */
char *format_duration(double ms) _must_check_;

/* How the state of a machine, of a service, and a recovery's outcome or a notice's kind, are to be shown. */
enum style style_of_state(const char *state);
enum style style_of_service(const char *state);
enum style style_of_outcome(const char *outcome);

#endif
