# SPDX-License-Identifier: LGPL-2.1-or-later
"""A drill crashes a machine that somebody uses: refused on a real hypervisor unless confirmed."""

import pytest

from harness.api import Refused

WEB = {"database": "mysql", "language": "nodejs"}


def test_drill_of_a_real_machine(host, daemon_on):
    host.define("vm-standby", resources=WEB)
    host.run("vm-a", resources=WEB)
    daemon = daemon_on()

    with pytest.raises(Refused) as refusal:
        daemon.api.drill("vm-a")
    assert refusal.value.status == 403
    refused = daemon.ctl("drill", "vm-a", check=False)
    assert refused.returncode == 1 and refused.stderr.count("this crashes a real machine") == 1
    host.serial("vm-a").say("x")
    host.serial("vm-a").wait_for("x")
    assert daemon.api.recoveries() == []

    daemon.ctl("drill", "vm-a", "--yes")
    record = daemon.wait_for_recovery("vm-a")
    assert (record["outcome"], record["replacement"], record["is_drill"]) == ("recovered", "vm-standby", True)
    host.serial("vm-standby").wait_for("is up")


def test_waiting_for_the_end(host, daemon_on):
    """A crash of QEMU begins with a suspension, as a planned stop does; that is not the end of the drill."""
    host.define("vm-standby", resources=WEB)
    host.run("vm-a", resources=WEB)

    drill = daemon_on().ctl("drill", "vm-a", "--yes", "--wait")
    assert "vm-standby runs in its place" in drill.stdout
