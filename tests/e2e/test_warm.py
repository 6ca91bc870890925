# SPDX-License-Identifier: LGPL-2.1-or-later
"""Standbys that the daemon keeps warm: how they take over, what they cost, and that they give way."""

import re
import subprocess
import time

import pytest
from harness.waiting import wait_until

WEB = {"database": "mysql", "language": "nodejs", "webserver": "nginx"}
LESS = {"database": "mysql", "language": "nodejs"}
OTHER = {"database": "postgresql", "language": "php"}
QUICK = {"settle": "200ms", "verify": {"interval": "100ms"}}
SLEEP_S = 5.0


def guest_clock(host, name):
    """What the guest takes for the time, in seconds."""
    console = host.serial(name)
    before = console.text.count("it is ")
    console.say("date\n")
    console.wait_for_condition(lambda: re.findall(r"it is (\d+)\s", console.text)[before:], f"{name} tells the time")
    return int(re.findall(r"it is (\d+)\s", console.text)[-1])


def wait_until_warm(daemon, name, **fields):
    daemon.events.wait_for("warmed", name, 90)
    return daemon.wait_for_machine(name, keeping="warm", **fields)


def sleep_on(begun):
    """The guest sleeps on: a clock that is not set is behind by so much afterwards."""
    wait_until(lambda: time.monotonic() - begun > SLEEP_S, "the guest has slept")


def truncate_saved_image(host, name):
    path = f"/var/lib/libvirt/qemu/save/{name}.save"
    subprocess.run(host.command("sh", "-c", f"truncate -s $(($(stat -c %s {path}) / 2)) {path}"), check=True)


def check_history(daemon, warmth):
    record = daemon.wait_for_recovery("vm-a", seconds=90)
    assert (record["outcome"], record["replacement"], record["warmth"]) == ("recovered", "vm-best", warmth)
    row = next(line for line in daemon.ctl("history").stdout.splitlines() if record["id"] in line)
    assert f" {warmth} " in row
    assert f"{warmth} when it was chosen" in daemon.ctl("history", record["id"]).stdout
    assert daemon.events.wait_for("recovered", "vm-a")["warmth"] == warmth
    print(f"measured, {warmth}, in milliseconds:", record["times_ms"])
    return record


def check_clock(host, name):
    wait_until(lambda: abs(guest_clock(host, name) - time.time()) <= 1.5, f"the clock of {name} is right", 20)


@pytest.fixture
def pair(host):
    """One that runs, and one that could take its place."""
    host.define("vm-best", resources=WEB, guest="linux with agent")
    host.run("vm-a", resources=WEB, role="protected")


def test_paused(host, pair, daemon_on):
    daemon = daemon_on(recovery=QUICK, standby={"warm": 1})
    machine = wait_until_warm(daemon, "vm-best", state="paused", warmth="paused", planned_for="vm-a")
    begun = time.monotonic()
    assert host.state("vm-best") == ("paused", "user")
    machine = wait_until(lambda: (m := daemon.api.machines()["vm-best"])["resident_bytes"] and m, "its memory is known")
    assert 20 * 1024**2 < machine["resident_bytes"] < 400 * 1024**2
    row = next(line for line in daemon.ctl("list").stdout.splitlines() if line.startswith("vm-best"))
    assert re.search(r"paused +vm-a +kept, \d+(\.\d+)? MiB, agent ", row), row
    assert 'understudy_warm_standbys{keeping="warm"} 1' in daemon.api.get("/metrics")

    # A daemon that is started anew knows that it is its own.
    daemon.stop()
    daemon.start()
    machine = daemon.api.machines()["vm-best"]
    assert (machine["keeping"], machine["warm_proof"]) == ("warm", "agent")
    sleep_on(begun)
    host.kill_qemu("vm-a")
    record = check_history(daemon, "paused")
    assert record["times_ms"]["start"] < 1000
    assert host.serial("vm-best").boots == 1
    check_clock(host, "vm-best")
    assert "vm-best" not in [n["machine"] for n in daemon.events.told if n["kind"] == "clock-failed"]
    assert daemon.api.machines()["vm-best"]["keeping"] == "no"


def test_without_an_agent_it_is_suspended_when_its_guest_is_up(host, daemon_on):
    """Nothing can be asked of it: it was suspended 200 ms after its start, in the middle of its boot."""
    host.define("vm-best", resources=WEB, guest="linux")
    host.run("vm-a", resources=WEB, role="protected")
    daemon = daemon_on(recovery=QUICK, standby={"warm": 1})
    machine = wait_until_warm(daemon, "vm-best", state="paused")
    assert machine["warm_proof"] == "cpu-quiet"
    host.serial("vm-best").wait_for("userspace is up", 1)  # it said so before it was suspended
    row = next(line for line in daemon.ctl("list").stdout.splitlines() if line.startswith("vm-best"))
    assert ", CPU quiet " in row, row
    assert "its CPU time became quiet" in daemon.ctl("show", "vm-best").stdout


