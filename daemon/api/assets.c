/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/assets.h"

#include <string.h>

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include "api/reply.h"
#include "base/cleanup.h"

#define ROOT  "/dashboard/"
#define INDEX "index.html"

/* By the end of the name. */
static const struct {
    const char *ending;
    const char *content_type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".svg", "image/svg+xml"},
};

/* The page runs and shows nothing that is not its own, is shown in no page of another site, and tells none where it was. */
static const struct {
    const char *name;
    const char *value;
} headers_of_all[] = {
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
     "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Embedder-Policy", "require-corp"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    /* Asked for each time, and sent only when it has changed: a daemon that was upgraded has another page. */
    {"Cache-Control", "no-cache"},
};

static const char *type_of(const char *name)
{
    const char *ending = strrchr(name, '.');

    for (size_t i = 0; i < ELEMENTS_OF(types); i++)
        if (ending != NULL && strcmp(ending, types[i].ending) == 0)
            return types[i].content_type;
    return "application/octet-stream";
}

static const struct asset *find(const char *name)
{
    for (const struct asset *asset = assets; asset->name != NULL; asset++)
        if (strcmp(asset->name, name) == 0)
            return asset;
    return NULL;
}

static void set_header(struct evkeyvalq *headers, const char *name, const char *value)
{
    evhttp_remove_header(headers, name);
    evhttp_add_header(headers, name, value);
}

/* The client has this very content already. */
static bool is_known(struct evhttp_request *request, const struct asset *asset)
{
    const char *known = evhttp_find_header(evhttp_request_get_input_headers(request), "If-None-Match");

    return known != NULL && strstr(known, asset->tag) != NULL;
}

static void send_asset(struct evhttp_request *request, const struct asset *asset)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    bool has_body = evhttp_request_get_command(request) == EVHTTP_REQ_GET;
    struct evbuffer *body;

    for (size_t i = 0; i < ELEMENTS_OF(headers_of_all); i++)
        set_header(headers, headers_of_all[i].name, headers_of_all[i].value);
    set_header(headers, "ETag", asset->tag);
    if (is_known(request, asset)) {
        evhttp_send_reply(request, HTTP_NOTMODIFIED, NULL, NULL);
        return;
    }
    set_header(headers, "Content-Type", type_of(asset->name));
    body = evbuffer_new();
    if (body == NULL || evbuffer_add_reference(body, asset->content, asset->size, NULL, NULL) < 0)
        reply_error(request, HTTP_SERVUNAVAIL, "out of memory", NULL);
    else
        evhttp_send_reply(request, HTTP_OK, NULL, has_body ? body : NULL);
    if (body != NULL)
        evbuffer_free(body);
}

bool assets_answer(struct evhttp_request *request, const char *path)
{
    enum evhttp_cmd_type method = evhttp_request_get_command(request);
    bool is_root = strcmp(path, "/") == 0 || strcmp(path, "/dashboard") == 0 || strcmp(path, ROOT) == 0;
    const struct asset *asset;

    if (!is_root && strncmp(path, ROOT, strlen(ROOT)) != 0)
        return false;
    asset = find(is_root ? INDEX : path + strlen(ROOT));
    if (asset == NULL) {
        reply_error(request, HTTP_NOTFOUND, "there is nothing at this path", NULL);
    } else if (method != EVHTTP_REQ_GET && method != EVHTTP_REQ_HEAD) {
        evhttp_add_header(evhttp_request_get_output_headers(request), "Allow", "GET, HEAD");
        reply_error(request, HTTP_BADMETHOD, "this method is not allowed here", NULL);
    } else {
        send_asset(request, asset);
    }
    return true;
}
