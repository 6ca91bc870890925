/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Puts the parts together and turns the event loop. A part that tells the coordinator something activates the pump; the
 * pump, and nothing else, takes what the coordinator asks for and tells, and hands it on. Decides nothing about
 * machines.
 */
#include "daemon.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/thread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "answers.h"
#include "api/api.h"
#include "backend.h"
#include "base/text.h"
#include "board.h"
#include "config/socket_path.h"
#include "coordinator/coordinator.h"
#include "discovery/catalog.h"
#include "executor.h"
#include "hypervisor/hypervisor.h"
#include "manager.h"
#include "meters.h"
#include "nodes.h"
#include "persistence.h"
#include "programs.h"
#include "reload.h"
#include "service/clock.h"
#include "service/host.h"
#include "service/listen.h"
#include "service/log.h"
#include "service/timing.h"
#include "settings.h"
#include "textfile.h"

/* Clocks may drift apart by this much without the host having slept. */
#define CLOCK_JUMP_US (5 * USEC_PER_SEC)

static const int signal_numbers[] = {SIGTERM, SIGINT, SIGHUP};

struct daemon {
    struct event_base *base;
    struct event *pump;
    struct event *timer; /* at coordinator_deadline */
    struct event *signals[ELEMENTS_OF(signal_numbers)];
    int64_t clock_offset_us; /* as last seen: a change tells that the host slept or its clock was set */
    struct settings settings;
    struct coordinator *coordinator;
    struct answers *answers;
    struct nodes nodes;
    struct persistence persistence;
    struct programs programs;
    struct manager manager;
    struct board board;
    struct meters meters;
    struct textfile textfile;
    struct executor executor;
    struct reload reload;
    struct backend backend;
    struct api *api;
    struct host *host;
    struct listening listening; /* of systemd, until is_served */
    bool is_served;             /* clients may connect */
    bool is_reload_due;         /* asked for before the store was open */
    int error;                  /* why it ends */
};

static void publish(struct daemon *daemon, struct notice *notice)
{
    log_notice(notice, coordinator_find_recovery(daemon->coordinator, notice->recovery_id));
    programs_tell(&daemon->programs, notice);
    api_publish(daemon->api, notice);
    meters_count(&daemon->meters, notice);
    notice_done(notice);
}

static void on_problem(void *context, struct notice *notice, const struct problem *problem)
{
    struct daemon *daemon = context;

    if (problem != NULL)
        programs_tell_problem(&daemon->programs, notice, problem);
    publish(daemon, notice);
}