def test_saved(host, pair, daemon_on):
    daemon = daemon_on(recovery=QUICK, standby={"warm": 1, "warmth": "saved"})
    wait_until_warm(daemon, "vm-best", state="shut off", warmth="saved")
    begun = time.monotonic()
    assert "yes" in host.virsh("dominfo", "vm-best").split("Managed save:")[1].split("\n")[0]
    sleep_on(begun)
    host.kill_qemu("vm-a")
    check_history(daemon, "saved")
    check_clock(host, "vm-best")


def test_saved_image_that_cannot_be_restored_is_removed_and_the_machine_booted(host, pair, daemon_on):
    """Cut off in the middle, as by a disk that was full: libvirt refuses to start from it, again and again."""
    daemon = daemon_on(recovery=QUICK, standby={"warm": 1, "warmth": "saved"})
    wait_until_warm(daemon, "vm-best", state="shut off", warmth="saved")
    truncate_saved_image(host, "vm-best")
    host.kill_qemu("vm-a")
    record = daemon.wait_for_recovery("vm-a")
    assert (record["outcome"], record["replacement"]) == ("recovered", "vm-best")
    assert "booted anew" in daemon.events.wait_for("event-noted", "vm-best")["text"]
    assert "no" in host.virsh("dominfo", "vm-best").split("Managed save:")[1].split("\n")[0]


def test_cold(host, pair, daemon_on):
    daemon = daemon_on(recovery=QUICK)
    host.kill_qemu("vm-a")
    check_history(daemon, "cold")
    assert "warmed" not in daemon.events.about("vm-best")


def test_refresh(host, pair, daemon_on):
    daemon = daemon_on(recovery=QUICK, standby={"warm": 1, "refresh": "3s"})
    wait_until_warm(daemon, "vm-best")
    daemon.events.wait_for("refreshed", "vm-best")
    daemon.wait_for_machine("vm-best", keeping="warm", state="paused")
    assert host.serial("vm-best").boots == 1


def test_what_was_warm_is_warmed_again_after_a_failback(host, daemon_on):
    host.define("vm-best", resources=WEB)
    host.run("vm-a", resources=WEB, role="protected")
    daemon = daemon_on(recovery={**QUICK, "shutdown_timeout": "20s"}, standby={"warm": 1})
    wait_until_warm(daemon, "vm-best", state="paused")
    host.kill_qemu("vm-a")
    check_history(daemon, "paused")
    assert daemon.ctl("failback", "vm-a", "--wait").returncode == 0
    daemon.events.wait_for("warmed", "vm-best", times=2)
    daemon.wait_for_machine("vm-best", keeping="warm", state="paused", planned_for="vm-a")
    assert host.state("vm-a")[0] == "running"


def test_the_next_best_is_warmed_and_gives_way_to_a_cold_start(host, daemon_on):
    host.define("vm-best", resources=WEB)
    host.define("vm-next", resources=LESS, memory_mib=1536, takes_memory_at_once=True)
    host.define("vm-cold", resources=OTHER, memory_mib=3072)
    host.run("vm-a", resources=WEB, role="protected")
    host.run("vm-b", resources=OTHER, role="protected")
    daemon = daemon_on(recovery=QUICK, standby={"warm": 2, "memory_limit": "1600MiB"})
    wait_until_warm(daemon, "vm-best")
    daemon.wait_for_machine("vm-cold", not_warm="standby.memory_limit leaves no room for it", keeping="no")
    assert "not kept warm: standby.memory_limit" in daemon.ctl("explain", "vm-b").stdout

    host.kill_qemu("vm-a")
    record = check_history(daemon, "paused")
    wait_until_warm(daemon, "vm-next", state="paused", planned_for="vm-a")
    assert daemon.api.machines()["vm-cold"]["state"] == "shut off"

    # Now vm-cold needs more than the host has while vm-next is warm, and less than it has without.
    free_mib = int(host.virsh("nodememstats").split("free")[1].split()[1]) // 1024
    free_mib += sum(int(host.virsh("nodememstats").split(kind)[1].split()[1]) // 1024 for kind in ("buffers", "cached"))
    host.define("vm-cold", resources=OTHER, memory_mib=free_mib + 700)
    wait_until(lambda: daemon.api.machines()["vm-cold"]["environment"]["memory_bytes"] > free_mib * 1024**2, "it is known")
    host.kill_qemu("vm-b")
    record = daemon.wait_for_recovery("vm-b")
    assert (record["outcome"], record["replacement"], record["warmth"]) == ("recovered", "vm-cold", "cold")
    assert host.state("vm-next")[0] == "shut off"
    assert daemon.events.wait_for("warm-ended", "vm-next")
    assert [record["failed"] for record in daemon.api.recoveries()] == ["vm-a", "vm-b"]
