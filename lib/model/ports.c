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

static bool is_of_kind(const struct feature_table *table, uint32_t feature, const char *kind)
{
    return strcmp(feature_kind_name(table, feature_kind(table, feature)), kind) == 0;
}

bool ports_is_about(const struct feature_table *table, uint32_t feature)
{
    return is_of_kind(table, feature, PORTS_KIND) || is_of_kind(table, feature, PORTS_REACHED_KIND);
}

/* 0: it is none. */
static unsigned long port_of(const struct feature_table *table, uint32_t feature, const char *kind)
{
    const char *value = feature_value(table, feature);

    if (!is_of_kind(table, feature, kind) || value[strspn(value, "0123456789")] != '\0')
        return 0;
    return strtoul(value, NULL, 10);
}

bool ports_have(const struct ports *ports, unsigned long port)
{
    for (size_t i = 0; i < ports->count; i++)
        if (ports->items[i] == port)
            return true;
    return false;
}

struct wanted_ports ports_wanted(const struct feature_table *table, const struct spec *need, const struct spec *offer)
{
    struct wanted_ports wanted = {0};

    for (size_t i = 0; i < need->features.count; i++)
        if (id_set_contains(&offer->features, need->features.ids[i]))
            (void)ports_add(&wanted.listening, port_of(table, need->features.ids[i], PORTS_KIND));
    for (size_t i = 0; i < need->features.count; i++) {
        unsigned long port = port_of(table, need->features.ids[i], PORTS_REACHED_KIND);

        if (ports_have(&wanted.listening, port))
            (void)ports_add(&wanted.reached, port);
    }
    return wanted;
}

int ports_tell(const struct ports *ports, const char *kind, struct feature_texts *features)
{
    int r = ports->count == 0 ? feature_texts_add(features, kind, NULL) : 0;

    for (size_t i = 0; r == 0 && i < ports->count; i++) {
        char text[sizeof("65535")];

        snprintf(text, sizeof(text), "%u", (unsigned)ports->items[i]);
        r = feature_texts_add(features, kind, text);
    }
    return r;
}

void ports_format(const struct ports *ports, char ret[static PORTS_TEXT_SIZE])
{
    size_t length = 0;

    ret[0] = '\0';
    for (size_t i = 0; i < ports->count; i++)
        length += (size_t)snprintf(ret + length, PORTS_TEXT_SIZE - length, "%s%u", i > 0 ? ", " : "",
                                   (unsigned)ports->items[i]);
}
