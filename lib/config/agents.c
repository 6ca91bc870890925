/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options may be secrets, and so may be what stands where their names are expected: neither is repeated. */
#include "config/agents.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/collection.h"
#include "config/fence.h"

#define PATH_MAX_BYTES 4095

/* The members of each agent. */
static const struct schema_key command_key = {
    .type = SCHEMA_PATH,
    .offset = offsetof(struct config_fence_agent, command),
    .max = PATH_MAX_BYTES,
};

static struct schema_key options_key(const struct schema_key *agents)
{
    return (struct schema_key){
        .type = SCHEMA_OPTIONS, .offset = offsetof(struct config_fence_agent, options), .max = agents->max};
}

static void free_agents(struct config_fence_agent *agents, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct schema_key options = {.offset = offsetof(struct config_fence_agent, options)};

        collection_release_options(&options, &agents[i]);
        free(agents[i].command);
        free(agents[i].name);
    }
    free(agents);
}

void agents_release(const struct schema_key *key, void *object)
{
    struct config_fence_agent **member = schema_member(key, object);

    free_agents(*member, *schema_member_count(key, object));
    *member = NULL;
    *schema_member_count(key, object) = 0;
}

static void read_agent(struct reader *reader, const struct place *place, const struct schema_key *key,
                       const struct node *node, struct config_fence_agent *agent)
{
    const struct schema_key options = options_key(key);

    if (node->kind != NODE_MAP) {
        reader_error(reader, place, node, "expected a map of command and options");
        return;
    }
    reader_check_duplicates(reader, place, node);
    for (size_t i = 0; i < node->n_items; i += 2) {
        struct place here = {.parent = place, .name = node->items[i]->text};

        if (strcmp(node->items[i]->text, "command") == 0)
            value_read_path(reader, &here, &command_key, node->items[i + 1], agent);
        else if (strcmp(node->items[i]->text, "options") == 0)
            collection_read_options(reader, &here, &options, node->items[i + 1], agent);
        else
            reader_error(reader, place, node->items[i], "unknown key, expected command or options");
    }
}

static void read_host_agent(struct reader *reader, const struct place *place, const struct schema_key *key,
                            const struct node *node, struct config_fence_agent *agent)
{
    const struct schema_key options = options_key(key);

    /* Its name may be an option that was written in the wrong place. */
    collection_read_options(reader, place->parent, &options, node, agent);
}

static bool is_name(const char *text)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";

    return text[0] != '\0' && text[strspn(text, allowed)] == '\0' && strlen(text) < FENCE_AGENT_NAME_SIZE;
}

typedef void read_one(struct reader *reader, const struct place *place, const struct schema_key *key,
                      const struct node *node, struct config_fence_agent *agent);

static void read_map(struct reader *reader, const struct place *place, const struct schema_key *key,
                     const struct node *node, void *object, read_one *read)
{
    struct config_fence_agent **member = schema_member(key, object), *agents;
    struct place secret = *place;
    size_t n = node->n_items / 2;

    secret.is_secret = true;
    if (node->kind != NODE_MAP && !node_is_null(node)) {
        reader_error(reader, &secret, node, "expected a map of the names of agents");
        return;
    }
    reader_check_duplicates(reader, &secret, node);
    agents = calloc(n + 1, sizeof(*agents));
    if (agents == NULL) {
        reader->is_out_of_memory = true;
        return;
    }
    agents_release(key, object);
    *member = agents;
    *schema_member_count(key, object) = n;
    for (size_t i = 0; i < n; i++) {
        const struct node *name = node->items[2 * i];
        struct place here = {.parent = place, .name = name->text};

        if (!is_name(name->text)) {
            reader_error(reader, &secret, name,
                         "expected the name of an agent: letters, digits, '-', '_' and '.', at most %d",
                         FENCE_AGENT_NAME_SIZE - 1);
            continue;
        }
        agents[i].name = strdup(name->text);
        if (agents[i].name == NULL)
            reader->is_out_of_memory = true;
        else
            read(reader, &here, key, node->items[2 * i + 1], &agents[i]);
    }
}

void agents_read(struct reader *reader, const struct place *place, const struct schema_key *key,
                 const struct node *node, void *object)
{
    read_map(reader, place, key, node, object, read_agent);
}

void agents_read_of_host(struct reader *reader, const struct place *place, const struct schema_key *key,
                         const struct node *node, void *object)
{
    read_map(reader, place, key, node, object, read_host_agent);
}

bool agents_equal(const struct schema_key *key, const void *a, const void *b)
{
    const struct config_fence_agent *left = *(struct config_fence_agent *const *)schema_member_const(key, a);
    const struct config_fence_agent *right = *(struct config_fence_agent *const *)schema_member_const(key, b);
    const struct schema_key options = options_key(key);
    size_t n = schema_member_count_const(key, a);

    if (n != schema_member_count_const(key, b))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!text_equal(left[i].name, right[i].name) || !text_equal(left[i].command, right[i].command) ||
            !collection_equal_options(&options, &left[i], &right[i]))
            return false;
    return true;
}

void agents_release_levels(const struct schema_key *key, void *object)
{
    struct config_fence_turn **member = schema_member(key, object);

    for (size_t i = 0; i < *schema_member_count(key, object); i++)
        free((*member)[i].agent);
    free(*member);
    *member = NULL;
    *schema_member_count(key, object) = 0;
}

