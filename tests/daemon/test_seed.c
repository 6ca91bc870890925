/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What cloud-init is told, and the image that it is in, which libarchive reads back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <archive.h>
#include <archive_entry.h>

#include "hypervisor/seed.h"

#define UUID     "1a2bcdef-0000-4000-8000-000000000001"
#define INSTANCE "instance-id: \"" UUID "\"\n"

static char *variables[] = {(char *)"UNDERSTUDY_ORIGINAL=web-1",
                            (char *)"UNDERSTUDY_EMPTY=", (char *)"UNDERSTUDY_RECURSIVE=${UNDERSTUDY_ORIGINAL}"};
static const struct string_list environment = {.items = variables, .count = ELEMENTS_OF(variables)};
static const struct making plain = {.uuid = UUID, .service = "web"};

static void assert_user_data(const char *text, const char *expected)
{
    const struct template template = {.user_data = (char *)text};
    _cleanup_(freep) char *filled = NULL;

    assert_int_equal(seed_user_data(&template, &plain, &environment, &filled), 0);
    assert_string_equal(filled, expected);
}

static void known_names_are_replaced(void **state)
{
    (void)state;
    assert_user_data("a ${UNDERSTUDY_ORIGINAL} for ${UNDERSTUDY_SERVICE}", "a web-1 for web");
    assert_user_data("${UNDERSTUDY_EMPTY}|${UNDERSTUDY_RECURSIVE}", "|${UNDERSTUDY_ORIGINAL}");
    assert_user_data("$${UNDERSTUDY_SERVICE}}", "$web}");
    assert_user_data(NULL, "");
}

static void all_others_stay(void **state)
{
    static const char text[] = "echo ${HOME} ${} ${UNDERSTUDY} ${UNDERSTUDY_SERVICE:-x} $UNDERSTUDY_SERVICE "
                               "${UNDERSTUDY_SERVICES} ${UNDERSTUDY_ORIGINAL";

    (void)state;
    assert_user_data(text, text);
}

static void assert_meta_data(const struct making *making, const char *text, const char *expected)
{
    const struct template template = {.meta_data = (char *)text};
    _cleanup_(freep) char *filled = NULL;

    assert_int_equal(seed_meta_data(&template, making, &environment, &filled), 0);
    assert_string_equal(filled, expected);
}

static void an_instance_has_an_id_and_a_name(void **state)
{
    (void)state;
    assert_meta_data(&plain, NULL, INSTANCE "local-hostname: \"web\"\n");
    assert_meta_data(&plain, "region: eu\n", "region: eu\n" INSTANCE "local-hostname: \"web\"\n");
    assert_meta_data(&plain, "region: eu", "region: eu\n" INSTANCE "local-hostname: \"web\"\n");
}

static void what_the_file_gives_stays(void **state)
{
    static const char both[] = "'instance-id' : fixed\nlocal-hostname: mine\n";

    (void)state;
    assert_meta_data(&plain, both, both);
    assert_meta_data(&plain, "local-hostname: ${UNDERSTUDY_SERVICE}-new\n", "local-hostname: web-new\n" INSTANCE);
    assert_meta_data(&plain, "# instance-id: x\nx:\n  local-hostname: y\n",
                     "# instance-id: x\nx:\n  local-hostname: y\n" INSTANCE "local-hostname: \"web\"\n");
}

static void json_is_yaml_too(void **state)
{
    (void)state;
    assert_meta_data(&plain, "{\"local-hostname\": \"mine\"}",
                     "{\"instance-id\": \"" UUID "\", \"local-hostname\": \"mine\"}");
    assert_meta_data(&plain, "{\"instance-id\": \"x\", \"local-hostname\": \"mine\"}",
                     "{\"instance-id\": \"x\", \"local-hostname\": \"mine\"}");
}

static void a_service_cannot_write_into_the_file(void **state)
{
    static const struct making hostile = {.uuid = UUID, .service = "a\"\nroot: \"x"};

    (void)state;
    assert_meta_data(&hostile, NULL, INSTANCE "local-hostname: \"a--root---x\"\n");
}

/* ---- the image ---- */

static void assert_next_file(struct archive *archive, const char *name, const char *text)
{
    struct archive_entry *entry = NULL;
    char bytes[4096] = "";

    do {
        assert_int_equal(archive_read_next_header(archive, &entry), ARCHIVE_OK);
    } while (archive_entry_filetype(entry) == AE_IFDIR);
    assert_string_equal(archive_entry_pathname(entry), name);
    assert_int_equal(archive_read_data(archive, bytes, sizeof(bytes) - 1), (int)strlen(text));
    assert_string_equal(bytes, text);
}

static void the_image_has_both_files(void **state)
{
    _cleanup_(freep) void *image = NULL;
    struct archive *archive = archive_read_new();
    size_t size = 0;

    (void)state;
    assert_int_equal(seed_make_image("#cloud-config\n", INSTANCE, &image, &size), 0);
    archive_read_support_format_iso9660(archive);
    assert_int_equal(archive_read_open_memory(archive, image, size), ARCHIVE_OK);
    assert_next_file(archive, "meta-data", INSTANCE);
    assert_next_file(archive, "user-data", "#cloud-config\n");
    archive_read_free(archive);
}

/* The primary volume descriptor is sector 16; its volume id begins at byte 40 (ECMA-119, 8.4). cloud-init takes either case. */
static void the_image_is_called_cidata(void **state)
{
    _cleanup_(freep) void *image = NULL;
    size_t size = 0;

    (void)state;
    assert_int_equal(seed_make_image("", "", &image, &size), 0);
    assert_true(size > 17 * 2048 && size % 2048 == 0);
    assert_memory_equal((char *)image + (size_t)16 * 2048 + 1, "CD001", 5);
    assert_int_equal(strncasecmp((char *)image + (size_t)16 * 2048 + 40, "cidata  ", 8), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_names_are_replaced),
        cmocka_unit_test(all_others_stay),
        cmocka_unit_test(an_instance_has_an_id_and_a_name),
        cmocka_unit_test(what_the_file_gives_stays),
        cmocka_unit_test(json_is_yaml_too),
        cmocka_unit_test(a_service_cannot_write_into_the_file),
        cmocka_unit_test(the_image_has_both_files),
        cmocka_unit_test(the_image_is_called_cidata),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
