/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the coordinator knows, and the facts that are left for its components. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/registry.h"

#include "choose/choose.h"
#include "model/uri.h"

/* UUIDs are told apart by so many bits. */
#define MIGRATED_LOG2 16

int registry_init(struct registry *registry)
{
    int r = feature_table_new(&registry->features);

    if (r == 0)
        r = pool_new(registry->features, &registry->pool);
    if (r == 0)
        r = plan_new(registry->pool, &registry->plan);
    if (r == 0)
        r = chooser_new(&registry->chooser);
    if (r == 0)
        r = number_set_reserve(&registry->migrated, (size_t)1 << MIGRATED_LOG2);
    registry->outbox.pool = registry->pool;
    return r;
}

/* ---- migrations ---- */

/* Its last four characters, mixed. */
static uint32_t migration_number(const char *uuid)
{
    uint32_t word;

    memcpy(&word, uuid + UUID_TEXT_SIZE - 1 - sizeof(word), sizeof(word));
    return word * UINT32_C(0x9e3779b1) >> (32 - MIGRATED_LOG2);
}

bool registry_knows_migration(const struct registry *registry, const char *uuid)
{
    return registry->migrated.count > 0 &&
           (uuid == NULL || number_set_has(&registry->migrated, migration_number(uuid)));
}

/* ---- hosts ---- */

struct host *host_find(const struct registry *registry, const char *hypervisor)
{
    for (size_t i = 0; i < registry->n_hosts; i++)
        if (strcmp(registry->hosts[i].name, hypervisor) == 0)
            return &registry->hosts[i];
    return NULL;
}

void host_tell(struct host *host, enum host_reader reader, enum host_fact fact)
{
    host->facts[reader] |= fact;
}

unsigned host_take(struct host *host, enum host_reader reader)
{
    unsigned facts = host->facts[reader];

    host->facts[reader] = 0;
    return facts;
}

void host_set_reachable(struct registry *registry, const struct host *host, bool is_reachable)
{
    for (const struct machine *machine = pool_next(registry->pool, NULL); machine != NULL;
         machine = pool_next(registry->pool, machine))
        if (strcmp(machine->hypervisor, host->name) == 0) {
            struct watch *watch = watch_at(registry, machine->number);

            pool_edit(registry->pool, machine)->is_reachable = is_reachable;
            /* Out of reach its guest may boot unheard. One that is silent already goes on being counted. */
            if (!is_reachable && watch != NULL && watch_rare(watch)->hang == NULL)
                watch_note_boot(watch);
        }
}

int registry_apply(struct registry *registry, const char *hypervisor, struct domain_description *description,
                   const struct machine **ret_machine)
{
    struct machine_ref ref;
    int r = pool_apply(registry->pool, hypervisor, description, ret_machine);

    if (r < 0)
        return r;
    ref = machine_ref_of(*ret_machine);
    diversions_mark(&registry->diversions, registry->pool, &ref);
    hold_marks_show(&registry->holds, registry->pool, *ret_machine);
    return 0;
}

void registry_show_diversions(struct registry *registry, const struct machine_ref *ref)
{
    struct watch *watch = watch_find(registry, ref);

    diversions_mark(&registry->diversions, registry->pool, ref);
    if (watch != NULL)
        watch_tell(registry, watch, QUEUE_MARKS, MACHINE_FACT_DUE);
}

bool machine_is_surely_off(const struct registry *registry, const struct machine_ref *ref)
{
    const struct machine *machine = pool_find(registry->pool, ref->hypervisor, ref->uuid);
    const struct host *host = host_find(registry, ref->hypervisor);

    if (host != NULL && !host->is_listed)
        return false;
    return machine == NULL || !machine_is_up(machine);
}

bool host_can_start_one(const struct registry *registry, const char *hypervisor)
{
    const struct host *host = host_find(registry, hypervisor);
    unsigned limit = registry->config->recovery.concurrency;

    return limit == 0 || host == NULL || host->n_starts < limit;
}

void host_list_at(struct host *host, int64_t at_us)
{
    if (at_us < host->list_at_us)
        host->list_at_us = at_us;
}

bool host_is_fenced(const struct registry *registry, const char *hypervisor)
{
    const struct host *host = host_find(registry, hypervisor);

    return host != NULL && host->track.state == HOST_FENCED;
}

