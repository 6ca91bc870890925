# SPDX-License-Identifier: LGPL-2.1-or-later
"""The pool follows what operators do with virsh while the daemon runs."""

from harness.domain import METADATA_URI

WEB = {"database": "mysql", "language": "nodejs"}


def test_define_start_suspend_resume_rename_and_undefine(host, daemon_on):
    daemon = daemon_on()
    assert daemon.api.machines() == {}
    host.define("vm-a", resources=WEB)
    machine = daemon.wait_for_machine("vm-a", state="shut off")
    assert machine["features"] == ["database/mysql", "language/nodejs"]
    host.start("vm-a")
    daemon.wait_for_machine("vm-a", state="running")
    host.virsh("suspend", "vm-a")
    daemon.wait_for_machine("vm-a", state="paused", reason="user")
    host.virsh("resume", "vm-a")
    daemon.wait_for_machine("vm-a", state="running")
    host.virsh("destroy", "vm-a")
    daemon.wait_for_machine("vm-a", state="shut off", reason="destroyed")
    host.virsh("domrename", "vm-a", "vm-b")
    daemon.wait_for_machine("vm-b", state="shut off", uuid=machine["uuid"])
    daemon.wait_until_gone("vm-a")
    host.virsh("undefine", "vm-b")
    daemon.wait_until_gone("vm-b")


def test_metadata_is_changed_while_the_machine_runs(host, daemon_on):
    host.define("vm-standby", resources={"webserver": "nginx"})
    host.run("vm-a", resources=WEB)
    daemon = daemon_on()
    assert daemon.api.explain("vm-a")["chosen"] is None
    for name, flags in (("vm-a", ["--live", "--config"]), ("vm-standby", ["--config"])):
        host.virsh("metadata", name, METADATA_URI, "--key", "understudy", *flags,
                   "--set", "<machine><resource kind='data'>orders</resource></machine>")
    for name in ("vm-a", "vm-standby"):
        daemon.wait_for_machine(name, features=["data/orders"])


def test_transient_machine_comes_and_goes(host, daemon_on):
    daemon = daemon_on()
    host.define("vm-a", resources=WEB)
    xml = host.virsh("dumpxml", "vm-a")
    host.virsh("undefine", "vm-a")
    daemon.wait_until_gone("vm-a")
    host.virsh("create", "/dev/stdin", stdin=xml)
    assert daemon.wait_for_machine("vm-a", state="running")["persistent"] is False
    host.virsh("destroy", "vm-a")
    daemon.wait_until_gone("vm-a")
    assert daemon.api.recoveries() == []


def test_roles_come_from_the_configuration_and_the_metadata_outranks_them(host, daemon_on):
    host.define("vm-a", resources=WEB)
    host.define("vm-b", resources=WEB, role="ignored")
    host.define("vm-c", resources=WEB, role="standby", priority=7)
    daemon = daemon_on(pool={"protect": ["vm-a"], "standby": [], "ignore": []})
    machines = daemon.api.machines()
    assert {name: machine["roles"] for name, machine in machines.items()} == {
        "vm-a": ["protected"], "vm-b": ["ignored"], "vm-c": ["standby"]}
    assert machines["vm-c"]["priority"] == 7
