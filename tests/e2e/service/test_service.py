# SPDX-License-Identifier: LGPL-2.1-or-later
"""The package as an administrator meets it: installed, started, reloaded, stopped, upgraded and purged."""

import json
import re

import pytest

FAILURE_DETECTED = "2b9b2e3a82184437ad6643f80e6b6908"
DECIDED = "5333ac2a3ab744a495ef00c09c012951"
CALL_HANGS = "9e04222523684de29739a2286e65a29a"
RELOAD_FAILED = "5621526f8ffe4096b24843f8aba06dd2"
RESUMED = "d5121efe46584020ac138cefd5606e02"
RECOVERED = "8e1475b535c94395a8c21c273b0b6b98"
SCORE_MAX = 1.5
KILL_WEB_1 = "kill -KILL $(cat /run/libvirt/qemu/web-1.pid)"


def wait_until_recovered(room):
    """The only recovery there is, once it has ended well."""
    room.wait_until("understudyctl history | grep -w recovered")
    [recovery] = json.loads(room.run("understudyctl history --json"))
    return recovery


def running(room):
    return set(room.run("virsh -q list --name").split())


def test_a_crash_is_recovered_and_told_in_the_journal(room):
    status = room.run("systemctl status understudyd")
    assert "3 machines on 1 of 1 hypervisors, 0 recoveries under way" in status
    room.run(KILL_WEB_1)
    wait_until_recovered(room)
    assert running(room) == {"web-2"}

    [entry] = map(json.loads, room.run(f"journalctl -u understudyd MESSAGE_ID={RECOVERED} -o json").splitlines())
    assert entry["UNDERSTUDY_MACHINE"] == "web-1"
    assert entry["UNDERSTUDY_REPLACEMENT"] == "web-2"
    assert entry["UNDERSTUDY_HYPERVISOR"] == "local"
    assert entry["UNDERSTUDY_CAUSE"] == "process-died"
    assert float(entry["UNDERSTUDY_OVERLAP"]) == 1.0
    assert int(entry["UNDERSTUDY_DURATION_USEC"]) > 1_000_000  # it had to stay up for a second
    explained = room.run(f"journalctl -u understudyd -x MESSAGE_ID={RECOVERED}")
    assert "The failure of web-1 is recovered" in explained and "At a quiet hour" in explained
    assert f"understudyctl history {entry['UNDERSTUDY_RECOVERY']}" in explained


def test_it_runs_as_its_own_user_in_a_tight_sandbox(room):
    assert room.run("stat -c %U /proc/$(systemctl show -P MainPID understudyd)") == "understudy\n"
    overall = room.run("systemd-analyze security --no-pager understudyd | tail -1")
    print(overall)
    assert float(re.search(r": ([\d.]+) ", overall)[1]) <= SCORE_MAX
    assert room.run("stat -c '%U %G %a' /run/understudy/api.sock").split()[1:] == ["understudy", "660"]
    assert room.try_run("runuser -u nobody understudyctl status").returncode != 0


def test_a_rehearsal_gets_through_the_sandbox(room):
    """libvirtd writes the core into a FIFO below /run/understudy, from outside."""
    room.run("understudyctl drill web-1 --yes")
    assert wait_until_recovered(room)["cause"] == "crashed"
    assert running(room) == {"web-2"}


def test_reload_takes_a_good_file_and_refuses_a_bad_one(room):
    config = room.run("cat /etc/understudy/understudy.yaml")
    room.write("etc/understudy/understudy.yaml", config + "mode: observe\n")
    room.run("systemctl reload understudyd")
    room.wait_until("systemctl show -P StatusText understudyd | grep '^observing only'")

    pid = room.run("systemctl show -P MainPID understudyd")
    room.write("etc/understudy/understudy.yaml", config + "nonsense: 1\n")
    assert room.try_run("systemctl reload understudyd").returncode != 0
    status = room.wait_until("systemctl show -P StatusText understudyd | grep 'reload failed'")
    assert status.startswith("observing only") and "unknown key 'nonsense'" in status
    assert "unknown key 'nonsense'" in room.journal("-u", "understudyd", f"MESSAGE_ID={RELOAD_FAILED}")
    assert room.run("systemctl is-active understudyd; systemctl show -P MainPID understudyd") == f"active\n{pid}"

    room.write("etc/understudy/understudy.yaml", config)
    room.run("systemctl reload understudyd")
    room.wait_until("systemctl show -P StatusText understudyd | grep '^3 machines'")


