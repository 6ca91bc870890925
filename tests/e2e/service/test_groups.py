# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who may do what: users of no group, of understudy-read and of understudy-admin, and the daemon's own, on both sockets."""

import json
import re

import pytest

from steps import wait_until_recovered

# Their groups.
USERS = {"guest": None, "reader": "understudy-read", "admin": "understudy-admin"}
SOCKETS = "stat -c '%n %U %G %a' /run/understudy/api.sock /run/understudy/api-ro.sock"
INSTALLED = ["/run/understudy/api.sock understudy understudy-admin 660",
             "/run/understudy/api-ro.sock understudy understudy-read 660"]
READING = ["status", "status --wait", "problems", "check; test $? -le 1", "services", "list", "show web-1", "history", "holds",
           "history --fencing", "explain web-1", "plan; test $? -le 1", "explain web-1 --threshold 0.4", "watch --timeout 1",
           "report"]
ACTING = ["hold all", "release brake", "drill web-2 --yes", "drill web-1 --yes --wait", "recover web-1", "failover web-1",
          "failback web-1 --yes", "keep web-1", "clear web-1", "refresh web-1", "tag web-1 database/mysql",
          "untag web-1 language", "fenced local --yes", "fence-test local", "notify-test", "template check",
          "template web-base --from web-1 --output -", "reload"]


@pytest.fixture
def room(small_room):
    for name, group in USERS.items():
        small_room.run(f"useradd --system {name}" + (f" --groups {group}" if group else ""))
    small_room.run("understudyctl status --wait")
    return small_room


def ask(room, user, command):
    return room.try_run(f"runuser -u {user} -- sh -c 'understudyctl {command}'")


def post(room, user, socket):
    """What the daemon answers to an order on a socket, or what socat says."""
    done = room.try_run("printf 'POST /v1/reload HTTP/1.0\\r\\n\\r\\n' | "
                        f"runuser -u {user} -- socat -t 10 - UNIX-CONNECT:/run/understudy/{socket}")
    return done.stdout + done.stderr


def test_a_group_for_everything_and_one_to_look(room):
    assert room.run(SOCKETS).splitlines() == INSTALLED
    for command in READING:
        for user in ("reader", "admin"):
            done = ask(room, user, command)
            assert done.returncode == 0, (user, command, done.stderr)
    for command in READING[:-1]:
        if "; test" not in command:
            done = ask(room, "guest", command)
            assert done.returncode == 5, (command, done.stderr)
            assert ("permission denied on /run/understudy/api.sock: the group understudy-read may look, and the group "
                    "understudy-admin may do everything: sudo usermod -aG understudy-read guest, then log in again"
                    ) in done.stderr, done.stderr
    assert ask(room, "guest", "check").returncode == 3  # unknown, as monitoring systems call it
    assert "web-1" in ask(room, "reader", "complete -- show \"\"").stdout
    assert ask(room, "guest", "complete -- show \"\"").stdout == ""


def test_who_may_only_look_is_told_which_group_may_act(room):
    before = room.run("understudyctl services --json; understudyctl list --json; understudyctl holds --json")
    for command in ACTING:
        done = ask(room, "reader", command)
        assert done.returncode == 4, (command, done.stderr)
        assert done.stderr == ("understudyctl: permission denied on /run/understudy/api.sock: you may look, and only the group "
                               "understudy-admin may do this: sudo usermod -aG understudy-admin reader, then log in "
                               "again\n"), command
        done = ask(room, "guest", command)
        assert done.returncode == 5 and "understudy-admin may do everything" in done.stderr, (command, done.stderr)
    assert room.run("understudyctl services --json; understudyctl list --json; understudyctl holds --json") == before
    # The socket itself, without understudyctl: the daemon refuses.
    refused = post(room, "reader", "api-ro.sock")
    assert " 403 " in refused and json.loads(refused.split("\n\n")[1]) == {
        "error": "nothing can be done on this socket, which only reads",
        "hint": "use api.sock, which is for the group understudy-admin"}
    assert ask(room, "reader", "--socket /run/understudy/api-ro.sock reload").returncode == 4
    for user, socket in (("reader", "api.sock"), ("guest", "api.sock"), ("guest", "api-ro.sock"),
                         ("admin", "api-ro.sock")):
        assert "Permission denied" in post(room, user, socket), (user, socket)
    assert " 200 " in post(room, "admin", "api.sock")
    # In no group of the daemon's, none of them reads what is its own.
    for user in USERS:
        assert room.try_run(f"runuser -u {user} -- ls /var/lib/understudy").returncode != 0


