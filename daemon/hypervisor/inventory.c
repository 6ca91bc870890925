/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lists and describes domains. What can be asked of all domains at once is asked so: which there are, which are persistent,
 * which have a managed save image, and their states. Their definitions are asked one by one, in a brief listing only those
 * of domains that run.
 */
#include "hypervisor/inventory.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <libvirt/virterror.h>

#include "hypervisor/learn.h"
#include "hypervisor/translate.h"
#include "hypervisor/worker.h"
#include "model/domain_xml.h"

void faults_done(struct faults *faults)
{
    for (size_t i = 0; i < faults->count; i++)
        free(faults->items[i].text);
    free(faults->items);
    *faults = (struct faults){0};
}

/* Several threads of one listing may do it. */
static int faults_add(struct faults *faults, const char *uuid, const char *text)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    _cleanup_(freep) char *copy = strdup(text);
    struct fault *items = NULL;

    if (copy == NULL)
        return -ENOMEM;
    pthread_mutex_lock(&lock);
    items = reallocarray(faults->items, faults->count + 1, sizeof(*items));
    if (items != NULL) {
        faults->items = items;
        snprintf(items[faults->count].uuid, sizeof(items[faults->count].uuid), "%s", uuid);
        items[faults->count++].text = steal_pointer(&copy);
    }
    pthread_mutex_unlock(&lock);
    return items != NULL ? 0 : -ENOMEM;
}

static int faults_add_diags(struct faults *faults, const char *uuid, const struct diags *diags)
{
    for (size_t i = 0; i < diags->count; i++) {
        _cleanup_(freep) char *text = NULL;

        if (diag_format(&diags->items[i], &text) < 0 || faults_add(faults, uuid, text) < 0)
            return -ENOMEM;
    }
    return diags->incomplete ? -ENOMEM : 0;
}

/* It cannot be read, and a fault says why: -EINVAL. Else as translate_last_error. */
static int tell_unread(virConnectPtr connection, virDomainPtr domain, struct faults *faults, char *message, size_t size)
{
    char uuid[VIR_UUID_STRING_BUFLEN] = "";
    int r = translate_last_error(connection, message, size);

    if (r != -EIO)
        return r;
    return virDomainGetUUIDString(domain, uuid) < 0 || faults_add(faults, uuid, message) < 0 ? -ENOMEM : -EINVAL;
}

/* The description alone. -EINVAL: it cannot be read, and a fault says why. */
static int read_definition(virConnectPtr connection, virDomainPtr domain, struct faults *faults,
                           struct domain_description **ret, char *message, size_t size)
{
    char uuid[VIR_UUID_STRING_BUFLEN] = "";
    _cleanup_(freep) char *xml = virDomainGetXMLDesc(domain, 0);
    _cleanup_(diags_done) struct diags diags = {0};
    _cleanup_(domain_description_freep) struct domain_description *description = NULL;
    int r;

    if (xml == NULL)
        return tell_unread(connection, domain, faults, message, size);
    r = domain_xml_parse(xml, strlen(xml), virDomainGetName(domain), &diags, &description);
    if (r != -ENOMEM && (diags.count > 0 || diags.incomplete) &&
        (virDomainGetUUIDString(domain, uuid) < 0 || faults_add_diags(faults, uuid, &diags) < 0))
        r = -ENOMEM;
    if (r < 0) {
        snprintf(message, size, "%s", r == -EINVAL ? "cannot read the domain's definition" : "out of memory");
        return r;
    }
    *ret = steal_pointer(&description);
    return 0;
}

/* -EINVAL: it cannot be read, and a fault says why. */
static int get_state(virConnectPtr connection, virDomainPtr domain, struct faults *faults, struct domain_report *report,
                     char *message, size_t size)
{
    int state, reason;

    if (virDomainGetState(domain, &state, &reason, 0) < 0)
        return tell_unread(connection, domain, faults, message, size);
    translate_state(state, reason, &report->state, &report->reason);
    return 0;
}

static int describe(virConnectPtr connection, virDomainPtr domain, struct faults *faults, struct domain_report *report,
                    char *message, size_t size)
{
    _cleanup_(domain_description_freep) struct domain_description *description = NULL;
    int r = read_definition(connection, domain, faults, &description, message, size);

    if (r == 0)
        r = get_state(connection, domain, faults, report, message, size);
    if (r < 0)
        return r;
    assert(description != NULL);
    report->agent_connected = description->agent_connected;
    report->description = steal_pointer(&description);
    return 0;
}

