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
    assert refused.returncode == 4 and refused.stderr.count("this crashes the real machine vm-a") == 1
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
    assert "vm-standby runs in its place" in drill.stdout and "stop-planned" not in drill.stdout


def test_a_drill_under_the_brake_is_refused(host, daemon_on):
    host.define("vm-standby", resources=WEB)
    for name in ("vm-a", "vm-b"):
        host.run(name, resources=WEB)
    daemon = daemon_on(recovery={"brake": {"share": 0.1, "minimum": 1}})
    host.kill_qemu("vm-b")
    daemon.events.wait_for("brake-on")
    refused = daemon.ctl("drill", "vm-a", "--yes", check=False)
    assert refused.returncode == 4 and "the brake is on: understudyctl release brake" in refused.stderr
    assert "--anyway" in refused.stderr and host.state("vm-a")[0] == "running"
