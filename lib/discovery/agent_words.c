/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Commands and answers of the guest agent, as JSON. */
#include "discovery/agent_words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* An answer has some hundreds. */
#define VALUES_MAX 20000

/* Takes arguments, which may be NULL. */
static char *print(const char *name, json_t *arguments)
{
    _cleanup_(json_decrefp) json_t *command = arguments != NULL
                                                  ? json_pack("{s:s, s:o}", "execute", name, "arguments", arguments)
                                                  : json_pack("{s:s}", "execute", name);

    return command != NULL ? json_dumps(command, JSON_COMPACT) : NULL;
}

char *agent_command(const char *name)
{
    return print(name, NULL);
}

char *agent_command_exec(const char *const *arguments)
{
    json_t *array = json_array(), *command;

    for (size_t i = 1; arguments[i] != NULL; i++)
        if (json_array_append_new(array, json_string(arguments[i])) < 0) {
            json_decref(array);
            return NULL;
        }
    command = json_pack("{s:s, s:o, s:b}", "path", arguments[0], "arg", array, "capture-output", 1);
    return command != NULL ? print("guest-exec", command) : NULL;
}

char *agent_command_exec_status(int64_t pid)
{
    json_t *arguments = json_pack("{s:I}", "pid", (json_int_t)pid);

    return arguments != NULL ? print("guest-exec-status", arguments) : NULL;
}

char *agent_command_open(const char *path)
{
    json_t *arguments = json_pack("{s:s, s:s}", "path", path, "mode", "r");

    return arguments != NULL ? print("guest-file-open", arguments) : NULL;
}

char *agent_command_read(int64_t handle, int64_t count)
{
    json_t *arguments = json_pack("{s:I, s:I}", "handle", (json_int_t)handle, "count", (json_int_t)count);

    return arguments != NULL ? print("guest-file-read", arguments) : NULL;
}

char *agent_command_close(int64_t handle)
{
    json_t *arguments = json_pack("{s:I}", "handle", (json_int_t)handle);

    return arguments != NULL ? print("guest-file-close", arguments) : NULL;
}

/* Each value costs a hundred times what it takes in the text. */
static bool is_monstrous(const char *answer)
{
    size_t n = 0;

    for (; *answer != '\0'; answer++)
        n += *answer == '{' || *answer == '[' || *answer == ',';
    return n > VALUES_MAX;
}

json_t *agent_read_answer(const char *answer)
{
    _cleanup_(json_decrefp) json_t *object =
        !is_monstrous(answer) ? json_loads(answer, JSON_REJECT_DUPLICATES, NULL) : NULL;

    return json_incref(json_object_get(object, "return"));
}

const char *agent_text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

bool agent_knows(const json_t *info, const char *command)
{
    const json_t *commands = json_object_get(info, "supported_commands");

    for (size_t i = 0; i < json_array_size(commands); i++) {
        const json_t *one = json_array_get(commands, i);
        const char *name = agent_text(one, "name");

        if (name != NULL && strcmp(name, command) == 0)
            return json_is_true(json_object_get(one, "enabled"));
    }
    return false;
}

void agent_text_done(struct agent_text *text)
{
    free(text->text);
    *text = (struct agent_text){0};
}

/* -1: no digit. */
static int digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c != '\0' ? strchr(digits, c) : NULL;

    return at != NULL ? (int)(at - digits) : -1;
}

int agent_text_add(struct agent_text *text, const char *base64, size_t limit)
{
    size_t length = strlen(base64), room = length / 4 * 3, pads;
    char *grown;

    if (length % 4 != 0)
        return -EINVAL;
    if (text->length + room > limit)
        return -EFBIG;
    grown = realloc(text->text, text->length + room + 1);
    if (grown == NULL)
        return -ENOMEM;
    text->text = grown;
    pads = length > 0 ? (size_t)(base64[length - 1] == '=') + (base64[length - 2] == '=') : 0;
    for (size_t i = 0; i < length; i += 4) {
        uint32_t word = 0;

        for (size_t k = 0; k < 4; k++) {
            int value = i + k >= length - pads ? 0 : digit(base64[i + k]);

            if (value < 0)
                return -EINVAL;
            word = word << 6 | (uint32_t)value;
        }
        for (size_t k = 0; k < 3; k++)
            text->text[text->length + i / 4 * 3 + k] = (char)(word >> (16 - 8 * k));
    }
    text->length += room - pads;
    return 0;
}
