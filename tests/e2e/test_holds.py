# SPDX-License-Identifier: LGPL-2.1-or-later
"""Holds: what is held is watched and not acted on, also after the daemon was started anew."""

import os
import pwd
import signal

import pytest
from harness import testdriver

WEB = {"language": "nodejs"}


@pytest.fixture
def room(make_daemon, tmp_path):
    """web serves, spare stands by."""
    uri = testdriver.write_node(tmp_path / "node.xml", {"web": WEB, "spare": WEB}, running=["web"])
    return make_daemon(hypervisors=[{"name": "test", "uri": uri}],
                       pool={"protect": ["web"], "standby": ["spare"]}).start()


def refusal(daemon, *arguments, status=4):
    done = daemon.ctl(*arguments, check=False)
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    return done.stderr


@pytest.mark.testdriver
def test_what_is_held_is_shown(room):
    assert room.ctl("holds").stdout == "Nothing is held.\n"
    said = room.ctl("hold", "test", "--reason", "new disks", "--for", "2h").stdout
    assert said.startswith("test is held until 20") and "understudyctl release test" in said
    room.ctl("hold", "web")
    table = room.ctl("holds").stdout.splitlines()
    assert table[0].split() == ["WHAT", "SCOPE", "SINCE", "UNTIL", "BY", "REASON"]
    assert table[1].split()[:2] == ["test", "host"] and table[1].endswith("new disks")
    assert pwd.getpwuid(os.getuid()).pw_name in table[1].split()
    assert table[2].split()[:2] == ["web", "machine"] and "released" in table[2]
    said = " ".join(room.ctl("status").stdout.split())
    assert "hold: test is held: it is watched, and nothing is done, until 20" in said and "; new disks" in said, said
    assert room.api.services()["web"]["state"] == "held"
    assert "its host is held: new disks" in room.ctl("explain", "web").stdout
    room.ctl("release", "web")
    room.ctl("release", "test")
    assert room.ctl("holds").stdout == "Nothing is held.\n"
    assert room.api.services()["web"]["state"] == "up"


@pytest.mark.testdriver
def test_holds_outlive_the_daemon_and_refuse_orders(room):
    room.ctl("hold", "web", "--reason", "mine")
    assert "is held" in room.ctl("drill", "web", check=False).stderr
    assert "understudyctl release web" in refusal(room, "failover", "web")
    room.stop()
    room.start()
    assert "mine" in room.ctl("holds").stdout
    room.ctl("release", "web")
    room.ctl("failover", "web", "--wait")
    assert room.api.services()["web"]["served_by"]["name"] == "spare"


@pytest.mark.testdriver
def test_names_that_are_refused(room):
    assert "did you mean spare?" in refusal(room, "hold", "spar", status=3)
    assert "is not held" in refusal(room, "release", "web")
    assert "needs a time such as 30m or 2h" in refusal(room, "hold", "all", "--for", "soon", status=2)


def test_qemu_dies_while_its_machine_is_held(host, daemon_on):
    host.define("spare", resources=WEB)
    host.run("web", resources=WEB)
    daemon = daemon_on()
    daemon.ctl("hold", "web", "--reason", "new kernel")
    host.kill_qemu("web")
    assert daemon.wait_for_recovery("web")["outcome"] == "failed-while-held"
    daemon.kill()
    daemon.start()
    daemon.ctl("release", "web")
    assert daemon.api.services()["web"]["state"] == "down"
    assert host.state("spare")[0] == "shut off"
    daemon.ctl("recover", "web", "--wait")
    assert daemon.api.services()["web"]["served_by"]["name"] == "spare"


def test_stop_of_a_held_machine_is_planned(host, daemon_on):
    host.define("spare", resources=WEB)
    host.run("web", resources=WEB)
    daemon = daemon_on()
    daemon.ctl("hold", "all")
    host.kill_qemu("web", signal.SIGTERM)
    daemon.events.wait_for("stop-planned")
    daemon.ctl("release", "all")
    assert daemon.api.services()["web"]["state"] == "stopped"


@pytest.fixture
def two_rooms(make_daemon, tmp_path):
    """h1 serves web and db, and has a spare; h2 stands by."""
    first = testdriver.write_node(tmp_path / "h1.xml", {"web": WEB, "db": {"database": "mysql"}, "near": WEB},
                                  running=["web", "db"])
    second = testdriver.write_node(tmp_path / "h2.xml", {"far-web": WEB, "far-db": {"database": "mysql"}})
    return make_daemon(hypervisors=[{"name": "h1", "uri": first}, {"name": "h2", "uri": second}],
                       pool={"protect": ["web", "db"], "standby": ["near", "far-*"]}).start()


def served_by(daemon):
    return {name: service["served_by"]["name"] if service["diverted"] else None
            for name, service in daemon.api.services().items()}


@pytest.mark.testdriver
def test_evacuated_host_is_held_when_its_services_are_elsewhere(two_rooms):
    said = refusal(two_rooms, "hold", "--evacuate", "h1")
    assert "db, web" in said or "web, db" in said
    assert "virsh migrate --live" in said and "--yes" in said
    assert two_rooms.ctl("holds").stdout == "Nothing is held.\n"
    assert "only a host can be evacuated" in refusal(two_rooms, "hold", "--evacuate", "web", status=2)

    events = two_rooms.events
    said = two_rooms.ctl("hold", "--evacuate", "h1", "--yes", "--for", "2h", "--reason", "new disks").stdout
    assert "h1 takes no starts" in said and "understudyctl release h1" in said
    begun = events.wait_for("hold-begun")
    assert "it is evacuated" in begun["text"]
    assert served_by(two_rooms) == {"web": "far-web", "db": "far-db"}
    assert "hold: h1 is held: it is watched" in " ".join(two_rooms.ctl("status").stdout.split())
    assert [record["cause"] for record in two_rooms.api.recoveries()] == ["failover", "failover"]
    two_rooms.ctl("release", "h1")
    two_rooms.ctl("failback", "web", "--wait")
    assert served_by(two_rooms)["web"] is None


def test_evacuation_names_what_stays(host, daemon_on):
    """The only host: there is no other to fail over to."""
    host.define("spare", resources=WEB)
    host.run("web", resources=WEB)
    daemon = daemon_on(pool={"protect": ["web"], "standby": ["spare"]})
    events = daemon.events
    daemon.ctl("hold", "--evacuate", "local", "--yes")
    assert "these services were not failed over, and are held with it: web" in events.wait_for("hold-begun")["text"]
    assert host.state("web")[0] == "running" and host.state("spare")[0] == "shut off"
    assert daemon.api.services()["web"]["state"] == "held"
