/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * understudyctl report: what a bug report needs, in one text that a person can read through before it is sent. Parts that
 * cannot be had are left out, and say why. Secrets are masked.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/text.h"
#include "config/secret.h"
#include "config/show.h"
#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/field.h"
#include "ctl/message.h"
#include "files/text_file.h"
#include "report/time.h"

#define PATIENCE_MS       10000
#define LATEST_RECOVERIES "/v1/recoveries?limit=20"
#define JOURNAL_LINES     "2000"

extern char **environ;

static const char config_default[] = UNDERSTUDY_SYSCONFDIR "/understudy/understudy.yaml";

static void put_heading(FILE *f, const char *title)
{
    fprintf(f, "\n==== %s ====\n", title);
}

/* Each line printable, and with the passwords of URIs masked. */
static void put_text(FILE *f, const char *text)
{
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        _cleanup_(freep) char *line = format_text("%.*s", (int)length, text);
        _cleanup_(freep) char *masked = secret_mask_uris(line),
                              *printable = masked != NULL ? text_printable(masked) : NULL;

        if (printable == NULL)
            die_of_memory();
        fprintf(f, "%s\n", printable);
        text += length + (text[length] == '\n');
    }
}

static void put_answer(FILE *f, struct client *client, const char *path)
{
    _cleanup_(json_decrefp) json_t *answer = NULL;
    _cleanup_(freep) char *text = NULL;

    put_heading(f, path);
    if (client_try_get(client, &answer, path) < 0) {
        fputs("no answer\n", f);
        return;
    }
    text = json_dumps(answer, JSON_INDENT(1) | JSON_REAL_PRECISION(12));
    if (text == NULL)
        die_of_memory();
    put_text(f, text);
}

/* What a program prints. NULL: it cannot be run. */
static char *output_of(const char *const *command)
{
    posix_spawn_file_actions_t actions;
    char *text = NULL, buffer[4096];
    size_t size = 0;
    int fds[2], status;
    ssize_t n;
    pid_t child;
    FILE *out;

    if (pipe2(fds, O_CLOEXEC) < 0)
        return NULL;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, fds[1], STDERR_FILENO);
    status = posix_spawnp(&child, command[0], &actions, NULL, (char *const *)command, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(fds[1]);
    out = status == 0 ? open_memstream(&text, &size) : NULL;
    while (out != NULL && (n = read(fds[0], buffer, sizeof(buffer))) > 0)
        fwrite(buffer, 1, (size_t)n, out);
    close(fds[0]);
    if (out != NULL && fclose(out) != 0)
        die_of_memory();
    if (status == 0)
        waitpid(child, &status, 0);
    return text;
}

static void put_output(FILE *f, const char *title, const char *const *command)
{
    _cleanup_(freep) char *text = output_of(command);

    put_heading(f, title);
    put_text(f, text != NULL ? text : "cannot be run\n");
}

static void put_file(FILE *f, const char *path)
{
    _cleanup_(diags_done) struct diags diags = {0};
    _cleanup_(freep) char *text = NULL;
    size_t length;

    put_heading(f, path);
    if (text_file_read(path, &diags, &text, &length) < 0)
        fputs("cannot be read\n", f);
    else
        put_text(f, text);
}

/* Of the daemon, or where it is by default. */
static char *find_configuration(struct client *client)
{
    _cleanup_(json_decrefp) json_t *status = NULL;
    const char *path = client_try_get(client, &status, "/v1/status") == 0 ? field_text(status, "config_file") : NULL;

    return format_text("%s", path != NULL ? path : config_default);
}

/* As understudyd --show-config. The secrets are remembered, so that they are found elsewhere as well. */
static void put_configuration(FILE *f, const char *path, struct string_list *secrets)
{
    _cleanup_(diags_done) struct diags diags = {0};
    _cleanup_(freep) char *text = NULL, *title = format_text("%s, with all defaults", path);
    size_t length = 0;
    int r = text_file_read(path, &diags, &text, &length);

    put_heading(f, title);
    if (r == 0)
        r = config_show(f, text, length, path, &diags);
    if (r < 0)
        fprintf(f, "cannot be shown: %s%s\n", strerrordesc_np(-r), r == -EACCES ? " (as root it can)" : "");
    if (text != NULL && config_list_secrets(text, length, secrets) < 0)
        die_of_memory();
}

static void put_versions(FILE *f, struct client *client)
{
    _cleanup_(json_decrefp) json_t *status = NULL;
    bool answers = client_try_get(client, &status, "/v1/status") == 0;
    struct utsname name;
    char now[TIME_TEXT_SIZE];

    time_format((int64_t)time(NULL) * 1000000, now);
    fprintf(f, "understudy report of %s. Secrets are masked; read it through before you send it.\n", now);
    fprintf(f, "understudyctl %s\nunderstudyd %s\n", UNDERSTUDY_VERSION,
            answers ? field_word(status, "version") : "no answer");
    if (uname(&name) == 0)
        fprintf(f, "%s %s %s\n", name.sysname, name.release, name.machine);
}

static void put_all(FILE *f, struct client *client, struct string_list *secrets)
{
    static const char *const paths[] = {
        "/v1/status", "/v1/problems", "/v1/services", "/v1/machines", "/v1/holds", LATEST_RECOVERIES,
    };
    static const char *const journal[] = {"journalctl", "--no-pager",  "-q", "-u",        "understudyd",
                                          "-n",         JOURNAL_LINES, "-o", "short-iso", NULL};
    static const char *const libvirtd[] = {"libvirtd", "--version", NULL};

    _cleanup_(freep) char *configuration = find_configuration(client);

    put_versions(f, client);
    put_output(f, "libvirt", libvirtd);
    put_file(f, "/etc/os-release");
    put_configuration(f, configuration, secrets);
    for (size_t i = 0; i < ELEMENTS_OF(paths); i++)
        put_answer(f, client, paths[i]);
    put_output(f, "journal", journal);
}

static void mask(char *text, const struct string_list *secrets)
{
    for (size_t i = 0; i < secrets->count; i++)
        for (char *at = text; (at = strstr(at, secrets->items[i])) != NULL;)
            memset(at, SECRET_MASK[0], strlen(secrets->items[i]));
}

/* All of it, masked. Caller frees. */
static char *make_report(struct client *client)
{
    _cleanup_(string_list_done) struct string_list secrets = {0};
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    if (f == NULL)
        die_of_memory();
    put_all(f, client, &secrets);
    if (fclose(f) != 0)
        die_of_memory();
    mask(text, &secrets);
    return text;
}

/* A file for its owner alone; one that is there already is left alone. */
static int write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;

    if (f == NULL || fputs(text, f) == EOF || fclose(f) != 0) {
        complain("cannot write %s: %s", path, strerrordesc_np(errno));
        return -EIO;
    }
    return 0;
}

static int run(struct client *client, const struct ctl_options *options, const char *argument)
{
    _cleanup_(freep) char *text = NULL;

    (void)options;
    client_set_patience(client, PATIENCE_MS);
    text = make_report(client);
    if (argument == NULL)
        fputs(text, stdout);
    else if (write_file(argument, text) < 0)
        return EXIT_FAILURE;
    else
        printf("The report is in %s; read it through before you send it.\n", argument);
    return EXIT_SUCCESS;
}

const struct command command_report = {
    .name = "report",
    .argument = "FILE",
    .argument_optional = true,
    .help = "what a bug report needs, secrets masked",
    .run = run,
};
