#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
How often an idle daemon wakes the processor: voluntary context switches of its main thread and of all its threads, each
second, while nothing happens. With libvirt's test driver, or a hypervisor that is there, such as qemu:///system. Prints
figures and judges none.

usage: UNDERSTUDY_BUILD=default idle.py [--uri URI] [--seconds N] [--json]
"""

import argparse
import json
import re
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "e2e"))

from harness.daemon import Daemon  # noqa: E402
from harness.testdriver import write_node  # noqa: E402

SETTLED_S = 60  # what follows the start is over


def switches(pid):
    """Of each thread, by its number."""
    return {thread.name: int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", (thread / "status").read_text(), re.MULTILINE)[1])
            for thread in Path(f"/proc/{pid}/task").iterdir()}


def measure(uri, seconds):
    with tempfile.TemporaryDirectory(prefix="us-") as name:
        directory = Path(name)
        if uri is None:
            pool = {"vm-1": {"language": "nodejs"}, "vm-2": {"language": "nodejs"}}
            uri = write_node(directory / "node.xml", pool, ["vm-1"])
        daemon = Daemon(directory, hypervisors=[{"name": "room", "uri": uri}])
        try:
            daemon.start()
            time.sleep(SETTLED_S)
            pid = daemon.pid
            before = switches(pid)
            time.sleep(seconds)
            after = switches(pid)
        finally:
            daemon.stop()
    new = {thread: count - before.get(thread, 0) for thread, count in after.items()}
    return {"uri": uri, "seconds": seconds, "main_per_s": round(new[str(pid)] / seconds, 2),
            "all_per_s": round(sum(new.values()) / seconds, 2)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--uri", help="a hypervisor that is there; otherwise libvirt's test driver")
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = measure(arguments.uri, arguments.seconds)
    if arguments.json:
        print(json.dumps(found))
    else:
        print(f"{found['uri']}: main thread {found['main_per_s']} wake-ups a second, all threads {found['all_per_s']}")


if __name__ == "__main__":
    main()
