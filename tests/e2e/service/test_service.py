# SPDX-License-Identifier: LGPL-2.1-or-later
"""The service as an administrator meets it: started, reloaded, stopped, restarted, and hung."""

import json
import re

import pytest

from steps import (CALL_HANGS, KILL_WEB_1, NEEDS_RESTART, RECOVERED, RELOAD_FAILED, RESUMED, configure, drop_in,
                   running, status_text, wait_until_recovered)


def test_a_crash_is_recovered_and_told_in_the_journal(room):
    status = room.run("systemctl status understudyd")
    assert "3 machines on 1 of 1 hypervisors, 0 recoveries under way" in status
    room.run(KILL_WEB_1)
    recovery = wait_until_recovered(room)
    assert running(room) == {"web-2"}

    shown = room.run(f"journalctl -u understudyd MESSAGE_ID={RECOVERED} -o verbose")
    entry = dict(re.findall(r"^ +UNDERSTUDY_(\w+)=(.*)$", shown, re.MULTILINE))
    assert (entry["MACHINE"], entry["REPLACEMENT"], entry["HYPERVISOR"]) == ("web-1", "web-2", "local")
    assert (entry["RECOVERY"], entry["UUID"]) == (recovery["id"], recovery["uuid"])
    assert entry["CAUSE"] == "process-died"
    assert [float(entry[field]) for field in ("SIMILARITY", "COVERAGE", "OVERLAP")] == [1, 1, 1]
    assert int(entry["DURATION_USEC"]) > int(entry["SETTLE_USEC"]) >= 1_000_000  # it had to stay up for a second
    assert sum(int(entry[f"{part}_USEC"]) for part in ("CONFIRM", "DECIDE", "START", "SETTLE", "VERIFY")) == int(
        entry["DURATION_USEC"])

    explained = room.run(f"journalctl -u understudyd -x MESSAGE_ID={RECOVERED}")
    assert "The failure of web-1 is recovered" in explained and "find out why web-1 failed" in explained
    assert f"understudyctl history {recovery['id']}" in explained
    room.run("localedef -i ko_KR -f UTF-8 ko_KR.UTF-8")
    korean = room.run(f"LC_ALL=ko_KR.UTF-8 journalctl -x MESSAGE_ID={RECOVERED}")
    assert "web-1" in korean and "복구" in korean


def test_reload_takes_a_good_file_and_refuses_a_bad_one(room):
    config = configure(room, "hypervisors:", "mode: observe\nhypervisors:")
    room.run("systemctl reload understudyd")
    assert status_text(room).startswith("observing only")

    pid = room.run("systemctl show -P MainPID understudyd")
    room.write("etc/understudy/understudy.yaml", config + "nonsense: 1\n")
    assert room.try_run("systemctl reload understudyd").returncode != 0
    status = status_text(room)
    assert status.startswith("observing only") and "reload failed" in status and "unknown key 'nonsense'" in status
    assert "unknown key 'nonsense'" in room.journal("-u", "understudyd", f"MESSAGE_ID={RELOAD_FAILED}")
    assert room.run("systemctl is-active understudyd; systemctl show -P MainPID understudyd") == f"active\n{pid}"

    room.write("etc/understudy/understudy.yaml", config)
    room.run("systemctl reload understudyd")
    assert status_text(room).startswith("3 machines")


def test_everything_that_is_configured_is_reloaded(room):
    pid = room.run("systemctl show -P MainPID understudyd")
    room.write("etc/understudy/other.d/pre-start/10-veto", "#!/bin/sh\necho vetoed $UNDERSTUDY_REPLACEMENT\nexit 1\n", 0o755)
    room.write("etc/understudy/understudy.yaml", """hypervisors:
  - {name: here, uri: "qemu:///system"}
pool: {ignore: ["web-3"]}
similarity: {threshold: 0.75, weights: {resource: {language: 1}}}
hooks: {directory: /etc/understudy/other.d}
""")
    room.run("systemctl reload understudyd")
    room.wait_until("systemctl show -P StatusText understudyd | grep '^3 machines on 1 of 1'")
    explained = json.loads(room.run("understudyctl explain here/web-1 --json"))
    assert explained["threshold"] == 0.75
    assert [each["name"] for each in explained["candidates"]] == ["web-2"]
    room.run(KILL_WEB_1)
    room.wait_until("understudyctl history | grep -w exhausted")
    assert "vetoed web-2" in room.journal("-u", "understudyd")
    assert running(room) == set()
    assert room.run("systemctl show -P MainPID understudyd") == pid


