/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Puts the parts together and turns the event loop: hypervisors tell the coordinator, its actions go
 * to the hypervisors, its notices to the log and to the API. Decides nothing about machines.
 */
#include "daemon.h"

#include <errno.h>
#include <event2/thread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon_internal.h"
#include "service/clock.h"
#include "service/listen.h"
#include "service/log.h"
#include "service/notify.h"

/* Clocks may drift apart by this much without anybody having slept. */
#define CLOCK_JUMP_US (5 * USEC_PER_SEC)

static void perform(struct daemon *daemon, const struct action *action)
{
    struct node *node = nodes_find(daemon, action->target.hypervisor);
    struct action_result result = {.id = action->id};

    if (local_perform(daemon, action))
        return;
    result.error = node == NULL ? -ENOTCONN : hypervisor_submit(node->hypervisor, action);
    if (result.error == 0)
        return;
    snprintf(result.message, sizeof(result.message), "%s", strerror(-result.error));
    coordinator_handle_result(daemon->coordinator, action, &result, clock_now());
}

static void publish(struct daemon *daemon, struct notice *notice)
{
    log_notice(notice, coordinator_find_recovery(daemon->coordinator, notice->recovery_id));
    external_tell(daemon, notice);
    if (daemon->api != NULL)
        api_publish(daemon->api, notice);
    notice_done(notice);
}

static void arm_timer(struct daemon *daemon)
{
    int64_t deadline_us = coordinator_deadline(daemon->coordinator);
    int64_t wait_us;
    struct timeval wait;

    if (deadline_us == USEC_INFINITY) {
        event_del(daemon->timer);
        return;
    }
    wait_us = deadline_us - clock_now().mono_us;
    if (wait_us < 0)
        wait_us = 0;
    wait = (struct timeval){.tv_sec = wait_us / USEC_PER_SEC, .tv_usec = wait_us % USEC_PER_SEC};
    event_add(daemon->timer, &wait);
}

static size_t count_under_way(const struct daemon *daemon)
{
    size_t count = 0;

    for (size_t i = 0; i < coordinator_recovery_count(daemon->coordinator); i++)
        if (!recovery_state_is_final(coordinator_recovery(daemon->coordinator, i)->state))
            count++;
    return count;
}

void daemon_tell_status(struct daemon *daemon)
{
    size_t n_machines = 0, n_connected = 0;
    _cleanup_(freep) char *status = NULL;
    _cleanup_(freep) char *waiting = reload_waiting_keys(daemon);
    int length;

    for (size_t i = 0; i < coordinator_hypervisor_count(daemon->coordinator); i++) {
        struct hypervisor_status one = coordinator_hypervisor(daemon->coordinator, i);

        n_machines += one.machines;
        n_connected += one.is_connected;
    }
    length = asprintf(&status, "%s%s%zu machine%s on %zu of %zu hypervisors, %zu recoveries under way%s%s%s%s",
                      daemon->config->mode == MODE_OBSERVE ? "observing only: " : "",
                      coordinator_is_held(daemon->coordinator) ? "HELD by the brake (understudyctl release): " : "",
                      n_machines, PLURAL(n_machines), n_connected, coordinator_hypervisor_count(daemon->coordinator),
                      count_under_way(daemon), waiting != NULL ? "; a restart is needed for " : "",
                      waiting != NULL ? waiting : "", daemon->reload_error != NULL ? "; reload failed: " : "",
                      daemon->reload_error != NULL ? daemon->reload_error : "");
    if (length < 0) {
        status = NULL;
        return;
    }
    /* Telling may block on a manager that does not read: only what is new is told. */
    if (daemon->status != NULL && strcmp(daemon->status, status) == 0)
        return;
    notify_status(status);
    free(daemon->status);
    daemon->status = steal_pointer(&status);
}

/*
 * Everything was listed that can be reached. A hypervisor that is down must not keep the others from
 * being watched, nor systemd waiting until it gives up on us.
 */
