# SPDX-License-Identifier: LGPL-2.1-or-later
"""
A machine that serves is relieved by order, on real guests: failover and failback, with and without a shared disk, with a
guest that ignores its power button, with an original that does not come up, and with a daemon that is killed meanwhile.
"""

import time

import pytest
from harness.api import ENDINGS
from harness.domain import uuid_of
from harness.gate import Gate, write_program
from harness.waiting import wait_until

WEB = {"database": "mysql", "language": "nodejs"}
IGNORES_POWER_BUTTON = {"guest": "linux", "arguments": "acpi=off"}


def ordered(daemon, *arguments):
    """The exit status of a command, and what it said."""
    done = daemon.ctl(*arguments, check=False)
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def states(host, *names):
    return [host.state(name)[0] for name in names]


def define_pair(host, one_disk=False):
    """vm-a serves, and spare stands by; with one_disk both boot from one image."""
    host.define("spare", resources=WEB, role="standby")
    host.define("vm-a", resources=WEB, role="protected")
    if one_disk:
        xml = host.virsh("dumpxml", "--inactive", "spare").replace(str(host.image("spare")), str(host.image("vm-a")))
        host.virsh("define", "/dev/stdin", stdin=xml)
    host.start("vm-a")
    host.serial("vm-a").wait_for("is up")


@pytest.fixture
def pair(host, daemon_on):
    define_pair(host)
    return daemon_on(recovery={"settle": "200ms", "shutdown_timeout": "20s"})


def test_failover_and_back_where_nothing_is_shared(host, pair):
    assert ordered(pair, "failback", "vm-a")[0] == 4
    status, said = ordered(pair, "failover", "vm-a", "--wait")
    assert status == 0 and "spare takes over the service vm-a from vm-a: understudyctl history" in said
    assert host.state("vm-a") == ("shut off", "shutdown") and states(host, "spare") == ["running"]
    assert pair.api.services()["vm-a"]["served_by"]["name"] == "spare"

    assert ordered(pair, "failback", "vm-a", "--wait")[0] == 0
    assert host.state("spare") == ("shut off", "shutdown") and states(host, "vm-a") == ["running"]
    service = pair.api.services()["vm-a"]
    assert (service["state"], service["diverted"], service["next"]["name"]) == ("up", False, "spare")
    started = pair.events.wait_for("started", "spare")
    assert started["at"] < pair.events.wait_for("recovered", "spare")["at"]
    assert [record["cause"] for record in pair.api.recoveries()] == ["failover", "failback"]


def test_failback_with_a_shared_disk_stops_the_replacement_first(host, daemon_on):
    define_pair(host, one_disk=True)
    daemon = daemon_on(recovery={"settle": "200ms", "shutdown_timeout": "20s"})
    assert ordered(daemon, "failover", "vm-a", "--wait")[0] == 0
    assert states(host, "vm-a", "spare") == ["shut off", "running"]
    status, said = ordered(daemon, "failback", "vm-a", "--wait")
    assert status == 4 and str(host.image("vm-a")) in said and "--yes" in said
    assert ordered(daemon, "failback", "vm-a", "--wait", "--yes")[0] == 0
    assert states(host, "vm-a", "spare") == ["running", "shut off"]


def test_guest_that_ignores_its_power_button_goes_on_unless_it_is_forced(host, daemon_on):
    host.define("spare", resources=WEB, role="standby")
    host.define("vm-a", resources=WEB, role="protected", **IGNORES_POWER_BUTTON)
    host.start("vm-a")
    host.serial("vm-a").wait_for("userspace is up")
    daemon = daemon_on(recovery={"settle": "200ms", "shutdown_timeout": "3s"})
    pid = host.qemu_pid("vm-a")
    status, said = ordered(daemon, "failover", "vm-a", "--wait")
    assert status == 1 and "did not shut down within recovery.shutdown_timeout" in said
    assert host.qemu_pid("vm-a") == pid and host.serial("spare").boots == 0
    assert ordered(daemon, "failover", "vm-a", "--wait", "--force")[0] == 0
    assert host.state("vm-a") == ("shut off", "destroyed") and states(host, "spare") == ["running"]


