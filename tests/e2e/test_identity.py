# SPDX-License-Identifier: LGPL-2.1-or-later
"""
What a machine uses is what it uses now: no start gives two machines one disk, whatever was known when it was decided.
The disk is served over the network, where no lock of QEMU stands in the way of two writers.
"""

import json
import struct

import pytest
from harness import domain
from harness.gate import Gate
from harness.testdriver import write_node
from harness.waiting import wait_until

WEB = {"database": "mysql", "language": "nodejs", "webserver": "nginx"}
SECOND = {"database": "postgresql", "language": "nodejs", "webserver": "apache"}
SOCKET = "/run/nbd.sock"
SHARED = (f"<disk type='network' device='disk'><driver name='qemu' type='raw'/>"
          f"<source protocol='nbd' name='data'><host transport='unix' socket='{SOCKET}'/></source>"
          f"<target dev='hdb' bus='ide'/></disk>")


def execute(host, machine, command, **arguments):
    """A command for the QEMU of a machine."""
    answer = host.virsh("qemu-monitor-command", machine, json.dumps({"execute": command, "arguments": arguments}))
    assert "return" in json.loads(answer), answer


@pytest.fixture
def served_disk(host):
    """Served by the QEMU of a machine of its own, to as many as want it."""
    host.run("vm-storage")
    execute(host, "vm-storage", "blockdev-add", driver="null-co", **{"node-name": "spare", "size": 1 << 20})
    execute(host, "vm-storage", "nbd-server-start",
            addr={"type": "unix", "data": {"path": SOCKET}})
    execute(host, "vm-storage", "block-export-add", type="nbd", id="data", name="data", writable=True,
            **{"node-name": "spare"})


def add_disk(host, name, *flags):
    host.virsh("attach-device", name, "/dev/stdin", *flags, stdin=SHARED)


def has_disk(host, name):
    return "protocol='nbd'" in host.virsh("dumpxml", name)


def check_second_took_over(host, daemon):
    record = daemon.wait_for_recovery("vm-a")
    assert (record["outcome"], record["replacement"]) == ("recovered", "vm-second")
    assert host.state("vm-best")[0] == "shut off"
    assert host.serial("vm-second").boots == 1
    return record


def test_disk_that_was_attached_to_the_definition_without_an_event(host, served_disk, daemon_on):
    host.define("vm-best", resources=WEB)
    host.define("vm-second", resources=SECOND)
    host.run("vm-db", devices=SHARED)
    host.run("vm-a", resources=WEB)
    daemon = daemon_on()
    add_disk(host, "vm-best", "--config")
    host.kill_qemu("vm-a")
    record = check_second_took_over(host, daemon)
    assert host.serial("vm-best").boots == 0
    assert [attempt["name"] for attempt in record["attempts"]] == ["vm-second"]
    decided = [notice["text"] for notice in daemon.events.told if notice["kind"] == "decided"]
    assert decided[0].startswith("vm-best for vm-a") and decided[1].startswith("vm-second for vm-a")
    reasons = {candidate["name"]: candidate["reason"] for candidate in record["candidates"]}
    assert "in use by vm-db" in reasons["vm-best"]
    print("measured, in milliseconds:", record["times_ms"])


def test_machine_that_was_started_with_a_disk_in_use_is_stopped_at_once(host, served_disk, daemon_on, tmp_path):
    """The disk is attached after the definition was read, while the pre-start hooks run."""
    host.define("vm-best", resources=WEB)
    host.define("vm-second", resources=SECOND)
    host.run("vm-db", devices=SHARED)
    host.run("vm-a", resources=WEB)
    gate = Gate(tmp_path / "gate", tmp_path / "hooks/pre-start/gate")
    daemon = daemon_on(hooks={"directory": str(tmp_path / "hooks")})
    gate.arm()
    host.kill_qemu("vm-a")
    gate.wait_until_reached()
    add_disk(host, "vm-best", "--config")
    gate.open()
    record = check_second_took_over(host, daemon)
    error = record["attempts"][0]["error"]
    assert record["attempts"][0]["name"] == "vm-best" and "in use by vm-db" in error, error
    assert host.state("vm-db")[0] == "running" and has_disk(host, "vm-db")