const struct hold *registry_hold_on_host(const struct registry *registry, const char *hypervisor)
{
    struct machine_ref ref = {0};

    strncpy(ref.hypervisor, hypervisor, sizeof(ref.hypervisor) - 1);
    return hold_marks_cover(&registry->holds, &ref);
}

bool machine_is_held(const struct registry *registry, const struct machine_ref *ref)
{
    return hold_marks_cover(&registry->holds, ref) != NULL;
}

static struct host host_new(const char *name)
{
    struct host host = {
        .list_at_us = USEC_INFINITY,
        .heard_us = INT64_MIN,
        .track = {.deadline_us = USEC_INFINITY},
    };

    strncpy(host.name, name, sizeof(host.name) - 1);
    return host;
}

/* In the configuration in force; NULL: it is not there. */
static const char *uri_of(const struct registry *registry, const char *hypervisor)
{
    for (size_t i = 0; registry->config != NULL && i < registry->config->n_hypervisors; i++)
        if (strcmp(registry->config->hypervisors[i].name, hypervisor) == 0)
            return registry->config->hypervisors[i].uri;
    return NULL;
}

/* The hosts of a configuration: those that stay are moved over from the old ones. */
static int hosts_new(const struct registry *registry, const struct config *config, struct host **ret)
{
    struct host *hosts = calloc(config->n_hypervisors + 1, sizeof(*hosts));

    if (hosts == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < config->n_hypervisors; i++) {
        struct host *old = host_find(registry, config->hypervisors[i].name);
        const char *old_uri = uri_of(registry, config->hypervisors[i].name);

        hosts[i] = old != NULL ? *old : host_new(config->hypervisors[i].name);
        hosts[i].hold = registry_hold_on_host(registry, hosts[i].name);
        hosts[i].is_local = uri_is_local(config->hypervisors[i].uri);
        if (old_uri != NULL && strcmp(old_uri, config->hypervisors[i].uri) != 0) {
            hosts[i].is_unproven = true;
            hosts[i].uptime_us = 0; /* it may be another host */
        }
        if (old != NULL) {
            old->trouble = NULL;
            old->track.trouble = NULL;
            old->fence_tests = old->fence_log = (struct fence_log){0};
        }
    }
    *ret = hosts;
    return 0;
}

static void hosts_replace(struct registry *registry, struct host *hosts, size_t n_hosts)
{
    for (size_t i = 0; i < registry->n_hosts; i++) {
        free(registry->hosts[i].trouble);
        host_done(&registry->hosts[i].track);
        fence_log_done(&registry->hosts[i].fence_tests);
        fence_log_done(&registry->hosts[i].fence_log);
    }
    free(registry->hosts);
    registry->hosts = hosts;
    registry->n_hosts = n_hosts;
}

static int configure_plan(struct registry *registry, const struct config *config)
{
    return plan_configure(registry->plan, config->recovery.check_memory);
}

int registry_configure(struct registry *registry, const struct config *config)
{
    struct host *hosts = NULL;
    int r = pool_configure(registry->pool, config);

    if (r == 0)
        r = configure_plan(registry, config);
    if (r == 0)
        r = hosts_new(registry, config, &hosts);
    if (r < 0) {
        /* Best effort: with as little memory as this, some of the old facts may be missing. */
        if (registry->config != NULL && pool_configure(registry->pool, registry->config) == 0)
            (void)!configure_plan(registry, registry->config);
        return r;
    }
    registry->config = config;
    hosts_replace(registry, hosts, config->n_hypervisors);
    return 0;
}

const struct config *registry_config_of(const struct registry *registry, const struct machine *machine)
{
    return pool_policy(registry->pool, machine)->config;
}

const struct policy *registry_policy_of(const struct registry *registry, const struct recovery *recovery,
                                        const struct machine *failed)
{
    const struct policy *policy =
        pool_find_policy(registry->pool, recovery->service.hypervisor, recovery->service_name);

    return policy != NULL ? policy : pool_policy(registry->pool, failed);
}

struct choice_request registry_request(const struct registry *registry, const struct machine *failed, struct moment now)
{
    return registry_request_by(registry, failed, pool_policy(registry->pool, failed), now);
}

