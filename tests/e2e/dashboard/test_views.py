# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every view, wide and on a telephone, light and dark: nothing that axe-core finds, and a picture of each to be looked at."""

import pytest

from harness.testdriver import machine_xml
from page import PHONE, WIDE

pytestmark = pytest.mark.testdriver

WEB = {"language": "nodejs", "webserver": "nginx", "os": "debian-12"}
DATABASE = {"database": "postgresql", "os": "debian-12"}
SHOP = {"language": "php", "webserver": "apache", "database": "mysql", "os": "debian-12"}
SERVING = {"web-1": WEB, "web-2": WEB, "web-3": {**WEB, "language": ["nodejs", "python3"]}, "db-1": DATABASE,
           "db-2": {**DATABASE, "database": ["postgresql", "redis"]}, "shop": SHOP, "mail": {"mail": ["postfix", "dovecot"], "os": "debian-12"}}
SPARE = {"spare-web-1": {**WEB, "webserver": ["nginx", "apache"]}, "spare-web-2": {**WEB, "language": ["nodejs", "php"]},
         "spare-db": {**DATABASE, "database": ["postgresql", "mysql"]},
         "spare-all": {"language": ["nodejs", "php"], "webserver": ["apache", "nginx"], "database": ["mysql", "postgresql"], "os": "debian-12"}}

SIZES = {"wide": WIDE, "phone": PHONE}


@pytest.fixture
def room(make_room, tmp_path):
    """Three hosts, one recovery that is over, and a hold."""
    machines = {**SERVING, **SPARE}
    hypervisors = []
    for host in range(3):
        domains = "".join(machine_xml(name, machines[name], name in SERVING) for name in list(machines)[host::3])
        (tmp_path / f"{host}.xml").write_text(f"<node>{domains}</node>")
        hypervisors.append({"name": f"node{host + 1}", "uri": f"test://{tmp_path}/{host}.xml"})
    daemon = make_room(hypervisors=hypervisors, pool={"protect": list(SERVING), "standby": ["spare-*"]},
                       services=[{"match": ["web-*"], "priority": 10, "apart": True}],
                       similarity={"threshold": 0.5, "weights": {"environment": {}, "resource": {
                           "database": 0.2, "language": 0.3, "webserver": 0.1, "mail": 0.2, "os": 0.05}}}).start()
    daemon.api.drill("web-1")
    daemon.wait_for_recovery("web-1")
    daemon.api.request("POST", "/v1/holds", {"target": "db-2", "reason": "a new disk", "for_ms": 7_200_000})
    return daemon


def places(room):
    return {
        "services": "#/services",
        "machines": "#/machines",
        "candidates": "#/machines/web-2",
        "supposed": "#/machines/web-2?threshold=0.8&weight=webserver%3D0.4",
        "recoveries": "#/recoveries",
        "recovery": f"#/recoveries/{room.api.recoveries()[0]['id']}",
        "history": "#/history",
        "hosts": "#/hosts",
        "host": "#/hosts/node1",
        "what-if": "#/what-if?threshold=0.8",
    }


def violations(page, axe):
    """What axe-core finds in the page, in a line each."""
    page.run(axe)
    found = page.browser.execute_async_script("axe.run().then(result => arguments[0](result.violations))")
    return [f"{one['id']}: {node['html'][:160]}: {node['failureSummary']}" for one in found for node in one["nodes"]]


def look_at_each_view(room, page, axe, screenshots, kind):
    found = {}
    for name, place in places(room).items():
        page.go(place)
        page.browser.save_screenshot(str(screenshots / f"{name}-{kind}.png"))
        found[name] = violations(page, axe)
        if not page.run("return document.documentElement.scrollWidth <= innerWidth"):
            found[name].append("it is wider than the screen")
    complaints = [f"{name}: {text}" for name, texts in found.items() for text in texts]
    assert not complaints, "\n".join(complaints)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_view(room, page, axe, screenshots, size, dark):
    page.expect("status of 409")  # what becomes of the daemon's own host
    page.look_at(*SIZES[size], dark)
    page.open()
    look_at_each_view(room, page, axe, screenshots, f"{size}-{'dark' if dark else 'light'}")


def test_view_in_korean(room, page, axe, screenshots):
    page.expect("status of 409")
    page.open(language="ko")
    assert page.run("return document.documentElement.lang") == "ko"
    look_at_each_view(room, page, axe, screenshots, "korean")
    page.go("#/services")
    page.wait_for_text("h1", "서비스")


def test_the_keyboard_reaches_everything(room, page):
    from selenium.webdriver.common.keys import Keys

    def press(key):
        page.browser.switch_to.active_element.send_keys(key)

    def focused():
        return page.run("return document.activeElement.innerText || document.activeElement.id").split("\n")[0].strip()

    page.open("#/services")
    page.run("document.body.focus()")
    page.find("body")[0].send_keys(Keys.TAB)
    assert focused() == "Skip to the content"
    press(Keys.ENTER)
    assert focused() == "Services"
    page.find(".rail a[href='#/machines']")[0].send_keys(Keys.ENTER)
    page.wait_for_text("h1", "Machines")
    assert focused() == "Machines"  # the reader begins there
    page.find("#theme")[0].send_keys(Keys.ENTER)
    assert page.run("return document.documentElement.dataset.theme") == "light"
    press(Keys.ENTER)
    assert page.run("return getComputedStyle(document.body).colorScheme") == "dark"
    page.run("localStorage.clear()")
