#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
How soon the daemon is ready beside very many domains of a real libvirtd, and what an event costs it then. Measured in turn:
a bare client, which lists the domains and fetches the definition of each; a daemon that has stored nothing; and one that has
stored all of them. An event is the pause of a running guest, or its end, and its cost is CPU time of the main thread. Needs
root and QEMU; prints figures and judges none.

usage: UNDERSTUDY_BUILD=default listing.py [--machines N ...] [--rounds N] [--events N] [--json]
"""

import argparse
import ctypes
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "e2e"))

from harness.daemon import SOURCE, Daemon  # noqa: E402
from harness.domain import disk_xml, domain_xml, metadata_xml  # noqa: E402
from harness.host import Host  # noqa: E402
from harness.waiting import wait_until  # noqa: E402
from scale import machines, resident_kib  # noqa: E402

URI = "qemu:///system"
GUEST = "guest"
QUIET_S = 5  # so long the main thread does next to nothing before events are caused


def open_libvirt():
    library = ctypes.CDLL("libvirt.so.0")
    library.virConnectOpen.restype = ctypes.c_void_p
    library.virDomainLookupByName.restype = ctypes.c_void_p
    library.virDomainGetXMLDesc.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(library.virConnectOpen(URI.encode()))
    assert connection, "libvirtd does not answer"
    return library, connection


def list_barely():
    """The bare client, in a process of its own: seconds."""
    free = ctypes.CDLL(None).free
    began = time.monotonic()
    library, connection = open_libvirt()
    domains = ctypes.POINTER(ctypes.c_void_p)()
    for n in range(library.virConnectListAllDomains(connection, ctypes.byref(domains), 0)):
        xml = library.virDomainGetXMLDesc(ctypes.c_void_p(domains[n]), 0)
        assert xml, "a definition is not told"
        free(ctypes.c_void_p(xml))
    return time.monotonic() - began


def pause(events):
    """The client that causes events, in a process of its own."""
    library, connection = open_libvirt()
    guest = ctypes.c_void_p(library.virDomainLookupByName(connection, GUEST.encode()))
    for n in range(events):
        assert (library.virDomainResume if n % 2 else library.virDomainSuspend)(guest) == 0


def run_inside(host, *arguments):
    return subprocess.run(host.command("/usr/bin/python3", __file__, *arguments), check=True, capture_output=True,
                          text=True).stdout


def define(host, count):
    """As files, before libvirtd is started: that it reads them is no part of the measurement."""
    directory = host.home / "etc/qemu"
    directory.mkdir()
    for name, resources in machines(count).items():
        devices = disk_xml(host.image(name), "vda") + "<interface type='network'><source network='default'/></interface>"
        xml = domain_xml(name, boot="", metadata=metadata_xml(resources), devices=devices)
        (directory / f"{name}.xml").write_text(xml)


def ready_s(daemon, count):
    began = time.monotonic()
    daemon.start(wait=False)
    daemon.wait_until_ready(seconds=600)
    took = time.monotonic() - began
    listed = len(daemon.api.machines())
    assert listed == count, f"{listed} machines, not {count}: {daemon.log}"
    return took


def all_are_stored(daemon, count):
    with daemon.database("ro") as database:
        return database.execute("SELECT count(*) FROM machines WHERE uuid LIKE '%-%-%'").fetchone()[0] >= count


def cpu_s(pid):
    """Of the main thread."""
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0]) / 1e9


def is_quiet(pid):
    """After a start disks are asked for, and written to disk is what was learned."""
    before = cpu_s(pid)
    time.sleep(QUIET_S)
    return cpu_s(pid) - before < 0.01 * QUIET_S


def event_us(host, daemon, events):
    """The CPU time of the main thread."""
    wait_until(lambda: is_quiet(daemon.pid), "the daemon has nothing to do", seconds=300)
    before = cpu_s(daemon.pid)
    run_inside(host, "--pause", str(events))
    time.sleep(1)
    return (cpu_s(daemon.pid) - before) / events * 1e6


def measure(count, rounds, events):
    with tempfile.TemporaryDirectory(prefix="us-") as name:
        directory = Path(name)
        for part in ("host", "daemon"):
            (directory / part).mkdir()
        cache = SOURCE / "build/guests"
        cache.mkdir(parents=True, exist_ok=True)
        host = Host(directory / "host", cache)
        define(host, count)
        daemon = None
        try:
            host.open()
            host.run(GUEST)
            daemon = Daemon(directory / "daemon", host, recovery={"settle": "0ms"})
            bare, empty, filled = [], [], []
            for n in range(rounds):
                if n > 0:
                    daemon.stop()
                    daemon.lose_state()
                bare.append(float(run_inside(host, "--bare")))
                empty.append(ready_s(daemon, count + 1))
                wait_until(lambda: all_are_stored(daemon, count), "all machines are on disk", seconds=120)
                daemon.stop()
                filled.append(ready_s(daemon, count + 1))
            bare_s, empty_s, filled_s = (statistics.median(times) for times in (bare, empty, filled))
            return {
                "machines": count,
                "bare_s": round(bare_s, 3),
                "ready_s": round(empty_s, 3),
                "ready_ratio": round(empty_s / bare_s, 2),
                "ready_again_s": round(filled_s, 3),
                "ready_again_ratio": round(filled_s / bare_s, 2),
                "resident_mib": round(resident_kib(daemon.pid) / 1024, 1),
                "event_us": round(event_us(host, daemon, events)) if events > 0 else None,
            }
        finally:
            if daemon is not None:
                daemon.close()
            host.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--machines", type=int, nargs="+", default=[100, 1000, 10000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--bare", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--pause", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.bare:
        print(list_barely())
    elif arguments.pause is not None:
        pause(arguments.pause)
    else:
        for count in arguments.machines:
            figures = measure(count, arguments.rounds, arguments.events)
            print(json.dumps(figures) if arguments.json else "\n".join(f"{key:20} {value}" for key, value in figures.items()))


if __name__ == "__main__":
    main()