struct choice_request registry_request_by(const struct registry *registry, const struct machine *failed,
                                          const struct policy *policy, struct moment now)
{
    struct choice_request request = {
        .pool = registry->pool,
        .need = machine_need(failed),
        .failed = failed,
        .host = pool_host_of(failed),
        .spared = plan_spared(registry->plan),
        .now_us = now.mono_us,
        .check_memory = registry->config->recovery.check_memory,
    };

    request_set_policy(&request, policy, pool_is_sibling(failed, (uint16_t)policy->config->policy.apart));
    return request;
}

/* ---- machines ---- */

struct watch *watch_find(const struct registry *registry, const struct machine_ref *ref)
{
    return watch_at(registry, pool_number_of(registry->pool, ref->hypervisor, ref->uuid));
}

struct watch *watch_of(const struct registry *registry, const struct machine *machine)
{
    return watch_at(registry, machine->number);
}

bool watch_is_unnoticed(const struct registry *registry, const struct watch *watch)
{
    return number_set_has(&registry->unnoticed, watch->number);
}

void watch_set_unnoticed(struct registry *registry, const struct watch *watch, bool is_unnoticed)
{
    if (is_unnoticed)
        number_set_add(&registry->unnoticed, watch->number);
    else
        number_set_remove(&registry->unnoticed, watch->number);
}

bool machine_awaits_end(const struct registry *registry, const struct machine *machine)
{
    uint32_t number = registry->unnoticed.count > 0 ? number_set_next(&registry->unnoticed, 0) : NUMBER_NONE;

    for (; number != NUMBER_NONE; number = number_set_next(&registry->unnoticed, number + 1)) {
        const struct machine *ended = pool_at(registry->pool, number);

        if (ended != NULL && choose_conflict_between(ended, machine))
            return true;
    }
    return false;
}

struct watch *watch_next(const struct registry *registry, const struct watch *watch)
{
    for (size_t i = watch != NULL ? (size_t)watch->number + 1 : 0; i < registry->watch_room; i++)
        if (registry->watches[i] != NULL)
            return registry->watches[i];
    return NULL;
}

struct machine_ref watch_ref(const struct registry *registry, const struct watch *watch)
{
    return pool_ref(registry->pool, watch->number);
}

const char *watch_hypervisor(const struct registry *registry, const struct watch *watch)
{
    return pool_hypervisor(registry->pool, watch->number);
}

const struct machine *watch_machine(const struct registry *registry, const struct watch *watch)
{
    return pool_at(registry->pool, watch->number);
}

static int reserve_queues(struct registry *registry, size_t room)
{
    for (enum machine_queue queue = 0; queue < QUEUE_COUNT; queue++)
        if (number_set_reserve(&registry->queues[queue], room) < 0)
            return -ENOMEM;
    return number_set_reserve(&registry->unnoticed, room);
}

/* Little of it is empty, as in base/interned. */
static int reserve_watch(struct registry *registry, uint32_t number)
{
    size_t room = (size_t)number + number / 4 + 16;
    struct watch **watches;

    if (number < registry->watch_room)
        return 0;
    if (reserve_queues(registry, room) < 0)
        return -ENOMEM;
    watches = reallocarray(registry->watches, room, sizeof(struct watch *));
    if (watches == NULL)
        return -ENOMEM;
    memset(&watches[registry->watch_room], 0, (room - registry->watch_room) * sizeof(struct watch *));
    registry->watches = watches;
    registry->watch_room = room;
    return 0;
}

struct watch *watch_get(struct registry *registry, const char *hypervisor, const char *uuid)
{
    uint32_t number = pool_keep_number(registry->pool, hypervisor, uuid);
    struct watch *watch;

    if (number == NUMBER_NONE || watch_at(registry, number) != NULL)
        return watch_at(registry, number);
    watch = reserve_watch(registry, number) == 0 ? calloc(1, sizeof(*watch)) : NULL;
    if (watch == NULL) {
        pool_drop_number(registry->pool, number);
        return NULL;
    }
    watch->number = number;
    return registry->watches[number] = watch;
}

struct watch *watch_get_of(struct registry *registry, const struct machine *machine)
{
    struct machine_ref ref = machine_ref_of(machine);

    return watch_get(registry, ref.hypervisor, ref.uuid);
}

/* ---- what few of them have ---- */

const struct watch_rare watch_nothing_rare;

struct watch_rare *watch_get_rare(struct watch *watch)
{
    if (watch->rare == NULL)
        watch->rare = calloc(1, sizeof(*watch->rare));
    return watch->rare;
}

