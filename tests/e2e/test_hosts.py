# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Hosts that are lost: libvirtds on addresses of their own, reached over TCP or TLS, whose cables are pulled, which
are fenced by an agent that really kills what they run, and which come back.
"""

import json
import os
import shutil
import subprocess
import time

import pytest

from harness import domain, guests
from harness import host as host_module
from harness.certificates import make_certificates
from harness.host import LISTENING, Host
from harness.network import Network
from harness.templates import Room
from harness.waiting import wait_until

WEB = {"database": "mysql", "language": "nodejs", "webserver": "nginx"}
# Large, so that one of them makes a difference in what their host has left; it is never touched.
LARGE = {"resources": WEB, "memory_mib": 512}
FENCE_DUMMY = "/usr/sbin/fence_dummy"
LOST = {"host_timeout": "2s", "recovery": {"settle": "200ms", "call_timeout": "1s"}}


@pytest.fixture(scope="module")
def pki(short_tmp):
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    directory = short_tmp / "pki"
    directory.mkdir()
    make_certificates(directory, ",".join(f"IP:{Network.address(n)}" for n in range(3)))
    return directory


@pytest.fixture(scope="module")
def rack(cache, short_tmp, pki):
    """Three hosts, and the network in which the daemon reaches them."""
    reason = host_module.missing() or (None if shutil.which("ip") else "ip is not installed (package iproute2)")
    if reason is not None:
        pytest.skip(reason)
    directory = short_tmp / "rack"
    directory.mkdir()
    network = Network(directory)
    tls = (f'listen_tls = 1\nlisten_tcp = 1\nauth_tcp = "none"\nauth_tls = "none"\nkey_file = "{pki}/serverkey.pem"\n'
           f'cert_file = "{pki}/servercert.pem"\nca_file = "{pki}/cacert.pem"\n')
    opened = []
    try:
        for number in range(3):
            home = short_tmp / f"h{number}"
            home.mkdir()
            opened.append(Host(home, cache, tls if number == 2 else LISTENING))
            try:
                opened[-1].open(network)
            except (guests.Unavailable, subprocess.CalledProcessError) as error:
                pytest.skip(f"hosts cannot be connected here: {error}")
        yield network
    finally:
        for host in opened:
            host.close()
        network.close()


@pytest.fixture
def network(rack):
    rack.reset()
    yield rack
    rack.reset()


@pytest.fixture
def daemon_for(make_daemon, network):
    """
    Starts a daemon for some of the hosts. On a busy machine it may say that it is ready before it has listed each of them
    (a call took longer than LOST allows, and is made again), and what runs on a host that is cut off then is not known.
    """
    def start(*numbers, **config):
        config = {"hypervisors": network.hypervisors(*numbers), "fence": network.fence(), **LOST, **config}
        daemon = make_daemon(network, **config).start()
        wait_until(lambda: all(host["listed"] for host in daemon.api.status()["hypervisors"]), "every host is listed")
        return daemon
    return start


def host_state(daemon, name):
    return next(one for one in daemon.api.status()["hypervisors"] if one["name"] == name)


def wait_for_host(daemon, name, state, seconds=30):
    return wait_until(lambda: (found := host_state(daemon, name))["state"] == state and found,
                      f"the host {name} is {state}", seconds)


def define_everywhere(network, *numbers):
    """Two machines run on the first host; two of their like stand by on each other one."""
    first, *others = numbers
    for name in ("a1", "a2"):
        network.hosts[first].run(name, role="protected", **LARGE)
    for number in others:
        for index in (1, 2):
            network.hosts[number].define(f"s{number}{index}", role="standby", **LARGE)


def running(network, number):
    return sorted(network.hosts[number].virsh("list", "--name").split())


def boots(network, number, *names):
    return [network.hosts[number].serial(name).boots for name in names]


def write_hook(directory, name, script):
    directory.mkdir(exist_ok=True, parents=True)
    (directory / name).write_text("#!/bin/sh\n" + script)
    (directory / name).chmod(0o755)


def test_lost_host_is_fenced_and_its_machines_are_spread(network, daemon_for, short_tmp):
    define_everywhere(network, 0, 1, 2)
    hooks = short_tmp / "hooks-lost"
    write_hook(hooks / "host-lost", "10-keep", f"cat >{hooks}/.kept\n")
    daemon = daemon_for(0, 1, 2, hooks={"directory": str(hooks)})
    network.cut(0)
    records = [daemon.wait_for_recovery(name) for name in ("a1", "a2")]
    assert [(record["outcome"], record["cause"]) for record in records] == [("recovered", "host-lost")] * 2
    assert sorted(record["replacement_hypervisor"] for record in records) == ["h1", "h2"]
    assert [len(running(network, number)) for number in (1, 2)] == [1, 1]
    assert network.told() == ["off h0", "status h0"]
    # Nothing was started before the agent was done.
    kinds = [notice["kind"] for notice in daemon.events.told]
    assert kinds.index("host-lost") < kinds.index("host-fenced") < kinds.index("decided") < kinds.index("started")
    kept = json.loads((hooks / ".kept").read_text())
    assert kept["host"] == "h0"
    assert {machine["name"] for machine in kept["machines"]} == {"a1", "a2"}
    assert host_state(daemon, "h0")["state"] == "fenced"
    # Attempts to reach a host that is off fail in turn as "no route" and in silence, which is said once.
    assert daemon.log.count("warning: h0: ") <= 2, "what is wrong with h0 is told again and again"
    assert "h0 was lost and is fenced" in daemon.ctl("status").stdout

    network.return_host(0)
    wait_for_host(daemon, "h0", "reachable")
    daemon.wait_for_machine("a1", state="shut off", reachable=True)
    assert running(network, 0) == []
    assert "both-run" not in [notice["kind"] for notice in daemon.events.told]
    assert len(daemon.api.recoveries()) == 2


def test_policies_of_services_when_their_host_is_lost(network, daemon_for):
    """The database is kept apart from the one on h1, the web server comes after it, and only to h2."""
    database, web = {"database": "mysql"}, {"language": "nodejs"}
    network.hosts[0].run("db-1", role="protected", resources=database)
    network.hosts[0].run("web-1", role="protected", resources=web)
    network.hosts[1].run("db-2", role="protected", resources=database)
    for number in (1, 2):
        network.hosts[number].define(f"d{number}", role="standby", resources=database)
        network.hosts[number].define(f"w{number}", role="standby", resources=web)
    daemon = daemon_for(0, 1, 2, services=[
        {"match": ["db-*"], "apart": True},
        {"match": ["web-*"], "after": ["db-*"], "hosts": ["h2"], "priority": 9},
    ])
    explained = daemon.ctl("explain", "web-1").stdout
    assert "after [db-*], hosts [h2] (services[1], line" in explained
    assert "hosts in the policy of the service does not name that" in explained
    foretold = json.loads(daemon.ctl("plan", "--host", "h0", "--json").stdout)
    assert (foretold["fencing"], foretold["settled"], foretold["down"]) == ("agent", True, 0)
    worst = daemon.ctl("plan", "--each-host", check=False)
    assert worst.returncode == 0 and "every service goes on" in worst.stdout, worst.stdout
    assert daemon.api.recoveries() == []  # nothing has happened
    network.cut(0)
    records = {name: daemon.wait_for_recovery(name) for name in ("db-1", "web-1")}
    assert [records[name]["outcome"] for name in records] == ["recovered"] * 2
    assert {name: records[name]["replacement"] for name in records} == {"db-1": "d2", "web-1": "w2"}
    assert {service["name"]: service["replacement"] for service in foretold["services"]} == {"db-1": "d2", "web-1": "w2"}
    told = [(notice["kind"], notice.get("machine")) for notice in daemon.events.told]
    assert told.index(("waits", "web-1")) < told.index(("recovered", "db-1")) < told.index(("decided", "web-1"))
    assert running(network, 1) == ["db-2"]


def test_one_of_two_hosts(network, daemon_for):
    define_everywhere(network, 0, 1)
    daemon = daemon_for(0, 1)
    network.cut(0)
    for name in ("a1", "a2"):
        assert daemon.wait_for_recovery(name)["outcome"] == "recovered"
    assert running(network, 1) == ["s11", "s12"]


def test_agent_that_fails_starts_nothing_until_the_operator_confirms(network, daemon_for):
    define_everywhere(network, 0, 1)
    network.set_agent("broken", True)
    daemon = daemon_for(0, 1)
    network.cut(0)
    alert = daemon.events.wait_for("fence-failed", times=2)
    assert "the power switch does not answer" in alert["text"] and "NOTHING" in alert["text"]
    assert "understudyctl fenced h0 --yes" in daemon.ctl("status").stdout
    assert daemon.api.recoveries() == []
    assert running(network, 1) == []
    assert boots(network, 1, "s11", "s12") == [0, 0]
    # The operator goes there and pulls the plug.
    assert daemon.ctl("fenced", "h0", check=False).returncode == 4
    assert daemon.ctl("fenced", "h1", "--yes", check=False).returncode == 4
    for name in ("a1", "a2"):
        network.hosts[0].kill_qemu(name)
    daemon.ctl("fenced", "h0", "--yes")
    for name in ("a1", "a2"):
        assert daemon.wait_for_recovery(name)["outcome"] == "recovered"
    assert host_state(daemon, "h0")["fenced_by_hand"] is True


def test_host_that_was_only_cut_off_comes_back_as_it_was(network, daemon_for):
    define_everywhere(network, 0, 1)
    daemon = daemon_for(0, 1, fence={})
    network.cut(0)
    assert "fence names no agent" in daemon.events.wait_for("fence-failed")["text"]
    network.mend(0)
    daemon.events.wait_for("host-back")
    wait_for_host(daemon, "h0", "reachable")
    assert daemon.api.recoveries() == []
    assert running(network, 0) == ["a1", "a2"] and running(network, 1) == []


def test_host_that_is_back_before_it_is_lost_has_lost_its_machines(network, daemon_for):
    define_everywhere(network, 0, 1)
    network.hosts[0].run("autostarted", role="protected", **LARGE)
    daemon = daemon_for(0, 1, host_timeout="5m", failure={"reboot_grace": "2s"})
    crashed = network.hosts[0]
    network.cut(0)
    wait_for_host(daemon, "h0", "missing")
    crashed.kill_libvirtd()
    for name in ("a1", "a2", "autostarted"):
        crashed.kill_qemu(name)
    crashed.reset_counters()
    crashed.boot()
    crashed.start("autostarted")
    network.mend(0)
    records = [daemon.wait_for_recovery(name) for name in ("a1", "a2")]
    assert [(record["outcome"], record["cause"]) for record in records] == [("recovered", "host-lost")] * 2
    assert running(network, 1) == ["s11", "s12"]
    assert daemon.events.about("autostarted") == []
    assert "host-rebooted" in [notice["kind"] for notice in daemon.events.told]
    assert network.told() == []


def test_flapping_link_starts_nothing(network, daemon_for):
    define_everywhere(network, 0, 1)
    daemon = daemon_for(0, 1, host_timeout="8s")
    for times in (1, 2):
        network.cut(0)
        daemon.events.wait_for("hypervisor-down", times=times)
        network.mend(0)
        daemon.events.wait_for("hypervisor-up", times=times + 2)
    assert network.told() == []
    assert daemon.api.recoveries() == []
    assert running(network, 0) == ["a1", "a2"] and running(network, 1) == []


def test_what_runs_twice_is_told_and_resolved(network, daemon_for):
    define_everywhere(network, 0, 1)
    network.set_agent("lies", True)
    daemon = daemon_for(0, 1, when_both_run="stop-replacement")
    network.cut(0)
    for name in ("a1", "a2"):
        daemon.wait_for_recovery(name)
    network.mend(0)
    daemon.events.wait_for("both-run", times=2)
    daemon.events.wait_for("both-resolved", times=2)
    assert running(network, 0) == ["a1", "a2"] and running(network, 1) == []
    assert len(daemon.api.recoveries()) == 2


def test_own_network_lost_is_no_loss_of_hosts(network, daemon_for):
    define_everywhere(network, 0, 1, 2)
    daemon = daemon_for(0, 1, 2)
    for number in range(3):
        network.cut(number)
    daemon.events.wait_for("hosts-isolated", times=3)
    assert {one["state"] for one in daemon.api.status()["hypervisors"]} == {"isolated"}
    for number in range(3):
        network.mend(number)
    for name in ("h0", "h1", "h2"):
        wait_for_host(daemon, name, "reachable")
    assert network.told() == []
    assert daemon.api.recoveries() == []
    assert running(network, 0) == ["a1", "a2"]


def test_daemon_killed_between_fencing_and_start_goes_on(network, daemon_for, short_tmp):
    define_everywhere(network, 0, 1)
    hooks = short_tmp / "hooks-killed"
    write_hook(hooks / "pre-start", "10-wait", f'[ -e {hooks}/.go ] || {{ : >{hooks}/.here; sleep 60; }}\n')
    daemon = daemon_for(0, 1, hooks={"directory": str(hooks)})
    network.cut(0)
    wait_until((hooks / ".here").exists, "a pre-start hook runs")
    daemon.kill()
    assert running(network, 1) == []
    (hooks / ".go").touch()
    daemon.start()
    for name in ("a1", "a2"):
        assert daemon.wait_for_recovery(name)["outcome"] == "recovered"
    assert network.told().count("off h0") == 1
    assert boots(network, 1, "s11", "s12") == [1, 1]


def test_host_that_is_gone_when_the_daemon_starts(network, daemon_for):
    define_everywhere(network, 0, 1)
    daemon = daemon_for(0, 1)
    daemon.wait_until_stored("a1", "running")
    daemon.wait_until_stored("a2", "running")
    daemon.stop()
    network.cut(0)
    daemon.start(wait=False)
    daemon.wait_until_listening()
    for name in ("a1", "a2"):
        assert daemon.wait_for_recovery(name)["cause"] == "host-lost"
    assert running(network, 1) == ["s11", "s12"]


def test_host_over_tls(network, daemon_for, pki):
    network.hosts[2].run("a1", role="protected", resources=WEB)
    network.hosts[0].define("s01", role="standby", resources=WEB)
    hypervisors = network.hypervisors(0, 2)
    hypervisors[1]["uri"] = f"qemu+tls://{network.address(2)}/system?pkipath={pki}"
    daemon = daemon_for(0, 2, hypervisors=hypervisors)
    assert host_state(daemon, "h2")["listed"] is True
    network.hosts[2].kill_qemu("a1")
    record = daemon.wait_for_recovery("a1")
    assert (record["outcome"], record["replacement_hypervisor"]) == ("recovered", "h0")


@pytest.mark.skipif(not os.path.exists(FENCE_DUMMY), reason="fence_dummy is not installed (package fence-agents)")
def test_real_fence_agent(network, daemon_for, short_tmp):
    define_everywhere(network, 0, 1)
    status = short_tmp / "fence-dummy"
    status.write_text("on")
    hypervisors = network.hypervisors(0, 1)
    for hypervisor in hypervisors:
        hypervisor["fence"] = {"status_file": str(status)}
    daemon = daemon_for(0, 1, hypervisors=hypervisors, fence={"command": FENCE_DUMMY, "options": {"type": "file"}})
    network.cut(0)
    for name in ("a1", "a2"):
        network.hosts[0].kill_qemu(name)  # fence_dummy switches nothing but a word in a file
    for name in ("a1", "a2"):
        assert daemon.wait_for_recovery(name)["outcome"] == "recovered"
    assert status.read_text() == "off"
    assert host_state(daemon, "h0")["state"] == "fenced"


def test_a_drill_of_a_machine_on_another_host(daemon_for, network):
    """It could not be crashed: its dump went to a pipe on the daemon's host. It is destroyed, and that is a failure."""
    define_everywhere(network, 0, 1)
    daemon = daemon_for(0, 1)
    refused = daemon.ctl("drill", "a1", check=False)
    assert refused.returncode == 4 and "this crashes the real machine a1" in refused.stderr
    assert "it was destroyed for a drill" in daemon.ctl("drill", "a1", "--yes", "--wait").stdout
    record = daemon.wait_for_recovery("a1")
    assert (record["outcome"], record["cause"], record["is_drill"]) == ("recovered", "drill", True)
    assert network.hosts[0].state("a1") == ("shut off", "destroyed")
    assert network.hosts[1].state(record["replacement"])[0] == "running"
    # What an operator destroys is planned, and no other machine takes over.
    network.hosts[0].virsh("destroy", "a2")
    daemon.events.wait_for("stop-planned", "a2")
    assert len(daemon.api.recoveries()) == 1


