/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/web.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/http.h>

#include "api/reply.h"

/* A client that vanished answers nothing: so long what was sent to it may wait, ms. */
#define VANISHED_MS 30000u

#define ORIGIN_MAX (HOST_NAME_MAX + 16)

/* Connections inherit these. */
static int set_options(int fd)
{
    static const int on = 1;
    static const unsigned vanished_ms = VANISHED_MS;

    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &vanished_ms, sizeof(vanished_ms)) < 0)
        return -errno;
    /* An address that is not there yet at boot will come. */
    return setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on)) < 0 ? -errno : 0;
}

static int bind_to(int fd, const struct endpoint *endpoint)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(endpoint->port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(endpoint->port)};

    memcpy(&v4.sin_addr, endpoint->address, sizeof(v4.sin_addr));
    memcpy(&v6.sin6_addr, endpoint->address, sizeof(v6.sin6_addr));
    if (endpoint->is_v6 ? bind(fd, (const struct sockaddr *)&v6, sizeof(v6))
                        : bind(fd, (const struct sockaddr *)&v4, sizeof(v4)))
        return -errno;
    return 0;
}

int web_bind(const struct endpoint *endpoint, int *ret_fd)
{
    int fd = socket(endpoint->is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int r = fd < 0 ? -errno : set_options(fd);

    if (r == 0)
        r = bind_to(fd, endpoint);
    if (r == 0) {
        *ret_fd = fd;
        return 0;
    }
    if (fd >= 0)
        close(fd);
    return r;
}

static bool is_address(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    char inner[INET6_ADDRSTRLEN];
    size_t length = strlen(host);

    if (inet_pton(AF_INET, host, address) == 1)
        return true;
    if (host[0] != '[' || host[length - 1] != ']' || length - 2 >= sizeof(inner))
        return false;
    snprintf(inner, sizeof(inner), "%.*s", (int)length - 2, host + 1);
    return inet_pton(AF_INET6, inner, address) == 1;
}

/*
 * A page of elsewhere that has its name resolved to an address of this host is of the same origin as the answers, as the
 * browser sees it: the name alone tells (DNS rebinding).
 */
static bool is_name_of_this_host(const char *host, const struct string_list *names)
{
    char own[HOST_NAME_MAX + 1] = "";

    if (host == NULL || host[0] == '\0')
        return false;
    if (is_address(host) || strcasecmp(host, "localhost") == 0)
        return true;
    if (gethostname(own, sizeof(own) - 1) == 0 && strcasecmp(host, own) == 0)
        return true;
    for (size_t i = 0; i < names->count; i++)
        if (fnmatch(names->items[i], host, FNM_CASEFOLD) == 0)
            return true;
    return false;
}

/* Sent with requests by scripts of another origin, and by those of the dashboard itself. */
static bool is_own_origin(const char *origin, const char *host)
{
    char own[ORIGIN_MAX];

    for (int is_tls = 0; is_tls < 2; is_tls++) {
        snprintf(own, sizeof(own), "%s://%s", is_tls ? "https" : "http", host);
        if (strcasecmp(origin, own) == 0)
            return true;
    }
    return false;
}

/*
 * Not what a page of another site embeds or fetches; a link to here may stand there. A browser sends these headers where
 * it trusts the origin, which is so of localhost; without them there is nothing to look at.
 */
static bool is_from_elsewhere(const struct evkeyvalq *headers)
{
    const char *site = evhttp_find_header(headers, "Sec-Fetch-Site");
    const char *mode = evhttp_find_header(headers, "Sec-Fetch-Mode");
    const char *destination = evhttp_find_header(headers, "Sec-Fetch-Dest");
    bool is_link =
        mode != NULL && strcmp(mode, "navigate") == 0 && destination != NULL && strcmp(destination, "document") == 0;

    return site != NULL && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0 && !is_link;
}

static void refuse_method(struct evhttp_request *request)
{
    evhttp_add_header(evhttp_request_get_output_headers(request), "Allow", "GET");
    reply_error(request, HTTP_BADMETHOD, "nothing can be done over TCP, only read",
                "use understudyctl on the host of the daemon");
}

bool web_admit(struct evhttp_request *request, const struct string_list *names)
{
    struct evkeyvalq *headers = evhttp_request_get_input_headers(request);
    struct evkeyvalq *answered = evhttp_request_get_output_headers(request);
    const char *host = evhttp_find_header(headers, "Host"), *origin = evhttp_find_header(headers, "Origin");

    evhttp_add_header(answered, "X-Content-Type-Options", "nosniff");
    evhttp_add_header(answered, "Cross-Origin-Resource-Policy", "same-origin");
    if (evhttp_request_get_command(request) != EVHTTP_REQ_GET && evhttp_request_get_command(request) != EVHTTP_REQ_HEAD)
        refuse_method(request);
    else if (host == NULL || !is_name_of_this_host(evhttp_request_get_host(request), names))
        reply_error(request, HTTP_FORBIDDEN, "the request is for a host of another name",
                    "api.names of the configuration says by which names this host may be called");
    else if ((origin != NULL && !is_own_origin(origin, host)) || is_from_elsewhere(headers))
        reply_error(request, HTTP_FORBIDDEN, "the request comes from a page of another site", NULL);
    else
        return true;
    return false;
}
