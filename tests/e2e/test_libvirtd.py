# SPDX-License-Identifier: LGPL-2.1-or-later
"""No crash is missed across a restart of libvirtd, of the daemon, or while the connection was lost."""

WEB = {"database": "mysql", "language": "nodejs", "webserver": "nginx"}


def define_room(host):
    host.define("vm-standby", resources=WEB)
    host.define("vm-spare", resources=WEB)
    host.run("vm-a", resources=WEB)


def check_recovered_once(host, daemon):
    record = daemon.wait_for_recovery("vm-a")
    assert (record["outcome"], record["replacement"]) == ("recovered", "vm-spare")
    assert [host.serial(name).boots for name in ("vm-standby", "vm-spare")] == [0, 1]
    assert [entry["failed"] for entry in daemon.api.recoveries()] == ["vm-a"]
    return record


def test_machine_dies_while_libvirtd_is_dead(host, daemon_on):
    define_room(host)
    daemon = daemon_on()
    pid = host.qemu_pid("vm-a")
    host.kill_libvirtd()
    daemon.events.wait_for("hypervisor-down")
    host.kill_process(pid)
    host.start_libvirtd()
    check_recovered_once(host, daemon)


def test_machine_dies_after_libvirtd_was_restarted(host, daemon_on):
    define_room(host)
    daemon = daemon_on()
    host.kill_libvirtd()
    host.start_libvirtd()
    daemon.events.wait_for("hypervisor-up", times=2)
    host.kill_qemu("vm-a")
    # libvirtd may still be connecting to it, and then tells nothing: the second listing finds that.
    assert check_recovered_once(host, daemon)["cause"] in ("process-died", "found-crashed")


def test_restart_of_libvirtd_alone_is_no_failure(host, daemon_on):
    define_room(host)
    daemon = daemon_on()
    for restarts in (1, 2):
        host.kill_libvirtd()
        host.start_libvirtd()
        daemon.events.wait_for("hypervisor-up", times=restarts + 1)
    assert daemon.api.recoveries() == []
    assert daemon.api.machines()["vm-a"]["state"] == "running"


def test_daemon_is_started_before_libvirtd(host, make_daemon):
    define_room(host)
    host.kill_libvirtd()
    daemon = make_daemon(host).start(wait=False)
    daemon.wait_until_listening()
    assert daemon.api.status()["hypervisors"][0]["connected"] is False
    host.start_libvirtd()
    daemon.wait_until_ready()
    daemon.wait_for_machine("vm-a", state="running")
    host.kill_qemu("vm-a")
    check_recovered_once(host, daemon)


def test_machine_dies_while_libvirtd_hangs(host, daemon_on):
    define_room(host)
    daemon = daemon_on()
    pid = host.qemu_pid("vm-a")
    host.pause_libvirtd()
    host.kill_process(pid)
    assert daemon.api.status()["mode"] == "automatic"  # the control interface does not hang with it
    host.continue_libvirtd()
    check_recovered_once(host, daemon)


def test_crashes_of_long_ago_are_left_alone_at_the_first_start(host, daemon_on):
    define_room(host)
    host.kill_qemu("vm-a")
    host.wait_for_state("vm-a", "shut off")
    daemon = daemon_on()
    host.run("vm-witness", resources={"database": "ledger"})
    daemon.wait_for_machine("vm-witness", state="running")
    host.kill_qemu("vm-witness")
    assert daemon.wait_for_recovery("vm-witness")["outcome"] == "exhausted"
    assert [entry["failed"] for entry in daemon.api.recoveries()] == ["vm-witness"]
    assert [host.serial(name).boots for name in ("vm-standby", "vm-spare")] == [0, 0]
