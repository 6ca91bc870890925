# SPDX-License-Identifier: LGPL-2.1-or-later
"""Guests that hang are replaced; one that is only too busy to answer is not. Real guest agents."""

import signal
import subprocess
import time

from harness.waiting import wait_until

WEB = {"database": "mysql", "language": "nodejs", "webserver": "nginx"}
BOOT_S = 120  # three real kernels at once, emulated


def let_agents_answer():
    """Only an agent that has answered a heartbeat can be missed."""
    begun = time.monotonic()
    wait_until(lambda: time.monotonic() - begun > 5, "the agents have answered some heartbeats")


def check_replaced(host, daemon, failed):
    record = daemon.wait_for_recovery(failed, seconds=90)
    assert (record["outcome"], record["cause"]) == ("recovered", "guest-hung")
    assert host.state(failed)[0] == "shut off"
    assert (host.serial(failed).boots, host.serial(record["replacement"]).boots) == (1, 1)
    assert host.state(record["replacement"])[0] == "running"


def test_hung_guests_are_replaced_and_a_busy_one_is_not(host, daemon_on):
    guests = ("vm-stops", "vm-spins", "vm-busy")
    for name in ("spare-1", "spare-2", "spare-3"):
        host.define(name, resources=WEB, role="standby")
    for name in guests:
        host.define(name, resources=WEB, role="protected", guest="linux with agent", arguments="nokaslr crashkernel=16M@64M")
        host.start(name)
    for name in guests:
        host.serial(name).wait_for("userspace is up", BOOT_S)
    daemon = daemon_on(failure={"heartbeat": {"enabled": True, "interval": "200ms", "timeout": "1s", "misses": 2}},
                       recovery={"settle": "200ms"})
    for name in guests:
        wait_until(lambda name=name: daemon.api.machine(name)["agent"]["connected"], f"the agent of {name} is there")
    let_agents_answer()

    # The busy one is silent first: whenever another is found to hang, it has been asked as often.
    host.serial("vm-busy").say("read-disk\n")
    host.serial("vm-busy").say("stop-agent\n")
    host.serial("vm-busy").wait_for("agent is stopped")
    host.kill_qemu("vm-stops", signal.SIGSTOP)
    check_replaced(host, daemon, "vm-stops")
    host.serial("vm-spins").say("spin\n")
    check_replaced(host, daemon, "vm-spins")
    assert {record["failed"] for record in daemon.api.recoveries()} == {"vm-stops", "vm-spins"}
    assert (host.state("vm-busy")[0], host.serial("vm-busy").boots) == ("running", 1)


def test_an_agent_that_another_client_keeps_busy_is_not_missed(host, daemon_on):
    """libvirt lets one client at a time speak to an agent, and the others wait: that says nothing about the guest."""
    host.define("spare-1", resources=WEB, role="standby")
    host.define("vm-a", resources=WEB, role="protected", guest="linux with agent")
    host.start("vm-a")
    host.serial("vm-a").wait_for("userspace is up", BOOT_S)
    daemon = daemon_on(failure={"heartbeat": {"enabled": True, "interval": "200ms", "timeout": "1s", "misses": 3}})
    wait_until(lambda: daemon.api.machine("vm-a")["agent"]["connected"], "the agent is there")
    let_agents_answer()
    daemon.signal(signal.SIGSTOP)  # or its own question would come first, and keep the agent from the other client
    host.serial("vm-a").say("stop-agent\n")
    host.serial("vm-a").wait_for("agent is stopped")
    ping = ("virsh", "--connect", "qemu:///system", "qemu-agent-command", "vm-a", '{"execute":"guest-ping"}', "--block")
    with subprocess.Popen(host.command(*ping), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as other:
        begun = time.monotonic()
        wait_until(lambda: time.monotonic() - begun > 5, "the other client asks", 10)
        daemon.resume()
        wait_until(lambda: time.monotonic() - begun > 45, "three heartbeats have waited in vain", 60)
        assert daemon.api.recoveries() == []
        assert host.state("vm-a")[0] == "running"
        assert other.poll() is None
        host.serial("vm-a").say("continue-agent\n")
        assert other.wait(30) == 0
