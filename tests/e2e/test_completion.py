# SPDX-License-Identifier: LGPL-2.1-or-later
"""What real shells complete when a tab is typed: words of the command line, and names that the daemon knows now."""

import fcntl
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import termios
import time

import pytest
from harness import testdriver
from harness.daemon import SOURCE, environment, launcher, program

# Not with the thread sanitizer: its programs need a launcher, and a shell that completes calls understudyctl by its name.
pytestmark = [] if launcher() else pytest.mark.testdriver

COMPLETION = SOURCE / "daemon/ctl/completion"
FRAMEWORK = "/usr/share/bash-completion/bash_completion"
PATIENCE_S = 30
STYLES = re.compile(r"\x1b[\[(][0-9;?]*[A-Za-z]")
# Of names that need quoting, or hold a colon or characters of another script, a prefix that no other name has.
MACHINES = {"web-front": {"language": "nodejs"}, "spare-one": {"language": "nodejs"}, "spare two": {"language": "php"},
            "odd:name": {"language": "php"}, "가상머신": {"language": "php"}}


@pytest.fixture
def room(make_daemon, tmp_path):
    uri = testdriver.write_node(tmp_path / "node.xml", MACHINES, running=["web-front"])
    return make_daemon(hypervisors=[{"name": "room-a", "uri": uri}],
                       pool={"protect": ["web-*"], "standby": ["spare-*"]}).start()


def socket_of(daemon):
    return str(daemon.config_file.parent / "api.sock")


class Shell:
    """An interactive shell in a terminal."""

    def __init__(self, command, setup):
        self._child, self._terminal = pty.fork()
        if self._child == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 500, 0, 0))  # no line is broken
            path = f"{program('understudyctl').parent}:{os.environ['PATH']}"
            os.execvpe(command[0], command, environment(PATH=path, TERM="xterm", LC_ALL="C.UTF-8", PS1="$ ", HOME="/nonexistent"))
        self.type(f"{setup}; echo re''ady\n")
        self.wait_for("ready")

    def type(self, text):
        os.write(self._terminal, text.encode())

    def wait_for(self, expected):
        """Reads until this was printed, without its styles."""
        deadline, seen = time.monotonic() + PATIENCE_S, b""
        while expected not in STYLES.sub("", seen.decode(errors="replace")):
            assert select.select([self._terminal], [], [], max(0, deadline - time.monotonic()))[0], seen
            seen += os.read(self._terminal, 65536)

    def completes(self, line, expected):
        """Types the line and a tab, and waits for what comes of it."""
        self.type(f"{line}\t")
        self.wait_for(expected)
        self.type("\x15")  # the line goes

    def close(self):
        os.close(self._terminal)
        os.waitpid(self._child, 0)


def bash():
    return Shell(["bash", "--norc", "--noprofile", "-i"], f"bind 'set bell-style none'; . {FRAMEWORK}; . {COMPLETION}/understudyctl.bash")


def zsh():
    return Shell(["zsh", "-f", "-i"], f"fpath=({COMPLETION} $fpath); autoload -U compinit; compinit -u -D; unsetopt beep")


SHELLS = [
    pytest.param(bash, id="bash", marks=pytest.mark.skipif(not os.path.exists(FRAMEWORK), reason="bash-completion is not installed")),
    pytest.param(zsh, id="zsh", marks=pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed")),
]


@pytest.mark.parametrize("start", SHELLS)
def test_a_tab_completes_commands_options_and_live_names(room, start):
    room.api.drill("web-front", anyway=True)
    record = room.wait_for_recovery("web-front")
    begin = f"understudyctl --socket {socket_of(room)} "
    shell = start()
    try:
        shell.completes("understudyctl servi", "services ")
        shell.completes("understudyctl drill --any", "--anyway ")
        shell.completes(f"{begin}show web", "show web-front ")
        shell.completes(f"{begin}explain spare-", "explain spare-one ")
        shell.completes(f"{begin}show spare\\ ", "show spare\\ two ")
        shell.completes(f"{begin}show odd", "name ")
        shell.completes(f"{begin}show 가", "show 가상머신 ")
        shell.completes(f"{begin}failback we", "failback web-front ")
        shell.completes(f"{begin}fenced ro", "fenced room-a ")
        shell.completes(f"{begin}release br", "release brake ")
        shell.completes(f"{begin}history 2", f"history {record['id']} ")
        shell.completes(f"{begin}history --outcome exh", "exhausted ")
        shell.completes(f"{begin}watch --until hyp", "--until hypervisor-")
        shell.completes(f"understudyctl catalog --catalog {SOURCE}/daem", f"{SOURCE}/daemon/")
    finally:
        shell.close()


@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed")
def test_fish_completes_as_well(room, tmp_path):
    path = f"{program('understudyctl').parent}:{os.environ['PATH']}"

    def offers(line):
        done = subprocess.run(["fish", "--no-config", "-c", f"source {COMPLETION}/understudyctl.fish; complete -C '{line}'"],
                              capture_output=True, text=True, timeout=PATIENCE_S,
                              env=environment(PATH=path, HOME=str(tmp_path), LC_ALL="C.UTF-8"))
        assert done.returncode == 0 and done.stderr == "", done.stderr
        return dict(each.partition("\t")[::2] for each in done.stdout.splitlines())
    begin = f"understudyctl --socket {socket_of(room)} "
    assert offers("understudyctl fenc").keys() == {"fenced", "fence-test"}
    assert offers(f"{begin}show ").keys() == MACHINES.keys()
    assert offers(f"{begin}show web") == {"web-front": "running, room-a"}
    assert offers(f"{begin}keep ").keys() == {"web-front"}
    assert offers(f"{begin}list --role stand").keys() == {"standby"}
    assert "--anyway" in offers(f"{begin}drill --a")


def complete(*words):
    done = subprocess.run([*launcher(), str(program("understudyctl")), "complete", "--", *words], capture_output=True,
                          text=True, env=environment(), timeout=PATIENCE_S)
    assert done.stderr == ""
    return done.returncode, sorted(line.split("\t")[0] for line in done.stdout.splitlines())


def test_what_may_come_next(room):
    at = ("--socket", socket_of(room))
    assert complete("h") == (0, ["history", "hold", "holds"])
    assert complete("--") == (0, ["--help", "--json", "--socket", "--version"])
    assert complete("hold", "--e") == (0, ["--evacuate"]) and complete("list", "--e") == (0, [])
    assert complete("--socket", "/r")[0] == complete("-s", "/r")[0] == complete("catalog", "--catalog", "")[0] == 3
    assert complete(*at, "drill", "--timeout", "5", "") == (0, sorted(MACHINES))
    assert complete(*at, "drill", "--timeout", "") == (0, [])
    assert complete(*at, "drill", "web-front", "") == complete(*at, "status", "") == complete("nosuch", "") == (0, [])
    assert complete(*at, "hold", "") == (0, sorted(["all", "room-a", *MACHINES]))
    assert complete("template", "") == (0, ["check"]) and complete("template", "web", "--output", "")[0] == 3
    assert complete(*at, "template", "web", "--from", "") == (0, sorted(MACHINES))
    assert complete("list", "--state", "s") == (0, ["shut off", "stopping", "suspended"])
    # Without the daemon there are no live names, and no word of complaint.
    assert complete("--socket", "/nonexistent", "show", "") == (0, [])
    assert complete("--socket", "/nonexistent", "hold", "") == (0, ["all"])
