/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Directories of templates. One bad file costs no other. */
#include "files/template_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "files/text_file.h"

#define SUFFIX ".xml"

/* ---- one file ---- */

/* All findings as warnings, of which the first error is the fault: what is told of a template stops nothing else. */
static int hand_on(const struct diags *found, const char *file, struct diags *diags, struct template_set *set)
{
    int r = 0;

    for (size_t i = 0; i < found->count; i++) {
        const struct diag *diag = &found->items[i];
        const char *where = diag->file != NULL ? diag->file : file;
        _cleanup_(freep) char *text = diag->line > 0 ? text_print("%s:%u: %s", where, diag->line, diag->message)
                                                     : text_print("%s: %s", where, diag->message);

        diags_add(diags, DIAG_WARNING, where, diag->line, diag->column, "%s", diag->message);
        if (diag->severity == DIAG_ERROR && r == 0)
            r = text != NULL ? template_set_add_fault(set, file, text) : -ENOMEM;
    }
    diags->incomplete |= found->incomplete;
    return found->incomplete ? -ENOMEM : r;
}

/* *ret NULL: there is no such file. */
static int read_seed(const char *directory, const char *name, const char *suffix, struct diags *diags, char **ret)
{
    _cleanup_(diags_done) struct diags found = {0};
    _cleanup_(freep) char *path = text_print("%s/%s%s", directory, name, suffix);
    _cleanup_(freep) char *text = NULL;
    size_t length = 0;
    int r = path != NULL ? text_file_read(path, &found, &text, &length) : -ENOMEM;

    *ret = NULL;
    if (r == -ENOENT || r == -ENOMEM)
        return r == -ENOENT ? 0 : r;
    for (size_t i = 0; i < found.count; i++)
        diags_add(diags, found.items[i].severity, path, 0, 0, "%s", found.items[i].message);
    if (r < 0)
        return r;
    if (memchr(text, '\0', length) != NULL) {
        diags_add(diags, DIAG_ERROR, path, 0, 0, "is no text");
        return -EINVAL;
    }
    *ret = strndup(text, length);
    return *ret != NULL ? 0 : -ENOMEM;
}

static int read_template(const char *directory, const char *name, const char *path, struct diags *diags,
                         struct template **ret)
{
    _cleanup_(template_freep) struct template *template = NULL;
    _cleanup_(freep) char *text = NULL;
    size_t length = 0;
    int r;

    if (!template_name_is_valid(name)) {
        diags_add(diags, DIAG_ERROR, path, 0, 0,
                  "the name of a template is made of letters, digits, \".\", \"_\" and \"-\", begins with a letter or "
                  "digit, and has at most %d of them",
                  TEMPLATE_NAME_MAX);
        return -EINVAL;
    }
    r = text_file_read(path, diags, &text, &length);
    if (r == 0)
        r = template_parse(name, path, text, length, diags, &template);
    if (r == 0)
        r = read_seed(directory, name, ".user-data", diags, &template->user_data);
    if (r == 0)
        r = read_seed(directory, name, ".meta-data", diags, &template->meta_data);
    if (r < 0)
        return r;
    *ret = steal_pointer(&template);
    return 0;
}

static int add_file(const char *directory, const char *file, struct diags *diags, struct template_set *set)
{
    _cleanup_(diags_done) struct diags found = {0};
    _cleanup_(template_freep) struct template *template = NULL;
    _cleanup_(freep) char *path = text_print("%s/%s", directory, file);
    _cleanup_(freep) char *name = strndup(file, strlen(file) - strlen(SUFFIX));
    int r = path != NULL && name != NULL ? read_template(directory, name, path, &found, &template) : -ENOMEM;

    if (r == -ENOMEM)
        return r;
    if (r == 0)
        r = template_set_add(set, template);
    else
        r = 0; /* the findings say why */
    return r < 0 ? r : hand_on(&found, path, diags, set);
}

/* ---- a directory ---- */

static int is_template(const struct dirent *entry)
{
    const char *end = strrchr(entry->d_name, '.');

    return entry->d_name[0] != '.' && end != NULL && strcmp(end, SUFFIX) == 0;
}

static int tell_unreadable(const char *directory, int error, struct diags *diags, struct template_set *set)
{
    _cleanup_(diags_done) struct diags found = {0};

    diags_add(&found, DIAG_ERROR, directory, 0, 0, "cannot be read: %s", strerror(-error));
    return hand_on(&found, directory, diags, set);
}

