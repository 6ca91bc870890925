/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libvirt's numbers in our words, those that this program does not list included. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <libvirt/libvirt.h>

#include "hypervisor/translate.h"

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
    translate_state(99, 0, &machine_state, &reason);
    assert_int_equal(machine_state, MACHINE_UNKNOWN);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(translates_what_it_lists_and_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
