# SPDX-License-Identifier: LGPL-2.1-or-later
"""understudyctl template: written from a machine that is there, checked, and used."""

import json
import os
import re
import stat
import xml.etree.ElementTree as ElementTree

import pytest
from harness.templates import WEB, Room

QUICK = {"settle": "100ms", "limit": 0, "brake": {"share": 0}}
UNDERSTUDY = "{urn:understudy:domain:1.0}"


@pytest.fixture
def room(host, tmp_path):
    made = Room(host, tmp_path / "templates")
    yield made
    host.remove_machines()
    made.close()


@pytest.fixture
def daemon(room, daemon_on):
    return daemon_on(pool={"protect": ["web"], "standby": [], "templates": str(room.directory)}, recovery=QUICK,
                     machines={"web": {"webserver": ["nginx"]}})


def copy(room, name, to):
    """The disk of a machine that is off, as the manual has it copied."""
    path = room.volumes / to
    room.host.run_inside("qemu-img", "convert", "-q", "-O", "qcow2", room.host.image(name), path)
    room.host.virsh("pool-refresh", "volumes")
    return path


def stand_on(room, name, base):
    """Its disk is an overlay on the base image from now on."""
    path = room.volumes / f"{name}.qcow2"
    room.host.run_inside("qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", "qcow2", path)
    room.host.virsh("pool-refresh", "volumes")
    text = room.host.virsh("dumpxml", name, "--inactive").replace("type='raw'", "type='qcow2'")
    room.host.virsh("define", "/dev/stdin", stdin=text.replace(str(room.host.image(name)), str(path)))
    return path


def define_web(room):
    room.host.define("web", resources={"database": "mysql", "language": "nodejs"}, role="protected", priority=7)


def start_web(room, daemon):
    room.host.start("web")
    room.host.serial("web").wait_for("is up")
    daemon.wait_for_machine("web", state="running")


def refused(daemon, *arguments, status):
    done = daemon.ctl("template", *arguments, check=False)
    assert (done.returncode, done.stdout) == (status, ""), done
    return done.stderr


def test_from_a_machine_to_its_replacement(room, daemon):
    """Its resources come from its metadata and from the configuration: the template says them all."""
    host = room.host
    define_web(room)
    base = copy(room, "web", "golden.qcow2")
    overlay = stand_on(room, "web", base)
    start_web(room, daemon)
    done = daemon.ctl("template", "web-base", "--from", "web", "--max", "2")
    file = room.directory / "web-base.xml"
    assert f"The template web-base is written to {file}.\n" in done.stdout
    assert f"disk hda: base image {base}\n" in done.stdout
    assert f"what web wrote since its disk was made on {base} is not in the template\n" in done.stdout
    assert "understudyctl template check, understudyctl reload, and understudyctl explain web\n" in done.stdout
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert file.stat().st_gid == room.directory.stat().st_gid
    assert os.listdir(room.directory) == ["web-base.xml"]
    tree = ElementTree.parse(file)
    assert [tree.find(tag) for tag in ("name", "uuid")] == [None, None]
    machine = tree.find(f"./metadata/{UNDERSTUDY}machine")
    assert machine.attrib == {}
    assert machine.find(f"{UNDERSTUDY}template").attrib == {"max": "2"}
    assert {one.get("kind"): one.text for one in machine.findall(f"{UNDERSTUDY}resource")} == WEB
    assert daemon.ctl("template", "check").stdout == "web-base on local: good\n"
    # Nothing of it is used before the reload.
    assert "web-base" not in daemon.api.machines()
    daemon.ctl("reload")
    daemon.wait_for_machine("web-base.2", state="template")
    host.kill_qemu("web")
    record = daemon.wait_for_recovery("web")
    assert record["outcome"] == "recovered", record
    made = record["replacement"]
    assert re.fullmatch("web-[0-9a-f]{4}", made)
    assert host.state(made)[0] == "running"
    volume = f"{host.virsh('domuuid', made)}-hda.qcow2"
    assert str(base) in host.virsh("vol-dumpxml", volume, "--pool", "volumes")
    assert str(overlay) not in host.virsh("dumpxml", made)
    # And what becomes of it is said by the order that ends its service.
    said = daemon.ctl("failback", "web", "--yes", "--force", "--wait").stdout
    assert f"{made} was made for web, and is shut off and kept when that succeeds" in said
    daemon.wait_for_machine(made, state="shut off", roles=["ignored"])


