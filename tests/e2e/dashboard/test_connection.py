# SPDX-License-Identifier: LGPL-2.1-or-later
"""The page says when what it shows is old, and comes back by itself."""

import pytest

from harness.api import UnixConnection
from harness.testdriver import CASE_STUDY, CASE_STUDY_RULES, write_node

pytestmark = pytest.mark.testdriver

BROKEN = ("ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE")


def set_hidden(page, is_hidden):
    page.run("Object.defineProperty(document, 'hidden', {value: arguments[0], configurable: true});"
             "document.dispatchEvent(new Event('visibilitychange'))", is_hidden)


def test_the_daemon_restarts_under_the_page(make_room, page, screenshots, tmp_path):
    uri = write_node(tmp_path / "node.xml", CASE_STUDY, running=["VM-001"])
    room = {"hypervisors": [{"name": "room", "uri": uri}], "similarity": CASE_STUDY_RULES}
    daemon = make_room(**room).start()
    page.expect(*BROKEN)
    page.open("#/machines")
    page.run("window.wasLoadedOnce = true")
    daemon.stop()
    page.wait_for_text(".banner[role=alert]", "The connection to understudyd is lost", "as of")
    assert page.texts("#machines tbody th")[0].startswith("VM-001")  # still, and said to be old

    page.browser.save_screenshot(str(screenshots / "not-connected.png"))

    write_node(tmp_path / "node.xml", {**CASE_STUDY, "VM-006": {"language": "nodejs"}}, running=["VM-001"])
    daemon.start()
    page.wait_for("!document.querySelector('.banner[role=alert]')", "the banner goes")
    page.wait_for_text("#machines tbody tr", "VM-006")
    assert page.run("return window.wasLoadedOnce")


def test_a_list_that_cannot_be_had_after_a_restart_is_said_to_be_old_and_asked_for_again(make_room, page, tmp_path):
    uri = write_node(tmp_path / "node.xml", CASE_STUDY, running=["VM-001"])
    daemon = make_room(hypervisors=[{"name": "room", "uri": uri}], similarity=CASE_STUDY_RULES).start()
    page.expect(*BROKEN)
    page.open("#/machines")
    page.run("""const ask = window.fetch;
                window.refused = 0;
                window.isRefusing = true;
                window.fetch = (path, options) => {
                  if (!window.isRefusing || !path.startsWith("/v1/machines"))
                    return ask(path, options);
                  window.refused++;
                  return Promise.resolve(new Response('{"error": "it is too much"}', {status: 500}));
                };""")
    daemon.stop()
    page.wait_for_text(".banner[role=alert]", "The connection to understudyd is lost")

    write_node(tmp_path / "node.xml", {**CASE_STUDY, "VM-006": {"language": "nodejs"}}, running=["VM-001"])
    daemon.start()
    page.wait_for("window.refused > 1", "it is asked for again")
    assert "The connection to understudyd is lost" in page.texts(".banner[role=alert]")[0]
    assert page.find("main.stale") and not page.find(".live-state.good")

    page.run("window.isRefusing = false")
    page.wait_for("document.querySelector('.live-state.good')", "it is live")
    assert any(text.startswith("VM-006") for text in page.texts("#machines tbody th"))
    assert not page.find(".banner[role=alert]") and not page.find("main.stale")


def test_a_page_that_was_hidden_while_the_daemon_died_says_so(case_study, page, screenshots):
    page.expect(*BROKEN)
    page.open("#/services")
    set_hidden(page, True)
    case_study.stop()
    set_hidden(page, False)
    page.wait_for_text(".banner[role=alert]", "The connection to understudyd is lost", "as of")
    assert page.find("main.stale") and page.texts(".live-state") == ["Not connected"]
    assert not any("cannot be followed" in text for text in page.texts(".banner"))
    page.browser.save_screenshot(str(screenshots / "died-while-hidden.png"))

    case_study.start()
    page.wait_for("document.querySelector('.live-state.good')", "it is live again")
    assert not page.find(".banner[role=alert]")


def test_a_hidden_page_lets_go_of_its_connection_and_catches_up(case_study, page):
    """A browser has few connections to a host for all its tabs."""
    page.open("#/services")
    set_hidden(page, True)
    page.wait_for("document.querySelector('.live-state.bad')", "it is not live any more")
    case_study.api.drill("VM-001")
    case_study.wait_for_recovery("VM-001")
    assert "VM-005 @ room since" not in page.texts("#services tbody")[0]
    set_hidden(page, False)
    page.wait_for_text("#services tbody tr", "VM-001", "VM-005 @ room since")


def test_a_page_that_finds_no_place_at_the_stream_says_so_and_asks_again(case_study, page):
    page.expect("status of 503")
    page.open("#/services")
    set_hidden(page, True)
    followers = []
    try:
        while True:
            follower = UnixConnection(case_study.api.path, 10)
            followers.append(follower)
            follower.request("GET", "/v1/events")
            if follower.getresponse().status == 503:
                break
        set_hidden(page, False)
        page.wait_for_text(".banner[role=alert]", "cannot be followed now")
        case_study.api.drill("VM-001")
        page.wait_for_text("#services tbody tr", "VM-001", "VM-005 @ room since")
    finally:
        for follower in followers:
            follower.close()
    page.wait_for("document.querySelector('.live-state.good')", "it is live again")


def test_nothing_can_be_done_and_nothing_comes_from_elsewhere(case_study, page):
    page.open("#/services")
    assert page.run("return performance.getEntriesByType('resource').filter(entry => !entry.name.startsWith(location.origin)).length") == 0
    answered = page.browser.execute_async_script(
        "fetch('/v1/machines/VM-001/drill', {method: 'POST'}).then(answer => arguments[0](answer.status))")
    assert answered == 405
    page.expect("status of 405")
