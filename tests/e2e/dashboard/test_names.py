# SPDX-License-Identifier: LGPL-2.1-or-later
"""Names are text, whatever they look like."""

from urllib.parse import quote

import pytest

from harness.testdriver import write_node

pytestmark = pytest.mark.testdriver

NAME = "<img src=x onerror=alert(1)>"


def test_a_name_is_no_markup(make_room, page, tmp_path):
    uri = write_node(tmp_path / "node.xml", {NAME: {"language": "nodejs"}, "spare": {"language": "nodejs"}}, running=[NAME])
    daemon = make_room(hypervisors=[{"name": "room", "uri": uri}]).start()
    daemon.api.drill(NAME)
    recovery = daemon.wait_for_recovery(NAME)
    for place in ("#/services", "#/machines", "#/machines/spare", f"#/machines/{quote(NAME, safe='')}", "#/recoveries",
                  f"#/recoveries/{recovery['id']}", "#/history", "#/what-if"):
        page.open(place)
        page.wait_for(f"document.querySelector('main').innerText.includes({NAME!r})", f"{place} shows the name")
        assert page.run("return document.querySelectorAll('main img').length") == 0, place
        assert page.run("return document.title.length") > 0  # an alert would stand in the way
