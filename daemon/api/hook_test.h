/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A request to run the hooks of the event "test". */
#ifndef UNDERSTUDY_DAEMON_API_HOOK_TEST_H
#define UNDERSTUDY_DAEMON_API_HOOK_TEST_H

#include "api/api.h"
#include "api/pending.h"

struct evhttp_request;

/* Answers the request at once where it is refused; else when the hooks have ended. */
void hook_test_begin(struct pending_list *list, const struct api_backend *backend, void *context,
                     struct evhttp_request *request);

#endif
