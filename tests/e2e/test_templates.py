# SPDX-License-Identifier: LGPL-2.1-or-later
"""No machine stands by, and one is made from a template: real QEMU, real storage pools."""

import hashlib
import os
import re
import xml.etree.ElementTree as ElementTree

import pytest
from harness.templates import Room
from harness.waiting import wait_until

WEB = {"database": "mysql", "language": "nodejs", "webserver": "nginx"}
NEAR = {"database": "mysql", "language": "nodejs"}
QUICK = {"settle": "100ms", "limit": 0, "brake": {"share": 0}, "late_start": "1s", "start_timeout": "3s"}
STEPS = [f"{function} {when}" for function in ("virStorageVolCreateXML", "virStorageVolUpload", "virDomainDefineXML",
                                               "virDomainCreate") for when in ("before", "after")]
# So often for each of them; a night takes more.
ROUNDS = int(os.environ.get("UNDERSTUDY_ROUNDS", "1"))


def checksum(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def room(host, tmp_path):
    made = Room(host, tmp_path / "templates")
    yield made
    host.remove_machines()
    made.close()


def settings(room, **more):
    return {"pool": {"protect": ["vm-*"], "standby": [], "templates": str(room.directory)}, "recovery": QUICK, **more}


def disks_of(host, name):
    tree = ElementTree.fromstring(host.virsh("dumpxml", name, "--inactive"))
    return [(disk.get("device"), disk.find("source").get("volume")) for disk in tree.findall("./devices/disk")]


def test_a_crashed_guest_is_replaced_from_a_template(room, daemon_on):
    host = room.host
    base = room.add("base-web", seed=True)
    before = checksum(base)
    host.run("vm-a", resources=WEB)
    daemon = daemon_on(**settings(room))
    # As large as its base image.
    template = daemon.wait_for_machine("base-web", state="template",
                                       environment={"cpu": 1, "disk_bytes": 512, "memory_bytes": 32 << 20})
    assert (template["roles"], template["warmth"]) == (["standby"], "template")
    host.kill_qemu("vm-a")
    record = daemon.wait_for_recovery("vm-a")
    assert record["outcome"] == "recovered", record
    [name] = room.made()
    assert re.fullmatch(r"vm-a-[0-9a-f]{4}", name)
    assert record["replacement"] == name
    assert host.state(name)[0] == "running"
    uuid = host.virsh("domuuid", name)
    assert disks_of(host, name) == [("disk", f"{uuid}-hda.qcow2"), ("cdrom", f"{uuid}-seed.iso")]
    assert str(base) in host.virsh("vol-dumpxml", f"{uuid}-hda.qcow2", "--pool", "volumes")
    assert room.files() == {base.name, f"{uuid}-hda.qcow2", f"{uuid}-seed.iso"}
    assert checksum(base) == before
    assert daemon.api.machines()[name]["serves"] == "vm-a"
    # It is the only one that may run.
    wait_until(lambda: "base-web" not in daemon.api.machines(), "there is no template left")


def test_a_replacement_that_was_made_is_kept_after_the_failback(room, daemon_on):
    host = room.host
    base = room.add("base-web")
    host.run("vm-a", resources=WEB)
    daemon = daemon_on(**settings(room))
    daemon.wait_for_machine("base-web", state="template")
    host.kill_qemu("vm-a")
    name = daemon.wait_for_recovery("vm-a")["replacement"]
    volumes = room.files()
    host.virsh("destroy", name)
    host.start("vm-a")
    wait_until(lambda: not daemon.api.get("/v1/services")["services"][0]["diverted"], "vm-a serves again")
    daemon.wait_for_machine(name, state="shut off", roles=["ignored"])
    daemon.wait_for_machine("base-web", state="template")
    # The next one is another machine: what the first one has written is not touched.
    host.kill_qemu("vm-a")
    second = daemon.wait_for_recovery("vm-a", times=2)["replacement"]
    assert second != name
    assert room.made() == {name, second}
    assert volumes < room.files()
    assert base.name in room.files()


def test_a_replacement_that_was_made_becomes_the_original(room, daemon_on):
    """understudyctl keep: it is protected from then on, by its metadata alone, and is replaced in its turn."""
    host = room.host
    base = room.add("base-web", maximum=2)
    before = checksum(base)
    host.run("vm-a", resources=WEB, role="protected")
    daemon = daemon_on(pool={"protect": [], "standby": [], "templates": str(room.directory)}, recovery=QUICK)
    daemon.wait_for_machine("base-web.2", state="template")
    host.kill_qemu("vm-a")
    name = daemon.wait_for_recovery("vm-a")["replacement"]
    assert f"virsh blockpull {name} TARGET --wait" in daemon.ctl("keep", "vm-a").stdout
    daemon.wait_for_machine(name, roles=["protected"], state="running")
    wait_until(lambda: not daemon.api.get("/v1/services")["services"][0]["diverted"], f"{name} is the original")
    host.kill_qemu(name)
    record = daemon.wait_for_recovery(name)
    assert record["outcome"] == "recovered", record
    assert record["replacement"] != name
    assert room.made() == {record["replacement"]}  # the first one is a machine like others now
    assert host.state(record["replacement"])[0] == "running"
    # What failed has run: nothing of it is removed.
    assert host.state(name)[0] == "shut off"
    assert {f"{host.virsh('domuuid', one)}-hda.qcow2" for one in (name, record["replacement"])} < room.files()
    assert checksum(base) == before


def test_two_services_at_the_same_time(room, daemon_on):
    host = room.host
    room.add("base-web", maximum=2)
    for name in ("vm-a", "vm-b"):
        host.run(name, resources=WEB)
    daemon = daemon_on(**settings(room))
    daemon.wait_for_machine("base-web.2", state="template")
    pids = [host.qemu_pid(name) for name in ("vm-a", "vm-b")]
    for pid in pids:
        host.kill_process(pid)
    made = {daemon.wait_for_recovery(name)["replacement"] for name in ("vm-a", "vm-b")}
    assert room.made() == made
    assert {re.sub("-[0-9a-f]{4}$", "", name) for name in made} == {"vm-a", "vm-b"}
    assert {host.state(name)[0] for name in made} == {"running"}


def break_base(room):
    room.base("base-web").unlink()
    room.host.virsh("pool-refresh", "volumes")
    return "base-web.qcow2"


def stop_pool(room):
    room.host.virsh("pool-destroy", "volumes")
    return "pool"


def write_to_base(room):
    """A machine runs on it: what would be made on it would have a file system that changes below it."""
    text = (room.directory / "base-web.xml").read_text()
    text = re.sub("<name>.*?</name>", "<name>writer</name>", re.sub("<metadata>.*</metadata>", "", text, flags=re.DOTALL))
    room.host.virsh("create", "/dev/stdin", stdin=text)
    return "writer"


def spoil_template(room):
    path = room.directory / "base-web.xml"
    path.write_text(path.read_text().replace("<devices>", "<devices><interface type='network'><source network='none'/>"
                                                          "</interface>"))
    return "Network not found"


def add_full(room, size):
    """A storage pool for overlays on a small file system of its own."""
    full = room.directory.parent / "full"
    full.mkdir()
    room.host.run_inside("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", full)
    room.host.virsh("pool-create-as", "full", "dir", "--target", full)
    return full


def use_full(room, terms):
    path = room.directory / "base-web.xml"
    path.write_text(path.read_text().replace("<understudy:template ", f"<understudy:template pool='full' {terms} "))


def fill_pool(room):
    """Its file system is full, and the template does not say how much it needs: libvirt finds out."""
    add_full(room, "16k")
    use_full(room, "space='0'")
    return "No space left on device"


BEFORE = [fill_pool, spoil_template]
LATER = [break_base, stop_pool, write_to_base]


@pytest.mark.parametrize("spoil", BEFORE + LATER, ids=lambda spoil: spoil.__name__)
def test_what_cannot_be_made_gives_way_to_the_next_candidate(room, daemon_on, spoil):
    """What is wrong is not known when the machine fails, or is just being told."""
    host = room.host
    room.add("base-web")
    reason = spoil(room) if spoil in BEFORE else None
    host.define("spare", resources=NEAR)
    host.run("vm-a", resources=WEB)
    pool = {"protect": ["vm-*"], "standby": ["spare"], "templates": str(room.directory)}
    daemon = daemon_on(pool=pool, recovery=QUICK)
    daemon.wait_for_machine("base-web", state="template")
    reason = reason or spoil(room)
    files = room.files()
    host.kill_qemu("vm-a")
    record = daemon.wait_for_recovery("vm-a")
    assert (record["outcome"], record["replacement"]) == ("recovered", "spare")
    # If it was heard of in time, it is not tried.
    tried = [attempt["error"] for attempt in record["attempts"] if attempt["name"] == "base-web"]
    assert reason in (tried or [daemon.ctl("history", record["id"]).stdout])[0], record
    wait_until(lambda: room.files() == files and not room.made(), "nothing is left")
    if spoil == fill_pool:
        assert host.virsh("vol-list", "full").splitlines()[2:] == []


def planned(daemon):
    plan = daemon.api.machine("vm-a")["plan"] or {}
    return [each["name"] for each in (plan.get("best"), plan.get("second")) if each]


def test_a_template_is_in_the_plan_while_a_machine_can_be_made_of_it(room, daemon_on):
    host = room.host
    base = room.add("base-web")
    host.virsh("pool-destroy", "volumes")
    host.define("spare", resources=NEAR)
    host.run("vm-a", resources=WEB)
    daemon = daemon_on(pool={"protect": ["vm-*"], "standby": ["spare"], "templates": str(room.directory)}, recovery=QUICK)

    def trouble():
        return {each["subject"]: each["text"] for each in daemon.api.list("problems")
                if each["kind"] == "template-unusable"}

    def explained():
        return {each["name"]: each["reason"] for each in daemon.api.explain("vm-a")["candidates"]}["base-web"]

    wait_until(lambda: "base-web" in trouble(), "the problem begins")
    reason = f"the base image {base} of disk hda is in no active storage pool"
    assert f"no machine can be made from template base-web on local: {reason}" in trouble()["base-web"]
    assert planned(daemon) == ["spare"]
    assert explained().startswith(f"cannot be made now: {reason}")
    assert "template-unusable" in daemon.ctl("list").stdout
    assert "cannot be made now" in daemon.ctl("explain", "vm-a").stdout
    host.virsh("pool-start", "volumes")
    wait_until(lambda: planned(daemon) == ["base-web", "spare"], "it is in the plan")
    wait_until(lambda: trouble() == {}, "the problem ends")
    wait_until(lambda: "over: template-unusable: no machine can be made from template base-web" in daemon.log, "which is told")
    host.virsh("pool-destroy", "volumes")
    wait_until(lambda: planned(daemon) == ["spare"], "it is not any more")
    host.virsh("pool-start", "volumes")
    wait_until(lambda: planned(daemon) == ["base-web", "spare"], "it is again")

    base.rename(base.with_suffix(".away"))  # which libvirt is not told
    daemon.ctl("reload")
    wait_until(lambda: planned(daemon) == ["spare"], "its base image is missed")
    host.virsh("pool-refresh", "volumes")  # libvirt forgets it, and is not asked to look again
    base.with_suffix(".away").rename(base)
    host.virsh("pool-refresh", "volumes")
    daemon.ctl("reload")
    wait_until(lambda: planned(daemon) == ["base-web", "spare"], "its base image is there")
    host.kill_qemu("vm-a")
    assert daemon.wait_for_recovery("vm-a")["replacement"] in room.made()


def test_templates_are_planned_within_the_space_of_their_pool(room, daemon_on):
    """Room for one machine of two, then for none, which libvirt is not told; a crash comes before it is seen."""
    host = room.host
    full = add_full(room, "9m")
    room.add("base-web", maximum=2)
    use_full(room, "space='5MiB'")
    host.define("spare", resources=NEAR)
    host.run("vm-a", resources=WEB)
    daemon = daemon_on(pool={"protect": ["vm-*"], "standby": ["spare"], "templates": str(room.directory)}, recovery=QUICK)

    def explained(name):
        return {each["name"]: each["reason"] for each in daemon.api.explain("vm-a")["candidates"]}[name]

    wait_until(lambda: planned(daemon) == ["base-web", "spare"], "one of them is in the plan")
    assert "for machines that come before" in explained("base-web.2")
    ballast = full / "ballast"
    host.run_inside("dd", "if=/dev/zero", f"of={ballast}", "bs=1M", "count=6", "status=none")
    host.kill_qemu("vm-a")
    record = daemon.wait_for_recovery("vm-a")
    assert (record["outcome"], record["replacement"]) == ("recovered", "spare")
    [attempt] = [attempt for attempt in record["attempts"] if attempt["name"] == "base-web"]
    assert re.search(r"the storage pool full has \d+ KiB available, and template base-web needs space=\"5MiB\"",
                     attempt["error"])
    assert not room.made()
    wait_until(lambda: "base-web" in {each["subject"] for each in daemon.api.list("problems")
                                      if each["kind"] == "template-unusable"}, "the problem is told")
    host.run_inside("rm", ballast)
    host.virsh("pool-refresh", "full")
    daemon.ctl("reload")
    wait_until(lambda: "cannot be made" not in explained("base-web"), "there is room again")


@pytest.mark.parametrize("step", STEPS)
def test_killed_between_two_steps(room, make_daemon, step):
    """As often as that happens, what never ran leaves nothing, and the service is up in the end."""
    host = room.host
    base = room.add("base-web", maximum=3, seed=True)
    before = checksum(base)
    host.define("vm-a", resources=WEB)
    daemon = make_daemon(host, **settings(room))
    for _ in range(ROUNDS):
        host.start("vm-a")
        daemon.start(dies_at=step)
        daemon.wait_for_machine("base-web", state="template")
        host.kill_qemu("vm-a")
        daemon.wait_until_killed()
        daemon.start()
        wait_until(lambda: all(not record["under_way"] for record in daemon.api.recoveries()), "nothing is under way")
        assert [record["outcome"] for record in daemon.api.recoveries()][-1] == "recovered"
        [name] = [name for name in room.made() if host.state(name)[0] == "running"]
        wait_until(lambda: room.made() == {name}, "what never ran is removed")
        uuid = host.virsh("domuuid", name)
        wait_until(lambda: room.files() == {base.name, f"{uuid}-hda.qcow2", f"{uuid}-seed.iso"}, "and its volumes")
        assert checksum(base) == before
        host.virsh("destroy", name)
        host.virsh("undefine", name, "--remove-all-storage")
        daemon.stop()


def in_advance(room, **recovery):
    return settings(room, standby={"warm": 1, "made_max": 1}) | {"recovery": QUICK | {"quarantine": "1s"} | recovery}


def test_a_standby_is_made_in_advance_and_takes_over(room, daemon_on):
    """It is paused when it is needed, so it takes over at once; then it is a standby no more, and the next one is made."""
    host = room.host
    base = room.add("base-web", maximum=3)
    before = checksum(base)
    host.run("vm-a", resources=WEB)
    daemon = daemon_on(**in_advance(room))
    wait_until(room.paused, "one is warm", 60)
    [name] = room.made()
    assert re.fullmatch(r"vm-a-[0-9a-f]{4}", name)
    machine = daemon.wait_for_machine(name, state="paused", roles=["standby"])
    assert machine["warmth"] == "paused"
    host.kill_qemu("vm-a")
    record = daemon.wait_for_recovery("vm-a")
    assert (record["outcome"], record["replacement"]) == ("recovered", name), record
    daemon.wait_for_machine(name, state="running", roles=["ignored"], serves="vm-a")
    assert "role='ignored'" in host.virsh("dumpxml", name).replace('"', "'")
    # There is one place for a standby again.
    wait_until(lambda: len(room.made()) == 2, "the next one is made", 60)
    [other] = room.made() - {name}
    wait_until(lambda: host.state(other) == ("paused", "user"), "and warm", 60)
    assert checksum(base) == before


@pytest.mark.parametrize("step", ["virDomainDefineXML after", "virStorageVolCreateXML after",
                                  "virDomainDefineXML after 2", "virDomainCreate after"])
def test_killed_while_a_standby_is_made(room, make_daemon, step):
    """There is one standby in the end, and nothing beside it, though no record says what was being made."""
    host = room.host
    base = room.add("base-web", maximum=3)
    host.define("vm-a", resources=WEB)
    host.start("vm-a")
    daemon = make_daemon(host, **in_advance(room))
    for _ in range(ROUNDS):
        daemon.start(dies_at=step)
        daemon.wait_until_killed()
        daemon.start()
        wait_until(room.paused, "one is warm", 90)
        wait_until(lambda: len(room.made()) == 1, "what was not made to the end is removed", 90)
        [name] = room.made()
        uuid = host.virsh("domuuid", name)
        wait_until(lambda: room.files() == {base.name, f"{uuid}-hda.qcow2"}, "and its volumes", 90)
        daemon.stop()
        host.virsh("destroy", name)
        host.virsh("undefine", name, "--remove-all-storage")


def test_what_was_made_is_removed_when_its_time_is_over(room, daemon_on):
    """And nothing else: neither what was made later, nor look-alikes, nor what an operator wants to keep."""
    host = room.host
    base = room.add("base-web", maximum=3)
    host.run("vm-a", resources=WEB)
    daemon = daemon_on(**settings(room) | {"recovery": QUICK | {"keep_made": "5s"}})
    names = []
    for times in (1, 2):
        daemon.wait_for_machine("base-web", state="template")
        host.kill_qemu("vm-a")
        names.append(daemon.wait_for_recovery("vm-a", times=times)["replacement"])
        if times == 1:
            host.define("look-alike", resources=WEB)
            (room.volumes / "look-alike-hda.qcow2").write_bytes(b"mine")
        host.virsh("destroy", names[-1])
        if times == 2:
            daemon.ctl("tag", names[-1], "--role", "protected")
        host.start("vm-a")
        wait_until(lambda: not daemon.api.get("/v1/services")["services"][0]["diverted"], "vm-a serves again")
        if times == 1:
            wait_until(lambda: any(problem["kind"] == "removal-ahead" for problem in daemon.api.get("/v1/problems")["problems"]),
                       "it is announced")
            wait_until(lambda: names[0] not in room.made(), "and removed", 60)
    assert "is deleted in 5s with" in daemon.log
    [uuid] = [host.virsh("domuuid", names[1])]
    assert room.made() == {names[1]}
    assert room.files() == {base.name, f"{uuid}-hda.qcow2", "look-alike-hda.qcow2"}
    assert host.state("look-alike")[0] == "shut off"
