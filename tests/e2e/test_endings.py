# SPDX-License-Identifier: LGPL-2.1-or-later
"""
QEMUs whose end the kernel tells before libvirt has noticed: what is acted on at once, and what is left to libvirt's word.
"""

import os
import signal
import subprocess
import threading
import time

import pytest

WEB = {"database": "mysql", "language": "nodejs", "webserver": "nginx"}
AT_ONCE = "has not said so yet"
# libvirt sends SIGKILL ten seconds after SIGTERM.
PATIENCE_OF_LIBVIRT_S = 10
RELEASE = tuple(int(part) for part in os.uname().release.split(".")[:2])

exit_information = pytest.mark.skipif(RELEASE < (6, 15), reason="exit information of a pidfd needs Linux 6.15")


@pytest.fixture
def watched(host, daemon_on):
    """One machine that runs, and a standby that is warm: then how QEMUs end is to be known at once."""
    host.define("vm-best", resources=WEB)
    host.run("vm-a", resources=WEB, role="protected")
    daemon = daemon_on(standby={"warm": 1})
    daemon.events.wait_for("warmed", "vm-best", 90)
    return daemon


def why_it_failed(daemon):
    return next(notice["text"] for notice in daemon.events.told if notice["kind"] == "failure-detected")


def check_recovered(host, daemon, cause):
    record = daemon.wait_for_recovery("vm-a")
    assert (record["outcome"], record["cause"], record["replacement"]) == ("recovered", cause, "vm-best")
    # What libvirt says of the same end later is no news.
    host.wait_for_state("vm-a", "shut off")
    time.sleep(0.5)
    assert daemon.log.count("vm-a failed:") == 1 and "runs as well" not in daemon.log
    assert daemon.api.machines()["vm-a"]["state"] == "shut off"


@exit_information
def test_killed_past_libvirt(host, watched):
    host.kill_qemu("vm-a")
    check_recovered(host, watched, "process-died")
    assert AT_ONCE in why_it_failed(watched)
    assert any("signal 9" in notice["text"] for notice in watched.events.told if notice["kind"] == "event-noted")


@exit_information
def test_panic(host, watched):
    host.serial("vm-a").say("p")
    check_recovered(host, watched, "guest-panicked")
    assert AT_ONCE in why_it_failed(watched)


def test_crash_of_qemu_waits_for_libvirt(host, watched):
    """A QEMU that libvirt ends may crash while it tears itself down."""
    host.kill_qemu("vm-a", signal.SIGSEGV)
    check_recovered(host, watched, "process-died")
    assert AT_ONCE not in why_it_failed(watched)


def test_terminated_past_libvirt(host, watched):
    host.kill_qemu("vm-a", signal.SIGTERM)
    check_recovered(host, watched, "host-kill")


def check_planned(host, daemon, seconds=30):
    host.wait_for_state("vm-a", "shut off", seconds)
    daemon.events.wait_for("stop-planned", "vm-a")
    time.sleep(0.5)
    assert daemon.api.recoveries() == []


@pytest.mark.parametrize("order", ["destroy", "managedsave"])
def test_ended_by_libvirt(host, watched, order):
    host.virsh(order, "vm-a")
    check_planned(host, watched)


def test_destroy_that_takes_a_sigkill(host, watched):
    """A QEMU that does not obey is killed by libvirt, after ten seconds in which the lock of its domain was never free."""
    os.kill(host.qemu_pid("vm-a"), signal.SIGSTOP)
    begun = time.monotonic()
    host.virsh("destroy", "vm-a")
    assert time.monotonic() - begun > PATIENCE_OF_LIBVIRT_S - 1, "libvirt did not have to kill it"
    check_planned(host, watched)


def test_not_known_for_sure_without_a_warm_standby(host, daemon_on):
    host.define("vm-best", resources=WEB)
    host.run("vm-a", resources=WEB, role="protected")
    daemon = daemon_on()
    host.kill_qemu("vm-a")
    check_recovered(host, daemon, "process-died")
    assert AT_ONCE not in why_it_failed(daemon)


@exit_information
def test_the_machine_itself_is_started_when_libvirt_has_noticed(host, daemon_on):
    host.define("vm-best", resources=WEB)
    host.run("vm-a", resources=WEB, role="protected")
    daemon = daemon_on(standby={"warm": 1}, recovery={"settle": "200ms", "order": "original"})
    daemon.events.wait_for("warmed", "vm-best", 90)
    host.kill_qemu("vm-a")
    record = daemon.wait_for_recovery("vm-a")
    assert (record["outcome"], record["replacement"], len(record["attempts"])) == ("recovered", "vm-a", 1)
    assert AT_ONCE in why_it_failed(daemon)


@pytest.mark.parametrize("delay_ms", [0, 2, 5, 20, 100])
def test_destroyed_and_killed_at_once(host, watched, delay_ms):
    """Which of the two was first decides, and one verdict stands."""
    pid = host.qemu_pid("vm-a")
    killer = threading.Timer(delay_ms / 1000, lambda: subprocess.run(["kill", "-KILL", str(pid)], check=False,
                                                                     stderr=subprocess.DEVNULL))
    killer.start()
    try:
        host.virsh("destroy", "vm-a")
    except AssertionError:
        pass  # it was killed first
    killer.join()
    host.wait_for_state("vm-a", "shut off")
    watched.events.wait_for(("failure-detected", "stop-planned"), "vm-a")
    time.sleep(0.5)
    assert watched.log.count("vm-a failed:") + watched.log.count("vm-a stopped:") == 1
    assert "runs as well" not in watched.log
