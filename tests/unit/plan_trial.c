/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random changes of a pool, and the plan held against choosing anew. Knows no row and no slot. */
#include "model/hold.h"
#include "plan_trial.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "choose/walk.h"

static const char *const host_names[TRIAL_HOSTS] = {"h0", "h1", "h2", "h3"};

static struct config_weight one_weight[] = {{.kind = (char *)"language", .millionths = 300000}};

static uint64_t draw(struct trial *trial, uint64_t limit)
{
    return random_below(&trial->seed, limit);
}

/* True once in so many times. */
static bool hits(struct trial *trial, uint64_t times)
{
    return draw(trial, times) == 0;
}

/* ---- descriptions ---- */

static void draw_disk(struct trial *trial, struct domain_description *description)
{
    char source[16];
    struct disk *disk;

    snprintf(source, sizeof(source), hits(trial, 3) ? "rbd:d%u" : "/d%u", (unsigned)draw(trial, 4));
    description->disks = reallocarray(description->disks, description->n_disks + 1, sizeof(*disk));
    assert_non_null(description->disks);
    disk = &description->disks[description->n_disks++];
    *disk = (struct disk){.writable = !hits(trial, 6), .shareable = hits(trial, 8)};
    if (hits(trial, 5))
        *disk = (struct disk){.is_backing = true};
    assert_int_equal(disk_set_texts(disk, source, NULL, NULL, "vda"), 0);
}

static void draw_mac(struct trial *trial, struct domain_description *description)
{
    char mac[] = "52:54:00:00:00:00";

    mac[16] = (char)('0' + draw(trial, 4));
    assert_int_equal(domain_description_add_mac(description, mac), 0);
}

static struct domain_description *draw_description(struct trial *trial, unsigned number)
{
    static const char *const roles[] = {"protected", "standby", "protected, standby",
                                        "protected", "standby", "ignored"};
    static const char *const features[] = {"language/a", "language/b", "language/c", "database/x"};
    struct domain_description *description;
    char name[8];

    snprintf(name, sizeof(name), "n%u", (unsigned)draw(trial, 12));
    description = describe(number, name);
    describe_role(description, roles[draw(trial, ELEMENTS_OF(roles))]);
    describe_features(description, features[draw(trial, 2)]);
    if (hits(trial, 3))
        describe_features(description, features[draw(trial, ELEMENTS_OF(features))]);
    description->vcpus = hits(trial, 4) ? 4 : 2;
    description->memory_kib = (uint64_t)1 << (20 + draw(trial, 2));
    description->priority = (int)draw(trial, 3);
    while (hits(trial, 2))
        draw_disk(trial, description);
    while (hits(trial, 4))
        draw_mac(trial, description);
    return description;
}

/* ---- changes of one machine ---- */

static enum machine_state draw_state(struct trial *trial)
{
    static const enum machine_state states[] = {MACHINE_RUNNING,  MACHINE_RUNNING,  MACHINE_RUNNING, MACHINE_SHUT_OFF,
                                                MACHINE_SHUT_OFF, MACHINE_SHUT_OFF, MACHINE_PAUSED};

    /* Any that a domain may be in. */
    return hits(trial, 10) ? (enum machine_state)draw(trial, MACHINE_TEMPLATE)
                           : states[draw(trial, ELEMENTS_OF(states))];
}

static void change_state(struct trial *trial, struct machine *machine)
{
    machine->state = draw_state(trial);
    machine->reason = hits(trial, 2) ? REASON_USER : REASON_UNKNOWN;
    if (hits(trial, 2))
        machine->keeping = KEEPING_NONE;
}

static void change_keeping(struct trial *trial, struct machine *machine)
{
    machine->keeping = (enum keeping)draw(trial, KEEPING_COUNT);
}

static void change_managed_save(struct trial *trial, struct machine *machine)
{
    machine->has_managed_save = hits(trial, 2);
    machine->has_foreign_image = hits(trial, 3);
}

static void change_reachable(struct trial *trial, struct machine *machine)
{
    static const struct hold hold = {.scope = HOLD_HOST};

    machine->hold = hits(trial, 8) ? &hold : NULL;
    machine->is_reachable = !hits(trial, 4);
}

