/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Templates that are written and checked, as JSON. */
#include <stdlib.h>
#include <string.h>

#include "model/template.h"
#include "report/json.h"
#include "report/json_value.h"

static const char *take_name(struct template_draft *draft, const json_t *value)
{
    if (!json_is_string(value) || !template_name_is_valid(json_string_value(value)))
        return "is no name of a template: letters, digits, \".\", \"_\" and \"-\", of which the first is a letter or a "
               "digit, "
               "64 at most";
    free(draft->name);
    draft->name = strdup(json_string_value(value));
    return draft->name != NULL ? NULL : json_out_of_memory;
}

static const char *take_max(struct template_draft *draft, const json_t *value)
{
    if (!json_is_integer(value) || json_integer_value(value) < 1 || json_integer_value(value) > TEMPLATE_MAX_LIMIT)
        return "is not a number from 1 to 64";
    draft->max = (unsigned)json_integer_value(value);
    return NULL;
}

static const char *take_bases(struct template_draft *draft, const json_t *object)
{
    static const char wrong[] = "is no object of paths by target, such as {\"vda\": \"/images/base.qcow2\"}";
    const json_t *value;
    const char *target;

    if (!json_is_object(object) || json_object_size(object) > TEMPLATE_DISKS_MAX)
        return wrong;
    json_object_foreach((json_t *)object, target, value)
    {
        if (!json_is_string(value) || json_string_value(value)[0] != '/')
            return wrong;
        if (template_draft_add_disk(draft, target, json_string_value(value), true) < 0)
            return json_out_of_memory;
    }
    return NULL;
}

static const char *take_member(void *context, const char *name, const json_t *value)
{
    struct template_draft *draft = context;

    if (strcmp(name, "name") == 0)
        return take_name(draft, value);
    if (strcmp(name, "max") == 0)
        return take_max(draft, value);
    if (strcmp(name, "bases") == 0)
        return take_bases(draft, value);
    return "is unknown; a template is written with \"name\", \"max\" and \"bases\"";
}

int json_parse_draft(const char *text, size_t length, struct template_draft *draft, char **ret_problem)
{
    return length > 0 ? json_read_members(text, length, take_member, draft, ret_problem) : 0;
}

static json_t *draft_disks(struct json_maker *maker, const struct template_draft *draft)
{
    json_t *array = json_array();

    for (size_t i = 0; i < draft->n_disks; i++) {
        json_t *disk = json_object();

        json_put(maker, disk, "target", json_text(draft->disks[i].target));
        json_put(maker, disk, "base", json_text(draft->disks[i].base));
        json_put(maker, disk, "given", json_boolean(draft->disks[i].is_given));
        json_append(maker, array, disk);
    }
    return array;
}

int json_format_draft(const struct template_draft *draft, char **ret)
{
    struct json_maker maker = {0};
    json_t *object = json_object();

    json_put(&maker, object, "name", json_text(draft->name));
    json_put(&maker, object, "machine", json_text(draft->machine));
    json_put(&maker, object, "directory", json_text(draft->directory));
    json_put(&maker, object, "text", json_text(draft->text));
    json_put(&maker, object, "disks", draft_disks(&maker, draft));
    json_put(&maker, object, "warnings", json_strings(&maker, &draft->warnings));
    return json_finish(&maker, object, ret);
}

static json_t *finding(struct json_maker *maker, const struct diag *diag)
{
    json_t *object = json_object();

    json_put(maker, object, "file", json_text(diag->file));
    json_put(maker, object, "line", diag->line > 0 ? json_count(diag->line) : json_null());
    json_put(maker, object, "message", json_text(diag->message));
    json_put(maker, object, "used", json_boolean(diag->severity != DIAG_ERROR));
    return object;
}

static json_t *trial(struct json_maker *maker, const struct template_trial *of)
{
    json_t *object = json_object();

    json_put(maker, object, "template", json_text(of->name));
    json_put(maker, object, "hypervisor", json_text(of->hypervisor));
    json_put(maker, object, "good", json_boolean(of->is_good));
    json_put(maker, object, "message", json_text(of->is_good ? NULL : of->answer));
    return object;
}

int json_format_template_check(const struct template_check *check, char **ret)
{
    struct json_maker maker = {0};
    json_t *object = json_object(), *findings = json_array(), *templates = json_array();

    for (size_t i = 0; i < check->findings->count; i++)
        json_append(&maker, findings, finding(&maker, &check->findings->items[i]));
    for (size_t i = 0; i < check->n_trials; i++)
        json_append(&maker, templates, trial(&maker, &check->trials[i]));
    json_put(&maker, object, "directory", json_text(check->directory));
    json_put(&maker, object, "findings", findings);
    json_put(&maker, object, "templates", templates);
    return json_finish(&maker, object, ret);
}
