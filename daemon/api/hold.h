/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests about holds, each answered at once. */
#ifndef UNDERSTUDY_DAEMON_API_HOLD_H
#define UNDERSTUDY_DAEMON_API_HOLD_H

#include "api/api.h"

struct evhttp_request;

/* All holds. */
void hold_list(const struct api_backend *backend, void *context, struct evhttp_request *request);
/* Begins the one that the body asks for; by: who orders it. */
void hold_begin(const struct api_backend *backend, void *context, struct evhttp_request *request, const char *by);
/* Ends the one on what is called `name`; "brake" is the brake. */
void hold_release(const struct api_backend *backend, void *context, struct evhttp_request *request, const char *name);

#endif
