# SPDX-License-Identifier: LGPL-2.1-or-later
"""
A container with the packaged daemon and a pair of machines for each row of the verdict table: what makes their QEMUs end, and
what is told of it. A second container, without the daemon, is where machines migrate to. Knows no verdict.
"""

import contextlib
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

from harness import api, domain
from harness.console import Console
from harness.waiting import wait_until

import container as containers
from conftest import QEMU_CONF

# The addresses of the two containers on the cable between them.
HERE, THERE = "192.0.2.1", "192.0.2.2"
STARTS = "srv/starts"
# Nothing is started before this has looked at what is to be replaced.
LOOK = f"""#!/bin/sh
echo "$UNDERSTUDY_FAILED" | socat -t 20 - UNIX-CONNECT:/{STARTS}
"""
CONFIG = """hypervisors:
  - {name: local, uri: "qemu:///system"}
similarity: {weights: {environment: {}}}
failure: {io_error_grace: 500ms, watchdog_grace: 500ms, panic_window: 20s}
recovery: {settle: 500ms, limit: 0, brake: {share: 0}, concurrency: 0}
standby: {warm: 2}
"""
LISTENING = """
listen_tls = 0
listen_tcp = 1
auth_tcp = "none"
"""
# Without the symbols of a hundred libraries.
QUIETLY = ["-q", "-nx", "-iex", "set auto-solib-add off"]


def standby_of(name):
    return f"{name}-standby"


def wait(condition, what, seconds=90):
    """As wait_until, for many threads at once."""
    def look():
        time.sleep(0.05)
        return condition()
    return wait_until(look, what, seconds)


class Telling:
    """The stream of events, for many threads."""

    def __init__(self, path):
        self._stream = api.EventStream(path)
        self._lock = threading.Lock()

    def since(self, begin):
        """Of all notices those from this one on."""
        with self._lock:
            return self._stream.so_far()[begin:]

    def close(self):
        self._stream.close()


