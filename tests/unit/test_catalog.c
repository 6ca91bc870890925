/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What names of packages and of systems mean, and what a file that adds to the catalog changes. */
#include "discovery/catalog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/yaml.h"
#include "shipped_catalog.h"

/* "kind/value" of a package, "-" where it means nothing. */
static void assert_package(const struct catalog *catalog, const char *family, const char *name, const char *expected)
{
    const struct catalog_feature *feature = catalog_find(catalog, CATALOG_PACKAGE, family, name);
    char found[2 * FEATURE_VALUE_MAX] = "-";

    if (feature != NULL)
        snprintf(found, sizeof(found), "%s/%s", feature->kind, feature->value);
    if (strcmp(found, expected) != 0)
        fail_msg("%s is %s, expected %s", name, found, expected);
}

static void test_packages_of_any_distribution(void **state)
{
    static const struct {
        const char *name, *expected;
    } cases[] = {
        {"nginx", "webserver/nginx"},
        {"nginx-core", "webserver/nginx"},
        {"apache2", "webserver/apache"},
        {"httpd", "webserver/apache"},
        {"mysql-server-8.0", "database/mysql"},
        {"mysql-community-server", "database/mysql"},
        {"mariadb-server", "database/mariadb"},
        {"mariadb-server-10.11", "database/mariadb"},
        {"postgresql-15", "database/postgresql"},
        {"postgresql16-server", "database/postgresql"},
        {"redis-server", "cache/redis"},
        {"redis", "cache/redis"},
        {"openjdk-17-jre-headless", "language/java"},
        {"java-21-openjdk-headless", "language/java"},
        {"openjdk17-jre", "language/java"},
        {"java-1.8.0-openjdk", "language/java"},
        {"php8.2-cli", "language/php"},
        {"php83", "language/php"},
        {"php8.2-fpm", "appserver/php-fpm"},
        {"php83-fpm", "appserver/php-fpm"},
        {"dotnet-sdk-8.0", "language/dotnet"},
        {"R-core", "language/r"},
        {"tomcat10", "appserver/tomcat"},
        {"docker-ce", "containers/docker"},
        {"bind9", "dns/bind"},
        {"slapd", "directory/openldap"},
        {"nfs-kernel-server", "storage/nfs"},
        {"rabbitmq-server", "broker/rabbitmq"},
        {"elasticsearch", "search/elasticsearch"},
        {"jenkins", "ci/jenkins"},
        {"wireguard-tools", "vpn/wireguard"},
        {"zabbix-server-mysql", "monitoring/zabbix"},
        {"dovecot-imapd", "mail/dovecot"},
        {"dovecot23", "mail/dovecot"},
        {"community-mysql-server", "database/mysql"},
        {"rh-mysql80-mysql-server", "database/mysql"},
        {"rh-postgresql13-postgresql-server", "database/postgresql"},
        {"rh-mariadb105-mariadb-server", "database/mariadb"},
        {"rh-nodejs14", "language/nodejs"},
        {"nodejs20", "language/nodejs"},
        {"rh-php73-php-fpm", "appserver/php-fpm"},
        {"rh-nginx118-nginx", "webserver/nginx"},
        {"httpd24-httpd", "webserver/apache"},
        {"apache2-mod_php8", "language/php"},
        {"redis6", "cache/redis"},
        {"rust1.75", "language/rust"},
        {"kubernetes1.28-kubelet", "containers/kubernetes"},
    };
    _cleanup_(catalog_freep) struct catalog *catalog = shipped_catalog();

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++)
        assert_package(catalog, NULL, cases[i].name, cases[i].expected);
}

