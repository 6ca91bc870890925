#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
What clients cost a recovery: the time from a crash to the running replacement, on libvirt's test driver, without
clients and, in turn, with clients that are connected and silent, and others that follow the events and read nothing of
them. Also the memory of the daemon. Prints figures and judges none.

usage: UNDERSTUDY_BUILD=default followers.py [--machines N] [--rounds N] [--idle N] [--slow N] [--json]
"""

import argparse
import contextlib
import json
import socket
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "e2e"))

from harness.daemon import Daemon  # noqa: E402
from harness.testdriver import write_node  # noqa: E402
from scale import machines, resident_kib  # noqa: E402

FOLLOW = b"GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n"
PORT = 8429


def connect(port, say=b""):
    client = socket.create_connection(("127.0.0.1", port))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.sendall(say)
    return client


def drill(daemon, failed):
    daemon.api.drill(failed)
    record = daemon.wait_for_recovery(failed)
    assert record["outcome"] == "recovered", record
    return record["duration_ms"]


def measure(count, rounds, n_idle, n_slow):
    alone, crowded = [], []
    with tempfile.TemporaryDirectory(prefix="us-") as name:
        directory = Path(name)
        pool = machines(count)
        running = list(pool)[:2 * rounds + 2]
        uri = write_node(directory / "node.xml", pool, running)
        daemon = Daemon(directory, hypervisors=[{"name": "room", "uri": uri}], recovery={"settle": "0ms"},
                        api={"listen": f"127.0.0.1:{PORT}"})
        try:
            daemon.start(wait=False)
            daemon.wait_until_ready(seconds=600)
            for failed in running[:2]:  # all is warm
                drill(daemon, failed)
            before = resident_kib(daemon.pid)
            for number in range(rounds):
                alone.append(drill(daemon, running[2 + 2 * number]))
                with contextlib.ExitStack() as clients:
                    for _ in range(n_slow):
                        clients.enter_context(connect(PORT, FOLLOW))
                    for _ in range(n_idle):
                        clients.enter_context(connect(PORT))
                    crowded.append(drill(daemon, running[3 + 2 * number]))
                    after = resident_kib(daemon.pid)
        finally:
            daemon.close()
    return {"machines": count, "idle": n_idle, "slow": n_slow, "rounds": rounds,
            "crash_to_running_ms_median_alone": round(statistics.median(alone), 2),
            "crash_to_running_ms_median_crowded": round(statistics.median(crowded), 2),
            "crash_to_running_ms_max_alone": round(max(alone), 2),
            "crash_to_running_ms_max_crowded": round(max(crowded), 2),
            "resident_mib_alone": round(before / 1024, 1), "resident_mib_crowded": round(after / 1024, 1)}


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description="what clients cost a recovery")
    arguments.add_argument("--machines", type=int, default=1000)
    arguments.add_argument("--rounds", type=int, default=20)
    arguments.add_argument("--idle", type=int, default=200)
    arguments.add_argument("--slow", type=int, default=50)
    arguments.add_argument("--json", action="store_true")
    options = arguments.parse_args()
    figures = measure(options.machines, options.rounds, options.idle, options.slow)
    print(json.dumps(figures) if options.json else "\n".join(f"{key:36} {value}" for key, value in figures.items()))
