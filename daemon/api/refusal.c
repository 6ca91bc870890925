/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * evhttp 2.1 answers a request that it cannot read with a page in HTML, and calls no function of ours for it. The page
 * is replaced in the output of the connection, before it is written. Nothing else that the daemon sends is HTML.
 */
#include "api/refusal.h"

#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>

#include "base/cleanup.h"
#include "report/json.h"

/* The longest page of evhttp has a quarter of this. */
#define PAGE_MAX_BYTES 1024

static const struct {
    const char *status; /* as it stands in the first line */
    const char *error;
} refusals[] = {
    {" 400 ", "the request is no HTTP that the daemon can read, or its head is too long"},
    {" 413 ", "the body of the request is too large"},
    {" 501 ", "there is no such method"},
    {"", "the daemon cannot answer this request"},
};

static const char *find_error(const char *line)
{
    size_t i = 0;

    while (strstr(line, refusals[i].status) == NULL)
        i++;
    return refusals[i].error;
}

/* The first line of a whole page in HTML; NULL: it is none. Caller frees. */
static char *read_first_line(struct evbuffer *output)
{
    static const char type[] = "\r\nContent-Type: text/html\r\n", body[] = "\r\n\r\n<HTML>";
    const char *text = (const char *)evbuffer_pullup(output, -1);
    size_t length = evbuffer_get_length(output);
    const char *head_end = text != NULL ? memmem(text, length, body, strlen(body)) : NULL;

    if (head_end == NULL || memmem(text, (size_t)(head_end - text) + 2, type, strlen(type)) == NULL)
        return NULL;
    return strndup(text, strcspn(text, "\r"));
}

static void on_output(struct evbuffer *output, const struct evbuffer_cb_info *info, void *context)
{
    _cleanup_(freep) char *line = NULL;
    _cleanup_(freep) char *json = NULL;

    (void)context;
    if (info->n_added == 0 || evbuffer_get_length(output) > PAGE_MAX_BYTES)
        return;
    line = read_first_line(output);
    if (line == NULL || json_format_error(find_error(line), NULL, &json) < 0)
        return;
    /* Of the output of a bufferevent, nothing but itself may take anything. */
    evbuffer_unfreeze(output, 1);
    evbuffer_drain(output, evbuffer_get_length(output));
    evbuffer_freeze(output, 1);
    evbuffer_add_printf(output,
                        "%s\r\nContent-Type: application/json\r\nCache-Control: no-store\r\nConnection: close\r\n"
                        "Content-Length: %zu\r\n\r\n%s",
                        line, strlen(json), json);
}

void refusal_watch(struct bufferevent *connection)
{
    (void)!evbuffer_add_cb(bufferevent_get_output(connection), on_output, NULL);
}
