/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How much memory a machine takes: a coordinator is handed many through its public interface, as a hypervisor lists them,
 * and the heap is read before and after. The same machines in a pool, and with a plan, tell which room has how much of it.
 * Knows no libvirt, whose own memory is not counted.
 *
 * usage: bench_memory [--json] [MACHINES [DISTINCT [HOSTS]]]; 10000 machines of 1000 specifications on 10 hosts
 */
#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/coordinator.h"
#include "coordinator/registry.h"
#include "pool/entry.h"
#include "measuring.h"

#define FEATURES 512
#define EACH     16 /* features of a machine */

static const char *const kinds[] = {"language", "database", "webserver", "software", "data"};

struct bench {
    size_t n_machines, n_distinct, n_hosts;
    struct config *config;
    uint64_t seed;
    uint16_t (*features)[EACH]; /* of the distinct specifications */
};

static const struct moment now = {.mono_us = 1000 * USEC_PER_SEC, .real_us = 1795359240 * USEC_PER_SEC};

static size_t heap_bytes(void)
{
    return mallinfo2().uordblks;
}

static uint64_t below(struct bench *bench, uint64_t limit)
{
    bench->seed ^= bench->seed >> 12;
    bench->seed ^= bench->seed << 25;
    bench->seed ^= bench->seed >> 27;
    return (bench->seed * UINT64_C(2685821657736338717) >> 20) % limit;
}

/* ---- machines ---- */

static void draw_features(struct bench *bench, uint16_t features[EACH])
{
    for (size_t i = 0, k; i < EACH; i = k == i ? i + 1 : i) {
        features[i] = (uint16_t)below(bench, FEATURES);
        for (k = 0; k < i && features[k] != features[i];)
            k++;
    }
}

static void describe_disk(struct domain_description *description, size_t number)
{
    char source[64];

    snprintf(source, sizeof(source), "/var/lib/libvirt/images/web-prod-%05zu.qcow2", number);
    description->disks = need(calloc(1, sizeof(*description->disks)));
    check(disk_set_texts(&description->disks[0], source, NULL, NULL, "vda"));
    description->disks[0].writable = true;
    description->disks[0].capacity_bytes = UINT64_C(20) << 30;
    description->n_disks = 1;
}

static bool is_protected(size_t number)
{
    return number % 2 == 0;
}

static size_t host_of(const struct bench *bench, size_t number)
{
    return number * bench->n_hosts / bench->n_machines;
}

/* As domain_xml reads it, and with the facts that its agent told. */
static struct domain_description *describe(const struct bench *bench, size_t number)
{
    struct domain_description *description = need(calloc(1, sizeof(*description)));
    size_t distinct = (number / 2) % bench->n_distinct;
    char text[UUID_TEXT_SIZE];

    snprintf(text, sizeof(text), "4dea22b3-1d52-4d8f-a516-%012zx", number);
    if (!uuid_parse(text, description->uuid))
        fail("no UUID");
    snprintf(text, sizeof(text), "web-prod-%05zu", number);
    description->name = need(strdup(text));
    description->vcpus = 1 + (uint32_t)(distinct % 7);
    description->memory_kib = (1 + distinct % 11) << 20;
    describe_disk(description, number);
    snprintf(text, sizeof(text), "52:54:00:%02zx:%02zx:%02zx", number >> 16 & 255, number >> 8 & 255, number & 255);
    check(domain_description_add_mac(description, text));
    for (size_t i = 0; i < EACH; i++) {
        unsigned feature = bench->features[distinct][i];

        snprintf(text, sizeof(text), "value-%u", feature);
        check(feature_texts_add(&description->features, kinds[feature % ELEMENTS_OF(kinds)], text));
    }
    description->has_metadata = true;
    description->roles = is_protected(number) ? ROLE_PROTECTED : ROLE_STANDBY;
    check(domain_description_learn(description, "os", "ubuntu-24.04"));
    check(domain_description_learn(description, "os-family", "linux"));
    description->has_agent_channel = true;
    return description;
}

static struct domain_report report(const struct bench *bench, size_t number)
{
    bool runs = is_protected(number);

    return (struct domain_report){
        .description = describe(bench, number),
        .state = runs ? MACHINE_RUNNING : MACHINE_SHUT_OFF,
        .reason = runs ? REASON_UNKNOWN : REASON_SHUTDOWN,
        .persistent = true,
        .agent_connected = runs,
    };
}

/* ---- a coordinator ---- */

static struct inventory *list(const struct bench *bench, const char *hypervisor)
{
    struct inventory *inventory = need(calloc(1, sizeof(*inventory)));

    inventory->reports = need(calloc(bench->n_machines, sizeof(*inventory->reports)));
    inventory->free_memory_kib = UINT64_C(1) << 30;
    for (size_t i = 0; i < bench->n_machines; i++)
        if (strcmp(bench->config->hypervisors[host_of(bench, i)].name, hypervisor) == 0)
            inventory->reports[inventory->n_reports++] = report(bench, i);
    return inventory;
}

/* Takes all that comes out, and answers what is asked, until nothing does. */
static void drive(const struct bench *bench, struct coordinator *coordinator)
{
    struct action action;
    struct notice notice;
    struct machine_ref ref;
    struct machine_memory memory;

    while (coordinator_next_action(coordinator, &action)) {
        if (action.kind != ACTION_LIST)
            fail("asks for more than a listing");
        coordinator_handle_inventory(coordinator, &action, list(bench, action.target.hypervisor), now);
    }
    while (coordinator_next_changed_machine(coordinator, &ref, &memory))
        ;
    while (coordinator_next_notice(coordinator, &notice))
        notice_done(&notice);
}

