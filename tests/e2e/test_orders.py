# SPDX-License-Identifier: LGPL-2.1-or-later
"""What an operator orders: recover, clear, drill; what is refused says what to do instead, and exits with 4."""

import re

import pytest
from harness import testdriver
from harness.gate import write_program

pytestmark = pytest.mark.testdriver

WEB = {"language": "nodejs"}


@pytest.fixture
def room(make_daemon, tmp_path):
    """web serves; nothing can take its place yet."""
    machines = {"web": WEB, "spare": {"language": "java"}}
    uri = testdriver.write_node(tmp_path / "node.xml", machines, running=["web"])
    return make_daemon(hypervisors=[{"name": "test", "uri": uri}],
                       pool={"protect": ["web"], "standby": ["spare"]}).start()


def refusal(daemon, *arguments):
    done = daemon.ctl(*arguments, check=False)
    assert done.returncode == 4, (done.returncode, done.stdout, done.stderr)
    return done.stderr


def test_recover_and_clear_say_what_to_do_instead(room):
    assert "web is up: test/web serves it" in refusal(room, "recover", "web")
    room.ctl("drill", "web", "--anyway")
    assert room.wait_for_recovery("web")["outcome"] == "exhausted"
    said = room.ctl("recover", "web").stdout
    assert room.wait_for_recovery("web", times=2)["outcome"] == "exhausted"
    assert said == f"web is being recovered: understudyctl history {room.api.recoveries()[-1]['id']}.\n"
    assert room.api.services()["web"]["state"] == "down"
    assert room.ctl("clear", "web").stdout == "web is cleared.\n"
    assert room.api.services()["web"]["state"] == "stopped"
    assert "virsh start web" in refusal(room, "recover", "web")
    assert room.ctl("recover", "nosuch", check=False).returncode == 3


OUTAGE = "a drill would only cause an outage, which --anyway accepts"


def test_a_drill_after_which_no_machine_would_take_over_is_refused(room):
    assert "no machine can take over web" in refusal(room, "drill", "web")
    assert "understudyctl explain web names each" in refusal(room, "drill", "web")
    assert OUTAGE in refusal(room, "drill", "web", "--wait")
    assert "No machine would take over web: understudyctl explain" in " ".join(room.ctl("services").stdout.split())
    assert "1: 1 up; NO MACHINE WOULD TAKE OVER 1: understudyctl services" in " ".join(room.ctl("status").stdout.split())
    assert "spare is shut off, so it cannot crash" in refusal(room, "drill", "spare")
    assert "spare is shut off, so it cannot crash" in refusal(room, "drill", "spare", "--anyway")
    assert room.api.recoveries() == [] and room.api.machines()["web"]["state"] == "running"
    done = room.ctl("drill", "web", "--anyway", "--wait", check=False)
    assert done.returncode == 1 and "the drill failed: no machine took over" in done.stderr
    assert room.wait_for_recovery("web")["is_drill"]


@pytest.fixture
def pair(make_daemon, tmp_path):
    """web and free serve, and spare stands by for web; with more configuration."""
    uri = testdriver.write_node(tmp_path / "node.xml", {"web": WEB, "spare": WEB, "free": {"language": "php"}}, running=["web", "free"])

    def start(**config):
        return make_daemon(hypervisors=[{"name": "test", "uri": uri}],
                           pool={"protect": ["web"], "standby": ["spare"]}, **config).start()
    return start


def test_a_drill_of_what_is_not_protected_is_refused(pair):
    daemon = pair()
    said = refusal(daemon, "drill", "free")
    assert "it is not protected: name it in pool.protect" in said and OUTAGE in said
    daemon.ctl("drill", "free", "--anyway")
    assert daemon.api.machines()["free"]["state"] == "shut off" and daemon.api.recoveries() == []


def test_a_drill_in_mode_observe_is_refused(pair):
    daemon = pair(mode="observe")
    said = refusal(daemon, "drill", "web")
    assert "until mode: automatic is set and reloaded" in said and OUTAGE in said
    daemon.ctl("drill", "web", "--anyway")
    assert daemon.wait_for_recovery("web")["outcome"] == "observed"


def test_a_drill_that_leaves_no_time_is_wrong_usage(pair):
    """--timeout 0 crashed the machine, and then said that the recovery did not end in time."""
    daemon = pair()
    for more in ([], ["--wait"], ["--wait", "--anyway"]):
        done = daemon.ctl("drill", "web", "--timeout", "0", *more, check=False)
        assert done.returncode == 2 and 'a number of seconds above 0, such as 120, not "0"' in done.stderr
    assert daemon.api.recoveries() == [] and daemon.api.machines()["web"]["state"] == "running"


