/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which agent is asked what next is for workflow/fencing.c to say; a test asks each one for its status. */
#include "hooks/fence.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "config/secret.h"
#include "hooks/listing.h"
#include "hooks/output.h"
#include "hooks/process.h"
#include "hooks/sequence.h"
#include "service/clock.h"
#include "workflow/fencing.h"

/* The API of fence agents: action=status of a host that is off. */
#define STATUS_ON  0
#define STATUS_OFF 2

/* The fencing library ends what it says of a fault with this line; the fault itself is the line before. */
#define ADVICE "Please use '-h' for usage"

/* So many bytes of a secret at the end of a line are taken for a secret that was cut. */
#define BEGUN_MIN 3

/* What is said of all agents together; it is cut where it would be longer. */
#define FAULTS_SIZE 1024

struct fencer {
    struct event_base *base;
    struct fencer_callbacks callbacks;
    void *context;
    struct sequence_list runs;
};

struct agent {
    char *name;
    char *path;
    char *inputs[FENCE_CALL_COUNT];
};

struct run {
    struct sequence sequence;
    struct fencer *fencer;
    uint64_t number;
    char *host;
    int64_t timeout_us;
    struct agent *agents;
    size_t n_agents;
    bool is_test;
    size_t tested; /* is_test: the agent that is asked */
    struct fence_turn *turns;
    struct fencing fencing;
    struct string_list secrets; /* as output.h prints them */
    size_t longest_secret;      /* in bytes, with every byte escaped that may be where a line is cut */
    bool is_after_cut;          /* the line before was broken */
    struct moment began;        /* the agent: with off, where its status follows */
    char last_line[OUTPUT_LINE_BYTES + 1];
    char refusal[PROCESS_MESSAGE_SIZE]; /* of off, while the status is asked for */
    char faults[FAULTS_SIZE];           /* of all agents that failed */
    int error;                          /* of the last one */
};

static void wipe(char *text)
{
    if (text != NULL)
        explicit_bzero(text, strlen(text));
    free(text);
}

static void run_free(struct run *run)
{
    if (run == NULL)
        return;
    sequence_done(&run->sequence);
    for (size_t i = 0; i < run->secrets.count; i++)
        explicit_bzero(run->secrets.items[i], strlen(run->secrets.items[i]));
    string_list_done(&run->secrets);
    for (size_t i = 0; i < run->n_agents; i++) {
        for (enum fence_call call = 0; call < FENCE_CALL_COUNT; call++)
            wipe(run->agents[i].inputs[call]);
        free(run->agents[i].name);
        free(run->agents[i].path);
    }
    free(run->agents);
    free(run->turns);
    free(run->host);
    free(run);
}
DEFINE_CLEANUP(struct run, run_free);

static const struct agent *agent_of(const struct run *run)
{
    return &run->agents[run->is_test ? run->tested : run->turns[run->fencing.turn].agent];
}

static enum fence_call call_of(const struct run *run)
{
    return run->is_test ? FENCE_CALL_STATUS : run->fencing.call;
}

/* The run may be gone after this. */
static void answer(struct run *run, int error)
{
    run->fencer->callbacks.done(run->fencer->context, run->number, error, error < 0 ? run->faults : "");
    sequence_end(&run->sequence);
}

/* Marks every place of a secret, so that secrets which hold or overlap each other are found alike. */
static void mark_whole(const char *line, const char *secret, bool *is_hidden)
{
    size_t length = strlen(secret);

    for (const char *at = line; (at = strstr(at, secret)) != NULL; at++)
        memset(is_hidden + (at - line), true, length);
}

/* Marks the end of a line that breaks off within a secret, by a limit or because the agent was killed. */
static void mark_begun(const char *line, const char *secret, bool *is_hidden)
{
    size_t whole = strlen(line), end = whole, n = strlen(secret);

    /* A character that was cut stands there as escaped bytes. */
    for (unsigned i = 0; i < 3 && end >= 4 && strncmp(line + end - 4, "\\x", 2) == 0; i++)
        end -= 4;
    for (n = n > end + 1 ? end : n - 1; n >= BEGUN_MIN; n--)
        if (memcmp(line + end - n, secret, n) == 0) {
            memset(is_hidden + end - n, true, whole - end + n);
            return;
        }
}

