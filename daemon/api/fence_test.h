/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A request to ask the fence agents of a host whether they answer. */
#ifndef UNDERSTUDY_DAEMON_API_FENCE_TEST_H
#define UNDERSTUDY_DAEMON_API_FENCE_TEST_H

#include "api/api.h"
#include "api/pending.h"

struct evhttp_request;

/* Answers the request at once where it is refused; else when the agents have answered, or were ended. */
void fence_test_begin(struct pending_list *list, const struct api_backend *backend, void *context,
                      struct evhttp_request *request, const char *host);

#endif
