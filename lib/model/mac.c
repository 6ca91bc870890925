/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MAC addresses between bytes and text. Knows nothing of who has them. */
#include "model/mac.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool mac_parse(const char *text, uint8_t ret[static MAC_SIZE])
{
    uint8_t mac[MAC_SIZE];

    for (size_t i = 0; i < MAC_SIZE; i++) {
        char end = i + 1 < MAC_SIZE ? ':' : '\0', digits[3] = "";

        for (size_t n = 0; n < 2 && isxdigit((unsigned char)*text); n++)
            digits[n] = *text++;
        if (digits[0] == '\0' || *text != end)
            return false;
        text++;
        mac[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    memcpy(ret, mac, sizeof(mac));
    return true;
}

void mac_format(const uint8_t mac[static MAC_SIZE], char ret[static MAC_TEXT_SIZE])
{
    snprintf(ret, MAC_TEXT_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}
