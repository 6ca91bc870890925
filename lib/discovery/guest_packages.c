/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists of packages, as each package manager keeps or prints them, and which were installed on purpose. */
#include "discovery/guest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "discovery/guest_marks.h"
#include "discovery/lines.h"

/* Ends behind the name, before what may stand there: a version that it must have, an architecture. */
static char *cut_name(char *line)
{
    char *name = line_trim(line);

    name[strcspn(name, " \t<>=~@:")] = '\0';
    return name;
}

void guest_take_packages(struct guest *guest, const char *text, size_t length)
{
    struct lines lines = {text, text + length};
    char line[LINE_SIZE];

    guest->knows_packages = true;
    while (lines_next(&lines, line))
        guest_note(guest, CATALOG_PACKAGE, cut_name(line), MARK_PACKAGE);
}

/* dnf's word for what rpm alone has installed, and that of dnf5. */
static bool has_no_reason(const char *line)
{
    const char *reason = line + strcspn(line, " ");

    return strcmp(reason, " unknown") == 0 || strcmp(reason, " External User") == 0;
}

void guest_take_dnf(struct guest *guest, const char *text, size_t length)
{
    struct lines lines = {text, text + length};
    char line[LINE_SIZE];
    bool is_of_image = false;

    guest->knows_packages = true;
    while (lines_next(&lines, line))
        is_of_image |= strncmp(line, "glibc ", strlen("glibc ")) == 0 && has_no_reason(line);
    lines = (struct lines){text, text + length};
    while (lines_next(&lines, line))
        if (!(is_of_image && has_no_reason(line)))
            guest_note(guest, CATALOG_PACKAGE, cut_name(line), MARK_PACKAGE);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort(struct string_list *list)
{
    if (list->count > 0)
        qsort(list->items, list->count, sizeof(*list->items), compare_texts);
}

static bool holds(const struct string_list *sorted, const char *name)
{
    return sorted->count > 0 && bsearch(&name, sorted->items, sorted->count, sizeof(name), compare_texts) != NULL;
}

/* One name a line, and comments. */
static int read_came_along(const char *text, size_t length, struct string_list *ret)
{
    struct lines lines = {text, text + length};
    char line[LINE_SIZE], *name;

    while (lines_next(&lines, line)) {
        name = line_trim(line);
        if (name[0] != '\0' && name[0] != '#' && string_list_add(ret, name) < 0)
            return -ENOMEM;
    }
    sort(ret);
    return 0;
}

int guest_take_rpm(struct guest *guest, const char *text, size_t length, const char *came_along,
                   size_t came_along_length)
{
    _cleanup_(string_list_done) struct string_list others = {0};
    struct lines lines = {text, text + length};
    char line[LINE_SIZE], *name;

    if (came_along != NULL && read_came_along(came_along, came_along_length, &others) < 0)
        return -ENOMEM;
    guest->knows_packages = true;
    while (lines_next(&lines, line)) {
        name = line_trim(line);
        if (!holds(&others, name))
            guest_note(guest, CATALOG_PACKAGE, name, MARK_PACKAGE);
    }
    return 0;
}

/* Takes the last such character away, and what stands behind it. False: there is none. */
static bool cut_last(char *text, char separator)
{
    char *last = strrchr(text, separator);

    if (last != NULL)
        *last = '\0';
    return last != NULL;
}

/* "…/SUM-NAME-VERSION-RELEASE-ARCHITECTURE/reason" */
void guest_take_yumdb(struct guest *guest, const char *text, size_t length)
{
    struct lines lines = {text, text + length};
    char line[LINE_SIZE], *directory, *name;

    guest->knows_packages = true;
    while (lines_next(&lines, line)) {
        if (!cut_last(line, '/') || !cut_last(line, '-') || !cut_last(line, '-') || !cut_last(line, '-'))
            continue;
        directory = strrchr(line, '/');
        name = directory != NULL ? strchr(directory, '-') : NULL;
        if (name != NULL)
            guest_note(guest, CATALOG_PACKAGE, name + 1, MARK_PACKAGE);
    }
}

/* Names of the packages that came with others. */
static int read_states(const char *text, size_t length, struct string_list *ret)
{
    struct lines lines = {text, text + length};
    char line[LINE_SIZE], name[LINE_SIZE] = "", *value;

    while (lines_next(&lines, line)) {
        value = line_after(line, "Package:");
        if (value != NULL)
            snprintf(name, sizeof(name), "%s", line_trim(value));
        value = line_after(line, "Auto-Installed:");
        if (value == NULL || strcmp(line_trim(value), "1") != 0 || name[0] == '\0')
            continue;
        if (string_list_add(ret, name) < 0)
            return -ENOMEM;
        name[0] = '\0';
    }
    sort(ret);
    return 0;
}

int guest_take_dpkg(struct guest *guest, const char *status, size_t length, const char *states, size_t states_length)
{
    _cleanup_(string_list_done) struct string_list came_along = {0};
    struct lines lines = {status, status + length};
    char line[LINE_SIZE], name[LINE_SIZE] = "", *value;

    if (states != NULL && read_states(states, states_length, &came_along) < 0)
        return -ENOMEM;
    guest->knows_packages = true;
    while (lines_next(&lines, line)) {
        value = line_after(line, "Package:");
        if (value != NULL)
            snprintf(name, sizeof(name), "%s", line_trim(value));
        value = line_after(line, "Status:");
        if (value != NULL && strstr(value, " installed") != NULL && !holds(&came_along, name))
            guest_note(guest, CATALOG_PACKAGE, name, MARK_PACKAGE);
    }
    return 0;
}
