# SPDX-License-Identifier: LGPL-2.1-or-later
"""
What becomes of the services of a host that dies. The test driver runs in the daemon, whose own host has no forecast, so
the answer for another host is made up here, and held against the contract.
"""

import json

import pytest

from harness import contract

pytestmark = pytest.mark.testdriver

LOSS = {
    "host": "room", "fencing": "operator", "fencing_detail": "no fence agent is configured for it", "settled": True,
    "recovered": 1, "down": 1,
    "services": [
        {"name": "web-1", "hypervisor": "room", "uuid": "16598a23-8e72-51cc-a5f6-6df9b9161942", "priority": 5, "outcome": "recovered",
         "replacement": "spare-1", "replacement_hypervisor": "node2", "replacement_uuid": "ad6096b5-e302-5ccb-8a96-ff0a50b5e575",
         "warmth": "cold", "overlap": 0.75, "detail": "spare-1 runs in its place"},
        {"name": "db-1", "hypervisor": "room", "uuid": "5ac6de75-5ce5-5a9e-b57f-720b476b5b19", "priority": 0, "outcome": "exhausted",
         "replacement": None, "replacement_hypervisor": None, "replacement_uuid": None, "warmth": None, "overlap": None,
         "detail": "none of 3 can take the place of db-1"}],
}


@pytest.fixture
def another_host(page):
    """The page is answered so about every host."""
    text = json.dumps(LOSS)
    contract.check_answer("GET", "/v1/plan?host=room", 200, {"Content-Type": "application/json"}, text)
    script = """
        const ask = window.fetch;
        window.fetch = (path, options) => String(path).startsWith("/v1/plan?host=")
          ? Promise.resolve(new Response(%s, {headers: {"Content-Type": "application/json"}})) : ask(path, options);""" % json.dumps(text)
    added = page.browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})
    yield
    page.browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


def test_what_becomes_of_its_services(case_study, page, another_host, screenshots):
    page.open("#/hosts/room")
    page.browser.save_screenshot(str(screenshots / "host-that-dies.png"))
    assert page.texts(".forecast-sum") == ["1 service goes on, 1 stays down"]
    assert page.texts(".list tbody tr") == ["web-1 recovered spare-1 node2 · cold 0.7500 spare-1 runs in its place",
                                            "db-1 exhausted – – none of 3 can take the place of db-1"]
    page.wait_for_text(".forecast .hint", "before an operator confirms", "no fence agent is configured for it")


def test_each_host(case_study, page, another_host):
    page.open("#/hosts")
    page.find(".page-head button")[0].click()
    page.wait_for_text(".host .forecast-sum", "1 service goes on, 1 stays down")


def test_the_own_host_has_none(case_study, page):
    page.expect("status of 409")
    page.open("#/hosts/room")
    page.wait_for_text(".notice", "understudyd itself runs on room")
