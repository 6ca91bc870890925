/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a configuration comes to be: defaults, then the file over them, then what concerns several keys
 * at once. Knows no key's type; that is the schema's and object.c's.
 */
#include "config/config.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/moment.h"
#include "config/agents.h"
#include "config/endpoint.h"
#include "config/fence.h"
#include "config/object.h"
#include "config/pattern.h"
#include "config/reader.h"
#include "config/schema.h"
#include "config/yaml.h"
#include "model/uri.h"

static int config_new_with(struct reader *reader, struct config **ret)
{
    _cleanup_(config_freep) struct config *config = calloc(1, sizeof(*config));
    int r;

    if (config == NULL)
        return -ENOMEM;
    object_set_defaults(reader, "", config);
    r = reader_result(reader);
    if (r < 0)
        return r;
    *ret = steal_pointer(&config);
    return 0;
}

void string_list_done(struct string_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct string_list){0};
}

int string_list_add(struct string_list *list, const char *text)
{
    char **items = reallocarray(list->items, list->count + 1, sizeof(char *));

    if (items == NULL)
        return -ENOMEM;
    list->items = items;
    items[list->count] = strdup(text);
    if (items[list->count] == NULL)
        return -ENOMEM;
    list->count++;
    return 0;
}

int config_new(struct config **ret)
{
    _cleanup_(diags_done) struct diags diags = {0};
    struct reader reader;
    int r = reader_init(&reader, "defaults", &diags);

    if (r < 0)
        return r;
    r = config_new_with(&reader, ret);
    reader_done(&reader);
    return r;
}

void config_free(struct config *config)
{
    if (config == NULL)
        return;
    object_done("", config);
    free(config->file);
    free(config);
}

static bool has_hypervisor(const struct config *config, const char *name, size_t length)
{
    for (size_t i = 0; i < config->n_hypervisors; i++)
        if (strncmp(config->hypervisors[i].name, name, length) == 0 && config->hypervisors[i].name[length] == '\0')
            return true;
    return false;
}

/* A mistyped URI would be tried again and again, and only the status would tell. */
static void check_drivers(struct reader *reader, const struct node *root)
{
    const struct node *hypervisors = node_find(root, "hypervisors");
    struct place place = {.name = "hypervisors"};

    for (size_t i = 0; hypervisors != NULL && i < hypervisors->n_items; i++) {
        const struct node *uri = node_find(hypervisors->items[i], "uri");
        struct place element = {.parent = &place, .index = i}, here = {.parent = &element, .name = "uri"};

        if (uri != NULL && !uri_has_known_driver(uri->text))
            reader_warn(reader, &here, uri, "libvirt knows no driver \"%.*s\", expected one such as qemu:///system",
                        (int)strcspn(uri->text, "+:"), uri->text);
    }
}

/* One lost host alone must not be more than isolation_share, or none is ever fenced. */
static void check_fencing(struct reader *reader, const struct node *root, const struct config *config)
{
    const char *key = config->fence.n_agents > 0 ? "agents" : "command";
    const struct node *fence = node_find(root, "fence"), *agents = fence != NULL ? node_find(fence, key) : NULL;
    struct place place = {.name = "fence"}, here = {.parent = &place, .name = key};
    size_t n_remote = 0;

    for (size_t i = 0; i < config->n_hypervisors; i++)
        n_remote += !uri_is_local(config->hypervisors[i].uri);
    if (agents == NULL || fence_agent_count(&config->fence) == 0 || MILLIONTHS <= n_remote * config->isolation_share ||
        n_remote == 0)
        return;
    if (n_remote == 1)
        reader_warn(reader, &here, agents,
                    "is never used: with one remote hypervisor, isolation_share must be 1 for its host to be fenced");
    else
        reader_warn(reader, &here, agents,
                    "is never used: one of %zu remote hypervisors is more than isolation_share already", n_remote);
}

/* Without its record, a service that was rehearsed counts as never rehearsed, and is due at once. */
static void check_rehearsals(struct reader *reader, const struct node *root, const struct config *config)
{
    const struct node *rehearsals = node_find(root, "rehearsals"),
                      *every = rehearsals != NULL ? node_find(rehearsals, "every") : NULL;
    struct place place = {.name = "rehearsals"}, here = {.parent = &place, .name = "every"};
    unsigned days = config->recovery.history_days;

    if (every != NULL && config->rehearsals.every_us > days * INT64_C(86400) * USEC_PER_SEC)
        reader_warn(reader, &here, every,
                    "is longer than recovery.history_days (%u), after which it is forgotten that a service was "
                    "rehearsed: each is rehearsed more often",
                    days);
}