/* Writes *** for each run of what is marked, and fewer for less. */
static void put_stars(char *line, const bool *is_hidden)
{
    size_t to = 0, run = 0;

    for (size_t from = 0; line[from] != '\0'; from++) {
        run = is_hidden[from] ? run + 1 : 0;
        if (run <= 3)
            line[to++] = run > 0 ? '*' : line[from];
    }
    line[to] = '\0';
}

/* What an agent prints when it fails may hold its options. text is at most 4 * OUTPUT_LINE_BYTES long. */
static void scrub(struct run *run, const char *text, char *ret)
{
    bool is_hidden[4 * OUTPUT_LINE_BYTES] = {0};
    size_t length = strlen(text);
    /* Judged by the length, as lines are broken between characters; that too many count as cut does no harm. */
    bool is_cut = length + 3 >= OUTPUT_LINE_BYTES;
    size_t doubtful = length < run->longest_secret ? length : run->longest_secret;

    for (size_t i = 0; i < run->secrets.count; i++) {
        mark_whole(text, run->secrets.items[i], is_hidden);
        mark_begun(text, run->secrets.items[i], is_hidden);
    }
    /* The break of a long line may stand within a secret. */
    if (run->is_after_cut)
        memset(is_hidden, true, doubtful);
    if (is_cut)
        memset(is_hidden + length - doubtful, true, doubtful);
    run->is_after_cut = is_cut;
    memcpy(ret, text, length + 1);
    put_stars(ret, is_hidden);
}

static void on_line(struct sequence *sequence, const char *text)
{
    char scrubbed[4 * OUTPUT_LINE_BYTES + 1];
    struct run *run = (struct run *)sequence;
    char line[sizeof(run->last_line)];

    scrub(run, text, scrubbed);
    snprintf(line, sizeof(line), "%.*s", (int)text_fit(scrubbed, OUTPUT_LINE_BYTES), scrubbed);
    explicit_bzero(scrubbed, sizeof(scrubbed));
    if (run->last_line[0] == '\0' || strstr(line, ADVICE) == NULL)
        memcpy(run->last_line, line, sizeof(line));
    run->fencer->callbacks.line(run->fencer->context, run->host, agent_of(run)->name, line);
}

/* "exit status 1: the switch is gone". */
static void put_words(const struct run *run, const char *message, char words[static PROCESS_MESSAGE_SIZE])
{
    snprintf(words, PROCESS_MESSAGE_SIZE, "%.*s%s%.*s", (int)text_fit(message, 200), message,
             run->last_line[0] != '\0' ? ": " : "", (int)text_fit(run->last_line, 280), run->last_line);
}

static void note_fault(struct run *run, int error, const char *agent, const char *words)
{
    size_t length = strlen(run->faults);

    run->error = error < 0 ? error : -EIO;
    snprintf(run->faults + length, sizeof(run->faults) - length, "%s%s: %s", length > 0 ? "; " : "", agent, words);
    run->faults[text_fit(run->faults, sizeof(run->faults))] = '\0';
}

/* What became of one agent. level: from 1; 0: none. */
static void report(struct run *run, const struct agent *agent, size_t level, enum fence_call call, bool has_succeeded,
                   const char *words)
{
    struct fence_report report = {
        .at = run->began,
        .took_us = clock_now().mono_us - run->began.mono_us,
        .level = (unsigned)level,
        .call = call,
        .has_succeeded = has_succeeded,
    };

    snprintf(report.agent, sizeof(report.agent), "%s", agent->name);
    snprintf(report.answer, sizeof(report.answer), "%.*s", (int)text_fit(words, sizeof(report.answer) - 1), words);
    run->fencer->callbacks.report(run->fencer->context, run->host, &report);
}

