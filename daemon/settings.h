/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The configuration in force, the one that the daemon was started with, and how the last reload went. Reads no file. */
#ifndef UNDERSTUDY_DAEMON_SETTINGS_H
#define UNDERSTUDY_DAEMON_SETTINGS_H

#include "base/cleanup.h"
#include "config/config.h"

/* A plain value: initialise both configurations with the one that was read at the start; settings_done frees them. */
struct settings {
    struct config *config;       /* in force */
    struct config *started_with; /* what is only read at the start is in force as it stands here */
    char *reload_error;          /* NULL: the last reload went well, or there was none */
};

/* Puts another configuration in force; takes it. */
void settings_replace(struct settings *settings, struct config *config);

/* Notes why a reload failed, or with NULL that it went well. Takes the text. */
void settings_note_reload(struct settings *settings, char *error);

/* The keys that have changed since the start and that only a restart puts in force, with ", " between; NULL: none. */
char *settings_waiting_keys(const struct settings *settings) _must_check_;

/* "automatic" or "observe". */
const char *settings_mode(const struct settings *settings);

void settings_done(struct settings *settings);

#endif
