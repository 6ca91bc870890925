/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Images of distributions, as their own tools describe them, and exactly the features that follow. data/images/README.md
 * says how they are written and where they come from. With a directory as argument, those below it are tried instead.
 */
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "guest_agent.h"
#include "shipped_catalog.h"

#define THINGS_MAX 16
#define DNF        "/usr/bin/dnf -q --disablerepo=* repoquery --userinstalled --qf %{name} %{reason}\n"
#define UNITS      "/usr/bin/systemctl show --property=Id,UnitFileState,ActiveState,ExecStart *"
#define UNIT_FILES "/usr/bin/systemctl list-unit-files --type=service --state=enabled --no-legend"

/* What a section is to become for the tool that its title names. */
enum form {
    FORM_NONE,
    FORM_LINES, /* as it stands */
    FORM_NAMES, /* one name a line */
    FORM_DNF, /* the same, with the reason why it was installed, which stands behind a "/" or is that dnf knows none */
    FORM_UNITS, /* as systemctl prints them */
    FORM_DPKG,  /* two files: what is installed, and which of it came with something else, which "-" stands before */
};

struct growing {
    char *text;
    size_t size;
    FILE *file;
};

struct image {
    char osinfo[256];
    char mountpoints[8][64], types[8][16];
    struct mount mounts[9];
    char titles[THINGS_MAX][256];
    struct growing texts[THINGS_MAX];
    struct thing things[THINGS_MAX + 1];
    size_t n_mounts, n_things;
    enum form form;
    char offers[OFFERS_SIZE], offers_by_files[OFFERS_SIZE];
};

static const char *directory = SOURCE_DIR "/tests/unit/data/images";

/* "\\n" in a title is what it is in C. */
static void open_thing(struct image *image, const char *title, enum form form)
{
    struct growing *text = &image->texts[image->n_things];
    char *newline;

    assert_true(image->n_things < THINGS_MAX);
    snprintf(image->titles[image->n_things], sizeof(image->titles[0]), "%s", title);
    while ((newline = strstr(image->titles[image->n_things], "\\n")) != NULL) {
        newline[0] = '\n';
        memmove(newline + 1, newline + 2, strlen(newline + 2) + 1);
    }
    text->file = open_memstream(&text->text, &text->size);
    assert_non_null(text->file);
    image->n_things++;
    image->form = form;
}

/* "nginx.service enabled active /usr/sbin/nginx -g daemon". One that is enabled and does not run is no unit. */
static void print_unit(FILE *units, FILE *unit_files, const char *line)
{
    char name[128], state[32], active[32];
    int length = 0;

    assert_int_equal(sscanf(line, "%127s %31s %31s %n", name, state, active, &length), 3);
    if (strcmp(state, "enabled") == 0 && strchr(name, '@') == NULL)
        fprintf(unit_files, "%-30s enabled enabled\n", name);
    if (strcmp(active, "inactive") == 0)
        return;
    if (line[length] != '\0')
        fprintf(units, "ExecStart={ path=%.*s ; argv[]=%s ; ignore_errors=no ; pid=0 ; status=0/0 }\n",
                (int)strcspn(line + length, " "), line + length, line + length);
    fprintf(units, "Id=%s\nActiveState=%s\nUnitFileState=%s\n\n", name, active, strcmp(state, "-") == 0 ? "" : state);
}

static void print_name(struct image *image, const char *name)
{
    FILE *file = image->texts[image->n_things - 1].file;
    int length = (int)strcspn(name, "/");

    if (image->form == FORM_NAMES) {
        fprintf(file, "%s\n", name);
        return;
    }
    if (image->form == FORM_DNF) {
        fprintf(file, "%.*s %s\n", length, name, name[length] == '/' ? name + length + 1 : "unknown");
        return;
    }
    fprintf(image->texts[image->n_things - 2].file,
            "Package: %s\nStatus: install ok installed\nArchitecture: amd64\n\n", name + (name[0] == '-'));
    if (name[0] == '-')
        fprintf(image->texts[image->n_things - 1].file, "Package: %s\nArchitecture: amd64\nAuto-Installed: 1\n\n",
                name + 1);
}

static void take_content(struct image *image, char *line)
{
    FILE *file = image->n_things > 0 ? image->texts[image->n_things - 1].file : NULL;
    char *place = NULL;

    assert_true(image->form != FORM_NONE);
    if (image->form == FORM_LINES)
        fprintf(file, "%s\n", line);
    else if (image->form == FORM_UNITS)
        print_unit(image->texts[image->n_things - 2].file, file, line);
    else
        for (char *name = strtok_r(line, " ", &place); name != NULL; name = strtok_r(NULL, " ", &place))
            print_name(image, name);
}

