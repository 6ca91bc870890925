/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/body.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/http.h>

#include "api/reply.h"

int body_read(struct evhttp_request *request, struct body *ret)
{
    struct evbuffer *buffer = evhttp_request_get_input_buffer(request);

    *ret = (struct body){.length = evbuffer_get_length(buffer), .problem = "out of memory"};
    ret->text = (const char *)evbuffer_pullup(buffer, -1);
    return ret->text == NULL && ret->length > 0 ? -ENOMEM : 0;
}

void body_refuse(struct evhttp_request *request, int error, const struct body *body)
{
    reply_error(request, error == -EINVAL ? HTTP_BADREQUEST : HTTP_SERVUNAVAIL, body->problem, NULL);
}
