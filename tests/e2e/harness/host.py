# SPDX-License-Identifier: LGPL-2.1-or-later
"""
A host: a libvirtd of its own that runs real QEMU guests, walled off from the machine the tests run on
by mount, PID and network namespaces. When the tests end, however they end, the namespace's init
loses its standard input and everything in it goes with it.

What has to be known about running libvirtd this way is known here and nowhere else.
"""

import os
import shutil
import signal
import subprocess
from pathlib import Path

from . import domain, guests
from .console import Console
from .waiting import NotifySocket, wait_until

# Where libvirt keeps things, and the directory of the host's own that stands in for each. /run as a
# whole: it hides the machine's D-Bus and systemd, which libvirtd would otherwise register guests with.
STAND_INS = {"/run": "run", "/etc/libvirt": "etc", "/var/lib/libvirt": "lib", "/var/log/libvirt": "log"}

# Emulation is all a test needs. A /dev/kvm that is there and does not work costs 4 s at every start of libvirtd.
SETUP = """
set -e
bare_dev() {
    mount -t tmpfs -o mode=755 tmpfs "$1"
    for node in null zero full random urandom tty; do
        : >"$1/$node"
        mount --bind "/dev/$node" "$1/$node"
    done
    if [ -e /dev/net/tun ]; then
        mkdir "$1/net"
        : >"$1/net/tun"
        mount --bind /dev/net/tun "$1/net/tun"
    fi
    mkdir "$1/pts" "$1/shm"
    mount --rbind /dev/pts "$1/pts"
    mount -t tmpfs tmpfs "$1/shm"
    ln -s pts/ptmx "$1/ptmx"
    ln -s /proc/self/fd "$1/fd"
    ln -s fd/0 "$1/stdin"
    mount --move "$1" /dev
}
home=$1
shift
mount -t sysfs sysfs /sys
if [ -e /dev/kvm ]; then bare_dev "$home/dev"; fi
while [ $# -gt 0 ]; do
    mount --bind "$2" "$1"
    shift 2
done
echo ready
exec cat
"""

QEMU_CONF = """
user = "root"
group = "root"
dynamic_ownership = 0
security_driver = "none"
stdio_handler = "file"
namespaces = []
cgroup_controllers = []
seccomp_sandbox = 0
"""

LIBVIRTD_CONF = """
auth_unix_ro = "none"
auth_unix_rw = "none"
log_level = 3
"""

# For hosts on a network of their own (harness.network).
LISTENING = """
listen_tls = 0
listen_tcp = 1
auth_tcp = "none"
"""


class LibvirtError(AssertionError):
    pass


