# SPDX-License-Identifier: LGPL-2.1-or-later
"""A daemon that has nothing to do lets the processor sleep."""

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