def test_a_disk_without_a_base_image_is_copied_first(room, daemon):
    """The refusal names the commands; what they make is a base image."""
    define_web(room)
    daemon.wait_for_machine("web", state="shut off")
    image = room.host.image("web")
    said = refused(daemon, "web-base", "--from", "web", status=4)
    assert f"disk hda of web has no base image: {image} stands on no other image" in said
    command = re.search(r"(qemu-img convert -O qcow2 \S+ (\S+));", said)
    assert command[2] == str(image.parent / "web-base.qcow2")
    assert f"--base hda={command[2]}" in said
    assert os.listdir(room.directory) == []
    # Where a pool has the image of the machine, that pool is named.
    stand_alone = room.volumes / "web.img"
    stand_alone.write_bytes(image.read_bytes())
    text = room.host.virsh("dumpxml", "web", "--inactive").replace(str(image), str(stand_alone))
    room.host.virsh("define", "/dev/stdin", stdin=text)
    said = refused(daemon, "web-base", "--from", "web", status=4)
    command = re.search(r"(qemu-img convert -O qcow2 \S+ (\S+));", said)
    assert command[2] == str(room.base("web-base"))
    assert "virsh pool-refresh volumes" in said
    room.host.run_inside(*command[1].split())
    room.host.virsh("pool-refresh", "volumes")
    start_web(room, daemon)
    daemon.ctl("template", "web-base", "--from", "web", "--base", f"hda={command[2]}")
    assert daemon.ctl("template", "check").stdout == "web-base on local: good\n"
    source = ElementTree.parse(room.directory / "web-base.xml").find("./devices/disk/source")
    assert source.attrib == {"file": command[2]}


def test_the_disk_of_a_machine_as_a_base_image(room, daemon):
    """While it runs it cannot be one, and after that the machine must not be started."""
    define_web(room)
    path = copy(room, "web", "web.qcow2")
    text = room.host.virsh("dumpxml", "web", "--inactive").replace("type='raw'", "type='qcow2'")
    room.host.virsh("define", "/dev/stdin", stdin=text.replace(str(room.host.image("web")), str(path)))
    start_web(room, daemon)
    assert f"web runs and writes to {path}" in refused(daemon, "t", "--from", "web", "--base", f"hda={path}", status=4)
    room.host.virsh("destroy", "web")
    done = daemon.ctl("template", "t", "--from", "web", "--base", f"hda={path}")
    assert f"{path} is a disk of web, which must not be started any more" in done.stdout


def test_what_is_there_is_not_overwritten(room, daemon):
    define_web(room)
    base = copy(room, "web", "golden.qcow2")
    stand_on(room, "web", base)
    daemon.wait_for_machine("web", state="shut off")
    file = room.directory / "web-base.xml"
    file.write_text("mine")
    said = refused(daemon, "web-base", "--from", "web", status=1)
    assert f"{file} is there already, and stays as it is; --force replaces it" in said
    assert file.read_text() == "mine"
    assert os.listdir(room.directory) == ["web-base.xml"]
    daemon.ctl("template", "web-base", "--from", "web", "--force")
    assert "<domain" in file.read_text()
    # Printed, it is the same, and no file is written.
    printed = daemon.ctl("template", "other", "--from", "web", "--output", "-")
    assert printed.stdout == file.read_text()
    assert "is not in the template" in printed.stderr
    assert os.listdir(room.directory) == ["web-base.xml"]
    answer = json.loads(daemon.ctl("template", "other", "--from", "web", "--output", "-", "--json").stdout)
    assert answer["text"] == printed.stdout
    assert answer["disks"] == [{"target": "hda", "base": str(base), "given": False}]
    elsewhere = room.directory.parent / "elsewhere.xml"
    daemon.ctl("template", "other", "--from", "web", "--output", str(elsewhere))
    assert elsewhere.read_text() == printed.stdout


