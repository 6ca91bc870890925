# SPDX-License-Identifier: LGPL-2.1-or-later
"""The decision for VM-001 as the paper's case study has it, and what would be otherwise."""

import pytest

pytestmark = pytest.mark.testdriver


def shown(page):
    return [tuple(text.split("\n")[0] for text in page.run(
        "return [arguments[0].querySelector('h3 a').innerText,"
        " ...[...arguments[0].querySelectorAll('.bar .value')].map(value => value.innerText)]", candidate))
            for candidate in page.find(".candidate")]


def test_the_case_study(case_study, page):
    page.open("#/machines/VM-001")
    assert shown(page) == [("VM-005", "0.6667", "1.0000", "0.6667"), ("VM-002", "0.6667", "0.5000", "0.3333"),
                           ("VM-004", "1.0000", "0.1667", "0.1667"), ("VM-003", "0.7500", "0.0000", "0.0000")]
    chosen, second, third, _ = page.texts(".candidate")
    assert "Surplus +database/postgresql +webserver/apache" in chosen and "Missing" not in chosen
    assert "Missing −database/mysql −webserver/nginx" in second
    assert "coverage 0.1667 is below 0.5" in third
    assert page.texts(".machine-box") == ["If it fails VM-001", "takes over VM-005"]
    # The bars are as long as the scores, and their marks stand at the limits.
    assert page.run("return [...document.querySelectorAll('.candidate.chosen .fill')].map(fill => parseFloat(fill.style.width).toFixed(2))") \
        == ["66.67", "100.00", "66.67"]
    assert page.run("return [...document.querySelectorAll('.candidate.chosen .limit')].map(limit => limit.style.left)") == ["50%", "50%"]


def move(page, slider, value):
    page.run("const slider = document.getElementById(arguments[0]); slider.value = arguments[1];"
             "slider.dispatchEvent(new Event('input', {bubbles: true}))", slider, value)


def test_what_if_is_worked_out_by_the_daemon_and_changes_nothing(case_study, page):
    before = case_study.api.explain("VM-001")
    page.open("#/machines/VM-001")
    page.wait_for("document.getElementById('suppose-threshold')", "the sliders are there")
    move(page, "suppose-threshold", 0.9)
    page.wait_for_text(".machine-box", "takes over none")
    page.wait_for_text(".candidate .reason", "similarity 0.6667 is below the threshold 0.9")
    assert page.run("return location.hash") == "#/machines/VM-001?threshold=0.9"
    page.find(".suppositions button")[0].click()
    page.wait_for_text(".machine-box", "takes over VM-005")
    move(page, "suppose-weight-database", 0)
    page.wait_for("document.querySelector('.candidate.chosen .bar .value').innerText === '0.8000'", "the weight counts")
    assert case_study.api.explain("VM-001") == before


def test_a_supposed_plan_can_be_linked_to(case_study, page):
    page.open("#/what-if?threshold=0.9")
    assert page.wait_for_text("#plan tbody tr", "VM-001").split()[:4] == ["VM-001", "lost", "VM-005", "none"]
    page.open("#/what-if")
    assert page.wait_for_text("#plan tbody tr", "VM-001").split()[:3] == ["VM-001", "VM-005", "VM-005"]
