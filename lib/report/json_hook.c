/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hooks that were run for a test, as JSON. */
#include <stdlib.h>
#include <string.h>

#include "base/moment.h"
#include "report/json.h"
#include "report/json_value.h"

int json_format_hook_test_notice(struct moment now, const char *text, char **ret)
{
    struct json_maker maker = {0};
    json_t *object = json_object();

    json_put(&maker, object, "kind", json_text("test"));
    json_put(&maker, object, "at", json_instant(now));
    json_put(&maker, object, "text", json_text(text));
    return json_finish(&maker, object, ret);
}

int json_format_hook_tests(const struct hook_test *tests, size_t n, char **ret)
{
    struct json_maker maker = {0};
    json_t *object = json_object(), *array = json_array();

    for (size_t i = 0; i < n; i++) {
        json_t *tested = json_object();

        json_put(&maker, tested, "hook", json_text(tests[i].hook));
        json_put(&maker, tested, "took_ms", json_number((double)tests[i].took_us / (double)USEC_PER_MSEC));
        json_put(&maker, tested, "succeeded", json_boolean(tests[i].has_succeeded));
        json_put(&maker, tested, "answer", json_text(tests[i].answer[0] != '\0' ? tests[i].answer : NULL));
        json_append(&maker, array, tested);
    }
    json_put(&maker, object, "hooks", array);
    return json_finish(&maker, object, ret);
}

static const char *take_hook(void *context, const char *name, const json_t *value)
{
    char **hook = context;

    if (strcmp(name, "hook") != 0)
        return "is unknown; a test has \"hook\"";
    if (!json_is_string(value))
        return "is no text";
    free(*hook);
    *hook = strdup(json_string_value(value));
    return *hook != NULL ? NULL : json_out_of_memory;
}

int json_parse_hook_test(const char *text, size_t length, char **ret_hook, char **ret_problem)
{
    return length > 0 ? json_read_members(text, length, take_hook, ret_hook, ret_problem) : 0;
}
