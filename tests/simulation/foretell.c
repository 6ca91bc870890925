/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is forecast of the loss of a host, held against what follows when the host is then lost. */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "forecast/forecast.h"
#include "../unit/fate.h"
#include "simulation.h"

struct told {
    bool is_settled;
    enum forecast_fencing fencing;
    size_t n;
    struct fate fates[DOMAINS_MAX];
};

/* In a copy of the process. */
static void foretell(struct simulation *simulation, unsigned host, int pipe_end)
{
    struct forecast forecast = {0};
    struct told told = {0};

    if (forecast_host_loss(simulation->coordinator, simulation->hosts[host].name, simulation->now, &forecast) == 0) {
        told.is_settled = forecast.is_settled;
        told.fencing = forecast.fencing;
        told.n = forecast.n_services;
        for (size_t i = 0; i < told.n; i++)
            told.fates[i] = fate_of(forecast_recovery_of(&forecast, simulation->coordinator, &forecast.services[i]),
                                    &forecast.services[i]);
    }
    _exit(write(pipe_end, &told, sizeof(told)) == (ssize_t)sizeof(told) ? 0 : 1);
}

static struct told foretell_in_a_copy(struct simulation *simulation, unsigned host)
{
    struct told told = {0};
    int ends[2], status;
    pid_t pid;

    fflush(NULL);
    if (pipe(ends) < 0 || (pid = fork()) < 0)
        abort();
    if (pid == 0)
        foretell(simulation, host, ends[1]);
    close(ends[1]);
    if (read(ends[0], &told, sizeof(told)) != (ssize_t)sizeof(told) || waitpid(pid, &status, 0) != pid || status != 0)
        violate(simulation, "the loss of %s could not be foretold", simulation->hosts[host].name);
    close(ends[0]);
    return told;
}

/* The host with the most services; HOSTS_MAX: there is none that the daemon would outlive. */
static unsigned choose_host(const struct simulation *simulation)
{
    const struct pool *pool = coordinator_pool(simulation->coordinator);
    unsigned counts[HOSTS_MAX] = {0}, best = HOSTS_MAX;

    for (const struct machine *machine = pool_next(pool, NULL); machine != NULL; machine = pool_next(pool, machine))
        for (unsigned i = 0; i < simulation->n_hosts; i++)
            counts[i] += machine_is_up(machine) && machine_is_protected(machine) &&
                         strcmp(machine->hypervisor, simulation->hosts[i].name) == 0;
    for (unsigned i = 0; i < simulation->n_hosts; i++)
        if (simulation->hosts[i].is_connected && !coordinator_hypervisor(simulation->coordinator, i).is_local &&
            counts[i] > 0 && (best == HOSTS_MAX || counts[i] > counts[best]))
            best = i;
    return best;
}

static void compare(struct simulation *simulation, const struct told *told, struct moment since)
{
    struct forecast as_if = {.begun = since};

    if (!told->is_settled)
        violate(simulation, "the forecast has no end");
    for (size_t i = 0; i < told->n; i++) {
        const struct fate *expected = &told->fates[i];
        struct fate fate =
            fate_of(forecast_recovery_of(&as_if, simulation->coordinator, &expected->service), &expected->service);

        if (fate.was_dealt_with != expected->was_dealt_with || fate.state != expected->state ||
            !machine_ref_equal(&fate.replacement, &expected->replacement))
            violate(simulation, "service %.8s: foretold %s by %.8s on %s, and it was %s by %.8s on %s",
                    expected->service.uuid + strlen(expected->service.uuid) - 8, recovery_state_name(expected->state),
                    expected->replacement.uuid[0] != '\0' ? expected->replacement.uuid + 28 : "none",
                    expected->replacement.hypervisor, recovery_state_name(fate.state),
                    fate.replacement.uuid[0] != '\0' ? fate.replacement.uuid + 28 : "none",
                    fate.replacement.hypervisor);
    }
}

void foretell_run(struct simulation *simulation, foretell_passer *pass)
{
    unsigned host = choose_host(simulation);
    struct moment since = simulation->now;
    struct told told;

    if (host == HOSTS_MAX)
        return;
    told = foretell_in_a_copy(simulation, host);
    say(simulation, "foretold %s is lost: %zu services", simulation->hosts[host].name, told.n);
    simulation->result->crashes += told.n;
    power_off(simulation, host, "loses its power, and stays off");
    pass(simulation, since.mono_us + 600 * USEC_PER_SEC);
    if (told.fencing == FORECAST_BY_OPERATOR) {
        if (coordinator_confirm_fenced(simulation->coordinator, simulation->hosts[host].name, simulation->now) < 0)
            violate(simulation, "%s cannot be confirmed to be off", simulation->hosts[host].name);
        shell_pump(simulation);
        pass(simulation, simulation->now.mono_us + 600 * USEC_PER_SEC);
    }
    if (!simulation->result->is_violated)
        compare(simulation, &told, since);
}