def test_original_that_does_not_come_up_leaves_its_replacement(host, pair):
    assert ordered(pair, "failover", "vm-a", "--wait")[0] == 0
    host.image("vm-a").unlink()
    status, said = ordered(pair, "failback", "vm-a", "--wait")
    assert status == 1 and "vm-a did not take over" in said and "spare goes on" in said
    assert states(host, "vm-a", "spare") == ["shut off", "running"]
    assert host.serial("spare").boots == 1


def test_hook_is_asked_before_anything_is_stopped(host, daemon_on, tmp_path):
    hooks = tmp_path / "hooks.d"
    (hooks / "pre-stop").mkdir(parents=True)
    (hooks / "pre-failover").symlink_to("pre-stop")
    (hooks / "pre-start").symlink_to("pre-stop")
    hook = hooks / "pre-stop/10-veto"
    hook.write_text("#!/bin/sh\n[ $1 != pre-failover ] && [ $1,$UNDERSTUDY_FAILED,$UNDERSTUDY_REPLACEMENT != pre-stop,spare,vm-a ]\n")
    hook.chmod(0o755)
    define_pair(host)
    daemon = daemon_on(recovery={"settle": "200ms"}, hooks={"directory": str(hooks)})
    status, said = ordered(daemon, "failover", "vm-a", "--wait")
    assert status == 1 and "10-veto" in said
    assert states(host, "vm-a", "spare") == ["running", "shut off"]
    hook.chmod(0o644)
    assert ordered(daemon, "failover", "vm-a", "--wait")[0] == 0
    hook.chmod(0o755)
    status, said = ordered(daemon, "failback", "vm-a", "--wait")
    assert status == 1 and "10-veto" in said and "spare goes on" in said
    assert states(host, "vm-a", "spare") == ["shut off", "running"] and host.serial("spare").boots == 1


@pytest.mark.parametrize("after_ms", [0, 5, 20, 60, 150, 400, 1000])
def test_daemon_killed_during_a_failover(host, pair, after_ms):
    """Whenever it dies: in the end one machine serves, and no two do."""
    assert ordered(pair, "failover", "vm-a")[0] == 0
    time.sleep(after_ms / 1000)
    pair.kill()
    pair.start()
    wait_until(lambda: pair.api.recoveries()[0]["outcome"] in ENDINGS, "the failover has ended")
    ending = pair.api.recoveries()[0]["outcome"]
    assert ending in ("recovered", "called-off", "dismissed")
    serving = "spare" if ending == "recovered" else "vm-a"
    other = "vm-a" if ending == "recovered" else "spare"
    wait_until(lambda: states(host, serving, other) == ["running", "shut off"], f"{serving} alone runs", 30)
    assert pair.api.services()["vm-a"]["state"] == "up"


@pytest.mark.parametrize("after_ms", [5, 60, 400, 1000, 2500])
def test_daemon_killed_during_a_rehearsal(host, pair, after_ms):
    """Whenever it dies: in the end the original serves, alone."""
    assert ordered(pair, "rehearse", "vm-a", "--yes")[0] == 0
    time.sleep(after_ms / 1000)
    pair.kill()
    pair.start()
    wait_until(lambda: all(each["outcome"] in ENDINGS for each in pair.api.recoveries())
               and states(host, "vm-a", "spare") == ["running", "shut off"], "vm-a serves alone", 60)
    wait_until(lambda: pair.api.services()["vm-a"]["state"] == "up" and not pair.api.services()["vm-a"]["diverted"],
               "its service is its own")
    assert all(each["is_rehearsal"] for each in pair.api.recoveries())


