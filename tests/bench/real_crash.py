#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
From the death of a real QEMU to a replacement that runs, seen from outside: SIGKILL until the
replacement's QEMU is connected to its console, and until its guest speaks. Needs root; prints figures
and judges none.

usage: UNDERSTUDY_BUILD=default real_crash.py [--rounds N] [--warm] [--json]
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "e2e"))

from harness.daemon import SOURCE, Daemon  # noqa: E402
from harness.host import Host, missing  # noqa: E402

WEB = {"database": "mysql", "language": "nodejs"}


def round_trip(host, daemon, number, warm):
    """(running, speaking) in milliseconds after the kill."""
    failed, replacement = f"vm-{number}-failed", f"vm-{number}-standby"
    if warm:
        host.run(replacement, resources=WEB, role="standby")
        host.virsh("suspend", replacement)
    else:
        host.define(replacement, resources=WEB, role="standby")
    host.run(failed, resources=WEB, role="protected")
    daemon.wait_for_machine(failed, state="running")
    daemon.wait_for_machine(replacement, state="paused" if warm else "shut off")
    console = host.serial(replacement)
    pid = host.qemu_pid(failed)
    began = time.monotonic()
    host.kill_process(pid)
    if warm:
        console.say("!")  # what it says back tells that it runs
        console.wait_for("!")
        running = speaking = time.monotonic() - began
    else:
        console.wait_for_condition(lambda: console.boots > 0, f"{replacement} starts")
        running = time.monotonic() - began
        console.wait_for("is up")
        speaking = time.monotonic() - began
    daemon.wait_for_recovery(failed)
    host.remove_machines()
    return running * 1000, speaking * 1000


def measure(rounds, warm):
    with tempfile.TemporaryDirectory(prefix="us-") as name:
        (Path(name) / "host").mkdir()
        (Path(name) / "daemon").mkdir()
        cache = SOURCE / "build/guests"
        cache.mkdir(parents=True, exist_ok=True)
        host = Host(Path(name) / "host", cache)
        try:
            host.open()
            daemon = Daemon(Path(name) / "daemon", host)
            try:
                daemon.start()
                times = [round_trip(host, daemon, number, warm) for number in range(rounds)]
            finally:
                daemon.close()
        finally:
            host.close()
    running, speaking = zip(*times)
    return {"replacement": "paused" if warm else "cold", "rounds": rounds,
            "crash_to_running_ms_median": round(statistics.median(running), 1),
            "crash_to_guest_speaks_ms_median": round(statistics.median(speaking), 1),
            "crash_to_guest_speaks_ms_max": round(max(speaking), 1)}


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description="crash to running replacement on real QEMU")
    arguments.add_argument("--rounds", type=int, default=10)
    arguments.add_argument("--warm", action="store_true", help="the replacement is booted and suspended")
    arguments.add_argument("--json", action="store_true")
    options = arguments.parse_args()
    if missing() is not None:
        sys.exit(missing())
    figures = measure(options.rounds, options.warm)
    print(json.dumps(figures) if options.json else "\n".join(f"{key:34} {value}" for key, value in figures.items()))
