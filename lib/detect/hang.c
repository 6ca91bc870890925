/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Does a guest hang? */
#include "detect/hang.h"

void hang_clear(struct hang_track *track)
{
    track->misses = 0;
    track->is_hung = false;
}

/* A guest that was not executing and does so again is alive, too. */
static bool shows_disk_activity(const struct probe *last, const struct probe *probe)
{
    return !probe->lacks_disks && (last->lacks_disks || probe->disk_requests != last->disk_requests);
}

/* Something was read, written, sent or received since the first answer was missing. */
static bool shows_activity(const struct probe *last, const struct probe *probe)
{
    return shows_disk_activity(last, probe) || probe->network_packets != last->network_packets;
}

bool hang_judge(struct hang_track *track, const struct probe *probe, unsigned misses_max)
{
    if (probe->agent_answered) {
        hang_clear(track);
        return false;
    }
    if (!probe->has_counters)
        return false;
    if (track->misses == 0 || shows_activity(&track->last_probe, probe)) {
        track->misses = 0;
        track->last_probe = *probe;
    }
    track->misses++;
    if (track->misses < misses_max)
        return false;
    track->misses = 0;
    if (track->is_hung)
        return false;
    track->is_hung = true;
    return true;
}