# Steps by the hook or the command that is asked there, and moments after the order, in seconds.
@pytest.mark.parametrize("one_disk", [False, True], ids=["each has its disk", "one disk"])
@pytest.mark.parametrize(("works", "steps"), [(True, ("pre-stop", "pre-start", "verify", 0.02)), (False, ("verify",))], ids=["works", "does not work"])
def test_daemon_killed_at_each_step_of_a_failback(host, daemon_on, tmp_path, one_disk, works, steps):
    """In the end one machine serves, and no two do: vm-a if it works, and otherwise spare."""
    define_pair(host, one_disk)
    gate = Gate(tmp_path / "gate", tmp_path / "hooks/pre-start/gate")
    (tmp_path / "hooks/pre-stop").symlink_to("pre-start")
    verify = write_program(tmp_path / "verify", f'{gate.program} "$1"\n[ $UNDERSTUDY_REPLACEMENT != vm-a ] || {works and "true" or "false"}')
    daemon = daemon_on(hooks={"directory": str(tmp_path / "hooks")},
                       recovery={"settle": "100ms", "shutdown_timeout": "20s", "quarantine": "1s",
                                 "verify": {"level": "command", "command": str(verify), "timeout": "1s", "interval": "100ms"}})
    for step in steps:
        if not daemon.api.services()["vm-a"]["diverted"]:
            assert ordered(daemon, "failover", "vm-a", "--wait")[0] == 0
        if isinstance(step, str):
            gate.arm(step)
        assert ordered(daemon, "failback", "vm-a", "--yes")[0] == 0
        if isinstance(step, str):
            gate.wait_until_reached()
        else:
            time.sleep(step)
        daemon.kill()
        gate.open()
        daemon.start()
        wait_until(lambda: not daemon.api.recoveries()[-1]["under_way"], f"the failback that was cut off at {step} has ended")
        record = daemon.api.recoveries()[-1]
        assert (record["cause"], record["outcome"]) == ("failback", "recovered" if works else "called-off"), step
        serving, other = ("vm-a", "spare") if works else ("spare", "vm-a")
        wait_until(lambda: states(host, serving, other) == ["running", "shut off"], f"after {step} {serving} alone runs")
        service = daemon.api.services()["vm-a"]
        assert service["state"] == "up" and (not service["diverted"]) == works, step
        if not works:
            daemon.ctl("clear", "vm-a")


def metadata(host, name, *where):
    return host.virsh("metadata", name, "urn:understudy:domain:1.0", *where)


def test_kept_replacement_is_the_service(host, daemon_on):
    """Also after both daemons were started anew: what makes it the original is in its definition."""
    host.define("spare", resources=WEB, role="standby")
    host.run("vm-a", resources=WEB, role="protected,standby", priority=7)
    daemon = daemon_on(recovery={"settle": "200ms"})
    host.kill_qemu("vm-a")
    assert daemon.wait_for_recovery("vm-a")["replacement"] == "spare"
    assert ordered(daemon, "keep", "vm-a", "--wait")[0] == 0
    for where in ("--config", "--live"):
        said = metadata(host, "spare", where)
        assert 'role="protected, standby"' in said.replace("'", '"') and 'service="vm-a"' in said.replace("'", '"')
        assert 'priority="7"' in said.replace("'", '"') and "mysql" in said and "nodejs" in said
    said = metadata(host, "vm-a", "--config").replace("'", '"')
    assert 'role="standby"' in said and 'priority="7"' in said and "service" not in said and "mysql" in said

    daemon.kill()
    daemon.start()
    service = daemon.api.services()["vm-a"]
    assert (service["uuid"], service["priority"], service["diverted"]) == (uuid_of("spare"), 7, False)
    host.kill_qemu("spare")
    record = daemon.wait_for_recovery("spare")
    assert (record["outcome"], record["replacement"]) == ("recovered", "vm-a")
    assert daemon.api.services()["vm-a"]["served_by"]["name"] == "vm-a"


@pytest.mark.parametrize("after_ms", [0, 2, 5, 10, 30])
def test_daemon_killed_while_a_replacement_is_being_kept(host, pair, after_ms):
    """Whenever it dies: the service is protected, and the order can be given again where it was not carried out."""
    assert ordered(pair, "failover", "vm-a", "--wait")[0] == 0
    assert ordered(pair, "keep", "vm-a")[0] == 0
    time.sleep(after_ms / 1000)
    pair.kill()
    pair.start()
    wait_until(lambda: pair.api.services().get("vm-a", {}).get("state") == "up", "the service is listed")
    if pair.api.services()["vm-a"]["diverted"]:
        assert ordered(pair, "keep", "vm-a", "--wait")[0] == 0
    assert pair.api.services()["vm-a"]["uuid"] == uuid_of("spare")
    assert 'role="ignored"' in metadata(host, "vm-a", "--config").replace("'", '"')