def test_a_drill_on_another_host_outlives_the_daemon(daemon_for, network):
    """The daemon is killed before it hears that the machine is off. The next one knows what that was."""
    define_everywhere(network, 0, 1)
    daemon = daemon_for(0, 1)
    network.hosts[0].pause_libvirtd()
    try:
        daemon.ctl("drill", "a1", "--yes", "--timeout", "0.5", check=False)
        daemon.kill()
    finally:
        network.hosts[0].continue_libvirtd()
    assert "a1 is destroyed on purpose, as ordered" in daemon.log
    network.hosts[0].virsh("destroy", "a1")
    daemon.start()
    record = daemon.wait_for_recovery("a1")
    assert (record["outcome"], record["cause"], record["is_drill"]) == ("recovered", "drill", True)


@pytest.mark.parametrize("dies_after_ms", [None, 0, 100, 400, 900])
def test_evacuated_host_is_booted(network, daemon_for, dies_after_ms):
    """Its services run elsewhere, it is held, and nothing is fenced or started when it is off; whenever the daemon dies."""
    define_everywhere(network, 0, 1)
    daemon = daemon_for(0, 1, recovery={"settle": "200ms", "shutdown_timeout": "20s", "call_timeout": "1s"})
    refused = daemon.ctl("hold", "--evacuate", "h0", check=False)
    assert refused.returncode == 4 and "a1, a2" in refused.stderr and "virsh migrate --live" in refused.stderr
    daemon.ctl("hold", "--evacuate", "h0", "--yes")
    if dies_after_ms is not None:
        time.sleep(dies_after_ms / 1000)
        daemon.kill()
        daemon.start()
    held = wait_until(lambda: [hold for hold in daemon.api.list("holds") if not hold["evacuating"]], "h0 is held", 60)
    assert [hold["what"] for hold in held] == ["h0"]
    assert running(network, 0) == [] and running(network, 1) == ["s11", "s12"]
    assert network.hosts[0].state("a1") == ("shut off", "shutdown")
    network.cut(0)
    wait_for_host(daemon, "h0", "missing")
    network.mend(0)
    wait_for_host(daemon, "h0", "reachable")
    assert network.told() == [] and running(network, 0) == [] and running(network, 1) == ["s11", "s12"]
    daemon.ctl("release", "h0")
    daemon.ctl("failback", "a1", "--wait")
    assert running(network, 0) == ["a1"]


