# SPDX-License-Identifier: LGPL-2.1-or-later
"""A machine counts as recovered only when its replacement was seen to do its work, at each level."""

import signal
import subprocess

import pytest
from harness.gate import Gate, write_program
from harness.waiting import wait_until

WEB = {"database": "mysql", "language": "nodejs", "webserver": "nginx"}
LESS = {"database": "mysql", "language": "nodejs"}


def check_waits(daemon, level):
    """The replacement runs, and nothing is said to be recovered."""
    record, = daemon.api.recoveries()
    assert (record["outcome"], record["verify"], record["replacement"]) == ("verifying", level, "vm-best")


def check_recovered(daemon, level):
    record = daemon.wait_for_recovery("vm-a")
    assert (record["outcome"], record["verify"], record["replacement"]) == ("recovered", level, "vm-best")
    times = record["times_ms"]
    # Each step was measured on its own, and together they are the whole.
    steps = [times[step] for step in ("confirm", "decide", "record", "start", "settle", "verify")]
    assert all(step > 0 for step in steps[:1] + steps[2:]) and round(sum(steps), 6) == times["total"]
    return record


def test_agent_must_answer(host, daemon_on):
    host.define("vm-best", resources=WEB, guest="linux with agent", arguments="agent=later")
    host.run("vm-a", resources=WEB)
    daemon = daemon_on(recovery={"settle": "200ms", "verify": {"interval": "100ms"}})
    host.kill_qemu("vm-a")
    host.serial("vm-best").wait_for("userspace is up", 60)
    check_waits(daemon, "agent")
    host.serial("vm-best").say("agent\n")
    check_recovered(daemon, "agent")


@pytest.fixture
def guest_address(host):
    """An address at which a process of the host can stand in for a guest, whose own network leads nowhere."""
    subprocess.run(host.command("ip", "link", "set", "lo", "up"), check=True)
    subprocess.run(host.command("ip", "address", "add", "192.0.2.2/32", "dev", "lo"), check=True)
    yield "192.0.2.2"
    subprocess.run(host.command("ip", "address", "del", "192.0.2.2/32", "dev", "lo"), check=True)


def test_port_must_accept_connections_at_the_address_that_the_agent_tells(host, daemon_on, guest_address):
    host.define("vm-best", resources=WEB, guest="linux with agent", arguments=f"address={guest_address}",
                devices="<interface type='user'><model type='virtio'/></interface>")
    host.run("vm-a", resources=WEB)
    daemon = daemon_on(recovery={"settle": "200ms", "verify": {"level": "tcp", "port": 8080, "interval": "100ms"}})
    host.kill_qemu("vm-a")
    host.serial("vm-best").wait_for("userspace is up", 60)
    wait_until(lambda: daemon.api.machine("vm-best")["agent"]["connected"], "its agent is there")
    check_waits(daemon, "tcp")
    service = host.spawn("/usr/bin/python3", "-m", "http.server", "8080", "--bind", guest_address,
                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    check_recovered(daemon, "tcp")
    service.signal(signal.SIGKILL)
    service.wait(30)


def test_command_must_succeed(host, daemon_on, tmp_path):
    host.define("vm-best", resources=WEB)
    host.run("vm-a", resources=WEB)
    gate = Gate(tmp_path / "gate", tmp_path / "verify")
    gate.arm()
    daemon = daemon_on(recovery={"settle": "200ms", "verify": {"level": "command", "command": str(gate.program)}})
    host.kill_qemu("vm-a")
    gate.wait_until_reached()
    check_waits(daemon, "command")
    gate.open()
    record = check_recovered(daemon, "command")
    print("measured, in milliseconds:", record["times_ms"])


def test_a_command_that_cannot_be_run_is_not_the_fault_of_the_machine(host, daemon_on, tmp_path):
    """Mistyped, it had each good replacement destroyed, until none was left."""
    host.define("vm-best", resources=WEB)
    host.define("vm-less", resources=LESS)
    host.run("vm-a", resources=WEB)
    daemon = daemon_on(recovery={"settle": "100ms", "verify": {
        "level": "command", "command": str(tmp_path / "verfiy"), "timeout": "1s", "interval": "100ms"}})
    assert "verfiy is not run: No such file or directory; no replacement can be verified" in daemon.log
    host.kill_qemu("vm-a")
    record = daemon.wait_for_recovery("vm-a")
    assert (record["outcome"], record["replacement"], len(record["attempts"])) == ("recovered", "vm-best", 1)
    assert "NOT VERIFIED" in record["detail"] and "No such file" in record["detail"]
    assert host.state("vm-best")[0] == "running"


def test_what_is_not_verified_in_time_is_replaced_by_the_next(host, daemon_on, tmp_path):
    host.define("vm-best", resources=WEB)
    host.define("vm-less", resources=LESS)
    host.run("vm-a", resources=WEB)
    command = write_program(tmp_path / "verify",
                            '[ "$UNDERSTUDY_REPLACEMENT" = vm-less ] || { echo no such page; exit 1; }')
    daemon = daemon_on(recovery={"settle": "100ms", "verify": {"level": "command", "command": str(command),
                                                               "timeout": "1s", "interval": "100ms"}})
    host.kill_qemu("vm-a")
    record = daemon.wait_for_recovery("vm-a")
    assert (record["outcome"], record["replacement"]) == ("recovered", "vm-less")
    assert "not verified within recovery.verify.timeout" in record["attempts"][0]["error"]
    assert "no such page" in daemon.log
    assert host.state("vm-best")[0] == "shut off"
    assert [host.serial(name).boots for name in ("vm-best", "vm-less")] == [1, 1]
