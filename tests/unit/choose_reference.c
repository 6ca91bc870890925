/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The yardstick: slow, and nothing shared with what it measures. */
#include "choose_reference.h"

#include <stdlib.h>
#include <fnmatch.h>
#include <string.h>

#include "similarity_reference.h"
#include "support.h"

/* ---- verdicts, one by one ---- */

static bool is_up(const struct machine *machine)
{
    return machine->state == MACHINE_RUNNING || machine->state == MACHINE_PAUSED ||
           machine->state == MACHINE_STOPPING || machine->state == MACHINE_CRASHED ||
           machine->state == MACHINE_SUSPENDED || machine->is_starting || machine->has_come_up;
}

/* Off, or paused by an operator or the daemon; what the daemon is warming counts as if it were. */
static bool stands_by(const struct machine *machine)
{
    bool is_paused = machine->state == MACHINE_PAUSED && machine->reason == REASON_USER;

    bool is_off = machine->state == MACHINE_SHUT_OFF || machine->state == MACHINE_TEMPLATE;

    return machine->keeping == KEEPING_WARMING || (!machine->has_come_up && (is_off || is_paused));
}

static bool is_claimed(const struct machine *machine)
{
    bool has_claim = machine_rare(machine)->claimed_by != NULL && machine->keeping != KEEPING_WARMING;

    return machine->is_reserved || machine->keeping == KEEPING_ENDING || has_claim;
}

static bool is_under_operator(const struct machine *machine)
{
    return machine->keeping == KEEPING_NONE &&
           (machine->state == MACHINE_PAUSED ||
            (machine->state == MACHINE_SHUT_OFF && machine->has_managed_save && machine->has_foreign_image));
}

static bool was_tried(const struct choice_request *request, const struct machine *machine)
{
    for (size_t i = 0; i < request->n_tried; i++)
        if (machine_is_ref(machine, &request->tried[i]))
            return true;
    return false;
}

static bool lacks_memory(const struct choice_request *request, const struct machine *machine)
{
    uint64_t free_kib = pool_free_memory(request->pool, machine->hypervisor), starting_kib = 0, given_kib = 0;
    bool is_booted = machine->state == MACHINE_PAUSED || machine->keeping == KEEPING_WARMING;

    if (!request->check_memory || is_booted || free_kib == 0)
        return false;
    for (const struct machine *other = pool_next(request->pool, NULL); other != NULL;
         other = pool_next(request->pool, other))
        if (strcmp(other->hypervisor, machine->hypervisor) == 0 && other->is_starting &&
            !machine_state_is_active(other->state))
            starting_kib += other->description->memory_kib;
    if (request->host != NULL && strcmp(pool_host_name(request->host), machine->hypervisor) == 0)
        given_kib = request->given_kib;
    return (free_kib > starting_kib ? free_kib - starting_kib : 0) + given_kib < machine->description->memory_kib;
}

/* ---- what may be used once ---- */

static bool begins_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* The one at a place: disks, addresses, devices. False: there are no more; an empty name: it may be used by several. */
static bool thing_at(const struct machine *machine, size_t at, struct reference_thing *ret)
{
    const struct domain_description *description = machine->description;

    *ret = (struct reference_thing){.name = ""};
    if (at < description->n_disks) {
        const struct disk *disk = &description->disks[at];
        bool is_elsewhere = disk->is_networked || disk->is_declared;
        bool is_local = disk_identity(disk)[0] == '/' || disk_pool(disk) != NULL ||
                        begins_with(disk->source, "nvme:") || strstr(disk->source, "@/") != NULL;

        ret->is_backing = disk->is_backing;
        if ((disk->writable && !disk->shareable) || disk->is_backing)
            snprintf(ret->name, sizeof(ret->name), "%s", disk_identity(disk));
        ret->kind = EXCLUSIVE_DISK;
        ret->host = is_local && !is_elsewhere ? machine->hypervisor : NULL;
        return true;
    }
    at -= description->n_disks;
    if (at < description->n_macs) {
        mac_format(description->macs[at], ret->name);
        ret->kind = EXCLUSIVE_ADDRESS;
        return true;
    }
    at -= description->n_macs;
    if (at == description->n_hostdevs) {
        ret->kind = EXCLUSIVE_IDENTITY;
        uuid_format(description->uuid, ret->name);
        return true;
    }
    if (at > description->n_hostdevs)
        return false;
    snprintf(ret->name, sizeof(ret->name), "%s", description->hostdevs[at]);
    ret->kind = EXCLUSIVE_DEVICE;
    ret->host = begins_with(ret->name, "scsi iscsi:") ? NULL : machine->hypervisor;
    return true;
}