static void change_quarantine(struct trial *trial, struct machine *machine)
{
    pool_set_quarantine(trial->pool, machine, hits(trial, 3) ? 0 : trial->now_us + (int64_t)draw(trial, 20), NULL);
}

static void change_starting(struct trial *trial, struct machine *machine)
{
    machine->is_starting = hits(trial, 3);
    machine->has_come_up = hits(trial, 6);
    machine->apart = machine->is_starting ? (uint16_t)draw(trial, TRIAL_SERVICES + 1) : 0;
}

static void change_failed(struct trial *trial, struct machine *machine)
{
    machine->failed_unrecovered = hits(trial, 3);
    machine->is_reserved = hits(trial, 8);
}

static void change_present(struct trial *trial, struct machine *machine)
{
    machine->is_present = !hits(trial, 4);
}

static void (*const changes[])(struct trial *trial, struct machine *machine) = {
    change_state,      change_state,    change_keeping, change_managed_save, change_reachable,
    change_quarantine, change_starting, change_failed,  change_quarantine,   change_present,
};

static void change_claim(struct trial *trial, const struct machine *machine)
{
    if (machine_rare(machine)->claimed_by == NULL)
        assert_int_equal(pool_claim(trial->pool, machine, "r"), 0);
    else
        pool_release(trial->pool, machine, machine_rare(machine)->claimed_by);
}

/* ---- changes of the pool ---- */

static const struct machine *draw_machine(struct trial *trial)
{
    uint64_t n = pool_count(trial->pool) > 0 ? draw(trial, pool_count(trial->pool)) : 0;
    const struct machine *machine = pool_next(trial->pool, NULL);

    while (n-- > 0)
        machine = pool_next(trial->pool, machine);
    return machine;
}

static void add(struct trial *trial)
{
    /* A number that is known already changes that machine, or is a second one elsewhere. */
    struct domain_description *description = draw_description(trial, (unsigned)draw(trial, 2 * trial->most));
    const char *host = host_names[draw(trial, trial->configs[0].n_hypervisors)];
    char uuid[UUID_TEXT_SIZE];
    const struct machine *machine;
    bool is_new;

    uuid_format(description->uuid, uuid);
    is_new = pool_find(trial->pool, host, uuid) == NULL;
    assert_int_equal(pool_apply(trial->pool, host, description, &machine), 0);
    if (is_new) {
        pool_edit(trial->pool, machine)->is_reachable = true;
        change_state(trial, pool_edit(trial->pool, machine));
    }
}

static void describe_anew(struct trial *trial, const struct machine *machine)
{
    struct domain_description *description = draw_description(trial, 0);

    memcpy(description->uuid, machine->description->uuid, sizeof(description->uuid));
    assert_int_equal(pool_apply(trial->pool, machine->hypervisor, description, NULL), 0);
}

static void rename_machine(struct trial *trial, const struct machine *machine)
{
    struct domain_description *description = describe(0, hits(trial, 2) ? "n0" : "n9");

    memcpy(description->uuid, machine->description->uuid, sizeof(description->uuid));
    description->roles = machine->description->roles;
    description->has_metadata = true;
    description->priority = machine->priority;
    assert_int_equal(pool_apply(trial->pool, machine->hypervisor, description, NULL), 0);
}

static void configure(struct trial *trial)
{
    const struct config *config = &trial->configs[draw(trial, TRIAL_CONFIGS)];

    assert_int_equal(pool_configure(trial->pool, config), 0);
    assert_int_equal(plan_configure(trial->plan, hits(trial, 2)), 0);
}

static void set_free_memory(struct trial *trial)
{
    uint64_t free_kib = hits(trial, 3) ? 0 : (uint64_t)1 << (19 + draw(trial, 4));

    pool_set_free_memory(trial->pool, host_names[draw(trial, TRIAL_HOSTS)], free_kib);
}