def test_what_needs_a_restart_is_said(room):
    before = configure(room, "hypervisors:", "state_dir: /var/lib/understudy/other\nhypervisors:")
    room.run("systemctl reload understudyd")
    assert "a restart is needed for state_dir" in status_text(room)
    assert "state_dir" in room.journal("-u", "understudyd", f"MESSAGE_ID={NEEDS_RESTART}")
    room.write("etc/understudy/understudy.yaml", before)
    room.run("systemctl reload understudyd")
    assert "restart" not in status_text(room)


@pytest.mark.parametrize("script", ["systemctl restart understudyd", "systemctl stop understudyd && sleep 1 && "
                                    "systemctl start understudyd",
                                    "kill -KILL $(systemctl show -P MainPID understudyd)"])
def test_an_end_in_the_middle_of_a_recovery_starts_nothing_twice(room, script):
    configure(room, "settle: 1s", "settle: 4s")
    room.run("systemctl reload understudyd")
    room.run(KILL_WEB_1)
    room.wait_until("understudyctl history | grep -w settling")
    room.run(script)
    assert wait_until_recovered(room)["replacement"] == "web-2"
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
    configure(room, "similarity:", '  - {name: gone, uri: "qemu+unix:///system?socket=/run/nosuch"}\nsimilarity:')
    room.run("systemctl restart understudyd", 30)
    assert "3 machines on 1 of 2 hypervisors" in status_text(room)
    room.run(KILL_WEB_1)
    wait_until_recovered(room)


def test_no_client_starts_what_was_stopped(room):
    room.run("systemctl stop understudyd")
    room.wait_until("test ! -e /run/understudy/api.sock && test ! -e /run/understudy/api-ro.sock")
    assert room.try_run("understudyctl status").returncode == 5
    assert room.try_run("systemctl is-active understudyd").stdout == "inactive\n"


@pytest.mark.parametrize("script", ["systemctl restart --no-block understudyd",
                                    "kill -KILL $(systemctl show -P MainPID understudyd)"])
def test_clients_wait_while_the_daemon_is_restarted(room, script):
    """The socket is systemd's: a client that connects in between is answered afterwards."""
    before = room.run("systemctl show -P MainPID understudyd")
    done = room.run(f"understudyctl status >/dev/null && {script}; for i in $(seq 20); do "
                    "understudyctl status >/dev/null || exit 1; done; echo always")
    assert done == "always\n"
    room.wait_until("systemctl is-active understudyd")
    assert room.run("systemctl show -P MainPID understudyd") != before


WATCHDOG = "[Service]\nWatchdogSec=3s\n"


def test_the_watchdog_restarts_a_wedged_daemon(room):
    drop_in(room, "watchdog", WATCHDOG)
    room.run(f"kill -STOP $(systemctl show -P MainPID understudyd) && {KILL_WEB_1}")
    room.wait_until("test $(systemctl show -P NRestarts understudyd) = 1")
    wait_until_recovered(room)
    assert "Watchdog timeout" in room.journal("-u", "understudyd")
    assert running(room) == {"web-2"}


def test_a_call_to_libvirt_that_hangs_ends_in_a_restart_and_the_recovery_goes_on(room):
    configure(room, "settle: 1s", "settle: 1s, start_timeout: 1s, call_timeout: 20s")
    room.write("etc/understudy/hooks.d/pre-start/10-wait", '#!/bin/sh\ntouch '
               "/run/understudy/asked\nuntil [ -e /srv/go ]; do sleep 0.1; done\n", 0o755)
    drop_in(room, "watchdog", WATCHDOG)
    room.run(KILL_WEB_1)
    room.wait_until("test -e /run/understudy/asked")
    room.run("kill -STOP $(systemctl show -P MainPID libvirtd) && touch /srv/go")
    room.wait_until("test $(systemctl show -P NRestarts understudyd) -ge 1")
    assert "a call to this local hypervisor hangs" in room.journal("-u", "understudyd", f"MESSAGE_ID={CALL_HANGS}")
    room.run("kill -CONT $(systemctl show -P MainPID libvirtd)")
    recovery = wait_until_recovered(room)
    assert running(room) == {recovery["replacement"]}