/* An address that other hosts can reach needs the consent of the administrator. */
static void check_listen(struct reader *reader, const struct node *root, const struct config *config)
{
    const struct node *api = node_find(root, "api"), *listen = api != NULL ? node_find(api, "listen") : NULL;
    struct place place = {.name = "api"}, here = {.parent = &place, .name = "listen"};
    struct endpoint endpoint;

    if (listen != NULL && config->api_listen != NULL && !config->api_listen_public &&
        endpoint_parse(config->api_listen, &endpoint) && !endpoint_is_loopback(&endpoint))
        reader_error(reader, &here, listen,
                     "%s can be reached from other hosts, expected 127.0.0.1, [::1], or api.listen_public: true",
                     config->api_listen);
}

/* "HYPERVISOR/NAME" under `machines` must name a hypervisor that there is. */
static void check_machines(struct reader *reader, const struct node *root, const struct config *config)
{
    const struct node *machines = node_find(root, "machines");
    struct place place = {.name = "machines"};

    for (size_t i = 0; machines != NULL && i < machines->n_items; i += 2) {
        const struct node *name = machines->items[i];
        struct place here = {.parent = &place, .name = name->text};
        const char *slash = strchr(name->text, '/');

        if (slash != NULL && !has_hypervisor(config, name->text, (size_t)(slash - name->text)))
            reader_error(reader, &here, name, "no hypervisor has the name before the slash");
    }
}

/* Without any weight every machine is as good as none, and nothing would ever be started. */
static void check_weights(struct reader *reader, const struct node *root, const struct config *config)
{
    const struct config_similarity *similarity = &config->similarity;
    struct place place = {.name = "similarity"}, here = {.parent = &place, .name = "weights"};
    const struct node *section = node_find(root, "similarity");
    const struct node *weights = section != NULL ? node_find(section, "weights") : NULL;

    for (size_t i = 0; i < ENVIRONMENT_COUNT; i++)
        if (similarity->environment_weights[i] > 0)
            return;
    for (size_t i = 0; i < similarity->n_resource_weights; i++)
        if (similarity->resource_weights[i].millionths > 0)
            return;
    reader_error(reader, &here, weights != NULL ? weights : root, "every weight is 0, expected at least one above 0");
}

/* The entry's patterns may name a hypervisor that there is none of. */
static void check_hosts(struct reader *reader, const struct place *entry, const struct node *node,
                        const struct config *config)
{
    const struct node *hosts = node_find(node, "hosts");
    struct place place = {.parent = entry, .name = "hosts"};

    for (size_t i = 0; hosts != NULL && i < hosts->n_items; i++) {
        struct place here = {.parent = &place, .index = i};
        size_t k = 0;

        while (k < config->n_hypervisors && fnmatch(hosts->items[i]->text, config->hypervisors[k].name, 0) != 0)
            k++;
        if (k == config->n_hypervisors)
            reader_error(reader, &here, hosts->items[i], "no hypervisor has a name like that");
    }
}

/* Services of a may be waiting for some of b. */
static bool may_wait_for(const struct config_service *a, const struct config_service *b)
{
    for (size_t i = 0; a != b && b->after.count > 0 && i < a->after.count; i++)
        for (size_t k = 0; k < b->match.count; k++)
            if (patterns_can_meet(a->after.items[i], b->match.items[k]))
                return true;
    return false;
}

enum visit { VISIT_NOT_YET, VISIT_UNDER_WAY, VISIT_DONE };

/* The entry at which a circle closes that can be reached from this one; n_services: there is none. */
static size_t find_circle(const struct config *config, size_t from, unsigned char *visits)
{
    size_t found = config->n_services;

    visits[from] = VISIT_UNDER_WAY;
    for (size_t to = 0; to < config->n_services && found == config->n_services; to++) {
        if (visits[to] == VISIT_DONE || !may_wait_for(&config->services[from], &config->services[to]))
            continue;
        found = visits[to] == VISIT_UNDER_WAY ? from : find_circle(config, to, visits);
    }
    visits[from] = VISIT_DONE;
    return found;
}