/* Each was installed with something else, or is in every image. */
static void test_libraries_clients_documentation_and_tools_mean_nothing(void **state)
{
    static const char *const names[] = {
        "python3",
        "python3-minimal",
        "python3.11",
        "libpython3.11-stdlib",
        "python3-yaml",
        "python3-pip",
        "py3-pip",
        "rh-nodejs14-npm",
        "nodejs-docs",
        "postgresql16-contrib",
        "php8-mysql",
        "tomcat-native",
        "aspnetcore-targeting-pack-8.0",
        "perl",
        "perl-base",
        "perl-modules-5.36",
        "mysql-client",
        "mysql-client-8.0",
        "default-mysql-client",
        "libmysqlclient21",
        "mariadb-common",
        "mariadb-client",
        "postgresql-client-15",
        "postgresql-15-doc",
        "postgresql-common",
        "libpq5",
        "php-doc",
        "redis-tools",
        "redis-sentinel-doc",
        "nginx-doc",
        "nginx-common",
        "apache2-utils",
        "apache2-doc",
        "httpd-tools",
        "nodejs-doc",
        "openjdk-17-doc",
        "openjdk-17-source",
        "java-common",
        "nfs-common",
        "nfs-utils",
        "smbclient",
        "samba-common",
        "bind9-dnsutils",
        "bind-utils",
        "dnsmasq-base",
        "openldap-clients",
        "ldap-utils",
        "krb5-user",
        "prometheus-node-exporter",
        "zabbix-agent",
        "telegraf",
        "git",
        "gcc",
        "bash",
        "sqlite3",
        "libsqlite3-0",
        "lua-mode",
        "ruby-doc",
        "golang-doc",
        "etcd-client",
        "docker-compose",
        "libvirt-client",
        "open-iscsi",
        "ceph-common",
        "openssh-server",
        "cloud-init",
        "qemu-guest-agent",
        "",
        "-",
    };
    _cleanup_(catalog_freep) struct catalog *catalog = shipped_catalog();

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(names); i++)
        assert_package(catalog, NULL, names[i], "-");
}

static void test_a_name_that_is_meant_for_one_family(void **state)
{
    _cleanup_(catalog_freep) struct catalog *catalog = shipped_catalog();

    (void)state;
    assert_package(catalog, "alpine", "python3", "language/python");
    assert_package(catalog, "debian", "python3", "-");
    assert_package(catalog, "alp", "python3", "-");
    assert_package(catalog, "debian", "python3.11", "-");
    assert_package(catalog, "redhat", "python3.11", "language/python");
    assert_package(catalog, "alpine", "nginx", "webserver/nginx");
    /* What images have whether anybody needs it or not, of one family and not of another. */
    assert_package(catalog, "redhat", "python36", "-");
    assert_package(catalog, "redhat", "python39", "language/python");
    assert_package(catalog, "redhat", "tcl", "-");
    assert_package(catalog, "redhat", "lua", "-");
    assert_package(catalog, "redhat", "podman", "-");
    assert_package(catalog, "debian", "podman", "containers/podman");
    assert_package(catalog, "suse", "ruby2.5", "-");
    assert_package(catalog, "debian", "ruby3.1", "language/ruby");
    assert_package(catalog, "suse", "python311", "-");
}

static void test_a_server_and_a_runtime(void **state)
{
    _cleanup_(catalog_freep) struct catalog *catalog = shipped_catalog();
    const struct catalog_feature *tomcat = catalog_find(catalog, CATALOG_SERVICE, NULL, "tomcat9");
    const struct catalog_feature *node = catalog_find(catalog, CATALOG_COMMAND, NULL, "node");

    (void)state;
    assert_string_equal(tomcat->value, "tomcat");
    assert_true(tomcat->is_server);
    assert_string_equal(catalog_uses(catalog, tomcat, 0)->value, "java");
    assert_null(catalog_uses(catalog, tomcat, 1));
    assert_string_equal(node->value, "nodejs");
    assert_false(node->is_server);
    assert_null(catalog_uses(catalog, node, 0));
    assert_null(catalog_find(catalog, CATALOG_SERVICE, NULL, "node"));
}

/* What comes with a feature is one itself, so that nothing is used that nobody can look up. */
static void test_the_catalog_has_enough_of_each_kind(void **state)
{
    static const struct {
        const char *kinds;
        unsigned least;
    } needed[] = {
        {" language ", 25},  {" database ", 20},     {" webserver proxy appserver ", 15},
        {" broker ", 10},    {" cache search ", 10}, {" storage ", 1},
        {" dns ", 1},        {" mail ", 1},          {" directory ", 1},
        {" monitoring ", 1}, {" containers ", 1},    {" ci ", 1},
        {" vpn ", 1},
    };
    _cleanup_(catalog_freep) struct catalog *catalog = shipped_catalog();

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(needed); i++) {
        unsigned count = 0;

        for (const struct catalog_feature *feature = NULL; (feature = catalog_next(catalog, feature)) != NULL;) {
            char kind[FEATURE_KIND_MAX + 3];

            snprintf(kind, sizeof(kind), " %s ", feature->kind);
            count += strstr(needed[i].kinds, kind) != NULL;
        }
        if (count < needed[i].least)
            fail_msg("%u of%s, expected %u", count, needed[i].kinds, needed[i].least);
    }
}