def migration(network, name, to):
    """What virsh is told to migrate it."""
    return ["migrate", "--live", "--unsafe", "--persistent", "--undefinesource", name,
            f"qemu+tcp://{network.address(to)}/system", "--migrateuri", f"tcp://{network.address(to)}"]


def migrate(network, name, source, to):
    network.hosts[source].virsh(*migration(network, name, to))


def test_held_machine_that_is_migrated_stays_held(network, daemon_for):
    """And one that leaves a held host does not."""
    network.join_hosts()
    define_everywhere(network, 0, 1)
    daemon = daemon_for(0, 1)
    daemon.ctl("hold", "a1", "--reason", "mine")
    daemon.ctl("hold", "h0", "--reason", "new disks")
    for name in ("a1", "a2"):
        migrate(network, name, 0, 1)
    wait_until(lambda: {(hold["what"], hold["hypervisor"]) for hold in daemon.api.list("holds")}
               == {("h0", "h0"), ("a1", "h1")}, "the hold on a1 is on h1")
    daemon.kill()
    daemon.start()
    for name in ("a1", "a2"):
        network.hosts[1].kill_qemu(name)
    assert daemon.wait_for_recovery("a1")["outcome"] == "failed-while-held"
    assert daemon.wait_for_recovery("a2")["outcome"] == "recovered"
    assert len(running(network, 1)) == 1 and running(network, 0) == []


