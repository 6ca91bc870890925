/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One line for one event of the stream, as watch and drill --wait print it. */
#ifndef UNDERSTUDY_DAEMON_CTL_EVENT_LINE_H
#define UNDERSTUDY_DAEMON_CTL_EVENT_LINE_H

#include <jansson.h>
#include <stdbool.h>

/* in_json: the notice as the daemon sent it, on one line. Flushes, so that each event is seen at once. */
void event_line_print(const json_t *notice, bool in_json);

#endif