static void test_a_system_has_one_value_whoever_tells_of_it(void **state)
{
    static const struct {
        const char *name, *version, *value, *family;
    } cases[] = {
        {"ubuntu", "20.04", "ubuntu-20.04", "debian"},    /* the agent, and os-release */
        {"ubuntu/20.04", NULL, "ubuntu-20.04", "debian"}, /* libosinfo */
        {"Ubuntu 20.04.6 LTS", NULL, "ubuntu-20.04", "debian"},
        {"ubuntu-20.04", NULL, "ubuntu-20.04", "debian"},
        {"Ubuntu", NULL, "ubuntu", "debian"},
        {"debian", "12", "debian-12", "debian"},
        {"Debian GNU/Linux 12 (bookworm)", NULL, "debian-12", "debian"},
        {"linuxmint", "21.3", "linuxmint-21", "debian"},
        {"rhel", "9.3", "rhel-9", "redhat"},
        {"Red Hat Enterprise Linux 9.2", NULL, "rhel-9", "redhat"},
        {"rocky", "9.3", "rocky-9", "redhat"},
        {"rockylinux/9", NULL, "rocky-9", "redhat"},
        {"almalinux", "8.9", "almalinux-8", "redhat"},
        {"centos-stream/9", NULL, "centos-9", "redhat"},
        {"centos", "9", "centos-9", "redhat"},
        {"fedora", "39", "fedora-39", "redhat"},
        {"ol", "8.8", "oracle-8", "redhat"},
        {"amzn", "2023", "amazon-2023", "redhat"},
        {"opensuse-leap", "15.5", "opensuse-leap-15.5", "suse"},
        {"opensuse/15.5", NULL, "opensuse-leap-15.5", "suse"},
        {"opensuse-tumbleweed", "20240110", "opensuse-tumbleweed", "suse"},
        {"opensuse/tumbleweed", NULL, "opensuse-tumbleweed", "suse"},
        {"sles", "15.5", "sles-15.5", "suse"},
        {"alpine", "3.19.1", "alpine-3.19", "alpine"},
        {"alpinelinux/3.19", NULL, "alpine-3.19", "alpine"},
        {"arch", "", "arch", "arch"},
        {"mswindows", "2019", "windows-2019", "windows"},
        {"win/2k19", NULL, "windows-2019", "windows"},
        {"win/2k8r2", NULL, "windows-2008r2", "windows"},
        {"win/10", NULL, "windows-10", "windows"},
        {"Windows Server 2022", NULL, "windows-2022", "windows"},
        {"freebsd/13.1", NULL, "freebsd-13", "freebsd"},
        {"SUSE Linux Enterprise Server 15 SP5", NULL, "sles-15.5", "suse"},
        {"Windows Server 2008 R2 Standard", NULL, "windows-2008r2", "windows"},
        {"win/2k", NULL, "windows-2000", "windows"},
        {"debian/testing", NULL, "debian", "debian"}, /* as its os-release has no version */
        {"archlinux/rolling", NULL, "arch", "arch"},
        {"rocky/9-unknown", NULL, "rocky-9", "redhat"},
        {"sle/unknown", NULL, "sles", "suse"},
        {"haiku", "r1", "haiku-r1", NULL},
        {"my own", NULL, "my-own", NULL},
    };
    _cleanup_(catalog_freep) struct catalog *catalog = shipped_catalog();
    char value[FEATURE_VALUE_MAX + 1];

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        const char *family = catalog_find_system(catalog, cases[i].name, cases[i].version, value);

        if (strcmp(value, cases[i].value) != 0)
            fail_msg("%s %s is %s, expected %s", cases[i].name, cases[i].version, value, cases[i].value);
        assert_true(cases[i].family == NULL ? family == NULL : family != NULL && strcmp(family, cases[i].family) == 0);
    }
}

/*
 * Every system of the catalog, as its os-release tells of it (ID and VERSION_ID, which the agent hands on), as its
 * PRETTY_NAME or its people write it, and as the ids of libosinfo 20221130 have it, NULL where libosinfo does not know it.
 */
