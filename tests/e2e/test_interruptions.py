# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon is killed in the middle of a recovery: one replacement is started for it all the same, and only one."""

import pytest
from harness.gate import Gate

WEB = {"database": "mysql", "language": "nodejs", "webserver": "nginx"}
ROOM = ("vm-a", "vm-b", "vm-c")
ROUNDS = 10
UNLIMITED = {"settle": "100ms", "limit": 0, "brake": {"share": 0}}


def define_room(host):
    """One runs, the others stand by; the one that takes over is the next to die."""
    for name in ROOM[1:]:
        host.define(name, resources=WEB)
    host.run(ROOM[0], resources=WEB)


def running(host):
    return [name for name in ROOM if host.state(name)[0] == "running"]


def boots(host):
    return sum(host.serial(name).boots for name in ROOM)


def check_history(daemon, rounds):
    """Every failure has one recovery, and each of them has ended well; the newest is returned."""
    records = daemon.api.recoveries()
    assert len(records) == rounds
    assert [(record["outcome"], record["under_way"]) for record in records] == [("recovered", False)] * rounds
    return records[-1]


def kill_again_and_again(host, daemon, gate):
    failed = ROOM[0]
    for count in range(1, ROUNDS + 1):
        gate.arm()
        host.kill_qemu(failed)
        gate.wait_until_reached()
        daemon.kill()
        gate.open()
        daemon.start()
        record = daemon.wait_for_recovery(failed)
        assert check_history(daemon, count)["id"] == record["id"]
        assert running(host) == [record["replacement"]]
        assert boots(host) == count + 1
        failed = record["replacement"]
        host.serial(failed).wait_for("is up")
    daemon.stop()
    daemon.start()
    check_history(daemon, ROUNDS)


def test_killed_between_intent_and_start(host, make_daemon, tmp_path):
    define_room(host)
    gate = Gate(tmp_path / "gate", tmp_path / "hooks/pre-start/gate")
    daemon = make_daemon(host, hooks={"directory": str(tmp_path / "hooks")}, recovery=UNLIMITED)
    kill_again_and_again(host, daemon.start(), gate)


def test_killed_between_start_and_outcome(host, make_daemon, tmp_path):
    define_room(host)
    gate = Gate(tmp_path / "gate", tmp_path / "verify")
    verify = {"level": "command", "command": str(gate.program)}
    daemon = make_daemon(host, recovery={**UNLIMITED, "verify": verify})
    kill_again_and_again(host, daemon.start(), gate)


@pytest.mark.parametrize("libvirtd_too", [False, True], ids=["the daemon", "both daemons"])
def test_machine_dies_while_the_daemon_is_dead(host, daemon_on, libvirtd_too):
    define_room(host)
    daemon = daemon_on()
    daemon.wait_until_stored("vm-a", "running")
    pid = host.qemu_pid("vm-a")
    daemon.kill()
    if libvirtd_too:
        host.kill_libvirtd()
    host.kill_process(pid)
    if libvirtd_too:
        host.start_libvirtd()
    daemon.start()
    record = daemon.wait_for_recovery("vm-a")
    assert (record["outcome"], record["replacement"]) == ("recovered", "vm-b")
    daemon.stop()
    daemon.start()
    assert check_history(daemon, 1)["id"] == record["id"]
    assert (running(host), boots(host)) == (["vm-b"], 2)


def test_replacement_that_only_stands_by_dies_while_the_daemon_is_dead(host, daemon_on):
    """Protected is the service, which the daemon knows from its disk: the replacement itself is not."""
    for name in ("vm-b", "vm-c"):
        host.define(name, resources=WEB, role="standby")
    host.run("vm-a", resources=WEB, role="protected")
    daemon = daemon_on()
    host.kill_qemu("vm-a")
    assert daemon.wait_for_recovery("vm-a")["replacement"] == "vm-b"
    host.serial("vm-b").wait_for("is up")
    pid = host.qemu_pid("vm-b")
    daemon.kill()
    host.kill_process(pid)
    daemon.start()
    record = daemon.wait_for_recovery("vm-b")
    assert (record["outcome"], record["replacement"], record["service"]["name"]) == ("recovered", "vm-c", "vm-a")
