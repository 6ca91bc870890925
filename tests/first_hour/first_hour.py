#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
The first hour of a newcomer: the README's two commands and its Install, from a clean clone of HEAD, in fresh containers
(minbase with sudo, git and systemd), by root, by a user whose sudo asks for a password, by one whose sudo does not,
and by one who may not use it; with Ctrl-C and a closed terminal in each step, in a path with a space, twice at once,
and without a network. Each case looks at what was left behind.

Prints a table of cases with times and numbers of packages, and leaves a transcript of each in the output directory.
"""

import argparse
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(SOURCE / "tests/e2e/service"), str(SOURCE / "tests/e2e")]

from container import MASKED, Container, missing  # noqa: E402

RELEASES = {"bookworm": "Debian 12", "trixie": "Debian 13"}
PASSWORD = "correct horse"
# Name: what sudo does for this user; None: nothing.
USERS = {"alice": "ALL=(ALL:ALL) ALL", "bob": "ALL=(ALL:ALL) NOPASSWD: ALL", "carol": None}
DEMO = "sh conf/demo/demo.sh"
TESTS = "sh tests/run.sh"
DEMO_ENDS = "VM-005 serves in place of VM-001"


class Failed(Exception):
    """Something in a case is not as it must be."""


def run(*command):
    subprocess.run(list(map(str, command)), check=True, stdin=subprocess.DEVNULL)


def make_tree(release, tree, apt_cache):
    """A fresh machine: minbase with sudo, git and systemd, the users, and a bundle of HEAD to clone."""
    if not tree.exists():
        run("mmdebstrap", "--quiet", "--variant=minbase",
            "--include=sudo,git,systemd,systemd-sysv,dbus,ca-certificates", release, f"{tree}.new")
        os.rename(f"{tree}.new", tree)
    (tree / "etc/machine-id").write_text("")
    (tree / "etc/hostname").write_text("fresh\n")
    (tree / "etc/hosts").write_text("127.0.0.1 localhost\n127.0.1.1 fresh\n")
    shutil.copy("/etc/resolv.conf", tree / "etc/resolv.conf")
    # Packages are fetched once for all cases: only times differ by that.
    (apt_cache / "partial").mkdir(parents=True, exist_ok=True)
    (tree / "etc/apt/apt.conf.d/90keep").write_text('Binary::apt-get::APT::Keep-Downloaded-Packages "true";\n')
    for unit in MASKED:
        link = tree / "etc/systemd/system" / unit
        if not link.is_symlink():
            link.symlink_to("/dev/null")
    for name, rule in USERS.items():
        if not (tree / f"home/{name}").exists():
            run("chroot", tree, "useradd", "-m", "-s", "/bin/bash", name)
            subprocess.run(["chroot", tree, "chpasswd"], input=f"{name}:{PASSWORD}\n", text=True, check=True)
        if rule is not None:
            (tree / f"etc/sudoers.d/{name}").write_text(f"{name} {rule}\n")
    run("git", "-C", SOURCE, "bundle", "create", "-q", tree / "srv/understudy.bundle", "HEAD")


class Machine(Container):
    """A fresh machine that is up, and sessions on terminals of it."""

    def __init__(self, tree, home, apt_cache, has_network):
        super().__init__(tree, home, size="8g")
        self._apt_cache = apt_cache
        self._has_network = has_network

    def __enter__(self):
        super().__enter__()
        run("mount", "--bind", self._apt_cache, self.root / "var/cache/apt/archives")
        self.boot(has_network=self._has_network)
        return self

    def __exit__(self, *error):
        subprocess.run(["umount", "-l", str(self.root / "var/cache/apt/archives")], check=False)
        super().__exit__(*error)

    def clone(self, user, directory="understudy"):
        home = "/root" if user == "root" else f"/home/{user}"
        self.run(f"cd {home} && setpriv --reuid {user} --regid {user} --init-groups "
                 f"git clone -q /srv/understudy.bundle '{home}/{directory}'")
        return f"{home}/{directory}"

    def packages(self):
        return int(self.run("dpkg-query -W | wc -l"))

    def terminal(self, user, command, where, on=(), timeout=3600):
        """
        Runs a command line on a terminal of its own, and gives sudo the password as often as it asks. on: (pattern,
        what) in the order in which they are awaited in the output: what is text to be typed, "^C", or None: the terminal
        is closed. Returns (status, output, seconds).
        """
        home = "/root" if user == "root" else f"/home/{user}"
        argv = ["nsenter", "-t", str(self._leader), "-a", "setpriv", "--reuid", user, "--regid", user, "--init-groups",
                "env", "-i", f"HOME={home}", f"USER={user}", "TERM=xterm", "LC_ALL=C.UTF-8",
                "PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin",
                "script", "-qec", f"cd '{where}' && {command}", "/dev/null"]
        began = time.monotonic()
        pid, fd = pty.fork()
        if pid == 0:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # ignored, where this was started in the background
            os.execvp(argv[0], argv)
        return self._converse(pid, fd, list(on), began, timeout)

    @staticmethod
    def _converse(pid, fd, on, began, timeout):
        output, seen, asked = b"", 0, 0
        while True:
            if time.monotonic() - began > timeout:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                raise Failed(f"not within {timeout} s:\n{output.decode(errors='replace')[-2000:]}")
            if re.search(rb"password for \w+: $", output[asked:]):
                asked = len(output)
                os.write(fd, f"{PASSWORD}\n".encode())
            if on and re.search(on[0][0].encode(), output[seen:]):
                seen = len(output)
                what = on.pop(0)[1]
                if what is None:
                    # What holds the terminal goes, as an emulator or sshd does; what runs on it gets a SIGHUP.
                    [script] = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
                    os.kill(int(script), signal.SIGKILL)
                    continue
                os.write(fd, b"\x03" if what == "^C" else f"{what}\n".encode())
            if not select.select([fd], [], [], 0.2)[0]:
                continue
            try:
                data = os.read(fd, 65536)
            except OSError:
                break
            if not data:
                break
            output += data
        os.close(fd)
        _, status = os.waitpid(pid, 0)
        text = re.sub(r"[^\n]*\r(?!\n)|\x1b\[[0-9;]*[A-Za-z]", "", output.decode(errors="replace").replace("\r\n", "\n"))
        if on:
            raise Failed(f"never seen: {on[0][0]}\n{text[-2000:]}")
        return os.waitstatus_to_exitcode(status), text, time.monotonic() - began

    def wait_until_quiet(self, patience=400):
        """Until nothing of ours runs any more: no apt, no build, no daemon, no guest."""
        # The brackets keep this script's own command line from matching.
        self.wait_until("! for each in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <$each; echo; done 2>/dev/null | grep -qE "
                        "'[a]pt-get|[d]pkg |[n]inja|[c]test|[p]ytest|[u]nderstudyd --config|^[l]ibvirtd|[q]emu-system|[d]emo.sh|"
                        "[r]un.sh|[p]repare.sh'", patience)

    def check_nothing_left(self, user, where, had):
        """No half-installed package, no process, no directory in /tmp, nothing of root's in the clone."""
        self.wait_until_quiet()
        broken = self.run("dpkg --audit; apt-get -q check 2>&1 | grep -i err || true")
        if broken:
            raise Failed(f"packages are broken: {broken}")
        left = {name for name in self.run("ls -A /tmp /var/tmp").split() if not name.startswith("systemd-private-")} - had
        if left:
            raise Failed(f"left in /tmp: {left}")
        if user != "root":
            foreign = self.run(f"find '{where}' ! -user {user} | head")
            if foreign:
                raise Failed(f"not {user}'s: {foreign}")


