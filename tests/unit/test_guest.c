/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Texts of a guest's tools, and which features follow. */
#include "discovery/guest.h"

#include <stdlib.h>
#include <string.h>

#include "guest_agent.h"
#include "shipped_catalog.h"

struct world {
    struct catalog *catalog;
    struct guest guest;
};

static int set_up(void **state)
{
    static struct world world;

    world.catalog = shipped_catalog();
    assert_int_equal(guest_init(&world.guest, world.catalog), 0);
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    guest_done(&world->guest);
    catalog_free(world->catalog);
    return 0;
}

static unsigned count_features(const struct guest *guest, const char *kind)
{
    _cleanup_(feature_texts_done) struct feature_texts features = {0};
    struct feature_text feature;
    unsigned count = 0;

    assert_int_equal(guest_conclude(guest, &features), 0);
    for (size_t place = 0; feature_texts_next(&features, &place, &feature);)
        count += strcmp(feature.kind, kind) == 0;
    return count;
}

static void take_packages(struct guest *guest, const char *text)
{
    guest_take_packages(guest, text, strlen(text));
}

static void take_units(struct guest *guest, const char *text)
{
    guest_take_units(guest, text, strlen(text));
}

static void test_nothing_was_told(void **state)
{
    struct world *world = *state;

    assert_offers(&world->guest, "");
}

static void test_a_server_counts_while_its_service_is_enabled(void **state)
{
    struct world *world = *state;

    guest_take_system(&world->guest, "debian", "12");
    take_packages(&world->guest, "adduser\nmariadb-server\nnginx\nopenjdk-17-jre-headless\npython3\nvim");
    assert_offers(&world->guest, "os/debian-12 os-family/debian language/java database/mariadb webserver/nginx");
    take_units(&world->guest, "Id=nginx.service\nActiveState=active\nUnitFileState=enabled\n\n"
                              "ExecStart={ path=/usr/sbin/mariadbd ; argv[]=/usr/sbin/mariadbd }\nId=mariadb.service\n"
                              "ActiveState=inactive\nUnitFileState=disabled\n");
    assert_offers(&world->guest, "os/debian-12 os-family/debian language/java webserver/nginx");
}

static void test_instances_and_what_a_service_runs_and_uses(void **state)
{
    struct world *world = *state;

    take_units(&world->guest,
               "Id=postgresql@15-main.service\nActiveState=active\nUnitFileState=enabled-runtime\n\n"
               "ExecStart={ path=/usr/bin/node ; argv[]=/usr/bin/node /srv/shop.js ; ignore_errors=no }\n"
               "ExecStart={ path=/usr/bin/python3 ; argv[]=x }\nId=shop.service\nUnitFileState=enabled\n\n"
               "Id=tomcat10.service\nUnitFileState=static\nActiveState=active\n\n"
               "ExecStart={ path=/usr/bin/ruby ; argv[]=x }\nId=old.service\nActiveState=failed\nUnitFileState=\n\n"
               "Id=redis.socket\nActiveState=active\n\nId=dev-vda.device\nActiveState=active");
    assert_offers(&world->guest, "language/java language/nodejs database/postgresql appserver/tomcat");
}

/* Cloud images have such services, in Python that is there for them. */
static void test_a_script_of_a_package_says_nothing_of_python(void **state)
{
    struct world *world = *state;

    take_units(&world->guest,
               "ExecStart={ path=/usr/bin/python3 ; argv[]=/usr/bin/python3 -u /usr/sbin/waagent -daemon ; x }\n"
               "Id=waagent.service\nActiveState=active\nUnitFileState=enabled\n\n"
               "ExecStart={ path=/usr/bin/perl ; argv[]=/usr/bin/perl -wT /usr/share/munin/munin-node ; x }\n"
               "Id=node.service\nActiveState=active\nUnitFileState=enabled\n");
    assert_offers(&world->guest, "");
    take_units(&world->guest,
               "ExecStart={ path=/usr/bin/python3 ; argv[]=/usr/bin/python3 -u /usr/local/bin/shop ; x }\n"
               "Id=shop.service\nActiveState=active\nUnitFileState=enabled\n\n"
               "ExecStart={ path=/usr/bin/java ; argv[]=/usr/bin/java -jar /usr/share/acme/acme.jar ; x }\n"
               "Id=acme.service\nActiveState=active\nUnitFileState=enabled\n");
    assert_offers(&world->guest, "language/java language/python");
}

