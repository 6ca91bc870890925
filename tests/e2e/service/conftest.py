# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fixtures: the package as it is built, and a container where it is installed, with three machines."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from harness import domain, guests

import container as containers

SOURCE = Path(__file__).resolve().parents[3]
# A container has no control groups of its own to give away.
QEMU_CONF = """
security_driver = "none"
namespaces = []
cgroup_controllers = []
"""
MACHINES = {"web-1": "protected", "web-2": "standby", "web-3": "standby"}
CONFIG = """hypervisors:
  - {name: local, uri: "qemu:///system"}
recovery: {settle: 1s}
"""


@pytest.fixture(scope="session")
def package(tmp_path_factory):
    """The Debian package of a release build, or the one that the environment names."""
    if "UNDERSTUDY_PACKAGE" in os.environ:
        return Path(os.environ["UNDERSTUDY_PACKAGE"])
    build = tmp_path_factory.mktemp("package")
    for command in (["cmake", "-G", "Ninja", "-S", SOURCE, "-B", build, "-DCMAKE_BUILD_TYPE=RelWithDebInfo",
                     "-DBUILD_TESTING=OFF"], ["ninja", "-C", build], ["cpack", "-G", "DEB"]):
        done = subprocess.run(list(map(str, command)), cwd=build, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    [deb] = build.glob("*.deb")
    return deb


@pytest.fixture
def machine_room(cache):
    """A booted container with the distribution's libvirt and three machines, without understudy."""
    reason = containers.missing()
    if reason is not None:
        pytest.skip(reason)
    home = Path(tempfile.mkdtemp(prefix="us-"))
    try:
        try:
            tree = containers.root_tree(cache)
            image = guests.boot_sector(cache)
        except (containers.Unavailable, guests.Unavailable) as unavailable:
            pytest.skip(str(unavailable))
        with containers.Container(tree, home) as container:
            _furnish(container, image)
            container.boot()
            for name in MACHINES:
                container.run(f"virsh -q define /srv/{name}.xml")
            yield container
            print(container.journal("--lines=300"))  # pytest shows it when the test failed
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _furnish(container, image):
    """Before it boots: the machines, and persistent journals that tell of earlier boots."""
    (container.root / "var/log/journal").mkdir(exist_ok=True)
    with open(container.root / "etc/libvirt/qemu.conf", "a") as conf:
        conf.write(QEMU_CONF)
    for name, role in MACHINES.items():
        shutil.copy(image, container.root / f"srv/{name}.img")
        xml = domain.domain_xml(name, boot="<boot dev='hd'/>", devices=domain.disk_xml(f"/srv/{name}.img"),
                                metadata=domain.metadata_xml({"language": "nodejs"}, role=role))
        (container.root / f"srv/{name}.xml").write_text(xml)
        os.chmod(container.root / f"srv/{name}.img", 0o666)


@pytest.fixture
def room(machine_room, package):
    """The machine room after apt install: web-1 runs, understudyd does too."""
    shutil.copy(package, machine_room.root / "srv/understudy.deb")
    machine_room.run("dpkg -i /srv/understudy.deb", 120)
    machine_room.write("etc/understudy/understudy.yaml", CONFIG)
    machine_room.run("virsh -q start web-1 && systemctl enable --now understudyd")
    return machine_room