def test_a_machine_of_which_nothing_is_known(room, daemon):
    """The template is written, and would be chosen for nothing: that is told."""
    room.host.define("bare")
    base = copy(room, "bare", "golden.qcow2")
    daemon.wait_for_machine("bare", state="shut off")
    done = daemon.ctl("template", "t", "--from", "bare", "--base", f"hda={base}")
    assert "nothing is known of what bare offers, so that the template offers nothing" in done.stdout


def test_what_no_template_can_be_written_from(room, daemon):
    define_web(room)
    base = copy(room, "web", "golden.qcow2")
    daemon.wait_for_machine("web", state="shut off")
    missing = room.volumes / "missing.qcow2"
    for arguments, status, said in (
            (("t", "--from", "nobody"), 3, "nobody"),
            (("t", "--from", "web", "--base", f"hda={missing}"), 1, f"the base image {missing} of disk hda is missing"),
            (("t", "--from", "web", "--base", f"vdz={base}"), 4, "web has no disk vdz to which it writes"),
            (("../t", "--from", "web"), 2, "is no name of a template"),
            (("t",), 2, "--from MACHINE"),
            (("t", "--from", "web", "--base", "hda"), 2, "vda=/images/base.qcow2"),
            (("t", "--from", "web", "--max", "0"), 2, "from 1 to 64"),
            (("check", "--from", "web"), 2, "no template is called check")):
        assert said in refused(daemon, *arguments, status=status)
    assert os.listdir(room.directory) == []


def test_the_check_says_what_is_wrong(room, daemon):
    assert daemon.ctl("template", "check").stdout == f"There is no template: {room.directory} has no file NAME.xml.\n"
    base = room.add("web-base")
    assert daemon.ctl("template", "check").stdout == "web-base on local: good\n"

    def check():
        done = daemon.ctl("template", "check", check=False)
        assert done.returncode == 1, done
        return done.stdout

    broken = room.directory / "broken.xml"
    broken.write_text("<domain type='qemu'>\n<memory>1</memory>\n<devices>\n<disk type='file'><source file='/x'/></disk>\n</devices></domain>")
    assert check() == (f"{broken}:4: a writable disk has no target, as in <target dev='vda'/>\n"
                       "web-base on local: good\n")
    answer = json.loads(daemon.ctl("template", "check", "--json", check=False).stdout)
    assert answer["findings"] == [{"file": str(broken), "line": 4, "used": False,
                                   "message": "a writable disk has no target, as in <target dev='vda'/>"}]
    assert answer["templates"] == [{"template": "web-base", "hypervisor": "local", "good": True, "message": None}]
    broken.unlink()
    # What is wrong in a file for cloud-init costs its template.
    seed = room.directory / "web-base.user-data"
    seed.write_bytes(b"#cloud-config\0")
    assert check() == f"{seed}: is no text\n"
    seed.unlink()
    file = room.directory / "web-base.xml"
    text = file.read_text()
    file.write_text(text.replace("<devices>", "<devices><interface type='network'><source network='none'/></interface>"))
    assert check() == "web-base on local: there is no network none\n"
    file.write_text(text)
    base.rename(room.volumes / "away")
    assert check() == f"web-base on local: the base image {base} of disk hda is missing\n"
    (room.volumes / "away").rename(base)
    assert daemon.ctl("template", "check").stdout == "web-base on local: good\n"
    room.host.virsh("pool-destroy", "volumes")
    assert f"web-base on local: the base image {base} of disk hda is in no active storage pool" in check()


def test_a_host_that_does_not_answer(room, daemon_on):
    """The check ends when the deadline of the first question has passed, however many templates there are."""
    for name in ("a", "b"):
        room.add(name)
    daemon = daemon_on(pool={"protect": [], "standby": [], "templates": str(room.directory)},
                       recovery={"call_timeout": "1s"})
    daemon.wait_for_machine("a", state="template")
    room.host.pause_libvirtd()
    try:
        done = daemon.ctl("template", "check", check=False)
    finally:
        room.host.continue_libvirtd()
    assert done.returncode == 1
    assert done.stdout == "".join(f"{name} on local: no answer from libvirt within 1.0 s\n" for name in ("a", "b"))
