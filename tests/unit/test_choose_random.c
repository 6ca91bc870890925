/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Random pools and requests: a choice of any extent, and the walk one by one, are what the definition says
 * (choose_reference.h), at once and after each of many random changes.
 */
#include <stdlib.h>
#include <string.h>

#include "choose_fixture.h"
#include "choose_reference.h"
#include "model/hold.h"

#define MACHINES_MAX 60
#define HOSTS        4

/* A pool with what is drawn for it. */
struct room {
    struct fixture fixture;
    uint64_t seed;
    int64_t now_us;
    struct config_hypervisor hypervisors[HOSTS];
    struct config_weight weights[4];
    struct machine_ref tried[4];
    bool siblings[HOSTS];
    struct config policy_config;
    struct policy policy; /* with a list of hosts of its own */
    uint64_t n_hosts, n_names, things;
    uint64_t seen[CANDIDATE_VERDICTS];
};

/* That a machine serves, or that its own service is: which of them it is, is all that counts. */
static const struct diverted_service services[2] = {{.name = (char *)"a", .replacement_name = (char *)"b"},
                                                    {.name = (char *)"c", .replacement_name = (char *)"d"}};

static const char *const hosts[HOSTS] = {"h0", "h1", "h2", "h3"};

static uint64_t below(struct room *room, uint64_t limit)
{
    return random_below(&room->seed, limit);
}

static bool hits(struct room *room, unsigned percent)
{
    return below(room, 100) < percent;
}

/* ---- configurations ---- */

static uint32_t draw_weight(struct room *room)
{
    return hits(room, 15) ? 0 : 100000 + 100000 * (uint32_t)below(room, 3);
}

static void draw_similarity(struct room *room)
{
    static const uint32_t limits[] = {0, 0, 200000, 200000, 333333, 500000, 600000, MILLIONTHS};
    static char *kinds[] = {(char *)"language", (char *)"database", (char *)"webserver", (char *)"memory"};
    struct config_similarity *similarity = &room->fixture.config.similarity;

    for (size_t i = 0; i < ELEMENTS_OF(room->weights); i++)
        room->weights[i] = (struct config_weight){.kind = kinds[i], .millionths = draw_weight(room)};
    room->weights[3] = (struct config_weight){(char *)"database", (char *)"b", draw_weight(room)};
    *similarity = (struct config_similarity){
        .threshold = limits[below(room, ELEMENTS_OF(limits))],
        .min_coverage = limits[below(room, ELEMENTS_OF(limits))],
        .must_cover = {&kinds[below(room, ELEMENTS_OF(kinds))], hits(room, 30)},
        .rank_by = hits(room, 30) ? RANK_BY_SIMILARITY : RANK_BY_OVERLAP,
        .resource_weights = room->weights,
        .n_resource_weights = 3 + below(room, 2),
    };
    if (hits(room, 40))
        similarity->environment_weights[ENVIRONMENT_MEMORY] = (uint32_t)(50000 * below(room, 3));
}

static void configure(struct room *room)
{
    assert_int_equal(pool_configure(room->fixture.pool, &room->fixture.config), 0);
}

/* ---- machines ---- */

/* Some twins are on one host, so that names are not all that tells machines apart. */
static void draw_name(struct room *room, char ret[8])
{
    snprintf(ret, 8, "m%u", (unsigned)below(room, room->n_names));
}

static void draw_disk(struct room *room, struct domain_description *description)
{
    static const char *const formats[] = {"/images/%u", "nbd:%u", "nvme:%u", "pool/%u"};
    size_t which = below(room, ELEMENTS_OF(formats));
    struct disk *disks = reallocarray(description->disks, description->n_disks + 1, sizeof(*disks));
    char source[32];

    assert_non_null(disks);
    description->disks = disks;
    disks[description->n_disks] = (struct disk){.writable = !hits(room, 10), .shareable = hits(room, 10)};
    if (description->n_disks > 0 && hits(room, 20))
        disks[description->n_disks] = (struct disk){.is_backing = true};
    snprintf(source, sizeof(source), formats[which], (unsigned)below(room, room->things));
    assert_int_equal(disk_set_texts(&disks[description->n_disks++], source, which == 3 ? "pool" : NULL, NULL, "vda"),
                     0);
}

