# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fence agents that fail, hang, lie and answer that a host is off already; how they are tested, and what is kept of them."""

import pytest

from harness.gate import write_program
from harness.silent import Relay, Silent
from harness.testdriver import write_node
from harness.waiting import wait_until

LOST = {"host_timeout": "1s", "isolation_share": 1, "discovery": {"reconnect_max": "100ms"},
        "recovery": {"settle": "200ms", "call_timeout": "300ms"}}


def write_agent(directory, name, script):
    """$action is what it is asked. What it was asked is a line in the file "asked"."""
    write_program(directory / name, 'action=$(sed -n s/^action=//p)\n'
                                    f'echo "{name} $action" >>{directory}/asked\n{script}')


def asked(directory):
    path = directory / "asked"
    return path.read_text().split("\n")[:-1] if path.exists() else []


def levels(directory, *names_of_levels, **more):
    names = [name for level in names_of_levels for name in level]
    return {"agents": {name: {"command": str(directory / name)} for name in names},
            "levels": [list(level) for level in names_of_levels], "timeout": "1s", "retry": "1s", **more}


WORKS = "[ $action != status ] || exit 2"
FAILS = 'echo "the switch is gone"; exit 1'
HANGS = "exec sleep 100"
LIES = "exit 0"
OFF_ALREADY = '[ $action != status ] || exit 2\necho "already off"; exit 1'


@pytest.fixture
def far(host, make_daemon, tmp_path):
    """Starts a daemon that watches a libvirtd as that of another host, and can have that fall silent. On it "test" runs."""
    relay = Relay(host.home / "run/libvirt/libvirt-sock")
    here = write_node(tmp_path / "node.xml", {"spare": {}})

    def start(fence):
        uri = f"test+tcp://127.0.0.1:{relay.port}/default"
        daemon = make_daemon(hypervisors=[{"name": "here", "uri": here}, {"name": "far", "uri": uri}], fence=fence,
                             **LOST)
        daemon.start()
        daemon.wait_for_machine("test", state="running", reachable=True)
        return daemon

    start.fall_silent = relay.fall_silent
    yield start
    relay.close()


def history(daemon):
    return [(entry["attempt"], entry["level"], entry["agent"], entry["action"], entry["succeeded"])
            for entry in reversed(daemon.api.list("fencing"))]


@pytest.mark.parametrize("fault, words", [(FAILS, "exit status 1: the switch is gone"), (HANGS, "killed"),
                                          (LIES, "still on")])
def test_next_level_is_tried_when_an_agent_fails(far, tmp_path, fault, words):
    """And of that level all must succeed; one that says "already off" with an error has succeeded."""
    write_agent(tmp_path, "ipmi", f"if [ $action = status ] && [ ! -e {tmp_path}/lost ]; then exit 0; fi\n{fault}")
    write_agent(tmp_path, "pdu-a", OFF_ALREADY)
    write_agent(tmp_path, "pdu-b", WORKS)
    daemon = far(levels(tmp_path, ["ipmi"], ["pdu-a", "pdu-b"]))
    wait_until(lambda: len(asked(tmp_path)) == 3, "each agent is tested")
    assert asked(tmp_path) == ["ipmi status", "pdu-a status", "pdu-b status"]
    (tmp_path / "lost").touch()
    far.fall_silent()
    daemon.events.wait_for("host-fenced")
    assert "warning: fence agent ipmi of level 1 has not fenced far: " in daemon.log
    assert asked(tmp_path)[3:] == ["ipmi off", "ipmi status", "pdu-a off", "pdu-a status", "pdu-b off", "pdu-b status"]
    assert daemon.wait_for_recovery("test")["cause"] == "host-lost"
    expected = [(1, 1, "ipmi", "off", False), (1, 2, "pdu-a", "off", True), (1, 2, "pdu-b", "off", True)]
    assert history(daemon) == expected
    answers = [entry["answer"] for entry in reversed(daemon.api.list("fencing"))]
    assert words in answers[0] and "exit status 1: already off" in answers[1] and answers[2] == "off"
    shown = daemon.ctl("history", "--fencing", "far").stdout
    assert [line.split()[3:7] for line in shown.split("\n")[1:4]] == [
        ["far", "1", "2", "pdu-b"], ["far", "1", "2", "pdu-a"], ["far", "1", "1", "ipmi"]], shown
    # It is history, and outlives the daemon.
    daemon.kill()
    daemon.start(wait=False)
    daemon.wait_until_listening()
    assert history(daemon) == expected


