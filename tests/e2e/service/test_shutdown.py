# SPDX-License-Identifier: LGPL-2.1-or-later
"""A host that goes down, with its machines running: nothing of that is a failure, then or after it is up again."""

import pytest

from steps import DECIDED, FAILURE_DETECTED, HOST_SHUTDOWN, KILL_WEB_1, STOP_PLANNED, running


def assert_nothing_was_recovered(room):
    for message in (FAILURE_DETECTED, DECIDED):
        assert room.journal("-q", f"MESSAGE_ID={message}") == ""


# By logind, as systemctl and the power button do, and by a signal that it never hears of.
@pytest.mark.parametrize("command", ["systemctl --no-block poweroff", "kill -s RTMIN+4 1"])
def test_a_host_that_shuts_down_is_no_failure(room, command):
    room.write("etc/default/libvirt-guests", "ON_BOOT=start\nON_SHUTDOWN=shutdown\n")
    room.run("systemctl is-enabled libvirt-guests && virsh -q start web-3")
    room.power_off(command)
    log = room.journal()
    if "poweroff" in command:
        assert "this host is shutting down" in log
    for name in ("web-1", "web-3"):
        assert f"Shutdown of guest {name} complete" in log
    assert log.index("Stopped understudyd.service") < log.index("Stopping libvirt-guests.service")
    assert_nothing_was_recovered(room)

    room.boot()
    room.wait_until("systemctl is-active understudyd")
    assert running(room) == {"web-1", "web-3"}  # libvirt-guests has started them again
    assert_nothing_was_recovered(room)


def test_a_machine_that_ends_while_the_host_waits_to_shut_down_is_no_failure(room):
    """
    logind tells of a shutdown first and then waits for those who have asked it to. What a signal ends meanwhile is
    planned, although the daemon still watches.
    """
    room.write("etc/systemd/logind.conf.d/patient.conf", "[Login]\nInhibitDelayMaxSec=60\n")
    room.run("systemctl restart systemd-logind")
    room.run("systemd-run -q --unit=waiter systemd-inhibit --what=shutdown --mode=delay --who=waiter sleep infinity")
    room.wait_until("systemd-inhibit --list | grep waiter")
    room.run("systemctl --no-block poweroff")
    room.wait_until(f"journalctl -u understudyd MESSAGE_ID={HOST_SHUTDOWN} | grep 'is shutting down'")
    room.run("kill -TERM $(cat /run/libvirt/qemu/web-1.pid)")
    room.wait_until(f"journalctl -u understudyd MESSAGE_ID={STOP_PLANNED} | grep web-1")
    assert room.run("systemctl is-active understudyd") == "active\n"
    room.power_off("systemctl --no-block stop waiter")
    assert_nothing_was_recovered(room)


def test_a_host_that_shuts_down_without_libvirt_guests_is_no_failure(room):
    """Then systemd itself ends the machines, by SIGTERM to the scopes that libvirt has put them into."""
    room.run("systemctl disable --now libvirt-guests && virsh -q start web-1 && virsh -q start web-3", 120)
    room.power_off()
    log = room.journal()
    assert log.index("Stopped understudyd.service") < log.index("Stopping machine-qemu")
    assert_nothing_was_recovered(room)

    room.boot()
    room.wait_until("systemctl is-active understudyd")
    assert "3 machines on 1 of 1 hypervisors, 0 recoveries under way" in room.run("systemctl status understudyd")
    assert running(room) == set()
    assert_nothing_was_recovered(room)


@pytest.mark.parametrize("goes_down", ["power_off", "lose_power"])
def test_a_held_host_that_is_booted_has_nothing_started(room, goes_down):
    """In order or not, and although one of its machines crashed before: the hold is still there, and what is down stays so."""
    room.run("systemctl disable --now libvirt-guests && virsh -q start web-1 && virsh -q start web-3", 120)
    room.wait_until("understudyctl services | grep -w up")
    room.run("understudyctl hold local --reason 'new kernel'")
    room.run(KILL_WEB_1)
    room.wait_until("understudyctl history | grep failed-while-held")
    getattr(room, goes_down)()
    room.boot()
    room.wait_until("systemctl is-active understudyd && understudyctl status --wait")
    holds = room.run("understudyctl holds")
    assert "local" in holds and "new kernel" in holds
    room.run("understudyctl release local")
    room.wait_until("understudyctl services | grep -w down")
    assert running(room) == set()
    assert room.journal("-q", f"MESSAGE_ID={DECIDED}") == ""

    room.run("understudyctl recover web-1 --wait")
    assert running(room) in ({"web-2"}, {"web-3"})
