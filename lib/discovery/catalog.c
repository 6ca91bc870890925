/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looks names up. How a catalog is written is not known here. */
#include "discovery/catalog.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "discovery/entries.h"

int catalog_new(struct catalog **ret)
{
    *ret = calloc(1, sizeof(**ret));
    if (*ret == NULL)
        return -ENOMEM;
    atomic_init(&(*ret)->n_owners, 1);
    return 0;
}

void catalog_entry_done(struct catalog_entry *entry)
{
    free(entry->patterns);
    *entry = (struct catalog_entry){0};
}

struct catalog *catalog_ref(struct catalog *catalog)
{
    if (catalog != NULL)
        atomic_fetch_add(&catalog->n_owners, 1);
    return catalog;
}

void catalog_free(struct catalog *catalog)
{
    if (catalog == NULL || atomic_fetch_sub(&catalog->n_owners, 1) > 1)
        return;
    for (size_t i = 0; i < catalog->n_entries; i++)
        catalog_entry_done(&catalog->entries[i]);
    for (size_t i = 0; i < catalog->n_documents; i++)
        document_free(catalog->documents[i]);
    free(catalog->documents);
    free(catalog->entries);
    free(catalog->systems);
    free(catalog);
}

/* ---- names ---- */

static bool is_of_family(const struct catalog_pattern *pattern, const char *family)
{
    size_t length = pattern->family != NULL ? strcspn(pattern->family, ":") : 0;

    return pattern->family == NULL ||
           (family != NULL && strlen(family) == length && strncmp(pattern->family, family, length) == 0);
}

static bool is_exactly(const struct catalog_pattern *pattern, const char *name)
{
    return pattern->text[pattern->literal] == '\0' && strcmp(pattern->text, name) == 0;
}

/* The beginning is compared first: most names differ there, and fnmatch is slow. */
static bool matches(const struct catalog_pattern *pattern, const char *name)
{
    return pattern->text[pattern->literal] != '\0' && strncmp(pattern->text, name, pattern->literal) == 0 &&
           fnmatch(pattern->text + pattern->literal, name + pattern->literal, 0) == 0;
}

static const struct catalog_feature *find(const struct catalog *catalog, enum catalog_name_kind kind,
                                          const char *family, const char *name,
                                          bool (*is_meant)(const struct catalog_pattern *pattern, const char *name))
{
    for (size_t i = catalog->n_entries; i-- > 0;) {
        const struct catalog_entry *entry = &catalog->entries[i];

        for (size_t k = kind > 0 ? entry->ends[kind - 1] : 0; k < entry->ends[kind]; k++)
            if (is_of_family(&entry->patterns[k], family) && is_meant(&entry->patterns[k], name))
                return &entry->feature;
    }
    return NULL;
}

const struct catalog_feature *catalog_find(const struct catalog *catalog, enum catalog_name_kind kind,
                                           const char *family, const char *name)
{
    const struct catalog_feature *feature = find(catalog, kind, family, name, is_exactly);

    return feature != NULL ? feature : find(catalog, kind, family, name, matches);
}

/* The entry of a kind and a value. kind_length: of the kind, which need not end there. */
static const struct catalog_entry *find_entry(const struct catalog *catalog, const char *kind, size_t kind_length,
                                              const char *value)
{
    for (size_t i = 0; i < catalog->n_entries; i++) {
        const struct catalog_feature *feature = &catalog->entries[i].feature;

        if (strncasecmp(feature->kind, kind, kind_length) == 0 && feature->kind[kind_length] == '\0' &&
            strcasecmp(feature->value, value) == 0)
            return &catalog->entries[i];
    }
    return NULL;
}

const struct catalog_feature *catalog_uses(const struct catalog *catalog, const struct catalog_feature *feature,
                                           size_t index)
{
    const struct catalog_entry *entry = (const struct catalog_entry *)feature, *used;
    const char *name, *slash;

    for (; entry->uses != NULL && index < entry->uses->n_items; index++) {
        name = entry->uses->items[index]->text;
        slash = strchr(name, '/');
        used = find_entry(catalog, name, (size_t)(slash - name), slash + 1);
        if (used != NULL) /* else another file has taken it away */
            return &used->feature;
    }
    return NULL;
}

