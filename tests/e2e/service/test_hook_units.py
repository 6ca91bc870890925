# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the daemon's user may ask the service manager for, nothing, and how hooks reach units all the same."""

import re

from steps import manual, wait_until_recovered

AS_DAEMON = "runuser -u understudy --"


ATTEMPTS = ("systemd-run --no-ask-password --wait --unit=understudy-hook-y.service touch /srv/transient",
            "systemd-run --no-ask-password --scope touch /srv/transient",
            "systemd-run --no-ask-password --on-active=1 touch /srv/transient",
            "systemctl --no-ask-password start understudy-hook-x.service",
            "systemctl --no-ask-password restart understudyd.service",
            "systemctl --no-ask-password set-property understudyd.service CPUWeight=1",
            "systemctl --no-ask-password link /var/lib/understudy/own.service",
            "systemctl --no-ask-password enable understudy-hook-x.service",
            "systemctl --no-ask-password daemon-reload")


def test_the_user_starts_no_unit_and_no_transient_one(small_room):
    """By systemd 257 and a rule for the names of units, a hook was root: systemd-run --unit=understudy-hook-x."""
    room = small_room
    assert room.run("find /etc /usr/share /var/lib -path '*polkit-1*' -iname '*understudy*'") == ""
    room.write("var/lib/understudy/own.service", "[Service]\nExecStart=/bin/touch /srv/started\n")
    room.write("etc/systemd/system/understudy-hook-x.service",
               "[Service]\nType=oneshot\nExecStart=/bin/touch /srv/started\n")
    room.run("systemctl daemon-reload")
    for command in ATTEMPTS:
        refused = room.try_run(f"{AS_DAEMON} {command}")
        assert refused.returncode != 0
        assert re.search("authentication required|Access denied|not authorized", refused.stderr), (command, refused.stderr)
    # A hook has no more rights than that, and is in the sandbox.
    room.write("etc/understudy/hooks.d/recovered/10-try", "#!/bin/sh\n" + "".join(f"{each} && echo PASSED\n" for each in
                                                                                  ATTEMPTS) + "echo tried all\n", 0o755)
    room.run("understudyctl drill web-1 --yes")
    room.wait_until("journalctl -u understudyd | grep 'tried all'")
    assert "PASSED" not in room.journal("-u", "understudyd")
    assert room.run("ls /srv") == "understudy.deb\n"
    assert room.run("systemctl list-unit-files 'own.service' --no-legend; systemctl is-active understudyd") == "active\n"


def write_example(room):
    """The files of the example in the manual, as they stand there, but for the interface that no container has."""
    text = manual(room, "man7/understudy-hooks.7")
    for path, mode in (("etc/systemd/system/understudy-hook-address.socket", 0o644),
                       ("etc/systemd/system/understudy-hook-address@.service", 0o644),
                       ("usr/local/sbin/move-address", 0o755),
                       ("etc/understudy/hooks.d/recovered/10-address", 0o755)):
        [example] = re.findall(rf"fI/{path}fR.*?\n\.RS 4\n(.*?)\.fi\n", text, re.DOTALL)
        room.write(path, example.replace("\t", "").replace("dev eth0", "dev lo"), mode)
    [command] = re.findall(r"systemctl enable --now [\w.-]+\.socket", text.replace("\n", " "))
    room.run(command)


def test_a_hook_gets_out_of_the_sandbox_by_a_socket_unit(small_room):
    room = small_room
    write_example(room)
    assert room.try_run("runuser -u nobody -- socat - UNIX-CONNECT:/run/understudy-hook-address.sock").returncode != 0
    room.run("understudyctl drill web-1 --yes")
    recovery = wait_until_recovered(room)
    room.wait_until("ip -4 address show lo | grep -w 192.0.2.10")
    room.wait_until("! systemctl --no-legend list-units 'understudy-hook-address@*' | grep .")
    assert "10-address" not in room.journal("-u", "understudyd", f"UNDERSTUDY_RECOVERY={recovery['id']}")


def test_a_hook_fails_with_the_unit_that_it_asks(small_room):
    room = small_room
    write_example(room)
    room.run("mv /etc/understudy/hooks.d/recovered/10-address /etc/understudy/hooks.d/pre-start/ && "
             "sed -i 's/dev lo/dev nosuch/' /usr/local/sbin/move-address")
    room.run("understudyctl drill web-1 --yes")
    room.wait_until("understudyctl history | grep -w exhausted")
    assert "Cannot find device" in room.journal("-u", "understudy-hook-address@*")
