#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Each beginning of the list of rooms of lib/, and within coordinator/ of its components, is a library by itself: no file
uses what only a file behind it in the list defines. Stronger than the include lines, since it looks at the objects.

usage: prefixes.py OBJECT...; prints one line for each breach and returns 1 if there is any.
"""

import sys

import circles

# A name that ends in / is a folder; the parts of one line belong together.
ORDER = (
    ("base/",), ("model/",), ("config/",), ("discovery/",), ("similarity/",), ("pool/",), ("protocol/",), ("detect/",),
    ("choose/",), ("workflow/",),
    ("coordinator/outbox.c",),
    ("coordinator/records.c",),
    ("coordinator/diversions.c",),
    ("coordinator/hold_marks.c",),
    ("coordinator/registry.c",),
    ("coordinator/moves.c",),
    ("coordinator/whereabouts.c",),
    ("coordinator/tasks.c",),
    ("coordinator/holds.c",),
    ("coordinator/drills.c",),
    ("coordinator/failures.c",),
    ("coordinator/quarantine.c",),
    ("coordinator/sightings.c",),
    ("coordinator/machines.c",),
    ("coordinator/discovery.c",),
    ("coordinator/reports.c",),
    ("coordinator/same_host.c",),
    ("coordinator/keep.c",),
    ("coordinator/services.c",),
    ("coordinator/autostart.c",),
    ("coordinator/marks.c",),
    ("coordinator/brake.c",),
    ("coordinator/obstacle.c",),
    ("coordinator/late_starts.c",),
    ("coordinator/heartbeat.c",),
    ("coordinator/guest_clock.c",),
    ("coordinator/hosts.c",),
    ("coordinator/fence_tests.c",),
    ("coordinator/standby/",),
    ("coordinator/recovery_notices.c",),
    ("coordinator/open_recovery.c", "coordinator/opening.c", "coordinator/resume.c", "coordinator/relocation.c",
     "coordinator/recoveries.c"),
    ("coordinator/leftovers.c",),
    ("coordinator/expiry.c",),
    ("coordinator/retries.c",),
    ("coordinator/orders.c",),
    ("coordinator/evacuation.c",),
    ("coordinator/rehearsals.c",),
    ("coordinator/precedence.c",),
    ("coordinator/seeker.c", "coordinator/decide.c", "coordinator/assignment.c"),
    ("coordinator/memory.c", "coordinator/view.c", "coordinator/coordinator.c"),
    ("forecast/",),
    ("report/",),
)


def place_of(name):
    """Its place in the order, or None."""
    for place, parts in enumerate(ORDER):
        if any(name.startswith(part) if part.endswith("/") else name == part for part in parts):
            return place
    return None


def check(paths):
    graph, breaches = circles.graph_of(paths), []
    for name in sorted(graph):
        place = place_of(name)
        if place is None:
            breaches.append(f"{name}: stands in no place of the order")
            continue
        for other, symbols in sorted(graph[name].items()):
            there = place_of(other)
            if there is not None and there > place:
                breaches.append(f"{name}: uses what stands behind it, {other}: {', '.join(symbols)}")
    return breaches


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: prefixes.py OBJECT...")
    found = check(sys.argv[1:])
    print("\n".join(found), end="\n" if found else "")
    sys.exit(1 if found else 0)
