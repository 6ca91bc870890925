/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a guest told of its system, its sockets and its file systems, and the features that follow from all of it. */
#include "discovery/guest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "discovery/guest_marks.h"
#include "discovery/lines.h"

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
    char line[LINE_SIZE], address[33], port[5], state[3];

    guest->knows_ports = true;
    while (lines_next(&lines, line))
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
    char line[LINE_SIZE], source[LINE_SIZE], mountpoint[LINE_SIZE], type[LINE_SIZE], *label;

    while (lines_next(&lines, line)) {
        if (sscanf(line, " %255s %255s %255s", source, mountpoint, type) != 3 ||
            (label = line_after(source, "LABEL=")) == NULL)
            continue;
        label += *label == '"';
        label[strcspn(label, "\"")] = '\0';
        guest_take_volume(guest, mountpoint, type, label);
    }
}

/* ---- what follows ---- */

/* Many systems run a mail server for their own messages alone. */
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
        *guest_marks(guest, used) |= MARK_USED;
}

struct ports guest_ports(const struct guest *guest)
{
    struct ports ports = {0};

    for (unsigned port = 1; port < GUEST_PORTS_END; port++)
        if (guest_listens(guest, port))
            (void)ports_add(&ports, port);
    return ports;
}

/* Of one that still starts, others follow: what was known before stays. */
static int conclude_ports(const struct guest *guest, struct feature_texts *ret)
{
    struct ports ports = guest_ports(guest);

    return guest->knows_ports && !guest->is_starting ? ports_tell(&ports, PORTS_KIND, ret) : 0;
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
        if (is_offered(guest, feature, *guest_marks(guest, feature)))
            mark_used(guest, feature);
    while (r == 0 && (feature = catalog_next(guest->catalog, feature)) != NULL)
        if (is_offered(guest, feature, *guest_marks(guest, feature)))
            r = feature_texts_add(ret, feature->kind, feature->value);
    for (size_t i = 0; r == 0 && i < guest->n_volumes; i++)
        r = feature_texts_add(ret, "data", guest->volumes[i].name);
    return r == 0 ? conclude_ports(guest, ret) : r;
}
