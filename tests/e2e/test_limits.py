# SPDX-License-Identifier: LGPL-2.1-or-later
"""What keeps a recovery from doing harm: attempts, the budget of a machine, the brake, conflicts, restarts."""

from harness import domain
from harness.waiting import wait_until

WEB = {"database": "mysql", "language": "nodejs", "webserver": "nginx"}
LESS = {"database": "mysql", "language": "nodejs"}


def candidates(record):
    return {candidate["name"]: candidate for candidate in record["candidates"]}


def test_replacements_that_boot_and_die_are_tried_as_often_as_configured(host, daemon_on):
    for name in ("vm-b", "vm-c", "vm-d"):
        host.define(name, resources=WEB, guest="dying boot sector")
    host.run("vm-a", resources=WEB)
    daemon = daemon_on(recovery={"settle": "10s", "attempts": 2})
    host.kill_qemu("vm-a")
    record = daemon.wait_for_recovery("vm-a")
    assert (record["outcome"], record["replacement"]) == ("exhausted", None)
    assert [attempt["name"] for attempt in record["attempts"]] == ["vm-b", "vm-c"]
    assert all("stopped again" in attempt["error"] for attempt in record["attempts"])
    assert "2 candidates were tried" in record["detail"]
    assert [host.serial(name).boots for name in ("vm-a", "vm-b", "vm-c", "vm-d")] == [1, 1, 1, 0]


def test_what_dies_after_each_recovery_is_stopped_by_the_limit(host, daemon_on):
    for name in ("vm-b", "vm-c"):
        host.define(name, resources=WEB, guest="dying boot sector")
    host.run("vm-a", resources=WEB, role="protected")
    daemon = daemon_on(recovery={"settle": "100ms", "limit": 3})
    host.kill_qemu("vm-a")
    ending = daemon.events.wait_for("exhausted")
    records = daemon.api.recoveries()
    assert [record["outcome"] for record in records] == ["recovered"] * 3 + ["exhausted"]
    assert records[0]["service"] is None and {record["service"]["name"] for record in records[1:]} == {"vm-a"}
    assert "recovery.limit" in ending["text"]
    assert sum(host.serial(name).boots for name in ("vm-a", "vm-b", "vm-c")) == 1 + 3


def test_a_recovery_that_was_stored_by_a_clock_ahead_counts_as_if_it_were_now(host, daemon_on):
    for name in ("vm-b", "vm-c"):
        host.define(name, resources=WEB, role="standby")
    host.run("vm-a", resources=WEB, role="protected")
    daemon = daemon_on(recovery={"settle": "100ms", "limit": 1, "limit_window": "3s"})
    host.kill_qemu("vm-a")
    assert daemon.wait_for_recovery("vm-a")["replacement"] == "vm-b"
    daemon.stop()
    with daemon.database() as database:
        database.execute("UPDATE recoveries SET detected_us = detected_us + 86400000000, document = json_set("
                         "document, '$.detected_us', json_extract(document, '$.detected_us') + 86400000000)")
        database.commit()
    daemon.start()
    wait_until(lambda: "recovery.limit" not in daemon.ctl("explain", "vm-b").stdout, "the window is over")
    host.kill_qemu("vm-b")
    assert daemon.wait_for_recovery("vm-b")["outcome"] == "recovered"


def test_many_failures_at_once_are_held_until_released(host, daemon_on):
    failing = [f"vm-{n}" for n in range(4)]
    spares = [f"spare-{n}" for n in range(4)]
    for name in spares:
        host.define(name, resources=WEB, role="standby")
    for name in (*failing, "vm-9"):
        host.run(name, resources=WEB)
    daemon = daemon_on(recovery={"settle": "200ms", "brake": {"share": 0.5, "minimum": 3}})
    pids = [host.qemu_pid(name) for name in failing]
    host.kill_libvirtd()
    for pid in pids:
        host.kill_process(pid)
    host.start_libvirtd()
    for name in failing:
        daemon.events.wait_for("failure-detected", name)
    daemon.events.wait_for("brake-on")
    # Once this planned stop is seen, so would be what was set off before it.
    host.virsh("destroy", "vm-9")
    daemon.wait_for_machine("vm-9", state="shut off")
    assert [host.serial(name).boots for name in spares] == [0] * 4
    assert [record["outcome"] for record in daemon.api.recoveries()] == ["selecting"] * 4
    assert "brake: the brake is on" in daemon.ctl("status").stdout

    daemon.ctl("release", "brake")
    assert "the brake is on" not in daemon.ctl("status").stdout
    records = [daemon.wait_for_recovery(name) for name in failing]
    assert {(record["outcome"], record["replacement"]) for record in records} == {
        ("recovered", name) for name in spares}
    assert [host.serial(name).boots for name in spares] == [1] * 4


