/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files of the dashboard, which are part of the program. Knows nothing of what they say. */
#ifndef UNDERSTUDY_DAEMON_API_ASSETS_H
#define UNDERSTUDY_DAEMON_API_ASSETS_H

#include <stdbool.h>
#include <stddef.h>

struct evhttp_request;

/* One file, below the path "/dashboard/". The table is made by the build (dashboard/embed.cmake) and ends with a NULL name. */
struct asset {
    const char *name; /* "views/machine.js" */
    const char *tag;  /* as of the header ETag: another one for other content */
    const unsigned char *content;
    size_t size;
};

extern const struct asset assets[];

/* Answers a request for a path of the dashboard: "/", and "/dashboard/…". False: the path is none. */
bool assets_answer(struct evhttp_request *request, const char *path);

#endif