def test_what_a_backup_tool_has_paused_is_left_alone(host, daemon_on):
    """It never booted, and ends with the tool: a service that was moved to it would be gone for good."""
    host.define("vm-best", resources=WEB)
    host.define("vm-second", resources=SECOND)
    host.start("vm-best", "--paused")
    host.run("vm-a", resources=WEB)
    daemon = daemon_on()
    host.kill_qemu("vm-a")
    record = daemon.wait_for_recovery("vm-a")
    assert (record["outcome"], record["replacement"]) == ("recovered", "vm-second")
    assert host.state("vm-best")[0] == "paused"
    reasons = {candidate["name"]: candidate["reason"] for candidate in record["candidates"]}
    assert reasons["vm-best"] == "paused, and not by understudyd: left alone"


def overlay(path, base, size):
    """A qcow2 image of nothing but a reference to the image below it; qemu-img need not be there."""
    name, cluster = str(base).encode(), 65536
    head = struct.pack(">4sIQIIQIIQQIIQ", b"QFI\xfb", 2, 72, len(name), 16, size, 0, 1, 3 * cluster, cluster, 1, 0, 0)
    counts = b"".join(struct.pack(">H", 1) for _ in range(4))
    path.write_bytes(b"".join(part.ljust(cluster, b"\0") for part in
                              (head + name, struct.pack(">Q", 2 * cluster), counts, b"\0")))


def qcow2_xml(image):
    return domain.disk_xml(image, "hdb").replace("'raw'", "'qcow2'")


def test_image_below_the_disk_of_the_failed_machine_is_not_opened_for_writing(host, daemon_on):
    """app runs on an overlay of a base image; the template whose disk that is was started when app died."""
    base, size = host.home / "images/base.img", 1 << 20
    base.write_bytes(bytes(size))
    for name in ("app", "second"):
        overlay(host.home / f"images/{name}.qcow2", base, size)
    host.define("vm-template", resources=WEB, devices=domain.disk_xml(base, "hdb"))
    host.define("vm-second", resources=SECOND, devices=qcow2_xml(host.home / "images/second.qcow2"))
    host.run("vm-a", resources=WEB, devices=qcow2_xml(host.home / "images/app.qcow2"))
    daemon = daemon_on()
    host.kill_qemu("vm-a")
    record = daemon.wait_for_recovery("vm-a")
    assert (record["outcome"], record["replacement"]) == ("recovered", "vm-second")
    assert host.serial("vm-template").boots == 0
    reasons = {candidate["name"]: candidate["reason"] for candidate in record["candidates"]}
    assert reasons["vm-template"] == f"its disk {base} is the backing file of a disk of vm-a"


@pytest.fixture
def image_pool(host):
    """A storage pool of the images; begun by calling it, when they are there."""
    begun = []
    yield lambda: begun.append(host.virsh("pool-create-as", "images", "dir", "--target", str(host.home / "images")))
    if begun:
        host.virsh("pool-destroy", "images")


def wait_for_reason(daemon, candidate, words):
    """What a disk is becomes known some time after the first listing."""
    def reason():
        reasons = {one["name"]: one["reason"] for one in daemon.api.explain("vm-a")["candidates"]}
        return reasons[candidate] if words in reasons[candidate] else None
    return wait_until(reason, f"{candidate}: {words}")


def test_disk_behind_a_symbolic_link_is_in_use(host, daemon_on):
    image, link = host.home / "images/real.img", host.home / "images/link.img"
    image.write_bytes(bytes(1 << 20))
    link.symlink_to(image)
    host.define("vm-best", resources=WEB, devices=domain.disk_xml(link, "hdb"))
    host.define("vm-second", resources=SECOND)
    host.run("vm-db", devices=domain.disk_xml(image, "hdb"))
    host.run("vm-a", resources=WEB)
    daemon = daemon_on()
    wait_for_reason(daemon, "vm-best", f"its disk {link} is in use by vm-db")
    host.kill_qemu("vm-a")
    record = check_second_took_over(host, daemon)
    assert host.serial("vm-best").boots == 0
    assert [attempt["name"] for attempt in record["attempts"]] == ["vm-second"]


