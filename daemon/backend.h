/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the API sees of the daemon and may ask of it. */
#ifndef UNDERSTUDY_DAEMON_BACKEND_H
#define UNDERSTUDY_DAEMON_BACKEND_H

#include "api/api.h"
#include "base/moment.h"

struct answers;
struct board;
struct event;
struct meters;
struct nodes;
struct persistence;
struct programs;
struct reload;
struct settings;

/* The context of backend_functions; a plain value, borrowing all. */
struct backend {
    struct coordinator *coordinator;
    struct answers *answers;
    const struct nodes *nodes;
    struct persistence *persistence;
    struct programs *programs;
    struct board *board;
    const struct reload *reload;
    const struct settings *settings;
    const struct meters *meters;
    struct event *pump; /* activated after the coordinator has been told something */
};

extern const struct api_backend backend_functions;

/* Crashes a machine for a rehearsal, as if an operator had ordered the drill. */
void backend_rehearse(const struct backend *backend, const struct order *drill);

#endif
