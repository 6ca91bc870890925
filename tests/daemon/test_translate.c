/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libvirt's numbers in our words, those that this program does not list included. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "hypervisor/translate.h"
#include "protocol/action.h"

static void translates_what_it_lists_and_nothing_else(void **state)
{
    enum machine_state machine_state;
    enum machine_reason reason;

    (void)state;
    assert_int_equal(translate_lifecycle(VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_FAILED),
                     EVENT_STOPPED_FAILED);
    assert_int_equal(translate_lifecycle(VIR_DOMAIN_EVENT_SHUTDOWN, VIR_DOMAIN_EVENT_SHUTDOWN_HOST),
                     EVENT_SHUTDOWN_HOST);
    assert_int_equal(translate_lifecycle(VIR_DOMAIN_EVENT_CRASHED, VIR_DOMAIN_EVENT_CRASHED_PANICKED),
                     EVENT_CRASHED_PANICKED);
    assert_int_equal(translate_lifecycle(VIR_DOMAIN_EVENT_STOPPED, 99), EVENT_UNLISTED);
    assert_int_equal(translate_lifecycle(99, 0), EVENT_UNLISTED);
    assert_int_equal(translate_watchdog(VIR_DOMAIN_EVENT_WATCHDOG_POWEROFF), EVENT_WATCHDOG_OFF);
    assert_int_equal(translate_watchdog(VIR_DOMAIN_EVENT_WATCHDOG_PAUSE), EVENT_WATCHDOG);

    translate_state(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR, &machine_state, &reason);
    assert_int_equal(machine_state, MACHINE_PAUSED);
    assert_int_equal(reason, REASON_IO_ERROR);
    translate_state(VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_DAEMON, &machine_state, &reason);
    assert_int_equal(reason, REASON_DAEMON);
    translate_state(VIR_DOMAIN_SHUTOFF, 99, &machine_state, &reason);
    assert_int_equal(machine_state, MACHINE_SHUT_OFF);
    assert_int_equal(reason, REASON_UNKNOWN);
    translate_state(VIR_DOMAIN_CRASHED, VIR_DOMAIN_CRASHED_PANICKED, &machine_state, &reason);
    assert_int_equal(machine_state, MACHINE_CRASHED);
    assert_int_equal(reason, REASON_PANICKED);
    /* 14: paused since an API call failed. A remote libvirt may be newer than the one that this was built with. */
    translate_state(VIR_DOMAIN_PAUSED, 14, &machine_state, &reason);
    assert_int_equal(machine_state, MACHINE_PAUSED);
    assert_int_equal(reason, REASON_UNKNOWN);
    translate_state(99, 0, &machine_state, &reason);
    assert_int_equal(machine_state, MACHINE_UNKNOWN);
}

/* libvirt's words and errno as seen; only a missing answer speaks of a host that is not there. */
static void tells_an_absent_host_from_one_that_refuses(void **state)
{
    static const struct {
        int code, system_error;
        const char *message;
        bool is_absent;
    } cases[] = {
        {VIR_ERR_SYSTEM_ERROR, EHOSTUNREACH, "unable to connect to server at 'a:16514': No route to host", true},
        {VIR_ERR_SYSTEM_ERROR, ETIMEDOUT, "unable to connect to server at 'a:16514': Connection timed out", true},
        {VIR_ERR_SYSTEM_ERROR, EIO, "Cannot recv data: ssh: connect to host a port 22: No route to host: I/O error",
         true},
        {VIR_ERR_SYSTEM_ERROR, ECONNREFUSED, "unable to connect to server at 'a:16514': Connection refused", false},
        {VIR_ERR_SYSTEM_ERROR, 0, "Unable to resolve address 'a' service '16514': Name or service not known", false},
        {VIR_ERR_SYSTEM_ERROR, EIO, "Cannot recv data: root@a: Permission denied (publickey).: I/O error", false},
        {VIR_ERR_AUTH_FAILED, 0, "authentication failed: access denied by policy", false},
        {VIR_ERR_SYSTEM_ERROR, 0, "The client certificate /etc/pki/x.pem has expired", false},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++)
        assert_int_equal(translate_is_absence(cases[i].code, cases[i].system_error, cases[i].message),
                         cases[i].is_absent);
}

/* The hint that helps stands at the end of what libvirt says. */
static void libvirts_words_are_whole_and_on_one_line(void **state)
{
    char uri[700] = "test:///nowhere%0A", message[ACTION_MESSAGE_SIZE];
    size_t length = strlen(uri);

    (void)state;
    memset(uri + length, 'x', sizeof(uri) - length);
    memcpy(uri + sizeof(uri) - sizeof("-end"), "-end", sizeof("-end"));
    assert_null(virConnectOpen(uri));
    assert_true(translate_connect_error(message, sizeof(message)) < 0);
    assert_null(strchr(message, '\n'));
    assert_non_null(strstr(message, "/nowhere xxx"));
    assert_non_null(strstr(message, "x-end"));
    assert_string_not_equal(strstr(message, "x-end"), "x-end"); /* and why */
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(translates_what_it_lists_and_nothing_else),
        cmocka_unit_test(tells_an_absent_host_from_one_that_refuses),
        cmocka_unit_test(libvirts_words_are_whole_and_on_one_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
