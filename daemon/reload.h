/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the configuration file again and puts it in force, completely or not at all. */
#ifndef UNDERSTUDY_DAEMON_RELOAD_H
#define UNDERSTUDY_DAEMON_RELOAD_H

struct coordinator;
struct event;
struct manager;
struct nodes;
struct persistence;
struct settings;
struct textfile;

/* What a reload changes; a plain value, borrowing all. */
struct reload {
    struct settings *settings;
    struct coordinator *coordinator;
    struct nodes *nodes;
    struct persistence *persistence;
    struct manager *manager;
    struct textfile *textfile;
    struct event *pump; /* activated after the coordinator has been told something */
};

/* A configuration that is wrong changes nothing; settings->reload_error says why then. */
void reload_configuration(const struct reload *reload);

#endif
