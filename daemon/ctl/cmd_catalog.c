/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* understudyctl catalog: what packages of these names mean for the service of a machine. Asks no daemon. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/message.h"
#include "ctl/print.h"
#include "ctl/table.h"
#include "discovery/catalog.h"
#include "files/catalog_files.h"

/* What is wrong with a file was said. */
static struct catalog *load(const char *directory)
{
    _cleanup_(diags_done) struct diags diags = {0};
    struct catalog *catalog = NULL;
    int r = catalog_files_load(directory, &diags, &catalog);

    for (size_t i = 0; i < diags.count; i++) {
        _cleanup_(freep) char *finding = NULL;

        if (diag_format(&diags.items[i], &finding) < 0)
            die_of_memory();
        complain("%s", finding);
    }
    if (r == -ENOMEM)
        die_of_memory();
    return catalog;
}

struct answer {
    struct table *table; /* or else */
    json_t *object;
};

static const char *role_of(const struct catalog_feature *feature)
{
    if (feature->n_ports > 0)
        return "a server: counts while its service is enabled or active, and it listens for others";
    return feature->is_server ? "a server: counts while its service is enabled or active"
                              : "a runtime: counts where it was installed on purpose";
}

/* FAMILY:NAME is of one family of systems, as in the catalog; dpkg lists NAME:ARCHITECTURE, and apt NAME/SUITE. */
static const struct catalog_feature *find(const struct catalog *catalog, const char *name)
{
    size_t length = strcspn(name, ":/");
    _cleanup_(freep) char *first = format_text("%.*s", (int)length, name);

    if (name[length] == ':' && catalog_has_family(catalog, first))
        return catalog_find(catalog, CATALOG_PACKAGE, first, name + length + 1);
    return catalog_find(catalog, CATALOG_PACKAGE, NULL, first);
}

static void answer_one(const struct catalog *catalog, const char *name, struct answer *answer)
{
    const struct catalog_feature *feature = find(catalog, name), *used = NULL;
    _cleanup_(freep) char *value = feature != NULL ? format_text("%s/%s", feature->kind, feature->value) : NULL;

    if (answer->object != NULL) {
        if (json_object_set_new(answer->object, name, value != NULL ? json_string(value) : json_null()) < 0)
            complain("%s is no text that JSON can hold", name);
        return;
    }
    table_add(answer->table, STYLE_PLAIN, "%s", name);
    table_add(answer->table, value != NULL ? STYLE_STRONG : STYLE_FAINT, "%s", value != NULL ? value : "-");
    if (feature != NULL)
        used = catalog_uses(catalog, feature, 0);
    if (feature == NULL)
        table_add(answer->table, STYLE_PLAIN, "%s", "");
    else if (used != NULL)
        table_add(answer->table, STYLE_PLAIN, "%s; with %s/%s", role_of(feature), used->kind, used->value);
    else
        table_add(answer->table, STYLE_PLAIN, "%s", role_of(feature));
}

/* One name a line; what stands behind a blank, as a version in many lists does, is not read. */
static void answer_input(const struct catalog *catalog, struct answer *answer)
{
    char *line = NULL;
    size_t room = 0;

    while (getline(&line, &room, stdin) >= 0) {
        char *name = line + strspn(line, " \t");

        name[strcspn(name, " \t\r\n")] = '\0';
        if (name[0] != '\0')
            answer_one(catalog, name, answer);
    }
    free(line);
}

static int run(struct client *client, const struct ctl_options *options, const char *argument)
{
    static const struct column columns[] = {{"PACKAGE", COLUMN_WHOLE}, {"MEANS", COLUMN_WHOLE}, {"AS", COLUMN_CUT}};
    _cleanup_(catalog_freep) struct catalog *catalog = NULL;
    _cleanup_(table_freep) struct table *table = NULL;
    _cleanup_(json_decrefp) json_t *object = NULL;
    struct answer answer;

    (void)client;
    (void)argument;
    catalog = load(options->catalog != NULL ? options->catalog : CATALOG_DIRECTORY_DEFAULT);
    if (catalog == NULL)
        return EXIT_FAILURE;
    table = table_new(columns, ELEMENTS_OF(columns));
    object = options->json ? json_object() : NULL;
    answer = (struct answer){.table = table, .object = object};
    for (size_t i = 0; options->arguments[i] != NULL; i++) {
        if (strcmp(options->arguments[i], "-") == 0)
            answer_input(catalog, &answer);
        else
            answer_one(catalog, options->arguments[i], &answer);
    }
    if (object != NULL)
        print_json(object);
    else
        table_print(table);
    return EXIT_SUCCESS;
}

const struct command command_catalog = {
    .name = "catalog",
    .argument = "NAME...",
    .takes_many = true,
    .options = OPTION_CATALOG,
    .help = "what packages of these names mean for the service of a machine",
    .run = run,
};
