# SPDX-License-Identifier: LGPL-2.1-or-later
"""A machine dies and the most similar one takes over: real QEMU, each way of dying."""

import signal

import pytest

from harness.waiting import wait_until

WEB = {"database": "mysql", "language": "nodejs", "webserver": "nginx"}
# From the paper's Table 2: the first is the best match for WEB, the second is eligible, the third is not.
BEST = {"database": ["mysql", "postgresql"], "language": "nodejs", "webserver": ["nginx", "apache"]}
SECOND = {"database": "postgresql", "language": "nodejs", "webserver": "apache"}
NOT_SIMILAR = {"webserver": "nginx"}


def define_room(host, guest="boot sector", on_crash="destroy", role=None):
    """vm-a runs; vm-best, vm-second and vm-other stand by."""
    host.define("vm-other", resources=NOT_SIMILAR)
    host.define("vm-second", resources=SECOND)
    host.define("vm-best", resources=BEST, guest=guest)
    host.run("vm-a", resources=WEB, on_crash=on_crash, role=role)


def check_best_took_over(host, daemon, cause):
    record = daemon.wait_for_recovery("vm-a")
    assert (record["outcome"], record["cause"], record["replacement"]) == ("recovered", cause, "vm-best")
    host.serial("vm-best").wait_for("is up")
    assert host.state("vm-best")[0] == "running"
    assert [host.serial(name).boots for name in ("vm-a", "vm-best", "vm-second", "vm-other")] == [1, 1, 0, 0]
    return record


def test_userspace_of_the_replacement_comes_up_after_sigkill(host, daemon_on):
    define_room(host, guest="linux")
    daemon = daemon_on()
    host.kill_qemu("vm-a")
    check_best_took_over(host, daemon, "process-died")
    host.serial("vm-best").wait_for("userspace is up")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT], ids=lambda number: number.name)
def test_qemu_dies_of_a_signal(host, daemon_on, number):
    define_room(host)
    daemon = daemon_on()
    host.kill_qemu("vm-a", number)
    check_best_took_over(host, daemon, "process-died")


def test_qemu_is_terminated_from_the_host(host, daemon_on):
    define_room(host)
    daemon = daemon_on()
    host.kill_qemu("vm-a", signal.SIGTERM)
    check_best_took_over(host, daemon, "host-kill")


def test_guest_panics(host, daemon_on):
    define_room(host)
    daemon = daemon_on()
    host.serial("vm-a").say("p")
    check_best_took_over(host, daemon, "guest-panicked")
    assert daemon.events.about("vm-a").count("failure-detected") == 1


def test_remains_of_a_panic_are_destroyed_before_the_replacement_starts(host, daemon_on):
    define_room(host, on_crash="preserve")
    daemon = daemon_on()
    remains = host.qemu_pid("vm-a")
    host.serial("vm-a").say("p")
    check_best_took_over(host, daemon, "panic-preserved")
    assert not host.process_exists(remains)
    assert host.state("vm-a")[0] == "shut off"


def test_panic_with_restart_is_no_failure_until_it_loops(host, daemon_on):
    define_room(host, on_crash="restart")
    daemon = daemon_on(failure={"panic_limit": 3})
    for count in (1, 2):
        host.serial("vm-a").say("p")
        daemon.events.wait_for("event-noted", "vm-a", times=count)
        host.wait_for_reset("vm-a", count)
        assert daemon.api.recoveries() == []
    host.serial("vm-a").say("p")
    record = daemon.wait_for_recovery("vm-a")
    assert (record["outcome"], record["cause"], record["replacement"]) == ("recovered", "panic-loop", "vm-best")
    assert host.state("vm-a")[0] == "shut off"


def test_one_reset_that_the_firmware_repeats_counts_once(host, daemon_on):
    """SeaBIOS resets the machine once more while it boots, and libvirt tells of each."""
    define_room(host)
    host.run("vm-witness", resources={"database": "ledger"})
    daemon = daemon_on(failure={"reboot_limit": 2})
    host.virsh("reset", "vm-a")
    wait_until(lambda: daemon.log.count("vm-a: reboot") >= 2, "the reset is told twice")
    host.wait_for_reset("vm-a", 1)
    host.kill_qemu("vm-witness")
    assert daemon.wait_for_recovery("vm-witness")["outcome"] == "exhausted"
    assert [record["failed"] for record in daemon.api.recoveries()] == ["vm-witness"]


def test_replacement_that_crashes_is_replaced_in_turn(host, daemon_on):
    define_room(host, role="protected")
    host.define("vm-spare", resources=BEST)
    daemon = daemon_on()
    host.kill_qemu("vm-a")
    check_best_took_over(host, daemon, "process-died")
    host.kill_qemu("vm-best")
    record = daemon.wait_for_recovery("vm-best")
    assert (record["outcome"], record["replacement"]) == ("recovered", "vm-spare")
    assert record["service"]["name"] == "vm-a"


