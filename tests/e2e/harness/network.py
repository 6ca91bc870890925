# SPDX-License-Identifier: LGPL-2.1-or-later
"""
A network of hosts: a namespace of its own for the daemon, and a cable from it to each host's. Nothing of it
touches the machine's own network. A cable is pulled at the host's end, so that what is sent to it is lost
in silence, as when a host has no power any more.
"""

import os
import signal
import subprocess

from .host import children
from .waiting import wait_until

# Kills what a host runs, and says so; what it is told it leaves in a file, without the secret.
AGENT = """#!/bin/sh
dir={directory}
told=$(cat)
get() {{ echo "$told" | sed -n "s/^$1=//p"; }}
plug=$(get plug)
echo "$(get action) $plug" >>"$dir/told"
[ ! -e "$dir/broken" ] || {{ echo "the power switch does not answer"; exit 1; }}
running() {{
    for process in /proc/[0-9]*; do
        [ "$(readlink "$process/ns/pid" 2>/dev/null)" = "$(cat "$dir/$plug")" ] || continue
        case $(cat "$process/comm" 2>/dev/null) in libvirtd|qemu-system*) echo "${{process#/proc/}}";; esac
    done
}}
case $(get action) in
off)
    [ -e "$dir/lies" ] || for pid in $(running); do kill -9 "$pid"; done
    # Only what is gone counts: a dying QEMU still holds its disks.
    n=0; while [ ! -e "$dir/lies" ] && [ -n "$(running)" ] && [ $n -lt 100 ]; do sleep 0.05; n=$((n + 1)); done
    ;;
status) if [ -n "$(running)" ] && [ ! -e "$dir/lies" ]; then exit 0; else exit 2; fi;;
*) exit 1;;
esac
"""


class Plain(subprocess.Popen):
    """As harness.host.Process, of a process in no PID namespace of its own."""

    def signal(self, number):
        self.send_signal(number)


class Network:
    def __init__(self, directory):
        self.directory = directory
        self.hosts = []
        self._holder = subprocess.Popen(
            ["unshare", "--net", "setpriv", "--pdeathsig", "KILL", "sh", "-c", "ip link set lo up; echo ready; exec cat"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
        assert self._holder.stdout.readline() == "ready\n", "no network namespace can be made"
        self._agent = directory / "agent"
        self._agent.write_text(AGENT.format(directory=directory))
        self._agent.chmod(0o755)

    def close(self):
        self._holder.stdin.close()
        self._holder.wait(30)
        self._holder.stdout.close()

    def command(self, *command):
        return ["nsenter", "-t", str(self._holder.pid), "-n", "--", *map(str, command)]

    def spawn(self, *command, **options):
        """Where the daemon runs."""
        return Plain(self.command("setpriv", "--pdeathsig", "KILL", *command), start_new_session=True, **options)

    def run(self, *command):
        subprocess.run(self.command(*command), check=True, capture_output=True)

    # Hosts

    def connect(self, host):
        """Lays a cable to a host whose namespace is open, and gives it its address. Before its libvirtd listens."""
        number = len(self.hosts)
        self.hosts.append(host)
        init = host.init
        self.run("ip", "link", "add", f"v{number}", "type", "veth", "peer", "name", "eth0", "netns", str(init))
        self.run("ip", "address", "add", f"10.99.{number}.1/24", "dev", f"v{number}")
        self.run("ip", "link", "set", f"v{number}", "up")
        host.run_inside("ip", "link", "set", "lo", "up")
        host.run_inside("ip", "address", "add", f"{self.address(number)}/24", "dev", "eth0")
        host.run_inside("ip", "link", "set", "eth0", "up")
        (self.directory / f"h{number}").write_text(os.readlink(f"/proc/{init}/ns/pid"))

    @staticmethod
    def address(number):
        return f"10.99.{number}.2"

    def cut(self, number):
        self.hosts[number].run_inside("ip", "link", "set", "eth0", "down")

    def mend(self, number):
        self.hosts[number].run_inside("ip", "link", "set", "eth0", "up")

    def join_hosts(self):
        """They reach each other until their cables are cut, as for a migration."""
        self.run("sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
        for number, host in enumerate(self.hosts):
            host.run_inside("ip", "route", "replace", "default", "via", f"10.99.{number}.1")

    def return_host(self, number):
        """It is switched on again: what it ran is off, and its cable is in."""
        self.hosts[number].boot()
        self.mend(number)

    # The configuration

    def hypervisors(self, *numbers):
        return [{"name": f"h{n}", "uri": f"qemu+tcp://{self.address(n)}/system", "fence": {"plug": f"h{n}"}}
                for n in numbers]

    def fence(self, **more):
        return {"command": str(self._agent), "retry": "1s", "timeout": "20s", **more}

    def told(self):
        """What the agent was asked to do, as "action plug", from the first host on that is fenced: it is tested before."""
        path = self.directory / "told"
        lines = path.read_text().split("\n")[:-1] if path.exists() else []
        while lines and lines[0].startswith("status "):
            lines.pop(0)
        return lines

    def set_agent(self, trait, wanted):
        """trait: broken (it fails), lies (it says off and does nothing)."""
        path = self.directory / trait
        path.touch() if wanted else path.unlink(missing_ok=True)

    def wait_until_told(self, line):
        wait_until(lambda: line in self.told(), f"the fence agent was told: {line}")

    def reset(self):
        for name in ("broken", "lies", "told"):
            (self.directory / name).unlink(missing_ok=True)
        for number, host in enumerate(self.hosts):
            self.mend(number)
            host.restore_counters()
            host.remove_machines()
