#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
From the death of a real QEMU to a replacement that runs, and whose guest answers: understudy beside two that decide nothing, a
bare client that waits on a pidfd and starts the replacement (bare_client.c), and a shell script around `virsh event`. All are
in one container (room.py): understudy as the unit of its package, the others as plain processes. `no-exit` is the same
understudy on a kernel that does not tell how a process has ended. They take turns in each round. Needs root; prints medians
in milliseconds after the death, and judges none.

usage: UNDERSTUDY_BUILD=default recovery.py [--rounds N] [--failures KILL,SEGV,TERM,panic] [--standbys paused,saved,cold]
                   [--contestants understudy,proving,no-exit,pidfd,script] [--seldom saved,no-exit] [--json]

--seldom: these take part in every second round only.

The death is when the process is a zombie, as a pidfd tells. A replacement runs when libvirt tells that it was started or resumed;
its guest answers when it says something on its console.
"""

import argparse
import calendar
import contextlib
import itertools
import json
import os
import re
import select
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "e2e" / part) for part in ("service", "")]

import room as rooms  # noqa: E402
from harness.waiting import Deadline  # noqa: E402

FAILING, STANDBY = rooms.FAILING, rooms.STANDBY
SCRIPT = f"""
virsh -q event --loop --event lifecycle | while read -r line; do
    case $line in
    *"'{FAILING}'"*Crashed*|*"'{FAILING}'"*Stopped*Failed*|*"'{FAILING}'"*Stopped*Crashed*|*"'{FAILING}'"*Stopped*Shutdown*)
        virsh -q domstate {STANDBY} | grep -q paused && virsh -q resume {STANDBY} || virsh -q start {STANDBY}
        exit;;
    esac
done
"""
UNDERSTUDIES = ("understudy", "proving", "no-exit")
PROOF_S = 1  # so soon after a standby is warm the daemon knows that libvirt is ending no machine


class Observer:
    """Hears of every lifecycle event, with libvirt's time of it."""

    def __init__(self, room):
        self._process = room.spawn("env", "TZ=UTC", "virsh", "event", "--all", "--loop", "--timestamp", stdout=subprocess.PIPE)
        self._text = ""
        os.set_blocking(self._process.stdout.fileno(), False)
        time.sleep(0.5)

    def _lines(self, seconds):
        deadline = Deadline(seconds)
        while not deadline.passed():
            line, found, rest = self._text.partition("\n")
            if found:
                self._text = rest
                yield line
            elif select.select([self._process.stdout], [], [], deadline.left())[0]:
                self._text += self._process.stdout.read()

    def wait_for(self, machine, words, since, seconds=60):
        """When it first happened after that, in seconds of the wall clock."""
        for line in self._lines(seconds):
            if f"'{machine}'" in line and re.search(words, line):
                stamp, ms = re.match(r"(\d+-\d+-\d+ \d+:\d+:\d+)\.(\d+)", line).groups()
                at = calendar.timegm(time.strptime(stamp, "%Y-%m-%d %H:%M:%S")) + int(ms) / 1000
                if at >= since:
                    return at
        raise AssertionError(f"no word of {machine} in {seconds} s")

    def close(self):
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()


def prepare_standby(room, kind):
    if kind != "cold":
        room.run(f"virsh -q start {STANDBY}")
        room.console(STANDBY).wait_for("is up")
        room.run(f"virsh -q {'suspend' if kind == 'paused' else 'managedsave'} {STANDBY}")


@contextlib.contextmanager
def competitor(room, *command):
    process = room.spawn(*command, stdout=subprocess.PIPE)
    try:
        yield process
        process.wait(30)
    finally:
        process.kill()
        process.stdout.close()


