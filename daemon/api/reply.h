/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Answering one HTTP request: bodies, content types, and errors with words. */
#ifndef UNDERSTUDY_DAEMON_API_REPLY_H
#define UNDERSTUDY_DAEMON_API_REPLY_H

#define HTTP_FORBIDDEN       403
#define HTTP_CONFLICT        409
#define HTTP_GATEWAY_TIMEOUT 504

struct evhttp_request;

/* Takes text, which malloc gave; NULL answers that memory ran out. */
void reply_text(struct evhttp_request *request, int status, const char *content_type, char *text);
void reply_json(struct evhttp_request *request, int status, char *json);

/* {"error": …, "hint": …}; hint may be NULL. */
void reply_error(struct evhttp_request *request, int status, const char *error, const char *hint);

/* The HTTP status that says the same as a negative errno of the daemon. */
int reply_status_of(int error);

#endif
