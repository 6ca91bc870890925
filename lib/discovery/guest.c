/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Texts of a guest's tools, line by line, and what they say of the features of the catalog. */
#include "discovery/guest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

/* What was seen of a feature. */
enum mark {
    MARK_PACKAGE = 1 << 0, /* installed on purpose */
    MARK_SERVICE = 1 << 1, /* enabled, or runs */
    MARK_COMMAND = 1 << 2, /* an enabled service runs it */
    MARK_USED = 1 << 3,    /* it comes with one that is offered */
    MARK_EMPTY = 1 << 4,   /* one of its services stands for instances only, and serves nothing itself */
};

/* Longer names are none that a catalog has. */
#define NAME_SIZE     256
#define LOOKED_UP_MAX 100
/* No guest has so many packages and services together. */
#define NAMES_MAX 30000

int guest_init(struct guest *guest, const struct catalog *catalog)
{
    *guest = (struct guest){.catalog = catalog};
    guest->marks = calloc(catalog_count(catalog) + 1, 1);
    return guest->marks != NULL ? 0 : -ENOMEM;
}

void guest_done(struct guest *guest)
{
    free(guest->marks);
    *guest = (struct guest){0};
}

void guest_take_system(struct guest *guest, const char *id, const char *version)
{
    guest->family = catalog_find_system(guest->catalog, id, version, guest->os);
}

static const struct catalog_feature *find(struct guest *guest, enum catalog_name_kind kind, const char *name)
{
    if (name[0] == '\0' || strlen(name) > LOOKED_UP_MAX || guest->n_names >= NAMES_MAX)
        return NULL;
    guest->n_names++;
    return catalog_find(guest->catalog, kind, guest->family, name);
}

static uint8_t *marks_of(const struct guest *guest, const struct catalog_feature *feature)
{
    return &guest->marks[catalog_index(guest->catalog, feature)];
}

static void note(struct guest *guest, enum catalog_name_kind kind, const char *name, enum mark mark)
{
    const struct catalog_feature *feature = find(guest, kind, name);

    if (feature != NULL)
        *marks_of(guest, feature) |= (uint8_t)mark;
}

/* ---- lines ---- */

struct lines {
    const char *at, *end;
};

/* One that is too long is cut: then it is no name. False: there are no more. */
static bool next_line(struct lines *lines, char ret[static NAME_SIZE])
{
    const char *end;
    size_t length;

    if (lines->at == lines->end)
        return false;
    end = memchr(lines->at, '\n', (size_t)(lines->end - lines->at));
    length = (size_t)((end != NULL ? end : lines->end) - lines->at);
    if (length > NAME_SIZE - 1)
        length = NAME_SIZE - 1;
    memcpy(ret, lines->at, length);
    ret[length] = '\0';
    lines->at = end != NULL ? end + 1 : lines->end;
    return true;
}

/* What stands behind a key at the beginning of the line; NULL: another line. */
static char *after(char *line, const char *key)
{
    size_t length = strlen(key);

    return strncmp(line, key, length) == 0 ? line + length : NULL;
}

static char *trim(char *text)
{
    size_t length;

    text += strspn(text, " \t\r");
    length = strlen(text);
    while (length > 0 && strchr(" \t\r", text[length - 1]) != NULL)
        text[--length] = '\0';
    return text;
}

/* ---- packages ---- */

/* Ends behind the name, before what may stand there: a version that it must have, an architecture. */
static char *cut_name(char *line)
{
    char *name = trim(line);

    name[strcspn(name, " \t<>=~@:")] = '\0';
    return name;
}

