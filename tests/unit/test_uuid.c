/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* UUIDs between bytes and text. */
#include "model/uuid.h"

#include "support.h"

static const uint8_t bytes[UUID_SIZE] = {0x4d, 0xea, 0x22, 0xb3, 0x1d, 0x52, 0xd8, 0xf3,
                                         0x25, 0x16, 0x78, 0x2e, 0x98, 0xab, 0x3f, 0xa0};

static void test_a_text_becomes_its_bytes(void **state)
{
    uint8_t uuid[UUID_SIZE];

    (void)state;
    assert_true(uuid_parse("4dea22b3-1d52-d8f3-2516-782e98ab3fa0", uuid));
    assert_memory_equal(uuid, bytes, sizeof(bytes));
    assert_true(uuid_parse("4DEA22B3-1D52-D8F3-2516-782E98AB3FA0", uuid));
    assert_memory_equal(uuid, bytes, sizeof(bytes));
}

static void test_bytes_become_their_text(void **state)
{
    char text[UUID_TEXT_SIZE];

    (void)state;
    uuid_format(bytes, text);
    assert_string_equal(text, "4dea22b3-1d52-d8f3-2516-782e98ab3fa0");
}

static void test_what_is_none_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "4dea22b3",
        "4dea22b3-1d52-d8f3-2516-782e98ab3fa",
        "4dea22b3-1d52-d8f3-2516-782e98ab3fa00",
        "4dea22b31d52d8f32516782e98ab3fa0",
        "4dea22b3-1d52-d8f3-2516-782e98ab3fg0",
        "4dea22b3_1d52_d8f3_2516_782e98ab3fa0",
    };
    uint8_t uuid[UUID_SIZE] = {7};

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(texts); i++)
        assert_false(uuid_parse(texts[i], uuid));
    assert_int_equal(uuid[0], 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_text_becomes_its_bytes),
        cmocka_unit_test(test_bytes_become_their_text),
        cmocka_unit_test(test_what_is_none_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
