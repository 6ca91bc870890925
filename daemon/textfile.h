/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writes the metrics to a file, for those who read it by the textfile collector of node_exporter. On a thread of its own,
 * since the disk may be silent.
 */
#ifndef UNDERSTUDY_DAEMON_TEXTFILE_H
#define UNDERSTUDY_DAEMON_TEXTFILE_H

#include <stdbool.h>

#include "base/cleanup.h"

struct event;
struct event_base;
struct meters;
struct settings;
struct workers;

/* A plain value: initialise what is borrowed, the rest is 0. End with textfile_done. */
struct textfile {
    const struct meters *meters;
    const struct settings *settings;
    struct event *pump; /* activated when the trouble changes */
    struct workers *workers;
    struct event *timer;
    bool is_writing;
    char *trouble; /* why it is not written, with its path; NULL: it is, or none is asked for */
};

/* Writes it now and then again and again, while the configuration names one. -ENOMEM. */
int textfile_open(struct textfile *textfile, struct event_base *base) _must_check_;

/* The configuration is another. */
void textfile_look(struct textfile *textfile);

/* The file stays as it was written last. */
void textfile_done(struct textfile *textfile);

#endif
