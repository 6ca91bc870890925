/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An address and a port on which the control interface listens, as the configuration writes it. Opens nothing. */
#ifndef UNDERSTUDY_CONFIG_ENDPOINT_H
#define UNDERSTUDY_CONFIG_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

/* A plain value. */
struct endpoint {
    bool is_v6;
    uint8_t address[16]; /* in network order; of IPv4 the first four */
    uint16_t port;
};

#define ENDPOINT_MAX 64 /* bytes of its text */

/* "127.0.0.1:8420" or "[::1]:8420", with a port from 1 to 65535. False: it is something else. */
bool endpoint_parse(const char *text, struct endpoint *ret);

/* Nothing but programs of this host can reach it. */
bool endpoint_is_loopback(const struct endpoint *endpoint);

#endif
