/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/asker.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <event2/bufferevent.h>
#include <event2/http.h>

/* Of the header: what is longer is no name of a user. */
#define NAME_MAX_BYTES 64

/* Whose number is not known here: /proc/sys/kernel/overflowuid, as user namespaces have it. */
#define OVERFLOW_UID 65534

/* False: it is another user's of a user namespace, or the connection is gone. */
static bool find_uid(struct evhttp_request *request, uid_t *ret)
{
    struct evhttp_connection *connection = evhttp_request_get_connection(request);
    struct bufferevent *transport = connection != NULL ? evhttp_connection_get_bufferevent(connection) : NULL;
    struct ucred peer;
    socklen_t size = sizeof(peer);

    if (transport == NULL || getsockopt(bufferevent_getfd(transport), SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
        return false;
    *ret = peer.uid;
    return peer.uid != OVERFLOW_UID;
}

/* "": there is none, or it cannot be shown as it is. */
static const char *find_name(struct evhttp_request *request)
{
    const char *name = evhttp_find_header(evhttp_request_get_input_headers(request), ASKER_HEADER);
    size_t length = 0;

    if (name == NULL)
        return "";
    for (; name[length] != '\0'; length++)
        if (name[length] < ' ' || name[length] > '~' || length == NAME_MAX_BYTES)
            return "";
    return name;
}

void asker_name(struct evhttp_request *request, char ret[static OPERATOR_NAME_SIZE])
{
    const char *name = find_name(request);
    uid_t uid = 0;
    bool is_known = find_uid(request, &uid);

    if (name[0] == '\0' && is_known && uid != 0)
        snprintf(ret, OPERATOR_NAME_SIZE, "uid %u", (unsigned)uid);
    else if (name[0] == '\0' && is_known)
        snprintf(ret, OPERATOR_NAME_SIZE, "root");
    else if (is_known && uid != 0)
        snprintf(ret, OPERATOR_NAME_SIZE, "%s (uid %u)", name, (unsigned)uid);
    else
        snprintf(ret, OPERATOR_NAME_SIZE, "%s", name);
}
