/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Drills asked for over HTTP: a request is answered when its drill is. */
#ifndef UNDERSTUDY_DAEMON_API_DRILL_H
#define UNDERSTUDY_DAEMON_API_DRILL_H

#include "api/api.h"
#include "api/pending.h"

/* Asks the backend for a drill of this machine, as ordered by this user, and answers the request now or later. */
void drill_begin(struct pending_list *list, const struct api_backend *backend, void *context,
                 struct evhttp_request *request, const struct machine *machine, const char *by);

#endif
