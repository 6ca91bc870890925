# SPDX-License-Identifier: LGPL-2.1-or-later
"""The disk under the state directory is full when a machine dies."""

import subprocess

import pytest

WEB = {"database": "mysql", "language": "nodejs", "webserver": "nginx"}


@pytest.fixture
def state(host, tmp_path):
    """A state directory on a small file system of its own, which only the host's processes see."""
    directory = tmp_path / "state"
    directory.mkdir()
    subprocess.run(host.command("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", directory), check=True)
    yield directory
    subprocess.run(host.command("umount", "-l", directory), check=True)


def fill(host, directory):
    done = subprocess.run(host.command("dd", "if=/dev/zero", f"of={directory}/ballast", "bs=4k"), capture_output=True,
                          text=True)
    assert "No space left" in done.stderr


def define_room(host):
    host.define("vm-standby", resources=WEB)
    host.run("vm-a", resources=WEB)


def test_recovery_completes_and_the_alert_says_what_could_not_be_written(host, daemon_on, state):
    define_room(host)
    daemon = daemon_on(state_dir=str(state))
    fill(host, state)
    host.kill_qemu("vm-a")
    record = daemon.wait_for_recovery("vm-a")
    assert (record["outcome"], record["replacement"], record["unrecorded"]) == ("recovered", "vm-standby", True)
    alert = daemon.events.wait_for("intent-failed", "vm-a")
    assert "vm-standby is started for vm-a, and that could not be written down first" in alert["text"]
    assert "No space left on device" in daemon.events.wait_for("store-failed")["text"]
    assert alert["text"] in daemon.log

    # There is room again: what was kept in memory meanwhile is written down.
    subprocess.run(host.command("rm", state / "ballast"), check=True)
    daemon.events.wait_for("store-works")
    daemon.stop()
    daemon.start()
    assert [(kept["id"], kept["outcome"]) for kept in daemon.api.recoveries()] == [(record["id"], "recovered")]


def test_nothing_is_started_without_an_intent_if_that_is_wished(host, daemon_on, state):
    define_room(host)
    daemon = daemon_on(state_dir=str(state), recovery={"settle": "200ms", "without_intent": False})
    fill(host, state)
    host.kill_qemu("vm-a")
    record = daemon.wait_for_recovery("vm-a")
    assert (record["outcome"], record["replacement"]) == ("exhausted", "vm-standby")
    assert "recovery.without_intent is false" in record["detail"]
    assert host.serial("vm-standby").boots == 0


def test_a_drill_that_cannot_be_written_down_is_not_begun(host, daemon_on, state):
    define_room(host)
    daemon = daemon_on(state_dir=str(state))
    fill(host, state)
    done = daemon.ctl("drill", "vm-a", "--yes", check=False)
    assert done.returncode == 1 and "not begun, since it could not be written down" in done.stderr
    assert host.state("vm-a")[0] == "running" and daemon.api.recoveries() == []