static void arm_timer(struct daemon *daemon)
{
    /* What was stored is the first input of the coordinator. */
    int64_t deadline_us = daemon->persistence.is_open ? coordinator_deadline(daemon->coordinator) : USEC_INFINITY;
    int64_t board_us = board_deadline(&daemon->board);
    int64_t wait_us;
    struct timeval wait;

    if (board_us < deadline_us)
        deadline_us = board_us;
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

/* Clocks that have moved apart tell that the host slept, or that its clock was set. */
static void watch_clock(struct daemon *daemon)
{
    int64_t offset_us = clock_offset_us(), jump_us = offset_us - daemon->clock_offset_us;

    if (jump_us > -CLOCK_JUMP_US && jump_us < CLOCK_JUMP_US)
        return;
    daemon->clock_offset_us = offset_us;
    coordinator_handle_clock_jump(daemon->coordinator, clock_now());
}

/* Takes all that the coordinator asks for and tells since the last turn. */
static void pump(struct daemon *daemon)
{
    struct action action;
    struct notice notice;
    struct order drill;
    bool has_news = false;

    watch_clock(daemon);
    while (coordinator_next_drill(daemon->coordinator, clock_now(), &drill))
        backend_rehearse(&daemon->backend, &drill);
    while (coordinator_next_action(daemon->coordinator, &action))
        executor_begin(&daemon->executor, &action);
    while (coordinator_next_notice(daemon->coordinator, &notice)) {
        publish(daemon, &notice);
        has_news = true;
    }
    persistence_write(&daemon->persistence);
    /* 200 ms are much where a warm standby takes over, and little where one boots. */
    nodes_prove_endings(&daemon->nodes, coordinator_keeps_warm(daemon->coordinator));
    manager_tell_ready(&daemon->manager);
    board_look(&daemon->board);
    coordinator_set_severe_problems(daemon->coordinator, problems_count(&daemon->board.problems, 2));
    if (has_news)
        manager_tell_status(&daemon->manager);
    api_look(daemon->api);
    arm_timer(daemon);
}

static void on_pump(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    pump(context);
}

static void on_signal(evutil_socket_t number, short what, void *context)
{
    struct daemon *daemon = context;

    (void)what;
    if (number == SIGHUP) {
        daemon->is_reload_due = !daemon->persistence.is_open;
        if (daemon->persistence.is_open)
            reload_configuration(&daemon->reload);
        return;
    }
    manager_tell_stopping(&daemon->manager, strsignal((int)number));
    event_base_loopbreak(daemon->base);
}

/*
 * Where only the board is due, the coordinator is not told, unless the board waits for the plan: a tick is an input, after which
 * others look again a second later, and then the board does.
 */
static void on_timer(evutil_socket_t fd, short what, void *context)
{
    struct daemon *daemon = context;
    struct moment now = clock_now();

    (void)fd;
    (void)what;
    if (daemon->persistence.is_open &&
        (daemon->board.lacks_plan || coordinator_deadline(daemon->coordinator) <= now.mono_us))
        coordinator_tick(daemon->coordinator, now);
    event_active(daemon->pump, 0, 0);
}

static void on_host_shutdown(void *context, bool is_shutting_down)
{
    struct daemon *daemon = context;

    log_event(MESSAGE_HOST_SHUTDOWN, NULL, "this host %s: machines that it stops are %s",
              is_shutting_down ? "is shutting down" : "does not shut down after all",
              is_shutting_down ? "not replaced" : "replaced again");
    coordinator_set_host_shutdown(daemon->coordinator, is_shutting_down);
    event_active(daemon->pump, 0, 0);
}

static int open_events(struct daemon *daemon)
{
    daemon->pump = event_new(daemon->base, -1, 0, on_pump, daemon);
    daemon->timer = evtimer_new(daemon->base, on_timer, daemon);
    if (daemon->pump == NULL || daemon->timer == NULL)
        return -ENOMEM;
    signal(SIGPIPE, SIG_IGN);
    /* It may be ignored by inheritance, and then it cannot be learned how a child ended. */
    signal(SIGCHLD, SIG_DFL);
    for (size_t i = 0; i < ELEMENTS_OF(signal_numbers); i++) {
        daemon->signals[i] = evsignal_new(daemon->base, signal_numbers[i], on_signal, daemon);
        if (daemon->signals[i] == NULL || event_add(daemon->signals[i], NULL) < 0)
            return -ENOMEM;
    }
    return 0;
}

/* What systemd holds counts, and not the path that the configuration says. Takes fd. */
static int serve_inherited(struct daemon *daemon, enum api_rights rights, int fd, const char *path, const char *unit)
{
    if (fd < 0) {
        log_line(LOG_NOTICE, "%s is not active, so no client can connect there: systemctl start %s", unit, unit);
        return 0;
    }
    if (!listen_is_at(fd, path))
        log_line(LOG_WARNING, "api.socket says %s, but %s listens elsewhere, which is what counts", path, unit);
    return api_listen_inherited(daemon->api, rights, fd);
}

/* A port that is taken stops nothing but those who would read there. */
static int open_tcp(struct daemon *daemon)
{
    _cleanup_(diags_done) struct diags diags = {0};
    const struct config *config = daemon->settings.started_with;
    int r;

    if (config->api_listen == NULL)
        return 0;
    r = api_listen_tcp(daemon->api, config->api_listen, &config->api_names, &diags);
    if (r == 0)
        log_line(LOG_INFO, "the dashboard and the metrics can be read at http://%s/", config->api_listen);
    if (r == 0)
        return 0;
    log_diags(&diags);
    daemon->board.listen_error = text_copy(diags.count > 0 ? diags.items[0].message : strerror(-r));
    return 0;
}

/* Once: on the sockets that systemd holds for the daemon, or on its own. */
static int open_api(struct daemon *daemon)
{
    _cleanup_(diags_done) struct diags diags = {0};
    const char *path = daemon->settings.config->api_socket;
    _cleanup_(freep) char *read_only_path = socket_path_read_only(path);
    const struct listening *listening = &daemon->listening;
    bool is_inherited = listening->fd >= 0 || listening->read_only_fd >= 0;
    int r = read_only_path == NULL ? -ENOMEM : 0;

    if (daemon->is_served)
        return 0;
    daemon->is_served = true;
    if (r == 0 && is_inherited)
        r = serve_inherited(daemon, API_ACT, listening->fd, path, "understudyd.socket");
    if (r == 0 && is_inherited)
        r = serve_inherited(daemon, API_READ, listening->read_only_fd, read_only_path, "understudyd-ro.socket");
    if (r == 0 && !is_inherited)
        r = api_listen(daemon->api, API_ACT, path, &diags);
    if (r == 0 && !is_inherited)
        r = api_listen(daemon->api, API_READ, read_only_path, &diags);
    log_diags(&diags);
    if (r == 0)
        r = open_tcp(daemon);
    return r;
}

/* The disk is slow: what is stored, or that there is trouble, cannot be known to clients otherwise. */
static void on_slow(void *context)
{
    struct daemon *daemon = context;

    daemon->error = open_api(daemon);
    if (daemon->error < 0)
        event_base_loopbreak(daemon->base);
}

/* What is known of the machines is there: they can be watched, and clients see all of it. */
static void on_opened(void *context, int error)
{
    struct daemon *daemon = context;

    daemon->error = error < 0 ? error : open_api(daemon);
    if (daemon->error == 0)
        daemon->error = nodes_add(&daemon->nodes, daemon->settings.config);
    if (daemon->error < 0) {
        event_base_loopbreak(daemon->base);
        return;
    }
    if (daemon->is_reload_due)
        reload_configuration(&daemon->reload);
    event_active(daemon->pump, 0, 0);
}

/* Each part borrows the others that it needs, and no more. */
static void connect_parts(struct daemon *daemon)
{
    daemon->nodes = (struct nodes){
        .base = daemon->base,
        .coordinator = daemon->coordinator,
        .answers = daemon->answers,
        .pump = daemon->pump,
    };
    daemon->persistence = (struct persistence){
        .coordinator = daemon->coordinator,
        .answers = daemon->answers,
        .pump = daemon->pump,
        .slow = on_slow,
        .opened = on_opened,
        .context = daemon,
    };
    daemon->programs = (struct programs){
        .coordinator = daemon->coordinator,
        .answers = daemon->answers,
        .settings = &daemon->settings,
        .pump = daemon->pump,
    };
    daemon->manager = (struct manager){
        .coordinator = daemon->coordinator,
        .settings = &daemon->settings,
        .nodes = &daemon->nodes,
    };
    daemon->board = (struct board){
        .coordinator = daemon->coordinator,
        .persistence = &daemon->persistence,
        .nodes = &daemon->nodes,
        .settings = &daemon->settings,
        .textfile = &daemon->textfile,
        .tell = on_problem,
        .context = daemon,
    };
    daemon->meters = (struct meters){
        .coordinator = daemon->coordinator,
        .answers = daemon->answers,
        .nodes = &daemon->nodes,
        .persistence = &daemon->persistence,
        .programs = &daemon->programs,
        .board = &daemon->board,
        .pump = daemon->pump,
        .settings = &daemon->settings,
        .started = clock_now(),
    };
    daemon->textfile = (struct textfile){
        .meters = &daemon->meters,
        .settings = &daemon->settings,
        .pump = daemon->pump,
    };
    daemon->executor = (struct executor){
        .coordinator = daemon->coordinator,
        .answers = daemon->answers,
        .nodes = &daemon->nodes,
        .persistence = &daemon->persistence,
        .programs = &daemon->programs,
    };
    daemon->reload = (struct reload){
        .settings = &daemon->settings,
        .coordinator = daemon->coordinator,
        .nodes = &daemon->nodes,
        .persistence = &daemon->persistence,
        .manager = &daemon->manager,
        .textfile = &daemon->textfile,
        .pump = daemon->pump,
    };
    daemon->backend = (struct backend){
        .coordinator = daemon->coordinator,
        .answers = daemon->answers,
        .nodes = &daemon->nodes,
        .persistence = &daemon->persistence,
        .programs = &daemon->programs,
        .board = &daemon->board,
        .reload = &daemon->reload,
        .settings = &daemon->settings,
        .meters = &daemon->meters,
        .pump = daemon->pump,
    };
}

static int open_parts(struct daemon *daemon, struct catalog *catalog, struct templates *templates)
{
    int r = coordinator_new(daemon->settings.config, catalog, &daemon->coordinator);

    if (r == 0)
        r = answers_new(daemon->coordinator, &daemon->answers);
    if (r < 0)
        return r;
    coordinator_set_clock(daemon->coordinator, clock_now);
    coordinator_set_wall_clock(daemon->coordinator, clock_on_the_wall);
    connect_parts(daemon);
    nodes_set_catalog(&daemon->nodes, catalog);
    nodes_set_templates(&daemon->nodes, templates);
    r = manager_open(&daemon->manager, daemon->base);
    if (r == 0)
        r = persistence_open(&daemon->persistence, daemon->base, daemon->settings.config);
    if (r == 0)
        r = programs_open(&daemon->programs, daemon->base);
    if (r == 0)
        r = api_new(daemon->base, &backend_functions, &daemon->backend, &daemon->api);
    if (r == 0)
        r = host_new(daemon->base, on_host_shutdown, daemon, &daemon->host);
    daemon->meters.api = daemon->api;
    if (r == 0)
        r = meters_open(&daemon->meters, daemon->base);
    if (r == 0)
        r = textfile_open(&daemon->textfile, daemon->base);
    return r;
}

static int daemon_init(struct daemon *daemon, struct catalog *catalog, struct templates *templates)
{
    int r = listen_take(&daemon->listening);

    if (r < 0) {
        log_line(LOG_ERR, "%s",
                 r == -EINVAL
                     ? "a socket unit handed a descriptor over whose FileDescriptorName= is neither " LISTEN_NAME
                       " nor " LISTEN_NAME_READ_ONLY
                     : "a descriptor that systemd handed over is no listening Unix socket: systemctl cat "
                       "understudyd.socket");
        return r;
    }
    if (evthread_use_pthreads() < 0)
        return -ENOMEM;
    daemon->base = timing_new_base();
    if (daemon->base == NULL)
        return -ENOMEM;
    r = hypervisor_library_init(daemon->base);
    if (r == 0)
        r = open_events(daemon);
    return r < 0 ? r : open_parts(daemon, catalog, templates);
}

static void free_event(struct event *event)
{
    if (event != NULL)
        event_free(event);
}

/* Parts that may still tell the coordinator something go first; the pump, which they activate, goes after them. */
static void daemon_done(struct daemon *daemon)
{
    if (daemon->answers != NULL)
        answers_cancel(daemon->answers, "understudyd is stopping");
    host_free(daemon->host);
    textfile_done(&daemon->textfile);
    meters_done(&daemon->meters);
    programs_close(&daemon->programs);
    api_free(daemon->api);
    nodes_done(&daemon->nodes);
    answers_free(daemon->answers);
    persistence_close(&daemon->persistence);
    board_done(&daemon->board);
    manager_done(&daemon->manager);
    coordinator_free(daemon->coordinator);
    for (size_t i = 0; i < ELEMENTS_OF(daemon->signals); i++)
        free_event(daemon->signals[i]);
    free_event(daemon->timer);
    free_event(daemon->pump);
    if (daemon->base != NULL) {
        hypervisor_library_done();
        event_base_free(daemon->base);
    }
    settings_done(&daemon->settings);
}

int daemon_run(struct config *config, struct catalog *catalog, struct templates *templates)
{
    _cleanup_(daemon_done) struct daemon daemon = {
        .settings = {.config = config, .started_with = config},
        .clock_offset_us = clock_offset_us(),
    };
    int r = daemon_init(&daemon, catalog, templates);

    if (r < 0) {
        log_event(MESSAGE_NOT_STARTED, NULL, "not started: %s", strerror(-r));
        return r;
    }
    log_line(LOG_INFO, "understudyd %s, %s, mode %s", UNDERSTUDY_VERSION, config->file,
             settings_mode(&daemon.settings));
    pump(&daemon);
    if (event_base_dispatch(daemon.base) < 0) {
        log_line(LOG_ERR, "the event loop broke, which is a fault of understudyd; please report it");
        return -EIO;
    }
    if (daemon.error < 0) {
        log_event(MESSAGE_NOT_STARTED, NULL, "not started: %s", strerror(-daemon.error));
        return daemon.error;
    }
    /* The inputs of the last turn are handed on as well. */
    pump(&daemon);
    return 0;
}
