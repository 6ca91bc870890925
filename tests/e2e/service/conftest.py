# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fixtures: the package as it is built, and a container where it is installed, with three machines."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from harness import domain, guests, testdriver

import container as containers
from steps import SOURCE, run_tool

# A container has no control groups of its own to give away.
QEMU_CONF = """
security_driver = "none"
namespaces = []
cgroup_controllers = []
"""
# Where what depends on the release is looked at.
RELEASES = ["bookworm", "trixie"]
MACHINES = {"web-1": "protected", "web-2": "standby", "web-3": "standby"}
# Sizes of disks are learned after machines are listed, one by one; without them it is certain who is the best.
CONFIG = """hypervisors:
  - {name: local, uri: "qemu:///system"}
similarity: {weights: {environment: {cpu: 0.05, memory: 0.05}}}
recovery: {settle: 1s}
"""


@pytest.fixture(scope="session")
def release_build():
    """The directory of a build as packages are made of, without debugging checks."""
    build = Path(tempfile.mkdtemp(prefix="us-build-"))
    try:
        run_tool("cmake", "-G", "Ninja", "-S", SOURCE, "-B", build, "-DCMAKE_BUILD_TYPE=RelWithDebInfo",
                 "-DBUILD_TESTING=OFF", cwd=build)
        run_tool("ninja", "-C", build, cwd=build)
        yield build
    finally:
        shutil.rmtree(build)


@pytest.fixture(scope="session")
def package(release_build):
    """The Debian package."""
    if shutil.which("cpack") is None or shutil.which("dpkg-shlibdeps") is None:
        pytest.skip("there is no cpack or no dpkg-dev here")
    run_tool("cpack", "-G", "DEB", cwd=release_build)
    [deb] = release_build.glob("*.deb")
    return deb


@contextlib.contextmanager
def _made_tree(package, release, packages):
    reason = containers.missing()
    if reason is not None:
        pytest.skip(reason)
    home = Path(tempfile.mkdtemp(prefix="us-tree-"))
    try:
        with containers.memory_at(home, "2g"):
            try:
                containers.make_tree(home / "tree", package, release, packages)
            except containers.Unavailable as unavailable:
                pytest.skip(str(unavailable))
            yield home / "tree"
    finally:
        home.rmdir()


@pytest.fixture(scope="session")
def tree(package):
    """The root of every container: made once for all tests, and gone with them. An environment may have one."""
    if "UNDERSTUDY_CONTAINER_TREE" in os.environ:
        yield Path(os.environ["UNDERSTUDY_CONTAINER_TREE"])
        return
    with _made_tree(package, containers.own_release(), [*containers.BASICS, *containers.MACHINERY]) as made:
        yield made


@pytest.fixture(scope="session", params=RELEASES)
def tree_of_release(request, package):
    """The same for each of the releases."""
    if request.param == containers.own_release():
        yield request.getfixturevalue("tree")
        return
    other = f"UNDERSTUDY_CONTAINER_TREE_{request.param.upper()}"
    if other in os.environ:
        yield Path(os.environ[other])
        return
    with _made_tree(package, request.param, [*containers.BASICS, *containers.MACHINERY]) as made:
        yield made


@pytest.fixture
def small_room(tree_of_release, package):
    """A booted container where understudyd watches libvirt's test driver: web-1 runs, web-2 stands by."""
    home = Path(tempfile.mkdtemp(prefix="us-"))
    try:
        with containers.Container(tree_of_release, home) as container:
            (container.root / "var/log/journal").mkdir(exist_ok=True)
            container.boot()
            shutil.copy(package, container.root / "srv/understudy.deb")
            container.run("apt-get -q install -y --no-install-recommends /srv/understudy.deb", 120)
            testdriver.write_node(container.root / "etc/understudy/node.xml",
                                  {name: {"language": "nodejs"} for name in ("web-1", "web-2")}, running=["web-1"])
            container.write("etc/understudy/understudy.yaml", CONFIG.replace(
                "qemu:///system", "test:///etc/understudy/node.xml") + "pool: {protect: [web-1], standby: [web-2]}\n")
            container.run("systemctl enable --now understudyd")
            yield container
            print(container.journal("--lines=300"))
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def machine_room(tree, cache):
    """A booted container with the distribution's libvirt and three machines, without understudy."""
    home = Path(tempfile.mkdtemp(prefix="us-"))
    try:
        try:
            image = guests.boot_sector(cache)
        except guests.Unavailable as unavailable:
            pytest.skip(str(unavailable))
        with containers.Container(tree, home) as container:
            _furnish(container, image)
            container.boot()
            for name in MACHINES:
                container.run(f"virsh -q define /srv/{name}.xml")
            yield container
            # pytest shows it when the test failed
            print(container.try_run("timeout 2 understudyctl history --json").stdout)
            print(container.journal("--lines=300"))
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
    machine_room.run("apt-get -q install -y --no-install-recommends /srv/understudy.deb", 120)
    machine_room.write("etc/understudy/understudy.yaml", CONFIG)
    machine_room.run("virsh -q start web-1 && systemctl enable --now understudyd")
    return machine_room