int template_files_load(const char *directory, struct diags *diags, struct template_set *set)
{
    struct dirent **entries = NULL;
    int n = scandir(directory, &entries, is_template, alphasort), r = n < 0 ? -errno : 0;

    if (r == -ENOENT)
        return 0;
    if (r < 0 && r != -ENOMEM)
        r = tell_unreadable(directory, r, diags, set);
    for (int i = 0; i < n; i++) {
        if (r == 0)
            r = add_file(directory, entries[i]->d_name, diags, set);
        free(entries[i]);
    }
    free(entries);
    return r;
}

/* ---- all of a configuration ---- */

struct hypervisor_templates {
    char *hypervisor;
    struct template_set *set;
};

struct templates *templates_ref(struct templates *templates)
{
    if (templates != NULL)
        templates->n_owners++;
    return templates;
}

void templates_free(struct templates *templates)
{
    if (templates == NULL || --templates->n_owners > 0)
        return;
    for (size_t i = 0; i < templates->count; i++) {
        free(templates->items[i].hypervisor);
        template_set_free(templates->items[i].set);
    }
    free(templates->items);
    template_set_free(templates->everywhere);
    free(templates);
}

struct template_set *templates_of(const struct templates *templates, const char *hypervisor)
{
    for (size_t i = 0; i < templates->count; i++)
        if (strcmp(templates->items[i].hypervisor, hypervisor) == 0)
            return templates->items[i].set;
    return NULL;
}

/* A directory that an entry before this one has, too, is not read twice. NULL: there is none. */
static struct template_set *find_same(const struct templates *templates, const struct config *config,
                                      struct template_set *shared, const char *directory)
{
    if (directory == NULL || strcmp(directory, config->pool.templates) == 0)
        return shared;
    for (size_t i = 0; i < templates->count; i++)
        if (text_equal(config->hypervisors[i].templates, directory))
            return templates->items[i].set;
    return NULL;
}

static int load_own(const char *directory, const struct template_set *shared, struct diags *diags,
                    struct template_set **ret)
{
    _cleanup_(template_set_freep) struct template_set *set = NULL;
    int r = template_set_new(&set);

    if (r == 0)
        r = template_set_add_all(set, shared);
    if (r == 0)
        r = template_files_load(directory, diags, set);
    if (r < 0)
        return r;
    *ret = steal_pointer(&set);
    return 0;
}

/* Of the next hypervisor. */
static int add_hypervisor(struct templates *templates, const struct config *config, struct template_set *shared,
                          struct diags *diags)
{
    const struct config_hypervisor *entry = &config->hypervisors[templates->count];
    struct template_set *same = find_same(templates, config, shared, entry->templates);
    struct hypervisor_templates *item = &templates->items[templates->count];
    int r = 0;

    if (same != NULL)
        item->set = template_set_ref(same);
    else
        r = load_own(entry->templates, shared, diags, &item->set);
    if (r < 0)
        return r;
    templates->count++;
    item->hypervisor = strdup(entry->name);
    return item->hypervisor != NULL ? template_set_add_all(templates->everywhere, item->set) : -ENOMEM;
}

static int make_empty(const struct config *config, struct templates **ret)
{
    _cleanup_(templates_freep) struct templates *templates = calloc(1, sizeof(*templates));

    if (templates == NULL)
        return -ENOMEM;
    templates->n_owners = 1;
    templates->items = calloc(config->n_hypervisors + 1, sizeof(*templates->items));
    if (templates->items == NULL || template_set_new(&templates->everywhere) < 0)
        return -ENOMEM;
    *ret = steal_pointer(&templates);
    return 0;
}

int templates_load(const struct config *config, struct diags *diags, struct templates **ret)
{
    _cleanup_(templates_freep) struct templates *templates = NULL;
    _cleanup_(template_set_freep) struct template_set *shared = NULL;
    int r = make_empty(config, &templates);

    if (r == 0)
        r = template_set_new(&shared);
    if (r == 0)
        r = template_files_load(config->pool.templates, diags, shared);
    while (r == 0 && templates->count < config->n_hypervisors)
        r = add_hypervisor(templates, config, shared, diags);
    if (r < 0)
        return r;
    *ret = steal_pointer(&templates);
    return 0;
}
