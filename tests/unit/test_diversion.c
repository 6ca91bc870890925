/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One diversion and all of them, as data: which machine serves, which served before, and what machines show of it. */
#include "support.h"

#include <string.h>

#include "coordinator/diversions.h"
#include "workflow/diversion.h"

static const struct moment now = {.mono_us = 70, .real_us = 700};

static struct machine_ref ref_of(unsigned number)
{
    struct machine_ref ref = {.hypervisor = "local"};

    snprintf(ref.uuid, sizeof(ref.uuid), "00000000-0000-4000-8000-%012x", number);
    return ref;
}

static struct diversion *diversion_of(unsigned original)
{
    struct machine_ref ref = ref_of(original);
    struct spec need = {.environment = {1, 2, 3}};
    struct diversion *diversion = NULL;

    assert_int_equal(id_set_add(&need.features, 7), 0);
    assert_int_equal(diversion_new(&ref, "web-1", &need, 5, &diversion), 0);
    spec_done(&need);
    return diversion;
}

static void set(struct diversion *diversion, unsigned replacement)
{
    struct machine_ref ref = ref_of(replacement);

    assert_int_equal(diversion_set_replacement(diversion, &ref, "spare", "20261122-145400-1", now), 0);
}

static void assert_ref(const struct machine_ref *ref, unsigned number)
{
    struct machine_ref expected = ref_of(number);

    assert_string_equal(ref->uuid, expected.uuid);
    assert_string_equal(ref->hypervisor, expected.hypervisor);
}

static void assert_former(const struct diversion *diversion, unsigned number)
{
    struct machine_ref expected = ref_of(number);
    size_t count = 0;

    for (size_t i = 0; i < diversion->n_former; i++)
        count += machine_ref_equal(&diversion->former[i], &expected);
    assert_int_equal(count, 1);
}

/* ---- one ---- */

static void test_the_need_is_a_copy(void **state)
{
    _cleanup_(diversion_freep) struct diversion *diversion = diversion_of(1);

    (void)state;
    assert_ref(&diversion->service.original, 1);
    assert_string_equal(diversion->service.name, "web-1");
    assert_int_equal(diversion->service.priority, 5);
    assert_int_equal(diversion->service.need.environment[1], 2);
    assert_true(id_set_contains(&diversion->service.need.features, 7));
}

static void test_replacements_follow_each_other(void **state)
{
    _cleanup_(diversion_freep) struct diversion *diversion = diversion_of(1);

    (void)state;
    set(diversion, 2);
    assert_int_equal(diversion->n_former, 0);
    set(diversion, 3);
    set(diversion, 4);
    assert_ref(&diversion->service.replacement, 4);
    assert_string_equal(diversion->recovery_id, "20261122-145400-1");
    assert_true(diversion->since.mono_us == now.mono_us && diversion->since.real_us == now.real_us);
    assert_true(diversion->is_changed);
    assert_int_equal(diversion->n_former, 2);
    assert_former(diversion, 2);
    assert_former(diversion, 3);
}

/* One that serves again does not run twice. */
static void test_a_former_replacement_that_serves_again_is_none(void **state)
{
    _cleanup_(diversion_freep) struct diversion *diversion = diversion_of(1);

    (void)state;
    for (unsigned i = 2; i < 5; i++)
        set(diversion, i);
    set(diversion, 2);
    assert_ref(&diversion->service.replacement, 2);
    assert_int_equal(diversion->n_former, 2);
    assert_former(diversion, 3);
    assert_former(diversion, 4);
}

static void test_the_same_replacement_again_is_no_former_one(void **state)
{
    _cleanup_(diversion_freep) struct diversion *diversion = diversion_of(1);

    (void)state;
    set(diversion, 2);
    set(diversion, 2);
    assert_int_equal(diversion->n_former, 0);
}

static void test_a_new_replacement_is_not_stopped(void **state)
{
    _cleanup_(diversion_freep) struct diversion *diversion = diversion_of(1);

    (void)state;
    set(diversion, 2);
    diversion->is_stopped = true;
    set(diversion, 3);
    assert_false(diversion->is_stopped);
}

/* ---- all ---- */

static void test_one_that_is_over_is_found_no_more(void **state)
{
    struct diversions diversions = {0};
    struct machine_ref refs[] = {ref_of(1), ref_of(2), ref_of(3), ref_of(4)};

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(diversions_add(&diversions, diversion_of(1 + i)), 0);
        set(diversions.all[i], 3 + i);
    }
    assert_ptr_equal(diversions_of(&diversions, &refs[1]), diversions.all[1]);
    assert_null(diversions_of(&diversions, &refs[3]));
    assert_ptr_equal(diversions_served_by(&diversions, &refs[3]), diversions.all[1]);
    assert_null(diversions_served_by(&diversions, &refs[1]));
    diversions.all[1]->is_over = true;
    assert_null(diversions_of(&diversions, &refs[1]));
    assert_null(diversions_served_by(&diversions, &refs[3]));
    assert_ptr_equal(diversions_of(&diversions, &refs[0]), diversions.all[0]);
    diversions_done(&diversions);
}

/* That it is over is written down once, and then it is gone. */
static void test_each_change_is_handed_out_once(void **state)
{
    struct diversions diversions = {0};
    const struct diversion *first, *second;

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(diversions_add(&diversions, diversion_of(1 + i)), 0);
        set(diversions.all[i], 4 + i);
    }
    diversions.all[0]->is_changed = false;
    first = diversions.all[1];
    second = diversions.all[2];
    assert_ptr_equal(diversions_next_changed(&diversions), first);
    assert_ptr_equal(diversions_next_changed(&diversions), second);
    assert_null(diversions_next_changed(&diversions));

    diversions.all[1]->is_over = diversions.all[1]->is_changed = true;
    assert_ptr_equal(diversions_next_changed(&diversions), first);
    assert_true(first->is_over);
    assert_null(diversions_next_changed(&diversions));
    assert_int_equal(diversions.count, 2);
    assert_ptr_equal(diversions.all[1], second);
    diversions_done(&diversions);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_need_is_a_copy),
        cmocka_unit_test(test_replacements_follow_each_other),
        cmocka_unit_test(test_a_former_replacement_that_serves_again_is_none),
        cmocka_unit_test(test_the_same_replacement_again_is_no_former_one),
        cmocka_unit_test(test_a_new_replacement_is_not_stopped),
        cmocka_unit_test(test_one_that_is_over_is_found_no_more),
        cmocka_unit_test(test_each_change_is_handed_out_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
