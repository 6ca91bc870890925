# SPDX-License-Identifier: LGPL-2.1-or-later
"""A browser, and pages of the dashboard in it. Whatever a page complains of fails the test."""

import hashlib
import shutil
import subprocess

import pytest

from harness.daemon import build_directory
from harness.testdriver import CASE_STUDY, CASE_STUDY_RULES, write_node
from page import Page

AXE = "axe-core@4.10.3"
AXE_SHA256 = "880970c081707360e64f34cea25ff91892f5bc95675b0776925b9709dd8a68bb"


@pytest.fixture(scope="session")
def browser():
    """Chromium without a window."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="python3-selenium is not installed")
    driver = shutil.which("chromedriver")
    if driver is None:
        pytest.skip("chromium-driver is not installed")
    options = webdriver.ChromeOptions()
    for option in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--lang=en",
                   "--host-resolver-rules=MAP attacker.example 127.0.0.1"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options=options, service=webdriver.chrome.service.Service(driver))
    yield browser
    browser.quit()


@pytest.fixture(scope="session")
def axe():
    """The text of axe-core, which is fetched once and kept in the build directory."""
    directory = build_directory() / "axe-core"
    script = directory / "package/axe.min.js"
    if not script.exists():
        if shutil.which("npm") is None:
            pytest.skip("npm is not installed")
        directory.mkdir(exist_ok=True)
        packed = subprocess.run(["npm", "pack", "--silent", AXE], cwd=directory, capture_output=True, text=True)
        if packed.returncode != 0:
            pytest.skip(f"npm cannot fetch {AXE}: {packed.stderr.strip()}")
        archive = directory / packed.stdout.split()[-1]
        shutil.unpack_archive(archive, directory)
        archive.unlink()
    text = script.read_bytes()
    assert hashlib.sha256(text).hexdigest() == AXE_SHA256
    return text.decode()


@pytest.fixture(scope="session")
def screenshots():
    """Where they are kept for those who want to look at them."""
    directory = build_directory() / "dashboard"
    directory.mkdir(exist_ok=True)
    return directory


@pytest.fixture
def page(browser, port):
    page = Page(browser, f"http://localhost:{port}")
    yield page
    complaints = page.complaints()
    page.close()
    assert not complaints, complaints


@pytest.fixture
def make_room(make_daemon, port):
    """Makes a daemon, not started yet, whose dashboard is where `page` looks for it."""
    return lambda **config: make_daemon(**{"api": {"listen": f"127.0.0.1:{port}"}, "recovery": {"settle": "200ms"}, **config})


@pytest.fixture
def case_study(make_room, tmp_path):
    """The paper's five machines, of which VM-001 runs."""
    uri = write_node(tmp_path / "node.xml", CASE_STUDY, running=["VM-001"])
    return make_room(hypervisors=[{"name": "room", "uri": uri}], similarity=CASE_STUDY_RULES).start()
