/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ports as numbers, read from features. Knows no guest and no weight. */
#include "model/ports.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool ports_add(struct ports *ports, unsigned long port)
{
    size_t at = 0;

    while (at < ports->count && ports->items[at] < port)
        at++;
    if (at < ports->count && ports->items[at] == port)
        return true;
    if (port == 0 || port > UINT16_MAX || ports->count == PORTS_MAX)
        return false;
    memmove(&ports->items[at + 1], &ports->items[at], (ports->count - at) * sizeof(ports->items[0]));
    ports->items[at] = (uint16_t)port;
    ports->count++;
    return true;
}

bool ports_is_about(const struct feature_table *table, uint32_t feature)
{
    return strcmp(feature_kind_name(table, feature_kind(table, feature)), PORTS_KIND) == 0;
}

/* 0: it is none. */
static unsigned long port_of(const struct feature_table *table, uint32_t feature)
{
    const char *value = feature_value(table, feature);

    if (!ports_is_about(table, feature) || value[strspn(value, "0123456789")] != '\0')
        return 0;
    return strtoul(value, NULL, 10);
}

struct ports ports_in_common(const struct feature_table *table, const struct spec *a, const struct spec *b)
{
    struct ports ports = {0};

    for (size_t i = 0; i < a->features.count; i++)
        if (id_set_contains(&b->features, a->features.ids[i]))
            (void)ports_add(&ports, port_of(table, a->features.ids[i]));
    return ports;
}

void ports_format(const struct ports *ports, char ret[static PORTS_TEXT_SIZE])
{
    size_t length = 0;

    ret[0] = '\0';
    for (size_t i = 0; i < ports->count; i++)
        length += (size_t)snprintf(ret + length, PORTS_TEXT_SIZE - length, "%s%u", i > 0 ? ", " : "",
                                   (unsigned)ports->items[i]);
}