struct domain_array {
    virDomainPtr *items;
    int count;
};

static void domain_array_done(struct domain_array *array)
{
    for (int i = 0; i < array->count; i++)
        virDomainFree(array->items[i]);
    free(array->items);
}

static int list_domains(virConnectPtr connection, unsigned flags, struct domain_array *ret, char *message, size_t size)
{
    ret->count = virConnectListAllDomains(connection, &ret->items, flags);
    if (ret->count >= 0)
        return 0;
    ret->count = 0;
    return translate_last_error(connection, message, size);
}

/* A domain of a listing. */
struct entry {
    unsigned char uuid[VIR_UUID_BUFLEN];
    virDomainPtr domain; /* borrowed */
    bool is_transient;
    bool has_managed_save;
    bool has_state;
    bool is_unread;                         /* it is there, and its definition cannot be read */
    int state, reason;                      /* as virDomainGetState tells */
    struct domain_description *description; /* NULL: not read */
};

/* Sorted by UUID: libvirt formats a line for its log in each virDomainGetUUID, whether it is logged or not. */
struct entries {
    struct entry *items;
    size_t count;
};

static void entries_done(struct entries *entries)
{
    for (size_t i = 0; i < entries->count; i++)
        domain_description_free(entries->items[i].description);
    free(entries->items);
}

static int compare_entries(const void *a, const void *b)
{
    const struct entry *left = a, *right = b;

    return memcmp(left->uuid, right->uuid, sizeof(left->uuid));
}

static int entries_init(const struct domain_array *domains, struct entries *ret)
{
    ret->items = calloc((size_t)domains->count + 1, sizeof(*ret->items));
    if (ret->items == NULL)
        return -ENOMEM;
    for (int i = 0; i < domains->count; i++) {
        struct entry *entry = &ret->items[ret->count];

        entry->domain = domains->items[i];
        ret->count += virDomainGetUUID(entry->domain, entry->uuid) == 0;
    }
    qsort(ret->items, ret->count, sizeof(*ret->items), compare_entries);
    return 0;
}

/* NULL: it was not there when the domains were listed. */
static struct entry *entries_find(const struct entries *entries, virDomainPtr domain)
{
    struct entry key = {0};

    assert(entries->items != NULL);
    if (virDomainGetUUID(domain, key.uuid) < 0)
        return NULL;
    return bsearch(&key, entries->items, entries->count, sizeof(key), compare_entries);
}

/* Those that are not persistent are asked for since they are few. */
static int mark_transient(virConnectPtr connection, const struct entries *entries, char *message, size_t size)
{
    _cleanup_(domain_array_done) struct domain_array domains = {0};
    int r = list_domains(connection, VIR_CONNECT_LIST_DOMAINS_TRANSIENT, &domains, message, size);
    struct entry *entry;

    for (int i = 0; i < domains.count; i++)
        if ((entry = entries_find(entries, domains.items[i])) != NULL)
            entry->is_transient = true;
    return r;
}

static int mark_saved(virConnectPtr connection, const struct entries *entries, char *message, size_t size)
{
    _cleanup_(domain_array_done) struct domain_array domains = {0};
    int r = list_domains(connection, VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE, &domains, message, size);
    struct entry *entry;

    for (int i = 0; i < domains.count; i++)
        if ((entry = entries_find(entries, domains.items[i])) != NULL)
            entry->has_managed_save = true;
    return r;
}

/* Where the hypervisor cannot tell all states at once, or leaves one out, they are asked for one by one. */
static void learn_states(virConnectPtr connection, const struct entries *entries)
{
    virDomainStatsRecordPtr *records = NULL;
    int n = virConnectGetAllDomainStats(connection, VIR_DOMAIN_STATS_STATE, &records, 0);

    for (int i = 0; i < n; i++) {
        const virDomainStatsRecord *record = records[i];
        struct entry *entry = entries_find(entries, record->dom);

        if (entry != NULL)
            entry->has_state =
                virTypedParamsGetInt(record->params, record->nparams, "state.state", &entry->state) == 1 &&
                virTypedParamsGetInt(record->params, record->nparams, "state.reason", &entry->reason) == 1;
    }
    virDomainStatsRecordListFree(records);
}

