/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A copy writes its result, an errno as four bytes and then the text, into a pipe, and ends; that end is what is waited for. */
#include "api/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/queue.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>

#include "api/pending.h"
#include "api/reply.h"

#define ANSWER_MAX (64 * 1024 * 1024) /* bytes */
#define READ_BYTES (1024 * 1024)      /* at once, and of the pipe */

struct copy {
    LIST_ENTRY(copy) link;
    struct copies *copies;
    struct pending *pending; /* NULL: `made` takes the answer */
    copy_made *made;
    void *token;
    struct evbuffer *answer;
    struct event *readable;
    pid_t pid; /* not reaped yet, so no other process has it */
    int fd;
};

struct copies {
    struct event_base *base;
    const struct api_backend *backend;
    void *context;
    struct pending_list pending;
    LIST_HEAD(, copy) all;
    unsigned count; /* of those that answer a request */
};

int copies_new(struct event_base *base, const struct api_backend *backend, void *context, struct copies **ret)
{
    struct copies *copies = calloc(1, sizeof(*copies));

    if (copies == NULL)
        return -ENOMEM;
    copies->base = base;
    copies->backend = backend;
    copies->context = context;
    LIST_INIT(&copies->pending);
    LIST_INIT(&copies->all);
    *ret = copies;
    return 0;
}

static void free_copy(struct copy *copy)
{
    LIST_REMOVE(copy, link);
    copy->copies->count -= copy->made == NULL;
    if (copy->readable != NULL)
        event_free(copy->readable);
    if (copy->answer != NULL)
        evbuffer_free(copy->answer);
    close(copy->fd);
    free(copy);
}

/* How it ended, as of waitpid. */
static int reap(const struct copy *copy)
{
    int status;

    while (waitpid(copy->pid, &status, 0) < 0)
        if (errno != EINTR)
            return SIGKILL; /* how it ended is not known */
    return status;
}

static void end_copy(struct copy *copy)
{
    (void)kill(copy->pid, SIGKILL);
    (void)reap(copy);
    free_copy(copy);
}

void copies_free(struct copies *copies)
{
    if (copies == NULL)
        return;
    while (!LIST_EMPTY(&copies->all)) {
        if (LIST_FIRST(&copies->all)->pending != NULL)
            pending_forget(LIST_FIRST(&copies->all)->pending);
        end_copy(LIST_FIRST(&copies->all));
    }
    free(copies);
}

/* ---- in the copy ---- */

/* What the process had open is the original's: only the way back stays, and where messages of the C library go. */
static int become_alone(int *fd)
{
    static const int handled[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGALRM};
    sigset_t none;

    /* Handlers of the original would speak to its event loop. */
    for (size_t i = 0; i < ELEMENTS_OF(handled); i++)
        (void)signal(handled[i], SIG_DFL);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    if (dup2(*fd, STDIN_FILENO) < 0 || close_range(STDERR_FILENO + 1, ~0U, 0) < 0)
        return -errno;
    *fd = STDIN_FILENO;
    if (fcntl(*fd, F_SETFL, 0) < 0)
        return -errno;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)alarm(COPY_SECONDS);
    return 0;
}

static bool write_all(int fd, const void *data, size_t size)
{
    const char *next = data;

    while (size > 0) {
        ssize_t written = write(fd, next, size);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        next += written;
        size -= (size_t)written;
    }
    return true;
}

