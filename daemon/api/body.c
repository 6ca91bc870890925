/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/body.h"

#include <errno.h>
#include <stdlib.h>
#include <event2/buffer.h>
#include <event2/http.h>

#include "api/reply.h"

int body_read(struct evhttp_request *request, struct body *ret)
{
    struct evbuffer *buffer = evhttp_request_get_input_buffer(request);

    *ret = (struct body){.length = evbuffer_get_length(buffer)};
    ret->text = (const char *)evbuffer_pullup(buffer, -1);
    return ret->text == NULL && ret->length > 0 ? -ENOMEM : 0;
}

void body_refuse(struct evhttp_request *request, int error, struct body *body)
{
    if (error == -EINVAL && body->problem != NULL)
        reply_error(request, HTTP_BADREQUEST, body->problem, NULL);
    else
        reply_error(request, HTTP_SERVUNAVAIL, "out of memory", NULL);
    free(body->problem);
    body->problem = NULL;
}