static const struct {
    const char *id, *version, *pretty, *libosinfo, *value, *family;
} systems[] = {
    {"alinux", "3", "Alibaba Cloud Linux 3.2104", NULL, "alinux-3", "redhat"},
    {"almalinux", "9.4", "AlmaLinux 9.4 (Seafoam Ocelot)", "almalinux/9", "almalinux-9", "redhat"},
    {"alpine", "3.17.3", "Alpine Linux v3.17", "alpinelinux/3.17", "alpine-3.17", "alpine"},
    {"altlinux", "10.0", "ALT 10.0", "alt/10.0", "altlinux-10", "altlinux"},
    {"amzn", "2023", "Amazon Linux 2023", NULL, "amazon-2023", "redhat"},
    {"anolis", "8.8", "Anolis 8.8", NULL, "anolis-8", "redhat"},
    {"arch", NULL, "Arch Linux", "archlinux/rolling", "arch", "arch"},
    {"artix", NULL, "Artix", NULL, "artix", "arch"},
    {"cachyos", NULL, "CachyOS", NULL, "cachyos", "arch"},
    {"centos", "9", "CentOS Stream 9", "centos-stream/9", "centos-9", "redhat"},
    {"centos", "7", "CentOS Linux 7 (Core)", "centos/7.0", "centos-7", "redhat"},
    {"circle", "8.5", "Circle 8.5", "circle/8.5", "circle-8", "redhat"},
    {"cirros", "0.5.2", "CirrOS 0.5.2", "cirros/0.5.2", "cirros-0.5", "cirros"},
    {"clear-linux-os", "38000", "Clear Linux OS", "clearlinux/rolling", "clearlinux", "clearlinux"},
    {"cloudlinux", "8.8", "CloudLinux 8.8 (Anatoly Filipchenko)", NULL, "cloudlinux-8", "redhat"},
    {"debian", "11", "Debian GNU/Linux 11 (bullseye)", "debian/11", "debian-11", "debian"},
    {"debian", NULL, "Debian GNU/Linux", "debian/testing", "debian", "debian"},
    {"deepin", "23", "Deepin 23", NULL, "deepin-23", "debian"},
    {"devuan", "5", "Devuan GNU/Linux 5 (daedalus)", NULL, "devuan-5", "debian"},
    {"dragonfly", "5.6", "DragonFly 5.6", "dragonflybsd/5.6", "dragonflybsd-5", "dragonflybsd"},
    {"elementary", "5.0", "elementary 5.0", "elementary/5.0", "elementary-5", "debian"},
    {"endeavouros", NULL, "EndeavourOS", NULL, "endeavouros", "arch"},
    {"eurolinux", "9.2", "EuroLinux 9.2 (San Marino)", NULL, "eurolinux-9", "redhat"},
    {"fedora", "37", "Fedora Linux 37 (Cloud Edition)", "fedora/37", "fedora-37", "redhat"},
    {"fedora", "37", "Fedora Linux 37 (Silverblue)", "silverblue/37", "fedora-37", "redhat"},
    {"flatcar", "3815.2.0", "Flatcar", NULL, "flatcar", "flatcar"},
    {"freebsd", "13.1", "FreeBSD 13.1-RELEASE", "freebsd/13.1", "freebsd-13", "freebsd"},
    {"garuda", NULL, "Garuda", NULL, "garuda", "arch"},
    {"gentoo", "2.14", "Gentoo Linux", "gentoo/rolling", "gentoo", "gentoo"},
    {"kali", "2024.1", "Kali GNU/Linux Rolling", NULL, "kali", "debian"},
    {"linuxmint", "21.3", "Linux Mint 21.3", NULL, "linuxmint-21", "debian"},
    {"macos", "10.15", "Mac OS X 10.15", "macosx/10.7", "macos-10", "macos"},
    {"mageia", "8", "Mageia 8", "mageia/8", "mageia-8", "mageia"},
    {"manjaro", NULL, "Manjaro Linux", "manjaro/rolling", "manjaro", "arch"},
    {"mariner", "2.0", "CBL-Mariner/Linux 2.0", NULL, "mariner-2", "mariner"},
    {"azurelinux", "3.0", "Microsoft Azure Linux 3.0", NULL, "mariner-3", "mariner"},
    {"miraclelinux", "8.4", "MIRACLELINUX 8.4 (Peony)", "miraclelinux/8.4", "miraclelinux-8", "redhat"},
    {"msdos", "6.22", "MSDOS 6.22", "msdos/6.22", "msdos", "dos"},
    {"neon", "22.04", "KDE neon 22.04", NULL, "neon-22.04", "debian"},
    {"netbsd", "9.0", "NetBSD 9.0", "netbsd/9.0", "netbsd-9", "netbsd"},
    {"nixos", "22.05", "NixOS 22.05 (Quokka)", "nixos/22.05", "nixos-22.05", "nixos"},
    {"nobara", "39", "Nobara 39", NULL, "nobara-39", "redhat"},
    {"openbsd", "7.0", "OpenBSD 7.0", "openbsd/7.0", "openbsd-7.0", "openbsd"},
    {"opencloudos", "8.8", "OpenCloudOS 8.8", NULL, "opencloudos-8", "redhat"},
    {"openEuler", "22.03", "openEuler 22.03 (LTS-SP1)", NULL, "openeuler-22.03", "redhat"},
    {"opensuse-leap", "15.4", "openSUSE Leap 15.4", "opensuse/15.4", "opensuse-leap-15.4", "suse"},
    {"opensuse", "42.3", "openSUSE Leap 42.3", "opensuse/42.3", "opensuse-leap-42.3", "suse"},
    {"opensuse-leap-micro", "5.5", "openSUSE Leap Micro 5.5", NULL, "opensuse-leap-micro-5.5", "suse"},
    {"opensuse-microos", "20240110", "openSUSE MicroOS", NULL, "opensuse-microos", "suse"},
    {"opensuse-tumbleweed", "20240110", "openSUSE Tumbleweed", "opensuse/tumbleweed", "opensuse-tumbleweed", "suse"},
    {"ol", "8.5", "Oracle Linux Server 8.5", "ol/8.5", "oracle-8", "redhat"},
    {"parrot", "6.0", "Parrot 6.0", NULL, "parrot", "debian"},
    {"photon", "4.0", "VMware Photon OS 4.0", NULL, "photon-4", "photon"},
    {"pop", "20.04", "Pop!_OS 20.04 LTS", "popos/20.04", "pop-20.04", "debian"},
    {"proxmox", "8.1", "Proxmox 8.1", NULL, "proxmox-8", "debian"},
    {"pureos", "10.0", "PureOS", "pureos/10", "pureos", "debian"},
    {"raspbian", "11", "Raspbian GNU/Linux 11 (bullseye)", NULL, "raspbian-11", "debian"},
    {"rhel", "9.1", "Red Hat Enterprise Linux 9.1 (Plow)", "rhel/9.1", "rhel-9", "redhat"},
    {"rhel", "7.9", "Red Hat Enterprise Linux Server 7.9 (Maipo)", "rhel/7.9", "rhel-7", "redhat"},
    {"rocky", "9.1", "Rocky Linux 9.1 (Blue Onyx)", "rocky/9", "rocky-9", "redhat"},
    {"scientific", "7.9", "Scientific Linux 7.9 (Nitrogen)", "scientificlinux/7.6", "scientific-7", "redhat"},
    {"slackware", "14.2", "Slackware 14.2", "slackware/14.2", "slackware-14", "slackware"},
    {"sle-micro", "5.2", "SUSE Linux Enterprise Micro 5.2", "slem/5.2", "sle-micro-5.2", "suse"},
    {"sles", "15.4", "SUSE Linux Enterprise Server 15 SP4", "sle/15.4", "sles-15.4", "suse"},
    {"sled", "12.5", "SUSE Linux Enterprise Desktop 12 SP5", "sled/12.5", "sles-12.5", "suse"},
    {"solaris", "11", "Oracle Solaris 11", "solaris/11", "solaris-11", "solaris"},
    {"solus", "4.4", "Solus 4.4 Harmony", NULL, "solus", "solus"},
    {"tencentos", "3.1", "TencentOS Server 3.1 (Final)", NULL, "tencentos-3", "redhat"},
    {"ubuntu", "22.04", "Ubuntu 22.04.3 LTS", "ubuntu/22.04", "ubuntu-22.04", "debian"},
    {"virtuozzo", "7", "Virtuozzo 7", NULL, "virtuozzo-7", "redhat"},
    {"void", NULL, "Void", "voidlinux/rolling", "void", "void"},
    {"vyos", "1.4", "VyOS 1.4", NULL, "vyos-1.4", "debian"},
    {"mswindows", "2019", "Windows Server 2019 Datacenter", "win/2k19", "windows-2019", "windows"},
    {"mswindows", "2008r2", "Microsoft Windows Server 2008 R2", "win/2k8r2", "windows-2008r2", "windows"},
    {"mswindows", "11", "Windows 11 Pro", "win/11", "windows-11", "windows"},
    {"mswindows", "vista", "Windows Vista", "win/vista", "windows-vista", "windows"},
    {"windows-xp", NULL, "Windows XP", "win/xp", "windows-xp", "windows"},
    {"zorin", "17", "Zorin OS 17", NULL, "zorin-17", "debian"},
};

