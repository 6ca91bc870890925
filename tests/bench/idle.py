#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
How often an idle daemon wakes the processor: voluntary context switches of its main thread and of all its threads, each
second, while nothing happens. With libvirt's test driver; with a hypervisor that is there, such as qemu:///system; or as the unit
of the package, in a container with a libvirtd and a machine that runs (recovery/room.py; root, QEMU, BUILD_TESTING=ON). Prints
figures and judges none.

usage: UNDERSTUDY_BUILD=default idle.py [--uri URI | --unit] [--seconds N] [--json]
"""

import argparse
import json
import re
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "e2e"), str(HERE.parent / "e2e/service"), str(HERE / "recovery")]

from harness.daemon import Daemon  # noqa: E402
from harness.testdriver import write_node  # noqa: E402
import room as rooms  # noqa: E402

SETTLED_S = 60  # what follows the start is over


def switches(pid):
    """Of each thread, by its number."""
    return {thread.name: int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", (thread / "status").read_text(), re.MULTILINE)[1])
            for thread in Path(f"/proc/{pid}/task").iterdir()}


def count(pid, seconds):
    """The new switches of each thread, once what follows the start is over."""
    time.sleep(SETTLED_S)
    before = switches(pid)
    time.sleep(seconds)
    return {thread: n - before.get(thread, 0) for thread, n in switches(pid).items()}


def measure_unit(seconds):
    with rooms.opened() as room:
        room.begin_anew(has_others=False)
        room.start_daemon(None)
        pid = room.daemon_pid()
        return pid, count(pid, seconds)


def measure_bare(uri, seconds):
    with tempfile.TemporaryDirectory(prefix="us-") as name:
        directory = Path(name)
        if uri is None:
            pool = {"vm-1": {"language": "nodejs"}, "vm-2": {"language": "nodejs"}}
            uri = write_node(directory / "node.xml", pool, ["vm-1"])
        daemon = Daemon(directory, hypervisors=[{"name": "room", "uri": uri}])
        try:
            daemon.start()
            return daemon.pid, count(daemon.pid, seconds)
        finally:
            daemon.stop()


def measure(arguments):
    seconds = arguments.seconds
    pid, new = measure_unit(seconds) if arguments.unit else measure_bare(arguments.uri, seconds)
    return {"of": "unit" if arguments.unit else arguments.uri or "test driver", "seconds": seconds,
            "main_per_s": round(new[str(pid)] / seconds, 2), "all_per_s": round(sum(new.values()) / seconds, 2)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--uri", help="a hypervisor that is there; otherwise libvirt's test driver")
    parser.add_argument("--unit", action="store_true", help="the unit of the package, with a libvirtd of its own")
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = measure(arguments)
    if arguments.json:
        print(json.dumps(found))
    else:
        print(f"{found['of']}: main thread {found['main_per_s']} wake-ups a second, all threads {found['all_per_s']}")


if __name__ == "__main__":
    main()