static void test_a_program_that_env_starts(void **state)
{
    struct world *world = *state;

    take_units(&world->guest, "ExecStart={ path=/usr/bin/env ; argv[]=/usr/bin/env -S node /srv/shop.js ; x }\n"
                              "Id=shop.service\nActiveState=active\nUnitFileState=enabled\n");
    assert_offers(&world->guest, "language/nodejs");
}

/* Debian's postgresql.service and openvpn.service, which desktops have for their network manager. */
static void test_a_service_that_only_stands_for_instances(void **state)
{
    static const char umbrella[] = "ExecStart={ path=/bin/true ; argv[]=/bin/true ; ignore_errors=no }\n"
                                   "Id=openvpn.service\nActiveState=active\nUnitFileState=enabled\n\n";
    struct world *world = *state;

    take_units(&world->guest, umbrella);
    assert_offers(&world->guest, "");
    take_units(&world->guest,
               "ExecStart={ path=/usr/sbin/openvpn ; argv[]=/usr/sbin/openvpn --daemon ; ignore_errors=no }\n"
               "Id=openvpn@office.service\nActiveState=active\nUnitFileState=enabled-runtime\n");
    assert_offers(&world->guest, "vpn/openvpn");
}

/* systemd forgets a unit that does not run. */
static void test_an_enabled_service_that_was_stopped(void **state)
{
    static const char files[] = "nginx.service            enabled enabled\n"
                                "openvpn.service          enabled enabled\nredis@.service           enabled disabled\n";
    struct world *world = *state;

    take_units(&world->guest, "ExecStart={ path=/bin/true ; argv[]=/bin/true ; ignore_errors=no }\n"
                              "Id=openvpn.service\nActiveState=active\nUnitFileState=enabled\n");
    guest_take_unit_files(&world->guest, files, strlen(files));
    assert_offers(&world->guest, "webserver/nginx");
}

/* The images of CentOS 7 and Debian 11 have one, which listens at 127.0.0.1. */
static void test_a_mail_server_for_the_own_messages_serves_nobody(void **state)
{
    static const char own[] = "   0: 0100007F:0019 00000000:0000 0A\n",
                      all[] = "   0: 00000000:024B 00000000:0000 0A\n";
    struct world *world = *state;

    take_units(&world->guest, "Id=postfix.service\nActiveState=active\nUnitFileState=enabled\n\n"
                              "Id=nginx.service\nActiveState=active\nUnitFileState=enabled\n");
    assert_offers(&world->guest, "webserver/nginx mail/postfix");
    guest_take_sockets(&world->guest, own, strlen(own));
    assert_offers(&world->guest, "webserver/nginx port/none");
    guest_take_sockets(&world->guest, all, strlen(all));
    assert_offers(&world->guest, "webserver/nginx mail/postfix port/587");
}

static void test_a_guest_that_still_starts(void **state)
{
    static const char ssh[] = "   0: 00000000:0016 00000000:0000 0A\n";
    struct world *world = *state;

    take_units(&world->guest, "Id=multi-user.target\nActiveState=inactive\nUnitFileState=static\n");
    assert_true(world->guest.is_starting);
    guest_take_sockets(&world->guest, ssh, strlen(ssh));
    assert_offers(&world->guest, ""); /* what else it will listen on is known of the last time */
    take_units(&world->guest, "Id=multi-user.target\nActiveState=active\nUnitFileState=static\n");
    assert_false(world->guest.is_starting);
    assert_offers(&world->guest, "port/22");
}