static bool is_no_track(const struct failure_track *track)
{
    return track->written_off_us == 0 && track->watchdog_off_us == 0 && track->watchdog_us == 0 &&
           track->pending == CAUSE_NONE && track->last_shutdown == EVENT_DEFINED && !track->panicked &&
           !track->has_exited && !track->reported && !track->is_incoming && !track->may_be_incoming;
}

static bool is_nothing(const struct watch_rare *rare)
{
    return is_no_track(&rare->track) && rare->failed_why == NULL && rare->deferred_retry_us == 0 &&
           rare->recovers == NULL && rare->serves == NULL && rare->warms == NULL && rare->warm.failures == 0 &&
           rare->warm.not_before_us == 0 && rare->warm.may_start_until_us == 0 && rare->panics == NULL &&
           rare->hang == NULL && rare->memory == NULL && rare->absent_since_us == 0 && rare->stopping_until_us == 0 &&
           rare->mended_us == 0 && rare->missed_us == 0 && !rare->came_up_elsewhere;
}

void watch_tidy(struct watch *watch)
{
    if (watch->rare == NULL || !is_nothing(watch->rare))
        return;
    free(watch->rare);
    watch->rare = NULL;
}

int watch_keep_track(struct watch *watch, const struct failure_track *track)
{
    struct watch_rare *rare = is_no_track(track) ? watch->rare : watch_get_rare(watch);

    if (rare == NULL)
        return is_no_track(track) ? 0 : -ENOMEM;
    rare->track = *track;
    watch_tidy(watch);
    return 0;
}

void watch_set_track(struct watch *watch, struct failure_track track)
{
    if (watch->rare != NULL) {
        free(watch->rare->panics);
        watch->rare->panics = NULL;
    }
    (void)!watch_keep_track(watch, &track);
}

bool watch_was_just_written_off(const struct watch *watch, struct moment now)
{
    int64_t written_off_us = watch_rare(watch)->track.written_off_us;

    return written_off_us != 0 && now.mono_us - written_off_us < OLD_NEWS_US;
}

const char *watch_failed_why(const struct watch *watch)
{
    const char *why = watch_rare(watch)->failed_why;

    return why != NULL ? why : failure_cause_sentence(watch->failed_cause);
}

struct failure_panics *watch_get_panics(struct watch *watch)
{
    struct watch_rare *rare = watch_get_rare(watch);

    if (rare == NULL)
        return NULL;
    if (rare->panics == NULL)
        rare->panics = calloc(1, sizeof(*rare->panics));
    return rare->panics;
}

struct hang_track *watch_get_hang(struct watch *watch)
{
    struct watch_rare *rare = watch_get_rare(watch);

    if (rare == NULL)
        return NULL;
    if (rare->hang == NULL)
        rare->hang = calloc(1, sizeof(*rare->hang));
    return rare->hang;
}

void watch_clear_hang(struct watch *watch)
{
    if (watch->rare == NULL)
        return;
    free(watch->rare->hang);
    watch->rare->hang = NULL;
    watch_tidy(watch);
}

void watch_note_boot(struct watch *watch)
{
    watch->has_agent_answered = false;
    watch_clear_hang(watch);
}

/* ---- what was known of them ---- */

struct watch_memory *watch_get_memory(struct watch *watch)
{
    struct watch_rare *rare = watch_get_rare(watch);

    if (rare == NULL)
        return NULL;
    if (rare->memory == NULL)
        rare->memory = calloc(1, sizeof(*rare->memory));
    return rare->memory;
}

const struct machine_memory *watch_remembered(const struct watch *watch)
{
    static const struct machine_memory nothing;
    const struct watch_memory *memory = watch_rare(watch)->memory;

    return memory != NULL ? &memory->state : &nothing;
}

void watch_tidy_memory(struct watch *watch)
{
    struct watch_memory *memory = watch->rare->memory;

    if (memory->state.state != MACHINE_UNKNOWN || memory->state.keeping != KEEPING_NONE ||
        memory->state.quarantine.times != 0 || memory->state.drill.announced_us != 0 || memory->state.stopped_us != 0 ||
        memory->state.asked_off_us != 0 || memory->state.has_unread_mark || memory->state.is_warm_by_mark ||
        memory->state.idle_since_us != 0 || memory->state.has_left)
        return;
    free(memory);
    watch->rare->memory = NULL;
    watch_tidy(watch);
}