/* False: this hypervisor does not tell the counters. */
static bool get_available_memory(virConnectPtr connection, uint64_t *ret_kib)
{
    static const char *const parts[] = {VIR_NODE_MEMORY_STATS_FREE, VIR_NODE_MEMORY_STATS_BUFFERS,
                                        VIR_NODE_MEMORY_STATS_CACHED};
    virNodeMemoryStats *statistics;
    int n = 0;

    if (virNodeGetMemoryStats(connection, VIR_NODE_MEMORY_STATS_ALL_CELLS, NULL, &n, 0) < 0 || n <= 0)
        return false;
    statistics = calloc((size_t)n, sizeof(*statistics));
    if (statistics == NULL ||
        virNodeGetMemoryStats(connection, VIR_NODE_MEMORY_STATS_ALL_CELLS, statistics, &n, 0) < 0) {
        free(statistics);
        return false;
    }
    *ret_kib = 0;
    for (int i = 0; i < n; i++)
        for (size_t j = 0; j < ELEMENTS_OF(parts); j++)
            if (strcmp(statistics[i].field, parts[j]) == 0)
                *ret_kib += statistics[i].value;
    free(statistics);
    return *ret_kib > 0;
}

uint64_t inventory_free_memory(virConnectPtr connection)
{
    const char *driver = virConnectGetType(connection);
    uint64_t kib;

    /* The test driver invents a number. */
    if (driver == NULL || strcasecmp(driver, "test") == 0)
        return 0;
    return get_available_memory(connection, &kib) ? kib : virNodeGetFreeMemory(connection) / 1024;
}

/* The time that all its CPUs have run since they were booted. 0: this hypervisor does not tell. */
static uint64_t get_cpu_time(virConnectPtr connection)
{
    static const char *const parts[] = {VIR_NODE_CPU_STATS_KERNEL, VIR_NODE_CPU_STATS_USER, VIR_NODE_CPU_STATS_IDLE,
                                        VIR_NODE_CPU_STATS_IOWAIT};
    _cleanup_(freep) virNodeCPUStats *statistics = NULL;
    uint64_t sum_ns = 0;
    int n = 0;

    if (virNodeGetCPUStats(connection, VIR_NODE_CPU_STATS_ALL_CPUS, NULL, &n, 0) < 0 || n <= 0)
        return 0;
    statistics = calloc((size_t)n, sizeof(*statistics));
    if (statistics == NULL || virNodeGetCPUStats(connection, VIR_NODE_CPU_STATS_ALL_CPUS, statistics, &n, 0) < 0)
        return 0;
    for (int i = 0; i < n; i++)
        for (size_t j = 0; j < ELEMENTS_OF(parts); j++)
            if (strcmp(statistics[i].field, parts[j]) == 0)
                sum_ns += statistics[i].value;
    return sum_ns;
}

static int64_t get_uptime(virConnectPtr connection)
{
    const char *driver = virConnectGetType(connection);
    virNodeInfo info;

    /* The test driver invents its numbers. */
    if (driver == NULL || strcasecmp(driver, "test") == 0 || virNodeGetInfo(connection, &info) < 0 || info.cpus == 0)
        return 0;
    return (int64_t)(get_cpu_time(connection) / info.cpus / 1000);
}

static int id_of(virDomainPtr domain)
{
    unsigned id = virDomainGetID(domain);

    return id == (unsigned)-1 ? 0 : (int)id;
}

/* "<host><uuid>…</uuid>" of the capabilities; boards there are that share one, and some have none. */
static void get_host_uuid(virConnectPtr connection, char uuid[UUID_TEXT_SIZE])
{
    _cleanup_(freep) char *capabilities = virConnectGetCapabilities(connection);
    const char *begin = capabilities != NULL ? strstr(capabilities, "<uuid>") : NULL;
    const char *end = begin != NULL ? strstr(begin, "</uuid>") : NULL;

    if (end == NULL)
        return;
    begin += strlen("<uuid>");
    if (end - begin == UUID_TEXT_SIZE - 1)
        memcpy(uuid, begin, UUID_TEXT_SIZE - 1);
}

