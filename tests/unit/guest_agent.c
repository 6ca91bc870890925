/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Answers as QEMU's guest agent gives them. */
#include "guest_agent.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static char *encode(const char *text, size_t length)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *result = calloc(1, (length + 2) / 3 * 4 + 1);

    assert_non_null(result);
    for (size_t i = 0; i < length; i += 3) {
        uint32_t word = 0;

        for (size_t k = 0; k < 3; k++)
            word = word << 8 | (i + k < length ? (unsigned char)text[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            result[i / 3 * 4 + k] = i + k > length ? '=' : digits[word >> (18 - 6 * k) & 63];
    }
    return result;
}

static const struct thing *find(const struct agent *agent, const char *name)
{
    for (size_t i = 0; agent->things[i].name != NULL; i++)
        if (strcmp(agent->things[i].name, name) == 0)
            return &agent->things[i];
    return NULL;
}

static json_t *info(const struct agent *agent)
{
    static const char *const names[] = {"guest-exec", "guest-exec-status", "guest-file-open", "guest-file-read",
                                        "guest-file-close"};
    json_t *commands = json_array();

    for (size_t i = 0; i < ELEMENTS_OF(names); i++) {
        char name[40];

        snprintf(name, sizeof(name), " %s ", names[i]);
        json_array_append_new(
            commands, json_pack("{s:s, s:b}", "name", names[i], "enabled", strstr(agent->commands, name) != NULL));
    }
    return json_pack("{s:s, s:o}", "version", "7.2", "supported_commands", commands);
}

static json_t *exec(struct agent *agent, const json_t *arguments)
{
    char words[512];
    size_t length = (size_t)snprintf(words, sizeof(words), "%s", json_string_value(json_object_get(arguments, "path")));
    const json_t *list = json_object_get(arguments, "arg");

    assert_true(json_is_true(json_object_get(arguments, "capture-output")));
    for (size_t i = 0; i < json_array_size(list); i++)
        length +=
            (size_t)snprintf(words + length, sizeof(words) - length, " %s", json_string_value(json_array_get(list, i)));
    agent->current = find(agent, words);
    agent->polls = 2;
    snprintf(agent->log + strlen(agent->log), sizeof(agent->log) - strlen(agent->log), "exec %s\n", words);
    return agent->current != NULL ? json_pack("{s:i}", "pid", 77) : NULL;
}

static json_t *status(struct agent *agent)
{
    _cleanup_(freep) char *text = encode(agent->current->text, strlen(agent->current->text));

    if (agent->polls-- > 0)
        return json_pack("{s:b}", "exited", 0);
    return json_pack("{s:b, s:i, s:s}", "exited", 1, "exitcode", agent->current->exit_code, "out-data", text);
}

static json_t *open_file(struct agent *agent, const json_t *arguments)
{
    const char *path = json_string_value(json_object_get(arguments, "path"));

    agent->current = find(agent, path);
    agent->at = 0;
    snprintf(agent->log + strlen(agent->log), sizeof(agent->log) - strlen(agent->log), "file %s\n", path);
    return agent->current != NULL ? json_integer(1000) : NULL;
}

static json_t *read_file(struct agent *agent, const json_t *arguments)
{
    size_t asked = (size_t)json_integer_value(json_object_get(arguments, "count"));
    size_t left = strlen(agent->current->text + agent->at), part = agent->part > 0 ? agent->part : asked;
    size_t length = left < part ? left : part;
    _cleanup_(freep) char *text = encode(agent->current->text + agent->at, length);

    agent->at += length;
    return json_pack("{s:i, s:s, s:b}", "count", (int)length, "buf-b64", text, "eof", length == left);
}

static json_t *mounts(const struct agent *agent)
{
    json_t *list = json_array();

    for (const struct mount *mount = agent->mounts; mount != NULL && mount->mountpoint != NULL; mount++)
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s}", "name", "vdb", "mountpoint", mount->mountpoint, "type", mount->type));
    return list;
}

static json_t *answer(struct agent *agent, const char *name, const json_t *arguments)
{
    char allowed[40];

    snprintf(allowed, sizeof(allowed), " %s ", name);
    if (strcmp(name, "guest-info") == 0)
        return info(agent);
    if (strcmp(name, "guest-fsfreeze-status") == 0)
        return json_string(agent->frozen != NULL ? agent->frozen : "thawed");
    if (strcmp(name, "guest-get-osinfo") == 0)
        return agent->osinfo != NULL ? json_loads(agent->osinfo, 0, NULL) : NULL;
    if (strcmp(name, "guest-get-fsinfo") == 0)
        return mounts(agent);
    assert_non_null(strstr(agent->commands, allowed)); /* what is not allowed is not asked for */
    if (strcmp(name, "guest-exec") == 0)
        return exec(agent, arguments);
    if (strcmp(name, "guest-exec-status") == 0)
        return status(agent);
    if (strcmp(name, "guest-file-open") == 0)
        return open_file(agent, arguments);
    if (strcmp(name, "guest-file-read") == 0)
        return read_file(agent, arguments);
    assert_string_equal(name, "guest-file-close");
    return json_object();
}

static void reply(struct agent *agent, struct interview *interview, const char *command)
{
    json_t *asked = json_loads(command, 0, NULL), *value;
    _cleanup_(freep) char *text = NULL;

    assert_non_null(asked);
    value = answer(agent, json_string_value(json_object_get(asked, "execute")), json_object_get(asked, "arguments"));
    json_decref(asked);
    if (value != NULL) {
        json_t *object = json_pack("{s:o}", "return", value);

        text = json_dumps(object, 0);
        json_decref(object);
    }
    interview_answer(interview, text);
}

void agent_ask_all(struct agent *agent, struct interview *interview)
{
    const char *command;

    for (;;)
        switch (interview_next(interview, &command)) {
        case INTERVIEW_SEND:
            reply(agent, interview, command);
            break;
        case INTERVIEW_WAIT:
            break;
        case INTERVIEW_END:
            return;
        }
}

void list_offers(const struct guest *guest, char ret[static OFFERS_SIZE])
{
    _cleanup_(feature_texts_done) struct feature_texts features = {0};
    struct feature_text feature;
    size_t length = 0;

    ret[0] = '\0';
    assert_int_equal(guest_conclude(guest, &features), 0);
    for (size_t place = 0; feature_texts_next(&features, &place, &feature);)
        length += (size_t)snprintf(ret + length, OFFERS_SIZE - length, "%s%s/%s", length > 0 ? " " : "", feature.kind,
                                   feature.value != NULL ? feature.value : "none");
}

void assert_offers(const struct guest *guest, const char *expected)
{
    char offers[OFFERS_SIZE];

    list_offers(guest, offers);
    assert_string_equal(offers, expected);
}
