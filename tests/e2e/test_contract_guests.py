# SPDX-License-Identifier: LGPL-2.1-or-later
"""
As test_contract.py, for what needs a guest agent, or a host that can be lost. The harness holds each answer against the file.
"""

from harness.gate import write_program
from harness.silent import Relay
from harness.testdriver import write_node
from harness.waiting import wait_until


def test_a_guest_that_is_to_be_asked_is_answered_as_the_file_says(host, daemon_on):
    host.run("web", guest="linux with agent")
    daemon = daemon_on()
    wait_until(lambda: daemon.api.machine("web")["agent"]["learned"], "the guest has told what it offers")
    daemon.api.list("machines")
    daemon.api.explain("web")
    daemon.api.request("POST", "/v1/machines/web/refresh")


def test_what_can_be_asked_of_a_lost_host_is_answered_as_the_file_says(host, make_daemon, tmp_path):
    relay = Relay(host.home / "run/libvirt/libvirt-sock")
    agent = write_program(tmp_path / "agent", "[ ! -e $(dirname $0)/lost ] || exit 1")
    here = write_node(tmp_path / "node.xml", {"spare": {}})
    there = f"test+tcp://127.0.0.1:{relay.port}/default"
    daemon = make_daemon(
        hypervisors=[{"name": "here", "uri": here}, {"name": "far", "uri": there}],
        fence={"agents": {"ipmi": {"command": str(agent)}}, "levels": [["ipmi"]], "timeout": "1s", "retry": "1s"}, host_timeout="1s",
        isolation_share=1, discovery={"reconnect_max": "100ms"}, recovery={"settle": "200ms", "call_timeout": "300ms"})
    daemon.start()
    daemon.wait_for_machine("test", state="running", reachable=True)
    daemon.api.request("POST", "/v1/hypervisors/far/fence-test", {"agent": "ipmi"})
    assert daemon.api.get("/v1/plan?host=far")["fencing"] == "agent"
    (tmp_path / "lost").touch()
    relay.fall_silent()
    daemon.events.wait_for("fence-failed")
    daemon.api.list("hypervisors")
    assert daemon.api.list("fencing")
    daemon.api.request("POST", "/v1/hypervisors/far/fenced", {"confirmed": True})
    daemon.wait_for_recovery("test")
    relay.close()
