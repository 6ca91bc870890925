/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The agent, and the ports on which its guest serves; or one TCP port, whatever its guest says. */
#include "hypervisor/verify.h"

#include <errno.h>
#include <stdio.h>

#include "base/moment.h"
#include "hypervisor/actions.h"
#include "hypervisor/addresses.h"
#include "hypervisor/agent.h"
#include "service/clock.h"

/* The question is asked again anyway: no single attempt has to wait long. */
#define PATIENCE_US (2 * USEC_PER_SEC)
/* Seconds that the agent has for each command about ports. */
#define ANSWER_TIMEOUT 2

static int64_t patience_us(const struct action *action)
{
    return action->timeout_us < PATIENCE_US ? action->timeout_us : PATIENCE_US;
}

/* As reach_any; -EAGAIN as well where no address is known (yet). */
static int reach(const struct addresses *addresses, unsigned port, const struct action *action, char *message,
                 size_t size)
{
    if (addresses->count > 0)
        return reach_any(addresses, port, patience_us(action), message, size);
    snprintf(
        message, size,
        "the address of the machine is not known: neither its guest agent nor a DHCP lease nor the host tells one");
    return -EAGAIN;
}

/* Those of `wanted` on which it does not listen. */
static struct ports find_deaf(const struct guest *guest, const struct ports *wanted)
{
    struct ports deaf = {0};

    for (size_t i = 0; i < wanted->count; i++)
        if (!guest_listens(guest, wanted->items[i]))
            (void)ports_add(&deaf, wanted->items[i]);
    return deaf;
}

static int check_listening(const struct interview *interview, const struct action *action, char *message, size_t size)
{
    struct ports deaf = find_deaf(interview_guest(interview), &action->ports.listening);
    char text[PORTS_TEXT_SIZE];

    if (deaf.count == 0)
        return 0;
    ports_format(&deaf, text);
    snprintf(message, size, "nothing in it listens on port %.200s", text);
    return -EAGAIN;
}

/* The guest is asked on which ports it listens. 0 with a message: it cannot be asked. */
static int verify_listening(virDomainPtr domain, const struct action *action, char *message, size_t size)
{
    _cleanup_(interview_freep) struct interview *interview = NULL;
    const char *lack;

    if (interview_new_of_ports(action->software, &interview) < 0)
        return -ENOMEM;
    if (!agent_talk(domain, interview, ANSWER_TIMEOUT, clock_now().mono_us + patience_us(action))) {
        snprintf(message, size, "its guest agent stopped answering");
        return -EAGAIN;
    }
    lack = interview_lack_of_ports(interview);
    if (lack == NULL)
        return check_listening(interview, action, message, size);
    snprintf(message, size, "%s", lack);
    return 0;
}

/* Connections from outside. 0 with a message: one of them cannot be tried from here. */
static int verify_reached(virDomainPtr domain, const struct action *action, char *message, size_t size)
{
    const struct ports *ports = &action->ports.reached;
    struct addresses addresses = {0};
    char why[ACTION_MESSAGE_SIZE] = "";

    if (ports->count > 0)
        addresses_find(domain, true, &addresses);
    for (size_t i = 0; i < ports->count; i++) {
        int r = reach(&addresses, ports->items[i], action, why, sizeof(why));

        if (r < 0)
            snprintf(message, size, "%s", why);
        if (r == -EAGAIN)
            return r;
    }
    return 0;
}

/* Of a guest whose agent answers. What cannot be looked at is no fault of it: the message says why, and is no error. */
static void verify_ports(virDomainPtr domain, const struct action *action, struct action_result *result)
{
    result->error = verify_listening(domain, action, result->message, sizeof(result->message));
    if (result->error == 0)
        result->error = verify_reached(domain, action, result->message, sizeof(result->message));
}

static void verify_agent(virDomainPtr domain, const struct action *action, struct action_result *result)
{
    result->error = agent_ping(domain, patience_us(action), result->message, sizeof(result->message));
    if (result->error == 0 && action->ports.listening.count > 0)
        verify_ports(domain, action, result);
}

static void verify_tcp(virDomainPtr domain, const struct action *action, struct action_result *result)
{
    struct addresses addresses = {0};
    bool has_agent = agent_ping(domain, patience_us(action), result->message, sizeof(result->message)) == 0;

    addresses_find(domain, has_agent, &addresses);
    result->error = reach(&addresses, action->port, action, result->message, sizeof(result->message));
}

void verify_machine(virConnectPtr connection, const struct action *action, struct action_result *result)
{
    virDomainPtr domain = action_look_up(connection, action->target.uuid, result);

    if (domain == NULL)
        return;
    if (action->level == VERIFY_AGENT)
        verify_agent(domain, action, result);
    else if (action->level == VERIFY_TCP)
        verify_tcp(domain, action, result);
    else
        result->error = -EINVAL;
    virDomainFree(domain);
}
