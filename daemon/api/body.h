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
    char *problem; /* what is wrong with it, for people: its reader says so; NULL: for want of memory */
};

/* All of it, in one piece. -ENOMEM. */
int body_read(struct evhttp_request *request, struct body *ret) _must_check_;

/* Answers a request whose body cannot be read (-ENOMEM), or makes no sense (-EINVAL). Frees what is wrong with it. */
void body_refuse(struct evhttp_request *request, int error, struct body *body);

#endif
