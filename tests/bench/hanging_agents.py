#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
What guests whose agents hang cost the others: the time from the death of a real QEMU until its replacement runs, among
guests that answer and, in turn, among the same guests when none of their agents does. All of them are asked what
they offer meanwhile. Needs root and 200 MiB of memory for each guest; prints figures and judges none.

usage: UNDERSTUDY_BUILD=default hanging_agents.py [--guests N] [--rounds N] [--verbose] [--json]
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
from harness.waiting import wait_until  # noqa: E402

VERBOSE = False
WEB = {"database": "mysql", "language": "nodejs"}


def ask_all(daemon, guests):
    for name in guests:
        daemon.ctl("refresh", name)


def tell_all(host, guests, command, answer):
    for name in guests:
        console = host.serial(name)
        said = console.text.count(answer)
        console.say(command + "\n")
        console.wait_for_condition(lambda: console.text.count(answer) > said, f"{name} obeys")


def crash(host, daemon, number):
    """Milliseconds from the kill until the replacement's QEMU is there."""
    failed, replacement = f"web-{number}", f"spare-{number}"
    host.define(replacement, resources=WEB, role="standby")
    host.run(failed, resources=WEB, role="protected")
    daemon.wait_for_machine(failed, state="running")
    daemon.wait_for_machine(replacement, state="shut off")
    console, pid = host.serial(replacement), host.qemu_pid(failed)
    began = time.monotonic()
    host.kill_process(pid)
    console.wait_for_condition(lambda: console.boots > 0, f"{replacement} starts")
    took = time.monotonic() - began
    record = daemon.wait_for_recovery(failed)
    if VERBOSE:
        print(number, round(took * 1000), record["times_ms"], file=sys.stderr)
    host.virsh("destroy", replacement)
    host.virsh("undefine", failed)
    host.virsh("undefine", replacement)
    daemon.wait_until_gone(replacement)
    return took * 1000


def measure(n_guests, rounds):
    answering, hanging = [], []
    with tempfile.TemporaryDirectory(prefix="us-") as name:
        for room in ("host", "daemon"):
            (Path(name) / room).mkdir()
        cache = SOURCE / "build/guests"
        cache.mkdir(parents=True, exist_ok=True)
        host = Host(Path(name) / "host", cache)
        try:
            host.open()
            daemon = Daemon(Path(name) / "daemon", host, recovery={"limit": 100})
            try:
                daemon.start()
                guests = [f"guest-{i}" for i in range(n_guests)]
                for guest in guests:
                    host.run(guest, guest="linux with agent", arguments="software=programs", role="protected")
                for guest in guests:
                    wait_until(lambda name=guest: daemon.api.machine(name)["features"], f"{guest} has told what it offers")
                for number in range(rounds):
                    tell_all(host, guests, "continue-agent", "agent goes on")
                    ask_all(daemon, guests)
                    answering.append(crash(host, daemon, 2 * number))
                    tell_all(host, guests, "stop-agent", "agent is stopped")
                    ask_all(daemon, guests)
                    hanging.append(crash(host, daemon, 2 * number + 1))
            finally:
                daemon.close()
        finally:
            host.close()
    return {"guests": n_guests, "rounds": rounds,
            "crash_to_running_ms_median_answering": round(statistics.median(answering), 1),
            "crash_to_running_ms_median_hanging": round(statistics.median(hanging), 1),
            "crash_to_running_ms_max_answering": round(max(answering), 1),
            "crash_to_running_ms_max_hanging": round(max(hanging), 1)}


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description="a crash among guests whose agents hang")
    arguments.add_argument("--guests", type=int, default=50)
    arguments.add_argument("--rounds", type=int, default=10)
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--verbose", action="store_true", help="each crash, and what its time was made of")
    options = arguments.parse_args()
    VERBOSE = options.verbose
    if missing() is not None:
        sys.exit(missing())
    figures = measure(options.guests, options.rounds)
    print(json.dumps(figures) if options.json else "\n".join(f"{key:38} {value}" for key, value in figures.items()))