static bool is_same(const struct reference_thing *a, const struct reference_thing *b)
{
    bool is_same_host = a->host == NULL || b->host == NULL ? a->host == b->host : strcmp(a->host, b->host) == 0;

    return a->kind == b->kind && is_same_host && strcmp(a->name, b->name) == 0;
}

static bool uses(const struct machine *machine, const struct reference_thing *thing, bool below_a_disk)
{
    struct reference_thing own;

    for (size_t at = 0; thing_at(machine, at, &own); at++)
        if (own.is_backing == below_a_disk && is_same(&own, thing))
            return true;
    return false;
}

bool reference_is_in_way(const struct choice_request *request, const struct machine *candidate,
                         const struct machine *other, const struct reference_thing *thing)
{
    bool may_be_given_back = request->kept_may_be_given_back && other->keeping != KEEPING_NONE;

    if (other == candidate)
        return false;
    if (other != request->failed && is_up(other) && !may_be_given_back && uses(other, thing, false))
        return true;
    return !thing->is_backing && uses(other, thing, true);
}

static struct reference_thing find_conflict(const struct choice_request *request, const struct machine *machine)
{
    struct reference_thing thing;

    for (size_t at = 0; thing_at(machine, at, &thing); at++)
        for (const struct machine *other = pool_next(request->pool, NULL); other != NULL && thing.name[0] != '\0';
             other = pool_next(request->pool, other))
            if (reference_is_in_way(request, machine, other, &thing))
                return thing;
    return (struct reference_thing){.name = ""};
}

/* The service may not run there, and it is not its original. */
static bool is_kept_off(const struct choice_request *request, const struct machine *machine)
{
    bool is_original =
        request->failed != NULL && request->failed->serves != NULL && request->failed->serves == machine->diverted;

    if (request->policy == NULL || request->policy->config->policy.hosts.count == 0 || is_original)
        return false;
    for (size_t i = 0; i < request->policy->config->policy.hosts.count; i++)
        if (fnmatch(request->policy->config->policy.hosts.items[i], machine->hypervisor, 0) == 0)
            return false;
    return true;
}

/* The first of enum candidate_verdict that applies. */
static void judge(const struct choice_request *request, struct reference_candidate *candidate)
{
    const struct machine *machine = candidate->machine;

    if ((machine->roles & ROLE_STANDBY) == 0)
        candidate->verdict = CANDIDATE_NOT_STANDBY;
    else if (machine->hold != NULL)
        candidate->verdict = CANDIDATE_HELD;
    else if (!machine->is_reachable)
        candidate->verdict = CANDIDATE_UNREACHABLE;
    else if (!stands_by(machine))
        candidate->verdict = CANDIDATE_NOT_STANDING_BY;
    else if (machine->failed_unrecovered)
        candidate->verdict = CANDIDATE_FAILED_ITSELF;
    else if (is_claimed(machine))
        candidate->verdict = CANDIDATE_CLAIMED;
    else if (is_under_operator(machine))
        candidate->verdict = CANDIDATE_UNDER_OPERATOR;
    else if (machine->description->obstacle != NULL)
        candidate->verdict = CANDIDATE_NOT_MAKEABLE;
    else if (machine_rare(machine)->quarantined_until_us > request->now_us)
        candidate->verdict = CANDIDATE_QUARANTINED;
    else if (candidate->score.verdict != SIMILARITY_ELIGIBLE)
        candidate->verdict = CANDIDATE_NOT_SIMILAR;
    else if (is_kept_off(request, machine))
        candidate->verdict = CANDIDATE_WRONG_HOST;
    else if (machine->diverted != NULL && (request->failed == NULL || request->failed->serves != machine->diverted))
        candidate->verdict = CANDIDATE_DIVERTED;
    else if (request->rest_us > 0 && machine_rare(machine)->stopped_us > 0 &&
             request->now_us - machine_rare(machine)->stopped_us < request->rest_us)
        candidate->verdict = CANDIDATE_JUST_STOPPED;
    else if (was_tried(request, machine))
        candidate->verdict = CANDIDATE_TRIED;
    else if (lacks_memory(request, machine))
        candidate->verdict = CANDIDATE_NO_MEMORY;
    else if ((candidate->conflict = find_conflict(request, machine)).name[0] != '\0')
        candidate->verdict = CANDIDATE_IN_USE;
}

