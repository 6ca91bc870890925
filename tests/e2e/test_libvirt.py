# SPDX-License-Identifier: LGPL-2.1-or-later
"""What understudy takes for granted about libvirt and QEMU; and that the test guests do as they are told."""

import select
import signal
import subprocess

import pytest

from harness.waiting import Deadline


class LifecycleEvents:
    """`virsh event` in the background."""

    def __init__(self, host):
        self._process = host.spawn(
            "stdbuf", "-oL", "virsh", "-q", "-c", "qemu:///system", "event", "--event", "lifecycle", "--loop",
            stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        host.define("probe")
        deadline = Deadline()
        while not select.select([self._process.stdout], [], [], 0)[0]:  # it does not say when it listens
            assert not deadline.passed(), "virsh event tells nothing"
            host.define("probe")

    def of(self, name, last):
        """What is told of the machine, such as "Stopped Failed", up to and including `last`."""
        told = []
        for line in self._process.stdout:
            head, _, words = line.decode().strip().rpartition(": ")
            if head.endswith(f"'{name}'"):
                told.append(words)
                if words == last:
                    return told
        raise AssertionError(f"virsh ended after {told}")

    def close(self):
        self._process.signal(signal.SIGKILL)
        self._process.stdout.close()
        self._process.wait()


@pytest.fixture
def lifecycle(host):
    events = LifecycleEvents(host)
    yield events
    events.close()


CAUSES = {
    "SIGKILL": (lambda host: host.kill_qemu("vm-a", signal.SIGKILL), ["Stopped Failed"], ("shut off", "crashed")),
    "SIGTERM": (lambda host: host.kill_qemu("vm-a", signal.SIGTERM),
                ["Shutdown Finished after host request", "Stopped Shutdown"], ("shut off", "shutdown")),
    "panic": (lambda host: host.serial("vm-a").say("p"), ["Crashed Panicked", "Stopped Crashed"],
              ("shut off", "crashed")),
    "poweroff": (lambda host: host.serial("vm-a").say("o"),
                 ["Shutdown Finished after guest request", "Stopped Shutdown"], ("shut off", "shutdown")),
    "shutdown": (lambda host: host.virsh("shutdown", "vm-a"),
                 ["Shutdown Finished after guest request", "Stopped Shutdown"], ("shut off", "shutdown")),
    "destroy": (lambda host: host.virsh("destroy", "vm-a"),
                ["Shutdown Finished after host request", "Stopped Destroyed"], ("shut off", "destroyed")),
    "managedsave": (lambda host: host.virsh("managedsave", "vm-a"), ["Stopped Saved"], ("shut off", "saved")),
}


@pytest.mark.parametrize("cause", CAUSES)
def test_libvirt_tells_the_cause_of_a_stop(host, lifecycle, cause):
    act, expected, state = CAUSES[cause]
    host.run("vm-a")
    lifecycle.of("vm-a", "Started Booted")
    act(host)
    told = [words for words in lifecycle.of("vm-a", expected[-1]) if not words.startswith(("Resumed", "Suspended"))]
    assert told == expected
    assert host.state("vm-a") == state


def test_panic_with_preserve_leaves_the_remains(host, lifecycle):
    host.run("vm-a", on_crash="preserve")
    host.serial("vm-a").say("p")
    lifecycle.of("vm-a", "Crashed Panicked")
    assert host.state("vm-a") == ("crashed", "panicked")
    assert host.serial("vm-a").is_connected


def test_linux_guest_comes_up_panics_and_heeds_the_power_button(host):
    host.run("vm-a", guest="linux")
    host.serial("vm-a").wait_for("userspace is up")
    host.virsh("shutdown", "vm-a")
    host.serial("vm-a").wait_for_end()
    host.wait_for_state("vm-a", "shut off")
    assert host.state("vm-a") == ("shut off", "shutdown")

    host.start("vm-a")
    host.serial("vm-a").wait_for("userspace is up")
    host.serial("vm-a").say("panic\n")
    host.serial("vm-a").wait_for_end()
    host.wait_for_state("vm-a", "shut off")
    assert host.state("vm-a") == ("shut off", "crashed")
    assert host.serial("vm-a").boots == 2


def test_guests_outlive_libvirtd(host):
    host.run("vm-a")
    host.kill_libvirtd()
    host.serial("vm-a").say("x")
    host.serial("vm-a").wait_for("x", seconds=5)
    host.start_libvirtd()
    assert host.state("vm-a")[0] == "running"