void guest_take_packages(struct guest *guest, const char *text, size_t length)
{
    struct lines lines = {text, text + length};
    char line[NAME_SIZE];

    guest->knows_packages = true;
    while (next_line(&lines, line))
        note(guest, CATALOG_PACKAGE, cut_name(line), MARK_PACKAGE);
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
    char line[NAME_SIZE];
    bool is_of_image = false;

    guest->knows_packages = true;
    while (next_line(&lines, line))
        is_of_image |= strncmp(line, "glibc ", strlen("glibc ")) == 0 && has_no_reason(line);
    lines = (struct lines){text, text + length};
    while (next_line(&lines, line))
        if (!(is_of_image && has_no_reason(line)))
            note(guest, CATALOG_PACKAGE, cut_name(line), MARK_PACKAGE);
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
    char line[NAME_SIZE], *name;

    while (next_line(&lines, line)) {
        name = trim(line);
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
    char line[NAME_SIZE], *name;

    if (came_along != NULL && read_came_along(came_along, came_along_length, &others) < 0)
        return -ENOMEM;
    guest->knows_packages = true;
    while (next_line(&lines, line)) {
        name = trim(line);
        if (!holds(&others, name))
            note(guest, CATALOG_PACKAGE, name, MARK_PACKAGE);
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
    char line[NAME_SIZE], *directory, *name;

    guest->knows_packages = true;
    while (next_line(&lines, line)) {
        if (!cut_last(line, '/') || !cut_last(line, '-') || !cut_last(line, '-') || !cut_last(line, '-'))
            continue;
        directory = strrchr(line, '/');
        name = directory != NULL ? strchr(directory, '-') : NULL;
        if (name != NULL)
            note(guest, CATALOG_PACKAGE, name + 1, MARK_PACKAGE);
    }
}

/* Names of the packages that came with others. */
static int read_states(const char *text, size_t length, struct string_list *ret)
{
    struct lines lines = {text, text + length};
    char line[NAME_SIZE], name[NAME_SIZE] = "", *value;

    while (next_line(&lines, line)) {
        value = after(line, "Package:");
        if (value != NULL)
            snprintf(name, sizeof(name), "%s", trim(value));
        value = after(line, "Auto-Installed:");
        if (value == NULL || strcmp(trim(value), "1") != 0 || name[0] == '\0')
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
    char line[NAME_SIZE], name[NAME_SIZE] = "", *value;

    if (states != NULL && read_states(states, states_length, &came_along) < 0)
        return -ENOMEM;
    guest->knows_packages = true;
    while (next_line(&lines, line)) {
        value = after(line, "Package:");
        if (value != NULL)
            snprintf(name, sizeof(name), "%s", trim(value));
        value = after(line, "Status:");
        if (value != NULL && strstr(value, " installed") != NULL && !holds(&came_along, name))
            note(guest, CATALOG_PACKAGE, name, MARK_PACKAGE);
    }
    return 0;
}

/* ---- services ---- */

/* "postgresql@15-main.service" → "postgresql" */
static const struct catalog_feature *find_service(struct guest *guest, char *name)
{
    char *end = strstr(name, ".service");

    if (end != NULL)
        *end = '\0';
    name[strcspn(name, "@")] = '\0';
    return find(guest, CATALOG_SERVICE, name);
}

/* A unit of which all is read. */
struct unit {
    char name[NAME_SIZE];
    char program[NAME_SIZE]; /* the file name of what it runs */
    bool is_of_system;       /* it runs a script that a package brings */
    bool is_enabled, is_active;
};

/* What runs a service of the system's own is in the image for that. */
static void note_program(struct guest *guest, const struct unit *unit)
{
    const struct catalog_feature *feature = find(guest, CATALOG_COMMAND, unit->program);

    if (feature != NULL && !(feature->is_in_images && unit->is_of_system))
        *marks_of(guest, feature) |= MARK_COMMAND;
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
        *marks_of(guest, feature) |= is_empty ? MARK_EMPTY : MARK_SERVICE;
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
    char line[NAME_SIZE], *value;

    guest->knows_services = true;
    while (next_line(&lines, line)) {
        if (line[0] == '\0')
            end_unit(guest, &unit);
        if ((value = after(line, "Id=")) != NULL)
            snprintf(unit.name, sizeof(unit.name), "%s", value);
        if ((value = after(line, "UnitFileState=")) != NULL)
            unit.is_enabled = begins_with(value, "enabled");
        if ((value = after(line, "ActiveState=")) != NULL)
            unit.is_active = strcmp(value, "active") == 0;
        if ((value = after(line, "ExecStart=")) != NULL && unit.program[0] == '\0')
            read_command(value, &unit);
    }
    end_unit(guest, &unit);
}

/* Of a template there is nothing to run; its instances are units. */
void guest_take_unit_files(struct guest *guest, const char *text, size_t length)
{
    struct lines lines = {text, text + length};
    const struct catalog_feature *feature;
    char line[NAME_SIZE], *name;

    while (next_line(&lines, line)) {
        name = trim(line);
        name[strcspn(name, " \t")] = '\0';
        feature = strchr(name, '@') == NULL ? find_service(guest, name) : NULL;
        if (feature != NULL && (*marks_of(guest, feature) & MARK_EMPTY) == 0)
            *marks_of(guest, feature) |= MARK_SERVICE;
    }
}

void guest_take_runlevel(struct guest *guest, const char *text, size_t length)
{
    struct lines lines = {text, text + length};
    char line[NAME_SIZE], *name;

    guest->knows_services = true;
    while (next_line(&lines, line)) {
        name = trim(line);
        name[strcspn(name, " \t|")] = '\0';
        note(guest, CATALOG_SERVICE, name, MARK_SERVICE);
    }
}

/* ---- sockets ---- */

static void note_port(struct guest *guest, unsigned port)
{
    guest->listens[port / 8] |= (uint8_t)(1u << port % 8);
}

bool guest_listens(const struct guest *guest, unsigned port)
{
    return (guest->listens[port / 8] & 1u << port % 8) != 0;
}

/* In hexadecimal, each word in the order of its bytes: 127.0.0.0/8, ::1, and the former written as the latter. */
static bool is_loopback(const char *address, size_t length)
{
    if (length == 8)
        return strncmp(address + 6, "7F", 2) == 0;
    return length == 32 &&
           (strncmp(address, "00000000000000000000000001000000", 32) == 0 ||
            (strncmp(address, "0000000000000000FFFF0000", 24) == 0 && strncmp(address + 30, "7F", 2) == 0));
}

/* "   0: 00000000:0050 00000000:0000 0A …": state 0A listens. */
void guest_take_sockets(struct guest *guest, const char *text, size_t length)
{
    struct lines lines = {text, text + length};
    char line[NAME_SIZE], address[33], port[5], state[3];

    guest->knows_ports = true;
    while (next_line(&lines, line))
        if (sscanf(line, " %*u: %32[0-9A-F]:%4[0-9A-F] %*[0-9A-F]:%*4[0-9A-F] %2[0-9A-F]", address, port, state) == 3 &&
            strcmp(state, "0A") == 0 && !is_loopback(address, strlen(address)))
            note_port(guest, (unsigned)strtoul(port, NULL, 16));
}

/* ---- data ---- */

/* What an installer or an image makes is the system's. */
static bool is_of_system(const char *mountpoint, const char *type, const char *label)
{
    static const char *const points[] = {"/", "/var", "/home", "/tmp", "/opt", "/root"};
    static const char *const trees[] = {"/boot",
                                        "/efi",
                                        "/usr",
                                        "/snap",
                                        "/run",
                                        "/proc",
                                        "/sys",
                                        "/dev",
                                        "/etc",
                                        "/nix",
                                        "/oem",
                                        "/sysroot",
                                        "/ostree",
                                        "/.snapshots",
                                        "/var/log",
                                        "/var/tmp",
                                        "/var/snap",
                                        "/var/cache",
                                        "/var/lib/kubelet",
                                        "/var/lib/containerd",
                                        "/var/lib/containers",
                                        "/var/lib/docker"};
    static const char *const types[] = {"swap",    "iso9660", "squashfs", "udf",  "tmpfs", "devtmpfs",
                                        "overlay", "erofs",   "vfat",     "proc", "sysfs"};
    static const char *const labels[] = {
        "cidata",    "config-2",        "oemdrv",        "oem",    "root",   "rootfs", "root-a",   "root-b",    "usr-a",
        "usr-b",     "cloudimg-rootfs", "cloudimg-boot", "boot",   "boot-a", "boot-b", "bios",     "bios-boot", "prep",
        "efi",       "efi-system",      "esp",           "uefi",   "swap",   "system", "os",       "/",         "/boot",
        "almalinux", "alpine",          "archlinux",     "centos", "debian", "fedora", "opensuse", "rhel",      "rocky",
        "ubuntu"};

    for (size_t i = 0; i < ELEMENTS_OF(points); i++)
        if (strcmp(mountpoint, points[i]) == 0)
            return true;
    if (strcmp(mountpoint, "/srv") == 0 && strcmp(type, "btrfs") == 0)
        return true; /* a subvolume of what SUSE installs */
    for (size_t i = 0; i < ELEMENTS_OF(trees); i++) {
        size_t length = strlen(trees[i]);

        if (strncmp(mountpoint, trees[i], length) == 0 && (mountpoint[length] == '\0' || mountpoint[length] == '/'))
            return true;
    }
    for (size_t i = 0; i < ELEMENTS_OF(types); i++)
        if (strcmp(type, types[i]) == 0)
            return true;
    for (size_t i = 0; label != NULL && i < ELEMENTS_OF(labels); i++)
        if (strcasecmp(label, labels[i]) == 0)
            return true;
    return false;
}

static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x21 || (unsigned char)*text > 0x7e)
            return false;
    return true;
}

void guest_take_volume(struct guest *guest, const char *mountpoint, const char *type, const char *label)
{
    bool has_label = label != NULL && label[0] != '\0';
    const char *name = has_label ? label : mountpoint + (mountpoint[0] == '/');
    size_t at = 0;

    if (mountpoint[0] != '/' || name[0] == '\0' || strlen(name) > FEATURE_VALUE_MAX ||
        strlen(mountpoint) >= GUEST_PATH_SIZE || !is_printable(name) || is_of_system(mountpoint, type, label))
        return;
    while (at < guest->n_volumes && strcmp(guest->volumes[at].mountpoint, mountpoint) != 0)
        at++;
    if (at == GUEST_VOLUMES_MAX || (at < guest->n_volumes && !has_label))
        return;
    guest->n_volumes += at == guest->n_volumes;
    snprintf(guest->volumes[at].mountpoint, sizeof(guest->volumes[at].mountpoint), "%s", mountpoint);
    snprintf(guest->volumes[at].name, sizeof(guest->volumes[at].name), "%s", name);
}

/* "LABEL=orders /srv/orders ext4 defaults 0 2", also in quotes. */
void guest_take_fstab(struct guest *guest, const char *text, size_t length)
{
    struct lines lines = {text, text + length};
    char line[NAME_SIZE], source[NAME_SIZE], mountpoint[NAME_SIZE], type[NAME_SIZE], *label;

    while (next_line(&lines, line)) {
        if (sscanf(line, " %255s %255s %255s", source, mountpoint, type) != 3 ||
            (label = after(source, "LABEL=")) == NULL)
            continue;
        label += *label == '"';
        label[strcspn(label, "\"")] = '\0';
        guest_take_volume(guest, mountpoint, type, label);
    }
}

/* ---- what follows ---- */

/* Many systems have a mail server for their own messages, which listens for nobody else. */
static bool serves_itself_only(const struct guest *guest, const struct catalog_feature *feature)
{
    for (size_t i = 0; i < feature->n_ports; i++)
        if (guest_listens(guest, feature->ports[i]))
            return false;
    return feature->n_ports > 0 && guest->knows_services && guest->knows_ports;
}

/*
 * A server is offered where one of its services is enabled; where the guest does not tell which are, by its package. A
 * runtime by its package, or since an enabled service runs it.
 */
static bool is_offered(const struct guest *guest, const struct catalog_feature *feature, uint8_t marks)
{
    if (serves_itself_only(guest, feature))
        return false;
    if ((marks & (MARK_SERVICE | MARK_COMMAND | MARK_USED)) != 0)
        return true;
    return (marks & MARK_PACKAGE) != 0 && !(feature->is_server && guest->knows_services);
}

static void mark_used(const struct guest *guest, const struct catalog_feature *feature)
{
    const struct catalog_feature *used;

    for (size_t i = 0; (used = catalog_uses(guest->catalog, feature, i)) != NULL; i++)
        *marks_of(guest, used) |= MARK_USED;
}

struct ports guest_ports(const struct guest *guest)
{
    struct ports ports = {0};

    for (unsigned port = 1; port < GUEST_PORTS_END; port++)
        if (guest_listens(guest, port))
            (void)ports_add(&ports, port);
    return ports;
}

static int conclude_ports(const struct guest *guest, struct feature_texts *ret)
{
    struct ports ports = guest_ports(guest);

    return guest->knows_ports ? ports_tell(&ports, PORTS_KIND, ret) : 0;
}

int guest_conclude(const struct guest *guest, struct feature_texts *ret)
{
    const struct catalog_feature *feature = NULL;
    int r = 0;

    if (guest->os[0] != '\0')
        r = feature_texts_add(ret, "os", guest->os);
    if (r == 0 && guest->family != NULL)
        r = feature_texts_add(ret, "os-family", guest->family);
    while ((feature = catalog_next(guest->catalog, feature)) != NULL)
        if (is_offered(guest, feature, *marks_of(guest, feature)))
            mark_used(guest, feature);
    while (r == 0 && (feature = catalog_next(guest->catalog, feature)) != NULL)
        if (is_offered(guest, feature, *marks_of(guest, feature)))
            r = feature_texts_add(ret, feature->kind, feature->value);
    for (size_t i = 0; r == 0 && i < guest->n_volumes; i++)
        r = feature_texts_add(ret, "data", guest->volumes[i].name);
    return r == 0 ? conclude_ports(guest, ret) : r;
}
