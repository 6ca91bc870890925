#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
From the death of a real QEMU to a replacement that runs, and whose guest answers: understudy beside two that decide nothing, a
bare client that waits on a pidfd and starts the replacement (bare_client.c), and a shell script around `virsh event`. They take
turns in each round. Needs root; prints medians in milliseconds after the death, and judges none.

usage: UNDERSTUDY_BUILD=default recovery.py [--rounds N] [--failures KILL,SEGV,TERM,panic] [--standbys paused,saved,cold]
                   [--contestants understudy,pidfd,script] [--json]

The death is when the process is a zombie, as a pidfd tells. A replacement runs when libvirt tells that it was started or resumed;
its guest answers when it says something on its console.
"""

import argparse
import calendar
import json
import os
import re
import select
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "e2e"))

from harness.daemon import SOURCE, Daemon, program  # noqa: E402
from harness.host import Host, missing  # noqa: E402

WEB = {"database": "mysql", "language": "nodejs"}
SCRIPT = """
virsh -q event --loop --event lifecycle | while read -r line; do
    case $line in
    *"'vm-a'"*Crashed*|*"'vm-a'"*Stopped*Failed*|*"'vm-a'"*Stopped*Crashed*|*"'vm-a'"*Stopped*Shutdown*)
        virsh -q domstate vm-best | grep -q paused && virsh -q resume vm-best || virsh -q start vm-best
        exit;;
    esac
done
"""


class Observer:
    """Hears of every lifecycle event, with libvirt's time of it."""

    def __init__(self, host):
        self._process = subprocess.Popen(
            host.command("virsh", "event", "--all", "--loop", "--timestamp"), stdout=subprocess.PIPE, text=True, bufsize=1)
        time.sleep(0.5)

    def wait_for(self, domain, words, since, seconds=60):
        """When it first happened after that, in seconds of the wall clock."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            line = self._process.stdout.readline()
            if f"'{domain}'" in line and re.search(words, line):
                stamp, ms = re.match(r"(\d+-\d+-\d+ \d+:\d+:\d+)\.(\d+)", line).groups()
                at = calendar.timegm(time.strptime(stamp, "%Y-%m-%d %H:%M:%S")) + int(ms) / 1000
                if at >= since:
                    return at
        raise AssertionError(f"no word of {domain} in {seconds} s")

    def close(self):
        self._process.kill()
        self._process.wait()


def prepare_standby(host, kind):
    if kind == "cold":
        host.define("vm-best", resources=WEB, role="standby")
        return
    host.run("vm-best", resources=WEB, role="standby")
    host.serial("vm-best").wait_for("is up")
    host.virsh("suspend" if kind == "paused" else "managedsave", "vm-best")


def begin(host, contestant, kind, home):
    """Returns how to end it."""
    if contestant == "understudy":
        host.define("vm-best", resources=WEB, role="standby")
        daemon = Daemon(home, host, standby={"warm": 0 if kind == "cold" else 1,
                                             "warmth": "paused" if kind == "cold" else kind})
        daemon.start()
        if kind != "cold":
            daemon.events.wait_for("warmed", "vm-best", 120)
            time.sleep(1)  # until the first proof is there
        return daemon.close
    prepare_standby(host, kind)
    if contestant == "pidfd":
        process = host.spawn(program("bench_bare_client"), "/run/libvirt/qemu/vm-a.pid", "vm-best",
                             stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "ready\n"
    else:
        process = host.spawn("timeout", "60", "sh", "-c", SCRIPT)
        time.sleep(0.5)
        return lambda: process.signal(signal.SIGTERM)
    return lambda: process.wait(30)


def fail(host, failure):
    """Returns when its QEMU was dead."""
    pid = host.qemu_pid("vm-a")
    end = os.pidfd_open(pid)
    if failure == "panic":
        host.serial("vm-a").say("p")
    else:
        os.kill(pid, getattr(signal, f"SIG{failure}"))
    assert select.select([end], [], [], 10)[0], "QEMU did not die"
    died = time.time()
    os.close(end)
    return died


def one(host, observer, contestant, failure, kind, home):
    """(running, answering) in milliseconds after the death."""
    host.run("vm-a", resources=WEB, role="protected")
    host.serial("vm-a").wait_for("is up")
    finish = begin(host, contestant, kind, home)
    console = host.serial("vm-best")
    died = fail(host, failure)
    if kind == "cold":
        console.wait_for("is up", 60)
    else:
        if kind == "saved":
            console.wait_for_condition(lambda: console.is_connected, "it is restored", 60)
        console.say("!")
        console.wait_for("!", 60)
    answered = time.time()
    running = observer.wait_for("vm-best", "Resumed|Started", died)
    finish()
    host.remove_machines()
    return (running - died) * 1000, (answered - died) * 1000


def measure(options):
    figures = {}
    with tempfile.TemporaryDirectory(prefix="us-") as name:
        home = Path(name)
        (home / "host").mkdir()
        cache = SOURCE / "build/guests"
        cache.mkdir(parents=True, exist_ok=True)
        host = Host(home / "host", cache)
        try:
            host.open()
            observer = Observer(host)
            for number in range(options.rounds):
                for failure in options.failures.split(","):
                    for kind in options.standbys.split(","):
                        for contestant in options.contestants.split(","):
                            directory = home / f"d-{number}-{failure}-{kind}-{contestant}"
                            directory.mkdir()
                            times = one(host, observer, contestant, failure, kind, directory)
                            figures.setdefault((failure, kind, contestant), []).append(times)
            observer.close()
        finally:
            host.close()
    return figures


def main():
    arguments = argparse.ArgumentParser(description="from the death of a QEMU to a replacement that answers")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--failures", default="KILL,SEGV,TERM,panic")
    arguments.add_argument("--standbys", default="paused,saved,cold")
    arguments.add_argument("--contestants", default="understudy,pidfd,script")
    arguments.add_argument("--json", action="store_true")
    options = arguments.parse_args()
    if missing() is not None:
        sys.exit(missing())
    figures = measure(options)
    rows = [{"failure": failure, "standby": kind, "contestant": contestant, "rounds": len(times),
             "running_ms": round(statistics.median(running for running, _ in times), 1),
             "answering_ms": round(statistics.median(answering for _, answering in times), 1),
             "answering_ms_max": round(max(answering for _, answering in times), 1)}
            for (failure, kind, contestant), times in figures.items()]
    if options.json:
        print(json.dumps(rows))
        return
    print(f"{'failure':8} {'standby':8} {'who':11} {'running':>9} {'answering':>10} {'worst':>9}")
    for row in rows:
        print(f"{row['failure']:8} {row['standby']:8} {row['contestant']:11} {row['running_ms']:9} "
              f"{row['answering_ms']:10} {row['answering_ms_max']:9}")


if __name__ == "__main__":
    main()
