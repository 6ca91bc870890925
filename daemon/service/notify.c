/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sd_notify, one function for each message. */
#include "service/notify.h"

#include <systemd/sd-daemon.h>

void notify_ready(void)
{
    sd_notify(0, "READY=1");
}

void notify_reloading(int64_t mono_us)
{
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)mono_us);
}

void notify_stopping(void)
{
    sd_notify(0, "STOPPING=1");
}

void notify_status(const char *text)
{
    sd_notifyf(0, "STATUS=%s", text);
}

int64_t notify_watchdog_interval_us(void)
{
    uint64_t limit_us;

    return sd_watchdog_enabled(0, &limit_us) > 0 ? (int64_t)(limit_us / 2) : 0;
}

void notify_watchdog(void)
{
    sd_notify(0, "WATCHDOG=1");
}