def test_a_restart_in_the_middle_of_a_recovery_starts_nobody_twice(room):
    room.write("etc/understudy/understudy.yaml",
               room.run("cat /etc/understudy/understudy.yaml").replace("settle: 1s", "settle: 8s"))
    room.run("systemctl restart understudyd")
    room.run(KILL_WEB_1)
    room.wait_until("understudyctl history | grep -w settling")
    room.run("systemctl restart understudyd")
    wait_until_recovered(room)
    assert running(room) == {"web-2"}
    assert "goes on" in room.journal("-u", "understudyd", f"MESSAGE_ID={RESUMED}")


def test_what_crashes_while_the_daemon_is_stopped_is_recovered_at_its_start(room):
    room.run("systemctl stop understudyd")
    room.run(KILL_WEB_1)
    room.wait_until("virsh domstate web-1 --reason | grep crashed")
    room.run("systemctl start understudyd")
    wait_until_recovered(room)
    assert running(room) == {"web-2"}


def test_a_hypervisor_out_of_reach_holds_up_neither_the_start_nor_the_others(room):
    config = room.run("cat /etc/understudy/understudy.yaml")
    gone = '  - {name: gone, uri: "qemu+unix:///system?socket=/run/nobody"}\n'
    room.write("etc/understudy/understudy.yaml", config.replace("recovery:", gone + "recovery:"))
    room.run("systemctl restart understudyd", 30)
    assert "3 machines on 1 of 2 hypervisors" in room.run("systemctl show -P StatusText understudyd")
    room.run(KILL_WEB_1)
    wait_until_recovered(room)


def test_no_client_starts_what_was_stopped(room):
    room.run("systemctl stop understudyd")
    room.wait_until("test ! -e /run/understudy/api.sock")
    assert room.try_run("understudyctl status").returncode == 1
    assert room.try_run("systemctl is-active understudyd").stdout == "inactive\n"


def test_clients_wait_while_the_daemon_is_restarted(room):
    """The socket is systemd's: whoever connects in between is answered afterwards."""
    done = room.run("systemctl restart --no-block understudyd; for i in $(seq 20); do "
                    "understudyctl status >/dev/null || exit 1; done; echo always")
    assert done == "always\n"


def test_the_watchdog_restarts_a_wedged_daemon(room):
    room.write("etc/systemd/system/understudyd.service.d/watchdog.conf", "[Service]\nWatchdogSec=3s\n")
    room.run("systemctl daemon-reload && systemctl restart understudyd")
    room.run(f"kill -STOP $(systemctl show -P MainPID understudyd) && {KILL_WEB_1}")
    room.wait_until("test $(systemctl show -P NRestarts understudyd) = 1")
    wait_until_recovered(room)
    assert "Watchdog timeout" in room.journal("-u", "understudyd")
    assert running(room) == {"web-2"}


def assert_nothing_was_recovered(room):
    for message in (FAILURE_DETECTED, DECIDED):
        assert room.journal("-q", f"MESSAGE_ID={message}") == ""