def test_image_below_a_disk_of_a_machine_that_never_ran_is_known_by_its_volume(host, image_pool, daemon_on):
    """What stands below the disk of a machine that is off is in the XML of the volume, and nowhere else."""
    base, size = host.home / "images/base.img", 1 << 20
    base.write_bytes(bytes(size))
    overlay(host.home / "images/app.qcow2", base, size)
    image_pool()
    host.define("vm-app", devices=qcow2_xml(host.home / "images/app.qcow2"), role="ignored")
    host.define("vm-template", resources=WEB, devices=domain.disk_xml(base, "hdb"))
    host.define("vm-second", resources=SECOND)
    host.run("vm-a", resources=WEB)
    daemon = daemon_on()
    wait_for_reason(daemon, "vm-template", f"its disk {base} is the backing file of a disk of vm-app")
    host.kill_qemu("vm-a")
    record = daemon.wait_for_recovery("vm-a")
    assert (record["outcome"], record["replacement"]) == ("recovered", "vm-second")
    assert host.serial("vm-template").boots == 0


def test_device_of_the_host_that_is_not_there_is_named(host, daemon_on):
    """It cannot be started, now or later: why is told, and not only that it did not come up."""
    host.define("vm-best", resources=WEB, devices="<hostdev mode='subsystem' type='usb' managed='yes'><source>"
                                                  "<vendor id='0x1d6b'/><product id='0xfffe'/></source></hostdev>")
    host.define("vm-second", resources=SECOND)
    host.run("vm-a", resources=WEB)
    daemon = daemon_on()
    host.kill_qemu("vm-a")
    record = daemon.wait_for_recovery("vm-a")
    assert (record["outcome"], record["replacement"]) == ("recovered", "vm-second")
    assert "usb" in daemon.api.machine("vm-best")["quarantine_why"].lower()
    reasons = {one["name"]: one["reason"] for one in daemon.api.explain("vm-second")["candidates"]}
    assert "usb" in reasons["vm-best"].lower() and "did not come up" not in reasons["vm-best"], reasons


def test_volume_and_its_file_are_one_disk(host, image_pool, daemon_on):
    image = host.home / "images/data.img"
    image.write_bytes(bytes(1 << 20))
    image_pool()
    volume = ("<disk type='volume' device='disk'><driver name='qemu' type='raw'/><source pool='images' volume='data.img'/>"
              "<target dev='hdb' bus='ide'/></disk>")
    host.define("vm-best", resources=WEB, devices=volume)
    host.run("vm-db", devices=domain.disk_xml(image, "hdb"))
    host.run("vm-a", resources=WEB)
    daemon = daemon_on()
    wait_for_reason(daemon, "vm-best", "its disk images/data.img is in use by vm-db")


def test_standby_with_a_disk_that_was_attached_without_an_event_is_not_booted(host, served_disk, daemon_on):
    host.define("vm-best", resources=WEB)
    host.run("vm-db", devices=SHARED)
    host.define("vm-a", resources=WEB, role="protected")
    daemon = daemon_on(standby={"warm": 1})
    add_disk(host, "vm-best", "--config")
    host.start("vm-a")
    daemon.events.wait_for("warm-failed", "vm-best")
    assert host.serial("vm-best").boots == 0


def test_one_host_under_two_uris_counts_once(host, daemon_on):
    """One crash, one replacement."""
    host.define("vm-best", resources=WEB)
    host.define("vm-second", resources=SECOND)
    host.run("vm-a", resources=WEB)
    daemon = daemon_on(hypervisors=[{"name": "one", "uri": "qemu:///system"},
                                    {"name": "two", "uri": "qemu+unix:///system"}])
    told = daemon.events.wait_for("same-host", seconds=30)
    assert "takes no part" in told["text"]
    host.kill_qemu("vm-a")
    record = daemon.wait_for_recovery("vm-a")
    assert (record["outcome"], record["replacement"]) == ("recovered", "vm-best")
    assert len(daemon.api.recoveries()) == 1
    assert host.state("vm-second")[0] == "shut off"


@pytest.mark.testdriver
def test_machine_that_runs_on_another_host_is_no_candidate(make_daemon, tmp_path):
    """As a migration leaves it: web is defined on two hosts, and runs on the first."""
    first = write_node(tmp_path / "first.xml", {"web": {}, "app": WEB}, ["web", "app"])
    second = write_node(tmp_path / "second.xml", {"web": WEB}, [])
    daemon = make_daemon(hypervisors=[{"name": "h1", "uri": first}, {"name": "h2", "uri": second}]).start()
    candidates = {f"{c['hypervisor']}/{c['name']}": c["reason"] for c in daemon.api.explain("app")["candidates"]}
    assert candidates["h2/h2/web"].endswith("is in use by web"), candidates