def missing():
    """Why this machine cannot have a host, or None."""
    for program in ("libvirtd", "virsh", "qemu-system-x86_64", "tini", "unshare", "nsenter"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    if os.geteuid() != 0:
        return "a private libvirtd needs root"
    if subprocess.run(["unshare", "-m", "-p", "-n", "-f", "true"], capture_output=True).returncode != 0:
        return "namespaces cannot be made here"
    return None


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def pid_outside(init, inside):
    """The PID here of a process that has the PID `inside` (text) in the PID namespace of `init`."""
    space = os.readlink(f"/proc/{init}/ns/pid")
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.readlink(entry / "ns/pid") == space:
                status = (entry / "status").read_text()
                if status.partition("NSpid:")[2].split("\n")[0].split()[-1] == inside:
                    return int(entry.name)
        except OSError:  # gone meanwhile, or none of ours
            continue
    raise AssertionError(f"process {inside} of the namespace does not run")


class Process:
    """A process inside the namespace, by its PID outside."""

    def __init__(self, nsenter):
        self._nsenter = nsenter
        self.pid = wait_until(lambda: nsenter.poll() is not None or children(nsenter.pid), "nsenter has a child")
        self.pid = None if self.pid is True else self.pid[0]

    @property
    def stdout(self):
        return self._nsenter.stdout

    def poll(self):
        return self._nsenter.poll()

    def wait(self, seconds=None):
        return self._nsenter.wait(seconds)

    def signal(self, number):
        os.kill(self.pid, number)

    def resume(self):
        """After SIGSTOP. nsenter stops itself with its child, and would never reap it."""
        for pid in (self._nsenter.pid, self.pid):
            os.kill(pid, signal.SIGCONT)


class Host:
    def __init__(self, home, cache, listens=""):
        """
        home: a short-named, empty directory of its own; cache: where guests and probing results are kept; listens:
        what libvirtd.conf says of listening on the network, if it does.
        """
        self.home = home
        self._listens = listens
        self._cache = cache
        self._consoles = {}
        self._libvirtd = None
        self._init = None
        self._space = None
        for name in (*STAND_INS.values(), "dev", "images", "console"):
            (home / name).mkdir()
        (home / "etc/qemu.conf").write_text(QEMU_CONF)
        (home / "etc/libvirtd.conf").write_text(LIBVIRTD_CONF + listens)
        capabilities = cache / "libvirt"
        capabilities.mkdir(exist_ok=True)
        self._mounts = {**{inside: home / own for inside, own in STAND_INS.items()}, "/var/cache/libvirt": capabilities}
        self.notify = NotifySocket(home / "libvirtd.notify")

    # The namespace

    def open(self, network=None):
        """network: a harness.network.Network to be connected to."""
        for inside in self._mounts:
            if not Path(inside).is_dir():
                raise guests.Unavailable(f"{inside} does not exist (package libvirt-daemon-system)")
        mounts = [str(part) for pair in self._mounts.items() for part in pair]
        self._space = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "--mount-proc",
             "--propagation", "private", "tini", "--", "sh", "-c", SETUP, "host", str(self.home), *mounts],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
        if self._space.stdout.readline() != "ready\n":
            raise guests.Unavailable("the namespace for libvirtd cannot be set up")
        self._init = children(self._space.pid)[0]
        if network is not None:
            network.connect(self)
        self.start_libvirtd()

    def close(self):
        """Ends the namespace with everything in it."""
        for name in list(self._consoles):
            self._consoles.pop(name).close()
        if self._libvirtd is not None and self.libvirtd_is_running():
            self.continue_libvirtd()
        if self._space is not None:
            self._space.stdin.close()
            self._space.wait(30)
            self._space.stdout.close()
        self.notify.close()

    def command(self, *command):
        """The command line that runs `command` inside the namespace."""
        return ["nsenter", "-t", str(self._init), "-m", "-p", "-n", "--", *map(str, command)]

    @property
    def init(self):
        """The PID of the namespaces' first process."""
        return self._init

    def run_inside(self, *command):
        subprocess.run(self.command(*command), check=True, capture_output=True)

    def reset_counters(self):
        """The next libvirtd finds that the CPUs have counted nothing yet, as after a boot of the machine."""
        counters = self.home / "stat"
        counters.write_text("".join(f"{cpu} 1 0 1 98 0 0 0 0 0 0\n" for cpu in ("cpu ", "cpu0")))
        self.run_inside("mount", "--bind", counters, "/proc/stat")

    def restore_counters(self):
        subprocess.run(self.command("umount", "-q", "/proc/stat"), check=False, capture_output=True)

    def boot(self):
        """After everything on it was killed: as after the power was off, libvirt knows of no machine that ran."""
        if self._libvirtd.poll() is None:
            self.kill_libvirtd()
        for pattern in ("run/libvirt/qemu/autostarted", "run/libvirt/qemu/*.xml", "run/libvirt/qemu/*.pid",
                        "run/libvirt/*.pid", "run/*.pid"):
            for path in self.home.glob(pattern):
                path.unlink()
        self.start_libvirtd()

    def spawn(self, *command, **options):
        return Process(subprocess.Popen(self.command(*command), start_new_session=True, **options))

    # libvirtd

    def start_libvirtd(self, wait=True):
        self.notify.forget()
        log = open(self.home / "libvirtd.log", "ab")
        with log:
            self._libvirtd = self.spawn("libvirtd", *(["--listen"] if self._listens else []), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                        env={**os.environ, "NOTIFY_SOCKET": str(self.notify.path)})
        if wait:
            self.notify.wait_for("READY=1", self._check_libvirtd)

    def _check_libvirtd(self):
        if self._libvirtd.poll() is not None:
            raise AssertionError("libvirtd ended: " + (self.home / "libvirtd.log").read_text()[-2000:])

    def kill_libvirtd(self, number=signal.SIGKILL):
        """Ends libvirtd; guests keep running."""
        self._libvirtd.signal(number)
        self._libvirtd.wait(30)

    def libvirtd_is_running(self):
        return self._libvirtd.poll() is None

    def pause_libvirtd(self):
        self._libvirtd.signal(signal.SIGSTOP)

    def continue_libvirtd(self):
        self._libvirtd.resume()

    def virsh(self, *arguments, uri="qemu:///system", stdin=None):
        """Runs virsh; its output. LibvirtError with its words when it fails."""
        done = subprocess.run(self.command("virsh", "-q", "-c", uri, *arguments), input=stdin, capture_output=True,
                              text=True, timeout=60)
        if done.returncode != 0:
            raise LibvirtError(f"virsh {' '.join(map(str, arguments))}: {done.stderr.strip()}")
        return done.stdout.strip()

    # Machines

    def define(self, name, *, guest="boot sector", resources=None, role=None, priority=None, arguments="",
               devices="", **options):
        """
        Defines a machine that is off. guest: "boot sector", "dying boot sector", which panics a second and
        a half after it is up, "linux", or "linux with agent", which has a disk, too. resources: understudy's metadata; arguments: more of them for the kernel; devices: more XML;
        options: as of domain.domain_xml.
        """
        console = self.home / "console" / name
        if name not in self._consoles:
            self._consoles[name] = Console(console)
        devices += domain.serial_xml(console)
        if guest in ("boot sector", "dying boot sector"):
            shutil.copy(guests.boot_sector(self._cache, dies=guest.startswith("dying")), self.image(name))
            boot = ""
            devices += domain.disk_xml(self.image(name))
        else:
            has_agent = guest == "linux with agent"
            kernel, initramfs = guests.linux(self._cache, has_agent)
            boot = (f"<kernel>{kernel}</kernel><initrd>{initramfs}</initrd>"
                    f"<cmdline>console=ttyS0 quiet {arguments}</cmdline>")
            options.setdefault("memory_mib", 192 if has_agent else 128)
            if has_agent:
                self.image(name).write_bytes(bytes(1024 * 1024))
                devices += domain.agent_xml() + domain.disk_xml(self.image(name), "vda")
        if resources is not None:
            options["metadata"] = domain.metadata_xml(resources, role, priority)
        xml = domain.domain_xml(name, boot=boot, devices=devices, **options)
        self.virsh("define", "/dev/stdin", stdin=xml)

    def image(self, name):
        """The file of its disk."""
        return self.home / "images" / f"{name}.img"

    def start(self, name, *flags):
        self.virsh("start", name, *flags)

    def run(self, name, **definition):
        """Defines and starts a machine, and waits until its guest is up."""
        self.define(name, **definition)
        self.start(name)
        self.serial(name).wait_for("is up")

    def serial(self, name):
        return self._consoles[name]

    def state(self, name):
        """(state, reason) in virsh's words, such as ("shut off", "crashed")."""
        words = self.virsh("domstate", name, "--reason")
        state, _, reason = words.partition(" (")
        return state, reason.rstrip(")")

    def wait_for_state(self, name, state, seconds=30):
        wait_until(lambda: self.state(name)[0] == state, f"{name} is {state}", seconds)

    def qemu_pid(self, name):
        """The PID, outside the namespace, of the QEMU that runs it."""
        inside = (self.home / "run/libvirt/qemu" / f"{name}.pid").read_text().strip()
        return pid_outside(self._init, inside)

    def kill_qemu(self, name, number=signal.SIGKILL):
        os.kill(self.qemu_pid(name), number)

    @staticmethod
    def kill_process(pid, number=signal.SIGKILL):
        """For kills that must follow each other at once: look the PIDs up first."""
        os.kill(pid, number)

    @staticmethod
    def process_exists(pid):
        return Path(f"/proc/{pid}").exists()

    def wait_for_reset(self, name, times):
        """The boot sector of the same QEMU greets once more after each reset."""
        console = self.serial(name)
        console.wait_for_condition(lambda: console.text.count("is up") == times + 1, f"{name} was reset {times} times")

    def remove_machines(self):
        """Destroys and undefines everything, and brings libvirtd back if a test left it dead or stopped."""
        if self._libvirtd.poll() is not None:
            self.start_libvirtd()
        self.continue_libvirtd()
        for name in self.virsh("list", "--all", "--name").split():
            if self.state(name)[0] != "shut off":
                self.virsh("destroy", name)
            if name in self.virsh("list", "--all", "--name").split():  # a transient one is gone already
                self.virsh("undefine", name, "--managed-save")
        for name in list(self._consoles):
            self._consoles.pop(name).close()
            (self.home / "console" / name).unlink()
