/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * curl in its simplest form: one transfer at a time. Of the two sockets of the daemon, what only looks goes to the first
 * that the user may open, and an order goes to the one that takes orders.
 */
#include "ctl/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "config/socket_path.h"
#include "ctl/ctl.h"
#include "ctl/field.h"
#include "ctl/message.h"

#define REQUEST_TIMEOUT_MS 60000
#define TRY_AGAIN_MS       200

/* An answer, as it comes in. */
struct text {
    char *bytes;
    size_t length;
};

struct client {
    CURL *curl;
    const char *socket;
    char *read_only;    /* the socket beside it, which only reads */
    bool is_read_only;  /* that is the one that the user may open */
    int64_t timeout_ms; /* of a GET */
};

static void text_done(struct text *text)
{
    free(text->bytes);
}

static void text_append(struct text *text, const char *bytes, size_t length)
{
    char *grown = realloc(text->bytes, text->length + length + 1);

    if (grown == NULL)
        die_of_memory();
    memcpy(grown + text->length, bytes, length);
    text->bytes = grown;
    text->length += length;
    text->bytes[text->length] = '\0';
}

struct client *client_new(const char *socket)
{
    struct client *client = calloc(1, sizeof(*client));

    if (client == NULL || (client->curl = curl_easy_init()) == NULL ||
        (client->read_only = socket_path_read_only(socket)) == NULL)
        die_of_memory();
    client->socket = socket;
    client->timeout_ms = REQUEST_TIMEOUT_MS;
    return client;
}

const char *client_socket(const struct client *client)
{
    return client->socket;
}

void client_set_patience(struct client *client, int64_t timeout_ms)
{
    client->timeout_ms = timeout_ms;
}

void client_free(struct client *client)
{
    if (client == NULL)
        return;
    curl_easy_cleanup(client->curl);
    free(client->read_only);
    free(client);
}

static size_t on_body(char *bytes, size_t size, size_t n, void *context)
{
    text_append(context, bytes, size * n);
    return size * n;
}

static char *escape(struct client *client, const char *text)
{
    char *escaped = curl_easy_escape(client->curl, text, 0);

    if (escaped == NULL)
        die_of_memory();
    return escaped;
}

char *client_query(struct client *client, char separator, const char *name, const char *value)
{
    char *escaped, *query;

    if (value == NULL)
        return format_text("%s", "");
    escaped = escape(client, value);
    query = format_text("%c%s=%s", separator, name, escaped);
    curl_free(escaped);
    return query;
}

/* path holds at most one "{}", where the encoded segment goes. */
static char *make_url(struct client *client, const char *path, const char *segment)
{
    const char *hole = strstr(path, "{}");
    char *escaped, *url;

    if (hole == NULL)
        return format_text("http://localhost%s", path);
    escaped = escape(client, segment);
    url = format_text("http://localhost%.*s%s%s", (int)(hole - path), path, escaped, hole + strlen("{}"));
    curl_free(escaped);
    return url;
}

static void choose_socket(struct client *client, bool acts)
{
    curl_easy_setopt(client->curl, CURLOPT_UNIX_SOCKET_PATH,
                     client->is_read_only && !acts ? client->read_only : client->socket);
}

