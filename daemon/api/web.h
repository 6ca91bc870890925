/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is asked over TCP. Every client that can connect can ask there, and a browser sends requests for any page that it
 * shows. Such a request must be one that reads, for a name of this host, and from no page of another origin. Knows no route.
 */
#ifndef UNDERSTUDY_DAEMON_API_WEB_H
#define UNDERSTUDY_DAEMON_API_WEB_H

#include <stdbool.h>

#include "config/config.h"
#include "config/endpoint.h"

struct evhttp_request;

/* A descriptor that is bound and does not listen yet; the caller closes it. Negative errno. */
int web_bind(const struct endpoint *endpoint, int *ret_fd) _must_check_;

/*
 * False: it is refused, and answered. names: patterns of what this host is called, beside addresses, localhost and its own
 * host name.
 */
bool web_admit(struct evhttp_request *request, const struct string_list *names);

#endif