def test_service_follows_its_machines_that_are_migrated(network, daemon_for):
    """First the original and then its replacement: each dies where it was migrated to, and the service is recovered."""
    network.join_hosts()
    network.hosts[0].run("a1", role="protected", resources=WEB)
    for name in ("s1", "s2"):
        network.hosts[1].define(name, role="standby", resources=WEB)
    daemon = daemon_for(0, 1)
    migrate(network, "a1", 0, 1)
    wait_until(lambda: daemon.api.services()["a1"]["hypervisor"] == "h1", "the service is on h1")
    daemon.kill()
    daemon.start()
    network.hosts[1].kill_qemu("a1")
    first = daemon.wait_for_recovery("a1")
    assert first["outcome"] == "recovered" and running(network, 1) == [first["replacement"]]
    assert daemon.api.services()["a1"]["served_by"]["hypervisor"] == "h1"

    migrate(network, first["replacement"], 1, 0)
    wait_until(lambda: daemon.api.services()["a1"]["served_by"]["hypervisor"] == "h0", "it is served on h0")
    assert daemon.api.services()["a1"]["state"] == "up" and len(daemon.api.recoveries()) == 1
    network.hosts[0].kill_qemu(first["replacement"])
    second = daemon.wait_for_recovery(first["replacement"])
    assert (second["outcome"], second["service"]["name"]) == ("recovered", "a1")
    assert running(network, 1) == [second["replacement"]] and running(network, 0) == []
    assert {first["replacement"], second["replacement"]} == {"s1", "s2"}
    assert daemon.ctl("failback", "a1", "--wait").returncode == 0
    assert running(network, 1) == ["a1"]


