/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Answers that are made in a copy of the process (fork): no other client waits for what takes long, and what is tried there
 * changes nothing here. The copy has one thread, and may use nothing but memory.
 */
#ifndef UNDERSTUDY_DAEMON_API_COPY_H
#define UNDERSTUDY_DAEMON_API_COPY_H

#include "api/api.h"
#include "base/cleanup.h"

#define COPIES_MAX 3 /* at the same time; one of them is for those who may act */
#ifdef __SANITIZE_ADDRESS__
#define COPY_SECONDS 10 /* its allocator is not made for fork, and a copy may wait for it for ever */
#else
#define COPY_SECONDS 30 /* that one may take */
#endif

#define COPY_PAUSE_MS 50

struct copies;
struct event_base;
struct evhttp_request;

/* Borrows all of it. -ENOMEM. */
int copies_new(struct event_base *base, const struct api_backend *backend, void *context,
               struct copies **ret) _must_check_;
/* Ends those that are at work; their requests are not answered. Takes NULL. */
void copies_free(struct copies *copies);

/*
 * Called in the copy, with nothing but `context`. 0: *ret_text is a JSON document; negative errno, or a status of HTTP:
 * *ret_text is what is wrong, in words, or NULL.
 */
typedef int copy_make(void *context, char **ret_text);

/* Answers the request, when the copy has; or at once, where there can be none. context is needed only during the call. */
void copies_answer(struct copies *copies, struct evhttp_request *request, enum api_rights rights, copy_make *make,
                   void *context);

/* Takes what copy_make made, or why there is nothing (negative errno); text may be NULL. */
typedef void copy_made(void *token, int error, char *text);

/*
 * The same for what can wait: made is called once, later, unless the copies are freed before. -EBUSY: something is being
 * written, ask again in COPY_PAUSE_MS; -EAGAIN: there can be none.
 */
int copies_make(struct copies *copies, copy_make *make, void *context, copy_made *made, void *token) _must_check_;

#endif
