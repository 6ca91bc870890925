# SPDX-License-Identifier: LGPL-2.1-or-later
"""A daemon that has nothing to do lets the processor sleep."""

import contextlib
import os
import re
import time
from pathlib import Path

import pytest

from harness.testdriver import write_node
from harness.waiting import wait_until

WEB = {"database": "mysql", "language": "nodejs"}
QUIET_S = 4  # shorter than the pause between two ticks, and longer than any that follows an input


def wakeups(pid):
    """Of the main thread."""
    return int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)[1])


def files(pid):
    """What the descriptors of a process are, by their numbers."""
    found = {}
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            found[int(fd.name)] = os.readlink(fd)
    return found


def watched(pid, epoll):
    """The descriptors that an epoll instance of a process watches."""
    return [int(fd) for fd in re.findall(r"^tfd:\s+(\d+)", Path(f"/proc/{pid}/fdinfo/{epoll}").read_text(), re.MULTILINE)]


def count_heard(pid):
    """The sockets that libvirt has watched now: none of a connection on which a call is under way."""
    found = files(pid)
    instances = {fd: watched(pid, fd) for fd, target in found.items() if target == "anon_inode:[eventpoll]"}
    [inner] = [fd for fd in instances if any(fd in others for others in instances.values())]
    return sum(found.get(fd, "").startswith("socket:") for fd in instances[inner])


def rests(daemon):
    before = wakeups(daemon.pid)
    time.sleep(QUIET_S)
    return wakeups(daemon.pid) == before


@pytest.mark.testdriver
def test_what_looks_again_a_second_later_has_no_other_look_again(make_daemon, tmp_path):
    """The search for problems and that for help for services that are down waited for each other, twice a second, for ever."""
    uri = write_node(tmp_path / "node.xml", {name: WEB for name in ("a", "b")}, running=["a"])
    daemon = make_daemon(hypervisors=[{"name": "room", "uri": uri}]).start()
    for _ in range(3):
        wait_until(lambda: rests(daemon), "the daemon rests")
        daemon.ctl("hold", "a", "--reason", "nothing")
        daemon.ctl("release", "a")


def test_the_connection_for_agents_wakes_nothing(host, daemon_on):
    """libvirtd sends to each that has events, every five seconds, what is to be answered."""
    host.run("vm-a", resources=WEB, guest="linux with agent")
    daemon = daemon_on()
    wait_until(lambda: daemon.api.machine("vm-a")["agent"]["connected"], "its agent is connected")
    wait_until(lambda: count_heard(daemon.pid) > 0, "libvirt is heard")
    seen = []
    for _ in range(100):
        seen.append(count_heard(daemon.pid))
        time.sleep(0.01)
    assert max(seen) == 1, seen
