#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
How the daemon does with more and more machines, on libvirt's test driver: time until it is ready, from
crash to running replacement, memory, and the size of a recovery's record. Prints figures and judges none; one line of
JSON for each number of machines with --json.

usage: UNDERSTUDY_BUILD=default scale.py [--machines N ...] [--drills N] [--json]
"""

import argparse
import json
import re
import sqlite3
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "e2e"))

from harness.daemon import Daemon  # noqa: E402
from harness.testdriver import write_node  # noqa: E402

LANGUAGES = ("nodejs", "python", "java", "go", "php", "ruby")
DATABASES = ("mysql", "postgresql", "mongodb", "redis", "mariadb")
WEBSERVERS = ("nginx", "apache", "caddy", "lighttpd")


def machines(count):
    """Machines of 120 kinds, the same each time."""
    return {
        f"vm-{n:06d}": {"language": LANGUAGES[n % len(LANGUAGES)], "database": DATABASES[n % len(DATABASES)],
                        "webserver": WEBSERVERS[n % len(WEBSERVERS)]}
        for n in range(count)
    }


def resident_kib(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1])


def largest_record(directory):
    """Bytes of the largest recovery on disk."""
    database = sqlite3.connect(f"file:{directory}/state/understudy.db?mode=ro", uri=True)
    try:
        return database.execute("SELECT max(length(document)) FROM recoveries").fetchone()[0]
    finally:
        database.close()


def measure(count, drills):
    with tempfile.TemporaryDirectory(prefix="us-") as name:
        directory = Path(name)
        pool = machines(count)
        running = list(pool)[:drills]
        uri = write_node(directory / "node.xml", pool, running)
        daemon = Daemon(directory, hypervisors=[{"name": "room", "uri": uri}], recovery={"settle": "0ms"})
        try:
            began = time.monotonic()
            daemon.start(wait=False)
            daemon.wait_until_ready(seconds=600)
            ready_s = time.monotonic() - began
            started_ms = []
            for failed in running:
                daemon.api.drill(failed)
                record = daemon.wait_for_recovery(failed)
                assert record["outcome"] == "recovered", record
                started_ms.append(record["duration_ms"])
            return {
                "machines": count,
                "ready_s": round(ready_s, 3),
                "crash_to_running_ms_median": statistics.median(started_ms),
                "crash_to_running_ms_max": max(started_ms),
                "resident_mib": round(resident_kib(daemon.pid) / 1024, 1),
                "record_bytes": largest_record(directory),
            }
        finally:
            daemon.close()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description="understudyd with very many machines")
    arguments.add_argument("--machines", type=int, nargs="+", default=[100, 1000, 10000])
    arguments.add_argument("--drills", type=int, default=20)
    arguments.add_argument("--json", action="store_true")
    options = arguments.parse_args()
    for number in options.machines:
        figures = measure(number, options.drills)
        print(json.dumps(figures) if options.json else "\n".join(f"{key:28} {value}" for key, value in figures.items()))