def test_a_drill_of_what_is_held_is_refused_and_so_is_one_at_the_limit(pair):
    daemon = pair(recovery={"limit": 1, "settle": "200ms"})
    daemon.ctl("hold", "web", "--reason", "mine")
    said = refusal(daemon, "drill", "web")
    assert "it is held: mine; understudyctl release web" in said and OUTAGE in said
    daemon.ctl("drill", "web", "--anyway")
    assert daemon.wait_for_recovery("web")["outcome"] == "failed-while-held"
    daemon.ctl("release", "web")
    daemon.ctl("recover", "web", "--wait")
    said = refusal(daemon, "drill", "spare")
    assert "recovery.limit" in said and "--ignore-limit" in said and OUTAGE in said


def test_a_drill_is_refused_while_the_candidate_is_in_quarantine(pair, tmp_path):
    command = write_program(tmp_path / "verify", '[ "$UNDERSTUDY_REPLACEMENT" = web ]')
    daemon = pair(recovery={"settle": "100ms", "verify": {"level": "command", "command": str(command), "timeout": "1s",
                                                          "interval": "100ms"}})
    daemon.ctl("failover", "web", "--wait", check=False)
    assert daemon.api.services()["web"]["state"] == "up" and not daemon.api.services()["web"]["diverted"]
    said = refusal(daemon, "drill", "web")
    assert "quarantine" in said and OUTAGE in said
    daemon.ctl("clear", "spare")
    daemon.ctl("drill", "web")
    assert daemon.wait_for_recovery("web", times=2)["is_drill"]


def row_of(table, name):
    """The words of the row that begins with the name."""
    return next(line.split() for line in table.splitlines() if line.split()[:1] == [name])


@pytest.fixture
def served_by_spare(make_daemon, tmp_path):
    """spare has taken over web; other could."""
    machines = {"web": WEB, "spare": WEB, "other": WEB}
    uri = testdriver.write_node(tmp_path / "node.xml", machines, running=["web"])
    daemon = make_daemon(hypervisors=[{"name": "test", "uri": uri}],
                         pool={"protect": ["web"], "standby": ["spare", "other"]},
                         recovery={"settle": "100ms"}).start()
    assert "serves itself" in refusal(daemon, "keep", "web")
    daemon.ctl("failover", "web", "--to", "spare", "--wait")
    return daemon


def test_a_replacement_that_is_kept_is_the_service_by_its_name(served_by_spare):
    room = served_by_spare
    done = room.ctl("keep", "web", "--wait")
    assert done.stdout.startswith("spare is to become the original of the service web.\n")
    assert "spare is the original of the service web from now on; web has the role ignored" in " ".join(done.stdout.split())
    service = room.api.services()["web"]
    assert (service["uuid"], service["diverted"]) == (room.api.machine("spare")["uuid"], False)
    # It is named after another machine, so "itself" would name the wrong one.
    assert service["original"] == "spare" and "itself" not in room.ctl("services").stdout
    assert row_of(room.ctl("services").stdout, "web")[:2] == ["web", "spare"]
    assert "service web" in " ".join(row_of(room.ctl("list").stdout, "spare"))
    assert "service web" in " ".join(room.ctl("show", "spare").stdout.split())
    assert (service["state"], service["next"]["name"]) == ("up", "other")
    assert list(room.api.services()) == ["web"]
    assert "web serves itself" in refusal(room, "keep", "web")
    assert "web serves itself" in refusal(room, "failback", "web")

    # The service is found by its name, and not the machine that has it, which is another by now.
    room.ctl("failover", "web", "--wait")
    service = room.api.services()["web"]
    assert service["served_by"]["name"] == "other"
    assert room.api.machine("web")["state"] == "shut off"
    room.ctl("failback", "web", "--wait")
    assert not room.api.services()["web"]["diverted"]
    assert room.api.machine("spare")["state"] == "running"


def test_history_of_an_order_tells_of_no_failure_and_of_no_negative_time(served_by_spare):
    room = served_by_spare
    record = room.api.recoveries()[-1]
    lines = room.ctl("history", record["id"]).stdout.splitlines()
    assert "web on test relieved by spare after" in lines[0]
    steps = [line.split()[0] for line in lines if re.match(r"[a-z]+ +\d\d:\d\d:\d\d\.\d{6} ", line) and line.split()[0] in STEPS]
    assert steps == ["ordered", "decided", "recorded", "confirmed", "started", "settled", "recovered"], lines
    assert "reported the failure" not in "".join(lines) and " -0." not in "".join(lines)
    assert all(span is None or span >= 0 for span in record["times_ms"].values())


STEPS = ("ordered", "detected", "confirmed", "decided", "recorded", "started", "settled", "recovered")


def test_keep_follows_to_the_end(served_by_spare):
    room = served_by_spare
    room.ctl("hold", "web")
    assert "understudyctl release web" in refusal(room, "keep", "web")
    room.ctl("release", "web")
    room.ctl("keep", "spare", "--wait")
    assert room.events.wait_for("kept", "spare")["recovery"]