static void draw_things(struct room *room, struct domain_description *description)
{
    char name[32];

    for (uint64_t n = below(room, 3); n > 0; n--)
        draw_disk(room, description);
    if (hits(room, 30)) {
        snprintf(name, sizeof(name), "52:54:00:00:00:%02x", (unsigned)below(room, room->things));
        assert_int_equal(domain_description_add_mac(description, name), 0);
    }
    if (hits(room, 20)) {
        snprintf(name, sizeof(name), hits(room, 50) ? "pci %u" : "scsi iscsi:%u", (unsigned)below(room, room->things));
        assert_int_equal(domain_description_add_hostdev(description, name), 0);
    }
}

static struct domain_description *draw_description(struct room *room, unsigned number)
{
    static const char *const kinds[] = {"language", "database", "webserver", "software"};
    static const char *const values[] = {"a", "b"};
    struct domain_description *description;
    char name[8];

    draw_name(room, name);
    description = describe(number, name);
    description->memory_kib = 1 + below(room, 4);
    for (uint64_t n = hits(room, 10) ? 0 : 2 + below(room, 3); n > 0; n--)
        describe_feature(description, kinds[below(room, ELEMENTS_OF(kinds))], values[hits(room, 25)]);
    draw_things(room, description);
    description->obstacle = hits(room, 4) ? strdup("its base image is missing") : NULL;
    return description;
}

/* Most of them stand by, so that there are enough to be put in order. */
static void draw_state(struct room *room, const struct machine *machine)
{
    static const struct hold hold = {.scope = HOLD_HOST};
    static const uint8_t roles[] = {ROLE_PROTECTED, ROLE_IGNORED, 0};
    struct machine *edited = pool_edit(room->fixture.pool, machine);
    bool is_off = hits(room, 75), is_paused = hits(room, 50);
    enum machine_state other = is_paused ? MACHINE_PAUSED : (enum machine_state)below(room, MACHINE_STATE_COUNT);

    edited->state = (uint8_t)(is_off ? MACHINE_SHUT_OFF : other);
    edited->reason = hits(room, 80) ? REASON_USER : REASON_IO_ERROR;
    edited->roles = hits(room, 25) ? ROLE_STANDBY | ROLE_PROTECTED : ROLE_STANDBY;
    if (hits(room, 8))
        edited->roles = roles[below(room, ELEMENTS_OF(roles))];
    edited->has_managed_save = hits(room, 30);
    edited->has_foreign_image = hits(room, 20);
    edited->is_reachable = !hits(room, 5);
    edited->hold = hits(room, 5) ? &hold : NULL;
    edited->is_reserved = hits(room, 3);
    edited->is_starting = hits(room, 6);
    edited->has_come_up = hits(room, 4);
    edited->failed_unrecovered = hits(room, 4);
    edited->diverted = hits(room, 5) ? &services[below(room, ELEMENTS_OF(services))] : NULL;
    pool_set_stopped(room->fixture.pool, machine, hits(room, 10) ? 1 + (int64_t)below(room, 1000) : 0);
    edited->serves = hits(room, 20) ? &services[below(room, ELEMENTS_OF(services))] : NULL;
    edited->keeping = (uint8_t)(hits(room, 15) ? below(room, KEEPING_COUNT) : KEEPING_NONE);
    pool_set_quarantine(room->fixture.pool, machine, hits(room, 8) ? room->now_us + (int64_t)below(room, 1000) : 0,
                        NULL);
    if (hits(room, 3))
        pool_set_present(room->fixture.pool, machine, false);
}

static void add_random(struct room *room)
{
    const char *host = hosts[below(room, room->n_hosts)];
    const struct machine *machine = NULL;
    unsigned machines = room->fixture.machines;
    /* Some UUIDs are on two hosts, as after a copy. */
    unsigned number = machines > 0 && hits(room, 10) ? 1 + (unsigned)below(room, machines) : ++room->fixture.machines;

    assert_int_equal(pool_apply(room->fixture.pool, host, draw_description(room, number), &machine), 0);
    draw_state(room, machine);
    if (hits(room, 15))
        spare_machine(&room->fixture, machine);
}

