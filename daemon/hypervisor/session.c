/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Opens, registers, translates, closes. Balloon and tunable events are not registered: they tell of
 * the memory a guest uses at the moment, many times a minute, and never of the memory it is defined with.
 *
 * virConnectSetKeepAlive is not used either: in libvirt 9.0, when it gives up while several calls are
 * under way, all but one of them hang with no word to the close callback, and what arrives later is
 * written to the stack of a thread that has ended (of the kin of CVE-2024-4418). The connection is
 * probed by a call instead.
 */
#include "hypervisor/session.h"

#include <assert.h>
#include <stdint.h>
#include <strings.h>

#include "hypervisor/cutter.h"
#include "hypervisor/eventloop.h"
#include "hypervisor/translate.h"
#include "hypervisor/worker.h"
#include "model/uri.h"
#include "service/clock.h"

static struct session_listener listener;

void session_set_listener(const struct session_listener *new_listener)
{
    listener = *new_listener;
}

static void tell(virDomainPtr domain, enum domain_event_kind kind, void *opaque)
{
    struct domain_event event = {
        .kind = kind,
        .name = virDomainGetName(domain),
        .at = clock_now(),
    };

    if (event.name != NULL && virDomainGetUUIDString(domain, event.uuid) == 0)
        listener.event((unsigned long)(uintptr_t)opaque, &event);
}

static int on_lifecycle(virConnectPtr connection, virDomainPtr domain, int type, int detail, void *opaque)
{
    (void)connection;
    tell(domain, translate_lifecycle(type, detail), opaque);
    return 0;
}

static void on_reboot(virConnectPtr connection, virDomainPtr domain, void *opaque)
{
    (void)connection;
    tell(domain, EVENT_REBOOT, opaque);
}

static void on_watchdog(virConnectPtr connection, virDomainPtr domain, int action, void *opaque)
{
    (void)connection;
    tell(domain, translate_watchdog(action), opaque);
}

static void on_agent(virConnectPtr connection, virDomainPtr domain, int state, int reason, void *opaque)
{
    (void)connection;
    (void)reason;
    tell(domain, translate_agent(state), opaque);
}

static void on_device(virConnectPtr connection, virDomainPtr domain, const char *alias, void *opaque)
{
    (void)connection;
    (void)alias;
    tell(domain, EVENT_CHANGED, opaque);
}

static void on_disk_change(virConnectPtr connection, virDomainPtr domain, const char *old_source,
                           const char *new_source, const char *alias, int reason, void *opaque)
{
    (void)connection;
    (void)old_source;
    (void)new_source;
    (void)alias;
    (void)reason;
    tell(domain, EVENT_CHANGED, opaque);
}

static void on_metadata(virConnectPtr connection, virDomainPtr domain, int type, const char *uri, void *opaque)
{
    (void)connection;
    (void)type;
    (void)uri;
    tell(domain, EVENT_CHANGED, opaque);
}

static void on_storage_pool(virConnectPtr connection, virStoragePoolPtr pool, int event, int detail, void *opaque)
{
    (void)connection;
    (void)pool;
    (void)event;
    (void)detail;
    listener.storage((unsigned long)(uintptr_t)opaque);
}

/* libvirt takes callbacks of every type as one; the detour over void (*)(void) is the cast that compilers allow. */
#define CALLBACK(f) ((virConnectDomainEventGenericCallback)(void (*)(void))(f))

static const struct {
    int event;
    virConnectDomainEventGenericCallback callback;
    bool is_obligatory;
} registrations[] = {
    {VIR_DOMAIN_EVENT_ID_LIFECYCLE, CALLBACK(on_lifecycle), true},
    {VIR_DOMAIN_EVENT_ID_REBOOT, CALLBACK(on_reboot), false},
    {VIR_DOMAIN_EVENT_ID_WATCHDOG, CALLBACK(on_watchdog), false},
    {VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE, CALLBACK(on_agent), false},
    {VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, CALLBACK(on_device), false},
    {VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, CALLBACK(on_device), false},
    {VIR_DOMAIN_EVENT_ID_DISK_CHANGE, CALLBACK(on_disk_change), false},
    {VIR_DOMAIN_EVENT_ID_METADATA_CHANGE, CALLBACK(on_metadata), false},
};
static_assert(ELEMENTS_OF(registrations) == SESSION_EVENTS, "one callback id for each event");

