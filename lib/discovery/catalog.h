/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What names of packages, services and programs say about the service that a guest does, and what names of operating
 * systems mean. Read from conf/catalog.yaml, which says how it is written, and from files that add to it.
 */
#ifndef UNDERSTUDY_DISCOVERY_CATALOG_H
#define UNDERSTUDY_DISCOVERY_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "model/feature.h"

/* Not changed once its files are read, so that several threads may look into it; see catalog_ref. */
struct catalog;

#define CATALOG_PORTS_MAX 8

/* One feature, borrowed from the catalog. */
struct catalog_feature {
    const char *kind, *value;
    /* TCP: it serves others while it listens on one of them; none: that is not known. */
    uint16_t ports[CATALOG_PORTS_MAX];
    size_t n_ports;
    bool is_server;    /* it is offered while one of its services is enabled, not because a package is installed */
    bool is_in_images; /* most images have it: a service that runs a script of a package in it says nothing */
};

/* What a name is the name of. */
enum catalog_name_kind {
    CATALOG_PACKAGE,
    CATALOG_SERVICE,
    CATALOG_COMMAND,
    CATALOG_SPELLING,
    CATALOG_NAME_KINDS,
};

/* conf/catalog.yaml, as it was when the program was built. */
extern const unsigned char catalog_builtin[];
extern const size_t catalog_builtin_length;

/* Makes an empty catalog. -ENOMEM. */
int catalog_new(struct catalog **ret) _must_check_;
/*
 * Adds what a file says; what it has an entry for, it replaces. file is what findings call it. -EINVAL: not a catalog, as
 * diags say; -ENOMEM: no memory. Then the catalog is good for catalog_free only.
 */
int catalog_read(struct catalog *catalog, const char *text, size_t length, const char *file,
                 struct diags *diags) _must_check_;
/*
 * Adds a reference: a reload replaces the catalog while guests are still asked by the old one. Each owner calls
 * catalog_free, on any thread. Takes NULL.
 */
struct catalog *catalog_ref(struct catalog *catalog);
void catalog_free(struct catalog *catalog);
DEFINE_CLEANUP(struct catalog, catalog_free);

/* What a name means on systems of a family, or with NULL on systems of any; NULL: nothing. */
const struct catalog_feature *catalog_find(const struct catalog *catalog, enum catalog_name_kind kind,
                                           const char *family, const char *name);

/* The feature that comes with this one, one after the other from index 0; NULL: no more. */
const struct catalog_feature *catalog_uses(const struct catalog *catalog, const struct catalog_feature *feature,
                                           size_t index);

/* The features one after the other, in the order of their files. NULL: the first; and after the last one. */
const struct catalog_feature *catalog_next(const struct catalog *catalog, const struct catalog_feature *feature);
/* How many there are, and the place of one of them, below that. */
size_t catalog_count(const struct catalog *catalog);
size_t catalog_index(const struct catalog *catalog, const struct catalog_feature *feature);

/*
 * What people and tools call an operating system, by its name and version: "ubuntu" and "20.04", "rhel" and "9.2"; with
 * version NULL it may stand behind the name, as in "Ubuntu 20.04.6 LTS" or "win/2k19". *ret is the one value that stands
 * for it, such as "ubuntu-20.04" or "rhel-9". Returns its family; NULL: the catalog does not know it, and *ret is the name
 * and the version as they were given, as far as there is room.
 */
const char *catalog_find_system(const struct catalog *catalog, const char *name, const char *version,
                                char ret[static FEATURE_VALUE_MAX + 1]);

/* Whether systems of this family are known, such as debian. */
bool catalog_has_family(const struct catalog *catalog, const char *family);

/*
 * The value that a fact means: "MySQL 8.0" and "mysql-server" of the kind database are "mysql". *ret is the value as it was
 * given where the catalog does not know it, or is NULL, and empty where no feature can have it, for it is too long. Returns
 * whether the catalog knows it.
 */
bool catalog_spell(const struct catalog *catalog, const char *kind, const char *value,
                   char ret[static FEATURE_VALUE_MAX + 1]);

#endif
