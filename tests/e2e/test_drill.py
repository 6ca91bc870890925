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
    assert daemon.ctl("drill", "vm-a", check=False).returncode != 0
    host.serial("vm-a").say("x")
    host.serial("vm-a").wait_for("x")
    assert daemon.api.recoveries() == []

    daemon.ctl("drill", "vm-a", "--yes")
    record = daemon.wait_for_recovery("vm-a")
    assert (record["outcome"], record["replacement"], record["is_drill"]) == ("recovered", "vm-standby", True)
    host.serial("vm-standby").wait_for("is up")