void trial_change(struct trial *trial)
{
    const struct machine *machine = draw_machine(trial);
    uint64_t what = draw(trial, 100);

    trial->now_us += (int64_t)draw(trial, 3);
    if (machine == NULL || (what < 12 && pool_count(trial->pool) < trial->most))
        add(trial);
    else if (what < 18)
        pool_remove(trial->pool, machine);
    else if (what < 30)
        describe_anew(trial, machine);
    else if (what < 34)
        rename_machine(trial, machine);
    else if (what < 40)
        change_claim(trial, machine);
    else if (what < 46)
        set_free_memory(trial);
    else if (what < 48)
        configure(trial);
    else
        changes[draw(trial, ELEMENTS_OF(changes))](trial, pool_edit(trial->pool, machine));
}

/* ---- policies ---- */

static struct string_list one_pattern(const char *const *pattern)
{
    return (struct string_list){(char **)pattern, 1};
}

/* Names are n0 to n11. */
static void set_services(struct trial *trial)
{
    static const char *const few = "n[0-4]", *const some = "n[3-7]", *const others = "n1*", *const all = "*";
    static const char *const two_hosts = "h[01]";
    struct config_service *services = trial->services;

    services[0] = (struct config_service){.match = one_pattern(&few), .apart = true, .priority = 2};
    give(&services[0], "apart");
    give(&services[0], "priority");
    services[1] = (struct config_service){
        .match = one_pattern(&some), .threshold = 900000, .min_coverage = 800000, .hosts = one_pattern(&two_hosts)};
    give(&services[1], "threshold");
    give(&services[1], "min_coverage");
    give(&services[1], "hosts");
    services[2] = (struct config_service){.match = one_pattern(&others), .order = ORDER_ORIGINAL_ONLY};
    give(&services[2], "order");
    services[3] = (struct config_service){.match = one_pattern(&all), .apart = true, .threshold = 200000};
    give(&services[3], "threshold");
    if (hits(trial, 2))
        give(&services[3], "apart");
}

/* ---- begin and end ---- */

struct trial *trial_new(uint64_t seed)
{
    struct trial *trial = calloc(1, sizeof(*trial));
    size_t n_hosts;

    assert_non_null(trial);
    trial->seed = seed * UINT64_C(0x9e3779b97f4a7c15);
    trial->most = 5 + draw(trial, 36);
    n_hosts = 1 + draw(trial, TRIAL_HOSTS);
    for (size_t i = 0; i < TRIAL_HOSTS; i++)
        trial->hypervisors[i] = (struct config_hypervisor){.name = (char *)host_names[i], .uri = (char *)"test:///"};
    for (size_t i = 0; i < TRIAL_CONFIGS; i++) {
        trial->configs[i] = default_config();
        trial->configs[i].hypervisors = trial->hypervisors;
        trial->configs[i].n_hypervisors = n_hosts;
    }
    trial->configs[1].similarity.threshold = trial->configs[1].similarity.min_coverage = 900000;
    trial->configs[2].similarity = case_study_similarity();
    trial->configs[3].similarity.resource_weights = one_weight;
    trial->configs[3].similarity.n_resource_weights = 1;
    trial->configs[3].n_hypervisors = (n_hosts + 1) / 2;

    set_services(trial);
    trial->configs[4].services = trial->services;
    trial->configs[4].n_services = TRIAL_SERVICES;

    assert_int_equal(feature_table_new(&trial->table), 0);
    assert_int_equal(pool_new(trial->table, &trial->pool), 0);
    assert_int_equal(plan_new(trial->pool, &trial->plan), 0);
    assert_int_equal(chooser_new(&trial->chooser), 0);
    assert_int_equal(pool_configure(trial->pool, &trial->configs[0]), 0);
    assert_int_equal(plan_configure(trial->plan, false), 0);
    for (size_t i = 0; i < trial->most; i++)
        add(trial);
    return trial;
}

void trial_free(struct trial *trial)
{
    chooser_free(trial->chooser);
    plan_free(trial->plan);
    pool_free(trial->pool);
    feature_table_free(trial->table);
    free(trial);
}

/* ---- held against choosing anew ---- */

