# SPDX-License-Identifier: LGPL-2.1-or-later
"""
A whole small host in a container: systemd, D-Bus, polkit, libvirtd and QEMU of the distribution, as an
administrator would have them. Knows how to make one, boot it and run commands in it; nothing of understudy.
"""

import contextlib
import os
import platform
import shutil
import signal
import subprocess
import time
from pathlib import Path

BASICS = ["systemd", "systemd-sysv", "dbus", "procps", "iproute2", "socat", "curl", "jq"]
# What a machine room has beside that.
MACHINERY = ["libvirt-daemon-system", "libvirt-clients", "qemu-system-x86", "locales", "openssh-server",
             "openssh-client"]
# TCG guests have no business with hardware, and what is not there cannot fail.
MASKED = ("ssh.service", "ssh.socket", "systemd-networkd.service", "systemd-resolved.service", "systemd-timesyncd.service", "getty.target",
          "console-getty.service", "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer",
          "e2scrub_all.timer", "fstrim.timer")


class Unavailable(Exception):
    """This machine cannot provide a container."""


def missing():
    """Why there can be no container here, or None."""
    if os.geteuid() != 0:
        return "containers need root"
    for tool in ("mmdebstrap", "systemd-nspawn", "nsenter", "dpkg-deb", "cpack"):
        if shutil.which(tool) is None:
            return f"there is no {tool} here"
    return None


def run_command(*command, **options):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise Unavailable(f"{' '.join(map(str, command))}: {done.stderr.strip()[-500:]}")
    return done.stdout


def _is_known_to_apt(package):
    return subprocess.run(["apt-cache", "show", package], capture_output=True).returncode == 0


def _dependencies(package):
    """What a package file must have, the first of each alternative."""
    return [each.split()[0] for each in run_command("dpkg-deb", "--field", str(package), "Depends").split(", ")]


@contextlib.contextmanager
def memory_at(place, size):
    """Has a directory lie in memory: on a busy disk what is thrown away so soon takes longer than all tests."""
    run_command("mount", "-t", "tmpfs", "-o", f"size={size}", "understudy-test", str(place))
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


def own_release():
    """The code name of this machine's."""
    return platform.freedesktop_os_release()["VERSION_CODENAME"]


def make_tree(tree, package, release, packages):
    """A tree of a release with all that the package needs, but not itself. Takes half a minute."""
    polkit = "polkitd" if _is_known_to_apt("polkitd") else "policykit-1"
    run_command("mmdebstrap", "--quiet", "--variant=minbase",
                f"--include={','.join([*packages, polkit, *_dependencies(package)])}",
                "--aptopt=Apt::Install-Recommends false", "--dpkgopt=path-exclude=/usr/share/doc/*", release, str(tree),
                timeout=900)
    for unit in MASKED:
        (tree / "etc/systemd/system" / unit).symlink_to("/dev/null")
    (tree / "etc/machine-id").write_text("")


class Container:
    """A copy-on-write view of the tree, which can be booted, also again. What is written is gone with it."""

    def __init__(self, tree, home, size="1g"):
        """size: of what can be written in it."""
        self._home = home
        self._size = size
        self.root = home / "root"
        self._tree = tree
        self._process = None
        self._leader = None

    def __enter__(self):
        for name in ("root", "layer"):
            (self._home / name).mkdir()
        # An overlay cannot lie on an overlay, which the home may well be on.
        run_command("mount", "-t", "tmpfs", "-o", f"size={self._size}", "understudy-test", str(self._home / "layer"))
        for name in ("upper", "work"):
            (self._home / "layer" / name).mkdir()
        layer = self._home / "layer"
        run_command("mount", "-t", "overlay", "-o", f"lowerdir={self._tree},upperdir={layer}/upper,workdir={layer}/work",
             "understudy-test", str(self.root))
        return self

    def __exit__(self, *_):
        if self._leader is not None and self._process.poll() is None:
            os.kill(self._leader, signal.SIGKILL)  # and with it everything in its PID namespace
        if self._process is not None:
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for mount in (self.root, self._home / "layer"):
            subprocess.run(["umount", "-l", str(mount)], check=False)

    def boot(self, has_network=False):
        """has_network: this machine's; else it has none."""
        command = ["systemd-nspawn", "-q", "-D", str(self.root), "--register=no", "--keep-unit", "--boot",
                   *([] if has_network else ["--private-network"]), "--capability=all",
                   "systemd.unified_cgroup_hierarchy=0", "SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1"]
        log = open(self._home / "console", "wb")
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                         start_new_session=True)
        log.close()
        self._leader = self._find_leader()
        self.wait_until("systemctl is-system-running | grep -E 'running|degraded'", 90)

    def _find_leader(self):
        """The container's first process: nspawn's child, or its child, whose own pid is 1 in there."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise Unavailable(f"systemd-nspawn ended: {self.console()[-500:]}")
            for status in Path("/proc").glob("[0-9]*/status"):
                with contextlib.suppress(OSError):
                    lines = dict(line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line)
                    if lines.get("PPid") == str(self._process.pid) and lines.get("NSpid", "").split()[-1:] == ["1"]:
                        return int(status.parent.name)
            time.sleep(0.1)
        raise Unavailable("systemd-nspawn has started nothing")

    @property
    def leader(self):
        """The PID, out here, of its first process."""
        return self._leader

    def console(self):
        return (self._home / "console").read_text(errors="replace")

    @property
    def leader(self):
        """The PID, outside, of its first process."""
        return self._leader

    def command(self, *command):
        """The command line that runs `command` inside."""
        return ["nsenter", "-t", str(self._leader), "-a", *map(str, command)]

    def try_run(self, script, timeout=60):
        """Runs a shell script inside; returns the finished process."""
        return subprocess.run(self.command("/bin/sh", "-c", script),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
                                   "DEBIAN_FRONTEND": "noninteractive"})

    def run(self, script, timeout=60):
        """As try_run, but it must succeed; returns what it printed."""
        done = self.try_run(script, timeout)
        assert done.returncode == 0, f"{script}: exit status {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def wait_until(self, script, seconds=60):
        """Runs a script again and again until it succeeds; returns what it printed."""
        deadline = time.monotonic() + seconds
        while True:
            done = self.try_run(script)
            if done.returncode == 0:
                return done.stdout
            assert time.monotonic() < deadline, f"not within {seconds} s: {script}\n{done.stdout}{done.stderr}"
            time.sleep(0.2)

    def write(self, path, text, mode=0o644):
        """A file of root's, with its directories."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(mode)

    def journal(self, *options):
        """What journalctl shows of its persistent journal, read from outside: it may have been powered off."""
        return run_command("journalctl", "-D", str(self.root / "var/log/journal"), "--no-pager", "-o", "short-precise",
                    *options)

    def lose_power(self):
        """Everything in there ends at once. Its files stay, and it can be booted again."""
        os.kill(self._leader, signal.SIGKILL)
        self._process.wait(60)
        self._leader = None

    def power_off(self, command="systemctl --no-block poweroff"):
        """An orderly shutdown of everything in there. Its files stay, and it can be booted again."""
        self.run(command)
        self._process.wait(120)
        self._leader = None
