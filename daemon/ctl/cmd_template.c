/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* understudyctl template: writes one from a machine, as the user who runs it, and checks those on disk. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/field.h"
#include "ctl/message.h"
#include "ctl/new_file.h"
#include "ctl/print.h"

/* Longer than a call to libvirt is given by default, and many templates may be asked for; see --timeout. */
#define TIMEOUT_MS 600000

static int64_t timeout_of(const struct ctl_options *options)
{
    return options->timeout_ms > 0 ? options->timeout_ms : TIMEOUT_MS;
}

/* ---- check ---- */

/* Returns how many files are not used. */
static size_t print_findings(const json_t *findings, bool is_silent)
{
    size_t n = 0;

    for (size_t i = 0; i < json_array_size(findings); i++) {
        const json_t *finding = json_array_get(findings, i);
        _cleanup_(freep) char *line = field_is_null(finding, "line")
                                          ? format_text("%s", "")
                                          : format_text(":%lld", (long long)field_integer(finding, "line"));
        bool is_used = field_true(finding, "used");

        n += !is_used;
        if (!is_silent)
            print_styled(is_used ? STYLE_NOTABLE : STYLE_BAD, "%s%s: %s\n", field_word(finding, "file"), line,
                         field_word(finding, "message"));
    }
    return n;
}

/* Returns of how many nothing could be made. */
static size_t print_templates(const json_t *templates, bool is_silent)
{
    size_t n = 0;

    for (size_t i = 0; i < json_array_size(templates); i++) {
        const json_t *template = json_array_get(templates, i);
        bool is_good = field_true(template, "good");

        n += !is_good;
        if (!is_silent)
            print_styled(is_good ? STYLE_GOOD : STYLE_BAD, "%s on %s: %s\n", field_word(template, "template"),
                         field_word(template, "hypervisor"), is_good ? "good" : field_word(template, "message"));
    }
    return n;
}

static int check(struct client *client, const struct ctl_options *options)
{
    _cleanup_(json_decrefp) json_t *answer = NULL;
    const json_t *findings, *templates;
    size_t n_wrong;
    int r = client_post(client, NULL, timeout_of(options), &answer, "/v1/templates/check", NULL);

    if (r < 0)
        return client_exit_status(r);
    findings = json_object_get(answer, "findings");
    templates = json_object_get(answer, "templates");
    if (options->json)
        print_json(answer);
    n_wrong = print_findings(findings, options->json) + print_templates(templates, options->json);
    if (!options->json && json_array_size(findings) + json_array_size(templates) == 0)
        print_styled(STYLE_PLAIN, "There is no template: %s has no file NAME.xml.\n", field_word(answer, "directory"));
    return n_wrong > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* ---- writing one ---- */

/* NULL: a word is no UTF-8, which is told. */
static json_t *make_body(const struct ctl_options *options, const char *name)
{
    _cleanup_(json_decrefp) json_t *body = json_object(), *bases = json_object();
    bool is_text = body != NULL && bases != NULL;

    for (size_t i = 0; is_text && i < options->n_bases; i++) {
        const char *path = strchr(options->bases[i], '=') + 1;
        _cleanup_(freep) char *target = format_text("%.*s", (int)(path - 1 - options->bases[i]), options->bases[i]);

        is_text = json_object_set_new(bases, target, json_string(path)) == 0;
    }
    if (!is_text || json_object_set_new(body, "name", json_string(name)) < 0 ||
        json_object_set(body, "bases", bases) < 0 ||
        (options->max > 0 && json_object_set_new(body, "max", json_integer(options->max)) < 0)) {
        complain("a name is no UTF-8");
        return NULL;
    }
    return steal_pointer(&body);
}

static void print_written(const struct ctl_options *options, const json_t *answer, const char *path)
{
    const json_t *disks = json_object_get(answer, "disks"), *warnings = json_object_get(answer, "warnings");

    print_styled(STYLE_GOOD, "The template %s is written to %s.\n", field_word(answer, "name"), path);
    for (size_t i = 0; i < json_array_size(disks); i++)
        print_styled(STYLE_PLAIN, "disk %s: base image %s\n", field_word(json_array_get(disks, i), "target"),
                     field_word(json_array_get(disks, i), "base"));
    for (size_t i = 0; i < json_array_size(warnings); i++)
        print_styled(STYLE_NOTABLE, "%s\n", json_string_value(json_array_get(warnings, i)));
    if (options->output != NULL)
        print_styled(STYLE_PLAIN, "Next: copy it to %s\n", field_word(answer, "directory"));
    else
        print_styled(STYLE_PLAIN,
                     "Next: understudyctl template check, understudyctl reload, and understudyctl explain %s\n",
                     options->from);
}

static int print_text(const json_t *answer, const char *text)
{
    const json_t *warnings = json_object_get(answer, "warnings");

    for (size_t i = 0; i < json_array_size(warnings); i++)
        complain("%s", json_string_value(json_array_get(warnings, i)));
    return fputs(text, stdout) == EOF ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* The file belongs to who runs this: the daemon writes none of them. */
static int take_text(const struct ctl_options *options, const json_t *answer, const char *text)
{
    bool is_printed = options->output != NULL && strcmp(options->output, "-") == 0;
    _cleanup_(freep) char *path =
        options->output != NULL ? format_text("%s", options->output)
                                : format_text("%s/%s.xml", field_word(answer, "directory"), field_word(answer, "name"));

    if (!is_printed && new_file_write(path, text, options->output == NULL, options->force) < 0)
        return EXIT_FAILURE;
    if (options->json)
        print_json(answer);
    else if (is_printed)
        return print_text(answer, text);
    else
        print_written(options, answer, path);
    return EXIT_SUCCESS;
}

static int write_one(struct client *client, const struct ctl_options *options, const char *name)
{
    _cleanup_(json_decrefp) json_t *body = make_body(options, name);
    _cleanup_(json_decrefp) json_t *answer = NULL;
    const char *text;
    int r;

    if (body == NULL)
        return EXIT_USAGE;
    r = client_post(client, body, timeout_of(options), &answer, "/v1/machines/{}/template", options->from);
    if (r < 0)
        return client_exit_status(r);
    text = field_text(answer, "text");
    if (text == NULL) {
        complain("understudyd gave no text");
        return EXIT_FAILURE;
    }
    return take_text(options, answer, text);
}

static int run(struct client *client, const struct ctl_options *options, const char *argument)
{
    bool writes =
        options->from != NULL || options->n_bases > 0 || options->max > 0 || options->output != NULL || options->force;

    if (strcmp(argument, "check") == 0 && writes)
        complain("template check writes nothing: it takes --timeout alone, and no template is called check");
    else if (strcmp(argument, "check") == 0)
        return check(client, options);
    else if (options->from == NULL)
        complain("usage: understudyctl template check, or understudyctl template NAME --from MACHINE");
    else
        return write_one(client, options, argument);
    return EXIT_USAGE;
}

const struct command command_template = {
    .name = "template",
    .argument = "check|NAME",
    .options = OPTION_FROM | OPTION_BASE | OPTION_MAX | OPTION_OUTPUT | OPTION_FORCE | OPTION_TIMEOUT,
    .help = "write a template from a machine; check those on disk",
    .run = run,
};
