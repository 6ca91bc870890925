/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A pool of machines by name and features, and the one that failed. */
#include "select_fixture.h"

#include <string.h>

int select_set_up(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){.config = default_config()};
    fixture.config.similarity = case_study_similarity();
    *state = &fixture;
    if (feature_table_new(&fixture.table) < 0 || pool_new(fixture.table, &fixture.pool) < 0 ||
        pool_configure(fixture.pool, &fixture.config) < 0 ||
        similarity_rules_new(&fixture.config.similarity, fixture.table, &fixture.rules) < 0)
        return -1;
    fixture.request = (struct select_request){.pool = fixture.pool, .rules = fixture.rules};
    return 0;
}

int select_tear_down(void **state)
{
    struct fixture *fixture = *state;

    pool_free(fixture->pool);
    similarity_rules_free(fixture->rules);
    feature_table_free(fixture->table);
    return 0;
}

/* A machine that stands by, cold, with "kind/value kind/value". */
struct machine *add_on(struct fixture *fixture, const char *hypervisor, const char *name, const char *features)
{
    struct domain_description *description = describe(++fixture->machines, name);
    struct machine *machine = NULL;

    describe_features(description, features);
    assert_int_equal(pool_apply(fixture->pool, hypervisor, description, &machine), 0);
    machine->state = MACHINE_SHUT_OFF;
    machine->reason = REASON_SHUTDOWN;
    machine->is_reachable = true;
    machine->persistent = true;
    return machine;
}

struct machine *add(struct fixture *fixture, const char *name, const char *features)
{
    return add_on(fixture, "local", name, features);
}

struct machine *add_failed(struct fixture *fixture)
{
    struct machine *failed = add(fixture, "failed", WEB);

    failed->reason = REASON_CRASHED;
    fixture->request.failed = failed;
    return failed;
}

struct selection *select_all(const struct fixture *fixture)
{
    struct selection *selection = NULL;

    assert_int_equal(select_candidates(&fixture->request, &selection), 0);
    return selection;
}

void assert_order(const struct fixture *fixture, const struct string_list names)
{
    _cleanup_(freep) struct selection *selection = select_all(fixture);

    assert_int_equal(selection->n_candidates, names.count);
    for (size_t i = 0; i < names.count; i++)
        assert_string_equal(selection->candidates[i].machine->name, names.items[i]);
}

struct candidate candidate_of(const struct fixture *fixture, const struct machine *machine)
{
    _cleanup_(freep) struct selection *selection = select_all(fixture);

    for (size_t i = 0; i < selection->n_candidates; i++)
        if (selection->candidates[i].machine == machine)
            return selection->candidates[i];
    return (struct candidate){.machine = NULL};
}

void assert_verdict(const struct fixture *fixture, const struct machine *machine, enum candidate_verdict verdict)
{
    struct candidate candidate = candidate_of(fixture, machine);

    assert_ptr_equal(candidate.machine, machine);
    assert_int_equal(candidate.verdict, verdict);
}

void add_case_study(struct fixture *fixture)
{
    add(fixture, "VM-004", "webserver/nginx");
    add(fixture, "VM-002", "language/nodejs database/postgresql webserver/apache");
    add(fixture, "VM-005", "language/nodejs database/mysql database/postgresql webserver/nginx webserver/apache");
    add(fixture, "VM-003", "database/postgresql");
    fixture->request.failed = add(fixture, "VM-001", WEB);
}
