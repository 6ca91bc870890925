# SPDX-License-Identifier: LGPL-2.1-or-later
"""What guests offer is asked of their agents: real ones, by programs and by files, and kept while they are off."""

import re

import pytest
from harness.waiting import wait_until

BY_FILES = ["cache/redis", "language/nodejs", "os-family/debian", "os/debian-12", "webserver/nginx"]
BY_PROGRAMS = ["broker/mosquitto", "language/nodejs", "os-family/debian", "os/debian-12", "webserver/nginx"]
POOL = {"protect": ["web"], "standby": ["spare"]}


@pytest.mark.parametrize("arguments, config, features", [
    ("software=programs", {}, BY_PROGRAMS),
    ("software=programs", {"software": "files"}, BY_FILES),
    ("software=programs block=guest-exec", {}, BY_FILES),
    ("software=files", {}, BY_FILES),
    ("software=programs block=guest-exec,guest-file-open", {}, ["os-family/debian", "os/debian-12"]),
    ("software=programs", {"software": "off"}, ["os-family/debian", "os/debian-12"]),
])
def test_software_is_learned_by_what_the_agent_allows(host, daemon_on, arguments, config, features):
    host.run("web", guest="linux with agent", arguments=arguments)
    daemon = daemon_on(pool=POOL, discovery=config)
    daemon.wait_for_machine("web", features=features)


def test_nothing_is_typed_and_a_service_is_recovered(host, daemon_on):
    """The kinds of both are known from their guests, of one that is off and after a restart of the daemon as well."""
    for name in ("web", "spare"):
        host.run(name, guest="linux with agent", arguments="software=programs")
    daemon = daemon_on(pool=POOL, recovery={"settle": "200ms"})
    for name in ("web", "spare"):
        daemon.wait_for_machine(name, features=BY_PROGRAMS)
    host.virsh("destroy", "spare")
    daemon.wait_for_machine("spare", state="shut off", features=BY_PROGRAMS)
    daemon.stop()
    daemon.start()
    assert daemon.wait_for_machine("spare", state="shut off")["features"] == BY_PROGRAMS
    host.kill_qemu("web")
    record = daemon.wait_for_recovery("web")
    assert (record["outcome"], record["replacement"]) == ("recovered", "spare")


def test_what_was_told_has_an_age_and_what_is_missing_a_remedy(host, daemon_on):
    host.run("web", guest="linux with agent", arguments="software=programs block=guest-exec")
    daemon = daemon_on(pool=POOL)
    daemon.wait_for_machine("web", features=BY_FILES)
    said = " ".join(daemon.ctl("show", "web").stdout.split())
    assert re.search(r"webserver nginx \(guest agent, \d+ s ago\)", said), said
    assert "its guest agent must not run programs" in said and "/etc/sysconfig/qemu-ga" in said
    before = daemon.api.machine("web")["agent"]["learned"]
    assert "is being asked" in daemon.ctl("refresh", "web").stdout
    wait_until(lambda: daemon.api.machine("web")["agent"]["learned"] > before, "the guest has told it again")