static void test_all_sources_call_a_system_the_same(void **state)
{
    _cleanup_(catalog_freep) struct catalog *catalog = shipped_catalog();
    char value[FEATURE_VALUE_MAX + 1];

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(systems); i++) {
        const struct {
            const char *name, *version;
        } sources[] = {{systems[i].id, systems[i].version}, {systems[i].pretty, NULL}, {systems[i].libosinfo, NULL}};

        for (size_t k = 0; k < ELEMENTS_OF(sources) && sources[k].name != NULL; k++) {
            const char *family = catalog_find_system(catalog, sources[k].name, sources[k].version, value);

            if (strcmp(value, systems[i].value) != 0 || family == NULL || strcmp(family, systems[i].family) != 0)
                fail_msg("'%s' '%s' is %s of %s, expected %s of %s", sources[k].name, sources[k].version, value, family,
                         systems[i].value, systems[i].family);
        }
    }
}

/* ---- the file ---- */

static struct document *shipped_document(void)
{
    _cleanup_(diags_done) struct diags diags = {0};
    _cleanup_(freep) char *text = shipped_catalog_text();
    struct document *document = NULL;

    assert_int_equal(document_parse(text, strlen(text), "catalog.yaml", &diags, &document), 0);
    return document;
}

static void test_every_system_of_the_catalog_was_asked_for(void **state)
{
    _cleanup_(document_freep) struct document *document = shipped_document();
    const struct node *map = node_find(document->root, "systems");

    (void)state;
    for (size_t i = 0; i < map->n_items; i += 2) {
        const char *name = map->items[i]->text;
        size_t at = 0;

        while (at < ELEMENTS_OF(systems) && (strncmp(systems[at].value, name, strlen(name)) != 0 ||
                                             strchr("-", systems[at].value[strlen(name)]) == NULL))
            at++;
        if (at == ELEMENTS_OF(systems))
            fail_msg("no case has %s", name);
    }
}