void watch_forget_quarantine(struct watch *watch)
{
    if (watch_rare(watch)->memory == NULL)
        return;
    watch->rare->memory->state.quarantine = (struct quarantine_memory){0};
    watch_tidy_memory(watch);
}

void watch_forget_drill(struct watch *watch)
{
    if (watch_rare(watch)->memory == NULL)
        return;
    watch->rare->memory->state.drill = (struct drill_memory){0};
    watch_tidy_memory(watch);
}

void watch_forget_mark(struct watch *watch)
{
    if (watch_rare(watch)->memory == NULL)
        return;
    watch->rare->memory->state.has_unread_mark = false;
    watch_tidy_memory(watch);
}

void watch_own_warmth(struct watch *watch)
{
    if (watch_rare(watch)->memory == NULL)
        return;
    watch->rare->memory->state.is_warm_by_mark = false;
    watch_tidy_memory(watch);
}

bool watch_was_mended_since(const struct registry *registry, const struct machine_ref *ref, struct moment moment)
{
    const struct watch *watch = watch_find(registry, ref);

    return watch != NULL && watch_rare(watch)->mended_us > moment.mono_us;
}

void watch_remember_stop(struct registry *registry, struct watch *watch, const struct machine *machine,
                         struct moment now)
{
    struct watch_memory *memory = watch_get_memory(watch);

    pool_set_stopped(registry->pool, machine, now.mono_us);
    if (memory != NULL)
        memory->state.stopped_us = now.real_us;
    watch_mark_changed(registry, watch);
}

void watch_forget_stop(struct watch *watch)
{
    if (watch_rare(watch)->memory == NULL)
        return;
    watch->rare->memory->state.stopped_us = 0;
    watch_tidy_memory(watch);
}

void watch_forget_idle(struct watch *watch)
{
    if (watch_rare(watch)->memory == NULL)
        return;
    watch->rare->memory->state.idle_since_us = watch->rare->memory->state.removal_us = 0;
    watch->rare->memory->state.has_left = false; /* it is here */
    watch_tidy_memory(watch);
}

void watch_forget_asked_off(struct watch *watch)
{
    if (watch_rare(watch)->memory == NULL)
        return;
    watch->rare->memory->state.asked_off_us = 0;
    watch_tidy_memory(watch);
}

void watch_forget_state(struct watch *watch)
{
    if (watch_rare(watch)->memory == NULL)
        return;
    watch->rare->memory->state.state = MACHINE_UNKNOWN;
    watch_tidy_memory(watch);
}

void watch_forget_keeping(struct watch *watch)
{
    if (watch_rare(watch)->memory == NULL)
        return;
    watch->rare->memory->state.keeping = KEEPING_NONE;
    watch_tidy_memory(watch);
}

void watch_expect_stop(struct watch *watch, int64_t until_us)
{
    struct watch_rare *rare = until_us != 0 ? watch_get_rare(watch) : watch->rare;

    if (rare != NULL)
        rare->stopping_until_us = until_us;
    watch_clear_hang(watch);
}

bool watch_is_taken(const struct watch *watch)
{
    const struct watch_rare *rare = watch_rare(watch);

    return rare->recovers != NULL || rare->serves != NULL || rare->warms != NULL;
}

bool watch_was_kept(const struct registry *registry, const struct watch *watch)
{
    const struct machine_memory *remembered = watch_remembered(watch);
    struct machine_ref ref = watch_ref(registry, watch);

    return watch_rare(watch)->warms == NULL && remembered->keeping != KEEPING_NONE &&
           !records_was_taken(&registry->records, &ref, remembered->kept_since_us);
}

bool machine_is_kept(const struct registry *registry, const struct machine *machine)
{
    const struct watch *watch = watch_of(registry, machine);

    return machine->keeping != KEEPING_NONE || (watch != NULL && watch_was_kept(registry, watch));
}

/* ---- queues ---- */

static uint64_t bits_of(enum machine_queue queue, unsigned facts)
{
    return (uint64_t)facts << queue * MACHINE_FACT_BITS;
}

unsigned watch_facts(const struct watch *watch, enum machine_queue queue)
{
    return watch->facts >> queue * MACHINE_FACT_BITS & ((1u << MACHINE_FACT_BITS) - 1);
}

