/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What systemd is told (sd_notify(3)). Does nothing where systemd did not start the daemon. */
#ifndef UNDERSTUDY_DAEMON_NOTIFY_H
#define UNDERSTUDY_DAEMON_NOTIFY_H

#include <stdint.h>

void notify_ready(void);
/* With the monotonic time that Type=notify-reload wants; harmless with Type=notify. */
void notify_reloading(int64_t mono_us);
void notify_stopping(void);
/* One line, shown by systemctl status. */
void notify_status(const char *text);

/* How often systemd wants to hear notify_watchdog, halved as it advises; 0: never. In microseconds. */
int64_t notify_watchdog_interval_us(void);
void notify_watchdog(void);

#endif