const struct catalog_feature *catalog_next(const struct catalog *catalog, const struct catalog_feature *feature)
{
    const struct catalog_entry *entry = (const struct catalog_entry *)feature;

    entry = entry == NULL ? catalog->entries : entry + 1;
    return entry != catalog->entries + catalog->n_entries ? &entry->feature : NULL;
}

size_t catalog_count(const struct catalog *catalog)
{
    return catalog->n_entries;
}

size_t catalog_index(const struct catalog *catalog, const struct catalog_feature *feature)
{
    return (size_t)((const struct catalog_entry *)feature - catalog->entries);
}

/* ---- spellings ---- */

/* In lower case, with '-' for blanks and '/', and without what stands at its ends. Cut where there is no room. */
static void normalise(const char *text, char ret[static FEATURE_VALUE_MAX + 1])
{
    size_t n = 0;

    for (size_t i = 0; text[i] != '\0' && n < FEATURE_VALUE_MAX; i++) {
        char c = text[i] == ' ' || text[i] == '\t' || text[i] == '/' ? '-' : (char)tolower((unsigned char)text[i]);

        if (c != '-' || (n > 0 && ret[n - 1] != '-'))
            ret[n++] = c;
    }
    while (n > 0 && ret[n - 1] == '-')
        n--;
    ret[n] = '\0';
}

/* Where the name in "ubuntu-20.04-lts", "mysql8" or "nodejs-v20" ends. */
static size_t find_version(const char *text)
{
    size_t at = strcspn(text + (text[0] != '\0'), "0123456789") + (text[0] != '\0');

    if (text[at] == '\0')
        return at;
    if (at > 1 && text[at - 1] == 'v' && text[at - 2] == '-')
        at--;
    return at > 1 && text[at - 1] == '-' ? at - 1 : at;
}

static bool is_named(const struct node *names, const char *name)
{
    for (size_t i = 0; names != NULL && i < names->n_items; i++)
        if (strcasecmp(names->items[i]->text, name) == 0)
            return true;
    return false;
}

static const struct catalog_system *find_system(const struct catalog *catalog, const char *name)
{
    for (size_t i = 0; i < catalog->n_systems; i++)
        if (strcasecmp(catalog->systems[i].name, name) == 0 || is_named(catalog->systems[i].names, name))
            return &catalog->systems[i];
    return NULL;
}

bool catalog_has_family(const struct catalog *catalog, const char *family)
{
    for (size_t i = 0; i < catalog->n_systems; i++)
        if (strcmp(catalog->systems[i].family, family) == 0)
            return true;
    return false;
}

/* "2k19" and "2k" of libosinfo are 2019 and 2000, "15-sp5" is 15.5, "2008-r2" is 2008r2. */
static const char *spell_version(const char *version, char buffer[static FEATURE_VALUE_MAX + 3])
{
    bool is_thousand = isdigit((unsigned char)version[0]) && version[1] == 'k';
    const char *rest = version + (is_thousand ? 2 : 0), *zeros = "", *dash, *dot = "";
    int length;

    if (is_thousand)
        zeros = !isdigit((unsigned char)rest[0]) ? "000" : isdigit((unsigned char)rest[1]) ? "0" : "00";
    length = (int)strcspn(rest, "-");
    dash = rest + length;
    if (strncmp(dash, "-sp", 3) == 0 && isdigit((unsigned char)dash[3])) {
        dash += 3;
        dot = ".";
    } else if (strncmp(dash, "-r", 2) == 0 && isdigit((unsigned char)dash[2])) {
        dash += 1;
    }
    snprintf(buffer, FEATURE_VALUE_MAX + 3, "%.*s%s%.*s%s%s", is_thousand ? 1 : 0, version, zeros, length, rest, dot,
             dash);
    return buffer;
}

