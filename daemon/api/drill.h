/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Drills asked for over HTTP: a request is answered when its drill is. */
#ifndef UNDERSTUDY_DAEMON_API_DRILL_H
#define UNDERSTUDY_DAEMON_API_DRILL_H

#include <sys/queue.h>

#include "api/api.h"

struct drill;
struct evhttp_request;

/* Those that were asked for and are not answered yet. */
LIST_HEAD(drill_list, drill);

/* Asks the backend for a drill of this machine, and answers the request now or later. */
void drill_begin(struct drill_list *drills, const struct api_backend *backend, void *context,
                 struct evhttp_request *request, const struct machine *machine);

/* The API goes: the drills go on, and no request is answered any more. */
void drill_abandon_all(struct drill_list *drills);

#endif
