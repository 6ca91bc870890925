# SPDX-License-Identifier: LGPL-2.1-or-later
"""Ten thousand machines, of which the page holds only those that can be seen."""

import pytest

from harness.testdriver import write_node
from harness.waiting import PATIENCE_S

pytestmark = pytest.mark.testdriver

COUNT, HOSTS = 10_000, 4
NODES_MAX = 3_000


@pytest.fixture
def room(make_room, tmp_path):
    names = [f"vm-{number:05}" for number in range(COUNT)]
    hypervisors = []
    for host in range(HOSTS):
        machines = {name: {"language": "nodejs", "database": "mysql"} for name in names[host::HOSTS]}
        hypervisors.append({"name": f"host-{host}", "uri": write_node(tmp_path / f"{host}.xml", machines)})
    daemon = make_room(hypervisors=hypervisors, pool={"protect": [], "standby": ["*"]},
                       recovery={"settle": "200ms", "call_timeout": "5m"})
    daemon.start(wait=False)
    daemon.wait_until_ready(4 * PATIENCE_S)
    return daemon


def last_row(page):
    return page.texts("#machines tbody tr:not(.space) th")[-1].split()[0]


def test_they_scroll(room, page):
    page.open("#/machines")
    page.wait_for("document.querySelector('.found').innerText === '10,000 of 10,000'", "all of them are there")
    assert page.count_nodes() < NODES_MAX
    assert page.run("return document.querySelector('#machines').getAttribute('aria-rowcount')") == str(COUNT + 1)
    # Wherever it scrolls to, rows are there in the very next frame.
    blank = page.browser.execute_async_script("""
        const done = arguments[0], height = document.documentElement.scrollHeight;
        let steps = 0, blank = 0;
        function look() {
          const seen = document.elementFromPoint(innerWidth / 2, innerHeight / 2);
          blank += seen.closest("#machines tbody tr:not(.space)") === null;
          ++steps < 50 ? move() : done(blank);
        }
        function move() {
          scrollTo(0, 400 + steps / 50 * (height - innerHeight - 800));
          requestAnimationFrame(() => requestAnimationFrame(look));
        }
        move();""")
    assert blank == 0
    assert page.count_nodes() < NODES_MAX
    page.run("scrollTo(0, document.documentElement.scrollHeight)")
    page.wait_for("[...document.querySelectorAll('#machines tbody th')].at(-1).innerText.includes('vm-09999')", "the last one is there")

    page.run("scrollTo(0, 0)")
    page.find("input[type=search]")[0].send_keys("vm-0999")
    page.wait_for("document.querySelector('.found').innerText === '10 of 10,000'", "they are filtered")
    assert last_row(page) == "vm-09999"