/* Any of them; NULL: there is none. */
static const struct machine *draw_machine(struct room *room)
{
    const struct pool *pool = room->fixture.pool;
    const struct machine *machine = NULL;

    if (pool_count(pool) == 0)
        return NULL;
    for (uint64_t n = 1 + below(room, pool_count(pool)); n > 0; n--)
        machine = pool_next(pool, machine);
    return machine;
}

/* ---- requests ---- */

static bool has_sibling(const struct choice_request *request, const struct pool_host *host)
{
    return ((const bool *)request->siblings)[pool_host_name(host)[1] - '0'];
}

/* A service that may run on some hosts alone, for which everything else is as for all. */
static const struct policy *draw_policy(struct room *room)
{
    room->policy_config = room->fixture.config;
    room->policy_config.policy.hosts = (struct string_list){(char **)hosts, 1 + below(room, HOSTS)};
    room->policy = (struct policy){.config = &room->policy_config,
                                   .rules = (struct similarity_rules *)pool_rules(room->fixture.pool)};
    return &room->policy;
}

static void draw_request(struct room *room)
{
    struct choice_request *request = &room->fixture.request;
    const struct machine *failed = draw_machine(room), *original = hits(room, 70) ? failed : draw_machine(room);

    *request = (struct choice_request){
        .pool = room->fixture.pool,
        .failed = hits(room, 90) ? failed : NULL,
        .need = original != NULL ? original->spec : NULL,
        .host = failed != NULL && hits(room, 80) ? pool_host_of(failed) : NULL,
        .spared = hits(room, 80) ? &room->fixture.spared : NULL,
        .tried = room->tried,
        .now_us = room->now_us += (int64_t)below(room, 200),
        .check_memory = hits(room, 60),
        .rest_us = hits(room, 30) ? 500 : 0,
        .kept_may_be_given_back = hits(room, 30),
        .has_sibling = hits(room, 40) ? has_sibling : NULL,
        .siblings = room->siblings,
        .policy = hits(room, 30) ? draw_policy(room) : NULL,
    };
    for (size_t i = 0; i < HOSTS; i++)
        room->siblings[i] = hits(room, 30);
    for (uint64_t n = below(room, ELEMENTS_OF(room->tried) + 1); n > 0; n--) {
        const struct machine *machine = draw_machine(room);

        if (machine != NULL)
            room->tried[request->n_tried++] = machine_ref_of(machine);
    }
}

/* ---- rooms ---- */

static struct room *open_room(uint64_t seed)
{
    struct room *room = calloc(1, sizeof(*room));
    struct fixture *fixture;

    assert_non_null(room);
    fixture = &room->fixture;
    room->seed = seed * UINT64_C(0x9e3779b97f4a7c15);
    room->n_hosts = 1 + below(room, HOSTS);
    room->n_names = 1 + below(room, 30);
    room->things = 2 + below(room, 60);
    for (size_t i = 0; i < HOSTS; i++)
        room->hypervisors[i] = (struct config_hypervisor){.name = (char *)hosts[i], .uri = (char *)"test:///default"};
    fixture->config = default_config();
    fixture->config.hypervisors = room->hypervisors;
    fixture->config.n_hypervisors = HOSTS;
    draw_similarity(room);
    assert_int_equal(feature_table_new(&fixture->table), 0);
    assert_int_equal(pool_new(fixture->table, &fixture->pool), 0);
    assert_int_equal(chooser_new(&fixture->chooser), 0);
    configure(room);
    for (size_t i = 0; i < room->n_hosts; i++)
        pool_set_free_memory(fixture->pool, hosts[i], below(room, 10));
    for (uint64_t n = below(room, MACHINES_MAX + 1); n > 0; n--)
        add_random(room);
    return room;
}

static void close_room(struct room *room)
{
    void *state = &room->fixture;

    choose_tear_down(&state);
    free(room);
}

/* ---- changes ---- */

