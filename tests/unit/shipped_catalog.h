/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* conf/catalog.yaml, for tests of what it means. */
#ifndef UNDERSTUDY_TESTS_SHIPPED_CATALOG_H
#define UNDERSTUDY_TESTS_SHIPPED_CATALOG_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "discovery/catalog.h"
#include "support.h"

/* The caller frees it. */
static inline char *shipped_catalog_text(void)
{
    _cleanup_(fclosep) FILE *file = fopen(SOURCE_DIR "/conf/catalog.yaml", "r");
    char *text = NULL;
    size_t room = 0;

    assert_non_null(file);
    assert_true(getdelim(&text, &room, '\0', file) > 0);
    return text;
}

/* There is nothing to be said about it. End with catalog_free. */
static inline struct catalog *shipped_catalog(void)
{
    _cleanup_(diags_done) struct diags diags = {0};
    _cleanup_(freep) char *text = shipped_catalog_text();
    struct catalog *catalog = NULL;

    assert_int_equal(catalog_new(&catalog), 0);
    assert_int_equal(catalog_read(catalog, text, strlen(text), "catalog.yaml", &diags), 0);
    assert_int_equal(diags.count, 0);
    return catalog;
}

#endif