def test_migration_that_is_cancelled_is_no_failure(network, daemon_for):
    """While it goes on, for minutes, the machine is one; and where it does not arrive, nothing has failed."""
    network.join_hosts()
    source, to = network.hosts[:2]
    source.run("a1", guest="linux", role="protected", resources=WEB)
    to.define("s1", role="standby", resources=WEB)
    daemon = daemon_for(0, 1)
    under_way = subprocess.Popen(source.command("virsh", "-q", *migration(network, "a1", 1), "--bandwidth", "1"),
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: "a1" in running(network, 1) + to.virsh("list", "--state-paused", "--name").split(),
                   "what comes in is listed", 30)
        daemon.wait_for_machine("h1/a1", state="paused")
        assert list(daemon.api.services()) == ["a1"] and daemon.api.services()["a1"]["hypervisor"] == "h0"
        daemon.kill()
        daemon.start()
        assert daemon.api.services()["a1"]["state"] == "up"
        source.virsh("domjobabort", "a1")
        assert under_way.wait(timeout=30) != 0
    finally:
        if under_way.poll() is None:
            under_way.kill()
            under_way.wait()
    assert "to migrate it here failed" in daemon.events.wait_for("event-noted")["text"]
    assert daemon.api.recoveries() == [] and running(network, 0) == ["a1"]
    source.kill_qemu("a1")
    assert daemon.wait_for_recovery("a1")["outcome"] == "recovered"
    assert running(network, 1) == ["s1"]