def expect(condition, what, output):
    if not condition:
        raise Failed(f"{what}\n{output[-3000:]}")


def readme_block(heading):
    """The commands of a section of the README: its first indented block."""
    section = (SOURCE / "README.md").read_text().split(f"## {heading}\n", 1)[1].split("\n## ")[0]
    lines = section.splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("    "))
    block = []
    for line in lines[first:]:
        if not line.startswith("    "):
            break
        block.append(line.strip())
    return block


# Cases. Each takes a machine and yields rows (what, status, seconds, packages installed by it, note), transcript.

def step(machine, name, user, command, where, on=(), status=0, must_say=None, timeout=3600):
    before = machine.packages()
    had = set(machine.run("ls -A /tmp /var/tmp").split())
    rc, output, seconds = machine.terminal(user, command, where, on, timeout)
    expect(status is None or rc == status, f"{name}: exit status {rc} instead of {status}", output)
    expect(must_say is None or re.search(must_say, output), f"{name}: does not say {must_say!r}", output)
    machine.check_nothing_left(user, where, had)
    return (name, rc, seconds, machine.packages() - before, output)


def both_commands_and_install(machine, user, full):
    where = machine.clone(user)
    yield step(machine, "demo", user, DEMO, where, must_say=DEMO_ENDS)
    yield step(machine, "demo again", user, DEMO, where, must_say=DEMO_ENDS)
    for command in readme_block("Install"):
        on = [(r"[Cc]ontinue\?", "y")] if "apt install" in command else []
        yield step(machine, f"Install: {command}"[:70], user, command, where, on)
    active = machine.try_run("systemctl is-active understudyd").stdout.strip()
    expect(active == "active", f"understudyd is {active}", machine.try_run("journalctl -u understudyd").stdout)
    command = TESTS if full else f"{TESTS} --quick"
    yield step(machine, command, user, command, where, must_say=r"[1-9]\d* passed, 0 failed", timeout=5400)


def without_sudo(machine, _user, _full):
    user = "carol"
    where = machine.clone(user)
    said = "cannot become root. As root: apt-get"
    yield step(machine, "demo", user, DEMO, where, status=1, must_say=said)
    yield step(machine, "tests", user, TESTS, where, status=1, must_say=said)
    machine.run(f"cd '{where}' && sh tests/prepare.sh test", 900)
    yield step(machine, "demo, packages there", user, DEMO, where, must_say=DEMO_ENDS)
    yield step(machine, "tests --quick, packages there", user, f"{TESTS} --quick", where,
               must_say=r"[1-9]\d* passed, 0 failed", timeout=5400)


