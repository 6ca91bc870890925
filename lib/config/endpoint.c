/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config/endpoint.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PORT_DIGITS 5

/* 0: it is none. */
static uint16_t read_port(const char *text)
{
    size_t length = strspn(text, "0123456789");
    long port = length > 0 && length <= PORT_DIGITS && text[length] == '\0' ? strtol(text, NULL, 10) : 0;

    return port <= UINT16_MAX ? (uint16_t)port : 0;
}

bool endpoint_parse(const char *text, struct endpoint *ret)
{
    const char *colon = strrchr(text, ':');
    uint16_t port = colon != NULL ? read_port(colon + 1) : 0;
    bool is_v6 = text[0] == '[';
    char host[ENDPOINT_MAX];
    size_t length;

    if (port == 0 || strlen(text) >= sizeof(host))
        return false;
    length = (size_t)(colon - text);
    if (is_v6 && text[length - 1] != ']')
        return false;
    memcpy(host, is_v6 ? text + 1 : text, is_v6 ? length - 2 : length);
    host[is_v6 ? length - 2 : length] = '\0';
    *ret = (struct endpoint){.is_v6 = is_v6, .port = port};
    return inet_pton(is_v6 ? AF_INET6 : AF_INET, host, ret->address) == 1;
}

bool endpoint_is_loopback(const struct endpoint *endpoint)
{
    static const uint8_t v6[16] = {[15] = 1};

    return endpoint->is_v6 ? memcmp(endpoint->address, v6, sizeof(v6)) == 0 : endpoint->address[0] == 127;
}