bool reference_is_looked_at(const struct reference_candidate *candidate)
{
    switch (candidate->verdict) {
    case CANDIDATE_ELIGIBLE:
    case CANDIDATE_WRONG_HOST:
    case CANDIDATE_DIVERTED:
    case CANDIDATE_JUST_STOPPED:
    case CANDIDATE_TRIED:
    case CANDIDATE_NO_MEMORY:
    case CANDIDATE_IN_USE:
        return true;
    case CANDIDATE_NOT_STANDBY:
    case CANDIDATE_HELD:
    case CANDIDATE_UNREACHABLE:
    case CANDIDATE_NOT_STANDING_BY:
    case CANDIDATE_FAILED_ITSELF:
    case CANDIDATE_CLAIMED:
    case CANDIDATE_UNDER_OPERATOR:
    case CANDIDATE_NOT_MAKEABLE:
    case CANDIDATE_QUARANTINED:
    case CANDIDATE_NOT_SIMILAR:
    case CANDIDATE_VERDICTS:
    default:
        return false;
    }
}

/* ---- the order ---- */

static int by_number(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

/* The less, the warmer. */
static int coldness(const struct machine *machine)
{
    if (machine->state == MACHINE_RUNNING && machine->keeping == KEEPING_WARMING)
        return 0;
    if (machine->state == MACHINE_PAUSED)
        return 1;
    if (machine->state == MACHINE_TEMPLATE)
        return 4;
    return machine->has_managed_save ? 2 : 3;
}

static bool has_sibling(const struct choice_request *request, const struct machine *machine)
{
    return request->has_sibling != NULL && request->has_sibling(request, pool_host_of(machine));
}

static bool is_spared(const struct choice_request *request, const struct machine *machine)
{
    const struct spared *spared = request->spared;

    return spared != NULL && machine->number < spared->room && spared->counts[machine->number] > 0;
}

/* How often it can be halved; 0: not known. */
static int halvings(const struct choice_request *request, const struct machine *machine)
{
    int n = 0;

    for (uint64_t kib = pool_free_memory(request->pool, machine->hypervisor); kib > 0; kib /= 2)
        n++;
    return n;
}

static int by_name(const struct machine *a, const struct machine *b)
{
    int order = strcmp(a->name, b->name);

    if (order == 0)
        order = strcmp(a->hypervisor, b->hypervisor);
    return order != 0 ? order : memcmp(a->description->uuid, b->description->uuid, UUID_SIZE);
}

static int compare(const void *left, const void *right, void *context)
{
    const struct reference_candidate *one = left, *two = right;
    const struct machine *a = one->machine, *b = two->machine;
    const struct reference *reference = context;
    const struct choice_request *request = reference->request;
    int order = by_number(has_sibling(request, a), has_sibling(request, b));

    if (order == 0)
        order = reference_compare(reference->similarity, &one->score, &two->score);
    if (order == 0)
        order = by_number(coldness(a), coldness(b));
    if (order == 0)
        order = by_number(is_spared(request, a), is_spared(request, b));
    if (order == 0)
        order = by_number(pool_host_of(a) == request->host, pool_host_of(b) == request->host);
    if (order == 0)
        order = by_number(halvings(request, b), halvings(request, a));
    return order != 0 ? order : by_name(a, b);
}

struct reference reference_choose(const struct choice_request *request, const struct config_similarity *similarity,
                                  const struct feature_table *table)
{
    struct reference reference = {.request = request, .similarity = similarity, .table = table};

    reference.candidates = calloc(pool_count(request->pool) + 1, sizeof(*reference.candidates));
    assert_non_null(reference.candidates);
    for (const struct machine *machine = pool_next(request->pool, NULL); machine != NULL;
         machine = pool_next(request->pool, machine)) {
        struct reference_candidate *candidate = &reference.candidates[reference.n_candidates];

        if (machine == request->failed || !machine->is_present || (machine->roles & ROLE_IGNORED) != 0)
            continue;
        candidate->machine = machine;
        candidate->score = reference_score(similarity, table, request->need, machine->spec);
        judge(request, candidate);
        reference.n_candidates++;
    }
    qsort_r(reference.candidates, reference.n_candidates, sizeof(*reference.candidates), compare, &reference);
    return reference;
}

void reference_done(struct reference *reference)
{
    free(reference->candidates);
    *reference = (struct reference){.request = NULL};
}
