# SPDX-License-Identifier: LGPL-2.1-or-later
"""
A planned stop is never taken for a failure. That nothing was started is known from something that
came after: a crash of another machine, whose verdict follows every earlier one on the same connection.
"""

import pytest

WEB = {"database": "mysql", "language": "nodejs", "webserver": "nginx"}


@pytest.fixture
def room(host, daemon_on):
    """vm-a runs, vm-standby is its double, vm-witness runs and resembles no other."""
    host.define("vm-standby", resources=WEB)
    host.run("vm-witness", resources={"database": "ledger"})
    host.run("vm-a", resources=WEB)
    return host, daemon_on()


def check_nothing_was_started(host, daemon):
    host.kill_qemu("vm-witness")
    assert daemon.wait_for_recovery("vm-witness")["outcome"] == "exhausted"
    assert [record["failed"] for record in daemon.api.recoveries()] == ["vm-witness"]
    assert host.serial("vm-standby").boots == 0
    assert host.state("vm-standby")[0] == "shut off"


STOPS = {
    "guest powers off": lambda host: host.serial("vm-a").say("o"),
    "virsh shutdown": lambda host: host.virsh("shutdown", "vm-a"),
    "virsh destroy": lambda host: host.virsh("destroy", "vm-a"),
    "virsh destroy --graceful": lambda host: host.virsh("destroy", "vm-a", "--graceful"),
    "virsh managedsave": lambda host: host.virsh("managedsave", "vm-a"),
}


@pytest.mark.parametrize("stop", STOPS)
def test_planned_stop(room, stop):
    host, daemon = room
    STOPS[stop](host)
    daemon.events.wait_for("stop-planned", "vm-a")
    check_nothing_was_started(host, daemon)
    assert daemon.api.machines()["vm-a"]["state"] == "shut off"


def test_suspended_by_an_operator(room):
    host, daemon = room
    host.virsh("suspend", "vm-a")
    daemon.wait_for_machine("vm-a", state="paused", reason="user")
    check_nothing_was_started(host, daemon)


def test_reboot(room):
    host, daemon = room
    host.virsh("reset", "vm-a")
    host.wait_for_reset("vm-a", 1)
    check_nothing_was_started(host, daemon)
    assert daemon.api.machines()["vm-a"]["state"] == "running"


def test_unprotected_machine_crashes(host, daemon_on):
    host.define("vm-standby", resources=WEB)
    host.run("vm-witness", resources={"database": "ledger"})
    host.run("vm-a", resources=WEB, role="standby")
    daemon = daemon_on()
    host.kill_qemu("vm-a")
    daemon.events.wait_for("failure-unprotected", "vm-a")
    check_nothing_was_started(host, daemon)


def test_stopped_on_purpose_while_the_daemon_was_away(room):
    """Stopped on purpose while the daemon was not running: found by listing, and not a failure."""
    host, daemon = room
    daemon.stop()
    host.virsh("destroy", "vm-a")
    daemon.start()
    check_nothing_was_started(host, daemon)