/* A name that stands in two entries means the later one, and the earlier one never. */
static void check_names(const struct catalog *catalog, enum catalog_name_kind kind, const struct node *names,
                        const char *feature_kind, const char *value)
{
    for (size_t i = 0; names != NULL && i < names->n_items; i++) {
        const char *text = names->items[i]->text, *colon = strchr(text, ':');
        const struct catalog_feature *found;
        char family[32] = "";

        if (text[strcspn(text, "*?[")] != '\0')
            continue;
        if (colon != NULL)
            snprintf(family, sizeof(family), "%.*s", (int)(colon - text), text);
        found = catalog_find(catalog, kind, colon != NULL ? family : NULL, colon != NULL ? colon + 1 : text);
        assert_non_null(found);
        if (strcmp(found->kind, feature_kind) != 0 || strcmp(found->value, value) != 0)
            fail_msg("%s is a name of %s/%s and of %s/%s", text, feature_kind, value, found->kind, found->value);
    }
}

static void test_no_name_stands_in_two_entries(void **state)
{
    _cleanup_(catalog_freep) struct catalog *catalog = shipped_catalog();
    _cleanup_(document_freep) struct document *document = shipped_document();
    const struct node *kinds = node_find(document->root, "features");

    (void)state;
    for (size_t i = 0; i < kinds->n_items; i += 2)
        for (size_t k = 0; k < kinds->items[i + 1]->n_items; k += 2) {
            const struct node *entry = kinds->items[i + 1]->items[k + 1];
            const char *kind = kinds->items[i]->text, *value = kinds->items[i + 1]->items[k]->text;

            check_names(catalog, CATALOG_PACKAGE, node_find(entry, "packages"), kind, value);
            check_names(catalog, CATALOG_SERVICE, node_find(entry, "services"), kind, value);
            check_names(catalog, CATALOG_COMMAND, node_find(entry, "commands"), kind, value);
        }
}