static void claim_or_release(struct room *room, const struct machine *machine)
{
    if (machine_rare(machine)->claimed_by == NULL)
        assert_int_equal(pool_claim(room->fixture.pool, machine, "recovery"), 0);
    else
        pool_release(room->fixture.pool, machine, "recovery");
}

/* The machine as it is known, or as another one; its hypervisor tells it again. */
static void tell_again(struct room *room, const struct machine *machine)
{
    unsigned number = (unsigned)strtoul(machine_ref_of(machine).uuid + 24, NULL, 16);

    if (hits(room, 50))
        redescribe(&room->fixture, machine, draw_description(room, number));
    else
        assert_int_equal(pool_apply(room->fixture.pool, machine->hypervisor, draw_description(room, number), NULL), 0);
}

static void change_memory(struct room *room)
{
    pool_set_free_memory(room->fixture.pool, hosts[below(room, room->n_hosts)], below(room, 10));
}

static void reconfigure(struct room *room)
{
    draw_similarity(room);
    if (hits(room, 20))
        room->fixture.config.n_hypervisors = 1 + below(room, HOSTS);
    configure(room);
}

static void change_something(struct room *room)
{
    const struct machine *machine = draw_machine(room);
    unsigned which = (unsigned)below(room, 100);

    if (machine == NULL || which < 10)
        add_random(room);
    else if (which < 40)
        draw_state(room, machine);
    else if (which < 60)
        tell_again(room, machine);
    else if (which < 75)
        claim_or_release(room, machine);
    else if (which < 85)
        pool_remove(room->fixture.pool, machine);
    else if (which < 95)
        change_memory(room);
    else
        reconfigure(room);
}

/* ---- what must hold ---- */

static bool is_same(const struct room *room, const struct candidate *actual, const struct reference_candidate *expected)
{
    char address[USE_NAME_SIZE];

    if (actual->machine != expected->machine || actual->verdict != expected->verdict ||
        actual->score.both != expected->score.both || actual->score.either != expected->score.either ||
        actual->score.verdict != expected->score.verdict)
        return false;
    if (expected->verdict != CANDIDATE_IN_USE)
        return actual->conflict.machine == NULL && actual->conflict_with == NULL;
    return use_kind(&actual->conflict) == expected->conflict.kind &&
           strcmp(use_name(&actual->conflict, address), expected->conflict.name) == 0 &&
           reference_is_in_way(&room->fixture.request, actual->machine, actual->conflict_with, &expected->conflict);
}

/* What a choice of this extent is, from the whole; the candidates as indexes into it. */
struct expectation {
    size_t eligible[MACHINES_MAX * 2], ineligible[MACHINES_MAX * 2];
    size_t n_eligible, n_ineligible, n_unjudged;
    size_t counts[CANDIDATE_VERDICTS];
};

static void expect(const struct reference *reference, struct choice_extent extent, struct expectation *ret)
{
    size_t looks = 0;

    *ret = (struct expectation){0};
    for (size_t i = 0; i < reference->n_candidates; i++) {
        const struct reference_candidate *candidate = &reference->candidates[i];

        if (reference_is_looked_at(candidate)) {
            if (ret->n_eligible >= extent.eligible && looks >= extent.looks) {
                ret->n_unjudged++;
                continue;
            }
            looks++;
        }
        ret->counts[candidate->verdict]++;
        if (candidate->verdict == CANDIDATE_ELIGIBLE && ret->n_eligible < extent.eligible)
            ret->eligible[ret->n_eligible++] = i;
        if (candidate->verdict != CANDIDATE_ELIGIBLE && ret->n_ineligible < extent.ineligible)
            ret->ineligible[ret->n_ineligible++] = i;
    }
}

static bool is_list(const struct room *room, const struct reference *reference, const struct candidate *actual,
                    size_t n_actual, const size_t *expected, size_t n_expected)
{
    if (n_actual != n_expected)
        return false;
    for (size_t i = 0; i < n_expected; i++)
        if (!is_same(room, &actual[i], &reference->candidates[expected[i]]))
            return false;
    return true;
}