def test_original_takes_its_service_back_when_the_replacement_crashes(host, daemon_on):
    define_room(host)
    daemon = daemon_on()
    host.kill_qemu("vm-a")
    check_best_took_over(host, daemon, "process-died")
    host.kill_qemu("vm-best")
    record = daemon.wait_for_recovery("vm-best")
    assert (record["outcome"], record["replacement"]) == ("recovered", "vm-a")
    assert daemon.api.machines()["vm-a"]["served_by"] is None


def test_no_candidate_is_similar_enough(host, daemon_on):
    host.define("vm-other", resources=NOT_SIMILAR)
    host.run("vm-a", resources=WEB)
    daemon = daemon_on()
    host.kill_qemu("vm-a")
    record = daemon.wait_for_recovery("vm-a")
    assert (record["outcome"], record["replacement"]) == ("exhausted", None)
    assert [candidate["eligible"] for candidate in record["candidates"]] == [False]
    assert host.serial("vm-other").boots == 0


def test_candidate_that_cannot_start_is_passed_over(host, daemon_on):
    define_room(host)
    (host.home / "images/vm-best.img").unlink()
    daemon = daemon_on()
    host.kill_qemu("vm-a")
    record = daemon.wait_for_recovery("vm-a")
    assert (record["outcome"], record["replacement"]) == ("recovered", "vm-second")
    assert [attempt["name"] for attempt in record["attempts"]] == ["vm-best", "vm-second"]
    assert record["attempts"][0]["error"] and not record["attempts"][1]["error"]


def test_what_an_operator_suspended_is_not_resumed(host, daemon_on):
    define_room(host)
    host.run("vm-warm", resources=BEST, role="standby")
    host.virsh("suspend", "vm-warm")
    daemon = daemon_on()
    host.kill_qemu("vm-a")
    record = daemon.wait_for_recovery("vm-a")
    assert (record["outcome"], record["replacement"]) == ("recovered", "vm-best")
    assert host.state("vm-warm") == ("paused", "user")


def test_observe_decides_and_starts_nothing(host, daemon_on):
    define_room(host)
    daemon = daemon_on(mode="observe")
    host.kill_qemu("vm-a")
    record = daemon.wait_for_recovery("vm-a")
    assert record["outcome"] == "observed"
    eligible = [candidate["name"] for candidate in record["candidates"] if candidate["eligible"]]
    assert eligible == ["vm-best", "vm-second"]
    assert all(host.serial(name).boots == 0 for name in ("vm-best", "vm-second", "vm-other"))


def test_two_machines_crash_at_once_and_one_candidate_fits_both(host, daemon_on):
    host.define("vm-best", resources=WEB)
    host.define("vm-second", resources=SECOND)
    for name in ("vm-a", "vm-b"):
        host.run(name, resources=WEB)
    daemon = daemon_on()
    for pid in [host.qemu_pid("vm-a"), host.qemu_pid("vm-b")]:
        host.kill_process(pid)
    records = [daemon.wait_for_recovery(name) for name in ("vm-a", "vm-b")]
    assert [record["outcome"] for record in records] == ["recovered", "recovered"]
    assert {record["replacement"] for record in records} == {"vm-best", "vm-second"}
    assert [host.serial(name).boots for name in ("vm-best", "vm-second")] == [1, 1]


def test_two_machines_crash_at_once_and_there_is_one_candidate(host, daemon_on):
    host.define("vm-best", resources=WEB)
    for name in ("vm-a", "vm-b"):
        host.run(name, resources=WEB)
    daemon = daemon_on()
    for pid in [host.qemu_pid("vm-a"), host.qemu_pid("vm-b")]:
        host.kill_process(pid)
    records = [daemon.wait_for_recovery(name) for name in ("vm-a", "vm-b")]
    assert sorted((record["outcome"], record["replacement"] or "") for record in records) == [
        ("exhausted", ""), ("recovered", "vm-best")]
    assert host.serial("vm-best").boots == 1


def test_service_is_rescued_twice_by_machines_that_only_stand_by(host, daemon_on):
    """With separate patterns, as the README has it: what replaces web-1 is protected while it does."""
    for name in ("spare-1", "spare-2"):
        host.define(name, resources=WEB)
    host.run("web-1", resources=WEB)
    daemon = daemon_on(pool={"protect": ["web-*"], "standby": ["spare-*"]})
    host.kill_qemu("web-1")
    first = daemon.wait_for_recovery("web-1")["replacement"]
    host.serial(first).wait_for("is up")
    host.kill_qemu(first)
    record = daemon.wait_for_recovery(first)
    assert (record["outcome"], record["service"]["name"]) == ("recovered", "web-1")
    assert {first, record["replacement"]} == {"spare-1", "spare-2"}
    service = daemon.api.services()["web-1"]
    assert (service["state"], service["served_by"]["name"]) == ("up", record["replacement"])
    assert [host.serial(name).boots for name in ("web-1", "spare-1", "spare-2")] == [1, 1, 1]