static bool has_looked_everywhere(const struct daemon *daemon)
{
    for (size_t i = 0; i < coordinator_hypervisor_count(daemon->coordinator); i++) {
        struct hypervisor_status status = coordinator_hypervisor(daemon->coordinator, i);

        if (!status.is_listed && status.trouble == NULL)
            return false;
    }
    return true;
}

static void become_ready(struct daemon *daemon)
{
    size_t n_machines;

    if (daemon->is_ready || !has_looked_everywhere(daemon))
        return;
    daemon->is_ready = true;
    n_machines = pool_count(coordinator_pool(daemon->coordinator));
    log_event(MESSAGE_READY, NULL, "ready: %zu machine%s in the pool%s", n_machines, PLURAL(n_machines),
              coordinator_is_ready(daemon->coordinator) ? "" : "; not every hypervisor can be reached");
    notify_ready();
    daemon_tell_status(daemon);
}

/* The host slept, or its clock was set, when the clocks have moved apart. */
static void watch_clock(struct daemon *daemon)
{
    int64_t offset_us = clock_offset_us(), jump_us = offset_us - daemon->clock_offset_us;

    if (jump_us > -CLOCK_JUMP_US && jump_us < CLOCK_JUMP_US)
        return;
    daemon->clock_offset_us = offset_us;
    coordinator_handle_clock_jump(daemon->coordinator, clock_now());
}

/* After everything that came in: what the coordinator asks for and tells goes out. */
void daemon_pump(struct daemon *daemon)
{
    struct action action;
    struct notice notice;
    bool has_news = false;

    watch_clock(daemon);
    while (coordinator_next_action(daemon->coordinator, &action))
        perform(daemon, &action);
    while (coordinator_next_notice(daemon->coordinator, &notice)) {
        publish(daemon, &notice);
        has_news = true;
    }
    persistence_write(daemon);
    become_ready(daemon);
    if (has_news)
        daemon_tell_status(daemon);
    arm_timer(daemon);
}

static void on_signal(evutil_socket_t number, short what, void *context)
{
    struct daemon *daemon = context;

    (void)what;
    if (number == SIGHUP) {
        daemon_reload(daemon);
        return;
    }
    log_event(MESSAGE_STOPPING, NULL,
              "stopping (%s): nobody watches any more; %zu recoveries under way go on at the "
              "next start",
              strsignal((int)number), count_under_way(daemon));
    event_base_loopbreak(daemon->base);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    struct daemon *daemon = context;

    (void)fd;
    (void)what;
    coordinator_tick(daemon->coordinator, clock_now());
    daemon_pump(daemon);
}

/* Fed only while this loop turns and no hypervisor call is past its deadline. */
static void on_watchdog(evutil_socket_t fd, short what, void *context)
{
    struct daemon *daemon = context;
    bool is_stuck = false;

    (void)fd;
    (void)what;
    for (size_t i = 0; i < daemon->n_nodes; i++)
        is_stuck = is_stuck || hypervisor_is_stuck(daemon->nodes[i].hypervisor);
    if (is_stuck && !daemon->is_stuck)
        log_event(MESSAGE_CALL_HANGS, NULL, "a hypervisor call hangs; the watchdog is not fed until it returns");
    daemon->is_stuck = is_stuck;
    if (!is_stuck)
        notify_watchdog();
}

static int add_signals(struct daemon *daemon)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};

    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < ELEMENTS_OF(numbers); i++) {
        daemon->signals[i] = evsignal_new(daemon->base, numbers[i], on_signal, daemon);
        if (daemon->signals[i] == NULL || event_add(daemon->signals[i], NULL) < 0)
            return -ENOMEM;
    }
    return 0;
}

static int add_timers(struct daemon *daemon)
{
    int64_t interval_us = notify_watchdog_interval_us();
    struct timeval interval = {.tv_sec = interval_us / USEC_PER_SEC, .tv_usec = interval_us % USEC_PER_SEC};

    daemon->timer = evtimer_new(daemon->base, on_timer, daemon);
    if (daemon->timer == NULL)
        return -ENOMEM;
    if (interval_us == 0)
        return 0;
    daemon->watchdog = event_new(daemon->base, -1, EV_PERSIST, on_watchdog, daemon);
    if (daemon->watchdog == NULL || event_add(daemon->watchdog, &interval) < 0)
        return -ENOMEM;
    return 0;
}