/* status: with which it ended, or -1; message: how it ended, as of struct process_callbacks, or why it did not run. */
static void end_test(struct run *run, int status, int error, const char *message)
{
    const struct agent *agent = agent_of(run);
    bool has_answered = status == STATUS_ON || status == STATUS_OFF;
    char words[PROCESS_MESSAGE_SIZE];

    put_words(run, message, words);
    if (!has_answered)
        note_fault(run, error, agent->name, words);
    report(run, agent, 0, FENCE_CALL_STATUS, has_answered,
           status == STATUS_ON    ? "on"
           : status == STATUS_OFF ? "off"
                                  : words);
    run->tested++;
}

/* To anything but a status, exit status 2 is that of a program that was called wrongly: it would be to a status as well. */
static enum fencing_answer answer_of(const struct run *run, enum fence_call call, int error)
{
    if (call == FENCE_CALL_OFF && error == -ECANCELED && sequence_exit_status(&run->sequence) == STATUS_OFF)
        return FENCING_ANSWER_UNRUN;
    if (call == FENCE_CALL_STATUS && error == -ECANCELED && sequence_exit_status(&run->sequence) == STATUS_OFF)
        return FENCING_ANSWER_OFF;
    return error == 0 ? FENCING_ANSWER_DONE : FENCING_ANSWER_FAILED;
}

static void put_answer(const struct run *run, enum fencing_outcome outcome, enum fence_call call, const char *said,
                       char words[static PROCESS_MESSAGE_SIZE])
{
    switch (outcome) {
    case FENCING_AGREED:
        snprintf(words, PROCESS_MESSAGE_SIZE, "%s", call == FENCE_CALL_ON ? "on" : "off");
        return;
    case FENCING_OFF_ONLY:
        snprintf(words, PROCESS_MESSAGE_SIZE, "off, as its status says; to off it said: %.*s",
                 (int)text_fit(run->refusal, 400), run->refusal);
        return;
    case FENCING_LIED:
        snprintf(words, PROCESS_MESSAGE_SIZE, "it says that it has switched the host off, but that it is still on");
        return;
    case FENCING_IN_DOUBT:
        snprintf(words, PROCESS_MESSAGE_SIZE, "it cannot say whether the host is off: %.*s", (int)text_fit(said, 400),
                 said);
        return;
    case FENCING_REFUSED:
    case FENCING_OPEN:
    case FENCING_OUTCOME_COUNT:
        snprintf(words, PROCESS_MESSAGE_SIZE, "%s", call == FENCE_CALL_STATUS ? run->refusal : said);
        return;
    }
}

static void end_turn(struct run *run, enum fencing_answer answer, int error, const char *message)
{
    const struct agent *agent = agent_of(run);
    enum fence_call call = call_of(run);
    size_t level = run->turns[run->fencing.turn].level + 1;
    enum fencing_outcome outcome = fencing_take(&run->fencing, answer);
    bool has_succeeded = outcome == FENCING_AGREED || outcome == FENCING_OFF_ONLY;
    char said[PROCESS_MESSAGE_SIZE], words[PROCESS_MESSAGE_SIZE];

    put_words(run, message, said);
    if (call == FENCE_CALL_OFF)
        run->error = error;
    if (outcome == FENCING_OPEN) {
        snprintf(run->refusal, sizeof(run->refusal), "%s", said);
        return;
    }
    put_answer(run, outcome, call, said, words);
    if (!has_succeeded)
        note_fault(run,
                   outcome == FENCING_LIED      ? -EIO
                   : outcome == FENCING_REFUSED ? run->error
                                                : error,
                   agent->name, words);
    report(run, agent, level, call == FENCE_CALL_ON ? call : FENCE_CALL_OFF, has_succeeded, words);
}

static void on_ended(struct sequence *sequence, int error, const char *message)
{
    struct run *run = (struct run *)sequence;

    if (run->is_test)
        end_test(run, sequence_exit_status(&run->sequence), error, message);
    else
        end_turn(run, answer_of(run, call_of(run), error), error, message);
}

