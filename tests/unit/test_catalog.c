/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What names of packages and of systems mean, and what a file that adds to the catalog changes. */
#include "discovery/catalog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
        cmocka_unit_test(test_a_name_of_any_length_is_no_harm),
        cmocka_unit_test(test_spellings_of_one_value),
        cmocka_unit_test(test_a_file_adds_and_replaces_and_takes_away),
        cmocka_unit_test(test_a_name_comes_before_a_pattern_and_the_later_file_before_the_earlier),
        cmocka_unit_test(test_what_is_wrong_is_said_with_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
