# SPDX-License-Identifier: LGPL-2.1-or-later
"""
The autostart of an original, on real libvirtd and QEMU: off while its replacement serves, also over a boot of the host, and
on again when it serves, whenever the daemon dies.
"""

import time

import pytest
from harness.waiting import wait_until

WEB = {"database": "mysql", "language": "nodejs"}


def has_autostart(host, name):
    return host.virsh("dominfo", name).partition("Autostart:")[2].split()[0] == "enable"


@pytest.fixture
def pair(host, daemon_on):
    """vm-a serves and is started with its host, and spare stands by."""
    host.define("spare", resources=WEB, role="standby")
    host.run("vm-a", resources=WEB, role="protected")
    host.virsh("autostart", "vm-a")
    return daemon_on(recovery={"settle": "200ms", "shutdown_timeout": "20s"})


def test_host_that_boots_does_not_start_the_original_beside_its_replacement(host, pair):
    host.define("witness", role="ignored")
    host.virsh("autostart", "witness")
    host.kill_qemu("vm-a")
    assert pair.wait_for_recovery("vm-a")["replacement"] == "spare"
    wait_until(lambda: not has_autostart(host, "vm-a"), "the autostart of vm-a is off")
    host.kill_libvirtd()
    host.kill_qemu("spare")
    host.boot()
    host.wait_for_state("witness", "running")
    assert host.state("vm-a")[0] == "shut off" and host.serial("vm-a").boots == 1


def test_autostart_of_a_returned_original(host, pair):
    host.virsh("autostart", "spare")
    host.kill_qemu("vm-a")
    assert pair.wait_for_recovery("vm-a")["outcome"] == "recovered"
    wait_until(lambda: not has_autostart(host, "vm-a"), "the autostart of vm-a is off")
    pair.kill()
    pair.start()
    assert pair.ctl("failback", "vm-a", "--wait").returncode == 0
    wait_until(lambda: has_autostart(host, "vm-a"), "the autostart of vm-a is on again")
    assert has_autostart(host, "spare")


def test_autostart_that_was_off_stays_off(host, pair):
    host.virsh("autostart", "--disable", "vm-a")
    assert pair.ctl("failover", "vm-a", "--wait").returncode == 0
    assert pair.ctl("failback", "vm-a", "--wait").returncode == 0
    host.virsh("autostart", "spare")
    assert pair.ctl("failover", "vm-a", "--wait").returncode == 0
    assert not has_autostart(host, "vm-a") and has_autostart(host, "spare")


@pytest.mark.parametrize("after_ms", [0, 1, 3, 6, 10, 20, 50])
def test_daemon_killed_while_the_autostart_changes(host, pair, after_ms):
    """Whenever it dies: the autostart is off while spare serves, and on again when vm-a does."""
    assert pair.ctl("failover", "vm-a", "--wait").returncode == 0
    time.sleep(after_ms / 1000)
    pair.kill()
    pair.start()
    wait_until(lambda: not has_autostart(host, "vm-a"), "the autostart of vm-a is off")
    assert pair.ctl("failback", "vm-a", "--wait").returncode == 0
    time.sleep(after_ms / 1000)
    pair.kill()
    pair.start()
    wait_until(lambda: has_autostart(host, "vm-a"), "the autostart of vm-a is on again")
    assert not pair.api.services()["vm-a"]["diverted"]