/* False: the program cannot be run, and message says why. */
static bool start(struct run *run, char message[static PROCESS_MESSAGE_SIZE], int *ret_error)
{
    static char *const environment[] = {(char *)PROCESS_PATH, (char *)PROCESS_LANG, NULL};
    const struct agent *agent = agent_of(run);
    const struct program program = {
        .path = agent->path,
        .environment = environment,
        .input = agent->inputs[call_of(run)],
        .timeout_us = run->timeout_us,
    };
    char why_not[PROCESS_MESSAGE_SIZE];
    const char *why;
    int r;

    run->last_line[0] = '\0';
    run->is_after_cut = false;
    if (run->is_test || call_of(run) != FENCE_CALL_STATUS)
        run->began = clock_now();
    r = listing_check_program(agent->path, &why);
    if (r < 0) {
        snprintf(message, PROCESS_MESSAGE_SIZE, "%.300s is not run: %.150s", agent->path, why);
    } else {
        r = sequence_run(&run->sequence, &program, why_not);
        if (r < 0)
            snprintf(message, PROCESS_MESSAGE_SIZE, "%.300s %.150s", agent->path, why_not);
    }
    *ret_error = r;
    return r == 0;
}

static bool is_over(const struct run *run)
{
    return run->is_test ? run->tested == run->n_agents : run->fencing.state != FENCING_ASKING;
}

/* Programs that cannot be run are over at once. */
static void on_step(struct sequence *sequence)
{
    struct run *run = (struct run *)sequence;
    char message[PROCESS_MESSAGE_SIZE];
    int error;

    while (!is_over(run)) {
        if (start(run, message, &error))
            return;
        if (run->is_test)
            end_test(run, -1, error, message);
        else
            end_turn(run, FENCING_ANSWER_UNRUN, error, message);
    }
    if (run->is_test)
        answer(run, 0);
    else
        answer(run, run->fencing.state == FENCING_SUCCEEDED ? 0 : run->error);
}

static void free_sequence(struct sequence *sequence)
{
    run_free((struct run *)sequence);
}

static const struct sequence_type run_type = {
    .step = on_step,
    .line = on_line,
    .ended = on_ended,
    .free = free_sequence,
};

static bool has_option(const struct config_options *options, const char *name)
{
    for (size_t i = 0; i < options->count; i++)
        if (strcmp(options->items[i].name, name) == 0)
            return true;
    return false;
}

/* Options of an agent for a host, from the most general ones to those that override them all. */
#define SOURCES 4

struct options {
    const struct config_options *sources[SOURCES];
};

static struct options options_of(const struct config_fence *config, const struct config_hypervisor *host,
                                 const struct fence_agent *agent)
{
    static const struct config_options none = {0};
    const struct config_options *own = fence_host_options(host, agent->name);

    return (struct options){{&config->options, agent->options, &host->fence, own != NULL ? own : &none}};
}

static bool is_overridden(const struct options *options, size_t source, const char *name)
{
    for (size_t i = source + 1; i < SOURCES; i++)
        if (has_option(options->sources[i], name))
            return true;
    return false;
}

/* NULL: out of memory. */
static char *make_input(enum fence_call call, const struct options *options)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    bool is_lost;

    if (out == NULL)
        return NULL;
    fprintf(out, "action=%s\n", fence_call_name(call));
    for (size_t source = 0; source < SOURCES; source++)
        for (size_t i = 0; i < options->sources[source]->count; i++) {
            const struct config_option *option = &options->sources[source]->items[i];

            if (!is_overridden(options, source, option->name))
                fprintf(out, "%s=%s\n", option->name, option->value);
        }
    is_lost = ferror(out) != 0;
    if (fclose(out) != 0 || is_lost) {
        wipe(text);
        return NULL;
    }
    return text;
}

/* Noted as it will be found: bytes that are not printable are escaped in lines. */
static int note_secret(struct run *run, const char *secret)
{
    size_t length = strlen(secret), size = 4 * length + 1, worst = 0;
    char *printable = malloc(size);
    int r;

    if (printable == NULL)
        return -ENOMEM;
    text_make_printable(secret, length, printable, size);
    r = string_list_add(&run->secrets, printable);
    wipe(printable);
    for (size_t i = 0; i < length; i++)
        worst += (unsigned char)secret[i] < 0x80 ? 1 : 4;
    if (worst > run->longest_secret)
        run->longest_secret = worst;
    return r;
}

