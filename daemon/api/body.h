/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a request brings along, and the answer where that makes no sense. */
#ifndef UNDERSTUDY_DAEMON_API_BODY_H
#define UNDERSTUDY_DAEMON_API_BODY_H

#include <stddef.h>

#include "base/cleanup.h"

struct evhttp_request;

struct body {
    const char *text; /* borrowed from the request; not terminated, and NULL where it is empty */
    size_t length;
    const char *problem; /* what is wrong with it: static, for people; its reader says so */
};

/* All of it, in one piece. -ENOMEM. */
int body_read(struct evhttp_request *request, struct body *ret) _must_check_;

/* Answers a request whose body cannot be read (-ENOMEM), or makes no sense (-EINVAL). */
void body_refuse(struct evhttp_request *request, int error, const struct body *body);

#endif
