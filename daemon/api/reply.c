/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Answers as evhttp wants them. Knows no route. */
#include "api/reply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/http.h>

#include "report/json.h"

static void free_text(const void *data, size_t length, void *text)
{
    (void)data;
    (void)length;
    free(text);
}

void reply_text(struct evhttp_request *request, int status, const char *content_type, char *text)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    struct evbuffer *body = text != NULL ? evbuffer_new() : NULL;

    if (body == NULL || evbuffer_add_reference(body, text, strlen(text), free_text, text) < 0) {
        free(text);
        if (body != NULL)
            evbuffer_free(body);
        evhttp_send_reply(request, HTTP_SERVUNAVAIL, NULL, NULL);
        return;
    }
    evhttp_add_header(headers, "Content-Type", content_type);
    evhttp_add_header(headers, "Cache-Control", "no-store");
    /* evhttp would send the body of an answer that has none, where the client expects the next answer. */
    evhttp_send_reply(request, status, NULL, evhttp_request_get_command(request) != EVHTTP_REQ_HEAD ? body : NULL);
    evbuffer_free(body);
}

void reply_json(struct evhttp_request *request, int status, char *json)
{
    reply_text(request, status, "application/json", json);
}

void reply_error(struct evhttp_request *request, int status, const char *error, const char *hint)
{
    char *json = NULL;

    if (json_format_error(error, hint, &json) < 0)
        json = NULL;
    reply_json(request, status, json);
}

int reply_status_of(int error)
{
    switch (error) {
    case -ENOENT:
        return HTTP_NOTFOUND;
    case -EPERM:
    case -EACCES:
        return HTTP_FORBIDDEN;
    case -EBUSY:
    case -ECANCELED:
    case -EALREADY:
    case -EINVAL:
    case -ENOTUNIQ:
        return HTTP_CONFLICT;
    case -ENOMEM:
    case -ENOTCONN:
        return HTTP_SERVUNAVAIL;
    case -ETIMEDOUT:
        return HTTP_GATEWAY_TIMEOUT;
    default:
        return HTTP_INTERNAL;
    }
}
