/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lists and describes domains. One call asks for what can be asked of all domains at once; the definition and the state
 * are asked one by one.
 */
#include "hypervisor/inventory.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libvirt/virterror.h>

#include "hypervisor/learn.h"
#include "hypervisor/translate.h"
#include "model/domain_xml.h"

void faults_done(struct faults *faults)
{
    for (size_t i = 0; i < faults->count; i++)
        free(faults->items[i].text);
    free(faults->items);
    *faults = (struct faults){0};
}

static int faults_add(struct faults *faults, const char *uuid, const char *text)
{
    _cleanup_(freep) char *copy = strdup(text);
    struct fault *items;

    if (copy == NULL)
        return -ENOMEM;
    items = reallocarray(faults->items, faults->count + 1, sizeof(*items));
    if (items == NULL)
        return -ENOMEM;
    faults->items = items;
    snprintf(items[faults->count].uuid, sizeof(items[faults->count].uuid), "%s", uuid);
    items[faults->count++].text = steal_pointer(&copy);
    return 0;
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

/* -EINVAL: it cannot be read, and a fault says why. */
static int describe(virDomainPtr domain, struct faults *faults, struct domain_report *report, char *message,
                    size_t size)
{
    char uuid[VIR_UUID_STRING_BUFLEN] = "";
    _cleanup_(freep) char *xml = virDomainGetXMLDesc(domain, 0);
    _cleanup_(diags_done) struct diags diags = {0};
    int state, reason, r;

    if (xml == NULL || virDomainGetState(domain, &state, &reason, 0) < 0) {
        r = translate_last_error(virDomainGetConnect(domain), message, size);
        if (r != -EIO)
            return r;
        if (virDomainGetUUIDString(domain, uuid) < 0 || faults_add(faults, uuid, message) < 0)
            return -ENOMEM;
        return -EINVAL;
    }
    r = domain_xml_parse(xml, strlen(xml), virDomainGetName(domain), &diags, &report->description);
    if (r != -ENOMEM && (virDomainGetUUIDString(domain, uuid) < 0 || faults_add_diags(faults, uuid, &diags) < 0))
        r = -ENOMEM;
    if (r < 0) {
        domain_description_free(report->description);
        report->description = NULL;
        snprintf(message, size, "%s", r == -EINVAL ? "cannot read the domain's definition" : "out of memory");
        return r;
    }
    translate_state(state, reason, &report->state, &report->reason);
    report->agent_connected = report->description->agent_connected;
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

static int compare_uuids(const void *a, const void *b)
{
    unsigned char left[VIR_UUID_BUFLEN] = {0}, right[VIR_UUID_BUFLEN] = {0};

    virDomainGetUUID(*(const virDomainPtr *)a, left);
    virDomainGetUUID(*(const virDomainPtr *)b, right);
    return memcmp(left, right, sizeof(left));
}

/* The array is sorted. */
static bool is_among(const struct domain_array *array, virDomainPtr domain)
{
    return array->count > 0 &&
           bsearch(&domain, array->items, (size_t)array->count, sizeof(*array->items), compare_uuids) != NULL;
}

static int list_sorted(virConnectPtr connection, unsigned flags, struct domain_array *ret, char *message, size_t size)
{
    int r = list_domains(connection, flags, ret, message, size);

    if (r == 0 && ret->count > 0)
        qsort(ret->items, (size_t)ret->count, sizeof(*ret->items), compare_uuids);
    return r;
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

int inventory_list(virConnectPtr connection, struct faults *faults, struct inventory **ret, char *message, size_t size)
{
    _cleanup_(domain_array_done) struct domain_array domains = {0};
    _cleanup_(domain_array_done) struct domain_array persistent = {0};
    _cleanup_(domain_array_done) struct domain_array saved = {0};
    _cleanup_(inventory_freep) struct inventory *inventory = calloc(1, sizeof(*inventory));
    int r;

    if (inventory == NULL)
        return -ENOMEM;
    r = list_domains(connection, 0, &domains, message, size);
    if (r == 0)
        r = list_sorted(connection, VIR_CONNECT_LIST_DOMAINS_PERSISTENT, &persistent, message, size);
    if (r == 0)
        r = list_sorted(connection, VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE, &saved, message, size);
    if (r < 0)
        return r;
    inventory->reports = calloc((size_t)domains.count + 1, sizeof(*inventory->reports));
    inventory->unread = calloc((size_t)domains.count + 1, sizeof(*inventory->unread));
    if (inventory->reports == NULL || inventory->unread == NULL)
        return -ENOMEM;
    for (int i = 0; i < domains.count; i++) {
        struct domain_report *report = &inventory->reports[inventory->n_reports];

        r = describe(domains.items[i], faults, report, message, size);
        if (r == -EINVAL && virDomainGetUUIDString(domains.items[i], inventory->unread[inventory->n_unread]) == 0)
            inventory->n_unread++;
        if (r == -ENOENT || r == -EINVAL)
            continue;
        if (r < 0)
            return r;
        report->persistent = is_among(&persistent, domains.items[i]);
        report->has_managed_save = is_among(&saved, domains.items[i]);
        report->id = id_of(domains.items[i]);
        inventory->n_reports++;
    }
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
    r = describe(domain, faults, &report, message, size);
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