@contextlib.contextmanager
def ready(room, contestant, kind):
    """While the contestant waits for the failure."""
    if contestant in UNDERSTUDIES:
        warm = rooms.OTHER_STANDBY if contestant == "proving" else None if kind == "cold" else STANDBY
        room.start_daemon(warm, "paused" if kind == "cold" else kind, contestant != "no-exit")
        if warm is not None:
            time.sleep(PROOF_S)
        yield
        return
    prepare_standby(room, kind)
    if contestant == "pidfd":
        with competitor(room, "/usr/local/bin/bare_client", f"/run/libvirt/qemu/{FAILING}.pid", STANDBY) as process:
            assert process.stdout.readline() == "ready\n"
            yield
    else:
        # virsh ends when it next writes to the shell, which is then gone.
        with competitor(room, "timeout", "--kill-after=1", "20", "sh", "-c", SCRIPT) as process:
            time.sleep(0.5)
            yield
            process.terminate()


def fail(room, pid, failure):
    """Returns when its QEMU was dead."""
    end = os.pidfd_open(pid)
    if failure == "panic":
        room.console(FAILING).say("p")
    else:
        os.kill(pid, getattr(signal, f"SIG{failure}"))
    assert select.select([end], [], [], 10)[0], "QEMU did not die"
    died = time.time()
    os.close(end)
    return died


def await_answer(console, kind):
    """Until the guest of the standby says something."""
    if kind == "cold":
        console.wait_for("is up", 60)
        return
    console.wait_for_condition(lambda: console.is_connected, "it is there", 60)
    console.say("!")
    # What its serial port has received before it is restored is lost then.
    while kind == "saved" and not console.says_within("!", 0.01):
        console.say("!")
    console.wait_for("!", 60)


def one(room, observer, contestant, failure, kind):
    """(running, answering) in milliseconds after the death."""
    room.begin_anew(has_others=contestant == "proving")
    with ready(room, contestant, kind):
        pid = room.qemu_pid(FAILING)
        console = room.console(STANDBY)
        assert console.is_connected == (kind == "paused")
        died = fail(room, pid, failure)
        await_answer(console, kind)
        answered = time.time()
        running = observer.wait_for(STANDBY, "Resumed|Started", died)
    return (running - died) * 1000, (answered - died) * 1000


def measure(options):
    figures = {}
    kinds = [part.split(",") for part in (options.failures, options.standbys, options.contestants)]
    with rooms.opened() as room:
        observer = Observer(room)
        try:
            for number, combination in itertools.product(range(options.rounds), itertools.product(*kinds)):
                failure, kind, contestant = combination
                is_left_out = number % 2 == 1 and set(combination) & set(options.seldom.split(","))
                if is_left_out or (contestant == "proving" and kind != "cold"):
                    continue
                try:
                    times = one(room, observer, contestant, failure, kind)
                except Exception:
                    print(room.journal(), file=sys.stderr)
                    raise
                figures.setdefault(combination, []).append(times)
                if options.verbose:
                    print(number, *combination, *(round(ms, 1) for ms in times), file=sys.stderr, flush=True)
        finally:
            observer.close()
    return figures


def main():
    arguments = argparse.ArgumentParser(description="from the death of a QEMU to a replacement that answers")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--failures", default="KILL,SEGV,TERM,panic")
    arguments.add_argument("--standbys", default="paused,saved,cold")
    arguments.add_argument("--contestants", default="understudy,proving,no-exit,pidfd,script")
    arguments.add_argument("--seldom", default="")
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--verbose", action="store_true", help="each figure as it comes")
    options = arguments.parse_args()
    if rooms.missing() is not None:
        sys.exit(rooms.missing())
    figures = measure(options)
    rows = [{"failure": failure, "standby": kind, "contestant": contestant, "rounds": len(times),
             **{f"{what}_ms{suffix}": round(choose(which), 1)
                for what, which in zip(("running", "answering"), zip(*times))
                for suffix, choose in (("", statistics.median), ("_max", max))}}
            for (failure, kind, contestant), times in figures.items()]
    if options.json:
        print(json.dumps(rows))
        return
    print(f"{'failure':8} {'standby':8} {'who':11} {'rounds':>6} {'running':>9} {'worst':>9} {'answering':>10} {'worst':>9}")
    for row in rows:
        print(f"{row['failure']:8} {row['standby']:8} {row['contestant']:11} {row['rounds']:6} {row['running_ms']:9} "
              f"{row['running_ms_max']:9} {row['answering_ms']:10} {row['answering_ms_max']:9}")


if __name__ == "__main__":
    main()