static void on_close(virConnectPtr connection, int reason, void *opaque)
{
    (void)connection;
    listener.closed((unsigned long)(uintptr_t)opaque, reason);
}

static int register_events(struct session *session, void *id)
{
    for (size_t i = 0; i < SESSION_EVENTS; i++) {
        session->callback_ids[i] = virConnectDomainEventRegisterAny(session->handle, NULL, registrations[i].event,
                                                                    registrations[i].callback, id, NULL);
        if (session->callback_ids[i] < 0 && registrations[i].is_obligatory)
            return -1;
    }
    /* Not all hypervisors have storage pools. */
    session->storage_callback_id = virConnectStoragePoolEventRegisterAny(
        session->handle, NULL, VIR_STORAGE_POOL_EVENT_ID_LIFECYCLE,
        (virConnectStoragePoolEventGenericCallback)(void (*)(void))on_storage_pool, id, NULL);
    return 0;
}

/*
 * In libvirt 9.0 a call may not be sent until another one on its connection has its answer, and the agent of a guest that
 * hangs answers never: a start among such guests took 3.4 s instead of 0.2. So these have a connection of their own.
 * The test driver has no agents, and another connection to it may be another room.
 */
static virConnectPtr open_talk(virConnectPtr handle, const char *uri)
{
    virConnectAuth no_password = {0};
    const char *driver = virConnectGetType(handle);
    virConnectPtr talk;

    if (driver != NULL && strcasecmp(driver, "test") == 0)
        return NULL;
    /* It needs no events. A host far away learns by its keepalive messages alone that this one is gone. */
    eventloop_refuse_handles(uri_is_local(uri));
    talk = virConnectOpenAuth(uri, &no_password, 0);
    eventloop_refuse_handles(false);
    return talk;
}

static int open_both(struct session *session, const char *uri, unsigned long id, char *message, size_t size)
{
    virConnectAuth no_password = {0};
    void *opaque = (void *)(uintptr_t)id;
    int r;

    session->handle = virConnectOpenAuth(uri, &no_password, 0);
    if (session->handle == NULL)
        return translate_connect_error(message, size);
    /* Drivers that run in this process have no close callback, and cannot lose their connection. */
    virConnectRegisterCloseCallback(session->handle, on_close, opaque, NULL);
    if (register_events(session, opaque) < 0) {
        r = translate_last_error(session->handle, message, size);
        session_close(session);
        return r;
    }
    cutter_watch_next(session->cutter);
    session->talk = open_talk(session->handle, uri);
    return 0;
}

int session_open(struct session *session, const char *uri, unsigned long id, char *message, size_t size)
{
    int r;

    assert(job_is_running_here());
    for (size_t i = 0; i < SESSION_EVENTS; i++)
        session->callback_ids[i] = -1;
    session->storage_callback_id = -1;
    cutter_watch(session->cutter);
    r = open_both(session, uri, id, message, size);
    cutter_rest(session->cutter);
    return r;
}

void session_close(struct session *session)
{
    if (session->handle == NULL)
        return;
    for (size_t i = 0; i < SESSION_EVENTS; i++)
        if (session->callback_ids[i] >= 0)
            virConnectDomainEventDeregisterAny(session->handle, session->callback_ids[i]);
    if (session->storage_callback_id >= 0)
        virConnectStoragePoolEventDeregisterAny(session->handle, session->storage_callback_id);
    virConnectUnregisterCloseCallback(session->handle, on_close);
    if (session->talk != NULL)
        virConnectClose(session->talk);
    virConnectClose(session->handle);
    session->handle = session->talk = NULL;
}
