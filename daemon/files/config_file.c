/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a path to a checked configuration. */
#include "files/config_file.h"

#include "config/show.h"
#include "files/catalog_files.h"
#include "files/text_file.h"

int config_file_load(const char *path, struct diags *diags, struct config **ret, struct catalog **ret_catalog,
                     struct templates **ret_templates)
{
    _cleanup_(config_freep) struct config *config = NULL;
    _cleanup_(catalog_freep) struct catalog *catalog = NULL;
    _cleanup_(freep) char *text = NULL;
    size_t length = 0;
    int r = text_file_read(path, diags, &text, &length);

    if (r == 0)
        r = config_parse(text, length, path, diags, &config);
    if (r == 0)
        r = catalog_files_load(config->discovery.catalog, diags, &catalog);
    if (r == 0)
        r = templates_load(config, diags, ret_templates);
    if (r < 0)
        return r;
    *ret_catalog = steal_pointer(&catalog);
    *ret = steal_pointer(&config);
    return 0;
}

int config_file_show(const char *path, struct diags *diags, FILE *f)
{
    _cleanup_(config_freep) struct config *config = NULL;
    _cleanup_(freep) char *text = NULL;
    size_t length = 0;
    int r = text_file_read(path, diags, &text, &length);

    if (r == 0)
        r = config_parse(text, length, path, diags, &config);
    return r == 0 ? config_show(f, text, length, path, diags) : r;
}
