/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which services are enabled or run, and what they run, by systemd and by OpenRC. */
#include "discovery/guest.h"

#include <stdio.h>
#include <string.h>

#include "discovery/guest_marks.h"
#include "discovery/lines.h"

/* "postgresql@15-main.service" → "postgresql" */
static const struct catalog_feature *find_service(struct guest *guest, char *name)
{
    char *end = strstr(name, ".service");

    if (end != NULL)
        *end = '\0';
    name[strcspn(name, "@")] = '\0';
    return guest_find(guest, CATALOG_SERVICE, name);
}

/* A unit of which all is read. */
struct unit {
    char name[LINE_SIZE];
    char program[LINE_SIZE]; /* the file name of what it runs */
    bool is_of_system;       /* it runs a script that a package brings */
    bool is_enabled, is_active;
};

/* What runs a service of the system's own is in the image for that. */
static void note_program(struct guest *guest, const struct unit *unit)
{
    const struct catalog_feature *feature = guest_find(guest, CATALOG_COMMAND, unit->program);

    if (feature != NULL && !(feature->is_in_images && unit->is_of_system))
        *guest_marks(guest, feature) |= MARK_COMMAND;
}

/* A service that runs true stands for its instances, and there need not be any: postgresql and openvpn of Debian. */
static void end_unit(struct guest *guest, struct unit *unit)
{
    const struct catalog_feature *feature = NULL;
    bool is_empty = strcmp(unit->program, "true") == 0;

    if (strcmp(unit->name, "multi-user.target") == 0)
        guest->is_starting = !unit->is_active;
    if ((unit->is_enabled || unit->is_active) && strstr(unit->name, ".service") != NULL) {
        feature = find_service(guest, unit->name);
        note_program(guest, unit);
    }
    if (feature != NULL)
        *guest_marks(guest, feature) |= is_empty ? MARK_EMPTY : MARK_SERVICE;
    *unit = (struct unit){0};
}

static bool begins_with(const char *text, const char *beginning)
{
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

/* The next of the words with a blank between that is no option; empty: there is none. */
static const char *next_argument(const char *words)
{
    do {
        words += strcspn(words, " ");
        words += strspn(words, " ");
    } while (words[0] == '-');
    return words;
}

/* The file name in the path that a text begins with. */
static void take_program(const char *path, struct unit *unit)
{
    size_t length = strcspn(path, " ;");
    const char *slash = memrchr(path, '/', length), *name = slash != NULL ? slash + 1 : path;

    snprintf(unit->program, sizeof(unit->program), "%.*s", (int)(path + length - name), name);
}

/* "{ path=/usr/bin/env ; argv[]=/usr/bin/env node /srv/shop.js ; ..." */
static void read_command(const char *text, struct unit *unit)
{
    const char *path = strstr(text, "path="), *words = strstr(text, "argv[]="), *script;

    if (path == NULL || words == NULL)
        return;
    take_program(path + strlen("path="), unit);
    if (strcmp(unit->program, "env") == 0) {
        words = next_argument(words);
        take_program(words, unit);
    }
    script = next_argument(words);
    unit->is_of_system = begins_with(script, "/usr/") && !begins_with(script, "/usr/local/");
}

void guest_take_units(struct guest *guest, const char *text, size_t length)
{
    struct lines lines = {text, text + length};
    struct unit unit = {0};
    char line[LINE_SIZE], *value;

    guest->knows_services = true;
    while (lines_next(&lines, line)) {
        if (line[0] == '\0')
            end_unit(guest, &unit);
        if ((value = line_after(line, "Id=")) != NULL)
            snprintf(unit.name, sizeof(unit.name), "%s", value);
        if ((value = line_after(line, "UnitFileState=")) != NULL)
            unit.is_enabled = begins_with(value, "enabled");
        if ((value = line_after(line, "ActiveState=")) != NULL)
            unit.is_active = strcmp(value, "active") == 0;
        if ((value = line_after(line, "ExecStart=")) != NULL && unit.program[0] == '\0')
            read_command(value, &unit);
    }
    end_unit(guest, &unit);
}

/* Of a template there is nothing to run; its instances are units. */
void guest_take_unit_files(struct guest *guest, const char *text, size_t length)
{
    struct lines lines = {text, text + length};
    const struct catalog_feature *feature;
    char line[LINE_SIZE], *name;

    while (lines_next(&lines, line)) {
        name = line_trim(line);
        name[strcspn(name, " \t")] = '\0';
        feature = strchr(name, '@') == NULL ? find_service(guest, name) : NULL;
        if (feature != NULL && (*guest_marks(guest, feature) & MARK_EMPTY) == 0)
            *guest_marks(guest, feature) |= MARK_SERVICE;
    }
}

void guest_take_runlevel(struct guest *guest, const char *text, size_t length)
{
    struct lines lines = {text, text + length};
    char line[LINE_SIZE], *name;

    guest->knows_services = true;
    while (lines_next(&lines, line)) {
        name = line_trim(line);
        name[strcspn(name, " \t|")] = '\0';
        guest_note(guest, CATALOG_SERVICE, name, MARK_SERVICE);
    }
}