class VerdictRoom:
    def __init__(self, container, other, image):
        self.container = container
        self.other = other
        self.api = None
        self.telling = None
        self.looked_at = []  # what was to be replaced
        self.early = []  # and had not ended
        self._image = image
        self._consoles = {}
        self._processes = {}  # name: (PID outside, pidfd)
        self._listener = None
        self._lock = threading.Lock()

    # What it is made of

    def furnish(self, rows):
        """Before the containers boot: the machines of these rows."""
        for each in (self.container, self.other):
            for file, text in (("qemu.conf", QEMU_CONF), ("libvirtd.conf", LISTENING)):
                path = each.root / "etc/libvirt" / file
                path.write_text(path.read_text() + text)
        for row in rows:
            self._make(row.name, "protected", row)
            self._make(standby_of(row.name), "standby", row)
        self._watch_starts()

    def _make(self, name, role, row):
        directory = "full" if row.lies_on_a_full_disk and role == "protected" else "srv"
        places = [self.container, self.other] if row.migrates and role == "protected" else [self.container]
        for place in places:
            (place.root / directory).mkdir(exist_ok=True)
            if directory == "srv":
                self.copy_image(place.root / f"srv/{name}.img")
            console = Console(place.root / f"srv/{name}.console")
            self._consoles[name if place is self.container else f"{name} there"] = console
        disk = domain.disk_xml(f"/{directory}/{name}.img").replace("type='raw'", "type='raw' error_policy='stop'")
        devices = disk + domain.serial_xml(f"/srv/{name}.console") + row.devices
        xml = domain.domain_xml(
            name, boot="<boot dev='hd'/>", devices=devices, on_crash=row.on_crash,
            metadata=domain.metadata_xml({"language": row.name}, role=role, priority=row.priority))
        (self.container.root / f"srv/{name}.xml").write_text(xml)

    def copy_image(self, target):
        shutil.copy(self._image, target)
        os.truncate(target, 1 << 20)
        target.chmod(0o666)

    def boot(self):
        for each in (self.container, self.other):
            each.boot()
        self._connect()
        self.other.run("systemctl stop libvirtd.service libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket; "
                       "systemctl start libvirtd-tcp.socket libvirtd.service")

    def _connect(self):
        """A cable between the two."""
        ends = {self.container: ("uscable0", HERE), self.other: ("uscable1", THERE)}
        subprocess.run(["nsenter", "-t", str(self.container.leader), "-n", "ip", "link", "add", "uscable0", "type", "veth",
                        "peer", "name", "uscable1", "netns", str(self.other.leader)], check=True)
        for each, (link, address) in ends.items():
            each.run(f"ip address add {address}/24 dev {link} && ip link set {link} up")

    def fill_the_disk(self, row):
        """A small file system where the machine's disk lies, without a free block."""
        if not row.lies_on_a_full_disk:
            return
        self.container.run("mount -t tmpfs -o size=64k full /full")
        self.copy_image(Path(f"/proc/{self.container.leader}/root/full/{row.name}.img"))
        self.container.try_run("cat /dev/zero >/full/rest")

    def define(self, rows):
        """And starts what is protected."""
        names = [row.name for row in rows]
        for row in rows:
            self.fill_the_disk(row)
        self.container.run("; ".join(["set -e", *(f"virsh -q define /srv/{each}.xml" for name in names
                                                  for each in (name, standby_of(name)))]), 120)
        self.start(*names)

    def install(self, package):
        """The package, and a look at each start."""
        shutil.copy(package, self.container.root / "srv/understudy.deb")
        self.container.run("apt-get -q install -y --no-install-recommends /srv/understudy.deb", 120)
        self.container.write("etc/understudy/understudy.yaml", CONFIG)
        self.container.write("etc/understudy/hooks.d/pre-start/look", LOOK, 0o755)
        self.container.run("systemctl enable understudyd")

    def restart(self, preload=None):
        """The daemon, in its unit as it is but for a library that is preloaded."""
        drop_in = "[Service]\n"
        if preload is not None:
            shutil.copy(preload, self.container.root / "usr/lib")
            drop_in += f"Environment=LD_PRELOAD=/usr/lib/{preload.name}\n"
        self.container.write("etc/systemd/system/understudyd.service.d/preload.conf", drop_in)
        self.container.run("systemctl daemon-reload && systemctl restart understudyd && understudyctl status --wait")
        path = f"/proc/{self.container.leader}/root/run/understudy/api.sock"
        self.api = api.Api(path)
        if self.telling is not None:
            self.telling.close()
        self.telling = Telling(path)

    # What is known of them

    def wait_until_told(self, name, state):
        wait(lambda: self.api.machine(name)["state"] == state, f"{name} is {state}, as is told")

    def wait_until_kept(self, *names):
        for name in names:
            wait(lambda: self.api.machine(standby_of(name))["keeping"] == "warm", f"the standby of {name} is kept")

    def begin_again(self, row):
        """What is left of the last round goes, and the machine of the row runs as its service."""
        name = row.name
        for console in (standby_of(name), f"{name} there"):
            if console in self._consoles:
                self._consoles[console].boots  # takes what has come: else the console holds up a later QEMU
        if row.migrates:
            self.virsh("destroy", name, place=self.other, may_fail=True)
        if self.state(name) != "running":
            standby = standby_of(name)
            done = self.container.try_run(
                f"exec 2>&1; virsh -q destroy {name}; virsh -q managedsave-remove {name}; "
                f"rm -f /var/lib/libvirt/qemu/dump/*-{name}-*; "
                f"virsh -q list --name --state-running | grep -xq {standby} && virsh -q destroy {standby} && echo served")
            if "served" in done.stdout:
                self.wait_until_told(standby, "shut off")
            self.wait_until_told(name, "shut off")
            self.fill_the_disk(row)
            self.start(name)
        self.wait_until_up(name)

    def wait_until_up(self, name):
        def is_up():
            machine = self.api.machine(name)
            return machine["state"] == "running" and machine["served_by"] is None
        wait(is_up, f"{name} runs and serves")

    def close(self):
        for console in self._consoles.values():
            console.close()
        if self.telling is not None:
            self.telling.close()
        if self._listener is not None:
            self._listener.close()
        for _, pidfd in self._processes.values():
            os.close(pidfd)

    @property
    def release(self):
        return re.search("VERSION_CODENAME=(.*)", (self.container.root / "usr/lib/os-release").read_text())[1]

    # What is started

    def _watch_starts(self):
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        path = self.container.root / STARTS
        self._listener.bind(str(path))
        path.chmod(0o777)
        self._listener.listen(32)
        threading.Thread(target=self._look, args=[self._listener], daemon=True).start()

    def _look(self, listener):
        while True:
            try:
                connection = listener.accept()[0]
            except OSError:
                return
            with connection:
                name = connection.recv(200).decode().strip()
                if not self.has_ended(name):
                    self.early.append(name)
                self.looked_at.append(name)
                connection.sendall(b"looked\n")

    # Machines

    def virsh(self, *arguments, place=None, may_fail=False, seconds=120):
        words = " ".join(f"'{word}'" for word in arguments)
        done = (place or self.container).try_run(f"virsh -q {words}", seconds)
        assert may_fail or done.returncode == 0, f"virsh {words}: {done.stderr}"
        return done.stdout.strip()

    def state(self, name, place=None):
        return self.virsh("domstate", name, place=place)

    def serial(self, name):
        return self._consoles[name]

    def greetings(self, name):
        self._consoles[name].boots  # takes what has come
        return self._consoles[name].text.count("is up")

    def wait_for_greetings(self, name, number):
        self._consoles[name].wait_for_condition(lambda: self._consoles[name].text.count("is up") >= number,
                                                f"{name} has greeted {number} times")

    def start(self, *names):
        self.container.run("; ".join(["set -e", *(f"virsh -q start {name}" for name in names)]), 180)
        for name in names:
            self._consoles[name].wait_for("is up")
            self._keep(name, self._find(name, self.container))

    def _find(self, name, place):
        """The PID, out here, of the QEMU that runs it there."""
        space = os.readlink(f"/proc/{place.leader}/ns/pid")
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if (f"guest={name},".encode() in (entry / "cmdline").read_bytes()
                        and os.readlink(entry / "ns/pid") == space):
                    return int(entry.name)
        raise AssertionError(f"{name} has no QEMU")

    def _keep(self, name, pid):
        pidfd = os.pidfd_open(pid)
        with self._lock:
            if name in self._processes:
                os.close(self._processes[name][1])
            self._processes[name] = (pid, pidfd)

    def pid(self, name):
        """Of its QEMU, out here."""
        return self._processes[name][0]

    def has_ended(self, name):
        """Whether the QEMU that was started last for it is no more, or a zombie."""
        with self._lock:
            return name not in self._processes or bool(select.select([self._processes[name][1]], [], [], 0)[0])

    def kill(self, name, number):
        with self._lock:
            with contextlib.suppress(ProcessLookupError):  # it has ended
                signal.pidfd_send_signal(self._processes[name][1], number)

    # What is done to processes

    def ignore_sigterm(self, name):
        """As a QEMU whose handler for it does nothing."""
        need_gdb()
        done = subprocess.run(["gdb", *QUIETLY, "-batch", "-p", str(self.pid(name)), "-ex", "sharedlibrary libc.so", "-ex",
                               "print ((void *(*)(int, void *))signal)(15, (void *)1)"], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60)
        [ignored] = re.findall(r"SigIgn:\s*(\w+)", Path(f"/proc/{self.pid(name)}/status").read_text())
        assert int(ignored, 16) >> (signal.SIGTERM - 1) & 1, done.stdout + done.stderr

    @contextlib.contextmanager
    def held_by_gdb(self, name):
        """All its threads stand in a debugger, which is left when the process is killed: else it would stay a zombie."""
        need_gdb()
        pid = self.pid(name)
        debugger = subprocess.Popen(["gdb", *QUIETLY, "-p", str(pid)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: process_state(pid) == "t", f"gdb holds {name}", 60)
            yield lambda: wait_until(lambda: process_state(pid) in ("Z", None), f"{name} is killed", 60)
        finally:
            debugger.kill()
            debugger.communicate()

    @contextlib.contextmanager
    def out_of_memory(self, name, limit=8 << 20):
        """A control group that has no memory left for it, but for so many bytes."""
        old = Path("/sys/fs/cgroup/memory")
        group = (old if old.is_dir() else Path("/sys/fs/cgroup")) / f"understudy-test-{self.pid(name)}"
        try:
            group.mkdir()
        except OSError as error:
            raise containers.Unavailable(f"no control group can be made here: {error}") from None
        try:
            file = group / ("memory.limit_in_bytes" if old.is_dir() else "memory.max")
            if not file.exists():
                raise containers.Unavailable("control groups do not limit memory here")
            file.write_text(str(limit))
            (group / "cgroup.procs").write_text(str(self.pid(name)))
            yield
        finally:
            wait_until(lambda: remove_directory(group), "its control group is empty")


def need_gdb():
    if shutil.which("gdb") is None:
        raise containers.Unavailable("there is no gdb here")


def process_state(pid):
    """The letter of /proc; None: there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return None


def remove_directory(path):
    try:
        path.rmdir()
    except OSError:
        return False
    return True


class Shell:
    """A virsh that is connected, so that what it is told is done at once. At the end of a with statement it has done all."""

    def __init__(self, container):
        self._virsh = subprocess.Popen(["nsenter", "-t", str(container.leader), "-a", "virsh", "-q"], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.say("echo ready")
        while "ready" not in self._virsh.stdout.readline():
            assert self._virsh.poll() is None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self._virsh.communicate(timeout=120)
        finally:
            self._virsh.kill()

    def say(self, command):
        self._virsh.stdin.write(f"{command}\n")
        self._virsh.stdin.flush()