def test_all_levels_fail(far, tmp_path):
    """Nothing is started elsewhere, and it is tried again, from the first level on."""
    write_agent(tmp_path, "ipmi", FAILS)
    write_agent(tmp_path, "pdu-a", WORKS)
    write_agent(tmp_path, "pdu-b", LIES)
    daemon = far(levels(tmp_path, ["ipmi"], ["pdu-a", "pdu-b"]))
    far.fall_silent()
    told = daemon.events.wait_for("fence-failed", times=2)["text"]
    assert "ipmi: exit status 1: the switch is gone; pdu-b: " in told and "still on" in told
    assert daemon.api.recoveries() == []
    assert history(daemon)[:3] == [(1, 1, "ipmi", "off", False), (1, 2, "pdu-a", "off", True),
                                   (1, 2, "pdu-b", "off", False)]
    assert (2, 1, "ipmi", "off", False) in history(daemon)
    write_agent(tmp_path, "pdu-b", WORKS)
    daemon.events.wait_for("host-fenced")


def test_reboot_by_levels(far, tmp_path):
    """Off for both supplies, and only then on."""
    for name in ("pdu-a", "pdu-b"):
        write_agent(tmp_path, name, WORKS)
    daemon = far(levels(tmp_path, ["pdu-a", "pdu-b"], action="reboot"))
    wait_until(lambda: len(asked(tmp_path)) == 2, "each agent is tested")
    far.fall_silent()
    daemon.events.wait_for("host-fenced")
    assert asked(tmp_path)[2:] == ["pdu-a off", "pdu-a status", "pdu-b off", "pdu-b status", "pdu-a on", "pdu-b on"]


@pytest.mark.testdriver
def test_agents_are_tested(make_daemon, tmp_path):
    """By order and by itself: an agent that fails is a problem until it answers again. Nothing is switched off."""
    silent = Silent()
    write_agent(tmp_path, "ipmi", WORKS)
    write_agent(tmp_path, "pdu-a", FAILS)
    here = write_node(tmp_path / "node.xml", {"web": {"language": "nodejs"}}, running=["web"])
    far_uri = f"test+tcp://127.0.0.1:{silent.port}/default"
    try:
        daemon = make_daemon(hypervisors=[{"name": "here", "uri": here}, {"name": "far", "uri": far_uri}],
                             fence=levels(tmp_path, ["ipmi"], ["pdu-a"]), **{**LOST, "host_timeout": "1h"})
        daemon.start(wait=False)
        daemon.wait_until_listening()
        problem = wait_until(lambda: [one for one in daemon.api.list("problems")
                                      if one["kind"] == "fence-agent-failing"], "an agent that fails is a problem")[0]
        assert problem["subject"] == "far" and "pdu-a: exit status 1: the switch is gone" in problem["text"]
        assert problem["severity"] == 1

        failed = daemon.ctl("fence-test", "far", check=False)
        assert failed.returncode == 1
        rows = [line.split() for line in failed.stdout.split("\n")[1:3]]
        assert [row[:2] for row in rows] == [["ipmi", "answers"], ["pdu-a", "fails"]], failed.stdout
        assert daemon.ctl("fence-test", "far", "--agent", "ipmi").returncode == 0
        write_agent(tmp_path, "pdu-a", WORKS)
        assert daemon.ctl("fence-test", "far", "--agent", "pdu-a").returncode == 0
        wait_until(lambda: not [one for one in daemon.api.list("problems") if one["kind"] == "fence-agent-failing"],
                   "the problem is over")
        assert "over: fence-agent-failing" in daemon.log
        assert set(asked(tmp_path)) == {"ipmi status", "pdu-a status"}
        for arguments, status in ((("nowhere",), 3), (("far", "--agent", "pdu-c"), 3), (("here",), 4)):
            assert daemon.ctl("fence-test", *arguments, check=False).returncode == status
        assert "was fenced yet" in daemon.ctl("history", "--fencing").stdout
    finally:
        silent.close()