static void test_a_name_of_any_length_is_no_harm(void **state)
{
    _cleanup_(catalog_freep) struct catalog *catalog = shipped_catalog();
    char value[FEATURE_VALUE_MAX + 1], name[1000];

    (void)state;
    for (size_t length = 0; length < sizeof(name); length++) {
        memset(name, length % 3 == 0 ? '9' : length % 3 == 1 ? '-' : 'u', length);
        name[length] = '\0';
        catalog_find_system(catalog, name, NULL, value);
        catalog_find_system(catalog, "ubuntu", name, value);
        catalog_spell(catalog, "database", name, value);
        assert_true(strlen(value) <= FEATURE_VALUE_MAX);
    }
}

static void test_spellings_of_one_value(void **state)
{
    static const struct {
        const char *kind, *given, *expected;
    } cases[] = {
        {"database", "MySQL 8.0", "mysql"},
        {"database", "mysql", "mysql"},
        {"database", "mysql-server", "mysql"},
        {"database", "mysql8", "mysql"},
        {"Database", "Postgres", "postgresql"},
        {"database", "postgresql-15", "postgresql"},
        {"database", "PostgreSQL v15", "postgresql"},
        {"language", "Node.js", "nodejs"},
        {"language", "node 20", "nodejs"},
        {"language", "python3.11", "python"},
        {"language", "C#", "dotnet"},
        {"webserver", "Apache 2.4", "apache"},
        {"webserver", "apache2", "apache"},
        {"os", "Ubuntu 22.04 LTS", "ubuntu-22.04"},
    };
    _cleanup_(catalog_freep) struct catalog *catalog = shipped_catalog();
    char value[FEATURE_VALUE_MAX + 1];

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        assert_true(catalog_spell(catalog, cases[i].kind, cases[i].given, value));
        assert_string_equal(value, cases[i].expected);
    }
    /* What the catalog does not know, or knows as another kind, stays as it is. */
    assert_false(catalog_spell(catalog, "database", "Our Own 3", value));
    assert_string_equal(value, "Our Own 3");
    assert_false(catalog_spell(catalog, "software", "mysql", value));
    assert_string_equal(value, "mysql");
}

/* ---- files that add ---- */

static int read_more(struct catalog *catalog, const char *text, struct diags *diags)
{
    return catalog_read(catalog, text, strlen(text), "50-local.yaml", diags);
}

static void test_a_file_adds_and_replaces_and_takes_away(void **state)
{
    _cleanup_(catalog_freep) struct catalog *catalog = shipped_catalog();
    _cleanup_(diags_done) struct diags diags = {0};
    char value[FEATURE_VALUE_MAX + 1];

    (void)state;
    assert_int_equal(
        read_more(catalog,
                  "features:\n"
                  "  billing:\n"
                  "    core: {packages: [\"acme-billing*\"], services: [acme-billing], uses: [language/java]}\n"
                  "  webserver:\n"
                  "    nginx: {packages: [acme-nginx]}\n"
                  "    apache: null\n"
                  "systems:\n"
                  "  acmeos: {family: debian, parts: 1}\n"
                  "  ubuntu: {family: acme, parts: 0}\n",
                  &diags),
        0);
    assert_int_equal(diags.count, 0);
    assert_package(catalog, NULL, "acme-billing-2", "billing/core");
    assert_package(catalog, NULL, "acme-nginx", "webserver/nginx");
    assert_package(catalog, NULL, "nginx", "-");
    assert_false(catalog_find(catalog, CATALOG_PACKAGE, NULL, "acme-nginx")->is_server);
    assert_package(catalog, NULL, "apache2", "-");
    assert_string_equal(catalog_find_system(catalog, "acmeos", "7.2", value), "debian");
    assert_string_equal(value, "acmeos-7");
    assert_string_equal(catalog_find_system(catalog, "ubuntu", "20.04", value), "acme");
    assert_string_equal(value, "ubuntu");
}