/*
 * Of a read-only connection libvirt keeps the secrets of a definition back; where it asks a policy (polkit) for each call,
 * that has a word as well. Nothing is changed by asking. Without a domain that is not known.
 */
static bool is_read_only(const struct domain_array *domains)
{
    _cleanup_(freep) char *xml =
        domains->count > 0 ? virDomainGetXMLDesc(domains->items[0], VIR_DOMAIN_XML_SECURE) : NULL;
    int code = xml == NULL && domains->count > 0 ? virGetLastErrorCode() : VIR_ERR_OK;

    return code == VIR_ERR_OPERATION_DENIED || code == VIR_ERR_ACCESS_DENIED;
}

/* What the threads of a listing share. */
struct reading {
    virConnectPtr connection;
    const struct entries *entries;
    struct faults *faults;
    bool is_brief; /* of what is off, no definition is read */
    pthread_mutex_t lock;
    size_t next;
    int error; /* of the whole listing */
    char *message;
    size_t size;
};

/* The state of those that are off is known. */
static bool is_left_out(const struct reading *reading, const struct entry *entry)
{
    enum machine_state state;
    enum machine_reason reason;

    translate_state(entry->state, entry->reason, &state, &reason);
    return reading->is_brief && entry->has_state && !machine_state_is_active(state);
}

/* SIZE_MAX: there is none any more, or it would be in vain. */
static size_t take_next(struct reading *reading)
{
    size_t next = SIZE_MAX;

    pthread_mutex_lock(&reading->lock);
    while (reading->next < reading->entries->count && is_left_out(reading, &reading->entries->items[reading->next]))
        reading->next++;
    if (reading->error == 0 && reading->next < reading->entries->count)
        next = reading->next++;
    pthread_mutex_unlock(&reading->lock);
    return next;
}

static void fail(struct reading *reading, int error, const char *message)
{
    pthread_mutex_lock(&reading->lock);
    if (reading->error == 0)
        snprintf(reading->message, reading->size, "%s", message);
    reading->error = error;
    pthread_mutex_unlock(&reading->lock);
}

#define MESSAGE_SIZE sizeof(((struct action_result *)NULL)->message)

/* One that has vanished meanwhile is left out. */
static void *read_definitions(void *arg)
{
    struct reading *reading = arg;
    size_t next;

    while ((next = take_next(reading)) != SIZE_MAX) {
        struct entry *entry = &reading->entries->items[next];
        char message[MESSAGE_SIZE] = "";
        int r = read_definition(reading->connection, entry->domain, reading->faults, &entry->description, message,
                                sizeof(message));

        entry->is_unread = r == -EINVAL;
        if (r < 0 && r != -EINVAL && r != -ENOENT)
            fail(reading, r, message);
    }
    return NULL;
}

/* What is asked of all domains at once. */
static void read_all(struct reading *reading)
{
    char message[MESSAGE_SIZE] = "";
    int r = mark_transient(reading->connection, reading->entries, message, sizeof(message));

    if (r == 0)
        r = mark_saved(reading->connection, reading->entries, message, sizeof(message));
    if (r < 0)
        fail(reading, r, message);
    else
        learn_states(reading->connection, reading->entries);
}

/*
 * No more calls at once than these, and by as many threads as there can be. Definitions are read meanwhile, unless it is the
 * states that tell which of them to read.
 */
static void read_at_once(struct reading *reading, size_t n_calls)
{
    pthread_t threads[WORKERS_MAX];
    size_t n = 0;

    if (reading->is_brief)
        read_all(reading);
    while (n + 1 < n_calls && n < WORKERS_MAX && n + 1 < reading->entries->count &&
           pthread_create(&threads[n], NULL, read_definitions, reading) == 0)
        n++;
    if (!reading->is_brief)
        read_all(reading);
    read_definitions(reading);
    while (n > 0)
        pthread_join(threads[--n], NULL);
}

/*
 * Takes the description of the entry. The state is asked for where it is not known yet, and where the definition is that of
 * another one: the machine was started or has stopped between the two.
 */