def interrupts(machine, user, _full):
    where = machine.clone(user)
    yield step(machine, "^C while packages are installed (demo)", user, DEMO, where,
               [("Unpacking|Selecting", "^C")], status=130, must_say="left to finish")
    yield step(machine, "^C while it builds (demo)", user, DEMO, where, [(r"\[\d+/\d+\]", "^C")], status=130)
    yield step(machine, "terminal closed while the daemon runs (demo)", user, DEMO, where,
               [("If VM-001 on demo failed", None)], status=None)
    yield step(machine, "terminal closed while packages are installed (tests)", user, TESTS, where,
               [("Unpacking|Selecting", None)], status=None)
    for name, pattern in (("build", r"\[\d+/\d+\]"), ("unit tests", r"Test +#\d+"), ("guests", "asan guests")):
        yield step(machine, f"^C in {name} (tests)", user, TESTS, where,
                   [(pattern, "^C")], status=130, timeout=5400)


def odd_places(machine, user, _full):
    where = machine.clone(user, "under study")
    yield step(machine, "demo in a path with a space", user, DEMO, where, must_say=DEMO_ENDS)
    machine.run(f"ln -s '{where}/conf/demo/demo.sh' /srv/demo")
    yield step(machine, "demo by a symbolic link", user, "cd / && sh /srv/demo", where, must_say=DEMO_ENDS)
    yield step(machine, "demo twice at once", user, f"({DEMO} & sleep 0.3; {DEMO}; wait)", where,
               must_say="another run is under way in this clone")
    yield step(machine, "tests --quick in a path with a space", user, f"{TESTS} --quick", where,
               must_say=r"[1-9]\d* passed, 0 failed", timeout=5400)


def no_network(machine, user, _full):
    where = machine.clone(user)
    said = "does not reach its package mirror"
    yield step(machine, "demo", user, DEMO, where, status=1, must_say=said)
    yield step(machine, "tests", user, TESTS, where, status=1, must_say=said)


CASES = {
    "root": (both_commands_and_install, "root", True),
    "password": (both_commands_and_install, "alice", True),
    "nopassword": (both_commands_and_install, "bob", True),
    "nosudo": (without_sudo, "carol", True),
    "interrupts": (interrupts, "alice", True),
    "places": (odd_places, "alice", True),
    "offline": (no_network, "alice", False),
}


def run_case(release, name, work, output, full):
    case, user, has_network = CASES[name]
    apt_cache = work / f"apt-{release}" if has_network else work / "apt-none"
    (apt_cache / "partial").mkdir(parents=True, exist_ok=True)
    home = Path(tempfile.mkdtemp(prefix="us-", dir=work))
    transcript = output / f"{release}-{name}.txt"
    try:
        with Machine(work / release, home, apt_cache, has_network) as machine, open(transcript, "w") as text:
            for what, status, seconds, packages, said in case(machine, user, full):
                text.write(f"=== {what}: exit status {status}, {seconds:.0f} s, {packages} packages\n{said}\n")
                text.flush()
                print(f"| {RELEASES[release]} | {name} | {what} | {status} | {seconds:.0f} | {packages} |", flush=True)
    except Failed as failed:
        print(f"| {RELEASES[release]} | {name} | FAILED: {str(failed).splitlines()[0]} | | | |", flush=True)
        with open(transcript, "a") as text:
            text.write(f"=== FAILED: {failed}\n")
        return False
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return True


def main():
    parser = argparse.ArgumentParser(description="tries the README's commands in fresh containers")
    parser.add_argument("--release", action="append", choices=RELEASES, help="only these (default: all)")
    parser.add_argument("--case", action="append", choices=CASES, help="only these (default: all)")
    parser.add_argument("--full", action="store_true", help="run all tests in the first three cases, not --quick")
    parser.add_argument("--work", type=Path, help="keeps trees and packages there for the next time")
    parser.add_argument("--output", type=Path, default=SOURCE / "build/first-hour", help="for transcripts")
    options = parser.parse_args()
    reason = missing()
    if reason is not None:
        sys.exit(f"first_hour: {reason}")
    work = options.work or Path(tempfile.mkdtemp(prefix="us-"))
    work.mkdir(parents=True, exist_ok=True)
    options.output.mkdir(parents=True, exist_ok=True)
    good = True
    try:
        print("| release | case | step | status | s | packages |\n|---|---|---|---|---|---|")
        for release in options.release or RELEASES:
            make_tree(release, work / release, work / f"apt-{release}")
            for name in options.case or CASES:
                good = run_case(release, name, work, options.output, options.full) and good
    finally:
        if options.work is None:
            shutil.rmtree(work, ignore_errors=True)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
