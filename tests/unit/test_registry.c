/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Facts and queues: what is left for a component reaches it, once and by number. */
#include "coordinator/registry.h"

#include "coordinator/tasks.h"
#include "support.h"

static struct registry registry;

static int set_up(void **state)
{
    (void)state;
    registry = (struct registry){0};
    return registry_init(&registry);
}

static int tear_down(void **state)
{
    (void)state;
    registry_done(&registry);
    return 0;
}

static struct watch *add(unsigned number)
{
    char uuid[UUID_TEXT_SIZE];
    struct watch *watch;

    uuid_from(number, uuid);
    watch = watch_get(&registry, "local", uuid);
    assert_non_null(watch);
    return watch;
}

static void test_a_queue_gives_each_machine_once_and_gathers_facts(void **state)
{
    struct watch *a = add(1), *b = add(2);
    unsigned facts;

    (void)state;
    watch_tell(&registry, a, QUEUE_RECOVERIES, MACHINE_FACT_STATE);
    watch_tell(&registry, b, QUEUE_RECOVERIES, MACHINE_FACT_FAILED);
    watch_tell(&registry, a, QUEUE_RECOVERIES, MACHINE_FACT_FAILED);
    assert_ptr_equal(watch_take(&registry, QUEUE_RECOVERIES, &facts), a);
    assert_int_equal(facts, MACHINE_FACT_STATE | MACHINE_FACT_FAILED);
    assert_ptr_equal(watch_take(&registry, QUEUE_RECOVERIES, &facts), b);
    assert_int_equal(facts, MACHINE_FACT_FAILED);
    assert_null(watch_take(&registry, QUEUE_RECOVERIES, &facts));
}

static void test_what_is_rare_goes_with_the_last_of_it(void **state)
{
    struct watch *watch = add(1);

    (void)state;
    assert_int_equal(watch_rare(watch)->absent_since_us, 0);
    assert_null(watch->rare);
    assert_non_null(watch_get_hang(watch));
    watch_get_rare(watch)->absent_since_us = 1;
    watch_clear_hang(watch);
    watch_tidy(watch);
    assert_int_equal(watch_rare(watch)->absent_since_us, 1);
    watch->rare->absent_since_us = 0;
    watch_tidy(watch);
    assert_null(watch->rare);
}

static void test_queues_do_not_know_each_other(void **state)
{
    struct watch *a = add(1);
    unsigned facts;

    (void)state;
    watch_tell(&registry, a, QUEUE_STANDBY, MACHINE_FACT_STATE);
    watch_tell(&registry, a, QUEUE_WRITE, MACHINE_FACT_DUE);
    assert_null(watch_take(&registry, QUEUE_RECOVERIES, &facts));
    assert_ptr_equal(watch_take(&registry, QUEUE_WRITE, &facts), a);
    assert_ptr_equal(watch_take(&registry, QUEUE_STANDBY, &facts), a);
}

/* The first, one in the middle, the last; and one that comes afterwards. */
static void test_a_machine_that_is_discarded_leaves_its_queues(void **state)
{
    struct watch *watches[5], *later;
    unsigned facts;

    (void)state;
    for (unsigned i = 0; i < ELEMENTS_OF(watches); i++) {
        watches[i] = add(i);
        watch_tell(&registry, watches[i], QUEUE_DESCRIBE, MACHINE_FACT_DUE);
    }
    watch_discard(&registry, watches[0]);
    watch_discard(&registry, watches[2]);
    watch_discard(&registry, watches[4]);
    later = add(9);
    watch_tell(&registry, later, QUEUE_DESCRIBE, MACHINE_FACT_DUE);
    assert_ptr_equal(watch_take(&registry, QUEUE_DESCRIBE, &facts), watches[1]);
    assert_ptr_equal(watch_take(&registry, QUEUE_DESCRIBE, &facts), watches[3]);
    assert_ptr_equal(watch_take(&registry, QUEUE_DESCRIBE, &facts), later);
    assert_null(watch_take(&registry, QUEUE_DESCRIBE, &facts));
}

static void test_a_fact_that_was_read_is_gone(void **state)
{
    (void)state;
    registry_tell(&registry, FACT_FAILURES);
    assert_false(registry_take(&registry, FACT_INPUT));
    assert_true(registry_take(&registry, FACT_FAILURES));
    assert_false(registry_take(&registry, FACT_FAILURES));
}

static void test_an_id_tells_its_owner(void **state)
{
    uint64_t before = 0;

    (void)state;
    for (int round = 0; round < 3; round++)
        for (enum part part = 0; part < PART_COUNT; part++) {
            uint64_t id = outbox_new_id(&registry.outbox, part);

            assert_int_not_equal(id, 0);
            assert_int_not_equal(id, before);
            assert_int_equal(outbox_owner_of(id), part);
            before = id;
        }
}

static void test_a_task_is_tried_again_until_it_is_dropped(void **state)
{
    const struct machine_ref ref = {.hypervisor = "local", .uuid = "00000000-0000-4000-8000-000000000001"};
    struct task *tasks = NULL;
    struct action action;

    (void)state;
    assert_non_null(tasks_add(&tasks, ACTION_DESTROY, &ref, "r"));
    assert_ptr_equal(*tasks_find_due(&tasks, &registry), tasks);
    action = task_ask(tasks, &registry, PART_SERVICES, USEC_PER_SEC);
    assert_null(*tasks_find_due(&tasks, &registry));
    assert_int_equal(tasks_deadline(tasks), USEC_INFINITY);
    (*tasks_find_action(&tasks, action.id))->retry_us = 100;
    assert_int_equal(tasks_deadline(tasks), 100);
    tasks_tick(tasks, 99);
    assert_null(*tasks_find_due(&tasks, &registry));
    tasks_tick(tasks, 100);
    assert_ptr_equal(*tasks_find_due(&tasks, &registry), tasks);
    assert_int_not_equal(task_ask(tasks, &registry, PART_SERVICES, USEC_PER_SEC).id, action.id);
    assert_null(*tasks_find_action(&tasks, action.id));
    tasks_drop(tasks_find_target(&tasks, &ref));
    assert_null(tasks);
}

#define registry_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        registry_test(test_a_queue_gives_each_machine_once_and_gathers_facts),
        registry_test(test_what_is_rare_goes_with_the_last_of_it),
        registry_test(test_queues_do_not_know_each_other),
        registry_test(test_a_machine_that_is_discarded_leaves_its_queues),
        registry_test(test_a_fact_that_was_read_is_gone),
        registry_test(test_an_id_tells_its_owner),
        registry_test(test_a_task_is_tried_again_until_it_is_dropped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