static int report(const struct reading *reading, struct entry *entry, struct domain_report *ret)
{
    const struct domain_description *description = entry->description;
    struct domain_report report = {
        .persistent = !entry->is_transient,
        .has_managed_save = entry->has_managed_save,
        .agent_connected = description != NULL && description->agent_connected,
        .id = id_of(entry->domain),
    };
    int r = 0;

    memcpy(report.uuid, entry->uuid, sizeof(report.uuid));
    translate_state(entry->state, entry->reason, &report.state, &report.reason);
    if (description != NULL && (!entry->has_state || description->is_live != machine_state_is_active(report.state)))
        r = get_state(reading->connection, entry->domain, reading->faults, &report, reading->message, reading->size);
    if (r < 0)
        return r;
    report.description = steal_pointer(&entry->description);
    *ret = report;
    return 0;
}

/* Only a listing that lacks no domain is one: -ENOMEM, or an error of the connection. */
static int report_all(struct reading *reading, struct inventory *inventory)
{
    const struct entries *entries = reading->entries;

    inventory->reports = calloc(entries->count + 1, sizeof(*inventory->reports));
    inventory->unread = calloc(entries->count + 1, sizeof(*inventory->unread));
    if (inventory->reports == NULL || inventory->unread == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < entries->count; i++) {
        struct entry *entry = &entries->items[i];
        int r = entry->is_unread ? -EINVAL : -ENOENT;

        if (entry->description != NULL || is_left_out(reading, entry))
            r = report(reading, entry, &inventory->reports[inventory->n_reports]);
        inventory->n_reports += r == 0;
        if (r == -EINVAL && virDomainGetUUIDString(entry->domain, inventory->unread[inventory->n_unread]) == 0)
            inventory->n_unread++;
        if (r < 0 && r != -EINVAL && r != -ENOENT)
            return r;
    }
    return 0;
}

int inventory_list(virConnectPtr connection, size_t n_calls, size_t brief_from, struct faults *faults,
                   struct inventory **ret, char *message, size_t size)
{
    _cleanup_(domain_array_done) struct domain_array domains = {0};
    _cleanup_(entries_done) struct entries entries = {0};
    _cleanup_(inventory_freep) struct inventory *inventory = calloc(1, sizeof(*inventory));
    struct reading reading = {.connection = connection,
                              .entries = &entries,
                              .faults = faults,
                              .lock = PTHREAD_MUTEX_INITIALIZER,
                              .message = message,
                              .size = size};
    int r;

    if (inventory == NULL)
        return -ENOMEM;
    r = list_domains(connection, 0, &domains, message, size);
    if (r == 0)
        r = entries_init(&domains, &entries);
    if (r < 0)
        return r;
    reading.is_brief = inventory->is_brief = entries.count >= brief_from;
    read_at_once(&reading, n_calls);
    r = reading.error;
    if (r == 0)
        r = report_all(&reading, inventory);
    if (r < 0)
        return r;
    inventory->free_memory_kib = inventory_free_memory(connection);
    inventory->uptime_us = get_uptime(connection);
    inventory->is_read_only = is_read_only(&domains);
    get_host_uuid(connection, inventory->host_uuid);
    *ret = steal_pointer(&inventory);
    return 0;
}

int inventory_inspect(virConnectPtr connection, const char *uuid, const struct learn_options *asking,
                      struct faults *faults, struct domain_report *ret, char *message, size_t size)
{
    struct domain_report report = {0};
    virDomainPtr domain = virDomainLookupByUUIDString(connection, uuid);
    _cleanup_(learned_done) struct learned learned = {0};
    bool has_learned;
    int r;

    if (domain == NULL)
        return translate_last_error(connection, message, size);
    /* This takes its time: what is read of the domain afterwards is newer. */
    has_learned = asking != NULL && learn_from_agent(domain, asking, &learned);
    r = describe(connection, domain, faults, &report, message, size);
    if (r == 0) {
        report.persistent = virDomainIsPersistent(domain) == 1;
        report.has_managed_save = virDomainHasManagedSaveImage(domain, 0) == 1;
        assert(report.description != NULL);
        report.description->has_learned = has_learned;
        report.description->has_learned_part = learned.is_partial;
        report.description->is_starting = learned.is_starting;
        report.description->lack = learned.lack;
        report.description->learned = learned.features;
        learned.features = (struct feature_texts){0};
        *ret = report;
    }
    virDomainFree(domain);
    return r == -EINVAL ? -EIO : r;
}