void watch_tell(struct registry *registry, struct watch *watch, enum machine_queue queue, enum machine_fact fact)
{
    number_set_add(&registry->queues[queue], watch->number);
    watch->facts |= bits_of(queue, fact);
}

void watch_leave(struct registry *registry, struct watch *watch, enum machine_queue queue)
{
    number_set_remove(&registry->queues[queue], watch->number);
    watch->facts &= ~bits_of(queue, watch_facts(watch, queue));
}

bool watch_is_any(const struct registry *registry, enum machine_queue queue)
{
    return registry->queues[queue].count > 0;
}

struct watch *watch_queued(const struct registry *registry, enum machine_queue queue, uint32_t from)
{
    uint32_t number = number_set_next(&registry->queues[queue], from);

    return number != NUMBER_NONE ? registry->watches[number] : NULL;
}

struct watch *watch_take(struct registry *registry, enum machine_queue queue, unsigned *ret_facts)
{
    struct watch *watch = watch_queued(registry, queue, 0);

    if (watch == NULL)
        return NULL;
    *ret_facts = watch_facts(watch, queue);
    watch_leave(registry, watch, queue);
    return watch;
}

void watch_note_migration(struct registry *registry, struct watch *watch)
{
    number_set_add(&registry->migrated, migration_number(watch_ref(registry, watch).uuid));
    watch_tell(registry, watch, QUEUE_MIGRATED, MACHINE_FACT_DUE);
}

static void rare_free(struct watch_rare *rare)
{
    if (rare == NULL)
        return;
    free(rare->memory);
    free(rare->panics);
    free(rare->hang);
    free(rare);
}

void watch_discard(struct registry *registry, struct watch *watch)
{
    for (enum machine_queue queue = 0; queue < QUEUE_COUNT; queue++)
        watch_leave(registry, watch, queue);
    watch_set_unnoticed(registry, watch, false);
    registry->watches[watch->number] = NULL;
    pool_drop_number(registry->pool, watch->number);
    rare_free(watch->rare);
    free(watch);
}

void watch_mark_changed(struct registry *registry, struct watch *watch)
{
    watch_tell(registry, watch, QUEUE_WRITE, MACHINE_FACT_DUE);
}

struct action registry_new_action(struct registry *registry, enum part owner, enum action_kind kind,
                                  const struct machine_ref *target, int64_t timeout_us)
{
    return (struct action){
        .id = outbox_new_id(&registry->outbox, owner),
        .kind = kind,
        .target = *target,
        .as_of = registry->events,
        .timeout_us = timeout_us,
    };
}

bool machine_runs_elsewhere(const struct registry *registry, const struct machine *machine)
{
    const struct watch *watch = watch_of(registry, machine);

    if (watch != NULL && watch_rare(watch)->came_up_elsewhere)
        return true;
    for (size_t i = 0; i < registry->n_hosts; i++) {
        const struct host *host = &registry->hosts[i];
        const struct machine *other;

        if (!host->is_listed || strcmp(host->name, machine->hypervisor) == 0)
            continue;
        other = pool_find_twin(registry->pool, host->name, machine);
        if (other != NULL && machine_state_is_active(other->state) && !machine_is_incoming(other))
            return true;
    }
    return false;
}

/* ---- facts about the whole ---- */

void registry_tell(struct registry *registry, enum fact fact)
{
    registry->facts |= 1u << fact;
}

bool registry_take(struct registry *registry, enum fact fact)
{
    bool was_left = (registry->facts & 1u << fact) != 0;

    registry->facts &= ~(1u << fact);
    return was_left;
}

void registry_done(struct registry *registry)
{
    for (size_t i = 0; i < registry->watch_room; i++)
        if (registry->watches[i] != NULL)
            watch_discard(registry, registry->watches[i]);
    for (enum machine_queue queue = 0; queue < QUEUE_COUNT; queue++)
        number_set_done(&registry->queues[queue]);
    number_set_done(&registry->migrated);
    number_set_done(&registry->interviewed);
    number_set_done(&registry->unnoticed);
    free(registry->watches);
    hosts_replace(registry, NULL, 0);
    records_done(&registry->records);
    diversions_done(&registry->diversions);
    hold_marks_done(&registry->holds);
    outbox_done(&registry->outbox);
    chooser_free(registry->chooser);
    plan_free(registry->plan);
    pool_free(registry->pool);
    feature_table_free(registry->features);
}