/* RHEL's own images are made by rpm, and python3.12 came with ansible-core, ruby with pcs. */
static void test_what_an_image_brings_has_no_reason(void **state)
{
    static const char image[] = "glibc unknown\nruby unknown\npython3.12 unknown\n\nnodejs user\nphp group\n";
    static const char image_of_dnf5[] = "glibc External User\nruby External User\nnodejs User\n";
    static const char installed[] = "glibc group\nnodejs user\njdk-21 unknown\n";
    struct world *world = *state;

    guest_take_system(&world->guest, "rhel", "9.5");
    guest_take_dnf(&world->guest, image, strlen(image));
    assert_offers(&world->guest, "os/rhel-9 os-family/redhat language/nodejs language/php");
    guest_take_dnf(&world->guest, image_of_dnf5, strlen(image_of_dnf5));
    assert_offers(&world->guest, "os/rhel-9 os-family/redhat language/nodejs language/php");
    /* By rpm, on a system that was installed by dnf. */
    guest_take_dnf(&world->guest, installed, strlen(installed));
    assert_offers(&world->guest, "os/rhel-9 os-family/redhat language/java language/nodejs language/php");
}

static void test_rpm_and_what_zypper_installed_along(void **state)
{
    static const char rpm[] = "aaa_base\nnginx\nnodejs20\nphp8\njava-17-openjdk-headless\ngpg-pubkey\n";
    static const char along[] = "# Packages that were installed automatically\naaa_base\njava-17-openjdk-headless\n";
    struct world *world = *state;

    guest_take_system(&world->guest, "opensuse-leap", "15.6");
    assert_int_equal(guest_take_rpm(&world->guest, rpm, strlen(rpm), along, strlen(along)), 0);
    assert_offers(&world->guest, "os/opensuse-leap-15.6 os-family/suse language/nodejs language/php webserver/nginx");
}

static void test_what_yum_installed_on_purpose(void **state)
{
    static const char reasons[] =
        "/var/lib/yum/yumdb/h/0d1e-httpd-2.4.6-99.el7-x86_64/reason\n"
        "/var/lib/yum/yumdb/j/77aa-java-1.8.0-openjdk-headless-1.8.0.412.b08-1.el7_9-x86_64/reason\n"
        "/var/lib/yum/yumdb/r/9b-rh-nodejs14-3.6-2.el7-x86_64/reason\n/var/lib/yum/yumdb/x/reason\nnginx\n";
    struct world *world = *state;

    guest_take_system(&world->guest, "centos", "7");
    guest_take_yumdb(&world->guest, reasons, strlen(reasons));
    assert_offers(&world->guest, "os/centos-7 os-family/redhat language/java language/nodejs webserver/apache");
}

static void test_dpkg_and_what_came_with_something_else(void **state)
{
    static const char status[] = "Package: redis-server\nStatus: install ok installed\nDescription: a server\n"
                                 " Package: nginx\n\n"
                                 "Package: php8.2-cli\nStatus: install ok installed\n\n"
                                 "Package: ruby\nStatus: deinstall ok config-files\n\n"
                                 "Package: nodejs\nStatus: install ok installed\n";
    static const char states[] = "Package: php8.2-cli\nArchitecture: amd64\nAuto-Installed: 1\n\n"
                                 "Package: nodejs\nArchitecture: amd64\nAuto-Installed: 0\n";
    struct world *world = *state;

    assert_int_equal(guest_take_dpkg(&world->guest, status, strlen(status), states, strlen(states)), 0);
    assert_offers(&world->guest, "language/nodejs cache/redis");
}

static void test_alpine(void **state)
{
    struct world *world = *state;
    static const char services[] = "             sshd | default\n            nginx | default                      \n";

    guest_take_system(&world->guest, "alpine", "3.19.1");
    take_packages(&world->guest, "alpine-base\nnginx>1.24\npython3\nphp83-fpm@edge\nlinux-virt\n");
    guest_take_runlevel(&world->guest, services, strlen(services));
    assert_offers(&world->guest, "os/alpine-3.19 os-family/alpine language/python webserver/nginx");
}