static void prepare(struct client *client, const char *url, int64_t timeout_ms)
{
    curl_easy_reset(client->curl);
    curl_easy_setopt(client->curl, CURLOPT_URL, url);
    curl_easy_setopt(client->curl, CURLOPT_PROXY, "");
    curl_easy_setopt(client->curl, CURLOPT_PATH_AS_IS, 1L); /* a machine may be called ".." */
    curl_easy_setopt(client->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(client->curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(client->curl, CURLOPT_USERAGENT, "understudyctl/" UNDERSTUDY_VERSION);
}

static bool is_denied(struct client *client, CURLcode code)
{
    long error = 0;

    curl_easy_getinfo(client->curl, CURLINFO_OS_ERRNO, &error);
    return code == CURLE_COULDNT_CONNECT && error == EACCES;
}

/* acts: it is an order, for which the socket that only reads is of no use. */
static CURLcode transfer(struct client *client, bool acts)
{
    CURLcode code;

    choose_socket(client, acts);
    code = curl_easy_perform(client->curl);
    if (acts || client->is_read_only || !is_denied(client, code))
        return code;
    client->is_read_only = true;
    choose_socket(client, acts);
    return curl_easy_perform(client->curl);
}

static bool can_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool can;

    if (fd < 0)
        return false;
    strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
    /* EAGAIN: the queue of the daemon is full. */
    can = connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 || errno == EAGAIN;
    close(fd);
    return can;
}

/* That may open it. The caller frees; NULL: only root may, or the socket cannot be seen. */
static char *group_of(const char *path)
{
    struct stat status;
    const struct group *group = stat(path, &status) == 0 && (status.st_mode & S_IWGRP) != 0 && status.st_gid != 0
                                    ? getgrgid(status.st_gid)
                                    : NULL;

    return group != NULL ? format_text("%s", group->gr_name) : NULL;
}

static const char *user_name(void)
{
    const struct passwd *user = getpwuid(getuid());

    return user != NULL ? user->pw_name : "USER";
}

/* The user may look, and not give orders. */
static int tell_order_denied(const struct client *client)
{
    _cleanup_(freep) char *group = group_of(client->socket);

    if (group == NULL)
        complain("permission denied on %s: you may look, and only root may do this: use sudo", client->socket);
    else
        complain("permission denied on %s: you may look, and only the group %s may do this: "
                 "sudo usermod -aG %s %s, then log in again",
                 client->socket, group, group, user_name());
    return -EPERM;
}

/* The user may open neither socket. */
static int tell_denied(const struct client *client)
{
    _cleanup_(freep) char *readers = group_of(client->read_only);
    _cleanup_(freep) char *group = group_of(client->socket);

    if (group == NULL && readers == NULL)
        complain("permission denied on %s: use sudo", client->socket);
    else if (group == NULL || readers == NULL)
        complain("permission denied on %s: sudo usermod -aG %s %s, then log in again", client->socket,
                 group != NULL ? group : readers, user_name());
    else
        complain("permission denied on %s: the group %s may look, and the group %s may do everything: "
                 "sudo usermod -aG %s %s, then log in again",
                 client->socket, readers, group, readers, user_name());
    return -EACCES;
}

/* Why a transfer failed, as a negative errno. quiet: prints nothing. */
static int explain_failure(struct client *client, CURLcode code, bool acts, bool quiet)
{
    const char *path = client->is_read_only && !acts ? client->read_only : client->socket;

    if (is_denied(client, code)) {
        if (quiet)
            return -EACCES;
        return acts && can_connect(client->read_only) ? tell_order_denied(client) : tell_denied(client);
    }
    if (code == CURLE_COULDNT_CONNECT) {
        if (!quiet)
            complain("understudyd is not running or not reachable at %s: systemctl status understudyd", path);
        return -ENOTCONN;
    }
    if (!quiet)
        complain(code == CURLE_OPERATION_TIMEDOUT
                     ? "understudyd at %s did not answer in time: systemctl status understudyd"
                     : "the connection to understudyd at %s broke: journalctl -u understudyd",
                 path);
    return code == CURLE_OPERATION_TIMEDOUT ? -ETIMEDOUT : -EIO;
}

#define HTTP_BADREQUEST 400
#define HTTP_FORBIDDEN  403
#define HTTP_NOTFOUND   404
#define HTTP_CONFLICT   409

/* Why the daemon refused, in its own words. */
static int explain_refusal(long status, const json_t *answer)
{
    const char *error = json_string_value(json_object_get(answer, "error"));
    const char *hint = json_string_value(json_object_get(answer, "hint"));

    if (error == NULL)
        complain("understudyd answered with HTTP status %ld", status);
    else if (hint == NULL)
        complain("%s", error);
    else
        complain("%s: %s", error, hint);
    if (status == HTTP_NOTFOUND)
        return -ENOENT;
    if (status == HTTP_BADREQUEST)
        return -EINVAL;
    if (status == HTTP_FORBIDDEN)
        return -EPERM;
    return status == HTTP_CONFLICT ? -ECANCELED : -EIO;
}

int client_exit_status(int error)
{
    switch (error) {
    case -EINVAL:
        return EXIT_USAGE;
    case -ENOENT:
        return EXIT_NOT_FOUND;
    case -ECANCELED:
    case -EPERM:
        return EXIT_REFUSED;
    case -ENOTCONN:
    case -EACCES:
        return EXIT_NO_DAEMON;
    default:
        return error < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
    }
}

static int perform(struct client *client, bool acts, bool quiet, json_t **ret)
{
    _cleanup_(text_done) struct text body = {0};
    _cleanup_(json_decrefp) json_t *answer = NULL;
    long status = 0;
    CURLcode code;

    curl_easy_setopt(client->curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(client->curl, CURLOPT_WRITEDATA, &body);
    code = transfer(client, acts);
    if (code != CURLE_OK)
        return explain_failure(client, code, acts, quiet);
    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
    answer = json_loadb(body.bytes != NULL ? body.bytes : "", body.length, 0, NULL);
    if (status != 200)
        return quiet ? -EIO : explain_refusal(status, answer);
    if (answer == NULL) {
        if (!quiet)
            complain("the process that answers at %s is not understudyd", client->socket);
        return -EIO;
    }
    *ret = steal_pointer(&answer);
    return 0;
}

static int get(struct client *client, bool quiet, json_t **ret, const char *path, const char *segment)
{
    _cleanup_(freep) char *url = make_url(client, path, segment);

    prepare(client, url, client->timeout_ms);
    return perform(client, false, quiet, ret);
}

int client_get(struct client *client, json_t **ret, const char *path, const char *segment)
{
    return get(client, false, ret, path, segment);
}

int client_try_get(struct client *client, json_t **ret, const char *path)
{
    return get(client, true, ret, path, NULL);
}

/* With who gives the order, for the record: with sudo, who called it. */
static struct curl_slist *make_order_headers(void)
{
    const char *caller = getuid() == 0 ? getenv("SUDO_USER") : NULL;
    bool is_sudo = caller != NULL && caller[0] != '\0' && strcmp(caller, "root") != 0;
    _cleanup_(freep) char *by =
        format_text("Understudy-User: %s%s", is_sudo ? caller : user_name(), is_sudo ? " (sudo)" : "");
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");

    if (headers == NULL || curl_slist_append(headers, by) == NULL)
        die_of_memory();
    return headers;
}

int client_post(struct client *client, const json_t *body, int64_t timeout_ms, json_t **ret, const char *path,
                const char *segment)
{
    _cleanup_(freep) char *url = make_url(client, path, segment);
    _cleanup_(freep) char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : strdup("{}");
    struct curl_slist *headers = make_order_headers();
    int r;

    if (text == NULL)
        die_of_memory();
    prepare(client, url, timeout_ms);
    curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(client->curl, CURLOPT_POSTFIELDS, text);
    r = perform(client, true, false, ret);
    curl_slist_free_all(headers);
    return r;
}

/* The stream as it comes in: lines, of which the one with the data is a whole notice. */
struct following {
    CURL *curl;
    const struct client_follower *follower;
    struct text pending; /* an incomplete line, or the body of a refusal */
    char *last_id;       /* of the last notice, as a header; NULL: none came yet */
    bool is_ready;
    bool has_stopped;
};

static void following_done(struct following *following)
{
    text_done(&following->pending);
    free(following->last_id);
}

/* Returns whether to go on. */
static bool take_line(struct following *following, const char *line)
{
    static const char data[] = "data: ", id[] = "id: ";
    _cleanup_(json_decrefp) json_t *notice = NULL;

    if (!following->is_ready && line[0] == ':') {
        following->is_ready = true;
        return following->follower->ready == NULL || following->follower->ready(following->follower->context);
    }
    if (strncmp(line, id, strlen(id)) == 0) {
        free(following->last_id);
        following->last_id = format_text("Last-Event-ID: %s", line + strlen(id));
    }
    if (strncmp(line, data, strlen(data)) != 0)
        return true;
    notice = json_loads(line + strlen(data), 0, NULL);
    /* A notice, and not how something is now. */
    return field_text(notice, "kind") == NULL || following->follower->event(following->follower->context, notice);
}

static size_t on_stream(char *bytes, size_t size, size_t n, void *context)
{
    struct following *following = context;
    long status = 0;
    char *line, *end;

    curl_easy_getinfo(following->curl, CURLINFO_RESPONSE_CODE, &status);
    text_append(&following->pending, bytes, size * n);
    if (status != 200)
        return size * n;
    line = following->pending.bytes;
    while (!following->has_stopped && (end = strchr(line, '\n')) != NULL) {
        *end = '\0';
        following->has_stopped = !take_line(following, line);
        line = end + 1;
    }
    following->pending.length -= (size_t)(line - following->pending.bytes);
    memmove(following->pending.bytes, line, following->pending.length + 1);
    /* Anything but the whole makes curl end the transfer. */
    return following->has_stopped ? 0 : size * n;
}

/* As client_follow, once; quiet: prints nothing where there is no answer. */
static int follow(struct client *client, struct following *following, int64_t timeout_ms, bool quiet)
{
    struct curl_slist *headers = following->last_id != NULL ? curl_slist_append(NULL, following->last_id) : NULL;
    _cleanup_(json_decrefp) json_t *answer = NULL;
    long status = 0;
    CURLcode code;

    following->is_ready = false;
    following->pending.length = 0;
    prepare(client, "http://localhost/v1/events", timeout_ms);
    curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(client->curl, CURLOPT_WRITEFUNCTION, on_stream);
    curl_easy_setopt(client->curl, CURLOPT_WRITEDATA, following);
    code = transfer(client, false);
    curl_slist_free_all(headers);
    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
    if (following->has_stopped)
        return 0;
    if (code == CURLE_OPERATION_TIMEDOUT && following->is_ready)
        return -ETIMEDOUT;
    if (following->is_ready)
        return -EPIPE;
    if (code != CURLE_OK)
        return explain_failure(client, code, false, quiet);
    answer = json_loadb(following->pending.bytes != NULL ? following->pending.bytes : "", following->pending.length, 0,
                        NULL);
    return quiet ? -EIO : explain_refusal(status, answer);
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* The connection is lost: tries again until it is followed to its end. deadline_ms 0: for ever. */
static int follow_again(struct client *client, struct following *following, int64_t deadline_ms)
{
    static const struct timespec pause = {.tv_nsec = TRY_AGAIN_MS * 1000000L};
    bool is_told = false;
    int r = -EPIPE;

    /* As long as it is away, one try after the other fails in its own way; a user who may not connect any more never will. */
    while (r < 0 && r != -ETIMEDOUT && r != -EACCES) {
        int64_t left_ms = deadline_ms > 0 ? deadline_ms - now_ms() : 0;

        if (!is_told)
            complain("the connection to understudyd is lost; waiting until it answers again");
        is_told = true;
        if (deadline_ms > 0 && left_ms <= 0)
            return -ETIMEDOUT;
        nanosleep(&pause, NULL);
        r = follow(client, following, left_ms, true);
        if (following->is_ready)
            is_told = false;
    }
    return r;
}

int client_follow(struct client *client, const struct client_follower *follower, int64_t timeout_ms)
{
    _cleanup_(following_done) struct following following = {.curl = client->curl, .follower = follower};
    int64_t deadline_ms = timeout_ms > 0 ? now_ms() + timeout_ms : 0;
    int r = follow(client, &following, timeout_ms, false);

    if (r != -EPIPE)
        return r;
    if (follower->keeps_on)
        return follow_again(client, &following, deadline_ms);
    complain("understudyd has ended the stream of events: journalctl -u understudyd");
    return r;
}