def test_a_call_to_libvirt_that_hangs_ends_in_a_restart(room):
    room.write("etc/understudy/understudy.yaml", room.run("cat /etc/understudy/understudy.yaml")
               .replace("settle: 1s", "call_timeout: 1s"))
    room.write("etc/systemd/system/understudyd.service.d/watchdog.conf", "[Service]\nWatchdogSec=3s\n")
    room.run("systemctl daemon-reload && systemctl restart understudyd")
    room.run("kill -STOP $(systemctl show -P MainPID libvirtd)")
    room.try_run("timeout 2 understudyctl drill web-1 --yes")
    room.wait_until("test $(systemctl show -P NRestarts understudyd) -ge 1")
    assert "a hypervisor call hangs" in room.journal("-u", "understudyd", f"MESSAGE_ID={CALL_HANGS}")
    room.run("kill -CONT $(systemctl show -P MainPID libvirtd)")
    room.wait_until("systemctl show -P StatusText understudyd | grep '1 of 1'")


def test_a_host_that_shuts_down_is_no_failure(room):
    room.run("systemctl is-enabled libvirt-guests && virsh -q start web-3")
    room.power_off()
    log = room.journal()
    for each in ("this host is shutting down", "Shutdown of guest web-1 complete", "Shutdown of guest web-3 complete"):
        assert each in log
    assert log.index("Stopped understudyd.service") < log.index("Stopping libvirt-guests.service")
    assert_nothing_was_recovered(room)


def test_a_host_that_shuts_down_without_libvirt_guests_is_no_failure(room):
    """Then systemd itself ends the machines, by SIGTERM to the scopes that libvirt has put them into."""
    room.run("systemctl disable --now libvirt-guests && virsh -q start web-1 && virsh -q start web-3", 120)
    room.power_off()
    log = room.journal()
    assert log.index("Stopped understudyd.service") < log.index("Stopping machine-qemu")
    assert_nothing_was_recovered(room)


@pytest.mark.parametrize("daemon_runs", [True, False])
def test_an_upgrade_keeps_what_the_administrator_has_set(room, daemon_runs):
    config = room.run("cat /etc/understudy/understudy.yaml")
    before = room.run("systemctl show -P MainPID understudyd")
    if not daemon_runs:
        room.run("systemctl stop understudyd")
    room.run("dpkg-deb -R /srv/understudy.deb /srv/next && sed -i 's/^Version: .*/&+1/' /srv/next/DEBIAN/control && "
             "dpkg-deb -b /srv/next /srv/next.deb && dpkg -i --force-confdef /srv/next.deb", 120)
    assert room.run("cat /etc/understudy/understudy.yaml") == config
    assert room.run("systemctl is-enabled understudyd") == "enabled\n"
    if daemon_runs:
        room.wait_until("systemctl is-active understudyd")
        assert room.run("systemctl show -P MainPID understudyd") != before
    else:
        assert room.try_run("systemctl is-active understudyd").stdout == "inactive\n"


def test_purge_leaves_nothing(room):
    room.run("dpkg --purge understudy", 120)
    assert room.try_run("systemctl is-active understudyd understudyd.socket").stdout.split() == ["inactive"] * 2
    left = room.run("find / -xdev -path /proc -prune -o -path /sys -prune -o -path /srv -prune -o -path /var/lib/dpkg "
                    "-prune -o -path /var/log -prune -o -iname '*understudy*' -print")
    assert left == ""


def test_a_hook_gets_out_of_the_sandbox_by_a_unit_of_its_own(room):
    room.write("etc/systemd/system/understudy-hook-note@.service",
               "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'id -un >/srv/notes/%i'\n")
    room.write("etc/systemd/system/other.service", "[Service]\nType=oneshot\nExecStart=/bin/touch /srv/notes/other\n")
    room.write("etc/understudy/hooks.d/10-note",
               '#!/bin/sh\n[ "$1" = recovered ] || exit 0\ntouch /srv/notes/direct\nsystemctl start other.service\n'
               'exec systemctl start "understudy-hook-note@$UNDERSTUDY_RECOVERY.service"\n', 0o755)
    room.run("mkdir /srv/notes && systemctl daemon-reload")
    room.run(KILL_WEB_1)
    recovery = wait_until_recovered(room)
    assert room.wait_until(f"cat /srv/notes/{recovery['id']}") == "root\n"
    assert room.run("ls /srv/notes") == recovery["id"] + "\n"