/* Adds the agents of one level to turns, which has room for them. */
static void read_level(struct reader *reader, const struct place *place, const struct node *node, size_t level,
                       struct config_fence_turn *turns, size_t *n)
{
    size_t first = *n;

    if (node->kind != NODE_LIST || node->n_items == 0) {
        reader_error(reader, place, node, "%s, expected a list of agents such as [pdu-a, pdu-b]",
                     node->kind == NODE_LIST ? "found an empty level" : "found no list");
        return;
    }
    for (size_t i = 0; i < node->n_items; i++) {
        struct place here = {.parent = place, .index = i};
        const char *name = node_text(node->items[i]);

        if (name == NULL || !is_name(name)) {
            reader_error(reader, &here, node->items[i], "expected the name of an agent of fence.agents");
            continue;
        }
        for (size_t before = first; before < *n; before++)
            if (text_equal(turns[before].agent, name))
                reader_error(reader, &here, node->items[i], "'%s' stands in this level already", name);
        turns[*n].level = level;
        turns[*n].agent = strdup(name);
        if (turns[(*n)++].agent == NULL)
            reader->is_out_of_memory = true;
    }
}

void agents_read_levels(struct reader *reader, const struct place *place, const struct schema_key *key,
                        const struct node *node, void *object)
{
    struct config_fence_turn **member = schema_member(key, object), *turns;
    size_t room = 1;

    if (node->kind != NODE_LIST) {
        reader_error(reader, place, node, "found %s, expected a list of levels such as [[ipmi], [pdu-a, pdu-b]]",
                     node->kind == NODE_MAP ? "a map" : "a text");
        return;
    }
    for (size_t i = 0; i < node->n_items; i++)
        room += node->items[i]->n_items;
    turns = calloc(room, sizeof(*turns));
    if (turns == NULL) {
        reader->is_out_of_memory = true;
        return;
    }
    agents_release_levels(key, object);
    *member = turns;
    for (size_t i = 0; i < node->n_items; i++) {
        struct place here = {.parent = place, .index = i};

        read_level(reader, &here, node->items[i], i, turns, schema_member_count(key, object));
    }
}

bool agents_equal_levels(const struct schema_key *key, const void *a, const void *b)
{
    const struct config_fence_turn *left = *(struct config_fence_turn *const *)schema_member_const(key, a);
    const struct config_fence_turn *right = *(struct config_fence_turn *const *)schema_member_const(key, b);
    size_t n = schema_member_count_const(key, a);

    if (n != schema_member_count_const(key, b))
        return false;
    for (size_t i = 0; i < n; i++)
        if (left[i].level != right[i].level || !text_equal(left[i].agent, right[i].agent))
            return false;
    return true;
}

/* ---- what concerns several keys ---- */

static bool is_agent(const struct config *config, const char *name)
{
    size_t ignored;

    return fence_agent_find(&config->fence, name, &ignored) == 0;
}

/* Each agent that a level names is there. */
static void check_levels(struct reader *reader, const struct place *place, const struct node *levels,
                         const struct config *config)
{
    struct place here = {.parent = place, .name = "levels"};

    for (size_t i = 0; levels != NULL && i < levels->n_items; i++)
        for (size_t j = 0; j < levels->items[i]->n_items; j++) {
            const struct node *name = levels->items[i]->items[j];
            struct place level = {.parent = &here, .index = i}, at = {.parent = &level, .index = j};

            if (!is_agent(config, name->text))
                reader_error(reader, &at, name, "no agent of fence.agents has the name '%s'", name->text);
        }
}

/* Each agent stands in a level, and has a command. */
static void check_agents(struct reader *reader, const struct place *place, const struct node *agents,
                         const struct config *config)
{
    struct place here = {.parent = place, .name = "agents"};

    for (size_t i = 0; agents != NULL && i < agents->n_items; i += 2) {
        struct place at = {.parent = &here, .name = agents->items[i]->text};
        bool is_used = false;

        if (fence_agent_at(&config->fence, i / 2).command == NULL)
            reader_error(reader, &at, agents->items[i],
                         "'command' is missing, expected an absolute path, here or as fence.command");
        for (size_t turn = 0; turn < config->fence.n_turns; turn++)
            is_used |= strcmp(config->fence.turns[turn].agent, agents->items[i]->text) == 0;
        if (!is_used)
            reader_error(reader, &at, agents->items[i],
                         "stands in no level and is never asked, expected in fence.levels such as [[%s]]",
                         agents->items[i]->text);
    }
}

static void check_hosts(struct reader *reader, const struct node *root, const struct config *config)
{
    const struct node *hypervisors = node_find(root, "hypervisors");
    struct place place = {.name = "hypervisors"};

    for (size_t i = 0; hypervisors != NULL && i < hypervisors->n_items; i++) {
        const struct node *agents = node_find(hypervisors->items[i], "fence_agents");
        struct place element = {.parent = &place, .index = i}, here = {.parent = &element, .name = "fence_agents"};

        for (size_t j = 0; agents != NULL && j < agents->n_items; j += 2)
            if (!is_agent(config, agents->items[j]->text))
                reader_error(reader, &here, agents->items[j], "no agent has this name, expected one of fence.agents");
    }
}

void agents_check(struct reader *reader, const struct node *root, const struct config *config)
{
    const struct node *fence = node_find(root, "fence");
    struct place place = {.name = "fence"};

    check_hosts(reader, root, config);
    if (fence == NULL)
        return;
    check_levels(reader, &place, node_find(fence, "levels"), config);
    check_agents(reader, &place, node_find(fence, "agents"), config);
}