static _Noreturn void live(int fd, copy_make *make, void *context)
{
    char *text = NULL;
    int32_t error;
    bool is_written;

    if (become_alone(&fd) < 0)
        _exit(EXIT_FAILURE);
    error = make(context, &text);
    is_written = write_all(fd, &error, sizeof(error)) && (text == NULL || write_all(fd, text, strlen(text)));
    _exit(is_written ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* ---- in the original ---- */

/* The words behind the errno; NULL: none, or no memory. */
static char *take_text(struct evbuffer *answer)
{
    size_t length = evbuffer_get_length(answer);
    char *text = length > 0 ? malloc(length + 1) : NULL;

    if (text == NULL)
        return NULL;
    evbuffer_remove(answer, text, length);
    text[length] = '\0';
    return text;
}

/* Takes the text. */
static void hand_over(struct copy *copy, int error, char *taken)
{
    _cleanup_(freep) char *text = taken;

    if (copy->made != NULL)
        copy->made(copy->token, error, steal_pointer(&text));
    else if (error > 0)
        pending_refuse(copy->pending, error, text != NULL ? text : "it cannot be done", NULL);
    else if (error < 0)
        pending_end(copy->pending, error, text != NULL ? text : strerror(-error));
    else
        pending_answer(copy->pending, steal_pointer(&text));
}

static void finish(struct copy *copy)
{
    int status = reap(copy);
    bool was_too_slow = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
    int32_t error = -EIO;

    if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_SUCCESS ||
        evbuffer_remove(copy->answer, &error, sizeof(error)) != (int)sizeof(error))
        hand_over(copy, was_too_slow ? -ETIMEDOUT : -EIO,
                  strdup(was_too_slow ? "this takes too long to be worked out" : "this could not be worked out"));
    else
        hand_over(copy, error, take_text(copy->answer));
    free_copy(copy);
}

static void on_readable(int fd, short what, void *context)
{
    struct copy *copy = context;
    int n = evbuffer_read(copy->answer, fd, READ_BYTES);

    (void)what;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (evbuffer_get_length(copy->answer) > ANSWER_MAX) {
        hand_over(copy, -EIO, strdup("this is more than can be answered"));
        end_copy(copy);
    } else if (n <= 0) {
        finish(copy);
    }
}

/* Takes the descriptor. Nothing runs yet. NULL: no memory. */
static struct copy *copy_new(struct copies *copies, int fd, copy_made *made, void *token)
{
    struct copy *copy = calloc(1, sizeof(*copy));

    if (copy == NULL) {
        close(fd);
        return NULL;
    }
    *copy = (struct copy){.copies = copies, .made = made, .token = token, .fd = fd};
    LIST_INSERT_HEAD(&copies->all, copy, link);
    copies->count += made == NULL;
    copy->answer = evbuffer_new();
    copy->readable = event_new(copies->base, fd, EV_READ | EV_PERSIST, on_readable, copy);
    if (copy->answer != NULL && copy->readable != NULL && event_add(copy->readable, NULL) == 0)
        return copy;
    free_copy(copy);
    return NULL;
}

/* NULL: there can be none now. */
static struct copy *copy_off(struct copies *copies, copy_make *make, void *context, copy_made *made, void *token)
{
    struct copy *copy;
    int ends[2];

    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return NULL;
    copy = copy_new(copies, ends[0], made, token);
    if (copy == NULL) {
        close(ends[1]);
        return NULL;
    }
    (void)fcntl(ends[1], F_SETPIPE_SZ, READ_BYTES); /* a smaller one only takes longer */
    copy->pid = fork();
    if (copy->pid == 0)
        live(ends[1], make, context);
    close(ends[1]);
    if (copy->pid > 0)
        return copy;
    free_copy(copy);
    return NULL;
}

void copies_answer(struct copies *copies, struct evhttp_request *request, enum api_rights rights, copy_make *make,
                   void *context)
{
    struct copy *copy;

    if (copies->count >= (rights == API_ACT ? COPIES_MAX : COPIES_MAX - 1)) {
        reply_error(request, HTTP_SERVUNAVAIL, "others are being worked out already", "ask again in a moment");
        return;
    }
    if (copies->backend->is_disk_silent(copies->context)) {
        reply_error(request, HTTP_SERVUNAVAIL, "this is not worked out while the disk of state_dir is silent",
                    "understudyctl problems");
        return;
    }
    copy = copy_off(copies, make, context, NULL, NULL);
    if (copy == NULL) {
        reply_error(request, HTTP_SERVUNAVAIL, "there is no memory, or no descriptor, to work it out", NULL);
        return;
    }
    copy->pending = pending_begin(&copies->pending, request, "");
    if (copy->pending == NULL)
        end_copy(copy);
}

int copies_make(struct copies *copies, copy_make *make, void *context, copy_made *made, void *token)
{
    if (copies->backend->is_writing(copies->context))
        return -EBUSY;
    return copy_off(copies, make, context, made, token) != NULL ? 0 : -EAGAIN;
}
