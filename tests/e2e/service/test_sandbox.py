# SPDX-License-Identifier: LGPL-2.1-or-later
"""The user and the sandbox of the service, and the ways out of it that understudy-hooks(7) shows."""

import os
import re
import textwrap

import pytest

from steps import KILL_WEB_1, SOURCE, configure, drop_in, manual, running, wait_until_recovered

SCORE_MAX = 1.5
RELEASE = tuple(int(part) for part in os.uname().release.split(".")[:2])


def test_it_runs_as_its_own_user_in_a_tight_sandbox(room, capsys):
    assert room.run("systemd-analyze verify --man=no understudyd.service understudyd.socket understudyd-ro.socket 2>&1") == ""
    assert room.run("stat -c %U /proc/$(systemctl show -P MainPID understudyd)") == "understudy\n"
    overall = room.run("systemd-analyze security --no-pager understudyd | tail -1")
    with capsys.disabled():
        print(f"\n{overall.strip()}")
    assert float(re.search(r": ([\d.]+) ", overall)[1]) <= SCORE_MAX


def test_a_rehearsal_gets_through_the_sandbox(room):
    """libvirtd writes the core into a FIFO below /run/understudy, from outside."""
    room.run("understudyctl drill web-1 --yes")
    assert wait_until_recovered(room)["cause"] == "crashed"
    assert running(room) == {"web-2"}


@pytest.mark.skipif(RELEASE < (6, 15), reason="exit information of a pidfd needs Linux 6.15")
def test_the_end_of_a_qemu_is_seen_through_the_sandbox(room):
    """Whose process it is cannot be looked up in /proc there, and other users are not seen."""
    configure(room, "hypervisors:", "standby: {warm: 1}\nhypervisors:")
    room.run("systemctl reload understudyd")
    room.wait_until("understudyctl list | grep 'web-2.* kept'")
    room.run(KILL_WEB_1)
    assert wait_until_recovered(room)["replacement"] == "web-2"
    assert "web-1" not in running(room)
    assert "and not by libvirt, which has not said so yet" in room.journal("-u", "understudyd")


def test_a_remote_hypervisor_is_reached_by_ssh(room):
    """With a key made as understudyd(8) says."""
    [command] = re.findall(r"runuser -u understudy -- ssh-keygen .*", manual(room, "man8/understudyd.8"))
    room.run(command)
    room.run("mkdir -p ~root/.ssh && cp /var/lib/understudy/.ssh/id_ed25519.pub ~root/.ssh/authorized_keys")
    room.run("rm /etc/systemd/system/ssh.service && systemctl daemon-reload && systemctl start ssh.service")
    room.run("ssh-keyscan -t ed25519 localhost >/var/lib/understudy/.ssh/known_hosts")
    configure(room, "qemu:///system", "qemu+ssh://root@localhost/system")
    room.run("systemctl reload understudyd")
    room.wait_until("systemctl show -P StatusText understudyd | grep '^3 machines on 1 of 1'")
    room.run(KILL_WEB_1)
    wait_until_recovered(room)
    assert running(room) == {"web-2"}


def test_a_drop_in_lets_hooks_change_addresses(room):
    room.write("etc/understudy/hooks.d/recovered/10-address",
               '#!/bin/sh\nexec ip address add 192.0.2.1/32 dev lo\n', 0o755)
    lines = re.search(r"CapabilityBoundingSet=.*?AF_PACKET", manual(room, "man7/understudy-hooks.7"), re.DOTALL)[0]
    drop_in(room, "hooks", f"[Service]\n{lines}\n")
    room.run(KILL_WEB_1)
    wait_until_recovered(room)
    room.wait_until("ip -4 address show lo | grep -w 192.0.2.1")
    assert room.run("stat -c %U /proc/$(systemctl show -P MainPID understudyd)") == "understudy\n"


def test_the_metrics_are_written_to_a_file_as_the_manual_says(small_room):
    text = manual(small_room, "man8/understudyd.8")
    [(key, written)] = re.findall(r"(\tmetrics:\n\t  textfile: (.*)\n)", text)
    config = small_room.root / "etc/understudy/understudy.yaml"
    small_room.run("mkdir -p /var/lib/prometheus/node-exporter")
    small_room.write("etc/understudy/understudy.yaml", config.read_text() + textwrap.dedent(key))
    small_room.run("systemctl reload understudyd")
    small_room.wait_until("understudyctl problems | grep 'Read-only file system'")
    commands = re.findall(r"ch(?:grp|mod) .*/node-exporter", text)
    assert len(commands) == 2
    for command in commands:
        small_room.run(command)
    [paths] = re.findall(r"ReadWritePaths=.*", text)
    drop_in(small_room, "textfile", f"[Service]\n{paths}\n")
    small_room.wait_until(f"grep -x 'understudy_ready 1' {written}")
    assert small_room.run(f"stat -c '%U %a' {written}") == "understudy 644\n"


def test_hooks_that_notify_work_in_the_sandbox(small_room):
    """What they send is taken by a server that keeps it."""
    small_room.write("srv/answer", "#!/bin/sh\nprintf 'HTTP/1.0 200 OK\\r\\n\\r\\n'\ntimeout 1 cat >>/srv/posted\n", 0o755)
    small_room.run("systemd-run --unit=receiver socat TCP-LISTEN:8080,bind=127.0.0.1,fork,reuseaddr EXEC:/srv/answer")
    small_room.wait_until("ss -ltn | grep 127.0.0.1:8080")
    for name, settings in (("50-ntfy", "s|^TOPIC=|&operators|; s|^URL=.*|URL=http://127.0.0.1:8080|"),
                           ("50-alertmanager", "s|^URL=|&http://127.0.0.1:8080|")):
        small_room.write(f"srv/{name}", (SOURCE / f"conf/hooks.d/problem-begun/{name}.sample").read_text())
        small_room.run(f"cd /etc/understudy/hooks.d && sed '{settings}' /srv/{name} >problem-begun/{name} && "
                       f"chmod 755 problem-begun/{name} && ln -s ../problem-begun/{name} test/")
    small_room.run("understudyctl notify-test")
    posted = (small_room.root / "srv/posted").read_text()
    assert '"topic": "operators"' in posted and "UnderstudyTest" in posted and "nothing has happened" in posted