static bool is_right_choice(struct room *room, const struct reference *reference)
{
    static const size_t sizes[] = {0, 1, 2, 5, 20, SIZE_MAX};
    struct choice_extent extent = {sizes[below(room, ELEMENTS_OF(sizes))], sizes[below(room, ELEMENTS_OF(sizes))],
                                   sizes[below(room, ELEMENTS_OF(sizes))]};
    _cleanup_(choice_done) struct choice choice = {0};
    struct expectation expected;

    expect(reference, extent, &expected);
    if (choose(room->fixture.chooser, &room->fixture.request, extent, &choice) < 0)
        return false;
    for (enum candidate_verdict verdict = 0; verdict < CANDIDATE_VERDICTS; verdict++)
        room->seen[verdict] += choice.counts[verdict];
    return is_list(room, reference, choice.eligible, choice.n_eligible, expected.eligible, expected.n_eligible) &&
           is_list(room, reference, choice.ineligible, choice.n_ineligible, expected.ineligible,
                   expected.n_ineligible) &&
           choice.n_unjudged == expected.n_unjudged &&
           memcmp(choice.counts, expected.counts, sizeof(expected.counts)) == 0;
}

static bool is_right_walk(const struct room *room, const struct reference *reference)
{
    struct chooser *chooser = room->fixture.chooser;
    struct candidate candidate;

    if (choose_begin(chooser, &room->fixture.request) < 0)
        return false;
    for (size_t i = 0; i < reference->n_candidates; i++)
        if (reference_is_looked_at(&reference->candidates[i]) &&
            (choose_next(chooser, &candidate) != 1 || !is_same(room, &candidate, &reference->candidates[i])))
            return false;
    return choose_next(chooser, &candidate) == 0;
}

static bool are_right_verdicts(const struct room *room, const struct reference *reference)
{
    for (size_t i = 0; i < reference->n_candidates; i++) {
        struct candidate judged = choose_judge(&room->fixture.request, reference->candidates[i].machine);

        if (!is_same(room, &judged, &reference->candidates[i]))
            return false;
    }
    return true;
}

/* Everything is, whatever is asked. NULL, or what is wrong. */
static const char *find_fault(struct room *room)
{
    const char *fault = NULL;
    struct reference reference;

    draw_request(room);
    if (pool_settle(room->fixture.pool, room->fixture.request.now_us) < 0)
        return "settling";
    if (room->fixture.request.need == NULL)
        return NULL;
    reference = reference_choose(&room->fixture.request, &room->fixture.config.similarity, room->fixture.table);
    if (!is_right_walk(room, &reference))
        fault = "the walk";
    else if (!is_right_choice(room, &reference))
        fault = "the choice";
    else if (!are_right_verdicts(room, &reference))
        fault = "a verdict by itself";
    reference_done(&reference);
    return fault;
}

static void assert_right(struct room *room, uint64_t seed, unsigned step)
{
    const char *fault = find_fault(room);

    if (fault != NULL)
        fail_msg("seed %llu, step %u: %s is not as defined", (unsigned long long)seed, step, fault);
}

/* ---- tests ---- */

#define POOLS   1500
#define CHANGES 6000

static void test_many_pools(void **state)
{
    uint64_t seen[CANDIDATE_VERDICTS] = {0};

    (void)state;
    for (uint64_t seed = 1; seed <= POOLS; seed++) {
        struct room *room = open_room(seed);

        for (unsigned step = 0; step < 3; step++)
            assert_right(room, seed, step);
        for (size_t i = 0; i < CANDIDATE_VERDICTS; i++)
            seen[i] += room->seen[i];
        close_room(room);
    }
    for (size_t i = 0; i < CANDIDATE_VERDICTS; i++)
        assert_true(seen[i] > POOLS / 10); /* the draw meets every verdict */
}

static void test_many_changes(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct room *room = open_room(seed * 1000003);

        for (unsigned step = 0; step < CHANGES / 20; step++) {
            for (uint64_t n = below(room, 4); n > 0; n--)
                change_something(room);
            assert_right(room, seed, step);
        }
        close_room(room);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_pools),
        cmocka_unit_test(test_many_changes),
    };

    return cmocka_run_group_tests_name("choose at random", tests, NULL, NULL);
}