static int note_secrets(struct run *run, const struct config_options *options)
{
    for (size_t i = 0; i < options->count; i++) {
        const struct config_option *option = &options->items[i];

        if (secret_is_name(option->name) && option->value[0] != '\0' && note_secret(run, option->value) < 0)
            return -ENOMEM;
    }
    return 0;
}

static int prepare_agent(struct run *run, const struct config_fence *config, const struct config_hypervisor *host,
                         const struct fence_agent *from)
{
    const struct options options = options_of(config, host, from);
    struct agent *agent = &run->agents[run->n_agents++];

    agent->name = strdup(from->name);
    agent->path = strdup(from->command);
    if (agent->name == NULL || agent->path == NULL)
        return -ENOMEM;
    for (enum fence_call call = 0; call < FENCE_CALL_COUNT; call++) {
        agent->inputs[call] = make_input(call, &options);
        if (agent->inputs[call] == NULL)
            return -ENOMEM;
    }
    for (size_t i = 0; i < SOURCES; i++)
        if (note_secrets(run, options.sources[i]) < 0)
            return -ENOMEM;
    return 0;
}

static int prepare_turns(struct run *run, const struct config_fence *config)
{
    size_t n = fence_turn_count(config);

    run->turns = calloc(n + 1, sizeof(*run->turns));
    if (run->turns == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        run->turns[i] = fence_turn_at(config, i);
    run->fencing = (struct fencing){
        .turns = run->turns, .n_turns = n, .action = config->action, .is_confirmed = config->is_confirmed};
    fencing_begin(&run->fencing);
    return 0;
}

/* The agents from `first` on, `n` of them. NULL: no memory. */
static struct run *run_new(struct fencer *fencer, uint64_t number, const struct config_hypervisor *host,
                           const struct config_fence *config, size_t first, size_t n)
{
    _cleanup_(run_freep) struct run *run = calloc(1, sizeof(*run));

    if (run == NULL)
        return NULL;
    run->fencer = fencer;
    run->number = number;
    run->timeout_us = config->timeout_us;
    run->host = strdup(host->name);
    run->agents = calloc(n + 1, sizeof(*run->agents));
    if (run->host == NULL || run->agents == NULL || sequence_init(&run->sequence, fencer->base, &run_type) < 0)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        const struct fence_agent agent = fence_agent_at(config, first + i);

        if (prepare_agent(run, config, host, &agent) < 0)
            return NULL;
    }
    return steal_pointer(&run);
}

int fencer_run(struct fencer *fencer, uint64_t number, const struct config_hypervisor *host,
               const struct config_fence *config)
{
    _cleanup_(run_freep) struct run *run = run_new(fencer, number, host, config, 0, fence_agent_count(config));

    if (run == NULL || prepare_turns(run, config) < 0)
        return -ENOMEM;
    sequence_begin(&run->sequence, &fencer->runs);
    run = NULL;
    return 0;
}

int fencer_test(struct fencer *fencer, uint64_t number, const struct config_hypervisor *host,
                const struct config_fence *config, const char *agent)
{
    size_t first = 0, n = agent != NULL ? 1 : fence_agent_count(config);
    _cleanup_(run_freep) struct run *run = NULL;

    if (agent != NULL && fence_agent_find(config, agent, &first) < 0)
        return -ENOENT;
    run = run_new(fencer, number, host, config, first, n);
    if (run == NULL)
        return -ENOMEM;
    run->is_test = true;
    sequence_begin(&run->sequence, &fencer->runs);
    run = NULL;
    return 0;
}

int fencer_new(struct event_base *base, const struct fencer_callbacks *callbacks, void *context, struct fencer **ret)
{
    struct fencer *fencer = calloc(1, sizeof(*fencer));

    if (fencer == NULL)
        return -ENOMEM;
    fencer->base = base;
    fencer->callbacks = *callbacks;
    fencer->context = context;
    LIST_INIT(&fencer->runs);
    *ret = fencer;
    return 0;
}

size_t fencer_count(const struct fencer *fencer)
{
    return sequence_list_count(&fencer->runs);
}

void fencer_free(struct fencer *fencer)
{
    if (fencer == NULL)
        return;
    sequence_list_free(&fencer->runs);
    free(fencer);
}