def test_standby_that_shares_with_a_running_machine_is_not_chosen(host, daemon_on):
    mac = "<interface type='user'><mac address='52:54:00:00:00:01'/></interface>"
    host.run("vm-busy", resources={"data": "other"}, devices=mac)
    host.define("vm-disk", resources=WEB, devices=domain.disk_xml(host.image("vm-busy"), "hdb"))
    host.define("vm-mac", resources=WEB, devices=mac)
    host.define("vm-less", resources=LESS)
    host.run("vm-a", resources=WEB)
    daemon = daemon_on()
    host.kill_qemu("vm-a")
    record = daemon.wait_for_recovery("vm-a")
    assert (record["outcome"], record["replacement"]) == ("recovered", "vm-less")
    assert f"{host.image('vm-busy')} is in use by vm-busy" in candidates(record)["vm-disk"]["reason"]
    assert "52:54:00:00:00:01 is in use by vm-busy" in candidates(record)["vm-mac"]["reason"]


def test_standby_with_the_disk_of_the_failed_machine_is_chosen(host, daemon_on):
    host.run("vm-a", resources=WEB)
    host.define("vm-less", resources=LESS)
    host.define("vm-twin", resources=WEB, devices=domain.disk_xml(host.image("vm-a"), "hdb"))
    daemon = daemon_on()
    host.kill_qemu("vm-a")
    record = daemon.wait_for_recovery("vm-a")
    assert (record["outcome"], record["replacement"]) == ("recovered", "vm-twin")
    host.serial("vm-twin").wait_for("is up")


def test_failed_machine_is_started_again_when_no_candidate_is_left(host, daemon_on):
    host.run("vm-a", resources=WEB)
    daemon = daemon_on(recovery={"settle": "200ms", "when_exhausted": "restart", "restart_backoff": "100ms"})
    host.kill_qemu("vm-a")
    record = daemon.wait_for_recovery("vm-a")
    assert (record["outcome"], record["replacement"], record["restarts"]) == ("recovered", "vm-a", 1)
    wait_until(lambda: host.serial("vm-a").boots == 2, "it was started again")
    assert host.state("vm-a")[0] == "running"


def test_original_that_crashes_repeatedly_is_started_again_and_then_replaced(host, daemon_on):
    host.define("spare", resources=WEB, role="standby")
    host.run("vm-a", resources=WEB, role="protected")
    daemon = daemon_on(recovery={"settle": "200ms", "order": "original", "restart_attempts": 2, "limit": 1})
    assert "vm-a itself is started again first" in daemon.ctl("explain", "vm-a").stdout
    for times in (1, 2):
        host.kill_qemu("vm-a")
        daemon.events.wait_for("recovered", "vm-a", times=times)
        wait_until(lambda: host.serial("vm-a").boots == times + 1, "it was started again")
    assert host.serial("spare").boots == 0
    host.kill_qemu("vm-a")
    daemon.events.wait_for("recovered", "vm-a", times=3)
    records = daemon.api.recoveries()
    assert [record["replacement"] for record in records] == ["vm-a", "vm-a", "spare"]
    assert [host.state(name)[0] for name in ("vm-a", "spare")] == ["shut off", "running"]


def test_one_of_two_is_shut_down_and_a_guest_that_ignores_it_is_destroyed(host, daemon_on):
    """An image without a boot sector: its firmware waits, and does not know the power button."""
    host.define("spare", resources=WEB, role="standby")
    host.run("vm-a", resources=WEB, role="protected")
    daemon = daemon_on(when_both_run="stop-original", recovery={"settle": "200ms", "shutdown_timeout": "15s"})
    host.kill_qemu("vm-a")
    daemon.events.wait_for("recovered", "vm-a")
    host.start("vm-a")
    assert "was shut down" in daemon.events.wait_for("both-resolved", seconds=60)["text"]
    assert host.state("vm-a") == ("shut off", "shutdown")

    with open(host.image("vm-a"), "r+b") as image:
        image.write(bytes(512))
    host.start("vm-a")
    daemon.events.wait_for("both-run", times=2)
    assert "was destroyed" in daemon.events.wait_for("both-resolved", times=2, seconds=60)["text"]
    assert host.state("vm-a") == ("shut off", "destroyed")
    assert host.state("spare")[0] == "running"