static void test_ports_that_others_reach(void **state)
{
    static const char sockets[] =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        "   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1\n"
        "   1: 0100007F:0CEA 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2\n"
        "   2: 0A00020F:9C40 0A000202:0050 01 00000000:00000000 00:00000000 00000000     0        0 3\n"
        "   3: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4\n"
        "   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 0 0 0 0 0 5\n"
        "   1: 00000000000000000000000001000000:18EB 00000000000000000000000000000000:0000 0A 0 0 0 0 0 6\n"
        "   2: 0000000000000000FFFF00000100007F:18EC 00000000000000000000000000000000:0000 0A 0 0 0 0 0 7\n"
        "   3: 000080FE00000000FF005450B6AD1DFE:01BB 00000000000000000000000000000000:0000 0A 0 0 0 0 0 8\n";
    struct world *world = *state;

    guest_take_sockets(&world->guest, sockets, strlen(sockets));
    assert_offers(&world->guest, "port/22 port/80 port/443");
    assert_true(guest_listens(&world->guest, 443));
    assert_false(guest_listens(&world->guest, 3306));
}

/* Another one is handed out after each boot, and none of them is to be waited for. */
static void test_ports_that_are_handed_out_by_chance(void **state)
{
    static const char sockets[] = "  0: 00000000:7FFF 00000000:0000 0A\n  1: 00000000:8000 00000000:0000 0A\n"
                                  "  2: 00000000:EA60 00000000:0000 0A\n";
    struct world *world = *state;

    guest_take_sockets(&world->guest, sockets, strlen(sockets));
    assert_offers(&world->guest, "port/32767");
    assert_true(guest_listens(&world->guest, 60000)); /* where the configuration says that it serves there */
}

/* It was asked, and listens on nothing: that is knowledge, and takes the place of what was known before. */
static void test_a_guest_that_listens_on_nothing(void **state)
{
    static const char header[] = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt\n";
    struct world *world = *state;

    guest_take_sockets(&world->guest, header, strlen(header));
    assert_offers(&world->guest, "port/none");
}

static void test_file_systems_with_data(void **state)
{
    static const char fstab[] =
        "# /etc/fstab\nUUID=1-2 / ext4 defaults 0 1\nLABEL=orders /srv/orders ext4 defaults 0 2\n"
        "LABEL=\"UEFI\" /boot/efi vfat umask=0077 0 1\nLABEL=cloudimg-rootfs / ext4 x 0 1\n";
    static const char *const others[][2] = {
        {"/", "ext4"},
        {"/boot", "ext4"},
        {"/boot/efi", "vfat"},
        {"/var", "xfs"},
        {"/run/user/0", "tmpfs"},
        {"/snap/core/1", "squashfs"},
        {"/mnt/cidata", "iso9660"},
        {"/home", "ext4"},
        {"relative", "ext4"},
        {"/with\x1b[31m", "ext4"},
        {"/with blank", "ext4"},
    };
    struct world *world = *state;

    for (size_t i = 0; i < ELEMENTS_OF(others); i++)
        guest_take_volume(&world->guest, others[i][0], others[i][1], NULL);
    guest_take_volume(&world->guest, "/srv/orders", "ext4", NULL);
    guest_take_volume(&world->guest, "/var/lib/mysql", "xfs", NULL);
    assert_offers(&world->guest, "data/srv/orders data/var/lib/mysql");
    guest_take_fstab(&world->guest, fstab, strlen(fstab));
    assert_offers(&world->guest, "data/orders data/var/lib/mysql");
}