static size_t measure_coordinator(const struct bench *bench)
{
    size_t before = heap_bytes(), after;
    struct coordinator *coordinator;

    check(coordinator_new(bench->config, NULL, &coordinator));
    for (size_t i = 0; i < bench->n_hosts; i++) {
        coordinator_handle_connected(coordinator, bench->config->hypervisors[i].name, now);
        drive(bench, coordinator);
    }
    coordinator_tick(coordinator, now);
    drive(bench, coordinator);
    if (coordinator_plan(coordinator, now) == NULL || pool_count(coordinator_pool(coordinator)) != bench->n_machines)
        fail("not all machines are known");
    after = heap_bytes();
    coordinator_free(coordinator);
    return after - before;
}

/* ---- rooms ---- */

struct rooms {
    size_t descriptions, machines, books, plan; /* each with those before it */
};

static void measure_rooms(const struct bench *bench, struct rooms *ret)
{
    struct domain_description **all = need(calloc(bench->n_machines, sizeof(*all)));
    size_t before = heap_bytes();
    struct feature_table *table;
    struct pool *pool;
    struct plan *plan;

    for (size_t i = 0; i < bench->n_machines; i++)
        all[i] = describe(bench, i);
    ret->descriptions = heap_bytes() - before;
    check(feature_table_new(&table));
    check(pool_new(table, &pool));
    check(pool_configure(pool, bench->config));
    for (size_t i = 0; i < bench->n_machines; i++) {
        const struct machine *machine;
        struct machine *edited;

        check(pool_apply(pool, bench->config->hypervisors[host_of(bench, i)].name, all[i], &machine));
        edited = pool_edit(pool, machine);
        edited->state = is_protected(i) ? MACHINE_RUNNING : MACHINE_SHUT_OFF;
        edited->is_reachable = edited->persistent = true;
    }
    ret->machines = heap_bytes() - before;
    check(pool_settle(pool, now.mono_us));
    ret->books = heap_bytes() - before;
    check(plan_new(pool, &plan));
    for (const struct machine *machine = NULL; (machine = pool_next(pool, machine)) != NULL;)
        pool_edit(pool, machine);
    check(plan_configure(plan, false));
    check(plan_settle(plan, now.mono_us, SIZE_MAX));
    ret->plan = heap_bytes() - before;
    plan_free(plan);
    pool_free(pool);
    feature_table_free(table);
    free(all);
}

static void prepare(struct bench *bench)
{
    char *text = NULL;
    size_t length = 0;
    FILE *stream = need(open_memstream(&text, &length));
    struct diags diags = {0};

    fprintf(stream, "pool: {protect: ['*'], standby: ['*']}\nhypervisors:\n");
    for (size_t i = 0; i < bench->n_hosts; i++)
        fprintf(stream, "  - {name: host-%02zu, uri: 'qemu+tls://host-%02zu/system'}\n", i, i);
    if (fclose(stream) != 0 || config_parse(text, length, "bench", &diags, &bench->config) < 0)
        fail(diags.count > 0 ? diags.items[0].message : "no configuration");
    free(text);
    diags_done(&diags);
    bench->seed = 1;
    bench->features = need(calloc(bench->n_distinct, sizeof(*bench->features)));
    for (size_t i = 0; i < bench->n_distinct; i++)
        draw_features(bench, bench->features[i]);
}

/* ---- figures ---- */

struct figure {
    const char *name;
    double bytes;
};

static void print(const struct figure *figures, size_t n, bool is_json)
{
    for (size_t i = 0; i < n; i++)
        printf(is_json ? "%s\"%s\": %.1f" : "%s%-38s %8.1f",
               i == 0    ? (is_json ? "{" : "")
               : is_json ? ", "
                         : "\n",
               figures[i].name, figures[i].bytes);
    printf(is_json ? "}\n" : "\n");
}

static size_t argument(int argc, char **argv, int at, size_t otherwise)
{
    return at < argc ? strtoul(argv[at], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    bool is_json = argc > 1 && strcmp(argv[1], "--json") == 0;
    struct bench bench = {
        .n_machines = argument(argc, argv, 1 + is_json, 10000),
        .n_distinct = argument(argc, argv, 2 + is_json, 1000),
        .n_hosts = argument(argc, argv, 3 + is_json, 10),
    };
    struct rooms rooms;
    size_t total;

    if (bench.n_machines == 0 || bench.n_distinct == 0 || bench.n_hosts == 0)
        fail("usage: bench_memory [--json] [MACHINES [DISTINCT [HOSTS]]]");
    mallopt(M_MMAP_MAX, 0); /* what is mapped alone is not among what mallinfo2 counts as used */
    prepare(&bench);
    measure_rooms(&bench, &rooms);
    total = measure_coordinator(&bench);

#define EACH_OF(bytes) (double)(bytes) / (double)bench.n_machines
    print(
        (const struct figure[]){
            {"all", EACH_OF(total)},
            {"descriptions as read", EACH_OF(rooms.descriptions)},
            {"machines and descriptions in a pool", EACH_OF(rooms.machines)},
            {"books of the pool", EACH_OF(rooms.books - rooms.machines)},
            {"plan", EACH_OF(rooms.plan - rooms.books)},
            {"watches", EACH_OF(total - rooms.plan)},
            {"struct domain_description", sizeof(struct domain_description)},
            {"struct disk", sizeof(struct disk)},
            {"struct entry", sizeof(struct entry)},
            {"struct machine, of which", sizeof(struct machine)},
            {"struct use", sizeof(struct use)},
            {"struct watch", sizeof(struct watch)},
        },
        12, is_json);
    return 0;
}
