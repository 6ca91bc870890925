/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the metadata of a machine says, changed over HTTP. */
#ifndef UNDERSTUDY_DAEMON_API_TAG_H
#define UNDERSTUDY_DAEMON_API_TAG_H

#include "api/api.h"
#include "api/pending.h"
#include "report/json.h"

/* from: the machine that the request names, or NULL. Asks the backend, and answers the request now or later. */
void tag_begin(struct pending_list *list, const struct api_backend *backend, void *context,
               struct evhttp_request *request, const struct machine *machine, const struct machine *from,
               const struct tag_request *wanted);

#endif
