# SPDX-License-Identifier: LGPL-2.1-or-later
"""A failure as the page shows it, without being loaded again."""

import pytest

from harness.testdriver import CASE_STUDY, CASE_STUDY_RULES, write_node

pytestmark = pytest.mark.testdriver


def test_the_replacement_appears_live(case_study, page):
    page.open("#/services")
    before = page.wait_for_text("#services tbody tr", "VM-001")
    assert before.split()[:5] == ["VM-001", "room", "up", "itself", "VM-005"], before
    page.run("window.wasLoadedOnce = true")
    case_study.api.drill("VM-001")
    after = page.wait_for_text("#services tbody tr", "VM-001", "VM-005 @ room since")
    assert " up " in after
    page.go("#/recoveries")
    page.wait_for_text(".list tbody tr", "VM-001 VM-005", "recovered", "drill")
    assert page.run("return window.wasLoadedOnce")


def test_a_recovery_under_way_is_shown_as_it_goes(make_room, page, tmp_path):
    uri = write_node(tmp_path / "node.xml", CASE_STUDY, running=["VM-001"])
    daemon = make_room(hypervisors=[{"name": "room", "uri": uri}], similarity=CASE_STUDY_RULES, recovery={"settle": "3s"}).start()
    page.open("#/recoveries")
    page.wait_for_text(".calm", "No recovery is under way.")
    daemon.api.drill("VM-001")
    page.wait_for_text(".live .timeline li.now", "Settled settling")
    assert page.texts(".live .timeline li.done .what")[-1] == "Started"
    page.wait_for_text(".list tbody tr", "VM-001 VM-005", "recovered")
    assert page.find(".live") == []


def test_the_steps_of_a_recovery(case_study, page):
    case_study.api.drill("VM-001")
    recovery = case_study.wait_for_recovery("VM-001")
    page.open(f"#/recoveries/{recovery['id']}")
    steps = page.texts(".timeline li.done .what")
    assert steps == ["Failure detected", "Confirmed", "Replacement chosen", "Intent on disk", "Started", "Settled", "Verified"]
    assert page.texts(".candidate.chosen h3") == ["VM-005 chosen"]


def test_what_happens_is_said_to_screen_readers(case_study, page):
    page.open("#/services")
    assert page.run("return document.getElementById('spoken').getAttribute('aria-live')") == "polite"
    case_study.api.drill("VM-001")
    page.wait_for("document.getElementById('spoken').textContent.includes('VM-001')", "the drill is told")