@pytest.fixture
def shared_directory(network, short_tmp):
    """Both hosts see it by the same path, since what a host has of its own does not hide it."""
    directory = short_tmp / "shared"
    directory.mkdir(exist_ok=True)
    (directory / "data.img").write_bytes(bytes(1 << 20))
    return directory


@pytest.fixture
def network_pool(network, short_tmp):
    """A pool of type netfs on both hosts; what is mounted there is no NFS, but has its name."""
    target = short_tmp / "netfs"
    target.mkdir(exist_ok=True)
    for host in network.hosts[:2]:
        host.run_inside("mount", "-t", "tmpfs", "-o", "size=4m", "server:/export", target)
        host.run_inside("truncate", "-s", "1M", target / "data.img")
        host.virsh("pool-create-as", "data", "netfs", "--source-host", "server", "--source-path", "/export",
                   "--target", str(target))
    yield target
    network.reset()
    for host in network.hosts[:2]:
        subprocess.run(host.command("virsh", "-q", "-c", "qemu:///system", "pool-destroy", "data"), check=False)
        subprocess.run(host.command("umount", "-q", target), check=False)


def check_one_disk_on_two_hosts(network, daemon, image):
    """Another machine's disk is left alone while that runs, and taken over once that has failed."""
    reasons = wait_until(lambda: (found := {one["name"]: one["reason"] for one in daemon.api.explain("a1")["candidates"]}) and
                         "in use" in found["s1"] and found, "the disk of s1 is in use")
    assert reasons["s1"] == f"its disk {image} is in use by db"
    network.hosts[0].kill_qemu("a1")
    assert daemon.wait_for_recovery("a1")["replacement"] == "s2"
    network.hosts[0].kill_qemu("db")
    record = daemon.wait_for_recovery("db")
    assert (record["outcome"], record["replacement"]) == ("recovered", "s1")
    assert running(network, 1) == ["s1", "s2"] and running(network, 0) == []


