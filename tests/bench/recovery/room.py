# SPDX-License-Identifier: LGPL-2.1-or-later
"""
A container with the distribution's systemd, libvirtd and QEMU, the package of understudy and two machines: vm-a, which is to
fail, and vm-best, which stands by; and, where another standby is to be warm meanwhile, two more that are alike. What runs in
there runs as it does on a host: the daemon as the unit of the package, in its sandbox.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from container import BASICS, MACHINERY, Container, make_tree, memory_at, missing, own_release  # noqa: F401
from harness import domain, guests
from harness.api import EventStream
from harness.console import Console
from harness.daemon import SOURCE, build_directory, program
from harness.host import pid_outside

FAILING, STANDBY = "vm-a", "vm-best"
OTHER, OTHER_STANDBY = "vm-b", "vm-other"
WEB, SHOP = {"database": "mysql", "language": "nodejs"}, {"database": "postgresql", "language": "java"}
MACHINES = {FAILING: (WEB, "protected"), STANDBY: (WEB, "standby"), OTHER: (SHOP, "protected"), OTHER_STANDBY: (SHOP, "standby")}
# A container has no control groups of its own to give away.
QEMU_CONF = """
security_driver = "none"
namespaces = []
cgroup_controllers = []
"""
# A boot sector is up long before it was quiet for the five seconds that a guest is usually given.
CONFIG = """hypervisors:
  - {{name: local, uri: "qemu:///system"}}
similarity: {{weights: {{environment: {{}}, resource: {{database: 0.2, language: 0.3, webserver: 0.1}}}}}}
standby: {{warm: {warm}, warmth: {warmth}, boot_timeout: 1s}}
recovery: {{settle: 200ms}}
"""
# Where the unit of the package is told to preload something, without a reload of systemd each time.
VARIABLES = "srv/variables"
DROP_IN = f"[Service]\nEnvironmentFile=-/{VARIABLES}\n"
PRELOAD = "usr/local/lib/without_exit.so"

ANEW = """
systemctl stop understudyd understudyd.socket understudyd-ro.socket
systemctl reset-failed understudyd
rm -rf /var/lib/understudy/* /{variables}
for name in $(virsh -q list --all --name); do
    virsh -q destroy $name
    virsh -q undefine $name --managed-save
done 2>/dev/null
set -e
for name in {names}; do
    virsh -q define /srv/$name.xml
done
for name in {running}; do
    virsh -q start $name
done
"""


def package():
    """The Debian package of the build in use."""
    subprocess.run(["cpack", "-G", "DEB"], cwd=build_directory(), check=True, stdout=subprocess.DEVNULL)
    [deb] = build_directory().glob("*.deb")
    return deb


@contextlib.contextmanager
def tree(deb):
    """The root of the container: one that an environment has, or one that is made and gone afterwards."""
    if "UNDERSTUDY_CONTAINER_TREE" in os.environ:
        yield Path(os.environ["UNDERSTUDY_CONTAINER_TREE"])
        return
    with tempfile.TemporaryDirectory(prefix="us-tree-") as name, memory_at(name, "2g"):
        made = Path(name) / "tree"
        make_tree(made, deb, own_release(), [*BASICS, *MACHINERY])
        yield made


class Room:
    def __init__(self, container):
        self._container = container
        self._consoles = {}

    def furnish(self, deb):
        """Before it boots."""
        cache = SOURCE / "build/guests"
        cache.mkdir(parents=True, exist_ok=True)
        image = guests.boot_sector(cache)
        root = self._container.root
        with open(root / "etc/libvirt/qemu.conf", "a") as conf:
            conf.write(QEMU_CONF)
        (root / "srv/console").mkdir()
        for name, (resources, role) in MACHINES.items():
            shutil.copy(image, root / f"srv/{name}.img")
            (root / f"srv/{name}.img").chmod(0o666)
            devices = domain.serial_xml(f"/srv/console/{name}") + domain.disk_xml(f"/srv/{name}.img")
            (root / f"srv/{name}.xml").write_text(domain.domain_xml(
                name, boot="", devices=devices, metadata=domain.metadata_xml(resources, role, 10 if name == OTHER else None)))
            self._consoles[name] = Console(root / f"srv/console/{name}")
        shutil.copy(deb, root / "srv/understudy.deb")
        shutil.copy(program("bench_bare_client"), root / "usr/local/bin/bare_client")
        shutil.copy(build_directory() / "lib/without_exit.so", root / PRELOAD)
        self._container.write("etc/systemd/system/understudyd.service.d/variables.conf", DROP_IN)

    def open(self):
        self._container.boot()
        self._container.run("apt-get -q install -y --no-install-recommends /srv/understudy.deb", 120)

    def close(self):
        for console in self._consoles.values():
            console.close()

    def run(self, script):
        return self._container.run(script)

    def spawn(self, *command, **options):
        return subprocess.Popen(self._container.command(*command), stdin=subprocess.DEVNULL, text=True, **options)

    def console(self, name):
        return self._consoles[name]

    def begin_anew(self, has_others):
        """vm-a runs, vm-best is as it was defined, and the daemon, which does not run, has stored nothing."""
        names, running = ([*MACHINES], [FAILING, OTHER]) if has_others else ([FAILING, STANDBY], [FAILING])
        self.run(ANEW.format(names=" ".join(names), running=" ".join(running), variables=VARIABLES))
        # What is not accepted stays in the queue of the socket, and a QEMU waits for a place in it.
        for console in self._consoles.values():
            console.drain()
        for name in running:
            self._consoles[name].wait_for("is up")

    def start_daemon(self, warm, warmth="paused", has_exit_information=True):
        """Until it is ready, and until the machine `warm` is kept, unless that is None."""
        self._container.write("etc/understudy/understudy.yaml", CONFIG.format(warm=0 if warm is None else 1, warmth=warmth))
        if not has_exit_information:
            self._container.write(VARIABLES, f"LD_PRELOAD=/{PRELOAD}\n")
        self.run("systemctl start understudyd")
        if warm is not None:
            events = EventStream(f"/proc/{self._container.leader}/root/run/understudy/api.sock")
            events.wait_for("warmed", warm, 120)
            events.close()

    def daemon_pid(self):
        """The PID of understudyd, outside."""
        return pid_outside(self._container.leader, self.run("systemctl show -P MainPID understudyd").strip())

    def qemu_pid(self, name):
        """The PID, outside, of the QEMU that runs it."""
        return pid_outside(self._container.leader, self.run(f"cat /run/libvirt/qemu/{name}.pid").strip())

    def journal(self):
        return self.run("journalctl --no-pager -o short-precise -u understudyd -n 100")


@contextlib.contextmanager
def opened():
    deb = package()
    with tree(deb) as root, tempfile.TemporaryDirectory(prefix="us-") as name:
        with Container(root, Path(name)) as container:
            room = Room(container)
            try:
                room.furnish(deb)
                room.open()
                yield room
            finally:
                room.close()
