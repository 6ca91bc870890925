/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests that are answered when what they asked for has been done to a machine. */
#ifndef UNDERSTUDY_DAEMON_API_PENDING_H
#define UNDERSTUDY_DAEMON_API_PENDING_H

#include <sys/queue.h>

struct evhttp_request;
struct pending;

/* Those that are not answered yet. */
LIST_HEAD(pending_list, pending);

/* The name of the machine is copied. NULL: no memory, and the request has been told so. */
struct pending *pending_begin(struct pending_list *list, struct evhttp_request *request, const char *machine);

/* An api_done: answers the request, where it still waits, and frees token, which is a struct pending. */
void pending_end(void *token, int error, const char *message);

/* Answers the request, where it still waits, with the document, and frees both; NULL: there was no memory for it. */
void pending_answer(struct pending *pending, char *json);

/* Answers the request, where it still waits, with an error of HTTP, its words and a hint (or NULL), and frees it. */
void pending_refuse(struct pending *pending, int status, const char *error, const char *hint);

/* The API goes, and what was asked for with it: frees it, and the request is not answered any more. */
void pending_forget(struct pending *pending);

/* It was not begun after all: frees it, and the request is the caller's to answer. */
void pending_drop(struct pending *pending);

/* The API goes: what was asked for goes on, and no request is answered any more. */
void pending_abandon_all(struct pending_list *list);

#endif