/* listening: the socket that systemd holds for us, or -1. */
static int open_api(struct daemon *daemon, int listening)
{
    _cleanup_(diags_done) struct diags diags = {0};
    int r;

    if (listening >= 0) {
        if (!listen_is_at(listening, daemon->config->api_socket))
            log_line(LOG_WARNING, "api.socket is not %s but what understudyd.socket listens on",
                     daemon->config->api_socket);
        return api_new_inherited(daemon->base, listening, &backend, daemon, &daemon->api);
    }
    r = api_new(daemon->base, daemon->config->api_socket, daemon->config->api_socket_mode, &backend, daemon, &diags,
                &daemon->api);
    log_diags(&diags);
    return r;
}

static void on_host_shutdown(void *context, bool is_shutting_down)
{
    struct daemon *daemon = context;

    log_event(MESSAGE_HOST_SHUTDOWN, NULL, "this host %s: machines that it stops are %s",
              is_shutting_down ? "is shutting down" : "does not shut down after all",
              is_shutting_down ? "not replaced" : "replaced again");
    coordinator_set_host_shutdown(daemon->coordinator, is_shutting_down);
}

static void free_event(struct event *event)
{
    if (event != NULL)
        event_free(event);
}

static void daemon_done(struct daemon *daemon)
{
    backend_cancel_drills(daemon);
    host_free(daemon->host);
    external_close(daemon);
    api_free(daemon->api);
    if (daemon->coordinator != NULL)
        nodes_drop(daemon, NULL);
    free(daemon->nodes);
    local_forget_all(daemon);
    persistence_close(daemon);
    coordinator_free(daemon->coordinator);
    for (size_t i = 0; i < ELEMENTS_OF(daemon->signals); i++)
        free_event(daemon->signals[i]);
    free_event(daemon->timer);
    free_event(daemon->watchdog);
    if (daemon->base != NULL) {
        hypervisor_library_done();
        event_base_free(daemon->base);
    }
    free(daemon->status);
    free(daemon->reload_error);
    if (daemon->config != daemon->started_with)
        config_free(daemon->config);
    config_free(daemon->started_with);
}

static int daemon_init(struct daemon *daemon)
{
    int r, listening;

    r = listen_take(&listening);
    if (r < 0) {
        log_line(LOG_ERR, "what systemd handed over is no listening Unix socket: %s", strerror(-r));
        return r;
    }
    if (evthread_use_pthreads() < 0)
        return -ENOMEM;
    daemon->base = event_base_new();
    if (daemon->base == NULL)
        return -ENOMEM;
    r = hypervisor_library_init(daemon->base);
    if (r == 0)
        r = add_signals(daemon);
    if (r == 0)
        r = add_timers(daemon);
    if (r == 0)
        r = coordinator_new(daemon->config, &daemon->coordinator);
    if (r == 0)
        r = persistence_open(daemon);
    if (r == 0)
        r = external_open(daemon);
    if (r == 0)
        r = open_api(daemon, listening);
    if (r == 0)
        r = host_new(daemon->base, on_host_shutdown, daemon, &daemon->host);
    if (r == 0)
        r = nodes_add(daemon, daemon->config);
    return r;
}

int daemon_run(struct config *config)
{
    _cleanup_(daemon_done) struct daemon daemon = {
        .config = config, .started_with = config, .started = clock_now(), .clock_offset_us = clock_offset_us()};
    int r = daemon_init(&daemon);

    if (r < 0) {
        log_event(MESSAGE_NOT_STARTED, NULL, "not started: %s", strerror(-r));
        return r;
    }
    log_line(LOG_INFO, "understudyd %s, %s, mode %s", UNDERSTUDY_VERSION, config->file, backend.mode(&daemon));
    daemon_pump(&daemon);
    if (event_base_dispatch(daemon.base) < 0) {
        log_line(LOG_ERR, "the event loop broke");
        return -EIO;
    }
    notify_stopping();
    return 0;
}
