/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The TCP ports on which a machine serves, which are features of it as any other: `port/80` that its guest listens there,
 * `reached-port/80` that the daemon could connect to it there. They say little of how alike two machines are, so they weigh
 * nothing unless the configuration gives their kind a weight.
 */
#ifndef UNDERSTUDY_MODEL_PORTS_H
#define UNDERSTUDY_MODEL_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/feature_texts.h"
#include "model/spec.h"

#define PORTS_KIND         "port"
#define PORTS_REACHED_KIND "reached-port"

#define PORTS_MAX       64
#define PORTS_TEXT_SIZE (PORTS_MAX * sizeof("65535, "))

/* A plain value: initialise with {0}. */
struct ports {
    uint16_t items[PORTS_MAX]; /* ascending and distinct */
    uint8_t count;
};

/* False: it is no port, or there is no room; then nothing is added. A second time it is no error. */
bool ports_add(struct ports *ports, unsigned long port);

/* What a machine must show that is to serve in the place of another one. A plain value: initialise with {0}. */
struct wanted_ports {
    struct ports listening; /* on these its guest listens */
    struct ports reached;   /* and of these, at these a connection from outside succeeds */
};

/*
 * The ports that a machine with this need and one that offers this are both known to serve, and of these the ones at which
 * the first was reached. A feature of the kind whose value is no number is none.
 */
struct wanted_ports ports_wanted(const struct feature_table *table, const struct spec *need, const struct spec *offer);

bool ports_have(const struct ports *ports, unsigned long port);

/* Adds them to what is told of a machine, as features of the kind; of none, that it has none of the kind. -ENOMEM. */
int ports_tell(const struct ports *ports, const char *kind, struct feature_texts *features) _must_check_;

/* "22, 80, 443"; empty: none. */
void ports_format(const struct ports *ports, char ret[static PORTS_TEXT_SIZE]);

/* A feature of either kind. */
bool ports_is_about(const struct feature_table *table, uint32_t feature);

#endif
