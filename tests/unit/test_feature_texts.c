/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists of kinds and values: what goes in comes out, in order, and lists that only look alike are not equal. */
#include "model/feature_texts.h"

#include <string.h>

#include "support.h"

struct pair {
    const char *kind, *value;
};

static void add(struct feature_texts *features, const struct pair *pairs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(feature_texts_add(features, pairs[i].kind, pairs[i].value), 0);
}

static void test_features_come_back_in_order(void **state)
{
    static const struct pair pairs[] = {{"os", "debian-12"}, {"database", NULL}, {"os", "x"}, {"data", ""}, {"a", "b"}};
    _cleanup_(feature_texts_done) struct feature_texts features = {0};
    struct feature_text feature;
    size_t place = 0;

    (void)state;
    assert_false(feature_texts_next(&features, &place, &feature));
    add(&features, pairs, ELEMENTS_OF(pairs));
    for (size_t i = 0; i < ELEMENTS_OF(pairs); i++) {
        bool has_value = pairs[i].value != NULL && pairs[i].value[0] != '\0';

        assert_true(feature_texts_next(&features, &place, &feature));
        assert_string_equal(feature.kind, pairs[i].kind);
        if (has_value)
            assert_string_equal(feature.value, pairs[i].value);
        else
            assert_null(feature.value);
    }
    assert_false(feature_texts_next(&features, &place, &feature));
}

/* Each of them is equal to itself alone. */
static void test_equal_lists(void **state)
{
    static const struct {
        struct pair pairs[2];
        size_t n;
    } lists[] = {
        {.n = 0},
        {{{"ab", "c"}}, 1},
        {{{"a", "bc"}}, 1},
        {{{"a", "b"}, {"c", NULL}}, 2},
        {{{"a", NULL}, {"b", "c"}}, 2},
        {{{"c", NULL}, {"a", "b"}}, 2},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(lists); i++)
        for (size_t k = 0; k < ELEMENTS_OF(lists); k++) {
            _cleanup_(feature_texts_done) struct feature_texts a = {0};
            _cleanup_(feature_texts_done) struct feature_texts b = {0};

            add(&a, lists[i].pairs, lists[i].n);
            add(&b, lists[k].pairs, lists[k].n);
            assert_int_equal(feature_texts_equal(&a, &b), i == k);
        }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_features_come_back_in_order),
        cmocka_unit_test(test_equal_lists),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