static void take_mount(struct image *image, const char *text)
{
    size_t at = image->n_mounts++;

    assert_true(at < ELEMENTS_OF(image->mountpoints));
    assert_int_equal(sscanf(text, "%63s %15s", image->mountpoints[at], image->types[at]), 2);
    image->mounts[at] = (struct mount){image->mountpoints[at], image->types[at]};
}

static const char *after(const char *line, const char *word)
{
    size_t length = strlen(word);

    return strncmp(line, word, length) == 0 ? line + length : NULL;
}

static void add_offers(char offers[static OFFERS_SIZE], const char *text)
{
    size_t length = strlen(offers);

    snprintf(offers + length, OFFERS_SIZE - length, "%s%s", length > 0 ? " " : "", text);
}

static void take_title(struct image *image, const char *line)
{
    char id[64], version[64] = "";
    const char *text;

    if (sscanf(line, "system: %63s %63s", id, version) >= 1) {
        snprintf(image->osinfo, sizeof(image->osinfo), "{\"id\": \"%s\"%s%s%s}", id,
                 version[0] != '\0' ? ", \"version-id\": \"" : "", version, version[0] != '\0' ? "\"" : "");
    } else if ((text = after(line, "mount: ")) != NULL) {
        take_mount(image, text);
    } else if ((text = after(line, "names: ")) != NULL) {
        open_thing(image, text, FORM_NAMES);
    } else if ((text = after(line, "lines: ")) != NULL) {
        open_thing(image, text, FORM_LINES);
    } else if (strcmp(line, "dnf:") == 0) {
        open_thing(image, DNF, FORM_DNF);
    } else if (strcmp(line, "units:") == 0) {
        open_thing(image, UNITS, FORM_UNITS);
        open_thing(image, UNIT_FILES, FORM_UNITS);
    } else if (strcmp(line, "dpkg:") == 0) {
        open_thing(image, "/var/lib/dpkg/status", FORM_DPKG);
        open_thing(image, "/var/lib/apt/extended_states", FORM_DPKG);
    } else if ((text = after(line, "offers: ")) != NULL) {
        add_offers(image->offers, text);
    } else if ((text = after(line, "offers by files: ")) != NULL) {
        add_offers(image->offers_by_files, text);
    } else {
        fail_msg("'%s' is not a title", line);
    }
}

static void read_image(const char *path, struct image *image)
{
    _cleanup_(fclosep) FILE *file = fopen(path, "r");
    _cleanup_(freep) char *line = NULL;
    size_t room = 0;
    ssize_t length;

    assert_non_null(file);
    while ((length = getline(&line, &room, file)) > 0) {
        line[length - (line[length - 1] == '\n')] = '\0';
        if (line[0] == ' ')
            take_content(image, line + strspn(line, " "));
        else if (line[0] != '#' && line[0] != '\0')
            take_title(image, line);
    }
    for (size_t i = 0; i < image->n_things; i++) {
        fclose(image->texts[i].file);
        image->things[i] = (struct thing){image->titles[i], image->texts[i].text, 0};
    }
}

/* False, and said: not what was expected. */
static bool check(const struct image *image, const struct catalog *catalog, const char *commands, const char *path,
                  const char *expected)
{
    struct agent agent = {
        .commands = commands, .osinfo = image->osinfo, .things = image->things, .mounts = image->mounts};
    _cleanup_(interview_freep) struct interview *interview = NULL;
    char offers[OFFERS_SIZE];

    assert_int_equal(interview_new(catalog, SOFTWARE_AUTO, &interview), 0);
    agent_ask_all(&agent, interview);
    list_offers(interview_guest(interview), offers);
    if (!interview_guest(interview)->knows_packages)
        print_error("%s: its tools were not asked for what they say here. Asked for was\n%s", path, agent.log);
    if (strcmp(offers, expected) != 0)
        print_error("%s\n  offers   %s\n  expected %s\n", path, offers, expected);
    return interview_guest(interview)->knows_packages && strcmp(offers, expected) == 0;
}

static void test_each_image_offers_what_it_serves_and_nothing_else(void **state)
{
    _cleanup_(catalog_freep) struct catalog *catalog = shipped_catalog();
    char pattern[512];
    unsigned n_wrong = 0;
    glob_t found;

    (void)state;
    snprintf(pattern, sizeof(pattern), "%s/*.image", directory);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        static struct image image;

        image = (struct image){0};
        read_image(found.gl_pathv[i], &image);
        n_wrong += !check(&image, catalog, ALL_COMMANDS, found.gl_pathv[i], image.offers);
        if (image.offers_by_files[0] != '\0')
            n_wrong += !check(&image, catalog, FILE_COMMANDS, found.gl_pathv[i], image.offers_by_files);
        for (size_t k = 0; k < image.n_things; k++)
            free(image.texts[k].text);
    }
    globfree(&found);
    assert_int_equal(n_wrong, 0);
}

int main(int argc, char *argv[])
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_image_offers_what_it_serves_and_nothing_else),
    };

    directory = argc > 1 ? argv[1] : directory;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