def define_one_disk(network, image):
    for name, devices in (("a1", ""), ("db", domain.disk_xml(image, "hdb"))):
        network.hosts[0].run(name, role="protected", resources=WEB, devices=devices)
    network.hosts[1].define("s1", role="standby", resources=WEB, devices=domain.disk_xml(image, "hdb"))
    network.hosts[1].define("s2", role="standby", resources={**WEB, "runtime": "deno"})


def test_path_below_a_shared_directory_is_one_disk_on_two_hosts(network, daemon_for, shared_directory):
    define_one_disk(network, shared_directory / "data.img")
    daemon = daemon_for(0, 1, storage={"shared": [str(shared_directory)]})
    check_one_disk_on_two_hosts(network, daemon, shared_directory / "data.img")


def test_volume_of_a_network_pool_is_one_disk_on_two_hosts(network, daemon_for, network_pool):
    define_one_disk(network, network_pool / "data.img")
    check_one_disk_on_two_hosts(network, daemon_for(0, 1), network_pool / "data.img")


# ---- a template, of which only the second host has the base image ----


@pytest.fixture
def room(network, tmp_path):
    made = Room(network.hosts[1], tmp_path / "templates")
    made.add("base-web")
    network.hosts[0].run("a1", resources=WEB, role="protected")
    yield made
    network.reset()
    made.close()


def assert_made_on_second_host(network, room, record):
    [name] = room.made()
    assert (record["outcome"], record["replacement"]) == ("recovered", name), record
    assert running(network, 1) == [name]


def templates_of(daemon):
    """The hosts on which it could be made."""
    found = [machine for machine in daemon.api.get("/v1/machines")["machines"] if machine["state"] == "template"]
    return sorted(machine["hypervisor"] for machine in found)


def test_template_is_made_where_its_base_image_is(network, daemon_for, room):
    daemon = daemon_for(0, 1, pool={"protect": [], "standby": [], "templates": str(room.directory)})
    wait_until(lambda: templates_of(daemon) == ["h0", "h1"], "both hosts have the template")
    network.hosts[0].kill_qemu("a1")
    assert_made_on_second_host(network, room, daemon.wait_for_recovery("a1"))


def test_template_is_made_for_a_machine_of_a_lost_host(network, daemon_for, room):
    daemon = daemon_for(0, 1, pool={"protect": [], "standby": [], "templates": str(room.directory)})
    wait_until(lambda: templates_of(daemon) == ["h0", "h1"], "both hosts have the template")
    network.cut(0)
    assert_made_on_second_host(network, room, daemon.wait_for_recovery("a1"))
    assert "off h0" in network.told()
