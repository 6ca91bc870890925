# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of the service do and look at again and again, in a container with three machines."""

import gzip
import json
import os
import subprocess
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[3]

# As in daemon/service/messages.c; people search by them, so they are for ever.
FAILURE_DETECTED = "2b9b2e3a82184437ad6643f80e6b6908"
DECIDED = "5333ac2a3ab744a495ef00c09c012951"
STOP_PLANNED = "cf035d2d381a4eb596a9dc962734c38f"
HOST_SHUTDOWN = "8f7a12deea14466cb7b6025536a1aaa4"
CALL_HANGS = "9e04222523684de29739a2286e65a29a"
NEEDS_RESTART = "6b970a3cf8ad4e279315fecdfa963af9"
RELOAD_FAILED = "5621526f8ffe4096b24843f8aba06dd2"
RESUMED = "d5121efe46584020ac138cefd5606e02"
RECOVERED = "8e1475b535c94395a8c21c273b0b6b98"
KILL_WEB_1 = "kill -KILL $(cat /run/libvirt/qemu/web-1.pid)"


def run_tool(*command, cwd, **environment):
    """Runs a program of this machine; it must succeed. Returns what it printed."""
    done = subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True,
                          env={**os.environ, **environment})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def manual(room, page):
    """An installed manual page, near enough to text that its examples can be done as they stand there."""
    text = gzip.decompress((room.root / f"usr/share/man/{page}.gz").read_bytes()).decode()
    return text.replace("\\&", "").replace("\\", "")


def wait_until_recovered(room):
    """The only recovery there is, once it has ended well."""
    room.wait_until("understudyctl history | grep -w recovered")
    [recovery] = json.loads(room.run("understudyctl history --json"))["recoveries"]
    return recovery


def running(room):
    return set(room.run("virsh -q list --name").split())


def status_text(room):
    return room.run("systemctl show -P StatusText understudyd").strip()


def configure(room, old, new):
    """Replaces a part of the configuration file, and returns all of it as it was."""
    path = "etc/understudy/understudy.yaml"
    before = (room.root / path).read_text()
    assert old in before
    room.write(path, before.replace(old, new))
    return before


def drop_in(room, name, text):
    room.write(f"etc/systemd/system/understudyd.service.d/{name}.conf", text)
    room.run("systemctl daemon-reload && systemctl restart understudyd")
