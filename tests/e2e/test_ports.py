# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the original served, the replacement must listen on: learned from real guests, and looked at in real guests."""

import subprocess

import pytest
from test_discovery import BY_PROGRAMS as SOFTWARE

POOL = {"protect": ["web"], "standby": ["spare-*"]}


def features(*ports):
    """As the control interface has them: by name, and numbers in names as numbers."""
    return SOFTWARE[:-1] + [f"port/{port}" for port in sorted(ports, key=int)] + SOFTWARE[-1:]


def run_and_learn(host, daemon, **listens):
    """Machines whose guests have been asked: that they are off afterwards changes nothing."""
    for name, ports in listens.items():
        host.run(name.replace("_", "-"), guest="linux with agent", arguments=f"software=programs listen={ports}")
    for name, ports in listens.items():
        daemon.wait_for_machine(name.replace("_", "-"), features=features(*ports.split(",")))
    for name in listens:
        if name != "web":
            host.virsh("destroy", name.replace("_", "-"))
            daemon.wait_for_machine(name.replace("_", "-"), state="shut off")


def test_nothing_is_configured_and_the_replacement_listens_on_what_the_original_served(host, daemon_on):
    """Nothing but hypervisor, protect and standby: who takes over, and what it must show, is learned."""
    daemon = daemon_on(pool=POOL, similarity={}, recovery={})
    host.run("spare-a", guest="linux with agent")  # stands first by name, and offers nothing
    run_and_learn(host, daemon, web="80,443,8080", spare_b="80,443")
    host.virsh("destroy", "spare-a")
    daemon.wait_for_machine("spare-a", state="shut off")
    assert "port          80, 443, 8080 (guest agent" in daemon.ctl("show", "web").stdout
    assert "at level agent, and it must listen on 80, 443\n" in daemon.ctl("explain", "web").stdout
    host.kill_qemu("web")
    record = daemon.wait_for_recovery("web")
    assert (record["outcome"], record["replacement"]) == ("recovered", "spare-b")
    assert (record["verify"], record["verify_ports"], record["ports_unasked"]) == ("agent", [80, 443], None)
    assert record["detail"] == "spare-b runs in its place and listens on 80, 443"
    assert "must listen   on 80, 443\n" in daemon.ctl("history", record["id"]).stdout


def test_a_replacement_whose_service_does_not_come_up_is_replaced_by_the_next(host, daemon_on):
    daemon = daemon_on(pool=POOL, recovery={"settle": "200ms", "verify": {"timeout": "20s", "interval": "200ms"}})
    run_and_learn(host, daemon, web="80", spare_a="80", spare_b="80")
    host.define("spare-a", guest="linux with agent", arguments="software=programs")
    host.kill_qemu("web")
    record = daemon.wait_for_recovery("web", seconds=90)
    assert (record["outcome"], record["replacement"]) == ("recovered", "spare-b")
    assert "nothing in it listens on port 80" in record["attempts"][0]["error"]
    assert host.state("spare-a")[0] == "shut off"


@pytest.mark.parametrize("block, words", [
    ("guest-file-open", " and listens on 80"),
    ("guest-file-open,guest-exec",
     "; whether it serves 80 could not be seen: its guest agent must neither read files nor run programs"),
])
def test_what_the_agent_of_the_replacement_allows(host, daemon_on, block, words):
    daemon = daemon_on(pool=POOL, recovery={"settle": "200ms", "verify": {"interval": "200ms"}})
    run_and_learn(host, daemon, web="80", spare_a="80")
    host.define("spare-a", guest="linux with agent", arguments=f"software=programs listen=80 block={block}")
    host.kill_qemu("web")
    record = daemon.wait_for_recovery("web")
    assert record["outcome"] == "recovered"
    assert record["detail"] == f"spare-a runs in its place{words}"


@pytest.fixture
def bridge(host):
    """A network on which the host, and with it the daemon, reaches guests."""
    try:
        host.run_inside("ip", "link", "add", "br0", "type", "bridge")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no bridge can be made here: {error.stderr.decode().strip()}")
    host.run_inside("ip", "address", "add", "192.0.2.1/24", "dev", "br0")
    host.run_inside("ip", "link", "set", "br0", "up")
    yield "<interface type='bridge'><source bridge='br0'/><model type='virtio'/></interface>"
    host.run_inside("ip", "link", "del", "br0")


def test_a_replacement_must_be_reached_where_the_original_was(host, daemon_on, bridge):
    """That of spare-a listens, and its network leads nowhere. On 22 nothing accepted connections when the original was well."""
    nowhere = "<interface type='user'><model type='virtio'/></interface>"
    for name, address, network in (("web", 10, bridge), ("spare-a", 11, nowhere), ("spare-b", 12, bridge)):
        host.define(name, guest="linux with agent", devices=network,
                    arguments=f"software=programs listen=80 address=192.0.2.{address}")
        host.start(name)
    daemon = daemon_on(pool=POOL, recovery={"settle": "200ms", "verify": {"timeout": "20s", "interval": "200ms"}})
    daemon.wait_for_machine("web", features=SOFTWARE[:-1] + ["port/80", "reached-port/80"] + SOFTWARE[-1:])
    for name in ("spare-a", "spare-b"):
        daemon.wait_for_machine(name, features=features("80"))
        host.virsh("destroy", name)
        daemon.wait_for_machine(name, state="shut off")
    assert "must listen on 80, and be reached on 80\n" in daemon.ctl("explain", "web").stdout
    host.kill_qemu("web")
    record = daemon.wait_for_recovery("web", seconds=90)
    assert (record["outcome"], record["replacement"]) == ("recovered", "spare-b")
    assert "nothing accepts connections on port 80 of 192.0.2.11" in record["attempts"][0]["error"]
    assert record["detail"] == "spare-b runs in its place and listens on 80, and is reached on 80"
    assert record["verify_reached_ports"] == [80]
