/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MAC addresses: six bytes where they are kept, a text where they are shown. */
#ifndef UNDERSTUDY_MODEL_MAC_H
#define UNDERSTUDY_MODEL_MAC_H

#include <stdbool.h>
#include <stdint.h>

#define MAC_SIZE      6
#define MAC_TEXT_SIZE 18 /* "52:54:00:00:00:01" and its NUL */

/* Six numbers of one or two hexadecimal digits with colons between them, as libvirt reads them. False: it is none. */
bool mac_parse(const char *text, uint8_t ret[static MAC_SIZE]);

/* In lower case and with two digits each. */
void mac_format(const uint8_t mac[static MAC_SIZE], char ret[static MAC_TEXT_SIZE]);

#endif