/* Services that wait for each other would never be started. */
static void check_circles(struct reader *reader, const struct node *services, const struct config *config)
{
    _cleanup_(freep) unsigned char *visits = calloc(config->n_services + 1, 1);
    size_t found = config->n_services;
    struct place place = {.name = "services"};

    if (visits == NULL) {
        reader->is_out_of_memory = true;
        return;
    }
    for (size_t i = 0; i < config->n_services && found == config->n_services; i++)
        if (visits[i] == VISIT_NOT_YET)
            found = find_circle(config, i, visits);
    if (found < config->n_services) {
        struct place entry = {.parent = &place, .index = found}, here = {.parent = &entry, .name = "after"};

        reader_error(reader, &here, node_find(services->items[found], "after"),
                     "closes a circle: services that it names wait, directly or through others, for services of this "
                     "entry");
    }
}

static void check_services(struct reader *reader, const struct node *root, const struct config *config)
{
    const struct node *services = node_find(root, "services");
    struct place place = {.name = "services"};

    for (size_t i = 0; i < config->n_services; i++) {
        struct place entry = {.parent = &place, .index = i};

        check_hosts(reader, &entry, services->items[i], config);
    }
    if (config->n_services > 0)
        check_circles(reader, services, config);
}

/* Whether min_coverage follows the threshold, also where a service has a threshold of its own. */
static bool gives_min_coverage(const struct node *root)
{
    const struct node *similarity = node_find(root, "similarity");

    return similarity != NULL && similarity->kind == NODE_MAP && node_find(similarity, "min_coverage") != NULL;
}

/* Findings from `first` on in the order of the file; few, and nearly in order already. */
static void sort_findings(struct diags *diags, size_t first)
{
    for (size_t i = first + 1; i < diags->count; i++) {
        struct diag moved = diags->items[i];
        size_t at = i;

        for (; at > first && moved.line > 0; at--) {
            const struct diag *before = &diags->items[at - 1];

            if (before->line < moved.line || (before->line == moved.line && before->column <= moved.column))
                break;
            diags->items[at] = *before;
        }
        diags->items[at] = moved;
    }
}

static int read_root(struct reader *reader, const struct node *root, struct config *config)
{
    int r;

    object_read(reader, NULL, "", root, config);
    r = reader_result(reader);
    if (r < 0)
        return r;
    check_listen(reader, root, config);
    check_machines(reader, root, config);
    agents_check(reader, root, config);
    check_weights(reader, root, config);
    check_drivers(reader, root);
    check_fencing(reader, root, config);
    check_rehearsals(reader, root, config);
    check_services(reader, root, config);
    config->similarity.has_min_coverage = gives_min_coverage(root);
    return reader_result(reader);
}

static int parse_with(struct reader *reader, const char *text, size_t length, struct config **ret)
{
    _cleanup_(document_freep) struct document *document = NULL;
    _cleanup_(config_freep) struct config *config = NULL;
    /* A file of nothing is read as an empty map, to tell what is missing. */
    const struct node nothing = {.kind = NODE_MAP, .line = 1, .column = 1};
    int r;

    r = config_new_with(reader, &config);
    if (r < 0)
        return r;
    if (reader->file != NULL) {
        config->file = strdup(reader->file);
        if (config->file == NULL)
            return -ENOMEM;
    }
    r = document_parse(text, length, reader->file, reader->diags, &document);
    if (r < 0)
        return r;
    r = read_root(reader, document->root != NULL ? document->root : &nothing, config);
    if (r < 0)
        return r;
    *ret = steal_pointer(&config);
    return 0;
}

int config_parse(const char *text, size_t length, const char *file, struct diags *diags, struct config **ret)
{
    size_t first = diags->count;
    struct reader reader;
    int r = reader_init(&reader, file, diags);

    if (r < 0)
        return r;
    r = parse_with(&reader, text, length, ret);
    reader_done(&reader);
    sort_findings(diags, first);
    return diags->incomplete && r == -EINVAL ? -ENOMEM : r;
}

const struct schema_key *config_next_change(const struct config *old, const struct config *new,
                                            const struct schema_key *after)
{
    for (size_t i = after == NULL ? 0 : (size_t)(after - schema_at(0)) + 1; i < schema_count(); i++) {
        const struct schema_key *key = schema_at(i);

        /* Rows of list elements describe other objects; the list's own row compares those. */
        if (strstr(key->path, "[]") == NULL && !object_equal_key(key, old, new))
            return key;
    }
    return NULL;
}

const struct schema_key *config_next_restart(const struct config *old, const struct config *new,
                                             const struct schema_key *after)
{
    const struct schema_key *key = after;

    do
        key = config_next_change(old, new, key);
    while (key != NULL && !key->needs_restart);
    return key;
}
