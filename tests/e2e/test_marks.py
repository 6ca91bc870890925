# SPDX-License-Identifier: LGPL-2.1-or-later
"""
The state directory is lost: what libvirt keeps in the metadata of the machines says which of them serves a service, and which
is warm.
"""

import re

from harness.waiting import wait_until

WEB = {"database": "mysql", "language": "nodejs"}


def mark_of(host, name, *flags):
    """The element in the definition, or in the process."""
    xml = host.virsh("dumpxml", name, *flags)
    marks = re.findall(r"<understudy:mark [^>]*>", xml)
    return marks[0] if marks else None


def lose_state(daemon):
    daemon.stop()
    daemon.lose_state()
    daemon.start()


def test_replacement_serves_on_and_its_service_fails_back(host, daemon_on):
    for name in ("spare", "other"):
        host.define(name, resources=WEB, role="standby")
    host.run("vm-a", resources=WEB, role="protected")
    daemon = daemon_on(recovery={"settle": "200ms", "shutdown_timeout": "20s"})
    host.kill_qemu("vm-a")
    replacement = daemon.wait_for_recovery("vm-a")["replacement"]
    recovery = daemon.api.recoveries()[-1]["id"]
    wait_until(lambda: mark_of(host, replacement) and mark_of(host, replacement, "--inactive"), "the mark is written")
    assert f'recovery="{recovery}"' in mark_of(host, replacement).replace("\'", '"')
    lose_state(daemon)

    service = daemon.api.services()["vm-a"]
    assert (service["state"], service["served_by"]["name"]) == ("up", replacement)
    assert daemon.api.recoveries() == []
    daemon.ctl("failback", "vm-a", "--wait", "--yes")
    assert (host.state("vm-a")[0], host.state(replacement)[0]) == ("running", "shut off")
    assert not daemon.api.services()["vm-a"]["diverted"]
    wait_until(lambda: mark_of(host, replacement) is None, "the mark is removed")


def test_mark_of_a_clone_says_nothing(host, daemon_on):
    """A copy of the whole definition, but for its name and UUID, is started for its own work."""
    for name in ("spare", "clone"):
        host.define(name, resources=WEB, role="standby")
    host.run("vm-a", resources=WEB, role="protected")
    daemon = daemon_on(recovery={"settle": "200ms"}, pool={"standby": ["spare"]})
    host.virsh("metadata", "clone", "urn:understudy:domain:1.0", "--key", "understudy", "--config", "--set",
               "<machine role='ignored'/>")
    host.kill_qemu("vm-a")
    daemon.wait_for_recovery("vm-a")
    wait_until(lambda: mark_of(host, "spare", "--inactive"), "the mark is written")
    mark = mark_of(host, "spare", "--inactive").replace("understudy:", "")
    daemon.stop()
    host.virsh("metadata", "clone", "urn:understudy:domain:1.0", "--key", "understudy", "--config", "--set",
               f"<machine>{mark}</machine>")
    host.virsh("destroy", "spare")
    host.virsh("undefine", "spare")
    host.start("clone")
    daemon.lose_state()
    daemon.start()
    assert not daemon.api.services()["vm-a"]["diverted"]


def test_standby_stays_warm_and_is_not_ended(host, daemon_on):
    host.define("spare", resources=WEB, role="standby")
    host.run("vm-a", resources=WEB, role="protected")
    daemon = daemon_on(recovery={"settle": "200ms"}, standby={"warm": 1})
    daemon.wait_for_machine("spare", warmth="paused", keeping="warm")
    wait_until(lambda: mark_of(host, "spare", "--inactive"), "the mark is written")
    pid = host.qemu_pid("spare")
    lose_state(daemon)
    daemon.wait_for_machine("spare", warmth="paused", keeping="warm")
    assert host.qemu_pid("spare") == pid
    host.kill_qemu("vm-a")
    assert daemon.wait_for_recovery("vm-a")["replacement"] == "spare"
    assert host.qemu_pid("spare") == pid