/* What counting makes of a machine, by its number. */
struct count {
    size_t served;
    const struct machine *first;
    bool is_spared;
};

struct found {
    struct candidate first[2];
    size_t n; /* 2: two or more */
};

static struct found choose_anew(struct trial *trial, const struct choice_request *request)
{
    struct found found = {.n = 0};

    assert_int_equal(choose_begin(trial->chooser, request), 0);
    while (found.n < 2 && choose_next_eligible(trial->chooser, &found.first[found.n]) > 0)
        found.n++;
    return found;
}

static bool is_more_important(const struct machine *a, const struct machine *b)
{
    char keys[2][160];

    if (b == NULL || a->priority != b->priority)
        return b == NULL || a->priority > b->priority;
    snprintf(keys[0], sizeof(keys[0]), "%s %s %s", a->name, a->hypervisor, machine_ref_of(a).uuid);
    snprintf(keys[1], sizeof(keys[1]), "%s %s %s", b->name, b->hypervisor, machine_ref_of(b).uuid);
    return strcmp(keys[0], keys[1]) < 0;
}

/* By what it keeps out itself, it is no other machine's candidate. */
static bool is_kept_out(struct choice_request request, const struct machine *candidate)
{
    request.failed = NULL;
    return choose_judge(&request, candidate).verdict != CANDIDATE_ELIGIBLE;
}

static void assert_same(const struct choice_request *request, const struct candidate *planned,
                        const struct found *found, size_t at)
{
    assert_ptr_equal(planned->machine, at < found->n ? found->first[at].machine : NULL);
    if (planned->machine != NULL)
        assert_int_equal(similarity_compare(request_rules(request), &planned->score, &found->first[at].score), 0);
}

static void check_served(struct trial *trial, const struct machine *served, struct count *counts)
{
    struct choice_request request = plan_request(trial->plan, served);
    struct found found = choose_anew(trial, &request);
    struct plan_answer answer;
    struct count *count;

    assert_int_equal(plan_find(trial->plan, served, &answer), 0);
    trial->n_policies += pool_policy_number(served) > 0;
    trial->n_apart += answer.best.machine != NULL && request.has_sibling != NULL &&
                      request.has_sibling(&request, pool_host_of(answer.best.machine));
    assert_same(&request, &answer.best, &found, 0);
    assert_same(&request, &answer.second, &found, 1);
    if (found.n == 0)
        return;
    count = &counts[found.first[0].machine->number];
    count->served++;
    if (is_more_important(served, count->first))
        count->first = served;
    trial->n_kept_out += is_kept_out(request, found.first[0].machine);
    count->is_spared |= found.n == 1 && !is_kept_out(request, found.first[0].machine);
}

static void check_counted(struct trial *trial, const struct machine *machine, const struct count *count)
{
    const struct machine *first;
    size_t served = plan_count_served_by(trial->plan, machine, &first);

    assert_int_equal(served, count->served);
    assert_ptr_equal(first, count->first);
    trial->n_shared += served > 1;
}

void trial_check(struct trial *trial, int settled)
{
    struct count counts[256] = {{0}};
    struct plan_answer answer;

    assert_in_range(settled, 0, 1);
    assert_true(pool_number_end(trial->pool) <= ELEMENTS_OF(counts));
    for (const struct machine *machine = pool_next(trial->pool, NULL); machine != NULL;
         machine = pool_next(trial->pool, machine)) {
        if (plan_is_served(trial->plan, machine))
            check_served(trial, machine, counts);
        else
            assert_int_equal(plan_find(trial->plan, machine, &answer), -ENOENT);
    }
    trial->n_incomplete += settled == 0;
    if (settled == 0)
        return;
    for (uint32_t number = 0; number < ELEMENTS_OF(counts); number++) {
        assert_int_equal(spared_has(plan_spared(trial->plan), number), counts[number].is_spared);
        trial->n_spared += counts[number].is_spared;
    }
    for (const struct machine *machine = pool_next(trial->pool, NULL); machine != NULL;
         machine = pool_next(trial->pool, machine))
        check_counted(trial, machine, &counts[machine->number]);
}