static void test_a_name_comes_before_a_pattern_and_the_later_file_before_the_earlier(void **state)
{
    _cleanup_(catalog_freep) struct catalog *catalog = shipped_catalog();
    _cleanup_(diags_done) struct diags diags = {0};

    (void)state;
    assert_int_equal(
        read_more(catalog,
                  "features: {mine: {any: {packages: [\"nginx*\", \"postgresql-*\"]}, own: {packages: [caddy]}}}",
                  &diags),
        0);
    assert_package(catalog, NULL, "nginx", "webserver/nginx");
    assert_package(catalog, NULL, "nginx-of-ours", "mine/any");
    assert_package(catalog, NULL, "postgresql-15", "mine/any");
    assert_package(catalog, NULL, "caddy", "mine/own");
}

static void test_what_is_wrong_is_said_with_its_place(void **state)
{
    static const struct {
        const char *text, *said;
    } cases[] = {
        {"features: [nginx]", "50-local.yaml:1:11: error: features: found a list, expected a map of kinds"},
        {"feature: {}", "50-local.yaml:1:1: error: feature: not a key of the catalog, expected features or systems"},
        {"features:\n  web server: {}", "expected a kind: letters, digits, '-' and '_', at most 32 bytes"},
        {"features: {webserver: {nginx: [nginx]}}",
         "features.webserver.nginx: found a list, expected a map of packages"},
        {"features: {webserver: {nginx: {package: [nginx]}}}",
         "features.webserver.nginx.package: not a key of the catalog"},
        {"features: {webserver: {nginx: {packages: nginx}}}", "packages: found 'nginx', expected a list of names"},
        {"features: {webserver: {nginx: {packages: [[nginx]]}}}", "packages[0]: found a list, expected a text"},
        {"features: {webserver: {nginx: {uses: [java]}}}", "uses: found 'java', expected a list of features"},
        {"features: {mail: {acme: {ports: [smtp]}}}",
         "features.mail.acme.ports: found 'smtp', expected a list of at most 8 ports from 1 to 65535"},
        {"features: {mail: {acme: {ports: [25, 70000]}}}", "ports: found '70000', expected a list of at most 8 ports"},
        {"features: {mail: {acme: {ports: [1, 2, 3, 4, 5, 6, 7, 8, 9]}}}",
         "ports: found '9', expected a list of at most 8"},
        {"features: {language: {acme: {in_images: 1}}}",
         "features.language.acme.in_images: found '1', expected true or false"},
        {"systems: {acme: {parts: many}}",
         "systems.acme.parts: found 'many', expected how many parts of a version count"},
        {"systems: {acme: {kin: debian}}",
         "systems.acme.kin: not a key of the catalog, expected family, parts or names"},
        {"features: {a: {b: {}}, a: {c: {}}}", "duplicate key 'a'"},
        {"features: {", "50-local.yaml:"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        _cleanup_(catalog_freep) struct catalog *catalog = shipped_catalog();
        _cleanup_(diags_done) struct diags diags = {0};
        _cleanup_(freep) char *finding = NULL;

        assert_int_equal(read_more(catalog, cases[i].text, &diags), -EINVAL);
        assert_true(diags.count > 0);
        assert_int_equal(diag_format(&diags.items[0], &finding), 0);
        if (strstr(finding, cases[i].said) == NULL)
            fail_msg("said '%s', expected '%s'", finding, cases[i].said);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packages_of_any_distribution),
        cmocka_unit_test(test_libraries_clients_documentation_and_tools_mean_nothing),
        cmocka_unit_test(test_a_name_that_is_meant_for_one_family),
        cmocka_unit_test(test_a_server_and_a_runtime),
        cmocka_unit_test(test_the_catalog_has_enough_of_each_kind),
        cmocka_unit_test(test_a_system_has_one_value_whoever_tells_of_it),
        cmocka_unit_test(test_all_sources_call_a_system_the_same),
        cmocka_unit_test(test_every_system_of_the_catalog_was_asked_for),
        cmocka_unit_test(test_no_name_stands_in_two_entries),
        cmocka_unit_test(test_a_name_of_any_length_is_no_harm),
        cmocka_unit_test(test_spellings_of_one_value),
        cmocka_unit_test(test_a_file_adds_and_replaces_and_takes_away),
        cmocka_unit_test(test_a_name_comes_before_a_pattern_and_the_later_file_before_the_earlier),
        cmocka_unit_test(test_what_is_wrong_is_said_with_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