def test_who_may_act_and_the_daemons_own_user_pass(room):
    assert ask(room, "admin", "hold web-2").returncode == 0
    assert json.loads(room.run("understudyctl holds --json"))["holds"][0]["by"] == "admin"
    assert ask(room, "admin", "release web-2").returncode == 0
    assert "ordered by admin: POST /v1/release/web-2" in room.journal("-u", "understudyd")
    assert ask(room, "understudy", "reload").returncode == 0
    room.run("systemctl reload understudyd")
    # In the sandbox, where no number of another user or group says anything.
    room.write("etc/understudy/hooks.d/recovered/10-hold", "#!/bin/sh\nexec understudyctl hold web-2 --reason 'by a hook'\n",
               0o755)
    assert ask(room, "admin", "drill web-1 --yes").returncode == 0
    recovery = wait_until_recovered(room)
    assert re.search("ordered by +admin\n", room.run(f"understudyctl history {recovery['id']}"))
    room.wait_until("understudyctl holds | grep 'by a hook'")
    assert json.loads(room.run("understudyctl holds --json"))["holds"][0]["by"].startswith("understudy (uid ")


def test_that_nothing_listens_is_told_apart_from_want_of_rights(room):
    room.run("systemctl stop understudyd")
    for user in USERS:
        for command in ("status", "reload"):
            done = ask(room, user, command)
            assert done.returncode == 5 and "understudyd is not running or not reachable" in done.stderr, done.stderr


def test_the_sockets_keep_their_groups(room):
    """Where /run/understudy was not the daemon's own, systemd gave all that was in it to the daemon's group."""
    for script in ("systemctl restart understudyd", "systemctl stop understudyd && systemctl start understudyd",
                   "kill -KILL $(systemctl show -P MainPID understudyd) && sleep 1.5"):
        room.run(f"{script} && understudyctl status --wait")
        assert room.run(SOCKETS).splitlines() == INSTALLED
    room.power_off()
    room.boot()
    room.wait_until("understudyctl status --wait")
    assert room.run(SOCKETS).splitlines() == INSTALLED


OLD_SOCKET = """[Unit]
StopWhenUnneeded=yes

[Socket]
ListenStream=/run/understudy/api.sock
FileDescriptorName=api
SocketGroup=understudy
SocketMode=0660
DirectoryMode=0755
RemoveOnStop=yes
"""


def test_an_upgrade_from_the_package_with_one_socket(room):
    """The socket of the running systemd stayed as it was, and with it who may do what, until the next boot."""
    room.run("systemctl stop understudyd")
    room.run("rm /lib/systemd/system/understudyd-ro.socket && "
             "sed -i 's/ understudyd-ro.socket//' /lib/systemd/system/understudyd.service")
    room.write("lib/systemd/system/understudyd.socket", OLD_SOCKET)
    room.run("systemctl daemon-reload && rm -r /run/understudy && systemctl start understudyd && understudyctl status --wait")
    assert "understudy understudy 660" in room.try_run(SOCKETS).stdout
    room.run("dpkg -i --force-confdef /srv/understudy.deb && understudyctl status --wait", 120)
    assert room.run(SOCKETS).splitlines() == INSTALLED
    assert ask(room, "reader", "status").returncode == 0
    assert ask(room, "admin", "reload").returncode == 0
