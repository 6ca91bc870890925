/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The TCP ports on which a machine serves, which are features of it as any other: `port/80`. They say little of how alike
 * two machines are, so they weigh nothing unless the configuration gives the kind a weight.
 */
#ifndef UNDERSTUDY_MODEL_PORTS_H
#define UNDERSTUDY_MODEL_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/spec.h"

#define PORTS_KIND "port"

#define PORTS_MAX       64
#define PORTS_TEXT_SIZE (PORTS_MAX * sizeof("65535, "))

/* A plain value: initialise with {0}. */
struct ports {
    uint16_t items[PORTS_MAX]; /* ascending and distinct */
    uint8_t count;
};

/* False: it is no port, or there is no room; then nothing is added. A second time it is no error. */
bool ports_add(struct ports *ports, unsigned long port);

/* The ports that both are known to serve. A feature of the kind whose value is no number is none. */
struct ports ports_in_common(const struct feature_table *table, const struct spec *a, const struct spec *b);

/* "22, 80, 443"; empty: none. */
void ports_format(const struct ports *ports, char ret[static PORTS_TEXT_SIZE]);

/* A feature that names a port. */
bool ports_is_about(const struct feature_table *table, uint32_t feature);

#endif