/* How much of "9.3.1-lts" the parts are: numbers with a dot between, and the letters at the last one, as in "2012r2". */
static size_t measure_parts(const char *version, unsigned parts)
{
    size_t at = 0;

    while (parts-- > 0 && version[at] != '\0') {
        size_t length = strcspn(version + at, ".- ");

        at += length;
        if (parts > 0 && version[at] == '.' && isdigit((unsigned char)version[at + 1]))
            at++;
        else
            break;
    }
    return at;
}

/* What a text begins with: all of it, as opensuse-tumbleweed; what stands before a version; before a word, as in debian-testing. */
static const struct catalog_system *find_name(const struct catalog *catalog, const char *text, size_t *ret_length)
{
    char name[FEATURE_VALUE_MAX + 1];
    const struct catalog_system *system = find_system(catalog, text);
    const char *dash;

    *ret_length = strlen(text);
    if (system != NULL)
        return system;
    *ret_length = find_version(text);
    snprintf(name, sizeof(name), "%.*s", (int)*ret_length, text);
    system = find_system(catalog, name);
    dash = strrchr(name, '-');
    if (system != NULL || dash == NULL || text[*ret_length] != '\0')
        return system;
    name[dash - name] = '\0';
    return find_system(catalog, name);
}

const char *catalog_find_system(const struct catalog *catalog, const char *name, const char *version,
                                char ret[static FEATURE_VALUE_MAX + 1])
{
    char given[2 * FEATURE_VALUE_MAX], value[FEATURE_VALUE_MAX + 1], spelled[FEATURE_VALUE_MAX + 3];
    const struct catalog_system *system;
    size_t at, length;

    snprintf(given, sizeof(given), "%s %s", name, version != NULL ? version : "");
    normalise(given, ret);
    system = find_name(catalog, ret, &at);
    if (system == NULL)
        return NULL;
    version = spell_version(ret + at + strcspn(ret + at, "0123456789"), spelled);
    length = measure_parts(version, system->parts);
    snprintf(value, sizeof(value), "%s%s%.*s", system->name, length > 0 ? "-" : "", (int)length, version);
    memcpy(ret, value, sizeof(value));
    return system->family;
}

/* The entry of the kind whose value, other name or package this is. */
static const struct catalog_feature *find_spelling(const struct catalog *catalog, const char *kind, const char *name)
{
    const struct catalog_entry *entry = find_entry(catalog, kind, strlen(kind), name);

    if (entry != NULL)
        return &entry->feature;
    for (size_t i = catalog->n_entries; i-- > 0;) {
        entry = &catalog->entries[i];
        if (strcasecmp(entry->feature.kind, kind) != 0)
            continue;
        for (size_t k = 0; k < entry->ends[CATALOG_SPELLING]; k++)
            if ((k < entry->ends[CATALOG_PACKAGE] || k >= entry->ends[CATALOG_COMMAND]) &&
                (is_exactly(&entry->patterns[k], name) || matches(&entry->patterns[k], name)))
                return &entry->feature;
    }
    return NULL;
}

bool catalog_spell(const struct catalog *catalog, const char *kind, const char *value,
                   char ret[static FEATURE_VALUE_MAX + 1])
{
    const struct catalog_feature *feature;
    char name[FEATURE_VALUE_MAX + 1];

    snprintf(ret, FEATURE_VALUE_MAX + 1, "%s", strlen(value) <= FEATURE_VALUE_MAX ? value : "");
    if (catalog == NULL || ret[0] == '\0')
        return false;
    if (strcasecmp(kind, "os") == 0)
        return catalog_find_system(catalog, value, NULL, ret) != NULL;
    normalise(value, name);
    feature = find_spelling(catalog, kind, name);
    if (feature == NULL) {
        name[find_version(name)] = '\0';
        feature = find_spelling(catalog, kind, name);
    }
    if (feature != NULL)
        snprintf(ret, FEATURE_VALUE_MAX + 1, "%s", feature->value);
    return feature != NULL;
}