/* Of Ubuntu, Fedora, RHEL, SUSE, Amazon, Alpine and Flatcar, of seeds for cloud-init and Anaconda, wherever they are mounted. */
static void test_labels_of_images_name_no_data(void **state)
{
    static const char *const labels[] = {
        "cloudimg-rootfs",
        "BOOT",
        "UEFI",
        "cidata",
        "CIDATA",
        "config-2",
        "OEMDRV",
        "root",
        "ROOT",
        "boot",
        "EFI",
        "ESP",
        "swap",
        "SWAP",
        "fedora",
        "rocky",
        "OEM",
        "USR-A",
        "USR-B",
        "EFI-SYSTEM",
        "ROOT-A",
        "PReP",
        "/",
        "/boot",
        "openSUSE",
        "rootfs",
        "BIOS-BOOT",
    };
    /* Of people, though they look alike. */
    static const char others[] = "LABEL=oracle /u01 xfs x 0 2\nLABEL=boots /mnt/boots xfs x 0 2\n";
    struct world *world = *state;
    char line[200];

    for (size_t i = 0; i < ELEMENTS_OF(labels); i++) {
        snprintf(line, sizeof(line), "LABEL=%s /mnt/%zu ext4 defaults 0 2\n", labels[i], i);
        guest_take_fstab(&world->guest, line, strlen(line));
        assert_offers(&world->guest, "");
    }
    guest_take_fstab(&world->guest, others, strlen(others));
    assert_offers(&world->guest, "data/oracle data/boots");
}

/* Nothing that it says can make it cost more, or make a feature of something else than the catalog has. */
static void test_a_hostile_guest(void **state)
{
    struct world *world = *state;
    size_t length = 1 << 16;
    _cleanup_(freep) char *noise = malloc(length);

    assert_non_null(noise);
    srand(1);
    for (unsigned round = 0; round < 50; round++) {
        static const char letters[] = "\n\n\0 :=/{}[]*?.\\0AFQZ0123456789|@<>\x1b\xff";

        for (size_t i = 0; i < length; i++)
            noise[i] = letters[(size_t)rand() % (sizeof(letters) - 1)];
        guest_take_packages(&world->guest, noise, length);
        guest_take_units(&world->guest, noise, length);
        guest_take_unit_files(&world->guest, noise, length);
        guest_take_runlevel(&world->guest, noise, length);
        guest_take_sockets(&world->guest, noise, length);
        guest_take_fstab(&world->guest, noise, length);
        guest_take_dnf(&world->guest, noise, length);
        guest_take_yumdb(&world->guest, noise, length);
        assert_int_equal(guest_take_dpkg(&world->guest, noise, length, noise, length), 0);
        assert_int_equal(guest_take_rpm(&world->guest, noise, length, noise, length), 0);
    }
    assert_offers(&world->guest, "port/none");
    for (unsigned i = 0; i < 100000; i++) {
        char line[100];

        snprintf(line, sizeof(line), "  1: 00000000:%04X 0:0 0A", i & 0xffff);
        guest_take_sockets(&world->guest, line, strlen(line));
        snprintf(line, sizeof(line), "/srv/%u", i);
        guest_take_volume(&world->guest, line, "ext4", NULL);
    }
    assert_int_equal(count_features(&world->guest, PORTS_KIND), PORTS_MAX);
    assert_int_equal(world->guest.n_volumes, GUEST_VOLUMES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nothing_was_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_server_counts_while_its_service_is_enabled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_instances_and_what_a_service_runs_and_uses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_script_of_a_package_says_nothing_of_python, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_program_that_env_starts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_service_that_only_stands_for_instances, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_enabled_service_that_was_stopped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_mail_server_for_the_own_messages_serves_nobody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_guest_that_still_starts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_an_image_brings_has_no_reason, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rpm_and_what_zypper_installed_along, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_yum_installed_on_purpose, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_dpkg_and_what_came_with_something_else, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_alpine, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ports_that_others_reach, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ports_that_are_handed_out_by_chance, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_guest_that_listens_on_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_file_systems_with_data, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_labels_of_images_name_no_data, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_hostile_guest, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
